# SPDX-License-Identifier: Apache-2.0
"""The outer layer, sections 1 to 4 of SPEC.md: bytes, header, hints, frames, commit pages, and how the last commit is found.
Numbers in parentheses are sections of SPEC.md and rules of its section 11."""
import collections
import fcntl
import os
import stat
import struct
from typing import NamedTuple

import xxhash
import zstandard

HEAD, PAGE, BLOCK, MOST = 12288, 4096, 4096, 1 << 51
IMAGE, ALIAS, RUN, COLUMN, MASK, NAMES, CONTENT, VALUES, DICT, CODING, META, ROOT, PAD, COMMIT = range(1, 15)
TABLES = range(RUN, VALUES + 1)
ZSTD, ZSTD_DICT, ALIASES, MASKS, COLUMNS, CONTENTS, NO_HINTS = 1, 2, 4, 8, 1, 2, 1  # feature bits (4.1)
KNOWN_COMPAT, KNOWN_RO_COMPAT, KNOWN_INCOMPAT = 1, 3, 15
WARNINGS = (33, 52)
SHOWN = 200  # faults of one rule that are kept


class Finding(NamedTuple):
    rule: int
    offset: int
    image: int  # ordinal, or None
    what: str
    warning: bool = False

    def __str__(self):
        image = "" if self.image is None else " (image %d)" % self.image
        return "%srule %d at %d%s: %s" % ("warning: " if self.warning else "", self.rule, self.offset, image, self.what)


class Fault(Exception):
    """A rule is broken, and one who only reads cannot go on."""

    def __init__(self, rule, offset, what, image=None, status="corrupt"):
        self.finding, self.status = Finding(rule, offset, image, what), status
        super().__init__(str(self.finding))


def must(condition, rule, offset, what, image=None):
    """A reader's way to check."""
    if not condition:
        raise Fault(rule, offset, what, image)
    return True


class Report(list):
    """A validator's way to check: it notes what is broken and goes on where that makes sense."""

    def __init__(self):
        super().__init__()
        self.counts = collections.Counter()

    def need(self, condition, rule, offset, what, image=None, warning=False):
        if not condition:
            self.counts[rule] += 1
            if self.counts[rule] <= SHOWN:
                self.append(Finding(rule, offset, image, what, warning or rule in WARNINGS))
        return condition

    def take(self, fault):
        self.need(False, *fault.finding[:2], fault.finding.what, fault.finding.image)


# ------------------------------------------------------------------ bytes (1)

def up(count, to):
    return -(-count // to) * to


def u48(six):
    return int.from_bytes(six, "little")


def xxh(data, seed=0):
    return xxhash.xxh3_128_intdigest(data, seed).to_bytes(16, "little")  # H, and with a seed Hs


def low64(digest):
    return int.from_bytes(digest[:8], "little")


def printed(digest):
    return digest[::-1].hex()  # as xxh128sum prints it


def text_of(data):
    """Text without control characters, or None."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    return None if any(ord(letter) < 32 or 127 <= ord(letter) < 160 for letter in text) else text


def is_utf8(data):
    try:
        return data.decode() is not None
    except UnicodeDecodeError:
        return False


def is_name(data):
    """(10)"""
    text = text_of(data)
    return (text is not None and 1 <= len(data) <= 1024 and "\\" not in text and
            all(1 <= len(part) <= 255 and part not in (b".", b"..") for part in data.split(b"/")))


class File:
    def __init__(self, path):
        no_wait = lambda name, flags: os.open(name, flags | os.O_NONBLOCK)  # a pipe would wait for a writer
        self.file = open(path, "rb", buffering=0, opener=no_wait)
        mode = os.fstat(self.file.fileno())
        if not stat.S_ISREG(mode.st_mode):
            raise OSError("%s is no regular file" % path)
        self.size = mode.st_size

    def read(self, offset, count):
        if offset < 0 or count > self.size - offset:
            raise Fault(12, offset, "%d bytes, but the file ends at %d" % (count, self.size))
        data = os.pread(self.file.fileno(), count, offset)
        if len(data) != count:
            raise Fault(12, offset, "%d bytes, but the file was cut while it was read" % count)
        return data

    def pieces(self, offset, count, most=1 << 20):
        for at in range(offset, offset + count, most):
            yield self.read(at, min(most, offset + count - at))

    def hash(self, offset, count):
        if count <= 1 << 20:
            return xxh(self.read(offset, count))
        state = xxhash.xxh3_128()
        for piece in self.pieces(offset, count):
            state.update(piece)
        return state.intdigest().to_bytes(16, "little")

    def is_zero(self, offset, count):
        return not any(piece.strip(b"\0") for piece in self.pieces(offset, count))

    def is_locked(self):
        """Whether a writer holds byte 0 (4.2)."""
        flock = struct.pack("hhqqi4x", fcntl.F_RDLCK, os.SEEK_SET, 0, 1, 0)
        return struct.unpack("hhqqi4x", fcntl.fcntl(self.file.fileno(), fcntl.F_GETLK, flock))[0] != fcntl.F_UNLCK


class Memory(File):
    """Bytes instead of a file."""

    def __init__(self, data):
        self.data, self.size = data, len(data)

    def read(self, offset, count):
        if offset < 0 or count > self.size - offset:
            raise Fault(12, offset, "%d bytes, but the file ends at %d" % (count, self.size))
        return self.data[offset:offset + count]

    def is_locked(self):
        return False


def unzstd(file, offset, stored, raw, dictionary=None, image=None, place=None):
    """The one zstd frame (7; rule 49) in these bytes, decoded in pieces, block by block: neither the whole nor more than raw."""
    broken = lambda what: Fault(49, place or offset, "zstd: " + what, image)
    head = file.read(offset, min(stored, 18))
    try:
        frame = zstandard.get_frame_parameters(head)
        if not head.startswith(b"\x28\xb5\x2f\xfd") or frame.content_size != raw:
            raise broken("no frame, or its content size is not %d" % raw)
        decoder = zstandard.ZstdDecompressor(dict_data=dictionary, max_window_size=1 << 27).decompressobj()
        at, end, made, last = offset + zstandard.frame_header_size(head), offset + stored, 0, False
        decoder.decompress(head[:at - offset])
        while not last:
            block = int.from_bytes(file.read(at, min(3, end - at)), "little")
            last, kind, size = block & 1, block >> 1 & 3, block >> 3
            size = 3 + (1 if kind == 1 else size) + (4 if last and frame.has_checksum else 0)
            if size > end - at or block >> 3 > 1 << 17:
                raise broken("a block of %d bytes, %d are left" % (block >> 3, end - at))
            piece = decoder.decompress(file.read(at, size))
            at, made = at + size, made + len(piece)
            if made > raw:
                raise broken("more than %d bytes come out" % raw)
            yield piece
        if at != end or made != raw:
            raise broken("%d bytes came out, not %d, and %d follow" % (made, raw, end - at))
    except zstandard.ZstdError as error:
        raise broken(str(error)) from None


# ------------------------------------------------------------------ head, frames, commits (2 to 4)

def read_header(file):
    """(2.1; the first of rules 1 to 8 that it breaks is raised)."""
    head = file.read(0, min(file.size, PAGE))
    magic = b"\x89AIMG\r\n\x1a"
    if not head or not head.startswith(magic[:len(head)]):
        raise Fault(2 if head else 1, 0, "not an archive: it begins with '%s'" % head[:8].hex(" "), status="not an archive")
    if file.size < HEAD:
        raise Fault(1, file.size, "%d bytes, an archive has at least %d" % (file.size, HEAD), status="truncated")
    major, minor, header_bytes = struct.unpack_from("<HHI", head, 8)
    if (major, minor) != (0, 1):
        raise Fault(3, 8, "version %d.%d, this reader knows 0.1" % (major, minor), status="version unknown")
    must(header_bytes == PAGE, 4, 12, "header_bytes is %d" % header_bytes)
    must(xxh(head[:4080]) == head[4080:], 5, 4080, "the hash of the header")
    header = Header(head)
    must(3 <= header.alignment_log2 <= 12 and not any(head[65:72]) and not any(head[80:128]), 6, 64, "params")
    must(any(header.uuid), 7, 16, "the uuid is zero")
    must(header.writer_bytes <= 254 and text_of(head[130:130 + header.writer_bytes]) is not None, 8, 128, "writer text")
    must(not any(head[130 + header.writer_bytes:4080]), 8, 130, "Z bytes of the header")
    return header


class Header:
    def __init__(self, head):
        self.uuid, self.seed = head[16:32], low64(head[16:24])
        self.compat, self.ro_compat, self.incompat, self.created_ns = struct.unpack_from("<4Q", head, 32)
        self.params, self.alignment_log2, self.name_seed = head[64:128], head[64], low64(head[72:80])
        self.writer_bytes, = struct.unpack_from("<H", head, 128)


class Hint(NamedTuple):
    seq: int
    commit_offset: int
    end: int
    salt: int


def read_hint(file, header, number):
    """The hint on page A (0) or B (1), or None when it says nothing (2.3)."""
    page = file.read(PAGE * (1 + number), PAGE)
    hint = Hint(*struct.unpack_from("<QQQI", page, 8))
    valid = (page[:8] == b"AIMGHINT" and page[4080:] == xxh(page[:4080], header.seed) and not any(page[36:4080]) and
             hint.seq % 2 == number and HEAD <= hint.commit_offset < MOST and hint.end == hint.commit_offset + PAGE)
    return hint if valid else None


class Frame(NamedTuple):
    magic: bytes
    type: int
    units: int
    ordinal: int
    salt: int
    name_bytes: int
    format: int
    coding: int
    stored_bytes: int
    ext_bytes: int
    raw_bytes: int
    zero: int
    stored_hash: int
    check: int
    offset: int
    rest: bytes  # name, extensions, padding

    payload = property(lambda self: self.offset + 8 * self.units)
    bytes = property(lambda self: 8 * self.units + up(self.stored_bytes, 8))
    end = property(lambda self: self.offset + self.bytes)
    name = property(lambda self: self.rest[:self.name_bytes])

    def size_fault(self):
        """The rule that its sizes or bytes 30 and 31 break, or 0."""
        if self.units * 8 != up(48 + self.name_bytes + self.ext_bytes, 8):
            return 15
        return 17 if max(self.stored_bytes, self.raw_bytes) >= 1 << 47 else 19 if self.zero else 0

    def field_fault(self):
        """The rule that a field breaks which its type does not use, or 0 (rules 14, 19, 47)."""
        kind, unused = self.type, 0
        if not IMAGE <= kind <= COMMIT:
            return 14
        if kind == ALIAS and self.stored_bytes != 8:
            return 47
        if kind not in (IMAGE, ALIAS):
            unused |= self.ordinal | self.name_bytes | self.ext_bytes
        if kind not in (IMAGE, ALIAS, DICT, CODING):
            unused |= self.format
        if kind not in (IMAGE, DICT, CODING):
            unused |= self.coding
        return 19 if unused or kind != IMAGE and self.raw_bytes != self.stored_bytes else 0


def read_frame(file, header, offset, need=must, end=None):
    """The frame at offset, or None when it has no length that one can rely on (3; rules 11 to 13, 15, 17)."""
    end = file.size if end is None else end
    if not need(file.size - offset >= 48, 12, offset, "%d bytes are left, a frame has at least 48" % (file.size - offset)):
        return None
    fixed = file.read(offset, 48)
    fields = list(struct.unpack("<2sBBIIHBB6sH6sHQQ", fixed))
    fields[8], fields[10] = u48(fields[8]), u48(fields[10])
    if not need(fields[0] == b"AF", 13, offset, "no frame begins here"):
        return None
    frame = Frame(*fields, offset, b"")
    sizes = {15: "header_units is %d" % frame.units, 17: "stored_bytes or raw_bytes is 2^47 or more"}.get(frame.size_fault())
    if frame.units < 6 or frame.end > end:
        need(not sizes, frame.size_fault(), offset, sizes)
        need(False, 11 if frame.units >= 6 and frame.end <= file.size else 12, offset,
             "a frame of %d units and %d bytes ends past %d" % (frame.units, frame.bytes, end))
        return None
    frame = frame._replace(rest=file.read(offset + 48, frame.units * 8 - 48))
    if not need(low64(xxh(fixed[:40] + bytes(8) + frame.rest, header.seed)) == frame.check, 13, offset, "check of the frame"):
        return None
    need(not sizes, frame.size_fault(), offset, sizes)
    return frame


def extensions(frame):
    """kind to bytes (rule 22)."""
    found, at, end = {}, frame.name_bytes, frame.name_bytes + frame.ext_bytes
    must(end <= len(frame.rest), 15, frame.offset, "no room for the extensions")
    while at < end:
        kind, size = struct.unpack_from("<HH", frame.rest, at) if end - at >= 4 else (0, MOST)
        must(size <= end - at - 4 and kind not in found, 22, frame.offset, "extensions do not fill ext, or a kind twice")
        must(kind < 0x8000, 22, frame.offset, "a critical extension that is not known: %d" % kind)
        found[kind], at = frame.rest[at + 4:at + 4 + size], at + 4 + size
    return found


class Commit(NamedTuple):
    seq: int
    self_offset: int
    prev_offset: int
    prev_chain: bytes
    ordinal_count: int
    listed_count: int
    root_offset: int
    root_bytes: int
    root_hash: bytes
    compat: int
    ro_compat: int
    incompat: int
    params: bytes
    time_ns: int
    salt: int
    flags: int
    message: bytes
    chain: bytes
    offset: int
    frame: Frame

    end = property(lambda self: self.offset + PAGE)


def read_commit(file, header, offset):
    """A valid commit page (4); the first of rules 12 to 14, 17, 19, 24 to 26 that it breaks is raised."""
    must(offset + PAGE <= file.size, 12, offset, "no room for a commit page")
    frame = read_frame(file, header, offset)
    rule = frame.size_fault() or frame.field_fault()
    must(not rule, rule, offset, "the frame of a commit page")
    must(frame.type == COMMIT and offset % PAGE == 0 and offset < MOST and frame.stored_bytes == PAGE - 48, 24,
         offset, "no COMMIT, or its place")
    page = file.read(offset, PAGE)
    fields = struct.unpack_from("<QQQ16sQQQQ16sQQQ64sQIIH254s", page, 80)
    message_bytes, text = fields[16:18]
    commit = Commit(*fields[:16], text[:message_bytes], page[4064:4080], offset, frame)
    must(page[48:56] == page[4088:] == b"AIMGCMT\n" and page[4080:4088] == page[80:88] and commit.self_offset == offset, 24,
         offset, "magics, seqs or self_offset")
    must(not any(page[60:64]) and commit.flags < 2 and not any(page[528:4064]), 24, offset, "flags, or Z bytes")
    must(message_bytes <= 254 and is_utf8(commit.message) and not any(text[message_bytes:]), 24, offset, "message")
    must(xxh(page[48:4064]) == commit.chain, 25, offset, "chain of a commit page")
    must(page[56:60] == b"\0\0\1\0" and page[64:80] == header.uuid and commit.params == header.params, 26, offset,
         "version, uuid or params of a commit page are not those of the header")
    return commit


def last_commit(file, header, lenient=False):
    """Opening (4.3): the last commit, or None, and where it ends. Lenient: without hints that lead nowhere."""
    hints = [hint for hint in (read_hint(file, header, 0), read_hint(file, header, 1)) if hint]
    hints = [hint for hint in hints if not lenient or hint.end <= file.size]
    current, end = None, HEAD
    if hints:
        hint = max(hints, key=lambda hint: hint.seq)
        if hint.end > file.size:
            raise Fault(9, PAGE * (1 + hint.seq % 2), "a commit reached to %d, the file ends at %d" % (hint.end, file.size),
                        status="truncated")
        try:
            commit = read_commit(file, header, hint.commit_offset)
            must((commit.seq, commit.salt) == (hint.seq, hint.salt), 9, hint.commit_offset, "another commit than a hint says")
            current, end = commit, commit.end
        except Fault:
            if not lenient:
                raise
    at, salt = end, None
    try:
        while at < file.size:
            frame = read_frame(file, header, at)
            if frame.zero or salt not in (None, frame.salt):
                break
            at, salt = frame.end, frame.salt
            if frame.type == COMMIT:
                commit = read_commit(file, header, frame.offset)
                following = (current.seq + 1, current.offset, current.chain) if current else (0, 0, bytes(16))
                if commit.salt != salt or (commit.seq, commit.prev_offset, commit.prev_chain) != following:
                    break
                current, end, salt = commit, commit.end, None
    except Fault:
        pass  # a torn tail
    return current, end
