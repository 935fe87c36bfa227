/* SPDX-License-Identifier: Apache-2.0 */
#include "tree.h"

#include "bytes.h"
#include "column.h"
#include "constants.h"
#include "frame.h"
#include "root.h"
#include "table.h"

#include <string.h>

/* ------------------------------------------------------------------ fields, as SPEC.md has them */

/* clang-format off */
#define N(offset, width) {offset, width, TREE_NUMBER}
#define C(offset, width) {offset, width, TREE_COUNT}
#define L(offset, width) {offset, width, TREE_LENGTH}
#define O(offset, width) {offset, width, TREE_OFFSET}
#define E(offset, width) {offset, width, TREE_END}
#define U(offset, width) {offset, width, TREE_UNITS}
#define F(offset, width) {offset, width, TREE_FLAGS}
#define H(offset)        {offset, 8, TREE_HASH}
static const struct tree_field
    header_fields[] = {N(0, 8), N(8, 2), N(10, 2), L(12, 4), N(16, 8), F(32, 8), F(40, 8), F(48, 8), N(56, 8), N(64, 1),
        N(65, 1), N(72, 8), N(80, 8), L(128, 2), N(130, 4), N(384, 8)},
    hint_fields[] = {N(0, 8), C(8, 8), O(16, 8), E(24, 8), N(32, 4), N(36, 4)},
    frame_fields[] = {N(0, 2), N(2, 1), N(3, 1), C(4, 4), N(8, 4), L(12, 2), N(14, 1), N(15, 1), L(16, 6), L(22, 2),
        L(24, 6), N(30, 2), H(32), H(40)},
    commit_fields[] = {N(48, 8), N(56, 2), N(58, 2), N(60, 4), N(64, 8), C(80, 8), O(88, 8), O(96, 8), H(104), C(120, 8),
        C(128, 8), O(136, 8), L(144, 8), H(152), F(168, 8), F(176, 8), F(184, 8), N(192, 1), N(193, 1), N(200, 8), N(208, 8),
        N(256, 8), N(264, 4), F(268, 4), L(272, 2), N(274, 1), N(528, 8), H(4064), C(4080, 8), N(4088, 8)},
    root_fields[] = {N(0, 8), C(8, 4), C(12, 4), C(16, 4), N(20, 4), C(24, 8), C(32, 8), C(40, 8), L(48, 8), O(56, 8),
        L(64, 8), H(72), N(88, 8)},
    part_fields[] = {N(0, 1), N(1, 1), C(2, 2), N(4, 4), C(8, 4), C(12, 4), O(16, 8), L(24, 8), H(32), C(48, 4), C(52, 4),
        N(56, 8)},
    column_fields[] = {N(0, 4), N(4, 1), F(5, 1), L(6, 2), C(8, 4), C(12, 4), N(16, 2)},
    coding_fields[] = {N(0, 1), N(1, 1), N(2, 2), O(8, 8), L(16, 8), H(24)},
    footer_fields[] = {N(0, 8), N(8, 1), N(9, 1), C(10, 2), N(12, 4), C(16, 4), C(20, 4), L(24, 8), H(32), N(48, 8)},
    section_fields[] = {N(0, 1), N(1, 1), N(2, 2), N(4, 4), L(8, 8), L(16, 8), C(24, 8), L(32, 8), C(40, 8)},
    entry_fields[] = {U(0, 6), N(6, 1), F(7, 1), L(8, 6), N(14, 1), N(15, 1), H(16)},
    name_slot_fields[] = {N(0, 2), N(2, 1), N(3, 4), N(7, 1), C(8, 4), U(12, 4)},
    content_slot_fields[] = {N(0, 4), C(4, 4)},
    group_fields[] = {L(0, 8), C(8, 4), L(12, 4)},
    meta_fields[] = {L(0, 2), N(2, 2), L(4, 4), N(8, 1)},
    alias_fields[] = {C(0, 4), N(4, 4)};
/* clang-format on */

/* clang-format off */
#define FIELDS(array) {array, sizeof(array) / sizeof(array)[0]}
/* clang-format on */
static const struct {
    const struct tree_field *fields;
    size_t count;
} kinds[TREE_KINDS] = {
    [TREE_HEADER] = FIELDS(header_fields),
    [TREE_HINT] = FIELDS(hint_fields),
    [TREE_FRAME] = FIELDS(frame_fields),
    [TREE_COMMIT] = FIELDS(commit_fields),
    [TREE_ROOT] = FIELDS(root_fields),
    [TREE_PART] = FIELDS(part_fields),
    [TREE_COLUMN] = FIELDS(column_fields),
    [TREE_CODING] = FIELDS(coding_fields),
    [TREE_FOOTER] = FIELDS(footer_fields),
    [TREE_SECTION] = FIELDS(section_fields),
    [TREE_ENTRY] = FIELDS(entry_fields),
    [TREE_NAME_SLOT] = FIELDS(name_slot_fields),
    [TREE_CONTENT_SLOT] = FIELDS(content_slot_fields),
    [TREE_GROUP] = FIELDS(group_fields),
    [TREE_META] = FIELDS(meta_fields),
    [TREE_ALIAS] = FIELDS(alias_fields),
};

const struct tree_field *tree_fields(unsigned kind, size_t *count_out)
{
    *count_out = kinds[kind].count;
    return kinds[kind].fields;
}

uint64_t tree_get(const struct tree *tree, size_t at, size_t width)
{
    uint64_t value = 0;
    for (size_t i = width; i-- > 0;)
        value = value << 8 | (at + i < tree->bytes ? tree->data[at + i] : 0);
    return value;
}

void tree_put(struct tree *tree, size_t at, size_t width, uint64_t value)
{
    for (size_t i = 0; i < width && at + i < tree->bytes; i++)
        tree->data[at + i] = (uint8_t)(value >> 8 * i);
}

/* ------------------------------------------------------------------ reading */

static void add(struct tree *tree, unsigned kind, size_t offset, size_t bytes)
{
    if (tree->node_count == TREE_NODES || offset > tree->bytes || bytes > tree->bytes - offset || bytes == 0)
        return;
    size_t last = tree->frame_count == 0 ? 0 : tree->frame_count - 1;
    tree->nodes[tree->node_count++] = (struct tree_node){.offset = offset,
                                                         .bytes = bytes,
                                                         .kind = (uint8_t)kind,
                                                         .type = tree->frame_count == 0 ? 0 : tree->frames[last].type,
                                                         .frame = (uint16_t)last};
}

/* An array of records of one kind. */
static void add_rows(struct tree *tree, unsigned kind, size_t offset, uint64_t bytes, size_t each)
{
    for (uint64_t i = 0; i < bytes / each && i < TREE_ROWS; i++)
        add(tree, kind, offset + (size_t)i * each, each);
}

static void read_section(struct tree *tree, const struct tree_frame *frame, const uint8_t *descriptor)
{
    struct aimg_section found;
    size_t payload = frame->offset + frame->header_bytes;
    aimg_section_decode(descriptor, &found);
    if (found.offset > frame->payload_bytes || found.bytes > frame->payload_bytes - found.offset)
        return;
    size_t begin = payload + (size_t)found.offset, bytes = (size_t)found.bytes;
    add(tree, TREE_BYTES, begin, bytes);
    if (found.kind == AIMG_SECTION_ENTRIES)
        add_rows(tree, TREE_ENTRY, begin, bytes, AIMG_ENTRY_BYTES);
    else if (found.kind == AIMG_SECTION_NAME_SLOTS)
        add_rows(tree, TREE_NAME_SLOT, begin, bytes, AIMG_NAME_SLOT_BYTES);
    else if (found.kind == AIMG_SECTION_CONTENT_SLOTS)
        add_rows(tree, TREE_CONTENT_SLOT, begin, bytes, AIMG_CONTENT_SLOT_BYTES);
    else if ((found.kind == AIMG_SECTION_NAME_TEXT || found.kind == AIMG_SECTION_GROUPS) &&
             found.extra <= bytes / AIMG_GROUP_RECORD_BYTES)
        add_rows(tree, TREE_GROUP, begin + bytes - (size_t)found.extra * AIMG_GROUP_RECORD_BYTES,
                 found.extra * AIMG_GROUP_RECORD_BYTES, AIMG_GROUP_RECORD_BYTES);
}

static void read_table(struct tree *tree, const struct tree_frame *frame)
{
    size_t end = frame->offset + frame->header_bytes + frame->payload_bytes;
    if (frame->payload_bytes < AIMG_TABLE_FOOTER_BYTES)
        return;
    size_t footer_at = end - AIMG_TABLE_FOOTER_BYTES, count = aimg_load16(tree->data + footer_at + 10);
    add(tree, TREE_FOOTER, footer_at, AIMG_TABLE_FOOTER_BYTES);
    if (aimg_table_tail_bytes((uint32_t)count) > frame->payload_bytes)
        return;
    for (size_t i = 0; i < count && i < TREE_ROWS; i++) {
        size_t at = end - (size_t)aimg_table_tail_bytes((uint32_t)(count - i));
        add(tree, TREE_SECTION, at, AIMG_SECTION_BYTES);
        read_section(tree, frame, tree->data + at);
    }
}

static void read_root(struct tree *tree, const struct tree_frame *frame)
{
    size_t at = frame->offset + frame->header_bytes, end = at + frame->payload_bytes;
    if (frame->payload_bytes < AIMG_ROOT_HEAD_BYTES)
        return;
    uint32_t parts = aimg_load32(tree->data + at + 8), columns = aimg_load32(tree->data + at + 12);
    add(tree, TREE_ROOT, at, AIMG_ROOT_HEAD_BYTES);
    for (at += AIMG_ROOT_HEAD_BYTES; parts > 0 && end - at >= AIMG_PART_BYTES; parts--, at += AIMG_PART_BYTES)
        add(tree, TREE_PART, at, AIMG_PART_BYTES);
    for (; columns > 0 && end - at >= AIMG_COLUMN_RECORD_BYTES; columns--) {
        size_t total = aimg_column_record_total(aimg_load16(tree->data + at + 6));
        if (end - at < total)
            return;
        add(tree, TREE_COLUMN, at, total);
        at += total;
    }
    for (; end - at >= AIMG_CODING_RECORD_BYTES; at += AIMG_CODING_RECORD_BYTES)
        add(tree, TREE_CODING, at, AIMG_CODING_RECORD_BYTES);
}

static void read_meta(struct tree *tree, const struct tree_frame *frame)
{
    size_t at = frame->offset + frame->header_bytes + 8, end = at - 8 + frame->payload_bytes;
    while (at < end && end - at >= 8) {
        size_t bytes = 8 + (size_t)aimg_load16(tree->data + at) + aimg_load32(tree->data + at + 4);
        if (bytes > end - at)
            return;
        add(tree, TREE_META, at, bytes);
        at += bytes;
    }
}

static void read_payload(struct tree *tree, const struct tree_frame *frame)
{
    size_t payload = frame->offset + frame->header_bytes;
    add(tree, TREE_FRAME, frame->offset, frame->header_bytes);
    if (frame->type == AIMG_FRAME_COMMIT) {
        add(tree, TREE_COMMIT, frame->offset, AIMG_PAGE_BYTES);
        return;
    }
    add(tree, TREE_BYTES, payload, frame->payload_bytes);
    if (frame->type >= AIMG_FRAME_RUN && frame->type <= AIMG_FRAME_VALUES)
        read_table(tree, frame);
    else if (frame->type == AIMG_FRAME_ROOT)
        read_root(tree, frame);
    else if (frame->type == AIMG_FRAME_META)
        read_meta(tree, frame);
    else if (frame->type == AIMG_FRAME_ALIAS)
        add(tree, TREE_ALIAS, payload, AIMG_ALIAS_BYTES);
}

static bool read_frame(const struct tree *tree, size_t offset, struct tree_frame *found)
{
    if (offset > tree->bytes || tree->bytes - offset < AIMG_FRAME_BYTES)
        return false;
    const uint8_t *bytes = tree->data + offset;
    size_t left = tree->bytes - offset, header_bytes = (size_t)bytes[3] * AIMG_UNIT;
    uint64_t payload_bytes = aimg_load48(bytes + 16);
    if (aimg_load16(bytes) != AIMG_FRAME_MAGIC || header_bytes < AIMG_FRAME_BYTES || header_bytes > left)
        return false;
    if (aimg_round_up(payload_bytes, AIMG_UNIT) > left - header_bytes)
        return false;
    *found = (struct tree_frame){.offset = offset,
                                 .header_bytes = header_bytes,
                                 .payload_bytes = (size_t)payload_bytes,
                                 .total = header_bytes + (size_t)aimg_round_up(payload_bytes, AIMG_UNIT),
                                 .type = bytes[2]};
    return true;
}

void tree_read(struct tree *tree, uint8_t *data, size_t bytes)
{
    struct tree_frame found;
    tree->data = data;
    tree->bytes = bytes;
    tree->frame_count = tree->node_count = 0;
    if (bytes < AIMG_HEAD_BYTES)
        return;
    add(tree, TREE_HEADER, 0, AIMG_HEADER_BYTES);
    add(tree, TREE_HINT, AIMG_HEADER_BYTES, AIMG_HINT_BYTES);
    add(tree, TREE_HINT, AIMG_HEADER_BYTES + AIMG_HINT_BYTES, AIMG_HINT_BYTES);
    for (size_t at = AIMG_HEAD_BYTES; tree->frame_count < TREE_FRAMES && read_frame(tree, at, &found); at += found.total) {
        tree->frames[tree->frame_count++] = found;
        read_payload(tree, &found);
    }
}

/* ------------------------------------------------------------------ moving */

/* What moves: the bytes from `begin` to `end` by `near`, those from `end` on by `far`; what moves back wraps around 2^64. */
struct move {
    uint64_t begin, end, near, far;
};

static uint64_t moved(const struct move *move, uint64_t offset)
{
    return offset < move->begin ? offset : offset + (offset < move->end ? move->near : move->far);
}

static void relocate(struct tree *tree, const struct move *move)
{
    for (size_t i = 0; i < tree->node_count; i++) {
        const struct tree_node *node = &tree->nodes[i];
        for (size_t j = 0; j < kinds[node->kind].count; j++) {
            const struct tree_field *field = &kinds[node->kind].fields[j];
            uint64_t value = tree_get(tree, node->offset + field->offset, field->width);
            if (value == 0 || field->sense < TREE_OFFSET || field->sense > TREE_UNITS)
                continue;
            if (field->sense == TREE_UNITS)
                value = moved(move, value * AIMG_UNIT) / AIMG_UNIT;
            else
                value = field->sense == TREE_END ? moved(move, value - 1) + 1 : moved(move, value);
            tree_put(tree, node->offset + field->offset, field->width, value);
        }
    }
}

/* The PAD before the next COMMIT, or NULL. */
static const struct tree_frame *find_pad(const struct tree *tree, size_t at)
{
    for (size_t i = 0; i + 1 < tree->frame_count; i++)
        if (tree->frames[i].offset >= at && tree->frames[i + 1].type == AIMG_FRAME_COMMIT)
            return tree->frames[i].type == AIMG_FRAME_PAD ? &tree->frames[i] : NULL;
    return NULL;
}

static void write_pad(struct tree *tree, size_t offset, size_t total)
{
    memset(tree->data + offset + AIMG_FRAME_BYTES, 0, total - AIMG_FRAME_BYTES);
    tree_put(tree, offset + 16, 6, total - AIMG_FRAME_BYTES);
    tree_put(tree, offset + 24, 6, total - AIMG_FRAME_BYTES);
}

bool tree_resize(struct tree *tree, size_t at, size_t old, size_t count, size_t most_bytes)
{
    const struct tree_frame *pad = find_pad(tree, at + old);
    size_t end = pad == NULL ? tree->bytes : pad->offset + pad->total, pad_at = pad == NULL ? end : pad->offset;
    struct move move = {.begin = at + old, .end = end, .near = (uint64_t)count - old, .far = 0};
    size_t room = pad == NULL ? 0 : pad->total + old;
    if (at > tree->bytes || old > tree->bytes - at || count > most_bytes)
        return false;
    if (pad == NULL)
        move.far = move.near;
    for (; pad != NULL && room < count + AIMG_FRAME_BYTES; room += AIMG_PAGE_BYTES) /* so many pages come in between */
        move.far += AIMG_PAGE_BYTES;
    if (tree->bytes + move.far > most_bytes)
        return false;
    relocate(tree, &move);
    /* What moves back has wrapped around: summed up before it is added to a pointer. */
    memmove(tree->data + (size_t)(end + move.far), tree->data + end, tree->bytes - end);
    memmove(tree->data + at + count, tree->data + at + old, pad_at + (pad == NULL ? 0 : AIMG_FRAME_BYTES) - at - old);
    memset(tree->data + at, 0, count);
    tree->bytes += (size_t)move.far;
    if (pad != NULL)
        write_pad(tree, (size_t)(pad_at + move.near), room - count);
    tree_read(tree, tree->data, tree->bytes);
    return true;
}
