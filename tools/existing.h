/* SPDX-License-Identifier: Apache-2.0 */
/* Names that the archive has already, and what is to be done with them. */
#ifndef AIMG_TOOLS_EXISTING_H
#define AIMG_TOOLS_EXISTING_H

#include "ingest_options.h"
#include "load.h"

struct existing {
    struct aimg_writer *writer;
    enum existing_policy policy;
    uint32_t first_new; /* ordinals from here on were given by this command */
    uint8_t *seen;      /* a bit for each older ordinal: an input had its name */
    bool has_times;
    uint32_t times_index; /* of the column mtime_ns, in the base of the writer */
};

enum existing_answer {
    EXISTING_NEW,    /* the name is free */
    EXISTING_LEAVE,  /* it is there and stays */
    EXISTING_CHANGE, /* it is there and is replaced */
    EXISTING_TWICE,  /* another input of this command had it */
    EXISTING_OTHER,  /* an attachment has it */
    EXISTING_TROUBLE /* the archive cannot be asked; error says why */
};

/* Returns an exit_code. */
int existing_begin(struct existing *existing, struct aimg_writer *writer, enum existing_policy policy);
/* After a commit the base of the writer is another one. */
void existing_refresh(struct existing *existing);
void existing_end(struct existing *existing);

/* Before a file is read: LEAVE when it need not be, else NEW; fills what is known of it. */
enum existing_answer existing_before(const struct existing *existing, const struct input *input, struct load_item *known,
                                     struct aimg_error *error);
/* When it is to be stored. */
enum existing_answer existing_decide(struct existing *existing, const struct load_item *item, struct aimg_error *error);

#endif
