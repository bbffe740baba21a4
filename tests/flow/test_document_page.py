"""The page of a document as its readers use it: purpose kept, text with hits, seal, who may read it, citation."""

import time

from arkki_flow import SEED, check, same, world
from sign_in_util import Browser
from test_pages import ORIGINAL, end_of_log, logged, secret

OPEN = {"purpose": "Valvonta-asia", "case": "c1"}


def browser(w, user="maija"):
    b = Browser(w)
    r = b.submit(b.get("/fi/sign-in"), "/fi/sign-in", token=w.token(user))
    same(r.status, 303, r.body[:300])
    return b


def opened(b, path):
    page = b.submit(b.get(path), path, **OPEN)
    same(page.status, 200, page.body[:300])
    check(b"salattua" in page.body, "not open")
    return page


# ---- purpose, kept ----

def test_purpose__is_kept_for_the_session_and_logged_with_every_read():
    w = world()
    f, path = secret(w)
    g, other = secret(w)
    b = browser(w)
    check(b"Luet asiaa" not in opened_before(b), "kept already")
    opened(b, path)
    at = end_of_log(w)
    page = b.get(other)
    check(b"salattua" in page.body and "Luet asiaa LVV/1234/2026 varten. Käyttötarkoitus: Valvonta-asia." in page.body.decode(), "not kept")
    check("Valvonta" not in str(b.jar) + str(b.set), "in a cookie")
    same([e for e in logged(w, g.id, at) if e[0] != "shown"], [(k, "ok", "Valvonta-asia", "c1") for k in ("metadata", "list", "text")])
    at = end_of_log(w)
    r = b.get(other + "/versions/1/file")
    same((r.status, r.body), (200, ORIGINAL))
    same(logged(w, g.id, at), [("content", "ok", "Valvonta-asia", "c1")])


def opened_before(b):
    return b.get("/fi/").body


def test_purpose__another_session_does_not_have_it():
    w = world()
    _, path = secret(w)
    b = browser(w)
    opened(b, path)
    for c in (browser(w), browser(w, "pertti")):
        page = c.get(path)
        check(b"salattua" not in page.body and b"Luet asiaa" not in page.body, "another session has it")
        same(c.get(path + "/versions/1/file").status, 403)
    check(b"salattua" not in w.get(path).body, "a token has it")
    same(w.get("/v1" + path[3:] + "/versions/1/content").status, 403)
    # the API never goes by a session's cookie
    same(b.get("/v1" + path[3:] + "/versions/1/content").status, 401)


def test_purpose__document_outside_the_case_asks_again():
    w = world()
    _, path = secret(w)
    f = w.file(content=ORIGINAL, publicity="secret", units=["lehtola"], title="Muu")
    w.until_indexed()
    b = browser(w)
    opened(b, path)
    at = end_of_log(w)
    page = b.get("/fi/documents/" + f.id)
    check(b"salattua" not in page.body and b'name="purpose"' in page.body, "open for a case of another unit")
    same([e for e in logged(w, f.id, at) if e[0] != "shown"], [("metadata", "ok", None, None), ("list", "ok", None, None)])
    # a public one of the case's unit states it too
    g = w.file(title="Julkinen", case="c1")
    at = end_of_log(w)
    b.get("/fi/documents/" + g.id)
    same({e[2:] for e in logged(w, g.id, at)}, {("Valvonta-asia", "c1")})


def test_purpose__a_refused_one_is_not_kept():
    w = world()
    _, path = secret(w)
    b = browser(w)
    for fields in ({"purpose": "Valvonta", "case": "c2"}, {"purpose": "", "case": "c1"}, {"purpose": "Valvonta", "case": "c1", "form": "0" * 32}):
        page = b.submit(b.get(path), path, **fields)
        same(page.status, 422, fields)
        page = b.get(path)
        check(b"salattua" not in page.body and b"Luet asiaa" not in page.body, fields)


def test_purpose__ends_by_its_button_and_with_the_session():
    w = world()
    _, path = secret(w)
    b = browser(w)
    page = opened(b, path)
    r = b.post("/fi/purpose/end", {"case": "c1", "form": "0" * 32})
    same((r.status, b"salattua" in b.get(path).body), (403, True), "without the form")
    r = b.submit(page, "/fi/purpose/end", {"Sec-Fetch-Site": "cross-site"})
    same((r.status, b"salattua" in b.get(path).body), (403, True), "from elsewhere")
    r = b.submit(page, "/fi/purpose/end")
    same((r.status, r.header("Location")), (303, path))
    page = b.get(path)
    check(b"salattua" not in page.body and b"Luet asiaa" not in page.body, "not ended")
    opened(b, path)
    old = dict(b.jar)
    b.submit(b.get("/fi/"), "/fi/sign-out")
    b.jar = old
    same(b.get(path).status, 303, "after signing out")
    check(b"salattua" not in browser(w).get(path).body, "a new session has it")


def test_purpose__ends_when_the_case_is_closed():
    w = world()
    _, path = secret(w)
    b = browser(w)
    opened(b, path)
    case = dict(SEED["cases"][0], closed="2199-01-01")
    w.load({"cases": [case]})
    check(b"salattua" in b.get(path).body, "a case that is open still")
    w.load({"cases": [dict(case, closed=time.strftime("%Y-%m-%d", time.gmtime(time.time() - 86400)))]})
    page = b.get(path)
    check(b"salattua" not in page.body and b"Luet asiaa" not in page.body, "kept for a closed case")
    w.load({"cases": [SEED["cases"][0]]})
    check(b"salattua" not in b.get(path).body, "comes again by itself")


def test_purpose__back_leads_to_pages_of_ours_alone():
    w = world()
    b = browser(w)
    _, path = secret(w)
    form = b.submit(b.get(path), path, **OPEN).form("/fi/purpose/end")
    for back in ("https://evil.example/", "//evil.example", "/fi/\r\nSet-Cookie: a=b", ""):
        r = b.post("/fi/purpose/end", {"case": "c1", "form": form, "back": back})
        same((r.status, r.header("Location")), (303, "/fi/"), repr(back))
