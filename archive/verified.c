/* Results of verifications, as entries of the history log. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arkki/archive/conf.h"
#include "arkki/archive/verified.h"
#include "arkki/base/clock.h"
#include "arkki/base/json.h"
#include "arkki/base/version.h"

enum { DETAIL_MAX = 32768, LOOK_BACK = 50, EVERY_DAYS_MAX = 3650, WHAT_MAX = 600 };

static const char *const scopes[VERIFIED_SCOPES] = {"full", "light", "scrub"};
static const char *const principals[VERIFIED_SCOPES] = {
    "verify full", "verify light", "verify scrub"};

const char *verified_scope_name(enum verified_scope scope)
{
	return scopes[scope];
}

int verified_scope_of(const char *name, enum verified_scope *ret, struct ark_error *err)
{
	for (size_t i = 0; name && i < VERIFIED_SCOPES; i++) {
		if (strcmp(name, scopes[i]) == 0) {
			*ret = (enum verified_scope)i;
			return ARK_OK;
		}
	}
	return ark_fail(err, ARK_EINPUT, "a check is full, light or scrub");
}

unsigned long verified_every(const char *dir)
{
	unsigned long days = VERIFIED_EVERY_DAYS;

	return conf_number(dir, "verify-every", 1, EVERY_DAYS_MAX, &days, NULL)
		   ? VERIFIED_EVERY_DAYS
		   : days;
}

static int no_memory(struct ark_error *err)
{
	return ark_fail(err, ARK_ENOMEM, "no memory for the result of a check");
}

/* ---- a result ---- */

const char *verified_kind(const char *what, const char *part)
{
	static const struct {
		const char *begins, *kind;
	} kinds[] = {
	    {"store: ", "store"},
	    {"keys: ", "keys"},
	    {"history log: ", "history-log"},
	    {"history entry ", "history-log"},
	    {"access log: ", "access-log"},
	    {"cosignatures: ", "cosignatures"},
	    {"content of ", "content"},
	    {"commit ", "records"},
	    {"catalogue: ", "catalogue"},
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (strncmp(what, kinds[i].begins, strlen(kinds[i].begins)) == 0)
			return kinds[i].kind;
	return part ? part : "store";
}

static int add_one(json_t *object, const char *member)
{
	return json_object_set_new(
	    object, member, json_integer(json_integer_value(json_object_get(object, member)) + 1));
}

static json_t *member_of(json_t *object, const char *name, json_t *fresh)
{
	json_t *there = json_object_get(object, name);

	if (there) {
		json_decref(fresh);
		return there;
	}
	return json_object_set_new(object, name, fresh) ? NULL : fresh;
}

int verified_fault(json_t *result, const char *what, const char *part, struct ark_error *err)
{
	json_t *kinds = member_of(result, "kinds", json_object());
	json_t *first = member_of(result, "first", json_array());

	if (!kinds || !first || add_one(result, "faults") ||
	    add_one(kinds, verified_kind(what, part)))
		return no_memory(err);
	/* text that is no UTF-8 is counted, and not kept */
	if (json_array_size(first) < VERIFIED_FIRST)
		(void)json_array_append_new(first, json_string(what));
	return ARK_OK;
}

/* A checkpoint's second line is the size, its third the root. */
int verified_head(json_t *result, const char *name, struct ledger *l, struct ark_error *err)
{
	struct buf note = BUF_INIT;
	char size[24] = "", root[100] = "";
	json_t *heads = member_of(result, "heads", json_object()), *head = NULL;
	int rc = heads ? ledger_checkpoint(l, &note, err) : no_memory(err);

	if (!rc && sscanf(note.data, "%*[^\n]\n%23[0-9]\n%99[A-Za-z0-9+/=]", size, root) != 2)
		rc = ark_fail(err, ARK_ECORRUPT, "the checkpoint of a log is malformed");
	if (!rc)
		head = json_pack("{s:I,s:I,s:s}", "entries", (json_int_t)ledger_size(l), "size",
		    (json_int_t)strtoll(size, NULL, 10), "root", root);
	if (!rc && json_object_set_new(heads, name, head))
		rc = no_memory(err);
	buf_free(&note);
	return rc;
}

/* ---- entries ---- */

static int append(struct archive *a, enum verified_scope scope, bool well, const json_t *detail,
    struct receipt **ret, struct ark_error *err)
{
	struct buf text = BUF_INIT;
	struct ledger_record r = {.kind = "verify",
	    .outcome = well ? LEDGER_RESULT_OK : LEDGER_FAILED,
	    .principal = principals[scope]};
	int rc = detail ? json_write(&text, detail, err) : no_memory(err);

	if (!rc && text.len > DETAIL_MAX)
		rc = ark_fail(err, ARK_EINPUT, "the result is too long");
	r.detail = text.data;
	if (!rc)
		rc = ledger_append_wait(archive_ledger(a, LEDGER_HISTORY), &r, 1, ret, err);
	buf_free(&text);
	return rc;
}

int verified_begin(
    struct archive *a, enum verified_scope scope, uint64_t *ret_index, struct ark_error *err)
{
	json_t *detail = json_pack("{s:s,s:s}", "state", "begun", "scope", scopes[scope]);
	struct receipt *receipt = NULL;
	enum ledger_which which;
	uint64_t count;
	int rc = append(a, scope, true, detail, &receipt, err);

	json_decref(detail);
	if (!rc)
		rc = receipt_resolve(
		    archive_keyring(a), receipt_token(receipt), &which, ret_index, &count, err);
	receipt_free(receipt);
	return rc;
}

static bool is(const json_t *object, const char *member, const char *text)
{
	const char *said = json_text(object, member);

	return said && strcmp(said, text) == 0;
}

static bool outcome_fits(const json_t *result)
{
	json_int_t faults = json_integer_value(json_object_get(result, "faults"));

	return (is(result, "outcome", "whole") && faults == 0) ||
	       (is(result, "outcome", "faults") && faults > 0) || is(result, "outcome", "failed");
}

static bool texts_fit(const json_t *result)
{
	json_t *list = json_object_get(result, "first"), *text;
	size_t i;

	json_array_foreach(list, i, text)
	{
		if (i >= VERIFIED_FIRST || json_string_length(text) > WHAT_MAX)
			return false;
	}
	return !list || json_is_array(list);
}

/* When the check began: of its entry. 0: the result names none. */
static int begun_of(struct archive *a, enum verified_scope scope, const json_t *result,
    int64_t *ret, struct ark_error *err)
{
	const json_t *at = json_object_get(result, "begun");
	struct ledger_entry e;
	bool fits;
	int rc;

	*ret = 0;
	if (!at)
		return ARK_OK;
	if (!json_is_integer(at) || json_integer_value(at) < 0)
		return ark_fail(err, ARK_EINPUT, "begun is the index of an entry");
	rc = ledger_get(
	    archive_ledger(a, LEDGER_HISTORY), (uint64_t)json_integer_value(at), &e, err);
	if (rc)
		return rc;
	fits = is(e.a, "kind", "verify") && is(e.b, "principal", principals[scope]) &&
	       is(json_object_get(e.a, "detail"), "state", "begun") && json_text(e.a, "time") &&
	       clock_parse(json_text(e.a, "time"), ret);
	ledger_entry_free(&e);
	return fits ? ARK_OK : ark_fail(err, ARK_EINPUT, "no such check has begun");
}

int verified_end(
    struct archive *a, enum verified_scope scope, const json_t *result, struct ark_error *err)
{
	static const char *const names[] = {
	    "begun", "outcome", "why", "faults", "kinds", "first", "checked", "heads", "seconds"};
	json_t *detail;
	int64_t begun;
	int rc, failed = 0;

	if (!json_is_object(result) || !outcome_fits(result) || !texts_fit(result))
		return ark_fail(err, ARK_EINPUT, "the result of a check contradicts itself");
	rc = begun_of(a, scope, result, &begun, err);
	if (rc)
		return rc;
	detail = json_pack("{s:s,s:s}", "state", "ended", "scope", scopes[scope]);
	for (size_t i = 0; detail && i < sizeof(names) / sizeof(*names); i++)
		if (json_object_get(result, names[i]))
			failed |=
			    json_object_set(detail, names[i], json_object_get(result, names[i]));
	if (begun)
		failed |= json_object_set_new(detail, "seconds",
		    json_integer((json_int_t)((clock_now_us() - begun) / 1000000)));
	failed |= json_object_set_new(detail, "program", json_string(ARKKI_VERSION));
	rc = failed ? no_memory(err)
		    : append(a, scope, is(result, "outcome", "whole"), detail, NULL, err);
	json_decref(detail);
	return rc;
}

/* ---- the last ---- */

struct look {
	json_t *out; /* of the scope */
	bool failed;
};

static json_int_t number(const json_t *object, const char *a, const char *b)
{
	return json_integer_value(json_object_get(json_object_get(object, a), b));
}

/* The newest first: only one that began after the last result is unfinished. */
static int look_at(void *arg, const struct ledger_entry *e)
{
	json_t *detail = json_object_get(e->a, "detail"), *last;
	struct look *k = arg;

	if (!is(e->a, "kind", "verify"))
		return 0;
	if (is(detail, "state", "begun")) {
		if (!json_object_get(k->out, "unfinished"))
			k->failed |=
			    json_object_set(k->out, "unfinished", json_object_get(e->a, "time"));
		return 0;
	}
	last = json_deep_copy(detail);
	k->failed |= json_object_set(last, "time", json_object_get(e->a, "time"));
	k->failed |= json_object_set_new(last, "index", json_integer((json_int_t)e->index));
	k->failed |= json_object_set_new(k->out, "last", last);
	return 1;
}

/* What came since: the check read the store and the logs as they stood when it began. */
static int add_since(struct archive *a, json_t *last)
{
	json_int_t commits = (json_int_t)archive_sequence(a) - number(last, "checked", "commits");
	json_int_t reads = (json_int_t)ledger_size(archive_ledger(a, LEDGER_ACCESS)) -
			   number(json_object_get(last, "heads"), "access", "entries");

	return json_object_set_new(last, "since",
	    json_pack(
		"{s:I,s:I}", "commits", commits > 0 ? commits : 0, "reads", reads > 0 ? reads : 0));
}

int verified_last(struct archive *a, json_t **ret, struct ark_error *err)
{
	json_t *out = json_object();
	int rc = out ? ARK_OK : no_memory(err);

	for (size_t i = 0; !rc && i < VERIFIED_SCOPES; i++) {
		const struct ledger_filter filter = {
		    .principal = principals[i], .newest_first = true};
		struct look k = {.out = json_object()};
		json_t *last;

		rc = ledger_find(
		    archive_ledger(a, LEDGER_HISTORY), &filter, LOOK_BACK, look_at, &k, err);
		rc = rc > 0 ? ARK_OK : rc;
		last = json_object_get(k.out, "last");
		if (!rc && last && add_since(a, last))
			k.failed = true;
		if (json_object_set_new(out, scopes[i], k.out) || k.failed)
			rc = rc ? rc : no_memory(err);
	}
	if (rc)
		json_decref(out);
	else
		*ret = out;
	return rc;
}

/* ---- what they say together ---- */

#define DAY_US (INT64_C(86400) * 1000000)

long verified_days(const json_t *result, int64_t now_us)
{
	const char *text = json_text(result, "time");
	int64_t at;

	if (!text || !clock_parse(text, &at) || at > now_us)
		return 0;
	return (long)((now_us - at) / DAY_US);
}

static json_int_t index_of(const json_t *result)
{
	const json_t *index = json_object_get(result, "index");

	return index ? json_integer_value(index) : -1;
}

enum verified_verdict verified_judge(
    const json_t *last, unsigned long every, int64_t now_us, enum verified_scope *ret_scope)
{
	const json_t *full = json_object_get(json_object_get(last, "full"), "last");
	/* of the log, not of the clock: a clock that was put back takes no fault away */
	json_int_t newest = is(full, "outcome", "whole") ? index_of(full) : -1;
	bool broken = false;

	*ret_scope = VERIFIED_FULL;
	for (size_t i = 0; i < VERIFIED_SCOPES; i++) {
		const json_t *result = json_object_get(json_object_get(last, scopes[i]), "last");

		if (!is(result, "outcome", "faults") || index_of(result) <= newest)
			continue;
		newest = index_of(result);
		broken = true;
		*ret_scope = (enum verified_scope)i;
	}
	if (broken)
		return VERIFIED_BROKEN;
	if (!is(full, "outcome", "whole"))
		return VERIFIED_NEVER;
	return verified_days(full, now_us) > (long)every ? VERIFIED_OLD : VERIFIED_WELL;
}
