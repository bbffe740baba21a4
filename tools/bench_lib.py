"""What the measures need: an arkki server, an nginx, the load generator, baselines, medians.

Standard library only. Everything runs on loopback and below one work folder.
"""

import contextlib
import http.client
import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import threading
import time
import urllib.parse

BOUNDARY = "arkki-bench-5e1c7a90"


class Failed(Exception):
    """A measure that could not be taken; the text says why."""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def run(args, timeout=120, env=None, stdin=None):
    """Standard output of a command that must succeed."""
    try:
        done = subprocess.run(
            args, stdin=stdin, capture_output=True, timeout=timeout, env=env, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Failed(f"{args[0]}: {error}") from error
    if done.returncode != 0:
        text = done.stderr.decode(errors="replace").strip().splitlines()
        raise Failed(f"{' '.join(args[:4])}: exit {done.returncode}: {text[0] if text else ''}")
    return done.stdout.decode()


def stop(process, timeout=20):
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def alternate(rounds, first, second):
    """Medians of two measures taken in turn (A B A B …), so that drift hits both."""
    a, b = [], []
    for _ in range(rounds):
        a.append(first())
        b.append(second())
    return statistics.median(a), statistics.median(b)


def multipart(metadata, content_head=b""):
    """The bytes before the content and those after it, and the content type."""
    head = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="metadata"\r\n'
        f"Content-Type: application/json\r\n\r\n{json.dumps(metadata)}\r\n"
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="content"; filename="bench.txt"\r\n'
        "Content-Type: application/octet-stream\r\n\r\n"
    ).encode()
    tail = f"\r\n--{BOUNDARY}--\r\n".encode()
    return head + content_head, tail, f"multipart/form-data; boundary={BOUNDARY}"


SEED = {
    "orgs": [
        {
            "id": "lvv",
            "kind": "state-agency",
            "name": {"fi": "Mittausvirasto"},
            "counties": ["08"],
            "from": "2020-01-01",
        }
    ],
    "users": [
        {"id": "maija", "org": "lvv", "name": "Maija Malli", "roles": ["inspector"]},
        {"id": "paula", "org": "lvv", "name": "Paula Malli", "roles": ["admin"]},
    ],
    "units": [
        {
            "id": "koivula",
            "name": {"fi": "Koivula"},
            "provider": "malli-oy",
            "municipality": "837",
            "county": "08",
            "serviceForm": "institution",
            "places": 7,
        }
    ],
    "cases": [],
    "placements": [],
}

METADATA = {
    "units": ["koivula"],
    "type": "inspection-report",
    "title": "Mittausasiakirja {n}",
    "language": "fi",
    "date": "2026-03-12",
    "publicity": {"class": "public"},
}


class Arkki:
    """A fresh archive and its server, as a context manager."""

    def __init__(self, binary, folder):
        self.binary = os.path.abspath(binary)
        self.folder = folder
        self.dir = os.path.join(folder, "archive")
        self.process = self.token = None
        self.port = free_port()
        self.env = dict(os.environ, ARKKI_ROOT_KEY_FILE=os.path.join(folder, "root.key"))

    def __enter__(self):
        if not os.access(self.binary, os.X_OK):
            raise Failed(f"{self.binary} is not there: run `make` first")
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(self.folder)
        key = self.env["ARKKI_ROOT_KEY_FILE"]
        run([self.binary, "init", self.dir, "--root-key", key, "--origin", "bench.invalid/arkki"])
        seed = self.write("seed.json", json.dumps(SEED))
        run([self.binary, "load", self.dir, seed], env=self.env)
        self.token = run(
            [self.binary, "token", "create", self.dir, "--user", "maija"], env=self.env
        ).strip()
        self.write("token", self.token + "\n")
        self.write("metadata.json", json.dumps(METADATA))
        self.start()
        return self

    def __exit__(self, *exc):
        if self.process:
            stop(self.process)
        shutil.rmtree(self.folder, ignore_errors=True)

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return path

    def start(self):
        log = open(os.path.join(self.folder, "serve.log"), "wb")
        self.process = subprocess.Popen(
            [self.binary, "serve", self.dir, "--listen", f"127.0.0.1:{self.port}"],
            stdout=log,
            stderr=subprocess.STDOUT,
            env=self.env,
        )
        log.close()
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and self.process.poll() is None:
            with open(log.name, "rb") as f:
                if b"listening on" in f.read():
                    return
            time.sleep(0.05)
        raise Failed(f"the server did not start: {open(log.name, errors='replace').read()[-200:]}")

    @property
    def pid(self):
        return self.process.pid

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def connection(self, timeout=60):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def settle(self, seconds=300):
        """Waits until all that was filed is indexed, so that a read is measured and not the indexer beside it."""
        admin = run(
            [self.binary, "token", "create", self.dir, "--user", "paula"], env=self.env
        ).strip()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            connection = self.connection()
            connection.request("GET", "/v1/status", None, {"Authorization": f"Bearer {admin}"})
            status = json.loads(connection.getresponse().read())
            connection.close()
            if status["indexed"] >= status["sequence"]:
                return
            time.sleep(0.2)
        raise Failed("the index does not catch up")

    def headers(self, **more):
        return {"Authorization": f"Bearer {self.token}"} | more

    def ask(self, connection, method, path, body=None, **headers):
        """The answer's JSON object and headers; Failed when it is not a 2xx."""
        named = {k.replace("_", "-"): v for k, v in headers.items()}
        connection.request(method, path, body, self.headers(**named))
        answer = connection.getresponse()
        text = answer.read()
        if not 200 <= answer.status < 300:
            raise Failed(f"{method} {path}: {answer.status} {text[:120]!r}")
        kind = answer.headers.get("Content-Type", "")
        return (json.loads(text) if "json" in kind else text), answer.headers

    def file(self, connection, content, path="/v1/documents", metadata=None, **headers):
        """Files one document, or with a path one version."""
        if metadata is None:
            metadata = dict(METADATA, title="Mittausasiakirja")
        head, tail, kind = multipart(metadata)
        body = head + content + tail
        return self.ask(connection, "POST", path, body, Content_Type=kind, **headers)[0]


class Nginx:
    """nginx with one worker and plain files, as a context manager."""

    def __init__(self, folder):
        self.folder = os.path.abspath(folder)
        self.port = free_port()
        self.process = None

    def __enter__(self):
        binary = shutil.which("nginx") or "/usr/sbin/nginx"
        if not os.access(binary, os.X_OK):
            raise Failed("nginx is not installed: apt-get install nginx-light")
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(os.path.join(self.folder, "files"))
        for name, size in (("1k", 1024), ("100k", 100 * 1024)):
            with open(os.path.join(self.folder, "files", name), "wb") as f:
                f.write(os.urandom(size))
            with open(os.path.join(self.folder, f"paths-{name}"), "w", encoding="ascii") as f:
                f.write(f"/{name}\n")
        config = os.path.join(self.folder, "nginx.conf")
        with open(config, "w", encoding="ascii") as f:
            f.write(self.config())
        self.process = subprocess.Popen(
            [binary, "-p", self.folder, "-c", config, "-e", "error.log"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_for_port(self.port, self.process)
        while not descendants(self.process.pid):  # the master listens before it has its worker
            if self.process.poll() is not None:
                raise Failed("nginx ended at once")
            time.sleep(0.05)
        return self

    def __exit__(self, *exc):
        stop(self.process)
        shutil.rmtree(self.folder, ignore_errors=True)

    def config(self):
        user = "user root;\n" if os.geteuid() == 0 else ""
        temp = "".join(
            f"{kind}_temp_path {self.folder}/{kind};\n"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        return (
            f"{user}daemon off;\nworker_processes 1;\npid nginx.pid;\n"
            "events { worker_connections 2048; }\n"
            "http {\naccess_log off;\nsendfile on;\ntcp_nopush on;\n"
            "keepalive_requests 100000000;\nkeepalive_timeout 75;\n"
            f"default_type application/octet-stream;\n{temp}"
            f"server {{ listen 127.0.0.1:{self.port}; root {self.folder}/files; }}\n}}\n"
        )

    @property
    def pids(self):
        return [self.process.pid] + descendants(self.process.pid)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"


def wait_for_port(port, process):
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise Failed("the server for the baseline did not start")


def descendants(pid):
    found = []
    with contextlib.suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as f:
                for child in map(int, f.read().split()):
                    found += [child] + descendants(child)
    return found


def load(binary, mode, url, **options):
    """One run of arkki-load; its JSON object. Any failed request is a failed measure."""
    args = [os.path.abspath(binary), mode, "--url", url]
    for name, value in options.items():
        for one in value if isinstance(value, list) else [value]:
            args += ["--" + name.replace("_", "-"), str(one)]
    try:
        done = subprocess.run(args, capture_output=True, timeout=700, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Failed(f"arkki-load: {error}") from error
    if done.returncode == 2:
        raise Failed(done.stderr.decode(errors="replace").splitlines()[0])
    result = json.loads(done.stdout)
    if result["errors"]:
        raise Failed(f"{result['errors']} requests failed: {result.get('firstError')}")
    return result


def contents(binary, folder, size, count):
    """The documents that a `file` run with seed 1 sends, in memory."""
    shutil.rmtree(folder, ignore_errors=True)
    run([os.path.abspath(binary), "bytes", "--out", folder, "--size", str(size),
         "--requests", str(count)])
    texts = []
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), "rb") as f:
            texts.append(f.read())
    shutil.rmtree(folder)
    return texts


def write_and_sync(folder, texts):
    """Seconds a document: all in one file, a pwrite and an fdatasync each."""
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, "appended")
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        offset = 0
        begin = time.perf_counter()
        for text in texts:
            os.pwrite(fd, text, offset)
            os.fdatasync(fd)
            offset += len(text)
        return (time.perf_counter() - begin) / len(texts)
    finally:
        os.close(fd)
        os.unlink(path)


def file_each_and_sync(folder, texts):
    """Seconds a document: a file of its own each, written and fsynced."""
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    begin = time.perf_counter()
    for number, text in enumerate(texts):
        fd = os.open(os.path.join(folder, str(number)), os.O_WRONLY | os.O_CREAT, 0o600)
        os.write(fd, text)
        os.fsync(fd)
        os.close(fd)
    took = (time.perf_counter() - begin) / len(texts)
    shutil.rmtree(folder)
    return took


def fast_import_stream(path, texts):
    """A commit a document, the fan-out of the archive's own tree."""
    with open(path, "wb") as f:
        for number, text in enumerate(texts):
            name = f"{number * 2654435761 % 2**32:08x}"
            place = f"docs/{name[0]}/{name[1]}/{name[2]}/{name[3]}/{name}/v0001/content"
            f.write(b"commit refs/heads/main\n")
            f.write(f"committer b <b@bench.invalid> {1700000000 + number} +0000\n".encode())
            f.write(b"data 1\nm\n")
            f.write(f"M 100644 inline {place}\ndata {len(text)}\n".encode())
            f.write(text + b"\n")


def fast_import(folder, stream, count):
    """Seconds a document of `git fast-import` into a fresh repository, nothing synced."""
    shutil.rmtree(folder, ignore_errors=True)
    run(["git", "init", "-q", "--bare", folder])
    with open(stream, "rb") as f:
        begin = time.perf_counter()
        run(
            ["git", "-C", folder, "-c", "core.fsync=none", "-c", "fastimport.unpackLimit=1",
             "fast-import", "--quiet"],
            stdin=f,
        )
        took = (time.perf_counter() - begin) / count
    shutil.rmtree(folder)
    return took


def anonymous_kib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as f:
        return int(re.search(r"RssAnon:\s+(\d+)", f.read())[1])


class PeakMemory:
    """Watches a process's anonymous memory every 10 ms; `grown_mib` afterwards."""

    def __init__(self, pid):
        self.pid = pid
        self.idle = self.peak = anonymous_kib(pid)
        self.done = threading.Event()
        self.thread = threading.Thread(target=self.watch)

    def watch(self):
        while not self.done.wait(0.01):
            with contextlib.suppress(OSError, TypeError):
                self.peak = max(self.peak, anonymous_kib(self.pid))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *exc):
        self.done.set()
        self.thread.join()

    @property
    def grown_mib(self):
        return (self.peak - self.idle) / 1024


def upload_large(arkki, size):
    """Files one document of `size` bytes without holding it; its JSON object."""
    block = os.urandom(1 << 20)
    head, tail, kind = multipart(dict(METADATA, title="Suuri mittausasiakirja"))

    def body():
        yield head
        for _ in range(size // len(block)):
            yield block
        yield tail

    connection = arkki.connection(timeout=600)
    length = len(head) + size // len(block) * len(block) + len(tail)
    connection.request(
        "POST", "/v1/documents", body(),
        arkki.headers(**{"Content-Type": kind, "Content-Length": str(length)}),
    )
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    if answer.status != 201:
        raise Failed(f"upload of {size} bytes: {answer.status} {text[:120]!r}")
    return json.loads(text)


def download_large(arkki, path):
    connection = arkki.connection(timeout=600)
    connection.request("GET", path, headers=arkki.headers())
    answer = connection.getresponse()
    total = 0
    while block := answer.read(1 << 20):
        total += len(block)
    connection.close()
    if answer.status != 200:
        raise Failed(f"download: {answer.status}")
    return total


def path_of(location):
    """The path of a Location, which may be a whole URL."""
    return urllib.parse.urlsplit(location).path
