"""GET …/versions/{n}/diff/{b}: what of the metadata and of the text differs. All documents are our own invention."""

import time

from arkki_flow import Archive, check, same, world

FIRST = "Yövuorossa oli kaksi hoitajaa.\n\nRuoka oli lämmintä ja sitä oli riittävästi.\n"
SECOND = "Yövuorossa oli yksi hoitaja.\n\nRuoka oli lämmintä ja sitä oli riittävästi. Tilat olivat siistit.\n"


def url(doc, a, b, more=""):
    return "/v1/documents/%s/versions/%s/diff/%s%s" % (doc, a, b, more)


def diff(w, doc, a, b, user="maija", more="", **headers):
    """The answer once the texts are there."""
    for _ in range(200):
        r = w.get(url(doc, a, b, more), user, **headers)
        if r.status != 503:
            return r
        check(r.header("Retry-After"), "503 without Retry-After")
        time.sleep(0.1)
    check(False, "the text stays pending")
    return None


def two(w, first=FIRST, second=SECOND, meta=None, **fields):
    f = w.file(content=first.encode(), **fields)
    r = w.version(f.id, second.encode(), meta or {})
    same(r.status, 201, r.body[:300])
    return f.id


def runs(r):
    return [(x["op"], x.get("text", x.get("words"))) for x in r.json()["text"]["runs"]]


def read_kinds(w, doc):
    return sorted((e["kind"], e["version"], e["outcome"]) for e in w.audit(document=doc)
                  if e["kind"] in ("metadata", "text"))


def test_diff__tells_words_and_fields():
    w = world()
    doc = two(w, meta={"title": "Korjattu", "publicity": {"class": "public", "ground": "julkinen"}})
    r = diff(w, doc, 1, 2)
    same(r.status, 200, r.body[:300])
    d = r.json()
    same([(m["field"], m["before"], m["after"]) for m in d["metadata"]],
         [("title", "Tarkastuskertomus", "Korjattu"), ("publicity.ground", None, "julkinen")])
    same((d["from"]["version"], d["to"]["version"], d["text"]["state"], d["text"]["unit"]), (1, 2, "compared", "word"))
    same((d["text"]["added"], d["text"]["removed"]), (5, 2))
    same(runs(r)[:3], [("same", "Yövuorossa oli "), ("removed", "kaksi hoitajaa.\n\n"), ("added", "yksi hoitaja.\n\n")])
    same(runs(r)[-1], ("added", "Tilat olivat siistit."))
    same(r.header("Cache-Control"), "private, no-store")
    back = diff(w, doc, 2, 1).json()
    same((back["text"]["added"], back["text"]["removed"], back["metadata"][0]["after"]), (2, 5, "Tarkastuskertomus"))


def test_diff__folds_what_is_the_same():
    w = world()
    words = ["sana%d" % i for i in range(200)]
    doc = two(w, " ".join(words), " ".join(words[:100] + ["uusi"] + words[100:]))
    same(runs(diff(w, doc, 1, 2, more="?context=2")),
         [("same", 98), ("same", "sana98 sana99 "), ("added", "uusi "), ("same", "sana100 sana101 "), ("same", 98)])
    same([o for o, _ in runs(diff(w, doc, 1, 2, more="?context=1000"))], ["same", "added", "same"])
    same(runs(diff(w, doc, 1, 1)), [("same", 200)])
    same(diff(w, doc, 1, 1).json()["metadata"], [])
    for bad in ("x", "-1", "", "9999999"):
        same(w.get(url(doc, 1, 2, "?context=" + bad)).status, 400, bad)


def test_diff__is_a_logged_read_of_both_texts():
    w = world()
    doc = two(w)
    diff(w, doc, 1, 2)
    before = len(w.audit(document=doc))
    r = diff(w, doc, 1, 2)
    check(r.header("Arkki-Receipt"), "no receipt")
    new = w.audit(document=doc)[before:]
    same(sorted((e["kind"], e["version"], e["outcome"]) for e in new),
         [("metadata", 1, "ok"), ("metadata", 2, "ok"), ("text", 1, "ok"), ("text", 2, "ok")])


def test_diff__of_a_hidden_version_is_like_none():
    w = world()
    doc = two(w, publicity="public", meta={"publicity": {"class": "secret"}})
    diff(w, doc, 1, 2)
    hidden, none = (w.get(url(doc, 1, b), "helmi") for b in (2, 9))
    same((hidden.status, hidden.json()), (404, none.json()))
    same(w.get(url(doc, 2, 1), "helmi").json(), none.json())
    same(diff(w, doc, 1, 1, "helmi").status, 200, "what is seen alone")
    for a, b in (("0", "1"), ("1", "0"), ("01", "1"), ("x", "1"), ("1", "9999999")):
        same(w.get(url(doc, a, b)).status, 404, a, b)
    kinds = [e for e in w.audit(document=doc, principal="helmi") if e["outcome"] == "denied"]
    check(kinds and kinds[0]["version"] == 2, "the try is not in the log", kinds)


def test_diff__of_closed_content_is_of_the_metadata_alone():
    w = world()
    doc = two(w, publicity="secret", case="c1", meta={"title": "Uusi nimi", "publicity": {"class": "secret"}})
    stated = {"Arkki_Purpose": "valvonta", "Arkki_Case": "c1"}
    same(diff(w, doc, 1, 2, "helmi", **stated).status, 404, "no right to see it")
    closed = diff(w, doc, 1, 2, "maija")
    d = closed.json()
    same((closed.status, d["text"]), (200, {"state": "closed", "reason": "purpose-required"}))
    same([m["field"] for m in d["metadata"]], ["title"])
    check(b"hoitaja" not in closed.body, "words of the text")
    log = read_kinds(w, doc)
    check(("text", 1, "denied") in log and ("text", 2, "denied") in log, log)
    opened = diff(w, doc, 1, 2, "maija", **stated)
    same(opened.json()["text"]["state"], "compared")
    html = w.get(url(doc, 1, 2), "maija", Accept="text/html")
    same((html.status, html.json()["type"].split(":")[-1]), (403, "purpose-required"))


def test_diff__of_a_version_with_a_public_rendition():
    w = world()
    doc = two(w, publicity="secret", case="c1", title="Salainen nimi", meta={"publicity": {"class": "public"}})
    put = w.send("PUT", "/v1/documents/%s/versions/1/renditions/public" % doc, "maija", {"Content-Type": "text/plain"},
                 "Yövuorossa oli yksi hoitaja.\n".encode())
    same(put.status, 201, put.body[:300])
    r = diff(w, doc, 1, 2, "helmi")
    same(r.status, 200, r.body[:300])
    check("kaksi" not in r.body.decode() and "Salainen nimi" not in str(r.json()["metadata"]), "what is redacted")
    same(r.json()["from"]["rendition"], "public")
    same([m["field"] for m in r.json()["metadata"]], ["publicity.class"])
    detail = [e for e in w.audit(document=doc, principal="helmi") if e["kind"] == "text" and e["version"] == 1]
    check(detail, "the text of the rendition is not in the log")


def test_diff__where_there_is_no_text_says_so():
    w = world()
    f = w.file(content=FIRST.encode())
    r = w.version(f.id, bytes(range(1, 256)) * 8, name="kohina.bin")
    same(r.status, 201)
    d = diff(w, f.id, 1, 2).json()
    same(d["text"], {"state": "none", "without": [2]})
    same(w.get(url(f.id, 1, 2), Accept="text/html").status, 404)


def test_diff__as_html_escapes_what_texts_hold():
    w = world()
    doc = two(w, "alku 1 < 2 <img/src=x/onerror=alert(1)> loppu", "alku 1 < 2 </ins><q>&amp; \u202Ekäänne\u202C loppu")
    r = diff(w, doc, 1, 2, Accept="text/html", Accept_Language="en")
    same((r.status, r.header("Content-Type")), (200, "text/html; charset=utf-8"))
    body = r.body.decode()
    check("<img" not in body and "<q>" not in body, body)
    check("\u202E" not in body, "a mark that turns the direction of what follows")
    check("removed: </span>&lt;img/src" in body and "added: </span>&lt;/ins&gt;&lt;q&gt;&amp;amp;" in body, body)
    check("sandbox" in r.header("Content-Security-Policy"), "no sandbox")


def test_diff__of_a_full_and_an_empty_text():
    w = world()
    doc = two(w, "yksi kaksi", " ")
    d = diff(w, doc, 1, 2).json()["text"]
    check(d["state"] in ("none", "compared"), d)
    if d["state"] == "compared":
        same((d["added"], d["removed"]), (0, 2))


def test_diff__of_texts_too_long_says_so():
    w = world()
    doc = two(w, "sana\n" * 150000, "toinen\n" * 150000)
    same(diff(w, doc, 1, 2).json()["text"], {"state": "too-long"})
    doc = two(w, "sana toinen kolmas\n" * 60000, "sana toinen kolmas\n" * 60000 + "loppu")
    d = diff(w, doc, 1, 2).json()["text"]
    same((d["unit"], d["added"], d["removed"]), ("line", 1, 0))


def test_diff__while_a_text_is_pending_asks_to_come_again():
    w = Archive().serve()
    f = w.file(content=FIRST.encode())
    same(w.version(f.id, SECOND.encode()).status, 201)
    first = w.get(url(f.id, 1, 2))
    check(first.status in (200, 503), first.status)
    if first.status == 503:
        check("text-pending" in first.json()["type"] and first.header("Retry-After"), first.body)
    same(diff(w, f.id, 1, 2).status, 200)
    same(w.stop(), 0)
