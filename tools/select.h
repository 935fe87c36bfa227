/* SPDX-License-Identifier: Apache-2.0 */
/* From words of the command line to images: GLOB... of ls and unpack, NAME|@N of cat and info. */
#ifndef AIMG_TOOLS_SELECT_H
#define AIMG_TOOLS_SELECT_H

#include <aimg/aimg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pattern {
    const char *text;
    size_t bytes;
    bool wild;    /* has a character with a meaning */
    bool matched; /* some name matched it */
    bool folder;  /* some name lies below it, as selection_report finds out */
};

struct selection {
    struct pattern *patterns; /* sorted by text, so that thousands of plain names cost one binary search */
    size_t count;
    struct pattern **wild;
    size_t wild_count;
};

/* texts: borrowed until selection_fini. No texts select all. Returns an exit_code. */
int selection_init(struct selection *selection, char *const *texts, int count);
void selection_fini(struct selection *selection);
bool selection_has(struct selection *selection, const char *name, size_t name_bytes);
/* Lists the globs that matched nothing, and how those that are folders are written. Returns EXIT_NO when there are any. */
int selection_report(struct selection *selection, const struct aimg_reader *reader);

/* Whether a word, of which there is no image, stands for a folder: it ends in a slash, or an image lies below it. */
bool select_is_folder(const struct aimg_reader *reader, const char *word);
/* What a word that is a folder lacks to mean all images below it. */
const char *select_folder_rest(const char *word);

/* Walks the listed images that a selection has, in order of position. Names that are damaged are reported and stepped over. */
struct walk {
    const struct aimg_reader *reader;
    const char *path;
    struct selection *selection;
    struct aimg_names *names;
    uint64_t position; /* of the next image */
    uint64_t damaged;  /* images whose name could not be read */
    int code;          /* exit_code of what went wrong so far */
    bool silent;       /* set after walk_begin: no messages; for a first walk that only counts */
};

void walk_begin(struct walk *walk, const struct aimg_reader *reader, const char *path, struct selection *selection);
/* False at the end. What *listed_out borrows is valid until the next call. */
bool walk_next(struct walk *walk, struct aimg_listed *listed_out);
void walk_end(struct walk *walk);

/* Whether a word looks like "@N". */
bool select_is_position(const char *word);

/* Finds what a word means: "@N" the image at position N, all else a name; with plain every word is a name. Prints what is wrong,
 * with the nearest name. Returns an exit_code. */
int select_image(const struct aimg_reader *reader, const char *path, const char *word, bool plain, uint32_t *ordinal_out);

#endif
