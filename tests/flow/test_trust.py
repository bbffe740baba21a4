"""What an outsider checks with the program alone: disclosures, followed logs, ranges, canaries."""

import http.server
import json
import os
import shutil
import signal
import subprocess
import threading
import time

from arkki_flow import BIN, Archive, arkki, check, same

_own = None


def own():
    global _own
    if _own is None:
        _own = Archive().serve()
    return _own


def vkey(w, log):
    return w.run("log", "vkey", w.dir, log).stdout.strip()


def kept(w, name, value):
    path = os.path.join(w.top, name)
    with open(path, "w", encoding="utf-8") as f:
        f.write(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
    return path


def token_file(w, user):
    return kept(w, "token-" + user, w.token(user) + "\n")


def prove(path, key, *more):
    return arkki("log", "prove", path, "--vkey", key, *more)


def test_prove__a_filing_without_the_archive():
    w = own()
    f = w.file(title="Käynti")
    got = w.json("/v1/documents/%s/versions/1/proof" % f.id)
    key = vkey(w, "history")
    p = prove(kept(w, "proof.json", got), key)
    same(p.returncode, 0, p.stderr)
    check("proved: entry %d of arkki.test/history" % got["index"] in p.stdout, p.stdout)
    check('"document":"%s"' % f.id in p.stdout and "\nB  (not disclosed)\nC  (not disclosed)\n" in p.stdout, p.stdout)
    check("maija" not in p.stdout, "part B stays closed", p.stdout)
    # the parts and a proof that came apart from them
    shown = kept(w, "shown.json", got["disclosure"])
    loose = kept(w, "loose", got["proof"])
    same(prove(loose, key, "--disclosure", shown).returncode, 0)
    p = prove(loose, key)
    check(p.returncode == 1 and "--disclosure" in p.stderr, p.stderr)
    other = w.json("/v1/documents/%s/versions/1/proof" % w.file().id)
    p = prove(kept(w, "loose", other["proof"]), key, "--disclosure", shown)
    check(p.returncode == 1 and "the proof is of entry" in p.stderr, p.stderr)
    p = prove(shown, vkey(w, "access"))
    check(p.returncode == 1 and "the key is of" in p.stderr, p.stderr)
    got["disclosure"]["parts"]["A"]["json"] = got["disclosure"]["parts"]["A"]["json"].replace(f.id, "0" * 32)
    p = prove(kept(w, "forged.json", got), key)
    check(p.returncode == 1 and "does not lead" in p.stderr, p.stderr)
    same(prove(shown, "nonsense").returncode, 1)
    same(arkki("log", "prove", shown).returncode, 2)


def test_prove__a_receipt_shows_all_parts_to_the_auditor():
    w = own()
    f = w.file(publicity="partly-secret")
    r = w.get("/v1/documents/" + f.id, "sirpa", Arkki_Purpose="valvonta%0Aproved%3A%20x")
    got = w.json("/v1/audit/receipt/" + r.header("Arkki-Receipt"), "aada")
    same(len(got["disclosures"]), got["count"])
    p = prove(kept(w, "receipt.json", got), vkey(w, "access"))
    same(p.returncode, 0, p.stderr)
    check('"principal":"sirpa"' in p.stdout and f.id in p.stdout, p.stdout)
    same(len(p.stdout.splitlines()), 4 * got["count"], "a purpose cannot begin a line")


def test_range__says_how_many_and_proves_the_last():
    w = own()
    f = w.file(publicity="partly-secret")
    for _ in range(5):
        w.get("/v1/documents/" + f.id, "sirpa")
    w.get("/v1/documents/" + f.id, "oskari")
    got = w.json("/v1/audit/access?document=" + f.id, "aada")
    n = len([e for e in got["entries"] if "series" not in e])
    same(got["range"], {"series": "document", "first": 1, "last": n, "of": n})
    same(got["ownRange"], {"series": "document", "first": 1, "last": 1, "of": 1})
    p = prove(kept(w, "answer.json", got), vkey(w, "access"))
    same(p.returncode, 0, p.stderr)
    check('"documentSequence":%d' % n in p.stdout and "sirpa" not in p.stdout, p.stdout)
    page = w.json("/v1/audit/access?limit=2&document=" + f.id, "aada")
    same(page["range"], {"series": "document", "first": 1, "last": 2, "of": n})
    check("last" not in page, "the last is on the last page")
    page = w.json("/v1/audit/access?limit=100&document=%s&cursor=%s" % (f.id, page["next"]), "aada")
    same(page["range"], {"series": "document", "first": 3, "last": n, "of": n})
    check("last" in page)
    got = w.json("/v1/audit/access?principal=sirpa&limit=1000", "aada")
    n = len(got["entries"])
    same(got["range"], {"series": "principal", "first": 1, "last": n, "of": n})
    p = prove(kept(w, "answer.json", got), vkey(w, "access"))
    check('"principalSequence":%d' % n in p.stdout, p.stdout)
    got = w.json("/v1/audit/access?document=" + "0" * 32, "aada")
    same((got["range"]["of"], "last" in got), (0, False))
    for q in ("?document=%s&principal=sirpa" % f.id, "?document=%s&from=2020-01-01" % f.id, ""):
        check("range" not in w.json("/v1/audit/access" + q, "aada"), "not a whole series", q)
    got = w.json("/v1/audit/access?document=" + f.id, "aino")
    check("range" not in got and "last" not in got, "an authority's auditor gets no index")


def follow(where, key, state, *more):
    return arkki("log", "follow", where, "--vkey", key, "--state", state, *more)


def test_follow__over_http_and_from_tiles():
    w = own()
    w.file()
    base = "http://127.0.0.1:%d/v1/log/" % w.port
    for log, more in (("history", []), ("access", ["--token", token_file(w, "aada")])):
        state = os.path.join(w.top, "state-" + log)
        p = follow(base + log, vkey(w, log), state, *more)
        same(p.returncode, 0, p.stderr)
        check(p.stdout.startswith("verified arkki.test/%s: " % log), p.stdout)
        before = open(state, encoding="utf-8").read()
        for _ in range(30):
            w.file()
        for _ in range(40):  # a checkpoint comes within a second or two
            p = follow(base + log + "/", vkey(w, log), state, *more)
            same(p.returncode, 0, p.stderr)
            if open(state, encoding="utf-8").read() != before:
                break
            time.sleep(0.25)
        check(open(state, encoding="utf-8").read() != before, "the state moved")
    p = follow(os.path.join(w.dir, "ledger", "history"), vkey(w, "history"), os.path.join(w.top, "state-history"))
    same(p.returncode, 0, p.stderr)
    state = os.path.join(w.top, "state-none")
    p = follow(base + "access", vkey(w, "access"), state)
    check(p.returncode == 1 and "--token" in p.stderr, p.stderr)
    p = follow(base + "history", vkey(w, "access"), state)
    check(p.returncode == 1 and "not a checkpoint signed by" in p.stderr, p.stderr)
    p = follow("http://127.0.0.1:1/v1/log/history", vkey(w, "history"), state)
    check(p.returncode == 1 and "no answer" in p.stderr, p.stderr)
    check(not os.path.exists(state), "nothing was verified, nothing is kept")
    same(arkki("log", "follow", base).returncode, 2)


def test_follow__a_restored_snapshot_is_a_rewind_and_then_a_fork():
    w = Archive().serve()
    w.file()
    w.stop()
    old = w.copy()
    state = os.path.join(w.top, "state")
    tiles = os.path.join(w.dir, "ledger", "history")
    w.serve()
    w.file()
    w.stop()
    key = vkey(w, "history")
    same(follow(tiles, key, state).returncode, 0)
    seen = open(state, encoding="utf-8").read()
    other = os.path.join(old.dir, "ledger", "history")
    p = follow(other, key, state)
    check(p.returncode == 1 and "rewound" in p.stderr, p.stderr)
    old.serve()
    for _ in range(3):
        old.file()
    old.stop()
    p = follow(other, key, state)
    check(p.returncode == 1 and "forked" in p.stderr, p.stderr)
    same(open(state, encoding="utf-8").read(), seen, "what was believed stays")
    check(os.path.exists(state + ".conflict"), "the evidence")
    same(follow(tiles, key, state).returncode, 0)
    shutil.rmtree(w.top)


def test_canary__is_made_and_found_again():
    w = own()
    f = w.file(publicity="secret", title="Salainen")
    key, url = vkey(w, "access"), "http://127.0.0.1:%d" % w.port
    canary, state = os.path.join(w.top, "canary"), os.path.join(w.top, "state-canary")
    by_url = ["--url", url, "--token", token_file(w, "aada")]
    p = arkki("audit", "canary", *by_url, "--document", f.id, "--out", canary, "--purpose", "Kanariä")
    same(p.returncode, 0, p.stderr)
    same(w.audit(document=f.id)[-1]["purpose"], "Kanariä")
    found = arkki("audit", "canary", *by_url, "--check", canary, "--vkey", key, "--state", state)
    same(found.returncode, 0, found.stderr)
    same("the read in %s is in the log that was followed" % canary in found.stdout, True, found.stdout)
    # beside the server, through its socket
    p = w.run("audit", "canary", w.dir, "--user", "aada", "--check", canary, "--vkey", key, "--state", state)
    same(p.returncode, 0, p.stderr)
    p = w.run("audit", "canary", w.dir, "--user", "aada", "--document", f.id, "--out", canary + "2")
    same(p.returncode, 0, p.stderr)
    # a canary that tells of another read than the log does
    with open(canary, encoding="utf-8") as file:
        told = json.load(file)
    for member, value, says in (("document", w.file().id, "its document differs"), ("purpose", "x", "its purpose differs"),
                                ("receipt", "A" * 76, "does not know the receipt"), ("arkki", "x", "is not a canary")):
        p = arkki("audit", "canary", *by_url, "--check", kept(w, "false", dict(told, **{member: value})), "--vkey", key)
        same((p.returncode, says in p.stderr), (1, True), member, p.stderr)
    p = arkki("audit", "canary", *by_url, "--document", "0" * 32, "--out", canary + "3")
    same((p.returncode, os.path.exists(canary + "3")), (1, False), p.stderr)
    same(arkki("audit", "canary", "--check", canary).returncode, 2)


def test_follow__a_policy_that_nobody_meets_is_said():
    w = own()
    name = os.path.join(w.top, "witness")
    same(arkki("witness", name, "init", "--name", "witness.test/one").returncode, 0)
    key = arkki("witness", name, "vkey").stdout.strip()
    policy = kept(w, "policy", "log %s\nwitness one %s\nquorum one\n" % (vkey(w, "history"), key))
    state = os.path.join(w.top, "state-policy")
    where = os.path.join(w.dir, "ledger", "history")
    p = follow(where, vkey(w, "history"), state, "--witness-policy", policy)
    same((p.returncode, "not cosigned" in p.stderr), (1, True), p.stderr)
    p = follow(where, vkey(w, "history"), state, "--witness-policy", kept(w, "policy", "quorum none\n"))
    same(p.returncode, 0, p.stderr)
    p = follow(where, vkey(w, "history"), state, "--witness-policy", kept(w, "policy", "nonsense\n"))
    same(p.returncode, 1, p.stderr)


class Liar:
    """Serves a log's directory, but for what `answers` says of a path: (status, headers, body)."""

    def __init__(self, folder):
        liar = self
        self.answers, self.asked = {}, []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                path = self.path.lstrip("/")
                liar.asked.append((path, self.headers.get("Authorization")))
                file = os.path.join(folder, path)
                if path in liar.answers:
                    status, headers, body = liar.answers[path]
                elif os.path.isfile(file):
                    with open(file, "rb") as f:
                        status, headers, body = 200, {}, f.read()
                else:
                    status, headers, body = 404, {}, b""
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                try:
                    self.wfile.write(body)
                except OSError:
                    pass

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = "http://127.0.0.1:%d" % self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def test_follow__a_server_may_answer_anything():
    w = Archive().serve()
    w.file()
    w.stop()
    folder, key, state = os.path.join(w.dir, "ledger", "history"), vkey(w, "history"), os.path.join(w.top, "state")
    liar = Liar(folder)
    same(follow(liar.url, key, state).returncode, 0)
    bundle = [p for p, _ in liar.asked if p.startswith("tile/entries/")][0]
    with open(os.path.join(folder, bundle), "rb") as f:
        right = f.read()
    # the partial tile is gone, the full one begins with it: as good
    full = bundle.split(".p/")[0]
    liar.answers = {bundle: (404, {}, b""), full: (200, {}, right + bytes(256 * 35 - len(right)))}
    os.unlink(state)
    same(follow(liar.url, key, state).returncode, 0)
    other = bytes([right[0], right[1], right[2], right[3] ^ 1]) + right[4:]
    for says, path, answer in (
            ("forged or damaged", bundle, (200, {}, other)),
            ("bytes instead of", bundle, (200, {}, right[:-1])),
            ("longer than", bundle, (200, {}, bytes(1 << 20))),
            ("is missing", bundle, (404, {}, b"")),
            ("status 302", bundle, (302, {"Location": liar.url + "/" + full}, b"")),
            ("status 500", bundle, (500, {}, right)),
            ("longer than", "checkpoint", (200, {}, b"x" * (1 << 20))),
            ("not a checkpoint", "checkpoint", (200, {}, b"")),
            ("no checkpoint", "checkpoint", (404, {}, b""))):
        liar.answers = {path: answer}
        os.path.exists(state) and os.unlink(state)
        p = follow(liar.url, key, state)
        same((p.returncode, says in p.stderr, os.path.exists(state)), (1, True, False), says, p.stderr)
    liar.answers = {}
    liar.asked.clear()
    same(follow(liar.url, key, state, "--token", kept(w, "t", "secret\n")).returncode, 0)
    same({a for _, a in liar.asked}, {"Bearer secret"})
    shutil.rmtree(w.top)


def test_follow__watches_until_it_sees_a_lie():
    w = Archive().serve()
    folder, state = os.path.join(w.dir, "ledger", "history"), os.path.join(w.top, "state")
    key = vkey(w, "history")
    liar = Liar(folder)
    command = [BIN, "log", "follow", liar.url, "--vkey", key, "--state", state, "--watch", "1"]
    for lie in (True, False):
        liar.answers = {"checkpoint": (500, {}, b"")}  # no answer is no lie: it asks again
        liar.asked.clear()
        p = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        end = time.monotonic() + 30
        while not liar.asked and time.monotonic() < end:
            time.sleep(0.02)
        time.sleep(0.2)  # the answer to what it asked is under way
        liar.answers = {}
        same(p.stdout.readline().startswith("verified arkki.test/history: "), True)
        if lie:
            liar.answers = {"checkpoint": (200, {}, b"x\n\n")}
        else:
            p.send_signal(signal.SIGTERM)
        out, err = p.communicate(timeout=20)
        same((p.returncode, "asking again" in err, "not a checkpoint" in err), (1 if lie else 0, True, lie), out, err)
    w.stop()
    shutil.rmtree(w.top)
    for wrong in ("0", "-1", "x", "99999999"):
        same(arkki("log", "follow", folder, "--vkey", key, "--state", state, "--watch", wrong).returncode, 2)
