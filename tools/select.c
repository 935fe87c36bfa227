/* SPDX-License-Identifier: Apache-2.0 */
#include "select.h"

#include "cmd.h"
#include "glob.h"
#include "output.h"
#include "reading.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    NAME_ROOM = 1024 + 1,  /* a longest name */
    NEAREST_SCAN = 1000000 /* names looked at for a hint: a few milliseconds */
};

/* ------------------------------------------------------------------ globs */

static int compare_bytes(const char *a, size_t a_bytes, const char *b, size_t b_bytes)
{
    int order = memcmp(a, b, a_bytes < b_bytes ? a_bytes : b_bytes);

    return order != 0 ? order : (a_bytes > b_bytes) - (a_bytes < b_bytes);
}

static int compare_patterns(const void *a, const void *b)
{
    const struct pattern *left = a, *right = b;

    return compare_bytes(left->text, left->bytes, right->text, right->bytes);
}

int selection_init(struct selection *selection, char *const *texts, int count)
{
    size_t room = count > 0 ? (size_t)count : 0;
    struct pattern *pattern;

    *selection = (struct selection){0};
    if (room == 0)
        return EXIT_DONE;
    selection->patterns = calloc(room, sizeof *selection->patterns);
    selection->wild = calloc(room, sizeof(struct pattern *));
    if (selection->patterns == NULL || selection->wild == NULL) {
        selection_fini(selection);
        output_error("out of memory for %zu names and globs", room);
        return EXIT_SYSTEM;
    }
    for (size_t i = 0; i < room; i++)
        selection->patterns[i] = (struct pattern){.text = texts[i], .bytes = strlen(texts[i])};
    qsort(selection->patterns, room, sizeof *selection->patterns, compare_patterns);
    for (size_t i = 0; i < room; i++)
        if (i == 0 || compare_patterns(&selection->patterns[selection->count - 1], &selection->patterns[i]) != 0)
            selection->patterns[selection->count++] = selection->patterns[i];
    for (size_t i = 0; i < selection->count; i++) {
        pattern = &selection->patterns[i];
        pattern->wild = strpbrk(pattern->text, "*?[\\") != NULL;
        if (pattern->wild)
            selection->wild[selection->wild_count++] = pattern;
    }
    return EXIT_DONE;
}

void selection_fini(struct selection *selection)
{
    free(selection->patterns);
    free(selection->wild);
    *selection = (struct selection){0};
}

static struct pattern *find_exact(const struct selection *selection, const char *name, size_t name_bytes)
{
    struct pattern wanted = {.text = name, .bytes = name_bytes};

    return bsearch(&wanted, selection->patterns, selection->count, sizeof wanted, compare_patterns);
}

bool selection_has(struct selection *selection, const char *name, size_t name_bytes)
{
    struct pattern *exact;
    bool has;

    if (selection->count == 0)
        return true;
    exact = find_exact(selection, name, name_bytes);
    has = exact != NULL;
    if (has)
        exact->matched = true;
    /* All globs are tried until each has matched once, so that selection_report is right. */
    for (size_t i = 0; i < selection->wild_count; i++) {
        if ((has && selection->wild[i]->matched) || !glob_matches(selection->wild[i]->text, name, name_bytes))
            continue;
        selection->wild[i]->matched = true;
        has = true;
    }
    return has;
}

static bool ends_in_slash(const char *word)
{
    size_t bytes = strlen(word);

    return bytes > 0 && word[bytes - 1] == '/';
}

/* Marks the patterns below which an image lies. */
static void find_folders(struct selection *selection, const struct aimg_reader *reader)
{
    struct aimg_names *names;
    struct aimg_listed listed;
    struct pattern *folder;

    if (aimg_names_create(reader, 0, &names, NULL) != AIMG_OK)
        return;
    for (unsigned i = 0; i < NEAREST_SCAN && aimg_names_next(names, &listed, NULL) == AIMG_OK; i++)
        for (const char *slash = strchr(listed.name, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
            folder = find_exact(selection, listed.name, (size_t)(slash - listed.name));
            if (folder != NULL)
                folder->folder = true;
        }
    aimg_names_destroy(names);
}

bool select_is_folder(const struct aimg_reader *reader, const char *word)
{
    struct pattern pattern = {.text = word, .bytes = strlen(word)};
    struct selection selection = {.patterns = &pattern, .count = 1};

    if (ends_in_slash(word))
        return true;
    find_folders(&selection, reader);
    return pattern.folder;
}

const char *select_folder_rest(const char *word)
{
    return ends_in_slash(word) ? "*" : "/*";
}

int selection_report(struct selection *selection, const struct aimg_reader *reader)
{
    bool missing = false, looked = false;

    for (size_t i = 0; i < selection->count; i++) {
        const struct pattern *pattern = &selection->patterns[i];

        if (pattern->matched)
            continue;
        missing = true;
        if (!looked && !pattern->wild)
            find_folders(selection, reader);
        looked = looked || !pattern->wild;
        if (!pattern->wild && (pattern->folder || ends_in_slash(pattern->text)))
            output_error("no image matches '%s' (a folder is written '%s%s')", pattern->text, pattern->text,
                         select_folder_rest(pattern->text));
        else
            output_error("no image matches '%s'", pattern->text);
    }
    return missing ? EXIT_NO : EXIT_DONE;
}

/* ------------------------------------------------------------------ walking */

void walk_begin(struct walk *walk, const struct aimg_reader *reader, const char *path, struct selection *selection)
{
    *walk = (struct walk){.reader = reader, .path = path, .selection = selection};
}

void walk_end(struct walk *walk)
{
    aimg_names_destroy(walk->names);
    walk->names = NULL;
}

static enum aimg_status walk_step(struct walk *walk, struct aimg_listed *listed, struct aimg_error *error)
{
    enum aimg_status status;

    if (walk->position >= aimg_reader_count(walk->reader))
        return AIMG_END;
    if (walk->names == NULL) {
        status = aimg_names_create(walk->reader, walk->position, &walk->names, error);
        if (status != AIMG_OK)
            return status;
    }
    status = aimg_names_next(walk->names, listed, error);
    if (status == AIMG_OK)
        walk->position = listed->position + 1;
    return status;
}

static void walk_report(struct walk *walk, enum aimg_status status, const struct aimg_error *error)
{
    if (walk->silent)
        walk->code = output_exit_code(status);
    else
        walk->code = output_status(walk->path, status, error);
}

/* Names lie in groups, and a damaged group takes all of its names with it: goes on behind them, with one message for the lot. */
static enum aimg_status step_over_damage(struct walk *walk, struct aimg_listed *listed, const struct aimg_error *first_error)
{
    uint64_t first = walk->position, skipped;
    char images[COUNT_TEXT_BYTES];
    struct aimg_error error;
    enum aimg_status status;

    do {
        walk_end(walk);
        walk->position++;
        status = walk_step(walk, listed, &error);
    } while (status == AIMG_CORRUPT || status == AIMG_CHECKSUM);
    skipped = (status == AIMG_OK ? listed->position : walk->position) - first;
    walk->damaged += skipped;
    walk_report(walk, first_error->status, first_error);
    if (!walk->silent)
        output_error("%s: names from @%" PRIu64 " on cannot be read; %s left out", walk->path, first,
                     reading_count(skipped, "image", images));
    if (status != AIMG_OK && status != AIMG_END)
        walk_report(walk, status, &error);
    return status;
}

bool walk_next(struct walk *walk, struct aimg_listed *listed_out)
{
    struct aimg_error error;
    enum aimg_status status;

    do {
        status = walk_step(walk, listed_out, &error);
        if (status == AIMG_CORRUPT || status == AIMG_CHECKSUM)
            status = step_over_damage(walk, listed_out, &error);
        else if (status != AIMG_OK && status != AIMG_END)
            walk_report(walk, status, &error);
        if (status != AIMG_OK)
            return false;
    } while (!selection_has(walk->selection, listed_out->name, listed_out->name_bytes));
    return true;
}

/* ------------------------------------------------------------------ one image */

static const char *base_of(const char *name)
{
    const char *slash = strrchr(name, '/');

    return slash != NULL ? slash + 1 : name;
}

/* The first name that differs in case only, else the first with the same last part. */
static bool find_nearest(const struct aimg_reader *reader, const char *word, char nearest[NAME_ROOM])
{
    const char *base = base_of(word);
    struct aimg_names *names;
    struct aimg_listed listed;
    bool found = false, same = false;

    if (aimg_names_create(reader, 0, &names, NULL) != AIMG_OK)
        return false;
    for (unsigned i = 0; !same && i < NEAREST_SCAN && aimg_names_next(names, &listed, NULL) == AIMG_OK; i++) {
        same = strcasecmp(listed.name, word) == 0;
        if (!same && (found || strcasecmp(base_of(listed.name), base) != 0))
            continue;
        found = true;
        snprintf(nearest, NAME_ROOM, "%s", listed.name);
    }
    aimg_names_destroy(names);
    return found;
}

static int select_position(const struct aimg_reader *reader, const char *path, const char *word, uint32_t *ordinal_out)
{
    uint64_t count = aimg_reader_count(reader), position = 0;
    struct aimg_error error;
    enum aimg_status status;
    char last[32];

    for (const char *digit = word + 1; *digit != '\0'; digit++)
        if (__builtin_mul_overflow(position, UINT64_C(10), &position) ||
            __builtin_add_overflow(position, (uint64_t)(*digit - '0'), &position))
            position = UINT64_MAX;
    if (position >= count) {
        if (count == 0)
            output_error("%s: no image %s: the archive is empty", path, word);
        else
            output_error("%s: no image %s: the last of its images is @%" PRIu64 " (%s in all)", path, word, count - 1,
                         output_count(count, last, sizeof last));
        return EXIT_NO;
    }
    status = aimg_reader_ordinal_at(reader, position, ordinal_out, &error);
    return status == AIMG_OK ? EXIT_DONE : output_status(path, status, &error);
}

bool select_is_position(const char *word)
{
    return word[0] == '@' && word[1] != '\0' && word[1 + strspn(word + 1, "0123456789")] == '\0';
}

int select_image(const struct aimg_reader *reader, const char *path, const char *word, bool plain, uint32_t *ordinal_out)
{
    size_t bytes = strlen(word);
    char nearest[NAME_ROOM];
    struct aimg_error error;
    enum aimg_status status;

    if (!plain && select_is_position(word))
        return select_position(reader, path, word, ordinal_out);
    status = aimg_reader_find(reader, word, bytes, ordinal_out, &error);
    if (status == AIMG_OK)
        return EXIT_DONE;
    if (status != AIMG_NOT_FOUND && status != AIMG_INVALID_ARGUMENT)
        return output_status(path, status, &error);
    if (find_nearest(reader, word, nearest))
        output_error("%s: no image '%s'; did you mean '%s'?", path, word, nearest);
    else
        output_error("%s: no image '%s'; 'aimg ls' lists the names", path, word);
    return EXIT_NO;
}
