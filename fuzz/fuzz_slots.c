/* SPDX-License-Identifier: Apache-2.0 */
/* Hash slots: names looked up as a reader does it, with a map and without, and content as a writer does it. */
#include "harness.h"

#include "checksum.h"
#include "writer.h"

const uint32_t fuzz_focus = 1u << AIMG_FRAME_NAMES | 1u << AIMG_FRAME_CONTENT | 1u << AIMG_FRAME_RUN | 1u << AIMG_FRAME_MASK;

enum { MOST = 12 };

static void find(const struct aimg_reader *reader, const struct aimg_reader *no_map, const char *name, size_t bytes)
{
    uint32_t found = AIMG_NO_ORDINAL, other = AIMG_NO_ORDINAL;
    struct aimg_bytes borrowed;
    enum aimg_status status = aimg_reader_find(reader, name, bytes, &found, NULL);
    allowed(status);
    require(status != AIMG_OK || found < aimg_reader_ordinal_count(reader));
    enum aimg_status copied = aimg_reader_find(no_map, name, bytes, &other, NULL);
    require(agree(status, copied) && (status != copied || found == other));
    enum aimg_status lent = aimg_reader_borrow_name(reader, name, bytes, 0, &borrowed, NULL);
    allowed(lent);
    /* Of an alias that was found the entry may be damaged. */
    require(lent != AIMG_OK || (status == AIMG_OK && borrowed.ordinal == found));
    require(status == AIMG_OK || lent == status);
}

/* Names as the frames have them, whether or not an entry or a slot says so; and some that differ a little. */
static void find_names(const struct aimg_reader *reader, const struct aimg_reader *no_map, const uint8_t *data, size_t bytes)
{
    static struct tree tree;
    char name[1025];
    unsigned done = 0;
    tree_read(&tree, (uint8_t *)(uintptr_t)data, bytes); /* is not written to */
    for (size_t i = 0; i < tree.frame_count && done < MOST; i++) {
        const struct tree_frame *frame = &tree.frames[i];
        size_t count = (size_t)tree_get(&tree, frame->offset + 12, 2);
        if ((frame->type != AIMG_FRAME_IMAGE && frame->type != AIMG_FRAME_ALIAS) || count == 0 || count >= sizeof name ||
            count + AIMG_FRAME_BYTES > frame->header_bytes)
            continue;
        memcpy(name, data + frame->offset + AIMG_FRAME_BYTES, count);
        name[count] = 0;
        if (aimg_name_check(name, count, NULL) != AIMG_OK)
            continue;
        find(reader, no_map, name, count);
        name[count - 1] = (char)('a' + done++);
        if (aimg_name_check(name, count, NULL) == AIMG_OK)
            find(reader, no_map, name, count);
    }
    find(reader, no_map, "not there", 9);
}

/* Equal bytes among what the archive has. */
static void find_twins(const uint8_t *data, size_t bytes)
{
    struct aimg_writer_options options = {.struct_bytes = sizeof options,
                                          .flags = AIMG_WRITER_NO_SYNC,
                                          .dedup = AIMG_DEDUP_SESSION,
                                          .time_ns = 1,
                                          .seed = (const uint8_t *)"seed of a writer",
                                          .limits = fuzz_limits,
                                          .allocator = fuzz_allocator()};
    struct aimg_io io = fuzz_disk_io(fuzz_disk_load(1, data, bytes));
    struct aimg_writer *writer = NULL;
    static uint8_t room[4096];
    if (aimg_writer_open_io(&io, &options, &writer, NULL) != AIMG_OK)
        return;
    const struct aimg_reader *base = aimg_writer_base(writer);
    for (uint32_t i = 0; i < 6 && i < aimg_reader_ordinal_count(base); i++) {
        struct aimg_prepared prepared;
        struct aimg_twin twin;
        uint64_t size = 0;
        bool intact = false;
        if (aimg_reader_read(base, i, AIMG_READ_UNVERIFIED, room, sizeof room, &size, NULL) != AIMG_OK)
            continue;
        require(aimg_writer_prepare(writer, room, size, 0, NULL, 0, &prepared, NULL) == AIMG_OK);
        enum aimg_status status = aimg_writer_find_twin(writer, &prepared, 0, &twin, &intact, NULL);
        allowed(status);
        require(status != AIMG_OK || twin.ordinal < aimg_reader_ordinal_count(base));
    }
    require(aimg_writer_close(writer, NULL) == AIMG_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    (void)fuzz_script(data, bytes, &bytes);
    struct aimg_reader *reader = bytes <= FUZZ_DISK_BYTES ? fuzz_open(data, bytes, 0, 0) : NULL;
    if (reader == NULL)
        return 0;
    struct aimg_reader *no_map = fuzz_open_no_map(data, bytes);
    require(no_map != NULL);
    find_names(reader, no_map, data, bytes);
    bool content = reader->catalog.content_count > 0;
    aimg_reader_close(no_map);
    aimg_reader_close(reader);
    if (content)
        find_twins(data, bytes);
    return 0;
}
