/* SPDX-License-Identifier: Apache-2.0 */
/* How the images of an archive are stored, and what that saves. */
#ifndef AIMG_TOOLS_INFO_STORAGE_H
#define AIMG_TOOLS_INFO_STORAGE_H

#include "json.h"

#include <aimg/aimg.h>

enum { STORAGE_TEXT_BYTES = 80 };

/* "stored as it is", "zstd with a dictionary of 4,096 bytes". Returns text. */
const char *storage_text(const struct aimg_reader *reader, unsigned coding, char text[STORAGE_TEXT_BYTES]);

/* Counts the images that are not dead by format and coding, from their entries; the original size of a coded image stands in
 * its frame. Of more than some 130,000 images an even part is looked at, so that the cost is bounded: then "estimated" is true.
 * What is damaged is left out, with a warning. */
enum aimg_status storage_put(struct json_object *object, const struct aimg_reader *reader, const char *path,
                             struct aimg_error *error);
void storage_print(const json_t *object);

#endif
