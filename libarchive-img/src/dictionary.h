/* SPDX-License-Identifier: Apache-2.0 */
/* Values of a dictionary column while a writer is open: text to code. Codes are given in order of arrival and never change. */
#ifndef AIMG_SRC_DICTIONARY_H
#define AIMG_SRC_DICTIONARY_H

#include "group_writer.h"
#include "reader.h"

struct aimg_dictionary {
    struct aimg_buffer texts;
    struct aimg_buffer ends; /* u64: end of each text in texts */
    uint32_t *set;           /* code + 1, or 0 */
    uint64_t set_size;
    uint32_t committed; /* codes that the archive has already */
    bool loaded;
};

/* The values that the archive has, once. Costs time and memory in proportion to their number; LIMIT when they take more than the
 * reader's limit for the index. */
enum aimg_status aimg_dictionary_load(struct aimg_dictionary *dictionary, const struct aimg_reader *reader, uint32_t column,
                                      struct aimg_error *error);
uint32_t aimg_dictionary_count(const struct aimg_dictionary *dictionary);
/* Text of a code that is there; good until one is added. */
const uint8_t *aimg_dictionary_text(const struct aimg_dictionary *dictionary, uint32_t code, size_t *bytes_out);
/* Code of a text, given now if it is new; false when there is no memory. */
bool aimg_dictionary_code(const struct aimg_allocator *allocator, struct aimg_dictionary *dictionary, const void *text,
                          size_t bytes, uint32_t *code_out);
/* Whether the text has a code, or gets one without the dictionary growing beyond so many bytes. */
bool aimg_dictionary_has_room(const struct aimg_dictionary *dictionary, const void *text, size_t bytes, uint64_t limit);
/* Writes a VALUES table of the codes from `first` on. */
enum aimg_status aimg_dictionary_write(const struct aimg_dictionary *dictionary, uint32_t column, uint32_t first,
                                       struct aimg_out *out, struct aimg_codec_pool *codecs, struct aimg_part *part_out,
                                       bool *zstd_out, struct aimg_error *error);
void aimg_dictionary_release(const struct aimg_allocator *allocator, struct aimg_dictionary *dictionary);

/* The next value is that of `ordinal`: for who passes over rows. Costs nothing when it is that already, else a search. */
void aimg_values_seek(struct aimg_values *values, uint32_t ordinal);
/* Of what an iterator holds: the group where it is, and the values of its dictionary. */
uint64_t aimg_values_group_bytes(const struct aimg_values *values);
uint64_t aimg_values_dictionary_bytes(const struct aimg_values *values);

#endif
