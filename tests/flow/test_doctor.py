"""arkki doctor: what it finds in order, what to look at, what to mend. The documents are made up."""

import json
import os
import shutil
import time

from arkki_flow import Archive, arkki, check, same


def doctor(w, exit_code=0, root_key=None):
    p = arkki("doctor", w.dir, root_key=root_key or w.key, timeout=180)
    same(p.returncode, exit_code, p.stdout, p.stderr)
    found = {}
    for line in p.stdout.splitlines()[:-1]:
        verdict, rest = line.split(None, 1)
        what, text = rest.split(": ", 1)
        check(verdict in ("ok", "warn", "bad"), line)
        found.setdefault(what, []).append((verdict, text))
    return found


def verdicts(found, what):
    return [v for v, _ in found[what]]


def says(found, what, verdict, *words):
    text = " | ".join(t for v, t in found[what] if v == verdict)
    check(text, what, "is not", verdict, found[what])
    for word in words:
        check(word in text, word, "not in", text)


def test_doctor__a_new_archive_is_in_order_but_for_what_nobody_set_up():
    w = Archive().serve()
    w.file(content=b"Tarkastus\n")
    w.until_indexed()
    time.sleep(1.2)  # the log is signed every second
    for served in (True, False):
        if not served:
            w.stop()
        found = doctor(w)
        says(found, "server", "ok", "process %d" % w.process.pid if served else "none runs")
        for what in ("sandbox", "Finnish words", "permissions", "archive", "history log", "access log", "catalogue",
                     "index", "core files"):
            same(verdicts(found, what), ["ok"], what, found[what])
        says(found, "key backups", "warn", "arkki keys backup add")
        says(found, "root key's shares", "warn", "arkki keys split")
        says(found, "witnesses", "warn", "witness.policy")
        says(found, "backup", "warn", "arkki backup")
        says(found, "root key", "warn", "medium of its own")
        check(verdicts(found, "index volume")[0] in ("ok", "warn"), found)


def test_doctor__sees_copies_of_keys_shares_and_backups():
    w = Archive().serve()
    w.file(content=b"Tarkastus\n")
    disk = w.dir + ".disk"
    os.mkdir(disk)
    same(w.run("keys", "backup", "add", w.dir, "safe", disk).returncode, 0)
    same(w.run("keys", "split", w.dir, "--shares", "2-of-3").returncode, 0)
    state = os.path.join(w.dir, "backup.state")

    def backed_up(text):
        with open(state, "w") as f:
            f.write(text)

    backed_up(json.dumps({"time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "destination": disk, "point": "7"}))
    found = doctor(w)
    says(found, "key backups", "ok", "epoch 1")
    says(found, "root key's shares", "ok", "epoch 1")
    says(found, "backup", "ok")
    same(w.run("keys", "rotate", w.dir, "root").returncode, 0)
    backed_up(json.dumps({"time": "2020-01-01T00:00:00Z", "destination": disk, "point": "7"}))
    w.file(content=b"Toinen\n")
    found = doctor(w)
    says(found, "root key's shares", "warn", "epoch 1", "epoch 2")
    says(found, "backup", "warn", "2020-01-01")
    os.rename(disk, disk + ".away")
    same(w.run("keys", "backup", "run", w.dir).returncode, 1)
    says(doctor(w, 1), "key backups", "bad", "safe")
    backed_up("{")
    says(doctor(w, 1), "backup", "warn", "cannot be read")
    w.stop()


def test_doctor__finds_what_is_open_missing_or_wrong():
    w = Archive()
    same(arkki("doctor", w.top, root_key=w.key).returncode, 1)
    same(arkki("doctor").returncode, 2)
    shards = os.path.join(w.dir, "keys", "secrets")
    os.chmod(shards, 0o644)
    says(doctor(w, 1), "permissions", "bad", "keys/secrets", "644")
    os.chmod(shards, 0o600)
    os.chmod(w.dir, 0o755)
    says(doctor(w, 1), "permissions", "bad", "755")
    os.chmod(w.dir, 0o700)
    inside = os.path.join(w.dir, "root.key")
    shutil.copy(w.key, inside)
    says(doctor(w, 1, inside), "root key", "bad", "in the archive that it opens")
    os.unlink(inside)
    found = doctor(w, 1, inside)
    says(found, "root key", "bad", "no file")
    says(found, "archive", "bad", "root key")
    os.chmod(w.key, 0o640)
    says(doctor(w, 1), "root key", "bad", "chmod 600")
    os.chmod(w.key, 0o600)
    far = time.time() + 86400
    os.utime(os.path.join(w.dir, "ledger", "access", "checkpoint"), (far, far))
    says(doctor(w, 1), "clock", "bad", "went back")


def test_doctor__beside_a_fault_looks_at_everything_else():
    w = Archive().serve()
    w.file(content=b"Tarkastus\n")
    w.until_indexed()
    w.stop()
    path = os.path.join(w.dir, "ledger", "access", "checkpoint")
    with open(path, "r+b") as f:
        f.seek(60)
        byte = f.read(1)
        f.seek(60)
        f.write(bytes([byte[0] ^ 1]))
    found = doctor(w, 1)
    says(found, "archive", "bad", "checkpoint")
    same(verdicts(found, "sandbox"), ["ok"])
    check("swap" in found and "room" in found, found.keys())
