#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""results.py REPORT: sums up a JUnit report of ctest. First line: passed failed skipped. Then a line for each test that failed,
"FAILED NAME", or skipped, "skipped NAME: the last line that it printed". A test that could not be started has failed. Of a script
of several parts one may be skipped while the others pass: it says "SCRIPT: skipped: WHY", and counts as passed and as skipped."""

import re
import sys
import xml.etree.ElementTree

PART_SKIPPED = r"^\S+: skipped: (.*)$"


def main(path):
    passed, lost, left = 0, [], []
    for case in xml.etree.ElementTree.parse(path).getroot().iter("testcase"):
        name = case.get("name")
        skip = case.find("skipped")
        if case.get("status") == "run":
            passed += 1
            left += [f"{name}: {why}" for why in re.findall(PART_SKIPPED, case.findtext("system-out") or "", re.M)]
        elif skip is not None and "SKIP" in skip.get("message", ""):
            said = (case.findtext("system-out") or "").strip().splitlines()
            left.append(f"{name}: {said[-1] if said else 'it does not say why'}")
        else:
            lost.append(name)
    print(passed, len(lost), len(left))
    for name in lost:
        print(f"FAILED {name}")
    for line in left:
        print(f"skipped {line}")


if __name__ == "__main__":
    main(sys.argv[1])
