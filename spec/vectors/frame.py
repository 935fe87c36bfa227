# SPDX-License-Identifier: Apache-2.0
"""Frames and the commit page: SPEC.md sections 3 and 4. A field that is None is computed when the structure is encoded."""
from dataclasses import dataclass
from typing import Optional

import constants as c
from checksum import hash128, low64, pad_to, round_up, seeded, u


def extension(kind, body, length=None):
    return u(kind, 2) + u(len(body) if length is None else length, 2) + body


@dataclass
class Frame:
    type: int
    payload: bytes = b""
    ordinal: int = 0
    salt: int = 0
    name: bytes = b""
    format: int = 0
    coding: int = 0
    ext: bytes = b""
    raw_bytes: Optional[int] = None
    magic: bytes = c.FRAME_MAGIC
    header_units: Optional[int] = None
    name_bytes: Optional[int] = None
    stored_bytes: Optional[int] = None
    ext_bytes: Optional[int] = None
    zero_30: int = 0
    stored_hash: Optional[int] = None
    check: Optional[int] = None
    header_padding: Optional[bytes] = None
    payload_padding: Optional[bytes] = None
    offset: int = 0  # set when it is placed

    @property
    def units(self):
        if self.header_units is not None:
            return self.header_units
        return round_up(c.FRAME_HEADER_BYTES + len(self.name) + len(self.ext), c.UNIT) // c.UNIT

    @property
    def payload_offset(self):
        return self.offset + self.units * c.UNIT

    @property
    def total_bytes(self):
        return self.units * c.UNIT + round_up(len(self.payload), c.UNIT)

    def _fixed(self):
        stored = len(self.payload) if self.stored_bytes is None else self.stored_bytes
        raw = stored if self.raw_bytes is None else self.raw_bytes
        stored_hash = low64(hash128(self.payload)) if self.stored_hash is None else self.stored_hash
        return (self.magic + u(self.type, 1) + u(self.units, 1) + u(self.ordinal, 4) + u(self.salt, 4)
                + u(len(self.name) if self.name_bytes is None else self.name_bytes, 2) + u(self.format, 1) + u(self.coding, 1)
                + u(stored, 6) + u(len(self.ext) if self.ext_bytes is None else self.ext_bytes, 2) + u(raw, 6)
                + u(self.zero_30, 2) + u(stored_hash, 8))

    def encode_header(self, uuid):
        variable = self.name + self.ext + (self.header_padding or b"")
        header = (self._fixed() + bytes(8) + variable).ljust(self.units * c.UNIT, b"\0")
        check = low64(seeded(header, uuid)) if self.check is None else self.check
        return header[:c.FRAME_CHECK_OFFSET] + u(check, 8) + header[c.FRAME_HEADER_BYTES:]

    def encode(self, uuid):
        return self.encode_header(uuid) + pad_to(self.payload + (self.payload_padding or b""), c.UNIT)


@dataclass
class CommitPage:
    uuid: bytes
    seq: int
    self_offset: int
    salt: int
    params: bytes
    prev_offset: int = 0
    prev_chain: bytes = bytes(16)
    ordinal_count: int = 0
    listed_count: int = 0
    root_offset: int = 0
    root_bytes: int = 0
    root_hash: bytes = bytes(16)
    compat: int = 0
    ro_compat: int = 0
    incompat: int = 0
    time_ns: int = 0
    flags: int = 0
    message: bytes = b""
    magic: bytes = c.COMMIT_MAGIC
    major: int = c.VERSION_MAJOR
    minor: int = c.VERSION_MINOR
    zero_60: int = 0
    message_bytes: Optional[int] = None
    zero_528: bytes = bytes(3536)
    chain: Optional[bytes] = None
    last_seq: Optional[int] = None
    last_magic: bytes = c.COMMIT_MAGIC
    frame: Optional[Frame] = None  # overrides of the frame header; payload, salt and offset are filled in

    def chain_or_computed(self):
        return self.chain if self.chain is not None else hash128(self._chained())

    def _chained(self):
        message_bytes = len(self.message) if self.message_bytes is None else self.message_bytes
        return (self.magic + u(self.major, 2) + u(self.minor, 2) + u(self.zero_60, 4) + self.uuid + u(self.seq, 8)
                + u(self.self_offset, 8) + u(self.prev_offset, 8) + self.prev_chain + u(self.ordinal_count, 8)
                + u(self.listed_count, 8) + u(self.root_offset, 8) + u(self.root_bytes, 8) + self.root_hash + u(self.compat, 8)
                + u(self.ro_compat, 8) + u(self.incompat, 8) + self.params + u(self.time_ns, 8) + u(self.salt, 4)
                + u(self.flags, 4) + u(message_bytes, 2) + self.message.ljust(c.MESSAGE_MAX, b"\0") + self.zero_528)

    def encode(self, uuid):
        last_seq = self.seq if self.last_seq is None else self.last_seq
        frame = self.frame or Frame(c.FrameType.COMMIT, salt=self.salt)
        frame.payload = self._chained() + self.chain_or_computed() + u(last_seq, 8) + self.last_magic
        return frame.encode(uuid)
