"""Witnesses: a real one cosigns both logs, and the bad ones harm nothing."""

import base64
import http.client
import http.server
import json
import os
import shutil
import subprocess
import threading
import time

from arkki_flow import BIN, Archive, _running, arkki, check, same


class Witness:
    """`arkki witness` in a directory beside an archive's."""

    def __init__(self, top, name):
        self.dir = os.path.join(top, "witness-" + name)
        self.name = name
        p = arkki("witness", self.dir, "init", "--name", "witness.test/" + name)
        same(p.returncode, 0, "init", p.stderr)
        self.vkey = p.stdout.strip()
        self.port = 0
        self.process = None

    def knows(self, w):
        for log in ("history", "access"):
            key = w.run("log", "vkey", w.dir, log).stdout.strip()
            p = arkki("witness", self.dir, "add-log", key)
            same(p.returncode, 0, "add-log", p.stderr)
        return self

    def serve(self):
        self.process = subprocess.Popen([BIN, "witness", self.dir, "serve", "--listen", "127.0.0.1:%d" % self.port],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        _running.add(self.process)
        self.port = int(self.process.stdout.readline().strip().rsplit(":", 1)[1])
        return self

    def stop(self):
        self.process.terminate()
        same(self.process.wait(20), 0, "witness")
        _running.discard(self.process)
        self.process.stdout.close()
        self.process = None

    def line(self):
        return "witness %s %s http://127.0.0.1:%d/\n" % (self.name, self.vkey, self.port)

    def post(self, body, path="/add-checkpoint", method="POST"):
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            c.request(method, path, body)
            r = c.getresponse()
            return r.status, r.read(), r.getheader("Content-Type")
        finally:
            c.close()


def policy(w, lines, quorum):
    with open(os.path.join(w.dir, "witness.policy"), "w", encoding="utf-8") as f:
        f.write("# for a test\n" + "".join(lines) + quorum)


def require(w, classes):
    with open(os.path.join(w.dir, "arkki.conf"), "a", encoding="utf-8") as f:
        f.write("require-cosigned %s\n" % classes)


def witnessing(w):
    return w.json("/v1/status", "ylla")["witnessing"]


def until(what, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        got = what()
        if got:
            return got
        time.sleep(0.1)
    check(False, "did not come within %d s" % seconds)


def all_cosigned(w):
    """Both logs are cosigned up to some size by the quorum."""
    return all(log["cosignedSize"] > 0 for log in witnessing(w)["logs"])


def one_witness(classes=None):
    w = Archive()
    one = Witness(w.top, "one").knows(w).serve()
    policy(w, [one.line()], "quorum one\n")
    if classes:
        require(w, classes)
    return w, one


def cosigned_file(w, log):
    return os.path.join(w.dir, "ledger", log, "checkpoint.cosigned")


def test_witness__cosigns_both_logs_and_verify_looks_at_it():
    w, one = one_witness()
    w.serve()
    w.file()
    until(lambda: all_cosigned(w))
    got = witnessing(w)["witnesses"]
    same([(g["name"], len(g["logs"])) for g in got], [("one", 2)])
    p = w.run("witnesses", w.dir)
    same([line.split("\t")[:2] for line in p.stdout.splitlines()],
         [["one", "arkki.test/history"], ["one", "arkki.test/access"]], p.stderr)
    check(all(g["size"] > 0 and g["time"].endswith("Z") and "error" not in g for g in got[0]["logs"]), got)
    text = until(lambda: "witness.test/one" in w.get("/v1/log/history/checkpoint", None).body.decode()
                 and w.get("/v1/log/history/checkpoint", None).body.decode())
    lines = text.split("\n\n")[1].splitlines()
    same([len(lines), lines[0].split()[1], lines[1].split()[1]], [2, "arkki.test/history", "witness.test/one"])
    kept = w.get("/v1/log/access/checkpoint?cosigned", "aada").body.decode()
    check("witness.test/one" in kept, kept)
    same(Archive().serve().get("/v1/log/history/checkpoint?cosigned=1", None).status, 404)
    w.stop()
    with open(cosigned_file(w, "history"), encoding="utf-8") as f:
        kept = f.read()
    check("witness.test/one" in kept, kept)
    same(w.verify().returncode, 0, w.verify().stdout)
    # a line that was changed, and a line that was taken away
    at = kept.rindex(" ") + 30
    for bad in (kept[:at] + ("A" if kept[at] != "A" else "B") + kept[at + 1:],
                kept[:kept.index("\u2014 witness")]):
        with open(cosigned_file(w, "history"), "w", encoding="utf-8") as f:
            f.write(bad)
        p = w.verify()
        same(p.returncode, 1, p.stdout)
        check("checkpoint.cosigned" in p.stdout, p.stdout)
    one.stop()


def test_witness__over_http_refuses_what_is_no_request():
    w, one = one_witness()
    same(one.post(b"")[0], 400)
    same(one.post(b"old 0\n\nx\n")[0], 400)
    same(one.post(b"x" * 70000)[0], 413)
    same(one.post(None, method="GET")[0], 405)
    same(one.post(b"", path="/other")[0], 404)
    root = base64.b64encode(bytes(32)).decode()
    note = "old 0\n\nstranger\n0\n%s\n\n\u2014 stranger AAAAAAAA\n" % root
    same(one.post(note.encode())[0], 404)
    with open(os.path.join(w.dir, "ledger", "access", "checkpoint"), "rb") as f:
        own = f.read()
    same(one.post(b"old 0\n\n" + own)[0], 200)
    status, body, kind = one.post(b"old 0\n\n" + own.replace(b"\n\n", b"\nmore\n\n"))
    same(status, 403, body, kind)
    # a second process cannot serve the same witness
    p = arkki("witness", one.dir, "serve", "--listen", "127.0.0.1:0")
    same(p.returncode, 1, p.stderr)
    one.stop()


class Liar(http.server.BaseHTTPRequestHandler):
    """Answers whatever its server was told to."""

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked += 1
        status, body = self.server.answer
        if status == 0:  # says nothing for long
            time.sleep(30)
            return
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:
            pass

    def log_message(self, *args):
        pass


def liar(answer):
    s = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Liar)
    s.daemon_threads = True
    s.answer, s.asked = answer, 0
    threading.Thread(target=s.serve_forever, daemon=True).start()
    return s


def test_witness__two_of_four_with_a_dead_one_and_a_liar():
    w = Archive()
    good = [Witness(w.top, n).knows(w).serve() for n in ("one", "two")]
    dead = Witness(w.top, "dead").knows(w).serve()
    dead.stop()
    false = Witness(w.top, "false").knows(w)
    s = liar((200, b"\xe2\x80\x94 witness.test/one AAAAAAAAAAAAAAAA\n" * 500))
    false.port = s.server_address[1]
    policy(w, [g.line() for g in good] + [dead.line(), false.line()],
           "group most 2 one two dead false\nquorum most\n")
    w.serve()
    check("could not be asked" in w.said(), w.said())
    start = time.monotonic()
    w.file()
    same(w.get("/v1/documents").status, 200)
    check(time.monotonic() - start < 5, "bad witnesses delayed a filing")
    until(lambda: all_cosigned(w))
    got = {g["name"]: g["logs"] for g in witnessing(w)["witnesses"]}
    until(lambda: s.asked > 1)
    got = until(lambda: (lambda g: g if any("error" in x for x in g["false"]) else None)(
        {x["name"]: x["logs"] for x in witnessing(w)["witnesses"]}))
    check(any("error" in x for x in got["dead"]), got)
    same([x["size"] for x in got["false"]], [0, 0])
    # what a liar says later does not stop the archive
    for answer in ((409, b"9999999\n"), (409, b"x\n"), (422, b""), (500, b""), (200, b"z" * 100000), (302, b"")):
        s.answer = answer
        time.sleep(0.2)
        w.file()
    same(w.get("/v1/documents").status, 200)
    same(w.stop(), 0)
    for g in good:
        g.stop()
    s.shutdown()


def test_witness__that_is_ahead_shows_that_data_was_lost():
    w, one = one_witness()
    w.serve()
    w.file()
    until(lambda: all_cosigned(w))
    w.stop()
    old = os.path.join(w.top, "old")
    shutil.copytree(w.dir, old)
    w.serve()
    size = witnessing(w)["logs"][0]["cosignedSize"]
    w.file()
    until(lambda: witnessing(w)["logs"][0]["cosignedSize"] > size and witnessing(w)["logs"][1]["cosignedSize"])
    w.stop()
    shutil.rmtree(w.dir)
    shutil.copytree(old, w.dir)
    with open(os.path.join(w.dir, "ledger", "history", "checkpoint"), "rb") as f:
        before = f.read()
    p = w.run("serve", w.dir, "--listen", "127.0.0.1:0")
    same(p.returncode, 1)
    check("data was lost" in p.stderr and "restore a newer backup" in p.stderr, p.stderr)
    # commands that would write are refused too, and nothing was signed
    same(w.run("token", "create", w.dir, "--user", "maija").returncode, 1)
    with open(os.path.join(w.dir, "ledger", "history", "checkpoint"), "rb") as f:
        same(f.read(), before)
    # unreachable at the start: only a warning; when it is heard, everything stops
    one.stop()
    w.serve()
    check("could not be asked" in w.said(), w.said())
    same(w.get("/v1/documents").status, 200)
    one.serve()
    until(lambda: w.get("/v1/documents").status == 503)
    r = w.post_document(content=b"x")
    same(r.status, 503, r.body)
    w.stop()
    # grown beyond the witnessed size, as another history: no proof can join the two
    os.rename(os.path.join(w.dir, "witness.policy"), os.path.join(w.top, "policy"))
    w.serve()
    for i in range(12):
        w.file(content=b"%d" % i)
    w.stop()
    os.rename(os.path.join(w.top, "policy"), os.path.join(w.dir, "witness.policy"))
    w.serve()
    until(lambda: w.get("/v1/documents").status == 503)
    check("another arkki.test/" in w.post_document(content=b"x").body.decode(), "the reason is not told")
    w.stop()
    one.stop()


def test_witness__a_class_is_released_only_when_its_read_is_cosigned():
    w, one = one_witness("secret")
    w.serve()
    secret = w.file(publicity="secret")
    public = w.file()
    url = "/v1/documents/%s/versions/1/content"
    said = {"Arkki-Purpose": "valvonta", "Arkki-Case": "c1"}
    start = time.monotonic()
    r = w.send("GET", url % secret.id, "maija", said)
    same(r.status, 200, r.body)
    check(time.monotonic() - start < 8, "took %.1f s" % (time.monotonic() - start))
    print("a cosigned read: %.3f s" % (time.monotonic() - start))
    index = w.audit(document=secret.id)[-1]["index"]
    check(witnessing(w)["logs"][1]["cosignedSize"] > index, "released before it was cosigned")
    one.stop()
    start = time.monotonic()
    same(w.get(url % public.id).status, 200)
    same(w.send("GET", "/v1/documents/" + secret.id, "maija", said).status, 200)
    check(time.monotonic() - start < 5, "other reads waited")
    r = w.send("GET", url % secret.id, "maija", said)
    same((r.status, r.json()["type"]), (503, "urn:arkki:problem:not-cosigned"))
    check(r.header("Retry-After") and time.monotonic() - start < 30)
    one.serve()
    until(lambda: w.send("GET", url % secret.id, "maija", said).status == 200, 60)
    w.stop()
    one.stop()


def test_witness__settings_that_say_nothing_stop_the_start():
    w = Archive()
    require(w, "secret")
    p = w.run("serve", w.dir, "--listen", "127.0.0.1:0")
    same(p.returncode, 1)
    check("names no quorum" in p.stderr, p.stderr)
    policy(w, ["witness a nonsense\n"], "quorum a\n")
    p = w.run("serve", w.dir, "--listen", "127.0.0.1:0")
    same(p.returncode, 1)
    check("line 2" in p.stderr, p.stderr)
