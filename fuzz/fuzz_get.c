/* SPDX-License-Identifier: Apache-2.0 */
/* Images by number and by name: one, many at once, verified and not, borrowed and copied, with a map and without. What two ways
 * give must be the same. */
#include "harness.h"

#include "constants.h"

const uint32_t fuzz_focus = 1u << AIMG_FRAME_IMAGE | 1u << AIMG_FRAME_ALIAS | 1u << AIMG_FRAME_RUN | 1u << AIMG_FRAME_NAMES |
                            1u << AIMG_FRAME_MASK | 1u << AIMG_FRAME_DICT | 1u << AIMG_FRAME_CODING;

enum { MOST = 20 };

static uint8_t room[FUZZ_IMAGE_BYTES], again[FUZZ_IMAGE_BYTES];

static void read_image(const struct aimg_reader *reader, const struct aimg_reader *no_map, uint32_t ordinal)
{
    struct aimg_bytes verified, borrowed;
    struct aimg_entry entry;
    uint64_t size = 0, other = 0;
    enum aimg_status borrow = aimg_reader_borrow(reader, ordinal, AIMG_READ_VERIFY, &verified, NULL);
    allowed(borrow);
    allowed(aimg_reader_borrow(reader, ordinal, 0, &borrowed, NULL));
    allowed(aimg_reader_entry(reader, ordinal, &entry, NULL));
    if (borrow == AIMG_OK)
        touch(verified.data, (size_t)verified.bytes);
    enum aimg_status read = aimg_reader_read(reader, ordinal, 0, room, sizeof room, &size, NULL);
    allowed(read);
    if (borrow == AIMG_OK && read == AIMG_OK && verified.coding == 0)
        require(size == verified.bytes && memcmp(room, verified.data, (size_t)size) == 0);
    enum aimg_status copied = aimg_reader_read(no_map, ordinal, 0, again, sizeof again, &other, NULL);
    require(read == copied);
    require(read != AIMG_OK || (size == other && memcmp(room, again, (size_t)size) == 0));
    enum aimg_status quick = aimg_reader_read(reader, ordinal, AIMG_READ_UNVERIFIED, again, sizeof again, &other, NULL);
    allowed(quick);
    require(read != AIMG_OK || quick == AIMG_OK);
    require(aimg_reader_borrow(no_map, ordinal, 0, &borrowed, NULL) != AIMG_OK);
}

static void read_named(const struct aimg_reader *reader, const struct aimg_reader *no_map, uint32_t ordinal)
{
    char name[1025];
    size_t size = 0;
    uint32_t found = AIMG_NO_ORDINAL, other = AIMG_NO_ORDINAL;
    struct aimg_bytes bytes, batch[2];
    enum aimg_status status = aimg_reader_name(reader, ordinal, name, sizeof name, &size, NULL);
    allowed(status);
    if (status != AIMG_OK)
        return;
    require(size <= 1024 && name[size] == 0);
    status = size == 0 ? AIMG_NOT_FOUND : aimg_reader_find(reader, name, size, &found, NULL);
    allowed(status);
    enum aimg_status copied = size == 0 ? AIMG_NOT_FOUND : aimg_reader_find(no_map, name, size, &other, NULL);
    require(agree(status, copied) && (status != copied || found == other));
    struct aimg_name both[2] = {{name, size}, {"a name that is not there", 24}};
    allowed(size == 0 ? AIMG_OK : aimg_reader_borrow_name(reader, name, size, AIMG_READ_VERIFY, &bytes, NULL));
    if (size > 0)
        allowed(aimg_reader_borrow_names(reader, both, 2, 0, batch, NULL));
}

static void read_batch(const struct aimg_reader *reader, const uint32_t *ordinals)
{
    struct aimg_bytes batch[MOST], one;
    allowed(aimg_reader_borrow_batch(reader, ordinals, MOST, AIMG_READ_VERIFY, batch, NULL));
    allowed(aimg_reader_prefetch(reader, ordinals, MOST, NULL));
    for (unsigned i = 0; i < MOST; i++) {
        enum aimg_status status = aimg_reader_borrow(reader, ordinals[i], AIMG_READ_VERIFY, &one, NULL);
        require(batch[i].status == status);
        require(status != AIMG_OK || (one.data == batch[i].data && one.bytes == batch[i].bytes));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    uint32_t ordinals[MOST];
    (void)fuzz_script(data, bytes, &bytes);
    struct aimg_reader *reader = fuzz_open(data, bytes, 0, 0), *no_map;
    if (reader == NULL || bytes > FUZZ_DISK_BYTES) {
        aimg_reader_close(reader);
        return 0;
    }
    no_map = fuzz_open_no_map(data, bytes);
    require(no_map != NULL);
    for (unsigned i = 0; i < MOST; i++) {
        ordinals[i] = fuzz_ordinal(aimg_reader_ordinal_count(reader), i);
        if (i < 8 || ordinals[i] < aimg_reader_ordinal_count(reader)) {
            read_image(reader, no_map, ordinals[i]);
            read_named(reader, no_map, ordinals[i]);
        }
    }
    read_batch(reader, ordinals);
    aimg_reader_close(no_map);
    aimg_reader_close(reader);
    return 0;
}
