/* SPDX-License-Identifier: Apache-2.0 */
/* Memory: no size overflows, a failure changes nothing, all is given back. */
#include "counting.h"
#include "memory.h"
#include "random.h"
#include "test.h"

static struct counting counting;

static void check_resolve(void)
{
    struct aimg_allocator none = {NULL, NULL, NULL}, resolved, half = counting_allocator(&counting);
    EXPECT(aimg_allocator_resolve(&none, &resolved));
    void *memory = resolved.alloc(resolved.user, 10);
    EXPECT(memory != NULL);
    resolved.free(resolved.user, memory);
    resolved.free(resolved.user, NULL);
    EXPECT(aimg_allocator_resolve(&half, &resolved) && resolved.user == &counting);
    half.free = NULL;
    EXPECT(!aimg_allocator_resolve(&half, &resolved));
    half = counting_allocator(&counting);
    half.alloc = NULL;
    EXPECT(!aimg_allocator_resolve(&half, &resolved));
}

static void check_arrays(void)
{
    struct aimg_allocator allocator = counting_allocator(&counting);
    uint8_t *bytes = aimg_alloc_array(&allocator, 100, 3);
    REQUIRE(bytes != NULL);
    for (unsigned i = 0; i < 300; i++)
        EXPECT_EQ_UINT(bytes[i], 0);
    aimg_release(&allocator, bytes);
    void *none = aimg_alloc_array(&allocator, 0, 8);
    EXPECT(none != NULL);
    aimg_release(&allocator, none);
    unsigned long long calls = counting.allocated;
    EXPECT(aimg_alloc_array(&allocator, UINT64_MAX, 1) == NULL); /* the one that is asked for as it is */
    EXPECT(aimg_alloc_array(&allocator, UINT64_MAX / 2, 3) == NULL);
    EXPECT(aimg_alloc_array(&allocator, (UINT64_C(1) << 60) + 1, 16) == NULL);
    EXPECT(aimg_alloc_array(&allocator, 2, SIZE_MAX / 2 + 1) == NULL);
    EXPECT(counting.allocated <= calls + 1);
    EXPECT_EQ_INT(counting.live, 0);
}

/* A buffer against an array that is as large as need be. */
static void check_buffer(void)
{
    static uint8_t expected[100000];
    struct aimg_allocator allocator = counting_allocator(&counting);
    struct aimg_buffer buffer = {NULL, 0, 0};
    uint64_t random = 1;
    size_t bytes = 0;
    EXPECT(aimg_buffer_add(&allocator, &buffer, NULL, 0));
    while (bytes < sizeof expected - 500) {
        size_t more = (size_t)random_below(&random, 500);
        random_fill(&random, expected + bytes, more);
        EXPECT(aimg_buffer_add(&allocator, &buffer, expected + bytes, more));
        bytes += more;
        EXPECT(buffer.bytes == bytes && buffer.capacity >= bytes);
    }
    EXPECT_EQ_BYTES(buffer.data, expected, bytes);
    EXPECT(counting.allocated < 60); /* it grows by a part of itself */
    EXPECT(aimg_buffer_reserve(&allocator, &buffer, 100000));
    uint8_t *data = buffer.data;
    EXPECT(aimg_buffer_add(&allocator, &buffer, expected, 100000) && buffer.data == data);
    aimg_buffer_release(&allocator, &buffer);
    EXPECT(buffer.data == NULL && buffer.bytes == 0 && buffer.capacity == 0);
    EXPECT_EQ_INT(counting.live, 0);
}

static void check_overflow(void)
{
    struct aimg_allocator allocator = counting_allocator(&counting);
    struct aimg_buffer buffer = {NULL, 0, 0};
    EXPECT(aimg_buffer_add(&allocator, &buffer, "abc", 3));
    struct aimg_buffer before = buffer;
    EXPECT(!aimg_buffer_reserve(&allocator, &buffer, UINT64_MAX));
    EXPECT(!aimg_buffer_reserve(&allocator, &buffer, UINT64_MAX - 2));
    EXPECT(!aimg_buffer_reserve(&allocator, &buffer, SIZE_MAX / 2));
    counting.fail_at = counting.allocated + 1;
    EXPECT(!aimg_buffer_reserve(&allocator, &buffer, 1000));
    EXPECT(!memcmp(&buffer, &before, sizeof buffer) && memcmp(buffer.data, "abc", 3) == 0);
    counting.fail_at = 0;
    aimg_buffer_release(&allocator, &buffer);
    EXPECT_EQ_INT(counting.live, 0);
}

int main(void)
{
    check_resolve();
    check_arrays();
    check_buffer();
    check_overflow();
    return test_end("test_memory");
}
