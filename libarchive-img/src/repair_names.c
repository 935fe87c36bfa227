/* SPDX-License-Identifier: Apache-2.0 */
/* Names: who has which, the newer of two with one name, and who may have been removed. */
#include "repair.h"

#include "checksum.h"
#include "name.h"

#include <stdio.h>
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
        if ((status = aimg_repair_tell(repair, 0, error)) != AIMG_OK)
            return status;
        if (images[i].name_hash != 0)
            list[found++] = (struct named){images[i].name_hash, images[i].ordinal, 0};
    }
    *count_out = found;
    return AIMG_OK;
}

/* Who has the same name as the one before it in the list, which is older. */
static enum aimg_status pair_up(struct aimg_repair *repair, const struct named *list, size_t i, struct aimg_repair_image **older,
                                struct aimg_repair_image **newer, bool *same_out, struct aimg_error *error)
{
    size_t count;
    struct aimg_repair_image *images = aimg_repair_images(repair, &count);
    *same_out = false;
    if (list[i].hash != list[i - 1].hash)
        return AIMG_OK;
    *older = &images[aimg_repair_find(repair, list[i - 1].ordinal)];
    *newer = &images[aimg_repair_find(repair, list[i].ordinal)];
    return same_name(repair, *older, *newer, same_out, error);
}

/* As of the last commit: the older one was replaced, for the newer could not have been added else. */
static enum aimg_status drop_replaced(struct aimg_repair *repair, const struct named *list, size_t count,
                                      struct aimg_error *error)
{
    enum aimg_status status = AIMG_OK;
    for (size_t i = 1; status == AIMG_OK && i < count; i++) {
        struct aimg_repair_image *older, *newer;
        bool same = false;
        if (list[i].ordinal >= repair->committed_count)
            continue;
        status = pair_up(repair, list, i, &older, &newer, &same, error);
        if (same)
            older->place |= AIMG_REPAIR_DEAD;
    }
    return status;
}

/* ------------------------------------------------------------------ who may have been removed */

/* Whether as many images are listed as the last commit says: then none is back that it did not list. Attachments are not
 * counted there. */
static enum aimg_status check_listed(struct aimg_repair *repair, bool *agrees_out, struct aimg_error *error)
{
    size_t count;
    const struct aimg_repair_image *images = aimg_repair_images(repair, &count);
    uint64_t listed = repair->missing_count;
    for (size_t i = 0; i < count && images[i].ordinal < repair->committed_count; i++) {
        bool attached = false;
        if ((images[i].place & AIMG_REPAIR_DEAD) != 0)
            continue;
        enum aimg_status status = aimg_repair_attached(repair, &images[i], &attached, error);
        if (status != AIMG_OK)
            return status;
        listed += !attached;
    }
    *agrees_out = repair->listed_known && listed == repair->listed_count;
    return AIMG_OK;
}

/* Runs of which as many images are dead as ROOT counts, and as many attachments: no other is. */
static enum aimg_status count_unlisted(struct aimg_repair *repair, struct aimg_error *error)
{
    const struct aimg_catalog *catalog = &repair->reader.catalog;
    size_t count, next = 0;
    const struct aimg_repair_image *images = aimg_repair_images(repair, &count);
    enum aimg_status status = AIMG_OK;
    for (uint32_t i = 0; i < catalog->run_count; i++) {
        struct aimg_repair_run *more = &repair->runs[i];
        size_t first = next;
        uint32_t dead = 0, attached = 0;
        for (; next < count && images[next].ordinal - catalog->runs[i].first < catalog->runs[i].count; next++) {
            bool is_attached = false;
            if ((images[next].place & AIMG_REPAIR_DEAD) != 0)
                dead++;
            else if (more->counted && more->attached > 0)
                status = aimg_repair_attached(repair, &images[next], &is_attached, error);
            if (status != AIMG_OK)
                return status;
            attached += is_attached;
        }
        if (!more->counted || next - first != catalog->runs[i].count)
            continue;
        more->dead_missing = dead < more->dead ? more->dead - dead : 0;
        more->attached_missing = attached < more->attached ? more->attached - attached : 0;
        more->mask_unsure = more->mask_unsure && more->dead_missing + more->attached_missing > 0;
    }
    return AIMG_OK;
}

/* ------------------------------------------------------------------ who is written */

/* Of those with one name the newest whose bytes are whole. */
static enum aimg_status choose_newest(struct aimg_repair *repair, const struct named *list, size_t count,
                                      struct aimg_error *error)
{
    enum aimg_status status = AIMG_OK;
    bool asked = false, held = false; /* whether a newer one is whole */
    for (size_t i = count; status == AIMG_OK && i-- > 1;) {
        struct aimg_repair_image *older, *newer;
        bool same = false;
        status = aimg_repair_tell(repair, 0, error);
        if (status == AIMG_OK)
            status = pair_up(repair, list, i, &older, &newer, &same, error);
        if (!same) {
            asked = held = false;
            continue;
        }
        if (!asked)
            status = aimg_repair_whole(repair, newer, &held, error);
        asked = true;
        if (status != AIMG_OK || held) {
            older->place |= AIMG_REPAIR_DEAD;
            continue;
        }
        status = aimg_repair_whole(repair, older, &held, error);
        if (!held)
            continue;
        older->place &= ~(uint64_t)AIMG_REPAIR_DEAD;
        older->place |= AIMG_REPAIR_BACK;
    }
    return status;
}

/* ------------------------------------------------------------------ telling */

/* Marks those of a run that may have been removed; *next: the first image that is not of the runs before. listed_agree: only
 * attachments can be. */
static enum aimg_status mark_run(struct aimg_repair *repair, uint32_t index, bool listed_agree, size_t *next,
                                 struct aimg_error *error)
{
    const struct aimg_run *run = &repair->reader.catalog.runs[index];
    size_t count;
    struct aimg_repair_image *images = aimg_repair_images(repair, &count);
    enum aimg_status status = AIMG_OK;
    for (; status == AIMG_OK && *next < count && images[*next].ordinal - run->first < run->count; ++*next) {
        struct aimg_repair_image *image = &images[*next];
        bool unsure = repair->runs[index].mask_unsure && image->ordinal < repair->committed_count;
        if (unsure && listed_agree && (image->place & AIMG_REPAIR_DEAD) == 0)
            status = aimg_repair_attached(repair, image, &unsure, error);
        if (unsure)
            image->place |= AIMG_REPAIR_UNSURE;
    }
    return status;
}

static void say_unsure(const struct aimg_repair *repair, uint32_t ordinal, char *out, size_t room)
{
    uint32_t index = aimg_catalog_run(&repair->reader.catalog, ordinal);
    const struct aimg_run *run = &repair->reader.catalog.runs[index];
    uint32_t missing = repair->runs[index].dead_missing;
    if (repair->runs[index].attached_missing > 0)
        snprintf(out, room, "may have been removed, or be an attachment: the lists of those near it are lost");
    else if (missing == 0)
        snprintf(out, room, "may have been removed: the list of the removed images near it is lost");
    else
        snprintf(out, room, "may have been removed: %" PRIu32 " of the images %" PRIu32 " to %" PRIu32 " %s, the list is lost",
                 missing, run->first, run->first + (run->count - 1), missing == 1 ? "was" : "were");
}

enum aimg_status aimg_repair_tell_back(struct aimg_repair *repair, const struct aimg_repair_image *image,
                                       struct aimg_error *error)
{
    char name[AIMG_NAME_MAX + 1], unsure[160];
    size_t bytes = 0;
    if ((image->place & (AIMG_REPAIR_BACK | AIMG_REPAIR_UNSURE)) == 0)
        return AIMG_OK;
    enum aimg_status status = aimg_repair_name(repair, image, name, &bytes, error);
    if (status != AIMG_OK && !aimg_repair_bears(status))
        return status;
    bool replaced = (image->place & AIMG_REPAIR_BACK) != 0;
    if (!replaced)
        say_unsure(repair, image->ordinal, unsure, sizeof unsure);
    struct aimg_loss loss = {.kind = AIMG_LOSS_REMOVAL,
                             .ordinal = image->ordinal,
                             .count = 1,
                             .offset = aimg_repair_offset(image),
                             .name = status == AIMG_OK && bytes > 0 ? name : NULL,
                             .message = replaced ? "was replaced, but the image that replaced it is lost" : unsure};
    aimg_repair_lose(repair, &loss);
    return AIMG_OK;
}

/* What the last commit listed is found out before the images that came after it are looked at: they may have replaced some. */
static enum aimg_status settle(struct aimg_repair *repair, const struct named *list, size_t count, struct aimg_error *error)
{
    bool agrees = false;
    size_t next = 0;
    enum aimg_status status = drop_replaced(repair, list, count, error);
    if (status == AIMG_OK)
        status = check_listed(repair, &agrees, error);
    if (status == AIMG_OK)
        status = count_unlisted(repair, error);
    /* ROOT is lost, and others are listed than the last commit lists: a table of it is lost that no gap tells of. */
    for (uint32_t i = 0; repair->listed_known && !repair->base_newest && !agrees && i < repair->reader.catalog.run_count; i++)
        repair->runs[i].mask_unsure = true;
    if (status == AIMG_OK)
        status = choose_newest(repair, list, count, error);
    for (uint32_t i = 0; status == AIMG_OK && i < repair->reader.catalog.run_count; i++)
        status = mark_run(repair, i, agrees, &next, error);
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
        status = settle(repair, list, count, error);
    aimg_release(&repair->options.allocator, list);
    return status;
}
