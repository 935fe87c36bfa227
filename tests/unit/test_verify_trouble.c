/* SPDX-License-Identifier: Apache-2.0 */
/* The check of archives when memory runs out, when the file changes under it, and with images that do
 * not fit into its buffers. */
#include "sample.h"
#include "test.h"

#include <aimg/aimg.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "verify_read.h"

#define NOISE_BYTES (3u << 20)
#define CODED_BYTES (6u << 20)
#define PLAIN_BYTES (5u << 20) /* compresses, but only a little: larger than a buffer when coded */

static char path[256];

struct verdict {
    enum aimg_status status;
    struct aimg_verify_result result;
    uint32_t rule, ordinal;
};

static void on_finding(void *user, const struct aimg_finding *finding)
{
    struct verdict *verdict = user;
    verdict->rule = finding->rule;
    verdict->ordinal = finding->ordinal;
}

static struct verdict verify(struct aimg_verify_options options)
{
    struct verdict verdict = {.status = AIMG_OK};
    struct aimg_error error;
    options.struct_bytes = sizeof options;
    options.user = &verdict;
    options.finding = on_finding;
    verdict.status = aimg_verify(path, &options, &verdict.result, &error);
    return verdict;
}

/* ------------------------------------------------------------------ an archive with images of several MiB */

static uint64_t state = 88172645463325252u;

static uint8_t noise(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint8_t)state;
}

static void add(struct aimg_writer *writer, const char *name, const uint8_t *data, size_t bytes)
{
    struct aimg_image image = {
        .struct_bytes = sizeof image, .name = name, .name_bytes = strlen(name), .data = data, .data_bytes = bytes};
    REQUIRE(aimg_writer_add(writer, &image, NULL, NULL) == AIMG_OK);
}

static void make_archive(void)
{
    struct aimg_writer_options options = {.struct_bytes = sizeof options, .compress = AIMG_COMPRESS_ZSTD, .alignment = 4096};
    struct aimg_writer *writer;
    uint8_t *data = calloc(1, CODED_BYTES);
    char name[32];
    REQUIRE(data != NULL);
    unlink(path);
    REQUIRE(aimg_writer_create(path, &options, &writer, NULL) == AIMG_OK);
    for (size_t i = 0; i < CODED_BYTES; i += 997)
        data[i] = (uint8_t)(i * 2654435761u >> 24); /* a few hundred to 1: more would be stored as it is */
    add(writer, "zeros", data, CODED_BYTES);
    for (size_t i = 0; i < PLAIN_BYTES; i++)
        data[i] = noise() & 0x3F;
    add(writer, "coded", data, PLAIN_BYTES);
    for (size_t i = 0; i < NOISE_BYTES; i++)
        data[i] = noise();
    add(writer, "noise", data, NOISE_BYTES);
    for (int i = 0; i < 3000; i++) {
        snprintf(name, sizeof name, "small/%d", i);
        add(writer, name, data + i, 300);
    }
    REQUIRE(aimg_writer_commit(writer, NULL, NULL) == AIMG_OK && aimg_writer_close(writer, NULL) == AIMG_OK);
    free(data);
}

static uint64_t data_offset(uint32_t ordinal)
{
    struct aimg_reader *reader;
    struct aimg_entry entry;
    REQUIRE(aimg_reader_open(path, NULL, &reader, NULL) == AIMG_OK);
    REQUIRE(aimg_reader_entry(reader, ordinal, &entry, NULL) == AIMG_OK);
    aimg_reader_close(reader);
    return entry.data_offset + entry.stored_bytes / 2;
}

static void check_large(void)
{
    for (uint32_t threads = 1; threads <= 3; threads++) {
        struct verdict verdict = verify((struct aimg_verify_options){.threads = threads, .limits = {.ratio = UINT32_MAX}});
        EXPECT(verdict.status == AIMG_OK && verdict.result.faults == 0 && verdict.result.warnings == 0);
        EXPECT_EQ_UINT(verdict.result.images, 3003);
        for (uint32_t ordinal = 0; ordinal < 3003; ordinal += ordinal < 3 ? 1 : 1500) {
            uint64_t offset = data_offset(ordinal);
            sample_flip(path, offset, 4);
            verdict = verify((struct aimg_verify_options){.threads = threads, .limits = {.ratio = UINT32_MAX}});
            EXPECT_EQ_UINT(verdict.result.faults, 1);
            EXPECT(verdict.rule == 18 && verdict.ordinal == ordinal);
            EXPECT_EQ_UINT(verify((struct aimg_verify_options){.flags = AIMG_VERIFY_QUICK, .threads = threads}).result.faults, 0);
            sample_flip(path, offset, 4);
        }
    }
}

/* What the limits do not allow to decode is said, and is no fault. */
static void check_limits(void)
{
    struct verdict verdict = verify((struct aimg_verify_options){.threads = 1, .limits = {.ratio = 100}});
    EXPECT_EQ_UINT(verdict.result.faults, 0);
    EXPECT_EQ_UINT(verdict.result.warnings, 1); /* the zeros */
    EXPECT(verdict.rule == 70 && verdict.ordinal == 0);
    verdict = verify((struct aimg_verify_options){.threads = 1, .limits = {.image_bytes = PLAIN_BYTES / 2, .ratio = UINT32_MAX}});
    EXPECT(verdict.result.faults == 0 && verdict.result.warnings == 2);
}

/* ------------------------------------------------------------------ coded images in pieces */

static const struct aimg_allocator *standard(void)
{
    static struct aimg_allocator allocator;
    REQUIRE(aimg_allocator_resolve(&(struct aimg_allocator){NULL, NULL, NULL}, &allocator));
    return &allocator;
}

/* Decodes stored bytes in pieces of `piece` bytes. */
static struct aimg_verify_decoded decode(const uint8_t *stored, size_t bytes, size_t piece, uint64_t raw_bytes, uint64_t limit)
{
    static struct aimg_verify_decoder *decoder;
    struct aimg_verify_decoded decoded;
    if (decoder == NULL)
        decoder = aimg_verify_decoder_create(standard());
    REQUIRE(decoder != NULL && aimg_verify_decoder_begin(standard(), decoder, NULL, raw_bytes, limit));
    for (size_t at = 0; at < bytes; at += piece)
        aimg_verify_decoder_add(decoder, stored + at, bytes - at < piece ? bytes - at : piece);
    aimg_verify_decoder_end(decoder, &decoded);
    if (stored == NULL)
        aimg_verify_decoder_destroy(standard(), decoder), decoder = NULL;
    return decoded;
}

static void check_decoder(void)
{
    struct aimg_codec_pool pool;
    size_t raw_bytes = PLAIN_BYTES;
    uint8_t *raw = malloc(raw_bytes), *stored = calloc(1, aimg_codec_bound(raw_bytes) + 100);
    REQUIRE(raw != NULL && stored != NULL);
    for (size_t i = 0; i < raw_bytes; i++)
        raw[i] = noise() & 0x3F;
    aimg_codec_pool_init(&pool);
    size_t bytes = aimg_codec_encode(&pool, 1, NULL, raw, raw_bytes, stored, aimg_codec_bound(raw_bytes));
    REQUIRE(bytes > AIMG_VERIFY_BUFFER_BYTES);
    struct aimg_hash hash = aimg_hash(raw, raw_bytes);
    for (size_t piece = 1000; piece < 2 * bytes; piece *= 40) {
        struct aimg_verify_decoded decoded = decode(stored, bytes, piece, raw_bytes, UINT64_MAX);
        EXPECT(decoded.fault == NULL && !decoded.too_large && decoded.hash.low == hash.low && decoded.hash.high == hash.high);
        EXPECT(decoded.first_bytes == sizeof decoded.first && memcmp(decoded.first, raw, sizeof decoded.first) == 0);
        EXPECT(decode(stored, bytes - 1, piece, raw_bytes, UINT64_MAX).fault != NULL);     /* cut */
        EXPECT(decode(stored, bytes + 1, piece, raw_bytes, UINT64_MAX).fault != NULL);     /* a byte follows */
        EXPECT(decode(stored, bytes, piece, raw_bytes + 1, UINT64_MAX).fault != NULL);     /* another size is expected */
        EXPECT(decode(stored + 1, bytes - 1, piece, raw_bytes, UINT64_MAX).fault != NULL); /* no frame */
        EXPECT(decode(stored, bytes, piece, raw_bytes, raw_bytes / 2).too_large);
        stored[bytes / 2] ^= 0xFF;
        decoded = decode(stored, bytes, piece, raw_bytes, UINT64_MAX);
        EXPECT(decoded.fault != NULL || decoded.hash.low != hash.low);
        stored[bytes / 2] ^= 0xFF;
    }
    EXPECT(decode(NULL, 0, 1, 0, UINT64_MAX).fault != NULL);
    aimg_codec_pool_release(&pool);
    free(stored);
    free(raw);
}

/* ------------------------------------------------------------------ no memory */

struct memory {
    uint64_t calls, fail_at, live;
};

static void *count_alloc(void *user, size_t bytes)
{
    struct memory *memory = user;
    if (memory->calls++ == memory->fail_at)
        return NULL;
    void *block = malloc(bytes);
    memory->live += block != NULL;
    return block;
}

static void count_free(void *user, void *block)
{
    struct memory *memory = user;
    memory->live -= block != NULL;
    free(block);
}

/* Each allocation fails once: always the same status, nothing is lost, no finding is made up. damaged: the paths that faults
 * take. */
static void check_no_memory(bool damaged)
{
    struct memory memory = {.fail_at = 0};
    struct verdict verdict;
    do {
        memory.calls = 0;
        verdict = verify((struct aimg_verify_options){.threads = 1, .allocator = {&memory, count_alloc, count_free}});
        EXPECT_EQ_UINT(memory.live, 0);
        if (memory.calls > memory.fail_at)
            EXPECT_EQ_INT(verdict.status, AIMG_OUT_OF_MEMORY);
        EXPECT(damaged || verdict.result.faults == 0);
    } while (memory.calls > memory.fail_at++ && memory.fail_at < 10000);
    EXPECT_EQ_INT(verdict.status, AIMG_OK);
    EXPECT(memory.fail_at > 20 && (verdict.result.faults > 0) == damaged);
}

/* ------------------------------------------------------------------ a file that changes */

static void disturb(off_t bytes)
{
    int fd = open(path, O_RDWR);
    uint8_t piece[64];
    for (;;) {
        off_t offset = (off_t)(((uint64_t)noise() << 16 | (uint64_t)noise() << 8 | noise()) % (uint64_t)bytes);
        for (size_t i = 0; i < sizeof piece; i++)
            piece[i] = noise();
        if (pwrite(fd, piece, sizeof piece, offset) != (ssize_t)sizeof piece || (noise() == 0 && ftruncate(fd, offset) != 0))
            _exit(1);
    }
}

/* Another process writes noise into the archive and cuts it while it is checked. Nothing is promised but that the check comes to
 * its end. */
static void check_changing(void)
{
    struct stat info;
    struct timespec begin, now;
    uint64_t runs = 0;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    do {
        make_archive();
        REQUIRE(stat(path, &info) == 0);
        pid_t child = fork();
        REQUIRE(child >= 0);
        if (child == 0)
            disturb(info.st_size);
        for (int i = 0; i < 5; i++)
            (void)verify((struct aimg_verify_options){.threads = 2, .flags = i % 2 ? AIMG_VERIFY_QUICK : 0});
        REQUIRE(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
        runs++;
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while (now.tv_sec - begin.tv_sec < 2);
    EXPECT(runs > 0);
}

int main(void)
{
    const char *folder = getenv("TMPDIR");
    snprintf(path, sizeof path, "%s/test_verify_trouble.%ld.aimg",
             folder != NULL                  ? folder
             : access("/dev/shm", W_OK) == 0 ? "/dev/shm"
                                             : "/tmp",
             (long)getpid());
    make_archive();
    check_large();
    check_limits();
    check_decoder();
    check_no_memory(false);
    sample_flip(path, data_offset(7) - 160, 4); /* a frame header */
    sample_flip(path, data_offset(1), 4);
    check_no_memory(true);
    check_changing();
    unlink(path);
    return test_end("test_verify_trouble");
}
