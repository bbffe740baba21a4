"""The policies as records: read by everybody, changed by administrators, in force at once."""

import hashlib
import json
import os
import subprocess
import threading
import time

from arkki_flow import BIN, TOP, Archive, arkki, check, raw, same, world

JSON = {"Content-Type": "application/json"}
CEDAR = {"Content-Type": "text/plain"}
NO_CASES = {"entities": [], "sets": {}}
OPEN_ALL = '@id("all") @en("All.") permit(principal, action, resource);'

_shared = None


def shared():
    """An archive whose policies no test changes."""
    global _shared
    if _shared is None:
        _shared = Archive().serve()
    return _shared


def law(w, user="ylla", language="en", query=""):
    r = w.get("/v1/policies" + query, user, Accept_Language=language)
    same(r.status, 200, r.body[:300])
    r.law = r.json()
    return r


def text_of(w):
    return law(w).law["policies"]


def put(w, body, user="ylla", etag=None, query="", **headers):
    """body: the text, or what is sent as JSON."""
    h = dict(JSON if isinstance(body, dict) else CEDAR)
    if etag != "":
        h["If-Match"] = etag or law(w).header("ETag")
    h["Accept-Language"] = "en"
    h.update({k.replace("_", "-"): v for k, v in headers.items()})
    sent = json.dumps(body) if isinstance(body, dict) else body
    return w.send("PUT", "/v1/policies" + query, user, h, sent if isinstance(sent, bytes) else sent.encode())


def ask(w, body, user="ylla"):
    h = dict(JSON if isinstance(body, dict) else CEDAR)
    h["Accept-Language"] = "en"
    sent = json.dumps(body) if isinstance(body, dict) else body
    return w.send("POST", "/v1/policies/check", user, h, sent if isinstance(sent, bytes) else sent.encode())


def apply(w, body, **more):
    r = put(w, body, **more)
    same(r.status, 200, r.body[:600])
    return r.json()


def policies_of(text):
    """The texts of the single policies, by @id."""
    out, start = {}, 0
    marks = [i for i in range(len(text)) if text.startswith('@id("', i)] + [len(text)]
    for a, b in zip(marks, marks[1:]):
        out[text[a + 5:text.index('"', a + 5)]] = (a, text.rindex(";", a, b) + 1)
    return out


def without(text, ident):
    a, b = policies_of(text)[ident]
    return text[:a] + text[b:]


# ---- reading ----

def test_policies__are_for_every_account_to_read():
    w = shared()
    for user in ("maija", "helmi", "hanna", "aada", "kone", "ylla"):
        r = law(w, user)
        same(r.law["version"], 1)
        same(r.law["sha256"], hashlib.sha256(r.law["policies"].encode()).hexdigest())
        same(r.law["filedBy"], "system")
        with open(os.path.join(TOP, "policies", "arkki.cedarschema"), encoding="utf-8") as f:
            same(r.law["schema"], f.read())
    same(w.get("/v1/policies", None).status, 401)
    same(w.get("/v1/policies/versions", None).status, 401)
    same(w.get("/v1/policies/cases", None).status, 401)


def test_policies__name_each_rule_in_the_readers_language():
    w = shared()
    said = {code: {x["id"]: x for x in law(w, "helmi", code).law["rules"]} for code in ("fi", "sv", "en")}
    text = text_of(w)
    same(set(said["fi"]), set(policies_of(text)))
    for ident, rule in said["en"].items():
        line = text.split("\n")[rule["line"] - 1]
        check(line.startswith('@id("%s")' % ident), ident, rule["line"], line)
        check(rule["sentence"] and rule["statute"], ident)
        same(len({said[c][ident]["sentence"] for c in said}), 3, ident)
    same(said["en"]["drafts"]["effect"], "forbid")
    same(said["en"]["administer"]["effect"], "permit")


def test_policies__have_tags_and_versions():
    w = shared()
    r = law(w)
    tag = r.header("ETag")
    again = w.get("/v1/policies", "helmi", If_None_Match=tag, Accept_Language="en")
    same((again.status, again.body), (304, b""))
    check(law(w, language="fi").header("ETag") != tag, "one tag for two languages")
    same(w.get("/v1/policies", If_None_Match="x").status, 400)
    same(law(w, query="?version=1").law, r.law)
    same(w.get("/v1/policies?version=2").status, 404)
    for bad in ("0", "-1", "x", "1x", "", "1234567"):
        same(w.get("/v1/policies?version=" + bad).status, 400, bad)
    same(w.json("/v1/policies/versions", "helmi")["versions"],
         [{k: r.law[k] for k in ("version", "filedAt", "filedBy", "reason", "sha256")}])
    cases = w.json("/v1/policies/cases", "hanna")
    check(len(cases["sets"]) > 5 and len(cases["entities"]) > 50)


def test_policies__earlier_versions_stay_readable():
    w = Archive().serve()
    first = law(w).law
    second = apply(w, {"policies": first["policies"] + "\n// toinen\n", "reason": "lisätty huomautus"})
    same((second["version"], second["applied"]), (2, True))
    same(law(w, query="?version=1").law, first)
    now = law(w, "helmi").law
    same(now["version"], 2)
    check(now["policies"].endswith("// toinen\n"))
    same([(v["version"], v["filedBy"], v["reason"]) for v in w.json("/v1/policies/versions")["versions"]],
         [(1, "system", None), (2, "ylla", "lisätty huomautus")])
    same(w.stop(), 0)
    w.serve()
    same(law(w).law, now)
    same(law(w, query="?version=1").law, first)
    same(w.stop(), 0)
    p = w.verify("--full")
    same(p.returncode, 0, p.stdout, p.stderr)


# ---- what is refused ----

BAD = [
    # name, text, code, line, column, in the detail, whether there is a mend
    ("a comma is missing", "permit(principal, action resource);", "syntax", 1, 26, "expected", True),
    ("not finished", "permit(principal, action, resource)", "syntax", 1, None, "", None),
    ("no policy", "\n\nhello;", "syntax", 3, 1, "permit", None),
    ("a misspelt attribute", "\npermit(principal, action == Action::\"read\", resource)\nwhen { resource.publicty == \"public\" };",
     "type", 3, None, "publicty", True),
    ("an unknown attribute", "permit(principal, action, resource) when { principal.shoeSize == 4 };", "type", 1, None,
     "shoeSize", None),
    ("a wrong type", "permit(principal, action == Action::\"read\", resource)\nwhen { resource.unitCount == \"1\" };",
     "type", 2, None, "", None),
    ("an unknown action", "permit(principal, action == Action::\"fly\", resource);", "type", 1, None, "fly", None),
    ("an optional attribute", "permit(principal, action == Action::\"read\", resource) when { resource.visitDate <= "
     "context.today };", "type", 1, None, "visitDate", True),
    ("nested deeply", "permit(principal, action, resource) when { " + "(" * 5000 + "true" + ")" * 5000 + " };",
     None, None, None, "", None),
    ("noughts deeply", "permit(principal, action, resource) when { " + "!" * 60000 + "true };", None, None, None, "",
     None),
    ("a NUL", b"permit(principal,\n action,\0 resource);", "utf8", 2, None, "UTF-8", None),
    ("no UTF-8", b"// h\xe4t\xe4\npermit(principal, action, resource);", "utf8", 1, None, "UTF-8", None),
    ("ten thousand policies", "permit(principal, action, resource);" * 10000, None, None, None, "", None),
    ("a template", "permit(principal == ?principal, action, resource);", "syntax", 1, None, "", None),
]


def test_policies__that_are_wrong_are_refused_with_the_place():
    w = shared()
    f = w.file(publicity="secret", title="pysyy salassa")
    before = law(w)
    for name, text, code, line, column, words, mend in BAD:
        r = put(w, text)
        same(r.status, 422, name, r.body[:300])
        e = r.json()["errors"][0]
        same(e["field"], "policies", name)
        check(e["detail"] and words in e["detail"], name, e)
        if code:
            same(e["code"], code, name, e)
        if line:
            same(e["line"], line, name, e)
        if column:
            same(e["column"], column, name, e)
        if mend:
            check(e["mend"], name, "has no mend", e)
        if code != "utf8":
            report = ask(w, text).json()
            same((report["valid"], report["errors"], report["impact"]), (False, r.json()["errors"], []), name)
        same(law(w).law, before.law, name)
        same(w.get("/v1/documents/" + f.id, "heikki").status, 404, name)
        same(w.get("/v1/documents/" + f.id).status, 200, name)
    same(w.json("/v1/policies/versions")["versions"][1:], [])


def test_policies__every_fault_is_told():
    r = ask(shared(), "permit(principal, action resource);\nforbid(principal action, resource);\nhello;")
    errors = r.json()["errors"]
    same([e["line"] for e in errors], [1, 2, 3], errors)


def test_policies__beyond_one_mebibyte_are_refused_at_once():
    w = shared()
    head = "PUT /v1/policies HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nIf-Match: *\r\nContent-Length: %d\r\n\r\n"
    start = time.monotonic()
    said = raw(w.port, (head % (w.token("ylla"), 10 << 20)).encode())
    check(said.startswith(b"HTTP/1.1 413 "), said[:100])
    check(time.monotonic() - start < 3, "it waited for the body")
    for more in (10 << 20, 1):
        text = b"// " + b"x" * ((1 << 20) - 3 + more)
        try:
            r = w.send("POST", "/v1/policies/check", "ylla", dict(CEDAR), text)
            same(r.status, 413, more)
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused before all was sent
    r = ask(w, text_of(w) + "\n// " + "x" * ((1 << 20) - 4 - len(text_of(w).encode())))
    same((r.status, r.json()["valid"]), (200, True), r.body[:200])


def test_policies__in_a_body_of_another_form():
    w = shared()
    text = text_of(w)
    for body, field in (({}, "policies"), ({"policies": 7}, "policies"), ({"policies": text, "cases": []}, "cases"),
                        ({"policies": text, "reason": "x" * 5000}, "reason"), ({"policies": text, "more": 1}, "more"),
                        ({"policies": text, "schema": "entity User;"}, "schema"),
                        ({"policies": text, "cases": {"entities": {}, "sets": {}}}, "cases"),
                        ({"policies": text, "cases": {"entities": [{}], "sets": {}}}, "cases"),
                        ({"policies": text, "cases": {"entities": [], "sets": {"a": 1}}}, "cases")):
        r = put(w, body)
        same((r.status, r.json()["errors"][0]["field"]), (422, field), r.body[:300])
    for sent in (b"{", b"[]", b"7", b"\"x\"", b"", b"[" * 9000, b"{\"policies\":\"\\u0000\"}"):
        same(put(w, sent, Content_Type="application/json").status, 400, sent[:20])
    same(put(w, text, query="?dryRun=x").status, 400)
    r = put(w, {"policies": text, "schema": law(w).law["schema"]}, query="?dryRun=true")
    same(r.status, 200, r.body[:300])


def test_policies__a_case_that_fails_refuses_with_its_sentence():
    w = shared()
    r = put(w, without(text_of(w), "drafts"))
    same(r.status, 422)
    failed = [e for e in r.json()["errors"] if e["code"] == "case-failed"]
    same(len(failed), len(r.json()["errors"]))
    with open(os.path.join(TOP, "policies", "cases", "drafts.json"), encoding="utf-8") as f:
        sentences = [x["description"] for x in json.load(f)["requests"]]
    check(any(s in e["detail"] for s in sentences for e in failed), failed[:3])
    report = ask(w, without(text_of(w), "drafts")).json()
    same(report["valid"], True)
    check({c["set"] for c in report["cases"]["failed"]} >= {"drafts"})
    check(all(c["description"] and "expected" in c["detail"] for c in report["cases"]["failed"]))
    same(law(w).law["version"], 1)


def test_policies__may_be_changed_together_with_their_cases():
    w = Archive().serve()
    draft = w.file(state="draft", title="luonnos").id
    same(w.get("/v1/documents/" + draft, "pertti").status, 404)
    text = without(text_of(w), "drafts")
    cases = w.json("/v1/policies/cases")
    for s in cases["sets"].values():
        failed = {c["description"] for c in ask(w, text).json()["cases"]["failed"]}
        s["requests"] = [r for r in s["requests"] if r["description"] not in failed]
    r = ask(w, {"policies": text, "cases": cases}).json()
    same(r["cases"]["failed"], [])
    check("fewer-cases" in [x["code"] for x in r["warnings"]], r["warnings"])
    apply(w, {"policies": text, "cases": cases})
    same(w.json("/v1/policies/cases"), cases)
    same(w.get("/v1/documents/" + draft, "ulla").status, 200)
    bad = dict(cases, sets={"oma": {"requests": [dict(cases["sets"]["public"]["requests"][0], description="Väärin.",
                                                      decision="deny")]}})
    r = put(w, {"policies": text, "cases": bad})
    same(r.status, 422)
    check("Väärin." in r.json()["errors"][0]["detail"], r.body)
    same(w.stop(), 0)


def test_policies__that_lock_everybody_out_are_refused():
    w = shared()
    text = text_of(w)
    for locked in (without(text, "administer"),
                   text + "\n@id(\"x\") forbid(principal, action == Action::\"administer\", resource);",
                   text.replace('principal in Role::"admin"', 'principal == User::"eino"'), ""):
        report = ask(w, {"policies": locked, "cases": NO_CASES}).json()
        same((report["valid"], report["lockedOut"]), (True, True))
        for query in ("", "?dryRun=true"):
            r = put(w, {"policies": locked, "cases": NO_CASES}, query=query)
            same((r.status, r.json()["type"]), (409, "urn:arkki:problem:locked-out"), r.body[:200])
    same(law(w).law["version"], 1)
    same(w.get("/v1/status", "ylla").status, 200)


def test_policies__an_administrator_of_a_past_organisation_does_not_count():
    w = Archive()
    w.load({"orgs": [{"id": "mennyt", "kind": "county", "name": {"fi": "Mennyt"}, "to": "2020-01-01"}],
            "users": [{"id": "entinen", "org": "mennyt", "name": "E", "roles": ["admin"]}]})
    w.serve()
    only = 'permit(principal == User::"%s", action == Action::"administer", resource);'
    same(ask(w, {"policies": only % "entinen", "cases": NO_CASES}).json()["lockedOut"], True)
    same(ask(w, {"policies": only % "ylla", "cases": NO_CASES}).json()["lockedOut"], False)
    same(w.stop(), 0)


def test_policies__are_for_administrators_to_change():
    w = shared()
    text = text_of(w)
    for user in ("maija", "risto", "sirpa", "kone", "aino", "pertti", "helmi", "aada", "oskari", "hanna"):
        for r in (ask(w, text, user), put(w, text, user, etag='"x"'), put(w, text, user, etag=""),
                  put(w, "permit(", user), put(w, OPEN_ALL, user)):
            same(r.status, 403, user, r.body[:200])
    same(put(w, text, None).status, 401)
    same(ask(w, text, None).status, 401)
    same(law(w).law["version"], 1)


# ---- conditions ----

def test_policies__are_changed_only_as_they_were_read():
    w = Archive().serve()
    text, tag = text_of(w), law(w).header("ETag")
    same(put(w, text, etag="").status, 428)
    same(put(w, text, etag='"0123456789abcdef0123456789abcdef"').status, 412)
    same(put(w, text, etag="x").status, 400)
    same(put(w, "permit(", etag='"0123456789abcdef0123456789abcdef"').status, 412, "412 comes before 422")
    same(law(w).law["version"], 1)
    r = put(w, text + "//2\n", etag=law(w, language="sv").header("ETag"))
    same((r.status, r.json()["version"]), (200, 2))
    same(put(w, text, etag=tag).status, 412)
    same(r.header("ETag"), law(w).header("ETag"))
    same(put(w, text + "//3\n", etag=r.header("ETag")).json()["version"], 3)
    same(put(w, text, etag="*").json()["version"], 4)
    same(w.stop(), 0)


def test_policies__a_dry_run_changes_nothing():
    w = shared()
    text = text_of(w) + "\n// kokeeksi\n"
    r = put(w, text, query="?dryRun=true")
    same((r.status, r.json()["applied"], r.json()["version"]), (200, False, 1))
    report = ask(w, text).json()
    same({k: v for k, v in r.json().items() if k not in ("applied", "version")}, report)
    same(law(w).law["version"], 1)
    same(put(w, text, query="?dryRun=true", etag='"x"').status, 412)


def test_policies__are_looked_at_one_at_a_time():
    w = shared()
    text, got = text_of(w), []

    def one():
        got.append(ask(w, text))

    for _ in range(10):  # until two of them have met
        threads = [threading.Thread(target=one) for _ in range(8)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        if 503 in [r.status for r in got]:
            break
    statuses = {r.status for r in got}
    same(statuses, {200, 503})
    for r in got:
        if r.status == 503:
            same((r.json()["type"], r.header("Retry-After")), ("urn:arkki:problem:busy", "5"))


# ---- what a change does ----

def groups(report):
    return {(g["role"], g["orgKind"]): g for g in report["impact"]}


def total(w, user):
    return w.json("/v1/search?limit=1", user)["total"]


def test_policies__tell_how_much_they_show_and_hide():
    w = Archive()
    w.load({"users": [{"id": "heli", "org": "helsinki", "name": "Heli", "roles": ["inspector", "placer"]},
                      {"id": "ilman", "org": "hoiva-oy", "name": "I", "roles": []}]})
    w.serve()
    for i in range(3):
        w.file(publicity="secret", type="memo", content=b"salainen %d" % i, title="salainen %d" % i)
    for i in range(4):
        w.file(publicity="partly-secret", units=["lehtola"], content=b"osin %d" % i)
    w.file(content=b"julkinen")
    w.until_indexed()
    text = text_of(w)
    none = {"more": 0, "fewer": 0}
    quiet = ask(w, text).json()
    same(quiet["impactComplete"], True)
    check(all(g[m] == none for g in quiet["impact"] for m in ("readable", "content", "contentWithPurpose",
                                                              "publicRendition")))
    check(all(g["sentence"].startswith("nothing changes for role ") for g in quiet["impact"]))
    same((None, "provider") in groups(quiet), True, "an account without a role")

    more = text + """
@id("placers") @en("Placers read memos.")
permit(principal in Role::"placer", action in [Action::"list", Action::"read", Action::"readContent"], resource is Document)
when { principal.kind == "municipality" && resource.type == "memo" };"""
    r = ask(w, {"policies": more, "cases": w.json("/v1/policies/cases")})
    found = groups(r.json())
    same(found["placer", "municipality"]["readable"], {"more": 3, "fewer": 0})
    same(found["placer", "municipality"]["content"], none, "secrets need a purpose")
    same(found["placer", "municipality"]["contentWithPurpose"], {"more": 3, "fewer": 0})
    check("3 documents become readable to role placer (municipality)" in found["placer", "municipality"]["sentence"])
    same(found["inspector", "municipality"]["readable"], {"more": 3, "fewer": 0}, "who is a placer too")
    same(found["inspector", "county"]["readable"], none)
    check("salainen" not in r.body.decode(), "a title in the report")

    before = {u: total(w, u) for u in ("helmi", "heli", "heikki", "ulla", "hanna")}
    apply(w, {"policies": more, "cases": w.json("/v1/policies/cases")})
    same({u: total(w, u) - n for u, n in before.items()}, {"helmi": 3, "heli": 3, "heikki": 0, "ulla": 0, "hanna": 0})

    found = groups(ask(w, {"policies": without(more, "public-documents"), "cases": NO_CASES}).json())
    same(found["contact", "provider"]["readable"], {"more": 0, "fewer": 0}, "its own unit, addressed to it")
    same(found[None, "provider"]["readable"], {"more": 0, "fewer": 1})
    same(found[None, "provider"]["content"], {"more": 0, "fewer": 1})
    check("1 document stops being readable to role - (provider)" in found[None, "provider"]["sentence"])
    same(found["inspector", "state-agency"]["readable"], none)
    fi = w.send("POST", "/v1/policies/check", "ylla", dict(JSON, **{"Accept-Language": "fi"}),
                json.dumps({"policies": without(more, "public-documents"), "cases": NO_CASES})).json()
    check("1 asiakirja lakkaa näkymästä roolille" in groups(fi)[None, "provider"]["sentence"])
    same(w.stop(), 0)


def test_policies__are_in_force_at_once():
    w = Archive().serve()
    f = w.file(publicity="partly-secret", title="kanariansininen", content=b"kanariansininen kertomus")
    w.until_indexed()
    text = text_of(w)
    wide = text + "\n@id(\"heikki\") permit(principal == User::\"heikki\", action, resource is Document);"

    def seen():
        return (w.get("/v1/documents/" + f.id, "heikki").status,
                w.get("/v1/documents/%s/versions/1/content" % f.id, "heikki").status,
                len(w.json("/v1/documents", "heikki")["documents"]),
                w.json("/v1/search?q=kanariansininen", "heikki")["total"],
                len([c for c in w.json("/v1/changes", "heikki")["changes"] if c["document"] == f.id]))

    hidden = (404, 404, 0, 0, 0)
    same(seen(), hidden)
    for _ in range(2):
        apply(w, wide)
        same(seen(), (200, 200, 1, 1, 1))
        apply(w, text)
        same(seen(), hidden)
    same(w.stop(), 0)


def test_policies__a_waiting_poll_does_not_keep_the_old_ones():
    w = Archive().serve()
    text = text_of(w)
    apply(w, text + "\n@id(\"heikki\") permit(principal == User::\"heikki\", action, resource is Document);")
    cursor = w.json("/v1/changes", "heikki")["next"]
    got = []

    def wait():
        got.append(w.json("/v1/changes?wait=20&after=" + cursor, "heikki"))

    t = threading.Thread(target=wait)
    t.start()
    time.sleep(0.5)
    start = time.monotonic()
    apply(w, text)
    w.file(publicity="secret", title="ei enää")
    t.join()
    same(got[0]["changes"], [])
    check(time.monotonic() - start < 10, "it waited on")
    same(w.stop(), 0)


def test_policies__leave_an_entry_in_the_history():
    w = Archive().serve()
    before = [e for e in w.audit(log="history") if e["principal"] == "ylla"]
    apply(w, {"policies": text_of(w) + "\n// x\n"}, Arkki_Purpose="saannot")
    new = [e for e in w.audit(log="history") if e["principal"] == "ylla"][len(before):]
    same([e["kind"] for e in new], ["record"])
    check(new[0]["detail"]["record"].startswith("policies/"), new[0])
    same(list(new[0]["detail"]["objects"]), ["m0002"])
    put(w, "permit(")
    same(len([e for e in w.audit(log="history") if e["principal"] == "ylla"]), len(before) + 1)
    same(w.stop(), 0)


def test_policies__warn_of_what_lists_cannot_ask():
    r = ask(shared(), text_of(shared()) + """
@id("odd") permit(principal, action == Action::"read", resource is Document) when { principal.counties.containsAll(resource.counties) };
permit(principal, action == Action::"read", resource is Document) when { resource.state == "x" };
@id("odd") permit(principal, action == Action::"read", resource is Document) when { resource.state == "x" };""").json()
    same(r["valid"], True)
    codes = sorted((x["code"], x["policy"]) for x in r["warnings"])
    check(("filter", "odd") in codes, codes)
    same(len([c for c in codes if c[0] == "id"]), 2, codes)


# ---- the command line ----

def write(w, text, name="new.cedar"):
    path = os.path.join(w.top, name)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return path


def policy(w, *args, code=0):
    p = w.run("policy", *args)
    same(p.returncode, code, args, p.stdout, p.stderr)
    return p


def test_policies__are_shown_and_applied_by_the_command_line():
    w = Archive().serve()
    text = text_of(w)
    same(policy(w, "show", w.dir).stdout, text)
    new = write(w, without(text, "break-glass") + '\n@id("x") permit(principal, action == Action::"read", resource is '
                'Document) when { resource.type == "no-such" };\n')
    p = policy(w, "apply", w.dir, new, "--user", "ylla", "--dry-run", code=1)
    check("a case fails:" in p.stdout and "break-glass" in p.stdout and "stay as they are" in p.stderr, p.stdout)
    good = write(w, text + "\n// lisä\n")
    p = policy(w, "apply", w.dir, good, "--user", "ylla", "--dry-run")
    check("no document is shown or hidden" in p.stdout and "cases pass" in p.stdout, p.stdout)
    p = policy(w, "apply", w.dir, good, "--user", "ylla", code=2)
    check("--yes" in p.stderr, p.stderr)
    same(law(w).law["version"], 1)
    p = policy(w, "apply", w.dir, good, "--user", "ylla", "--yes", "--reason", "kokeeksi")
    check("version 2 of the policies is in force" in p.stdout, p.stdout)
    same(law(w).law["policies"], text + "\n// lisä\n")
    same(policy(w, "show", w.dir, "--version", "1").stdout, text)
    lines = policy(w, "versions", w.dir).stdout.splitlines()
    same(len(lines), 2)
    check(lines[1].startswith("2  ") and "ylla" in lines[1] and lines[1].endswith("kokeeksi"), lines)
    p = policy(w, "apply", w.dir, write(w, "permit(principal, action resource);"), "--user", "ylla", "--yes", code=1)
    check("new.cedar:1:26: error: " in p.stdout and "mend: " in p.stdout, p.stdout)
    p = policy(w, "apply", w.dir, good, "--user", "maija", "--yes", code=1)
    check("administrators" in p.stderr, p.stderr)
    policy(w, "apply", w.dir, good, "--user", "nobody", "--yes", code=1)
    policy(w, "apply", w.dir, os.path.join(w.top, "none"), "--user", "ylla", "--yes", code=1)
    policy(w, "apply", w.dir, good, "--yes", code=2)
    policy(w, "show", w.dir, "--version", "3", code=1)
    policy(w, "show", w.dir, "--version", "x", code=1)
    cases = write(w, json.dumps(dict(json.loads(policy(w, "cases", w.dir).stdout), sets={})), "cases.json")
    p = policy(w, "apply", w.dir, write(w, text), "--user", "ylla", "--yes", "--cases", cases)
    check("warning: There are 0 cases" in p.stdout, p.stdout)
    same(law(w).law["version"], 3)
    p = policy(w, "restore", w.dir, code=1)
    check("in use" in p.stderr, p.stderr)
    same(w.stop(), 0)


def test_policies__are_applied_and_restored_without_a_server():
    w = Archive()
    text = policy(w, "show", w.dir).stdout
    p = policy(w, "apply", w.dir, write(w, text + "\n// ilman palvelinta\n"), "--user", "ylla", "--yes")
    check("version 2" in p.stdout)
    p = policy(w, "restore", w.dir)
    check("version 3 of the policies is in force: what version 1 says" in p.stdout, p.stdout)
    p = policy(w, "restore", w.dir, "--version", "2")
    check("what version 2 says" in p.stdout, p.stdout)
    check("what arkki ships" in policy(w, "restore", w.dir, "--shipped").stdout)
    policy(w, "restore", w.dir, "--version", "9", code=1)
    policy(w, "restore", w.dir, "--version", "0", code=2)
    policy(w, "restore", w.dir, "--version", "1", "--shipped", code=2)
    same(len(policy(w, "versions", w.dir).stdout.splitlines()), 5)
    same(w.verify("--full").returncode, 0)
    w.serve()
    same(law(w).law["policies"], text)
    check([e for e in w.audit(log="history") if e["principal"] == "operator" and
           e.get("detail", {}).get("record", "").startswith("policies/")], "no entry of the restoring")
    same(w.stop(), 0)


def test_policies__asks_on_a_terminal():
    w = Archive()
    path = write(w, policy(w, "show", w.dir).stdout + "\n// kysyen\n")
    for answer, code in ((b"n\n", 1), (b"\n", 1), (b"y\n", 0)):
        master, slave = os.openpty()
        e = dict(os.environ, ARKKI_ROOT_KEY_FILE=w.key)
        p = subprocess.Popen([BIN, "policy", "apply", w.dir, path, "--user", "ylla"], env=e, stdin=slave,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        os.write(master, answer)
        out, err = p.communicate(timeout=60)
        os.close(master)
        os.close(slave)
        same(p.returncode, code, answer, out, err)
        check(b"put these policies in force? [y/N]" in err, err)
    same(len(policy(w, "versions", w.dir).stdout.splitlines()), 2)


def test_command__checks_policies_and_tells_what_lists_cannot_ask():
    w = world()
    path = os.path.join(w.top, "check.cedar")

    def checked(text, *more):
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        p = arkki("policy", "check", path, *more)
        return p.returncode, p.stdout.replace(path + ":", "")

    shipped = os.path.join(TOP, "policies", "arkki.cedar")
    p = arkki("policy", "check", shipped)
    same((p.returncode, p.stdout), (0, "0 errors, 0 warnings\n"))
    code, said = checked("permit (principal, action, resource is Document)\nwhen { resource.typ == \"memo\" };\n")
    same(code, 1)
    check(said.startswith("2:8: error: ") and "mend: did you mean `type`?" in said, said)
    code, said = checked("permit (principal, action, resource is Document)\n  when { resource.type like \"m*o\" };\n")
    same(code, 0)
    check("2:10: warning: this cannot be asked of lists" in said and said.endswith("0 errors, 1 warnings\n"), said)
    code, said = checked("permit (principal, action, resource)", "--schema",
                         os.path.join(TOP, "policies", "arkki.cedarschema"))
    same(code, 1)
    check("semicolon" in said, said)
