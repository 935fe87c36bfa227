/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AIMG_TOOLS_CORES_H
#define AIMG_TOOLS_CORES_H

enum { THREADS_MOST = 256 };

/* How many threads this process may run at once: 1 to THREADS_MOST. */
unsigned cores_count(void);

#endif
