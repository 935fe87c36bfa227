/* SPDX-License-Identifier: Apache-2.0 */
/* Metadata: those of the newest state, or of an older one where they are lost. */
#include "repair.h"

#include "checksum.h"
#include "meta.h"

/* Loads the payload that the head of the catalog names. */
static enum aimg_status load(struct aimg_repair *repair, bool *loaded_out, struct aimg_error *error)
{
    struct aimg_buffer payload = {NULL, 0, 0};
    const struct aimg_root_head *head = &repair->reader.catalog.head;
    struct aimg_writer *writer = repair->writer;
    bool inside = head->meta_offset >= AIMG_HEAD_BYTES && head->meta_offset <= repair->file_bytes &&
                  repair->file_bytes - head->meta_offset >= AIMG_FRAME_BYTES + head->meta_bytes;
    *loaded_out = false;
    if (!inside || head->meta_bytes > AIMG_META_MAX_BYTES)
        return AIMG_OK;
    enum aimg_status status = aimg_meta_load(&repair->reader, &payload, error);
    writer->meta.bytes = 0;
    if (status == AIMG_OK && !aimg_buffer_add(&writer->allocator, &writer->meta, payload.data, payload.bytes))
        status = aimg_fail_memory(error, payload.bytes);
    *loaded_out = status == AIMG_OK;
    aimg_buffer_release(&repair->reader.source.allocator, &payload);
    return aimg_repair_bears(status) ? AIMG_OK : status;
}

/* Makes the head name a META frame that was found. */
static enum aimg_status name_piece(struct aimg_repair *repair, const struct aimg_repair_piece *piece, bool *whole_out,
                                   struct aimg_error *error)
{
    struct aimg_root_head *head = &repair->reader.catalog.head;
    const struct aimg_allocator *allocator = &repair->options.allocator;
    *whole_out = false;
    if (piece->bytes > AIMG_META_MAX_BYTES)
        return AIMG_OK;
    uint8_t *payload = aimg_alloc_array(allocator, piece->bytes, 1);
    if (payload == NULL)
        return aimg_fail_memory(error, piece->bytes);
    enum aimg_status status =
        aimg_source_copy(&repair->reader.source, piece->offset + AIMG_FRAME_BYTES, (size_t)piece->bytes, payload, error);
    struct aimg_hash hash = aimg_hash(payload, (size_t)piece->bytes);
    aimg_release(allocator, payload);
    if (status != AIMG_OK || hash.low != piece->stored_hash)
        return status;
    head->meta_offset = piece->offset;
    head->meta_bytes = piece->bytes;
    aimg_hash_store(head->meta_hash, hash);
    *whole_out = true;
    return AIMG_OK;
}

/* The newest META frame that was committed and is whole. begin: only from there on. *damaged_out: the newest one that is not, if
 * one is newer; else as it was. */
static enum aimg_status load_found(struct aimg_repair *repair, uint64_t begin, bool *loaded_out, uint64_t *damaged_out,
                                   struct aimg_error *error)
{
    size_t count;
    const struct aimg_repair_piece *pieces = aimg_repair_pieces(repair, &count);
    enum aimg_status status = AIMG_OK;
    *loaded_out = false;
    for (size_t i = count; status == AIMG_OK && !*loaded_out && i-- > 0 && pieces[i].offset >= begin;) {
        bool whole = false;
        if (pieces[i].type != AIMG_FRAME_META || pieces[i].displaced || pieces[i].offset >= repair->committed_end)
            continue;
        status = name_piece(repair, &pieces[i], &whole, error);
        if (status == AIMG_OK && whole)
            status = load(repair, loaded_out, error);
        if (status == AIMG_OK && !*loaded_out && *damaged_out == 0)
            *damaged_out = pieces[i].offset;
    }
    return status;
}

/* Only ROOT says that an archive has no metadata any more. */
static void tell_unsure(struct aimg_repair *repair)
{
    const struct aimg_commit_page *commit = &repair->reader.located.commit;
    uint64_t offset = repair->reader.catalog.head.meta_offset;
    bool of_last = repair->listed_known && (commit->seq == 0 || offset > commit->prev_offset);
    struct aimg_loss loss = {.kind = AIMG_LOSS_UNKNOWN,
                             .ordinal = AIMG_NO_ORDINAL,
                             .count = 1,
                             .offset = offset,
                             .message = "whether the last commit removed the metadata, as its ROOT is lost; they are there"};
    if (!repair->base_newest && !of_last)
        aimg_repair_lose(repair, &loss);
}

enum aimg_status aimg_repair_meta(struct aimg_repair *repair, struct aimg_error *error)
{
    const struct aimg_root_head named = repair->reader.catalog.head;
    uint64_t damaged = 0;
    bool loaded = false;
    enum aimg_status status = load_found(repair, repair->base_end, &loaded, &damaged, error); /* of a commit without ROOT */
    if (status == AIMG_OK && !loaded && named.meta_offset != 0) {
        repair->reader.catalog.head = named;
        status = load(repair, &loaded, error);
        damaged = damaged != 0 || loaded ? damaged : named.meta_offset;
    }
    struct aimg_loss loss = {.kind = AIMG_LOSS_META,
                             .ordinal = AIMG_NO_ORDINAL,
                             .count = 1,
                             .offset = damaged,
                             .message = "the metadata is damaged; what an older commit had takes its place, where there is any"};
    if (status == AIMG_OK && damaged != 0)
        aimg_repair_lose(repair, &loss);
    else if (status == AIMG_OK && loaded)
        tell_unsure(repair);
    if (status != AIMG_OK || loaded || damaged == 0)
        return status;
    return load_found(repair, 0, &loaded, &damaged, error);
}
