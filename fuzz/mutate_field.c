/* SPDX-License-Identifier: Apache-2.0 */
/* One field at a time, and several that tell the same. */
#include "mutate.h"

#include "bytes.h"
#include "constants.h"
#include "entry.h"

#include <string.h>

/* clang-format off */
static const uint64_t telling[] = {
    0, 1, 2, 7, 8, 47, 48, 63, 64, 255, 4095, 4096, 12287, 12288, 0xFFFF, 0x10000, UINT64_C(0x7FFFFFFF),
    UINT64_C(0xFFFFFFFE), UINT64_C(0xFFFFFFFF), UINT64_C(1) << 32, UINT64_C(1) << 40, UINT64_C(1) << 47, UINT64_C(1) << 51,
    UINT64_C(1) << 53, UINT64_C(1) << 63, UINT64_MAX - 7, UINT64_MAX};
/* clang-format on */

const struct tree_node *mutate_choose(struct dice *dice, const struct tree *tree, unsigned kind)
{
    const struct tree_node *fallback = NULL;
    if (tree->node_count == 0)
        return NULL;
    /* First which kind, so that the one ROOT comes as often as the many entries. */
    bool any = kind == TREE_KINDS, focused = roll(dice, 4) != 0;
    for (int tries = 0; tries < 24; tries++) {
        unsigned wanted = any ? (unsigned)roll(dice, TREE_KINDS) : kind;
        size_t first = (size_t)roll(dice, tree->node_count);
        for (size_t i = 0; i < tree->node_count; i++) {
            const struct tree_node *node = &tree->nodes[(first + i) % tree->node_count];
            if (node->kind != wanted)
                continue;
            fallback = node;
            if (!focused || fuzz_in_focus(node->type))
                return node;
        }
        if (!any)
            break;
    }
    return fallback;
}

static uint64_t telling_number(struct dice *dice)
{
    uint64_t value = telling[roll(dice, sizeof telling / sizeof telling[0])];
    return roll(dice, 4) == 0 ? value + roll(dice, 3) - 1 : value;
}

/* Where something else begins, or a little beside it. */
static uint64_t other_offset(struct dice *dice, const struct tree *tree)
{
    static const int64_t beside[] = {0, 0, 0, 8, -8, 64, -64, 4096, -4096, 48};
    uint64_t offset = tree->frame_count == 0 ? 0 : tree->frames[roll(dice, tree->frame_count)].offset;
    return offset + (uint64_t)beside[roll(dice, sizeof beside / sizeof beside[0])];
}

static uint64_t changed(struct dice *dice, const struct tree *tree, const struct tree_field *field, uint64_t value)
{
    static const uint64_t steps[] = {1, 1, 1, 2, 8, 64, 4096};
    bool offset = field->sense >= TREE_OFFSET && field->sense <= TREE_UNITS;
    switch (roll(dice, 8)) {
    case 0:
    case 1:
        return telling_number(dice);
    case 2:
        return value + steps[roll(dice, sizeof steps / sizeof steps[0])];
    case 3:
        return value - steps[roll(dice, sizeof steps / sizeof steps[0])];
    case 4:
        return value ^ UINT64_C(1) << roll(dice, 8 * (uint64_t)field->width);
    case 5:
        return offset ? other_offset(dice, tree) / (field->sense == TREE_UNITS ? AIMG_UNIT : 1) : roll(dice, 32);
    case 6:
        return tree_get(tree, (size_t)roll(dice, tree->bytes), field->width);
    default:
        return field->sense == TREE_COUNT || field->sense == TREE_NUMBER ? roll(dice, 24) : value * 2;
    }
}

/* Two of a kind change places, or one takes the other's field. */
static void mix_nodes(struct dice *dice, struct tree *tree, const struct tree_node *node, const struct tree_field *field)
{
    const struct tree_node *other = mutate_choose(dice, tree, node->kind);
    if (other == NULL || other == node)
        return;
    size_t bytes = node->bytes < other->bytes ? node->bytes : other->bytes, at = 0;
    uint64_t whole = roll(dice, 2);
    if (whole == 0) {
        at = field->offset;
        bytes = field->width;
    }
    uint8_t *a = tree->data + node->offset + at, *b = tree->data + other->offset + at;
    bool apart = node->offset + bytes <= other->offset || other->offset + bytes <= node->offset;
    for (size_t i = 0; apart && i < bytes; i++) {
        uint8_t byte = a[i];
        a[i] = b[i];
        b[i] = byte;
    }
}

void mutate_field(struct dice *dice, struct tree *tree)
{
    const struct tree_node *node = mutate_choose(dice, tree, TREE_KINDS);
    size_t count = 0;
    const struct tree_field *fields = node == NULL ? NULL : tree_fields(node->kind, &count);
    if (count == 0)
        return;
    const struct tree_field *field = &fields[roll(dice, count)];
    while (field->sense == TREE_HASH && roll(dice, 8) != 0)
        field = &fields[roll(dice, count)];
    if (roll(dice, 6) == 0) {
        mix_nodes(dice, tree, node, field);
        return;
    }
    size_t at = node->offset + field->offset;
    uint64_t before = tree_get(tree, at, field->width);
    for (int tries = 0; tries < 4 && tree_get(tree, at, field->width) == before; tries++)
        tree_put(tree, at, field->width, changed(dice, tree, field, before));
}

/* ------------------------------------------------------------------ facts that stand in several places */

/* An image's format, coding or size: in its frame and in its entry. */
static void change_image(struct dice *dice, struct tree *tree)
{
    const struct tree_node *node = mutate_choose(dice, tree, TREE_ENTRY);
    if (node == NULL)
        return;
    uint64_t frame = tree_get(tree, node->offset, 6) * AIMG_UNIT;
    if (frame > tree->bytes || tree->bytes - frame < AIMG_FRAME_BYTES)
        return;
    uint64_t value = roll(dice, 4);
    size_t at = (size_t)frame;
    switch (roll(dice, 4)) {
    case 0:
        tree_put(tree, node->offset + 14, 1, value);
        tree_put(tree, at + 14, 1, value);
        break;
    case 1:
        tree_put(tree, node->offset + 15, 1, value);
        tree_put(tree, at + 15, 1, value);
        break;
    case 2: /* shorter: the rest is padding, or another frame */
        value = tree_get(tree, at + 16, 6) - roll(dice, 9);
        tree_put(tree, node->offset + 8, 6, value);
        tree_put(tree, at + 16, 6, value);
        tree_put(tree, at + 24, 6, value);
        break;
    default:
        tree_put(tree, at + 24, 6, roll(dice, 2) == 0 ? telling_number(dice) : roll(dice, 4096));
    }
}

/* Rows of a table: in its part, its footer and its descriptors. */
static void change_rows(struct dice *dice, struct tree *tree)
{
    const struct tree_node *footer = mutate_choose(dice, tree, TREE_FOOTER);
    if (footer == NULL)
        return;
    uint64_t before = tree_get(tree, footer->offset + 20, 4), after = before + roll(dice, 3) - 1;
    if (roll(dice, 8) == 0)
        after = telling_number(dice) & UINT32_MAX;
    tree_put(tree, footer->offset + 20, 4, after);
    bool sections = roll(dice, 2) == 0, totals = roll(dice, 2) == 0;
    for (size_t i = 0; i < tree->node_count; i++) {
        const struct tree_node *node = &tree->nodes[i];
        if (node->kind == TREE_PART && tree_get(tree, node->offset + 16, 8) == tree->frames[footer->frame].offset)
            tree_put(tree, node->offset + 12, 4, after);
        if (sections && node->kind == TREE_SECTION && node->frame == footer->frame)
            tree_put(tree, node->offset + 24, 8, tree_get(tree, node->offset + 24, 8) + after - before);
        if (totals && node->kind == TREE_ROOT)
            tree_put(tree, node->offset + 24, 8, tree_get(tree, node->offset + 24, 8) + after - before);
        if (totals && node->kind == TREE_COMMIT)
            tree_put(tree, node->offset + 120, 8, tree_get(tree, node->offset + 120, 8) + after - before);
    }
}

/* The elements of a section: count, bytes and raw_bytes, all of them right or all but one. */
static void change_section(struct dice *dice, struct tree *tree)
{
    const struct tree_node *node = mutate_choose(dice, tree, TREE_SECTION);
    if (node == NULL)
        return;
    uint64_t each = tree_get(tree, node->offset + 2, 2), count = tree_get(tree, node->offset + 24, 8);
    count = roll(dice, 4) == 0 ? telling_number(dice) : count + roll(dice, 5) - 2;
    if (roll(dice, 4) == 0)
        tree_put(tree, node->offset + 2, 2, each = UINT64_C(1) << roll(dice, 6));
    tree_put(tree, node->offset + 24, 8, count);
    if (each > 0) {
        tree_put(tree, node->offset + 16, 8, count * each);
        tree_put(tree, node->offset + 32, 8, count * each);
    }
}

/* Counts of ROOT and of the commit page alike; or of the commit all features, so that using one is no fault. */
static void change_commit(struct dice *dice, struct tree *tree)
{
    static const uint8_t pairs[][2] = {{24, 120}, {32, 128}};
    uint64_t choice = roll(dice, 3), step = roll(dice, 2) == 0 ? 1 : (uint64_t)-1;
    for (size_t i = 0; i < tree->node_count; i++) {
        const struct tree_node *node = &tree->nodes[i];
        if (node->kind == TREE_COMMIT && choice == 2) {
            tree_put(tree, node->offset + 176, 8, AIMG_RO_COMPAT_KNOWN);
            tree_put(tree, node->offset + 184, 8, AIMG_INCOMPAT_KNOWN);
        } else if (choice < 2 && (node->kind == TREE_ROOT || node->kind == TREE_COMMIT)) {
            size_t at = node->offset + pairs[choice][node->kind == TREE_COMMIT];
            tree_put(tree, at, 8, tree_get(tree, at, 8) + step);
        }
    }
}

void mutate_facts(struct dice *dice, struct tree *tree)
{
    switch (roll(dice, 4)) {
    case 0:
        change_image(dice, tree);
        break;
    case 1:
        change_rows(dice, tree);
        break;
    case 2:
        change_section(dice, tree);
        break;
    default:
        change_commit(dice, tree);
    }
}
