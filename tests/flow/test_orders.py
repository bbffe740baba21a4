"""Orders: requirements out of documents. Who sees the document whole sees them; for everybody else there are none.
The documents, people, units and orders are made up."""

import datetime
import json
import os

from arkki_flow import SEED, Archive, check, same, world
from test_disposition import begun, approve, propose, run

GHOST = "0123456789abcdef" * 2
JSON = {"Content-Type": "application/json", "Accept-Language": "en"}


def send(w, method, path, user="maija", body=None, **headers):
    h = dict(JSON, **{k.replace("_", "-"): v for k, v in headers.items()})
    return w.send(method, path, user, h, None if body is None else json.dumps(body).encode())


def order(w, doc, user="maija", status=201, **fields):
    fields.setdefault("text", "Henkilöstöä on lisättävä.")
    r = send(w, "POST", "/v1/orders", user, dict(fields, document=doc))
    same(r.status, status, "order", r.body[:300])
    return r.json()


def change(w, one, user="maija", tag=None, **fields):
    if tag is None:
        tag = w.get("/v1/orders/" + one, user).header("ETag")
    return send(w, "PATCH", "/v1/orders/" + one, user, fields, If_Match=tag)


def ids(w, query="", user="maija", path="/v1/orders"):
    found, cursor = [], ""
    while True:
        r = w.json("%s?limit=3%s%s" % (path, query, cursor), user)
        found += [o["id"] for o in r["orders"]]
        if not r["next"]:
            return found
        cursor = "&cursor=" + r["next"]


def helsinki_today():
    """By the rule of the European Union: summer time from the last Sunday of March to that of October, at one o'clock UTC."""
    now = datetime.datetime.now(datetime.timezone.utc)

    def last_sunday(month):
        day = datetime.datetime(now.year, month, 31, 1, tzinfo=datetime.timezone.utc)
        return day - datetime.timedelta(days=(day.weekday() + 1) % 7)
    summer = last_sunday(3) <= now < last_sunday(10)
    return (now + datetime.timedelta(hours=3 if summer else 2)).date()


def test_orders__are_entered_read_verified_and_moved():
    w = Archive().serve()
    f = w.file(case="c1", publicity="secret")
    o = order(w, f.id, deadline="2031-09-30", ground="laki 741/2023, 39 §", matter="staffing")
    same([o[k] for k in ("document", "version", "units", "case", "state", "deadline", "author", "language", "evidence",
                         "overdue", "verifiedBy", "date", "recurrence")],
         [f.id, 1, ["koivula"], "c1", "open", "2031-09-30", "lvv", "fi", [], False, None, "2026-03-12",
          {"count": 1, "since": "2026-03-12"}])
    r = w.get("/v1/orders/" + o["id"])
    same([c["by"] for c in r.json()["changes"]], ["maija"])
    same({k: v for k, v in r.json().items() if k != "changes"}, o)
    same(change(w, o["id"], tag='"x"', state="met", reason="x").status, 412)
    same(send(w, "PATCH", "/v1/orders/" + o["id"], "maija", {"state": "met"}).status, 428)
    for bad in ({"state": "met"}, {"state": "lapsed"}, {"deadline": "2031-12-31"}, {"deadline": "2031-02-30", "reason": "x"},
                {"state": "overdue", "reason": "x"}, {"evidence": [GHOST], "state": "met"}, {"text": "x"}, {},
                {"evidence": "x"}, {"matter": "no-such", "reason": "x"}, {"state": "met", "reason": "\u202e"}):
        same(change(w, o["id"], **bad).status, 422, bad)
    moved = change(w, o["id"], deadline="2031-12-31", reason="pyydetty lisäaikaa")
    same((moved.status, moved.json()["deadline"]), (200, "2031-12-31"))
    same(change(w, o["id"], tag=r.header("ETag"), state="lapsed", reason="x").status, 412, "the tag is old")
    proof = w.file(title="Selvitys", type="account", publicity="secret")
    met = change(w, o["id"], tag=moved.header("ETag"), state="met", evidence=[proof.id])
    same([met.json()[k] for k in ("state", "evidence", "verifiedBy", "verifiedAt")],
         ["met", [proof.id], "maija", str(helsinki_today())])
    again = change(w, o["id"], state="open", reason="ei sittenkään").json()
    same((again["state"], again["verifiedBy"], again["verifiedAt"]), ("open", None, None))
    way = w.json("/v1/orders/" + o["id"])["changes"]
    same([(c["state"], c["deadline"], c["reason"]) for c in way],
         [("open", "2031-09-30", None), ("open", "2031-12-31", "pyydetty lisäaikaa"), ("met", "2031-12-31", None),
          ("open", "2031-12-31", "ei sittenkään")])
    w.stop()
    p = w.verify()
    same(p.returncode, 0, p.stdout, p.stderr)
    before = {k: v for k, v in again.items()}
    os.unlink(os.path.join(w.dir, "catalogue.sqlite"))
    w.serve()
    same({k: v for k, v in w.json("/v1/orders/" + o["id"]).items() if k != "changes"}, before, "a rebuild keeps it")


def test_orders__are_changed_by_those_of_the_document_alone():
    w = world()
    f = w.file(publicity="secret")
    o = order(w, f.id)
    same(order(w, f.id, "risto")["state"], "open")
    for user, status in (("helmi", 404), ("pertti", 403), ("aada", 403), ("ulla", 403), ("hanna", 403)):
        seen = w.get("/v1/documents/" + f.id, user).status == 200
        want = 403 if seen else 404
        same(send(w, "POST", "/v1/orders", user, {"document": f.id, "text": "x"}).status, want, user)
        same(w.get("/v1/orders/" + o["id"], user).status, 200 if seen else 404, user)
        same(send(w, "PATCH", "/v1/orders/" + o["id"], user, {"state": "lapsed", "reason": "x"}, If_Match="*").status, want,
             user)
    for bad in ({}, {"text": ""}, {"text": " \u200b"}, {"text": "x" * 4001}, {"text": "x", "deadline": "2026-13-01"},
                {"text": "x", "units": ["lehtola"]}, {"text": "x", "units": []}, {"text": "x", "case": "nocase"},
                {"text": "x", "matter": "nonesuch"}, {"text": "x", "ground": "a\nb"}, {"text": "x", "surprise": 1},
                {"text": "x", "language": "de"}, {"text": "x", "version": 0}, {"text": 7}):
        same(send(w, "POST", "/v1/orders", "maija", dict(bad, document=f.id)).status, 422, bad)
    same(send(w, "POST", "/v1/orders", "maija", {"document": f.id, "version": 9, "text": "x"}).status, 404)
    same(send(w, "POST", "/v1/orders", "maija", {"text": "x"}).status, 422)
    same(w.send("POST", "/v1/orders", "maija", {"Content-Type": "text/plain"}, b"{}").status, 415)
    hostile = '<script>alert("x")</script> \'; DROP TABLE -- \U0001f600 ../../'
    same(w.json("/v1/orders/" + order(w, f.id, text=hostile)["id"])["text"], hostile)


def test_orders__of_a_hidden_document_leave_no_trace():
    w = Archive().serve()
    public = order(w, w.file(date="2024-05-01").id, matter="restraint", deadline="2030-01-01")
    before = {u: (w.get("/v1/orders", u).body, w.get("/v1/units/koivula/orders", u).body,
                  w.get("/v1/orders/" + public["id"], u).body) for u in ("helmi", "hanna")}
    f = w.file(publicity="secret", state="draft", date="2023-01-01")
    hidden = order(w, f.id, matter="restraint", deadline="2020-01-01")
    same(w.json("/v1/orders/" + public["id"])["recurrence"], {"count": 2, "since": "2023-01-01"}, "for who sees both")
    change(w, public["id"], state="met", evidence=[f.id])
    same(w.json("/v1/orders/" + public["id"])["evidence"], [f.id])
    for user, (listed, of_unit, one) in before.items():
        r = w.json("/v1/orders/" + public["id"], user)
        same((r["evidence"], r["recurrence"]), ([], {"count": 1, "since": "2024-05-01"}), user)
        same(ids(w, user=user), [public["id"]], user)
        for query in ("&unit=koivula", "&matter=restraint", "&from=2019-01-01"):
            same(ids(w, query, user), [public["id"]], user, query)
        for query in ("&state=overdue", "&state=open", "&document=" + f.id, "&to=2021-01-01"):
            same(ids(w, query, user), [], user, query)
        for method, body in (("GET", None), ("PATCH", {"state": "met", "reason": "x"})):
            a = send(w, method, "/v1/orders/" + hidden["id"], user, body, If_Match="*")
            b = send(w, method, "/v1/orders/" + GHOST, user, body, If_Match="*")
            same((a.status, a.body.replace(hidden["id"].encode(), GHOST.encode())), (b.status, b.body), user, method)
            same(sorted(k for k, _ in a.headers), sorted(k for k, _ in b.headers), user)
        a = send(w, "POST", "/v1/orders", user, {"document": f.id, "text": "x"})
        b = send(w, "POST", "/v1/orders", user, {"document": GHOST, "text": "x"})
        same((a.status, a.body), (b.status, b.body))
    shown = [e for e in w.audit(principal="helmi") if e.get("document") == f.id and e["outcome"] == "ok"]
    same(shown, [], "what was not shown is not logged as shown")
    same({e["kind"] for e in w.audit(principal="helmi", document=public["document"])}, {"shown"})


def test_orders__are_overdue_from_the_day_after_in_helsinki():
    w = world()
    f = w.file(type="supervision-decision", units=["lehtola"])
    today = helsinki_today()
    made = {n: order(w, f.id, deadline=str(today + datetime.timedelta(days=n)))["id"] for n in (-1, 0, 1)}
    none = order(w, f.id)["id"]
    if helsinki_today() != today:
        return  # midnight went by
    same(ids(w, "&unit=lehtola"), [made[-1], made[0], made[1], none])
    same(ids(w, "&unit=lehtola&state=overdue"), [made[-1]])
    same(ids(w, "&unit=lehtola&from=%s&to=%s" % (today, today)), [made[0]])
    same(ids(w, "&unit=lehtola&county=91"), [])
    same(change(w, made[-1], state="lapsed", reason="toiminta päättyi").json()["overdue"], False)
    for bad in ("state=late", "from=x", "to=2026-02-30", "limit=0", "cursor=AAAA"):
        same(w.get("/v1/orders?" + bad).status, 400, bad)
    same(w.get("/v1/units/nounit/orders").status, 404)


def test_orders__follow_the_unit_across_owners_and_recur():
    seed = json.loads(json.dumps(SEED))
    seed["units"] += [{"id": "vanha-koivula", "name": {"fi": "Vanha Koivula"}, "county": "90"}]
    seed["units"][0]["predecessors"] = ["vanha-koivula"]
    w = Archive(seed=seed).serve()
    days = ("2022-10-01", "2024-01-01", "2026-02-01")
    one, two, three = [order(w, w.file(units=[u], date=d).id, matter="medication")["id"]
                       for u, d in zip(("vanha-koivula", "koivula", "koivula"), days)]
    other = order(w, w.file(units=["koivula"]).id, matter="premises")["id"]
    same([w.json("/v1/orders/" + o)["recurrence"] for o in (one, two, three, other)],
         [{"count": n + 1, "since": days[0]} for n in range(3)] + [{"count": 1, "since": "2026-03-12"}])
    same(sorted(ids(w, path="/v1/units/koivula/orders")), sorted([one, two, three, other]))
    same(ids(w, path="/v1/units/vanha-koivula/orders"), [one])
    same(sorted(ids(w, "&author=lvv&matter=medication")), sorted([one, two, three]))
    same(ids(w, "&author=pirha"), [])
    names = {m["id"]: m["name"] for m in w.json("/v1/matters")["matters"]}
    check("staffing" in names and all(set(n) == {"fi", "sv", "en"} for n in names.values()))
    w.stop()
    w.load({"matters": [{"id": "fire-safety", "name": {"fi": "paloturvallisuus", "sv": "brandsäkerhet", "en": "fire safety"}}]})
    w.serve()
    same(order(w, w.file().id, matter="fire-safety")["matter"], "fire-safety")


def test_orders__end_with_their_document():
    w = begun()
    f, kept = w.file(date="2026-03-12"), w.file(date="2031-01-01")
    o = order(w, f.id, text="Tulppaanimyrskymääräys", matter="records")
    change(w, o["id"], deadline="2031-01-01", reason="x")
    stays = order(w, kept.id, matter="records")["id"]
    same(propose(w, f.id).status, 201)
    same(approve(w, f.id).status, 200)
    run(w)
    same(w.get("/v1/orders/" + o["id"]).status, 404)
    same(ids(w), [stays])
    same(w.json("/v1/orders/" + stays)["recurrence"]["count"], 1)
    same(send(w, "POST", "/v1/orders", "maija", {"document": f.id, "text": "x"}).status in (404, 410), True)
    w.stop()
    p = w.verify()
    same(p.returncode, 0, p.stdout, p.stderr)
    os.unlink(os.path.join(w.dir, "catalogue.sqlite"))
    w.serve()
    same(ids(w), [stays], "its key is destroyed, not its row alone")
    w.stop()
    p = w.verify()
    same(p.returncode, 0, p.stdout, p.stderr)
