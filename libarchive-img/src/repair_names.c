/* SPDX-License-Identifier: Apache-2.0 */
/* Names: who has which, the newer of two with one name, and who may have been removed. */
#include "repair.h"

#include "checksum.h"
#include "name.h"

#include <stdlib.h>

/* From the frame at a place, when it is that of the image. */
static enum aimg_status frame_name(const struct aimg_repair *repair, const struct aimg_repair_image *image, char *name,
                                   size_t *bytes_out, struct aimg_error *error)
{
    struct aimg_frame_view view;
    size_t position;
    enum aimg_status status = aimg_frame_read(&repair->reader.source, aimg_repair_offset(image), &view, error);
    if (status != AIMG_OK)
        return status;
    if ((view.frame.type != AIMG_FRAME_IMAGE && view.frame.type != AIMG_FRAME_ALIAS) || view.frame.ordinal != image->ordinal ||
        view.frame.name_bytes > AIMG_NAME_MAX)
        return AIMG_CORRUPT;
    memcpy(name, view.bytes + AIMG_FRAME_BYTES, view.frame.name_bytes);
    name[view.frame.name_bytes] = '\0';
    *bytes_out = view.frame.name_bytes;
    bool good = *bytes_out == 0 || aimg_name_fault((const uint8_t *)name, *bytes_out, &position) == AIMG_NAME_OK;
    return good ? AIMG_OK : AIMG_CORRUPT;
}

enum aimg_status aimg_repair_name(struct aimg_repair *repair, const struct aimg_repair_image *image, char *name,
                                  size_t *bytes_out, struct aimg_error *error)
{
    enum aimg_status status = frame_name(repair, image, name, bytes_out, error);
    return aimg_repair_bears(status) ? aimg_repair_index_name(repair, image->ordinal, name, bytes_out, error) : status;
}

/* ------------------------------------------------------------------ one name, one image */

struct named {
    uint64_t hash;
    uint32_t ordinal;
    uint32_t reserved;
};

static int compare_named(const void *a, const void *b)
{
    const struct named *x = a, *y = b;
    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    return x->ordinal < y->ordinal ? -1 : x->ordinal > y->ordinal;
}

/* Of those whose frame was found it is known. */
static enum aimg_status hash_name(struct aimg_repair *repair, struct aimg_repair_image *image, struct aimg_error *error)
{
    char name[AIMG_NAME_MAX + 1];
    size_t bytes = 0;
    if (image->name_hash != 0 || (image->place & AIMG_REPAIR_INDEXED) == 0)
        return AIMG_OK;
    enum aimg_status status = aimg_repair_name(repair, image, name, &bytes, error);
    if (status == AIMG_OK && bytes > 0)
        image->name_hash = aimg_hash_low(name, bytes, repair->reader.source.seed) | 1;
    return aimg_repair_bears(status) ? AIMG_OK : status;
}

static enum aimg_status same_name(struct aimg_repair *repair, const struct aimg_repair_image *a,
                                  const struct aimg_repair_image *b, bool *same_out, struct aimg_error *error)
{
    char names[2][AIMG_NAME_MAX + 1];
    size_t bytes[2] = {0, 0};
    enum aimg_status status = aimg_repair_name(repair, a, names[0], &bytes[0], error);
    if (status == AIMG_OK)
        status = aimg_repair_name(repair, b, names[1], &bytes[1], error);
    *same_out = status == AIMG_OK && bytes[0] == bytes[1] && memcmp(names[0], names[1], bytes[0]) == 0;
    return aimg_repair_bears(status) ? AIMG_OK : status;
}

static enum aimg_status list_named(struct aimg_repair *repair, struct named *list, size_t *count_out, struct aimg_error *error)
{
    size_t count, found = 0;
    struct aimg_repair_image *images = aimg_repair_images(repair, &count);
    for (size_t i = 0; i < count; i++) {
        if ((images[i].place & AIMG_REPAIR_DEAD) != 0)
            continue;
        enum aimg_status status = hash_name(repair, &images[i], error);
        if (status != AIMG_OK)
            return status;
        if (images[i].name_hash != 0)
            list[found++] = (struct named){images[i].name_hash, images[i].ordinal, 0};
    }
    *count_out = found;
    return AIMG_OK;
}

/* The older one was replaced: the newer could not have been added else. */
static enum aimg_status drop_older(struct aimg_repair *repair, const struct named *list, size_t count, struct aimg_error *error)
{
    size_t images_count;
    struct aimg_repair_image *images = aimg_repair_images(repair, &images_count);
    enum aimg_status status = AIMG_OK;
    for (size_t i = 1; status == AIMG_OK && i < count; i++) {
        bool same = false;
        if (list[i].hash != list[i - 1].hash)
            continue;
        struct aimg_repair_image *older = &images[aimg_repair_find(repair, list[i - 1].ordinal)];
        status = same_name(repair, older, &images[aimg_repair_find(repair, list[i].ordinal)], &same, error);
        if (same)
            older->place |= AIMG_REPAIR_DEAD;
    }
    return status;
}

/* ------------------------------------------------------------------ who may have been removed */

/* Whether as many images are listed as the last commit says: then none is back that it did not list. */
static enum aimg_status check_listed(struct aimg_repair *repair, bool *agrees_out, struct aimg_error *error)
{
    size_t count;
    const struct aimg_repair_image *images = aimg_repair_images(repair, &count);
    uint64_t listed = repair->result.lost_images;
    for (size_t i = 0; i < count && images[i].ordinal < repair->committed_count; i++) {
        bool attached = false;
        if ((images[i].place & AIMG_REPAIR_DEAD) != 0)
            continue;
        enum aimg_status status = aimg_repair_attached(repair, &images[i], &attached, error);
        if (status != AIMG_OK)
            return status;
        listed += !attached;
    }
    *agrees_out = repair->listed_known && listed <= repair->listed_count;
    return AIMG_OK;
}

static enum aimg_status tell_back(struct aimg_repair *repair, const struct aimg_repair_image *image, struct aimg_error *error)
{
    char name[AIMG_NAME_MAX + 1];
    size_t bytes = 0;
    enum aimg_status status = aimg_repair_name(repair, image, name, &bytes, error);
    if (status != AIMG_OK && !aimg_repair_bears(status))
        return status;
    struct aimg_loss loss = {.kind = AIMG_LOSS_REMOVAL,
                             .ordinal = image->ordinal,
                             .count = 1,
                             .offset = aimg_repair_offset(image),
                             .name = status == AIMG_OK && bytes > 0 ? name : NULL,
                             .message = "may have been removed: the list of the removed images near it is lost"};
    aimg_repair_lose(repair, &loss);
    return AIMG_OK;
}

/* Those of a run; *next: the first image that is not of the runs before. */
static enum aimg_status tell_unsure(struct aimg_repair *repair, uint32_t index, size_t *next, struct aimg_error *error)
{
    const struct aimg_run *run = &repair->reader.catalog.runs[index];
    const struct aimg_repair_run *more = &repair->runs[index];
    size_t count, first = *next, end = first;
    const struct aimg_repair_image *images = aimg_repair_images(repair, &count);
    uint64_t living = 0;
    for (; end < count && images[end].ordinal - run->first < run->count; end++)
        living += (images[end].place & AIMG_REPAIR_DEAD) == 0;
    *next = end;
    bool sure = !more->mask_unsure || (more->dead_counted && end - first == run->count && run->count - living >= more->dead);
    enum aimg_status status = AIMG_OK;
    for (size_t i = first; !sure && status == AIMG_OK && i < end; i++)
        if ((images[i].place & AIMG_REPAIR_DEAD) == 0 && images[i].ordinal < repair->committed_count)
            status = tell_back(repair, &images[i], error);
    return status;
}

static enum aimg_status settle_removals(struct aimg_repair *repair, struct aimg_error *error)
{
    uint32_t runs = repair->reader.catalog.run_count;
    bool unsure = false, agrees = false;
    size_t next = 0;
    enum aimg_status status = AIMG_OK;
    for (uint32_t i = 0; i < runs; i++)
        unsure = unsure || repair->runs[i].mask_unsure;
    if (unsure)
        status = check_listed(repair, &agrees, error);
    for (uint32_t i = 0; unsure && !agrees && status == AIMG_OK && i < runs; i++)
        status = tell_unsure(repair, i, &next, error);
    return status;
}

enum aimg_status aimg_repair_settle_names(struct aimg_repair *repair, struct aimg_error *error)
{
    size_t count;
    (void)aimg_repair_images(repair, &count);
    struct named *list = aimg_alloc_array(&repair->options.allocator, count, sizeof *list);
    if (list == NULL)
        return aimg_fail_memory(error, count * sizeof *list);
    enum aimg_status status = list_named(repair, list, &count, error);
    if (status == AIMG_OK && count > 1)
        qsort(list, count, sizeof *list, compare_named);
    if (status == AIMG_OK)
        status = drop_older(repair, list, count, error);
    aimg_release(&repair->options.allocator, list);
    return status == AIMG_OK ? settle_removals(repair, error) : status;
}
