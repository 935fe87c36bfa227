#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Damaged archives for both validators: the library's and spec/reader.py's must find the same rules broken in each. What breaks
none the reader reads whole; with the others it has no trouble but a Fault.

run_differential.py PROGRAM COUNT SEED FOLDER...         of the archives in each FOLDER and below
run_differential.py PROGRAM replay SEED NUMBER FOLDER...  writes one to damaged.aimg, and what both say of it

PROGRAM is damaged_archives. From 100,000 on the figures are kept."""
import collections
import multiprocessing
import pathlib
import struct
import subprocess
import sys
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1] / "spec"), str(HERE.parent / "ci")]
import reader  # noqa: E402
from aimg_reader.container import Fault, Memory  # noqa: E402
from aimg_reader.validator import Validator  # noqa: E402
from figures import keep  # noqa: E402

RECORD = struct.Struct("<QIIQQ")
IMAGES_READ = 8
PIECE = 500  # archives that a process makes at once
SHOWN = 20
KEPT_FROM = 100000


def rules_of(data):
    """The rules that the reader finds broken; a text when it fails."""
    try:
        return sorted({finding.rule for finding in Validator(Memory(data)).run() if not finding.warning})
    except Exception:
        return traceback.format_exc()


def reading_fault(data, valid):
    """What is wrong with how the reader reads it, or None."""
    try:
        archive = reader.Archive(Memory(data))
        for image in archive.images[:IMAGES_READ]:
            archive.read(image)
            found = archive.find(image.name)
            if valid and (found is None or found.ordinal != image.ordinal):
                return "image %d is not found by its name" % image.ordinal
        for column in archive.columns:
            archive.values(column)
        return None if isinstance(archive.meta, dict) else "no metadata"
    except Fault as fault:
        return str(fault) if valid else None
    except Exception:
        return traceback.format_exc()


def damaged(program, seed, first, count, files):
    """(number, status, rules that the library finds broken, bytes)"""
    with subprocess.Popen([program, str(seed), str(first), str(count), *files], stdout=subprocess.PIPE) as process:
        for _ in range(count):
            record = process.stdout.read(RECORD.size)
            if len(record) < RECORD.size:
                raise RuntimeError("%s ended early: exit %s" % (program, process.wait()))
            number, size, status, low, high = RECORD.unpack(record)
            bits = high << 64 | low
            yield number, status, [rule for rule in range(128) if bits >> rule & 1], process.stdout.read(size)


def compare(job):
    """How many were made, what differs, how many were valid, and how many broke each rule."""
    differences, valid, rules = [], 0, collections.Counter()
    for number, status, theirs, data in damaged(*job):
        ours = rules_of(data)
        ours = reading_fault(data, not theirs) or ours
        if ours != theirs:
            differences.append((number, status, theirs, ours))
        valid += not theirs
        rules.update(theirs)
    return job[3], differences, valid, rules


def run(program, count, seed, files):
    jobs = [(program, seed, at, min(PIECE, count - at), files) for at in range(0, count, PIECE)]
    begin, done, valid, different, verdicts, rules = time.time(), 0, 0, 0, 0, collections.Counter()
    with multiprocessing.Pool() as pool:
        for made, differences, whole, broken in pool.imap_unordered(compare, jobs):
            done, valid, different, rules = done + made, valid + whole, different + len(differences), rules + broken
            for number, status, theirs, ours in differences:
                verdicts += isinstance(ours, str) or bool(theirs) != bool(ours)
                if different <= SHOWN:
                    print("replay %d %d: the library finds %s (status %d), the reader %s" % (seed, number, theirs, status, ours))
    print("%d damaged archives, made of %d, with seed %d: %d valid, %d rules broken, %d verdicts and %d sets of rules differ" % (
        done, len(set(files)), seed, valid, len(rules), verdicts, different))
    if count >= KEPT_FROM:
        figures = {"of_archives": len(set(files)), "seed": seed, "damaged": done, "valid": valid, "rules_broken": len(rules),
                   "verdicts_that_differ": verdicts, "sets_of_rules_that_differ": different,
                   "seconds": round(time.time() - begin), "archives_by_rule": {str(rule): rules[rule] for rule in sorted(rules)}}
        keep("differential", "./dev differential %d %d" % (count, seed), figures)
    return 1 if different or done != count or valid == 0 or valid == done else 0


def replay(program, seed, number, files):
    for _, status, theirs, data in damaged(program, seed, number, 1, files):
        pathlib.Path("damaged.aimg").write_bytes(data)
        print("damaged.aimg; the library: %s (status %d)" % (theirs, status))
        for finding in Validator(Memory(data)).run():
            print("the reader: %s" % (finding,))
    return 0


def archives(folders):
    """Valid ones several times: in others, whatever was changed, a rule was broken before."""
    files = sorted({str(path) for folder in folders for path in pathlib.Path(folder).rglob("*.aimg")})
    return files + [path for path in files if "/bad/" not in path] * 8


def main():
    words = sys.argv[1:]
    if len(words) > 4 and words[1] == "replay":
        return replay(words[0], int(words[2]), int(words[3]), archives(words[4:]))
    if len(words) < 4:
        sys.exit(__doc__)
    return run(words[0], int(words[1]), int(words[2]), archives(words[3:]))


if __name__ == "__main__":
    sys.exit(main())
