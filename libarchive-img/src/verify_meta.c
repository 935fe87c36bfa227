/* SPDX-License-Identifier: Apache-2.0 */
/* META and codings: rules 51 and 69. */
#include "verify.h"

#include "checksum.h"
#include "name.h"

#define META_HEAD_BYTES 8
#define META_PAIR_BYTES 8

/* ------------------------------------------------------------------ codings */

static void check_coding(struct aimg_verify *verify, const struct aimg_coding_record *coding, uint8_t *payload)
{
    const struct aimg_verify_frame *frame = aimg_verify_frame_at(verify, coding->offset);
    struct aimg_verify_place place = aimg_verify_at(coding->offset);
    void *dictionary = NULL;
    if (aimg_verify_is_damaged(verify, coding->offset))
        return;
    if (coding->codec != AIMG_CODEC_ZSTD_DICT) {
        aimg_verify_fault(verify, 51, place, "coding %u has codec %u, which this version does not know", coding->coding,
                          coding->codec);
        return;
    }
    if (frame == NULL || frame->type != AIMG_FRAME_DICT || frame->coding != coding->coding || frame->format != coding->codec ||
        frame->stored_bytes != coding->bytes) {
        aimg_verify_fault(verify, 51, place, "coding %u names a DICT of %" PRIu64 " bytes at %" PRIu64 ", where no such frame is",
                          coding->coding, coding->bytes, coding->offset);
        return;
    }
    if (verify->io.ops->read_at(&verify->io, coding->offset + AIMG_FRAME_BYTES, payload, (size_t)coding->bytes, NULL) !=
            AIMG_OK ||
        !aimg_hash_equals(coding->hash, aimg_hash(payload, (size_t)coding->bytes)))
        aimg_verify_fault(verify, 51, place, "the DICT of coding %u does not have the hash that ROOT names", coding->coding);
    else if (aimg_verify_coding(verify, coding->coding, &dictionary) != NULL && dictionary == NULL)
        aimg_verify_fault(verify, 51, place, "the DICT of coding %u is no dictionary that zstd can use", coding->coding);
}

void aimg_verify_codings(struct aimg_verify *verify)
{
    const struct aimg_verify_root *root = &verify->index.root;
    if (root->coding_count == 0)
        return;
    uint8_t *payload = verify->source.allocator.alloc(verify->source.allocator.user, AIMG_DICT_MAX_BYTES);
    if (payload == NULL)
        aimg_verify_no_memory(verify, AIMG_DICT_MAX_BYTES);
    for (uint32_t i = 0; payload != NULL && i < root->coding_count; i++)
        check_coding(verify, &root->codings[i], payload);
    aimg_release(&verify->source.allocator, payload);
}

/* ------------------------------------------------------------------ META */

struct text {
    const uint8_t *bytes;
    size_t count;
};

static bool ascends(struct text before, struct text key)
{
    size_t both = before.count < key.count ? before.count : key.count;
    int order = both == 0 ? 0 : memcmp(before.bytes, key.bytes, both);
    return order < 0 || (order == 0 && before.count < key.count);
}

/* What is wrong with the pairs, or NULL. */
static const char *pairs_fault(const uint8_t *in, size_t left)
{
    struct text last = {NULL, 0};
    if (left < META_HEAD_BYTES || aimg_load32(in + 4) != 0)
        return "its head is malformed";
    uint32_t count = aimg_load32(in);
    in += META_HEAD_BYTES;
    left -= META_HEAD_BYTES;
    for (; count > 0; count--) {
        if (left < META_PAIR_BYTES)
            return "it ends within its pairs";
        struct text key = {in + META_PAIR_BYTES, aimg_load16(in)};
        uint32_t value_bytes = aimg_load32(in + 4);
        if (key.count == 0 || key.count > AIMG_META_KEY_MAX || aimg_load16(in + 2) != 0)
            return "a key has no bytes or more than 255, or bytes that must be zero are not";
        left -= META_PAIR_BYTES;
        if (left < key.count || left - key.count < value_bytes)
            return "it ends within a pair";
        if (!ascends(last, key))
            return "its keys are not in ascending order, or one stands twice";
        if (!aimg_text_valid(key.bytes, key.count))
            return "a key is not UTF-8 without control characters";
        if (!aimg_utf8_valid(key.bytes + key.count, value_bytes))
            return "a value is not UTF-8";
        last = key;
        in = key.bytes + key.count + value_bytes;
        left -= key.count + value_bytes;
    }
    return left == 0 ? NULL : "bytes follow its last pair";
}

void aimg_verify_meta(struct aimg_verify *verify)
{
    const struct aimg_root_head *head = &verify->index.root.head;
    struct aimg_verify_place place = aimg_verify_at(head->meta_offset);
    const struct aimg_verify_frame *frame = aimg_verify_frame_at(verify, head->meta_offset);
    if (head->meta_offset == 0 || aimg_verify_is_damaged(verify, head->meta_offset))
        return;
    if (frame == NULL || frame->type != AIMG_FRAME_META || frame->stored_bytes != head->meta_bytes ||
        head->meta_bytes > AIMG_META_MAX_BYTES) {
        aimg_verify_fault(verify, 69, place, "ROOT names a META of %" PRIu64 " bytes at %" PRIu64 ", where no such frame is",
                          head->meta_bytes, head->meta_offset);
        return;
    }
    uint8_t *payload = aimg_alloc_array(&verify->source.allocator, head->meta_bytes, 1);
    const char *fault = NULL;
    if (payload == NULL)
        aimg_verify_no_memory(verify, head->meta_bytes);
    else if (verify->io.ops->read_at(&verify->io, head->meta_offset + AIMG_FRAME_BYTES, payload, (size_t)head->meta_bytes,
                                     NULL) != AIMG_OK)
        fault = "it cannot be read";
    else if (!aimg_hash_equals(head->meta_hash, aimg_hash(payload, (size_t)head->meta_bytes)))
        fault = "it does not have the hash that ROOT names";
    else
        fault = pairs_fault(payload, (size_t)head->meta_bytes);
    if (fault != NULL)
        aimg_verify_fault(verify, 69, place, "META at %" PRIu64 ": %s", head->meta_offset, fault);
    aimg_release(&verify->source.allocator, payload);
}
