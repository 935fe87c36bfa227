/* SPDX-License-Identifier: Apache-2.0 */
#include "writing.h"

#include "cmd.h"
#include "output.h"
#include "reading.h"

#include <stdio.h>

enum { REPLACED_MOST = 10 };

/* 16 bytes that depend on the time and on what is given. */
static void make_seed(uint64_t time_ns, const uint64_t digest[2], uint8_t seed_out[16])
{
    uint64_t halves[2] = {digest[0] ^ time_ns, digest[1] ^ (time_ns * UINT64_C(0x9E3779B97F4A7C15))};
    /* An archive's identity may not be all zero. */
    halves[0] |= halves[1] == 0;
    for (int i = 0; i < 16; i++)
        seed_out[i] = (uint8_t)(halves[i / 8] >> (8 * (i % 8)));
}

int writing_create(const char *path, const struct ingest_options *options, const uint64_t digest[2],
                   struct aimg_writer **writer_out)
{
    uint8_t seed[16];
    struct aimg_error error;
    make_seed(options->time_ns, digest, seed);
    struct aimg_writer_options writer_options = ingest_writer_options(options, seed);
    enum aimg_status status = aimg_writer_create(path, &writer_options, writer_out, &error);
    return status == AIMG_OK ? EXIT_DONE : output_status(path, status, &error);
}

/* Of a damaged archive: all its bytes, for nothing else tells it from others. It need not withstand anybody's wish. */
static void digest_bytes(const char *path, uint64_t digest[2])
{
    FILE *file = fopen(path, "rb");
    unsigned char piece[65536];
    size_t bytes;
    while (file != NULL && (bytes = fread(piece, 1, sizeof piece, file)) > 0) {
        for (size_t i = 0; i < bytes; i++) {
            digest[0] = (digest[0] ^ piece[i]) * UINT64_C(0x100000001B3);
            digest[1] = (digest[1] + piece[i] + 1) * UINT64_C(0x9E3779B97F4A7C15);
        }
    }
    if (file != NULL)
        fclose(file);
}

/* What an archive holds, in 16 bytes: the same input added to the same archive gives the same bytes. */
static void digest_archive(const char *path, uint64_t digest[2])
{
    struct aimg_reader_options options = {.struct_bytes = sizeof options, .flags = AIMG_READER_NO_MAP};
    struct aimg_reader *reader = NULL;
    /* What is wrong with it will be said when it is opened to be written. */
    if (aimg_reader_open(path, &options, &reader, NULL) != AIMG_OK) {
        digest_bytes(path, digest);
        return;
    }
    struct aimg_info info = {.struct_bytes = sizeof info};
    bool known = aimg_reader_info(reader, &info, NULL) == AIMG_OK;
    for (size_t i = 0; known && i < sizeof info.chain; i++) /* the same number on machines of any byte order */
        digest[i / 8] |= (uint64_t)info.chain[i] << 8 * (i % 8);
    aimg_reader_close(reader);
}

/* What became of bytes after the last commit. */
static void warn_dropped(const char *path, const struct aimg_writer *writer)
{
    uint64_t bytes, images, recovered;
    char size[32], count[COUNT_TEXT_BYTES];
    aimg_writer_dropped(writer, &bytes, &images);
    aimg_writer_recovered(writer, &recovered);
    if (recovered > 0)
        output_note("%s: recovered and committed %s of an incomplete commit, without values of columns", path,
                    reading_count(recovered, "image", count));
    if (bytes > 0 && (recovered == 0 || images > 0)) {
        output_warning("%s: dropped %s of an incomplete commit, with %s", path, output_size(bytes, size, sizeof size),
                       reading_count(images, "image", count));
    }
}

void writing_seed(const char *path, uint64_t time_ns, uint8_t seed_out[16])
{
    uint64_t digest[2] = {0, 0};
    digest_archive(path, digest);
    make_seed(time_ns, digest, seed_out);
}

/* For another writer to be done. Who could wait is told how. */
enum waiting { WAITING_CANNOT, WAITING_COULD, WAITING_ASKED };

static enum waiting waiting_of(bool asked)
{
    return asked ? WAITING_ASKED : WAITING_COULD;
}

/* Every verb that writes opens the archive here. Who waits is told so once. */
static int open_writer(const char *path, struct aimg_writer_options *options, enum waiting waiting,
                       struct aimg_writer **writer_out, enum aimg_status *status_out)
{
    struct aimg_error error;
    reading_raise_limits(path, &options->limits);
    enum aimg_status status = aimg_writer_open(path, options, writer_out, &error);
    if (status == AIMG_BUSY && waiting == WAITING_ASKED) {
        output_note("%s: waiting for another writer", path);
        options->flags |= AIMG_WRITER_WAIT;
        status = aimg_writer_open(path, options, writer_out, &error);
    }
    *status_out = status;
    if (status == AIMG_NOT_FOUND) {
        output_error("%s: is not there; 'aimg pack' makes an archive", path);
        return EXIT_SYSTEM;
    }
    if (status == AIMG_BUSY && waiting == WAITING_COULD) {
        output_error("%s: %s, or use --wait", path, error.message);
        return output_exit_code(status);
    }
    if (status != AIMG_OK)
        return output_status(path, status, &error);
    warn_dropped(path, *writer_out);
    return EXIT_DONE;
}

int writing_hold(const char *path, bool wait, struct aimg_writer **writer_out)
{
    struct aimg_writer_options options = {.struct_bytes = sizeof options};
    enum aimg_status status;
    return open_writer(path, &options, waiting_of(wait), writer_out, &status);
}

/* Whether the end of an archive is missing; says so, as what was committed there is gone for good once somebody adds. */
static void warn_cut(const char *path)
{
    struct aimg_reader_options options = {.struct_bytes = sizeof options, .flags = AIMG_READER_NO_MAP};
    struct aimg_reader *reader = NULL;
    struct aimg_error error;
    if (aimg_reader_open(path, &options, &reader, &error) == AIMG_TRUNCATED)
        output_warning("%s: its end is missing; --recover goes on from the newest commit that is whole", path);
    aimg_reader_close(reader);
}

static int open_seeded(const char *path, const struct ingest_options *options, enum waiting waiting,
                       struct aimg_writer **writer_out, enum aimg_status *status_out)
{
    uint64_t digest[2] = {0, 0};
    uint8_t seed[16];
    if (options->reproducible)
        digest_archive(path, digest);
    if (options->recover)
        warn_cut(path);
    make_seed(options->time_ns, digest, seed);
    struct aimg_writer_options writer_options = ingest_writer_options(options, seed);
    return open_writer(path, &writer_options, waiting, writer_out, status_out);
}

int writing_open(const char *path, const struct ingest_options *options, struct aimg_writer **writer_out,
                 enum aimg_status *status_out)
{
    return open_seeded(path, options, WAITING_CANNOT, writer_out, status_out);
}

/* The path is asked before and after: when both times it names the same file, that is the one that was opened. Else another
 * program has just put another file there, and that one is opened. */
int writing_open_as(const char *path, const struct ingest_options *options, struct aimg_writer **writer_out,
                    enum aimg_status *status_out, struct part_identity *identity_out)
{
    for (int i = 0; i < REPLACED_MOST; i++) {
        part_identify(identity_out, path);
        int code = open_seeded(path, options, waiting_of(options->wait), writer_out, status_out);
        if (code != EXIT_DONE || part_is_same(identity_out, path))
            return code;
        code = writing_close(*writer_out, path);
        if (code != EXIT_DONE)
            return code;
    }
    output_error("%s: is replaced again and again by another program", path);
    return EXIT_SYSTEM;
}

int writing_failed(const char *path, enum aimg_status status, const struct aimg_error *error)
{
    int code = output_status(path, status, error);
    return status == AIMG_LIMIT ? EXIT_SYSTEM : code;
}

void writing_state(const struct aimg_writer *writer, uint64_t *commits_out, uint64_t *images_out)
{
    struct aimg_info info = {.struct_bytes = sizeof info};
    bool known = aimg_reader_info(aimg_writer_base(writer), &info, NULL) == AIMG_OK;
    *commits_out = known ? info.commit_count : 0;
    *images_out = known ? info.listed_count : 0;
}

int writing_close(struct aimg_writer *writer, const char *path)
{
    struct aimg_error error;
    enum aimg_status status = aimg_writer_close(writer, &error);
    return status == AIMG_OK ? EXIT_DONE : output_status(path, status, &error);
}

int writing_confirm(const struct part_identity *identity, const char *path)
{
    if (part_is_same(identity, path))
        return EXIT_DONE;
    output_error("%s: was removed or replaced by another program meanwhile; what was done is lost with the old file: run this "
                 "again",
                 path);
    return EXIT_SYSTEM;
}
