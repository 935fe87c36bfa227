# SPDX-License-Identifier: Apache-2.0
"""As bad_boundaries.py, for tables and what they hold: names, aliases, values."""
from dataclasses import replace

import constants as c
import scenes
from bad_boundaries import declared, unused
from checksum import u
from table import Groups, Section, bitmap
from vector import bad, edited, put

K, T = c.Kind, c.FrameType

# ------------------------------------------------------------------ tables

RUN, NAMES = 0, 1


def table(name, rule, what, edit, at=RUN, scene=scenes.three, opens=False):
    edited(name, rule, what, scene, "sections", edit, at, opens)


def descriptor(name, rule, what, index, at=RUN, scene=scenes.three, **fields):
    table(name, rule, what, lambda subject: subject.edits.update(descriptors=lambda all: put(**fields)(all[index])), at, scene)


def longer(index, by):
    """A section with zero bytes behind it that it does not count."""
    def edit(subject):
        section = subject.sections[index]
        put(bytes=len(section.data), data=section.data.ljust(-(-len(section.data) // 64) * 64 + by, b"\0"))(section)
    return edit


descriptor("slots_none", 39, "slot_count of a NAMES table is 0", 0, NAMES, extra=0)
descriptor("slots_more_than_count", 39, "slot_count of a NAMES table is more than its section has", 0, NAMES, extra=1 << 20)
descriptor("section_bytes_odd", 39, "bytes of ENTRIES is one more than its rows need", 0, bytes=97, raw_bytes=97)
descriptor("section_bytes_past_the_data", 38, "the last section ends 64 bytes past data_bytes", 1, bytes=128)
descriptor("section_kind_zero", 38, "a section of kind 0", 1, kind=0)
descriptor("section_kind_11", 38, "a section of kind 11", 1, kind=11)
descriptor("element_bytes_zero", 38, "element_bytes of VALUES is 0", 2, scene=scenes.columns, element_bytes=0)
descriptor("section_extra_of_bitmap", 38, "extra of a bitmap is 1", 0, 3, scenes.removed, extra=1)
descriptor("section_codec_of_bitmap", 38, "codec 1 of a bitmap", 0, 3, scenes.removed, codec=1)
descriptor("section_element_bytes_of_bitmap", 38, "element_bytes of a bitmap is 1", 0, 3, scenes.removed, element_bytes=1)
descriptor("section_raw_bytes_of_slots", 39, "raw_bytes of NAME_SLOTS is not its bytes", 0, NAMES, raw_bytes=16)
descriptor("groups_none", 39, "NAME_TEXT has no group and three names", 1, extra=0)
descriptor("groups_more_than_values", 39, "NAME_TEXT has four groups of three names", 1, scene=scenes.long_names, extra=4)
table("section_hole", 38, "64 zero bytes between two sections, signed", longer(0, 64))
table("section_tail", 38, "64 zero bytes after the last section, signed", longer(1, 64))
table("section_values_twice", 38, "VALUES of one column stand twice", lambda subject: subject.sections.append(
    replace(subject.section(K.VALUES, 1))), scene=scenes.columns)
table("section_dead_in_a_run", 38, "a bitmap DEAD in a RUN", lambda subject: subject.sections.append(
    Section(K.DEAD, bitmap([1, 0, 0]), 3)))
table("section_values_in_a_mask", 38, "VALUES of a column in a MASK", lambda subject: subject.sections.append(
    Section(K.VALUES, bytes(2), 2, 1, column=1)), 3, scenes.removed)
table("section_entries_in_a_mask", 38, "ENTRIES in a MASK", lambda subject: subject.sections.append(
    Section(K.ENTRIES, bytes(64), 2, 32)), 3, scenes.removed)
table("section_values_without_column", 38, "VALUES of no column", lambda subject: subject.sections.append(
    Section(K.VALUES, bytes(3), 3, 1)))
table("section_slots_missing", 38, "a NAMES table with a second section instead of its slots",
      lambda subject: put(kind=K.CONTENT_SLOTS)(
    subject.sections[0]), NAMES)
table("section_names_missing", 38, "a RUN without NAME_TEXT", lambda subject: subject.sections.pop(1))


def far_slots(a):
    """4,097 empty slots behind the last key."""
    a.edit("slots", lambda slots: put(max_disp=c.DISPLACEMENT_MAX + 1)(slots))
    scenes.three(a)


declared("slots_too_far", 39, "max_disp is 4,097", far_slots, opens=False)


def group(name, rule, what, edit_records, values=(b"1" * 40, b"2" * 40, b"3" * 40), opens=None, codec=c.CODEC_ZSTD, close=None):
    """One group of texts in a column, coded with zstd."""
    def build(a):
        a.define("text", c.Type.BYTES)
        a.edit("sections", lambda subject: edit_groups(subject))
        for number, value in enumerate(values):
            a.add("%d" % number, b"%d" % number, text=value)
        a.commit()

    def edit_groups(subject):
        groups = Groups(list(values), codec, close or c.GROUP_CLOSE_BYTES, {"records": edit_records})
        subject.sections[-1] = groups.section(K.GROUPS, 1)
    declared(name, rule, what, build, opens=opens, text_codec=codec)


group("group_raw_bytes_less_than_lengths", 39, "raw_bytes of a coded group is less than its lengths take",
      lambda records: put(raw_bytes=11)(records[0]))
group("group_raw_bytes_of_coded", 49, "raw_bytes of a coded group is one too many", lambda records: put(
    raw_bytes=records[0].raw_bytes + 1)(records[0]))
group("group_last_of_seven", 39, "the last of seven groups says too few bytes: a search for row 5 meets it, a walk only later",
      lambda records: put(raw_bytes=1)(records[6]), tuple(b"%d" % i * 40 for i in range(7)), close=1)
group("group_too_large", 39, "a group of 36 MiB", lambda records: None, (bytes(12 << 20),) * 3, close=1 << 30)

# ------------------------------------------------------------------ what a reader must not say of bytes that changed


def flipped(name, what, at, byte, scene, **also):
    """A bit of a table's block changed, all above it is right."""
    def flip(data):
        data[byte] ^= 1
    edited(name, 40, what, scene, "sections", lambda subject: subject.edits.update(flip=flip), at, also=also)


flipped("block_flip_in_name_text", "a bit of a name in NAME_TEXT changed", RUN, 141, scenes.three, refuses_list=True)
flipped("block_flip_in_values", "a bit of a value changed: the first flag", RUN, 192, scenes.columns,
        refuses_values={"flag": [0]})
flipped("block_flip_in_first_slot", "a bit of the hash of the first slot changed", NAMES, 6, scenes.three,
        not_missing=["cat/1.png", "cat/2.pgm", "dog/1.qoi"])
edited("frame_check_of_coded", 13, "the check of the frame of a coded image is wrong", scenes.packed, "frame 1", put(check=1),
       refuses=(0,))
edited("frame_ordinal_of_coded", 44, "the frame of a coded image says another ordinal", scenes.packed, "frame 1", put(ordinal=1),
       refuses=(0,))
edited("frame_format_of_coded", 43, "the frame of a coded image says another format", scenes.packed, "frame 1", put(format=3),
       refuses=(0,))
edited("entry_hash_of_alias", 47, "the hash of an ALIASED entry is not that of the bytes", scenes.aliases, "entries",
       lambda entries: put(hash=b"o" * 16)(entries[2]), refuses=(2,))

# ------------------------------------------------------------------ names


def named(name, what, text, data=b"a"):
    declared(name, 53, what, lambda a: (a.add(text, data), a.commit()))


named("name_overlong_3", "a slash in three bytes", b"a\xe0\x80\xafb")
named("name_overlong_4", "a slash in four bytes", b"a\xf0\x80\x80\xafb")
named("name_cut_in_a_letter", "a name ends within a letter; the image goes on with it", b"1234567\xc3", b"\x80")
named("name_letter_broken_at_2", "the second byte of a letter of three is ASCII", b"a\xe2A\xacb")
named("name_letter_broken_at_3", "the third byte of a letter of three is ASCII", b"a\xe2\x82Ab")
named("name_continuation_alone", "a byte that only continues letters", b"a\x80b")
named("name_lead_f5", "a byte that begins no letter", b"a\xf5\x80\x80\x80b")
named("name_c1_first", "U+0080", b"a\xc2\x80")
named("name_c1_last", "U+009F", b"a\xc2\x9f")
named("name_1f", "the byte 0x1F, in a name of eight plain bytes", b"1234567\x1f")
named("name_del_of_eight", "the byte 0x7F, in a name of eight plain bytes", b"1234567\x7f")
named("name_dot_dot_alone", "the name ..", b"..")
named("name_dot_dot_last", "the last component is ..", b"a/..")
named("name_dot_first", "the first component is ..", b"../a")
named("name_backslash_first", "a backslash at the beginning", b"\\a")
named("name_slash_alone", "the name /", b"/")
named("name_component_256_last", "the last component has 256 bytes", b"a/" + b"l" * 256)


def column_named(name, what, text):
    unused("unused_column_" + name, what, name=text)


column_named("name_del", "0x7F in a column's name", b"a\x7fb")
column_named("name_c1", "U+0085 in a column's name", b"a\xc2\x85b")

# ------------------------------------------------------------------ aliases


def alias(name, what, stage, edit, at=0):
    edited(name, 47, what, scenes.aliases, stage, edit, at)


alias("alias_header_units", "header_units of an ALIASED entry is not that of the target", "entries",
      lambda entries: put(header_units=entries[2].header_units + 1)(entries[2]))
alias("alias_stored_bytes", "stored_bytes of an ALIASED entry is not that of the target", "entries",
      lambda entries: put(stored_bytes=1)(entries[2]))
alias("alias_coding", "the coding of an ALIASED entry is not that of the target", "entries",
      lambda entries: put(coding=1)(entries[2]))


@bad(47, "the format of an ALIAS and of its entry is not that of the target", scenes.aliases)
def alias_format_of_both(a):
    a.edit_frames(T.ALIAS, put(format=c.Format.PNG))
    a.edit("entries", lambda entries: put(format=c.Format.PNG)(entries[2]))


@bad(47, "the target of an ALIAS has the same bytes as the image that the entry designates, and is another", scenes.empty)
def alias_of_a_twin(a):
    a.add("a", b"same")
    a.add("b", b"same")
    a.edit_frames(T.ALIAS, put(payload=u(1, 8)))
    a.alias("c", 0)
    a.commit()


@bad(47, "two ALIAS frames of one ordinal", scenes.empty)
def alias_frame_twice(a):
    a.add("a", b"a")
    a.alias("b", 0)
    a.images.pop()
    a.alias("b", 0)
    a.commit()


# ------------------------------------------------------------------ columns in tables


def narrow(name, what, kind, element_bytes, width=1):
    def build(a):
        a.define("n", kind, width=width)
        a.edit("sections", lambda subject: put(element_bytes=element_bytes, data=bytes(2 * element_bytes))(
            subject.section(K.VALUES, 1)))
        for row in range(2):
            a.add("%d" % row, b"%d" % row, n=(0,) * width if width > 1 else 0)
        a.commit()
    declared(name, 60, what, build, opens=False)


narrow("element_bytes_of_i32", "i32 in two bytes", c.Type.I32, 2)
narrow("element_bytes_of_i64", "i64 in four bytes", c.Type.I64, 4)
narrow("element_bytes_of_image", "an image column in two bytes", c.Type.IMAGE, 2)
narrow("element_bytes_of_u16_wide", "u16 in four bytes", c.Type.U16, 4)
narrow("element_bytes_of_u8_wide", "u8 in two bytes", c.Type.U8, 2)
narrow("element_bytes_of_u64_3", "u64 in three bytes", c.Type.U64, 3)
narrow("element_bytes_of_vector", "vectors of two u16 in two bytes", c.Type.U16, 2, 2)
table("values_of_another_column", 60, "the table of one dictionary holds the section of the other", lambda subject: put(column=2)(
    subject.sections[0]), 2, scenes.two_dictionary_columns)


def values(name, what, edit, at=0):
    edited(name, 68, what, scenes.two_dictionary_columns, "root", edit, at, False)


values("values_begin_at_1", "the first VALUES part of a column begins with code 1", lambda subject: put(first=1)(
    next(one for one in subject.parts if one.type == T.VALUES)))
values("values_count_more", "a VALUES part has one value more than the dictionary", lambda subject: put(count=3)(
    next(one for one in subject.parts if one.type == T.VALUES)))


def value(name, what, kind, good_value, change, **shape):
    """A change of the bytes of the only section of a column of two rows."""
    def build(a):
        a.define("x", kind, **shape)
        a.edit("sections", lambda subject: put(data=change(subject.sections[2].data))(subject.sections[2]))
        for row in range(2):
            a.add("%d" % row, b"%d" % row, x=good_value)
        a.commit()
    declared(name, 61, what, build)


value("value_bool_255", "a bool of 255", c.Type.BOOL, 1, lambda data: b"\1\xff")
value("value_bool_in_vector", "a bool of 2 in a vector", c.Type.BOOL, (1, 0, 1), lambda data: data[:5] + b"\2", width=3)
value("value_bool_in_list", "a bool of 2 in a list", c.Type.BOOL, [1, 0], lambda data: data[:11] + b"\2" + data[12:],
      is_list=True)
value("value_code_at_the_end", "a dictionary code of 1, the dictionary has one value", c.Type.DICTIONARY, "cat",
      lambda data: u(0, 4) + u(1, 4))
value("value_image_at_the_end", "an image column names the ordinal 2 of two", c.Type.IMAGE, 0, lambda data: u(0, 4) + u(2, 4))
value("value_image_huge", "an image column names the ordinal 2^32 - 1", c.Type.IMAGE, 0, lambda data: u(0, 4) + b"\xff" * 4)


def null(name, what, kind, good_value, change, **shape):
    """As value, for a column of which the second row is null."""
    def build(a):
        a.define("x", kind, **shape)
        a.edit("sections", lambda subject: put(data=change(subject.sections[2].data))(subject.sections[2]))
        a.add("0", b"0", x=good_value)
        a.add("1", b"1")
        a.commit()
    declared(name, 61, what, build)


null("null_u8_not_zero", "a null u8 is 1", c.Type.U8, 7, lambda data: b"\7\1")
null("null_f64_not_zero", "a null f64 is -0.0", c.Type.F64, 1.0, lambda data: data[:15] + b"\x80")
null("null_vector_not_zero", "the last element of a null vector is not zero", c.Type.U16, (1, 2), lambda data: data[:7] + b"\1",
     width=2)
null("null_dictionary_not_zero", "a null code is 1, of a dictionary with one value", c.Type.DICTIONARY, "cat",
     lambda data: u(0, 4) + u(1, 4))
null("null_bytes_not_empty", "a null of a bytes column has a byte", c.Type.BYTES, b"xy", lambda data: u(1, 4) + u(1,
                                        4) + data[8:])
