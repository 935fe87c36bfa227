# SPDX-License-Identifier: Apache-2.0
"""The rules of section 11 of SPEC.md: what is broken, where, in which image."""
import array
import bisect
import struct

import xxhash

from aimg_reader.container import (
    ALIAS, ALIASES, CODING, COLUMN, COLUMNS, COMMIT, CONTENT, CONTENTS, DICT, HEAD, IMAGE, KNOWN_COMPAT, KNOWN_INCOMPAT,
    KNOWN_RO_COMPAT, MASK, MASKS, NAMES, NO_HINTS, PAD, PAGE, RUN, TABLES, VALUES, ZSTD, ZSTD_DICT, Fault, Report, extensions,
    is_name, last_commit, low64, read_commit, read_frame, read_header, read_hint, u48, unzstd, up, xxh)
from aimg_reader.index import (
    ATTACHED, BOOL, BYTES, CONTENT_SLOTS, DEAD, DICTIONARY, ENTRIES, FIXED, GROUPS, IMAGES, NAME_SLOTS, NAME_TEXT, RANK, UTF8,
    VALIDITY, Archive, Table, check_frame, check_layout, length_class, name_hash, read_meta, read_root)

BEGINNINGS = {1: [b"\xff\xd8\xff"], 2: [b"\x89PNG\r\n\x1a\n"], 3: [b"GIF87a", b"GIF89a"], 4: [b"RIFF"], 5: [b"BM"],
              6: [b"II\x2a\0", b"II\x2b\0", b"MM\0\x2a", b"MM\0\x2b"], 7: [b"P%d" % digit for digit in range(1, 8)],
              10: [b"\xff\x0a", b"\0\0\0\x0cJXL "], 11: [b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51"], 12: [b"\0\0\1\0", b"\0\0\2\0"],
              13: [b"qoif"], 14: [b"8BPS"], 15: [b"\x76\x2f\x31\x01"], 16: [b"#?RADIANCE", b"#?RGBE"]}
BRANDS = {8: (b"avif", b"avis"), 9: (b"hei", b"hev", b"mif1", b"msf1", b"avci", b"avcs")}  # behind ftyp


def agrees(kind, begin):
    """Whether bytes may be of a format (REGISTRY; rule 52)."""
    if kind in BRANDS:
        return begin[4:8] == b"ftyp" and begin[8:12].startswith(BRANDS[kind])
    return kind not in BEGINNINGS or begin.startswith(tuple(BEGINNINGS[kind])) and (kind != 4 or begin[8:12] == b"WEBP")


class Validator(Archive):
    """The index is read first; then each frame is, once, in order; then what the tables say is compared with it."""

    def __init__(self, file):
        self.file, self.report, self.tables, self.root, self.dictionaries = file, Report(), [], None, {}
        self.need = self.report.need

    def run(self):
        """The findings; none but warnings: the archive is valid."""
        try:
            self.header = read_header(self.file, self.need)
            if self.header:
                self.commit, self.end = last_commit(self.file, self.header)
                self.open_index()
                self.walk()
                self.check_hints()
                if self.root:
                    self.check_index()
        except Fault as fault:
            self.report.take(fault)
        return self.report

    def trying(self, check, *arguments):
        """Notes what stops a check."""
        try:
            return check(*arguments)
        except Fault as fault:
            self.report.take(fault)
        return None

    def open_index(self):
        self.count = 0
        if not self.commit:
            return
        masks = self.commit.incompat & ~KNOWN_INCOMPAT
        self.need(not masks, 32, self.commit.offset, "unknown incompat bits: %#x" % masks)
        before = len(self.report)
        root = read_root(self.file, self.header, self.commit, self.need)
        if len(self.report) == before and root and root.whole:
            self.root = root
            self.tables = [Table(self.file, self.header, part, self.need) for part in root.parts]
            check_layout(root, self.tables, self.need)
            self.count = root.ordinal_count if all(table.fine for table in self.of(RUN)) else 0

    # -------------------------------------------------------------- frames, in order (rules 11 to 34)

    def walk(self):
        """Every frame up to the end of the last commit."""
        self.offsets = array.array("Q", bytes(8 * self.count))  # of the frame of each ordinal, 0: there is none
        self.hashes = bytearray(16 * self.count)  # of the payloads
        self.is_alias = bytearray(self.count)
        self.commits, self.before, self.used, self.batch, self.next = {}, None, 0, [], 0
        unknown = self.commit and (self.commit.compat & ~KNOWN_COMPAT or self.commit.ro_compat & ~KNOWN_RO_COMPAT)
        at = HEAD
        while at < self.end:
            frame = self.trying(read_frame, self.file, self.header, at, self.need)
            if not frame:
                break
            if frame.end > self.end:
                self.need(False, 11, at, "a frame ends at %d, the last commit at %d" % (frame.end, self.end))
                break
            known = self.need(frame.type in range(1, 15) or unknown, 14, at, "type %d" % frame.type)
            self.trying(self.check_frame_itself, frame, known and frame.type in range(1, 15))
            self.batch.append((at, frame.salt))
            if frame.type == COMMIT:
                self.check_commit(frame)
            at = frame.end
        if self.end < self.file.size:
            self.need(False, 34, self.end, "%d bytes after the last commit" % (self.file.size - self.end),
                      warning=self.file.is_locked())

    def check_frame_itself(self, frame, known):
        need, at, kind = self.need, frame.offset, frame.type
        image = frame.ordinal if kind in (IMAGE, ALIAS) else None
        begin = frame.name_bytes + frame.ext_bytes
        pads = self.file.read(frame.payload + frame.stored_bytes, -frame.stored_bytes % 8)
        need(not any(frame.rest[begin:]) and not any(pads), 16, at, "padding of a frame", image)
        digest = self.file.hash(frame.payload, frame.stored_bytes)
        need(low64(digest) == frame.stored_hash, 18, at, "stored_hash", image)
        need(not frame.zero, 19, at, "bytes 30 and 31 of a frame", image)
        if not known:
            return
        unused = 0 if image is not None else frame.ordinal | frame.name_bytes | frame.ext_bytes
        unused |= 0 if kind in (IMAGE, ALIAS, DICT, CODING) else frame.format
        unused |= 0 if kind in (IMAGE, DICT, CODING) else frame.coding
        need(not unused and (kind == IMAGE or frame.raw_bytes == frame.stored_bytes), 19, at, "a field that a type does not use",
             image)
        step = 1 << self.header.alignment_log2 if kind == IMAGE else 64 if kind in TABLES else 1
        need(frame.payload % step == 0, 21, at, "a payload at %d, not at a multiple of %d" % (frame.payload, step), image)
        need(kind != PAD or self.file.is_zero(frame.payload, frame.stored_bytes), 23, at, "a PAD that is not zero")
        self.used |= (ALIASES if kind == ALIAS else MASKS if kind == MASK else 0 if kind != IMAGE or not frame.coding else
                      ZSTD if frame.coding == 1 else ZSTD | ZSTD_DICT)
        if image is not None:
            self.take_image(frame, digest)
            self.trying(extensions, frame)

    def take_image(self, frame, digest):
        need, at, image, kind = self.need, frame.offset, frame.ordinal, frame.type
        need(image == self.next, 45, at, "ordinal %d where %d comes" % (image, self.next), image)
        self.next = image + 1
        need(kind == ALIAS or frame.coding or frame.raw_bytes == frame.stored_bytes, 50, at, "raw_bytes of a stored image", image)
        need(kind == IMAGE or frame.stored_bytes == 8, 47, at, "an ALIAS of %d bytes" % frame.stored_bytes, image)
        if image < self.count and not self.offsets[image]:
            self.offsets[image], self.is_alias[image] = at, kind == ALIAS
            self.hashes[16 * image:16 * image + 16] = digest

    def check_commit(self, frame):
        """A commit against the one before and its batch (rules 20, 24 to 33)."""
        need, at, before = self.need, frame.offset, self.before
        commit = read_commit(self.file, self.header, frame, need)
        if not commit:
            self.batch = []
            return
        for place, salt in [*self.batch, (at, frame.salt)]:
            need(salt == commit.salt, 20, place, "salt %08x, that of the commit is %08x" % (salt, commit.salt))
        need(commit.seq == (before.seq + 1 if before else 0), 27, at, "seq %d" % commit.seq)
        need((commit.prev_offset, commit.prev_chain) == ((before.offset, before.chain) if before else (0, bytes(16))), 28, at,
             "prev_offset or prev_chain")
        if before:
            need(commit.ordinal_count >= before.ordinal_count, 30, at, "ordinal_count falls to %d" % commit.ordinal_count)
            lost = [ours & ~mine for ours, mine in zip(before[9:12], commit[9:12])]
            need(not any(lost), 32, at, "bits of the masks are gone")
            need(commit.time_ns >= before.time_ns, 33, at, "time_ns goes back")
        need(self.next == commit.ordinal_count, 45, at, "%d ordinals after the batch, the commit has %d" % (
            self.next, commit.ordinal_count))
        self.next = commit.ordinal_count
        root = self.root if commit.offset == self.commit.offset else read_root(self.file, self.header, commit, need)
        if root:
            self.used |= ZSTD_DICT if any(coding.codec == 1 for coding in root.codings) else 0
            columns = (COLUMNS if root.columns else 0) | (CONTENTS if root.of(CONTENT) else 0)
            need(not columns & ~commit.ro_compat, 32, at, "columns or a content index are not declared")
        need(not self.used & ~commit.incompat, 32, at, "features %#x are used, %#x declared" % (self.used, commit.incompat))
        self.commits[at] = (commit.seq, commit.end, commit.salt)
        self.before, self.batch = commit, []

    def check_hints(self):
        pages = [self.file.read(PAGE * (1 + number), PAGE) for number in (0, 1)]
        for number, page in enumerate(pages):
            hint, at = read_hint(self.file, self.header, number), PAGE * (1 + number)
            if self.need(hint or not any(page), 9, at, "a hint that is neither zero nor valid") and hint:
                self.need(self.commits.get(hint.commit_offset) == (hint.seq, hint.end, hint.salt), 9, at,
                          "the hint names no commit: seq %d at %d" % (hint.seq, hint.commit_offset))
        if self.commit and self.commit.compat & NO_HINTS:
            self.need(not any(map(any, pages)), 10, PAGE, "NO_HINTS is declared, and there are hints")

    # -------------------------------------------------------------- the index (rules 36 to 70)

    def check_index(self):
        for table in [table for table in self.tables if table.fine]:
            self.check_blocks(table)
            zstd = any(section.codec for section in table.sections)
            self.need(not zstd or self.commit.incompat & ZSTD, 32, self.commit.offset, "a section is coded, ZSTD not declared")
        for coding in self.root.codings:
            self.trying(self.dictionary, coding.coding)
        read_meta(self.file, self.header, self.root, self.need)
        self.keys, self.content = array.array("Q", bytes(8 * self.count)), array.array("Q", bytes(8 * self.count))
        self.dead, self.named, self.live = bytearray(self.count), bytearray(self.count), 0
        if self.count or not self.root.ordinal_count:
            for run in self.of(RUN):
                self.trying(self.check_run, run)
            self.check_sums()
            self.trying(self.check_names)
            for table in self.of(CONTENT):
                self.trying(self.check_content, table)
        for column in self.root.columns:
            self.trying(self.check_dictionary, column)
            for table in self.of(RUN) + self.of(COLUMN):
                self.trying(self.check_values, table, column)

    def check_blocks(self, table):
        """Blocks, their list, and gaps (rules 38, 40)."""
        blocks = up(table.data_bytes, 4096) // 4096
        fine = self.need(self.file.hash(table.at + table.data_bytes, 16 * blocks) == table.list_hash, 40,
                         table.at + table.data_bytes, "list_hash")
        for block in range(blocks):
            table.fine &= bool(fine) and self.trying(table.read, 4096 * block, min(4096, table.data_bytes - 4096 * block)) is not None
        for section in table.sections:
            end = up(section.end, 64)
            self.need(self.file.is_zero(table.at + section.end, end - section.end), 38, table.at + section.end, "a gap is not zero")

    def check_run(self, run):
        masks, first, ranks, listed = self.of_run(run, MASK), run.part.first, [], 0
        for image in self.images_of(run):
            if image.ordinal % 2048 == first % 2048:
                ranks.append(listed)
            listed += image.listed
            self.trying(self.check_image, image)
            self.need(image.is_attachment == image.masked, 62, image.at, "the flag ATTACHMENT is not in the MASK", image.ordinal)
        for mask in masks:
            dead, attached = self.mask(run)
            counts = sum(dead), sum(a and not d for a, d in zip(attached, dead))
            self.need(counts == (mask.part.dead, mask.part.attached), 62, mask.at, "a MASK of %d dead and %d attached" % counts)
            self.need([rank for rank, in mask.elements(mask.find(RANK), "<I")] == ranks, 62, mask.at, "RANK")

    def check_image(self, image):
        """An entry, its frame and its name."""
        need, at, ordinal = self.need, image.at, image.ordinal
        self.dead[ordinal] = image.dead
        self.content[ordinal] = low64(image.hash) >> 32 if not image.aliased else 1 << 32
        self.live += 0 if image.dead else image.stored_bytes
        need(image.flags < 4, 42, at, "bits of loc", ordinal)
        own = self.offsets[ordinal]
        if not own:
            return
        frame = read_frame(self.file, self.header, own)
        self.keys[ordinal] = name_hash(frame.name, self.header.name_seed)
        need(frame.name == image.name, 55, own, "NAME_TEXT has another name than the frame", ordinal)
        need(is_name(frame.name) or not frame.name and image.is_attachment, 53, own, "not a valid name", ordinal)
        self.named[ordinal] = bool(frame.name)
        need(image.aliased == self.is_alias[ordinal], 47, at, "ALIASED, and the frame of the ordinal is none, or the reverse", ordinal)
        if image.aliased or self.is_alias[ordinal]:
            self.check_alias(image, frame)
        elif own == image.offset:
            if check_frame(image, frame, need):
                self.check_bytes(image, frame)
        else:
            self.check_elsewhere(image)
            need(False, 45, own, "no entry names the IMAGE frame of this ordinal", ordinal)

    def check_elsewhere(self, image):
        index = bisect.bisect_left(self.offsets, image.offset)
        there = index < self.count and self.offsets[index] == image.offset and not self.is_alias[index]
        self.need(there, 42, image.at, "an entry names no IMAGE frame", image.ordinal)
        self.need(not there, 44, image.at, "an entry names the frame of image %d" % index, image.ordinal)

    def check_alias(self, image, frame):
        target, zero = struct.unpack("<II", self.file.read(frame.payload, 8)) if frame.stored_bytes == 8 else (image.ordinal, 0)
        if self.need(target < image.ordinal and not zero and frame.format == image.format, 47, frame.offset, "an ALIAS", image.ordinal):
            other = self.image(target)
            self.need(not other.aliased and (other.offset, other.units, other.stored_bytes, other.format, other.coding, other.hash) ==
                      (image.offset, image.units, image.stored_bytes, image.format, image.coding, image.hash), 47, image.at,
                      "the entry is not that of image %d" % target, image.ordinal)

    def check_bytes(self, image, frame):
        ordinal, begin = image.ordinal, b""
        if frame.coding:
            state = xxhash.xxh3_128()
            for piece in self.decoded(frame, ordinal):
                begin = begin or piece[:32]
                state.update(piece)
            digest = state.intdigest().to_bytes(16, "little")
        else:
            digest = self.hashes[16 * ordinal:16 * ordinal + 16]
            begin = self.file.read(frame.payload, min(32, frame.stored_bytes))
        self.need(digest == image.hash, 70, image.at, "the hash of the original bytes", ordinal)
        self.need(agrees(frame.format, begin), 52, frame.offset, "the bytes do not begin as format %d does" % frame.format, ordinal)

    def check_sums(self):
        self.need(self.live == self.root.live_bytes, 65, self.root.offset, "live_stored_bytes is %d, not %d" % (
            self.root.live_bytes, self.live))

    def slots(self, table, kind, form, bits, split):
        """Slots of a table in order of index; order, places and bounds are checked (rules 57, 59, 67)."""
        section, rules, at = table.find(kind), (57, 59) if kind == NAME_SLOTS else (67, 67), table.part.offset
        before, least, most, keys = (-1, -1), 0, 0, 0
        for index, fields in enumerate(table.elements(section, form)):
            if not any(fields):
                continue
            hashed, ordinal = split(fields)
            home, keys = hashed * section.extra >> bits, keys + 1
            self.need((hashed, ordinal) > before and index == max(home, least), rules[0], at, "slot %d is not in its place" % index)
            before, least, most = (hashed, ordinal), index + 1, max(most, index - home)
            if self.need(ordinal < self.count, rules[1], at, "slot %d names image %d" % (index, ordinal)):
                yield fields, ordinal, hashed
        self.need(section.count == section.extra + most and most <= 4096, rules[0], at, "max_disp is %d" % most)
        self.need(keys == table.part.count and up(keys * 100, 95) // 95 <= section.extra <= 2 * keys + 4, rules[1], at,
                  "%d slots for %d keys" % (section.extra, keys))

    def check_names(self):
        found = bytearray(self.count)
        for table in self.of(NAMES):
            for (key, ordinal, low), _, _ in self.slots(table, NAME_SLOTS, "<QII", 40, lambda slot: (slot[0] >> 24, slot[1])):
                own = self.offsets[ordinal]
                frame = read_frame(self.file, self.header, own) if own else None
                size = frame.bytes if frame else 0
                wanted = self.keys[ordinal] >> 24 << 24 | length_class(size) << 16 | own // 8 >> 32, own // 8 & 0xFFFFFFFF
                self.need((key, low) == wanted or not own, 59, table.part.offset, "a slot is not that of its frame", ordinal)
                self.need(self.dead[ordinal] or self.named[ordinal], 58, table.part.offset, "a slot without a name", ordinal)
                found[ordinal] = min(2, found[ordinal] + 1)
        live = [ordinal for ordinal in range(self.count) if self.named[ordinal] and not self.dead[ordinal]]
        for ordinal in live:
            self.need(found[ordinal] == 1, 58, self.offsets[ordinal], "%d slots of a name" % found[ordinal], ordinal)
        live.sort(key=lambda ordinal: self.keys[ordinal])
        for one, other in zip(live, live[1:]):
            if self.keys[one] == self.keys[other]:
                names = [read_frame(self.file, self.header, self.offsets[ordinal]).name for ordinal in (one, other)]
                self.need(names[0] != names[1], 54, self.offsets[other], "the name of image %d" % one, other)

    def check_content(self, table):
        split = lambda slot: (slot[0], slot[1] - 1 if slot[1] else 1 << 32)
        for _, ordinal, hashed in self.slots(table, CONTENT_SLOTS, "<II", 32, split):
            self.need(self.content[ordinal] == hashed, 67, table.part.offset, "a content slot is not that of its entry", ordinal)

    # -------------------------------------------------------------- columns (rules 60, 61, 68)

    def check_dictionary(self, column):
        seen = set()
        for table in self.of(VALUES):
            if table.part.column != column.id:
                continue
            for value in table.groups(table.find(GROUPS, column.id)):
                digest = xxh(value)
                self.need(digest not in seen and is_utf8(value), 68, table.at, "a value of column %d twice, or no text" % column.id)
                seen.add(digest)

    def check_values(self, table, column):
        values = self.columns_of(table, column)
        most = {BOOL: 2, DICTIONARY: column.dictionary_count, IMAGES: self.root.ordinal_count}.get(column.type)
        for row, (valid, raw) in enumerate(values or []):
            ordinal = table.part.first + row
            if not valid:
                fine = not any(raw) if not column.in_groups else not raw
            elif column.type == UTF8:
                fine = is_utf8(raw)
            elif column.type == BOOL:
                fine = not raw.strip(b"\0\1") and len(raw) % column.bytes == 0
            elif most is not None:
                fine = int.from_bytes(raw, "little") < most
            else:
                fine = column.type == BYTES or not column.is_list or len(raw) % column.bytes == 0
            self.need(fine, 61, table.at, "a value of column %d" % column.id, ordinal)


def is_utf8(data):
    try:
        return data.decode() is not None
    except UnicodeDecodeError:
        return False


def verify(path):
    from aimg_reader.container import File
    return Validator(File(path)).run()
