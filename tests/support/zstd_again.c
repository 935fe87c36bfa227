/* SPDX-License-Identifier: Apache-2.0 */
/* Contexts of zstd that are used again, for programs that open very many archives: making one asks the processor what it can, and
 * a virtual processor passes each question on to the host. That took a third of their time. What was set in a context is
 * forgotten before it is given again. For the linker's --wrap; a program that runs out of memory on purpose does not want it. */
#include <pthread.h>
#include <stdbool.h>
#include <zstd.h>

enum { KEPT = 16 };

struct shelf {
    void *contexts[KEPT];
    unsigned count;
};

static struct shelf decoders, encoders;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

ZSTD_DCtx *__real_ZSTD_createDCtx(void);
ZSTD_DCtx *__wrap_ZSTD_createDCtx(void);
size_t __real_ZSTD_freeDCtx(ZSTD_DCtx *context);
size_t __wrap_ZSTD_freeDCtx(ZSTD_DCtx *context);
ZSTD_CCtx *__real_ZSTD_createCCtx(void);
ZSTD_CCtx *__wrap_ZSTD_createCCtx(void);
size_t __real_ZSTD_freeCCtx(ZSTD_CCtx *context);
size_t __wrap_ZSTD_freeCCtx(ZSTD_CCtx *context);

static void *take(struct shelf *shelf)
{
    (void)pthread_mutex_lock(&lock);
    void *context = shelf->count > 0 ? shelf->contexts[--shelf->count] : NULL;
    (void)pthread_mutex_unlock(&lock);
    return context;
}

static bool put(struct shelf *shelf, void *context)
{
    (void)pthread_mutex_lock(&lock);
    bool fits = shelf->count < KEPT;
    if (fits)
        shelf->contexts[shelf->count++] = context;
    (void)pthread_mutex_unlock(&lock);
    return fits;
}

ZSTD_DCtx *__wrap_ZSTD_createDCtx(void)
{
    ZSTD_DCtx *context = take(&decoders);
    return context != NULL ? context : __real_ZSTD_createDCtx();
}

size_t __wrap_ZSTD_freeDCtx(ZSTD_DCtx *context)
{
    if (context != NULL && !ZSTD_isError(ZSTD_DCtx_reset(context, ZSTD_reset_session_and_parameters)) && put(&decoders, context))
        return 0;
    return __real_ZSTD_freeDCtx(context);
}

ZSTD_CCtx *__wrap_ZSTD_createCCtx(void)
{
    ZSTD_CCtx *context = take(&encoders);
    return context != NULL ? context : __real_ZSTD_createCCtx();
}

size_t __wrap_ZSTD_freeCCtx(ZSTD_CCtx *context)
{
    if (context != NULL && !ZSTD_isError(ZSTD_CCtx_reset(context, ZSTD_reset_session_and_parameters)) && put(&encoders, context))
        return 0;
    return __real_ZSTD_freeCCtx(context);
}
