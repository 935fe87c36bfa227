# SPDX-License-Identifier: Apache-2.0
"""The rules of section 11 of SPEC.md: which are broken, where, in which image. The index is opened first, then every frame is
read once and in order, then the tables are compared with the frames."""
import array
import bisect
import heapq
import itertools

import xxhash

from aimg_reader.container import (
    ALIAS, ALIASES, COLUMN, COLUMNS, COMMIT, CONTENT, CONTENTS, DICT, HEAD, IMAGE, KNOWN_COMPAT, KNOWN_INCOMPAT, KNOWN_RO_COMPAT,
    MASK, MASKS, META, NAMES, NO_HINTS, PAD, PAGE, ROOT, RUN, TABLES, VALUES, ZSTD, ZSTD_DICT, Fault, Report, extensions, is_name,
    is_utf8, last_commit, low64, read_commit, read_frame, read_header, read_hint, up, xxh)
from aimg_reader.index import (
    ATTACHED, CONTENT_SLOTS, DEAD, DICTIONARY, GROUPS, NAME_SLOTS, NAME_TEXT, RANK, VALIDITY, Image,
    Index, agrees, length_class, name_hash, read_meta, read_root, value_fits)

class Validator(Index):
    silent = staticmethod(lambda condition, *_: condition)  # for a frame about which all is said

    def __init__(self, file):
        super().__init__(file)
        self.report = Report()
        self.need = self.report.need

    def run(self):
        """The findings; none but warnings: the archive is valid."""
        try:
            self.header = read_header(self.file)
            self.find_commit()
            unknown = self.commit.incompat & ~KNOWN_INCOMPAT if self.commit else 0
            if self.need(not unknown, 32, self.end, "unknown incompat bits: %#x" % unknown):
                self.open_index()
                self.walk()
                self.check_ends()
                self.check_index()
        except Fault as fault:
            self.report.take(fault)
        return self.report

    def trying(self, check, *arguments):
        """What a check gives; the fault that stops it is noted."""
        try:
            return check(*arguments)
        except Fault as fault:
            self.report.take(fault)
        return None

    # -------------------------------------------------------------- the last commit, and hints (rules 9, 10, 34)

    def find_commit(self):
        """Where readers find none, the last commit that hints or frames lead to; then all bytes are looked at."""
        try:
            (self.commit, self.known_end), opens = last_commit(self.file, self.header), True
        except Fault:
            (self.commit, self.known_end), opens = last_commit(self.file, self.header, lenient=True), False
        self.end, self.hints, size = self.known_end if opens else self.file.size, [], self.file.size
        for number, at in enumerate((PAGE, 2 * PAGE)):
            page, hint = self.file.read(at, PAGE), read_hint(self.file, self.header, number)
            self.need(hint or not any(page), 9, at, "a hint that is neither zero nor valid")
            self.need(not hint or hint.end <= size, 9, at, "a hint says that a commit reached to %d" % (hint.end if hint else 0))
            self.hints.append((at, any(page), hint))
        claimed = max([self.known_end] + [hint.end for _, _, hint in self.hints if hint])
        self.need(claimed <= size, 34, size, "the file is cut short: a commit reached to %d" % claimed)

    def check_ends(self):
        last, reached = self.commit, self.before.offset if self.before else None
        found = reached == (last.offset if last else None) or self.damaged or self.end != self.known_end
        self.need(found, 11, self.known_end - PAGE, "the frames do not lead to the last commit")
        for at, there, hint in self.hints:
            if last and last.compat & NO_HINTS:
                self.need(not there, 10, at, "NO_HINTS is declared, and there is a hint")
            elif hint and hint.end <= self.file.size and hint.commit_offset not in self.damaged:
                self.need(self.commits.get(hint.commit_offset) == (hint.seq, hint.salt), 9, at, "the hint names no commit")
        tail = self.file.size - self.end
        self.need(not tail, 34, self.end, "%d bytes follow the last commit" % tail, warning=self.file.is_locked())

    # -------------------------------------------------------------- frames, in order (rules 11 to 33)

    def open_index(self):
        self.count = 0
        if self.commit:
            self.root = read_root(self.file, self.commit, self.need)
        if self.root:
            self.open_tables(self.need)
            self.count = min(self.root.ordinal_count, (self.end - HEAD) // 48)

    def walk(self):
        """Every frame up to the end."""
        self.kinds, self.offsets = bytearray(self.count), array.array("Q", bytes(8 * self.count))  # the frame of each ordinal
        self.names, self.named = array.array("Q", bytes(8 * self.count)), bytearray(self.count)  # hash of the name in the frame
        self.hashes, self.hashed = bytearray(16 * self.count), bytearray(self.count)  # of the original bytes
        self.frames, self.spares, self.damaged, self.commits, self.before = {}, {}, set(), {}, None
        self.used, self.salts, self.next, self.counts, self.lost, self.starts = 0, {}, 0, True, 0, None
        at = HEAD
        while at < self.end:
            frame = read_frame(self.file, self.header, at, self.need, self.end)
            if frame:
                self.check_frame(frame)
                at = frame.end
            else:
                self.damaged.add(at)
                at = self.lost = self.resume(at)
                self.counts, self.salts = False, {}

    def resume(self, at):
        """Where frames go on after one that cannot be read: where it ends by its own word or by its entry's, when a frame begins
        there, else where the index says that the next one begins."""
        if self.starts is None:
            self.starts = sorted(set(self.known_starts()))
        index = bisect.bisect_left(self.starts, (at, -1))
        entry = self.starts[index] if index < len(self.starts) and self.starts[index][0] == at else None
        after = bisect.bisect_left(self.starts, (at + 1, -1))
        limit, guesses = self.starts[after][0] if after < len(self.starts) else self.end, []
        header = self.file.read(at, min(48, self.file.size - at))
        if len(header) == 48 and header[:2] == b"AF" and header[3] >= 6:
            guesses.append(at + 8 * header[3] + up(int.from_bytes(header[16:22], "little"), 8))
        if entry and entry[1] >= 0:
            guesses.append(entry[1])
        return next((guess for guess in guesses if at < guess <= limit and guess % 8 == 0 and self.begins(guess)), limit)

    def begins(self, at):
        """Whether a frame with a right check begins here, whatever its sizes are."""
        header = self.file.read(at, min(2040, self.file.size - at))
        header = header[:8 * header[3]] if len(header) >= 48 else b""
        check = low64(xxh(header[:40] + bytes(8) + header[48:], self.header.seed))
        return at == self.end or len(header) >= 48 and header[:2] == b"AF" and check == int.from_bytes(header[40:48], "little")

    def known_starts(self):
        """(offset, end as the entry has it, or -1) of all frames that the last commit names."""
        commit = self.commit
        while commit:
            yield from ((commit.offset, -1), (commit.root_offset, -1))
            try:
                earlier = HEAD <= commit.prev_offset < commit.offset
                commit = read_commit(self.file, self.header, commit.prev_offset) if earlier else None
            except Fault:
                commit = None
        if self.root:
            yield self.root.meta_offset, -1
            yield from ((record.offset, -1) for record in self.root.parts + self.root.codings)
            for run in self.of(RUN):
                for ordinal, at, fields in self.entries(run):
                    image = Image(ordinal, at, fields)
                    if not image.aliased and HEAD <= image.offset < self.end:
                        yield image.offset, image.offset + 8 * image.units + up(image.stored_bytes, 8)

    def check_frame(self, frame):
        """One frame by itself (rules 14 to 23, 50, 51), and what is kept of it."""
        need, at, kind = self.need, frame.offset, frame.type
        image = frame.ordinal if kind in (IMAGE, ALIAS) else None
        used = frame.name_bytes + frame.ext_bytes
        need(frame.size_fault() != 19, 19, at, "bytes 30 and 31 of a frame", image)
        need(not any(frame.rest[used:]), 16, at, "padding of a frame's header", image)
        need(not any(self.file.read(frame.payload + frame.stored_bytes, -frame.stored_bytes % 8)), 16, at, "padding of a payload",
             image)
        rule = frame.field_fault()
        unknown = self.commit and (self.commit.compat & ~KNOWN_COMPAT or self.commit.ro_compat & ~KNOWN_RO_COMPAT)
        need(not rule or rule == 14 and unknown, rule, at, "type %d, or a field that it does not use" % kind, image)
        step = 1 << self.header.alignment_log2 if kind == IMAGE else 64 if kind in TABLES else 8
        need(frame.payload % step == 0, 21, at, "a payload at %d, not at a multiple of %d" % (frame.payload, step), image)
        if image is not None and used <= len(frame.rest):
            self.trying(extensions, frame)
        if image is not None:
            self.keep_image(frame)
        elif kind not in (PAD, COMMIT):
            self.frames[at] = frame
        if kind == COMMIT:
            self.check_commit(frame)
        else:
            self.salts.setdefault(frame.salt, at)
        self.used |= {ALIAS: ALIASES, MASK: MASKS}.get(kind, 0)
        digest = self.file.hash(frame.payload, frame.stored_bytes)
        if not need(low64(digest) == frame.stored_hash, 18, at, "stored_hash", image):
            return
        if kind == PAD:
            need(self.file.is_zero(frame.payload, frame.stored_bytes), 23, at, "a PAD that is not zero")
        elif kind == IMAGE:
            self.trying(self.check_bytes, frame, digest)

    def keep_image(self, frame):
        need, at, ordinal, kind = self.need, frame.offset, frame.ordinal, frame.type
        need(not self.counts or ordinal == self.next, 45, at, "ordinal %d, where %d comes" % (ordinal, self.next), ordinal)
        self.next = ordinal + 1
        if kind == IMAGE:
            need(frame.coding or frame.raw_bytes == frame.stored_bytes, 50, at, "raw_bytes of a stored image", ordinal)
            codings = [0, 1] + [coding.coding for coding in self.root.codings] if self.root else range(256)
            need(frame.coding in codings, 51, at, "coding %d is not defined" % frame.coding, ordinal)
            self.used |= 0 if not frame.coding else ZSTD if frame.coding == 1 else ZSTD | ZSTD_DICT
        elif frame.stored_bytes == 8:
            need(not any(self.file.read(frame.payload + 4, 4)), 19, at, "bytes 4 to 7 of an ALIAS", ordinal)
        if at >= self.known_end or not self.root:
            return
        if not need(ordinal < self.count, 45 if kind == IMAGE else 47, at, "there are only %d ordinals" % self.count, ordinal):
            return
        if self.kinds[ordinal]:
            self.spares[at] = frame
            return
        self.kinds[ordinal], self.offsets[ordinal] = kind, at
        self.names[ordinal], self.named[ordinal] = name_hash(frame.name, self.header.name_seed), bool(frame.name)

    def check_bytes(self, frame, digest):
        """Decodes an image (rules 49, 52); its hash is kept for rule 70."""
        ordinal, begin = frame.ordinal, self.file.read(frame.payload, min(32, frame.stored_bytes))
        try:
            pieces = self.decoded(frame, ordinal) if frame.coding < 2 or self.root else None
        except Fault:
            pieces = None
        if not pieces:
            return  # said of the coding
        if frame.coding:
            state, begin = xxhash.xxh3_128(), b""
            for piece in pieces:
                begin = begin if len(begin) >= 32 else begin + piece[:32]
                state.update(piece)
            digest = state.intdigest().to_bytes(16, "little")
        if ordinal < self.count and self.offsets[ordinal] == frame.offset:
            self.hashes[16 * ordinal:16 * ordinal + 16], self.hashed[ordinal] = digest, 1
        self.need(agrees(frame.format, begin), 52, frame.offset, "bytes that do not begin as format %d" % frame.format, ordinal)

    # -------------------------------------------------------------- commits (rules 20, 24 to 33)

    def check_commit(self, frame):
        at, before = frame.offset, self.before
        commit = self.trying(read_commit, self.file, self.header, at)
        if commit:
            for salt, place in [*self.salts.items(), (frame.salt, at)]:
                self.need(salt == commit.salt, 20, place, "salt %08x, that of the commit is %08x" % (salt, commit.salt))
            self.check_chain(commit, before)
            self.need(not self.counts or commit.ordinal_count == self.next, 30, at, "%d ordinals, the frames have %d" % (
                commit.ordinal_count, self.next))
            self.check_root(commit, before)
            self.commits[at] = (commit.seq, commit.salt)
            self.before, self.counts, self.next = commit, True, commit.ordinal_count
        else:
            self.lost = at + PAGE
            self.damaged.add(at)
        self.salts = {}

    def check_chain(self, commit, before):
        """Against the commit before. Behind damage in which commits may have stood, a commit is believed what it says of them."""
        need, at = self.need, commit.offset
        if not (before.offset if before else HEAD - 1) < commit.prev_offset < self.lost:
            seq, offset, chain = (before.seq + 1, before.offset, before.chain) if before else (0, 0, bytes(16))
            need(commit.seq == seq, 27, at, "seq %d, not %d" % (commit.seq, seq))
            need((commit.prev_offset, commit.prev_chain) == (offset, chain), 28, at, "prev_offset or prev_chain")
        if before:
            need(commit.ordinal_count >= before.ordinal_count, 30, at, "ordinal_count falls to %d" % commit.ordinal_count)
            masks = zip(before[9:12], commit[9:12])
            need(not any(earlier & ~later for earlier, later in masks), 32, at, "bits of the masks are gone")
            need(commit.time_ns >= before.time_ns, 33, at, "time_ns goes back")

    def check_root(self, commit, before):
        at, frame = commit.offset, self.frames.get(commit.root_offset)
        in_batch = not before or commit.root_offset > before.offset
        is_root = commit.root_offset in self.damaged or frame and (frame.type, frame.stored_bytes) == (ROOT, commit.root_bytes)
        self.need(in_batch and is_root, 31, at, "no ROOT of the batch at %d" % commit.root_offset)
        last = self.commit and at == self.commit.offset
        root = self.root if last else read_root(self.file, commit, self.need) if in_batch else None
        if root and in_batch:
            coded = last and any(section.codec for table in self.tables for section in table.sections)
            used = self.used | (ZSTD if coded else 0) | (ZSTD_DICT if root.codings else 0)
            self.need(not used & ~commit.incompat, 32, at, "features %#x are used, %#x declared" % (used, commit.incompat))
            used = (COLUMNS if root.columns else 0) | (CONTENTS if root.of(CONTENT) else 0)
            self.need(not used & ~commit.ro_compat, 32, at, "columns or a content index are not declared")

    # -------------------------------------------------------------- the index (rules 36 to 70)

    def check_index(self):
        if not self.root:
            return
        for part in self.root.parts:
            self.need(self.is_frame(part.offset, part.type, part.bytes), 41, part.offset, "a part names no frame: %r" % (part,))
        for table in self.tables:
            if table.sections:
                self.check_table(table)
        for coding in self.root.codings:
            if coding.offset not in self.damaged:
                is_dict = coding.codec == 1 and self.is_frame(coding.offset, DICT, coding.bytes, coding.coding, coding.codec)
                if self.need(is_dict, 51, coding.offset, "coding %d names no DICT" % coding.coding):
                    self.trying(self.dictionary, coding.coding)
        meta, size = self.root.meta_offset, self.root.meta_bytes
        fits = meta and meta not in self.damaged and self.is_frame(meta, META, size) and size <= 1 << 24
        if self.need(fits or not meta or meta in self.damaged, 69, meta, "no META of %d bytes" % size) and fits:
            self.trying(read_meta, self.file, self.root)
        self.dead, self.attached = bytearray(self.count), bytearray(self.count)
        for mask in self.of(MASK):
            self.check_mask(mask)
        self.check_entries()
        for run in self.of(RUN):
            self.trying(self.check_names, run)
        self.check_slots()
        for column in self.root.columns:
            for table in self.of(RUN) + self.of(COLUMN):
                self.trying(self.check_values, table, column)
            self.trying(self.check_dictionary, column)

    def is_frame(self, at, *wanted):
        """Whether a frame of this type, size, coding and format is at a place; of a damaged one its own finding tells."""
        frame = self.frames.get(at)
        found = (frame.type, frame.stored_bytes, frame.coding, frame.format) if frame else ()
        return at in self.damaged or found[:len(wanted)] == wanted

    def check_table(self, table):
        """Blocks, their list, and gaps (rules 38, 40). What they hold is looked at whatever their hashes say."""
        blocks, place = up(table.data_bytes, 4096) // 4096, table.at + table.data_bytes
        self.need(self.file.hash(place, 16 * blocks) == table.list_hash, 40, place, "list_hash")
        for block in range(blocks):
            table.check_block(block, self.need)
        for end in [section.end for section in table.sections]:
            self.need(self.file.is_zero(table.at + end, -end % 64), 38, table.at + end, "a gap is not zero")

    def check_mask(self, mask):
        """(rule 62)"""
        first, counts, listed, ranks = mask.part.first, [0, 0], 0, []
        for kind, states in ((DEAD, self.dead), (ATTACHED, self.attached)):
            section = mask.find(kind)
            self.need(not section or not mask.bits_past_the_end(section), 62, mask.at, "bits past the end of a MASK")
            for row, bit in enumerate(mask.bits(section) if section else b""):
                if bit and first + row < self.count:
                    states[first + row] = 1
        for ordinal in range(first, min(mask.part.end, self.count)):
            ranks += [(listed,)] if (ordinal - first) % 2048 == 0 else []
            dead, attached = self.dead[ordinal], self.attached[ordinal]
            counts = [counts[0] + dead, counts[1] + (attached and not dead)]
            listed += not dead and not attached
        self.need(counts == [mask.part.dead, mask.part.attached], 62, mask.at, "%d dead, %d attached" % tuple(counts))
        self.need(list(mask.elements(mask.find(RANK), "<I"))[:len(ranks)] == ranks, 62, mask.at, "RANK")

    # -------------------------------------------------------------- entries (rules 42 to 47, 65, 70)

    def check_entries(self):
        self.claimed, self.entered, self.sums = bytearray(self.count), bytearray(self.count), [0, 0, 0]
        runs, complete = [table for table in self.tables if table.part.type == RUN], True
        for run in runs:
            for ordinal, at, fields in self.entries(run) if run.sections else []:
                complete &= ordinal < self.count
                if ordinal < self.count:
                    self.check_entry(Image(ordinal, at, fields))
            if not run.sections:
                complete = False
                self.claimed[run.part.first:run.part.end] = b"\1" * len(self.claimed[run.part.first:run.part.end])
        frames = [(ordinal, self.kinds[ordinal], self.offsets[ordinal]) for ordinal in range(self.count)
                  if self.kinds[ordinal] and not self.claimed[ordinal]]
        for ordinal, kind, at in frames + [(frame.ordinal, frame.type, at) for at, frame in self.spares.items() if frame]:
            self.need(False, 45 if kind == IMAGE else 47, at, "no entry of its ordinal designates this frame", ordinal)
        root = self.root
        counts = [root.listed_count, root.dead_count, root.live_bytes]
        self.need(not complete or self.sums == counts, 65, root.offset, "%s, not %s" % (counts, self.sums))

    def check_entry(self, image):
        need, at, ordinal = self.need, image.at, image.ordinal
        kind, own = self.kinds[ordinal], self.offsets[ordinal]
        if image.aliased:
            if need(kind == ALIAS or self.damaged and not kind, 47, at, "ALIASED without an ALIAS frame", ordinal) and kind:
                self.claimed[ordinal] = 1
                self.check_alias(image, read_frame(self.file, self.header, own, self.silent))
        elif kind == IMAGE and own == image.offset:
            self.claimed[ordinal] = 1
            frame = read_frame(self.file, self.header, own, self.silent)
            need(frame.units == image.units, 42, at, "header_units is %d, not %d" % (image.units, frame.units), ordinal)
            need((frame.stored_bytes, frame.format, frame.coding) == (image.stored_bytes, image.format, image.coding), 43, at,
                 "stored_bytes, format or coding are not those of the frame", ordinal)
            need(not self.hashed[ordinal] or self.hashes[16 * ordinal:16 * ordinal + 16] == image.hash, 70, at,
                 "the hash of the original bytes", ordinal)
        else:
            self.check_elsewhere(image)
        need(image.flags < 4, 42, at, "bits of loc", ordinal)
        need(image.is_attachment == self.attached[ordinal], 62, at, "the flag ATTACHMENT is not as in the MASK", ordinal)
        need(not kind or self.named[ordinal] or image.is_attachment, 53, at, "no name", ordinal)
        dead = self.dead[ordinal]
        self.sums[0] += not dead and not image.is_attachment
        self.sums[1] += dead
        self.sums[2] += 0 if dead else image.stored_bytes
        if not image.aliased:
            self.hashes[16 * ordinal:16 * ordinal + 16], self.entered[ordinal] = image.hash, 1

    def check_elsewhere(self, image):
        """An entry that does not designate the frame of its ordinal."""
        spare, frame = self.spares.get(image.offset), None
        if spare and spare.type == IMAGE and spare.ordinal == image.ordinal:
            self.spares[image.offset] = None  # claimed; the other frame breaks rule 45
            return
        try:
            frame = spare or read_frame(self.file, self.header, image.offset, self.silent)
        except Fault:
            pass  # no frame
        kept = spare or frame and frame.ordinal < self.count and self.offsets[frame.ordinal] == image.offset
        seen = kept and frame.type == IMAGE
        self.need(not seen, 44, image.at, "an entry names the frame of another image", image.ordinal)
        self.need(seen or image.offset in self.damaged, 42, image.at, "an entry names no IMAGE frame", image.ordinal)

    def check_alias(self, image, frame):
        need, at, ordinal = self.need, image.at, image.ordinal
        target = int.from_bytes(self.file.read(frame.payload, 4), "little") if frame.stored_bytes == 8 else 0
        if not need(frame.format == image.format and target < ordinal and self.kinds[target] != ALIAS, 47, at,
                    "an alias of image %d" % target, ordinal) or not self.kinds[target]:
            return  # of a target without a frame all is said
        other = read_frame(self.file, self.header, self.offsets[target], self.silent)
        need((other.offset, other.units, other.stored_bytes, other.format, other.coding) ==
             (image.offset, image.units, image.stored_bytes, image.format, image.coding) and
             (not self.entered[target] or self.hashes[16 * target:16 * target + 16] == image.hash), 47, at,
             "the entry is not as that of image %d" % target, ordinal)

    # -------------------------------------------------------------- names and content (rules 53 to 59, 67)

    def check_names(self, run):
        for ordinal, name in enumerate(run.groups(run.find(NAME_TEXT)), run.part.first):
            if ordinal >= self.count:
                break
            place = self.offsets[ordinal]
            self.need(not name or is_name(name), 53, place, "not a valid name", ordinal)
            same = not self.kinds[ordinal] or name_hash(name, self.header.name_seed) == self.names[ordinal]
            self.need(same, 55, place, "NAME_TEXT has another name than the frame", ordinal)

    def slots(self, table, kind, form, bits, rules):
        """(hash, ordinal, fields, table) of the slots; their order, places and number are checked (rules 57, 59, 67)."""
        section, at = table.find(kind), table.part.offset
        before, following, most, keys = None, 0, 0, 0
        self.need(up(table.part.count * 100, 95) // 95 <= section.extra <= 2 * table.part.count + 4, rules[1], at,
                  "slot_count %d for %d keys" % (section.extra, table.part.count))
        for index, fields in enumerate(table.elements(section, form)):
            if any(fields):
                hashed, ordinal = (fields[0] >> 24, fields[1]) if bits == 40 else (fields[0], fields[1] - 1 & 0xFFFFFFFF)
                home = hashed * section.extra >> bits
                self.need((before is None or (hashed, ordinal) > before) and index == max(home, following), rules[0], at,
                          "slot %d is not in its place" % index, ordinal)
                before, following, most, keys = (hashed, ordinal), index + 1, max(most, index - home), keys + 1
                self.need(ordinal < self.count, rules[1], at, "a slot names image %d" % ordinal)
                yield hashed, ordinal, fields, at
        fits = keys == table.part.count and section.count == section.extra + most
        self.need(fits, rules[0], at, "%d keys, max_disp is %d" % (keys, most))

    def check_slots(self):
        """All NAMES tables side by side, in order of hash, so that equal names meet."""
        self.found, tables = bytearray(self.count), [table for table in self.tables if table.part.type == NAMES]
        slots = [self.slots(table, NAME_SLOTS, "<QII", 40, (57, 59)) for table in tables if table.sections]
        for _, group in itertools.groupby(heapq.merge(*slots, key=lambda slot: slot[0]), lambda slot: slot[0]):
            names = {}
            for slot in group:
                ordinal, name = slot[1], self.check_name_slot(*slot)
                twin = names.setdefault(name, ordinal)
                self.need(not name or twin == ordinal, 54, slot[3], "the name of image %d stands twice" % twin, ordinal)
        for ordinal in range(self.count) if all(table.sections for table in tables) else []:
            found = self.found[ordinal] or not self.named[ordinal] or self.dead[ordinal]
            self.need(found, 58, self.offsets[ordinal], "a name without a slot", ordinal)
        for table in self.of(CONTENT):
            for hashed, ordinal, _, at in self.slots(table, CONTENT_SLOTS, "<II", 32, (67, 67)):
                right = ordinal >= self.count or self.kinds[ordinal] != ALIAS and (
                    not self.entered[ordinal] or low64(self.hashes[16 * ordinal:16 * ordinal + 8]) >> 32 == hashed)
                self.need(right, 67, at, "a content slot is not that of its entry", ordinal)

    def check_name_slot(self, hashed, ordinal, fields, table):
        """The name of a slot that leads to it, when the image is not dead (rules 58, 59)."""
        need, at, lenclass = self.need, ((fields[0] & 0xFFFF) << 32 | fields[2]) * 8, fields[0] >> 16 & 255
        if ordinal >= self.count or not self.kinds[ordinal] or self.offsets[ordinal] != at:
            need(ordinal >= self.count or at in self.damaged, 59, table, "the frame of the image is not at %d" % at, ordinal)
            return None
        frame = read_frame(self.file, self.header, at, self.silent)
        right = need(frame.name and hashed == self.names[ordinal] >> 24, 59, table, "hash of a slot", ordinal)
        need(lenclass == length_class(frame.bytes), 59, table, "lenclass of a slot", ordinal)
        if self.dead[ordinal]:
            return None
        need(not self.found[ordinal], 58, table, "a second slot of the name", ordinal)
        self.found[ordinal] = 1
        return frame.name if right else None

    # -------------------------------------------------------------- columns (rules 61, 68)

    def check_values(self, table, column):
        values, validity, ordinal = self.column_in(table, column), table.find(VALIDITY, column.id), table.part.first
        try:
            for raw, valid in values or []:
                empty = not raw if column.in_groups else not any(raw)
                fine = value_fits(column, raw, self.root.ordinal_count) if valid else empty
                self.need(fine, 61, table.at, "a value of column %d" % column.id, ordinal)
                ordinal += 1
        finally:  # behind the last value there may be a fault of the groups, too
            past = ordinal == table.part.end and validity and table.bits_past_the_end(validity)
            self.need(not past, 61, table.at, "bits past the end of VALIDITY")

    def check_dictionary(self, column):
        seen, tables = [], [table for table in self.of(VALUES) if table.part.column == column.id and column.type == DICTIONARY]
        for table in tables:
            section = table.find(GROUPS, column.id)
            self.trying(self.take_values, table.groups(section) if section else [], seen)
        fine = None not in seen and len(set(seen)) == len(seen)
        self.need(fine, 68, self.root.offset, "column %d: a value twice, or no text" % column.id)

    def take_values(self, values, seen):
        seen.extend(xxh(value) if is_utf8(value) else None for value in values)
