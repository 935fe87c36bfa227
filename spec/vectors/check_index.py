# SPDX-License-Identifier: Apache-2.0
"""The vectors' own reader: entries, names, masks and slots (SPEC.md section 6), and the check of a whole file."""
import struct
from dataclasses import dataclass, field

import xxhash

import check_values
import constants as c
import zstd_frame
from check_frames import Broken, Report, check_frames, check_hints, find_commit, need, read_head, zero
from check_tables import TableView, check_columns, check_parts, decode_zstd, read_groups, read_meta, read_root
from checksum import MASK64, hash128, low64

T, K = c.FrameType, c.Kind
# what is broken about these is found at opening (SPEC.md section 4.3)
OPENING_RULES = {2: "not an archive", 3: "version unknown", **dict.fromkeys((4, 5, 6, 7, 8, 31, 37, 41), "corrupt")}
KNOWN_BITS = {"compat": sum(c.Compat), "ro_compat": sum(c.RoCompat), "incompat": sum(c.Incompat)}


@dataclass
class EntryView:
    ordinal: int
    offset: int
    units: int
    aliased: bool
    attachment: bool
    other_bits: int
    stored_bytes: int
    format: int
    coding: int
    hash: bytes
    name: bytes = b""
    dead: bool = False
    values: dict = field(default_factory=dict)
    raw: bytes = None
    frame: object = None  # the ALIAS frame, or the IMAGE frame


class Archive:
    def __init__(self, data):
        self.data, self.report = data, Report()
        self.head = self.last = self.root = None
        self.frames, self.commits, self.tables, self.entries, self.meta = {}, [], [], [], {}


def check_name(name):
    """Rule 53, SPEC.md section 10."""
    need(1 <= len(name) <= c.NAME_MAX, 53, "name of %d bytes" % len(name))
    try:
        text = name.decode("utf-8")
    except UnicodeDecodeError:
        raise Broken(53, "name is not UTF-8")
    need(not any(ord(char) < 0x20 or 0x7F <= ord(char) < 0xA0 or char == "\\" for char in text), 53, "character of a name")
    for component in name.split(b"/"):
        need(1 <= len(component) <= c.COMPONENT_MAX and component not in (b".", b".."), 53, "component of a name")


def read_entries(archive, table):
    first, count = table.part.rows
    section, names = table.get(K.ENTRIES), read_groups(table.get(K.NAME_TEXT))
    need(section.count == count and len(names) == count, 39, "rows of a run")
    for row in range(count):
        loc, stored, format_, coding, digest = struct.unpack_from("<Q6sBB16s", section.data, row * c.ENTRY_BYTES)
        other_bits = loc >> 58
        archive.entries.append(EntryView(first + row, (loc & (1 << 48) - 1) * c.UNIT, loc >> 48 & 255,
                                         bool(loc & c.ENTRY_ALIASED), bool(loc & c.ENTRY_ATTACHMENT), other_bits,
                                         int.from_bytes(stored, "little"), format_, coding, digest, names[row]))


def check_entry(archive, entry, aliases):
    """Rules 42 to 47 and 53, 55."""
    frame = archive.frames.get(entry.offset)
    need(frame and frame.type == T.IMAGE and frame.units == entry.units and entry.other_bits == 0, 42, "entry %d" % entry.ordinal)
    need((entry.stored_bytes, entry.format, entry.coding) == (frame.stored_bytes, frame.format, frame.coding), 43,
         "entry %d" % entry.ordinal)
    entry.frame = frame
    named = [alias for alias in aliases if alias.ordinal == entry.ordinal]
    if entry.aliased:
        need(len(named) == 1, 47, "%d ALIAS frames of entry %d" % (len(named), entry.ordinal))
        entry.frame = named[0]
        target = struct.unpack_from("<I", entry.frame.payload(archive.data))[0]
        need(target < entry.ordinal, 47, "target of entry %d is not earlier" % entry.ordinal)
        of = archive.entries[target]
        need(not of.aliased and (of.offset, of.hash) == (entry.offset, entry.hash), 47, "target of entry %d" % entry.ordinal)
        need(entry.frame.format == of.format, 47, "format of the ALIAS frame of entry %d" % entry.ordinal)
    else:
        need(frame.ordinal == entry.ordinal, 44, "entry %d" % entry.ordinal)
        need(not named, 47, "entry %d with an ALIAS frame is not ALIASED" % entry.ordinal)
    need(entry.name == entry.frame.name, 55, "name of entry %d" % entry.ordinal)
    if entry.name or not entry.attachment:
        check_name(entry.name)


def check_bytes(archive, entry, dictionaries):
    """Rules 49 to 51 and 70."""
    frame = archive.frames[entry.offset]
    stored = frame.payload(archive.data)
    if frame.coding == c.CODING_STORE:
        need(frame.raw_bytes == frame.stored_bytes, 50, "entry %d" % entry.ordinal)
        entry.raw = stored
    else:
        need(frame.coding == c.CODING_ZSTD or frame.coding in dictionaries, 51, "coding of entry %d" % entry.ordinal)
        entry.raw = decode_zstd(stored, frame.raw_bytes, dictionaries.get(frame.coding))
    need(hash128(entry.raw) == entry.hash, 70, "hash of entry %d" % entry.ordinal)


def check_codings(archive):
    dictionaries, last = {}, 1
    for coding in archive.root.codings:
        need(coding.coding > last, 51, "order of the codings")
        frame = archive.frames.get(coding.offset)
        need(coding.codec == c.CODEC_ZSTD_DICT and frame and frame.type == T.DICT, 51, "coding %d" % coding.coding)
        payload = frame.payload(archive.data)
        need((frame.coding, frame.format, len(payload)) == (coding.coding, coding.codec, coding.bytes), 51, "frame of a coding")
        need(1 <= len(payload) <= c.CODING_PAYLOAD_MAX and hash128(payload) == coding.hash, 51, "bytes of a coding")
        need(zstd_frame.is_dictionary(payload), 51, "dictionary of a coding")
        dictionaries[coding.coding], last = payload, coding.coding
    return dictionaries


def read_bits(section, rows, rule):
    need(section.count == rows, 39, "rows of a bitmap")
    bits = [section.data[row // 8] >> row % 8 & 1 for row in range(rows)]
    need(int.from_bytes(section.data, "little") >> rows == 0, rule, "bits past the end")
    return bits


def check_mask(archive, table):
    """Rule 62."""
    first, count = table.part.rows
    dead, attached = ([0] * count if table.get(kind) is None else read_bits(table.get(kind), count, 62)
                      for kind in (K.DEAD, K.ATTACHED))
    entries = archive.entries[first:first + count]
    for entry, bit in zip(entries, dead):
        entry.dead = bool(bit)
    archive.report.check([bool(bit) for bit in attached] == [entry.attachment for entry in entries], 62, "ATTACHED")
    alive_attached = sum(a and not d for a, d in zip(attached, dead))
    archive.report.check((sum(dead), alive_attached) == (table.part.dead, table.part.attached), 62, "counts of a MASK")
    listed = [not d and not a for d, a in zip(dead, attached)]
    ranks = [sum(listed[:row]) for row in range(0, count, c.RANK_ROWS)]
    section = table.get(K.RANK)
    need(section.count == len(ranks), 39, "rows of RANK")
    archive.report.check(list(struct.unpack("<%dI" % len(ranks), section.data)) == ranks, 62, "RANK")


def walk_slots(section, keys, hash_bits, read):
    """Rule 57: yields (hash, slot) of the slots that are not empty."""
    found, last, worst = [], (-1, -1, -1), 0
    need(-(-keys * 100 // 95) <= section.extra <= 2 * keys + 4, 59, "slot_count %d for %d keys" % (section.extra, keys))
    need(section.extra <= section.count, 57, "slot_count and count")
    for index in range(section.count):
        raw = section.data[index * section.element_bytes:(index + 1) * section.element_bytes]
        if zero(raw):
            continue
        hash_, ordinal, rest = read(raw)
        home = hash_ * section.extra >> hash_bits
        need((hash_, ordinal) > last[:2] and index == max(home, last[2] + 1), 57, "slot %d" % index)
        worst, last = max(worst, index - home), (hash_, ordinal, index)
        found.append((hash_, ordinal, rest))
    need(len(found) == keys and section.count == section.extra + worst and worst <= c.DISPLACEMENT_MAX, 57, "max_disp or keys")
    return found


def lenclass_of(size):
    return next((code for code in range(255) if ((8 + (code & 7)) << (code >> 3)) * 8 >= size), 255)


def check_names(archive):
    """Rules 54 and 57 to 59."""
    seen, live = {}, {entry.ordinal for entry in archive.entries if entry.name and not entry.dead}
    for table in archive.tables:
        if table.part.type != T.NAMES:
            continue
        read = lambda raw: (int.from_bytes(raw[3:8], "little"), int.from_bytes(raw[8:12], "little"), raw)
        for hash_, ordinal, raw in walk_slots(table.get(K.NAME_SLOTS), table.part.count, 40, read):
            need(ordinal < len(archive.entries), 59, "ordinal of a slot")
            entry = archive.entries[ordinal]
            wanted = xxhash.xxh3_128_intdigest(entry.name, archive.head.name_seed) & MASK64
            loc = int.from_bytes(raw[:2], "little") << 32 | int.from_bytes(raw[12:], "little")
            need(entry.frame is not None, 59, "slot of ordinal %d" % ordinal)
            wanted = (wanted >> 24, entry.frame.offset, lenclass_of(entry.frame.total_bytes))
            need((hash_, loc * c.UNIT, raw[2]) == wanted, 59, "slot of ordinal %d" % ordinal)
            need(ordinal not in live or ordinal not in seen, 58, "two slots of ordinal %d" % ordinal)
            seen[ordinal] = True
    need(live <= set(seen), 58, "no slot of ordinals %s" % sorted(live - set(seen)))
    names = [entry.name for entry in archive.entries if entry.ordinal in live]
    need(len(names) == len(set(names)), 54, "two images of one name")


def check_content(archive):
    """Rule 67."""
    for table in archive.tables:
        if table.part.type != T.CONTENT:
            continue
        read = lambda raw: (int.from_bytes(raw[:4], "little"), int.from_bytes(raw[4:], "little") - 1, raw)
        try:
            slots = walk_slots(table.get(K.CONTENT_SLOTS), table.part.count, 32, read)
        except Broken as broken:
            raise Broken(67, broken.text)
        for hash_, ordinal, _ in slots:
            need(0 <= ordinal < len(archive.entries) and not archive.entries[ordinal].aliased, 67, "content slot of %d" % ordinal)
            need(hash_ == low64(archive.entries[ordinal].hash) >> 32, 67, "hash of the content slot of %d" % ordinal)


def check_sums(archive):
    """Rule 65."""
    root, entries = archive.root, archive.entries
    listed = [entry for entry in entries if not entry.dead and not entry.attachment]
    live = sum(entry.stored_bytes for entry in entries if not entry.dead)
    sums = (len(listed), sum(entry.dead for entry in entries), live)
    need(sums == (root.listed_count, root.dead_count, root.live_stored_bytes), 65, "sums %d %d %d" % sums)


def check_images(archive):
    """Rule 45, and that each ALIAS frame belongs to an entry."""
    aliases = [frame for frame in archive.frames.values() if frame.type == T.ALIAS]
    for entry in archive.entries:
        with archive.report.scope():
            check_entry(archive, entry, aliases)
    with archive.report.scope():
        dictionaries = check_codings(archive)
        for entry in archive.entries:
            if entry.frame and not entry.aliased:
                with archive.report.scope():
                    check_bytes(archive, entry, dictionaries)
    for entry in archive.entries:
        if entry.aliased and entry.frame:
            entry.raw = next((of.raw for of in archive.entries if of.offset == entry.offset and not of.aliased), None)
    own = {entry.ordinal: entry.offset for entry in archive.entries if not entry.aliased}
    for frame in archive.frames.values():
        archive.report.check(frame.type != T.IMAGE or own.get(frame.ordinal) == frame.offset, 45,
                             "IMAGE frame at %d" % frame.offset)
    aliased = {entry.ordinal for entry in archive.entries if entry.aliased}
    archive.report.check(all(alias.ordinal in aliased for alias in aliases), 47, "ALIAS frame without entry")


def check_tails(archive, commit):
    """Rules 32 and 62 as far as ROOT and the tails of its tables tell."""
    parts = {part.type for part in archive.root.parts}
    sections = [section for table in archive.tables for section in table.sections]
    used = c.Incompat.ZSTD * any(section.codec for section in sections)
    used |= c.Incompat.ZSTD_DICT * bool(archive.root.codings) | c.Incompat.MASK * (T.MASK in parts)
    ro_used = c.RoCompat.COLUMNS * bool(archive.root.columns) | c.RoCompat.CONTENT * (T.CONTENT in parts)
    need(used & ~commit.incompat == 0 and ro_used & ~commit.ro_compat == 0, 32, "a feature is not declared")
    for table in archive.tables:
        need(not table.part.dead or table.get(K.DEAD), 62, "dead rows and no DEAD")
        need(not table.part.attached or table.get(K.ATTACHED), 62, "attachments and no ATTACHED")


def check_features(archive, commit):
    """Rule 32, as far as the frames tell."""
    used = 0
    for frame in archive.frames.values():
        if frame.type == T.IMAGE and frame.coding != c.CODING_STORE:
            used |= c.Incompat.ZSTD
        used |= {T.ALIAS: c.Incompat.ALIAS, T.MASK: c.Incompat.MASK}.get(frame.type, 0)
    need(used & ~commit.incompat == 0, 32, "a feature is not declared")


def load_root(archive, commit):
    frame = archive.frames.get(commit.root_offset)
    need(frame is not None and frame.type == T.ROOT, 31, "no ROOT at %d" % commit.root_offset)
    payload = frame.payload(archive.data)
    need(hash128(payload) == commit.root_hash, 31, "root_hash")
    root = read_root(payload)
    need((root.ordinal_count, root.listed_count) == (commit.ordinal_count, commit.listed_count), 30, "counts of ROOT and commit")
    return root


def load_meta(archive):
    offset, size, digest = archive.root.meta
    if offset == 0:
        need(size == 0 and zero(digest), 69, "META record")
        return
    frame = archive.frames.get(offset)
    need(frame and frame.type == T.META and frame.stored_bytes == size, 69, "META frame")
    payload = frame.payload(archive.data)
    need(hash128(payload) == digest, 69, "hash of META")
    archive.meta = read_meta(payload)


def check_index(archive):
    report = archive.report
    for commit in archive.commits[:-1]:
        with report.scope():
            load_root(archive, commit)
    with report.scope():
        archive.root = load_root(archive, archive.commits[-1])
        for check in (check_parts, check_columns):
            with report.scope(), report.refused():
                check(archive.root)
        with report.scope():
            load_meta(archive)
        for part in archive.root.parts:
            with report.scope():
                archive.tables.append(TableView(archive, part))
        with report.scope(), report.refused():
            check_tails(archive, archive.commits[-1])
        by_type = lambda kind: [table for table in archive.tables if table.part.type == kind]
        runs = sum(part.type == T.RUN for part in archive.root.parts)
        need(len(by_type(T.RUN)) == runs, 36, "a run cannot be read, so ordinals are missing")
        for table in by_type(T.RUN):
            read_entries(archive, table)
        for table in by_type(T.MASK):
            check_mask(archive, table)
        check_images(archive)
        masked = {table.part.first for table in by_type(T.MASK)}
        for table in by_type(T.RUN):
            rows = archive.entries[table.part.first:table.part.first + table.part.count]
            report.check(table.part.first in masked or not any(row.attachment for row in rows), 62, "attachment without MASK")
        for check in (check_names, check_content, check_sums, check_values.check_all):
            with report.scope():
                check(archive)
        check_features(archive, archive.commits[-1])


def check_file(data):
    """Everything. Returns the Archive, whose report holds what is broken."""
    archive = Archive(data)
    report = archive.report
    with report.scope():
        if len(data) < c.HEAD_BYTES:
            report.status = "truncated" if data and c.HEADER_MAGIC.startswith(data[:8]) else "not an archive"
        archive.head = read_head(data)
        last = None
        with report.scope():
            last = find_commit(data, archive.head, report)
        archive.last = last
        bits = last is not None and any(getattr(last, mask) & ~KNOWN_BITS[mask] for mask in ("compat", "ro_compat"))
        end = last.end if last else c.HEAD_BYTES
        archive.frames, archive.commits = check_frames(data, archive.head, end, bits, report)
        report.check(end == len(data), 34, "torn tail of %d bytes" % (len(data) - end))
        check_hints(data, archive.head, archive.commits, last, report)
        if last and last.incompat & ~KNOWN_BITS["incompat"]:
            report.status = "unsupported"
            raise Broken(32, "unknown feature")
        if archive.commits:
            check_index(archive)
    if report.status == "ok":
        report.status = next((OPENING_RULES[rule] for rule in report.rules if rule in OPENING_RULES), "ok")
    report.opens = report.status == "ok"
    return archive


