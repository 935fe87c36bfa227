/* SPDX-License-Identifier: Apache-2.0 */
/* The mutator of the fuzz targets: what it makes passes the checksums up to the level that it signs, differs from what it was
 * made of, gets past the door of the reader often, and stays within its room. */
#include "mutate.h"

#include "random.h"
#include "sample.h"
#include "test.h"
#include "verify.h"

const uint32_t fuzz_focus = 0;

enum { ROUNDS = 3000, ROOM = 1 << 18 };

#define RULE(number) (UINT64_C(1) << (number))
/* Rules that a checksum decides alone: those of frames, hash lists, tails and ROOT, the chain. 13, 18, 40, 41, 31, 25, 5. */
#define CHECKSUMS (RULE(5) | RULE(13) | RULE(18) | RULE(25) | RULE(31) | RULE(40) | RULE(41))

static uint8_t *archive, *other;
static size_t archive_bytes, other_bytes;

static void note(void *user, const struct aimg_finding *finding)
{
    *(uint64_t *)user |= finding->warning ? 0 : RULE(finding->rule < 63 ? finding->rule : 63);
}

/* Rules that bytes break. */
static uint64_t broken(const uint8_t *data, size_t bytes)
{
    struct aimg_io io;
    uint64_t rules = 0;
    struct aimg_verify_options options = {.struct_bytes = sizeof options, .threads = 1, .user = &rules, .finding = note};
    struct aimg_verify_result result;
    aimg_io_memory_open(&io, data, bytes);
    (void)aimg_verify_io(&io, &options, &result, NULL);
    return rules;
}

static bool opens(const uint8_t *data, size_t bytes)
{
    struct aimg_reader *reader = NULL;
    enum aimg_status status = aimg_reader_open_memory(data, bytes, NULL, &reader, NULL);
    aimg_reader_close(reader);
    return status == AIMG_OK;
}

/* Signing alone, of bytes that are changed in a payload: all rules of checksums below the level hold again, the next does not. */
static void test_levels(void)
{
    uint8_t *copy = malloc(archive_bytes);
    static struct tree tree;
    size_t offsets[TREE_FRAMES], entry = 0;
    REQUIRE(copy != NULL);
    memcpy(copy, archive, archive_bytes);
    tree_read(&tree, copy, archive_bytes);
    REQUIRE(tree.frame_count > 4 && tree.frame_count < TREE_FRAMES);
    for (size_t i = 0; i < tree.frame_count; i++)
        offsets[i] = tree.frames[i].offset;
    for (size_t i = 0; i < tree.node_count; i++) /* of the last run, which the last commit names */
        entry = tree.nodes[i].kind == TREE_ENTRY ? tree.nodes[i].offset : entry;
    REQUIRE(entry != 0);
    copy[entry + 14] ^= 1; /* the format, of which no hash in the entry knows */
    EXPECT((broken(copy, archive_bytes) & RULE(18)) != 0);
    static const uint64_t stands[] = {0, RULE(40), RULE(41), RULE(31), RULE(25), 0, 0};
    for (int level = AIMG_RESIGN_FRAMES; level <= AIMG_RESIGN_ALL; level++) {
        aimg_resign_to(copy, archive_bytes, offsets, tree.frame_count, (enum aimg_resign_level)level);
        uint64_t rules = broken(copy, archive_bytes);
        EXPECT((rules & RULE(18)) == 0);
        if (level >= AIMG_RESIGN_CHAIN)
            EXPECT((rules & CHECKSUMS) == 0 && opens(copy, archive_bytes));
        else
            EXPECT((rules & stands[level]) != 0);
    }
    free(copy);
}

/* Frames that are moved take what points at them along: a larger payload of an image, and the archive is what it was. */
static void test_resize(void)
{
    static uint8_t copy[ROOM];
    static struct tree tree;
    size_t image = 0;
    memcpy(copy, archive, archive_bytes);
    tree_read(&tree, copy, archive_bytes);
    for (size_t i = 0; i < tree.frame_count && image == 0; i++)
        image = tree.frames[i].type == AIMG_FRAME_IMAGE ? i + 1 : 0;
    REQUIRE(image != 0);
    struct tree_frame frame = tree.frames[image - 1];
    size_t at = frame.offset + frame.header_bytes, frames = tree.frame_count;
    for (size_t bytes = 64; bytes <= 8192; bytes += 64) {
        EXPECT(tree_resize(&tree, at, 0, bytes, ROOM));
        tree_put(&tree, frame.offset + 16, 6, frame.payload_bytes + bytes);
        tree_put(&tree, frame.offset + 24, 6, frame.payload_bytes + bytes);
        tree_read(&tree, copy, tree.bytes);
        EXPECT(tree.frame_count == frames);
        EXPECT(tree_resize(&tree, at, bytes, 0, ROOM));
        tree_put(&tree, frame.offset + 16, 6, frame.payload_bytes);
        tree_put(&tree, frame.offset + 24, 6, frame.payload_bytes);
        tree_read(&tree, copy, tree.bytes);
        EXPECT(tree.frame_count == frames && tree.bytes >= archive_bytes);
        aimg_resign(copy, tree.bytes);
        EXPECT_EQ_UINT(broken(copy, tree.bytes), 0);
    }
    EXPECT(!tree_resize(&tree, at, 0, ROOM, ROOM));
}

static void test_mutants(void)
{
    static uint8_t copy[ROOM + 64];
    unsigned open = 0, signed_whole = 0, same = 0, sound = 0;
    memset(copy + ROOM, 0xA5, 64);
    for (unsigned i = 0; i < ROUNDS; i++) {
        size_t most = i % 3 == 0 ? archive_bytes + 64 : ROOM, whole;
        memcpy(copy, archive, archive_bytes);
        size_t bytes = mutate_archive(copy, archive_bytes, most, i % 4 == 0 ? other : NULL, other_bytes, i, NULL);
        REQUIRE(bytes <= most);
        (void)fuzz_script(copy, bytes, &whole);
        same += whole == archive_bytes && memcmp(copy, archive, whole) == 0;
        uint64_t rules = broken(copy, whole);
        signed_whole += (rules & CHECKSUMS) == 0;
        sound += rules == 0;
        open += opens(copy, whole);
    }
    for (unsigned i = 0; i < 64; i++)
        EXPECT(copy[ROOM + i] == 0xA5);
    printf("of %d mutants %u open, %u pass the rules of checksums, %u have no fault, %u are as before\n", ROUNDS, open,
           signed_whole, sound, same);
    EXPECT(open > ROUNDS / 3 && signed_whole > ROUNDS / 3);
    EXPECT(same < ROUNDS / 8);
    EXPECT(sound < ROUNDS / 2); /* most of them break a rule of what they say */
}

int main(void)
{
    char first[512], second[512];
    snprintf(first, sizeof first, "%s", sample_path("first.aimg"));
    snprintf(second, sizeof second, "%s", sample_path("second.aimg"));
    REQUIRE(sample_archive(first, 2, 5) && sample_archive(second, 1, 3));
    archive = sample_load(first, &archive_bytes);
    other = sample_load(second, &other_bytes);
    REQUIRE(archive != NULL && other != NULL && archive_bytes + 4096 < ROOM);
    EXPECT_EQ_UINT(broken(archive, archive_bytes), 0);
    test_levels();
    test_resize();
    test_mutants();
    free(archive);
    free(other);
    return test_end("the mutator");
}
