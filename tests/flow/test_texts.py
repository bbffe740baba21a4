"""Texts that could not be taken, the list of them, trying again; and pictures of text that OCR reads.

The scans are drawn here by cairo: our own invention, of no real person or unit."""

import ctypes
import ctypes.util
import json
import signal
import tempfile
import time

from arkki_flow import Archive, Skip, check, same

PARAGRAPHS = (
    "Tarkastuskertomus. Yksikössä käytettiin rajoitustoimenpiteitä.",
    "Lapsen eristäminen kirjattiin asianmukaisesti.",
    "Hoitohenkilökunta keskusteli lapsen kanssa jälkikäteen.",
    "Valvova viranomainen pyysi selvityksen kuukauden kuluessa.",
)


class Cairo:
    def __init__(self):
        name = ctypes.util.find_library("cairo")
        if not name:
            raise Skip("libcairo is not here")
        self.c = ctypes.CDLL(name)
        for f in ("cairo_image_surface_create", "cairo_pdf_surface_create", "cairo_create"):
            getattr(self.c, f).restype = ctypes.c_void_p

    def surface(self, width, height):
        return ctypes.c_void_p(self.c.cairo_image_surface_create(1, width, height))

    def pen(self, surface):
        return ctypes.c_void_p(self.c.cairo_create(surface))

    def text(self, pen, lines, size, left, top):
        d = ctypes.c_double
        self.c.cairo_set_source_rgb(pen, d(0), d(0), d(0))
        self.c.cairo_select_font_face(pen, b"DejaVu Serif", 0, 0)
        self.c.cairo_set_font_size(pen, d(size))
        for i, line in enumerate(lines):
            self.c.cairo_move_to(pen, d(left), d(top + i * size * 1.8))
            self.c.cairo_show_text(pen, line.encode())

    def scan(self, lines):
        """A page of 150 dpi."""
        s = self.surface(1240, 600)
        p = self.pen(s)
        self.c.cairo_set_source_rgb(p, *(ctypes.c_double(1),) * 3)
        self.c.cairo_paint(p)
        self.text(p, lines, 28, 90, 120)
        self.c.cairo_destroy(p)
        return s

    def png(self, lines):
        with tempfile.NamedTemporaryFile(suffix=".png") as f:
            same(self.c.cairo_surface_write_to_png(self.scan(lines), f.name.encode()), 0, "cairo")
            return f.read()

    def pdf(self, pages):
        """pages: ("text" or "scan", lines)"""
        d = ctypes.c_double
        with tempfile.NamedTemporaryFile(suffix=".pdf") as f:
            s = ctypes.c_void_p(self.c.cairo_pdf_surface_create(f.name.encode(), d(595), d(288)))
            p = self.pen(s)
            for kind, lines in pages:
                if kind == "text":
                    self.text(p, lines, 13, 40, 60)
                else:
                    self.c.cairo_save(p)
                    self.c.cairo_scale(p, d(0.48), d(0.48))
                    self.c.cairo_set_source_surface(p, self.scan(lines), d(0), d(0))
                    self.c.cairo_paint(p)
                    self.c.cairo_restore(p)
                self.c.cairo_show_page(p)
            self.c.cairo_destroy(p)
            self.c.cairo_surface_finish(s)
            with open(f.name, "rb") as r:
                return r.read()


def document(a, doc, user="maija"):
    return a.json("/v1/documents/" + doc, user)


def until(what, seconds, *said):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        got = what()
        if got:
            return got
        time.sleep(0.2)
    check(False, "not in", seconds, "s:", *said)


def ocr_or_skip(a, cairo):
    """An archive without OCR has nothing to be tested here."""
    f = a.file(content=cairo.png(PARAGRAPHS[:1]), name="kuva.png", title="Koe")
    a.until_indexed()
    text = document(a, f.id)["text"]
    if text["state"] == "none":
        raise Skip("no OCR: " + text.get("reason", ""))
    return f


def said_in_the_language_asked_for(a, doc, stored):
    tags = []
    for language, word in (("fi", "Arkki ei lue"), ("sv", "Arkki läser inte"), ("en", stored)):
        r = a.get("/v1/documents/" + doc, Accept_Language=language)
        check(word in r.json()["text"]["reason"], language, r.body)
        tags.append(r.header("ETag"))
        check(word in a.get("/v1/documents/%s/versions/1/text" % doc, Accept_Language=language).json().get("detail", ""), language, a.get("/v1/documents/%s/versions/1/text" % doc).body)
        page = a.get("/%s/documents/%s" % (language, doc)).body.decode()
        check(word in page, language, page[-3000:])
        check(word in a.get("/%s/admin" % language, "ylla").body.decode(), language)
        listed = [t for t in a.get("/v1/texts", "ylla", Accept_Language=language).json()["texts"] if t["document"] == doc]
        same([(t["text"]["reason"], word in t["text"]["reasonText"]) for t in listed], [(stored, True)], language)
    same(document(a, doc)["text"]["reason"], stored, "of whoever names no language")
    same(len(set(tags + [a.get("/v1/documents/" + doc).header("ETag")])), 4, "other bytes, another tag")
    same(a.patch(doc, {"title": "Lukematon"}, etag=tags[1]).status, 200, "any of them will do")


def test_texts__without_one_are_listed_with_the_reason_and_tried_again():
    a = Archive().serve()
    good = a.file(content=b"Luettava teksti\n", title="Luettava")
    bad = a.file(content=b"\x7fELF\x02\x01\x01" + bytes(200), name="ohjelma.bin", title="Lukematon")
    hidden = a.file(content=b"\x7fELF\x02\x01\x01" + bytes(300), publicity="secret", title="Salainen")
    a.until_indexed()
    found = a.json("/v1/texts")["texts"]
    same(sorted(t["document"] for t in found), sorted((bad.id, hidden.id)))
    one = [t for t in found if t["document"] == bad.id][0]
    same((one["text"]["state"], one["title"], one["size"]), ("none", "Lukematon", 207))
    check(one["text"]["reason"], "a reason")
    said_in_the_language_asked_for(a, bad.id, one["text"]["reason"])
    same([t["document"] for t in a.json("/v1/texts?state=ready")["texts"]], [good.id])
    same([t["document"] for t in a.json("/v1/texts", "helmi")["texts"]], [bad.id], "under the caller's sight")
    same(a.json("/v1/texts?reason=muu")["texts"], [])
    page = a.json("/v1/texts?limit=1")
    rest = a.json("/v1/texts?limit=1&cursor=" + page["next"])
    same({page["texts"][0]["document"], rest["texts"][0]["document"]}, {bad.id, hidden.id}, "pages")
    shown = [e for e in a.audit(document=bad.id) if e["kind"] == "shown"]
    check(shown, "what the list showed is logged")

    def retry(body, user, status):
        r = a.send("POST", "/v1/texts/retry", user, {"Content-Type": "application/json"}, json.dumps(body))
        same(r.status, status, r.body[:300])
        return r.json()

    retry({"document": bad.id}, "maija", 403)
    retry({"document": hidden.id}, "ylla", 404 if a.get("/v1/documents/" + hidden.id, "ylla").status == 404 else 200)
    retry({}, "ylla", 422)
    retry({"document": bad.id, "reason": "x"}, "ylla", 422)
    retry({"document": bad.id, "x": 1}, "ylla", 422)
    same(retry({"document": bad.id, "version": 1}, "ylla", 200)["queued"], 1)
    seen = a.json("/v1/texts", "ylla")["texts"] + a.json("/v1/texts?state=pending", "ylla")["texts"]
    check(bad.id in [t["document"] for t in seen], "it is somewhere")
    until(lambda: document(a, bad.id)["text"]["state"] == "none", 10, "taken up again")
    kinds = [e for e in a.audit(log="history") if e["kind"] == "texts-retry"]
    check(any(e.get("document") == bad.id for e in kinds), "a history entry", kinds)

    s = a.json("/v1/status", "ylla")
    same(s["texts"]["none"], 2)
    same([r["count"] for r in s["texts"]["reasons"]], [2])
    same(s["indexing"]["behind"], 0)
    p = a.run("texts", a.dir)
    same(p.returncode, 0, p.stderr)
    same(sorted(l.split("\t")[0] for l in p.stdout.splitlines()), sorted((bad.id, hidden.id)))
    check("Lukematon" not in p.stdout and "Salainen" not in p.stdout, "no titles for the operator")
    p = a.run("texts", a.dir, "--retry", "--reason", one["text"]["reason"])
    same((p.returncode, p.stdout), (0, "2 texts are taken up again\n"), p.stderr)
    same(a.run("texts", a.dir, "--retry").returncode, 2)
    until(lambda: document(a, hidden.id)["text"]["state"] == "none", 10, "both again")
    a.stop()


def test_ocr__is_held_up_and_let_go_on_and_says_so():
    a = Archive().serve()
    same(a.run("ocr", a.dir, "pause").stdout.split(":")[0], "paused")
    same(a.json("/v1/status", "ylla")["ocr"]["paused"], True)
    a.stop()
    a.serve()
    same(a.json("/v1/status", "ylla")["ocr"]["state"], "paused", "over a restart")
    same(a.run("ocr", a.dir, "resume").returncode, 0)
    same(a.json("/v1/status", "ylla")["ocr"]["paused"], False)
    a.stop()
    same(a.run("ocr", a.dir, "pause").stdout.split(":")[0], "paused", "without a server")
    same(a.run("ocr", a.dir, "status").stdout.split(":")[0], "paused")
    check({"ocr-pause", "ocr-resume"} <= {e["kind"] for e in a.serve().audit(log="history")}, "in the history")
    a.stop()


def test_ocr__reads_a_scan_that_is_then_found():
    cairo = Cairo()
    a = Archive().serve()
    f = ocr_or_skip(a, cairo)
    d = until(lambda: (lambda d: d if d["text"]["state"] != "pending" else None)(document(a, f.id)), 90, a.said())
    same(d["text"], {"state": "ready", "reason": "1 of 1 pages read by OCR"})
    same([h["document"] for h in a.json("/v1/search?q=rajoitustoimenpide")["hits"]], [f.id])
    check("rajoitustoimenpit" in a.get("/v1/documents/%s/versions/1/text" % f.id).body.decode(), "its text")
    a.stop()


def test_ocr__does_not_keep_the_text_layer_waiting_and_keeps_what_it_read():
    cairo = Cairo()
    a = Archive().serve()
    ocr_or_skip(a, cairo)
    same(a.run("ocr", a.dir, "pause").returncode, 0)
    pages = [("text", PARAGRAPHS[:1])] + [("scan", (PARAGRAPHS[i % 4], "sivu numero")) for i in range(1, 6)]
    f = a.file(content=cairo.pdf(pages), name="skannaus.pdf", title="Osin skannattu")
    a.until_indexed()
    same(document(a, f.id)["text"], {"state": "ready"})
    check(f.id in [h["document"] for h in a.json("/v1/search?q=tarkastuskertomus")["hits"]], "at once")
    same([(t["document"], t["pages"]) for t in a.json("/v1/texts?state=ocr")["texts"] if t["document"] == f.id],
         [(f.id, {"total": 6, "pictures": 5, "read": 0})])
    a.run("ocr", a.dir, "resume")
    done = 0
    for _ in range(12):  # killed again and again, it goes on where it was
        until(lambda: pages_read(a, f.id) > done, 90, a.said())
        if pages_read(a, f.id) == 5:
            break
        a.stop(signal.SIGKILL)
        a.serve()
        now = pages_read(a, f.id)
        check(now >= done, "what was read is kept", now, done)
        done = now
    until(lambda: document(a, f.id)["text"].get("reason"), 60, a.said())
    same(document(a, f.id)["text"], {"state": "ready", "reason": "5 of 6 pages read by OCR"})
    text = a.get("/v1/documents/%s/versions/1/text" % f.id).body.decode()
    same(len(text.split("\f")), 6, "pages")
    for i, word in ((0, "rajoitustoimenpiteit"), (1, "rist"), (2, "Hoitohenkil"), (3, "selvityksen")):
        check(word in text.split("\f")[i], i, word, text)
    check(f.id in [h["document"] for h in a.json("/v1/search?q=eristäminen".replace("ä", "%C3%A4"))["hits"]], "found")

    a.stop()
    same(a.run("rebuild", a.dir, "catalogue").returncode, 0)
    a.serve()
    same(document(a, f.id)["text"], {"state": "ready", "reason": "5 of 6 pages read by OCR"}, "after a rebuild")
    same(a.json("/v1/texts?state=ocr")["texts"], [])
    a.stop()


def pages_read(a, doc):
    listed = [t for t in a.json("/v1/texts?state=ocr")["texts"] if t["document"] == doc]
    return listed[0]["pages"]["read"] if listed else 5


def test_ocr__of_a_picture_without_text_says_so():
    cairo = Cairo()
    a = Archive().serve()
    ocr_or_skip(a, cairo)
    f = a.file(content=cairo.png(()), name="tyhja.png", title="Tyhja")
    d = until(lambda: (lambda d: d if d["text"]["state"] != "pending" else None)(document(a, f.id)), 90, a.said())
    same(d["text"], {"state": "none", "reason": "its pictures show no text that can be read"})
    a.stop()


def test_ocr__keeps_what_the_extraction_said_of_the_text():
    cairo = Cairo()
    a = Archive().serve()
    ocr_or_skip(a, cairo)
    same(a.run("ocr", a.dir, "pause").returncode, 0)
    pages = [("text", PARAGRAPHS[:1]), ("scan", PARAGRAPHS[1:2])]
    f = a.file(content=cairo.pdf(pages), name="skannaus.pdf", title="Osin luettu")
    a.until_indexed()
    same(document(a, f.id)["text"], {"state": "ready"})
    # as a decoder leaves it that was cut off behind these pages
    cut = "only a part was read: took longer than 20 s"
    with open("%s/derived/%s/%s-v0001.remark" % (a.dir, f.id[:2], f.id), "w", encoding="ascii") as r:
        r.write(cut)
    a.run("ocr", a.dir, "resume")
    both = {"state": "ready", "reason": cut + "; 1 of 2 pages read by OCR"}
    until(lambda: document(a, f.id)["text"].get("reason"), 90, a.said())
    same(document(a, f.id)["text"], both)
    page = a.get("/sv/documents/" + f.id).body.decode()
    check("endast en del lästes: läsningen tog längre än 20 s; 1 av 2 sidor" in page, page[-3000:])
    a.stop()
    same(a.run("rebuild", a.dir, "catalogue").returncode, 0)
    a.serve()
    same(document(a, f.id)["text"], both, "after a rebuild")
    a.stop()
