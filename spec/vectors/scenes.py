# SPDX-License-Identifier: Apache-2.0
"""Archives that several vectors are made of. Each function fills an ArchiveBuilder."""
import zstandard

import constants as c
import zstd_frame
from frame import extension
from pictures import gif, noise, png, pnm, qoi
from root import Column

TEXT = b"<svg>" + b"<rect width='10' height='10'/>" * 30 + b"</svg>"


def empty(a):
    pass


def three(a):
    """One commit of three pictures."""
    a.add("cat/1.png", png(5, 4), c.Format.PNG)
    a.add("cat/2.pgm", pnm(7, 3), c.Format.PNM)
    a.add("dog/1.qoi", qoi(), c.Format.QOI)
    a.commit("three pictures")


def two_commits(a):
    three(a)
    a.new_session()
    a.add("dog/2.gif", gif(), c.Format.GIF)
    a.add("dog/3.png", png(3, 3, 9), c.Format.PNG)
    a.commit("two more")


def packed(a):
    """Images coded with zstd, text sections as well."""
    a.add("a.svg", TEXT, coding=c.CODING_ZSTD)
    a.add("b.pgm", pnm(4, 4), c.Format.PNM)
    a.commit()


def removed(a):
    """Runs of ordinals 0 to 1 (0 dead) and 2 to 5 (3 dead, 4 and 5 attachments)."""
    first = a.add("mask/2.png", png(3, 2, 1), c.Format.PNG)
    a.add("mask/3.png", png(3, 2, 2), c.Format.PNG)
    a.commit()
    a.add("mask/4.png", png(3, 2, 3), c.Format.PNG)
    gone = a.add("mask/5.png", png(3, 2, 4), c.Format.PNG)
    a.add("", png(2, 2, 5), c.Format.PNG, attachment=True)
    a.add("thumb", png(2, 2, 6), c.Format.PNG, attachment=True)
    a.remove(first)
    a.remove(gone)
    a.commit()


def aliases(a):
    a.add("first.gif", gif(), c.Format.GIF)
    a.add("second.pgm", pnm(2, 2), c.Format.PNM)
    a.alias("again.gif", 0)
    a.commit()
    a.alias("and-again.gif", 0)
    a.commit()


def columns(a):
    """One column of each kind that a validator treats in its own way, with nulls."""
    a.define("flag", c.Type.BOOL)
    a.define("width", c.Type.U32, narrow=2)
    a.define("score", c.Type.F32)
    a.define("box", c.Type.I16, width=4)
    a.define("title", c.Type.UTF8)
    a.define("label", c.Type.DICTIONARY)
    a.define("mask", c.Type.IMAGE)
    a.define("points", c.Type.U16, width=2, is_list=True)
    a.add("a.png", png(5, 4), c.Format.PNG, flag=1, width=5, score=0.5, box=(0, 1, -2, 3), title="Ein Bild", label="cat", mask=2,
          points=[(1, 2), (3, 4)])
    a.add("b.png", png(6, 4), c.Format.PNG, flag=0, width=6, title="", label="dog", points=[])
    a.add("c.png", png(7, 4), c.Format.PNG, flag=1, width=7, score=-1.5, box=(9, 9, 9, 9), label="cat")
    a.commit()


def dictionary(a):
    a.dictionary(2, noise(64) + TEXT)
    a.add("a.svg", TEXT, coding=2)
    a.add("b.svg", TEXT[::-1], coding=2)
    a.commit()


def content(a):
    a.add("a", b"the same")
    a.add("b", b"other")
    a.add("c", b"the same")
    a.alias("d", 0)
    a.commit(content=True)


def meta(a):
    a.add("a", b"a")
    a.meta({"title": "Vectors", "licence": "CC0-1.0"})
    a.commit()


def aligned(a):
    """For an archive with alignment_log2 of 6."""
    a.add("a", noise(100))
    a.add("b", noise(10, 1))
    a.commit()


def extended(a):
    a.add("a", b"a", ext=extensions((1, b"one"), (2, b"")))
    a.commit()


def extensions(*pairs):
    return b"".join(extension(kind, body) for kind, body in pairs)


def trained_dictionary():
    samples = [b"<svg id='%d'>" % index + TEXT[:200 + index % 50] + b"%d</svg>" % (index * 7919) for index in range(200)]
    return zstandard.train_dictionary(1024, samples, level=zstd_frame.LEVEL).as_bytes()


def empty_commit(a):
    a.commit()


def column(number, name):
    return Column(number, name, c.Type.U8)


def unused_column(a):
    """A column that has no values."""
    a.define("unused", c.Type.I16)
    a.add("a", b"a")
    a.commit()


def unused_dictionary(a):
    a.dictionary(2, noise(64))
    a.add("a", b"a")
    a.commit()


def two_dictionaries(a):
    a.dictionary(2, noise(64))
    a.dictionary(3, noise(64, 1))
    a.add("a", b"a")
    a.commit()


def two_dictionary_columns(a):
    a.define("label", c.Type.DICTIONARY)
    a.define("split", c.Type.DICTIONARY)
    a.add("a", b"a", label="cat", split="train")
    a.add("b", b"b", label="dog", split="test")
    a.commit()


def long_names(a):
    for letter in "abc":
        a.add(letter * 100, letter.encode())
    a.commit()
