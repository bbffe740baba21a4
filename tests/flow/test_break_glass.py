"""Breaking the glass: the reason opens, it is logged, and somebody looks at each use."""

import json
import os
import threading

from arkki_flow import Archive, SEED, check, same

AUDITORS = [{"id": "anni", "org": "pirha", "name": "Anni", "roles": ["auditor"]},
            {"id": "urho", "org": "uusimaa", "name": "Urho", "roles": ["auditor"]}]
REASON = "Lapsi%20on%20vaarassa%20%F0%9F%A7%B8"
SAID = "Lapsi on vaarassa \U0001f9f8"

_own = None


def own():
    global _own
    if _own is None:
        _own = Archive(seed=dict(SEED, users=SEED["users"] + AUDITORS)).serve()
    return _own


def uses(w, user="aada", **query):
    """All pages of the list."""
    out, cursor = [], None
    while True:
        q = dict({"state": "all", "limit": "1000"}, **{k.rstrip("_"): v for k, v in query.items()})
        if cursor:
            q["cursor"] = cursor
        r = w.json("/v1/audit/break-glass?" + "&".join("%s=%s" % x for x in q.items()), user)
        out += r["uses"]
        cursor = r["next"]
        if not cursor:
            return out


def review(w, use, user="aada", remark="Aiheellinen", justified=True):
    body = json.dumps({"remark": remark, "justified": justified})
    return w.send("POST", "/v1/audit/break-glass/%s/review" % use, user, {"Content-Type": "application/json"}, body)


def broken(w, user="pertti", **fields):
    """A document of another county that is read behind broken glass; its id and the use."""
    f = w.file(units=["lehtola"], publicity="partly-secret", **fields)
    same(w.get("/v1/documents/" + f.id, user).status, 404)
    same(w.get("/v1/documents/" + f.id, user, Arkki_Break_Glass=REASON).status, 200)
    return f.id, [u for u in uses(w) if u.get("document") == f.id][-1]


def test_break_glass__opens_what_the_role_does_not_and_is_logged():
    w = own()
    doc, use = broken(w)
    url = "/v1/documents/%s/versions/1/content" % doc
    same(w.get(url, "pertti").status, 404)
    same(w.get(url, "pertti", Arkki_Break_Glass=REASON).status, 200)
    same([(e["kind"], e["outcome"], e.get("breakGlass")) for e in w.audit(document=doc, principal="pertti")],
         [("metadata", "denied", None), ("metadata", "ok", SAID), ("content", "denied", None), ("content", "ok", SAID)])
    same((use["principal"], use["org"], use["version"], use["kind"], use["reason"], use["review"], use["outcome"]),
         ("pertti", "pirha", 1, "metadata", SAID, None, "ok"))
    same([u["kind"] for u in uses(w) if u.get("document") == doc], ["metadata", "content"])


def test_break_glass__a_search_is_a_use_and_so_is_what_it_shows():
    w = own()
    f = w.file(units=["lehtola"], publicity="secret", title="Sokerihuurre", content=b"Sokerihuurteinen kertomus\n")
    w.until_indexed()
    before = len(uses(w))
    same(w.json("/v1/search?q=sokerihuurre", "pertti")["total"], 0)
    r = w.get("/v1/search?q=sokerihuurre", "pertti", Arkki_Break_Glass=REASON)
    same(r.json()["total"], 1)
    got = uses(w)[before:]
    same([(u["kind"], u.get("document"), u.get("query")) for u in got],
         [("search", None, "sokerihuurre"), ("shown", f.id, None)])


def test_break_glass__a_secret_without_purpose():
    w = own()
    f = w.file(publicity="secret")
    url = "/v1/documents/%s/versions/1/content" % f.id
    same(w.get(url, "maija").status, 403)
    same(w.get(url, "maija", Arkki_Break_Glass=REASON).status, 200)
    same([u["principal"] for u in uses(w) if u.get("document") == f.id], ["maija"])


def test_break_glass__without_the_role_a_reason_changes_nothing_and_is_logged():
    w = own()
    f = w.file(units=["lehtola"], publicity="partly-secret")
    before = len(uses(w))
    for user, status in (("helmi", 404), ("hanna", 200), ("ylla", 404), ("aada", 200)):
        same(w.get("/v1/documents/" + f.id, user, Arkki_Break_Glass=REASON).status, status, user)
        last = w.audit(document=f.id, principal=user)[-1]
        same((last["breakGlass"], last["breakGlassRefused"]), (SAID, True), user)
    same(len(uses(w)), before, "no use")
    for bad in ("%ff", "%zz"):
        same(w.get("/v1/documents/" + f.id, "maija", Arkki_Break_Glass=bad).status, 400, bad)


def test_break_glass__a_draft_stays_closed():
    w = own()
    f = w.file(units=["lehtola"], state="draft", publicity="partly-secret")
    same(w.get("/v1/documents/" + f.id, "pertti", Arkki_Break_Glass=REASON).status, 404)


def test_review__takes_a_use_off_the_open_list():
    w = own()
    doc, use = broken(w)
    _, other = broken(w)
    check(use["id"] in [u["id"] for u in uses(w, state="open")], "open")
    r = review(w, use["id"], remark="Aiheellinen \U0001f9f8", justified=True)
    same(r.status, 201, r.body)
    got = r.json()
    same((got["id"], got["document"], got["reason"]), (use["id"], doc, SAID))
    same([got["review"][k] for k in ("principal", "org", "remark", "justified")],
         ["aada", "eoa", "Aiheellinen \U0001f9f8", True])
    check(use["id"] not in [u["id"] for u in uses(w, state="open")], "no longer open")
    check(other["id"] in [u["id"] for u in uses(w, state="open")], "the other one is")
    same([u["review"] for u in uses(w, state="reviewed") if u["id"] == use["id"]], [got["review"]])
    again = review(w, use["id"], justified=False)
    same((again.status, again.json()["type"]), (409, "urn:arkki:problem:already-reviewed"))
    entry = w.audit(log="history")[-1]
    same((entry["kind"], entry["about"], entry["principal"], entry["detail"]),
         ("break-glass-review", use["index"], "aada", {"remark": "Aiheellinen \U0001f9f8", "justified": True}))
    same(review(w, str(other["index"]), justified=False).status, 201, "by index")


def test_review__of_two_at_once_one_counts():
    w = own()
    _, use = broken(w)
    w.token("aada")
    got = []
    ts = [threading.Thread(target=lambda: got.append(review(w, use["id"]).status)) for _ in range(4)]
    [t.start() for t in ts]
    [t.join() for t in ts]
    same(sorted(got), [201, 409, 409, 409])


def test_review__refuses_what_is_no_review():
    w = own()
    doc, use = broken(w)
    for body, fields in (({}, ["justified", "remark"]), ({"remark": "", "justified": True}, ["remark"]),
                         ({"remark": "x", "justified": 1}, ["justified"]), ({"remark": 1, "justified": True}, ["remark"]),
                         ({"remark": "x" * 2001, "justified": True}, ["remark"]),
                         ({"remark": "x", "justified": True, "who": "y"}, ["who"])):
        r = w.send("POST", "/v1/audit/break-glass/%s/review" % use["id"], "aada", {}, json.dumps(body))
        same((r.status, r.fields()), (422, fields), body)
    for body in ("", "[]", "{"):
        same(w.send("POST", "/v1/audit/break-glass/%s/review" % use["id"], "aada", {}, body).status, 400, body)
    plain = [e["index"] for e in w.audit(document=doc) if "breakGlass" not in e][0]
    for ghost in (str(plain), "999999999", "9" * 30, "-1", use["id"][:-2] + "AA", "x"):
        same(review(w, ghost).status, 404, ghost)
    for user in ("pertti", "maija", "helmi", "oskari", "ylla"):
        same(review(w, use["id"], user).status, 403, user)
        same(w.get("/v1/audit/break-glass", user).status, 403, user)
    same(review(w, use["id"]).status, 201)


def test_list__filters_and_pages():
    w = own()
    for _ in range(3):
        broken(w)
    every = uses(w)
    same([u["index"] for u in every], sorted(u["index"] for u in every))
    same(uses(w, limit="2"), every)
    same([u["id"] for u in uses(w, state="open")] + [u["id"] for u in uses(w, state="reviewed")],
         [u["id"] for u in every if not u["review"]] + [u["id"] for u in every if u["review"]])
    same(uses(w, from_=every[2]["time"]), every[2:])
    same(uses(w, to=every[2]["time"]), every[:2])
    same(w.json("/v1/audit/break-glass", "aada")["uses"], [u for u in every if not u["review"]], "open by default")
    for q in ("from=x", "to=x", "state=x", "cursor=x", "limit=0"):
        same(w.get("/v1/audit/break-glass?" + q, "aada").status, 400, q)
    foreign = w.json("/v1/audit/access?limit=1", "aada")["next"]
    same(w.get("/v1/audit/break-glass?cursor=" + foreign, "aada").status, 400, "another list's cursor")
    looks = [e for e in w.audit(principal="aada") if e["kind"] == "audit"]
    check(looks[-1]["detail"]["log"] == "access", looks[-1])


# ---- the authorities' own ----

def test_own__people_are_reviewed_by_their_own_auditors():
    w = own()
    doc, use = broken(w)
    mine = [u for u in uses(w, "anni") if u.get("document") == doc]
    same(len(mine), 1)
    check("index" not in mine[0], mine[0])
    same((mine[0]["principal"], mine[0]["reason"], mine[0]["review"]), ("pertti", SAID, None))
    check("authorityReview" not in mine[0], mine[0])
    same(review(w, str(use["index"]), "anni").status, 404, "an index counts")
    r = review(w, mine[0]["id"], "anni", "Ei perustetta", False)
    same(r.status, 201, r.body)
    same([r.json()["review"][k] for k in ("principal", "org", "justified")], ["anni", "pirha", False])
    check("index" not in r.json(), r.json())
    same(review(w, mine[0]["id"], "anni").status, 409)
    check(mine[0]["id"] not in [u["id"] for u in uses(w, "anni", state="open")])
    # the Ombudsman's list is the Ombudsman's
    seen = [u for u in uses(w, state="open") if u["index"] == use["index"]]
    same([(u["review"], u["authorityReview"]["principal"]) for u in seen], [(None, "anni")])


def test_own__the_ombudsman_s_review_shows_to_nobody_else():
    w = own()
    doc, use = broken(w)
    before = [u for u in uses(w, "anni") if u.get("document") == doc]
    same(review(w, use["id"]).status, 201)
    same([u for u in uses(w, "anni", state="open") if u.get("document") == doc], before)
    same(review(w, before[0]["id"], "anni").status, 201, "and is no reason for a 409")


def test_own__uses_on_own_documents_show_and_are_the_others_to_review():
    w = own()
    doc, use = broken(w)
    seen = [u for u in uses(w, "aino") if u.get("document") == doc]
    same([(u["principal"], u["org"], u["reason"]) for u in seen], [("pertti", "pirha", SAID)])
    same(review(w, seen[0]["id"], "aino").status, 403)
    same(review(w, seen[0]["id"], "anni", "Salainen huomautus").status, 201)
    got = [u["review"] for u in uses(w, "aino") if u.get("document") == doc]
    same([sorted(r) for r in got], [["justified", "org", "time"]])
    same([u for u in uses(w, "urho") if u.get("document") == doc], [], "concerns neither")
    same(review(w, use["id"], "urho").status, 404)


def test_uses__are_the_same_from_a_new_index():
    w = own()
    before = uses(w), uses(w, state="open"), uses(w, "anni")
    same(w.stop(), 0)
    for log in ("access", "history"):
        for end in ("", "-wal", "-shm"):
            path = os.path.join(w.dir, "ledger", log, "index.sqlite" + end)
            if os.path.exists(path):
                os.unlink(path)
    w.serve()
    same((uses(w), uses(w, state="open"), uses(w, "anni")), before)
    p = w.verify("--full")
    same(p.returncode, 0, p.stdout[-1000:], p.stderr[-500:])
