/* SPDX-License-Identifier: Apache-2.0 */
#include "load.h"

/* What zstd takes beside the scratch: tables that grow with the level (its default parameters for large input), but not beyond a
 * multiple of the input. */
static size_t codec_bytes(int32_t level, uint64_t bytes)
{
    static const uint8_t table_mib[] = {0, 1, 1, 2, 2, 3, 4, 6, 6, 12, 24, 24, 48, 32, 48, 64, 40, 56, 56, 88};
    enum { LEVELS = sizeof table_mib, BASE_BYTES = 2 << 20, TABLE_BYTES_PER_BYTE = 32 };
    uint64_t most = (uint64_t)table_mib[level < LEVELS ? level : LEVELS - 1] << 20;
    return BASE_BYTES + (size_t)(bytes < most / TABLE_BYTES_PER_BYTE ? bytes * TABLE_BYTES_PER_BYTE : most);
}

void load_recognise(const struct loader *loader, struct load_item *item)
{
    bool picture = aimg_picture_probe(item->data, (size_t)item->bytes, &item->picture) == AIMG_OK;
    item->result = picture || loader->context->all ? LOAD_READY : LOAD_NOT_PICTURE;
}

void load_prepare(const struct loader *loader, struct load_item *item, void *scratch, uint64_t scratch_bytes)
{
    const struct load_context *context = loader->context;
    if (scratch_bytes > 0) {
        item->codec_bytes = codec_bytes(context->level, item->bytes);
        if (!workspace_reserve(loader->pool, loader->workspace, item->codec_bytes)) {
            item->codec_bytes = 0;
            load_fail(item, load_stopped, 0);
            return;
        }
    }
    struct aimg_error error;
    if (aimg_writer_prepare(context->writer, item->data, item->bytes, (uint32_t)item->picture.format, scratch, scratch_bytes,
                            &item->prepared, &error) != AIMG_OK)
        load_fail(item, "cannot be made ready, out of memory", 0);
}

void load_prepare_end(const struct loader *loader, struct load_item *item)
{
    if (item->codec_bytes > 0)
        workspace_unreserve(loader->pool, item->codec_bytes);
    item->codec_bytes = 0;
}

void load_digest(const struct loader *loader, struct load_item *item)
{
    size_t needed = (size_t)aimg_writer_scratch_bytes(loader->context->writer, item->bytes, (uint32_t)item->picture.format);
    void *scratch = NULL;
    if (needed > 0) {
        scratch = workspace_take(loader->pool, loader->workspace, needed, &item->scratch_piece);
        if (scratch == NULL) {
            load_fail(item, "cannot be compressed, out of memory", 0);
            return;
        }
    }
    load_prepare(loader, item, scratch, needed);
    load_prepare_end(loader, item);
    if (needed == 0)
        return;
    bool used = item->result == LOAD_READY && item->prepared.stored == scratch;
    workspace_trim(loader->workspace, &item->scratch_piece, needed - (used ? (size_t)item->prepared.stored_bytes : 0));
}
