/* SPDX-License-Identifier: Apache-2.0 */
#include "compact.h"

#include "attributes.h"
#include "cmd.h"
#include "file_mode.h"
#include "guard.h"
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
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* Of SPEC.md 4.1. */
enum { RO_COMPAT_CONTENT = 2 };

enum { HEAD_BYTES = 12288, PAGE_BYTES = 4096 };

struct compact {
    const struct compact_options *options;
    const char *path;         /* of the archive, where a link leads */
    char *real;               /* that path, when it is another than the one given */
    struct stat before;       /* of the file */
    struct aimg_writer *held; /* in place: keeps other writers away */
    struct aimg_reader *source;
    struct aimg_writer *target;
    struct aimg_info info; /* of the source */
    struct aimg_space space;
    struct part part;
    struct progress progress;
    double begin;
    uint64_t bytes_after, commits_after;
};

/* ------------------------------------------------------------------ what there is to gain */

/* Of the new file. The index is taken to shrink as the images do. */
static uint64_t estimate(const struct compact *compact)
{
    const struct aimg_info *info = &compact->info;
    uint64_t living = info->ordinal_count - info->dead_count;
    double share = info->ordinal_count == 0 ? 1 : (double)living / (double)info->ordinal_count;
    uint64_t commits = compact->options->drop_history ? 1 : info->commit_count;
    return HEAD_BYTES + compact->space.images_bytes + (uint64_t)((double)compact->space.index_bytes * share) +
           commits * 2 * PAGE_BYTES;
}

static uint64_t bytes_before(const struct compact *compact)
{
    return compact->info.file_bytes + compact->info.tail_bytes;
}

static int print_object(const struct compact *compact, uint64_t after)
{
    const struct compact_options *options = compact->options;
    const struct aimg_info *info = &compact->info;
    struct json_object object = json_object_begin();
    json_put_string(&object, "schema", "aimg.compact/1");
    json_put_string(&object, "path", options->archive);
    if (options->output != NULL)
        json_put_string(&object, "output", options->output);
    json_put_bool(&object, "dry_run", options->dry_run);
    json_put_count(&object, "bytes_before", bytes_before(compact));
    json_put_count(&object, "bytes_after", after);
    json_put_count(&object, "images", info->listed_count);
    json_put_count(&object, "attachments", info->ordinal_count - info->dead_count - info->listed_count);
    json_put_count(&object, "dropped_images", info->dead_count);
    json_put_count(&object, "commits", options->drop_history && info->commit_count > 0 ? 1 : info->commit_count);
    return json_print(&object);
}

static int print_gain(const struct compact *compact)
{
    char now[32], then[32], gain[32], dead[COUNT_TEXT_BYTES];
    uint64_t before = bytes_before(compact), after = estimate(compact);
    after = after < before ? after : before;
    if (compact->options->json)
        return print_object(compact, after);
    printf("%s has %s; about %s would be left, about %s come free; %s removed or replaced\n", compact->options->archive,
           output_size(before, now, sizeof now), output_size(after, then, sizeof then),
           output_size(before - after, gain, sizeof gain), reading_count(compact->info.dead_count, "image", dead));
    return EXIT_DONE;
}

/* ------------------------------------------------------------------ before */

static int find_file(struct compact *compact)
{
    const char *archive = compact->options->archive;
    struct stat link;
    compact->path = archive;
    if (lstat(archive, &link) == 0 && S_ISLNK(link.st_mode)) {
        /* The file is replaced, not the link to it. */
        compact->real = realpath(archive, NULL);
        if (compact->real != NULL)
            compact->path = compact->real;
    }
    return EXIT_DONE;
}

static int open_source(struct compact *compact)
{
    const struct compact_options *options = compact->options;
    struct aimg_error error;
    if (options->output == NULL && !options->dry_run) {
        int code = writing_hold(compact->path, options->wait, &compact->held);
        if (code != EXIT_DONE)
            return code;
    }
    int code = reading_open(compact->path, READING_MAPPED, &compact->source);
    if (code != EXIT_DONE)
        return code;
    compact->info.struct_bytes = sizeof compact->info;
    compact->space.struct_bytes = sizeof compact->space;
    enum aimg_status status = aimg_reader_info(compact->source, &compact->info, &error);
    if (status == AIMG_OK)
        status = aimg_reader_space(compact->source, &compact->space, &error);
    if (status != AIMG_OK)
        return output_status(options->archive, status, &error);
    if (stat(compact->path, &compact->before) != 0) {
        output_error("%s: cannot look at it: %s", compact->path, strerror(errno));
        return EXIT_SYSTEM;
    }
    return EXIT_DONE;
}

static int check_output(const struct compact *compact)
{
    const struct compact_options *options = compact->options;
    struct stat other;
    if (options->output == NULL) {
        if (compact->before.st_nlink > 1)
            output_warning("%s: has %lu names (hard links); only this one will be of the new file, the others keep the old one "
                           "and its place on the disk",
                           compact->path, (unsigned long)compact->before.st_nlink);
        return EXIT_DONE;
    }
    if (stat(options->output, &other) == 0 && other.st_dev == compact->before.st_dev && other.st_ino == compact->before.st_ino) {
        output_error("%s: is ARCHIVE itself; without --output it is compacted in its place", options->output);
        return EXIT_USAGE;
    }
    if (lstat(options->output, &other) == 0 && S_ISDIR(other.st_mode)) {
        output_error("%s: is a folder; name the file to be made", options->output);
        return EXIT_NO;
    }
    return part_check_archive(options->output, options->force, "");
}

/* Sure not to fit: said before hours of work. */
static int check_room(const struct compact *compact)
{
    struct statvfs disk;
    char needed[32], free_bytes[32];
    uint64_t least = HEAD_BYTES + compact->space.images_bytes;
    if (statvfs(compact->part.folder, &disk) != 0 || (uint64_t)disk.f_bavail * disk.f_frsize >= least)
        return EXIT_DONE;
    output_error(
        "%s: the new file takes at least %s, but in %s there are %s free; make room, or name a file on another disk with "
        "--output",
        compact->options->archive, output_size(least, needed, sizeof needed), compact->part.folder,
        output_size((uint64_t)disk.f_bavail * disk.f_frsize, free_bytes, sizeof free_bytes));
    return EXIT_SYSTEM;
}

/* ------------------------------------------------------------------ the work */

static int create_target(struct compact *compact)
{
    uint8_t seed[16];
    bool reproducible;
    struct aimg_error error;
    struct aimg_writer_options options = {
        .struct_bytes = sizeof options, .alignment = compact->info.alignment, .program = "aimg " AIMG_VERSION};
    if ((compact->info.ro_compat & RO_COMPAT_CONTENT) != 0)
        options.dedup = AIMG_DEDUP_ALL; /* an archive that has an index of its content keeps one */
    int code = ingest_epoch("compact", &reproducible, &options.time_ns);
    if (code != EXIT_DONE)
        return code;
    if (reproducible) {
        writing_seed(compact->path, options.time_ns, seed);
        options.seed = seed;
    }
    /* Nobody may read more of it than of the archive, whose mode it gets when it is whole. */
    mode_t mask = umask(S_IRWXG | S_IRWXO);
    enum aimg_status status = aimg_writer_create(compact->part.path, &options, &compact->target, &error);
    umask(mask);
    if (status != AIMG_OK)
        return output_status(compact->part.path, status, &error);
    part_identify(&compact->part.identity, compact->part.path);
    guard_removes(compact->part.path);
    return EXIT_DONE;
}

static int on_progress(void *user, uint64_t bytes_done, uint64_t bytes_total)
{
    struct compact *compact = user;
    compact->progress.bytes_total = bytes_total;
    progress_update(&compact->progress, 0, bytes_done);
    return interrupt_pending();
}

static int copy(struct compact *compact)
{
    struct aimg_error error;
    struct aimg_copy_options options = {.struct_bytes = sizeof options,
                                        .flags = compact->options->drop_history ? AIMG_COPY_DROP_HISTORY : 0,
                                        .user = compact,
                                        .progress = on_progress};
    progress_begin(&compact->progress, "compacting", 0, compact->options->quiet);
    enum aimg_status status = aimg_writer_copy(compact->target, compact->source, &options, &error);
    progress_end(&compact->progress);
    if (status == AIMG_END || (status == AIMG_OK && interrupt_pending())) {
        output_error("interrupted");
        return EXIT_SYSTEM;
    }
    if (status == AIMG_IO && error.sys_errno == ENOSPC)
        output_error("%s: the disk of %s is full: make room, or name a file on another disk with --output", compact->part.path,
                     compact->part.folder);
    if (status == AIMG_OK)
        return EXIT_DONE;
    bool of_target = status == AIMG_IO || status == AIMG_LIMIT;
    return writing_failed(of_target ? compact->part.path : compact->options->archive, status, &error);
}

/* In its place the new file is to its owner and group what the archive was, and to those of its access list. */
static void set_mode(const struct compact *compact)
{
    struct stat before = compact->before;
    int fd = open(compact->part.path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return;
    /* With a list the bits of the group are its mask: without the list they would be the group's own. */
    if (!attributes_inherit(fd, compact->part.path, compact->path, compact->options->output == NULL))
        before.st_mode &= ~(mode_t)(S_IRWXG | S_IRWXO);
    bool moded = compact->options->output == NULL
                     ? file_mode_inherit(fd, &before)
                     : fchmod(fd, file_mode_masked(before.st_mode & (S_IRWXU | S_IRWXG | S_IRWXO))) == 0;
    if (!moded)
        output_warning("%s: cannot be given the mode of the archive: %s", compact->part.path, strerror(errno));
    close(fd);
}

static int put_in_place(struct compact *compact)
{
    const struct compact_options *options = compact->options;
    struct stat after;
    if (options->output == NULL &&
        !part_is_same(&(struct part_identity){compact->before.st_dev, compact->before.st_ino}, compact->path)) {
        output_error("%s: was removed or replaced by another program meanwhile; %s is whole, with what was in it before: rename "
                     "it by hand, or remove it",
                     compact->path, compact->part.path);
        return EXIT_SYSTEM;
    }
    set_mode(compact);
    int code = part_finish(&compact->part, options->output == NULL ? PART_HELD : options->force ? PART_REPLACE : PART_NEW, true);
    if (code == EXIT_DONE && stat(compact->part.archive, &after) == 0)
        compact->bytes_after = (uint64_t)after.st_size;
    return code;
}

static int report(const struct compact *compact)
{
    char before[32], after[32], images[32], dropped[COUNT_TEXT_BYTES], rate[32];
    const struct compact_options *options = compact->options;
    double seconds = ingest_clock() - compact->begin;
    uint64_t bytes_a_second = seconds > 0 ? (uint64_t)((double)compact->info.live_stored_bytes / seconds) : 0;
    if (options->json)
        return print_object(compact, compact->bytes_after);
    output_note("compacted %s: %s, now %s%s%s; %s images, %s dropped; %.2f s (%s/s)", options->archive,
                output_size(bytes_before(compact), before, sizeof before), output_size(compact->bytes_after, after, sizeof after),
                options->output != NULL ? " in " : "", options->output != NULL ? options->output : "",
                output_count(compact->info.listed_count, images, sizeof images),
                reading_count(compact->info.dead_count, "removed image", dropped), seconds,
                output_size(bytes_a_second, rate, sizeof rate));
    return EXIT_DONE;
}

static int write_file(struct compact *compact)
{
    const struct compact_options *options = compact->options;
    int code = check_room(compact);
    if (code == EXIT_DONE)
        code = part_clear_unfinished(&compact->part, &compact->before, options->force);
    if (code == EXIT_DONE)
        code = create_target(compact);
    if (code != EXIT_DONE)
        return code;
    code = copy(compact);
    guard_removes(NULL);
    bool copied = code == EXIT_DONE;
    if (copied)
        code = put_in_place(compact);
    int closed = writing_close(compact->target, compact->part.path);
    if (code == EXIT_DONE)
        return closed == EXIT_DONE ? report(compact) : closed;
    if (copied) /* what is whole is kept, what may not be is gone, and that was said */
        return code;
    part_remove(&compact->part);
    if (options->output != NULL)
        output_error("%s was not made", options->output);
    else
        output_error("%s is as it was", options->archive);
    return code;
}

static int run(struct compact *compact)
{
    const struct compact_options *options = compact->options;
    int code = find_file(compact);
    if (code == EXIT_DONE)
        code = open_source(compact);
    if (code != EXIT_DONE)
        return code;
    if (options->dry_run)
        return print_gain(compact);
    code = check_output(compact);
    if (code == EXIT_DONE)
        code = part_init(&compact->part, options->output != NULL ? options->output : compact->path, "compact", ".compact");
    return code == EXIT_DONE ? write_file(compact) : code;
}

int compact_run(const struct compact_options *options)
{
    struct compact compact = {.options = options, .begin = ingest_clock()};
    int code = run(&compact);
    aimg_reader_close(compact.source);
    if (compact.held != NULL)
        code = worse_code(code, writing_close(compact.held, options->archive));
    part_fini(&compact.part);
    free(compact.real);
    return code;
}
