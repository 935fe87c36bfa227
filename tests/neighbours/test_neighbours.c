/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many at work on one archive.
 *
 *   test_neighbours processes|threads|hostile SECONDS [TOOL]
 *
 * processes: two writers that are killed now and then, two followers, a compact by the tool, a verify. threads: the same without
 * the kills, in one process. hostile: someone spoils the archive while it is read.
 */
#include "hostile.h"
#include "mix.h"
#include "sample.h"
#include "test.h"

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

typedef void worker(struct mix *mix, unsigned number);

struct role {
    worker *work;
    unsigned number;
    bool killed; /* now and then */
};

static const struct role mixed[] = {{mix_writer, 0, true},    {mix_writer, 1, true},   {mix_follower, 0, false},
                                    {mix_follower, 1, false}, {mix_compact, 0, false}, {mix_verify, 0, false}};
static const struct role spoiled[] = {
    {hostile_spoil, 0, false}, {hostile_read, 1, false}, {hostile_read, 2, false}, {hostile_run, 3, false}};
enum { ROLES_MAX = 8, KILL_EVERY_MS = 60 };

static struct mix *mix;

static pid_t start(const struct role *role)
{
    fflush(NULL);
    pid_t pid = fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
        role->work(mix, role->number);
        _exit(0);
    }
    return pid;
}

static void expect_ended(pid_t pid)
{
    int status = 0;
    REQUIRE(waitpid(pid, &status, 0) == pid);
    EXPECT_EQ_INT(status, 0);
}

/* Kills one of those that bear it, and starts it again. One that was already dead, of anything else, is a failure. */
static void kill_one(const struct role *roles, pid_t *pids, unsigned which)
{
    if (!roles[which].killed)
        return;
    int status = 0;
    kill(pids[which], SIGKILL);
    REQUIRE(waitpid(pids[which], &status, 0) == pids[which]);
    if (!EXPECT((WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) || (WIFEXITED(status) && WEXITSTATUS(status) == 0)))
        fprintf(stderr, "  role %u, writer %u, had ended with status 0x%x\n", which, roles[which].number, (unsigned)status);
    atomic_fetch_add(&mix->kills, 1);
    pids[which] = start(&roles[which]);
}

static void run_processes(const struct role *roles, unsigned count, unsigned milliseconds)
{
    pid_t pids[ROLES_MAX];
    for (unsigned i = 0; i < count; i++)
        pids[i] = start(&roles[i]);
    for (unsigned passed = 0, turn = 0; passed < milliseconds && !atomic_load(&mix->stop); passed += KILL_EVERY_MS, turn++) {
        mix_pause(KILL_EVERY_MS);
        kill_one(roles, pids, turn % count);
    }
    atomic_store(&mix->stop, true);
    for (unsigned i = 0; i < count; i++)
        expect_ended(pids[i]);
}

static void *in_thread(void *user)
{
    const struct role *role = user;
    role->work(mix, role->number);
    return NULL;
}

static void run_threads(const struct role *roles, unsigned count, unsigned milliseconds)
{
    pthread_t threads[ROLES_MAX];
    for (unsigned i = 0; i < count; i++)
        REQUIRE(pthread_create(&threads[i], NULL, in_thread, (void *)(uintptr_t)&roles[i]) == 0);
    for (unsigned passed = 0; passed < milliseconds && !atomic_load(&mix->stop); passed += KILL_EVERY_MS)
        mix_pause(KILL_EVERY_MS);
    atomic_store(&mix->stop, true);
    for (unsigned i = 0; i < count; i++)
        REQUIRE(pthread_join(threads[i], NULL) == 0);
}

static void print_tally(const char *way, unsigned seconds)
{
    if (strcmp(way, "hostile") == 0)
        printf("{\"hostile\": {\"seconds\": %u, \"spoiled\": %lu, \"opened\": %lu, \"not_opened\": %lu, \"reads\": %lu, "
               "\"verbs_right\": %lu, \"verbs_error\": %lu, \"failures\": %u}}\n",
               seconds, mix->commits, mix->refreshes, mix->busy, mix->reads, mix->verifies, mix->dropped, mix->failures);
    else
        printf(
            "{\"%s\": {\"seconds\": %u, \"commits\": %lu, \"images\": %lu, \"kills\": %lu, \"busy\": %lu, \"dropped\": %lu, "
            "\"refreshes\": %lu, \"reads\": %lu, \"replaced\": %lu, \"compacts\": %lu, \"verifies\": %lu, \"failures\": %u}}\n",
            way, seconds, mix->commits, mix->images, mix->kills, mix->busy, mix->dropped, mix->refreshes, mix->reads,
            mix->replaced, mix->compacts, mix->verifies, mix->failures);
}

int main(int argc, char **argv)
{
    REQUIRE(argc >= 3);
    const char *way = argv[1];
    unsigned seconds = (unsigned)atoi(argv[2]);
    bool hostile = strcmp(way, "hostile") == 0, threads = strcmp(way, "threads") == 0;
    REQUIRE(seconds > 0 && (hostile || threads || strcmp(way, "processes") == 0));
    mix = mmap(NULL, sizeof *mix, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    REQUIRE(mix != MAP_FAILED);
    snprintf(mix->path, sizeof mix->path, "%s", sample_path("neighbours.aimg"));
    snprintf(mix->tool, sizeof mix->tool, "%s", argc > 3 ? argv[3] : "");
    if (hostile)
        hostile_make(mix);
    else
        REQUIRE(aimg_writer_close(sample_create(mix->path), NULL) == AIMG_OK);
    if (threads)
        run_threads(mixed, sizeof mixed / sizeof mixed[0], seconds * 1000);
    else if (hostile)
        run_processes(spoiled, sizeof spoiled / sizeof spoiled[0] - (mix->tool[0] == '\0'), seconds * 1000);
    else
        run_processes(mixed, sizeof mixed / sizeof mixed[0], seconds * 1000);
    if (!hostile && atomic_load(&mix->failures) == 0)
        mix_check_end(mix);
    EXPECT_EQ_TEXT(mix->reason, "");
    EXPECT(hostile ? mix->reads > 100 && mix->commits > 10 : mix->commits > 5 && mix->reads > 10 && mix->compacts > 0);
    print_tally(way, seconds);
    return test_end("test_neighbours");
}
