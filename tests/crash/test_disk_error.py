"""A disk that fails once: the Nth step of a filing, a read or a start gets EIO.

Nobody may be told of a filing that is not durable, a sync that failed is never
tried again in the same process (the kernel may have dropped the bytes), and the
next start finds everything whole.
"""

import fnmatch
import signal
import time

from crash_util import Archive, Failed, Gone, check, metadata, read_trace, same
from test_order import in_archive, is_answer, wait_quiet

STEPS_MAX = 60
# what goes on by itself, beside a filing
FOLLOWERS = "*/ledger/*/@(tile|checkpoint|index.sqlite)*"
# the indexer follows a filing in its own time: its entry in the access log, its texts, its terms
INDEXER = "*/ledger/access/segments/*|*/derived/*|*/index/*"
TILES = "*/ledger/*/@(tile|checkpoint)*"


def file(a, key):
    return a.post("/v1/documents", metadata(title=key), key.encode(), Idempotency_Key=key)


def titles(a):
    r = a.get("/v1/documents?limit=100")
    same(r.status, 200, r.body[:200])
    check(not r.json().get("next"), "more than a page")
    return [d["title"] for d in r.json()["documents"]]


def check_syncs(steps, failed):
    """Whether it was a sync; then the same file is not synced again."""
    if failed.op not in ("fsync", "fdatasync"):
        return False
    at = [s.ok for s in steps].index(False)
    again = [s for s in steps[at + 1:] if s.op in ("fsync", "fdatasync") and s.path == failed.path]
    check(not again, "synced again after a failed sync:", again[0] if again else "")
    return True


def filing_with_failure(a, n, follower):
    """The server, armed to fail at step n, gets two filings. The failed step, or None when there were fewer."""
    wait_quiet(a)
    mark = a.trace_size()
    a.arm_now()
    first = file(a, "f%d" % n)
    second = file(a, "g%d" % n)
    end = time.monotonic() + (1.3 if follower else 0)
    while True:
        steps = read_trace(a.trace, mark)
        failed = [s for s in steps if not s.ok]
        if failed or time.monotonic() >= end:
            break
        time.sleep(0.02)
    if not failed:
        return None, [first, second]
    failed = failed[0]
    before = sum(is_answer(s) for s in steps[:steps.index(failed)])
    if fnmatch.fnmatch(failed.path, "*/ledger/*/*") and "/segments/" not in failed.path:
        before = 2  # a follower's: nobody waits for it
    for i, r in enumerate((first, second)):
        check(r.status in (201, 503), "a filing got", r.status)
        if i == before:
            same(r.status, 503, "the filing during which this failed:", failed)
    if check_syncs(steps, failed) and before == 0:
        same(second.status, 503, "the next filing after a failed sync:", failed)
    return failed, [first, second]


def fail_in_turn(a, count, most=STEPS_MAX, follower=False):
    """One start of the same archive for each step; failed steps by operation, and how many filings were refused."""
    answers, kinds, told, n = {}, {}, 0, 1
    kept = file(a.serve(), "kept").json()["id"]
    a.stop()
    while n <= most:
        a.serve(fail_at=n, count=count)
        for key, status in answers.items():  # of the round before
            there = titles(a).count(key)
            check(there == 1 if status == 201 else there <= 1, key, "answered", status, "is there", there, "times")
            same(file(a, key).status, 201, "retry of", key)
            same(titles(a).count(key), 1, key)
        a.verify()
        failed, got = filing_with_failure(a, n, follower)
        if failed is None or is_later(got, failed, n):
            break
        answers = {"%s%d" % (c, n): r.status for c, r in zip("fg", got)}
        kinds[failed.op] = kinds.get(failed.op, 0) + 1
        told += sum(r.status == 503 for r in got)
        if "access" not in failed.path and "catalogue" not in failed.path:
            same(a.get("/v1/documents/%s/versions/1/content" % kept).status, 200, "a read after", failed)
        a.stop(signal.SIGTERM if n % 2 else signal.SIGKILL)
        n += 1
    check(n < STEPS_MAX, "no end at step", n)
    a.stop()
    return kinds, told


def is_later(got, failed, n):
    """The steps of the first filing are all through: only the second one met the failure."""
    return n > 5 and got[0].status == 201 and "/keys/" in failed.path


def said_of(kinds, told, said):
    return "%d steps failed (%s), %d filings refused; %s" % (
        sum(kinds.values()), ", ".join("%s %d" % kv for kv in sorted(kinds.items())), told, said)


def test_filing__is_refused_when_any_step_of_it_fails():
    a = Archive().make()
    # one page of the catalogue is like another
    kinds, told = fail_in_turn(a, "!(%s|%s|pwrite */catalogue.sqlite*)" % (FOLLOWERS, INDEXER))
    fail_in_turn(a, "pwrite */catalogue.sqlite*", 2)
    check(kinds.get("fdatasync", 0) >= 5 and kinds.get("fsync", 0) >= 2 and told >= 16, "too few:", kinds, told)
    said = a.verify("--full")
    a.drop()
    return said_of(kinds, told, said)


def test_filing__is_whole_when_a_follower_of_the_logs_fails():
    a = Archive().make()
    kinds, told = fail_in_turn(a, TILES, 9, follower=True)
    check(sum(kinds.values()) >= 5, "too few:", kinds)
    said = a.verify("--full")
    a.drop()
    return said_of(kinds, told, said)


def test_read__sends_nothing_when_the_log_cannot_be_written():
    a = Archive().make().serve()
    content = b"salaisuus " * 1000
    doc = a.post("/v1/documents", metadata(), content).json()["id"]
    path = "/v1/documents/%s/versions/1/content" % doc
    a.stop()
    for n, op in ((1, "pwrite"), (2, "fdatasync")):
        a.serve(fail_at=n, count="* %s/ledger/access/segments/*" % a.dir)
        mark = a.trace_size()
        a.arm_now()
        for _ in range(2):
            r = a.get(path)
            same(r.status, 503, "a read that is not in the log")
            check(b"salaisuus" not in r.body, "content of an unlogged read")
        steps = read_trace(a.trace, mark)
        failed = [s for s in steps if not s.ok][0]
        check(failed.op == op and in_archive(a, failed.path).startswith("ledger/access/segments"), "failed:", failed)
        check_syncs(steps, failed)
        a.stop()
        a.serve()
        r = a.get(path)
        check(r.status == 200 and r.body == content, "after the restart", r.status)
        a.stop()
    a.verify("--full")
    a.drop()


def test_start__fails_or_works_but_never_harms():
    """A server that was killed after a commit starts on a disk that fails once, at every step in turn."""
    base = Archive().make().serve()
    base.stop(signal.SIGKILL)
    # one filing that is committed and nowhere else
    base.serve(count="rename */main.lock", kill_at=1, kill_when="after")
    base.arm_now()
    try:
        file(base, "torn")
        raise Failed("the server outlived the move of its ref")
    except Gone:
        base.stop()
    a, n, refused = base.copy(), 1, 0
    while n < STEPS_MAX:
        mark = a.trace_size()
        try:
            a.serve(armed=True, fail_at=n, count="!(pwrite *sqlite*)")
        except Failed as e:
            check("ended with 1" in str(e), e)
            refused += 1
        a.stop(signal.SIGKILL)
        if not [s for s in read_trace(a.trace, mark) if not s.ok]:
            break
        n += 1
        if n % 4 == 0:  # else the next start meets what this one left
            a.verify()
            a.drop()
            a = base.copy()
    check(n < STEPS_MAX and refused, "the loop ended at step", n)
    a.serve()
    same(titles(a).count("torn"), 1, "the committed filing")
    same(file(a, "torn").status, 201)
    same(titles(a).count("torn"), 1)
    a.stop()
    said = a.verify("--full")
    a.drop()
    base.drop()
    return "%d steps failed, %d starts refused; %s" % (n - 1, refused, said)
