/* SPDX-License-Identifier: Apache-2.0 */
/* One vector: an archive and the JSON that says what a reader must find in it (spec/vectors/README.md). */
#ifndef VECTOR_H
#define VECTOR_H

#include <aimg/aimg.h>
#include <jansson.h>
#include <stdbool.h>

struct vector {
    const char *name; /* as "good/meta" */
    const char *path;
    json_t *expected;
    const uint8_t *data; /* the file, unless it is sparse */
    uint64_t bytes;
    bool sparse; /* data is NULL, and the file may have more bytes than there are addresses */
    unsigned failures;
};

/* Says on stdout what does not agree, and counts it. False. */
bool vector_fail(struct vector *vector, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What an open reader says of counts, images, names, columns, metadata and history, against the JSON. `mapped`: it can lend. */
void vector_check_content(struct vector *vector, const struct aimg_reader *reader, bool mapped);

/* The same of an archive of so many images that the JSON tells of some. */
void vector_check_some(struct vector *vector, const struct aimg_reader *reader, bool mapped);

/* Asks an open reader for all there is, of an archive that breaks a rule: it may refuse anything. What the JSON says that it must
 * refuse, it must. */
void vector_check_refusals(struct vector *vector, const struct aimg_reader *reader, bool mapped);

/* Whether column values of one image are those of the JSON's object, which may be NULL: all are null. */
void vector_check_values(struct vector *vector, const struct aimg_reader *reader, uint32_t ordinal, const json_t *columns);

/* XXH3-128 as `xxh128sum` prints it. */
void vector_print_hash(const void *data, size_t bytes, char out[33]);

#endif
