/* SPDX-License-Identifier: Apache-2.0 */
/* Whole frames: moved, doubled, mixed. Tables begin at multiples of 64, so frames are moved by such. */
#include "mutate.h"

#include "bytes.h"
#include "constants.h"
#include "frame.h"

#include <string.h>

static const struct tree_frame *choose_frame(struct dice *dice, const struct tree *tree)
{
    for (int tries = 0; tries < 8 && tree->frame_count > 0; tries++) {
        const struct tree_frame *frame = &tree->frames[roll(dice, tree->frame_count)];
        bool wanted = frame->type != AIMG_FRAME_PAD && (fuzz_in_focus(frame->type) || roll(dice, 4) == 0);
        if (wanted)
            return frame;
    }
    return NULL;
}

/* A PAD frame. */
static void fill_pad(struct tree *tree, size_t at, size_t total, uint64_t salt)
{
    memset(tree->data + at, 0, total);
    tree_put(tree, at, 2, AIMG_FRAME_MAGIC);
    tree_put(tree, at + 2, 1, AIMG_FRAME_PAD);
    tree_put(tree, at + 3, 1, AIMG_FRAME_BYTES / AIMG_UNIT);
    tree_put(tree, at + 8, 4, salt);
    tree_put(tree, at + 16, 6, total - AIMG_FRAME_BYTES);
    tree_put(tree, at + 24, 6, total - AIMG_FRAME_BYTES);
}

/* Bytes from one place to another, with a PAD behind them up to a multiple of 64. */
static bool insert_frame(struct tree *tree, size_t at, const struct tree_frame *frame, size_t most_bytes)
{
    struct tree_frame from = *frame;
    size_t total = (size_t)aimg_round_up(from.total, AIMG_TABLE_ALIGN), rest = total - from.total;
    size_t source = from.offset;
    if (rest > 0 && rest < AIMG_FRAME_BYTES) {
        rest += AIMG_TABLE_ALIGN;
        total += AIMG_TABLE_ALIGN;
    }
    if (!tree_resize(tree, at, 0, total, most_bytes))
        return false;
    source += source >= at ? total : 0;
    if (source + from.total > tree->bytes || at + total > tree->bytes)
        return false;
    memmove(tree->data + at, tree->data + source, from.total);
    if (rest > 0)
        fill_pad(tree, at + from.total, rest, tree_get(tree, at + 8, 4));
    tree_read(tree, tree->data, tree->bytes);
    return true;
}

static void drop_frame(struct tree *tree, const struct tree_frame *frame, size_t most_bytes)
{
    size_t at = frame->offset, total = frame->total;
    if (frame->type != AIMG_FRAME_COMMIT && total % AIMG_TABLE_ALIGN == 0)
        (void)tree_resize(tree, at, total, 0, most_bytes);
    else /* it becomes a PAD */
        fill_pad(tree, at, total, tree_get(tree, at + 8, 4));
}

/* Two frames that follow each other change places; who points at them does or does not follow. */
static void swap_frames(struct dice *dice, struct tree *tree)
{
    size_t i = tree->frame_count < 2 ? 0 : (size_t)roll(dice, tree->frame_count - 1);
    if (tree->frame_count < 2 || tree->frames[i].total > AIMG_PAGE_BYTES)
        return;
    struct tree_frame first = tree->frames[i], second = tree->frames[i + 1];
    uint8_t kept[AIMG_PAGE_BYTES];
    memcpy(kept, tree->data + first.offset, first.total);
    memmove(tree->data + first.offset, tree->data + second.offset, second.total);
    memcpy(tree->data + first.offset + second.total, kept, first.total);
    tree_read(tree, tree->data, tree->bytes);
}

/* A salt that is not that of the batch: of one frame, or of all but the commit. */
static void change_salt(struct dice *dice, struct tree *tree)
{
    bool one = roll(dice, 2) == 0;
    uint64_t salt = roll(dice, UINT32_MAX);
    const struct tree_node *node = mutate_choose(dice, tree, TREE_FRAME);
    for (size_t i = 0; node != NULL && i < tree->frame_count; i++)
        if (one ? tree->frames[i].offset == node->offset : tree->frames[i].type != AIMG_FRAME_COMMIT)
            tree_put(tree, tree->frames[i].offset + 8, 4, salt);
}

/* A commit page among the bytes of an image, at a page's place, that names itself rightly. */
static void forge_commit(struct dice *dice, struct tree *tree, size_t most_bytes)
{
    const struct tree_node *commit = mutate_choose(dice, tree, TREE_COMMIT);
    const struct tree_frame *image = NULL;
    for (size_t i = 0; i < tree->frame_count && image == NULL; i++)
        if (tree->frames[i].type == AIMG_FRAME_IMAGE && tree->frames[i].total % AIMG_TABLE_ALIGN == 0)
            image = &tree->frames[i];
    if (commit == NULL || image == NULL)
        return;
    uint8_t page[AIMG_PAGE_BYTES];
    memcpy(page, tree->data + commit->offset, sizeof page);
    struct tree_frame host = *image;
    size_t payload = host.offset + host.header_bytes, at = (size_t)aimg_round_up(payload, AIMG_PAGE_BYTES);
    size_t count = (size_t)aimg_round_up(at + AIMG_PAGE_BYTES - payload, AIMG_TABLE_ALIGN);
    if (!tree_resize(tree, payload, host.total - host.header_bytes, count, most_bytes) || at + AIMG_PAGE_BYTES > tree->bytes)
        return;
    memcpy(tree->data + at, page, sizeof page);
    uint64_t seq = tree_get(tree, at + 80, 8) + roll(dice, 2);
    tree_put(tree, at + 80, 8, seq);
    tree_put(tree, at + 88, 8, at);
    tree_put(tree, at + 4080, 8, seq);
    tree_put(tree, host.offset + 16, 6, count);
    tree_put(tree, host.offset + 24, 6, count);
    tree_read(tree, tree->data, tree->bytes);
}

/* Commits that name each other in a circle, or one that names itself. */
static void circle_commits(struct dice *dice, struct tree *tree)
{
    const struct tree_node *commit = mutate_choose(dice, tree, TREE_COMMIT), *other = mutate_choose(dice, tree, TREE_COMMIT);
    if (commit == NULL || other == NULL)
        return;
    tree_put(tree, commit->offset + 96, 8, other->offset);
    if (roll(dice, 2) == 0)
        memcpy(tree->data + commit->offset + 104, tree->data + other->offset + 4064, AIMG_HASH_BYTES);
    if (roll(dice, 2) == 0)
        tree_put(tree, commit->offset + 80, 8, tree_get(tree, other->offset + 80, 8) + 1);
}

static void change_hints(struct dice *dice, struct tree *tree)
{
    uint8_t *hint = tree->data + AIMG_HEADER_BYTES + roll(dice, 2) * AIMG_HINT_BYTES;
    const struct tree_node *commit = mutate_choose(dice, tree, TREE_COMMIT);
    if (roll(dice, 3) == 0 || commit == NULL) {
        memset(tree->data + AIMG_HEADER_BYTES, 0, 2 * (size_t)AIMG_HINT_BYTES);
        return;
    }
    uint8_t *page = tree->data + commit->offset;
    memset(hint, 0, AIMG_HINT_BYTES);
    memcpy(hint, AIMG_HINT_MAGIC, 8);
    memcpy(hint + 8, page + 80, 8);
    aimg_store64(hint + 16, commit->offset);
    aimg_store64(hint + 24, commit->offset + AIMG_PAGE_BYTES);
    memcpy(hint + 32, page + 264, 4);
}

/* A payload that is longer or shorter, its frame says so, and all behind it has moved. */
static void resize_payload(struct dice *dice, struct tree *tree, const struct tree_frame *frame, size_t most_bytes)
{
    size_t at = frame->offset, header_bytes = frame->header_bytes, payload = frame->payload_bytes;
    size_t step = AIMG_TABLE_ALIGN * (1 + (size_t)roll(dice, 4)), begin = at + header_bytes;
    bool grow = roll(dice, 2) == 0 || payload < step;
    size_t place = begin + (grow || roll(dice, 2) == 0 ? 0 : (payload - step) / 8 * 8);
    if (frame->type == AIMG_FRAME_COMMIT || !tree_resize(tree, place, grow ? 0 : step, grow ? step : 0, most_bytes))
        return;
    payload = grow ? payload + step : payload - step;
    tree_put(tree, at + 16, 6, payload);
    tree_put(tree, at + 24, 6, payload);
    tree_read(tree, tree->data, tree->bytes);
}

void mutate_frames(struct dice *dice, struct tree *tree, size_t most_bytes)
{
    const struct tree_frame *frame = choose_frame(dice, tree), *to = choose_frame(dice, tree);
    if (frame == NULL || to == NULL)
        return;
    switch (roll(dice, 9)) {
    case 0:
        (void)insert_frame(tree, to->offset, frame, most_bytes);
        break;
    case 1:
        drop_frame(tree, frame, most_bytes);
        break;
    case 2:
        swap_frames(dice, tree);
        break;
    case 3:
        change_salt(dice, tree);
        break;
    case 4:
        forge_commit(dice, tree, most_bytes);
        break;
    case 5:
        circle_commits(dice, tree);
        break;
    case 6:
        change_hints(dice, tree);
        break;
    default:
        resize_payload(dice, tree, frame, most_bytes);
    }
}

void mutate_splice(struct dice *dice, struct tree *tree, const uint8_t *other, size_t other_bytes, size_t most_bytes)
{
    static struct tree theirs;
    uint8_t payload[AIMG_PAGE_BYTES];
    tree_read(&theirs, (uint8_t *)(uintptr_t)other, other_bytes); /* is not written to */
    const struct tree_frame *from = choose_frame(dice, &theirs);
    if (from == NULL || from->payload_bytes > sizeof payload || from->type == AIMG_FRAME_COMMIT)
        return;
    size_t bytes = from->payload_bytes, first = tree->frame_count == 0 ? 0 : (size_t)roll(dice, tree->frame_count);
    memcpy(payload, other + from->offset + from->header_bytes, bytes);
    for (size_t i = 0; i < tree->frame_count; i++) {
        struct tree_frame into = tree->frames[(first + i) % tree->frame_count];
        if (into.type != from->type)
            continue;
        size_t begin = into.offset + into.header_bytes;
        if (!tree_resize(tree, begin, into.total - into.header_bytes, (size_t)aimg_round_up(bytes, AIMG_UNIT), most_bytes))
            return;
        memcpy(tree->data + begin, payload, bytes);
        tree_put(tree, into.offset + 16, 6, bytes);
        tree_put(tree, into.offset + 24, 6, bytes);
        tree_read(tree, tree->data, tree->bytes);
        return;
    }
}
