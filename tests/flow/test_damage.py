"""Damage and bad surroundings: each is named, nothing wrong is served."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import time

from arkki_flow import BIN, MIB, Archive, Skip, arkki, check, metadata, same
from test_operation import ask

_base = None


def base():
    """A stopped archive with some of everything; tests damage copies of it."""
    global _base
    if _base is None:
        a = Archive().serve()
        for u in ("maija", "aada", "helmi", "ylla"):
            a.token(u)
        f = a.file(title="ensimmäinen", publicity="partly-secret")
        a.version(f.id, b"toinen versio\n", {"publicity": {"class": "public"}})
        a.patch(f.id, {"title": "muutettu"})
        a.file(content=os.urandom(3 * MIB))
        for i in range(5):
            a.file(content=b"julkinen %d\n" % i)
            a.get("/v1/documents/" + f.id, "helmi")
        time.sleep(1.3)
        same(a.stop(), 0)
        same(a.verify("--full").returncode, 0)
        _base = a
    return _base


def files(a, *under, suffix=""):
    top = os.path.join(a.dir, *under)
    return sorted((os.path.join(d, n) for d, _, names in os.walk(top) for n in names if n.endswith(suffix)),
                  key=os.path.getsize)


def flip(path, at, bit=0x10):
    os.chmod(path, 0o600)
    with open(path, "r+b") as f:
        f.seek(at if at >= 0 else os.path.getsize(path) + at)
        pos, b = f.tell(), f.read(1)
        f.seek(pos)
        f.write(bytes([b[0] ^ bit]))


def named(a, *words, full=False):
    """verify exits 1 with a fault or an error that says one of the words."""
    p = a.verify(*(["--full"] if full else []))
    said = p.stdout + p.stderr
    same(p.returncode, 1, "verify", said[-600:])
    check(any(w in said for w in words), words, "in", said[-600:])
    return said


def start_refused(a, *words, timeout=15, program=None):
    p = a.run("serve", a.dir, "--listen", "127.0.0.1:0", timeout=timeout, program=program)
    same(p.returncode, 1, p.stdout, p.stderr)
    check(any(w in p.stderr for w in words), words, "in", p.stderr)
    return p.stderr


def test_damage__a_bit_in_a_pack():
    a = base().copy()
    flip(files(a, "archive.git", "objects", suffix=".pack")[-1], 500000)
    named(a, "pack", "object", "content", "store", full=True)
    a = base().copy()
    flip(files(a, "archive.git", "objects", suffix=".pack")[-1], -3)
    named(a, "pack", "store")


def test_damage__a_bit_in_content_is_not_served():
    a = base().copy()
    big = files(a, "archive.git", "objects", suffix=".pack")[-1]
    flip(big, os.path.getsize(big) // 2)
    a.serve()
    docs = a.json("/v1/documents?limit=100")["documents"]
    doc = [d for d in docs if d["size"] == 3 * MIB][0]
    broken = False
    try:
        r = a.get("/v1/documents/%s/versions/1/content" % doc["id"])
        broken = r.status >= 500
    except Exception:
        broken = True  # the connection is cut where the tag fails
    check(broken, "a broken chunk was served as whole")
    for d in docs:
        if d["id"] != doc["id"]:
            same(a.get("/v1/documents/%s/versions/%d/content" % (d["id"], d["version"])).status, 200)
    same(a.stop(), 0)


def test_damage__a_bit_in_a_key_slot():
    for path in files(base(), "keys"):
        size = os.path.getsize(path)
        if size == 0:
            continue
        for at in {size // 2, size - 1}:
            a = base().copy()
            flip(os.path.join(a.dir, os.path.relpath(path, base().dir)), at)
            p = a.verify()
            said = p.stdout + p.stderr
            same(p.returncode, 1, os.path.basename(path), at, said[-300:])
            check("key" in said or "slot" in said or "secrets" in said or "root" in said, path, said[-300:])
            shutil.rmtree(a.top)


def test_damage__a_bit_in_a_ledger_segment():
    for log in ("history", "access"):
        segments = [p for p in files(base(), "ledger", log) if "tile" not in p and "checkpoint" not in p and
                    os.path.getsize(p) > 0]
        check(segments, "segments of", log)
        for segment in segments[-1:]:
            for at in (40, 4096 + 40, 4096 + 700):
                a = base().copy()
                flip(os.path.join(a.dir, os.path.relpath(segment, base().dir)), at)
                p = a.verify()
                said = p.stdout + p.stderr
                same(p.returncode, 1, log, os.path.basename(segment), at, said[-300:])
                check(log in said or "log" in said or "segment" in said, said[-300:])
                shutil.rmtree(a.top)


def test_damage__a_bit_in_a_tile():
    for log in ("history", "access"):
        tiles = [p for p in files(base(), "ledger", log) if "/tile/" in p]
        check(tiles, "tiles of", log)
        for tile in (tiles[0], tiles[-1]):
            a = base().copy()
            flip(os.path.join(a.dir, os.path.relpath(tile, base().dir)), 5)
            named(a, "tile", full=True)
            shutil.rmtree(a.top)


def test_damage__a_bit_in_a_checkpoint():
    for log in ("history", "access"):
        path = [p for p in files(base(), "ledger", log) if p.endswith("/checkpoint")][0]
        for at in (0, 25, -5):
            a = base().copy()
            flip(os.path.join(a.dir, os.path.relpath(path, base().dir)), at, 1)
            named(a, "checkpoint")
            shutil.rmtree(a.top)


def test_damage__a_row_of_the_catalogue():
    for sql in ("UPDATE version SET publicity='public' WHERE publicity='partly-secret'",
                "UPDATE version SET size=size+1 WHERE id=1", "UPDATE version SET day=day-1 WHERE id=2",
                "UPDATE version SET type='memo' WHERE id=2", "UPDATE version SET state='draft' WHERE id=2",
                "UPDATE version SET language='sv' WHERE id=2", "UPDATE version SET newest=1-newest WHERE id=1",
                "DELETE FROM version WHERE id=2", "UPDATE version SET media_type='text/html' WHERE id=1",
                "UPDATE version SET sealed_metadata=zeroblob(200) WHERE id=2",
                "UPDATE version_county SET county=zeroblob(16) WHERE id=2", "DELETE FROM version_unit WHERE id=2",
                "DELETE FROM change WHERE id=2", "DELETE FROM record WHERE kind='units'",
                "UPDATE version SET author=zeroblob(16) WHERE id=2",
                "INSERT INTO version_county SELECT id, zeroblob(16) FROM version"):
        a = base().copy()
        db = sqlite3.connect(os.path.join(a.dir, "catalogue.sqlite"))
        db.execute(sql)
        db.commit()
        db.close()
        p = a.verify()
        same(p.returncode, 1, sql, p.stdout[-200:])
        check("catalogue" in p.stdout + p.stderr, sql, p.stdout + p.stderr)
        if "DELETE" in sql:
            same(a.run("rebuild", a.dir, "catalogue").returncode, 0)
            p = a.verify()
            same(p.returncode, 0, "after the mend that it names:", sql, p.stdout[-300:])
        shutil.rmtree(a.top)


def test_damage__a_bit_in_the_catalogue_file():
    a = base().copy()
    path = os.path.join(a.dir, "catalogue.sqlite")
    flip(path, 3)
    p = a.verify()
    same(p.returncode, 1)
    check("catalogue" in p.stdout + p.stderr, p.stderr)
    same(a.run("rebuild", a.dir, "catalogue").returncode, 0)
    same(a.verify().returncode, 0)


def test_damage__in_arkki_conf():
    for text, word in ((None, "arkki.conf"), ("", "arkki.conf"), ("format 1\n", "origin"),
                       ("format 9\norigin arkki.test\n", "newer"), ("format x\norigin a\n", "format"),
                       ("format 1\norigin other.test\n", "other.test")):
        a = base().copy()
        path = os.path.join(a.dir, "arkki.conf")
        if text is None:
            os.unlink(path)
        else:
            with open(path, "w", encoding="utf-8") as f:
                f.write(text)
        p = a.verify()
        same(p.returncode, 1, repr(text), p.stdout)
        start_refused(a, word, "arkki.conf")
        shutil.rmtree(a.top)


def test_damage__a_lost_ledger_or_store_is_told():
    for name in ("archive.git", "keys", "ledger/history", "ledger/access"):
        a = base().copy()
        shutil.rmtree(os.path.join(a.dir, name))
        start_refused(a, name.split("/")[-1], "ledger", "store", name)
        same(a.verify().returncode, 1, name)
        shutil.rmtree(a.top)


def test_damage__a_store_set_back_is_told():
    a = base().copy()
    repo = os.path.join(a.dir, "archive.git")
    subprocess.run(["git", "--git-dir", repo, "update-ref", "refs/heads/main", "refs/heads/main~3"], check=True)
    said = start_refused(a, "lost")
    check("backup" in said or "mirror" in said, "names the mend", said)
    same(a.verify().returncode, 1)


def test_damage__an_access_log_set_back_alone_is_told():
    a = base().copy()
    kept = os.path.join(a.top, "yesterday")
    shutil.copytree(os.path.join(a.dir, "ledger", "access"), kept)
    a.serve()
    f = a.file(title="luetaan")
    for _ in range(5):
        same(a.get("/v1/documents/%s/versions/1/content" % f.id).status, 200)
    time.sleep(1.3)  # a checkpoint a second
    a.file(title="puhuu lokista")
    same(a.stop(), 0)
    same(a.verify().returncode, 0)
    log, today = os.path.join(a.dir, "ledger", "access"), os.path.join(a.top, "today")
    os.rename(log, today)
    shutil.copytree(kept, log)
    said = start_refused(a, "older copy of ledger/access was put back")
    check("put back a newer one" in said, said)
    named(a, "older copy of ledger/access was put back")
    shutil.rmtree(log)
    os.rename(today, log)
    same(a.verify("--full").returncode, 0)


def test_root_key__missing_wrong_or_open():
    a = base().copy()
    p = arkki("serve", a.dir, "--listen", "127.0.0.1:0", timeout=10)
    check(p.returncode in (1, 2) and "root-key" in p.stderr.lower(), p.stderr)
    missing = os.path.join(a.top, "missing.key")
    p = arkki("serve", a.dir, "--listen", "127.0.0.1:0", "--root-key", missing, timeout=10)
    same(p.returncode, 1)
    check(missing in p.stderr, p.stderr)
    other = Archive(seed=None)
    p = arkki("serve", a.dir, "--listen", "127.0.0.1:0", "--root-key", other.key, timeout=10)
    same(p.returncode, 1)
    check("key" in p.stderr, p.stderr)
    for text in (b"", b"x", os.urandom(32), b"a" * 100000):
        with open(missing, "wb") as f:
            f.write(text)
        os.chmod(missing, 0o600)
        same(arkki("verify", a.dir, "--root-key", missing).returncode, 1, text[:10])
    os.chmod(a.key, 0o644)
    said = start_refused(a, a.key)
    check("chmod" in said or "600" in said, "names the mend", said)


def test_serve__twice_on_one_directory_is_refused():
    a = base().copy().serve()
    start_refused(a, "in use", a.dir)
    same(a.get("/v1/me").status, 200, "the first goes on")
    p = a.run("rebuild", a.dir, "catalogue")
    same(p.returncode, 1)
    check("in use" in p.stderr, p.stderr)
    same(a.stop(), 0)


def test_serve__goes_on_after_a_kill():
    a = base().copy().serve()
    docs = []
    for i in range(4):
        docs += [a.file(content=b"kill %d %d\n" % (i, n)).id for n in range(3)]
        a.get("/v1/documents/" + docs[0], "helmi")
        same(a.stop(signal.SIGKILL), -9)
        a.serve()
        for d in docs:
            same(a.get("/v1/documents/%s/versions/1/content" % d).status, 200)
    got = [e["principalSequence"] for e in a.audit(principal="helmi")]
    same(got, list(range(1, len(got) + 1)), "no gap")
    same(a.stop(), 0)
    p = a.verify("--full")
    same(p.returncode, 0, p.stdout)


def test_serve__on_a_read_only_directory():
    a = base().copy()
    program = None
    if os.geteuid() == 0:
        # root writes whatever the mode says: somebody else must try
        nobody = 65534
        program = os.path.join(a.top, "arkki")
        shutil.copy(BIN, program)
        for top, dirs, files in os.walk(a.top):
            for name in [top] + [os.path.join(top, x) for x in files]:
                os.chown(name, nobody, nobody)
        program = ["setpriv", "--reuid=%d" % nobody, "--regid=%d" % nobody, "--clear-groups", program]
    os.chmod(a.dir, 0o500)
    try:
        start_refused(a, a.dir, program=program)
    finally:
        os.chmod(a.dir, 0o700)


def test_disk__a_full_one_stops_filing_and_not_reading():
    if os.geteuid() != 0:
        raise Skip("a small file system can be mounted by root only")
    top = os.path.join(base().top, "tmpfs")
    os.mkdir(top)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=160m", "tmpfs", top],
                      stderr=subprocess.DEVNULL).returncode:
        raise Skip("mounting is not permitted here")
    a = None
    try:
        health = os.path.join(base().top, "health.sock")
        a = Archive(parent=top).serve(options=("--health", "unix:" + health))
        f = a.file(publicity="partly-secret")
        ballast = os.path.join(top, "ballast")
        with open(ballast, "wb") as b:
            try:
                while os.statvfs(top).f_bavail * os.statvfs(top).f_frsize > 10 * MIB:
                    b.write(bytes(MIB))
                    b.flush()
            except OSError:
                pass
        r = a.post_document(metadata())
        same(r.status, 503, r.body[:300])
        check(r.header("Retry-After") and r.json().get("detail"), "says what helps", r.body[:300])
        for meta in ({"title": "x"},):
            same(a.patch(f.id, meta).status, 503)
        same(a.version(f.id, b"toinen\n").status, 503)
        for _ in range(50):
            same(a.get("/v1/documents/%s/versions/1/content" % f.id, "sirpa").status, 200, "reading goes on")
        status, said = ask(health, "/readyz")
        same((status, json.loads(said)["status"], json.loads(said)["filing"]), (200, "ok", "stopped"))
        os.unlink(ballast)
        same(a.post_document(metadata()).status, 201, "after freeing")
        same(a.stop(), 0)
        same(a.verify("--full").returncode, 0)
    finally:
        if a and a.process:
            a.stop(signal.SIGKILL)
        subprocess.run(["umount", "-l", top], check=False)
