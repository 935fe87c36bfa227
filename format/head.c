/* SPDX-License-Identifier: Apache-2.0 */
#include "head.h"

#include "checksum.h"
#include "name.h"

#define HASH_OFFSET   (AIMG_PAGE_BYTES - AIMG_HASH_BYTES)
#define PARAMS_OFFSET 64
#define WRITER_OFFSET 130

void aimg_params_encode(const struct aimg_params *params, uint8_t out[AIMG_PARAMS_BYTES])
{
    memset(out, 0, AIMG_PARAMS_BYTES);
    out[0] = params->alignment_log2;
    aimg_store64(out + 8, params->name_seed);
}

unsigned aimg_params_decode(const uint8_t in[AIMG_PARAMS_BYTES], struct aimg_params *params)
{
    params->alignment_log2 = in[0];
    params->name_seed = aimg_load64(in + 8);
    if (in[0] < AIMG_ALIGNMENT_LOG2_MIN || in[0] > AIMG_ALIGNMENT_LOG2_MAX)
        return 6;
    return aimg_all_zero(in + 1, 7) && aimg_all_zero(in + 16, AIMG_PARAMS_BYTES - 16) ? 0 : 6;
}

void aimg_header_encode(const struct aimg_header *header, uint8_t out[AIMG_HEADER_BYTES])
{
    memset(out, 0, AIMG_HEADER_BYTES);
    memcpy(out, AIMG_MAGIC, AIMG_MAGIC_BYTES);
    aimg_store16(out + 8, header->major);
    aimg_store16(out + 10, header->minor);
    aimg_store32(out + 12, AIMG_HEADER_BYTES);
    memcpy(out + 16, header->uuid, AIMG_UUID_BYTES);
    aimg_store64(out + 32, header->compat);
    aimg_store64(out + 40, header->ro_compat);
    aimg_store64(out + 48, header->incompat);
    aimg_store64(out + 56, header->created_ns);
    aimg_params_encode(&header->params, out + PARAMS_OFFSET);
    aimg_store16(out + 128, header->writer_bytes);
    memcpy(out + WRITER_OFFSET, header->writer, header->writer_bytes);
    aimg_hash_store(out + HASH_OFFSET, aimg_hash(out, HASH_OFFSET));
}

unsigned aimg_header_decode(const uint8_t in[AIMG_HEADER_BYTES], struct aimg_header *header)
{
    if (memcmp(in, AIMG_MAGIC, AIMG_MAGIC_BYTES) != 0)
        return 2;
    header->major = aimg_load16(in + 8);
    header->minor = aimg_load16(in + 10);
    if (header->major != AIMG_FORMAT_MAJOR || header->minor != AIMG_FORMAT_MINOR)
        return 3;
    if (aimg_load32(in + 12) != AIMG_HEADER_BYTES)
        return 4;
    if (!aimg_hash_equals(in + HASH_OFFSET, aimg_hash(in, HASH_OFFSET)))
        return 5;
    memcpy(header->uuid, in + 16, AIMG_UUID_BYTES);
    header->compat = aimg_load64(in + 32);
    header->ro_compat = aimg_load64(in + 40);
    header->incompat = aimg_load64(in + 48);
    header->created_ns = aimg_load64(in + 56);
    if (aimg_params_decode(in + PARAMS_OFFSET, &header->params) != 0)
        return 6;
    if (aimg_all_zero(header->uuid, AIMG_UUID_BYTES))
        return 7;
    header->writer_bytes = aimg_load16(in + 128);
    if (header->writer_bytes > AIMG_WRITER_TEXT_MAX || !aimg_text_valid(in + WRITER_OFFSET, header->writer_bytes))
        return 8;
    memset(header->writer, 0, sizeof header->writer);
    memcpy(header->writer, in + WRITER_OFFSET, header->writer_bytes);
    size_t end = WRITER_OFFSET + (size_t)header->writer_bytes;
    return aimg_all_zero(in + end, HASH_OFFSET - end) ? 0 : 8;
}

void aimg_hint_encode(const struct aimg_hint *hint, uint64_t seed, uint8_t out[AIMG_HINT_BYTES])
{
    memset(out, 0, AIMG_HINT_BYTES);
    memcpy(out, AIMG_HINT_MAGIC, 8);
    aimg_store64(out + 8, hint->seq);
    aimg_store64(out + 16, hint->commit_offset);
    aimg_store64(out + 24, hint->end);
    aimg_store32(out + 32, hint->salt);
    aimg_hash_store(out + HASH_OFFSET, aimg_hash_seeded(out, HASH_OFFSET, seed));
}

unsigned aimg_hint_decode(const uint8_t in[AIMG_HINT_BYTES], uint64_t seed, struct aimg_hint *hint)
{
    if (memcmp(in, AIMG_HINT_MAGIC, 8) != 0)
        return 9;
    if (!aimg_hash_equals(in + HASH_OFFSET, aimg_hash_seeded(in, HASH_OFFSET, seed)))
        return 9;
    hint->seq = aimg_load64(in + 8);
    hint->commit_offset = aimg_load64(in + 16);
    hint->end = aimg_load64(in + 24);
    hint->salt = aimg_load32(in + 32);
    if (hint->commit_offset < AIMG_HEAD_BYTES || hint->commit_offset >= AIMG_FILE_LIMIT)
        return 9;
    if (hint->end != hint->commit_offset + AIMG_PAGE_BYTES)
        return 9;
    return aimg_all_zero(in + 36, HASH_OFFSET - 36) ? 0 : 9;
}
