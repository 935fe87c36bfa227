/* SPDX-License-Identifier: Apache-2.0 */
#include "intake.h"

#include "cmd.h"
#include "guard.h"
#include "output.h"
#include "precheck.h"
#include "writing.h"

#include <errno.h>
#include <string.h>

int intake_begin(struct intake *intake)
{
    const struct ingest_options *options = intake->options;
    intake->begin = intake->part_begin = ingest_clock();
    int code = existing_begin(&intake->existing, intake->writer, options->existing);
    if (code != EXIT_DONE)
        return code;
    /* An archive that keeps times keeps them for what is updated, or the next update would have to read it all. */
    bool times = options->times || (options->existing == EXISTING_UPDATE && intake->existing.has_times);
    code = ingest_columns_begin(&intake->columns, intake->writer, intake->target, !options->no_label, times);
    if (code != EXIT_DONE)
        return code;
    bool replaces = options->existing == EXISTING_REPLACE || options->existing == EXISTING_UPDATE;
    code = intake_values_begin(&intake->values, options->columns, intake->file, intake->writer, intake->target,
                               replaces ? intake->existing.first_new : 0);
    intake->values.strict = options->strict;
    return code;
}

void intake_end(struct intake *intake)
{
    intake_values_end(&intake->values);
    existing_end(&intake->existing);
}

static int report_trouble(struct intake *intake, const struct input *input, const char *trouble, int sys_errno)
{
    char path[INPUT_PATH_BYTES];
    input_path(input, path, sizeof path);
    const char *what_now = intake->options->strict ? "stopping, as --strict says" : "left out";
    if (sys_errno != 0)
        output_error("%s: %s: %s; %s", path, trouble, strerror(sys_errno), what_now);
    else
        output_error("%s: %s; %s", path, trouble, what_now);
    intake->totals->troubles++;
    return intake->options->strict ? EXIT_NO : EXIT_DONE;
}

static int report_failure(const struct intake *intake, enum aimg_status status, const struct aimg_error *error)
{
    return output_status(intake->target, status, error);
}

static int report_clash(struct intake *intake, const struct input *input)
{
    /* The input may lie in memory of the inputs, which walk again. */
    char path[INPUT_PATH_BYTES], name[INPUT_NAME_BYTES];
    size_t name_bytes = input->name_bytes;
    input_path(input, path, sizeof path);
    memcpy(name, input->name, name_bytes);
    if (!precheck_report_clash(intake->inputs, intake->options->all, name, name_bytes))
        output_error("%s: the name '%.*s' is taken; use --prefix", path, (int)name_bytes, name);
    return EXIT_NO;
}

static int commit(struct intake *intake, bool changed)
{
    struct aimg_error error;
    enum aimg_status status = aimg_writer_commit(intake->writer, changed ? intake->options->message : NULL, &error);
    if (status != AIMG_OK)
        return writing_failed(intake->target, status, &error);
    intake->totals->commits += changed;
    intake->part = (struct extent){.bytes = 0};
    intake->part_begin = ingest_clock();
    existing_refresh(&intake->existing);
    return EXIT_DONE;
}

static int commit_part_when_due(struct intake *intake)
{
    if (intake->options->one_commit)
        return EXIT_DONE;
    double now = ingest_clock();
    intake->part.seconds = now - intake->part_begin;
    struct extent all = {.bytes = intake->totals->bytes, .images = intake->totals->images, .seconds = now - intake->begin};
    /* What the clock says must not show in a result that is to be reproducible. */
    bool due = part_rule_due(&intake->part, &all, !intake->options->reproducible);
    return due ? commit(intake, true) : EXIT_DONE;
}

int intake_finish(struct intake *intake)
{
    bool changed = intake->part.images > 0;
    int code = intake_values_finish(&intake->values, &changed);
    if (code > EXIT_NO || (code == EXIT_NO && intake->options->strict))
        return code;
    intake->totals->lost_values = code == EXIT_NO;
    uint64_t commits, images;
    writing_state(intake->writer, &commits, &images);
    /* Columns alone are no reason for a commit; but a new archive of no image has one. */
    return changed || commits == 0 ? commit(intake, changed) : EXIT_DONE;
}

/* Its bytes went into the file, or should have, after they were hashed. */
static int report_change(const struct input *input)
{
    char path[INPUT_PATH_BYTES];
    output_error("%s: changed while it was being stored; nothing since the last commit is kept, try again",
                 input_path(input, path, sizeof path));
    return EXIT_SYSTEM;
}

struct adding {
    struct intake *intake;
    const struct aimg_image *image;
    enum aimg_status status;
    struct aimg_error error;
};

static void add_to_writer(void *user)
{
    struct adding *adding = user;
    adding->status = aimg_writer_add(adding->intake->writer, adding->image, NULL, &adding->error);
}

/* False: a mapped file lost bytes while they were compared with those of an earlier image. The writer is closed then. */
static bool add_guarded(struct adding *adding, bool mapped)
{
    if (mapped)
        return guard_run(add_to_writer, adding);
    add_to_writer(adding);
    return true;
}

static int add_image(struct intake *intake, const struct load_item *item, bool replace)
{
    struct ingest_values known;
    const struct aimg_value *values = known.values;
    ingest_columns_fill(&intake->columns, item, &known);
    size_t value_count = known.count;
    if (intake->values.path != NULL) {
        int code = intake_values_merge(&intake->values, &known, item->input.name, item->input.name_bytes);
        if (code != EXIT_DONE)
            return code;
        values = intake->values.values;
        value_count = intake->values.count;
    }
    struct aimg_image image = {.struct_bytes = sizeof image,
                               .name = item->input.name,
                               .name_bytes = item->input.name_bytes,
                               .prepared = &item->prepared,
                               .values = values,
                               .value_count = value_count,
                               .format = (uint32_t)item->picture.format,
                               .flags = replace ? AIMG_ADD_REPLACE : 0};
    struct adding adding = {.intake = intake, .image = &image};
    if (!add_guarded(&adding, item->map != NULL))
        return report_change(&item->input);
    enum aimg_status status = adding.status;
    if (status == AIMG_EXISTS)
        return report_clash(intake, &item->input);
    if (status == AIMG_INVALID_ARGUMENT) /* a name that was not there when all were checked */
        return report_trouble(intake, &item->input, adding.error.message, 0);
    /* A file that was cut short has no bytes to write, which is not the fault of the archive. */
    bool cut = status == AIMG_IO && adding.error.sys_errno == EFAULT;
    if ((status == AIMG_OK || cut) && !load_is_unchanged(item))
        return report_change(&item->input);
    if (status != AIMG_OK)
        return writing_failed(intake->target, status, &adding.error);
    intake_values_added(&intake->values);
    intake->totals->images++;
    intake->totals->bytes += item->bytes;
    intake->totals->replaced += replace;
    intake->part.images++;
    intake->part.bytes += item->bytes;
    return commit_part_when_due(intake);
}

static int store(struct intake *intake, const struct load_item *item)
{
    struct aimg_error error;
    bool replace = false;
    switch (existing_decide(&intake->existing, item, &error)) {
    case EXISTING_LEAVE:
        intake->totals->skipped++;
        return EXIT_DONE;
    case EXISTING_TWICE:
        return report_clash(intake, &item->input);
    case EXISTING_OTHER:
        return report_trouble(intake, &item->input, "an attachment in the archive has its name; --prefix gives it another one",
                              0);
    case EXISTING_TROUBLE:
        return report_failure(intake, error.status, &error);
    case EXISTING_CHANGE:
        replace = true;
        break;
    case EXISTING_NEW:
        break;
    }
    if (!load_is_unchanged(item))
        return report_trouble(intake, &item->input, "changed while it was being read", 0);
    if (item->picture.damaged) {
        char path[INPUT_PATH_BYTES];
        intake->totals->damaged++;
        output_warning("%s: is a damaged %s picture; stored as it is", input_path(&item->input, path, sizeof path),
                       aimg_format_name((unsigned)item->picture.format));
    }
    return add_image(intake, item, replace);
}

int intake_take(struct intake *intake, const struct load_item *item)
{
    char path[INPUT_PATH_BYTES];
    switch (item->result) {
    case LOAD_READY:
    case LOAD_SAME:
        return store(intake, item);
    case LOAD_NOT_PICTURE:
        intake->totals->not_pictures++;
        return EXIT_DONE;
    case LOAD_OWN:
        return EXIT_DONE;
    case LOAD_LINK_TO_FOLDER:
        intake->totals->links++;
        output_warning("%s: is a symbolic link to a folder; left out, --follow takes it",
                       input_path(&item->input, path, sizeof path));
        return EXIT_DONE;
    case LOAD_TROUBLE:
        break;
    }
    return report_trouble(intake, &item->input, item->trouble, item->sys_errno);
}

int intake_before(struct intake *intake, const struct input *input, struct load_item *known, bool *read_out)
{
    struct aimg_error error;
    *read_out = false;
    if (input->trouble != NULL && input->loop) {
        char path[INPUT_PATH_BYTES];
        intake->totals->links++;
        output_warning("%s: is a symbolic link that leads in a circle; left out", input_path(input, path, sizeof path));
        return EXIT_DONE;
    }
    if (input->trouble != NULL)
        return report_trouble(intake, input, input->trouble, input->sys_errno);
    switch (existing_before(&intake->existing, input, known, &error)) {
    case EXISTING_LEAVE:
        intake->totals->skipped++;
        return EXIT_DONE;
    case EXISTING_TWICE:
        return report_clash(intake, input);
    case EXISTING_TROUBLE:
        return report_failure(intake, error.status, &error);
    case EXISTING_NEW:
    case EXISTING_OTHER:
    case EXISTING_CHANGE:
        break;
    }
    *read_out = true;
    return EXIT_DONE;
}
