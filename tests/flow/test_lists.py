"""Lists with paging, the registers, the changes."""

import threading
import time
import urllib.parse

from arkki_flow import Archive, check, same, world


def pages(w, url, name="documents", user="maija"):
    got, cursor = [], None
    for _ in range(200):
        u = url + ("&cursor=" + urllib.parse.quote(cursor) if cursor else "")
        r = w.json(u, user)
        got.append(r[name])
        cursor = r["next"]
        if not cursor:
            return got
    raise AssertionError("the list does not end")


def test_list__is_walked_while_filing_goes_on():
    w = world()
    there = [w.file(type="memo", date="2025-%02d-%02d" % (1 + i % 12, 1 + i % 28)).id for i in range(60)]
    stop = threading.Event()

    def more():
        while not stop.is_set():
            w.file(type="memo", date="2025-06-15")
    t = threading.Thread(target=more)
    t.start()
    try:
        for limit in (7, 20, 100):
            got = pages(w, "/v1/documents?type=memo&to=2025-12-31&limit=%d" % limit)
            flat = [d["id"] for p in got for d in p]
            same(len(flat), len(set(flat)), "nothing twice")
            same(set(there) - set(flat), set(), "nothing left out")
            dates = [d["date"] for p in got for d in p]
            same(dates, sorted(dates, reverse=True), "newest first")
            check(all(len(p) == limit for p in got[:-1]), "full pages")
    finally:
        stop.set()
        t.join()


def test_list__filters():
    w = world()
    a = w.file(type="opinion", date="2001-05-05", units=["koivula"], case="c1").id
    b = w.file(type="opinion", date="2001-05-06", units=["lehtola"]).id
    for q, want in (("type=opinion&from=2001-05-05&to=2001-05-06", {a, b}), ("type=opinion&from=2001-01-01&to=2001-05-05", {a}),
                    ("type=opinion&from=2001-05-06&to=2001-05-06", {b}), ("unit=koivula&from=2001-01-01&to=2001-12-31", {a}),
                    ("case=c1&from=2001-01-01&to=2001-12-31", {a}), ("unit=nowhere", set()), ("case=nocase", set()),
                    ("type=poem", set())):
        same({d["id"] for p in pages(w, "/v1/documents?limit=100&" + q) for d in p}, want, q)
    same({d["id"] for p in pages(w, "/v1/units/lehtola/documents?limit=100&from=2001-01-01&to=2001-12-31") for d in p}, {b})


def test_list__bad_queries_are_400():
    w = world()
    for q in ("limit=0", "limit=x", "limit=-1", "limit=", "cursor=x", "from=2025", "to=x", "limit=1&limit=2",
              "cursor=" + "A" * 900, "type=%ff"):
        same(w.get("/v1/documents?" + q).status, 400, q)
    same(len(w.json("/v1/documents?limit=101")["documents"]) <= 100, True)
    c = w.json("/v1/documents?limit=1")["next"]
    same(w.get("/v1/units?cursor=" + c).status, 400, "a cursor of another list")
    same(w.get("/v1/documents?limit=1&cursor=" + c[:-1]).status, 400, "a cut cursor")


def test_list__of_an_unknown_unit_is_404():
    w = world()
    same(w.get("/v1/units/nowhere/documents").status, 404)
    same(w.get("/v1/units/nowhere").status, 404)
    same(w.get("/v1/cases/nocase/documents").status, 404)


def test_registers__show_what_was_loaded():
    w = world()
    u = w.json("/v1/units/koivula", "helmi")
    same((u["county"], u["provider"], u["places"], u["name"]), ("90", "hoiva-oy", 7, {"fi": "Koivula"}))
    same([x["id"] for x in w.json("/v1/units?county=91", "helmi")["units"]], ["mantyla"])
    got = [x["id"] for p in pages(w, "/v1/units?limit=1", "units") for x in p]
    same(got, ["koivula", "lehtola", "mantyla"])
    same(w.json("/v1/cases/c1")["diaryNumber"], "LVV/1234/2026")
    check("eoa" in [o["id"] for o in w.json("/v1/orgs")["orgs"]])
    check("inspection-report" in [t["id"] for t in w.json("/v1/types")["types"]])
    me = w.json("/v1/me", "aada")
    same((me["user"]["id"], me["org"]["id"]), ("aada", "eoa"))
    same((me["may"]["audit"], me["may"]["file"], me["may"]["administer"]), (True, False, False))


def test_changes__tell_what_was_filed():
    w = world()
    start = drain(w, "maija")
    a = w.file().id
    w.version(a, b"toinen\n")
    w.patch(a, {"title": "z"})
    s = w.file(publicity="partly-secret").id
    got, after = follow(w, "maija", start)
    same([(c["document"], c["version"]) for c in got], [(a, 1), (a, 2), (a, 2), (s, 1)])
    check(all(c["time"].endswith("Z") and c["kind"] for c in got), got)
    same(w.json("/v1/changes?after=" + after)["changes"], [])
    got, _ = follow(w, "helmi", start)
    check(s not in [c["document"] for c in got], "helmi")
    for q in ("after=x", "wait=x", "wait=-1", "limit=0"):
        same(w.get("/v1/changes?" + q).status, 400, q)


def drain(w, user):
    return follow(w, user, "")[1]


def follow(w, user, after):
    got = []
    while True:
        r = w.json("/v1/changes?limit=3&after=" + after, user)
        got += r["changes"]
        if not r["changes"]:
            return got, r["next"]
        after = r["next"]


def test_changes__long_poll_answers_promptly():
    w = world()
    w.token("helmi")
    after = {u: drain(w, u) for u in ("maija", "helmi")}
    answers = {}

    def poll(user):
        start = time.monotonic()
        r = w.json("/v1/changes?wait=3&after=" + after[user], user)
        answers[user] = (time.monotonic() - start, r["changes"])
    ts = [threading.Thread(target=poll, args=(u,)) for u in after]
    [t.start() for t in ts]
    time.sleep(0.4)
    s = w.file(publicity="partly-secret").id
    [t.join() for t in ts]
    took, got = answers["maija"]
    same([c["document"] for c in got], [s])
    check(0.3 < took < 1.5, "promptly", took)
    took, got = answers["helmi"]
    same(got, [])
    check(2.5 < took < 4.5, "a hidden filing does not end the wait", took)


def test_changes__many_wait_at_once():
    w = world()
    w.token("maija")
    after = drain(w, "maija")
    got = []
    ts = [threading.Thread(target=lambda: got.append(w.json("/v1/changes?wait=20&after=" + after)["changes"]))
          for _ in range(60)]
    [t.start() for t in ts]
    time.sleep(0.5)
    a = w.file().id
    start = time.monotonic()
    [t.join() for t in ts]
    check(time.monotonic() - start < 3, "all at once")
    check(all([c["document"] for c in g] == [a] for g in got), "all the same")


def test_changes__a_stopping_server_answers_those_who_wait():
    w = Archive().serve()
    w.token("maija")
    got = []
    after = drain(w, "maija")
    t = threading.Thread(target=lambda: got.append(w.get("/v1/changes?wait=50&after=" + after).status))
    t.start()
    time.sleep(0.3)
    start = time.monotonic()
    same(w.stop(), 0)
    t.join()
    check(time.monotonic() - start < 5, "quickly")
    same(got, [200])


def test_list__is_answered_to_who_runs_thousands_of_units():
    units = [{"id": "yksikko-%d" % i, "name": {"fi": "Yksikkö %d" % i}, "provider": "hoiva-oy", "municipality": "091",
              "county": "90"} for i in range(4000)]
    a = Archive().serve()
    a.load({"units": units})
    f = a.file(units=["yksikko-3999"], type="order", publicity="secret")
    a.until_indexed()
    same([d["id"] for d in a.json("/v1/documents", "hanna")["documents"]], [f.id])
    same(a.json("/v1/search", "hanna")["total"], 1)
    same(a.get("/v1/documents/" + f.id, "hanna").status, 200)
    same([c["document"] for c in a.json("/v1/changes", "hanna")["changes"]], [f.id])
    same(a.stop(), 0)
