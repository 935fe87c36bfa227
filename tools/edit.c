/* SPDX-License-Identifier: Apache-2.0 */
#include "edit.h"

#include "cmd.h"
#include "output.h"
#include "writing.h"

#include <string.h>

bool edit_take_option(struct edit *edit, int found, const char *value)
{
    if (found == EDIT_OPTION_MESSAGE)
        edit->message = value;
    edit->wait = edit->wait || found == EDIT_OPTION_WAIT;
    return found == EDIT_OPTION_MESSAGE || found == EDIT_OPTION_WAIT;
}

int edit_open(struct edit *edit)
{
    struct ingest_options options = {.archive = edit->archive, .wait = edit->wait};
    enum aimg_status status;
    int code = ingest_check_message(edit->verb, edit->message);

    if (code == EXIT_DONE)
        code = ingest_epoch(edit->verb, &options.reproducible, &options.time_ns);
    if (code == EXIT_DONE)
        code = writing_open_as(edit->archive, &options, &edit->writer, &status, &edit->identity);
    return code;
}

int edit_failed(const struct edit *edit, enum aimg_status status, const struct aimg_error *error)
{
    return writing_failed(edit->archive, status, error);
}

int edit_commit(struct edit *edit)
{
    struct aimg_error error;
    enum aimg_status status = aimg_writer_commit(edit->writer, edit->message, &error);

    if (status != AIMG_OK)
        return edit_failed(edit, status, &error);
    edit->committed = true;
    return EXIT_DONE;
}

/* A commit that failed at its very end may be there all the same. */
static bool is_as_it_was(const struct edit *edit, const uint8_t chain[16])
{
    struct aimg_reader_options options = {.struct_bytes = sizeof options, .flags = AIMG_READER_NO_MAP};
    struct aimg_info info = {.struct_bytes = sizeof info};
    struct aimg_reader *reader = NULL;
    bool same = aimg_reader_open(edit->archive, &options, &reader, NULL) == AIMG_OK &&
                aimg_reader_info(reader, &info, NULL) == AIMG_OK && memcmp(info.chain, chain, sizeof info.chain) == 0;

    aimg_reader_close(reader);
    return same;
}

int edit_close(struct edit *edit, int code)
{
    struct aimg_info before = {.struct_bytes = sizeof before};
    bool failed = code >= EXIT_SYSTEM && edit->undone != NULL && !edit->committed &&
                  aimg_reader_info(aimg_writer_base(edit->writer), &before, NULL) == AIMG_OK;
    int closed = writing_close(edit->writer, edit->archive);

    if (failed && is_as_it_was(edit, before.chain))
        output_error("%s: %s; the archive is as it was", edit->archive, edit->undone);
    if (edit->committed && writing_confirm(&edit->identity, edit->archive) != EXIT_DONE) {
        edit->committed = false;
        return EXIT_SYSTEM;
    }
    return code != EXIT_DONE ? code : closed;
}
