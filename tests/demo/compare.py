#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares an unpacked archive with what it was made of: compare.py OUT COUNT SOURCE [PREFIX SOURCE]...

Every file in OUT must have the bytes of the file of the same name in SOURCE, or, when its name begins with PREFIX, of the rest of
its name in that SOURCE. OUT must hold COUNT files. Files of the first SOURCE that are not in OUT are counted: they are no
pictures.
Exit 1 when anything differs.
"""

import os
import sys

BLOCK = 1 << 20


def names_below(folder):
    """Names of all files below a folder, as bytes: names need not be text."""
    found = set()
    top = os.fsencode(folder)
    for place, _, files in os.walk(top):
        for name in files:
            found.add(os.path.relpath(os.path.join(place, name), top))
    return found


def difference(unpacked, source):
    """None, or what is different. Never trusts sizes and times."""
    try:
        with open(unpacked, "rb") as first, open(source, "rb") as second:
            position = 0
            while True:
                one, two = first.read(BLOCK), second.read(BLOCK)
                if one != two:
                    return f"differs from {os.fsdecode(source)} in the block at byte {position}"
                if not one:
                    return None
                position += len(one)
    except OSError as error:
        return str(error)


def source_of(name, sources):
    for prefix, folder in sources:
        if name.startswith(prefix):
            candidate = os.path.join(folder, name[len(prefix):])
            if os.path.exists(candidate):
                return candidate
    return None


def main(arguments):
    if len(arguments) < 3 or len(arguments) % 2 == 0:
        sys.exit(__doc__)
    out, expected = arguments[0], int(arguments[1])
    sources = [(b"", os.fsencode(arguments[2]))]
    for prefix, folder in zip(arguments[3::2], arguments[4::2]):
        sources.insert(0, (os.fsencode(prefix), os.fsencode(folder)))
    names = names_below(out)
    wrong, total = 0, 0
    for name in sorted(names):
        path = os.path.join(os.fsencode(out), name)
        source = source_of(name, sources)
        fault = difference(path, source) if source else "has no source"
        total += os.path.getsize(path)
        if fault:
            wrong += 1
            print(f"{os.fsdecode(name)}: {fault}", file=sys.stderr)
    left_out = len(names_below(arguments[2]) - names)
    print(f"{len(names):,} files, {total / 1e6:,.1f} MB compared byte for byte: {wrong} differ"
          + (f"; {left_out:,} files of {arguments[2]} are not in the archive" if left_out else ""))
    if len(names) != expected:
        print(f"{len(names)} files were unpacked, the archive lists {expected}", file=sys.stderr)
    return 1 if wrong or len(names) != expected else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
