"""Ways round the rules that were found by looking for them, each with what must hold instead."""

import os
import socket
import subprocess
import time

from arkki_flow import BIN, Archive, check, same, world
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
        for u in ("/v1/documents?case=c1&limit=100", "/v1/documents?case=c1&unit=koivula&limit=100",
                  "/v1/documents?case=c1&type=inspection-report&limit=100"):
            same(f.id in [d["id"] for d in w.json(u, user)["documents"]], whole, user, u)
        check(f.id in [d["id"] for d in w.json("/v1/documents?unit=koivula&limit=100", user)["documents"]], user)


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
