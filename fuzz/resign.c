/* SPDX-License-Identifier: Apache-2.0 */
#include "resign.h"

#include "checksum.h"
#include "commit.h"
#include "entry.h"
#include "frame.h"
#include "head.h"
#include "root.h"
#include "table.h"

#define HASH_AT  (AIMG_PAGE_BYTES - AIMG_HASH_BYTES)
#define CHAIN_AT 4064

struct archive {
    uint8_t *data;
    size_t bytes;
    uint64_t seed;
    enum aimg_resign_level level;
    uint8_t chain[AIMG_HASH_BYTES]; /* of the last commit */
};

/* A frame that lies within the bytes. Its payload may be empty. */
struct place {
    size_t offset, header_bytes, payload_bytes;
    uint8_t *payload;
    unsigned type;
};

static int find_place(const struct archive *archive, size_t offset, struct place *place)
{
    if (offset > archive->bytes || archive->bytes - offset < AIMG_FRAME_BYTES)
        return 0;
    uint8_t *header = archive->data + offset;
    uint64_t payload_bytes = aimg_load48(header + 16);
    size_t left = archive->bytes - offset;
    place->offset = offset;
    place->type = header[2];
    place->header_bytes = (size_t)header[3] * AIMG_UNIT;
    if (aimg_load16(header) != AIMG_FRAME_MAGIC || place->header_bytes < AIMG_FRAME_BYTES || place->header_bytes > left)
        return 0;
    if (payload_bytes > left - place->header_bytes)
        return 0;
    place->payload_bytes = (size_t)payload_bytes;
    place->payload = header + place->header_bytes;
    return 1;
}

static size_t after(const struct place *place)
{
    return place->offset + place->header_bytes + (size_t)aimg_round_up(place->payload_bytes, AIMG_UNIT);
}

static void sign_frame(const struct archive *archive, const struct place *place)
{
    uint8_t *header = archive->data + place->offset;
    aimg_store64(header + 32, aimg_hash(place->payload, place->payload_bytes).low);
    aimg_store64(header + AIMG_FRAME_CHECK_OFFSET, aimg_frame_checksum(header, place->header_bytes, archive->seed));
}

/* Hashes of entries that designate bytes stored as they are. */
static void sign_entries(const struct archive *archive, uint8_t *entries, uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        struct aimg_entry_record entry;
        aimg_entry_decode(entries + i * AIMG_ENTRY_BYTES, &entry);
        uint64_t data = aimg_entry_data_offset(&entry);
        if (entry.coding == AIMG_CODING_STORE && data <= archive->bytes && entry.stored_bytes <= archive->bytes - data)
            aimg_hash_store(entries + i * AIMG_ENTRY_BYTES + 16, aimg_hash(archive->data + data, (size_t)entry.stored_bytes));
    }
}

static void sign_table(const struct archive *archive, const struct place *place)
{
    if (place->payload_bytes < AIMG_TABLE_FOOTER_BYTES)
        return;
    uint8_t *footer = place->payload + place->payload_bytes - AIMG_TABLE_FOOTER_BYTES;
    uint64_t data_bytes = aimg_load64(footer + 24);
    uint64_t tail_bytes = aimg_table_tail_bytes(aimg_load16(footer + 10));
    if (tail_bytes > place->payload_bytes || data_bytes > place->payload_bytes - tail_bytes)
        return;
    uint64_t list_bytes = aimg_table_list_bytes(data_bytes);
    if (list_bytes > place->payload_bytes - tail_bytes - data_bytes)
        return;
    const uint8_t *first = place->payload + place->payload_bytes - tail_bytes;
    if (place->type == AIMG_FRAME_RUN && tail_bytes > AIMG_TABLE_FOOTER_BYTES && first[0] == AIMG_SECTION_ENTRIES) {
        uint64_t offset = aimg_load64(first + 8), size = aimg_load64(first + 16);
        if (offset <= data_bytes && size <= data_bytes - offset)
            sign_entries(archive, place->payload + offset, size / AIMG_ENTRY_BYTES);
    }
    uint8_t *list = place->payload + data_bytes;
    for (uint64_t at = 0; at < data_bytes; at += AIMG_BLOCK_BYTES) {
        size_t block = data_bytes - at < AIMG_BLOCK_BYTES ? (size_t)(data_bytes - at) : AIMG_BLOCK_BYTES;
        aimg_hash_store(list + at / AIMG_BLOCK_BYTES * AIMG_HASH_BYTES, aimg_hash(place->payload + at, block));
    }
    aimg_hash_store(footer + 32, aimg_hash(list, (size_t)list_bytes));
}

/* Hash of `bytes` bytes of the payload of the frame at offset, counted from its end, into out. */
static void sign_reference(const struct archive *archive, uint64_t offset, uint64_t payload_bytes, uint64_t bytes, uint8_t *out)
{
    if (offset > archive->bytes || archive->bytes - offset < AIMG_FRAME_BYTES ||
        payload_bytes > archive->bytes - offset - AIMG_FRAME_BYTES)
        return;
    if (bytes <= payload_bytes)
        aimg_hash_store(out, aimg_hash(archive->data + offset + AIMG_FRAME_BYTES + (payload_bytes - bytes), (size_t)bytes));
}

static void sign_root(const struct archive *archive, const struct place *place)
{
    uint8_t *root = place->payload, *end = place->payload + place->payload_bytes;
    if (place->payload_bytes < AIMG_ROOT_HEAD_BYTES)
        return;
    uint32_t parts = aimg_load32(root + 8), columns = aimg_load32(root + 12), codings = aimg_load32(root + 16);
    uint64_t meta_bytes = aimg_load64(root + 64);
    if (aimg_load64(root + 56) != 0)
        sign_reference(archive, aimg_load64(root + 56), meta_bytes, meta_bytes, root + 72);
    root += AIMG_ROOT_HEAD_BYTES;
    for (; parts > 0 && end - root >= AIMG_PART_BYTES; parts--, root += AIMG_PART_BYTES)
        sign_reference(archive, aimg_load64(root + 16), aimg_load64(root + 24), aimg_table_tail_bytes(aimg_load16(root + 2)),
                       root + 32);
    for (; columns > 0 && end - root >= AIMG_COLUMN_RECORD_BYTES; columns--) {
        size_t total = aimg_column_record_total(aimg_load16(root + 6));
        if ((size_t)(end - root) < total)
            return;
        root += total;
    }
    for (; codings > 0 && end - root >= AIMG_CODING_RECORD_BYTES; codings--, root += AIMG_CODING_RECORD_BYTES)
        sign_reference(archive, aimg_load64(root + 8), aimg_load64(root + 16), aimg_load64(root + 16), root + 24);
}

static void sign_commit(struct archive *archive, const struct place *place)
{
    uint8_t *page = archive->data + place->offset;
    if (place->header_bytes + place->payload_bytes < AIMG_PAGE_BYTES)
        return;
    uint64_t root_bytes = aimg_load64(page + 144);
    sign_reference(archive, aimg_load64(page + 136), root_bytes, root_bytes, page + 152);
    if (archive->level < AIMG_RESIGN_CHAIN)
        return;
    memcpy(page + 104, archive->chain, AIMG_HASH_BYTES);
    aimg_hash_store(archive->chain, aimg_hash(page + AIMG_FRAME_BYTES, CHAIN_AT - AIMG_FRAME_BYTES));
    memcpy(page + CHAIN_AT, archive->chain, AIMG_HASH_BYTES);
}

static void sign_place(struct archive *archive, const struct place *place)
{
    if (place->type >= AIMG_FRAME_RUN && place->type <= AIMG_FRAME_VALUES && archive->level >= AIMG_RESIGN_BLOCKS)
        sign_table(archive, place);
    else if (place->type == AIMG_FRAME_ROOT && archive->level >= AIMG_RESIGN_TAILS)
        sign_root(archive, place);
    else if (place->type == AIMG_FRAME_COMMIT && archive->level >= AIMG_RESIGN_ROOTS)
        sign_commit(archive, place);
    sign_frame(archive, place);
}

static void sign_head(const struct archive *archive)
{
    uint8_t *data = archive->data;
    aimg_hash_store(data + HASH_AT, aimg_hash(data, HASH_AT));
    for (size_t i = 1; i <= 2; i++) {
        uint8_t *hint = data + i * AIMG_HINT_BYTES;
        if (memcmp(hint, AIMG_HINT_MAGIC, 8) == 0)
            aimg_hash_store(hint + HASH_AT, aimg_hash_seeded(hint, HASH_AT, archive->seed));
    }
}

void aimg_resign(uint8_t *data, size_t bytes)
{
    struct archive archive = {.data = data, .bytes = bytes, .level = AIMG_RESIGN_ALL};
    struct place place;
    if (bytes < AIMG_HEAD_BYTES)
        return;
    archive.seed = aimg_uuid_seed(data + 16);
    for (size_t offset = AIMG_HEAD_BYTES; find_place(&archive, offset, &place); offset = after(&place))
        sign_place(&archive, &place);
    sign_head(&archive);
}

void aimg_resign_to(uint8_t *data, size_t bytes, const size_t *offsets, size_t count, enum aimg_resign_level level)
{
    struct archive archive = {.data = data, .bytes = bytes, .level = level};
    struct place place;
    if (bytes < AIMG_HEAD_BYTES || level == AIMG_RESIGN_NONE)
        return;
    archive.seed = aimg_uuid_seed(data + 16);
    for (size_t i = 0; i < count; i++)
        if (find_place(&archive, offsets[i], &place))
            sign_place(&archive, &place);
    if (level == AIMG_RESIGN_ALL)
        sign_head(&archive);
}

size_t aimg_resign_frame(const uint8_t *data, size_t bytes, size_t index)
{
    struct archive archive = {.data = (uint8_t *)(uintptr_t)data, .bytes = bytes};
    struct place place;
    for (size_t offset = AIMG_HEAD_BYTES; find_place(&archive, offset, &place); offset = after(&place))
        if (index-- == 0)
            return offset;
    return 0;
}
