"""The pages of administrators, as far as no browser is needed. All people and documents here are invented."""

import html
import json
import os
import re
import subprocess

from arkki_flow import Archive, check, metadata, same
from sign_in_util import Browser, link_code, member
from test_audit_pages import text_of

PAGES = ("/admin", "/admin/state", "/admin/policies", "/admin/policies/change", "/admin/try", "/admin/types",
         "/admin/new-type", "/admin/types/memo", "/admin/types/nosuchtype", "/admin/retention", "/admin/new-rule",
         "/admin/retention/default", "/admin/retention/nosuchrule", "/admin/synonyms", "/admin/providers",
         "/admin/new-provider", "/admin/providers/nosuch", "/admin/certificates")

_shared = None


def shared():
    """A served archive with an administrator at a browser: (archive, browser)."""
    global _shared
    if _shared is None:
        w = Archive()
        w.serve()
        b = Browser(w)
        member(w, "ylla", link_code(w, "ylla"), b)
        _shared = w, b
    return _shared


def got(b, path, status=200):
    r = b.get(path)
    same(r.status, status, path, text_of(r.body.decode())[:300])
    return r


def area(page, name):
    return html.unescape(re.search(r'<textarea id="%s"[^>]*>\n(.*?)</textarea>' % name, page.body.decode(), re.S).group(1))


def test_admin_pages__do_not_exist_for_others():
    w, b = shared()
    for path in PAGES:
        got(b, "/fi" + path, 404 if "nosuch" in path else 200)
        for user in ("maija", "aada", "aino", "hanna"):
            r, none = w.get("/fi" + path, user), w.get("/fi/nosuchpage", user)
            same(r.status, 404, user, path)
            same(sorted(n for n, _ in r.headers), sorted(n for n, _ in none.headers), path)
            same(re.sub(r'href="/../[^"]*"', "", r.body.decode()), re.sub(r'href="/../[^"]*"', "", none.body.decode()), path)


def test_admin_pages__tell_how_the_archive_does():
    w, b = shared()
    for language, word in (("fi", "Varmuuskopio"), ("sv", "Säkerhetskopia"), ("en", "Backup")):
        said = text_of(got(b, "/%s/admin/state" % language).body.decode())
        check(word in said and "arkki doctor" in said, said)
    said = text_of(got(b, "/fi/admin/state").body.decode())
    for part in ("Kaikki arkistoitu on haettavissa", "vapaana", "Ei vielä yhtään. Tee: arkki backup.", "Käyttöloki", "Ei todistajia"):
        check(part in said, part, said)


def test_admin_pages__rules_are_told_in_sentences():
    w, b = shared()
    api = w.json("/v1/policies", "ylla")
    for language in ("fi", "sv", "en"):
        body = got(b, "/%s/admin/policies" % language).body.decode()
        same(len(re.findall(r"<li><p><strong>(?:Sallii|Tillåter|Permits|Kieltää|Förbjuder|Forbids):", body)), len(api["rules"]))
        r = w.send("GET", "/v1/policies", "ylla", {"Accept-Language": language})
        for rule in r.json()["rules"]:
            check(html.escape(rule["sentence"], quote=False).replace("&#x27;", "&#39;").split("'")[0] in body, rule)


def test_admin_pages__a_decision_is_tried_and_logged():
    w, b = shared()
    doc = w.file(publicity="public", case="c1").id
    form = got(b, "/fi/admin/try").form("/fi/admin/try")

    def tried(status=200, **fields):
        r = b.post("/fi/admin/try", dict({"form": form, "user": "sirpa", "action": "readContent", "document": doc}, **fields))
        same(r.status, status, fields, text_of(r.body.decode())[:400])
        return text_of(r.body.decode())

    api = w.send("POST", "/v1/policies/explain", "ylla", {"Content-Type": "application/json", "Accept-Language": "fi"},
                 json.dumps({"user": "sirpa", "action": "readContent", "document": doc}))
    same(api.status, 200, api.body[:300])
    said = tried()
    for rule in api.json()["policies"]:
        check(rule["sentence"] in said and rule["id"] in said, rule, said)
    check("Sallittu." in said, said)
    r = b.post("/fi/admin/try", {"form": form, "user": "sirpa", "action": "readContent", "document": doc,
                                 "purpose": "Käynti <b>huomenna</b>", "case": "LVV/1234/2026"})
    check('value="Käynti &lt;b&gt;huomenna&lt;/b&gt;"' in r.body.decode(), "what was typed stays, as text")
    check("Ei sallittu." in tried(user="Helmi", action="amend"), "a placer")
    check("Sallittu." in tried(user="ylla", action="administer", document=""), "of the archive itself")
    tried(422, user="")
    tried(422, user="Ei Ketään")
    tried(422, document="")
    tried(422, form="0" * 32)
    b.post("/fi/admin/try", {"form": form, "user": "sirpa", "action": "read", "document": "ab" * 16})
    logged = [e for e in w.audit(principal="ylla", document=doc) if e.get("detail", {}).get("explain") == "readContent"]
    same(len(logged), 3, "each try of the content, and that of the API")


def test_admin_pages__rules_are_changed_after_a_check():
    w, b = shared()
    page = got(b, "/fi/admin/policies/change")
    text, base = area(page, "policies"), page.hidden("/fi/admin/policies/change")
    same(text.rstrip("\n"), w.json("/v1/policies", "ylla")["policies"].rstrip("\n"))

    def sent(status, **fields):
        r = b.post("/fi/admin/policies/change", dict(base, policies=text.replace("\n", "\r\n"), **fields))
        same(r.status, status, text_of(r.body.decode())[:600])
        return r

    r = sent(200, step="check")
    check("Säännöt voi ottaa käyttöön." in text_of(r.body.decode()) and 'value="apply"' in r.body.decode())
    same(w.json("/v1/policies", "ylla")["version"], int(base["base"]), "a check changes nothing")
    broken = b.post("/fi/admin/policies/change", dict(base, policies="permit (nonsense", step="apply", reason="x"))
    same(broken.status, 422)
    check("Virheet" in text_of(broken.body.decode()) and 'value="apply"' not in broken.body.decode())
    locked = b.post("/fi/admin/policies/change", dict(base, policies=text + "\nforbid (principal, action, resource);\n",
                                                      step="apply", reason="x"))
    same(locked.status, 422, "the test cases must pass")
    same(w.json("/v1/policies", "ylla")["version"], int(base["base"]), "nothing was put in force")
    sent(422, step="apply")
    same(sent(303, step="apply", reason="Kokeilu <i>sivulta</i>").header("Location"), "/fi/admin/policies?saved=1")
    now = w.json("/v1/policies", "ylla")
    same((now["version"], now["filedBy"], now["reason"]), (int(base["base"]) + 1, "ylla", "Kokeilu <i>sivulta</i>"))
    check("Kokeilu &lt;i&gt;sivulta" in got(b, "/fi/admin/policies").body.decode())
    check("Joku on muuttanut" in text_of(sent(422, step="apply", reason="taas").body.decode()))


def typed(b, path, status, page=None, **fields):
    """Sends the form of a page with these fields."""
    action = path.replace("/sv/", "/fi/")
    r = b.post(action, dict((page or got(b, path)).hidden(action), **fields))
    same(r.status, status, fields, text_of(r.body.decode())[:600])
    return r


LABELS = {"name-fi": "seurantamuistio", "name-sv": "uppföljnings-PM", "name-en": "follow-up <b>memo</b>"}


def test_admin_pages__types_are_entered_after_a_check():
    w, b = shared()
    for t in w.json("/v1/types", "ylla")["types"]:
        body = got(b, "/sv/admin/types").body.decode()
        check("<code>%s</code>" % t["id"] in body and t["name"]["sv"] in body, t)
    before = len(w.json("/v1/types", "ylla")["types"])
    for wrong, said in (({"id": "Ei Kelpaa"}, "Anna koodi"), ({"id": "memo"}, "Koodi on jo"), ({"name-sv": ""}, "Anna nimi ruotsiksi")):
        r = typed(b, "/fi/admin/new-type", 422, **dict(LABELS, **dict({"id": "follow-up-memo", "step": "check"}, **wrong)))
        check(said in text_of(r.body.decode()) and 'value="apply"' not in r.body.decode(), wrong)
    r = typed(b, "/fi/admin/new-type", 200, step="check", id="follow-up-memo", **LABELS)
    check("nimi on ”seurantamuistio”." in text_of(r.body.decode()) and 'value="apply"' in r.body.decode())
    same(len(w.json("/v1/types", "ylla")["types"]), before, "a check changes nothing")
    typed(b, "/fi/admin/new-type", 422, step="apply", id="follow-up-memo", **LABELS)
    r = typed(b, "/fi/admin/new-type", 303, step="apply", id="follow-up-memo", reason="Uusi käytäntö", **LABELS)
    same(r.header("Location"), "/fi/admin/types?saved=1")
    same(w.json("/v1/types/follow-up-memo")["name"], {"fi": "seurantamuistio", "sv": "uppföljnings-PM", "en": "follow-up <b>memo</b>"})
    check("follow-up &lt;b&gt;memo" in got(b, "/en/admin/types").body.decode())
    w.file(type="follow-up-memo", publicity="public")


def test_admin_pages__types_are_changed_and_retired_after_a_check():
    w, b = shared()
    doc = w.file(type="pre-inspection", publicity="public")
    path = "/fi/admin/types/pre-inspection"
    page = got(b, path)
    labels = {"name-fi": "ennakkokäynti", "name-sv": "förhandsinspektion", "name-en": "pre-registration inspection"}
    r = typed(b, path, 200, step="check", retired="1", **labels)
    said = text_of(r.body.decode())
    for part in ("nimi ”ennakkotarkastus” muuttuu nimeksi ”ennakkokäynti”.", "ei enää anneta", "Laji on 1 asiakirjalla"):
        check(part in said, part, said)
    check("förhandsinspektion” blir" not in said)
    r = typed(b, path, 303, step="apply", retired="1", reason="Ei enää tehdä <i>", **labels)
    same(w.json("/v1/types/pre-inspection")["retired"], True)
    check("Joku on muuttanut" in text_of(typed(b, path, 422, page=page, step="apply", reason="x", retired="1",
                                               **dict(labels, **{"name-fi": "muu"})).body.decode()), "built on an older version")
    check("Ei enää tehdä &lt;i&gt;" in got(b, path).body.decode(), "the versions")
    check("ennakkokäynti" in text_of(got(b, "/fi/documents/" + doc.id).body.decode()), "the document has the new name")
    r = w.send("GET", "/v1/types/pre-inspection/versions", "ylla")
    same([(v["filedBy"], v["reason"]) for v in r.json()["versions"]][1:], [("ylla", "Ei enää tehdä <i>")])
    same([v["filedBy"] for v in w.json("/v1/types/pre-inspection/versions")["versions"]], [None, None], "to others without names")
    same(w.version(doc.id, b"toinen versio\n").status, 201, "who has the type keeps it")
    r = w.post_document(metadata(type="pre-inspection"))
    same((r.status, [(e["field"], e["code"]) for e in r.json()["errors"]]), (422, [("type", "retired")]))
    got(b, "/fi/admin/types/nosuchtype", 404)


def test_admin_pages__types_are_changed_by_administrators_alone():
    w, _ = shared()
    h = {"Content-Type": "application/json"}
    name = {"fi": "a", "sv": "b", "en": "c"}
    for user in ("maija", "aada", "aino"):
        same(w.send("POST", "/v1/types", user, h, json.dumps({"id": "x", "name": name})).status, 403, user)
        same(w.send("PUT", "/v1/types/memo", user, dict(h, **{"If-Match": "*"}), json.dumps({"name": name})).status, 403, user)
    same(w.send("PUT", "/v1/types/memo", "ylla", h, json.dumps({"name": name})).status, 428)
    same(w.send("PUT", "/v1/types/memo", "ylla", dict(h, **{"If-Match": '"x"'}), json.dumps({"name": name})).status, 412)
    for wrong in ({"name": {"fi": "a", "sv": "b"}}, {"name": "memo"}, {"name": name, "retired": 1}, {"name": name, "other": 1},
                  {"name": name, "id": "other"}):
        r = w.send("PUT", "/v1/types/memo", "ylla", dict(h, **{"If-Match": w.get("/v1/types/memo").header("ETag")}), json.dumps(wrong))
        same(r.status, 422, wrong, r.body[:200])
    same(w.send("POST", "/v1/types", "ylla", h, json.dumps({"id": "memo", "name": name})).status, 409)


RULE = {"type": "memo", "org": "", "years": "5", "from": "filed", "then": "review", "ground": "Päätös <b>1/2026</b>",
        "note-fi": "Huomautus", "note-sv": "Anmärkning", "note-en": "<u>Note</u>", "step": "check"}


def test_admin_pages__retention_is_told_in_three_languages():
    w, b = shared()
    for language, words in (("fi", ("tiedonohjaussuunnitelmansa", "ei vielä lakimiehen vahvistama", "siirretään Kansallisarkistoon")),
                            ("sv", ("informationsstyrningsplan", "ännu inte bekräftat av en jurist")),
                            ("en", ("the authority's own plan", "not yet confirmed by a lawyer"))):
        said = text_of(got(b, "/%s/admin/retention" % language).body.decode())
        for word in words:
            check(word in said, word, said)
    check("pysyvästi" in text_of(got(b, "/fi/admin/retention").body.decode()), "the note of inspection reports")
    for path in ("/fi/admin/policies", "/sv/admin/policies", "/en/admin/policies"):
        check("(verify" not in text_of(got(b, path).body.decode()), path)
    check("ei vielä lakimiehen vahvistama" in text_of(got(b, "/fi/admin/policies").body.decode()))


def test_admin_pages__rules_of_retention_are_changed_after_a_check():
    w, b = shared()
    w.file(type="memo", publicity="public")
    table = w.json("/v1/retention", "ylla")
    logged = len(w.audit(log="history", principal="ylla"))
    for wrong, field in (({"years": "201"}, "years"), ({"years": "-1"}, "years"), ({"years": "viisi"}, "years"), ({"from": "x"}, "from"),
                         ({"then": ""}, "then"), ({"type": "nosuch"}, "type"), ({"org": "nosuch"}, "org"), ({"note-sv": ""}, "note-sv"),
                         ({"type": "*"}, "type")):
        r = typed(b, "/fi/admin/new-rule", 422, **dict(RULE, **wrong))
        check('href="#%s"' % field in r.body.decode() and 'aria-invalid="true"' in r.body.decode(), wrong)
    r = typed(b, "/fi/admin/new-rule", 200, **RULE)
    said = text_of(r.body.decode())
    check(re.search(r"Muutoksen jälkeen: .*: 5 vuotta", said) and re.search(r"\d+ asiakirjan aika lasketaan toisin", said), said)
    same(w.json("/v1/retention", "ylla"), table, "a check changes nothing")
    typed(b, "/fi/admin/new-rule", 422, **dict(RULE, step="apply"))
    typed(b, "/fi/admin/new-rule", 303, **dict(RULE, step="apply", reason="Kokeilu"))
    now = w.json("/v1/retention", "ylla")
    same(now["version"], table["version"] + 1)
    same(now["rows"][-1], {"id": "memo", "type": "memo", "years": 5, "from": "filed", "then": "review", "ground": "Päätös <b>1/2026</b>",
                           "note": {"fi": "Huomautus", "sv": "Anmärkning", "en": "<u>Note</u>"}})
    page = got(b, "/en/admin/retention")
    check("&lt;u&gt;Note" in page.body.decode() and "&lt;b&gt;1/2026" in page.body.decode() and "Kokeilu" in page.body.decode())
    rule = "/fi/admin/retention/memo"
    old = got(b, rule)
    check("lyhenee" in text_of(typed(b, rule, 200, **dict(RULE, years="3")).body.decode()))
    check("pitenee" in text_of(typed(b, rule, 200, **dict(RULE, years="30")).body.decode()))
    typed(b, rule, 303, **dict(RULE, years="30", confirmed="1", step="apply", reason="Vahvistettu"))
    same([(r["years"], r["confirmed"]) for r in w.json("/v1/retention", "ylla")["rows"] if r["id"] == "memo"], [(30, True)])
    check("Joku on muuttanut" in text_of(typed(b, rule, 422, page=old, **RULE).body.decode()))
    check("Poistetaan:" in text_of(typed(b, rule, 200, remove="1", **RULE).body.decode()))
    typed(b, rule, 303, remove="1", **dict(RULE, step="apply", reason="Pois"))
    same(w.json("/v1/retention", "ylla")["rows"], table["rows"])
    said = text_of(typed(b, "/fi/admin/retention/default", 200, remove="1", **dict(RULE, type="*")).body.decode())
    check("kokonaan ilman sääntöä" in said, said)
    got(b, rule, 404)
    entries = [e["kind"] for e in w.audit(log="history", principal="ylla")[logged:]]
    same(entries, ["record"] * 3, "each change is in the log, and no check")


def provider_pages():
    from oidc_provider import CLIENT, SECRET, Provider
    w, b = shared()
    idp = Provider()
    fields = {"name-fi": "Koevirasto <b>", "name-sv": "Provverket", "name-en": "Test agency", "org": "lvv", "issuer": idp.issuer,
              "clientId": CLIENT, "clientSecret": SECRET, "match": "id", "claim": "preferred_username"}
    return w, b, idp, fields, SECRET


def test_admin_pages__providers_are_tried_added_changed_and_removed():
    w, b, idp, fields, secret = provider_pages()
    logged = len(w.audit(log="history"))
    new = "/fi/admin/new-provider"
    good = dict(fields, id="koe-idp")
    for wrong, field, said in (({"id": "Ei Kelpaa"}, "id", "Anna koodi"), ({"id": ""}, "id", "Anna koodi"), ({"org": ""}, "org", "Valitse organisaatio"),
                               ({"issuer": "ftp://x"}, "issuer", "https://"), ({"clientSecret": ""}, "clientSecret", "salaisuus"),
                               ({"claim": ""}, "claim", "luetaan"), ({"issuer": idp.issuer + "/"}, "issuer", "kirjain kirjaimelta"),
                               ({"issuer": "http://127.0.0.1:9"}, "issuer", "ei vastaa"),
                               ({"issuer": idp.issuer + "/nosuch"}, "issuer", "ei ole tunnistuspalvelun tietoja")):
        r = typed(b, new, 422, step="try", **dict(good, **wrong))
        check('href="#%s"' % field in r.body.decode() and said in text_of(r.body.decode()), wrong, text_of(r.body.decode())[:500])
        check(secret not in r.body.decode(), "the secret is never shown")
    r = typed(b, new, 200, step="try", **good)
    check("Palvelu vastaa" in text_of(r.body.decode()))
    check("koe-idp" not in got(b, "/fi/admin/providers").body.decode(), "trying keeps nothing")
    same(typed(b, new, 303, step="save", **good).header("Location"), "/fi/admin/providers?saved=1")
    body = got(b, "/fi/admin/providers").body.decode()
    check("Koevirasto &lt;b&gt;" in body and idp.issuer in body)
    check("Koodi on jo" in text_of(typed(b, new, 422, step="save", **good).body.decode()))
    check('href="/auth/koe-idp' in w.get("/fi/sign-in", None).body.decode(), "people can sign in there")
    one = "/fi/admin/providers/koe-idp"
    kept = dict(fields, clientSecret="", **{"name-fi": "Toinen nimi"})
    typed(b, one, 303, step="save", **kept)
    check("Toinen nimi" in got(b, "/fi/admin/providers").body.decode())
    same(b.w.run("provider", "show", w.dir, "koe-idp").returncode, 0)
    r = typed(b, one, 422, step="save", **dict(kept, issuer="https://muualla.example"))
    check('href="#clientSecret"' in r.body.decode(), "a secret does not follow to another server")
    typed(b, one, 422, step="remove")
    same(typed(b, one, 303, step="remove", remove="1").header("Location"), "/fi/admin/providers?saved=1")
    got(b, one, 404)
    entries = [e for e in w.audit(log="history")[logged:] if e["kind"] == "provider"]
    same([(e["principal"], e["detail"]["change"]) for e in entries], [("ylla", "configured")] * 2 + [("ylla", "removed")])
    check(secret not in json.dumps(entries))
    b.post(new, dict(good, step="save", form="0" * 32))
    check("koe-idp" not in got(b, "/fi/admin/providers").body.decode(), "a form of somebody else's")


def test_admin_pages__certificates_are_bound_and_taken_away():
    w, b = shared()
    w.load({"users": [{"id": "kone", "org": "lvv", "name": "Kone", "roles": ["system"]}]})
    path, key = os.path.join(w.top, "kone.pem"), os.path.join(w.top, "kone.key")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
                    "-subj", "/CN=kone", "-keyout", key, "-out", path], check=True, capture_output=True)
    with open(path, encoding="ascii") as f:
        pem = f.read().replace("\n", "\r\n")
    page, logged = "/fi/admin/certificates", len(w.audit(log="history"))
    good = {"user": "kone", "name": "Rajapinta <b>", "pem": pem}
    for wrong, field in (({"user": "maija"}, "user"), ({"user": ""}, "user"), ({"user": "nobody"}, "user"), ({"pem": ""}, "pem"),
                         ({"pem": "-----BEGIN CERTIFICATE-----\r\nAAAA\r\n-----END CERTIFICATE-----\r\n"}, "pem"), ({"pem": pem + pem}, "pem")):
        check('href="#%s"' % field in typed(b, page, 422, **dict(good, **wrong)).body.decode(), wrong)
    typed(b, page, 422, form="0" * 32, **good)
    same(len(w.audit(log="history")), logged, "what is refused is bound to nobody")
    same(typed(b, page, 303, **good).header("Location"), page + "?saved=1")
    body = got(b, page).body.decode()
    check("Rajapinta &lt;b&gt;" in body, body)
    id = re.search(r'name="remove" value="([^"]*)"', body).group(1)
    same(w.run("certificate", "list", w.dir).stdout.count(id), 1)
    same(b.post(page, {"form": got(b, page).form(page), "remove": id}).status, 303)
    check("Rajapinta" not in got(b, page).body.decode())
    entries = [e for e in w.audit(log="history")[logged:] if e["kind"] == "certificate"]
    same([(e["principal"], e["detail"].get("ended", False)) for e in entries], [("ylla", False), ("ylla", True)])


def test_admin_pages__ways_to_sign_in_are_changed_by_who_signed_in_just_now():
    w, b, idp, fields, _ = provider_pages()
    good = dict(fields, id="hiljainen-idp")
    typed(b, "/fi/admin/new-provider", 303, step="save", **good)
    old = Browser(w)
    same(old.submit(old.get("/fi/sign-in"), "/fi/sign-in", token=w.token("ylla")).status, 303)
    one, logged, asked = "/fi/admin/providers/hiljainen-idp", len(w.audit(log="history")), len(idp.asked)
    for path in ("/fi/admin/new-provider", one, "/fi/admin/certificates"):
        page = got(old, path)
        check("Vahvista henkilöllisyytesi" in text_of(page.body.decode()) and not page.form(path), "a form that would be refused", path)
    for path, sent in (("/fi/admin/new-provider", dict(good, id="toinen-idp", step="save")),
                       ("/fi/admin/new-provider", dict(good, id="toinen-idp", step="try")),
                       (one, {"step": "remove", "remove": "1"}), ("/fi/admin/certificates", {"user": "kone", "pem": "x"})):
        r = old.post(path, sent)
        same(r.status, 403, path, sent)
        check("Kirjaudu salasanalla" in text_of(r.body.decode()), "how it is done", path)
    same((len(w.audit(log="history")), len(idp.asked)), (logged, asked), "nothing is changed, nobody is asked")
    for place in (one[3:], "/admin/new-provider", "/admin/certificates"):
        page = got(b, "/fi/account/confirm?next=" + place)
        same(page.hidden("/fi/account/confirm")["next"], place, "where confirming leads back to")
    typed(b, one, 303, step="remove", remove="1")


def test_admin_pages__what_answers_at_an_address_is_not_shown_and_who_asked_is_logged():
    import http.server
    import threading

    class Other(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(w.audit(principal="ylla")[-1])
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"salaisuustoisesta 42")

        def log_message(self, *_):
            pass

    w, b, _, fields, _ = provider_pages()
    asked = []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Other)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    issuer = "http://127.0.0.1:%d" % server.server_port
    for step in ("try", "save"):
        r = typed(b, "/fi/admin/new-provider", 422, step=step, **dict(fields, id="muu-palvelu", issuer=issuer))
        check("ei ole tunnistuspalvelun tietoja" in text_of(r.body.decode()), text_of(r.body.decode())[:500])
        check("salaisuustoisesta" not in r.body.decode(), "what another service answers")
    server.shutdown()
    server.server_close()
    same([(e["kind"], e.get("detail")) for e in asked],
         [("provider", {"provider": "muu-palvelu", "change": "tried", "issuer": issuer})] * 2, "logged before it is asked")
