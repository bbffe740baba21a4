"""Search over HTTP: filters, pages that stay while filings go on, names, suggestions, how a query was read.

All documents, units and people are invented."""

import json
import threading
import time
import urllib.parse

from arkki_flow import Archive, check, same, world

JSON = {"Content-Type": "application/json"}


def search(w, user="maija", **query):
    query = {k.rstrip("_"): v for k, v in query.items()}
    return w.json("/v1/search?" + urllib.parse.urlencode(query), user)


def ids(answer):
    return [h["document"] for h in answer["hits"]]


def all_pages(w, user="maija", **query):
    pages = [search(w, user, **query)]
    while pages[-1]["next"]:
        pages.append(search(w, user, cursor=pages[-1]["next"], **query))
        check(len(pages) < 500, "the pages do not end")
    return pages


_archive = None


def archive():
    """One of its own, with a few documents whose number the tests know."""
    global _archive
    if _archive is None:
        w = _archive = Archive().serve()
        w.docs = {
            "fi": w.file(title="Perhokodin tarkastus", content=b"Lapsen sijaishuolto oli jarjestetty hyvin.\n", case="c1",
                         date="2024-03-12").id,
            "sv": w.file(title="Besök vid enheten", language="sv", content=b"Barnets skydd var gott.\n",
                         units=["lehtola"], type="memo", date="2023-05-01").id,
            "pirha": w.file("pertti", units=["mantyla"], case="c2", title="Pirkanmaan kertomus", author="pirha",
                            content=b"Toimintaa seurattiin.\n", date="2025-01-02").id,
            "secret": w.file(title="Salainen merkinta", publicity="secret", content=b"Lapsen nimi on Kerttuli.\n",
                             date="2022-02-02").id,
        }
        w.until_indexed()
    return _archive


def test_search__takes_every_filter():
    w = archive()
    d = w.docs
    for query, want in (({"author": "pirha"}, ["pirha"]), ({"municipality": "837"}, ["pirha"]),
                        ({"municipality": "049"}, ["sv"]), ({"year": "2023"}, ["sv"]), ({"publicity": "secret"}, ["secret"]),
                        ({"language": "sv"}, ["sv"]), ({"type": "memo"}, ["sv"]), ({"county": "91"}, ["pirha"]),
                        ({"case": "c1"}, ["fi"]), ({"from_": "2024-01-01", "to": "2024-12-31"}, ["fi"]),
                        ({"author": "nobody"}, []), ({"year": "1999"}, [])):
        answer = search(w, **query)
        same((answer["total"], ids(answer)), (len(want), [d[k] for k in want]), query)
        body = json.dumps({k.rstrip("_"): v for k, v in query.items()})
        r = w.send("POST", "/v1/search", "maija", JSON, body)
        same((r.status, r.json()["total"]), (200, len(want)), "POST", query)
    same({c["value"]: c["count"] for c in search(w)["facets"]["author"]}, {"lvv": 3, "pirha": 1})


def test_search__refuses_what_is_no_part_of_it():
    w = archive()
    for path in ("unitt=koivula", "versions=some", "group=maybe", "sort=x", "limit=0", "limit=x", "from=2024", "year=24",
                 "cursor=AAAA"):
        same(w.get("/v1/search?" + path).status, 400, path)
    for body in ({"unitt": "koivula"}, {"q": 1}, {"q": ["a"]}, {"limit": "5"}, {"limit": 0}, {"limit": True},
                 {"versions": "some"}, {"group": 1}, {"sort": True}, {"unit": {}}, {"from": "x"}, [], "x", 1):
        r = w.send("POST", "/v1/search", "maija", JSON, json.dumps(body))
        same(r.status, 400, body)
        check(r.json()["detail"], body)
    for body in ({"q": None, "unit": None, "limit": None}, {"group": True}, {"group": "true", "limit": 500}):
        same(w.send("POST", "/v1/search", "maija", JSON, json.dumps(body)).status, 200, body)


def test_search__says_how_the_query_was_read():
    w = archive()
    read = search(w, q="lapsen sijaishuolto")["read"]
    same(read["notes"], [])
    check("sijaishuolto" in read["query"], read)
    for language, word in (("fi", "Lainausmerkki"), ("sv", "citattecken"), ("en", "quotation")):
        r = w.get("/v1/search?" + urllib.parse.urlencode({"q": 'tää "jäi auki'}), Accept_Language=language).json()["read"]
        same([(n["kind"], n["from"]) for n in r["notes"]], [("unclosed-quote", 4)], language)
        check(word in r["notes"][0]["text"], r)


def test_names__of_registers_are_read_in_fields():
    w = archive()
    d = w.docs
    for q, want in (("yksikkö:Mäntylä", ["pirha"]), ("enhet:mantyla", ["pirha"]), ("unit:mänt", ["pirha"]),
                    ("laatija:\"Pirkanmaa\"", ["pirha"]), ("kunta:837", ["pirha"]), ("alue:Pirkanmaa", ["pirha"]),
                    ("diaari:LVV/1234/2026", ["fi"]), ("case:lvv/1234/2026", ["fi"]), ("laji:memo", ["sv"])):
        answer = search(w, q=q)
        same((sorted(ids(answer)), answer["read"]["notes"]), (sorted(d[k] for k in want), []), q)
    # a case that the caller does not see is one that never was
    answers = [search(w, "helmi", q="diaari:" + n) for n in ("PIR/7/2026", "PIR/8/2026")]
    for a in answers:
        same([n["kind"] for n in a["read"]["notes"]], ["unknown-value"])
    same([len(a["hits"]) for a in answers], [0, 0])


# ---- pages ----

def test_pages__neither_repeat_nor_skip_while_filings_go_on():
    w = Archive().serve()
    there = [w.file(title="Sivutettava %d" % n, content=b"Sivutettava asiakirja.\n", date="2024-01-%02d" % (n % 28 + 1)).id
             for n in range(60)]
    w.until_indexed()
    stop, faults, filed = threading.Event(), [], []

    def file_more():
        for n in range(300):
            if stop.is_set():
                return
            try:
                filed.append(w.file(title="Uusi sivutettava %d" % n, content=b"Sivutettava asiakirja, uusi %d.\n" % n,
                                    date="2024-%02d-01" % (n % 6 + 1)).id)
            except Exception as e:
                faults.append(e)
                return

    for query in ({"sort": "date"}, {"q": "sivutettava"}):
        there += filed
        filed.clear()
        step = len(there) // 20 + 1
        first = search(w, limit=step, **query)
        seen = ids(first)
        filer = threading.Thread(target=file_more)
        filer.start()
        at = first
        while at["next"]:
            until = time.monotonic() + 10
            before = len(filed)
            while len(filed) < min(before + 5, 290) and not faults and time.monotonic() < until:
                time.sleep(0.02)  # whatever the machine's speed: some filings between two pages
            at = search(w, limit=step, cursor=at["next"], **query)
            same(at["total"], first["total"], "the total of the first page")
            seen += ids(at)
        stop.set()
        filer.join()
        stop.clear()
        same(faults, [])
        check(len(filed) > 50, "filings meanwhile", len(filed))
        same(len(seen), len(set(seen)), "hits that were repeated")
        same(len(seen), first["total"])
        same([d for d in there if d not in seen], [], "hits that were skipped")
        w.until_indexed()
    # where the order is not kept any more it goes on behind the document shown last
    first = search(w, limit=7, sort="date")
    same(w.stop(), 0)
    w.serve()
    rest = search(w, limit=100, sort="date", cursor=first["next"])
    same(ids(first) + ids(rest), ids(search(w, limit=100, sort="date"))[:7] + ids(rest))
    same(ids(search(w, limit=100, sort="date"))[7:], ids(rest)[:93])
    same(w.stop(), 0)


def test_pages__are_filled_up_where_something_was_withdrawn():
    w = Archive().serve()
    docs = [w.file(title="Poistuva %d" % n, content=b"Poistuva.\n", date="2024-01-%02d" % (n + 1)).id for n in range(12)]
    w.until_indexed()
    newest_first = docs[::-1]
    first = search(w, "helmi", limit=4, sort="date")
    same(ids(first), newest_first[:4])
    for d in newest_first[4:7] + newest_first[10:]:
        same(w.patch(d, {"publicity": {"class": "secret"}}).status, 200)
    second = search(w, "helmi", limit=4, sort="date", cursor=first["next"])
    same(ids(second), newest_first[7:10], "the page without what was withdrawn")
    same(second["next"], None, "nothing visible is left")
    shown = [e["document"] for e in w.audit(principal="helmi") if e["kind"] == "shown"]
    same(sorted(set(shown)), sorted(newest_first[:4] + newest_first[7:10]), "what the log says was shown")
    same(w.stop(), 0)


def test_pages__leave_out_what_is_seen_only_in_part_since():
    """Found by its whole text, it is no hit for those who see only its public rendition now."""
    w = Archive().serve()
    docs = [w.file(title="Osittain %d" % n, content=b"Osittain.\n", date="2024-01-%02d" % (n + 1)).id for n in range(6)][::-1]
    w.until_indexed()
    first = search(w, "helmi", limit=2, sort="date")
    r = w.send("PUT", "/v1/documents/%s/versions/1/renditions/public" % docs[2], "maija", {"Content-Type": "text/plain"},
               b"julkinen osa\n")
    same(r.status, 201, r.body[:200])
    same(w.patch(docs[2], {"publicity": {"class": "partly-secret"}, "publicTitle": "Osa"}).status, 200)
    same(w.get("/v1/documents/" + docs[2], "helmi").json()["rendition"], "public")
    same(ids(search(w, "helmi", limit=2, sort="date", cursor=first["next"])), docs[3:5])
    shown = {e["document"] for e in w.audit(principal="helmi") if e["kind"] == "shown"}
    check(docs[2] not in shown, "the log says that it was shown")
    same(w.stop(), 0)


def test_cursor__is_of_one_search_alone():
    w = archive()
    cursor = search(w, limit=1, sort="date")["next"]
    check(cursor)
    same(w.get("/v1/search?limit=1&sort=date&q=muu&cursor=" + cursor).status, 400)
    same(w.get("/v1/search?limit=1&cursor=" + cursor).status, 400)
    same(w.get("/v1/search?limit=3&sort=date&cursor=" + cursor).status, 200, "another length of page")
    mine = search(w, limit=1, sort="date", cursor=cursor)
    same(w.get("/v1/search?limit=1&sort=date&cursor=" + cursor, "helmi").status, 400, "another's")
    check(w.docs["secret"] not in [d for p in all_pages(w, "helmi", limit=1, sort="date") for d in ids(p)])
    same(len(mine["hits"]), 1)


# ---- suggestions ----

def suggested(w, q, user="maija"):
    r = w.json("/v1/search/suggest?" + urllib.parse.urlencode({"q": q}), user)["suggestions"]
    return {(s["kind"], s["text"]): s for s in r}


def test_suggest__completes_the_last_word():
    w = archive()
    s = suggested(w, "lapsen koiv")
    same(s["unit", "Koivula"]["query"], "lapsen unit:koivula")
    check(("term", "sijaishuolto") in suggested(w, "sijaish"), suggested(w, "sijaish"))
    same(suggested(w, "k"), {}, "one letter")
    same(suggested(w, ""), {})
    same(w.get("/v1/search/suggest?q=" + "x" * 1001).status, 400)
    same(w.get("/v1/search/suggest?q=koi&limit=x").status, 400)


def test_suggest__completes_words_of_visible_titles_only():
    w = archive()
    check(("word", "salainen") in suggested(w, "sala"), suggested(w, "sala"))
    same([k for k in suggested(w, "sala", "helmi") if k[0] == "word"], [])
    check(("word", "perhokodin") in suggested(w, "perhok", "helmi"))


def test_suggest__is_logged_as_a_search():
    w = archive()
    before = len([e for e in w.audit(principal="maija") if e["kind"] == "search"])
    suggested(w, "koi")
    suggested(w, "k")
    same(len([e for e in w.audit(principal="maija") if e["kind"] == "search"]), before + 1)


# ---- saved ----

def save(w, name, query, user="maija", status=201):
    r = w.send("POST", "/v1/saved-searches", user, JSON, json.dumps({"name": name, "query": query}))
    same(r.status, status, r.body[:300])
    return r


def test_saved__counts_what_is_new_since_it_was_looked_at():
    w = Archive().serve()
    w.file(title="Vanha valvontakertomus", content=b"Valvontakertomus.\n")
    w.until_indexed()
    made = save(w, "Valvonta", {"q": "valvontakertomus", "sort": "date"})
    path = made.header("Location")
    same(w.json(path)["new"], 0)
    for n in range(3):
        w.file(title="Uusi valvontakertomus %d" % n, content=b"Valvontakertomus.\n")
    w.file(title="Muu", content=b"Muuta.\n")
    w.until_indexed()
    same(w.json(path)["new"], 3)
    same([s["new"] for s in w.json("/v1/saved-searches")["searches"]], [3])
    feed = w.get(path + "/feed.atom")
    same((feed.status, feed.body.count(b"<entry>")), (200, 4))
    same(w.json(path)["new"], 3, "a feed marks nothing")
    page = w.json(path + "/results?limit=2")
    same((page["total"], len(page["hits"])), (4, 2))
    same(w.json(path)["new"], 0)
    same(len(w.json(path + "/results?limit=2&cursor=" + page["next"])["hits"]), 2)
    same(w.stop(), 0)
    w.serve()
    same((w.json(path)["new"], w.json(path)["name"]), (0, "Valvonta"))
    w.file(title="Viela valvontakertomus", content=b"Valvontakertomus.\n")
    w.until_indexed()
    same(w.json(path)["new"], 1, "the mark outlives the server")
    same(w.stop(), 0)
    same(w.verify().returncode, 0)
    same(w.run("rebuild", w.dir, "catalogue").returncode, 0)
    w.serve()
    same(w.json(path)["name"], "Valvonta")
    check("valvontakertomus" not in w.said().lower() and "Valvonta" not in w.said(), "the server talks of a search")
    same(w.stop(), 0)


def test_saved__feed_is_atom_newest_filing_first():
    import xml.etree.ElementTree as tree
    w = Archive().serve()
    titles = ["Syöte <%d> & \"merkki\" \x01" % n for n in range(5)]
    for n, t in enumerate(titles):
        w.file(title=t, content=b"Sisalto.\n", date="2024-01-%02d" % (28 - n))
    w.until_indexed()
    path = save(w, "Syöte & kaikki <a>", {}).header("Location")
    r = w.get(path + "/feed.atom")
    check(r.header("Content-Type").startswith("application/atom+xml"))
    check(r.header("Arkki-Receipt"), "a feed is logged")
    a = "{http://www.w3.org/2005/Atom}"
    root = tree.fromstring(r.body)
    same(root.tag, a + "feed")
    same(root.find(a + "title").text, "Syöte & kaikki <a>")
    for name in ("id", "updated", "author"):
        check(root.find(a + name) is not None, name)
    same([e.find(a + "title").text for e in root.findall(a + "entry")], [t.replace("\x01", " ") for t in titles[::-1]])
    for e in root.findall(a + "entry"):
        for name in ("id", "updated", "link", "summary"):
            check(e.find(a + name) is not None, name)
    same(len({e.find(a + "id").text for e in root.findall(a + "entry")}), 5)
    same(w.get(path + "/feed.atom", None).status, 401)
    same(w.stop(), 0)


def test_saved__are_their_owners_alone():
    w = world()
    made = save(w, "Oma", {"q": "salaisuus"})
    path, etag = made.header("Location"), made.header("ETag")
    for user in ("ylla", "risto", "aada", "oskari", "helmi"):
        same([s for s in w.json("/v1/saved-searches", user)["searches"] if s["id"] in path], [], user)
        never = "/v1/saved-searches/" + "0" * 32
        for tail in ("", "/results", "/feed.atom"):
            x, y = w.get(path + tail, user), w.get(never + tail, user)
            same((x.status, x.body), (404, y.body), user, tail)
        for method, body in (("PATCH", '{"name":"x"}'), ("DELETE", None)):
            headers = dict(JSON if body else {}, **{"If-Match": etag})
            same(w.send(method, path, user, headers, body).status, 404, user, method)
    same(w.get(path).json()["name"], "Oma")


def test_saved__are_changed_and_deleted_by_what_was_read():
    w = world()
    made = save(w, "Ensin", {"q": "a"})
    path, etag = made.header("Location"), made.header("ETag")
    patch = lambda body, tag=etag: w.send("PATCH", path, "maija", dict(JSON, **({"If-Match": tag} if tag else {})), json.dumps(body))
    same(patch({"name": "x"}, None).status, 428)
    same(patch({"name": "x"}, '"other"').status, 412)
    for body in ({"name": ""}, {"name": "x" * 201}, {"name": "a\nb"}, {"name": 1}, {"query": []}, {"query": {"x": "y"}},
                 {"query": {"cursor": "x"}}, {"query": {"limit": 5}}, {"query": {"from": "x"}}, {"nothing": 1}):
        r = patch(body)
        same((r.status, len(r.fields())), (422, 1), body)
    r = patch({"name": "Sitten"})
    same((r.status, r.json()["name"], r.json()["query"]), (200, "Sitten", {"q": "a"}))
    same(patch({"name": "Viela"}).status, 412, "the first tag is old")
    same(w.send("DELETE", path, "maija", {"If-Match": etag}).status, 412)
    same(w.send("DELETE", path, "maija", {"If-Match": r.header("ETag")}).status, 204)
    same(w.get(path).status, 404)
    big = json.dumps({"name": "x", "query": {"q": "y" * (17 << 10)}})
    same(w.send("POST", "/v1/saved-searches", "maija", JSON, big).status, 413)


def test_saved__have_a_limit():
    w = Archive().serve()
    for n in range(200):
        save(w, "Haku %d" % n, {})
    save(w, "Liikaa", {}, status=409)
    save(w, "Toisen", {}, "risto")
    seen, cursor = [], ""
    while cursor is not None:
        page = w.json("/v1/saved-searches?limit=50" + cursor)
        seen += [s["id"] for s in page["searches"]]
        cursor = "&cursor=" + page["next"] if page["next"] else None
    same(len(set(seen)), 200)
    same(w.stop(), 0)


# ---- what a hit says, and others like it ----

LONG = " ".join("Yksikon henkilosto kirjasi tapahtuman numero %d ja ilmoitti siita vastuuhenkilolle samana paivana." % n
                for n in range(30))


def test_hits__say_why_and_where_they_were_found():
    w = archive()
    f = w.file(title="Inspektion", language="sv", content="Vård utom hemmet ordnas för sju barn.\n".encode())
    w.until_indexed()
    hit = [h for h in search(w, q="sijaishuolto")["hits"] if h["document"] == f.id][0]
    same(hit["why"], [{"word": "sijaishuolto", "found": "vård utom hemmet"}])
    page = w.get("/fi/?q=sijaishuolto").body.decode()
    check("vård utom hemmet" in page, "why")
    f = w.file(title="Kuva", content=b"\x00\x01\x02\x03" * 50, name="x.bin")
    w.until_indexed()
    hit = [h for h in search(w, q="kuva")["hits"] if h["document"] == f.id][0]
    same(hit["text"]["state"], "none")
    check(hit["text"]["reason"], hit)
    check(hit["text"]["reason"].startswith("not a format arkki reads ("), hit)
    for language, reason in (("fi", "ei lue"), ("sv", "Arkki läser inte formatet"), ("en", "not a format arkki reads")):
        page = w.get("/%s/?q=kuva" % language).body.decode().replace("&#39;", "'")
        check(reason in page, language)
        same("not a format arkki reads" in page, language == "en", language)
        r = w.get("/v1/search?q=kuva", Accept_Language=language).json()
        check(any(reason in h["text"]["reason"] for h in r["hits"] if h["document"] == f.id), language)
    check("text" not in search(w, q="sijaishuolto")["hits"][0], "of what has text nothing is said")


def test_group__makes_one_hit_of_near_duplicates_that_are_seen():
    w = Archive().serve()
    texts = [LONG, LONG + " Lopuksi.", LONG.replace("numero 3 ", "numero kolme ")]
    docs = [w.file(title="Kirjaus %d" % n, content=t.encode(), date="2024-01-0%d" % (n + 1)).id for n, t in enumerate(texts)]
    hidden = w.file(title="Kirjaus 4", content=LONG.encode(), publicity="secret", date="2024-01-04").id
    other = w.file(title="Muu", content=b"Aivan muuta asiaa kuin edella, ja siita riittaa sanottavaa.\n", date="2023-01-01").id
    w.until_indexed()
    same(len(search(w)["hits"]), 5, "grouping is off")
    for user, group in (("maija", docs + [hidden]), ("helmi", docs)):
        a = search(w, user, group="true", sort="date")
        same(a["total"], len(group) + 1, user)
        same([h["document"] in group for h in a["hits"]], [True, False], user)
        head = a["hits"][0]
        same((head["similar"], sorted([head["document"]] + [s["document"] for s in head["sameAs"]])),
             (len(group) - 1, sorted(group)), user)
        check("similar" not in a["hits"][1])
    shown = {e["document"] for e in w.audit(principal="helmi") if e["kind"] == "shown"}
    same(shown, set(docs + [other]), "near-duplicates that are named are logged")
    check("lähes samanlaista" in w.get("/fi/?group=true").body.decode())
    same(w.stop(), 0)


def test_like__finds_documents_that_read_alike():
    w = archive()
    model = w.file(title="Malli", content=LONG.encode()).id
    near = w.file(title="Lahella", content=(LONG + " Muuta ei ollut.").encode()).id
    secret = w.file(title="Suljettu malli", content=LONG.encode(), publicity="secret").id
    w.until_indexed()
    a = search(w, "helmi", like=model)
    check(near in ids(a) and model not in ids(a) and secret not in ids(a), a["total"])
    texts = [e["document"] for e in w.audit(principal="helmi") if e["kind"] == "text" and e["outcome"] == "ok"]
    check(model in texts, "what others are compared with is read")
    for user in ("maija", "helmi"):  # no purpose stated; not seen at all
        x, y = search(w, user, like=secret), search(w, user, like="0123456789abcdef" * 2)
        same(x, y, user)
        same(x["total"], 0, user)
    same(search(w, like="x")["total"], 0)
    r = w.get("/v1/search?like=" + secret, Arkki_Purpose="valvonta", Arkki_Case="c1")
    check(r.json()["total"] > 0, "with a purpose and a case it may be read")
    check(near in w.get("/fi/?like=" + model).body.decode())


def test_meant__is_told_of_visible_words_only():
    w = archive()
    w.file(title="Erityisvalvonta", content=b"Erityisvalvonta jatkuu.\n")
    w.file(title="Kerttulin asia", content=b"Kerttuli Kerttuli.\n", publicity="secret")
    w.until_indexed()
    same(search(w, "helmi", q="erityisvalvomta")["didYouMean"], "erityisvalvonta")
    check("didYouMean" not in search(w, "helmi", q="erityisvalvonta"))
    check("didYouMean" not in search(w, "helmi", q="kerttulj"))
    check("Tarkoititko" in w.get("/fi/?q=erityisvalvomta").body.decode())
