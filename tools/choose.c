/* SPDX-License-Identifier: Apache-2.0 */
#include "choose.h"

#include "cmd.h"
#include "output.h"
#include "reading.h"
#include "select.h"

#include <stdlib.h>
#include <string.h>

enum { REPORTED_MOST = 20, FIRST_ROOM = 64 };

void choice_fini(struct choice *choice)
{
    free(choice->ordinals);
    *choice = (struct choice){.count = 0};
}

int choice_add(struct choice *choice, uint32_t ordinal)
{
    size_t room = choice->room == 0 ? FIRST_ROOM : choice->room * 2;
    uint32_t *ordinals;

    if (choice->count == choice->room) {
        ordinals = realloc(choice->ordinals, room * sizeof *ordinals);
        if (ordinals == NULL) {
            output_error("out of memory for %zu images", room);
            return EXIT_SYSTEM;
        }
        choice->ordinals = ordinals;
        choice->room = room;
    }
    choice->ordinals[choice->count++] = ordinal;
    return EXIT_DONE;
}

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

void choice_sort(struct choice *choice)
{
    size_t kept = 0;

    if (choice->count > 0)
        qsort(choice->ordinals, choice->count, sizeof *choice->ordinals, compare);
    for (size_t i = 0; i < choice->count; i++)
        if (i == 0 || choice->ordinals[i] != choice->ordinals[kept - 1])
            choice->ordinals[kept++] = choice->ordinals[i];
    choice->count = kept;
}

size_t choice_find(const struct choice *choice, uint32_t ordinal)
{
    const uint32_t *place = NULL;

    if (choice->count > 0)
        place = bsearch(&ordinal, choice->ordinals, choice->count, sizeof ordinal, compare);
    return place == NULL ? choice->count : (size_t)(place - choice->ordinals);
}

static bool is_glob(const struct aimg_reader *reader, const char *word)
{
    uint32_t ordinal;

    return strpbrk(word, "*?[\\") != NULL && aimg_reader_find(reader, word, strlen(word), &ordinal, NULL) == AIMG_NOT_FOUND;
}

/* All names are looked at once, whatever the number of globs. */
static int add_matches(struct choice *choice, const struct aimg_reader *reader, const char *path, char *const *globs, int count)
{
    struct selection selection;
    struct aimg_listed listed;
    struct walk walk;
    int code;

    if (count == 0)
        return EXIT_DONE;
    code = selection_init(&selection, globs, count);
    if (code != EXIT_DONE)
        return code;
    walk_begin(&walk, reader, path, &selection);
    while (code == EXIT_DONE && walk_next(&walk, &listed))
        code = choice_add(choice, listed.ordinal);
    walk_end(&walk);
    code = worse_code(code, walk.code);
    if (code == EXIT_DONE)
        code = selection_report(&selection, reader);
    selection_fini(&selection);
    return code;
}

/* A word that is no glob, in a place where globs may stand. */
static int find_image(const struct aimg_reader *reader, const char *path, const char *word, uint32_t *ordinal_out)
{
    enum aimg_status status;

    if (select_is_position(word))
        return select_image(reader, path, word, false, ordinal_out);
    status = aimg_reader_find(reader, word, strlen(word), ordinal_out, NULL);
    if ((status == AIMG_NOT_FOUND || status == AIMG_INVALID_ARGUMENT) && select_is_folder(reader, word)) {
        output_error("%s: no image '%s' (a folder is written '%s%s')", path, word, word, select_folder_rest(word));
        return EXIT_NO;
    }
    return status == AIMG_OK ? EXIT_DONE : select_image(reader, path, word, true, ordinal_out);
}

int choice_make(struct choice *choice, const struct aimg_reader *reader, const char *path, char *const *words, int count,
                bool plain)
{
    char **globs = calloc(count > 0 ? (size_t)count : 1, sizeof *globs);
    int glob_count = 0, missing = 0, code = EXIT_DONE, one;
    uint32_t ordinal;

    if (globs == NULL) {
        output_error("out of memory for %d names", count);
        return EXIT_SYSTEM;
    }
    for (int i = 0; i < count && code <= EXIT_NO && missing < REPORTED_MOST; i++) {
        if (!plain && is_glob(reader, words[i])) {
            globs[glob_count++] = words[i];
            continue;
        }
        one = plain ? select_image(reader, path, words[i], true, &ordinal) : find_image(reader, path, words[i], &ordinal);
        missing += one != EXIT_DONE;
        code = worse_code(code, one == EXIT_DONE ? choice_add(choice, ordinal) : one);
    }
    if (missing == REPORTED_MOST)
        output_error("... and what follows was not looked for");
    else if (code <= EXIT_NO)
        code = worse_code(code, add_matches(choice, reader, path, globs, glob_count));
    free(globs);
    choice_sort(choice);
    return code;
}
