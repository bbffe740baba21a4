"""The pages of auditors, as far as no browser is needed. All people and documents here are invented."""

import html
import json
import re
import time
import urllib.parse

from arkki_flow import Archive, SEED, check, same
from sign_in_util import Browser, link_code, member

ODD = "Tarkistus <b>lihava</b> & \u202ekäännetty \u0627\u0644\u0633\u0628\u0628 " + "x" * 90
TITLE = "Koivulan <script>alert(1)</script> kertomus \u0627\u0644"
PAGES = ("", "/readers", "/past", "/past/replay", "/past/subject", "/integrity", "/export", "/emergency",
         "/export/0123456789abcdef0123456789abcdef/package")

_shared = None


def shared():
    """A served archive in which many have read one document: (archive, document)."""
    global _shared
    if _shared is None:
        w = Archive().serve()
        f = w.file(publicity="partly-secret", title=TITLE)
        for u in ("sirpa", "pertti", "ulla", "aino", "pertti"):
            same(w.send("GET", "/v1/documents/" + f.id, u, {"Arkki-Purpose": urllib.parse.quote(ODD), "Arkki-Case": "c1"}).status,
                 200, u)
        w.get("/v1/documents/%s/versions/1/content" % f.id, "helmi")
        w.until_indexed()
        _shared = w, f.id
    return _shared


def page(w, path, user="aada", status=200, language="fi"):
    r = w.get("/%s/audit%s" % (language, path), user)
    same(r.status, status, path, user, r.body[:300])
    return r.body.decode()


def main_of(body):
    return body.split("<main")[-1].split("</main>")[0]


def text_of(body):
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", main_of(body)))).strip()


def rows(body):
    """The cells of each entry, as text."""
    table = re.findall(r'<tr role="row"><td.*?</tr>', body, re.S)
    return [[re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", c))).strip()
             for c in re.findall(r"<td[^>]*>(.*?)</td>", r, re.S)] for r in table]


def test_audit_pages__do_not_exist_for_others():
    w, doc = shared()

    def answer(path, user):
        r = w.get(path, user)
        names = sorted(n.lower() for n, _ in r.headers if n.lower() != "date")
        body = re.sub(r'name="form" value="[0-9a-f]*"', "", r.body.decode()).replace(path.split("?")[0], "PATH")
        return r.status, names, re.sub(r'href="/(fi|sv|en)/[^"]*"', "HREF", body)

    for user in ("maija", "sirpa", "ylla", "helmi", "hanna"):
        none = answer("/fi/thereisnosuchpage", user)
        same(none[0], 404)
        for p in PAGES:
            same(answer("/fi/audit" + p, user), none, user, p)
    check("/fi/audit" not in w.get("/fi/", "sirpa").body.decode(), "nothing of it in the menu")
    check("/fi/audit" in w.get("/fi/", "aada").body.decode(), "the way there")
    denied = [e for e in w.audit(principal="hanna") if e["kind"] == "audit"]
    check(denied and all(e["outcome"] == "denied" for e in denied), "the attempts are logged", denied[:1])


def test_audit_pages__of_an_authority_are_its_own():
    w, doc = shared()
    for p in ("", "/emergency"):
        body = page(w, p, "aino")
        check("/fi/audit/integrity" not in body and "oman organisaatiosi" in body)
    for p in PAGES:
        if p not in ("", "/emergency"):
            page(w, p, "aino", 404)
    got = rows(page(w, "?document=" + doc, "aino"))
    check(got and not [r for r in got if "Aada" in r[1]], got)
    check(not [r for r in got if "oikeusasiamies" in r[1]], "the Ombudsman's reads show to nobody else")


def test_audit_pages__know_no_number_of_a_case_that_is_not_seen():
    w = Archive(seed=dict(SEED, users=SEED["users"] + [{"id": "hilma", "org": "helsinki", "name": "Hilma", "roles": ["auditor"]}]))
    w.serve()
    same(w.get("/v1/cases/c2", "hilma").status, 404)
    none = text_of(page(w, "?case=NONE/1/2026", "hilma", 422))
    for hidden in ("c2", "PIR/7/2026", "pir/7/2026"):
        asked = text_of(page(w, "?case=" + urllib.parse.quote(hidden), "hilma", 422))
        same(asked.replace(hidden, "X"), none.replace("NONE/1/2026", "X"), hidden)
    page(w, "?case=PIR/7/2026", "aada")


def test_audit_pages__show_the_entries_of_the_api():
    w, doc = shared()
    api = [e for e in w.audit(document=doc)]
    body = page(w, "?document=" + doc)
    got = rows(body)
    names = {u["id"]: u["name"] for u in SEED["users"]}
    orgs = {o["id"]: o["name"]["fi"] for o in SEED["orgs"]}
    same(len(got), len(api))
    for row, e in zip(got, api):
        same(row[1], "%s %s" % (names[e["principal"]], orgs[e["org"]]))
        check(("evättiin" in row[2]) == (e["outcome"] == "denied"), row, e)
        check("merkintä %d/" % e["documentSequence"] in row[3], row)
        check(("LVV/1234/2026" in row[4]) == ("case" in e), row)


def test_audit_pages__say_that_nothing_is_missing():
    w = Archive().serve()
    doc = w.file(publicity="public").id
    for _ in range(45):
        w.get("/v1/documents/" + doc, "sirpa")
    n = len(w.audit(document=doc))
    body = page(w, "?document=" + doc)
    same(len(rows(body)), 40)
    check("Merkinnät 1–40, kaikkiaan %d. Niiden välistä ei puutu mitään." % n in text_of(body), text_of(body)[:900])
    there = re.search(r'rel="next" href="([^"]*)"', body)
    check(there, "a way to the rest")
    r = w.get(html.unescape(there.group(1)), "aada")
    same(len(rows(r.body.decode())), n - 40 + 1, "the rest, and that the title was shown")
    few = w.file(publicity="public").id
    for _ in range(3):
        w.get("/v1/documents/" + few, "sirpa")
    n = len(w.audit(document=few))
    said = text_of(page(w, "?document=" + few))
    check("Merkinnät 1–%d, kaikkiaan %d: mitään ei puutu." % (n, n) in said, said[:900])
    check("Entries 1–%d of %d, and nothing is missing." % (n, n) in text_of(page(w, "?document=" + few, language="en")))
    check("ingenting saknas" in text_of(page(w, "?document=" + few, language="sv")))
    ghost = text_of(page(w, "?document=" + "0123456789abcdef" * 2))
    check("Kukaan ei ole pyytänyt tätä" in ghost, ghost[:400])


def test_audit_pages__a_look_is_logged_once():
    w, doc = shared()
    before = [e for e in w.audit(principal="aada") if e["kind"] == "audit"]
    page(w, "?document=%s&person=Pertti" % doc)
    after = [e for e in w.audit(principal="aada") if e["kind"] == "audit"]
    # the page's, and that of the request before it: of the list `before`
    mine = [e for e in after[len(before):] if e.get("detail", {}).get("document") == doc]
    same(len(mine), 1, "entries of the look")
    same(mine[0]["detail"], {"log": "access", "document": doc, "principal": "pertti"})
    shown = [e for e in w.audit(principal="aada", document=doc) if e["kind"] == "shown"]
    check(shown, "the title was shown, and that is logged")
    before = len(shown)
    page(w, "?document=" + doc + "&person=nobody-such")
    shown = [e for e in w.audit(principal="aada", document=doc) if e["kind"] == "shown"]
    same(len(shown), before, "no title was shown")


def test_audit_pages__filter_by_names_kinds_and_days():
    w, doc = shared()
    day = time.strftime("%d.%m.%Y", time.gmtime(time.time() + 2 * 3600))
    every = rows(page(w, "?unit=Koivula"))
    check(len(every) > 4, "by the unit's name")
    same(rows(page(w, "?unit=lehtola")), [])
    mine = rows(page(w, "?document=%s&organisation=Pirkanmaa" % doc))
    same([r[1] for r in mine], ["Pertti Pirkanmaa"] * len(mine))
    check(len(mine) == 2, mine)
    same(len(rows(page(w, "?case=%s&organisation=pirha" % urllib.parse.quote("lvv/1234/2026")))), 0, "filed outside the case")
    denied = rows(page(w, "?document=%s&outcome=denied" % doc))
    check(denied and all("evättiin" in r[2] for r in denied), denied)
    check(all("tiedoston avaaminen" in r[2] for r in rows(page(w, "?unit=koivula&kind=content"))))
    same(len(rows(page(w, "?document=%s&organisation=pirha&from=%s&to=%s" % (doc, day, day)))), 2, day)
    same(rows(page(w, "?document=%s&to=1.1.2026" % doc)), [])
    for field, typed, said in (("person", "Ei Ketään Sellaista", "Tällaista ei löydy"), ("from", "31.2.2026", "päivä"),
                               ("document", "Koivulan kertomus", "32 merkkiä"), ("unit", "eiole", "Tällaista ei löydy")):
        body = page(w, "?%s=%s" % (field, urllib.parse.quote(typed)), status=422)
        check('href="#%s"' % field in body and said in text_of(body), field, text_of(body)[:300])
        check(html.escape(typed) in body, "what was typed stays")


def test_audit_pages__what_people_wrote_stays_text():
    w, doc = shared()
    body = page(w, "?document=" + doc)
    check("<b>lihava" not in body and "<script>alert" not in body, "markup out of a purpose or a title")
    check("&lt;b&gt;lihava&lt;/b&gt;" in body and "&lt;script&gt;alert(1)" in body)
    check("\u202e" not in body, "a turn of direction")
    check(re.search(r'<span dir="auto">Tarkistus', body) and re.search(r'dir="auto">Koivulan', body), "dir")


def test_audit_pages__who_read_and_who_did_not():
    w, doc = shared()
    body = page(w, "/readers?document=" + doc)
    parts = dict(re.findall(r"<h4>(.*?)</h4><ul class=\"readers\">(.*?)</ul>", body, re.S))
    read = re.sub(r"<[^>]*>", " ", parts["Luki"])
    for org in ("Lupa- ja valvontavirasto", "Pirkanmaa", "Uusimaa"):
        check(org in read, org, read)
    check("2 kertaa" in read, read)
    check("Helsinki" in parts["Ei voinut lukea"] or "Helsinki" in parts.get("Ei lukenut, vaikka olisi voinut", ""), parts.keys())
    check("Etelä-Suomen AVI" not in body, "an organisation that another has followed")
    of_unit = page(w, "/readers?unit=koivula")
    check("Olisi voinut nähdä" in of_unit and TITLE.split("<")[0] in of_unit, text_of(of_unit)[:500])
    check("Arkistoa ei ollut vielä silloin" in text_of(page(w, "/readers?unit=koivula&on=1.1.2020", status=422)))
    same([e["detail"]["report"] for e in w.audit(principal="aada") if e.get("detail", {}).get("report")], ["readers"] * 3)
    page(w, "/readers?document=" + "ab" * 16, status=422)
    page(w, "/readers?document=", status=422)


def test_audit_pages__lead_to_the_signed_reports():
    w, doc = shared()
    page(w, "/past")
    day = time.strftime("%d.%m.%Y", time.gmtime(time.time() + 2 * 3600))
    r = w.get("/fi/audit/past?report=replay&organisation=pirha&unit=Koivula&on=%s&format=json" % day, "aada")
    same(r.status, 303, r.body[:300])
    there = dict(r.headers).get("Location") or r.header("Location")
    report = w.get(there, "aada")
    same(report.status, 200, report.body[:300])
    replayed = report.json()["report"]
    same([d["verdict"] for d in replayed["documents"] if d["id"] == doc], ["could-and-did"])
    r = w.get(there.replace("format=json", "format=html"), "aada")
    check(b"<pre id=\"arkki-report\">" in r.body, "the page of the report")
    r = w.get("/sv/audit/past?report=subject&document=%s&format=html" % doc, "aada")
    same(w.get(r.header("Location"), "aada").status, 200)
    for bad in ("?report=replay&organisation=pirha&unit=koivula", "?report=replay&organisation=x&unit=koivula&on=1.1.2026",
                "?report=replay&organisation=pirha&unit=koivula&on=1.1.2026&time=25.00", "?report=subject",
                "?report=subject&document=%s&case=c1" % doc):
        body = page(w, "/past" + bad, status=422)
        check('class="errors"' in body, bad)


def test_audit_pages__tell_whether_everything_is_whole():
    w, doc = shared()
    said = text_of(page(w, "/integrity"))
    for part in ("Käyttöloki", "Historialoki", "Tarkistuspiste:", "ei ole todistajia", "Kaiken lukeminen uudelleen",
                 "arkki verify --full"):
        check(part in said, part, said)
    root = w.get("/v1/log/history/checkpoint", None).body.decode().split("\n")
    check(root[2] in said, "the number of the checkpoint")


def test_audit_pages__evidence_is_taken_along():
    w = Archive()
    w.serve()
    doc = w.file(publicity="public").id
    b = Browser(w)
    member(w, "aada", link_code(w, "aada"), b)
    r = b.get("/fi/audit/export")
    form = r.form("/fi/audit/export")
    same(b.post("/fi/audit/export", {"form": form}).status, 422)
    same(b.post("/fi/audit/export", {"form": "0" * 32, "unit": "koivula"}).status, 422)
    same(b.post("/fi/audit/export", {"form": form, "unit": "eiole"}).status, 422)
    same(b.post("/fi/audit/export", {"form": form, "unit": "koivula", "documents": doc}).status, 422)
    r = b.post("/fi/audit/export", {"form": form, "unit": "Koivula", "versions": "all", "purpose": "Oma aloite"})
    same(r.status, 303, r.body[:300])
    for _ in range(100):
        body = b.get("/fi/audit/export").body.decode()
        if "Lataa paketti" in body:
            break
        time.sleep(0.1)
    there = re.search(r'href="(/fi/audit/export/[0-9a-f]{32}/package)"', body).group(1)
    r = b.get(there)
    same((r.status, r.body[:2]), (200, b"PK"))
    same(w.get(there, "sirpa").status, 404, "nobody else's")
    taken = [e for e in w.audit(principal="aada", document=doc) if e["kind"] == "export"]
    check(taken and taken[0]["purpose"] == "Oma aloite", taken)


def test_audit_pages__emergency_access_is_reviewed():
    w = Archive()
    w.serve()
    doc = w.file(publicity="secret", units=["mantyla"], user="pertti", author="pirha", case="c2").id
    people = {u: Browser(w) for u in ("aada", "aino")}
    for u, b in people.items():
        member(w, u, link_code(w, u), b)
    r = w.send("GET", "/v1/documents/" + doc, "sirpa", {"Arkki-Break-Glass": urllib.parse.quote("Kiire <i>nyt</i>")})
    same(r.status, 200, r.body[:300])
    body = people["aada"].get("/fi/audit/emergency")
    check("Kiire &lt;i&gt;nyt" in body.body.decode(), text_of(body.body.decode())[:600])
    for u, b in people.items():
        body = b.get("/fi/audit/emergency")
        action = re.search(r'action="(/fi/audit/emergency/[^"]+)"', body.body.decode()).group(1)
        form = body.form(action)
        same(b.post(action, {"form": form, "remark": "", "justified": "yes"}).status, 422, u)
        same(b.post(action, {"form": form, "remark": "x"}).status, 422, u)
        same(b.post(action, {"form": "0" * 32, "remark": "x", "justified": "no"}).status, 422, u)
        r = b.post(action, {"form": form, "remark": "Oli <u>kiire</u>", "justified": "yes"})
        same(r.status, 303, u, r.body[:300])
        same(b.post(action, {"form": form, "remark": "taas", "justified": "no"}).status, 422, "once is enough")
        check("Ei hätäkäyttöjä" in text_of(b.get("/fi/audit/emergency").body.decode()), u)
        check("Oli &lt;u&gt;kiire" in b.get("/fi/audit/emergency?state=reviewed").body.decode(), u)
    use = w.json("/v1/audit/break-glass?state=all", "aada")["uses"][0]
    same((use["review"]["justified"], use["authorityReview"]["justified"]), (True, True))
