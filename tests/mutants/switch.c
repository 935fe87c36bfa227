/* SPDX-License-Identifier: Apache-2.0 */
/* Which check of checks.txt is taken out: the number in AIMG_MUTANT; none by default. */
#include <stdlib.h>

extern int aimg_mutant;
int aimg_mutant;

__attribute__((constructor)) static void read_switch(void)
{
    const char *number = getenv("AIMG_MUTANT");
    aimg_mutant = number == NULL ? 0 : atoi(number);
}
