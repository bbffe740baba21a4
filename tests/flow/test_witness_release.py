"""A class that asks for cosigned reads, before witnesses of every sort: released by two of three that have signed, and by nothing
else. Real witnesses, some of them behind a wire that is slow, talks too much, or lies. The documents are made up."""

import http.client
import http.server
import threading
import time

from arkki_flow import Archive, check, same
from test_witness import Witness, all_cosigned, cosigned_file, policy, require, until, witnessing

SAID = {"Arkki-Purpose": "valvonta", "Arkki-Case": "c1"}


class Wire:
    """In front of a real witness: passes its answers on, late, with more in them, or says something of its own."""

    def __init__(self, witness):
        wire, self.delay, self.more, self.instead, self.asked = self, 0, None, None, 0

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                wire.asked += 1
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if wire.instead:
                    status, answer = wire.instead
                else:
                    c = http.client.HTTPConnection("127.0.0.1", witness.port, timeout=20)
                    c.request("POST", self.path, body)
                    r = c.getresponse()
                    status, answer = r.status, r.read()
                    c.close()
                    time.sleep(wire.delay)
                    if wire.more and status == 200:
                        answer = wire.more(answer)
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, *_):  # the archive may hang up first
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.line = "witness %s %s http://127.0.0.1:%d/\n" % (witness.name, witness.vkey, self.server.server_address[1])
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def three(names="one two three"):
    """An archive whose secrets wait for two of three witnesses, each behind a wire."""
    w = Archive()
    witnesses = [Witness(w.top, n).knows(w).serve() for n in names.split()]
    wires = [Wire(x) for x in witnesses]
    policy(w, [x.line for x in wires], "group enough 2 %s\nquorum enough\n" % names)
    require(w, "secret")
    return w, witnesses, wires


def read(w, doc):
    start = time.monotonic()
    r = w.send("GET", "/v1/documents/%s/versions/1/content" % doc, "maija", SAID)
    return r, time.monotonic() - start


def withheld(w, doc):
    before = len(w.audit(document=doc))
    r, took = read(w, doc)
    same((r.status, r.json()["type"]), (503, "urn:arkki:problem:not-cosigned"), r.body)
    check(r.header("Retry-After") and int(r.header("Retry-After")) > 0, r.headers)
    check(r.json().get("title") and b"salaisuus" not in r.body, r.body)
    check(took < 30, "it waited", took)
    check(len(w.audit(document=doc)) > before, "the entry stands")


def signers(w, log="access"):
    """Names of the lines in the newest cosigned checkpoint, the log's own left out; with repeats."""
    with open(cosigned_file(w, log), encoding="utf-8") as f:
        lines = f.read().split("\n\n", 1)[1].splitlines()
    return [line.split()[1] for line in lines if not line.split()[1].startswith("arkki.test/")]


def ended(w, *witnesses):
    w.stop()
    for x in witnesses:
        if x.process:
            x.stop()


def test_release__waits_for_the_slow_one_when_another_is_dead():
    w, (one, two, three_), (_, slow, _) = three()
    w.serve()
    secret = w.file(publicity="secret", content=b"salaisuus\n").id
    until(lambda: all_cosigned(w))
    three_.stop()
    slow.delay = 3
    time.sleep(0.5)
    index = len(w.audit()) - 1
    r, took = read(w, secret)
    same((r.status, r.body), (200, b"salaisuus\n"))
    check(took > 1.5, "released before the second had signed: %.1f s" % took)
    check(witnessing(w)["logs"][1]["cosignedSize"] > index, "cosigned below the read")
    same(sorted(set(signers(w))), ["witness.test/one", "witness.test/two"])
    # a slow one too many: nothing is released, and the other classes do not wait
    slow.delay = 12
    withheld(w, secret)
    start = time.monotonic()
    public = w.file(content=b"julkinen\n").id
    same(w.get("/v1/documents/%s/versions/1/content" % public).body, b"julkinen\n")
    check(time.monotonic() - start < 5, "a public one waited")
    slow.delay = 0
    until(lambda: read(w, secret)[0].status == 200, 90)
    ended(w, one, two)


def test_release__one_that_talks_for_many_is_one():
    w, (one, two, three_), (noisy, _, _) = three()

    def with_more(answer):
        stranger = b"\xe2\x80\x94 witness.test/stranger " + answer.split()[2] + b"\n"
        in_the_name_of = b"\xe2\x80\x94 witness.test/two " + answer.split()[2] + b"\n"
        return (stranger + answer * 3 + in_the_name_of + b"\xe2\x80\x94 witness.test/two AAAA\n" +
                b"\xe2\x80\x94 witness.test/three !!!!\n" + answer)

    w.serve()
    secret = w.file(publicity="secret", content=b"salaisuus\n").id
    until(lambda: all_cosigned(w))
    noisy.more = with_more
    two.stop()
    three_.stop()
    withheld(w, secret)
    two.serve()
    until(lambda: read(w, secret)[0].status == 200, 90)
    same(sorted(signers(w)), ["witness.test/one", "witness.test/two"], "each once, and nobody else")
    check(noisy.asked > 1, "it was asked")
    w.stop()
    same(w.verify().returncode, 0)
    ended(w, one, two)


def test_release__broken_lines_of_one_do_not_spoil_the_others():
    w, (one, two, three_), (_, _, liar) = three()
    w.serve()
    secret = w.file(publicity="secret", content=b"salaisuus\n").id
    until(lambda: all_cosigned(w))
    until(lambda: {x["name"]: x for x in witnessing(w)["witnesses"]}["three"]["logs"][1]["size"] > 0)
    # after its first word it says that it has seen more, or nonsense: two are still enough
    for answer in ((409, b"99999999\n"), (200, b"\xe2\x80\x94 witness.test/three \n"), (200, b"\xff\xfe\n" * 9), (200, b""),
                   (200, b"\xe2\x80\x94 witness.test/one AAAAAAAAAAAAAAAA\n" * 900), (422, b"\0"), (500, b"x" * 99999)):
        liar.instead = answer
        r, took = read(w, secret)
        same((r.status, r.body), (200, b"salaisuus\n"), answer[0], answer[1][:40])
        check(took < 12, "it delayed the others", took)
    # with one of the others gone, its lies count for nobody
    liar.instead = (200, b"\xe2\x80\x94 witness.test/two AAAAAAAAAAAAAAAAAAAAAAAAAAAA\n")
    two.stop()
    withheld(w, secret)
    liar.instead = None
    until(lambda: read(w, secret)[0].status == 200, 90)
    same(sorted(signers(w)), ["witness.test/one", "witness.test/three"])
    ended(w, one, three_)


def test_release__a_text_of_the_class_waits_too():
    w, (one, two, three_), _ = three()
    w.serve()
    secret = w.file(publicity="secret", content=b"salaisuus on tekstina\n").id
    until(lambda: all_cosigned(w))
    w.settled(secret)
    two.stop()
    three_.stop()
    r = w.send("GET", "/v1/documents/%s/versions/1/text" % secret, "maija", SAID)
    same((r.status, r.json()["type"]), (503, "urn:arkki:problem:not-cosigned"), r.body)
    same(w.send("GET", "/v1/documents/" + secret, "maija", SAID).status, 200)
    two.serve()
    until(lambda: w.send("GET", "/v1/documents/%s/versions/1/text" % secret, "maija", SAID).status == 200, 90)
    ended(w, one, two)
