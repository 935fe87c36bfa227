/* SPDX-License-Identifier: Apache-2.0 */
#include "cores.h"

#include <sched.h>
#include <unistd.h>

unsigned cores_count(void)
{
    cpu_set_t allowed;
    /* It fails where there are more cores than fit. */
    long count = sched_getaffinity(0, sizeof allowed, &allowed) == 0 ? CPU_COUNT(&allowed) : sysconf(_SC_NPROCESSORS_ONLN);

    return count < 1 ? 1 : count > THREADS_MOST ? THREADS_MOST : (unsigned)count;
}
