"""Backups through a real ssh and a real sshd: one of our own, on a loopback port, with keys and settings of its own.

Skipped where there is no sshd (Debian: openssh-server). Nothing outside the test's directory is read or written, but /run/sshd,
which an sshd of root asks for. The documents are made up.
"""

import atexit
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import threading
import time

from arkki_flow import BIN, Archive, Skip, check, same
from test_backup import TEXT, backup, done, file_ten, keys_run, objects, points, refused, restored, with_keys


def program(name):
    path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
    if not path:
        raise Skip("there is no %s (Debian: openssh-server, openssh-client)" % name)
    return path


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Vault:
    """The other machine: an sshd that lets one key in, and the ssh that the backup is to use."""

    def __init__(self, w):
        self.top = os.path.join(w.top, "vault")
        self.user = pwd.getpwuid(os.getuid()).pw_name
        self.sshd, ssh, keygen = program("sshd"), program("ssh"), program("ssh-keygen")
        os.mkdir(self.top, 0o700)
        for name in ("host", "other-host", "me"):
            done(subprocess.run([keygen, "-q", "-t", "ed25519", "-N", "", "-f", self.at(name)], text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False))
        self.port = free_port()
        self.process = None
        self.place = self.at("pl'ace of backups")
        self.let_in()
        self.known("host")
        self.write("sshd_config", "\n".join((
            "Port %d" % self.port, "ListenAddress 127.0.0.1", "HostKey " + self.at("host"), "PidFile none", "UsePAM no",
            "StrictModes no", "AuthorizedKeysFile " + self.at("authorized_keys"), "PasswordAuthentication no",
            "KbdInteractiveAuthentication no", "PermitRootLogin prohibit-password",
            "SetEnv PATH=%s:/usr/bin:/bin" % os.path.dirname(BIN))) + "\n")
        self.write("ssh_config", "\n".join((
            "Host 127.0.0.1", "  IdentityFile " + self.at("me"), "  IdentitiesOnly yes", "  IdentityAgent none",
            "  UserKnownHostsFile " + self.at("known_hosts"), "  GlobalKnownHostsFile /dev/null",
            "  HostKeyAlias vault", "  StrictHostKeyChecking yes")) + "\n")
        self.write("ssh", "#!/bin/sh\nexec %s -F '%s' $MORE \"$@\"\n" % (ssh, self.at("ssh_config")))
        os.chmod(self.at("ssh"), 0o700)
        self.env = {"ARKKI_SSH": self.at("ssh")}
        self.serve()

    def at(self, name):
        return os.path.join(self.top, name)

    def write(self, name, text):
        with open(self.at(name), "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(self.at(name), 0o600)

    def public(self, name):
        with open(self.at(name) + ".pub", encoding="ascii") as f:
            return " ".join(f.read().split()[:2])

    def let_in(self, options=""):
        self.write("authorized_keys", options + self.public("me") + "\n")

    def known(self, name):
        self.write("known_hosts", "vault " + self.public(name) + "\n")

    def serve(self):
        if os.getuid() == 0:
            os.makedirs("/run/sshd", 0o755, exist_ok=True)
        with open(self.at("sshd.log"), "ab") as log:
            self.process = subprocess.Popen([self.sshd, "-D", "-e", "-f", self.at("sshd_config")], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log)
        atexit.register(self.stop)
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return self
            except OSError:
                check(self.process.poll() is None, "sshd has ended:", self.log())
                time.sleep(0.05)
        raise AssertionError("sshd does not listen: " + self.log())

    def stop(self):
        self.process.terminate()
        self.process.wait(20)

    def log(self):
        with open(self.at("sshd.log"), encoding="utf-8", errors="replace") as f:
            return f.read()

    def url(self, port=None):
        return "ssh://%s@127.0.0.1:%d%s" % (self.user, port or self.port, self.place)


def with_vault():
    program("sshd")
    w = with_keys(Archive().serve())
    v = Vault(w)
    w.place = v.url()
    return w, v


class Cutting:
    """A wire to the vault that is cut, or falls silent, after so many bytes that way."""

    def __init__(self, port, limit, silent=False):
        self.to, self.limit, self.silent = port, limit, silent
        self.door = socket.create_server(("127.0.0.1", 0))
        self.port = self.door.getsockname()[1]
        self.open = []
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                near, _ = self.door.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self.to))
            self.open += [near, far]
            threading.Thread(target=self.pour, args=(near, far, self.limit), daemon=True).start()
            threading.Thread(target=self.pour, args=(far, near, None), daemon=True).start()

    def pour(self, a, b, left):
        try:
            while True:
                got = a.recv(16384)
                if not got:
                    break
                b.sendall(got)
                if left is not None:
                    left -= len(got)
                    if left <= 0 and self.silent:
                        return  # both ends stay open, and nothing passes
                    if left <= 0:
                        break
        except OSError:
            pass
        for s in (a, b):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def stop(self):
        self.door.close()
        for s in self.open:
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            s.close()


def patiently(w, v):
    """Once the other machine has noticed that nobody is there any more."""
    for _ in range(100):
        p = backup(w, env=v.env)
        if p.returncode == 0 or "another backup" not in p.stderr:
            break
        time.sleep(0.1)
    return p


def test_backup_over_ssh__is_brought_grows_and_is_restored_and_drilled():
    w, v = with_vault()
    filed = [w.file(publicity="public", content=TEXT + b"%d" % i).id for i in range(5)]
    big = w.file(publicity="public", content=random.Random(3).randbytes(3 << 20)).id
    time.sleep(1.2)
    done(backup(w, env=v.env))
    before = objects(v.place)
    idle = done(backup(w, env=v.env))
    check(int(idle.split("objects, ")[1].split()[0]) < 3000, "nothing new was:", idle)
    new = w.file(content=b"x" * 50000).id
    time.sleep(1.2)
    said = done(backup(w, "--keep", "2", env=v.env))
    check(before & objects(v.place) and "removed 1 points" in said, said)
    keys_run(w)
    w.stop()
    same(done(w.run("backup", "--list", w.place, env=v.env)).split(), points(v.place))
    r = restored(w, env=v.env)
    same(r.verify("--full").returncode, 0)
    r.serve()
    for i, doc in enumerate(filed):
        same(r.get("/v1/documents/%s/versions/1/content" % doc).body, TEXT + b"%d" % i)
    same(r.get("/v1/documents/%s/versions/1/content" % big).body, random.Random(3).randbytes(3 << 20))
    same(r.get("/v1/documents/%s/versions/1/content" % new).body, b"x" * 50000)
    r.stop()
    out = os.path.join(w.top, "drills")
    os.mkdir(out)
    report = done(w.run("restore", "--drill", w.place, "--keys", w.disk, "--out", out, env=v.env))
    check("restored and equal" in report and "0 faults" in report, report)
    same(os.listdir(out), [])
    v.stop()


def test_backup_over_ssh__a_forced_command_is_enough():
    w, v = with_vault()
    v.let_in('restrict,command="arkki backup-receive \\"%s\\"" ' % v.at("forced"))
    file_ten(w, 2)
    w.stop()
    done(backup(w, place="ssh://%s@127.0.0.1:%d/elsewhere" % (v.user, v.port), env=v.env))
    same(len(points(v.at("forced"))), 1)
    check(not os.path.exists("/elsewhere") and not os.path.exists(v.place), "what was asked for is not what is done")
    v.stop()


def test_backup_over_ssh__a_cut_connection_loses_nothing_and_the_next_run_goes_on():
    w, v = with_vault()
    for i in range(6):
        w.file(content=random.Random(i).randbytes(600000))
    w.stop()
    keys_run(w)
    arrived = 0
    for limit in (700000, 1200000, 1500000):  # less each time than is left of 3.6 MB
        wire = Cutting(v.port, limit)
        refused(backup(w, place=v.url(wire.port), env=v.env), "was cut", "goes on with it")
        wire.stop()
        same(points(v.place), [], "a cut run is no point")
        check(len(objects(v.place)) > arrived, "each run gets further", limit)
        arrived = len(objects(v.place))
    had = objects(v.place)
    said = done(backup(w, env=v.env))
    check(had < objects(v.place), said)
    same(int(said.split("brought ")[1].split()[0]), len(objects(v.place) - had), "nothing is brought twice")
    same(restored(w, env=v.env).verify("--full").returncode, 0)
    # a restore that is cut is no archive, and harms no backup
    wire, new = Cutting(v.port, 5000), os.path.join(w.top, "new")
    refused(w.run("restore", v.url(wire.port), new, "--keys", w.disk, env=v.env), "was cut")
    wire.stop()
    check(not os.path.exists(new + "/arkki.conf"), "a cut restore is no archive")
    # the arkki over there is killed: the lock is free again
    p = subprocess.Popen([BIN, "backup", w.dir, w.place, "--full"], env=dict(os.environ, ARKKI_ROOT_KEY_FILE=w.key, **v.env),
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(0.3)
    p.send_signal(signal.SIGKILL)
    p.wait(20)
    done(patiently(w, v))
    v.stop()


def test_backup_over_ssh__a_silent_connection_is_given_up():
    w, v = with_vault()
    w.file(content=random.Random(1).randbytes(900000))
    w.stop()
    wire = Cutting(v.port, 400000, silent=True)
    began = time.monotonic()
    refused(backup(w, place=v.url(wire.port), env=dict(v.env, MORE="-o ServerAliveInterval=1 -o ServerAliveCountMax=2")),
            "was cut", "goes on with it")
    check(time.monotonic() - began < 60, "it does not hang")
    refused(backup(w, env=v.env), "another backup is at work")  # the other machine has not noticed yet
    wire.stop()
    done(patiently(w, v))
    v.stop()


def test_backup_over_ssh__a_host_of_another_key_gets_nothing():
    w, v = with_vault()
    file_ten(w, 1)
    w.stop()
    v.known("other-host")
    p = backup(w, env=v.env)
    refused(p, "Host key verification failed", "ssh could not log in", "127.0.0.1")
    v.write("known_hosts", "")
    refused(backup(w, env=v.env), "ssh could not log in", "the key of that host be known")
    refused(w.run("restore", w.place, w.top + "/new", "--keys", w.disk, env=v.env), "ssh could not log in")
    same(os.path.exists(v.place), False, "nothing was written there")
    same(os.path.exists(w.top + "/new"), False)
    same(os.path.exists(w.dir + "/backup.state"), False, "and nothing is called a backup")
    v.known("host")
    v.write("authorized_keys", v.public("other-host") + "\n")
    refused(backup(w, env=v.env), "Permission denied", "without a question")
    v.let_in()
    done(backup(w, env=v.env))
    v.stop()
    refused(backup(w, env=v.env), "refused", "ssh could not log in")


def test_backup_over_ssh__a_host_without_arkki_is_told_of():
    w, v = with_vault()
    w.stop()
    v.stop()
    with open(v.at("sshd_config"), encoding="utf-8") as f:
        text = f.read()
    v.write("sshd_config", text.replace("SetEnv PATH=%s:" % os.path.dirname(BIN), "SetEnv PATH="))
    v.serve()
    refused(backup(w, env=v.env), "has no program `arkki`")
    v.let_in('command="echo Tervetuloa" ')
    refused(backup(w, env=v.env), "does not answer as arkki does")
    v.stop()
