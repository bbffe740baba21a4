"""Keys: changed while serving, copied elsewhere, split into shares. The documents are made up."""

import os
import subprocess
import threading

from arkki_flow import Archive, arkki, check, same

TEXT = b"Asumisyksikon tarkastuksessa todettiin puutteita.\n"


def keys(w, *args):
    return w.run("keys", *args)


def done(p):
    same(p.returncode, 0, p.stderr)
    return p.stdout


def refused(p, *words):
    same(p.returncode, 1, p.stdout)
    for word in words:
        check(word in p.stderr, word, "not in", p.stderr)


def epoch(w):
    return int(open(w.key).read().split()[1])


def doc_id(w, content):
    return w.file(publicity="public", content=content).json()["id"]


def history(w, kind):
    answer = w.json("/v1/audit/history?limit=100", "aada")
    return [e for e in answer["entries"] if e["kind"] == kind]


def test_keys__change_while_documents_are_filed_and_read():
    w = Archive().serve()
    first = doc_id(w, TEXT)
    old = open(w.key).read()
    stop, failures, filed = threading.Event(), [], [first]

    def work():
        while not stop.is_set():
            try:
                filed.append(doc_id(w, TEXT + b"%d\n" % len(filed)))
                same(w.get("/v1/documents/%s/versions/1/content" % filed[0]).body, TEXT)
            except Exception as e:  # told below, in the thread of the test
                failures.append(e)
                return

    t = threading.Thread(target=work)
    t.start()
    try:
        for n in range(3):
            done(keys(w, "rotate", w.dir, "root" if n % 2 else "shards"))
    finally:
        stop.set()
        t.join()
    same(failures, [])
    same(epoch(w), 4)
    check(not os.path.exists(w.key + ".next") and not os.path.exists(w.dir + "/keys.next"), "left over")
    w.stop()
    same(w.verify("--full").returncode, 0)
    w.serve()
    for doc in filed:
        check(w.get("/v1/documents/%s/versions/1/content" % doc).body.startswith(TEXT), doc)
    # the key of before opens nothing any more
    w.stop()
    stale = w.key + ".old"
    with open(os.open(stale, os.O_CREAT | os.O_WRONLY, 0o600), "w") as f:
        f.write(old)
    refused(arkki("verify", w.dir, root_key=stale), "does not belong to this archive")


def test_keys__are_copied_to_backups_and_a_change_waits_for_them():
    w = Archive().serve()
    w.file(publicity="public", content=TEXT)
    disk = w.dir + ".disk"
    os.mkdir(disk)
    done(keys(w, "backup", "add", w.dir, "safe", disk))
    home = os.path.join(disk, os.listdir(disk)[0])
    same(os.listdir(home), ["epoch-1"])
    done(keys(w, "rotate", w.dir, "root"))
    same(os.listdir(home), ["epoch-2"])
    os.rename(home, home + ".away")
    refused(keys(w, "rotate", w.dir, "root"), "key backup safe", "mounted")
    same(epoch(w), 2)
    check("failed" in done(keys(w, "status", w.dir)), "the failure is told")
    os.rename(home + ".away", home)
    w.file(publicity="public", content=TEXT + b"2")
    done(keys(w, "backup", "run", w.dir))
    # a lost keys/ comes back from the copy
    w.stop()
    os.rename(w.dir + "/keys", w.dir + "/lost")
    subprocess.check_call(["cp", "-a", home + "/epoch-2", w.dir + "/keys"])
    same(w.verify("--full").returncode, 0)
    done(keys(w, "backup", "remove", w.dir, "safe"))
    same(os.listdir(disk), [])


def test_keys__a_lost_root_key_is_joined_from_shares():
    w = Archive().serve()
    w.file(publicity="public", content=TEXT)
    done(keys(w, "rotate", w.dir, "root"))
    lines = [s for s in done(keys(w, "split", w.dir, "--shares", "3-of-5")).split("\n") if s]
    shares = [s for s in lines if not s.startswith("#")]
    same((len(shares), len(lines)), (5, 10))
    w.stop()
    root = open(w.key).read()
    os.unlink(w.key)
    p = w.verify()
    refused(p, w.key, "arkki keys join")

    def join(some, *args):
        return subprocess.run([os.environ.get("ARKKI_BIN", "build/arkki"), "keys", "join", "--out", w.key,
                               *args], input="\n".join(some) + "\n", capture_output=True, text=True)

    refused(join(shares[:2], w.dir), "3 different shares are needed and 2")
    refused(join([shares[0], shares[1], shares[2].replace(shares[2].split()[9], "academic")], w.dir), "share 3")
    check(not os.path.exists(w.key), "nothing is written")
    done(join([lines[8], lines[9], shares[0], shares[2]], w.dir))
    same(open(w.key).read(), root)
    same(os.stat(w.key).st_mode & 0o777, 0o600)
    same(w.verify("--full").returncode, 0)
    # after another change they are void, and that is said
    w.serve()
    check("which is past" in done(keys(w, "rotate", w.dir, "root")), "stale shares")
    refused(join(shares[:3], w.dir), "older than the last change")
    same([e["detail"] for e in history(w, "key-shares")], [{"epoch": 2, "needed": 3, "shares": 5}])
    same([(e["detail"]["epoch"], e["detail"]["state"]) for e in history(w, "epoch")],
         [(2, "begun"), (2, "in force"), (3, "begun"), (3, "in force")])


def test_keys__are_changed_in_an_archive_that_nobody_serves():
    w = Archive()
    done(keys(w, "rotate", w.dir, "root"))
    same(epoch(w), 2)
    same(w.verify("--full").returncode, 0)
    same(keys(w, "rotate", w.dir, "everything").returncode, 2)
    same(keys(w, "split", w.dir, "--shares", "five").returncode, 2)
    refused(keys(w, "split", w.dir, "--shares", "6-of-5"), "2-of-2 up to 16-of-16")


def vkeys(w, log, *options):
    return done(w.run("log", "vkey", w.dir, log, *options)).splitlines()


def follow(w, log, state, *keys_known):
    p = arkki("log", "follow", os.path.join(w.dir, "ledger", log), "--state", os.path.join(w.top, state),
              *[x for k in keys_known for x in ("--vkey", k)])
    return p


def verified_commits(w):
    git = ["git", "-C", os.path.join(w.dir, "archive.git"), "-c", "gpg.ssh.allowedSignersFile=%s/allowed_signers" % w.dir,
           "-c", "safe.directory=*"]
    commits = subprocess.check_output(git + ["rev-list", "main"], text=True).split()
    for c in commits:
        p = subprocess.run(git + ["verify-commit", c], capture_output=True, text=True)
        same(p.returncode, 0, c, p.stderr)
    return len(commits)


def test_keys__a_log_changes_its_key_and_followers_of_the_old_one_go_on():
    w = Archive().serve()
    w.file(publicity="public", content=TEXT)
    for log in ("history", "access"):
        old = vkeys(w, log)[0]
        same(follow(w, log, log + ".old", old).returncode, 0)
        done(keys(w, "rotate", w.dir, "signing", log))
        new = vkeys(w, log)[0]
        check(new != old, "another key")
        spans = [s.split() for s in vkeys(w, log, "--all")]
        same([(s[0], s[1] == "the-beginning", s[2] == "now", s[3]) for s in spans],
             [(new, False, True, "signs"), (old, True, False, "signs")])
        same(spans[0][1], spans[1][2])
        w.file(publicity="public", content=TEXT + log.encode())
        w.get("/v1/documents")
        for known in ((old,), (new,), (new, old)):
            p = follow(w, log, log + ".old", *known)
            same(p.returncode, 0, p.stderr)
        told = [e["detail"] for e in history(w, "epoch") if e["detail"].get("signing") == log]
        same([d["state"] for d in told], ["begun", "in force"])
        same((told[1]["key"], told[1]["previous"]), (new, old))
        check("previousSignsUntil" in told[1], told[1])
        # and then no more
        done(keys(w, "rotate", w.dir, "signing", log, "--retire"))
        same(vkeys(w, log, "--all")[1].split()[3], "retired")
        refused(follow(w, log, log + ".old", old), "not a checkpoint signed by")
        same(follow(w, log, log + ".old", old, new).returncode, 0)
    same(w.verify("--full").returncode, 0)
    w.stop()
    p = w.verify("--full")
    same(p.returncode, 0, p.stdout, p.stderr)
    w.serve()
    w.file(publicity="public", content=TEXT + b"later")
    same(len(vkeys(w, "history", "--all")), 2)
    w.stop()


def test_keys__commits_change_their_key_and_git_accepts_each_in_its_time():
    w = Archive().serve()
    w.file(publicity="public", content=TEXT)
    before = verified_commits(w)
    for n in range(2):
        earlier = open(w.dir + "/allowed_signers").read()
        done(keys(w, "rotate", w.dir, "signing", "git"))
        w.file(publicity="public", content=TEXT + b"%d" % n)
    same(verified_commits(w), before + 2)
    signers = open(w.dir + "/allowed_signers").read().splitlines()
    same([("valid-after" in s, "valid-before" in s) for s in signers], [(False, True), (True, True), (True, False)])
    w.stop()
    same(w.verify("--full").returncode, 0)
    # cut before the file was written: the next start does it
    with open(w.dir + "/allowed_signers", "w") as f:
        f.write(earlier)
    w.serve()
    same(open(w.dir + "/allowed_signers").read().splitlines(), signers, "written again at the next start")
    w.stop()
    # what somebody took out stays out, and is told
    with open(w.dir + "/allowed_signers", "w") as f:
        f.write(signers[2] + "\n")
    p = w.verify()
    same(p.returncode, 1)
    same((p.stdout + p.stderr).count("a signing key is not in it"), 2)


def test_keys__a_signing_key_is_changed_where_nobody_serves_and_its_copies_follow():
    w = Archive()
    disk = w.dir + ".disk"
    os.mkdir(disk)
    done(keys(w, "backup", "add", w.dir, "safe", disk))
    done(keys(w, "rotate", w.dir, "signing", "history"))
    new = vkeys(w, "history")[0]
    home = os.path.join(disk, os.listdir(disk)[0])
    same(os.listdir(home), ["epoch-2"])
    os.rename(w.dir + "/keys", w.dir + "/lost")
    subprocess.check_call(["cp", "-a", home + "/epoch-2", w.dir + "/keys"])
    same(vkeys(w, "history")[0], new)
    same(w.verify("--full").returncode, 0)
    same(keys(w, "rotate", w.dir, "signing").returncode, 2)
    refused(keys(w, "rotate", w.dir, "signing", "letters"), "history, access or git")
