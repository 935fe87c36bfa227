/* SPDX-License-Identifier: Apache-2.0 */
#include "picture.h"

static const char *const format_names[] = {
    [AIMG_FORMAT_UNKNOWN] = "unknown", [AIMG_FORMAT_JPEG] = "jpeg", [AIMG_FORMAT_PNG] = "png",   [AIMG_FORMAT_GIF] = "gif",
    [AIMG_FORMAT_WEBP] = "webp",       [AIMG_FORMAT_BMP] = "bmp",   [AIMG_FORMAT_TIFF] = "tiff", [AIMG_FORMAT_PNM] = "pnm",
    [AIMG_FORMAT_AVIF] = "avif",       [AIMG_FORMAT_HEIF] = "heif", [AIMG_FORMAT_JXL] = "jxl",   [AIMG_FORMAT_JP2] = "jp2",
    [AIMG_FORMAT_ICO] = "ico",         [AIMG_FORMAT_QOI] = "qoi",   [AIMG_FORMAT_PSD] = "psd",   [AIMG_FORMAT_EXR] = "exr",
    [AIMG_FORMAT_HDR] = "hdr",
};

/* The most frequent first; no two recognise the same bytes, so the order decides nothing else. */
static aimg_prober *const probers[] = {
    aimg_picture_jpeg, aimg_picture_png, aimg_picture_gif, aimg_picture_webp, aimg_picture_heif,
    aimg_picture_tiff, aimg_picture_bmp, aimg_picture_pnm, aimg_picture_jxl,  aimg_picture_jp2,
    aimg_picture_ico,  aimg_picture_qoi, aimg_picture_psd, aimg_picture_exr,  aimg_picture_hdr,
};

const char *aimg_format_name(unsigned format)
{
    if (format >= sizeof(format_names) / sizeof(format_names[0]))
        return format_names[AIMG_FORMAT_UNKNOWN];
    return format_names[format];
}

enum aimg_status aimg_picture_probe(const void *data, size_t bytes, struct aimg_picture *picture_out)
{
    if (picture_out == NULL || (data == NULL && bytes > 0))
        return AIMG_INVALID_ARGUMENT;
    for (size_t i = 0; i < sizeof(probers) / sizeof(probers[0]); i++) {
        struct aimg_picture picture = {0};
        if (probers[i](aimg_scan_of(data, bytes), &picture)) {
            *picture_out = picture;
            return AIMG_OK;
        }
    }
    *picture_out = (struct aimg_picture){0};
    return AIMG_NOT_FOUND;
}

bool aimg_scan_has_end_marker(const struct aimg_scan *scan)
{
    const size_t near_bytes = 4096;
    const uint8_t *start = scan->data + scan->position;
    size_t left = aimg_scan_left(scan);
    for (size_t i = 2; i <= left && i <= near_bytes; i++) {
        if (start[left - i] == 0xFF && start[left - i + 1] == 0xD9)
            return true;
    }
    /* Not there: cut off, or something was appended, as cameras append films to their photographs. */
    return memmem(start, left, "\xFF\xD9", 2) != NULL;
}
