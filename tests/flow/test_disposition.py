"""How long documents are kept, who may stop that, and that a destroyed document is nowhere any more.
The documents, people and units are made up."""

import hashlib
import io
import json
import os
import shutil
import subprocess
import time
import zipfile

from arkki_flow import TOP, Archive, arkki, check, same

PURPOSE = {"Arkki_Purpose": "siirto", "Arkki_Case": "c1"}
JSON = {"Content-Type": "application/json", "Accept-Language": "en"}
ROWS = [
    {"id": "default", "type": "*", "years": 12, "from": "case-closed", "then": "review"},
    {"id": "reports", "type": "inspection-report", "years": 0, "from": "document-date", "then": "destroy"},
    {"id": "letters", "type": "hearing-letter", "years": 0, "from": "document-date", "then": "transfer"},
    {"id": "reports-of-pirha", "type": "inspection-report", "org": "pirha", "years": 50, "from": "filed", "then": "destroy"},
]
# words that stand nowhere else: title, file name, text
TITLE, NAME, TEXT = "Kvarttisiiliraportti", "pajuvasamuistio", "Tulppaanimyrsky kaatoi hirsilautan"


def send(w, method, path, user, body=None, headers=None):
    return w.send(method, path, user, dict(JSON, **(headers or {})), None if body is None else json.dumps(body).encode())


def table(w, rows, user="ylla"):
    r = send(w, "PUT", "/v1/retention", user, {"rows": rows},
             {"If-Match": w.get("/v1/retention", "ylla").header("ETag")})
    return r


def begun(rows=ROWS):
    w = Archive().serve()
    same(table(w, rows).status, 200)
    return w


def due(w, user="risto", query=""):
    found, cursor = [], ""
    while True:
        r = w.json("/v1/retention/due?limit=2" + query + cursor, user)
        found += r["due"]
        if not r["next"]:
            return found
        cursor = "&cursor=" + r["next"]


def hold(w, doc, user="sirpa", **body):
    return send(w, "POST", "/v1/documents/%s/hold" % doc, user, dict({"reason": "kantelu vireillä"}, **body))


def propose(w, doc, user="risto", action="destroy"):
    return send(w, "POST", "/v1/documents/%s/dispose" % doc, user, {"action": action, "ground": "säilytysaika päättynyt"})


def approve(w, doc, user="raija"):
    return send(w, "POST", "/v1/documents/%s/dispose/approve" % doc, user)


def run(w):
    p = w.run("dispose", w.dir, "run")
    same(p.returncode, 0, "dispose run", p.stderr)
    return p.stdout.strip()


def doomed(w, **more):
    f = w.file(title=TITLE, name=NAME + ".txt", content=(TEXT + "\n").encode(), **more)
    same(propose(w, f.id).status, 201)
    same(approve(w, f.id).status, 200)
    return f


def kinds(w, doc):
    return [e["kind"] for e in w.audit(log="history", document=doc)]


def everywhere(top, words):
    """Files below top in which one of the words stands, in any of the encodings."""
    sought = [s for x in words for y in (x, x.lower()) for s in (y.encode(), y.encode("utf-16-le"), y.encode("utf-16-be"))]
    found = []
    for at, _, names in os.walk(top):
        for name in names:
            path = os.path.join(at, name)
            if os.path.isfile(path):
                with open(path, "rb") as f:
                    data = f.read()
                found += [(path, s) for s in sought if s in data or s in name.encode()]
    return found


# ---- the table ----

def test_retention__shipped_rows_stand_until_an_administrator_files_others():
    w = Archive().serve()
    r = w.get("/v1/retention", "helmi")
    same(r.json()["version"], 0)
    check("default" in [x["id"] for x in r.json()["rows"]])
    same(table(w, ROWS, "risto").status, 403)
    same(table(w, ROWS).json(), {"version": 1, "rows": 4})
    same(w.json("/v1/retention", "helmi"), {"version": 1, "rows": ROWS})
    same(table(w, ROWS[:1]).status, 200)
    same(w.json("/v1/retention?version=1", "helmi")["rows"], ROWS)
    same(w.get("/v1/retention?version=9").status, 404)
    same(send(w, "PUT", "/v1/retention", "ylla", {"rows": ROWS}).status, 428)
    same(send(w, "PUT", "/v1/retention", "ylla", {"rows": ROWS}, {"If-Match": r.header("ETag")}).status, 412)


def test_retention__a_malformed_table_changes_nothing():
    w = Archive().serve()
    row = ROWS[1]
    for bad in ([], [dict(row, years=-1)], [dict(row, years=2.5)], [dict(row, then="burn")], [row, row], "x",
                [dict(row), dict(row, id="other")], [dict(row, type="A b")], [dict(row, surprise=1)]):
        same(table(w, bad).status, 400, bad)
    same(w.json("/v1/retention")["version"], 0)


def test_retention__the_most_specific_row_wins_and_what_is_due_is_listed():
    w = begun()
    report = w.file(date="2026-03-12").id
    w.file(date="2030-01-01")
    w.file(type="supervision-decision", date="2000-01-01", case="c1")
    letter = w.file(type="hearing-letter", date="2026-05-01").id
    same(sorted((d["document"], d["since"], d["row"], d["then"], d["held"], d["proposal"]) for d in due(w)),
         sorted([(report, "2026-03-13", "reports", "destroy", False, "none"),
                 (letter, "2026-05-02", "letters", "transfer", False, "none")]))
    same([d["document"] for d in due(w, query="&at=2026-03-13")], [report])
    same(due(w, query="&at=2026-03-12"), [])
    same(due(w, query="&unit=lehtola"), [])
    same(w.get("/v1/retention/due", "maija").status, 403)
    for bad in ("at=x", "limit=0", "cursor=zz"):
        same(w.get("/v1/retention/due?" + bad, "risto").status, 400, bad)
    p = w.run("retention", "due", w.dir, "--user", "risto")
    same(p.returncode, 0, p.stderr)
    same(len(p.stdout.splitlines()), 2, p.stdout)


# ---- holds ----

def test_hold__wins_over_everything_and_is_in_the_history():
    w = begun()
    f = w.file().id
    same(send(w, "POST", "/v1/documents/%s/hold" % f, "sirpa", {}).status, 422)
    same(hold(w, f, "helmi").status, 403)
    same(hold(w, f, until="2020-01-01").status, 422)
    same(propose(w, f).status, 201)
    same(hold(w, f).status, 201)
    same(w.json("/v1/documents/%s/hold" % f, "risto")["state"], "held")
    same(approve(w, f).status, 409)
    same([d["held"] for d in due(w)], [True])
    other = w.file().id
    same(hold(w, other).status, 201)
    same(propose(w, other).json()["type"], "urn:arkki:problem:held")
    url = "/v1/documents/%s/hold" % f
    same(send(w, "DELETE", url, "sirpa", {"reason": "kantelu ratkaistu"}).status, 204)
    same(send(w, "DELETE", url, "sirpa", {"reason": "taas"}).status, 409)
    same(approve(w, f).status, 200)
    same(hold(w, f).status, 201)
    same(run(w), "destroyed 0, on hold 1, awaiting the receiver 0")
    same(w.get("/v1/documents/" + f).status, 200)
    same(kinds(w, f), ["filing", "disposal-proposed", "hold", "hold-released", "disposal-approved", "hold"])


# ---- two people ----

def test_dispose__takes_two_people_and_only_what_is_due():
    w = begun()
    f = w.file().id
    same(propose(w, f, "maija").status, 403)
    same(propose(w, w.file(date="2100-01-01").id).json()["type"], "urn:arkki:problem:not-due")
    same(propose(w, f, action="transfer").json()["type"], "urn:arkki:problem:other-action")
    same(propose(w, f, action="burn").status, 422)
    same(approve(w, f).status, 409)
    same(propose(w, f).status, 201)
    same(propose(w, f).status, 409)
    same(approve(w, f, "risto").status, 403)
    same(run(w), "destroyed 0, on hold 0, awaiting the receiver 0")
    same(w.send("DELETE", "/v1/documents/%s/dispose" % f, "risto").status, 204)
    same(approve(w, f).status, 409)
    same(propose(w, f, "raija").status, 201)
    same(approve(w, f, "risto").status, 200)
    same(w.json("/v1/documents/%s/dispose" % f, "risto")["state"], "approved")


def test_dispose__a_transfer_waits_until_the_receiver_has_it():
    w = begun()
    f = w.file(type="hearing-letter").id
    same(propose(w, f, action="transfer").status, 201)
    same(approve(w, f).status, 200)
    same(run(w), "destroyed 0, on hold 0, awaiting the receiver 1")
    same(w.get("/v1/documents/" + f).status, 200)
    url = "/v1/documents/%s/dispose/confirm" % f
    same(send(w, "POST", url, "raija", {}).status, 422)
    same(send(w, "POST", url, "raija", {"confirmation": "KA/99/2026"}).status, 200)
    same(run(w), "destroyed 1, on hold 0, awaiting the receiver 0")
    same(w.get("/v1/documents/" + f).json()["tombstone"]["action"], "transfer")


# ---- the package of a transfer ----

def letter(w, **more):
    f = w.file(type="hearing-letter", **more)
    same(propose(w, f.id, action="transfer").status, 201)
    same(approve(w, f.id).status, 200)
    return f


def packaged(w, doc, user="raija", newer_than=None):
    """The proposal once its package is made, and the package."""
    for _ in range(200):
        p = w.json("/v1/documents/%s/dispose" % doc, user)
        if p["state"] == "packaged" and p["package"] != newer_than:
            break
        time.sleep(0.05)
    same(p["state"], "packaged")
    return p


def fetched(w, doc, user="raija"):
    for _ in range(200):
        r = w.get("/v1/documents/%s/dispose/package" % doc, user, **PURPOSE)
        if r.status != 503:
            break
        same(r.json()["type"], "urn:arkki:problem:package-not-ready")
        time.sleep(0.05)
    same(r.status, 200, r.body[:300])
    return r.body


def confirm(w, doc, **body):
    return send(w, "POST", "/v1/documents/%s/dispose/confirm" % doc, "raija", dict({"confirmation": "KA/99/2026"}, **body))


def judged(w, body):
    path = os.path.join(w.top, "siirto.zip")
    with open(path, "wb") as f:
        f.write(body)
    vkey = w.run("log", "vkey", w.dir, "history").stdout.strip()
    return arkki("export", "verify", path, "--vkey", vkey)


def test_transfer__package_is_made_checked_and_named_by_the_tombstone():
    w = begun()
    f = w.file(type="hearing-letter", publicity="secret", content="Siirrettävä kirje\n".encode(), name="kirje.txt")
    w.version(f.id, "Siirrettävä kirje II\n".encode())
    same(w.get("/v1/documents/%s/dispose/package" % f.id, "raija", **PURPOSE).status, 409)
    same(propose(w, f.id, action="transfer").status, 201)
    same(confirm(w, f.id).status, 409)
    same(approve(w, f.id).status, 200)
    p = packaged(w, f.id)
    same([(x["version"], x["sha256"]) for x in p["packages"]], [(2, p["package"])])
    same(w.get("/v1/documents/%s/dispose/package" % f.id, "maija", **PURPOSE).status, 403)
    same(w.get("/v1/documents/%s/dispose/package" % f.id, "helmi").status, 404)
    same(w.get("/v1/documents/%s/dispose/package" % f.id, "raija").status, 403)
    body = fetched(w, f.id)
    same(hashlib.sha256(body).hexdigest(), p["package"])
    judgement = judged(w, body)
    same(judgement.returncode, 0, judgement.stderr)
    with zipfile.ZipFile(io.BytesIO(body)) as z:
        texts = [z.read(n) for n in z.namelist() if "/content/" in n]
    same(sorted(texts), ["Siirrettävä kirje\n".encode(), "Siirrettävä kirje II\n".encode()])
    same([(e["principal"], e["version"]) for e in w.audit(document=f.id)
          if e["kind"] == "export" and e["outcome"] == "ok"], [("operator", 1), ("operator", 2), ("raija", 2)])  # before the command line
    path = os.path.join(w.top, "kirje.zip")
    order = ("dispose", w.dir, "package", "--document", f.id, "--user", "raija", "--to", path)
    refused = w.run(*order)
    check(refused.returncode == 1 and not os.path.exists(path), refused.stderr)
    same(w.run(*order, "--purpose", "siirto", "--case", "c1").returncode, 0)
    with open(path, "rb") as z:
        same(hashlib.sha256(z.read()).hexdigest(), p["package"])
    same(run(w), "destroyed 0, on hold 0, awaiting the receiver 1")
    same(confirm(w, f.id, package="0" * 64).json()["type"], "urn:arkki:problem:other-package")
    same(confirm(w, f.id, package=p["package"]).status, 200)
    same(w.get("/v1/documents/%s/dispose/package" % f.id, "raija", **PURPOSE).status, 409)
    same(run(w), "destroyed 1, on hold 0, awaiting the receiver 0")
    stone = w.get("/v1/documents/" + f.id, "raija").json()["tombstone"]
    same((stone["action"], stone["package"], stone["confirmation"]), ("transfer", p["package"], "KA/99/2026"))
    check("disposal-packaged" in stone["history"], stone)
    same(kinds(w, f.id), ["filing", "version", "disposal-proposed", "disposal-approved", "disposal-packaged",
                          "disposal-received", "destruction", "destroyed"])
    w.stop()
    same(w.verify("--full").returncode, 0)
    read_by_stranger(w)


def test_transfer__what_was_filed_after_the_package_is_not_lost():
    w = begun()
    f = letter(w)
    first = packaged(w, f.id)["package"]
    w.version(f.id, b"myohastynyt\n")
    same(confirm(w, f.id, package=first).status, 200)
    same(w.send("PATCH", "/v1/documents/" + f.id, "maija",
                {"Content-Type": "application/json", "If-Match": w.get("/v1/documents/" + f.id).header("ETag")},
                json.dumps({"title": "Toinen"})).status, 412)
    same(run(w), "destroyed 0, on hold 0, awaiting the receiver 1")
    same(w.get("/v1/documents/%s/versions/2/content" % f.id).body, b"myohastynyt\n")
    second = packaged(w, f.id, newer_than=first)
    same([x["version"] for x in second["packages"]], [2])
    same(confirm(w, f.id, package=first).status, 409)
    same(confirm(w, f.id).status, 200)
    same(run(w), "destroyed 1, on hold 0, awaiting the receiver 0")


def test_transfer__a_restart_makes_the_package_anew_and_either_may_be_confirmed():
    w = begun()
    f = letter(w)
    first = packaged(w, f.id)["package"]
    fetched(w, f.id)
    w.stop()
    w.serve()
    body = fetched(w, f.id)
    p = packaged(w, f.id)
    check(p["package"] != first, "a new one")
    same([x["sha256"] for x in p["packages"]], [first, hashlib.sha256(body).hexdigest()])
    same(confirm(w, f.id, package=first).status, 200)
    same(run(w), "destroyed 1, on hold 0, awaiting the receiver 0")
    same(w.get("/v1/documents/" + f.id).json()["tombstone"]["package"], first)


def test_transfer__a_hold_keeps_the_package_from_being_made_and_a_withdrawal_drops_it():
    w = begun()
    f = w.file(type="hearing-letter").id
    same(propose(w, f, action="transfer").status, 201)
    same(approve(w, f).status, 200)
    packaged(w, f)
    same(w.send("DELETE", "/v1/documents/%s/dispose" % f, "risto").status, 204)
    same(w.get("/v1/documents/%s/dispose/package" % f, "raija", **PURPOSE).status, 409)
    same(propose(w, f, action="transfer").status, 201)
    same(approve(w, f).status, 200)
    packaged(w, f)
    same(hold(w, f).status, 201)
    same(confirm(w, f).status, 200)
    same(run(w), "destroyed 0, on hold 1, awaiting the receiver 0")
    same(w.get("/v1/documents/" + f).status, 200)


# ---- by itself ----

def test_disposer__goes_on_at_start_where_it_was_killed():
    w = configured("dispose-every 1s")
    docs = [doomed(w, date="2026-03-%02d" % d).id for d in range(10, 14)]
    for _ in range(400):
        if w.get("/v1/documents/" + docs[0]).status == 410:
            break
        time.sleep(0.01)
    w.process.kill()
    w.process.wait()
    conf = os.path.join(w.dir, "arkki.conf")
    with open(conf, encoding="utf-8") as f:
        text = f.read()
    with open(conf, "w", encoding="utf-8") as f:
        f.write(text.replace("dispose-every 1s", "dispose-every no"))
    w.serve()
    states = [w.get("/v1/documents/" + d) for d in docs]
    same({r.json()["tombstone"]["state"] for r in states if r.status == 410}, {"destroyed"})
    run(w)
    same([w.get("/v1/documents/" + d).status for d in docs], [410] * 4)
    w.stop()
    same(w.verify("--full").returncode, 0)


def configured(line, rows=ROWS):
    w = Archive()
    with open(os.path.join(w.dir, "arkki.conf"), "a", encoding="utf-8") as f:
        f.write(line + "\n")
    w.serve()
    same(table(w, rows).status, 200)
    return w


def standing(w):
    p = w.run("dispose", w.dir, "status")
    same(p.returncode, 0, p.stderr)
    return p.stdout


def maintenance(w):
    return [e for e in w.audit() if e["kind"] == "maintenance" and e["detail"]["job"] == "dispose"]


def test_disposer__carries_out_what_is_approved_and_passes_over_what_is_held():
    w = configured("dispose-every 1s")
    same(maintenance(w), [])
    gone, held = w.file().id, w.file().id
    same(hold(w, held).status, 201)
    same(send(w, "DELETE", "/v1/documents/%s/hold" % held, "sirpa", {"reason": "ohi"}).status, 204)
    same(propose(w, held).status, 201)
    same(hold(w, held).status, 201)
    same(approve(w, held).status, 409)
    same(propose(w, gone).status, 201)
    time.sleep(1.5)
    same(w.get("/v1/documents/" + gone).status, 200)
    same(approve(w, gone).status, 200)
    for _ in range(200):
        if w.get("/v1/documents/" + gone).status == 410:
            break
        time.sleep(0.05)
    for _ in range(200):
        if '"destroyed"' in json.dumps(w.get("/v1/documents/" + gone).json()):
            break
        time.sleep(0.05)
    same(w.get("/v1/documents/" + gone).json()["tombstone"]["state"], "destroyed")
    same(w.get("/v1/documents/" + held).status, 200)
    time.sleep(2.2)
    same(len(maintenance(w)), 1)
    said = standing(w)
    check("every 1 seconds" in said and "destroyed 1" in said, said)


def test_disposer__hold_after_the_approval_wins():
    w = configured("dispose-every no")
    f = doomed(w).id
    same(hold(w, f).status, 201)
    w.stop()
    with open(os.path.join(w.dir, "arkki.conf"), encoding="utf-8") as conf:
        text = conf.read().replace("dispose-every no", "dispose-every 1s")
    with open(os.path.join(w.dir, "arkki.conf"), "w", encoding="utf-8") as conf:
        conf.write(text)
    w.serve()
    time.sleep(2.5)
    same(w.get("/v1/documents/" + f).status, 200)
    check("on hold 1" in standing(w), standing(w))
    same(maintenance(w), [])
    same(send(w, "DELETE", "/v1/documents/%s/hold" % f, "sirpa", {"reason": "ohi"}).status, 204)
    for _ in range(200):
        if w.get("/v1/documents/" + f).status == 410:
            break
        time.sleep(0.05)
    same(w.get("/v1/documents/" + f).status, 410)


def test_disposer__is_off_when_it_is_told_so():
    w = configured("dispose-every no")
    f = doomed(w).id
    time.sleep(2)
    same(w.get("/v1/documents/" + f).status, 200)
    said = standing(w)
    check("only when told" in said and "to be destroyed 1" in said, said)
    same(run(w), "destroyed 1, on hold 0, awaiting the receiver 0")


def test_disposer__a_setting_that_is_none_is_refused():
    for bad in ("dispose-every 0s", "dispose-every soon", "dispose-every 5", "dispose-every 31d", "dispose-every 1hh"):
        w = Archive()
        with open(os.path.join(w.dir, "arkki.conf"), "a", encoding="utf-8") as f:
            f.write(bad + "\n")
        p = w.run("serve", w.dir, "--listen", "127.0.0.1:0")
        check(p.returncode == 1 and "dispose-every" in p.stderr, bad, p.stderr)


def test_dispose_run__passes_over_what_the_table_keeps_longer_by_now():
    w = begun()
    f = doomed(w).id
    same(table(w, [dict(r, years=90) for r in ROWS]).status, 200)
    same(run(w), "destroyed 0, on hold 0, awaiting the receiver 0, not due any more 1")
    same(w.get("/v1/documents/" + f).status, 200)
    same(table(w, ROWS).status, 200)
    same(run(w), "destroyed 1, on hold 0, awaiting the receiver 0")


# ---- destruction ----

def test_destroyed__document_is_gone_and_a_tombstone_says_so():
    w = begun()
    f = doomed(w, publicity="partly-secret")
    stays = w.file(title="Jatkuva", content="Sateenkaari pysyy\n".encode())
    w.version(f.id, (TEXT + " toistamiseen\n").encode())
    w.until_indexed()
    same(run(w), "destroyed 1, on hold 0, awaiting the receiver 0")
    r = w.get("/v1/documents/" + f.id)
    same(r.status, 410, r.body)
    stone = r.json()["tombstone"]
    same((stone["document"], stone["state"], stone["type"], stone["units"], stone["versions"], stone["author"],
          stone["proposedBy"], stone["approvedBy"], stone["publicity"]),
         (f.id, "destroyed", "inspection-report", ["koivula"], 2, "lvv", "risto", "raija", {"class": "partly-secret"}))
    check("title" not in json.dumps(stone) and TITLE not in json.dumps(stone), stone)
    for path in ("/versions", "/versions/1", "/versions/1/content", "/versions/2/text", "/hold", "/history"):
        same(w.get("/v1/documents/" + f.id + path).status, 410, path)
    same(w.get("/v1/documents/" + f.id, "helmi").status, 404)
    same([d["id"] for d in w.listed()], [stays.id])
    same(w.json("/v1/search?q=Tulppaanimyrsky")["total"], 0)
    same(w.json("/v1/search?q=Sateenkaari")["total"], 1)
    same(hold(w, f.id).status, 410)
    same(propose(w, f.id).status, 410)
    same(w.get("/v1/documents/%s/versions/1/content" % stays.id).body, "Sateenkaari pysyy\n".encode())
    same(kinds(w, f.id), ["filing", "disposal-proposed", "disposal-approved", "version", "destruction", "destroyed"])
    same(run(w), "destroyed 0, on hold 0, awaiting the receiver 0")
    late = w.file(title="Uusi", content=b"Uusi asiakirja\n")
    w.until_indexed()
    same(w.json("/v1/search?q=asiakirja")["total"], 1)
    p = w.verify("--full")
    same(p.returncode, 0, p.stdout, p.stderr)
    check("1 destroyed" in p.stdout, p.stdout)
    w.stop()
    p = w.run("rebuild", w.dir, "catalogue")
    same(p.returncode, 0, p.stderr)
    w.serve()
    same(w.get("/v1/documents/" + f.id).status, 410)
    same(sorted(d["id"] for d in w.listed()), sorted([stays.id, late.id]))
    w.stop()
    p = w.verify("--full")
    same(p.returncode, 0, p.stdout, p.stderr)


def test_destroyed__no_word_of_it_is_in_any_file():
    w = begun()
    f = doomed(w)
    w.version(f.id, (TEXT + " toistamiseen\n").encode(), {"title": TITLE + " II"})
    w.until_indexed()
    same(w.json("/v1/search?q=Tulppaanimyrsky")["total"], 1)
    derived = os.path.join(w.dir, "derived", f.id[:2])
    check([n for n in os.listdir(derived) if n.startswith(f.id)], "there was a text")
    check(everywhere(os.path.join(w.dir, "index"), TEXT.split()), "the index held it before")
    same(run(w), "destroyed 1, on hold 0, awaiting the receiver 0")
    same([n for n in os.listdir(derived) if n.startswith(f.id)], [])
    same(everywhere(w.top, [TITLE, NAME, *TEXT.split(), "toistamiseen"]), [])
    w.stop()
    same(everywhere(w.top, [TITLE, NAME, *TEXT.split(), "toistamiseen"]), [])


def test_destroyed__an_older_backup_cannot_be_opened_with_the_keys_of_today():
    w = begun()
    f = doomed(w)
    w.until_indexed()
    w.stop()
    backup = os.path.join(w.top, "backup")
    shutil.copytree(w.dir, backup, ignore=shutil.ignore_patterns("keys", "index"))
    w.serve()
    run(w)
    w.stop()
    for name in os.listdir(backup):
        path = os.path.join(w.dir, name)
        if os.path.isdir(path):
            shutil.rmtree(path)
            shutil.copytree(os.path.join(backup, name), path)
        else:
            shutil.copy2(os.path.join(backup, name), path)
    for wal in ("catalogue.sqlite-wal", "catalogue.sqlite-shm", "state.sqlite-wal", "state.sqlite-shm"):
        if os.path.exists(os.path.join(w.dir, wal)):
            os.remove(os.path.join(w.dir, wal))
    p = w.verify("--full")
    check("destroyed" in p.stdout + p.stderr, p.stdout, p.stderr)
    shutil.rmtree(os.path.join(w.dir, "index"))
    os.mkdir(os.path.join(w.dir, "index"))
    w.serve()
    for path in ("", "/versions/1/content", "/versions/1/text"):
        r = w.get("/v1/documents/" + f.id + path)
        check(r.status in (404, 410, 500, 503), path, r.status)
        check(TEXT.encode() not in r.body and TITLE.encode() not in r.body, path)
    w.stop()
    for what in ("catalogue", "index"):
        p = w.run("rebuild", w.dir, what)
        same(p.returncode, 0, p.stderr)
    same(everywhere(w.top, [TITLE, NAME, *TEXT.split()]), [])
    w.serve()
    same(w.listed(), [])
    w.file(title="Uusi", content=b"Uusi asiakirja\n")
    w.until_indexed()
    same(w.json("/v1/search?q=asiakirja")["total"], 1)


def read_by_stranger(w):
    """The reader in another language agrees that all is well."""
    if shutil.which("node"):
        p = subprocess.run(["node", os.path.join(TOP, "tests", "reader", "reader.mjs"), w.dir, w.key, "verify"],
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
        same(p.returncode, 0, p.stdout[-600:])


def test_destroyed__one_change_of_keys_for_a_batch():
    w = begun()
    gone = [doomed(w, date="2026-03-%02d" % d) for d in range(10, 20)]
    kept = [w.file(title="Pysyvä %d" % i, content=b"pysyva %d\n" % i, date="2031-01-01") for i in range(5)]
    same(run(w), "destroyed 10, on hold 0, awaiting the receiver 0")
    for f in gone:
        same(w.get("/v1/documents/" + f.id).status, 410)
    for i, f in enumerate(kept):
        same(w.get("/v1/documents/%s/versions/1/content" % f.id).body, b"pysyva %d\n" % i)
    with open(w.key, encoding="ascii") as f:
        same(f.read().split()[1], "2")
    w.stop()
    same(w.verify("--full").returncode, 0)
    read_by_stranger(w)


def test_dispose_run__works_without_a_server():
    w = begun()
    f = doomed(w)
    w.until_indexed()
    w.stop()
    same(run(w), "destroyed 1, on hold 0, awaiting the receiver 0")
    same(everywhere(w.top, [TITLE, NAME, *TEXT.split()]), [])
    w.serve()
    same(w.get("/v1/documents/" + f.id).status, 410)


# ---- keys and tombstones that do not agree ----

def slot_of(w, doc):
    """The slot of the data key of a document's first version: it stands in the envelope of its metadata."""
    p = subprocess.run(["git", "-C", os.path.join(w.dir, "archive.git"), "cat-file", "blob",
                        "main:docs/%s/%s/v0001/meta" % ("/".join(doc[:4]), doc)], stdout=subprocess.PIPE, check=True)
    same(p.stdout[:8], b"ARKMETA1")
    return int.from_bytes(p.stdout[8:16], "big")


def overwrite_slot(w, slot, byte):
    with open(os.path.join(w.dir, "keys", "shard-%06d" % (slot // 16384)), "r+b") as f:
        f.seek(128 + 72 * (slot % 16384))
        f.write(bytes([byte]) * 72)


def test_destroyed__a_key_that_is_gone_without_a_tombstone_is_named():
    w = Archive().serve()
    docs = [w.file(title="Raportti %d" % i, content=b"sisalto %d\n" % i).id for i in range(3)]
    w.stop()
    same(w.verify().returncode, 0)
    for doc, byte, full in ((docs[0], 0xff, False), (docs[1], 0, False), (docs[2], 0xff, True), (docs[2], 0, False)):
        damaged = w.copy()
        overwrite_slot(damaged, slot_of(w, doc), byte)
        p = damaged.verify(*(["--full"] if full else []))
        same(p.returncode, 1, doc, byte, p.stdout)
        told = [line for line in p.stdout.split("\n") if doc in line]
        check(told, "the document is named:", byte, p.stdout, p.stderr)
        for other in docs:
            check(other == doc or other not in p.stdout, "and no other", p.stdout)
        if byte:
            check("has no tombstone" in told[0], told)
