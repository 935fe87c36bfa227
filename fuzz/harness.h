/* SPDX-License-Identifier: Apache-2.0 */
/* What fuzz targets share: checks that hold for any input, archives in memory, and memory that is quick to get. */
#ifndef AIMG_FUZZ_HARNESS_H
#define AIMG_FUZZ_HARNESS_H

#include "io.h"
#include "mutate.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

/* What must hold for any input. Says on the descriptor of stderr what does not, for stderr itself may be thrown away. */
#define require(condition) ((condition) ? (void)0 : fuzz_fail(__FILE__, __LINE__, #condition))
_Noreturn void fuzz_fail(const char *file, int line, const char *what);

/* Reads the first and the last byte, whatever the compiler thinks of it. */
static inline void touch(const void *data, size_t bytes)
{
    const volatile uint8_t *at = data;
    if (bytes > 0) {
        (void)at[0];
        (void)at[bytes - 1];
    }
}

/* What a file can make a call say; it can never make it the caller's fault. */
static inline void allowed(enum aimg_status status)
{
    require(status != AIMG_INVALID_ARGUMENT && status != AIMG_BUSY && status != AIMG_IO && status != AIMG_REPLACED &&
            status <= AIMG_REPLACED);
}

static inline bool damaged(enum aimg_status status)
{
    return status == AIMG_CHECKSUM || status == AIMG_CORRUPT;
}

/* A name looked up in a map, and without one: the same, whatever the slots say (SPEC 6.2). But a search that has to read what it
 * looks at verifies each block when it leaves it; a map is verified before "no" is said, and a name that is met first is handed
 * out. So without a map there may be damage where a map has the name, or other damage first; never the other way round. */
static inline bool agree(enum aimg_status mapped, enum aimg_status copied)
{
    return mapped == copied || (damaged(copied) && (mapped == AIMG_OK || damaged(mapped)));
}

enum { FUZZ_DISK_BYTES = 1 << 21, FUZZ_IMAGE_BYTES = 1 << 16 };

/* Limits under which every input is done with soon. */
extern const struct aimg_limits fuzz_limits;

/* malloc, but for large pieces, which are kept for the next input: the system would have to clear them each time. What is given
 * back is poisoned where AddressSanitizer is there. */
struct aimg_allocator fuzz_allocator(void);

/* An archive as a file in memory, without a map. What is written past FUZZ_DISK_BYTES fails as on a full disk. */
struct fuzz_disk {
    uint8_t *data;
    uint64_t bytes;
    bool full;
};
/* Number 0 to 2: each has memory of its own. */
struct fuzz_disk *fuzz_disk_load(unsigned number, const void *data, size_t bytes);
struct aimg_io fuzz_disk_io(struct fuzz_disk *disk);

/* The archive without its script; opened in memory. NULL when it cannot be. */
struct aimg_reader *fuzz_open(const uint8_t *data, size_t bytes, uint32_t flags, uint64_t seq);
/* The same without a map. */
struct aimg_reader *fuzz_open_no_map(const uint8_t *data, size_t bytes);

/* Some ordinals: the first, and others over the whole range. */
uint32_t fuzz_ordinal(uint64_t count, unsigned index);

/* Numbers from a script; zero when it is used up or not there. */
struct fuzz_script_reader {
    const uint8_t *at;
    size_t left;
};

/* Takes the script off the input. */
static inline struct fuzz_script_reader script_take(const uint8_t *data, size_t *bytes)
{
    const uint8_t *at = fuzz_script(data, *bytes, bytes);
    return (struct fuzz_script_reader){at, at == NULL ? 0 : FUZZ_SCRIPT_BYTES};
}

static inline unsigned script_next(struct fuzz_script_reader *script)
{
    if (script->left == 0)
        return 0;
    script->left--;
    return *script->at++;
}

/* Verifies; *rules_out: a bit for each rule below 64 that is broken, bit 63 for those above. */
enum aimg_status fuzz_verify(const struct aimg_io *io, uint64_t *rules_out, struct aimg_verify_result *result_out);

#endif
