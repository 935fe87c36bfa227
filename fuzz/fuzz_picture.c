/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a picture: the probe must survive them, and what it says must be consistent. */
#include "harness.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct aimg_picture picture;
    memset(&picture, 0xA5, sizeof(picture));
    enum aimg_status status = aimg_picture_probe(data, bytes, &picture);
    require(status == AIMG_OK || status == AIMG_NOT_FOUND);
    require((status == AIMG_OK) == (picture.format != AIMG_FORMAT_UNKNOWN));
    require(picture.damaged == 0 || picture.damaged == 1);
    if (status == AIMG_NOT_FOUND)
        require(picture.width == 0 && picture.height == 0 && picture.channels == 0 && picture.bits == 0 && picture.damaged == 0);
    else
        require(strcmp(aimg_format_name(picture.format), aimg_format_name(AIMG_FORMAT_UNKNOWN)) != 0);
    require(picture.bits <= 255);
    return 0;
}
