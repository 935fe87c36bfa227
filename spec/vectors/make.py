#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the vectors.

make.py             writes good/ and bad/ beside this file
make.py --check     fails when the stored files are not what would be written now
make.py --read      fails when the vectors' own reader does not find in each what its JSON says
make.py --all DIR   writes all vectors, also those that are not stored, to DIR/good and DIR/bad"""
import argparse
import json
import pathlib
import sys

import zstandard

import bad_commits
import bad_frames
import bad_head
import bad_index
import bad_tables
import good_columns
import good_vectors
import self_check
from vector import VECTORS

MODULES = (good_vectors, good_columns, bad_head, bad_frames, bad_commits, bad_tables, bad_index)  # in this order
HERE = pathlib.Path(__file__).resolve().parent
ZSTD_VERSION = (1, 5, 4)  # of Debian 12; another one may code the same bytes in another way

# A file is at least 12 or 20 KiB, so not all are stored: of the bad ones the first of each rule and these,
STORED_BAD = """
    hint-names-no-commit hint-past-the-end hint-on-an-empty-archive file-of-no-bytes head-cut stored-bytes-lie
    extension-critical commit-inside-an-image tail-frame-cut-in-payload tail-of-the-first-batch tail-forged-commit
    truncated-by-a-byte truncated-by-a-page root-part-count-huge incompat-unknown group-length-wraps zstd-bomb name-absolute
    name-not-utf8 alias-target-aliased block-flip slot-in-two-parts hint-past-2-51 tail-frame-raw-bytes-2-47 tail-frame-zero-30
    alias-format root-of-the-commit-before mask-without-dead salt-of-pad
""".split()
# of the good ones all but these.
LEFT_OUT_GOOD = """
    many-commits slots-sparse names-merged runs-merged removed alignment-16 hint-b-only hints-absent unsealed bits-without-use
    time-extremes name-text-zstd column-texts-zstd column-narrow-then-wide column-table-merged content-partial removed-all
    replaced slots-dense validity-all-set name-groups alignment-4096 time-runs-back sections-zstd header-least removed-at-once
    pictures aliases column-texts content-merged
""".split()


def stored_vectors():
    rules = set()
    for vector in VECTORS:
        first = vector.rule not in rules
        rules.add(vector.rule)
        if vector.folder == "good" and vector.name not in LEFT_OUT_GOOD:
            yield vector
        if vector.folder == "bad" and (first or vector.name in STORED_BAD):
            yield vector


def files_of(vectors):
    """Path below the folder, and bytes."""
    for vector in vectors:
        data, expected = vector.write()
        yield "%s/%s.aimg" % (vector.folder, vector.name), data
        yield "%s/%s.json" % (vector.folder, vector.name), (json.dumps(expected, indent=1, ensure_ascii=False) + "\n").encode()


def write(vectors, folder):
    size = count = 0
    for path, data in files_of(vectors):
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        size, count = size + len(data), count + 1
    print("%d files, %d bytes in %s" % (count, size, folder))


def stored_paths():
    return [path for folder in ("good", "bad") for path in sorted((HERE / folder).glob("*"))]


def check():
    wanted = dict(files_of(stored_vectors()))
    there = {str(path.relative_to(HERE)): path.read_bytes() for path in stored_paths()}
    differing = sorted(path for path in wanted.keys() | there.keys() if wanted.get(path) != there.get(path))
    for path in differing:
        print("%s: %s" % (path, "is not made any more" if path not in wanted else "is missing" if path not in there
                          else "differs"))
    if differing and zstandard.ZSTD_VERSION != ZSTD_VERSION:
        print("note: zstd here is %d.%d.%d, the vectors were made with %d.%d.%d" % (*zstandard.ZSTD_VERSION, *ZSTD_VERSION))
    print("%d files, %d differ" % (len(wanted), len(differing)))
    return 1 if differing else 0


def read():
    failed = 0
    for vector in VECTORS:
        data, expected = vector.write()
        for trouble in self_check.compare(data, expected):
            print("%s/%s: %s" % (vector.folder, vector.name, trouble))
            failed += 1
    print("%d vectors read, %d do not agree" % (len(VECTORS), failed))
    return 1 if failed else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--check", action="store_true")
    choice.add_argument("--read", action="store_true")
    choice.add_argument("--all", metavar="DIR", type=pathlib.Path)
    arguments = parser.parse_args()
    names = [(vector.folder, vector.name) for vector in VECTORS]
    missing = [name for name in (*STORED_BAD, *LEFT_OUT_GOOD) if name not in {name for _, name in names}]
    if len(names) != len(set(names)) or missing:
        sys.exit("two vectors of one name, or no vector of the name %s" % missing)
    if arguments.check:
        return check()
    if arguments.read:
        return read()
    if arguments.all:
        write(VECTORS, arguments.all)
        return 0
    for path in stored_paths():
        path.unlink()
    write(stored_vectors(), HERE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
