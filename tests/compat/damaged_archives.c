/* SPDX-License-Identifier: Apache-2.0 */
/* Writes damaged archives and what aimg_verify says of each, for another validator to be compared with.
 *
 * damaged_archives SEED FIRST COUNT FILE...
 *
 * Archive number i depends on SEED, i and the files alone. On stdout, for COUNT of them from FIRST on: u64 number, u32 bytes, u32
 * status of aimg_verify, 128 bits of the rules that are broken (not those that are warned of), the bytes. */
#include "constants.h"
#include "io.h"
#include "mutate.h"
#include "random.h"
#include "verify.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const uint32_t fuzz_focus = 0; /* all frames alike */

enum { FILE_MOST = 1 << 17, SECTOR = 512 };

struct sample {
    uint8_t *data;
    size_t bytes;
};

struct record {
    uint64_t number;
    uint32_t bytes, status;
    uint64_t rules[2];
};

static uint64_t dice;

static void require(int condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "damaged_archives: %s\n", what);
    exit(2);
}

/* ------------------------------------------------------------------ damage that knows nothing of the format */

static void flip_bits(uint8_t *data, size_t bytes)
{
    for (uint64_t flips = 1 + random_below(&dice, 3); flips > 0 && bytes > 0; flips--)
        data[random_below(&dice, bytes)] ^= (uint8_t)(1u << random_below(&dice, 8));
}

/* A sector is zeroed, exchanged with another, or stands twice. */
static void move_sectors(uint8_t *data, size_t bytes)
{
    uint8_t kept[SECTOR];
    size_t sectors = bytes / SECTOR;
    if (sectors < 2)
        return;
    uint8_t *one = data + random_below(&dice, sectors) * SECTOR, *other = data + random_below(&dice, sectors) * SECTOR;
    uint64_t way = random_below(&dice, 3);
    memcpy(kept, one, SECTOR);
    if (way == 0)
        memset(one, 0, SECTOR);
    else
        memmove(one, other, SECTOR);
    if (way == 2)
        memcpy(other, kept, SECTOR);
}

/* What the mutator takes where it does not know the format either. */
static size_t mutate_plain(uint8_t *data, size_t bytes, size_t max_bytes)
{
    switch (random_below(&dice, 4)) {
    case 0:
        return (size_t)random_below(&dice, bytes + 1);
    case 1:
        random_fill(&dice, data, (size_t)random_below(&dice, bytes < 64 ? bytes + 1 : 64));
        return bytes;
    case 2:
        if (max_bytes - bytes >= SECTOR)
            memset(data + bytes, (int)random_below(&dice, 2) * 0x41, SECTOR);
        return max_bytes - bytes >= SECTOR ? bytes + SECTOR : bytes;
    default:
        flip_bits(data, bytes);
        return bytes;
    }
}

/* ------------------------------------------------------------------ one archive */

/* Checksums made right from the beginning up to a random place: tables without their ROOT, ROOT without its commit, and so on. */
static void sign_partly(uint8_t *data, size_t bytes)
{
    uint8_t *before = malloc(bytes + 1);
    size_t place = (size_t)random_below(&dice, bytes + 1);
    require(before != NULL, "no memory");
    memcpy(before, data, bytes);
    aimg_resign(data, bytes);
    memcpy(data + place, before + place, bytes - place);
    free(before);
}

/* other: where pieces are taken from. */
static size_t damage(uint8_t *data, size_t bytes, const struct sample *other)
{
    uint64_t way = random_below(&dice, 16);
    if (way < 11) {
        bytes = mutate_archive(data, bytes, FILE_MOST, other->data, other->bytes, (unsigned)random_next(&dice), mutate_plain);
    } else if (way < 13) {
        flip_bits(data, bytes);
    } else if (way == 13) {
        move_sectors(data, bytes);
    } else {
        bytes = mutate_plain(data, bytes, FILE_MOST);
    }
    if (random_below(&dice, 8) == 0)
        sign_partly(data, bytes);
    return bytes;
}

static void note(void *user, const struct aimg_finding *finding)
{
    struct record *record = user;
    if (!finding->warning)
        record->rules[finding->rule / 64] |= UINT64_C(1) << finding->rule % 64;
}

static void write_damaged(uint64_t seed, uint64_t number, const struct sample *samples, size_t count)
{
    static uint8_t data[FILE_MOST];
    struct record record = {.number = number};
    struct aimg_verify_options options = {.struct_bytes = sizeof options, .threads = 1, .user = &record, .finding = note};
    struct aimg_verify_result result;
    struct aimg_error error;
    struct aimg_io io;
    dice = seed ^ (number + 1) * UINT64_C(0xD1B54A32D192ED03);
    const struct sample *sample = &samples[random_below(&dice, count)];
    memcpy(data, sample->data, sample->bytes);
    size_t bytes = damage(data, sample->bytes, &samples[random_below(&dice, count)]);
    aimg_io_memory_open(&io, data, bytes);
    record.bytes = (uint32_t)bytes;
    record.status = aimg_verify_io(&io, &options, &result, &error);
    require(fwrite(&record, sizeof record, 1, stdout) == 1 && fwrite(data, 1, bytes, stdout) == bytes, "cannot write");
}

static size_t read_samples(char **paths, size_t count, struct sample *samples)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        static uint8_t data[FILE_MOST];
        FILE *file = fopen(paths[i], "rb");
        require(file != NULL, paths[i]);
        size_t bytes = fread(data, 1, sizeof data, file);
        fclose(file);
        if (bytes == sizeof data)
            continue; /* too large for a quick check */
        samples[kept].bytes = bytes;
        samples[kept].data = malloc(bytes + 1);
        require(samples[kept].data != NULL, "no memory");
        memcpy(samples[kept++].data, data, bytes);
    }
    return kept;
}

int main(int argc, char **argv)
{
    require(argc > 4, "usage: damaged_archives SEED FIRST COUNT FILE...");
    uint64_t seed = strtoull(argv[1], NULL, 10), first = strtoull(argv[2], NULL, 10), count = strtoull(argv[3], NULL, 10);
    struct sample *samples = calloc((size_t)argc, sizeof *samples);
    require(samples != NULL, "no memory");
    size_t kept = read_samples(argv + 4, (size_t)argc - 4, samples);
    require(kept > 0, "no file is small enough");
    for (uint64_t i = 0; i < count; i++)
        write_damaged(seed, first + i, samples, kept);
    for (size_t i = 0; i < kept; i++)
        free(samples[i].data);
    free(samples);
    return fflush(stdout) == 0 ? 0 : 2;
}
