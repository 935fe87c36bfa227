/* SPDX-License-Identifier: Apache-2.0 */
/* Runs: their tables, entries, masks, and names, which stand in groups. */
#include "harness.h"

#include "reader.h"

const uint32_t fuzz_focus = 1u << AIMG_FRAME_RUN | 1u << AIMG_FRAME_MASK | 1u << AIMG_FRAME_ROOT;

enum { MOST = 40 };

static void read_rows(const struct aimg_reader *reader)
{
    struct aimg_entry entry;
    uint64_t position, count = aimg_reader_ordinal_count(reader);
    uint32_t ordinal, back;
    for (unsigned i = 0; i < 24; i++) {
        ordinal = fuzz_ordinal(count, i);
        enum aimg_status status = aimg_reader_entry(reader, ordinal, &entry, NULL);
        allowed(status);
        require(status != AIMG_OK || (ordinal < count && entry.ordinal == ordinal));
        status = aimg_reader_position_of(reader, ordinal, &position, NULL);
        allowed(status);
        if (status == AIMG_OK)
            require(aimg_reader_ordinal_at(reader, position, &back, NULL) == AIMG_OK && back == ordinal);
        allowed(aimg_reader_ordinal_at(reader, i < 12 ? i : aimg_reader_count(reader) - (i - 12), &back, NULL));
    }
}

static void read_names(const struct aimg_reader *reader, uint64_t from)
{
    struct aimg_names *names = NULL;
    struct aimg_listed listed;
    char name[1025];
    size_t size;
    enum aimg_status status = aimg_names_create(reader, from, &names, NULL);
    allowed(status);
    if (status != AIMG_OK)
        return;
    for (unsigned i = 0; i < MOST && (status = aimg_names_next(names, &listed, NULL)) == AIMG_OK; i++) {
        require(listed.position == from + i && strlen(listed.name) == listed.name_bytes);
        require(aimg_name_check(listed.name, listed.name_bytes, NULL) == AIMG_OK);
        allowed(aimg_reader_name(reader, listed.ordinal, name, sizeof name, &size, NULL));
    }
    allowed(status == AIMG_END ? AIMG_OK : status);
    aimg_names_destroy(names);
}

/* Each group, and each row looked up in its group. */
static void read_groups(const struct aimg_reader *reader, const struct aimg_run *run)
{
    const struct aimg_section *section = aimg_table_section(run->table, AIMG_SECTION_NAME_TEXT, 0);
    struct aimg_buffer raw = {.data = NULL};
    struct aimg_group group;
    uint8_t value[64];
    size_t size;
    if (section == NULL)
        return;
    allowed(aimg_group_verify_records(reader, run->table, section, NULL));
    for (uint64_t i = 0; i < section->extra && i < 4; i++) {
        enum aimg_status status = aimg_group_read(reader, run->table, section, i, &group, &raw, NULL);
        allowed(status);
        if (status != AIMG_OK)
            continue;
        for (uint32_t row = group.first; row < group.first + group.count && row < group.first + 16; row++) {
            const uint8_t *text;
            uint32_t bytes;
            aimg_group_value(raw.data, &group, row, &text, &bytes);
            touch(text, bytes);
        }
    }
    for (unsigned i = 0; i < 8; i++)
        allowed(aimg_group_copy(reader, run->table, section, fuzz_ordinal(run->count, i * 3), value, sizeof value, &size, NULL));
    aimg_buffer_release(&reader->source.allocator, &raw);
}

static void read_all(const struct aimg_reader *reader)
{
    read_rows(reader);
    read_names(reader, 0);
    read_names(reader, aimg_reader_count(reader) / 2);
    for (uint32_t i = 0; i < reader->catalog.run_count && i < 4; i++)
        read_groups(reader, &reader->catalog.runs[i]);
}

/* As of now; where the end is missing, what is left; and as of the first commit, where there are later ones. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    (void)fuzz_script(data, bytes, &bytes);
    struct aimg_reader *reader = fuzz_open(data, bytes, 0, 0), *first = NULL;
    if (reader == NULL)
        reader = fuzz_open(data, bytes, AIMG_READER_ALLOW_TRUNCATED, 0);
    if (reader == NULL)
        return 0;
    read_all(reader);
    if (!reader->located.empty && reader->located.commit.seq > 0)
        first = fuzz_open(data, bytes, AIMG_READER_AT, 0);
    if (first != NULL)
        read_all(first);
    aimg_reader_close(first);
    aimg_reader_close(reader);
    return 0;
}
