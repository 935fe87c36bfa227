/* SPDX-License-Identifier: Apache-2.0 */
#include "state.h"

#include "sample.h"

#include <aimg/aimg.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FNV_BEGIN UINT64_C(0xcbf29ce484222325)

static void mix(uint64_t *hash, const void *data, size_t bytes)
{
    const uint8_t *next = data;
    for (size_t i = 0; i < bytes; i++)
        *hash = (*hash ^ next[i]) * UINT64_C(0x100000001b3);
    *hash = (*hash ^ bytes) * UINT64_C(0x100000001b3); /* where one field ends */
}

/* ------------------------------------------------------------------ archives */

static int mix_pair(void *user, const char *key, const char *value, size_t value_bytes)
{
    mix(user, key, strlen(key));
    mix(user, value, value_bytes);
    return 0;
}

static enum aimg_status mix_values(const struct aimg_reader *reader, uint32_t ordinal, uint64_t *hash, struct aimg_error *error)
{
    static _Thread_local uint8_t value[1 << 16];
    struct aimg_column column;
    enum aimg_status status = AIMG_OK;
    for (uint32_t i = 0; status == AIMG_OK && aimg_reader_column(reader, i, &column, NULL) == AIMG_OK; i++) {
        size_t bytes = 0;
        int null = 0;
        status = aimg_reader_value(reader, i, ordinal, value, sizeof value, &bytes, &null, error);
        mix(hash, column.name, strlen(column.name));
        mix(hash, &null, sizeof null);
        mix(hash, value, status == AIMG_OK && !null ? bytes : 0);
    }
    return status;
}

static enum aimg_status mix_image(const struct aimg_reader *reader, uint32_t ordinal, uint64_t *hash, struct aimg_error *error)
{
    static _Thread_local uint8_t image[1 << 20];
    char name[1025];
    size_t name_bytes = 0;
    uint64_t bytes = 0;
    struct aimg_entry entry;
    enum aimg_status status = aimg_reader_entry(reader, ordinal, &entry, error);
    if (status != AIMG_OK)
        return status;
    mix(hash, &entry.dead, 1);
    mix(hash, &entry.attachment, 1);
    if (entry.dead)
        return AIMG_OK;
    status = aimg_reader_name(reader, ordinal, name, sizeof name, &name_bytes, error);
    if (status == AIMG_OK)
        status = aimg_reader_read(reader, ordinal, 0, image, sizeof image, &bytes, error);
    if (status == AIMG_OK)
        status = mix_values(reader, ordinal, hash, error);
    mix(hash, name, name_bytes);
    mix(hash, image, status == AIMG_OK ? bytes : 0);
    return status;
}

static enum aimg_status mix_archive(const struct aimg_reader *reader, uint64_t *hash, struct aimg_error *error)
{
    struct aimg_info info = {.struct_bytes = sizeof info};
    enum aimg_status status = aimg_reader_info(reader, &info, error);
    mix(hash, &info.commit_count, sizeof info.commit_count);
    mix(hash, &info.sealed, sizeof info.sealed);
    for (uint32_t k = 0; status == AIMG_OK && k < aimg_reader_ordinal_count(reader); k++)
        status = mix_image(reader, k, hash, error);
    return status == AIMG_OK ? aimg_reader_each_meta(reader, mix_pair, hash, error) : status;
}

static uint64_t state_with(const char *path, uint32_t flags, uint64_t seq, char reason[300])
{
    struct aimg_reader_options options = {.struct_bytes = sizeof options, .flags = AIMG_READER_NO_MAP | flags, .seq = seq};
    struct aimg_reader *reader = NULL;
    struct aimg_error error = {.status = AIMG_OK};
    uint64_t hash = FNV_BEGIN;
    enum aimg_status status = aimg_reader_open(path, &options, &reader, &error);
    if (status == AIMG_NOT_FOUND)
        return 0;
    if (status == AIMG_OK)
        status = mix_archive(reader, &hash, &error);
    aimg_reader_close(reader);
    if (status == AIMG_OK)
        return hash < 2 ? 2 : hash;
    snprintf(reason, 300, "%s: %s", aimg_status_text(status), error.message);
    return 1;
}

uint64_t state_of_archive(const char *path, char reason[300])
{
    return state_with(path, 0, 0, reason);
}

uint64_t state_at(const char *path, uint64_t commits, char reason[300])
{
    return state_with(path, AIMG_READER_AT, commits - 1, reason);
}

uint64_t state_commits(const char *path)
{
    struct aimg_info info = {.struct_bytes = sizeof info};
    struct aimg_reader *reader = NULL;
    if (aimg_reader_open(path, NULL, &reader, NULL) == AIMG_OK)
        (void)aimg_reader_info(reader, &info, NULL);
    aimg_reader_close(reader);
    return info.commit_count;
}

struct findings {
    bool torn_tail, good;
    char *reason;
};

enum { RULE_HINT = 9, RULE_TAIL = 34 };

static void on_finding(void *user, const struct aimg_finding *finding)
{
    struct findings *findings = user;
    bool allowed = findings->torn_tail && (finding->rule == RULE_TAIL || finding->rule == RULE_HINT);
    if (finding->warning || allowed || !findings->good)
        return;
    findings->good = false;
    snprintf(findings->reason, 300, "rule %u: %s", (unsigned)finding->rule, finding->message);
}

bool state_is_sound(const char *path, bool torn_tail, char reason[300])
{
    struct findings findings = {.torn_tail = torn_tail, .good = true, .reason = reason};
    struct aimg_verify_options options = {.struct_bytes = sizeof options, .threads = 1, .user = &findings, .finding = on_finding};
    struct aimg_verify_result result;
    struct aimg_error error = {.status = AIMG_OK};
    enum aimg_status status = aimg_verify(path, &options, &result, &error);
    if (status != AIMG_OK && findings.good)
        snprintf(reason, 300, "verify: %s", error.message);
    return status == AIMG_OK && findings.good;
}

bool state_grows(const char *path, char reason[300])
{
    struct aimg_writer *writer = NULL;
    struct aimg_error error = {.status = AIMG_OK};
    enum aimg_status status = aimg_writer_open(path, NULL, &writer, &error);
    if (status == AIMG_OK)
        status = sample_add(writer, "added after it.jpg", 3, 0, NULL, &error);
    if (status == AIMG_OK)
        status = aimg_writer_commit(writer, NULL, &error);
    (void)aimg_writer_close(writer, NULL);
    snprintf(reason, 300, "the next add: %s", error.message);
    return status == AIMG_OK && state_is_sound(path, false, reason);
}

/* ------------------------------------------------------------------ files and folders */

uint64_t state_of_file(const char *path)
{
    uint64_t hash = FNV_BEGIN;
    size_t bytes;
    uint8_t *data = sample_load(path, &bytes);
    if (data == NULL)
        return 0;
    mix(&hash, data, bytes);
    free(data);
    return hash < 2 ? 2 : hash;
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

void state_of_folder(const char *path, struct state_folder *out)
{
    char *const paths[] = {(char *)(uintptr_t)path, NULL};
    FTS *walk = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, by_name);
    size_t skip = strlen(path) + 1;
    out->count = 0;
    for (FTSENT *entry; walk != NULL && (entry = fts_read(walk)) != NULL;) {
        if (entry->fts_info == FTS_D || entry->fts_info == FTS_DP || out->count == STATE_ENTRIES)
            continue;
        snprintf(out->names[out->count], STATE_NAME, "%s", entry->fts_path + skip);
        out->bytes[out->count++] = state_of_file(entry->fts_path);
    }
    if (walk != NULL)
        fts_close(walk);
}

uint64_t state_find(const struct state_folder *folder, const char *name)
{
    for (unsigned i = 0; i < folder->count; i++)
        if (strcmp(folder->names[i], name) == 0)
            return folder->bytes[i];
    return 0;
}
