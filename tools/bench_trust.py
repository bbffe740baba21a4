"""What trust costs: the measures of `make bench trust`."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import threading
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


def access(b):
    """access entries by 64 readers, and a lone one | one fdatasync; reads without entries | >= 10,000/s, p99 <= 25 ms; <= 1.5x"""
    program = os.path.join(os.path.dirname(b.arkki_binary), "bench", "bench_access")
    folder, runs = b.folder("access"), []
    for _ in range(b.rounds):
        shutil.rmtree(folder, ignore_errors=True)
        runs.append(json.loads(lib.run([program, folder, str(max(1, 5 * b.scale))])))
    shutil.rmtree(folder)

    def middle(part, name):
        return sorted(r[part][name] for r in runs)[len(runs) // 2]

    rate, p99 = middle("entries", "perSecond"), middle("entries", "p99")
    sync, lone, without = (middle("lone", n) for n in ("sync", "audited", "unaudited"))
    audited, unaudited = middle("audited", "perSecond"), middle("unaudited", "perSecond")
    return [
        row("access: entries, 64 readers", f"{rate:,.0f} /s", "-", "-", ">= 10,000 /s", rate >= 10_000),
        row("access: one entry, 64 readers, p99", f"{p99:.1f} ms", "-", "-", "<= 25 ms", p99 <= 25),
        row("access: a lone reader's added latency", f"{lone - without:.3f} ms", f"{sync:.3f} ms",
            f"{(lone - without) / sync:.2f}x", "<= 1.5x", lone - without <= 1.5 * sync,
            "median of a read with its entry, less one without; baseline: pwrite and fdatasync of 600 bytes, in turns"),
        row("access: whole reads of 1 KiB, 64 readers", f"{audited:,.0f} /s", f"{unaudited:,.0f} /s",
            f"{audited / unaudited:.2f}x", "-", True,
            "baseline: the same without entries, which no door of arkki gives"),
    ]


def tree_bytes(folder):
    return sum(os.path.getsize(os.path.join(d, n)) for d, _, names in os.walk(folder) for n in names)


def store_files(folder):
    return [os.path.join(d, n) for d, _, names in os.walk(os.path.join(folder, "archive.git")) for n in names]


def summed(files):
    """Seconds that sha256sum needs for these files: the bytes read once and hashed once."""
    start = time.monotonic()
    subprocess.run(["xargs", "-0", "sha256sum"], input="\0".join(files).encode(), stdout=subprocess.DEVNULL, check=True)
    return time.monotonic() - start


def verify(b):
    """verify --full, every byte opened and compared | sha256sum over the same files | >= 0.8x"""
    size, count = 1 << 20, b.count(400)
    with b.arkki() as arkki:
        b.file_load(arkki, size, count)
        lib.stop(arkki.process)
        files = store_files(arkki.dir)
        total = sum(map(os.path.getsize, files))

        def ours():
            start = time.monotonic()
            lib.run([arkki.binary, "verify", arkki.dir, "--full"], 600, arkki.env)
            return time.monotonic() - start

        took, base = lib.alternate(b.rounds, ours, lambda: summed(files))
    return [row(f"verify --full: {total >> 20} MiB", f"{total / took / 1e6:.0f} MB/s", f"{total / base / 1e6:.0f} MB/s",
                f"{base / took:.2f}x", ">= 0.8x", base / took >= 0.8, f"{count} documents of {size >> 10} KiB")]


def scrub(b):
    """a scrub at full speed beside a server at rest | sha256sum over the same files | -"""
    size, count = 1 << 20, b.count(400)
    with b.arkki() as arkki:
        b.file_load(arkki, size, count)
        arkki.settle()
        files = store_files(arkki.dir)
        total = sum(map(os.path.getsize, files))

        def ours():
            start = time.monotonic()
            lib.run([arkki.binary, "scrub", arkki.dir, "now"], 600, arkki.env)
            return time.monotonic() - start

        took, base = lib.alternate(b.rounds, ours, lambda: summed(files))
    return [row(f"scrub, without its pace: {total >> 20} MiB", f"{total / took / 1e6:.0f} MB/s", f"{total / base / 1e6:.0f} MB/s",
                f"{base / took:.2f}x", "-", True,
                "one thread at the lowest priority, which gives way to whatever else runs")]


def repair(b):
    """a missing pack put back from a mirror, and verify --full after it | sha256sum over the store and a durable copy of the pack | -"""
    size, count = 1 << 20, b.count(400)
    with b.arkki() as arkki:
        b.file_load(arkki, size, count)
        lib.stop(arkki.process)
        mirror, copy = os.path.join(arkki.folder, "mirror"), os.path.join(arkki.folder, "copy")
        shutil.copytree(arkki.dir, mirror, ignore=shutil.ignore_patterns("admin.sock"))
        packs = os.path.join(arkki.dir, "archive.git", "objects", "pack")

        def largest():
            return max((os.path.join(packs, n) for n in os.listdir(packs) if n.endswith(".pack")), key=os.path.getsize)

        lost, total = os.path.getsize(largest()), tree_bytes(os.path.join(arkki.dir, "archive.git"))

        def ours():
            os.unlink(largest())
            start = time.monotonic()
            lib.run([arkki.binary, "repair", arkki.dir, "--from", mirror], 600, arkki.env)
            return time.monotonic() - start

        def base():
            took = summed(store_files(arkki.dir))
            start = time.monotonic()
            shutil.copyfile(largest(), copy)
            with open(copy, "rb") as f:
                os.fsync(f.fileno())
            return took + time.monotonic() - start

        value, limit = lib.alternate(b.rounds, ours, base)
    return [row(f"repair: {lost >> 20} of {total >> 20} MiB missing", f"{total / value / 1e6:.0f} MB/s",
                f"{total / limit / 1e6:.0f} MB/s", f"{limit / value:.2f}x", "-", True,
                f"{value:.2f} s; it reads everything to find what is damaged, and again to verify what it made")]


def fill(b, arkki, count):
    """So many documents by the archive's own writer, which is killed as it goes on; how many a second."""
    program = os.path.join(os.path.dirname(b.arkki_binary), "bench", "bench_fill")
    lib.stop(arkki.process)
    filler = subprocess.Popen([program, arkki.dir, arkki.env["ARKKI_ROOT_KEY_FILE"], str(count)],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    said = filler.stdout.readline()
    time.sleep(0.5)
    filler.kill()
    filler.wait()
    if not said:
        raise lib.Failed("the archive could not be filled")
    return json.loads(said)["perSecond"]


def ready(arkki):
    start = time.monotonic()
    arkki.start()
    return time.monotonic() - start


def recovery(b):
    """a start after a kill in the midst of filings, until it listens | a start after a stop | <= 5 s at 1,000,000 documents"""
    count = b.documents or (1_000_000 if b.full else b.count(20_000))
    took, clean = [], []
    with b.arkki() as arkki:
        rate = fill(b, arkki, count)
        first = ready(arkki)
        for _ in range(b.rounds):
            for times, sign in ((clean, signal.SIGTERM), (took, signal.SIGKILL)):
                filing = threading.Thread(target=file_until_it_dies, args=(b, arkki))
                filing.start()
                time.sleep(1)
                arkki.process.send_signal(sign)
                arkki.process.wait(60)
                filing.join()
                times.append(ready(arkki))
        documents = arkki.ask(arkki.connection(), "GET", "/v1/documents?limit=1")[0]
        if not documents["documents"]:
            raise lib.Failed("nothing came back")
    value, base = sorted(took)[len(took) // 2], sorted(clean)[len(clean) // 2]
    return [row(f"recovery after a kill: {count:,} documents", f"{value:.2f} s", f"{base:.2f} s", f"{value / base:.2f}x", "<= 5 s",
                value <= 5 and first <= 5,
                f"{first:.2f} s after the writer that filed them, {rate:,.0f} a second, was killed" +
                ("" if count >= 1_000_000 else "; 1,000,000 with --full"))]


def file_until_it_dies(b, arkki):
    with contextlib.suppress(lib.Failed, ValueError, KeyError):
        b.file_load(arkki, 256, 1_000_000, clients=16)


def backup(b):
    """a backup of 1 % that is new | a first backup of everything | in proportion: <= 10 % of bytes and time"""
    count, size = b.count(2000), 20 << 10
    with b.arkki() as arkki:
        if "\n  arkki backup " not in lib.run([arkki.binary, "help"]):
            raise lib.Failed("this arkki has no backup")
        b.file_load(arkki, size, count)
        to = os.path.join(arkki.folder, "backup")

        def once():
            before, start = (tree_bytes(to) if os.path.exists(to) else 0), time.monotonic()
            lib.run([arkki.binary, "backup", arkki.dir, to], 600, arkki.env)
            return tree_bytes(to) - before, time.monotonic() - start

        whole, whole_s = once()
        b.file_load(arkki, size, max(1, count // 100), seed=2)
        new, new_s = once()
        nothing, nothing_s = once()
    return [
        row("backup: bytes of 1 % new", f"{new / 1e6:.1f} MB", f"{whole / 1e6:.1f} MB", f"{new / whole:.3f}x", "<= 0.1x",
            new <= 0.1 * whole, f"{nothing / 1e6:.1f} MB when nothing is new"),
        row("backup: time of 1 % new", f"{new_s:.2f} s", f"{whole_s:.2f} s", f"{new_s / whole_s:.2f}x", "<= 0.5x",
            new_s <= 0.5 * whole_s, f"{nothing_s:.2f} s when nothing is new"),
    ]


MEASURES = {"follow": follow, "access": access, "verify": verify, "scrub": scrub, "repair": repair, "recovery": recovery,
            "backup": backup}
