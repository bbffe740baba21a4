"""Exports: packages of what a caller may see, checked on a machine that has only verifier keys, and bags filed."""

import hashlib
import io
import json
import os
import subprocess
import tarfile
import time
import warnings
import zipfile

from arkki_flow import Archive, arkki, check, form, metadata, same

JSON = {"Content-Type": "application/json"}


def ask(a, body, user="maija", **headers):
    return a.send("POST", "/v1/exports", user, dict(JSON, **{k.replace("_", "-"): v for k, v in headers.items()}),
                  json.dumps(body))


def ready(a, body, user="maija", **headers):
    """The finished job and its package."""
    r = ask(a, body, user, **headers)
    same(r.status, 202, r.body[:300])
    path = r.header("Location")
    for _ in range(300):
        job = a.json(path, user)
        if job["state"] in ("ready", "failed"):
            break
        time.sleep(0.05)
    same(job["state"], "ready", job)
    got = a.get(path + "/content", user)
    same(got.status, 200)
    same(len(got.body), job["size"])
    return job, got.body


def opened(body):
    """Path below the bag's folder → bytes."""
    z = zipfile.ZipFile(io.BytesIO(body))
    return {n.split("/", 1)[1]: z.read(n) for n in z.namelist()}


def valid_bag(files):
    """Judged here with nothing of ours."""
    same(files["bagit.txt"], b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n")
    listed = dict(reversed(x.split("  ", 1)) for x in files["manifest-sha256.txt"].decode().splitlines())
    payload = {n: hashlib.sha256(b).hexdigest() for n, b in files.items() if n.startswith("data/")}
    same(listed, payload)
    tags = dict(reversed(x.split("  ", 1)) for x in files["tagmanifest-sha256.txt"].decode().splitlines())
    same(tags, {n: hashlib.sha256(files[n]).hexdigest() for n in tags})
    same(sorted(tags), ["bag-info.txt", "bagit.txt", "manifest-sha256.txt"])


def vkeys(a, *logs):
    out = []
    for log in logs or ("history",):
        p = a.run("log", "vkey", a.dir, log)
        same(p.returncode, 0, p.stderr)
        out += ["--vkey", p.stdout.strip()]
    return out


def kept(a, body, name="paketti.zip"):
    path = os.path.join(a.top, name)
    with open(path, "wb") as f:
        f.write(body)
    return path


def test_exports__a_package_holds_what_was_filed_and_verifies_elsewhere():
    a = Archive().serve()
    f = a.file(content=b"ensimmainen\n", name="../k\u00e4ynti.txt", title="Kertomus <b>1</b>")
    a.version(f.id, b"toinen\n")
    g = a.file(content=b"muu\n")
    job, body = ready(a, {"unit": "koivula", "versions": "all", "purpose": "siirto"})
    same((job["versions"], job["whole"], job["withheld"], job["missing"]), (3, 3, 0, 0))
    files = opened(body)
    valid_bag(files)
    v1 = json.loads(files["data/documents/%s/v0001/version.json" % f.id])
    same(files["data/" + v1["file"]], b"ensimmainen\n")
    check("/../" not in v1["file"], v1["file"])
    same(v1["fileName"], a.json("/v1/documents/%s/versions/1" % f.id)["fileName"])
    page = files["data/index.html"].decode()
    check("&lt;b&gt;" in page and "<b>1" not in page and f.id in page and g.id in page, page[:500])
    check("siirto" in page, "the purpose")
    history = json.loads(files["data/documents/%s/history.json" % f.id])["events"]
    same([e["kind"] for e in history if e["kind"] in ("filing", "version")], ["filing", "version"])
    path, keys = kept(a, body), vkeys(a)
    a.stop()
    p = arkki("export", "verify", path, *keys)
    same(p.returncode, 0, p.stderr)
    check("2 documents, 3 versions, 3 files" in p.stdout, p.stdout)


def test_exports__every_exported_version_is_logged_before_its_bytes():
    a = Archive().serve()
    ids = [a.file(content=b"kirjattu %d\n" % i).id for i in range(3)]
    job, _ = ready(a, {"documents": ids, "purpose": "siirto"})
    for i in ids:
        mine = [e for e in a.audit(document=i) if e["kind"] == "export"]
        same([(e["outcome"], e["version"], e["principal"], e["purpose"]) for e in mine],
             [("ok", 1, "maija", "siirto")])
    a.stop()


def test_exports__what_is_not_visible_is_never_named():
    a = Archive().serve()
    secret = a.file(content=b"salaisuus\n", title="Kanaria", publicity="secret")
    public = a.file(content=b"julkinen\n", publicity="public")
    ghost = "0123456789abcdef" * 2
    for body in ({"documents": [secret.id, public.id, ghost]}, {"unit": "koivula", "versions": "all"}):
        job, package = ready(a, body, "helmi")
        same(job["versions"], 1)
        text = b"".join(b"%s %s" % (n.encode(), c) for n, c in opened(package).items())
        check(secret.id.encode() not in text and b"Kanaria" not in text and b"salaisuus" not in text, "named")
        check(public.id.encode() in text, "the public one")
    same(ready(a, {"documents": [secret.id, ghost]}, "helmi")[0]["missing"], 2)
    denied = [e for e in a.audit(document=secret.id) if e["kind"] == "export"]
    same({e["outcome"] for e in denied}, {"denied"})
    a.stop()


def test_exports__without_purpose_a_secret_goes_without_its_bytes():
    a = Archive().serve()
    f = a.file(content=b"salaisuus\n", case="c1", publicity="secret")
    job, body = ready(a, {"documents": [f.id]})
    same((job["whole"], job["withheld"]), (0, 1))
    check(b"salaisuus" not in b"".join(opened(body).values()), "the bytes are there")
    same(arkki("export", "verify", kept(a, body), *vkeys(a)).returncode, 0)
    job, body = ready(a, {"documents": [f.id], "purpose": "valvonta"}, Arkki_Case="c1")
    same(job["whole"], 1)
    check(b"salaisuus\n" in opened(body).values(), "the bytes are missing")
    a.stop()


def test_exports__a_public_rendition_stands_in_for_what_is_secret():
    a = Archive().serve()
    f = a.file(content=b"salaisuus\n", title="Kanaria", publicity="partly-secret")
    r = a.send("PUT", "/v1/documents/%s/versions/1/renditions/public" % f.id, "maija",
               {"Content-Type": "text/plain"}, b"peitetty\n")
    same(r.status, 201, r.body[:200])
    job, body = ready(a, {"documents": [f.id]}, "helmi")
    same((job["renditions"], job["whole"]), (1, 0))
    files = opened(body)
    text = b"".join(files.values())
    check(b"peitetty" in text and b"salaisuus" not in text and b"Kanaria" not in text, "form")
    same(arkki("export", "verify", kept(a, body), *vkeys(a)).returncode, 0)
    a.stop()


def test_exports__an_auditor_gets_access_records_with_proofs():
    a = Archive().serve()
    f = a.file(publicity="public")
    a.get("/v1/documents/" + f.id)
    _, body = ready(a, {"documents": [f.id]}, "aada")
    files = opened(body)
    entries = json.loads(files["data/documents/%s/access.json" % f.id])["entries"]
    check(len(entries) >= 2, entries)
    check(all("json" not in e["parts"]["C"] for e in entries), "a search is shown")
    path = kept(a, body)
    same(arkki("export", "verify", path, *vkeys(a, "history", "access")).returncode, 0)
    p = arkki("export", "verify", path, *vkeys(a))
    check(p.returncode == 1 and "no --vkey was given" in p.stderr, p.stderr)
    check("data/documents/%s/access.json" % f.id not in opened(ready(a, {"documents": [f.id]})[1]), "for others")
    a.stop()


def forged(files, change):
    """The package with changed files and manifests that fit again."""
    files = dict(files)
    change(files)
    lines = ["%s  %s\n" % (hashlib.sha256(b).hexdigest(), n) for n, b in files.items() if n.startswith("data/")]
    files["manifest-sha256.txt"] = "".join(lines).encode()
    n = [b for f, b in files.items() if f.startswith("data/")]
    info = [x for x in files["bag-info.txt"].decode().splitlines(True) if not x.startswith("Payload-Oxum")]
    files["bag-info.txt"] = ("".join(info) + "Payload-Oxum: %d.%d\n" % (sum(map(len, n)), len(n))).encode()
    tags = ("bagit.txt", "bag-info.txt", "manifest-sha256.txt")
    files["tagmanifest-sha256.txt"] = "".join(
        "%s  %s\n" % (hashlib.sha256(files[t]).hexdigest(), t) for t in tags).encode()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        for name, b in files.items():
            z.writestr("bag/" + name, b)
    return out.getvalue()


def test_exports__a_forged_package_is_found_out():
    a = Archive().serve()
    f, other = a.file(content=b"aito\n"), a.file(content=b"toinen\n")
    _, body = ready(a, {"documents": [f.id, other.id]})
    files, keys = opened(body), vkeys(a)
    a.stop()
    folder = "data/documents/%s/v0001/" % f.id
    about = json.loads(files[folder + "version.json"])

    def fake_content(x):
        x["data/" + about["file"]] = b"fake\n"

    def fake_all(x):
        fake_content(x)
        lie = dict(about, sha256=hashlib.sha256(b"fake\n").hexdigest(), size=5)
        x[folder + "version.json"] = json.dumps(lie).encode()

    def other_proof(x):
        x[folder + "proof.json"] = x["data/documents/%s/v0001/proof.json" % other.id]

    def fake_proof(x):
        x[folder + "proof.json"] = x[folder + "proof.json"].replace(b"filing", b"zzzzzz")

    def no_proof(x):
        del x[folder + "proof.json"]

    def another(x):
        x[folder + "content/lisa.txt"] = b"lisa\n"

    for change, said in ((fake_content, "is not what"), (fake_all, "is not what the history log says"),
                         (other_proof, "is of another filing"), (fake_proof, "proof.json"),
                         (no_proof, "is missing"), (another, "belongs to no version"), (lambda x: None, None)):
        p = arkki("export", "verify", kept(a, forged(files, change), "vaara.zip"), *keys)
        if said:
            same(p.returncode, 1, p.stdout)
            check(said in p.stderr, said, p.stderr)
            check("is of another package" in p.stderr, "the signature", p.stderr)
    same(arkki("export", "verify", kept(a, body), *keys).returncode, 0)
    stranger = Archive(origin="toinen.test")
    p = arkki("export", "verify", kept(a, body), *vkeys(stranger))
    check(p.returncode == 1 and "no --vkey was given" in p.stderr, p.stderr)


def test_exports__a_package_is_its_owners_alone_and_sealed():
    a = Archive().serve()
    a.file(content=b"sinetoitava sana " * 1000, name="nimi.txt")
    job, body = ready(a, {"unit": "koivula"})
    path = "/v1/exports/" + job["id"]
    same([j["id"] for j in a.json("/v1/exports")["exports"]], [job["id"]])
    same(a.json("/v1/exports", "risto")["exports"], [])
    for p in (path, path + "/content"):
        same(a.get(p, "risto").status, 404)
    same(a.send("DELETE", path, "risto").status, 404)
    pid = a.process.pid
    for fd in os.listdir("/proc/%d/fd" % pid):
        name = "/proc/%d/fd/%s" % (pid, fd)
        try:
            target = os.readlink(name)
            if "/spool/" in target:
                with open(name, "rb") as f:
                    check(b"PK\x03\x04" not in f.read(), "the package lies open")
        except OSError:
            pass
    same(a.send("DELETE", path).status, 204)
    same(a.get(path).status, 410)
    same(a.get("/v1/exports/" + "0" * 32).status, 404)
    job, _ = ready(a, {"unit": "koivula"})
    a.stop()
    a.serve()
    r = a.get("/v1/exports/" + job["id"] + "/content")
    same(r.status, 410)
    check("anew" in r.json()["detail"], r.body)
    a.stop()


def test_exports__malformed_wishes_are_refused():
    a = Archive().serve()
    for body in ({}, {"documents": []}, {"documents": ["x"]}, {"unit": "A B"}, {"unit": "koivula", "versions": "some"},
                 {"unit": "koivula", "x": 1}, {"documents": ["0" * 32], "unit": "koivula"}, [],
                 {"unit": "koivula", "format": "rar"}, {"unit": "koivula", "purpose": ""}):
        same(ask(a, body).status, 422, body)
    same(a.send("POST", "/v1/exports", "maija", JSON, "{").status, 400)
    same(a.send("POST", "/v1/exports", "maija", {"Content-Type": "text/plain"}, "{}").status, 415)
    a.stop()


def exported(body):
    """Document and version of everything that a package tells of."""
    about = json.loads(opened(body)["data/export.json"])
    return sorted((d["id"], v["version"]) for d in about["documents"] for v in d["versions"])


def test_exports__by_query_take_what_the_callers_search_shows_and_nothing_else():
    a = Archive().serve()
    first = a.file(content=b"Hirsilaituri kaatui\n", title="Hirsilaituri", publicity="public")
    a.version(first.id, b"Hirsilaituri korjattiin\n")
    secret = a.file(content=b"Hirsilaituri salassa\n", title="Hirsilaituri II", publicity="secret", case="c1")
    other = a.file(content=b"Muu asia\n", title="Muu", publicity="public", type="hearing-letter")
    late = a.file(content=b"Hirsilaituri\n", title="Kolmas", publicity="public", date="2026-06-01")
    a.until_indexed()
    for user, query in (("maija", {"q": "Hirsilaituri"}), ("helmi", {"q": "Hirsilaituri"}), ("helmi", {}),
                        ("maija", {"q": "hirsilaiturin", "to": "2026-05-01"}), ("maija", {"type": "hearing-letter"}),
                        ("maija", {"q": "Hirsilaituri", "versions": "all"}), ("maija", {"q": "Olematon"})):
        r = a.send("POST", "/v1/search", user, JSON, json.dumps(dict(query, limit=100))).json()
        shown = sorted((h["document"], h["version"]) for h in r["hits"])
        job, body = ready(a, {"query": query}, user)
        same(exported(body), shown, user, query)
        same(job["missing"], 0)
        check(user != "helmi" or secret.id.encode() not in b"".join(opened(body).values()), "a secret one is named")
        same(arkki("export", "verify", kept(a, body), *vkeys(a)).returncode, 0)
    same(exported(ready(a, {"query": {"q": "kaatui", "versions": "all"}})[1]), [(first.id, 1)])
    same(exported(ready(a, {"query": {"q": "Hirsilaituri", "to": "2026-05-01"}, "versions": "all"}, "helmi")[1]),
         [(first.id, 1), (first.id, 2)])
    same(exported(ready(a, {"query": {"unit": "koivula", "case": "c1"}})[1]), [(secret.id, 1)])
    same([e for e in a.audit(document=secret.id, principal="helmi")], [])
    before = len(a.audit())
    job, _ = ready(a, {"query": {"q": "Hirsilaituri"}, "purpose": "valvonta"})
    told = [(e["kind"], e.get("document"), e.get("purpose")) for e in a.audit()[before:] if e["principal"] == "maija"]
    same(told[0], ("search", None, "valvonta"))
    same(sorted(t[1] for t in told[1:4]), sorted([first.id, secret.id, late.id]))
    same({t[0] for t in told[1:]}, {"export"})
    path = os.path.join(a.top, "haku.zip")
    p = a.run("export", a.dir, "--user", "maija", "--to", path, "--query", "Hirsilaituri", "--type", "inspection-report")
    same(p.returncode, 0, p.stderr)
    with open(path, "rb") as f:
        same(exported(f.read()), sorted([(first.id, 2), (secret.id, 1), (late.id, 1)]))
    p = a.run("export", a.dir, "--user", "maija", "--to", path + "2", "--query", '{"type":"hearing-letter"}')
    same(p.returncode, 0, p.stderr)
    with open(path + "2", "rb") as f:
        same(exported(f.read()), [(other.id, 1)])
    p = a.run("export", a.dir, "--user", "maija", "--to", path + "3", "--query", "{")
    check(p.returncode == 1 and "--query" in p.stderr, p.stderr)
    a.stop()


def test_exports__a_malformed_query_is_refused():
    a = Archive().serve()
    for query in ("sana", [], {"x": "1"}, {"from": "eilen"}, {"group": "true"}, {"like": "0" * 32}, {"q": 1},
                  {"limit": 5}, {"cursor": "x"}, {"versions": "some"}):
        r = ask(a, {"query": query})
        same((r.status, r.fields()), (422, ["query"]), query, r.body[:200])
    for more in ({"unit": "koivula"}, {"documents": ["0" * 32]}):
        same(ask(a, dict(more, query={"q": "sana"})).status, 422, more)
    same(ask(a, {"query": {"q": "x" * 20000}}).status, 400)
    same(a.json("/v1/exports")["exports"], [])
    a.stop()


def test_exports__while_the_logs_key_changes_either_key_checks_a_package():
    a = Archive().serve()
    f = a.file(content=b"avain vaihtuu\n")
    before = vkeys(a)
    p = a.run("keys", "rotate", a.dir, "signing", "history")
    same(p.returncode, 0, p.stderr)
    after = vkeys(a)
    check(before != after, "the key changed")
    path = kept(a, ready(a, {"documents": [f.id]})[1])
    for keys in (before, after, before + after, after + before):
        p = arkki("export", "verify", path, *keys)
        same(p.returncode, 0, keys, p.stderr)
    same(arkki("export", "verify", path, *vkeys(Archive(origin="toinen.test"))).returncode, 1)
    a.stop()


def test_exports__the_command_line_does_the_same():
    a = Archive().serve()
    f = a.file(content=b"komento\n")
    for running in (True, False):
        if not running:
            a.stop()
        path = os.path.join(a.top, "cli-%d.tar" % running)
        p = a.run("export", a.dir, "--user", "maija", "--to", path, "--document", f.id, "--format", "tar",
                  "--purpose", "siirto")
        same(p.returncode, 0, p.stderr)
        p2 = arkki("export", "verify", path, *vkeys(a))
        same(p2.returncode, 0, p2.stderr)
        folder = os.path.join(a.top, "purettu-%d" % running)
        os.mkdir(folder)
        subprocess.run(["tar", "-xf", path, "-C", folder], check=True)
        top = os.path.join(folder, os.listdir(folder)[0])
        same(arkki("export", "verify", top, *vkeys(a)).returncode, 0)
        same(a.run("export", a.dir, "--user", "maija", "--to", path, "--document", f.id).returncode, 1)
        same(open(path, "rb").read(257 + 8)[257:262], b"ustar")
    same(a.run("export", a.dir, "--user", "maija").returncode, 2)
    same(a.run("export", a.dir, "--user", "maija", "--to", "/tmp/x").returncode, 1)


def make_bag(a, name, files, **changes):
    """A foreign bag of files below data/; changes replace tag files."""
    top = os.path.join(a.top, name)
    tags = {"bagit.txt": "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n",
            "bag-info.txt": "Source-Organization: Keksitty\nBagging-Date: 2026-02-03\n",
            "manifest-sha256.txt": "".join("%s  data/%s\n" % (hashlib.sha256(b).hexdigest(), n)
                                           for n, b in files.items())}
    tags.update({k.replace("_", "-") + ".txt": v for k, v in changes.items()})
    for n, b in [("data/" + n, b) for n, b in files.items()] + [(n, t.encode()) for n, t in tags.items()]:
        os.makedirs(os.path.dirname(os.path.join(top, n)), exist_ok=True)
        with open(os.path.join(top, n), "wb") as f:
            f.write(b)
    return top


def test_exports__a_package_of_ours_is_filed_again_once():
    a = Archive().serve()
    f = a.file(content=b"ensimmainen\n", name="k\u00e4ynti.txt", title="Kertomus")
    a.version(f.id, b"toinen\n")
    path = kept(a, ready(a, {"unit": "koivula", "versions": "all"})[1])
    b = Archive().serve()
    for said in ("2 filed, 0 filed before", "0 filed, 2 filed before"):
        p = b.run("import", b.dir, "--bag", path, "--user", "maija")
        same(p.returncode, 0, p.stderr)
        check(said in p.stdout, p.stdout)
        same(len(b.listed()), 1)
    doc = b.json("/v1/documents/" + b.listed()[0]["id"])
    same((doc["title"], doc["versions"], doc["version"]), ("Kertomus", 2, 2))
    same(b.get("/v1/documents/%s/versions/1/content" % doc["id"]).body, b"ensimmainen\n")
    same(b.json("/v1/documents/%s/versions/1" % doc["id"])["fileName"], "k\u00e4ynti.txt")
    a.stop()
    b.stop()


def test_exports__a_foreign_bag_is_filed_and_a_false_one_refused_whole():
    a = Archive().serve()
    files = {"kansio/a.txt": b"vieras yksi\n", "b.txt": b"vieras kaksi\n"}
    p = a.run("import", a.dir, "--bag", make_bag(a, "vieras", files), "--user", "maija", "--unit", "koivula")
    same(p.returncode, 0, p.stderr)
    docs = {d["title"]: d for d in a.listed()}
    same(sorted(docs), ["b.txt", "kansio/a.txt"])
    same({(d["type"], d["date"], d["publicity"]["class"]) for d in docs.values()}, {("other", "2026-02-03", "secret")})
    listed = hashlib.sha256(b"x\n").hexdigest() + "  data/"
    for name, more, said in (("valhe", {"manifest_sha256": listed + "x.txt\n"}, "is not what"),
                             ("ulos", {"manifest_sha256": listed + "../../x\n"}, "names a path"),
                             ("hae", {"fetch": "https://example.invalid/y 2 data/y.txt\n"}, "not in every manifest")):
        p = a.run("import", a.dir, "--bag", make_bag(a, name, {"x.txt": b"%s\n" % (b"y" if name == "valhe" else b"x")},
                                                     **more), "--user", "maija")
        check(p.returncode == 1 and said in p.stderr and "nothing was filed" in p.stderr, name, p.stderr)
    same(len(a.listed()), 2)
    a.stop()


def test_exports__a_hostile_archive_files_nothing():
    a = Archive().serve()
    good = {"bagit.txt": b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n", "data/x.txt": b"x\n",
            "manifest-sha256.txt": hashlib.sha256(b"x\n").hexdigest().encode() + b"  data/x.txt\n"}

    def zipped(name, *more):
        path = os.path.join(a.top, name)
        with zipfile.ZipFile(path, "w") as z:
            for n, b in [("bag/" + n, b) for n, b in good.items()] + list(more):
                z.writestr(n, b)
        return path

    def linked():
        path = os.path.join(a.top, "linkki.tar")
        with tarfile.open(path, "w") as t:
            for n, b in good.items():
                i = tarfile.TarInfo("bag/" + n)
                i.size = len(b)
                t.addfile(i, io.BytesIO(b))
            i = tarfile.TarInfo("bag/data/l")
            i.type, i.linkname = tarfile.SYMTYPE, "/etc/passwd"
            t.addfile(i)
        return path

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        double = zipped("kahdesti.zip", ("bag/data/x.txt", b"x\n"))
    for path, said in ((zipped("ylos.zip", ("bag/../../ulos.txt", b"u")), "leads out"),
                       (zipped("juuri.zip", ("/ulos.txt", b"u")), ""),
                       (zipped("viereen.zip", ("toinen.txt", b"u")), "beside the bag"),
                       (double, "twice"), (linked(), "no file"), (os.path.join(a.top, "archive", "arkki.conf"), "neither")):
        p = a.run("import", a.dir, "--bag", path, "--user", "maija", "--unit", "koivula")
        check(p.returncode == 1 and said in p.stderr, path, p.stderr)
    same(a.listed(), [])
    check(not os.path.exists(os.path.join(a.top, "ulos.txt")), "it was unpacked")
    same(a.run("import", a.dir, "--bag", zipped("hyva.zip"), "--user", "maija", "--unit", "koivula",
               "--date", "2026-01-02").returncode, 0)
    same(len(a.listed()), 1)
    a.stop()


def test_exports__a_package_ends_with_a_document_that_is_destroyed():
    a = Archive().serve()
    doomed = a.file(content=b"kadotettu sana\n", title="Katoava")
    other = a.file(content=b"pysyva sana\n", title="Pysyva")
    rows = [{"id": "all", "type": "*", "years": 0, "from": "document-date", "then": "destroy"}]
    tag = {"If-Match": a.get("/v1/retention", "ylla").header("ETag")}
    same(a.send("PUT", "/v1/retention", "ylla", dict(JSON, **tag), json.dumps({"rows": rows})).status, 200)
    path = "/v1/documents/%s/dispose" % doomed.id
    same(a.send("POST", path, "risto", JSON, json.dumps({"action": "destroy", "ground": "oma"})).status, 201)
    same(a.send("POST", path + "/approve", "raija").status, 200)
    whole, _ = ready(a, {"unit": "koivula"})
    named, _ = ready(a, {"documents": [doomed.id]}, "risto")
    kept_one, _ = ready(a, {"documents": [other.id]})
    before = spooled(a)
    p = a.run("dispose", a.dir, "run")
    same((p.returncode, p.stdout.strip()), (0, "destroyed 1, on hold 0, awaiting the receiver 0"), p.stderr)
    for job, user in ((whole, "maija"), (named, "risto")):
        for path in ("", "/content"):
            same(a.get("/v1/exports/" + job["id"] + path, user).status, 410, path)
    same(a.get("/v1/exports/" + kept_one["id"] + "/content").status, 200)
    check(spooled(a) < before, before, "the spooled packages are gone")
    a.stop()


def spooled(a):
    """Bytes in the nameless files that the server has open."""
    total = 0
    for fd in os.listdir("/proc/%d/fd" % a.process.pid):
        try:
            if "/spool/" in os.readlink("/proc/%d/fd/%s" % (a.process.pid, fd)):
                total += os.stat("/proc/%d/fd/%s" % (a.process.pid, fd)).st_size
        except OSError:
            pass
    return total
