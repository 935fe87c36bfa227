/* SPDX-License-Identifier: Apache-2.0 */
/* SIGINT, SIGTERM and SIGHUP as a question that a loop asks, so that it can leave things in order. */
#ifndef AIMG_TOOLS_INTERRUPT_H
#define AIMG_TOOLS_INTERRUPT_H

#include <stdbool.h>

/* The first signal is only noted, and spoken of when the program still works a second later; a second one ends the program as if
 * this had never been called. */
void interrupt_install(void);
bool interrupt_pending(void);

#endif
