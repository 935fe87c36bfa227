/* SPDX-License-Identifier: Apache-2.0 */
#include "commit.h"

#include "checksum.h"
#include "frame.h"
#include "name.h"

#define PAYLOAD_BYTES  (AIMG_PAGE_BYTES - AIMG_FRAME_BYTES)
#define PARAMS_OFFSET  192
#define MESSAGE_OFFSET 274
#define CHAIN_OFFSET   4064
#define CHAINED_BYTES  (CHAIN_OFFSET - AIMG_FRAME_BYTES)

static void encode_frame_header(uint32_t salt, uint64_t seed, uint8_t out[AIMG_PAGE_BYTES])
{
    struct aimg_frame frame = {.type = AIMG_FRAME_COMMIT,
                               .header_units = AIMG_FRAME_BYTES / AIMG_UNIT,
                               .salt = salt,
                               .stored_bytes = PAYLOAD_BYTES,
                               .raw_bytes = PAYLOAD_BYTES,
                               .stored_hash = aimg_hash(out + AIMG_FRAME_BYTES, PAYLOAD_BYTES).low};
    aimg_frame_encode(&frame, out);
    frame.check = aimg_frame_checksum(out, AIMG_FRAME_BYTES, seed);
    aimg_frame_encode(&frame, out);
}

void aimg_commit_encode(struct aimg_commit_page *commit, uint8_t out[AIMG_PAGE_BYTES])
{
    memset(out, 0, AIMG_PAGE_BYTES);
    memcpy(out + 48, AIMG_COMMIT_MAGIC, 8);
    aimg_store16(out + 56, AIMG_FORMAT_MAJOR);
    aimg_store16(out + 58, AIMG_FORMAT_MINOR);
    memcpy(out + 64, commit->uuid, AIMG_UUID_BYTES);
    aimg_store64(out + 80, commit->seq);
    aimg_store64(out + 88, commit->self_offset);
    aimg_store64(out + 96, commit->prev_offset);
    memcpy(out + 104, commit->prev_chain, AIMG_HASH_BYTES);
    aimg_store64(out + 120, commit->ordinal_count);
    aimg_store64(out + 128, commit->listed_count);
    aimg_store64(out + 136, commit->root_offset);
    aimg_store64(out + 144, commit->root_bytes);
    memcpy(out + 152, commit->root_hash, AIMG_HASH_BYTES);
    aimg_store64(out + 168, commit->compat);
    aimg_store64(out + 176, commit->ro_compat);
    aimg_store64(out + 184, commit->incompat);
    aimg_params_encode(&commit->params, out + PARAMS_OFFSET);
    aimg_store64(out + 256, commit->time_ns);
    aimg_store32(out + 264, commit->salt);
    aimg_store32(out + 268, commit->flags);
    aimg_store16(out + 272, commit->message_bytes);
    memcpy(out + MESSAGE_OFFSET, commit->message, commit->message_bytes);
    aimg_hash_store(commit->chain, aimg_hash(out + AIMG_FRAME_BYTES, CHAINED_BYTES));
    memcpy(out + CHAIN_OFFSET, commit->chain, AIMG_HASH_BYTES);
    aimg_store64(out + 4080, commit->seq);
    memcpy(out + 4088, AIMG_COMMIT_MAGIC, 8);
    encode_frame_header(commit->salt, aimg_uuid_seed(commit->uuid), out);
}

static void decode_fields(const uint8_t in[AIMG_PAGE_BYTES], struct aimg_commit_page *commit)
{
    memcpy(commit->uuid, in + 64, AIMG_UUID_BYTES);
    commit->seq = aimg_load64(in + 80);
    commit->self_offset = aimg_load64(in + 88);
    commit->prev_offset = aimg_load64(in + 96);
    memcpy(commit->prev_chain, in + 104, AIMG_HASH_BYTES);
    commit->ordinal_count = aimg_load64(in + 120);
    commit->listed_count = aimg_load64(in + 128);
    commit->root_offset = aimg_load64(in + 136);
    commit->root_bytes = aimg_load64(in + 144);
    memcpy(commit->root_hash, in + 152, AIMG_HASH_BYTES);
    commit->compat = aimg_load64(in + 168);
    commit->ro_compat = aimg_load64(in + 176);
    commit->incompat = aimg_load64(in + 184);
    commit->time_ns = aimg_load64(in + 256);
    commit->salt = aimg_load32(in + 264);
    commit->flags = aimg_load32(in + 268);
    commit->message_bytes = aimg_load16(in + 272);
    memcpy(commit->chain, in + CHAIN_OFFSET, AIMG_HASH_BYTES);
}

static unsigned check_frame(const uint8_t in[AIMG_PAGE_BYTES], uint64_t seed)
{
    struct aimg_frame frame;
    unsigned rule = aimg_frame_decode(in, &frame);
    if (rule == 0)
        rule = aimg_frame_check_fields(&frame);
    if (rule != 0)
        return rule;
    if (frame.type != AIMG_FRAME_COMMIT || frame.stored_bytes != PAYLOAD_BYTES)
        return 24;
    return aimg_frame_checksum(in, AIMG_FRAME_BYTES, seed) == frame.check ? 0 : 13;
}

/* Rule 24: what the page says of itself. */
static unsigned check_page(const uint8_t in[AIMG_PAGE_BYTES], uint64_t offset, struct aimg_commit_page *commit)
{
    if (memcmp(in + 48, AIMG_COMMIT_MAGIC, 8) != 0 || memcmp(in + 4088, AIMG_COMMIT_MAGIC, 8) != 0)
        return 24;
    if (offset % AIMG_PAGE_BYTES != 0 || offset >= AIMG_FILE_LIMIT || commit->self_offset != offset ||
        aimg_load64(in + 4080) != commit->seq)
        return 24;
    if (aimg_load32(in + 60) != 0 || (commit->flags & ~AIMG_COMMIT_SEALED) != 0 || commit->message_bytes > AIMG_MESSAGE_MAX)
        return 24;
    if (!aimg_utf8_valid(in + MESSAGE_OFFSET, commit->message_bytes))
        return 24;
    memset(commit->message, 0, sizeof commit->message);
    memcpy(commit->message, in + MESSAGE_OFFSET, commit->message_bytes);
    size_t end = MESSAGE_OFFSET + (size_t)commit->message_bytes;
    return aimg_all_zero(in + end, CHAIN_OFFSET - end) ? 0 : 24;
}

unsigned aimg_commit_decode(const uint8_t in[AIMG_PAGE_BYTES], uint64_t offset, const struct aimg_header *header,
                            struct aimg_commit_page *commit)
{
    uint8_t params[AIMG_PARAMS_BYTES];
    unsigned rule = check_frame(in, aimg_uuid_seed(header->uuid));
    if (rule != 0)
        return rule;
    decode_fields(in, commit);
    rule = check_page(in, offset, commit);
    if (rule != 0)
        return rule;
    if (!aimg_hash_equals(commit->chain, aimg_hash(in + AIMG_FRAME_BYTES, CHAINED_BYTES)))
        return 25;
    aimg_params_encode(&header->params, params);
    if (aimg_load16(in + 56) != header->major || aimg_load16(in + 58) != header->minor)
        return 26;
    if (memcmp(commit->uuid, header->uuid, AIMG_UUID_BYTES) != 0 || memcmp(in + PARAMS_OFFSET, params, AIMG_PARAMS_BYTES) != 0)
        return 26;
    commit->params = header->params;
    return 0;
}
