#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""make_fold_table.py [--check FILE]: writes fold_table.h, from the Unicode data of this Python; or compares FILE with it.

Of each character what it becomes without differences of case and of composition, and its place among combining marks."""
import sys
import unicodedata

WIDTH = 126
HANGUL = range(0xAC00, 0xD7A4)  # decomposed by arithmetic
SURROGATES = range(0xD800, 0xE000)


def folded(character):
    decomposed = unicodedata.normalize("NFD", character)
    return unicodedata.normalize("NFD", decomposed.casefold())


def characters():
    return (chr(code) for code in range(0x110000) if code not in HANGUL and code not in SURROGATES)


def folds():
    for character in characters():
        if folded(character) != character:
            yield "%X=%s" % (ord(character), ",".join("%X" % ord(part) for part in folded(character)))


def marks():
    """Ranges of characters of one combining class."""
    found = []
    for code, order in ((ord(character), unicodedata.combining(character)) for character in characters()):
        if order and found and found[-1][1] == code - 1 and found[-1][2] == order:
            found[-1][1] = code
        elif order:
            found.append([code, code, order])
    return ("%X-%X=%X" % tuple(mark) for mark in found)


def literal(name, words):
    lines, line = [], ""
    for word in words:
        if len(line) + len(word) + 1 > WIDTH - 6:
            lines.append(line)
            line = ""
        line += word + ";"
    body = "\n".join('    "%s"' % part for part in lines + [line])
    return "static const char %s[] =\n%s;\n" % (name, body)


def table():
    return ("/* SPDX-License-Identifier: Apache-2.0 */\n"
            "/* Written by make_fold_table.py from the data of Unicode %s: CHARACTER=WHAT,IT,BECOMES; FIRST-LAST=CLASS; in\n"
            " * hexadecimal, ascending. */\n"
            "#ifndef AIMG_TOOLS_FOLD_TABLE_H\n#define AIMG_TOOLS_FOLD_TABLE_H\n\n%s\n%s\n#endif\n"
            % (unicodedata.unidata_version, literal("fold_folds", folds()), literal("fold_marks", marks())))


def main():
    if len(sys.argv) != 3 or sys.argv[1] != "--check":
        sys.stdout.write(table())
        return 0
    with open(sys.argv[2], encoding="utf-8") as file:
        there = file.read()
    if "Unicode %s:" % unicodedata.unidata_version not in there:
        print("this Python has Unicode %s; the table is of another version" % unicodedata.unidata_version)
        return 77
    if there == table():
        return 0
    print("%s is not what make_fold_table.py writes: write it again" % sys.argv[2])
    return 1


if __name__ == "__main__":
    sys.exit(main())
