/* SPDX-License-Identifier: Apache-2.0 */
/* Threads take batches of names from one walk over the archive, so that neighbours in a folder stay with one thread, and memory
 * does not grow with the number of images, unless files are replaced: then it is known which were written. */
#include "unpack.h"

#include "cmd.h"
#include "interrupt.h"
#include "little.h"
#include "output.h"
#include "reading.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    BATCH_IMAGES = 64,
    NAME_ROOM = 1024 + 1,
    LARGE_BYTES = 32 << 20 /* larger images are held by one thread at a time */
};

struct batch {
    size_t count;
    uint32_t ordinals[BATCH_IMAGES];
    size_t name_bytes[BATCH_IMAGES];
    char names[BATCH_IMAGES][NAME_ROOM];
};

struct worker {
    struct unpack *unpack;
    struct extract_folder folder;
    struct image_buffer buffer;
    struct batch batch;
};

/* ------------------------------------------------------------------ what happened to an image */

static void count_written(struct unpack *unpack, uint64_t bytes, bool skipped)
{
    pthread_mutex_lock(&unpack->lock);
    unpack->written += !skipped;
    unpack->skipped += skipped;
    unpack->written_bytes += skipped ? 0 : bytes;
    /* Skipped bytes are done, too, as far as the time left goes. */
    progress_update(&unpack->progress, unpack->written + unpack->skipped, unpack->progress.bytes + bytes);
    pthread_mutex_unlock(&unpack->lock);
}

static void report_unreadable(struct unpack *unpack, uint32_t ordinal, const char *name, enum aimg_status status,
                              const struct aimg_error *error)
{
    bool system = status == AIMG_IO || status == AIMG_OUT_OF_MEMORY;
    const char *advice = status == AIMG_LIMIT ? "; --max-output BYTES lifts this limit" : "";
    bool damage = status == AIMG_CHECKSUM || status == AIMG_CORRUPT || status == AIMG_TRUNCATED;

    pthread_mutex_lock(&unpack->lock);
    if (error->offset != AIMG_NO_OFFSET)
        output_error("%s: image '%s' (ordinal %" PRIu32 ", offset %" PRIu64 ") is left out: %s%s", unpack->archive, name, ordinal,
                     error->offset, error->message, advice);
    else
        output_error("%s: image '%s' (ordinal %" PRIu32 ") is left out: %s%s", unpack->archive, name, ordinal, error->message,
                     advice);
    unpack->left_out++;
    unpack->damaged = unpack->damaged || damage;
    unpack->code = worse_code(unpack->code, system ? EXIT_SYSTEM : EXIT_NO);
    pthread_mutex_unlock(&unpack->lock);
}

static bool is_refusal(int error)
{
    return error == EEXIST || error == EINVAL || error == ELOOP || error == ENOTDIR || error == EISDIR || error == ENOTEMPTY ||
           error == EXDEV || error == ETXTBSY || error == ENOTUNIQ || error == EILSEQ;
}

static void report_not_written(struct unpack *unpack, const char *name, int error)
{
    pthread_mutex_lock(&unpack->lock);
    if (!unpack->stopped && error != EINTR)
        output_error("%s/%s: %s", unpack->directory, name, extract_reason(error));
    unpack->refused++;
    unpack->code = worse_code(unpack->code, is_refusal(error) ? EXIT_NO : EXIT_SYSTEM);
    unpack->stopped = unpack->stopped || extract_is_fatal(error);
    pthread_mutex_unlock(&unpack->lock);
}

/* Some file systems set no times. The bytes are there, so one word about it is enough. */
static void warn_of_times(struct unpack *unpack, const char *name, int error)
{
    pthread_mutex_lock(&unpack->lock);
    if (!unpack->times_warned)
        output_warning("%s/%s: written, but its time cannot be set: %s; the same may hold for others", unpack->directory, name,
                       strerror(error));
    unpack->times_warned = true;
    pthread_mutex_unlock(&unpack->lock);
}

/* ------------------------------------------------------------------ one image */

/* A column that is damaged must not keep the bytes from their owner: the time is then left as it is. */
static void find_mtime(const struct unpack *unpack, uint32_t ordinal, struct extract_file *file)
{
    uint8_t bytes[8];
    size_t count;
    int null;

    if (!unpack->has_mtime ||
        aimg_reader_value(unpack->reader, unpack->mtime.index, ordinal, bytes, sizeof bytes, &count, &null, NULL) != AIMG_OK ||
        null || count != sizeof bytes)
        return;
    file->has_mtime = true;
    file->mtime_ns = (int64_t)little_number(bytes, count);
}

static void place_image(struct worker *worker, uint32_t ordinal, const char *name, size_t name_bytes)
{
    struct unpack *unpack = worker->unpack;
    struct extract_file file = {.data = worker->buffer.data, .bytes = worker->buffer.bytes, .replace = unpack->force};
    const char *base;
    int error = extract_folder_enter(&worker->folder, name, name_bytes, true, &base);

    if (error == 0 && unpack->skip_existing) {
        error = extract_compare(&worker->folder, base, file.data, file.bytes);
        if (error == 0) {
            count_written(unpack, file.bytes, true);
            return;
        }
        if (error == ENOENT || (error == EEXIST && unpack->force))
            error = 0;
    }
    if (error == 0) {
        find_mtime(unpack, ordinal, &file);
        error = extract_write(&worker->folder, base, &file);
    }
    if (error != 0)
        report_not_written(unpack, name, error);
    else
        count_written(unpack, file.bytes, false);
    if (error == 0 && file.mtime_error != 0)
        warn_of_times(unpack, name, file.mtime_error);
}

static void unpack_image(struct worker *worker, uint32_t ordinal, const char *name, size_t name_bytes)
{
    struct unpack *unpack = worker->unpack;
    struct image_buffer *buffer = &worker->buffer;
    struct aimg_error error;
    enum aimg_status status = aimg_reader_read(unpack->reader, ordinal, 0, buffer->data, buffer->room, &buffer->bytes, &error);
    bool large = status == AIMG_BUFFER_TOO_SMALL && buffer->bytes > LARGE_BYTES;

    if (large)
        pthread_mutex_lock(&unpack->large);
    if (status == AIMG_BUFFER_TOO_SMALL)
        status = reading_image(unpack->reader, ordinal, buffer, &error);
    if (status == AIMG_OK)
        place_image(worker, ordinal, name, name_bytes);
    else
        report_unreadable(unpack, ordinal, name, status, &error);
    if (large) {
        free(buffer->data);
        *buffer = (struct image_buffer){0};
        pthread_mutex_unlock(&unpack->large);
    }
}

/* ------------------------------------------------------------------ threads */

static bool take_batch(struct unpack *unpack, struct batch *batch)
{
    struct aimg_listed listed;

    batch->count = 0;
    pthread_mutex_lock(&unpack->lock);
    while (batch->count < BATCH_IMAGES && !unpack->stopped && !interrupt_pending() && walk_next(&unpack->walk, &listed)) {
        if (listed.name_bytes >= NAME_ROOM)
            continue;
        batch->ordinals[batch->count] = listed.ordinal;
        batch->name_bytes[batch->count] = listed.name_bytes;
        memcpy(batch->names[batch->count], listed.name, listed.name_bytes + 1);
        batch->count++;
    }
    pthread_mutex_unlock(&unpack->lock);
    return batch->count > 0;
}

static bool must_stop(struct unpack *unpack)
{
    bool stop;

    pthread_mutex_lock(&unpack->lock);
    stop = unpack->stopped;
    pthread_mutex_unlock(&unpack->lock);
    return stop || interrupt_pending();
}

static void *work(void *user)
{
    struct worker *worker = user;
    struct batch *batch = &worker->batch;

    while (take_batch(worker->unpack, batch))
        for (size_t i = 0; i < batch->count && !must_stop(worker->unpack); i++)
            unpack_image(worker, batch->ordinals[i], batch->names[i], batch->name_bytes[i]);
    return NULL;
}

static int run_workers(struct unpack *unpack, struct worker *workers, pthread_t *handles)
{
    unsigned started = 0;

    for (unsigned i = 0; i < unpack->threads; i++) {
        workers[i].unpack = unpack;
        extract_folder_init(&workers[i].folder, unpack->root);
    }
    /* This thread is the first of them, so one that cannot be started is no trouble. */
    while (started + 1 < unpack->threads && pthread_create(&handles[started], NULL, work, &workers[started + 1]) == 0)
        started++;
    work(&workers[0]);
    for (unsigned i = 0; i < started; i++)
        pthread_join(handles[i], NULL);
    for (unsigned i = 0; i < unpack->threads; i++) {
        extract_folder_fini(&workers[i].folder);
        free(workers[i].buffer.data);
    }
    return unpack->code;
}

int unpack_run(struct unpack *unpack)
{
    struct extract_written written = {.lock = PTHREAD_MUTEX_INITIALIZER};
    struct worker *workers = calloc(unpack->threads, sizeof *workers);
    pthread_t *handles = calloc(unpack->threads, sizeof *handles);

    if (workers == NULL || handles == NULL) {
        output_error("out of memory for %u threads", unpack->threads);
        unpack->stopped = true;
        unpack->code = EXIT_SYSTEM;
        goto out;
    }
    unpack->has_mtime = aimg_reader_column_find(unpack->reader, "mtime_ns", &unpack->mtime, NULL) == AIMG_OK &&
                        unpack->mtime.type == AIMG_TYPE_I64 && !unpack->mtime.list && unpack->mtime.width == 1;
    pthread_mutex_init(&unpack->lock, NULL);
    pthread_mutex_init(&unpack->large, NULL);
    unpack->root->written = unpack->force ? &written : NULL;
    walk_begin(&unpack->walk, unpack->reader, unpack->archive, unpack->selection);
    progress_begin(&unpack->progress, "unpacking", unpack->bytes_total, unpack->quiet);
    unpack->code = run_workers(unpack, workers, handles);
    progress_end(&unpack->progress);
    walk_end(&unpack->walk);
    unpack->root->written = NULL;
    number_set_free(&written.inodes);
    /* A damaged group of names has left out its images, as a damaged image has left out itself. */
    unpack->left_out += unpack->walk.damaged;
    unpack->damaged = unpack->damaged || unpack->walk.damaged > 0;
    if (unpack->walk.code != EXIT_DONE)
        unpack->code = worse_code(unpack->code, unpack->walk.code == EXIT_SYSTEM ? EXIT_SYSTEM : EXIT_NO);
    pthread_mutex_destroy(&unpack->large);
    pthread_mutex_destroy(&unpack->lock);
out:
    free(handles);
    free(workers);
    return unpack->code;
}
