"""Tokens: made, listed and revoked over HTTP and by the command line, and held to their scopes. All names are made up."""

import json
import re
import threading
import time

from arkki_flow import SEED, Archive, check, form, metadata, same
from sign_in_util import Browser

JSON = {"Content-Type": "application/json", "Accept-Language": "en"}


def make(w, user="maija", token=None, **fields):
    body = {"name": "skripti", "scopes": ["read"], "days": 7}
    body.update(fields)
    return w.send("POST", "/v1/tokens", user, JSON, json.dumps({k: v for k, v in body.items() if v is not None}), token)


def created(w, *args, **more):
    r = make(w, *args, **more)
    same(r.status, 201, r.body[:300])
    return r.json()


def tokens(w, user="maija", query="", token=None):
    r = w.send("GET", "/v1/tokens" + query, user, token=token)
    same(r.status, 200, r.body[:300])
    return r.json()["tokens"]


def test_token__made_over_http_is_shown_once_and_signs_in():
    w = Archive().serve()
    t = created(w)
    check(t["token"].startswith("arkki_"), t)
    same(w.send("GET", "/v1/me", token=t["token"]).json()["user"]["id"], "maija")
    listed = {x["id"]: x for x in tokens(w)}
    same(listed[t["id"]]["name"], "skripti")
    same(listed[t["id"]]["scopes"], ["read"])
    check("seen" in listed[t["id"]], "the last use is told", listed[t["id"]])
    check("token" not in listed[t["id"]], "the secret is told once")
    check(t["token"] not in w.said() and t["token"][6:] not in w.said(), "the output holds no token")
    kinds = [e for e in w.audit(log="history") if e["kind"] == "token"]
    check(any(t["id"] in json.dumps(e) and "scopes" in json.dumps(e) for e in kinds), "an entry of the history", kinds[-1])


def test_token__revoked_stops_at_once():
    w = Archive().serve()
    t = created(w)
    for _ in range(3):
        same(w.send("GET", "/v1/me", token=t["token"]).status, 200)
    same(w.send("DELETE", "/v1/tokens/" + t["id"], "risto").status, 404, "another's")
    same(w.send("DELETE", "/v1/tokens/" + t["id"]).status, 204)
    same(w.send("GET", "/v1/me", token=t["token"]).status, 401)
    same(w.send("DELETE", "/v1/tokens/" + t["id"]).status, 404)
    ended = [e for e in w.audit(log="history") if e["kind"] == "token" and '"ended"' in json.dumps(e)]
    check(any(t["id"] in json.dumps(e) for e in ended), "an entry of the history", ended)


def test_token__revoked_while_it_waits_for_changes_learns_of_none():
    w = Archive().serve()
    t = created(w)
    at = w.send("GET", "/v1/changes", token=t["token"]).json()["next"]
    got = []
    waiting = threading.Thread(target=lambda: got.append(w.send("GET", "/v1/changes?wait=20&after=" + at, token=t["token"])))
    waiting.start()
    time.sleep(1)
    same(w.send("DELETE", "/v1/tokens/" + t["id"]).status, 204)
    w.file(publicity="public")
    waiting.join()
    same(got[0].json().get("changes", []), [], "told to who is not there any more")


def test_token__bad_wishes_are_refused_with_their_field():
    w = Archive().serve()
    for fields, wrong in (({"name": None}, "name"), ({"name": " \t"}, "name"), ({"name": "x" * 61}, "name"),
                          ({"name": 5}, "name"), ({"scopes": None}, "scopes"), ({"scopes": []}, "scopes"),
                          ({"scopes": "read"}, "scopes"), ({"scopes": ["read", "all"]}, "scopes"),
                          ({"scopes": ["read", "read"]}, "scopes"), ({"scopes": ["READ"]}, "scopes"),
                          ({"days": 0}, "days"), ({"days": 3661}, "days"), ({"days": "7"}, "days"), ({"days": 1.5}, "days"),
                          ({"days": None}, "days"), ({"owner": "aada"}, "owner")):
        r = make(w, **fields)
        same((r.status, r.fields()), (422, [wrong]), fields)
    for body in (b"", b"[]", b"{", b'{"name":"a","name":"b"}', b"\xff"):
        same(w.send("POST", "/v1/tokens", "maija", JSON, body).status, 400, body)
    same(w.send("POST", "/v1/tokens", None, JSON, b"{}").status, 401)


def test_token__does_no_more_and_lasts_no_longer_than_the_one_that_made_it():
    w = Archive().serve()
    parent = created(w, scopes=["read", "accounts"], days=2)
    r = make(w, token=parent["token"], scopes=["read", "file"])
    same((r.status, r.json()["type"]), (403, "urn:arkki:problem:out-of-scope"))
    child = created(w, token=parent["token"], scopes=["read"], days=3660)
    same(child["expires"], parent["expires"])
    same(make(w, token=child["token"]).status, 403, "it has no scope for tokens")


def test_token__is_held_to_its_scopes():
    w = Archive().serve()
    secret = w.file(publicity="partly-secret", title="Salaperainen kertomus")
    w.until_indexed()
    own = {s: created(w, scopes=[s])["token"] for s in ("read", "file", "audit", "administer", "accounts")}
    admin = created(w, "ylla", scopes=["read"])["token"]
    reads = ("/v1/documents", "/v1/documents/" + secret.id, "/v1/documents/%s/versions/1/content" % secret.id,
             "/v1/search?q=salaperainen", "/v1/search/suggest?q=sala", "/v1/units", "/v1/cases", "/v1/changes?after=",
             "/v1/exports", "/v1/saved-searches")
    for path in reads:
        check(w.send("GET", path, token=own["read"]).status in (200, 400), path)
        for scope in ("file", "audit", "administer", "accounts"):
            r = w.send("GET", path, token=own[scope])
            same(r.status, 403, scope, path)
            same(r.json()["type"], "urn:arkki:problem:out-of-scope")
            check(b"alaper" not in r.body and secret.id.encode() not in r.body, "nothing is told")
    for scope in ("read", "audit", "administer", "accounts"):
        same(w.send("POST", "/v1/documents", token=own[scope], headers=JSON, body=b"{}").status, 403, scope)
    body, ct = form(metadata(title="Uusi"), b"teksti\n", "a.txt", None)
    same(w.send("POST", "/v1/documents", token=own["file"], headers={"Content-Type": ct}, body=body).status, 201)
    same(w.send("GET", "/v1/me", token=own["file"]).json()["may"]["file"], True)
    same(w.send("GET", "/v1/me", token=own["read"]).json()["may"]["file"], False)
    same(w.send("GET", "/v1/status", token=admin).status, 403, "an administrator's token for reading")
    same(w.get("/v1/status", "ylla").status, 200)
    auditor = created(w, "aada", scopes=["read"])["token"]
    same(w.send("GET", "/v1/audit/access", token=auditor).status, 403)
    same(w.send("GET", "/v1/tokens", token=own["read"]).status, 403)
    same(w.send("GET", "/v1/tokens", token=own["accounts"]).status, 200)


def test_token__without_reading_shows_nothing_on_pages_either():
    w = Archive().serve()
    f = w.file(publicity="public", title="Avoin kertomus")
    w.until_indexed()
    for scope, seen in (("read", True), ("file", False)):
        token = created(w, scopes=[scope])["token"]
        b = Browser(w)
        r = b.submit(b.get("/fi/sign-in"), "/fi/sign-in", token=token)
        same(r.status, 303, r.body[:200])
        page = b.get("/fi/?q=avoin")
        same(b"Avoin kertomus" in re.sub(rb"</?mark>", b"", page.body), seen, scope, page.status)
        same(b.get("/fi/documents/" + f.id).status, 200 if seen else 404, scope)


def test_token__of_others_are_for_who_manages_the_account():
    w = Archive().serve()
    t = created(w, "hanna")
    same(w.send("GET", "/v1/tokens?user=hanna", "maija").status, 404)
    same(w.send("GET", "/v1/tokens?user=ei-ole", "maija").body.replace(b"ei-ole", b""),
         w.send("GET", "/v1/tokens?user=hanna", "maija").body.replace(b"hanna", b""))
    check(t["id"] in [x["id"] for x in tokens(w, "ylla", "?user=hanna")], "an administrator sees it")
    same(w.send("DELETE", "/v1/tokens/%s?user=hanna" % t["id"], "maija").status, 404)
    same(w.send("DELETE", "/v1/tokens/%s?user=hanna" % t["id"], "ylla").status, 204)
    same(w.send("GET", "/v1/me", token=t["token"]).status, 401)


def test_token__of_an_administrator_is_not_the_contact_persons():
    w = Archive(seed=dict(SEED, users=SEED["users"] + [
        {"id": "laila", "org": "lvv", "name": "Laila", "roles": ["contact"]}])).serve()
    admins, colleagues = created(w, "ylla"), created(w, "maija")
    check(colleagues["id"] in [x["id"] for x in tokens(w, "laila", "?user=maija")], "the colleague's")
    for method, path in (("GET", "/v1/tokens"), ("DELETE", "/v1/tokens/" + admins["id"]), ("GET", "/v1/sessions"),
                         ("DELETE", "/v1/sessions"), ("DELETE", "/v1/sessions/" + "0" * 16)):
        same(w.send(method, path + "?user=ylla", "laila").status, 404, method, path)
    same(w.send("GET", "/v1/me", token=admins["token"]).status, 200)


def test_token__and_sessions_of_an_account_are_a_limited_number():
    w = Archive().serve()
    first = created(w)
    while len(tokens(w)) < 100:
        created(w)
    r = make(w)
    same((r.status, r.json()["type"]), (409, "urn:arkki:problem:too-many"))
    check("revoke one" in r.json()["detail"], r.json())
    check(w.run("token", "create", w.dir, "--user", "maija").returncode != 0, "the command makes one more")
    same(make(w, "risto").status, 201, "another account's")
    browsers = []
    for _ in range(55):
        b = Browser(w)
        same(b.submit(b.get("/fi/sign-in"), "/fi/sign-in", token=first["token"]).status, 303)
        browsers.append(b)
    same(len(w.send("GET", "/v1/sessions", "maija").json()["sessions"]), 50)
    same([b.get("/fi/").status for b in (browsers[0], browsers[4], browsers[5], browsers[-1])], [303, 303, 200, 200])
    w.send("DELETE", "/v1/tokens/" + first["id"])
    same(make(w).status, 201, "one was revoked")


def test_session__list_is_empty_for_who_has_none_and_ending_is_quiet():
    w = Archive().serve()
    same(w.json("/v1/sessions"), {"sessions": []})
    same(w.send("DELETE", "/v1/sessions/0123456789abcdef").status, 404)
    same(w.send("DELETE", "/v1/sessions/x").status, 404)
    same(w.send("DELETE", "/v1/sessions").status, 204)
    same(w.send("DELETE", "/v1/sessions", None).status, 401)


def test_token_command__creates_lists_and_revokes_served_or_not():
    a = Archive()
    for served in (False, True):
        if served:
            a.serve()
        p = a.run("token", "create", a.dir, "--user", "kone", "--name", "yöajo ä", "--scope", "read", "--scope", "file", "--days", "3")
        same((p.returncode, p.stderr), (0, ""))
        token = p.stdout[:-1]
        check(token.startswith("arkki_") and p.stdout == token + "\n" and "\n" not in token, p.stdout)
        lines = a.run("token", "list", a.dir, "--user", "kone").stdout.splitlines()
        mine = [line for line in lines if "yöajo ä" in line][-1]
        check("read,file" in mine and "never" in mine and token not in mine, mine)
        if served:
            same(a.send("GET", "/v1/me", token=token).status, 200)
        for line in [x for x in lines if "yöajo ä" in x]:
            p = a.run("token", "revoke", a.dir, line.split()[0])
            same((p.returncode, p.stdout, p.stderr), (0, "", ""))
        if served:
            same(a.send("GET", "/v1/me", token=token).status, 401)
    same(a.run("token", "revoke", a.dir, "0123456789abcdef").returncode, 1)
    same(a.run("token", "revoke", a.dir, "../../x").returncode, 1)
    same(a.run("token", "list", a.dir, "--user", "ei-ole").returncode, 1)
    same(a.run("token", "create", a.dir, "--user", "kone", "--scope", "kaikki").returncode, 1)
    same(a.run("token", "list", a.dir).returncode, 2)
    p = a.verify()
    same(p.returncode, 0, p.stdout, p.stderr)


def test_token__many_at_once_are_all_logged():
    w = Archive().serve()
    made = []
    threads = [threading.Thread(target=lambda: made.append(created(w)["id"])) for _ in range(12)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    same(len(set(made)), 12)
    said = json.dumps([e for e in w.audit(log="history") if e["kind"] == "token"])
    check(all(i in said for i in made), "each is in the history")
