/* SPDX-License-Identifier: Apache-2.0 */
#include "edit.h"

#include "cmd.h"
#include "output.h"
#include "writing.h"

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

int edit_close(struct edit *edit, int code)
{
    int closed = writing_close(edit->writer, edit->archive);

    if (edit->committed && writing_confirm(&edit->identity, edit->archive) != EXIT_DONE) {
        edit->committed = false;
        return EXIT_SYSTEM;
    }
    return code != EXIT_DONE ? code : closed;
}
