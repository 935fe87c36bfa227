/* SPDX-License-Identifier: Apache-2.0 */
/* Dictionaries on their way from one archive into another, under their numbers; those that no image there uses stay behind. */
#include "copy_values.h"

static enum aimg_status adopt(struct aimg_writer *writer, const struct aimg_coding_record *record, const uint8_t *payload,
                              struct aimg_error *error)
{
    struct aimg_coder *coder = &writer->coders.by_number[record->coding];
    if (aimg_codec_dictionary_malformed(payload, (size_t)record->bytes))
        return aimg_fail_at(error, AIMG_CORRUPT, 51, record->offset + AIMG_FRAME_BYTES,
                            "the dictionary of coding %u at %" PRIu64 " is none for zstd; run verify, then repair",
                            (unsigned)record->coding, record->offset + AIMG_FRAME_BYTES);
    uint8_t *dictionary = aimg_alloc_array(&writer->allocator, record->bytes, 1);
    if (dictionary == NULL)
        return aimg_fail_memory(error, record->bytes);
    memcpy(dictionary, payload, (size_t)record->bytes);
    coder->dictionary = dictionary;
    coder->record = *record;
    coder->record.offset = 0; /* until the first image with it is put */
    return AIMG_OK;
}

enum aimg_status aimg_copy_coding(struct aimg_writer *writer, const struct aimg_reader *source, unsigned coding,
                                  struct aimg_error *error)
{
    const struct aimg_coding_record *record = NULL;
    uint8_t *payload = NULL;
    if (coding < AIMG_CODING_FIRST_LISTED || writer->coders.by_number[coding].record.coding != 0)
        return AIMG_OK;
    enum aimg_status status = aimg_coding_find(source, coding, &record, error);
    if (status == AIMG_OK)
        status = aimg_coding_fetch(source, record, &payload, error);
    if (status == AIMG_OK)
        status = adopt(writer, record, payload, error);
    aimg_release(&source->source.allocator, payload);
    return status;
}
