"""What was uploaded is filed once, wherever the server dies while it is filed.

The server kills itself before or after a durable step of the filing; started again, the same request is sent once more, as a
client does that had no answer. Then there is one document, or one rendition, and its bytes are the upload's.
"""

import hashlib
import json
import signal

from crash_util import FULL, POINTS, Archive, Gone, check, metadata, same
from test_order import wait_quiet

TUS = {"Tus-Resumable": "1.0.0"}
STEPS_MAX = 80
# what goes on by itself, beside a filing
BESIDE = "!(*/ledger/*/@(tile|checkpoint|index.sqlite)*|*/derived/*|*/index/*|*/ledger/access/segments/*)"
TURNS = (("before", 0), ("after", 0)) if FULL else (("before", 0), ("after", 2))
EVERY = 1 if FULL else 5


def upload(a, content):
    r = a.send("POST", "/v1/uploads", headers=dict(TUS, **{
        "Upload-Length": str(len(content)), "Content-Type": "application/offset+octet-stream",
        "Upload-Metadata": "filename YS50eHQ=,filetype dGV4dC9wbGFpbg=="}), body=content)
    same(r.status, 201, r.body[:300])
    return r.headers["location"].split("/")[-1]


def ask(a, method, path, body, headers=None):
    return a.send(method, path, headers=dict(headers or {}, **{"Content-Type": "application/json"}),
                  body=json.dumps(body).encode())


def file_document(a, it, _doc):
    r = ask(a, "POST", "/v1/documents", {"upload": it, "metadata": metadata(title="Yksi " + it)})
    same(r.status, 201, r.body[:300])


def url_of(doc):
    return "/v1/documents/%s/versions/1/renditions/public" % doc


def tag_of(a, doc):
    """The rendition's that there is."""
    r = a.get(url_of(doc))
    check(r.status in (200, 404), r.status, r.body[:200])
    return {"If-Match": r.headers["etag"]} if r.status == 200 else {}


def file_rendition(a, it, doc):
    r = ask(a, "PUT", url_of(doc), {"upload": it}, tag_of(a, doc))
    check(r.status in (200, 201), r.status, r.body[:300])


def replace_rendition(a, doc):
    """By somebody else, so that its bytes do not tell that the upload was filed."""
    r = a.send("PUT", url_of(doc), headers=dict(tag_of(a, doc), **{"Content-Type": "text/plain"}), body=b"toisen osa\n")
    check(r.status in (200, 201), r.status, r.body[:300])


def filed_renditions(a, doc):
    return len([e for e in a.audit("history", document=doc) if e.get("kind") == "rendition"])


def one_death(a, step, when, file, check_after):
    """False: the filing has fewer steps."""
    r = a.serve().post("/v1/documents", metadata(title="Pohja", publicity={"class": "partly-secret"}),
                       b"koko %d %s\n" % (step, when.encode()))
    same(r.status, 201, r.body[:300])
    doc = r.json()["id"]
    content = ("osa %d %s\n" % (step, when)).encode()
    it = upload(a, content)
    a.stop()
    a.serve(kill_at=step, kill_when=when, count=BESIDE)
    wait_quiet(a)
    a.arm_now()
    died = False
    try:
        file(a, it, doc)
    except Gone:
        died = True
    a.stop(signal.SIGKILL)
    a.serve()
    check_after(a, it, doc, hashlib.sha256(content).hexdigest(), "after a death %s step %d" % (when, step))
    a.stop()
    return died


def document_once(a, it, _doc, sha256, when):
    file_document(a, it, None)
    r = a.get("/v1/documents?limit=100")
    same([d["sha256"] for d in r.json()["documents"] if d["title"] == "Yksi " + it], [sha256], when)


def rendition_once(a, it, doc, _sha256, when):
    replace_rendition(a, doc)
    file_rendition(a, it, doc)
    same(filed_renditions(a, doc), 2, "the upload's and another's,", when)


def at_each_step(what, file, check_after):
    a = Archive().make()
    deaths = 0
    for when, first in TURNS:
        for step in range(1 + first, STEPS_MAX, EVERY):
            if not one_death(a, step, when, file, check_after):
                break
            deaths += 1
            POINTS["an upload filed as " + what] += 1
        check(step < STEPS_MAX - EVERY, "no end at step", step)
    check(deaths >= 6, "too few steps:", deaths)
    said = a.verify("--full")
    a.drop()
    return "%d deaths; %s" % (deaths, said)


def test_uploads__filed_as_a_document_are_filed_once():
    return at_each_step("a document", file_document, document_once)


def test_uploads__filed_as_a_rendition_are_filed_once():
    return at_each_step("a rendition", file_rendition, rendition_once)
