/* SPDX-License-Identifier: Apache-2.0 */
/* Every number of spec/SPEC.md, once. */
#ifndef AIMG_FORMAT_CONSTANTS_H
#define AIMG_FORMAT_CONSTANTS_H

#include <stdint.h>

#define AIMG_FORMAT_MAJOR 0
#define AIMG_FORMAT_MINOR 1

/* Section 2: the file. */
#define AIMG_MAGIC              "\x89\x41\x49\x4D\x47\x0D\x0A\x1A"
#define AIMG_MAGIC_BYTES        8
#define AIMG_UNIT               8
#define AIMG_PAGE_BYTES         4096
#define AIMG_HEADER_BYTES       4096
#define AIMG_HINT_BYTES         4096
#define AIMG_HINT_MAGIC         "AIMGHINT"
#define AIMG_HEAD_BYTES         12288
#define AIMG_WRITER_TEXT_MAX    254
#define AIMG_PARAMS_BYTES       64
#define AIMG_ALIGNMENT_LOG2_MIN 3
#define AIMG_ALIGNMENT_LOG2_MAX 12
#define AIMG_UUID_BYTES         16
#define AIMG_HASH_BYTES         16

/* Section 3: frames. */
#define AIMG_FRAME_MAGIC        0x4641u /* "AF" */
#define AIMG_FRAME_BYTES        48
#define AIMG_FRAME_CHECK_OFFSET 40
#define AIMG_FRAME_HEADER_MAX   (255 * AIMG_UNIT)
#define AIMG_PAYLOAD_LIMIT      (UINT64_C(1) << 47)
#define AIMG_FILE_LIMIT         (UINT64_C(1) << 51)
#define AIMG_EXT_CRITICAL       0x8000u
#define AIMG_ALIAS_BYTES        8

enum aimg_frame_type {
    AIMG_FRAME_IMAGE = 1,
    AIMG_FRAME_ALIAS = 2,
    AIMG_FRAME_RUN = 3,
    AIMG_FRAME_COLUMN = 4,
    AIMG_FRAME_MASK = 5,
    AIMG_FRAME_NAMES = 6,
    AIMG_FRAME_CONTENT = 7,
    AIMG_FRAME_VALUES = 8,
    AIMG_FRAME_DICT = 9,
    AIMG_FRAME_CODING = 10,
    AIMG_FRAME_META = 11,
    AIMG_FRAME_ROOT = 12,
    AIMG_FRAME_PAD = 13,
    AIMG_FRAME_COMMIT = 14
};

/* Section 4: commits. */
#define AIMG_COMMIT_MAGIC       "AIMGCMT\x0A"
#define AIMG_COMMIT_SEALED      1u
#define AIMG_MESSAGE_MAX        254
#define AIMG_INCOMPAT_ZSTD      (UINT64_C(1) << 0)
#define AIMG_INCOMPAT_ZSTD_DICT (UINT64_C(1) << 1)
#define AIMG_INCOMPAT_ALIAS     (UINT64_C(1) << 2)
#define AIMG_INCOMPAT_MASK      (UINT64_C(1) << 3)
#define AIMG_INCOMPAT_KNOWN     UINT64_C(0xF)
#define AIMG_RO_COMPAT_COLUMNS  (UINT64_C(1) << 0)
#define AIMG_RO_COMPAT_CONTENT  (UINT64_C(1) << 1)
#define AIMG_RO_COMPAT_KNOWN    UINT64_C(0x3)
#define AIMG_COMPAT_NO_HINTS    (UINT64_C(1) << 0)
#define AIMG_COMPAT_KNOWN       UINT64_C(0x1)

/* Section 5: ROOT. */
#define AIMG_ROOT_MAGIC          "AIMGROOT"
#define AIMG_ROOT_HEAD_BYTES     96
#define AIMG_PART_BYTES          64
#define AIMG_COLUMN_RECORD_BYTES 16
#define AIMG_CODING_RECORD_BYTES 40
#define AIMG_PART_MAX            65536u
#define AIMG_COLUMN_MAX          1024u
#define AIMG_CODING_MAX          254u
#define AIMG_RUN_MAX             8192u
#define AIMG_NAME_RUN_MAX        64u
#define AIMG_ORDINAL_LIMIT       0xFFFFFFFEu /* most ordinals an archive can have */
#define AIMG_COLUMN_NAME_MAX     255
#define AIMG_COLUMN_ROW_MAX      65535u /* bytes of a fixed-width value */
#define AIMG_COLUMN_LIST         1u

/* Section 6: tables. */
#define AIMG_TABLE_MAGIC        "AIMGTABL"
#define AIMG_TABLE_ALIGN        64
#define AIMG_TABLE_FOOTER_BYTES 64
#define AIMG_SECTION_BYTES      48
#define AIMG_SECTION_MAX        4096u
#define AIMG_BLOCK_BYTES        4096
#define AIMG_CODEC_NONE         0
#define AIMG_CODEC_ZSTD         1
#define AIMG_ENTRY_BYTES        32
#define AIMG_ENTRY_ALIASED      1u
#define AIMG_ENTRY_ATTACHMENT   2u
#define AIMG_NAME_SLOT_BYTES    16
#define AIMG_CONTENT_SLOT_BYTES 8
#define AIMG_PROBE_MAX          4096u
#define AIMG_RANK_ROWS          2048u
#define AIMG_GROUP_RECORD_BYTES 16
#define AIMG_GROUP_TARGET_BYTES 65536u
#define AIMG_GROUP_MAX_BYTES    (1u << 25)
#define AIMG_VALUE_MAX_BYTES    (1u << 24)

enum aimg_section_kind {
    AIMG_SECTION_ENTRIES = 1,
    AIMG_SECTION_NAME_TEXT = 2,
    AIMG_SECTION_VALUES = 3,
    AIMG_SECTION_GROUPS = 4,
    AIMG_SECTION_VALIDITY = 5,
    AIMG_SECTION_DEAD = 6,
    AIMG_SECTION_ATTACHED = 7,
    AIMG_SECTION_RANK = 8,
    AIMG_SECTION_NAME_SLOTS = 9,
    AIMG_SECTION_CONTENT_SLOTS = 10
};

/* Section 7: codings. */
#define AIMG_CODING_STORE        0
#define AIMG_CODING_ZSTD         1
#define AIMG_CODING_FIRST_LISTED 2
#define AIMG_CODEC_ZSTD_DICT     1
#define AIMG_DICT_MAX_BYTES      (1u << 20)
#define AIMG_ZSTD_WINDOW_LOG_MAX 27

/* Section 9: META. */
#define AIMG_META_MAX_BYTES (1u << 24)
#define AIMG_META_KEY_MAX   255

/* Section 10: names. */
#define AIMG_NAME_MAX           1024
#define AIMG_NAME_COMPONENT_MAX 255

#endif
