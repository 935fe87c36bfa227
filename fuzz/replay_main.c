/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a fuzz target over files, and over all files below directories, without a fuzzer: for finds, and for a corpus as a test.
 *
 *   replay PATH...
 */
#include <errno.h>
#include <ftw.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

enum { OPEN_DIRECTORIES = 16 };

/* nftw has no argument for its caller. */
static unsigned long input_count;
static int failed;

/* A buffer of exactly the file's size, so that a sanitizer sees the first byte read past it. */
static int run_file(const char *path, size_t bytes)
{
    uint8_t *data = malloc(bytes == 0 ? 1 : bytes);
    FILE *file = fopen(path, "rb");
    int done = data != NULL && file != NULL && fread(data, 1, bytes, file) == bytes;
    if (file != NULL)
        fclose(file);
    if (done) {
        LLVMFuzzerTestOneInput(data, bytes);
        input_count++;
    } else {
        fprintf(stderr, "replay: %s: cannot be read: %s\n", path, strerror(errno));
        failed = 1;
    }
    free(data);
    return 0;
}

static int visit(const char *path, const struct stat *status, int type, struct FTW *place)
{
    (void)place;
    if (type == FTW_F && S_ISREG(status->st_mode))
        return run_file(path, (size_t)status->st_size);
    if (type == FTW_DNR || type == FTW_NS) {
        fprintf(stderr, "replay: %s: cannot be read\n", path);
        failed = 1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: %s PATH...\n", argv[0]);
        return 2;
    }
    for (int i = 1; i < argc; i++) {
        if (nftw(argv[i], visit, OPEN_DIRECTORIES, 0) != 0) {
            fprintf(stderr, "replay: %s: %s\n", argv[i], strerror(errno));
            failed = 1;
        }
    }
    printf("%lu inputs\n", input_count);
    return failed || input_count == 0;
}
