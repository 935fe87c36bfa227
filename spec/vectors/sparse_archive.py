# SPDX-License-Identifier: Apache-2.0
"""Archives with holes: as long as the format allows, in a few pages of a disk. A hole reads as zeros and is never held in memory.

Where a file system refuses a file of that length, another one of this machine is tried, and what none carries is told."""
import hashlib
import os
import pathlib
import shutil

import constants as c
from archive_builder import ArchiveBuilder, Run
from checksum import Zeros, hash128, round_up
from frame import Frame
from root import Part
from table import Footer, Section

OTHER_PLACES = ("/dev/shm", "/tmp", "/var/tmp")  # tmpfs takes any length, ext4 up to 16 TiB


class Body:
    """What follows the head: bytes at their places, and holes between them."""

    def __init__(self):
        self.pieces, self.size = [], 0

    def __len__(self):
        return self.size

    def __iadd__(self, data):
        self.put(self.size, data)
        self.size += len(data)
        return self

    def put(self, at, data):
        self.pieces.append((at, bytes(data)))


class LateImages(list):
    """The images from an ordinal on; those before it stand in a run that is a hole."""

    def __init__(self, first):
        super().__init__()
        self.first = first

    def __len__(self):
        return self.first + super().__len__()

    def __getitem__(self, at):
        if isinstance(at, slice):
            return super().__getitem__(slice(max(0, (at.start or 0) - self.first),
                                             None if at.stop is None else max(0, at.stop - self.first)))
        return super().__getitem__(at - self.first)


class SparseArchive(ArchiveBuilder):
    def __init__(self, **options):
        super().__init__(**options)
        self.body = Body()

    def _place(self, frame):
        if not isinstance(frame.payload, Zeros):
            return super()._place(frame)
        self.body += frame.encode_header(self.header.uuid)
        self.body.size += round_up(len(frame.payload), c.UNIT)
        return None

    def hole(self, end):
        """Zeros up to there, which are no frame: rule 13."""
        self.body.size += end - self.end

    def pads(self, end, **fields):
        """PAD frames up to there; fields of each."""
        while self.end < end:
            payload = min(end - self.end, c.STORED_LIMIT - c.UNIT) - c.FRAME_HEADER_BYTES
            self.append(Frame(c.FrameType.PAD, Zeros(payload), **fields))

    def first_run(self, count):
        """A RUN of ordinals from 0 of which nothing is written but the tail; the next image is number `count`."""
        entries = Section(c.Kind.ENTRIES, b"", count, c.ENTRY_BYTES, offset=0, bytes=c.ENTRY_BYTES * count)
        names = Section(c.Kind.NAME_TEXT, b"", count, extra=1, bytes=4 * count + c.GROUP_RECORD_BYTES, raw_bytes=4 * count,
                        offset=round_up(entries.bytes, c.TABLE_ALIGNMENT))
        data_bytes = round_up(names.offset + names.bytes, c.TABLE_ALIGNMENT)
        footer = Footer(c.FrameType.RUN, 2, 0, 0, count, data_bytes, hash128(b""))
        tail = entries.encode_descriptor() + names.encode_descriptor() + footer.encode()
        size = data_bytes + round_up(data_bytes, c.BLOCK_BYTES) // c.BLOCK_BYTES * 16 + len(tail)
        frame = self.append(Frame(c.FrameType.RUN, Zeros(size), stored_hash=0), c.TABLE_ALIGNMENT)
        self.body.put(frame.payload_offset - c.HEAD_BYTES + size - len(tail), tail)
        self.runs = [Run(0, count, Part(c.FrameType.RUN, 2, frame.offset, size, hash128(tail), count=count))]
        self.images, self.committed, self.named, self.indexed = LateImages(count), count, count, count
        self.edit("root", lambda root: setattr(root, "listed_count", root.listed_count + count), None)

    def save(self, path, more=0):
        """The file, and so many bytes more; OSError when the file system refuses its length."""
        with open(path, "wb") as file:
            os.truncate(file.fileno(), self.end + more)
            for at, data in [(0, self.head())] + [(c.HEAD_BYTES + at, data) for at, data in self.body.pieces]:
                os.pwrite(file.fileno(), data, at)


def other_place(folder, place):
    """Where files of a folder lie that its own file system refuses."""
    return pathlib.Path(place) / ("aimg-sparse-" + hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16])


def remove(folder):
    for path in [folder] + [other_place(folder, place) for place in OTHER_PLACES]:
        shutil.rmtree(path, ignore_errors=True)


def save(archive, folder, name, more=0, read_whole=False):
    """Writes folder/name, a path, which is a link when another file system has it. None, or why it could not be. A file that will
    be read as a whole is put into memory where that can be: holes are read there 50 times as fast."""
    path, why = folder / name, ""
    places = [path] + [other_place(folder, place) / name for place in OTHER_PLACES]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    for place in places[1:2] + places[:1] if read_whole else places:
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            archive.save(place, more)
        except OSError as refused:
            why = why or "%s: %s" % (place.parent, refused.strerror)
            if place.exists():
                place.unlink()
            continue
        if place != path:
            path.symlink_to(place)
        return None
    return "no file system here takes a file of %d bytes (%s)" % (archive.end + more, why)
