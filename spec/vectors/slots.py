# SPDX-License-Identifier: Apache-2.0
"""Entries, name slots and content slots: SPEC.md sections 6.2 to 6.4."""
from dataclasses import dataclass

import xxhash

import constants as c
from checksum import MASK64, low64, u


def hash40(name, name_seed):
    return (xxhash.xxh3_128_intdigest(name, name_seed) & MASK64) >> (64 - c.NAME_HASH_BITS)


def hash32(entry_hash):
    return low64(entry_hash) >> (64 - c.CONTENT_HASH_BITS)


def lenclass(frame_bytes):
    for code in range(c.LENCLASS_MAX):
        if ((8 + (code & 7)) << (code >> 3)) * c.UNIT >= frame_bytes:
            return code
    return c.LENCLASS_MAX


def slot_count_least(keys):
    return -(-keys * 100 // 95)


def slot_count_most(keys):
    return 2 * keys + 4


@dataclass
class Entry:
    offset: int
    header_units: int
    stored_bytes: int
    format: int
    coding: int
    hash: bytes
    aliased: bool = False
    attachment: bool = False
    other_bits: int = 0

    def encode(self):
        loc = (self.offset // c.UNIT | self.header_units << c.ENTRY_LOC_BITS | c.ENTRY_ALIASED * self.aliased
               | c.ENTRY_ATTACHMENT * self.attachment | self.other_bits)
        return u(loc, 8) + u(self.stored_bytes, 6) + u(self.format, 1) + u(self.coding, 1) + self.hash


@dataclass
class NameSlot:
    hash: int
    ordinal: int
    offset: int
    lenclass: int
    bits = c.NAME_HASH_BITS
    slot_bytes = c.NAME_SLOT_BYTES

    def encode(self):
        loc = self.offset // c.UNIT
        return u(self.hash << 24 | self.lenclass << 16 | loc >> 32, 8) + u(self.ordinal, 4) + u(loc & 0xFFFFFFFF, 4)


@dataclass
class ContentSlot:
    hash: int
    ordinal: int
    bits = c.CONTENT_HASH_BITS
    slot_bytes = c.CONTENT_SLOT_BYTES

    def encode(self):
        return u(self.hash, 4) + u(self.ordinal + 1, 4)


class SlotTable:
    """Slots at their places: `placed` maps an index to a slot."""

    def __init__(self, slots, slot_count=None):
        self.keys = len(slots)
        self.slot_count = slot_count_least(len(slots)) if slot_count is None else slot_count
        self.placed = {}
        self.max_disp = 0
        index = -1
        for slot in sorted(slots, key=lambda slot: (slot.hash, slot.ordinal)):
            home = self.home(slot)
            index = max(home, index + 1)
            self.placed[index] = slot
            self.max_disp = max(self.max_disp, index - home)

    def home(self, slot):
        return slot.hash * self.slot_count >> slot.bits

    @property
    def total(self):
        return self.slot_count + self.max_disp

    def encode(self):
        size = next(iter(self.placed.values())).slot_bytes
        return b"".join(self.placed[index].encode() if index in self.placed else bytes(size) for index in range(self.total))
