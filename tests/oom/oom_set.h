/* SPDX-License-Identifier: Apache-2.0 */
/* Values that are set after the images, without memory. */
#ifndef AIMG_TEST_OOM_SET_H
#define AIMG_TEST_OOM_SET_H

#include <aimg/aimg.h>

/* Sets values of the first twelve images, of which number 3 is dead: from an array, one by one, some of them twice. What fails
 * for want of memory is tried once more as long as the writer lives. */
enum aimg_status oom_set(struct aimg_writer *writer, struct aimg_error *error);

/* Reads all columns value by value. CORRUPT when a value is not what was set for the image that the ordinal had at first. */
enum aimg_status oom_set_read(const struct aimg_reader *reader, uint32_t (*first_ordinal)(uint32_t ordinal),
                              struct aimg_error *error);

#endif
