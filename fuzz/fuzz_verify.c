/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a file to verify: it must come to an end and say what it found; and what it calls whole must be readable. */
#include "harness.h"

const uint32_t fuzz_focus = 0;

/* An archive without a fault: each listed image has a position, a name by which it is found, and bytes. */
static void read_whole(const uint8_t *data, size_t bytes)
{
    static uint8_t out[FUZZ_IMAGE_BYTES];
    struct aimg_reader *reader = fuzz_open(data, bytes, 0, 0);
    struct aimg_error error;
    char name[1025];
    uint64_t position, size;
    require(reader != NULL);
    for (position = 0; position < aimg_reader_count(reader) && position < 16; position++) {
        uint32_t ordinal, found;
        size_t name_bytes;
        uint64_t back;
        require(aimg_reader_ordinal_at(reader, position, &ordinal, &error) == AIMG_OK);
        require(aimg_reader_position_of(reader, ordinal, &back, &error) == AIMG_OK && back == position);
        require(aimg_reader_name(reader, ordinal, name, sizeof name, &name_bytes, &error) == AIMG_OK);
        require(aimg_reader_find(reader, name, name_bytes, &found, &error) == AIMG_OK && found == ordinal);
        enum aimg_status status = aimg_reader_read(reader, ordinal, 0, out, sizeof out, &size, &error);
        require(status == AIMG_OK || status == AIMG_BUFFER_TOO_SMALL || status == AIMG_LIMIT || status == AIMG_UNSUPPORTED);
    }
    aimg_reader_close(reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct aimg_verify_result result;
    uint64_t rules;
    struct aimg_io io;
    (void)fuzz_script(data, bytes, &bytes);
    if (bytes > FUZZ_DISK_BYTES)
        return 0;
    io = fuzz_disk_io(fuzz_disk_load(0, data, bytes));
    if (fuzz_verify(&io, &rules, &result) != AIMG_OK)
        return 0;
    require(result.bytes <= bytes);
    if (rules == 0)
        read_whole(data, bytes);
    return 0;
}
