# SPDX-License-Identifier: Apache-2.0
"""The vectors' own reader: values of columns (SPEC.md sections 6.1 and 8)."""
import struct

import constants as c
from check_frames import is_text, need, zero
from check_tables import read_groups

T, K = c.FrameType, c.Kind


def check_all(archive):
    """Rules 60, 61 and 68; fills in the entries' values."""
    if any(rule == 60 for rule in archive.report.rules):
        return  # the columns cannot be trusted
    archive.dictionaries = {column.id: read_dictionary(archive, column) for column in archive.root.columns}
    columns = {column.id: column for column in archive.root.columns}
    tables = [table for table in archive.tables if table.part.type in (T.RUN, T.COLUMN)]
    for table in sorted(tables, key=lambda table: table.part.offset):  # the newest table of a run wins
        for section in table.sections:
            need(section.kind not in (K.VALUES, K.GROUPS, K.VALIDITY) or section.column in columns, 60,
                 "section of column %d" % section.column)
        for column in columns.values():
            read_column(archive, table, column)


def read_dictionary(archive, column):
    texts = []
    for table in archive.tables:
        if table.part.type == T.VALUES and table.part.column == column.id:
            section = table.get(K.GROUPS, column.id)
            need(section, 38, "column of a section of values")
            values = read_groups(section)
            need(len(values) == table.part.count, 68, "number of values of column %d" % column.id)
            texts += values
    need(all(map(is_text, texts)) and len(texts) == len(set(texts)), 68, "values of column %d" % column.id)
    return texts


def read_column(archive, table, column):
    sections = [table.get(kind, column.id) for kind in (K.VALUES, K.GROUPS, K.VALIDITY)]
    values, groups, validity = sections
    if not any(sections):
        return
    need((groups if column.grouped else values) and not (values if column.grouped else groups), 60,
         "sections of column %d" % column.id)
    rows = table.part.count
    need((values or groups).count == rows and (not validity or validity.count == rows), 39, "rows of column %d" % column.id)
    if values:
        check_element_bytes(column, values)
        size = values.element_bytes
        raws = [values.data[row * size:(row + 1) * size] for row in range(rows)]
    else:
        raws = read_groups(groups)
    valid = [True] * rows
    if validity:
        valid = [bool(validity.data[row // 8] >> row % 8 & 1) for row in range(rows)]
        need(int.from_bytes(validity.data, "little") >> rows == 0, 61, "bits past the end of column %d" % column.id)
    for row, raw in enumerate(raws):
        entry = archive.entries[table.part.first + row]
        if valid[row]:
            entry.values[column.id] = read_value(archive, column, raw)
        else:
            need(zero(raw) and not (groups and raw), 61, "null row of column %d" % column.id)
            entry.values.pop(column.id, None)


def check_element_bytes(column, values):
    full = column.element_bytes
    scalar = column.type in c.NARROW_TYPES and column.width == 1
    narrow = scalar and values.element_bytes in (1, 2, 4) and values.element_bytes < full
    need(values.element_bytes == full or narrow, 60, "element_bytes of column %d" % column.id)


def read_value(archive, column, raw):
    where = "value of column %d" % column.id
    if column.type == c.Type.UTF8:
        need(is_text(raw), 61, where)
        return raw.decode()
    if column.type == c.Type.BYTES:
        return raw
    if column.type in c.NARROW_TYPES and not column.is_list and column.width == 1:
        raw = raw.ljust(column.element_bytes, b"\0")
    need(len(raw) % column.element_bytes == 0, 61, where)
    code = c.ELEMENT_CODES[column.type]
    elements = struct.unpack("<%d%s" % (len(raw) // struct.calcsize("<" + code), code), raw)
    need(column.type != c.Type.BOOL or max(elements, default=0) <= 1, 61, where)
    if column.type == c.Type.DICTIONARY:
        need(elements[0] < min(column.dictionary_count, len(archive.dictionaries[column.id])), 61, where)
        return archive.dictionaries[column.id][elements[0]].decode()
    need(column.type != c.Type.IMAGE or elements[0] < archive.root.ordinal_count, 61, where)
    if column.is_list and column.width > 1:
        return [elements[at:at + column.width] for at in range(0, len(elements), column.width)]
    return list(elements) if column.is_list else elements if column.width > 1 else elements[0]
