"""What a caller may not see leaves no trace: not in an answer, a total, a facet, a tag, a refusal.

Three ways of looking, for every user and role:
  twins     a world with canaries and one without (but for those that the user sees) give the
            same answers to everything that can be asked
  before    one world gives the same bytes before and after the canaries come
  ghost     a hidden document and one that never was are the same to every method and header

Every route of api/openapi.yaml has a rule in RULES; a new route fails until it has one. What is
exempt stands in EXEMPT with its reason.
"""

import json
import os
import random
import threading
import time
import urllib.parse

from arkki_flow import check, form, metadata, same
from inference_world import (CANARIES, CANARY_WORDS, CASES, DOCS, FILERS, FORM, FILINGS, PEOPLE, TWIN_BYTES, UNITS,
                             USERS, VERSIONS, Plain, REPLACED, World, ask, classes, differences, sees, pages, visible)
from test_openapi import documented

GHOST = "0123456789abcdef" * 2
VERSIONS_TRIED = (1, 2, 3, 9)
LANGUAGES = ("fi", "sv", "en")

EXEMPT = {
    "/v1/changes": ("next", "where the archive stands: the public checkpoint of the history log shows the same"),
    "/v1/documents/{d}/history": ("index", "a place in the history log, whose tiles are public (threat model)"),
    "/v1/documents/{d}/versions/{n}/proof": ("index entry proof disclosure", "a proof in the public log: its size and roots"),
    "/v1/log/history/checkpoint": ("exempt", "public: shows that something was filed (threat model)"),
    "/v1/log/history/tile/{t}": ("exempt", "public: salted commitments only"),
    "/v1/audit/access": ("exempt", "for auditors: reads, of which these worlds differ (test_audit_own looks at them)"),
    "/v1/audit/break-glass": ("exempt", "for auditors: reads, as above"),
    "/v1/audit/replay": ("exempt", "for auditors: reads, and the time of the report (test_replay looks at them)"),
    "/v1/audit/subject": ("exempt", "for auditors: reads, as above"),
    "/v1/log/access/checkpoint": ("exempt", "for auditors: counts reads"),
    "/v1/log/access/tile/{t}": ("exempt", "for auditors: salted commitments of reads"),
    "/v1/tokens": ("id created expires seen", "random ids and moments of the caller's own tokens"),
    "/v1/policies/explain": ("at", "when it was decided: now"),
    "/v1/status": ("sequence indexed indexing texts ocr",
                   "for administrators: counts commits, as the public checkpoint does, and texts without saying whose"),
}


def exempt(pattern):
    return EXEMPT[pattern][0].split() if pattern in EXEMPT else ()


# ---- what can be asked: a list of asks for each route ----

def q(**query):
    return "?" + urllib.parse.urlencode({k.rstrip("_"): v for k, v in query.items()}) if query else ""


DATES = [{}, {"from_": "2026-02-10"}, {"to": "2026-02-12"}, {"from_": "1900-01-01", "to": "1999-12-31"},
         {"from_": "2026-02-16", "to": "2026-02-16"}]
TYPES = ("inspection-report", "memo", "client-objection", "order", "supervision-plan", "complaint", "no-such-type")


def list_asks(path, more=()):
    out = [ask(path + q(**d), paged=("documents", "cursor")) for d in DATES]
    out += [ask(path + q(type=t), paged=("documents", "cursor")) for t in TYPES]
    out += [ask(path + q(limit=n), paged=("documents", "cursor")) for n in (1, 3)]
    out += [ask(path + q(**m), paged=("documents", "cursor")) for m in more]
    return out + [ask(path + q(limit=0)), ask(path + q(cursor="AAAA")), ask(path + q(from_="x"))]


def documents_asks(w):
    more = [{"unit": u} for u in (*UNITS, "nounit")] + [{"case": c} for c in (*CASES, "c-kanaria", "nocase")]
    return list_asks("/v1/documents", more + [{"unit": "koivula", "case": "c-kanaria"},
                                              {"unit": "lehtola", "limit": 1}, {"type": "order", "unit": "koivula"}])


def texts_asks(w):
    more = [{"state": s} for s in ("none", "pending", "ocr")] + [{"state": "ready", "unit": u} for u in UNITS]
    more += [{"state": "ready", "type": t} for t in TYPES] + [{"state": "ready", "limit": n} for n in (1, 3)]
    return [ask("/v1/texts" + q(**m), paged=("texts", "cursor")) for m in more] + [
        ask("/v1/texts?state=x"), ask("/v1/texts?state=ready&cursor=AAAA")]


def retry_asks(w):
    """Of documents that are not there for the caller, or for nobody: what is there stays as it is."""
    return [ask("/v1/texts/retry", "POST", {"Content-Type": "application/json"}, body) for body in (
        json.dumps({"document": GHOST}).encode(), json.dumps({"reason": "no such reason"}).encode(), b"{}", b"{")]


def unit_documents_asks(w):
    return [a for u in (*UNITS, "nounit") for a in list_asks("/v1/units/%s/documents" % u)[::2]]


def timeline_asks(w):
    more = [*DATES, *({"kind": k} for k in ("document", "visit", "case-opened", "order", *TYPES[:4])), {"limit": 1}, {"limit": 3}]
    out = [ask("/v1/units/%s/timeline" % u + q(**m), paged=("events", "cursor")) for u in UNITS for m in more]
    return out + [ask("/v1/units/nounit/timeline"), ask("/v1/units/koivula/timeline?cursor=AAAA")]


def case_documents_asks(w):
    return [a for c in (*CASES, "c-kanaria", "nocase") for a in list_asks("/v1/cases/%s/documents" % c)[::3]]


SEARCHES = [{}, {"q": "kertomus"}, {"q": "hoito ruoka lamminta"}, {"q": "julkinen"}, {"q": "salattua"},
            {"q": "\"samat tavut\""}, {"q": "kerros"}, {"q": "viraston"}, {"q": "tavallinen salaisuus"}]
SEARCHES += [{"q": word} for word in CANARY_WORDS]
SEARCHES += [{"unit": u} for u in UNITS] + [{"case": c} for c in ("c1", "c-kanaria", "nocase")]
SEARCHES += [{"type": t} for t in TYPES] + [{"county": c} for c in ("90", "91", "92")]
SEARCHES += [{"language": c} for c in ("fi", "sv", "se", "xx")] + DATES[1:]
SEARCHES += [{"versions": "all"}, {"versions": "all", "q": "julkinen"}, {"versions": "all", "q": "kanariat"}]
SEARCHES += [{"q": w} for w in ("kanariavaaku", "tarkastuz", "kanaria*", "tarkas*", "+julkinen -kanariat", "NOT kanariat",
                                "tarkastus AND (numero OR kanariat)", "asia:EOAK/31415/2026", "asia:LVV/1234/2026",
                                "asia:EI/1/2026", "yksikkö:lehtola", "laatija:esavi", "vuosi:1931", "otsikko:kanariat",
                                "päivä:1900..1950", "kanariat \"")]
SEARCHES += [{"author": "esavi"}, {"publicity": "secret"}, {"year": "1931"}, {"year": "2026"}, {"municipality": "091"},
             {"municipality": "837"}, {"group": "true"}, {"group": "true", "q": "kertomus kanariat"}]
SEARCHES += [{"limit": 1}, {"limit": 2, "q": "julkinen"}, {"limit": 1, "q": "kanariat kertomus"}]


def search_asks(w):
    out = [ask("/v1/search" + q(**s), paged=("hits", "cursor"), order_free="q" in s) for s in SEARCHES]
    out += [ask("/v1/search" + q(sort="date", **s), paged=("hits", "cursor")) for s in SEARCHES]
    out += [ask("/v1/search" + q(like=w.ids[d]), paged=("hits", "cursor"), order_free=True) for d in w.shared]
    return out + [ask("/v1/search" + q(**s)) for s in ({"sort": "x"}, {"cursor": "AAAA"}, {"from_": "x"}, {"q": "\""})]


SUGGESTED = ("ka", "kan", "kanariav", "tav", "tar", "hoito tar", "leh", "koi", "c-ka", "EOAK", "unit:ko", "j", "", "vanha")


def suggest_asks(w):
    return [ask("/v1/search/suggest" + q(q=t)) for t in SUGGESTED] + [ask("/v1/search/suggest?q=ka&limit=20")]


def search_post_asks(w):
    h = {"Content-Type": "application/json"}
    bodies = [{k.rstrip("_"): v for k, v in s.items()} for s in SEARCHES[::3]]
    out = [ask("/v1/search", "POST", h, json.dumps(dict(b, sort="date")), ("hits", "cursor")) for b in bodies]
    return out + [ask("/v1/search", "POST", h, "{"), ask("/v1/search", "POST", {}, "{}")]


def explain_asks(w):
    h, more = {"Content-Type": "application/json"}, exempt("/v1/policies/explain")
    described = {"units": ["koivula"], "type": "order", "author": "lvv", "publicity": {"class": "secret"}}
    bodies = [{"action": a, "document": w.ids[d], **x} for d in w.shared
              for a, x in (("read", {}), ("readContent", {}), ("readContent", {"purpose": "x", "case": "c1"}),
                           ("amend", {}), ("read", {"version": 1}), ("read", {"version": 2}), ("read", {"version": 9}),
                           ("read", {"at": "2020-01-01"}), ("read", {"user": "helsinki-placer"}))]
    bodies += [{"action": a, "resource": described} for a in ("read", "readContent", "file")]
    bodies += [{"action": "audit"}, {"action": "audit", "user": "eoa-auditor"}, {"action": "x"}]
    return [ask("/v1/policies/explain", "POST", h, json.dumps(b), exempt=more) for b in bodies]


def cases_asks(w):
    out = [ask("/v1/cases" + q(**x), paged=("cases", "cursor"))
           for x in ({}, {"limit": 1}, {"unit": "koivula"}, {"unit": "lehtola"}, {"diaryNumber": "EOAK/31415/2026"},
                     {"diaryNumber": "LVV/1234/2026"})]
    return out


def changes_asks(w):
    more = exempt("/v1/changes")
    return [ask("/v1/changes" + q(**x), paged=("changes", "after"), exempt=more)
            for x in ({}, {"limit": 1}, {"limit": 1000})] + [ask("/v1/changes?after=AAAA"), ask("/v1/changes?wait=x")]


def of_documents(tail, pattern):
    def asks(w):
        more = exempt(pattern)
        return [ask("/v1/documents/%s%s" % (w.ids[d], tail), exempt=more) for d in w.shared]
    return asks


def of_versions(tail, pattern):
    def asks(w):
        more = exempt(pattern)
        return [ask("/v1/documents/%s/versions/%d%s" % (w.ids[d], n, tail), exempt=more)
                for d in w.shared for n in VERSIONS_TRIED]
    return asks


def diff_asks(w):
    """Of versions seen, hidden and none, in both directions."""
    return [ask("/v1/documents/%s/versions/%d/diff/%d" % (w.ids[d], a, b), headers=h)
            for d in w.shared for a, b in ((1, 1), (1, 2), (2, 3), (3, 1), (1, 9)) for h in ({}, {"Accept": "text/html"})]


AT = ("Thu, 01 Jan 1970 00:00:00 GMT", "Fri, 01 Jan 2190 00:00:00 GMT", "x")


def gate_asks(w):
    return [ask("/v1/documents/%s/%s" % (w.ids[d], path), headers={"Accept-Datetime": at} if at else {})
            for d in w.shared for path in ("timegate", "content") for at in (None, *AT)]


def timemap_asks(w):
    return [ask("/v1/documents/%s/timemap%s" % (w.ids[d], t)) for d in w.shared for t in ("", "?of=content", "?of=x")]


def plainly(*paths):
    return lambda w: [ask(p) for p in paths]


def orders_asks(path):
    more = [{}, {"limit": 1}, {"case": "c1"}, {"case": "c-kanaria"}, {"author": "lvv"}, {"county": "90"}, {"state": "overdue"},
            {"state": "open"}, {"matter": "staffing"}, {"from_": "2026-01-01"}, {"to": "2026-12-31"}, {"document": GHOST}]
    return lambda w: [ask(path + q(**m), paged=("orders", "cursor")) for m in more] + [
        ask(path + q(document=w.ids[d])) for d in w.shared]


def plainly_sent(method, path, headers, body):
    """Of policies that count for nothing: an administrator is told numbers of what others see."""
    return lambda w: [ask(path, method, headers, body)]


def loosely(pattern, *paths):
    return lambda w: [ask(p, exempt=exempt(pattern)) for p in paths]


RULES = {
    ("GET", "/openapi.json"): plainly("/openapi.json"),
    ("GET", "/v1/audit/access"): loosely("/v1/audit/access", "/v1/audit/access?limit=1",
                                         "/v1/audit/access?principal=lvv-inspector"),
    ("GET", "/v1/audit/break-glass"): loosely("/v1/audit/break-glass", "/v1/audit/break-glass",
                                              "/v1/audit/break-glass?state=all&limit=1"),
    ("POST", "/v1/audit/break-glass/{i}/review"): None,  # test_break_glass
    ("GET", "/v1/audit/history"): plainly("/v1/audit/history?limit=1"),
    ("GET", "/v1/audit/receipt/{r}"): plainly("/v1/audit/receipt/x", "/v1/audit/receipt/" + "A" * 76),
    ("GET", "/v1/audit/replay"): loosely("/v1/audit/replay", "/v1/audit/replay?org=lvv&unit=koivula&at=2026-01-01",
                                         "/v1/audit/replay?org=lvv&unit=lehtola", "/v1/audit/replay"),
    ("GET", "/v1/audit/subject"): loosely("/v1/audit/subject", "/v1/audit/subject?unit=koivula",
                                          "/v1/audit/subject?case=c-kanaria", "/v1/audit/subject?document=" + GHOST),
    ("GET", "/v1/cases"): cases_asks,
    ("GET", "/v1/cases/{c}"): plainly(*["/v1/cases/" + c for c in (*CASES, "c-kanaria", "nocase")]),
    ("POST", "/v1/cases"): None,  # test_registers
    ("PATCH", "/v1/cases/{c}"): plainly_sent("PATCH", "/v1/cases/c-kanaria", {"If-Match": "*"}, b"{"),
    ("GET", "/v1/cases/{c}/documents"): case_documents_asks,
    ("GET", "/v1/changes"): changes_asks,
    ("GET", "/v1/documents"): documents_asks,
    ("POST", "/v1/documents"): None,  # test_writes
    ("GET", "/v1/documents/{d}"): of_documents("", "/v1/documents/{d}"),
    ("PATCH", "/v1/documents/{d}"): None,
    ("GET", "/v1/documents/{d}/history"): of_documents("/history", "/v1/documents/{d}/history"),
    ("GET", "/v1/documents/{d}/content"): of_documents("/content", "/v1/documents/{d}/content"),
    ("GET", "/v1/documents/{d}/timegate"): gate_asks,
    ("GET", "/v1/documents/{d}/timemap"): timemap_asks,
    ("GET", "/v1/documents/{d}/versions/{n}/diff/{b}"): diff_asks,
    ("GET", "/v1/documents/{d}/hold"): of_documents("/hold", "/v1/documents/{d}/hold"),
    ("POST", "/v1/documents/{d}/hold"): None,
    ("DELETE", "/v1/documents/{d}/hold"): None,
    ("GET", "/v1/documents/{d}/dispose"): of_documents("/dispose", "/v1/documents/{d}/dispose"),
    ("POST", "/v1/documents/{d}/dispose"): None,
    ("DELETE", "/v1/documents/{d}/dispose"): None,
    ("POST", "/v1/documents/{d}/dispose/approve"): None,
    ("POST", "/v1/documents/{d}/dispose/confirm"): None,
    ("GET", "/v1/documents/{d}/dispose/package"): of_documents("/dispose/package", "/v1/documents/{d}/dispose/package"),
    ("GET", "/v1/documents/{d}/versions"): of_documents("/versions", "/v1/documents/{d}/versions"),
    ("POST", "/v1/documents/{d}/versions"): None,
    ("GET", "/v1/documents/{d}/versions/{n}"): of_versions("", "/v1/documents/{d}/versions/{n}"),
    ("GET", "/v1/documents/{d}/versions/{n}/content"): of_versions("/content", "/v1/documents/{d}/versions/{n}/content"),
    ("GET", "/v1/documents/{d}/versions/{n}/proof"): of_versions("/proof", "/v1/documents/{d}/versions/{n}/proof"),
    ("GET", "/v1/documents/{d}/versions/{n}/text"): of_versions("/text", "/v1/documents/{d}/versions/{n}/text"),
    ("GET", "/v1/documents/{d}/versions/{n}/renditions/public"): of_versions(
        "/renditions/public", "/v1/documents/{d}/versions/{n}/renditions/public"),
    ("PUT", "/v1/documents/{d}/versions/{n}/renditions/public"): None,
    ("DELETE", "/v1/documents/{d}/versions/{n}/renditions/public"): None,
    ("POST", "/v1/documents/{d}/versions/{n}/renditions/public/check"): None,
    ("GET", "/v1/documents/{d}/versions/{n}/renditions/public/text"): of_versions(
        "/renditions/public/text", "/v1/documents/{d}/versions/{n}/renditions/public/text"),
    ("GET", "/v1/exports"): plainly("/v1/exports"),  # and test_exports
    ("POST", "/v1/exports"): None,
    ("GET", "/v1/exports/{e}"): plainly("/v1/exports/" + GHOST),
    ("DELETE", "/v1/exports/{e}"): None,
    ("GET", "/v1/exports/{e}/content"): plainly("/v1/exports/%s/content" % GHOST),
    ("GET", "/v1/log/access/checkpoint"): loosely("/v1/log/access/checkpoint", "/v1/log/access/checkpoint"),
    ("GET", "/v1/log/access/tile/{t}"): loosely("/v1/log/access/tile/{t}", "/v1/log/access/tile/0/000"),
    ("GET", "/v1/log/history/checkpoint"): loosely("/v1/log/history/checkpoint", "/v1/log/history/checkpoint"),
    ("GET", "/v1/log/history/tile/{t}"): loosely("/v1/log/history/tile/{t}", "/v1/log/history/tile/0/000"),
    ("GET", "/v1/me"): plainly("/v1/me"),
    ("GET", "/v1/matters"): plainly("/v1/matters"),
    ("GET", "/v1/orders"): orders_asks("/v1/orders"),  # and test_orders
    ("POST", "/v1/orders"): None,
    ("GET", "/v1/orders/{o}"): plainly("/v1/orders/" + GHOST),
    ("PATCH", "/v1/orders/{o}"): None,
    ("POST", "/v1/units/{u}/pack"): None,  # test_units_pages
    ("GET", "/v1/units/{u}/orders"): lambda w: [a for u in (*UNITS, "nounit")
                                                for a in orders_asks("/v1/units/%s/orders" % u)(w)[::3]],
    ("GET", "/v1/orgs"): plainly("/v1/orgs"),
    ("POST", "/v1/orgs"): None,  # test_accounts
    ("GET", "/v1/orgs/{o}"): plainly("/v1/orgs/lvv", "/v1/orgs/noorg"),
    ("PATCH", "/v1/orgs/{o}"): None,
    ("GET", "/v1/orgs/{o}/accounts"): plainly("/v1/orgs/lvv/accounts", "/v1/orgs/noorg/accounts"),
    ("POST", "/v1/orgs/{o}/confirmation"): plainly_sent("POST", "/v1/orgs/lvv/confirmation", {"If-Match": "*"}, b""),
    # an upload is seen by who began it alone: test_uploads
    ("OPTIONS", "/v1/uploads"): None,
    ("POST", "/v1/uploads"): None,
    ("HEAD", "/v1/uploads/{i}"): None,
    ("PATCH", "/v1/uploads/{i}"): None,
    ("DELETE", "/v1/uploads/{i}"): None,
    ("GET", "/v1/users"): plainly("/v1/users", "/v1/users?org=lvv&state=active", "/v1/users?limit=1"),
    ("POST", "/v1/users"): None,
    ("GET", "/v1/users/{u}"): plainly("/v1/users/lvv-inspector", "/v1/users/nobody"),
    ("PATCH", "/v1/users/{u}"): None,
    ("POST", "/v1/users/{u}/invitation"): None,
    ("GET", "/v1/policies"): plainly("/v1/policies", "/v1/policies?version=1", "/v1/policies?version=9"),
    ("PUT", "/v1/policies"): plainly_sent("PUT", "/v1/policies", {"If-Match": "*"}, b"permit("),
    ("GET", "/v1/policies/cases"): plainly("/v1/policies/cases"),
    ("POST", "/v1/policies/check"): plainly_sent("POST", "/v1/policies/check", {}, b"permit("),
    ("POST", "/v1/policies/explain"): explain_asks,
    ("GET", "/v1/policies/versions"): plainly("/v1/policies/versions"),
    ("GET", "/v1/search"): search_asks,
    ("POST", "/v1/search"): search_post_asks,
    ("GET", "/v1/search/suggest"): suggest_asks,
    ("GET", "/v1/retention"): plainly("/v1/retention", "/v1/retention?version=1"),
    ("PUT", "/v1/retention"): plainly_sent("PUT", "/v1/retention", {"If-Match": "*"}, b"{}"),
    ("GET", "/v1/retention/due"): plainly("/v1/retention/due", "/v1/retention/due?at=2190-01-01&limit=100"),
    ("GET", "/v1/saved-searches"): plainly("/v1/saved-searches"),  # and test_saved below
    ("POST", "/v1/saved-searches"): None,
    ("GET", "/v1/saved-searches/{s}"): plainly("/v1/saved-searches/" + GHOST),
    ("PATCH", "/v1/saved-searches/{s}"): None,
    ("DELETE", "/v1/saved-searches/{s}"): None,
    ("GET", "/v1/saved-searches/{s}/results"): plainly("/v1/saved-searches/%s/results" % GHOST),
    ("GET", "/v1/saved-searches/{s}/feed.atom"): plainly("/v1/saved-searches/%s/feed.atom" % GHOST),
    ("GET", "/v1/tokens"): loosely("/v1/tokens", "/v1/tokens", "/v1/tokens?user=maija", "/v1/tokens?user=nouser"),
    ("POST", "/v1/tokens"): None,  # test_tokens
    ("DELETE", "/v1/tokens/{t}"): None,
    ("GET", "/v1/sessions"): plainly("/v1/sessions", "/v1/sessions?user=maija"),
    ("DELETE", "/v1/sessions"): None,
    ("DELETE", "/v1/sessions/{s}"): None,
    ("GET", "/v1/status"): loosely("/v1/status", "/v1/status"),
    ("GET", "/v1/texts"): texts_asks,
    ("POST", "/v1/texts/retry"): retry_asks,
    ("GET", "/v1/synonyms"): plainly("/v1/synonyms", "/v1/synonyms?version=1", "/v1/synonyms?shipped=true"),
    ("PUT", "/v1/synonyms"): plainly_sent("PUT", "/v1/synonyms", {"If-Match": "*"}, b"{}"),
    ("GET", "/v1/synonyms/versions"): plainly("/v1/synonyms/versions"),
    ("GET", "/v1/types"): plainly("/v1/types"),
    ("POST", "/v1/types"): plainly_sent("POST", "/v1/types", {"Content-Type": "application/json"}, b"{}"),
    ("GET", "/v1/types/{y}"): plainly("/v1/types/memo", "/v1/types/nosuchtype"),
    ("PUT", "/v1/types/{y}"): plainly_sent("PUT", "/v1/types/memo", {"If-Match": "*"}, b"{}"),
    ("GET", "/v1/types/{y}/versions"): plainly("/v1/types/memo/versions", "/v1/types/nosuchtype/versions"),
    ("GET", "/v1/units"): plainly("/v1/units", "/v1/units?county=90", "/v1/units?free=true", "/v1/units?language=fi"),
    ("POST", "/v1/units"): None,  # test_registers
    ("PUT", "/v1/units/{u}"): None,
    ("PUT", "/v1/units/{u}/vacancies"): None,
    ("GET", "/v1/units/{u}/timeline"): timeline_asks,
    ("GET", "/v1/units/{u}/feed.atom"): plainly(*["/v1/units/%s/feed.atom" % u for u in (*UNITS, "nounit")]),
    ("GET", "/v1/units/{u}"): plainly(*["/v1/units/" + u for u in (*UNITS, "nounit")]),
    ("GET", "/v1/units/{u}/documents"): unit_documents_asks,
}


def page_asks(w, languages=LANGUAGES):
    """The pages, which openapi.yaml does not name."""
    out = []
    for code in languages:
        out += [ask("/%s/%s" % (code, q(**dict(s, sort="date"))))
                for s in SEARCHES if not {"case", "county", "versions", "limit"} & set(s)][::2]
        out += [ask("/%s/%s" % (code, q(**s)), order_free=True) for s in ({"q": "julkinen"}, {"q": "kanariat"})]
        out += [ask("/%s/?page=2" % code), ask("/%s/?from=x" % code), ask("/%s" % code), ask("/%s/sign-in" % code)]
        for d in w.shared:
            base = "/%s/documents/%s" % (code, w.ids[d])
            out += [ask(base + t) for t in ("/history", "?at=2190-01-01", "?at=1.1.1900", "?at=x")]
            out += [ask(base + "/compare?from=%d&to=%d" % n) for n in ((1, 1), (1, 2), (2, 3), (1, 9))]
            out += [ask(base)] + [ask(base + "/versions/%d%s" % (n, t)) for n in VERSIONS_TRIED[:3] for t in ("", "/file", "/rendition")]
    return out


PAGE_ROUTES = [("GET", "/%s/documents/{d}" + t) for t in ("", "/history", "/compare?from=1&to=1", "/versions/{n}", "/versions/{n}/file", "/versions/{n}/rendition")]
PAGE_ROUTES += [("POST", u) for _, u in PAGE_ROUTES[:3]]


def all_asks(w, share=None):
    """Everything, and a third of it with HEAD and in the other languages; or a share (i, n): each
    nth ask of every route, at least one."""
    i, n = share or (0, 1)
    gets = []
    for rule in RULES.values():
        asks = rule(w) if rule else []
        gets += asks[i % n::n] or asks[:1]
    if share:
        return gets + page_asks(w, LANGUAGES[i % 3:][:1])[i % n::n]
    gets += page_asks(w, ("fi",)) + page_asks(w, ("sv",))[::3] + page_asks(w, ("en",))[1::3]
    heads = [a._replace(method="HEAD", paged=None) for a in gets if a.method == "GET" and not a.order_free]
    return gets + heads[::3]


# ---- the worlds of each class of users ----

_worlds = {}


def world_of(canaries):
    """Kept as long as the tests run: a world is built in two seconds and none here is changed."""
    key = frozenset(canaries)
    if key not in _worlds:
        w = _worlds[key] = World(key)
        w.shared = sorted({f.doc for f in FILINGS if not f.canary})
    return _worlds[key]


def full():
    return world_of(CANARIES)


def each_class():
    """(users, the world of what they see, the canaries that they do not)"""
    for seen, users in sorted(classes().items(), key=lambda x: len(x[0])):
        yield users, seen, [c for c in CANARIES if c not in seen]


def together(*jobs):
    """Both worlds at once, each in a thread of its own; the results in order."""
    out, failed = [None] * len(jobs), []

    def run(i, job):
        try:
            out[i] = job()
        except Exception as e:
            failed.append(e)

    threads = [threading.Thread(target=run, args=(i, job)) for i, job in enumerate(jobs)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if failed:
        raise failed[0]
    return out


def answers_of(w, user, asks):
    return [pages(w, user, a) for a in asks]


def compare(user, without, with_, asks_of):
    """All asks of one user to both worlds; fails with the first ten differences."""
    asks = [asks_of(w) for w in (without, with_)]
    same(len(asks[0]), len(asks[1]), "asks")
    a, b = together(lambda: answers_of(without, user, asks[0]), lambda: answers_of(with_, user, asks[1]))
    found = []
    for one, x, y in zip(asks[1], a, b):
        if x != y:
            found.append("%s %s: %s" % (one.method, one.path, "; ".join(list(differences(x, y))[:3]) or "pages"))
    check(not found, user, "%d of %d answers differ:" % (len(found), len(asks[0])), "\n     ".join([""] + found[:10]))


def test_rules__name_every_route_of_the_document():
    same(sorted(RULES), documented(), "a route without a rule here, or a rule without a route")
    patterns = {u for _, u in documented()}
    same([p for p in EXEMPT if p not in patterns], [], "exempt and gone")
    check(all(reason for _, reason in EXEMPT.values()))


def test_canaries__are_hidden_from_somebody_and_seen_by_somebody():
    groups = list(each_class())
    check(len(groups) >= 3, "classes of users", len(groups))
    for c in CANARIES:
        check(any(c in hidden for _, _, hidden in groups), c, "is hidden from nobody")
        check(any(sees(u, c) for u in USERS if u.kind != "ombudsman"), c, "is seen by nobody")


def test_canaries__are_seen_by_those_who_may():
    """Else all comparisons would pass with an empty archive."""
    w = full()
    for u in USERS:
        if u.role not in ("inspector", "contact", "placer"):
            continue
        for d in DOCS:
            want = visible(u, d, w.canaries)
            r = w.ask(u.id, ask("/v1/documents/" + w.ids[d]))
            same(r.status, 200 if want else 404, u.id, d)
            if want:
                same((r.json()["version"], r.json()["versions"]), (want[-1], len(want)), u.id, d)


def test_twins__answer_alike_to_those_who_may_not_see():
    """In the first class, which sees least, and the last, one user asks everything; in the others
    one asks a half. Every other user asks a part: together they ask everything again."""
    groups = list(each_class())
    together(full, *[lambda s=seen: world_of(s) for _, seen, _ in groups])
    for k, (users, seen, _) in enumerate(groups):
        for i, u in enumerate(users):
            share = (i, 16) if i else (k, 2) if 0 < k < len(groups) - 1 else None
            compare(u.id, world_of(seen), full(), lambda w: all_asks(w, share))


# ---- the same world before and after ----

def test_before__the_canaries_come_the_answers_are_the_same_bytes():
    """Tags, cursors, counts and the documents that are seen in part do not move."""
    users, seen, hidden = max(each_class(), key=lambda c: len(c[2]))
    w = World(seen)
    w.shared = full().shared
    w.exact = True
    chosen = list({u.org: u for u in users}.values())[::3]
    asks = all_asks(w, (0, 1))
    before = [answers_of(w, u.id, asks) for u in chosen]
    w.canaries = frozenset(CANARIES)
    w.build([f for f in FILINGS if f.canary in hidden and f.canary not in REPLACED])
    for u, was in zip(chosen, before):
        found = ["%s %s: %s" % (a.method, a.path, "; ".join(list(differences(x, y))[:3]) or "pages")
                 for a, x, y in zip(asks, was, answers_of(w, u.id, asks)) if x != y]
        check(not found, u.id, len(found), "answers moved:", "\n     ".join([""] + found[:10]))
    same(w.close(), 0)


def test_saved__searches_count_and_show_no_hidden_filing():
    """Saved before the canaries come: nothing is new, and results and feed stay as they are."""
    users, seen, hidden = max(each_class(), key=lambda c: len(c[2]))
    w = World(seen)
    w.shared = full().shared
    w.exact = True
    user, json_type = users[0].id, {"Content-Type": "application/json"}
    asks = []
    for query in ({}, {"q": "kanariat kertomus"}, {"q": "kanaria*", "sort": "date"}, {"unit": "koivula", "group": True}):
        made = w.ask(user, ask("/v1/saved-searches", "POST", json_type, json.dumps({"name": "a", "query": query})))
        same(made.status, 201, made.body[:200])
        base = "/v1/saved-searches/" + made.json()["id"]
        asks += [ask(base), ask(base + "/results", order_free="q" in query), ask(base), ask(base + "/feed.atom")]
        for other in ("lvv-admin", "eoa-inspector", users[1].id):
            for tail in ("", "/results", "/feed.atom"):
                same(w.ask(other, ask(base + tail)).status, 404, other, tail)
    asks.append(ask("/v1/saved-searches"))
    before = answers_of(w, user, asks)
    w.canaries = frozenset(CANARIES)
    w.build([f for f in FILINGS if f.canary in hidden and f.canary not in REPLACED])
    for a, x, y in zip(asks, before, answers_of(w, user, asks)):
        check(x == y, user, a.path, list(differences(x, y))[:3])
    w.carry_out(filing_of("base0"))
    w.until_indexed("lvv-admin")
    same(sorted(s["new"] for s in w.ask(user, asks[-1]).json()["searches"]), [0, 1, 1, 1], "a visible filing is new")
    same(w.close(), 0)


def test_like__a_hidden_document_is_like_nothing():
    w = full()
    # none that the ghost tests ask as: refusals are logged at a bounded rate
    for user in ("varha-system", "helsinki-system", "hoiva-oy-registrar"):
        whole, _ = hidden_from(PEOPLE[user])
        check(len(whole) > 3, user)
        for d in whole:
            for tail in ("", "&q=kanariat", "&versions=all", "&group=true"):
                answers = [pages(w, user, ask("/v1/search?like=%s%s" % (i, tail))) for i in (w.ids[d], GHOST)]
                same(answers[0], answers[1], user, d, tail)
                same(w.ask(user, ask("/v1/search?like=" + w.ids[d])).json()["total"], 0)


def test_changes__a_hidden_filing_ends_no_wait():
    w = World((), [])
    user = "varha-inspector"
    at = w.ask(user, ask("/v1/changes")).json()["next"]
    start = time.monotonic()
    waited, _ = together(lambda: w.ask(user, ask("/v1/changes?wait=1&after=" + at)),
                         lambda: (time.sleep(0.2), w.carry_out(filing_of("secret"))))
    same((waited.status, waited.json()["changes"]), (200, []))
    check(time.monotonic() - start > 0.9, "the wait ended early")
    start = time.monotonic()
    waited, _ = together(lambda: w.ask(user, ask("/v1/changes?wait=20&after=" + at)),
                         lambda: (time.sleep(0.2), w.carry_out(filing_of("twin"))))
    same([c["document"] for c in waited.json()["changes"]], [w.ids["twin"]])
    check(time.monotonic() - start < 15, "nor does a visible one")
    same(w.close(), 0)


def filing_of(doc):
    return next(f for f in FILINGS if f.doc == doc)


# ---- a hidden document and one that never was ----

def d_routes():
    """(method, pattern) with a document in it, the pages too."""
    api = [(m, u) for m, u in documented() if "{d}" in u]
    return api + [(m, u % code) for code in LANGUAGES for m, u in PAGE_ROUTES]


def alike(w, user, a, hidden, never, receipts=False):
    """The ask about two documents (or, with a number of a version, two versions) in turn."""
    def one(ident, number):
        def unnamed(text):  # the caller's own words come back in links: of the other language, of the sign-in
            for slash in ("/", "%2F"):
                text = text.replace("versions%s%s" % (slash, number), "versions/<n>")
            return FORM.sub("FORM", text.replace(ident or "<d>", "<d>"))

        r = w.ask(user, a._replace(path=a.path.replace("{d}", ident).replace("{n}", number)))
        headers = {k.lower(): len(v) if k == "Arkki-Receipt" else unnamed(v) for k, v in sorted(r.headers)
                   if k != "Date" and (receipts or k != "Arkki-Receipt")}
        return r.status, headers, unnamed(r.body.decode("utf-8", "replace"))

    x, y = one(*hidden), one(*never)
    check(x == y, user, a.method, a.path, "%.200r" % (a.headers,), "tells", hidden, "from one that never was:",
          list(differences(x, y)))
    return x


def hidden_from(user, glass=False):
    """Documents of which the user sees no version (not when breaking the glass either); and the
    versions hidden in those seen in part."""
    known = {d: visible(user, d, CANARIES, glass) for d in DOCS}
    whole = [d for d in DOCS if not known[d]]
    part = [(d, n) for (d, n) in sorted(VERSIONS) if known[d] and n not in known[d]]
    return whole, part


def long_text(n):
    return "x" * n


def conditions(tag):
    """Headers that a read takes, rightly and wrongly; tag: one that the hidden document really has."""
    yield {}
    for name in ("If-Match", "If-None-Match"):
        for value in (tag, "*", '"' + "0" * 32 + '"', "W/" + tag, "broken", ""):
            yield {name: value}
    for value in ("bytes=0-0", "bytes=999999-", "bytes=-1", "bytes=5-1", "lines=1"):
        yield {"Range": value}
    yield {"Range": "bytes=0-0", "If-Range": tag}
    for value in ("text/html", "application/xml", "*/*;q=0"):
        yield {"Accept": value}
    yield {"Accept-Language": "sv"}
    for value in ("tarkastus", "%C3%A4", "%zz", long_text(5000)):
        yield {"Arkki-Purpose": value}
    for value in ("c1", "nocase", "%00"):
        yield {"Arkki-Case": value}
    for value in ("lapsen%20turvallisuus", "", "%zz"):
        yield {"Arkki-Break-Glass": value}
    yield {"Idempotency-Key": "shared-key"}
    yield {"Sec-Purpose": "prefetch"}
    yield {"Content-Type": "application/json"}


QUERIES = ("?x=1", "?limit=0", "?limit=1&limit=1", "?x=%ff", "?reason=" + "y" * 600, "?wait=1", "?" + "z" * 4000)
NUMBERS = ("1", "2", "3", "0", "01", "-1", "x", "999999", "1000000", "4294967297", "%00", "1%2F")


def writes(tag):
    """Bodies and headers of writes, rightly and wrongly."""
    plain = json.dumps({"title": "Toinen"})
    for condition in ({}, {"If-Match": tag}, {"If-Match": "*"}, {"If-Match": "broken"}):
        for media in ("application/json", "application/merge-patch+json", "text/plain", ""):
            yield dict(condition, **({"Content-Type": media} if media else {})), plain
        for content in (b"Kanariavaakku kanariat secret salattua\n", TWIN_BYTES, b""):
            body, media = form({}, content)
            yield dict(condition, **{"Content-Type": media}), body
            yield dict(condition, **{"Content-Type": media, "Idempotency-Key": "shared-key"}), body
    json_type = {"Content-Type": "application/json", "If-Match": tag}
    for body in ("", "{", "[]", "{}", '{"title":""}', '{"nothing":1}', '{"title":"%s"}' % long_text(600), b"\xff\xfe",
                 long_text(2 << 20)):
        yield json_type, body
    body, media = form(b"{", b"x")
    yield {"Content-Type": media, "If-Match": tag}, body
    yield {"Content-Type": media, "If-Match": tag}, body[:-20]
    yield {"Content-Type": "multipart/form-data", "If-Match": tag}, body
    yield {"Content-Type": media, "If-Match": tag, "Idempotency-Key": long_text(300)}, body
    for token in ("", "0" * 32):
        yield {"Content-Type": "application/x-www-form-urlencoded"}, "form=%s&purpose=tarkastus&case=c1" % token


METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND")


def every_ask(tag):
    """All that the ghost tests try, with {d} and {n} left open."""
    patterns = sorted({u for _, u in d_routes()})
    for u in patterns:
        main = u.startswith("/v1") or u.startswith("/fi")
        for method in METHODS:
            yield ask(u, method)
            yield ask(u + "/", method)
        for h in conditions(tag) if main else ():
            yield ask(u, headers=h)
            yield ask(u, "HEAD", h)
        for more in QUERIES if main else ():
            yield ask(u + more)
        yield ask(u, headers={"Content-Type": "application/json"}, body="{}")
        if "{n}" in u and main:
            for n in NUMBERS:
                yield ask(u.replace("{n}", n))
    for method, u in d_routes():
        for h, body in writes(tag) if method != "GET" else ():
            yield ask(u, method, h, body)
    for method in ("POST", "PUT", "DELETE"):
        for h, body in list(writes(tag))[:6]:
            yield ask("/v1/documents/{d}", method, h, body)


# a user of each class, and roles that write, read and only look after things
TRYING = ("varha-inspector", "hoiva-oy-contact", "pirha-registrar", "uusimaa-supervisor", "helsinki-placer")


def test_ghost__has_a_receipt_of_its_own_as_the_hidden_has():
    w = full()
    for user in ("helsinki-placer", "pirha-system", "hoiva-oy-admin", "uusimaa-auditor", "esavi-contact"):
        whole, part = hidden_from(PEOPLE[user])
        for method, u in d_routes()[:10]:
            x = alike(w, user, ask(u, method), (w.ids[whole[0]], "1"), (GHOST, "1"), receipts=True)
            same(x[0], 404, method, u)
            check(x[1].get("arkki-receipt") == 76, "no receipt", method, u, x[1])
        for d, n in part[:3]:
            x = alike(w, user, ask("/v1/documents/%s/versions/{n}" % w.ids[d]), ("", str(n)), ("", "9"), receipts=True)
            check(x[1].get("arkki-receipt") == 76, "no receipt", d, x[1])


def test_ghost__is_like_the_hidden_to_every_user():
    w = full()
    for u in USERS:
        whole, part = hidden_from(u)
        for d in whole:
            for method, path in (("GET", ""), ("GET", "/versions/1/content"), ("PATCH", ""), ("POST", "/versions")):
                x = alike(w, u.id, ask("/v1/documents/{d}" + path, method), (w.ids[d], ""), (GHOST, ""))
                same(x[0], 404, u.id, d)
            alike(w, u.id, ask("/fi/documents/{d}"), (w.ids[d], ""), (GHOST, ""))
        for d, n in part:
            base = "/v1/documents/%s/versions/{n}" % w.ids[d]
            for path in ("", "/content"):
                same(alike(w, u.id, ask(base + path), ("", str(n)), ("", "9"))[0], 404, u.id, d)


def test_ghost__is_like_the_hidden_to_every_method_header_and_body():
    w = full()
    for user in TRYING:
        whole, _ = hidden_from(PEOPLE[user], glass=True)
        d = whole[len(user) % len(whole)]
        tag = w.ask("eoa-inspector", ask("/v1/documents/" + w.ids[d])).header("ETag")
        for a in every_ask(tag):
            x = alike(w, user, a, (w.ids[d], "1"), (GHOST, "1"))
            check(x[0] >= 400, user, a.method, a.path, x[0])


def test_ghost__is_like_the_hidden_version_to_every_header():
    w = full()
    for user in TRYING[:2]:
        _, part = hidden_from(PEOPLE[user], glass=True)
        d, n = next(x for x in part if x[0] == ("own" if user == "varha-inspector" else "newer-secret"))
        tag = w.ask("eoa-inspector", ask("/v1/documents/" + w.ids[d])).header("ETag")
        for a in every_ask(tag):
            if "{n}" in a.path and not a.body:
                alike(w, user, a._replace(path=a.path.replace("{d}", w.ids[d])), ("", str(n)), ("", "9"))


def test_ghost__is_like_the_hidden_to_strangers():
    w = full()
    for token in (None, "x" * 43):
        for method, u in d_routes():
            alike(w, token, ask(u, method), (w.ids["secret"], "1"), (GHOST, "1"))


# ---- writing ----

def tag_of(w, user, doc):
    return w.ask(user, ask("/v1/documents/" + w.ids[doc])).header("ETag") or '"none"'


def write_asks(w, user):
    """What one user tries; each ask is made when its turn comes, for the tags of the moment."""
    days = iter(range(1, 28))  # no two on a day: the order within a day is chance
    month = "%d-%02d" % (1940 + USERS.index(PEOPLE[user]) // 12, USERS.index(PEOPLE[user]) % 12 + 1)

    def post(content, key=None, to="/v1/documents", condition=None, **meta):
        fields = meta
        if to == "/v1/documents":
            fields = metadata(date="%s-%02d" % (month, 28 if key and content != TWIN_BYTES else next(days)), **meta)
        body, media = form(fields, content)
        h = {"Content-Type": media}
        h.update({"Idempotency-Key": key} if key else {})
        h.update({"If-Match": condition} if condition else {})
        return ask(to, "POST", h, body)

    unit = "mantyla" if PEOPLE[user].org == "pirha" else "koivula"
    secret = b"Kanariavaakku kanariat secret salattua\n"
    yield post(secret, units=[unit])
    yield post(secret, "shared-key", units=[unit])
    yield post(secret, "shared-key", units=[unit])
    yield post(TWIN_BYTES, "shared-key", units=[unit])
    yield post(TWIN_BYTES, units=[unit], publicity="secret")
    yield post(TWIN_BYTES, units=[unit], publicity="secret")
    yield post(secret, units=["lehtola"], type="client-objection")
    yield post(secret, units=["lehtola", "kuusela", "nounit"], case="nocase", title="")
    for d in ("base0", "twin", "newer-secret", "older-secret", "buried", "own"):
        base = "/v1/documents/" + w.ids[d]
        conditions_met = ["*", tag_of(w, user, d)]
        if d == "own" and user in OWN_FILERS:
            conditions_met = []  # test_known__a_filer_who_may_not_see_the_newest_version…
        for condition in [None, '"' + "0" * 32 + '"', "broken"] + conditions_met:
            h = {"Content-Type": "application/json", **({"If-Match": condition} if condition else {})}
            yield ask(base, "PATCH", h, json.dumps({"title": "Toinen nimi"}))
            yield post(secret, None, base + "/versions", condition)
            yield post(TWIN_BYTES, "shared-key", base + "/versions", condition)


OWN_FILERS = ["esavi-" + role for role in FILERS]


def write_all(w, user):
    """The plain answers. New documents get names in the order in which they come."""
    plain, out, new = Plain(w), [], 0
    plain.settled = False
    for a in write_asks(w, user):
        r = w.ask(user, a)
        if r.status == 201 and a.path == "/v1/documents":
            ident = r.json()["id"]
            if ident not in w.names:
                new += 1
                w.know("%s-%d" % (user, new), ident)
        out.append(((a.method, plain.text(a.path)), plain.answer(r, a)))
    w.until_indexed("lvv-admin")
    return out


def test_writes__answer_alike_to_those_who_may_not_see():
    for users, seen, _ in list(each_class())[::3]:
        worlds = together(lambda: World(seen), lambda: World(CANARIES))
        for w in worlds:
            w.shared = full().shared
        chosen = {}  # some that file and some that may not
        for u in users:
            chosen.setdefault((u.org[0] < "i", u.role in FILERS), u)
        for u in chosen.values():
            a, b = together(*[lambda w=w: write_all(w, u.id) for w in worlds])
            same(len(a), len(b), u.id)
            for x, y in zip(a, b):
                check(x == y, u.id, x[0], list(differences(x, y)))
        for i, u in enumerate(chosen.values()):
            compare(u.id, *worlds, lambda w: all_asks(w, (i, 9)))
        for w in worlds:
            same(w.close(), 0)


# ---- what still shows, and is known: each test fails when it no longer does ----

def test_known__a_filer_who_may_not_see_the_newest_version_is_told_412():
    """TODO: file on top of what the filer sees. The condition is compared with the version that the
    filer sees, the writer's base with the newest one; so whoever filed last, hidden, shows."""
    seen = next(seen for users, seen, _ in each_class() if PEOPLE[OWN_FILERS[0]] in users)
    worlds = [World(c, [f for f in FILINGS if f.doc == "own"]) for c in (seen, CANARIES)]
    said = []
    for w in worlds:
        w.shared = ["own"]
        path = "/v1/documents/" + w.ids["own"]
        tag = tag_of(w, OWN_FILERS[0], "own")
        body, media = form({}, b"Viraston toinen versio\n")
        h = {"Content-Type": "application/json", "If-Match": tag}
        patched = w.ask(OWN_FILERS[0], ask(path, "PATCH", h, '{"title":"Viraston nimi"}'))
        tag = tag_of(w, OWN_FILERS[0], "own")
        filed = w.ask(OWN_FILERS[0], ask(path + "/versions", "POST", {"Content-Type": media, "If-Match": tag}, body))
        said.append((patched.status, filed.status))
        check(b"anaria" not in patched.body + filed.body, "and no more than that")
        same(w.close(), 0)
    same(said, [(200, 201), (412, 412)], "without and with a hidden version")


def test_known__a_case_that_may_not_be_seen_can_be_asked_for():
    """TODO: Arkki-Case and the field `case` tell whether a case is known: the contract wants an unknown one
    refused. Ids of cases are chosen by their owners and are no names of documents."""
    user = "hoiva-oy-inspector"
    w = full()
    for case, status in (("c-kanaria", 200), ("nocase", 400)):
        same(w.ask(user, ask("/v1/cases/" + case)).status, 404, case)
        same(w.ask(user, ask("/v1/documents", headers={"Arkki-Case": case})).status, status, case)
        body, media = form(metadata(case=case, title=""), b"x\n")
        r = w.ask(user, ask("/v1/documents", "POST", {"Content-Type": media}, body))
        same(r.fields(), ["title"] if status == 200 else ["case", "title"], case)


# Ways by which the content of a secret document is told to one who may know of it but has stated no
# purpose. TODO: empty this. "words": a search finds by words of the closed text.
CONTENT_TOLD_BY = {"words"}


def test_known__content_that_needs_a_purpose_is_told_without_one():
    w = full()
    for user in ("lvv-inspector", "hoiva-oy-contact", "uusimaa-system"):
        check(sees(PEOPLE[user], "secret"), user)
        ident = w.ids["secret"]
        base = "/v1/documents/" + ident
        for path in (base, base + "/versions", base + "/history", "/v1/documents?unit=koivula"):
            check(b"salattua" not in w.ask(user, ask(path)).body, user, path)
        for path in (base + "/versions/1/content", base + "/versions/1/text", "/sv/documents/%s/versions/1/file" % ident):
            r = w.ask(user, ask(path))
            same((r.status, b"salattua" in r.body), (403, False), user, path)
        hits = [h for h in w.ask(user, ask("/v1/search?limit=100&q=salattua")).json()["hits"] if h["document"] == ident]
        told = {"words"} if hits else set()
        told |= {"snippet"} if any("salattua" in h["snippet"] for h in hits) else set()
        for page in ("/fi/documents/%s" % ident, "/fi/?q=kanariavaakku", "/en/documents/%s/versions/1" % ident):
            told |= {"page"} if b" secret salattua" in w.ask(user, ask(page)).body else set()
        same(told, CONTENT_TOLD_BY, user, "content is told by")


# ---- by chance ----

def test_chance__finds_no_difference_either():
    """ARKKI_FLOW_SEED and ARKKI_FLOW_ROUNDS make more of it."""
    seed = int(os.environ.get("ARKKI_FLOW_SEED", random.SystemRandom().randrange(1 << 32)))
    rounds = int(os.environ.get("ARKKI_FLOW_ROUNDS", 600))
    chance = random.Random(seed)
    w = full()
    readers = {u.id: hidden_from(u, glass=True) for u in USERS if hidden_from(u, glass=True)[0]}
    tags = {d: tag_of(w, "eoa-inspector", d) for d in DOCS}
    patterns = sorted({u for _, u in d_routes()})
    for _ in range(rounds):
        user = chance.choice(sorted(readers))
        whole, part = readers[user]
        u = chance.choice(patterns)
        d = chance.choice(whole)
        headers = {}
        for _ in range(chance.randrange(4)):
            headers.update(chance.choice(list(conditions(tags[d]))))
        body = None
        method = chance.choice(METHODS)
        if method not in ("GET", "HEAD") and chance.random() < 0.7:
            more, body = chance.choice(list(writes(tags[d])))
            headers.update(more)
        a = ask(u + chance.choice(("", "") + QUERIES), method, headers, body)
        if "{n}" in u and part and chance.random() < 0.3:
            d, n = chance.choice(part)
            pair = (w.ids[d], str(n)), (w.ids[d], "9")
        else:
            n = chance.choice(NUMBERS)
            pair = (w.ids[d], n), ("%032x" % chance.getrandbits(128), n)
        if "{n}" in u and pair[0][0] == pair[1][0] and method not in ("GET", "HEAD"):
            continue  # a write to a version of a document that is seen in part: test_writes
        try:
            alike(w, user, a, *pair)
        except Exception as e:
            check(False, "ARKKI_FLOW_SEED=%d" % seed, e)
