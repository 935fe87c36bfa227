/* SPDX-License-Identifier: Apache-2.0 */
/* All vectors, repaired: of good ones nothing is lost; of bad ones, in which checksums are right and what they sign is not, what
 * comes out breaks no rule. */
#include "repair.h"
#include "sample.h"
#include "test.h"

#include <dirent.h>
#include <unistd.h>

static struct aimg_error error;
static const char *out_path;

static void on_finding(void *user, const struct aimg_finding *finding)
{
    (void)user;
    if (!finding->warning)
        fprintf(stderr, "  rule %u: %s\n", finding->rule, finding->message);
}

static enum aimg_status repair(const uint8_t *bytes, size_t count, struct aimg_repair_result *result)
{
    struct aimg_writer_options writer = sample_writer_options();
    struct aimg_repair_options options = {.struct_bytes = sizeof options, .writer = &writer};
    struct aimg_repair_target target = {.path = out_path};
    struct aimg_io io;
    (void)unlink(out_path);
    aimg_io_memory_open(&io, bytes, count);
    return aimg_repair_io(&io, &target, &options, result, &error);
}

static void check_sound(void)
{
    struct aimg_verify_options options = {.struct_bytes = sizeof options, .threads = 1, .finding = on_finding};
    struct aimg_verify_result result = {.faults = 0};
    EXPECT_EQ_INT(aimg_verify(out_path, &options, &result, &error), AIMG_OK);
    EXPECT_EQ_UINT(result.faults, 0);
}

/* Every image that is not dead is there, under its name, with its hash, in its order. */
static void check_same(const uint8_t *bytes, size_t count)
{
    struct aimg_reader *before = NULL, *after = NULL;
    uint32_t next = 0;
    REQUIRE(aimg_reader_open_memory(bytes, count, NULL, &before, &error) == AIMG_OK);
    REQUIRE(aimg_reader_open(out_path, NULL, &after, &error) == AIMG_OK);
    EXPECT_EQ_UINT(aimg_reader_count(before), aimg_reader_count(after));
    for (uint32_t i = 0; i < aimg_reader_ordinal_count(before); i++) {
        struct aimg_entry a, b;
        char names[2][1100];
        REQUIRE(aimg_reader_entry(before, i, &a, &error) == AIMG_OK);
        if (a.dead)
            continue;
        if (!EXPECT_EQ_INT(aimg_reader_entry(after, next, &b, &error), AIMG_OK))
            break;
        EXPECT(memcmp(a.hash, b.hash, sizeof a.hash) == 0 && a.format == b.format && a.attachment == b.attachment);
        EXPECT(aimg_reader_name(before, i, names[0], sizeof names[0], NULL, &error) == AIMG_OK);
        EXPECT(aimg_reader_name(after, next++, names[1], sizeof names[1], NULL, &error) == AIMG_OK);
        EXPECT_EQ_TEXT(names[0], names[1]);
    }
    aimg_reader_close(before);
    aimg_reader_close(after);
}

static unsigned check_folder(const char *folder, bool good)
{
    unsigned count = 0;
    DIR *all = opendir(folder);
    REQUIRE(all != NULL);
    for (struct dirent *entry; (entry = readdir(all)) != NULL;) {
        char path[1024];
        size_t bytes = 0, length = strlen(entry->d_name);
        struct aimg_repair_result result = {.images = 0};
        if (length < 5 || strcmp(entry->d_name + length - 5, ".aimg") != 0)
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        uint8_t *data = sample_load(path, &bytes);
        REQUIRE(data != NULL);
        test_state.subject = entry->d_name;
        enum aimg_status status = repair(data, bytes, &result);
        if (good && status == AIMG_UNSUPPORTED) /* a feature of the future, which a copy would lose */
            EXPECT(strncmp(entry->d_name, "unknown-", 8) == 0);
        else if (good && !EXPECT_EQ_INT(status, AIMG_OK))
            fprintf(stderr, "  %s\n", error.message);
        if (status == AIMG_OK)
            check_sound();
        else
            EXPECT(access(out_path, F_OK) != 0 && strlen(error.message) > 10);
        if (good && status == AIMG_OK) {
            EXPECT(result.lost_images + result.lost_names + result.lost_values + result.lost_bytes + result.lost_meta == 0);
            EXPECT_EQ_UINT(result.removals, 0);
            check_same(data, bytes);
        }
        test_state.subject = NULL;
        free(data);
        count++;
    }
    closedir(all);
    return count;
}

int main(void)
{
    out_path = strdup(sample_path("out"));
    EXPECT(check_folder(VECTORS "/good", true) > 40);
    EXPECT(check_folder(VECTORS "/bad", false) > 60);
    free((char *)(uintptr_t)out_path);
    return test_end("repair_vectors");
}
