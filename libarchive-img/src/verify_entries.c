/* SPDX-License-Identifier: Apache-2.0 */
/* Entries against frames: rules 42 to 47, 65, 70, ATTACHED of rule 62, and names that are missing of rule 53. */
#include "verify_read.h"

#include "checksum.h"

#define KNOWN_FLAGS (AIMG_ENTRY_ALIASED | AIMG_ENTRY_ATTACHMENT)

/* The pass over all entries. */
struct pass {
    struct aimg_verify *verify;
    uint64_t listed, dead, live_stored_bytes;
    bool complete; /* every entry was read */
};

/* An entry and where it stands. */
struct row {
    struct aimg_entry_record entry;
    uint64_t offset;
    uint32_t ordinal;
    struct aimg_verify_record *record;
};

static struct aimg_verify_place place_of(const struct row *row)
{
    return aimg_verify_image(row->offset, row->ordinal);
}

static struct aimg_verify_spare *find_spare(const struct aimg_verify *verify, uint64_t offset)
{
    struct aimg_verify_spare *spares = (void *)verify->spares.data;
    size_t low = 0, high = verify->spares.bytes / sizeof *spares;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (spares[middle].offset == offset)
            return &spares[middle];
        if (spares[middle].offset < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* ------------------------------------------------------------------ one entry */

/* Ordinal of the IMAGE frame that the walk saw at offset, or AIMG_NO_ORDINAL. */
static uint32_t image_at(struct aimg_verify *verify, uint64_t offset)
{
    uint8_t header[AIMG_FRAME_BYTES];
    struct aimg_frame frame;
    const struct aimg_verify_spare *spare = find_spare(verify, offset);
    if (spare != NULL)
        return spare->type == AIMG_FRAME_IMAGE ? spare->ordinal : AIMG_NO_ORDINAL;
    if (offset >= verify->end || verify->end - offset < sizeof header ||
        verify->io.ops->read_at(&verify->io, offset, header, sizeof header, NULL) != AIMG_OK ||
        aimg_frame_decode(header, &frame) == 13 || frame.ordinal >= verify->record_count)
        return AIMG_NO_ORDINAL;
    const struct aimg_verify_record *record = &verify->records[frame.ordinal];
    return record->type == AIMG_FRAME_IMAGE && record->offset == offset ? frame.ordinal : AIMG_NO_ORDINAL;
}

static void wrong_frame(struct aimg_verify *verify, const struct row *row)
{
    uint64_t offset = row->entry.frame_offset;
    uint32_t other = image_at(verify, offset);
    if (other != AIMG_NO_ORDINAL)
        aimg_verify_fault(verify, 44, place_of(row),
                          "the entry designates the frame at %" PRIu64 ", which is that of image %" PRIu32, offset, other);
    else if (!aimg_verify_is_damaged(verify, offset))
        aimg_verify_fault(verify, 42, place_of(row), "the entry designates %" PRIu64 ", where no IMAGE frame is", offset);
}

/* Rules 42 and 43 against the frame that the entry designates. */
static void check_fields(struct aimg_verify *verify, const struct row *row, const struct aimg_verify_record *frame)
{
    const struct aimg_entry_record *entry = &row->entry;
    if (entry->header_units != frame->header_units)
        aimg_verify_fault(verify, 42, place_of(row), "header_units of the entry is %u, of the frame at %" PRIu64 " %u",
                          entry->header_units, frame->offset, frame->header_units);
    if (entry->stored_bytes != frame->stored_bytes)
        aimg_verify_fault(verify, 43, place_of(row),
                          "stored_bytes of the entry is %" PRIu64 ", of the frame at %" PRIu64 " %" PRIu64, entry->stored_bytes,
                          frame->offset, frame->stored_bytes);
    if (entry->format != frame->format || entry->coding != frame->coding)
        aimg_verify_fault(verify, 43, place_of(row),
                          "format and coding of the entry are %u and %u, of the frame at %" PRIu64 " %u and %u", entry->format,
                          entry->coding, frame->offset, frame->format, frame->coding);
}

static void check_own(struct aimg_verify *verify, const struct row *row)
{
    struct aimg_verify_record *record = row->record;
    const struct aimg_entry_record *entry = &row->entry;
    if (record->type != AIMG_FRAME_IMAGE || record->offset != entry->frame_offset) {
        struct aimg_verify_spare *spare = find_spare(verify, entry->frame_offset);
        if (spare != NULL && spare->type == AIMG_FRAME_IMAGE && spare->ordinal == row->ordinal)
            spare->claimed = true; /* the other frame of the ordinal breaks rule 45 */
        else
            wrong_frame(verify, row);
        return;
    }
    record->state |= AIMG_VERIFY_CLAIMED;
    check_fields(verify, row, record);
    if (record->payload == AIMG_VERIFY_PAYLOAD_GOOD && memcmp(record->hash, entry->hash, AIMG_HASH_BYTES) != 0)
        aimg_verify_fault(
            verify, 70, place_of(row), "the entry has the hash %016" PRIx64 "%016" PRIx64 ", the image %016" PRIx64 "%016" PRIx64,
            aimg_load64(entry->hash + 8), aimg_load64(entry->hash), aimg_load64(record->hash + 8), aimg_load64(record->hash));
}

/* What is wrong with the target, or NULL. */
static const char *target_fault(const struct aimg_verify *verify, const struct row *row, uint32_t target)
{
    const struct aimg_entry_record *entry = &row->entry;
    if (target >= row->ordinal)
        return "its target is not an earlier image";
    const struct aimg_verify_record *record = &verify->records[target];
    if (record->type == AIMG_FRAME_ALIAS)
        return "its target is an alias itself";
    if (record->type == 0)
        return NULL; /* said of the target */
    if (record->offset != entry->frame_offset || record->header_units != entry->header_units)
        return "the entry designates another frame than that of its target";
    if (record->stored_bytes != entry->stored_bytes || record->format != entry->format || record->coding != entry->coding)
        return "the entry has other sizes, format or coding than its target";
    if ((record->state & AIMG_VERIFY_ENTRY) != 0 && memcmp(record->hash, entry->hash, AIMG_HASH_BYTES) != 0)
        return "the entry has another hash than its target";
    return NULL;
}

static void check_aliased(struct aimg_verify *verify, const struct row *row)
{
    struct aimg_verify_record *record = row->record;
    if (record->type != AIMG_FRAME_ALIAS) {
        if (verify->damaged.bytes == 0 || record->type != 0)
            aimg_verify_fault(verify, 47, place_of(row), "the entry is ALIASED, but there is no ALIAS frame of the image");
        return;
    }
    record->state |= AIMG_VERIFY_CLAIMED;
    uint32_t target = aimg_load32(record->hash);
    const char *fault = record->format != row->entry.format ? "its ALIAS frame has another format than the entry"
                                                            : target_fault(verify, row, target);
    if (fault != NULL)
        aimg_verify_fault(verify, 47, place_of(row), "the image is an alias of image %" PRIu32 ", but %s", target, fault);
}

/* Flags, masks and sums. */
static void check_state(struct pass *pass, const struct row *row)
{
    struct aimg_verify *verify = pass->verify;
    const struct aimg_entry_record *entry = &row->entry;
    bool attached = (entry->flags & AIMG_ENTRY_ATTACHMENT) != 0, dead = (row->record->state & AIMG_VERIFY_DEAD) != 0;
    if ((entry->flags & ~KNOWN_FLAGS) != 0)
        aimg_verify_fault(verify, 42, place_of(row), "the entry has unknown flags: 0x%02x", entry->flags);
    if (attached != ((row->record->state & AIMG_VERIFY_ATTACHED) != 0))
        aimg_verify_fault(verify, 62, place_of(row),
                          attached ? "the entry is that of an attachment, the run's MASK does not say so"
                                   : "the run's MASK says that the image is an attachment, its entry does not");
    if (row->record->type != 0 && !row->record->named && !attached)
        aimg_verify_fault(verify, 53, place_of(row), "the image has no name and is no attachment");
    pass->dead += dead;
    pass->listed += !dead && !attached;
    pass->live_stored_bytes += dead ? 0 : entry->stored_bytes;
}

static void check_entry(struct pass *pass, const struct row *row)
{
    bool aliased = (row->entry.flags & AIMG_ENTRY_ALIASED) != 0;
    if (aliased)
        check_aliased(pass->verify, row);
    else
        check_own(pass->verify, row);
    check_state(pass, row);
    if (aliased)
        return;
    /* From here on the entry counts: aliases and content slots are compared with it. */
    memcpy(row->record->hash, row->entry.hash, AIMG_HASH_BYTES);
    row->record->state |= AIMG_VERIFY_ENTRY;
}

/* ------------------------------------------------------------------ all entries */

static void check_run(struct pass *pass, const struct aimg_table *table)
{
    struct aimg_verify *verify = pass->verify;
    const struct aimg_section *entries = aimg_table_section(table, AIMG_SECTION_ENTRIES, 0);
    struct aimg_verify_stream stream;
    if (!aimg_verify_section_begin(verify, &stream, table, entries))
        return;
    for (uint64_t i = 0; i < entries->count; i++) {
        struct row row = {.offset = table->payload + entries->offset + i * AIMG_ENTRY_BYTES,
                          .ordinal = table->part.first + (uint32_t)i};
        const uint8_t *bytes = aimg_verify_stream_next(&stream, AIMG_ENTRY_BYTES);
        if (bytes == NULL || row.ordinal >= verify->record_count) {
            pass->complete = false;
            break;
        }
        row.record = &verify->records[row.ordinal];
        aimg_entry_decode(bytes, &row.entry);
        check_entry(pass, &row);
    }
    aimg_verify_stream_end(&stream);
}

/* The frames of a run whose entries cannot be read belong to nobody that is known. */
static void excuse_run(struct pass *pass, const struct aimg_table *table)
{
    struct aimg_verify *verify = pass->verify;
    pass->complete = false;
    for (uint64_t i = 0; i < table->part.count && table->part.first + i < verify->record_count; i++)
        verify->records[table->part.first + i].state |= AIMG_VERIFY_CLAIMED;
}

static void unclaimed(struct aimg_verify *verify, unsigned type, uint64_t offset, uint32_t ordinal)
{
    if (type == AIMG_FRAME_IMAGE)
        aimg_verify_fault(verify, 45, aimg_verify_image(offset, ordinal),
                          "the IMAGE frame at %" PRIu64 " is not designated by the entry of its ordinal", offset);
    else
        aimg_verify_fault(verify, 47, aimg_verify_image(offset, ordinal),
                          "the entry of the ALIAS frame at %" PRIu64 " is not ALIASED, or it has a second one", offset);
}

static void check_unclaimed(struct aimg_verify *verify)
{
    const struct aimg_verify_spare *spares = (const void *)verify->spares.data;
    for (uint64_t i = 0; i < verify->record_count; i++) {
        const struct aimg_verify_record *record = &verify->records[i];
        if (record->type != 0 && (record->state & AIMG_VERIFY_CLAIMED) == 0)
            unclaimed(verify, record->type, record->offset, (uint32_t)i);
    }
    for (size_t i = 0; i < verify->spares.bytes / sizeof *spares; i++)
        if (!spares[i].claimed)
            unclaimed(verify, spares[i].type, spares[i].offset, spares[i].ordinal);
}

void aimg_verify_entries(struct aimg_verify *verify)
{
    const struct aimg_verify_root *root = &verify->index.root;
    const struct aimg_root_head *head = &root->head;
    struct pass pass = {.verify = verify, .complete = true};
    for (uint32_t i = 0; i < root->part_count && !aimg_verify_stopped(verify); i++) {
        const struct aimg_table *table = &verify->index.tables[i];
        if (table->part.type != AIMG_FRAME_RUN)
            continue;
        if (table->sections == NULL)
            excuse_run(&pass, table);
        else
            check_run(&pass, table);
    }
    verify->images = pass.listed;
    if (aimg_verify_stopped(verify))
        return;
    check_unclaimed(verify);
    if (pass.complete &&
        (pass.listed != head->listed_count || pass.dead != head->dead_count || pass.live_stored_bytes != head->live_stored_bytes))
        aimg_verify_fault(verify, 65, aimg_verify_at(verify->located.commit.root_offset),
                          "ROOT counts %" PRIu64 " listed, %" PRIu64 " dead, %" PRIu64 " live stored bytes; the entries %" PRIu64
                          ", %" PRIu64 " and %" PRIu64,
                          head->listed_count, head->dead_count, head->live_stored_bytes, pass.listed, pass.dead,
                          pass.live_stored_bytes);
}
