/* SPDX-License-Identifier: Apache-2.0 */
#include "column_writer.h"

/* Rows are moved in chunks of about this size. */
#define CHUNK_BYTES    32768
#define CHUNK_ROWS_MAX 4096

/* Where the rows of a piece come from. */
struct origin {
    const struct aimg_column_piece *piece;
    const struct aimg_section *values;   /* of a table; NULL: none, all rows are null */
    const struct aimg_section *validity; /* of a table; NULL: all rows have a value */
};

struct column_out {
    struct aimg_table_writer *table;
    const struct aimg_column_source *source;
    const struct aimg_allocator *allocator;
    struct origin *origins;
    size_t full;     /* bytes of a value at full width */
    size_t width;    /* bytes of a value as it will be stored */
    uint32_t chunk;  /* rows moved at once; a multiple of 8 */
    uint8_t *in;     /* chunk rows at full width */
    uint8_t *out;    /* and at width */
    uint8_t *bitmap; /* chunk rows */
    uint64_t row;    /* over all pieces */
    uint32_t edit;   /* next of the edits */
    bool has_value, has_null;
};

static bool in_groups(const struct column_out *column)
{
    return aimg_column_in_groups(column->source->record);
}

static bool from_stage(const struct origin *origin)
{
    return origin->piece->staged != NULL && origin->piece->staged->has_value;
}

/* ------------------------------------------------------------------ what there is */

/* Bytes that the value needs, 1, 2, 4 or 8. */
static size_t bytes_for(uint64_t value)
{
    return value <= UINT8_MAX ? 1 : value <= UINT16_MAX ? 2 : value <= UINT32_MAX ? 4 : 8;
}

static uint64_t load_narrow(const uint8_t *bytes, size_t count)
{
    uint8_t wide[8] = {0};
    memcpy(wide, bytes, count);
    return aimg_load64(wide);
}

static size_t array_width(const struct column_out *column, const struct aimg_column_piece *piece)
{
    uint64_t bits = 0;
    if (!aimg_column_may_narrow(column->source->record))
        return column->full;
    for (uint32_t row = 0; row < piece->count; row++)
        if (piece->validity == NULL || aimg_bitmap_get(piece->validity, row))
            bits |= load_narrow(piece->values + (size_t)row * column->full, column->full);
    return bytes_for(bits);
}

static void grow_width(struct column_out *column, size_t needed)
{
    needed = needed < column->full ? needed : column->full;
    column->width = needed > column->width ? needed : column->width;
}

static bool has_validity_gap(const struct aimg_column_piece *piece)
{
    for (uint32_t row = 0; piece->validity != NULL && row < piece->count; row++)
        if (!aimg_bitmap_get(piece->validity, row))
            return true;
    return false;
}

static enum aimg_status look_at_table(struct column_out *column, struct origin *origin, struct aimg_error *error)
{
    const struct aimg_column_piece *piece = origin->piece;
    uint32_t id = column->source->record->id;
    unsigned kind = in_groups(column) ? AIMG_SECTION_GROUPS : AIMG_SECTION_VALUES;
    const struct aimg_source *source = &piece->reader->source;
    origin->values = aimg_table_section(piece->table, kind, id);
    if (origin->values == NULL) {
        column->has_null = true;
        return AIMG_OK;
    }
    column->has_value = true;
    grow_width(column, origin->values->element_bytes);
    origin->validity = aimg_table_section(piece->table, AIMG_SECTION_VALIDITY, id);
    enum aimg_status status = AIMG_OK;
    if (in_groups(column))
        status = aimg_group_verify_records(piece->reader, piece->table, origin->values, error);
    else
        status = aimg_table_verify(source, piece->table, origin->values->offset, origin->values->bytes, error);
    if (status == AIMG_OK && origin->validity != NULL) {
        column->has_null = true;
        status = aimg_table_verify(source, piece->table, origin->validity->offset, origin->validity->bytes, error);
    }
    return status;
}

static enum aimg_status look_at(struct column_out *column, struct origin *origin, struct aimg_error *error)
{
    const struct aimg_column_piece *piece = origin->piece;
    if (piece->count == 0)
        return AIMG_OK;
    if (piece->table != NULL)
        return look_at_table(column, origin, error);
    if (from_stage(origin)) {
        column->has_value = true;
        column->has_null |= piece->staged->has_null || piece->staged->rows < piece->count;
        grow_width(column, aimg_column_may_narrow(column->source->record) ? bytes_for(piece->staged->largest) : column->full);
    } else if (piece->values != NULL) {
        column->has_value = true;
        column->has_null |= has_validity_gap(piece);
        grow_width(column, array_width(column, piece));
    } else {
        column->has_null = true;
    }
    return AIMG_OK;
}

static enum aimg_status look_at_all(struct column_out *column, struct aimg_error *error)
{
    const struct aimg_column_source *source = column->source;
    enum aimg_status status = AIMG_OK;
    uint64_t rows = 0;
    for (uint32_t i = 0; status == AIMG_OK && i < source->piece_count; i++) {
        column->origins[i].piece = &source->pieces[i];
        status = look_at(column, &column->origins[i], error);
        rows += source->pieces[i].count;
    }
    if (source->edit_count == rows) /* nothing of the pieces is left */
        column->has_null = column->has_value = false;
    for (uint32_t i = 0; i < source->edit_count; i++) {
        const struct aimg_column_edit *edit = &source->edits[i];
        column->has_null |= edit->data == NULL;
        column->has_value |= edit->data != NULL;
        if (edit->data != NULL && aimg_column_may_narrow(source->record))
            grow_width(column, bytes_for(load_narrow(edit->data, edit->bytes)));
        else if (edit->data != NULL)
            grow_width(column, column->full);
    }
    return status;
}

/* ------------------------------------------------------------------ rows of a piece */

static enum aimg_status fetch(const struct origin *origin, uint64_t offset, size_t bytes, uint8_t *scratch,
                              const uint8_t **data_out, struct aimg_error *error)
{
    struct aimg_error local;
    *data_out = aimg_source_fetch(&origin->piece->reader->source, origin->piece->table->payload + offset, bytes, scratch, &local);
    return *data_out != NULL ? AIMG_OK : aimg_fail_as(error, &local);
}

/* Which of `rows` rows from `first` on, a multiple of 8, have a value: into column->bitmap. */
static enum aimg_status get_validity(struct column_out *column, const struct origin *origin, uint32_t first, uint32_t rows,
                                     struct aimg_error *error)
{
    const struct aimg_column_piece *piece = origin->piece;
    size_t bytes = (rows + 7) / 8;
    const uint8_t *bits = NULL;
    uint32_t held = rows; /* rows that bits tells of */
    bool all = origin->values != NULL || piece->values != NULL;
    if (origin->validity != NULL) {
        enum aimg_status status = fetch(origin, origin->validity->offset + first / 8, bytes, column->bitmap, &bits, error);
        if (status != AIMG_OK)
            return status;
    } else if (from_stage(origin)) {
        held = piece->staged->rows > first ? piece->staged->rows - first : 0;
        held = held < rows ? held : rows;
        bits = piece->staged->validity.data + first / 8;
    } else if (piece->table == NULL && piece->validity != NULL) {
        bits = piece->validity + first / 8;
    }
    if (bits == NULL)
        memset(column->bitmap, all ? 0xFF : 0, bytes);
    else if (bits != column->bitmap)
        memcpy(column->bitmap, bits, (held + 7) / 8);
    if (held < rows)
        memset(column->bitmap + (held + 7) / 8, 0, bytes - (held + 7) / 8);
    return AIMG_OK;
}

/* rows values, `have` bytes each, to column->out. */
static void convert(struct column_out *column, const uint8_t *values, size_t have, uint32_t rows)
{
    size_t width = column->width, common = have < width ? have : width;
    if (have == width) {
        memcpy(column->out, values, (size_t)rows * width);
        return;
    }
    memset(column->out, 0, (size_t)rows * width);
    for (uint32_t row = 0; row < rows; row++)
        memcpy(column->out + row * width, values + row * have, common);
}

/* rows rows from `first` on to column->out. */
static enum aimg_status get_values(struct column_out *column, const struct origin *origin, uint32_t first, uint32_t rows,
                                   struct aimg_error *error)
{
    const struct aimg_column_piece *piece = origin->piece;
    memset(column->out, 0, (size_t)rows * column->width);
    if (origin->values != NULL) {
        const uint8_t *values;
        size_t have = origin->values->element_bytes;
        enum aimg_status status =
            fetch(origin, origin->values->offset + (uint64_t)first * have, rows * have, column->in, &values, error);
        if (status == AIMG_OK)
            convert(column, values, have, rows);
        return status;
    }
    if (from_stage(origin)) {
        uint32_t held = piece->staged->rows > first ? piece->staged->rows - first : 0;
        if (held > 0)
            convert(column, piece->staged->values.data + (size_t)first * column->full, column->full, held < rows ? held : rows);
    } else if (piece->values != NULL) {
        convert(column, piece->values + (size_t)first * column->full, column->full, rows);
        for (uint32_t row = 0; piece->validity != NULL && row < rows; row++)
            if (!aimg_bitmap_get(piece->validity, (uint64_t)first + row))
                memset(column->out + row * column->width, 0, column->width);
    }
    return AIMG_OK;
}

/* The next edit below row `end`, or NULL. */
static const struct aimg_column_edit *next_edit(struct column_out *column, uint64_t end)
{
    const struct aimg_column_source *source = column->source;
    if (column->edit == source->edit_count || source->edits[column->edit].row >= end)
        return NULL;
    return &source->edits[column->edit++];
}

/* ------------------------------------------------------------------ fixed width */

static enum aimg_status put_values(struct column_out *column, const struct origin *origin, uint32_t first, uint32_t rows,
                                   struct aimg_error *error)
{
    const struct aimg_column_edit *edit;
    enum aimg_status status = get_values(column, origin, first, rows, error);
    if (status != AIMG_OK)
        return status;
    while ((edit = next_edit(column, column->row + rows)) != NULL) {
        uint8_t *value = column->out + (size_t)(edit->row - column->row) * column->width;
        memset(value, 0, column->width);
        if (edit->data != NULL)
            memcpy(value, edit->data, column->width < edit->bytes ? column->width : edit->bytes);
    }
    return aimg_table_writer_add(column->table, column->out, rows * column->width, error);
}

/* Bits are collected over pieces, which do not end at whole bytes. */
struct bits {
    uint8_t byte;
    unsigned used;
    uint64_t bytes; /* written */
};

static enum aimg_status put_bit(struct column_out *column, struct bits *bits, bool bit, struct aimg_error *error)
{
    bits->byte |= (uint8_t)(bit << bits->used);
    if (++bits->used < 8)
        return AIMG_OK;
    enum aimg_status status = aimg_table_writer_add(column->table, &bits->byte, 1, error);
    *bits = (struct bits){.bytes = bits->bytes + 1};
    return status;
}

static enum aimg_status put_validity(struct column_out *column, struct bits *bits, const struct origin *origin, uint32_t first,
                                     uint32_t rows, struct aimg_error *error)
{
    const struct aimg_column_edit *edit;
    enum aimg_status status = get_validity(column, origin, first, rows, error);
    if (status != AIMG_OK)
        return status;
    while ((edit = next_edit(column, column->row + rows)) != NULL) {
        uint64_t row = edit->row - column->row;
        uint8_t bit = (uint8_t)(1u << (row % 8));
        column->bitmap[row / 8] = (uint8_t)((column->bitmap[row / 8] & ~bit) | (edit->data != NULL ? bit : 0));
    }
    bool whole = bits->used == 0 && rows % 8 == 0;
    if (whole) {
        bits->bytes += rows / 8;
        return aimg_table_writer_add(column->table, column->bitmap, rows / 8, error);
    }
    for (uint32_t row = 0; status == AIMG_OK && row < rows; row++)
        status = put_bit(column, bits, aimg_bitmap_get(column->bitmap, row), error);
    return status;
}

/* All rows, chunk by chunk: their values, or with bits their validity. */
static enum aimg_status put_rows(struct column_out *column, struct bits *bits, struct aimg_error *error)
{
    enum aimg_status status = AIMG_OK;
    column->row = 0;
    column->edit = 0;
    for (uint32_t i = 0; i < column->source->piece_count; i++) {
        uint32_t count = column->source->pieces[i].count;
        for (uint32_t first = 0, rows; status == AIMG_OK && first < count; first += rows) {
            rows = count - first < column->chunk ? count - first : column->chunk;
            status = bits != NULL ? put_validity(column, bits, &column->origins[i], first, rows, error)
                                  : put_values(column, &column->origins[i], first, rows, error);
            column->row += rows;
        }
    }
    return status;
}

static enum aimg_status write_fixed(struct column_out *column, struct aimg_error *error)
{
    enum aimg_status status = put_rows(column, NULL, error);
    struct aimg_section section = {.kind = AIMG_SECTION_VALUES,
                                   .element_bytes = (uint16_t)column->width,
                                   .column = column->source->record->id,
                                   .count = column->row};
    return status == AIMG_OK ? aimg_table_writer_section(column->table, section, error) : status;
}

static enum aimg_status write_validity(struct column_out *column, struct aimg_error *error)
{
    static const uint8_t zeros[8];
    struct bits bits = {.bytes = 0};
    enum aimg_status status = put_rows(column, &bits, error);
    while (status == AIMG_OK && bits.used > 0)
        status = put_bit(column, &bits, false, error);
    if (status == AIMG_OK)
        status = aimg_table_writer_add(column->table, zeros, (size_t)(aimg_bitmap_bytes(column->row) - bits.bytes), error);
    struct aimg_section section = {.kind = AIMG_SECTION_VALIDITY, .column = column->source->record->id, .count = column->row};
    return status == AIMG_OK ? aimg_table_writer_section(column->table, section, error) : status;
}

/* ------------------------------------------------------------------ groups */

/* The next row: the edit of it, or the value that is given. */
static enum aimg_status put_value(struct column_out *column, struct aimg_group_writer *groups, const uint8_t *value,
                                  uint32_t bytes, struct aimg_error *error)
{
    const struct aimg_column_edit *edit = next_edit(column, ++column->row);
    if (edit == NULL)
        return aimg_group_writer_add(groups, value, bytes, error);
    return aimg_group_writer_add(groups, edit->data, edit->data == NULL ? 0 : edit->bytes, error);
}

static bool edit_below(const struct column_out *column, uint64_t end)
{
    return column->edit < column->source->edit_count && column->source->edits[column->edit].row < end;
}

/* A group of the file, value by value. */
static enum aimg_status put_group(struct column_out *column, struct aimg_group_writer *groups, const struct origin *origin,
                                  uint64_t index, struct aimg_error *error)
{
    const struct aimg_column_piece *piece = origin->piece;
    struct aimg_buffer raw = {NULL, 0, 0};
    struct aimg_group group;
    enum aimg_status status = aimg_group_read(piece->reader, piece->table, origin->values, index, &group, &raw, error);
    const uint8_t *value = status == AIMG_OK ? raw.data + (size_t)group.count * 4 : NULL;
    for (uint32_t i = 0; status == AIMG_OK && i < group.count; i++) {
        uint32_t bytes = aimg_load32(raw.data + (size_t)i * 4);
        status = put_value(column, groups, value, bytes, error);
        value += bytes;
    }
    aimg_buffer_release(&piece->reader->source.allocator, &raw);
    return status;
}

static enum aimg_status put_table_groups(struct column_out *column, struct aimg_group_writer *groups, const struct origin *origin,
                                         struct aimg_error *error)
{
    const struct aimg_column_piece *piece = origin->piece;
    enum aimg_status status = AIMG_OK;
    for (uint64_t index = 0; status == AIMG_OK && index < origin->values->extra; index++) {
        struct aimg_group group;
        status = aimg_group_at(piece->reader, piece->table, origin->values, index, &group, error);
        if (status != AIMG_OK)
            break;
        if (edit_below(column, column->row + group.count)) {
            status = put_group(column, groups, origin, index, error);
        } else {
            status = aimg_group_writer_copy(groups, piece->reader, piece->table, origin->values, index, error);
            column->row += group.count;
        }
    }
    return status;
}

static enum aimg_status put_staged_groups(struct column_out *column, struct aimg_group_writer *groups,
                                          const struct aimg_column_piece *piece, struct aimg_error *error)
{
    const struct aimg_stage_column *staged = piece->staged;
    const uint8_t *value = staged->values.data;
    uint32_t begin = 0, end = 0;
    enum aimg_status status = AIMG_OK;
    for (uint32_t row = 0; status == AIMG_OK && row < piece->count; row++) {
        if (row < staged->rows)
            memcpy(&end, staged->ends.data + (size_t)row * sizeof end, sizeof end);
        uint32_t bytes = end - begin;
        status = put_value(column, groups, value, bytes, error);
        if (bytes > 0)
            value += bytes;
        begin = end;
    }
    return status;
}

static enum aimg_status write_groups(struct column_out *column, struct aimg_codec_pool *codecs, bool *zstd_out,
                                     struct aimg_error *error)
{
    struct aimg_group_writer groups;
    enum aimg_status status = AIMG_OK;
    aimg_group_writer_begin(&groups, column->table, codecs, AIMG_SECTION_GROUPS, column->source->record->id);
    for (uint32_t i = 0; status == AIMG_OK && i < column->source->piece_count; i++) {
        const struct origin *origin = &column->origins[i];
        if (origin->values != NULL)
            status = put_table_groups(column, &groups, origin, error);
        else if (from_stage(origin))
            status = put_staged_groups(column, &groups, origin->piece, error);
        else
            for (uint32_t row = 0; status == AIMG_OK && row < origin->piece->count; row++)
                status = put_value(column, &groups, NULL, 0, error);
    }
    if (status == AIMG_OK)
        return aimg_group_writer_end(&groups, zstd_out, error);
    aimg_group_writer_abandon(&groups);
    return status;
}

/* ------------------------------------------------------------------ all of it */

static enum aimg_status make_chunks(struct column_out *column, struct aimg_error *error)
{
    size_t widest = column->full > 0 ? column->full : 1;
    uint32_t rows = (uint32_t)(CHUNK_BYTES / widest) / 8 * 8;
    column->chunk = rows < 8 ? 8 : rows > CHUNK_ROWS_MAX ? CHUNK_ROWS_MAX : rows;
    column->in = aimg_alloc_array(column->allocator, column->chunk, widest);
    column->out = aimg_alloc_array(column->allocator, column->chunk, widest);
    column->bitmap = aimg_alloc_array(column->allocator, column->chunk / 8, 1);
    if (column->in == NULL || column->out == NULL || column->bitmap == NULL)
        return aimg_fail_memory(error, column->chunk * widest);
    return AIMG_OK;
}

static enum aimg_status write_sections(struct column_out *column, struct aimg_codec_pool *codecs, bool *zstd_out,
                                       struct aimg_error *error)
{
    enum aimg_status status = look_at_all(column, error);
    if (status != AIMG_OK || (!column->has_value && !column->source->always))
        return status;
    if (column->width == 0)
        column->width = column->full;
    status = make_chunks(column, error);
    if (status == AIMG_OK)
        status = in_groups(column) ? write_groups(column, codecs, zstd_out, error) : write_fixed(column, error);
    return status == AIMG_OK && column->has_null ? write_validity(column, error) : status;
}

enum aimg_status aimg_column_write(struct aimg_table_writer *table, struct aimg_codec_pool *codecs,
                                   const struct aimg_column_source *source, bool *zstd_out, struct aimg_error *error)
{
    struct column_out column = {.table = table, .source = source, .allocator = &table->out->allocator};
    if (!aimg_column_in_groups(source->record))
        column.full = (size_t)aimg_column_element_bytes(source->record->type) * source->record->width;
    column.origins = aimg_alloc_array(column.allocator, source->piece_count, sizeof *column.origins);
    enum aimg_status status = column.origins == NULL ? aimg_fail_memory(error, source->piece_count * sizeof *column.origins)
                                                     : write_sections(&column, codecs, zstd_out, error);
    aimg_release(column.allocator, column.origins);
    aimg_release(column.allocator, column.in);
    aimg_release(column.allocator, column.out);
    aimg_release(column.allocator, column.bitmap);
    return status;
}
