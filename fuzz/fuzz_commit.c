/* SPDX-License-Identifier: Apache-2.0 */
/* Commit pages and ROOT: decoded, what was decoded written again to the same bytes, and archives opened as of each commit. */
#include "harness.h"

#include "commit.h"
#include "reader.h"
#include "root.h"

const uint32_t fuzz_focus = 1u << AIMG_FRAME_COMMIT | 1u << AIMG_FRAME_ROOT;

static void decode_page(const struct tree *tree, const struct tree_node *node, const struct aimg_header *header)
{
    struct aimg_commit_page commit;
    uint8_t page[AIMG_PAGE_BYTES];
    if (aimg_commit_decode(tree->data + node->offset, node->offset, header, &commit) != 0)
        return;
    aimg_commit_encode(&commit, page);
    require(memcmp(page + AIMG_FRAME_BYTES, tree->data + node->offset + AIMG_FRAME_BYTES, sizeof page - AIMG_FRAME_BYTES) == 0);
}

static void decode_root(const struct tree *tree, const struct tree_node *node)
{
    struct aimg_root_head head;
    uint8_t bytes[AIMG_ROOT_HEAD_BYTES];
    if (aimg_root_head_decode(tree->data + node->offset, &head) != 0)
        return;
    aimg_root_head_encode(&head, bytes);
    require(memcmp(bytes, tree->data + node->offset, sizeof bytes) == 0);
}

static void decode_record(const struct tree *tree, const struct tree_node *node)
{
    const uint8_t *at = tree->data + node->offset, *name;
    struct aimg_part part;
    struct aimg_column_record column;
    struct aimg_coding_record coding;
    uint8_t bytes[AIMG_COLUMN_RECORD_BYTES + AIMG_COLUMN_NAME_MAX + 1];
    if (node->kind == TREE_PART && aimg_part_decode(at, tree->bytes, &part) == 0)
        aimg_part_encode(&part, bytes);
    else if (node->kind == TREE_COLUMN && aimg_column_record_decode(at, node->bytes, &column, &name) == 0)
        aimg_column_record_encode(&column, (const char *)name, bytes);
    else if (node->kind == TREE_CODING && aimg_coding_record_decode(at, tree->bytes, &coding) == 0)
        aimg_coding_record_encode(&coding, bytes);
    else
        return;
    require(memcmp(bytes, at, node->bytes) == 0);
}

static void decode_all(uint8_t *data, size_t bytes)
{
    static struct tree tree;
    struct aimg_header header;
    tree_read(&tree, data, bytes);
    if (bytes < AIMG_HEAD_BYTES || aimg_header_decode(data, &header) != 0)
        return;
    for (size_t i = 0; i < tree.node_count; i++) {
        const struct tree_node *node = &tree.nodes[i];
        if (node->kind == TREE_COMMIT)
            decode_page(&tree, node, &header);
        else if (node->kind == TREE_ROOT)
            decode_root(&tree, node);
        else
            decode_record(&tree, node);
    }
}

static void open_at(const uint8_t *data, size_t bytes, uint64_t seq)
{
    struct aimg_info info = {.struct_bytes = sizeof info};
    struct aimg_commit commit;
    struct aimg_reader *reader = fuzz_open(data, bytes, AIMG_READER_AT, seq);
    if (reader == NULL)
        return;
    require(aimg_reader_info(reader, &info, NULL) == AIMG_OK && info.commit_count == seq + 1);
    require(info.listed_count <= info.ordinal_count && info.dead_count <= info.ordinal_count && info.file_bytes <= bytes);
    enum aimg_status status = aimg_reader_commit(reader, seq, &commit, NULL);
    allowed(status);
    require(status != AIMG_OK || (commit.seq == seq && commit.ordinal_count == info.ordinal_count));
    aimg_reader_close(reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct aimg_info info = {.struct_bytes = sizeof info};
    (void)fuzz_script(data, bytes, &bytes);
    decode_all((uint8_t *)(uintptr_t)data, bytes); /* is not written to */
    struct aimg_reader *reader = fuzz_open(data, bytes, 0, 0);
    aimg_reader_close(fuzz_open(data, bytes, AIMG_READER_ALLOW_TRUNCATED, 0));
    if (reader == NULL)
        return 0;
    require(aimg_reader_info(reader, &info, NULL) == AIMG_OK);
    aimg_reader_close(reader);
    for (uint64_t i = 0; i < info.commit_count && i < 4; i++)
        open_at(data, bytes, i < 2 ? i : info.commit_count - i + 1);
    return 0;
}
