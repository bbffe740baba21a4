"""A stranger's check of a transparency log: signed notes, tiles, proofs.

Written from the C2SP documents and RFC 6962 / RFC 8032 alone, with nothing
of arkki's own code, so that both must be right to agree. Slow and plain.
"""

import base64
import hashlib

# ---- Ed25519 (RFC 8032, 5.1.7), verification only ----

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)


def _add(a, b):
    x1, y1, z1, t1 = a
    x2, y2, z2, t2 = b
    e, f = (y1 - x1) * (y2 - x2) % P, (y1 + x1) * (y2 + x2) % P
    g, h = 2 * D * t1 * t2 % P, 2 * z1 * z2 % P
    e, f, g, h = f - e, h - g, h + g, f + e
    return e * f % P, g * h % P, f * g % P, e * h % P


def _times(n, a):
    r = (0, 1, 1, 0)
    while n:
        if n & 1:
            r = _add(r, a)
        a = _add(a, a)
        n >>= 1
    return r


def _point(b):
    y = int.from_bytes(b, "little")
    sign, y = y >> 255, y & ((1 << 255) - 1)
    x2 = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(x2, (P + 3) // 8, P)
    if (x * x - x2) % P:
        x = x * ROOT % P
    if (x * x - x2) % P or y >= P:
        raise ValueError("not a point")
    if x & 1 != sign:
        x = P - x
    return x, y, 1, x * y % P


BASE = _point((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def ed25519_valid(key, message, signature):
    a, r, s = _point(key), _point(signature[:32]), int.from_bytes(signature[32:], "little")
    k = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % L
    left, right = _times(s, BASE), _add(r, _times(k, a))
    return s < L and (left[0] * right[2] - right[0] * left[2]) % P == 0 and \
        (left[1] * right[2] - right[1] * left[2]) % P == 0


# ---- signed notes ----

def open_checkpoint(note, vkey):
    """Size and root of a checkpoint whose signature by vkey holds."""
    name, key_id, key = vkey.strip().split("+", 2)
    key = base64.b64decode(key)
    assert key[0] == 1 and len(key) == 33, "an Ed25519 key"
    want = hashlib.sha256(name.encode() + b"\n" + key).digest()[:4]
    assert want.hex() == key_id, "the id of the key"
    text, _, signatures = note.rpartition("\n\n")
    text += "\n"
    lines = text.split("\n")
    assert lines[0] == name, "origin %r" % lines[0]
    for line in signatures.strip().split("\n"):
        dash, who, sig = line.split(" ")
        sig = base64.b64decode(sig)
        if dash == "\u2014" and who == name and sig[:4] == want:
            assert ed25519_valid(key[1:], text.encode(), sig[4:]), "the signature"
            return int(lines[1]), base64.b64decode(lines[2])
    raise AssertionError("no signature by " + name)


# ---- RFC 6962 ----

def leaf_hash(entry):
    return hashlib.sha256(b"\0" + entry).digest()


def node(a, b):
    return hashlib.sha256(b"\1" + a + b).digest()


def root_of(leaves):
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return node(root_of(leaves[:k]), root_of(leaves[k:]))


def tile_path(level, n, width=256):
    parts = ["%03d" % (n % 1000)]
    while n >= 1000:
        n //= 1000
        parts.insert(0, "x%03d" % (n % 1000))
    return "tile/%s/%s%s" % (level, "/".join(parts), "" if width == 256 else ".p/%d" % width)


def leaves_by_tiles(fetch, size):
    """All leaf hashes, from level-0 tiles. fetch(path) -> bytes"""
    leaves = []
    while len(leaves) < size:
        width = min(256, size - len(leaves))
        tile = fetch(tile_path("0", len(leaves) // 256, width))
        assert len(tile) == 32 * width, "a tile of %d hashes" % width
        leaves += [tile[i:i + 32] for i in range(0, len(tile), 32)]
    return leaves


def entries_by_tiles(fetch, size):
    """All entries, from entry bundles: a length of two bytes, then the entry."""
    entries = []
    while len(entries) < size:
        width = min(256, size - len(entries))
        bundle = fetch(tile_path("entries", len(entries) // 256, width))
        for _ in range(width):
            n = int.from_bytes(bundle[:2], "big")
            entries.append(bundle[2:2 + n])
            bundle = bundle[2 + n:]
        assert not bundle, "nothing after the last entry"
    return entries


def inclusion_holds(leaf, index, size, path, root):
    """RFC 9162, 2.1.3.2."""
    fn, sn, r = index, size - 1, leaf
    for p in path:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            r = node(p, r)
            while not fn & 1 and fn:
                fn >>= 1
                sn >>= 1
        else:
            r = node(r, p)
        fn >>= 1
        sn >>= 1
    return sn == 0 and r == root


def proof_parts(text):
    """Index, hashes and checkpoint of a c2sp.org/tlog-proof@v1."""
    head, _, checkpoint = text.partition("\n\n")
    lines = head.split("\n")
    assert lines[0] == "c2sp.org/tlog-proof@v1", lines[0]
    at = 1
    if lines[at].startswith("extra "):
        at += 1
    assert lines[at].startswith("index "), lines[at]
    return int(lines[at][6:]), [base64.b64decode(x) for x in lines[at + 1:]], checkpoint
