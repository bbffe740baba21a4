"""A little identity provider that lies on demand: OpenID Connect with what the tests need of it, and nothing more.

It signs with RS256 by the openssl program. `lie` holds what it is to do wrong; see where it is looked up.
"""

import base64
import hashlib
import http.server
import json
import os
import secrets
import subprocess
import tempfile
import threading
import time
import urllib.parse

LOGOUT = "http://schemas.openid.net/event/backchannel-logout"
CLIENT, SECRET = "arkki-client", "salaisuus: ä/&=+ ei kenellekään"


def b64(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def openssl(*args, data=None):
    p = subprocess.run(["openssl", *args], input=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=True)
    return p.stdout


class Key:
    def __init__(self, directory, kid):
        self.kid = kid
        self.path = os.path.join(directory, secrets.token_hex(8) + ".pem")
        openssl("genrsa", "-out", self.path, "2048")
        modulus = openssl("rsa", "-in", self.path, "-noout", "-modulus").decode().strip().split("=")[1]
        self.n = b64(bytes.fromhex(modulus))

    def jwk(self):
        return {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.kid, "n": self.n, "e": "AQAB"}

    def sign(self, claims, header=None):
        head = {"alg": "RS256", "kid": self.kid, **(header or {})}
        text = ".".join(b64(json.dumps(part).encode()) for part in (head, claims))
        if head["alg"] == "none":
            return text + "."
        return text + "." + b64(openssl("dgst", "-sha256", "-sign", self.path, data=text.encode()))


class Provider:
    def __init__(self, port=0):
        self.top = tempfile.mkdtemp(prefix="arkki-idp-")
        self.keys = [Key(self.top, "k1")]
        self.lie = {}
        self.asked = []  # paths, in order
        self.codes = {}
        self.access, self.bearer = "", False  # the last access token; whether userinfo was asked with it
        provider = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                provider.answer(self, b"")

            def do_POST(self):
                provider.answer(self, self.rfile.read(int(self.headers.get("Content-Length", 0))))

            def log_message(self, *_):
                pass

        http.server.ThreadingHTTPServer.daemon_threads = True
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.port = self.server.server_port
        self.issuer = "http://127.0.0.1:%d/realm" % self.port
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def end(self):
        self.server.shutdown()
        self.server.server_close()

    def config(self, id="lvv-idp", **more):
        return {"id": id, "name": {"fi": "LVV:n kirjautuminen", "sv": "LVV:s inloggning"}, "issuer": self.issuer,
                "clientId": CLIENT, "clientSecret": SECRET, "org": "lvv",
                "user": {"claim": "preferred_username", "match": "id"}, **more}

    # ---- what it says ----

    def discovery(self):
        return {"issuer": self.issuer, "authorization_endpoint": self.issuer + "/authorize?tenant=1",
                "token_endpoint": self.issuer + "/token", "jwks_uri": self.issuer + "/keys",
                "end_session_endpoint": self.issuer + "/end", "response_types_supported": ["code"],
                "code_challenge_methods_supported": ["S256"], "id_token_signing_alg_values_supported": ["RS256"],
                **self.lie.get("discovery", {})}

    def grant(self, asked, claims, header=None):
        """What the provider's own pages do: the user has signed in. The code for this authorization request."""
        code = secrets.token_urlsafe(12)
        now = int(time.time())
        self.codes[code] = (asked, {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300,
                                    "nonce": asked["nonce"], **claims}, header)
        return code

    def logout_token(self, key=None, **claims):
        now = int(time.time())
        token = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 120, "jti": secrets.token_hex(8),
                 "events": {LOGOUT: {}}, **claims}
        return (key or self.keys[0]).sign({k: v for k, v in token.items() if v is not None}, {"typ": "logout+jwt"})

    def answer(self, h, body):
        path = urllib.parse.urlsplit(h.path).path
        what = path.rsplit("/", 1)[-1]
        self.asked.append(path)
        lie = self.lie.get(what, None)
        if isinstance(lie, (int, float)) and lie < 100:
            time.sleep(lie)
        elif isinstance(lie, int):
            return self.send(h, lie, {"error": "server_error"})
        elif isinstance(lie, str):
            h.send_response(302)
            h.send_header("Location", lie)
            h.send_header("Content-Length", "0")
            h.end_headers()
            return None
        elif isinstance(lie, bytes):
            return self.send(h, 200, None, lie)
        if path == "/realm/.well-known/openid-configuration":
            return self.send(h, 200, self.discovery())
        if path == "/realm/keys":
            return self.send(h, 200, {"keys": [k.jwk() for k in self.keys]})
        if path == "/realm/token" and h.command == "POST":
            return self.send(h, *self.token(h, dict(urllib.parse.parse_qsl(body.decode()))))
        if path == "/realm/userinfo":
            self.bearer = h.headers.get("Authorization") == "Bearer " + self.access
            return self.send(h, 200, self.lie.get("claims", {}))
        return self.send(h, 404, {})

    def token(self, h, form):
        basic = "Basic " + base64.b64encode(
            ("%s:%s" % (urllib.parse.quote(CLIENT, ""), urllib.parse.quote(SECRET, ""))).encode()).decode()
        post = (form.get("client_id"), form.get("client_secret")) == (CLIENT, SECRET)
        if h.headers.get("Authorization") != basic and not post:
            return 401, {"error": "invalid_client"}
        asked, claims, header = self.codes.pop(form.get("code"), (None, None, None))
        if not asked or form.get("grant_type") != "authorization_code" or \
                form.get("redirect_uri") != asked["redirect_uri"] or \
                b64(hashlib.sha256(form.get("code_verifier", "").encode()).digest()) != asked["code_challenge"]:
            return 400, {"error": "invalid_grant"}
        self.access = access = secrets.token_urlsafe(16)
        claims = {"at_hash": b64(hashlib.sha256(access.encode()).digest()[:16]), **claims}
        signer = self.lie.get("signer", self.keys[0])
        return 200, {"access_token": access, "token_type": "Bearer", "expires_in": 60,
                     "id_token": signer.sign(claims, header)}

    @staticmethod
    def send(h, status, answer, raw=None):
        body = json.dumps(answer).encode() if raw is None else raw
        h.send_response(status)
        h.send_header("Content-Type", "application/json")
        h.send_header("Content-Length", str(len(body)))
        h.end_headers()
        try:
            h.wfile.write(body)
        except OSError:
            pass


class Browser:
    """Cookies, and no redirection followed."""

    def __init__(self, archive):
        self.archive = archive
        self.cookies = {}
        self.set = {}

    def get(self, path, method="GET", body=None, **headers):
        h = {k.replace("_", "-"): v for k, v in headers.items()}
        if self.cookies:
            h["Cookie"] = "; ".join("%s=%s" % kv for kv in self.cookies.items())
        r = self.archive.send(method, path, None, h, body)
        for k, v in r.headers:
            if k.lower() == "set-cookie":
                name, value = v.split(";")[0].split("=", 1)
                self.set[name] = v
                if "Max-Age=0" in v:
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = value
        return r

    def begin(self, provider="lvv-idp", more=""):
        """To the provider: the parameters of the authorization request, or the answer when there was none."""
        r = self.get("/auth/%s%s" % (provider, more))
        to = r.header("Location", "")
        if r.status != 303 or "/authorize?" not in to:
            return r
        return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(to).query))

    def back(self, asked, code, provider="lvv-idp", **more):
        q = {"code": code, "state": asked["state"], **more}
        q = {k: v for k, v in q.items() if v is not None}
        return self.get("/auth/%s/callback?%s" % (provider, urllib.parse.urlencode(q)))

    def sign_in(self, idp, claims, provider="lvv-idp", header=None, **more):
        asked = self.begin(provider)
        if not isinstance(asked, dict):
            return asked
        return self.back(asked, idp.grant(asked, claims, header), provider, **more)


def outcome(r):
    """How the page says that it went."""
    to = r.header("Location", "")
    if r.status != 303 or "/sign-in/provider?" not in to:
        return (r.status, to)
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(to).query)).get("outcome")
