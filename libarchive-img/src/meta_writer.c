/* SPDX-License-Identifier: Apache-2.0 */
/* Metadata in the open batch: the payload as it will be written, from the first change on. */
#include "meta.h"
#include "writer.h"

#include "checksum.h"
#include "name.h"

static enum aimg_status check_pair(const char *key, const char *value, struct aimg_error *error)
{
    if (key == NULL || key[0] == 0 || strlen(key) > AIMG_META_KEY_MAX || !aimg_text_valid((const uint8_t *)key, strlen(key)))
        return aimg_fail(error, AIMG_INVALID_ARGUMENT,
                         "a key of the metadata is 1 to %d bytes of UTF-8 without control characters", AIMG_META_KEY_MAX);
    if (value == NULL)
        return AIMG_OK;
    if (strlen(value) >= AIMG_META_MAX_BYTES)
        return aimg_fail(error, AIMG_LIMIT, "metadata '%s': the value has %zu bytes; all metadata of an archive takes at most %u",
                         key, strlen(value), AIMG_META_MAX_BYTES);
    if (!aimg_utf8_valid((const uint8_t *)value, strlen(value)))
        return aimg_fail(error, AIMG_INVALID_ARGUMENT, "metadata '%s': the value is not valid UTF-8", key);
    return AIMG_OK;
}

static enum aimg_status load(struct aimg_writer *writer, struct aimg_error *error)
{
    static const uint8_t none[AIMG_META_HEAD_BYTES];
    enum aimg_status status = AIMG_OK;
    if (writer->meta.bytes > 0)
        return AIMG_OK;
    status = aimg_meta_load(writer->base, &writer->meta, error);
    if (status == AIMG_OK && writer->meta.bytes == 0 && !aimg_buffer_add(&writer->allocator, &writer->meta, none, sizeof none))
        return aimg_fail_memory(error, sizeof none);
    return status;
}

/* Where a key stands, or belongs: its place and the bytes of its pair, 0 when it is not there. */
static size_t find(const struct aimg_buffer *meta, const char *key, size_t *pair_bytes_out)
{
    struct aimg_meta_walk walk = aimg_meta_begin(meta->data, meta->bytes);
    const uint8_t *place = walk.next;
    size_t key_bytes = strlen(key);
    *pair_bytes_out = 0;
    while (aimg_meta_next(&walk)) {
        const struct aimg_meta_pair *pair = &walk.pair;
        int order = memcmp(pair->key, key, pair->key_bytes < key_bytes ? pair->key_bytes : key_bytes);
        bool same = order == 0 && pair->key_bytes == key_bytes;
        if (same)
            *pair_bytes_out = (size_t)(walk.next - place);
        if (same || order > 0 || (order == 0 && pair->key_bytes > key_bytes))
            break;
        place = walk.next;
    }
    return (size_t)(place - meta->data);
}

static void encode_pair(uint8_t *out, const char *key, const char *value)
{
    size_t key_bytes = strlen(key), value_bytes = strlen(value);
    aimg_store16(out, (uint16_t)key_bytes);
    aimg_store16(out + 2, 0);
    aimg_store32(out + 4, (uint32_t)value_bytes);
    memcpy(out + AIMG_META_PAIR_BYTES, key, key_bytes);
    memcpy(out + AIMG_META_PAIR_BYTES + key_bytes, value, value_bytes);
}

/* Puts a pair of `after` bytes in the place of one of `before` bytes; either may be none. */
static enum aimg_status splice(struct aimg_writer *writer, size_t place, size_t before, size_t after, struct aimg_error *error)
{
    struct aimg_buffer *meta = &writer->meta;
    size_t total = meta->bytes - before + after;
    uint32_t count = aimg_load32(meta->data) - (before > 0) + (after > 0);
    if (total > AIMG_META_MAX_BYTES)
        return aimg_fail(error, AIMG_LIMIT, "the metadata would have %zu bytes, an archive has at most %u", total,
                         AIMG_META_MAX_BYTES);
    if (total > meta->bytes && !aimg_buffer_reserve(&writer->allocator, meta, total - meta->bytes))
        return aimg_fail_memory(error, total);
    memmove(meta->data + place + after, meta->data + place + before, meta->bytes - place - before);
    meta->bytes = total;
    aimg_store32(meta->data, count);
    return AIMG_OK;
}

enum aimg_status aimg_writer_set_meta(struct aimg_writer *writer, const char *key, const char *value, struct aimg_error *error)
{
    size_t before;
    enum aimg_status status = aimg_writer_check(writer, error);
    if (status == AIMG_OK)
        status = check_pair(key, value, error);
    if (status == AIMG_OK)
        status = load(writer, error);
    if (status != AIMG_OK)
        return status;
    size_t place = find(&writer->meta, key, &before);
    if (value == NULL && before == 0)
        return aimg_fail(error, AIMG_NOT_FOUND, "there is no metadata '%s'", key);
    status = splice(writer, place, before, value == NULL ? 0 : AIMG_META_PAIR_BYTES + strlen(key) + strlen(value), error);
    if (status == AIMG_OK && value != NULL)
        encode_pair(writer->meta.data + place, key, value);
    return status;
}

static bool has_pairs(const struct aimg_writer *writer)
{
    return writer->meta.bytes > AIMG_META_HEAD_BYTES;
}

bool aimg_writer_meta_changed(const struct aimg_writer *writer)
{
    const struct aimg_root_head *base = &writer->base->catalog.head;
    if (writer->meta.bytes == 0)
        return false;
    if (!has_pairs(writer))
        return base->meta_offset != 0;
    return writer->meta.bytes != base->meta_bytes ||
           !aimg_hash_equals(base->meta_hash, aimg_hash(writer->meta.data, writer->meta.bytes));
}

enum aimg_status aimg_writer_publish_meta(struct aimg_writer *writer, struct aimg_error *error)
{
    struct aimg_root_head *head = &writer->head;
    if (!aimg_writer_meta_changed(writer))
        return AIMG_OK;
    head->meta_offset = head->meta_bytes = 0;
    memset(head->meta_hash, 0, sizeof head->meta_hash);
    if (!has_pairs(writer))
        return AIMG_OK;
    head->meta_offset = aimg_out_offset(&writer->out);
    head->meta_bytes = writer->meta.bytes;
    aimg_hash_store(head->meta_hash, aimg_hash(writer->meta.data, writer->meta.bytes));
    return aimg_out_plain_frame(&writer->out, AIMG_FRAME_META, writer->meta.data, writer->meta.bytes, error);
}
