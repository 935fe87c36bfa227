/* SPDX-License-Identifier: Apache-2.0 */
/* The mutator as libFuzzer calls it. */
#include "mutate.h"

#include <string.h>

size_t LLVMFuzzerMutate(uint8_t *data, size_t bytes, size_t max_bytes);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t bytes, size_t max_bytes, unsigned seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *first, size_t first_bytes, const uint8_t *second, size_t second_bytes,
                                 uint8_t *out, size_t max_bytes, unsigned seed);

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t bytes, size_t max_bytes, unsigned seed)
{
    return mutate_archive(data, bytes, max_bytes, NULL, 0, seed, LLVMFuzzerMutate);
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *first, size_t first_bytes, const uint8_t *second, size_t second_bytes,
                                 uint8_t *out, size_t max_bytes, unsigned seed)
{
    if (first_bytes > max_bytes)
        return 0;
    memcpy(out, first, first_bytes);
    return mutate_archive(out, first_bytes, max_bytes, second, second_bytes, seed, LLVMFuzzerMutate);
}
