#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reads aimg archives, and finds the rules that one breaks. Written from SPEC.md and REGISTRY.md alone, as a second opinion and
to be read: aimg_reader/container.py, index.py, validator.py. Needs xxhash and zstandard, nothing else.

reader.py list ARCHIVE        a line an image: position, ordinal, format, bytes, name
reader.py get ARCHIVE NAME    the bytes of an image; @N: of the image at position N
reader.py verify ARCHIVE      a line a fault: rule N at OFFSET (image K): what

Exit 0: done, valid. 1: not valid, or no such image. 2: wrong usage. 4: it cannot be opened, is no archive, or an image of it
cannot be read."""
import itertools
import os
import re
import struct
import sys

import xxhash

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from aimg_reader.container import (  # noqa: E402
    COLUMN, COLUMNS, CONTENT, CONTENTS, IMAGE, KNOWN_INCOMPAT, MASK, MASKS, NAMES, RUN, VALUES, ZSTD, ZSTD_DICT, Fault, File,
    Memory, extensions, is_name, is_utf8, last_commit, low64, must, read_frame, read_header)
from aimg_reader.index import (  # noqa: E402
    ATTACHED, BYTES, CODES, DEAD, DICTIONARY, GROUPS, NAME_SLOTS, NAME_TEXT, UTF8, Image, Index, name_hash, read_meta, read_root,
    value_fits)
from aimg_reader.validator import Validator  # noqa: E402

EXIT_DONE, EXIT_NO, EXIT_USAGE, EXIT_ARCHIVE = 0, 1, 2, 4
FORMATS = "unknown jpeg png gif webp bmp tiff pnm avif heif jxl jp2 ico qoi psd exr hdr".split()


def verify(path):
    """The findings of a validator, each with rule, offset, image, what and warning; none but warnings: the archive is valid."""
    return Validator(path if isinstance(path, File) else File(path)).run()


class Archive(Index):
    """A file as a reader has it. Raises Fault where rules do not let it open it, or hand something out."""

    def __init__(self, path):
        super().__init__(path if isinstance(path, File) else File(path))
        self.header = read_header(self.file)
        self.commit, self.end = last_commit(self.file, self.header)
        unknown = self.commit.incompat & ~KNOWN_INCOMPAT if self.commit else 0
        if unknown:
            raise Fault(32, self.commit.offset, "unknown incompat bits: %#x" % unknown, status="unsupported")
        if self.commit:
            must(self.commit.root_offset > self.commit.prev_offset, 31, self.commit.offset, "ROOT is not of the batch")
            self.root = read_root(self.file, self.commit)
            self.open_tables(must)
            self.check_features()
            for mask in self.of(MASK):
                for kind, bits in ((DEAD, mask.part.dead), (ATTACHED, mask.part.attached)):
                    must(mask.find(kind) or not bits, 62, mask.part.offset, "%d bits of kind %d without a section" % (bits, kind))
            dead, attached = (sum(getattr(part, kind) for part in self.root.of(MASK)) for kind in ("dead", "attached"))
            counts = (self.root.listed_count, self.root.dead_count)
            must(counts == (self.root.ordinal_count - dead - attached, dead), 65, self.root.offset,
                 "%d listed, %d dead are not what the masks leave" % counts)

    def check_features(self):
        """(rule 32, as far as ROOT and the tails of tables tell)"""
        coded = any(section.codec for table in self.tables for section in table.sections)
        incompat = (ZSTD if coded else 0) | (ZSTD_DICT if self.root.codings else 0) | (MASKS if self.root.of(MASK) else 0)
        ro_compat = (COLUMNS if self.columns else 0) | (CONTENTS if self.root.of(CONTENT) else 0)
        must(not incompat & ~self.commit.incompat and not ro_compat & ~self.commit.ro_compat, 32, self.commit.offset,
             "features are used that are not declared")

    columns = property(lambda self: self.root.columns if self.root else [])
    meta = property(lambda self: read_meta(self.file, self.root) if self.root else {})
    images = property(lambda self: [image for image in self.every_image() if image.listed])  # by position
    names = property(lambda self: [self.name_of(image).decode() for image in self.images])

    def verify(self):
        return Validator(self.file).run()

    def every_image(self):
        """All, also the dead and the attachments, in order of ordinal."""
        for run in self.of(RUN):
            yield from self.images_of(run)

    def images_of(self, run):
        masks = [mask for mask in self.of(MASK) if mask.part.first == run.part.first]
        bits = [masks[0].bits(masks[0].find(kind)) if masks else itertools.repeat(0) for kind in (DEAD, ATTACHED)]
        for entry, name, dead, attached in zip(self.entries(run), run.groups(run.find(NAME_TEXT)), *bits):
            yield Image(*entry, name, dead, attached)

    def name_of(self, image):
        """A name that may be handed out."""
        must(not image.name or is_name(image.name), 53, image.at, "not a valid name", image.ordinal)
        return image.name

    def image(self, ordinal):
        run = next(run for run in self.of(RUN) if run.part.first <= ordinal < run.part.end)
        return next(itertools.islice(self.images_of(run), ordinal - run.part.first, None))

    def at_position(self, position):
        for run in self.of(RUN):
            masks = [mask.part for mask in self.of(MASK) if mask.part.first == run.part.first]
            listed = run.part.count - sum(part.dead + part.attached for part in masks)
            if position < listed:
                return next(itertools.islice((image for image in self.images_of(run) if image.listed), position, None), None)
            position -= listed
        return None

    def find(self, name):
        """The image of a name (bytes), looked up in the slots (6.2), or None."""
        hash40 = name_hash(name, self.header.name_seed) >> 24
        for table in self.of(NAMES):
            section = table.find(NAME_SLOTS)
            home = hash40 * section.extra >> 40
            for index in range(home, home + section.count - section.extra + 1):
                key, ordinal, low = struct.unpack("<QII", table.read(section.offset + 16 * index, 16))
                if not (key or ordinal or low) or key >> 24 > hash40:
                    break
                if key >> 24 == hash40 and ordinal < self.root.ordinal_count:
                    frame = read_frame(self.file, self.header, ((key & 0xFFFF) << 32 | low) * 8)
                    image = self.image(ordinal) if (frame.name, frame.ordinal) == (name, ordinal) else None
                    if image and not image.dead:
                        return image
        return None

    def frame_of(self, image):
        """The frame with the bytes of an image, checked but for the bytes themselves (rules 13, 15, 22, 42 to 44, 50)."""
        frame, at, ordinal = read_frame(self.file, self.header, image.offset), image.at, image.ordinal
        must(frame.type == IMAGE and frame.units == image.units, 42, at, "an entry names another frame", ordinal)
        must(image.aliased or frame.ordinal == ordinal, 44, at, "the frame is that of image %d" % frame.ordinal, ordinal)
        must((frame.stored_bytes, frame.format, frame.coding) == (image.stored_bytes, image.format, image.coding), 43, at,
             "stored_bytes, format or coding are not those of the frame", ordinal)
        must(frame.coding or frame.raw_bytes == frame.stored_bytes, 50, at, "raw_bytes of a stored image", ordinal)
        extensions(frame)
        return frame

    def pieces(self, image):
        """The bytes of an image; all are checked before the first is given (rules 18, 49, 70)."""
        frame, state = self.frame_of(image), xxhash.xxh3_128()
        must(low64(self.file.hash(frame.payload, frame.stored_bytes)) == frame.stored_hash, 18, frame.offset, "stored_hash",
             image.ordinal)
        for piece in self.decoded(frame, image.ordinal):
            state.update(piece)
        must(state.intdigest().to_bytes(16, "little") == image.hash, 70, image.at, "hash of an image", image.ordinal)
        return self.decoded(frame, image.ordinal)

    def read(self, image):
        return b"".join(self.pieces(image))

    def values(self, column):
        """The values of a column by ordinal, None where there is none (6.1)."""
        found, texts = [], []
        for table in [table for table in self.of(VALUES) if table.part.column == column.id]:
            for value in table.groups(table.find(GROUPS, column.id)):
                must(is_utf8(value), 68, table.at, "a value of column %d is no text" % column.id)
                texts.append(value.decode())
        for run in self.of(RUN):
            tables = [run] + [table for table in self.of(COLUMN) if table.part.first == run.part.first]
            newest = sorted(tables, key=lambda table: table.part.offset, reverse=True)
            rows = next(filter(None, (self.column_in(table, column) for table in newest)), None)
            found += [None] * run.part.count if rows is None else [
                self.value_of(column, raw, texts) if valid else None for raw, valid in rows]
        return found

    def value_of(self, column, raw, texts):
        """A value (8): a number, text or bytes; a list of numbers for a vector; a list of these for a LIST."""
        must(value_fits(column, raw, self.root.ordinal_count), 61, self.root.offset, "a value of column %d" % column.id)
        if column.type in (UTF8, BYTES):
            return raw.decode() if column.type == UTF8 else raw
        if column.is_list:
            return [element_of(column, raw[at:at + column.bytes]) for at in range(0, len(raw), column.bytes)]
        value = element_of(column, raw.ljust(column.bytes, b"\0"))
        return texts[value] if column.type == DICTIONARY else value


def element_of(column, raw):
    numbers = struct.unpack("<%d%s" % (column.width, CODES[column.type]), raw)
    return numbers[0] if column.width == 1 else list(numbers)


# ------------------------------------------------------------------ commands

def shown(name):
    """A name as a terminal may have it: what is not printable, or not UTF-8, as \\xNN or \\uNNNN."""
    text = name.decode("utf-8", "backslashreplace")
    return re.sub(r"[^\x20-\x7e]", lambda found: found[0] if found[0].isprintable() else ascii(found[0])[1:-1], text)


def print_list(path):
    archive = Archive(path)
    listed = (image for image in archive.every_image() if image.listed)
    for position, image in enumerate(listed):
        kind = FORMATS[image.format] if image.format < len(FORMATS) else str(image.format)
        size = archive.frame_of(image).raw_bytes if image.coding else image.stored_bytes
        print(position, image.ordinal, kind, size, shown(archive.name_of(image)))
    return EXIT_DONE


def print_image(path, word):
    archive = Archive(path)
    image = archive.at_position(int(word[1:])) if re.fullmatch("@[0-9]{1,18}", word) else archive.find(os.fsencode(word))
    if image is None:
        print("reader.py: %s: there is no image %s" % (path, shown(os.fsencode(word))), file=sys.stderr)
        return EXIT_NO
    for piece in archive.pieces(image):
        sys.stdout.buffer.write(piece)
    return EXIT_DONE


def print_findings(path):
    findings = verify(path)
    for finding in findings:
        print(finding)
    if findings and findings[0].rule <= 3:
        return EXIT_ARCHIVE  # nothing that can be read
    return EXIT_NO if any(not finding.warning for finding in findings) else EXIT_DONE


def main(words):
    verbs = {"list": (print_list, 2), "get": (print_image, 3), "verify": (print_findings, 2)}
    verb, count = verbs.get(words[0] if words else "", (None, None))
    if len(words) != count:
        print(__doc__, file=sys.stderr)
        return EXIT_USAGE
    if sys.stdout is None:
        print("reader.py: standard output is closed", file=sys.stderr)
        return EXIT_ARCHIVE
    try:
        code = verb(*words[1:])
        sys.stdout.flush()
        return code
    except Fault as fault:
        print("reader.py: %s: %s: %s" % (words[1], fault.status, fault), file=sys.stderr)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as trouble:
        print("reader.py: %s" % trouble, file=sys.stderr)
    except MemoryError:
        print("reader.py: %s: not enough memory" % words[1], file=sys.stderr)
    return EXIT_ARCHIVE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
