/* SPDX-License-Identifier: Apache-2.0 */
#include "flips.h"

#include "constants.h"
#include "random.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TOLD 20 /* failures that are printed */

static void restore(struct flips_archive *archive)
{
    memcpy(archive->data, archive->sound, archive->bytes);
}

bool flips_judge(struct flips_archive *archive, bool every_way, bool may_be_sound, struct flips_sum *sum, const char *what, ...)
{
    bool found = flips_faults(archive, false) > 0;
    const char *lie = flips_lie(archive, every_way, &sum->reads);
    if ((!found && !may_be_sound) || lie != NULL) {
        va_list arguments;
        va_start(arguments, what);
        if (sum->failures++ < TOLD) {
            fprintf(stderr, "%s: ", archive->name);
            vfprintf(stderr, what, arguments);
            fprintf(stderr, ": %s\n", lie != NULL ? lie : "the check finds nothing");
        }
        va_end(arguments);
    }
    return found;
}

/* What a sector was replaced by. */
static void judge_sector(struct flips_archive *archive, size_t sector, size_t at, const char *how, bool may_be_sound,
                         struct flips_sum *sum)
{
    if (memcmp(archive->data, archive->sound, archive->bytes) == 0)
        return; /* it was the same */
    bool found = flips_judge(archive, true, may_be_sound, sum, "sector of %zu bytes at %zu %s", sector, at, how);
    sum->sectors++;
    sum->sectors_found += found;
    sum->harmless += !found && may_be_sound;
    restore(archive);
}

static void swap(struct flips_archive *archive, size_t sector, size_t a, size_t b)
{
    memcpy(archive->data + a, archive->sound + b, sector);
    memcpy(archive->data + b, archive->sound + a, sector);
}

/* A validator takes a hint page that is zero, or of an earlier commit; the writer need not have come to writing it. */
static bool hint_is_gone(const struct flips_archive *archive, size_t at)
{
    static const uint8_t zero[AIMG_HINT_BYTES];
    size_t page = at / AIMG_HINT_BYTES * AIMG_HINT_BYTES;
    const uint8_t *hint = archive->data + page;
    return page >= AIMG_HEADER_BYTES && page < AIMG_HEAD_BYTES &&
           (memcmp(hint, zero, sizeof zero) == 0 || memcmp(hint, archive->old + page, sizeof zero) == 0);
}

void flips_sectors(struct flips_archive *archive, size_t sector, struct flips_sum *sum)
{
    size_t end = archive->tail / sector * sector;
    for (size_t at = 0; at < end; at += sector) {
        memset(archive->data + at, 0, sector);
        judge_sector(archive, sector, at, "zeroed", hint_is_gone(archive, at), sum);
        memcpy(archive->data + at, archive->old + at, sector);
        judge_sector(archive, sector, at, "stale", hint_is_gone(archive, at), sum);
        if (at + sector < end) {
            memcpy(archive->data + at + sector, archive->sound + at, sector);
            judge_sector(archive, sector, at, "doubled", hint_is_gone(archive, at + sector), sum);
        }
        for (size_t other = at + sector; other < end; other += sector) {
            swap(archive, sector, at, other);
            judge_sector(archive, sector, at, "swapped with a later one", false, sum);
        }
    }
}

void flips_bursts(struct flips_archive *archive, uint64_t count, uint64_t seed, struct flips_sum *sum)
{
    uint64_t random = seed;
    for (uint64_t i = 0; i < count; i++) {
        size_t length = 2 + (size_t)random_below(&random, 63);
        size_t first = (size_t)random_below(&random, archive->tail * 8 - length);
        uint64_t turned = random_next(&random) | 1 | UINT64_C(1) << (length - 1); /* both ends, and any between */
        for (size_t bit = 0; bit < length; bit++)
            archive->data[(first + bit) / 8] ^= (uint8_t)((turned >> bit & 1) << (first + bit) % 8);
        sum->bursts++;
        sum->bursts_found += flips_judge(archive, i % 8 == 0, false, sum, "burst of %zu bits at bit %zu", length, first);
        memcpy(archive->data + first / 8, archive->sound + first / 8, (first + length - 1) / 8 - first / 8 + 1);
    }
}
