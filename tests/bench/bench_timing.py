#!/usr/bin/env python3
"""Does the time of an answer tell a hidden document from one that never was?

usage: bench_timing.py [--count N] [--paced] [--route WORD]…

For each route with a document in it, N requests (2,000) for hidden documents, N for ids that never
were and N for other such ids, in turn and in a new order each time. Printed: the medians in µs; their
ratio with the least and greatest of ten parts of the run; the same ratio between the two kinds of
never-was, which is the noise; and `told`, how often a guess "the slower one is the hidden one" is right
(0.50: as by tossing a coin). Without --paced one user asks as fast as it goes, and after a hundred
refusals nothing is logged; with it many users ask so slowly that every refusal is logged.
A measure, not a test: it always ends with 0.
"""

import argparse
import os
import random
import statistics
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "flow"))
from inference_world import CANARIES, DOCS, USERS, World, ask, visible  # noqa: E402

ROUTES = (
    ("GET", "/v1/documents/{d}"), ("HEAD", "/v1/documents/{d}"), ("PATCH", "/v1/documents/{d}"),
    ("GET", "/v1/documents/{d}/versions"), ("POST", "/v1/documents/{d}/versions"),
    ("GET", "/v1/documents/{d}/versions/1"), ("GET", "/v1/documents/{d}/versions/1/content"),
    ("GET", "/v1/documents/{d}/versions/1/text"), ("GET", "/v1/documents/{d}/versions/1/proof"),
    ("GET", "/v1/documents/{d}/history"), ("GET", "/fi/documents/{d}"),
)
PARTS = 10
PACE_S = 1 / 250  # of all users together: each has ten refusals a second that are logged


def told(a, b):
    """The share of pairs in which a is above b: from the sum of ranks."""
    both = sorted([(x, 1) for x in a] + [(x, 0) for x in b])
    ranks = sum(i for i, (_, mine) in enumerate(both, 1) if mine)
    return (ranks - len(a) * (len(a) + 1) / 2) / (len(a) * len(b))


def ratio(a, b):
    """Of the medians, with the least and greatest of the parts."""
    n = max(1, len(a) // PARTS)
    parts = [statistics.median(a[i:i + n]) / statistics.median(b[i:i + n]) for i in range(0, len(a) - n + 1, n)]
    return "%.3f (%.3f..%.3f)" % (statistics.median(a) / statistics.median(b), min(parts), max(parts))


def measure(w, users, method, path, count, paced):
    hidden = [w.ids[d] for d in DOCS if not any(visible(u, d, CANARIES) for u in users)]
    times = {"hidden": [], "never": [], "other": []}
    logged = 0
    for i in range(count):
        order = list(times)
        random.shuffle(order)
        for kind in order:
            ident = hidden[i % len(hidden)] if kind == "hidden" else "%032x" % random.getrandbits(128)
            a = ask(path.replace("{d}", ident), method, {"Content-Type": "application/json"} if method == "PATCH" else {},
                    "{}" if method == "PATCH" else "" if method == "POST" else None)
            user = users[i % len(users)].id if paced else users[0].id
            start = time.perf_counter()
            r = w.ask(user, a)
            took = time.perf_counter() - start
            times[kind].append(took)
            logged += r.header("Arkki-Receipt") is not None
            if paced and took < PACE_S:
                time.sleep(PACE_S - took)
    return times, logged / (3 * count)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--paced", action="store_true")
    parser.add_argument("--route", action="append")
    args = parser.parse_args()
    w = World(CANARIES)
    # those who see the same least: hidden to one is hidden to all
    least = min(len([d for d in DOCS if visible(u, d, CANARIES)]) for u in USERS)
    users = [u for u in USERS if len([d for d in DOCS if visible(u, d, CANARIES)]) == least]
    print("%d requests of each kind, %d users, load %.1f" % (args.count, len(users) if args.paced else 1,
                                                             os.getloadavg()[0]))
    line = "%-5s %-40s %9s %9s  %-22s %-22s %5s %5s %6s"
    print(line % ("", "route", "hidden us", "never us", "ratio (least..most)", "noise (least..most)", "told", "noise",
                  "logged"))
    for method, path in ROUTES:
        if args.route and not any(x in method + " " + path for x in args.route):
            continue
        t, logged = measure(w, users, method, path, args.count, args.paced)
        print(line % (method, path, *("%.0f" % (1e6 * statistics.median(t[k])) for k in ("hidden", "never")),
                      ratio(t["hidden"], t["never"]), ratio(t["other"], t["never"]),
                      "%.2f" % told(t["hidden"], t["never"]), "%.2f" % told(t["other"], t["never"]),
                      "%.0f %%" % (100 * logged)))
        sys.stdout.flush()
    w.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
