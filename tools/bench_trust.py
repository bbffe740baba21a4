"""What trust costs: the measures of `make bench trust`."""

import os
import shutil
import subprocess
import time

import bench_lib as lib


def row(name, ours, peer, ratio, reach, held, note=""):
    return {"name": name, "arkki": ours, "baseline": peer, "ratio": ratio, "reach": reach, "held": held, "note": note}


def follow(b):
    """an outsider verifies a log from a directory of tiles | sha256sum over the same tiles | >= 200,000 entries/s"""
    count = b.count(2_000_000)
    folder, state = b.folder("follow"), b.folder("follow-state")
    shutil.rmtree(folder, ignore_errors=True)
    program = os.path.join(os.path.dirname(b.arkki_binary), "bench", "bench_follow")
    vkey = lib.run([program, folder, str(count)]).strip()
    tiles = [os.path.join(d, n) for d, _, names in os.walk(folder) for n in names]

    def ours():
        if os.path.exists(state):
            os.unlink(state)
        start = time.monotonic()
        lib.run([b.arkki_binary, "log", "follow", folder, "--vkey", vkey, "--state", state])
        return time.monotonic() - start

    def sums():
        start = time.monotonic()
        subprocess.run(["xargs", "-0", "sha256sum"], input="\0".join(tiles).encode(), stdout=subprocess.DEVNULL, check=True)
        return time.monotonic() - start

    took, base = lib.alternate(b.rounds, ours, sums)
    shutil.rmtree(folder)
    rate = count / took
    return [row(f"follow: {count} entries", f"{rate:,.0f} /s", f"{count / base:,.0f} /s", f"{base / took:.2f}x", ">= 200,000 /s",
                rate >= 200_000, "baseline: sha256sum over the same tiles, which hashes 67 bytes an entry and checks nothing")]


MEASURES = {"follow": follow}
