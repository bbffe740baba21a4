"""Reading bytes: ranges, conditions, HEAD."""

import base64
import hashlib

from arkki_flow import check, same, world

BYTES = bytes((i * 7 + i // 251) % 256 for i in range(50000))


def content_of(w, content=BYTES, **fields):
    f = w.file(content=content, **fields)
    return f, "/v1/documents/%s/versions/1/content" % f.id


def test_content__has_its_headers():
    w = world()
    _, url = content_of(w, publicity="partly-secret")
    r = w.get(url)
    same(r.status, 200)
    check(r.body == BYTES, "bytes")
    same(r.header("Content-Length"), str(len(BYTES)))
    same(r.header("Accept-Ranges"), "bytes")
    want = "sha-256=:" + base64.b64encode(hashlib.sha256(BYTES).digest()).decode() + ":"
    same(r.header("Repr-Digest"), want)
    check(r.header("ETag").startswith('"'), "ETag")
    check("no-store" in r.header("Cache-Control"), "Cache-Control")
    same(r.header("X-Content-Type-Options"), "nosniff")
    check("sandbox" in r.header("Content-Security-Policy"), "filed HTML is no page of ours")
    check(r.header("Arkki-Receipt"), "receipt")


def test_content__ranges_are_served():
    w = world()
    _, url = content_of(w)
    n = len(BYTES)
    for asked, a, b in (("0-0", 0, 0), ("0-99", 0, 99), ("%d-" % (n - 1), n - 1, n - 1), ("-1", n - 1, n - 1),
                        ("-500", n - 500, n - 1), ("16380-16390", 16380, 16390), ("100-", 100, n - 1),
                        ("-%d" % (n + 9), 0, n - 1), ("49990-99999", 49990, n - 1), ("0-%d" % (1 << 70), 0, n - 1)):
        r = w.get(url, Range="bytes=" + asked)
        same(r.status, 206, asked)
        same(r.header("Content-Range"), "bytes %d-%d/%d" % (a, b, n), asked)
        check(r.body == BYTES[a:b + 1], asked)
        check(r.header("Repr-Digest"), "the digest is of the whole")
    for asked in ("%d-" % n, "99999-", "-0"):
        r = w.get(url, Range="bytes=" + asked)
        same(r.status, 416, asked)
        same(r.header("Content-Range"), "bytes */%d" % n)
    for asked in ("bytes=0-1,5-6", "bytes=5-2", "bytes=x", "lines=0-1", "bytes=", "bytes=-"):
        r = w.get(url, Range=asked)
        same(r.status, 200, asked)
        check(r.body == BYTES, asked)


def test_content__if_range_decides():
    w = world()
    _, url = content_of(w)
    tag = w.get(url).header("ETag")
    for if_range, status in ((tag, 206), ('"other"', 200), ("W/" + tag, 200),
                             ("Wed, 21 Oct 2015 07:28:00 GMT", 200)):
        same(w.get(url, Range="bytes=0-9", If_Range=if_range).status, status, if_range)


def test_content__conditions_of_a_read():
    w = world()
    f, url = content_of(w)
    tag = w.get(url).header("ETag")
    for u, t in ((url, tag), ("/v1/documents/" + f.id, w.settled(f.id))):
        for given in (t, "W/" + t, '"a", %s, "b"' % t, "*"):
            r = w.get(u, If_None_Match=given)
            same((r.status, r.body), (304, b""), u, given)
            check(r.header("ETag"), "304 has the tag")
        same(w.get(u, If_None_Match='"a"').status, 200)
        same(w.get(u, If_Match='"a"').status, 412)
        same(w.get(u, If_Match=t).status, 200)
    check(tag != w.etag(f.id), "content has its own tag")
    r = w.get(url, If_None_Match=tag, Range="bytes=0-1")
    same(r.status, 304, "the condition comes before the range")


def test_head__answers_like_get():
    w = world()
    f, url = content_of(w)
    w.settled(f.id)  # what is said of its text shall not change between the two
    for u in (url, "/v1/documents/" + f.id, "/v1/documents/%s/versions" % f.id, "/v1/units", "/v1/me",
              "/v1/documents/" + "0" * 32):
        g, h = w.get(u), w.send("HEAD", u)
        same(h.status, g.status, u)
        same(h.body, b"")
        for name in ("Content-Type", "Content-Length", "ETag", "Repr-Digest", "Accept-Ranges", "Content-Disposition"):
            same(h.header(name), g.header(name), u, name)
    r = w.send("HEAD", url, headers={"Range": "bytes=0-1"})
    check(r.status in (200, 206), "HEAD with a range")


def test_text__pending_says_when_to_come_again():
    w = world()
    f = w.file()
    r = w.get("/v1/documents/%s/versions/1/text" % f.id)
    if r.status == 503:
        check(r.header("Retry-After"), "Retry-After")
    else:
        same(r.status, 200)


def test_document__tag_survives_the_state_of_its_text():
    w = world()
    f = w.file()
    same(w.patch(f.id, {"title": "x"}, etag=f.etag).status, 200)


def test_document__an_invented_id_is_404():
    w = world()
    f = w.file()
    for d in ("0" * 32, "f" * 31, "x", "..", "%2e%2e", f.id.upper() if f.id.upper() != f.id else "A" * 32,
              f.id + "0", "%00", "a%2fb", "ä".encode().hex()):
        r = w.get("/v1/documents/" + d)
        check(r.status in (404, 400), d, r.status)
        check(r.header("Content-Type").startswith("application/problem+json"), d)


def test_purpose__is_percent_encoded_utf8():
    w = world()
    f = w.file()
    u = "/v1/documents/" + f.id
    same(w.get(u, Arkki_Purpose="valvontak%C3%A4ynti").status, 200)
    for bad in ("%", "%zz", "%ff", "a" * 5000):
        same(w.get(u, Arkki_Purpose=bad).status, 400, bad[:9])
    same(w.get(u, Arkki_Case="nocase").status, 400)
    same(w.get(u, Arkki_Case="c2").status, 200, "a case of another unit is only recorded")
