/* SPDX-License-Identifier: Apache-2.0 */
/* A table of the file: its tail read and checked, its blocks checked when they are used. */
#include "catalog.h"

#include "checksum.h"
#include "error.h"

#include <inttypes.h>

#define PIECE_BYTES 16384
/* Tails of tables with few columns are read here. */
#define STACK_TAIL_BYTES 1024
/* Hash lists up to here are held: those of tables of some 200 million names. */
#define HELD_LIST_MAX (UINT64_C(1) << 24)

const uint8_t *aimg_source_fetch(const struct aimg_source *source, uint64_t offset, size_t bytes, void *scratch,
                                 struct aimg_error *error)
{
    if (offset > source->end || bytes > source->end - offset) {
        (void)aimg_fail_at(error, AIMG_CORRUPT, 12, offset,
                           "a reference to %zu bytes at %" PRIu64 " leaves the archive, which ends at %" PRIu64, bytes, offset,
                           source->end);
        return NULL;
    }
    if (source->io->base != NULL && offset + bytes <= source->io->base_bytes)
        return source->io->base + offset;
    return source->io->ops->read_at(source->io, offset, scratch, bytes, error) == AIMG_OK ? scratch : NULL;
}

enum aimg_status aimg_source_copy(const struct aimg_source *source, uint64_t offset, size_t bytes, void *out,
                                  struct aimg_error *error)
{
    struct aimg_error local;
    const uint8_t *data = aimg_source_fetch(source, offset, bytes, out, &local);
    if (data == NULL)
        return aimg_fail_as(error, &local);
    if (data != out)
        memcpy(out, data, bytes);
    return AIMG_OK;
}

static enum aimg_status tail_fault(const struct aimg_part *part, unsigned rule, const char *what, struct aimg_error *error)
{
    return aimg_fail_at(error, rule == 41 ? AIMG_CHECKSUM : AIMG_CORRUPT, rule, part->offset,
                        "the table at %" PRIu64 " (frame type %u) breaks rule %u: %s; run verify, then repair", part->offset,
                        (unsigned)part->type, rule, what);
}

static enum aimg_status check_footer(const struct aimg_part *part, const struct aimg_table_footer *footer,
                                     struct aimg_error *error)
{
    if (footer->type != part->type || footer->column != part->column || footer->first != part->first ||
        footer->count != part->count || footer->section_count != part->section_count)
        return tail_fault(part, 41, "its footer is not the one that ROOT names", error);
    return AIMG_OK;
}

static enum aimg_status decode_tail(const struct aimg_part *part, const uint8_t *tail, struct aimg_section *sections,
                                    struct aimg_table *table, struct aimg_error *error)
{
    struct aimg_table_footer footer;
    unsigned rule = aimg_table_footer_decode(tail + (size_t)part->section_count * AIMG_SECTION_BYTES, &footer);
    if (rule != 0)
        return tail_fault(part, rule, "its footer is malformed", error);
    enum aimg_status status = check_footer(part, &footer, error);
    if (status != AIMG_OK)
        return status;
    for (uint32_t i = 0; i < part->section_count; i++)
        aimg_section_decode(tail + (size_t)i * AIMG_SECTION_BYTES, &sections[i]);
    rule = aimg_table_check(&footer, sections, part->bytes);
    if (rule != 0)
        return tail_fault(part, rule, "its sections do not fit it", error);
    table->part = *part;
    table->payload = aimg_part_payload(part);
    table->data_bytes = footer.data_bytes;
    memcpy(table->list_hash, footer.list_hash, AIMG_HASH_BYTES);
    table->section_count = part->section_count;
    table->sections = sections;
    table->ordered = aimg_sections_ordered(sections, part->section_count);
    atomic_init(&table->list_verified, false);
    table->list = NULL;
    return AIMG_OK;
}

/* tail: room for it. */
static enum aimg_status open_with(const struct aimg_source *source, const struct aimg_part *part, uint8_t *tail,
                                  size_t tail_bytes, struct aimg_section *sections, struct aimg_table *table,
                                  struct aimg_error *error)
{
    uint64_t offset = aimg_part_payload(part) + part->bytes - tail_bytes;
    enum aimg_status status = aimg_source_copy(source, offset, tail_bytes, tail, error);
    if (status != AIMG_OK)
        return status;
    if (!aimg_hash_equals(part->tail_hash, aimg_hash(tail, tail_bytes)))
        return tail_fault(part, 41, "its last bytes are not those that ROOT names", error);
    return decode_tail(part, tail, sections, table, error);
}

enum aimg_status aimg_table_open(const struct aimg_source *source, const struct aimg_part *part, struct aimg_section *sections,
                                 struct aimg_table *table, struct aimg_error *error)
{
    uint8_t on_stack[STACK_TAIL_BYTES];
    size_t tail_bytes = (size_t)aimg_table_tail_bytes(part->section_count);
    if (tail_bytes <= sizeof on_stack)
        return open_with(source, part, on_stack, tail_bytes, sections, table, error);
    uint8_t *tail = aimg_alloc_array(&source->allocator, tail_bytes, 1);
    if (tail == NULL)
        return aimg_fail_memory(error, tail_bytes);
    enum aimg_status status = open_with(source, part, tail, tail_bytes, sections, table, error);
    aimg_release(&source->allocator, tail);
    return status;
}

static bool stands_before(const struct aimg_section *section, unsigned kind, uint32_t column)
{
    return section->column != column ? section->column < column : section->kind < kind;
}

/* There may be thousands, and each column asks for its own. */
static const struct aimg_section *halve(const struct aimg_table *table, unsigned kind, uint32_t column)
{
    uint32_t low = 0, high = table->section_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (stands_before(&table->sections[middle], kind, column))
            low = middle + 1;
        else
            high = middle;
    }
    const struct aimg_section *found = &table->sections[low];
    return low < table->section_count && found->kind == kind && found->column == column ? found : NULL;
}

const struct aimg_section *aimg_table_section(const struct aimg_table *table, unsigned kind, uint32_t column)
{
    if (table->ordered)
        return halve(table, kind, column);
    for (uint32_t i = 0; i < table->section_count; i++)
        if (table->sections[i].kind == kind && table->sections[i].column == column)
            return &table->sections[i];
    return NULL;
}

static enum aimg_status list_damaged(const struct aimg_table *table, struct aimg_error *error)
{
    return aimg_fail_at(error, AIMG_CHECKSUM, 40, table->payload + table->data_bytes,
                        "the hash list of the table at %" PRIu64 " is damaged; run verify, then repair", table->part.offset);
}

static enum aimg_status verify_list(const struct aimg_source *source, struct aimg_table *table, struct aimg_error *error)
{
    struct aimg_hasher hasher;
    struct aimg_error local;
    uint8_t scratch[PIECE_BYTES];
    uint64_t list = table->payload + table->data_bytes;
    uint64_t left = aimg_table_list_bytes(table->data_bytes);
    if (atomic_load_explicit(&table->list_verified, memory_order_acquire))
        return AIMG_OK;
    aimg_hasher_begin(&hasher);
    while (left > 0) {
        size_t piece = left < sizeof scratch ? (size_t)left : sizeof scratch;
        const uint8_t *bytes = aimg_source_fetch(source, list, piece, scratch, &local);
        if (bytes == NULL)
            return aimg_fail_as(error, &local);
        aimg_hasher_add(&hasher, bytes, piece);
        list += piece;
        left -= piece;
    }
    if (!aimg_hash_equals(table->list_hash, aimg_hasher_end(&hasher)))
        return list_damaged(table, error);
    atomic_store_explicit(&table->list_verified, true, memory_order_release);
    return AIMG_OK;
}

static size_t block_bytes(const struct aimg_table *table, uint64_t begin)
{
    return table->data_bytes - begin < AIMG_BLOCK_BYTES ? (size_t)(table->data_bytes - begin) : AIMG_BLOCK_BYTES;
}

/* The list was verified. */
static enum aimg_status check_block(const struct aimg_source *source, const struct aimg_table *table, uint64_t begin,
                                    const uint8_t *data, struct aimg_error *error)
{
    uint8_t scratch[AIMG_HASH_BYTES];
    struct aimg_error local;
    uint64_t place = begin / AIMG_BLOCK_BYTES * AIMG_HASH_BYTES;
    const uint8_t *stored = table->list != NULL ? table->list + place
                                                : aimg_source_fetch(source, table->payload + table->data_bytes + place,
                                                                    sizeof scratch, scratch, &local);
    if (stored == NULL)
        return aimg_fail_as(error, &local);
    size_t bytes = block_bytes(table, begin);
    if (!aimg_hash_equals(stored, aimg_hash(data, bytes)))
        return aimg_fail_at(error, AIMG_CHECKSUM, 40, table->payload + begin,
                            "the index is damaged: %zu bytes at %" PRIu64
                            " are not those that were written; run verify, then repair",
                            bytes, table->payload + begin);
    return AIMG_OK;
}

static enum aimg_status verify_block(const struct aimg_source *source, const struct aimg_table *table, uint64_t block,
                                     struct aimg_error *error)
{
    uint8_t scratch[AIMG_BLOCK_BYTES];
    struct aimg_error local;
    uint64_t begin = block * AIMG_BLOCK_BYTES;
    const uint8_t *data = aimg_source_fetch(source, table->payload + begin, block_bytes(table, begin), scratch, &local);
    return data == NULL ? aimg_fail_as(error, &local) : check_block(source, table, begin, data, error);
}

const uint8_t *aimg_table_block(const struct aimg_source *source, const struct aimg_table *table, uint64_t offset,
                                uint8_t scratch[AIMG_BLOCK_BYTES], size_t *bytes_out, struct aimg_error *error)
{
    uint64_t begin = offset / AIMG_BLOCK_BYTES * AIMG_BLOCK_BYTES;
    size_t bytes = block_bytes(table, begin);
    const uint8_t *data = aimg_source_fetch(source, table->payload + begin, bytes, scratch, error);
    *bytes_out = bytes - (size_t)(offset - begin);
    return data == NULL ? NULL : data + (offset - begin);
}

enum aimg_status aimg_table_verify_held(const struct aimg_source *source, struct aimg_table *table, uint64_t offset,
                                        const uint8_t *block, struct aimg_error *error)
{
    enum aimg_status status = verify_list(source, table, error);
    return status == AIMG_OK ? check_block(source, table, offset / AIMG_BLOCK_BYTES * AIMG_BLOCK_BYTES, block, error) : status;
}

enum aimg_status aimg_table_hold_list(const struct aimg_source *source, struct aimg_table *table, struct aimg_error *error)
{
    uint64_t bytes = aimg_table_list_bytes(table->data_bytes);
    if (table->list != NULL || source->io->base != NULL || bytes > HELD_LIST_MAX)
        return AIMG_OK;
    uint8_t *list = aimg_alloc_array(&source->allocator, bytes, 1);
    if (list == NULL)
        return aimg_fail_memory(error, bytes);
    enum aimg_status status = aimg_source_copy(source, table->payload + table->data_bytes, (size_t)bytes, list, error);
    if (status == AIMG_OK && !aimg_hash_equals(table->list_hash, aimg_hash(list, (size_t)bytes)))
        status = list_damaged(table, error);
    if (status != AIMG_OK) {
        aimg_release(&source->allocator, list);
        return status;
    }
    table->list = list;
    atomic_store_explicit(&table->list_verified, true, memory_order_release);
    return AIMG_OK;
}

enum aimg_status aimg_table_verify(const struct aimg_source *source, struct aimg_table *table, uint64_t offset, uint64_t bytes,
                                   struct aimg_error *error)
{
    enum aimg_status status = verify_list(source, table, error);
    if (bytes == 0)
        return status;
    uint64_t last = (offset + bytes - 1) / AIMG_BLOCK_BYTES;
    for (uint64_t block = offset / AIMG_BLOCK_BYTES; status == AIMG_OK && block <= last; block++)
        status = verify_block(source, table, block, error);
    return status;
}

/* Each block is read once: what was checked is what is used. */
static enum aimg_status copy_checked(const struct aimg_source *source, struct aimg_table *table, uint64_t offset, size_t bytes,
                                     uint8_t *out, struct aimg_error *error)
{
    uint8_t scratch[AIMG_BLOCK_BYTES];
    enum aimg_status status = verify_list(source, table, error);
    while (status == AIMG_OK && bytes > 0) {
        uint64_t begin = offset / AIMG_BLOCK_BYTES * AIMG_BLOCK_BYTES;
        size_t whole = block_bytes(table, begin), skipped = (size_t)(offset - begin);
        size_t piece = whole - skipped < bytes ? whole - skipped : bytes;
        uint8_t *block = piece == whole ? out : scratch;
        status = aimg_source_copy(source, table->payload + begin, whole, block, error);
        if (status == AIMG_OK)
            status = check_block(source, table, begin, block, error);
        if (block == scratch && status == AIMG_OK)
            memcpy(out, scratch + skipped, piece);
        offset += piece;
        out += piece;
        bytes -= piece;
    }
    return status;
}

const uint8_t *aimg_table_fetch(const struct aimg_source *source, struct aimg_table *table, uint64_t offset, size_t bytes,
                                void *scratch, struct aimg_error *error)
{
    if (source->io->base == NULL || table->payload + offset + bytes > source->io->base_bytes)
        return copy_checked(source, table, offset, bytes, scratch, error) == AIMG_OK ? scratch : NULL;
    return aimg_table_verify(source, table, offset, bytes, error) == AIMG_OK ? source->io->base + table->payload + offset : NULL;
}

enum aimg_status aimg_table_copy(const struct aimg_source *source, struct aimg_table *table, uint64_t offset, size_t bytes,
                                 void *out, struct aimg_error *error)
{
    struct aimg_error local;
    const uint8_t *data = aimg_table_fetch(source, table, offset, bytes, out, &local);
    if (data == NULL)
        return aimg_fail_as(error, &local);
    if (data != out)
        memcpy(out, data, bytes);
    return AIMG_OK;
}
