/* SPDX-License-Identifier: Apache-2.0 */
/* A damaged archive is repaired, with pages of it wiped as the script says. Whatever is in it: what comes out has no fault; and
 * of one that is sound nothing is lost. */
#include "harness.h"

#include "repair.h"

const uint32_t fuzz_focus = 0;

static void see_loss(void *user, const struct aimg_loss *loss)
{
    unsigned *count = user;
    require(loss->message != NULL && loss->message[0] != 0);
    ++*count;
}

/* Pages that are lost: none, or up to three. */
static void wipe(struct fuzz_disk *disk, struct fuzz_script_reader *script)
{
    for (unsigned count = script_next(script) % 4; count > 0 && disk->bytes >= AIMG_PAGE_BYTES; count--) {
        uint64_t page = script_next(script) % (disk->bytes / AIMG_PAGE_BYTES);
        memset(disk->data + page * AIMG_PAGE_BYTES, (int)(script_next(script) % 2 * 0xFF), AIMG_PAGE_BYTES);
    }
}

/* Of an archive without a fault every image that is listed is there again. */
static void check_sound(struct fuzz_disk *disk, const struct aimg_repair_result *found)
{
    struct aimg_verify_result result;
    uint64_t rules;
    struct aimg_io io = fuzz_disk_io(disk);
    if (fuzz_verify(&io, &rules, &result) != AIMG_OK || rules != 0)
        return;
    require(found->lost_images == 0 && found->lost_names == 0 && found->lost_values == 0 && found->lost_bytes == 0);
    require(found->lost_meta == 0 && found->images == result.images);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct fuzz_script_reader script = script_take(data, &bytes);
    unsigned losses = 0;
    struct aimg_writer_options writer = {
        .struct_bytes = sizeof writer, .time_ns = 1, .seed = (const uint8_t *)"seed of a repair"};
    struct aimg_repair_options options = {.struct_bytes = sizeof options,
                                          .user = &losses,
                                          .loss = see_loss,
                                          .allocator = fuzz_allocator(),
                                          .limits = {.image_bytes = 1 << 20, .index_bytes = 1 << 22, .ratio = 1000},
                                          .writer = &writer};
    struct aimg_repair_result result;
    struct aimg_verify_result verified;
    struct aimg_error error;
    uint64_t rules;
    if (bytes > FUZZ_DISK_BYTES / 4)
        return 0;
    struct fuzz_disk *disk = fuzz_disk_load(0, data, bytes), *out = fuzz_disk_load(1, NULL, 0);
    wipe(disk, &script);
    struct aimg_io from = fuzz_disk_io(disk), to = fuzz_disk_io(out);
    struct aimg_repair_target target = {.io = &to};
    enum aimg_status status = aimg_repair_io(&from, &target, &options, &result, &error);
    if (out->full)
        return 0;
    allowed(status);
    if (status != AIMG_OK)
        return 0;
    to = fuzz_disk_io(out);
    require(fuzz_verify(&to, &rules, &verified) == AIMG_OK && rules == 0 && verified.images == result.images);
    check_sound(disk, &result);
    return 0;
}
