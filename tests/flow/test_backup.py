"""Backups beside a running server, restoring, drills; cut runs, damaged and forged sets. The documents are made up."""

import json
import os
import random
import shutil
import signal
import subprocess
import threading
import time

from arkki_flow import BIN, Archive, arkki, check, same
from test_disposition import TEXT as DOOMED, begun, doomed, everywhere, run as dispose_run
from test_witness import Witness, policy, until

TEXT = "Yksikön työvuoroluettelossa oli aukkoja.\n".encode()


def done(p):
    same(p.returncode, 0, p.stdout, p.stderr)
    return p.stdout


def refused(p, *words):
    same(p.returncode, 1, p.stdout)
    for word in words:
        check(word in p.stderr, word, "not in", p.stderr)


def with_keys(w):
    """A key backup, and the place of backups."""
    w.disk, w.place = w.dir + ".disk", w.dir + ".backups"
    os.mkdir(w.disk)
    done(w.run("keys", "backup", "add", w.dir, "safe", w.disk))
    return w


def backup(w, *more, place=None, **env):
    return w.run("backup", w.dir, place or w.place, *more, timeout=300, **env)  # it steps back when others work


def keys_run(w):
    done(w.run("keys", "backup", "run", w.dir))


def restored(w, *more, place=None, keys=None, **env):
    """Another archive out of the backup, with the same root key."""
    other = Archive(make=False)
    p = w.run("restore", place or w.place, other.dir, "--keys", keys or w.disk, *more, **env)
    same(p.returncode, 0, p.stdout, p.stderr)
    shutil.copy2(w.key, other.key)
    other.tokens = dict(w.tokens)
    return other


def points(place):
    return sorted(n[:-5] for n in os.listdir(os.path.join(place, "points")) if n.endswith(".note"))


def objects(place):
    return set(os.listdir(os.path.join(place, "objects")))


def file_ten(w, n=10):
    return [(w.file(title="Raportti %d" % i, content=TEXT + b"%d %d\n" % (i, time.monotonic_ns())), i) for i in range(n)]


def manifest(place, point=None):
    with open(os.path.join(place, "points", (point or points(place)[-1]) + ".manifest"), encoding="utf-8") as f:
        lines = [json.loads(s) for s in f]
    return lines[0], {f["path"]: f for f in lines[1:]}


# ---- what works ----

def test_backup__is_restored_equal_beside_a_running_server():
    w = with_keys(Archive().serve())
    filed = [w.file(publicity="public", content=TEXT + b"%d" % i).id for i in range(20)]
    w.get("/v1/documents/%s/versions/1/content" % filed[0])
    time.sleep(1.2)  # a checkpoint a second
    said = done(backup(w))
    keys_run(w)
    w.stop()
    head, files = manifest(w.place)
    check(said.startswith(head["point"]), said)
    with open(os.path.join(w.dir, "archive.git/refs/heads/main"), encoding="ascii") as f:
        same(head["commit"], f.read().strip())
    with open(os.path.join(w.dir, "backup.state"), encoding="utf-8") as f:
        state = json.load(f)
    same((state["destination"], state["point"]), (w.place, head["point"]))
    for path in files:
        check(not path.startswith(("keys", "index", "derived", "spool", "run", "catalogue")), path)
    r = restored(w)
    same(r.verify("--full").returncode, 0)
    r.serve()
    for i, doc in enumerate(filed):
        same(r.get("/v1/documents/%s/versions/1/content" % doc).body, TEXT + b"%d" % i)
    r.file(content=b"uusi\n")
    r.until_indexed()
    check(r.json("/v1/search?q=ty%C3%B6vuoroluettelo")["total"] >= 20, "the index follows")
    r.stop()
    same(r.verify("--full").returncode, 0)


def test_backup__brings_only_what_is_new():
    w = with_keys(Archive().serve())
    file_ten(w)
    w.stop()
    done(backup(w))
    before = objects(w.place)
    said = done(backup(w))
    small = sum(os.path.getsize(os.path.join(w.place, "objects", n)) for n in objects(w.place) - before)
    check(small < 3000, "nothing new was", small, said)
    w.serve()
    new = w.file(content=b"x" * 50000)
    w.stop()
    said = done(backup(w))
    brought = int(said.split("objects, ")[1].split()[0])
    check(50000 < brought < 75000, said)
    keys_run(w)
    same(len(points(w.place)), 3)
    r = restored(w).serve()
    same(r.get("/v1/documents/%s/versions/1/content" % new.id).body, b"x" * 50000)
    r.stop()
    same(r.verify("--full").returncode, 0)


def test_backup__an_older_point_is_restored_and_old_ones_go():
    w = with_keys(Archive().serve())
    for i in range(4):
        file_ten(w, 3)
        time.sleep(1.1)
        done(backup(w))
    keys_run(w)
    w.stop()
    ids = points(w.place)
    same(done(w.run("backup", "--list", w.place)).split(), ids)
    r = restored(w, "--point", ids[1])
    same(r.verify("--full").returncode, 0)
    said = done(backup(w, "--keep", "2"))
    check("removed 3 points" in said, said)
    same(points(w.place)[0], ids[3])
    used = {p[0] for point in points(w.place) for f in manifest(w.place, point)[1].values() for p in f["pieces"]}
    same(objects(w.place), used)
    same(restored(w).verify("--full").returncode, 0)
    refused(w.run("restore", w.place, w.dir + ".other", "--keys", w.disk, "--point", ids[1]), "no restore point")
    refused(backup(w, place=w.dir), "something else than backups")
    same(backup(w, "--keep", "none").returncode, 2)


def test_backup__full_reads_all_again_and_brings_nothing_twice():
    w = with_keys(Archive().serve())
    file_ten(w)
    w.stop()
    done(backup(w))
    before = objects(w.place)
    w.serve()
    file_ten(w)
    w.stop()
    done(backup(w))
    done(backup(w, "--full"))
    check(before < objects(w.place), "older objects stay")
    keys_run(w)
    for f in manifest(w.place)[1].values():
        check(len(f["pieces"]) <= 1, f)
    same(restored(w).verify("--full").returncode, 0)


def test_backup__under_load_and_compaction_is_always_whole():
    w = with_keys(Archive().serve())
    stop, failures = threading.Event(), []

    def work(n):
        try:
            while not stop.is_set():
                w.file(title="Kuormaa", content=TEXT + b"%d %d\n" % (n, time.monotonic_ns()))
                time.sleep(0.01)
        except Exception as e:  # told below, in the thread of the test
            failures.append(e)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(2)]
    for t in threads:
        t.start()
    try:
        for _ in range(4):
            time.sleep(0.7)
            done(backup(w))
            keys_run(w)
    finally:
        stop.set()
        for t in threads:
            t.join()
    same(failures, [])
    w.stop()
    ids = points(w.place)
    same(len(ids), 4)
    for point in (ids[0], ids[3]):
        r = restored(w, "--point", point)
        same(r.verify("--full").returncode, 0, point)
        head, _ = manifest(w.place, point)
        p = subprocess.run(["git", "-C", os.path.join(r.dir, "archive.git"), "fsck", "--full", "--strict"],
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        same(p.returncode, 0, p.stdout)
        check(head["sequence"] > 20, head)


# ---- over ssh ----

def fake_ssh(w):
    """Instead of ssh: runs the last argument with a shell here, as the other machine would."""
    path = os.path.join(w.top, "ssh")
    with open(path, "w", encoding="ascii") as f:
        f.write("#!/bin/bash\necho \"$@\" >>%s.said\nPATH=%s:$PATH exec bash -c \"${@: -1}\"\n"
                % (path, os.path.dirname(BIN)))
    os.chmod(path, 0o700)
    return {"ARKKI_SSH": path}


def test_repair__from_a_restored_backup():
    w = with_keys(Archive().serve())
    filed = file_ten(w)
    w.stop()
    done(backup(w))
    keys_run(w)
    r = restored(w)
    pack = next(os.path.join(d, n) for d, _, names in os.walk(os.path.join(w.dir, "archive.git", "objects", "pack"))
                for n in names if n.endswith(".pack"))
    os.chmod(pack, 0o600)
    with open(pack, "r+b") as f:
        f.seek(os.path.getsize(pack) // 2)
        byte = f.read(1)[0]
        f.seek(-1, os.SEEK_CUR)
        f.write(bytes([byte ^ 16]))
    same(w.verify("--full").returncode, 1)
    refused(w.run("repair", w.dir, "--from", w.place), "arkki restore")
    done(w.run("repair", w.dir, "--from", r.dir, timeout=120))
    same(w.verify("--full").returncode, 0)
    w.serve()
    for f, i in filed:
        check(w.get("/v1/documents/%s/versions/1/content" % f.id).body.startswith(TEXT + b"%d " % i), f.id)
    w.stop()


def test_backup__goes_to_another_machine_and_back():
    w = with_keys(Archive().serve())
    file_ten(w)
    place = os.path.join(w.top, "over there's")
    env = fake_ssh(w)
    done(backup(w, place="ssh://backup@vault.example:2222" + place, env=env))
    file_ten(w, 2)
    time.sleep(1.1)
    done(backup(w, "--keep", "1", place="backup@vault.example:" + place, env=env))
    same(len(points(place)), 1)
    keys_run(w)
    w.stop()
    with open(env["ARKKI_SSH"] + ".said", encoding="utf-8") as f:
        check("BatchMode=yes" in (given := f.readline()) and " -p 2222 backup@vault.example arkki backup-receive '" in given, given)
    r = restored(w, place="backup@vault.example:" + place, env=env)
    same(r.verify("--full").returncode, 0)
    refused(backup(w, place="ssh://-oProxyCommand=x/y"), "not a place on another machine")
    refused(backup(w, place="host:/nowhere", env={"ARKKI_SSH": "/bin/false"}), "does not answer as arkki does")
    refused(w.run("restore", "host:" + w.top + "/none", w.top + "/new", "--keys", w.disk, env=env), "no backups")
    check(not os.path.exists(w.top + "/new"), "nothing is written")


def test_backup_receive__takes_no_name_that_leads_out():
    place = os.path.join(Archive(make=False).top, "place")
    hole = b"objects/" + b"0" * 64
    for asked in (b"put points/../../x 1\nx", b"get objects/../lock\n", b"remove points/x\n", b"list ..\n", b"list x\n",
                  b"put %s 3\nabc" % hole, b"get %s\n" % hole):
        p = subprocess.run([BIN, "backup-receive", place], input=b"open write\n" + asked + b"list points\n",
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=20)
        lines = p.stdout.split(b"\n")
        same(lines[0], b"ok 0")
        check(lines[1].startswith(b"no -"), asked, p.stdout)
        same(lines[2], b"ok 0", asked)
    for asked in (b"list points\n", b"x\n", b"\xff" * 400, b"put a 99999999999999999999999\n", b"open write\nopen write\n"):
        p = subprocess.run([BIN, "backup-receive", place], input=asked, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           timeout=20)
        check(b"ok" not in p.stdout or b"no -" in p.stdout, asked, p.stdout)
    same(sorted(os.listdir(place)), ["incoming", "lock", "objects", "points"])
    same(os.listdir(place + "/objects"), [])


# ---- cut runs ----

def test_backup__killed_anywhere_is_no_point_and_goes_on():
    w = with_keys(Archive().serve())
    file_ten(w, 30)
    w.stop()
    keys_run(w)
    rng = random.Random(7)
    began = time.monotonic()
    done(backup(w, place=w.dir + ".timing"))
    whole = time.monotonic() - began
    killed = 0
    for _ in range(20):
        p = subprocess.Popen([BIN, "backup", w.dir, w.place], env=dict(os.environ, ARKKI_ROOT_KEY_FILE=w.key),
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(rng.random() * whole)
        p.send_signal(signal.SIGKILL)
        killed += p.wait() != 0
        if os.path.isdir(w.place + "/points"):
            for n in os.listdir(w.place + "/objects"):
                check(len(n) == 64, n)
    check(killed > 5, "killed", killed)
    had = objects(w.place)
    done(backup(w))
    check(had <= objects(w.place), "what was there is used")
    for point in points(w.place):
        same(restored(w, "--point", point).verify("--full").returncode, 0, point)


def test_backup__one_at_a_time():
    w = with_keys(Archive())
    done(backup(w))
    holder = subprocess.Popen([BIN, "backup-receive", w.place], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    holder.stdin.write(b"open write\n")
    holder.stdin.flush()
    same(holder.stdout.readline(), b"ok 0\n")
    refused(backup(w), "another backup is at work")
    holder.stdin.close()
    holder.wait()
    done(backup(w))


# ---- damaged, forged, mistaken ----

def test_restore__refuses_what_is_not_whole_or_not_ours():
    w = with_keys(Archive().serve())
    file_ten(w)
    w.stop()
    done(backup(w))
    keys_run(w)
    point = points(w.place)[-1]
    new = os.path.join(w.top, "new")

    def attempt(place, *words):
        refused(w.run("restore", place, new, "--keys", w.disk), *words)
        check(not os.path.exists(new), "nothing is written")

    def damaged(name, change):
        place = os.path.join(w.top, "damaged-" + name)
        shutil.copytree(w.place, place)
        change(place)
        return place

    some = sorted(manifest(w.place)[1].values(), key=lambda f: -f["size"])[3]["pieces"][0][0]
    attempt(damaged("missing", lambda p: os.remove(p + "/objects/" + some)), "not whole", some)
    attempt(damaged("cut", lambda p: os.truncate(p + "/objects/" + some, 3)), "not whole", some)
    attempt(damaged("noteless", lambda p: os.remove(p + "/points/%s.note" % point)), "no restore point")

    def forge(place):
        path = place + "/points/%s.manifest" % point
        with open(path, "rb") as f:
            text = f.read()
        with open(path, "wb") as f:
            f.write(text.replace(b'"sequence":', b'"sequence":1'))

    attempt(damaged("forged", forge), "not the one that was signed")

    def rename(place):
        for end in (".note", ".manifest"):
            os.rename(place + "/points/" + point + end, place + "/points/999999" + point[6:] + end)

    attempt(damaged("renamed", rename), "not the one that was signed")
    stranger = Archive(origin="other.test")
    p = arkki("restore", w.place, new, "--keys", stranger.dir + "/keys", root_key=stranger.key)
    refused(p, "not signed by this archive")
    # a flipped bit is found when it is read, and nothing that is no archive passes for one
    def flip(place):
        with open(place + "/objects/" + some, "r+b") as f:
            b = f.read(1)
            f.seek(0)
            f.write(bytes([b[0] ^ 1]))

    refused(w.run("restore", damaged("flipped", flip), new, "--keys", w.disk), "is damaged", some)
    check(not os.path.exists(new + "/arkki.conf"), "a cut restore is no archive")
    refused(w.run("restore", w.place, new, "--keys", w.disk), "not empty")
    same(w.run("restore", w.place, new).returncode, 2)
    refused(w.run("restore", w.place, w.dir + ".x", "--keys", w.top), "no key backup")


def test_restore__refuses_a_key_backup_that_is_too_old():
    w = with_keys(Archive().serve())
    old = os.path.join(w.top, "old-keys")
    shutil.copytree(w.disk, old)
    file_ten(w, 3)
    w.stop()
    done(backup(w))
    refused(w.run("restore", w.place, w.dir + ".x", "--keys", old), "newer key backup")
    check(not os.path.exists(w.dir + ".x"), "nothing is written")
    keys_run(w)
    restored(w)


def test_backup__refuses_an_archive_that_went_back_or_forked():
    w = with_keys(Archive().serve())
    file_ten(w, 3)
    w.stop()
    keys_run(w)
    done(backup(w))
    first = points(w.place)[-1]
    w.serve()
    file_ten(w, 3)
    w.stop()
    done(backup(w))
    keys_run(w)
    r = restored(w, "--point", first)
    r.place = w.place
    refused(backup(r), "older copy")
    r.serve()
    file_ten(r, 9)
    r.stop()
    refused(backup(r), "another history")
    refused(backup(r, "--full"), "another history")
    done(backup(r, place=w.dir + ".anew"))
    done(backup(w))


# ---- the drill ----

def test_drill__proves_the_result_equal_and_leaves_nothing():
    w = with_keys(Archive().serve())
    file_ten(w)
    w.file(content=b"y" * 3000000)
    time.sleep(1.2)
    done(backup(w))
    keys_run(w)
    out = os.path.join(w.top, "drills")
    os.mkdir(out)
    with open(w.key, "rb") as f:
        root = f.read()
    said = done(w.run("restore", "--drill", w.place, "--keys", w.disk, "--out", out))
    lines = said.split("\n")
    same(lines[0:3], ["arkki-drill/v1", "arkki.test/history", points(w.place)[-1]])
    check("restored and equal" in lines[3] and "0 faults" in lines[4], said)
    check(lines[6].startswith("— arkki.test/history "), said)
    same(os.listdir(out), [])
    with open(w.key, "rb") as f:
        same(f.read(), root)
    # a slot of the key backup that is damaged
    shard = [os.path.join(at, n) for at, _, names in os.walk(w.disk) for n in names if n.startswith("shard")][0]
    with open(shard, "r+b") as f:
        f.seek(128 + 72 * 20 + 30)
        f.write(b"\0\1\2\3")
    p = w.run("restore", "--drill", w.place, "--keys", w.disk, "--out", out)
    same(p.returncode, 1, p.stdout)
    same(os.listdir(out), [])


# ---- destruction ----

def test_destroyed__a_backup_from_before_cannot_open_it():
    w = with_keys(begun())
    f = doomed(w)
    stays = w.file(title="Jatkuva", content=b"pysyy\n")
    w.until_indexed()
    time.sleep(1.1)
    done(backup(w))
    keys_run(w)
    same(dispose_run(w), "destroyed 1, on hold 0, awaiting the receiver 0")
    w.stop()
    r = restored(w)  # the only key backup that there is: of today
    same(everywhere(r.top, DOOMED.split()), [])
    r.serve()
    same(r.get("/v1/documents/%s/versions/1/content" % stays.id).body, b"pysyy\n")
    for path in ("", "/versions/1/content", "/versions/1/text"):
        answer = r.get("/v1/documents/" + f.id + path)
        check(answer.status in (404, 410), path, answer.status)
        check(DOOMED.encode() not in answer.body, path)
    r.stop()
    p = r.verify("--full")
    check("no tombstone" in p.stdout + p.stderr, p.stdout, p.stderr)


# ---- witnesses ----

def test_restore__of_an_older_point_is_refused_by_a_witness_that_saw_more():
    w = with_keys(Archive())
    seen = Witness(w.top, "one").knows(w).serve()
    policy(w, [seen.line()], "quorum one\n")
    w.serve()
    file_ten(w, 3)
    until(lambda: os.path.exists(os.path.join(w.dir, "ledger/history/checkpoint.cosigned")))
    time.sleep(1.2)
    done(backup(w))
    file_ten(w, 3)
    keys_run(w)
    time.sleep(2.5)
    w.stop()
    new = os.path.join(w.top, "new")
    p = w.run("restore", w.place, new, "--keys", w.disk)
    refused(p, "witness", "one")
    check("put back" in p.stdout and "history" in p.stdout, p.stdout)
    # the drill asks nobody, and changes nothing that a witness sees
    check("0 faults" in done(w.run("restore", "--drill", w.place, "--keys", w.disk, "--out", w.top)), "the drill")
    done(backup(w))
    keys_run(w)
    restored(w)
    seen.stop()
