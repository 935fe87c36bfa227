/* SPDX-License-Identifier: Apache-2.0 */
/* The newest ROOT that holds, and what was committed.
 *
 * A commit page that is whole proves its batch. Where the newest page is lost, its ROOT is as good, when something proves that
 * the commit was made: a hint that names it, or that the file goes on to where the page would end. */
#include "repair.h"

#include "checksum.h"

/* A ROOT that may be read. */
struct wanted {
    uint64_t offset, bytes;
    const uint8_t *hash; /* of the commit, or NULL: */
    uint64_t stored_hash;
};

static enum aimg_status read_root(struct aimg_repair *repair, const struct wanted *wanted, bool *whole_out,
                                  struct aimg_error *error)
{
    const struct aimg_source *source = &repair->reader.source;
    struct aimg_catalog *catalog = &repair->reader.catalog;
    uint64_t payload = wanted->offset + AIMG_FRAME_BYTES;
    *whole_out = false;
    if (wanted->offset < AIMG_HEAD_BYTES || wanted->offset > source->end || source->end - wanted->offset < AIMG_FRAME_BYTES ||
        wanted->bytes > source->end - payload || wanted->bytes < AIMG_ROOT_HEAD_BYTES)
        return AIMG_OK;
    if (wanted->bytes > source->limits.index_bytes)
        return aimg_fail_at(error, AIMG_LIMIT, 0, payload, "ROOT has %" PRIu64 " bytes, the limit is %" PRIu64, wanted->bytes,
                            source->limits.index_bytes);
    uint8_t *root = aimg_alloc_array(&source->allocator, wanted->bytes, 1);
    if (root == NULL)
        return aimg_fail_memory(error, wanted->bytes);
    enum aimg_status status = aimg_source_copy(source, payload, (size_t)wanted->bytes, root, error);
    if (status == AIMG_OK) {
        struct aimg_hash hash = aimg_hash(root, (size_t)wanted->bytes);
        bool agrees = wanted->hash != NULL ? aimg_hash_equals(wanted->hash, hash) : hash.low == wanted->stored_hash;
        *whole_out = agrees && aimg_root_head_decode(root, &catalog->head) == 0;
    }
    if (*whole_out) {
        catalog->root = root;
        catalog->root_bytes = wanted->bytes;
        repair->base_root = wanted->offset;
    } else {
        catalog->head = (struct aimg_root_head){.part_count = 0};
        aimg_release(&source->allocator, root);
    }
    return status;
}

/* ------------------------------------------------------------------ its records */

static enum aimg_status take_parts(struct aimg_repair *repair, struct aimg_buffer *parts, struct aimg_error *error)
{
    const struct aimg_catalog *catalog = &repair->reader.catalog;
    const uint8_t *record = catalog->root + AIMG_ROOT_HEAD_BYTES;
    for (uint32_t i = 0; i < catalog->head.part_count; i++, record += AIMG_PART_BYTES) {
        struct aimg_part part;
        if (aimg_part_decode(record, repair->base_root, &part) != 0)
            continue;
        if (!aimg_buffer_add(&repair->options.allocator, parts, &part, sizeof part))
            return aimg_fail_memory(error, parts->bytes);
    }
    return AIMG_OK;
}

/* Those up to the first that is malformed: then nothing tells where the next one begins. */
static void take_columns(struct aimg_repair *repair, const uint8_t **in, size_t *left)
{
    struct aimg_catalog *catalog = &repair->reader.catalog;
    uint32_t count = 0;
    for (; count < catalog->head.column_count; count++) {
        struct aimg_catalog_column *column = &catalog->columns[count];
        const uint8_t *name = NULL;
        if (aimg_column_record_decode(*in, *left, &column->record, &name) != 0 ||
            (count > 0 && column->record.id <= column[-1].record.id))
            break;
        column->name = (const char *)name;
        *in += aimg_column_record_total(column->record.name_bytes);
        *left -= aimg_column_record_total(column->record.name_bytes);
    }
    catalog->head.column_count = count;
}

static bool has_coding(const struct aimg_catalog *catalog, unsigned coding)
{
    return aimg_catalog_coding(catalog, coding) != NULL;
}

/* The hash of a dictionary, as it is now. */
static enum aimg_status hash_dictionary(const struct aimg_repair *repair, uint64_t offset, uint64_t bytes,
                                        struct aimg_hash *hash_out, struct aimg_error *error)
{
    const struct aimg_source *source = &repair->reader.source;
    uint8_t *payload = aimg_alloc_array(&source->allocator, bytes, 1);
    if (payload == NULL)
        return aimg_fail_memory(error, bytes);
    enum aimg_status status = aimg_source_copy(source, offset + AIMG_FRAME_BYTES, (size_t)bytes, payload, error);
    if (status == AIMG_OK)
        *hash_out = aimg_hash(payload, (size_t)bytes);
    aimg_release(&source->allocator, payload);
    return status;
}

/* Dictionaries say their numbers themselves, so they serve without ROOT too. */
enum aimg_status aimg_repair_take_dictionaries(struct aimg_repair *repair, struct aimg_error *error)
{
    struct aimg_catalog *catalog = &repair->reader.catalog;
    size_t count;
    const struct aimg_repair_piece *pieces = aimg_repair_pieces(repair, &count);
    for (size_t i = 0; i < count; i++) {
        const struct aimg_repair_piece *piece = &pieces[i];
        struct aimg_hash hash;
        if (piece->type != AIMG_FRAME_DICT || piece->coding < AIMG_CODING_FIRST_LISTED || has_coding(catalog, piece->coding) ||
            piece->bytes == 0 || piece->bytes > AIMG_DICT_MAX_BYTES)
            continue;
        enum aimg_status status = hash_dictionary(repair, piece->offset, piece->bytes, &hash, error);
        if (status != AIMG_OK)
            return status;
        if (hash.low != piece->stored_hash)
            continue;
        struct aimg_coding_record *record = &catalog->codings[catalog->head.coding_count++];
        *record = (struct aimg_coding_record){
            .coding = piece->coding, .codec = piece->format, .offset = piece->offset, .bytes = piece->bytes};
        aimg_hash_store(record->hash, hash);
    }
    return AIMG_OK;
}

/* A coding that ROOT names, when its dictionary is whole: it is not asked for again for each image that needs it. */
static enum aimg_status take_coding(struct aimg_repair *repair, const uint8_t *in, struct aimg_error *error)
{
    struct aimg_catalog *catalog = &repair->reader.catalog;
    struct aimg_coding_record record;
    struct aimg_hash hash;
    if (aimg_coding_record_decode(in, repair->reader.source.end, &record) != 0 || has_coding(catalog, record.coding))
        return AIMG_OK;
    enum aimg_status status = hash_dictionary(repair, record.offset, record.bytes, &hash, error);
    if (status == AIMG_OK && aimg_hash_equals(record.hash, hash))
        catalog->codings[catalog->head.coding_count++] = record;
    return aimg_repair_bears(status) ? AIMG_OK : status;
}

static enum aimg_status take_records(struct aimg_repair *repair, struct aimg_buffer *parts, struct aimg_error *error)
{
    struct aimg_catalog *catalog = &repair->reader.catalog;
    const struct aimg_source *source = &repair->reader.source;
    uint32_t codings = catalog->head.coding_count;
    uint64_t parts_bytes = (uint64_t)catalog->head.part_count * AIMG_PART_BYTES;
    catalog->columns = aimg_alloc_array(&source->allocator, AIMG_COLUMN_MAX, sizeof *catalog->columns);
    catalog->codings = aimg_alloc_array(&source->allocator, AIMG_CODINGS, sizeof *catalog->codings);
    if (catalog->columns == NULL || catalog->codings == NULL)
        return aimg_fail_memory(error, AIMG_COLUMN_MAX * sizeof *catalog->columns);
    catalog->head.coding_count = 0;
    if (catalog->root == NULL || parts_bytes > catalog->root_bytes - AIMG_ROOT_HEAD_BYTES) {
        catalog->head.part_count = catalog->head.column_count = 0;
        return aimg_repair_take_dictionaries(repair, error);
    }
    const uint8_t *in = catalog->root + AIMG_ROOT_HEAD_BYTES + parts_bytes;
    size_t left = (size_t)(catalog->root + catalog->root_bytes - in);
    enum aimg_status status = take_parts(repair, parts, error);
    if (status != AIMG_OK)
        return status;
    take_columns(repair, &in, &left);
    for (uint32_t i = 0; status == AIMG_OK && i < codings && left >= AIMG_CODING_RECORD_BYTES; i++) {
        status = take_coding(repair, in, error);
        in += AIMG_CODING_RECORD_BYTES;
        left -= AIMG_CODING_RECORD_BYTES;
    }
    return status == AIMG_OK ? aimg_repair_take_dictionaries(repair, error) : status;
}

/* ------------------------------------------------------------------ which one */

static enum aimg_status read_page(struct aimg_repair *repair, uint64_t offset, struct aimg_commit_page *commit, bool *whole_out,
                                  struct aimg_error *error)
{
    uint8_t page[AIMG_PAGE_BYTES];
    enum aimg_status status = aimg_source_copy(&repair->reader.source, offset, sizeof page, page, error);
    *whole_out = status == AIMG_OK && aimg_commit_decode(page, offset, &repair->reader.located.header, commit) == 0;
    return status;
}

static enum aimg_status check_features(const struct aimg_commit_page *commit, struct aimg_error *error)
{
    uint64_t incompat = commit->incompat & ~AIMG_INCOMPAT_KNOWN, ro_compat = commit->ro_compat & ~AIMG_RO_COMPAT_KNOWN;
    if ((incompat | ro_compat) == 0)
        return AIMG_OK;
    return aimg_fail_at(error, AIMG_UNSUPPORTED, 32, commit->self_offset,
                        "the archive uses features that this version does not know (bits 0x%" PRIx64 " and 0x%" PRIx64
                        "); use a newer version",
                        incompat, ro_compat);
}

/* The ROOT of the commit whose page was lost: the last one behind the newest page, when the commit was made. */
static enum aimg_status try_unpaged(struct aimg_repair *repair, uint64_t after, bool *whole_out, struct aimg_error *error)
{
    size_t count;
    const struct aimg_repair_piece *pieces = aimg_repair_pieces(repair, &count);
    *whole_out = false;
    for (size_t i = count; i-- > 0 && pieces[i].offset >= after;) {
        const struct aimg_repair_piece *piece = &pieces[i];
        if (piece->type != AIMG_FRAME_ROOT)
            continue;
        uint64_t end = aimg_round_up(piece->offset + AIMG_FRAME_BYTES + piece->bytes, AIMG_PAGE_BYTES) + AIMG_PAGE_BYTES;
        if (end > repair->file_bytes && repair->hint_end < end)
            continue;
        struct wanted wanted = {.offset = piece->offset, .bytes = piece->bytes, .stored_hash = piece->stored_hash};
        enum aimg_status status = read_root(repair, &wanted, whole_out, error);
        if (status != AIMG_OK || !*whole_out)
            return status;
        repair->committed_end = repair->base_end = end;
        repair->committed_count = repair->reader.catalog.head.ordinal_count;
        repair->listed_count = repair->reader.catalog.head.listed_count;
        repair->listed_known = true;
        repair->base_newest = repair->page_lost = true;
        return AIMG_OK;
    }
    return AIMG_OK;
}

/* ROOT of a commit lies between the page before, as far as that is left, and its own: so no byte is read for more than one. */
static bool root_inside(const struct aimg_commit_page *commit, const struct aimg_repair_piece *pieces, size_t page)
{
    while (page > 0 && pieces[page - 1].type != AIMG_FRAME_COMMIT)
        page--;
    uint64_t begin = page > 0 ? pieces[page - 1].offset + AIMG_PAGE_BYTES : AIMG_HEAD_BYTES;
    return commit->root_offset >= begin && commit->root_offset < commit->self_offset &&
           commit->root_bytes < commit->self_offset - commit->root_offset;
}

/* The newest page, and of those from there back the first whose ROOT holds. */
static enum aimg_status try_pages(struct aimg_repair *repair, bool found, struct aimg_error *error)
{
    size_t count;
    const struct aimg_repair_piece *pieces = aimg_repair_pieces(repair, &count);
    bool newest = true;
    for (size_t i = count; i-- > 0;) {
        struct aimg_commit_page commit;
        bool whole = false;
        if (pieces[i].type != AIMG_FRAME_COMMIT)
            continue;
        enum aimg_status status = read_page(repair, pieces[i].offset, &commit, &whole, error);
        if (status != AIMG_OK || !whole)
            return status;
        if (newest && !found) {
            repair->reader.located.commit = commit;
            status = check_features(&commit, error);
            repair->committed_end = commit.self_offset + AIMG_PAGE_BYTES;
            repair->committed_count = commit.ordinal_count;
            repair->listed_count = commit.listed_count;
            repair->listed_known = true;
            repair->sealed = (commit.flags & AIMG_COMMIT_SEALED) != 0;
            if (status == AIMG_OK)
                status = try_unpaged(repair, repair->committed_end, &found, error);
        }
        if (status != AIMG_OK || found)
            return status;
        struct wanted wanted = {.offset = commit.root_offset, .bytes = commit.root_bytes, .hash = commit.root_hash};
        if (root_inside(&commit, pieces, i))
            status = read_root(repair, &wanted, &found, error);
        repair->base_newest = found && newest;
        repair->base_end = found ? commit.self_offset + AIMG_PAGE_BYTES : repair->base_end;
        newest = false;
        if (status != AIMG_OK || found)
            return status;
    }
    return newest ? try_unpaged(repair, AIMG_HEAD_BYTES, &found, error) : AIMG_OK;
}

enum aimg_status aimg_repair_find_base(struct aimg_repair *repair, struct aimg_buffer *parts, struct aimg_error *error)
{
    repair->committed_end = repair->base_end = AIMG_HEAD_BYTES;
    enum aimg_status status = try_pages(repair, false, error);
    repair->known_end = repair->committed_end;
    /* A commit of which neither page nor ROOT is left; its tables may be. */
    if (repair->hint_end > repair->committed_end) {
        repair->committed_end = repair->hint_end;
        repair->listed_known = repair->base_newest = false;
        repair->page_lost = true;
    }
    repair->sealed = repair->sealed && !repair->page_lost;
    return status == AIMG_OK ? take_records(repair, parts, error) : status;
}
