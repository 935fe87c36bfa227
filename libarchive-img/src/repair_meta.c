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

/* The newest META frame that was committed and is whole. after: only behind that. */
static enum aimg_status load_found(struct aimg_repair *repair, uint64_t after, bool *loaded_out, struct aimg_error *error)
{
    size_t count;
    const struct aimg_repair_piece *pieces = aimg_repair_pieces(repair, &count);
    enum aimg_status status = AIMG_OK;
    *loaded_out = false;
    for (size_t i = count; status == AIMG_OK && !*loaded_out && i-- > 0 && pieces[i].offset > after;) {
        bool whole = false;
        if (pieces[i].type != AIMG_FRAME_META || pieces[i].offset >= repair->committed_end)
            continue;
        status = name_piece(repair, &pieces[i], &whole, error);
        if (status == AIMG_OK && whole)
            status = load(repair, loaded_out, error);
    }
    return status;
}

enum aimg_status aimg_repair_meta(struct aimg_repair *repair, struct aimg_error *error)
{
    uint64_t named = repair->reader.catalog.head.meta_offset;
    bool loaded = false;
    enum aimg_status status = load_found(repair, repair->base_root, &loaded, error); /* of a commit whose ROOT is lost */
    if (status != AIMG_OK || loaded || named == 0)
        return status;
    status = load(repair, &loaded, error);
    if (status != AIMG_OK || loaded)
        return status;
    struct aimg_loss loss = {.kind = AIMG_LOSS_META,
                             .ordinal = AIMG_NO_ORDINAL,
                             .count = 1,
                             .offset = named,
                             .message = "the metadata is damaged; what an older commit had takes its place, where there is any"};
    aimg_repair_lose(repair, &loss);
    return load_found(repair, 0, &loaded, error);
}
