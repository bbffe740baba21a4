"""Words that find each other: the shipped bridge between Finnish and Swedish, and an administrator's own.
The documents are made up."""

import json
import os
import threading

from arkki_flow import Archive, check, same

JSON = {"Content-Type": "application/json", "Accept-Language": "en"}
SWEDISH = "Inspektionsberättelse. I enheten verkställs vård utom hemmet för sju barn. Begränsningsåtgärder antecknas inte."


def put(w, table, user="ylla", etag=None):
    h = dict(JSON)
    if etag != "":
        h["If-Match"] = etag or w.get("/v1/synonyms", "ylla").header("ETag")
    return w.send("PUT", "/v1/synonyms", user, h, table if isinstance(table, bytes) else json.dumps(table).encode())


def applied(w, table):
    r = put(w, table)
    same(r.status, 200, r.body[:400])
    return r.json()


def found(w, q, user="maija"):
    r = w.send("POST", "/v1/search", user, JSON, json.dumps({"q": q}).encode())
    same(r.status, 200, r.body[:300])
    return r.json()["hits"]


def file_text(w, text, **more):
    return w.file(publicity="public", content=text.encode(), **more)


def entries(*terms):
    return {"entries": [{"fi": list(terms)}]}


def test_synonyms__are_for_every_account_to_read():
    w = Archive().serve()
    r = w.get("/v1/synonyms", "helmi")
    same(r.json(), {"version": 0, "filedAt": None, "filedBy": None, "reason": None, "entries": [], "shipped": True})
    same(w.json("/v1/synonyms/versions", "hanna"), {"versions": []})
    shipped = w.json("/v1/synonyms?shipped=true", "helmi")["shippedEntries"]
    check(len(shipped) >= 300, len(shipped))
    check({"fi": ["sijaishuolto"], "sv": ["vård utom hemmet"]}.items() <=
          [e for e in shipped if "sijaishuolto" in e.get("fi", [])][0].items(), "the bridge")
    same(w.get("/v1/synonyms", None).status, 401)
    same(w.get("/v1/synonyms?version=1", "helmi").status, 404)
    for bad in ("?version=0", "?version=x", "?shipped=1"):
        same(w.get("/v1/synonyms" + bad, "helmi").status, 400, bad)


def test_synonyms__finnish_query_finds_the_swedish_report_and_says_why():
    w = Archive().serve()
    f = file_text(w, SWEDISH, language="sv", title="Inspektion")
    file_text(w, "Ruokalista: puuroa ja keittoa.", title="Muistio")
    w.until_indexed()
    for q, marked in (("sijaishuolto", "<mark>vård utom hemmet</mark>"),
                      ("rajoitustoimenpiteistä", "<mark>Begränsningsåtgärder</mark>")):
        hits = found(w, q)
        same([h["document"] for h in hits], [f.id], q)
        check(marked in hits[0]["snippet"], q, hits[0]["snippet"])


def test_synonyms__of_an_administrator_serve_the_next_search():
    w = Archive().serve()
    f = file_text(w, "Lapsi vietiin pehmohuoneeseen kahdesti.", title="Kertomus")
    w.until_indexed()
    same(found(w, "tuumailutila"), [])
    made = applied(w, dict(entries("tuumailutila", "pehmohuone"), reason="kentän sana"))
    same(made, {"version": 1, "entries": 1})
    hits = found(w, "tuumailutilassa")
    same([h["document"] for h in hits], [f.id])
    check("<mark>pehmohuoneeseen</mark>" in hits[0]["snippet"], hits[0]["snippet"])
    applied(w, {"entries": []})
    same(found(w, "tuumailutila"), [])


def test_synonyms__are_versioned_logged_and_survive_a_restart():
    w = Archive().serve()
    applied(w, dict(entries("tuumailutila", "pehmohuone"), reason="kentän sana"))
    applied(w, dict(entries("tuumailutila", "hiljainen huone"), shipped=False))
    first = w.json("/v1/synonyms?version=1", "helmi")
    same((first["version"], first["filedBy"], first["reason"], first["shipped"], first["entries"]),
         (1, None, "kentän sana", True, [{"fi": ["tuumailutila", "pehmohuone"]}]), "who filed it is not for every account")
    for user in ("ylla", "aada"):
        same(w.json("/v1/synonyms?version=1", user)["filedBy"], "ylla", user)
    now = w.json("/v1/synonyms", "helmi")
    same((now["version"], now["shipped"]), (2, False))
    for user, filer in (("ylla", "ylla"), ("maija", None), ("aada", "ylla")):
        same([(v["version"], v["filedBy"], v["reason"], v["entries"])
              for v in w.json("/v1/synonyms/versions", user)["versions"]],
             [(1, filer, "kentän sana", 1), (2, filer, None, 1)], user)
    log = [e for e in w.json("/v1/audit/history?limit=1000", "aada")["entries"] if e["kind"] == "record"]
    check(len([e for e in log if e["principal"] == "ylla"]) == 2, "two history entries", log)
    same(w.stop(), 0)
    same(w.run("rebuild", w.dir, "catalogue").returncode, 0)
    w.serve()
    same(w.json("/v1/synonyms", "helmi"), now)
    same(w.json("/v1/synonyms?version=1", "helmi"), first)
    same(w.stop(), 0)
    p = w.verify("--full")
    same(p.returncode, 0, p.stdout, p.stderr)


def test_synonyms__are_changed_by_administrators_only():
    w = Archive().serve()
    for user in ("maija", "helmi", "hanna", "aada", "kone"):
        same(put(w, entries("a", "b"), user).status, 403, user)
    same(put(w, entries("a", "b"), None).status, 401)
    same(w.json("/v1/synonyms")["version"], 0)


def test_synonyms__change_on_what_was_read_only():
    w = Archive().serve()
    etag = w.get("/v1/synonyms", "ylla").header("ETag")
    same(put(w, entries("a", "b"), etag="").status, 428)
    same(put(w, entries("a", "b"), etag="x").status, 400)
    same(put(w, entries("a", "b"), etag='"x"').status, 412)
    made = put(w, entries("a", "b"), etag=etag)
    same(made.status, 200)
    same(made.header("ETag"), w.get("/v1/synonyms", "helmi").header("ETag"))
    same(put(w, entries("a", "c"), etag=etag).status, 412)
    etag, answers = made.header("ETag"), []
    w.token("ylla")
    racers = [threading.Thread(target=lambda n=n: answers.append(put(w, entries("a", "r%d" % n), etag=etag).status))
              for n in range(6)]
    for t in racers:
        t.start()
    for t in racers:
        t.join()
    same(sorted(answers), [200] + [412] * 5, "one of six wins")
    same(w.json("/v1/synonyms")["version"], 2)


BAD = [
    (b"{", "line"),
    (b"[]", "entries"),
    (b"{}", "entries"),
    ({"entries": [{"fi": ["yksi", "kaksi"]}, {"fi": ["yksin"]}]}, "entry 2 (yksin)"),
    ({"entries": [{"fi": ["a", "yksi kaksi kolme neljä viisi"]}]}, "more than 4 words"),
    ({"entries": [{"de": ["a", "b"]}]}, "de is unknown"),
    ({"entries": [{"fi": ["a", "b"]}], "more": 1}, "nothing else"),
    ({"entries": [{"fi": ["a", "b"]}], "reason": 7}, "reason"),
    ({"entries": [{"fi": ["a", "b"]}], "shipped": "no"}, "shipped"),
    ({"entries": [{"fi": ["a", "b"]}] * 5001}, "more than 5000"),
]


def test_synonyms__malformed_tables_change_nothing():
    w = Archive().serve()
    applied(w, entries("tuumailutila", "pehmohuone"))
    before = w.get("/v1/synonyms", "ylla")
    for table, named in BAD:
        r = put(w, table)
        same(r.status, 400, table if len(str(table)) < 200 else named, r.body[:300])
        check(named in r.json()["detail"], named, r.json()["detail"])
    after = w.get("/v1/synonyms", "ylla")
    same((after.json(), after.header("ETag")), (before.json(), before.header("ETag")))


def test_synonyms__command_line_shows_checks_and_applies():
    w = Archive()
    path = os.path.join(w.top, "table.json")
    with open(path, "w", encoding="utf-8") as f:
        json.dump(entries("tuumailutila", "pehmohuone"), f)
    same(w.run("synonyms", "check", path).stdout.strip(), path + ": 1 entries")
    p = w.run("synonyms", "apply", w.dir, path, "--user", "ylla", "--reason", "kentän sana")
    same((p.returncode, p.stdout.strip()), (0, "version 1 of the synonyms is in force"), p.stderr)
    same(json.loads(w.run("synonyms", "show", w.dir).stdout), {"shipped": True, **entries("tuumailutila", "pehmohuone")})
    check(len(json.loads(w.run("synonyms", "show", w.dir, "--shipped").stdout)["entries"]) >= 300)
    check("kentän sana" in w.run("synonyms", "versions", w.dir).stdout)
    w.serve()
    p = w.run("synonyms", "apply", w.dir, path, "--user", "maija")
    same(p.returncode, 1)
    check("administrators" in p.stderr, p.stderr)
    with open(path, "w", encoding="utf-8") as f:
        json.dump(entries("yksin"), f)
    for args in (("check", path), ("apply", w.dir, path, "--user", "ylla")):
        p = w.run("synonyms", *args)
        same(p.returncode, 1)
        check("entry 1 (yksin)" in p.stderr, p.stderr)
    same(w.run("synonyms").returncode, 2)
    same(w.run("synonyms", "show").returncode, 2)
    same(w.json("/v1/synonyms")["version"], 1)
    same(w.stop(), 0)
