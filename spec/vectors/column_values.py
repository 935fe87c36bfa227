# SPDX-License-Identifier: Apache-2.0
"""Column values as sections of a table: SPEC.md sections 6.1 and 8. A value of None is null."""
import struct

import constants as c
from checksum import u
from table import Groups, Section, bitmap


def element_bytes(column):
    return struct.calcsize("<" + c.ELEMENT_CODES[column.type]) * column.width


def is_grouped(column):
    return column.is_list or column.type in (c.Type.UTF8, c.Type.BYTES)


def _elements(column, value):
    """A scalar, a vector, or a list of either, flat."""
    if not isinstance(value, (list, tuple)):
        return [value]
    return [element for item in value for element in (item if isinstance(item, (list, tuple)) else [item])]


def encode_value(column, value, narrow=None):
    """Bytes of one value that is not null; dictionary values are given as codes."""
    if column.type in (c.Type.UTF8, c.Type.BYTES):
        return value.encode() if isinstance(value, str) else value
    if narrow:
        return u(value, narrow)
    elements = _elements(column, value)
    return struct.pack("<%d%s" % (len(elements), c.ELEMENT_CODES[column.type]), *elements)


def column_sections(column, values, narrow=None, codec=c.CODEC_NONE, edits=None):
    """No section when all rows are null; else VALUES or GROUPS, and VALIDITY when some row is null."""
    if all(value is None for value in values):
        return []
    if is_grouped(column):
        texts = [b"" if value is None else encode_value(column, value) for value in values]
        sections = [Groups(texts, codec, edits=edits or {}).section(c.Kind.GROUPS, column.id)]
    else:
        size = narrow or element_bytes(column)
        data = b"".join(bytes(size) if value is None else encode_value(column, value, narrow) for value in values)
        sections = [Section(c.Kind.VALUES, data, len(values), element_bytes=size, column=column.id)]
    if any(value is None for value in values):
        bits = [value is not None for value in values]
        sections.append(Section(c.Kind.VALIDITY, bitmap(bits), len(values), column=column.id))
    return sections
