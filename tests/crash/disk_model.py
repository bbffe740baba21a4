"""A disk, from the journal that journal.so leaves: what it certainly holds, and what was still on its way.

A file is an inode with bytes; a directory is names for inodes. Each change is applied to what the process sees (the
page cache) and waits until a sync reaches it: fsync and fdatasync of a file its bytes and length; fsync of a directory
the names in it. A sync of a file says nothing of its name. What survives a kill is all that the process saw; what
survives a power cut is what was synced, and any part of the rest:

  bytes   each write that waits is kept, lost, or torn at 512 bytes; lengths likewise
  names   each change of a directory that waits is kept or lost as one (a rename is one change, in both directories)

A later change never depends on an earlier one being kept: that is what a sync is for.
"""

import os
import shutil
import stat

SECTOR = 512


class Change:
    def __init__(self, head, data):
        self.op, inode, a, b, _, self.path, self.path2 = head
        self.inode, self.a, self.b, self.data = int(inode), int(a), int(b), data


def read_journal(path):
    with open(path, "rb") as f:
        data = f.read()
    at, out = 0, []
    while at < len(data):
        end = data.index(b"\n", at)
        head = data[at:end].decode("utf-8", "surrogateescape").split("\t")
        n = int(head[4])
        out.append(Change(head, data[end + 1:end + 1 + n]))
        at = end + 1 + n
    return out


class File:
    def __init__(self, data=b"", mode=0o600):
        self.seen, self.durable, self.mode = bytearray(data), bytes(data), mode
        self.waits = []  # changes of bytes and length since the last sync

    def change(self, c):
        apply_bytes(self.seen, c)
        self.waits.append(c)

    def sync(self):
        if self.waits:
            self.durable, self.waits = bytes(self.seen), []


class Dir:
    def __init__(self, mode=0o700):
        self.seen, self.durable, self.mode = {}, {}, mode


def apply_bytes(data, c):
    if c.op == "write":
        put(data, c.a, c.data)
    elif c.op == "allocate":
        if len(data) < c.a + c.b:
            data.extend(bytes(c.a + c.b - len(data)))
    elif c.op == "truncate":
        if c.a < len(data):
            del data[c.a:]
        else:
            data.extend(bytes(c.a - len(data)))
    elif c.op == "punch":
        put(data, c.a, bytes(c.b))


def put(data, at, bytes_):
    if len(data) < at:
        data.extend(bytes(at - len(data)))
    data[at:at + len(bytes_)] = bytes_


def torn(data, c, rng):
    """Some sectors of a write, none of which is half there."""
    at = c.a
    end = c.a + len(c.data)
    while at < end:
        to = min(end, (at // SECTOR + 1) * SECTOR)
        if rng.random() < 0.5:
            put(data, at, c.data[at - c.a:to - c.a])
        at = to


class Disk:
    """Begins as a copy of what lies below `top`, all of it durable. `told`: a file in it that stands for somebody
    else's memory: what was told is not lost with the power."""

    def __init__(self, top, told=None):
        self.saw, self.told = top, told and os.path.join(top, told)
        self.root = self.take(top)
        self.by_inode = {}
        self.index(top, self.root)
        self.waits = []  # changes of names: [(dir, name, inode or None), …]
        self.children = {}

    def take(self, path):
        st = os.lstat(path)
        if stat.S_ISDIR(st.st_mode):
            d = Dir(st.st_mode & 0o7777)
            for name in os.listdir(path):
                node = self.take(os.path.join(path, name))
                if node:
                    d.seen[name] = d.durable[name] = node
            return d
        if not stat.S_ISREG(st.st_mode):
            return None
        with open(path, "rb") as f:
            return File(f.read(), st.st_mode & 0o7777)

    def index(self, path, node):
        self.by_inode[os.lstat(path).st_ino] = node
        if isinstance(node, Dir):
            for name, child in node.seen.items():
                self.index(os.path.join(path, name), child)

    def parent(self, path):
        parts = os.path.relpath(path, self.saw).split("/")
        d = self.root
        for p in parts[:-1]:
            d = d.seen[p]
        return d, parts[-1]

    def names(self, *changes):
        for d, name, node in changes:
            if node is None:
                d.seen.pop(name, None)
            else:
                d.seen[name] = node
        self.waits.append(list(changes))

    def sync_dir(self, d):
        rest = []
        for changes in self.waits:
            if any(c[0] is d for c in changes):
                commit_names(changes)
            else:
                rest.append(changes)
        self.waits = rest

    def apply(self, c):
        if c.op in ("write", "truncate", "allocate", "punch"):
            if c.inode in self.by_inode:
                self.by_inode[c.inode].change(c)
                if c.path == self.told:
                    self.by_inode[c.inode].sync()
        elif c.op in ("fsync", "fdatasync"):
            node = self.by_inode.get(c.inode)
            if isinstance(node, Dir):
                self.sync_dir(node)
            elif node:
                node.sync()
        elif c.op in ("create", "mkdir"):
            node = self.by_inode[c.inode] = File(b"", c.b) if c.op == "create" else Dir(c.b)
            self.names((*self.parent(c.path), node))
        elif c.op in ("unlink", "rmdir"):
            self.names((*self.parent(c.path), None))
        elif c.op == "rename":
            d, name = self.parent(c.path)
            self.names((d, name, None), (*self.parent(c.path2), d.seen[name]))
        elif c.op == "exchange":
            d, name = self.parent(c.path)
            e, other = self.parent(c.path2)
            self.names((d, name, e.seen[other]), (e, other, d.seen[name]))
        elif c.op == "link":
            d, name = self.parent(c.path)
            self.names((*self.parent(c.path2), d.seen[name]))
        elif c.op != "sync_file_range":
            raise ValueError(c.op)

    # ---- images ----

    def dirty(self):
        """How many changes a power cut could lose now."""
        files = {id(f): f for f in self.by_inode.values() if isinstance(f, File)}
        return len(self.waits) + sum(len(f.waits) for f in files.values())

    def kill(self, top):
        """What the next process sees after a kill."""
        write_tree(top, self.root, lambda d: d.seen, lambda f: f.seen)

    def cut(self, top, rng, how):
        """What it sees after a power cut. how: "drop" all that waited, "keep" the names and drop the bytes,
        "bytes": the other way round, or "mix": any part of each."""
        names = {}

        def entries(d):
            if id(d) not in names:
                names[id(d)] = dict(d.durable)
            return names[id(d)]

        for changes in self.waits:
            if how == "keep" or (how == "mix" and rng.random() < 0.5):
                for d, name, node in changes:
                    if node is None:
                        entries(d).pop(name, None)
                    else:
                        entries(d)[name] = node
        write_tree(top, self.root, entries, lambda f: surviving(f, rng, how))


def commit_names(changes):
    for d, name, node in changes:
        if node is None:
            d.durable.pop(name, None)
        else:
            d.durable[name] = node


def surviving(f, rng, how):
    if how in ("drop", "keep"):
        return f.durable
    if how == "bytes":
        return f.seen
    data = bytearray(f.durable)
    for c in f.waits:
        lot = rng.random()
        if lot < 0.4:
            apply_bytes(data, c)
        elif lot < 0.7 and c.op == "write":
            torn(data, c, rng)
    return data


def write_tree(top, root, entries, data):
    stack = [(top, root)]
    while stack:
        path, node = stack.pop()
        if isinstance(node, File):
            with open(path, "wb") as f:
                f.write(data(node))
            os.chmod(path, node.mode)
        else:
            os.mkdir(path, 0o700)
            os.chmod(path, node.mode)
            stack += [(os.path.join(path, n), c) for n, c in entries(node).items()]


def differences(top, other, but):
    """Paths in which two trees differ; `but`: ends of names that may."""
    found = []
    for at, _, names in os.walk(top):
        for n in names:
            if n.endswith(but) or not os.path.isfile(os.path.join(at, n)):
                continue
            rel = os.path.relpath(os.path.join(at, n), top)
            there = os.path.join(other, rel)
            if not os.path.exists(there) or open(there, "rb").read() != open(os.path.join(at, n), "rb").read():
                found.append(rel)
    return found


def remove(top):
    shutil.rmtree(top, True)
