# SPDX-License-Identifier: Apache-2.0
"""What a commit names, sections 5 to 10 of SPEC.md: ROOT, tables, columns, names, metadata."""
import itertools
import struct
from typing import NamedTuple

import xxhash
import zstandard

from aimg_reader.container import (
    BLOCK, COLUMN, CONTENT, HEAD, MASK, NAMES, RUN, TABLES, VALUES, Fault, is_utf8, must, text_of, u48, unzstd, up, xxh)

ENTRIES, NAME_TEXT, FIXED, GROUPS, VALIDITY, DEAD, ATTACHED, RANK, NAME_SLOTS, CONTENT_SLOTS = range(1, 11)  # sections (6.1)
EXACTLY_ONE = {RUN: {ENTRIES, NAME_TEXT}, COLUMN: set(), MASK: {RANK}, NAMES: {NAME_SLOTS}, CONTENT: {CONTENT_SLOTS},
               VALUES: {GROUPS}}
ALSO = {RUN: {FIXED, GROUPS, VALIDITY}, COLUMN: {FIXED, GROUPS, VALIDITY}, MASK: {DEAD, ATTACHED}}
BY_COLUMN, IN_GROUPS, BITMAPS = {FIXED, GROUPS, VALIDITY}, {NAME_TEXT, GROUPS}, {VALIDITY, DEAD, ATTACHED}
ELEMENT = {ENTRIES: 32, RANK: 4, NAME_SLOTS: 16, CONTENT_SLOTS: 8}  # bytes; FIXED: what the column asks for; others: 0
BOOL, U16, U32, U64, UTF8, BYTES, DICTIONARY, IMAGES = 1, 3, 4, 5, 13, 14, 15, 16  # types of columns (8)
CODES = {**dict(enumerate("BBHIQbhiqefd", 1)), DICTIONARY: "I", IMAGES: "I"}  # as struct has them
RESERVED = "id name ordinal position format bytes xxh128 data".split()
BEGINNINGS = {1: [b"\xff\xd8\xff"], 2: [b"\x89PNG"], 3: [b"GIF87a", b"GIF89a"], 4: [b"RIFF"], 5: [b"BM"],
              6: [b"II\x2a\0", b"II\x2b\0", b"MM\0\x2a", b"MM\0\x2b"], 7: [b"P%d" % digit for digit in range(1, 8)],
              10: [b"\xff\x0a", b"\0\0\0\x0cJXL "], 11: [b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51"], 12: [b"\0\0\1\0", b"\0\0\2\0"],
              13: [b"qoif"], 14: [b"8BPS"], 15: [b"\x76\x2f\x31\x01"], 16: [b"#?RADIANCE", b"#?RGBE"]}
BRANDS = {8: (b"avif", b"avis"), 9: (b"hei", b"hev", b"mif1", b"msf1", b"avci", b"avcs")}  # behind ftyp
EMPTY_ZSTD = b"\x28\xb5\x2f\xfd\x20\0\1\0\0"  # a frame of no bytes
ALIASED, ATTACHMENT = 1 << 56, 1 << 57  # in loc of an entry (6.3)


# ------------------------------------------------------------------ ROOT (5)

class Part(NamedTuple):
    type: int
    zero: int
    section_count: int
    column: int
    first: int
    count: int
    offset: int
    bytes: int
    tail_hash: bytes
    dead: int
    attached: int
    zeros: bytes

    end = property(lambda self: self.first + self.count)
    payload = property(lambda self: self.offset + 48)


class Column(NamedTuple):
    id: int
    type: int
    flags: int
    name_bytes: int
    width: int
    dictionary_count: int
    name: str

    is_list = property(lambda self: bool(self.flags & 1))
    in_groups = property(lambda self: self.is_list or self.type in (UTF8, BYTES))
    bytes = property(lambda self: struct.calcsize(CODES[self.type]) * self.width)  # of one element

    def is_possible(self):
        kind, limit = self.type, (1 if self.type <= 12 else 0)
        return (self.id and 1 <= kind <= IMAGES and self.flags <= limit and self.width >= 1 and
                (kind <= 12 or self.width == 1) and (kind == DICTIONARY or not self.dictionary_count) and
                (kind not in CODES or self.bytes <= 65535))

    def widths(self):
        """What element_bytes of its VALUES sections may be."""
        narrow = self.width == 1 and self.type in (U16, U32, U64, DICTIONARY)
        return [self.bytes] + [width for width in (1, 2, 4) if narrow and width < self.bytes]


class Coding(NamedTuple):
    coding: int
    codec: int
    zeros: bytes
    offset: int
    bytes: int
    hash: bytes


class Root:
    """ROOT as far as its records are well-formed: what breaks a rule is left out. `opened`: its counts can be."""

    def __init__(self, payload, offset, commit, need):
        self.offset, self.parts, self.columns, self.codings, self.end = offset, [], [], [], len(payload)
        magic, parts, columns, codings = struct.unpack_from("<8sIII", payload)
        self.ordinal_count, self.listed_count, self.dead_count, self.live_bytes = struct.unpack_from("<4Q", payload, 24)
        self.meta_offset, self.meta_bytes, self.meta_hash = struct.unpack_from("<QQ16s", payload, 56)
        self.opened = need(magic == b"AIMGROOT" and not any(payload[20:24] + payload[88:96]) and parts <= 65536 and
                           columns <= 1024 and codings <= 254 and self.ordinal_count <= (1 << 32) - 2, 37, offset,
                           "magic, a count or Z bytes of ROOT: %d parts, %d columns, %d codings" % (parts, columns, codings))
        if not self.opened:
            return
        if need(self.meta_bytes <= 1 << 24 if self.meta_offset else not self.meta_bytes and not any(self.meta_hash), 69, offset,
                "META has %d bytes, or a size and hash without an offset" % self.meta_bytes):
            need(self.dead_count + self.listed_count <= self.ordinal_count, 65, offset,
                 "more dead and listed images than ordinals")
        need((self.ordinal_count, self.listed_count) == (commit.ordinal_count, commit.listed_count), 30, commit.offset,
             "counts of a commit are not those of its ROOT")
        self.opened = need(64 * parts + 16 * columns + 40 * codings <= len(payload) - 96, 37, offset, "ROOT is too short")
        if not self.opened:
            return
        self.limit = commit.offset + 4096
        need(not self.meta_offset or HEAD <= self.meta_offset <= self.limit - 48 - self.meta_bytes, 69, offset,
             "META of %d bytes at %d lies outside the archive" % (self.meta_bytes, self.meta_offset))
        at = 96 + 64 * parts
        self.take_parts([Part(*fields) for fields in struct.iter_unpack("<BBHIIIQQ16sII8s", payload[96:at])], need)
        at = self.take_columns(columns, payload, at, need)
        if at and (need(len(payload) - at == 40 * codings, 37, offset, "the records do not fill ROOT exactly") or
                   len(payload) - at > 40 * codings):
            records = struct.iter_unpack("<BB6sQQ16s", payload[at:at + 40 * codings])
            self.take_codings([Coding(*fields) for fields in records], need)

    def of(self, kind):
        return [part for part in self.parts if part.type == kind]

    def take_parts(self, parts, need):
        room = self.offset - HEAD
        key = lambda part: (part.type, part.column, part.first, part.offset)
        for part in parts:
            kind = part.type
            if not need(kind in TABLES and part.count >= 1 and not part.zero and not any(part.zeros) and
                        part.section_count <= 4096 and part.end < 1 << 32 and (kind == VALUES) == (part.column > 0) and
                        (kind not in (NAMES, CONTENT) or not part.first) and
                        (kind == MASK or not part.dead and not part.attached), 37, self.offset, "a part: %r" % (part,)):
                continue
            need(part.dead + part.attached <= part.count, 62, self.offset, "a MASK of more bits than rows")
            fits = (part.offset >= HEAD and part.offset % 8 == 0 and part.payload % 64 == 0 and part.payload + part.bytes <=
                    self.offset and part.bytes >= 64 + 48 * part.section_count)
            if (need(fits, 41, self.offset, "a part names no table before ROOT: %r" % (part,)) and
                    need(not self.parts or key(part) > key(self.parts[-1]), 37, self.offset, "order of the parts") and
                    need(part.bytes <= room, 41, self.offset, "parts that lie over each other")):
                self.parts.append(part)
                room -= part.bytes
        need(len(self.of(RUN)) <= 8192 and len(self.of(NAMES)) <= 64 and len(self.of(CONTENT)) <= 64, 37, self.offset,
             "too many parts")

    def take_columns(self, count, payload, at, need):
        """Where the codings begin."""
        last, names = 0, set()
        for _ in range(count):
            if not need(len(payload) - at >= 16, 37, self.offset, "ROOT ends within a column"):
                return None
            fields = struct.unpack_from("<IBBHII", payload, at)
            name, pad = payload[at + 16:at + 16 + fields[3]], payload[at + 16 + fields[3]:at + up(16 + fields[3], 8)]
            at += up(16 + fields[3], 8)
            if not need(at <= len(payload), 37, self.offset, "ROOT ends within the name of a column"):
                return None
            column = Column(*fields, text_of(name))
            if (need(name and len(name) <= 255 and column.name is not None and column.name not in RESERVED, 60, self.offset,
                     "name of column %d" % column.id) and
                    need(not any(pad), 37, self.offset, "Z bytes of column %d" % column.id) and
                    need(column.is_possible(), 60, self.offset, "id, type, flags, width or dictionary_count: %r" % (column,)) and
                    need(column.id > last and name not in names, 60, self.offset, "order of ids, or a name twice")):
                self.columns.append(column)
                names.add(name)
                last = column.id
        return at

    def take_codings(self, codings, need):
        last = 0
        for coding in codings:
            if (need(coding.coding >= 2 and not any(coding.zeros), 37, self.offset, "number or Z bytes of a coding") and
                    need(1 <= coding.bytes <= 1 << 20 and coding.offset >= HEAD and coding.offset % 8 == 0 and
                         coding.offset + 48 + coding.bytes <= self.limit and coding.coding > last, 51, self.offset,
                         "order, place or size of a coding: %r" % (coding,))):
                self.codings.append(coding)
            last = coding.coding

    def check_cover(self, need):
        """RUN parts cover the ordinals, others fit them (36); VALUES parts cover the codes (68)."""
        end, masked = 0, None
        for part in self.of(RUN):
            need(part.first == end, 36, self.offset, "a RUN begins at image %d, not %d" % (part.first, end))
            end = part.end
        need(end == self.ordinal_count, 36, self.offset, "RUN parts end at image %d of %d" % (end, self.ordinal_count))
        runs = {(part.first, part.count) for part in self.of(RUN)}
        for part in self.of(COLUMN) + self.of(MASK):
            need((part.first, part.count) in runs, 36, part.offset, "a part that fits no RUN")
            need(part.type == COLUMN or part.first != masked, 36, part.offset, "two MASKs of a RUN")
            masked = part.first if part.type == MASK else masked
        ends = {column.id: 0 for column in self.columns if column.type == DICTIONARY}
        for part in self.of(VALUES):
            need(ends.get(part.column) == part.first, 68, part.offset, "VALUES of column %d from %d" % (part.column, part.first))
            ends[part.column] = part.end
        for column in self.columns:
            need(column.type != DICTIONARY or ends[column.id] == column.dictionary_count, 68, self.offset,
                 "VALUES of column %d end at %d of %d" % (column.id, ends.get(column.id, 0), column.dictionary_count))


def read_root(file, commit, need=must):
    """ROOT of a commit (rules 30, 31, 37 and those of its records), or None."""
    at, size = commit.root_offset, commit.root_bytes
    if not need(at >= HEAD and at % 8 == 0 and at + 48 + size <= commit.offset and size >= 96, 31, commit.offset,
                "ROOT of %d bytes at %d" % (size, at)):
        return None
    if not need(size <= 96 + 65536 * 64 + 1024 * 272 + 254 * 40, 37, at, "ROOT has %d bytes" % size):
        return None
    payload = file.read(at + 48, size)
    if not need(xxh(payload) == commit.root_hash, 31, at, "root_hash"):
        return None
    root = Root(payload, at, commit, need)
    return root if root.opened else None


# ------------------------------------------------------------------ tables (6)

class Section(NamedTuple):
    kind: int
    codec: int
    element_bytes: int
    column: int
    offset: int
    bytes: int
    count: int
    raw_bytes: int
    extra: int

    end = property(lambda self: self.offset + self.bytes)

    def fault(self, rows):
        """The rule that its own fields break, or 0."""
        groups, slots, bitmap = self.kind in IN_GROUPS, self.kind in (NAME_SLOTS, CONTENT_SLOTS), self.kind in BITMAPS
        width = 0 if groups or bitmap else ELEMENT.get(self.kind, self.element_bytes or -1)
        if self.element_bytes != width or self.codec and not groups or self.extra and not groups and not slots:
            return 38
        count = up(rows, 2048) // 2048 if self.kind == RANK else self.count if slots else rows
        size = self.bytes if groups else up(up(rows, 8) // 8, 8) if bitmap else width * count
        fine = (self.count, self.bytes) == (count, size) and (groups or self.raw_bytes == size)
        fine = fine and (not groups or 1 <= self.extra <= self.count and 16 * self.extra <= self.bytes)
        return 0 if fine and (not slots or self.extra and 0 <= self.count - self.extra <= 4096) else 39


class Table:
    """A part's table; without sections when rules 38, 39 or 41 say that it cannot be read."""

    def __init__(self, file, part, need=must):
        self.file, self.part, self.at, self.sections, self.checked = file, part, part.payload, [], set()
        self.checks = need is must  # a validator checks all blocks at once
        tail = 64 + 48 * part.section_count
        where = part.payload + part.bytes - tail
        data = file.read(where, tail)
        if not need(xxh(data) == part.tail_hash, 41, part.offset, "tail_hash"):
            return
        magic, kind, zero, count, column, first, rows, self.data_bytes, self.list_hash, zeros = struct.unpack(
            "<8sBBHIIIQ16s16s", data[-64:])
        sections = [Section(*fields) for fields in struct.iter_unpack("<BBHIQQQQQ", data[:-64])]
        footer = (kind, count, column, first, rows) == (part.type, part.section_count, part.column, part.first, part.count)
        if not need(magic == b"AIMGTABL" and not zero and not any(zeros) and footer, 38, where, "footer of a table"):
            return
        rule = self.section_fault(sections, part.bytes - tail - 16 * up(self.data_bytes, BLOCK) // BLOCK)
        if need(not rule, rule, where, "sections of a table: %r" % sections[:8]):
            self.sections = sections

    def section_fault(self, sections, data_bytes):
        """The rule that the sections break, or 0 (rules 38, 39)."""
        kinds, seen, end, one = [section.kind for section in sections], set(), 0, EXACTLY_ONE[self.part.type]
        if self.data_bytes != data_bytes:
            return 38
        for section in sections:
            kind, key = section.kind, (section.kind, section.column)
            if (kind not in one | ALSO.get(self.part.type, set()) or section.codec > 1 or
                    (kind in BY_COLUMN) != (section.column > 0) or section.offset != up(end, 64) or section.end > data_bytes):
                return 38
            rule, end = section.fault(self.part.count), section.end
            if rule or key in seen:
                return rule or 38
            seen.add(key)
        return 0 if all(kind in kinds for kind in one) and up(end, 64) == data_bytes else 38

    def find(self, kind, column=0):
        return next((section for section in self.sections if (section.kind, section.column) == (kind, column)), None)

    def check_block(self, block, need=must):
        at = block * BLOCK
        data = self.file.read(self.at + at, min(BLOCK, self.data_bytes - at))
        need(xxh(data) == self.file.read(self.at + self.data_bytes + 16 * block, 16), 40, self.at + at, "hash of a block")
        self.checked.add(block)

    def read(self, offset, count):
        """Bytes of the payload, each block of them checked against its hash when it is first read (rule 40)."""
        for block in range(offset // BLOCK, up(offset + count, BLOCK) // BLOCK if self.checks else 0):
            if block not in self.checked:
                self.check_block(block)
        return self.file.read(self.at + offset, count)

    def elements(self, section, form):
        """The elements of a section, one after the other."""
        size = struct.calcsize(form)
        step = size * (65536 // size)
        for at in range(section.offset, section.end, step):
            yield from struct.iter_unpack(form, self.read(at, min(step, section.end - at)))

    def bits(self, section):
        """A bitmap as a bytes-like of 0 and 1, or zeros when it is absent (6.1)."""
        rows = self.part.count
        if section is None:
            return bytes(rows)
        packed = self.read(section.offset, section.bytes)
        return bytes(packed[row >> 3] >> (row & 7) & 1 for row in range(rows))

    def bits_past_the_end(self, section):
        packed, rows = self.read(section.offset, section.bytes), self.part.count
        return any(packed[row >> 3] >> (row & 7) & 1 for row in range(rows, 8 * section.bytes))

    def groups(self, section):
        """The values of a section in groups, in order (6.1; rule 39). A group is judged as a whole before its first value."""
        records, place = section.end - 16 * section.extra, self.at + section.offset
        begin = values = raw_sum = 0
        for number in range(section.extra):
            end, upto, raw = struct.unpack("<QII", self.read(records + 16 * number, 16))
            last, count = number == section.extra - 1, upto - values
            must(begin < end <= records - section.offset and values < upto <= section.count and 4 * count <= raw <= 1 << 25 and
                 (not last or (section.offset + end, upto) == (records, section.count)), 39, place, "record of group %d" % number)
            data = self.stored_group(section, begin, end - begin, raw)
            lengths = struct.unpack_from("<%dI" % count, data)
            must(4 * count + sum(lengths) == raw, 39, place, "the values do not fill group %d" % number)
            at = 4 * count
            for size in lengths:
                must(size <= 1 << 24, 39, place, "a value of %d bytes in group %d" % (size, number))
                yield data[at:at + size]
                at += size
            begin, values, raw_sum = end, upto, raw_sum + raw
        must(raw_sum == section.raw_bytes, 39, place, "the groups have %d raw bytes, not %d" % (raw_sum, section.raw_bytes))

    def stored_group(self, section, begin, stored, raw):
        at = section.offset + begin
        must(stored == raw or section.codec and stored <= 1 << 26, 39, self.at + at,
             "a group of %d bytes, raw %d" % (stored, raw))
        data = self.read(at, stored)
        return b"".join(unzstd(self.file, self.at + at, stored, raw)) if section.codec else data


# ------------------------------------------------------------------ names and metadata (6.2, 9)

def name_hash(name, seed):
    return xxhash.xxh3_128_intdigest(name, seed) & (1 << 64) - 1


def length_class(size):
    return next((c for c in range(255) if (8 + (c & 7) << (c >> 3)) * 8 >= size), 255)


def read_meta(file, root):
    """key to value (9; rule 69)."""
    if not root.meta_offset:
        return {}
    where = root.meta_offset
    data = file.read(where + 48, root.meta_bytes)
    must(xxh(data) == root.meta_hash, 69, where, "meta_hash")
    must(len(data) >= 8 and not any(data[4:8]), 69, where, "head of META")
    pairs, at, last = {}, 8, b""
    for _ in range(int.from_bytes(data[:4], "little")):
        must(len(data) - at >= 8, 69, where, "META ends within its pairs")
        key_bytes, zero, value_bytes = struct.unpack_from("<HHI", data, at)
        middle, end = at + 8 + key_bytes, at + 8 + key_bytes + value_bytes
        key, value = data[at + 8:middle], data[middle:end]
        must(1 <= key_bytes <= 255 and not zero and end <= len(data) and key > last, 69, where, "a pair of META, or its order")
        must(text_of(key) is not None and is_utf8(value), 69, where, "META is not UTF-8, or a key has control characters")
        pairs[key.decode()], last, at = value.decode(), key, end
    must(at == len(data), 69, where, "META has bytes that belong to no pair")
    return pairs


def value_fits(column, raw, ordinals):
    """Whether a value that is not null can be one of the column (8; rule 61)."""
    if column.type == UTF8:
        return is_utf8(raw)
    if column.type in (DICTIONARY, IMAGES):
        return int.from_bytes(raw, "little") < (ordinals if column.type == IMAGES else column.dictionary_count)
    whole = column.type == BYTES or not column.in_groups or len(raw) % column.bytes == 0
    return whole and (column.type != BOOL or not raw.strip(b"\0\1"))


def agrees(kind, begin):
    """Whether bytes may be of a format (REGISTRY; rule 52)."""
    if kind in BRANDS:
        return begin[4:8] == b"ftyp" and begin[8:12].startswith(BRANDS[kind])
    return kind not in BEGINNINGS or begin.startswith(tuple(BEGINNINGS[kind])) and (kind != 4 or begin[8:12] == b"WEBP")


# ------------------------------------------------------------------ the index

class Image:
    """An entry (6.3), with what stands about it in the tables of its run."""

    def __init__(self, ordinal, at, entry, name=b"", dead=False, masked=False):
        loc, stored, self.format, self.coding, self.hash = entry
        self.offset, self.units, self.flags = (loc & (1 << 48) - 1) * 8, loc >> 48 & 255, loc >> 56
        self.stored_bytes, self.aliased, self.is_attachment = u48(stored), bool(loc & ALIASED), bool(loc & ATTACHMENT)
        self.ordinal, self.at, self.name, self.dead, self.masked = ordinal, at, name, bool(dead), bool(masked)

    listed = property(lambda self: not self.dead and not self.masked)


class Index:
    """What readers and validators do with the tables of a commit."""

    def __init__(self, file):
        self.file, self.root, self.tables, self.dictionaries = file, None, [], {}

    def open_tables(self, need):
        """(rules 36, 38, 39, 41, 60, 68, 62 as far as ROOT and the tails of tables tell)"""
        self.root.check_cover(need)
        for part in self.root.parts:
            table = Table(self.file, part, need)
            self.tables.append(table)
            need(table.sections or part.type != VALUES, 68, part.offset,
                 "a dictionary has no values from code %d on" % part.first)
            for section in table.sections:
                need(section.kind not in BY_COLUMN or self.fits(table, section), 60, part.offset,
                     "a section that fits no column: %r" % (section,))

    def fits(self, table, section):
        """Whether a section is one that its column has (rule 60)."""
        column = next((column for column in self.root.columns if column.id == section.column), None)
        if column is None or table.part.type == VALUES:
            return column is not None and column.type == DICTIONARY and section.column == table.part.column
        kind = GROUPS if column.in_groups else FIXED
        if section.kind == VALIDITY:
            return table.find(kind, column.id) is not None
        return section.kind == kind and (kind == GROUPS or section.element_bytes in column.widths())

    def of(self, kind):
        return [table for table in self.tables if table.part.type == kind and table.sections]

    def entries(self, run):
        """(ordinal, offset of the entry, its fields)"""
        section = run.find(ENTRIES)
        for row, fields in enumerate(run.elements(section, "<Q6sBB16s")):
            yield run.part.first + row, run.at + section.offset + 32 * row, fields

    def dictionary(self, number):
        """What a coding from 2 on decodes with (7; rule 51)."""
        if number not in self.dictionaries:
            self.dictionaries[number] = None
            coding = next((coding for coding in self.root.codings if coding.coding == number), None)
            must(coding and coding.codec == 1, 51, self.root.offset, "coding %d is not defined, or its codec not known" % number)
            data = self.file.read(coding.offset + 48, coding.bytes)
            must(xxh(data) == coding.hash, 51, coding.offset, "hash of the DICT of coding %d" % number)
            try:
                dictionary = zstandard.ZstdCompressionDict(data)
                zstandard.ZstdDecompressor(dict_data=dictionary).decompress(EMPTY_ZSTD)
                self.dictionaries[number] = dictionary
            except zstandard.ZstdError as error:
                raise Fault(51, coding.offset, "the DICT of coding %d: %s" % (number, error)) from None
        must(self.dictionaries[number], 51, self.root.offset, "coding %d has no dictionary that can be used" % number)
        return self.dictionaries[number]

    def decoded(self, frame, image=None):
        """The original bytes of an IMAGE frame in pieces, not compared with a hash."""
        if not frame.coding:
            return self.file.pieces(frame.payload, frame.stored_bytes)
        dictionary = self.dictionary(frame.coding) if frame.coding > 1 else None
        return unzstd(self.file, frame.payload, frame.stored_bytes, frame.raw_bytes, dictionary, image, frame.offset)

    def column_in(self, table, column):
        """(its bytes as they are stored, whether it has a value) for each row; None when the table has nothing of the column."""
        section = table.find(GROUPS if column.in_groups else FIXED, column.id)
        if not section or not self.fits(table, section):
            return None
        validity = table.find(VALIDITY, column.id)
        values = table.groups(section) if column.in_groups else (
            raw for raw, in table.elements(section, "%ds" % section.element_bytes))
        return zip(values, table.bits(validity) if validity else itertools.repeat(1))
