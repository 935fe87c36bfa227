# SPDX-License-Identifier: Apache-2.0
"""Vectors that break rules 24 to 37, 51 and 69: commit pages, ROOT and what it names."""
from dataclasses import replace

import constants as c
import scenes
from archive_builder import ArchiveBuilder
from bad_head import flipped
from pictures import noise
from scenes import TEXT
from vector import bad, edited, put

T = c.FrameType


def page(name, rule, what, scene=scenes.three, at=0, opens=False, status="corrupt", edit=None, text_codec=c.CODEC_NONE, **fields):
    edited(name, rule, what, scene, "commit", edit or put(**fields), at, opens, status, text_codec=text_codec)


def chained(name, rule, what, at=1, edit=None, **fields):
    """Of the second of two commits; the page itself is well-formed, so a reader may open it."""
    page(name, rule, what, scenes.two_commits, at, None, None, edit, **fields)


def root(name, rule, what, scene=scenes.three, opens=False, at=0, edit=None, **fields):
    edited(name, rule, what, scene, "root", edit or put(**fields), at, opens)


page("commit_magic", 24, "the first magic of a commit page is wrong, signed", magic=b"AIMGCMT\r")
page("commit_last_magic", 24, "the last magic of a commit page is wrong", last_magic=bytes(8))
page("commit_last_seq", 24, "the two seq of a commit page differ", last_seq=1)
page("commit_self_offset", 24, "self_offset is not where the page is, signed", self_offset=c.HEAD_BYTES)
page("commit_flags", 24, "an unknown flag of a commit page, signed", flags=2)
page("commit_zero_60", 24, "the Z bytes after the version are not zero, signed", zero_60=1)
page("commit_zero_528", 24, "a Z byte of a commit page is 1, signed", zero_528=bytes(3535) + b"\1")
page("commit_message_bytes", 24, "message_bytes is 255, signed", message=b"m" * 254, message_bytes=255)
page("commit_message_not_utf8", 24, "the message is not UTF-8", message=b"\xff")
page("commit_message_tail", 24, "a byte after the message is not zero, signed", message=b"ab", message_bytes=1)
page("commit_page_salt", 20, "page and hint say another salt than the page's frame, signed", opens=True, status=None, salt=9)
flipped("commit_flip", 25, "a bit of listed_count of a commit page changed", -c.PAGE_BYTES + 128, opens=False, status="corrupt")
page("commit_chain", 25, "the chain is wrong, the frame is signed", chain=b"c" * 16)
page("commit_uuid", 26, "the uuid of a commit page is of another archive", uuid=b"u" * 16)
page("commit_version", 26, "the minor version of a commit page is not that of the header", minor=2)
page("commit_params", 26, "the params of a commit page are not those of the header", params=bytes([4]) + bytes(63))
chained("commit_seq_begins_at_1", 27, "the first commit has seq 1", 0, seq=1)
chained("commit_seq_jumps", 27, "seq is 2 after 0", seq=2)
chained("commit_prev_offset", 28, "prev_offset is not that of the commit before", prev_offset=c.HEAD_BYTES)
chained("commit_prev_chain", 28, "prev_chain is not that of the commit before", prev_chain=b"p" * 16)
page("commit_prev_of_the_first", 28, "prev_chain of the first commit is not zero", opens=None, status=None, prev_chain=b"p" * 16)
page("commit_ordinal_count", 30, "ordinal_count is not that of ROOT", status=None, ordinal_count=2)
page("commit_listed_count", 30, "listed_count is not that of ROOT", status=None, listed_count=2)
page("root_hash", 31, "root_hash is wrong", status=None, root_hash=b"r" * 16)
page("root_hash_of_the_first", 31, "root_hash of the first of two commits is wrong", scenes.two_commits, opens=None, status=None,
     root_hash=b"r" * 16)
page("root_offset_of_an_image", 31, "root_offset names an IMAGE", status=None, root_offset=c.HEAD_BYTES)
page("root_offset_past_the_end", 31, "root_offset is far past the end of the file", status=None, root_offset=1 << 62)
page("root_offset_zero", 31, "root_offset is 0, where the header is", status=None, root_offset=0)
page("root_bytes_huge", 31, "root_bytes is 2^63", status=None, root_bytes=1 << 63)
page("incompat_unknown", 32, "an unknown incompat bit", status="unsupported", incompat=1 << 40)
page("zstd_undeclared", 32, "a zstd image, and ZSTD is not declared", scenes.packed, opens=None, status=None, incompat=0)
page("zstd_text_undeclared", 32, "a zstd section, and ZSTD is not declared", scenes.three, opens=False, status=None, incompat=0,
     text_codec=c.CODEC_ZSTD)
page("alias_undeclared", 32, "an ALIAS frame, and ALIAS is not declared", scenes.aliases, opens=None, status=None, at=None,
     incompat=0)
page("columns_undeclared", 32, "columns, and COLUMNS is not declared", scenes.columns, opens=False, status=None, ro_compat=0)
page("content_undeclared", 32, "a CONTENT part, and CONTENT is not declared", scenes.content, opens=False, status=None,
     ro_compat=0)
page("mask_undeclared", 32, "a MASK frame, and MASK is not declared", scenes.removed, opens=False, status=None, at=None,
     incompat=0)
page("dictionary_undeclared", 32, "a listed DICT, and ZSTD_DICT is not declared", scenes.dictionary, opens=False, status=None,
     incompat=1)
chained("bit_lost", 32, "the second commit lacks a bit that the first has", 0, incompat=1 << 3)


@bad(30, "the second commit has fewer ordinals than the first", scenes.empty, opens=None)
def ordinal_count_decreases(a):
    scenes.three(a)
    a.images.pop()
    a.runs.clear()
    a.committed = 0
    a.commit(merge_names=True)


@bad(24, "the last commit page begins at a multiple of 8 that is none of 4,096", scenes.empty, opens=False, status="corrupt")
def commit_alignment(a):
    a.add("a", b"a")
    a.edit("root", lambda _: put(pad=lambda total: None)(a))
    a.commit()


@bad(31, "the second commit names the ROOT of the first", scenes.empty, opens=False)
def root_of_the_commit_before(a):
    scenes.three(a)
    a.edit("commit", lambda subject: put(root_offset=a.commits[0].root_offset)(subject), at=1)
    a.commit("nothing new")


# ROOT


def swap(subject):
    subject.parts[0], subject.parts[1] = subject.parts[1], subject.parts[0]


def part(index, **fields):
    return lambda subject: put(**fields)(subject.parts[index])


root("root_magic", 37, "the magic of ROOT is wrong, signed", opens=False, magic=b"AIMGROOR")
root("root_part_count_huge", 37, "part_count is 2^32 - 1", opens=False, part_count=(1 << 32) - 1)
root("root_part_count_less", 37, "part_count is one less than the parts that are there", opens=False, part_count=1)
root("root_column_count_huge", 37, "column_count is 1,025 and no column is there", opens=False, column_count=1025)
root("root_coding_count_huge", 37, "coding_count is 255 and no coding is there", opens=False, coding_count=255)
root("root_tail", 37, "eight bytes after the last record", opens=False, tail=bytes(8))
root("root_zero_20", 37, "a Z byte of ROOT is 1", zero_20=1)
root("root_zero_88", 37, "a Z byte of ROOT is 1, the other one", zero_88=b"\1" + bytes(7))
root("root_order", 37, "NAMES stands before RUN", edit=swap)
root("root_part_twice", 37, "a part stands twice", edit=lambda subject: subject.parts.insert(1, subject.parts[0]))
root("root_part_type", 37, "a part of type META", edit=part(1, type=T.META))
root("root_part_zero_56", 37, "a Z byte of a part is 1", edit=part(0, zero_56=b"\1" + bytes(7)))
root("root_part_count_zero", 37, "a part of no rows", scenes.two_commits, at=1, edit=part(1, count=0))
root("root_run_missing", 36, "the first of two RUN parts is missing: a gap", scenes.two_commits, at=1,
     edit=lambda subject: subject.parts.pop(0))
root("root_no_run", 36, "no RUN part and three ordinals", edit=lambda subject: subject.parts.pop(0))
root("root_ordinal_count_huge", 36, "ordinal_count is 2^32 - 2, in the commit too", ordinal_count=(1 << 32) - 2)
root("root_run_too_long", 36, "a RUN part covers one ordinal that is in the next as well", scenes.two_commits, at=1,
     edit=part(0, count=4))
root("root_two_masks", 36, "two MASK parts of one run", scenes.removed, at=1, edit=lambda subject: two_masks(subject))
root("mask_fits_no_run", 36, "a MASK part that begins one ordinal after its run", scenes.removed, at=1,
     edit=lambda subject: put(first=subject.parts[2].first + 1, count=1)(subject.parts[2]))
root("part_offset_of_an_image", 41, "a RUN part names an IMAGE", opens=False, edit=part(0, offset=c.HEAD_BYTES))
root("part_offset_past_the_end", 41, "a NAMES part lies far past the end of the file", opens=False, edit=part(1, offset=1 << 62))
root("part_bytes_huge", 41, "bytes of a RUN part is 2^64 - 1", opens=False, edit=part(0, bytes=(1 << 64) - 1))
root("part_tail_hash", 41, "tail_hash of a RUN part is wrong", opens=False, edit=part(0, tail_hash=b"t" * 16))
root("part_section_count", 41, "section_count of a RUN part is one less than that of its table", opens=False,
     edit=part(0, section_count=1))
root("parts_overlap", 41, "a RUN part stands six times, each time 64 bytes further on", edit=lambda subject: again(subject))
root("listed_count", 65, "listed_count is not the sum, in ROOT and in the commit", opens=False, listed_count=2)
root("dead_count", 65, "dead_count is 1 and nothing is dead", dead_count=1)
root("live_stored_bytes", 65, "live_stored_bytes is not the sum", opens=True, live_stored_bytes=1)


def again(subject):
    """In order, and with the tail in its place; but together they have more bytes than there are before ROOT."""
    first = subject.parts[0]
    for shift in range(64, 64 * 6, 64):
        subject.parts.insert(shift // 64, replace(first, offset=first.offset + shift, bytes=first.bytes - shift))


def two_masks(subject):
    first, second = (part for part in subject.parts if part.type == T.MASK)
    put(first=first.first, count=first.count)(second)


# META and codings


def meta(name, what, edit, stage="meta", opens=None):
    edited(name, 69, what, scenes.meta, stage, edit, opens=opens, also={"refuses_meta": True})


def pairs(*records):
    return put(pairs=[(key, b"v") for key in records])


meta("meta_hash", "meta_hash is wrong", put(meta_hash=b"m" * 16), "root")
meta("meta_offset", "meta_offset names an IMAGE", put(meta_offset=c.HEAD_BYTES), "root")
meta("meta_bytes_without_offset", "meta_offset is 0 and meta_bytes is not", put(meta_offset=0), "root")
edited("meta_of_the_first_outside", 69, "the first of two ROOTs places META in the head", scenes.two_commits, "root",
       put(meta_offset=48), opens=None)
meta("meta_order", "keys are not in order", pairs(b"b", b"a"))
meta("meta_key_twice", "a key stands twice", pairs(b"a", b"a"))
meta("meta_key_empty", "a key of no bytes", pairs(b""))
meta("meta_key_long", "a key of 256 bytes", pairs(b"k" * 256))
meta("meta_not_utf8", "a key that is not UTF-8", pairs(b"\x80"))
meta("meta_key_zero", "a key of five bytes, the third is U+0000", pairs(b"ab\0cd"))
meta("meta_key_control", "a key that ends with U+001F", pairs(b"key\x1f"))
meta("meta_key_delete", "a key that is U+007F", pairs(b"\x7f"))
meta("meta_key_control_c1", "a key with U+009F", pairs(b"key\xc2\x9f"))
meta("meta_count_huge", "count is 2^32 - 1", put(count=(1 << 32) - 1))
meta("meta_zero_4", "the Z bytes after the count are not zero", put(zero_4=1))
meta("meta_record_zero", "the Z bytes of a record are not zero", put(record_zero=1))
meta("meta_tail", "a byte after the last pair", put(tail=b"\0"))


def coding(name, what, **fields):
    edited(name, 51, what, scenes.dictionary, "root", lambda subject: put(**fields)(subject.codings[0]), opens=None,
           refuses=(0,))


coding("coding_number", "a coding with the number 3, its DICT says 2", coding=3)
coding("coding_codec", "a codec that nobody knows", codec=77)
coding("coding_offset", "the DICT of a coding is an IMAGE", offset=c.HEAD_BYTES + 1000)
coding("coding_bytes", "bytes of a coding is not stored_bytes of its DICT", bytes=5)
coding("coding_hash", "the hash of a DICT is wrong", hash=b"d" * 16)


@bad(51, "an image with the coding 2, which ROOT does not define", scenes.empty, opens=None)
def coding_undefined(a):
    a.dictionary(2, TEXT)
    a.edit("root", lambda subject: subject.codings.clear())
    a.add("a", TEXT, coding=2)
    a.commit()


@bad(41, "a NAMES part names a table that stands in the bytes of an image", scenes.empty, opens=None)
def part_inside_an_image(a):
    twin = ArchiveBuilder()
    twin.add("a", bytes(4096))
    twin.commit()
    table = next(frame for frame in twin.frames if frame.type == T.NAMES)
    stored = bytes(twin.body[table.offset - c.HEAD_BYTES:table.offset - c.HEAD_BYTES + table.total_bytes])
    payload_offset = twin.images[0].frame.payload_offset
    gap = -(payload_offset + c.FRAME_HEADER_BYTES) % c.TABLE_ALIGNMENT
    a.edit("part", put(offset=payload_offset + gap), at=1)
    a.add("a", (bytes(gap) + stored).ljust(4096, b"\0"))
    a.commit()


@bad(51, "a DICT with the magic of a zstd dictionary and noise after it", scenes.empty, opens=None)
def dictionary_malformed(a):
    a.dictionary(2, b"\x37\xa4\x30\xec" + noise(200))
    a.add("a", b"a")
    a.commit()


@bad(32, "an image with coding 2, of which ROOT lists no DICT, and ZSTD_DICT is not declared", scenes.dictionary, opens=None)
def dictionary_undeclared_and_unlisted(a):
    a.edit("root", put(codings=[]), 0)
    a.edit("commit", put(incompat=c.Incompat.ZSTD), 0)
