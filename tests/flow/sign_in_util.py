"""A browser as far as signing in needs one, and a person with a password and a second factor."""

import base64
import hashlib
import hmac
import html
import os
import re
import struct
import time
import urllib.parse

from arkki_flow import check, same

PASSWORD = "kolme sinistä hevosta"


def totp(secret, step=None):
    """RFC 6238, six digits; step: of 30 s, now when not given."""
    step = int(time.time()) // 30 if step is None else step
    digest = hmac.new(base64.b32decode(secret), struct.pack(">Q", step), hashlib.sha1).digest()
    at = digest[-1] & 15
    return "%06d" % ((struct.unpack(">I", digest[at:at + 4])[0] & 0x7fffffff) % 10 ** 6)


def conf(w, *lines):
    """Settings of an archive whose server does not run."""
    with open(os.path.join(w.dir, "arkki.conf"), "a", encoding="utf-8") as f:
        f.write("".join(line + "\n" for line in lines))


def link_code(w, user):
    """A one-time code with which the user sets a password."""
    r = w.send("POST", "/v1/users/%s/invitation" % user, "ylla")
    same(r.status, 201, "a link for", user, r.body[:300])
    check(r.json()["link"].endswith("/join#" + r.json()["code"]), r.json()["link"])
    return r.json()["code"]


class Page:
    """An answer, and what its forms need."""

    def __init__(self, answer):
        self.status, self.headers, self.body, self.header = answer.status, answer.headers, answer.body, answer.header

    def hidden(self, action):
        """What the form that is sent there sends by itself; {}: there is no such form."""
        found = re.search(r'<form[^>]* action="%s"[^>]*>(.*?)</form>' % re.escape(action), self.body.decode(), re.S)
        fields = re.findall(r'<input type="hidden" name="([a-z]+)" value="([^"]*)"', found.group(1)) if found else []
        return {name: html.unescape(value) for name, value in fields}

    def form(self, action):
        return self.hidden(action).get("form")


class Browser:
    """Keeps cookies and sends them back."""

    def __init__(self, w, headers=None):
        self.w, self.headers, self.jar, self.set = w, headers or {}, {}, {}

    def send(self, method, path, fields=None, headers=None):
        h = dict(self.headers, **(headers or {}))
        if self.jar:
            h["Cookie"] = "; ".join("%s=%s" % c for c in self.jar.items())
        body = None
        if fields is not None:
            h["Content-Type"] = "application/x-www-form-urlencoded"
            body = urllib.parse.urlencode(fields)
        page = Page(self.w.send(method, path, None, h, body))
        for name, value in page.headers:
            if name.lower() == "set-cookie":
                self.keep(value)
        return page

    def keep(self, cookie):
        name, value = cookie.split(";")[0].split("=", 1)
        self.set[name] = cookie
        if "Max-Age=0" in cookie:
            self.jar.pop(name, None)
        else:
            self.jar[name] = value

    def get(self, path):
        return self.send("GET", path)

    def post(self, path, fields, headers=None):
        return self.send("POST", path, fields, headers)

    def submit(self, page, action, headers=None, **fields):
        """Sends the page's form with these fields."""
        return self.post(action, dict(page.hidden(action), **fields), headers)

    def first_step(self, user, password=PASSWORD):
        """The page that asks for the code."""
        r = self.submit(self.get("/fi/sign-in"), "/fi/sign-in", user=user, password=password)
        same((r.status, (r.header("Location") or "").split("?")[0]), (303, "/fi/sign-in/code"), "the first step of", user)
        return self.get(r.header("Location"))

    def sign_in(self, who, code=None, password=PASSWORD):
        r = self.submit(self.first_step(who.user, password), "/fi/sign-in/code", code=code or who.code())
        same((r.status, r.header("Location")), (303, "/fi/"), "the second step of", who.user)
        return self


class Member:
    """Somebody who has joined. Codes of the second factor count once, so that recovery codes do for most sign-ins."""

    def __init__(self, user, secret, codes, step):
        self.user, self.secret, self.codes, self.confirmed_at = user, secret, codes, step

    def code(self):
        check(self.codes, "no recovery codes left for", self.user)
        return self.codes.pop()

    def next_step(self):
        """A step whose code has not been used: waits for it when it has."""
        while int(time.time()) // 30 <= self.confirmed_at:
            time.sleep(0.2)
        self.confirmed_at = int(time.time()) // 30
        return self.confirmed_at


def member(w, user, code, browser=None):
    """Takes the account into use: password and second factor."""
    b = browser or Browser(w)
    r = b.submit(b.get("/fi/join"), "/fi/join", code=code)
    same(r.status, 200, "the code of", user)
    r = b.submit(r, "/fi/join", code=code, step="password", new=PASSWORD, again=PASSWORD)
    same((r.status, r.header("Location")), (303, "/fi/account/second-factor"), "the password of", user)
    r = b.submit(b.get("/fi/account/second-factor"), "/fi/account/second-factor")
    secret = re.search(r'name="secret" value="([A-Z2-7]{32})"', r.body.decode()).group(1)
    step = int(time.time()) // 30
    r = b.submit(r, "/fi/account/second-factor", secret=secret, code=totp(secret, step))
    same(r.status, 200, "the second factor of", user)
    return Member(user, secret, re.findall(r"<code>([a-z2-7-]{19})</code>", r.body.decode()), step)
