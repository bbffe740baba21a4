"""Client certificates: mutual TLS that ends at a real nginx, and what is forged past it. Keys, names and authorities are made
here, for the test."""

import http.client
import json
import os
import shutil
import socket
import ssl
import subprocess
import time
import urllib.parse

from arkki_flow import Archive, Skip, _running, arkki, check, same

CONF = """
daemon off; master_process off; pid {top}/nginx.pid; error_log {top}/error.log; worker_rlimit_nofile 1024;
events {{ worker_connections 64; }}
http {{
  access_log off; client_body_temp_path {top}/body; proxy_temp_path {top}/proxy; fastcgi_temp_path {top}/f;
  uwsgi_temp_path {top}/u; scgi_temp_path {top}/s;
  server {{
    listen 127.0.0.1:{port} ssl; server_name localhost;
    ssl_certificate {top}/localhost.pem; ssl_certificate_key {top}/localhost.key;
    ssl_client_certificate {top}/ca.pem; ssl_verify_client optional;
    location / {{
      proxy_pass http://unix:{socket}:; proxy_http_version 1.1;
      proxy_set_header Connection ""; proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Proto https;
      proxy_set_header Arkki-Client-Verify $ssl_client_verify;
      proxy_set_header Arkki-Client-Cert $ssl_client_escaped_cert;
    }}
  }}
}}
"""


def openssl(*args):
    p = subprocess.run(["openssl", *args], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    same(p.returncode, 0, "openssl", args, p.stderr[-300:])


def authority(top, name):
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=" + name,
            "-days", "30", "-keyout", "%s/%s.key" % (top, name), "-out", "%s/%s.pem" % (top, name))


def certificate(top, name, ca="ca", days=("-days", "30")):
    """Signed by ca; by itself when ca is None."""
    if ca is None:
        authority(top, name)
        return
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=" + name,
            "-keyout", "%s/%s.key" % (top, name), "-out", "%s/%s.csr" % (top, name))
    openssl("x509", "-req", "-in", "%s/%s.csr" % (top, name), "-CA", "%s/%s.pem" % (top, ca), "-CAkey",
            "%s/%s.key" % (top, ca), "-set_serial", str(abs(hash((name, time.time()))) % 10**15), *days,
            "-out", "%s/%s.pem" % (top, name))


class World:
    def __init__(self, nginx=True):
        if nginx and not shutil.which("nginx"):
            raise Skip("nginx is not installed (apt-get install nginx-light)")
        if not shutil.which("openssl"):
            raise Skip("openssl is not installed")
        self.a = Archive()
        self.top = self.a.top
        self.socket = os.path.join(self.top, "proxy.sock")
        self.a.serve(options=("--proxy", "unix:" + self.socket))
        authority(self.top, "ca")
        authority(self.top, "other-ca")
        certificate(self.top, "client")
        if nginx:
            self.start_nginx()

    def start_nginx(self):
        certificate(self.top, "localhost")
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        conf = os.path.join(self.top, "nginx.conf")
        with open(conf, "w", encoding="utf-8") as f:
            f.write(CONF.format(top=self.top, port=self.port, socket=self.socket))
        self.nginx = subprocess.Popen(["nginx", "-p", self.top, "-c", conf], stdin=subprocess.DEVNULL,
                                      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _running.add(self.nginx)
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise Skip("nginx does not start: " + open(os.path.join(self.top, "error.log")).read()[-300:])

    def stop(self):
        if hasattr(self, "nginx"):
            self.nginx.terminate()
            self.nginx.wait(10)
            _running.discard(self.nginx)
        same(self.a.stop(), 0)

    def pem(self, name):
        with open("%s/%s.pem" % (self.top, name), encoding="ascii") as f:
            return f.read()

    def bind(self, name="client", user="kone", code=0, *more):
        p = self.a.run("certificate", "add", self.a.dir, "%s/%s.pem" % (self.top, name), "--user", user, *more)
        same(p.returncode, code, p.stdout, p.stderr)
        return p.stdout.strip() if code == 0 else p.stderr

    def through(self, name=None, headers=None, path="/v1/me"):
        """By nginx, with this certificate. What arkki (or nginx) answers."""
        context = ssl.create_default_context(cafile="%s/ca.pem" % self.top)
        context.check_hostname = False
        if name:
            context.load_cert_chain("%s/%s.pem" % (self.top, name), "%s/%s.key" % (self.top, name))
        c = http.client.HTTPSConnection("127.0.0.1", self.port, context=context, timeout=20)
        try:
            c.request("GET", path, headers=headers or {})
            r = c.getresponse()
            return r.status, r.read()
        finally:
            c.close()

    def straight(self, headers, path="/v1/me"):
        """To the trusted socket itself, with these header lines."""
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(20)
        s.connect(self.socket)
        try:
            s.sendall(("GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s\r\n" % (
                path, "".join("%s: %s\r\n" % h for h in headers))).encode())
        except BrokenPipeError:
            pass
        data = b""
        try:
            while chunk := s.recv(65536):
                data += chunk
        except ConnectionResetError:
            pass
        s.close()
        return int(data.split(b" ")[1]) if data else 0


def shown(pem, verify="SUCCESS"):
    return [("Arkki-Client-Verify", verify), ("Arkki-Client-Cert", urllib.parse.quote(pem, safe=""))]


def test_certificate__signs_a_system_in_through_nginx():
    w = World()
    same(w.through("client")[0], 401, "not bound yet")
    bound = w.bind("client", "kone", 0, "--name", "siirtopalvelin")
    status, body = w.through("client")
    same((status, json.loads(body)["user"]["id"]), (200, "kone"), body[:200])
    same(w.through(None)[0], 401)
    same(w.through(None, {"Authorization": "Bearer " + w.a.token("maija")})[0], 200, "a token alone, as ever")
    f = w.a.file(publicity="public")
    same(w.through("client", path="/v1/documents/" + f.id)[0], 200)
    entry = [e for e in w.a.audit(document=f.id) if e["principal"] == "kone"][-1]
    same((entry.get("authentication"), entry.get("session")), ("certificate", bound), entry)
    lines = w.a.run("certificate", "list", w.a.dir).stdout.splitlines()
    check(len(lines) == 1 and bound in lines[0] and "siirtopalvelin" in lines[0] and "never" not in lines[0], lines)
    p = w.a.run("certificate", "remove", w.a.dir, bound)
    same((p.returncode, p.stderr), (0, ""))
    same(w.through("client")[0], 401, "at once")
    same(w.a.run("certificate", "remove", w.a.dir, bound).returncode, 1)
    said = [json.dumps(e) for e in w.a.audit(log="history") if e["kind"] == "certificate"]
    same(len([s for s in said if bound in s]), 2, said)
    w.stop()
    p = w.a.verify()
    same(p.returncode, 0, p.stdout, p.stderr)


def test_certificate__that_nginx_does_not_verify_signs_nobody_in():
    w = World()
    certificate(w.top, "stranger", "other-ca")
    certificate(w.top, "self", None)
    certificate(w.top, "old", "ca", ("-not_before", "20200101000000Z", "-not_after", "20210101000000Z")
                if b"-not_before" in subprocess.run(["openssl", "x509", "-help"], stderr=subprocess.PIPE,
                                                    stdout=subprocess.PIPE).stderr else ("-days", "-1"))
    for name in ("stranger", "self"):
        w.bind(name)
        check(w.through(name)[0] in (400, 401), name)
        same(w.straight(shown(w.pem(name), "FAILED:unable to verify the first certificate")), 401)
    check("expired" in w.bind("old", "kone", 1), "an old one is not bound")
    check(w.through("old")[0] in (400, 401), "expired")
    same(w.straight(shown(w.pem("old"))), 401, "its dates are looked at here too")
    w.stop()


def test_certificate__and_a_token_must_be_of_one_account():
    w = World()
    w.bind()
    same(w.through("client", {"Authorization": "Bearer " + w.a.token("kone")})[0], 200)
    same(w.through("client", {"Authorization": "Bearer " + w.a.token("maija")})[0], 401)
    same(w.through("client", {"Authorization": "Bearer nonsense"})[0], 401)
    same(w.through("client", {"Authorization": "Basic eDp5"})[0], 401)
    w.stop()


def test_certificate__headers_count_on_the_trusted_listener_alone():
    w = World()
    w.bind()
    forged = dict(shown(w.pem("client")))
    same(w.straight(list(forged.items())), 200, "there they count")
    r = w.a.send("GET", "/v1/me", None, forged)
    same(r.status, 401, "on the open one they do not")
    same(w.a.send("GET", "/v1/me", "maija", forged).json()["user"]["id"], "maija", "not even against a token")
    same(w.through(None, forged)[0], 401, "nginx puts its own in their place")
    same(w.through(None, {k.replace("-", "_"): v for k, v in forged.items()})[0], 401)
    sha = w.a.run("certificate", "list", w.a.dir).stdout.split("sha256 ")[1].split()[0]
    same(w.straight([("Authorization", "Bearer " + sha)]), 401, "the digest is no token")
    check("BEGIN" not in w.a.said() and sha not in w.a.said(), "and nothing of it is in the output")
    w.stop()


def test_certificate__headers_that_are_not_exactly_one_certificate_are_refused():
    w = World(nginx=False)
    w.bind()
    pem = w.pem("client")
    other = w.pem("ca")
    good = shown(pem)
    same(w.straight(good), 200)
    for what, headers in {
        "verify twice": [good[0], good[0], good[1]],
        "certificate twice": [good[0], good[1], good[1]],
        "no verify": good[1:],
        "no certificate": good[:1],
        "verify NONE": [("Arkki-Client-Verify", "NONE"), good[1]],
        "verify in lower case": [("Arkki-Client-Verify", "success"), good[1]],
        "garbage after it": shown(pem + "x"),
        "garbage before it": shown("x" + pem),
        "two certificates": shown(pem + other),
        "another before it": shown(other + pem),
        "a NUL in it": shown(pem[:60] + "\0" + pem[60:]),
        "a bit of it": shown(pem[:200]),
        "no PEM": shown("hello"),
        "empty": shown(""),
        "not percent-encoded": [good[0], ("Arkki-Client-Cert", "%zz")],
        "one letter changed": shown(pem.replace(pem[100], "A" if pem[100] != "A" else "B", 1)),
    }.items():
        same(w.straight(headers), 401, what)
    check(w.straight([good[0], ("Arkki-Client-Cert", "a" * (1 << 20))]) in (0, 400, 413, 431), "1 MiB of header")
    same(w.straight(good), 200, "and the server goes on")
    same(w.straight([("Arkki-Client-Verify", "NONE"), ("Authorization", "Bearer " + w.a.token("maija"))]), 200)
    w.stop()


def test_certificate__is_for_systems_and_of_one_account():
    w = World(nginx=False)
    check("system" in w.bind("client", "maija", 1), "a person has none")
    w.bind("client", "ei-ole", 1)
    w.bind()
    same(w.bind(), w.a.run("certificate", "list", w.a.dir).stdout.split()[0], "once more is the same binding")
    seed = {"users": [{"id": "toinen-kone", "org": "lvv", "name": "Toinen", "roles": ["system"]}]}
    w.a.load(seed)
    check("another" in w.bind("client", "toinen-kone", 1), "it is one account's")
    with open(os.path.join(w.top, "two.pem"), "w", encoding="ascii") as f:
        f.write(w.pem("client") + w.pem("ca"))
    w.bind("two", "kone", 1)
    w.a.load({"users": [{"id": "kone", "org": "lvv", "name": "Kone", "roles": ["inspector"]}]})
    same(w.straight(shown(w.pem("client"))), 401, "no longer a system")
    w.stop()


def test_proxy__is_listened_for_on_this_machine_only():
    a = Archive()
    for bad in ("0.0.0.0:0", "example.org:80", "[::]:0", "127.0.0.2.example:1", "localhost:0", ""):
        p = arkki("serve", a.dir, "--listen", "127.0.0.1:0", "--proxy", bad, root_key=a.key)
        same(p.returncode, 1, bad, p.stdout, p.stderr)
        check("--proxy" in p.stderr, p.stderr)
    path = os.path.join(a.top, "p.sock")
    a.serve(options=("--proxy", "unix:" + path))
    same(os.stat(path).st_mode & 0o777, 0o660)
    same(a.stop(), 0)


def test_doctor__looks_at_the_site_as_people_reach_it():
    w = World()
    try:
        url = "https://localhost:%d" % w.port
        ca = ("--ca", w.top + "/ca.pem")
        p = w.a.run("doctor", w.a.dir, "--url", url)
        check("bad   site: %s/fi/sign-in does not open" % url in p.stdout, "an unknown authority is trusted", p.stdout)
        said = w.a.run("doctor", w.a.dir, "--url", url + "/", *ca).stdout
        for line in ("ok    site: ", "ok    TLS: the certificate holds for 29 days", "ok    pages: ", "ok    archive there: is arkki.test",
                     "ok    inside: ", "warn  HSTS: "):
            check("\n" + line in said, line, "is not in", said)
        check("its clock" not in said, said)
        plain = "http://127.0.0.1:%d" % w.a.port
        said = w.a.run("doctor", w.a.dir, "--url", plain).stdout
        for line in ("bad   TLS: %s is not https" % plain, "bad   cookies: "):
            check("\n" + line in said, line, "is not in", said)
        other = Archive(origin="other.test")
        said = other.run("doctor", other.dir, "--url", plain).stdout
        check("\nbad   archive there: %s serves another archive than other.test" % plain in said, said)
    finally:
        w.stop()
