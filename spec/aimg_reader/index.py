# SPDX-License-Identifier: Apache-2.0
"""What a commit names, sections 5 to 10 of SPEC.md: ROOT, tables, columns, names, metadata; and the archive as a reader has it."""
import itertools
import struct
from typing import NamedTuple

import xxhash
import zstandard

from aimg_reader.container import (
    ALIAS, CODING, COLUMN, CONTENT, DICT, HEAD, IMAGE, KNOWN_INCOMPAT, MASK, META, NAMES, ROOT, RUN, TABLES, VALUES, Fault, File,
    extensions, is_name, last_commit, low64, must, read_frame, read_header, text_of, u48, unzstd, up, xxh)

BLOCK = 4096
ENTRIES, NAME_TEXT, FIXED, GROUPS, VALIDITY, DEAD, ATTACHED, RANK, NAME_SLOTS, CONTENT_SLOTS = range(1, 11)  # sections (6.1)
EXACTLY_ONE = {RUN: {ENTRIES, NAME_TEXT}, COLUMN: set(), MASK: {RANK}, NAMES: {NAME_SLOTS}, CONTENT: {CONTENT_SLOTS},
               VALUES: {GROUPS}}
ALSO = {RUN: {FIXED, GROUPS, VALIDITY}, COLUMN: {FIXED, GROUPS, VALIDITY}, MASK: {DEAD, ATTACHED}}
BY_COLUMN, IN_GROUPS, BITMAPS = {FIXED, GROUPS, VALIDITY}, {NAME_TEXT, GROUPS}, {VALIDITY, DEAD, ATTACHED}
ELEMENT = {ENTRIES: 32, RANK: 4, NAME_SLOTS: 16, CONTENT_SLOTS: 8}  # bytes; FIXED: what the column asks for; others: 0
BOOL, U8, U16, U32, U64, I64, UTF8, BYTES, DICTIONARY, IMAGES = 1, 2, 3, 4, 5, 9, 13, 14, 15, 16  # types of columns (8)
CODES = {**dict(enumerate("BBHIQbhiqefd", 1)), DICTIONARY: "I", IMAGES: "I"}  # as struct has them
RESERVED = "id name ordinal position format bytes xxh128 data".split()
PREDEFINED = {"width": U32, "height": U32, "channels": U8, "bits": U8, "orientation": U8, "mtime_ns": I64, "label": DICTIONARY}
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
    """Counts, parts, columns, codings."""

    def __init__(self, payload, offset, need):
        self.offset, self.parts, self.columns, self.codings = offset, [], [], []
        magic, *counts = struct.unpack_from("<8sIII", payload)
        zeros = payload[20:24] + payload[88:96]
        self.ordinal_count, self.listed_count, self.dead_count, self.live_bytes = struct.unpack_from("<4Q", payload, 24)
        self.meta_offset, self.meta_bytes, self.meta_hash = struct.unpack_from("<QQ16s", payload, 56)
        self.whole = need(magic == b"AIMGROOT" and not any(zeros), 37, offset, "magic or Z bytes of ROOT") and need(
            counts[0] <= 65536 and counts[1] <= 1024 and counts[2] <= 254 and self.ordinal_count <= (1 << 32) - 2, 37, offset,
            "ROOT has %d parts, %d columns, %d codings, %d ordinals" % (*counts, self.ordinal_count))
        if not self.whole:
            return
        at = 96 + 64 * counts[0]
        if need(at <= len(payload), 37, offset, "ROOT has no room for its parts"):
            self.parts = [Part(*fields) for fields in struct.iter_unpack("<BBHIIIQQ16sII8s", payload[96:at])]
        for _ in range(counts[1]):
            if len(payload) - at < 16:
                break
            fields = struct.unpack_from("<IBBHII", payload, at)
            name = payload[at + 16:at + 16 + fields[3]]
            end = at + up(16 + fields[3], 8)
            need(not any(payload[at + 16 + fields[3]:end]), 37, offset, "Z bytes of a column")
            self.columns.append(Column(*fields, text_of(name)))
            at = end
        self.whole = need(len(self.columns) == counts[1] and at + 40 * counts[2] == len(payload), 37, offset,
                          "the records do not fill ROOT exactly")
        if self.whole:
            self.codings = [Coding(*fields) for fields in struct.iter_unpack("<BB6sQQ16s", payload[at:])]
            self.check_parts(need)
            self.check_columns(need)
            numbers = [coding.coding for coding in self.codings]
            need(numbers == sorted(set(numbers)) and all(number >= 2 for number in numbers), 51, offset, "numbers of codings")
            need(not any(any(coding.zeros) for coding in self.codings), 37, offset, "Z bytes of a coding")

    def of(self, kind):
        return [part for part in self.parts if part.type == kind]

    def check_parts(self, need):
        keys = [(part.type, part.column, part.first, part.offset) for part in self.parts]
        need(keys == sorted(set(keys)), 37, self.offset, "order of the parts")
        for part in self.parts:
            kind = part.type
            need(kind in TABLES and part.count >= 1 and not part.zero and not any(part.zeros) and
                 (kind == VALUES or not part.column) and (kind in (RUN, COLUMN, MASK, VALUES) or not part.first) and
                 (kind == MASK or not part.dead and not part.attached), 37, part.offset, "a part: %r" % (part,))
            need(HEAD <= part.offset < self.offset and part.bytes < self.offset, 37, part.offset, "a part is not before ROOT")
        need(sum(part.bytes for part in self.parts) < self.offset, 37, self.offset, "the parts have more bytes than the file")
        need(len(self.of(RUN)) <= 8192 and len(self.of(NAMES)) <= 64 and len(self.of(CONTENT)) <= 64, 37, self.offset,
             "too many parts")
        end, runs, masked = 0, set(), set()
        for part in self.of(RUN):
            need(part.first == end, 36, part.offset, "a RUN begins at image %d, not %d" % (part.first, end))
            end = part.end
            runs.add((part.first, part.count))
        need(end == self.ordinal_count, 36, self.offset, "RUN parts end at image %d of %d" % (end, self.ordinal_count))
        for part in self.of(COLUMN) + self.of(MASK):
            need((part.first, part.count) in runs, 36, part.offset, "a part that fits no RUN")
            need(part.type == COLUMN or part.first not in masked, 36, part.offset, "two MASKs of a RUN")
            masked |= {part.first} if part.type == MASK else set()
            need(part.dead + part.attached <= part.count, 62, part.offset, "a MASK of more bits than rows")
        dead, attached = sum(part.dead for part in self.parts), sum(part.attached for part in self.parts)
        need(self.dead_count == dead and self.listed_count == self.ordinal_count - dead - attached, 65, self.offset,
             "listed_count %d or dead_count %d" % (self.listed_count, self.dead_count))
        self.check_codes(need)

    def check_codes(self, need):
        """VALUES parts cover the codes (68)."""
        ends = {column.id: 0 for column in self.columns if column.type == DICTIONARY}
        for part in self.of(VALUES):
            need(ends.get(part.column) == part.first, 68, part.offset, "VALUES of column %d from %d" % (part.column, part.first))
            ends[part.column] = part.end
        for column in self.columns:
            need(column.type != DICTIONARY or ends[column.id] == column.dictionary_count, 68, self.offset,
                 "VALUES of column %d end at %d of %d" % (column.id, ends.get(column.id, 0), column.dictionary_count))

    def check_columns(self, need):
        ids, names = [column.id for column in self.columns], [column.name for column in self.columns]
        need(ids == sorted(set(ids)) and 0 not in ids, 60, self.offset, "ids of columns")
        need(len(set(names)) == len(names), 60, self.offset, "two columns of one name")
        for column in self.columns:
            kind = column.type
            need(column.name and column.name_bytes <= 255 and column.name not in RESERVED, 60, self.offset, "name of a column")
            need(PREDEFINED.get(column.name, kind) == kind and not (column.name in PREDEFINED and column.in_groups), 60,
                 self.offset, "column %s has type %d" % (column.name, kind))
            known = need(1 <= kind <= IMAGES and column.flags <= (1 if kind <= 12 else 0), 60, self.offset, "type or flags")
            need(column.width >= 1 and (kind <= 12 or column.width == 1) and
                 (not known or kind not in CODES or column.bytes <= 65535), 60, self.offset, "width of a column")
            need(kind == DICTIONARY or not column.dictionary_count, 60, self.offset, "dictionary_count of no dictionary")


def read_root(file, header, commit, need=must):
    """ROOT of a commit (rules 30, 31, 37), or None."""
    before = commit.prev_offset + 4096 if commit.seq else HEAD
    within = before <= commit.root_offset < commit.offset and commit.root_offset % 8 == 0
    if not need(within, 31, commit.offset, "root_offset %d is outside of the batch" % commit.root_offset):
        return None
    try:
        frame = read_frame(file, header, commit.root_offset)
    except Fault as fault:
        need(False, 31, commit.offset, "no ROOT at %d: %s" % (commit.root_offset, fault))
        return None
    if not need(frame.type == ROOT and frame.stored_bytes == commit.root_bytes and frame.end <= commit.offset, 31, commit.offset,
                "the frame at %d is no ROOT of %d bytes" % (commit.root_offset, commit.root_bytes)):
        return None
    if not need(96 <= frame.stored_bytes <= 1 << 23, 37, frame.offset, "ROOT has %d bytes" % frame.stored_bytes):
        return None
    payload = file.read(frame.payload, frame.stored_bytes)
    if not need(xxh(payload) == commit.root_hash, 31, commit.offset, "root_hash"):
        return None
    root = Root(payload, frame.offset, need)
    need((root.ordinal_count, root.listed_count) == (commit.ordinal_count, commit.listed_count), 30, commit.offset,
         "counts of a commit are not those of its ROOT")
    return root


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


class Table:
    """A part's table. Each block is checked against its hash when it is first read (rule 40)."""

    def __init__(self, file, header, part, need=must):
        self.file, self.part, self.sections, self.blocks, self.fine = file, part, [], set(), False
        try:
            frame = read_frame(file, header, part.offset)
        except Fault as fault:
            need(False, 41, part.offset, "a part names no frame: %s" % fault)
            return
        tail = 64 + 48 * part.section_count
        self.at, tail_at = frame.payload, frame.payload + part.bytes - tail
        if not need(frame.type == part.type and frame.stored_bytes == part.bytes and tail <= part.bytes, 41, part.offset,
                    "a part names a frame of another type or size"):
            return
        data = file.read(tail_at, tail)
        if not need(xxh(data) == part.tail_hash, 41, part.offset, "tail_hash"):
            return
        magic, kind, zero, count, column, first, rows, self.data_bytes, self.list_hash, zeros = struct.unpack(
            "<8sBBHIIIQ16s16s", data[-64:])
        self.sections = [Section(*fields) for fields in struct.iter_unpack("<BBHIQQQQQ", data[:-64])]
        self.fine = need(magic == b"AIMGTABL" and not zero and not any(zeros) and count <= 4096 and (
            kind, count, column, first, rows) == (part.type, part.section_count, part.column, part.first, part.count), 38,
            tail_at, "footer of a table")
        blocks = up(self.data_bytes, BLOCK) // BLOCK
        ends = [0] + [up(section.end, 64) for section in self.sections]
        self.fine &= need([section.offset for section in self.sections] == ends[:-1] and ends[-1] == self.data_bytes and
                          self.data_bytes + 16 * blocks + tail == part.bytes, 38, tail_at, "place of a section")
        kinds = [section.kind for section in self.sections]
        one, keys = EXACTLY_ONE[part.type], [(section.kind, section.column) for section in self.sections]
        self.fine &= need(all(kinds.count(kind) == 1 for kind in one) and set(kinds) <= one | ALSO.get(part.type, set()) and
                          len(keys) == len(set(keys)), 38, tail_at, "sections that a table must not have, or lacks")
        for section in self.sections:
            self.fine &= self.check_section(section, tail_at, need)

    def check_section(self, section, tail_at, need):
        kind, rows = section.kind, self.part.count
        groups = kind in IN_GROUPS
        count = {RANK: up(rows, 2048) // 2048, NAME_SLOTS: section.count, CONTENT_SLOTS: section.count}.get(kind, rows)
        size = (section.bytes if groups else up(up(rows, 8) // 8, 8) if kind in BITMAPS else section.element_bytes * count)
        fine = need(section.codec <= groups and (kind in BY_COLUMN or not section.column), 38, tail_at, "codec or column")
        fine &= need((section.count, section.bytes) == (count, size) and (groups or section.raw_bytes == size) and (
            kind == FIXED or section.element_bytes == ELEMENT.get(kind, 0)), 39, tail_at, "size of a section of kind %d" % kind)
        slots = kind in (NAME_SLOTS, CONTENT_SLOTS)
        return fine & need((slots or groups or not section.extra) and (not groups or 16 * section.extra <= section.bytes), 39,
                           tail_at, "extra of a section of kind %d" % kind)

    def find(self, kind, column=0):
        return next((section for section in self.sections if (section.kind, section.column) == (kind, column)), None)

    def read(self, offset, count):
        """Bytes of the payload."""
        first, last = offset // BLOCK, (offset + count - 1) // BLOCK
        missing = [block for block in range(first, last + 1) if block not in self.blocks] if count else []
        for block in missing:
            at = block * BLOCK
            data = self.file.read(self.at + at, min(BLOCK, self.data_bytes - at))
            must(xxh(data) == self.file.read(self.at + self.data_bytes + 16 * block, 16), 40, self.at + at, "hash of a block")
        self.blocks.update(missing)
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
        number = int.from_bytes(packed, "little")
        must(number >> rows == 0, 61 if section.kind == VALIDITY else 62, self.at + section.offset, "bits past the end of a bitmap")
        return bytes(packed[row >> 3] >> (row & 7) & 1 for row in range(rows))

    def groups(self, section):
        """The values of a section in groups, in order (6.1; rule 39)."""
        records, place = section.end - 16 * section.extra, self.at + section.offset
        begin = values = raw_sum = 0
        for number in range(section.extra):
            end, upto, raw = struct.unpack("<QII", self.read(records + 16 * number, 16))
            must(begin < end <= records - section.offset and values < upto <= section.count and raw <= 1 << 25, 39, place,
                 "record of group %d" % number)
            data = self.stored_group(section, begin, end - begin, raw)
            lengths = 4 * (upto - values)
            must(lengths <= raw, 39, place, "group %d has no room for its lengths" % number)
            at = lengths
            for size, in struct.iter_unpack("<I", data[:lengths]):
                must(size <= 1 << 24 and size <= raw - at, 39, place, "a value of %d bytes in group %d" % (size, number))
                yield data[at:at + size]
                at += size
            must(at == raw, 39, place, "the values do not fill group %d" % number)
            begin, values, raw_sum = end, upto, raw_sum + raw
        must((section.offset + begin, values, raw_sum) == (records, section.count, section.raw_bytes), 39, place,
             "groups end at %d, with %d values of %d raw bytes" % (begin, values, raw_sum))

    def stored_group(self, section, begin, stored, raw):
        at = section.offset + begin
        if section.codec:
            self.read(at, stored)
            return b"".join(unzstd(self.file, self.at + at, stored, raw))
        must(stored == raw, 39, self.at + at, "a group of %d bytes, raw %d" % (stored, raw))
        return self.read(at, stored)


# ------------------------------------------------------------------ names and metadata (6.2, 9)

def name_hash(name, seed):
    return xxhash.xxh3_128_intdigest(name, seed) & (1 << 64) - 1


def length_class(size):
    return next((c for c in range(255) if (8 + (c & 7) << (c >> 3)) * 8 >= size), 255)


def read_meta(file, header, root, need=must):
    """key to value (9; rule 69)."""
    where = root.meta_offset
    if not where:
        need(not root.meta_bytes and not any(root.meta_hash), 69, root.offset, "meta_bytes or meta_hash without META")
        return {}
    try:
        frame = read_frame(file, header, where)
        must(frame.type == META and frame.stored_bytes == root.meta_bytes <= 1 << 24 and where < root.offset, 69, where, "no META")
        data = file.read(frame.payload, frame.stored_bytes)
        must(xxh(data) == root.meta_hash, 69, where, "meta_hash")
        must(len(data) >= 8 and not any(data[4:8]), 69, where, "head of META")
        pairs, at, count = {}, 8, int.from_bytes(data[:4], "little")
        for _ in range(count):
            must(len(data) - at >= 8, 69, where, "META has no room for %d pairs" % count)
            key_bytes, zero, value_bytes = struct.unpack_from("<HHI", data, at)
            key, value = data[at + 8:at + 8 + key_bytes], data[at + 8 + key_bytes:at + 8 + key_bytes + value_bytes]
            at += 8 + key_bytes + value_bytes
            must(1 <= key_bytes <= 255 and not zero and at <= len(data), 69, where, "a pair of META")
            must(not pairs or key > last, 69, where, "order of keys in META")
            pairs[key.decode()], last = value.decode(), key
        must(at == len(data), 69, where, "META has bytes that belong to no pair")
        return pairs
    except UnicodeDecodeError:
        need(False, 69, where, "META is not UTF-8")
    except Fault as fault:
        need(False, 69, where, fault.finding.what)
    return {}


# ------------------------------------------------------------------ the archive

class Image:
    """An entry (6.3), with what stands about it in the tables of its run."""

    def __init__(self, ordinal, entry, name, dead, attachment, at):
        loc, stored, self.format, self.coding, self.hash = entry
        self.offset, self.units, self.flags = (loc & (1 << 48) - 1) * 8, loc >> 48 & 255, loc >> 56
        self.stored_bytes, self.aliased, self.is_attachment = u48(stored), bool(loc & ALIASED), bool(loc & ATTACHMENT)
        self.ordinal, self.name, self.dead, self.masked, self.at = ordinal, name, bool(dead), bool(attachment), at

    listed = property(lambda self: not self.dead and not self.masked)


def check_frame(image, frame, need):
    """The frame against the entry."""
    at, ordinal = image.at, image.ordinal
    return (need(frame.type == IMAGE and frame.units == image.units, 42, at, "an entry names another frame", ordinal) and
            need(image.aliased or frame.ordinal == ordinal, 44, at, "the frame is that of image %d" % frame.ordinal, ordinal) and
            need((frame.stored_bytes, frame.format, frame.coding) == (image.stored_bytes, image.format, image.coding), 43, at,
                 "stored_bytes, format or coding are not those of the frame", ordinal))


def check_layout(root, tables, need):
    """What descriptors tell of columns and masks (rules 60, 62)."""
    columns = {column.id: column for column in root.columns}
    for table in tables:
        part = table.part
        for section in table.sections if table.fine else []:
            if section.kind in BY_COLUMN:
                column, known = columns.get(section.column), {key for key in columns if 1 <= columns[key].type <= IMAGES}
                fits = need(section.column in known, 60, table.at, "values of column %d, which is none" % section.column)
                if fits and section.kind == VALIDITY:
                    fits = table.find(FIXED, column.id) or table.find(GROUPS, column.id)
                elif fits and part.type == VALUES:
                    fits = column.id == part.column and column.type == DICTIONARY
                elif fits:
                    fits = (section.kind == GROUPS) == column.in_groups and (
                        section.kind == GROUPS or section.element_bytes in column.widths())
                table.fine &= bool(need(fits, 60, table.at, "a section that does not fit column %d" % section.column))
        if part.type == MASK and table.fine:
            need(table.find(DEAD) or not part.dead, 62, part.offset, "dead is %d without DEAD" % part.dead)
            need(table.find(ATTACHED) or not part.attached, 62, part.offset, "attached is %d without ATTACHED" % part.attached)


class Archive:
    """A file as a reader has it. Raises Fault where rules do not let it open or hand something out."""

    def __init__(self, path):
        self.file = File(path)
        self.header = read_header(self.file)
        self.commit, self.end = last_commit(self.file, self.header)
        self.root, self.tables = None, []
        if self.commit:
            if self.commit.incompat & ~KNOWN_INCOMPAT:
                raise Fault(32, self.commit.offset, "unknown incompat bits: %#x" % self.commit.incompat, status="unsupported")
            self.root = read_root(self.file, self.header, self.commit)
            self.tables = [Table(self.file, self.header, part) for part in self.root.parts]
            check_layout(self.root, self.tables, must)
        self.dictionaries = {}

    columns = property(lambda self: self.root.columns if self.root else [])
    meta = property(lambda self: read_meta(self.file, self.header, self.root) if self.root else {})

    def of(self, kind):
        return [table for table in self.tables if table.part.type == kind and table.fine]

    def of_run(self, run, kind):
        return [table for table in self.of(kind) if table.part.first == run.part.first]

    def mask(self, run):
        """Bits of the dead and of attachments."""
        masks = self.of_run(run, MASK)
        return [masks[0].bits(masks[0].find(kind)) if masks else bytes(run.part.count) for kind in (DEAD, ATTACHED)]

    def images_of(self, run):
        entries = run.elements(run.find(ENTRIES), "<Q6sBB16s")
        at, names = run.at + run.find(ENTRIES).offset, run.groups(run.find(NAME_TEXT))
        for row, (entry, name, dead, attached) in enumerate(itertools.zip_longest(entries, names, *self.mask(run))):
            yield Image(run.part.first + row, entry, name, dead, attached, at + 32 * row)

    def every_image(self):
        """All, also the dead and the attachments, in order of ordinal."""
        for run in self.of(RUN):
            yield from self.images_of(run)

    images = property(lambda self: [image for image in self.every_image() if image.listed])  # by position
    names = property(lambda self: [image.name.decode() for image in self.images])

    def image(self, ordinal):
        run = next(run for run in self.of(RUN) if run.part.first <= ordinal < run.part.end)
        return next(itertools.islice(self.images_of(run), ordinal - run.part.first, None))

    def at_position(self, position):
        return next(itertools.islice((image for image in self.every_image() if image.listed), position, None), None)

    def find(self, name):
        """The image of a name (bytes), looked up in the slots (6.2), or None."""
        hash40 = name_hash(name, self.header.name_seed) >> 24
        for table in self.of(NAMES):
            section = table.find(NAME_SLOTS)
            index = hash40 * section.extra >> 40
            while index < section.count:
                key, ordinal, low = struct.unpack("<QII", table.read(section.offset + 16 * index, 16))
                if key == 0 and ordinal == 0 and low == 0 or key >> 24 > hash40:
                    break
                if key >> 24 == hash40 and ordinal < self.root.ordinal_count:
                    frame = read_frame(self.file, self.header, ((key & 255) << 32 | low) * 8)
                    image = self.image(ordinal) if frame.name == name else None
                    if image and not image.dead and frame.ordinal == ordinal:
                        return image
                index += 1
        return None

    def dictionary(self, number, need=must):
        """What a coding from 2 on decodes with (7; rule 51)."""
        if number not in self.dictionaries:
            self.dictionaries[number] = None
            coding = next((coding for coding in self.root.codings if coding.coding == number), None)
            must(coding, 51, self.root.offset, "coding %d is not defined" % number)
            at = coding.offset
            frame = read_frame(self.file, self.header, at)
            must(1 <= coding.bytes <= 1 << 20 and coding.codec == 1 and at < self.root.offset and
                 (frame.type, frame.stored_bytes, frame.coding, frame.format) == (DICT, coding.bytes, number, 1), 51, at,
                 "no DICT of coding %d" % number)
            data = self.file.read(frame.payload, frame.stored_bytes)
            must(xxh(data) == coding.hash, 51, at, "hash of the DICT of coding %d" % number)
            kind = zstandard.DICT_TYPE_FULLDICT if data[:4] == b"\x37\xa4\x30\xec" else zstandard.DICT_TYPE_RAWCONTENT
            self.dictionaries[number] = zstandard.ZstdCompressionDict(data, dict_type=kind)
        must(self.dictionaries[number], 51, self.root.offset, "coding %d is not defined" % number)
        return self.dictionaries[number]

    def decoded(self, frame, image=None):
        """The original bytes in pieces, not checked."""
        if not frame.coding:
            return self.file.pieces(frame.payload, frame.stored_bytes)
        dictionary = self.dictionary(frame.coding) if frame.coding > 1 else None
        return unzstd(self.file, frame.payload, frame.stored_bytes, frame.raw_bytes, dictionary, image)

    def frame_of(self, image):
        """The frame with its bytes, checked but for the bytes themselves."""
        frame = read_frame(self.file, self.header, image.offset)
        check_frame(image, frame, must)
        extensions(frame)
        must(frame.coding or frame.raw_bytes == frame.stored_bytes, 50, frame.offset, "raw_bytes of a stored image", image.ordinal)
        return frame

    def pieces(self, image):
        """The bytes of an image; all are checked before the first is given."""
        frame, state = self.frame_of(image), xxhash.xxh3_128()
        must(low64(self.file.hash(frame.payload, frame.stored_bytes)) == frame.stored_hash, 18, frame.offset, "stored_hash",
             image.ordinal)
        for piece in self.decoded(frame, image.ordinal):
            state.update(piece)
        must(state.intdigest().to_bytes(16, "little") == image.hash, 70, image.at, "hash of an image", image.ordinal)
        return self.decoded(frame, image.ordinal)

    def read(self, image):
        return b"".join(self.pieces(image))

    def columns_of(self, table, column):
        """(has a value, its bytes as they are stored) for each row, or None when the table has no section of the column."""
        fixed, groups = table.find(FIXED, column.id), table.find(GROUPS, column.id)
        if not fixed and not groups:
            return None
        validity = table.find(VALIDITY, column.id)
        valid = table.bits(validity) if validity else itertools.repeat(1)
        values = table.groups(groups) if groups else (
            raw for raw, in table.elements(fixed, "%ds" % fixed.element_bytes))
        return zip(valid, values)

    def dictionary_of(self, column):
        return [value.decode() for table in self.of(VALUES) if table.part.column == column.id
                for value in table.groups(table.find(GROUPS, column.id))]

    def values(self, column):
        """The values of a column by ordinal, None where there is none."""
        found = []
        texts = self.dictionary_of(column) if column.type == DICTIONARY else []
        for run in self.of(RUN):
            tables = sorted([run, *self.of_run(run, COLUMN)], key=lambda table: table.part.offset, reverse=True)
            rows = next(filter(None, (self.columns_of(table, column) for table in tables)), None)
            found += [None] * run.part.count if rows is None else [decode(column, raw, texts) if valid else None
                                                                    for valid, raw in rows]
        return found

    def verify(self):
        from aimg_reader import validator
        return validator.Validator(self.file).run()


def decode(column, raw, texts=()):
    """A value (8): number, text, bytes; a list of numbers for a vector; a list of these for a LIST."""
    if column.type == UTF8:
        return raw.decode()
    if column.type == BYTES:
        return raw
    if column.is_list:
        return [element(column, raw[at:at + column.bytes]) for at in range(0, len(raw), column.bytes)]
    value = element(column, raw.ljust(column.bytes, b"\0"))
    return texts[value] if column.type == DICTIONARY else value


def element(column, raw):
    numbers = struct.unpack("<%d%s" % (column.width, CODES[column.type]), raw)
    return numbers[0] if column.width == 1 else list(numbers)
