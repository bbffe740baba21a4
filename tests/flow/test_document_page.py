"""The page of a document as its readers use it: purpose kept, text with hits, seal, who may read it, citation."""

import os
import re
import time

from arkki_flow import SEED, Archive, check, same, world
from sign_in_util import Browser
from test_pages import ORIGINAL, end_of_log, logged, put_rendition, secret

OPEN = {"purpose": "Valvonta-asia", "case": "c1"}


def browser(w, user="maija"):
    b = Browser(w)
    r = b.submit(b.get("/fi/sign-in"), "/fi/sign-in", token=w.token(user))
    same(r.status, 303, r.body[:300])
    return b


def opened(b, path):
    page = b.submit(b.get(path), path, **OPEN)
    same(page.status, 200, page.body[:300])
    check(b"salattua" in page.body, "not open")
    return page


# ---- purpose, kept ----

def test_purpose__is_kept_for_the_session_and_logged_with_every_read():
    w = world()
    f, path = secret(w)
    g, other = secret(w)
    b = browser(w)
    check(b"Luet asiaa" not in opened_before(b), "kept already")
    opened(b, path)
    at = end_of_log(w)
    page = b.get(other)
    check(b"salattua" in page.body and "Luet asiaa LVV/1234/2026 varten. Käyttötarkoitus: Valvonta-asia." in page.body.decode(), "not kept")
    check("Valvonta" not in str(b.jar) + str(b.set), "in a cookie")
    same([e for e in logged(w, g.id, at) if e[0] != "shown"], [(k, "ok", "Valvonta-asia", "c1") for k in ("metadata", "list", "text")])
    at = end_of_log(w)
    r = b.get(other + "/versions/1/file")
    same((r.status, r.body), (200, ORIGINAL))
    same(logged(w, g.id, at), [("content", "ok", "Valvonta-asia", "c1")])


def opened_before(b):
    return b.get("/fi/").body


def test_purpose__another_session_does_not_have_it():
    w = world()
    _, path = secret(w)
    b = browser(w)
    opened(b, path)
    for c in (browser(w), browser(w, "pertti")):
        page = c.get(path)
        check(b"salattua" not in page.body and b"Luet asiaa" not in page.body, "another session has it")
        same(c.get(path + "/versions/1/file").status, 403)
    check(b"salattua" not in w.get(path).body, "a token has it")
    same(w.get("/v1" + path[3:] + "/versions/1/content").status, 403)
    # the API never goes by a session's cookie
    same(b.get("/v1" + path[3:] + "/versions/1/content").status, 401)


def test_purpose__document_outside_the_case_asks_again():
    w = world()
    _, path = secret(w)
    f = w.file(content=ORIGINAL, publicity="secret", units=["lehtola"], title="Muu")
    w.until_indexed()
    b = browser(w)
    opened(b, path)
    at = end_of_log(w)
    page = b.get("/fi/documents/" + f.id)
    check(b"salattua" not in page.body and b'name="purpose"' in page.body, "open for a case of another unit")
    same([e for e in logged(w, f.id, at) if e[0] != "shown"], [("metadata", "ok", None, None), ("list", "ok", None, None)])
    # a public one of the case's unit states it too
    g = w.file(title="Julkinen", case="c1")
    at = end_of_log(w)
    b.get("/fi/documents/" + g.id)
    same({e[2:] for e in logged(w, g.id, at)}, {("Valvonta-asia", "c1")})


def test_purpose__a_refused_one_is_not_kept():
    w = world()
    _, path = secret(w)
    b = browser(w)
    for fields in ({"purpose": "Valvonta", "case": "c2"}, {"purpose": "", "case": "c1"}, {"purpose": "Valvonta", "case": "c1", "form": "0" * 32}):
        page = b.submit(b.get(path), path, **fields)
        same(page.status, 422, fields)
        page = b.get(path)
        check(b"salattua" not in page.body and b"Luet asiaa" not in page.body, fields)


def test_purpose__ends_by_its_button_and_with_the_session():
    w = world()
    _, path = secret(w)
    b = browser(w)
    page = opened(b, path)
    r = b.post("/fi/purpose/end", {"case": "c1", "form": "0" * 32})
    same((r.status, b"salattua" in b.get(path).body), (403, True), "without the form")
    r = b.submit(page, "/fi/purpose/end", {"Sec-Fetch-Site": "cross-site"})
    same((r.status, b"salattua" in b.get(path).body), (403, True), "from elsewhere")
    r = b.submit(page, "/fi/purpose/end")
    same((r.status, r.header("Location")), (303, path))
    page = b.get(path)
    check(b"salattua" not in page.body and b"Luet asiaa" not in page.body, "not ended")
    opened(b, path)
    old = dict(b.jar)
    b.submit(b.get("/fi/"), "/fi/sign-out")
    b.jar = old
    same(b.get(path).status, 303, "after signing out")
    check(b"salattua" not in browser(w).get(path).body, "a new session has it")


def test_purpose__ends_when_the_case_is_closed():
    w = world()
    _, path = secret(w)
    b = browser(w)
    opened(b, path)
    case = dict(SEED["cases"][0], closed="2199-01-01")
    w.load({"cases": [case]})
    check(b"salattua" in b.get(path).body, "a case that is open still")
    w.load({"cases": [dict(case, closed=time.strftime("%Y-%m-%d", time.gmtime(time.time() - 86400)))]})
    page = b.get(path)
    check(b"salattua" not in page.body and b"Luet asiaa" not in page.body, "kept for a closed case")
    w.load({"cases": [SEED["cases"][0]]})
    check(b"salattua" not in b.get(path).body, "comes again by itself")


def test_purpose__back_leads_to_pages_of_ours_alone():
    w = world()
    b = browser(w)
    _, path = secret(w)
    form = b.submit(b.get(path), path, **OPEN).form("/fi/purpose/end")
    for back in ("https://evil.example/", "//evil.example", "/fi/\r\nSet-Cookie: a=b", ""):
        r = b.post("/fi/purpose/end", {"case": "c1", "form": form, "back": back})
        same((r.status, r.header("Location")), (303, "/fi/"), repr(back))


# ---- the text, with the hits of a search ----

def test_text__hits_are_numbered_and_lead_on():
    w = world()
    f = w.file(content="Yövuorossa oli yksi.\n\nYövuoroja on kolme.\n\nMuuta.\n".encode())
    w.until_indexed()
    path = "/fi/documents/" + f.id
    text = w.get(path + "?q=y%C3%B6vuoro").body.decode()
    marks = re.findall(r'<mark id="hit-(\d+)">([^<]+)</mark><a class="next-hit" href="([^"]+)"', text)
    same(marks, [("1", "Yövuorossa", "#hit-2"), ("2", "Yövuoroja", "#hit-1")])
    check("osumia tekstissä: 2" in text, "the count")
    check("<mark" not in w.get(path).body.decode() and "<mark" not in w.get(path + "?q=kalastus").body.decode(), "marks of nothing")
    check("Haulla ”kalastus” ei ole osumia" in w.get(path + "?q=kalastus").body.decode(), "no word of it")


def test_text__long_comes_in_parts_with_the_hit():
    w = world()
    lines = ["Kappale %d: tavallista tekstiä tarkastuksesta." % i for i in range(3500)]
    lines[3000] = "Kappale 3000: harvinainen laskuvarjo."
    f = w.file(content="\n\n".join(lines).encode())
    w.until_indexed()
    path = "/fi/documents/" + f.id
    whole, parts = "", w.get(path).body.decode()
    n = int(re.search(r"Osa 1/(\d+)", parts).group(1))
    check(n >= 3, n)
    for i in range(1, n + 1):
        page = w.get("%s?part=%d" % (path, i)).body.decode()
        shown = re.search(r'<div class="text"[^>]*>(.*?)</div>', page, re.S).group(1)
        check(len(shown.encode()) < 90 * 1024, "a part of", len(shown))
        check(('rel="prev"' in page) == (i > 1) and ('rel="next"' in page) == (i < n), "turns of", i)
        whole += shown
    same([int(k) for k in re.findall(r"Kappale (\d+):", whole)], list(range(3500)), "paragraphs")
    hit = w.get(path + "?q=laskuvarjo").body.decode()
    check('<mark id="hit-1">laskuvarjo</mark>' in hit and "Osa 1/" not in hit, "not at the part of the hit")
    elsewhere = w.get(path + "?q=laskuvarjo&part=1").body.decode()
    check(re.search(r'href="[^"]*part=\d+#hit-1">Siirry seuraavaan osaan', elsewhere), "no way to the hit")
    for odd in ("0", "999", "x", "-1", "99999999999"):
        check("Kappale 0:" in w.get(path + "?part=" + odd).body.decode(), odd)


def test_text__search_leads_to_the_page_of_the_match():
    w = world()
    f = w.file(content=b"Alku.\n\x0cToinen sivu, kaleidoskooppi.\n")
    w.until_indexed()
    found = w.get("/fi/?q=kaleidoskooppi").body.decode()
    check('href="/fi/documents/%s?q=kaleidoskooppi' % f.id in found, "the link of the hit")


def test_file__of_a_pdf_has_no_sandbox_and_still_runs_nothing():
    w = world()
    f = w.file(content=b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n", name="a.pdf", media_type="application/pdf")
    for at in ("/fi/documents/%s/versions/1/file", "/v1/documents/%s/versions/1/content"):
        r = w.get(at % f.id)
        policy = r.header("Content-Security-Policy").split("; ")
        same((r.header("Content-Type"), r.header("X-Content-Type-Options")), ("application/pdf", "nosniff"))
        check("sandbox" not in policy, "a sandbox keeps viewers from it", policy)
        check("default-src 'none'" in policy and not [p for p in policy if p.startswith("script-src")], policy)


def test_file__is_shown_only_where_that_is_safe():
    w = world()
    for name, kind, shown in (("a.txt", "text/plain", "inline"), ("a.html", "text/html", "attachment")):
        f = w.file(content=b"<!doctype html><html><body>Hei <b>vaan</b></body></html>" if shown != "inline" else b"Hei", name=name, media_type=kind)
        at = "/fi/documents/%s/versions/1/file" % f.id
        same(w.get(at).header("Content-Disposition").split(";")[0], shown, name)
        same(w.get(at + "?download=1").header("Content-Disposition").split(";")[0], "attachment", name)
        check("sandbox" in w.get(at).header("Content-Security-Policy"), name)
        same(w.get(at).header("X-Content-Type-Options"), "nosniff", name)
        page = w.get("/fi/documents/" + f.id).body.decode()
        same(("%s\">" % at) in page, shown == "inline", "the button of", name)
        check(at + "?download=1" in page, "no download of", name)


# ---- seal ----

def test_seal__of_a_whole_document_is_said_to_hold():
    w = world()
    f = w.file(content=ORIGINAL, publicity="partly-secret")
    at = end_of_log(w)
    page = w.get("/fi/documents/%s/versions/1/seal" % f.id)
    text = page.body.decode()
    same(page.status, 200)
    check("Sinetti on ehjä." in text and "rikki" not in text, text[:2000])
    same(text.count(">kunnossa<"), 4, "of the five")
    same([e[:2] for e in logged(w, f.id, at)], [("metadata", "ok")])
    proof = w.get("/fi/documents/%s/versions/1/proof" % f.id)
    same((proof.status, proof.json()["log"]), (200, "history"))


def test_seal__is_not_of_what_is_hidden():
    w = world()
    f = w.file(content=ORIGINAL, publicity="secret", units=["lehtola"])
    for more in ("seal", "proof", "readers"):
        a = w.get("/fi/documents/%s/versions/1/%s" % (f.id, more), "pertti")
        b = w.get("/fi/documents/%032x/versions/1/%s" % (7, more), "pertti")
        same((a.status, a.body.replace(f.id.encode(), b"ID")), (b.status, b.body.replace(b"%032x" % 7, b"ID")), more)
        same(a.status, 404, more)


def test_seal__damage_is_said():
    from test_damage import files, flip
    a = Archive().serve()
    a.token("maija")
    f = a.file(content=os.urandom(3 << 20), name="kuva.bin", media_type="application/octet-stream")
    at = "/fi/documents/%s/versions/1/seal" % f.id
    check("Sinetti on ehjä." in a.get(at).body.decode(), "whole")
    same(a.stop(), 0)
    pack = files(a, "archive.git", "objects")[-1]
    flip(pack, os.path.getsize(pack) // 2)
    a.serve()
    page = a.get(at)
    text = page.body.decode()
    same(page.status, 200, text[:500])
    check("Sinetti on rikki" in text and "ei pidä paikkaansa" in text and "ehjä" not in text, "the damage is not said")
    a.stop()


# ---- who may read it ----

def readers(w, f, user="maija", more=""):
    page = w.get("/fi/documents/%s%s/readers" % (f.id, more), user)
    same(page.status, 200, page.body[:300])
    return page.body.decode()


def test_readers__are_told_their_own_right_and_its_rule():
    w = world()
    f = w.file(publicity="partly-secret", content=ORIGINAL)
    g, _ = secret(w)
    check("Saat lukea asiakirjan kokonaan." in readers(w, f) and "Valtion valvontaviraston tarkastaja" in readers(w, f), "the rule")
    check("kun ilmoitat käyttötarkoituksen ja asian" in readers(w, g, more="/versions/1"), "a purpose")
    put_rendition(w, g)
    text = readers(w, g, "helmi")
    check("Saat lukea asiakirjan julkisen kappaleen." in text, "the rendition")
    for word in ("Ilmoitus", "salainen-nimi", "LVV/1234", "Muut, jotka"):
        check(word not in text, word)


def test_readers__of_groups_are_told_who_may_amend_or_audit():
    w = world()
    f, _ = secret(w)
    for user, told in (("maija", True), ("aada", True), ("pertti", False), ("oskari", False)):
        text = readers(w, f, user)
        same("Muut, jotka saavat lukea" in text, told, user)
    text = readers(w, f)
    for group in ("Lupa- ja valvontavirasto", "Pirkanmaa", "Eduskunnan oikeusasiamies"):
        check("<li><span dir=\"auto\">%s</span>: " % group in text, group, text)
    check("Helsinki</span>" not in text, "who may not")
    check('Hoiva Oy</span>: yhteyshenkilö</li>' in text, "the contact person of the unit's provider")
    # what the page says of groups is what their people get
    for user, status in (("hanna", 200), ("pertti", 200), ("helmi", 404), ("heikki", 404)):
        same(w.get("/v1/documents/" + f.id, user).status, status, user)
    for name in ("Risto", "Sirpa", "Pertti", "Aada"):
        check(name not in text, "an account:", name)
    at = end_of_log(w)
    readers(w, f)
    same([e[:2] for e in logged(w, f.id, at)], [("metadata", "ok")])


def test_readers__public_is_for_everybody():
    w = world()
    text = readers(w, w.file(publicity="public"))
    check("Kaikki tilit kaikissa organisaatioissa." in text, text[3000:])


# ---- what belongs to it ----

def test_page__lists_the_case_and_logs_what_it_lists():
    w = world()
    w.load({"cases": [{"id": "c9", "diaryNumber": "LVV/9/2026", "kind": "inspection", "units": ["koivula", "lehtola"], "org": "lvv"}]})
    a = w.file(title="Eka <b>", case="c9")
    b = w.file(title="Toka", case="c9")
    hidden = w.file(title="Kolmas-piilossa", case="c9", units=["lehtola"], publicity="secret")
    at = end_of_log(w)
    text = w.get("/fi/documents/" + b.id).body.decode()
    for part in ("Saman asian muut asiakirjat", "Eka &lt;b&gt;", "Kolmas-piilossa", 'href="/fi/cases/c9"', 'href="/fi/units/koivula"'):
        check(part in text, part)
    for one in (a, hidden):
        same([e[:2] for e in logged(w, one.id, at)], [("shown", "ok")])
    at = end_of_log(w)
    text = w.get("/fi/documents/" + b.id, "pertti").body.decode()
    check("Kolmas-piilossa" not in text and "Eka" in text, "what pertti may not see")
    same([e[:2] for e in logged(w, hidden.id, at)], [])


def test_page__cites_this_version_with_its_digest():
    w = world()
    f = w.file(title="Kertomus")
    w.version(f.id, b"toinen\n", {})
    doc = w.json("/v1/documents/%s/versions/1" % f.id)
    text = w.get("/fi/documents/%s/versions/1" % f.id).body.decode()
    cite = re.search(r'id="citation"[^>]*>([^<]*)<', text).group(1)
    for part in ("Lupa- ja valvontavirasto: Kertomus, ", "versio 1. http://", "/fi/documents/%s/versions/1" % f.id, doc["sha256"]):
        check(part in cite, part, cite)
    check("Luet versiota 1/2. Uusin versio on 2." in text, "the banner")


def test_page__folds_what_is_long_and_leaves_it_on_the_page():
    w = world()
    f = w.file(title="Pitkä lista")
    for n in range(2, 5):
        w.version(f.id, b"versio %d\n" % n, {})
        text = w.get("/fi/documents/" + f.id).body.decode()
        same("rest-of-list" in text, False, "a list of four is not folded", n)
    w.version(f.id, b"versio 5\n", {})
    text = w.get("/fi/documents/" + f.id).body.decode()
    open_part, folded = text.split('<details class="rest-of-list">')
    check("Näytä muut 2" in folded and 'start="2"' in folded and 'start="5"' in open_part, folded[:400])
    for n, part in ((5, open_part), (4, open_part), (3, open_part), (2, folded), (1, folded)):
        check("/fi/documents/%s/versions/%d" % (f.id, n) in part, n)


def test_page__tells_nothing_of_a_newer_version_that_is_hidden():
    w = world()
    f = w.file(title="Julkinen alku", publicity="public", units=["lehtola"])
    w.version(f.id, b"salainen jatko\n", {"publicity": {"class": "secret"}})
    text = w.get("/fi/documents/" + f.id, "pertti").body.decode()
    check("Julkinen alku" in text and "Luet versiota" not in text and "Versio 2" not in text and "/versions/2" not in text, "a hint")


def test_page__says_the_ground_in_plain_words():
    w = world()
    for ground, said in (("JulkL 24 § 1 mom. 25 k", "sosiaalihuollon asiakkaasta"), ("OffL (621/1999) 24 § 1 mom. 15 punkten", "tarkastuksen tai muun valvonnan"), ("JulkL 24 § 1 mom. 6 k", "kanteluun, jota ei ole vielä ratkaistu"), ("laki 703/2023 4 §", "asiakastietoja"), (None, "Perustetta ei ole kirjattu.")):
        publicity = {"class": "secret", **({"ground": ground} if ground else {})}
        text = w.get("/fi/documents/" + w.file(publicity=publicity).id).body.decode()
        check((ground or "") in text and said in text, ground, said)
    for ground in ("JulkL 24 § 1 mom. 99 k", "JulkL 24 § 1 mom. 31 c k", "JulkL 24 §"):
        text = w.get("/fi/documents/" + w.file(publicity={"class": "secret", "ground": ground}).id).body.decode()
        same(re.findall(r"<dd[^>]*>%s<span" % re.escape(ground), text), [])
