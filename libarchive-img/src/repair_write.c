/* SPDX-License-Identifier: Apache-2.0 */
/* Each image into the new archive, with its name and values, and aliases as aliases. */
#include "repair_bytes.h"

#include "checksum.h"
#include "copy_values.h"
#include "ordinal_map.h"

#include <stdio.h>
#include <stdlib.h>

/* Bytes of an image that is not there any more, which aliases share: the first alias becomes the image. */
struct heir {
    uint64_t offset; /* of the frame with the bytes */
    uint32_t number; /* in the new archive; AIMG_NO_ORDINAL: none, as they are damaged, or not tried yet */
    bool tried;
};

struct write {
    struct aimg_repair_copy copy;
    struct aimg_buffer heirs;      /* struct heir, in order of offset */
    struct aimg_ordinal_map names; /* hashes of all names there will be, once one is to be made */
    char name[AIMG_NAME_MAX + 1];
    bool adding; /* the writer was asked to take what is whole */
};

/* ------------------------------------------------------------------ adding */

static uint32_t name_key(uint64_t name_hash)
{
    return (uint32_t)(name_hash >> 32) & INT32_MAX;
}

static enum aimg_status list_names(struct write *write, struct aimg_error *error)
{
    size_t count;
    uint32_t known;
    const struct aimg_repair_image *images = aimg_repair_images(write->copy.repair, &count);
    for (size_t i = 0; i < count; i++) {
        uint32_t key = name_key(images[i].name_hash);
        if (images[i].name_hash != 0 && !aimg_ordinal_map_find(&write->names, key, &known) &&
            !aimg_ordinal_map_add(&write->copy.repair->options.allocator, &write->names, key, images[i].ordinal))
            return aimg_fail_memory(error, write->names.size * sizeof(struct aimg_ordinal_pair));
    }
    return AIMG_OK;
}

/* A name for an image that has lost its own. No image has it, and none that is still to be added. */
static enum aimg_status make_name(struct write *write, uint32_t ordinal, size_t *bytes_out, struct aimg_error *error)
{
    uint32_t other;
    enum aimg_status status = write->names.count == 0 ? list_names(write, error) : AIMG_OK;
    for (unsigned i = 0; status == AIMG_OK; i++) {
        int bytes = i == 0 ? snprintf(write->name, sizeof write->name, "recovered/image-%" PRIu32, ordinal)
                           : snprintf(write->name, sizeof write->name, "recovered/image-%" PRIu32 "-%u", ordinal, i);
        *bytes_out = (size_t)bytes;
        uint64_t hash = aimg_hash_low(write->name, *bytes_out, write->copy.repair->reader.source.seed);
        if (!aimg_ordinal_map_find(&write->names, name_key(hash), &other))
            status = aimg_writer_find(write->copy.repair->writer, write->name, *bytes_out, &other, error);
    }
    return status == AIMG_NOT_FOUND ? AIMG_OK : status;
}

/* Name, kind and values of an image. */
static enum aimg_status describe(struct write *write, const struct aimg_repair_image *image, struct aimg_image *out,
                                 struct aimg_error *error)
{
    struct aimg_repair *repair = write->copy.repair;
    bool attachment = false;
    *out = (struct aimg_image){.struct_bytes = sizeof *out, .name = write->name, .flags = AIMG_ADD_REPLACE};
    enum aimg_status status = aimg_repair_attached(repair, image, &attachment, error);
    if (status == AIMG_OK)
        status = aimg_repair_name(repair, image, write->name, &out->name_bytes, error);
    bool named = status == AIMG_OK;
    if (!named && !aimg_repair_bears(status))
        return status;
    if (attachment)
        out->flags = AIMG_ADD_ATTACHMENT | AIMG_ADD_REPLACE;
    if (!named || (out->name_bytes == 0 && !attachment)) {
        status = make_name(write, image->ordinal, &out->name_bytes, error);
        struct aimg_loss loss = {.kind = AIMG_LOSS_NAME,
                                 .ordinal = image->ordinal,
                                 .count = 1,
                                 .offset = aimg_repair_offset(image),
                                 .name = write->name,
                                 .message = "its name is lost; this one was made for it"};
        if (status != AIMG_OK)
            return status;
        aimg_repair_lose(repair, &loss);
    }
    return aimg_repair_values_take(repair, image->ordinal, &out->values, &out->value_count, error);
}

static enum aimg_status add_bytes(struct write *write, struct aimg_repair_image *image, struct aimg_repair_bytes *bytes,
                                  struct aimg_error *error)
{
    struct aimg_repair *repair = write->copy.repair;
    struct aimg_prepared prepared;
    struct aimg_image described;
    if (bytes->stored_bytes > repair->file_bytes - repair->written_bytes) {
        write->copy.why = "the index gives it bytes that other images have";
        return AIMG_CORRUPT;
    }
    enum aimg_status status = aimg_repair_load_bytes(&write->copy, bytes, &prepared, error);
    if (status == AIMG_OK)
        status = aimg_copy_coding(repair->writer, &repair->reader, bytes->coding, error);
    if (status == AIMG_OK)
        status = describe(write, image, &described, error);
    if (status != AIMG_OK)
        return status;
    described.prepared = &prepared;
    described.format = bytes->format;
    write->adding = true;
    repair->written_bytes += bytes->stored_bytes;
    return aimg_writer_add(repair->writer, &described, &image->number, error);
}

static enum aimg_status add_alias(struct write *write, struct aimg_repair_image *image, uint32_t target, struct aimg_error *error)
{
    struct aimg_repair *repair = write->copy.repair;
    struct aimg_image described;
    uint32_t replaced;
    enum aimg_status status = describe(write, image, &described, error);
    if (status != AIMG_OK)
        return status;
    uint32_t number = (uint32_t)repair->writer->head.ordinal_count;
    write->adding = true;
    if (described.name_bytes > 0) { /* its name is not looked for there */
        status = aimg_writer_find(repair->writer, described.name, described.name_bytes, &replaced, error);
        if (status == AIMG_OK)
            status = aimg_writer_replace(repair->writer, replaced,
                                         aimg_writer_hash_name(repair->writer, described.name, described.name_bytes), error);
        else if (status == AIMG_NOT_FOUND)
            status = AIMG_OK;
    }
    if (status == AIMG_OK)
        status = aimg_writer_add_alias(repair->writer, &described, target, error);
    if (status == AIMG_OK)
        image->number = number;
    return status;
}

static int compare_heirs(const void *a, const void *b)
{
    const struct heir *x = a, *y = b;
    if (x->offset != y->offset)
        return x->offset < y->offset ? -1 : 1;
    return x->number < y->number ? -1 : x->number > y->number;
}

static struct heir *find_heir(const struct write *write, uint64_t offset)
{
    struct heir *heirs = (struct heir *)(void *)write->heirs.data;
    size_t low = 0, count = write->heirs.bytes / sizeof *heirs, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (heirs[middle].offset < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && heirs[low].offset == offset ? &heirs[low] : NULL;
}

/* All that can be asked for: the frames of images, and what entries of aliases name. */
static enum aimg_status list_heirs(struct write *write, struct aimg_error *error)
{
    struct aimg_repair *repair = write->copy.repair;
    size_t count, kept = 0;
    const struct aimg_repair_image *images = aimg_repair_images(repair, &count);
    for (size_t i = 0; i < count; i++) {
        struct heir heir = {.offset = aimg_repair_offset(&images[i]), .number = images[i].number};
        struct aimg_entry_record entry;
        if ((images[i].place & AIMG_REPAIR_ALIAS) != 0) {
            enum aimg_status status = aimg_repair_entry(repair, images[i].ordinal, &entry, error);
            if (status != AIMG_OK && !aimg_repair_bears(status))
                return status;
            if (status != AIMG_OK)
                continue;
            heir = (struct heir){.offset = entry.frame_offset, .number = AIMG_NO_ORDINAL};
        }
        if (!aimg_buffer_add(&repair->options.allocator, &write->heirs, &heir, sizeof heir))
            return aimg_fail_memory(error, write->heirs.bytes);
    }
    struct heir *heirs = (struct heir *)(void *)write->heirs.data;
    count = write->heirs.bytes / sizeof *heirs;
    qsort(heirs, count, sizeof *heirs, compare_heirs);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || heirs[kept - 1].offset != heirs[i].offset)
            heirs[kept++] = heirs[i];
    write->heirs.bytes = kept * sizeof *heirs;
    return AIMG_OK;
}
/* Adds the image with these bytes, and notes for aliases of it who has them now. */
static enum aimg_status add_original(struct write *write, struct aimg_repair_image *image, struct aimg_repair_bytes *bytes,
                                     struct aimg_error *error)
{
    enum aimg_status status = add_bytes(write, image, bytes, error);
    struct heir *heir = find_heir(write, bytes->offset);
    if (heir != NULL) {
        heir->number = image->number;
        heir->tried = true;
    }
    return status;
}

static enum aimg_status write_alias(struct write *write, struct aimg_repair_image *image, struct aimg_error *error)
{
    struct aimg_repair *repair = write->copy.repair;
    struct aimg_repair_bytes bytes;
    size_t target, count;
    uint32_t ordinal;
    const struct aimg_repair_image *images = aimg_repair_images(repair, &count);
    enum aimg_status status = aimg_repair_find_target(repair, image, &target, &ordinal, error);
    if (status != AIMG_OK)
        return status;
    if (ordinal < repair->scan_ordinal) /* of the archive that is added to */
        return add_alias(write, image, ordinal, error);
    if (target != SIZE_MAX && images[target].number != AIMG_NO_ORDINAL)
        return add_alias(write, image, images[target].number, error);
    status = aimg_repair_find_shared(&write->copy, image, target, &bytes, error);
    if (status == AIMG_OK && write->heirs.bytes == 0)
        status = list_heirs(write, error);
    if (status != AIMG_OK)
        return status;
    const struct heir *heir = find_heir(write, bytes.offset);
    if (heir != NULL && heir->number != AIMG_NO_ORDINAL)
        return add_alias(write, image, heir->number, error);
    if (heir != NULL && heir->tried) {
        write->copy.why = "the bytes that it shares with another image are damaged";
        return AIMG_CORRUPT;
    }
    return add_original(write, image, &bytes, error);
}

static void lose(struct write *write, const struct aimg_repair_image *image)
{
    size_t bytes = 0;
    bool named = aimg_repair_name(write->copy.repair, image, write->name, &bytes, NULL) == AIMG_OK && bytes > 0;
    struct aimg_loss loss = {.kind = AIMG_LOSS_IMAGES,
                             .ordinal = image->ordinal,
                             .count = 1,
                             .offset = aimg_repair_offset(image),
                             .name = named ? write->name : NULL,
                             .message = write->copy.why};
    aimg_repair_lose(write->copy.repair, &loss);
}

/* Whether an image is left out, and the others are written all the same. */
static bool goes_on(const struct write *write, enum aimg_status status)
{
    const struct aimg_repair *repair = write->copy.repair;
    if (repair->writer->failed || !aimg_repair_bears(status))
        return false;
    return !repair->adds || (!write->adding && aimg_repair_is_damage(status));
}

static enum aimg_status write_image(struct write *write, struct aimg_repair_image *image, struct aimg_error *error)
{
    struct aimg_repair *repair = write->copy.repair;
    struct aimg_repair_bytes bytes;
    enum aimg_status status;
    write->copy.why = "what is left of it cannot be added to an archive";
    write->adding = false;
    if ((image->place & AIMG_REPAIR_ALIAS) != 0) {
        status = write_alias(write, image, error);
    } else {
        status = aimg_repair_find_bytes(&write->copy, image, &bytes, error);
        if (status == AIMG_OK)
            status = add_original(write, image, &bytes, error);
    }
    if (status == AIMG_OK)
        return aimg_repair_tell_back(repair, image, error);
    if (!goes_on(write, status))
        return status;
    lose(write, image);
    return AIMG_OK;
}

static void release(struct write *write)
{
    const struct aimg_allocator *allocator = &write->copy.repair->options.allocator;
    aimg_repair_copy_release(&write->copy);
    aimg_buffer_release(allocator, &write->heirs);
    aimg_ordinal_map_clear(allocator, &write->names);
}

enum aimg_status aimg_repair_write(struct aimg_repair *repair, struct aimg_error *error)
{
    struct write write = {.copy = {.repair = repair}};
    size_t count;
    struct aimg_repair_image *images = aimg_repair_images(repair, &count);
    enum aimg_status status = AIMG_OK;
    for (size_t i = 0; status == AIMG_OK && i < count; i++) {
        if ((images[i].place & AIMG_REPAIR_DEAD) == 0)
            status = write_image(&write, &images[i], error);
        if (status == AIMG_OK)
            status = aimg_repair_tell(repair, aimg_repair_offset(&images[i]), error);
    }
    release(&write);
    return status;
}
