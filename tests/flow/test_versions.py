"""New versions, changes of metadata, and their conditions."""

import threading

from arkki_flow import check, form, metadata, same, world


def test_version__needs_the_tag_of_the_document():
    w = world()
    f = w.file()
    to = "/v1/documents/%s/versions" % f.id
    same(w.post_document({}, b"toinen\n", to=to).status, 428)
    same(w.version(f.id, b"toinen\n", etag='"vanha"').status, 412)
    same(w.version(f.id, b"toinen\n", etag='W/' + f.etag).status, 412, "a weak tag")
    check(w.version(f.id, b"toinen\n", etag="nonsense").status in (400, 412))
    r = w.version(f.id, b"toinen\n", etag='"x", ' + w.etag(f.id))
    same(r.status, 201, r.body[:200])
    same((r.json()["version"], r.json()["versions"]), (2, 2))
    same(r.header("Location"), "/v1/documents/" + f.id)
    check(r.header("ETag") not in (None, f.etag), "a new tag")
    same(w.version(f.id, b"kolmas\n", etag=f.etag).status, 412, "the old tag")
    same(w.version(f.id, b"kolmas\n", etag=r.header("ETag")).status, 201, "the tag of the answer")


def test_version__keeps_what_it_does_not_say():
    w = world()
    f = w.file(title="Luonnos", state="draft", case="c1")
    r = w.version(f.id, b"allekirjoitettu\n", {"state": "final", "title": "Valmis"})
    same(r.status, 201, r.body[:200])
    d = r.json()
    same((d["title"], d["state"], d["case"], d["units"]), ("Valmis", "final", "c1", ["koivula"]))
    old = w.json("/v1/documents/%s/versions/1" % f.id)
    same((old["title"], old["state"], old["version"]), ("Luonnos", "draft", 1))


def test_version__checks_its_metadata():
    w = world()
    f = w.file()
    r = w.version(f.id, b"toinen\n", {"title": "", "colour": 1})
    same(r.status, 422)
    same(r.fields(), ["colour", "title"])
    same(w.version(f.id, b"toinen\n", {"units": ["mantyla"]}).status, 403)
    same(w.version(f.id, b"").status, 422)
    same(w.json("/v1/documents/" + f.id)["version"], 1)


def test_version__of_equal_bytes_is_already_filed():
    w = world()
    f = w.file(content=b"samat tavut\n")
    r = w.version(f.id, b"samat tavut\n")
    same(r.status, 409)
    check("already-filed" in r.json()["type"], r.json())
    same(w.json("/v1/documents/" + f.id)["version"], 1)
    check(w.file(content=b"samat tavut\n").id != f.id, "another document may have equal bytes")
    same(w.version(f.id, b"muut tavut\n").status, 201)
    same(w.version(f.id, b"samat tavut\n").status, 201, "equal to an older version")


def test_version__of_two_writers_one_wins():
    w = world()
    f = w.file()
    tag = w.etag(f.id)
    for n in range(5):
        got = []
        ts = [threading.Thread(target=lambda i=i: got.append(
            w.version(f.id, b"kierros %d kirjoittaja %d\n" % (n, i), etag=tag))) for i in range(4)]
        [t.start() for t in ts]
        [t.join() for t in ts]
        same(sorted(r.status for r in got), [201, 412, 412, 412])
        tag = w.etag(f.id)
        same(w.json("/v1/documents/" + f.id)["version"], n + 2)


def test_version__repeated_with_its_key_is_the_same_version():
    w = world()
    f = w.file()
    h = {"Idempotency-Key": "versio-%s" % f.id}
    first = w.version(f.id, b"toinen\n", etag=f.etag, headers=h)
    same(first.status, 201)
    again = w.version(f.id, b"toinen\n", etag=f.etag, headers=h)
    same(again.status, 201, "the retry carries the old tag", again.body[:200])
    same((again.json()["id"], again.json()["version"]), (f.id, 2))
    same(w.version(f.id, b"muut\n", etag=f.etag, headers=h).status, 422, "other bytes under the key")
    same(w.json("/v1/documents/" + f.id)["versions"], 2)
    other = w.file()
    same(w.version(other.id, b"toinen\n", headers=h).status, 422, "the key on another document")
    third = w.version(f.id, b"kolmas\n")
    same(third.status, 201)
    late = w.version(f.id, b"toinen\n", etag=f.etag, headers=h)
    same((late.status, late.json()["version"]), (201, 2), "a late retry is answered with its own version")


def test_versions__are_listed_oldest_first():
    w = world()
    f = w.file(content=b"yksi\n", name="yksi.txt")
    w.version(f.id, b"kaksi ja\n", user="risto")
    w.version(f.id, b"kolme taas\n")
    v = w.json("/v1/documents/%s/versions" % f.id)["versions"]
    same([x["version"] for x in v], [1, 2, 3])
    same([x["size"] for x in v], [5, 9, 11])
    same([x["filedBy"] for x in v], ["maija", "risto", "maija"])
    for x in v:
        for k in ("version", "filedAt", "filedBy", "mediaType", "size", "sha256"):
            check(k in x, k)
        same(w.get("/v1/documents/%s/versions/%d/content" % (f.id, x["version"])).status, 200)
    check(v[0]["filedAt"] <= v[1]["filedAt"] <= v[2]["filedAt"], "times")


def test_version__number_that_is_none_is_404():
    w = world()
    f = w.file()
    for n in ("0", "2", "-1", "01", "1.0", "x", "999999", "9999999999999999999999"):
        for tail in ("", "/content", "/text", "/proof"):
            same(w.get("/v1/documents/%s/versions/%s%s" % (f.id, n, tail)).status, 404, n + tail)


def test_patch__makes_a_new_record():
    w = world()
    f = w.file(title="Vanha", publicTitle="Julkinen", case="c1", visitDate="2026-03-01")
    r = w.patch(f.id, {"title": "Uusi", "publicTitle": None, "visitDate": None})
    same(r.status, 200, r.body[:200])
    d = r.json()
    same(d["title"], "Uusi")
    check(d.get("publicTitle") is None and d.get("visitDate") is None, "removed", d)
    same((d["version"], d["versions"], d["case"]), (1, 1, "c1"))
    same(d["sha256"], f.doc["sha256"])
    check(r.header("ETag") not in (None, f.etag), "a new tag")
    same(w.json("/v1/documents/" + f.id)["title"], "Uusi")
    same(w.patch(f.id, {"title": "x"}, etag=f.etag).status, 412)
    same(w.patch(f.id, {"title": "x"}, etag=r.header("ETag")).status, 200)
    kinds = [e["kind"] for e in w.json("/v1/documents/%s/history" % f.id)["events"]]
    same(len(kinds), 3, kinds)


def test_patch__is_refused_in_order():
    w = world()
    f = w.file()
    url = "/v1/documents/" + f.id
    js = {"Content-Type": "application/json"}
    same(w.send("PATCH", url, None, js, "{").status, 401)
    same(w.send("PATCH", "/v1/documents/" + "0" * 32, "maija", js, "{").status, 404)
    same(w.send("PATCH", url, "helmi", js, "{").status, 403)
    same(w.send("PATCH", url, "pertti", js, "{").status, 403)
    same(w.send("PATCH", url, "maija", js, "{").status, 428)
    same(w.send("PATCH", url, "maija", dict(js, **{"If-Match": '"x"'}), "{").status, 412)
    ok = {"If-Match": w.etag(f.id)}
    same(w.send("PATCH", url, "maija", dict(js, **ok), "{").status, 400)
    same(w.send("PATCH", url, "maija", dict(ok, **{"Content-Type": "text/plain"}), "{}").status, 415)
    for meta, fields in (({"colour": 1}, ["colour"]), ({"title": None}, ["title"]), ({"title": ""}, ["title"]),
                         ({"date": "x", "language": 4}, ["date", "language"])):
        r = w.patch(f.id, meta)
        same(r.status, 422, meta)
        same(r.fields(), fields)
    same(w.patch(f.id, {"units": ["mantyla"]}).status, 403, "into a foreign county")
    same(w.patch(f.id, {"author": "pirha"}).status, 403, "to another organisation")
    same(w.etag(f.id).replace("-p", ""), ok["If-Match"].replace("-p", ""), "the text's state may have moved on")


def test_version__is_refused_in_order():
    w = world()
    f = w.file(publicity="partly-secret")
    url = "/v1/documents/%s/versions" % f.id
    body, ct = form(b"{", b"x\n")
    h = {"Content-Type": ct}
    same(w.send("POST", url, None, h, body).status, 401)
    same(w.send("POST", url, "helmi", h, body).status, 404, "not visible")
    same(w.send("POST", url, "kone", h, body).status, 403, "visible, no filing role")
    same(w.send("POST", url, "maija", h, body).status, 428)
    same(w.send("POST", url, "maija", dict(h, **{"If-Match": '"x"'}), body).status, 412)
    same(w.send("POST", url, "maija", dict(h, **{"If-Match": w.etag(f.id)}), body).status, 400)
    same(w.send("POST", url, "maija", {"If-Match": w.etag(f.id), "Content-Type": "text/plain"}, b"").status, 415)


def test_version__star_matches_what_exists():
    w = world()
    f = w.file()
    same(w.version(f.id, b"toinen\n", etag="*").status, 201)
    same(w.patch(f.id, metadata(title="z"), etag="*").status, 200)
