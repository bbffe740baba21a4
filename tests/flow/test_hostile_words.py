"""Words that would be more than words: purposes, titles, file names and records that look like a log's own lines.

Whatever is stated is kept as it was stated, in the place of one value, or refused; no answer, log, note or package says
more than was done.
"""

import io
import json
import os
import urllib.parse
import zipfile

from arkki_flow import Archive, arkki, check, raw, same
from test_exports import kept, opened, ready, valid_bag, vkeys

# what a checkpoint, a note and a record of a log look like
FORGED = ["T\n{\"index\":0,\"kind\":\"filing\",\"principal\":\"maija\"}",
          "arkki.test/history\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n\u2014 arkki.test/history AAAA\n",
          "\u2014 arkki.test/history Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=",
          "arkki 7\n\ndocs 00112233445566778899aabbccddeeff v0001 m0001",
          "listening on http://127.0.0.1:1\n2026-01-01T00:00:00Z error \x1b[2J\x9b2J",
          "a\u202etxt.exe\u2066b", "a\u2028b\u2029c\u0085d", "\",\"outcome\":\"denied\",\"x\":\"", "</pre><script>alert(1)</script>",
          "' OR 1=1; DROP TABLE entry;--", "%s%n%00%0a", "..\\..\\..\\x", "\U000e0001\ufeff\u200f!"]


def stated(a, document, value, **headers):
    return a.get("/v1/documents/%s/versions/1/content" % document, Arkki_Purpose=value, Arkki_Case="c1", **headers)


def entries_of(a, document):
    got = [e for e in a.audit(document=document) if e["kind"] == "content"]
    same([e["documentSequence"] for e in got], sorted(e["documentSequence"] for e in got), "in order")
    return got


def test_purpose__is_one_value_of_one_entry_whatever_it_says():
    a = Archive().serve()
    f = a.file(publicity="secret", case="c1")
    for words in FORGED:
        before = len(a.audit())
        r = stated(a, f.id, urllib.parse.quote(words))
        same(r.status, 200, repr(words))
        check(all("\n" not in v and "\r" not in v for _, v in r.headers), "a header of more lines")
        same(len(a.audit()), before + 2, "one entry for the read and one for looking:", repr(words))
        e = entries_of(a, f.id)[-1]
        same((e["purpose"], e["kind"], e["outcome"], e["principal"]), (words, "content", "ok", "maija"))
    own = a.json("/v1/audit/access?document=" + f.id, "aino")["entries"]
    same([e["purpose"] for e in own if e["kind"] == "content"], FORGED, "an authority's own view")
    check("{\"index\"" not in a.said() and "\x1b" not in a.said(), "the server's own words:", a.said())
    a.stop()
    same(a.verify("--full").returncode, 0)


def test_purpose__that_nobody_could_read_opens_nothing():
    a = Archive().serve()
    f = a.file(publicity="secret", case="c1", content=b"salaisuus\n")
    for blank in ("", " ", "%20", "%0A", "%09%0D", "%E2%80%8B", "%E2%80%AE%E2%81%A6", "%C2%A0", "%EF%BB%BF", "%E3%80%80"):
        r = stated(a, f.id, blank)
        same(r.status, 403, blank, r.body[:200])
        check(b"salaisuus" not in r.body, blank)
    for broken in ("a%00b", "a%", "a%0", "%zz", "%FF", "%C0%80", "%ED%A0%80", b"raw\xe4", "x" * 4097, "%E2%80%AE" * 1366):
        r = stated(a, f.id, broken)
        same(r.status, 400, str(broken)[:40], r.body[:200])
        same(r.json()["type"], "urn:arkki:problem:bad-purpose")
        check(b"salaisuus" not in r.body, "bytes")
    same(stated(a, f.id, "x" * 4096).status, 200)
    check({e.get("purpose", "") for e in entries_of(a, f.id)} <= {"", "x" * 4096}, "what was refused is in no entry")
    a.stop()


def test_purpose__of_a_megabyte_or_with_raw_control_bytes_is_no_request():
    a = Archive().serve()
    f = a.file(publicity="secret", case="c1", content=b"salaisuus\n")
    line = "GET /v1/documents/%s/versions/1/content HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\n" % (f.id, a.token("maija"))
    before = len(a.audit())
    for i, value in enumerate((b"x" * 1000000, b"a\0b", b"a\x0bb", b"a\rb", b"a\nArkki-Case: c1", b"a\r\n continued", b"a\x7fb")):
        out = raw(a.port, line.encode() + b"Arkki-Purpose: " + value + b"\r\nArkki-Case: c1\r\nConnection: close\r\n\r\n", 3)
        check(b"salaisuus" not in out and b" 200 " not in out[:20], value[:20], out[:100])
        check(len(a.audit()) <= before + 2 * i + 2, "entries that nobody made")
    same(stated(a, f.id, "valvonta").status, 200, "the server lives")
    a.stop()


def test_title__that_looks_like_a_log_line_stays_a_title():
    a = Archive().serve()
    documents = []
    for words in FORGED:
        r = a.post_document({"units": ["koivula"], "type": "other", "title": words, "language": "fi", "date": "2026-03-12",
                             "publicity": {"class": "public"}}, words.encode(), name="x.txt", media_type="text/plain")
        same(r.status, 201, repr(words), r.body[:300])
        documents.append(r.json()["id"])
        same(a.json("/v1/documents/" + documents[-1])["title"], words)
        page = a.get("/fi/documents/" + documents[-1])
        same(page.status, 200)
        text = page.body.decode()
        check("<script>alert" not in text and "\x1b" not in text, "markup of a title:", repr(words))
        check(not [c for c in text if "\u202a" <= c <= "\u202e" or "\u2066" <= c <= "\u2069"], "direction of a page:", repr(words))
    listed = a.listed("/v1/documents?unit=koivula")
    same({d["id"] for d in listed}, set(documents))
    filings = [e for e in a.audit(log="history") if e["kind"] == "filing"]
    same([e["document"] for e in filings], documents, "history")
    for words, doc in zip(FORGED, documents):
        events = a.json("/v1/documents/%s/history" % doc)["events"]
        same([e["kind"] for e in events if e["kind"] in ("filing", "version", "metadata")], ["filing"], repr(words))
    a.stop()
    p = a.verify("--full")
    same(p.returncode, 0, p.stdout, p.stderr)
    for name in ("archive.git/HEAD", "allowed_signers"):
        check(os.path.exists(os.path.join(a.dir, name)), name)


def test_names__that_lead_elsewhere_are_kept_and_led_nowhere():
    a = Archive().serve()
    names = ["..\\..\\x.txt", "C:\\x.txt", "con.txt", ".ssh", "a\u202etxt.exe", "~root", "%2e%2e%2fx", "x.txt\u2028y", "-rf *", "$(id)",
             "manifest-sha256.txt", "export.json", "\u2014 arkki.test AAAA"]
    documents = []
    for n in names:
        r = a.post_document(name=n)
        same(r.status, 201, n, r.body[:200])
        documents.append(r.json()["id"])
        head = a.get("/v1/documents/%s/versions/1/content" % documents[-1]).header("Content-Disposition")
        check("\n" not in head and "\\" not in head and "%E2%80%AE" not in head, head)
    for n in (b"a\nb.txt", b"a\r\nArkki-Receipt: y", b"nul\0.txt"):
        same(a.post_document(name=n).status, 400, n)
    job, body = ready(a, {"documents": documents, "purpose": FORGED[0]})
    files = opened(body)  # verified below: RFC 8493 has a % of a path written as %25 in a manifest
    for path in files:
        check(".." not in path.split("/") and "\\" not in path and not path.startswith("/") and
              not [c for c in path if c < " " or "\u2028" <= c <= "\u202e" or "\u2066" <= c <= "\u2069"], repr(path))
    for n, doc in zip(names, documents):
        v = json.loads(files["data/documents/%s/v0001/version.json" % doc])
        same(v["fileName"], n)
        same(files["data/" + v["file"]], b"Hyvaa paivaa\n")
    path, keys = kept(a, body), vkeys(a)
    a.stop()
    same(arkki("export", "verify", path, *keys).returncode, 0)


def test_export__purpose_forges_neither_bag_nor_note():
    a = Archive().serve()
    f = a.file(title=FORGED[1], content=FORGED[1].encode(), name="note")
    for words in FORGED:
        job, body = ready(a, {"documents": [f.id], "purpose": words})
        files = opened(body)
        valid_bag(files)
        info = files["bag-info.txt"].decode().splitlines()
        labels = [x.split(":")[0] for x in info if not x.startswith((" ", "\t"))]
        check(set(labels) <= {"Bag-Software-Agent", "Bagging-Date", "Payload-Oxum", "Source-Organization", "External-Identifier",
                              "Bag-Group-Identifier"}, labels)
        same(len(labels), len(set(labels)), labels)
        note = files["tagmanifest-sha256.txt.note"].decode()
        same(len(note.split("\n\n")[0].split("\n")), 3, "a note of three lines")
        same(json.loads(files["data/export.json"])["purpose"], words)
        page = files["data/index.html"].decode()
        check("<script>alert" not in page, "markup")
        check(not [c for c in page if "\u202a" <= c <= "\u202e" or "\u2066" <= c <= "\u2069"], "direction", repr(words))
        entries = [e for e in a.audit(document=f.id) if e["kind"] == "export"]
        same(entries[-1]["purpose"], words)
    a.stop()


def test_export__a_package_with_a_forged_note_line_is_refused():
    a = Archive().serve()
    f = a.file(content=b"aito\n")
    job, body = ready(a, {"documents": [f.id]})
    keys = vkeys(a)
    a.stop()
    same(arkki("export", "verify", kept(a, body), *keys).returncode, 0)
    note = [b for n, b in opened(body).items() if n == "tagmanifest-sha256.txt.note"][0].decode()
    text, signature = note.split("\n\n")
    key = signature.split(" ")[2].strip()
    flipped = key[:20] + ("A" if key[20] != "A" else "B") + key[21:]
    forged = ["%s\n\n%s" % (text, signature.replace(key, flipped)),
              "%s\nmore\n\n%s" % (text, signature),
              "%s\n\n%s%s" % (text, signature, signature.replace(key, flipped)),
              "%s\n\n%s" % (text.replace("export/v1", "export/v2"), signature),
              "%s\n\n%s" % (text, signature.rstrip("\n")),
              "%s\n\n\u2014 else %s\n" % (text, key),
              "%s\r\n\r\n%s" % (text.replace("\n", "\r\n"), signature),
              "%s\n\n" % text, "", "\0" + note, "%s\n\n%s" % (text, signature * 200)]
    for i, bad in enumerate(forged):
        out = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(body)) as old, zipfile.ZipFile(out, "w") as new:
            for item in old.infolist():
                data = old.read(item)
                new.writestr(item, bad.encode() if item.filename.endswith(".note") else data)
        p = arkki("export", "verify", kept(a, out.getvalue(), "forged-%d.zip" % i), *keys)
        check(p.returncode != 0, "taken for true:", i, repr(bad[-200:]))


def test_records__with_lines_in_their_names_stay_records():
    a = Archive(seed=None)
    seed = {"orgs": [{"id": "lvv", "kind": "state-agency", "name": {"fi": FORGED[0]}, "counties": ["90"]},
                     {"id": "eoa", "kind": "ombudsman", "name": {"fi": FORGED[1]}}],
            "users": [{"id": "maija", "org": "lvv", "name": FORGED[3], "roles": ["inspector"]},
                      {"id": "aada", "org": "eoa", "name": "Aada", "roles": ["auditor"]}],
            "units": [{"id": "koivula", "name": {"fi": FORGED[5]}, "provider": "lvv", "municipality": "091", "county": "90",
                       "serviceForm": "institution", "places": 7}]}
    a.load(seed)
    p = a.verify("--full")
    same(p.returncode, 0, p.stdout, p.stderr)
    for bad in ("lvv\nx", "lvv\u202ex", "LVV", "../x", "a\x00b", "x" * 65, ""):
        path = os.path.join(a.top, "bad.json")
        with open(path, "w", encoding="utf-8") as out:
            json.dump({"orgs": [{"id": bad, "kind": "state-agency", "name": {"fi": "X"}, "counties": ["90"]}]}, out)
        check(a.run("load", a.dir, path).returncode != 0, "an id:", repr(bad))
    for origin in ("a\nb", "a b", "a+b", "", "x" * 201, "/a", "a/"):
        p = arkki("init", os.path.join(a.top, "other"), "--root-key", os.path.join(a.top, "other.key"), "--origin", origin)
        check(p.returncode != 0, "an origin:", repr(origin))
