"""Documents made to do harm, all of our own making: each a name, its bytes, and what must not come out of it."""

import io
import struct
import zipfile
import zlib

MIB = 1 << 20
CANARY = "kanarianlintu%dlaulaa"


def deflated(block, times):
    """`block` repeated: raw deflate, length and CRC, without ever being in memory as a whole."""
    c = zlib.compressobj(9, zlib.DEFLATED, -15)
    one = c.compress(block) + c.flush(zlib.Z_FULL_FLUSH)
    crc = 0
    for _ in range(times):
        crc = zlib.crc32(block, crc)
    return one * times + b"\x03\x00", len(block) * times, crc


def zip_of(entries, repeat_directory=1):
    """A ZIP of (name, raw deflate data, length, CRC); with repeat_directory each entry is listed so many times."""
    out, directory, listed = io.BytesIO(), b"", 0
    for name, data, size, crc in entries:
        n = name.encode()
        at = out.tell()
        common = struct.pack("<HHHHHLLLHH", 20, 0, 8, 0, 33, crc, len(data), size & 0xFFFFFFFF, len(n), 0)
        out.write(b"PK\x03\x04" + common + n + data)
        for i in range(repeat_directory):
            alias = n if i == 0 else b"%d-" % i + n
            common = struct.pack("<HHHHHLLLHH", 20, 0, 8, 0, 33, crc, len(data), size & 0xFFFFFFFF, len(alias), 0)
            directory += b"PK\x01\x02" + struct.pack("<H", 20) + common + struct.pack("<HHHLL", 0, 0, 0, 0, at) + alias
            listed += 1
    start = out.tell()
    out.write(directory)
    out.write(b"PK\x05\x06" + struct.pack("<HHHHLLH", 0, 0, min(listed, 65535), min(listed, 65535), len(directory), start, 0))
    return out.getvalue()


def whole(text):
    data = text if isinstance(text, bytes) else text.encode()
    return (*deflated(data, 1),)


WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
TYPES = ('<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
         '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
         '<Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.'
         'wordprocessingml.document.main+xml"/></Types>')
RELS = ('<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        '<Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" '
        'Target="word/document.xml"/></Relationships>')


def docx(document):
    """document: (data, length, CRC) of word/document.xml."""
    return zip_of([("[Content_Types].xml", *whole(TYPES)), ("_rels/.rels", *whole(RELS)), ("word/document.xml", *document)])


def docx_text(text):
    return docx(whole('<?xml version="1.0"?><w:document xmlns:w="%s"><w:body><w:p><w:r><w:t>%s</w:t></w:r></w:p></w:body>'
                      "</w:document>" % (WORD, text)))


def docx_bomb():
    paragraph = b"<w:p><w:r><w:t>pommi</w:t></w:r></w:p>"
    head = ('<?xml version="1.0"?><w:document xmlns:w="%s"><w:body>' % WORD).encode()
    data, size, crc = deflated(paragraph * (MIB // len(paragraph)), 1024)
    c = zlib.compressobj(9, zlib.DEFLATED, -15)
    first = c.compress(head) + c.flush(zlib.Z_FULL_FLUSH)
    return docx((first + data, len(head) + size, crc))


def billion_laughs():
    lines = ["<!ENTITY a0 \"naurua\">"] + ['<!ENTITY a%d "%s">' % (i, "&a%d;" % (i - 1) * 10) for i in range(1, 11)]
    return ("<?xml version=\"1.0\"?><!DOCTYPE r [%s]><r>&a10;</r>" % "".join(lines)).encode()


def xxe(path="/etc/passwd"):
    return ('<?xml version="1.0"?><!DOCTYPE r [<!ENTITY x SYSTEM "file://%s">]><r>alku &x; loppu</r>' % path).encode()


def docx_xxe():
    return docx(whole('<?xml version="1.0"?><!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><w:document xmlns:w="%s">'
                      "<w:body><w:p><w:r><w:t>&x;</w:t></w:r></w:p></w:body></w:document>" % WORD))


def html_outside():
    return (b'<html><head><base href="file:///"><link rel=stylesheet href="file:///etc/passwd"></head><body><p>alku'
            b'<iframe src="file:///etc/passwd"></iframe><img src="file:///etc/passwd"></body></html>')


def huge_png(side=30000):
    def chunk(kind, data):
        return struct.pack(">L", len(data)) + kind + data + struct.pack(">L", zlib.crc32(kind + data))
    line = b"\0" * (1 + side // 8)
    c = zlib.compressobj(9)
    body = c.compress(line * 100) + c.flush(zlib.Z_FULL_FLUSH)
    c = zlib.compressobj(9, zlib.DEFLATED, -15)
    more = c.compress(line * 100) + c.flush(zlib.Z_FULL_FLUSH)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">LLBBBBB", side, side, 1, 0, 0, 0, 0)) +
            chunk(b"IDAT", body + more * (side // 100 - 1) + b"\x03\x00\0\0\0\0") + chunk(b"IEND", b""))


def pdf_endless():
    body = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[2 0 R]/Count 9>>endobj\n"
    at = len(body)
    return body + b"xref\n0 1\n0000000000 65535 f \ntrailer<</Root 1 0 R/Size 3/Prev %d>>\nstartxref\n%d\n%%%%EOF\n" % (at, at)


def pdf_deep():
    return (b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R/X " + b"[" * 200000 + b"]" * 200000 +
            b">>endobj\ntrailer<</Root 1 0 R>>\nstartxref\n0\n%%EOF\n")


def overlapping_zip():
    data, size, crc = deflated(b"ylikuormaa " * 95000, 8)
    return zip_of([("a.txt", data, size, crc)], repeat_directory=2000)


def escaping_zip():
    z = io.BytesIO()
    with zipfile.ZipFile(z, "w") as f:
        for name in ("../../../../../../../../tmp/arkki-karkasi.txt", "/tmp/arkki-karkasi.txt", "..\\..\\arkki-karkasi.txt"):
            f.writestr(zipfile.ZipInfo(name), "karannut teksti")
    return z.getvalue()


def nested_zip(depth=60):
    data = b"sisin teksti"
    for i in range(depth):
        z = io.BytesIO()
        with zipfile.ZipFile(z, "w", zipfile.ZIP_DEFLATED) as f:
            f.writestr("taso%d.%s" % (i, "zip" if i else "txt"), data)
        data = z.getvalue()
    return data


def nested_mail(depth=1000):
    head = "".join("From: a@example.invalid\nSubject: taso %d\nMIME-Version: 1.0\nContent-Type: message/rfc822\n\n" % i
                   for i in range(depth))
    return (head + "Subject: sisin\n\nsisin viesti\n").encode()


def nested_multipart(depth=1000):
    head = "".join('Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (i, i) for i in range(depth))
    return ("Subject: monta\nMIME-Version: 1.0\n" + head + "Content-Type: text/plain\n\nsisin osa\n").encode()


def long_line():
    return b"loputonrivi " * (100 * MIB // 12)


def deep_html(depth=100000):
    return b"<html><body>" + b"<div><b>" * depth + b"syvalla" + b"</body></html>"


def rtf_deep():
    return b"{\\rtf1 " + b"{" * 500000 + b"syvalla" + b"}" * 10


def samples():
    """name, media type as a browser would send it, bytes."""
    octets = "application/octet-stream"
    return [
        ("pommi.docx", octets, docx_bomb()), ("naurut.xml", "text/xml", billion_laughs()), ("ulos.xml", "text/xml", xxe()),
        ("ulos.docx", octets, docx_xxe()), ("ulos.html", "text/html", html_outside()), ("suuri.png", "image/png", huge_png()),
        ("kiertaa.pdf", "application/pdf", pdf_endless()), ("syva.pdf", "application/pdf", pdf_deep()),
        ("paallekkain.zip", "application/zip", overlapping_zip()), ("karkaa.zip", "application/zip", escaping_zip()),
        ("sisakkain.zip", "application/zip", nested_zip()), ("sisakkain.eml", "message/rfc822", nested_mail()),
        ("monta.eml", "message/rfc822", nested_multipart()), ("rivi.txt", "text/plain", long_line()),
        ("syva.html", "text/html", deep_html()), ("syva.rtf", "application/rtf", rtf_deep()), ("tyhja.pdf", "application/pdf", b""),
    ]


def canaries():
    """Documents whose words must be found by search, and stand nowhere on the disk but in the index."""
    z = io.BytesIO()
    with zipfile.ZipFile(z, "w", zipfile.ZIP_STORED) as f:
        f.writestr("sisalla.txt", CANARY % 3)
    mail = "From: a@example.invalid\nSubject: viesti\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\n%s\n"
    return [("lintu1.txt", CANARY % 1, (CANARY % 1).encode()), ("lintu2.docx", CANARY % 2, docx_text(CANARY % 2)),
            ("lintu3.zip", CANARY % 3, z.getvalue()), ("lintu4.eml", CANARY % 4, (mail % (CANARY % 4)).encode()),
            ("lintu5.html", CANARY % 5, ("<p>%s</p>" % (CANARY % 5)).encode()),
            ("lintu6.rtf", CANARY % 6, ("{\\rtf1\\ansi %s}" % (CANARY % 6)).encode())]
