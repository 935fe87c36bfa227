/* SPDX-License-Identifier: Apache-2.0 */
/* The call: a damaged archive in, a sound one out. */
#include "repair.h"

#include <string.h>

#define TELL_BYTES (UINT64_C(1) << 20)
#define MESSAGE    "repaired from a damaged archive"

void aimg_repair_lose(struct aimg_repair *repair, const struct aimg_loss *loss)
{
    struct aimg_repair_result *result = &repair->result;
    switch ((enum aimg_loss_kind)loss->kind) {
    case AIMG_LOSS_IMAGES:
        result->lost_images += loss->count;
        break;
    case AIMG_LOSS_NAME:
        result->lost_names++;
        break;
    case AIMG_LOSS_VALUES:
        result->lost_values += loss->count;
        break;
    case AIMG_LOSS_META:
        result->lost_meta = 1;
        break;
    case AIMG_LOSS_BYTES:
        result->lost_bytes += loss->bytes;
        break;
    case AIMG_LOSS_REMOVAL:
        result->removals++;
        break;
    case AIMG_LOSS_UNKNOWN:
        break;
    }
    if (repair->options.loss != NULL)
        repair->options.loss(repair->options.user, loss);
}

enum aimg_status aimg_repair_tell(struct aimg_repair *repair, uint64_t done, struct aimg_error *error)
{
    if (repair->options.progress == NULL ||
        (repair->told && done < repair->told_bytes + TELL_BYTES && repair->steps++ % 256 != 0))
        return AIMG_OK;
    repair->told = true;
    repair->told_bytes = done > repair->told_bytes ? done : repair->told_bytes;
    return aimg_repair_pulse(repair, error);
}

enum aimg_status aimg_repair_pulse(const struct aimg_repair *repair, struct aimg_error *error)
{
    if (repair->options.progress == NULL ||
        repair->options.progress(repair->options.user, repair->told_bytes, repair->file_bytes) == 0)
        return AIMG_OK;
    return aimg_fail(error, AIMG_END, "the repair was stopped");
}

/* ------------------------------------------------------------------ what is not known */

void aimg_repair_lose_bytes(struct aimg_repair *repair, uint64_t offset, uint64_t bytes, const char *message)
{
    struct aimg_loss loss = {
        .kind = AIMG_LOSS_BYTES, .ordinal = AIMG_NO_ORDINAL, .offset = offset, .count = 1, .bytes = bytes, .message = message};
    aimg_repair_lose(repair, &loss);
}

/* ------------------------------------------------------------------ the work */

static enum aimg_status create_writer(struct aimg_repair *repair, const struct aimg_repair_target *target,
                                      struct aimg_error *error)
{
    const struct aimg_commit_page *commit = &repair->reader.located.commit;
    struct aimg_writer_options options = {.struct_bytes = sizeof options};
    if (repair->options.writer != NULL) {
        if (repair->options.writer->struct_bytes != sizeof options)
            return aimg_fail(error, AIMG_INVALID_ARGUMENT, "options.writer needs struct_bytes set to its size");
        options = *repair->options.writer;
    }
    options.allocator = repair->options.allocator;
    options.limits = repair->options.limits;
    if (options.alignment == 0)
        options.alignment = UINT32_C(1) << repair->reader.located.header.params.alignment_log2;
    if ((commit->ro_compat & AIMG_RO_COMPAT_CONTENT) != 0)
        options.dedup = AIMG_DEDUP_ALL; /* an archive that has an index of its content keeps one */
    if (target->io != NULL)
        return aimg_writer_create_io(target->io, &options, &repair->writer, error);
    return aimg_writer_create(target->path, &options, &repair->writer, error);
}

static enum aimg_status read_all(struct aimg_repair *repair, struct aimg_error *error)
{
    enum aimg_status status = repair->io->ops->size(repair->io, &repair->file_bytes, error);
    repair->reader.source.end = repair->file_bytes;
    if (status == AIMG_OK)
        status = aimg_repair_identify(repair, error);
    if (status == AIMG_OK && repair->file_bytes < AIMG_HEAD_BYTES)
        status = aimg_fail_at(error, AIMG_TRUNCATED, 1, repair->file_bytes,
                              "there is nothing to save: the file ends before the first image, at %" PRIu64 " bytes",
                              repair->file_bytes);
    if (status == AIMG_OK)
        status = aimg_repair_scan(repair, error);
    if (status == AIMG_OK)
        status = aimg_repair_load(repair, error);
    if (status == AIMG_OK)
        status = aimg_repair_complete(repair, error);
    if (status == AIMG_OK)
        status = aimg_repair_settle_names(repair, error);
    if (status == AIMG_OK)
        aimg_repair_tell_gaps(repair);
    return status;
}

static void tell_seal(struct aimg_repair *repair)
{
    struct aimg_loss loss = {.kind = AIMG_LOSS_UNKNOWN,
                             .ordinal = AIMG_NO_ORDINAL,
                             .count = 1,
                             .offset = AIMG_NO_OFFSET,
                             .message =
                                 "whether the archive was sealed, as the page of its last commit is lost; the new one is not"};
    if (repair->page_lost)
        aimg_repair_lose(repair, &loss);
}

static enum aimg_status write_all(struct aimg_repair *repair, struct aimg_error *error)
{
    struct aimg_writer *writer = repair->writer;
    enum aimg_status status = aimg_repair_values_create(repair, error);
    if (status == AIMG_OK)
        status = aimg_repair_write(repair, error);
    if (status == AIMG_OK)
        status = aimg_repair_values_finish(repair, error);
    if (status == AIMG_OK)
        status = aimg_repair_meta(repair, error);
    if (status != AIMG_OK)
        return status;
    const struct aimg_repair_result *result = &repair->result;
    uint64_t saved = writer->head.ordinal_count - writer->head.dead_count;
    repair->result.images = writer->head.listed_count;
    repair->result.attachments = saved - writer->head.listed_count;
    /* Of a state whose images were all removed, metadata and columns are left. */
    if (saved == 0 && (result->lost_images > 0 || (result->lost_bytes > 0 && repair->base_root == 0)))
        return aimg_fail(error, AIMG_CORRUPT, "there is nothing to save: no image is whole");
    if (saved == 0 && repair->committed_end <= AIMG_HEAD_BYTES)
        return AIMG_OK; /* an archive that nothing was committed to */
    tell_seal(repair);
    return repair->sealed ? aimg_writer_seal(writer, MESSAGE, error) : aimg_writer_commit(writer, MESSAGE, error);
}

static enum aimg_status take_options(const struct aimg_repair_options *options, struct aimg_repair_options *taken,
                                     struct aimg_error *error)
{
    *taken = (struct aimg_repair_options){.struct_bytes = sizeof *taken};
    if (options != NULL) {
        if (options->struct_bytes != sizeof *taken || options->flags != 0 || options->reserved != 0)
            return aimg_fail(error, AIMG_INVALID_ARGUMENT,
                             "repair needs options with struct_bytes set to their size, and no flags");
        *taken = *options;
    }
    if (!aimg_allocator_resolve(&taken->allocator, &taken->allocator))
        return aimg_fail(error, AIMG_INVALID_ARGUMENT, "options.allocator needs both alloc and free");
    aimg_limits_resolve(&taken->limits);
    return AIMG_OK;
}

/* Two files are at work: says of which the system has refused something. */
static enum aimg_status of_target(enum aimg_status status, struct aimg_error *error)
{
    static const char head[] = "the new archive: ";
    if (error == NULL || (status != AIMG_IO && status != AIMG_NOT_FOUND))
        return status;
    size_t bytes = strlen(error->message), most = sizeof error->message - sizeof head;
    memmove(error->message + sizeof head - 1, error->message, bytes < most ? bytes : most);
    error->message[sizeof head - 1 + (bytes < most ? bytes : most)] = '\0';
    memcpy(error->message, head, sizeof head - 1);
    return status;
}

static enum aimg_status run(struct aimg_repair *repair, const struct aimg_repair_target *target, struct aimg_error *error)
{
    enum aimg_status status = read_all(repair, error);
    if (status != AIMG_OK)
        return status;
    status = create_writer(repair, target, error);
    if (status != AIMG_OK)
        return of_target(status, error);
    status = write_all(repair, error);
    if (repair->writer->failed)
        status = of_target(status, error);
    aimg_repair_values_destroy(repair);
    if (status != AIMG_OK && target->path != NULL)
        aimg_io_file_discard(repair->writer->io, target->path);
    enum aimg_status closed = aimg_writer_close(repair->writer, status == AIMG_OK ? error : NULL);
    return status == AIMG_OK ? of_target(closed, error) : status;
}

enum aimg_status aimg_repair_io(struct aimg_io *io, const struct aimg_repair_target *target,
                                const struct aimg_repair_options *options, struct aimg_repair_result *result_out,
                                struct aimg_error *error)
{
    struct aimg_repair_options taken;
    enum aimg_status status = take_options(options, &taken, error);
    if (status != AIMG_OK)
        return status;
    struct aimg_repair *repair = aimg_alloc_array(&taken.allocator, 1, sizeof *repair);
    if (repair == NULL)
        return aimg_fail_memory(error, sizeof *repair);
    repair->options = taken;
    repair->io = io;
    repair->scan_begin = AIMG_HEAD_BYTES;
    repair->reader.borrowed_io = true;
    repair->reader.source = (struct aimg_source){.allocator = taken.allocator, .limits = taken.limits, .io = io};
    status = run(repair, target, error);
    if (status == AIMG_OK || aimg_repair_bears(status))
        *result_out = repair->result;
    aimg_repair_unload(repair);
    aimg_buffer_release(&taken.allocator, &repair->images);
    aimg_buffer_release(&taken.allocator, &repair->pieces);
    aimg_buffer_release(&taken.allocator, &repair->gaps);
    aimg_buffer_release(&taken.allocator, &repair->salts);
    aimg_release(&taken.allocator, repair);
    return status;
}

enum aimg_status aimg_repair(const char *path, const char *out_path, const struct aimg_repair_options *options,
                             struct aimg_repair_result *result_out, struct aimg_error *error)
{
    struct aimg_io io;
    struct aimg_repair_target target = {.path = out_path};
    if (path == NULL || out_path == NULL || result_out == NULL)
        return aimg_fail(error, AIMG_INVALID_ARGUMENT, "aimg_repair needs two paths and a place for the result");
    enum aimg_status status = aimg_io_file_open(&io, path, AIMG_IO_READ, error);
    if (status != AIMG_OK)
        return status;
    status = aimg_repair_io(&io, &target, options, result_out, error);
    enum aimg_status closed = io.ops->close(&io, status == AIMG_OK ? error : NULL);
    return status == AIMG_OK ? closed : status;
}
