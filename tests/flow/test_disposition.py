"""How long documents are kept, who may stop that, and that a destroyed document is nowhere any more.
The documents, people and units are made up."""

import json
import os
import shutil
import subprocess

from arkki_flow import TOP, Archive, check, same

JSON = {"Content-Type": "application/json", "Accept-Language": "en"}
ROWS = [
    {"id": "default", "type": "*", "years": 12, "from": "case-closed", "then": "review"},
    {"id": "reports", "type": "inspection-report", "years": 0, "from": "document-date", "then": "destroy"},
    {"id": "letters", "type": "hearing-letter", "years": 0, "from": "document-date", "then": "transfer"},
    {"id": "reports-of-pirha", "type": "inspection-report", "org": "pirha", "years": 50, "from": "filed", "then": "destroy"},
]
# words that stand nowhere else: title, file name, text
TITLE, NAME, TEXT = "Kvarttisiiliraportti", "pajuvasamuistio", "Tulppaanimyrsky kaatoi hirsilautan"


def send(w, method, path, user, body=None, headers=None):
    return w.send(method, path, user, dict(JSON, **(headers or {})), None if body is None else json.dumps(body).encode())


def table(w, rows, user="ylla"):
    r = send(w, "PUT", "/v1/retention", user, {"rows": rows},
             {"If-Match": w.get("/v1/retention", "ylla").header("ETag")})
    return r


def begun(rows=ROWS):
    w = Archive().serve()
    same(table(w, rows).status, 200)
    return w


def due(w, user="risto", query=""):
    found, cursor = [], ""
    while True:
        r = w.json("/v1/retention/due?limit=2" + query + cursor, user)
        found += r["due"]
        if not r["next"]:
            return found
        cursor = "&cursor=" + r["next"]


def hold(w, doc, user="sirpa", **body):
    return send(w, "POST", "/v1/documents/%s/hold" % doc, user, dict({"reason": "kantelu vireillä"}, **body))


def propose(w, doc, user="risto", action="destroy"):
    return send(w, "POST", "/v1/documents/%s/dispose" % doc, user, {"action": action, "ground": "säilytysaika päättynyt"})


def approve(w, doc, user="raija"):
    return send(w, "POST", "/v1/documents/%s/dispose/approve" % doc, user)


def run(w):
    p = w.run("dispose", w.dir, "run")
    same(p.returncode, 0, "dispose run", p.stderr)
    return p.stdout.strip()


def doomed(w, **more):
    f = w.file(title=TITLE, name=NAME + ".txt", content=(TEXT + "\n").encode(), **more)
    same(propose(w, f.id).status, 201)
    same(approve(w, f.id).status, 200)
    return f


def kinds(w, doc):
    return [e["kind"] for e in w.audit(log="history", document=doc)]


def everywhere(top, words):
    """Files below top in which one of the words stands, in any of the encodings."""
    sought = [s for x in words for y in (x, x.lower()) for s in (y.encode(), y.encode("utf-16-le"), y.encode("utf-16-be"))]
    found = []
    for at, _, names in os.walk(top):
        for name in names:
            path = os.path.join(at, name)
            if os.path.isfile(path):
                with open(path, "rb") as f:
                    data = f.read()
                found += [(path, s) for s in sought if s in data or s in name.encode()]
    return found


# ---- the table ----

def test_retention__shipped_rows_stand_until_an_administrator_files_others():
    w = Archive().serve()
    r = w.get("/v1/retention", "helmi")
    same(r.json()["version"], 0)
    check("default" in [x["id"] for x in r.json()["rows"]])
    same(table(w, ROWS, "risto").status, 403)
    same(table(w, ROWS).json(), {"version": 1, "rows": 4})
    same(w.json("/v1/retention", "helmi"), {"version": 1, "rows": ROWS})
    same(table(w, ROWS[:1]).status, 200)
    same(w.json("/v1/retention?version=1", "helmi")["rows"], ROWS)
    same(w.get("/v1/retention?version=9").status, 404)
    same(send(w, "PUT", "/v1/retention", "ylla", {"rows": ROWS}).status, 428)
    same(send(w, "PUT", "/v1/retention", "ylla", {"rows": ROWS}, {"If-Match": r.header("ETag")}).status, 412)


def test_retention__a_malformed_table_changes_nothing():
    w = Archive().serve()
    row = ROWS[1]
    for bad in ([], [dict(row, years=-1)], [dict(row, years=2.5)], [dict(row, then="burn")], [row, row], "x",
                [dict(row), dict(row, id="other")], [dict(row, type="A b")], [dict(row, surprise=1)]):
        same(table(w, bad).status, 400, bad)
    same(w.json("/v1/retention")["version"], 0)


def test_retention__the_most_specific_row_wins_and_what_is_due_is_listed():
    w = begun()
    report = w.file(date="2026-03-12").id
    w.file(date="2030-01-01")
    w.file(type="supervision-decision", date="2000-01-01", case="c1")
    letter = w.file(type="hearing-letter", date="2026-05-01").id
    same(sorted((d["document"], d["since"], d["row"], d["then"], d["held"], d["proposal"]) for d in due(w)),
         sorted([(report, "2026-03-13", "reports", "destroy", False, "none"),
                 (letter, "2026-05-02", "letters", "transfer", False, "none")]))
    same([d["document"] for d in due(w, query="&at=2026-03-13")], [report])
    same(due(w, query="&at=2026-03-12"), [])
    same(due(w, query="&unit=lehtola"), [])
    same(w.get("/v1/retention/due", "maija").status, 403)
    for bad in ("at=x", "limit=0", "cursor=zz"):
        same(w.get("/v1/retention/due?" + bad, "risto").status, 400, bad)
    p = w.run("retention", "due", w.dir, "--user", "risto")
    same(p.returncode, 0, p.stderr)
    same(len(p.stdout.splitlines()), 2, p.stdout)


# ---- holds ----

def test_hold__wins_over_everything_and_is_in_the_history():
    w = begun()
    f = w.file().id
    same(send(w, "POST", "/v1/documents/%s/hold" % f, "sirpa", {}).status, 422)
    same(hold(w, f, "helmi").status, 403)
    same(hold(w, f, until="2020-01-01").status, 422)
    same(propose(w, f).status, 201)
    same(hold(w, f).status, 201)
    same(w.json("/v1/documents/%s/hold" % f, "risto")["state"], "held")
    same(approve(w, f).status, 409)
    same([d["held"] for d in due(w)], [True])
    other = w.file().id
    same(hold(w, other).status, 201)
    same(propose(w, other).json()["type"], "urn:arkki:problem:held")
    url = "/v1/documents/%s/hold" % f
    same(send(w, "DELETE", url, "sirpa", {"reason": "kantelu ratkaistu"}).status, 204)
    same(send(w, "DELETE", url, "sirpa", {"reason": "taas"}).status, 409)
    same(approve(w, f).status, 200)
    same(hold(w, f).status, 201)
    same(run(w), "destroyed 0, on hold 1, awaiting the receiver 0")
    same(w.get("/v1/documents/" + f).status, 200)
    same(kinds(w, f), ["filing", "disposal-proposed", "hold", "hold-released", "disposal-approved", "hold"])


# ---- two people ----

def test_dispose__takes_two_people_and_only_what_is_due():
    w = begun()
    f = w.file().id
    same(propose(w, f, "maija").status, 403)
    same(propose(w, w.file(date="2100-01-01").id).json()["type"], "urn:arkki:problem:not-due")
    same(propose(w, f, action="transfer").json()["type"], "urn:arkki:problem:other-action")
    same(propose(w, f, action="burn").status, 422)
    same(approve(w, f).status, 409)
    same(propose(w, f).status, 201)
    same(propose(w, f).status, 409)
    same(approve(w, f, "risto").status, 403)
    same(run(w), "destroyed 0, on hold 0, awaiting the receiver 0")
    same(w.send("DELETE", "/v1/documents/%s/dispose" % f, "risto").status, 204)
    same(approve(w, f).status, 409)
    same(propose(w, f, "raija").status, 201)
    same(approve(w, f, "risto").status, 200)
    same(w.json("/v1/documents/%s/dispose" % f, "risto")["state"], "approved")


def test_dispose__a_transfer_waits_until_the_receiver_has_it():
    w = begun()
    f = w.file(type="hearing-letter").id
    same(propose(w, f, action="transfer").status, 201)
    same(approve(w, f).status, 200)
    same(run(w), "destroyed 0, on hold 0, awaiting the receiver 1")
    same(w.get("/v1/documents/" + f).status, 200)
    url = "/v1/documents/%s/dispose/confirm" % f
    same(send(w, "POST", url, "raija", {}).status, 422)
    same(send(w, "POST", url, "raija", {"confirmation": "KA/99/2026"}).status, 200)
    same(run(w), "destroyed 1, on hold 0, awaiting the receiver 0")
    same(w.get("/v1/documents/" + f).json()["tombstone"]["action"], "transfer")


# ---- destruction ----

def test_destroyed__document_is_gone_and_a_tombstone_says_so():
    w = begun()
    f = doomed(w, publicity="partly-secret")
    stays = w.file(title="Jatkuva", content="Sateenkaari pysyy\n".encode())
    w.version(f.id, (TEXT + " toistamiseen\n").encode())
    w.until_indexed()
    same(run(w), "destroyed 1, on hold 0, awaiting the receiver 0")
    r = w.get("/v1/documents/" + f.id)
    same(r.status, 410, r.body)
    stone = r.json()["tombstone"]
    same((stone["document"], stone["state"], stone["type"], stone["units"], stone["versions"], stone["author"],
          stone["proposedBy"], stone["approvedBy"], stone["publicity"]),
         (f.id, "destroyed", "inspection-report", ["koivula"], 2, "lvv", "risto", "raija", {"class": "partly-secret"}))
    check("title" not in json.dumps(stone) and TITLE not in json.dumps(stone), stone)
    for path in ("/versions", "/versions/1", "/versions/1/content", "/versions/2/text", "/hold", "/history"):
        same(w.get("/v1/documents/" + f.id + path).status, 410, path)
    same(w.get("/v1/documents/" + f.id, "helmi").status, 404)
    same([d["id"] for d in w.listed()], [stays.id])
    same(w.json("/v1/search?q=Tulppaanimyrsky")["total"], 0)
    same(w.json("/v1/search?q=Sateenkaari")["total"], 1)
    same(hold(w, f.id).status, 410)
    same(propose(w, f.id).status, 410)
    same(w.get("/v1/documents/%s/versions/1/content" % stays.id).body, "Sateenkaari pysyy\n".encode())
    same(kinds(w, f.id), ["filing", "disposal-proposed", "disposal-approved", "version", "destruction", "destroyed"])
    same(run(w), "destroyed 0, on hold 0, awaiting the receiver 0")
    late = w.file(title="Uusi", content=b"Uusi asiakirja\n")
    w.until_indexed()
    same(w.json("/v1/search?q=asiakirja")["total"], 1)
    p = w.verify("--full")
    same(p.returncode, 0, p.stdout, p.stderr)
    check("1 destroyed" in p.stdout, p.stdout)
    w.stop()
    p = w.run("rebuild", w.dir, "catalogue")
    same(p.returncode, 0, p.stderr)
    w.serve()
    same(w.get("/v1/documents/" + f.id).status, 410)
    same(sorted(d["id"] for d in w.listed()), sorted([stays.id, late.id]))
    w.stop()
    p = w.verify("--full")
    same(p.returncode, 0, p.stdout, p.stderr)


def test_destroyed__no_word_of_it_is_in_any_file():
    w = begun()
    f = doomed(w)
    w.version(f.id, (TEXT + " toistamiseen\n").encode(), {"title": TITLE + " II"})
    w.until_indexed()
    same(w.json("/v1/search?q=Tulppaanimyrsky")["total"], 1)
    derived = os.path.join(w.dir, "derived", f.id[:2])
    check([n for n in os.listdir(derived) if n.startswith(f.id)], "there was a text")
    check(everywhere(os.path.join(w.dir, "index"), TEXT.split()), "the index held it before")
    same(run(w), "destroyed 1, on hold 0, awaiting the receiver 0")
    same([n for n in os.listdir(derived) if n.startswith(f.id)], [])
    same(everywhere(w.top, [TITLE, NAME, *TEXT.split(), "toistamiseen"]), [])
    w.stop()
    same(everywhere(w.top, [TITLE, NAME, *TEXT.split(), "toistamiseen"]), [])


def test_destroyed__an_older_backup_cannot_be_opened_with_the_keys_of_today():
    w = begun()
    f = doomed(w)
    w.until_indexed()
    w.stop()
    backup = os.path.join(w.top, "backup")
    shutil.copytree(w.dir, backup, ignore=shutil.ignore_patterns("keys", "index"))
    w.serve()
    run(w)
    w.stop()
    for name in os.listdir(backup):
        path = os.path.join(w.dir, name)
        if os.path.isdir(path):
            shutil.rmtree(path)
            shutil.copytree(os.path.join(backup, name), path)
        else:
            shutil.copy2(os.path.join(backup, name), path)
    for wal in ("catalogue.sqlite-wal", "catalogue.sqlite-shm", "state.sqlite-wal", "state.sqlite-shm"):
        if os.path.exists(os.path.join(w.dir, wal)):
            os.remove(os.path.join(w.dir, wal))
    p = w.verify("--full")
    check("destroyed" in p.stdout + p.stderr, p.stdout, p.stderr)
    shutil.rmtree(os.path.join(w.dir, "index"))
    os.mkdir(os.path.join(w.dir, "index"))
    w.serve()
    for path in ("", "/versions/1/content", "/versions/1/text"):
        r = w.get("/v1/documents/" + f.id + path)
        check(r.status in (404, 410, 500, 503), path, r.status)
        check(TEXT.encode() not in r.body and TITLE.encode() not in r.body, path)
    w.stop()
    for what in ("catalogue", "index"):
        p = w.run("rebuild", w.dir, what)
        same(p.returncode, 0, p.stderr)
    same(everywhere(w.top, [TITLE, NAME, *TEXT.split()]), [])
    w.serve()
    same(w.listed(), [])
    w.file(title="Uusi", content=b"Uusi asiakirja\n")
    w.until_indexed()
    same(w.json("/v1/search?q=asiakirja")["total"], 1)


def read_by_stranger(w):
    """The reader in another language agrees that all is well."""
    if shutil.which("node"):
        p = subprocess.run(["node", os.path.join(TOP, "tests", "reader", "reader.mjs"), w.dir, w.key, "verify"],
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
        same(p.returncode, 0, p.stdout[-600:])


def test_destroyed__one_change_of_keys_for_a_batch():
    w = begun()
    gone = [doomed(w, date="2026-03-%02d" % d) for d in range(10, 20)]
    kept = [w.file(title="Pysyvä %d" % i, content=b"pysyva %d\n" % i, date="2031-01-01") for i in range(5)]
    same(run(w), "destroyed 10, on hold 0, awaiting the receiver 0")
    for f in gone:
        same(w.get("/v1/documents/" + f.id).status, 410)
    for i, f in enumerate(kept):
        same(w.get("/v1/documents/%s/versions/1/content" % f.id).body, b"pysyva %d\n" % i)
    with open(w.key, encoding="ascii") as f:
        same(f.read().split()[1], "2")
    w.stop()
    same(w.verify("--full").returncode, 0)
    read_by_stranger(w)


def test_dispose_run__works_without_a_server():
    w = begun()
    f = doomed(w)
    w.until_indexed()
    w.stop()
    same(run(w), "destroyed 1, on hold 0, awaiting the receiver 0")
    same(everywhere(w.top, [TITLE, NAME, *TEXT.split()]), [])
    w.serve()
    same(w.get("/v1/documents/" + f.id).status, 410)


# ---- keys and tombstones that do not agree ----

def slot_of(w, doc):
    """The slot of the data key of a document's first version: it stands in the envelope of its metadata."""
    p = subprocess.run(["git", "-C", os.path.join(w.dir, "archive.git"), "cat-file", "blob",
                        "main:docs/%s/%s/v0001/meta" % ("/".join(doc[:4]), doc)], stdout=subprocess.PIPE, check=True)
    same(p.stdout[:8], b"ARKMETA1")
    return int.from_bytes(p.stdout[8:16], "big")


def overwrite_slot(w, slot, byte):
    with open(os.path.join(w.dir, "keys", "shard-%06d" % (slot // 16384)), "r+b") as f:
        f.seek(128 + 72 * (slot % 16384))
        f.write(bytes([byte]) * 72)


def test_destroyed__a_key_that_is_gone_without_a_tombstone_is_named():
    w = Archive().serve()
    docs = [w.file(title="Raportti %d" % i, content=b"sisalto %d\n" % i).id for i in range(3)]
    w.stop()
    same(w.verify().returncode, 0)
    for doc, byte, full in ((docs[0], 0xff, False), (docs[1], 0, False), (docs[2], 0xff, True), (docs[2], 0, False)):
        damaged = w.copy()
        overwrite_slot(damaged, slot_of(w, doc), byte)
        p = damaged.verify(*(["--full"] if full else []))
        same(p.returncode, 1, doc, byte, p.stdout)
        told = [line for line in p.stdout.split("\n") if doc in line]
        check(told, "the document is named:", byte, p.stdout, p.stderr)
        for other in docs:
            check(other == doc or other not in p.stdout, "and no other", p.stdout)
        if byte:
            check("has no tombstone" in told[0], told)
