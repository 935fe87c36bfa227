/* SPDX-License-Identifier: Apache-2.0 */
#include "meta.h"

#include "checksum.h"
#include "name.h"

struct aimg_meta_walk aimg_meta_begin(const uint8_t *payload, size_t bytes)
{
    struct aimg_meta_walk walk = {.malformed = bytes < AIMG_META_HEAD_BYTES || aimg_load32(payload + 4) != 0};
    if (walk.malformed)
        return walk;
    walk.left = aimg_load32(payload);
    walk.next = payload + AIMG_META_HEAD_BYTES;
    walk.end = payload + bytes;
    return walk;
}

/* Bytewise, a text before what it begins. */
static bool key_ascends(const struct aimg_meta_pair *last, const struct aimg_meta_pair *pair)
{
    uint32_t both = last->key_bytes < pair->key_bytes ? last->key_bytes : pair->key_bytes;
    int order = both == 0 ? 0 : memcmp(last->key, pair->key, both);
    return order < 0 || (order == 0 && last->key_bytes < pair->key_bytes);
}

bool aimg_meta_next(struct aimg_meta_walk *walk)
{
    struct aimg_meta_pair pair;
    size_t bytes = (size_t)(walk->end - walk->next);
    if (walk->malformed)
        return false;
    if (walk->left == 0) {
        walk->malformed = bytes > 0;
        return false;
    }
    walk->malformed = true; /* unless all is right */
    if (bytes < AIMG_META_PAIR_BYTES)
        return false;
    pair.key_bytes = aimg_load16(walk->next);
    pair.value_bytes = aimg_load32(walk->next + 4);
    if (pair.key_bytes == 0 || pair.key_bytes > AIMG_META_KEY_MAX || aimg_load16(walk->next + 2) != 0 ||
        bytes - AIMG_META_PAIR_BYTES < (uint64_t)pair.key_bytes + pair.value_bytes)
        return false;
    pair.key = walk->next + AIMG_META_PAIR_BYTES;
    pair.value = pair.key + pair.key_bytes;
    if (!key_ascends(&walk->pair, &pair))
        return false;
    walk->pair = pair;
    walk->next = pair.value + pair.value_bytes;
    walk->left--;
    walk->malformed = false;
    return true;
}

static enum aimg_status meta_fault(uint64_t offset, enum aimg_status status, struct aimg_error *error)
{
    return aimg_fail_at(error, status, 69, offset, "the metadata at %" PRIu64 " is %s; run verify, then repair", offset,
                        status == AIMG_CHECKSUM ? "damaged" : "malformed");
}

static enum aimg_status check(const struct aimg_root_head *head, const uint8_t *payload, uint64_t offset,
                              struct aimg_error *error)
{
    size_t bytes = (size_t)head->meta_bytes;
    if (!aimg_hash_equals(head->meta_hash, aimg_hash(payload, bytes)))
        return meta_fault(offset, AIMG_CHECKSUM, error);
    struct aimg_meta_walk walk = aimg_meta_begin(payload, bytes);
    while (aimg_meta_next(&walk))
        if (!aimg_text_valid(walk.pair.key, walk.pair.key_bytes) || !aimg_utf8_valid(walk.pair.value, walk.pair.value_bytes))
            return meta_fault(offset, AIMG_CORRUPT, error);
    return walk.malformed ? meta_fault(offset, AIMG_CORRUPT, error) : AIMG_OK;
}

enum aimg_status aimg_meta_load(const struct aimg_reader *reader, struct aimg_buffer *payload, struct aimg_error *error)
{
    const struct aimg_root_head *head = &reader->catalog.head;
    uint64_t offset = head->meta_offset + AIMG_FRAME_BYTES;
    size_t bytes = (size_t)head->meta_bytes; /* at most 16 MiB: that of ROOT was checked */
    payload->bytes = 0;
    if (head->meta_offset == 0)
        return AIMG_OK;
    if (!aimg_buffer_reserve(&reader->source.allocator, payload, (uint64_t)bytes + 1)) /* a place also for no bytes */
        return aimg_fail_memory(error, bytes);
    enum aimg_status status = aimg_source_copy(&reader->source, offset, bytes, payload->data, error);
    if (status == AIMG_OK)
        status = check(head, payload->data, offset, error);
    payload->bytes = status == AIMG_OK ? bytes : 0;
    return status;
}

static enum aimg_status copy_value(const struct aimg_meta_pair *pair, char *buffer, size_t buffer_bytes, size_t *bytes_out,
                                   struct aimg_error *error)
{
    *bytes_out = pair->value_bytes;
    if (pair->value_bytes > buffer_bytes)
        return aimg_fail(error, AIMG_BUFFER_TOO_SMALL, "the value has %" PRIu32 " bytes, the buffer %zu", pair->value_bytes,
                         buffer_bytes);
    if (pair->value_bytes > 0)
        memcpy(buffer, pair->value, pair->value_bytes);
    return AIMG_OK;
}

enum aimg_status aimg_reader_meta(const struct aimg_reader *reader, const char *key, char *buffer, size_t buffer_bytes,
                                  size_t *bytes_out, struct aimg_error *error)
{
    struct aimg_buffer payload = {NULL, 0, 0};
    if (reader == NULL || key == NULL || bytes_out == NULL || (buffer == NULL && buffer_bytes > 0))
        return aimg_fail(error, AIMG_INVALID_ARGUMENT,
                         "aimg_reader_meta needs a reader, a key, a buffer, and a place for the size");
    enum aimg_status status = aimg_meta_load(reader, &payload, error);
    if (status == AIMG_OK) {
        size_t key_bytes = strlen(key);
        struct aimg_meta_walk walk = aimg_meta_begin(payload.data, payload.bytes);
        bool found = false;
        while (!found && aimg_meta_next(&walk))
            found = walk.pair.key_bytes == key_bytes && memcmp(walk.pair.key, key, key_bytes) == 0;
        status = found ? copy_value(&walk.pair, buffer, buffer_bytes, bytes_out, error)
                       : aimg_fail(error, AIMG_NOT_FOUND, "there is no metadata '%s'", key);
    }
    aimg_buffer_release(&reader->source.allocator, &payload);
    return status;
}

enum aimg_status aimg_reader_each_meta(const struct aimg_reader *reader,
                                       int (*visit)(void *user, const char *key, const char *value, size_t value_bytes),
                                       void *user, struct aimg_error *error)
{
    struct aimg_buffer payload = {NULL, 0, 0};
    if (reader == NULL || visit == NULL)
        return aimg_fail(error, AIMG_INVALID_ARGUMENT, "aimg_reader_each_meta needs a reader and a function");
    enum aimg_status status = aimg_meta_load(reader, &payload, error);
    if (status == AIMG_OK && payload.bytes > 0) {
        struct aimg_meta_walk walk = aimg_meta_begin(payload.data, payload.bytes);
        bool stopped = false;
        while (!stopped && aimg_meta_next(&walk)) {
            char key[AIMG_META_KEY_MAX + 1];
            memcpy(key, walk.pair.key, walk.pair.key_bytes);
            key[walk.pair.key_bytes] = 0;
            stopped = visit(user, key, (const char *)walk.pair.value, walk.pair.value_bytes) != 0;
        }
    }
    aimg_buffer_release(&reader->source.allocator, &payload);
    return status;
}
