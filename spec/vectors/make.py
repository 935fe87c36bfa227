#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the vectors, and works with the stored ones.

make.py                stores beside this file what is not stored yet; one that is stored is never written again
make.py --check        fails when the stored ones are not what is made now
make.py --read         fails when spec/reader.py does not find in each what its JSON says
make.py --unpack DIR   writes the stored ones as DIR/good/NAME.aimg and .json, and DIR/bad, for who tests a reader"""
import argparse
import pathlib
import sys

import zstandard

import bad_answers
import bad_boundaries
import bad_commits
import bad_frames
import bad_head
import bad_index
import bad_single
import bad_tables
import bad_wide
import good_boundaries
import good_columns
import good_lattice
import good_vectors
import self_check
import store
import zstd_frame
from vector import VECTORS

MODULES = (good_vectors, good_columns, good_boundaries, good_lattice, bad_head, bad_frames, bad_commits, bad_tables, bad_index,
           bad_boundaries, bad_single, bad_answers, bad_wide)  # in this order
ZSTD_VERSION = (1, 5, 4)  # of Debian 12; another one may code the same bytes in another way
SIZE_MAX = 8 << 20
OF_THE_BYTES = ("file_bytes", "file_xxh128", "chain")  # what the JSON says of them


def write():
    there = set(store.names())
    new = [vector for vector in VECTORS if vector.path not in there]
    for vector in new:
        store.save(vector.path, *vector.write())
    print("%d vectors stored, %d of them new, %d bytes" % (len(there) + len(new), len(new), store.size()))
    return check()


def coded_otherwise(stored, made):
    """Whether another zstd explains a difference: then the stored vector counts, and the content that its JSON tells must be
    what is made."""
    if zstandard.ZSTD_VERSION == ZSTD_VERSION or not all(zstd_frame.MAGIC in data for data, _ in (stored, made)):
        return False
    told = [{key: value for key, value in expected.items() if key not in OF_THE_BYTES} for _, expected in (stored, made)]
    return told[0] == told[1]


def difference(vector):
    """What is wrong with a stored vector, or None."""
    stored, (data, expected) = store.load(vector.path), vector.write()
    made = data, store.complete(data, expected)
    if None in stored:
        return "is missing"
    if store.complete(*stored) != stored[1]:
        return "file_bytes or file_xxh128 are not those of the archive"
    if stored == made:
        return None
    if coded_otherwise(stored, made):
        print("%s: zstd here codes it otherwise; the stored one counts" % vector.path)
        return None
    return "differs in " + " and ".join(what for what, one, other in zip(("archive", "JSON"), stored, made) if one != other)


def check():
    """With another version of zstd than that of the vectors, coded bytes in an archive may be others."""
    made = {vector.path for vector in VECTORS}
    troubles = [(vector.path, difference(vector)) for vector in VECTORS]
    troubles = [trouble for trouble in troubles if trouble[1]] + [(name, "is not made any more") for name in store.names()
                                                                  if name not in made]
    for name, trouble in troubles:
        print("%s: %s" % (name, trouble))
    if store.size() > SIZE_MAX:
        print("%d bytes are more than %d" % (store.size(), SIZE_MAX))
    print("%d vectors, %d differ, %d bytes" % (len(VECTORS), len(troubles), store.size()))
    return 1 if troubles or store.size() > SIZE_MAX else 0


def read():
    failed = 0
    for vector in VECTORS:
        data, expected = vector.write()
        for trouble in self_check.compare(self_check.reader.Memory(data), expected):
            print("%s: %s" % (vector.path, trouble))
            failed += 1
    print("%d vectors read, %d do not agree" % (len(VECTORS), failed))
    return 1 if failed else 0


def unpack(folder):
    for name in store.names():
        data, expected = store.load(name)
        if data is None or expected is None or store.complete(data, expected) != expected:
            sys.exit("%s is not whole: make.py --check" % name)
        target = folder / (name + ".aimg")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        target.with_suffix(".json").write_text(store.text_of(expected), encoding="utf-8")
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--check", action="store_true")
    choice.add_argument("--read", action="store_true")
    choice.add_argument("--unpack", metavar="DIR", type=pathlib.Path)
    arguments = parser.parse_args()
    names = [vector.path for vector in VECTORS]
    if len(names) != len(set(names)):
        sys.exit("two vectors of one name: %s" % sorted({name for name in names if names.count(name) > 1}))
    if arguments.unpack:
        return unpack(arguments.unpack)
    return check() if arguments.check else read() if arguments.read else write()


if __name__ == "__main__":
    sys.exit(main())
