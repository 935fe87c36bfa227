/* SPDX-License-Identifier: Apache-2.0 */
/* aimg_picture_probe on headers made by hand: whole, cut short at each byte, changed at each byte, and a few that are long. */
#include "picture_samples.h"
#include "test.h"
#include <errno.h>
#include <sys/stat.h>

enum { SAMPLE_MAX_BYTES = 4096 };

struct sample_set {
    const struct picture_sample *samples;
    const size_t *count;
};

static const struct sample_set sets[] = {
    {picture_samples_jpeg_png, &picture_samples_jpeg_png_count},
    {picture_samples_gif_webp_bmp, &picture_samples_gif_webp_bmp_count},
    {picture_samples_tiff_pnm, &picture_samples_tiff_pnm_count},
    {picture_samples_heif, &picture_samples_heif_count},
    {picture_samples_jxl_jp2, &picture_samples_jxl_jp2_count},
    {picture_samples_other, &picture_samples_other_count},
};

static uint8_t *room; /* of SAMPLE_MAX_BYTES, ended by a page that must not be read */

/* Probes bytes that end where reading on is a crash. Whatever the prober says, it must be consistent. */
static enum aimg_status probe(const void *data, size_t bytes, struct aimg_picture *picture)
{
    uint8_t *start = room + SAMPLE_MAX_BYTES - bytes;
    memcpy(start, data, bytes);
    memset(picture, 0xA5, sizeof(*picture));
    enum aimg_status status = aimg_picture_probe(start, bytes, picture);
    if (status == AIMG_OK) {
        EXPECT(picture->format > AIMG_FORMAT_UNKNOWN && picture->format <= AIMG_FORMAT_HDR);
        EXPECT(picture->damaged == 0 || picture->damaged == 1);
        EXPECT(picture->damaged == 1 || (picture->width > 0) == (picture->height > 0) || picture->format == AIMG_FORMAT_JPEG);
    } else {
        EXPECT_EQ_INT(status, AIMG_NOT_FOUND);
        EXPECT_EQ_INT(picture->format, AIMG_FORMAT_UNKNOWN);
        EXPECT(picture->width == 0 && picture->height == 0 && picture->channels == 0 && picture->bits == 0 &&
               picture->damaged == 0);
    }
    return status;
}

static void check_whole(const struct picture_sample *sample)
{
    struct aimg_picture picture;
    EXPECT_EQ_INT(probe(sample->data, sample->bytes, &picture), sample->status);
    EXPECT_EQ_TEXT(aimg_format_name(picture.format), aimg_format_name(sample->picture.format));
    EXPECT_EQ_UINT(picture.width, sample->picture.width);
    EXPECT_EQ_UINT(picture.height, sample->picture.height);
    EXPECT_EQ_UINT(picture.channels, sample->picture.channels);
    EXPECT_EQ_UINT(picture.bits, sample->picture.bits);
    EXPECT_EQ_INT(picture.damaged, sample->picture.damaged);
}

/* A part of a picture may say less than the whole, but nothing else. */
static void check_prefixes(const struct picture_sample *sample)
{
    for (size_t bytes = 0; bytes < sample->bytes; bytes++) {
        struct aimg_picture picture;
        enum aimg_status status = probe(sample->data, bytes, &picture);
        if (status != AIMG_OK || sample->status != AIMG_OK)
            continue;
        EXPECT_EQ_INT(picture.format, sample->picture.format);
        EXPECT(picture.width == 0 || picture.width == sample->picture.width);
        EXPECT(picture.height == 0 || picture.height == sample->picture.height);
        EXPECT(picture.channels == 0 || picture.channels == sample->picture.channels);
        EXPECT(picture.bits == 0 || picture.bits == sample->picture.bits);
        EXPECT(picture.damaged == 1 || !sample->cut_shows);
    }
}

/* Changed bytes may mean anything; probe() checks that they are survived. */
static void check_changes(const struct picture_sample *sample)
{
    static const uint8_t changes[] = {0x01, 0x80, 0xFF, 0x7F, 0x20, 0x04};
    uint8_t copy[SAMPLE_MAX_BYTES];
    memcpy(copy, sample->data, sample->bytes);
    for (size_t at = 0; at < sample->bytes; at++) {
        for (size_t i = 0; i < sizeof(changes); i++) {
            struct aimg_picture picture;
            copy[at] = (uint8_t)(copy[at] ^ changes[i]);
            probe(copy, sample->bytes, &picture);
            copy[at] = (uint8_t)sample->data[at];
        }
    }
}

static void check_samples(void)
{
    unsigned whole_seen[AIMG_FORMAT_HDR + 1] = {0};
    for (size_t set = 0; set < sizeof(sets) / sizeof(sets[0]); set++) {
        for (size_t i = 0; i < *sets[set].count; i++) {
            const struct picture_sample *sample = &sets[set].samples[i];
            test_state.subject = sample->name;
            REQUIRE(sample->bytes <= SAMPLE_MAX_BYTES);
            check_whole(sample);
            check_prefixes(sample);
            check_changes(sample);
            if (sample->status == AIMG_OK && !sample->picture.damaged)
                whole_seen[sample->picture.format]++;
        }
    }
    test_state.subject = NULL;
    for (unsigned format = AIMG_FORMAT_JPEG; format <= AIMG_FORMAT_HDR; format++)
        EXPECT(whole_seen[format] >= 2);
}

static void check_names(void)
{
    EXPECT_EQ_TEXT(aimg_format_name(0), "unknown");
    EXPECT_EQ_TEXT(aimg_format_name(AIMG_FORMAT_HDR + 1), "unknown");
    EXPECT_EQ_TEXT(aimg_format_name(UINT32_MAX), "unknown");
    EXPECT_EQ_TEXT(aimg_format_name(1), "jpeg");
    EXPECT_EQ_TEXT(aimg_format_name(16), "hdr");
    for (unsigned a = 1; a <= AIMG_FORMAT_HDR; a++) {
        for (unsigned b = 0; b < a; b++)
            EXPECT(strcmp(aimg_format_name(a), aimg_format_name(b)) != 0);
    }
}

static void check_arguments(void)
{
    struct aimg_picture picture = {.width = 1};
    EXPECT_EQ_INT(aimg_picture_probe("", 0, NULL), AIMG_INVALID_ARGUMENT);
    EXPECT_EQ_INT(aimg_picture_probe(NULL, 1, &picture), AIMG_INVALID_ARGUMENT);
    EXPECT_EQ_UINT(picture.width, 1);
    EXPECT_EQ_INT(aimg_picture_probe(NULL, 0, &picture), AIMG_NOT_FOUND);
    EXPECT_EQ_UINT(picture.width, 0);
}

/* Brands that name a codec decide; those that name only the container leave it to a later one. */
static void check_brands(void)
{
    static const char *const names[] = {"avif", "avis", "heic", "heix", "heim", "heis", "hevc", "hevx", "hevm", "hevs"};
    static const char *const neutral[] = {"mif1", "mif2", "miaf", "msf1"};
    struct aimg_picture picture;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        test_state.subject = names[i];
        char box[] = "\0\0\0\030ftypXXXX\0\0\0\0heicavif";
        enum aimg_format format = i < 2 ? AIMG_FORMAT_AVIF : AIMG_FORMAT_HEIF;
        memcpy(box + 8, names[i], 4);
        memcpy(box + 16, i < 2 ? "heic" : "avif", 4);
        EXPECT_EQ_INT(probe(box, sizeof(box) - 1, &picture), AIMG_OK);
        EXPECT_EQ_INT(picture.format, format);
        for (size_t k = 0; k < sizeof(neutral) / sizeof(neutral[0]); k++) {
            memcpy(box + 8, neutral[k], 4);
            memcpy(box + 16, names[i], 4);
            EXPECT_EQ_INT(probe(box, sizeof(box) - 1, &picture), AIMG_OK);
            EXPECT_EQ_INT(picture.format, format);
        }
    }
    for (size_t k = 0; k < sizeof(neutral) / sizeof(neutral[0]); k++) {
        char box[] = "\0\0\0\024ftypXXXX\0\0\0\0xxxx";
        test_state.subject = neutral[k];
        memcpy(box + 8, neutral[k], 4);
        EXPECT_EQ_INT(probe(box, sizeof(box) - 1, &picture), AIMG_OK);
        EXPECT_EQ_INT(picture.format, AIMG_FORMAT_HEIF);
        memcpy(box + 8, "mp42", 4);
        EXPECT_EQ_INT(probe(box, sizeof(box) - 1, &picture), AIMG_NOT_FOUND);
    }
    test_state.subject = NULL;
}

/* The end marker counts however far before the end of the file it stands, but not when it stands before the scan. */
static void check_long_jpeg(void)
{
    static const char head[] = "\xFF\xD8\xFF\xC0\0\x0B\x08\0\2\0\3\1\1\x11\0\xFF\xDA\0\x08\1\1\0\0?\0";
    const size_t appended[] = {2, 4094, 4095, 4096, 4097, 100000};
    for (size_t i = 0; i < sizeof(appended) / sizeof(appended[0]); i++) {
        size_t bytes = sizeof(head) - 1 + 2 + appended[i];
        uint8_t *data = test_guarded(bytes);
        struct aimg_picture picture;
        memcpy(data, head, sizeof(head) - 1);
        EXPECT_EQ_INT(aimg_picture_probe(data, bytes, &picture), AIMG_OK);
        EXPECT_EQ_INT(picture.damaged, 1);
        memcpy(data + sizeof(head) - 1, "\xFF\xD9", 2);
        EXPECT_EQ_INT(aimg_picture_probe(data, bytes, &picture), AIMG_OK);
        EXPECT_EQ_INT(picture.damaged, 0);
        EXPECT_EQ_UINT(picture.width, 3);
    }
}

/* Comments of a PNM and lines of a Radiance picture are not read for ever. */
static void check_long_texts(void)
{
    const char *heads[] = {"P5 #", "P7\n#", "#?RADIANCE\n"};
    const char *tails[] = {"\n3 2 255\nABCDEF", "\nWIDTH 3\nHEIGHT 2\nDEPTH 1\nMAXVAL 255\nENDHDR\nABCDEF",
                           "\n\n-Y 2 +X 3\nABCDEF"};
    for (size_t i = 0; i < 3; i++) {
        for (size_t filling = 30000; filling < 70000; filling += 39000) {
            size_t bytes = strlen(heads[i]) + filling + strlen(tails[i]);
            uint8_t *data = test_guarded(bytes);
            struct aimg_picture picture;
            memset(data, 'c', bytes);
            memcpy(data, heads[i], strlen(heads[i]));
            memcpy(data + bytes - strlen(tails[i]), tails[i], strlen(tails[i]));
            test_state.subject = heads[i];
            enum aimg_status status = aimg_picture_probe(data, bytes, &picture);
            EXPECT_EQ_UINT(picture.width, filling == 30000 ? 3 : 0);
            EXPECT_EQ_UINT(picture.height, filling == 30000 ? 2 : 0);
            EXPECT(status == AIMG_OK || filling > 65536);
            EXPECT(picture.damaged == (filling > 65536) || status == AIMG_NOT_FOUND);
        }
    }
    test_state.subject = NULL;
}

/* Writes each sample as a file: the corpus that the fuzzer starts from. */
static void write_samples(const char *directory)
{
    REQUIRE(mkdir(directory, 0777) == 0 || errno == EEXIST);
    unsigned number = 0;
    for (size_t set = 0; set < sizeof(sets) / sizeof(sets[0]); set++) {
        for (size_t i = 0; i < *sets[set].count; i++) {
            char path[4096];
            snprintf(path, sizeof(path), "%s/%03u", directory, number++);
            FILE *file = fopen(path, "wb");
            REQUIRE(file != NULL);
            EXPECT(fwrite(sets[set].samples[i].data, 1, sets[set].samples[i].bytes, file) == sets[set].samples[i].bytes);
            REQUIRE(fclose(file) == 0);
        }
    }
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--write") == 0) {
        write_samples(argv[2]);
        return test_end("test_picture --write");
    }
    room = test_guarded(SAMPLE_MAX_BYTES);
    check_samples();
    check_names();
    check_arguments();
    check_brands();
    check_long_jpeg();
    check_long_texts();
    return test_end("test_picture");
}
