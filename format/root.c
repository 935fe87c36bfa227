/* SPDX-License-Identifier: Apache-2.0 */
#include "root.h"

#include "column.h"
#include "name.h"
#include "table.h"

void aimg_root_head_encode(const struct aimg_root_head *head, uint8_t out[AIMG_ROOT_HEAD_BYTES])
{
    memset(out, 0, AIMG_ROOT_HEAD_BYTES);
    memcpy(out, AIMG_ROOT_MAGIC, 8);
    aimg_store32(out + 8, head->part_count);
    aimg_store32(out + 12, head->column_count);
    aimg_store32(out + 16, head->coding_count);
    aimg_store64(out + 24, head->ordinal_count);
    aimg_store64(out + 32, head->listed_count);
    aimg_store64(out + 40, head->dead_count);
    aimg_store64(out + 48, head->live_stored_bytes);
    aimg_store64(out + 56, head->meta_offset);
    aimg_store64(out + 64, head->meta_bytes);
    memcpy(out + 72, head->meta_hash, AIMG_HASH_BYTES);
}

unsigned aimg_root_head_decode(const uint8_t in[AIMG_ROOT_HEAD_BYTES], struct aimg_root_head *head)
{
    if (memcmp(in, AIMG_ROOT_MAGIC, 8) != 0 || aimg_load32(in + 20) != 0 || aimg_load64(in + 88) != 0)
        return 37;
    head->part_count = aimg_load32(in + 8);
    head->column_count = aimg_load32(in + 12);
    head->coding_count = aimg_load32(in + 16);
    head->ordinal_count = aimg_load64(in + 24);
    head->listed_count = aimg_load64(in + 32);
    head->dead_count = aimg_load64(in + 40);
    head->live_stored_bytes = aimg_load64(in + 48);
    head->meta_offset = aimg_load64(in + 56);
    head->meta_bytes = aimg_load64(in + 64);
    memcpy(head->meta_hash, in + 72, AIMG_HASH_BYTES);
    if (head->part_count > AIMG_PART_MAX || head->column_count > AIMG_COLUMN_MAX || head->coding_count > AIMG_CODING_MAX)
        return 37;
    if (head->ordinal_count > AIMG_ORDINAL_LIMIT)
        return 37;
    bool meta = head->meta_offset != 0;
    if (!meta && (head->meta_bytes != 0 || !aimg_all_zero(head->meta_hash, AIMG_HASH_BYTES)))
        return 69;
    if (meta && head->meta_bytes > AIMG_META_MAX_BYTES)
        return 69;
    return head->dead_count > head->ordinal_count || head->listed_count > head->ordinal_count - head->dead_count ? 65 : 0;
}

void aimg_part_encode(const struct aimg_part *part, uint8_t out[AIMG_PART_BYTES])
{
    memset(out, 0, AIMG_PART_BYTES);
    out[0] = part->type;
    aimg_store16(out + 2, part->section_count);
    aimg_store32(out + 4, part->column);
    aimg_store32(out + 8, part->first);
    aimg_store32(out + 12, part->count);
    aimg_store64(out + 16, part->offset);
    aimg_store64(out + 24, part->bytes);
    memcpy(out + 32, part->tail_hash, AIMG_HASH_BYTES);
    aimg_store32(out + 48, part->dead);
    aimg_store32(out + 52, part->attached);
}

/* The frame lies between the head and file_end, and has room for its tail. */
static bool part_in_range(const struct aimg_part *part, uint64_t file_end)
{
    if (part->offset < AIMG_HEAD_BYTES || part->offset % AIMG_UNIT != 0 || part->offset > file_end)
        return false;
    if (aimg_part_payload(part) % AIMG_TABLE_ALIGN != 0 || file_end - part->offset < AIMG_FRAME_BYTES)
        return false;
    if (part->bytes > file_end - part->offset - AIMG_FRAME_BYTES)
        return false;
    return part->bytes >= aimg_table_tail_bytes(part->section_count);
}

unsigned aimg_part_decode(const uint8_t in[AIMG_PART_BYTES], uint64_t file_end, struct aimg_part *part)
{
    part->type = in[0];
    part->section_count = aimg_load16(in + 2);
    part->column = aimg_load32(in + 4);
    part->first = aimg_load32(in + 8);
    part->count = aimg_load32(in + 12);
    part->offset = aimg_load64(in + 16);
    part->bytes = aimg_load64(in + 24);
    memcpy(part->tail_hash, in + 32, AIMG_HASH_BYTES);
    part->dead = aimg_load32(in + 48);
    part->attached = aimg_load32(in + 52);
    if (part->type < AIMG_FRAME_RUN || part->type > AIMG_FRAME_VALUES || in[1] != 0 || aimg_load64(in + 56) != 0)
        return 37;
    if (part->section_count > AIMG_SECTION_MAX || part->count == 0 || part->first > UINT32_MAX - part->count)
        return 37;
    if ((part->type == AIMG_FRAME_VALUES) != (part->column != 0))
        return 37;
    if ((part->type == AIMG_FRAME_NAMES || part->type == AIMG_FRAME_CONTENT) && part->first != 0)
        return 37;
    if (part->type != AIMG_FRAME_MASK && (part->dead != 0 || part->attached != 0))
        return 37;
    if (part->dead > part->count || part->attached > part->count - part->dead)
        return 62;
    return part_in_range(part, file_end) ? 0 : 41;
}

static int compare64(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

int aimg_part_compare(const struct aimg_part *a, const struct aimg_part *b)
{
    int order = compare64(a->type, b->type);
    if (order == 0)
        order = compare64(a->column, b->column);
    if (order == 0)
        order = compare64(a->first, b->first);
    return order != 0 ? order : compare64(a->offset, b->offset);
}

void aimg_column_record_encode(const struct aimg_column_record *column, const char *name, uint8_t *out)
{
    memset(out, 0, aimg_column_record_total(column->name_bytes));
    aimg_store32(out, column->id);
    out[4] = column->type;
    out[5] = column->flags;
    aimg_store16(out + 6, column->name_bytes);
    aimg_store32(out + 8, column->width);
    aimg_store32(out + 12, column->dictionary_count);
    memcpy(out + AIMG_COLUMN_RECORD_BYTES, name, column->name_bytes);
}

bool aimg_column_name_reserved(const uint8_t *name, size_t bytes)
{
    static const char reserved[][9] = {"id", "name", "ordinal", "position", "format", "bytes", "xxh128", "data"};
    for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++)
        if (bytes < sizeof reserved[i] && reserved[i][bytes] == 0 && memcmp(reserved[i], name, bytes) == 0)
            return true;
    return false;
}

unsigned aimg_column_record_decode(const uint8_t *in, size_t bytes, struct aimg_column_record *column, const uint8_t **name_out)
{
    if (bytes < AIMG_COLUMN_RECORD_BYTES)
        return 37;
    column->id = aimg_load32(in);
    column->type = in[4];
    column->flags = in[5];
    column->name_bytes = aimg_load16(in + 6);
    column->width = aimg_load32(in + 8);
    column->dictionary_count = aimg_load32(in + 12);
    size_t total = aimg_column_record_total(column->name_bytes);
    if (bytes < total)
        return 37;
    const uint8_t *name = in + AIMG_COLUMN_RECORD_BYTES;
    if (column->name_bytes == 0 || column->name_bytes > AIMG_COLUMN_NAME_MAX || !aimg_text_valid(name, column->name_bytes) ||
        aimg_column_name_reserved(name, column->name_bytes))
        return 60;
    if (!aimg_all_zero(name + column->name_bytes, total - AIMG_COLUMN_RECORD_BYTES - column->name_bytes))
        return 37;
    *name_out = name;
    return aimg_column_shape_valid(column) ? 0 : 60;
}

void aimg_coding_record_encode(const struct aimg_coding_record *coding, uint8_t out[AIMG_CODING_RECORD_BYTES])
{
    memset(out, 0, AIMG_CODING_RECORD_BYTES);
    out[0] = coding->coding;
    out[1] = coding->codec;
    aimg_store64(out + 8, coding->offset);
    aimg_store64(out + 16, coding->bytes);
    memcpy(out + 24, coding->hash, AIMG_HASH_BYTES);
}

unsigned aimg_coding_record_decode(const uint8_t in[AIMG_CODING_RECORD_BYTES], uint64_t file_end,
                                   struct aimg_coding_record *coding)
{
    coding->coding = in[0];
    coding->codec = in[1];
    coding->offset = aimg_load64(in + 8);
    coding->bytes = aimg_load64(in + 16);
    memcpy(coding->hash, in + 24, AIMG_HASH_BYTES);
    if (!aimg_all_zero(in + 2, 6) || coding->coding < AIMG_CODING_FIRST_LISTED)
        return 37;
    if (coding->bytes == 0 || coding->bytes > AIMG_DICT_MAX_BYTES)
        return 51;
    if (coding->offset < AIMG_HEAD_BYTES || coding->offset % AIMG_UNIT != 0 || coding->offset > file_end)
        return 51;
    return file_end - coding->offset < AIMG_FRAME_BYTES + coding->bytes ? 51 : 0;
}
