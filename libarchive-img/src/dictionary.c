/* SPDX-License-Identifier: Apache-2.0 */
#include "dictionary.h"

#include "checksum.h"

#define FIRST_SET 64

static uint64_t end_of(const struct aimg_dictionary *dictionary, uint32_t code)
{
    uint64_t end;
    memcpy(&end, dictionary->ends.data + (size_t)code * sizeof end, sizeof end);
    return end;
}

const uint8_t *aimg_dictionary_text(const struct aimg_dictionary *dictionary, uint32_t code, size_t *bytes_out)
{
    uint64_t begin = code == 0 ? 0 : end_of(dictionary, code - 1);
    *bytes_out = (size_t)(end_of(dictionary, code) - begin);
    return *bytes_out == 0 ? (const uint8_t *)"" : dictionary->texts.data + begin;
}

uint32_t aimg_dictionary_count(const struct aimg_dictionary *dictionary)
{
    return (uint32_t)(dictionary->ends.bytes / sizeof(uint64_t));
}

/* Where a text is or would be. */
static uint32_t *place_of(const struct aimg_dictionary *dictionary, uint32_t *set, uint64_t size, const void *text, size_t bytes)
{
    uint64_t i = aimg_hash_low(text, bytes, 0) & (size - 1);
    for (; set[i] != 0; i = (i + 1) & (size - 1)) {
        size_t known_bytes;
        const uint8_t *known = aimg_dictionary_text(dictionary, set[i] - 1, &known_bytes);
        if (known_bytes == bytes && (bytes == 0 || memcmp(known, text, bytes) == 0))
            break;
    }
    return &set[i];
}

static bool grow(const struct aimg_allocator *allocator, struct aimg_dictionary *dictionary)
{
    uint64_t size = dictionary->set_size == 0 ? FIRST_SET : dictionary->set_size * 2;
    uint32_t *set = aimg_alloc_array(allocator, size, sizeof *set);
    if (set == NULL)
        return false;
    for (uint32_t code = 0; code < aimg_dictionary_count(dictionary); code++) {
        size_t bytes;
        const uint8_t *text = aimg_dictionary_text(dictionary, code, &bytes);
        *place_of(dictionary, set, size, text, bytes) = code + 1;
    }
    aimg_release(allocator, dictionary->set);
    dictionary->set = set;
    dictionary->set_size = size;
    return true;
}

bool aimg_dictionary_code(const struct aimg_allocator *allocator, struct aimg_dictionary *dictionary, const void *text,
                          size_t bytes, uint32_t *code_out)
{
    uint32_t count = aimg_dictionary_count(dictionary);
    if (2 * ((uint64_t)count + 1) > dictionary->set_size && !grow(allocator, dictionary))
        return false;
    uint32_t *place = place_of(dictionary, dictionary->set, dictionary->set_size, text, bytes);
    if (*place == 0) {
        uint64_t end = dictionary->texts.bytes + bytes;
        if (!aimg_buffer_reserve(allocator, &dictionary->ends, sizeof end) ||
            !aimg_buffer_add(allocator, &dictionary->texts, text, bytes))
            return false;
        (void)aimg_buffer_add(allocator, &dictionary->ends, &end, sizeof end);
        *place = count + 1;
    }
    *code_out = *place - 1;
    return true;
}

bool aimg_dictionary_has_room(const struct aimg_dictionary *dictionary, const void *text, size_t bytes, uint64_t limit)
{
    uint64_t used = (uint64_t)dictionary->texts.bytes + dictionary->ends.bytes;
    uint64_t more = bytes + sizeof(uint64_t);
    if (used <= limit && more <= limit - used)
        return true;
    return dictionary->set_size > 0 && *place_of(dictionary, dictionary->set, dictionary->set_size, text, bytes) != 0;
}

static enum aimg_status load_group(struct aimg_dictionary *dictionary, const struct aimg_reader *reader,
                                   const struct aimg_group *group, const struct aimg_buffer *raw, struct aimg_error *error)
{
    const uint8_t *value = raw->data + (size_t)group->count * 4;
    for (uint32_t i = 0; i < group->count; i++) {
        uint32_t code, expected = aimg_dictionary_count(dictionary);
        uint32_t bytes = aimg_load32(raw->data + (size_t)i * 4);
        if (!aimg_dictionary_has_room(dictionary, value, bytes, reader->source.limits.index_bytes))
            return aimg_fail(error, AIMG_LIMIT, "the values of a dictionary take more than the limit of %" PRIu64 " bytes",
                             reader->source.limits.index_bytes);
        if (!aimg_dictionary_code(&reader->source.allocator, dictionary, value, bytes, &code))
            return aimg_fail_memory(error, bytes);
        if (code != expected)
            return aimg_fail(error, AIMG_CORRUPT, "a dictionary holds the same value twice (rule 68); run verify, then repair");
        value += bytes;
    }
    return AIMG_OK;
}

enum aimg_status aimg_dictionary_load(struct aimg_dictionary *dictionary, const struct aimg_reader *reader, uint32_t column,
                                      struct aimg_error *error)
{
    struct aimg_buffer raw = {NULL, 0, 0};
    enum aimg_status status = AIMG_OK;
    if (dictionary->loaded)
        return AIMG_OK;
    for (uint32_t i = 0; status == AIMG_OK && i < reader->catalog.table_count; i++) {
        struct aimg_table *table = &reader->catalog.tables[i];
        if (table->part.type != AIMG_FRAME_VALUES || table->part.column != column)
            continue;
        const struct aimg_section *section = aimg_table_section(table, AIMG_SECTION_GROUPS, column);
        for (uint64_t index = 0; status == AIMG_OK && index < section->extra; index++) {
            struct aimg_group group;
            status = aimg_group_read(reader, table, section, index, &group, &raw, error);
            if (status == AIMG_OK)
                status = load_group(dictionary, reader, &group, &raw, error);
        }
    }
    aimg_buffer_release(&reader->source.allocator, &raw);
    if (status != AIMG_OK) { /* so that it can be tried again */
        aimg_dictionary_release(&reader->source.allocator, dictionary);
        return status;
    }
    dictionary->committed = aimg_dictionary_count(dictionary);
    dictionary->loaded = true;
    return AIMG_OK;
}

enum aimg_status aimg_dictionary_write(const struct aimg_dictionary *dictionary, uint32_t column, uint32_t first,
                                       struct aimg_out *out, struct aimg_codec_pool *codecs, struct aimg_part *part_out,
                                       bool *zstd_out, struct aimg_error *error)
{
    struct aimg_table_writer table;
    uint32_t count = aimg_dictionary_count(dictionary) - first;
    uint64_t begin = first == 0 ? 0 : end_of(dictionary, first - 1);
    const uint8_t *texts = dictionary->texts.bytes == 0 ? (const uint8_t *)"" : dictionary->texts.data + begin;
    uint32_t *lengths = aimg_alloc_array(&out->allocator, count, sizeof *lengths);
    if (lengths == NULL)
        return aimg_fail_memory(error, (uint64_t)count * sizeof *lengths);
    for (uint32_t i = 0; i < count; i++) {
        size_t bytes;
        (void)aimg_dictionary_text(dictionary, first + i, &bytes);
        lengths[i] = (uint32_t)bytes;
    }
    enum aimg_status status = aimg_table_writer_begin(&table, out, AIMG_FRAME_VALUES, column, first, count, error);
    if (status == AIMG_OK)
        status = aimg_group_writer_section(&table, codecs, AIMG_SECTION_GROUPS, column, lengths, texts, count, zstd_out, error);
    aimg_release(&out->allocator, lengths);
    if (status == AIMG_OK)
        return aimg_table_writer_end(&table, part_out, error);
    aimg_table_writer_abandon(&table);
    return status;
}

void aimg_dictionary_release(const struct aimg_allocator *allocator, struct aimg_dictionary *dictionary)
{
    aimg_buffer_release(allocator, &dictionary->texts);
    aimg_buffer_release(allocator, &dictionary->ends);
    aimg_release(allocator, dictionary->set);
    *dictionary = (struct aimg_dictionary){.set = NULL};
}
