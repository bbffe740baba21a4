"""The pages of who manages accounts, as far as no browser is needed. All people here are invented."""

import html
import json
import re
import threading
import urllib.parse

from arkki_flow import Archive, check, same
from sign_in_util import PASSWORD, Browser, conf, link_code, member

ODD = "Ö <b>lihava</b> & \U0001f600 " + "x" * 180
TURNED = "Kaija \u202eatsak"

_shared = None


def shared():
    """A served archive with contact persons who have signed in just now: (archive, {user: browser})."""
    global _shared
    if _shared is None:
        w = Archive()
        w.load({"orgs": [{"id": "pirha", "kind": "county", "name": {"fi": "Pirkanmaa"}, "counties": ["91"],
                          "confirmEvery": 180}],
                "users": [
            {"id": "kaisa", "org": "pirha", "name": "Kaisa", "roles": ["contact"]},
            {"id": "kalle", "org": "pirha", "name": "Kalle", "roles": ["contact"]},
            {"id": "aatu", "org": "pirha", "name": "Aatu", "roles": ["admin"]},
            {"id": "turo", "org": "pirha", "name": TURNED, "roles": ["supervisor"]},
            {"id": "laila", "org": "lvv", "name": "Laila", "roles": ["contact"]}]})
        w.serve()
        browsers = {}
        for user in ("kaisa", "kalle", "laila", "pertti", "ylla"):
            browsers[user] = Browser(w)
            member(w, user, link_code(w, user), browsers[user])
        _shared = w, browsers
    return _shared


def text_of(page):
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", page.body.decode().split("<main")[-1])))


def got(b, path, status=200):
    r = b.get(path)
    same(r.status, status, path, text_of(r)[:300])
    return r


def token_of(b, path, action):
    page = got(b, path)
    token = page.form(action)
    check(token, "no form that is sent to", action, "on", path)
    return token


def open_account(b, name, status=200, **fields):
    """Fills the form, looks, opens; the answer with the link."""
    form = token_of(b, "/fi/open-account?org=pirha", "/fi/open-account")
    typed = dict({"form": form, "org": "pirha", "name": name, "role-inspector": "1"}, **fields)
    r = b.post("/fi/open-account", dict(typed, step="check"))
    same(r.status, 200, text_of(r)[:300])
    r = b.post("/fi/open-account", dict(r.hidden("/fi/open-account"), **{"role-inspector": "1"}))
    same(r.status, status, text_of(r)[:300])
    return r


def records(w, user):
    return w.json("/v1/users/" + user, "ylla")


def history(w, user):
    w.audit()
    return [e for e in w.json("/v1/audit/history?limit=1000", "aada")["entries"]
            if (e.get("detail") or {}).get("user") == user]


def test_accounts_pages__a_colleague_joins_by_them():
    w, people = shared()
    b = people["kaisa"]
    r = open_account(b, "Maija Ängeslevä", email="maija@pirha.example")
    text = text_of(r)
    check("maija-angesleva" in text and "vain nyt" in text, text)
    link = re.search(r'<code class="key">(http://127[^<]*/fi/join#([\w-]+))</code>', r.body.decode())
    check(link, r.body)
    same(records(w, "maija-angesleva")["roles"], ["inspector"])
    new = Browser(w)
    member(w, "maija-angesleva", link.group(2), new)
    same(new.get("/fi/").status, 200)
    same(records(w, "maija-angesleva")["state"], "active")
    # the same name again is another person
    open_account(b, "Maija Ängeslevä")
    same(records(w, "maija-angesleva-2")["state"], "invited")
    check("tili avattiin" in text_of(got(b, "/fi/accounts/maija-angesleva")), "its past")
    check(link.group(2) not in text_of(got(b, "/fi/accounts/maija-angesleva")), "the link again")


def test_accounts_pages__are_for_who_manages():
    w, people = shared()
    for path in ("/fi/accounts", "/fi/open-account", "/fi/accounts/kaisa"):
        same(people["pertti"].get(path).status, 403, path)
    check("/fi/accounts" not in people["pertti"].get("/fi/").body.decode(), "a link that leads nowhere")
    check("/fi/accounts" in people["kaisa"].get("/fi/").body.decode(), "no link")
    for path in ("/fi/accounts?org=pirha", "/fi/accounts?org=noorg", "/fi/open-account?org=pirha",
                 "/fi/accounts/pertti", "/fi/accounts/nobody", "/fi/accounts?org=%3Cb%3E"):
        same(people["laila"].get(path).status, 404, path)
    form = token_of(people["laila"], "/fi/accounts", "/fi/accounts")
    same(people["laila"].post("/fi/accounts", {"form": form, "org": "pirha", "tag": "x" * 32}).status, 404)
    form = token_of(people["laila"], "/fi/accounts/maija", "/fi/accounts/maija/state")
    for tail in ("", "/state", "/link", "/take"):
        fields = {"form": form, "to": "suspended", "reason": "x", "what": "sessions", "base": "1", "name": "x"}
        same(people["laila"].post("/fi/accounts/pertti" + tail, fields).status, 404, tail)
    same(records(w, "pertti")["state"], "active")
    check("Valitse organisaatio" in text_of(got(people["ylla"], "/fi/accounts")), "an administrator chooses")
    got(people["ylla"], "/sv/accounts?org=pirha")
    same(Browser(w).get("/fi/accounts").status, 303, "nobody")
    seen = [e for e in w.audit() if e["kind"] == "accounts" and e["principal"] in ("kaisa", "laila", "pertti")]
    check(any(e["outcome"] == "denied" and e["principal"] == "pertti" for e in seen), "no refusal in the log")


def test_accounts_pages__a_form_from_elsewhere_changes_nothing():
    w, people = shared()
    b = people["kaisa"]
    form = token_of(b, "/fi/accounts/turo", "/fi/accounts/turo/state")
    asked = {"to": "suspended", "reason": "lomalla", "what": "sessions", "base": "1", "name": "Toinen"}
    for tail in ("", "/state", "/link", "/take"):
        path = "/fi/accounts/turo" + tail
        same(b.post(path, asked).status, 403, path)
        same(b.post(path, dict(asked, form="0" * 32)).status, 403, path)
        same(b.post(path, dict(asked, form=form), {"Sec-Fetch-Site": "cross-site"}).status, 403, path)
        same(people["kalle"].post(path, dict(asked, form=form)).status, 403, "another's form", path)
    same(b.post("/fi/accounts", {"org": "pirha", "tag": "0" * 32}).status, 403)
    same(b.post("/fi/open-account", {"org": "pirha", "name": "X", "step": "open", "user": "x",
                                     "role-inspector": "1"}).status, 403)
    same(records(w, "turo")["state"], "active")
    same(records(w, "turo")["name"], TURNED)


def test_accounts_pages__forged_roles_are_refused():
    w, people = shared()
    b = people["kaisa"]
    page = got(b, "/fi/open-account")
    check("role-admin" not in page.body.decode() and "role-inspector" in page.body.decode(), "the roles offered")
    form = page.form("/fi/open-account")
    r = b.post("/fi/open-account", {"form": form, "org": "pirha", "name": "Roisto", "user": "roisto", "step": "open",
                                    "role-admin": "1"})
    same(r.status, 403)
    same(w.get("/v1/users/roisto", "ylla").status, 404)
    page = got(b, "/fi/accounts/turo")
    base = page.hidden("/fi/accounts/turo")
    r = b.post("/fi/accounts/turo", dict(base, name=TURNED, **{"role-supervisor": "1", "role-admin": "1"}))
    check(r.status in (403, 422), r.status)
    same(records(w, "turo")["roles"], ["supervisor"])
    # the own roles, and an administrator's account
    own = got(b, "/fi/accounts/kaisa")
    check("role-contact" not in own.body.decode() and "oma tilisi" in text_of(own), "the own roles are offered")
    hidden = own.hidden("/fi/accounts/kaisa")
    b.post("/fi/accounts/kaisa", dict(hidden, name="Kaisa", to="1.1.2099", **{"role-inspector": "1"}))
    same((records(w, "kaisa")["roles"], records(w, "kaisa").get("to")), (["contact"], None))
    form = base["form"]
    same(b.post("/fi/accounts/kaisa/state", {"form": form, "to": "suspended", "reason": "x"}).status, 403)
    same(b.post("/fi/accounts/kaisa/take", {"form": form, "what": "second-factor"}).status, 403)
    check("<form" not in got(b, "/fi/accounts/aatu").body.decode().split("<main")[1], "an administrator's account")
    for tail, fields in (("", {"base": "1", "name": "X"}), ("/state", {"to": "suspended", "reason": "x"}),
                         ("/link", {}), ("/take", {"what": "sessions"})):
        same(b.post("/fi/accounts/aatu" + tail, dict(fields, form=form)).status, 403, tail)
    same(records(w, "aatu")["name"], "Aatu")


def test_accounts_pages__the_same_form_twice_opens_one_account():
    w, people = shared()
    b = people["kaisa"]
    form = token_of(b, "/fi/open-account", "/fi/open-account")
    fields = {"form": form, "org": "pirha", "name": "Tupla", "user": "tupla", "step": "open", "role-placer": "1"}
    answers = []
    jar = dict(b.jar)

    def send():
        other = Browser(w)
        other.jar = dict(jar)
        answers.append(other.post("/fi/open-account", fields))

    threads = [threading.Thread(target=send) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    same(sorted(r.status for r in answers), [200, 303, 303, 303])
    same([u["id"] for u in w.json("/v1/users?org=pirha&limit=1000", "ylla")["users"] if u["name"] == "Tupla"], ["tupla"])
    check("avattu" in text_of(got(b, "/fi/accounts/tupla?done=opened")), "no word of it")
    # what is somebody else's is not told to be one's own
    r = b.post("/fi/open-account", dict(fields, user="maija"))
    same(r.status, 422)
    check("on tai on ollut toisella" in text_of(r), text_of(r))


def test_accounts_pages__two_contact_persons_at_once():
    w, people = shared()
    open_account(people["kaisa"], "Kaksi Kertaa")
    path = "/fi/accounts/kaksi-kertaa"
    first = got(people["kaisa"], path).hidden(path)
    second = got(people["kalle"], path).hidden(path)
    r = people["kaisa"].post(path, dict(first, name="Kaksi Ensin", **{"role-inspector": "1"}))
    same((r.status, r.header("Location")), (303, path + "?done=1"))
    r = people["kalle"].post(path, dict(second, name="Kaksi Toiseksi", **{"role-inspector": "1"}))
    same(r.status, 422)
    check("samaan aikaan" in text_of(r) and "Kaksi Ensin" in text_of(r), text_of(r))
    same(records(w, "kaksi-kertaa")["name"], "Kaksi Ensin")
    for base in ("", "0", "99999999999", "x"):
        r = people["kalle"].post(path, dict(second, base=base, name="Kaksi Toiseksi", **{"role-inspector": "1"}))
        same(r.status, 422, "base", base)
    same(records(w, "kaksi-kertaa")["name"], "Kaksi Ensin")


def test_accounts_pages__the_list_that_was_read_is_confirmed():
    w, people = shared()
    page = got(people["kaisa"], "/fi/accounts")
    check("Vahvista organisaatiosi" in text_of(page), "no notice")
    check("Vahvista organisaatiosi" in text_of(got(people["kaisa"], "/fi/")), "no notice on another page")
    read = page.hidden("/fi/accounts")
    open_account(people["kalle"], "Väliin Tullut")
    r = people["kaisa"].post("/fi/accounts", read)
    same(r.status, 422)
    check("muuttuivat" in text_of(r) and "tili avattiin, tehtävät: tarkastaja" in text_of(r), text_of(r)[:600])
    same(records(w, "turo").get("confirmed"), None)
    same(people["kaisa"].post("/fi/accounts", dict(r.hidden("/fi/accounts"), tag="0" * 32)).status, 422)
    r = people["kaisa"].post("/fi/accounts", r.hidden("/fi/accounts"))
    same((r.status, r.header("Location")), (303, "/fi/accounts?org=pirha&confirmed=1"))
    check(records(w, "turo").get("confirmed"), "not confirmed")
    check("Vahvista organisaatiosi" not in text_of(got(people["kaisa"], "/fi/")), "the notice stays")


def test_accounts_pages__suspend_resume_and_close():
    w, people = shared()
    b = people["kaisa"]
    open_account(b, "Sulo Suljettava")
    path = "/fi/accounts/sulo-suljettava"
    code = w.send("POST", "/v1/users/sulo-suljettava/invitation", "ylla").json()["code"]
    sulo = Browser(w)
    who = member(w, "sulo-suljettava", code, sulo)
    form = token_of(b, path, path + "/state")
    r = b.post(path + "/state", {"form": form, "to": "suspended", "reason": "  "})
    same(r.status, 422)
    check("Kirjoita syy" in text_of(r), text_of(r)[:300])
    same(b.post(path + "/state", {"form": form, "to": "suspended", "reason": "lomalla <i>"}).status, 303)
    same(sulo.get("/fi/").status, 303, "a suspended one's session goes on")
    check("lomalla <i>" in text_of(got(b, path)), "the reason")
    same(b.post(path + "/state", {"form": form, "to": "active"}).status, 303)
    same(records(w, "sulo-suljettava")["state"], "active")
    sulo = Browser(w).sign_in(who)
    same(sulo.get("/fi/").status, 200)
    # what signs in
    same(b.post(path + "/take", {"form": form, "what": "sessions"}).status, 303)
    same(sulo.get("/fi/").status, 303, "its session goes on")
    same(b.post(path + "/take", {"form": form, "what": "password"}).status, 400)
    same(b.post(path + "/take", {"form": form, "what": "second-factor"}).status, 303)
    check("kaksivaiheinen tunnistus poistettiin" in text_of(got(b, path)), "its past")
    last = [e for e in history(w, "sulo-suljettava") if e["kind"] == "credentials"][-1]
    same((last["principal"], last["detail"]["removed"]), ("kaisa", ["second-factor", "sessions"]))
    r = b.post(path + "/link", {"form": form})
    same(r.status, 200)
    check("/fi/join#" in text_of(r), "no link")
    # closing is asked twice
    r = b.post(path + "/state", {"form": form, "to": "closed", "reason": "muutti"})
    same(r.status, 200)
    check("ei voi perua" in text_of(r), text_of(r))
    same(records(w, "sulo-suljettava")["state"], "active")
    r = b.post(path + "/state", r.hidden(path + "/state"))
    same(r.status, 303)
    same(records(w, "sulo-suljettava")["state"], "closed")
    page = got(b, path)
    check("<form" not in page.body.decode().split("<main")[1], "a closed account's forms")
    check("Sulo Suljettava" not in text_of(got(b, "/fi/accounts?state=active&org=pirha")), "among the active")
    same(b.post(path + "/state", {"form": form, "to": "active"}).status, 303)
    same(records(w, "sulo-suljettava")["state"], "closed")


def test_accounts_pages__odd_names_are_shown_as_they_are():
    w, people = shared()
    b = people["kaisa"]
    open_account(b, ODD, user="outo")
    for path in ("/fi/accounts", "/sv/accounts/outo", "/en/accounts"):
        page = got(b, path)
        check("<b>lihava" not in page.body.decode() and "\u202e" not in page.body.decode(), path)
        check("<b>lihava</b>" in text_of(page) or path == "/sv/accounts/outo", path)
    form = token_of(b, "/fi/open-account", "/fi/open-account")
    for name in ("", "   ", "\u200b", TURNED, "x" * 201, "rivi\nvaihto"):
        r = b.post("/fi/open-account", {"form": form, "org": "pirha", "name": name, "user": "kelvoton",
                                        "role-inspector": "1", "step": "check"})
        same(r.status, 422, repr(name))
    for fields in ({"user": "Iso"}, {"user": "system"}, {"user": "x" * 65 + "/"}, {"email": "ei"}, {"name": "\U0001f600"}):
        r = b.post("/fi/open-account", dict({"form": form, "org": "pirha", "name": "Kelpo", "role-inspector": "1",
                                             "step": "check"}, **fields))
        check(r.status == 422 or "x" * 65 in str(fields), fields, r.status)


def test_accounts_pages__the_last_contact_person_stays():
    w, people = shared()
    b = people["laila"]
    r = w.send("PATCH", "/v1/users/maija", "ylla", {"Content-Type": "application/json"}, json.dumps({"roles": ["contact"]}))
    same(r.status, 200)
    path = "/fi/accounts/maija"
    form = token_of(b, path, path + "/state")
    same(b.post(path + "/state", {"form": form, "to": "suspended", "reason": "x"}).status, 303)
    w.send("PATCH", "/v1/users/maija", "ylla", {"Content-Type": "application/json"},
           json.dumps({"state": "active", "roles": ["inspector"]}))
    same(records(w, "maija")["roles"], ["inspector"])


def test_accounts_pages__emergency_access_is_told_until_the_list_is_confirmed():
    w, people = shared()
    p = w.run("user", "emergency", w.dir, "pirha", "--user", "kalle", "--reason", "puhelin <hukassa>")
    same(p.returncode, 0, p.stdout, p.stderr)
    page = got(people["kaisa"], "/fi/accounts")
    check("Hätäkäyttö" in text_of(page) and "puhelin <hukassa>" in text_of(page), text_of(page)[:500])
    same(people["kaisa"].post("/fi/accounts", page.hidden("/fi/accounts")).status, 303)
    check("Hätäkäyttö" not in text_of(got(people["kaisa"], "/fi/accounts")), "it stays")


def test_accounts_pages__a_token_looks_and_changes_nothing():
    w, _ = shared()
    b = Browser(w)
    r = b.submit(b.get("/fi/sign-in"), "/fi/sign-in", token=w.token("kalle"))
    same(r.status, 303)
    got(b, "/fi/accounts")
    page = got(b, "/fi/accounts/turo")
    check("Vahvista henkilöllisyytesi" in text_of(page), "forms that would be refused")
    form = got(b, "/fi/accounts").hidden("/fi/accounts")
    same(b.post("/fi/accounts", form).status, 403)


def test_accounts_pages__confirming_who_one_is_leads_back_and_nowhere_else():
    w, people = shared()
    b = people["kalle"]
    for given, led in (("/accounts/turo", "/accounts/turo"), ("/accounts?org=pirha", "/accounts?org=pirha"),
                       ("/open-account?org=pirha", "/open-account?org=pirha"), ("/accounts//evil.example", "/account"),
                       ("/accounts\r\nX: y", "/account"), ("//evil.example", "/account"), ("/accounts/../admin", "/account")):
        page = got(b, "/fi/account/confirm?next=" + urllib.parse.quote(given))
        same(page.hidden("/fi/account/confirm")["next"], led, given)
        r = b.post("/fi/account/confirm", dict(page.hidden("/fi/account/confirm"), next=given, password="väärä", code="1"))
        check("evil" not in r.body.decode(), given)


def test_accounts_pages__take_a_second_factor():
    w = Archive()
    conf(w, "second-factor optional")
    w.serve()
    b = Browser(w)
    r = b.submit(b.get("/fi/join"), "/fi/join", code=link_code(w, "hanna"))
    r = b.submit(r, "/fi/join", code=link_code(w, "hanna"), step="password", new=PASSWORD, again=PASSWORD)
    same(r.status, 303, text_of(r)[:300])
    for path in ("/fi/accounts", "/fi/accounts/hanna", "/fi/open-account"):
        r = got(b, path, 403)
        check("vahvaa tunnistusta" in text_of(r), text_of(r)[:300])
    same(w.stop(), 0)
