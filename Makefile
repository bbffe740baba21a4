# arkki: build, test, run. `make help` lists the targets.
BUILD ?= build
CC ?= gcc
CXX ?= g++
ifeq ($(origin CC),default)
CC := gcc
endif
ifeq ($(origin CXX),default)
CXX := g++
endif
OPT ?= -O2 -g
WERROR ?= -Werror
PKGS := libgit2 libqrencode xapian-core libmicrohttpd libsodium libarchive libcrypto sqlite3 jansson libvoikko \
	poppler-glib libxml-2.0 libseccomp pangocairo zlib libcurl \
	tesseract lept gmime-3.0 libgsf-1 uchardet hunspell cjose

DEBS := build-essential pkg-config git openssh-client python3 nodejs libgit2-dev libxapian-dev \
	libmicrohttpd-dev libsodium-dev libcurl4-openssl-dev libarchive-dev libmagic-dev libssl-dev libsqlite3-dev \
	libjansson-dev libvoikko-dev voikko-fi libstemmer-dev libpoppler-glib-dev libxml2-dev \
	libseccomp-dev zlib1g-dev libpango1.0-dev fonts-dejavu-core libcmocka-dev strace libtesseract-dev \
	libleptonica-dev tesseract-ocr-fin tesseract-ocr-swe tesseract-ocr-eng libgmime-3.0-dev libgsf-1-dev \
	libqrencode-dev libuchardet-dev libhunspell-dev hunspell-sv poppler-data catdoc antiword libcjose-dev
LINT_DEBS := clang clang-tidy clang-format cppcheck shellcheck libclang-rt-14-dev
BENCH_DEBS := nginx-light wrk
SEARCH_BENCH_DEBS := poppler-utils postgresql-15 python3-xapian

WARN := -Wall -Wextra -Wshadow -Wpointer-arith -Wcast-qual -Wwrite-strings -Wformat=2 -Wundef -Wvla
CWARN := $(WARN) -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition
DEFS := -D_GNU_SOURCE -D_FORTIFY_SOURCE=2
SAN ?=
comma := ,
# V=1 shows the whole commands
Q := $(if $(V),,@)
# expanded when first needed, so that `make deps` runs before pkg-config exists
PKG_CFLAGS = $(eval PKG_CFLAGS := $$(shell pkg-config --cflags $(PKGS) | sed 's/-I/-isystem /g'))$(PKG_CFLAGS)
PKG_LIBS = $(eval PKG_LIBS := $$(shell pkg-config --libs $(PKGS)) -lmagic -lstemmer -lm)$(PKG_LIBS)
CFLAGS_ALL = -std=c17 $(OPT) $(CWARN) $(WERROR) $(filter-out $(if $(SAN),-D_FORTIFY_SOURCE=2),$(DEFS)) -Iinclude -I. -fPIE -pthread \
	-fstack-protector-strong -fno-strict-aliasing $(SAN) $(PKG_CFLAGS)
CXXFLAGS_ALL = -std=c++17 $(OPT) $(WARN) $(WERROR) $(filter-out $(if $(SAN),-D_FORTIFY_SOURCE=2),$(DEFS)) -Iinclude -I. -fPIE -pthread \
	-fstack-protector-strong -fno-strict-aliasing -fvisibility=hidden $(SAN) $(PKG_CFLAGS)
# poppler asks us for its tables: index/formats/pdf_tables.h
LDFLAGS_ALL = -pie -pthread -Wl,-z,relro,-z,now -Wl,--export-dynamic-symbol=_Z8openFilePKcS0_ $(SAN)

LIB_C := $(sort $(wildcard archive/base/*.c archive/*.c policies/*.c index/*.c index/formats/*.c api/*.c api/pages/*.c))
LIB_CC := $(sort $(wildcard index/*.cc))
LIB_O := $(LIB_C:%.c=$(BUILD)/%.o) $(LIB_CC:%.cc=$(BUILD)/%.o)
TOOL_C := $(filter-out $(wildcard tools/load_*.c),$(sort $(wildcard tools/*.c)))
DEMO_O := $(patsubst %.c,$(BUILD)/%.o,$(sort $(wildcard tools/demo_*.c)))
LOAD_O := $(patsubst %.c,$(BUILD)/%.o,$(sort $(wildcard tools/load_*.c)))
TOOL_O := $(TOOL_C:%.c=$(BUILD)/%.o)
UNIT_C := $(sort $(wildcard tests/unit/test_*.c))
UNIT := $(UNIT_C:tests/unit/%.c=$(BUILD)/tests/%)
FUZZ_C := $(sort $(wildcard tests/fuzz/fuzz_*.c))
FUZZ := $(FUZZ_C:tests/fuzz/%.c=$(BUILD)/fuzz/%)
BENCH_C := $(sort $(wildcard tests/bench/bench_*.c))
BENCH := $(BENCH_C:tests/bench/%.c=$(BUILD)/bench/%)
BENCH_SET := $(if $(filter bench,$(MAKECMDGOALS)),$(filter policy search trust web,$(MAKECMDGOALS)))

.PHONY: all help deps lint-deps check unit unit-programs fuzz-programs bench-programs test lint asan tsan fuzz bench policy search trust web install deb run screenshot clean format print-cflags print-cxxflags
all: $(BUILD)/arkki

help:
	@sed -n 's/^#: //p' $(firstword $(MAKEFILE_LIST))

$(BUILD)/libarkki.a: $(LIB_O)
	@rm -f $@
	$(Q)ar rcs $@ $^

$(BUILD)/arkki: $(TOOL_O) $(BUILD)/libarkki.a
	@echo "  LD  $@"
	$(Q)$(CXX) $(LDFLAGS_ALL) -o $@ $(TOOL_O) $(BUILD)/libarkki.a $(PKG_LIBS)

$(BUILD)/arkki-load: $(LOAD_O)
	@echo "  LD  $@"
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	@echo "  CC  $<"
	$(Q)$(CC) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

$(BUILD)/%.o: %.cc
	@mkdir -p $(@D)
	@echo "  CXX $<"
	$(Q)$(CXX) $(CXXFLAGS_ALL) -MMD -MP -c -o $@ $<

$(BUILD)/tests/%: tests/unit/%.c $(BUILD)/libarkki.a
	@mkdir -p $(@D)
	@echo "  CC  $<"
	$(Q)$(CC) $(CFLAGS_ALL) -MMD -MP -c -o $@.o $<
	$(Q)$(CXX) $(LDFLAGS_ALL) -o $@ $@.o $(filter %.o,$^) $(BUILD)/libarkki.a -lcmocka $(PKG_LIBS)

$(BUILD)/tests/test_demo: $(DEMO_O)
$(BUILD)/tests/test_metadata: $(BUILD)/tools/manifest.o
$(BUILD)/tests/test_follow: $(BUILD)/tools/follow.o $(BUILD)/tools/follow_tree.o
$(BUILD)/tests/test_load: $(filter-out %/load_generator.o,$(LOAD_O))

# Allocations go through tests/unit/failing_heap.h, which makes them fail
$(BUILD)/tests/test_cedar_memory $(BUILD)/tests/test_access_memory $(BUILD)/tests/test_query_memory: private LDFLAGS_ALL += \
	$(addprefix -Wl$(comma)--wrap=,malloc calloc realloc reallocarray strdup strndup free cedar_alloc)

# Preloaded by tests/crash: no fortify, which would define open() and others inline
$(BUILD)/tests/interpose.so $(BUILD)/tests/journal.so: $(BUILD)/tests/%.so: tests/crash/%.c
	@mkdir -p $(@D)
	@echo "  CC  $@"
	$(Q)$(CC) -std=c17 -O2 -g $(CWARN) $(WERROR) -D_GNU_SOURCE -fPIC -shared -o $@ $<

# The work that tests/crash cuts off, and the look at what is left
$(BUILD)/tests/crash-steps: tests/crash/steps.c tests/crash/steps_check.c $(BUILD)/libarkki.a
	@mkdir -p $(@D)
	@echo "  CC  $@"
	$(Q)$(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $(filter %.c %.a,$^) -lstdc++ $(PKG_LIBS)

# Fails on demand what it calls: no fortify, which would define open() and others inline
FAULT_O := $(patsubst %.c,$(BUILD)/%.o,$(sort $(wildcard tests/fault/*.c)))
$(BUILD)/tests/fault/%.o: private DEFS := -D_GNU_SOURCE
$(BUILD)/tests/fault/%.o: private OPT += -fno-builtin
$(BUILD)/fault-points: $(FAULT_O) $(BUILD)/libarkki.a
	@echo "  LD  $@"
	$(Q)$(CXX) $(LDFLAGS_ALL) -rdynamic -o $@ $(FAULT_O) $(BUILD)/libarkki.a $(PKG_LIBS)

# What an index holds, for tests/crash
$(BUILD)/tests/index-dump: tests/crash/index_dump.cc
	@mkdir -p $(@D)
	@echo "  CXX $@"
	$(Q)$(CXX) $(CXXFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $< $(shell pkg-config --libs xapian-core)

unit-programs: $(UNIT)

bench-programs: $(BENCH)

$(BUILD)/bench/%: tests/bench/%.c $(BUILD)/libarkki.a
	@mkdir -p $(@D)
	@echo "  CC  $<"
	$(Q)$(CC) $(CFLAGS_ALL) -MMD -MP -c -o $@.o $<
	$(Q)$(CXX) $(LDFLAGS_ALL) -o $@ $@.o $(BUILD)/libarkki.a $(PKG_LIBS)

.SECONDARY: $(FUZZ_C:%.c=$(BUILD)/%.o)

# by tests/fuzz/run, which gives clang and its sanitizers
fuzz-programs: $(FUZZ)

$(BUILD)/fuzz/%: $(BUILD)/tests/fuzz/%.o $(BUILD)/tools/manifest.o $(BUILD)/tools/follow_tree.o $(BUILD)/libarkki.a
	@mkdir -p $(@D)
	@echo "  LD  $@"
	$(Q)$(CXX) $(LDFLAGS_ALL) -fsanitize=fuzzer -o $@ $^ $(PKG_LIBS)

unit: $(UNIT)
	@tests/run-unit $(UNIT)

clean:
	rm -rf $(BUILD)

# for tools/lint
print-cflags:
	@echo $(CFLAGS_ALL)
print-cxxflags:
	@echo $(CXXFLAGS_ALL)

$(BUILD)/policies/shipped.o: policies/types.json policies/matters.json policies/retention.json policies/arkki.cedar policies/arkki.cedarschema \
	$(wildcard policies/cases/*.json policies/cases/entities/*.json)
$(BUILD)/api/routes.o: api/openapi.yaml
$(BUILD)/archive/slip39.o: archive/slip39_words.txt
$(BUILD)/index/synonyms_read.o: index/bridge.tsv
$(BUILD)/api/pages/assets.o: $(wildcard api/web/*)

-include $(LIB_O:.o=.d) $(TOOL_O:.o=.d) $(LOAD_O:.o=.d) $(UNIT:%=%.d) $(FUZZ_C:%.c=$(BUILD)/%.d) $(BENCH:%=%.d) $(FAULT_O:.o=.d)

# ---- what people type ----

#: make            build build/arkki
#: make deps       install the Debian packages that arkki needs (as root, or with sudo)
#: make run        install what is missing, build, make a demo archive, serve it
#: make check      format, boundaries, unit tests: before each commit
#: make test       everything: unit, flow, crash, reader, demo; ends with "N passed, N failed, N skipped"
#: make lint       clang-tidy, cppcheck, -fanalyzer, banned calls, shellcheck
#: make asan tsan  the unit and flow tests under sanitizers
#: make install    into PREFIX (/usr/local), below DESTDIR; make deb: a Debian package, in build/
#: make fuzz       every fuzzer for FUZZ_SECONDS (30) each
#: make bench      measures, as ratios against peers in the same run; never fails
#: make bench policy   the same of decisions, filters and refusals
#: make bench search   the same of what search finds and what it costs
#: make bench trust    the same of logs, proofs, backups: what an outsider's trust costs
#: make bench web      the same of the pages and of resumable uploads
#: make screenshot     the picture in README.md, out of the demo archive
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)

deps:
	@tools/install-packages $(DEBS)

lint-deps:
	@tools/install-packages $(LINT_DEBS)

format:
	clang-format -i $$(git ls-files '*.c' '*.h' '*.cc' '*.hh')

check: all
	@tools/check-format
	@tools/check-boundaries
	@$(MAKE) --no-print-directory unit

test:
	@tests/run-all

lint: lint-deps
	@tools/lint $(LINT)

asan: export LSAN_OPTIONS = suppressions=$(CURDIR)/tests/lsan.supp:print_suppressions=0
asan:
	@$(MAKE) --no-print-directory BUILD=build-asan OPT="-O1 -g" SAN="-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer" all unit
	@ARKKI_BIN=build-asan/arkki tests/run-flow

# a server's report is a file: the tests look at what it says over HTTP only
TSAN := suppressions=$(CURDIR)/tests/tsan.supp second_deadlock_stack=1
tsan:
	@rm -f build-tsan/race.*
	@TSAN_OPTIONS="$(TSAN)" $(MAKE) --no-print-directory BUILD=build-tsan OPT="-O1 -g" SAN="-fsanitize=thread" all unit
	@TSAN_OPTIONS="$(TSAN) exitcode=0 log_path=$(CURDIR)/build-tsan/race" ARKKI_BIN=build-tsan/arkki tests/run-flow
	@if cat build-tsan/race.* 2>/dev/null; then exit 1; fi

fuzz: lint-deps
	@tests/fuzz/run

# `make bench policy`: the word beside it names the set
bench:
	@$(if $(filter policy trust web,$(BENCH_SET)),:,tools/install-packages $(if $(BENCH_SET),$(SEARCH_BENCH_DEBS),$(BENCH_DEBS)))
	@$(MAKE) --no-print-directory deps all $(if $(BENCH_SET),bench-programs)
	-@python3 tools/bench.py $(BENCH_SET)

policy search trust web:
	@$(if $(filter bench,$(MAKECMDGOALS)),:,echo "make bench $@" >&2; exit 2)

# STRIP=yes: without what a debugger reads. The unit names /usr/bin; elsewhere it gets that place.
PREFIX ?= /usr/local
UNITDIR ?= $(if $(filter /usr,$(PREFIX)),/lib/systemd/system,$(PREFIX)/lib/systemd/system)
DOCDIR = $(DESTDIR)$(PREFIX)/share/doc/arkki
install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/man/man1 $(DOCDIR) $(DESTDIR)$(UNITDIR)
	install -m 0755 $(if $(STRIP),-s) $(BUILD)/arkki $(DESTDIR)$(PREFIX)/bin/arkki
	tools/package/make-man $(BUILD)/arkki >$(DESTDIR)$(PREFIX)/share/man/man1/arkki.1
	chmod 0644 $(DESTDIR)$(PREFIX)/share/man/man1/arkki.1
	sed 's|/usr/bin/arkki|$(PREFIX)/bin/arkki|' tools/package/arkki.service >$(DESTDIR)$(UNITDIR)/arkki.service
	chmod 0644 $(DESTDIR)$(UNITDIR)/arkki.service
	install -m 0644 README.md LICENSE tools/nginx.conf.example $(DOCDIR)
	install -m 0644 archive/README.md $(DOCDIR)/formats.md
	install -m 0644 api/README.md $(DOCDIR)/http.md

deb: all
	@tools/package/make-deb $(BUILD)

run: deps
	@$(MAKE) --no-print-directory all
	@tools/run-demo

# no test is called so: it only fetches what a browser needs
screenshot: all
	@tests/run-browser --part=none >/dev/null
	@node tests/browser/screenshot.mjs
