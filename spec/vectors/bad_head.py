# SPDX-License-Identifier: Apache-2.0
"""Vectors that break rules 1 to 10: header and hints."""
import constants as c
import scenes
from head import Hint
from vector import bad, edited, put, torn

NEW_COMMIT = c.HEAD_BYTES + c.PAGE_BYTES  # where the first commit of a small archive stands


def header(name, rule, what, status=None, **fields):
    edited(name, rule, what, scenes.empty, "header", put(**fields), opens=False, status=status)


def params(name, what, **fields):
    edited(name, 6, what, scenes.empty, "header", lambda subject: put(**fields)(subject.params), opens=False)


def hint(name, what, edit, scene=scenes.three, opens=True, status=None, rule=9):
    edited(name, rule, what, scene, "hint", edit, opens=opens, status=status)


def shorter(name, size, what, status="truncated"):
    def cut(archive):
        return archive.bytes()[:size]
    cut.__name__ = name
    torn(what, scenes.empty, opens=False, status=status, rule=1)(cut)


def flipped(name, rule, what, offset, bit=1, scene=scenes.three, opens=True, status=None, refuses=()):
    """A bit that was changed in the file, with all checksums left as they were."""
    def patch(data):
        at = offset % len(data)
        return data[:at] + bytes([data[at] ^ bit]) + data[at + 1:]
    bad(rule, what, scene, opens, status, patch, refuses)(named(name))


def named(name):
    def nothing(archive):
        pass
    nothing.__name__ = name
    return nothing


shorter("file_of_no_bytes", 0, "the file has no bytes", "not an archive")
shorter("file_of_8_bytes", 8, "the file has nothing but the magic")
shorter("head_cut", c.HEAD_BYTES - 1, "the head lacks its last byte")
header("header_magic", 2, "the magic was changed by a transfer in text mode", "not an archive", magic=b"\x89AIMG\n\x1a\0")
header("version_major", 3, "major version 1", "version unknown", major=1)
header("version_minor", 3, "minor version 2", "version unknown", minor=2)
header("header_bytes", 4, "header_bytes is 8,192", header_bytes=8192)
flipped("header_flip", 5, "a bit of created_ns changed", 60, scene=scenes.empty, opens=False)
flipped("header_hash_flip", 5, "a bit of the header's hash changed", 4095, scene=scenes.empty, opens=False)
params("alignment_too_small", "alignment_log2 is 2", alignment_log2=2)
params("alignment_too_large", "alignment_log2 is 13", alignment_log2=13)
params("params_zero_1", "a Z byte of params is 1", zero_1=b"\1" + bytes(6))
params("params_zero_16", "the last byte of params is 1", zero_16=bytes(47) + b"\1")
header("uuid_zero", 7, "the uuid is zero", uuid=bytes(16))
header("writer_bytes_255", 8, "writer_bytes is 255", writer=b"w" * 254, writer_bytes=255)
header("writer_tail", 8, "bytes after the writer text are not zero", writer=b"writer\0x", writer_bytes=6)
header("writer_not_utf8", 8, "the writer text is not UTF-8", writer=b"\xc3(")
header("header_zero_384", 8, "a Z byte of the header is 1", zero_384=bytes(3695) + b"\1")

hint("hint_hash", "the hash of hint A is wrong: a reader goes without it", put(hash=b"h" * 16))
hint("hint_magic", "the magic of hint A is wrong, signed", put(magic=b"AIMGHINX"))
hint("hint_zero_36", "a Z byte of hint A is 1, signed", put(zero_36=bytes(4043) + b"\1"))
hint("hint_on_the_wrong_page", "page B holds an even seq", put(page=1))
hint("hint_end_differs", "end is not commit_offset + 4,096", put(end=NEW_COMMIT + 8))
hint("hint_of_another_seq", "the hint says seq 2 of the commit 0", put(seq=2), opens=False, status="corrupt")
hint("hint_of_another_salt", "the salt is not that of the commit", put(salt=1), opens=False,
     status="corrupt")
hint("hint_names_no_commit", "the hint names a place where a frame stands that is no COMMIT", put(commit_offset=c.HEAD_BYTES),
     opens=False,
     status="corrupt")
hint("hint_past_the_end", "the hint names a commit past the end of the file", put(seq=2, commit_offset=1 << 40), opens=False,
     status="truncated")
hint("hint_at_the_last_offset", "commit_offset + 4,096 passes 2^64: it says nothing",
     put(seq=2, commit_offset=(1 << 64) - 4096, end=0))
hint("hint_past_2_51", "commit_offset is 2^51, which no file reaches: it says nothing", put(seq=2, commit_offset=1 << 51))
hint("hint_in_the_head", "commit_offset is 8,192, within the head: it says nothing", put(seq=2, commit_offset=8192))


def hint_on_empty(a):
    a.hints[0] = Hint(0, c.HEAD_BYTES, a.salt)


@bad(9, "an empty archive with the hint of a commit that is gone", hint_on_empty, opens=False, status="truncated")
def hint_on_an_empty_archive(a):
    pass


def against_the_bit(a):
    scenes.three(a)
    a.hints[0] = Hint(0, a.commits[0].self_offset, a.salt)


@bad(10, "NO_HINTS is declared and hint A is not zero", against_the_bit)
def hint_with_no_hints(a):
    a.compat |= c.Compat.NO_HINTS


@bad(10, "NO_HINTS is declared and page A holds what is no valid hint", against_the_bit)
def no_valid_hint_with_no_hints(a):
    a.compat |= c.Compat.NO_HINTS
    a.edit("hint", put(hash=b"h" * 16), 0)
