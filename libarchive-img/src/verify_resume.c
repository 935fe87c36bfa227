/* SPDX-License-Identifier: Apache-2.0 */
/* After a frame that cannot be read: what the index knows of the place, and where the next frame begins. */
#include "verify.h"

#include "checksum.h"

#include <stdlib.h>

#define ENTRIES_AT_ONCE (AIMG_VERIFY_WINDOW_BYTES / AIMG_ENTRY_BYTES)

static bool add_known(struct aimg_verify *verify, uint64_t offset, uint32_t ordinal)
{
    struct aimg_verify_known known = {.offset = offset, .ordinal = ordinal};
    if (offset < AIMG_HEAD_BYTES || offset >= verify->end || offset % AIMG_UNIT != 0)
        return true;
    return aimg_buffer_add(&verify->source.allocator, &verify->known, &known, sizeof known);
}

static bool add_entries(struct aimg_verify *verify, const struct aimg_table *table)
{
    const struct aimg_section *entries = aimg_table_section(table, AIMG_SECTION_ENTRIES, 0);
    uint8_t piece[ENTRIES_AT_ONCE * AIMG_ENTRY_BYTES];
    struct aimg_entry_record entry;
    for (uint64_t row = 0; row < entries->count; row += ENTRIES_AT_ONCE) {
        uint64_t left = entries->count - row;
        size_t count = left < ENTRIES_AT_ONCE ? (size_t)left : ENTRIES_AT_ONCE;
        if (verify->io.ops->read_at(&verify->io, table->payload + entries->offset + row * AIMG_ENTRY_BYTES, piece,
                                    count * AIMG_ENTRY_BYTES, NULL) != AIMG_OK)
            return true;
        for (size_t i = 0; i < count; i++) {
            aimg_entry_decode(piece + i * AIMG_ENTRY_BYTES, &entry);
            bool aliased = (entry.flags & AIMG_ENTRY_ALIASED) != 0; /* the frame is another image's */
            if (!aliased && !add_known(verify, entry.frame_offset, table->part.first + (uint32_t)(row + i)))
                return false;
        }
    }
    return true;
}

static bool add_commits(struct aimg_verify *verify)
{
    struct aimg_commit_page commit = verify->located.commit;
    if (verify->located.empty)
        return true;
    for (;;) {
        uint64_t page = commit.self_offset;
        if (!add_known(verify, page, AIMG_NO_ORDINAL) || !add_known(verify, commit.root_offset, AIMG_NO_ORDINAL))
            return false;
        if (commit.prev_offset >= page || commit.prev_offset < AIMG_HEAD_BYTES)
            return true;
        if (aimg_commit_read(&verify->io, &verify->located.header, commit.prev_offset, &commit, NULL) != AIMG_OK)
            return true;
    }
}

static int compare_known(const void *a, const void *b)
{
    const struct aimg_verify_known *x = a, *y = b;
    if (x->offset != y->offset)
        return x->offset < y->offset ? -1 : 1;
    return (x->ordinal > y->ordinal) - (x->ordinal < y->ordinal);
}

/* The offsets of all frames that the last commit designates. */
static bool make_known(struct aimg_verify *verify)
{
    const struct aimg_verify_index *index = &verify->index;
    bool ok = add_commits(verify);
    for (uint32_t i = 0; ok && index->open && i < index->root.part_count; i++) {
        ok = add_known(verify, index->root.parts[i].offset, AIMG_NO_ORDINAL);
        if (ok && index->tables[i].sections != NULL && index->root.parts[i].type == AIMG_FRAME_RUN)
            ok = add_entries(verify, &index->tables[i]);
    }
    for (uint32_t i = 0; ok && index->open && i < index->root.coding_count; i++)
        ok = add_known(verify, index->root.codings[i].offset, AIMG_NO_ORDINAL);
    if (ok && index->open)
        ok = add_known(verify, index->root.head.meta_offset, AIMG_NO_ORDINAL);
    if (ok && verify->known.bytes > 0)
        qsort(verify->known.data, verify->known.bytes / sizeof(struct aimg_verify_known), sizeof(struct aimg_verify_known),
              compare_known);
    return ok;
}

/* First of the known frames at or after offset; count when there is none. */
static size_t find_known(const struct aimg_verify *verify, uint64_t offset)
{
    const struct aimg_verify_known *known = (const void *)verify->known.data;
    size_t low = 0, high = verify->known.bytes / sizeof *known;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (known[middle].offset < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool frame_begins(struct aimg_verify_worker *worker, uint64_t offset)
{
    const struct aimg_verify *verify = worker->verify;
    struct aimg_frame frame;
    if (offset == verify->end)
        return true;
    const uint8_t *bytes = aimg_verify_peek(worker, offset, AIMG_FRAME_BYTES);
    if (bytes == NULL || aimg_frame_decode(bytes, &frame) == 13 || frame.header_units < AIMG_FRAME_BYTES / AIMG_UNIT)
        return false;
    size_t header_bytes = (size_t)frame.header_units * AIMG_UNIT;
    bytes = aimg_verify_peek(worker, offset, header_bytes);
    return bytes != NULL && aimg_frame_checksum(bytes, header_bytes, verify->source.seed) == frame.check;
}

/* End of the frame of an ordinal, as its entry says; 0 when that cannot be. */
static uint64_t entry_end(struct aimg_verify *verify, uint32_t ordinal)
{
    const struct aimg_table *table = aimg_verify_run_of(verify, ordinal);
    uint8_t bytes[AIMG_ENTRY_BYTES];
    struct aimg_entry_record entry;
    if (table == NULL)
        return 0;
    const struct aimg_section *entries = aimg_table_section(table, AIMG_SECTION_ENTRIES, 0);
    uint64_t offset = table->payload + entries->offset + (uint64_t)(ordinal - table->part.first) * AIMG_ENTRY_BYTES;
    if (verify->io.ops->read_at(&verify->io, offset, bytes, sizeof bytes, NULL) != AIMG_OK)
        return 0;
    aimg_entry_decode(bytes, &entry);
    return aimg_entry_data_offset(&entry) + aimg_round_up(entry.stored_bytes, AIMG_UNIT);
}

uint32_t aimg_verify_resume(struct aimg_verify_worker *worker, uint64_t offset, const struct aimg_frame *frame,
                            uint64_t *next_out)
{
    struct aimg_verify *verify = worker->verify;
    uint32_t ordinal = AIMG_NO_ORDINAL;
    if (!verify->knows && !make_known(verify)) {
        aimg_verify_no_memory(verify, verify->known.capacity);
        *next_out = verify->end;
        return ordinal;
    }
    verify->knows = true;
    const struct aimg_verify_known *known = (const void *)verify->known.data;
    size_t count = verify->known.bytes / sizeof *known;
    size_t place = find_known(verify, offset), after = find_known(verify, offset + 1);
    if (place < count && known[place].offset == offset)
        ordinal = known[place].ordinal;
    uint64_t limit = after < count ? known[after].offset : verify->end;
    uint64_t guesses[2] = {0, 0};
    if (frame != NULL && frame->header_units >= AIMG_FRAME_BYTES / AIMG_UNIT)
        guesses[0] = offset + aimg_frame_total_bytes(frame);
    if (ordinal != AIMG_NO_ORDINAL)
        guesses[1] = entry_end(verify, ordinal);
    *next_out = limit;
    for (int i = 0; i < 2; i++) {
        if (guesses[i] > offset && guesses[i] <= limit && guesses[i] % AIMG_UNIT == 0 && frame_begins(worker, guesses[i])) {
            *next_out = guesses[i];
            break;
        }
    }
    return ordinal;
}

bool aimg_verify_is_damaged(const struct aimg_verify *verify, uint64_t offset)
{
    const uint64_t *damaged = (const void *)verify->damaged.data;
    size_t low = 0, high = verify->damaged.bytes / sizeof *damaged;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (damaged[middle] == offset)
            return true;
        if (damaged[middle] < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}
