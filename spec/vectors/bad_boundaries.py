# SPDX-License-Identifier: Apache-2.0
"""Vectors for single checks: each breaks one rule in a way that no other check of that rule finds, or at its boundary."""
from dataclasses import replace

import constants as c
import scenes
from bad_frames import tail, unsteppable, uncommitted
from checksum import hash128, u
from frame import Frame
from pictures import noise
from table import Groups, Section, bitmap
from vector import bad, edited, put, torn

K, T = c.Kind, c.FrameType


def declared(name, rule, what, fill_archive, **options):
    fill_archive.__name__ = name
    bad(rule, what, scenes.empty, **options)(fill_archive)


# ------------------------------------------------------------------ head, hints and what follows the last commit


@torn("eight bytes that are not the magic", scenes.empty, opens=False, status="not an archive", rule=2)
def file_of_8_other_bytes(a):
    return b"\x89PNG\r\n\x1a\n"


edited("hint_on_the_wrong_page_past_the_end", 9, "page B holds an even seq, far past the end: it says nothing", scenes.three, "hint",
       put(page=1, seq=4, commit_offset=1 << 40))
edited("hint_parity_of_an_odd_seq", 9, "page A holds seq 1, of a commit that is gone: it says nothing", scenes.three, "hint",
       put(page=0, seq=1, commit_offset=1 << 30))

unsteppable("tail_frame_check", "the check of a frame of the newest batch is wrong", check=7)
unsteppable("tail_frame_magic", "the magic of a frame of the newest batch is wrong, signed", magic=b"aF")
unsteppable("tail_frame_salt", "a frame of the newest batch has another salt, signed", salt=5)
uncommitted("tail_commit_of_another_prev_offset", "the newest commit page names another commit before it; no hint names it",
            prev_offset=c.HEAD_BYTES)
uncommitted("tail_commit_same_seq", "the newest commit page has the seq of the one before; no hint names it", seq=0)
uncommitted("tail_commit_flags", "an unknown flag of the newest commit page; no hint names it", flags=4)


def first_commit(name, what, **fields):
    """The first commit of an archive, named by no hint, that cannot be a first one."""
    def make(a):
        a.edit("commit", put(**fields))
        a.add("next", noise(100))
        a.commit("next", hint=False)
        return a.bytes()
    tail(name, what, make, scenes.empty)


first_commit("tail_first_commit_seq_1", "the first commit page has seq 1; no hint names it", seq=1)
first_commit("tail_first_commit_prev_offset", "the first commit page names a commit before it; no hint names it",
             prev_offset=c.HEAD_BYTES)
first_commit("tail_first_commit_prev_chain", "the first commit page has a chain before it; no hint names it", prev_chain=b"c" * 16)

# ------------------------------------------------------------------ frames

edited("ext_of_pad", 19, "a PAD has extensions", scenes.three, "frame 13", put(ext=b"12345678"), opens=None)
edited("format_of_run", 19, "a RUN has a format", scenes.three, "frame 3", put(format=1))
edited("format_of_root", 19, "a ROOT has a format", scenes.three, "frame 12", put(format=1), opens=None)
edited("coding_of_alias", 19, "an ALIAS has a coding", scenes.aliases, "frame 2", put(coding=1))
edited("raw_bytes_of_pad", 19, "raw_bytes of a PAD is not stored_bytes", scenes.three, "frame 13", put(raw_bytes=9))
edited("stored_bytes_of_raw_2_47", 17, "raw_bytes of a stored image is 2^47", scenes.three, "frame 1", put(raw_bytes=1 << 47))
edited("ordinal_of_commit", 19, "the frame of a commit page has an ordinal", scenes.three, "commit",
       lambda page: put(ordinal=1)(page.frame), opens=None)
edited("frame_of_commit_is_pad", 23, "the frame of a commit page says PAD, signed", scenes.three, "commit",
       lambda page: put(type=T.PAD)(page.frame), opens=False, status="corrupt")
edited("frame_of_commit_is_short", 24, "stored_bytes of a commit page's frame is 4,040, signed", scenes.three, "commit",
       lambda page: put(stored_bytes=4040)(page.frame), opens=False, status="corrupt")
edited("commit_version_major", 26, "the major version of a commit page is not that of the header", scenes.three, "commit",
       put(major=1), opens=False, status="corrupt")
edited("compat_bit_lost", 32, "the second commit lacks a compat bit that the first has", scenes.two_commits, "commit",
       put(compat=1 << 20), opens=None)
edited("ro_compat_bit_lost", 32, "the second commit lacks a ro_compat bit that the first has", scenes.two_commits, "commit",
       put(ro_compat=c.RoCompat.COLUMNS), opens=None)

# ------------------------------------------------------------------ ROOT: where it is, its head


def last_of(a, frame_type):
    return [frame for frame in a.frames if frame.type == frame_type][-1]


@bad(31, "root_bytes is less than ROOT has, root_hash is that of so many bytes", scenes.three, opens=None)
def root_bytes_less(a):
    def cut(page):
        payload = last_of(a, T.ROOT).payload[:-c.PART_BYTES]
        put(root_bytes=len(payload), root_hash=hash128(payload))(page)
    a.edit("commit", cut)


@bad(31, "root_offset names a META that holds the bytes of ROOT", scenes.empty, opens=None)
def root_in_a_meta(a):
    a.add("a", b"a")
    a.edit("commit", lambda page: put(root_offset=last_of(a, T.META).offset)(page))
    pad = a.pad

    def copy_first(gap):
        a.pad = pad
        a.append(Frame(T.META, last_of(a, T.ROOT).payload))
        gap = -a.end % c.PAGE_BYTES
        pad(gap if gap == 0 or gap >= c.FRAME_HEADER_BYTES else gap + c.PAGE_BYTES)
    a.edit_frames(T.ROOT, lambda _: setattr(a, "pad", copy_first))
    a.commit()


def root(name, rule, what, scene=scenes.three, at=0, edit=None, opens=False, **fields):
    edited(name, rule, what, scene, "root", edit or put(**fields), at, opens)


def part(index, **fields):
    return lambda subject: put(**fields)(subject.parts[index])


root("root_ordinal_count_2_32", 37, "ordinal_count is 2^32 - 1, in the commit too", ordinal_count=(1 << 32) - 1)
root("root_listed_and_dead", 65, "listed_count and dead_count together are more than ordinal_count", dead_count=1)
root("root_dead_count_more", 65, "dead_count is 4 of 3 ordinals, nothing is listed", listed_count=0, dead_count=4)
root("root_listed_count_more", 65, "listed_count is 4 of 3 ordinals, in the commit too", listed_count=4)
root("meta_bytes_alone", 69, "meta_bytes is 8 and there is no META", meta_bytes=8)
root("meta_hash_alone", 69, "meta_hash is set and there is no META", meta_hash=b"m" * 16)
root("meta_offset_in_the_head", 69, "meta_offset is 4,096", meta_offset=4096, meta_bytes=8)
root("meta_offset_past_the_end", 69, "meta_offset is 2^50", meta_offset=1 << 50, meta_bytes=8)
root("meta_bytes_past_the_end", 69, "META begins in the file and ends past it", meta_offset=c.HEAD_BYTES, meta_bytes=1 << 20)
declared("meta_too_long", 69, "META of 16 MiB and 24 bytes", lambda a: (a.meta({"k": "v" * ((16 << 20) + 7)}), a.commit()),
         opens=False)
root("columns_1025", 37, "1,025 columns", scenes.empty_commit, edit=lambda subject: subject.columns.extend(
    scenes.column(number, b"c%d" % number) for number in range(1, 1026)))
root("codings_255", 37, "255 codings, one number twice", scenes.dictionary, edit=lambda subject: subject.codings.extend(
    replace(subject.codings[0], coding=max(number, 3)) for number in range(2, 256)))
root("codings_in_no_order", 51, "two codings, the greater number first", scenes.two_dictionaries,
     edit=lambda subject: subject.codings.reverse())
root("coding_twice", 51, "two codings of one number", scenes.two_dictionaries, edit=lambda subject: put(coding=2)(subject.codings[1]))

# ------------------------------------------------------------------ parts

root("part_type_image", 37, "a part of type ALIAS", edit=part(0, type=T.ALIAS))
root("part_zero_1", 37, "the Z byte after the type of a part is 1", edit=part(1, zero_1=1))
root("part_first_wraps", 37, "first of a RUN part is 2^32 - 1, and it has three rows", edit=part(0, first=(1 << 32) - 1))
root("part_column_of_run", 37, "a RUN part names a column", edit=part(0, column=1))
root("part_column_of_values", 37, "a VALUES part names no column", scenes.columns, edit=lambda subject: put(column=0)(
    next(one for one in subject.parts if one.type == T.VALUES)))
root("part_first_of_names", 37, "first of a NAMES part is 1", edit=part(1, first=1))
root("part_first_of_content", 37, "first of a CONTENT part is 1", scenes.content, edit=part(2, first=1))
root("part_dead_of_run", 37, "dead of a RUN part is 1", edit=part(0, dead=1))
root("part_attached_of_names", 37, "attached of a NAMES part is 1", edit=part(1, attached=1))
root("mask_more_dead_than_rows", 62, "dead of a MASK part is 3 of 2 rows", scenes.removed, 1, part(2, dead=3))
root("mask_more_attached_than_rows", 62, "dead and attached of a MASK part are 2 and 1 of 2 rows", scenes.removed, 1,
     part(2, dead=2, attached=1))
root("mask_count_less", 36, "a MASK part has one row less than its run", scenes.removed, 1, part(2, count=1))
root("mask_first_more", 36, "a MASK part begins one ordinal after its run and has as many rows", scenes.removed, 1, part(3, first=3))
root("part_bytes_least", 41, "bytes of a RUN part is less than its tail", edit=part(0, bytes=64))
root("part_offset_in_the_head", 41, "a NAMES part lies in the head", edit=part(1, offset=4112))
root("part_offset_of_root", 41, "a NAMES part lies behind ROOT", edit=part(1, offset=(1 << 40) + 16))


def commits(count, **options):
    def build(a):
        for number in range(count):
            a.add("%d" % number, b"%d" % number)
            a.commit(**options)
    return build


declared("name_parts_65", 37, "65 NAMES parts", commits(65), opens=False)
declared("content_parts_65", 37, "65 CONTENT parts", lambda a: merged_but_for_content(a), opens=False)


def merged_but_for_content(a):
    for number in range(65):
        a.add("%d" % number, b"%d" % number)
        a.commit(merge_names=True, content=True)


# ------------------------------------------------------------------ column and coding records


def unused(name, what, /, rule=60, opens=False, **fields):
    """A column that no table has, so that ROOT alone tells."""
    edited(name, rule, what, scenes.unused_column, "root", lambda subject: put(**fields)(subject.columns[0]), opens=opens)


unused("unused_column_id_zero", "the only column has the id 0", id=0)
unused("unused_column_type_zero", "a column without values of type 0", type=0)
unused("unused_column_type_17", "a column without values of type 17", type=17)
unused("unused_column_flags", "a column without values with an unknown flag", flags=2)
unused("unused_column_width_zero", "a column without values of width 0", width=0)
unused("unused_column_width_32768", "a column without values of 65,536 bytes a row", width=32768)
unused("unused_column_list_of_image", "LIST of image", type=c.Type.IMAGE, flags=1)
unused("unused_column_list_of_dictionary", "LIST of dictionary", type=c.Type.DICTIONARY, flags=1)
unused("unused_column_width_of_bytes", "a bytes column of width 2", type=c.Type.BYTES, width=2)
unused("unused_column_width_of_image", "an image column of width 2", type=c.Type.IMAGE, width=2)
unused("unused_column_dictionary_count", "dictionary_count of a column of another type is 1", dictionary_count=1)
unused("unused_column_name_256", "a column name of 256 bytes", name=b"n" * 256)
unused("unused_column_name_padding", "a byte after a column's name is not zero", rule=37, name=b"x", name_padding=b"yz", name_bytes=1)
unused("unused_column_name_past_the_end", "the name of the last column is longer than ROOT", rule=37, name=b"x", name_bytes=200)
for reserved in c.RESERVED_COLUMN_NAMES:
    unused("unused_column_name_%s" % reserved.decode(), "a column with the reserved name %s" % reserved.decode(), name=reserved)
edited("column_count_more", 37, "two columns are said, the name of the first fills ROOT", scenes.unused_column, "root",
       lambda subject: put(column_count=2, columns=[replace(subject.columns[0], name=b"n" * 32)])(subject), opens=False)


def coding(name, rule, what, /, opens=False, **fields):
    edited(name, rule, what, scenes.unused_dictionary, "root", lambda subject: put(**fields)(subject.codings[0]), opens=opens)


coding("coding_zero_2", 37, "a Z byte of a coding is 1", zero_2=b"\0\0\0\0\0\1")
coding("coding_number_1", 37, "a coding record of number 1", coding=1)
coding("coding_number_0", 37, "a coding record of number 0", coding=0)
coding("coding_bytes_zero", 51, "bytes of a coding is 0", bytes=0)
coding("coding_bytes_past_the_end", 51, "a DICT ends past the end of the file", bytes=c.CODING_PAYLOAD_MAX)
coding("coding_offset_in_the_head", 51, "a DICT in the head", offset=4096)
coding("coding_offset_unaligned", 51, "a DICT begins at a multiple of 4", offset=c.HEAD_BYTES + 4)
coding("coding_offset_past_the_end", 51, "a DICT at 2^50", offset=1 << 50)
declared("coding_payload_too_long", 51, "a DICT of 1,048,577 bytes", lambda a: (
    a.dictionary(2, bytes(c.CODING_PAYLOAD_MAX + 1)), a.add("a", b"a"), a.commit()), opens=False)
edited("dict_frame_format", 51, "the frame of a DICT says another codec", scenes.unused_dictionary, "frame 9", put(format=2))
edited("dict_frame_coding", 51, "the frame of a DICT says another number", scenes.unused_dictionary, "frame 9", put(coding=3))
edited("dict_frame_type", 51, "the frame that a coding of zstd with dictionary names is a CODING", scenes.unused_dictionary, "frame 9",
       put(type=T.CODING))


@bad(51, "bytes of a coding is less than its DICT has, hash is that of so many bytes", scenes.empty)
def coding_bytes_less(a):
    content = noise(64)
    a.edit("root", lambda subject: put(bytes=32, hash=hash128(content[:32]))(subject.codings[0]))
    a.dictionary(2, content)
    a.add("a", b"a")
    a.commit()


# ------------------------------------------------------------------ META


def meta(name, what, /, **fields):
    edited(name, 69, what, scenes.meta, "meta", put(**fields), also={"refuses_meta": True})


def pair(key_bytes, value_bytes, text):
    return u(key_bytes, 2) + u(0, 2) + u(value_bytes, 4) + text


meta("meta_count_more", "count is one more than the pairs that are there", count=3)
meta("meta_value_not_utf8", "a value that is not UTF-8", pairs=[(b"k", b"\xff")])
meta("meta_key_past_the_end", "the key of the last pair is longer than META", pairs=[(b"a", b"")], count=2, tail=pair(9, 0, b"b"))
meta("meta_value_past_the_end", "the value of the last pair is longer than META", pairs=[(b"a", b"")], count=2,
     tail=pair(1, 9, b"bv"))
meta("meta_pair_cut", "META ends within the head of a pair", pairs=[(b"a", b"")], count=2, tail=b"\1\0\0\0")
meta("meta_key_is_a_prefix", "a key and then its prefix", pairs=[(b"ab", b"1"), (b"a", b"2")])


@bad(69, "META of four bytes", scenes.empty)
def meta_of_4_bytes(a):
    a.meta_frame = a.append(Frame(T.META, bytes(4)))
    a.commit()


@bad(69, "meta_offset names a CODING that holds a META", scenes.empty)
def meta_in_a_coding(a):
    a.meta({"k": "v"})
    payload = a.meta_frame.payload
    a.meta_frame = a.append(Frame(T.CODING, payload, format=9, coding=9))
    a.commit()


@bad(69, "meta_bytes is less than META has, meta_hash is that of so many bytes", scenes.empty)
def meta_bytes_less(a):
    a.meta({"k": "v"})
    payload = a.meta_frame.payload
    a.meta_frame = a.append(Frame(T.META, payload + bytes(8)))
    a.edit("root", put(meta_bytes=len(payload), meta_hash=hash128(payload)))
    a.commit()


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
table("section_slots_missing", 38, "a NAMES table with a second section instead of its slots", lambda subject: put(kind=K.CONTENT_SLOTS)(
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
group("group_too_large", 39, "a group of 36 MiB", lambda records: None, (bytes(12 << 20),) * 3, close=1 << 30)

# ------------------------------------------------------------------ what a reader must not say of bytes that are not what was written


def flipped(name, what, at, byte, scene, **also):
    """A bit of a table's block changed, all above it is right."""
    def flip(data):
        data[byte] ^= 1
    edited(name, 40, what, scene, "sections", lambda subject: subject.edits.update(flip=flip), at, also=also)


flipped("block_flip_in_name_text", "a bit of a name in NAME_TEXT changed", RUN, 141, scenes.three, refuses_list=True)
flipped("block_flip_in_values", "a bit of a value changed: the first flag", RUN, 192, scenes.columns, refuses_values={"flag": [0]})
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
value("value_bool_in_list", "a bool of 2 in a list", c.Type.BOOL, [1, 0], lambda data: data[:11] + b"\2" + data[12:], is_list=True)
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
null("null_vector_not_zero", "the last element of a null vector is not zero", c.Type.U16, (1, 2), lambda data: data[:7] + b"\1", width=2)
null("null_dictionary_not_zero", "a null code is 1, of a dictionary with one value", c.Type.DICTIONARY, "cat",
     lambda data: u(0, 4) + u(1, 4))
null("null_bytes_not_empty", "a null of a bytes column has a byte", c.Type.BYTES, b"xy", lambda data: u(1, 4) + u(1, 4) + data[8:])
