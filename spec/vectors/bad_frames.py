# SPDX-License-Identifier: Apache-2.0
"""Vectors that break rules 11 to 23: frames; and files that lack bytes or have too many (rule 34 among others)."""
import constants as c
import scenes
from bad_head import flipped
from checksum import u
from frame import extension
from good_vectors import forge, unknown_compat_bit
from head import Hint
from pictures import noise
from vector import bad, content_of, edited, put, torn

T = c.FrameType


def frame(name, rule, what, frame_type, edit, scene=scenes.three, at=0, **options):
    edited(name, rule, what, scene, "frame %d" % frame_type, edit, at, **options)


def extended(name, what, *extensions, refuses=()):
    frame(name, 22, what, T.IMAGE, put(ext=b"".join(extensions)), refuses=refuses)


frame("frame_magic", 13, "the magic of a frame is wrong, signed", T.IMAGE, put(magic=b"FA"), refuses=(0,))
frame("frame_check", 13, "the check of a frame is wrong", T.IMAGE, put(check=1))
flipped("frame_name_flip", 13, "a bit of a frame's name changed", c.HEAD_BYTES + 50)
frame("stored_bytes_lie", 12, "stored_bytes of an IMAGE is far more than the file has, signed", T.IMAGE,
      put(stored_bytes=(1 << 47) - 1))
frame("stored_bytes_2_48", 12, "stored_bytes of an IMAGE is the largest number of 48 bits, signed", T.IMAGE,
      put(stored_bytes=(1 << 48) - 1))
frame("raw_bytes_2_47", 17, "raw_bytes of a coded IMAGE is 2^47, signed", T.IMAGE, put(raw_bytes=1 << 47), scenes.packed)
frame("type_unknown", 14, "a frame of type 99, and no unknown bit is declared", T.PAD, put(type=99))
frame("type_zero", 14, "a frame of type 0", T.PAD, put(type=0))
frame("header_units_more", 15, "header_units is one more than name and extensions need", T.IMAGE,
      lambda subject: put(header_units=subject.units + 1)(subject))
frame("header_units_zero", 12, "header_units of a frame is 0", T.PAD, put(header_units=0))
frame("header_padding", 16, "a byte after the name is not zero, signed", T.IMAGE, put(header_padding=b"\1"))
frame("payload_padding", 16, "a byte after the payload is not zero", T.IMAGE, put(payload_padding=b"\1"), at=2)
flipped("image_flip", 18, "a bit of an image changed", c.HEAD_BYTES + 80, refuses=(0,))
frame("stored_hash", 18, "stored_hash of an IMAGE is wrong, signed", T.IMAGE, put(stored_hash=1), refuses=(0,))
frame("stored_hash_of_pad", 18, "stored_hash of a PAD is wrong, signed", T.PAD, put(stored_hash=1))
frame("ordinal_of_pad", 19, "a PAD has an ordinal", T.PAD, put(ordinal=1))
frame("name_of_root", 19, "a ROOT has a name", T.ROOT, put(name=b"12345678"), opens=None)
frame("coding_of_run", 19, "a RUN has a coding", T.RUN, put(coding=1))
frame("raw_bytes_of_meta", 19, "raw_bytes of a META is not stored_bytes", T.META, put(raw_bytes=1), scenes.meta)
frame("zero_30", 19, "the Z bytes of a frame header are not zero, signed", T.IMAGE, put(zero_30=1))
frame("zero_30_of_unknown_type", 19, "the Z bytes of a frame that is skipped for an unknown compat bit are not zero, signed", 200,
      put(zero_30=1), unknown_compat_bit)
frame("alias_zero_4", 19, "the Z bytes of an ALIAS are not zero", T.ALIAS, put(payload=u(0, 4) + u(1, 4)), scenes.aliases)
frame("salt_of_pad", 20, "the salt of a PAD is not that of the commit", T.PAD, put(salt=1))
frame("salt_of_image", 20, "the salt of an image is that of another session", T.IMAGE, put(salt=0x12345678), at=1)
extended("extension_cut", "the last extension is longer than what is left of ext", extension(1, b"abc"), extension(2, b"abc", 4),
         refuses=(0,))
extended("extension_short", "ext ends with three bytes that are no extension", extension(1, b"abc"), b"\0\0\0",
         refuses=(0,))
extended("extension_twice", "a kind stands twice", extension(1, b"a"), extension(2, b""), extension(1, b"b"),
         refuses=(0,))
extended("extension_critical", "a critical extension that nobody knows", extension(0x8000, b"rotate"), refuses=(0,))
frame("pad_payload", 23, "a byte in a PAD is not zero, its stored_hash is right", T.PAD,
      lambda subject: put(payload=noise(len(subject.payload)))(subject))


@bad(21, "an image begins at a multiple of 8, the archive has an alignment of 64", scenes.empty)
def image_alignment(a):
    a.add("a", noise(8))
    a.header.params.alignment_log2 = 6
    a.commit()


@bad(21, "a table begins at a multiple of 8 that is none of 64", scenes.empty, opens=None)
def table_alignment(a):
    a.table_alignment = c.UNIT
    a.add("a", b"a")
    a.commit()


@bad(11, "the hint names a commit page that lies inside an image: frames do not tile the file", scenes.empty, opens=None)
def commit_inside_an_image(a):
    forge(a)
    forged = a.images[-1].frame
    a.hints.clear()
    a.hints[1] = Hint(1, forged.offset + forged.total_bytes - c.PAGE_BYTES, a.salt)


@bad(13, "eight zero bytes between two frames", scenes.empty)
def gap_between_frames(a):
    a.add("a", b"a")
    a.body += bytes(8)
    a.add("b", b"b")
    a.commit()


# What follows the last commit, or is missing before its end.


def tail(name, what, make, scene=scenes.three):
    """A whole archive, then bytes."""
    def build(a):
        a.kept = content_of(a)
        return make(a)
    build.__name__ = name
    torn(what, scene)(build)


def next_commit(a):
    """The bytes of a further batch and its commit; hints stay as they are."""
    begin = len(a.body)
    a.add("next", noise(100))
    a.commit("next", hint=False)
    return begin + c.HEAD_BYTES, a.bytes()


def cut(name, what, size, scene=scenes.three):
    """The batch after the last acknowledged commit, up to a number of bytes (negative: from its end)."""
    def make(a):
        begin, data = next_commit(a)
        return data[:begin + size] if size > 0 else data[:size]
    tail(name, what, make, scene)


def changed(name, what, offset_from_end):
    def make(a):
        data = bytearray(next_commit(a)[1])
        data[-offset_from_end] ^= 1
        return bytes(data)
    tail(name, what, make)


tail("tail_of_zeros", "4,096 zero bytes after the last commit", lambda a: a.bytes() + bytes(4096))
tail("tail_of_7_bytes", "seven bytes after the last commit", lambda a: a.bytes() + b"garbage")
tail("tail_on_an_empty_archive", "text after the head of an empty archive", lambda a: a.bytes() + b"some text", scenes.empty)
tail("tail_of_an_old_page", "the commit page once more after itself", lambda a: a.bytes() + a.bytes()[-c.PAGE_BYTES:])
cut("tail_frame_cut_in_header", "the next batch ends within a frame header", 20)
cut("tail_frame_cut_in_payload", "the next batch ends within an image", 100)
cut("tail_frame_whole", "the next batch ends after a whole image", 56 + 104)
cut("tail_commit_cut", "the next batch lacks the last byte of its commit page", -1)
cut("tail_of_the_first_batch", "the first batch of an archive lacks its commit page", -c.PAGE_BYTES, scenes.empty)
changed("tail_commit_chain", "a bit of the chain of the newest commit page changed; no hint names it", 30)
changed("tail_commit_magic", "a bit of the last magic of the newest commit page changed; no hint names it", 1)


def uncommitted(name, what, **fields):
    """A newest commit page, named by no hint, that says something else and is signed."""
    def make(a):
        a.edit("commit", put(**fields), at=1)
        return next_commit(a)[1]
    tail(name, what, make)


uncommitted("tail_commit_of_another_salt", "the salt of the newest commit page is not that of its batch; no hint names it",
            salt=9)
uncommitted("tail_commit_skips_a_seq", "the newest commit page has seq 2 after 0; no hint names it", seq=2)
uncommitted("tail_commit_of_another_chain", "the newest commit page follows another chain; no hint names it",
            prev_chain=b"c" * 16)
uncommitted("tail_commit_of_another_archive", "the newest commit page has another uuid; no hint names it", uuid=b"u" * 16)


def unsteppable(name, what, **fields):
    """A newest batch, named by no hint, of which only the frame of an image cannot be stepped over; its commit page is valid."""
    def make(a):
        a.edit_frames(T.IMAGE, put(**fields), at=3)
        return next_commit(a)[1]
    tail(name, what, make)


unsteppable("tail_frame_raw_bytes_2_47", "raw_bytes of an IMAGE of the newest batch is 2^47, signed", raw_bytes=1 << 47)
unsteppable("tail_frame_zero_30", "bytes 30 and 31 of a frame of the newest batch are not zero, signed", zero_30=1)
unsteppable("tail_frame_header_units", "header_units of a frame of the newest batch is one too many, signed", header_units=8)


@torn("a forged commit page in the bytes of an image that was not committed; the file is cut right behind it", scenes.empty)
def tail_forged_commit(a):
    forge_kept(a)
    return a.bytes()


def forge_kept(a):
    forge(a)
    a.kept = content_of(a)


@torn("as tail-forged-commit, without hints: the walk begins at the head", scenes.empty)
def tail_forged_commit_without_hints(a):
    forge_kept(a)
    a.hints.clear()
    return a.bytes()


def lost(name, what, cut_bytes):
    def build(a):
        return a.bytes()[:-cut_bytes]
    build.__name__ = name
    torn(what, scenes.two_commits, opens=False, status="truncated", rule=9)(build)


lost("truncated_by_a_byte", "the last byte of a hinted commit is missing", 1)
lost("truncated_by_a_page", "the page of a hinted commit is missing", c.PAGE_BYTES)
lost("truncated_to_the_first_commit", "the file ends with the first commit, hint B knows of the second", 2 * c.PAGE_BYTES)


@torn("the file ends in the first batch, both hints are there", scenes.two_commits, opens=False, status="truncated", rule=9)
def truncated_in_the_first_batch(a):
    return a.bytes()[:c.HEAD_BYTES + 100]
