/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd.h"

#include "json.h"
#include "output.h"
#include "reading.h"

#include <getopt.h>
#include <inttypes.h>
#include <string.h>

const char help_log[] =
    "      --json     one object with the array 'commits': seq, time, time_ns, images, added,\n"
    "                 removed, attached, detached, root, message\n" READING_AT_HELP "\n"
    "One line a commit, the newest first: its number, its time, images after it, +images that it\n"
    "added, -images that it removed or replaced, root hash, message. A renamed image counts as\n"
    "one added and one removed; attachments are not counted. The root hash stands for all that the archive held then.\n"
    "\n"
    "  aimg log photos.aimg\n"
    "  aimg log --json photos.aimg | jq '.commits[0].root'\n";

struct history {
    json_t *commits; /* NULL: print lines */
    bool failed;
};

/* A message may hold a newline, and must not pass for a commit then. */
static int print_commit(void *user, const struct aimg_commit *commit)
{
    char time[TIME_TEXT_BYTES], images[32], added[32], removed[32], root[33], message[4 * sizeof commit->message];
    const char *text = output_escape(commit->message, strlen(commit->message), message, sizeof message);

    (void)user;
    added[0] = '+';
    removed[0] = '-';
    output_count(commit->added, added + 1, sizeof added - 1);
    output_count(commit->removed, removed + 1, sizeof removed - 1);
    printf("%6" PRIu64 "  %s  %11s images  %12s  %11s  %s%s%s\n", commit->seq, reading_time(commit->time_ns, time),
           output_count(commit->listed_count, images, sizeof images), added, removed, output_hash(commit->chain, root),
           text[0] != '\0' ? "  " : "", text);
    return ferror(stdout);
}

static int put_commit(void *user, const struct aimg_commit *commit)
{
    struct history *history = user;
    struct json_object object = json_object_begin();
    char time[TIME_TEXT_BYTES];

    json_put_count(&object, "seq", commit->seq);
    json_put_string(&object, "time", reading_time(commit->time_ns, time));
    json_put_count(&object, "time_ns", commit->time_ns);
    json_put_count(&object, "images", commit->listed_count);
    json_put_count(&object, "added", commit->added);
    json_put_count(&object, "removed", commit->removed);
    json_put_count(&object, "attached", commit->attached);
    json_put_count(&object, "detached", commit->detached);
    json_put_hash(&object, "root", commit->chain);
    json_put_string(&object, "message", commit->message);
    /* Appending takes the reference also when it fails. */
    history->failed = json_array_append_new(history->commits, object.value) != 0 || object.failed;
    return history->failed;
}

static int print_history(const struct aimg_reader *reader, const char *path, bool json)
{
    struct history history = {.commits = NULL};
    struct json_object object;
    struct aimg_error error;
    enum aimg_status status;
    int code;

    if (json)
        history.commits = json_array();
    status = aimg_reader_log(reader, json ? put_commit : print_commit, &history, &error);
    code = status == AIMG_OK ? EXIT_DONE : output_status(path, status, &error);
    if (!json)
        return code;
    object = json_object_begin();
    object.failed = object.failed || history.failed;
    json_put_string(&object, "schema", "aimg.log/1");
    json_put_string(&object, "path", path);
    json_put(&object, "commits", history.commits);
    return worse_code(code, json_print(&object));
}

int cmd_log(int argc, char **argv, const struct common_options *common)
{
    enum { OPTION_JSON = LONG_OPTION, OPTION_AT };
    static const struct option options[] = {
        {"json", no_argument, NULL, OPTION_JSON}, {"at", required_argument, NULL, OPTION_AT}, {NULL, 0, NULL, 0}};
    struct reading_at at = {.given = false};
    struct aimg_reader *reader;
    bool json = false;
    int found, code;

    (void)common;
    optind = 0;
    opterr = 0;
    while ((found = getopt_long(argc, argv, ":", options, NULL)) != -1) {
        if (found == '?' || found == ':')
            return reading_bad_option("log", found, argv);
        if (found == OPTION_AT && reading_take_at("log", "--at", optarg, &at) != EXIT_DONE)
            return EXIT_USAGE;
        json = json || found == OPTION_JSON;
    }
    if (argc - optind != 1)
        return output_usage("log", optind >= argc ? "ARCHIVE is missing" : "one ARCHIVE at a time");
    code = reading_open_at(argv[optind], READING_COPIED, &at, &reader);
    if (code != EXIT_DONE)
        return code;
    code = print_history(reader, argv[optind], json);
    aimg_reader_close(reader);
    return output_finish(code);
}
