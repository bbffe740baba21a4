"""What the flow tests share: an archive of their own, its server, a client.

The tests see arkki from outside only: the program build/arkki (or ARKKI_BIN),
its exit codes and output, its HTTP, and the files it leaves.
"""

import atexit
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.parse

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.path.abspath(os.environ.get("ARKKI_BIN", os.path.join(TOP, "build", "arkki")))
MIB = 1 << 20

SEED = {
    "orgs": [
        {"id": "lvv", "kind": "state-agency", "name": {"fi": "Lupa- ja valvontavirasto"},
         "counties": ["90"], "from": "2026-01-01", "predecessors": ["esavi"]},
        {"id": "esavi", "kind": "state-agency", "name": {"fi": "Etelä-Suomen AVI"}, "counties": ["90"]},
        {"id": "pirha", "kind": "county", "name": {"fi": "Pirkanmaa"}, "counties": ["91"]},
        {"id": "uusimaa", "kind": "county", "name": {"fi": "Uusimaa"}, "counties": ["90"]},
        {"id": "helsinki", "kind": "municipality", "name": {"fi": "Helsinki"}, "counties": ["90"]},
        {"id": "eoa", "kind": "ombudsman", "name": {"fi": "Eduskunnan oikeusasiamies"}},
        {"id": "hoiva-oy", "kind": "provider", "name": {"fi": "Hoiva Oy"}, "counties": ["90"]},
    ],
    "users": [
        {"id": "maija", "org": "lvv", "name": "Maija", "roles": ["inspector"]},
        {"id": "risto", "org": "lvv", "name": "Risto", "roles": ["registrar"]},
        {"id": "raija", "org": "lvv", "name": "Raija", "roles": ["registrar"]},
        {"id": "sirpa", "org": "lvv", "name": "Sirpa", "roles": ["supervisor"]},
        {"id": "ylla", "org": "lvv", "name": "Ylla", "roles": ["admin"]},
        {"id": "kone", "org": "lvv", "name": "Kone", "roles": ["system"]},
        {"id": "aino", "org": "lvv", "name": "Aino", "roles": ["auditor"]},
        {"id": "pertti", "org": "pirha", "name": "Pertti", "roles": ["inspector", "supervisor"]},
        {"id": "ulla", "org": "uusimaa", "name": "Ulla", "roles": ["supervisor"]},
        {"id": "helmi", "org": "helsinki", "name": "Helmi", "roles": ["placer"]},
        {"id": "heikki", "org": "helsinki", "name": "Heikki", "roles": ["inspector"]},
        {"id": "aada", "org": "eoa", "name": "Aada", "roles": ["auditor"]},
        {"id": "oskari", "org": "eoa", "name": "Oskari", "roles": ["inspector"]},
        {"id": "hanna", "org": "hoiva-oy", "name": "Hanna", "roles": ["contact"]},
    ],
    "units": [
        {"id": "koivula", "name": {"fi": "Koivula"}, "provider": "hoiva-oy", "municipality": "091",
         "county": "90", "serviceForm": "institution", "places": 7},
        {"id": "lehtola", "name": {"fi": "Lehtola"}, "provider": "hoiva-oy", "municipality": "049",
         "county": "90", "serviceForm": "institution", "places": 4},
        {"id": "mantyla", "name": {"fi": "Mäntylä"}, "provider": "hoiva-oy", "municipality": "837",
         "county": "91", "serviceForm": "institution", "places": 5},
    ],
    "cases": [
        {"id": "c1", "diaryNumber": "LVV/1234/2026", "kind": "inspection", "units": ["koivula"], "org": "lvv"},
        {"id": "c2", "diaryNumber": "PIR/7/2026", "kind": "inspection", "units": ["mantyla"], "org": "pirha"},
    ],
    "placements": [{"unit": "koivula", "org": "pirha", "from": "2025-01-01"}],
}


class Skip(Exception):
    """Raised by a test that cannot run here, with the reason."""


class Failed(AssertionError):
    pass


def check(ok, *why):
    if not ok:
        raise Failed(" ".join(str(w) for w in why) or "does not hold")


def same(got, want, *what):
    if got != want:
        raise Failed("%s: got %r, want %r" % (" ".join(str(w) for w in what) or "differs", got, want))


# ---- the program ----

def arkki(*args, root_key=None, timeout=60, env=None, cwd=None, program=None):
    e = dict(os.environ)
    e.pop("ARKKI_ROOT_KEY_FILE", None)
    if root_key:
        e["ARKKI_ROOT_KEY_FILE"] = root_key
    e.update(env or {})
    return subprocess.run([*(program or [BIN]), *args], env=e, cwd=cwd, timeout=timeout, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


_running = set()


@atexit.register
def _stop_all():
    for p in list(_running):
        if p.poll() is None:
            p.kill()
            p.wait()


class Archive:
    """An archive in a directory of its own, and maybe its server."""

    def __init__(self, seed=SEED, origin="arkki.test", make=True, parent=None):
        self.top = tempfile.mkdtemp(prefix="arkki-flow-", dir=parent)
        atexit.register(shutil.rmtree, self.top, True)
        self.dir = os.path.join(self.top, "archive")
        self.key = os.path.join(self.top, "root.key")
        self.origin = origin
        self.process = None
        self.port = 0
        self.tokens = {}
        self.output = os.path.join(self.top, "server.out")
        if make and seed is SEED and origin == "arkki.test" and parent is None:
            template().copy_to(self)
        elif make:
            p = arkki("init", self.dir, "--root-key", self.key, "--origin", origin)
            same(p.returncode, 0, "init", p.stderr)
            if seed is not None:
                self.load(seed)

    def run(self, command, *args, timeout=60, **more):
        return arkki(command, *args, root_key=self.key, timeout=timeout, **more)

    def load(self, seed):
        path = os.path.join(self.top, "seed.json")
        with open(path, "w", encoding="utf-8") as f:
            json.dump(seed, f)
        p = self.run("load", self.dir, path)
        same(p.returncode, 0, "load", p.stderr)
        return p.stdout

    def token(self, user):
        if user not in self.tokens:
            p = self.run("token", "create", self.dir, "--user", user)
            same(p.returncode, 0, "token", p.stderr)
            self.tokens[user] = p.stdout.strip()
        return self.tokens[user]

    def serve(self, wait=True, options=()):
        out = open(self.output, "ab")
        start = os.path.getsize(self.output)
        e = dict(os.environ, ARKKI_ROOT_KEY_FILE=self.key)
        self.process = subprocess.Popen([BIN, "serve", self.dir, "--listen", "127.0.0.1:0", *options], env=e,
                                        stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        _running.add(self.process)
        out.close()
        self.client = None
        if not wait:
            return self
        end = time.monotonic() + 90  # a machine may have much else to do
        mark = "listening on http://127.0.0.1:"
        while time.monotonic() < end:
            with open(self.output, "r", encoding="utf-8", errors="replace") as f:
                f.seek(start)
                said = f.read()
            if mark in said and "\n" in said.split(mark)[1]:
                self.port = int(said.split(mark)[1].split("\n")[0])
                return self
            if self.process.poll() is not None:
                raise Failed("the server ended with %s: %s" % (self.process.returncode, said))
            time.sleep(0.01)
        raise Failed("the server did not start: " + said)

    def stop(self, with_signal=signal.SIGTERM):
        if self.process is None:
            return None
        self.process.send_signal(with_signal)
        code = self.process.wait(30)
        _running.discard(self.process)
        self.process = None
        return code

    def said(self):
        with open(self.output, "r", encoding="utf-8", errors="replace") as f:
            return f.read()

    def verify(self, *options):
        return self.run("verify", self.dir, *options)

    def copy(self):
        """The same archive (stopped) once more, to be damaged."""
        other = Archive(make=False)
        self.copy_to(other)
        return other

    def copy_to(self, other):
        shutil.copytree(self.dir, other.dir)
        shutil.copy2(self.key, other.key)
        other.tokens = dict(self.tokens)

    # ---- requests ----

    def send(self, method, path, user="maija", headers=None, body=None, token=None, timeout=60):
        h = dict(headers or {})
        if token is None and user:
            token = self.token(user)
        if token:
            h.setdefault("Authorization", "Bearer " + token)
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            chunked = body is not None and not isinstance(body, (bytes, str))
            c.request(method, path, body=body, headers=h, encode_chunked=chunked)
            r = c.getresponse()
            return Answer(r.status, r.getheaders(), r.read())
        finally:
            c.close()

    def get(self, path, user="maija", **headers):
        return self.send("GET", path, user, {k.replace("_", "-"): v for k, v in headers.items()})

    def json(self, path, user="maija", status=200):
        r = self.get(path, user)
        same(r.status, status, "GET", path, r.body[:300])
        return r.json()

    def listed(self, path="/v1/documents", user="maija"):
        """Every document of a list, page by page: a page alone need not hold the one looked for."""
        seen, cursor = [], ""
        while True:
            r = self.json("%s%slimit=100%s" % (path, "&" if "?" in path else "?", cursor), user)
            seen += r["documents"]
            if not r["next"]:
                return seen
            cursor = "&cursor=" + r["next"]

    def post_document(self, meta=None, content=b"Hyvaa paivaa\n", user="maija", headers=None, to="/v1/documents",
                      name="kertomus.txt", media_type=None):
        body, ct = form(meta, content, name, media_type)
        h = {"Content-Type": ct}
        h.update(headers or {})
        return self.send("POST", to, user, h, body)

    def file(self, user="maija", content=b"Hyvaa paivaa\n", name="kertomus.txt", media_type=None, headers=None,
             **fields):
        """Files a document that must be accepted; the answer with .doc and .etag."""
        r = self.post_document(metadata(**fields), content, user, headers, name=name, media_type=media_type)
        same(r.status, 201, "filing", r.body[:400])
        r.doc = r.json()
        r.id = r.doc["id"]
        r.etag = r.header("ETag")
        return r

    def until_indexed(self, admin="ylla", seconds=300):
        """Waits until everything filed so far is searchable."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            d = self.get("/v1/status", admin).json()
            if d["indexed"] >= d["sequence"]:
                return
            time.sleep(0.2)
        raise Failed("the index does not catch up")

    def settled(self, doc, user="maija"):
        """The document's tag once its text is no longer pending: then it moves by filings only."""
        for _ in range(200):
            tag = self.etag(doc, user)
            if not tag.endswith('-p"'):
                return tag
            time.sleep(0.1)
        raise Failed("the text of %s stays pending" % doc)

    def etag(self, doc, user="maija"):
        r = self.get("/v1/documents/" + doc, user)
        same(r.status, 200, "reading", doc)
        return r.header("ETag")

    def version(self, doc, content, meta=None, user="maija", etag=None, headers=None, name="kertomus.txt"):
        h = {"If-Match": etag if etag is not None else self.etag(doc, user)}
        h.update(headers or {})
        return self.post_document(meta if meta is not None else {}, content, user, h,
                                  "/v1/documents/%s/versions" % doc, name)

    def patch(self, doc, meta, user="maija", etag=None, headers=None):
        h = {"Content-Type": "application/json", "If-Match": etag if etag is not None else self.etag(doc, user)}
        h.update(headers or {})
        return self.send("PATCH", "/v1/documents/" + doc, user, h, json.dumps(meta))

    def audit(self, **query):
        """All entries, oldest first, of the access log (log=history: of that)."""
        log = query.pop("log", "access")
        user = query.pop("user", "aada")
        entries, cursor = [], None
        while True:
            q = dict(query, limit=1000)
            if cursor:
                q["cursor"] = cursor
            r = self.json("/v1/audit/%s?%s" % (log, urllib.parse.urlencode(q)), user)
            entries += r["entries"]
            cursor = r["next"]
            if not cursor:
                return entries


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    def header(self, name, default=None):
        for k, v in self.headers:
            if k.lower() == name.lower():
                return v
        return default

    def json(self):
        return json.loads(self.body)

    def fields(self):
        """The fields that a 422 names."""
        return sorted(e["field"] for e in self.json()["errors"])


def metadata(**fields):
    m = {"units": ["koivula"], "type": "inspection-report", "title": "Tarkastuskertomus", "language": "fi",
         "date": "2026-03-12", "publicity": {"class": "public"}}
    for k, v in fields.items():
        if k == "publicity" and isinstance(v, str):
            v = {"class": v}
        if v is None:
            m.pop(k, None)
        else:
            m[k] = v
    return m


BOUNDARY = "flow-Xs93kd02kfj"


def part(name, body, media_type=None, filename=None):
    head = b'--' + BOUNDARY.encode() + b'\r\nContent-Disposition: form-data; name="' + name.encode() + b'"'
    if filename is not None:
        raw = filename if isinstance(filename, bytes) else filename.encode("utf-8")
        head += b'; filename="' + raw.replace(b"\\", b"\\\\").replace(b'"', b'%22') + b'"'
    if media_type:
        head += b"\r\nContent-Type: " + media_type.encode()
    return head + b"\r\n\r\n" + body + b"\r\n"


def form_of(*parts):
    return b"".join(parts) + b"--" + BOUNDARY.encode() + b"--\r\n", "multipart/form-data; boundary=" + BOUNDARY


def form(meta, content, name="kertomus.txt", media_type=None):
    text = meta if isinstance(meta, bytes) else json.dumps(metadata() if meta is None else meta).encode()
    return form_of(part("metadata", text, "application/json"), part("content", content, media_type, name))


def raw(port, data, timeout=10, half_close=False):
    """Sends bytes as they are; all that comes back until the server closes."""
    s = socket.create_connection(("127.0.0.1", port), timeout)
    try:
        s.sendall(data)
        if half_close:
            s.shutdown(socket.SHUT_WR)
        out = b""
        while True:
            try:
                got = s.recv(65536)
            except (socket.timeout, ConnectionResetError):
                break
            if not got:
                break
            out += got
        return out
    finally:
        s.close()


_template = None


def template():
    """The seeded archive that the others are copies of: making and loading one takes many syncs."""
    global _template
    if _template is None:
        _template = Archive(seed=dict(SEED))
    return _template


_world = None


def world():
    """One seeded archive with its server, shared by the tests that damage nothing."""
    global _world
    if _world is None:
        _world = Archive().serve()
    return _world
