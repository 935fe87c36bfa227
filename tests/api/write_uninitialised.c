/* SPDX-License-Identifier: Apache-2.0 */
/* write_uninitialised ARCHIVE BYTES: adds an image of 64 bytes of which the first BYTES were written. The control of ./dev
 * valgrind: with 64 nothing is wrong, with 63 a byte that nobody wrote reaches the file, and has to be found. */
#include <aimg/aimg.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { IMAGE_BYTES = 64 };

int main(int argc, char **argv)
{
    struct aimg_error error;
    struct aimg_writer *writer = NULL;
    struct aimg_image image = {.struct_bytes = sizeof image, .name = "x", .name_bytes = 1, .data_bytes = IMAGE_BYTES};
    size_t written = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
    char *bytes = malloc(IMAGE_BYTES);
    if (bytes == NULL || argc != 3 || written > IMAGE_BYTES)
        return 2;
    memset(bytes, 'x', written);
    image.data = bytes;
    enum aimg_status status = aimg_writer_create(argv[1], NULL, &writer, &error);
    if (status == AIMG_OK)
        status = aimg_writer_add(writer, &image, NULL, &error);
    if (status == AIMG_OK)
        status = aimg_writer_commit(writer, NULL, &error);
    if (status != AIMG_OK)
        fprintf(stderr, "%s\n", error.message);
    enum aimg_status closed = aimg_writer_close(writer, status == AIMG_OK ? &error : NULL);
    free(bytes);
    return status == AIMG_OK && closed == AIMG_OK ? 0 : 1;
}
