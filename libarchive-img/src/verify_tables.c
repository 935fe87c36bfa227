/* SPDX-License-Identifier: Apache-2.0 */
/* Tables: rules 38 to 41, and reading them. */
#include "verify_read.h"

#include "checksum.h"

#define STREAM_BYTES   ((size_t)1 << 18)
#define BLOCKS_AT_ONCE (STREAM_BYTES / AIMG_BLOCK_BYTES)

/* ------------------------------------------------------------------ streams */

bool aimg_verify_stream_begin(struct aimg_verify *verify, struct aimg_verify_stream *stream, uint64_t offset, uint64_t bytes)
{
    const struct aimg_allocator *allocator = &verify->source.allocator;
    size_t capacity = bytes < STREAM_BYTES ? (size_t)bytes : STREAM_BYTES;
    *stream = (struct aimg_verify_stream){.verify = verify, .capacity = capacity, .offset = offset, .left = bytes};
    stream->buffer = allocator->alloc(allocator->user, capacity == 0 ? 1 : capacity);
    if (stream->buffer == NULL)
        aimg_verify_no_memory(verify, capacity);
    return stream->buffer != NULL;
}

bool aimg_verify_section_begin(struct aimg_verify *verify, struct aimg_verify_stream *stream, const struct aimg_table *table,
                               const struct aimg_section *section)
{
    return aimg_verify_stream_begin(verify, stream, table->payload + section->offset, section->bytes);
}

static bool refill(struct aimg_verify_stream *stream)
{
    struct aimg_verify *verify = stream->verify;
    struct aimg_error error;
    size_t kept = stream->filled - stream->used;
    memmove(stream->buffer, stream->buffer + stream->used, kept);
    stream->used = 0;
    uint64_t more = stream->left - kept;
    size_t piece = more < stream->capacity - kept ? (size_t)more : stream->capacity - kept;
    stream->filled = kept;
    if (aimg_verify_stopped(verify))
        return false;
    if (verify->io.ops->read_at(&verify->io, stream->offset, stream->buffer + kept, piece, &error) != AIMG_OK) {
        aimg_verify_fault(verify, 40, aimg_verify_at(stream->offset), "the index cannot be read: %s", error.message);
        return false;
    }
    stream->filled += piece;
    stream->offset += piece;
    return true;
}

const uint8_t *aimg_verify_stream_next(struct aimg_verify_stream *stream, size_t bytes)
{
    if (bytes > stream->left)
        return NULL;
    if (stream->filled - stream->used < bytes && !refill(stream)) {
        stream->left = 0;
        return NULL;
    }
    const uint8_t *out = stream->buffer + stream->used;
    stream->used += bytes;
    stream->left -= bytes;
    return out;
}

void aimg_verify_stream_end(struct aimg_verify_stream *stream)
{
    aimg_release(&stream->verify->source.allocator, stream->buffer);
    stream->buffer = NULL;
}

/* ------------------------------------------------------------------ tails */

static void table_fault(struct aimg_verify *verify, const struct aimg_part *part, unsigned rule, const char *what)
{
    aimg_verify_fault(verify, rule, aimg_verify_at(part->offset), "the %s table at %" PRIu64 ": %s",
                      aimg_verify_type_name(part->type), part->offset, what);
}

/* What the footer says against the part. */
static bool footer_fits(const struct aimg_part *part, const struct aimg_table_footer *footer)
{
    return footer->type == part->type && footer->column == part->column && footer->first == part->first &&
           footer->count == part->count && footer->section_count == part->section_count;
}

static bool decode_tail(struct aimg_verify *verify, const struct aimg_part *part, const uint8_t *tail,
                        struct aimg_section *sections, struct aimg_table *table)
{
    struct aimg_table_footer footer;
    if (aimg_table_footer_decode(tail + (size_t)part->section_count * AIMG_SECTION_BYTES, &footer) != 0) {
        table_fault(verify, part, 38, "the footer's magic, a count, or bytes that must be zero are wrong");
        return false;
    }
    if (!footer_fits(part, &footer)) {
        table_fault(verify, part, 38, "its footer does not say what ROOT says of it");
        return false;
    }
    for (uint32_t i = 0; i < part->section_count; i++)
        aimg_section_decode(tail + (size_t)i * AIMG_SECTION_BYTES, &sections[i]);
    unsigned rule = aimg_table_check(&footer, sections, part->bytes);
    if (rule != 0) {
        table_fault(verify, part, rule,
                    rule == 39 ? "the size of a section is not that which its count gives" : "its sections do not fit it");
        return false;
    }
    table->payload = aimg_part_payload(part);
    table->data_bytes = footer.data_bytes;
    memcpy(table->list_hash, footer.list_hash, AIMG_HASH_BYTES);
    table->section_count = part->section_count;
    return true;
}

void aimg_verify_table_open(struct aimg_verify *verify, const struct aimg_part *part, struct aimg_table *table)
{
    const struct aimg_allocator *allocator = &verify->source.allocator;
    size_t tail_bytes = (size_t)aimg_table_tail_bytes(part->section_count);
    uint8_t *tail = aimg_alloc_array(allocator, tail_bytes, 1);
    struct aimg_section *sections = aimg_alloc_array(allocator, part->section_count, sizeof *sections);
    struct aimg_error error;
    table->part = *part;
    table->sections = NULL;
    if (tail == NULL || sections == NULL)
        aimg_verify_no_memory(verify, tail_bytes);
    else if (verify->io.ops->read_at(&verify->io, aimg_part_payload(part) + part->bytes - tail_bytes, tail, tail_bytes, &error) !=
             AIMG_OK)
        table_fault(verify, part, 41, error.message);
    else if (!aimg_hash_equals(part->tail_hash, aimg_hash(tail, tail_bytes)))
        table_fault(verify, part, 41, "its last bytes are not those that ROOT names by tail_hash");
    else if (decode_tail(verify, part, tail, sections, table))
        table->sections = sections;
    if (table->sections == NULL)
        aimg_release(allocator, sections);
    aimg_release(allocator, tail);
}

/* ------------------------------------------------------------------ blocks */

/* The next byte that is in a section or past the data, from `at` on, in a gap. */
static uint64_t gap_end(const struct aimg_table *table, uint32_t next)
{
    return next < table->section_count ? table->sections[next].offset : table->data_bytes;
}

static void check_gaps(struct aimg_verify *verify, const struct aimg_table *table)
{
    for (uint32_t i = 0; i < table->section_count; i++) {
        uint8_t gap[AIMG_TABLE_ALIGN];
        uint64_t begin = table->sections[i].offset + table->sections[i].bytes;
        size_t bytes = (size_t)(gap_end(table, i + 1) - begin); /* less than 64: aimg_table_check */
        if (bytes == 0 || verify->io.ops->read_at(&verify->io, table->payload + begin, gap, bytes, NULL) != AIMG_OK)
            continue; /* what cannot be read is said of the block */
        if (!aimg_all_zero(gap, bytes))
            aimg_verify_fault(verify, 38, aimg_verify_at(table->payload + begin),
                              "the gap after section %" PRIu32 " of the %s table at %" PRIu64 " is not zero", i,
                              aimg_verify_type_name(table->part.type), table->part.offset);
    }
}

/* Hash list and data side by side. */
static void check_blocks(struct aimg_verify *verify, const struct aimg_table *table, struct aimg_verify_stream *data,
                         struct aimg_verify_stream *list)
{
    struct aimg_hasher hasher;
    uint64_t blocks = aimg_blocks(table->data_bytes, AIMG_BLOCK_BYTES);
    aimg_hasher_begin(&hasher);
    for (uint64_t i = 0; i < blocks; i++) {
        size_t bytes = data->left < AIMG_BLOCK_BYTES ? (size_t)data->left : AIMG_BLOCK_BYTES;
        const uint8_t *hash = aimg_verify_stream_next(list, AIMG_HASH_BYTES);
        const uint8_t *block = aimg_verify_stream_next(data, bytes);
        if (hash == NULL || block == NULL)
            return;
        aimg_hasher_add(&hasher, hash, AIMG_HASH_BYTES);
        if (!aimg_hash_equals(hash, aimg_hash(block, bytes)))
            aimg_verify_fault(verify, 40, aimg_verify_at(table->payload + i * AIMG_BLOCK_BYTES),
                              "block %" PRIu64 " of the %s table at %" PRIu64
                              " is damaged: its bytes do not have the hash in the list",
                              i, aimg_verify_type_name(table->part.type), table->part.offset);
    }
    if (!aimg_hash_equals(table->list_hash, aimg_hasher_end(&hasher)))
        aimg_verify_fault(verify, 40, aimg_verify_at(table->payload + table->data_bytes),
                          "the hash list of the %s table at %" PRIu64 " is damaged", aimg_verify_type_name(table->part.type),
                          table->part.offset);
}

void aimg_verify_table_data(struct aimg_verify *verify, const struct aimg_table *table)
{
    struct aimg_verify_stream data, list;
    uint64_t list_bytes = aimg_table_list_bytes(table->data_bytes);
    bool data_open = aimg_verify_stream_begin(verify, &data, table->payload, table->data_bytes);
    bool list_open = aimg_verify_stream_begin(verify, &list, table->payload + table->data_bytes, list_bytes);
    if (data_open && list_open)
        check_blocks(verify, table, &data, &list);
    check_gaps(verify, table);
    aimg_verify_stream_end(&list);
    aimg_verify_stream_end(&data);
}
