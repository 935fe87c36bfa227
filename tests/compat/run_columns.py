#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Lets the library set columns in random order and has a reader that was made from spec/SPEC.md alone read them.

run_columns.py VECTORS WORK PROGRAM [SEED]

VECTORS is spec/vectors: it knows how to ask spec/reader.py. WORK is a folder for files. PROGRAM is column_script."""
import pathlib
import random
import shutil
import struct
import subprocess
import sys

SEQUENCES = 12
STEPS = 60


class Column:
    def __init__(self, number, name, kind, width=1, is_list=False):
        self.number, self.name, self.kind, self.width, self.is_list = number, name, kind, width, is_list
        self.code = constants.ELEMENT_CODES.get(kind)
        self.fixed = self.code and not is_list and kind != constants.Type.DICTIONARY

    def make(self, rows):
        """A random value: what a reader must give for it, and the bytes that a writer takes."""
        kind = self.kind
        if kind in (constants.Type.UTF8, constants.Type.DICTIONARY, constants.Type.BYTES):
            text = random.choice("äbcdefgh") * random.randrange(30) + str(random.randrange(30))
            text = text[-6:] if kind == constants.Type.DICTIONARY else text
            return (text.encode() if kind == constants.Type.BYTES else text), text.encode()
        count = self.width * (random.randrange(4) if self.is_list else 1)
        values = [self.element(rows) for _ in range(count)]
        raw = struct.pack("<%d%s" % (count, self.code), *values)
        return tuple(values), raw

    def element(self, rows):
        kind = self.kind
        if kind == constants.Type.BOOL:
            return random.randrange(2)
        if kind == constants.Type.IMAGE:
            return random.randrange(rows)
        if self.code in "efd":
            return random.randrange(-1000, 1000) / 4
        bits = 8 * struct.calcsize("<" + self.code)
        value = random.randrange(1 << random.choice([4, bits]))
        return value - (1 << bits - 1) if self.code in "bhiq" and value >= 1 << bits - 1 else value


def columns():
    t = constants.Type
    kinds = [(kind,) for kind in t] + [(t.F32, 4), (t.U8, 3), (t.U16, 1, True), (t.F32, 4, True), (t.U64,), (t.UTF8,)]
    return [Column(number, "c%d" % number, *kind) for number, kind in enumerate(kinds, 1)]


def sequence(rows_max=300):
    """A script, and the values that must be there after it: (ordinal, column number) to value."""
    script, model, dead, rows = [], {}, set(), 0
    defined = {}
    for step in range(STEPS):
        action = random.choice(["add", "set", "set", "set", "array", "null", "remove", "commit", "commit"])
        if action == "add" or rows == 0:
            count = min(random.choice([1, 3, 40]), rows_max - rows)
            script.append("add %d" % count)
            rows += count
            continue
        column = random.choice(ALL)
        if column.name not in defined:
            defined[column.name] = len(defined) + 1
            script.append("column %s %d %d %d" % (column.name, column.kind, column.width, column.is_list))
        number = defined[column.name]
        if action == "array" and column.fixed:
            first = random.choice([0, random.randrange(rows)])
            count = random.choice([rows - first, random.randrange(rows - first + 1)])
            values = [column.make(rows) for _ in range(count)]
            script.append("array %d %d %d %s" % (number, first, count, b"".join(raw for _, raw in values).hex() or "-"))
            model.update({(first + row, column.name): value for row, (value, _) in enumerate(values)})
        elif action in ("set", "array", "null"):
            for ordinal in {random.randrange(rows) for _ in range(random.randrange(40))} - dead:
                value, raw = column.make(rows)
                if action == "null":
                    model.pop((ordinal, column.name), None)
                    script.append("null %d %d -" % (ordinal, number))
                else:
                    model[ordinal, column.name] = value
                    script.append("set %d %d %s" % (ordinal, number, raw.hex() or "-"))
        elif action == "remove":
            ordinal = random.randrange(rows)
            if ordinal not in dead:
                script.append("remove %d" % ordinal)
                dead.add(ordinal)
        else:
            script.append("commit")
    script.append(random.choice(["commit", "commit", "seal"]))
    return script, model, rows


def flat(value):
    """Elements of a number, a vector, a list, or a list of vectors; texts and bytes as they are."""
    if isinstance(value, (str, bytes)):
        return value
    if not isinstance(value, (list, tuple)):
        return (value,)
    return tuple(element for item in value for element in flat(item))


def read(path):
    archive = read_valid(path)
    values = {(entry.ordinal, name): flat(value) for entry in archive.all for name, value in entry.values.items()}
    return values, len(archive.all), len(archive.root.of(constants.FrameType.COLUMN))


def main():
    work, program = pathlib.Path(sys.argv[2]), sys.argv[3]
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    failed = tables = 0
    seeds = [int(sys.argv[4])] if len(sys.argv) > 4 else range(1, SEQUENCES + 1)
    for seed in seeds:
        random.seed(seed)
        script, model, rows = sequence()
        path = work / ("%d.aimg" % seed)
        done = subprocess.run([program, path], input="\n".join(script) + "\n", text=True, capture_output=True, timeout=60)
        try:
            if done.returncode != 0:
                raise ValueError(done.stderr.strip())
            found, found_rows, count = read(path)
            tables += count
            different = sorted(key for key in set(model) | set(found) if model.get(key) != found.get(key))
            if rows != found_rows:
                raise ValueError("%d rows, not %d" % (found_rows, rows))
            if different:
                raise ValueError("%d values differ, as %s: %r, not %r" % (
                    len(different), different[0], found.get(different[0]), model.get(different[0])))
        except ValueError as trouble:
            print("seed %d: %s" % (seed, trouble))
            failed += 1
    print("%d passed, %d failed, %d COLUMN tables" % (len(seeds) - failed, failed, tables))
    return 1 if failed or tables == 0 else 0


if __name__ == "__main__":
    if len(sys.argv) not in (4, 5):
        sys.exit(__doc__)
    sys.path.insert(0, sys.argv[1])
    import constants
    from self_check import read_valid
    ALL = columns()
    sys.exit(main())
