/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd.h"

#include "file_mode.h"
#include "ingest.h"
#include "interrupt.h"
#include "json.h"
#include "output.h"
#include "part.h"
#include "progress.h"
#include "reading.h"
#include "writing.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char help_repair[] =
    "  -o, --output OUT       the archive to be made, of all that is whole in ARCHIVE (required)\n"
    "      --force            replace OUT, and what a repair that was stopped has left\n"
    "      --max-image BYTES  save images of up to so many bytes, however much smaller they are stored;\n"
    "                     one that is larger, without this 1 GiB or 1,000 times what is stored, is lost\n"
    "      --json             one object: what was saved, and everything that was lost, or why nothing was made\n"
    "\n"
    "ARCHIVE is only read. Pictures are found by their own headers and by the index, and one of the two is enough; each is\n"
    "checked, and none is kept that is not exactly what was added. Columns, metadata, attachments and dictionaries are kept\n"
    "as far as they are whole, and so is what an interrupted writer left after the last commit. OUT has one commit, and\n"
    "passes 'aimg verify'. What is lost is told, one line each, and so is each picture that may have been removed before,\n"
    "where the list of those that were is lost. Exit status 0: nothing is lost; 1: something is, the rest is in OUT;\n"
    "3: a file cannot be read or written, or OUT is there; 4: there is nothing to save, or ARCHIVE is none.\n"
    "\n"
    "  aimg repair photos.aimg -o repaired.aimg\n"
    "  aimg repair --json photos.aimg -o repaired.aimg | jq '.losses[].name'\n";

enum { LOSSES_MOST = 100000 }; /* kept for one JSON object; the counts go on */

struct repair {
    const char *archive, *output;
    bool force, json;
    struct stat before;  /* of the archive */
    uint64_t image_most; /* 0: not given */
    struct part part;
    struct progress progress;
    struct aimg_repair_result result;
    json_t *losses; /* with json */
    uint64_t losses_left_out;
    bool failed;                                              /* out of memory for a loss */
    char failure[sizeof((struct aimg_error *)NULL)->message]; /* why nothing was made */
    double begin;
};

/* ------------------------------------------------------------------ what is lost */

static const char *kind_name(uint32_t kind)
{
    static const char *const names[] = {"", "images", "name", "values", "metadata", "bytes", "removal", "unknown"};
    return kind < sizeof names / sizeof names[0] ? names[kind] : "";
}

static void print_head(const struct aimg_loss *loss, const char *name)
{
    switch ((enum aimg_loss_kind)loss->kind) {
    case AIMG_LOSS_IMAGES:
        if (loss->count == 1)
            fputs("lost: image", stdout);
        else
            printf("lost: %" PRIu64 " images", loss->count);
        break;
    case AIMG_LOSS_NAME:
        fputs("lost: the name of an image, now", stdout);
        break;
    case AIMG_LOSS_VALUES:
        printf("lost: up to %" PRIu64 " values of column '%s'", loss->count, name);
        return;
    case AIMG_LOSS_META:
        fputs("lost: metadata", stdout);
        return;
    case AIMG_LOSS_BYTES:
        printf("lost: %" PRIu64 " bytes", loss->bytes);
        return;
    case AIMG_LOSS_REMOVAL:
        fputs("back: image", stdout);
        break;
    case AIMG_LOSS_UNKNOWN:
        fputs("unknown", stdout);
        return;
    }
    if (loss->name != NULL)
        printf(" '%s'", name);
    printf(" (%s %" PRIu32 ")", loss->count == 1 ? "ordinal" : "from ordinal", loss->ordinal);
}

static void print_loss(const struct repair *repair, const struct aimg_loss *loss)
{
    char path[4 * 4096 + 1], name[4 * 1024 + 1] = "", message[2048];
    progress_hide();
    printf("%s: ", output_escape(repair->archive, strlen(repair->archive), path, sizeof path));
    if (loss->name != NULL)
        output_escape(loss->name, strlen(loss->name), name, sizeof name);
    print_head(loss, name);
    if (loss->offset != AIMG_NO_OFFSET)
        printf(" at offset %" PRIu64, loss->offset);
    printf(": %s\n", output_escape(loss->message, strlen(loss->message), message, sizeof message));
    fflush(stdout);
}

static void keep_loss(struct repair *repair, const struct aimg_loss *loss)
{
    if (json_array_size(repair->losses) >= LOSSES_MOST) {
        repair->losses_left_out++;
        return;
    }
    struct json_object object = json_object_begin();
    json_put_string(&object, "kind", kind_name(loss->kind));
    if (loss->name != NULL)
        json_put_string(&object, loss->kind == AIMG_LOSS_VALUES ? "column" : "name", loss->name);
    if (loss->ordinal != AIMG_NO_ORDINAL)
        json_put_count(&object, "ordinal", loss->ordinal);
    json_put_count(&object, "count", loss->count);
    if (loss->offset != AIMG_NO_OFFSET)
        json_put_count(&object, "offset", loss->offset);
    if (loss->kind == AIMG_LOSS_BYTES)
        json_put_count(&object, "bytes", loss->bytes);
    json_put_string(&object, "message", loss->message);
    if (json_array_append_new(repair->losses, object.value) != 0 || object.failed)
        repair->failed = true;
}

static void on_loss(void *user, const struct aimg_loss *loss)
{
    struct repair *repair = user;
    if (repair->json)
        keep_loss(repair, loss);
    else
        print_loss(repair, loss);
}

static bool something_lost(const struct aimg_repair_result *result)
{
    return result->lost_images + result->lost_names + result->lost_values + result->lost_bytes + result->lost_meta > 0;
}

static int print_object(struct repair *repair)
{
    const struct aimg_repair_result *result = &repair->result;
    struct json_object object = json_object_begin();
    json_put_string(&object, "schema", "aimg.repair/1");
    json_put_string(&object, "path", repair->archive);
    json_put_string(&object, "output", repair->output);
    if (repair->failure[0] != '\0')
        json_put_string(&object, "error", repair->failure);
    json_put_bool(&object, "complete", repair->failure[0] == '\0' && !something_lost(result));
    json_put_count(&object, "images", result->images);
    json_put_count(&object, "attachments", result->attachments);
    json_put_count(&object, "lost_images", result->lost_images);
    json_put_count(&object, "lost_names", result->lost_names);
    json_put_count(&object, "lost_values", result->lost_values);
    json_put_count(&object, "lost_bytes", result->lost_bytes);
    json_put_bool(&object, "lost_metadata", result->lost_meta > 0);
    json_put_count(&object, "back", result->removals);
    if (repair->losses_left_out > 0)
        json_put_count(&object, "losses_left_out", repair->losses_left_out);
    json_put(&object, "losses", repair->losses);
    repair->losses = NULL;
    object.failed = object.failed || repair->failed;
    return json_print(&object);
}

/* In words, for one line. */
static const char *lost_text(const struct aimg_repair_result *result, char text[COUNT_TEXT_BYTES])
{
    if (!something_lost(result))
        return "nothing";
    if (result->lost_images > 0)
        return reading_count(result->lost_images, "image", text);
    return result->lost_bytes > 0 ? "no image that is known, but bytes," : "no image, but what is told above";
}

static int report(struct repair *repair)
{
    char images[COUNT_TEXT_BYTES], lost[COUNT_TEXT_BYTES], back[COUNT_TEXT_BYTES];
    const struct aimg_repair_result *result = &repair->result;
    int code = something_lost(result) ? EXIT_NO : EXIT_DONE;
    if (repair->json)
        return worse_code(code, print_object(repair));
    output_note("repaired %s in %s: %s saved, %s lost%s%s; %.2f s", repair->archive, repair->output,
                reading_count(result->images + result->attachments, "image", images), lost_text(result, lost),
                result->removals > 0 ? ", back and perhaps removed before: " : "",
                result->removals > 0 ? reading_count(result->removals, "image", back) : "", ingest_clock() - repair->begin);
    return code;
}

/* ------------------------------------------------------------------ the work */

static int on_progress(void *user, uint64_t bytes_done, uint64_t bytes_total)
{
    struct repair *repair = user;
    repair->progress.bytes_total = bytes_total;
    progress_update(&repair->progress, 0, bytes_done);
    return interrupt_pending();
}

static int check_output(const struct repair *repair)
{
    struct stat other;
    if (stat(repair->output, &other) == 0 && other.st_dev == repair->before.st_dev && other.st_ino == repair->before.st_ino) {
        output_error("%s: is ARCHIVE itself, which is only read; name another file with --output", repair->output);
        return EXIT_USAGE;
    }
    if (lstat(repair->output, &other) == 0 && S_ISDIR(other.st_mode)) {
        output_error("%s: is a folder; name the file to be made", repair->output);
        return EXIT_NO;
    }
    return part_check_archive(repair->output, repair->force, "");
}

static int work(struct repair *repair)
{
    struct aimg_error error;
    uint8_t seed[16];
    bool reproducible = false;
    struct aimg_writer_options writer = {.struct_bytes = sizeof writer, .program = "aimg " AIMG_VERSION};
    struct aimg_repair_options options = {
        .struct_bytes = sizeof options, .user = repair, .loss = on_loss, .progress = on_progress, .writer = &writer};
    int code = ingest_epoch("repair", &reproducible, &writer.time_ns);
    if (code != EXIT_DONE)
        return code;
    if (reproducible) {
        writing_seed(repair->archive, writer.time_ns, seed);
        writer.seed = seed;
    }
    reading_raise_limits(repair->archive, &options.limits);
    if (repair->image_most > 0) {
        options.limits.image_bytes = repair->image_most;
        options.limits.ratio = UINT32_MAX;
    }
    progress_begin(&repair->progress, "repairing", 0, false);
    /* Nobody may read more of it than of the archive, whose mode it gets when it is whole. */
    mode_t mask = umask(S_IRWXG | S_IRWXO);
    enum aimg_status status = aimg_repair(repair->archive, repair->part.path, &options, &repair->result, &error);
    umask(mask);
    progress_end(&repair->progress);
    part_identify(&repair->part.identity, repair->part.path);
    if (status == AIMG_END || (status == AIMG_OK && interrupt_pending())) {
        output_error("interrupted");
        if (status == AIMG_OK)
            part_remove(&repair->part);
        return EXIT_SYSTEM;
    }
    if (status != AIMG_OK)
        snprintf(repair->failure, sizeof repair->failure, "%s", error.message);
    return status == AIMG_OK ? EXIT_DONE : output_status(repair->archive, status, &error);
}

static int put_in_place(const struct repair *repair)
{
    int fd = open(repair->part.path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || fchmod(fd, file_mode_masked(repair->before.st_mode & (S_IRWXU | S_IRWXG | S_IRWXO))) != 0)
        output_warning("%s: cannot be given the mode of the archive", repair->part.path);
    if (fd >= 0)
        close(fd);
    return part_finish(&repair->part, repair->force ? PART_REPLACE : PART_NEW, true);
}

static int look_at(struct repair *repair)
{
    struct aimg_reader *probe = NULL;
    if (stat(repair->archive, &repair->before) == 0)
        return EXIT_DONE;
    int failed = errno, code = reading_open(repair->archive, READING_COPIED, &probe); /* which says what is wrong */
    if (code != EXIT_DONE)
        return code;
    aimg_reader_close(probe);
    output_error("%s: cannot look at it: %s", repair->archive, strerror(failed));
    return EXIT_SYSTEM;
}

static int run(struct repair *repair)
{
    int code = look_at(repair);
    if (code != EXIT_DONE)
        return code;
    code = check_output(repair);
    if (code == EXIT_DONE)
        code = part_init(&repair->part, repair->output, "repair", ".repair");
    if (code == EXIT_DONE)
        code = part_clear_unfinished(&repair->part, &repair->before, repair->force);
    if (code == EXIT_DONE)
        code = work(repair);
    if (code == EXIT_DONE)
        code = put_in_place(repair);
    if (code == EXIT_DONE)
        return report(repair);
    if (repair->json && repair->failure[0] != '\0')
        (void)print_object(repair);
    output_error("%s was not made", repair->output);
    return code == EXIT_NO ? EXIT_SYSTEM : code; /* EXIT_NO says that it was, without what is lost */
}

int cmd_repair(int argc, char **argv, const struct common_options *common)
{
    enum { OPTION_FORCE = LONG_OPTION, OPTION_JSON, OPTION_MAX_IMAGE };
    static const struct option table[] = {{"output", required_argument, NULL, 'o'},
                                          {"force", no_argument, NULL, OPTION_FORCE},
                                          {"json", no_argument, NULL, OPTION_JSON},
                                          {"max-image", required_argument, NULL, OPTION_MAX_IMAGE},
                                          {NULL, 0, NULL, 0}};
    struct repair repair = {.begin = ingest_clock()};
    int found;
    (void)common; /* messages and the progress line heed --quiet themselves; what is lost is data */
    optind = 0;
    opterr = 0;
    while ((found = getopt_long(argc, argv, ":o:", table, NULL)) != -1) {
        if (found == '?' || found == ':')
            return reading_bad_option("repair", found, argv);
        if (found == 'o')
            repair.output = optarg;
        if (found == OPTION_MAX_IMAGE && (!reading_parse_size(optarg, &repair.image_most) || repair.image_most == 0))
            return output_usage("repair", "'%s' is not a number of bytes; '4096', '10K', '3G' are", optarg);
        repair.force = repair.force || found == OPTION_FORCE;
        repair.json = repair.json || found == OPTION_JSON;
    }
    if (argc - optind != 1)
        return output_usage("repair", optind >= argc ? "ARCHIVE is missing" : "one ARCHIVE at a time");
    repair.archive = argv[optind];
    if (repair.output == NULL)
        return output_usage("repair", "--output is missing: ARCHIVE itself is only read");
    if (repair.archive[0] == '\0' || repair.output[0] == '\0')
        return output_usage("repair", "%s is empty", repair.archive[0] == '\0' ? "ARCHIVE" : "OUT");
    repair.losses = repair.json ? json_array() : NULL;
    interrupt_install();
    int code = run(&repair);
    json_decref(repair.losses);
    part_fini(&repair.part);
    return output_finish(code);
}
