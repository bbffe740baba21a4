"""Accounts: joining, changing, confirming, closing; who may, and who tries. All people here are invented."""

import json
import threading

from arkki_flow import SEED, Archive, check, same

NEW_ORG = {"id": "varha", "kind": "county", "name": {"fi": "Varha", "sv": "Egentliga"}, "businessId": "1234567-1",
           "counties": ["02"]}
JSON = {"Content-Type": "application/json"}


def call(a, method, path, body=None, user="ylla", **headers):
    h = dict(JSON, **{k.replace("_", "-"): v for k, v in headers.items()})
    return a.send(method, path, user, h, json.dumps(body) if body is not None else None)


def expect(a, status, method, path, body=None, user="ylla", **headers):
    r = call(a, method, path, body, user, **headers)
    same(r.status, status, method, path, "as", user, body if body is None else str(body)[:200], r.body[:400])
    return r


def fault(a, method, path, body, user="ylla"):
    e = expect(a, 422, method, path, body, user).json()["errors"][0]
    check(e["detail"], "no detail")
    return e["field"], e["code"]


def operator(a, *args, status=0):
    p = a.run(*args)
    same(p.returncode, status, *args[:2], p.stdout, p.stderr)
    return p.stdout if not status else p.stderr


def world():
    """A served archive whose county has a contact person and an administrator, and whose agency has a contact person."""
    a = Archive()
    seed = {"users": [
        {"id": "kaisa", "org": "pirha", "name": "Kaisa", "roles": ["contact"]},
        {"id": "aatu", "org": "pirha", "name": "Aatu", "roles": ["admin"]},
        {"id": "laila", "org": "lvv", "name": "Laila", "roles": ["contact"]},
    ]}
    a.load(seed)
    return a.serve()


def test_accounts__an_organisation_joins_from_registration_to_closing():
    a = world()
    r = expect(a, 201, "POST", "/v1/orgs", NEW_ORG)
    same(r.header("Location"), "/v1/orgs/varha")
    same(r.json()["confirmEvery"], 180)
    same(expect(a, 409, "POST", "/v1/orgs", NEW_ORG).json()["type"].split("/")[-1].split(":")[-1], "conflict")
    r = expect(a, 201, "POST", "/v1/users", {"id": "vappu", "org": "varha", "name": "Vappu", "roles": ["contact"],
                                             "email": "vappu@varha.example"})
    same(r.json()["state"], "invited")
    same(r.header("Location"), "/v1/users/vappu")
    r = expect(a, 201, "POST", "/v1/users/vappu/invitation")
    link = r.json()
    same(link["kind"], "invitation")
    check("/fi/join#" + link["code"] in link["link"], link)
    check(link["link"].startswith("http://127.0.0.1"), link)
    # an invited account opens nothing yet
    p = a.run("token", "create", a.dir, "--user", "vappu")
    if p.returncode == 0:
        same(a.send("GET", "/v1/me", token=p.stdout.strip()).status, 401)
    expect(a, 200, "PATCH", "/v1/users/vappu", {"state": "active"})
    # the contact person opens, changes, suspends and closes
    expect(a, 201, "POST", "/v1/users", {"id": "oiva", "org": "varha", "name": "Oiva", "roles": ["inspector"]}, "vappu")
    expect(a, 200, "PATCH", "/v1/users/oiva", {"state": "active", "roles": ["inspector", "supervisor"]}, "vappu")
    same(a.json("/v1/me", "oiva")["roles"], ["inspector", "supervisor"])
    same(fault(a, "PATCH", "/v1/users/oiva", {"state": "suspended"}, "vappu"), ("reason", "required"))
    expect(a, 200, "PATCH", "/v1/users/oiva", {"state": "suspended", "reason": "virkavapaalla"}, "vappu")
    same(a.get("/v1/me", "oiva").status, 401, "a suspended account's token")
    expect(a, 200, "PATCH", "/v1/users/oiva", {"state": "active"}, "vappu")
    same(a.get("/v1/me", "oiva").status, 200)
    expect(a, 200, "PATCH", "/v1/users/oiva", {"state": "closed", "reason": "muutti"}, "vappu")
    same(a.get("/v1/me", "oiva").status, 401, "a closed account's token")
    expect(a, 409, "PATCH", "/v1/users/oiva", {"state": "active"}, "vappu")
    expect(a, 409, "PATCH", "/v1/users/oiva", {"state": "active"})
    r = expect(a, 409, "POST", "/v1/users", {"id": "oiva", "org": "varha", "name": "Oiva II", "roles": []}, "vappu")
    check("not given again" in r.json()["detail"], r.body)
    expect(a, 409, "POST", "/v1/users/oiva/invitation", None, "vappu")
    same([u["id"] for u in a.json("/v1/users?org=varha&state=closed", "vappu")["users"]], ["oiva"])
    same(a.stop(), 0)
    same(a.verify("--full").returncode, 0)


def test_accounts__nobody_rises_by_the_own_hand_or_a_colleagues():
    a = world()
    for user, status, method, path, body in [
            # a contact person
            ("kaisa", 403, "POST", "/v1/users", {"id": "x", "org": "lvv", "name": "X", "roles": []}),
            ("kaisa", 403, "POST", "/v1/users", {"id": "x", "org": "pirha", "name": "X", "roles": ["admin"]}),
            ("kaisa", 403, "PATCH", "/v1/users/pertti", {"roles": ["inspector", "admin"]}),
            ("kaisa", 404, "PATCH", "/v1/users/maija", {"name": "X"}),
            ("kaisa", 404, "GET", "/v1/users/maija", None),
            ("kaisa", 404, "POST", "/v1/users/maija/invitation", None),
            ("kaisa", 403, "PATCH", "/v1/users/kaisa", {"roles": ["contact", "inspector"]}),
            ("kaisa", 403, "PATCH", "/v1/users/kaisa", {"state": "closed", "reason": "x"}),
            ("kaisa", 403, "PATCH", "/v1/users/kaisa", {"to": "2099-01-01"}),
            ("kaisa", 403, "PATCH", "/v1/users/aatu", {"state": "closed", "reason": "x"}),
            ("kaisa", 403, "PATCH", "/v1/users/aatu", {"email": "kaisa@pirha.example"}),
            ("kaisa", 403, "POST", "/v1/users/aatu/invitation", None),
            ("kaisa", 403, "POST", "/v1/orgs", NEW_ORG),
            ("kaisa", 403, "PATCH", "/v1/orgs/pirha", {"counties": ["90", "91"]}),
            ("kaisa", 403, "GET", "/v1/orgs/lvv/accounts", None),
            ("kaisa", 404, "GET", "/v1/orgs/nowhere/accounts", None),
            ("kaisa", 403, "POST", "/v1/orgs/lvv/confirmation", None),
            ("hanna", 403, "POST", "/v1/users", {"id": "x", "org": "hoiva-oy", "name": "X", "roles": ["auditor"]}),
            # without the role
            ("pertti", 200, "GET", "/v1/users/pertti", None),
            ("pertti", 404, "GET", "/v1/users/kaisa", None),
            ("pertti", 403, "PATCH", "/v1/users/pertti", {"name": "X"}),
            ("pertti", 403, "POST", "/v1/users/pertti/invitation", None),
            ("pertti", 403, "POST", "/v1/users", {"id": "x", "org": "pirha", "name": "X", "roles": []}),
            ("aada", 404, "GET", "/v1/users/kaisa", None),
            # an administrator
            ("ylla", 403, "PATCH", "/v1/users/ylla", {"roles": ["admin", "auditor"]}),
            ("ylla", 403, "POST", "/v1/users", {"id": "x", "org": "hoiva-oy", "name": "X", "roles": ["admin"]})]:
        expect(a, status, method, path, body, user)
    same([u["id"] for u in a.json("/v1/users", "pertti")["users"]], ["pertti"])
    same([u["id"] for u in a.json("/v1/users", "kaisa")["users"]], ["aatu", "kaisa", "pertti"])
    same(a.json("/v1/users?org=lvv", "kaisa")["users"], [])
    check(len(a.json("/v1/users?limit=1000", "ylla")["users"]) == len(SEED["users"]) + 3, "all of them")
    # a page at a time is the same as all
    seen, cursor = [], ""
    while True:
        r = a.json("/v1/users?limit=4" + cursor, "ylla")
        seen += [u["id"] for u in r["users"]]
        if not r["next"]:
            break
        cursor = "&cursor=" + r["next"]
    same(seen, [u["id"] for u in a.json("/v1/users?limit=1000", "ylla")["users"]])
    # a stranger, and the operator's routes from outside
    for path in ("/v1/users", "/v1/users/ylla", "/v1/orgs/pirha/accounts", "/v1/orgs/pirha"):
        same(a.send("GET", path, None).status, 401)
    for path in ("/admin/users", "/admin/orgs/pirha/accounts"):
        same(a.get(path, "ylla").status, 404)
    # the last contact person: only those above can
    expect(a, 201, "POST", "/v1/users", {"id": "kalle", "org": "pirha", "name": "Kalle", "roles": ["contact"]}, "kaisa")
    expect(a, 200, "PATCH", "/v1/users/kalle", {"state": "active"}, "kaisa")
    expect(a, 200, "PATCH", "/v1/users/kaisa", {"roles": []}, "kalle")
    expect(a, 404, "GET", "/v1/users/kalle", None, "kaisa")
    expect(a, 200, "PATCH", "/v1/users/kalle", {"state": "closed", "reason": "x"}, "ylla")
    denied = [e for e in a.audit(kind="accounts") if e["kind"] == "accounts" and e["outcome"] == "denied"]
    check(any(e["principal"] == "kaisa" for e in denied), "refusals are logged")
    a.stop()


def test_accounts__what_is_wrong_is_named_field_by_field():
    a = world()
    user = {"id": "x", "org": "lvv", "name": "X", "roles": []}
    for change, want in [
            ({"id": None}, ("id", "required")), ({"id": "X y"}, ("id", "malformed")),
            ({"id": "operator"}, ("id", "malformed")), ({"id": "a" * 65}, ("id", "malformed")),
            ({"org": "nowhere"}, ("org", "unknown")), ({"roles": ["root"]}, ("roles", "unknown")),
            ({"roles": None}, ("roles", "required")), ({"name": ""}, ("name", "malformed")),
            ({"name": "A\nB"}, ("name", "malformed")), ({"name": "A\u202eB"}, ("name", "malformed")),
            ({"name": "A\u2066B"}, ("name", "malformed")), ({"name": "\u200b\u00a0"}, ("name", "malformed")),
            ({"name": "A\u0085B"}, ("name", "malformed")), ({"name": "x" * 201}, ("name", "malformed")),
            ({"name": "x" * 900000}, ("name", "malformed")), ({"name": ["X"]}, ("name", "malformed")),
            ({"email": "no"}, ("email", "malformed")), ({"email": "a@b\r\nBcc:c@d"}, ("email", "malformed")),
            ({"from": "2026-13-01"}, ("from", "malformed")), ({"state": "active"}, ("state", "unknown-field")),
            ({"from": "2026-02-01", "to": "2026-01-01"}, ("to", "range")),
            ({"password": "x"}, ("password", "unknown-field")), ({"😀" * 50: "x"}, ("😀" * 9, "unknown-field"))]:
        body = dict(user, **change)
        same(fault(a, "POST", "/v1/users", {k: v for k, v in body.items() if v is not None or k != "id"}), want)
    for change, want in [({"businessId": "1234567-2"}, ("businessId", "check-digit")),
                         ({"kind": "village"}, ("kind", "unknown")), ({"name": {"de": "X"}}, ("name", "malformed")),
                         ({"confirmEvery": 3}, ("confirmEvery", "range")),
                         ({"predecessors": ["varha"]}, ("predecessors", "own"))]:
        same(fault(a, "POST", "/v1/orgs", dict(NEW_ORG, **change)), want)
    same(fault(a, "PATCH", "/v1/orgs/pirha", {"kind": "ombudsman"}), ("kind", "fixed"))
    same(fault(a, "PATCH", "/v1/users/pertti", {"org": "lvv"}), ("org", "fixed"))
    expect(a, 409, "PATCH", "/v1/users/pertti", {"state": "invited"})
    for good in ("Ääkkönen 😀", "أمل", "דנה", "O’Brien-Žižek", "x" * 200, {"fi": "A", "sv": "B"}):
        expect(a, 200, "PATCH", "/v1/users/pertti", {"name": good}, "kaisa")
        same(a.json("/v1/users/pertti", "kaisa")["name"], good)
    same(a.send("POST", "/v1/users", "ylla", JSON, "[1]").status, 400)
    same(a.send("POST", "/v1/users", "ylla", JSON, '{"id":"x","id":"y"}').status, 400)
    same(a.send("POST", "/v1/users", "ylla", {"Content-Type": "text/plain"}, "{}").status, 415)
    same(a.get("/v1/users?state=dead", "ylla").status, 400)
    same(a.get("/v1/users?cursor=AAAA", "ylla").status, 400)
    a.stop()


def test_accounts__two_managers_do_not_overwrite_one_another():
    a = world()
    tag = expect(a, 200, "GET", "/v1/users/pertti", None, "kaisa").header("ETag")
    expect(a, 200, "PATCH", "/v1/users/pertti", {"name": "Ensin"}, "kaisa", If_Match=tag)
    expect(a, 412, "PATCH", "/v1/users/pertti", {"name": "Sitten"}, "ylla", If_Match=tag)
    expect(a, 400, "PATCH", "/v1/users/pertti", {"name": "Sitten"}, "ylla", If_Match="x")
    tag = a.get("/v1/orgs/pirha", "kaisa").header("ETag")
    expect(a, 200, "PATCH", "/v1/orgs/pirha", {"businessId": "0737546-2"}, "ylla", If_Match=tag)
    expect(a, 412, "PATCH", "/v1/orgs/pirha", {"businessId": None}, "ylla", If_Match=tag)
    # many at once: with the same tag one wins; without, all are kept
    tag = a.get("/v1/users/pertti", "kaisa").header("ETag")
    got = []

    def one(i):
        got.append(call(a, "PATCH", "/v1/users/pertti", {"name": "N%d" % i}, "kaisa" if i % 2 else "ylla",
                        If_Match=tag).status)

    threads = [threading.Thread(target=one, args=(i,)) for i in range(6)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    same(sorted(got), [200, 412, 412, 412, 412, 412])
    got.clear()
    fields = [("name", "Yhdessa"), ("email", "p@pirha.example"), ("from", "2020-01-01"), ("to", "2040-01-01")]
    threads = [threading.Thread(target=lambda f=f: got.append(
        call(a, "PATCH", "/v1/users/pertti", dict([f]), "kaisa").status)) for f in fields]
    [t.start() for t in threads]
    [t.join() for t in threads]
    same(got, [200] * 4)
    same({k: a.json("/v1/users/pertti", "kaisa")[k] for k, _ in fields}, dict(fields))
    # two contact persons that close each other: one is left
    expect(a, 201, "POST", "/v1/users", {"id": "kalle", "org": "pirha", "name": "Kalle", "roles": ["contact"]}, "kaisa")
    expect(a, 200, "PATCH", "/v1/users/kalle", {"state": "active"}, "kaisa")
    a.token("kalle")
    got.clear()
    pairs = [("kaisa", "kalle"), ("kalle", "kaisa")]
    threads = [threading.Thread(target=lambda p=p: got.append(
        call(a, "PATCH", "/v1/users/" + p[1], {"state": "closed", "reason": "x"}, p[0]).status)) for p in pairs]
    [t.start() for t in threads]
    [t.join() for t in threads]
    same(got.count(200), 1, got)
    a.stop()


def test_accounts__the_list_is_confirmed_as_it_was_looked_at():
    a = world()
    expect(a, 200, "PATCH", "/v1/orgs/pirha", {"confirmEvery": 90})
    r = expect(a, 200, "GET", "/v1/orgs/pirha/accounts", None, "kaisa")
    tag, people = r.header("ETag"), r.json()["accounts"]
    same([p["id"] for p in people], ["aatu", "kaisa", "pertti"])
    check(all(p["confirmBy"] for p in people), "a day for each")
    check(r.header("Arkki-Receipt"), "a look is logged")
    expect(a, 428, "POST", "/v1/orgs/pirha/confirmation", None, "kaisa")
    expect(a, 428, "POST", "/v1/orgs/pirha/confirmation", None, "kaisa", If_Match="*")
    expect(a, 400, "POST", "/v1/orgs/pirha/confirmation", None, "kaisa", If_Match="x")
    expect(a, 403, "POST", "/v1/orgs/pirha/confirmation", None, "pertti", If_Match=tag)
    expect(a, 200, "PATCH", "/v1/users/pertti", {"email": "pertti@pirha.example"}, "ylla")
    expect(a, 412, "POST", "/v1/orgs/pirha/confirmation", None, "kaisa", If_Match=tag)
    tag = expect(a, 200, "GET", "/v1/orgs/pirha/accounts", None, "kaisa").header("ETag")
    same(expect(a, 200, "POST", "/v1/orgs/pirha/confirmation", None, "kaisa", If_Match=tag).json()["confirmed"], 3)
    expect(a, 412, "POST", "/v1/orgs/pirha/confirmation", None, "kaisa", If_Match=tag)
    people = a.json("/v1/orgs/pirha/accounts", "kaisa")["accounts"]
    check(all(p["confirmed"] and "warned" not in p for p in people), people)
    a.stop()


def test_accounts__a_closed_account_keeps_its_past():
    a = world()
    doc = a.file("maija", publicity="public").id
    before = a.json("/v1/audit/access?principal=maija", "aada")["entries"]
    check(before is not None, "entries")
    a.get("/v1/documents/" + doc, "maija")
    moment = a.audit(principal="maija")[-1]["time"]
    expect(a, 200, "PATCH", "/v1/users/maija", {"state": "closed", "reason": "elakkeelle"}, "laila")
    same(a.get("/v1/documents/" + doc, "maija").status, 401)
    check(any(e["document"] == doc for e in a.audit(principal="maija")), "the access log")
    history = a.json("/v1/documents/%s/history" % doc, "risto")
    check("maija" in json.dumps(history), "the history of the document")
    # what it could then is decided again by what it was then
    ask = {"user": "maija", "action": "read", "document": doc}
    r = call(a, "POST", "/v1/policies/explain", dict(ask, at=moment), "aada")
    same(r.status, 200, r.body)
    same(r.json()["outcome"], "permit")
    same(call(a, "POST", "/v1/policies/explain", ask, "aada").status, 422)
    report = a.json("/v1/audit/replay?org=lvv&unit=koivula&at=" + moment, "aada")["report"]
    check(any("inspector" in r["roles"] for r in report["roles"]), report["roles"])
    later = a.json("/v1/audit/replay?org=lvv&unit=koivula&at=" + a.audit()[-1]["time"], "aada")["report"]
    check(not any("inspector" in r["roles"] for r in later["roles"]), later["roles"])
    # no seed brings it back
    seed = {"users": [u for u in SEED["users"] if u["id"] == "maija"]}
    path = a.top + "/again.json"
    with open(path, "w", encoding="utf-8") as f:
        json.dump(seed, f)
    p = a.run("load", a.dir, path)
    same(p.returncode, 1)
    check("closed" in p.stderr, p.stderr)
    a.stop()


def test_accounts__each_change_is_in_the_history_log():
    a = world()
    a.token("kaisa")
    n = len(a.audit(log="history"))
    expect(a, 200, "PATCH", "/v1/users/pertti", {"name": "P"}, "kaisa")
    expect(a, 201, "POST", "/v1/users/pertti/invitation", None, "kaisa")
    new = a.audit(log="history")[n:]
    same([(e["kind"], e["principal"]) for e in new], [("record", "kaisa"), ("invitation", "kaisa")])
    a.json("/v1/orgs/pirha/accounts", "kaisa")
    last = a.audit()[-1]
    looks = [e for e in a.audit() if e["kind"] == "accounts" and e["principal"] == "kaisa"]
    check(looks, last)
    a.stop()
    check("pertti" not in a.said() and "Kaisa" not in a.said(), "no names in the server's output")


# ---- the command line ----

def test_accounts__the_operator_does_it_all_without_a_server_and_beside_one():
    a = Archive()
    for served in (False, True):
        o, u = ("vaasa", "venla") if served else ("oulu", "olli")
        if served:
            a.serve()
        operator(a, "org", "add", a.dir, o, "--kind", "county", "--name", "Uusi alue", "--name-sv", "Ny",
                 "--business-id", "0737546-2", "--county", "17", "--county", "18", "--confirm-every", "90")
        check(o in operator(a, "org", "list", a.dir), "listed")
        operator(a, "org", "change", a.dir, o, "--name-en", "New", "--business-id", "")
        shown = operator(a, "org", "show", a.dir, o)
        check('"en": "New"' in shown and '"sv": "Ny"' in shown and "businessId" not in shown, shown)
        check('"confirmEvery": 90' in shown and '"17"' in shown and '"18"' in shown, shown)
        operator(a, "user", "add", a.dir, u, "--org", o, "--name", "Uusi", "--role", "contact", "--email", "u@x.example")
        link = operator(a, "user", "invite", a.dir, u).strip()
        check(link.startswith("/fi/join#") and len(link) > 40, link)
        operator(a, "user", "resume", a.dir, u)
        operator(a, "user", "change", a.dir, u, "--role", "contact", "--role", "inspector", "--name", "Toinen")
        line = operator(a, "user", "list", a.dir, "--org", o, "--state", "active")
        check("inspector,contact" in line and "Toinen" in line, line)
        check("2 accounts" not in operator(a, "org", "confirm", a.dir, o, "--user", u), "one")
        check("reason" in operator(a, "user", "suspend", a.dir, u, status=1), "needs a reason")
        operator(a, "user", "suspend", a.dir, u, "--reason", "loma")
        check("(loma)" in operator(a, "user", "list", a.dir, "--state", "suspended"), "why")
        operator(a, "user", "close", a.dir, u, "--reason", "loppu")
        check("for good" in operator(a, "user", "resume", a.dir, u, status=1), "closed is the end")
        same(operator(a, "user", "sweep", a.dir).strip(), "0 warned, 0 suspended")
    check("--kind" in operator(a, "org", "add", a.dir, status=2), "usage")
    check("arkki user list" in operator(a, "user", "show", a.dir, "nobody", status=1), "the mend")
    check("check digit" in operator(a, "org", "change", a.dir, "oulu", "--business-id", "0737546-1", status=1), "why")
    operator(a, "user", "show", a.dir, "../x", status=1)
    a.stop()


def test_accounts__emergency_access_is_seen_by_the_locked_out():
    a = world()
    n = len(a.audit(log="history"))
    why = "kaikki lukittuina ulos"
    usage = operator(a, "user", "emergency", a.dir, "pirha", "--user", "kaisa", status=2)
    check("--reason" in usage, usage)
    err = operator(a, "user", "emergency", a.dir, "pirha", "--user", "pertti", "--reason", why, status=1)
    check("--add" in err, err)
    operator(a, "user", "emergency", a.dir, "pirha", "--user", "maija", "--reason", why, "--add", "Maija", status=1)
    link = operator(a, "user", "emergency", a.dir, "pirha", "--user", "kaisa", "--reason", why).strip()
    check("/join#" in link, link)
    entries = [e for e in a.audit(log="history")[n:] if e["kind"] == "emergency-access"]
    same(len(entries), 1)
    same(entries[0]["principal"], "operator")
    people = {p["id"]: p for p in a.json("/v1/orgs/pirha/accounts", "kaisa")["accounts"]}
    same(people["kaisa"]["emergency"]["reason"], why)
    check("EMERGENCY" in operator(a, "org", "show", a.dir, "pirha"), "in the list")
    # somebody new, and somebody suspended whose old token stays dead
    a.get("/v1/me", "pertti")
    expect(a, 200, "PATCH", "/v1/users/pertti", {"state": "suspended", "reason": "x"}, "kaisa")
    operator(a, "user", "emergency", a.dir, "pirha", "--user", "uusi", "--reason", why, "--add", "Uusi Ihminen")
    operator(a, "user", "emergency", a.dir, "pirha", "--user", "pertti", "--reason", why, "--add", "Pertti")
    same(a.get("/v1/me", "pertti").status, 401, "the token of before")
    people = {p["id"]: p for p in a.json("/v1/orgs/pirha/accounts", "kaisa")["accounts"]}
    same([people[p]["state"] for p in ("pertti", "uusi")], ["active", "active"])
    # the people have looked: with the next confirmation it is gone from the list, not from the history
    tag = expect(a, 200, "GET", "/v1/orgs/pirha/accounts", None, "kaisa").header("ETag")
    expect(a, 200, "POST", "/v1/orgs/pirha/confirmation", None, "kaisa", If_Match=tag)
    check("emergency" not in str(a.json("/v1/orgs/pirha/accounts", "kaisa")), "confirmed")
    a.stop()
