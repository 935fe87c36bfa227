/* SPDX-License-Identifier: Apache-2.0 */
/* Archives to be damaged: what is in them, and which bytes are whose. The truth is read from the sound archive by number, and the
 * layout from its frames, so that nothing here knows how repair works. */
#ifndef AIMG_TEST_REPAIR_TRUTH_H
#define AIMG_TEST_REPAIR_TRUTH_H

#include <aimg/aimg.h>
#include <stdbool.h>

/* A frame of the sound archive. */
struct layout_frame {
    uint64_t offset, header_bytes, stored_bytes, total_bytes;
    uint32_t ordinal;
    uint8_t type, coding;
};

/* An image that is not dead. */
struct true_image {
    char name[64];
    uint8_t hash[16];
    uint32_t ordinal;
    bool alias, attachment;
    uint8_t coding;
    uint64_t frame_offset, data_offset, stored_bytes; /* of its bytes */
    uint64_t own_offset;                              /* of its own frame: that of the bytes, or its ALIAS */
};

/* An image of the last commit that the torn tail replaces. */
struct replaced_image {
    char name[64];
    uint8_t hash[16];
    uint64_t own_offset, data_offset, stored_bytes;
};

enum { TRUTH_REPLACED = 8, TRUTH_IMAGES = 400, TRUTH_FRAMES = 2000, TRUTH_COLUMNS = 32 };

struct truth {
    const char *path; /* of the sound archive */
    uint8_t *bytes;   /* of it; of a torn one, up to the last image of a batch that was not committed: */
    size_t file_bytes;
    uint64_t committed_end; /* where that begins; else the end */
    uint32_t committed_count;
    struct layout_frame frames[TRUTH_FRAMES];
    unsigned frame_count;
    struct true_image images[TRUTH_IMAGES];
    unsigned image_count;
    struct replaced_image replaced[TRUTH_REPLACED];
    unsigned replaced_count;
    struct aimg_reader *reader; /* of the sound archive; with that batch, committed */
    uint32_t columns;
};

/* Archives with everything; 0 to TRUTH_KINDS - 1. ALIGNED: each commit is of a session of its own, LATE: the last commit
 * defines columns, PLAIN: there is one commit, TORN: a writer was interrupted, which had replaced images. */
enum truth_kind { TRUTH_RICH, TRUTH_ALIGNED, TRUTH_SEALED, TRUTH_MANY_COMMITS, TRUTH_LATE, TRUTH_PLAIN, TRUTH_TORN, TRUTH_KINDS };
void truth_make(struct truth *truth, enum truth_kind kind);
void truth_destroy(struct truth *truth);
const struct true_image *truth_find(const struct truth *truth, const char *name);

#endif
