# SPDX-License-Identifier: Apache-2.0
"""Header, params and hints: SPEC.md sections 2.1 to 2.3. A field that is None is computed when the structure is encoded."""
from dataclasses import dataclass, field
from typing import Optional

import constants as c
from checksum import hash128, seeded, u


@dataclass
class Params:
    alignment_log2: int = c.ALIGNMENT_LOG2_MIN
    zero_1: bytes = bytes(7)
    name_seed: int = 0x1122334455667788
    zero_16: bytes = bytes(48)

    @property
    def alignment(self):
        return 1 << self.alignment_log2

    def encode(self):
        return u(self.alignment_log2, 1) + self.zero_1 + u(self.name_seed, 8) + self.zero_16


@dataclass
class Header:
    uuid: bytes
    params: Params = field(default_factory=Params)
    magic: bytes = c.HEADER_MAGIC
    major: int = c.VERSION_MAJOR
    minor: int = c.VERSION_MINOR
    header_bytes: int = c.HEADER_BYTES
    compat: int = 0
    ro_compat: int = 0
    incompat: int = 0
    created_ns: int = 0
    writer: bytes = b"spec/vectors"
    writer_bytes: Optional[int] = None
    zero_384: bytes = bytes(3696)
    hash: Optional[bytes] = None

    def encode(self):
        writer_bytes = len(self.writer) if self.writer_bytes is None else self.writer_bytes
        body = (self.magic + u(self.major, 2) + u(self.minor, 2) + u(self.header_bytes, 4) + self.uuid + u(self.compat, 8)
                + u(self.ro_compat, 8) + u(self.incompat, 8) + u(self.created_ns, 8) + self.params.encode() + u(writer_bytes, 2)
                + self.writer.ljust(c.WRITER_MAX, b"\0") + self.zero_384)
        return body + (hash128(body) if self.hash is None else self.hash)


@dataclass
class Hint:
    seq: int
    commit_offset: int
    salt: int
    magic: bytes = c.HINT_MAGIC
    end: Optional[int] = None
    zero_36: bytes = bytes(4044)
    hash: Optional[bytes] = None
    page: Optional[int] = None  # 0: A, 1: B

    def __post_init__(self):
        self.page = self.seq % 2 if self.page is None else self.page

    def encode(self, uuid):
        end = self.commit_offset + c.PAGE_BYTES if self.end is None else self.end
        body = self.magic + u(self.seq, 8) + u(self.commit_offset, 8) + u(end, 8) + u(self.salt, 4) + self.zero_36
        return body + (seeded(body, uuid) if self.hash is None else self.hash)
