/* SPDX-License-Identifier: Apache-2.0 */
#include "batch.h"

#include <stdlib.h>
#include <string.h>

/* Room for the longest item; most are a hundred times shorter. */
enum { LONGEST_ITEM_BYTES = PATH_LIST_BYTES + INPUT_NAME_BYTES + 2, TEXT_BYTES = 2 * LONGEST_ITEM_BYTES };

bool batch_init(struct batch *batch)
{
    memset(batch, 0, sizeof *batch);
    batch->text = malloc(TEXT_BYTES);
    batch->text_bytes = TEXT_BYTES;
    return batch->text != NULL;
}

void batch_clear(struct batch *batch, struct workspace_pool *pool)
{
    size_t loaded = atomic_load(&batch->done);
    for (size_t i = 0; i < batch->count; i++) {
        if (i < loaded)
            load_release(pool, &batch->items[i]);
        tree_directory_release(batch->items[i].input.directory);
    }
    workspace_clear(pool, &batch->workspace);
    batch->count = 0;
    batch->folders = 0;
    batch->consumed = 0;
    batch->finished = false;
    batch->text_used = 0;
    atomic_store(&batch->done, 0);
}

void batch_fini(struct batch *batch, struct workspace_pool *pool)
{
    batch_clear(batch, pool);
    free(batch->text);
}

bool batch_has_room(const struct batch *batch, size_t item_limit)
{
    return batch->count < item_limit && batch->count < BATCH_ITEMS && batch->folders < BATCH_FOLDERS &&
           batch->text_bytes - batch->text_used >= LONGEST_ITEM_BYTES;
}

static const char *keep_text(struct batch *batch, const char *text, size_t bytes)
{
    char *place = batch->text + batch->text_used;
    memcpy(place, text, bytes);
    place[bytes] = '\0';
    batch->text_used += bytes + 1;
    return place;
}

struct load_item *batch_add(struct batch *batch, const struct input *input)
{
    const struct load_item *before = batch->count > 0 ? &batch->items[batch->count - 1] : NULL;
    if (input->directory != NULL && (before == NULL || before->input.directory != input->directory))
        batch->folders++;
    struct load_item *item = &batch->items[batch->count++];
    item->input = *input;
    item->known = false;
    tree_directory_retain(input->directory);
    item->input.path = keep_text(batch, input->path, input->path_bytes);
    /* Mostly the name is the path or its end. */
    if (input->name >= input->path && input->name <= input->path + input->path_bytes)
        item->input.name = item->input.path + (input->name - input->path);
    else
        item->input.name = keep_text(batch, input->name, input->name_bytes);
    return item;
}
