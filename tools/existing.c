/* SPDX-License-Identifier: Apache-2.0 */
#include "existing.h"

#include "cmd.h"
#include "little.h"
#include "output.h"

#include <stdlib.h>
#include <string.h>

int existing_begin(struct existing *existing, struct aimg_writer *writer, enum existing_policy policy)
{
    *existing = (struct existing){.writer = writer, .policy = policy};
    uint64_t count = aimg_reader_ordinal_count(aimg_writer_base(writer));
    existing->first_new = (uint32_t)count;
    existing_refresh(existing);
    if (policy == EXISTING_REFUSE || count == 0)
        return EXIT_DONE;
    existing->seen = calloc((size_t)(count / 8 + 1), 1);
    if (existing->seen == NULL) {
        output_error("out of memory");
        return EXIT_SYSTEM;
    }
    return EXIT_DONE;
}

void existing_refresh(struct existing *existing)
{
    struct aimg_column column;
    existing->has_times = aimg_reader_column_find(aimg_writer_base(existing->writer), "mtime_ns", &column, NULL) == AIMG_OK &&
                          column.type == AIMG_TYPE_I64 && column.width == 1 && column.list == 0;
    existing->times_index = existing->has_times ? column.index : 0;
}

void existing_end(struct existing *existing)
{
    free(existing->seen);
    existing->seen = NULL;
}

/* LEAVE: an image that was there has the name; *ordinal_out and *entry_out are its. */
static enum existing_answer find(const struct existing *existing, const struct input *input, uint32_t *ordinal_out,
                                 struct aimg_entry *entry_out, struct aimg_error *error)
{
    enum aimg_status status = aimg_writer_find(existing->writer, input->name, input->name_bytes, ordinal_out, error);
    if (status == AIMG_NOT_FOUND)
        return EXISTING_NEW;
    if (status != AIMG_OK)
        return EXISTING_TROUBLE;
    if (*ordinal_out >= existing->first_new)
        return EXISTING_TWICE;
    if (aimg_reader_entry(aimg_writer_base(existing->writer), *ordinal_out, entry_out, error) != AIMG_OK)
        return EXISTING_TROUBLE;
    return entry_out->attachment ? EXISTING_OTHER : EXISTING_LEAVE;
}

/* What the archive says of an image, when it kept the time: then the file need not be read to be known as the same. */
static enum existing_answer get_known(const struct existing *existing, uint32_t ordinal, const struct aimg_entry *entry,
                                      struct load_item *known, struct aimg_error *error)
{
    const struct aimg_reader *base = aimg_writer_base(existing->writer);
    uint8_t mtime_ns[8];
    size_t bytes = 0;
    int null = 1;
    if (!existing->has_times)
        return EXISTING_NEW;
    if (aimg_reader_value(base, existing->times_index, ordinal, mtime_ns, sizeof mtime_ns, &bytes, &null, error) != AIMG_OK)
        return EXISTING_TROUBLE;
    known->known = null == 0 && bytes == sizeof mtime_ns;
    known->known_bytes = entry->raw_bytes;
    if (known->known)
        known->known_mtime_ns = (int64_t)little_number(mtime_ns, bytes);
    return EXISTING_NEW;
}

enum existing_answer existing_before(const struct existing *existing, const struct input *input, struct load_item *known,
                                     struct aimg_error *error)
{
    known->known = false;
    if (existing->policy != EXISTING_SKIP && existing->policy != EXISTING_UPDATE)
        return EXISTING_NEW;
    uint32_t ordinal;
    struct aimg_entry entry;
    enum existing_answer answer = find(existing, input, &ordinal, &entry, error);
    if (answer == EXISTING_OTHER) /* no matter, if the file turns out to be no picture */
        return EXISTING_NEW;
    if (answer != EXISTING_LEAVE)
        return answer;
    return existing->policy == EXISTING_SKIP ? EXISTING_LEAVE : get_known(existing, ordinal, &entry, known, error);
}

/* Two inputs of one name are a mistake, whatever shall be done with names that are there. */
static bool see(struct existing *existing, uint32_t ordinal)
{
    uint8_t bit = (uint8_t)(1 << (ordinal & 7));
    bool before = (existing->seen[ordinal / 8] & bit) != 0;
    existing->seen[ordinal / 8] |= bit;
    return before;
}

enum existing_answer existing_decide(struct existing *existing, const struct load_item *item, struct aimg_error *error)
{
    if (existing->policy == EXISTING_REFUSE)
        return EXISTING_NEW;
    uint32_t ordinal;
    struct aimg_entry entry;
    enum existing_answer answer = find(existing, &item->input, &ordinal, &entry, error);
    if (answer != EXISTING_LEAVE)
        return answer;
    if (see(existing, ordinal))
        return EXISTING_TWICE;
    if (existing->policy == EXISTING_REPLACE || (item->known && item->result != LOAD_SAME))
        return EXISTING_CHANGE;
    if (existing->policy == EXISTING_SKIP || item->result == LOAD_SAME)
        return EXISTING_LEAVE;
    bool same = entry.raw_bytes == item->bytes && memcmp(entry.hash, item->prepared.hash, sizeof entry.hash) == 0;
    return same ? EXISTING_LEAVE : EXISTING_CHANGE;
}
