"""The command line: init, load, token, serve, import, and what each refuses."""

import json
import os
import re
import signal
import subprocess
import threading
import time

from arkki_flow import BIN, SEED, Archive, arkki, check, metadata, same, world


def refused(p, *words, code=1):
    same(p.returncode, code, p.args[1:], p.stdout, p.stderr)
    for w in words:
        check(w in p.stderr, "names", w, "in", p.stderr)
    check("Traceback" not in p.stderr and p.stderr.strip(), "says why")


def test_init__refuses_what_is_there():
    a = Archive(seed=None)
    listing = sorted(os.listdir(a.dir))
    other = os.path.join(a.top, "other.key")
    refused(arkki("init", a.dir, "--root-key", other, "--origin", "x.test"), a.dir, "empty")
    check(not os.path.exists(other), "no key was made")
    same(sorted(os.listdir(a.dir)), listing)
    new = os.path.join(a.top, "new")
    with open(a.key, "rb") as f:
        key = f.read()
    refused(arkki("init", new, "--root-key", a.key, "--origin", "x.test"), a.key)
    with open(a.key, "rb") as f:
        same(f.read(), key, "the key is as it was")
    p = arkki("init", new, "--root-key", other, "--origin", "x.test")
    same(p.returncode, 0, "a second try finds the directory as it was", p.stderr)
    same(os.stat(other).st_mode & 0o777, 0o600, "the key's mode")
    refused(arkki("init", os.path.join(a.top, "n2"), "--root-key", os.path.join(a.top, "k2"), "--origin", "a b"))
    refused(arkki("init", os.path.join(a.top, "n3"), "--origin", "x.test"), code=2)
    refused(arkki("init"), code=2)
    refused(arkki("nonsense"), code=2)
    refused(arkki("init", "--colour"), code=2)


def test_init__accepts_an_empty_directory():
    a = Archive(make=False)
    os.mkdir(a.dir)
    same(arkki("init", a.dir, "--root-key", a.key, "--origin", "x.test").returncode, 0)


def test_load__is_idempotent_and_updates():
    a = Archive()
    check("0 added, 0 changed" in a.load(SEED), "nothing new")
    seq = a.verify().stdout
    a.load(SEED)
    same(re.findall(r"(\d+) commits", a.verify().stdout), re.findall(r"(\d+) commits", seq), "no commit")
    changed = json.loads(json.dumps(SEED))
    changed["units"][0]["places"] = 9
    check("1 changed" in a.load(changed), "one")
    a.load({"units": [dict(SEED["units"][0], id="uusi", name="Uusi")]})
    a.load({})
    a.serve()
    same(a.json("/v1/units/koivula")["places"], 9)
    same(a.json("/v1/units/uusi")["name"], "Uusi")
    # beside the server, and at once
    check("1 changed" in a.load({"users": [dict(SEED["users"][0], roles=[])]}), "beside the server")
    same(a.post_document(metadata()).status, 403, "the role is gone at once")
    a.load({"users": [SEED["users"][0]]})
    same(a.post_document(metadata()).status, 201)
    same(a.stop(), 0)


def test_load__bad_seeds_change_nothing():
    a = Archive()
    before = a.verify().stdout
    good = {"id": "x", "kind": "county", "name": {"fi": "X"}, "counties": ["92"]}
    for seed, word in (
            ({"orgs": [good, dict(good, id="y", kind="club")]}, "orgs/1"),
            ({"orgs": [dict(good, id="Iso")]}, "id"), ({"orgs": [dict(good, id="a" * 65)]}, "id"),
            ({"orgs": [dict(good, id="")]}, "id"), ({"orgs": [dict(good, id=7)]}, "id"),
            ({"orgs": good}, "orgs"), ({"things": []}, "things"), ([], "object"),
            ({"users": [{"id": "u", "org": "nowhere", "roles": []}]}, "org"),
            ({"users": [{"id": "u", "org": "lvv", "roles": ["king"]}]}, "roles"),
            ({"cases": [{"id": "c9", "units": ["nowhere"], "org": "lvv"}]}, "units"),
            ({"orgs": [dict(good, **{"from": "1.1.2026"})]}, "date"),
            ({"placements": [{"unit": "nowhere", "org": "lvv"}]}, "unit"), ({"orgs": ["x"]}, "orgs/0")):
        path = os.path.join(a.top, "bad.json")
        with open(path, "w", encoding="utf-8") as f:
            json.dump(seed, f)
        refused(a.run("load", a.dir, path), word)
    for text in ("", "{", '{"orgs":[],"orgs":[]}', '{"orgs":[{"id":"\\ud800"}]}'):
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        refused(a.run("load", a.dir, path))
    refused(a.run("load", a.dir, os.path.join(a.top, "missing.json")), "missing.json")
    same(re.findall(r"(\d+) (?:commits|records)", a.verify().stdout),
         re.findall(r"(\d+) (?:commits|records)", before), "nothing was filed")


def test_token__prints_only_itself():
    a = Archive()
    for beside in (False, True):
        if beside:
            a.serve()
        p = a.run("token", "create", a.dir, "--user", "maija")
        same((p.returncode, p.stderr), (0, ""), "beside" if beside else "alone")
        check(re.fullmatch(r"\S{20,}\n", p.stdout), repr(p.stdout))
        refused(a.run("token", "create", a.dir, "--user", "nobody"))
        refused(a.run("token", "create", a.dir, "--user", "No Body"))
        for days in ("0", "x", "-1", "99999"):
            check(a.run("token", "create", a.dir, "--user", "maija", "--days", days).returncode in (1, 2), days)
        same(a.run("token", "create", a.dir, "--user", "maija", "--days", "1").returncode, 0)
    same(a.send("GET", "/v1/me", None, token=p.stdout.strip() or a.token("maija")).status, 200)
    kinds = [e["kind"] for e in a.audit(log="history")]
    check("token" in kinds, "making a token is an entry of the history", kinds)
    with open(os.path.join(a.dir, "state.sqlite"), "rb") as f:
        check(a.token("maija").encode() not in f.read(), "the token is not on the disk")
    same(a.stop(), 0)


def test_serve__says_where_it_listens_and_ends_on_sigterm():
    a = Archive().serve()
    lines = a.said().splitlines()
    same([x for x in lines if x.startswith("listening")], ["listening on http://127.0.0.1:%d" % a.port])
    same(a.stop(), 0)
    a.serve()
    same(a.stop(signal.SIGINT), 0)
    check(not os.path.exists(os.path.join(a.dir, "run", "admin.sock")), "the socket is gone")
    p = a.run("serve", a.dir, "--listen", "256.0.0.1:1", timeout=10)
    refused(p)
    refused(a.run("serve", a.dir), code=2)


def test_serve__a_port_in_use_is_named():
    w = world()
    a = Archive()
    refused(a.run("serve", a.dir, "--listen", "127.0.0.1:%d" % w.port, timeout=10), str(w.port))


def test_serve__stdout_is_only_the_line():
    a = Archive()
    env = dict(os.environ, ARKKI_ROOT_KEY_FILE=a.key)
    p = subprocess.Popen([BIN, "serve", a.dir, "--listen", "127.0.0.1:0"], env=env, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE)
    line = p.stdout.readline()
    p.terminate()
    rest, _ = p.communicate(timeout=20)
    check(re.fullmatch(rb"listening on http://127\.0\.0\.1:\d+\n", line), line)
    same((rest, p.returncode), (b"", 0))


def manifest(a, lines, name="m.jsonl"):
    path = os.path.join(a.top, name)
    with open(path, "w", encoding="utf-8") as f:
        f.write("".join((x if isinstance(x, str) else json.dumps(x)) + "\n" for x in lines))
    return path


def count(a, **query):
    n, cursor = 0, ""
    while True:
        q = "&".join("%s=%s" % kv for kv in query.items())
        r = a.json("/v1/documents?limit=100&%s%s" % (q, cursor))
        n += len(r["documents"])
        if not r["next"]:
            return n
        cursor = "&cursor=" + r["next"]


def test_import__files_every_line_once():
    a = Archive()
    os.mkdir(os.path.join(a.top, "files"))
    lines = []
    for i in range(12):
        rel = "files/kertomus %d ä.txt" % i
        with open(os.path.join(a.top, rel), "w", encoding="utf-8") as f:
            f.write("sama sisältö\n" if i % 2 else "sisältö %d\n" % i)
        lines.append({"file": rel if i % 3 else os.path.join(a.top, rel), "metadata": metadata(title="tuotu %d" % i)})
    m = manifest(a, lines)
    for beside in (False, True):
        if beside:
            a.serve()
        p = a.run("import", a.dir, "--manifest", m, "--user", "maija", cwd="/")
        same(p.returncode, 0, p.stdout, p.stderr)
        check(("0 filed, 12 filed before" if beside else "12 filed, 0 filed before") in p.stdout, p.stdout)
    same(count(a), 12)
    doc = [d for d in a.json("/v1/documents?limit=100")["documents"] if d["title"] == "tuotu 1"][0]
    same((doc["fileName"], doc["filedBy"]), ("kertomus 1 ä.txt", "maija"))
    # the same line twice is one filing; another title or other bytes are others
    with open(os.path.join(a.top, "files/kertomus 0 ä.txt"), "a", encoding="utf-8") as f:
        f.write("muutos\n")
    m = manifest(a, [lines[0], lines[1], lines[1], dict(lines[1], metadata=metadata(title="toinen"))])
    same(a.run("import", a.dir, "--manifest", m, "--user", "maija").returncode, 0)
    same(count(a), 14)
    p = a.run("import", a.dir, "--manifest", os.path.basename(m), "--user", "maija", cwd=a.top)
    same((p.returncode, count(a)), (0, 14), p.stderr)
    same(a.stop(), 0)


def test_import__goes_on_after_a_failing_line():
    a = Archive().serve()
    for n in ("a", "b"):
        with open(os.path.join(a.top, n + ".txt"), "w", encoding="utf-8") as f:
            f.write(n * 20 + "\n")
    ok = {"file": "a.txt", "metadata": metadata(type="memo")}
    m = manifest(a, [ok, "{nonsense", {"file": "missing.txt", "metadata": metadata()}, "",
                     {"file": "a.txt", "metadata": metadata(title="")}, {"file": "a.txt"},
                     {"file": "a.txt", "metadata": metadata(units=["mantyla"])},
                     {"file": "/tmp", "metadata": metadata()}, dict(ok, file="b.txt")])
    p = a.run("import", a.dir, "--manifest", m, "--user", "maija")
    same(p.returncode, 1)
    check("2 filed" in p.stdout and "6 failed" in p.stdout, p.stdout, p.stderr)
    for n in (2, 3, 5, 6, 7, 8):
        check("line %d:" % n in p.stderr, n, p.stderr)
    check("missing.txt" in p.stderr, "names the file")
    same(count(a, type="memo"), 2)
    refused(a.run("import", a.dir, "--manifest", m, "--user", "nobody"))
    refused(a.run("import", a.dir, "--manifest", m + "x", "--user", "maija"), m + "x")
    p = a.run("import", a.dir, "--manifest", manifest(a, [ok]), "--user", "helmi")
    same(p.returncode, 1, "the rights are the user's")
    same(a.stop(), 0)


def test_import__killed_goes_on_without_duplicates():
    a = Archive()
    lines = []
    for i in range(300):
        with open(os.path.join(a.top, "f%d.txt" % i), "w", encoding="utf-8") as f:
            f.write("rivi %d\n" % i)
        lines.append({"file": "f%d.txt" % i, "metadata": metadata(title="t%d" % i)})
    m = manifest(a, lines)
    env = dict(os.environ, ARKKI_ROOT_KEY_FILE=a.key)
    for wait in (0.15, 0.3, 0.6):
        p = subprocess.Popen([BIN, "import", a.dir, "--manifest", m, "--user", "maija"], env=env,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(wait)
        p.kill()
        p.wait()
    p = a.run("import", a.dir, "--manifest", m, "--user", "maija")
    same(p.returncode, 0, p.stderr[-400:])
    check(re.search(r"(\d+) filed, (\d+) filed before, 0 failed", p.stdout), p.stdout)
    p = a.run("import", a.dir, "--manifest", m, "--user", "maija")
    check("0 filed, 300 filed before" in p.stdout, p.stdout)
    a.serve()
    same(count(a), 300)
    same(a.stop(), 0)
    same(a.verify("--full").returncode, 0)


def test_verify__beside_a_server_takes_nothing_away():
    a = Archive().serve()
    docs = []
    for n in range(3):
        docs.append(a.file(publicity="partly-secret").id)
        a.get("/v1/documents/" + docs[-1], "sirpa")
        p = a.verify("--full")
        same(p.returncode, 0, p.stdout, p.stderr)
        same(p.stdout.count("\n"), 1, "a summary line")
        check(os.path.exists(os.path.join(a.dir, "catalogue.sqlite-wal")), "the server's WAL is still there")
    same(a.stop(signal.SIGKILL), -9)
    a.serve()
    for d in docs:
        same(a.get("/v1/documents/" + d).status, 200)
    kinds = [e for e in a.audit() if e["kind"] == "maintenance"]
    check(len(kinds) >= 3, "maintenance entries", len(kinds))
    same(a.stop(), 0)
    same(a.verify("--full").returncode, 0)


def test_log__vkey_is_one_line():
    w = world()
    for log in ("history", "access"):
        p = w.run("log", "vkey", w.dir, log)
        same((p.returncode, p.stderr), (0, ""))
        check(re.fullmatch(r"arkki\.test/%s\+[0-9a-f]{8}\+[A-Za-z0-9+/=]+\n" % log, p.stdout), p.stdout)
    refused(w.run("log", "vkey", w.dir, "other"), code=2)
    refused(w.run("log", "vkey", w.top, "history"), w.top)


def test_verify__finds_no_fault_while_filing_goes_on():
    a = Archive().serve()
    stop, faults = threading.Event(), []

    def filing(i):
        n = 0
        while not stop.is_set():
            try:
                f = a.file(content=b"rivi %d %d\n" % (i, n), publicity="partly-secret")
                same(a.version(f.id, b"rivi %d %d toinen\n" % (i, n), {"publicity": {"class": "public"}}).status, 201)
                same(a.patch(f.id, {"title": "muutettu"}).status, 200)
                n += 1
            except Exception as e:
                faults.append(e)
                return
    a.token("maija")
    ts = [threading.Thread(target=filing, args=(i,)) for i in range(3)]
    [t.start() for t in ts]
    try:
        for full in ((), ("--full",)) * 4:
            p = a.verify(*full)
            same(p.returncode, 0, p.stdout[-600:], p.stderr)
    finally:
        stop.set()
        [t.join() for t in ts]
    same(faults, [])
    same(a.stop(), 0)
    same(a.verify("--full").returncode, 0)
