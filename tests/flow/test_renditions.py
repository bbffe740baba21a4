"""Public renditions: filed, read, searched as their own text, replaced, withdrawn; the original stays shut."""

import hashlib
import json
from urllib.parse import quote

from arkki_flow import Archive, check, form, same, world

PUBLIC = b"Julkinen osa: hoito oli asianmukaista. julkisana\n"
WHOLE = b"Salainen osa: lapsen nimi ja vamma. salasana\n"


def url_of(doc, n=1):
    return "/v1/documents/%s/versions/%d/renditions/public" % (doc, n)


def put(w, doc, body=PUBLIC, user="maija", n=1, **headers):
    h = {"Content-Type": "text/plain"}
    h.update({k.replace("_", "-"): v for k, v in headers.items()})
    return w.send("PUT", url_of(doc, n), user, h, body)


def filed(w, **fields):
    fields.setdefault("publicity", "partly-secret")
    f = w.file(content=WHOLE, name="salainen.txt", title="Salainen nimi salaotsikko", **fields)
    r = put(w, f.id, Content_Disposition="attachment; filename*=UTF-8''julkinen%20osa.txt")
    same(r.status, 201, r.body[:300])
    f.rendition = r
    return f


def test_rendition__is_stored_and_served():
    w = world()
    f = filed(w)
    same(f.rendition.header("Location"), url_of(f.id))
    d = f.rendition.json()
    same((d["size"], d["sha256"], d["mediaType"], d["fileName"]),
         (len(PUBLIC), hashlib.sha256(PUBLIC).hexdigest(), "text/plain", "julkinen osa.txt"))
    for user in ("maija", "helmi", "heikki", "hanna", "ulla", "aada"):
        r = w.get(url_of(f.id), user)
        same((r.status, r.body, r.header("ETag")), (200, PUBLIC, f.rendition.header("ETag")), user)
        same(w.get(url_of(f.id), user, Range="bytes=3-9").body, PUBLIC[3:10], user)
        same(w.get(url_of(f.id), user, If_None_Match=r.header("ETag")).status, 304, user)
        check('"julkinen osa.txt"' in r.header("Content-Disposition"), r.header("Content-Disposition"))
    w.until_indexed()
    same(w.get(url_of(f.id) + "/text", "helmi").body.strip(), PUBLIC.strip())
    same(w.json("/v1/documents/" + f.id)["renditions"], ["public"])
    reads = [e for e in w.audit(document=f.id) if e.get("detail") == {"rendition": "public"}]
    same(sorted({e["principal"] for e in reads}), sorted(["maija", "helmi", "heikki", "hanna", "ulla", "aada"]))


def test_rendition__shows_a_reader_nothing_of_the_original():
    w = world()
    f = filed(w, case="c1", publicTitle="Julkinen nimi")
    w.until_indexed()
    d = w.json("/v1/documents/" + f.id, "helmi")
    same((d["title"], d["size"], d["sha256"], d["fileName"], d["rendition"], d["publicity"], d["case"], d["filedBy"]),
         ("Julkinen nimi", len(PUBLIC), hashlib.sha256(PUBLIC).hexdigest(), "julkinen osa.txt", "public",
          {"class": "partly-secret"}, None, None))
    listed = [x for x in w.listed(user="helmi") if x["id"] == f.id]
    same(listed, [d])
    versions = w.json("/v1/documents/%s/versions" % f.id, "helmi")["versions"]
    same([(v["sha256"], v["filedBy"], v["reason"]) for v in versions], [(d["sha256"], None, None)])
    for tail in ("/content", "/text", "/proof"):
        r = w.get("/v1/documents/%s/versions/1%s" % (f.id, tail), "helmi")
        same(r.status, 403, tail)
        check(b"sala" not in r.body.lower().replace(b"salattu", b""), tail, r.body)
    same(w.json("/v1/documents/%s/history" % f.id, "helmi")["events"], [])
    same(w.patch(f.id, {"title": "x"}, "helmi", etag="*").status, 403)
    for u in ("", "/versions", "/versions/1", "/history"):
        check(b"salainen" not in w.get("/v1/documents/" + f.id + u, "helmi").body.lower(), u)
    same(w.json("/v1/documents/" + filed(w).id, "helmi")["title"], "tarkastuskertomus", "the type stands for a secret title")


def hits(w, user, **query):
    r = w.send("POST", "/v1/search", user, {"Content-Type": "application/json"}, json.dumps(dict(query, limit=100)))
    same(r.status, 200, r.body[:200])
    return r.json()


def test_rendition__is_found_by_its_own_words():
    w = world()
    a = filed(w, publicTitle="Julkiotsikko ainokainen", case="c1")
    w.until_indexed()
    for user, words, wanted in (("helmi", "julkisana", True), ("helmi", "salasana", False), ("helmi", "salaotsikko", False),
                                ("helmi", "ainokainen", True), ("maija", "salasana", True), ("maija", "julkisana", False),
                                ("maija", "salaotsikko", True), ("hanna", "salasana", True)):
        r = hits(w, user, q='"%s"' % words)
        found = [h for h in r["hits"] if h["document"] == a.id]
        same(bool(found), wanted, user, words)
        if user == "helmi" and found:
            same(found[0]["title"], "Julkiotsikko ainokainen")
            check("salai" not in found[0]["snippet"].lower(), found[0]["snippet"])
        if not wanted and user == "helmi":
            same((r["total"], sum(len(c) for c in r["facets"].values())), (0, 0), words, "no trace in counts")
    same([h for h in hits(w, "helmi", case="c1")["hits"] if h["document"] == a.id], [], "the case is not told")
    same(len([h for h in hits(w, "maija", q="")["hits"] if h["document"] == a.id]), 1, "once for who sees it whole")


def test_rendition__is_replaced_and_withdrawn_at_once():
    w = world()
    f = filed(w)
    tag = f.rendition.header("ETag")
    same(put(w, f.id).status, 200, "the same bytes")
    same(put(w, f.id, b"toinen osa\n").status, 428)
    same(put(w, f.id, b"toinen osa\n", If_Match='"x"').status, 412)
    r = put(w, f.id, b"toinen osa uusisana\n", If_Match=tag)
    same(r.status, 200, r.body[:200])
    same(w.get(url_of(f.id), "helmi").body, b"toinen osa uusisana\n")
    same(put(w, f.id, b"kolmas\n", If_Match=tag).status, 412, "the old tag")
    w.until_indexed()
    same([h["document"] for h in hits(w, "helmi", q="uusisana")["hits"]], [f.id])
    same(hits(w, "helmi", q="julkisana asianmukaista", unit="nounit")["total"], 0)
    check(f.id not in [h["document"] for h in hits(w, "helmi", q='"hoito oli asianmukaista"')["hits"]], "the old words")
    d = w.send("DELETE", url_of(f.id), "maija")
    same(d.status, 428)
    same(w.send("DELETE", url_of(f.id), "helmi", {"If-Match": r.header("ETag")}).status, 403)
    same(w.send("DELETE", url_of(f.id), "maija", {"If-Match": r.header("ETag")}).status, 204)
    for u in (url_of(f.id), "/v1/documents/" + f.id):
        same(w.get(u, "helmi").status, 404, u)
    check(f.id not in [h["document"] for h in hits(w, "helmi", q="uusisana")["hits"]], "gone before the index knows")
    w.until_indexed()
    same(hits(w, "helmi", q='"toinen osa uusisana"')["total"], 0)
    same(put(w, f.id, b"neljas\n").status, 201)
    same(w.get(url_of(f.id), "helmi").body, b"neljas\n")
    kinds = [e["kind"] for e in w.audit(log="history", document=f.id)]
    same(kinds.count("rendition"), 3, kinds)
    same(kinds.count("rendition-withdrawn"), 1, kinds)


def test_rendition__says_why_to_who_sees_the_whole_version_alone():
    w = world()
    f = w.file(content=WHOLE, name="salainen.txt", title="Salainen nimi", publicity="partly-secret")
    said = "[leak test: leaks, 2 of 5 removed words left] Tuulikki on <b>julkinen</b> nimi"
    r = w.send("PUT", url_of(f.id) + "?reason=" + quote("pyynnöstä " + said), "maija", {"Content-Type": "text/plain"}, PUBLIC)
    same(r.status, 201, r.body[:200])
    same(w.send("DELETE", url_of(f.id) + "?reason=v%C3%A4%C3%A4r%C3%A4", "maija", {"If-Match": r.header("ETag")}).status, 204)
    same(put(w, f.id).status, 201)
    path = "/v1/documents/%s/history" % f.id
    same([(e["kind"], e.get("reason")) for e in w.json(path)["events"][1:]],
         [("rendition", "pyynnöstä " + said), ("rendition-withdrawn", "väärä"), ("rendition", None)])
    for language, words in (("fi", "Arkistoitiin, vaikka vuototarkastus löysi poistettuja sanoja: 2 / 5."),
                            ("sv", "Arkiverades fast läckagetestet hittade borttagna ord: 2 av 5."),
                            ("en", "Filed although the leak test found removed words: 2 of 5.")):
        text = w.get("/%s/documents/%s/history" % (language, f.id)).body.decode()
        for part in (words, "pyynnöstä ", "Tuulikki on &lt;b&gt;julkinen&lt;/b&gt; nimi", "väärä"):
            check(part in text, part, text[text.find("amended") - 200:][:900])
        check("[leak test" not in text, "the mark")
    # who reads the rendition, and whoever reads the whole of it only since it was made public
    for made_public in (False, True):
        for path in ("/v1/documents/%s/history" % f.id, "/v1/documents/%s/versions" % f.id, "/fi/documents/%s/history" % f.id):
            body = w.get(path, "helmi").body.decode()
            check("Tuulikki" not in body and "leak test" not in body and "väärä" not in body, path, made_public)
        same(w.patch(f.id, {"publicity": {"class": "public"}}).status, 200)


def test_rendition__is_not_shown_of_drafts_and_coming_visits():
    w = world()
    for fields in ({"state": "draft"}, {"visitDate": "2199-01-01"}):
        f = filed(w, **fields)
        for u in (url_of(f.id), "/v1/documents/" + f.id):
            same(w.get(u, "helmi").status, 404, fields)
            same(w.get(u, "maija").status, 200, fields)


def test_rendition__is_filed_by_who_may():
    w = world()
    f = w.file(content=WHOLE, publicity="partly-secret")
    for user, status in (("helmi", 404), ("ulla", 403), ("kone", 403), ("hanna", 403), ("aada", 403), (None, 401)):
        same(put(w, f.id, user=user).status, status, user)
    same(put(w, f.id, b"").status, 422, "empty")
    same(put(w, f.id, b"\x00\x01\x02", Content_Type="application/pdf").status, 422, "no PDF")
    same(put(w, f.id, n=2).status, 404)
    same(put(w, "0" * 32).status, 404)
    same(w.get(url_of(f.id)).status, 404, "none yet")
    same(put(w, f.id, Content_Type="text/plain", Content_Disposition="attachment; filename*=UTF-8''%ff").status, 400)
    body, ct = form({"reason": "hakijalle"}, PUBLIC, "osa.txt")
    r = w.send("PUT", url_of(f.id), "maija", {"Content-Type": ct}, body)
    same((r.status, r.json()["fileName"]), (201, "osa.txt"))


def test_rendition__stays_through_restart_and_rebuild():
    a = Archive().serve()
    f = filed(a)
    a.until_indexed()
    before = [a.get(u, "helmi").body for u in (url_of(f.id), url_of(f.id) + "/text", "/v1/documents/" + f.id)]
    for what in ("catalogue", "index"):
        same(a.stop(), 0)
        p = a.run("rebuild", a.dir, what)
        same(p.returncode, 0, p.stderr)
        p = a.verify("--full")
        same(p.returncode, 0, p.stdout + p.stderr)
        a.serve()
        a.until_indexed()
        after = [a.get(u, "helmi").body for u in (url_of(f.id), url_of(f.id) + "/text", "/v1/documents/" + f.id)]
        same(after, before, what)
        same([h["document"] for h in hits(a, "helmi", q="julkisana")["hits"]], [f.id], what)
        same(hits(a, "helmi", q='"salasana"')["total"], 0, what)
    same(a.stop(), 0)
