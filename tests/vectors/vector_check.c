/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Has the library read vectors and compares what it says with their JSON.
 *
 *   vector_check [-q] FOLDER      FOLDER has good/ and bad/, unpacked; -q: ends with the first vector that fails, and names it
 *
 * All in one process, so a run takes less than a second. Sparse vectors are read from the file alone, and never as a whole but by
 * verify. Exit 1: a vector does not agree.
 */
#include "vector.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RULES = 128, THREADS = 1 };

/* Files of more may not fit into the addresses that are left. */
#define MAPPED_MOST (SIZE_MAX < UINT64_MAX ? UINT64_C(1) << 30 : UINT64_C(1) << 46)

static bool quiet;

bool vector_fail(struct vector *vector, const char *format, ...)
{
    va_list arguments;
    vector->failures++;
    if (quiet)
        return false;
    printf("%s: ", vector->name);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
    return false;
}

/* ------------------------------------------------------------------ verify */

struct verdict {
    bool fault[RULES], warning[RULES];
};

static void on_finding(void *user, const struct aimg_finding *finding)
{
    struct verdict *verdict = user;
    if (finding->rule < RULES)
        (finding->warning != 0 ? verdict->warning : verdict->fault)[finding->rule] = true;
}

static bool listed_rule(const json_t *rules, size_t rule)
{
    size_t index;
    json_t *item;
    json_array_foreach(rules, index, item)
    {
        if ((size_t)json_integer_value(item) == rule)
            return true;
    }
    return false;
}

static void check_verify(struct vector *vector)
{
    struct verdict verdict = {{false}, {false}};
    struct aimg_verify_options options = {
        .struct_bytes = sizeof options, .threads = THREADS, .user = &verdict, .finding = on_finding};
    struct aimg_verify_result result = {0};
    struct aimg_error error = {0};
    bool valid = json_is_true(json_object_get(vector->expected, "valid"));
    size_t rule = (size_t)json_integer_value(json_object_get(vector->expected, "rule"));
    const json_t *warnings = json_object_get(vector->expected, "warnings");
    const json_t *rules = json_object_get(vector->expected, "rules");
    enum aimg_status status = aimg_verify(vector->path, &options, &result, &error);
    if (status != AIMG_OK && error.rule > 0 && error.rule < RULES)
        verdict.fault[error.rule] = true;
    for (size_t i = 0; valid && i < RULES; i++) {
        if (verdict.fault[i])
            vector_fail(vector, "verify reports rule %zu", i);
        if (verdict.warning[i] != listed_rule(warnings, i))
            vector_fail(vector, "verify %s of rule %zu", verdict.warning[i] ? "warns" : "does not warn", i);
    }
    if (valid && (status != AIMG_OK || result.faults != 0))
        vector_fail(vector, "verify: status %d, %llu faults: %s", (int)status, (unsigned long long)result.faults, error.message);
    if (valid && result.images != (uint64_t)json_integer_value(json_object_get(vector->expected, "listed")))
        vector_fail(vector, "verify checked %llu images", (unsigned long long)result.images);
    if (valid && result.commits != (uint64_t)json_integer_value(json_object_get(vector->expected, "commits")))
        vector_fail(vector, "verify checked %llu commits", (unsigned long long)result.commits);
    for (size_t i = 0; rules != NULL && i < RULES; i++)
        if (verdict.fault[i] != listed_rule(rules, i))
            vector_fail(vector, "verify %s rule %zu", verdict.fault[i] ? "reports" : "does not report", i);
    if (!valid && (rule >= RULES || !verdict.fault[rule]))
        vector_fail(vector, "verify does not report rule %zu", rule);
    if (!valid && status == AIMG_OK && result.faults == 0)
        vector_fail(vector, "verify counts no fault");
}

/* ------------------------------------------------------------------ opening */

static bool status_agrees(enum aimg_status status, const char *word)
{
    static const struct {
        const char *word;
        enum aimg_status status;
    } words[] = {{"truncated", AIMG_TRUNCATED},
                 {"corrupt", AIMG_CORRUPT},
                 {"not an archive", AIMG_NOT_ARCHIVE},
                 {"unsupported", AIMG_UNSUPPORTED},
                 {"version unknown", AIMG_VERSION_UNKNOWN}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(word, words[i].word) == 0)
            return status == words[i].status || (status == AIMG_CHECKSUM && words[i].status == AIMG_CORRUPT);
    }
    return false;
}

enum way { MAPPED, COPYING, MEMORY, WAYS };

static enum aimg_status open_reader(const struct vector *vector, enum way way, struct aimg_reader **reader,
                                    struct aimg_error *error)
{
    struct aimg_reader_options options = {
        .struct_bytes = sizeof options, .flags = way == COPYING ? AIMG_READER_NO_MAP : 0, .limits.image_bytes = UINT64_MAX};
    return way == MEMORY ? aimg_reader_open_memory(vector->data, vector->bytes, &options, reader, error)
                         : aimg_reader_open(vector->path, &options, reader, error);
}

/* Whether the system itself refuses that map for want of addresses: an emulator has fewer than the machine. */
static bool no_addresses(const struct vector *vector)
{
    int file = open(vector->path, O_RDONLY | O_CLOEXEC);
    void *map = vector->bytes > SIZE_MAX ? MAP_FAILED : mmap(NULL, (size_t)vector->bytes, PROT_READ, MAP_SHARED, file, 0);
    bool refused = vector->bytes > SIZE_MAX || (map == MAP_FAILED && errno == ENOMEM);
    if (map != MAP_FAILED)
        munmap(map, (size_t)vector->bytes);
    close(file);
    return refused;
}

static void check_reading(struct vector *vector, enum way way)
{
    static const char *const names[] = {"mapped", "copying", "in memory"};
    const json_t *opens = json_object_get(vector->expected, "opens");
    const char *word = json_string_value(json_object_get(vector->expected, "status"));
    struct aimg_reader *reader = NULL;
    struct aimg_error error = {0};
    enum aimg_status status = open_reader(vector, way, &reader, &error);
    bool refused = vector->bytes > MAPPED_MOST ? status == AIMG_LIMIT || error.sys_errno == ENOMEM
                                               : error.sys_errno == ENOMEM && no_addresses(vector);
    if (way == MAPPED && refused)
        return; /* which is told, and the copying reader opens it */
    if (json_is_true(opens) && status != AIMG_OK)
        vector_fail(vector, "%s: does not open: %s", names[way], error.message);
    if (json_is_false(opens) && status == AIMG_OK)
        vector_fail(vector, "%s: opens", names[way]);
    if (word != NULL && !status_agrees(status, word))
        vector_fail(vector, "%s: status %d, not %s", names[way], (int)status, word);
    if (status != AIMG_OK)
        return;
    if (json_object_get(vector->expected, "images") != NULL)
        vector_check_content(vector, reader, way != COPYING);
    else if (json_object_get(vector->expected, "some_images") != NULL)
        vector_check_some(vector, reader, way != COPYING);
    if (json_object_get(vector->expected, "images") == NULL)
        vector_check_refusals(vector, reader, way != COPYING);
    aimg_reader_close(reader);
}

/* ------------------------------------------------------------------ all of a folder */

static bool map_file(struct vector *vector)
{
    struct stat status;
    int file = open(vector->path, O_RDONLY | O_CLOEXEC);
    if (file < 0 || fstat(file, &status) != 0)
        return vector_fail(vector, "%s cannot be read", vector->path);
    vector->bytes = (uint64_t)status.st_size;
    vector->sparse = json_is_true(json_object_get(vector->expected, "sparse"));
    if (vector->sparse) {
        close(file);
        return true;
    }
    void *map = status.st_size > 0 ? mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, file, 0) : NULL;
    close(file);
    vector->data = map;
    return map != MAP_FAILED || vector_fail(vector, "%s cannot be mapped", vector->path);
}

static void check_file_is_the_vector(struct vector *vector)
{
    const json_t *bytes = json_object_get(vector->expected, "file_bytes");
    const char *hash = json_string_value(json_object_get(vector->expected, "file_xxh128"));
    char found[33] = "";
    if (!vector->sparse)
        vector_print_hash(vector->data, vector->bytes, found);
    if (vector->bytes != (uint64_t)json_integer_value(bytes) || (hash != NULL && strcmp(found, hash) != 0))
        vector_fail(vector, "the file is not the vector: %llu bytes, %s", (unsigned long long)vector->bytes, found);
}

/* Whether it agrees. */
static bool check_one(const char *folder, const char *name)
{
    char path[4096], text[4096];
    json_error_t wrong;
    struct vector vector = {.name = name, .path = path};
    snprintf(path, sizeof path, "%s/%s.aimg", folder, name);
    snprintf(text, sizeof text, "%s/%s.json", folder, name);
    vector.expected = json_load_file(text, JSON_ALLOW_NUL, &wrong);
    if (vector.expected == NULL) {
        vector_fail(&vector, "%s: %s", text, wrong.text);
    } else if (map_file(&vector)) {
        check_file_is_the_vector(&vector);
        if (!json_is_false(json_object_get(vector.expected, "verified")))
            check_verify(&vector);
        for (enum way way = MAPPED; way < (vector.sparse ? MEMORY : WAYS); way++)
            check_reading(&vector, way);
        if (vector.data != NULL)
            munmap((void *)(uintptr_t)vector.data, (size_t)vector.bytes);
    }
    json_decref(vector.expected);
    return vector.failures == 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_archive(const struct dirent *entry)
{
    const char *end = strrchr(entry->d_name, '.');
    return end != NULL && strcmp(end, ".aimg") == 0;
}

static unsigned check_folder(const char *folder, const char *kind, unsigned *failed)
{
    char path[4096], name[512];
    struct dirent **entries = NULL;
    snprintf(path, sizeof path, "%s/%s", folder, kind);
    int count = scandir(path, &entries, is_archive, by_name);
    for (int i = 0; i < count; i++) {
        if (quiet && *failed > 0)
            break;
        snprintf(name, sizeof name, "%s/%.*s", kind, (int)(strlen(entries[i]->d_name) - strlen(".aimg")), entries[i]->d_name);
        if (!check_one(folder, name)) {
            printf("FAILED %s\n", name);
            fflush(stdout);
            (*failed)++;
        }
    }
    for (int i = 0; i < count; i++)
        free(entries[i]);
    free(entries);
    return count < 0 ? 0 : (unsigned)count;
}

int main(int argc, char **argv)
{
    unsigned failed = 0;
    quiet = argc == 3 && strcmp(argv[1], "-q") == 0;
    if (argc != 2 && !quiet) {
        fprintf(stderr, "usage: vector_check [-q] FOLDER\n");
        return 2;
    }
    unsigned good = check_folder(argv[argc - 1], "good", &failed);
    unsigned bad = check_folder(argv[argc - 1], "bad", &failed);
    printf("%u good and %u bad vectors, %u failed\n", good, bad, failed);
    return failed == 0 && good > 0 && bad > 0 ? 0 : 1;
}
