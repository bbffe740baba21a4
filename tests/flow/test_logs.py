"""The two logs: every read is an entry, nobody can change one, and a stranger can check it."""

import os
import shutil
import threading
import time
import urllib.parse

import tlog
from arkki_flow import Archive, check, same, world

_own = None


def own():
    """A world of this module's own: its sequences are counted."""
    global _own
    if _own is None:
        _own = Archive().serve()
    return _own


def entries_of(w, doc, **more):
    return w.audit(document=doc, **more)


def brief(entries):
    return [(e["kind"], e["outcome"], e["principal"]) for e in entries]


def test_access__each_read_is_one_entry():
    w = own()
    f = w.file(publicity="partly-secret")
    base = "/v1/documents/" + f.id
    before = len(entries_of(w, f.id))
    w.token("sirpa")
    w.get(base, "sirpa", Arkki_Purpose="valvontak%C3%A4ynti%20%F0%9F%A7%B8", Arkki_Case="c1")
    w.get(base + "/versions/1/content", "sirpa")
    w.get(base + "/versions/1/content", "sirpa", Range="bytes=0-3")
    w.send("HEAD", base, "sirpa")
    w.get(base, "sirpa", If_None_Match=w.etag(f.id, "risto"))
    w.get(base + "/versions", "sirpa")
    w.get(base + "/history", "sirpa")
    got = entries_of(w, f.id)[before:]
    same(brief(got), [("metadata", "ok", "sirpa"), ("content", "ok", "sirpa"), ("content", "ok", "sirpa"),
                      ("metadata", "ok", "sirpa"), ("metadata", "ok", "risto"), ("metadata", "ok", "sirpa"),
                      ("list", "ok", "sirpa"), ("list", "ok", "sirpa")])
    same((got[0]["purpose"], got[0]["case"], got[0]["org"], got[0]["version"]),
         ("valvontakäynti \U0001f9f8", "c1", "lvv", 1))
    same((got[1]["bytes"], got[2]["bytes"]), (f.doc["size"], 4))
    check(all(e["time"].endswith("Z") for e in got), "times")
    same([e["documentSequence"] for e in entries_of(w, f.id)], list(range(1, len(entries_of(w, f.id)) + 1)))


def test_access__bytes_are_those_that_were_shown():
    w = own()
    f = w.file(content=b"x" * 1000)
    url = "/v1/documents/%s/versions/1/content" % f.id
    tag = w.get(url, "sirpa").header("ETag")
    w.get(url, "sirpa", Range="bytes=10-19")
    w.get(url, "sirpa", Range="bytes=5000-")
    w.get(url, "sirpa", If_None_Match=tag)
    w.send("HEAD", url, "sirpa")
    w.get(url, "sirpa", Range="bytes=0-1,5-6")
    got = entries_of(w, f.id)
    same([e.get("bytes", 0) for e in got], [1000, 10, 0, 0, 0, 1000])
    same({e["kind"] for e in got}, {"content"})


def test_access__refusals_are_entries():
    w = own()
    f = w.file(publicity="partly-secret")
    before = len(entries_of(w, f.id))
    w.get("/v1/documents/" + f.id, "helmi", Arkki_Purpose="uteliaisuus")
    w.get("/v1/documents/%s/versions/1/content" % f.id, "helmi")
    w.get("/v1/documents/%s/versions/1/text" % f.id, "helmi")
    w.patch(f.id, {"title": "x"}, user="ylla", etag='"x"')
    got = entries_of(w, f.id)[before:]
    refused = [e for e in got if e["outcome"] != "ok"]
    same([(e["kind"], e["outcome"], e["principal"]) for e in refused],
         [("metadata", "denied", "helmi"), ("content", "denied", "helmi"), ("text", "denied", "helmi"),
          ("metadata", "denied", "ylla")])
    same(refused[0]["purpose"], "uteliaisuus")
    check(all("documentSequence" in e for e in refused), "denied reads of what exists are numbered")
    n = len(w.audit(principal="helmi"))
    for ghost in ("0123456789abcdef" * 2, "nonsense"):
        r = w.get("/v1/documents/" + ghost, "helmi")
        same(r.status, 404)
        check(r.header("Arkki-Receipt"), "a logged answer has a receipt", ghost)
    got = w.audit(principal="helmi")[n:]
    same([(e["kind"], e["outcome"]) for e in got], [("metadata", "not-found")] * 2)


def test_access__a_list_shows_what_it_showed():
    w = own()
    ids = [w.file(type="opinion", publicity="partly-secret").id for _ in range(3)]
    n = len(w.audit(principal="sirpa"))
    shown = [d["id"] for d in w.json("/v1/documents?type=opinion", "sirpa")["documents"]]
    got = w.audit(principal="sirpa")[n:]
    same([e["kind"] for e in got], ["list"] + ["shown"] * len(shown))
    same([e["document"] for e in got[1:]], shown)
    check(set(ids) <= set(shown), "all three")


def test_access__sequences_have_no_gap():
    w = own()
    docs = [w.file(publicity=p).id for p in ("secret", "public", "secret")]
    users = ("maija", "sirpa", "helmi", "ulla", "pertti", "oskari")
    for u in users:
        w.token(u)

    def read(user):
        for _ in range(5):
            for d in docs:
                w.get("/v1/documents/" + d, user)
                w.get("/v1/documents/%s/versions/1/content" % d, user)
    ts = [threading.Thread(target=read, args=(u,)) for u in users]
    [t.start() for t in ts]
    [t.join() for t in ts]
    for u in users:
        got = [e["principalSequence"] for e in w.audit(principal=u)]
        same(got, list(range(1, len(got) + 1)), u)
    for d in docs:
        series = {}
        for e in entries_of(w, d):
            series.setdefault(e.get("series"), []).append(e["documentSequence"])
        for name, got in series.items():
            same(got, list(range(1, len(got) + 1)), d, name)
        whole = entries_of(w, d)
        ombudsman = {e.get("series") for e in whole if e["org"] == "eoa"}
        others = {e.get("series") for e in whole if e["org"] != "eoa"}
        same(ombudsman & others, set(), "the Ombudsman's own series")
    every = [e["index"] for e in w.audit()]
    same(every, list(range(len(every))), "every index once")


def test_audit__is_logged_once():
    w = own()
    n = len(w.audit(principal="aada"))
    w.json("/v1/audit/access?limit=5", "aada")
    w.json("/v1/audit/history", "aada")
    got = w.audit(principal="aada")
    # each of the two, then the look that shows them
    same([e["kind"] for e in got[n:]], ["audit"] * 3)
    w.get("/v1/audit/access", "sirpa")
    last = w.audit(principal="sirpa")[-1]
    same((last["kind"], last["outcome"]), ("audit", "denied"))


def test_audit__filters_and_pages():
    w = own()
    f = w.file()
    w.token("risto")
    w.get("/v1/documents/" + f.id, "risto")
    first = w.audit(document=f.id)[0]["time"]
    same(len(w.audit(document=f.id, principal="risto")), 1)
    same(w.audit(document=f.id, principal="helmi"), [])
    same(w.audit(document=f.id, to="2020-01-01T00:00:00Z"), [])
    check(len(w.audit(document=f.id, **{"from": first})) >= 1, "from")
    check(len(w.audit(**{"from": first[:10]})) >= 1, "a date")
    got, cursor = [], ""
    for _ in range(3):
        r = w.json("/v1/audit/access?limit=2" + cursor, "aada")
        got += [e["index"] for e in r["entries"]]
        cursor = "&cursor=" + r["next"]
    same(got, list(range(6)))
    for q in ("from=x", "to=2026-13-01", "cursor=x", "limit=0", "limit=x"):
        same(w.get("/v1/audit/access?" + q, "aada").status, 400, q)
    kinds = {e["kind"] for e in w.audit(log="history")}
    check({"filing"} <= kinds, kinds)


def test_receipt__leads_to_its_entry_and_proof():
    w = own()
    f = w.file(publicity="partly-secret")
    r = w.get("/v1/documents/" + f.id, "sirpa")
    receipt = r.header("Arkki-Receipt")
    got = w.json("/v1/audit/receipt/" + urllib.parse.quote(receipt), "aada")
    same(got["log"], "access")
    entry = [e for e in entries_of(w, f.id) if e["index"] == got["index"]][0]
    same((entry["principal"], entry["kind"]), ("sirpa", "metadata"))
    vkey = w.run("log", "vkey", w.dir, "access").stdout
    index, path, checkpoint = tlog.proof_parts(got["proof"])
    same(index, got["index"])
    size, root = tlog.open_checkpoint(checkpoint, vkey)

    def fetch(p):
        a = w.get("/v1/log/access/" + p, "aada")
        same(a.status, 200, p)
        return a.body
    now, _ = tlog.open_checkpoint(w.get("/v1/log/access/checkpoint", "aada").body.decode(), vkey)
    leaves = tlog.leaves_by_tiles(fetch, now)
    check(tlog.inclusion_holds(leaves[index], index, size, path, root), "the proof")
    for bad in ("x", receipt[:-2], "A" * len(receipt), receipt + "A"):
        same(w.get("/v1/audit/receipt/" + bad, "aada").status, 404, bad)
    same(w.get("/v1/audit/receipt/" + receipt, "sirpa").status, 403)


def history(w, vkey):
    a = w.get("/v1/log/history/checkpoint", None)
    same(a.status, 200)
    size, root = tlog.open_checkpoint(a.body.decode(), vkey)

    def fetch(p):
        t = w.get("/v1/log/history/" + p, None)
        same(t.status, 200, p)
        return t.body
    return size, root, tlog.leaves_by_tiles(fetch, size), fetch


def test_history__root_is_that_of_its_tiles_and_grows_consistently():
    w = own()
    p = w.run("log", "vkey", w.dir, "history")
    same((p.returncode, p.stderr, p.stdout.count("\n")), (0, "", 1))
    check(p.stdout.startswith("arkki.test/history+"), p.stdout)
    vkey = p.stdout
    before = []
    for step in range(3):
        for _ in range(step * 3 + 1):
            w.file()
        end = time.monotonic() + 10
        while True:
            size, root, leaves, fetch = history(w, vkey)
            if size > len(before) or time.monotonic() > end:
                break
            time.sleep(0.2)
        check(size > len(before), "the checkpoint moves within seconds")
        same(tlog.root_of(leaves), root, "root of", size)
        same(leaves[:len(before)], before, "what was, stays")
        same([tlog.leaf_hash(e) for e in tlog.entries_by_tiles(fetch, size)], leaves, "entries")
        before = leaves


def test_history__a_filing_has_a_proof():
    w = own()
    vkey = w.run("log", "vkey", w.dir, "history").stdout
    f = w.file()
    r = None
    for _ in range(50):
        r = w.get("/v1/documents/%s/versions/1/proof" % f.id)
        if r.status == 200:
            break
        time.sleep(0.1)
    same(r.status, 200, r.body[:200])
    got = r.json()
    index, path, checkpoint = tlog.proof_parts(got["proof"])
    same(index, got["index"])
    size, root = tlog.open_checkpoint(checkpoint, vkey)
    leaves = history(w, vkey)[2]
    check(tlog.inclusion_holds(leaves[index], index, size, path, root), "the proof")
    check(not tlog.inclusion_holds(leaves[index - 1], index, size, path, root), "of no other entry")


def test_log__unknown_tiles_are_404():
    w = own()
    for t in ("tile/0/999", "tile/9/000", "tile/x/000", "tile/0/../../secrets", "tile/0/x",
              "tile/entries/x001/000", "tile/0/000.p/0", "tile/-1/000", "tile/0/000/extra"):
        for log, user in (("history", None), ("access", "aada")):
            s = w.get("/v1/log/%s/%s" % (log, t), user).status
            check(s in (404, 400), log, t, s)
    same(w.get("/v1/log/access/tile/0/000", "sirpa").status, 403)
    same(w.get("/v1/log/access/tile/0/000", None).status, 401)


def test_log__a_changed_checkpoint_does_not_verify():
    w = own()
    vkey = w.run("log", "vkey", w.dir, "history").stdout
    note = w.get("/v1/log/history/checkpoint", None).body.decode()
    size, _ = tlog.open_checkpoint(note, vkey)
    try:
        tlog.open_checkpoint(note.replace("\n%d\n" % size, "\n%d\n" % (size + 1)), vkey)
    except AssertionError:
        return
    check(False, "a forged size passed: the test's own verifier is wrong")


def test_log__a_new_archive_has_empty_checkpoints_of_both():
    a = Archive(seed=None)
    for log in ("history", "access"):
        vkey = a.run("log", "vkey", a.dir, log).stdout
        path = os.path.join(a.dir, "ledger", log)
        found = [os.path.join(d, n) for d, _, names in os.walk(path) for n in names if n == "checkpoint"]
        check(found, "a checkpoint of", log)
        with open(found[0], encoding="utf-8") as f:
            size, root = tlog.open_checkpoint(f.read(), vkey)
        check(size >= 0 and len(root) == 32)
    shutil.rmtree(a.top)


def test_status__counts_commits():
    w = own()
    n = w.json("/v1/status", "ylla")["sequence"]
    w.file()
    s = w.json("/v1/status", "ylla")
    same(s["sequence"], n + 1)
    check(0 <= s["indexed"] <= s["sequence"], s)


def test_world__is_sound_after_all():
    w = own()
    p = w.verify("--full")
    same(p.returncode, 0, p.stdout[-1000:], p.stderr[-500:])
    world()
