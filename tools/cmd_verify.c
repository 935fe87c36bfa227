/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd.h"

#include "cores.h"
#include "json.h"
#include "output.h"
#include "progress.h"
#include "reading.h"

#include <getopt.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

const char help_verify[] =
    "      --quick        structure and index only; the images' bytes are not read\n"
    "      --threads N    1 to 256; else one for each core\n"
    "      --at N         as if the archive ended with commit N, a number of 'aimg log'\n"
    "      --max-image BYTES  decode images of up to so many bytes, however much smaller they are stored;\n"
    "                     one that is larger, without this 1 GiB or 1,000 times what is stored,\n"
    "                     is a warning, as its hash is not compared\n"
    "      --json         one object: path, ok, images, commits, bytes, faults, warnings,\n"
    "                     torn_tail_bytes, findings; with several archives the array 'archives'\n"
    "\n"
    "Checks every rule of the format (spec/SPEC.md) on every byte. A finding is one line: rule,\n"
    "offset, image. What a writer at work has not committed yet is a warning. Exit status 0:\n"
    "sound; 1: damage found, or a torn tail; 3: the file cannot be read; 4: not an archive,\n"
    "unsupported, or damaged so that it cannot be checked to its end. Of several archives the\n"
    "highest counts.\n"
    "\n"
    "  aimg verify photos.aimg\n"
    "  aimg verify --quick *.aimg\n"
    "  aimg verify --json photos.aimg | jq '.findings[].name'\n";

enum { FINDINGS_MOST = 100000 }; /* kept for one JSON object; the counts go on */

struct check {
    const char *path;
    bool json, quiet;
    struct reading_at at;
    struct aimg_verify_options options;
    struct aimg_verify_result result;
    struct progress progress;
    json_t *findings; /* with json */
    uint64_t findings_left_out;
    bool failed; /* out of memory for a finding */
};

static void print_finding(const struct check *check, const struct aimg_finding *finding)
{
    char path[4 * 4096 + 1], name[4 * 1024 + 1], message[2048];

    progress_hide();
    printf("%s: %srule %" PRIu32, output_escape(check->path, strlen(check->path), path, sizeof path),
           finding->warning ? "warning: " : "", finding->rule);
    if (finding->offset != AIMG_NO_OFFSET)
        printf(" at offset %" PRIu64, finding->offset);
    if (finding->name != NULL)
        printf(": image '%s'", output_escape(finding->name, strlen(finding->name), name, sizeof name));
    else if (finding->ordinal != AIMG_NO_ORDINAL)
        fputs(": image", stdout);
    if (finding->ordinal != AIMG_NO_ORDINAL)
        printf(" (ordinal %" PRIu32 ")", finding->ordinal);
    printf(": %s\n", output_escape(finding->message, strlen(finding->message), message, sizeof message));
    fflush(stdout);
}

static void keep_finding(struct check *check, const struct aimg_finding *finding)
{
    struct json_object object;

    if (json_array_size(check->findings) >= FINDINGS_MOST) {
        check->findings_left_out++;
        return;
    }
    object = json_object_begin();
    json_put_count(&object, "rule", finding->rule);
    json_put_bool(&object, "warning", finding->warning != 0);
    if (finding->offset != AIMG_NO_OFFSET)
        json_put_count(&object, "offset", finding->offset);
    if (finding->ordinal != AIMG_NO_ORDINAL)
        json_put_count(&object, "ordinal", finding->ordinal);
    if (finding->name != NULL)
        json_put_string(&object, "name", finding->name);
    json_put_string(&object, "message", finding->message);
    if (json_array_append_new(check->findings, object.value) != 0 || object.failed)
        check->failed = true;
}

static void on_finding(void *user, const struct aimg_finding *finding)
{
    struct check *check = user;

    if (check->json)
        keep_finding(check, finding);
    else
        print_finding(check, finding);
}

static void on_progress(void *user, uint64_t bytes_done, uint64_t bytes_total)
{
    struct check *check = user;

    check->progress.bytes_total = bytes_total;
    progress_update(&check->progress, 0, bytes_done);
}

static double seconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void print_summary(const struct check *check, double seconds)
{
    const struct aimg_verify_result *result = &check->result;
    char images[COUNT_TEXT_BYTES], commits[COUNT_TEXT_BYTES], faults[COUNT_TEXT_BYTES], warnings[COUNT_TEXT_BYTES + 2] = "",
                                                                                                                    bytes[32];

    if (result->warnings > 0) {
        warnings[0] = ',';
        warnings[1] = ' ';
        reading_count(result->warnings, "warning", warnings + 2);
    }
    if (result->faults > 0)
        output_error("%s: damaged: %s%s", check->path, reading_count(result->faults, "fault", faults), warnings);
    else
        output_note("%s: ok, %s, %s, %s checked in %.1f s%s", check->path, reading_count(result->images, "image", images),
                    reading_count(result->commits, "commit", commits), output_size(result->bytes, bytes, sizeof bytes), seconds,
                    warnings);
}

static struct json_object result_json(struct check *check, enum aimg_status status, const struct aimg_error *error)
{
    const struct aimg_verify_result *result = &check->result;
    struct json_object object = json_object_begin();

    json_put_string(&object, "schema", "aimg.verify/1");
    json_put_string(&object, "path", check->path);
    json_put_bool(&object, "ok", status == AIMG_OK && result->faults == 0);
    if (status != AIMG_OK) {
        json_put_string(&object, "status", aimg_status_text(status));
        json_put_string(&object, "error", error->message);
    }
    json_put_count(&object, "images", result->images);
    json_put_count(&object, "commits", result->commits);
    json_put_count(&object, "bytes", result->bytes);
    json_put_count(&object, "faults", result->faults);
    json_put_count(&object, "warnings", result->warnings);
    json_put_count(&object, "torn_tail_bytes", result->tail_bytes);
    if (check->findings_left_out > 0)
        json_put_count(&object, "findings_left_out", check->findings_left_out);
    json_put(&object, "findings", check->findings);
    object.failed = object.failed || check->failed;
    return object;
}

/* Checks one archive. Returns its exit_code; with json *object_out says the same. */
static int verify_archive(struct check *check, const char *path, struct json_object *object_out)
{
    double begin = seconds_now();
    struct aimg_error error = {.message = ""};
    enum aimg_status status;

    check->path = path;
    check->result = (struct aimg_verify_result){0};
    check->findings_left_out = 0;
    check->findings = check->json ? json_array() : NULL;
    check->options.user = check;
    progress_begin(&check->progress, "verifying", 0, check->quiet);
    status = aimg_verify(path, &check->options, &check->result, &error);
    progress_end(&check->progress);
    if (check->json)
        *object_out = result_json(check, status, &error);
    if (status == AIMG_NOT_FOUND && check->at.given && error.sys_errno == 0)
        return reading_no_commit(path, &check->at);
    if (status != AIMG_OK)
        return output_status(path, status, &error);
    print_summary(check, seconds_now() - begin);
    return check->result.faults > 0 ? EXIT_NO : EXIT_DONE;
}

static int verify_archives(struct check *check, char *const *paths, int count)
{
    struct json_object all, one;
    json_t *archives = check->json && count > 1 ? json_array() : NULL;
    bool ok = true;
    int code = EXIT_DONE, its_code;

    for (int i = 0; i < count && !ferror(stdout); i++) {
        its_code = verify_archive(check, paths[i], &one);
        ok = ok && its_code == EXIT_DONE;
        code = worse_code(code, its_code);
        if (archives != NULL && (json_array_append_new(archives, one.value) != 0 || one.failed))
            check->failed = true;
    }
    if (!check->json)
        return code;
    if (count == 1)
        return worse_code(code, json_print(&one));
    all = json_object_begin();
    json_put_string(&all, "schema", "aimg.verify/1");
    json_put_bool(&all, "ok", ok);
    json_put(&all, "archives", archives);
    all.failed = all.failed || check->failed;
    return worse_code(code, json_print(&all));
}

int cmd_verify(int argc, char **argv, const struct common_options *common)
{
    enum { OPTION_JSON = LONG_OPTION, OPTION_QUICK, OPTION_THREADS, OPTION_AT, OPTION_MAX_IMAGE };
    static const struct option options[] = {{"json", no_argument, NULL, OPTION_JSON},
                                            {"quick", no_argument, NULL, OPTION_QUICK},
                                            {"at", required_argument, NULL, OPTION_AT},
                                            {"threads", required_argument, NULL, OPTION_THREADS},
                                            {"max-image", required_argument, NULL, OPTION_MAX_IMAGE},
                                            {NULL, 0, NULL, 0}};
    struct check check = {.quiet = common->quiet,
                          .options = {.struct_bytes = sizeof check.options, .finding = on_finding, .progress = on_progress}};
    uint64_t threads, most;
    int found;

    optind = 0;
    opterr = 0;
    while ((found = getopt_long(argc, argv, ":", options, NULL)) != -1) {
        if (found == '?' || found == ':')
            return reading_bad_option("verify", found, argv);
        if (found == OPTION_JSON)
            check.json = true;
        if (found == OPTION_AT && reading_take_at("verify", "--at", optarg, &check.at) != EXIT_DONE)
            return EXIT_USAGE;
        if (found == OPTION_QUICK)
            check.options.flags |= AIMG_VERIFY_QUICK;
        if (found == OPTION_MAX_IMAGE) {
            if (!reading_parse_size(optarg, &most))
                return output_usage("verify", "'%s' is not a number; '4096', '10K', '3G' are", optarg);
            check.options.limits.image_bytes = most > 0 ? most : 1; /* 0 would be the default */
            check.options.limits.ratio = UINT32_MAX;
        }
        if (found != OPTION_THREADS)
            continue;
        if (!reading_parse_size(optarg, &threads) || threads < 1 || threads > THREADS_MOST)
            return output_usage("verify", "--threads takes a number from 1 to %d, not '%s'", THREADS_MOST, optarg);
        check.options.threads = (uint32_t)threads;
    }
    if (optind >= argc)
        return output_usage("verify", "ARCHIVE is missing");
    if (check.at.given)
        check.options.flags |= AIMG_VERIFY_AT;
    check.options.seq = check.at.seq;
    return output_finish(verify_archives(&check, argv + optind, argc - optind));
}
