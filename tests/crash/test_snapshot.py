"""An older copy of a part of the archive beside newer parts, and clocks that jump.

What comes from the store is made anew; everything else is refused with a sentence that says what to put back, and
nothing is signed over the gap. (An old copy of everything at once is seen by the witnesses alone: tests/flow/test_witness.py.)
"""

import os
import shutil
import subprocess

from crash_util import FULL, check, same
from test_power import STEPS, Work, base, opens

MENDED = ("catalogue.sqlite", "state.sqlite")
REFUSED = (
    (("archive.git",), "restore archive.git"),
    (("archive.git", "catalogue.sqlite"), "restore archive.git"),
    (("archive.git", "ledger"), "restore archive.git"),
    (("keys",), "restore keys/ from a key backup"),
    (("ledger/history",), "put back a newer one"),
    (("ledger",), "put back a newer one"),
)
JUMPS = (86400, -86400, 400 * 86400, -400 * 86400) if FULL else (-86400, 400 * 86400)


def put_back(w, parts):
    """The archive after the work, with these parts as they were before it."""
    top = os.path.join(w.top, "mixed")
    shutil.rmtree(top, True)
    shutil.copytree(w.saw, top)
    for part in parts:
        for suffix in ("", "-wal", "-shm"):
            old, new = (os.path.join(d, "archive", part + suffix) for d in (w.before, top))
            if os.path.isdir(new):
                shutil.rmtree(new)
            elif os.path.exists(new):
                os.unlink(new)
            if os.path.isdir(old):
                shutil.copytree(old, new)
            elif os.path.exists(old):
                shutil.copy2(old, new)
    return top


def heads(top):
    said = []
    for log in ("history", "access"):
        with open(os.path.join(top, "archive", "ledger", log, "checkpoint"), "rb") as f:
            said.append(f.read())
    return said


def test_snapshot__an_older_part_is_mended_or_refused_and_nothing_is_signed():
    w = Work("filing")
    for part in MENDED:
        same(opens(put_back(w, (part,))), None, part)
    for parts, says in REFUSED:
        top = put_back(w, parts)
        before = heads(top)
        for _ in range(2):  # and it does not give in
            p = subprocess.run([STEPS, "check", top], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            same(p.returncode, 1, parts)
            check(says in p.stderr, parts, p.stderr)
        same(heads(top)[0], before[0], parts, "the history was signed")
    w.drop()
    return "%d mended, %d refused" % (len(MENDED), len(REFUSED))


def test_clock__may_jump_a_day_or_a_year_either_way():
    """In the middle of the work, and once more before a start."""
    for seconds in JUMPS:
        for scenario in ("filing", "keys", "destruction"):
            w = Work(scenario, clock="60 %d" % seconds)
            same(w.ended.returncode, 0, seconds, scenario, w.ended.stderr)
            again = Work("filing", "tiles", top=w.saw, clock="1 %d" % -seconds)
            same(again.ended.returncode, 0, seconds, scenario, "again:", again.ended.stderr)
            same(opens(again.saw), None, seconds, scenario)
            again.drop()
            w.drop()
    return "%d jumps" % len(JUMPS)
