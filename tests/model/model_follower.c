/* SPDX-License-Identifier: Apache-2.0 */
/* A reader of a real file, which is made to hold what the disk's cache holds whenever the reader looks. */
#include "model_run.h"

#include "checksum.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PIECE 4096u

static void path_of(const struct model_run *run, const char *name, char out[300])
{
    snprintf(out, 300, "%s/%s", run->folder, name);
}

/* An empty file in the place of the one that is there. */
static bool new_file(struct model_run *run)
{
    struct model_follower *follower = &run->follower;
    char path[300], beside[300];
    path_of(run, "follow.aimg", path);
    path_of(run, "beside.aimg", beside);
    if (follower->file >= 0)
        (void)close(follower->file);
    follower->file = open(beside, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    follower->shown_bytes = 0;
    follower->replaced = false;
    if (follower->shown == NULL)
        follower->shown = malloc(FAKE_DISK_BYTES);
    if (follower->file < 0 || rename(beside, path) != 0 || follower->shown == NULL)
        return model_fail(run->reason, "%s cannot be made", path);
    return true;
}

static bool show(struct model_run *run)
{
    struct model_follower *follower = &run->follower;
    const struct fake_disk *disk = &run->disk;
    if ((follower->file < 0 || follower->replaced) && !new_file(run))
        return false;
    if (follower->shown_bytes > disk->cache_bytes && ftruncate(follower->file, (off_t)disk->cache_bytes) != 0)
        return model_fail(run->reason, "the file cannot be cut");
    for (uint64_t at = 0; at < disk->cache_bytes; at += PIECE) {
        size_t bytes = disk->cache_bytes - at < PIECE ? (size_t)(disk->cache_bytes - at) : PIECE;
        if (at + bytes <= follower->shown_bytes && memcmp(follower->shown + at, disk->cache + at, bytes) == 0)
            continue;
        if (pwrite(follower->file, disk->cache + at, bytes, (off_t)at) != (ssize_t)bytes)
            return model_fail(run->reason, "the file cannot be written");
        memcpy(follower->shown + at, disk->cache + at, bytes);
    }
    follower->shown_bytes = disk->cache_bytes;
    return true;
}

void model_follower_close(struct model_follower *follower)
{
    aimg_reader_close(follower->reader);
    follower->reader = NULL;
    follower->lent.data = NULL;
    if (follower->file >= 0)
        (void)close(follower->file);
    follower->file = -1;
}

static bool open_reader(struct model_run *run, bool without_map)
{
    struct aimg_reader_options options = {.struct_bytes = sizeof options, .flags = without_map ? AIMG_READER_NO_MAP : 0};
    struct aimg_error error;
    char path[300];
    path_of(run, "follow.aimg", path);
    aimg_reader_close(run->follower.reader);
    run->follower.reader = NULL;
    run->follower.lent.data = NULL;
    enum aimg_status status = aimg_reader_open(path, &options, &run->follower.reader, &error);
    return model_status(run->reason, status, AIMG_OK, &error, "the follower: opening");
}

static bool check_lent(const struct model_run *run)
{
    const struct model_follower *follower = &run->follower;
    if (follower->lent.data == NULL || aimg_hash(follower->lent.data, (size_t)follower->lent.bytes).low == follower->lent_hash)
        return true;
    return model_fail((char *)run->reason, "the follower: the bytes that were borrowed of image %" PRIu32 " have changed",
                      follower->lent.ordinal);
}

/* Bytes that must stay where they are. */
static void borrow_one(struct model_run *run)
{
    struct model_follower *follower = &run->follower;
    const struct model_state *last = model_archive_last(&run->model);
    for (uint32_t i = 0; follower->lent.data == NULL && i < last->image_count; i++)
        if (!last->images[i].dead && aimg_reader_borrow(follower->reader, i, 0, &follower->lent, NULL) != AIMG_OK)
            follower->lent.data = NULL;
    if (follower->lent.data != NULL)
        follower->lent_hash = aimg_hash(follower->lent.data, (size_t)follower->lent.bytes).low;
}

bool model_follower_refresh(struct model_run *run, bool without_map)
{
    struct model_follower *follower = &run->follower;
    struct aimg_error error;
    bool replaced = follower->replaced, opened = follower->reader == NULL;
    int changed = -1;
    if (!show(run))
        return false;
    if (opened && !open_reader(run, without_map))
        return false;
    enum aimg_status status = aimg_reader_refresh(follower->reader, &changed, &error);
    bool expected = !opened && replaced;
    if (!model_status(run->reason, status, expected ? AIMG_REPLACED : AIMG_OK, &error, "the follower: refreshing"))
        return false;
    if (expected && !open_reader(run, without_map))
        return false;
    if (!expected && changed != (!opened && follower->seen != run->model.commit_count))
        return model_fail(run->reason, "the follower: refreshing said %d at commit %" PRIu32 ", after %" PRIu32, changed,
                          run->model.commit_count, follower->seen);
    follower->seen = run->model.commit_count;
    struct model_check check = model_check_of(run, follower->reader, "the follower");
    if (!check_lent(run) || !model_check_all(&check))
        return false;
    borrow_one(run);
    return true;
}
