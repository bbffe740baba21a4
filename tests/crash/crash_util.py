"""What the crash tests share: an archive, its server under the interposer, a
client, and the trace that the interposer leaves.

The tests see arkki from outside only: build/arkki (or ARKKI_BIN), its exit
codes and output, its HTTP, the files it leaves and the order of its syscalls.
"""

import atexit
import collections
import http.client
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.parse

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.path.abspath(os.environ.get("ARKKI_BIN", os.path.join(TOP, "build", "arkki")))
INTERPOSE = os.path.abspath(os.environ.get("ARKKI_INTERPOSE", os.path.join(TOP, "build", "tests", "interpose.so")))
FULL = os.environ.get("ARKKI_CRASH") == "full"
BOUNDARY = "crash-7h3Kq0sLw2"

SEED = {
    "orgs": [
        {"id": "lvv", "kind": "state-agency", "name": {"fi": "Lupa- ja valvontavirasto"}, "counties": ["90"]},
        {"id": "eoa", "kind": "ombudsman", "name": {"fi": "Eduskunnan oikeusasiamies"}},
    ],
    "users": [
        {"id": "maija", "org": "lvv", "name": "Maija", "roles": ["inspector"]},
        {"id": "aada", "org": "eoa", "name": "Aada", "roles": ["auditor"]},
    ],
    "units": [
        {"id": "koivula", "name": {"fi": "Koivula"}, "provider": "hoiva-oy", "municipality": "091", "county": "90",
         "serviceForm": "institution", "places": 7},
    ],
    "cases": [{"id": "c1", "diaryNumber": "LVV/1/2026", "kind": "inspection", "units": ["koivula"], "org": "lvv"}],
}


POINTS = collections.Counter()  # distinct points at which the world ended, by what they are


class Skip(Exception):
    """Raised by a test that cannot run here, with the reason."""


class Failed(AssertionError):
    pass


class Gone(Exception):
    """The server died before it answered."""


def check(ok, *why):
    if not ok:
        raise Failed(" ".join(str(w) for w in why) or "does not hold")


def same(got, want, *what):
    check(got == want, *what, "got %r, want %r" % (got, want))


# ---- the trace ----

class Step:
    def __init__(self, line):
        number, self.thread, self.op, ok, self.path, self.detail = line.split("\t", 5)
        self.number = int(number)
        self.ok = ok == "ok"

    def __repr__(self):
        return "%s %s%s %s%s" % (self.number or "-", self.op, "" if self.ok else " FAILED", self.path,
                                 " " + self.detail if self.detail else "")


def read_trace(path, offset=0):
    """Whole lines behind an offset in bytes."""
    try:
        with open(path, "rb") as f:
            f.seek(offset)
            data = f.read()
    except FileNotFoundError:
        return []
    lines = data.decode("utf-8", "replace").split("\n")[:-1]
    return [Step(l) for l in lines]


# ---- the program ----

_running = set()


@atexit.register
def _stop_all():
    for p in list(_running):
        if p.poll() is None:
            p.kill()
            p.wait()


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = {k.lower(): v for k, v in response.getheaders()}
        self.body = response.read()

    def json(self):
        return json.loads(self.body)


class Archive:
    def __init__(self, parent=None):
        self.top = tempfile.mkdtemp(prefix="arkki-crash-", dir=parent)
        atexit.register(shutil.rmtree, self.top, True)
        self.dir = os.path.join(self.top, "archive")
        self.key = os.path.join(self.top, "root.key")
        self.output = os.path.join(self.top, "server.out")
        self.trace = os.path.join(self.top, "trace")
        self.arm = os.path.join(self.top, "arm")
        self.process = None
        self.port = 0
        self.tokens = {}

    def make(self):
        self.must("init", self.dir, "--origin", "crash.test")
        seed = os.path.join(self.top, "seed.json")
        with open(seed, "w", encoding="utf-8") as f:
            json.dump(SEED, f)
        self.must("load", self.dir, seed)
        for user in ("maija", "aada"):
            self.tokens[user] = self.must("token", "create", self.dir, "--user", user).strip()
        return self

    def copy(self):
        """The same archive (stopped) once more."""
        other = Archive()
        shutil.copytree(self.dir, other.dir, ignore=shutil.ignore_patterns("admin.sock"))
        shutil.copy2(self.key, other.key)
        other.tokens = dict(self.tokens)
        return other

    def drop(self):
        self.stop(signal.SIGKILL)
        shutil.rmtree(self.top, True)

    def run(self, *args, timeout=60):
        return subprocess.run([BIN, *args, "--root-key", self.key], timeout=timeout, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def must(self, *args):
        p = self.run(*args)
        same(p.returncode, 0, "arkki", args[0], p.stdout[-600:], p.stderr[-600:])
        return p.stdout

    # ---- the server ----

    def serve(self, armed=False, wait=True, **conf):
        """Starts it under the interposer: serve(skip="fdatasync *.pack", kill_at=7).
        armed: steps are counted from the start, otherwise from arm_now()."""
        if os.path.exists(self.arm):
            os.unlink(self.arm)
        if armed:
            self.arm_now()
        env = dict(os.environ, LD_PRELOAD=INTERPOSE, ARKKI_TRACE=self.trace, ARKKI_UNDER=self.dir,
                   ARKKI_ARM=self.arm)
        env.update({"ARKKI_" + k.upper(): str(v) for k, v in conf.items()})
        out = open(self.output, "ab")
        self.said_from = os.path.getsize(self.output)
        self.process = subprocess.Popen([BIN, "serve", self.dir, "--listen", "127.0.0.1:0", "--root-key", self.key],
                                        env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        _running.add(self.process)
        out.close()
        return self.wait_ready() if wait else self

    def said(self):
        with open(self.output, "r", encoding="utf-8", errors="replace") as f:
            f.seek(self.said_from)
            return f.read()

    def wait_ready(self):
        """Gone when the server ends before it listens."""
        mark = "listening on http://127.0.0.1:"
        end = time.monotonic() + 30
        while time.monotonic() < end:
            ended = self.process.poll() is not None
            said = self.said()
            if mark in said and "\n" in said.split(mark)[1]:
                self.port = int(said.split(mark)[1].split("\n")[0])
                return self
            if ended:
                code = self.process.returncode
                _running.discard(self.process)
                self.process = None
                if code == -signal.SIGKILL:
                    raise Gone("killed while it started")
                raise Failed("the server ended with %s: %s" % (code, said))
            time.sleep(0.003)
        raise Failed("the server did not start: " + said)

    def arm_now(self):
        open(self.arm, "w").close()

    def trace_size(self):
        return os.path.getsize(self.trace) if os.path.exists(self.trace) else 0

    def stop(self, with_signal=signal.SIGTERM):
        if self.process is None:
            return None
        self.process.send_signal(with_signal)
        code = self.process.wait(30)
        _running.discard(self.process)
        self.process = None
        return code

    def verify(self, *options):
        p = self.run("verify", self.dir, *options)
        check(p.returncode == 0, "verify:", p.stdout[-2000:], p.stderr[-600:])
        return p.stdout.strip().split("\n")[-1]

    # ---- requests ----

    def send(self, method, path, user="maija", headers=None, body=None):
        """Gone when there is no whole answer."""
        h = {"Authorization": "Bearer " + self.tokens[user]}
        h.update(headers or {})
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            c.request(method, path, body=body, headers=h)
            return Answer(c.getresponse())
        except (OSError, http.client.HTTPException) as e:
            raise Gone(repr(e)) from e
        finally:
            c.close()

    def get(self, path, user="maija", **headers):
        return self.send("GET", path, user, headers)

    def post(self, path, meta, content, **headers):
        h = {k.replace("_", "-"): v for k, v in headers.items()}
        h["Content-Type"] = "multipart/form-data; boundary=" + BOUNDARY
        return self.send("POST", path, "maija", h, form(meta, content))

    def audit(self, log="access", **query):
        """All entries, oldest first."""
        entries, cursor = [], None
        while True:
            q = dict(query, limit=1000)
            if cursor:
                q["cursor"] = cursor
            r = self.get("/v1/audit/%s?%s" % (log, urllib.parse.urlencode(q)), "aada")
            same(r.status, 200, "audit", r.body[:300])
            entries += r.json()["entries"]
            cursor = r.json()["next"]
            if not cursor:
                return entries


def metadata(**fields):
    m = {"units": ["koivula"], "type": "inspection-report", "title": "Tarkastuskertomus", "language": "fi",
         "date": "2026-03-12", "publicity": {"class": "public"}}
    m.update(fields)
    return m


def form(meta, content):
    def part(head, body):
        return ("--%s\r\nContent-Disposition: form-data; %s\r\n\r\n" % (BOUNDARY, head)).encode() + body + b"\r\n"

    return (part('name="metadata"\r\nContent-Type: application/json', json.dumps(meta).encode()) +
            part('name="content"; filename="kertomus.txt"', content) + ("--%s--\r\n" % BOUNDARY).encode())
