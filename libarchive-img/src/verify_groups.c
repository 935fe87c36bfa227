/* SPDX-License-Identifier: Apache-2.0 */
/* Groups of values, in order: rules 39 and 49. */
#include "verify_read.h"

/* No sane frame of 2^25 bytes is longer; memory is not given to others. */
#define STORED_MAX_BYTES (2 * (size_t)AIMG_GROUP_MAX_BYTES)

static void group_fault(struct aimg_verify_groups *groups, unsigned rule, const char *what)
{
    uint64_t offset = groups->table->payload + groups->section->offset;
    groups->failed = true;
    if (!groups->silent)
        aimg_verify_fault(groups->verify, rule, aimg_verify_at(offset), "group %" PRIu64 " of the values at %" PRIu64 ": %s",
                          groups->index, offset, what);
}

void aimg_verify_groups_begin(struct aimg_verify *verify, struct aimg_verify_groups *groups, const struct aimg_table *table,
                              const struct aimg_section *section)
{
    *groups = (struct aimg_verify_groups){.verify = verify, .table = table, .section = section};
}

void aimg_verify_groups_end(struct aimg_verify_groups *groups)
{
    aimg_buffer_release(&groups->verify->source.allocator, &groups->raw);
    aimg_buffer_release(&groups->verify->source.allocator, &groups->stored);
}

static bool read_record(struct aimg_verify_groups *groups)
{
    struct aimg_verify *verify = groups->verify;
    const struct aimg_section *section = groups->section;
    uint8_t records[2 * AIMG_GROUP_RECORD_BYTES];
    uint64_t from = groups->index == 0 ? 0 : groups->index - 1;
    size_t bytes = (size_t)(groups->index - from + 1) * AIMG_GROUP_RECORD_BYTES;
    uint64_t offset =
        groups->table->payload + section->offset + section->bytes - (section->extra - from) * AIMG_GROUP_RECORD_BYTES;
    if (verify->io.ops->read_at(&verify->io, offset, records, bytes, NULL) != AIMG_OK) {
        group_fault(groups, 39, "its record cannot be read");
        return false;
    }
    unsigned rule = aimg_group_decode(records + bytes - AIMG_GROUP_RECORD_BYTES, groups->index == 0 ? NULL : records, section,
                                      groups->index, &groups->group);
    if (rule != 0)
        group_fault(groups, rule, "its record is malformed");
    return rule == 0;
}

/* Reads the stored bytes into place: raw when they are the raw form. */
static bool read_stored(struct aimg_verify_groups *groups, struct aimg_buffer *out)
{
    struct aimg_verify *verify = groups->verify;
    const struct aimg_group *group = &groups->group;
    size_t bytes = (size_t)(group->end - group->begin); /* inside the section: aimg_group_decode */
    out->bytes = 0;
    if (bytes > STORED_MAX_BYTES) {
        group_fault(groups, 39, "its stored form is larger than that of the largest group");
        return false;
    }
    if (!aimg_buffer_reserve(&verify->source.allocator, out, bytes)) {
        aimg_verify_no_memory(verify, bytes);
        groups->failed = true;
        return false;
    }
    if (verify->io.ops->read_at(&verify->io, groups->table->payload + groups->section->offset + group->begin, out->data, bytes,
                                NULL) == AIMG_OK)
        return true;
    group_fault(groups, 39, "its bytes cannot be read");
    return false;
}

static bool decode_stored(struct aimg_verify_groups *groups)
{
    struct aimg_verify *verify = groups->verify;
    const struct aimg_group *group = &groups->group;
    uint64_t offset = groups->table->payload + groups->section->offset + group->begin;
    struct aimg_error error;
    groups->raw.bytes = 0;
    if (!aimg_buffer_reserve(&verify->source.allocator, &groups->raw, group->raw_bytes)) {
        aimg_verify_no_memory(verify, group->raw_bytes);
        groups->failed = true;
        return false;
    }
    if (aimg_codec_decode(&verify->codecs, NULL, groups->stored.data, (size_t)(group->end - group->begin), groups->raw.data,
                          group->raw_bytes, offset, &error) == AIMG_OK)
        return true;
    if (error.status == AIMG_CORRUPT)
        group_fault(groups, 49, error.message);
    else
        aimg_verify_stop(verify, &error);
    groups->failed = true;
    return false;
}

static bool read_group(struct aimg_verify_groups *groups)
{
    bool coded = groups->section->codec != AIMG_CODEC_NONE;
    if (!read_record(groups) || !read_stored(groups, coded ? &groups->stored : &groups->raw) || (coded && !decode_stored(groups)))
        return false;
    if (aimg_group_check_raw(groups->raw.data, &groups->group) != 0) {
        group_fault(groups, 39, "the lengths of its values do not add up to its size");
        return false;
    }
    groups->value = groups->raw.data + (size_t)groups->group.count * 4;
    groups->next = 0;
    groups->raw_bytes += groups->group.raw_bytes;
    groups->index++;
    return true;
}

bool aimg_verify_groups_next(struct aimg_verify_groups *groups, const uint8_t **value_out, uint32_t *bytes_out)
{
    if (groups->failed || aimg_verify_stopped(groups->verify))
        return false;
    if (groups->index == 0 || groups->next == groups->group.count) {
        if (groups->index == groups->section->extra) {
            if (groups->raw_bytes != groups->section->raw_bytes)
                group_fault(groups, 39, "raw_bytes of the section is not the sum of its groups");
            return false;
        }
        if (!read_group(groups))
            return false;
    }
    *bytes_out = aimg_load32(groups->raw.data + (size_t)groups->next * 4);
    *value_out = groups->value;
    groups->value += *bytes_out;
    groups->next++;
    if (*bytes_out > AIMG_VALUE_MAX_BYTES)
        group_fault(groups, 39, "a value has more than 2^24 bytes");
    return !groups->failed;
}

/* Of a group that is looked into for one value, again and again; a writer makes none that is larger. */
#define SOUGHT_MAX_BYTES (4 * (uint64_t)AIMG_GROUP_TARGET_BYTES)

static bool is_small(const struct aimg_group *group)
{
    return group->raw_bytes <= SOUGHT_MAX_BYTES && group->end - group->begin <= SOUGHT_MAX_BYTES;
}

/* The first group whose values end behind the row, as far as the records are in order. */
static bool find_group(struct aimg_verify_groups *groups, uint32_t row)
{
    uint64_t low = 0, high = groups->section->extra;
    while (low < high) {
        groups->index = low + (high - low) / 2;
        if (!read_record(groups))
            return false;
        if (groups->group.first + (uint64_t)groups->group.count <= row)
            low = groups->index + 1;
        else
            high = groups->index;
    }
    groups->index = low;
    return low < groups->section->extra && read_record(groups) && is_small(&groups->group);
}

static bool has_row(const struct aimg_verify_groups *groups, uint32_t row)
{
    return row >= groups->group.first && row - groups->group.first < groups->group.count;
}

bool aimg_verify_groups_seek(struct aimg_verify_groups *groups, uint32_t row, const uint8_t **value_out, uint32_t *bytes_out)
{
    bool there = !groups->failed && groups->index > 0 && has_row(groups, row);
    groups->failed = false;
    if (!there)
        there = find_group(groups, row) && read_group(groups) && has_row(groups, row);
    groups->failed = !there; /* or what is in the buffers would be taken for the group */
    if (!there)
        return false;
    groups->value = groups->raw.data + (size_t)groups->group.count * 4;
    for (groups->next = 0; groups->next < row - groups->group.first; groups->next++)
        groups->value += aimg_load32(groups->raw.data + (size_t)groups->next * 4);
    *value_out = groups->value;
    *bytes_out = aimg_load32(groups->raw.data + (size_t)groups->next * 4);
    return true;
}
