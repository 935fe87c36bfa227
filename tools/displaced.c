/* SPDX-License-Identifier: Apache-2.0 */
#include "displaced.h"

#include "attached.h"
#include "cmd.h"
#include "little.h"
#include "output.h"
#include "reading.h"
#include "writing.h"

#include <stdlib.h>

int displaced_begin(struct displaced *displaced, const char *archive)
{
    displaced->archive = archive;
    return reading_open(archive, READING_MAPPED, &displaced->reader);
}

void displaced_end(struct displaced *displaced)
{
    aimg_reader_close(displaced->reader);
    free(displaced->references);
    choice_fini(&displaced->choice);
}

int displaced_find(const struct displaced *displaced, uint32_t owner, const char *column, uint32_t *attachment_out)
{
    const struct aimg_reader *reader = displaced->reader;
    struct aimg_column found;
    struct aimg_entry entry;
    struct aimg_error error;
    uint8_t value[4];
    uint32_t target;
    size_t bytes = 0;
    int null = 0;
    enum aimg_status status;

    *attachment_out = DISPLACED_NONE;
    if (owner >= aimg_reader_ordinal_count(reader) || aimg_reader_column_find(reader, column, &found, NULL) != AIMG_OK)
        return EXIT_DONE;
    status = aimg_reader_value(reader, found.index, owner, value, sizeof value, &bytes, &null, &error);
    if (status == AIMG_OK && null != 0)
        return EXIT_DONE;
    target = status == AIMG_OK ? (uint32_t)little_number(value, bytes) : 0;
    if (status == AIMG_OK)
        status = aimg_reader_entry(reader, target, &entry, &error);
    if (status != AIMG_OK)
        return output_status(displaced->archive, status, &error);
    if (entry.attachment && !entry.dead)
        *attachment_out = target;
    return EXIT_DONE;
}

static int count(struct displaced *displaced)
{
    if (displaced->references != NULL)
        return EXIT_DONE;
    return attached_count(displaced->reader, displaced->archive, &displaced->references);
}

int displaced_is_owned(struct displaced *displaced, uint32_t attachment, bool *owned_out)
{
    int code = count(displaced);

    *owned_out = code == EXIT_DONE && displaced->references[attachment] > 0;
    return code;
}

int displaced_leave(struct displaced *displaced, uint32_t attachment)
{
    int code = count(displaced);
    uint8_t *references;

    if (code != EXIT_DONE)
        return code;
    references = &displaced->references[attachment];
    if (*references == ATTACHED_MANY)
        return EXIT_DONE;
    if (*references > 0)
        --*references;
    return *references == 0 ? choice_add(&displaced->choice, attachment) : EXIT_DONE;
}

int displaced_replaced(struct displaced *displaced, uint32_t attachment)
{
    return choice_add(&displaced->choice, attachment);
}

int displaced_remove(struct displaced *displaced, struct aimg_writer *writer)
{
    struct choice *choice = &displaced->choice;
    struct aimg_error error;
    size_t more;
    int code = EXIT_DONE;

    choice_sort(choice);
    if (choice->count > 0)
        code = attached_choose(displaced->reader, displaced->archive, choice, &more);
    for (size_t i = 0; code == EXIT_DONE && i < choice->count; i++) {
        enum aimg_status status = aimg_writer_remove(writer, choice->ordinals[i], &error);

        if (status != AIMG_OK && status != AIMG_NOT_FOUND) /* who takes a name has removed it already */
            code = writing_failed(displaced->archive, status, &error);
    }
    return code;
}
