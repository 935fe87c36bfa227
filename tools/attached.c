/* SPDX-License-Identifier: Apache-2.0 */
#include "attached.h"

#include "cmd.h"
#include "little.h"
#include "output.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* One step: from the images that are chosen to the attachments that only they have. */
struct search {
    const struct aimg_reader *reader;
    const char *path;
    struct choice *choice;
    struct choice found; /* attachments that they refer to */
    bool *kept;          /* one each: others refer to it too */
    uint8_t *counts;     /* of attached_count */
    uint64_t ordinals;
    int (*reference)(struct search *search, uint32_t ordinal, uint32_t target);
};

static int failed(const struct search *search, enum aimg_status status, const struct aimg_error *error)
{
    return status == AIMG_OK ? EXIT_DONE : output_status(search->path, status, error);
}

/* ------------------------------------------------------------------ what the chosen refer to */

/* Whether a reference leads to an attachment that stays if nothing is done. */
static int add_target(struct search *search, uint32_t target)
{
    struct aimg_entry entry;
    struct aimg_error error;
    enum aimg_status status = aimg_reader_entry(search->reader, target, &entry, &error);

    if (status != AIMG_OK)
        return failed(search, status, &error);
    if (!entry.attachment || entry.dead || choice_has(search->choice, target))
        return EXIT_DONE;
    return choice_add(&search->found, target);
}

static int find_in_column(struct search *search, const struct aimg_column *column)
{
    struct aimg_error error;
    int code = EXIT_DONE;

    for (size_t i = 0; code == EXIT_DONE && i < search->choice->count; i++) {
        uint8_t target[4];
        size_t bytes = 0;
        int null = 0;
        enum aimg_status status = aimg_reader_value(search->reader, column->index, search->choice->ordinals[i], target,
                                                    sizeof target, &bytes, &null, &error);

        code = failed(search, status, &error);
        if (code == EXIT_DONE && null == 0)
            code = add_target(search, (uint32_t)little_number(target, bytes));
    }
    return code;
}

/* ------------------------------------------------------------------ what others refer to */

static int keep(struct search *search, uint32_t ordinal, uint32_t target)
{
    struct aimg_entry entry;
    struct aimg_error error;
    size_t place = choice_find(&search->found, target);
    enum aimg_status status;

    if (place == search->found.count || search->kept[place] || choice_has(search->choice, ordinal))
        return EXIT_DONE;
    status = aimg_reader_entry(search->reader, ordinal, &entry, &error);
    if (status == AIMG_OK)
        search->kept[place] = entry.dead == 0;
    return failed(search, status, &error);
}

static int count(struct search *search, uint32_t ordinal, uint32_t target)
{
    struct aimg_entry entry;
    struct aimg_error error;
    enum aimg_status status = aimg_reader_entry(search->reader, ordinal, &entry, &error);

    if (status == AIMG_OK && !entry.dead && target < search->ordinals && search->counts[target] < ATTACHED_MANY)
        search->counts[target]++;
    return failed(search, status, &error);
}

static int each_reference(struct search *search, const struct aimg_column *column)
{
    struct aimg_chunk chunk = {.count = 0};
    struct aimg_error error;
    int code = EXIT_DONE;

    for (uint64_t first = 0; code == EXIT_DONE && first < search->ordinals; first = (uint64_t)chunk.first + chunk.count) {
        enum aimg_status status = aimg_reader_chunk(search->reader, column->index, (uint32_t)first, &chunk, &error);

        code = failed(search, status, &error);
        for (uint32_t row = 0; code == EXIT_DONE && chunk.values != NULL && row < chunk.count; row++) {
            const uint8_t *element = (const uint8_t *)chunk.values + (size_t)row * chunk.element_bytes;
            uint32_t target = (uint32_t)little_number(element, chunk.element_bytes);

            if (chunk.validity == NULL || (chunk.validity[row / 8] >> row % 8 & 1) != 0)
                code = search->reference(search, chunk.first + row, target);
        }
    }
    return code;
}

/* ------------------------------------------------------------------ both */

static int each_column(struct search *search, int (*what)(struct search *search, const struct aimg_column *column))
{
    struct aimg_column column;
    int code = EXIT_DONE;

    for (uint32_t i = 0; code == EXIT_DONE && aimg_reader_column(search->reader, i, &column, NULL) == AIMG_OK; i++)
        if (column.type == AIMG_TYPE_IMAGE)
            code = what(search, &column);
    return code;
}

static int find_unshared(struct search *search)
{
    int code = each_column(search, find_in_column);

    choice_sort(&search->found);
    if (code != EXIT_DONE || search->found.count == 0)
        return code;
    search->kept = calloc(search->found.count, sizeof *search->kept);
    if (search->kept == NULL) {
        output_error("out of memory for %zu attachments", search->found.count);
        return EXIT_SYSTEM;
    }
    return each_column(search, each_reference);
}

int attached_choose(const struct aimg_reader *reader, const char *path, struct choice *choice, size_t *added_out)
{
    size_t added;
    int code;

    *added_out = 0;
    do { /* an attachment may have attachments */
        struct search search = {
            .reader = reader, .path = path, .choice = choice, .ordinals = aimg_reader_ordinal_count(reader), .reference = keep};

        added = 0;
        code = find_unshared(&search);
        for (size_t i = 0; code == EXIT_DONE && i < search.found.count; i++) {
            if (search.kept[i])
                continue;
            code = choice_add(choice, search.found.ordinals[i]);
            added++;
        }
        choice_sort(choice);
        choice_fini(&search.found);
        free(search.kept);
        *added_out += added;
    } while (code == EXIT_DONE && added > 0);
    return code;
}

int attached_count(const struct aimg_reader *reader, const char *path, uint8_t **counts_out)
{
    uint64_t ordinals = aimg_reader_ordinal_count(reader);
    struct search search = {
        .reader = reader, .path = path, .ordinals = ordinals, .reference = count, .counts = calloc((size_t)ordinals + 1, 1)};

    *counts_out = search.counts;
    if (search.counts != NULL)
        return each_column(&search, each_reference);
    output_error("out of memory for %" PRIu64 " images", ordinals);
    return EXIT_SYSTEM;
}
