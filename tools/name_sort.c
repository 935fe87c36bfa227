/* SPDX-License-Identifier: Apache-2.0 */
#include "name_sort.h"

#include <string.h>

enum { FEW = 12 };

/* Quicksort that looks at one byte of each name at a time (Bentley and Sedgewick). qsort of the C library would take memory for a
 * second array, and names of one folder share long beginnings, which this does not compare again and again. */

static unsigned char byte_at(const char *name, size_t depth)
{
    return (unsigned char)name[depth];
}

static void swap(const char **a, const char **b)
{
    const char *keep = *a;
    *a = *b;
    *b = keep;
}

static void sort_few(const char **names, size_t count, size_t depth)
{
    for (size_t i = 1; i < count; i++)
        for (size_t j = i; j > 0 && strcmp(names[j - 1] + depth, names[j] + depth) > 0; j--)
            swap(&names[j - 1], &names[j]);
}

static unsigned char median(const char **names, size_t count, size_t depth)
{
    unsigned char a = byte_at(names[0], depth), b = byte_at(names[count / 2], depth), c = byte_at(names[count - 1], depth);
    if (a > b) {
        unsigned char keep = a;
        a = b;
        b = keep;
    }
    return c < a ? a : c > b ? b : c;
}

/* names from `depth` on; all are equal before it. */
static void sort_from(const char **names, size_t count, size_t depth)
{
    while (count > FEW) {
        unsigned char pivot = median(names, count, depth);
        size_t less = 0, at = 0, more = count;
        while (at < more) {
            unsigned char byte = byte_at(names[at], depth);
            if (byte < pivot)
                swap(&names[less++], &names[at++]);
            else if (byte > pivot)
                swap(&names[at], &names[--more]);
            else
                at++;
        }
        sort_from(names, less, depth);
        sort_from(names + more, count - more, depth);
        if (pivot == 0)
            return;
        names += less;
        count = more - less;
        depth++;
    }
    sort_few(names, count, depth);
}

void name_sort(const char **names, size_t count)
{
    sort_from(names, count, 0);
}
