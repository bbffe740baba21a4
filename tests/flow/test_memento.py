"""Memento (RFC 7089): timemaps, timegates, mementos; of what the caller sees alone."""

import email.utils
import re
import time

from arkki_flow import check, same, world


def versions(w, doc, n, user="maija", **meta):
    """n versions, no two of which have the same second."""
    for i in range(n):
        time.sleep(1.1)
        r = w.version(doc, b"versio %d %d\n" % (i + 2, time.monotonic_ns()), meta, user)
        same(r.status, 201, r.body[:300])


def parsed(body):
    """[(target, {name: value})] of link-format."""
    out = []
    for target, params in re.findall(r"<([^>]*)>((?:; [a-z]+=\"[^\"]*\")*)", body):
        out.append((target, dict(re.findall(r"; ([a-z]+)=\"([^\"]*)\"", params))))
    return out


def mementos(w, doc, user="maija", of=""):
    r = w.get("/v1/documents/%s/timemap%s" % (doc, of), user)
    same((r.status, r.header("Content-Type")), (200, "application/link-format"), r.body[:300])
    return [(t, p["rel"], p["datetime"]) for t, p in parsed(r.body.decode()) if "memento" in p["rel"]]


def gate(w, doc, at=None, user="maija", path="timegate"):
    headers = {"Accept_Datetime": at} if at is not None else {}
    return w.get("/v1/documents/%s/%s" % (doc, path), user, **headers)


def shifted(date, seconds):
    return email.utils.formatdate(email.utils.parsedate_to_datetime(date).timestamp() + seconds, usegmt=True)


def test_memento__timemap_lists_versions_by_time():
    w = world()
    f = w.file(content=b"versio 1\n")
    versions(w, f.id, 2)
    base = "/v1/documents/" + f.id
    found = mementos(w, f.id)
    same([(t, r) for t, r, _ in found], [(base + "/versions/1", "first memento"), (base + "/versions/2", "memento"),
                                         (base + "/versions/3", "last memento")])
    links = parsed(w.get(base + "/timemap").body.decode())
    rels = {p["rel"]: (t, p) for t, p in links}
    same((rels["original"][0], rels["timegate"][0], rels["self"][0]), (base, base + "/timegate", base + "/timemap"))
    same((rels["self"][1]["from"], rels["self"][1]["until"]), (found[0][2], found[-1][2]))
    same([t for t, _, _ in mementos(w, f.id, of="?of=content")], [base + "/versions/%d/content" % n for n in (1, 2, 3)])
    same(mementos(w, w.file().id)[0][1], "first last memento")
    same(w.get(base + "/timemap?of=x").status, 400)


def test_memento__timegate_leads_to_the_version_of_then():
    w = world()
    f = w.file(content=b"versio 1\n")
    versions(w, f.id, 2)
    base = "/v1/documents/" + f.id
    dates = [d for _, _, d in mementos(w, f.id)]
    for path, tail in (("timegate", ""), ("content", "/content")):
        for at, n in ((dates[0], 1), (shifted(dates[1], -1), 1), (dates[1], 2), (dates[2], 3),
                      (shifted(dates[2], 99999), 3), (None, 3), (shifted(dates[0], -1), 1),
                      ("Thu, 01 Jan 1970 00:00:00 GMT", 1)):
            r = gate(w, f.id, at, path=path)
            same((r.status, r.header("Location")), (302, base + "/versions/%d%s" % (n, tail)), path, at)
            same(r.header("Vary").lower(), "accept-datetime")
            check('rel="original' in r.header("Link") and 'rel="timemap"' in r.header("Link"), r.header("Link"))
            check(r.header("Memento-Datetime") is None, "a timegate is no memento")


def test_memento__bad_dates_are_400():
    w = world()
    f = w.file()
    for bad in ("", "2026-03-12", "Thu, 12 Mar 2026 08:15:30", "Fri, 12 Mar 2026 08:15:30 GMT", "now",
                "Thu, 32 Mar 2026 08:15:30 GMT", "Thu, 12 Xxx 2026 08:15:30 GMT", "Thu, 12 Mar 2026 08:15:30 EET",
                "Thursday, 12-Mar-26 08:15:30 GMT", "Thu, 12 Mar 2026 25:15:30 GMT"):
        same(gate(w, f.id, bad).status, 400, bad)
        same(gate(w, f.id, bad, path="content").status, 400, bad)
        same(gate(w, "0" * 32, bad).status, 404, "404 comes first")


def test_memento__answers_say_when_and_of_what():
    w = world()
    f = w.file(content=b"versio 1\n")
    base = "/v1/documents/" + f.id
    date = mementos(w, f.id)[0][2]
    for tail, original in (("", base), ("/content", base + "/content")):
        r = w.get(base + "/versions/1" + tail)
        same(r.header("Memento-Datetime"), date, tail)
        links = parsed(r.header("Link"))
        same([t for t, p in links if "original" in p["rel"]], [original])
        check(any("timegate" in p["rel"] for _, p in links) and any(p["rel"] == "timemap" for _, p in links), links)
        again = w.get(base + "/versions/1" + tail, If_None_Match=r.header("ETag"))
        same((again.status, again.header("Memento-Datetime")), (304, date), tail)
        same(w.get(base + "/versions/1" + tail, If_Match='"x"').status, 412, tail)
    now = w.get(base)
    check(now.header("Memento-Datetime") is None, "the original is no memento")
    same([t for t, p in parsed(now.header("Link")) if p["rel"] == "timegate"], [base + "/timegate"])


def test_memento__a_hidden_version_is_none():
    w = world()
    f = w.file(content=b"julkinen\n")
    versions(w, f.id, 1, publicity={"class": "secret"})
    versions(w, f.id, 1, publicity={"class": "public"})
    same(len(mementos(w, f.id)), 3)
    seen = mementos(w, f.id, "helmi")
    base = "/v1/documents/" + f.id
    same([(t, r) for t, r, _ in seen], [(base + "/versions/1", "first memento"), (base + "/versions/3", "last memento")])
    hidden = mementos(w, f.id)[1][2]
    same(gate(w, f.id, hidden, "helmi").header("Location"), base + "/versions/1")
    secret = w.file(publicity="secret")
    for path in ("timegate", "timemap", "content", "timemap?of=content"):
        a, b = (w.get("/v1/documents/%s/%s" % (d, path), "helmi") for d in (secret.id, "f" * 32))
        same((a.status, a.body), (404, b.body), path)


def test_memento__of_a_public_rendition_is_of_its_filing():
    w = world()
    f = w.file(publicity="secret")
    time.sleep(1.1)
    r = w.send("PUT", "/v1/documents/%s/versions/1/renditions/public" % f.id, "maija", {"Content-Type": "text/plain"},
               b"julkinen osa\n")
    same(r.status, 201)
    whole, public = mementos(w, f.id)[0][2], mementos(w, f.id, "helmi")[0][2]
    check(whole != public, "the time of what is hidden")
    same(w.get("/v1/documents/%s/versions/1" % f.id, "helmi").header("Memento-Datetime"), public)
    same(w.get("/v1/documents/%s/timemap?of=content" % f.id, "helmi").status, 404)


def test_memento__looking_is_logged():
    w = world()
    f = w.file()
    before = len(w.audit(document=f.id))
    for path in ("timegate", "timemap", "content"):
        check(w.get("/v1/documents/%s/%s" % (f.id, path)).header("Arkki-Receipt"), path)
    same([e["kind"] for e in w.audit(document=f.id)[before:]], ["list"] * 3)
