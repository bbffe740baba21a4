"""Ways round the rules that were found by looking for them, each with what must hold instead."""

import json
import os
import socket
import subprocess
import threading
import time

from arkki_flow import BIN, SEED, Archive, check, form, metadata, same, world
from test_renditions import filed, put, url_of


def speak(path, head):
    """One request over a Unix socket; the status."""
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(10)
    got = b""
    try:
        s.connect(path)
        s.sendall(head.encode() + b"\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        while True:
            b = s.recv(65536)
            if not b:
                break
            got += b
    finally:
        s.close()
    return int(got.split(b" ")[1])


def test_unix_listener__is_no_admin_socket():
    """A proxy speaks for everybody, by a Unix socket too."""
    a = Archive()
    token = a.token("helmi")
    path = os.path.join(a.top, "http.sock")
    p = subprocess.Popen([BIN, "serve", a.dir, "--listen", "unix:" + path], stdin=subprocess.DEVNULL,
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                         env=dict(os.environ, ARKKI_ROOT_KEY_FILE=a.key))
    try:
        for _ in range(300):
            if os.path.exists(path):
                break
            time.sleep(0.1)
        for head, status in (("GET /v1/documents HTTP/1.1\r\nArkki-User: aada", 401), ("GET /v1/documents HTTP/1.1", 401),
                             ("POST /admin/tokens?user=aada HTTP/1.1", 404),
                             ("POST /admin/load HTTP/1.1\r\nArkki-User: ylla", 404), ("GET /metrics HTTP/1.1", 404),
                             ("GET /v1/documents HTTP/1.1\r\nAuthorization: Bearer " + token, 200),
                             ("GET /v1/log/history/checkpoint HTTP/1.1", 200)):
            same(speak(path, head), status, head.split(" Bearer")[0])
    finally:
        p.terminate()
        same(p.wait(30), 0)


GLASS = {"Arkki-Break-Glass": "lapsen%20turvallisuus"}


def test_glass__is_broken_only_where_it_is_logged():
    w = world()
    f = w.file("pertti", units=["mantyla"], publicity="secret")
    same(w.get("/v1/documents/" + f.id, "ulla").status, 404)
    same(w.send("GET", "/v1/documents/" + f.id, "ulla", GLASS).status, 200, "the glass breaks")
    same([e["breakGlass"] for e in w.audit(document=f.id) if e["outcome"] == "ok" and e["principal"] == "ulla"],
         ["lapsen turvallisuus"])
    r = w.send("GET", "/v1/changes?limit=1000", "ulla", GLASS)
    same((r.status, f.id.encode() in r.body), (200, False), "changes are not logged")
    for u in ("/v1/cases", "/v1/cases/c2", "/v1/cases/c2/documents"):
        with_, without = w.send("GET", u, "ulla", GLASS), w.get(u, "ulla")
        same((with_.status, with_.body), (without.status, without.body), u, "cases are not logged")
    check("c2" not in [c["id"] for c in w.json("/v1/cases", "ulla")["cases"]])


def test_rendition__is_not_found_by_the_case_of_the_whole():
    w = world()
    f = filed(w, case="c1", date="2150-01-01")
    for user, whole in (("helmi", False), ("maija", True), ("ulla", True)):
        for u in ("/v1/documents?case=c1", "/v1/documents?case=c1&unit=koivula",
                  "/v1/documents?case=c1&type=inspection-report"):
            same(f.id in [d["id"] for d in w.listed(u, user)], whole, user, u)
        check(f.id in [d["id"] for d in w.listed("/v1/documents?unit=koivula", user)], user)


def test_rendition__has_a_tag_of_what_is_shown_of_it():
    w = world()
    f = filed(w)
    w.until_indexed()
    u = "/v1/documents/" + f.id
    tag, whole = w.etag(f.id, "helmi"), w.etag(f.id)
    check(tag != whole, "one tag for two forms")
    same(w.get(u, "helmi", If_None_Match=whole).status, 200)
    same(w.patch(f.id, {"title": "Toinen salainen nimi"}).status, 200)
    same(w.etag(f.id, "helmi"), tag, "a change of what is hidden")
    same(w.get(u, "helmi", If_None_Match=tag).status, 304)
    same(w.patch(f.id, {"publicTitle": "Julkinen nimi"}).status, 200)
    check(w.etag(f.id, "helmi") != tag, "another title")
    tag = w.etag(f.id, "helmi")
    same(put(w, f.id, b"toinen osa\n", If_Match=w.get(url_of(f.id)).header("ETag")).status, 200)
    w.until_indexed()
    r = w.get(u, "helmi", If_None_Match=tag)
    same((r.status, r.json()["size"]), (200, 11), "another rendition")


def test_rendition__makes_another_tag_of_the_whole_but_no_conflict():
    w = world()
    f = w.file(publicity="partly-secret")
    w.until_indexed()
    tag = w.etag(f.id)
    same(put(w, f.id).status, 201)
    w.until_indexed()
    r = w.get("/v1/documents/" + f.id, If_None_Match=tag)
    same((r.status, r.json()["renditions"]), (200, ["public"]), "not as it was")
    check(r.header("ETag") != tag)
    same(w.patch(f.id, {"title": "Uusi"}, etag=tag).status, 200, "its metadata have not changed")


def test_rendition__alone_is_told_of_in_the_changes():
    w = world()
    f = filed(w)
    w.patch(f.id, {"title": "Toinen salainen nimi"})
    for user, kinds in (("helmi", ["rendition"]), ("maija", ["filed", "rendition", "metadata"])):
        seen, after = [], ""
        while True:
            r = w.json("/v1/changes?limit=1000&after=" + after, user)
            seen += [c["kind"] for c in r["changes"] if c["document"] == f.id]
            if not r["changes"]:
                break
            after = r["next"]
        same(seen, kinds, user)


def with_roles(user, roles):
    return dict(SEED, users=[dict(u, roles=roles) if u["id"] == user else u for u in SEED["users"]])


def test_rights__end_while_a_request_waits():
    a = Archive().serve()
    a.file()
    after = a.json("/v1/changes?limit=1000", "ulla")["next"]
    got = []
    t = threading.Thread(target=lambda: got.append(a.json("/v1/changes?wait=3&after=" + after, "ulla")))
    t.start()
    time.sleep(0.5)
    a.load(with_roles("ulla", ["placer"]))
    a.file(publicity="secret")
    t.join()
    same(got[0]["changes"], [], "what a supervisor of an hour ago would see")
    same(a.stop(), 0)


def slow_filing(a, user, fields, meanwhile):
    """A filing whose last byte comes after `meanwhile`; the status."""
    body, media = form(fields, b"Hyvaa paivaa\n" * 10)
    s = socket.create_connection(("127.0.0.1", a.port), 20)
    s.sendall(("POST /v1/documents HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer %s\r\n"
               "Content-Type: %s\r\nContent-Length: %d\r\n\r\n" % (a.token(user), media, len(body))).encode() + body[:-20])
    time.sleep(0.5)
    meanwhile()
    s.sendall(body[-20:])
    got = s.recv(65536)
    s.close()
    return int(got.split(b" ")[1])


def test_rights__end_while_a_body_arrives():
    a = Archive().serve()
    same(slow_filing(a, "maija", metadata(), lambda: None), 201)
    same(slow_filing(a, "maija", metadata(), lambda: a.load(with_roles("ylla", ["admin", "placer"]))), 201, "another's rights")
    same(slow_filing(a, "maija", metadata(), lambda: a.load(with_roles("maija", ["placer"]))), 403)
    same(a.stop(), 0)


def test_refusal__is_logged_whatever_the_case_is_called():
    w = world()
    f = w.file("pertti", units=["mantyla"], publicity="secret")
    for case in ("nocase", "\xff\xfe", "a\tb", "x" * 20000):
        before = len(w.audit(document=f.id))
        for doc in (f.id, "0" * 32):
            r = w.send("GET", "/v1/documents/" + doc, "ulla", {"Arkki-Case": case})
            same((r.status, bool(r.header("Arkki-Receipt"))), (404, True), case[:8], doc)
        same(len(w.audit(document=f.id)), before + 1, case[:8])


def found(w, user, words):
    r = w.json("/v1/search?q=" + words, user)
    return r["total"], len(r["hits"]), sum(c["count"] for f in r["facets"].values() for c in f)


def keep_busy(a):
    for n in range(12):
        text = "\n".join("lastensuojelulaitoksen valvontakertomus %d %d" % (n, i) for i in range(15000))
        a.file(content=text.encode(), publicity="secret")


def completed(a, user, typed):
    return [s["text"] for s in a.json("/v1/search/suggest?q=" + typed, user)["suggestions"] if s["kind"] == "word"]


def test_search__does_not_find_what_was_hidden_before_the_index_knows():
    a = Archive().serve()
    f = a.file(content=b"Ensin julkinen hyttysverkko\n")
    put(a, f.id, b"Peitetty kappale jossa lipsahdus\n")
    g = a.file(content=b"Toinen julkinen sudenkorento\n", title="Korentolampi")
    a.until_indexed()
    same([completed(a, user, "korentol") for user in ("helmi", "maija")], [["korentolampi"]] * 2)
    for user in ("helmi", "maija"):
        same([found(a, user, q)[0] for q in ("hyttysverkko", "lipsahdus", "sudenkorento")],
             [1, 0, 1], user)
    keep_busy(a)
    same(a.patch(f.id, {"publicity": {"class": "secret"}}).status, 200)
    same(a.patch(g.id, {"publicity": {"class": "secret"}}).status, 200)
    for words in ("hyttysverkko", "sudenkorento"):
        same(found(a, "helmi", words), (0, 0, 0), words, "behind")
        same(found(a, "maija", words)[:2], (1, 1), words, "who sees it still finds it")
    same([completed(a, user, "korentol") for user in ("helmi", "maija")], [[], ["korentolampi"]], "behind")
    s = a.json("/v1/status", "ylla")
    check(s["indexed"] < s["sequence"], "the index was not behind: file more")
    a.until_indexed()
    same([found(a, "helmi", q)[0] for q in ("hyttysverkko", "lipsahdus", "sudenkorento")], [0, 1, 0])
    keep_busy(a)
    tag = a.get(url_of(f.id)).header("ETag")
    same(put(a, f.id, b"Peitetty paremmin\n", If_Match=tag).status, 200)
    same(found(a, "helmi", "lipsahdus"), (0, 0, 0), "the words of the rendition before")
    s = a.json("/v1/status", "ylla")
    check(s["indexed"] < s["sequence"], "the index was not behind: file more")
    start = time.monotonic()
    same(a.stop(), 0)
    check(time.monotonic() - start < 10, "a server that stops does not index its backlog first")


READING = "permit (principal, action in [Action::\"list\", Action::\"read\", Action::\"readContent\", Action::\"readPublic\"], "


def change_policies(a, change):
    """change(text) -> text; without the cases, which are the shipped rules'."""
    now = a.get("/v1/policies", "ylla")
    body = {"policies": change(now.json()["policies"]), "cases": {"entities": [], "sets": {}}}
    r = a.send("PUT", "/v1/policies", "ylla", {"Content-Type": "application/json", "If-Match": now.header("ETag")},
               json.dumps(body))
    same(r.status, 200, r.body[:500])


def test_whole__is_not_built_upon_by_who_sees_the_rendition():
    """Whatever the rules say of filing: what is built upon would be shown."""
    a = Archive().serve()
    f = filed(a)
    a.until_indexed()
    whole = a.etag(f.id)
    change_policies(a, lambda text: text + '\n@id("no-risto") forbid (principal == User::"risto", action in '
                                           '[Action::"read", Action::"readContent"], resource is Document);\n')
    same(a.json("/v1/documents/" + f.id, "risto")["rendition"], "public")
    for tag in ("*", whole, a.etag(f.id, "risto")):
        for r in (a.patch(f.id, {"publicTitle": "x"}, "risto", tag), a.version(f.id, b"uusi\n", {}, "risto", tag),
                  put(a, f.id, b"toinen\n", "risto", If_Match=tag)):
            same((r.status, b"salai" in r.body.lower()), (403, False), r.body[:300])
    same(a.json("/v1/documents/" + f.id)["versions"], 1)
    same(a.stop(), 0)


def test_visit__is_not_known_to_the_county_that_runs_the_unit():
    seed = dict(SEED, units=[dict(u, provider="uusimaa") if u["id"] == "lehtola" else u for u in SEED["units"]])
    a = Archive(seed=seed, origin="visit.test").serve()
    f = a.file(units=["lehtola"], visitDate="2199-01-01", publicity="secret")
    g = a.file(units=["koivula"], visitDate="2199-01-01", publicity="secret")
    past = a.file(units=["lehtola"], visitDate="2020-01-01", publicity="secret")
    for user, doc, status in (("ulla", f, 404), ("ulla", g, 200), ("ulla", past, 200), ("maija", f, 200)):
        same(a.get("/v1/documents/" + doc.id, user).status, status, user)
        same(doc.id in [d["id"] for d in a.json("/v1/documents", user)["documents"]], status == 200, user, "list")
    same(a.stop(), 0)


def test_account__ends_on_its_last_day_and_with_its_organisation():
    a = Archive().serve()
    f = a.file(publicity="secret", case="c1")
    same((a.get("/v1/documents/" + f.id).status, a.get("/v1/cases/c1").status), (200, 200))
    a.load(dict(SEED, users=[dict(u, to="2020-01-01") if u["id"] == "maija" else u for u in SEED["users"]]))
    for u in ("/v1/documents/" + f.id, "/v1/cases/c1", "/v1/cases/c1/documents"):
        same((a.get(u).status, a.get(u, "risto").status), (404, 200), u)
    same((a.json("/v1/documents")["documents"], a.json("/v1/cases")["cases"]), ([], []))
    same(a.post_document().status, 403)
    a.load(dict(SEED, orgs=[dict(o, to="2026-01-31") if o["id"] == "lvv" else o for o in SEED["orgs"]]))
    same((a.get("/v1/cases/c1", "risto").status, a.json("/v1/cases", "risto")["cases"]), (404, []))
    same(a.stop(), 0)
