"""What is due, and the end of one document, as pages. All people and documents here are invented."""

import datetime
import html
import json
import re
import urllib.parse

from arkki_flow import check, same
from sign_in_util import Page
from test_audit_pages import text_of
from test_disposition import ROWS, begun

_shared = None


def shared():
    global _shared
    if _shared is None:
        today = datetime.date.today()
        rows = ROWS + [{"id": "memo", "type": "memo", "years": 1, "from": "document-date", "then": "destroy"}]
        w = begun(rows)
        _shared = w, {
            "over": w.file(type="inspection-report", title="Umpeen <b>mennyt</b>", date="2020-01-01", publicity="public").id,
            "soon": w.file(type="memo", title="Pian umpeen", date=(today - datetime.timedelta(days=30)).isoformat(), publicity="public").id,
            "later": w.file(type="other", title="Ei vielä", publicity="public").id,
        }
    return _shared


def page(w, path, user, status=200):
    r = Page(w.get(path, user))
    same(r.status, status, path, user, text_of(r.body.decode())[:300])
    return r


def act(w, doc, user, act, status=303, form=None, **fields):
    path = "/fi/documents/%s/disposal" % doc
    form = form or page(w, path, user).form(path)
    r = w.send("POST", path, user, {"Content-Type": "application/x-www-form-urlencoded"},
               urllib.parse.urlencode(dict(fields, act=act, form=form)))
    same(r.status, status, act, text_of(r.body.decode())[:500])
    return text_of(r.body.decode())


def test_due_pages__do_not_exist_for_others():
    w, docs = shared()
    for path in ("/fi/due", "/fi/documents/%s/disposal" % docs["over"], "/fi/documents/%s/disposal" % ("ab" * 16)):
        for user in ("helmi", "aada", "ylla"):
            r, none = w.get(path, user), w.get("/fi/nosuchpage", user)
            same(r.status, 404, user, path)
            if "ab" * 16 not in path:
                same(re.sub(r'href="/../[^"]*"', "", r.body.decode()), re.sub(r'href="/../[^"]*"', "", none.body.decode()), path, user)
    check('href="/fi/due"' in page(w, "/fi/units", "risto").body.decode(), "the menu of who may")
    check('href="/fi/due"' not in page(w, "/fi/units", "helmi").body.decode(), "the menu of who may not")
    for user, has in (("risto", True), ("sirpa", True), ("helmi", False)):
        same("/disposal" in page(w, "/fi/documents/" + docs["over"], user).body.decode(), has, "the way there on the document's page", user)


def test_due_pages__what_is_due_is_told_and_logged():
    w, docs = shared()
    for language, over in (("fi", "Säilytysaika on päättynyt"), ("sv", "Förvaringstiden har gått ut"), ("en", "The time has ended")):
        body = page(w, "/%s/due" % language, "risto").body.decode()
        said = text_of(body)
        check("Umpeen &lt;b&gt;mennyt" in body and "Pian umpeen" in body and "Ei vielä" not in body, said)
        check(said.index(over) < said.index("mennyt") < said.index("Pian umpeen"), said)
    shown = [e for e in w.audit(principal="risto", document=docs["over"]) if e["kind"] == "shown"]
    same(len(shown), 3, "each look is an entry")
    check("Umpeen" not in text_of(page(w, "/fi/due?show=held", "risto").body.decode()))
    api = w.json("/v1/retention/due", "risto")["due"]
    same([d["title"] for d in api], ["Umpeen <b>mennyt</b>"])


def test_due_pages__two_people_end_a_document_and_a_hold_stops_them():
    w, docs = shared()
    doc = w.file(type="inspection-report", title="Hävitettävä", date="2020-01-01", publicity="public").id
    check("Kirjoita tämä" in act(w, doc, "sirpa", "hold", 422))
    check("tuleva päivä" in act(w, doc, "sirpa", "hold", 422, reason="x", until="1.1.2020"))
    check("tuleva päivä" in act(w, doc, "sirpa", "hold", 422, reason="x", until="huomenna"))
    act(w, doc, "sirpa", "hold", 422, form="0" * 32, reason="x")
    act(w, doc, "sirpa", "hold", reason="Kantelu <i>vireillä</i>", until="12.3.2099")
    hold = w.json("/v1/documents/%s/hold" % doc, "sirpa")
    same((hold["state"], hold["reason"], hold["until"], hold["by"]), ("held", "Kantelu <i>vireillä</i>", "2099-03-12", "sirpa"))
    body = page(w, "/fi/due?show=held", "risto").body.decode()
    check("Kantelu &lt;i&gt;vireillä" in body and "12.3.2099" in body)
    check("kielletty. Mikään ei muuttunut" in act(w, doc, "risto", "propose", 422, action="destroy", ground="Aika päättynyt"))
    act(w, doc, "sirpa", "release", reason="Ratkaistu")
    check("Valitse yksi" in act(w, doc, "risto", "propose", 422, ground="Aika päättynyt"))
    check("määrää toisin" in act(w, doc, "risto", "propose", 422, action="transfer", ground="Aika päättynyt"))
    act(w, doc, "risto", "propose", action="destroy", ground="Aika päättynyt")
    check("itse" in act(w, doc, "risto", "approve", 422))
    same(w.json("/v1/documents/%s/dispose" % doc, "risto")["state"], "proposed")
    said = text_of(page(w, "/fi/due?show=waiting", "raija").body.decode())
    check("Hävitettävä" in said and "mennyt" not in said and "Odottaa toisen ihmisen hyväksyntää." in said, said)
    act(w, doc, "raija", "withdraw")
    act(w, doc, "risto", "propose", action="destroy", ground="Aika päättynyt")
    act(w, doc, "raija", "approve")
    kinds = [e["detail"]["record"].split("/")[0] for e in w.audit(log="history", document=doc)
             if e["kind"] == "record" and "record" in e.get("detail", {})]
    records = kinds or [e["kind"] for e in w.audit(log="history", document=doc)]
    check(len(records) >= 5, "each act is in the log", json.dumps(records))


def test_due_pages__who_may_only_hold_is_offered_no_more():
    w, docs = shared()
    body = page(w, "/fi/documents/%s/disposal" % docs["over"], "sirpa").body.decode()
    check('value="hold"' in body and 'value="propose"' not in body and html.escape("/fi/due") + '"' not in body)
    body = page(w, "/fi/documents/%s/disposal" % docs["later"], "risto").body.decode()
    check('value="propose"' not in body, "it is not due")
