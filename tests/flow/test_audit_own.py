"""An authority's auditors see what of the access log is theirs, and of the Ombudsman's reads nothing."""

import base64
import json
import urllib.parse

from arkki_flow import Archive, SEED, check, same

MORE = [{"id": "anni", "org": "pirha", "name": "Anni", "roles": ["auditor"]},
        {"id": "hilma", "org": "helsinki", "name": "Hilma", "roles": ["auditor"]},
        {"id": "hugo", "org": "hoiva-oy", "name": "Hugo", "roles": ["auditor", "contact"]},
        {"id": "eeva", "org": "esavi", "name": "Eeva", "roles": ["inspector"]}]
CASE = {"id": "c9", "diaryNumber": "HEL/9/2026", "kind": "inspection", "units": ["koivula"], "org": "helsinki"}
GHOST = "0123456789abcdef" * 2
READERS = ("sirpa", "pertti", "oskari", "ulla", "aada", "pertti", "oskari", "sirpa", "oskari")

_own = None


def own():
    global _own
    if _own is None:
        _own = Archive(seed=dict(SEED, users=SEED["users"] + MORE, cases=SEED["cases"] + [CASE])).serve()
        for u in _own_users():
            _own.token(u)
    return _own


def _own_users():
    return [u["id"] for u in SEED["users"] + MORE]


def read_by_many(w, **fields):
    """A document of lvv that many organisations read; the Ombudsman's reads lie between the others."""
    f = w.file(publicity="partly-secret", **fields)
    for u in READERS:
        same(w.get("/v1/documents/" + f.id, u).status, 200, u)
    return f.id


def own_view(w, user="aino", **query):
    return w.audit(user=user, **query)


def test_own__documents_whoever_read_them_but_the_ombudsman():
    w = own()
    doc = read_by_many(w)
    got = own_view(w, document=doc)
    same([e["principal"] for e in got], [u for u in READERS if u not in ("oskari", "aada")])
    same([e["documentSequence"] for e in got], list(range(1, len(got) + 1)), "complete, and without a gap")
    whole = w.audit(document=doc)
    check(len(whole) > len(got), "there are the Ombudsman's")
    for e in got:
        check(not {"index", "series", "about"} & set(e), e)
        if e["org"] == "lvv":
            check(e["session"] and e["address"] and e["principalSequence"], e)
        else:
            check(not {"session", "address", "authentication", "principalSequence", "detail"} & set(e), e)


def test_own__pages_are_full_and_their_cursors_tell_nothing():
    w = own()
    doc = read_by_many(w)
    every = own_view(w, document=doc)
    got, cursor, lengths = [], "", set()
    while True:
        r = w.json("/v1/audit/access?limit=2&document=" + doc + cursor, "aino")
        got += r["entries"]
        if not r["next"]:
            break
        same(len(r["entries"]), 2, "a page with hidden entries is as full as any")
        raw = base64.urlsafe_b64decode(r["next"] + "==")
        lengths.add(len(raw))
        places = {str(e["index"] + d).encode() for e in w.audit(document=doc) for d in (0, 1)}
        check(not [p for p in places if len(p) > 2 and p in raw], "a place in the clear", raw)
        cursor = "&cursor=" + r["next"]
    same(got, every)
    same(len(lengths), 1)


def test_own__the_ombudsman_s_reads_move_nothing():
    w = own()
    doc = read_by_many(w)

    def answers():
        return [w.get("/v1/audit/access?" + q, "aino").body
                for q in ("limit=3&document=" + doc, "document=" + doc, "principal=pertti", "principal=oskari",
                          "principal=aada", "document=%s&principal=oskari" % doc, "limit=4&principal=sirpa")]
    before = answers()
    for u in ("oskari", "aada"):
        for _ in range(3):
            w.get("/v1/documents/" + doc, u)
            w.get("/v1/documents/%s/versions/1/content" % doc, u)
            w.get("/v1/documents", u)
            w.get("/v1/documents/" + GHOST, u)
            w.get("/v1/audit/access?limit=5", u)
    same(answers(), before)
    same(json.loads(before[3]), {"entries": [], "next": None})


def test_own__people_wherever_they_read():
    w = own()
    f = w.file(units=["lehtola"], publicity="public", user="maija")
    w.get("/v1/documents/" + f.id, "pertti")
    got = [e for e in own_view(w, "anni") if e.get("document") == f.id]
    same([(e["principal"], e["kind"]) for e in got], [("pertti", "metadata")])
    check("documentSequence" not in got[0], "it would count the others")
    same({e["org"] for e in own_view(w, "anni")} - {"pirha"}, set(), "pirha wrote nothing that others read")
    got = [e["principalSequence"] for e in own_view(w, "anni", principal="pertti")]
    same(got, list(range(1, len(got) + 1)), "all that the own people did")
    same(own_view(w, "hilma", document=f.id), [])
    same({e["org"] for e in own_view(w, "hilma")}, {"helsinki"})


def test_own__searches_show_what_was_asked_to_the_own_side_only():
    w = own()
    doc = read_by_many(w, title="Omaperäinen")
    w.until_indexed()
    w.get("/v1/search?q=omaper%C3%A4inen", "pertti")
    asked = [e for e in own_view(w, "anni", principal="pertti") if e["kind"] == "search"]
    same(asked[-1]["query"], "omaperäinen")
    seen = own_view(w, "aino", principal="pertti")
    same([e for e in seen if e["kind"] == "search"], [])
    check((doc, "shown") in [(e["document"], e["kind"]) for e in seen], "that it was shown is seen")
    check(not [e for e in seen if "query" in e])


def test_own__documents_of_those_before():
    w = own()
    f = w.file(user="eeva", publicity="partly-secret")
    w.get("/v1/documents/" + f.id, "pertti")
    got = own_view(w, document=f.id)
    check("pertti" in [e["principal"] for e in got], got)
    same([e["documentSequence"] for e in got], list(range(1, len(got) + 1)))


# ---- what may not be seen ----

def draft_of_pirha(w):
    return w.file(user="pertti", units=["mantyla"], publicity="partly-secret", state="draft").id


def test_hidden__documents_are_asked_for_as_if_they_never_were():
    w = own()
    doc = draft_of_pirha(w)
    w.get("/v1/documents/" + doc, "pertti")
    w.get("/v1/documents/" + doc, "sirpa")
    check(len(w.audit(document=doc)) >= 2, "there are reads")
    for q in ("document=%s", "document=%s&principal=sirpa", "document=%s&limit=1"):
        a, b = [w.get("/v1/audit/access?" + q % d, "aino") for d in (doc, GHOST)]
        same((a.status, a.body), (b.status, b.body), q)
    same([e["principal"] for e in own_view(w, "anni", document=doc)][-2:], ["pertti", "sirpa"])


def test_hidden__a_refused_read_is_as_one_of_nothing():
    w = own()
    doc = draft_of_pirha(w)
    for ident in (doc, GHOST):
        same(w.get("/v1/documents/" + ident, "sirpa", Arkki_Purpose="valvonta").status, 404)
    hidden, ghost = own_view(w, principal="sirpa")[-2:]
    for e in (hidden, ghost):
        e.pop("time")
    hidden["principalSequence"] += 1
    same(hidden, ghost)
    same((hidden["outcome"], hidden["kind"]), ("not-found", "metadata"))
    told = w.audit(principal="sirpa")[-2]
    same((told["outcome"], told["document"]), ("denied", doc), "the Ombudsman is told")


def test_hidden__a_refused_read_of_an_own_document_is_told():
    w = own()
    f = w.file(units=["lehtola"], publicity="partly-secret")
    same(w.get("/v1/documents/" + f.id, "pertti").status, 404)
    got = own_view(w, document=f.id)
    same([(e["principal"], e["outcome"]) for e in got][-1], ("pertti", "denied"))
    got = [e for e in own_view(w, "anni", principal="pertti")][-1]
    same((got["outcome"], "document" in got), ("not-found", False), "to pertti's own side it is nothing")


# ---- who ----

def test_hidden__the_case_of_a_public_rendition_is_not_told():
    w = own()
    doc = w.file(publicity="secret", case="c9").id
    r = w.send("PUT", "/v1/documents/%s/versions/1/renditions/public" % doc, "maija",
               {"Content-Type": "text/plain", "Content-Disposition": 'inline; filename="julkinen.txt"'}, b"Julkinen osa.")
    same(r.status, 201, r.body[:300])
    seen = w.json("/v1/documents/" + doc, "helmi")
    check(seen["case"] is None, "the rendition does not say its case", seen)
    same(w.get("/v1/cases/c9", "hilma").status, 200, "the case is seen")
    check([e for e in own_view(w, "hilma", document=doc) if e["principal"] == "helmi"], "the read shows")
    same([e for e in own_view(w, "hilma", case="c9") if e.get("document") == doc], [], "of which case it is does not")
    check([e for e in w.audit(case="c9") if e.get("document") == doc], "who sees all finds it")


def test_who__auditors_of_authorities_only():
    w = own()
    for user, status in (("aino", 200), ("hilma", 200), ("hilma", 200), ("aada", 200), ("hugo", 403), ("maija", 403),
                         ("ylla", 403), ("oskari", 403), ("hanna", 403), ("helmi", 403)):
        for url in ("/v1/audit/access?limit=1", "/v1/audit/break-glass"):
            same(w.get(url, user).status, status, user, url)
    receipt = w.get("/v1/me", "aino").header("Arkki-Receipt") or "x"
    for url in ("/v1/audit/history", "/v1/audit/receipt/" + urllib.parse.quote(receipt), "/v1/log/access/checkpoint",
                "/v1/log/access/tile/0/000"):
        same(w.get(url, "aino").status, 403, url)
    same(w.json("/v1/me", "aino")["may"], {"audit": False, "auditOwn": True, "administer": False, "file": False})
    same(w.json("/v1/me", "aada")["may"]["auditOwn"], False)


def test_who__looking_is_logged():
    w = own()
    n = len(w.audit(principal="hilma"))
    w.get("/v1/audit/access?document=" + GHOST, "hilma")
    got = w.audit(principal="hilma")[n:]
    same([(e["kind"], e["detail"]) for e in got], [("audit", {"log": "access", "document": GHOST})])


def test_world__is_sound_after_all():
    p = own().verify("--full")
    same(p.returncode, 0, p.stdout[-1000:], p.stderr[-500:])
