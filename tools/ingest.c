/* SPDX-License-Identifier: Apache-2.0 */
#include "ingest.h"

#include "cmd.h"
#include "intake.h"
#include "interrupt.h"
#include "output.h"
#include "pipeline.h"
#include "progress.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

struct ingest {
    struct intake intake;
    struct load_context context;
    struct pipeline *pipeline;
    struct progress progress;
    uint64_t files;         /* done with */
    struct input pending;   /* taken from the inputs, but there was no room for it yet */
    struct load_item known; /* of the pending one */
    bool has_pending, ended;
};

double ingest_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* Files that are never inputs under whatever name: hard links to them, symbolic links. */
static void set_own(struct ingest *ingest)
{
    const char *const own[] = {ingest->intake.target, ingest->intake.options->archive};
    for (size_t i = 0; i < 2; i++) {
        struct stat status;
        if (stat(own[i], &status) == 0) {
            size_t at = ingest->context.own_count++;
            ingest->context.own_device[at] = status.st_dev;
            ingest->context.own_inode[at] = status.st_ino;
        }
    }
}

/* Keeps the threads busy: walks on until as much is under way as may be. Returns an exit_code: not EXIT_DONE when that is the
 * end. */
static int fill(struct ingest *ingest)
{
    while (!ingest->ended && !interrupt_pending()) {
        if (!ingest->has_pending) {
            if (!inputs_next(ingest->intake.inputs, &ingest->pending)) {
                ingest->ended = true;
                pipeline_flush(ingest->pipeline);
                break;
            }
            int code = intake_before(&ingest->intake, &ingest->pending, &ingest->known, &ingest->has_pending);
            if (code != EXIT_DONE)
                return code;
            if (!ingest->has_pending) {
                ingest->files++;
                continue;
            }
        }
        struct load_item *item = pipeline_add(ingest->pipeline, &ingest->pending);
        if (item == NULL)
            break;
        item->known = ingest->known.known;
        item->known_bytes = ingest->known.known_bytes;
        item->known_mtime_ns = ingest->known.known_mtime_ns;
        ingest->has_pending = false;
    }
    return EXIT_DONE;
}

static int run_all(struct ingest *ingest)
{
    for (;;) {
        int code = fill(ingest);
        if (code != EXIT_DONE)
            return code;
        const struct load_item *item = pipeline_next(ingest->pipeline);
        if (item == NULL && ingest->ended)
            return intake_finish(&ingest->intake);
        if (interrupt_pending()) {
            output_error("interrupted");
            return EXIT_SYSTEM;
        }
        if (item == NULL)
            continue;
        code = intake_take(&ingest->intake, item);
        if (code != EXIT_DONE)
            return code;
        progress_update(&ingest->progress, ++ingest->files, ingest->intake.totals->bytes);
    }
}

static int run_threads(struct ingest *ingest)
{
    ingest->context.times = ingest->intake.columns.present[COLUMN_MTIME];
    ingest->pipeline = pipeline_create(&ingest->context, ingest->intake.options->threads);
    if (ingest->pipeline == NULL) {
        output_error("cannot start threads: out of memory, or a limit of the system");
        return EXIT_SYSTEM;
    }
    int code = run_all(ingest);
    /* What still waits holds folders that the inputs opened. */
    pipeline_destroy(ingest->pipeline);
    return code;
}

int ingest_run(const struct ingest_source *source, struct aimg_writer *writer, struct ingest_totals *totals_out,
               bool *stopped_out)
{
    const struct ingest_options *options = source->options;
    *totals_out = (struct ingest_totals){.images = 0};
    struct ingest ingest = {
        .intake = {.options = options,
                   .inputs = source->inputs,
                   .file = source->values,
                   .target = source->target,
                   .writer = writer,
                   .totals = totals_out},
        .context = {.writer = writer, .scratch_folder = source->folder, .level = options->level, .all = options->all}};
    set_own(&ingest);
    progress_begin(&ingest.progress, "packing", 0, options->quiet);
    ingest.progress.images_total = source->files;
    int code = sample_train(source->sample, options->all, writer, source->target);
    if (code == EXIT_DONE)
        code = intake_begin(&ingest.intake);
    if (code == EXIT_DONE)
        code = run_threads(&ingest);
    intake_end(&ingest.intake);
    aimg_writer_deduplicated(writer, &totals_out->duplicates, &totals_out->saved_bytes);
    progress_end(&ingest.progress);
    totals_out->seconds = ingest_clock() - source->begin;
    *stopped_out = code != EXIT_DONE;
    return code == EXIT_DONE && (totals_out->troubles > 0 || totals_out->lost_values) ? EXIT_NO : code;
}

/* ", 3 of them replaced" and the like; nothing for 0. */
static void append_count(char *line, size_t line_bytes, const char *before, uint64_t count, const char *after)
{
    if (count == 0)
        return;
    size_t used = strlen(line);
    char text[32];
    snprintf(line + used, line_bytes - used, "%s%s%s", before, output_count(count, text, sizeof text), after);
}

/* "; 3 duplicates stored once, 1.2 MB saved" */
static void append_duplicates(char *line, size_t line_bytes, const struct ingest_totals *totals)
{
    char text[64], size[32];
    snprintf(text, sizeof text, " duplicate%s stored once, %s saved", totals->duplicates == 1 ? "" : "s",
             output_size(totals->saved_bytes, size, sizeof size));
    append_count(line, line_bytes, "; ", totals->duplicates, text);
}

void ingest_report(const char *verb, const char *archive, const struct ingest_totals *totals)
{
    char count[32], size[32], rate[32], file[32], rest[512] = "";
    struct stat status;
    uint64_t file_bytes = stat(archive, &status) == 0 ? (uint64_t)status.st_size : 0;
    uint64_t bytes_a_second = totals->seconds > 0 ? (uint64_t)((double)totals->bytes / totals->seconds) : 0;
    append_duplicates(rest, sizeof rest, totals);
    append_count(rest, sizeof rest, "; replaced: ", totals->replaced, "");
    append_count(rest, sizeof rest, "; skipped as they are there: ", totals->skipped, "");
    append_count(rest, sizeof rest, "; damaged but stored: ", totals->damaged, "");
    append_count(rest, sizeof rest, "; left out: ", totals->not_pictures,
                 totals->not_pictures == 1 ? " that is no picture" : " that are no pictures");
    append_count(rest, sizeof rest, "; left out: ", totals->links,
                 totals->links == 1 ? " link to a folder" : " links to folders");
    append_count(rest, sizeof rest, "; left out: ", totals->troubles, " with errors");
    output_note("%s %s %s, %s in %.2f s (%s/s); %s has %s%s", verb, output_count(totals->images, count, sizeof count),
                totals->images == 1 ? "image" : "images", output_size(totals->bytes, size, sizeof size), totals->seconds,
                output_size(bytes_a_second, rate, sizeof rate), archive, output_size(file_bytes, file, sizeof file), rest);
}
