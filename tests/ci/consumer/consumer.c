/* SPDX-License-Identifier: Apache-2.0 */
/* consumer ARCHIVE: packs two images with the installed library and reads them back. */
#include <aimg/aimg.h>

#include <stdio.h>
#include <string.h>

static const char *const names[2] = {"one/first.pgm", "two/second.pgm"};
static const char *const images[2] = {"P5 2 1 255\nab", "P5 1 3 255\nxyz"};

static enum aimg_status add(struct aimg_writer *writer, int number, struct aimg_error *error)
{
    struct aimg_picture picture;
    struct aimg_image image = {.struct_bytes = sizeof image};
    image.name = names[number];
    image.name_bytes = strlen(names[number]);
    image.data = images[number];
    image.data_bytes = strlen(images[number]);
    if (aimg_picture_probe(image.data, (size_t)image.data_bytes, &picture) == AIMG_OK)
        image.format = picture.format;
    return aimg_writer_add(writer, &image, NULL, error);
}

static enum aimg_status pack(const char *path, struct aimg_error *error)
{
    struct aimg_writer *writer = NULL;
    enum aimg_status status = aimg_writer_create(path, NULL, &writer, error);
    for (int number = 0; status == AIMG_OK && number < 2; number++)
        status = add(writer, number, error);
    if (status == AIMG_OK)
        status = aimg_writer_commit(writer, "two images", error);
    enum aimg_status closed = aimg_writer_close(writer, status == AIMG_OK ? error : NULL);
    return status == AIMG_OK ? closed : status;
}

/* How many of the two came back as they went in. */
static int read_back(const char *path, struct aimg_error *error)
{
    struct aimg_reader *reader = NULL;
    int good = 0;
    if (aimg_reader_open(path, NULL, &reader, error) != AIMG_OK)
        return 0;
    for (int number = 0; number < 2; number++) {
        char buffer[64];
        uint32_t ordinal;
        uint64_t bytes = 0;
        if (aimg_reader_find(reader, names[number], strlen(names[number]), &ordinal, error) == AIMG_OK &&
            aimg_reader_read(reader, ordinal, 0, buffer, sizeof buffer, &bytes, error) == AIMG_OK &&
            bytes == strlen(images[number]) && memcmp(buffer, images[number], (size_t)bytes) == 0)
            good++;
    }
    aimg_reader_close(reader);
    return good;
}

int main(int argc, char **argv)
{
    struct aimg_error error = {0};
    if (argc != 2 || strcmp(aimg_version(), AIMG_VERSION) != 0) {
        fprintf(stderr, "usage: consumer ARCHIVE; header %s, library %s\n", AIMG_VERSION, aimg_version());
        return 2;
    }
    if (pack(argv[1], &error) != AIMG_OK || read_back(argv[1], &error) != 2) {
        fprintf(stderr, "consumer: %s\n", error.message);
        return 1;
    }
    printf("two images packed and read back with libarchive_img %s\n", aimg_version());
    return 0;
}
