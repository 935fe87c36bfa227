#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The vectors that nobody stores, for they have up to 2^51 bytes, most of them holes (sparse_vectors.py).

sparse.py --make DIR     writes DIR/good/NAME.aimg and .json, and DIR/bad; what no file system here can hold is told
           [--most N]    without those of which a validator reads more than N GiB (4)
sparse.py --read DIR     fails when spec/reader.py does not find in each what its JSON says
sparse.py --remove DIR   removes all that --make wrote"""
import argparse
import json
import pathlib
import sys

import self_check
import sparse_archive
import store
from sparse_vectors import SPARSE


def make(folder, most):
    count = 0
    sparse_archive.remove(folder)
    for vector in SPARSE:
        if vector.reads > most:
            continue
        archive, expected = vector.build()
        path = "%s/%s" % (vector.folder, vector.name)
        trouble = sparse_archive.save(archive, folder, path + ".aimg", vector.more, vector.reads > 0)
        if trouble:
            print("sparse.py: skipped: %s: %s" % (path, trouble))
            continue
        (folder / (path + ".json")).write_text(store.text_of(expected), encoding="utf-8")
        count += 1
    print("%d sparse vectors of %d" % (count, len(SPARSE)))
    return 0 if count else 1


def read(folder):
    paths, failed = sorted(folder.glob("*/*.aimg")), 0
    for path in paths:
        expected = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        troubles = list(self_check.compare(self_check.reader.File(path), expected))
        if path.stat().st_size != expected["file_bytes"]:
            troubles.append("has %d bytes, not %d" % (path.stat().st_size, expected["file_bytes"]))
        for trouble in troubles:
            print("%s: %s" % (path.relative_to(folder), trouble))
            failed += 1
    print("%d sparse vectors read, %d do not agree" % (len(paths), failed))
    return 1 if failed or not paths else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    choice = parser.add_mutually_exclusive_group(required=True)
    for verb in ("make", "read", "remove"):
        choice.add_argument("--" + verb, metavar="DIR", type=pathlib.Path)
    parser.add_argument("--most", metavar="N", type=int, default=4)
    arguments = parser.parse_args()
    if arguments.make:
        return make(arguments.make, arguments.most)
    return read(arguments.read) if arguments.read else sparse_archive.remove(arguments.remove)


if __name__ == "__main__":
    sys.exit(main())
