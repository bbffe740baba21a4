"""A kill, and a power cut, at every change of a file.

crash-steps does the same scripted work in-process (steps.c: filings, versions, metadata, renditions, tiles, a
compaction, a change of keys, a destruction, index commits, a start), journal.so writes down each change with its
bytes, and disk_model.py makes the disk of every moment out of that. On each the archive is opened as after a crash,
everything promised up to that moment is looked for and opened, nothing else may be there, the archive files once
more, and `verify --full` compares it all.

Points are spread evenly over each scenario, but all steps that make durable or name are tried; ARKKI_CRASH=full tries
everything. ARKKI_SEED repeats the lots of a run.
"""

import atexit
import collections
import os
import random
import shutil
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor

import disk_model
from crash_util import FULL, POINTS, TOP, Failed, check, same

STEPS = os.path.join(TOP, "build", "tests", "crash-steps")
JOURNAL = os.path.join(TOP, "build", "tests", "journal.so")
SCENARIOS = tuple(os.environ.get("ARKKI_SCENARIO", "filing tiles compaction keys destruction index").split())
SEED = int(os.environ.get("ARKKI_SEED", "20261122"))
MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
WORKERS = 2
KILLS, CUTS, KILLED = 24, 12, 2  # points a scenario
DURABLE = ("fsync", "fdatasync", "rename", "exchange", "unlink", "mkdir", "rmdir", "link")
MAPPED = ("-shm", "admin.sock")  # SQLite maps it, and makes it anew


class Work:
    """One run of a scenario, with its journal."""

    base = None

    def __init__(self, *scenario, top=None, **conf):
        self.scenario = "+".join(scenario)
        self.top = tempfile.mkdtemp(prefix="arkki-power-", dir=MEMORY)
        self.before, self.saw = os.path.join(self.top, "before"), os.path.join(self.top, "work")
        shutil.copytree(top or base(), self.before)
        shutil.copytree(self.before, self.saw)
        self.journal = os.path.join(self.top, "journal")
        self.disk = disk_model.Disk(self.saw, "acks")
        env = dict(os.environ, LD_PRELOAD=JOURNAL, ARKKI_JOURNAL=self.journal, ARKKI_UNDER=self.saw)
        env.update({"ARKKI_" + k.upper(): str(v) for k, v in conf.items()})
        self.ended = subprocess.run([STEPS, "work", self.saw, *scenario], env=env, stderr=subprocess.PIPE, text=True)
        self.changes = disk_model.read_journal(self.journal)

    def name(self, c):
        return os.path.relpath(c.path, self.saw)

    def drop(self):
        shutil.rmtree(self.top, True)


def base():
    if Work.base is None:
        Work.base = tempfile.mkdtemp(prefix="arkki-power-", dir=MEMORY)
        atexit.register(shutil.rmtree, Work.base, True)
        subprocess.run([STEPS, "make", Work.base], check=True)
    return Work.base


def opens(top):
    """None, or what is wrong with the archive after a crash."""
    try:
        p = subprocess.run([STEPS, "check", top], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)
    except subprocess.TimeoutExpired:
        return "it hangs"
    return None if p.returncode == 0 else "%d: %s" % (p.returncode, p.stderr.strip()[-900:])


def fsck(top):
    p = subprocess.run(["git", "--git-dir", os.path.join(top, "archive", "archive.git"), "fsck", "--full", "--strict"],
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return None if p.returncode == 0 else "git fsck: " + p.stdout[-500:]


class Tried:
    """Images that wait for their look, two at a time."""

    def __init__(self, what):
        self.what, self.points, self.images, self.faults = what, collections.Counter(), 0, []
        self.pool, self.running = ThreadPoolExecutor(WORKERS), []

    def add(self, label, image, git=False):
        self.images += 1
        self.running.append(self.pool.submit(self.look, label, image, git))
        while len(self.running) >= 4 * WORKERS:
            self.running.pop(0).result()

    def settle(self):
        while self.running:
            self.running.pop(0).result()

    def look(self, label, image, git):
        why = (fsck(image) if git else None) or opens(image)
        if why:
            self.faults.append("%s: %s" % (label, why))
            if os.environ.get("ARKKI_KEEP"):
                return
        shutil.rmtree(image, True)

    def end(self):
        self.settle()
        self.pool.shutdown()
        for kind, n in self.points.items():
            POINTS["%s: %s" % (self.what, kind)] += n
        if self.faults:
            raise Failed("ARKKI_SEED=%d, %d of %d images of %s: %s" % (
                SEED, len(self.faults), self.images, self.what, "\n  ".join(sorted(self.faults)[:8])))
        return "%d points (%s), %d images" % (
            sum(self.points.values()), ", ".join("%s %d" % kv for kv in sorted(self.points.items())), self.images)


def where(c, w):
    name = w.name(c)
    for part, kind in (("acks", "promises"), ("archive/keys", "keys"), ("root.key", "keys"), ("archive/archive.git", "git"),
                       ("archive/index", "index"), ("archive/derived", "derived"), ("archive/catalogue", "catalogue"),
                       ("archive/state", "state"), ("archive/spool", "spool")):
        if name.startswith(part):
            return kind
    return "tiles" if "/tile" in name or "checkpoint" in name else "log" if "/ledger" in name else "other"


def chosen(w, most):
    """The changes behind which the world ends: those that make durable or name, and of the others as many as asked."""
    n = len(w.changes)
    if FULL or n <= most:
        return set(range(n))
    first = [i for i, c in enumerate(w.changes) if c.op in DURABLE and where(c, w) != "promises"]
    if len(first) > most:
        first = [first[i * len(first) // most] for i in range(most)]
    return set(first)


def replay(w, points, at):
    for i, c in enumerate(w.changes):
        w.disk.apply(c)
        if i in points:
            at(i, c)


def image_of(w, n=[0]):
    n[0] += 1
    return os.path.join(w.top, "image-%d" % n[0])


def test_journal__rebuilds_every_byte():
    """The model sees all: replayed to the end it is the directory that the work left."""
    said = []
    for scenario in SCENARIOS:
        w = Work(scenario)
        same(w.ended.returncode, 0, scenario, w.ended.stderr)
        replay(w, (), None)
        image = image_of(w)
        w.disk.kill(image)
        for a, b in ((image, w.saw), (w.saw, image)):
            same(disk_model.differences(a, b, MAPPED), [], scenario)
        said.append("%s %d" % (scenario, len(w.changes)))
        w.drop()
    return "changes: " + ", ".join(said)


def test_kill__at_every_step_loses_nothing():
    tried = Tried("kills")
    for scenario in SCENARIOS:
        w = Work(scenario)

        def at(i, c):
            image = image_of(w)
            w.disk.kill(image)
            tried.points[where(c, w)] += 1
            tried.add("%s, killed after change %d, %s %s" % (scenario, i + 1, c.op, w.name(c)), image, i % 10 == 0)

        replay(w, chosen(w, KILLS), at)
        tried.settle()
        w.drop()
    return tried.end()


def test_power_cut__at_every_step_loses_nothing_promised():
    tried = Tried("power cuts")
    rng = random.Random(SEED)
    for scenario in SCENARIOS:
        w = Work(scenario)
        hows = ("drop", "keep", "bytes", "mix", "mix", "mix") if FULL else ("mix",)

        def at(i, c):
            tried.points[where(c, w)] += 1
            for how in hows if FULL else ("drop", "keep", "mix", "mix")[i % 4:][:1]:
                image = image_of(w)
                w.disk.cut(image, random.Random(rng.random()), how)
                tried.add("%s, cut after change %d, %s %s, %s" % (scenario, i + 1, c.op, w.name(c), how), image)

        replay(w, chosen(w, CUTS), at)
        tried.settle()
        w.drop()
    return tried.end()


def test_kill__of_the_process_leaves_what_the_model_says():
    """The same with SIGKILL: what lies there is what the journal up to it makes."""
    rng = random.Random(SEED)
    tried = Tried("real kills")
    for scenario in SCENARIOS:
        for _ in range(KILLED * (10 if FULL else 1)):
            n = rng.randrange(1, 170)
            w = Work(scenario, kill_at=n)
            same(w.ended.returncode, -9, scenario, n, w.ended.stderr)
            replay(w, (), None)
            image = image_of(w)
            w.disk.kill(image)
            if scenario != "compaction":  # git, a child, may go on for a moment
                same(disk_model.differences(w.saw, image, MAPPED), [], scenario, n)
            why = opens(w.saw)
            check(not why, "%s, killed at %d: %s" % (scenario, n, why))
            tried.images += 1
            w.drop()
    return "%d kills" % tried.images


def test_recovery__may_be_cut_off_too():
    """A start after a power cut is killed, or loses its power, in its turn."""
    tried = Tried("cut recoveries")
    rng = random.Random(SEED)
    first = Work("filing")
    named = [i for i, c in enumerate(first.changes) if c.path.endswith(("main.lock", "00000000.seg")) or c.op == "fsync"]
    points = set(named if FULL else rng.sample(named, 3))
    images = []

    def cut(i, c):
        images.append((i, image_of(first)))
        first.disk.cut(images[-1][1], random.Random(rng.random()), "mix")

    replay(first, points, cut)
    for i, image in images:
        w = Work("start", top=image)
        same(w.ended.returncode, 0, "start after a cut at", i, w.ended.stderr)

        def at(k, c):
            again = image_of(w)
            if k % 2:
                w.disk.kill(again)
            else:
                w.disk.cut(again, random.Random(rng.random()), "mix")
            tried.points[where(c, w)] += 1
            tried.add("cut after change %d, and its start after change %d, %s %s" % (i + 1, k + 1, c.op, w.name(c)), again)

        replay(w, chosen(w, 8), at)
        tried.settle()
        w.drop()
    first.drop()
    return tried.end()


NEEDED = (
    ("filing", "fdatasync */keys/shard-*"),
    ("filing", "fdatasync */objects/pack/tmp_pack*"),
    ("filing", "fdatasync */objects/pack/tmp_idx*"),
    ("filing", "fsync */objects/pack"),
    ("filing", "fdatasync */main.lock"),
    ("filing", "fsync */refs/heads"),
    ("filing", "fdatasync */ledger/history/segments/*"),
    ("tiles", "fdatasync */ledger/access/segments/*"),
    ("keys", "@(fsync|fdatasync) */keys.next*"),
    ("keys", "fdatasync */root.key.next"),
    ("index", "fsync */index/xapian"),
)


def test_power_cut__shows_every_sync_that_is_left_out():
    """The test can fail: without one of these syncs something promised is gone."""
    for scenario, pattern in NEEDED:
        w = Work(scenario, omit=pattern)
        same(w.ended.returncode, 0, scenario, pattern, w.ended.stderr)
        faults = []

        def at(i, c):
            image = image_of(w)
            w.disk.cut(image, random.Random(i), "drop" if i == last else ("keep", "mix")[i % 2])
            faults.append(opens(image))
            shutil.rmtree(image)

        last = len(w.changes) - 1
        replay(w, {last} if w.scenario != "keys" else {last, last - 5} | set(range(0, last, 12)), at)
        check(any(faults), "nothing is lost without", scenario, pattern)
        w.drop()
    return "%d syncs" % len(NEEDED)
