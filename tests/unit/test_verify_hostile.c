/* SPDX-License-Identifier: Apache-2.0 */
/* The check of archives whose checksums are all right and which want it to work without end: tables named again and again,
 * commits that share one large ROOT. What it takes must follow from the size of the file. */
#include "checksum.h"
#include "commit.h"
#include "counting.h"
#include "frame.h"
#include "root.h"
#include "sample.h"
#include "test.h"

#define ROWS     3000u
#define COPIES   2000u
#define COMMITS  200u
#define FILE_MAX (4u << 20)
#define MEMORY   (8 << 20) /* a thread's buffers, and a few times the index */

static uint8_t *archive; /* one commit of ROWS images, without ROOT and page */
static size_t begin;     /* where they stood */
static struct aimg_commit_page commit;
static struct aimg_root_head head;
static struct aimg_part parts[8];

static uint8_t file[FILE_MAX];
static size_t file_bytes;

struct verdict {
    enum aimg_status status;
    struct aimg_verify_result result;
    uint64_t rules[128];
    struct counting counting;
};

static void on_finding(void *user, const struct aimg_finding *finding)
{
    struct verdict *verdict = user;
    verdict->rules[finding->rule]++;
}

static void verify(struct verdict *verdict, uint64_t index_bytes)
{
    *verdict = (struct verdict){.status = AIMG_OK};
    struct aimg_verify_options options = {.struct_bytes = sizeof options,
                                          .threads = 1,
                                          .limits = {.index_bytes = index_bytes},
                                          .user = verdict,
                                          .finding = on_finding,
                                          .allocator = counting_allocator(&verdict->counting)};
    struct aimg_error error;
    REQUIRE(sample_store(sample_path("hostile"), file, file_bytes));
    verdict->status = aimg_verify(sample_path("hostile"), &options, &verdict->result, &error);
    EXPECT_EQ_INT(verdict->counting.live, 0);
}

/* ------------------------------------------------------------------ making the file */

static void make(void)
{
    struct aimg_writer_options options = sample_writer_options();
    struct aimg_writer *writer;
    struct aimg_header header;
    struct aimg_error error;
    char name[16];
    size_t bytes;
    REQUIRE(aimg_writer_create(sample_path("sound"), &options, &writer, &error) == AIMG_OK);
    for (uint32_t i = 0; i < ROWS; i++) {
        snprintf(name, sizeof name, "%u", i);
        REQUIRE(sample_add(writer, name, 7, 0, NULL, &error) == AIMG_OK);
    }
    REQUIRE(aimg_writer_commit(writer, NULL, &error) == AIMG_OK && aimg_writer_close(writer, &error) == AIMG_OK);
    archive = sample_load(sample_path("sound"), &bytes);
    REQUIRE(archive != NULL && aimg_header_decode(archive, &header) == 0);
    REQUIRE(aimg_commit_decode(archive + bytes - AIMG_PAGE_BYTES, bytes - AIMG_PAGE_BYTES, &header, &commit) == 0);
    begin = (size_t)commit.root_offset;
    const uint8_t *root = archive + begin + AIMG_FRAME_BYTES;
    REQUIRE(aimg_root_head_decode(root, &head) == 0 && head.part_count == 2 && head.column_count == 0);
    for (uint32_t i = 0; i < head.part_count; i++)
        REQUIRE(aimg_part_decode(root + AIMG_ROOT_HEAD_BYTES + (size_t)i * AIMG_PART_BYTES, begin, &parts[i]) == 0);
    REQUIRE(parts[0].type == AIMG_FRAME_RUN && parts[1].type == AIMG_FRAME_NAMES);
}

/* Header and padding of a frame whose payload stands behind the place of its header. */
static void put_frame(unsigned type, size_t payload_bytes)
{
    uint8_t *at = file + file_bytes;
    struct aimg_frame frame = {.type = (uint8_t)type,
                               .header_units = AIMG_FRAME_BYTES / AIMG_UNIT,
                               .salt = commit.salt,
                               .stored_bytes = payload_bytes,
                               .raw_bytes = payload_bytes,
                               .stored_hash = aimg_hash(at + AIMG_FRAME_BYTES, payload_bytes).low};
    aimg_frame_encode(&frame, at);
    frame.check = aimg_frame_checksum(at, AIMG_FRAME_BYTES, aimg_uuid_seed(commit.uuid));
    aimg_frame_encode(&frame, at);
    file_bytes += (size_t)aimg_frame_total_bytes(&frame);
}

static void put_page(struct aimg_commit_page *page)
{
    size_t gap = AIMG_PAGE_BYTES - file_bytes % AIMG_PAGE_BYTES;
    if (gap < AIMG_PAGE_BYTES) {
        gap += gap < AIMG_FRAME_BYTES ? AIMG_PAGE_BYTES : 0;
        put_frame(AIMG_FRAME_PAD, gap - AIMG_FRAME_BYTES);
    }
    page->self_offset = file_bytes;
    aimg_commit_encode(page, file + file_bytes);
    file_bytes += AIMG_PAGE_BYTES;
    struct aimg_hint hint = {.seq = page->seq, .commit_offset = page->self_offset, .end = file_bytes, .salt = page->salt};
    memset(file + AIMG_HEADER_BYTES, 0, 2 * AIMG_HINT_BYTES);
    aimg_hint_encode(&hint, aimg_uuid_seed(page->uuid), file + AIMG_HEADER_BYTES + page->seq % 2 * AIMG_HINT_BYTES);
}

/* The images and tables, a ROOT with the RUN `copies` times, each time `shift` bytes further on, and a commit. */
static struct aimg_commit_page put_root(uint32_t copies, uint64_t shift)
{
    struct aimg_commit_page page = commit;
    struct aimg_root_head changed = head;
    struct aimg_part run = parts[0];
    memset(file, 0, sizeof file);
    memcpy(file, archive, begin);
    file_bytes = begin;
    uint8_t *payload = file + begin + AIMG_FRAME_BYTES, *out = payload + AIMG_ROOT_HEAD_BYTES;
    changed.part_count = copies + 1;
    aimg_root_head_encode(&changed, payload);
    for (uint32_t i = 0; i < copies; i++, out += AIMG_PART_BYTES) {
        aimg_part_encode(&run, out);
        run.offset += shift;
        run.bytes -= shift;
    }
    aimg_part_encode(&parts[1], out);
    page.root_offset = begin;
    page.root_bytes = (size_t)(out + AIMG_PART_BYTES - payload);
    aimg_hash_store(page.root_hash, aimg_hash(payload, (size_t)page.root_bytes));
    put_frame(AIMG_FRAME_ROOT, (size_t)page.root_bytes);
    put_page(&page);
    return page;
}

/* ------------------------------------------------------------------ tests */

static void check_sound(void)
{
    static struct verdict verdict;
    (void)put_root(1, 0);
    verify(&verdict, 0);
    EXPECT(verdict.status == AIMG_OK && verdict.result.faults == 0 && verdict.result.images == ROWS);
    EXPECT(verdict.counting.peak_bytes < MEMORY);
    verify(&verdict, 100);
    EXPECT_EQ_INT(verdict.status, AIMG_LIMIT);
}

/* One RUN many times; and then with a damaged frame, for which the entries of all runs are looked at. */
static void check_repeated(void)
{
    static struct verdict verdict;
    (void)put_root(COPIES, 0);
    for (int damaged = 0; damaged < 2; damaged++) {
        verify(&verdict, 0);
        EXPECT(verdict.status == AIMG_OK && verdict.rules[37] > 0 && verdict.rules[36] == 0);
        EXPECT_EQ_UINT(verdict.result.faults, COPIES - 1 + (uint64_t)damaged);
        EXPECT_EQ_UINT(verdict.result.images, ROWS);
        EXPECT(verdict.counting.peak_bytes < MEMORY);
        file[AIMG_HEAD_BYTES] ^= 1;
    }
}

/* Parts in order that lie over each other. */
static void check_overlapping(void)
{
    static struct verdict verdict;
    (void)put_root(COPIES / 2, AIMG_TABLE_ALIGN);
    verify(&verdict, 0);
    EXPECT(verdict.status == AIMG_OK && verdict.rules[41] > 0 && verdict.rules[37] == 0);
    EXPECT(verdict.counting.allocated < COPIES / 4); /* most are not even looked at */
}

/* Commits that all name the first one's ROOT, which has many parts. */
static void check_shared_root(void)
{
    static struct verdict verdict;
    struct aimg_commit_page page = put_root(COPIES, 0);
    verify(&verdict, 0);
    unsigned long long once = verdict.counting.allocated;
    for (uint32_t i = 0; i < COMMITS; i++) {
        page.prev_offset = page.self_offset;
        memcpy(page.prev_chain, page.chain, sizeof page.chain);
        page.seq++;
        put_page(&page);
    }
    verify(&verdict, 0);
    EXPECT(verdict.status == AIMG_OK && verdict.result.commits == COMMITS + 1);
    EXPECT(verdict.rules[31] > 0 && verdict.rules[27] == 0 && verdict.rules[28] == 0);
    EXPECT(verdict.counting.allocated < once + COMMITS);
}

int main(void)
{
    make();
    check_sound();
    check_repeated();
    check_overlapping();
    check_shared_root();
    free(archive);
    return test_end("test_verify_hostile");
}
