/* SPDX-License-Identifier: Apache-2.0 */
/* Names: rules 53 and 55, and the name of one image for a finding. */
#include "verify_read.h"

#include "checksum.h"
#include "name.h"

static const char *const name_faults[] = {
    [AIMG_NAME_EMPTY] = "it is empty",
    [AIMG_NAME_TOO_LONG] = "it is longer than 1,024 bytes",
    [AIMG_NAME_NOT_UTF8] = "it is not valid UTF-8",
    [AIMG_NAME_CONTROL] = "it has a control character",
    [AIMG_NAME_BACKSLASH] = "it has a backslash",
    [AIMG_NAME_SLASH] = "it begins or ends with a slash or has two in a row",
    [AIMG_NAME_DOTS] = "it has '.' or '..' as a component",
    [AIMG_NAME_COMPONENT] = "it has a component longer than 255 bytes",
};

static void check_name(struct aimg_verify *verify, uint32_t ordinal, const uint8_t *name, uint32_t bytes)
{
    const struct aimg_verify_record *record = &verify->records[ordinal];
    struct aimg_verify_place place = {.offset = record->offset, .ordinal = ordinal, .name = name, .name_bytes = bytes};
    size_t position;
    enum aimg_name_fault fault =
        bytes == 0 ? AIMG_NAME_OK : aimg_name_fault(name, bytes, &position); /* no name: said of the entry */
    if (fault != AIMG_NAME_OK)
        aimg_verify_fault(verify, 53, place, "the name cannot be: %s, at byte %zu", name_faults[fault], position);
    if (record->type == 0 || record->name_hash == aimg_hash_low(name, bytes, verify->located.header.params.name_seed))
        return;
    place.name = NULL; /* that of the frame */
    aimg_verify_fault(verify, 55, place, "the index has another name for the image than its frame at %" PRIu64, record->offset);
}

static void check_run(struct aimg_verify *verify, const struct aimg_table *table)
{
    struct aimg_verify_groups groups;
    const uint8_t *name;
    uint32_t bytes;
    aimg_verify_groups_begin(verify, &groups, table, aimg_table_section(table, AIMG_SECTION_NAME_TEXT, 0));
    for (uint64_t ordinal = table->part.first; aimg_verify_groups_next(&groups, &name, &bytes) && ordinal < verify->record_count;
         ordinal++)
        check_name(verify, (uint32_t)ordinal, name, bytes);
    aimg_verify_groups_end(&groups);
}

void aimg_verify_names(struct aimg_verify *verify)
{
    const struct aimg_verify_root *root = &verify->index.root;
    for (uint32_t i = 0; i < root->part_count && !aimg_verify_stopped(verify); i++)
        if (root->parts[i].type == AIMG_FRAME_RUN && verify->index.tables[i].sections != NULL)
            check_run(verify, &verify->index.tables[i]);
}

/* ------------------------------------------------------------------ one name */

static size_t name_in_frame(struct aimg_verify *verify, uint32_t ordinal, uint8_t name[AIMG_NAME_MAX])
{
    uint8_t header[AIMG_FRAME_BYTES];
    struct aimg_frame frame;
    uint64_t offset = verify->records[ordinal].offset;
    if (verify->io.ops->read_at(&verify->io, offset, header, sizeof header, NULL) != AIMG_OK ||
        aimg_frame_decode(header, &frame) == 13)
        return 0;
    size_t bytes = frame.name_bytes < AIMG_NAME_MAX ? frame.name_bytes : AIMG_NAME_MAX;
    return verify->io.ops->read_at(&verify->io, offset + AIMG_FRAME_BYTES, name, bytes, NULL) == AIMG_OK ? bytes : 0;
}

/* Findings of one kind come in rows: the group of the last name is at hand for the next. */
static struct aimg_verify_groups *named_groups(struct aimg_verify *verify, const struct aimg_table *table)
{
    if (verify->named == NULL)
        verify->named = aimg_alloc_array(&verify->source.allocator, 1, sizeof *verify->named);
    if (verify->named == NULL) {
        aimg_verify_no_memory(verify, sizeof *verify->named);
        return NULL;
    }
    struct aimg_verify_groups *groups = verify->named;
    if (groups->table == table)
        return groups;
    if (groups->table != NULL)
        aimg_verify_groups_end(groups);
    aimg_verify_groups_begin(verify, groups, table, aimg_table_section(table, AIMG_SECTION_NAME_TEXT, 0));
    groups->silent = true;
    return groups;
}

static size_t name_in_index(struct aimg_verify *verify, const struct aimg_table *table, uint32_t row, uint8_t name[AIMG_NAME_MAX])
{
    const uint8_t *value;
    uint32_t bytes = 0;
    pthread_mutex_lock(&verify->report.lock);
    struct aimg_verify_groups *groups = named_groups(verify, table);
    bool found = groups != NULL && aimg_verify_groups_seek(groups, row, &value, &bytes);
    bytes = bytes < AIMG_NAME_MAX ? bytes : AIMG_NAME_MAX;
    if (found)
        memcpy(name, value, bytes);
    pthread_mutex_unlock(&verify->report.lock);
    return found ? bytes : 0;
}

void aimg_verify_names_end(struct aimg_verify *verify)
{
    if (verify->named != NULL)
        aimg_verify_groups_end(verify->named);
    aimg_release(&verify->source.allocator, verify->named);
    verify->named = NULL;
}

size_t aimg_verify_name_of(struct aimg_verify *verify, uint32_t ordinal, uint8_t name[AIMG_NAME_MAX])
{
    if (ordinal < verify->record_count && verify->records[ordinal].type != 0)
        return name_in_frame(verify, ordinal, name);
    const struct aimg_table *table = aimg_verify_run_of(verify, ordinal);
    return table == NULL ? 0 : name_in_index(verify, table, ordinal - table->part.first, name);
}
