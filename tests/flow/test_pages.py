"""The page of a document: what its reader may have, and what is logged of it."""

import re
import urllib.parse

from arkki_flow import check, same, world

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
ORIGINAL = b"Nukkuva vuoro ja salattua tietoa\n"
PUBLIC = b"Nukkuva vuoro ja [...]\n"


def put_rendition(w, f, content=PUBLIC):
    r = w.send("PUT", "/v1/documents/%s/versions/1/renditions/public" % f.id, "maija",
               {"Content-Type": "text/plain", "Content-Disposition": 'inline; filename="julkinen.txt"'}, content)
    same(r.status, 201, r.body[:300])


def hidden_field(page):
    return re.search(r'action="/fi/documents[^>]*><input type="hidden" name="form" value="([0-9a-f]{32})"',
                     page.body.decode()).group(1)


def post(w, path, user="maija", headers=None, **fields):
    return w.send("POST", path, user, dict(FORM, **(headers or {})), urllib.parse.urlencode(fields))


def logged(w, doc, after=0):
    return [(e["kind"], e["outcome"], e.get("purpose"), e.get("case")) for e in w.audit(document=doc)
            if e["index"] >= after]


def secret(w, **more):
    f = w.file(content=ORIGINAL, publicity="secret", case="c1", title="Ilmoitus", publicTitle="Kirje",
               name="salainen-nimi.txt", **more)
    w.until_indexed()
    return f, "/fi/documents/" + f.id


def end_of_log(w):
    return w.audit()[-1]["index"] + 1


def test_page__of_a_secret_is_closed_and_asks_for_a_purpose():
    w = world()
    f, path = secret(w)
    at = end_of_log(w)
    page = w.get(path)
    same(page.status, 200)
    text = page.body.decode()
    for word in ("salattua", "salainen-nimi", f.doc["sha256"], "/versions/1/file"):
        check(word not in text, word)
    for word in ("Ilmoitus", 'name="purpose"', 'value="LVV/1234/2026"'):
        check(word in text, word)
    same(logged(w, f.id, at), [("metadata", "ok", None, None), ("list", "ok", None, None)])


def test_page__purpose_and_case_open_a_secret_for_one_request():
    w = world()
    f, path = secret(w)
    token = hidden_field(w.get(path))
    for number in ("LVV/1234/2026", " lvv/1234/2026 ", "c1"):
        for at in (path, path + "/versions/1"):
            first = end_of_log(w)
            page = post(w, at, form=token, purpose=" Valvonta-asia ", case=number)
            same(page.status, 200, number)
            check(b"salattua" in page.body and f.doc["sha256"].encode() in page.body, number)
            check(b'name="purpose" value=" Valvonta-asia "' in page.body, "the button does not state it again")
            same(logged(w, f.id, first), [(k, "ok", "Valvonta-asia", "c1") for k in ("metadata", "list", "text")])
    check(b"salattua" not in w.get(path).body, "still open")


def test_page__file_button_states_the_purpose_again():
    w = world()
    f, path = secret(w)
    token = hidden_field(w.get(path))
    at = path + "/versions/1/file"
    same(w.get(at).status, 403)
    first = end_of_log(w)
    r = post(w, at, form=token, purpose="Valvonta-asia", case="c1", headers={"Range": "bytes=0-3"})
    same((r.status, r.body, r.header("Accept-Ranges")), (200, ORIGINAL, "none"))
    same(logged(w, f.id, first), [("content", "ok", "Valvonta-asia", "c1")])
    for wrong in ({"form": "0" * 32}, {"purpose": " "}, {"case": "c2"}, {"case": "none"}):
        fields = dict({"form": token, "purpose": "Valvonta-asia", "case": "c1"}, **wrong)
        r = post(w, at, **fields)
        same((r.status, b"salattua" in r.body), (403, False), wrong)


def test_page__what_is_wrong_in_the_form_is_said_and_the_refusal_logged():
    w = world()
    f, path = secret(w)
    token = hidden_field(w.get(path))
    case = "Tarkista asianumero"
    for fields, said, stated in (
            ({"purpose": "", "case": "c1"}, ["Kirjoita käyttötarkoitus"], (None, "c1")),
            ({"purpose": "ä" * 501, "case": "c1"}, ["Kirjoita käyttötarkoitus"], (None, "c1")),
            ({"purpose": "Valvonta", "case": ""}, ["Kirjoita asianumero"], ("Valvonta", None)),
            ({"purpose": "Valvonta", "case": "LVV/9/9999"}, [case], ("Valvonta", None)),
            ({"purpose": "Valvonta", "case": "PIR/7/2026"}, [case], ("Valvonta", "c2")),
            ({}, ["Kirjoita käyttötarkoitus", "Kirjoita asianumero"], (None, None))):
        first = end_of_log(w)
        page = post(w, path, form=token, **fields)
        text = page.body.decode()
        same((page.status, "salattua" in text), (422, False), fields)
        same(re.findall(r'<li><a href="#(?:purpose|case)">([^<,:]*)', text), said, fields)
        check("<title>Virhe: " in text, "title")
        same(logged(w, f.id, first), [("metadata", "ok", *stated), ("list", "ok", *stated), ("text", "denied", *stated)])
    same(post(w, path, form=token, purpose="ä" * 500, case="c1").status, 200)


def test_page__form_of_another_session_opens_nothing():
    w = world()
    f, path = secret(w)
    other = hidden_field(w.get(path, "aada"))
    first = end_of_log(w)
    for headers, token in (({}, other), ({}, ""), ({"Sec-Fetch-Site": "cross-site"}, hidden_field(w.get(path)))):
        page = post(w, path, form=token, purpose="Valvonta-asia", case="c1", headers=headers)
        same((page.status, b"salattua" in page.body), (422, False))
    check(not [e for e in logged(w, f.id, first) if e[0] == "text" or e[2]], logged(w, f.id, first))


def test_page__of_a_hidden_document_is_that_of_none_with_a_purpose_too():
    w = world()
    f, path = secret(w, units=["lehtola"])  # of no county or placement of pertti's
    token = hidden_field(w.get(secret(w)[1], "pertti"))
    for form in (token, "0" * 32):
        for more in ("", "/versions/1", "/versions/1/file", "/versions/1/rendition"):
            a = post(w, path + more, "pertti", form=form, purpose="Valvonta", case="c1")
            b = post(w, "/fi/documents/%032x%s" % (7, more), "pertti", form=form, purpose="Valvonta", case="c1")
            same((a.status, a.body.replace(f.id.encode(), b"ID")), (b.status, b.body.replace(b"%032x" % 7, b"ID")), more)


def test_page__of_a_rendition_tells_nothing_of_the_original():
    w = world()
    f, path = secret(w)
    put_rendition(w, f)
    w.until_indexed()
    first = end_of_log(w)
    for page in (w.get(path, "helmi"), w.get(path + "/versions/1", "helmi")):
        text = page.body.decode()
        same(page.status, 200)
        for word in ("salattua", "salainen-nimi", "Ilmoitus", f.doc["sha256"], "Arkistoija", "Muutoksen syy", "LVV/1234", 'name="purpose"'):
            check(word not in text, word)
        check(re.search(r"<dt>Tiedosto</dt><dd>tekstitiedosto, %d\b" % len(PUBLIC), text), "the rendition's own size")
        for word in ("Kirje", "[...]", "julkinen.txt", "julkinen kappale", path + "/versions/1/rendition"):
            check(word in text, word)
    file = w.get(path + "/versions/1/rendition", "helmi")
    same((file.status, file.body), (200, PUBLIC))
    same(w.get(path + "/versions/1/file", "helmi").status, 403)
    same([e[:2] for e in logged(w, f.id, first)], [(k, "ok") for k in ("metadata", "list", "text")] * 2 +
         [("content", "ok"), ("content", "denied")])
    whole = w.get(path).body.decode()
    check(path + "/versions/1/rendition" in whole and "[...]" not in whole, "the link of who sees the original")


def test_page__of_a_visit_to_come_asks_for_a_purpose():
    w = world()
    f = w.file(content=ORIGINAL, visitDate="2199-01-01")
    w.until_indexed()
    path = "/fi/documents/" + f.id
    page = w.get(path)
    check(b"salattua" not in page.body and b'name="purpose"' in page.body, "open")
    page = post(w, path, form=hidden_field(page), purpose="Tarkastus", case="c1")
    check(b"salattua" in page.body, page.status)


def test_page__search_says_why_there_is_no_excerpt():
    w = world()
    f, _ = secret(w, units=["lehtola"], type="concern-notice")
    put_rendition(w, f)
    w.until_indexed()
    page = w.get("/fi/?unit=lehtola&type=concern-notice").body.decode()
    check("Tekstistä ei näytetä otetta" in page and "salattua" not in page, "of who sees it whole")
    page = w.get("/fi/?unit=lehtola&type=concern-notice&q=nukkuva", "helmi").body.decode()
    check("Tekstistä ei näytetä otetta" not in page and "[...]" in page and ">julkinen kappale<" in page, "of a placer")


def test_page__search_marks_what_was_found_in_titles():
    w = world()
    w.file(content=b"Muuta asiaa.\n", title="Pihapuun <b>kaato</b> & kannot", name="puu.txt")
    w.until_indexed()
    for q, shown in (("kanto", "&lt;b&gt;kaato&lt;/b&gt; &amp; <mark>kannot</mark>"),
                     ("pihapuut", "<mark>Pihapuun</mark> &lt;b&gt;")):
        page = w.get("/fi/?q=" + q).body.decode()
        check(shown in page, page[page.find("hits"):][:1500])
