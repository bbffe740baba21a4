"""What happened at a unit: under the caller's sight, of its line, in pages, as a feed.

All names are invented.
"""

import copy
import json
import re
import urllib.parse
import xml.etree.ElementTree as ET

from arkki_flow import SEED, Archive, check, same

UNITS = [
    {"id": "vanha", "name": {"fi": "Vanha Lehto"}, "provider": "hoiva-oy", "county": "90", "to": "2021-12-31"},
    {"id": "uusi", "name": {"fi": "Uusi Lehto"}, "provider": "hoiva-oy", "county": "90", "from": "2022-01-01",
     "predecessors": ["vanha"],
     "names": [{"name": {"fi": "Lehdon koti"}, "from": "2022-01-01", "to": "2023-05-31"}],
     "providers": [{"provider": "kuusi-oy", "from": "2022-01-01", "to": "2024-06-30"},
                   {"provider": "hoiva-oy", "from": "2024-07-01"}],
     "placesHistory": [{"places": 5, "from": "2022-01-01", "to": "2024-12-31"}, {"places": 7, "from": "2025-01-01"}],
     "registration": {"state": "registered", "register": "soteri", "diaryNumber": "LVV/9/2024", "from": "2024-02-01"}},
    {"id": "uusin", "name": {"fi": "Uusin Lehto"}, "county": "90", "predecessors": ["uusi"], "from": "2026-02-01"},
    {"id": "sisar", "name": {"fi": "Sisar"}, "county": "90", "predecessors": ["vanha"]},
    {"id": "keha-a", "name": {"fi": "Kehä A"}, "county": "90", "predecessors": ["keha-b"], "from": "2020-01-01"},
    {"id": "keha-b", "name": {"fi": "Kehä B"}, "county": "90", "predecessors": ["keha-a"], "from": "2020-01-01"},
    {"id": "muualla", "name": {"fi": "Muualla"}, "county": "91", "provider": "toinen-oy"},
]
CASES = [
    {"id": "avoin", "diaryNumber": "LVV/50/2025", "kind": "inspection", "units": ["uusi"], "org": "lvv",
     "opened": "2025-03-01", "closed": "2025-09-01", "state": "closed"},
    {"id": "vieras", "diaryNumber": "PIR/8/2025", "kind": "inspection", "units": ["muualla"], "org": "pirha",
     "opened": "2025-03-02"},
]


def own():
    seed = copy.deepcopy(SEED)
    seed["units"] += UNITS
    seed["cases"] += CASES
    return Archive(seed=seed, origin="aikajana.test").serve()


_archive = None


def shared():
    global _archive
    if _archive is None:
        _archive = own()
    return _archive


def events(w, unit, user="maija", **query):
    """All pages."""
    got, cursor = [], None
    for _ in range(100):
        q = dict({k.rstrip("_"): v for k, v in query.items()}, **({"cursor": cursor} if cursor else {}))
        r = w.json("/v1/units/%s/timeline?%s" % (unit, urllib.parse.urlencode(q)), user)
        got += r["events"]
        cursor = r["next"]
        if not cursor:
            return got
    raise AssertionError("the timeline does not end")


def brief(list_):
    return [(e["date"], e["kind"], e.get("document") or e.get("case") or e["unit"]) for e in list_]


def test_timeline__tells_what_the_register_says():
    w = shared()
    got = [e for e in events(w, "uusi") if e["kind"] not in ("document", "visit")]
    said = {(e["date"], e["kind"]): e for e in got}
    same(said["2024-07-01", "provider"]["provider"], "hoiva-oy")
    same(said["2022-01-01", "provider"]["provider"], "kuusi-oy")
    same(said["2022-01-01", "name"]["name"], {"fi": "Lehdon koti"})
    same(said["2023-06-01", "name"]["name"], {"fi": "Uusi Lehto"}, "the present name began when the earlier one ended")
    same(said["2025-01-01", "places"]["places"], 7)
    same((said["2024-02-01", "registration"]["state"], said["2024-02-01", "registration"]["diaryNumber"]),
         ("registered", "LVV/9/2024"))
    same(said["2022-01-01", "predecessor"]["predecessor"], "vanha")
    case = said["2025-03-01", "case-opened"]
    same((case["case"], case["diaryNumber"], case["org"], case["caseKind"]), ("avoin", "LVV/50/2025", "lvv", "inspection"))
    same(said["2025-09-01", "case-closed"]["case"], "avoin")
    days = [e["date"] for e in got]
    same(days, sorted(days, reverse=True), "newest first")


def test_timeline__of_a_unit_has_the_past_of_its_predecessor():
    w = own()
    old = w.file(units=["vanha"], date="2019-05-05", title="Vanhan kertomus").id
    mid = w.file(units=["uusi"], date="2023-05-05").id
    new = w.file(units=["uusin"], date="2026-05-05").id
    side = w.file(units=["sisar"], date="2023-06-06").id
    both = w.file(units=["vanha", "uusi"], date="2021-12-31", type="memo").id
    w.file(units=["lehtola"], date="2023-07-07")

    def documents(unit):
        return [(e["document"], e["unit"]) for e in events(w, unit) if e["kind"] == "document"]
    same(documents("uusi"), [(new, "uusin"), (mid, "uusi"), (both, "uusi"), (old, "vanha")], "a line, and each once")
    same(documents("uusin"), [(new, "uusin"), (mid, "uusi"), (both, "uusi"), (old, "vanha")])
    same(documents("vanha"), [(new, "uusin"), (side, "sisar"), (mid, "uusi"), (both, "vanha"), (old, "vanha")])
    same(documents("sisar"), [(side, "sisar"), (both, "vanha"), (old, "vanha")], "not what others made of the same past")
    same(len(events(w, "keha-a")), len(events(w, "keha-b")), "a loop ends")
    same(w.stop(), 0)


def test_timeline__shows_nothing_of_hidden_documents():
    w = own()
    before = {u: events(w, "koivula", u) for u in ("helmi", "hanna", "pertti")}
    secret = w.file(type="memo", publicity="secret", date="2026-01-05", title="Salainen", visitDate="2026-01-04").id
    draft = w.file(state="draft", date="2026-01-06", title="Luonnos").id
    to_come = w.file(type="supervision-plan", publicity="public", date="2026-01-07", visitDate="2199-01-01",
                     title="Tuleva käynti").id
    for user in ("helmi", "hanna"):
        same(events(w, "koivula", user), before[user], user)
        same([x for x in w.audit(principal=user) if x.get("document")], [], "and nothing is logged as shown", user)
        for ident in (secret, draft, to_come):
            check(ident not in w.get("/v1/units/koivula/feed.atom", user).body.decode(), user, "feed")
    same([e["document"] for e in events(w, "koivula", "pertti") if e["kind"] == "visit"], [to_come, secret],
         "a county that has placed a child there sees secret ones and visits to come")
    same({e["document"] for e in events(w, "koivula", "maija") if "document" in e}, {secret, draft, to_come})
    check(draft not in {e.get("document") for e in events(w, "koivula", "pertti")}, "somebody else's draft")
    same(w.stop(), 0)


def test_timeline__of_a_public_rendition_tells_no_case_and_no_visit():
    w = own()
    f = w.file(publicity="secret", title="Salainen nimi", publicTitle="Julkinen nimi", case="c1", date="2026-01-05",
               visitDate="2026-01-04")
    same([e for e in events(w, "koivula", "helmi") if "document" in e], [])
    r = w.send("PUT", "/v1/documents/%s/versions/1/renditions/public" % f.id, "maija", {"Content-Type": "text/plain"},
               b"julkinen osa\n")
    same(r.status, 201, r.body[:300])
    got = [e for e in events(w, "koivula", "helmi") if "document" in e]
    same([(e["kind"], e["title"]) for e in got], [("document", "Julkinen nimi")])
    check("case" not in got[0] and got[0]["publicity"] == {"class": "secret"}, got)
    whole = [e for e in events(w, "koivula") if "document" in e]
    same([(e["kind"], e["title"], e["case"]) for e in whole],
         [("document", "Salainen nimi", "c1"), ("visit", "Salainen nimi", "c1")])
    same(w.stop(), 0)


def test_timeline__shows_no_case_of_others():
    w = shared()
    same([e["case"] for e in events(w, "muualla", "pertti") if "case" in e], ["vieras"])
    for user in ("helmi", "hanna", "ulla"):
        same([e for e in events(w, "muualla", user) if "case" in e], [], user)
    same([e for e in events(w, "uusi", "helmi") if "case" in e], [])


def test_timeline__pages_neither_repeat_nor_skip():
    w = own()
    for i in range(23):
        more = {"visitDate": "2024-03-%02d" % (1 + i % 3)} if i % 2 else {}
        w.file(units=["uusi"], type="memo", date="2024-03-%02d" % (1 + i % 4), **more)
    all_ = events(w, "uusi", limit=200)
    check(len(all_) > 40, len(all_))
    for limit in (1, 3, 10):
        same(events(w, "uusi", limit=limit), all_, limit)
    first = w.json("/v1/units/uusi/timeline?limit=10")
    w.file(units=["uusi"], type="memo", date="2026-06-06")
    second = w.json("/v1/units/uusi/timeline?limit=10&cursor=" + first["next"])
    same(second["events"], all_[10:20], "what is filed meanwhile moves no page")
    same(w.stop(), 0)


def test_timeline__is_filtered_by_kind_and_day():
    w = own()
    memo = w.file(units=["uusi"], type="memo", date="2024-03-01", visitDate="2024-02-20").id
    report = w.file(units=["uusi"], date="2024-04-01").id
    same(brief(events(w, "uusi", kind="memo")), [("2024-03-01", "document", memo), ("2024-02-20", "visit", memo)])
    same(brief(events(w, "uusi", kind="visit")), [("2024-02-20", "visit", memo)])
    same(brief(events(w, "uusi", kind="document", from_="2024-03-02")), [("2024-04-01", "document", report)])
    same({e["kind"] for e in events(w, "uusi", kind="provider")}, {"provider"})
    same(brief(events(w, "uusi", from_="2024-02-20", to="2024-03-01")),
         [("2024-03-01", "document", memo), ("2024-02-20", "visit", memo)])
    for q in ("kind=runo", "from=2024", "to=x", "cursor=AAAA", "limit=0", "limit=x"):
        same(w.get("/v1/units/uusi/timeline?" + q).status, 400, q)
    other = w.json("/v1/documents?limit=1")["next"]
    if other:
        same(w.get("/v1/units/uusi/timeline?cursor=" + other).status, 400, "a cursor of another list")
    same(w.get("/v1/units/olematon/timeline").status, 404)
    same(w.get("/v1/units/olematon/feed.atom").status, 404)
    same(w.stop(), 0)


def test_timeline__logs_each_document_that_it_shows_before_it_does():
    w = own()
    a, b = [w.file(units=["uusi"], type="memo", date="2024-03-0%d" % i, visitDate="2024-03-0%d" % i).id for i in (1, 2)]
    w.get("/v1/units/uusi/timeline?limit=2&from=2024-02-01&to=2024-03-30", "sirpa")
    got = [(e["kind"], e.get("document"), e.get("version")) for e in w.audit(principal="sirpa")]
    same(got, [("list", None, None), ("shown", b, 1)], "both events of it are of one document")
    w.get("/v1/units/uusi/timeline?limit=3&from=2024-02-01&to=2024-03-30", "sirpa")
    got = [(e["kind"], e.get("document"), e.get("version")) for e in w.audit(principal="sirpa")]
    same(got[2:], [("list", None, None), ("shown", b, 1), ("shown", a, 1)])
    w.get("/v1/units/uusi/timeline?limit=1&kind=document", "sirpa")
    same([e["document"] for e in w.audit(principal="sirpa") if e["kind"] == "shown"][3:], [b], "a page logs its own alone")
    r = w.get("/v1/units/uusi/timeline", "sirpa")
    check(r.header("Arkki-Receipt"), "a receipt")
    same(w.stop(), 0)


def test_timeline__new_is_what_was_filed_since_the_last_look():
    w = own()
    w.file(units=["uusi"], date="2024-01-01")
    same([e["new"] for e in events(w, "uusi", kind="document")], [False], "who never looked has nothing new")
    w.get("/v1/units/uusi/timeline?look=true")
    b = w.file(units=["uusi"], date="2023-01-01").id
    old = w.file(units=["vanha"], date="2019-01-01").id
    want = {b, old}
    same({e["document"] for e in events(w, "uusi", kind="document") if e["new"]}, want)
    same({e["document"] for e in events(w, "uusi", kind="document") if e["new"]}, want, "looking by a program moves nothing")
    same([e for e in events(w, "uusi", "sirpa", kind="document") if e["new"]], [], "each account has its own mark")
    same([e for e in events(w, "uusin", kind="document") if e["new"]], [], "and each unit")
    w.send("HEAD", "/v1/units/uusi/timeline?look=true")
    same({e["document"] for e in events(w, "uusi", kind="document") if e["new"]}, want, "nor does HEAD")
    w.get("/v1/units/uusi/timeline?look=true")
    same([e for e in events(w, "uusi", kind="document") if e["new"]], [])
    same(w.stop(), 0)


ATOM = "{http://www.w3.org/2005/Atom}"


def test_feed__is_atom_of_what_was_filed_last():
    w = own()
    title = "Kertomus <b>&amp; \"ääni\"</b> ]]>"
    a = w.file(units=["uusi"], date="2024-03-01", title=title).id
    b = w.file(units=["uusi"], date="2001-01-01", type="memo", visitDate="2001-01-02").id
    r = w.get("/v1/units/uusi/feed.atom")
    same((r.status, r.header("Content-Type")), (200, "application/atom+xml; charset=utf-8"))
    feed = ET.fromstring(r.body)
    same(feed.tag, ATOM + "feed")
    entries = feed.findall(ATOM + "entry")
    ids = [e.find(ATOM + "id").text for e in entries]
    same(len(ids), len(set(ids)), "ids are unique", ids)
    same(ids[:2], ["urn:arkki:document:%s:1" % b, "urn:arkki:document:%s:1" % a], "by filing")
    same(entries[1].find(ATOM + "title").text, title)
    times = [e.find(ATOM + "updated").text for e in entries]
    check(all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", t) for t in times), times)
    same(feed.find(ATOM + "updated").text, times[0])
    titles = [e.find(ATOM + "title").text for e in entries]
    check("Jatkaa yksikköä Vanha Lehto" in titles and "Palveluntuottaja: Hoiva Oy" in titles, titles)
    same({e["document"] for e in w.audit(principal="maija") if e["kind"] == "shown"}, {a, b})
    same(w.stop(), 0)


def order_of(w, document, **more):
    body = {"document": document, "version": 1, "text": "Lisätkää henkilöstöä.", "language": "fi",
            "ground": "laki 741/2023", **more}
    r = w.send("POST", "/v1/orders", "maija", {"Content-Type": "application/json"}, json.dumps(body))
    same(r.status, 201, r.body[:400])
    return r.json()["id"]


def test_timeline__has_orders_and_deadlines_of_documents_that_are_seen():
    w = own()
    f = w.file(units=["vanha"], date="2020-03-01", publicity="secret")
    order = order_of(w, f.id, deadline="2199-09-30")
    got = [(e["date"], e["kind"], e["order"]["id"], e["document"]) for e in events(w, "uusi") if "order" in e]
    same(got, [("2199-09-30", "deadline", order, f.id), ("2020-03-01", "order", order, f.id)], "across owners")
    same([e for e in events(w, "uusi", "helmi") if "order" in e], [])
    w.get("/v1/units/uusi/timeline?kind=deadline", "sirpa")
    same([e["document"] for e in w.audit(principal="sirpa") if e["kind"] == "shown"], [f.id], "its document is logged")
    feed = w.get("/v1/units/uusi/feed.atom").body.decode()
    same(feed.count("Lisätkää henkilöstöä."), 1, "once, and no deadline to come")
    same(w.stop(), 0)
