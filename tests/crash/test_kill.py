"""One archive, killed again and again, and what must hold each time it comes back.

Workers file documents and versions, change metadata and read, each on its own
documents, and note what the server acknowledged. The server is killed from
outside at a random moment, or kills itself before or after a random durable
step of work, of a start, or while packs are compacted. After every kill the
same archive goes on: a recovery is itself recovered from.

ARKKI_SEED repeats a run's choices (not its timing); ARKKI_KILLS asks for more.
"""

import glob
import hashlib
import os
import random
import signal
import threading
import time

from crash_util import FULL, POINTS, Archive, Failed, Gone, check, metadata, same

KILLS = int(os.environ.get("ARKKI_KILLS", "54" if FULL else "12"))
WORKERS = 3
PACKS_MAX = 32


class Document:
    def __init__(self, doc, title, content):
        self.id = doc
        self.title = title
        self.contents = [content]


class Pending:
    """A request that had no answer: it may have been done, wholly or not at all."""

    def __init__(self, kind, key, title=None, content=None, document=None, tag=None):
        self.kind = kind
        self.key = key
        self.title = title
        self.content = content
        self.document = document
        self.tag = tag


class Model:
    """What was acknowledged."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.documents = []
        self.reads = set()
        self.number = 0
        self.lock = threading.Lock()
        self.counts = dict.fromkeys(("filings", "versions", "changes", "reads", "unanswered", "of them done",
                                     "retried"), 0)

    def name(self, what):
        with self.lock:
            self.number += 1
            return "%s-%d" % (what, self.number)

    def count(self, what, n=1):
        with self.lock:
            self.counts[what] += n


def some_bytes(rng, name):
    size = rng.choice((0, 10, 3000, 70000, 70000, 1200000)) if rng.random() < 0.5 else 100
    return name.encode() + b"\n" + rng.randbytes(size) if rng.random() < 0.5 else (name + "\n").encode() * (size // 8 + 1)


def title_bytes(title):
    return ('{"title":"%s"}' % title).encode()


class Worker(threading.Thread):
    def __init__(self, archive, model, documents, filings_only=False):
        super().__init__(daemon=True)
        self.a = archive
        self.m = model
        self.rng = random.Random(model.random.random())
        self.mine = documents
        self.filed = []
        self.filings_only = filings_only
        self.pending = None
        self.wrong = None
        self.touched = []

    def run(self):
        try:
            while True:
                self.step()
        except Gone:
            pass
        except Exception as e:  # told by the main thread
            self.wrong = e

    def step(self):
        choice = self.rng.random()
        mine = self.mine + self.filed
        self.pending = None
        if choice < 0.35 or not mine or self.filings_only:
            self.file()
        elif choice < 0.55:
            self.version(self.rng.choice(mine))
        elif choice < 0.7:
            self.change(self.rng.choice(mine))
        else:
            self.read(self.rng.choice(mine))

    def file(self):
        name = self.m.name("doc")
        p = Pending("document", name, name, some_bytes(self.rng, name))
        self.pending = p
        r = send_pending(self.a, p)
        same(r.status, 201, "filing", r.body[:300])
        self.filed.append(Document(r.json()["id"], p.title, p.content))
        self.m.count("filings")

    def version(self, d):
        name = self.m.name("version")
        p = Pending("version", name, content=some_bytes(self.rng, name), document=d, tag=self.tag(d))
        self.touched.append(d)
        self.pending = p
        r = send_pending(self.a, p)
        same(r.status, 201, "version", r.body[:300])
        d.contents.append(p.content)
        self.m.count("versions")

    def change(self, d):
        p = Pending("change", None, self.m.name("title"), document=d, tag=self.tag(d))
        self.touched.append(d)
        self.pending = p
        r = send_pending(self.a, p)
        same(r.status, 200, "change", r.body[:300])
        d.title = p.title
        self.m.count("changes")

    def tag(self, d):
        r = self.a.get("/v1/documents/" + d.id)
        same(r.status, 200, "reading", r.body[:300])
        return r.headers["etag"]

    def read(self, d):
        name = self.m.name("read")
        n = self.rng.randrange(len(d.contents)) + 1
        r = self.a.send("GET", "/v1/documents/%s/versions/%d/content" % (d.id, n),
                        headers={"Arkki-Purpose": name})
        same(r.status, 200, "reading", r.body[:300])
        check(r.body == d.contents[n - 1], "content of", d.id, n, "differs")
        with self.m.lock:
            self.m.reads.add(name)
        self.m.count("reads")


def send_pending(a, p):
    if p.kind == "document":
        return a.post("/v1/documents", metadata(title=p.title), p.content, Idempotency_Key=p.key)
    if p.kind == "version":
        return a.post("/v1/documents/%s/versions" % p.document.id, {}, p.content, Idempotency_Key=p.key,
                      If_Match=p.tag)
    return a.send("PATCH", "/v1/documents/" + p.document.id,
                  headers={"Content-Type": "application/json", "If-Match": p.tag}, body=title_bytes(p.title))


# ---- what must hold ----

def listed(a):
    """Every document that can be seen: id -> its JSON."""
    found, cursor = {}, ""
    while True:
        r = a.get("/v1/documents?limit=100" + ("&cursor=" + cursor if cursor else ""))
        same(r.status, 200, "list", r.body[:300])
        for d in r.json()["documents"]:
            check(d["id"] not in found, "listed twice:", d["id"])
            found[d["id"]] = d
        cursor = r.json().get("next")
        if not cursor:
            return found


def check_document(a, d):
    """Every version byte for byte, with its metadata."""
    r = a.get("/v1/documents/" + d.id)
    same(r.status, 200, "an acknowledged document", d.id, r.body[:300])
    j = r.json()
    want = metadata(title=d.title)
    same({k: j.get(k) for k in want}, want, "metadata of", d.id)
    same((j["version"], j["versions"]), (len(d.contents), len(d.contents)), "versions of", d.id)
    same(j["fileName"], "kertomus.txt")
    r = a.get("/v1/documents/%s/versions" % d.id)
    same([(v["version"], v["size"], v["sha256"]) for v in r.json()["versions"]],
         [(i + 1, len(c), hashlib.sha256(c).hexdigest()) for i, c in enumerate(d.contents)], "versions of", d.id)
    for i, c in enumerate(d.contents):
        r = a.get("/v1/documents/%s/versions/%d/content" % (d.id, i + 1))
        check(r.status == 200 and r.body == c, "content of", d.id, i + 1, "differs:", r.status, len(r.body), len(c))


def settle(a, m, p, seen):
    """Finds out whether an unanswered request was done, and repeats it when it can be repeated."""
    m.count("unanswered")
    if p.kind == "document":
        found = [d for d in seen.values() if d["title"] == p.title]
        check(len(found) <= 1, "filed twice:", p.title)
        d = Document(found[0]["id"], p.title, p.content) if found else None
        if found:
            m.count("of them done")
            check_document(a, d)
        elif m.random.random() < 0.3:
            return  # never asked again: it must never come up
        r = send_pending(a, p)
        same(r.status, 201, "retry of a filing", r.body[:300])
        check(not d or r.json()["id"] == d.id, "the retry made another document")
        m.count("retried")
        d = Document(r.json()["id"], p.title, p.content)
        m.documents.append(d)
        check_document(a, d)
        return
    d = p.document
    j = a.get("/v1/documents/" + d.id).json()
    if p.kind == "version":
        if j["version"] == len(d.contents) + 1:
            d.contents.append(p.content)
            m.count("of them done")
        check_document(a, d)
        r = send_pending(a, p)
        same(r.status, 201, "retry of a version", r.body[:300])
        m.count("retried")
        if d.contents[-1] != p.content:
            d.contents.append(p.content)
    elif j["title"] == p.title:
        d.title = p.title
        m.count("of them done")
    check_document(a, d)


def check_log(a, m):
    """Acknowledged reads are there, and no number is missing."""
    entries = a.audit()
    same([e["index"] for e in entries], list(range(len(entries))), "indexes of the access log")
    missing = m.reads - {e.get("purpose") for e in entries if e["outcome"] == "ok" and e["kind"] == "content"}
    check(not missing, "acknowledged reads that are not in the log:", sorted(missing)[:5])
    series = {}
    for e in entries:
        own = e.get("principal") == "aada"
        for of, number in (("document", "documentSequence"), ("principal", "principalSequence")):
            if e.get(number):
                series.setdefault((of, e[of], own), []).append(e[number])
    for key, numbers in series.items():
        same(sorted(numbers), list(range(1, len(numbers) + 1)), "sequence of", key)
    history = a.audit("history")
    same([e["index"] for e in history], list(range(len(history))), "indexes of the history log")
    return len(entries), len(history), sum(e["kind"] == "maintenance" and "compact" in str(e.get("detail"))
                                           for e in entries)


def check_listing(m, seen, never):
    """When what was unanswered is settled, nothing else may have been there."""
    extra = set(seen) - {d.id for d in m.documents}
    check(not extra, "listed and never acknowledged:", [seen[i]["title"] for i in extra][:5])
    check(not never & {d["title"] for d in seen.values()}, "a filing that nobody repeated came up later")


# ---- the kills ----

def packs(a):
    return len(glob.glob(a.dir + "/archive.git/objects/pack/*.idx"))


class Kill:
    """One way to die; `run` lets the workers work until it has happened."""

    def __init__(self, a, m, rng, how):
        self.a, self.m, self.rng, self.how = a, m, rng, how

    def conf(self):
        if self.how == "outside" or self.how == "compaction":
            return {}
        most = 22 if self.how == "start" else 150
        return {"kill_at": self.rng.randrange(1, most), "kill_when": self.rng.choice(("before", "after")),
                "armed": self.how == "start"}

    def wait(self):
        if self.how == "outside":
            time.sleep(self.rng.random() * 0.2)
        elif self.how == "compaction":
            end = time.monotonic() + 20
            while packs(self.a) <= PACKS_MAX and time.monotonic() < end:
                time.sleep(0.002)
            before = packs(self.a)
            end = time.monotonic() + 2
            while time.monotonic() < end and not glob.glob(self.a.dir + "/archive.git/objects/pack/*tmp-*") and \
                    packs(self.a) >= before:
                time.sleep(0.001)
            time.sleep(self.rng.random() * 0.012)
        else:
            self.a.arm_now()
            try:
                self.a.process.wait(1.5)  # a quiet end of the work may never reach the step
            except Exception:
                pass

    def run(self):
        """The workers, with what they did."""
        a, m = self.a, self.m
        share = [m.documents[i::WORKERS][-20:] for i in range(WORKERS)]
        workers = [Worker(a, m, share[i], self.how == "compaction") for i in range(WORKERS)]
        for w in workers:
            w.start()
        self.wait()
        died_itself = a.process.poll() is not None
        a.stop(signal.SIGKILL)
        for w in workers:
            w.join(30)
            check(not w.is_alive(), "a worker hangs")
            if w.wrong:
                raise Failed("before the kill (%s): %r" % (self.how, w.wrong)) from w.wrong
        return workers, died_itself


def start(a, kill):
    """Starts it, or dies while starting, which counts as the kill."""
    try:
        a.serve(**kill.conf())
        return True
    except Gone:
        return False


def after(a, m, workers, never, full):
    """The server is up again: everything is compared."""
    touched = []
    for w in workers:
        m.documents += w.filed
        touched += w.filed + w.touched
    seen = listed(a)
    missing = {d.id for d in m.documents} - set(seen)
    check(not missing, "acknowledged and not listed:", sorted(missing)[:5])
    for w in workers:
        if w.pending:
            before = len(m.documents)
            settle(a, m, w.pending, seen)
            if w.pending.kind == "document" and len(m.documents) == before:
                never.add(w.pending.title)
    settled = [w.pending.document for w in workers if w.pending]
    for d in set(touched) - set(settled):
        check_document(a, d)
    check_listing(m, seen, never)
    if full:
        check_log(a, m)
    return a.verify()


def plan(rng):
    kinds = ["outside"] * (KILLS * 3 // 10) + ["step"] * (KILLS * 4 // 10) + ["compaction"] * (KILLS // 10)
    kinds += ["start"] * (KILLS - len(kinds))
    rng.shuffle(kinds)
    return kinds


def test_archive__loses_nothing_over_many_kills():
    seed = os.environ.get("ARKKI_SEED", str(random.randrange(1 << 30)))
    m = Model(seed)
    a = Archive().make()
    never, workers, died = set(), [], dict.fromkeys(("outside", "step", "start", "compaction", "step not reached"), 0)
    try:
        for n, how in enumerate(plan(m.random)):
            kill = Kill(a, m, m.random, how)
            if how == "start":
                if not start(a, kill):
                    died["start"] += 1
                    continue  # and the next start recovers from that
            else:
                a.serve(**{k: v for k, v in kill.conf().items() if k != "armed"})
            after(a, m, workers, never, n % 10 == 0)
            workers, itself = kill.run()
            died[how if itself or how in ("outside", "compaction") else "step not reached"] += 1
        a.serve()
        after(a, m, workers, never, True)
        for d in m.documents:
            check_document(a, d)
        access, history, compactions = check_log(a, m)
        a.stop()
        said = a.verify("--full")
        check(compactions > 0, "no compaction ever began")
    except Exception as e:
        raise Failed("ARKKI_SEED=%s, archive left in %s: %s" % (seed, keep(a), e)) from e
    a.drop()
    POINTS["the server's work"] += sum(died.values())
    return "%d kills (%s), %s; access log %d, history log %d, compactions %d; %s" % (
        sum(died.values()), ", ".join("%s %d" % kv for kv in died.items()),
        ", ".join("%s %d" % kv for kv in m.counts.items()), access, history, compactions, said)


def keep(a):
    """What failed stays to be looked at."""
    if os.environ.get("ARKKI_KEEP"):
        os.rename(a.top, a.top + ".kept")
        return a.top + ".kept"
    return "nowhere (ARKKI_KEEP=1 leaves it)"
