/* SPDX-License-Identifier: Apache-2.0 */
/* An archive taken apart: its frames, and every structure in them with its fields. Nothing is believed: what does not lie within
 * the bytes is left out. */
#ifndef AIMG_FUZZ_TREE_H
#define AIMG_FUZZ_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TREE_FRAMES = 512, TREE_NODES = 4096, TREE_ROWS = 96 }; /* of one table, so many rows and slots */

enum tree_kind {
    TREE_HEADER,
    TREE_HINT,
    TREE_FRAME,
    TREE_COMMIT,
    TREE_ROOT,
    TREE_PART,
    TREE_COLUMN,
    TREE_CODING,
    TREE_FOOTER,
    TREE_SECTION,
    TREE_ENTRY,
    TREE_NAME_SLOT,
    TREE_CONTENT_SLOT,
    TREE_GROUP,
    TREE_META,
    TREE_ALIAS,
    TREE_BYTES, /* of a payload or a section */
    TREE_KINDS
};

/* What a field is for, and so which values tell most. */
enum tree_sense {
    TREE_NUMBER,
    TREE_COUNT,
    TREE_LENGTH,
    TREE_OFFSET,
    TREE_END,   /* an offset just behind what it is about */
    TREE_UNITS, /* an offset in units of 8 */
    TREE_FLAGS,
    TREE_HASH /* of other bytes: signing makes it right again */
};

struct tree_field {
    uint16_t offset;
    uint8_t width;
    uint8_t sense; /* enum tree_sense */
};

struct tree_node {
    size_t offset, bytes;
    uint8_t kind; /* enum tree_kind */
    uint8_t type; /* of the frame that it stands in; 0: the head */
    uint16_t frame;
};

struct tree_frame {
    size_t offset, header_bytes, payload_bytes, total;
    uint8_t type;
};

struct tree {
    uint8_t *data;
    size_t bytes;
    size_t frame_count, node_count;
    struct tree_frame frames[TREE_FRAMES];
    struct tree_node nodes[TREE_NODES];
};

void tree_read(struct tree *tree, uint8_t *data, size_t bytes);

/* Fields of a kind; none for TREE_BYTES. */
const struct tree_field *tree_fields(unsigned kind, size_t *count_out);

uint64_t tree_get(const struct tree *tree, size_t at, size_t width);
void tree_put(struct tree *tree, size_t at, size_t width, uint64_t value);

/* Replaces `old` bytes at `at` by `count` zero bytes; what follows moves, up to the next PAD before a COMMIT where that can give
 * or take, and all offsets in the archive with it. The tree is read anew. False, and nothing is changed, when there is no room.
 */
bool tree_resize(struct tree *tree, size_t at, size_t old, size_t count, size_t most_bytes);

#endif
