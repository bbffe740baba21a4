"""Units for people: finding one, its page, the visit pack. All documents, people and units are made up."""

import copy
import html
import http.client
import io
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
import urllib.parse
import zipfile

from arkki_flow import SEED, Archive, Skip, check, same
from test_orders import order

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json", "Accept-Language": "fi"}
HOSTILE = 'Kotka <b>"x"</b> & \u202ekäänteinen\u202c <script>alert(1)</script>'
LONG = ("Pitkänimi" * 56)[:500]  # as long as the register takes
WORD = "Pitkäsana" * 1112  # over 10,000 characters

UNITS = [
    {"id": "koivula", "name": {"fi": "Koivula"}, "provider": "hoiva-oy", "municipality": "091", "county": "90",
     "serviceForm": "institution", "places": 7, "languages": ["fi", "sv"],
     "names": [{"name": {"fi": "Entinen Pihlajala"}, "from": "2015-01-01", "to": "2020-12-31"}],
     "registration": {"state": "registered", "register": "Soteri", "diaryNumber": "LVV/1/2024", "from": "2024-01-01"},
     "address": "Koivutie 1", "contacts": [{"name": "Vastaava ohjaaja", "phone": "09 123"}],
     "sources": {"registration": {"source": "soteri", "date": "2026-01-05"}}, "predecessors": ["pihlajala"]},
    {"id": "pihlajala", "name": {"fi": "Pihlajala"}, "provider": "hoiva-oy", "municipality": "091", "county": "90",
     "serviceForm": "institution", "places": 6},
    {"id": "kotka", "name": {"fi": HOSTILE}, "provider": "hoiva-oy", "municipality": "091", "county": "90",
     "serviceForm": "family-home", "places": 3},
    {"id": "nimeton", "name": {"fi": "Nimettömän tuottajan koti"}, "provider": "tuntematon-oy", "municipality": "179", "county": "15",
     "serviceForm": "institution", "places": 4},
    {"id": "muualla", "name": {"fi": "Koti muualla"}, "municipality": "999", "county": "77", "serviceForm": "institution"},
    {"id": "pitka", "name": {"fi": LONG}, "provider": "hoiva-oy", "municipality": "091", "county": "90",
     "serviceForm": "family-home", "places": 3},
]


def archive():
    seed = copy.deepcopy(SEED)
    taken = {u["id"] for u in UNITS}
    seed["units"] = [u for u in seed["units"] if u["id"] not in taken] + copy.deepcopy(UNITS)
    seed["units"].sort(key=lambda u: u["id"] != "pihlajala")  # a unit names those before it
    return Archive(seed).serve()


def page(w, path, user="maija", status=200):
    r = w.get(path, user)
    same(r.status, status, path, r.body[:200])
    return r.body.decode()


def token_of(text):
    return re.search(r'action="/fi/units/[^>]*/pack"[^>]*><input type="hidden" name="form" value="([0-9a-f]{32})"',
                     text).group(1)


def pack_page(w, unit="koivula", user="maija", status=200, **fields):
    fields.setdefault("form", token_of(page(w, "/fi/units/%s" % unit, user)))
    r = w.send("POST", "/fi/units/%s/pack" % unit, user, FORM, urllib.parse.urlencode(fields))
    same(r.status, status, r.body[:300])
    return r


def pack(w, kind, unit="koivula", user="maija", status=200, **headers):
    h = dict(JSON, **{k.replace("_", "-"): v for k, v in headers.items()})
    r = w.send("POST", "/v1/units/%s/pack" % unit, user, h, json.dumps({"format": kind}))
    same(r.status, status, r.body[:300])
    return r.body


def tool(name, *args):
    if not shutil.which(name):
        raise Skip("%s is not installed" % name)
    p = subprocess.run([name, *args], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    same(p.returncode, 0, name, p.stderr)
    return p.stdout.decode()


def kept(body, name):
    folder = tempfile.mkdtemp(prefix="arkki-pack-")
    path = os.path.join(folder, name)
    with open(path, "wb") as f:
        f.write(body)
    return folder, path


def text_of(pdf):
    folder, path = kept(pdf, "pack.pdf")
    try:
        return tool("pdftotext", "-layout", path, "-")
    finally:
        shutil.rmtree(folder)


def info_of(pdf):
    folder, path = kept(pdf, "pack.pdf")
    try:
        tree = tool("pdfinfo", "-struct", path)
        same([s.split()[0] for s in tree.splitlines() if s and s[0] != " "], ["Document"], "what stands at the root")
        return tool("pdfinfo", path) + tree
    finally:
        shutil.rmtree(folder)


def opened(body):
    folder, path = kept(body, "pack.zip")
    try:
        tool("unzip", "-t", path)
    finally:
        shutil.rmtree(folder)
    z = zipfile.ZipFile(io.BytesIO(body))
    return {n.split("/", 1)[1]: z.read(n) for n in z.namelist()}


def exports(w, doc, user="maija"):
    return [(e["outcome"], e["version"], e["principal"], e.get("purpose")) for e in w.audit(document=doc)
            if e["kind"] == "export" and e["principal"] == user]


# ---- finding ----

def test_units__are_found_by_name_by_an_earlier_one_and_by_what_they_are():
    w = archive()
    text = page(w, "/fi/units?name=PIHLAJ")
    check('href="/fi/units/koivula"' in text and 'href="/fi/units/pihlajala"' in text, text[-2000:])
    check("Entinen nimi: Entinen Pihlajala" in text, "why it was found")
    check('href="/fi/units/lehtola"' not in text, "another one")
    text = page(w, "/fi/units?form=family-home&county=90")
    check('href="/fi/units/kotka"' in text and 'href="/fi/units/koivula"' not in text, "by form")
    check('href="/fi/units/koivula"' in page(w, "/fi/units?language=sv"), "by language")
    check('href="/fi/units/koivula"' not in page(w, "/fi/units?language=en"), "by language")
    check("ei löytynyt yksiköitä" in page(w, "/fi/units?name=olematon"), "nothing found")
    for odd in ("page=0", "page=99999", "page=x", "name=%00", "name=" + "%C3%A4" * 4000, "county=%3Cb%3E"):
        check(w.get("/fi/units?" + odd).status in (200, 400, 414, 431), odd)
    w.stop()


def test_units__fifty_stand_on_a_page():
    seed = copy.deepcopy(SEED)
    for i in range(60):
        seed["units"].append(dict(seed["units"][0], id="talo%02d" % i, name={"fi": "Talo %02d" % i}))
    w = Archive(seed).serve()
    first, second = page(w, "/fi/units?name=talo"), page(w, "/fi/units?name=talo&page=2")
    same((len(re.findall('class="hit"', first)), len(re.findall('class="hit"', second))), (50, 10))
    check("60 yksikköä" in first and "Sivu 1/2" in first, "how many")
    w.stop()


# ---- the page ----

def test_unit__page_tells_facts_their_source_and_its_past():
    w = archive()
    text = page(w, "/fi/units/koivula")
    for said in ("rekisteröity, Soteri, LVV/1/2024 (1.1.2024–)", "Lähde: Soteri-rekisteri, 5.1.2026 (", "Hoiva Oy",
                 "lastensuojelulaitos", "Entinen Pihlajala (1.1.2015–31.12.2020)", "Yksikön Pihlajala vaiheet",
                 "/v1/units/koivula/feed.atom", "/fi/file?unit=koivula", 'rel="alternate"'):
        check(said in text, said)
    check("Koivutie 1" in text and "Koivutie 1" not in page(w, "/fi/units/koivula", "hanna"), "the address")
    check("Koivutie 1" not in text_of(pack(w, "pdf", user="hanna")), "the address in a pack")
    check("Toimintaa jatkaa" in page(w, "/fi/units/pihlajala"), "the successor")
    check("/fi/file" not in page(w, "/fi/units/koivula", "helmi"), "who files nothing")
    same(w.get("/fi/units/olematon").status, 404)
    same(w.get("/fi/units/koivula?kind=%3Cscript%3E").status in (200, 400), True)
    w.stop()


def test_unit__timeline_has_years_and_a_filter_and_says_what_is_new():
    w = archive()
    page(w, "/fi/units/koivula")
    old = w.file(title="Vanha muistio", type="memo", date="2019-02-03")
    new = w.file(title="Uusi kertomus", date="2026-03-12")
    text = page(w, "/fi/units/koivula")
    check(re.search(r'class="year">2026</h3>.*class="year">2019</h3>', text, re.S), "years")
    check("uutta tapahtumaa edellisen käyntisi jälkeen" in text and "tag-new" in text, "new")
    check("tag-new" not in page(w, "/fi/units/koivula"), "still new")
    text = page(w, "/fi/units/koivula?kind=memo")
    check(old.id in text and new.id not in text, "by type")
    w.stop()


def test_unit__page_shows_open_orders_and_that_they_are_late():
    w = archive()
    f = w.file(title="Kertomus", publicity="public")
    order(w, f.id, text="Yövuoroon <b>toinen</b> ohjaaja", deadline="2020-01-01", ground="laki 38 §")
    text = page(w, "/fi/units/koivula")
    check("Yövuoroon &lt;b&gt;toinen&lt;/b&gt; ohjaaja" in text, "escaped")
    check("Määräaika 1.1.2020. Myöhässä " in text and "laki 38 §" in text, "late")
    w.stop()


def test_unit__a_hidden_document_leaves_no_trace():
    w = archive()
    w.file(title="Julkinen kertomus", content=b"julkinen\n", publicity="public")
    w.until_indexed()
    before = [page(w, "/fi/units/koivula?kind=inspection-report", "helmi"), text_of(pack(w, "pdf", user="helmi")),
              sorted(opened(pack(w, "zip", user="helmi")))]
    f = w.file(title="Kanaria", content=b"salaisuus\n", publicity="secret", case="c1", visitDate="2026-03-01")
    order(w, f.id, text="Salainen vaatimus", deadline="2020-01-01")
    w.file(title="Salainen suunnitelma", type="self-supervision-plan", content=b"salaisuus\n", publicity="secret")
    w.until_indexed()
    after = [page(w, "/fi/units/koivula?kind=inspection-report", "helmi"), text_of(pack(w, "pdf", user="helmi")),
             sorted(opened(pack(w, "zip", user="helmi")))]

    def settled(text):
        return re.sub(r"klo [0-9.]+|value=\"[0-9a-f]{32}\"|cursor=[^\"#&]+", "", text)
    same(settled(after[0]), settled(before[0]), "page")
    same(settled(after[1]), settled(before[1]), "pack")
    same(after[2], before[2], "files")
    check("Salainen vaatimus" in text_of(pack(w, "pdf")), "who may, has it")
    w.stop()


def test_unit__hostile_names_are_text_and_long_ones_have_room():
    w = archive()
    f = w.file(units=["kotka"], title=HOSTILE, content=HOSTILE.encode(), name='../..//<x>"\u202e.txt')
    w.until_indexed()
    text = page(w, "/fi/units/kotka")
    check("<script>alert" not in text and html.escape("<script>alert(1)</script>") in text, "escaped")
    check("\u202e" not in text, "turned")
    files = opened(pack(w, "zip", "kotka"))
    check(all(re.fullmatch(r"[^/\\<>:\"|?*\u202e]+", n) for n in files), list(files))
    same([b for n, b in files.items() if n.startswith("01-")], [HOSTILE.encode()])
    check(b"<script>alert" not in files["contents.html"] and f.doc["title"] != "", "contents")
    check("<script>alert(1)</script>" in text_of(files["kayntipaketti.pdf"]), "as text")
    check(LONG in page(w, "/fi/units/pitka"), "long")
    w.file(units=["pitka"], title="Sana", content=WORD.encode())
    w.until_indexed()
    text = text_of(pack(w, "pdf", "pitka"))
    check("PitkänimiPitkänimi" in text, "long in the pack")
    check(re.sub(r"\s|\d+ \(\d+\)", "", text).count("Pitkäsana") > 1100, "a long word is broken, not cut")
    w.stop()


# ---- the pack ----

def filled():
    w = archive()
    ids = {"report": w.file(title="Tarkastuskertomus 2026", content="Yövalvonta oli puutteellinen.\n".encode()).id}
    ids["ordered"] = w.file(title="Valvontapäätös", type="supervision-decision", content=b"Paatos\n", date="2025-05-05",
                            ).id
    order(w, ids["ordered"], text="Lisättävä henkilöstöä", deadline="2020-02-01")
    ids["plan"] = w.file(title="Omavalvontasuunnitelma", type="self-supervision-plan", name="suunnitelma.txt",
                         content="Sama kappale.\n\nVanha kappale.\n".encode()).id
    same(w.version(ids["plan"], "Sama   kappale.\n\nUusi kappale.\n".encode(), name="suunnitelma.txt").status, 201)
    ids["secret"] = w.file(title="Salainen kertomus", content=b"salattua\n", publicity="secret", case="c1",
                           date="2026-02-02").id
    w.until_indexed()
    return w, ids


def test_pack__pdf_holds_reports_orders_and_what_changed():
    w, ids = filled()
    r = pack_page(w, **{"as": "pdf"})
    same(r.header("Content-Type"), "application/pdf")
    check(re.fullmatch(r'attachment; filename="kayntipaketti-koivula-\d{4}-\d\d-\d\d.pdf".*',
                       r.header("Content-Disposition")), r.header("Content-Disposition"))
    same(r.header("Cache-Control"), "private, no-store")
    text = text_of(r.body)
    for said in ("Käyntipaketti: Koivula", "Sisällys", "Yövalvonta oli puutteellinen.", "Lisättävä henkilöstöä",
                 "Myöhässä", "Uusi kappale.", "Vanha kappale.", "Salainen kertomus", "avataan vain, kun ilmoitat",
                 "rekisteröity, Soteri"):
        check(said in text, said)
    check("salattua" not in text, "what is closed")
    changed = text[text.rindex("Suunnitelmien muutokset"):]
    check(re.search(r"Lisätty\s+Uusi kappale\.\s+Poistettu\s+Vanha kappale\.", changed), changed)
    check("Sama kappale" not in changed, "what did not change")
    said = info_of(r.body)
    check(re.search(r"Title: +Käyntipaketti: Koivula", said) and re.search(r"Tagged: +yes", said), said[:800])
    for tag in ("H1", "H2", "TOCI", "LBody"):
        check(re.search(r"\b%s\b" % tag, said), tag)
    check(b"/Lang (fi)" in r.body and b"/Outlines" in r.body, "language and outline")
    w.stop()


def test_pack__zip_holds_the_files_as_they_were_filed():
    w, ids = filled()
    files = opened(pack_page(w, **{"as": "zip"}).body)
    same(sorted(n.split("-", 1)[-1] for n in files),
         sorted(["kertomus.txt", "kertomus.txt", "suunnitelma.txt", "suunnitelma.txt", "kayntipaketti.pdf",
                 "contents.html"]))
    check("Yövalvonta oli puutteellinen.\n".encode() in files.values(), "the report")
    check(b"salattua\n" not in files.values(), "what is closed")
    listed = files["contents.html"].decode()
    for n in files:
        check(n == "contents.html" or 'href="%s"' % n in listed, n)
    check("Salainen kertomus" in listed and "avataan vain, kun ilmoitat" in listed, "what is left out")
    w.stop()


def test_pack__every_document_has_its_entry_and_a_purpose_opens_more():
    w, ids = filled()
    pack(w, "zip")
    for doc, versions in (("report", [1]), ("ordered", [1]), ("plan", [2, 1]), ("secret", [1])):
        same(sorted(e[1] for e in exports(w, ids[doc])), sorted(versions), doc)
    pdf = pack(w, "pdf", Arkki_Purpose="valvontak%C3%A4ynti", Arkki_Case="c1")
    check("salattua" in text_of(pdf) and "valvontakäynti" in text_of(pdf), "opened")
    same(exports(w, ids["secret"])[-1], ("ok", 1, "maija", "valvontakäynti"))
    form = token_of(page(w, "/fi/units/koivula/pack"))
    r = pack_page(w, form=form, purpose="käynti", case="LVV/1234/2026", **{"as": "pdf"})
    check("salattua" in text_of(r.body), "opened by the form")
    r = pack_page(w, form=form, purpose="", case="x", status=422)
    check('href="#purpose"' in r.body.decode() and 'href="#case"' in r.body.decode(), "what is wrong")
    w.stop()


def test_pack__two_users_take_different_packs():
    w, ids = filled()
    mine, theirs = text_of(pack(w, "pdf")), text_of(pack(w, "pdf", user="helmi"))
    check("Salainen kertomus" in mine and "Salainen kertomus" not in theirs, "the secret")
    check("Yövalvonta oli puutteellinen." in theirs, "the public one")
    same(exports(w, ids["secret"], "helmi"), [])
    same([e["outcome"] for e in w.audit(document=ids["secret"]) if e["principal"] == "helmi"], [])
    w.stop()


def test_pack__of_a_rendition_holds_the_rendition_alone():
    w = archive()
    f = w.file(title="Salainen otsikko", publicTitle="Kertomus", content=b"salattua tietoa\n", publicity="secret")
    r = w.send("PUT", "/v1/documents/%s/versions/1/renditions/public" % f.id, "maija",
               {"Content-Type": "text/plain", "Content-Disposition": 'inline; filename="julkinen.txt"'},
               b"julkista tietoa\n")
    same(r.status, 201)
    w.until_indexed()
    files = opened(pack(w, "zip", user="helmi"))
    same([n for n in files if n.startswith("01-")], ["01-julkinen.txt"])
    text = text_of(files["kayntipaketti.pdf"])
    check("julkista tietoa" in text and "Julkinen kappale" in text, "the rendition")
    for body in (text, files["contents.html"].decode()):
        check("Salainen otsikko" not in body and "salattua" not in body, "the original")
    w.stop()


def test_pack__is_refused_without_its_form_and_for_what_is_none():
    w = archive()
    same(pack_page(w, form="0" * 32, status=422).status, 422)
    same(w.send("POST", "/fi/units/koivula/pack", "maija", FORM, "as=pdf").status, 422)
    same(w.send("POST", "/fi/units/olematon/pack", "maija", FORM, "as=pdf").status, 404)
    pack(w, "zip", "olematon", status=404)
    for body, status in ((b"{", 400), (b'{"format":"exe"}', 422), (b'{"format":1}', 422), (b"[]", 422), (b"", 200)):
        same(w.send("POST", "/v1/units/koivula/pack", "maija", JSON, body).status, status, body)
    empty = text_of(pack(w, "pdf", "lehtola"))
    check("Ei asiakirjoja, jotka sinulla on oikeus nähdä." in empty, empty)
    w.stop()


def damaged(size, at):
    """An archive whose one report of so many bytes has a bad bit about there, and the report's id."""
    w = archive()
    f = w.file(title="Kuvia käynniltä", content=os.urandom(size), publicity="public")
    w.until_indexed()
    w.stop()
    packs = sorted((os.path.join(d, n) for d, _, names in os.walk(os.path.join(w.dir, "archive.git", "objects"))
                    for n in names if n.endswith(".pack")), key=os.path.getsize)
    big = packs[-1]
    check(os.path.getsize(big) > size, "the pack that holds it")
    os.chmod(big, 0o600)
    with open(big, "r+b") as file:
        file.seek(at)
        byte = file.read(1)
        file.seek(at)
        file.write(bytes([byte[0] ^ 16]))
    return w.serve(), f.id


def noted(w, doc, seconds=60):
    """The outcomes of the entries of packs, oldest first, when one has failed."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        outcomes = [e["outcome"] for e in w.audit(document=doc) if e["kind"] == "export"]
        if "failed" in outcomes:
            return sorted(outcomes)
        time.sleep(0.1)
    return outcomes


def test_pack__what_breaks_on_the_way_breaks_the_answer_and_is_noted():
    w, doc = damaged(5 << 20, 3 << 20)
    got = b""
    try:
        c = http.client.HTTPConnection("127.0.0.1", w.port, timeout=60)
        c.request("POST", "/v1/units/koivula/pack", b'{"format":"zip"}',
                  dict(JSON, Authorization="Bearer " + w.token("maija")))
        r = c.getresponse()
        same(r.status, 200)
        while True:
            piece = r.read(65536)
            if not piece:
                break
            got += piece
        check(False, "an answer that looks whole")
    except (http.client.IncompleteRead, ConnectionError):
        pass
    check(got[:2] == b"PK" and not zipfile.is_zipfile(io.BytesIO(got)), "begun, and no whole ZIP")
    same(noted(w, doc), ["failed", "ok"])
    text_of(pack(w, "pdf"))  # the server goes on
    w.stop()


def test_pack__what_cannot_be_opened_is_refused_and_noted():
    w, doc = damaged(600000, 597000)  # in its last 16 KiB, which are tried before anything is sent
    pack(w, "zip", status=500)
    same(noted(w, doc), ["failed", "ok"])
    w.stop()


def test_pack__leaves_nothing_in_the_clear_on_disk():
    w, _ = filled()
    pack(w, "zip")
    for folder, _, names in os.walk(os.path.join(w.dir, "spool")):
        same(names, [], folder)
    check("Koivula" not in w.said(), "in the output")
    w.stop()


def test_units__say_of_what_has_no_name_that_it_is_not_known():
    w = archive()
    for language, county, unknown in (("fi", "Keski-Suomen hyvinvointialue", "nimi ei tiedossa (tunnus %s)"),
                                      ("sv", "Mellersta Finlands välfärdsområde", "namnet är inte känt (kod %s)"),
                                      ("en", "Wellbeing services county of Central Finland", "name not known (id %s)")):
        for path in ("/%s/units/nimeton", "/%s/units?q=Nimett%%C3%%B6m%%C3%%A4n"):
            text = html.unescape(re.sub(r"<[^>]*>", "", w.get(path % language).body.decode()))
            check(county in text and unknown % "tuntematon-oy" in text, path, language)
        text = html.unescape(re.sub(r"<[^>]*>", "", w.get("/%s/units/muualla" % language).body.decode()))
        check(unknown % "77" in text, language)
