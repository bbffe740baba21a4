"""What the pages cost beside the JSON that they show, and a resumable upload beside a plain one: `make bench web`."""

import http.client
import importlib.machinery
import importlib.util
import json
import os
import re
import shutil
import time
import urllib.parse

import bench_lib as lib

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
MIB = 1 << 20


def demo_program():
    loader = importlib.machinery.SourceFileLoader("run_demo", os.path.join(TOP, "tools", "run-demo"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("run_demo", loader))
    loader.exec_module(module)
    return module


class Demo:
    """The demo archive of `make run`, and who asks it."""

    def __init__(self, folder):
        self.folder = folder

    def __enter__(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        program = demo_program()
        data = os.path.join(self.folder, "demo")
        program.ready_archive(data, data + ".key")
        self.server = program.Server(data, data + ".key", "127.0.0.1:0")
        self.host = urllib.parse.urlsplit(self.server.url).netloc
        self.tokens = {u: program.arkki("token", "create", data, "--user", u, key=data + ".key").strip()
                       for u in ("maija", "otso", "paula")}
        self.cookies = {user: self.session(token) for user, token in self.tokens.items()}
        return self

    def __exit__(self, *exc):
        self.server.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def session(self, token):
        """The cookies of a browser that signed in with a token."""
        connection = http.client.HTTPConnection(self.host, timeout=60)
        connection.request("GET", "/fi/sign-in")
        answer = connection.getresponse()
        page, jar = answer.read().decode(), self.jar(answer)
        form = re.search(r'action="/fi/sign-in".*?name="form" value="([0-9a-f]{32})"', page, re.S)[1]
        connection.request("POST", "/fi/sign-in", urllib.parse.urlencode({"token": token, "form": form}), {
            "Content-Type": "application/x-www-form-urlencoded", "Cookie": "; ".join(jar), "Sec-Fetch-Site": "same-origin"})
        answer = connection.getresponse()
        answer.read()
        connection.close()
        if answer.status != 303:
            raise lib.Failed(f"signing in: {answer.status}")
        return "; ".join(jar + self.jar(answer))

    @staticmethod
    def jar(answer):
        return [v.split(";")[0] for k, v in answer.getheaders() if k.lower() == "set-cookie"]

    def first_byte(self, connection, path, headers):
        """Seconds until the status line, and the body."""
        start = time.monotonic()
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        took, body = time.monotonic() - start, answer.read()
        if answer.status != 200:
            raise lib.Failed(f"GET {path}: {answer.status} {body[:200]!r}")
        return took, body

    def settle(self):
        """Waits until all that was filed is read and indexed."""
        for _ in range(240):
            status = json.loads(self.ask("paula", "/v1/status"))
            if status["indexed"] >= status["sequence"]:
                return
            time.sleep(0.5)
        raise lib.Failed("the index does not catch up")

    def ask(self, user, path):
        connection = http.client.HTTPConnection(self.host, timeout=60)
        return self.first_byte(connection, path, {"Authorization": "Bearer " + self.tokens[user]})[1]


def kinds(document):
    """Each kind of page: name, reader, page, the JSON that it shows."""
    return [
        ("search", "maija", "/fi/?q=y%C3%B6vuoro", "/v1/search?q=y%C3%B6vuoro"),
        ("unit", "maija", "/fi/units/koivula", "/v1/units/koivula/timeline"),
        ("document", "maija", f"/fi/documents/{document}", f"/v1/documents/{document}"),
        ("history", "maija", f"/fi/documents/{document}/history", f"/v1/documents/{document}/history"),
        ("compare", "maija", f"/fi/documents/{document}/compare?from=1&to=2", f"/v1/documents/{document}/versions/1/diff/2"),
        ("cases", "maija", "/fi/cases", "/v1/cases"),
        ("orders", "maija", "/fi/orders", "/v1/orders"),
        ("audit entries", "otso", "/fi/audit", "/v1/audit/access"),
        ("admin state", "paula", "/fi/admin/state", "/v1/status"),
        ("filing start", "maija", "/fi/file", "/v1/units"),
    ]


def whole_page(b, demo, document):
    """The page of a document, to its last byte, beside the three JSON answers that say what it shows: the document, its
    versions, its text. (Its orders and the others of its case would be two more.)"""
    connection = http.client.HTTPConnection(demo.host, timeout=60)
    cookie, bearer = {"Cookie": demo.cookies["maija"]}, {"Authorization": "Bearer " + demo.tokens["maija"]}
    api = f"/v1/documents/{document}"
    newest = json.loads(demo.ask("maija", api))["version"]

    def timed(paths, headers):
        start = time.monotonic()
        for path in paths:
            demo.first_byte(connection, path, headers)
        return time.monotonic() - start

    ours, base = lib.alternate(
        b.count(60), lambda: timed([f"/fi/documents/{document}"], cookie),
        lambda: timed([api, f"{api}/versions", f"{api}/versions/{newest}/text"], bearer))
    connection.close()
    return [row("page: document, whole", f"{ours * 1e3:.2f} ms", f"{base * 1e3:.2f} ms", f"{ours / base:.2f}x", "<= 1.3x",
                ours <= 1.3 * base, "baseline: the three answers that it shows, one after the other")]


def row(name, ours, peer, ratio, reach, held, note=""):
    return {"name": name, "arkki": ours, "baseline": peer, "ratio": ratio, "reach": reach, "held": held, "note": note}


def measured(b, demo, name, user, page, api):
    connection = http.client.HTTPConnection(demo.host, timeout=60)
    cookie, bearer = {"Cookie": demo.cookies[user]}, {"Authorization": "Bearer " + demo.tokens[user]}
    body = demo.first_byte(connection, page, cookie)[1]
    demo.first_byte(connection, api, bearer)
    ours, base = lib.alternate(
        b.count(60), lambda: demo.first_byte(connection, page, cookie)[0],
        lambda: demo.first_byte(connection, api, bearer)[0])
    connection.close()
    # what a browser fetches with the page: style sheets, scripts, pictures; the icon is not counted
    more = re.findall(rb'<(?:script|img|iframe|embed)[^>]* src="|<link rel="stylesheet"', body)
    size = len(body) / 1024
    return [
        row(f"page: {name}, size", f"{size:.1f} KB", "-", "-", "<= 60 KB", size <= 60, f"{page} as {user}"),
        row(f"page: {name}, requests", str(1 + len(more)), "-", "-", "<= 3", len(more) <= 2),
        row(f"page: {name}, first byte", f"{ours * 1e3:.2f} ms", f"{base * 1e3:.2f} ms", f"{ours / base:.2f}x", "<= 1.3x",
            ours <= 1.3 * base, f"baseline: GET {urllib.parse.unquote(api)}"),
    ]


def pages(b):
    """each kind of page over the demo archive | the JSON answer that it shows | <= 60 KB, <= 3 requests, first byte <= 1.3x"""
    rows = []
    with Demo(b.folder("web-demo")) as demo:
        document = many_versions(demo)
        demo.settle()
        for kind in kinds(document):
            try:
                rows += measured(b, demo, *kind)
            except lib.Failed as why:
                rows.append(row(f"page: {kind[0]}", "-", "-", "-", "-", False, str(why)))
        rows += whole_page(b, demo, document)
    return rows


def many_versions(demo):
    found = re.findall(r'"id":"([0-9a-f]{32})"', demo.ask("maija", "/v1/units/koivula/documents").decode().replace('": "', '":"'))
    for document in found:
        if demo.ask("maija", f"/v1/documents/{document}/versions").count(b'"sha256"') >= 2:
            return document
    raise lib.Failed("the demo has no document of two versions")


def tus_upload(arkki, size):
    """Seconds of one upload by tus in pieces of 8 MiB, which is what our own script sends."""
    connection = arkki.connection(timeout=600)
    start = time.monotonic()
    tus = {"Tus-Resumable": "1.0.0"}
    connection.request("POST", "/v1/uploads", None, arkki.headers(**tus, **{"Upload-Length": str(size), "Content-Length": "0"}))
    answer = connection.getresponse()
    text = answer.read()
    if answer.status != 201:
        raise lib.Failed(f"tus: {answer.status} {text[:120]!r}")
    at, block = lib.path_of(answer.headers["Location"]), os.urandom(8 * MIB)
    for offset in range(0, size, len(block)):
        connection.request("PATCH", at, block[:size - offset], arkki.headers(**tus, **{
            "Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}))
        answer = connection.getresponse()
        answer.read()
        if answer.status != 204:
            raise lib.Failed(f"tus at {offset}: {answer.status}")
    took = time.monotonic() - start
    connection.request("DELETE", at, None, arkki.headers(**tus))
    connection.getresponse().read()
    connection.close()
    return took


def upload(b):
    """256 MiB by tus, in pieces of 8 MiB, until the last is durable | one plain POST, filed | peak memory <= 32 MiB above idle"""
    size = b.count(256) * MIB
    peaks = {"tus": [], "plain": []}
    with b.arkki() as arkki:
        arkki.file(arkki.connection(), b"warm\n")
        time.sleep(1)

        def taken(name, send):
            with lib.PeakMemory(arkki.pid) as peak:
                start = time.monotonic()
                took = send(arkki, size)
                took = took if isinstance(took, float) else time.monotonic() - start
            peaks[name].append(peak.grown_mib)
            return took

        ours, base = lib.alternate(
            min(3, b.rounds), lambda: taken("tus", tus_upload), lambda: taken("plain", lib.upload_large))
    return [
        row(f"upload: {size // MIB} MiB resumable", f"{size / ours / 1e6:.0f} MB/s", f"{size / base / 1e6:.0f} MB/s",
            f"{base / ours:.2f}x", "-", True, "the baseline is also filed; an upload is sealed anew when it is filed"),
        row("upload: memory of the server", f"{max(peaks['tus']):.1f} MiB", f"{max(peaks['plain']):.1f} MiB", "-",
            "<= 32 MiB", max(peaks["tus"]) <= 32, "RssAnon, highest minus idle"),
    ]


MEASURES = {"web-pages": pages, "web-upload": upload}
