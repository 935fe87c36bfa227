/* SPDX-License-Identifier: Apache-2.0 */
/* Commit pages: what is written is read, every rule is kept, and no bit can be turned. */
#include "checksum.h"
#include "commit.h"
#include "frame.h"
#include "test.h"

enum { OFFSET = 5 * AIMG_PAGE_BYTES, CHAIN_AT = 4064 };

static struct aimg_header sample_header(void)
{
    struct aimg_header header = {.major = AIMG_FORMAT_MAJOR, .minor = AIMG_FORMAT_MINOR};
    memset(header.uuid, 0x42, sizeof header.uuid);
    header.params = (struct aimg_params){.alignment_log2 = 3, .name_seed = 77};
    return header;
}

static struct aimg_commit_page sample_commit(void)
{
    struct aimg_header header = sample_header();
    struct aimg_commit_page commit = {.seq = 3,
                                      .self_offset = OFFSET,
                                      .prev_offset = 4 * AIMG_PAGE_BYTES,
                                      .ordinal_count = 10,
                                      .listed_count = 9,
                                      .root_offset = 20000,
                                      .root_bytes = 300,
                                      .compat = 1,
                                      .ro_compat = 2,
                                      .incompat = 4,
                                      .params = header.params,
                                      .time_ns = UINT64_C(1700000000123456789),
                                      .salt = 0xCAFE,
                                      .flags = AIMG_COMMIT_SEALED,
                                      .message_bytes = 5};
    memcpy(commit.uuid, header.uuid, sizeof commit.uuid);
    memset(commit.prev_chain, 0x33, sizeof commit.prev_chain);
    memset(commit.root_hash, 0x44, sizeof commit.root_hash);
    memcpy(commit.message, "hello", 5);
    return commit;
}

static uint8_t *encoded(struct aimg_commit_page commit)
{
    uint8_t *page = test_guarded(AIMG_PAGE_BYTES);
    memset(page, 0xEE, AIMG_PAGE_BYTES);
    aimg_commit_encode(&commit, page);
    return page;
}

/* Makes chain, payload hash and check right again after a change. */
static void sign(uint8_t *page)
{
    aimg_hash_store(page + CHAIN_AT, aimg_hash(page + AIMG_FRAME_BYTES, CHAIN_AT - AIMG_FRAME_BYTES));
    aimg_store64(page + 32, aimg_hash(page + AIMG_FRAME_BYTES, AIMG_PAGE_BYTES - AIMG_FRAME_BYTES).low);
    aimg_store64(page + AIMG_FRAME_CHECK_OFFSET, aimg_frame_checksum(page, AIMG_FRAME_BYTES, aimg_load64(sample_header().uuid)));
}

static unsigned decode(const uint8_t *page, uint64_t offset, struct aimg_commit_page *commit)
{
    struct aimg_header header = sample_header();
    return aimg_commit_decode(page, offset, &header, commit);
}

static void check_round_trip(void)
{
    struct aimg_commit_page commit = sample_commit(), read;
    uint8_t *page = encoded(commit);
    EXPECT_EQ_UINT(decode(page, OFFSET, &read), 0);
    EXPECT(read.seq == 3 && read.self_offset == OFFSET && read.prev_offset == 4 * AIMG_PAGE_BYTES);
    EXPECT(read.ordinal_count == 10 && read.listed_count == 9 && read.root_offset == 20000 && read.root_bytes == 300);
    EXPECT(read.compat == 1 && read.ro_compat == 2 && read.incompat == 4 && read.time_ns == commit.time_ns);
    EXPECT(read.salt == 0xCAFE && read.flags == AIMG_COMMIT_SEALED && read.params.name_seed == 77);
    EXPECT_EQ_TEXT(read.message, "hello");
    EXPECT_EQ_BYTES(read.uuid, commit.uuid, 16);
    EXPECT_EQ_BYTES(read.prev_chain, commit.prev_chain, 16);
    EXPECT_EQ_BYTES(read.root_hash, commit.root_hash, 16);
    EXPECT_EQ_BYTES(read.chain, page + CHAIN_AT, 16);
    EXPECT_EQ_BYTES(page + 48, AIMG_COMMIT_MAGIC, 8);
    EXPECT_EQ_BYTES(page + 4088, AIMG_COMMIT_MAGIC, 8);
    uint8_t before[AIMG_PAGE_BYTES];
    memcpy(before, page, sizeof before);
    sign(page); /* is what encode did */
    EXPECT_EQ_BYTES(before, page, sizeof before);
    aimg_commit_encode(&commit, page);
    EXPECT_EQ_BYTES(commit.chain, read.chain, 16);
}

static void check_messages(void)
{
    struct aimg_commit_page commit = sample_commit(), read;
    commit.message_bytes = AIMG_MESSAGE_MAX;
    memset(commit.message, 'm', AIMG_MESSAGE_MAX);
    EXPECT_EQ_UINT(decode(encoded(commit), OFFSET, &read), 0);
    EXPECT_EQ_UINT(strlen(read.message), AIMG_MESSAGE_MAX);
    commit.message_bytes = 0;
    EXPECT_EQ_UINT(decode(encoded(commit), OFFSET, &read), 0);
    EXPECT_EQ_TEXT(read.message, "");
}

static void check_rules(void)
{
    static const struct {
        unsigned at, bytes;
        uint64_t value;
        unsigned rule;
    } changes[] = {
        {0, 1, 0, 13},     {2, 1, 12, 24},      {2, 1, 15, 14},          {3, 1, 7, 15},      {4, 4, 1, 19},
        {12, 2, 1, 15},    {14, 1, 1, 19},      {15, 1, 1, 19},          {16, 4, 4040, 19},  {30, 2, 1, 19},
        {48, 1, 'a', 24},  {56, 2, 1, 26},      {58, 2, 2, 26},          {60, 4, 1, 24},     {64, 1, 0, 26},
        {79, 1, 0, 26},    {80, 8, 4, 24},      {88, 8, OFFSET + 1, 24}, {88, 8, 0, 24},     {192, 1, 4, 26},
        {193, 1, 1, 26},   {200, 1, 78, 26},    {255, 1, 1, 26},         {268, 4, 2, 24},    {268, 4, 0x80000001, 24},
        {272, 2, 255, 24}, {272, 2, 65535, 24}, {272, 2, 4, 24},         {274, 1, 0xFF, 24}, {279, 1, 1, 24},
        {528, 1, 1, 24},   {4063, 1, 1, 24},    {4080, 8, 2, 24},        {4088, 1, 'a', 24}, {4095, 1, 0, 24},
    };
    struct aimg_commit_page read;
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        uint8_t *page = encoded(sample_commit());
        for (unsigned b = 0; b < changes[i].bytes; b++)
            page[changes[i].at + b] = (uint8_t)(changes[i].value >> 8 * b);
        sign(page);
        if (!EXPECT_EQ_UINT(decode(page, OFFSET, &read), changes[i].rule))
            fprintf(stderr, "  byte %u\n", changes[i].at);
    }
    uint8_t *page = encoded(sample_commit());
    EXPECT_EQ_UINT(decode(page, OFFSET + AIMG_PAGE_BYTES, &read), 24); /* a true page in another place */
    struct aimg_commit_page askew = sample_commit();
    askew.self_offset = OFFSET + 8;
    EXPECT_EQ_UINT(decode(encoded(askew), OFFSET + 8, &read), 24);
    page[CHAIN_AT] ^= 1;
    aimg_store64(page + 32, aimg_hash(page + AIMG_FRAME_BYTES, AIMG_PAGE_BYTES - AIMG_FRAME_BYTES).low);
    aimg_store64(page + AIMG_FRAME_CHECK_OFFSET, aimg_frame_checksum(page, AIMG_FRAME_BYTES, aimg_load64(sample_header().uuid)));
    EXPECT_EQ_UINT(decode(page, OFFSET, &read), 25);
}

static void check_flips(void)
{
    struct aimg_commit_page read;
    uint8_t *page = encoded(sample_commit());
    for (unsigned bit = 0; bit < AIMG_PAGE_BYTES * 8; bit++) {
        page[bit / 8] ^= (uint8_t)(1u << bit % 8);
        EXPECT(decode(page, OFFSET, &read) != 0);
        page[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    /* A page of another archive, whole as it is. */
    struct aimg_header other = sample_header();
    other.uuid[15] ^= 1;
    EXPECT_EQ_UINT(aimg_commit_decode(page, OFFSET, &other, &read), 26);
    other = sample_header();
    other.uuid[0] ^= 1;
    EXPECT_EQ_UINT(aimg_commit_decode(page, OFFSET, &other, &read), 13);
}

int main(void)
{
    check_round_trip();
    check_messages();
    check_rules();
    check_flips();
    return test_end("test_commit");
}
