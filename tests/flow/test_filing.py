"""Filing documents: the multipart body, the metadata, the content, the repeated request."""

import hashlib
import json
import os
import random
import socket
import threading
import time

from arkki_flow import (BOUNDARY, MIB, check, form, form_of, metadata, part, raw, same, world)


def sha(b):
    return hashlib.sha256(b).hexdigest()


def test_filing__answers_the_whole_document():
    w = world()
    body = "Tarkastus tehtiin.\n".encode()
    r = w.file(content=body, case="c1", author="lvv", state="draft", visitDate="2026-03-10",
               publicTitle="Julkinen nimi",
               publicity={"class": "secret", "ground": "JulkL 24 § 1 mom. 25 k", "from": "2026-03-12",
                          "until": "2076-03-12"})
    d = r.doc
    same(r.header("Location"), "/v1/documents/" + d["id"])
    check(len(d["id"]) == 32 and set(d["id"]) <= set("0123456789abcdef"), "id", d["id"])
    for field, want in {"units": ["koivula"], "case": "c1", "type": "inspection-report",
                        "title": "Tarkastuskertomus", "publicTitle": "Julkinen nimi", "language": "fi",
                        "date": "2026-03-12", "author": "lvv", "state": "draft", "visitDate": "2026-03-10",
                        "version": 1, "versions": 1, "filedBy": "maija", "fileName": "kertomus.txt",
                        "mediaType": "text/plain", "size": len(body), "sha256": sha(body),
                        "publicity": {"class": "secret", "ground": "JulkL 24 § 1 mom. 25 k",
                                      "from": "2026-03-12", "until": "2076-03-12"}}.items():
        same(d.get(field), want, field)
    check(d["text"]["state"] in ("pending", "ready", "none"), d["text"])
    check(d["filedAt"].endswith("Z") and "T" in d["filedAt"], d["filedAt"])
    check(r.etag and r.etag.startswith('"'), "a strong tag", r.etag)
    again = w.get("/v1/documents/" + d["id"])
    same(again.status, 200)
    same({k: v for k, v in again.json().items() if k != "text"}, {k: v for k, v in d.items() if k != "text"})


def test_filing__optional_fields_have_their_defaults():
    d = world().file().doc
    same(d["author"], "lvv")
    same(d["state"], "final")
    same(d["publicity"], {"class": "public"})
    same(d["case"], None)


def test_filing__without_a_file_name_has_none():
    w = world()
    m = part("metadata", json.dumps(metadata()).encode(), "application/json")
    for name in (None, ""):
        body, ct = form_of(m, part("content", b"nimeton\n", None, name))
        r = w.send("POST", "/v1/documents", "maija", {"Content-Type": ct}, body)
        same((r.status, r.json().get("fileName", "missing")), (201, None))


def test_filing__a_title_comes_back_unchanged():
    w = world()
    base = 'Å"\'\\<b>&amp;\n\tä'
    combining = "e\u0301a\u0308" * 100
    emoji = "\U0001f9f8\u200d\ufe0f"
    title = (base + combining + emoji + "x" * 500)[:500]
    for t in (title, "a", " ", "\u2028", "e\u0301", "\ufeffalku", "\U0001f9f8" * 500, "\u00e9 \u0065\u0301"):
        r = w.file(title=t)
        same(r.doc["title"], t, "in the answer")
        same(w.json("/v1/documents/" + r.id)["title"], t, "read back")


def errors_of(meta, w=None, **more):
    r = (w or world()).post_document(meta, **more)
    same(r.status, 422, json.dumps(meta)[:100], r.body[:300])
    same(r.header("Content-Type").split(";")[0], "application/problem+json")
    same(r.json()["status"], 422)
    for e in r.json()["errors"]:
        check(e["field"] and e["code"] and e["detail"], e)
    return r.fields()


def test_filing__each_missing_field_is_named():
    for field in ("units", "type", "title", "language", "date"):
        same(errors_of(metadata(**{field: None})), [field])
    check("publicity/class" in errors_of(metadata(publicity=None)) or
          "publicity.class" in errors_of(metadata(publicity=None)), "publicity.class")
    check(len(errors_of({})) >= 6, "all at once")


def test_filing__wrong_fields_are_named():
    for change, field in (
            ({"colour": "red"}, "colour"), ({"id": "x"}, "id"), ({"version": 3}, "version"),
            ({"title": "x" * 501}, "title"), ({"title": ""}, "title"), ({"title": 7}, "title"),
            ({"title": "\U0001f9f8" * 501}, "title"), ({"units": "koivula"}, "units"),
            ({"units": ["nowhere"]}, "units"), ({"units": []}, "units"), ({"units": [7]}, "units"),
            ({"type": "poem"}, "type"), ({"type": ["memo"]}, "type"), ({"language": "suomi"}, "language"),
            ({"language": 1}, "language"), ({"date": "12.3.2026"}, "date"), ({"date": "2026-02-30"}, "date"),
            ({"date": "1799-12-31"}, "date"), ({"date": "2201-01-01"}, "date"), ({"date": 20260312}, "date"),
            ({"case": "nocase"}, "case"), ({"author": "nobody"}, "author"), ({"state": "ready"}, "state"),
            ({"visitDate": "yesterday"}, "visitDate"), ({"publicity": []}, "publicity"),
            ({"publicTitle": "y" * 501}, "publicTitle")):
        got = errors_of(metadata(**change))
        check(any(f == field or f.startswith(field + "/") for f in got), change, got)
    for p in ({"class": "open"}, {"class": 1}, {"ground": "x"}, {"class": "secret", "until": "never"},
              {"class": "secret", "why": "x"}):
        got = errors_of(metadata(publicity=p))
        check(all(f.startswith("publicity") for f in got), p, got)


def test_filing__the_bounds_of_dates_are_accepted():
    for date in ("1800-01-01", "2200-12-31", "2024-02-29"):
        same(world().file(date=date).doc["date"], date)


def test_filing__a_regional_document_needs_no_unit():
    w = world()
    same(w.file(units=[], type="supervision-plan").doc["units"], [])
    same(errors_of(metadata(units=[])), ["units"])


def test_filing__metadata_that_is_no_json_is_400():
    w = world()
    for text in (b"", b"{", b"nonsense", b'{"title":"a","title":"b"}', b'{"title":"\xff"}', b"\xef\xbb\xbf{}",
                 b'{"title":"\\ud800"}', b"[" * 100000):
        r = w.post_document(text)
        same(r.status, 400, text[:40], r.body[:200])
    for text in (b"[]", b'"x"', b"7", b"null"):
        check(w.post_document(text).status in (400, 422), text)


def test_filing__parts_out_of_order_are_400():
    w = world()
    m = part("metadata", json.dumps(metadata()).encode(), "application/json")
    c = part("content", b"text\n", None, "a.txt")
    for parts in ((c, m), (m,), (c,), (m, m, c), (m, c, c), (m, part("other", b"x"), c), ()):
        body, ct = form_of(*parts)
        r = w.send("POST", "/v1/documents", "maija", {"Content-Type": ct}, body)
        same(r.status, 400, len(parts), r.body[:200])
        check(r.json()["title"], "a problem")


def test_filing__another_body_is_415():
    w = world()
    for ct in ("application/xml", "text/plain", "application/x-www-form-urlencoded"):
        same(w.send("POST", "/v1/documents", "maija", {"Content-Type": ct}, b"{}").status, 415, ct)
    # JSON names an upload (test_uploads)
    same(w.send("POST", "/v1/documents", "maija", {"Content-Type": "application/json"}, b"{}").status, 400)
    check(w.send("POST", "/v1/documents", "maija", {"Content-Type": "multipart/form-data"}, b"x").status == 400,
          "no boundary")


def test_filing__the_bytes_decide_the_media_type():
    w = world()
    pdf = b"%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
    png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89"
    same(w.file(content=pdf, name="kuva.png").doc["mediaType"], "application/pdf")
    same(w.file(content=pdf, media_type="application/pdf").doc["mediaType"], "application/pdf")
    same(w.file(content=png, name="a.pdf", media_type="application/octet-stream").doc["mediaType"], "image/png")
    same(w.file(content=b"pelkkaa tekstia\n", name="a.pdf", media_type="application/octet-stream")
         .doc["mediaType"], "text/plain")
    same(w.file(content=b"teksti\n", media_type="text/plain; charset=utf-8").doc["mediaType"], "text/plain")
    same(w.file(content=b"\x01\x02\x03\xfe\xff\0\x05" * 9).doc["mediaType"], "application/octet-stream")
    for content, said in ((b"pelkkaa tekstia\n", "application/pdf"), (pdf, "image/png"), (pdf, "text/plain"),
                          (png, "application/pdf"), (b"teksti\n", "image/jpeg")):
        r = w.post_document(metadata(), content, media_type=said)
        same(r.status, 422, said, r.body[:200])
        same(r.fields(), ["content"])


def test_filing__empty_content_is_422():
    r = world().post_document(metadata(), b"")
    same(r.status, 422)
    same(r.fields(), ["content"])


def test_filing__a_file_name_comes_back():
    w = world()
    for name in ("Äänekoski – käynti.txt", "a;b=c,d.txt", "emoji \U0001f9f8.txt", "e\u0301.txt", "..", "x" * 200):
        r = w.file(name=name)
        same(r.doc["fileName"], name)
        c = w.get("/v1/documents/%s/versions/1/content" % r.id)
        same(c.status, 200)
        check("\n" not in c.header("Content-Disposition"), "header")
    # what is a path to the sender is a name here
    same(w.file(name="/etc/passwd").doc["fileName"], "passwd")


def test_filing__quotes_in_a_file_name_come_back():
    w = world()
    m = part("metadata", json.dumps(metadata()).encode(), "application/json")
    for written, name in ((b'a \\"b\\" c.txt', 'a "b" c.txt'), (b"a %22b%22.txt", 'a "b".txt')):
        c = (b"--" + BOUNDARY.encode() + b'\r\nContent-Disposition: form-data; name="content"; filename="' +
             written + b'"\r\n\r\nteksti\n\r\n')
        body, ct = form_of(m, c)
        r = w.send("POST", "/v1/documents", "maija", {"Content-Type": ct}, body)
        same(r.status, 201, r.body[:200])
        same(r.json()["fileName"], name)


def test_filing__a_body_cut_short_leaves_nothing():
    w = world()
    before = len(w.listed("/v1/documents?type=opinion"))
    commits = w.json("/v1/status", "ylla")["sequence"]
    for content in (b"a" * 1000, b"b" * (3 * MIB)):
        body, ct = form(metadata(type="opinion"), content)
        head = ("POST /v1/documents HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: %s\r\n"
                "Content-Length: %d\r\n\r\n" % (w.token("maija"), ct, len(body))).encode()
        for cut in (len(body) - 1, len(body) // 2, 200):
            s = socket.create_connection(("127.0.0.1", w.port), 10)
            s.sendall(head + body[:cut])
            time.sleep(0.02)
            s.close()
        # whole for HTTP, but the form lacks its end
        short = body[:-10]
        r = w.send("POST", "/v1/documents", "maija", {"Content-Type": ct}, short)
        same(r.status, 400)
    time.sleep(0.3)
    same(len(w.listed("/v1/documents?type=opinion")), before, "documents")
    same(w.json("/v1/status", "ylla")["sequence"], commits, "commits")
    same(os.listdir(os.path.join(w.dir, "spool")), [], "spool")


def test_filing__a_large_file_comes_back_byte_for_byte():
    w = world()
    big = random.Random(7).randbytes(40 * MIB + 12345)
    body, ct = form(metadata(title="iso"), big, "iso.bin")
    r = w.send("POST", "/v1/documents", "maija", {"Content-Type": ct}, body)
    same(r.status, 201, r.body[:200])
    chunks = (body[i:i + 65521] for i in range(0, len(body), 65521))
    r2 = w.send("POST", "/v1/documents", "maija", {"Content-Type": ct, "Transfer-Encoding": "chunked"}, chunks)
    same(r2.status, 201, r2.body[:200])
    for doc in (r.json(), r2.json()):
        same((doc["size"], doc["sha256"]), (len(big), sha(big)))
        url = "/v1/documents/%s/versions/1/content" % doc["id"]
        same(sha(w.get(url).body), sha(big))
        for a, b in ((MIB - 3, MIB + 3), (0, 0), (MIB, MIB), (MIB - 1, MIB - 1), (5 * MIB - 100, 7 * MIB + 100),
                     (16399, 16401), (len(big) - 1, len(big) - 1), (39 * MIB, len(big) - 1)):
            part_ = w.get(url, Range="bytes=%d-%d" % (a, b))
            same(part_.status, 206)
            check(part_.body == big[a:b + 1], "range", a, b)


def test_filing__sizes_about_a_chunk_come_back():
    w = world()
    r = random.Random(8)
    for size in (1, 16383, 16384, 16385, 32768, MIB - 1, MIB, MIB + 1, MIB + 16384, 2 * MIB):
        b = r.randbytes(size)
        doc = w.file(content=b).id
        check(w.get("/v1/documents/%s/versions/1/content" % doc).body == b, size)


def test_filing__a_repeated_request_files_once():
    w = world()
    h = {"Idempotency-Key": "avain-1 \"x\""}
    first = w.file(headers=h)
    r = w.post_document(metadata(), headers=h)
    same(r.status, 201)
    same(r.json()["id"], first.id)
    same(r.header("Location"), first.header("Location"))
    for other in (w.post_document(metadata(title="toinen"), headers=h),
                  w.post_document(metadata(), b"muut tavut\n", headers=h)):
        same(other.status, 422, "the key stands for another request", other.body[:200])
    # another person's key of the same text is another key
    check(w.post_document(metadata(), user="risto", headers=h).json()["id"] != first.id)
    same(w.post_document(metadata(), headers={"Idempotency-Key": "k" * 256}).status, 400)


def test_filing__repeated_at_the_same_time_files_once():
    w = world()
    got = []

    def one():
        got.append(w.post_document(metadata(), headers={"Idempotency-Key": "yhta-aikaa"}))
    ts = [threading.Thread(target=one) for _ in range(8)]
    [t.start() for t in ts]
    [t.join() for t in ts]
    same({r.status for r in got}, {201})
    same(len({r.json()["id"] for r in got}), 1)


def test_filing__is_refused_without_the_right():
    w = world()
    for user in ("helmi", "hanna", "aada", "ylla", "kone"):
        same(w.post_document(metadata(), user=user).status, 403, user)
    same(w.post_document(metadata(units=["mantyla"])).status, 403, "a unit of another county")
    same(w.post_document(metadata(units=["koivula", "mantyla"])).status, 403, "one unit of another county")
    same(w.post_document(metadata(author="pirha")).status, 403, "for another organisation")
    same(w.post_document(metadata(author="esavi")).status, 201, "what a predecessor wrote")
    same(w.post_document(metadata(units=["mantyla"]), user="pertti").status, 201)
    same(w.post_document(metadata(), user="pertti").status, 403)
    for user in ("maija", "risto", "sirpa", "ulla"):
        same(w.post_document(metadata(), user=user).status, 201, user)


def test_filing__bad_metadata_is_told_before_the_missing_right():
    r = world().post_document(metadata(units=["mantyla"], title=""))
    same(r.status, 422)


def test_filing__without_a_good_token_is_401():
    w = world()
    body, ct = form(metadata(), b"x\n")
    for token in (None, "", "wrong", w.token("maija") + "x", w.token("maija")[:-1]):
        h = {"Content-Type": ct}
        if token is not None:
            h["Authorization"] = "Bearer " + token
        r = w.send("POST", "/v1/documents", None, h, body)
        same(r.status, 401, token)
        check(r.header("WWW-Authenticate", "").startswith("Bearer"), "WWW-Authenticate")
    h = {"Content-Type": ct, "Authorization": "Basic " + w.token("maija")}
    same(w.send("POST", "/v1/documents", None, h, body).status, 401)


def test_filing__expect_continue_is_refused_before_the_body():
    w = world()
    head = "POST /v1/documents HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Type: %s\r\n" \
           "Content-Length: 1000\r\nConnection: close\r\n\r\n" % form(metadata(), b"x")[1]
    got = raw(w.port, head.encode(), 5)
    check(got.startswith(b"HTTP/1.1 401"), got[:100])
