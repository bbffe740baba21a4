"""Lists of orders and cases when there are many, beside a list of as many documents: `make bench web`."""

import json
import os
import threading
import time

import bench_lib as lib

UNITS, DOCUMENTS_A_UNIT, SHOWN = 200, 1, 20


def row(name, ours, peer, reach):
    return {"name": name, "arkki": f"{ours * 1e3:.1f} ms", "baseline": f"{peer * 1e3:.1f} ms", "ratio": f"{ours / peer:.1f}x",
            "reach": f"<= {reach}x", "held": ours <= reach * peer, "note": "baseline: GET /v1/documents?limit=20 by the same reader"}


def seed(cases):
    """Units in ten counties, cases over them, and an authority that sees one county."""
    return {
        "orgs": [{"id": "alue", "kind": "county", "name": {"fi": "Mittausalue"}, "counties": ["00"], "from": "2020-01-01"},
                 {"id": "lvv", "kind": "state-agency", "name": {"fi": "Mittausvirasto"},
                  "counties": ["%02d" % i for i in range(10)], "from": "2020-01-01"}],
        "users": [{"id": "helmi", "org": "alue", "name": "Helmi Malli", "roles": ["supervisor"]}],
        "units": [{"id": "u%04d" % i, "name": {"fi": "Mittausyksikkö %d" % i}, "provider": "malli-oy", "municipality": "837",
                   "county": "%02d" % (i % 10), "serviceForm": "institution", "places": 7} for i in range(UNITS)],
        "cases": [{"id": "c%06d" % i, "diaryNumber": "MV/%d/2026" % i, "kind": "inspection", "units": ["u%04d" % (i % UNITS)],
                   "org": "lvv"} for i in range(cases)],
    }


def in_turn(n, threads, arkki, work):
    """work(connection, i) of each i, in some threads: filings that wait together share their syncs."""
    failed, lock, left = [], threading.Lock(), list(range(n))[::-1]

    def run():
        connection = arkki.connection()
        while not failed:
            with lock:
                if not left:
                    return
                i = left.pop()
            try:
                work(connection, i)
            except Exception as why:  # told by the thread that waits
                failed.append(why)
        connection.close()

    pool = [threading.Thread(target=run) for _ in range(threads)]
    for t in pool:
        t.start()
    for t in pool:
        t.join()
    if failed:
        raise lib.Failed(f"filling the archive: {failed[0]}")


def fill(arkki, cases, orders):
    lib.run([arkki.binary, "load", arkki.dir, arkki.write("many.json", json.dumps(seed(cases)))], env=arkki.env, timeout=600)
    documents = [None] * (UNITS * DOCUMENTS_A_UNIT)

    def file_one(connection, i):
        metadata = dict(lib.METADATA, title="Mittauspäätös %d" % i, type="inspection-report", units=["u%04d" % (i % UNITS)],
                        publicity={"class": "secret", "ground": "JulkL 24 § 1 mom. 25 k"}, author="lvv")
        documents[i] = arkki.file(connection, b"mitattava %d\n" % i, metadata=metadata)["id"]

    def order_one(connection, i):
        body = {"document": documents[i % len(documents)], "text": "Mittausmääräys %d" % i,
                "deadline": "%d-%02d-%02d" % (2020 + i % 9, 1 + i % 12, 1 + i % 28), "matter": "staffing" if i % 3 else "premises"}
        arkki.ask(connection, "POST", "/v1/orders", json.dumps(body), Content_Type="application/json")

    in_turn(len(documents), 8, arkki, file_one)
    in_turn(orders, 32, arkki, order_one)
    arkki.settle()


def asked(arkki, token, path):
    connection = arkki.connection()

    def once():
        start = time.monotonic()
        connection.request("GET", path, None, {"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        took, text = time.monotonic() - start, answer.read()
        if answer.status != 200:
            raise lib.Failed(f"GET {path}: {answer.status} {text[:120]!r}")
        return took

    once()
    return once


def orders(b):
    """20,000 cases and 20,000 orders, a list of 20 by who sees all and who sees a tenth | a list of 20 documents | see each row"""
    many, rows = int(os.environ.get("ARKKI_BENCH_ORDERS", b.count(20000))), []
    lists = [("orders, first page", "/v1/orders?limit=20", 5), ("orders, overdue", "/v1/orders?limit=20&state=overdue", 5),
             ("orders of a unit", "/v1/units/u0010/orders?limit=20", 5), ("cases, first page", "/v1/cases?limit=20", 5),
             ("page of orders", "/fi/orders", 20), ("page of cases", "/fi/cases", 20), ("page of a unit", "/fi/units/u0010", 20)]
    with b.arkki() as arkki:
        start = time.monotonic()
        fill(arkki, many, many)
        print(f"  filled in {time.monotonic() - start:.0f} s", flush=True)
        for user in ("maija", "helmi"):
            token = lib.run([arkki.binary, "token", "create", arkki.dir, "--user", user], env=arkki.env).strip()
            base = asked(arkki, token, f"/v1/documents?limit={SHOWN}")
            for name, path, reach in lists:
                ours, peer = lib.alternate(min(b.rounds, 15), asked(arkki, token, path), base)
                rows.append(row(f"{many} each, {user}: {name}", ours, peer, reach))
    return rows


MEASURES = {"web-orders": orders}
