"""The pages of administrators, as far as no browser is needed. All people and documents here are invented."""

import html
import json
import re

from arkki_flow import Archive, check, same
from sign_in_util import Browser, link_code, member
from test_audit_pages import text_of

PAGES = ("/admin", "/admin/state", "/admin/policies", "/admin/policies/change", "/admin/try", "/admin/types",
         "/admin/retention", "/admin/synonyms")

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
        got(b, "/fi" + path)
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


def test_admin_pages__types_and_retention_are_tables():
    w, b = shared()
    body = got(b, "/sv/admin/types").body.decode()
    for t in w.json("/v1/types", "ylla")["types"]:
        check("<code>%s</code>" % t["id"] in body and t["name"]["sv"] in body, t)
    page = got(b, "/fi/admin/retention")
    rows, base = area(page, "rows"), page.hidden("/fi/admin/retention")
    table = w.json("/v1/retention", "ylla")
    same([json.loads(line) for line in rows.splitlines()], table["rows"])

    def sent(status, rows, **fields):
        r = b.post("/fi/admin/retention", dict(base, rows=rows, **fields))
        same(r.status, status, text_of(r.body.decode())[:500])
        return r

    sent(422, rows)
    sent(422, rows + '{"id": "x"}', reason="x")
    check("line 1" in sent(422, "{nonsense", reason="x").body.decode())
    same(w.json("/v1/retention", "ylla"), table)
    more = rows.rstrip("\n") + '\r\n{"id":"memo","type":"memo","years":5,"from":"filed","then":"review","note":"<u>keksitty</u>"}\r\n'
    sent(303, more, reason="Kokeilu")
    now = w.json("/v1/retention", "ylla")
    same((now["version"], len(now["rows"])), (table["version"] + 1, len(table["rows"]) + 1))
    check("&lt;u&gt;keksitty" in got(b, "/fi/admin/retention").body.decode())
    check("Joku on muuttanut" in text_of(sent(422, more, reason="taas").body.decode()))
