"""What `arkki verify` found lasts: in the log, on the auditors' page, for the doctor. All documents are made up."""

import html
import json
import os
import re
import shutil
import socket

from arkki_flow import Archive, check, same
from test_damage import files, flip

_base = None


def base():
    """A stopped archive that has never been verified."""
    global _base
    if _base is None:
        _base = Archive().serve()
        _base.file(publicity="public")
        _base.file(content=b"x" * 2_000_000, publicity="secret")
        _base.token("aada"), _base.token("ylla"), _base.token("maija")
        same(_base.stop(), 0)
    return _base


def last(a, scope="full"):
    return a.json("/v1/status", "ylla")["verified"][scope].get("last")


def page(a, language="fi"):
    r = a.get("/%s/audit/integrity" % language, "aada")
    same(r.status, 200)
    main = r.body.decode().split("<main")[-1].split("</main>")[0]
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", main)))


def doctor(a):
    p = a.run("doctor", a.dir)
    return [line for line in p.stdout.split("\n") if " verify: " in line]


def admin(a, path, body=b""):
    """The status and JSON of a POST on the admin socket, named as the program names it: the path may be too long."""
    fd = os.open(os.path.join(a.dir, "run"), os.O_PATH)
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(60)
    got = b""
    try:
        s.connect("/proc/self/fd/%d/admin.sock" % fd)
        s.sendall(b"POST %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n"
                  b"Content-Length: %d\r\n\r\n%s" % (path.encode(), len(body), body))
        while True:
            b = s.recv(65536)
            if not b:
                break
            got += b
    finally:
        s.close()
        os.close(fd)
    head, _, said = got.partition(b"\r\n\r\n")
    return int(head.split(b" ")[1]), json.loads(said)


def test_verified__what_was_found_lasts_beside_a_server_and_without_one():
    a = base().copy()
    check(doctor(a)[0].startswith("warn") and "--full" in doctor(a)[0], doctor(a))
    same(a.verify().returncode, 0)
    a.serve()
    said = page(a)
    check("ei tiedetä, onko kaikki ehjää" in said and "vähintään 100 päivän välein" in said, said)
    same((last(a), last(a, "light")["outcome"]), (None, "whole"))
    same(a.verify("--full").returncode, 0)
    full = last(a)
    same((full["outcome"], full["faults"], full["checked"]["versions"], full["since"]["commits"]), ("whole", 0, 2, 0), full)
    head = full["heads"]["history"]
    check(0 < head["size"] <= head["entries"] and head["root"] in page(a), head)
    check("löysi kaiken ehjänä" in page(a), page(a))
    check("hela arkivet" in page(a, "sv") and "found everything whole" in page(a, "en"), "in three languages")
    a.file(publicity="public")
    same(last(a)["since"]["commits"], 1)
    check("1 uusi tallennus, jota mikään ei ole vielä tarkistanut" in page(a), page(a))
    entries = [e for e in a.json("/v1/audit/history?limit=100", "aada")["entries"] if e["kind"] == "verify"]
    same([(e["detail"]["scope"], e["detail"]["state"]) for e in entries],
         [("light", "begun"), ("light", "ended"), ("full", "begun"), ("full", "ended")])
    same(entries[3]["detail"]["begun"], entries[2]["index"])
    same(a.stop(), 0)
    check(doctor(a)[0].startswith("ok"), doctor(a))
    same(a.verify("--full").returncode, 0, "its own entries are no fault")


def test_verified__damage_stays_said_until_a_full_check_finds_everything_whole():
    a = base().copy()
    big = files(a, "archive.git", "objects", suffix=".pack")[-1]
    kept = big + ".kept"
    shutil.copy2(big, kept)
    same(a.verify("--full").returncode, 0)
    flip(big, os.path.getsize(big) // 2)
    same(a.verify("--full").returncode, 1)
    check(doctor(a)[0].startswith("bad") and "arkki repair" in doctor(a)[0], doctor(a))
    a.serve()
    found = last(a)
    check(found["outcome"] == "faults" and found["faults"] >= 1, found)
    same(sum(found["kinds"].values()), found["faults"])
    check(found["kinds"].get("content") and found["first"], found)
    said = page(a)
    check("Tarkistus on löytänyt vaurioita" in said and "varmuuskopiosta" in said, said)
    check("Asiakirjojen sisältö" in said and found["first"][0] in said, said)
    # a light check does not open contents: it makes nothing good
    same(a.stop(), 0)
    os.replace(kept, big)
    same(a.verify().returncode, 0)
    a.serve()
    check("Tarkistus on löytänyt vaurioita" in page(a), page(a))
    same(a.verify("--full").returncode, 0)
    check("löysi kaiken ehjänä" in page(a), page(a))
    same(a.stop(), 0)


def test_verified__a_check_that_was_cut_off_is_not_the_good_result_before_it():
    a = base().copy()
    same(a.verify("--full").returncode, 0)
    a.serve()
    status, begun = admin(a, "/admin/verify?scope=full")
    same(status, 200, begun)
    at = begun["begun"]
    said = page(a)
    check("ei ole jättänyt tulosta" in said, said)
    for path, body, status in (
            ("?scope=scrub", {"begun": at, "outcome": "whole"}, 400),
            ("?scope=full", {"outcome": "whole"}, 400),
            ("?scope=full", {"begun": 0, "outcome": "whole"}, 400),
            ("?scope=light", {"begun": at, "outcome": "whole"}, 400),
            ("?scope=full", {"begun": at, "outcome": "whole", "faults": 3}, 400),
            ("?scope=full", {"begun": at, "outcome": "fine"}, 400),
            ("?scope=full", {"begun": at, "outcome": "faults", "faults": 1, "first": ["x" * 40000]}, 400),
            ("?scope=full", [], 400)):
        said = admin(a, "/admin/verify/result" + path, json.dumps(body).encode())
        same(said[0], status, path, body, said)
    same(a.stop(), 0)
    check("left no result" in doctor(a)[0], doctor(a))


def test_verified__the_scrub_leaves_its_result_in_the_log():
    a = base().copy().serve()
    big = files(a, "archive.git", "objects", suffix=".pack")[-1]
    flip(big, os.path.getsize(big) // 2)
    same(a.run("scrub", a.dir, "--now").returncode, 1)
    found = last(a, "scrub")
    check(found["outcome"] == "faults" and found["faults"] >= 1 and found["heads"]["access"]["root"], found)
    check("Tarkistus on löytänyt vaurioita" in page(a), page(a))
    same(a.stop(), 0)
    os.remove(os.path.join(a.dir, "scrub.state"))
    a.serve()
    check("Tarkistus on löytänyt vaurioita" in page(a), "whatever becomes of the file")
    same(a.stop(), 0)


def test_verified__only_auditors_and_administrators_learn_of_it():
    a = base().copy()
    same(a.verify("--full").returncode, 0)
    a.serve()
    same(a.get("/v1/status", "maija").status, 403)
    same(a.get("/fi/audit/integrity", "maija").status, 404)
    same(a.get("/v1/audit/history", "maija").status, 403)
    same(a.stop(), 0)
