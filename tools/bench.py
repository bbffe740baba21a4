#!/usr/bin/env python3
"""Takes the measures that arkki promises, each beside its baseline, and prints a table.

usage: bench.py [policy|search|trust|web] [--only NAME]… [--rounds N] [--quick] [--full] [--documents N] [--work DIR] [--json FILE]
       bench.py --list        names and reaches
       bench.py --baselines   the baselines alone, without arkki

A measure and its baseline are taken in turn, A B A B …, on the same machine in the same minute;
the medians are compared. --work must lie on a real disk: on tmpfs a sync costs nothing.
Exit 0 when all reaches are held, 1 when one is not or could not be measured.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time

import bench_lib as lib
import bench_orders
import bench_policy
import bench_search
import bench_trust
import bench_web


class Bench:
    """What all measures share: programs, work folder, number of rounds."""

    def __init__(self, args):
        self.arkki_binary = args.arkki
        self.load_binary = args.load
        self.work = os.path.abspath(args.work)
        self.rounds = 1 if args.quick else args.rounds
        self.scale = 0.1 if args.quick else 1
        self.quick, self.full = args.quick, args.full
        self.documents = args.documents

    def count(self, n):
        return max(20, int(n * self.scale))

    def folder(self, name):
        return os.path.join(self.work, name)

    def arkki(self):
        return lib.Arkki(self.arkki_binary, self.folder("arkki"))

    def contents(self, size, count):
        return lib.contents(self.load_binary, self.folder("bytes"), size, count)

    def file_load(self, arkki, size, count, clients=8, **more):
        return lib.load(
            self.load_binary, "file", arkki.url,
            metadata=os.path.join(arkki.folder, "metadata.json"),
            token_file=os.path.join(arkki.folder, "token"),
            size=size, requests=count, clients=clients, seconds=300, pid=arkki.pid, **more,
        )

    def get_load(self, arkki, paths, count, clients, **more):
        return lib.load(
            self.load_binary, "get", arkki.url, paths=paths,
            token_file=os.path.join(arkki.folder, "token"),
            requests=count, warmup=count // 10, clients=clients, seconds=60, pid=arkki.pid, **more,
        )

    def nginx_load(self, nginx, name, count, clients):
        return lib.load(
            self.load_binary, "get", nginx.url, paths=os.path.join(nginx.folder, f"paths-{name}"),
            requests=count, warmup=count // 10, clients=clients, seconds=60, pid=nginx.pids,
        )


def row(name, value, base, limit, unit, note=""):
    """A measure whose ratio to its baseline must not be above `limit`."""
    ratio = value / base if base else float("inf")
    return {
        "name": name, "arkki": f"{value:.3g} {unit}", "baseline": f"{base:.3g} {unit}",
        "ratio": f"{ratio:.2f}x", "reach": f"<= {limit}x", "held": ratio <= limit, "note": note,
    }


def filing_durable(b):
    """filing 50 KB, 8 clients, durable | one write+fsync a document | <= 1.5x"""
    size, count = 50 << 10, b.count(800)
    texts = b.contents(size, count)
    each = []
    with b.arkki() as arkki:
        b.file_load(arkki, size, 50)

        def ours():
            return 1e3 / b.file_load(arkki, size, count)["perSecond"]

        def base():
            each.append(1e3 * lib.file_each_and_sync(b.folder("each"), texts))
            return 1e3 * lib.write_and_sync(b.folder("sync"), texts)

        value, appended = lib.alternate(b.rounds, ours, base)
    own_file = sorted(each)[len(each) // 2]
    return [
        row("filing-durable: appended to one file", value, appended, 1.5, "ms/doc"),
        row("filing-durable: a file for each", value, own_file, 1.5, "ms/doc"),
    ]


def filing_git(b):
    """filing 50 KB / 1 MB, 8 clients | git fast-import, not durable | <= 0.6x / <= 0.4x"""
    rows = []
    for size, count, limit in ((50 << 10, 800, 0.6), (1 << 20, 100, 0.4)):
        count = b.count(count)
        stream = b.folder("stream")
        lib.fast_import_stream(stream, b.contents(size, count))
        with b.arkki() as arkki:
            b.file_load(arkki, size, 20)
            value, base = lib.alternate(
                b.rounds,
                lambda: 1e3 / b.file_load(arkki, size, count)["perSecond"],
                lambda: 1e3 * lib.fast_import(b.folder("import.git"), stream, count),
            )
        os.unlink(stream)
        rows.append(row(f"filing-git: {size >> 10} KiB", value, base, limit, "ms/doc"))
    return rows


# What each synced file is for; the first pattern that fits names the reason.
SYNC_REASONS = (
    (r"/index/", "search index (follows the reply)"),
    (r"keys?/|slots?", "key slot: no version without its key"),
    (r"\.idx|tmp.*idx", "pack index: the pack can be read"),
    (r"\.pack|tmp.*pack", "pack: the version's bytes"),
    (r"objects/pack$", "folder: the pack's name"),
    (r"main\.lock|refs/heads/main", "reference: the commit point"),
    (r"refs/heads$", "folder: the reference's name"),
    (r"ledger|log/|tile|segment|history|access", "log entry"),
    (r"checkpoint", "signed head of the log"),
    (r"\.sqlite|\.db|-wal|catalogue|state", "catalogue or state (SQLite)"),
)

SYNC_CALL = re.compile(
    r"^\d+\s+([\d.]+) (fsync|fdatasync|syncfs|sync_file_range|msync)\((\d*)(?:<([^>]*)>)?"
)
SEND_CALL = re.compile(r"^\d+\s+([\d.]+) (?:sendto|sendmsg|writev?|sendfile)\(\d+<(?:socket|TCP)")


class Trace:
    """strace on a running server; `lines` afterwards."""

    def __init__(self, pid, path, calls):
        self.path = path
        self.lines = []
        if not shutil.which("strace"):
            raise lib.Failed("strace is not installed")
        self.process = subprocess.Popen(
            ["strace", "-f", "-y", "-ttt", "-s", "0", "-e", f"trace={calls}", "-o", path,
             "-p", str(pid)],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )
        first = self.process.stderr.readline()
        if b"attached" not in first:
            raise lib.Failed(f"strace: {first.decode().strip()}")
        # strace's later lines must not fill the pipe
        threading.Thread(target=self.process.stderr.read, daemon=True).start()

    def __enter__(self):
        time.sleep(0.3)
        return self

    def __exit__(self, *exc):
        lib.stop(self.process)
        with open(self.path, encoding="utf-8", errors="replace") as f:
            self.lines = f.read().splitlines()
        os.unlink(self.path)


def syncs_between(lines, begin, end):
    found = []
    for line in lines:
        match = SYNC_CALL.match(line)
        if match and begin <= float(match[1]) <= end:
            path = match[4] or "?"
            reason = next((why for at, why in SYNC_REASONS if re.search(at, path)), "not known")
            found.append((match[2], path, reason))
    return found


def syncs(b):
    """syncs per group, by strace | <= 8, listed with the reason of each"""
    sync_calls = "fsync,fdatasync,syncfs,sync_file_range,msync"
    with b.arkki() as arkki:
        connection = arkki.connection()
        for number in range(3):
            arkki.file(connection, b"warm %d\n" % number)
        with Trace(arkki.pid, b.folder("trace"), sync_calls) as trace:
            begin = time.time()
            document = arkki.file(connection, b"the one that is watched\n")
            end = time.time()
            time.sleep(1)
        lone = syncs_between(trace.lines, begin, end)
        rows = [count_row("syncs: a lone filing, before its reply", lone)]
        rows.append(durable_before_bytes(b, arkki, document["id"]))
        count = b.count(400)
        commits = "rename,renameat,renameat2"
        with Trace(arkki.pid, b.folder("trace"), f"{sync_calls},{commits}") as trace:
            begin = time.time()
            b.file_load(arkki, 4096, count, clients=64)
            end = time.time()
    groups = sum(1 for line in trace.lines if re.search(r"rename.*main\.lock", line)) or 1
    of_index = [s for s in syncs_between(trace.lines, begin, end) if "search" in s[2]]
    per_group = (len(syncs_between(trace.lines, begin, end)) - len(of_index)) / groups
    rows.append({
        "name": "syncs: a group, 64 clients", "arkki": f"{per_group:.1f}", "baseline": "-",
        "ratio": "-", "reach": "<= 8", "held": per_group <= 8,
        "note": f"{count} filings in {groups} groups; the index's {len(of_index)} not counted",
    })
    return rows


def count_row(name, found):
    listing = "; ".join(f"{call} {os.path.basename(path)}: {why}" for call, path, why in found)
    return {
        "name": name, "arkki": str(len(found)), "baseline": "-", "ratio": "-", "reach": "<= 8",
        "held": 0 < len(found) <= 8, "note": listing,
    }


def end_of_call(lines, number):
    """The line where a call ends that another thread's calls may have interrupted in the trace."""
    if "<unfinished" not in lines[number]:
        return number
    thread = lines[number].split()[0]
    for later in range(number + 1, len(lines)):
        if lines[later].split()[0] == thread and "resumed>" in lines[later]:
            return later
    return len(lines)


def durable_before_bytes(b, arkki, document):
    """In the trace of one read, a sync has ended before the first byte is sent."""
    calls = "fsync,fdatasync,sendto,sendmsg,write,writev,sendfile"
    connection = arkki.connection()
    arkki.ask(connection, "GET", f"/v1/documents/{document}")
    with Trace(arkki.pid, b.folder("trace"), calls) as trace:
        begin = time.time()
        arkki.ask(connection, "GET", f"/v1/documents/{document}")
        end = time.time()
    first_sync = first_send = None
    for number, line in enumerate(trace.lines):
        match = SYNC_CALL.match(line) or SEND_CALL.match(line)
        if not match or not begin <= float(match[1]) <= end:
            continue
        if SEND_CALL.match(line):
            first_send = number if first_send is None else first_send
        elif first_sync is None:
            first_sync = end_of_call(trace.lines, number)
    held = first_sync is not None and first_send is not None and first_sync < first_send
    return {
        "name": "syncs: a read's entry before its bytes", "arkki": "yes" if held else "no",
        "baseline": "-", "ratio": "-", "reach": "yes", "held": held,
        "note": f"sync at line {first_sync}, first byte at line {first_send} of the trace",
    }


def versions(b):
    """reading any of 100 versions | the only version of another document | <= 1.1x"""
    text = b.contents(20 << 10, 20)
    count = b.count(2000)
    with b.arkki() as arkki:
        connection = arkki.connection()
        many = arkki.file(connection, text[0])["id"]
        for number in range(2, 101):
            _, headers = arkki.ask(connection, "GET", f"/v1/documents/{many}")
            arkki.file(
                connection, b"%03d" % number + text[1][3:], f"/v1/documents/{many}/versions", {},
                If_Match=headers["ETag"],
            )
        one = arkki.file(connection, text[2])["id"]
        only = arkki.write("only", f"/v1/documents/{one}/versions/1/content\n")

        def read(paths):
            return lambda: b.get_load(arkki, paths, count, clients=1)["p50Ms"]

        rows = []
        for name, numbers in (("1", [1]), ("50", [50]), ("100", [100]), ("all", range(1, 101))):
            paths = arkki.write("paths", "".join(
                f"/v1/documents/{many}/versions/{n}/content\n" for n in numbers))
            value, base = lib.alternate(b.rounds, read(paths), read(only))
            rows.append(row(f"versions: {name} of 100, p50", value, base, 1.1, "ms"))
    return rows


def some_documents(b, arkki, size, count):
    """Files `count` documents; the path of a list of their addresses."""
    found = os.path.join(arkki.folder, "locations")
    b.file_load(arkki, size, count, locations=found)
    with open(found, encoding="utf-8") as f:
        paths = [lib.path_of(line.strip()) for line in f]
    arkki.settle()
    return arkki.write("documents", "".join(path + "\n" for path in paths))


def metadata(b):
    """metadata read, entry durable, 64 clients | nginx 1 KB, CPU a request | <= 3.5x; >= 8,000/s"""
    count = b.count(60000)
    speeds = []
    with b.arkki() as arkki, lib.Nginx(b.folder("nginx")) as nginx:
        paths = some_documents(b, arkki, 2048, 500)

        def ours():
            result = b.get_load(arkki, paths, count, clients=64)
            speeds.append(result["perSecond"])
            return result["cpuUsPerRequest"]

        value, base = lib.alternate(
            b.rounds, ours,
            lambda: b.nginx_load(nginx, "1k", count, 64)["cpuUsPerRequest"],
        )
    speed = sorted(speeds)[len(speeds) // 2]
    return [
        row("metadata: CPU a read, 64 clients", value, base, 3.5, "us"),
        {
            "name": "metadata: access entries a second", "arkki": f"{speed:.0f} /s",
            "baseline": "-", "ratio": "-", "reach": ">= 8000", "held": speed >= 8000,
            "note": "each durable before its bytes: see the measure `syncs`",
        },
    ]


def download(b):
    """100 KB download, opened and verified | nginx sendfile, CPU a request | <= 2.0x"""
    count = b.count(20000)
    with b.arkki() as arkki, lib.Nginx(b.folder("nginx")) as nginx:
        paths = some_documents(b, arkki, 100 << 10, 200)
        value, base = lib.alternate(
            b.rounds,
            lambda: b.get_load(arkki, paths, count, 16, suffix="/versions/1/content")["cpuUsPerRequest"],
            lambda: b.nginx_load(nginx, "100k", count, 16)["cpuUsPerRequest"],
        )
    return [row("download: CPU for 100 KiB, 16 clients", value, base, 2.0, "us")]


def memory(b):
    """anonymous memory for a 1 GB upload, a 1 GB download | above idle | <= 32 MiB each"""
    size = int((1 << 30) * b.scale) >> 20 << 20
    rows = []

    def add(name, peak):
        rows.append({
            "name": f"memory: {name} of {size >> 20} MiB", "arkki": f"{peak.grown_mib:.1f} MiB",
            "baseline": f"{peak.idle / 1024:.1f} MiB", "ratio": "-", "reach": "<= 32 MiB",
            "held": peak.grown_mib <= 32, "note": "RssAnon of the server, highest minus idle",
        })

    with b.arkki() as arkki:
        arkki.file(arkki.connection(), b"warm\n")
        time.sleep(1)
        with lib.PeakMemory(arkki.pid) as peak:
            document = lib.upload_large(arkki, size)
        add("upload", peak)
        time.sleep(1)
        with lib.PeakMemory(arkki.pid) as peak:
            got = lib.download_large(
                arkki, f"/v1/documents/{document['id']}/versions/1/content")
        if got != size:
            raise lib.Failed(f"{got} of {size} bytes came back")
        add("download", peak)
    return rows


SPEED = {
    "filing-durable": filing_durable,
    "filing-git": filing_git,
    "syncs": syncs,
    "versions": versions,
    "metadata": metadata,
    "download": download,
    "memory": memory,
}
SETS = {"speed": SPEED, "policy": bench_policy.MEASURES, "search": bench_search.MEASURES, "trust": bench_trust.MEASURES,
        "web": bench_web.MEASURES | bench_orders.MEASURES}
MEASURES = {name: f for s in SETS.values() for name, f in s.items()}


def baselines(b):
    """Every baseline once, so that the machine and this program can be judged without arkki."""
    for size, count in ((50 << 10, 400), (1 << 20, 60)):
        texts = b.contents(size, b.count(count))
        stream = b.folder("stream")
        lib.fast_import_stream(stream, texts)
        appended = lib.write_and_sync(b.folder("sync"), texts)
        each = lib.file_each_and_sync(b.folder("each"), texts)
        git = lib.fast_import(b.folder("import.git"), stream, len(texts))
        os.unlink(stream)
        print(f"{size >> 10:5} KiB: pwrite+fdatasync {appended * 1e3:.3f} ms, file+fsync "
              f"{each * 1e3:.3f} ms, git fast-import {git * 1e3:.3f} ms a document")
    with lib.Nginx(b.folder("nginx")) as nginx:
        for name, count, clients in (("1k", 60000, 64), ("100k", 20000, 16)):
            got = b.nginx_load(nginx, name, b.count(count), clients)
            print(f"nginx {name}, {clients} clients: {got['cpuUsPerRequest']:.2f} us CPU a request, "
                  f"{got['perSecond']:.0f} /s, p50 {got['p50Ms']} ms, p99 {got['p99Ms']} ms")


def machine(work):
    kind = lib.run(["stat", "-f", "-c", "%T", work]).strip()
    return (f"{os.cpu_count()} processors, Linux {os.uname().release}, load "
            f"{os.getloadavg()[0]:.1f}, {kind} below {work}")


def print_table(rows):
    columns = ("name", "arkki", "baseline", "ratio", "reach", "held", "command")
    cells = [columns] + [
        tuple(("yes" if r[c] else "NO") if c == "held" else r[c] for c in columns) for r in rows
    ]
    widths = [max(len(line[i]) for line in cells) for i in range(len(columns))]
    for line in cells:
        print("  ".join(text.ljust(width) for text, width in zip(line, widths)).rstrip())
    for r in rows:
        if r["note"]:
            print(f"  {r['name']}: {r['note']}")


def measure(b, names):
    rows = []
    for name in names:
        print(f"{name}: {MEASURES[name].__doc__}", file=sys.stderr)
        try:
            found = MEASURES[name](b)
        except (lib.Failed, OSError, KeyError, ValueError) as error:
            found = [{"name": name, "arkki": "-", "baseline": "-", "ratio": "-", "reach": "-",
                      "held": False, "note": f"not measured: {error}"}]
        for r in found:
            r["command"] = f"tools/bench.py --only {name}"
        rows += found
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("set", nargs="?", default="speed", choices=SETS, help="which measures (speed)")
    parser.add_argument("--only", action="append", choices=MEASURES, help="this measure (repeatable)")
    parser.add_argument("--list", action="store_true", help="print the measures and leave")
    parser.add_argument("--baselines", action="store_true", help="take the baselines alone")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of A B (5)")
    parser.add_argument("--quick", action="store_true", help="one round of a tenth: does it work?")
    parser.add_argument("--full", action="store_true", help="also what takes half an hour")
    parser.add_argument("--documents", type=int, help="how many the recovery measure files (20,000; --full: 1,000,000)")
    parser.add_argument("--work", default="var/bench", help="folder for all files (var/bench)")
    parser.add_argument("--arkki", default="build/arkki", help="the program (build/arkki)")
    parser.add_argument("--load", default="build/arkki-load", help="the load generator")
    parser.add_argument("--json", help="write the rows to this file too")
    args = parser.parse_args()
    if args.list:
        for name, function in MEASURES.items():
            print(f"{name:15} {function.__doc__}")
        return 0
    os.makedirs(args.work, exist_ok=True)
    bench = Bench(args)
    print(machine(bench.work))
    if args.baselines:
        baselines(bench)
        return 0
    rows = measure(bench, args.only or SETS[args.set])
    print_table(rows)
    if args.json:
        with open(args.json, "w", encoding="utf-8") as f:
            json.dump(rows, f, indent=1)
    return 0 if all(r["held"] for r in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
