/* SPDX-License-Identifier: Apache-2.0 */
/* All that can be refused is refused before the first byte is written: the first walk counts and looks, the second writes. */
#include "cmd.h"

#include "command_line.h"
#include "cores.h"
#include "interrupt.h"
#include "output.h"
#include "portable.h"
#include "reading.h"
#include "unpack.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <string.h>
#include <sys/statvfs.h>

const char help_unpack[] = "  -C, --directory DIR    write below DIR, which is created when missing; else below '.'\n"
                           "  -f, --force            replace files that are there\n"
                           "      --skip-existing    leave files alone that have the same size and bytes already; this\n"
                           "                         resumes an unpack that was stopped. A file that differs is an\n"
                           "                         error, or replaced with --force\n"
                           "      --max-output BYTES refuse to write more; K, M, G, T are powers of 1000. Without it the\n"
                           "                         limit is 4 times the size of the archive, and at least 1 GiB; and an\n"
                           "                         image of more than 1 GiB, or more than 1,000 times larger than it is\n"
                           "                         stored, is left out\n"
                           "      --max-files N      refuse to write more files\n"
                           "      --portable         refuse all when a name is one that Windows does not allow, or when two\n"
                           "                         are the same to some file system: 'A.jpg' and 'a.jpg'\n"
                           "      --threads N        1 to 256; else one for each core\n"
                           "      --at N             as it was after commit N, a number of 'aimg log'\n"
                           "\n"
                           "Without GLOB all images are written. A GLOB is as in 'aimg ls'. Nothing is written outside\n"
                           "DIR, and no symbolic link below it is followed. Each file is written under a temporary name\n"
                           "and renamed when it is whole. Without --force nothing is replaced: when any file is there\n"
                           "already, nothing at all is written. An image that is damaged, or that has no place (one is\n"
                           "'a', another 'a/b'), is listed, the others are written, and the exit status is 1. Where the\n"
                           "archive keeps the files' times ('pack --times') they are restored.\n"
                           "\n"
                           "  aimg unpack photos.aimg -C copy\n"
                           "  aimg unpack photos.aimg -C cats 'cat/*'\n"
                           "  aimg unpack --skip-existing photos.aimg -C copy\n";

enum { LISTED_MOST = 20 };

#define OUTPUT_LEAST (UINT64_C(1) << 30)

struct request {
    const char *archive, *directory;
    bool force, skip_existing, portable, quiet;
    uint64_t output_most; /* UINT64_MAX: the default */
    uint64_t files_most;
    unsigned threads;
    struct reading_at at;
    struct extract_root root;
    int argc; /* as given, to be printed again */
    char **argv;
};

/* ------------------------------------------------------------------ looking before writing */

struct plan {
    uint64_t images, bytes, in_the_way, not_portable;
    uint64_t stored_bytes; /* of what is no alias */
};

static void list_in_the_way(const struct request *request, struct plan *plan, const char *name, int error)
{
    if (plan->in_the_way++ < LISTED_MOST)
        output_error("%s/%s: %s", request->directory, name, extract_reason(error));
}

static void look_at_place(const struct request *request, struct extract_folder *folder, struct plan *plan,
                          const struct aimg_listed *listed)
{
    const char *base;
    int error = extract_folder_enter(folder, listed->name, listed->name_bytes, false, &base);

    /* A name that is not allowed is in nobody's way; its image is left out, the others are written. */
    if (error == ENOENT || error == EINVAL || error == EILSEQ)
        return;
    if (error == 0)
        error = extract_check_free(folder, base);
    if (error != 0)
        list_in_the_way(request, plan, listed->name, error);
}

/* A name that is damaged is not known, and a name that no archive may hold is written nowhere: neither needs a place. */
static int look_at_names(const struct request *request, const struct aimg_reader *reader, struct selection *selection,
                         struct plan *plan)
{
    struct portable portable;
    struct aimg_listed listed;
    struct walk walk;
    int code = portable_init(&portable) ? EXIT_DONE : EXIT_SYSTEM;

    walk_begin(&walk, reader, request->archive, selection);
    walk.silent = true;
    while (code == EXIT_DONE && !portable.forgot && !interrupt_pending() && walk_next(&walk, &listed)) {
        const char *wrong = NULL;

        if (aimg_name_check(listed.name, listed.name_bytes, NULL) == AIMG_OK)
            wrong = portable_add(&portable, listed.name, listed.name_bytes);
        if (wrong != NULL && plan->not_portable++ < LISTED_MOST)
            output_error("%s: '%s' %s", request->archive, listed.name, wrong);
    }
    walk_end(&walk);
    if (code != EXIT_DONE || portable.forgot) {
        output_error("%s: out of memory for --portable; nothing was written", request->archive);
        code = EXIT_SYSTEM;
    }
    portable_fini(&portable);
    return code;
}

static int check_portable(const struct request *request, const struct aimg_reader *reader, struct selection *selection,
                          struct plan *plan)
{
    int code = look_at_names(request, reader, selection, plan);

    if (code != EXIT_DONE || plan->not_portable == 0)
        return code;
    if (plan->not_portable > LISTED_MOST)
        output_error("... and %" PRIu64 " more", plan->not_portable - LISTED_MOST);
    output_error("nothing was written; without --portable, what this file system takes is");
    return EXIT_NO;
}

/* Damaged names and entries are passed over here; the walk that writes reports them. */
static void make_plan(const struct request *request, const struct aimg_reader *reader, struct selection *selection,
                      struct plan *plan)
{
    bool look = request->root.fd >= 0 && !request->force && !request->skip_existing;
    struct extract_folder folder;
    struct aimg_listed listed;
    struct aimg_entry entry;
    struct walk walk;

    *plan = (struct plan){0};
    extract_folder_init(&folder, &request->root);
    walk_begin(&walk, reader, request->archive, selection);
    walk.silent = true;
    while (!interrupt_pending() && walk_next(&walk, &listed)) {
        plan->images++;
        if (aimg_reader_entry(reader, listed.ordinal, &entry, NULL) == AIMG_OK) {
            if (__builtin_add_overflow(plan->bytes, entry.raw_bytes, &plan->bytes))
                plan->bytes = UINT64_MAX;
            if (!entry.alias && __builtin_add_overflow(plan->stored_bytes, entry.stored_bytes, &plan->stored_bytes))
                plan->stored_bytes = UINT64_MAX;
        }
        if (look)
            look_at_place(request, &folder, plan, &listed);
    }
    walk_end(&walk);
    extract_folder_fini(&folder);
}

static int check_budget(const struct request *request, const struct aimg_reader *reader, const struct plan *plan)
{
    struct aimg_info info = {.struct_bytes = sizeof info};
    uint64_t most = request->output_most;

    (void)aimg_reader_info(reader, &info, NULL);
    if (plan->stored_bytes > info.file_bytes) {
        output_error("%s: is damaged: its images lie over each other, for they have %" PRIu64
                     " stored bytes and the file %" PRIu64 "; nothing was written; run verify, then repair",
                     request->archive, plan->stored_bytes, info.file_bytes);
        return EXIT_ARCHIVE;
    }
    /* File offsets are below 2^51, so four times that is no overflow. */
    if (most == UINT64_MAX)
        most = info.file_bytes * 4 > OUTPUT_LEAST ? info.file_bytes * 4 : OUTPUT_LEAST;
    if (plan->bytes > most) {
        output_error("%s: unpacks to %" PRIu64 " bytes, the limit is %" PRIu64 "; nothing was written; --max-output %" PRIu64
                     " allows it",
                     request->archive, plan->bytes, most, plan->bytes);
        return EXIT_NO;
    }
    if (plan->images > request->files_most) {
        output_error("%s: unpacks to %" PRIu64 " files, --max-files allows %" PRIu64 "; nothing was written", request->archive,
                     plan->images, request->files_most);
        return EXIT_NO;
    }
    return EXIT_DONE;
}

static int check_in_the_way(const struct plan *plan)
{
    if (plan->in_the_way == 0)
        return EXIT_DONE;
    if (plan->in_the_way > LISTED_MOST)
        output_error("... and %" PRIu64 " more", plan->in_the_way - LISTED_MOST);
    output_error("nothing was written");
    return EXIT_NO;
}

/* Files that are replaced or skipped need less than the plan says, so then only the disk itself can tell. */
static int check_space(const struct request *request, const struct plan *plan)
{
    struct statvfs disk;
    uint64_t available;
    char needed[32], there[32];

    /* A file system without blocks is one that does not tell. */
    if (request->force || request->skip_existing || fstatvfs(request->root.fd, &disk) != 0 || disk.f_blocks == 0)
        return EXIT_DONE;
    available = (uint64_t)disk.f_bavail * disk.f_frsize;
    if (plan->bytes <= available)
        return EXIT_DONE;
    output_error("%s: %s are needed and %s are free; nothing was written", request->directory,
                 output_size(plan->bytes, needed, sizeof needed), output_size(available, there, sizeof there));
    return EXIT_SYSTEM;
}

/* ------------------------------------------------------------------ running */

static int open_root(struct request *request, bool make)
{
    int error = extract_root_open(&request->root, request->directory, request->archive, make);

    if (error == 0)
        return EXIT_DONE;
    output_error("%s: cannot unpack there: %s", request->directory, strerror(error));
    return EXIT_SYSTEM;
}

static int report_stop(const struct request *request, const struct unpack *unpack, const struct plan *plan)
{
    uint64_t there = unpack->written + unpack->skipped;
    char missing[32], images[32];

    output_error("%s: %s: %s of %s images are not written. This goes on:", request->archive,
                 interrupt_pending() ? "interrupted" : "stopped", output_count(plan->images - there, missing, sizeof missing),
                 output_count(plan->images, images, sizeof images));
    command_line_print("  ", request->argc, request->argv, "--skip-existing");
    return EXIT_SYSTEM;
}

static int finish(const struct request *request, const struct unpack *unpack, const struct plan *plan)
{
    char images[COUNT_TEXT_BYTES], bytes[32], skipped[64] = "";

    if (unpack->stopped || (interrupt_pending() && unpack->written + unpack->skipped < plan->images))
        return report_stop(request, unpack, plan);
    reading_count(unpack->written, "image", images);
    if (unpack->skipped > 0)
        snprintf(skipped, sizeof skipped, ", %" PRIu64 " there already", unpack->skipped);
    output_note("%s: unpacked %s, %s, into %s%s", request->archive, images,
                output_size(unpack->written_bytes, bytes, sizeof bytes), request->directory, skipped);
    if (unpack->left_out > 0)
        output_error("%s: %s%s left out; 'aimg verify' tells more", request->archive, unpack->damaged ? "damaged: " : "",
                     reading_count(unpack->left_out, "image", images));
    if (unpack->refused > 0)
        output_error("%s: %s not written", request->directory, reading_count(unpack->refused, "image", images));
    return unpack->code;
}

static int write_selected(struct request *request, const struct aimg_reader *reader, struct selection *selection,
                          const struct plan *plan)
{
    struct unpack unpack = {.reader = reader,
                            .archive = request->archive,
                            .directory = request->directory,
                            .root = &request->root,
                            .selection = selection,
                            .force = request->force,
                            .skip_existing = request->skip_existing,
                            .quiet = request->quiet,
                            .bytes_total = plan->bytes,
                            .threads = request->threads};
    int code = EXIT_DONE;

    if (request->root.fd < 0)
        code = open_root(request, true);
    if (code == EXIT_DONE)
        code = check_space(request, plan);
    if (code != EXIT_DONE)
        return code;
    unpack_run(&unpack);
    return finish(request, &unpack, plan);
}

static int unpack_archive(struct request *request, char *const *globs, int glob_count)
{
    struct aimg_reader *reader;
    struct selection selection;
    struct plan plan;
    int code = request->output_most == UINT64_MAX
                   ? reading_open_at(request->archive, READING_COPIED, &request->at, &reader)
                   : reading_open_up_to(request->archive, request->output_most, &request->at, &reader);

    if (code != EXIT_DONE)
        return code;
    request->root.fd = -1;
    code = selection_init(&selection, globs, glob_count);
    if (code == EXIT_DONE)
        code = open_root(request, false);
    if (code != EXIT_DONE)
        goto out;
    interrupt_install();
    make_plan(request, reader, &selection, &plan);
    if (interrupt_pending()) {
        output_error("%s: interrupted; nothing was written", request->archive);
        code = EXIT_SYSTEM;
        goto out;
    }
    code = check_budget(request, reader, &plan);
    if (code == EXIT_DONE && request->portable)
        code = check_portable(request, reader, &selection, &plan);
    if (code == EXIT_DONE)
        code = check_in_the_way(&plan);
    if (code != EXIT_DONE)
        goto out;
    code = selection_report(&selection, reader);
    if (plan.images > 0 || glob_count == 0)
        code = worse_code(code, write_selected(request, reader, &selection, &plan));
out:
    extract_root_close(&request->root);
    selection_fini(&selection);
    aimg_reader_close(reader);
    return output_finish(code);
}

/* ------------------------------------------------------------------ options */

enum { OPTION_SKIP_EXISTING = LONG_OPTION, OPTION_PORTABLE, OPTION_MAX_OUTPUT, OPTION_MAX_FILES, OPTION_THREADS, OPTION_AT };

/* Returns an exit_code. */
static int take_option(struct request *request, int found, const char *value)
{
    uint64_t number = 0;

    if (found == 'C')
        request->directory = value;
    if (found == 'f')
        request->force = true;
    if (found == OPTION_SKIP_EXISTING)
        request->skip_existing = true;
    if (found == OPTION_PORTABLE)
        request->portable = true;
    if (found == OPTION_AT)
        return reading_take_at("unpack", "--at", value, &request->at);
    if (found != OPTION_MAX_OUTPUT && found != OPTION_MAX_FILES && found != OPTION_THREADS)
        return EXIT_DONE;
    if (!reading_parse_size(value, &number))
        return output_usage("unpack", "'%s' is not a number; '4096', '10K', '3G' are", value);
    if (found == OPTION_THREADS && (number < 1 || number > THREADS_MOST))
        return output_usage("unpack", "--threads takes a number from 1 to %d, not '%s'", THREADS_MOST, value);
    if (found == OPTION_MAX_OUTPUT)
        request->output_most = number;
    else if (found == OPTION_MAX_FILES)
        request->files_most = number;
    else
        request->threads = (unsigned)number;
    return EXIT_DONE;
}

int cmd_unpack(int argc, char **argv, const struct common_options *common)
{
    static const struct option options[] = {{"directory", required_argument, NULL, 'C'},
                                            {"force", no_argument, NULL, 'f'},
                                            {"skip-existing", no_argument, NULL, OPTION_SKIP_EXISTING},
                                            {"portable", no_argument, NULL, OPTION_PORTABLE},
                                            {"max-output", required_argument, NULL, OPTION_MAX_OUTPUT},
                                            {"max-files", required_argument, NULL, OPTION_MAX_FILES},
                                            {"threads", required_argument, NULL, OPTION_THREADS},
                                            {"at", required_argument, NULL, OPTION_AT},
                                            {NULL, 0, NULL, 0}};
    struct request request = {.directory = ".", .quiet = common->quiet, .output_most = UINT64_MAX, .files_most = UINT64_MAX};
    int found, code;

    request.threads = cores_count();
    request.argc = argc;
    request.argv = argv;
    optind = 0;
    opterr = 0;
    while ((found = getopt_long(argc, argv, ":C:f", options, NULL)) != -1) {
        if (found == '?' || found == ':')
            return reading_bad_option("unpack", found, argv);
        code = take_option(&request, found, optarg);
        if (code != EXIT_DONE)
            return code;
    }
    if (optind >= argc)
        return output_usage("unpack", "ARCHIVE is missing");
    request.archive = argv[optind];
    return unpack_archive(&request, argv + optind + 1, argc - optind - 1);
}
