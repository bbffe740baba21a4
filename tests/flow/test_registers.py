"""The registers of units and cases: who enters and changes them, what is refused, what two people get who edit one record.

All names are invented.
"""

import json
import threading

from arkki_flow import Archive, check, same

JSON = {"Content-Type": "application/json"}

_archive = None


def world():
    global _archive
    if _archive is None:
        _archive = Archive().serve()
    return _archive


def send(w, method, path, user, body, etag=None):
    h = dict(JSON, **({"If-Match": etag} if etag else {}))
    return w.send(method, path, user, h, body if isinstance(body, (str, bytes)) else json.dumps(body))


def unit(**more):
    return dict({"name": {"fi": "Kivelä"}, "county": "90"}, **more)


def made(w, user="maija", **more):
    r = send(w, "POST", "/v1/units", user, unit(**more))
    same(r.status, 201, r.body[:300])
    same(r.header("Location"), "/v1/units/" + r.json()["id"])
    return r


FULL = {"name": {"fi": "Kivelän koti", "sv": "Stenbacka"}, "county": "90", "municipality": "091", "provider": "hoiva-oy",
        "serviceForm": "institution", "places": 7, "address": "Keksitty kuja 1, 00100 Helsinki", "from": "2020-01-01",
        "oids": [{"oid": "1.2.246.10.1234567.10.1", "from": "2020-01-01", "to": "2023-12-31"},
                 {"oid": "1.2.246.10.7654321.10.9", "from": "2024-01-01"}],
        "names": [{"name": {"fi": "Kiven koti"}, "from": "2020-01-01", "to": "2021-05-31"}],
        "providers": [{"provider": "kivi-oy", "from": "2020-01-01", "to": "2023-12-31"},
                      {"provider": "hoiva-oy", "from": "2024-01-01"}],
        "placesHistory": [{"places": 5, "from": "2020-01-01"}],
        "registration": {"state": "registered", "register": "soteri", "diaryNumber": "LVV/1/2024", "from": "2024-01-01"},
        "contacts": [{"name": "Malli Esimerkki", "phone": "000 000", "email": "malli@kivela.example"}],
        "languages": ["fi", "sv"], "expertise": ["neuropsykiatrinen tuki"], "predecessors": ["lehtola"],
        "sources": {"places": {"source": "soteri", "date": "2026-01-01"}, "expertise": {"source": "provider"}}}


def test_unit__keeps_all_that_is_known_of_it():
    w = world()
    r = made(w, **dict(FULL, id="kivela"))
    same(r.json(), dict(FULL, id="kivela"))
    got = w.get("/v1/units/kivela", "risto")
    same((got.json(), got.header("ETag")), (r.json(), r.header("ETag")))
    check(any(e["kind"] == "units" or e.get("record") for e in w.audit(log="history"))
          or w.audit(log="history")[-1], "each change is an entry of the history log")
    n = len(w.audit(log="history"))
    changed = send(w, "PUT", "/v1/units/kivela", "risto", dict(FULL, places=8), got.header("ETag"))
    same((changed.status, changed.json()["places"]), (200, 8), changed.body[:200])
    same(len(w.audit(log="history")), n + 1)
    again = send(w, "PUT", "/v1/units/kivela", "risto", dict(FULL, places=8), changed.header("ETag"))
    same(again.status, 200)
    same(len(w.audit(log="history")), n + 1, "nothing changed: nothing filed")
    same(w.json("/v1/units/kivela")["id"], "kivela", "the id need not be sent again")
    same({u["id"] for u in w.json("/v1/units?language=sv")["units"]}, {"kivela"})
    same({u["id"] for u in w.json("/v1/units?expertise=neuropsykiatrinen+tuki")["units"]}, {"kivela"})
    same(w.json("/v1/units?language=s")["units"], [])


def test_unit__shows_its_address_to_authorities_alone():
    w = Archive().serve()
    made(w, id="salattu", address="Keksitty kuja 2", provider="hoiva-oy")
    for user in ("maija", "pertti", "helmi", "aada"):
        same(w.json("/v1/units/salattu", user).get("address"), "Keksitty kuja 2", user)
    check("address" not in w.json("/v1/units/salattu", "hanna"), "the provider's contact person")
    check("Keksitty" not in w.get("/v1/units", "hanna").body.decode())
    check("Keksitty" in w.get("/v1/units", "maija").body.decode())
    same(w.stop(), 0)


def test_unit__is_kept_by_those_where_it_stands():
    w = Archive().serve()
    for user in ("helmi", "hanna", "aada", "oskari", "ulla", "sirpa", "aino"):
        same(send(w, "POST", "/v1/units", user, unit()).status, 403, user)
        same(send(w, "PUT", "/v1/units/koivula", user, unit(), w.get("/v1/units/koivula").header("ETag")).status, 403, user)
    made(w, "pertti", id="tampereella", county="91")
    same(send(w, "POST", "/v1/units", "pertti", unit(county="90")).status, 403, "of another county")
    tag = w.get("/v1/units/koivula").header("ETag")
    same(send(w, "PUT", "/v1/units/koivula", "pertti", unit(), tag).status, 403)
    tag = w.get("/v1/units/tampereella").header("ETag")
    same(send(w, "PUT", "/v1/units/tampereella", "pertti", unit(county="90"), tag).status, 403, "nor into another county")
    same(send(w, "PUT", "/v1/units/tampereella", "maija", unit(county="91", places=3), tag).status, 200, "the state agency")
    tag = w.get("/v1/units/tampereella").header("ETag")
    same(send(w, "PUT", "/v1/units/tampereella", "ylla", unit(county="91", places=4), tag).status, 200, "an administrator")
    same(send(w, "PUT", "/v1/units/olematon", "maija", unit(), tag).status, 404)
    token = send(w, "POST", "/v1/tokens", "maija", {"name": "luku", "scopes": ["read"], "days": 1}).json()["token"]
    same(w.send("POST", "/v1/units", None, JSON, json.dumps(unit()), token=token).status, 403, "a token for reading")
    same(w.stop(), 0)


BAD = [({"county": None}, "county"), ({"county": "k" * 17}, "county"), ({"county": 90}, "county"), ({"name": ""}, "name"),
       ({"name": {}}, "name"), ({"name": {"fi": 7}}, "name"), ({"name": "a\nb"}, "name"), ({"name": "x" * 501}, "name"),
       ({"name": {"fi": " \u200b"}}, "name"), ({"places": -1}, "places"), ({"places": "7"}, "places"), ({"places": 1.5}, "places"),
       ({"from": "2020-02-30"}, "from"), ({"from": "2021-01-01", "to": "2020-01-01"}, "to"),
       ({"oids": [{"oid": "1.2.246"}, {"oid": "3.1"}]}, "oids/1/oid"), ({"oids": [{"oid": "1.02"}]}, "oids/0/oid"),
       ({"oids": {"oid": "1.2"}}, "oids"), ({"oids": ["1.2"]}, "oids/0"), ({"names": [{"from": "2020-01-01"}]}, "names/0/name"),
       ({"names": [{"name": "x", "from": "2021-01-01", "to": "2020-01-01"}]}, "names/0/to"),
       ({"names": [{"name": "x", "why": "y"}]}, "names/0"), ({"providers": [{"provider": "Ei Käy"}]}, "providers/0/provider"),
       ({"registration": {"state": "perhaps"}}, "registration/state"), ({"registration": {}}, "registration/state"),
       ({"registration": "registered"}, "registration"), ({"contacts": [{"mail": "x"}]}, "contacts/0"),
       ({"languages": ["FI"]}, "languages"), ({"languages": "fi"}, "languages"), ({"expertise": [""]}, "expertise"),
       ({"expertise": ["x"] * 101}, "expertise"), ({"predecessors": ["olematon"]}, "predecessors"),
       ({"predecessors": ["koivula", 7]}, "predecessors"), ({"sources": {"nothing": {"source": "soteri"}}}, "sources"),
       ({"sources": {"places": {"source": "hearsay"}}}, "sources"), ({"sources": {"places": {"source": "soteri", "date": "x"}}}, "sources"),
       ({"provider": "Hoiva Oy"}, "provider"), ({"id": "Ei Käy"}, "id"), ({"id": 7}, "id"), ({"unknown": 1}, "unknown"),
       ({"address": ["x"]}, "address"), ({"vacancies": {"freePlaces": 1}}, "vacancies")]


def test_unit__is_refused_when_malformed():
    w = world()
    w.token("maija")
    before = len(w.audit(log="history"))
    for more, field in BAD:
        r = send(w, "POST", "/v1/units", "maija", unit(**more))
        same((r.status, r.fields() if r.status == 422 else r.body[:200]), (422, [field]), json.dumps(more)[:80])
    tag = w.get("/v1/units/koivula").header("ETag")
    same(send(w, "PUT", "/v1/units/koivula", "maija", unit(id="toinen"), tag).fields(), ["id"])
    same(send(w, "PUT", "/v1/units/koivula", "maija", unit(predecessors=["koivula"]), tag).fields(), ["predecessors"])
    for body, status in (("{", 400), ("[]", 400), ("", 400), ('{"name":"a","name":"b"}', 400), ("\xff", 400)):
        same(send(w, "POST", "/v1/units", "maija", body.encode("latin-1")).status, status, body)
    same(w.send("POST", "/v1/units", "maija", {"Content-Type": "text/plain"}, "{}").status, 415)
    same(send(w, "POST", "/v1/units", "maija", unit(id="koivula")).status, 409, "the id is taken")
    same(send(w, "POST", "/v1/units", "maija", unit(address="x" * 501)).fields(), ["address"])
    same(len(w.audit(log="history")), before, "nothing was filed")


HOSTILE = ["<script>alert(1)</script>", "\u202eikoK", "Koti\u0301 \U0001F3E0 \"'&;", "../../etc/passwd", "%s%n %00", "{{7*7}}", "' OR 1=1 --"]


def test_unit__may_be_called_anything_that_shows():
    w = world()
    for i, name in enumerate(HOSTILE):
        ident = made(w, name=name, provider="hoiva-oy").json()["id"]
        same(w.json("/v1/units/" + ident)["name"], name, "unchanged")
        r = w.get("/v1/units/%s/feed.atom" % ident)
        same(r.status, 200)
        check(b"<script>" not in r.body, "escaped")
        same(w.get("/fi/?unit=" + ident).status in (200, 303), True)


def test_unit__is_changed_on_what_was_read():
    w = world()
    made(w, id="kahden", places=1, address="A")
    tag = w.get("/v1/units/kahden", "maija").header("ETag")
    same(send(w, "PUT", "/v1/units/kahden", "maija", unit(places=2)).status, 428)
    same(send(w, "PUT", "/v1/units/kahden", "maija", unit(places=2), "x").status, 400)
    first = send(w, "PUT", "/v1/units/kahden", "maija", unit(places=2, serviceForm="institution"), tag)
    same(first.status, 200)
    second = send(w, "PUT", "/v1/units/kahden", "risto", unit(places=3), tag)
    same(second.status, 412)
    same(second.fields(), ["address", "places", "serviceForm"], "what the first has changed")
    same([e["detail"] for e in second.json()["errors"] if e["field"] == "places"], ["It is now 2."])
    same(w.json("/v1/units/kahden")["places"], 2)
    same(send(w, "PUT", "/v1/units/kahden", "risto", unit(places=3), '"%s"' % ("0" * 32)).status, 412)
    same(send(w, "PUT", "/v1/units/kahden", "risto", unit(places=3), first.header("ETag")).status, 200)


def test_unit__of_many_who_write_at_once_one_wins_each_time():
    w = world()
    made(w, id="kilpa", places=0)
    tag = w.get("/v1/units/kilpa").header("ETag")
    got = []

    def write(n):
        got.append(send(w, "PUT", "/v1/units/kilpa", "maija", unit(places=n), tag).status)
    threads = [threading.Thread(target=write, args=(n,)) for n in range(1, 9)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    same(sorted(got), [200] + [412] * 7)


def test_unit__survives_a_restart():
    w = Archive().serve()
    made(w, **dict(FULL, id="kivela"))
    send(w, "PUT", "/v1/units/kivela/vacancies", "hanna", {"freePlaces": 2})
    before = w.get("/v1/units/kivela")
    same(w.stop(), 0)
    w.serve()
    after = w.get("/v1/units/kivela")
    same((after.json(), after.header("ETag")), (before.json(), before.header("ETag")))
    same(w.stop(), 0)
    p = w.verify("--full")
    same(p.returncode, 0, p.stdout, p.stderr)


# ---- vacancies ----

def test_vacancies__are_told_by_the_provider_and_shown_with_their_time():
    w = Archive().serve()
    same(send(w, "PUT", "/v1/units/koivula/vacancies", "hanna", {"freePlaces": 2, "soonFree": 1, "dailyPrice": 312.5}).status, 200)
    got = w.json("/v1/units/koivula", "helmi")["vacancies"]
    same({k: got[k] for k in ("freePlaces", "soonFree", "dailyPrice", "org")},
         {"freePlaces": 2, "soonFree": 1, "dailyPrice": 312.5, "org": "hoiva-oy"})
    check(got["time"].startswith("20") and "by" not in got, got)
    same({u["id"] for u in w.json("/v1/units?free=true", "helmi")["units"]}, {"koivula"})
    same(len(w.json("/v1/units?free=false", "helmi")["units"]), 3)
    same(w.get("/v1/units?free=perhaps").status, 400)
    tag = w.get("/v1/units/koivula").header("ETag")
    same(send(w, "PUT", "/v1/units/koivula/vacancies", "maija", {"freePlaces": 0}).status, 200, "an authority")
    same(w.get("/v1/units/koivula").header("ETag"), tag, "the record is the same: who edits it is not disturbed")
    same(w.json("/v1/units?free=true", "helmi")["units"], [])
    same(w.json("/v1/units/koivula")["vacancies"].get("soonFree"), None, "what is told last is all")
    for user in ("helmi", "aada", "ulla", "pertti", "aino"):
        same(send(w, "PUT", "/v1/units/koivula/vacancies", user, {"freePlaces": 1}).status, 403, user)
    for body in ({}, {"freePlaces": -1}, {"freePlaces": "2"}, {"freePlaces": 1.5}, {"dailyPrice": -1}, {"time": "2020-01-01"},
                 {"freePlaces": 1, "by": "toinen"}, {"dailyPrice": 1e9}):
        same(send(w, "PUT", "/v1/units/koivula/vacancies", "hanna", body).status, 422, body)
    same(send(w, "PUT", "/v1/units/olematon/vacancies", "hanna", {"freePlaces": 1}).status, 404)
    made(w, id="muiden", provider="toinen-oy")
    same(send(w, "PUT", "/v1/units/muiden/vacancies", "hanna", {"freePlaces": 1}).status, 403, "another provider's unit")
    same(w.stop(), 0)


# ---- cases ----

def opened(w, user="maija", **more):
    r = send(w, "POST", "/v1/cases", user, dict({"units": ["koivula"], "kind": "inspection"}, **more))
    same(r.status, 201, r.body[:300])
    return r


def test_case__goes_its_way():
    w = world()
    r = opened(w, diaryNumber="LVV/77/2026", opened="2026-01-02")
    path = r.header("Location")
    same({k: r.json()[k] for k in ("org", "state", "opened")}, {"org": "lvv", "state": "opened", "opened": "2026-01-02"})
    tag = r.header("ETag")
    for state in ("heard", "decided", "follow-up"):
        r = send(w, "PATCH", path, "risto", {"state": state}, tag)
        same((r.status, r.json()["state"]), (200, state))
        tag = r.header("ETag")
    r = send(w, "PATCH", path, "risto", {"state": "closed"}, tag)
    same((r.status, len(r.json()["closed"])), (200, 10), "closing sets its last day")
    tag = r.header("ETag")
    same(send(w, "PATCH", path, "risto", {"kind": "complaint"}, tag).status, 409, "a closed case does not change")
    r = send(w, "PATCH", path, "risto", {"closed": "2026-02-01"}, tag)
    same((r.status, r.json()["closed"]), (200, "2026-02-01"), "but in its last day")
    r = send(w, "PATCH", path, "risto", {"state": "follow-up", "kind": "complaint"}, r.header("ETag"))
    same((r.status, r.json()["kind"], "closed" in r.json()), (200, "complaint", False), "opened again")
    r = send(w, "PATCH", path, "risto", {"diaryNumber": None}, r.header("ETag"))
    same((r.status, "diaryNumber" in r.json()), (200, False))
    same(w.get(path).header("ETag"), r.header("ETag"))


def test_case__is_refused_when_malformed():
    w = world()
    opened(w, diaryNumber="LVV/78/2026")
    for more, field in (({"units": ["olematon"]}, "units"), ({"units": "koivula"}, "units"), ({"org": "olematon"}, "org"),
                        ({"state": "done"}, "state"), ({"opened": "x"}, "opened"),
                        ({"opened": "2026-02-01", "closed": "2026-01-01"}, "closed"), ({"diaryNumber": ""}, "diaryNumber"),
                        ({"diaryNumber": "LVV/78/2026"}, "diaryNumber"), ({"colour": "red"}, "colour"), ({"id": "X"}, "id")):
        r = send(w, "POST", "/v1/cases", "maija", dict({"units": ["koivula"]}, **more))
        same((r.status, r.fields() if r.status == 422 else r.body[:200]), (422, [field]), more)
    same(send(w, "POST", "/v1/cases", "maija", {"id": "c1", "units": ["koivula"]}).status, 409)
    r = opened(w)
    path, tag = r.header("Location"), r.header("ETag")
    for body, field in (({"org": "pirha"}, "org"), ({"id": "x"}, "id"), ({"opened": "2199-01-01", "closed": "2026-01-01"}, "closed")):
        same(send(w, "PATCH", path, "maija", body, tag).fields(), [field], body)
    same(send(w, "PATCH", path, "maija", {"state": "heard"}).status, 428)


def test_case__is_kept_by_those_who_may_file_in_it():
    w = Archive().serve()
    for user in ("helmi", "hanna", "aada", "aino", "kone"):
        same(send(w, "POST", "/v1/cases", user, {"units": ["koivula"]}).status, 403, user)
    same(send(w, "POST", "/v1/cases", "pertti", {"units": ["koivula"]}).status, 403, "a unit of another county")
    same(send(w, "POST", "/v1/cases", "pertti", {"units": ["mantyla"], "org": "lvv"}).status, 403, "for another organisation")
    same(send(w, "POST", "/v1/cases", "maija", {"units": ["koivula"], "org": "esavi"}).status, 201, "for the one that it followed")
    r = opened(w, "pertti", units=["mantyla"])
    path, tag = r.header("Location"), r.header("ETag")
    same(send(w, "PATCH", path, "pertti", {"units": ["koivula"]}, tag).status, 403, "nor is it moved there")
    same(send(w, "PATCH", path, "maija", {"state": "heard"}, tag).status, 403, "seen, but another organisation's")
    same(send(w, "PATCH", path, "helmi", {"state": "heard"}, tag).status, 404, "not seen")
    same(send(w, "PATCH", path, "ulla", {"state": "heard"}, tag).status, 404, "not seen: a unit of another county")
    same(send(w, "PATCH", "/v1/cases/olematon", "ulla", {"state": "heard"}, tag).status, 404)
    same(send(w, "PATCH", path, "ulla", "{", tag).body, send(w, "PATCH", "/v1/cases/olematon", "ulla", "{", tag).body)
    same(send(w, "PATCH", path, "ylla", {"state": "heard"}, tag).status in (200, 404), True)
    same(w.stop(), 0)


def test_case__of_two_who_edit_it_the_second_is_told_what_changed():
    w = world()
    r = opened(w)
    path, tag = r.header("Location"), r.header("ETag")
    same(send(w, "PATCH", path, "maija", {"state": "heard", "diaryNumber": "LVV/90/2026"}, tag).status, 200)
    second = send(w, "PATCH", path, "risto", {"kind": "complaint"}, tag)
    same((second.status, second.fields()), (412, ["diaryNumber", "state"]))
    same(w.json(path)["kind"], "inspection")
