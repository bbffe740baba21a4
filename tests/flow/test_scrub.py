"""The scrub and repair: every kind of damage is found, named, and mended from a mirror."""

import json
import os
import shutil
import sqlite3
import subprocess
import time

from arkki_flow import MIB, Archive, check, same
from test_damage import base as damage_base
from test_damage import files, flip

_base = None


def base():
    """A stopped archive in which each object lies once (a compaction leaves copies for a while), in several packs."""
    global _base
    if _base is None:
        a = damage_base().copy()
        subprocess.run(["git", "--git-dir", os.path.join(a.dir, "archive.git"), "repack", "-adq"], check=True)
        a.serve()
        for i in range(3):
            a.file(content=b"viela %d\n" % i)
            a.get("/v1/documents?limit=10", "helmi")
        time.sleep(1.3)
        same(a.stop(), 0)
        same(a.verify("--full").returncode, 0)
        _base = a
    return _base


def scrub(a, code=0):
    p = a.run("scrub", a.dir, "--now", timeout=30)
    same(p.returncode, code, p.stdout[-800:], p.stderr[-400:])
    return p.stdout + p.stderr


def status(a):
    return a.json("/v1/status", "ylla")["scrub"]


def test_scrub__a_sound_archive_has_no_faults():
    a = base().copy()
    said = scrub(a)
    check("whole" in said and " 0 faults" in said, said)
    a.serve()
    s = status(a)
    same((s["state"], s["last"]["outcome"], s["last"]["faultCount"]), ("idle", "whole", 0))
    check(s["last"]["bytes"] > 3 * MIB and s["lastWhole"], s)
    same(a.stop(), 0)
    same(a.verify("--full").returncode, 0)


def test_scrub__a_bit_that_flips_while_serving_is_named():
    a = base().copy().serve()
    big = files(a, "archive.git", "objects", suffix=".pack")[-1]
    flip(big, os.path.getsize(big) // 2)
    said = scrub(a, 1)
    doc = [d for d in a.json("/v1/documents?limit=100")["documents"] if d["size"] == 3 * MIB][0]
    check(os.path.basename(big) in said and doc["id"] in said, said)
    s = status(a)
    same(s["last"]["outcome"], "whole")
    named = [f for f in s["last"]["faults"] if f.get("object")]
    same({(f["document"], f["version"]) for f in named}, {(doc["id"], 1)}, s["last"]["faults"])
    check(all(os.path.basename(big) in f["file"] for f in named), named)
    same(a.stop(), 0)


def test_scrub__what_it_does_is_in_the_logs():
    a = base().copy().serve()
    big = files(a, "archive.git", "objects", suffix=".pack")[-1]
    flip(big, os.path.getsize(big) // 2)
    scrub(a, 1)
    jobs = [e for e in a.audit() if e.get("kind") == "maintenance"]
    text = json.dumps(jobs)
    for word in ("pass 1 begun", "scrub-fault", os.path.basename(big), "pass 1 whole"):
        check(word in text, word, text[-1500:])
    same(a.stop(), 0)


def test_scrub__each_kind_of_damage():
    def row(a):
        a_row(a)

    def pack_gone(a):
        # a compaction may have made a second copy
        for big in [p for p in files(a, "archive.git", "objects", suffix=".pack") if os.path.getsize(p) > 3 * MIB]:
            os.unlink(big)
            os.unlink(big[:-4] + "idx")

    def slot(a):
        flip(os.path.join(a.dir, "keys", "shard-000000"), 128 + 72 * 5 + 30)

    def segment(a):
        flip(os.path.join(a.dir, "ledger", "access", "segments", "00000000.seg"), 4096 + 300)

    def tile(a):
        flip([p for p in files(a, "ledger", "history") if "/tile/0/" in p][-1], 5)

    def swapped(a):
        packs = files(a, "archive.git", "objects", suffix=".pack")
        shutil.copy(packs[-2], packs[-1] + ".x")
        os.rename(packs[-1] + ".x", packs[-1])

    for damage, word in ((row, "catalogue"), (pack_gone, "missing"), (slot, "slot"), (segment, "entry"),
                         (tile, "tile"), (swapped, "pack")):
        a = base().copy().serve()
        damage(a)
        p = a.run("scrub", a.dir, "--now", timeout=30)
        same(p.returncode, 1, damage.__name__, p.stdout, p.stderr)
        check(word in p.stdout, damage.__name__, p.stdout[-600:])
        a.stop()
        shutil.rmtree(a.top)


def test_scrub__paused_it_stays_so_and_goes_on():
    a = base().copy()
    with open(os.path.join(a.dir, "arkki.conf"), "a", encoding="utf-8") as f:
        f.write("scrub-rate 1\nscrub-every 7\n")
    a.serve()
    p = a.run("scrub", a.dir, "start")
    same(p.returncode, 0, p.stderr)
    check("1 MB/s, every 7 days" in p.stdout, p.stdout)
    time.sleep(0.5)
    same(a.run("scrub", a.dir, "pause").returncode, 0)
    s = status(a)
    same(s["state"], "paused")
    check("last" not in s, "a pass that was cut is no pass", s)
    same(a.stop(), 0)
    a.serve()
    s = status(a)
    same((s["state"], s["pass"]), ("paused", 1))
    scrub(a)
    s = status(a)
    same((s["state"], s["last"]["pass"], s["last"]["outcome"]), ("idle", 1, "whole"))
    same(a.stop(), 0)


def test_scrub__one_that_cannot_end_is_a_failure():
    a = base().copy().serve()
    repo = os.path.join(a.dir, "archive.git", "objects", "pack")
    os.rename(repo, repo + ".away")
    said = scrub(a, 1)
    check("failed" in said, said)
    s = status(a)
    same(s["last"]["outcome"], "failed")
    check("lastWhole" not in s and s["last"]["why"], s)
    os.rename(repo + ".away", repo)
    a.stop()


# ---- repair ----

def repair(a, code, *more):
    p = a.run("repair", a.dir, *more, timeout=60)
    same(p.returncode, code, p.stdout[-1500:], p.stderr[-400:])
    return p.stdout + p.stderr


def big_pack(a):
    return files(a, "archive.git", "objects", suffix=".pack")[-1]


def gone(path):
    os.unlink(path)


def drop_pack(a):
    for p in [p for p in files(a, "archive.git", "objects", suffix=".pack") if os.path.getsize(p) > 3 * MIB]:
        os.unlink(p)
        os.unlink(p[:-4] + "idx")


def swap_pack(a):
    other = Archive(seed=None, origin="other.test")
    theirs = files(other, "archive.git", "objects", suffix=".pack")[-1]
    for ext in ("pack", "idx"):
        shutil.copy(theirs[:-4] + ext, big_pack(a)[:-4] + ext + ".x")
    stem = big_pack(a)[:-4]
    for ext in ("pack", "idx"):
        os.rename(stem + ext + ".x", stem + ext)


def wrong_idx(a):
    packs = files(a, "archive.git", "objects", suffix=".pack")
    shutil.copy(packs[-2][:-4] + "idx", packs[-1][:-4] + "x")
    os.rename(packs[-1][:-4] + "x", packs[-1][:-4] + "idx")


def drop_ref(a):
    gone(os.path.join(a.dir, "archive.git", "refs", "heads", "main"))


def segment(a, log="access"):
    return os.path.join(a.dir, "ledger", log, "segments", "00000000.seg")


def cut_segment(a):
    os.truncate(segment(a), 4096 + 900)


def a_row(a):
    sql(a, "catalogue.sqlite", "UPDATE version SET publicity='public' WHERE publicity='partly-secret'")


DAMAGE = (
    ("a bit in a pack", lambda a: flip(big_pack(a), os.path.getsize(big_pack(a)) // 2), "checksum"),
    ("a missing pack", drop_pack, "missing"),
    ("a swapped pack", swap_pack, "another pack"),
    ("an idx of another pack", wrong_idx, "idx"),
    ("no ref", drop_ref, "refs/heads/main"),
    ("a row", a_row, "catalogue"),
    ("a catalogue that is no database", lambda a: flip(os.path.join(a.dir, "catalogue.sqlite"), 3), "catalogue"),
    ("a bit in a segment", lambda a: flip(segment(a), 4096 + 700), "entry"),
    ("a bit in a segment of the history", lambda a: flip(segment(a, "history"), 4096 + 2000), "entry"),
    ("the header of a segment", lambda a: flip(segment(a), 50), "header"),
    ("a cut segment", cut_segment, "bytes of"),
    ("no segment", lambda a: gone(segment(a)), "bytes of"),
    ("a tile", lambda a: flip([p for p in files(a, "ledger", "history") if "/tile/0/" in p][-1], 5), "tile"),
    ("no tile", lambda a: gone([p for p in files(a, "ledger", "history") if "/tile/0/" in p][-1]), "tile"),
    ("a checkpoint", lambda a: flip(os.path.join(a.dir, "ledger", "access", "checkpoint"), 30, 1), "checkpoint"),
)


def test_repair__each_kind_of_damage_from_a_copy():
    for name, damage, word in DAMAGE:
        a = base().copy()
        mirror = base().copy()
        damage(a)
        # a check grows the history log: what was its last partial tile is then missed by nobody
        if name != "no tile":
            same(a.verify("--full").returncode, 1, name, "is seen")
        said = repair(a, 0, "--from", mirror.dir)
        check("damaged" in said and word in said and "mended" in said and ": 0 faults" in said, name, said[-900:])
        a.serve()
        docs = a.json("/v1/documents?limit=100")["documents"]
        for d in docs:
            same(a.get("/v1/documents/%s/versions/%d/content" % (d["id"], d["version"])).status, 200, name)
        same(a.stop(), 0)
        same(a.verify("--full").returncode, 0, name)
        shutil.rmtree(a.top)
        shutil.rmtree(mirror.top)


def test_repair__a_pack_that_comes_out_as_it_was():
    # packs are named by their bytes: the whole one has the name of the damaged one
    a, mirror = base().copy(), base().copy()
    for _ in range(2):  # the first time the pack may be git's; the second time it is our own
        flip(big_pack(a), os.path.getsize(big_pack(a)) // 2)
        said = repair(a, 0, "--from", mirror.dir)
    check("byte for byte" in said, said)
    same(a.verify("--full").returncode, 0)


def test_repair__from_a_clone_of_the_store():
    a = base().copy()
    clone = os.path.join(a.top, "clone.git")
    subprocess.run(["git", "clone", "-q", "--mirror", "--no-hardlinks", os.path.join(a.dir, "archive.git"), clone], check=True)
    pack = big_pack(a)
    with open(pack, "rb") as f:
        sound = f.read()
    flip(pack, os.path.getsize(pack) // 2)
    check("from the mirror" in repair(a, 0, "--from", clone))
    aside = any(n.endswith(".pack") for _, _, ns in os.walk(os.path.join(a.dir, "damaged")) for n in ns)
    if not aside:  # packs are named by their bytes: one that comes out as it was takes the damaged one's place
        with open(pack, "rb") as f:
            check(f.read() == sound, "neither kept aside nor made whole")
    same(subprocess.run(["git", "--git-dir", os.path.join(a.dir, "archive.git"), "fsck", "--full"],
                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode, 0)


def sizes(a):
    """Of the files of the logs; a reader of an index that rests makes two beside it."""
    return {p: os.path.getsize(p) for p in files(a, "ledger") if not p.endswith((".sqlite-wal", ".sqlite-shm"))}


def test_repair__says_what_is_lost_when_the_copy_is_no_better():
    for damage, word in ((lambda a: flip(big_pack(a), os.path.getsize(big_pack(a)) // 2), "docs/"),
                         (lambda a: flip(segment(a), 4096 + 700), "entries"),
                         (cut_segment, "entries")):
        a = base().copy()
        damage(a)
        mirror = base().copy()
        damage(mirror)
        before = sizes(a)
        said = repair(a, 1, "--from", mirror.dir)
        check("lost: " in said and word in [l for l in said.split("\n") if l.startswith("lost")][-1], said[-900:])
        same(sizes(a), before, "nothing was changed in the logs")
        shutil.rmtree(a.top)


def test_repair__takes_nothing_from_another_archive():
    other = Archive(seed=None, origin="other.test")
    a = base().copy()
    flip(segment(a), 4096 + 700)
    check("lost: " in repair(a, 1, "--from", other.dir))
    a = base().copy()
    drop_pack(a)
    check("lost: " in repair(a, 1, "--from", other.dir))


def test_repair__key_slots_from_a_key_backup():
    for at in (60, 128 + 72 * 7 + 40):
        a = base().copy()
        place = os.path.join(a.top, "disk")
        os.mkdir(place)
        p = a.run("keys", "backup", "add", a.dir, "usb", place)
        same(p.returncode, 0, p.stderr)
        flip(os.path.join(a.dir, "keys", "shard-000000"), at)
        same(a.verify().returncode, 1)
        check("lost: " in repair(a, 1, "--from", base().dir), "keys are never taken from a mirror")
        said = repair(a, 0, "--keys", place)
        check("mended: key slot" in said or "mended: the header" in said, said)
        check(not any("shard" in n for _, _, ns in os.walk(os.path.join(a.dir, "damaged")) for n in ns),
              "no copy of keys is left")
        shutil.rmtree(a.top)
    a = base().copy()
    shutil.copytree(os.path.join(a.dir, "keys"), os.path.join(a.top, "k"))
    flip(os.path.join(a.dir, "keys", "secrets"), 120)
    check("mended: keys/secrets" in repair(a, 0, "--keys", os.path.join(a.top, "k")))


def test_repair__a_dry_run_changes_nothing():
    def state(a):
        # a reader of an index that rests makes these two beside it
        return {p: open(p, "rb").read() for p in files(a) if not p.endswith(("/lock", ".sqlite-wal", ".sqlite-shm"))}

    a = base().copy()
    flip(big_pack(a), os.path.getsize(big_pack(a)) // 2)
    flip(segment(a), 4096 + 700)
    before = state(a)
    said = repair(a, 0, "--from", base().dir, "--dry-run")
    check("would be mended" in said, said)
    same(sorted(state(a)), sorted(before))
    check(state(a) == before, "bytes differ")


def test_repair__a_served_archive_is_left_alone():
    a = base().copy().serve()
    check("in use" in repair(a, 1, "--from", base().dir))
    same(a.stop(), 0)


def test_repair__a_damaged_state_is_told():
    a = base().copy()
    path = os.path.join(a.dir, "state.sqlite")
    flip(path, 3)
    said = repair(a, 1, "--from", base().dir)
    check("lost: tokens" in said, said)


# ---- what verify looks at besides ----

def sql(a, name, text):
    db = sqlite3.connect(os.path.join(a.dir, name))
    db.execute(text)
    db.commit()
    db.close()


def write(a, name, text, mode="a"):
    path = os.path.join(a.dir, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, mode, encoding="utf-8") as f:
        f.write(text)


def unused(a, at):
    path = segment(a, "history")
    flip(path, os.path.getsize(path) - 100 if at < 0 else at)


def test_verify__the_files_beside():
    doc = "0123456789abcdef" * 2
    for damage, word in (
            (lambda a: sql(a, "state.sqlite", "UPDATE token SET user=zeroblob(104)"), "state"),
            (lambda a: sql(a, "state.sqlite", "UPDATE token SET hash=randomblob(32)"), "state"),
            (lambda a: write(a, "allowed_signers", "", "w"), "allowed_signers"),
            (lambda a: write(a, "allowed_signers", "mallory namespaces=\"git\" ssh-ed25519 AAAA\n"), "allowed_signers"),
            (lambda a: write(a, "allowed_signers", open(os.path.join(a.dir, "allowed_signers"), encoding="utf-8")
                             .read().replace("AAAA", "AAAB"), "w"), "allowed_signers"),
            (lambda a: write(a, "derived/01/%s-v0001" % doc, "x"), "belongs to nothing"),
            (lambda a: write(a, "derived/01/notes", "x"), "belongs to nothing"),
            (lambda a: unused(a, 3000), "unused part")):
        a = base().copy()
        a.token("maija")
        damage(a)
        p = a.verify()
        same(p.returncode, 1, word, p.stdout, p.stderr)
        check(word in p.stdout + p.stderr, word, p.stdout)
        shutil.rmtree(a.top)


def test_verify__bits_behind_the_last_entry():
    # a writer that starts zeroes them (they may be a torn write): nothing is left to be seen, and nothing is lost
    a = base().copy()
    unused(a, -1)
    same(a.verify("--full").returncode, 0)
