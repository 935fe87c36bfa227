# SPDX-License-Identifier: Apache-2.0
"""Valid vectors that combine features: each combination of some, once."""
import itertools

import constants as c
import scenes
from pictures import gif, noise, png
from vector import good

CODINGS = {"stored": c.CODING_STORE, "zstd": c.CODING_ZSTD, "dictionary": 2}
HISTORIES = ("one", "two", "merged")


def combination(name, what, build, **options):
    build.__name__ = name
    good(what, **options)(build)


# images: how they are coded, what shares their bytes, what is not listed, and over how many commits


def images(coding, aliased, attached, dead, history):
    def build(a):
        if coding == 2:
            a.dictionary(2, noise(40) + scenes.TEXT[:80])
        add_batch(a, 0)
        if history != "one":
            a.commit("first")
            a.new_session()
            add_batch(a, 1)
            if dead:
                a.remove(0)
        a.commit("last", **({"merge_runs_from": 0, "merge_names": True} if history == "merged" else {}))

    def add_batch(a, batch):
        first = a.add("%d/text.svg" % batch, scenes.TEXT * (batch + 1), coding=coding)
        a.add("%d/dot.gif" % batch, gif(), c.Format.GIF)
        if aliased:
            a.alias("%d/again.svg" % batch, first)
            if batch:
                a.alias("of the first batch.svg", 0)
        if attached:
            a.add("", png(2, 2, batch), c.Format.PNG, attachment=True)
            a.add("%d/mask.png" % batch, png(3, 2, batch), c.Format.PNG, attachment=True)
        if dead:
            a.remove(a.add("%d/gone" % batch, noise(30, batch)))
    return build


for (coding, number), aliased, attached, dead, history in itertools.product(
        CODINGS.items(), (False, True), (False, True), (False, True), HISTORIES):
    parts = [coding] + [word for word, on in (("aliases", aliased), ("attachments", attached), ("dead", dead)) if on]
    combination("images_%s_%s" % ("_".join(parts), history),
                "images that are %s, with %s; %s" % (coding, ", ".join(parts[1:]) or "nothing else", {
                    "one": "one commit", "two": "two commits, two runs",
                    "merged": "two commits, the second merges the runs"}[history]),
                images(number, aliased, attached, dead, history))


# alignment


def aligned(coded):
    def build(a):
        for number, size in enumerate((1, 100, 0, 300)):
            a.add("%d" % number, scenes.TEXT[:size], coding=c.CODING_ZSTD if coded else c.CODING_STORE)
        a.commit()
    return build


for log2 in range(c.ALIGNMENT_LOG2_MIN, c.ALIGNMENT_LOG2_MAX + 1):
    for coded in (False, True):
        combination("alignment_2_%d_%s" % (log2, "coded" if coded else "stored"),
                    "%s images at multiples of %d" % ("coded" if coded else "stored", 1 << log2), aligned(coded),
                    alignment_log2=log2)


# columns: each type, and where values are missing

VALUES = {c.Type.BOOL: (0, 1, 1), c.Type.U8: (0, 255, 7), c.Type.U16: (0, 65535, 7), c.Type.U32: (0, (1 << 32) - 1, 7),
          c.Type.U64: (0, (1 << 64) - 1, 7), c.Type.I8: (-128, 127, 0), c.Type.I16: (-32768, 32767, 0),
          c.Type.I32: (-(1 << 31), (1 << 31) - 1, 0), c.Type.I64: (-(1 << 63), (1 << 63) - 1, 0), c.Type.F16: (0.5, -65504.0,
                                        0.0),
          c.Type.F32: (0.25, -1.0, 0.0), c.Type.F64: (0.1, -5e-324, 0.0), c.Type.UTF8: ("", "gr\u00fcn", "x" * 300),
          c.Type.BYTES: (b"", b"\0\xff", bytes(300)), c.Type.DICTIONARY: ("cat", "dog", "cat"), c.Type.IMAGE: (0, 2, 1)}
NULLS = {"full": (False, False, False), "gaps": (False, True, False), "ends": (True, False, True), "null": (True, True, True)}


def column(kind, values, **shape):
    def build(a):
        a.define("x", kind, **shape)
        for row, value in enumerate(values):
            a.add("%d" % row, b"%d" % row, **({} if value is None else {"x": value}))
        a.commit()
    return build


for kind, values in VALUES.items():
    for name, nulls in NULLS.items():
        combination("column_%s_%s" % (kind.name.lower(), name), "a column of %s; rows that have no value: %s" % (
            kind.name.lower(), [row for row, null in enumerate(nulls) if null]),
                    column(kind, [None if null else value for value, null in zip(values, nulls)]))
for kind in c.LIST_TYPES:
    values = VALUES[kind]
    combination("vectors_%s" % kind.name.lower(), "vectors of three %s, one of them null" % kind.name.lower(),
                column(kind, [values, None, values[::-1]], width=3))
    combination("lists_%s" % kind.name.lower(), "lists of %s: full, empty, null, of one" % kind.name.lower(),
                column(kind, [list(values), [], None, [values[0]]], is_list=True))
    combination("lists_of_vectors_%s" % kind.name.lower(), "lists of vectors of two %s: full, empty, null" % kind.name.lower(),
                column(kind, [[values[:2], values[1:]], [], None], is_list=True, width=2))


# what stands beside the images


def beside(columns, content, meta, hints):
    def build(a):
        if columns:
            a.define("n", c.Type.U16)
            a.define("t", c.Type.UTF8)
        for number in range(3):
            a.add("%d" % number, noise(20, number // 2), **({"n": number, "t": "text %d" % number} if columns else {}))
        if meta:
            a.meta({"title": "beside"})
        if hints == "declared away":
            a.compat |= c.Compat.NO_HINTS
        a.commit(content=content)
        a.commit("again", content=content)
        if hints == "only the older":
            del a.hints[1]
    return build


for columns, content, meta, hints in itertools.product((False, True), (False, True), (False, True), (
        "both", "declared away", "only the older")):
    parts = [word for word, on in (("columns", columns), ("content", content), ("meta", meta)) if on]
    combination("beside_%s_hints_%s" % ("_".join(parts) or "nothing", hints.replace(" ", "_")),
                "beside images %s; hints: %s" % (", ".join(parts) or "nothing", hints), beside(columns, content, meta, hints))
