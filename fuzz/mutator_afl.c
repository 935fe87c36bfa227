/* SPDX-License-Identifier: Apache-2.0 */
/* The mutator as AFL++ calls it: a library of its own, named by AFL_CUSTOM_MUTATOR_LIBRARY. Splices with what AFL++ chose. */
#include "mutate.h"

#include <stdlib.h>
#include <string.h>

enum { ROOM_BYTES = 1 << 20 };

const uint32_t fuzz_focus = 0;

struct afl_mutator {
    uint64_t calls;
    unsigned seed;
    uint8_t room[ROOM_BYTES];
};

__attribute__((visibility("default"))) void *afl_custom_init(void *afl, unsigned int seed);
__attribute__((visibility("default"))) void afl_custom_deinit(void *data);
__attribute__((visibility("default"))) size_t afl_custom_fuzz(void *data, uint8_t *bytes, size_t count, uint8_t **out,
                                                              uint8_t *other, size_t other_count, size_t max_count);

void *afl_custom_init(void *afl, unsigned int seed)
{
    struct afl_mutator *mutator = calloc(1, sizeof *mutator);
    (void)afl;
    if (mutator != NULL)
        mutator->seed = seed;
    return mutator;
}

void afl_custom_deinit(void *data)
{
    free(data);
}

size_t afl_custom_fuzz(void *data, uint8_t *bytes, size_t count, uint8_t **out, uint8_t *other, size_t other_count,
                       size_t max_count)
{
    struct afl_mutator *mutator = data;
    size_t most = max_count < ROOM_BYTES ? max_count : ROOM_BYTES;
    *out = mutator->room;
    if (count > most)
        return 0;
    memcpy(mutator->room, bytes, count);
    mutator->calls++;
    uint8_t *from = mutator->calls % 8 == 0 && other_count > 0 ? other : NULL;
    unsigned seed = mutator->seed ^ (unsigned)(mutator->calls * 2654435761u);
    return mutate_archive(mutator->room, count, most, from, other_count, seed, NULL);
}
