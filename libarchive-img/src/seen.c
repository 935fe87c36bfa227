/* SPDX-License-Identifier: Apache-2.0 */
#include "seen.h"

#include "keys.h"

#define FIRST_SIZE 64
/* Pieces up to this size double, larger ones grow by half: what that saves is worth the time then. */
#define SMALL_SIZE 2048

static const struct aimg_seen_piece *piece_of(const struct aimg_seen *seen, uint32_t hash)
{
    return &seen->pieces[hash * seen->multiplier >> 24];
}

/* Multiply-shift (Dietzfelbinger and others 1997), of the bits that did not choose the piece. */
static uint32_t home_of(const struct aimg_seen *seen, uint32_t hash, uint32_t size)
{
    uint32_t mixed = hash * seen->multiplier << 8;
    return (uint32_t)((uint64_t)mixed * size >> 32);
}

static uint32_t after(uint32_t place, uint32_t size)
{
    return place + 1 == size ? 0 : place + 1;
}

/* False when there are enough with its hash. */
static bool insert(const struct aimg_seen *seen, uint64_t *slots, uint32_t size, uint64_t slot)
{
    uint32_t place = home_of(seen, (uint32_t)(slot >> 32), size), twins = 0;
    for (; slots[place] != 0; place = after(place, size))
        twins += slots[place] >> 32 == slot >> 32;
    if (twins == AIMG_CONTENT_TWINS)
        return false;
    slots[place] = slot;
    return true;
}

/* Room for one more, at most three quarters full. */
static bool grow(const struct aimg_seen *seen, struct aimg_seen_piece *piece)
{
    if (piece->count < piece->size / 4 * 3)
        return true;
    uint32_t size = piece->size == 0 ? FIRST_SIZE : piece->size < SMALL_SIZE ? piece->size * 2 : piece->size / 8 * 12;
    uint64_t *slots = aimg_alloc_array(&seen->allocator, size, sizeof *slots);
    if (slots == NULL)
        return false;
    for (uint32_t i = 0; i < piece->size; i++)
        if (piece->slots[i] != 0)
            (void)insert(seen, slots, size, piece->slots[i]);
    aimg_release(&seen->allocator, piece->slots);
    piece->slots = slots;
    piece->size = size;
    return true;
}

bool aimg_seen_add(struct aimg_seen *seen, uint32_t hash, uint32_t ordinal)
{
    struct aimg_seen_piece *piece = &seen->pieces[hash * seen->multiplier >> 24];
    if (!grow(seen, piece))
        return false;
    bool kept = insert(seen, piece->slots, piece->size, (uint64_t)hash << 32 | (ordinal + 1));
    piece->count += kept;
    seen->count += kept;
    return true;
}

bool aimg_seen_next(const struct aimg_seen *seen, uint32_t hash, uint32_t *cursor, uint32_t *ordinal_out)
{
    const struct aimg_seen_piece *piece = piece_of(seen, hash);
    if (piece->size == 0)
        return false;
    uint32_t home = home_of(seen, hash, piece->size);
    for (; *cursor < piece->size; ++*cursor) {
        uint64_t step = (uint64_t)home + *cursor;
        uint64_t slot = piece->slots[step < piece->size ? step : step - piece->size];
        if (slot == 0)
            return false;
        if (slot >> 32 == hash) {
            ++*cursor;
            *ordinal_out = (uint32_t)slot - 1;
            return true;
        }
    }
    return false;
}

void aimg_seen_release(struct aimg_seen *seen)
{
    for (unsigned i = 0; i < AIMG_SEEN_PIECES; i++) {
        aimg_release(&seen->allocator, seen->pieces[i].slots);
        seen->pieces[i] = (struct aimg_seen_piece){.slots = NULL};
    }
    seen->count = 0;
}
