"""The pages of a document's past: history, comparison, as of a day. All documents are our own invention."""

import html
import random
import re
import time

from arkki_flow import check, same, world
from test_diff import FIRST, SECOND, two
from test_pages import end_of_log, logged, post


def page(w, path, user="maija", status=200):
    r = w.get(path, user)
    same(r.status, status, path, r.body[:300])
    return r.body.decode()


def compared(w, doc, a, b, user="maija", more=""):
    """The page once the texts are there."""
    for _ in range(200):
        text = page(w, "/fi/documents/%s/compare?from=%d&to=%d%s" % (doc, a, b, more), user)
        if "poimitaan vielä" not in text:
            return text
        time.sleep(0.1)
    check(False, "the text stays pending")
    return None


def shown(text):
    """The text of the difference as it reads, without what is folded and without words of marks."""
    part = re.search(r'<div class="text difference"[^>]*>(.*?)</div></section>|<div class="text difference"[^>]*>(.*?)</div><nav',
                     text, re.S)
    part = part.group(1) or part.group(2)
    part = re.sub(r'<(summary|span class="op")[^>]*>.*?</(summary|span)>', "", part, flags=re.S)
    return html.unescape(re.sub(r"<[^>]*>", "", part))


def test_compare__is_logged_before_it_is_shown():
    w = world()
    doc = two(w)
    compared(w, doc, 1, 2)
    at = end_of_log(w)
    compared(w, doc, 1, 2)
    same(sorted(k for k, _, _, _ in logged(w, doc, at)), ["metadata", "metadata", "text", "text"])


def test_compare__of_a_long_difference_comes_in_parts():
    w = world()
    rnd = random.Random(7)
    first, second = (" ".join("<%s>" % rnd.choice("abcdefgh") * rnd.randrange(1, 9) for _ in range(15000)) for _ in (0, 1))
    doc = two(w, first, second)
    text = compared(w, doc, 1, 2)
    parts = int(re.search(r"Osa 1/(\d+)", text).group(1))
    check(parts > 2, parts, "parts")
    words = []
    for n in range(1, parts + 1):
        text = compared(w, doc, 1, 2, more="&part=%d" % n)
        check(len(text.encode()) <= 60 * 1024, "part", n, "has", len(text.encode()))
        words += shown(re.sub(r"<del>.*?</del>", " ", text, flags=re.S)).split()
    same(words, second.split(), "the parts together are the newer text")
    same(compared(w, doc, 1, 2, more="&part=999"), compared(w, doc, 1, 2, more="&part=%d" % parts).replace(
        "part=%d\"" % parts, "part=999\""), "a part that is not there is the last")


def test_compare__of_what_is_not_there_is_404():
    w = world()
    doc = two(w, meta={"publicity": {"class": "secret"}})
    for query in ("", "?from=1", "?from=0&to=1", "?from=1&to=x", "?from=1&to=9"):
        same(w.get("/fi/documents/%s/compare%s" % (doc, query)).status, 404, query)
    hidden, none = (w.get("/fi/documents/%s/compare?from=1&to=%d" % (doc, n), "helmi") for n in (2, 9))
    same((hidden.status, hidden.body.replace(b"to=2", b"to=9")), (404, none.body))
    same(w.get("/fi/documents/%s/history" % ("f" * 32)).status, 404)


def test_compare__opens_for_a_purpose_and_keeps_it_out_of_addresses():
    w = world()
    doc = two(w, publicity="secret", case="c1")
    path = "/fi/documents/%s/compare?from=1&to=2" % doc
    text = compared(w, doc, 1, 2)
    check('name="purpose"' in text and "hoitaja" not in text, "not closed")
    token = re.search(r'<form class="stack" method="post".*?name="form" value="([0-9a-f]{32})"', text, re.S).group(1)
    same(post(w, path, form="0" * 32, purpose="x", case="LVV/1234/2026").status, 422, "another form")
    at = end_of_log(w)
    r = post(w, path, form=token, purpose="", case="LVV/1234/2026")
    check(r.status == 422 and "hoitaja" not in r.body.decode(), "without a purpose")
    check(("text", "denied", None, "c1") in logged(w, doc, at), logged(w, doc, at))
    for _ in range(100):
        r = post(w, path, form=token, purpose="kantelun selvitys", case="LVV/1234/2026")
        if "<ins>" in r.body.decode():
            break
        time.sleep(0.1)
    same(r.status, 200)
    check("<ins>" in r.body.decode(), "not open")
    check("purpose=" not in r.body.decode(), "in an address")


def test_history__shows_amendments_only_where_the_reader_might_have_read():
    w = world()
    f = w.file(title="Salainen vanha nimi", publicity="secret")
    same(w.patch(f.id, {"title": "Julkinen nimi", "publicity": {"class": "public"}}).status, 200)
    same(w.patch(f.id, {"title": "Julkinen nimi, korjattu"}).status, 200)
    path = "/fi/documents/%s/history" % f.id
    text = page(w, path)
    check("Salainen vanha nimi" in text and "Julkinen nimi, korjattu" in text, "the amendments")
    text = page(w, path, "helmi")
    check("Salainen vanha nimi" not in text, "what was secret")
    check("<bdi>Julkinen nimi</bdi>" in text and "<bdi>Julkinen nimi, korjattu</bdi>" in text, "the later amendment")


def test_history__leaves_no_trace_of_hidden_versions():
    w = world()
    doc = two(w, meta={"title": "Salattu nimi", "publicity": {"class": "secret"}})
    same(w.version(doc, b"kolmas\n", {"title": "Avoin", "publicity": {"class": "public"}}).status, 201)
    text = page(w, "/fi/documents/%s/history" % doc, "helmi")
    check("Salattu" not in text and "Versio 2" not in text and 'value="2"' not in text, "the hidden version")
    check("Versio 1" in text and "Versio 3" in text and "<bdi>Avoin</bdi>" in text, "those that are seen")
    same(w.get("/fi/documents/%s?at=1.1.2190" % doc, "helmi").header("Location"),
         "/fi/documents/%s/versions/3?at=1.1.2190" % doc)


def test_history__of_many_versions_comes_in_pages():
    w = world()
    f = w.file(content=b"versio 1\n")
    for n in range(2, 24):
        same(w.version(f.id, b"versio %d\n" % n).status, 201)
    first, second = (page(w, "/sv/documents/%s/history?page=%d" % (f.id, n)) for n in (1, 2))
    same(first.count("<h3>"), 20)
    same(second.count("<h3>"), 3)
    check('rel="next"' in first and 'rel="prev"' in second, "no way on")
    check(max(len(first), len(second)) < 60 * 1024, "too long a page")


def test_history__escapes_what_people_wrote():
    w = world()
    f = w.file(title='<b>"lihava"</b> \u202Ekäänne')
    same(w.version(f.id, b"toinen\n", {"title": "<script>alert(1)</script>"}).status, 201)
    for path in ("/history", "/compare?from=1&to=2"):
        text = page(w, "/en/documents/" + f.id + path)
        check("<script>alert" not in text and "<b>" not in text and "\u202E" not in text, path)


def test_as_of__leads_to_the_version_of_the_day():
    w = world()
    doc = two(w)
    base = "/fi/documents/" + doc
    for at, tail in (("1.1.1900", "/versions/1"), ("1900-01-01", "/versions/1"), ("1.1.2190", "/versions/2"),
                     ("31.2.2026", "/history"), ("", "/history"), ("huomenna", "/history")):
        r = w.get(base + "?at=" + at)
        same((r.status, r.header("Location").split("?")[0]), (303, base + tail), at)
        check(r.header("Arkki-Receipt"), "not logged")
    text = page(w, base + "/history?at=31.2.2026", status=422)
    check('value="31.2.2026"' in text and "Virhe: " in text, "the day is not said to be wrong")
    check("Näin asiakirja oli 1.1.2190" in page(w, base + "/versions/2?at=1.1.2190"), "no banner")
    check("Näin asiakirja oli" not in page(w, base + "/versions/1?at=1.1.2190"), "a banner that is not true")
    hidden, none = (w.get("/fi/documents/%s?at=x" % d, "helmi") for d in (w.file(publicity="secret").id, "f" * 32))
    same((hidden.status, none.status), (404, 404))
