/* SPDX-License-Identifier: Apache-2.0 */
#include "reclaim.h"

#include "cmd.h"
#include "output.h"
#include "reading.h"

#include <stdlib.h>

enum { BATCH = 1024 };

/* Where bytes lie in the map: images with the same place share them. */
struct place {
    const void *data;
    uint64_t bytes;
    bool shared; /* with an image that stays */
};

struct places {
    struct place *all;
    size_t count;
};

static int compare(const void *a, const void *b)
{
    uintptr_t x = (uintptr_t)((const struct place *)a)->data, y = (uintptr_t)((const struct place *)b)->data;

    return (x > y) - (x < y);
}

/* Images whose entry is damaged have no place; removing them will say so. */
static void take_places(const struct aimg_reader *reader, const struct choice *choice, struct places *places)
{
    struct aimg_bytes bytes;
    size_t kept = 0;

    for (size_t i = 0; i < choice->count; i++)
        if (aimg_reader_borrow(reader, choice->ordinals[i], 0, &bytes, NULL) == AIMG_OK)
            places->all[places->count++] = (struct place){.data = bytes.data, .bytes = bytes.bytes};
    qsort(places->all, places->count, sizeof *places->all, compare);
    for (size_t i = 0; i < places->count; i++)
        if (i == 0 || compare(&places->all[i], &places->all[kept - 1]) != 0)
            places->all[kept++] = places->all[i];
    places->count = kept;
}

static bool has_aliases(const struct aimg_reader *reader)
{
    struct aimg_info info = {.struct_bytes = sizeof info};

    return aimg_reader_info(reader, &info, NULL) != AIMG_OK || may_have_aliases(&info);
}

static void mark_shared(const struct aimg_reader *reader, const struct choice *choice, struct places *places)
{
    uint64_t count = aimg_reader_ordinal_count(reader);
    uint32_t ordinals[BATCH];
    struct aimg_bytes bytes[BATCH];

    for (uint64_t first = 0; first < count; first += BATCH) {
        size_t here = count - first < BATCH ? (size_t)(count - first) : BATCH;

        for (size_t i = 0; i < here; i++)
            ordinals[i] = (uint32_t)(first + i);
        (void)aimg_reader_borrow_batch(reader, ordinals, here, 0, bytes, NULL); /* the dead have no bytes */
        for (size_t i = 0; i < here; i++) {
            struct place wanted = {.data = bytes[i].data};
            struct place *place = NULL;

            if (bytes[i].status == AIMG_OK)
                place = bsearch(&wanted, places->all, places->count, sizeof wanted, compare);
            if (place != NULL && !place->shared)
                place->shared = !choice_has(choice, ordinals[i]);
        }
    }
}

int reclaim_count(const struct aimg_reader *reader, const struct choice *choice, uint64_t *bytes_out)
{
    struct places places = {.all = calloc(choice->count > 0 ? choice->count : 1, sizeof(struct place))};

    *bytes_out = 0;
    if (places.all == NULL) {
        output_error("out of memory for %zu images", choice->count);
        return EXIT_SYSTEM;
    }
    take_places(reader, choice, &places);
    if (has_aliases(reader))
        mark_shared(reader, choice, &places);
    for (size_t i = 0; i < places.count; i++)
        *bytes_out += places.all[i].shared ? 0 : places.all[i].bytes;
    free(places.all);
    return EXIT_DONE;
}
