/* SPDX-License-Identifier: Apache-2.0 */
#include "verify.h"

static enum aimg_status take_options(const struct aimg_verify_options *options, struct aimg_verify *verify,
                                     struct aimg_error *error)
{
    struct aimg_verify_options *taken = &verify->options;
    if (options != NULL) {
        if (options->struct_bytes < offsetof(struct aimg_verify_options, allocator) || options->struct_bytes > sizeof *taken)
            return aimg_fail(error, AIMG_INVALID_ARGUMENT,
                             "options.struct_bytes is %zu, this library knows %zu: set it to sizeof", options->struct_bytes,
                             sizeof *taken);
        memcpy(taken, options, options->struct_bytes);
    }
    if ((taken->flags & ~(uint32_t)(AIMG_VERIFY_QUICK | AIMG_VERIFY_AT)) != 0)
        return aimg_fail(error, AIMG_INVALID_ARGUMENT, "options.flags has unknown bits: 0x%" PRIx32, taken->flags);
    if (!aimg_allocator_resolve(&taken->allocator, &verify->source.allocator))
        return aimg_fail(error, AIMG_INVALID_ARGUMENT, "options.allocator needs both alloc and free");
    verify->source.limits = taken->limits;
    aimg_limits_resolve(&verify->source.limits);
    verify->quick = (taken->flags & AIMG_VERIFY_QUICK) != 0;
    return AIMG_OK;
}

/* Rules 1 to 8: without a header there is nothing to check. */
static bool header_usable(struct aimg_verify *verify, enum aimg_status status, const struct aimg_error *error)
{
    if (status == AIMG_OK || error->rule > 8)
        return true;
    if (error->rule != 0)
        aimg_verify_fault(verify, error->rule, aimg_verify_at(error->offset), "%s", error->message);
    return false;
}

/* Finds the commit that is asked for, with which the file is taken to end. */
static enum aimg_status locate_past(struct aimg_verify *verify, struct aimg_error *error)
{
    struct aimg_located *located = &verify->located;
    enum aimg_status status = aimg_locate(&verify->io, true, located, error);
    if (status == AIMG_OK)
        status = aimg_locate_seq(&verify->io, verify->options.seq, located, error);
    located->file_bytes = verify->source.end = verify->end = verify->report.total_bytes = located->end;
    verify->source.seed = aimg_uuid_seed(located->header.uuid);
    return status;
}

/* Finds the last commit that can be used. *located_out: whether readers find the last one. */
static enum aimg_status locate(struct aimg_verify *verify, enum aimg_status *located_out, struct aimg_error *error)
{
    struct aimg_error why;
    *located_out = aimg_locate(&verify->io, false, &verify->located, &why);
    if (!header_usable(verify, *located_out, &why)) {
        if (error != NULL)
            *error = why;
        return why.status;
    }
    enum aimg_status status = *located_out == AIMG_OK ? AIMG_OK : aimg_locate(&verify->io, true, &verify->located, error);
    if (status != AIMG_OK && status != AIMG_IO) {
        verify->located.empty = true; /* the walk begins at the head, without an index */
        verify->located.end = AIMG_HEAD_BYTES;
        status = AIMG_OK;
    }
    if (*located_out != AIMG_OK && error != NULL)
        *error = why; /* what a reader is told */
    verify->source.end = verify->located.file_bytes;
    verify->source.seed = aimg_uuid_seed(verify->located.header.uuid);
    return status;
}

/* Room for what the walk keeps of each ordinal; no more than IMAGE frames fit into the file. */
static bool allocate_records(struct aimg_verify *verify)
{
    uint64_t most = (verify->end - AIMG_HEAD_BYTES) / AIMG_FRAME_BYTES;
    uint64_t count = verify->index.open ? verify->index.root.head.ordinal_count : 0;
    verify->record_count = count < most ? count : most;
    verify->records = aimg_alloc_array(&verify->source.allocator, verify->record_count, sizeof *verify->records);
    if (verify->records == NULL)
        aimg_verify_no_memory(verify, verify->record_count * sizeof *verify->records);
    return verify->records != NULL;
}

static enum aimg_status unsupported(struct aimg_verify *verify, struct aimg_error *error)
{
    const struct aimg_commit_page *commit = &verify->located.commit;
    uint64_t unknown = commit->incompat & ~AIMG_INCOMPAT_KNOWN;
    aimg_verify_fault(verify, 32, aimg_verify_at(commit->self_offset),
                      "the archive uses features that this version does not know: bits 0x%" PRIx64, unknown);
    return aimg_fail_at(error, AIMG_UNSUPPORTED, 32, commit->self_offset,
                        "the archive uses features that this version does not know (bits 0x%" PRIx64 "); use a newer version",
                        unknown);
}

static enum aimg_status check(struct aimg_verify *verify, struct aimg_error *error)
{
    uint8_t head[AIMG_HEAD_BYTES];
    enum aimg_status located = AIMG_OK;
    bool past = (verify->options.flags & AIMG_VERIFY_AT) != 0;
    verify->being_written = aimg_io_file_being_written(&verify->io);
    enum aimg_status status = past ? locate_past(verify, error) : locate(verify, &located, error);
    verify->being_written = verify->being_written || aimg_io_file_being_written(&verify->io); /* it may have begun or ended */
    if (status == AIMG_OK)
        status = verify->io.ops->read_at(&verify->io, 0, head, sizeof head, error);
    if (status != AIMG_OK)
        return status;
    const struct aimg_commit_page *commit = &verify->located.commit;
    if (!past) /* hints lead to later commits */
        status = aimg_verify_hints(verify, head, located);
    verify->skips_unknown = (commit->compat & ~AIMG_COMPAT_KNOWN) != 0 || (commit->ro_compat & ~AIMG_RO_COMPAT_KNOWN) != 0;
    if ((commit->incompat & ~AIMG_INCOMPAT_KNOWN) != 0)
        return unsupported(verify, error);
    aimg_verify_progress(verify, AIMG_HEAD_BYTES);
    aimg_verify_index_open(verify);
    if (allocate_records(verify))
        aimg_verify_walk_all(verify);
    if (!aimg_verify_stopped(verify)) {
        aimg_verify_ends(verify);
        aimg_verify_index_check(verify);
    }
    if (status != AIMG_OK && error != NULL)
        error->status = status;
    return status;
}

static void release(struct aimg_verify *verify)
{
    const struct aimg_allocator *allocator = &verify->source.allocator;
    aimg_verify_names_end(verify);
    aimg_verify_index_close(verify);
    aimg_codec_pool_release(&verify->codecs);
    aimg_release(allocator, verify->records);
    aimg_buffer_release(allocator, &verify->spares);
    aimg_buffer_release(allocator, &verify->frames);
    aimg_buffer_release(allocator, &verify->damaged);
    aimg_buffer_release(allocator, &verify->known);
}

static void fill_result(const struct aimg_verify *verify, struct aimg_verify_result *result)
{
    uint64_t checked = AIMG_HEAD_BYTES + verify->walk.checked_bytes, there = verify->located.file_bytes;
    *result = (struct aimg_verify_result){.faults = verify->report.faults,
                                          .warnings = verify->report.warnings,
                                          .images = verify->images,
                                          .commits = verify->walk.commits,
                                          .bytes = checked < there ? checked : there,
                                          .tail_bytes = verify->source.end - verify->end};
}

/* With io open; closes it. */
static enum aimg_status verify_open(struct aimg_verify *verify, struct aimg_verify_result *result_out, struct aimg_error *error)
{
    enum aimg_status status;
    verify->source.io = &verify->io;
    if (aimg_verify_report_begin(verify)) {
        status = check(verify, error);
        if (aimg_verify_stopped(verify)) {
            status = verify->stop.status;
            if (error != NULL)
                *error = verify->stop;
        }
        aimg_verify_report_end(verify);
        fill_result(verify, result_out);
    } else {
        status = aimg_fail_memory(error, sizeof *verify);
    }
    release(verify);
    (void)verify->io.ops->close(&verify->io, NULL);
    return status;
}

/* What io designates, or path when io is NULL. */
static enum aimg_status verify_with(const struct aimg_io *io, const char *path, const struct aimg_verify_options *options,
                                    struct aimg_verify_result *result_out, struct aimg_error *error)
{
    struct aimg_verify given = {.quick = false};
    enum aimg_status status = take_options(options, &given, error);
    if (status != AIMG_OK)
        return status;
    struct aimg_allocator allocator = given.source.allocator;
    struct aimg_verify *verify = aimg_alloc_array(&allocator, 1, sizeof *verify);
    if (verify == NULL)
        return aimg_fail_memory(error, sizeof *verify);
    verify->options = given.options;
    verify->source = given.source;
    verify->quick = given.quick;
    aimg_codec_pool_init(&verify->codecs);
    if (io != NULL)
        verify->io = *io;
    else
        status = aimg_io_file_open(&verify->io, path, AIMG_IO_READ, error);
    if (status == AIMG_OK)
        status = verify_open(verify, result_out, error);
    aimg_release(&allocator, verify);
    return status;
}

enum aimg_status aimg_verify_io(const struct aimg_io *io, const struct aimg_verify_options *options,
                                struct aimg_verify_result *result_out, struct aimg_error *error)
{
    return verify_with(io, NULL, options, result_out, error);
}

enum aimg_status aimg_verify(const char *path, const struct aimg_verify_options *options, struct aimg_verify_result *result_out,
                             struct aimg_error *error)
{
    if (path == NULL || result_out == NULL)
        return aimg_fail(error, AIMG_INVALID_ARGUMENT, "aimg_verify needs a path and a place for the result");
    return verify_with(NULL, path, options, result_out, error);
}
