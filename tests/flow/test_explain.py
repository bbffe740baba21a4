"""Why, and as of when: each rule explained, nothing told of what is hidden, past decisions made again."""

import datetime
import json
import re
import time

from arkki_flow import SEED, TOP, Archive, check, same, world

URL = "/v1/policies/explain"
GHOST = "0123456789abcdef" * 2
STATED = {"Arkki-Purpose": "valvonta", "Arkki-Case": "c1"}


def ask(w, by, status=200, language="en", headers=None, **question):
    h = dict({"Content-Type": "application/json", "Accept-Language": language}, **(headers or {}))
    r = w.send("POST", URL, by, h, json.dumps({k.rstrip("_"): v for k, v in question.items()}))
    same(r.status, status, by, question, r.body[:300])
    return r.json()


def ids(answer):
    return [p["id"] for p in answer["policies"]]


def moment():
    """A time that nothing happens at."""
    time.sleep(0.01)
    at = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    time.sleep(0.01)
    return at


def thing(publicity="public", **more):
    return dict({"units": ["koivula"], "type": "memo", "date": "2026-03-12", "author": "esavi",
                 "publicity": {"class": publicity}}, **more)


# ---- every rule once ----

RULES_WORLD = dict(SEED, orgs=SEED["orgs"] + [
    {"id": "ennen", "kind": "state-agency", "name": {"fi": "Ennen"}, "to": "2025-12-31"},
    {"id": "sitten", "kind": "state-agency", "name": {"fi": "Sitten"}, "from": "2190-01-01"},
    {"id": "turku", "kind": "municipality", "name": {"fi": "Turku"}, "counties": ["92"], "municipalities": ["091"]},
], users=SEED["users"] + [
    {"id": "eila", "org": "ennen", "roles": ["inspector"]},
    {"id": "seppo", "org": "sitten", "roles": ["inspector"]},
    {"id": "tuula", "org": "turku", "roles": ["inspector"]},
    {"id": "kaisa", "org": "turku", "roles": ["inspector"]},
], units=SEED["units"] + [
    {"id": "kotila", "name": {"fi": "Kotila"}, "provider": "turku", "municipality": "091", "county": "92"},
])

# rule, user, action, resource (None: the archive), outcome, more of the question
RULES = [
    ("public-documents", "helmi", "readContent", thing(), "permit", {}),
    ("public-renditions", "helmi", "readPublic", thing("secret", renditions=["public"]), "permit", {}),
    ("state-agency", "maija", "read", thing("secret"), "permit", {}),
    ("county", "ulla", "read", thing("secret"), "permit", {}),
    ("municipality", "tuula", "read", thing("secret"), "permit", {}),
    ("own-documents", "heikki", "read", thing("secret", author="helsinki"), "permit", {}),
    ("ombudsman", "aada", "read", thing("secret", state="draft"), "permit", {}),
    ("contact-own-unit", "hanna", "read", thing("secret", type="order"), "permit", {}),
    ("contact-addressee", "hanna", "read", thing("secret", addressees=["hoiva-oy"]), "permit", {}),
    ("contact-own-documents", "hanna", "read", thing("secret", author="hoiva-oy", units=[]), "permit", {}),
    ("break-glass", "heikki", "readContent", thing("secret"), "permit", {"breakGlass": "lapsi on vaarassa"}),
    ("drafts", "ulla", "read", thing(state="draft"), "deny", {}),
    ("visit-not-to-the-visited", "kaisa", "read", thing("secret", units=["kotila"], visitDate="2199-01-01"), "deny", {}),
    ("secret-needs-purpose", "maija", "readContent", thing("secret"), "needs-purpose", {}),
    ("state-agency", "maija", "readContent", thing("secret"), "permit", {"purpose": "valvonta", "case": "c1"}),
    ("secret-needs-purpose", "maija", "readContent", thing("secret"), "needs-purpose",
     {"purpose": "valvonta", "case": "c2"}),
    ("filing", "risto", "file", thing("secret"), "permit", {}),
    ("disposing", "risto", "dispose", thing("secret"), "permit", {}),
    ("audit", "aada", "audit", None, "permit", {}),
    ("audit-own", "aino", "auditOwn", None, "permit", {}),
    ("administer", "ylla", "administer", None, "permit", {}),
    ("not-yet-valid", "seppo", "read", thing(), "deny", {}),
    ("no-longer-valid", "eila", "read", thing(), "deny", {}),
]


def test_explain__each_rule_names_itself():
    w = Archive(seed=RULES_WORLD).serve()
    for rule, user, action, resource, outcome, more in RULES:
        question = dict(more, action=action, user=user)
        if resource:
            question["resource"] = resource
        d = ask(w, "ylla", **question)
        same(d["outcome"], outcome, rule, user, d["sentence"])
        check(rule in ids(d), rule, "is not among", ids(d))
        p = next(p for p in d["policies"] if p["id"] == rule)
        same(p["effect"], "permit" if outcome == "permit" else "forbid", rule)
        check(p["sentence"] and p["statute"] and p["sentence"] in d["sentence"], rule)
        check(d["sentence"].startswith(outcome), d["sentence"])
        same((d["user"], d["action"], d["policiesVersion"]), (user, action, 1))
    with open(TOP + "/policies/arkki.cedar", encoding="utf-8") as f:
        # what is explained is a strong sign-in, so the rule about weak ones is never among the reasons
        same(sorted(set(re.findall(r'^@id\("([^"]+)"\)', f.read(), re.M)) - {"secret-needs-strong-sign-in"}),
             sorted({r[0] for r in RULES}),
             "a rule that nothing here explains, or none of ours")
    none = ask(w, "ylla", action="read", user="helmi", resource=thing("secret"))
    same((none["outcome"], none["policies"]), ("deny", []), none["sentence"])
    same(w.stop(), 0)


def test_explain__says_it_in_three_languages():
    for code, word in (("fi", "lokintarkastajat"), ("sv", "loggranskarna"), ("en", "auditors")):
        d = ask(world(), "aada", action="audit", resource=None, language=code)
        check(word in d["sentence"] and word in d["policies"][0]["sentence"], code, d)


# ---- of oneself ----

def test_explain__a_refused_read_needs_a_purpose():
    w = world()
    f = w.file(publicity="secret")
    url = "/v1/documents/%s/versions/1/content" % f.id
    same(w.get(url).json()["type"], "urn:arkki:problem:purpose-required")
    d = ask(w, "maija", action="readContent", document=f.id)
    same((d["outcome"], ids(d), d["version"], d["user"]), ("needs-purpose", ["secret-needs-purpose"], 1, "maija"))
    check("Julkis" in d["policies"][0]["statute"] or "906/2019" in d["policies"][0]["statute"], d["policies"])
    d = ask(w, "maija", action="readContent", document=f.id, version=1, purpose="valvonta", case="c1")
    same(d["outcome"], "permit")
    same(w.send("GET", url, "maija", STATED).status, 200, "and it is so")
    same(ask(w, "maija", action="dispose", document=f.id)["outcome"], "deny")
    same(ask(w, "risto", action="dispose", document=f.id)["outcome"], "permit")


def test_explain__agrees_with_what_is_answered():
    w = world()
    docs = [w.file(publicity=c, **more) for c in ("public", "partly-secret", "secret")
            for more in ({}, {"units": ["mantyla"], "user": "pertti"}, {"type": "order", "case": "c1"})]
    for f in docs:
        for user in ("maija", "pertti", "ulla", "helmi", "heikki", "hanna", "aada", "ylla"):
            seen = w.get("/v1/documents/" + f.id, user).status == 200
            told = ask(w, user, 200 if seen else 404, action="readContent", document=f.id)
            if seen:
                read = w.get("/v1/documents/%s/versions/1/content" % f.id, user)
                want = {200: "permit", 403: "deny"}[read.status]
                if read.status == 403 and read.json()["type"].endswith("purpose-required"):
                    want = "needs-purpose"
                same(told["outcome"], want, user, f.doc["publicity"])
                same(ask(w, user, action="read", document=f.id)["outcome"], "permit")
            else:
                same(told["type"], "urn:arkki:problem:not-found")


def test_explain__counties_are_those_that_reading_looks_at():
    """Reading is decided over the counties that a document was filed with; filing over those of now."""
    w = Archive().serve()
    f = w.file(publicity="partly-secret", author="lvv")
    w.load({"units": [dict(SEED["units"][0], county="92")]})
    for user, status, outcome in (("ulla", 200, "permit"), ("maija", 200, "permit")):
        same(w.get("/v1/documents/" + f.id, user).status, status)
        same(ask(w, user, action="read", document=f.id)["outcome"], outcome)
    same(w.patch(f.id, {"title": "Uusi"}, etag="*").status, 403)
    same(ask(w, "maija", action="amend", document=f.id)["outcome"], "deny")
    same(ask(w, "maija", action="amend", document=f.id, at=moment())["outcome"], "deny")
    same(ask(w, "ulla", action="read", document=f.id, at=moment())["outcome"], "permit")
    same(w.stop(), 0)


def test_explain__of_the_whole_only_those_ask_who_see_it():
    w = Archive().serve()
    f = w.file(publicity="secret", visitDate="2026-01-01")
    url = "/v1/documents/%s/versions/1/renditions/public" % f.id
    same(w.send("PUT", url, "risto", {"Content-Type": "text/plain"}, b"avoin\n").status, 201)
    same(w.get("/v1/documents/" + f.id, "ylla").status, 200)
    same(ask(w, "ylla", action="readPublic", document=f.id)["outcome"], "permit")
    same(ask(w, "ylla", action="read", document=f.id)["outcome"], "deny")
    ask(w, "ylla", 403, action="read", document=f.id, user="maija")
    same(ask(w, "aada", action="readPublic", document=f.id, user="helmi")["outcome"], "permit")
    same(w.stop(), 0)


def plain(r):
    """Refusals are logged, and have receipts, at a bounded rate: test_inference looks at that."""
    return r.status, sorted((k, v) for k, v in r.headers if k not in ("Date", "Arkki-Receipt")), r.body


def test_explain__hidden_is_as_what_never_was():
    w = world()
    at = moment()
    f = w.file(publicity="secret", content=b"yksi\n", type="supervision-plan")
    same(w.version(f.id, b"kaksi\n", {"state": "draft"}).status, 201)
    questions = [{"action": a, "document": None} for a in ("list", "read", "readContent", "readPublic", "file", "hold")]
    questions += [{"action": "readContent", "document": None, **more} for more in (
        {"version": 1}, {"version": 2}, {"version": 999}, {"at": at}, {"at": moment()}, {"at": "2020-01-01"},
        {"purpose": "x", "case": "c1"}, {"breakGlass": "hata"}, {"user": "helmi"}, {"case": "nocase"})]
    questions += [{"action": "x", "document": None}, {"action": "read", "document": None, "version": 0}]
    for by in ("helmi", "ylla", "hanna", "heikki"):
        for q in questions:
            for h in ({}, STATED, {"Arkki-Purpose": "%zz"}, {"Arkki-Case": "nocase"}):
                h = dict(h, **{"Content-Type": "application/json"})
                a, b = [plain(w.send("POST", URL, by, h, json.dumps(dict(q, document=d)))) for d in (f.id, GHOST)]
                same(a, b, by, q, h)
    # a version that is hidden beside one that is seen
    public = w.file(publicity="public")
    same(w.version(public.id, b"kaksi\n", {"publicity": {"class": "secret"}}).status, 201)
    body = [plain(w.send("POST", URL, "helmi", {"Content-Type": "application/json"},
                         json.dumps({"action": "read", "document": public.id, "version": n}))) for n in (2, 3)]
    same(body[0], body[1])
    same(ask(w, "helmi", action="read", document=public.id)["version"], 1)
    same(ask(w, "helmi", action="read", document=public.id, at=moment())["version"], 1, "nor as of a time")


def test_explain__a_supposition_opens_nothing():
    w = world()
    f = w.file(units=["mantyla"], publicity="secret", user="pertti", case="c2")
    same(w.get("/v1/documents/" + f.id, "heikki").status, 404)
    ask(w, "heikki", 404, action="read", document=f.id, breakGlass="lapsi on vaarassa")
    d = ask(w, "heikki", action="read", document=f.id, headers={"Arkki-Break-Glass": "lapsi"})
    same(d["outcome"], "deny", "the glass is broken for the question, not in it")
    d = ask(w, "heikki", action="readContent", document=f.id, breakGlass="x", headers={"Arkki-Break-Glass": "lapsi"})
    same((d["outcome"], ids(d)), ("permit", ["break-glass"]))


# ---- of others ----

def test_explain__others_are_for_administrators_and_auditors():
    w = world()
    f = w.file(publicity="secret")
    for by in ("maija", "risto", "pertti", "helmi", "hanna", "oskari", "aino", "kone"):
        ask(w, by, 403, action="read", document=f.id, user="ulla")
        ask(w, by, 403, action="read", user="nobody", resource=thing())
        ask(w, by, action="read", document=f.id, user=by) if by in ("maija", "oskari") else None
    ask(w, "ylla", 404, action="read", document=f.id, user="maija")
    d = ask(w, "aada", action="read", document=f.id, user="ulla")
    same((d["outcome"], ids(d)), ("permit", ["county"]))
    same(ask(w, "aada", action="read", document=f.id, user="helmi")["outcome"], "deny")
    public = w.file()
    same(ask(w, "ylla", action="read", document=public.id, user="helmi")["outcome"], "permit")
    same(ask(w, "ylla", action="audit", user="aada")["outcome"], "permit")
    for by in ("ylla", "aada"):
        same(fields(ask(w, by, 422, action="read", user="nobody", resource=thing())), ["user"])


def fields(problem):
    return sorted(e["field"] for e in problem["errors"])


def test_explain__faults_are_named():
    w = world()
    f = w.file()
    for question, names in (
            ({}, ["action", "document"]), ({"action": "steal", "document": f.id}, ["action"]),
            ({"action": "read"}, ["document"]), ({"action": "audit", "document": f.id}, ["document"]),
            ({"action": "audit", "resource": thing()}, ["resource"]), ({"action": 7, "document": f.id}, ["action", "action"]),
            ({"action": "read", "document": f.id, "resource": thing()}, ["document"]),
            ({"action": "read", "document": f.id, "version": "1"}, ["version"]),
            ({"action": "read", "document": f.id, "at": "yesterday"}, ["at"]),
            ({"action": "read", "document": f.id, "at": "2190-01-01T00:00:00Z"}, ["at"]),
            ({"action": "read", "document": f.id, "colour": "red"}, ["colour"]),
            ({"action": "read", "document": f.id, "purpose": "x" * 4097}, ["purpose"]),
            ({"action": "read", "document": f.id, "case": "nocase"}, ["case"]),
            ({"action": "read", "version": 1, "resource": thing()}, ["version"]),
            ({"action": "read", "resource": []}, ["resource"]),
            ({"action": "read", "resource": {"units": ["nounit"], "publicity": {"class": "public"}}}, ["resource.units"]),
            ({"action": "read", "resource": {"units": "koivula", "publicity": {"class": "public"}}}, ["resource.units"]),
            ({"action": "read", "resource": thing(date="x", author=[], tail=1)},
             ["resource.author", "resource.date", "resource.tail"]),
            ({"action": "read", "resource": {"publicity": "public"}}, ["resource.publicity"]),
            ({"action": "read", "document": f.id, "at": "2020-01-01"}, ["at"]),
            ({"action": "read", "at": "2020-01-01", "resource": thing()}, ["at"])):
        h = {"Content-Type": "application/json"}
        r = w.send("POST", URL, "maija", h, json.dumps(question))
        same((r.status, fields(r.json())), (422, sorted(names)), question, r.body[:300])
    same(w.send("POST", URL, "maija", {"Content-Type": "application/json"}, "[]").status, 400)
    same(w.send("POST", URL, "maija", {"Content-Type": "text/plain"}, "{}").status, 415)


# ---- the log ----

def test_explain__is_logged_with_document_and_user():
    w = world()
    f = w.file(publicity="secret")
    r = w.send("POST", URL, "aada", {"Content-Type": "application/json"},
               json.dumps({"action": "readContent", "document": f.id, "user": "ulla", "purpose": "salattu syy"}))
    entry = w.json("/v1/audit/receipt/" + r.header("Arkki-Receipt"), "aada")["entries"][0]
    same([entry[k] for k in ("kind", "outcome", "document", "version", "principal")],
         ["metadata", "ok", f.id, 1, "aada"])
    same(entry["detail"], {"explain": "readContent", "user": "ulla"})
    check("purpose" not in entry, "a supposed purpose was not stated")
    ask(w, "helmi", 404, action="read", document=f.id)
    last = w.audit(document=f.id, principal="helmi")[-1]
    same((last["kind"], last["outcome"]), ("metadata", "denied"))
    ask(w, "maija", 403, action="administer", user="ylla")
    last = w.audit(principal="maija")[-1]
    same((last["kind"], last["outcome"]), ("metadata", "denied"))


def test_me__says_with_which_organisations_and_roles():
    a = Archive(seed=dict(SEED, orgs=[dict(SEED["orgs"][0], to="2150-12-31")] + SEED["orgs"][1:])).serve()
    me = a.json("/v1/me", "pertti")
    same((me["organisations"], sorted(me["roles"]), me["validUntil"]), (["pirha"], ["inspector", "supervisor"], None))
    me = a.json("/v1/me")
    same((me["organisations"], me["roles"], me["validUntil"]), (["lvv", "esavi"], ["inspector"], "2150-12-31"))
    same(a.stop(), 0)


# ---- as of when ----

def user(ident, org, *roles):
    return {"id": ident, "org": org, "name": ident, "roles": list(roles)}


def test_past__roles_placements_and_metadata_are_those_of_then():
    w = Archive().serve()
    f = w.file(publicity="secret", units=["koivula"])
    q = {"action": "read", "document": f.id, "by": "aada"}
    first = moment()
    w.load({"users": [user("maija", "lvv", "admin")],
            "placements": [dict(SEED["placements"][0], to="2025-06-01")]})
    second = moment()
    same(w.patch(f.id, {"publicity": {"class": "public"}}, "risto").status, 200)
    now = moment()
    for at, who, want in ((first, "maija", ["state-agency"]), (second, "maija", []), (now, "maija", ["public-documents"]),
                          (first, "pertti", ["county"]), (second, "pertti", []), (now, "pertti", ["public-documents"])):
        d = ask(w, user=who, at=at, **q)
        same(([i for i in ids(d) if i != "own-documents"], d["at"], d["version"]), (want, at, 1), who)
    same(fields(ask(w, status=422, user="uusi", at=first, **q)), ["at"])
    w.load({"users": [user("uusi", "lvv", "inspector")], "cases": [dict(SEED["cases"][0], units=["mantyla"])]})
    same(ask(w, user="uusi", **q)["outcome"], "permit")
    same(fields(ask(w, status=422, user="uusi", at=now, **q)), ["at"])
    stated = dict(q, action="readContent", purpose="valvonta", case="c1")
    same(ask(w, user="risto", at=first, **stated)["outcome"], "permit", "the case covered the unit then")
    same(w.patch(f.id, {"publicity": {"class": "secret"}}, "risto").status, 200)
    same(ask(w, user="risto", **stated)["outcome"], "needs-purpose")
    same(ask(w, user="risto", at=moment(), **stated)["outcome"], "needs-purpose")
    same(ask(w, user="risto", at=first, **stated)["outcome"], "permit")
    # from the store, not from memory
    same(w.stop(), 0)
    same(w.run("rebuild", w.dir, "catalogue").returncode, 0)
    w.serve()
    same(ids(ask(w, user="pertti", at=first, **q)), ["county"])
    same(ids(ask(w, user="pertti", at=second, **q)), [])
    same(w.verify("--full").returncode, 0)
    same(w.stop(), 0)


def test_past__the_newest_version_then_is_explained():
    w = Archive().serve()
    f = w.file(publicity="public")
    first = moment()
    same(w.version(f.id, b"kaksi\n", {"publicity": {"class": "secret"}}).status, 201)
    d = ask(w, "aada", user="helmi", action="read", document=f.id)
    same((d["version"], d["outcome"]), (2, "deny"))
    d = ask(w, "aada", user="helmi", action="read", document=f.id, at=first)
    same((d["version"], d["outcome"]), (1, "permit"))
    same(fields(ask(w, "aada", 422, user="helmi", action="read", document=f.id, version=2, at=first)), ["at"])
    same(w.stop(), 0)


def test_past__validity_of_an_organisation_is_that_of_then():
    w = Archive().serve()
    f = w.file(publicity="secret")
    q = {"action": "read", "document": f.id, "user": "ulla", "by": "aada"}
    first = moment()
    w.load({"orgs": [dict(SEED["orgs"][3], to="2020-01-01")]})
    same(ids(ask(w, **q)), ["no-longer-valid"])
    same(ids(ask(w, at=first, **q)), ["county"])
    second = moment()
    w.load({"orgs": [SEED["orgs"][3]]})
    same(ids(ask(w, **q)), ["county"])
    same(ids(ask(w, at=second, **q)), ["no-longer-valid"])
    same(w.stop(), 0)


def test_past__a_merger_moves_rights_and_leaves_authorship():
    w = Archive().serve()
    f = w.file(user="pertti", units=["mantyla"], publicity="secret", case="c2")
    q = {"document": f.id, "by": "aada"}
    before = moment()
    same(ids(ask(w, user="pertti", action="amend", **q)), ["filing"])
    same(ask(w, user="ulla", action="amend", **q)["outcome"], "deny")
    w.load({"orgs": [dict(SEED["orgs"][2], to="2020-12-31"),
                     {"id": "lansi", "kind": "county", "name": {"fi": "Länsi"}, "counties": [],
                      "predecessors": ["pirha"]}],
            "users": [user("lasse", "lansi", "inspector", "registrar")]})
    same(ids(ask(w, user="pertti", action="amend", **q)), ["no-longer-valid"])
    same(ids(ask(w, user="lasse", action="amend", **q)), ["filing"])
    same(sorted(ids(ask(w, user="lasse", action="read", **q))), ["county", "own-documents"])
    same(ids(ask(w, user="lasse", action="dispose", **q)), ["disposing"])
    same(w.json("/v1/documents/" + f.id, "lasse")["author"], "pirha", "who wrote it stays")
    same(w.json("/v1/me", "lasse")["organisations"], ["lansi", "pirha"])
    same(ids(ask(w, user="pertti", action="amend", at=before, **q)), ["filing"])
    same(fields(ask(w, status=422, user="lasse", action="read", at=before, **q)), ["at"])
    same(w.stop(), 0)


def test_past__policies_are_those_of_then():
    w = Archive().serve()
    first = moment()
    with open(TOP + "/policies/arkki.cedar", encoding="utf-8") as f:
        text = f.read()
    text += '\n@id("helmi-alone")\n@en("Helmi reads orders.")\npermit (principal == User::"helmi", action == ' \
            'Action::"hold", resource is Document) when { resource.type == "order" };\n'
    tag = w.get("/v1/policies", "ylla").header("ETag")
    r = w.send("PUT", "/v1/policies", "ylla", {"Content-Type": "text/plain", "If-Match": tag}, text.encode())
    same(r.status, 200, r.body[:500])
    q = {"by": "ylla", "user": "helmi", "action": "hold", "resource": thing(type="order")}
    d = ask(w, **q)
    same((d["outcome"], ids(d), d["policiesVersion"]), ("permit", ["helmi-alone"], 2))
    d = ask(w, at=first, **q)
    same((d["outcome"], ids(d), d["policiesVersion"]), ("deny", [], 1))
    same(w.stop(), 0)


# ---- the command line ----

def explain(w, *args):
    return w.run("policy", "explain", w.dir, *args)


def test_command__explains_with_and_without_a_server():
    w = Archive().serve()
    f = w.file(publicity="secret")
    first = moment()
    w.load({"users": [user("maija", "lvv", "admin")]})
    for serving in (True, False):
        p = explain(w, "--user", "risto", "--action", "readContent", "--document", f.id, "--version", "1")
        lines = p.stdout.splitlines()
        same((p.returncode, len(lines)), (0, 2), p.stdout, p.stderr)
        check(lines[0].startswith("needs-purpose by secret-needs-purpose: "), lines)
        check(lines[1].startswith("  forbid secret-needs-purpose: ") and lines[1].endswith("]"), lines)
        p = explain(w, "--user", "risto", "--action", "readContent", "--document", f.id, "--purpose", "valvonta",
                    "--case", "c1")
        check(p.stdout.startswith("permit by state-agency"), p.stdout, p.stderr)
        same(explain(w, "--user", "maija", "--action", "read", "--document", f.id).stdout[:5], "deny:")
        check(explain(w, "--user", "maija", "--action", "read", "--document", f.id, "--at", first).stdout
              .startswith("permit by state-agency"))
        check(explain(w, "--user", "aada", "--action", "audit").stdout.startswith("permit by audit"))
        for args, words in ((("--user", "nobody", "--action", "audit"), "user: There is no such account."),
                            (("--user", "risto", "--action", "steal"), "action: must be one of"),
                            (("--user", "risto", "--action", "read", "--document", f.id, "--version", "x"), "version"),
                            (("--user", "risto", "--action", "read", "--document", GHOST), "404"),
                            (("--user", "risto", "--action", "read", "--document", f.id, "--at", "1999-01-01"), "at")):
            p = explain(w, *args)
            same(p.returncode, 1, args, p.stdout)
            check(words in p.stderr, words, "in", p.stderr)
        same(explain(w, "--user", "risto").returncode, 2)
        if serving:
            r = w.send("POST", "/admin/policies/explain", "ylla", {"Content-Type": "application/json"}, "{}")
            same(r.status, 404, "not on the network")
            entry = w.audit(document=f.id, principal="operator")[-1]
            same((entry["kind"], entry["detail"]["user"]), ("metadata", "maija"))
            same(w.stop(), 0)
