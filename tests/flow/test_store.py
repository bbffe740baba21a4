"""What lies on the disk: plain Git for Git, nothing in the clear, and a catalogue that can be made anew."""

import os
import random
import shutil
import subprocess
import threading
import time
import zlib

from arkki_flow import MIB, Archive, check, same

CANARY = "kanarialintu"


def git(repo, *args):
    p = subprocess.run(["git", "--git-dir", repo, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                       timeout=120)
    return p.returncode, p.stdout, p.stderr


def test_git__takes_the_store_for_its_own_while_filing_goes_on():
    a = Archive().serve()
    repo = os.path.join(a.dir, "archive.git")
    mirror = os.path.join(a.top, "mirror.git")
    a.file(content=os.urandom(2 * MIB))
    stop, faults = threading.Event(), []

    def filing():
        n = 0
        while not stop.is_set():
            try:
                f = a.file(content=b"rivi %d\n" % n)
                a.version(f.id, b"rivi %d toinen\n" % n)
                n += 1
            except Exception as e:
                faults.append(e)
                return
    t = threading.Thread(target=filing)
    t.start()
    try:
        time.sleep(0.3)
        p = subprocess.run(["git", "clone", "--mirror", "-q", repo, mirror], stderr=subprocess.PIPE, text=True)
        same(p.returncode, 0, "clone", p.stderr)
        for _ in range(3):
            time.sleep(0.2)
            same(git(mirror, "fetch", "-q")[0], 0, "fetch")
            code, out, err = git(repo, "fsck", "--full", "--strict", "--no-dangling")
            same((code, out), (0, ""), "fsck beside the server", err)
    finally:
        stop.set()
        t.join()
    same(faults, [])
    same(git(mirror, "fetch", "-q")[0], 0)
    code, out, err = git(mirror, "fsck", "--full", "--strict")
    same(code, 0, "fsck of the mirror", out, err)
    same(git(mirror, "rev-parse", "main")[1], git(repo, "rev-parse", "main")[1], "the mirror is level")
    same(git(repo, "symbolic-ref", "HEAD")[1].strip(), "refs/heads/main")
    same(git(repo, "for-each-ref", "--format=%(refname)")[1].split(), ["refs/heads/main"])
    same(a.stop(), 0)
    loose = [d for d in os.listdir(os.path.join(repo, "objects")) if len(d) == 2]
    same(loose, [], "loose objects")
    names = git(repo, "ls-tree", "-r", "--name-only", "HEAD")[1].split("\n")
    check(any(n.startswith("docs/") and n.endswith("/v0001/meta") for n in names), "layout")
    check(any("/v0001/chunks/000000" in n for n in names), "chunks")


def test_git__verifies_every_signature():
    a = Archive().serve()
    for i in range(3):
        a.file(content=b"allekirjoitus %d\n" % i)
    repo = os.path.join(a.dir, "archive.git")
    signers = os.path.join(a.dir, "allowed_signers")
    commits = git(repo, "rev-list", "main")[1].split()
    check(len(commits) > 4, "commits")
    for c in commits[:6] + commits[-3:]:
        code, _, err = git(repo, "-c", "gpg.ssh.allowedSignersFile=" + signers, "verify-commit", c)
        same(code, 0, c, err)
        check("Good" in err, err)
    same(a.stop(), 0)


def all_bytes(top):
    for d, _, names in os.walk(top):
        for n in names:
            path = os.path.join(d, n)
            if os.path.isfile(path):
                with open(path, "rb") as f:
                    yield path, f.read()


def git_objects(repo):
    out = subprocess.run(["git", "--git-dir", repo, "cat-file", "--batch", "--batch-all-objects"],
                         stdout=subprocess.PIPE, check=True).stdout
    return out


def test_disk__holds_nothing_in_the_clear():
    a = Archive().serve()
    c = CANARY.encode()
    seen = set()
    for publicity in ("public", "secret"):
        f = a.file(content=c + b" sisalto\n" * 40, title=CANARY + " nimi", publicTitle=CANARY,
                   publicity={"class": publicity, "ground": CANARY + " peruste"}, name=CANARY + ".txt", case="c1",
                   headers={"Arkki-Purpose": CANARY + "%20tarkoitus", "Idempotency-Key": CANARY + publicity})
        a.version(f.id, c * 200000, {"title": CANARY + " toinen"}, name=CANARY + "2.bin")
        a.patch(f.id, {"title": CANARY + " kolmas"})
        a.get("/v1/documents/" + f.id, "sirpa", Arkki_Purpose=CANARY)
        a.get("/v1/documents/%s/versions/2/content" % f.id, "sirpa", Arkki_Purpose=CANARY)
        a.get("/v1/documents/%s?q=%s" % (f.id, CANARY), "sirpa")
        a.get("/v1/documents?type=" + CANARY, "sirpa")
        a.get("/v1/units?provider=" + CANARY, "sirpa")
        a.get("/%s/%s" % (CANARY, CANARY), "sirpa")
        a.post_document(b'{"title":"' + c + b'"', c, name=CANARY)
        a.audit(document=f.id, principal=CANARY)
        seen.add(f.id)
    # an upload that is under way lies in the spool
    s = a.post_document({"title": CANARY, "colour": CANARY}, c * 300000)
    same(s.status, 422)

    def search(when):
        for path, data in all_bytes(a.dir):
            if os.path.relpath(path, a.dir).startswith("index" + os.sep):
                continue
            for word in (c, CANARY.encode("utf-16-le"), b"koivula", b"Koivula", b"LVV/1234"):
                check(word not in data, when, path, "holds", word)
        check(c not in git_objects(os.path.join(a.dir, "archive.git")), when, "an object of git")
        said = a.said()
        check(CANARY not in said, when, "the server said", said[-300:])
    search("while serving")
    same(a.stop(), 0)
    search("after the end")
    check(zlib.crc32(b"x") and seen, "searched")


def test_disk__is_for_the_owner_only():
    a = Archive().serve()
    a.file()
    for d, dirs, names in os.walk(a.dir):
        if "archive.git" in d:
            continue
        for n in names:
            mode = os.stat(os.path.join(d, n)).st_mode & 0o777
            if n != "allowed_signers":
                check(mode & 0o077 == 0 or "tile" in d or n == "checkpoint", os.path.join(d, n), oct(mode))
    same(os.stat(a.dir).st_mode & 0o077, 0, "the archive's directory")
    same(os.stat(os.path.join(a.dir, "run", "admin.sock")).st_mode & 0o177, 0, "the admin socket")
    same(a.stop(), 0)


def answers(a, docs):
    got = {}
    for user in ("maija", "helmi", "ulla", "pertti", "oskari"):
        for d in docs:
            for tail in ("", "/versions", "/versions/1/content", "/versions/2"):
                r = a.get("/v1/documents/" + d + tail, user)
                got[(user, d, tail)] = (r.status, r.header("ETag"), r.body)
        for u in ("/v1/documents?limit=100", "/v1/documents?limit=7", "/v1/documents?type=memo",
                  "/v1/units/koivula/documents", "/v1/units", "/v1/cases/c1/documents", "/v1/cases", "/v1/me",
                  "/v1/orgs", "/v1/types", "/v1/changes?limit=1000", "/v1/documents?from=2026-01-01&to=2026-06-30"):
            r = a.get(u, user)
            got[(user, u)] = (r.status, r.body)
    return got


def test_rebuild__gives_the_same_answers():
    a = Archive().serve()
    rnd = random.Random(5)
    docs = []
    for i in range(12):
        f = a.file(content=b"jalleen %d\n" % i, type=rnd.choice(["memo", "opinion", "inspection-report"]),
                   publicity=rnd.choice(["public", "secret", "partly-secret"]), date="2026-%02d-01" % (1 + i % 12),
                   units=rnd.choice([["koivula"], ["lehtola"], ["koivula", "lehtola"]]),
                   case=rnd.choice([None, "c1"]), headers={"Idempotency-Key": "jalleen-%d" % i})
        docs.append(f.id)
        if i % 2:
            a.version(f.id, b"toinen %d\n" % i, {"publicity": {"class": rnd.choice(["public", "secret"])}})
        if i % 3 == 0:
            a.patch(f.id, {"title": "muutettu %d" % i, "units": ["lehtola"]})
    a.until_indexed()
    before = answers(a, docs)
    check(len(before) > 100, len(before))
    for lose in (True, False):
        same(a.stop(), 0)
        if lose:
            for n in os.listdir(a.dir):
                if n.startswith("catalogue.sqlite"):
                    os.unlink(os.path.join(a.dir, n))
        p = a.run("rebuild", a.dir, "catalogue")
        same(p.returncode, 0, p.stderr)
        same(a.verify().returncode, 0)
        a.serve()
        after = answers(a, docs)
        for k in before:
            same(after[k], before[k], k)
        r = a.post_document({}, b"x\n", headers={"Idempotency-Key": "jalleen-0"})
        same(r.status, 422)
    same(a.stop(), 0)
    refused = a.run("rebuild", a.dir, "nonsense")
    same(refused.returncode, 2)


def test_catalogue__lost_beside_its_wal_is_made_anew_at_start():
    a = Archive().serve()
    d = a.file(publicity="partly-secret").id
    same(a.stop(9), -9)
    for n in os.listdir(a.dir):
        if n.startswith("catalogue.sqlite"):
            os.unlink(os.path.join(a.dir, n))
    a.serve()
    same(a.get("/v1/documents/" + d).status, 200)
    same(a.get("/v1/documents/" + d, "helmi").status, 404)
    same(a.stop(), 0)
    same(a.verify("--full").returncode, 0)
    shutil.rmtree(a.top)
