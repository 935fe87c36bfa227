/* SPDX-License-Identifier: Apache-2.0 */
/* From words of the command line to a set of images, all or nothing: what a verb that changes them works on. */
#ifndef AIMG_TOOLS_CHOOSE_H
#define AIMG_TOOLS_CHOOSE_H

#include <aimg/aimg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Ordinals, ascending, each once. All zero at first. */
struct choice {
    uint32_t *ordinals;
    size_t count, room;
};

/* Words: "@N" the image at position N; a name; else a GLOB, all images that it matches. A word that is a name means that image
 * only, whatever a GLOB it might be. plain: all words are names. A word that means nothing is reported, all of them are, and the
 * result is EXIT_NO; a name that is damaged may be one of those that are meant, so that it is an error too. Returns an
 * exit_code. */
int choice_make(struct choice *choice, const struct aimg_reader *reader, const char *path, char *const *words, int count,
                bool plain);
void choice_fini(struct choice *choice);

/* Adding leaves the order to choice_sort, which takes out what is there twice too. choice_add returns an exit_code. */
int choice_add(struct choice *choice, uint32_t ordinal);
void choice_sort(struct choice *choice);
/* Of a sorted choice: where the ordinal stands, or count. */
size_t choice_find(const struct choice *choice, uint32_t ordinal);

static inline bool choice_has(const struct choice *choice, uint32_t ordinal)
{
    return choice_find(choice, ordinal) < choice->count;
}

#endif
