/* SPDX-License-Identifier: Apache-2.0 */
/* A column of every type, vectors and lists among them. */
#ifndef AIMG_TEST_KINDS_H
#define AIMG_TEST_KINDS_H

#include "host.h"

#include <aimg/aimg.h>

struct kind {
    const char *name;
    enum aimg_type type;
    uint32_t width;
    int list;
    unsigned element; /* bytes; 0: text or bytes */
    unsigned every;   /* one image in so many has a value; 0: none */
    uint32_t id;      /* set by the test */
};

static struct kind kinds[] = {
    {"flag", AIMG_TYPE_BOOL, 1, 0, 1, 1, 0},        {"small", AIMG_TYPE_U8, 1, 0, 1, 2, 0},
    {"width", AIMG_TYPE_U16, 1, 0, 2, 1, 0},        {"height", AIMG_TYPE_U32, 1, 0, 4, 3, 0},
    {"large", AIMG_TYPE_U64, 1, 0, 8, 1, 0},        {"i8", AIMG_TYPE_I8, 1, 0, 1, 1, 0},
    {"i16", AIMG_TYPE_I16, 1, 0, 2, 5, 0},          {"i32", AIMG_TYPE_I32, 1, 0, 4, 1, 0},
    {"mtime_ns", AIMG_TYPE_I64, 1, 0, 8, 2, 0},     {"f16", AIMG_TYPE_F16, 1, 0, 2, 1, 0},
    {"f32", AIMG_TYPE_F32, 1, 0, 4, 1, 0},          {"f64", AIMG_TYPE_F64, 1, 0, 8, 7, 0},
    {"box", AIMG_TYPE_F32, 4, 0, 16, 2, 0},         {"pixel", AIMG_TYPE_U8, 3, 0, 3, 1, 0},
    {"caption", AIMG_TYPE_UTF8, 1, 0, 0, 2, 0},     {"blob", AIMG_TYPE_BYTES, 1, 0, 0, 3, 0},
    {"label", AIMG_TYPE_DICTIONARY, 1, 0, 0, 2, 0}, {"mask of", AIMG_TYPE_IMAGE, 1, 0, 4, 4, 0},
    {"ids", AIMG_TYPE_I64, 1, 1, 8, 2, 0},          {"boxes", AIMG_TYPE_F32, 4, 1, 16, 3, 0},
    {"never", AIMG_TYPE_U32, 1, 0, 4, 0, 0},        {"\xE4\xB8\xAD \xC3\xA9", AIMG_TYPE_U16, 2, 0, 4, 1, 0},
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

#endif
