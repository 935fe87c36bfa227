/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a fuzz target over files, and over all files below directories, without a fuzzer: for finds, and for a corpus as a test.
 *
 *   replay [--unpack DIRECTORY] PATH...
 *
 * A file that ends in .zst is unpacked first. With --unpack each input is also put into the directory as it is, for a fuzzer,
 * unless it is large.
 */
#include "harness.h"

#include "bytes.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <zstd.h>

enum { OPEN_DIRECTORIES = 16, INPUT_MOST = 1 << 26, UNPACK_MOST = 40 << 10 };

/* nftw has no argument for its caller. */
static unsigned long input_count;
static int failed;
static const char *unpack_to;
static FILE *pack_to;

static void trouble(const char *path, const char *why)
{
    fprintf(stderr, "replay: %s: %s\n", path, why);
    failed = 1;
}

/* Two inputs of the same bytes get one name. */
static void put(const uint8_t *data, size_t bytes)
{
    char path[4096];
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < bytes; i++)
        hash = (hash ^ data[i]) * UINT64_C(1099511628211);
    snprintf(path, sizeof path, "%s/%016llx", unpack_to, (unsigned long long)hash);
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(data, 1, bytes, file) != bytes)
        trouble(path, "cannot be written");
    if (file != NULL && fclose(file) != 0)
        trouble(path, "cannot be written");
}

/* A buffer of exactly the input's size, so that a sanitizer sees the first byte read past it. */
static void run(const uint8_t *bytes, size_t count)
{
    uint8_t length[4];
    uint8_t *data = calloc(count == 0 ? 1 : count, 1);
    require(data != NULL);
    if (count > 0)
        memcpy(data, bytes, count);
    LLVMFuzzerTestOneInput(data, count);
    free(data);
    input_count++;
    if (unpack_to != NULL && count <= UNPACK_MOST)
        put(bytes, count);
    aimg_store32(length, (uint32_t)count);
    if (pack_to != NULL &&
        (fwrite(length, 1, sizeof length, pack_to) != sizeof length || fwrite(bytes, 1, count, pack_to) != count))
        trouble("the pack", "cannot be written");
}

static void run_pack(const char *path, const uint8_t *data, size_t bytes)
{
    size_t at = 0, count;
    for (; bytes - at >= 4; at += 4 + count) {
        count = aimg_load32(data + at);
        if (count > bytes - at - 4) {
            trouble(path, "ends within an input");
            return;
        }
        run(data + at + 4, count);
    }
}

static bool ends_in(const char *path, const char *end)
{
    size_t length = strlen(path), bytes = strlen(end);
    return length >= bytes && strcmp(path + length - bytes, end) == 0;
}

static uint8_t *unpack(uint8_t *packed, size_t packed_bytes, size_t *bytes_out)
{
    unsigned long long bytes = ZSTD_getFrameContentSize(packed, packed_bytes);
    uint8_t *data = bytes <= INPUT_MOST ? malloc(bytes == 0 ? 1 : (size_t)bytes) : NULL;
    if (data != NULL && ZSTD_decompress(data, (size_t)bytes, packed, packed_bytes) != bytes) {
        free(data);
        data = NULL;
    }
    free(packed);
    *bytes_out = (size_t)bytes;
    return data;
}

static void run_file(const char *path, size_t bytes)
{
    uint8_t *data = malloc(bytes == 0 ? 1 : bytes);
    FILE *file = fopen(path, "rb");
    bool read = data != NULL && file != NULL && fread(data, 1, bytes, file) == bytes;
    if (file != NULL)
        fclose(file);
    if (!read) {
        trouble(path, strerror(errno));
        free(data);
        return;
    }
    if (ends_in(path, ".zst")) {
        data = unpack(data, bytes, &bytes);
        if (data == NULL) {
            trouble(path, "is no zstd frame that gives its size");
            return;
        }
    }
    if (ends_in(path, ".pack.zst"))
        run_pack(path, data, bytes);
    else
        run(data, bytes);
    free(data);
}

static int visit(const char *path, const struct stat *status, int type, struct FTW *place)
{
    (void)place;
    if (type == FTW_F && S_ISREG(status->st_mode) && !ends_in(path, ".json")) /* what vectors are expected to say */
        run_file(path, (size_t)status->st_size);
    if (type == FTW_DNR || type == FTW_NS)
        trouble(path, "cannot be read");
    return 0;
}

int main(int argc, char **argv)
{
    int first = 1;
    if (argc > 2 && strcmp(argv[1], "--unpack") == 0) {
        unpack_to = argv[2];
        first = 3;
    } else if (argc > 2 && strcmp(argv[1], "--pack") == 0) {
        pack_to = fopen(argv[2], "wb");
        require(pack_to != NULL);
        first = 3;
    }
    if (first >= argc) {
        fprintf(stderr, "usage: %s [--unpack DIRECTORY | --pack FILE] PATH...\n", argv[0]);
        return 2;
    }
    for (int i = first; i < argc; i++)
        if (nftw(argv[i], visit, OPEN_DIRECTORIES, 0) != 0)
            trouble(argv[i], strerror(errno));
    if (pack_to != NULL && fclose(pack_to) != 0)
        trouble("the pack", "cannot be written");
    printf("%lu inputs\n", input_count);
    return failed || input_count == 0;
}
