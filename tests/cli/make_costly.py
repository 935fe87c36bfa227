#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""make_costly.py BUILDER FOLDER: small archives that ask a repair for much work; BUILDER is spec/vectors."""
import pathlib
import sys

sys.path.insert(0, sys.argv[1])
import constants as c  # noqa: E402
import zstd_frame  # noqa: E402
from archive_builder import ArchiveBuilder  # noqa: E402
from checksum import u  # noqa: E402
from table import Groups, Section  # noqa: E402

FOLDER = pathlib.Path(sys.argv[2])
LARGEST_GROUP = 1 << 25


def write(name, data):
    (FOLDER / name).write_bytes(data)


def at_the_end_of_a_group(images=3000, texts=LARGEST_GROUP // 4):
    """Each image has the last text of a dictionary of eight million empty ones, which stand in one group."""
    archive = ArchiveBuilder()
    archive.define("label", c.Type.DICTIONARY)
    for number in range(images):
        archive.add(str(number), b"x", label="text")

    def lengthen(table):
        if table.type == c.FrameType.RUN:
            codes = table.section(c.Kind.VALUES, 1)
            codes.data, codes.element_bytes = u(texts - 1, 4) * images, 4
        if table.type == c.FrameType.VALUES:
            raw = bytes(4 * texts)
            stored = zstd_frame.compress(raw)
            data = stored + u(len(stored), 8) + u(texts, 4) + u(len(raw), 4)
            table.sections[0] = Section(c.Kind.GROUPS, data, texts, column=1, codec=c.CODEC_ZSTD, raw_bytes=len(raw), extra=1)
            table.count = texts

    def count(root):
        root.columns[0].dictionary_count = texts

    archive.edit("sections", lengthen, None)
    archive.edit("root", count)
    archive.commit()
    write("dictionary.aimg", archive.bytes())


def one_frame(file_name, data, rows):
    """An index of many images, all with the bytes of one frame, and with their names in one group."""
    archive = ArchiveBuilder()
    archive.add("0", data)

    def lengthen(table):
        if table.type == c.FrameType.RUN:
            names = Groups([b"%x" % row for row in range(rows)], c.CODEC_ZSTD, LARGEST_GROUP).section(c.Kind.NAME_TEXT)
            table.sections[0].data, table.sections[0].count, table.sections[1] = table.sections[0].data * rows, rows, names
            table.count = rows

    def count(root):
        root.ordinal_count = root.listed_count = rows

    archive.edit("sections", lengthen, None)
    archive.edit("root", count)
    archive.commit()
    write(file_name, archive.bytes())


def tables_of_a_lost_run(images=2000, columns=1000, tables=2000):
    """The run is lost, and of the tables that came after it each could be the one that counts for a column."""
    archive = ArchiveBuilder()
    for number in range(columns):
        archive.define("column %d" % number, c.Type.U8)
    for number in range(images):
        archive.add(str(number), b"x")
    archive.commit()
    for _ in range(tables):
        archive.column_table(0, {})
    archive.commit()
    data = bytearray(archive.bytes())
    part = archive.runs[0].part
    data[part.offset + part.bytes] ^= 1  # in the footer
    write("columns.aimg", data)


def main():
    FOLDER.mkdir(exist_ok=True)
    at_the_end_of_a_group()
    one_frame("names.aimg", b"", 200000)
    one_frame("bomb.aimg", bytes(1 << 20), 200)
    tables_of_a_lost_run()


if __name__ == "__main__":
    main()
