/* SPDX-License-Identifier: Apache-2.0 */
/* A writer on an archive of strangers, doing what the script says, and a copy of that archive. Whatever is in it: no crash, what
 * was committed can be opened, and an archive without a fault stays one. */
#include "script_writer.h"

#include "writer.h"

const uint32_t fuzz_focus = 1u << AIMG_FRAME_RUN | 1u << AIMG_FRAME_COLUMN | 1u << AIMG_FRAME_MASK | 1u << AIMG_FRAME_NAMES |
                            1u << AIMG_FRAME_CONTENT | 1u << AIMG_FRAME_VALUES | 1u << AIMG_FRAME_META | 1u << AIMG_FRAME_ROOT |
                            1u << AIMG_FRAME_DICT;

#define RULE(number) (UINT64_C(1) << (number))

/* Whether the input itself has no fault but a torn tail, which a writer cuts off. */
static bool is_sound(const uint8_t *data, size_t bytes)
{
    struct aimg_verify_result result;
    uint64_t rules;
    struct aimg_io io = fuzz_disk_io(fuzz_disk_load(2, data, bytes));
    return fuzz_verify(&io, &rules, &result) == AIMG_OK && (rules & ~RULE(34)) == 0;
}

static void check_result(struct fuzz_disk *disk, bool committed, const uint8_t *data, size_t bytes)
{
    struct aimg_verify_result result;
    uint64_t rules;
    struct aimg_reader *reader = fuzz_open(disk->data, (size_t)disk->bytes, 0, 0);
    struct aimg_io io = fuzz_disk_io(disk);
    require(reader != NULL || !committed);
    aimg_reader_close(reader);
    enum aimg_status status = fuzz_verify(&io, &rules, &result);
    if (status != AIMG_OK || rules != 0)
        require(!is_sound(data, bytes));
}

static void copy(const uint8_t *data, size_t bytes, unsigned choice)
{
    struct aimg_writer_options options = {.struct_bytes = sizeof options,
                                          .alignment = choice & 8 ? 64 : 8,
                                          .time_ns = 1,
                                          .seed = (const uint8_t *)"seed of the copy",
                                          .limits = fuzz_limits,
                                          .allocator = fuzz_allocator()};
    struct aimg_copy_options how = {.struct_bytes = sizeof how, .flags = choice & 4 ? AIMG_COPY_DROP_HISTORY : 0};
    struct aimg_reader *source = fuzz_open(data, bytes, 0, 0);
    struct fuzz_disk *disk = fuzz_disk_load(1, NULL, 0);
    struct aimg_writer *writer = NULL;
    if (source == NULL)
        return;
    struct aimg_io io = fuzz_disk_io(disk);
    require(aimg_writer_create_io(&io, &options, &writer, NULL) == AIMG_OK);
    enum aimg_status status = aimg_writer_copy(writer, source, &how, NULL);
    allowed(status == AIMG_IO && disk->full ? AIMG_OK : status);
    require(aimg_writer_close(writer, NULL) == AIMG_OK);
    aimg_reader_close(source);
    check_result(disk, status == AIMG_OK, data, bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct fuzz_script_reader script = script_take(data, &bytes);
    if (bytes > FUZZ_DISK_BYTES / 4)
        return 0;
    unsigned choice = script_next(&script);
    if (choice % 4 == 3) {
        copy(data, bytes, choice);
        return 0;
    }
    struct fuzz_disk *disk = fuzz_disk_load(0, data, bytes);
    struct aimg_writer *writer = script_open(disk, &script);
    if (writer == NULL)
        return 0;
    bool committed = script_run(writer, &script, disk);
    if (!disk->full)
        check_result(disk, committed, data, bytes);
    return 0;
}
