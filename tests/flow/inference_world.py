"""What the no-inference tests share: people, canaries, worlds that differ by canaries alone.

A *filing* is one step of building a world. Filings that belong to a canary are left out of the
worlds that do not have it; ids are random, so answers of two worlds are compared after their
ids, tags, receipts and times are replaced by names. `sees()` is the one place that says who may
see what: it follows the rules in force.
"""

import collections
import http.client
import json
import os
import re
import shutil

from arkki_flow import Answer, Archive, check, form, metadata, same

ROLES = ("inspector", "registrar", "supervisor", "auditor", "placer", "contact", "admin", "system")
FILERS = ("inspector", "registrar", "supervisor")
ORGS = {
    "lvv": {"kind": "state-agency", "counties": ["90"], "from": "2026-01-01", "predecessors": ["esavi"]},
    "esavi": {"kind": "state-agency", "counties": ["90"]},
    "uusimaa": {"kind": "county", "counties": ["90"]},
    "pirha": {"kind": "county", "counties": ["91"]},
    "varha": {"kind": "county", "counties": ["92"]},
    "helsinki": {"kind": "municipality", "counties": ["90"], "municipalities": ["091"]},
    "eoa": {"kind": "ombudsman", "counties": []},
    "hoiva-oy": {"kind": "provider", "counties": ["90"]},
}
# lehtola and kuusela have nothing but canaries
UNITS = {
    "koivula": {"provider": "hoiva-oy", "municipality": "091", "county": "90"},
    "lehtola": {"provider": "hoiva-oy", "municipality": "049", "county": "90"},
    "mantyla": {"provider": "hoiva-oy", "municipality": "837", "county": "91"},
    "kuusela": {"provider": "hoiva-oy", "municipality": "837", "county": "91"},
}
CASES = {
    "c1": {"diaryNumber": "LVV/1234/2026", "units": ["koivula"], "org": "lvv"},
    "c2": {"diaryNumber": "PIR/7/2026", "units": ["mantyla"], "org": "pirha"},
}
# the case of the canary "unique" is there where the canary is
CANARY_CASE = {"c-kanaria": {"diaryNumber": "EOAK/31415/2026", "units": ["koivula"], "org": "eoa", "opened": "2026-02-16"}}

PLACEMENTS = [{"unit": "koivula", "org": "pirha", "from": "2025-01-01"}]

User = collections.namedtuple("User", "id org kind role")
USERS = [User("%s-%s" % (org, role), org, o["kind"], role) for org, o in ORGS.items() for role in ROLES]
PEOPLE = {u.id: u for u in USERS}


def seed_of(cases):
    return {
        "orgs": [dict(o, id=i, name={"fi": i.title()}) for i, o in ORGS.items()],
        "users": [{"id": u.id, "org": u.org, "name": u.id, "roles": [u.role]} for u in USERS],
        "units": [dict(u, id=i, name={"fi": i.title()}, serviceForm="institution", places=5) for i, u in UNITS.items()],
        "cases": [dict(c, id=i, kind="inspection") for i, c in cases.items()],
        "placements": PLACEMENTS,
    }


# ---- what is filed ----

# how: file, version or patch. canary: None for what every world has. key: Idempotency-Key.
Filing = collections.namedtuple("Filing", "doc canary how user meta content name key")


def filing(doc, how, user, content, canary=None, name="kertomus.txt", key=None, **meta):
    return Filing(doc, canary, how, user, meta, content, name, key)


LVV, PIRHA = "lvv-inspector", "pirha-inspector"
TWIN_BYTES = b"Samat tavut kahdessa asiakirjassa.\n"
# words, file name, title, years, type and language that nothing else has
CANARY_WORDS = ("kanariavaakku", "Kanariavaakku", "kanariat", "kanariatiedosto", "EOAK/31415/2026", "c-kanaria")


def base_public(n, user, **meta):
    fields = dict(title="Tarkastus %d" % n, date="2026-02-%02d" % (n + 1), units=["koivula"])
    fields.update(meta)
    return filing("base%d" % n, "file", user, b"Kertomus numero %d: hoito oli hyvaa, ruoka lamminta.\n" % n, **fields)


def hidden(doc, how="file", user=LVV, content=None, canary=None, **meta):
    """A canary's filing. Each has a word of its own beside the common one."""
    fields = {} if how == "patch" else {"publicity": {"class": "secret"}, "title": "Kanariavaakku " + doc}
    fields.update(meta)
    text = content if content is not None else ("Kanariavaakku kanariat %s salattua\n" % doc).encode()
    return filing(doc, how, user, text, canary or doc, **fields)


FILINGS = [
    base_public(0, LVV, case="c1"),
    base_public(1, LVV, type="memo"),
    hidden("secret", date="2026-02-10"),
    base_public(2, PIRHA, units=["mantyla"], case="c2"),
    filing("twin", "file", LVV, TWIN_BYTES, title="Julkinen kaksonen", date="2026-02-20"),
    hidden("twin-hidden", content=TWIN_BYTES, date="2026-02-21", key="shared-key"),
    hidden("partly", publicity={"class": "partly-secret"}, publicTitle="Kanariat julki", date="2026-02-11"),
    hidden("draft", state="draft", date="2026-02-12"),
    hidden("draft-public", state="draft", publicity={"class": "public"}, date="2026-02-13"),
    filing("newer-secret", "file", LVV, b"Julkinen versio yksi\n", title="Uusi on salainen", date="2026-02-22"),
    hidden("newer-secret", "version", units=["koivula", "lehtola"], type="complaint", language="sv", date="1931-05-05"),
    # what is hidden under a public version: something in every world, a canary in some
    filing("older-secret", "file", LVV, b"Tavallinen salaisuus\n", title="Tavallinen", publicity={"class": "secret"},
           date="2026-02-23"),
    hidden("older-secret", "version", canary="older"),
    filing("older-secret", "version", LVV, b"Julkinen versio\n", title="Vanha on salainen", date="2026-02-23",
           publicity={"class": "public"}),
    hidden("visit", visitDate="2199-01-01", publicity={"class": "public"}, type="guidance-visit-memo",
           date="2026-02-14"),
    hidden("visit-secret", visitDate="2199-01-02", date="2026-02-15"),
    hidden("lone", units=["lehtola"], date="2026-02-16"),
    hidden("lone-county", user=PIRHA, units=["kuusela"], date="2026-02-17"),
    base_public(3, "uusimaa-supervisor", language="sv", title="Rapport"),
    hidden("unique", type="client-objection", language="se", date="1901-01-01", case="c-kanaria",
           name="kanariatiedosto.txt"),
    hidden("amended", date="2026-02-18"),
    hidden("amended", "patch", title="Kanariavaakku muutettu", type="order", date="1922-02-02"),
    hidden("hushed", publicity={"class": "public"}, date="2026-02-19"),
    hidden("hushed", "patch", publicity={"class": "secret"}),
    hidden("county", user=PIRHA, units=["mantyla"], case="c2", date="2026-02-24"),
    hidden("region", units=[], type="supervision-plan", date="2026-02-25"),
    # the successor takes over a document with a draft: those who filed it do not see that
    filing("own", "file", "esavi-inspector", b"Viraston julkinen versio\n", title="Viraston asiakirja",
           date="2026-02-26"),
    hidden("own", "version", author="lvv", state="draft"),
    filing("buried", "file", LVV, b"Julkinen pohjalla\n", title="Haudattu", date="2026-02-27"),
] + [hidden("buried", "version", content=b"Kanariat kerros %d\n" % n, type=t, date="19%d0-01-01" % n)
     for n, t in enumerate(("notification", "opinion", "account", "complaint", "other", "memo"), 1)] + [
    base_public(4, "eoa-inspector", units=[], type="ombudsman-inspection-record"),
    base_public(5, LVV, language="en", title="Report of the visit"),
]


# Left out, the old versions below would have other numbers: a version number may show that
# another version exists (threat model). What it holds may not show: it is filed with other words.
REPLACED = {"older": dict(content=b"Toinen tavallinen salaisuus\n", meta={"publicity": {"class": "secret"}})}
CANARIES = sorted({f.canary for f in FILINGS if f.canary})
DOCS = sorted({f.doc for f in FILINGS})


def standing():
    """What stands after each filing: (filing, version, all its metadata)."""
    now = {}
    for f in FILINGS:
        fields = metadata() if f.how == "file" else dict(now[f.doc][1])
        fields.update(f.meta)
        fields["author"] = fields.get("author", PEOPLE[f.user].org)
        now[f.doc] = (now.get(f.doc, (0,))[0] + (f.how != "patch"), fields)
        yield f, now[f.doc][0], fields


# kinds of documents that go to the unit which they are about
ADDRESSED = ("request-for-account", "hearing-letter", "inspection-report", "supervision-decision", "admonition", "order",
             "registration-decision", "complaint-decision", "guidance-visit-memo", "pre-inspection")
READERS = ("inspector", "registrar", "supervisor", "auditor", "system")


def line(org):
    """An organisation and those before it."""
    return [org] + [p for before in ORGS[org].get("predecessors", []) for p in line(before)]


def sees_version(user, fields, glass=False):
    """policies/arkki.cedar once more, in other words: may this user know of a version with these
    metadata? glass: with a stated reason to break the glass."""
    org, own = ORGS[user.org], fields["author"] in line(user.org)
    units = [UNITS[u] for u in fields["units"]]
    final, coming = fields.get("state", "final") == "final", fields.get("visitDate", "") > "2100"
    if user.kind == "ombudsman":
        return True
    if not final and not own:
        return False
    if coming and not own and any(u["provider"] in line(user.org) for u in units):
        return False
    if fields["publicity"]["class"] == "public" and final and not coming:
        return True
    if user.role == "contact" and final and not coming and len(units) == 1 and fields["type"] in ADDRESSED:
        if units[0]["provider"] in line(user.org):
            return True
    if user.role == "contact" and user.kind == "provider" and own and not coming:
        return True
    if glass and user.kind in ("state-agency", "county", "municipality") and user.role in ("inspector", "supervisor"):
        if final and units and not coming:
            return True
    if user.role not in READERS:
        return False
    if own or user.kind == "state-agency":
        return True
    placed = any(p["unit"] in fields["units"] and p["org"] == user.org for p in PLACEMENTS)
    if user.kind == "county":
        return placed or any(u["county"] in org["counties"] for u in units)
    if user.kind == "municipality":
        return placed or any(u["municipality"] in org.get("municipalities", []) for u in units)
    return False


def _final_versions():
    """The metadata that each version ends with, and the canary that it belongs to."""
    last = {}
    for f, version, fields in standing():
        last[f.doc, version] = (f.canary, fields)
    return last


VERSIONS = _final_versions()


def sees(user, canary):
    """Whether the user may see anything of the canary: then it is in the world that the user is
    compared with. Some of its versions and not others would make the canary no test: refused."""
    said = {sees_version(user, fields) for name, fields in VERSIONS.values() if name == canary}
    check(len(said) == 1, "split the canary", canary, "in two")
    return said.pop()


def visible(user, doc, canaries, glass=False):
    """The numbers of the versions that the user sees of doc in a world with these canaries."""
    return [v for (d, v), (c, fields) in sorted(VERSIONS.items())
            if d == doc and (not c or c in canaries) and sees_version(user, fields, glass)]


def classes():
    """Users by the set of canaries that they see; without those who see all."""
    found = collections.defaultdict(list)
    for u in USERS:
        found[frozenset(c for c in CANARIES if sees(u, c))].append(u)
    found.pop(frozenset(CANARIES), None)
    return dict(found)


# ---- worlds ----

_template = None


def template():
    """Registers and a token for each user, once: the worlds are copies, with the same keys."""
    global _template
    if _template is None:
        a = Archive(seed=seed_of(CASES), origin="kanaria.test").serve()
        admin = Admin(a)
        for u in USERS:
            a.tokens[u.id] = admin.token(u.id)
        same(a.stop(), 0)
        _template = a
    return _template


class Admin:
    """Tokens through the admin socket: a process for each would take five seconds."""

    def __init__(self, archive):
        self.archive = archive

    def token(self, user):
        import socket
        fd = os.open(os.path.join(self.archive.dir, "run"), os.O_PATH)
        s = socket.socket(socket.AF_UNIX)
        try:
            s.settimeout(10)
            s.connect("/proc/self/fd/%d/admin.sock" % fd)
            s.sendall(("POST /admin/tokens?user=%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                       "Content-Length: 0\r\n\r\n" % user).encode())
            r = http.client.HTTPResponse(s)
            r.begin()
            return json.loads(r.read())["token"]
        finally:
            s.close()
            os.close(fd)


class World(Archive):
    """The base filings and some canaries."""

    def __init__(self, canaries, filings=None):
        super().__init__(make=False)
        template().copy_to(self)
        self.canaries = frozenset(canaries)
        self.ids = {}     # of documents, by name
        self.names = {}   # the other way round
        self.connections = {}
        self.exact = False  # compare with itself: nothing is replaced but what chance gives
        self.serve()
        self.build(FILINGS if filings is None else filings)

    def build(self, filings):
        if "unique" in self.canaries and "unique" not in self.ids:
            self.load(seed_of(CANARY_CASE))
        for f in filings:
            if not f.canary or f.canary in self.canaries:
                self.carry_out(f)
            elif f.canary in REPLACED:
                self.carry_out(f._replace(**REPLACED[f.canary]))
        self.until_indexed("lvv-admin")

    def carry_out(self, f):
        headers = {"Idempotency-Key": f.key} if f.key else {}
        if f.how == "file":
            r = self.post_document(metadata(**f.meta), f.content, f.user, headers, name=f.name)
            same(r.status, 201, f.doc, r.body[:300])
            self.know(f.doc, r.json()["id"])
            return
        ident = self.ids[f.doc]
        etag = self.etag(ident, f.user)
        if f.how == "patch":
            r = self.patch(ident, f.meta, f.user, etag)
        else:
            r = self.version(ident, f.content, f.meta, f.user, etag, headers, f.name)
        same(r.status, 200 if f.how == "patch" else 201, f.doc, r.body[:300])

    def know(self, doc, ident):
        self.ids[doc] = ident
        self.names[ident] = doc

    # ---- asking, on a connection that stays ----

    def ask(self, user, ask):
        h = dict(ask.headers)
        if user:
            h["Authorization"] = "Bearer " + (self.tokens.get(user) or user)
        body = ask.body
        for attempt in (0, 1, 2):
            c = self.connections.get(user)
            if c is None:
                c = self.connections[user] = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
            try:
                c.request(ask.method, ask.path, body=body, headers=h)
            except (BrokenPipeError, ConnectionResetError):
                pass  # refused before the body was taken: the answer is there all the same
            try:
                r = c.getresponse()
                return Answer(r.status, r.getheaders(), r.read())
            except (http.client.HTTPException, OSError):
                c.close()
                self.connections.pop(user, None)
                if attempt == 2:
                    raise
        return None

    def close(self):
        for c in self.connections.values():
            c.close()
        self.connections = {}
        code = self.stop()
        shutil.rmtree(self.top, True)
        return code


# ---- what is asked ----

Ask = collections.namedtuple("Ask", "method path headers body paged order_free exempt")


def ask(path, method="GET", headers=None, body=None, paged=None, order_free=False, exempt=()):
    return Ask(method, path, headers or {}, body, paged, order_free, tuple(exempt))


# ---- the same in other words ----

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
PAGE_TIME = re.compile(r"<time datetime=\"[^\"]*T[^\"]*\"[^>]*>[^<]*</time>")
# the same where no element fits, in <option>: the worlds are made one after the other, maybe not in one minute
PAGE_CLOCK = re.compile("\\d{1,2}\\.\\d{1,2}\\.\\d{4} (klo|kl\\.|at)\u00a0\\d{1,2}\\.\\d\\d")
SERVER = re.compile(r"http://127\.0\.0\.1:\d+")  # each world has a port of its own, which pages cite
HTTP_DATE = re.compile(r"\b[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} 20[0-4]\d \d\d:\d\d:\d\d GMT\b")
DOCID = re.compile(r"[0-9a-f]{32}")
FORM = re.compile(r"(?<=arkki-form=)[0-9a-f]{32}|(?<=name=\"form\" value=\")[0-9a-f]{32}")
CURSOR = re.compile(r"(?<=cursor=)[\w-]+")
HIT = re.compile(r"(?=<li class=\"hit\")")


class Plain:
    """Replaces what must differ between worlds by names."""

    def __init__(self, world):
        self.world = world
        self.settled = True  # no filing is so new that its text may be pending or ready

    def text(self, s):
        if self.world.exact:
            return FORM.sub("FORM", s)
        s = SERVER.sub("http://SERVER", s)
        s = CURSOR.sub("CURSOR", FORM.sub("FORM", HTTP_DATE.sub("DATE", TIME.sub("TIME", s))))
        return DOCID.sub(lambda m: "<%s>" % self.world.names.get(m.group(), m.group()), s)

    def value(self, v, exempt):
        if isinstance(v, dict):
            return {k: self.member(k, x, exempt) for k, x in v.items()}
        if isinstance(v, list):
            return [self.value(x, exempt) for x in v]
        return self.text(v) if isinstance(v, str) else v

    def member(self, k, v, exempt):
        if k in exempt:
            return "exempt"
        if k == "next" and not self.world.exact:
            return "cursor" if v else None
        if k == "text" and isinstance(v, dict) and v.get("state") in ("pending", "ready") and not self.settled:
            return "soon"
        return self.value(v, exempt)

    def body(self, r, a):
        media = r.header("Content-Type") or ""
        if "exempt" in a.exempt:
            return "exempt"
        if "json" in media and r.body:
            v = self.value(json.loads(r.body), a.exempt)
            if a.order_free and v.get("next"):
                v["next"] = "cursor"  # names the hit before it, whose place is as free as that of the others
            return v
        text = r.body.decode("utf-8", "replace")
        text = self.text(PAGE_CLOCK.sub("DAY AND TIME", PAGE_TIME.sub("<time>", text)))
        text = CURSOR.sub("CURSOR", text) if a.order_free else text
        return HIT.split(text) if a.order_free and "html" in media else text

    def headers(self, r, a):
        out = {}
        for k, v in sorted(r.headers):
            k = k.lower()
            if k == "date" or k == "arkki-receipt" and r.status in (403, 404):
                continue  # refusals are logged at a bounded rate: a test of its own looks at them
            if k == "arkki-receipt":
                v = "%d long" % len(v)
            elif k == "etag" and not self.world.exact:
                v = re.sub(r"[0-9a-f]{32}" if self.settled else r"[0-9a-f]{32}(-p)?", "TAG", v)
            elif k == "content-length" and (r.body or a.exempt):
                check(a.method == "HEAD" or int(v) == len(r.body), "Content-Length")
                v = "length"
            out[k] = out.get(k, "") + self.text(v) + "\n"
        return out

    def answer(self, r, a):
        return r.status, self.headers(r, a), self.body(r, a)


def pages(world, user, a):
    """The answers of all pages, plain."""
    plain = Plain(world)
    name, param = a.paged if a.paged else (None, None)
    out, at = [], a
    for _ in range(200):
        r = world.ask(user, at)
        out.append(plain.answer(r, a))
        if not name or r.status != 200 or a.method == "HEAD":
            break
        d = r.json()
        if not d["next"] or not d[name]:
            break
        if a.method == "POST":
            at = a._replace(body=json.dumps(dict(json.loads(a.body), cursor=d["next"])))
        else:
            at = a._replace(path=a.path + ("&" if "?" in a.path else "?") + param + "=" + d["next"])
    else:
        check(False, "the pages do not end", a.path)
    return whatever_order(out) if a.order_free else out


def whatever_order(answers):
    """Hits by relevance stand in an order that the statistics of all documents decide (threat
    model): all of them are compared, not their places."""
    hits, rest = [], []
    for status, headers, body in answers:
        if isinstance(body, dict) and "hits" in body:
            hits += body["hits"]
            body = dict(body, hits=len(body["hits"]))
        elif isinstance(body, list):
            tail = body[-1].split("</li>", 1)
            hits += body[1:-1] + tail[:1]
            body = [body[0]] + tail[1:]
        rest.append((status, headers, body))
    return rest + [sorted(json.dumps(h, sort_keys=True) for h in hits)]


def differences(a, b, at=""):
    """Where two plain answers differ, for the message."""
    if isinstance(a, dict) and isinstance(b, dict):
        for k in list(a) + [k for k in b if k not in a]:
            yield from differences(a.get(k, "(missing)"), b.get(k, "(missing)"), "%s.%s" % (at, k))
    elif isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)) and len(a) == len(b):
        for i, (x, y) in enumerate(zip(a, b)):
            yield from differences(x, y, "%s[%d]" % (at, i))
    elif a != b:
        if isinstance(a, str) and isinstance(b, str):
            n = len(os.path.commonprefix([a, b]))
            a, b = a[max(0, n - 40):n + 80], b[max(0, n - 40):n + 80]
        yield "%s: without %.300r, with %.300r" % (at, a, b)
