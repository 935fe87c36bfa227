/* SPDX-License-Identifier: Apache-2.0 */
/* What the progress line tells of: images only where they are counted. */
#include "progress.h"
#include "test.h"

enum { LINE_BYTES = 256 };

/* The line as a terminal gets it. */
static void draw(struct progress *progress, uint64_t images, uint64_t bytes, char line[LINE_BYTES])
{
    FILE *shown = tmpfile();
    int terminal = dup(STDERR_FILENO);
    REQUIRE(shown != NULL && terminal >= 0 && dup2(fileno(shown), STDERR_FILENO) >= 0);
    progress->on = true;
    progress->shown_ns = 0; /* long ago */
    progress_update(progress, images, bytes);
    REQUIRE(dup2(terminal, STDERR_FILENO) >= 0);
    close(terminal);
    rewind(shown);
    size_t got = fread(line, 1, LINE_BYTES - 1, shown);
    line[got] = '\0';
    fclose(shown);
}

static void test_bytes_alone(void)
{
    struct progress progress;
    char line[LINE_BYTES];
    progress_begin(&progress, "compacting", 0, true);
    progress.bytes_total = 18000000;
    draw(&progress, 0, 9000000, line);
    EXPECT(strstr(line, "compacting: 9.0 MB of 18.0 MB, ") != NULL);
    EXPECT(strstr(line, "image") == NULL);
}

static void test_images(void)
{
    struct progress progress;
    char line[LINE_BYTES];
    progress_begin(&progress, "packing", 0, true);
    draw(&progress, 1200, 9000000, line);
    EXPECT(strstr(line, "packing: 1,200 images, 9.0 MB, ") != NULL);
    progress_begin(&progress, "packing", 0, true);
    progress.images_total = 10;
    draw(&progress, 0, 0, line);
    EXPECT(strstr(line, "packing: 0 images, 0 B, ") != NULL);
}

int main(void)
{
    test_bytes_alone();
    test_images();
    return test_end("progress");
}
