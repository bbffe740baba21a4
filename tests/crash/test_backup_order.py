"""What a backup syncs: each object before it has its name, a directory once for many, and nothing goes before it may."""

import os
import subprocess

from crash_util import BIN, INTERPOSE, Archive, check, read_trace, same


def backup(a, place, *more, **conf):
    env = dict(os.environ, LD_PRELOAD=INTERPOSE, ARKKI_TRACE=a.trace, ARKKI_UNDER=place)
    env.update({"ARKKI_" + k.upper(): str(v) for k, v in conf.items()})
    if os.path.exists(a.trace):
        os.unlink(a.trace)
    p = subprocess.run([BIN, "backup", a.dir, place, "--root-key", a.key, *more], env=env, timeout=120,
                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    return p, [s for s in read_trace(a.trace) if not s.path.startswith("socket:")]


def made():
    """An archive, and the directory that gets its backups."""
    a = Archive().make()
    place = os.path.join(a.top, "backups")
    os.mkdir(place)
    return a, os.path.realpath(place)


def syncs_of(steps, path):
    return sum(1 for s in steps if s.op == "fsync" and s.path == path)


def test_backup__an_object_is_synced_before_its_name_and_names_before_the_point():
    a, place = made()
    p, steps = backup(a, place)
    same(p.returncode, 0, p.stderr)
    written, named, objects = False, False, 0
    for s in steps:
        if s.op in ("write", "pwrite") and s.path == place + "/incoming":
            written = True
        elif s.op == "fdatasync" and s.path == place + "/incoming":
            written = False
        elif s.op == "fsync" and s.path == place + "/objects":
            named = False
        elif s.op == "rename":
            check(not written, "named before it was synced:", s)
            if "/points/" in s.detail:
                check(not named, "a point before the names of its objects:", s)
            else:
                named, objects = True, objects + 1
    check(objects > 10, objects, "objects")
    same(syncs_of(steps, place + "/objects"), 1, "one for all objects")
    same(syncs_of(steps, place + "/points"), 2, "manifest, note")


def test_backup__older_points_end_before_what_they_need_goes():
    a, place = made()
    for i in range(3):
        a.run("token", "create", a.dir, "--user", "maija")  # so that each point has something new
        p, _ = backup(a, place)
        same(p.returncode, 0, p.stderr)
    files = {d: set(os.listdir(os.path.join(place, d))) for d in ("points", "objects")}
    # the third sync of points/ is that of the notes' end: when it fails, nothing else may have gone
    p, steps = backup(a, place, "--keep", "1", count="fsync */points", fail_at=3)
    same(p.returncode, 1, p.stdout)
    left = {d: set(os.listdir(os.path.join(place, d))) for d in ("points", "objects")}
    gone = files["points"] - left["points"]
    same(sorted(n.split(".")[1] for n in gone), ["note"] * 3, "only notes have gone")
    same(files["objects"] - left["objects"], set(), "and no object")
    p, steps = backup(a, place, "--keep", "1")
    same(p.returncode, 0, p.stderr)
    same(syncs_of(steps, place + "/points"), 3, "manifest, note, and one for all that go")
    same(len([n for n in os.listdir(place + "/points") if n.endswith(".note")]), 1)
    check(len(os.listdir(place + "/objects")) < len(left["objects"]), "objects have gone")
