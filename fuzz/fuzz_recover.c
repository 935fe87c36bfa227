/* SPDX-License-Identifier: Apache-2.0 */
/* What a crash leaves: an archive cut anywhere, with rubbish behind it, or with a hint that is old. A writer opens it, drops what
 * was not committed, or keeps its whole images, and goes on from what a reader saw. */
#include "script_writer.h"

#include "checksum.h"
#include "locate.h"
#include "name.h"
#include "writer.h"

const uint32_t fuzz_focus = 0;

/* Cut, and what is put behind the end, as the script says. */
static void tear(struct fuzz_disk *disk, struct fuzz_script_reader *script)
{
    unsigned choice = script_next(script);
    uint64_t at = (uint64_t)script_next(script) << 8 | script_next(script);
    if (choice & 1 && disk->bytes > AIMG_HEAD_BYTES)
        disk->bytes -= at % (disk->bytes - AIMG_HEAD_BYTES + 1);
    if (choice & 2) { /* the hints are older than the file */
        uint64_t hint = AIMG_HEADER_BYTES + (choice >> 4) % 2 * AIMG_HINT_BYTES;
        if (disk->bytes >= AIMG_HEAD_BYTES)
            memset(disk->data + hint, 0, AIMG_HINT_BYTES);
    }
    if (choice & 4) { /* an earlier piece of the file comes again */
        uint64_t bytes = 8 * (at % 1024), from = at * 8 % (disk->bytes + 1) / 8 * 8;
        bytes = bytes < disk->bytes - from ? bytes : disk->bytes - from;
        memmove(disk->data + disk->bytes, disk->data + from, (size_t)bytes);
        disk->bytes += bytes;
    }
    if (choice & 8) {
        memset(disk->data + disk->bytes, choice & 64 ? 0xFF : 0, 100);
        disk->bytes += choice % 100;
    }
}

/* Whether nothing stands in the way of keeping an image. */
static bool keepable(const struct aimg_source *source, uint64_t at, const struct aimg_frame_view *view)
{
    static uint8_t payload[FUZZ_DISK_BYTES];
    const struct aimg_frame *frame = &view->frame;
    size_t position;
    bool named =
        frame->name_bytes == 0 || aimg_name_fault(view->bytes + AIMG_FRAME_BYTES, frame->name_bytes, &position) == AIMG_NAME_OK;
    if (frame->type != AIMG_FRAME_IMAGE || frame->coding != AIMG_CODING_STORE || frame->raw_bytes != frame->stored_bytes ||
        frame->ext_bytes > 0 || !named)
        return false;
    require(aimg_source_copy(source, at + (uint64_t)frame->header_units * AIMG_UNIT, (size_t)frame->stored_bytes, payload,
                             NULL) == AIMG_OK);
    return aimg_hash(payload, (size_t)frame->stored_bytes).low == frame->stored_hash;
}

/* Images of the batch that was interrupted, up to the first frame that does not follow: at least these are told as dropped, or,
 * of those that nothing is wrong with, are kept. */
static uint64_t count_images(struct fuzz_disk *disk, const struct aimg_located *located, bool kept)
{
    struct aimg_io io = fuzz_disk_io(disk);
    struct aimg_source source = {.allocator = fuzz_allocator(),
                                 .limits = fuzz_limits,
                                 .io = &io,
                                 .seed = aimg_uuid_seed(located->header.uuid),
                                 .end = disk->bytes};
    struct aimg_frame_view view;
    uint64_t images = 0, expected = located->empty ? 0 : located->commit.ordinal_count;
    uint32_t salt = 0;
    for (uint64_t at = located->end; disk->bytes - at >= AIMG_FRAME_BYTES; at += aimg_frame_total_bytes(&view.frame)) {
        if (aimg_frame_read(&source, at, &view, NULL) != AIMG_OK || view.frame.type == AIMG_FRAME_COMMIT ||
            aimg_frame_total_bytes(&view.frame) > disk->bytes - at || (at > located->end && view.frame.salt != salt))
            break;
        salt = view.frame.salt;
        if (view.frame.type != AIMG_FRAME_IMAGE && view.frame.type != AIMG_FRAME_ALIAS)
            continue;
        if (view.frame.ordinal != expected || view.frame.ordinal >= AIMG_ORDINAL_LIMIT)
            break;
        expected++;
        images += !kept || keepable(&source, at, &view);
    }
    return images;
}

/* What is kept of the tail is a commit, and all there is; what was committed before is under it. */
static void check_recovered(const struct aimg_writer *writer, struct fuzz_disk *disk, struct fuzz_disk *torn,
                            const struct aimg_located *before)
{
    uint64_t kept;
    struct aimg_located located;
    struct aimg_io io = fuzz_disk_io(disk);
    aimg_writer_recovered(writer, &kept);
    require(aimg_locate(&io, false, &located, NULL) == AIMG_OK && located.end == disk->bytes && located.end >= before->end);
    require(kept <= located.commit.ordinal_count && (kept == 0 || located.end > before->end));
    require(kept >= count_images(torn, before, true));
    if (before->empty)
        return;
    require(aimg_locate_seq(&io, before->commit.seq, &located, NULL) == AIMG_OK);
    require(memcmp(located.commit.chain, before->commit.chain, AIMG_HASH_BYTES) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct fuzz_script_reader script = script_take(data, &bytes);
    struct aimg_located before, after;
    struct aimg_verify_result result;
    uint64_t rules, rules_before, dropped, images;
    if (bytes > FUZZ_DISK_BYTES / 4)
        return 0;
    struct fuzz_disk *disk = fuzz_disk_load(0, data, bytes), *torn;
    tear(disk, &script);
    struct aimg_io io = fuzz_disk_io(disk);
    enum aimg_status status = aimg_locate(&io, false, &before, NULL);
    allowed(status);
    torn = fuzz_disk_load(1, disk->data, (size_t)disk->bytes);
    struct aimg_writer *writer = script_open(disk, &script);
    bool recovers = writer != NULL && (writer->flags & AIMG_WRITER_RECOVER) != 0;
    require(status == AIMG_OK || writer == NULL || (recovers && status == AIMG_TRUNCATED));
    if (writer == NULL)
        return 0;
    struct aimg_io torn_io = fuzz_disk_io(torn);
    uint64_t excused =
        UINT64_C(1) << 34 | (status != AIMG_OK ? UINT64_C(1) << 9 : 0); /* of the tail, and of a hint that is old */
    require(status == AIMG_OK || aimg_locate(&torn_io, true, &before, NULL) == AIMG_OK);
    aimg_writer_dropped(writer, &dropped, &images);
    if (!recovers)
        require(dropped == torn->bytes - before.end && images >= count_images(torn, &before, false) &&
                images <= dropped / AIMG_FRAME_BYTES && disk->bytes == before.end);
    else
        check_recovered(writer, disk, torn, &before);
    bool committed = script_run(writer, &script, disk);
    require(aimg_locate(&io, false, &after, NULL) == AIMG_OK || !committed);
    require(!committed || (after.end >= before.end && after.end == disk->bytes));
    if (disk->full || fuzz_verify(&io, &rules, &result) != AIMG_OK || rules == 0)
        return 0;
    require(fuzz_verify(&torn_io, &rules_before, &result) != AIMG_OK || (rules_before & ~excused) != 0);
    return 0;
}
