/* SPDX-License-Identifier: Apache-2.0 */
#include "progress.h"

#include "output.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { SECOND_NS = 1000000000, REDRAW_NS = SECOND_NS / 10 };

/* The terminal has one bottom line, so this is one for the process. */
static bool line_shown;

static uint64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec;
}

void progress_begin(struct progress *progress, const char *what, uint64_t bytes_total, bool quiet)
{
    uint64_t now = now_ns();
    *progress = (struct progress){
        .what = what, .bytes_total = bytes_total, .begin_ns = now, .shown_ns = now, .on = !quiet && isatty(STDERR_FILENO) == 1};
}

void progress_hide(void)
{
    if (line_shown) {
        fputs("\r\033[K", stderr);
        line_shown = false;
    }
}

static void format_left(double seconds, char *buffer, size_t buffer_bytes)
{
    unsigned long left = seconds < 360000 ? (unsigned long)(seconds + 0.5) : 360000;
    if (left >= 3600)
        snprintf(buffer, buffer_bytes, ", %lu h %02lu min left", left / 3600, left / 60 % 60);
    else if (left >= 60)
        snprintf(buffer, buffer_bytes, ", %lu min %02lu s left", left / 60, left % 60);
    else
        snprintf(buffer, buffer_bytes, ", %lu s left", left);
}

static void draw(struct progress *progress, double seconds)
{
    char images[48] = "", size[32], rate[32], total[40] = "", left[40] = "";
    double done = 0;
    if (progress->bytes_total > 0) {
        done = (double)progress->bytes / (double)progress->bytes_total;
        char text[32];
        snprintf(total, sizeof total, " of %s", output_size(progress->bytes_total, text, sizeof text));
    } else if (progress->images_total > 0) {
        done = (double)progress->images / (double)progress->images_total;
    }
    if (done > 0 && done <= 1)
        format_left(seconds * (1 - done) / done, left, sizeof left);
    double bytes_a_second = seconds > 0 ? (double)progress->bytes / seconds : 0;
    /* Who goes over bytes alone has no images to tell of. */
    if (progress->images > 0 || progress->images_total > 0) {
        char count[32];
        snprintf(images, sizeof images, "%s images, ", output_count(progress->images, count, sizeof count));
    }
    fprintf(stderr, "\r\033[K%s: %s%s%s, %s/s%s", progress->what, images, output_size(progress->bytes, size, sizeof size), total,
            output_size((uint64_t)bytes_a_second, rate, sizeof rate), left);
    fflush(stderr);
    line_shown = true;
}

void progress_update(struct progress *progress, uint64_t images, uint64_t bytes)
{
    progress->images = images;
    progress->bytes = bytes;
    if (!progress->on)
        return;
    uint64_t now = now_ns();
    if (now - progress->shown_ns < REDRAW_NS)
        return;
    progress->shown_ns = now;
    draw(progress, (double)(now - progress->begin_ns) / SECOND_NS);
}

void progress_end(struct progress *progress)
{
    if (progress->on) {
        progress_hide();
        fflush(stderr);
    }
}
