/* SPDX-License-Identifier: Apache-2.0 */
/* Entries of the index: every field at its limits, none into its neighbour. */
#include "entry.h"
#include "random.h"
#include "test.h"

static void check(const struct aimg_entry_record *entry)
{
    uint8_t *bytes = test_guarded(AIMG_ENTRY_BYTES);
    struct aimg_entry_record read;
    memset(bytes, 0xEE, AIMG_ENTRY_BYTES);
    aimg_entry_encode(entry, bytes);
    aimg_entry_decode(bytes, &read);
    EXPECT_EQ_UINT(read.frame_offset, entry->frame_offset);
    EXPECT_EQ_UINT(read.stored_bytes, entry->stored_bytes);
    EXPECT_EQ_UINT(read.header_units, entry->header_units);
    EXPECT_EQ_UINT(read.flags, entry->flags);
    EXPECT_EQ_UINT(read.format, entry->format);
    EXPECT_EQ_UINT(read.coding, entry->coding);
    EXPECT_EQ_BYTES(read.hash, entry->hash, AIMG_HASH_BYTES);
    EXPECT_EQ_UINT(aimg_entry_data_offset(&read), entry->frame_offset + entry->header_units * UINT64_C(8));
    munmap(bytes + AIMG_ENTRY_BYTES - sysconf(_SC_PAGESIZE), 2 * (size_t)sysconf(_SC_PAGESIZE));
}

int main(void)
{
    static const uint64_t offsets[] = {0, 8, AIMG_HEAD_BYTES, AIMG_FILE_LIMIT - 8};
    static const uint64_t sizes[] = {0, 1, UINT32_MAX, AIMG_PAYLOAD_LIMIT - 1};
    uint64_t random = 5;
    for (unsigned i = 0; i < 2000; i++) {
        struct aimg_entry_record entry = {.frame_offset = offsets[i % 4], .stored_bytes = sizes[i / 4 % 4]};
        uint64_t bits = random_next(&random);
        if (i >= 1000) {
            entry.frame_offset = (random_next(&random) % AIMG_FILE_LIMIT) & ~UINT64_C(7);
            entry.stored_bytes = random_next(&random) % AIMG_PAYLOAD_LIMIT;
        }
        entry.header_units = (uint8_t)bits;
        entry.flags = (uint8_t)(bits >> 8);
        entry.format = (uint8_t)(bits >> 16);
        entry.coding = (uint8_t)(bits >> 24);
        random_fill(&random, entry.hash, sizeof entry.hash);
        check(&entry);
    }
    /* Places that SPEC.md names. */
    struct aimg_entry_record entry = {
        .frame_offset = 16, .header_units = 7, .flags = AIMG_ENTRY_ATTACHMENT, .stored_bytes = 3, .format = 4, .coding = 5};
    uint8_t bytes[AIMG_ENTRY_BYTES];
    aimg_entry_encode(&entry, bytes);
    EXPECT_EQ_BYTES(bytes, "\x02\0\0\0\0\0\x07\x02\x03\0\0\0\0\0\x04\x05", 16);
    return test_end("test_entry");
}
