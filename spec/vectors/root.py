# SPDX-License-Identifier: Apache-2.0
"""ROOT and what stands beside it: SPEC.md sections 5, 7 and 9. A field that is None is computed when the structure is encoded."""
from dataclasses import dataclass, field
from typing import List, Optional, Tuple

import constants as c
from checksum import pad_to, u


@dataclass
class Part:
    type: int
    section_count: int
    offset: int
    bytes: int
    tail_hash: bytes
    column: int = 0
    first: int = 0
    count: int = 0
    dead: int = 0
    attached: int = 0
    zero_1: int = 0
    zero_56: bytes = bytes(8)

    def order(self):
        return self.type, self.column, self.first, self.offset

    def encode(self):
        return (u(self.type, 1) + u(self.zero_1, 1) + u(self.section_count, 2) + u(self.column, 4) + u(self.first, 4)
                + u(self.count, 4) + u(self.offset, 8) + u(self.bytes, 8) + self.tail_hash + u(self.dead, 4) + u(self.attached, 4)
                + self.zero_56)


@dataclass
class Column:
    id: int
    name: bytes
    type: int
    is_list: bool = False
    width: int = 1
    dictionary: List[bytes] = field(default_factory=list)
    flags: Optional[int] = None
    name_bytes: Optional[int] = None
    dictionary_count: Optional[int] = None
    name_padding: bytes = b""

    def encode(self):
        flags = c.COLUMN_FLAG_LIST * self.is_list if self.flags is None else self.flags
        dictionary_count = len(self.dictionary) if self.dictionary_count is None else self.dictionary_count
        name_bytes = len(self.name) if self.name_bytes is None else self.name_bytes
        return (u(self.id, 4) + u(self.type, 1) + u(flags, 1) + u(name_bytes, 2)
                + u(self.width, 4) + u(dictionary_count, 4) + pad_to(self.name + self.name_padding, c.UNIT))


@dataclass
class Coding:
    coding: int
    offset: int
    bytes: int
    hash: bytes
    codec: int = c.CODEC_ZSTD_DICT
    zero_2: bytes = bytes(6)

    def encode(self):
        return u(self.coding, 1) + u(self.codec, 1) + self.zero_2 + u(self.offset, 8) + u(self.bytes, 8) + self.hash


@dataclass
class Root:
    parts: List[Part]
    columns: List[Column]
    codings: List[Coding]
    ordinal_count: int
    listed_count: int
    dead_count: int
    live_stored_bytes: int
    meta_offset: int = 0
    meta_bytes: int = 0
    meta_hash: bytes = bytes(16)
    magic: bytes = c.ROOT_MAGIC
    part_count: Optional[int] = None
    column_count: Optional[int] = None
    coding_count: Optional[int] = None
    zero_20: int = 0
    zero_88: bytes = bytes(8)
    tail: bytes = b""

    def encode(self):
        counts = [(self.part_count, self.parts), (self.column_count, self.columns), (self.coding_count, self.codings)]
        fixed = (self.magic + b"".join(u(len(items) if count is None else count, 4) for count, items in counts)
                 + u(self.zero_20, 4)
                 + u(self.ordinal_count, 8) + u(self.listed_count, 8) + u(self.dead_count, 8) + u(self.live_stored_bytes, 8)
                 + u(self.meta_offset, 8) + u(self.meta_bytes, 8) + self.meta_hash + self.zero_88)
        records = [*self.parts, *self.columns, *self.codings]
        return fixed + b"".join(record.encode() for record in records) + self.tail


@dataclass
class Meta:
    pairs: List[Tuple[bytes, bytes]]
    count: Optional[int] = None
    zero_4: int = 0
    record_zero: int = 0
    tail: bytes = b""

    def encode(self):
        records = [u(len(key), 2) + u(self.record_zero, 2) + u(len(value), 4) + key + value for key, value in self.pairs]
        return u(len(self.pairs) if self.count is None else self.count, 4) + u(self.zero_4, 4) + b"".join(records) + self.tail
