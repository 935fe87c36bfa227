# SPDX-License-Identifier: Apache-2.0
"""Valid vectors: columns, codings, content slots, metadata, and the shape of tables."""
import math

import constants as c
import scenes
import zstd_frame
from pictures import noise
from table import Section, bitmap
from vector import good

INTEGERS = {"u8": (c.Type.U8, 0, 255), "u16": (c.Type.U16, 0, 65535), "u32": (c.Type.U32, 0, (1 << 32) - 1),
            "u64": (c.Type.U64, 0, (1 << 64) - 1), "i8": (c.Type.I8, -128, 127), "i16": (c.Type.I16, -32768, 32767),
            "i32": (c.Type.I32, -(1 << 31), (1 << 31) - 1), "i64": (c.Type.I64, -(1 << 63), (1 << 63) - 1)}
FLOATS = {"f16": (c.Type.F16, -65504.0, 2.0 ** -24), "f32": (c.Type.F32, 1.5, -2.0 ** -149),
          "f64": (c.Type.F64, math.pi, -5e-324)}


def fill(a, count=3, **columns):
    """Images of one byte with the given columns; columns: name to list of values."""
    for row in range(count):
        values = {name: values[row] for name, values in columns.items() if values[row] is not None}
        a.add("image %d" % (len(a.images)), b"%d" % row, **values)


@good("a column of each integer type with its least and greatest value")
def column_integers(a):
    for name, (kind, _, _) in INTEGERS.items():
        a.define(name, kind)
    fill(a, 2, **{name: limits for name, (_, *limits) in INTEGERS.items()})
    a.commit()


@good("columns of bool and of the float types, with values that are not finite")
def column_floats(a):
    a.define("flag", c.Type.BOOL)
    for name, (kind, _, _) in FLOATS.items():
        a.define(name, kind)
    fill(a, 4, flag=[0, 1, 1, 0], **{name: [*limits, math.inf, math.nan] for name, (_, *limits) in FLOATS.items()})
    a.commit()


@good("fixed vectors of several types and widths, the predefined columns among them")
def column_vectors(a):
    a.define("box", c.Type.F32, width=4)
    a.define("bits3", c.Type.BOOL, width=3)
    a.define("embedding", c.Type.F16, width=100)
    a.define("big", c.Type.U64, width=2)
    fill(a, 2, box=[(0.0, 1.0, 2.5, -1.0), (1.0, 1.0, 1.0, 1.0)], bits3=[(0, 1, 0), (1, 1, 1)],
         embedding=[tuple(float(number) for number in range(100)), (0.5,) * 100], big=[(1 << 63, 1), None])
    a.commit()


@good("lists: empty, of scalars, of vectors; null and empty are different")
def column_lists(a):
    a.define("tags", c.Type.U8, is_list=True)
    a.define("points", c.Type.I16, width=2, is_list=True)
    a.define("weights", c.Type.F64, is_list=True)
    fill(a, 4, tags=[[1, 2, 3], [], None, [255]], points=[[(1, -2)], [(0, 0), (5, 6)], [], None],
         weights=[[0.25], [], [], [1.0, 2.0]])
    a.commit()


@good("utf8 and bytes: empty, null, and long values")
def column_texts(a):
    a.define("caption", c.Type.UTF8)
    a.define("blob", c.Type.BYTES)
    fill(a, 4, caption=["", "gr\u00fcn\n\0", None, "x" * 5000], blob=[b"\0\xff", b"", None, noise(100)])
    a.commit()


@good("the same columns with text sections coded with zstd", text_codec=c.CODEC_ZSTD)
def column_texts_zstd(a):
    column_texts(a)


@good("texts over several groups of 65,536 bytes, coded with zstd; a value larger than a group", text_codec=c.CODEC_ZSTD)
def column_text_groups(a):
    a.define("caption", c.Type.UTF8)
    fill(a, 7, caption=["a" * 40000, "b" * 40000, "c" * 200000, "", None, "d" * 65531, "last"])
    a.commit()


@good("groups that a writer closed early: a reader goes by the records")
def groups_closed_early(a):
    a.group_bytes = 1
    a.define("caption", c.Type.UTF8)
    a.define("label", c.Type.DICTIONARY)
    fill(a, 3, caption=["one", "two", "three"], label=["x", "y", "z"])
    a.commit()


@good("columns in which all rows, no rows, and some rows are null; a column that is defined later")
def column_nulls(a):
    a.define("never", c.Type.U32)
    a.define("always", c.Type.U32)
    a.define("sometimes", c.Type.U32)
    fill(a, 9, never=[None] * 9, always=range(9), sometimes=[row if row % 3 else None for row in range(9)])
    a.commit()
    a.define("later", c.Type.UTF8)
    fill(a, 2, later=["new", None])
    a.commit()


@good("u16, u32, u64 and dictionary columns in fewer bytes than their types have")
def column_narrow(a):
    for name, kind, narrow in (("u16in1", c.Type.U16, 1), ("u32in1", c.Type.U32, 1), ("u32in2", c.Type.U32, 2),
                               ("u64in1", c.Type.U64, 1),
                               ("u64in2", c.Type.U64, 2), ("u64in4", c.Type.U64, 4), ("code1", c.Type.DICTIONARY, 1),
                               ("code2", c.Type.DICTIONARY, 2)):
        a.define(name, kind, narrow=narrow)
    fill(a, 3, u16in1=[0, 255, None], u32in1=[255, 1, 2], u32in2=[65535, 1, None], u64in1=[255, 1, 2], u64in2=[65535, 1, 2],
         u64in4=[(1 << 32) - 1, 1, 2], code1=["a", "b", "a"], code2=["x", None, "y"])
    a.commit()


@good("the same column narrow in one run and in full width in the next")
def column_narrow_then_wide(a):
    a.define("width", c.Type.U32, narrow=1)
    fill(a, 2, width=[1, 2])
    a.commit()
    a.narrow[1] = None
    fill(a, 2, width=[70000, 3])
    a.commit()


@good("columns added later to two of three runs")
def column_table(a):
    for _ in range(3):
        fill(a, 2)
        a.commit()
    a.define("score", c.Type.F64)
    a.define("note", c.Type.UTF8)
    a.column_table(0, {"score": [0.5, None], "note": ["first", "second"]})
    a.column_table(2, {"score": [1.0, 2.0]})
    a.commit()


@good("a column of a run overridden whole by two later tables, the last with nulls")
def column_table_overrides(a):
    a.define("score", c.Type.I32)
    a.define("kept", c.Type.U8)
    fill(a, 3, score=[1, 2, 3], kept=[7, 8, 9])
    a.commit()
    a.column_table(0, {"score": [10, 20, 30]})
    a.commit()
    a.column_table(0, {"score": [100, None, 300]})
    a.commit()


@good("a run merged with its COLUMN tables")
def column_table_merged(a):
    column_table_overrides(a)
    a.commit(merge_runs_from=0)


@good("a dictionary that grew in each of three commits: three VALUES parts; two dictionary columns")
def dictionary_parts(a):
    a.define("label", c.Type.DICTIONARY)
    a.define("split", c.Type.DICTIONARY)
    for labels in (["cat", "dog"], ["dog", "bird"], ["emu", "cat"]):
        fill(a, 2, label=labels, split=["train", None])
        a.commit()


@good("a dictionary column without any value, and one with the empty text as a value")
def dictionary_empty(a):
    a.define("label", c.Type.DICTIONARY)
    a.define("other", c.Type.DICTIONARY)
    fill(a, 2, label=[None, None], other=["", None])
    a.commit()


@good("an image column that points to attachments, to a dead image and to an image of a later commit's run")
def column_image(a):
    a.define("mask", c.Type.IMAGE)
    a.add("a", b"a", mask=1)
    a.add("", b"mask of a", attachment=True)
    a.add("b", b"b", mask=4)
    a.add("c", b"c", mask=1)
    a.add("d", b"d")
    a.remove(4)
    a.commit()


@good("all kinds of columns in one archive")
def columns(a):
    scenes.columns(a)


@good("column ids with gaps, defined in no order; names beyond ASCII and of 255 bytes")
def column_ids(a):
    a.define("n" * 255, c.Type.U8, id=(1 << 32) - 1)
    a.define("gr\u00f6\u00dfe", c.Type.U8, id=7)
    a.add("a", b"a", **{"n" * 255: 1, "gr\u00f6\u00dfe": 2})
    a.commit()


@good("sections of a RUN in another order than usual")
def section_order(a):
    a.edit("sections", lambda table: table.sections.reverse())
    scenes.columns(a)


@good("VALIDITY with all bits set")
def validity_all_set(a):
    def add_validity(table):
        table.sections.append(Section(c.Kind.VALIDITY, bitmap([1] * 3), 3, column=2))
    a.edit("sections", add_validity)
    scenes.columns(a)


@good("images coded with zstd: text, noise, one byte, no bytes")
def zstd(a):
    scenes.packed(a)
    for number, data in enumerate((noise(500), b"x", b"")):
        a.add("%d" % number, data, coding=c.CODING_ZSTD)
    a.commit()


@good("zstd frames that encoders seldom write: raw and RLE blocks, a window of 128 MiB, a checksum")
def zstd_frames(a):
    raw, rle = zstd_frame.raw_block, zstd_frame.rle_block
    a.add("raw", b"abcdef", coding=1, stored=zstd_frame.single_segment(6, [raw(b"abc", False), raw(b"def")]))
    a.add("rle", b"y" * 100000, coding=1, stored=zstd_frame.windowed(27, [rle(ord("y"), 100000)], 100000))
    a.add("empty block", b"abc", coding=1, stored=zstd_frame.single_segment(3, [raw(b"abc", False), raw(b"")]))
    a.add("checksum", scenes.TEXT, coding=1, stored=zstd_frame.compress_checked(scenes.TEXT))
    a.incompat |= c.Incompat.ZSTD
    a.commit()


@good("a coding with a dictionary that is raw content")
def coding_raw_dictionary(a):
    scenes.dictionary(a)


@good("codings with two trained dictionaries, added in different commits; one of them is used by nothing")
def coding_trained_dictionary(a):
    trained = scenes.trained_dictionary()
    a.dictionary(255, trained, trained=True)
    a.add("a.svg", scenes.TEXT, coding=255)
    a.commit()
    a.dictionary(2, noise(300))
    a.add("b.svg", scenes.TEXT * 2, coding=255)
    a.alias("c.svg", 0)
    a.commit()


@good("content slots with equal hashes, without aliases")
def content_slots(a):
    scenes.content(a)


@good("content slots in two parts, then merged without the dead")
def content_merged(a):
    scenes.content(a)
    a.add("e", b"new")
    a.remove(0)
    a.commit(content=True)
    a.add("f", b"newer")
    a.commit(content=True, merge_content=True)


@good("content slots that cover only the images of the first commit")
def content_partial(a):
    scenes.content(a)
    a.add("e", b"new")
    a.commit()


@good("metadata, replaced whole by the second commit")
def meta(a):
    scenes.meta(a)
    a.meta({"k": "", "title": "Gr\u00fc\u00dfe\n", "x" * 255: "y" * 1000})
    a.commit("other metadata")


@good("metadata without any pair")
def meta_empty(a):
    a.meta({})
    a.commit()


@good("zstd in text sections only", text_codec=c.CODEC_ZSTD)
def sections_zstd(a):
    a.define("label", c.Type.DICTIONARY)
    a.define("caption", c.Type.UTF8)
    fill(a, 3, label=["x" * 50, "y" * 50, None], caption=["z" * 99, "", None])
    a.commit()


@good("an archive of everything: three sessions, merged names, a mask, aliases, columns, codings, content, metadata, alignment",
      alignment_log2=5,
      text_codec=c.CODEC_ZSTD)
def everything(a):
    a.dictionary(2, noise(40))
    scenes.columns(a)
    a.new_session()
    a.add("d.svg", scenes.TEXT, coding=c.CODING_ZSTD, label="bird", title="d", ext=scenes.extensions((3, b"abc")))
    a.add("e.svg", scenes.TEXT, coding=2, width=9)
    a.alias("f.svg", 3, label="cat")
    a.add("", b"thumb", attachment=True)
    a.remove(1)
    a.commit(content=True)
    a.new_session()
    a.define("later", c.Type.BYTES)
    a.column_table(0, {"later": [b"1", None, b""]})
    a.meta({"title": "everything"})
    a.add("g", b"last", later=b"g")
    a.remove(4)
    a.commit("the last", merge_names=True, content=True, sealed=True)
