# SPDX-License-Identifier: Apache-2.0
"""Vectors for single checks: each breaks one rule in a way that no other check of that rule finds, or at its boundary."""
from dataclasses import replace

import constants as c
import scenes
from bad_frames import tail, unsteppable, uncommitted
from checksum import hash128, u
from frame import Frame
from pictures import noise
from vector import bad, edited, put, torn

K, T = c.Kind, c.FrameType


def declared(name, rule, what, fill_archive, **options):
    fill_archive.__name__ = name
    bad(rule, what, scenes.empty, **options)(fill_archive)


# ------------------------------------------------------------------ head, hints and what follows the last commit


@torn("eight bytes that are not the magic", scenes.empty, opens=False, status="not an archive", rule=2)
def file_of_8_other_bytes(a):
    return b"\x89PNG\r\n\x1a\n"


edited("hint_on_the_wrong_page_past_the_end", 9, "page B holds an even seq, far past the end: it says nothing", scenes.three,
       "hint",
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
first_commit("tail_first_commit_prev_chain", "the first commit page has a chain before it; no hint names it",
             prev_chain=b"c" * 16)

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
root("coding_twice", 51, "two codings of one number", scenes.two_dictionaries,
     edit=lambda subject: put(coding=2)(subject.codings[1]))

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
root("mask_first_more", 36, "a MASK part begins one ordinal after its run and has as many rows", scenes.removed, 1, part(3,
                                        first=3))
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
unused("unused_column_name_padding", "a byte after a column's name is not zero", rule=37, name=b"x", name_padding=b"yz",
       name_bytes=1)
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
edited("dict_frame_type", 51, "the frame that a coding of zstd with dictionary names is a CODING", scenes.unused_dictionary,
       "frame 9",
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


@bad(69, "META of four bytes", scenes.empty, also={"refuses_meta": True})
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
