/* SPDX-License-Identifier: Apache-2.0 */
/* test_flips [--every N] [--bursts N] [--large BYTES] [--json FILE] [--jobs N] ARCHIVE...
 *
 * Turns bits of sound archives, one after the other, replaces sectors, and turns several bits at once: the check must find each
 * of them, and a reader, by number, by name, of columns and metadata, must give what was put in or an error. Every N-th bit of
 * each archive, and of two that are written here; of another one of so many bytes so many bits as those have together. */
#include "flips.h"

#include "constants.h"
#include "sanitized.h"
#include "test.h"

#include <getopt.h>
#include <malloc.h>
#include <sys/wait.h>

enum { WRITTEN_MOST = 3, JOBS_MOST = 64, PIECE_BITS = 1024, SMALL_MOST = 48 << 10 };

/* What a process did, for its parent. */
struct job {
    struct flips_sum sum;
    unsigned archive; /* at which it is */
    uint64_t bit;
};

static struct {
    uint64_t every, bursts, large;
    unsigned jobs;
    const char *json;
} options = {.every = 1, .jobs = 1};

static struct flips_archive *archives;
static unsigned archive_count;
static struct job *jobs; /* shared */

/* ------------------------------------------------------------------ one process */

static void flip(struct flips_archive *archive, uint64_t bit, struct flips_sum *sum)
{
    size_t byte = (size_t)(bit / 8);
    bool every_way = bit % 8 == 3;        /* once a byte */
    bool in_tail = byte >= archive->tail; /* is no part of the archive; that there is a tail is said as before */
    archive->data[byte] ^= (uint8_t)(1u << bit % 8);
    bool found = flips_judge(archive, every_way, in_tail, sum, "bit %u of byte %zu", (unsigned)(bit % 8), byte);
    if (every_way && !in_tail && !archive->payload[byte] && !EXPECT(flips_faults(archive, true) > 0)) {
        fprintf(stderr, "  %s: bit 3 of byte %zu is missed by a quick check\n", archive->name, byte);
        sum->failures++;
    }
    sum->bits++;
    sum->bits_found += found;
    sum->bits_harmless += !found && in_tail;
    archive->data[byte] ^= (uint8_t)(1u << bit % 8);
}

static uint64_t step_of(const struct flips_archive *archive)
{
    return archive->bytes <= SMALL_MOST ? options.every : options.every * (1 + archive->bytes / SMALL_MOST);
}

static void work(unsigned number)
{
    struct job *job = &jobs[number];
    uint64_t piece = 0;
    for (unsigned i = 0; i < archive_count; i++) {
        struct flips_archive *archive = &archives[i];
        uint64_t step = step_of(archive);
        job->archive = i;
        for (uint64_t first = 0; first < archive->bytes * 8; first += PIECE_BITS * step) {
            if (piece++ % options.jobs != number)
                continue;
            for (uint64_t bit = first; bit < first + PIECE_BITS * step && bit < archive->bytes * 8; bit += step) {
                job->bit = bit;
                flip(archive, bit, &job->sum);
            }
        }
        if (i % options.jobs != number)
            continue;
        flips_bursts(archive, options.bursts / archive_count + 1, i, &job->sum);
        if (archive->bytes > SMALL_MOST) /* pairs of sectors are too many */
            continue;
        if (options.every == 1)
            flips_sectors(archive, 512, &job->sum);
        flips_sectors(archive, AIMG_PAGE_BYTES, &job->sum);
    }
}

/* ------------------------------------------------------------------ all of them */

static void start(pid_t *children)
{
    jobs = mmap(NULL, sizeof *jobs * options.jobs, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    REQUIRE(jobs != MAP_FAILED);
    fflush(NULL);
    for (unsigned i = 0; i < options.jobs; i++) {
        children[i] = fork();
        REQUIRE(children[i] >= 0);
        if (children[i] == 0) {
            work(i);
            _exit(0);
        }
    }
}

static struct flips_sum collect(const pid_t *children)
{
    struct flips_sum sum = {.bits = 0};
    for (unsigned i = 0; i < options.jobs; i++) {
        const struct job *job = &jobs[i];
        int status = 0;
        REQUIRE(waitpid(children[i], &status, 0) == children[i]);
        if (!EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 0))
            fprintf(stderr, "  the process ended at %s, bit %" PRIu64 " or, after the last bit, in its sectors\n",
                    archives[job->archive].name, job->bit);
        const uint64_t *one = (const uint64_t *)&job->sum;
        for (size_t field = 0; field < sizeof sum / sizeof *one; field++)
            ((uint64_t *)&sum)[field] += one[field];
    }
    return sum;
}

static void write_json(const struct flips_sum *sum)
{
    uint64_t bytes = 0;
    FILE *file = fopen(options.json, "w");
    REQUIRE(file != NULL);
    for (unsigned i = 0; i < archive_count; i++)
        bytes += archives[i].bytes;
    fprintf(file,
            "{\"archives\": %u, \"archive_bytes\": %" PRIu64 ", \"bits\": %" PRIu64 ", \"bits_found\": %" PRIu64
            ", \"bits_harmless\": %" PRIu64 ", \"bursts\": %" PRIu64 ", \"bursts_found\": %" PRIu64 ", \"sectors\": %" PRIu64
            ", \"sectors_found\": %" PRIu64 ", \"sectors_harmless\": %" PRIu64 ", \"reads_checked\": %" PRIu64
            ", \"failures\": %" PRIu64 "}\n",
            archive_count, bytes, sum->bits, sum->bits_found, sum->bits_harmless, sum->bursts, sum->bursts_found, sum->sectors,
            sum->sectors_found, sum->harmless, sum->reads, sum->failures);
    REQUIRE(fclose(file) == 0);
}

static void take_options(int count, char **arguments)
{
    static const struct option known[] = {{"every", required_argument, NULL, 'e'}, {"bursts", required_argument, NULL, 'b'},
                                          {"large", required_argument, NULL, 'l'}, {"json", required_argument, NULL, 'o'},
                                          {"jobs", required_argument, NULL, 'j'},  {NULL, 0, NULL, 0}};
    for (int found; (found = getopt_long(count, arguments, "", known, NULL)) != -1;) {
        uint64_t number = found == '?' ? 0 : strtoull(optarg, NULL, 10);
        REQUIRE(found != '?' && (found == 'o' || found == 'b' || found == 'l' || number > 0));
        if (found == 'e')
            options.every = number;
        if (found == 'b')
            options.bursts = number;
        if (found == 'l')
            options.large = number;
        if (found == 'o')
            options.json = optarg;
        if (found == 'j')
            options.jobs = number < JOBS_MOST ? (unsigned)number : JOBS_MOST;
    }
}

int main(int count, char **arguments)
{
    pid_t children[JOBS_MOST];
    take_options(count, arguments);
    (void)mallopt(M_MMAP_THRESHOLD, 1 << 25); /* else zstd's contexts are mapped and unmapped for every bit */
    (void)mallopt(M_TRIM_THRESHOLD, 1 << 27);
    if (TEST_SLOW)
        options.every *= 7;
    archives = calloc((size_t)(count - optind) + WRITTEN_MOST, sizeof *archives);
    REQUIRE(archives != NULL);
    flips_archive_write(&archives[archive_count++], 512, 0, 0);
    flips_archive_write(&archives[archive_count++], 8, 0, 700);
    for (int i = optind; i < count; i++)
        flips_archive_load(&archives[archive_count++], arguments[i]);
    if (options.large > 0)
        flips_archive_write(&archives[archive_count++], 64, options.large, 0);
    for (unsigned i = 0; i < 2; i++)
        REQUIRE(archives[i].bytes <= SMALL_MOST);
    start(children);
    struct flips_sum sum = collect(children);
    printf("%u archives; %" PRIu64 " of %" PRIu64 " bits found, %" PRIu64 " more are of a torn tail; %" PRIu64 " of %" PRIu64
           " bursts, %" PRIu64 " of %" PRIu64 " sectors found, %" PRIu64 " more are hints that may be missing; %" PRIu64
           " answers compared\n",
           archive_count, sum.bits_found, sum.bits, sum.bits_harmless, sum.bursts_found, sum.bursts, sum.sectors_found,
           sum.sectors, sum.harmless, sum.reads);
    EXPECT_EQ_UINT(sum.failures, 0);
    EXPECT_EQ_UINT(sum.bits_found + sum.bits_harmless, sum.bits);
    EXPECT_EQ_UINT(sum.bursts_found, sum.bursts);
    EXPECT_EQ_UINT(sum.sectors_found + sum.harmless, sum.sectors);
    if (options.json != NULL)
        write_json(&sum);
    for (unsigned i = 0; i < archive_count; i++)
        flips_archive_destroy(&archives[i]);
    free(archives);
    return test_end("test_flips");
}
