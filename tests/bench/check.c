/* SPDX-License-Identifier: Apache-2.0 */
/* The bars that the project has set itself. A report, not a test: a benchmark on a busy machine proves nothing. */
#include "report.h"

enum sense { AT_MOST, AT_LEAST };

struct bar {
    const char *text;
    const char *suite, *set, *metric, *contender;
    const char *base;     /* a contender: the bar is on the ratio; NULL: on the value itself */
    const char *base_set; /* where that differs from set */
    enum sense sense;     /* AT_LEAST with a base: so many times as fast as it */
    double limit;
};

#define LARGEST  "largest" /* of the scale: ten million in a full run */
#define LIMIT    "limit: flat file, offset array, mapped"
#define FLAT     "flat file, hash of the name"
#define FLAT_KEY "flat file, hash of the name, key compared"
#define WARM     "open and first read, warm"
#define COLD     "open and first read, cold"
#define AUTO     "aimg auto, copying read, verified"
#define COMMITS  "1,000 commits"
#define COLUMN   "aimg, array to a column"
#define VERIFY   "aimg verify, 2 threads"
#define MEMORY   "all words of the map, 2 threads"
#define ALIVE    "copy of what is alive, XXH3-128, fsync"

static const struct bar bars[] = {
    {"CIFAR by number over the limit", "reads", "cifar", "1 thread", "aimg by number", LIMIT, NULL, AT_MOST, 1.2},
    {"ImageNet by number over the limit", "reads", "imagenet", "1 thread", "aimg by number", LIMIT, NULL, AT_MOST, 1.2},
    {"CIFAR announced batch, verified, over the limit", "reads", "cifar", "1 thread", "aimg batch by number, verified in place",
     LIMIT, NULL, AT_MOST, 1.5},
    {"CIFAR single read, verified, over the limit", "reads", "cifar", "1 thread", "aimg by number, verified in place", LIMIT,
     NULL, AT_MOST, 3.5},
    {"ImageNet announced batch, verified, over the limit", "reads", "imagenet", "1 thread",
     "aimg batch by number, verified in place", LIMIT, NULL, AT_MOST, 1.6},
    {"ImageNet single read, verified, over the limit", "reads", "imagenet", "1 thread", "aimg by number, verified in place",
     LIMIT, NULL, AT_MOST, 1.6},
    {"CIFAR by name over the flat hash", "reads", "cifar", "1 thread", "aimg by name", FLAT_KEY, NULL, AT_MOST, 1.15},
    {"ImageNet by name over the flat hash", "reads", "imagenet", "1 thread", "aimg by name", FLAT_KEY, NULL, AT_MOST, 1.15},
    {"CIFAR by name, times as fast as LMDB", "reads", "cifar", "1 thread", "aimg by name", "LMDB by key", NULL, AT_LEAST, 2},
    {"ImageNet by name, times as fast as LMDB (parity)", "reads", "imagenet", "1 thread", "aimg by name", "LMDB by key", NULL,
     AT_LEAST, 1},
    {"open and first read, warm, over the flat file", "scale", LARGEST, WARM, "aimg", FLAT, NULL, AT_MOST, 1.4},
    {"open and first read, cold, over the flat file with MADV_RANDOM", "scale", LARGEST, COLD, "aimg", "flat file, MADV_RANDOM",
     NULL, AT_MOST, 1.35},
    {"open and first read, cold, over the flat file with default advice", "scale", LARGEST, COLD, "aimg", FLAT, NULL, AT_MOST,
     1.35},
    {"system calls of open and first read", "scale", LARGEST, "system calls", "aimg", NULL, NULL, AT_MOST, 12},
    {"the same number as for 1,000 entries (ratio)", "scale", LARGEST, "system calls", "aimg", "aimg", "1000", AT_MOST, 1},
    {"heap at its most, bytes", "scale", LARGEST, "most heap at once", "aimg", NULL, NULL, AT_MOST, 65535},
    {"random read by name, times as fast as LMDB", "scale", LARGEST, "random read", "aimg", "LMDB", NULL, AT_LEAST, 2.2},
    {"batch of names, ns each", "scale", LARGEST, "random read", "aimg, batch of names", NULL, NULL, AT_MOST, 150},
    {"batch of numbers, ns each", "scale", LARGEST, "random read", "aimg, batch of numbers", NULL, NULL, AT_MOST, 150},
    {"cold, announced, over pread", "cold", "100 KB", "read", "aimg, announced", "flat file, pread", NULL, AT_MOST, 1.15},
    {"cold, window of 64 ahead, times as fast as pread", "cold", "100 KB", "read", "aimg, announced 64 ahead", "flat file, pread",
     NULL, AT_LEAST, 2},
    {"CIFAR pack from memory over the flat file", "pack", "cifar", "from memory, durable", "aimg", "flat file with checksums",
     NULL, AT_MOST, 1.2},
    {"ImageNet pack from memory over the flat file", "pack", "imagenet", "from memory, durable", "aimg",
     "flat file with checksums", NULL, AT_MOST, 1.2},
    {"CIFAR pack from files, times as fast as tar", "pack", "cifar", "command and sync", "aimg pack", "tar cf", NULL, AT_LEAST,
     1.5},
    {"ImageNet pack from files, times as fast as tar", "pack", "imagenet", "command and sync", "aimg pack", "tar cf", NULL,
     AT_LEAST, 1},
    {"CIFAR size over the sum of the files", "size", "cifar", "bytes over the sum of the files", "aimg", NULL, NULL, AT_MOST,
     1.16},
    {"ImageNet size over the sum of the files", "size", "imagenet", "bytes over the sum of the files", "aimg", NULL, NULL,
     AT_MOST, 1.002},
    {"CIFAR with compress auto, size over the sum of the files", "size", "cifar", "bytes over the sum of the files",
     "aimg, compress auto", NULL, NULL, AT_MOST, 0.52},
    {"CIFAR with compress auto, copying read by number, verified, ns", "reads", "cifar", "1 thread", AUTO, NULL, NULL, AT_MOST,
     1000},
    {"CIFAR with compress auto, copying read by name, verified, over LMDB for the same work", "reads", "cifar", "1 thread",
     "aimg auto, copying read by name, verified", "LMDB by key, copied, XXH3-128 compared", NULL, AT_MOST, 1},
    {"CIFAR pack from files with compress auto, s", "pack", "cifar", "command and sync", "aimg pack, compress auto", NULL, NULL,
     AT_MOST, 0.8},
    {"append to a large archive over a small one, processor", "grow", "append", "mean, processor", "large archive",
     "small archive", NULL, AT_MOST, 1.5},
    {"append to a large archive over a small one, bytes", "grow", "append", "mean, bytes", "large archive", "small archive", NULL,
     AT_MOST, 1.5},
    {"by number after 1,000 commits over sealed", "grow", "commits", "by number", COMMITS, "sealed", NULL, AT_MOST, 1.3},
    {"by name after 1,000 commits over sealed", "grow", "commits", "by name", COMMITS, "sealed", NULL, AT_MOST, 2},
    {"open after 1,000 commits over sealed", "grow", "commits", "open", COMMITS, "sealed", NULL, AT_MOST, 1.5},
    {"column of f32 from an array, s", "columns", "10000000", "set", COLUMN, NULL, NULL, AT_MOST, 2},
    {"column of f32 from an array, bytes written", "columns", "10000000", "bytes written", COLUMN, NULL, NULL, AT_MOST, 60e6},
    {"column of f32 read as verified arrays over memcpy", "columns", "10000000", "read all", "aimg, chunks verified and summed",
     "array in memory, memcpy", NULL, AT_MOST, 1},
    {"CIFAR compact over copying what is alive", "compact", "cifar", "durable", "aimg, copy into a new archive", ALIVE, NULL,
     AT_MOST, 1.1},
    {"ImageNet compact over copying what is alive", "compact", "imagenet", "durable", "aimg, copy into a new archive", ALIVE,
     NULL, AT_MOST, 1.1},
    {"deduplication of a set with 30% copies over none", "dedup", "cifar", "auto, command and sync", "default", "--no-dedup",
     NULL, AT_MOST, 1.1},
    {"the same, stored as it is", "dedup", "cifar", "stored, command and sync", "default", "--no-dedup", NULL, AT_MOST, 1.1},
    {"CIFAR verified, million images a second", "verify", "cifar", "million images a second", VERIFY, NULL, NULL, AT_LEAST, 2},
    {"CIFAR with compress auto verified, million images a second", "verify", "cifar, auto", "million images a second", VERIFY,
     NULL, NULL, AT_LEAST, 2},
    {"ImageNet verified, of memory bandwidth", "verify", "imagenet", "all of it", VERIFY, MEMORY, NULL, AT_LEAST, 0.6},
    {"one image more, bytes beside it", "size", "append", "bytes beside the image", "first image added", NULL, NULL, AT_MOST,
     12288},
};

#define BAR_COUNT (sizeof bars / sizeof *bars)

struct outcome {
    int measured;
    int met;
    double value;
};

static const char *resolve_set(const struct results *results, const struct bar *bar)
{
    if (strcmp(bar->set, LARGEST))
        return bar->set;
    return results_find(results, bar->suite, "10000000", bar->metric, bar->contender) ? "10000000" : "1000000";
}

static struct outcome judge(const struct results *results, const struct bar *bar)
{
    struct outcome outcome = {0};
    const char *set = resolve_set(results, bar);
    const struct series *ours = results_find(results, bar->suite, set, bar->metric, bar->contender);
    const struct series *base =
        bar->base ? results_find(results, bar->suite, bar->base_set ? bar->base_set : set, bar->metric, bar->base) : NULL;
    if (!ours || (bar->base && !base))
        return outcome;
    outcome.measured = 1;
    if (!base)
        outcome.value = series_median(ours);
    else
        outcome.value = bar->sense == AT_MOST ? series_ratio(ours, base) : series_ratio(base, ours);
    outcome.met = bar->sense == AT_MOST ? outcome.value <= bar->limit : outcome.value >= bar->limit;
    return outcome;
}

void check_report(FILE *out, const struct results *results)
{
    fputs("### bars\n\n| bar | wanted | measured | met |\n|---|---|---|---|\n", out);
    for (size_t i = 0; i < BAR_COUNT; i++) {
        struct outcome outcome = judge(results, &bars[i]);
        fprintf(out, "| %s | %s %g |", bars[i].text, bars[i].sense == AT_MOST ? "at most" : "at least", bars[i].limit);
        if (outcome.measured)
            fprintf(out, " %.*f | %s |\n", outcome.value >= 100 ? 0 : 4, outcome.value, outcome.met ? "yes" : "**no**");
        else
            fputs(" - | not measured |\n", out);
    }
    fputc('\n', out);
}

void check_json(FILE *out, const struct results *results)
{
    const char *between = "";
    for (size_t i = 0; i < BAR_COUNT; i++) {
        struct outcome outcome = judge(results, &bars[i]);
        if (!outcome.measured)
            continue;
        fprintf(out, "%s{\"bar\":", between);
        json_string(out, bars[i].text);
        fprintf(out, ",\"%s\":%g,\"measured\":%.6g,\"met\":%s}", bars[i].sense == AT_MOST ? "at_most" : "at_least", bars[i].limit,
                outcome.value, outcome.met ? "true" : "false");
        between = ",\n";
    }
    fputc('\n', out);
}
