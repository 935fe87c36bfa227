# SPDX-License-Identifier: Apache-2.0
"""The vectors' own reader: ROOT and tables (SPEC.md sections 5 to 7 and 9)."""
import struct
from dataclasses import dataclass

import zstandard

import constants as c
import zstd_frame
from check_frames import Broken, is_text, need, zero
from checksum import hash128, round_up

T, K = c.FrameType, c.Kind
COLUMN_KINDS = (K.VALUES, K.GROUPS, K.VALIDITY)
ALLOWED = {T.RUN: (K.ENTRIES, K.NAME_TEXT, *COLUMN_KINDS), T.COLUMN: COLUMN_KINDS, T.MASK: (K.DEAD, K.ATTACHED, K.RANK),
           T.NAMES: (K.NAME_SLOTS,), T.CONTENT: (K.CONTENT_SLOTS,), T.VALUES: (K.GROUPS,)}
REQUIRED = {T.RUN: (K.ENTRIES, K.NAME_TEXT), T.COLUMN: (), T.MASK: (K.RANK,), T.NAMES: (K.NAME_SLOTS,),
            T.CONTENT: (K.CONTENT_SLOTS,),
            T.VALUES: (K.GROUPS,)}
FIXED_ELEMENTS = {K.ENTRIES: c.ENTRY_BYTES, K.RANK: 4, K.NAME_SLOTS: c.NAME_SLOT_BYTES, K.CONTENT_SLOTS: c.CONTENT_SLOT_BYTES}


@dataclass
class PartView:
    type: int
    section_count: int
    column: int
    first: int
    count: int
    offset: int
    bytes: int
    tail_hash: bytes
    dead: int
    attached: int

    @property
    def rows(self):
        return self.first, self.count


@dataclass
class ColumnView:
    id: int
    type: int
    flags: int
    width: int
    dictionary_count: int
    name: bytes

    @property
    def is_list(self):
        return bool(self.flags & c.COLUMN_FLAG_LIST)

    @property
    def grouped(self):
        return self.is_list or self.type in (c.Type.UTF8, c.Type.BYTES)

    @property
    def element_bytes(self):
        return struct.calcsize("<" + c.ELEMENT_CODES[self.type]) * self.width


@dataclass
class CodingView:
    coding: int
    codec: int
    offset: int
    bytes: int
    hash: bytes


@dataclass
class RootView:
    ordinal_count: int
    listed_count: int
    dead_count: int
    live_stored_bytes: int
    meta: tuple
    parts: list
    columns: list
    codings: list


class Cursor:
    def __init__(self, data, rule):
        self.data, self.at, self.rule = data, 0, rule

    def take(self, size):
        need(len(self.data) - self.at >= size, self.rule, "the records do not fit")
        self.at += size
        return self.data[self.at - size:self.at]

    def end(self):
        need(self.at == len(self.data), self.rule, "the records do not fill the payload")


def read_root(payload):
    cursor = Cursor(payload, 37)
    fixed = struct.unpack("<8sIIIIQQQQQQ16s8s", cursor.take(c.ROOT_FIXED_BYTES))
    magic, parts, columns, codings, zero_20, ordinals, listed, dead, live, meta_offset, meta_bytes, meta_hash, zero_88 = fixed
    need(magic == c.ROOT_MAGIC and zero_20 == 0 and zero(zero_88), 37, "magic or Z bytes of ROOT")
    need(parts <= c.PART_MAX and columns <= c.COLUMN_MAX and codings <= c.CODING_MAX and ordinals <= c.ORDINAL_COUNT_MAX, 37,
         "counts of ROOT")
    root = RootView(ordinals, listed, dead, live, (meta_offset, meta_bytes, meta_hash), [], [], [])
    for _ in range(parts):
        kind, z1, sections, column, first, count, offset, size, tail, dead, attached, z56 = struct.unpack(
            "<BBHIIIQQ16sII8s", cursor.take(c.PART_BYTES))
        need(kind in c.TABLE_TYPES and z1 == 0 and zero(z56) and count > 0, 37, "part of type %d" % kind)
        root.parts.append(PartView(kind, sections, column, first, count, offset, size, tail, dead, attached))
    for _ in range(columns):
        number, kind, flags, name_bytes, width, values = struct.unpack("<IBBHII", cursor.take(c.COLUMN_FIXED_BYTES))
        name = cursor.take(round_up(name_bytes, c.UNIT))
        need(zero(name[name_bytes:]), 37, "Z bytes of a column")
        root.columns.append(ColumnView(number, kind, flags, width, values, name[:name_bytes]))
    for _ in range(codings):
        coding, codec, z2, offset, size, digest = struct.unpack("<BB6sQQ16s", cursor.take(c.CODING_RECORD_BYTES))
        need(zero(z2), 37, "Z bytes of a coding")
        root.codings.append(CodingView(coding, codec, offset, size, digest))
    cursor.end()
    return root


def check_parts(root):
    """Rules 36, 37 and 68."""
    keys = [(part.type, part.column, part.first, part.offset) for part in root.parts]
    need(keys == sorted(set(keys)), 37, "order of the parts")
    for kind, limit in ((T.RUN, c.RUN_MAX), (T.NAMES, c.SLOT_PART_MAX), (T.CONTENT, c.SLOT_PART_MAX)):
        need(sum(part.type == kind for part in root.parts) <= limit, 37, "number of parts")
    for part in root.parts:
        need(part.type == T.VALUES or part.column == 0, 37, "column of a part")
        need(part.type not in (T.NAMES, T.CONTENT) or part.first == 0, 37, "first of a part")
        need(part.type == T.MASK or part.dead == part.attached == 0, 37, "dead and attached of a part")
    runs = [part.rows for part in root.parts if part.type == T.RUN]
    tile(runs, root.ordinal_count, 36)
    masks = [part.rows for part in root.parts if part.type == T.MASK]
    need(len(masks) == len(set(masks)), 36, "two masks of one run")
    need(all(part.rows in runs for part in root.parts if part.type in (T.COLUMN, T.MASK)), 36, "a part fits no run")
    dictionaries = {column.id: column for column in root.columns if column.type == c.Type.DICTIONARY}
    for part in root.parts:
        need(part.type != T.VALUES or part.column in dictionaries, 68, "VALUES of no dictionary column")
    for column in dictionaries.values():
        tile([part.rows for part in root.parts if part.type == T.VALUES and part.column == column.id], column.dictionary_count,
             68)


def tile(intervals, end, rule):
    at = 0
    for first, count in intervals:
        need(first == at, rule, "gap or overlap at %d" % at)
        at += count
    need(at == end, rule, "parts end at %d, not %d" % (at, end))


def check_columns(root):
    """Rule 60, as far as ROOT goes."""
    names, last = set(), 0
    for column in root.columns:
        need(column.id > last and column.name not in names, 60, "id or name of column %d" % column.id)
        need(column.type in list(c.Type) and column.flags & ~c.COLUMN_FLAG_LIST == 0, 60, "type of column %d" % column.id)
        need(not column.is_list or column.type in c.LIST_TYPES, 60, "LIST of column %d" % column.id)
        wide = column.type not in c.ONE_WIDE_TYPES and column.element_bytes <= c.COLUMN_ELEMENT_MAX
        need(column.width == 1 or (column.width > 1 and wide), 60, "width of column %d" % column.id)
        need(column.type == c.Type.DICTIONARY or column.dictionary_count == 0, 60, "dictionary_count of column %d" % column.id)
        need(1 <= len(column.name) <= c.COLUMN_NAME_MAX and is_text(column.name), 60, "name of column %d" % column.id)
        controls = any(ord(char) < 0x20 or 0x7F <= ord(char) < 0xA0 for char in column.name.decode())
        need(not controls and column.name not in c.RESERVED_COLUMN_NAMES, 60, "name of column %d" % column.id)
        names.add(column.name)
        last = column.id


def read_meta(payload):
    cursor = Cursor(payload, 69)
    need(len(payload) <= c.META_MAX, 69, "size of META")
    count, zero_4 = struct.unpack("<II", cursor.take(8))
    need(zero_4 == 0, 69, "Z bytes of META")
    pairs, last = {}, b""
    for _ in range(count):
        key_bytes, zero_2, value_bytes = struct.unpack("<HHI", cursor.take(8))
        need(1 <= key_bytes <= c.META_KEY_MAX and zero_2 == 0, 69, "record of META")
        key, value = cursor.take(key_bytes), cursor.take(value_bytes)
        need(key > last and is_text(key) and is_text(value), 69, "key or value of META")
        pairs[key.decode()], last = value.decode(), key
    cursor.end()
    return pairs


@dataclass
class SectionView:
    kind: int
    codec: int
    element_bytes: int
    column: int
    offset: int
    bytes: int
    count: int
    raw_bytes: int
    extra: int
    data: bytes = b""


class TableView:
    """Rules 38 to 41 of one table."""

    def __init__(self, archive, part):
        self.part = part
        frame = archive.frames.get(part.offset)
        need(frame and frame.type == part.type and frame.stored_bytes == part.bytes, 41,
             "part of type %d at %d" % (part.type, part.offset))
        self.payload = frame.payload(archive.data)
        tail_bytes = c.FOOTER_BYTES + c.DESCRIPTOR_BYTES * part.section_count
        need(tail_bytes <= len(self.payload), 38, "table at %d is too small" % part.offset)
        self.tail = self.payload[-tail_bytes:]
        need(hash128(self.tail) == part.tail_hash, 41, "tail_hash of the table at %d" % part.offset)
        self.sections = []
        with archive.report.refused():
            self._read_footer()
        self._read_sections()
        self._check_blocks()
        for section in self.sections:
            check_section_size(section)

    def _read_footer(self):
        magic, kind, z9, sections, column, first, count, self.data_bytes, self.list_hash, z48 = struct.unpack(
            "<8sBBHIIIQ16s16s", self.tail[-c.FOOTER_BYTES:])
        need(magic == c.FOOTER_MAGIC and z9 == 0 and zero(z48), 38, "magic or Z bytes of a footer")
        part = self.part
        wanted = (part.type, part.section_count, part.column, part.first, part.count)
        need((kind, sections, column, first, count) == wanted, 38, "footer and part differ")
        need(sections <= c.SECTION_MAX and self.data_bytes % c.TABLE_ALIGNMENT == 0, 38, "section_count or data_bytes")
        blocks = -(-self.data_bytes // c.BLOCK_BYTES)
        need(self.data_bytes + blocks * c.HASH_BYTES + len(self.tail) == len(self.payload), 38, "size of a table")

    def _read_sections(self):
        end = 0
        for index in range(self.part.section_count):
            section = SectionView(*struct.unpack_from("<BBHIQQQQQ", self.tail, index * c.DESCRIPTOR_BYTES))
            need(section.kind in ALLOWED[self.part.type], 38, "section of kind %d" % section.kind)
            need(section.codec == c.CODEC_NONE or (section.codec == c.CODEC_ZSTD and section.kind in c.GROUP_KINDS), 38, "codec")
            need(section.offset % c.TABLE_ALIGNMENT == 0 and section.offset == round_up(end, c.TABLE_ALIGNMENT), 38,
                 "offset of a section")
            end = section.offset + section.bytes
            need(end <= self.data_bytes, 38, "a section ends at %d of %d" % (end, self.data_bytes))
            section.data = self.payload[section.offset:end]
            need(zero(self.payload[end:round_up(end, c.TABLE_ALIGNMENT)]), 38, "gap after a section")
            self.sections.append(section)
        need(round_up(end, c.TABLE_ALIGNMENT) == self.data_bytes, 38, "data_bytes")
        kinds = [(section.kind, section.column) for section in self.sections]
        need(len(kinds) == len(set(kinds)), 38, "a section stands twice")
        for kind in REQUIRED[self.part.type]:
            need(sum(section.kind == kind for section in self.sections) == 1, 38, "no section of kind %d" % kind)
        need(all(section.column == 0 or section.kind in COLUMN_KINDS for section in self.sections), 38, "column of a section")

    def _check_blocks(self):
        hash_list = self.payload[self.data_bytes:-len(self.tail)]
        need(hash128(hash_list) == self.list_hash, 40, "list_hash of the table at %d" % self.part.offset)
        for index, at in enumerate(range(0, self.data_bytes, c.BLOCK_BYTES)):
            block = self.payload[at:min(at + c.BLOCK_BYTES, self.data_bytes)]
            need(hash128(block) == hash_list[index * 16:index * 16 + 16], 40,
                 "block %d of the table at %d" % (index, self.part.offset))

    def get(self, kind, column=0):
        return next((section for section in self.sections if section.kind == kind and section.column == column), None)


def check_section_size(section):
    """Rule 39 without the groups' insides."""
    if section.kind in c.GROUP_KINDS:
        need(section.element_bytes == 0, 38, "element_bytes of groups")
        return
    need(section.raw_bytes == section.bytes, 39, "raw_bytes of a section without groups")
    need(section.extra == 0 or section.kind in (K.NAME_SLOTS, K.CONTENT_SLOTS), 38, "extra of a section")
    if section.kind in c.BITMAP_KINDS:
        need(section.element_bytes == 0 and section.bytes == round_up(-(-section.count // 8), c.UNIT), 39, "size of a bitmap")
        return
    need(section.element_bytes == FIXED_ELEMENTS.get(section.kind, section.element_bytes), 38, "element_bytes")
    need(section.bytes == section.element_bytes * section.count, 39, "size of a section of kind %d" % section.kind)


def read_groups(section):
    """The values of a section with groups; rules 39 and 49."""
    records_bytes = c.GROUP_RECORD_BYTES * section.extra
    need(records_bytes <= section.bytes, 39, "number of groups")
    ends_at = section.bytes - records_bytes
    values, last_end, last_count, raw_sum = [], 0, 0, 0
    for index in range(section.extra):
        end, count, raw_bytes = struct.unpack_from("<QII", section.data, ends_at + index * c.GROUP_RECORD_BYTES)
        need(last_end < end <= ends_at and count > last_count and raw_bytes <= c.GROUP_RAW_MAX, 39, "record of group %d" % index)
        raw = decode_group(section.data[last_end:end], section.codec, raw_bytes)
        values += split_group(raw, count - last_count)
        last_end, last_count, raw_sum = end, count, raw_sum + raw_bytes
    need((last_end, last_count, raw_sum) == (ends_at, section.count, section.raw_bytes), 39, "sums of the groups")
    return values


def decode_group(stored, codec, raw_bytes):
    if codec == c.CODEC_NONE:
        need(len(stored) == raw_bytes, 39, "raw_bytes of a group")
        return stored
    return decode_zstd(stored, raw_bytes)


def split_group(raw, count):
    need(4 * count <= len(raw), 39, "a group is too small for its lengths")
    lengths = struct.unpack_from("<%dI" % count, raw)
    need(4 * count + sum(lengths) == len(raw) and max(lengths) <= c.VALUE_MAX, 39, "lengths of a group")
    values, at = [], 4 * count
    for length in lengths:
        values.append(raw[at:at + length])
        at += length
    return values


def decode_zstd(stored, raw_bytes, dictionary=None):
    """Rule 49."""
    try:
        parameters = zstd_frame.parameters(stored)
        need(parameters.content_size == raw_bytes, 49, "content size of a zstd frame")
        need(parameters.window_size <= c.ZSTD_WINDOW_MAX, 49, "window of a zstd frame")
        raw = zstd_frame.decompress(stored, raw_bytes, dictionary)
    except zstandard.ZstdError as error:
        raise Broken(49, "zstd: %s" % error)
    need(len(raw) == raw_bytes, 49, "decoded size")
    need(frame_length(stored) == len(stored), 49, "bytes after the zstd frame")
    return raw


def frame_length(stored):
    """Bytes of the first zstd frame, from its block headers (RFC 8878)."""
    parameters = zstd_frame.parameters(stored)
    at = zstandard.frame_header_size(stored)
    last = False
    while not last:
        block = int.from_bytes(stored[at:at + 3], "little")
        last, kind, size = block & 1, block >> 1 & 3, block >> 3
        at += 3 + (1 if kind == 1 else size)
    return at + 4 * bool(parameters.has_checksum)
