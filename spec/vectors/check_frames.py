# SPDX-License-Identifier: Apache-2.0
"""The vectors' own reader, first half: head, hints, opening, frames and commits. Shares with the encoder only the numbers."""
import struct
from contextlib import contextmanager
from dataclasses import dataclass, field

import constants as c
from checksum import hash128, low64, round_up, seeded

T = c.FrameType


class Broken(Exception):
    def __init__(self, rule, text):
        super().__init__(text)
        self.rule, self.text = rule, text


def need(condition, rule, text):
    if not condition:
        raise Broken(rule, text)


class Report:
    def __init__(self):
        self.findings = []
        self.opens, self.status = False, "ok"

    def add(self, rule, text):
        self.findings.append((rule, text))

    def check(self, condition, rule, text):
        if not condition:
            self.add(rule, text)

    @contextmanager
    def scope(self):
        """What is broken inside ends the scope and is reported."""
        try:
            yield
        except Broken as broken:
            self.add(broken.rule, broken.text)

    @contextmanager
    def refused(self):
        """What is broken inside is found at opening."""
        try:
            yield
        except Broken:
            self.status = "corrupt"
            raise

    @property
    def rules(self):
        return sorted({rule for rule, _ in self.findings})


def zero(data):
    return not any(data)


def is_text(data):
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


@dataclass
class Head:
    uuid: bytes
    params: bytes
    alignment: int
    name_seed: int


def read_head(data):
    need(len(data) >= c.HEAD_BYTES, 1, "file of %d bytes" % len(data))
    need(data[:8] == c.HEADER_MAGIC, 2, "magic")
    major, minor, header_bytes = struct.unpack_from("<HHI", data, 8)
    need((major, minor) == (c.VERSION_MAJOR, c.VERSION_MINOR), 3, "version %d.%d" % (major, minor))
    need(header_bytes == c.HEADER_BYTES, 4, "header_bytes %d" % header_bytes)
    need(hash128(data[:4080]) == data[4080:4096], 5, "header hash")
    params = data[64:128]
    need(c.ALIGNMENT_LOG2_MIN <= params[0] <= c.ALIGNMENT_LOG2_MAX, 6, "alignment_log2 %d" % params[0])
    need(zero(params[1:8]) and zero(params[16:]), 6, "params not zero")
    need(not zero(data[16:32]), 7, "uuid zero")
    writer_bytes = struct.unpack_from("<H", data, 128)[0]
    need(writer_bytes <= c.WRITER_MAX, 8, "writer_bytes %d" % writer_bytes)
    need(zero(data[130 + writer_bytes:4080]) and is_text(data[130:130 + writer_bytes]), 8, "writer or bytes after it")
    return Head(data[16:32], params, 1 << params[0], struct.unpack_from("<Q", params, 8)[0])


@dataclass
class HintPage:
    seq: int
    offset: int
    end: int
    salt: int


def read_hint(data, page, uuid):
    """None when all zero; Broken when neither zero nor valid."""
    raw = data[c.HINT_OFFSETS[page]:c.HINT_OFFSETS[page] + c.PAGE_BYTES]
    if zero(raw):
        return None
    need(raw[:8] == c.HINT_MAGIC and seeded(raw[:4080], uuid) == raw[4080:], 9, "hint %d: magic or hash" % page)
    hint = HintPage(*struct.unpack_from("<QQQI", raw, 8))
    need(zero(raw[36:4080]) and hint.seq % 2 == page, 9, "hint %d: Z or parity" % page)
    need(c.HEAD_BYTES <= hint.offset < c.OFFSET_LIMIT, 9, "hint %d: commit_offset %d" % (page, hint.offset))
    need(hint.end == hint.offset + c.PAGE_BYTES, 9, "hint %d: end" % page)
    return hint


@dataclass
class FrameView:
    offset: int
    type: int
    units: int
    ordinal: int
    salt: int
    format: int
    coding: int
    stored_bytes: int
    raw_bytes: int
    stored_hash: int
    name: bytes
    ext: bytes
    slack: bytes
    name_bytes: int
    ext_bytes: int

    @property
    def payload_offset(self):
        return self.offset + self.units * c.UNIT

    @property
    def total_bytes(self):
        return self.units * c.UNIT + round_up(self.stored_bytes, c.UNIT)

    @property
    def end(self):
        return self.offset + self.total_bytes

    def payload(self, data):
        return data[self.payload_offset:self.payload_offset + self.stored_bytes]


def read_frame(data, offset, uuid):
    """What must hold of a frame that is stepped over: rules 12, 13, 15, 17, and bytes 30 and 31 zero (19)."""
    left = len(data) - offset
    need(left >= c.FRAME_HEADER_BYTES, 12, "no room for a frame header at %d" % offset)
    fields = struct.unpack_from("<2sBBIIHBB6sH6sHQQ", data, offset)
    magic, kind, units, ordinal, salt, name_bytes, format_, coding, stored, ext_bytes, raw, zero_30, stored_hash, check = fields
    need(magic == c.FRAME_MAGIC, 13, "frame magic at %d" % offset)
    need(units * c.UNIT >= c.FRAME_HEADER_BYTES and units * c.UNIT <= left, 12, "frame header at %d does not fit" % offset)
    header = data[offset:offset + units * c.UNIT]
    unsigned = header[:c.FRAME_CHECK_OFFSET] + bytes(8) + header[c.FRAME_HEADER_BYTES:]
    need(low64(seeded(unsigned, uuid)) == check, 13, "check of the frame at %d" % offset)
    used = c.FRAME_HEADER_BYTES + name_bytes + ext_bytes
    need(units == round_up(used, c.UNIT) // c.UNIT, 15, "header_units of the frame at %d" % offset)
    stored, raw = int.from_bytes(stored, "little"), int.from_bytes(raw, "little")
    need(round_up(stored, c.UNIT) <= left - units * c.UNIT, 12, "frame at %d of %d bytes, %d are left" % (offset, stored, left))
    need(stored < c.STORED_LIMIT and raw < c.STORED_LIMIT, 17, "sizes of the frame at %d" % offset)
    need(zero_30 == 0, 19, "bytes 30 and 31 of the frame at %d" % offset)
    variable = header[c.FRAME_HEADER_BYTES:]
    return FrameView(offset, kind, units, ordinal, salt, format_, coding, stored, raw, stored_hash, variable[:name_bytes],
                     variable[name_bytes:name_bytes + ext_bytes], variable[name_bytes + ext_bytes:], name_bytes,
                     ext_bytes)


@dataclass
class Commit:
    offset: int
    seq: int
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
    time_ns: int
    salt: int
    flags: int
    chain: bytes
    frames: list = field(default_factory=list)

    @property
    def end(self):
        return self.offset + c.PAGE_BYTES


def read_commit(data, offset, head):
    """Rules 24 to 26."""
    frame = read_frame(data, offset, head.uuid)
    need(frame.type == T.COMMIT and offset % c.PAGE_BYTES == 0 and frame.total_bytes == c.PAGE_BYTES, 24,
         "no commit page at %d" % offset)
    page = data[offset:offset + c.PAGE_BYTES]
    values = struct.unpack_from("<8sHHI16sQQQ16sQQQQ16sQQQ64sQIIH", page, 48)
    (magic, major, minor, zero_60, uuid, seq, self_offset, prev_offset, prev_chain, ordinals, listed, root_offset, root_bytes,
     root_hash,
     compat, ro_compat, incompat, params, time_ns, salt, flags, message_bytes) = values
    need(magic == c.COMMIT_MAGIC == page[4088:], 24, "commit magic at %d" % offset)
    need(struct.unpack_from("<Q", page, 4080)[0] == seq and self_offset == offset, 24, "seq or self_offset at %d" % offset)
    need(zero_60 == 0 and flags & ~c.FLAG_SEALED == 0 and message_bytes <= c.MESSAGE_MAX, 24, "Z bytes at %d" % offset)
    need(zero(page[274 + message_bytes:4064]) and is_text(page[274:274 + message_bytes]), 24, "message at %d" % offset)
    need(hash128(page[48:4064]) == page[4064:4080], 25, "chain at %d" % offset)
    need((major, minor, uuid, params) == (c.VERSION_MAJOR, c.VERSION_MINOR, head.uuid, head.params), 26,
         "identity at %d" % offset)
    return Commit(offset, seq, prev_offset, prev_chain, ordinals, listed, root_offset, root_bytes, root_hash, compat, ro_compat,
                  incompat, time_ns, salt, flags, page[4064:4080])


def follows(commit, last):
    if last is None:
        return (commit.seq, commit.prev_offset, commit.prev_chain) == (0, 0, bytes(16))
    return (commit.seq, commit.prev_offset, commit.prev_chain) == (last.seq + 1, last.offset, last.chain)


def find_commit(data, head, report):
    """SPEC.md section 4.3, steps 2 and 3. Returns the current commit, or None for an empty archive."""
    hints = []
    for page in (0, 1):
        with report.scope():
            hints.append(read_hint(data, page, head.uuid))
    hint = max((hint for hint in hints if hint), key=lambda hint: hint.seq, default=None)
    current = None
    if hint:
        if hint.end > len(data):
            report.status = "truncated"
            raise Broken(9, "hint %d ends at %d, the file at %d" % (hint.seq % 2, hint.end, len(data)))
        report.status = "corrupt"
        current = read_commit(data, hint.offset, head)
        need((current.seq, current.salt) == (hint.seq, hint.salt), 9, "hint names another commit")
        report.status = "ok"
    at, salt = current.end if current else c.HEAD_BYTES, None
    try:
        while at < len(data):
            frame = read_frame(data, at, head.uuid)
            need(salt in (None, frame.salt), 20, "salt")
            at, salt = frame.end, frame.salt
            if frame.type == T.COMMIT:
                commit = read_commit(data, frame.offset, head)
                need(commit.salt == frame.salt, 20, "salt of the page")
                need(follows(commit, current), 28, "does not follow")
                current, salt = commit, None
    except Broken:
        pass
    return current


def check_hints(data, head, commits, last, report):
    for page in (0, 1):
        with report.scope():
            hint = read_hint(data, page, head.uuid)
            need(not hint or not (last and last.compat & c.Compat.NO_HINTS), 10, "hint %d with NO_HINTS" % page)
            named = {(commit.seq, commit.offset, commit.salt) for commit in commits}
            need(not hint or (hint.seq, hint.offset, hint.salt) in named, 9, "hint %d names no commit of the chain" % page)


def check_extensions(frame):
    at, kinds = 0, set()
    while at < len(frame.ext):
        need(len(frame.ext) - at >= 4, 22, "extensions do not fill ext")
        kind, size = struct.unpack_from("<HH", frame.ext, at)
        at += 4 + size
        need(at <= len(frame.ext), 22, "extensions do not fill ext")
        need(kind not in kinds and kind < c.EXT_CRITICAL, 22, "extension kind %#x" % kind)
        kinds.add(kind)


def check_frame(data, frame, head, skip_unknown, report):
    """Rules 14, 16, 18, 19 and 21 to 23."""
    where = "frame at %d" % frame.offset
    payload = frame.payload(data)
    report.check(zero(frame.slack) and zero(data[frame.payload_offset + frame.stored_bytes:frame.end]), 16, where)
    report.check(low64(hash128(payload)) == frame.stored_hash, 18, where)
    if frame.type not in list(T):
        report.check(skip_unknown, 14, where)
        return
    named, image = frame.type in (T.IMAGE, T.ALIAS), frame.type == T.IMAGE
    coded = frame.type in (T.IMAGE, T.DICT, T.CODING)
    unused = [(named, frame.ordinal), (named, frame.name_bytes), (named, frame.ext_bytes), (coded or named, frame.format),
              (coded, frame.coding)]
    report.check(all(used or not value for used, value in unused), 19, where)
    report.check(image or frame.raw_bytes == frame.stored_bytes, 19, where)
    if frame.type == T.ALIAS:
        report.check(frame.stored_bytes == c.ALIAS_PAYLOAD_BYTES, 47, where)
        report.check(zero(payload[4:8]), 19, where)
    alignment = head.alignment if image else c.TABLE_ALIGNMENT if frame.type in c.TABLE_TYPES else c.UNIT
    report.check(frame.payload_offset % alignment == 0, 21, where)
    report.check(frame.type != T.PAD or zero(payload), 23, where)
    with report.scope():
        check_extensions(frame)


def check_commit(commit, last, frames, report):
    """Rules 20, 27 to 33, and 45 on the order of the images."""
    last_offset, last_chain, last_seq = (last.offset, last.chain, last.seq) if last else (0, bytes(16), -1)
    where = "commit at %d" % commit.offset
    report.check(commit.seq == last_seq + 1, 27, where)
    report.check((commit.prev_offset, commit.prev_chain) == (last_offset, last_chain), 28, where)
    report.check(not last or commit.ordinal_count >= last.ordinal_count, 30, where)
    if last:
        kept = all(getattr(last, mask) & ~getattr(commit, mask) == 0 for mask in ("compat", "ro_compat", "incompat"))
        report.check(kept, 32, where + ": a bit was lost")
        report.check(commit.time_ns >= last.time_ns, 33, where)
    report.check(all(frame.salt == commit.salt for frame in commit.frames), 20, where)
    root = frames.get(commit.root_offset)
    in_batch = root and root.type == T.ROOT and last_offset < root.offset < commit.offset
    report.check(in_batch and root.stored_bytes == commit.root_bytes, 31, where)
    ordinals = [frame.ordinal for frame in commit.frames if frame.type in (T.IMAGE, T.ALIAS)]
    first = last.ordinal_count if last else 0
    report.check(ordinals == list(range(first, first + len(ordinals))), 45, where + ": ordinals of its frames")


def check_frames(data, head, end, unknown_bits, report):
    """Walks all frames up to the last commit. Returns frames by offset, and the commits."""
    frames, commits, batch, at = {}, [], [], c.HEAD_BYTES
    while at < end:
        try:
            frame = read_frame(data[:end], at, head.uuid)
        except Broken as broken:
            report.add(broken.rule, broken.text)
            report.add(11, "frames do not tile the file at %d" % at)
            break
        check_frame(data, frame, head, unknown_bits, report)
        frames[at] = frame
        batch.append(frame)
        if frame.type == T.COMMIT:
            with report.scope():
                commit = read_commit(data, at, head)
                commit.frames = batch
                check_commit(commit, commits[-1] if commits else None, frames, report)
                commits.append(commit)
            batch = []
        at = frame.end
    report.check(not batch, 11, "the last frame is not the last commit")
    return frames, commits
