/* SPDX-License-Identifier: Apache-2.0 */
/* Writes an archive of images that refer to each other: "a" has an attachment, "b" and "c" have one together, "d" has one that
 * has one without a name, "e" refers to "a". */
#include <aimg/aimg.h>

#include <stdio.h>
#include <string.h>

static struct aimg_error error;
static struct aimg_writer *writer;
static uint32_t mask, next;

/* target: NULL: refers to nothing. */
static int add(const char *name, const char *data, uint32_t flags, uint32_t column, const uint32_t *target, uint32_t *ordinal_out)
{
    struct aimg_value value = {.column = column, .data = target, .bytes = sizeof *target};
    struct aimg_image image = {.struct_bytes = sizeof image,
                               .name = name,
                               .name_bytes = strlen(name),
                               .data = data,
                               .data_bytes = strlen(data),
                               .values = &value,
                               .value_count = target != NULL,
                               .flags = flags};

    return aimg_writer_add(writer, &image, ordinal_out, &error) == AIMG_OK;
}

static int fill(void)
{
    uint32_t of_a, of_both, inner, outer, a, unused;

    return aimg_writer_column(writer, "mask", AIMG_TYPE_IMAGE, 1, 0, &mask, &error) == AIMG_OK &&
           aimg_writer_column(writer, "next", AIMG_TYPE_IMAGE, 1, 0, &next, &error) == AIMG_OK &&
           add("of a", "mask of a", AIMG_ADD_ATTACHMENT, 0, NULL, &of_a) &&
           add("of both", "mask of b and c", AIMG_ADD_ATTACHMENT, 0, NULL, &of_both) &&
           add("", "inner", AIMG_ADD_ATTACHMENT, 0, NULL, &inner) &&
           add("of d", "outer", AIMG_ADD_ATTACHMENT, mask, &inner, &outer) && add("a", "image a", 0, mask, &of_a, &a) &&
           add("b", "image b", 0, mask, &of_both, &unused) && add("c", "image c", 0, mask, &of_both, &unused) &&
           add("d", "image d", 0, mask, &outer, &unused) && add("e", "image e", 0, next, &a, &unused) &&
           aimg_writer_commit(writer, NULL, &error) == AIMG_OK;
}

int main(int argc, char **argv)
{
    int done;

    if (argc != 2) {
        fputs("usage: make_attached ARCHIVE\n", stderr);
        return 2;
    }
    done = aimg_writer_create(argv[1], NULL, &writer, &error) == AIMG_OK && fill();
    if (!done)
        fprintf(stderr, "make_attached: %s\n", error.message);
    return aimg_writer_close(writer, NULL) == AIMG_OK && done ? 0 : 1;
}
