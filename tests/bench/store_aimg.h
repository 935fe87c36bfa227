/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_STORE_AIMG_H
#define BENCH_STORE_AIMG_H

struct aimg_reader;

/* The reader of a handle that store_aimg opened, for what only ours can do. */
struct aimg_reader *store_aimg_reader(void *state);

#endif
