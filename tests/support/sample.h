/* SPDX-License-Identifier: Apache-2.0 */
/* Images for tests, the same in every run; and the few calls that most tests make. Uses the public interface alone. */
#ifndef AIMG_TEST_SAMPLE_H
#define AIMG_TEST_SAMPLE_H

#include <aimg/aimg.h>
#include <stdbool.h>

#define SAMPLE_MAX_BYTES 70000u
#define SAMPLE_BIG \
    1000u /* contents from this number on have SAMPLE_MAX_BYTES bytes, others less than 700; every seventh has none */

/* The bytes of content `number`, into out (SAMPLE_MAX_BYTES). Returns how many. */
size_t sample_fill(uint32_t number, uint8_t *out);

/* Sixteen bytes that make an archive the same in every run. */
extern const uint8_t sample_seed[16];
#define SAMPLE_TIME_NS UINT64_C(1700000000000000000)

/* Options of a writer that is the same in every run. */
struct aimg_writer_options sample_writer_options(void);

/* An archive in place of what the path names; NULL, said on stderr, when there can be none. */
struct aimg_writer *sample_create(const char *path);

/* An image of that name and content. */
enum aimg_status sample_add(struct aimg_writer *writer, const char *name, uint32_t content, uint32_t flags, uint32_t *ordinal_out,
                            struct aimg_error *error);

/* Whether reading gives exactly that content; says on stderr what is different. */
bool sample_equals(const struct aimg_reader *reader, uint32_t ordinal, uint32_t content);

/* Makes an archive at path: `commits` commits of `images` images each, image i of commit c named "c<c>/<i>.jpg", with content c *
 * images + i. */
bool sample_archive(const char *path, unsigned commits, unsigned images);

/* A path in a directory that belongs to this process and is gone when it ends (children leave with _exit). Static memory, good
 * for the next eight calls. */
const char *sample_path(const char *name);
/* All bytes of a file, to be freed; NULL when it cannot be read. */
uint8_t *sample_load(const char *path, size_t *bytes_out);
bool sample_store(const char *path, const void *data, size_t bytes);
/* Turns bits of one byte of a file; again, and it is as it was. Without that there is no test: it ends the program. */
void sample_flip(const char *path, uint64_t offset, uint8_t bits);

/* Whether the archive at path has no fault, and exactly so many warnings. When not, and for each fault or unexpected warning,
 * says on stderr what it is. threads: as of aimg_verify_options. */
bool sample_verifies(const char *path, uint32_t threads, uint64_t warnings);

#endif
