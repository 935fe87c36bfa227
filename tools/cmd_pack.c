/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd.h"
#include "command_line.h"
#include "ingest.h"
#include "interrupt.h"
#include "output.h"
#include "part.h"
#include "precheck.h"
#include "writing.h"

#include <unistd.h>

const char help_pack[] =
    "      --force            replace ARCHIVE, once the new one is whole, and start again on an unfinished one\n"
    "      --resume           go on with a pack that was stopped (ARCHIVE.part)\n"
    "      --align N          begin stored bytes at multiples of N, a power of two from 8 (the default) to 4096\n"
    "\n" INGEST_HELP "\nThe work is done on ARCHIVE.part, which is renamed when it is whole.\n"
    "\nexamples:\n"
    "  aimg pack photos.aimg photos/\n"
    "  aimg pack --times --compress zstd scans.aimg scans/\n"
    "  find . -name '*.png' -print0 | aimg pack -0 --files-from - icons.aimg\n";

struct pack {
    const struct ingest_options *options;
    struct part part;
    struct inputs inputs;
    struct precheck names;
    struct value_file values;
    struct ingest_totals totals;
    double begin;
    uint64_t commits, images; /* in the unfinished file */
};

/* Goes on with an unfinished file. To start again loses what is committed in it, so that is said only of one that is lost. */
static int open_unfinished(const struct pack *pack, struct aimg_writer **writer_out)
{
    enum aimg_status status;
    int code = writing_open(pack->part.path, pack->options, writer_out, &status);
    if (status == AIMG_NOT_ARCHIVE || status == AIMG_TRUNCATED || status == AIMG_CORRUPT || status == AIMG_CHECKSUM)
        output_error("%s: cannot be resumed; --force without --resume starts again", pack->part.path);
    return code;
}

/* A mistyped path is no reason to throw away what an earlier pack has left. */
static int clear_unfinished(struct pack *pack)
{
    if (pack->names.files > 0 || access(pack->part.path, F_OK) != 0)
        return part_clear(&pack->part);
    struct input input;
    char path[INPUT_PATH_BYTES];
    while (inputs_next(&pack->inputs, &input))
        if (input.trouble != NULL)
            output_error("%s: %s", input_path(&input, path, sizeof path), input.trouble);
    output_error("there is nothing to pack; %s, from a pack that was stopped, is kept", pack->part.path);
    return EXIT_NO;
}

static int open_writer(struct pack *pack, struct aimg_writer **writer_out)
{
    const struct ingest_options *options = pack->options;
    if (options->resume)
        return open_unfinished(pack, writer_out);
    int code = options->force ? clear_unfinished(pack) : EXIT_DONE;
    return code == EXIT_DONE ? writing_create(pack->part.path, options, pack->names.digest, writer_out) : code;
}

/* Only part of it was packed: what is committed is worth keeping. */
static int give_up(const struct pack *pack, int code)
{
    char count[32];
    if (pack->commits == 0) {
        part_remove(&pack->part);
        output_error("%s was not made", pack->part.archive);
        return code;
    }
    output_error("%s is not whole; %s images are kept in %s. This goes on with it:", pack->part.archive,
                 output_count(pack->images, count, sizeof count), pack->part.path);
    command_line_print("  ", pack->options->argc, pack->options->argv, "--resume");
    return code;
}

static int finish(const struct pack *pack, int code)
{
    if (pack->images == 0 && pack->totals.troubles > 0) {
        part_remove(&pack->part);
        output_error("nothing could be packed; %s was not made", pack->part.archive);
        return code;
    }
    int finished = part_finish(&pack->part, pack->options->force ? PART_REPLACE : PART_NEW, pack->commits == 0);
    if (finished != EXIT_DONE)
        return finished;
    if (pack->images == 0)
        output_warning("no pictures were found; %s is empty. Files of any kind are taken with --all", pack->part.archive);
    ingest_report("packed", pack->part.archive, &pack->totals);
    return code;
}

static int write_all(struct pack *pack)
{
    struct aimg_writer *writer = NULL;
    int code = open_writer(pack, &writer);
    if (code != EXIT_DONE)
        return code;
    part_identify(&pack->part.identity, pack->part.path);
    struct ingest_source source = {.inputs = &pack->inputs,
                                   .options = pack->options,
                                   .sample = &pack->names.sample,
                                   .values = &pack->values,
                                   .files = pack->names.files,
                                   .target = pack->part.path,
                                   .folder = pack->part.folder,
                                   .begin = pack->begin};
    bool stopped = false;
    code = ingest_run(&source, writer, &pack->totals, &stopped);
    writing_state(writer, &pack->commits, &pack->images);
    int closed = writing_close(writer, pack->part.path);
    if (closed != EXIT_DONE && !stopped) {
        stopped = true;
        code = closed;
    }
    return stopped ? give_up(pack, code) : finish(pack, code);
}

static int pack_inputs(struct pack *pack)
{
    struct input_options input_options = ingest_input_options(pack->options, pack->part.path);
    int code = inputs_open(&pack->inputs, &input_options);
    if (code != EXIT_DONE)
        return code;
    code = value_file_open(&pack->values, pack->options->columns);
    /* Only now: until here, while a pipe may give nothing for long, a signal may end it. */
    interrupt_install();
    /* What is wrong with the values is no reason either to throw away what an earlier pack has left. */
    if (code == EXIT_DONE && !pack->options->resume)
        code = value_file_load(&pack->values, NULL, pack->part.path);
    if (code == EXIT_DONE)
        code = precheck_names(&pack->inputs, pack->options, NULL, &pack->names);
    if (code == EXIT_DONE)
        code = write_all(pack);
    value_file_free(&pack->values);
    sample_free(&pack->names.sample);
    inputs_close(&pack->inputs);
    return code;
}

int cmd_pack(int argc, char **argv, const struct common_options *common)
{
    struct ingest_options options;
    int code = ingest_options_parse(INGEST_PACK, argc, argv, common->quiet, &options);
    if (code != EXIT_DONE)
        return code;
    struct pack pack = {.options = &options, .begin = ingest_clock()};
    code = part_init(&pack.part, options.archive, "pack", ".part");
    if (code != EXIT_DONE) {
        ingest_options_fini(&options);
        return code;
    }
    code = part_check(&pack.part, &options);
    if (code == EXIT_DONE)
        code = pack_inputs(&pack);
    part_fini(&pack.part);
    ingest_options_fini(&options);
    return code;
}
