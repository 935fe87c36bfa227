/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random sequences of everything that a writer can do, with power cuts and failures in between, against a plain model of an
 * archive. What fails is made small and printed as a line that does it again:
 *
 *     test_model [COUNT [SEED [PROCESSES]]]
 *     test_model replay SEQUENCE
 */
#include "model_shrink.h"
#include "sanitized.h"
#include "test.h"

#include <ftw.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { DEFAULT_COUNT = TEST_SLOW ? 1000 : 12000, VERIFY_EVERY = 8, SECONDS = 60, SHRINK_SECONDS = 60, MOST_WORKERS = 256 };
#define DEFAULT_SEED 1u

/* What a process that runs sequences tells the one that waits for it. */
struct progress {
    uint64_t index; /* of the sequence that runs */
    uint64_t done, steps, commits;
    pid_t child;
    struct model_outcome outcome;
};

/* Sequences first, first + stride, ... */
static void run_all(uint64_t first, uint64_t stride, uint64_t count, uint64_t seed, struct model_manner manner,
                    struct progress *progress)
{
    struct model_sequence sequence;
    for (progress->index = first; progress->index < count; progress->index += stride) {
        (void)alarm(SECONDS); /* one that does not end is a failure */
        manner.verify = progress->index / stride % VERIFY_EVERY == 0;
        model_sequence_make(&sequence, seed, progress->index);
        model_run_sequence(&sequence, &manner, &progress->outcome);
        progress->done++;
        progress->steps += progress->outcome.steps;
        progress->commits += progress->outcome.commits;
        if (!progress->outcome.good)
            exit(1);
    }
    exit(0);
}

static void tell(const struct model_sequence *sequence, const char *reason, FILE *out)
{
    char text[MODEL_TEXT_BYTES];
    model_sequence_tell(sequence, text);
    fprintf(out, "%s\n\n    ./dev model replay %s\n\n", reason, text);
    (void)fflush(out);
}

/* The failing sequence, at once, for shrinking takes its time; then what is left of it. */
static void explain(const struct progress *progress, uint64_t seed, struct model_manner manner, FILE *out)
{
    struct model_sequence sequence;
    char reason[MODEL_REASON_BYTES] = "the program ended";
    model_sequence_make(&sequence, seed, progress->index);
    manner.thorough = manner.verify = true;
    fprintf(out, "sequence %" PRIu64 " of seed %" PRIu64 " fails after %" PRIu32 " of %" PRIu32 " steps: ", progress->index, seed,
            progress->outcome.steps, sequence.count);
    tell(&sequence, progress->outcome.reason[0] == 0 ? reason : progress->outcome.reason, out);
    if (!model_fails(&sequence, &manner, reason)) {
        fprintf(out, "It does not fail when it runs alone and every check looks at everything.\n");
        return;
    }
    unsigned tries = model_shrink(&sequence, &manner, SHRINK_SECONDS, reason);
    fprintf(out, "%" PRIu32 " steps are left after %u tries: ", sequence.count, tries);
    tell(&sequence, reason, out);
}

static void begin(uint64_t worker, uint64_t workers, uint64_t count, uint64_t seed, const struct model_manner *manner,
                  struct progress *progress)
{
    char folder[160];
    struct model_manner own = *manner;
    snprintf(folder, sizeof folder, "%s/%" PRIu64, manner->folder, worker);
    REQUIRE(mkdir(folder, 0700) == 0);
    own.folder = folder;
    (void)fflush(NULL);
    pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0)
        run_all(worker, workers, count, seed, own, progress);
    progress->child = child;
}

static void test_all(uint64_t count, uint64_t seed, uint64_t workers, const struct model_manner *manner)
{
    struct progress sum = {.index = 0};
    workers = workers < 1 ? 1 : workers > MOST_WORKERS ? MOST_WORKERS : workers;
    struct progress *all = mmap(NULL, workers * sizeof *all, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    REQUIRE(all != MAP_FAILED);
    for (uint64_t i = 0; i < workers; i++)
        begin(i, workers, count, seed, manner, &all[i]);
    for (uint64_t i = 0; i < workers; i++) {
        int ended = 0;
        REQUIRE(waitpid(all[i].child, &ended, 0) == all[i].child);
        bool good = WIFEXITED(ended) && WEXITSTATUS(ended) == 0;
        if (!good && all[i].index < count)
            explain(&all[i], seed, *manner, stderr);
        EXPECT(good);
        sum.done += all[i].done;
        sum.steps += all[i].steps;
        sum.commits += all[i].commits;
    }
    EXPECT_EQ_UINT(sum.done, count);
    printf("%" PRIu64 " sequences of seed %" PRIu64 ": %" PRIu64 " steps, %" PRIu64 " commits\n", sum.done, seed, sum.steps,
           sum.commits);
}

static void replay(const struct model_sequence *sequence, struct model_manner manner)
{
    char reason[MODEL_REASON_BYTES] = "";
    manner.thorough = manner.verify = manner.say = true;
    if (!EXPECT(!model_fails(sequence, &manner, reason)))
        fprintf(stderr, "%s\n", reason);
}

/* A sequence is read back as it was told. */
static void test_words(void)
{
    struct model_sequence sequence, back;
    char text[MODEL_TEXT_BYTES], again[MODEL_TEXT_BYTES];
    for (uint64_t i = 0; i < 100; i++) {
        model_sequence_make(&sequence, 7, i);
        model_sequence_tell(&sequence, text);
        REQUIRE(model_sequence_read(&back, text));
        model_sequence_tell(&back, again);
        EXPECT_EQ_TEXT(text, again);
        EXPECT_EQ_UINT(back.count, sequence.count);
    }
    EXPECT(!model_sequence_read(&back, ""));
    EXPECT(!model_sequence_read(&back, "commit"));
    EXPECT(!model_sequence_read(&back, "create,nonsense"));
    EXPECT(!model_sequence_read(&back, "create,add.1.2.3.4"));
    EXPECT(!model_sequence_read(&back, "create,add.x"));
}

/* The sequence that the next line of a text tells to replay; *text_inout: behind it. */
static bool read_told(const char **text_inout, struct model_sequence *sequence)
{
    char told[MODEL_TEXT_BYTES];
    const char *found = strstr(*text_inout, "./dev model replay ");
    if (found == NULL || sscanf(found, "./dev model replay %4095s", told) != 1)
        return false;
    *text_inout = found + strlen("./dev model replay ");
    return model_sequence_read(sequence, told);
}

static uint32_t count_kind(const struct model_sequence *sequence, enum model_kind kind)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < sequence->count; i++)
        count += sequence->steps[i].kind == kind;
    return count;
}

/* A failing sequence is told as it is, then shrunk to what it needs, and both fail again when they are replayed. */
static void test_failing(struct model_manner manner)
{
    struct model_sequence sequence, told;
    struct progress progress = {.index = 0};
    char *text = NULL, reason[MODEL_REASON_BYTES] = "";
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);
    REQUIRE(out != NULL);
    manner.broken = MODEL_SEAL;
    do
        model_sequence_make(&sequence, DEFAULT_SEED, ++progress.index);
    while (sequence.count < 30 || count_kind(&sequence, MODEL_SEAL) < 2);
    model_run_sequence(&sequence, &manner, &progress.outcome);
    EXPECT(!progress.outcome.good && sequence.steps[progress.outcome.steps - 1].kind == MODEL_SEAL);
    EXPECT(model_shrink(&sequence, &manner, 0, reason) == 0 && sequence.count >= 30); /* no time, no try */
    explain(&progress, DEFAULT_SEED, manner, out);
    (void)fclose(out);
    const char *rest = text;
    REQUIRE(read_told(&rest, &told));
    EXPECT(told.count == sequence.count && memcmp(told.steps, sequence.steps, told.count * sizeof told.steps[0]) == 0);
    REQUIRE(read_told(&rest, &told));
    EXPECT(told.count == 2 && told.steps[0].kind == MODEL_CREATE && told.steps[1].kind == MODEL_SEAL);
    EXPECT(strstr(rest, "./dev") == NULL && strstr(text, "2 steps are left") != NULL && strstr(text, "is to fail") != NULL);
    EXPECT(model_fails(&told, &manner, reason) && strstr(reason, "the step seal is to fail") != NULL);
    manner.broken = MODEL_CREATE;
    EXPECT(!model_fails(&told, &manner, reason));
    free(text);
}

/* What chance meets once in ten thousand sequences. */
static void test_rare(const struct model_manner *manner)
{
    static const char *const rare[] = {
        "create,column.1,add,commit,set.0.1.1,array.0.1.1,commit", /* nothing is left of what was set */
        "create,column.1,add,commit,set.0.1.1,commit,set.0.1.2,array.0.1.1,commit",
    };
    struct model_sequence sequence;
    char reason[MODEL_REASON_BYTES] = "";
    for (size_t i = 0; i < sizeof rare / sizeof rare[0]; i++)
        if (EXPECT(model_sequence_read(&sequence, rare[i])) && !EXPECT(!model_fails(&sequence, manner, reason)))
            tell(&sequence, reason, stderr);
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *place)
{
    (void)info, (void)type, (void)place;
    return remove(path);
}

static uint64_t number(int argc, char **argv, int index, uint64_t otherwise)
{
    return argc > index ? strtoull(argv[index], NULL, 10) : otherwise;
}

int main(int argc, char **argv)
{
    char folder[128];
    struct model_sequence sequence = {.count = 0};
    bool again = argc == 3 && strcmp(argv[1], "replay") == 0;
    if (again && !model_sequence_read(&sequence, argv[2])) {
        fprintf(stderr, "test_model: this is no sequence as a failing run prints it: %s\n", argv[2]);
        return 2;
    }
    const char *parent = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%.100s/aimg-model.XXXXXX",
             parent != NULL                  ? parent
             : access("/dev/shm", W_OK) == 0 ? "/dev/shm"
                                             : "/tmp");
    REQUIRE(mkdtemp(folder) != NULL);
    struct model_manner manner = {.folder = folder};
    if (again) {
        replay(&sequence, manner);
    } else {
        test_words();
        test_failing(manner);
        test_rare(&manner);
        test_all(number(argc, argv, 1, DEFAULT_COUNT), number(argc, argv, 2, DEFAULT_SEED), number(argc, argv, 3, 1), &manner);
    }
    (void)nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    return test_end("test_model");
}
