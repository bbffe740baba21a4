"""What search finds and what it costs: the measures of `make bench search`.

Quality is asked of the running service and of `arkki analyse`, on the corpus ($ARKKI_CORPUS, else ../shared/corpus);
a measure whose corpus is not there says so. Speed is measured against SQLite FTS5 (over our lemmas), PostgreSQL and a plain
Xapian index in the same run, over the same documents, with the same filter: what is public or of county 05.
`--full` adds the million documents (half an hour and 6 GB below the work folder).
"""

import collections
import gzip
import hashlib
import json
import os
import random
import re
import shutil
import sqlite3
import statistics
import subprocess
import sys
import time

import bench_lib as lib

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CORPUS = os.environ.get("ARKKI_CORPUS") or os.path.join(TOP, "../shared/corpus")
POSTGRES = "/usr/lib/postgresql/15/bin"


def corpus(name):
    path = os.path.join(CORPUS, name)
    if not os.path.exists(path):
        raise lib.Failed(f"the corpus has no {name} here")
    return path


def json_lines(path):
    opener = gzip.open if path.endswith(".gz") else open
    with opener(path, "rt", encoding="utf-8") as f:
        for line in f:
            yield json.loads(line)


def row(name, ours, peer, ratio, reach, held, note=""):
    return {"name": name, "arkki": ours, "baseline": peer, "ratio": ratio, "reach": reach, "held": held, "note": note}


def at_least(name, value, reach, note="", peer=None):
    return row(name, f"{value:.3f}", "-" if peer is None else f"{peer:.3f}", "-" if not peer else f"{value / peer:.2f}",
               "report" if reach is None else f">= {reach}", reach is None or value >= reach, note)


# ---- the analyser ----


def gold(path):
    """Form -> gold lemmas, both in lower case, without punctuation."""
    found = collections.defaultdict(set)
    with open(path, encoding="utf-8") as f:
        for line in f:
            c = line.rstrip("\n").split("\t")
            if len(c) < 4 or not c[0].isdigit() or c[3] in ("PUNCT", "SYM"):
                continue
            form, lemma = c[1].lower(), c[2].replace("#", "").lower()
            if any(x.isalpha() for x in form):
                found[form].add(lemma)
    return found


def pairs_of(groups):
    pairs = set()
    for forms in groups.values():
        forms = sorted(forms)
        pairs.update((a, b) for i, a in enumerate(forms) for b in forms[i + 1:])
    return pairs


def conflation_of(b, name, language):
    """Pairs of forms with a common gold lemma, and pairs with a common lemma of ours."""
    forms = gold(corpus("ud-conllu/" + name))
    order = sorted(forms)
    done = subprocess.run([b.arkki_binary, "analyse", "--language", language], input="\n".join(order) + "\n",
                          capture_output=True, text=True, timeout=300, check=True)
    ours, want = collections.defaultdict(set), collections.defaultdict(set)
    for form, line in zip(order, done.stdout.splitlines()):
        for lemma in forms[form]:
            want[lemma].add(form)
        for term in line.split():
            if term.startswith("Z"):
                ours[term].add(form)
    found, true = pairs_of(ours), pairs_of(want)
    return 2 * len(found & true) / (len(found) + len(true))


def conflation(b):
    """lemma conflation F1 | TDT >= .83, Talbanken >= .65"""
    return [at_least(f"conflation: {name}", conflation_of(b, file, language), reach, peer=peer)
            for name, file, language, reach, peer in (
                ("TDT dev", "fi_tdt-ud-dev.conllu", "fi", 0.83, 0.48),
                ("OOD", "fi_ood-ud-test.conllu", "fi", None, None),
                ("PUD", "fi_pud-ud-test.conllu", "fi", None, None),
                ("Talbanken dev", "sv_talbanken-ud-dev.conllu", "sv", 0.65, 0.61))]


# ---- quality, through the running service ----


class Service(lib.Arkki):
    """A server with documents that were imported."""

    def imported(self, lines):
        """lines: (file, metadata). Returns title -> document; titles are the file names."""
        manifest = self.write("manifest.jsonl", "".join(
            json.dumps({"file": file, "metadata": metadata}) + "\n" for file, metadata in lines))
        lib.run([self.binary, "import", self.dir, "--manifest", manifest, "--user", "maija"], timeout=3000, env=self.env)
        self.settle(3000)
        return self

    def search(self, c, q, **more):
        body = json.dumps({"q": q, "limit": 100, **more})
        answer, _ = self.ask(c, "POST", "/v1/search", body, Content_Type="application/json")
        return answer


def metadata(title, language="fi", date="2026-03-12"):
    return dict(lib.METADATA, title=title, language=language, date=date)


def sections(b):
    """MRR on 20,000 statute sections | >= 1.25 1.32 2.3 2.4 times Snowball"""
    texts = corpus("finlex-sections/sections.jsonl.gz")
    queries = list(json_lines(corpus("finlex-sections/queries.jsonl")))[:: 1 if not b.quick else 20]
    kinds = {"heading": (0.459, 1.25), "inflected": (0.425, 1.32), "shortened": (0.174, 2.3), "split": (0.208, 2.4)}
    with Service(b.arkki_binary, b.folder("sections")) as s:
        lines = []
        for d in json_lines(texts):
            lines.append((s.write(f"{d['id']}.txt", d["body"]), metadata("pykälä")))
        s.imported(lines)
        numbers = numbers_by_bytes(s, lines)
        got = collections.defaultdict(list)
        c = s.connection()
        for q in queries:
            for kind in kinds:
                if q.get(kind):
                    hits = [numbers.get(h["document"]) for h in s.search(c, q[kind], limit=50, language="fi")["hits"]]
                    got[kind].append(1 / (1 + hits.index(q["section"])) if q["section"] in hits else 0)
    return [at_least(f"MRR, sections: {kind}", statistics.mean(got[kind]), round(base * times, 3),
                     f"{len(got[kind])} queries; {times} times Snowball's {base}", base)
            for kind, (base, times) in kinds.items()]


def numbers_by_bytes(s, lines):
    """Document -> number of the file that was filed as it; equal bytes: the lowest number."""
    by_hash = {}
    for file, _ in reversed(lines):
        with open(file, "rb") as f:
            by_hash[hashlib.sha256(f.read()).hexdigest()] = int(os.path.basename(file)[:-4])
    found, c, cursor = {}, s.connection(), ""
    while cursor is not None:
        answer, _ = s.ask(c, "GET", "/v1/documents?limit=100" + ("&cursor=" + cursor if cursor else ""))
        found.update((d["id"], by_hash.get(d["sha256"])) for d in answer["documents"])
        cursor = answer["next"]
    return found


def domain(b):
    """finlex-domain QUERIES | register number 1.0, abstract >= .98, index terms and pairs reported"""
    root = corpus("finlex-domain")
    with Service(b.arkki_binary, b.folder("domain")) as s:
        manifest = os.path.join(s.folder, "finlex.jsonl")
        lib.run([sys.executable, os.path.join(TOP, "tools/finlex_manifest.py"), root, "--out", manifest, "--absolute"])
        entries = [(d["file"], d["metadata"]) for d in json_lines(manifest)]
        for _, m in entries:
            m.update(units=["koivula"], publicity={"class": "public"})
            for name in ("author", "case"):
                m.pop(name, None)
        s.imported(entries)
        c, cursor, file_of, by_hash = s.connection(), "", {}, {}
        for file, _ in entries:
            with open(file, "rb") as f:
                by_hash[hashlib.sha256(f.read()).hexdigest()] = os.path.relpath(file, root)
        while cursor is not None:
            answer, _ = s.ask(c, "GET", "/v1/documents?limit=100" + ("&cursor=" + cursor if cursor else ""))
            file_of.update((d["id"], by_hash.get(d["sha256"])) for d in answer["documents"])
            cursor = answer["next"]
        got = collections.defaultdict(list)
        for q in json_lines(os.path.join(root, "QUERIES.jsonl")):
            want = {r.split("/", 1)[1] for r in q["relevant"]}
            known = q["type"] == "known-item-register"
            text = f'"{q["query"]}"' if known else q["query"]
            hits = [file_of.get(h["document"]) for h in s.search(c, text)["hits"]]
            if q["type"] == "index-term":
                top = hits[:20]
                got["index terms, recall@20"].append(len(want & set(top)) / min(len(want), 20))
                swedish = {w.replace("-fi", "-sv") for w in want} if q.get("lang") == "fi" else set()
                swedish = {w for w in swedish if os.path.exists(os.path.join(root, w))}
                if swedish:
                    pairs = [file_of.get(h["document"]) for h in s.search(c, text + " kieli:sv", limit=10)["hits"]]
                    got["Finnish query, Swedish pair, recall@10"].append(len(swedish & set(pairs)) / min(len(swedish), 10))
            elif known:
                got["register number"].append(bool(want & set(hits)))
            else:
                got["abstract, in the first 10"].append(bool(want & set(hits[:10])))
    reach = {"register number": 1.0, "abstract, in the first 10": 0.98}
    return [at_least(f"finlex-domain: {k}", statistics.mean(v), reach.get(k), f"{len(v)} queries") for k, v in got.items()]


# ---- formats, through the running service ----


def text_of(s, c, document):
    c.request("GET", f"/v1/documents/{document}/versions/1/text", None, s.headers())
    answer = c.getresponse()
    body = answer.read()
    return body.decode("utf-8", "replace") if answer.status == 200 else ""


def filed(s, c, path):
    with open(path, "rb") as f:
        return s.file(c, f.read(), metadata=metadata(os.path.basename(path)))["id"]


def folded(text):
    return re.sub(r"[\s\u00ad\u200b]+", "", text).casefold()


def tika(b):
    """tika-documents must_contain_confirmed | 100 %"""
    root = corpus("tika-documents")
    entries = [e for e in json_lines(os.path.join(root, "MANIFEST.jsonl")) if e["must_contain_confirmed"]]
    missed, asked = [], 0
    with Service(b.arkki_binary, b.folder("tika")) as s:
        c = s.connection()
        ids = [(e, filed(s, c, os.path.join(root, e["file"].split("/", 1)[1]))) for e in entries]
        s.settle(1200)
        for e, document in ids:
            text = folded(text_of(s, c, document))
            for phrase in e["must_contain_confirmed"]:
                asked += 1
                if folded(phrase) not in text:
                    missed.append(os.path.basename(e["file"]))
    return [at_least("tika-documents: confirmed phrases", 1 - len(missed) / asked, 1.0,
                     f"{asked} phrases in {len(entries)} files; missed: {', '.join(missed[:8]) or 'none'}")]


def words_of(text):
    return set(re.findall(r"\w{4,}", text.lower()))


def pdfs(b):
    """words of PDFs that poppler reads | >= 99 % of files"""
    files = []
    for folder in ("pdfjs-pdfs", "format-corpus-sample"):
        for at, _, names in os.walk(corpus(folder)):
            files += [os.path.join(at, n) for n in sorted(names) if n.lower().endswith(".pdf")]
    good, lost, asked = 0, [], 0
    with Service(b.arkki_binary, b.folder("pdfs")) as s:
        c = s.connection()
        ids = [(f, filed(s, c, f)) for f in files[:: 1 if not b.quick else 10]]
        s.settle(1800)
        for file, document in ids:
            done = subprocess.run(["pdftotext", file, "-"], capture_output=True, timeout=120, check=False)
            want = words_of(done.stdout.decode("utf-8", "replace"))
            if done.returncode or not want:
                continue
            asked += 1
            have = words_of(re.sub(r"-\n", "", text_of(s, c, document)))
            joined = folded(" ".join(have))
            found = sum(w in have or w in joined for w in want)
            good += found >= 0.95 * len(want)
            if found < 0.95 * len(want):
                lost.append(os.path.basename(file))
    return [at_least("PDFs with 95 % of poppler's words", good / asked, 0.99,
                     f"{asked} files; below: {', '.join(lost[:6]) or 'none'}")]


# ---- speed ----


def passages():
    path = os.path.join(CORPUS, "finlex-sections/sections.jsonl.gz")
    if os.path.exists(path):
        return [d["body"] for d in json_lines(path)]
    words = open(os.path.join(TOP, "README.md"), encoding="utf-8").read().split()
    return [" ".join(random.Random(i).choices(words, k=60)) for i in range(2000)]


def make_documents(path, n, size):
    """Real sentences in made-up documents of about `size` characters; the same for the same n and size."""
    rnd, bodies = random.Random(4), passages()
    with open(path, "w", encoding="utf-8") as f:
        for i in range(1, n + 1):
            text = ""
            while len(text) < size:
                text += rnd.choice(bodies)[: size] + "\n\n"
            county = "%02d" % rnd.randrange(1, 22)
            f.write(json.dumps({
                "id": i, "title": " ".join(text.split()[:6]), "text": text,
                "publicity": rnd.choice(("public", "secret")), "county": county, "author": "county-" + county,
                "date": "20%02d-%02d-%02d" % (rnd.randrange(16, 27), rnd.randrange(1, 13), rnd.randrange(1, 29)),
            }, ensure_ascii=False) + "\n")


def make_queries(n):
    """Words as they stand in the texts, so frequent ones come often."""
    rnd, bodies = random.Random(5), passages()

    def words(k):
        while True:
            w = [x for x in re.findall(r"[^\W\d_]{4,}", rnd.choice(bodies).lower())]
            if len(w) >= k + 2:
                at = rnd.randrange(len(w) - k)
                return w[at: at + k] if k > 1 else [w[at]]
    one = [words(1)[0] for _ in range(n)]
    two = [(words(1)[0], words(1)[0]) for _ in range(n)]
    phrases = [words(2) for _ in range(n)]
    return one, two, phrases


ONE, AND, OR, PHRASE, FACETS = "one word", "AND of two", "OR of two", "phrase", "AND, facets"


def our_queries(one, two, phrases):
    for w in one:
        yield {"kind": ONE, "q": w}
    for a, b in two:
        yield {"kind": AND, "q": f"{a} AND {b}"}
        yield {"kind": OR, "q": f"{a} {b}"}
        yield {"kind": FACETS, "q": f"{a} AND {b}", "facets": True}
    for p in phrases:
        yield {"kind": PHRASE, "q": '"%s"' % " ".join(p)}


class Lemmas:
    """Each word by its first lemma, so that the peer, which has no Finnish, finds the same words in the same documents."""

    def __init__(self, b):
        self.binary, self.known = b.arkki_binary, {}

    def learn(self, texts):
        new = sorted({w for t in texts for w in re.findall(r"\w+", t.lower())} - self.known.keys())
        done = subprocess.run([self.binary, "analyse", "--language", "fi"], input="\n".join(new) + "\n", text=True,
                              capture_output=True, timeout=900, check=True)
        for word, line in zip(new, done.stdout.splitlines()):
            self.known[word] = next((t[1:] for t in line.split() if t.startswith("Z")), word)

    def of(self, text):
        return " ".join(self.known.get(w, w) for w in re.findall(r"\w+", text.lower()))


class Fts5:
    """SQLite's full text search over the same documents, with the labels in a table beside."""

    FILTER = " AND (d.publicity = 'public' OR d.county = '05')"

    def __init__(self, path, lemmas):
        self.db, self.lemmas = sqlite3.connect(path), lemmas

    def build(self, documents):
        self.db.executescript(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
            "CREATE VIRTUAL TABLE f USING fts5(title, text, content='', tokenize='unicode61');"
            "CREATE TABLE d (id INTEGER PRIMARY KEY, publicity, county, author, year, language, type);")
        for x in documents:
            self.db.execute("INSERT INTO f(rowid, title, text) VALUES (?, ?, ?)",
                            (x["id"], self.lemmas.of(x["title"]), self.lemmas.of(x["text"])))
            self.db.execute("INSERT INTO d VALUES (?, ?, ?, ?, ?, 'fi', 'inspection-report')",
                            (x["id"], x["publicity"], x["county"], x["author"], x["date"][:4]))
        self.db.execute("INSERT INTO f(f) VALUES ('optimize')")
        self.db.commit()
        self.db.execute("ANALYZE")

    def ask(self, kind, match):
        """Microseconds for a page of 20 and the exact total, which every answer of ours has."""
        where = "FROM f JOIN d ON d.id = f.rowid WHERE f MATCH ?" + self.FILTER
        start = time.perf_counter()
        self.db.execute(f"SELECT f.rowid {where} ORDER BY rank LIMIT 20", (match,)).fetchall()
        self.db.execute(f"SELECT count(*) {where}", (match,)).fetchone()
        if kind == FACETS:
            for column in ("publicity", "county", "author", "year", "language", "type"):
                self.db.execute(f"SELECT {column}, count(*) {where} GROUP BY 1 ORDER BY 2 DESC LIMIT 100", (match,)).fetchall()
        return (time.perf_counter() - start) * 1e6


class Postgres:
    """A cluster of its own on a Unix socket, below the work folder."""

    def __init__(self, folder):
        if not os.path.isdir(POSTGRES):
            raise lib.Failed("PostgreSQL is not installed: apt-get install postgresql-15")
        self.folder = os.path.abspath(folder)
        self.data = os.path.join(self.folder, "pg")
        self.user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
        shutil.rmtree(self.data, ignore_errors=True)
        os.makedirs(self.data)
        if self.user:
            shutil.chown(self.data, "postgres", "postgres")
            shutil.chown(self.folder, "postgres", "postgres")
        lib.run([*self.user, f"{POSTGRES}/initdb", "-D", self.data, "-A", "trust", "--locale=C.UTF-8"], 300)

    def __enter__(self):
        lib.run([*self.user, f"{POSTGRES}/pg_ctl", "-D", self.data, "-w", "-l", self.data + "/log", "-o",
                 f"-c listen_addresses='' -c unix_socket_directories={self.data} -c shared_buffers=1GB -c fsync=off "
                 "-c work_mem=64MB -c max_parallel_workers_per_gather=0", "start"], 60)
        self.psql("ALTER ROLE CURRENT_USER SET jit = off")
        return self

    def __exit__(self, *exc):
        subprocess.run([*self.user, f"{POSTGRES}/pg_ctl", "-D", self.data, "-m", "immediate", "stop"], check=False,
                       stdout=subprocess.DEVNULL)

    def psql(self, sql, stdin=None):
        done = subprocess.run([*self.user, f"{POSTGRES}/psql", "-h", self.data, "-d", "postgres", "-At", "-v", "ON_ERROR_STOP=1",
                               *(["-c", sql] if sql else [])], input=stdin, capture_output=True, text=True, check=False)
        if done.returncode:
            raise lib.Failed("psql: " + done.stderr[:200])
        return done.stdout

    def build(self, documents):
        def copied(text):
            return text.replace("\\", "\\\\").replace("\t", " ").replace("\n", "\\n").replace("\r", " ")
        self.psql("CREATE TABLE d (id int PRIMARY KEY, body text, publicity text, county text)")
        rows = "".join("%d\t%s\t%s\t%s\n" % (x["id"], copied(x["title"] + " " + x["text"]), x["publicity"], x["county"])
                       for x in documents)
        self.psql(None, "COPY d FROM stdin;\n" + rows + "\\.\n")
        self.psql("ALTER TABLE d ADD v tsvector; UPDATE d SET v = to_tsvector('finnish', body);"
                  "CREATE INDEX ON d USING gin(v)")
        self.psql("VACUUM ANALYZE d")

    def ask(self, queries):
        """Milliseconds each, as the server has measured them."""
        sql = "\\timing on\n\\o /dev/null\n" + "".join(
            "SELECT id FROM d, to_tsquery('finnish', '%s | %s') q WHERE v @@ q AND (publicity = 'public' OR county = '05')"
            " ORDER BY ts_rank(v, q) DESC LIMIT 20;\n" % pair for pair in queries)
        return [float(t) for t in re.findall(r"Time: ([\d.]+) ms", self.psql(None, sql))]


def percentile(values, p):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * p))]


def by_kind(output, field="us"):
    kinds = collections.defaultdict(list)
    for line in output.splitlines():
        x = json.loads(line)
        kinds[x["kind"]].append(x[field])
    return kinds


def bench_index(b, *args, stdin=None, timeout=6000):
    path = os.path.join(os.path.dirname(os.path.abspath(b.arkki_binary)), "bench", "bench_index")
    if not os.access(path, os.X_OK):
        raise lib.Failed(f"there is no {path}; run `make bench search`")
    with open(stdin, "rb") if stdin else open(os.devnull, "rb") as f:
        return lib.run([path, *map(str, args)], timeout=timeout, stdin=f)


class Made:
    """n documents and the index over them, kept below the work folder for the next time."""

    def __init__(self, b, n, size):
        self.folder = os.path.join(b.work, f"search-{n}-{size}")
        self.documents = os.path.join(self.folder, "documents.jsonl")
        self.index = os.path.join(self.folder, "index")
        self.built = None
        os.makedirs(self.folder, exist_ok=True)
        if not os.path.exists(self.documents):
            make_documents(self.documents + ".tmp", n, size)
            os.rename(self.documents + ".tmp", self.documents)
        # a newer program may write another index
        if os.path.exists(self.index) and os.path.getmtime(self.index) < os.path.getmtime(b.arkki_binary):
            shutil.rmtree(self.index)
        if not os.path.exists(self.index):
            shutil.rmtree(self.index + ".tmp", ignore_errors=True)
            self.built = json.loads(bench_index(b, "build", self.index + ".tmp", stdin=self.documents))
            os.rename(self.index + ".tmp", self.index)

    def ask(self, b, queries, rounds=5):
        """Microseconds by kind: when each was asked for the first time, and asked again, after all the others."""
        path = os.path.join(self.folder, "queries.jsonl")
        with open(path, "w", encoding="utf-8") as f:
            f.writelines(json.dumps(q, ensure_ascii=False) + "\n" for q in queries)
        output = bench_index(b, "ask", self.index, rounds, stdin=path)
        return by_kind(output, "first"), by_kind(output)


def medians(rounds):
    """Of each query over the rounds, in the order of the queries."""
    return {k: [statistics.median(t) for t in zip(*v)] for k, v in rounds.items()}


def ask_in_turns(b, made, fts, lemmas, one, two, phrases):
    """A B A B. Ours is a new process each round, in which all is asked twice: the first time nothing is in
    memory but what the queries before left there; the peer keeps its connection, and so its pages."""
    first, again, theirs = (collections.defaultdict(list) for _ in range(3))
    for _ in range(b.rounds):
        for kinds, into in zip(made.ask(b, our_queries(one, two, phrases), 2), (first, again)):
            for kind, us in kinds.items():
                into[kind].append(us)
        for kind, matches in ((ONE, [f'"{lemmas.of(w)}"' for w in one]),
                              (AND, [f'"{lemmas.of(x)}" AND "{lemmas.of(y)}"' for x, y in two]),
                              (FACETS, [f'"{lemmas.of(x)}" AND "{lemmas.of(y)}"' for x, y in two])):
            theirs[kind].append([fts.ask(kind, m) for m in matches])
    return medians(first), medians(again), medians(theirs)


def peers(b):
    """100,000 documents | FTS5: one word p50 >= 3 times faster, p99 >= 15, AND and facets >= 1; PostgreSQL: OR >= 60"""
    n = 100000 if not b.quick else 5000
    made = Made(b, n, 1000)
    one, two, phrases = make_queries(200 if not b.quick else 30)
    lemmas = Lemmas(b)
    lemmas.learn(passages())
    fts = Fts5(os.path.join(made.folder, "fts5-lemmas.sqlite"), lemmas)
    if not fts.db.execute("SELECT 1 FROM sqlite_master WHERE name = 'd'").fetchone():
        fts.build(json_lines(made.documents))
    first, again, peer = ask_in_turns(b, made, fts, lemmas, one, two, phrases)

    def faster(name, kind, p, reach):
        c = percentile(peer[kind], p)
        return [compared(f"{name}, against FTS5, {when}", percentile(ours[kind], p) / 1e3, c / 1e3, reach,
                         f"{n} documents") for ours, when in ((first, "first"), (again, "again"))]
    rows = [*faster("one word, p50", ONE, 0.5, 3), *faster("one word, p99", ONE, 0.99, 15),
            *faster("AND of two, p50", AND, 0.5, 1), *faster("AND of two, p99", AND, 0.99, None),
            *faster("AND with facets and count, p50", FACETS, 0.5, 1),
            *faster("AND with facets and count, p99", FACETS, 0.99, None)]
    return rows + against_postgres(made, two, first[OR], again[OR], f"{n} documents")


def compared(name, ours, peer, reach, note):
    """A row of milliseconds, ours and the peer's."""
    return row(name, f"{ours:.2f} ms", f"{peer:.2f} ms", f"{peer / ours:.1f}",
               "report" if reach is None else f">= {reach}", reach is None or peer / ours >= reach, note)


def against_postgres(made, two, first, again, note, name="OR of two"):
    try:
        with Postgres(made.folder) as pg:
            pg.build(list(json_lines(made.documents)))
            pg.ask(two[:20])
            ms = pg.ask(two)
    except lib.Failed as e:
        return [row(f"{name}, against PostgreSQL", "-", "-", "-", ">= 60", False, str(e))]
    return [compared(f"{name}, {p}, against PostgreSQL, {when}", percentile(ours, at) / 1e3, percentile(ms, at), reach, note)
            for p, at, reach in (("p50", 0.5, 60), ("p99", 0.99, None)) for ours, when in ((first, "first"), (again, "again"))]


def reports(b):
    """OR of two over texts as long as reports, 8 kB | PostgreSQL: >= 60 times faster"""
    n = 20000 if not b.quick else 1000
    made = Made(b, n, 8000)
    one, two, phrases = make_queries(100)
    first, again = made.ask(b, our_queries(one, two, phrases), max(2, b.rounds))
    return against_postgres(made, two, first[OR], again[OR], f"{n} documents of 8 kB or more", "OR of two in reports")


def snippet(b):
    """ten snippets of texts of 50 KB | <= 25 ms"""
    path = os.path.join(b.folder("snippet"), "texts.jsonl")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    make_documents(path, 10, 50000)
    got = json.loads(bench_index(b, "snippet", 15, stdin=path))
    return [row("snippets of 10 texts of 50 KB", f"{got['ms']:.1f} ms", "-", "-", "<= 25 ms", got["ms"] <= 25,
                f"with a cold cache {got['first']:.0f} ms")]


SNOWBALL = """
import json, sys, xapian
db = xapian.WritableDatabase(sys.argv[1], xapian.DB_CREATE_OR_OVERWRITE)
g = xapian.TermGenerator()
g.set_stemmer(xapian.Stem("finnish"))
for line in open(sys.argv[2], encoding="utf-8"):
    d = json.loads(line)
    x = xapian.Document()
    g.set_document(x)
    g.index_text(d["title"], 1, "S")
    g.index_text(d["title"])
    g.increase_termpos()
    g.index_text(d["text"])
    x.set_data(str(d["id"]))
    x.add_boolean_term("Q%d" % d["id"])
    db.replace_document("Q%d" % d["id"], x)
db.commit()
"""


def indexing(b):
    """indexing from the store, both cores, against Snowball alone on the same texts | >= .6"""
    n = 20000 if not b.quick else 1000
    with Service(b.arkki_binary, b.folder("indexing")) as s:
        documents = os.path.join(s.folder, "documents.jsonl")
        make_documents(documents, n, 2000)
        lines = [(s.write(f"{d['id']}.txt", d["text"]), metadata(d["title"])) for d in json_lines(documents)]
        s.imported(lines)
        lib.stop(s.process)
        s.process = None
        derived = os.path.join(s.dir, "derived")
        for name in os.listdir(derived):
            shutil.rmtree(os.path.join(derived, name))

        def ours():
            start = time.monotonic()
            lib.run([s.binary, "rebuild", s.dir, "index"], 3000, s.env)
            return time.monotonic() - start

        def theirs():
            start = time.monotonic()
            lib.run(["/usr/bin/python3", "-c", SNOWBALL, os.path.join(s.folder, "plain"), documents], 3000)
            return time.monotonic() - start
        a, c = lib.alternate(max(1, b.rounds // 2), ours, theirs)
    return [row("indexing from the store", f"{n / a:.0f}/s", f"{n / c:.0f}/s", f"{c / a:.2f}", ">= .6", c / a >= 0.6,
                f"{n} documents of 2 kB; the peer has the texts in a file, and no versions, filters or sealed store")]


def million(b):
    """p99 of the five kinds of query over a million documents, against 100,000 | <= 4"""
    if not b.full:
        raise lib.Failed("half an hour: `python3 tools/bench.py search --only search-million --full`")
    one, two, phrases = make_queries(100)
    small, large = Made(b, 100000, 400), Made(b, 1000000, 400)
    small_us, large_us = ({k: percentile(v, 0.99) for k, v in m.ask(b, our_queries(one, two, phrases))[1].items()}
                          for m in (small, large))
    return [row(f"million: {k}, p99", f"{large_us[k] / 1e3:.1f} ms", f"{v / 1e3:.1f} ms", f"{large_us[k] / v:.1f}", "<= 4",
                large_us[k] <= 4 * v) for k, v in small_us.items()]


MEASURES = {
    "search-conflation": conflation, "search-sections": sections, "search-domain": domain, "search-tika": tika,
    "search-pdfs": pdfs, "search-peers": peers, "search-reports": reports, "search-snippet": snippet, "search-indexing": indexing,
    "search-million": million,
}
