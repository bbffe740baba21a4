"""Signing in at an organisation's own identity provider: as it should be, and with a provider that lies."""

import json
import os
import re
import threading
import time
import urllib.parse

from arkki_flow import SEED, Archive, check, same
from oidc_provider import CLIENT, SECRET, Browser, Key, Provider, outcome
from sign_in_util import Browser as PageBrowser, link_code, member

MAIJA = {"sub": "person-1", "preferred_username": "maija", "sid": "s-1"}


def configure(w, config, *options, ok=True):
    path = os.path.join(w.top, "provider.json")
    with open(path, "w", encoding="utf-8") as f:
        json.dump(config, f)
    p = w.run("provider", "add", w.dir, path, *options)
    if ok:
        same(p.returncode, 0, "provider add", p.stderr)
    return p


_shared = None


def shared():
    """One served archive with one provider; each test leaves the provider honest."""
    global _shared
    if _shared is None:
        seed = dict(SEED, users=SEED["users"] + [
            {"id": "eemeli", "org": "lvv", "name": "Eemeli", "email": "Eemeli@lvv.example", "roles": ["inspector"]},
            {"id": "pekka", "org": "lvv", "name": "Pekka", "email": "pekka@lvv.example", "roles": ["inspector"]},
            {"id": "kaksi-1", "org": "lvv", "name": "Kaksi", "email": "kaksi@lvv.example", "roles": []},
            {"id": "kaksi-2", "org": "lvv", "name": "Kaksi", "email": "kaksi@lvv.example", "roles": []}])
        w = Archive(seed=seed).serve()
        idp = Provider()
        configure(w, idp.config(strong={"acr": ["high"], "amr": ["mfa"]}))
        _shared = (w, idp)
    _shared[1].lie = {}
    return _shared


def session_of(b):
    return b.cookies.get("arkki-session")


def signed_in(b):
    return b.get("/fi/").status == 200


def denied(w, before):
    """The log has exactly one more refusal."""
    entries = [e for e in w.audit() if e["kind"] == "sign-in" and e["outcome"] == "denied"]
    same(len(entries), before + 1, "refusals logged")


def refusals(w):
    return len([e for e in w.audit() if e["kind"] == "sign-in" and e["outcome"] == "denied"])


# ---- as it should be ----

def test_oidc__signs_in_and_the_log_says_so():
    w, idp = shared()
    b = Browser(w)
    asked = b.begin(more="?language=sv&next=/fi/saved")
    want = {"tenant": "1", "response_type": "code", "client_id": CLIENT, "scope": "openid profile email",
            "redirect_uri": "http://127.0.0.1:%d/auth/lvv-idp/callback" % w.port, "code_challenge_method": "S256",
            "acr_values": "high", "ui_locales": "sv"}
    same({k: asked.get(k) for k in want}, want)
    check(len(asked["state"]) == 22 and len(asked["nonce"]) == 22 and len(asked["code_challenge"]) == 43, asked)
    cookie = b.set["arkki-oidc"]
    check("HttpOnly" in cookie and "SameSite=Lax" in cookie and "Max-Age=600" in cookie, cookie)
    check(asked["state"] not in cookie and asked["nonce"] not in cookie, "the cookie is sealed")
    r = b.back(asked, idp.grant(asked, MAIJA))
    same((r.status, r.header("Location")), (303, "/sv/sign-in/provider?outcome=done&next=%2Ffi%2Fsaved"))
    check(session_of(b) and "arkki-oidc" not in b.cookies, b.cookies)
    check("SameSite=Strict" in b.set["arkki-session"] and "HttpOnly" in b.set["arkki-session"], b.set)
    page = b.get(r.header("Location"))
    same((page.status, page.header("Refresh")), (200, "0; url=/fi/saved"))
    check(signed_in(b))
    entry = [e for e in w.audit(principal="maija") if e["kind"] == "sign-in"][-1]
    same(entry["outcome"], "ok", entry)
    check("person-1" not in w.said() and "salaisuus" not in w.said(), "the server's output")


def test_oidc__a_secure_connection_makes_host_cookies():
    w, idp = shared()
    b = Browser(w)
    r = b.get("/auth/lvv-idp", X_Forwarded_Proto="https")
    check("__Host-arkki-oidc" in b.set and "Secure" in b.set["__Host-arkki-oidc"], b.set)
    check("redirect_uri=https%3A%2F%2F127.0.0.1" in r.header("Location"), r.header("Location"))


def test_oidc__identity_stays_when_the_name_changes():
    w, idp = shared()
    same(outcome(Browser(w).sign_in(idp, MAIJA)), "done")
    b = Browser(w)
    # now called as another account: the identity was bound, and the name is not looked at any more
    same(outcome(b.sign_in(idp, dict(MAIJA, preferred_username="risto"))), "done")
    check(signed_in(b))
    same([e["outcome"] for e in w.audit(principal="risto") if e["kind"] == "sign-in"], [])
    # and another person who says to be maija is not
    same(outcome(Browser(w).sign_in(idp, dict(MAIJA, sub="person-2"))), "nobody")


def test_oidc__who_has_no_account_here_is_nobody():
    w, idp = shared()
    # pertti is of another organisation: never matched
    for i, name in enumerate(["tuntematon", "pertti", "Ei Nimi", "", None, 7, "a" * 300]):
        b = Browser(w)
        before = refusals(w)
        same(outcome(b.sign_in(idp, {"sub": "stranger-%d" % i, "preferred_username": name})), "nobody", name)
        check(not session_of(b), "a session for nobody")
        denied(w, before)
    page = Browser(w).get("/en/sign-in/provider?outcome=nobody")
    same(page.status, 403)
    check("contact person" in page.body.decode(), page.body)


def test_oidc__matches_by_address_within_the_organisation():
    w, idp = shared()
    configure(w, idp.config("lvv-mail", user={"claim": "email", "match": "email"}))
    b = Browser(w)
    same(outcome(b.sign_in(idp, {"sub": "e-1", "email": "eemeli@LVV.example"}, "lvv-mail")), "done")
    check(signed_in(b))
    same(outcome(Browser(w).sign_in(idp, {"sub": "e-2", "email": "kaksi@lvv.example"}, "lvv-mail")), "nobody")
    for n, verified in enumerate((False, "false", 0, None, "")):  # some providers say it with a text
        who = {"sub": "e-3-%d" % n, "email": "pekka@lvv.example", "email_verified": verified}
        same(outcome(Browser(w).sign_in(idp, who, "lvv-mail")), "nobody", verified)
    for verified in (True, "true"):
        who = {"sub": "e-5", "email": "pekka@lvv.example", "email_verified": verified}
        same(outcome(Browser(w).sign_in(idp, who, "lvv-mail")), "done", verified)
    same(outcome(Browser(w).sign_in(idp, {"sub": "e-4", "email": "eemeli@lvv.example"}, "lvv-mail")), "nobody",
         "the account is bound to another person")


def test_oidc__makes_accounts_and_keeps_their_roles():
    w, idp = shared()
    configure(w, idp.config("lvv-new", create=True, user={"claim": "sub", "match": "identity"},
                            roles={"claim": "groups", "map": {"tarkastajat": ["inspector"],
                                                              "johto": ["supervisor", "inspector"]}}))
    who = {"sub": "new-1", "name": "Uuno Uusi", "email": "uuno@lvv.example", "groups": ["tarkastajat", "muut"]}

    def account():
        entries = [e for e in w.audit() if e["kind"] == "sign-in" and e.get("principal", "").startswith("u-")]
        return entries[-1]["principal"]

    def roles(user):
        return sorted(w.json("/v1/me", user)["roles"])

    b = Browser(w)
    same(outcome(b.sign_in(idp, who, "lvv-new")), "done")
    check(signed_in(b))
    user = account()
    same(roles(user), ["inspector"])
    same(outcome(Browser(w).sign_in(idp, dict(who, groups="johto"), "lvv-new")), "done")
    same((account(), roles(user)), (user, ["inspector", "supervisor"]))
    same(outcome(Browser(w).sign_in(idp, {"sub": "new-1"}, "lvv-new")), "done")
    same(roles(user), [], "no groups any more")
    check(signed_in(b), "the session goes on with other rights")


def test_oidc__claims_come_from_userinfo_where_the_token_lacks_them():
    w, _ = shared()
    idp = Provider()
    idp.lie = {"discovery": {"userinfo_endpoint": idp.issuer + "/userinfo",
                             "token_endpoint_auth_methods_supported": ["client_secret_post"]}}
    configure(w, idp.config("letter", user={"claim": "preferred_username", "match": "id"}))
    idp.lie["claims"] = {"sub": "l-2", "preferred_username": "aino"}
    same(outcome(Browser(w).sign_in(idp, {"sub": "l-1"}, "letter")), "wrong", "about somebody else")
    idp.lie["claims"] = {"preferred_username": "aino"}
    same(outcome(Browser(w).sign_in(idp, {"sub": "l-1"}, "letter")), "wrong", "about nobody")
    idp.lie["userinfo"] = 500
    same(outcome(Browser(w).sign_in(idp, {"sub": "l-1"}, "letter")), "down")
    idp.lie.pop("userinfo")
    idp.lie["claims"] = {"sub": "l-1", "preferred_username": "aino", "acr": "high", "sid": "x"}
    b = Browser(w)
    same(outcome(b.sign_in(idp, {"sub": "l-1"}, "letter")), "done")
    check(signed_in(b))
    same(idp.bearer, True, "the access token went along")
    # what the token says counts before it
    same(outcome(Browser(w).sign_in(idp, {"sub": "l-3", "preferred_username": "tuntematon"}, "letter")), "nobody")
    idp.end()


# ---- a browser that is not the one, and what comes twice ----

def test_oidc__answer_counts_once_and_in_its_browser():
    w, idp = shared()
    b = Browser(w)
    asked = b.begin()
    kept = dict(b.cookies)
    code = idp.grant(asked, MAIJA)
    before = refusals(w)
    same(outcome(Browser(w).back(asked, code)), "old", "another browser")
    other = Browser(w)
    other.begin()
    same(outcome(other.back(asked, code)), "old", "another browser with a sign-in of its own")
    same(outcome(b.back(dict(asked, state="A" * 22), code)), "old", "another state")
    same(outcome(b.back(dict(asked, state=""), code)), "old", "no state")
    same(refusals(w), before + 4)
    same(outcome(b.back(asked, code)), "done")
    again = Browser(w)
    again.cookies = kept  # the whole answer replayed
    same(outcome(again.back(asked, code)), "old", "a replay")
    check(not session_of(again))
    asked = b.begin()
    same(outcome(b.back(asked, "used-or-made-up")), "wrong", "a code that is none")
    asked = b.begin()
    same(outcome(b.back(asked, None)), "wrong", "no code")
    b.begin()
    b.cookies["arkki-oidc"] = b.cookies["arkki-oidc"][:-2] + "AA"
    same(outcome(b.back(asked, code)), "old", "a changed cookie")
    same(Browser(w).get("/auth/no-such").status, 404)
    same(Browser(w).get("/auth/no-such/callback?code=1&state=2").status, 404)


def test_oidc__answer_of_another_provider_is_refused():
    w, idp = shared()
    other = Provider()
    configure(w, other.config("other-idp"))
    b = Browser(w)
    asked = b.begin("lvv-idp")
    code = other.grant(asked, MAIJA)
    same(outcome(b.back(asked, code, "other-idp")), "old", "begun at one, answered at the other")
    asked = b.begin("lvv-idp")
    same(outcome(b.back(asked, idp.grant(asked, MAIJA), iss=other.issuer)), "wrong", "iss of the response")
    asked = b.begin("lvv-idp")
    same(outcome(b.back(asked, idp.grant(asked, MAIJA), iss=idp.issuer)), "done")
    other.lie = {"discovery": {"authorization_response_iss_parameter_supported": True}}
    configure(w, other.config("other-idp", scopes=["openid"]))
    b = Browser(w)
    asked = b.begin("other-idp")
    same(outcome(b.back(asked, other.grant(asked, dict(MAIJA, sub="o-1")), "other-idp")), "wrong", "no iss where there must be one")
    other.end()


def test_oidc__what_the_provider_refuses_is_said():
    w, idp = shared()
    for error, how in [("access_denied", "cancelled"), ("server_error", "wrong"), ("<script>", "wrong")]:
        b = Browser(w)
        before = refusals(w)
        asked = b.begin()
        r = b.back(asked, None, error=error, error_description="<b>kuvaus</b>")
        same(outcome(r), how, error)
        denied(w, before)
        page = b.get(r.header("Location"))
        check("kuvaus" not in page.body.decode() and "<script>alert" not in page.body.decode())
    page = Browser(w).get("/fi/sign-in/provider?outcome=done&next=https://evil.example.test/")
    same(page.header("Refresh"), "0; url=/fi/", "an address elsewhere")


# ---- tokens that lie ----

def test_oidc__tokens_that_lie_are_refused():
    w, idp = shared()
    now = int(time.time())
    lies = [({"iss": "http://127.0.0.1:1/realm"}, None), ({"aud": "another"}, None), ({"aud": [CLIENT, "another"]}, None),
            ({"azp": "another"}, None), ({"exp": now - 100}, None), ({"iat": now + 600}, None), ({"nbf": now + 600}, None),
            ({"nonce": "another"}, None), ({"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}, None), ({"sub": ""}, None),
            ({}, {"alg": "none"}), ({}, {"alg": "HS256"}), ({}, {"alg": "PS256"}), ({}, {"crit": ["exp"]}),
            ({}, {"typ": "logout+jwt"})]
    for claims, header in lies:
        b = Browser(w)
        before = refusals(w)
        same(outcome(b.sign_in(idp, {**MAIJA, **claims}, header=header)), "wrong", claims, header)
        check(not session_of(b))
        denied(w, before)


def test_oidc__keys_are_followed_and_not_believed():
    w, idp = shared()
    same(outcome(Browser(w).sign_in(idp, MAIJA)), "done")
    other = Key(idp.top, "k1")
    idp.lie = {"signer": other}
    same(outcome(Browser(w).sign_in(idp, MAIJA)), "wrong", "another key of the same name")
    before = idp.asked.count("/realm/keys")
    unknown = Key(idp.top, "k9")
    idp.lie = {"signer": unknown}
    for _ in range(3):
        same(outcome(Browser(w).sign_in(idp, MAIJA)), "wrong", "a key that is in no set")
    same(idp.asked.count("/realm/keys"), before + 1, "asked again at most once a minute")


def test_oidc__rotated_key_is_fetched():
    w, _ = shared()
    idp = Provider()
    configure(w, idp.config("rotates"))
    same(outcome(Browser(w).sign_in(idp, dict(MAIJA, sub="r-1", preferred_username="raija"), "rotates")), "done")
    idp.keys.insert(0, Key(idp.top, "k2"))
    same(outcome(Browser(w).sign_in(idp, dict(MAIJA, sub="r-1"), "rotates")), "done", "after a rotation")
    same(idp.asked.count("/realm/keys"), 2)
    # its discovery and keys are kept: it need not answer for those
    idp.lie = {"openid-configuration": 500, "keys": 500}
    same(outcome(Browser(w).sign_in(idp, dict(MAIJA, sub="r-1"), "rotates")), "done")
    idp.end()
    same(outcome(Browser(w).sign_in(idp, dict(MAIJA, sub="r-1"), "rotates")), "down")


# ---- a provider in trouble ----

def test_oidc__provider_in_trouble_is_said_and_logged():
    w, _ = shared()
    elsewhere = Provider()
    huge = b"[" + b" " * (2 << 20) + b"]"
    lies = [("openid-configuration", 500, "down"), ("openid-configuration", huge, "down"),
            ("openid-configuration", elsewhere.issuer + "/.well-known/openid-configuration", "down"),
            ("openid-configuration", b"<html>", "down"),
            ("token", 500, "down"), ("token", elsewhere.issuer + "/token", "down"), ("token", huge, "down"),
            ("token", b"", "down"), ("token", b"[]", "wrong"), ("token", b'{"id_token":"x","token_type":"MAC"}', "wrong"),
            ("token", b'{"id_token":"x","token_type":"Bearer"}', "wrong"),
            ("keys", 500, "down"), ("keys", elsewhere.issuer + "/keys", "down"), ("keys", huge, "down"),
            ("keys", b'{"keys":7}', "down"), ("keys", b'{"keys":[]}', "wrong"),
            ("discovery", {"issuer": elsewhere.issuer}, "down"),
            ("discovery", {"token_endpoint": "http://idp.example.test/token"}, "down"),
            ("discovery", {"token_endpoint": "file:///etc/passwd"}, "down"),
            ("discovery", {"jwks_uri": None}, "down"),
            ("discovery", {"code_challenge_methods_supported": ["plain"]}, "down"),
            ("discovery", {"id_token_signing_alg_values_supported": ["HS256", "none"]}, "down")]
    idp = Provider()
    for i, (what, lie, want) in enumerate(lies):
        name = "trouble-%d" % i
        idp.lie = {what: lie}
        configure(w, idp.config(name), "--offline")
        before = refusals(w)
        b = Browser(w)
        r = b.sign_in(idp, MAIJA, name)
        same(outcome(r), want, what, str(lie)[:80])
        check(not session_of(b))
        denied(w, before)
        same(b.get(r.header("Location")).status, 503 if want == "down" else 403)
        idp.lie = {}
        same(w.run("provider", "remove", w.dir, name).returncode, 0)
    same(elsewhere.asked, [], "nobody was led elsewhere")
    idp.end()
    elsewhere.end()


def test_oidc__slow_provider_hinders_its_own_people_only():
    w, idp = shared()
    slow = Provider()
    configure(w, slow.config("slow"))
    same(outcome(Browser(w).sign_in(slow, dict(MAIJA, sub="slow-1", preferred_username="sirpa"), "slow")), "done")
    slow.lie = {"token": 6}
    took = []

    def wait():
        t = time.monotonic()
        r = Browser(w).sign_in(slow, MAIJA, "slow")
        took.append((outcome(r), time.monotonic() - t))
    threads = [threading.Thread(target=wait) for _ in range(6)]
    for t in threads:
        t.start()
    time.sleep(1)
    began = time.monotonic()
    same(outcome(Browser(w).sign_in(idp, MAIJA)), "done", "at another provider meanwhile")
    check(time.monotonic() - began < 3, "another provider's people waited", time.monotonic() - began)
    for t in threads:
        t.join()
    same([o for o, _ in took], ["down"] * 6)
    check(max(s for _, s in took) < 12, took)
    slow.end()


def test_oidc__server_ends_while_a_provider_is_waited_for():
    w = Archive().serve()
    idp = Provider()
    configure(w, idp.config())
    idp.lie = {"token": 20}
    said = []
    threads = [threading.Thread(target=lambda: said.append(outcome(Browser(w).sign_in(idp, MAIJA)))) for _ in range(5)]
    for t in threads:
        t.start()
    while idp.asked.count("/realm/token") < 3:
        time.sleep(0.05)
    began = time.monotonic()
    same(w.stop(), 0)
    check(time.monotonic() - began < 4, "waited for the provider", time.monotonic() - began)
    for t in threads:
        t.join()
    same(said, ["down"] * 5)
    same(w.verify().returncode, 0)
    idp.end()


# ---- signing out at the provider ----

def logout(w, token, provider="lvv-idp"):
    body = urllib.parse.urlencode({"logout_token": token}) if token is not None else "x=1"
    return w.send("POST", "/auth/%s/logout" % provider, None, {"Content-Type": "application/x-www-form-urlencoded"}, body)


def test_oidc_logout__ends_the_sessions_that_it_names():
    w, idp = shared()
    one, two = Browser(w), Browser(w)
    same(outcome(one.sign_in(idp, dict(MAIJA, sid="s-one"))), "done")
    same(outcome(two.sign_in(idp, dict(MAIJA, sid="s-two"))), "done")
    check(signed_in(one) and signed_in(two))
    same(logout(w, idp.logout_token(sid="s-three", sub="person-1")).status, 200, "a session that is not here")
    check(signed_in(one) and signed_in(two))
    r = logout(w, idp.logout_token(sid="s-one"))
    same((r.status, r.header("Cache-Control")), (200, "no-store"))
    check(not signed_in(one) and signed_in(two))
    same(logout(w, idp.logout_token(sub="person-1")).status, 200)
    check(not signed_in(two))


def test_oidc_logout__signing_out_here_leads_to_the_provider():
    w, idp = shared()
    b = Browser(w)
    same(outcome(b.sign_in(idp, MAIJA)), "done")
    form = re.search(r'name="form" value="([0-9a-f]{32})"', b.get("/fi/").body.decode()).group(1)
    r = b.get("/fi/sign-out", "POST", "form=" + form, Content_Type="application/x-www-form-urlencoded")
    same(r.header("Refresh"), "0; url=%s/end?client_id=%s" % (idp.issuer, CLIENT))
    check(not signed_in(b))


def test_oidc_logout__forged_and_replayed_are_refused():
    w, idp = shared()
    b = Browser(w)
    same(outcome(b.sign_in(idp, dict(MAIJA, sid="s-kept"))), "done")
    now = int(time.time())
    stranger = Key(idp.top, "k1")
    bad = [idp.logout_token(stranger, sid="s-kept"), idp.logout_token(sid="s-kept", nonce="n"),
           idp.logout_token(sid="s-kept", events={}), idp.logout_token(sid="s-kept", aud="another"),
           idp.logout_token(sid="s-kept", exp=now - 100), idp.logout_token(sid="s-kept", iat=now - 2000, exp=None),
           idp.logout_token(sid=None), idp.logout_token(sid="s-kept", jti=None), "", "a.b.c", "x" * 20000, None,
           idp.keys[0].sign({"iss": idp.issuer, "aud": CLIENT, "sub": "person-1", "iat": now, "exp": now + 60,
                             "nonce": "n"})]  # an ID token
    for i, token in enumerate(bad):
        r = logout(w, token)
        same((r.status, r.json().get("error")), (400, "invalid_request"), i)
        check(signed_in(b), i)
    good = idp.logout_token(sid="s-none")
    same([logout(w, good).status, logout(w, good).status], [200, 400], "the same token twice")
    same(logout(w, idp.logout_token(sid="s-kept"), "no-such").status, 404)
    check(signed_in(b))


# ---- strength, and the command line ----

def test_oidc__strength_reaches_the_policies():
    w, idp = shared()
    # arkki's own: what is not public is opened after a strong sign-in only
    doc = w.file(user="maija", publicity={"class": "partly-secret", "ground": "JulkL 24 §"}).id
    for claims, strong in [({}, False), ({"acr": "high"}, True), ({"amr": ["pwd", "mfa"]}, True),
                           ({"acr": "low", "amr": ["pwd"]}, False), ({"acr": ["high"]}, False), ({"amr": "mfa"}, False)]:
        b = Browser(w)
        same(outcome(b.sign_in(idp, {**MAIJA, **claims})), "done")
        same(b.get("/fi/documents/%s/versions/1/file" % doc).status, 200 if strong else 403, claims)


def test_oidc__a_weak_sign_in_makes_no_strong_one():
    w, idp = shared()
    b = Browser(w)
    same(outcome(b.sign_in(idp, MAIJA)), "done")
    weak = PageBrowser(w)
    weak.jar["arkki-session"] = session_of(b)
    page = weak.get("/fi/account")
    check("yksi tunnistustapa" in page.body.decode(), "the sign-in is not weak")
    r = weak.submit(page, "/fi/account/tokens", name="ylös", days="1", read="1")
    check(r.status == 403 and b"arkki_" not in r.body, "a token of a weak sign-in", r.status)
    same(weak.get("/fi/account/second-factor").status, 403, "a factor of one's own, to be strong with")
    # as it is: whoever has password and second factor keeps them from who has only the provider's password
    keeper = member(w, "maija", link_code(w, "maija"))
    b = Browser(w)
    same(outcome(b.sign_in(idp, MAIJA)), "done")
    weak.jar["arkki-session"] = session_of(b)
    page = weak.get("/fi/account")
    r = weak.submit(page, "/fi/account/recovery")
    same((r.status, re.findall(r"<code>[a-z2-7-]{19}</code>", r.body.decode())), (403, []), "recovery codes")
    same(weak.get("/fi/account/second-factor").status, 403, "a new factor in place of the owner's")
    PageBrowser(w).sign_in(keeper)


def test_provider__command_line_keeps_the_secret():
    w = Archive()
    idp = Provider()
    good = idp.config()
    p = configure(w, good)
    check(SECRET not in p.stdout + p.stderr)
    same(w.run("provider", "list", w.dir).stdout.split(), ["lvv-idp", "lvv", idp.issuer])
    shown = json.loads(w.run("provider", "show", w.dir, "lvv-idp").stdout)
    same(shown, {k: v for k, v in good.items() if k != "clientSecret"})
    same(w.run("provider", "show", w.dir, "no-such").returncode, 1)
    w.serve()
    for change, word in [({"issuer": "http://idp.example.test"}, "issuer"), ({"issuer": "https://u:p@idp.example.test"}, "issuer"),
                         ({"issuer": "https://idp.example.test/#x"}, "issuer"), ({"issuer": "file:///etc"}, "issuer"),
                         ({"org": "no-such"}, "org"), ({"clientSecret": ""}, "clientSecret"), ({"clientId": "a\nb"}, "clientId"),
                         ({"name": {}}, "name"), ({"name": {"de": "x"}}, "name"), ({"scopes": ["email"]}, "openid"),
                         ({"user": {"claim": "sub", "match": "name"}}, "match"), ({"user": {"match": "email"}}, "claim"),
                         ({"roles": {"claim": "g", "map": {"a": ["admin"]}}}, "admin"),
                         ({"roles": {"claim": "g", "map": {"a": ["king"]}}}, "role"), ({"strong": {"acr": "x"}}, "strong"),
                         ({"caFile": "/no/such/file"}, "caFile"), ({"wrong": 1}, "wrong"), ({"id": "Iso"}, "id")]:
        p = configure(w, dict(good, **change), "--offline", ok=False)
        same(p.returncode, 1, change)
        check(word in p.stderr and SECRET not in p.stderr, change, p.stderr)
    idp.end()
    p = configure(w, dict(good, name={"fi": "Toinen"}), ok=False)
    same(p.returncode, 1, "it does not answer")
    configure(w, dict(good, name={"fi": "Toinen"}), "--offline")
    same(w.run("provider", "remove", w.dir, "lvv-idp").returncode, 0)
    same(w.get("/auth/lvv-idp", None).status, 404, "taken up by the running server at once")
    same(w.run("provider", "remove", w.dir, "lvv-idp").returncode, 1)
    log = [e for e in w.audit(log="history") if e["kind"] == "provider"]
    same(len(log), 3, log)
    check(SECRET not in json.dumps(log) and "salaisuus" not in json.dumps(log, ensure_ascii=False))
    w.stop()
    same(w.verify().returncode, 0)
    for root, _, files in os.walk(w.dir):
        for name in files:
            with open(os.path.join(root, name), "rb") as f:
                check(b"salaisuus" not in f.read(), "the secret lies open in", name)


def test_provider__removed_one_ends_its_sessions():
    w, _ = shared()
    idp = Provider()
    configure(w, idp.config("goes"))
    b = Browser(w)
    same(outcome(b.sign_in(idp, dict(MAIJA, sub="g-1", preferred_username="kone"), "goes")), "done")
    check(signed_in(b))
    same(w.run("provider", "remove", w.dir, "goes").returncode, 0)
    check(not signed_in(b))
    idp.end()
