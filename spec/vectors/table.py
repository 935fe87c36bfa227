# SPDX-License-Identifier: Apache-2.0
"""Tables: SPEC.md section 6. A field that is None is computed when the structure is encoded.

`edits` of a Table and of Groups change one stage of the encoding; checksums above that stage are of the changed bytes."""
from dataclasses import dataclass, field
from typing import Callable, Dict, List, Optional

import constants as c
import zstd_frame
from checksum import hash128, pad_to, round_up, u


def bitmap(bits):
    data = bytearray(round_up(-(-len(bits) // 8), c.UNIT))
    for index, bit in enumerate(bits):
        data[index // 8] |= bool(bit) << index % 8
    return bytes(data)


@dataclass
class GroupRecord:
    end: int
    values: int
    raw_bytes: int

    def encode(self):
        return u(self.end, 8) + u(self.values, 4) + u(self.raw_bytes, 4)


@dataclass
class Groups:
    """Values of variable width. Edits: "raw" (list of raw forms), "stored" (of stored forms), "records" (of GroupRecord)."""
    values: List[bytes]
    codec: int = c.CODEC_NONE
    close_bytes: int = c.GROUP_CLOSE_BYTES
    edits: Dict[str, Callable] = field(default_factory=dict)

    def _cut(self):
        groups, current, size = [], [], 0
        for value in self.values:
            current.append(value)
            size += 4 + len(value)
            if size >= self.close_bytes:
                groups.append(current)
                current, size = [], 0
        return groups + ([current] if current else [])

    def section(self, kind, column=0):
        groups = self._cut()
        raws = [b"".join(u(len(value), 4) for value in group) + b"".join(group) for group in groups]
        self._edit("raw", raws)
        stored = [zstd_frame.compress(raw) if self.codec == c.CODEC_ZSTD else raw for raw in raws]
        self._edit("stored", stored)
        records, end, values = [], 0, 0
        for group, raw, blob in zip(groups, raws, stored):
            end, values = end + len(blob), values + len(group)
            records.append(GroupRecord(end, values, len(raw)))
        raw_bytes = sum(record.raw_bytes for record in records)
        self._edit("records", records)
        data = b"".join(stored) + b"".join(record.encode() for record in records)
        return Section(kind, data, len(self.values), column=column, codec=self.codec, raw_bytes=raw_bytes, extra=len(groups))

    def _edit(self, stage, subject):
        if stage in self.edits:
            self.edits[stage](subject)


@dataclass
class Section:
    kind: int
    data: bytes
    count: int
    element_bytes: int = 0
    column: int = 0
    codec: int = c.CODEC_NONE
    raw_bytes: Optional[int] = None
    extra: int = 0
    offset: Optional[int] = None
    bytes: Optional[int] = None

    def encode_descriptor(self):
        size = len(self.data) if self.bytes is None else self.bytes
        return (u(self.kind, 1) + u(self.codec, 1) + u(self.element_bytes, 2) + u(self.column, 4) + u(self.offset, 8) + u(size, 8)
                + u(self.count, 8) + u(size if self.raw_bytes is None else self.raw_bytes, 8) + u(self.extra, 8))


@dataclass
class Footer:
    type: int
    section_count: int
    column: int
    first: int
    count: int
    data_bytes: int
    list_hash: bytes
    magic: bytes = c.FOOTER_MAGIC
    zero_9: int = 0
    zero_48: bytes = bytes(16)

    def encode(self):
        return (self.magic + u(self.type, 1) + u(self.zero_9, 1) + u(self.section_count, 2) + u(self.column, 4) + u(self.first, 4)
                + u(self.count, 4) + u(self.data_bytes, 8) + self.list_hash + self.zero_48)


@dataclass
class Table:
    """Edits: "data" (bytearray, before it is hashed), "flip" (the same, after), "hash_list" (bytearray), "descriptors"
    (sections with offsets), "footer" (Footer)."""
    type: int
    sections: List[Section]
    column: int = 0
    first: int = 0
    count: int = 0
    edits: Dict[str, Callable] = field(default_factory=dict)

    def encode(self):
        """Payload of the frame."""
        data = bytearray()
        for section in self.sections:
            section.offset = len(data)
            data += pad_to(section.data, c.TABLE_ALIGNMENT)
        self._edit("data", data)
        blocks = [data[at:at + c.BLOCK_BYTES] for at in range(0, len(data), c.BLOCK_BYTES)]
        hash_list = bytearray(b"".join(hash128(block) for block in blocks))
        self._edit("hash_list", hash_list)
        footer = Footer(self.type, len(self.sections), self.column, self.first, self.count, len(data), hash128(hash_list))
        self._edit("flip", data)
        self._edit("descriptors", self.sections)
        self._edit("footer", footer)
        return bytes(data + hash_list) + b"".join(section.encode_descriptor() for section in self.sections) + footer.encode()

    def tail(self, payload):
        return payload[-(c.FOOTER_BYTES + c.DESCRIPTOR_BYTES * len(self.sections)):]

    def section(self, kind, column=0):
        return next(section for section in self.sections if section.kind == kind and section.column == column)

    def _edit(self, stage, subject):
        if stage in self.edits:
            self.edits[stage](subject)
