# SPDX-License-Identifier: Apache-2.0
"""Every number of SPEC.md that the vectors need, once. Section numbers are those of SPEC.md."""
from enum import IntEnum, IntFlag

# 2: the file
PAGE_BYTES = 4096
HEADER_BYTES = 4096
HINT_OFFSETS = (4096, 8192)
HEAD_BYTES = 12288
HASH_BYTES = 16
HASHED_PAGE_BYTES = PAGE_BYTES - HASH_BYTES
UNIT = 8

# 2.1 to 2.3
HEADER_MAGIC = b"\x89AIMG\r\n\x1a"
VERSION_MAJOR = 0
VERSION_MINOR = 1
WRITER_MAX = 254
PARAMS_BYTES = 64
ALIGNMENT_LOG2_MIN = 3
ALIGNMENT_LOG2_MAX = 12
HINT_MAGIC = b"AIMGHINT"

# 3: frames
FRAME_MAGIC = b"AF"
FRAME_HEADER_BYTES = 48
FRAME_CHECK_OFFSET = 40
HEADER_UNITS_MAX = 255
STORED_LIMIT = 1 << 47
OFFSET_LIMIT = 1 << 51
TABLE_ALIGNMENT = 64
EXT_CRITICAL = 0x8000
ALIAS_PAYLOAD_BYTES = 8


class FrameType(IntEnum):
    IMAGE = 1
    ALIAS = 2
    RUN = 3
    COLUMN = 4
    MASK = 5
    NAMES = 6
    CONTENT = 7
    VALUES = 8
    DICT = 9
    CODING = 10
    META = 11
    ROOT = 12
    PAD = 13
    COMMIT = 14


TABLE_TYPES = (FrameType.RUN, FrameType.COLUMN, FrameType.MASK, FrameType.NAMES, FrameType.CONTENT, FrameType.VALUES)

# 4: commit page
COMMIT_PAYLOAD_BYTES = PAGE_BYTES - FRAME_HEADER_BYTES
COMMIT_MAGIC = b"AIMGCMT\n"
COMMIT_CHAIN_OFFSET = 4064
MESSAGE_MAX = 254
FLAG_SEALED = 1


class Incompat(IntFlag):
    ZSTD = 1
    ZSTD_DICT = 2
    ALIAS = 4
    MASK = 8


class RoCompat(IntFlag):
    COLUMNS = 1
    CONTENT = 2


class Compat(IntFlag):
    NO_HINTS = 1


# 5: ROOT
ROOT_MAGIC = b"AIMGROOT"
ROOT_FIXED_BYTES = 96
PART_BYTES = 64
PART_MAX = 65536
COLUMN_MAX = 1024
CODING_MAX = 254
ORDINAL_COUNT_MAX = (1 << 32) - 2
RUN_MAX = 8192
SLOT_PART_MAX = 64
COLUMN_FIXED_BYTES = 16
COLUMN_NAME_MAX = 255
COLUMN_ELEMENT_MAX = 65535
COLUMN_FLAG_LIST = 1
RESERVED_COLUMN_NAMES = (b"id", b"name", b"ordinal", b"position", b"format", b"bytes", b"xxh128", b"data")

# 6: tables
BLOCK_BYTES = 4096
DESCRIPTOR_BYTES = 48
FOOTER_BYTES = 64
FOOTER_MAGIC = b"AIMGTABL"
SECTION_MAX = 4096
CODEC_NONE = 0
CODEC_ZSTD = 1
GROUP_CLOSE_BYTES = 65536
GROUP_RECORD_BYTES = 16
GROUP_RAW_MAX = 1 << 25
VALUE_MAX = 1 << 24
RANK_ROWS = 2048


class Kind(IntEnum):
    ENTRIES = 1
    NAME_TEXT = 2
    VALUES = 3
    GROUPS = 4
    VALIDITY = 5
    DEAD = 6
    ATTACHED = 7
    RANK = 8
    NAME_SLOTS = 9
    CONTENT_SLOTS = 10


GROUP_KINDS = (Kind.NAME_TEXT, Kind.GROUPS)
BITMAP_KINDS = (Kind.VALIDITY, Kind.DEAD, Kind.ATTACHED)

# 6.2 to 6.4
NAME_SLOT_BYTES = 16
CONTENT_SLOT_BYTES = 8
NAME_HASH_BITS = 40
CONTENT_HASH_BITS = 32
DISPLACEMENT_MAX = 4096
LENCLASS_MAX = 255
ENTRY_BYTES = 32
ENTRY_LOC_BITS = 48
ENTRY_ALIASED = 1 << 56
ENTRY_ATTACHMENT = 1 << 57

# 7: codings
CODING_STORE = 0
CODING_ZSTD = 1
CODING_FIRST_DEFINED = 2
CODING_RECORD_BYTES = 40
CODING_PAYLOAD_MAX = 1048576
CODEC_ZSTD_DICT = 1
ZSTD_WINDOW_MAX = 1 << 27


# 8: column types
class Type(IntEnum):
    BOOL = 1
    U8 = 2
    U16 = 3
    U32 = 4
    U64 = 5
    I8 = 6
    I16 = 7
    I32 = 8
    I64 = 9
    F16 = 10
    F32 = 11
    F64 = 12
    UTF8 = 13
    BYTES = 14
    DICTIONARY = 15
    IMAGE = 16


# struct codes of the types that have an element
ELEMENT_CODES = {Type.BOOL: "B", Type.U8: "B", Type.U16: "H", Type.U32: "I", Type.U64: "Q", Type.I8: "b", Type.I16: "h",
                 Type.I32: "i", Type.I64: "q", Type.F16: "e", Type.F32: "f", Type.F64: "d", Type.DICTIONARY: "I", Type.IMAGE: "I"}
NARROW_TYPES = (Type.U16, Type.U32, Type.U64, Type.DICTIONARY)
LIST_TYPES = tuple(kind for kind in Type if kind <= Type.F64)
ONE_WIDE_TYPES = (Type.UTF8, Type.BYTES, Type.DICTIONARY, Type.IMAGE)

# 9, 10
META_MAX = 16 << 20
META_KEY_MAX = 255
NAME_MAX = 1024
COMPONENT_MAX = 255


# REGISTRY: picture formats that the vectors use
class Format(IntEnum):
    UNKNOWN = 0
    PNG = 2
    GIF = 3
    PNM = 7
    QOI = 13
