/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Headers of pictures, made by hand, and what aimg_picture_probe must say of them. Format, width, height, channels and bits of
 * a sample stand before its bytes.
 *
 * WHOLE:         a picture; every part of it that is shorter is either no picture or damaged
 * OPEN_ENDED:    a picture; nothing in its header tells whether the end is missing, or the end may be missing
 * DAMAGED:       a picture with an error that is to be seen
 * NOT_A_PICTURE: no picture of any known format
 */
#ifndef PICTURE_SAMPLES_H
#define PICTURE_SAMPLES_H

#include <aimg/aimg.h>
#include <stdbool.h>

struct picture_sample {
    const char *name;
    enum aimg_status status;
    struct aimg_picture picture;
    bool cut_shows; /* a shorter part never passes for whole */
    const char *data;
    size_t bytes;
};

#define PICTURE_SAMPLE(name, damaged, cut_shows, format, width, height, channels, bits, data)                            \
    {                                                                                                                    \
        name, AIMG_OK, {AIMG_FORMAT_##format, width, height, channels, bits, damaged}, cut_shows, data, sizeof(data) - 1 \
    }
#define WHOLE(name, format, width, height, channels, bits, data) \
    PICTURE_SAMPLE(name, 0, true, format, width, height, channels, bits, data)
#define OPEN_ENDED(name, format, width, height, channels, bits, data) \
    PICTURE_SAMPLE(name, 0, false, format, width, height, channels, bits, data)
#define DAMAGED(name, format, width, height, channels, bits, data) \
    PICTURE_SAMPLE(name, 1, false, format, width, height, channels, bits, data)
#define NOT_A_PICTURE(name, data)                                                                 \
    {                                                                                             \
        name, AIMG_NOT_FOUND, {AIMG_FORMAT_UNKNOWN, 0, 0, 0, 0, 0}, false, data, sizeof(data) - 1 \
    }

extern const struct picture_sample picture_samples_jpeg_png[], picture_samples_gif_webp_bmp[], picture_samples_tiff_pnm[];
extern const struct picture_sample picture_samples_heif[], picture_samples_jxl_jp2[], picture_samples_other[];
extern const size_t picture_samples_jpeg_png_count, picture_samples_gif_webp_bmp_count, picture_samples_tiff_pnm_count;
extern const size_t picture_samples_heif_count, picture_samples_jxl_jp2_count, picture_samples_other_count;

#endif
