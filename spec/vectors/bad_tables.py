# SPDX-License-Identifier: Apache-2.0
"""Vectors that break rules 38 to 40 and 49: tables, sections, groups, zstd frames."""
from dataclasses import replace

import constants as c
import scenes
import zstd_frame
from checksum import u
from pictures import noise
from scenes import TEXT
from vector import bad, edited, put

K = c.Kind
RUN, NAMES = 0, 1  # the tables of a first commit, in the order in which they are written


def table(name, rule, what, edit, at=RUN, scene=scenes.three, opens=False):
    """An edit of the sections before they are placed."""
    edited(name, rule, what, scene, "sections", edit, at, opens)


def stage(name, rule, what, stage_name, edit, at=RUN, scene=scenes.three, opens=False):
    """An edit of a later stage of the table's encoding: data, hash_list, flip, descriptors, footer."""
    table(name, rule, what, lambda subject: subject.edits.update({stage_name: edit}), at, scene, opens)


def footer(name, what, opens=False, **fields):
    stage(name, 38, what, "footer", put(**fields), opens=opens)


def descriptor(name, rule, what, index, at=RUN, scene=scenes.three, opens=False, **fields):
    stage(name, rule, what, "descriptors", lambda sections: put(**fields)(sections[index]), at, scene, opens)


def overwrite(at, value):
    def edit(data):
        data[at] = value
    return edit


def flip(at):
    def edit(data):
        data[at] ^= 1
    return edit


footer("footer_magic", "the magic of a footer is wrong, signed", magic=b"AIMGTABS")
footer("footer_type", "the footer of a RUN says COLUMN", type=c.FrameType.COLUMN)
footer("footer_count", "count of a footer is not that of the part", count=2)
footer("footer_first", "first of a footer is not that of the part", first=1)
footer("footer_column", "column of a footer is not that of the part", column=1)
footer("footer_section_count", "section_count of a footer is not that of the part", section_count=3)
footer("footer_data_bytes", "data_bytes is 64 more than the sections have", data_bytes=320)
footer("footer_data_bytes_huge", "data_bytes is 2^64 - 64", data_bytes=(1 << 64) - 64)
footer("footer_zero_9", "a Z byte of a footer is 1", zero_9=1)
footer("footer_zero_48", "the last byte of a footer is 1", zero_48=bytes(15) + b"\1")
descriptor("section_kind_unknown", 38, "a section of kind 77 in a RUN", 1, kind=77)
descriptor("section_not_allowed", 38, "a section RANK in a RUN", 1, kind=K.RANK)
descriptor("section_codec_unknown", 38, "codec 2", 1, codec=2)
descriptor("section_codec_of_entries", 38, "codec 1 of ENTRIES", 0, codec=1)
descriptor("section_offset_unaligned", 38, "a section begins at 65", 1, offset=65)
descriptor("section_offset_huge", 38, "a section begins at 2^64 - 64", 1, offset=(1 << 64) - 64)
descriptor("section_bytes_huge", 38, "bytes of a section is 2^64 - 1", 1, bytes=(1 << 64) - 1)
descriptor("section_overlap", 38, "NAME_TEXT begins where ENTRIES begins", 1, offset=0)
descriptor("section_element_bytes", 38, "element_bytes of ENTRIES is 16, its count twice the rows", 0, element_bytes=16, count=6)
descriptor("section_element_bytes_of_groups", 38, "element_bytes of NAME_TEXT is 1", 1, element_bytes=1)
descriptor("section_extra", 38, "extra of ENTRIES is not 0", 0, extra=1)
descriptor("section_column", 38, "column of ENTRIES is not 0", 0, column=1)
table("section_entries_missing", 38, "a RUN without ENTRIES", lambda subject: subject.sections.pop(0))
table("section_names_twice", 38, "NAME_TEXT stands twice", lambda subject: subject.sections.append(replace(subject.sections[1])))
table("section_rank_missing", 38, "a MASK without RANK", lambda subject: subject.sections.pop(), at=3, scene=scenes.removed)
stage("section_gap", 38, "a byte between two sections is not zero, its block is signed", "data", overwrite(96, 1), opens=None)
stage("section_order", 38, "descriptors are not in order of offset", "descriptors", lambda sections: sections.reverse())
descriptor("section_bytes_more", 39, "bytes of ENTRIES is one element more than its count", 0, bytes=128, raw_bytes=128)
descriptor("section_count_more", 39, "count of ENTRIES is 2^40", 0, count=1 << 40)
descriptor("section_count_wraps", 39, "count times element_bytes of ENTRIES is its bytes only modulo 2^64", 0,
           count=(1 << 59) + 3)
descriptor("section_raw_bytes", 39, "raw_bytes of ENTRIES is not its bytes", 0, raw_bytes=95)
descriptor("bitmap_bytes", 39, "a bitmap of 16 bytes for two rows", 0, at=3, scene=scenes.removed, bytes=16, raw_bytes=16)
stage("block_flip", 40, "a bit of an entry changed", "flip", flip(20), opens=True)
stage("block_flip_in_slots", 40, "a bit of the name slots changed", "flip", flip(3), at=NAMES, opens=True)
stage("hash_list", 40, "the hash of a block is wrong, the list is signed", "hash_list", flip(0), opens=True)
stage("list_hash", 40, "list_hash is wrong", "footer", put(list_hash=b"l" * 16), opens=None)


# groups; the text of the names is one group of three


def names(name, rule, what, stage_name, edit, opens=True, **options):
    edited(name, rule, what, scenes.three, "names", lambda subject: subject.edits.update({stage_name: edit}), opens=opens,
           **options)


def record(name, what, index=0, opens=None, group_bytes=1, **fields):
    """Of NAME_TEXT with one group a name."""
    def register(a):
        a.group_bytes = group_bytes
        a.edit("names", lambda subject: subject.edits.update({"records": lambda records: put(**fields)(records[index])}))
    register.__name__ = name
    bad(39, what, scenes.three, opens)(register)


def replaced(value):
    def edit(items):
        items[0] = value
    return edit


record("group_end_not_ascending", "the second group ends where the first ends", 1, end=13)
record("group_end_huge", "the first group ends at 2^63", end=1 << 63)
record("group_last_end", "the last group ends before the records begin", 2, end=30)
record("group_values_not_ascending", "the second group has no values", 1, values=1)
record("group_values_more", "the last group ends with more values than the section has", 2, values=4)
record("group_values_huge", "a group of 2^32 - 1 values", 2, values=(1 << 32) - 1)
record("group_raw_bytes", "raw_bytes of a group that is not coded is not its size", 0, raw_bytes=12)
record("group_raw_bytes_huge", "raw_bytes of a group is 2^32 - 1", 0, raw_bytes=(1 << 32) - 1)
descriptor("groups_number", 39, "the number of groups is 2^60", 1, extra=1 << 60)
descriptor("groups_raw_bytes", 39, "raw_bytes of the section is not the sum", 1, opens=None, raw_bytes=1)
names("group_length_more", 39, "a name in a group is said to be longer than the group", "raw",
      replaced(u(255, 4) + u(9, 4) + u(9, 4) + b"x" * 27))
names("group_length_wraps", 39, "the lengths in a group sum up to its size only modulo 2^32", "raw",
      replaced(u((1 << 32) - 1, 4) + u(19, 4) + u(9, 4) + b"x" * 27))
names("group_too_short", 39, "a group is shorter than its three lengths", "raw", replaced(bytes(11)))
names("group_not_zstd", 49, "a zstd group that is none", "stored", replaced(noise(40)), text_codec=c.CODEC_ZSTD)
names("group_zstd_size", 49, "a zstd group gives a content size that is not raw_bytes", "stored",
      replaced(zstd_frame.single_segment(10, [zstd_frame.raw_block(b"0123456789")])), text_codec=c.CODEC_ZSTD)


@bad(39, "a value of 2^24 + 1 bytes", scenes.empty, opens=None, text_codec=c.CODEC_ZSTD)
def group_value_too_long(a):
    a.define("text", c.Type.UTF8)
    a.add("a", b"a", text="x" * (c.VALUE_MAX + 1))
    a.commit()


# zstd images


def zstd(name, what, stored, data=TEXT):
    def register(a):
        a.add("a", data, coding=c.CODING_ZSTD, stored=stored)
        a.commit()
    register.__name__ = name
    bad(49, what, scenes.empty, refuses=(0,))(register)


whole = zstd_frame.single_segment(len(TEXT), [zstd_frame.raw_block(TEXT)])
zstd("zstd_no_frame", "a zstd image that is none", noise(50))
zstd("zstd_no_bytes", "a zstd image of no stored bytes", b"")
zstd("zstd_cut", "a zstd frame lacks its last byte", whole[:-1])
zstd("zstd_no_size", "a zstd frame without content size", zstd_frame.windowed(17, [zstd_frame.raw_block(TEXT)]))
zstd("zstd_size_differs", "the content size is one more than raw_bytes",
     zstd_frame.single_segment(len(TEXT) + 1, [zstd_frame.raw_block(TEXT + b"x")]))
zstd("zstd_size_lies", "the content size is that of raw_bytes, the blocks hold less",
     zstd_frame.single_segment(len(TEXT), [zstd_frame.raw_block(TEXT[:-1])]))
zstd("zstd_two_frames", "two zstd frames", zstd_frame.single_segment(9, [zstd_frame.raw_block(TEXT[:9])])
     + zstd_frame.single_segment(len(TEXT) - 9, [zstd_frame.raw_block(TEXT[9:])]))
zstd("zstd_frame_after", "an empty zstd frame after the frame", whole + zstd_frame.single_segment(0, [zstd_frame.raw_block(b"")]))
zstd("zstd_skippable", "a skippable frame before the frame", zstd_frame.skippable(b"hidden") + whole)
zstd("zstd_bytes_after", "bytes after the zstd frame", whole + b"more")
zstd("zstd_window", "a window of 256 MiB", zstd_frame.windowed(28, [zstd_frame.raw_block(TEXT)], len(TEXT)))
zstd("zstd_bomb", "raw_bytes and content size are 2^40, the blocks hold 128 KiB",
     zstd_frame.windowed(20, [zstd_frame.rle_block(0, 1 << 17)], 1 << 40))


@bad(49, "a zstd image needs a dictionary and has coding 1", scenes.empty)
def zstd_needs_dictionary(a):
    a.add("a", TEXT, coding=c.CODING_ZSTD, stored=zstd_frame.compress_trained(TEXT, scenes.trained_dictionary()))
    a.commit()
