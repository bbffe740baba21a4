#!/usr/bin/env python3
"""Makes an `arkki import` manifest of a folder of Finlex decisions and statutes.

usage: finlex_manifest.py CORPUS --out MANIFEST.jsonl [--absolute]

CORPUS holds MANIFEST.jsonl (one object a line: file, title, lang, issued, kind)
and the texts below court-fi/, court-sv/, statute-fi/, statute-sv/. Every text
becomes a line, and the XML beside it, where there is one, a line of its own.
Paths are written relative to the manifest, or absolute with --absolute.
"""

import argparse
import collections
import datetime
import json
import os
import re
import sys

TITLE_MAX = 500
LANGUAGES = ("fi", "sv", "en")
# The statutes' dates are partly placeholders: 2100-01-01.
PLACEHOLDER_YEAR = 2100


def day(text):
    """The date of "YYYY-MM-DD", or None when it is no day that a document can have."""
    try:
        date = datetime.date.fromisoformat(text or "")
    except ValueError:
        return None
    return date if 1800 <= date.year < PLACEHOLDER_YEAR else None


def date_of(entry, name):
    """The day of issue; else 1 January of the year in a name such as asd19730935-sv."""
    issued = day(entry.get("issued"))
    if issued:
        return issued, False
    year = re.match(r"[a-z]+(\d{4})\d", name)
    return (year and day(f"{year[1]}-01-01")) or datetime.date(1900, 1, 1), True


def title_of(entry, name):
    title = " ".join((entry.get("title") or "").split())
    return title[:TITLE_MAX].rstrip() or name


def metadata_of(entry, name):
    date, guessed = date_of(entry, name)
    language = entry.get("lang")
    if language not in LANGUAGES:
        raise ValueError(f"{name}: unknown language {language!r}")
    metadata = {
        "units": [],
        "type": "other",
        "title": title_of(entry, name),
        "language": language,
        "date": date.isoformat(),
        "publicity": {"class": "public"},
    }
    return metadata, guessed


def files_of(corpus, entry):
    """The text, and the XML that some have beside it."""
    # `file` begins with the name of the collection's half, which is not in this copy's paths.
    parts = entry["file"].split("/")
    if ".." in parts or len(parts) < 2:
        raise ValueError(f"unexpected path {entry['file']!r}")
    text = os.path.join(corpus, *parts[-2:])
    yield text
    xml = os.path.splitext(text)[0] + ".xml"
    if os.path.isfile(xml):
        yield xml


def lines_of(corpus, counts):
    with open(os.path.join(corpus, "MANIFEST.jsonl"), encoding="utf-8") as manifest:
        for number, line in enumerate(manifest, 1):
            if not line.strip():
                continue
            try:
                entry = json.loads(line)
                for path in files_of(corpus, entry):
                    name = os.path.splitext(os.path.basename(path))[0]
                    if not os.path.isfile(path):
                        counts["missing"] += 1
                        continue
                    metadata, guessed = metadata_of(entry, name)
                    counts[os.path.splitext(path)[1].lstrip(".")] += 1
                    counts[metadata["language"]] += 1
                    counts["guessed date"] += guessed
                    yield {"file": path, "metadata": metadata}
            except (KeyError, ValueError) as error:
                raise SystemExit(f"MANIFEST.jsonl:{number}: {error}") from error


def main():
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n\n")[0], epilog="exit 1 when a listed text is missing"
    )
    parser.add_argument("corpus", help="folder with MANIFEST.jsonl and the texts")
    parser.add_argument("--out", required=True, help="the manifest to write")
    parser.add_argument("--absolute", action="store_true", help="write absolute paths")
    args = parser.parse_args()
    if not os.path.isfile(os.path.join(args.corpus, "MANIFEST.jsonl")):
        parser.error(f"{args.corpus} holds no MANIFEST.jsonl")
    base = os.path.dirname(os.path.abspath(args.out))
    os.makedirs(base, exist_ok=True)
    counts = collections.Counter()
    total = 0
    with open(args.out + ".tmp", "w", encoding="utf-8") as out:
        for line in lines_of(os.path.abspath(args.corpus), counts):
            if not args.absolute:
                line["file"] = os.path.relpath(line["file"], base)
            out.write(json.dumps(line, ensure_ascii=False) + "\n")
            total += 1
    os.replace(args.out + ".tmp", args.out)
    print(f"{total} lines: " + ", ".join(f"{n} {what}" for what, n in sorted(counts.items())))
    return 1 if counts["missing"] else 0


if __name__ == "__main__":
    sys.exit(main())
