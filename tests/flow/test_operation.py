"""What an operator meets: health, readiness, metrics, the server's own log, systemd, the manual page, the packages."""

import http.client
import json
import os
import re
import shutil
import socket
import subprocess

from arkki_flow import BIN, TOP, Archive, Skip, arkki, check, metadata, same, world


class Socket(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path):
        super().__init__("health.test", timeout=30)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect(self.path)


def ask(path, what):
    connection = Socket(path)
    connection.request("GET", what)
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, body


def served(*options, conf="", env=None):
    a = Archive()
    a.health = os.path.join(a.top, "health.sock")
    with open(os.path.join(a.dir, "arkki.conf"), "a", encoding="utf-8") as f:
        f.write(conf)
    for name, value in (env or {}).items():
        os.environ[name] = value
    try:
        a.serve(options=("--health", "unix:" + a.health, *options))
    finally:
        for name in env or {}:
            del os.environ[name]
    return a


def metrics(a):
    status, text = ask(a.health, "/metrics")
    same(status, 200)
    found, types = {}, {}
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split()
            check(name not in types, "a type is told twice:", name)
            types[name] = kind
        elif not line.startswith("#"):
            m = re.fullmatch(r'([a-z_]+)(\{[^ ]*\})? (-?[0-9.]+|\+Inf)', line)
            check(m, "not a line of the format:", line)
            check(m.group(0) not in found, "twice:", line)
            found[(m.group(1), m.group(2) or "")] = float(m.group(3))
            base = re.sub(r"_(bucket|sum|count)$", "", m.group(1))
            check(m.group(1) in types or types.get(base) == "histogram", "without a type:", line)
    return found


def test_security_txt__is_there_when_a_contact_is_set():
    same(world().get("/.well-known/security.txt", None).status, 404)
    a = served(conf="security-contact turva@virasto.example\naccessibility-contact selko@virasto.example\n")
    r = a.get("/.well-known/security.txt", None)
    same(r.status, 200)
    check(re.fullmatch(rb"Contact: mailto:turva@virasto\.example\nExpires: 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ\n"
                       rb"Preferred-Languages: fi, sv, en\n", r.body), r.body)
    page = a.get("/sv/accessibility", None)
    same(page.status, 200)
    check(b'href="mailto:selko@virasto.example"' in page.body, "no address for feedback")
    check(b"mailto:" not in world().get("/fi/accessibility", None).body, "an address out of nowhere")


def test_health__is_answered_there_and_nothing_else_is():
    a = served()
    same(ask(a.health, "/healthz"), (200, '{"status":"ok"}'))
    same(json.loads(ask(a.health, "/readyz")[1]), {"status": "ok", "filing": "ok"})
    same(json.loads(ask(a.health, "/version")[1])["format"], 1)
    for path in ("/v1/documents", "/admin/tokens", "/fi/", "/v1/log/history/checkpoint", "/openapi.json", "/"):
        same(ask(a.health, path)[0], 404, path)
    same(os.stat(a.health).st_mode & 0o777, 0o660, "mode of the socket")
    same(a.stop(), 0)
    p = arkki("serve", a.dir, "--listen", "127.0.0.1:0", "--health", "0.0.0.0:0", root_key=a.key)
    same(p.returncode, 1)
    check("--health" in p.stderr, p.stderr)


def test_metrics__count_requests_by_route_and_name_nothing():
    a = served()
    made = a.post_document(metadata(title="Salainen otsikko"))
    same(made.status, 201)
    for _ in range(3):
        same(a.get("/v1/documents/" + made.json()["id"]).status, 200)
    a.get("/v1/search?q=salainen")
    same(a.get("/v1/documents/" + "0" * 32).status, 404)
    found = metrics(a)
    of = {labels: n for (name, labels), n in found.items() if name == "arkki_http_requests_total"}
    same(of['{method="GET",route="/v1/documents/{d}",status="2xx"}'], 3)
    same(of['{method="GET",route="/v1/documents/{d}",status="4xx"}'], 1)
    same(found[("arkki_http_request_duration_seconds_count", "")], sum(of.values()))
    check(found[("arkki_access_entries", "")] >= 5 and found[("arkki_commits", "")] >= 1)
    check(found[("process_resident_memory_bytes", "")] > 1 << 20)
    check(("arkki_verify_last_time_seconds", "") not in found and found[("arkki_verify_broken", "")] == 0)
    same(a.verify("--full").returncode, 0)
    check(metrics(a)[("arkki_verify_last_time_seconds", "")] > 1e9, "when everything was last verified")
    text = ask(a.health, "/metrics")[1].lower()
    for word in ("salainen", made.json()["id"], "maija", "127.0.0.1"):
        check(word not in text, word, "is in the metrics")
    a.stop()


def test_log__says_of_each_request_what_it_was_and_not_of_what():
    a = served(conf="request-log all\n", env={"ARKKI_LOG": "json"})
    made = a.post_document(metadata(title="Salainen otsikko"))
    a.get("/v1/documents/" + made.json()["id"], Arkki_Purpose="salainen%20tarkoitus")
    a.get("/v1/search?q=salainenhaku")
    a.get("/nowhere/salainenpolku")
    same(a.stop(), 0)
    lines = [json.loads(line) for line in a.said().splitlines() if line.startswith("{")]
    told = [(r["method"], r["route"], r["status"]) for r in lines if r["area"] == "request"]
    for wanted in (("POST", "/v1/documents", 201), ("GET", "/v1/documents/{d}", 200), ("GET", "/v1/search", 200),
                   ("-", "-", 404)):
        check(wanted in told, wanted, "is not among", told)
    check("salai" not in a.said().lower() and made.json()["id"] not in a.said(), "a line names something")
    bad = Archive()
    with open(os.path.join(bad.dir, "arkki.conf"), "a", encoding="utf-8") as f:
        f.write("request-log everything\n")
    p = arkki("serve", bad.dir, "--listen", "127.0.0.1:0", root_key=bad.key)
    same(p.returncode, 1)
    check("request-log is none, errors or all" in p.stderr, p.stderr)


def test_systemd__is_told_of_start_and_end_and_gives_the_key():
    a = Archive()
    given = os.path.join(a.top, "credentials")
    os.mkdir(given)
    shutil.copy(a.key, os.path.join(given, "root.key"))
    path = os.path.join(a.top, "notify.sock")
    heard = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    heard.bind(path)
    heard.settimeout(60)
    env = dict(os.environ, NOTIFY_SOCKET=path, CREDENTIALS_DIRECTORY=given)
    env.pop("ARKKI_ROOT_KEY_FILE", None)
    server = subprocess.Popen([BIN, "serve", a.dir, "--listen", "127.0.0.1:0"], env=env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        same(heard.recv(100), b"READY=1")
        server.terminate()
        same(heard.recv(100), b"STOPPING=1")
        same(server.wait(60), 0)
    finally:
        server.kill()
        server.stderr.close()


def test_help__of_one_command():
    p = arkki("serve", "--help")
    same(p.returncode, 0)
    check("usage: arkki serve DIR --listen" in p.stdout and "SIGTERM" in p.stdout, p.stdout)
    same(arkki("help", "serve").stdout, p.stdout)
    p = arkki("help", "serv")
    same(p.returncode, 2)
    check("serv" in p.stderr, p.stderr)


def test_manual__has_every_command_and_no_fault():
    page = subprocess.run([os.path.join(TOP, "tools/package/make-man"), BIN], capture_output=True, text=True,
                          check=True).stdout
    for name in re.findall(r"^  arkki (\S+)", arkki("help").stdout, re.M):
        check(".SS " + name.replace("-", "\\-") + "\n" in page, name, "is not in the manual page")
    check(not re.search("@[A-Z]+@", page), "something is left to fill in")
    if not shutil.which("groff"):
        raise Skip("groff is not installed")
    p = subprocess.run(["groff", "-Kutf8", "-man", "-Tutf8", "-ww", "-z"], input=page.encode(), capture_output=True, check=False)
    same(p.stderr, b"", "groff")


def test_manual__its_first_archive_is_one():
    a = Archive(make=False)
    with open(os.path.join(TOP, "tools/package/arkki.1.in"), encoding="utf-8") as f:
        lines = re.search(r"\.RS\n(.*?)\.RE", f.read(), re.S).group(1).replace("\\-", "-").splitlines()
    for line in lines:
        line = line.replace("/var/lib/arkki/archive", a.dir).replace("/etc/arkki/root.key", a.key)
        if not line.startswith("arkki ") or " doctor " in line:
            continue
        p = subprocess.run(["sh", "-c", line.replace("arkki ", BIN + " ", 1)], capture_output=True, text=True,
                           env=dict(os.environ, ARKKI_ROOT_KEY_FILE=a.key), check=False)
        same(p.returncode, 0, line, p.stderr)


def test_install__puts_what_runs():
    a = Archive(make=False)
    build = os.path.dirname(BIN)
    subprocess.run(["make", "-s", "-C", TOP, "install", "BUILD=" + os.path.relpath(build, TOP), "DESTDIR=" + a.top,
                    "PREFIX=/opt/arkki"], check=True, capture_output=True,
                   env={k: v for k, v in os.environ.items() if not k.startswith("MAKE")})
    put = os.path.join(a.top, "opt/arkki")
    p = subprocess.run([os.path.join(put, "bin/arkki"), "--version"], capture_output=True, text=True, check=True)
    check(p.stdout.startswith("arkki "), p.stdout)
    with open(os.path.join(put, "lib/systemd/system/arkki.service"), encoding="utf-8") as f:
        unit = f.read()
    check("ExecStart=/opt/arkki/bin/arkki serve" in unit, "the unit starts another program")
    if shutil.which("systemd-analyze"):
        said = subprocess.run(["systemd-analyze", "security", "--offline=true",
                               os.path.join(put, "lib/systemd/system/arkki.service")], capture_output=True, text=True,
                              check=False).stdout
        level = re.search(r"exposure level for arkki.service: ([0-9.]+)", said)
        check(level and float(level.group(1)) <= 2.0, "exposure", level and level.group(1))


def test_deb__is_a_package_that_unpacks_to_a_program():
    if not shutil.which("dpkg-deb") or not shutil.which("dpkg-shlibdeps"):
        raise Skip("dpkg-dev is not installed")
    a = Archive(make=False)
    build = os.path.join(a.top, "build")
    os.mkdir(build)
    os.symlink(BIN, os.path.join(build, "arkki"))
    env = {k: v for k, v in os.environ.items() if not k.startswith("MAKE")}
    # the program that is there: nothing is built
    made = subprocess.run([os.path.join(TOP, "tools/package/make-deb"), build], capture_output=True, text=True,
                          env=dict(env, MAKE="make -o all"), check=False)
    same(made.returncode, 0, made.stderr)
    package = made.stdout.strip().splitlines()[-1]
    fields = subprocess.run(["dpkg-deb", "-f", package], capture_output=True, text=True, check=True).stdout
    for wanted in ("libgit2-1", "libxapian30", "libmicrohttpd12", "voikko-fi", "git"):
        check(wanted in fields, wanted, "is not in", fields)
    subprocess.run(["dpkg-deb", "-x", package, os.path.join(a.top, "x")], check=True)
    p = subprocess.run([os.path.join(a.top, "x/usr/bin/arkki"), "--version"], capture_output=True, text=True, check=True)
    check(p.stdout.startswith("arkki "), p.stdout)
    for path in ("lib/systemd/system/arkki.service", "usr/share/man/man1/arkki.1.gz", "usr/share/doc/arkki/copyright"):
        check(os.path.exists(os.path.join(a.top, "x", path)), path, "is missing")
