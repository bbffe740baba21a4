"""What a search could tell beyond what its searcher may know: ways that were looked for, each with what must hold.

test_inference compares worlds; here stand the attacks that need a text of their own. All documents, units and people
are invented."""

import json
import threading
import time
import urllib.parse

from arkki_flow import SEED, Archive, check, same
from test_search import ids, save, search, suggested

JSON = {"Content-Type": "application/json"}
STATED = {"Arkki-Purpose": "valvonta", "Arkki-Case": "c1"}


def stated(w, path, user="maija"):
    r = w.send("GET", path, user, STATED)
    same(r.status, 200, path, r.body[:200])
    return r


# ---- texts that need a purpose ----

def test_meant__no_word_of_a_closed_text_is_told():
    """Who may know of a secret finds it by the words typed, and is told no word that was not."""
    w = Archive().serve()
    w.file(title="Merkinta", publicity="secret", content=b"Lapsi on Hyttyskorpela, aiti Sudenhalme.\n")
    w.until_indexed()
    wrong = "hyttyskorpeka"
    check("didYouMean" not in search(w, q=wrong), "a word of a closed text")
    check(b"hyttyskorpela" not in w.get("/fi/?q=" + wrong).body, "on the page")
    same(stated(w, "/v1/search?q=" + wrong).json()["didYouMean"], "hyttyskorpela", "with a purpose and a case")
    same(search(w, q="hyttyskorpela")["total"], 1, "the words typed find it")
    w.file(title="Avoin", content=b"Hyttyskorpera on avoin sana, ja valvontakertomus toinen.\n")
    w.until_indexed()
    same(search(w, q=wrong)["didYouMean"], "hyttyskorpera", "a word of an open one")
    check("didYouMean" not in search(w, q="hyttyskorpela"), "for what finds something nothing is proposed")
    same(search(w, q="hyttyskorpela valvontakertomuz")["didYouMean"].split()[-1], "valvontakertomus")
    same(w.stop(), 0)


def test_closed__a_hit_says_nothing_of_its_text():
    w = Archive().serve()
    text = "Ensimmainen kohta.\n\nSijaishuolto ja Hyttyskorpela.\n".encode()
    f = w.file(title="Merkinta", publicity="secret", content=text)
    w.until_indexed()
    for q in ("hyttyskorpela", "sijaishuolto", "\"vård utom hemmet\"", "hyttysk*", "merkinta", ""):
        path = "/v1/search?" + urllib.parse.urlencode({"q": q})
        hits = [h for h in w.json(path)["hits"] if h["document"] == f.id]
        same([(h["snippet"], h.get("why"), h.get("page")) for h in hits], [("", None, None)] * len(hits), q)
        page = w.get("/fi/?" + urllib.parse.urlencode({"q": q})).body
        check(b"Ensimmainen" not in page and b"like=" + f.id.encode() not in page, q)
    check("Hyttyskorpela" in stated(w, "/v1/search?q=hyttyskorpela").json()["hits"][0]["snippet"])
    same([s for s in suggested(w, "hyt") if s[0] == "word"], [], "words of texts are not completed")
    saved = save(w, "Oma", {"q": "hyttyskorpela"}).header("Location")
    for tail in ("/results", "/feed.atom"):
        check(b"Ensimmainen" not in w.get(saved + tail).body, tail)
    same(w.stop(), 0)


# ---- hidden words through what is counted ----

FILLERS = ("hevonen lammas karhu kettu orava hirvi peura majava saukko norppa ilves rotta hiiri kissa koira sika kana ankka "
           "hanhi joutsen haukka kotka varis harakka lokki").split()


def test_like__does_not_tell_whether_a_hidden_text_has_a_word():
    """A text of the asker's own: 25 words that one document each has, and a word to be asked for. Were it counted
    where it is hidden, it would push one of the 25 out, and a document less would be found."""
    w = Archive().serve()
    for n, word in enumerate(FILLERS):
        w.file(title="Osa %d" % n, content=("%s\n" % word).encode())
    model = w.file(title="Koe", content=(" ".join(FILLERS) + " leijona" * 10 + "\n").encode()).id
    w.until_indexed()
    asked = {"like": model, "limit": 100}
    before = search(w, "helmi", **asked)
    same(before["total"], 25)
    w.file(title="Salainen", publicity="secret", content=b"Leijona.\n")
    w.until_indexed()
    after = search(w, "helmi", **asked)
    same((after["total"], sorted(ids(after))), (25, sorted(ids(before))), "a hidden word was counted")
    check(sorted(ids(search(w, **asked))) != sorted(ids(before)), "who sees it finds it")
    same(w.stop(), 0)


def test_wildcard__hidden_words_take_no_room():
    w = Archive().serve()
    seen = w.file(title="Nakyva", content=b"Kanzyx on sana.\n")
    w.until_indexed()
    same(ids(search(w, "helmi", q="kan*")), [seen.id])
    w.file(title="Salainen", publicity="secret", content=" ".join("kana%04d" % n for n in range(6000)).encode())
    w.until_indexed()
    answer = search(w, "helmi", q="kan*")
    same((ids(answer), answer["read"]["notes"]), ([seen.id], []), "crowded out by words that are hidden")
    check(seen.id in ids(search(w, q="kanz*")))
    same(w.stop(), 0)


# ---- cursors and orders ----

def with_roles(user, roles):
    return dict(SEED, users=[dict(u, roles=roles) if u["id"] == user else u for u in SEED["users"]])


def test_cursor__is_of_one_user_alone():
    w = Archive().serve()
    for n in range(3):
        w.file(title="Asia %d" % n, publicity="secret" if n == 1 else "public", date="2024-01-0%d" % (n + 1))
    w.until_indexed()
    saved = save(w, "Oma", {"sort": "date"}).header("Location")
    for path in ("/v1/search?limit=1&sort=date", saved + "/results?limit=1"):
        cursor = w.json(path)["next"]
        same(w.get(path + "&cursor=" + cursor).status, 200)
        for user in ("helmi", "risto", "ylla"):
            own = path.replace(saved, save(w, "Oma", {"sort": "date"}, user).header("Location"))
            r = w.get(own + "&cursor=" + cursor, user)
            same((r.status, r.json()["type"]), (400, "urn:arkki:problem:bad-cursor"), user, path)
        check(all(d not in cursor for d in ids(w.json(path))), "a cursor names a document")
    same(w.stop(), 0)


def test_order__does_not_outlive_the_rights_it_was_made_under():
    """Withdrawn between two pages: neither the hits nor the total, the facets and near-duplicates of before are shown."""
    w = Archive().serve()
    for n in range(8):
        w.file(title="Asia %d" % n, publicity="secret" if n % 2 else "public", date="2024-01-0%d" % (n + 1),
               type="memo" if n % 2 else "inspection-report")
    w.until_indexed()
    asked = {"sort": "date", "limit": 2}
    first = search(w, "ulla", **asked)
    same(first["total"], 8)
    w.load(with_roles("ulla", ["placer"]))
    second = search(w, "ulla", cursor=first["next"], **asked)
    same((second["total"], [c["value"] for c in second["facets"]["type"]]), (4, ["inspection-report"]))
    check(all(h["type"] == "inspection-report" for h in second["hits"]), second["hits"])
    page = "/fi/?sort=date&limit=2&cursor="
    check(b"Asia 1<" not in w.get(page + urllib.parse.quote(first["next"]), "ulla").body)
    same(w.stop(), 0)


# ---- renditions ----

def test_rendition__nothing_helps_with_words_of_the_whole():
    w = Archive().serve()
    f = w.file(title="Hyttyskorpelan asia", publicity="partly-secret", publicTitle="Julkinen osa", case="c1",
               content=b"Sijaishuolto kvartsikello.\n" * 40)
    r = w.send("PUT", "/v1/documents/%s/versions/1/renditions/public" % f.id, "maija", {"Content-Type": "text/plain"},
               b"Peitetty osa tekstista.\n")
    same(r.status, 201)
    w.until_indexed()
    same(ids(search(w, "helmi", q="peitetty")), [f.id])
    for q in ("kvartsikello", "sijaishuolto", "hyttyskorpelan", "otsikko:hyttyskorpelan", "kvartsi*", "asia:c1", "\"sijaishuolto kvartsikello\""):
        answer = search(w, "helmi", q=q)
        same(answer["total"], 0, q)
    for wrong in ("kvartsikelko", "hyttyskorpelam"):
        check("didYouMean" not in search(w, "helmi", q=wrong), wrong)
    same([s for s in suggested(w, "hyttys", "helmi")], [])
    same(search(w, "helmi", case="c1")["total"], 0)
    hit = search(w, "helmi", q="peitetty tekstista")["hits"][0]
    same((hit["title"], "kvartsi" in json.dumps(hit)), ("Julkinen osa", False))
    other = w.file(title="Muu", content=b"Sijaishuolto kvartsikello.\n" * 40).id
    w.until_indexed()
    same(ids(search(w, "helmi", like=other)), [], "like words of the whole")
    check(all("similar" not in h for h in search(w, "helmi", group="true")["hits"]))
    same(w.stop(), 0)


# ---- the log, and what is kept out of logs ----

def test_reads__are_all_logged():
    w = Archive().serve()
    texts = [" ".join("Kirjattu tapahtuma numero %d samana paivana yksikossa." % i for i in range(30))] * 3
    docs = [w.file(title="Kirjaus %d" % n, content=t.encode(), date="2024-01-0%d" % (n + 1)).id for n, t in enumerate(texts)]
    w.until_indexed()
    saved = save(w, "Oma", {"q": "tapahtuma"}, "helmi").header("Location")

    def entries(path):
        before = len(w.audit(principal="helmi"))
        r = w.get(path, "helmi")
        same(r.status, 200, path)
        check(r.header("Arkki-Receipt"), path, "has no receipt")
        same((r.header("Cache-Control") or "").split(", ")[-1], "no-store", path)
        return w.audit(principal="helmi")[before:]

    for path, kinds in (
            ("/v1/search?q=tapahtuma&limit=1", ["search", "shown"]),
            ("/v1/search?q=tapahtuma&limit=1&cursor=" + search(w, "helmi", q="tapahtuma", limit=1)["next"], ["search", "shown"]),
            ("/v1/search?group=true", ["search"] + ["shown"] * 3),
            ("/v1/search?like=" + docs[0], ["search", "shown", "shown", "text"]),
            ("/v1/search/suggest?q=kir", ["search"]),
            (saved, ["search"]), ("/v1/saved-searches", ["search"]), (saved + "/results", ["search"] + ["shown"] * 3),
            (saved + "/feed.atom", ["search"] + ["shown"] * 3), ("/fi/?q=tapahtuma", ["search"] + ["shown"] * 3),
            ("/v1/texts?state=ready", ["list"])):
        got = sorted(e["kind"] for e in entries(path))
        same([k for k in got if k != "shown" or path[:9] != "/v1/texts"], kinds, path)
    same({e["query"] for e in w.audit(principal="helmi") if e["kind"] == "search"}, {"tapahtuma", "", "suggest: kir"})
    # prefetching is no reading: it is refused, unlogged, and a saved search stays as new as it was
    w.file(title="Kirjaus 9", content=b"Uusi tapahtuma.\n")
    w.until_indexed()
    before = len(w.audit(principal="helmi"))
    for path in ("/v1/search?q=a", "/v1/search/suggest?q=kir", saved, saved + "/results", saved + "/feed.atom", "/fi/?q=a"):
        same(w.send("GET", path, "helmi", {"Sec-Purpose": "prefetch;anonymous-client-ip"}).status, 503, path)
    same(len(w.audit(principal="helmi")), before)
    same(w.send("HEAD", saved + "/results", "helmi").status, 200)
    same(w.json(saved, "helmi")["new"], 1, "nothing was shown yet")
    same(w.stop(), 0)


def test_output__carries_no_words_of_searches():
    w = Archive().serve()
    w.file(title="Asia", content=b"Sisalto.\n")
    w.until_indexed()
    word = "salasanakissa"
    for q in (word, word + "*", "\"" + word, "yksikko:" + word, "(" * 40 + word, word * 30, "päivä:" + word):
        w.get("/v1/search?" + urllib.parse.urlencode({"q": q}))
        w.get("/sv/?" + urllib.parse.urlencode({"q": q}))
        w.get("/v1/search/suggest?" + urllib.parse.urlencode({"q": q}))
        w.send("POST", "/v1/search", "maija", JSON, json.dumps({"q": q, "like": q, "cursor": q}))
    saved = save(w, word, {"q": word, "unit": word}).header("Location")
    for tail in ("", "/results", "/feed.atom"):
        w.get(saved + tail)
    now = w.get("/v1/synonyms", "ylla").header("ETag")
    r = w.send("PUT", "/v1/synonyms", "ylla", dict(JSON, **{"If-Match": now}), json.dumps(
        {"entries": [{"fi": [word], "sv": ["losenordskatt"]}], "reason": word}))
    check(r.status in (200, 400), r.body)
    w.send("PUT", "/v1/synonyms", "ylla", dict(JSON, **{"If-Match": "*"}), json.dumps({word: [word]}))
    w.send("POST", "/v1/texts/retry", "ylla", JSON, json.dumps({"reason": word}))
    same(w.stop(), 0)
    check(word not in w.said() and "losenordskatt" not in w.said(), w.said())


# ---- others' things, and two at once ----

def test_saved__two_changes_by_one_tag_are_one():
    w = Archive().serve()
    made = save(w, "Ensin", {"q": "a"})
    headers = dict(JSON, **{"If-Match": made.header("ETag")})
    w.token("maija")
    got = []

    def change(n):
        got.append((w.send("PATCH", made.header("Location"), "maija", headers, json.dumps({"name": "Nimi %d" % n})).status, n))

    threads = [threading.Thread(target=change, args=(n,)) for n in range(6)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    same(sorted(s for s, _ in got), [200] + [412] * 5)
    same(w.json(made.header("Location"))["name"], "Nimi %d" % [n for s, n in got if s == 200][0])
    same(w.stop(), 0)
    same(w.verify().returncode, 0)


def test_saved__follow_the_rights_of_the_day():
    w = Archive().serve()
    w.file(title="Salainen", publicity="secret", content=b"Salainen asia.\n")
    w.until_indexed()
    saved = save(w, "Oma", {}, "ulla").header("Location")
    same(w.json(saved + "/results", "ulla")["total"], 1)
    w.file(title="Toinen salainen", publicity="secret", content=b"Salainen asia.\n")
    w.until_indexed()
    w.load(with_roles("ulla", ["placer"]))
    same((w.json(saved, "ulla")["new"], w.json(saved + "/results", "ulla")["total"]), (0, 0))
    check(b"<entry>" not in w.get(saved + "/feed.atom", "ulla").body)
    same(w.stop(), 0)


def test_administrators__of_accounts_see_no_more_in_searches():
    w = Archive().serve()
    f = w.file(title="Hyttyskorpelan asia", publicity="secret", content=b"\x00\x01\x02\x03" * 50, name="x.bin")
    w.until_indexed()
    w.load(dict(SEED, users=[dict(u, org="hoiva-oy") if u["id"] == "ylla" else u for u in SEED["users"]]))
    same((search(w, "ylla")["total"], suggested(w, "hyttys", "ylla")), (0, {}))
    same(w.json("/v1/texts", "ylla")["texts"], [])
    reason = w.json("/v1/texts")["texts"][0]["text"]["reason"]
    for body in ({"reason": reason}, {"document": f.id}):
        r = w.send("POST", "/v1/texts/retry", "ylla", JSON, json.dumps(body))
        check(r.status == 404 or r.json() == {"queued": 0}, body, r.body)
    same(w.json("/v1/texts")["texts"][0]["text"]["state"], "none", "nothing was taken up")
    same(w.stop(), 0)


# ---- too much ----

def test_bounds__heavy_queries_end():
    w = Archive().serve()
    words = ["%s%s%s" % (a, b, c) for a in ("kala", "vesi", "maan", "talo", "puut") for b in "abcdefghijklmnopqrst"
             for c in "abcdefghijklmnopqrst"]
    for n in range(10):
        w.file(title="Sanasto %d" % n, content=" ".join(x + chr(97 + n) for x in words).encode())
    huge = w.file(title="Suuri", content=" ".join("sana%s%05d" % (chr(97 + n % 26), n) for n in range(60000)).encode()).id
    w.until_indexed()
    start = time.monotonic()
    for q in (" ".join("%s*" % x for x in ("kal", "ves", "maa", "tal", "puu", "san") * 42),
              " ".join(x + "xzx" for x in words[:250]), " ".join("\"%s\"" % x for x in words[:250]),
              " OR ".join(words[:256]), "(" * 5000 + "kala"):
        r = w.send("POST", "/v1/search", "maija", JSON, json.dumps({"q": q, "limit": 100, "group": True}))
        check(r.status in (200, 400), r.status, r.body[:200])
        check(len(r.body) < 1 << 20, "an answer of", len(r.body))
    r = w.send("POST", "/v1/search", "maija", JSON, json.dumps({"q": " ".join("%s*" % x[:5] for x in words[::20])}))
    same({n["kind"] for n in r.json()["read"]["notes"]}, {"wildcard-cut"}, "more wildcards than are looked for")
    same(w.get("/v1/search?like=" + huge).status, 200)
    for n in range(30):
        same(w.get("/v1/search/suggest?q=ka&limit=20").status, 200)
    check(time.monotonic() - start < 40, "took", time.monotonic() - start)
    same(w.stop(), 0)
