/* SPDX-License-Identifier: Apache-2.0 */
#include "column.h"

static const uint8_t element_bytes[] = {
    0, 1, 1, 2, 4, 8, 1, 2, 4, 8, 2, 4, 8, 0, 0, 4, 4,
};

static bool known(unsigned type)
{
    return type >= AIMG_COLUMN_BOOL && type <= AIMG_COLUMN_IMAGE;
}

uint32_t aimg_column_element_bytes(unsigned type)
{
    return known(type) ? element_bytes[type] : 0;
}

bool aimg_column_shape_valid(const struct aimg_column_record *column)
{
    uint64_t each = aimg_column_element_bytes(column->type);
    bool list = (column->flags & AIMG_COLUMN_LIST) != 0;
    if (!known(column->type) || (column->flags & ~AIMG_COLUMN_LIST) != 0 || column->id == 0 || column->width == 0)
        return false;
    if (column->type > AIMG_COLUMN_F64 && (list || column->width != 1))
        return false;
    if (column->type != AIMG_COLUMN_DICTIONARY && column->dictionary_count != 0)
        return false;
    return each * column->width <= AIMG_COLUMN_ROW_MAX;
}

bool aimg_column_in_groups(const struct aimg_column_record *column)
{
    return (column->flags & AIMG_COLUMN_LIST) != 0 || column->type == AIMG_COLUMN_UTF8 || column->type == AIMG_COLUMN_BYTES_TYPE;
}

bool aimg_column_may_narrow(const struct aimg_column_record *column)
{
    bool is_unsigned = column->type >= AIMG_COLUMN_U16 && column->type <= AIMG_COLUMN_U64;
    bool scalar = column->width == 1 && (column->flags & AIMG_COLUMN_LIST) == 0;
    return scalar && (is_unsigned || column->type == AIMG_COLUMN_DICTIONARY);
}

bool aimg_column_width_fits(const struct aimg_column_record *column, uint32_t bytes)
{
    uint32_t full = aimg_column_element_bytes(column->type) * column->width;
    if (bytes == full)
        return true;
    return aimg_column_may_narrow(column) && bytes < full && (bytes == 1 || bytes == 2 || bytes == 4);
}

void aimg_column_store(uint8_t *out, const void *elements, size_t bytes, size_t element)
{
#if AIMG_LITTLE_ENDIAN
    (void)element;
    memcpy(out, elements, bytes);
#else
    const uint8_t *from = elements;
    for (size_t i = 0; i < bytes; i++)
        out[i] = from[i / element * element + (element - 1 - i % element)];
#endif
}

void aimg_group_record_encode(uint64_t end, uint32_t value_end, uint32_t raw_bytes, uint8_t out[AIMG_GROUP_RECORD_BYTES])
{
    aimg_store64(out, end);
    aimg_store32(out + 8, value_end);
    aimg_store32(out + 12, raw_bytes);
}

unsigned aimg_group_decode(const uint8_t *record, const uint8_t *previous, const struct aimg_section *section, uint64_t index,
                           struct aimg_group *group)
{
    bool last = index + 1 == section->extra;
    uint64_t data_bytes = section->bytes - section->extra * AIMG_GROUP_RECORD_BYTES;
    uint32_t value_end = aimg_load32(record + 8);
    group->begin = previous == NULL ? 0 : aimg_load64(previous);
    group->end = aimg_load64(record);
    group->first = previous == NULL ? 0 : aimg_load32(previous + 8);
    group->raw_bytes = aimg_load32(record + 12);
    if (group->end <= group->begin || group->end > data_bytes || value_end <= group->first || value_end > section->count)
        return 39;
    if (last && (group->end != data_bytes || value_end != section->count))
        return 39;
    group->count = value_end - group->first;
    if (group->raw_bytes > AIMG_GROUP_MAX_BYTES || group->raw_bytes / 4 < group->count)
        return 39;
    return section->codec == AIMG_CODEC_NONE && group->end - group->begin != group->raw_bytes ? 39 : 0;
}

unsigned aimg_group_check_raw(const uint8_t *raw, const struct aimg_group *group)
{
    uint64_t left = group->raw_bytes - (uint64_t)group->count * 4;
    for (uint32_t i = 0; i < group->count; i++) {
        uint32_t length = aimg_load32(raw + (size_t)i * 4);
        if (length > left)
            return 39;
        left -= length;
    }
    return left == 0 ? 0 : 39;
}
