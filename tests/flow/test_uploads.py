"""Resumable uploads: tus 1.0.0 at /v1/uploads, and filing what was uploaded."""

import base64
import hashlib
import json
import os
import re
import signal
import socket
import threading
import time

from arkki_flow import MIB, Archive, Skip, check, metadata, same, world
from sign_in_util import Browser

TUS = {"Tus-Resumable": "1.0.0"}
BYTES = "application/offset+octet-stream"


def b64(text):
    return base64.b64encode(text if isinstance(text, bytes) else text.encode()).decode()


def named(name, media_type="text/plain"):
    return "filename %s,filetype %s" % (b64(name), b64(media_type))


def begin(w, length, name="kertomus.txt", user="maija", body=None, to="/v1/uploads", **more):
    h = dict(TUS, **{"Upload-Length": str(length)})
    if name is not None:
        h["Upload-Metadata"] = named(name)
    if body is not None:
        h["Content-Type"] = BYTES
    h.update(more)
    return w.send("POST", to, user, h, body)


def made(w, length, **more):
    r = begin(w, length, **more)
    same(r.status, 201, r.body[:300])
    return r.header("Location")


def patch(w, at, offset, body, user="maija", **more):
    h = dict(TUS, **{"Upload-Offset": str(offset), "Content-Type": BYTES})
    h.update({k.replace("_", "-"): v for k, v in more.items()})
    return w.send("PATCH", at, user, h, body)


def head(w, at, user="maija"):
    return w.send("HEAD", at, user, TUS)


def offset(w, at):
    r = head(w, at)
    same(r.status, 200, "HEAD")
    return int(r.header("Upload-Offset"))


def uploaded(w, content, **more):
    at = made(w, len(content), **more)
    r = patch(w, at, 0, content)
    same((r.status, r.header("Upload-Offset")), (204, str(len(content))), r.body[:300])
    return at.split("/")[-1]


def file_it(w, upload, user="maija", to="/v1/documents", headers=None, **fields):
    h = dict(headers or {}, **{"Content-Type": "application/json"})
    return w.send("POST", to, user, h,
                  json.dumps({"upload": upload, "metadata": metadata(**fields)}).encode())


def folder(w):
    return os.path.join(w.dir, "spool", "uploads")


# ---- the protocol ----

def test_uploads__the_server_says_what_it_can():
    r = world().send("OPTIONS", "/v1/uploads")
    same(r.status, 204)
    same(r.header("Tus-Version"), "1.0.0")
    same(r.header("Tus-Extension"), "creation,creation-with-upload,termination,expiration")
    same(r.header("Tus-Max-Size"), str(4 << 30))


def test_uploads__without_the_protocol_s_version_is_412():
    w = world()
    at = made(w, 3)
    for method, path, more in (("POST", "/v1/uploads", {"Upload-Length": "3"}), ("HEAD", at, {}), ("DELETE", at, {}),
                               ("PATCH", at, {"Upload-Offset": "0", "Content-Type": BYTES})):
        for version in (None, "0.2.2", "1.0.0 "[:3]):
            h = dict(more, **({"Tus-Resumable": version} if version else {}))
            r = w.send(method, path, "maija", h, b"abc" if method == "PATCH" else None)
            same((r.status, r.header("Tus-Version")), (412, "1.0.0"), method)


def test_uploads__in_pieces_becomes_a_document():
    w = world()
    content = os.urandom(1 << 16).hex().encode() * 20 + b"\nloppu\n"
    at = made(w, len(content))
    r = head(w, at)
    same((r.header("Upload-Offset"), r.header("Upload-Length")), ("0", str(len(content))))
    same((r.header("Cache-Control"), r.header("Tus-Resumable")), ("no-store", "1.0.0"))
    same(r.header("Upload-Metadata"), named("kertomus.txt"))
    check(r.header("Upload-Expires").endswith("GMT"), r.header("Upload-Expires"))
    done = 0
    for size in (1, 7, MIB, 4096, MIB + 1, len(content)):
        body = content[done:done + size]
        r = patch(w, at, done, body)
        done += len(body)
        same((r.status, r.header("Upload-Offset")), (204, str(done)))
        same(offset(w, at), done)
    upload = at.split("/")[-1]
    for path in os.listdir(folder(w)):
        with open(os.path.join(folder(w), path), "rb") as f:
            check(content[:64] not in f.read(), "plain bytes on the disk")
    r = file_it(w, upload)
    same(r.status, 201, r.body[:300])
    d = r.json()
    same((d["fileName"], d["size"], d["sha256"]), ("kertomus.txt", len(content), hashlib.sha256(content).hexdigest()))
    same(w.get("/v1/documents/%s/versions/1/content" % d["id"]).body, content)
    check(upload not in os.listdir(folder(w)), "the pieces are gone")
    same(offset(w, at), len(content), "what was filed is complete")


def test_uploads__with_the_first_request():
    w = world()
    r = begin(w, 6, body=b"abc")
    same((r.status, r.header("Upload-Offset")), (201, "3"))
    at = r.header("Location")
    same(patch(w, at, 3, b"def").status, 204)
    same(file_it(w, at.split("/")[-1]).status, 201)


def test_uploads__a_wrong_offset_changes_nothing():
    w = world()
    at = made(w, 10)
    same(patch(w, at, 0, b"abc").status, 204)
    for wrong in ("0", "2", "4", "10", "11"):
        same(patch(w, at, wrong, b"xyz").status, 409, wrong)
    for wrong in ("-1", "+3", " 3x", "", "3.0", "0x3", "99999999999999999999"):
        same(patch(w, at, wrong, b"xyz").status, 400, wrong)
    same(offset(w, at), 3)


def test_uploads__more_than_was_announced_is_413():
    w = world()
    at = made(w, 3)
    same(patch(w, at, 0, b"abcd").status, 413)
    r = patch(w, at, 0, iter([b"ab", b"cd"]))
    same(r.status, 413, "chunked")
    check(offset(w, at) <= 3, offset(w, at))
    same(begin(w, 3, body=b"abcd").status, 413)


def test_uploads__of_five_gigabytes_is_refused():
    w = world()
    same(begin(w, 5 << 30).status, 413)
    same(begin(w, (4 << 30) + 1).status, 413)


def test_uploads__malformed_requests_are_refused():
    w = world()
    for more in ({"Upload-Length": "x"}, {"Upload-Length": "-3"}, {"Upload-Length": ""}, {"Upload-Defer-Length": "1"},
                 {"Upload-Concat": "partial"}, {"Upload-Metadata": "filename ???"}, {"Upload-Metadata": "filename YQ==,"},
                 {"Upload-Metadata": "filename YQ==,filename Yg=="}, {"Upload-Metadata": "filename YQ== YQ=="},
                 {"Upload-Metadata": "filename " + b64(b"\xff\xfe")}, {"Upload-Metadata": "filename " + b64("a\0b")},
                 {"Upload-Metadata": "filename " + b64("x" * 1001)}, {"Upload-Metadata": "filetype " + b64("a\nb")}):
        same(begin(w, 3, **more).status, 400, more)
    same(begin(w, 3, body=b"abc", **{"Content-Type": "text/plain"}).status, 415)
    at = made(w, 3)
    for ct in ("text/plain", "application/octet-stream", ""):
        same(patch(w, at, 0, b"abc", Content_Type=ct).status, 415, ct)
    same(offset(w, at), 0)


def test_uploads__hostile_file_names_stay_names():
    w = world()
    for name, want in (('a"b\'c;d.txt', 'a"b\'c;d.txt'), ("rivi\nvaihto\r\n.txt", "rivi\nvaihto\r\n.txt"),
                       ("\U0001f9f8\u202egpj.txt", "\U0001f9f8\u202egpj.txt"), ("../../etc/passwd", "passwd"),
                       ("/", None), ("<script>alert(1)</script>.txt", "script>.txt"), ("..", ".."), ("", None)):
        upload = uploaded(w, b"sisalto %d\n" % len(name), name=name)
        r = file_it(w, upload)
        same((r.status, r.json().get("fileName")), (201, want), repr(name))
        r = w.get("/v1/documents/%s/versions/1/content" % r.json()["id"])
        same(r.status, 200)
        check("\n" not in (r.header("Content-Disposition") or ""), r.header("Content-Disposition"))


def test_uploads__are_their_owner_s_alone():
    w = world()
    at = made(w, 3)
    upload = at.split("/")[-1]
    same(head(w, at, "risto").status, 404)
    same(patch(w, at, 0, b"abc", user="risto").status, 404)
    same(w.send("DELETE", at, "risto", TUS).status, 404)
    same(patch(w, at, 0, b"abc").status, 204)
    same(file_it(w, upload, "risto").status, 404)
    for user in ("aino", "helmi", "hanna", "ylla"):
        same(begin(w, 3, user=user).status, 403, user)
        same(head(w, at, user).status, 403, user)
    same(head(w, "/v1/uploads/" + "0" * 32).status, 404)
    same(head(w, "/v1/uploads/..%2f..%2flock").status in (400, 404), True)


def test_uploads__what_is_ended_is_gone():
    w = world()
    at = made(w, 6, body=b"abc")
    upload = at.split("/")[-1]
    check(upload in os.listdir(folder(w)), "there")
    same(w.send("DELETE", at, "maija", TUS).status, 204)
    check(upload not in os.listdir(folder(w)), "gone")
    same(w.send("DELETE", at, "maija", TUS).status, 404)
    same(head(w, at).status, 404)
    same(patch(w, at, 3, b"def").status, 404)


def half_sent(w, at, first, announced, at_offset=0):
    """A PATCH that stays open after its first bytes."""
    s = socket.create_connection(("127.0.0.1", w.port), 10)
    s.sendall(("PATCH %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nTus-Resumable: 1.0.0\r\n"
               "Upload-Offset: %d\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n"
               % (at, w.token("maija"), at_offset, BYTES, announced)).encode() + first)
    return s


def until(what, seconds=10):
    end = time.monotonic() + seconds
    while not what():
        check(time.monotonic() < end, "in time")
        time.sleep(0.05)


def status_of(s):
    """What a half-sent PATCH is answered when the rest of it comes, or None when its line is closed."""
    s.settimeout(60)
    line = s.makefile("rb").readline()
    return int(line.split()[1]) if line else None


def test_uploads__two_do_not_send_at_once():
    w = world()
    at = made(w, 20)
    old = half_sent(w, at, b"abc", 10)
    # the line is silent and not closed, as that of a phone that changed its network
    until(lambda: head(w, at).header("Upload-Offset") == "3")
    same(patch(w, at, 3, b"d").status, 204, "nobody waits for a silent line")
    old.sendall(b"XXXXXXX")
    same(status_of(old), 423, "the older request has lost its turn")
    same(offset(w, at), 4, "and its bytes count no more")
    newer = half_sent(w, at, b"ef", 10, 4)
    until(lambda: head(w, at).header("Upload-Offset") == "6")
    same(patch(w, at, 6, b"g" * 14).status, 204)
    newer.close()
    last = made(w, 20)
    held = half_sent(w, last, b"abc", 10)
    same(w.send("DELETE", last, "maija", TUS).status, 204, "nor is one that is not wanted any more")
    held.close()


def test_uploads__of_another_keep_their_turn():
    w = world()
    at = made(w, 20)
    s = half_sent(w, at, b"abc", 10)
    for _ in range(20):
        same(head(w, at, "risto").status, 404)
    s.sendall(b"defghij")
    same(status_of(s), 204)
    same(offset(w, at), 10)


def test_uploads__go_on_after_a_kill():
    w = Archive().serve()
    content = b"\0\1\2\3" * (3 * MIB // 4)  # no text: stopping would wait for its words
    at = made(w, len(content), **{"Upload-Metadata": named("a.bin", "application/octet-stream")})
    same(patch(w, at, 0, content[:2 * MIB + 17]).status, 204)
    s = half_sent(w, at, content[2 * MIB + 17:2 * MIB + 9000], MIB - 17, 2 * MIB + 17)
    time.sleep(0.3)
    w.stop(signal.SIGKILL)
    s.close()
    # a piece that the power cut off in the middle
    with open(os.path.join(folder(w), at.split("/")[-1]), "ab") as f:
        f.write(b"\0\0\1\0" + os.urandom(100))
    w.serve()
    now = offset(w, at)
    check(2 * MIB + 17 <= now <= len(content), now)
    same(patch(w, at, now, content[now:]).status, 204)
    r = file_it(w, at.split("/")[-1])
    same((r.status, r.json().get("sha256")), (201, hashlib.sha256(content).hexdigest()), r.body[:200])
    w.stop()
    same(w.verify().returncode, 0)


# ---- filing ----

def test_uploads__filed_only_when_complete():
    w = world()
    at = made(w, 6, body=b"abc")
    r = file_it(w, at.split("/")[-1])
    same((r.status, r.json()["type"]), (409, "urn:arkki:problem:upload-incomplete"))
    same(file_it(w, "0" * 32).status, 404)
    same(file_it(w, "../../lock").status, 404)
    for body in (b"{}", b"[]", b"x", b'{"upload":7,"metadata":{}}', b'{"upload":"%s"}' % (b"0" * 32)):
        same(w.send("POST", "/v1/documents", "maija", {"Content-Type": "application/json"}, body).status, 400, body)
    r = file_it(w, at.split("/")[-1], type="poem")
    same((r.status, r.fields()), (422, ["type"]))


def test_uploads__an_empty_one_is_refused_when_filed():
    w = world()
    at = made(w, 0)
    same(offset(w, at), 0)
    same(file_it(w, at.split("/")[-1]).status, 422)


def test_uploads__filed_twice_is_one_document():
    w = world()
    upload = uploaded(w, b"kerran\n" * 300000)
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(file_it(w, upload))) for _ in range(3)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    answers.append(file_it(w, upload))
    same([a.status for a in answers], [201] * 4, [a.body[:200] for a in answers])
    same(len({a.json()["id"] for a in answers}), 1)
    same(answers[-1].header("Idempotency-Replayed"), "true")


def test_uploads__filed_once_when_the_row_was_lost_after_the_commit():
    w = Archive().serve()
    upload = uploaded(w, b"ennen kaatumista\n")
    w.stop()
    before = {n: open(os.path.join(w.dir, n), "rb").read() for n in os.listdir(w.dir) if n.startswith("state.sqlite")}
    piece = os.path.join(folder(w), upload)
    with open(piece, "rb") as f:
        bytes_before = f.read()
    w.serve()
    first = file_it(w, upload)
    same(first.status, 201, first.body[:200])
    w.stop(signal.SIGKILL)
    for n in list(os.listdir(w.dir)):
        if n.startswith("state.sqlite"):
            os.unlink(os.path.join(w.dir, n))
    for n, b in before.items():
        with open(os.path.join(w.dir, n), "wb") as f:
            f.write(b)
    with open(piece, "wb") as f:
        f.write(bytes_before)
    w.serve()
    again = file_it(w, upload)
    same((again.status, again.json()["id"]), (201, first.json()["id"]), again.body[:200])
    check(upload not in os.listdir(folder(w)), "the pieces are gone now")
    w.stop()


def test_uploads__as_a_version():
    w = world()
    doc = w.file(content=b"yksi\n").id
    to = "/v1/documents/%s/versions" % doc
    upload = uploaded(w, b"kaksi\n")
    same(file_it(w, upload, to=to).status, 428)
    same(file_it(w, upload, to=to, headers={"If-Match": '"x"'}).status, 412)
    r = file_it(w, upload, to=to, headers={"If-Match": w.etag(doc)}, title="Uusi")
    same((r.status, r.json()["version"], r.json()["title"]), (201, 2, "Uusi"), r.body[:200])
    same(w.get("/v1/documents/%s/versions/2/content" % doc).body, b"kaksi\n")
    upload = uploaded(w, b"kaksi\n")
    r = file_it(w, upload, to=to, headers={"If-Match": w.etag(doc)})
    same((r.status, r.json()["type"]), (409, "urn:arkki:problem:already-filed"))


def test_uploads__damaged_bytes_are_never_filed():
    w = Archive().serve()
    at = made(w, 3 * MIB, body=os.urandom(3 * MIB))
    path = os.path.join(folder(w), at.split("/")[-1])
    with open(path, "r+b") as f:
        f.seek(MIB + MIB // 2)
        b = f.read(1)
        f.seek(-1, os.SEEK_CUR)
        f.write(bytes([b[0] ^ 1]))
    r = file_it(w, at.split("/")[-1])
    check(r.status >= 500, r.status, r.body[:200])
    same(w.listed(), [])
    w.stop()


# ---- who, and how long ----

def test_uploads__end_with_the_account():
    w = Archive().serve()
    at = made(w, 6, user="sirpa", body=b"abc")
    upload = at.split("/")[-1]
    p = w.run("account", "close", w.dir, "sirpa")
    if p.returncode:
        r = w.send("PATCH", "/v1/users/sirpa", "ylla", {"Content-Type": "application/json"}, b'{"state":"closed","reason":"x"}')
        same(r.status, 200, r.body[:300])
    same(head(w, at, "sirpa").status, 401)
    w.stop()
    w.serve()
    until(lambda: upload not in os.listdir(folder(w)))
    w.stop()


def test_uploads__are_not_in_a_backup():
    w = Archive().serve()
    made(w, 6, body=b"abc")
    w.stop()
    there = os.path.join(w.top, "copy")
    p = w.run("backup", w.dir, there)
    same(p.returncode, 0, p.stderr)
    for place, _, names in os.walk(there):
        check("uploads" not in place and not any(n.startswith("spool") for n in names), place, names)


def test_uploads__a_file_that_nobody_knows_is_removed():
    w = Archive().serve()
    made(w, 6, body=b"abc")
    w.stop()
    stray = os.path.join(folder(w), "ab" * 16)
    with open(stray, "wb") as f:
        f.write(b"x")
    w.serve()
    until(lambda: not os.path.exists(stray))
    same(len(os.listdir(folder(w))), 1, "the other stays")
    w.stop()
    same(w.verify().returncode, 0)


# ---- for our own pages ----

def signed_in(w):
    b = Browser(w)
    same(b.submit(b.get("/fi/sign-in"), "/fi/sign-in", token=w.token("maija")).status, 303)
    return b


def page_send(b, method, path, body=None, **headers):
    h = dict(TUS, Cookie="; ".join("%s=%s" % c for c in b.jar.items()))
    h.update({k.replace("_", "-"): v for k, v in headers.items()})
    return b.w.send(method, path, None, h, body)


def test_uploads__of_a_session_ask_for_the_form_s_token():
    w = world()
    b = signed_in(w)
    for more in ({}, {"Arkki_Form": "0" * 32}, {"Arkki_Form": "x"}):
        same(page_send(b, "POST", "/fi/uploads", Upload_Length="3", **more).status, 403, more)
    same(page_send(b, "POST", "/v1/uploads", Upload_Length="3").status, 401, "the API never goes by the cookie")
    b.jar.clear()
    same(page_send(b, "POST", "/fi/uploads", Upload_Length="3").status, 303, "to the sign-in page")


def test_uploads__of_a_session_are_those_of_its_account():
    w = world()
    b = signed_in(w)
    token = re.search(r'data-form="([0-9a-f]{32})"', b.get("/fi/file/new").body.decode())
    if not token:
        raise Skip("no page has the form yet")
    h = {"Arkki_Form": token.group(1)}
    batch = "ab" * 16
    r = page_send(b, "POST", "/fi/uploads", Upload_Length="3",
                  Upload_Metadata=named("a.txt") + ",batch " + b64(batch), **h)
    same(r.status, 201, r.body[:300])
    at = r.header("Location")
    check(at.startswith("/fi/uploads/"), at)
    same(page_send(b, "PATCH", at, b"abc", Upload_Offset="0", Content_Type=BYTES, Sec_Fetch_Site="cross-site", **h).status, 403)
    same(page_send(b, "PATCH", at, b"abc", Upload_Offset="0", Content_Type=BYTES, **h).status, 204)
    same(page_send(b, "HEAD", at).header("Upload-Offset"), "3")
    same(offset(w, at.replace("/fi/", "/v1/")), 3)
    same(page_send(b, "DELETE", at).status, 403)
    same(page_send(b, "DELETE", at, **h).status, 204)
