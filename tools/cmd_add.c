/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd.h"
#include "command_line.h"
#include "ingest.h"
#include "interrupt.h"
#include "output.h"
#include "part.h"
#include "precheck.h"
#include "writing.h"

const char help_add[] =
    "A name that the archive has is an error, unless one of these says what to do:\n"
    "      --replace          store the new image; the old one is in the history only\n"
    "      --skip-existing    leave the old image, do not even read the file\n"
    "      --update           leave it when the file has the same size and time, or, where the archive keeps no time,\n"
    "                         the same bytes; else replace it\n"
    "      --wait             wait while another writer has the archive\n"
    "      --recover          keep the whole images that an interrupted writer left after the last commit, which are dropped\n"
    "                         else: they become a commit of their own, without values of columns. And go on from the newest\n"
    "                         commit that is whole when the end of the archive is missing. Needs no PATH; can be repeated\n"
    "                         after whatever interrupts it\n"
    "\n" INGEST_HELP "\nexamples:\n"
    "  aimg add photos.aimg more/\n"
    "  aimg add --update photos.aimg photos/\n"
    "  aimg add --prefix 2024/ photos.aimg camera/\n"
    "  aimg add --recover photos.aimg\n";

struct add {
    const struct ingest_options *options;
    struct part part;              /* for the folder of the archive; add works on the archive itself */
    struct part_identity identity; /* of the archive that is open */
    struct inputs inputs;
    struct precheck names;
    struct value_file values;
    struct ingest_totals totals;
    double begin;
    bool finished, stopped; /* all that could be added is; not all is */
};

static int stop(const struct add *add, int code)
{
    const struct ingest_options *options = add->options;
    if (add->totals.commits == 0) {
        output_error("%s: nothing was added", options->archive);
        return code;
    }
    output_error("%s: not all was added; what is committed stays. This adds the rest:", options->archive);
    command_line_print("  ", options->argc, options->argv, options->existing == EXISTING_REFUSE ? "--update" : NULL);
    return code;
}

static int write_all(struct add *add, struct aimg_writer *writer)
{
    int code = precheck_names(&add->inputs, add->options, writer, &add->names);
    if (code != EXIT_DONE)
        return code;
    struct ingest_source source = {.inputs = &add->inputs,
                                   .options = add->options,
                                   .sample = &add->names.sample,
                                   .values = &add->values,
                                   .files = add->names.files,
                                   .target = add->options->archive,
                                   .folder = add->part.folder,
                                   .begin = add->begin};
    code = ingest_run(&source, writer, &add->totals, &add->stopped);
    add->finished = !add->stopped;
    return code;
}

static int add_inputs(struct add *add)
{
    const char *archive = add->options->archive;
    struct aimg_writer *writer = NULL;
    enum aimg_status status;
    int code = writing_open_as(archive, add->options, &writer, &status, &add->identity);
    if (code != EXIT_DONE)
        return code;
    code = write_all(add, writer);
    int closed = writing_close(writer, archive);
    int confirmed = add->finished || add->totals.commits > 0 ? writing_confirm(&add->identity, archive) : EXIT_DONE;
    if (confirmed != EXIT_DONE)
        return confirmed;
    if (add->stopped)
        return stop(add, code);
    if (closed != EXIT_DONE)
        return closed;
    if (add->finished)
        ingest_report("added", archive, &add->totals);
    return code;
}

int cmd_add(int argc, char **argv, const struct common_options *common)
{
    struct ingest_options options;
    int code = ingest_options_parse(INGEST_ADD, argc, argv, common->quiet, &options);
    if (code != EXIT_DONE)
        return code;
    struct add add = {.options = &options, .begin = ingest_clock()};
    code = part_init(&add.part, options.archive, "add", ".part");
    if (code != EXIT_DONE) {
        ingest_options_fini(&options);
        return code;
    }
    struct input_options input_options = ingest_input_options(&options, NULL);
    code = inputs_open(&add.inputs, &input_options);
    if (code == EXIT_DONE) {
        code = value_file_open(&add.values, options.columns);
        /* Only now: until here, while a pipe may give nothing for long, a signal may end it. */
        interrupt_install();
        if (code == EXIT_DONE)
            code = add_inputs(&add);
        value_file_free(&add.values);
        sample_free(&add.names.sample);
        inputs_close(&add.inputs);
    }
    part_fini(&add.part);
    ingest_options_fini(&options);
    return code;
}
