/* SPDX-License-Identifier: Apache-2.0 */
/* Mapped files can shrink under our hands; the system then sends SIGBUS for the bytes that are gone. */
#ifndef AIMG_TOOLS_GUARD_H
#define AIMG_TOOLS_GUARD_H

#include <stdbool.h>

/* From now on such an access ends the program with one sentence that names the file, and EXIT_SYSTEM. Called once in main. */
void guard_install(void);

/* A file, borrowed, that such an end removes: one that is being made, and is worth nothing yet. NULL: none. */
void guard_removes(const char *path);

/* Runs work(user); false when memory that it touched was gone: then work was left at that point, and what it held is lost, so it
 * must hold no lock while it reads mapped bytes. Any thread. */
bool guard_run(void (*work)(void *user), void *user);

#endif
