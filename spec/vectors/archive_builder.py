# SPDX-License-Identifier: Apache-2.0
"""Writes archives from nothing but SPEC.md, with every structure of it.

An ArchiveBuilder is used like a writer: add, alias, remove, commit, then bytes(). Before a structure is encoded it is handed
to the edits that were registered for its stage, so an edit changes one thing and every checksum above it is of the changed
bytes. Stages:

header (Header), hint (Hint), frame (Frame, at its offset, any type), entries (list of Entry), names (Groups), slots (SlotTable),
content (SlotTable), mask (dict), sections (Table, before its frame), part (Part), meta (Meta), root (Root), commit
(CommitPage)."""
from dataclasses import dataclass, field
from typing import Dict, List, Optional

import constants as c
import zstd_frame
from checksum import hash128, round_up, u
from column_values import column_sections
from frame import CommitPage, Frame
from head import Header, Hint, Params
from root import Coding, Column, Meta, Part, Root
from slots import ContentSlot, Entry, NameSlot, SlotTable, hash32, hash40, lenclass
from table import Groups, Section, Table, bitmap

UUID = bytes(range(0xA0, 0xB0))
SALT = 0x5A175A17
TIME_NS = 1_700_000_000_000_000_000


@dataclass
class Image:
    ordinal: int
    name: bytes
    data: bytes
    format: int
    coding: int
    stored: bytes
    attachment: bool
    values: Dict[int, object]
    frame: Frame
    target: Optional["Image"] = None
    dead: bool = False

    @property
    def holder(self):
        """The image whose IMAGE frame holds the bytes."""
        return self.target or self


@dataclass
class Run:
    first: int
    count: int
    part: Part
    mask: Optional[Part] = None
    masked: Optional[list] = None
    columns: List[Part] = field(default_factory=list)


class ArchiveBuilder:
    def __init__(self, alignment_log2=c.ALIGNMENT_LOG2_MIN, uuid=UUID, name_seed=0x1122334455667788, text_codec=c.CODEC_NONE):
        self.header = Header(uuid, Params(alignment_log2, name_seed=name_seed), created_ns=TIME_NS)
        self.edits, self.calls = {}, {}
        self.body = bytearray()
        self.salt, self.time_ns = SALT, TIME_NS
        self.text_codec = text_codec
        self.images, self.runs, self.columns, self.codings, self.commits, self.frames = [], [], [], {}, [], []
        self.committed = self.named = self.indexed = 0
        self.name_parts, self.content_parts, self.value_parts, self.values_written = [], [], [], {}
        self.meta_frame = None
        self.compat = self.ro_compat = self.incompat = 0
        self.hints = {}
        self.narrow = {}
        self.group_bytes = c.GROUP_CLOSE_BYTES
        self.table_alignment = c.TABLE_ALIGNMENT
        self.slot_counts = None  # function from keys to slot_count

    # edits

    def edit(self, stage, function, at=0):
        """Calls function with the at-th structure of that stage, or with all of them when at is None."""
        self.edits.setdefault(stage, []).append((at, function))

    def edit_frames(self, frame_type, function, at=0):
        """As edit, counting frames of one type."""
        self.edit("frame %d" % frame_type, function, at)

    def _edit(self, stage, subject):
        call = self.calls.get(stage, 0)
        self.calls[stage] = call + 1
        for at, function in self.edits.get(stage, []):
            if at is None or at == call:
                function(subject)

    # frames

    @property
    def end(self):
        return c.HEAD_BYTES + len(self.body)

    def append(self, frame, alignment=c.UNIT):
        """Places the frame so that its payload begins at a multiple of alignment."""
        gap = -(self.end + frame.units * c.UNIT) % alignment
        self.pad(gap if gap == 0 or gap >= c.FRAME_HEADER_BYTES else gap + round_up(c.FRAME_HEADER_BYTES - gap, alignment))
        frame.offset, frame.salt = self.end, self.salt
        self._edit("frame", frame)
        self._edit("frame %d" % frame.type, frame)
        self._place(frame)
        self.frames.append(frame)
        return frame

    def _place(self, frame):
        self.body += frame.encode(self.header.uuid)

    def pad(self, total_bytes):
        if total_bytes:
            self.append(Frame(c.FrameType.PAD, bytes(total_bytes - c.FRAME_HEADER_BYTES)))

    # what a user does

    def add(self, name, data, format=c.Format.UNKNOWN, coding=c.CODING_STORE, stored=None, attachment=False, ext=b"", **values):
        ordinal = len(self.images)
        name = name.encode() if isinstance(name, str) else name
        if stored is None:
            stored = self._encode(data, coding)
        self.incompat |= c.Incompat.ZSTD * (coding != c.CODING_STORE)
        frame = Frame(c.FrameType.IMAGE, stored, ordinal, name=name, format=format, coding=coding, ext=ext, raw_bytes=len(data))
        self.append(frame, self.header.params.alignment)
        self.images.append(Image(ordinal, name, data, format, coding, stored, attachment, self._by_id(values), frame))
        return ordinal

    def alias(self, name, target, attachment=False, ext=b"", **values):
        ordinal, target = len(self.images), self.images[target]
        name = name.encode() if isinstance(name, str) else name
        self.incompat |= c.Incompat.ALIAS
        frame = Frame(c.FrameType.ALIAS, u(target.ordinal, 4) + bytes(4), ordinal, name=name, format=target.format, ext=ext)
        self.append(frame)
        self.images.append(Image(ordinal, name, target.data, target.format, target.coding, target.stored, attachment,
                                 self._by_id(values), frame, target))
        return ordinal

    def remove(self, ordinal):
        self.images[ordinal].dead = True

    def define(self, name, type, width=1, is_list=False, narrow=None, id=None):
        self.columns.append(Column(id or len(self.columns) + 1, name.encode(), type, is_list, width))
        self.narrow[self.columns[-1].id] = narrow
        self.ro_compat |= c.RoCompat.COLUMNS
        return self.columns[-1]

    def dictionary(self, number, content, trained=False):
        """A DICT and the coding that it defines."""
        frame = self.append(Frame(c.FrameType.DICT, content, format=c.CODEC_ZSTD_DICT, coding=number))
        self.codings[number] = (Coding(number, frame.offset, len(content), hash128(content)), content, trained)
        self.incompat |= c.Incompat.ZSTD_DICT

    def meta(self, pairs):
        self.meta_pairs = pairs
        meta = Meta([(key.encode(), value.encode()) for key, value in sorted(pairs.items(), key=lambda pair: pair[0].encode())])
        self._edit("meta", meta)
        self.meta_frame = self.append(Frame(c.FrameType.META, meta.encode()))

    def column_table(self, run, values):
        """COLUMN table for a committed run; values: column name to list of values."""
        run, sections = self.runs[run], []
        for name, column_values in values.items():
            column = self._column(name)
            for image, value in zip(self.images[run.first:run.first + run.count], column_values):
                image.values[column.id] = value
            sections += self._column_sections(column, column_values)
        table = Table(c.FrameType.COLUMN, sections, first=run.first, count=run.count)
        run.columns.append(self._append_table(table))

    def commit(self, message="", merge_runs_from=None, merge_names=False, content=False, merge_content=False, sealed=False,
               hint=True, gap_ns=1_000_000_000):
        self._write_run(merge_runs_from)
        self._write_masks()
        self._write_names(merge_names)
        if content:
            self._write_content(merge_content)
        self._write_values()
        root_frame = self._write_root()
        gap = -self.end % c.PAGE_BYTES
        self.pad(gap if gap == 0 or gap >= c.FRAME_HEADER_BYTES else gap + c.PAGE_BYTES)
        self.time_ns += gap_ns
        self._write_commit(root_frame, message.encode() if isinstance(message, str) else message, sealed, hint)

    def new_session(self):
        self.salt = (self.salt * 2654435761 + 1) & 0xFFFFFFFF

    def bytes(self):
        return self.head() + bytes(self.body)

    def head(self):
        self._edit("header", self.header)
        pages = {0: bytes(c.PAGE_BYTES), 1: bytes(c.PAGE_BYTES)}
        for hint in self.hints.values():
            self._edit("hint", hint)
            pages[hint.page] = hint.encode(self.header.uuid)
        return self.header.encode() + pages[0] + pages[1]

    # images

    def _encode(self, data, coding):
        if coding == c.CODING_STORE:
            return data
        if coding == c.CODING_ZSTD:
            return zstd_frame.compress(data)
        _, dictionary, trained = self.codings[coding]
        return zstd_frame.compress_trained(data, dictionary) if trained else zstd_frame.compress(data, dictionary)

    def _column(self, name):
        return next(column for column in self.columns if column.name == name.encode())

    def _by_id(self, values):
        return {self._column(name).id: value for name, value in values.items()}

    # tables

    def _append_table(self, table):
        self._edit("sections", table)
        self.incompat |= c.Incompat.ZSTD * any(section.codec == c.CODEC_ZSTD for section in table.sections)
        payload = table.encode()
        frame = self.append(Frame(table.type, payload), self.table_alignment)
        return Part(table.type, len(table.sections), frame.offset, len(payload), hash128(table.tail(payload)), table.column,
                    table.first, table.count)

    def _write_run(self, merge_from):
        first = self.committed if merge_from is None else self.runs[merge_from].first
        if merge_from is not None:
            del self.runs[merge_from:]
        count = len(self.images) - first
        if count == 0:
            return
        images = self.images[first:]
        entries = [self._entry(image) for image in images]
        self._edit("entries", entries)
        names = Groups([image.name for image in images], self.text_codec, self.group_bytes)
        self._edit("names", names)
        sections = [Section(c.Kind.ENTRIES, b"".join(entry.encode() for entry in entries), count, c.ENTRY_BYTES),
                    names.section(c.Kind.NAME_TEXT)]
        for column in self.columns:
            sections += self._column_sections(column, [image.values.get(column.id) for image in images])
        self.runs.append(Run(first, count, self._append_table(Table(c.FrameType.RUN, sections, first=first, count=count))))
        self.committed = len(self.images)

    def _column_sections(self, column, values):
        if column.type == c.Type.DICTIONARY:
            values = [None if value is None else self._code(column, value.encode()) for value in values]
        codec = self.text_codec if column.is_list or column.type in (c.Type.UTF8, c.Type.BYTES) else c.CODEC_NONE
        return column_sections(column, values, self.narrow[column.id], codec)

    @staticmethod
    def _code(column, text):
        if text not in column.dictionary:
            column.dictionary.append(text)
        return column.dictionary.index(text)

    @staticmethod
    def _entry(image):
        holder = image.holder
        return Entry(holder.frame.offset, holder.frame.units, len(holder.stored), holder.format, holder.coding,
                     hash128(holder.data),
                     image.target is not None, image.attachment)

    def _write_masks(self):
        for run in self.runs:
            images = self.images[run.first:run.first + run.count]
            state = [(image.dead, image.attachment) for image in images]
            if state == run.masked or (run.mask is None and not any(map(any, state))):
                continue
            run.masked, run.mask = state, self._append_table(self._mask_table(run, images))
            run.mask.dead = sum(image.dead for image in images)
            run.mask.attached = sum(image.attachment and not image.dead for image in images)
            self.incompat |= c.Incompat.MASK

    def _mask_table(self, run, images):
        mask = {c.Kind.DEAD: [image.dead for image in images], c.Kind.ATTACHED: [image.attachment for image in images]}
        listed = [not image.dead and not image.attachment for image in images]
        mask[c.Kind.RANK] = [sum(listed[:row]) for row in range(0, run.count, c.RANK_ROWS)]
        self._edit("mask", mask)
        sections = [Section(kind, bitmap(mask[kind]), run.count) for kind in (c.Kind.DEAD, c.Kind.ATTACHED) if any(mask[kind])]
        ranks = mask[c.Kind.RANK]
        sections.append(Section(c.Kind.RANK, b"".join(u(rank, 4) for rank in ranks), len(ranks), 4))
        return Table(c.FrameType.MASK, sections, first=run.first, count=run.count)

    def _write_names(self, merge):
        if merge:
            self.named, self.name_parts = 0, []
        images = [image for image in self.images[self.named:] if image.name and not (merge and image.dead)]
        self.named = len(self.images)
        slots = [NameSlot(hash40(image.name, self.header.params.name_seed), image.ordinal, image.frame.offset,
                          lenclass(image.frame.total_bytes)) for image in images]
        self.name_parts += self._slot_part(c.FrameType.NAMES, c.Kind.NAME_SLOTS, "slots", slots)

    def _write_content(self, merge):
        if merge:
            self.indexed, self.content_parts = 0, []
        images = [image for image in self.images[self.indexed:] if image.target is None and not (merge and image.dead)]
        self.indexed = len(self.images)
        slots = [ContentSlot(hash32(hash128(image.data)), image.ordinal) for image in images]
        self.content_parts += self._slot_part(c.FrameType.CONTENT, c.Kind.CONTENT_SLOTS, "content", slots)
        self.ro_compat |= c.RoCompat.CONTENT

    def _slot_part(self, frame_type, kind, stage, slots):
        if not slots:
            return []
        table = SlotTable(slots, self.slot_counts(len(slots)) if self.slot_counts else None)
        self._edit(stage, table)
        section = Section(kind, table.encode(), table.total, slots[0].slot_bytes, extra=table.slot_count)
        return [self._append_table(Table(frame_type, [section], count=table.keys))]

    def _write_values(self):
        for column in self.columns:
            first = self.values_written.get(column.id, 0)
            texts = column.dictionary[first:]
            if texts:
                section = Groups(texts, self.text_codec, self.group_bytes).section(c.Kind.GROUPS, column.id)
                table = Table(c.FrameType.VALUES, [section], column.id, first, len(texts))
                self.value_parts.append(self._append_table(table))
                self.values_written[column.id] = len(column.dictionary)

    # root and commit

    def _write_root(self):
        parts = [part for run in self.runs for part in [run.part, run.mask, *run.columns] if part]
        parts = sorted(parts + self.name_parts + self.content_parts + self.value_parts, key=Part.order)
        for part in parts:
            self._edit("part", part)
        committed = self.images[:self.committed]
        dead = sum(image.dead for image in committed)
        listed = sum(not image.dead and not image.attachment for image in committed)
        live_stored = sum(len(image.stored) for image in committed if not image.dead)
        codings = [self.codings[number][0] for number in sorted(self.codings)]
        root = Root(parts, sorted(self.columns, key=lambda column: column.id), codings, self.committed, listed, dead, live_stored)
        if self.meta_frame:
            meta = self.meta_frame
            root.meta_offset, root.meta_bytes, root.meta_hash = meta.offset, len(meta.payload), hash128(meta.payload)
        self._edit("root", root)
        return root, self.append(Frame(c.FrameType.ROOT, root.encode()))

    def _write_commit(self, written_root, message, sealed, hint):
        root, root_frame = written_root
        last = self.commits[-1] if self.commits else None
        page = CommitPage(self.header.uuid, len(self.commits), self.end, self.salt, self.header.params.encode(),
                          ordinal_count=root.ordinal_count, listed_count=root.listed_count, root_offset=root_frame.offset,
                          root_bytes=len(root_frame.payload), root_hash=hash128(root_frame.payload), compat=int(self.compat),
                          ro_compat=int(self.ro_compat), incompat=int(self.incompat), time_ns=self.time_ns,
                          flags=c.FLAG_SEALED * sealed, message=message)
        if last:
            page.prev_offset, page.prev_chain = last.self_offset, last.chain_or_computed()
        page.frame = Frame(c.FrameType.COMMIT, salt=self.salt, offset=self.end)
        self._edit("commit", page)
        self.body += page.encode(self.header.uuid)
        self.commits.append(page)
        if hint and not self.compat & c.Compat.NO_HINTS:
            self.hints[page.seq % 2] = Hint(page.seq, page.self_offset, page.salt)
