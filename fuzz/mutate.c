/* SPDX-License-Identifier: Apache-2.0 */
#include "mutate.h"

#include "constants.h"

#include <string.h>

enum { SCRIPT_TOTAL = FUZZ_SCRIPT_BYTES + 8 };

const uint8_t *fuzz_script(const uint8_t *data, size_t bytes, size_t *archive_bytes)
{
    *archive_bytes = bytes;
    if (bytes < SCRIPT_TOTAL || memcmp(data + bytes - 8, FUZZ_SCRIPT_MARK, 8) != 0)
        return NULL;
    *archive_bytes = bytes - SCRIPT_TOTAL;
    return data + bytes - SCRIPT_TOTAL;
}

static size_t change_script(struct dice *dice, uint8_t *script, bool known)
{
    for (size_t i = 0; i < FUZZ_SCRIPT_BYTES; i++)
        if (!known || roll(dice, 8) == 0)
            script[i] = (uint8_t)roll(dice, 256);
    memcpy(script + FUZZ_SCRIPT_BYTES, FUZZ_SCRIPT_MARK, 8);
    return SCRIPT_TOTAL;
}

/* The frames as they are before the changes: a walk may no longer find them behind one. */
static size_t note_frames(const struct tree *tree, size_t offsets[TREE_FRAMES])
{
    for (size_t i = 0; i < tree->frame_count; i++)
        offsets[i] = tree->frames[i].offset;
    return tree->frame_count;
}

/* Cut short, or with rubbish or a frame behind its end: what a crash leaves. */
static void change_end(struct dice *dice, struct tree *tree, size_t most_bytes)
{
    size_t more = 8 * (size_t)roll(dice, 64);
    if (tree->bytes <= AIMG_HEAD_BYTES)
        return;
    if (roll(dice, 2) == 0) {
        tree->bytes -= (size_t)roll(dice, tree->bytes - AIMG_HEAD_BYTES);
    } else if (more <= most_bytes && tree->bytes <= most_bytes - more) {
        size_t from = (size_t)roll(dice, tree->bytes - AIMG_HEAD_BYTES) / 8 * 8;
        if (from + more <= tree->bytes)
            memmove(tree->data + tree->bytes, tree->data + from, more);
        else
            memset(tree->data + tree->bytes, 0, more);
        tree->bytes += more;
    }
}

static void change_bytes(struct dice *dice, struct tree *tree, mutate_bytes *plain)
{
    const struct tree_node *node = mutate_choose(dice, tree, TREE_BYTES);
    if (node == NULL)
        return;
    size_t begin = roll(dice, 2) == 0 ? 0 : (size_t)roll(dice, node->bytes), left = node->bytes - begin;
    if (plain != NULL && roll(dice, 4) != 0)
        (void)plain(tree->data + node->offset + begin, left, left);
    else
        tree->data[node->offset + begin] = (uint8_t)roll(dice, 256);
}

/* True when frames moved, so that where they are now is not known from before. */
static bool change(struct dice *dice, struct tree *tree, size_t most_bytes, mutate_bytes *plain)
{
    switch (roll(dice, 16)) {
    case 0:
    case 1:
        mutate_frames(dice, tree, most_bytes);
        return true;
    case 2:
    case 3:
    case 4:
        mutate_facts(dice, tree);
        return false;
    case 5:
    case 6:
        change_bytes(dice, tree, plain);
        return false;
    default:
        mutate_field(dice, tree);
        return false;
    }
}

static enum aimg_resign_level choose_level(struct dice *dice)
{
    uint64_t choice = roll(dice, 20);
    return choice < AIMG_RESIGN_ALL ? (enum aimg_resign_level)choice : AIMG_RESIGN_ALL;
}

/* Without the script. */
static size_t mutate_whole(struct dice *dice, uint8_t *data, size_t bytes, size_t most_bytes, const uint8_t *other,
                           size_t other_bytes, mutate_bytes *plain)
{
    static struct tree tree;
    size_t offsets[TREE_FRAMES];
    tree_read(&tree, data, bytes);
    if (other != NULL)
        mutate_splice(dice, &tree, other, other_bytes, most_bytes);
    size_t count = note_frames(&tree, offsets);
    for (uint64_t changes = roll(dice, 8) == 0 ? 4 : 1 + roll(dice, 2); changes > 0; changes--)
        if (change(dice, &tree, most_bytes, plain))
            count = note_frames(&tree, offsets);
    if (roll(dice, 24) == 0)
        change_end(dice, &tree, most_bytes);
    aimg_resign_to(data, tree.bytes, offsets, count, choose_level(dice));
    return tree.bytes;
}

size_t mutate_archive(uint8_t *data, size_t bytes, size_t most_bytes, const uint8_t *other, size_t other_bytes, unsigned seed,
                      mutate_bytes *plain)
{
    struct dice dice = {seed};
    uint8_t script[SCRIPT_TOTAL];
    size_t whole;
    (void)roll(&dice, 2);
    bool known = fuzz_script(data, bytes, &whole) != NULL;
    if (known)
        memcpy(script, data + whole, SCRIPT_TOTAL);
    if (whole <= AIMG_HEAD_BYTES || most_bytes < whole + SCRIPT_TOTAL || roll(&dice, 64) == 0)
        return plain != NULL ? plain(data, bytes, most_bytes) : bytes;
    bool add = known || roll(&dice, 16) == 0, change_script_too = add && roll(&dice, 3) == 0;
    if (!change_script_too || roll(&dice, 2) == 0)
        whole = mutate_whole(&dice, data, whole, most_bytes - SCRIPT_TOTAL, other, other_bytes, plain);
    if (!add)
        return whole;
    if (change_script_too || !known)
        (void)change_script(&dice, script, known);
    memcpy(data + whole, script, SCRIPT_TOTAL);
    return whole + SCRIPT_TOTAL;
}
