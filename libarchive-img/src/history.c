/* SPDX-License-Identifier: Apache-2.0 */
/* Commits of the archive, and its metadata. */
#include "reader.h"

#include "checksum.h"

#define META_KEY_MAX 255

static void describe(const struct aimg_commit_page *page, uint64_t ordinals_before, struct aimg_commit *out)
{
    *out = (struct aimg_commit){.seq = page->seq,
                                .time_ns = page->time_ns,
                                .offset = page->self_offset,
                                .listed_count = page->listed_count,
                                .ordinal_count = page->ordinal_count,
                                .added = page->ordinal_count - ordinals_before,
                                .sealed = page->flags & AIMG_COMMIT_SEALED};
    memcpy(out->chain, page->chain, sizeof out->chain);
    memcpy(out->message, page->message, sizeof page->message);
}

enum aimg_status aimg_reader_log(const struct aimg_reader *reader, int (*visit)(void *user, const struct aimg_commit *commit),
                                 void *user, struct aimg_error *error)
{
    struct aimg_commit commit;
    if (reader == NULL || visit == NULL)
        return aimg_fail(error, AIMG_INVALID_ARGUMENT, "aimg_reader_log needs a reader and a function");
    if (reader->located.empty)
        return AIMG_OK;
    struct aimg_located at = reader->located;
    for (;;) {
        struct aimg_commit_page page = at.commit;
        uint64_t before = 0;
        if (page.seq > 0) {
            enum aimg_status status = aimg_locate_seq(reader->source.io, page.seq - 1, &at, error);
            if (status != AIMG_OK)
                return status;
            before = at.commit.ordinal_count;
        }
        if (before > page.ordinal_count)
            return aimg_fail_at(error, AIMG_CORRUPT, 30, page.self_offset,
                                "commit %" PRIu64 " has fewer images than the one before", page.seq);
        describe(&page, before, &commit);
        if (visit(user, &commit) != 0 || page.seq == 0)
            return AIMG_OK;
    }
}

struct wanted {
    uint64_t seq;
    struct aimg_commit *out;
};

static int take_wanted(void *user, const struct aimg_commit *commit)
{
    struct wanted *wanted = user;
    if (commit->seq != wanted->seq)
        return 0;
    *wanted->out = *commit;
    return 1;
}

enum aimg_status aimg_reader_commit(const struct aimg_reader *reader, uint64_t seq, struct aimg_commit *commit_out,
                                    struct aimg_error *error)
{
    if (reader == NULL || commit_out == NULL)
        return aimg_fail(error, AIMG_INVALID_ARGUMENT, "aimg_reader_commit needs a reader and a place for the commit");
    uint64_t count = reader->located.empty ? 0 : reader->located.commit.seq + 1;
    if (seq >= count)
        return aimg_fail(error, AIMG_NOT_FOUND, "there is no commit %" PRIu64 "; the archive has %" PRIu64, seq, count);
    struct wanted wanted = {seq, commit_out};
    return aimg_reader_log(reader, take_wanted, &wanted, error);
}

static enum aimg_status meta_fault(uint64_t offset, enum aimg_status status, struct aimg_error *error)
{
    return aimg_fail_at(error, status, 69, offset, "the metadata at %" PRIu64 " is %s; run verify, then repair", offset,
                        status == AIMG_CHECKSUM ? "damaged" : "malformed");
}

/* Bytewise, a text before what it begins. */
static bool key_ascends(const uint8_t *last, size_t last_bytes, const uint8_t *key, size_t bytes)
{
    int order = memcmp(last, key, last_bytes < bytes ? last_bytes : bytes);
    return order < 0 || (order == 0 && last_bytes < bytes);
}

/* Value of a key in a META payload; NULL when it is not there. False when the payload is malformed. */
static bool meta_find(const uint8_t *meta, uint64_t bytes, const char *key, size_t key_bytes, const uint8_t **value_out,
                      uint32_t *bytes_out)
{
    uint64_t position = 8, last_bytes = 0;
    const uint8_t *last = meta;
    *value_out = NULL;
    if (bytes < 8 || aimg_load32(meta + 4) != 0)
        return false;
    for (uint32_t i = aimg_load32(meta); i > 0; i--) {
        if (bytes - position < 8)
            return false;
        uint64_t here = aimg_load16(meta + position);
        uint32_t value_bytes = aimg_load32(meta + position + 4);
        if (here == 0 || here > META_KEY_MAX || aimg_load16(meta + position + 2) != 0 ||
            bytes - position - 8 < here + value_bytes)
            return false;
        const uint8_t *name = meta + position + 8;
        if (!key_ascends(last, last_bytes, name, here))
            return false;
        last = name;
        last_bytes = here;
        if (here == key_bytes && memcmp(name, key, key_bytes) == 0) {
            *value_out = name + here;
            *bytes_out = value_bytes;
        }
        position += 8 + here + value_bytes;
    }
    return position == bytes;
}

enum aimg_status aimg_reader_meta(const struct aimg_reader *reader, const char *key, char *buffer, size_t buffer_bytes,
                                  size_t *bytes_out, struct aimg_error *error)
{
    if (reader == NULL || key == NULL || bytes_out == NULL || (buffer == NULL && buffer_bytes > 0))
        return aimg_fail(error, AIMG_INVALID_ARGUMENT,
                         "aimg_reader_meta needs a reader, a key, a buffer, and a place for the size");
    const struct aimg_root_head *head = &reader->catalog.head;
    if (head->meta_offset == 0)
        return aimg_fail(error, AIMG_NOT_FOUND, "there is no metadata '%s'", key);
    struct aimg_error local;
    enum aimg_status status = AIMG_OK;
    uint64_t offset = head->meta_offset + AIMG_FRAME_BYTES;
    size_t bytes = (size_t)head->meta_bytes;
    uint8_t *copy = aimg_alloc_array(&reader->source.allocator, bytes, 1);
    if (copy == NULL)
        return aimg_fail_memory(error, bytes);
    const uint8_t *meta = aimg_source_fetch(&reader->source, offset, bytes, copy, &local);
    const uint8_t *value = NULL;
    uint32_t value_bytes = 0;
    if (meta == NULL) {
        status = local.status;
        if (error != NULL)
            *error = local;
    } else if (!aimg_hash_equals(head->meta_hash, aimg_hash(meta, bytes))) {
        status = meta_fault(offset, AIMG_CHECKSUM, error);
    } else if (!meta_find(meta, bytes, key, strlen(key), &value, &value_bytes)) {
        status = meta_fault(offset, AIMG_CORRUPT, error);
    } else if (value == NULL) {
        status = aimg_fail(error, AIMG_NOT_FOUND, "there is no metadata '%s'", key);
    } else {
        *bytes_out = value_bytes;
        if (value_bytes > buffer_bytes)
            status = aimg_fail(error, AIMG_BUFFER_TOO_SMALL, "the value has %" PRIu32 " bytes, the buffer %zu", value_bytes,
                               buffer_bytes);
        else if (value_bytes > 0)
            memcpy(buffer, value, value_bytes);
    }
    aimg_release(&reader->source.allocator, copy);
    return status;
}
