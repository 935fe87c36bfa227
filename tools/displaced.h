/* SPDX-License-Identifier: Apache-2.0 */
/* What 'aimg attach' puts out of its place: the attachment that an image has in a column until then. */
#ifndef AIMG_TOOLS_DISPLACED_H
#define AIMG_TOOLS_DISPLACED_H

#include "choose.h"

#define DISPLACED_NONE UINT32_MAX /* no ordinal */

/* All zero at first. */
struct displaced {
    const char *archive;
    struct aimg_reader *reader; /* what was there before */
    uint8_t *references;        /* to each image, as of attached_count; NULL until somebody asks */
    struct choice choice;       /* attachments that go */
};

/* Print what is wrong; return an exit_code. begin: before the writer writes; end in any case. */
int displaced_begin(struct displaced *displaced, const char *archive);
void displaced_end(struct displaced *displaced);

/* The attachment that an image has in the column, or DISPLACED_NONE. */
int displaced_find(const struct displaced *displaced, uint32_t owner, const char *column, uint32_t *attachment_out);
/* Whether an image has the attachment, in any column. */
int displaced_is_owned(struct displaced *displaced, uint32_t attachment, bool *owned_out);

/* Its place in one column of one image is taken: it goes when that was the last. */
int displaced_leave(struct displaced *displaced, uint32_t attachment);
/* Its name is taken: it is gone. */
int displaced_replaced(struct displaced *displaced, uint32_t attachment);

/* Removes what goes, with the attachments that only it has. */
int displaced_remove(struct displaced *displaced, struct aimg_writer *writer);

#endif
