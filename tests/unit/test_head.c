/* SPDX-License-Identifier: Apache-2.0 */
/* Header, params and hints: what is written is read, and every rule is kept. */
#include "checksum.h"
#include "head.h"
#include "test.h"

enum { HASH_AT = 4080 };

static struct aimg_header sample_header(void)
{
    struct aimg_header header = {
        .major = 0, .minor = 1, .compat = 1, .ro_compat = 2, .incompat = 3, .created_ns = UINT64_C(0x1122334455667788)};
    for (unsigned i = 0; i < AIMG_UUID_BYTES; i++)
        header.uuid[i] = (uint8_t)(i + 1);
    header.params = (struct aimg_params){.alignment_log2 = 6, .name_seed = UINT64_C(0x8877665544332211)};
    header.writer_bytes = 9;
    memcpy(header.writer, "test \xC3\xA9 1", 9);
    return header;
}

static uint8_t *encoded(const struct aimg_header *header)
{
    uint8_t *page = test_guarded(AIMG_HEADER_BYTES);
    memset(page, 0xEE, AIMG_HEADER_BYTES);
    aimg_header_encode(header, page);
    return page;
}

static void check_round_trip(void)
{
    struct aimg_header header = sample_header(), read;
    uint8_t *page = encoded(&header);
    EXPECT_EQ_UINT(aimg_header_decode(page, &read), 0);
    EXPECT(read.major == 0 && read.minor == 1 && read.compat == 1 && read.ro_compat == 2 && read.incompat == 3);
    EXPECT_EQ_UINT(read.created_ns, header.created_ns);
    EXPECT_EQ_UINT(read.params.alignment_log2, 6);
    EXPECT_EQ_UINT(read.params.name_seed, header.params.name_seed);
    EXPECT_EQ_BYTES(read.uuid, header.uuid, AIMG_UUID_BYTES);
    EXPECT_EQ_TEXT(read.writer, "test \xC3\xA9 1");
    EXPECT_EQ_UINT(aimg_uuid_seed(read.uuid), UINT64_C(0x0807060504030201));
    /* Places that SPEC.md names. */
    EXPECT_EQ_BYTES(page, AIMG_MAGIC, 8);
    EXPECT_EQ_UINT(aimg_load32(page + 12), 4096);
    EXPECT_EQ_UINT(page[64], 6);
    EXPECT_EQ_UINT(aimg_load64(page + 72), header.params.name_seed);
    EXPECT_EQ_UINT(aimg_load16(page + 128), 9);
    EXPECT(aimg_hash_equals(page + HASH_AT, aimg_hash(page, HASH_AT)));
}

static void check_longest_writer(void)
{
    struct aimg_header header = sample_header(), read;
    header.writer_bytes = AIMG_WRITER_TEXT_MAX;
    memset(header.writer, 'w', AIMG_WRITER_TEXT_MAX);
    EXPECT_EQ_UINT(aimg_header_decode(encoded(&header), &read), 0);
    EXPECT_EQ_UINT(strlen(read.writer), AIMG_WRITER_TEXT_MAX);
    header.writer_bytes = 0;
    EXPECT_EQ_UINT(aimg_header_decode(encoded(&header), &read), 0);
    EXPECT_EQ_UINT(strlen(read.writer), 0);
}

/* Bytes of the header that are changed, with the hash made right again, and the rule that then is broken. */
static void check_header_rules(void)
{
    static const struct {
        unsigned at, bytes;
        uint64_t value;
        unsigned rule;
    } changes[] = {
        {0, 1, 0x88, 2},   {7, 1, 0x1B, 2}, {8, 2, 1, 3},     {10, 2, 0, 3},      {10, 2, 2, 3},  {12, 4, 4095, 4},
        {12, 4, 8192, 4},  {64, 1, 2, 6},   {64, 1, 13, 6},   {64, 1, 0, 6},      {65, 1, 1, 6},  {71, 1, 1, 6},
        {80, 1, 1, 6},     {127, 1, 1, 6},  {128, 2, 255, 8}, {128, 2, 65535, 8}, {128, 2, 8, 8}, {130, 1, 0xFF, 8},
        {130, 1, 0x1F, 8}, {139, 1, 1, 8},  {384, 1, 1, 8},   {4079, 1, 1, 8},    {383, 1, 1, 8}, {135, 1, 0xFE, 8},
    };
    struct aimg_header header = sample_header(), read;
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        uint8_t *page = encoded(&header);
        for (unsigned b = 0; b < changes[i].bytes; b++)
            page[changes[i].at + b] = (uint8_t)(changes[i].value >> 8 * b);
        aimg_hash_store(page + HASH_AT, aimg_hash(page, HASH_AT));
        if (!EXPECT_EQ_UINT(aimg_header_decode(page, &read), changes[i].rule))
            fprintf(stderr, "  byte %u = %llu\n", changes[i].at, (unsigned long long)changes[i].value);
    }
    uint8_t *page = encoded(&header);
    memset(page + 16, 0, AIMG_UUID_BYTES);
    aimg_hash_store(page + HASH_AT, aimg_hash(page, HASH_AT));
    EXPECT_EQ_UINT(aimg_header_decode(page, &read), 7);
    memset(page + 16, 1, 1);
    page[31] = 1;
    EXPECT_EQ_UINT(aimg_header_decode(page, &read), 5);
}

/* Without a hash that fits, no bit can be turned. */
static void check_header_flips(void)
{
    struct aimg_header header = sample_header(), read;
    uint8_t *page = encoded(&header);
    for (unsigned bit = 0; bit < AIMG_HEADER_BYTES * 8; bit++) {
        page[bit / 8] ^= (uint8_t)(1u << bit % 8);
        EXPECT(aimg_header_decode(page, &read) != 0);
        page[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (unsigned log2 = 3; log2 <= 12; log2++) {
        header.params.alignment_log2 = (uint8_t)log2;
        EXPECT_EQ_UINT(aimg_header_decode(encoded(&header), &read), 0);
    }
}

static void sign_hint(uint8_t *page, uint64_t seed)
{
    aimg_hash_store(page + HASH_AT, aimg_hash_seeded(page, HASH_AT, seed));
}

static void check_hint(void)
{
    const uint64_t seed = 99;
    struct aimg_hint hint = {.seq = 5, .commit_offset = 3 * 4096, .end = 4 * 4096, .salt = 0xA1B2C3D4}, read;
    uint8_t *page = test_guarded(AIMG_HINT_BYTES);
    aimg_hint_encode(&hint, seed, page);
    EXPECT_EQ_UINT(aimg_hint_decode(page, seed, &read), 0);
    EXPECT(read.seq == 5 && read.commit_offset == 3 * 4096 && read.end == 4 * 4096 && read.salt == 0xA1B2C3D4);
    EXPECT_EQ_UINT(aimg_hint_decode(page, seed + 1, &read), 9);
    for (unsigned bit = 0; bit < AIMG_HINT_BYTES * 8; bit++) {
        page[bit / 8] ^= (uint8_t)(1u << bit % 8);
        EXPECT_EQ_UINT(aimg_hint_decode(page, seed, &read), 9);
        page[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    static const struct aimg_hint wrong[] = {
        {1, 2 * 4096, 3 * 4096, 0},
        {1, 3 * 4096, 5 * 4096, 0},
        {1, 3 * 4096, 3 * 4096, 0},
        {1, UINT64_MAX - 4095, 0, 0},
        {1, AIMG_FILE_LIMIT, AIMG_FILE_LIMIT + 4096, 0},
        {1, 0, 4096, 0},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        aimg_hint_encode(&wrong[i], seed, page);
        EXPECT_EQ_UINT(aimg_hint_decode(page, seed, &read), 9);
    }
    hint.commit_offset = AIMG_FILE_LIMIT - 4096;
    hint.end = AIMG_FILE_LIMIT;
    aimg_hint_encode(&hint, seed, page);
    EXPECT_EQ_UINT(aimg_hint_decode(page, seed, &read), 0);
    page[36] = 1;
    sign_hint(page, seed);
    EXPECT_EQ_UINT(aimg_hint_decode(page, seed, &read), 9);
    memset(page, 0, AIMG_HINT_BYTES);
    EXPECT_EQ_UINT(aimg_hint_decode(page, seed, &read), 9);
}

int main(void)
{
    check_round_trip();
    check_longest_writer();
    check_header_rules();
    check_header_flips();
    check_hint();
    return test_end("test_head");
}
