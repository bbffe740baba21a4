"""The pages of filing, as far as no browser is needed: nothing that was typed is lost, nothing is filed twice."""

import base64
import hashlib
import html
import re
import threading
import urllib.parse

import test_policies as policies
from arkki_flow import Archive, check, form_of, part, same, world

TEXT = ("Tarkastuskertomus, Koivulan tarkastus\n\nPäivätty 27.3.2026. Asia LVV/1234/2026.\n\n"
        "Yksikkö tarkastettiin 12.3.2026. Tämä on keksitty esimerkki, jossa kerrotaan lasten arjesta.\n").encode()
ODD = '../../"lainaus" \U0001f600 <b>.txt'

KINDS = {"txt": "text/plain", "pdf": "application/pdf", "bin": "application/octet-stream"}

_shared = None


def shared():
    global _shared
    if _shared is None:
        _shared = world()
    return _shared


def text_of(page):
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", page.body.decode().split("<main")[-1])))


def got(w, path, status=200, user="maija"):
    r = w.get(path, user)
    same(r.status, status, path, r.header("Location"), text_of(r)[:400])
    return r


def token_of(page):
    """Of a form of the page, not that of signing out."""
    found = re.findall(r'name="form" value="([0-9a-f]{32})"', page.body.decode().split("<main")[-1])
    check(found, "no form on the page", text_of(page)[:300])
    return found[0]


def shown(page, name):
    m = re.search(r'<input[^>]* name="%s"[^>]*? value="([^"]*)"' % name, page.body.decode())
    return html.unescape(m.group(1)) if m else None


def post(w, path, fields, user="maija", headers=None, token=None):
    h = dict({"Content-Type": "application/x-www-form-urlencoded"}, **(headers or {}))
    return w.send("POST", path, user, h, urllib.parse.urlencode(fields), token=token)


def give(w, files, query="?unit=koivula&case=c1", user="maija", status=303):
    """Sends the form without script; where it leads."""
    at = "/fi/file/new" + query
    token = token_of(got(w, at, user=user))
    body, kind = form_of(part("form", token.encode()),
                         *[part("files", b, KINDS.get(n.rsplit(".", 1)[-1]), n) for n, b in files])
    r = w.send("POST", at, user, {"Content-Type": kind}, body)
    same(r.status, status, text_of(r)[:300])
    return r.header("Location")


FIELDS = {"title": "Kertomus käynnistä", "date": "27.3.2026", "type": "inspection-report", "language": "fi",
          "class": "public", "units": "1", "unit": "koivula", "case": "LVV/1234/2026", "state": "final", "to": "check"}


def fill(w, at, user="maija", status=303, **fields):
    token = token_of(got(w, at, user=user))
    r = post(w, at, dict(FIELDS, form=token, **fields), user)
    same(r.status, status, at, text_of(r)[:500])
    return r


def send(w, at, user="maija", **fields):
    page = got(w, at + "/check", user=user)
    return post(w, at + "/send", dict(fields, form=token_of(page)), user)


def filed(w, files=None, query="?unit=koivula&case=c1", user="maija", **fields):
    at = give(w, files or [("kertomus.txt", TEXT)], query, user)
    fill(w, at, user, **fields)
    r = send(w, at, user)
    same((r.status, r.header("Location")), (303, at + "/receipt"), text_of(r)[:300])
    return at


def id_of(w, at, user="maija"):
    return re.search(r"/documents/([0-9a-f]{32})", got(w, at + "/receipt", user=user).body.decode()).group(1)


def test_file__finds_the_unit_and_the_case_first():
    w = shared()
    page = got(w, "/fi/file?q=koiv")
    check("/fi/file/new?unit=koivula&#38;case=c1" in page.body.decode() or
          "/fi/file/new?unit=koivula&amp;case=c1" in page.body.decode(), page.body.decode()[-3000:])
    check("Mäntylä" not in text_of(page), "a unit that does not match")
    check("LVV/1234/2026" in text_of(got(w, "/fi/file?q=1234")), "not by the diary number")
    check("PIR/7/2026" not in text_of(got(w, "/fi/file?q=m%C3%A4ntyl%C3%A4", user="hanna", status=403)), "a provider files")
    check("Yksikköä tai asiaa ei löytynyt" in text_of(got(w, "/fi/file?q=zzz")), "nothing found says so")


def test_file__goes_from_file_to_receipt():
    w = shared()
    content = TEXT + b"alusta loppuun\n"
    at = filed(w, [("kertomus.txt", content)])
    page = got(w, at + "/receipt")
    check(hashlib.sha256(content).hexdigest() in text_of(page), "no digest", text_of(page))
    check("Kaikki tilit kaikissa organisaatioissa." in text_of(page), text_of(page))
    doc = w.json("/v1/documents/" + id_of(w, at))
    same((doc["title"], doc["date"], doc["case"], doc["units"], doc["publicity"], doc["fileName"], doc["version"]),
         ("Kertomus käynnistä", "2026-03-27", "c1", ["koivula"], {"class": "public"}, "kertomus.txt", 1))
    same(w.get("/v1/documents/%s/versions/1/content" % doc["id"]).body, content)


def test_duplicate__is_told_wherever_it_lies_and_never_of_what_is_hidden():
    w = Archive()
    w.serve()
    content = TEXT + b"kahdesti arkistoitu\n"
    told = lambda at, user: re.findall(r"/documents/([0-9a-f]{32}/versions/[0-9]+)", got(w, at + "/check", user=user).body.decode())
    # of another unit, and in a version that is no longer the newest
    f = w.file(content=content, units=["lehtola"], case=None, publicity="secret", title="Muualla")
    same(w.version(f.id, b"muuta\n", {}).status, 201)
    other = w.file(content=content[:-1] + b"!", units=["lehtola"], case=None, publicity="secret")
    at = give(w, [("kertomus.txt", content)], "?unit=koivula")
    fill(w, at)
    same(told(at, "maija"), [f.id + "/versions/1"])
    check("Sama tiedosto on jo arkistossa" in text_of(got(w, at + "/check")), "the heading")
    # pertti sees neither; what he is told is what he would be told were it not there
    at = give(w, [("kertomus.txt", content)], "?unit=koivula", user="pertti")
    fill(w, at, "pertti", unit="mantyla", case="")
    page = got(w, at + "/check", user="pertti")
    same((told(at, "pertti"), "Sama tiedosto" in text_of(page)), ([], False))
    same([e for d in (f.id, other.id) for e in w.audit(document=d, principal="pertti")], [])
    same(w.patch(f.id, {"publicity": {"class": "public"}}).status, 200)
    same(told(at, "pertti"), [], "the version before is still secret")
    g = w.file(content=content, units=["lehtola"], case=None, publicity="public", title="Julkinen")
    same(told(at, "pertti"), [g.id + "/versions/1"])


def groups_of(page):
    """{(organisation, roles)} that a page of readers or a receipt tells of."""
    return set(re.findall(r"<li><span[^>]*>([^<]*)</span>: ([^<]*)</li>", page.body.decode()))


def test_receipt__says_who_reads_it_by_the_rules_in_force():
    w = Archive()
    w.serve()
    at = filed(w, **{"class": "secret"}, ground="JulkL 24 § 1 mom. 25 k")
    doc = id_of(w, at)
    page = got(w, at + "/receipt")
    said, orgs = text_of(page), {org for org, _ in groups_of(page)}
    for words in ("salassa pidettävä", "JulkL 24 § 1 mom. 25 k", "sosiaalihuollon asiakkaasta",
                  "Koko asiakirja, kun käyttötarkoitus ja asia on ilmoitettu"):
        check(words in said, words, said)
    check("Kaikki tilit" not in said, said)
    same(orgs, {org for org, _ in groups_of(got(w, "/fi/documents/%s/versions/1/readers" % doc))})
    check("Lupa- ja valvontavirasto" in orgs and "Pirkanmaa" in orgs and "Helsinki" not in orgs, orgs)
    check([e for e in w.audit(document=doc) if (e.get("detail") or {}).get("readers") == "shown"], "it is logged")
    # other rules, another answer
    text, cases = policies.without(policies.text_of(w), "county"), w.json("/v1/policies/cases")
    failed = {c["description"] for c in policies.ask(w, {"policies": text, "cases": cases}).json()["cases"]["failed"]}
    for s in cases["sets"].values():
        s["requests"] = [r for r in s["requests"] if r["description"] not in failed]
    policies.apply(w, {"policies": text, "cases": cases})
    same(orgs - {org for org, _ in groups_of(got(w, at + "/receipt"))}, {"Pirkanmaa", "Uusimaa"})


def test_file__is_proposed_from_the_text_and_never_over_what_was_typed():
    w = shared()
    at = give(w, [("kertomus.txt", TEXT)], "?unit=koivula")
    page = got(w, at)
    same((shown(page, "title"), shown(page, "date"), shown(page, "visitDate"), shown(page, "case")),
         ("Tarkastuskertomus, Koivulan tarkastus", "27.3.2026", "12.3.2026", "LVV/1234/2026"))
    check("ehdotettu tiedostosta" in text_of(page), "not marked")
    check('value="inspection-report" selected' in page.body.decode(), "no type")
    fill(w, at, title="Oma otsikko", visitDate="", to="keep")
    page = got(w, at)
    same((shown(page, "title"), shown(page, "visitDate")), ("Oma otsikko", ""))
    check("Tarkastuskertomus, Koivulan tarkastus" in text_of(page), "the proposal stays beside it")


def test_file__says_when_there_is_nothing_to_propose():
    w = shared()
    at = give(w, [("kuva.bin", bytes([0, 1, 2, 3, 254, 255, 7]) * 9)])
    check("ei löytynyt ehdotuksia" in text_of(got(w, at)), text_of(got(w, at))[:500])


def test_file__says_what_is_wrong_and_keeps_what_was_typed():
    w = shared()
    at = give(w, [("a.txt", b"Lyhyt.\n")])
    r = fill(w, at, status=422, title="", date="31.2.2026", type="", **{"class": "secret"})
    for field in ("title", "date", "type", "ground"):
        check('href="#%s"' % field in r.body.decode(), "no link to", field)
    check("Kirjoita salassapidon peruste" in text_of(r), text_of(r)[:400])
    same(shown(got(w, at), "date"), "31.2.2026")
    same(post(w, at + "/send", {"form": token_of(r)}).status, 422, "filed although wrong")
    r = fill(w, at, status=422, unitName="Ei sellaista")
    same(shown(got(w, at), "unitName"), "Ei sellaista")
    fill(w, at, unitName="lehtola")
    page = got(w, at + "/check")
    check("Koivula, Lehtola" in text_of(page), text_of(page)[:500])


def test_file__a_session_that_ends_loses_nothing():
    w = shared()
    at = give(w, [("a.txt", b"Istunto.\n")])
    stale = token_of(got(w, at))
    again = w.run("token", "create", w.dir, "--user", "maija").stdout.strip()
    # the form of the session before: kept, not acted upon
    r = post(w, at, dict(FIELDS, form=stale, title="Ennen katkosta"), token=again)
    same(r.status, 422, text_of(r)[:200])
    check("Lomake oli vanhentunut" in text_of(r), text_of(r)[:300])
    same(shown(got(w, at), "title"), "Ennen katkosta")
    # of another site: nothing
    r = post(w, at, dict(FIELDS, form=stale, title="Muualta"), headers={"Sec-Fetch-Site": "cross-site"})
    same(r.status, 403)
    same(shown(got(w, at), "title"), "Ennen katkosta")


def saved_of(page):
    return re.search(r'name="saved" value="(\d+)"', page.body.decode()).group(1)


def test_file__two_tabs_lose_nothing():
    w = shared()
    at = give(w, [("a.txt", b"Kaksi valilehtea.\n")])
    one, two = got(w, at), got(w, at)
    r = post(w, at, dict(FIELDS, form=token_of(one), saved=saved_of(one), title="Ensimmäinen", to="keep"))
    same(r.status, 303, text_of(r)[:300])
    r = post(w, at, dict(FIELDS, form=token_of(two), saved=saved_of(two), title="Toinen", date="28.3.2026"))
    same(r.status, 422)
    text = text_of(r)
    check("toisessa välilehdessä" in text and "Otsikko: Ensimmäinen" in text and "27.3.2026" in text, text[:900])
    check("Kieli:" not in text.split("Muuta alla olevia")[0], "what is the same in both is not listed", text[:900])
    same((shown(r, "title"), shown(r, "date")), ("Toinen", "28.3.2026"), "what was typed is in the form")
    same(shown(got(w, at), "title"), "Ensimmäinen", "what was saved stays")
    # who has seen it goes on
    r = post(w, at, dict(FIELDS, form=token_of(r), saved=saved_of(r), title="Toinen", date="28.3.2026"))
    same((r.status, r.header("Location")), (303, at + "/check"), text_of(r)[:300])
    # the answers that were looked at are those that are filed
    page = got(w, at + "/check")
    fill(w, at, title="Kolmas", to="keep")
    r = post(w, at + "/send", {"form": token_of(page), "saved": saved_of(page)})
    check(r.status == 422 and "Tarkista ne vielä kerran" in text_of(r), r.status, text_of(r)[:300])
    # the same once more is no clash
    old = got(w, at)
    fill(w, at, title="Neljäs", to="keep")
    r = post(w, at, dict(FIELDS, form=token_of(old), saved=saved_of(old), title="Neljäs"))
    same((r.status, r.header("Location")), (303, at + "/check"), text_of(r)[:300])
    same(send(w, at).status, 303)


def test_file__proposals_come_beside_what_was_typed_meanwhile():
    w = shared()
    for n in range(6):
        at = give(w, [("a.txt", TEXT + b"rinnakkain %d\n" % n)])
        token = token_of(got(w, "/fi/file/new"))
        done = []
        reads = [threading.Thread(target=lambda: done.append(got(w, at))) for _ in range(2)]
        for t in reads:
            t.start()
        r = post(w, at, dict(FIELDS, form=token, title="Kirjoitettu %d" % n, to="keep"))
        for t in reads:
            t.join()
        same(r.status, 303, text_of(r)[:200])
        same(shown(got(w, at), "title"), "Kirjoitettu %d" % n)


def test_file__outlives_the_server():
    w = Archive()
    w.serve()
    at = give(w, [("a.txt", b"Kaatuminen.\n")])
    fill(w, at, title="Ennen kaatumista", to="keep")
    w.process.kill()
    w.process.wait()
    w.serve()
    check("Ennen kaatumista" in text_of(got(w, "/fi/file")), "not listed")
    same(shown(got(w, at), "title"), "Ennen kaatumista")
    same(send(w, at).status, 303)
    same(len(w.listed()), 1)


def test_file__is_filed_once_however_often_it_is_sent():
    w = Archive()
    w.serve()
    at = give(w, [("a.txt", TEXT)])
    fill(w, at)
    token = token_of(got(w, at + "/check"))
    answers = []

    def one():
        answers.append(post(w, at + "/send", {"form": token}))

    threads = [threading.Thread(target=one) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for r in answers:
        check(r.status == 303 and r.header("Location").startswith(at + "/receipt"), r.status, r.header("Location"))
    same(len(w.listed()), 1)
    # the back button, and everything that is behind it
    for path in (at, at + "/check"):
        r = got(w, path, 303)
        same(r.header("Location"), at + "/receipt?again=1")
    check("Tämä tiedosto on jo arkistoitu" in text_of(got(w, at + "/receipt?again=1")), "not said")
    same(post(w, at + "/send", {"form": token}).header("Location"), at + "/receipt?again=1")
    same(len(w.listed()), 1)


def test_file__odd_names_and_titles_are_shown_as_text():
    w = shared()
    title = 'Muistio <script>alert(1)</script> \u202ekäännetty'
    at = give(w, [(ODD, b"Nimi.\n")])
    fill(w, at, title=title)
    page = got(w, at + "/check")
    check("<script>alert" not in page.body.decode(), "markup of the title")
    check("\u202e" not in page.body.decode() and "\ufffdkäännetty" in page.body.decode(), "the turn")
    same(send(w, at).status, 303)
    doc = w.json("/v1/documents/" + id_of(w, at))
    same((doc["title"], doc["fileName"]), (title, ODD.split("/")[-1]))
    page = got(w, at + "/receipt").body.decode()
    check("\u202e" not in page and "<script>alert" not in page, "the receipt")
    # a line end in a name is no name
    token = token_of(got(w, "/fi/file/new"))
    body = (b'--x\r\nContent-Disposition: form-data; name="form"\r\n\r\n' + token.encode() +
            b'\r\n--x\r\nContent-Disposition: form-data; name="files"; filename="a\x01b.txt"\r\n\r\nA\r\n--x--\r\n')
    same(w.send("POST", "/fi/file/new", "maija", {"Content-Type": "multipart/form-data; boundary=x"}, body).status, 400)


def test_file__is_its_owners_alone():
    w = shared()
    at = give(w, [("a.txt", b"Oma.\n")])
    for path in (at, at + "/check", at + "/receipt"):
        same(w.get(path, "pertti").status, 404, path)
    same(post(w, at, dict(FIELDS, form="0" * 32), "pertti").status, 404)
    check(at not in w.get("/fi/file", "pertti").body.decode(), "in another's list")
    r = w.send("POST", "/fi/file/new", "maija", {"Content-Type": "multipart/form-data; boundary=x"},
               b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.txt"\r\n\r\nA\r\n--x--\r\n')
    same(r.status, 403, "a form without its token")


def test_file__what_may_not_be_filed_is_refused_in_words():
    w = shared()
    at = give(w, [("a.txt", b"Toisen.\n")], "?unit=mantyla")
    fill(w, at, unit="mantyla", case="")
    r = send(w, at)
    same(r.status, 403, text_of(r)[:300])
    check("Mitään ei kadonnut" in text_of(r), text_of(r)[:300])


def test_file__the_case_of_others_is_as_none():
    w = shared()
    at = give(w, [("a.txt", b"Asia.\n")], "?unit=koivula", user="pertti")
    r = fill(w, at, "pertti", 422, case="LVV/9999/2026", unit="mantyla")
    nothing = text_of(r)
    check("sellaista asiaa ei löydy" in nothing, nothing[:300])


def test_file__the_same_bytes_are_told_of_to_who_may_see_them():
    w = shared()
    content = b"Samat tavut toistuvat.\n"
    first = filed(w, [("a.txt", content)])
    at = give(w, [("b.txt", content)])
    fill(w, at)
    page = got(w, at + "/check")
    check("Sama tiedosto on jo arkistossa" in text_of(page) and id_of(w, first) in page.body.decode(), text_of(page)[:600])
    # of what may not be seen nothing is said
    secret = w.file(user="maija", content=b"Salaiset tavut.\n", publicity={"class": "secret", "ground": "x"})
    check(secret.status == 201)
    at = give(w, [("c.txt", b"Salaiset tavut.\n")], "?unit=koivula", user="heikki")
    fill(w, at, "heikki", case="")
    if w.get("/v1/documents/" + secret.id, "heikki").status == 404:
        check("Sama tiedosto" not in text_of(got(w, at + "/check", user="heikki")), "a hint")


def test_version__starts_from_the_old_one_and_says_when_another_came_between():
    w = shared()
    first = w.file(content=b"Luonnos yksi.\n", title="Luonnos", state="draft", case="c1")
    at = give(w, [("v2.txt", b"Valmis kaksi.\n")], "?document=" + first.id)
    page = got(w, at)
    same((shown(page, "title"), shown(page, "date")), ("Luonnos", "12.3.2026"))
    fill(w, at, title="Valmis", reason="päätös")
    w.version(first.id, b"Valissa.\n", {"title": "Joku muu"})
    r = got(w, at + "/check", 422)
    check("Joku arkistoi välissä version 2" in text_of(r) and "Joku muu" in text_of(r), text_of(r)[:500])
    same(shown(r, "title"), "Valmis", "what was typed")
    same(post(w, at + "/send", {"form": token_of(r)}).status, 422, "filed over it")
    fill(w, at, title="Valmis", reason="päätös", rebase="2")
    same(send(w, at).header("Location"), at + "/receipt")
    doc = w.json("/v1/documents/" + first.id)
    same((doc["version"], doc["title"], doc["state"]), (3, "Valmis", "final"))
    same(w.json("/v1/documents/%s/versions" % first.id)["versions"][2]["reason"], "päätös")


def test_many__are_filed_each_by_itself():
    w = Archive()
    w.serve()
    at = give(w, [("eka.txt", b"Eka.\n"), ("toka.txt", b"Toka.\n"), ("kolmas.txt", b"Kolmas.\n")])
    check(at.startswith("/fi/file/many?batch="), at)
    page = got(w, at)
    ids = re.findall(r'name="title-([0-9a-f]{32})"', page.body.decode())
    same([shown(page, "title-" + i) for i in ids], ["eka", "kolmas", "toka"], "by name")
    fields = {k: v for k, v in FIELDS.items() if k not in ("title", "date", "to")}
    for n, i in enumerate(ids):
        fields.update({"title-" + i: "Asiakirja %d" % n, "date-" + i: "" if n == 1 else "%d.3.2026" % (n + 1)})
    r = post(w, at, dict(fields, form=token_of(page)))
    same(r.status, 422, text_of(r)[:400])
    check("Arkistoitu 2 / 3" in text_of(r), text_of(r)[:400])
    check("/fi/file/" + ids[1] in r.body.decode(), "no way to the one that failed")
    check('href="#date-%s"' % ids[1] in r.body.decode(), "no link to what is wrong")
    same(re.findall(r'name="title-([0-9a-f]{32})"', r.body.decode()), [ids[1]], "what is done is not asked again")
    same(r.body.decode().count('class="errors"'), 1)
    same(sorted(d["title"] for d in w.listed()), ["Asiakirja 0", "Asiakirja 2"])
    same(shown(got(w, "/fi/file/" + ids[1]), "title"), "Asiakirja 1")
    post(w, at, dict(fields, form=token_of(page)))
    same(len(w.listed()), 2, "sent again")


def batch_of(w, n, batch="cd" * 16):
    """n files of a folder, as the script sends them; their addresses."""
    def b64(text):
        return base64.b64encode(text.encode()).decode()

    out = []
    for i in range(n):
        body = ("Selvitys numero %d\n\nPäivätty %d.3.2026. Asia LVV/1234/2026.\n\nTämä on keksitty esimerkki %d.\n"
                % (i, i % 28 + 1, i)).encode()
        r = w.send("POST", "/v1/uploads", "maija",
                   {"Tus-Resumable": "1.0.0", "Upload-Length": str(len(body)), "Content-Type": "application/offset+octet-stream",
                    "Upload-Metadata": "filename %s,filetype %s,batch %s" % (b64("kansio %d.txt" % i), b64("text/plain"), b64(batch))},
                   body)
        same(r.status, 201, r.body[:200])
        out.append(r.header("Location").split("/")[-1])
    return "/fi/file/many?batch=" + batch, out


def ids_on(page):
    return re.findall(r'name="title-([0-9a-f]{32})"', page.body.decode())


def common(page, **more):
    return dict({k: v for k, v in FIELDS.items() if k not in ("title", "date", "to", "case")}, case="", form=token_of(page),
                saved=re.search(r'name="saved"[^>]* value="([^"]*)"', page.body.decode()).group(1), **more)


def each_shown(page):
    return {f + "-" + i: shown(page, f + "-" + i) for i in ids_on(page) for f in ("title", "date", "case")}


def all_proposed(w, at):
    """The page when the text of each file on it has been read."""
    for _ in range(60):
        page = got(w, at)
        if len(re.findall(r'id="title-[0-9a-f]{32}-proposed"', page.body.decode())) == len(ids_on(page)):
            return page
    check(False, "no proposals", text_of(page)[:500])


def test_many__a_hundred_are_settled_page_by_page():
    w = Archive()
    w.serve()
    at, ids = batch_of(w, 100)
    page = all_proposed(w, at)
    same(ids_on(page), ids[:20], "by name, 2 before 10")
    check(len(page.body) <= 60 << 10, "the page has %d bytes" % len(page.body))
    check("Tiedostot 1–20, arkistoimatta 100" in text_of(page), text_of(page)[:400])
    same([(shown(page, "title-" + i), shown(page, "date-" + i), shown(page, "case-" + i)) for i in ids[:3]],
         [("Selvitys numero %d" % n, "%d.3.2026" % (n + 1), "") for n in range(3)])
    same(shown(page, "case"), "LVV/1234/2026", "what all propose alike is proposed for all")
    # one is wrong, one has a case of its own that there is not
    fields = dict(common(page), **each_shown(page))
    fields.update({"case": "LVV/1234/2026", "date-" + ids[3]: "31.2.2026", "case-" + ids[5]: "LVV/9/1999", "title-" + ids[7]: "Oma nimi"})
    r = post(w, at, fields)
    same(r.status, 422, text_of(r)[:600])
    same(ids_on(r), [ids[3], ids[5]], "what is done is kept, what is wrong is asked again")
    for link in ("date-" + ids[3], "case-" + ids[5]):
        check('href="#%s"' % link in r.body.decode(), "no link to", link)
    same((shown(r, "date-" + ids[3]), shown(r, "case-" + ids[5])), ("31.2.2026", "LVV/9/1999"), "as typed")
    same(len(w.listed()), 18)
    r = post(w, at, dict(common(r), **dict(each_shown(r), **{"case": "LVV/1234/2026", "date-" + ids[3]: "3.3.2026", "case-" + ids[5]: ""})))
    same(r.status, 303, text_of(r)[:600])
    # the next ones: what was said once is not asked again
    page = all_proposed(w, r.header("Location"))
    same(ids_on(page), ids[20:40])
    check("Arkistoitu 20 / 100" in text_of(page), text_of(page)[:400])
    check('value="inspection-report" selected' in page.body.decode() and
          re.search(r'value="public"[^>]* checked', page.body.decode()), "the shared details are kept")
    # put off, and come back to
    r = post(w, at, dict(common(page), **dict(each_shown(page), **{"to": "keep", "title-" + ids[20]: "Myöhemmin"})))
    same(ids_on(got(w, r.header("Location"))), ids[40:60])
    page = all_proposed(w, at)
    same((ids_on(page)[0], shown(page, "title-" + ids[20])), (ids[20], "Myöhemmin"))
    while ids_on(page):
        r = post(w, at, dict(common(page), **dict(each_shown(page), case="LVV/1234/2026")))
        same(r.status, 303, text_of(r)[:600])
        page = got(w, r.header("Location"))
        page = all_proposed(w, r.header("Location")) if ids_on(page) else page
    check("Kaikki tiedostot on arkistoitu" in text_of(page) and "Arkistoitu 100 / 100" in text_of(page), text_of(page)[:300])
    titles = [d["title"] for d in w.json("/v1/documents?limit=100")["documents"]]
    same((len(titles), len(set(titles))), (100, 100))
    check("Oma nimi" in titles and "Myöhemmin" in titles, "as typed")


def test_many__what_another_tab_kept_is_not_written_over():
    w = shared()
    at, ids = batch_of(w, 2, "ef" * 16)
    page = got(w, at)
    fill(w, "/fi/file/" + ids[0], title="Toisesta välilehdestä", to="keep")
    fields = dict(common(page), **dict(each_shown(page), case="LVV/1234/2026", **{"title-" + ids[0]: "Tästä", "date-" + ids[0]: "5.3.2026", "date-" + ids[1]: "6.3.2026"}))
    r = post(w, at, fields)
    same((r.status, ids_on(r), shown(r, "title-" + ids[0])), (422, [ids[0]], "Tästä"), text_of(r)[:400])
    check("toisessa välilehdessä" in text_of(r), text_of(r)[:400])
    same(shown(got(w, "/fi/file/" + ids[0]), "title"), "Toisesta välilehdestä", "what was kept stays")
    r = post(w, at, dict(common(r), **dict(each_shown(r), case="LVV/1234/2026", **{"date-" + ids[0]: "5.3.2026"})))
    same(r.status, 303, text_of(r)[:400])
    check("Kaikki tiedostot" in text_of(got(w, r.header("Location"))), "all are filed")


def pdf(words, hidden="", title=None, before=None):
    """Words that are seen are drawn as no font needs it; here all is in one that the file does not bring along."""
    def content(text):
        return b"BT /F 12 Tf 40 700 Td (" + text.encode("latin-1") + b") Tj ET\n"

    def objects(c):
        return b"4 0 obj<</Length %d>>stream\n%sendstream endobj\n" % (len(c), c)

    c = content(words)
    if hidden:
        c += b"1 1 1 rg BT /F 12 Tf 40 650 Td (" + hidden.encode("latin-1") + b") Tj ET\n"
    out = (b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
           b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>endobj\n"
           b"5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj\n")
    if title:
        out += b"6 0 obj<</Title(" + title.encode("latin-1") + b")>>endobj\n"
    trailer = b"trailer<</Root 1 0 R%s>>\nstartxref\n0\n%%%%EOF\n" % (b"/Info 6 0 R" if title else b"")
    if before:
        out += objects(content(before)) + trailer
    return out + objects(c) + trailer


def rendition(w, doc, content, name="julkinen.pdf", status=303):
    at = give(w, [(name, content)], "?document=%s&rendition=1" % doc)
    token = token_of(got(w, at))
    r = post(w, at, {"form": token, "reason": "tietopyyntö", "to": "check"})
    same((r.status, r.header("Location")), (303, at + "/check"), text_of(r)[:400])
    return at


def test_rendition__is_tested_for_what_was_taken_out():
    w = Archive()
    w.serve()
    whole = pdf("Tarkastuskertomus. Ohjaaja Tuulikki Keksitty kertoi illasta.")
    f = w.file(content=whole, name="koko.pdf", media_type="application/pdf", title="Kertomus",
               publicity={"class": "partly-secret", "ground": "JulkL 24 § 1 mom. 25 k"}, case="c1")
    w.until_indexed()
    at = rendition(w, f.id, pdf("Tarkastuskertomus. Ohjaaja kertoi illasta.", hidden="Tuulikki", title="Keksitty",
                                before="Tarkastuskertomus. Ohjaaja Tuulikki Keksitty kertoi illasta."))
    page = got(w, at + "/check")
    said = text_of(page)
    for words in ("peitetty", "ominaisuustiedot", "Aiempi tallennus", "tuulikki"):
        check(words in said, words, said)
    r = post(w, at + "/send", {"form": token_of(page)})
    same(r.status, 422, "filed without a reason")
    same(w.json("/v1/documents/" + f.id).get("renditions", []), [])
    r = post(w, at + "/send", {"form": token_of(page), "sure": "nimi on julkinen"})
    same(r.header("Location"), at + "/receipt", text_of(r)[:300])
    same(w.json("/v1/documents/" + f.id)["renditions"], ["public"])
    work = [e for e in w.audit(document=f.id) if (e.get("detail") or {}).get("work") == "leak-test"]
    same([(e["kind"], e["principal"]) for e in work], [("text", "maija")] * 3, "the test, and each page that shows what it found")


def test_rendition__that_is_clean_needs_no_reason():
    w = Archive()
    w.serve()
    f = w.file(content=b"Julkinen osa. Salainen Tuulikki Keksitty.\n", name="koko.txt",
               publicity={"class": "partly-secret", "ground": "JulkL 24 § 1 mom. 25 k"}, case="c1")
    w.until_indexed()
    at = rendition(w, f.id, b"Julkinen osa.\n", "julkinen.txt")
    page = got(w, at + "/check")
    check("yksikään ei ole jäänyt" in text_of(page), text_of(page)[:500])
    same(send(w, at).header("Location"), at + "/receipt")
    same(w.get("/v1/documents/%s/versions/1/renditions/public" % f.id, "helmi").body, b"Julkinen osa.\n")
    check("Julkinen kappale on arkistoitu" in text_of(got(w, at + "/receipt")), "no receipt")
    # who may not see the document is told as of one that there is not
    for user in ("heikki", "ulla"):
        gone = w.get("/fi/file/new?document=%s&rendition=1" % ("0" * 32), user)
        there = w.get("/fi/file/new?document=%s&rendition=1" % f.id, user).status
        check(there == gone.status or w.json("/v1/documents/" + f.id, user).get("rendition") != "public", user, there)


def test_rendition__of_a_closed_original_is_not_tested_until_it_is_open():
    w = Archive()
    w.serve()
    f = w.file(content=b"Julkinen osa. Salainen Tuulikki Keksitty.\n", name="koko.txt",
               publicity={"class": "secret", "ground": "JulkL 24 § 1 mom. 25 k"}, case="c1")
    w.until_indexed()
    at = rendition(w, f.id, b"Julkinen osa. Tuulikki\n", "tuulikki.txt")
    said = text_of(got(w, at + "/check"))
    check("ei ole sinulle auki" in said and "sanaa" not in said.split("ei ole sinulle auki")[0][-200:], said[:800])
    url = "/v1/documents/%s/versions/1/renditions/public" % f.id
    same(w.send("PUT", url, "maija", {"Content-Type": "text/plain"}, b"Julkinen osa. Tuulikki\n").status, 201)
    r = w.send("POST", url + "/check")
    same((r.status, r.json()["type"]), (403, "urn:arkki:problem:purpose-required"), r.body[:300])
    stated = {"Arkki-Purpose": "julkisen%20version%20tarkastus", "Arkki-Case": "c1"}
    same(w.send("POST", url + "/check", "maija", stated).status, 200)


def test_check__says_of_a_filed_rendition_what_still_stands_in_it():
    w = shared()
    f = w.file(content=b"Julkinen osa. Salainen Tuulikki Keksitty.\n", name="koko.txt",
               publicity={"class": "partly-secret", "ground": "JulkL 24 § 1 mom. 25 k"}, case="c1")
    url = "/v1/documents/%s/versions/1/renditions/public" % f.id
    w.until_indexed()
    same(w.send("POST", url + "/check").status, 404, "there is none")
    r = w.send("PUT", url, "maija", {"Content-Type": "text/plain",
                                     "Content-Disposition": 'attachment; filename="tuulikki.txt"'}, b"Julkinen osa.\n")
    same(r.status, 201, r.body[:200])
    report = w.send("POST", url + "/check").json()
    same((report["outcome"], [(p["where"], p["words"]) for p in report["places"]]), ("leaks", [("file-name", 1)]))
    same(report["places"][0].get("examples"), ["tuulikki"], "who may read the original is told")
    same(w.send("POST", url + "/check", "helmi").status, 403, "sees the rendition alone")
    same(w.send("POST", url.replace(f.id, "0" * 32) + "/check").status, 404)


def test_file__of_500_mb_is_taken_without_proposals():
    w = Archive()
    w.serve()
    at = "/fi/file/new?unit=koivula&case=c1"
    token = token_of(got(w, at))
    head = (b'--x\r\nContent-Disposition: form-data; name="form"\r\n\r\n' + token.encode() +
            b'\r\n--x\r\nContent-Disposition: form-data; name="files"; filename="suuri.pdf"\r\n'
            b"Content-Type: application/pdf\r\n\r\n%PDF-1.4\n")
    body = head + bytes(500 << 20) + b"\r\n--x--\r\n"
    r = w.send("POST", at, "maija", {"Content-Type": "multipart/form-data; boundary=x"}, body, timeout=300)
    same(r.status, 303, r.body[:300])
    del body
    at = r.header("Location")
    check("ei löytynyt ehdotuksia" in text_of(got(w, at)), "proposals of half a gigabyte")
    fill(w, at)
    page = got(w, at + "/check")
    r = w.send("POST", at + "/send", "maija", {"Content-Type": "application/x-www-form-urlencoded"},
               urllib.parse.urlencode({"form": token_of(page)}), timeout=300)
    same(r.header("Location"), at + "/receipt", text_of(r)[:300])
    same(w.json("/v1/documents/" + id_of(w, at))["size"], (500 << 20) + 9)
