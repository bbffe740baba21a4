"""A destruction cut off at its durable steps goes on, and leaves nothing in the end.

The server is killed at steps spread over a whole destruction (all of them with ARKKI_CRASH=full), started again, and the
run repeated: then the document is gone everywhere, its tombstone is one, and everything verifies. What is not
destroyed stays readable throughout. The documents are made up.
"""

import json
import os
import signal

from crash_util import FULL, POINTS, Archive, check, metadata, same

SPREAD = 4
SECRET = "Tulppaanimyrsky"
ROWS = [{"id": "reports", "type": "inspection-report", "years": 0, "from": "document-date", "then": "destroy"}]
USERS = {"users": [{"id": u, "org": "lvv", "name": u, "roles": [r]}
                   for u, r in (("risto", "registrar"), ("raija", "registrar"), ("ylla", "admin"))]}


def sent(a, method, path, user, body, status, **headers):
    h = dict({"Content-Type": "application/json"}, **headers)
    r = a.send(method, path, user, h, json.dumps(body))
    same(r.status, status, method, path, r.body[:300])
    return r


def approved():
    """A stopped archive with two documents: one to be destroyed, one to stay."""
    a = Archive().make()
    seed = os.path.join(a.top, "users.json")
    with open(seed, "w", encoding="utf-8") as f:
        json.dump(USERS, f)
    a.must("load", a.dir, seed)
    for user in ("risto", "raija", "ylla"):
        a.tokens[user] = a.must("token", "create", a.dir, "--user", user).strip()
    a.serve()
    tag = a.get("/v1/retention", "ylla").headers["etag"]
    sent(a, "PUT", "/v1/retention", "ylla", {"rows": ROWS}, 200, **{"If-Match": tag})
    gone = a.post("/v1/documents", metadata(title=SECRET), (SECRET + "\n").encode()).json()["id"]
    stays = a.post("/v1/documents", metadata(title="Pysyvä"), b"pysyva\n").json()["id"]
    url = "/v1/documents/%s/dispose" % gone
    sent(a, "POST", url, "risto", {"action": "destroy", "ground": "säilytysaika"}, 201)
    same(a.send("POST", url + "/approve", "raija").status, 200)
    a.stop()
    return a, gone, stays


def dispose(a):
    return a.run("dispose", a.dir, "run")


def bytes_left(a):
    left = []
    for at, _, names in os.walk(a.dir):
        for name in names:
            path = os.path.join(at, name)
            if os.path.isfile(path):
                with open(path, "rb") as f:
                    data = f.read()
                left += [path for s in (SECRET, SECRET.lower()) if s.encode() in data or s.encode("utf-16-le") in data]
    return left


def ended_well(a, gone, stays, step):
    r = a.get("/v1/documents/" + gone)
    same(r.status, 410, "after", step, r.body[:200])
    same(r.json()["tombstone"]["state"], "destroyed", "after", step)
    same(a.get("/v1/documents/%s/versions/1/content" % stays).body, b"pysyva\n", "after", step)
    kinds = [e["kind"] for e in a.audit("history", document=gone)]
    same(kinds, ["filing", "disposal-proposed", "disposal-approved", "destruction", "destroyed"], "after", step)
    a.stop()
    same(bytes_left(a), [], "after", step)
    check("1 destroyed" in a.verify("--full"), "after", step)


def steps_of(base, gone, stays):
    a = base.copy()
    a.serve()
    a.arm_now()
    before = count(a)
    same(dispose(a).returncode, 0)
    steps = count(a) - before
    ended_well(a, gone, stays, "no kill")
    a.drop()
    return steps


def count(a):
    if not os.path.exists(a.trace):
        return 0
    with open(a.trace, "rb") as f:
        return f.read().count(b"\n")


def killed_at(base, gone, stays, step):
    a = base.copy()
    a.serve(kill_at=step)
    a.arm_now()
    p = dispose(a)
    cut = p.returncode != 0
    if cut:
        a.process.wait(30)
    a.stop(signal.SIGKILL)
    a.serve()
    r = a.get("/v1/documents/" + gone)
    check(r.status in (200, 410), "after", step, r.status)
    same(dispose(a).returncode, 0, "after", step)
    ended_well(a, gone, stays, step)
    a.drop()
    return cut


def test_destruction__goes_on_wherever_it_was_cut_off():
    base, gone, stays = approved()
    n = steps_of(base, gone, stays)
    check(n > 20, "steps", n)
    points = range(1, n + 1) if FULL else range(1, n + 1, max(1, n // SPREAD))
    cut = sum(killed_at(base, gone, stays, k) for k in points)
    check(cut >= len(points) // 2, "killed", cut, "of", len(points))
    POINTS["destruction through the server"] += cut
    return "%d durable steps, killed at %d of %d points" % (n, cut, len(points))
