#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""make_hostile.py BUILDER FOLDER: archives whose checksums are all right and which are not; BUILDER is spec/vectors."""
import pathlib
import sys

sys.path.insert(0, sys.argv[1])
import constants as c  # noqa: E402
from archive_builder import ArchiveBuilder  # noqa: E402
from checksum import hash128  # noqa: E402
from frame import Frame  # noqa: E402

FOLDER = pathlib.Path(sys.argv[2])
ESCAPE = "\x1b]0;owned\x07\x1b[31mred\x9b2J"
FRAME_0_BYTES = 56  # header of an image with a name of one to eight bytes
LEAVING = ("../escaped", "a/../../escaped", "/tmp/escaped", "..", "C:\\escaped", "a\\..\\..\\escaped", "./escaped", "a//escaped")


def write(name, archive):
    (FOLDER / name).write_bytes(archive.bytes())


def names_that_leave():
    archive = ArchiveBuilder()
    for name in LEAVING:
        archive.add(name, b"escaped")
    archive.add("good", b"good")
    archive.commit()
    write("leaving.aimg", archive)


def shared_bytes(images=2000, size=1 << 20):
    """All entries designate the one large frame: little in the file, much when it is unpacked."""
    archive = ArchiveBuilder()
    archive.add("0", bytes(size))
    for number in range(1, images):
        archive.add(str(number), b"x")

    def share(entries):
        for entry in entries[1:]:
            entry.offset, entry.stored_bytes, entry.hash = entries[0].offset, entries[0].stored_bytes, entries[0].hash

    archive.edit("entries", share)
    archive.commit()
    write("shared.aimg", archive)


def overlapping():
    """The payload of one frame holds a whole frame of another image, which the index designates."""
    inner = ArchiveBuilder()
    inner.add("outer", b"")
    inner.add("inner", b"i" * 1000)
    frame = bytes(inner.body[inner.images[1].frame.offset - c.HEAD_BYTES:])
    archive = ArchiveBuilder()
    archive.add("outer", frame)
    archive.add("inner", b"i" * 1000)

    def point_inside(entries):
        entries[1].offset = entries[0].offset + archive.images[0].frame.units * c.UNIT

    archive.edit("entries", point_inside)
    archive.commit()
    write("overlapping.aimg", archive)


def nested(levels=600):
    """Each frame's payload is all the frames after it: what is unpacked grows with the square of the file."""
    builder, frames = ArchiveBuilder(), []
    for ordinal in reversed(range(levels)):
        payload = b"".join(reversed(frames[-1:])) if frames else b"core"
        frame = Frame(c.FrameType.IMAGE, payload, ordinal, name=b"%d" % ordinal, raw_bytes=len(payload), salt=builder.salt)
        frames.append(frame.encode(builder.header.uuid))
    archive = ArchiveBuilder()
    archive.add("0", frames[-1][FRAME_0_BYTES:])
    for ordinal in range(1, levels):
        archive.add("%d" % ordinal, b"x")
    first = archive.images[0].frame.offset

    def point_inside(entries):
        offset = first
        for ordinal, entry in enumerate(entries):
            payload = frames[levels - 2 - ordinal] if ordinal < levels - 1 else b"core"
            entry.offset, entry.header_units, entry.stored_bytes, entry.hash = offset, 7, len(payload), hash128(payload)
            offset += FRAME_0_BYTES

    archive.edit("entries", point_inside)
    archive.commit()
    write("nested.aimg", archive)


def terminal_escapes():
    archive = ArchiveBuilder()
    archive.define("text", c.Type.UTF8)
    archive.define("label", c.Type.DICTIONARY)
    archive.meta({"key" + ESCAPE: "value" + ESCAPE})
    archive.add("plain", b"\x1b[31m", text=ESCAPE, label=ESCAPE)
    archive.add("name" + ESCAPE, b"x", text="", label="")
    archive.commit("message" + ESCAPE)
    write("escapes.aimg", archive)


def main():
    FOLDER.mkdir(exist_ok=True)
    for make in (names_that_leave, shared_bytes, overlapping, nested, terminal_escapes):
        make()


if __name__ == "__main__":
    main()
