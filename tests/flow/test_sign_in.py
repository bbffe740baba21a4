"""Signing in from a browser: the password, the second factor, the session, and everything that is refused."""

import os
import re
import statistics
import threading
import time

from arkki_flow import Archive, check, same
from sign_in_util import PASSWORD, Browser, conf, link_code, member, totp

GUESSES = 10000 if os.environ.get("ARKKI_FULL") else 2000
USERS = ("maija", "risto", "sirpa", "pertti", "ulla", "helmi", "heikki", "aada", "hanna", "raija")

_shared = None


def shared():
    """One archive in which the users have set their passwords, with its server: (archive, {user: member})."""
    global _shared
    if _shared is None:
        w = Archive()
        conf(w, "password-blocklist " + blocklist(w))
        w.serve()
        _shared = w, {user: member(w, user, link_code(w, user)) for user in USERS}
    return _shared


def blocklist(w):
    path = os.path.join(w.top, "blocklist")
    with open(path, "w", encoding="utf-8") as f:
        f.write("\n".join(sorted(["salasanasalasana", "kissakissakissa"])) + "\n")
    return path


def text_of(page):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page.body.decode().split("<main")[-1]))


def entries(w, after, kinds=("sign-in", "sign-out", "credentials")):
    return [e for e in w.audit() if e["index"] >= after and e["kind"] in kinds]


def end_of_log(w):
    w.audit()
    return w.audit()[-1]["index"] + 1


# ---- in ----

def test_sign_in__by_password_and_code_makes_a_session():
    w, people = shared()
    first = end_of_log(w)
    b = Browser(w)
    r = b.get("/fi/documents/%032x?x=1" % 7)
    same(r.status, 303)
    r = b.get(r.header("Location"))
    r = b.submit(r, "/fi/sign-in", user=" Maija ", password=PASSWORD)
    same((r.status, r.header("Location").split("?")[0]), (303, "/fi/sign-in/code"), "the second step")
    check("arkki-session" not in b.jar, "a session without the code")
    same(b.get("/fi/").status, 303, "open without the code")
    r = b.get(r.header("Location"))
    r = b.submit(r, "/fi/sign-in/code", code=people["maija"].code())
    same((r.status, r.header("Location")), (303, "/fi/documents/%032x?x=1" % 7))
    cookie = next(v for k, v in r.headers if k.lower() == "set-cookie" and v.startswith("arkki-session="))
    check("HttpOnly" in cookie and "SameSite=Strict" in cookie and "Path=/" in cookie, cookie)
    check(len(b.jar["arkki-session"]) >= 43, "short secret")
    same(b.get("/fi/").status, 200)
    e, = entries(w, first, ("sign-in",))
    same((e["outcome"], e["principal"], e["authentication"]), ("ok", "maija", "password+recovery"))
    check(re.fullmatch(r"[0-9a-f]{16}", e["session"]), "session")


def test_sign_in__behind_tls_sets_host_cookies_and_takes_no_others():
    w, people = shared()
    b = Browser(w, {"X-Forwarded-Proto": "https"})
    b.sign_in(people["risto"])
    check(b.jar.get("__Host-arkki"), b.jar)
    check("; Secure" in b.set["__Host-arkki"] and "Domain" not in b.set["__Host-arkki"], b.set)
    secret = b.jar["__Host-arkki"]
    same(b.get("/fi/").status, 200)
    other = Browser(w, {"X-Forwarded-Proto": "https"})
    other.jar["arkki-session"] = secret
    same(other.get("/fi/").status, 303, "a cookie that a neighbouring host may have set")
    check(people["risto"].user, "user")


def test_session__is_for_pages_and_not_for_the_api():
    w, people = shared()
    b = Browser(w)
    b.sign_in(people["risto"])
    for path in ("/v1/me", "/v1/documents"):
        same(b.get(path).status, 401, path)


def test_sign_in__next_elsewhere_is_not_followed():
    w, people = shared()
    for elsewhere in ("https://evil.example/", "//evil.example", "/fi//evil.example", "/v1/me", "/\\evil.example"):
        b = Browser(w)
        r = b.get("/fi/sign-in")
        r = b.submit(r, "/fi/sign-in", user="risto", password=PASSWORD, next=elsewhere)
        r = b.get(r.header("Location"))
        r = b.submit(r, "/fi/sign-in/code", code=people["risto"].code(), next=elsewhere)
        same(r.header("Location"), "/fi/", elsewhere)


# ---- refused ----

def refused(w, user, password):
    b = Browser(w)
    started = time.monotonic()
    r = b.submit(b.get("/sv/sign-in"), "/sv/sign-in", user=user, password=password)
    took = time.monotonic() - started
    body = re.sub(rb'value="[0-9a-f]{32}"', b'value="FORM"', r.body).replace(user.encode(), b"USER")
    check("arkki-session" not in b.jar and "arkki-step" not in b.jar, "a cookie")
    return (r.status, sorted(k for k, _ in r.headers), body), took


def test_refusals__tell_nothing_of_the_account():
    w, _ = shared()
    first = end_of_log(w)
    wrong = refused(w, "maija", "väärä salasana 1")[0]
    same(wrong[0], 422)
    same(refused(w, "eiketaan", PASSWORD)[0], wrong, "no such account")
    same(refused(w, "ylla", PASSWORD)[0], wrong, "no password")
    same(refused(w, "maija", "x" * 3000)[0], wrong, "too long")
    same(refused(w, "x" * 60, PASSWORD)[0], wrong, "a long name")
    logged = [(e.get("principal"), e["outcome"], e["detail"]["why"]) for e in entries(w, first)]
    same(logged, [("maija", "denied", "wrong"), (None, "denied", "wrong"), ("ylla", "denied", "wrong"),
                  ("maija", "denied", "wrong"), (None, "denied", "wrong")])
    check("eiketaan" not in str(w.audit()), "what was typed is in the log")
    check(PASSWORD not in w.said() and "eiketaan" not in w.said(), "in the server's output")


def test_refusals__of_a_suspended_account_are_those_of_a_wrong_password():
    w = Archive().serve()
    maija = member(w, "maija", link_code(w, "maija"))
    b = Browser(w)
    b.sign_in(maija)
    same(b.get("/fi/").status, 200)
    wrong = refused(w, "maija", "väärä salasana 1")[0]
    r = w.send("PATCH", "/v1/users/maija", "ylla", {"Content-Type": "application/json", "If-Match": "*"},
               '{"state": "suspended", "reason": "virkavapaa"}')
    same(r.status, 200, r.body[:300])
    same(b.get("/fi/").status, 303, "its session goes on")
    first = end_of_log(w)
    same(refused(w, "maija", PASSWORD)[0], wrong)
    same([(e["principal"], e["outcome"]) for e in entries(w, first)], [("maija", "denied")])
    code = w.send("POST", "/v1/users/maija/invitation", "ylla")
    check(code.status >= 400, "a link for a suspended account")
    same(w.stop(), 0)


def test_refusals__take_as_long_for_nobody_as_for_somebody():
    w, _ = shared()
    known, without, unknown = [], [], []
    for i in range(9):  # by turns, so that a busy machine is the same to all three
        for took, user in ((known, ("sirpa", "pertti", "ulla")[i // 3]), (without, ("ylla", "kone", "oskari")[i // 3]),
                           (unknown, "tuntematon-%d" % (i // 3))):
            took.append(refused(w, user, "väärä salasana 2")[1])
    k, n, u = (statistics.median(x) for x in (known, without, unknown))
    print("sign-in: wrong password %.0f ms, without a password %.0f ms, no such account %.0f ms" %
          (k * 1000, n * 1000, u * 1000))
    for what, ratio in (("unknown", u / k), ("without a password", n / k)):
        check(0.5 < ratio < 2, what, "takes", ratio, "times as long")


def test_codes__count_once():
    w, people = shared()
    b = Browser(w)
    heikki = people["heikki"]
    used = heikki.code()
    b.sign_in(heikki, used)
    b.get("/fi/account")
    again = Browser(w)
    page = again.first_step("heikki")
    for code, why in ((used, "a recovery code again"), (totp(heikki.secret, heikki.confirmed_at), "a code of before"),
                      ("000000", "wrong"), ("", "none"), ("x" * 39, "no code")):
        r = again.submit(page, "/fi/sign-in/code", code=code)
        same((r.status, "arkki-session" in again.jar), (422, False), why)
    fresh = totp(heikki.secret, heikki.next_step())
    time.sleep(1.1)  # the fifth attempt has made the next one wait
    r = again.submit(page, "/fi/sign-in/code", code=fresh[:3] + " " + fresh[3:])
    same(r.status, 303, text_of(r))
    third = Browser(w)
    r = third.submit(third.first_step("heikki"), "/fi/sign-in/code", code=fresh)
    same(r.status, 422, "a code of this step again")


def test_second_step__is_for_the_browser_that_showed_the_password():
    w, people = shared()
    b = Browser(w)
    page = b.first_step("risto")
    for step in (None, "x" * 80, b.jar["arkki-step"][:-4] + "AAAA"):
        other = Browser(w)
        other.get("/fi/sign-in")
        if step:
            other.jar["arkki-step"] = step
        same(other.get("/fi/sign-in/code").header("Location"), "/fi/sign-in")
        other.jar["arkki-form"] = b.jar["arkki-form"]
        r = other.submit(page, "/fi/sign-in/code", code=people["risto"].code())
        same((r.status, r.header("Location")), (303, "/fi/sign-in"))
        check("arkki-session" not in other.jar, "a session")


def test_session__from_before_is_never_taken_over():
    w, people = shared()
    stranger = Browser(w)
    stranger.sign_in(people["hanna"])
    planted = stranger.jar["arkki-session"]
    b = Browser(w)
    b.jar["arkki-session"] = planted
    b.sign_in(people["maija"])
    check(b.jar["arkki-session"] != planted, "the planted session goes on")
    same(stranger.get("/fi/").status, 303, "the session that was there before lives")
    invented = Browser(w)
    invented.jar["arkki-session"] = "A" * 43
    invented.sign_in(people["maija"])
    check(invented.jar["arkki-session"] != "A" * 43, "an invented secret was taken")


POSTS = ("/fi/sign-out", "/fi/account/confirm", "/fi/account/password", "/fi/account/second-factor", "/fi/account/recovery",
         "/fi/account/session", "/fi/account/sessions", "/fi/account/tokens", "/fi/account/token")


def test_forms__from_another_site_or_session_change_nothing():
    w, people = shared()
    mine, theirs = Browser(w), Browser(w)
    mine.sign_in(people["maija"])
    theirs.sign_in(people["hanna"])
    page, other = mine.get("/fi/account"), theirs.get("/fi/account")
    fields = {"session": "0" * 16, "token": "0" * 16, "name": "x", "days": "1", "read": "1", "password": PASSWORD,
              "new": "uusi salasana 1", "again": "uusi salasana 1"}
    for path in POSTS:
        for why, form, headers in (("no form", "", {}), ("another use", page.form("/fi/sign-out") if path != "/fi/sign-out" else
                                                         page.form("/fi/account/sessions"), {}),
                                   ("another session", other.form(path) or other.form("/fi/sign-out"), {}),
                                   ("another site", page.form(path), {"Sec-Fetch-Site": "cross-site"}),
                                   ("a neighbour", page.form(path), {"Sec-Fetch-Site": "same-site"}),
                                   ("another origin", page.form(path), {"Origin": "https://evil.example"})):
            r = mine.post(path, dict(fields, form=form or ""), headers)
            same(r.status, 403, path, why)
    for path, more in (("/fi/sign-in", {"user": "maija", "password": PASSWORD}), ("/fi/join", {"code": "x"})):
        for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, None):
            b = Browser(w)
            page = b.get(path)
            if headers is None:
                b.jar.pop("arkki-form")
            r = b.submit(page, path, headers or {}, **more)
            check(r.status == 422 and "Lomake oli vanhentunut" in text_of(r), path, headers, text_of(r))
    same(mine.get("/fi/account").status, 200, "signed out by another site")
    own = mine.get("/fi/account")
    for headers in ({"Sec-Fetch-Site": "same-origin"}, {"Origin": "http://127.0.0.1:%d" % w.port}, {"Origin": "null"}):
        same(mine.submit(own, "/fi/account/session", headers, session="0" * 16).status, 404, headers)


# ---- sessions ----

def test_session__ends_idle_and_after_its_time():
    for setting, seconds in (("session-idle-minutes 0.03", 1.8), ("session-hours 0.0006", 2.16)):
        w = Archive()
        conf(w, setting)
        w.serve()
        b = Browser(w)
        maija = member(w, "maija", link_code(w, "maija"), b)
        same(b.get("/fi/account").status, 200, setting)
        b = Browser(w)
        b.sign_in(maija)
        end = time.monotonic() + seconds + 0.5
        while time.monotonic() < end:
            b.get("/fi/account")
            time.sleep(0.2)
        r = b.get("/fi/account")
        same((r.status, r.header("Location").split("?")[0]), (303, "/fi/sign-in"), setting)
        same(w.stop(), 0)


def test_conf__that_is_wrong_is_named_at_the_start():
    for line in ("session-idle-minutes 0", "session-hours x", "second-factor maybe"):
        w = Archive()
        conf(w, line)
        p = w.run("serve", w.dir, "--listen", "127.0.0.1:0")
        check(p.returncode != 0 and line.split()[0] in p.stderr, line, p.stderr)


def test_sessions__are_listed_and_ended():
    w, people = shared()
    one, two = Browser(w, {"User-Agent": "Kokeiluselain/1"}), Browser(w, {"User-Agent": "Toinen <b>selain</b>"})
    one.sign_in(people["raija"])
    two.sign_in(people["raija"])
    page = one.get("/fi/account")
    text = page.body.decode()
    check("Kokeiluselain/1" in text and "Toinen &lt;b&gt;selain&lt;/b&gt;" in text and "127.0.0.1" in text, text_of(page))
    ids = re.findall(r'name="session" value="([0-9a-f]{16})"', text)
    check(ids, "no other session")
    stranger = Browser(w)
    stranger.sign_in(people["hanna"])
    r = stranger.submit(stranger.get("/fi/account"), "/fi/account/session", session=ids[0])
    same(r.status, 404, "somebody else's session")
    same(two.get("/fi/").status, 200)
    for id_ in ids:
        same(one.submit(page, "/fi/account/session", session=id_).header("Location"), "/fi/account?ended=1")
    same(two.get("/fi/").status, 303, "still open")
    same(one.get("/fi/").status, 200, "its own")
    two.sign_in(people["raija"])
    first = end_of_log(w)
    r = one.submit(one.get("/fi/account"), "/fi/account/sessions")
    same((r.status, r.header("Clear-Site-Data")), (303, '"cache"'))
    same((one.get("/fi/").status, two.get("/fi/").status), (303, 303), "everywhere")
    same([e["detail"]["what"] for e in entries(w, first)], ["sessions"])


def test_sign_out__ends_the_session_on_the_server():
    w, people = shared()
    b = Browser(w)
    b.sign_in(people["raija"])
    secret = b.jar["arkki-session"]
    first = end_of_log(w)
    r = b.submit(b.get("/fi/"), "/fi/sign-out")
    same((r.status, r.header("Location"), r.header("Clear-Site-Data")), (303, "/fi/sign-in?out=1", '"cache"'))
    check("arkki-session" not in b.jar, "the cookie is still there")
    b.jar["arkki-session"] = secret
    same(b.get("/fi/").status, 303, "the secret still opens")
    same([(e["kind"], e["outcome"]) for e in entries(w, first)], [("sign-out", "ok")])


def test_password__change_ends_the_other_sessions():
    w, people = shared()
    aada = people["aada"]
    one, two = Browser(w), Browser(w)
    one.sign_in(aada)
    two.sign_in(aada)
    pending = Browser(w)
    pending.first_step("aada")
    page = one.get("/fi/account/password")
    new = "neljä vihreää hevosta"
    for why, fields, said in (
            ("the old one wrong", {"password": "ei tämä", "new": new, "again": new}, "nykyinen salasana"),
            ("not twice the same", {"password": PASSWORD, "new": new, "again": new + "x"}, "eivät ole samat"),
            ("too short", {"password": PASSWORD, "new": "lyhyt", "again": "lyhyt"}, "vähintään 12"),
            ("breached", {"password": PASSWORD, "new": "salasanasalasana", "again": "salasanasalasana"}, "yleisesti tunnettu")):
        r = one.submit(page, "/fi/account/password", **fields)
        check(r.status == 422 and said in text_of(r), why, r.status, text_of(r))
    same(two.get("/fi/").status, 200)
    r = one.submit(page, "/fi/account/password", password=PASSWORD, new=new, again=new)
    same((r.status, r.header("Location")), (303, "/fi/account?password=1"), text_of(r))
    same((one.get("/fi/").status, two.get("/fi/").status), (200, 303), "this one and the other")
    same(pending.get("/fi/sign-in/code").header("Location"), "/fi/sign-in", "a first step with the old password")
    b = Browser(w)
    same(b.submit(b.get("/fi/sign-in"), "/fi/sign-in", user="aada", password=PASSWORD).status, 422, "the old password")
    b.sign_in(aada, password=new)


def test_change__asks_who_it_is_when_the_sign_in_is_by_token():
    w, _ = shared()
    b = Browser(w)
    page = b.get("/fi/sign-in")
    same(b.post("/fi/sign-in", {"form": page.form("/fi/sign-in"), "token": " %s\n" % w.token("sirpa")}).status, 303)
    own = b.get("/fi/account")
    same(own.status, 200)
    same(b.get("/fi/account/password").status, 403)
    same(b.get("/fi/account/second-factor").status, 403)
    same(b.submit(own, "/fi/account/recovery").status, 403)
    same(b.submit(own, "/fi/account/tokens", name="x", days="1", read="1").status, 403)


def test_confirm__takes_password_and_code_together():
    w, people = shared()
    pertti = people["pertti"]
    b = Browser(w)
    b.sign_in(pertti)
    page = b.get("/fi/account/confirm?next=/fi/account/password")
    for fields in ({"password": PASSWORD, "code": "000000"}, {"password": "ei tämä ole", "code": pertti.code()}):
        r = b.submit(page, "/fi/account/confirm", **fields)
        same(r.status, 422, fields)
        check("arkki-fresh" not in b.jar, "confirmed")
    r = b.submit(page, "/fi/account/confirm", password=PASSWORD, code=pertti.code(), next="/account/password")
    same((r.status, r.header("Location")), (303, "/fi/account/password"))
    check("arkki-fresh" in b.jar, "not confirmed")
    r = b.submit(page, "/fi/account/confirm", password=PASSWORD, code=pertti.code(), next="https://evil.example")
    same(r.header("Location"), "/fi/account")


# ---- tokens ----

def test_token__begins_a_session_that_ends_with_it():
    w, people = shared()
    ulla = people["ulla"]
    owner = Browser(w)
    owner.sign_in(ulla)
    page = owner.get("/fi/account")
    for why, fields in (("no name", {"name": " ", "days": "1", "read": "1"}), ("no days", {"name": "a", "days": "", "read": "1"}),
                        ("too long", {"name": "a", "days": "366", "read": "1"}), ("no scope", {"name": "a", "days": "3"})):
        same(owner.submit(page, "/fi/account/tokens", **fields).status, 422, why)
    r = owner.submit(page, "/fi/account/tokens", name="Tuonti <1>", days="3", read="1")
    token = re.search(r'<code class="key">(arkki_[^<]*)</code>', r.body.decode()).group(1)
    same(w.send("GET", "/v1/documents", None, token=token).status, 200)
    b = Browser(w)
    same(b.post("/fi/sign-in", {"form": b.get("/fi/sign-in").form("/fi/sign-in"), "token": token}).status, 303)
    same(b.get("/fi/").status, 200)
    page = owner.get("/fi/account")
    check("Tuonti &lt;1&gt;" in page.body.decode(), "not listed")
    id_ = next(i for i in re.findall(r'name="token" value="([0-9a-f]{16})"', page.body.decode()))
    w.token("hanna")
    stranger = Browser(w)
    stranger.sign_in(people["hanna"])
    same(stranger.submit(stranger.get("/fi/account"), "/fi/account/token", token=id_).status, 404)
    same(owner.submit(page, "/fi/account/token", token=id_).header("Location"), "/fi/account?revoked=1")
    same(b.get("/fi/").status, 303, "the session outlives its token")
    same(b.post("/fi/sign-in", {"form": b.get("/fi/sign-in").form("/fi/sign-in"), "token": token}).status, 422)


# ---- joining ----

def test_join__takes_a_code_once_and_leads_to_the_second_factor():
    w = Archive()
    conf(w, "password-blocklist " + blocklist(w))
    w.serve()
    code = link_code(w, "maija")
    b = Browser(w)
    page = b.get("/fi/join")
    for wrong in ("", "x", code[:-1], "A" * 43, "ä" * 20, "x" * 99):
        r = b.submit(page, "/fi/join", code=wrong)
        check(r.status == 422 and "Koodi ei kelpaa" in text_of(r), wrong)
    r = b.submit(page, "/fi/join", code=" %s " % code)
    same(r.status, 200)
    check("Maija" in text_of(r) and "Lupa- ja valvontavirasto" in text_of(r), text_of(r))
    for wrong in ("lyhyt", "maija", "kissakissakissa"):
        same(b.submit(r, "/fi/join", code=code, step="password", new=wrong, again=wrong).status, 422, wrong)
    other = Browser(w)
    again = other.submit(other.get("/fi/join"), "/fi/join", code=code)
    both = []

    def set_one(browser, at):
        both.append(browser.submit(at, "/fi/join", code=code, step="password", new=PASSWORD, again=PASSWORD).status)
    threads = [threading.Thread(target=set_one, args=x) for x in ((b, r), (other, again))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    same(sorted(both), [303, 422], "two at once")
    b = b if "arkki-session" in b.jar else other
    for path in ("/fi/", "/fi/account", "/fi/saved", "/fi/account/password", "/fi/account/confirm"):
        same(b.get(path).header("Location"), "/fi/account/second-factor", path)
    page = b.get("/fi/account/second-factor")
    check("/fi/saved" not in page.body.decode(), "a menu that leads nowhere")
    r = b.submit(page, "/fi/account/second-factor")
    text = r.body.decode()
    secret = re.search(r'name="secret" value="([A-Z2-7]{32})"', text).group(1)
    check('<svg class="qr" role="img" aria-label="QR-koodi' in text, "no picture")
    before = b.jar["arkki-session"]
    same(b.submit(r, "/fi/account/second-factor", secret=secret, code="000000").status, 422)
    same(b.submit(r, "/fi/account/second-factor", secret="B" * 32, code=totp("B" * 32)).status, 422, "another secret")
    r = b.submit(r, "/fi/account/second-factor", secret=secret, code=totp(secret))
    same((r.status, len(re.findall(r"<code>[a-z2-7-]{19}</code>", r.body.decode()))), (200, 10))
    same(r.header("Cache-Control"), "private, no-store")
    check(b.jar["arkki-session"] != before, "the weaker secret goes on")
    same(b.get("/fi/").status, 200)
    old = Browser(w)
    old.jar["arkki-session"] = before
    same(old.get("/fi/").status, 303, "the weaker session lives")
    same([(e["authentication"]) for e in entries(w, 0, ("sign-in",)) if e["outcome"] == "ok"], ["password"])
    same([(e["principal"], e["authentication"], e["detail"]["what"]) for e in entries(w, 0, ("credentials",))],
         [("maija", "link", "password"), ("maija", "password", "second-factor")])
    # a new password where there is a second factor: in the log at once, whether or not somebody comes in with it
    code = link_code(w, "maija")
    b = Browser(w)
    r = b.submit(b.submit(b.get("/fi/join"), "/fi/join", code=code), "/fi/join", code=code, step="password",
                 new=PASSWORD + "2", again=PASSWORD + "2")
    check("/fi/sign-in/code" in r.header("Location") and "arkki-session" not in b.jar, "the second factor is not asked for")
    same(len(entries(w, 0, ("credentials",))), 3, "a password set by link is not in the log")
    check(code not in w.said() and secret not in w.said() and PASSWORD not in w.said(), "in the server's output")
    check(code not in str(w.audit()), "in the log")
    same(w.stop(), 0)
    same(w.verify().returncode, 0)


def test_second_factor__is_not_asked_for_where_it_is_optional():
    w = Archive()
    conf(w, "second-factor optional")
    w.serve()
    code = link_code(w, "maija")
    b = Browser(w)
    r = b.submit(b.get("/fi/join"), "/fi/join", code=code)
    b.submit(r, "/fi/join", code=code, step="password", new=PASSWORD, again=PASSWORD)
    same(b.get("/fi/").status, 200)
    check("yksi tunnistustapa" in text_of(b.get("/fi/account")), "not said to be weak")
    b = Browser(w)
    r = b.submit(b.get("/fi/sign-in"), "/fi/sign-in", user="maija", password=PASSWORD)
    same((r.status, r.header("Location")), (303, "/fi/"))
    same(w.stop(), 0)


# ---- guessing ----

def test_guesses__by_the_thousand_reach_nothing_and_hinder_nobody():
    w = Archive().serve()  # of its own: refusals are logged within a rate, of which other tests have taken nothing here
    people = {user: member(w, user, link_code(w, user)) for user in ("helmi", "hanna")}
    owner = Browser(w)
    owner.sign_in(people["helmi"])  # this browser is known from now on
    statuses, slow, lock, left = {}, [], threading.Lock(), [GUESSES]

    def guess():
        b = Browser(w)
        page = b.get("/fi/sign-in")
        while True:
            with lock:
                if left[0] <= 0:
                    return
                left[0] -= 1
            started = time.monotonic()
            r = b.submit(page, "/fi/sign-in", user="helmi", password="arvaus numero %d" % left[0])
            with lock:
                statuses[r.status] = statuses.get(r.status, 0) + 1
                slow.append(time.monotonic() - started)
            if r.status == 429:
                check(int(r.header("Retry-After")) >= 1 and "Odota" in text_of(r), r.headers)
    started = time.monotonic()
    threads = [threading.Thread(target=guess) for _ in range(8)]
    for t in threads:
        t.start()
    took = []
    for user in ("hanna", "helmi", "hanna"):
        begun = time.monotonic()
        (owner if user == "helmi" else Browser(w)).sign_in(people[user])
        took.append(time.monotonic() - begun)
    for t in threads:
        t.join()
    print("sign-in: %d guesses in %.1f s: %s; meanwhile others signed in within %.2f s" %
          (GUESSES, time.monotonic() - started, statuses, max(took)))
    same(set(statuses) - {422, 429, 503}, set(), "an answer")
    check(statuses.get(422, 0) <= 20, "passwords that were looked at:", statuses)
    check(max(took) < 10, "others waited", took)
    stranger = Browser(w)
    page = stranger.get("/fi/sign-in")
    while stranger.submit(page, "/fi/sign-in", user="helmi", password="vielä yksi arvaus").status != 429:
        pass
    r = stranger.submit(page, "/fi/sign-in", user="helmi", password=PASSWORD)
    same(r.status, 429, "the right password while a stranger has to wait")
    owner.sign_in(people["helmi"])
    denied = [e for e in w.audit(principal="helmi") if e["kind"] == "sign-in" and e["outcome"] == "denied"]
    whys = {e["detail"]["why"] for e in denied}
    check(denied and whys == {"wrong", "wait"}, "the log", whys, len(denied))
    check(len(denied) < GUESSES, "the log takes every guess")


def test_join__after_an_emergency_nothing_of_before_signs_in():
    w = Archive()
    w.load({"users": [{"id": "laila", "org": "lvv", "name": "Laila", "roles": ["contact"]}]})
    w.serve()
    laila = member(w, "laila", link_code(w, "laila"))
    before = Browser(w).sign_in(laila)
    token = w.token("laila")
    same((before.get("/fi/").status, w.send("GET", "/v1/me", None, token=token).status), (200, 200))
    said = w.run("user", "emergency", w.dir, "lvv", "--user", "laila", "--reason", "koe: kukaan ei pääse sisään")
    same(said.returncode, 0, said.stderr)
    same((before.get("/fi/").status, w.send("GET", "/v1/me", None, token=token).status), (200, 200), "not before it is used")
    fresh = member(w, "laila", said.stdout.strip().split("#")[1])
    same((before.get("/fi/").status, w.send("GET", "/v1/me", None, token=token).status), (303, 401), "what was before")
    b = Browser(w)
    same(b.submit(b.first_step("laila"), "/fi/sign-in/code", code=laila.code()).status, 422, "an old recovery code")
    same(Browser(w).sign_in(fresh).get("/fi/").status, 200)
    w.stop()
