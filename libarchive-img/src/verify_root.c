/* SPDX-License-Identifier: Apache-2.0 */
/* ROOT: rules 30 to 32, 37, 51 and 60 as far as it tells by itself. */
#include "verify.h"

#include "checksum.h"
#include "column.h"

/* The largest ROOT there can be. */
#define ROOT_MAX_BYTES                                                  \
    (AIMG_ROOT_HEAD_BYTES + (uint64_t)AIMG_PART_MAX * AIMG_PART_BYTES + \
     (uint64_t)AIMG_COLUMN_MAX * (AIMG_COLUMN_RECORD_BYTES + 256) + (uint64_t)AIMG_CODING_MAX * AIMG_CODING_RECORD_BYTES)

static void root_fault(struct aimg_verify *verify, const struct aimg_commit_page *commit, unsigned rule, const char *what)
{
    aimg_verify_fault(verify, rule, aimg_verify_at(commit->root_offset), "ROOT of commit %" PRIu64 ": %s", commit->seq, what);
}

/* Rule 31: its bytes, when they can be. */
static bool read_bytes(struct aimg_verify *verify, const struct aimg_commit_page *commit, struct aimg_verify_root *root)
{
    uint64_t payload = commit->root_offset + AIMG_FRAME_BYTES;
    struct aimg_error error;
    if (commit->root_offset < AIMG_HEAD_BYTES || commit->root_offset % AIMG_UNIT != 0 ||
        commit->root_offset >= commit->self_offset || payload > commit->self_offset ||
        commit->root_bytes > commit->self_offset - payload || commit->root_bytes < AIMG_ROOT_HEAD_BYTES) {
        aimg_verify_fault(verify, 31, aimg_verify_at(commit->self_offset),
                          "commit %" PRIu64 " names a ROOT of %" PRIu64 " bytes at %" PRIu64
                          ", which is not between the head and the commit",
                          commit->seq, commit->root_bytes, commit->root_offset);
        return false;
    }
    if (commit->root_bytes > ROOT_MAX_BYTES) {
        root_fault(verify, commit, 37, "it is larger than the largest that there can be");
        return false;
    }
    root->bytes = aimg_alloc_array(&verify->source.allocator, commit->root_bytes, 1);
    if (root->bytes == NULL) {
        aimg_verify_no_memory(verify, commit->root_bytes);
        return false;
    }
    if (verify->io.ops->read_at(&verify->io, payload, root->bytes, (size_t)commit->root_bytes, &error) != AIMG_OK) {
        root_fault(verify, commit, 31, error.message);
        return false;
    }
    if (aimg_hash_equals(commit->root_hash, aimg_hash(root->bytes, (size_t)commit->root_bytes)))
        return true;
    root_fault(verify, commit, 31, "its bytes are not those that the commit names by root_hash");
    return false;
}

static bool check_head(struct aimg_verify *verify, const struct aimg_commit_page *commit, struct aimg_verify_root *root)
{
    struct aimg_root_head *head = &root->head;
    unsigned rule = aimg_root_head_decode(root->bytes, head);
    if (rule == 69)
        root_fault(verify, commit, 69, "META has more than 16 MiB, or its size and hash stand without its offset");
    else if (rule == 65)
        root_fault(verify, commit, 65, "it counts more dead and listed images than ordinals");
    else if (rule != 0) {
        root_fault(verify, commit, rule, "its magic, a count, or bytes that must be zero are wrong");
        return false;
    }
    if (head->ordinal_count != commit->ordinal_count || head->listed_count != commit->listed_count)
        aimg_verify_fault(verify, 30, aimg_verify_at(commit->self_offset),
                          "commit %" PRIu64 " counts %" PRIu64 " ordinals and %" PRIu64 " listed images, its ROOT %" PRIu64
                          " and %" PRIu64,
                          commit->seq, commit->ordinal_count, commit->listed_count, head->ordinal_count, head->listed_count);
    uint64_t least = (uint64_t)head->part_count * AIMG_PART_BYTES + (uint64_t)head->column_count * AIMG_COLUMN_RECORD_BYTES +
                     (uint64_t)head->coding_count * AIMG_CODING_RECORD_BYTES;
    if (least <= commit->root_bytes - AIMG_ROOT_HEAD_BYTES)
        return true;
    root_fault(verify, commit, 37, "it is shorter than its counts say");
    return false;
}

static bool allocate(struct aimg_verify *verify, struct aimg_verify_root *root)
{
    const struct aimg_allocator *allocator = &verify->source.allocator;
    root->parts = aimg_alloc_array(allocator, root->head.part_count, sizeof *root->parts);
    root->columns = aimg_alloc_array(allocator, root->head.column_count, sizeof *root->columns);
    root->codings = aimg_alloc_array(allocator, root->head.coding_count, sizeof *root->codings);
    if (root->parts != NULL && root->columns != NULL && root->codings != NULL)
        return true;
    aimg_verify_no_memory(verify, root->head.part_count * sizeof *root->parts);
    return false;
}

/* A MASK part whose counts cannot be is a part all the same. */
static unsigned decode_part(struct aimg_verify *verify, const struct aimg_commit_page *commit, const uint8_t *record,
                            struct aimg_part *part)
{
    uint8_t copy[AIMG_PART_BYTES];
    unsigned rule = aimg_part_decode(record, commit->root_offset, part);
    if (rule != 62)
        return rule;
    root_fault(verify, commit, 62, "a MASK part has more dead rows and attachments than rows");
    memcpy(copy, record, sizeof copy);
    memset(copy + 48, 0, 8);
    return aimg_part_decode(copy, commit->root_offset, part);
}

/* Why the part after those that are kept is not kept itself, or NULL. The parts that are kept ascend, and together have no more
 * bytes than lie before ROOT: so the work on all of them is linear in the file, whatever ROOT says. */
static const char *refused(const struct aimg_verify_root *root, uint64_t room, unsigned *rule_out)
{
    const struct aimg_part *part = &root->parts[root->part_count];
    if (root->part_count > 0 && aimg_part_compare(part, part - 1) <= 0) {
        *rule_out = 37;
        return "is not in order, or stands twice";
    }
    if (part->bytes > room) {
        *rule_out = 41;
        return "lies over others: the parts up to it have more bytes than there are before ROOT";
    }
    return NULL;
}

static void read_parts(struct aimg_verify *verify, const struct aimg_commit_page *commit, struct aimg_verify_root *root)
{
    const uint8_t *record = root->bytes + AIMG_ROOT_HEAD_BYTES;
    uint32_t counts[AIMG_FRAME_COMMIT + 1] = {0};
    uint64_t room = commit->root_offset - AIMG_HEAD_BYTES;
    for (uint32_t i = 0; i < root->head.part_count; i++, record += AIMG_PART_BYTES) {
        struct aimg_part *part = &root->parts[root->part_count];
        unsigned rule = decode_part(verify, commit, record, part);
        const char *what = rule == 0    ? refused(root, room, &rule)
                           : rule == 41 ? "designates no table of the file"
                                        : "is malformed";
        if (rule == 0) {
            root->part_count++;
            counts[part->type]++;
            room -= part->bytes;
        } else {
            aimg_verify_fault(verify, rule, aimg_verify_at(commit->root_offset),
                              "ROOT of commit %" PRIu64 ": part %" PRIu32 " (type %u, %" PRIu64 " bytes at %" PRIu64 ") %s",
                              commit->seq, i, part->type, part->bytes, part->offset, what);
        }
    }
    if (counts[AIMG_FRAME_RUN] > AIMG_RUN_MAX || counts[AIMG_FRAME_NAMES] > AIMG_NAME_RUN_MAX ||
        counts[AIMG_FRAME_CONTENT] > AIMG_NAME_RUN_MAX)
        root_fault(verify, commit, 37, "it has more RUN, NAMES or CONTENT parts than there can be");
}

static bool name_is(const struct aimg_catalog_column *column, const char *name, size_t bytes)
{
    return column->record.name_bytes == bytes && memcmp(column->name, name, bytes) == 0;
}

static bool name_is_new(const struct aimg_verify_root *root, const struct aimg_catalog_column *column)
{
    for (uint32_t i = 0; i < root->column_count; i++)
        if (name_is(column, root->columns[i].name, root->columns[i].record.name_bytes))
            return false;
    return true;
}

/* Where the codings begin, or NULL. */
static const uint8_t *read_columns(struct aimg_verify *verify, const struct aimg_commit_page *commit,
                                   struct aimg_verify_root *root)
{
    const uint8_t *in = root->bytes + AIMG_ROOT_HEAD_BYTES + (size_t)root->head.part_count * AIMG_PART_BYTES;
    const uint8_t *end = root->bytes + commit->root_bytes;
    uint32_t last_id = 0;
    for (uint32_t i = 0; i < root->head.column_count; i++) {
        struct aimg_catalog_column *column = &root->columns[root->column_count];
        const uint8_t *name = NULL;
        unsigned rule = aimg_column_record_decode(in, (size_t)(end - in), &column->record, &name);
        size_t total = aimg_column_record_total(column->record.name_bytes);
        if ((size_t)(end - in) < AIMG_COLUMN_RECORD_BYTES || (size_t)(end - in) < total) {
            root_fault(verify, commit, 37, "it ends within the columns");
            return NULL;
        }
        column->name = (const char *)in + AIMG_COLUMN_RECORD_BYTES;
        if (rule != 0)
            aimg_verify_fault(verify, rule, aimg_verify_at(commit->root_offset),
                              "ROOT of commit %" PRIu64 ": column %" PRIu32 " has a bad %s", commit->seq, column->record.id,
                              name == NULL ? "name" : "id, type, flag, width or dictionary_count");
        else if (column->record.id <= last_id)
            root_fault(verify, commit, 60, "the columns are not in ascending order of id");
        else if (!name_is_new(root, column))
            root_fault(verify, commit, 60, "the name of a column stands twice");
        else {
            last_id = column->record.id; /* those that are kept ascend: they are found by halving */
            root->column_count++;
        }
        in += total;
    }
    return in;
}

static void read_codings(struct aimg_verify *verify, const struct aimg_commit_page *commit, struct aimg_verify_root *root,
                         const uint8_t *in)
{
    size_t left = (size_t)(root->bytes + commit->root_bytes - in);
    size_t needed = (size_t)root->head.coding_count * AIMG_CODING_RECORD_BYTES;
    if (left != needed)
        root_fault(verify, commit, 37, "its records do not fill it");
    unsigned last = 0;
    for (uint32_t i = 0; i < root->head.coding_count && left >= needed; i++, in += AIMG_CODING_RECORD_BYTES) {
        struct aimg_coding_record *coding = &root->codings[root->coding_count];
        unsigned rule = aimg_coding_record_decode(in, commit->self_offset + AIMG_PAGE_BYTES, coding);
        if (rule == 0 && coding->coding <= last)
            rule = 51;
        if (rule == 0)
            root->coding_count++;
        else
            root_fault(verify, commit, rule, "a coding is malformed, designates no frame of the file, or is not in order");
        last = coding->coding;
    }
}

/* Rule 69 as far as ROOT tells; whether it is a META frame is seen after the walk. */
static void check_meta_place(struct aimg_verify *verify, const struct aimg_commit_page *commit, const struct aimg_root_head *head)
{
    uint64_t end = commit->self_offset + AIMG_PAGE_BYTES;
    bool outside = head->meta_offset < AIMG_HEAD_BYTES || head->meta_offset > end - AIMG_FRAME_BYTES ||
                   head->meta_bytes > end - AIMG_FRAME_BYTES - head->meta_offset;
    if (head->meta_offset != 0 && outside)
        root_fault(verify, commit, 69, "META lies outside of the archive");
}

bool aimg_verify_root_read(struct aimg_verify *verify, const struct aimg_commit_page *commit, struct aimg_verify_root *root)
{
    *root = (struct aimg_verify_root){.bytes = NULL};
    if (!read_bytes(verify, commit, root) || !check_head(verify, commit, root) || !allocate(verify, root))
        return false;
    check_meta_place(verify, commit, &root->head);
    read_parts(verify, commit, root);
    const uint8_t *codings = read_columns(verify, commit, root);
    if (codings != NULL)
        read_codings(verify, commit, root, codings);
    return true;
}

void aimg_verify_root_release(struct aimg_verify *verify, struct aimg_verify_root *root)
{
    const struct aimg_allocator *allocator = &verify->source.allocator;
    aimg_release(allocator, root->bytes);
    aimg_release(allocator, root->parts);
    aimg_release(allocator, root->columns);
    aimg_release(allocator, root->codings);
    *root = (struct aimg_verify_root){.bytes = NULL};
}

void aimg_verify_features(struct aimg_verify *verify, const struct aimg_commit_page *commit, const struct aimg_verify_root *root)
{
    uint64_t incompat = verify->walk.used, ro_compat = 0;
    if (root->zstd)
        incompat |= AIMG_INCOMPAT_ZSTD;
    if (root->coding_count > 0)
        incompat |= AIMG_INCOMPAT_ZSTD_DICT;
    if (root->column_count > 0)
        ro_compat |= AIMG_RO_COMPAT_COLUMNS;
    for (uint32_t i = 0; i < root->part_count; i++)
        if (root->parts[i].type == AIMG_FRAME_CONTENT)
            ro_compat |= AIMG_RO_COMPAT_CONTENT;
    if ((incompat & ~commit->incompat) != 0 || (ro_compat & ~commit->ro_compat) != 0)
        aimg_verify_fault(verify, 32, aimg_verify_at(commit->self_offset),
                          "commit %" PRIu64 " does not declare all features that are in use: incompat 0x%" PRIx64 " of 0x%" PRIx64
                          ", ro_compat 0x%" PRIx64 " of 0x%" PRIx64,
                          commit->seq, commit->incompat & incompat, incompat, commit->ro_compat & ro_compat, ro_compat);
}

const struct aimg_column_record *aimg_verify_column(const struct aimg_verify_root *root, uint32_t id)
{
    uint32_t low = 0, high = root->column_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (root->columns[middle].record.id == id)
            return &root->columns[middle].record;
        if (root->columns[middle].record.id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}
