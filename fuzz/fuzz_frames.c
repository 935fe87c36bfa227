/* SPDX-License-Identifier: Apache-2.0 */
/* The walk over the frames, with which the last commit is found, from a hint on and without one; and each frame as it is read. */
#include "harness.h"

#include "frame.h"
#include "reader.h"

const uint32_t fuzz_focus = 0;

static bool same(const struct aimg_located *a, const struct aimg_located *b)
{
    return a->empty == b->empty && a->end == b->end && a->file_bytes == b->file_bytes &&
           (a->empty || memcmp(a->commit.chain, b->commit.chain, AIMG_HASH_BYTES) == 0);
}

/* Frames one by one, as a verified read takes them. */
static void read_frames(struct aimg_io *io, const struct aimg_located *located)
{
    struct aimg_source source = {
        .limits = fuzz_limits, .allocator = fuzz_allocator(), .io = io, .seed = aimg_uuid_seed(located->header.uuid)};
    struct aimg_frame_view view;
    uint8_t encoded[AIMG_FRAME_BYTES];
    source.end = located->end;
    for (uint64_t offset = AIMG_HEAD_BYTES; offset < located->end;) {
        enum aimg_status status = aimg_frame_read(&source, offset, &view, NULL);
        allowed(status);
        if (status != AIMG_OK)
            return;
        aimg_frame_encode(&view.frame, encoded);
        require(memcmp(encoded, view.bytes, AIMG_FRAME_CHECK_OFFSET) == 0); /* the check is zero there */
        require(aimg_frame_total_bytes(&view.frame) <= located->end - offset);
        offset += aimg_frame_total_bytes(&view.frame);
    }
}

/* Back to each commit, and forward from there to the same end. */
static void go_back(struct aimg_io *io, const struct aimg_located *last)
{
    for (uint64_t i = 0; !last->empty && i < 8; i++) {
        struct aimg_located earlier = *last;
        uint64_t seq = i < last->commit.seq ? last->commit.seq - i : 0;
        enum aimg_status status = aimg_locate_seq(io, seq, &earlier, NULL);
        allowed(status);
        if (status != AIMG_OK)
            return;
        require(earlier.commit.seq == seq && earlier.end <= last->end);
        require(aimg_locate_newer(io, false, &earlier, NULL) == AIMG_OK && same(&earlier, last));
        if (seq == 0)
            return;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct aimg_located strict, tolerant;
    struct aimg_error error;
    (void)fuzz_script(data, bytes, &bytes);
    if (bytes > FUZZ_DISK_BYTES)
        return 0;
    struct aimg_io io = fuzz_disk_io(fuzz_disk_load(0, data, bytes));
    enum aimg_status status = aimg_locate(&io, false, &strict, &error), other = aimg_locate(&io, true, &tolerant, &error);
    allowed(status);
    allowed(other);
    require(status != AIMG_OK || (other == AIMG_OK && same(&strict, &tolerant)));
    if (other != AIMG_OK)
        return 0;
    require(tolerant.end <= tolerant.file_bytes && tolerant.file_bytes == bytes && tolerant.hinted_end <= tolerant.end);
    read_frames(&io, &tolerant);
    if (status == AIMG_OK)
        go_back(&io, &strict);
    return 0;
}
