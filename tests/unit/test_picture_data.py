#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""test_picture_data.py PROBE DATA: the probe on real pictures, compared with Pillow.

DATA is a directory with the sets named below, unless AIMG_TEST_DATA names another; a set that is not there is skipped, and then
the exit status is 77.
"""
import os
import random
import shutil
import subprocess
import sys
import tarfile

try:
    from picture_files import Tester
except ImportError as error:
    print(f"SKIPPED: all of it, for Pillow (Debian: python3-pil) is missing: {error}")
    sys.exit(77)

BATCH = 500
CUTS = 4
PNGSUITE_BROKEN_PREFIX = "x"
PNGSUITE_BROKEN_DATA = "xcsn0g01.png"  # the checksum of its image data is wrong; that is not in the header


def read_set(tester, directory, name):
    """Yields lists of (name, bytes)."""
    path = os.path.join(directory, name)
    if not os.path.exists(path):
        tester.skip(f"{name}: not in {directory}; set AIMG_TEST_DATA to where it is")
        return
    if name.endswith(".zst") and shutil.which("zstd") is None:
        tester.skip(f"{name}: the program zstd is missing")
        return
    command = ["zstd", "-dcq", path] if name.endswith(".zst") else ["cat", path]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        batch = []
        with tarfile.open(fileobj=process.stdout, mode="r|") as tar:
            for member in tar:
                if member.isfile():
                    batch.append((member.name, tar.extractfile(member).read()))
                if len(batch) == BATCH:
                    yield batch
                    batch = []
        if batch:
            yield batch


def check_photographs(tester, directory, name, count, cut_every):
    """Pictures that are all whole: Pillow opens each, none is called damaged, and parts of them are."""
    chance = random.Random(name)
    seen = opened = 0
    for batch in read_set(tester, directory, name):
        for (member, data), answer in zip(batch, tester.probe([data for _, data in batch])):
            seen += 1
            opened += tester.compare(member, data, answer)
            tester.expect(answer.damaged == 0, member, f"called damaged: {answer}")
            if seen % cut_every == 0:
                cuts = [len(data) - 1, len(data) // 2] + [chance.randrange(len(data)) for _ in range(CUTS)]
                tester.compare_cuts(member, data, answer, cuts)
    if seen:
        tester.expect(seen == opened == count, name, f"of {count} pictures {seen} were there and Pillow opened {opened}")


def check_pngsuite(tester, directory):
    opened = 0
    for batch in read_set(tester, directory, "pngsuite.tar"):
        for (member, data), answer in zip(batch, tester.probe([data for _, data in batch])):
            name = os.path.basename(member)
            opened += tester.compare(member, data, answer)
            if name.startswith(PNGSUITE_BROKEN_PREFIX) and name != PNGSUITE_BROKEN_DATA:
                tester.expect(answer.format == "not found" or answer.damaged == 1, member, f"passes for whole: {answer}")
            else:
                tester.expect(answer.format == "png" and answer.damaged == 0, member, f"called damaged: {answer}")
        tester.expect(opened >= 160, "pngsuite.tar", f"Pillow opened only {opened} pictures")


def check_hostile(tester, directory):
    opened = 0
    for batch in read_set(tester, directory, "hostile-pictures.tar.zst"):
        for (member, data), answer in zip(batch, tester.probe([data for _, data in batch])):
            opened += tester.compare(member, data, answer)
    if opened:
        print(f"hostile-pictures.tar.zst: Pillow opens {opened}")


def main():
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    tester = Tester(sys.argv[1])
    directory = os.environ.get("AIMG_TEST_DATA", sys.argv[2])
    check_photographs(tester, directory, "imagenet-sample.tar", 500, 5)
    check_photographs(tester, directory, "kodak-png.tar", 24, 4)
    check_photographs(tester, directory, "cifar10-train.tar.zst", 50000, 500)
    check_pngsuite(tester, directory)
    check_hostile(tester, directory)
    return tester.end("test_picture_data")


if __name__ == "__main__":
    sys.exit(main())
