"""The order in which a filing and a read become durable, from the syscalls.

Two questions are put to each trace. Is every step there, in the order of
archive/README.md? And, without knowing the steps: when the ref moved, and when
the answer began, was anything that it rests on still in memory only? A file is
dirty from a write to its sync; a directory from a rename in it to its sync.
"""

import fnmatch
import os
import time

from crash_util import Archive, Failed, check, metadata, read_trace, same

# (what, "operation path") in order; {d} is the archive
FILING = [
    ("the key slots are synced", "fdatasync {d}/keys/shard-*"),
    ("the pack is synced", "fdatasync {d}/archive.git/objects/pack/tmp_pack_arkki"),
    ("the idx is synced", "fdatasync {d}/archive.git/objects/pack/tmp_idx_arkki"),
    ("the pack gets its name", "rename {d}/archive.git/objects/pack/tmp_pack_arkki"),
    ("the idx gets its name", "rename {d}/archive.git/objects/pack/tmp_idx_arkki"),
    ("the pack directory is synced", "fsync {d}/archive.git/objects/pack"),
    ("the new ref is synced", "fdatasync {d}/archive.git/refs/heads/main.lock"),
    ("the ref moves", "rename {d}/archive.git/refs/heads/main.lock"),
    ("the ref directory is synced", "fsync {d}/archive.git/refs/heads"),
    ("the history entry is synced", "fdatasync {d}/ledger/history/segments/*.seg"),
]
READ = [
    ("the access entry is written", "pwrite {d}/ledger/access/segments/*.seg"),
    ("the access entry is synced", "fdatasync {d}/ledger/access/segments/*.seg"),
]
# what each sync of a group is for
REASONS = {
    "keys": "without its key a version is lost",
    "tmp_pack_arkki": "the objects",
    "tmp_idx_arkki": "without it git does not see the pack",
    "pack": "the names of pack and idx",
    "main.lock": "the ref's bytes, before it gets its name",
    "heads": "the ref's name: the commit point",
    "history": "the history entry, before anyone is told",
}
# Derived again at the next start, and therefore not waited for.
DERIVED = ("catalogue.sqlite", "ledger/*/tile/*", "ledger/*/checkpoint*", "ledger/*/index.sqlite*", "spool/*",
           "derived/*", "index/*", "run/*")


def is_answer(step):
    """Bytes to a client. What goes to the extractors, which may begin before the filer is told, is a struct of small numbers."""
    return (step.path.startswith("socket:") and step.op in ("send", "sendmsg", "write", "writev", "sendfile") and
            not step.detail.startswith("........"))


def in_archive(a, path):
    return os.path.relpath(path, a.dir)


def rests_on(a, path):
    """Whether an answer rests on this file or directory."""
    name = in_archive(a, path)
    return not any(fnmatch.fnmatch(name, d) or fnmatch.fnmatch(name, d + "-*") or name == d for d in DERIVED)


class Disk:
    """What is not durable yet."""

    def __init__(self, archive):
        self.archive = archive
        self.dirty = {}

    def apply(self, s):
        if not s.ok or s.path.startswith("socket:"):
            return
        if s.op in ("write", "pwrite", "writev"):
            self.dirty[s.path] = "written"
        elif s.op in ("fsync", "fdatasync"):
            self.dirty.pop(s.path, None)
        elif s.op == "rename":
            if s.path in self.dirty:
                self.dirty[s.detail] = self.dirty.pop(s.path)
            self.dirty[os.path.dirname(s.detail)] = "%s named" % os.path.basename(s.detail)

    def must_be_clean(self, below, when):
        for path, why in self.dirty.items():
            if rests_on(self.archive, path) and any(fnmatch.fnmatch(in_archive(self.archive, path), b) for b in below):
                raise Failed("%s: %s is not durable (%s)" % (when, in_archive(self.archive, path), why))


def check_listed(a, steps, wanted, answer):
    """Every wanted step, in order, before the answer."""
    at = 0
    for what, pattern in wanted:
        pattern = pattern.format(d=a.dir)
        while at < answer and not fnmatch.fnmatch("%s %s" % (steps[at].op, steps[at].path), pattern):
            at += 1
        check(at < answer, "missing or too late before the answer:", what)
        at += 1


def answer_of(steps, begins):
    """The index of the first byte of the answer."""
    for i, s in enumerate(steps):
        if is_answer(s):
            check(s.detail.startswith(begins), "the answer begins with", s.detail)
            return i
    raise Failed("no answer in the trace")


def check_filing(a, steps, begins="HTTP/1.1 201"):
    answer = answer_of(steps, begins)
    disk = Disk(a)
    check_listed(a, steps, FILING, answer)
    for s in steps[:answer]:
        if s.op == "rename" and s.path.endswith("/main.lock"):
            disk.must_be_clean(["keys*", "archive.git/objects*", "archive.git/refs/heads/main.lock"],
                               "when the ref moved")
        disk.apply(s)
    disk.must_be_clean(["keys*", "archive.git*", "ledger/history/segments*"], "when the answer began")


def check_read(a, steps):
    """Nothing of the answer, not even its head, before the entry is durable."""
    answer = answer_of(steps, "HTTP/1.1 200")
    disk = Disk(a)
    check_listed(a, steps, READ, answer)
    for s in steps[:answer]:
        disk.apply(s)
    disk.must_be_clean(["ledger/access/segments*"], "when the answer began")


# ---- making traces ----

def wait_quiet(a):
    """Until the followers (tiles, checkpoint) of what came before are done."""
    size, since = -1, time.monotonic()
    while time.monotonic() - since < 0.15:
        if a.trace_size() != size:
            size, since = a.trace_size(), time.monotonic()
        time.sleep(0.02)


def filed(a, content=b"Tarkastus tehtiin.\n", **fields):
    wait_quiet(a)
    mark = a.trace_size()
    r = a.post("/v1/documents", metadata(**fields), content)
    return r, read_trace(a.trace, mark)


def new_archive(**conf):
    return Archive().make().serve(**conf)


def test_filing__is_durable_in_order_before_its_answer():
    a = new_archive()
    filed(a)  # the first one after a start also begins the catalogue's journal
    r, steps = filed(a)
    same(r.status, 201, r.body[:200])
    check_filing(a, steps)
    steps = steps[:answer_of(steps, "HTTP/1.1 201")]
    syncs = [s for s in steps if s.op in ("fsync", "fdatasync") and rests_on(a, s.path)]
    names = []
    for s in syncs:
        name = in_archive(a, s.path)
        key = "history" if "history/segments" in name else "keys" if name.startswith("keys") else os.path.basename(name)
        check(key in REASONS, "a sync without a reason:", s)
        names.append(key)
    check(len(names) <= 8, "too many syncs:", names)
    same(sorted(names), sorted(REASONS), "the syncs of a group")
    a.drop()
    return "%d syncs a group: %s" % (len(names), "; ".join("%s (%s)" % (n, REASONS[n]) for n in names))


def test_filing__keeps_the_order_when_large_and_for_versions_and_changes():
    a = new_archive()
    r, steps = filed(a, os.urandom(5 << 20))
    same(r.status, 201, r.body[:200])
    check_filing(a, steps)
    doc = r.json()["id"]
    for path, send, begins in (
            ("/versions", lambda tag: a.post("/v1/documents/%s/versions" % doc, {}, b"toinen\n", If_Match=tag),
             "HTTP/1.1 201"),
            ("", lambda tag: a.send("PATCH", "/v1/documents/" + doc, headers={
                "Content-Type": "application/json", "If-Match": tag}, body=b'{"title":"Uusi"}'), "HTTP/1.1 200")):
        tag = a.get("/v1/documents/" + doc).headers["etag"]
        wait_quiet(a)
        mark = a.trace_size()
        r = send(tag)
        check(r.status in (200, 201), path, r.status, r.body[:200])
        check_filing(a, read_trace(a.trace, mark), begins)
    a.drop()


def read_paths(doc):
    return ["/v1/documents/%s/versions/1/content" % doc, "/v1/documents/%s" % doc,
            "/v1/documents/%s/versions" % doc]


def test_read__is_logged_durably_before_its_first_byte():
    a = new_archive()
    r, _ = filed(a, b"0123456789" * 10000)
    for path in read_paths(r.json()["id"]):
        wait_quiet(a)
        mark = a.trace_size()
        same(a.get(path).status, 200, path)
        check_read(a, read_trace(a.trace, mark))
    a.drop()


# ---- the checkers can fail ----

def must_be_red(checker, *args):
    try:
        checker(*args)
    except Failed as e:
        return str(e)
    raise Failed("the checker saw nothing wrong")


def test_checker__sees_every_sync_that_is_left_out():
    """Leaves out one sync of a filing at a time; both questions must be answered with no."""
    base = Archive().make()
    seen = 0
    for what, pattern in FILING:
        if pattern.startswith("rename"):
            continue
        a = base.copy()
        a.serve(skip=pattern.format(d=a.dir))
        r, steps = filed(a)
        same(r.status, 201, "a server that believes its disk", what)
        must_be_red(check_filing, a, steps)
        # the second question alone: with the listed step put back where it is missing
        listed, FILING[:] = FILING[:], [f for f in FILING if f[0] != what]
        try:
            must_be_red(check_filing, a, steps)
        finally:
            FILING[:] = listed
        seen += 1
        a.drop()
    base.drop()
    return "%d syncs left out, %d seen" % (seen, seen)


def test_checker__sees_a_read_that_is_not_synced():
    a = Archive().make()
    a.serve(skip="fdatasync %s/ledger/access/segments/*" % a.dir)
    r, _ = filed(a)
    wait_quiet(a)
    mark = a.trace_size()
    same(a.get(read_paths(r.json()["id"])[0]).status, 200)
    must_be_red(check_read, a, read_trace(a.trace, mark))
    a.drop()


def test_checker__sees_an_answer_that_is_too_early():
    """A true trace with its answer moved to an earlier place, step by step."""
    a = new_archive()
    _, steps = filed(a)
    check_filing(a, steps)
    answer = answer_of(steps, "HTTP/1.1 201")
    last = max(i for i, s in enumerate(steps[:answer]) if fnmatch.fnmatch(s.path, "*/history/segments/*"))
    for at in range(last + 1):
        must_be_red(check_filing, a, steps[:at] + [steps[answer]] + steps[at:answer])
    a.drop()
    return "%d places" % (last + 1)
