/* SPDX-License-Identifier: Apache-2.0 */
/* What an archive says of itself: its commits and what changed between them, metadata, codings, and what its bytes are for. */
#include "harness.h"

#include "constants.h"

const uint32_t fuzz_focus = 1u << AIMG_FRAME_META | 1u << AIMG_FRAME_ROOT | 1u << AIMG_FRAME_COMMIT | 1u << AIMG_FRAME_MASK |
                            1u << AIMG_FRAME_DICT | 1u << AIMG_FRAME_RUN;

enum { MOST = 64 };

static int see_commit(void *user, const struct aimg_commit *commit)
{
    unsigned *count = user;
    require(commit->added <= commit->ordinal_count && memchr(commit->message, 0, sizeof commit->message) != NULL);
    return ++*count == MOST;
}

struct changes {
    unsigned count;
    struct aimg_change last;
};

static int see_change(void *user, const struct aimg_change *change)
{
    struct changes *seen = user;
    require(change->kind == AIMG_CHANGE_ADDED || change->kind == AIMG_CHANGE_REMOVED);
    if (seen->count > 0) /* those that were removed come first; both in order */
        require(change->kind == seen->last.kind ? change->ordinal > seen->last.ordinal : change->kind == AIMG_CHANGE_ADDED);
    seen->last = *change;
    return ++seen->count == MOST;
}

struct pairs {
    const struct aimg_reader *reader;
    unsigned count;
};

/* A key that is told is whole: it leads to the value again. */
static int see_meta(void *user, const char *key, const char *value, size_t value_bytes)
{
    static char again[FUZZ_IMAGE_BYTES];
    struct pairs *pairs = user;
    size_t size = 0;
    require(key[0] != 0 && strlen(key) <= 255);
    touch(value, value_bytes);
    if (pairs->count < 4 && value_bytes <= sizeof again)
        require(aimg_reader_meta(pairs->reader, key, again, sizeof again, &size, NULL) == AIMG_OK && size == value_bytes &&
                (size == 0 || memcmp(again, value, size) == 0));
    return ++pairs->count == MOST;
}

static void read_meta(const struct aimg_reader *reader)
{
    char value[256];
    struct pairs pairs = {reader, 0};
    size_t size;
    enum aimg_status all = aimg_reader_each_meta(reader, see_meta, &pairs, NULL);
    enum aimg_status one = aimg_reader_meta(reader, "title", value, sizeof value, &size, NULL);
    allowed(all);
    allowed(one);
    require(one != AIMG_OK || pairs.count > 0);
    require(all != AIMG_OK || one == AIMG_OK || one == AIMG_NOT_FOUND || one == AIMG_BUFFER_TOO_SMALL);
}

static void read_history(const struct aimg_reader *reader, uint64_t commits)
{
    struct aimg_commit commit;
    unsigned seen = 0;
    allowed(aimg_reader_log(reader, see_commit, &seen, NULL));
    for (uint64_t i = 0; i < 3; i++) {
        struct changes changes = {.count = 0};
        uint64_t seq = i == 0 ? 0 : i == 1 ? commits / 2 : commits - 1;
        allowed(aimg_reader_commit(reader, seq, &commit, NULL));
        allowed(aimg_reader_changes(reader, seq, see_change, &changes, NULL));
        require(seq + 1 != commits || changes.count == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct aimg_info info = {.struct_bytes = sizeof info};
    struct aimg_space space = {.struct_bytes = sizeof space};
    struct aimg_coding coding;
    int changed = 1;
    (void)fuzz_script(data, bytes, &bytes);
    struct aimg_reader *reader = fuzz_open(data, bytes, 0, 0);
    if (reader == NULL)
        return 0;
    require(aimg_reader_info(reader, &info, NULL) == AIMG_OK);
    require(info.listed_count <= info.ordinal_count && info.dead_count <= info.ordinal_count - info.listed_count);
    for (uint32_t i = 0; i < info.coding_count; i++)
        require(aimg_reader_coding(reader, i, &coding, NULL) == AIMG_OK && coding.coding >= 2);
    enum aimg_status status = aimg_reader_space(reader, &space, NULL);
    allowed(status);
    read_meta(reader);
    if (info.commit_count > 0)
        read_history(reader, info.commit_count);
    require(aimg_reader_refresh(reader, &changed, NULL) == AIMG_OK && changed == 0);
    aimg_reader_close(reader);
    return 0;
}
