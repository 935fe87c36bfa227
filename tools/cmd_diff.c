/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd.h"

#include "json.h"
#include "output.h"
#include "reading.h"
#include "select.h"

#include <getopt.h>
#include <string.h>
#include <unistd.h>

const char help_diff[] = "      --from N   the first side as it was after commit N, a number of 'aimg log'; also --at N\n"
                         "      --to M     the second side as it was after commit M\n"
                         "      --json     one JSON object a line: change, name\n"
                         "\n"
                         "Compares two archives, or two commits of one, by name and content: '- NAME' is only on the\n"
                         "first side, '+ NAME' only on the second, '~ NAME' has other bytes there. A renamed image is\n"
                         "one removed and one added. Order, columns and metadata are not compared. The exit code is\n"
                         "that of diff: 0 when nothing differs, 1 when something does, more in case of trouble.\n"
                         "\n"
                         "  aimg diff old.aimg new.aimg\n"
                         "  aimg diff photos.aimg --from 3           what came since commit 3\n"
                         "  aimg diff photos.aimg --from 3 --to 5\n";

enum { NAME_ROOM = 1025 };

/* What differs; also the index of its mark. */
enum difference { REMOVED, ADDED, CHANGED, DIFFERENCES };

static const char *const words[DIFFERENCES] = {"removed", "added", "changed"};
static const char marks[DIFFERENCES] = {'-', '+', '~'};

struct side {
    const char *path;
    struct reading_at at;
    struct aimg_reader *reader;
    uint64_t commits; /* of the state that is read */
};

struct comparison {
    struct side sides[2];
    bool one_archive;
    bool json, terminal;
    uint64_t counts[DIFFERENCES];
    int code;
};

static void report(struct comparison *comparison, enum difference difference, const char *name, size_t name_bytes)
{
    char escaped[4 * NAME_ROOM];
    struct json_line line;

    comparison->counts[difference]++;
    if (comparison->json) {
        json_line_begin(&line);
        json_line_text(&line, "change", words[difference], strlen(words[difference]));
        json_line_text(&line, "name", name, name_bytes);
        json_line_end(&line);
        return;
    }
    printf("%c %s\n", marks[difference], comparison->terminal ? output_escape(name, name_bytes, escaped, sizeof escaped) : name);
}

static bool failed(struct comparison *comparison, const struct side *side, enum aimg_status status,
                   const struct aimg_error *error)
{
    if (status != AIMG_OK)
        comparison->code = worse_code(comparison->code, output_status(side->path, status, error));
    return status != AIMG_OK;
}

/* Whether two images have the same bytes; their hashes have 128 bits. */
static bool same_content(struct comparison *comparison, const struct side *side, uint32_t ordinal, const struct aimg_entry *other)
{
    struct aimg_entry entry;
    struct aimg_error error;

    if (failed(comparison, side, aimg_reader_entry(side->reader, ordinal, &entry, &error), &error))
        return true; /* the error is the answer */
    return entry.raw_bytes == other->raw_bytes && memcmp(entry.hash, other->hash, sizeof entry.hash) == 0;
}

/* An image of one side, against the other: what is on the first side only is removed; what is on the second may be changed. */
static void compare_image(struct comparison *comparison, unsigned index, uint32_t ordinal, const char *name, size_t name_bytes)
{
    const struct side *side = &comparison->sides[index], *other = &comparison->sides[1 - index];
    struct aimg_entry entry = {.attachment = 0};
    struct aimg_error error;
    uint32_t found;
    enum aimg_status status = aimg_reader_find(other->reader, name, name_bytes, &found, &error);

    if (status == AIMG_OK)
        status = aimg_reader_entry(other->reader, found, &entry, &error);
    if (status == AIMG_NOT_FOUND || entry.attachment) /* which is no image, whatever its name */
        report(comparison, index == 0 ? REMOVED : ADDED, name, name_bytes);
    else if (!failed(comparison, other, status, &error) && index == 1 && !same_content(comparison, side, ordinal, &entry))
        report(comparison, CHANGED, name, name_bytes);
}

/* ------------------------------------------------------------------ two archives: all names of both */

static void compare_all(struct comparison *comparison, unsigned index)
{
    const struct side *side = &comparison->sides[index];
    struct selection all = {.count = 0};
    struct aimg_listed listed;
    struct walk walk;

    walk_begin(&walk, side->reader, side->path, &all);
    while (!ferror(stdout) && walk_next(&walk, &listed))
        compare_image(comparison, index, listed.ordinal, listed.name, listed.name_bytes);
    walk_end(&walk);
    comparison->code = worse_code(comparison->code, walk.code);
}

/* ------------------------------------------------------------------ one archive: what its masks say */

/* The images that came or went between the commits and are of one side. */
struct changes {
    struct comparison *comparison;
    unsigned index;
    uint32_t kind; /* enum aimg_change_kind */
};

static int compare_change(void *user, const struct aimg_change *change)
{
    const struct changes *changes = user;
    const struct side *side = &changes->comparison->sides[changes->index];
    char name[NAME_ROOM];
    struct aimg_entry entry;
    struct aimg_error error;
    size_t bytes = 0;

    if (change->kind != changes->kind)
        return 0;
    if (failed(changes->comparison, side, aimg_reader_entry(side->reader, change->ordinal, &entry, &error), &error) ||
        entry.attachment ||
        failed(changes->comparison, side, aimg_reader_name(side->reader, change->ordinal, name, sizeof name, &bytes, &error),
               &error))
        return 0;
    compare_image(changes->comparison, changes->index, change->ordinal, name, bytes);
    return ferror(stdout);
}

static void compare_changes(struct comparison *comparison, unsigned index)
{
    unsigned later = comparison->sides[1].commits >= comparison->sides[0].commits;
    const struct side *newer = &comparison->sides[later];
    struct changes changes = {
        .comparison = comparison, .index = index, .kind = index == later ? AIMG_CHANGE_ADDED : AIMG_CHANGE_REMOVED};
    struct aimg_error error;
    enum aimg_status status =
        aimg_reader_changes(newer->reader, comparison->sides[1 - later].commits - 1, compare_change, &changes, &error);

    (void)failed(comparison, newer, status, &error);
}

/* ------------------------------------------------------------------ the command */

static int open_side(struct side *side)
{
    struct aimg_info info = {.struct_bytes = sizeof info};
    int code = reading_open_at(side->path, READING_MAPPED, &side->at, &side->reader);

    if (code == EXIT_DONE && aimg_reader_info(side->reader, &info, NULL) == AIMG_OK)
        side->commits = info.commit_count;
    return code;
}

static void note_counts(const struct comparison *comparison)
{
    char texts[DIFFERENCES][32];

    for (unsigned i = 0; i < DIFFERENCES; i++)
        output_count(comparison->counts[i], texts[i], sizeof texts[i]);
    output_note("%s added, %s removed, %s changed", texts[ADDED], texts[REMOVED], texts[CHANGED]);
}

static int compare(struct comparison *comparison)
{
    bool by_changes = comparison->one_archive && comparison->sides[0].commits > 0 && comparison->sides[1].commits > 0;
    int code;

    comparison->terminal = isatty(STDOUT_FILENO);
    for (unsigned index = 0; index < 2; index++) {
        if (by_changes)
            compare_changes(comparison, index);
        else
            compare_all(comparison, index);
    }
    code = output_finish(comparison->code);
    if (code != EXIT_DONE)
        return code;
    note_counts(comparison);
    return comparison->counts[ADDED] + comparison->counts[REMOVED] + comparison->counts[CHANGED] > 0 ? EXIT_NO : EXIT_DONE;
}

static int compare_archives(struct comparison *comparison)
{
    int code = open_side(&comparison->sides[0]);

    if (code == EXIT_DONE)
        code = open_side(&comparison->sides[1]);
    /* That there is no such commit is no answer about differences. */
    code = code == EXIT_NO ? EXIT_USAGE : code;
    if (code == EXIT_DONE)
        code = compare(comparison);
    aimg_reader_close(comparison->sides[0].reader);
    aimg_reader_close(comparison->sides[1].reader);
    return code;
}

int cmd_diff(int argc, char **argv, const struct common_options *common)
{
    enum { OPTION_FROM = LONG_OPTION, OPTION_TO, OPTION_JSON };
    static const struct option options[] = {{"from", required_argument, NULL, OPTION_FROM},
                                            {"at", required_argument, NULL, OPTION_FROM},
                                            {"to", required_argument, NULL, OPTION_TO},
                                            {"json", no_argument, NULL, OPTION_JSON},
                                            {NULL, 0, NULL, 0}};
    struct comparison comparison = {.json = false};
    struct side *first = &comparison.sides[0], *second = &comparison.sides[1];
    int found;

    (void)common;
    optind = 0;
    opterr = 0;
    while ((found = getopt_long(argc, argv, ":", options, NULL)) != -1) {
        if (found == '?' || found == ':')
            return reading_bad_option("diff", found, argv);
        comparison.json = comparison.json || found == OPTION_JSON;
        if ((found == OPTION_FROM && reading_take_at("diff", "--from", optarg, &first->at) != EXIT_DONE) ||
            (found == OPTION_TO && reading_take_at("diff", "--to", optarg, &second->at) != EXIT_DONE))
            return EXIT_USAGE;
    }
    if (optind >= argc || argc - optind > 2)
        return output_usage("diff", optind >= argc ? "ARCHIVE is missing" : "two archives at a time");
    comparison.one_archive = argc - optind == 1;
    if (comparison.one_archive && !first->at.given)
        return output_usage("diff", "with one ARCHIVE, --from says which commit to compare with");
    first->path = argv[optind];
    second->path = comparison.one_archive ? first->path : argv[optind + 1];
    return compare_archives(&comparison);
}
