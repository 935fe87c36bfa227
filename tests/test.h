/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the C tests share. A failed expectation prints both expressions, both values, and file:line, and the test goes on;
 * REQUIRE ends the test, for what the rest cannot do without. main ends with `return test_end("name of the test");`
 */
#ifndef AIMG_TEST_H
#define AIMG_TEST_H

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct test_state {
    uint64_t checks, failures;
    const char *subject; /* printed with a failure: which sample, which file; NULL for none */
};

/* One for the program: weak, so that the linker keeps one of all its files. */
extern struct test_state test_state;
__attribute__((weak)) struct test_state test_state;

static inline void test_fail(const char *file, int line)
{
    test_state.failures++;
    fprintf(stderr, "%s:%d: ", file, line);
    if (test_state.subject != NULL)
        fprintf(stderr, "[%s] ", test_state.subject);
}

static inline bool test_true(bool value, const char *text, const char *file, int line)
{
    test_state.checks++;
    if (value)
        return true;
    test_fail(file, line);
    fprintf(stderr, "expected: %s\n", text);
    return false;
}

static inline bool test_uint(uint64_t a, uint64_t b, const char *a_text, const char *b_text, const char *file, int line)
{
    test_state.checks++;
    if (a == b)
        return true;
    test_fail(file, line);
    fprintf(stderr, "%s is %" PRIu64 " (0x%" PRIx64 "), %s is %" PRIu64 " (0x%" PRIx64 ")\n", a_text, a, a, b_text, b, b);
    return false;
}

static inline bool test_int(int64_t a, int64_t b, const char *a_text, const char *b_text, const char *file, int line)
{
    test_state.checks++;
    if (a == b)
        return true;
    test_fail(file, line);
    fprintf(stderr, "%s is %" PRId64 ", %s is %" PRId64 "\n", a_text, a, b_text, b);
    return false;
}

static inline bool test_text(const char *a, const char *b, const char *a_text, const char *b_text, const char *file, int line)
{
    test_state.checks++;
    if (a != NULL && b != NULL && strcmp(a, b) == 0)
        return true;
    test_fail(file, line);
    fprintf(stderr, "%s is \"%s\", %s is \"%s\"\n", a_text, a == NULL ? "(null)" : a, b_text, b == NULL ? "(null)" : b);
    return false;
}

static inline bool test_bytes(const void *a, const void *b, size_t bytes, const char *a_text, const char *b_text,
                              const char *file, int line)
{
    test_state.checks++;
    size_t at = 0;
    while (at < bytes && ((const uint8_t *)a)[at] == ((const uint8_t *)b)[at])
        at++;
    if (at == bytes)
        return true;
    test_fail(file, line);
    fprintf(stderr, "byte %zu of %zu: in %s 0x%02x, in %s 0x%02x\n", at, bytes, a_text, ((const uint8_t *)a)[at], b_text,
            ((const uint8_t *)b)[at]);
    return false;
}

#define EXPECT(condition)            test_true((condition), #condition, __FILE__, __LINE__)
#define EXPECT_EQ_UINT(a, b)         test_uint((uint64_t)(a), (uint64_t)(b), #a, #b, __FILE__, __LINE__)
#define EXPECT_EQ_INT(a, b)          test_int((int64_t)(a), (int64_t)(b), #a, #b, __FILE__, __LINE__)
#define EXPECT_EQ_TEXT(a, b)         test_text((a), (b), #a, #b, __FILE__, __LINE__)
#define EXPECT_EQ_BYTES(a, b, bytes) test_bytes((a), (b), (bytes), #a, #b, __FILE__, __LINE__)
#define REQUIRE(condition)           ((condition) ? (void)test_state.checks++ : test_require(#condition, __FILE__, __LINE__))

static inline _Noreturn void test_require(const char *text, const char *file, int line)
{
    test_fail(file, line);
    fprintf(stderr, "required: %s; the test ends here\n", text);
    exit(1);
}

/* Memory that ends where no page follows: reading one byte past what was put into it is a crash. Lives as long as the program. */
static inline uint8_t *test_guarded(size_t bytes)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t body = (bytes + page - 1) / page * page;
    uint8_t *memory = mmap(NULL, body + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    REQUIRE(memory != MAP_FAILED);
    REQUIRE(mprotect(memory + body, page, PROT_NONE) == 0);
    return memory + body - bytes;
}

static inline int test_end(const char *name)
{
    printf("%s: %" PRIu64 " checks, %" PRIu64 " failed\n", name, test_state.checks, test_state.failures);
    return test_state.failures == 0 && test_state.checks > 0 ? 0 : 1;
}

#endif
