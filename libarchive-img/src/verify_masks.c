/* SPDX-License-Identifier: Apache-2.0 */
/* Masks: rule 62, and which records are dead or attached. */
#include "verify_read.h"

/* One MASK table as it is read. */
struct mask {
    struct aimg_verify *verify;
    const struct aimg_table *table;
    uint64_t dead, attached;
};

static void mask_fault(const struct mask *mask, uint64_t offset, const char *what)
{
    aimg_verify_fault(mask->verify, 62, aimg_verify_at(offset), "the MASK at %" PRIu64 ": %s", mask->table->part.offset, what);
}

/* Sets the state of the rows whose bit is set. */
static void read_bitmap(struct mask *mask, unsigned kind, uint8_t state)
{
    struct aimg_verify *verify = mask->verify;
    const struct aimg_part *part = &mask->table->part;
    const struct aimg_section *section = aimg_table_section(mask->table, kind, 0);
    struct aimg_verify_stream stream;
    if (section == NULL || !aimg_verify_section_begin(verify, &stream, mask->table, section))
        return;
    uint64_t rows = part->count;
    for (uint64_t word = 0; word < section->bytes / 8; word++) {
        const uint8_t *bytes = aimg_verify_stream_next(&stream, 8);
        uint64_t first = word * 64;
        if (bytes == NULL)
            break;
        for (uint64_t bits = aimg_load64(bytes); bits != 0; bits &= bits - 1) {
            uint64_t row = first + (unsigned)__builtin_ctzll(bits);
            if (row >= rows) {
                mask_fault(mask, mask->table->payload + section->offset + word * 8, "a bit past its last row is set");
                break;
            }
            if (part->first + row < verify->record_count)
                verify->records[part->first + row].state |= state;
        }
    }
    aimg_verify_stream_end(&stream);
}

/* RANK against the bits, and the counts. */
static void check_rank(struct mask *mask)
{
    struct aimg_verify *verify = mask->verify;
    const struct aimg_part *part = &mask->table->part;
    const struct aimg_section *section = aimg_table_section(mask->table, AIMG_SECTION_RANK, 0);
    struct aimg_verify_stream stream;
    uint64_t listed = 0;
    if (!aimg_verify_section_begin(verify, &stream, mask->table, section))
        return;
    for (uint64_t row = 0; row < part->count && part->first + row < verify->record_count; row++) {
        uint8_t state = verify->records[part->first + row].state;
        if (row % AIMG_RANK_ROWS == 0) {
            const uint8_t *rank = aimg_verify_stream_next(&stream, 4);
            if (rank == NULL)
                break;
            if (aimg_load32(rank) != listed)
                aimg_verify_fault(verify, 62, aimg_verify_at(mask->table->payload + section->offset + row / AIMG_RANK_ROWS * 4),
                                  "RANK of the MASK at %" PRIu64 " says %" PRIu32 " listed images before row %" PRIu64
                                  ", there are %" PRIu64,
                                  part->offset, aimg_load32(rank), row, listed);
        }
        bool dead = (state & AIMG_VERIFY_DEAD) != 0, attached = (state & AIMG_VERIFY_ATTACHED) != 0;
        mask->dead += dead;
        mask->attached += attached && !dead;
        listed += !dead && !attached;
    }
    aimg_verify_stream_end(&stream);
}

void aimg_verify_masks(struct aimg_verify *verify)
{
    const struct aimg_verify_root *root = &verify->index.root;
    for (uint32_t i = 0; i < root->part_count; i++) {
        struct mask mask = {.verify = verify, .table = &verify->index.tables[i]};
        const struct aimg_part *part = &root->parts[i];
        if (part->type != AIMG_FRAME_MASK || mask.table->sections == NULL)
            continue;
        read_bitmap(&mask, AIMG_SECTION_DEAD, AIMG_VERIFY_DEAD);
        read_bitmap(&mask, AIMG_SECTION_ATTACHED, AIMG_VERIFY_ATTACHED);
        check_rank(&mask);
        if (mask.dead != part->dead || mask.attached != part->attached)
            aimg_verify_fault(verify, 62, aimg_verify_at(part->offset),
                              "ROOT says that the MASK at %" PRIu64 " has %" PRIu32 " dead rows and %" PRIu32
                              " attachments, it has %" PRIu64 " and %" PRIu64,
                              part->offset, part->dead, part->attached, mask.dead, mask.attached);
    }
}
