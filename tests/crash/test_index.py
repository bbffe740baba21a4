"""The server, and the decoders' zygotes, are killed while texts are extracted and indexed: after the next start the
index equals one that is built from nothing. A rebuild that is killed leaves an index that is whole.

ARKKI_SEED repeats a run's choices (not its timing); ARKKI_INDEX_KILLS asks for more.
"""

import glob
import json
import os
import random
import signal
import subprocess
import threading
import time

from crash_util import FULL, POINTS, BIN, TOP, Archive, Gone, check, metadata, same

KILLS = int(os.environ.get("ARKKI_INDEX_KILLS", "10" if FULL else "3"))
DUMP = os.path.join(TOP, "build", "tests", "index-dump")
WORDS = ("tarkastus", "rajoitustoimenpide", "eristäminen", "lapsen", "hoito", "kertomus", "valvonta", "selvitys",
         "sijaishuolto", "yksikkö", "viranomainen", "kuukausi", "päätös", "muistutus", "huone", "ovi")


def prepared():
    a = Archive().make()
    seed = os.path.join(a.top, "more.json")
    with open(seed, "w", encoding="utf-8") as f:
        json.dump({"users": [{"id": "ylla", "org": "lvv", "name": "Ylla", "roles": ["admin"]}]}, f)
    a.must("load", a.dir, seed)
    a.tokens["ylla"] = a.must("token", "create", a.dir, "--user", "ylla").strip()
    return a


def dump(a):
    p = subprocess.run([DUMP, os.path.join(a.dir, "index", "xapian")], stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, text=True, timeout=60)
    same(p.returncode, 0, p.stderr)
    return p.stdout


def text(rng):
    kind = rng.random()
    body = " ".join(rng.choice(WORDS) for _ in range(rng.choice((5, 200, 3000))))
    if kind < 0.2:
        return ("<!DOCTYPE html><html><body><h1>Otsikko</h1><p>%s</p></body></html>" % body).encode()
    return b"\x7fELF\x02\x01\x01" + bytes(100) if kind < 0.3 else body.encode()


def work(a, rng, ids):
    """Files, amends and adds versions until the server is gone."""
    try:
        while True:
            if not ids or rng.random() < 0.6:
                r = a.post("/v1/documents", metadata(title="Asiakirja %d" % rng.randrange(1000)), text(rng))
                if r.status == 201:
                    ids.append(r.json()["id"])
                continue
            doc = rng.choice(ids)
            tag = a.get("/v1/documents/" + doc).headers.get("etag")
            if rng.random() < 0.5:
                a.post("/v1/documents/%s/versions" % doc, {}, text(rng), If_Match=tag)
            else:
                a.send("PATCH", "/v1/documents/" + doc, headers={"If-Match": tag, "Content-Type": "application/json"},
                       body=json.dumps({"title": "Muutettu %d" % rng.randrange(1000)}))
    except Gone:
        pass


def zygotes(a):
    """The decoders' zygotes of this server and of no other."""
    found = []
    for task in glob.glob("/proc/%d/task/*/children" % a.process.pid):
        try:
            with open(task, encoding="ascii") as f:
                found += [int(p) for p in f.read().split()]
        except FileNotFoundError:
            pass
    return found


def until_indexed(a):
    end = time.monotonic() + 120
    while time.monotonic() < end:
        s = a.get("/v1/status", "ylla").json()
        if s["indexed"] >= s["sequence"] and not s["texts"]["pending"]:
            return s
        time.sleep(0.1)
    check(False, "the index does not catch up:", s, a.said()[-500:])


def first_difference(one, two):
    for x, y in zip(one.split("\n"), two.split("\n")):
        if x != y:
            return "%s / %s" % (x[:200], y[:200])
    return "one is longer"


def test_index__is_after_kills_what_it_would_be_without():
    rng = random.Random(os.environ.get("ARKKI_SEED", str(random.randrange(1 << 30))))
    a, ids, of_zygotes = prepared(), [], 0
    for _ in range(KILLS):
        a.serve()
        workers = [threading.Thread(target=work, args=(a, random.Random(rng.random()), ids)) for _ in range(2)]
        for w in workers:
            w.start()
        end = time.monotonic() + rng.uniform(0.05, 1.5)
        while time.monotonic() < end:
            time.sleep(rng.uniform(0.01, 0.2))
            if rng.random() < 0.3:
                for pid in zygotes(a)[:1]:
                    os.kill(pid, signal.SIGKILL)
                    of_zygotes += 1
        a.stop(signal.SIGKILL)
        for w in workers:
            w.join()
    a.serve()
    s = until_indexed(a)
    a.stop()
    after_kills = dump(a)
    a.must("rebuild", a.dir, "index")
    anew = dump(a)
    check(after_kills == anew, "the index differs:", first_difference(after_kills, anew))
    check(anew.count("\nQ") >= len(ids) > 0, "entries", anew.count("\nQ"), len(ids))
    entries = anew.count("\nQ")
    a.drop()
    POINTS["the indexer"] += KILLS
    return "%d kills, %d of zygotes, %d commits, %d entries" % (KILLS, of_zygotes, s["sequence"], entries)


def test_index__stays_whole_when_a_rebuild_is_killed():
    a, ids = prepared(), []
    a.serve()
    w = threading.Thread(target=work, args=(a, random.Random(7), ids))
    w.start()
    time.sleep(1.5)
    a.stop()
    w.join()
    a.serve()  # the last filings
    until_indexed(a)
    a.stop()
    before = dump(a)
    cut = 0
    for delay in (0.05, 0.1, 0.2, 0.3, 0.5) if FULL else (0.05, 0.15, 0.4):
        p = subprocess.Popen([BIN, "rebuild", a.dir, "index", "--root-key", a.key], stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
        try:
            p.wait(delay)
        except subprocess.TimeoutExpired:
            p.kill()
            p.wait()
            cut += 1
        check(dump(a) == before, "after a rebuild that was killed at", delay)
    a.must("rebuild", a.dir, "index")
    check(dump(a) == before, "after a whole rebuild")
    check(not os.path.exists(os.path.join(a.dir, "index", "xapian.new")), "nothing is left over")
    a.drop()
    return "%d rebuilds cut off" % cut
