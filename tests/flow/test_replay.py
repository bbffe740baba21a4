"""Signed reports: what an organisation could and did know at a time; who processed a matter, and why."""

import base64
import datetime
import hashlib
import html.parser
import json
import os
import re
import time
import urllib.parse

from arkki_flow import SEED, Archive, arkki, check, same
from test_disposition import approve, begun, propose, run
from test_policies import NO_CASES, put, text_of
from test_trust import kept, vkey

STATED = {"Arkki-Purpose": "valvonta", "Arkki-Case": "c1"}


def moment():
    """A time that nothing happens at."""
    time.sleep(0.01)
    at = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    time.sleep(0.01)
    return at


def url(kind, **query):
    return "/v1/audit/%s?%s" % (kind, urllib.parse.urlencode(query))


def replay(w, at, org, unit="koivula", **more):
    """The whole report, part by part: {id: document}, and the first part's report."""
    documents, cursor, first = {}, {}, None
    while True:
        d = w.json(url("replay", org=org, unit=unit, at=at, **more, **cursor), "aada")
        first = first or d["report"]
        for found in d["report"]["documents"]:
            check(found["id"] not in documents, "twice", found["id"])
            documents[found["id"]] = found
        if not d["next"]:
            return documents, first
        cursor = {"cursor": d["next"]}


def seen_now(w, user, ids):
    """What the live API shows a user: {id: (version, class)}, of both forms."""
    out = {}
    for i in ids:
        r = w.get("/v1/documents/" + i, user)
        if r.status == 200:
            out[i] = r.json()["version"]
    return out


def could(documents):
    return {i for i, d in documents.items() if d["verdict"].startswith("could-and")}


# ---- a history, and what was answered while it was made ----

ORGS = {"lvv": "maija", "pirha": "pertti", "uusimaa": "ulla", "helsinki": "heikki", "hoiva-oy": "hanna"}


class History:
    """Steps of a made-up unit's history; after each the live API is asked as one user of each organisation."""

    def __init__(self):
        self.w = w = Archive().serve()
        self.steps, self.ids = [], []
        self.step()
        self.ids.append(w.file(publicity="public").id)
        self.ids.append(w.file(publicity="secret", title="Salainen").id)
        self.step()
        same(w.version(self.ids[0], b"toinen\n", {"publicity": {"class": "secret"}}).status, 201)
        self.ids.append(w.file(publicity="partly-secret", type="order").id)
        self.step()
        # a placement begins and an inspector's rights end
        users = [dict(u, roles=["placer"]) if u["id"] == "heikki" else u for u in SEED["users"]]
        users = [dict(u, to="2026-01-01") if u["id"] == "ulla" else u for u in users]
        w.load({"users": users, "placements": [{"unit": "koivula", "org": "helsinki", "from": "2025-01-01"}]})
        self.step()
        # a document moves to another unit, another comes
        same(w.patch(self.ids[1], {"units": ["lehtola"]}).status, 200)
        self.ids.append(w.file(publicity="public", units=["lehtola"]).id)
        same(w.patch(self.ids[3], {"units": ["koivula"]}).status, 200)
        self.step()
        self.forbid_counties()
        self.step()

    def forbid_counties(self):
        """Policies by which counties see nothing."""
        text = text_of(self.w) + ('\n@id("counties-not") @en("Counties see nothing.")\n'
                                  'forbid (principal, action == Action::"list", resource)\n'
                                  'when { principal.kind == "county" };\n')
        r = put(self.w, {"policies": text, "cases": NO_CASES})
        same(r.status, 200, r.body[:500])

    def step(self):
        at = moment()
        answers = {o: seen_now(self.w, u, self.ids) for o, u in ORGS.items()}
        self.steps.append((at, answers, list(self.ids)))


_history = None


def history():
    global _history
    if _history is None:
        _history = History()
    return _history


def test_replay__agrees_with_what_was_answered():
    h = history()
    w = h.w
    for n, (at, answers, ids) in enumerate(h.steps):
        for org, user in ORGS.items():
            roles = {u["id"]: u for u in SEED["users"]}[user]["roles"]
            role = "placer" if org == "helsinki" and n >= 3 else roles[0]
            documents = {}
            for unit in ("koivula", "lehtola"):
                documents.update(replay(w, at, org, unit, role=role)[0])
            same(sorted(documents), sorted(ids), "what there was at step", n)
            got = {i: c["version"] for i, d in documents.items() for c in d["could"] if c["sees"]}
            same(got, answers[org], "which versions were seen at step", n, org)
            same(set(got), could(documents))
    counts = {o: [len(answers[o]) for _, answers, _ in h.steps] for o in ORGS}
    check(counts["pirha"][-2] and not counts["pirha"][-1], "the policies closed it", counts)
    check(counts["uusimaa"][2] and not counts["uusimaa"][3], "the account ended", counts)
    check(counts["helsinki"][3] < counts["lvv"][3], counts)


def test_replay__tells_the_version_and_publicity_of_then():
    h = history()
    first, second = h.steps[1][0], h.steps[2][0]
    d = replay(h.w, first, "helsinki")[0][h.ids[0]]
    same((d["version"], d["publicity"], d["title"], d["type"], d["date"]),
         (1, "public", "Tarkastuskertomus", "inspection-report", "2026-03-12"))
    d = replay(h.w, second, "helsinki")[0][h.ids[0]]
    same((d["version"], d["publicity"]), (2, "secret"))
    check(h.ids[1] in replay(h.w, second, "lvv")[0], "it was of that unit then")
    check(h.ids[1] not in replay(h.w, h.steps[-1][0], "lvv")[0], "it had moved")
    check(h.ids[3] not in replay(h.w, second, "lvv")[0], "it was not there")
    same(replay(h.w, h.steps[0][0], "lvv")[0], {}, "nothing was there")


def test_replay__deciding_policies_are_named():
    h = history()
    d, report = replay(h.w, h.steps[2][0], "lvv", role="inspector")
    one = d[h.ids[1]]["could"][0]
    same((one["read"]["outcome"], one["read"]["policies"]), ("permit", ["state-agency", "own-documents"]))
    same((one["readContent"]["outcome"], one["readContent"]["policies"]), ("needs-purpose", ["secret-needs-purpose"]))
    same([r["roles"] for r in report["roles"]], ["inspector"])
    same((report["policiesVersion"], report["line"]), (1, ["lvv", "esavi"]))
    d, _ = replay(h.w, h.steps[2][0], "helsinki")
    check(all(c["read"]["policies"] == [] for c in d[h.ids[1]]["could"]), d[h.ids[1]]["could"])


# ---- what was opened ----

def test_replay__could_and_did():
    w = Archive().serve()
    read, shown, other = (w.file(publicity="secret").id for _ in range(3))
    before = moment()
    same(w.send("GET", "/v1/documents/%s/versions/1/content" % read, "ulla", STATED).status, 200)
    same(w.get("/v1/documents?unit=koivula", "ulla").status, 200)
    same(w.get("/v1/documents/" + other, "helmi").status, 404)
    after = moment()
    same({d["verdict"] for d in replay(w, before, "uusimaa")[0].values()}, {"could-and-did-not"})
    got = replay(w, after, "uusimaa")[0]
    same(got[read]["verdict"], "could-and-did")
    same(got[shown]["verdict"], "could-and-did-not", "a line in a list opens nothing")
    e = [e for e in got[read]["opened"] if e["kind"] == "content"]
    same([(x["principal"], x["purpose"], x["case"], x["outcome"], x["org"]) for x in e],
         [("ulla", "valvonta", "c1", "ok", "uusimaa")])
    index = [x["index"] for x in w.audit(document=read) if x["kind"] == "content"]
    same([x["index"] for x in e], index)
    got = replay(w, after, "helsinki", role="placer")[0]
    same((got[other]["verdict"], got[read]["verdict"]), ("could-not", "could-not"))
    same([x["outcome"] for x in got[other]["opened"]], ["not-found"] if got[other]["opened"] and
         got[other]["opened"][0]["outcome"] == "not-found" else ["denied"])
    # behind broken glass, which gives no standing right
    same(w.get("/v1/documents/" + read, "heikki", Arkki_Break_Glass="lapsi").status, 200)
    got = replay(w, moment(), "helsinki", role="inspector")[0]
    same((got[read]["verdict"], got[other]["verdict"]), ("could-not-but-did", "could-not"))
    # the Ombudsman's own series is his to replay too
    same(w.get("/v1/documents/" + read, "oskari").status, 200)
    same(replay(w, moment(), "eoa")[0][read]["verdict"], "could-and-did")
    same(w.stop(), 0)


def stamp(w, doc):
    """When the newest version was filed, to the microsecond."""
    return w.get("/v1/documents/" + doc).json()["filedAt"]


def just_before(text):
    t = datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ") - datetime.timedelta(microseconds=1)
    return t.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def test_replay__boundaries_are_to_the_microsecond():
    w = Archive().serve()
    f = w.file(publicity="secret")
    filed = stamp(w, f.id)
    check(f.id in replay(w, filed, "lvv")[0], "a filing at that very time is there")
    check(f.id not in replay(w, just_before(filed), "lvv")[0], "and not a moment before")
    same(w.version(f.id, b"kaksi\n").status, 201)
    again = stamp(w, f.id)
    same(replay(w, again, "lvv")[0][f.id]["version"], 2)
    same(replay(w, just_before(again), "lvv")[0][f.id]["version"], 1)
    same(w.get("/v1/documents/" + f.id, "ulla").status, 200)
    read = [e["time"] for e in w.audit(document=f.id) if e["principal"] == "ulla"][0]
    same(replay(w, read, "uusimaa")[0][f.id]["verdict"], "could-and-did")
    same(replay(w, just_before(read), "uusimaa")[0][f.id]["verdict"], "could-and-did-not")
    same(w.stop(), 0)


def test_replay__pages_are_the_same_documents():
    h = history()
    at = h.steps[-1][0]
    whole, report = replay(h.w, at, "lvv")
    same((report["after"], report["until"]), (None, None))
    one_by_one, report = replay(h.w, at, "lvv", limit=1)
    check(report["until"], "the first part says where it ends")
    same(json.dumps(one_by_one, sort_keys=True), json.dumps(whole, sort_keys=True))


def test_replay__is_logged_once_and_for_auditors():
    w = history().w
    at = history().steps[-1][0]
    before = len([e for e in w.audit() if e["kind"] == "audit"])
    w.json(url("replay", org="lvv", unit="koivula", at=at), "aada")
    entries = [e for e in w.audit() if e["kind"] == "audit"]
    mine = [e for e in entries if (e.get("detail") or {}).get("report") == "replay"]
    same(mine[-1]["detail"], {"report": "replay", "org": "lvv", "unit": "koivula", "at": at})
    check(len(entries) > before)
    for user in ("maija", "ylla", "aino", "helmi", "oskari"):
        same(w.get(url("replay", org="lvv", unit="koivula", at=at), user).status, 403, user)
        same(w.get(url("subject", unit="koivula"), user).status, 403, user)


def test_replay__faults_are_named():
    w = history().w
    at = history().steps[-1][0]
    for query, fields in (({}, ["at", "org", "unit"]), ({"org": "lvv", "unit": "koivula"}, ["at"]),
                          ({"org": "x", "unit": "koivula", "at": at}, ["org"]),
                          ({"org": "lvv", "unit": "x", "at": at}, ["unit"]),
                          ({"org": "lvv", "unit": "koivula", "at": "eilen"}, ["at"]),
                          ({"org": "lvv", "unit": "koivula", "at": "2190-01-01T00:00:00Z"}, ["at"]),
                          ({"org": "lvv", "unit": "koivula", "at": "2001-01-01T00:00:00Z"}, ["at"]),
                          ({"org": "lvv", "unit": "koivula", "at": at, "role": "king"}, ["role"])):
        r = w.get(url("replay", **query), "aada")
        same((r.status, r.fields()), (422, fields), query)
    for more in ({"limit": 0}, {"limit": "x"}, {"cursor": "AAAA"}):
        same(w.get(url("replay", org="lvv", unit="koivula", at=at, **more), "aada").status, 400, more)
    for query in ({}, {"unit": "koivula", "case": "c1"}, {"document": "x"}, {"unit": "koivula", "from": "x"},
                  {"unit": "koivula", "own": "1"}):
        same(w.get(url("subject", **query), "aada").status, 422, query)
    same(w.get(url("subject", document="0" * 32), "aada").status, 404)


def test_replay__a_destroyed_document_is_its_tombstone():
    w = begun()
    f = w.file(title="Tuhottava", publicity="secret")
    same(w.get("/v1/documents/" + f.id, "ulla").status, 200)
    at = moment()
    same(propose(w, f.id).status, 201)
    same(approve(w, f.id).status, 200)
    run(w)
    same(w.get("/v1/documents/" + f.id, "risto").status, 410)
    d = replay(w, at, "uusimaa")[0][f.id]
    check("Tuhottava" not in json.dumps(d) and d["tombstone"]["destroyedAt"], d)
    same((d["verdict"], d["type"], d["publicity"]), ("could-and-did", "inspection-report", "secret"))
    s = w.json(url("subject", document=f.id), "aada")["report"]
    same(s["documents"][0]["range"]["of"], len(s["documents"][0]["entries"]))
    same(w.stop(), 0)


# ---- signed, offline ----

class Text(html.parser.HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.tags, self.data, self.inside = set(), "", False
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.inside = ("id", "arkki-report") in attrs

    def handle_endtag(self, tag):
        self.inside = False

    def handle_data(self, data):
        if self.inside:
            self.data += data


def digests_hold(text, d):
    """As archive/README.md says it, from the bytes alone."""
    start = len('{"report":')
    check(text.startswith('{"report":'), text[:40])
    _, end = json.JSONDecoder().raw_decode(text, start)
    hexes = [hashlib.sha256(t.encode()).hexdigest()
             for t in (text[start:end], d["checkpoints"]["history"], d["checkpoints"]["access"])]
    same(d["note"].split("\n\n")[0].split("\n"), ["arkki-report/v1", "arkki.test/history", *hexes])


def checked(path, *keys, kind="replay"):
    more = [a for k in keys for a in ("--vkey", k)]
    return arkki("audit", kind, "--check", path, *more)


def test_replay__a_report_is_checked_offline():
    h = history()
    w = h.w
    r = w.get(url("replay", org="lvv", unit="koivula", at=h.steps[2][0]), "aada")
    d = r.json()
    digests_hold(r.body.decode(), d)
    key, access = vkey(w, "history"), vkey(w, "access")
    good = kept(w, "replay.json", r.body.decode())
    p = checked(good, key, access)
    same(p.returncode, 0, p.stderr)
    check("arkki-replay/1" in p.stdout and "access log of" in p.stdout, p.stdout)
    same(checked(good, access).returncode, 1, "the history log's key signs")
    same(checked(good, vkey(Archive(seed=None), "history")).returncode, 1)
    same(arkki("audit", "replay", "--check", good).returncode, 2)
    for change in (lambda x: x["report"].update(org={"id": "pirha"}),
                   lambda x: x["report"]["documents"].pop(),
                   lambda x: x["checkpoints"].update(access=x["checkpoints"]["history"]),
                   lambda x: x.update(note=x["note"].replace("v1", "v2", 1)),
                   lambda x: x.pop("note")):
        bad = json.loads(json.dumps(d))
        change(bad)
        p = checked(kept(w, "bad.json", bad), key)
        same(p.returncode, 1, p.stdout)
        check(p.stderr.startswith("arkki: "), p.stderr)


def test_replay__the_page_carries_what_is_signed():
    h = history()
    w = h.w
    words = {"fi": "Mitä organisaatio saattoi tietää", "sv": "Vad organisationen kunde veta",
             "en": "What the organisation could know"}
    for language, title in words.items():
        r = w.get(url("replay", org="lvv", unit="koivula", at=h.steps[2][0]), "aada", Accept="text/html",
                  Accept_Language=language)
        same((r.status, r.header("Content-Type")), (200, "text/html; charset=utf-8"))
        page = r.body.decode()
        check(title in page and '<html lang="%s">' % language in page, language)
        t = Text(page)
        check("script" not in t.tags and "link" not in t.tags and "img" not in t.tags, t.tags)
        digests_hold(t.data, json.loads(t.data))
        path = kept(w, "page.html", page)
        p = checked(path, vkey(w, "history"))
        same(p.returncode, 0, p.stderr)
        # other words around the same JSON are found out
        p = checked(kept(w, "forged.html", page.replace(title, "Ei mitään", 1)), vkey(w, "history"))
        check(p.returncode == 1 and "page says other" in p.stderr, p.stderr)


def test_replay__by_the_operator():
    h = history()
    w = h.w
    js, page = os.path.join(w.top, "o.json"), os.path.join(w.top, "o.html")
    p = w.run("audit", "replay", w.dir, "--org", "lvv", "--unit", "koivula", "--at", h.steps[2][0], "--json", js,
              "--html", page, "--language", "sv")
    same(p.returncode, 0, p.stderr)
    for path in (js, page):
        same(checked(path, vkey(w, "history")).returncode, 0, path)
    with open(js, encoding="utf-8") as f:
        same(json.load(f)["report"]["by"], "operator")
    same(w.run("audit", "replay", w.dir, "--org", "lvv").returncode, 2)
    same(w.run("audit", "replay", w.dir, "--org", "lvv", "--unit", "nounit", "--at", h.steps[2][0]).returncode, 1)
    p = w.run("audit", "replay", w.dir, "--org", "lvv", "--unit", "koivula", "--at", h.steps[2][0], "--user", "maija")
    same(p.returncode, 1, "not an auditor")


# ---- personal-data requests ----

def test_subject__who_and_why_by_disclosures():
    w = Archive().serve()
    f = w.file(publicity="secret")
    for _ in range(3):
        same(w.send("GET", "/v1/documents/%s/versions/1/content" % f.id, "ulla", STATED).status, 200)
    same(w.get("/v1/documents/" + f.id, "helmi").status, 404)
    same(w.get("/v1/documents/" + f.id, "oskari").status, 200)
    r = w.get(url("subject", unit="koivula"), "aada")
    d = r.json()
    digests_hold(r.body.decode(), d)
    same([x["document"] for x in d["report"]["documents"]], [f.id])
    one = d["report"]["documents"][0]
    of = one["range"]["of"]
    same((one["range"]["first"], one["range"]["last"], len(one["entries"])), (1, of, of))
    check("ownRange" not in one and "oskari" not in r.body.decode(), "the Ombudsman's reads are his")
    for word in ('ulla', 'helmi'):
        check(word not in r.body.decode(), "persons are not named")
    a = [json.loads(e["disclosure"]["parts"]["A"]["json"]) for e in one["entries"]]
    check("commitment" in one["entries"][0]["disclosure"]["parts"]["B"])
    same([e["org"] for e, x in zip(one["entries"], a) if x["kind"] == "content"], ["uusimaa"] * 3)
    same({x["purpose"] for x in a if x["kind"] == "content"}, {"valvonta"})
    same([x["documentSequence"] for x in a], list(range(1, of + 1)))
    path = kept(w, "subject.json", r.body.decode())
    p = checked(path, vkey(w, "history"), vkey(w, "access"), kind="subject")
    same(p.returncode, 0, p.stderr)
    check("%d disclosures proved" % (of + 2) in p.stdout, p.stdout)
    filed = one["filings"]
    same([(x["org"], json.loads(x["disclosure"]["parts"]["A"]["json"])["document"]) for x in filed], [("lvv", f.id)])
    # an organisation put in another's place breaks the signature; a part put in breaks the proof
    for old, new in (('"org":"uusimaa"', '"org":"pirha"'), ("valvonta", "uteliaisuus")):
        p = checked(kept(w, "bad.json", r.body.decode().replace(old, new, 1)), vkey(w, "history"), vkey(w, "access"))
        same(p.returncode, 1, new)
    # part by part, the same entries
    seen, cursor = [], {}
    while True:
        part = w.json(url("subject", unit="koivula", limit=2, **cursor), "aada")
        got = part["report"]["documents"][0]
        seen += [e["disclosure"]["index"] for e in got["entries"]]
        same(got["range"]["last"], len(seen))
        if not part["next"]:
            break
        cursor = {"cursor": part["next"]}
    same(seen, [e["disclosure"]["index"] for e in one["entries"]])
    own = w.json(url("subject", document=f.id, own="true"), "aada")["report"]["documents"][0]
    same((own["ownRange"]["of"], len(own["entries"])), (1, of + 1))
    page = w.get(url("subject", document=f.id), "aada", Accept="text/html", Accept_Language="fi").body.decode()
    check("Merkinnät 1–%d, kaikkiaan %d." % (of, of) in page and "valvonta" in page, page[:2000])
    same(checked(kept(w, "s.html", page), vkey(w, "history"), kind="subject").returncode, 0)
    # by the case, and between times
    c = w.file(publicity="secret", case="c1")
    d = w.json(url("subject", case="c1"), "aada")["report"]["documents"]
    same([x["document"] for x in d], [c.id])
    late = w.json(url("subject", document=f.id, **{"from": moment()}), "aada")["report"]["documents"][0]
    same((late["entries"], "range" in late), ([], False))
    same(w.stop(), 0)


def test_subject__persons_where_it_is_lawful():
    w = Archive()
    with open(os.path.join(w.dir, "arkki.conf"), "a", encoding="utf-8") as f:
        f.write("disclose-persons yes\n")
    w.serve()
    f = w.file(publicity="secret")
    same(w.get("/v1/documents/" + f.id, "ulla").status, 200)
    d = w.json(url("subject", document=f.id), "aada")["report"]
    same(d["persons"], True)
    b = [json.loads(e["disclosure"]["parts"]["B"]["json"]) for e in d["documents"][0]["entries"]]
    check("ulla" in [x["principal"] for x in b], b)
    js = os.path.join(w.top, "s.json")
    p = w.run("audit", "subject", w.dir, "--document", f.id, "--json", js)
    same(p.returncode, 0, p.stderr)
    same(checked(js, vkey(w, "history"), vkey(w, "access"), kind="subject").returncode, 0)
    same(w.run("audit", "subject", w.dir, "--document", f.id, "--own").returncode, 1, "only the Ombudsman")
    with open(os.path.join(w.dir, "arkki.conf"), "a", encoding="utf-8") as f2:
        f2.write("disclose-persons maybe\n")
    check(w.get(url("subject", document=f.id), "aada").status >= 400, "no guess is made")
    same(w.stop(), 0)
