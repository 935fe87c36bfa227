/* SPDX-License-Identifier: Apache-2.0 */
/* An image that holds a commit page, right in every field: whoever makes it knows the archive it will be added to. */
#include "crash_scenario.h"
#include "frame.h"

#include <stdlib.h>
#include <string.h>

enum { FORGED_CONTENT = 2047, FORGED_BYTES = 70000 };

/* The next commit of an archive as its owner would have written it, for the file's offset `at`; but it shows the state of the
 * first one again, whose ROOT stands at `root`. */
static void forge_page(const struct aimg_writer *writer, const struct aimg_commit_page *first, uint64_t root, uint64_t at,
                       uint8_t out[AIMG_PAGE_BYTES])
{
    struct aimg_commit_page page = *first;
    const struct aimg_commit_page *last = &writer->located.commit;
    page.seq = last->seq + 1;
    page.self_offset = at;
    page.prev_offset = last->self_offset;
    memcpy(page.prev_chain, last->chain, AIMG_HASH_BYTES);
    page.root_offset = root;
    page.salt = writer->out.salt; /* even that */
    aimg_commit_encode(&page, out);
}

/* The frame of a ROOT, then pages one after the other: wherever the file ends, one of them may be the last. */
static bool forge_image(const struct aimg_writer *writer, const struct aimg_commit_page *first, const char *name, uint8_t *out)
{
    uint64_t begin = aimg_out_offset(&writer->out) + aimg_frame_header_bytes((uint32_t)strlen(name), 0);
    uint64_t root_bytes = AIMG_FRAME_BYTES + first->root_bytes, end = begin + FORGED_BYTES;
    memset(out, 'x', FORGED_BYTES);
    if (writer->io->ops->read_at(writer->io, first->root_offset, out, root_bytes, NULL) != AIMG_OK)
        return false;
    uint64_t at = aimg_round_up(begin + root_bytes, AIMG_PAGE_BYTES);
    for (; at + AIMG_PAGE_BYTES <= end; at += AIMG_PAGE_BYTES)
        forge_page(writer, first, begin, at, out + (at - begin));
    return true;
}

void crash_forged(struct crash_run *run)
{
    static uint8_t image[FORGED_BYTES];
    struct aimg_commit_page first;
    struct work work;
    work_create(&work, run);
    work_add_some(&work, "k", 1, 3);
    work_commit(&work, NULL);
    if (work.dead) {
        work_close(&work);
        return;
    }
    first = work.writer->located.commit;
    work_add_some(&work, "k", 4, 2);
    work_commit(&work, NULL);
    if (!work.dead && forge_image(work.writer, &first, "k/forged.jpg", image))
        model_content_set(FORGED_CONTENT, image, sizeof image);
    work_add(&work, "k/forged.jpg", FORGED_CONTENT, 0);
    work_add_some(&work, "k", 6, 1);
    work_commit(&work, NULL);
    work_close(&work);
}
