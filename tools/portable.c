/* SPDX-License-Identifier: Apache-2.0 */
#include "portable.h"

#include "name_set.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

/* ------------------------------------------------------------------ one part of a name */

/* CON, COM1 and the like, also with an ending: "con.jpg" is the console to Windows. */
static bool is_device(const char *part, size_t bytes)
{
    static const char *const devices[] = {"con", "prn", "aux", "nul", "conin$", "conout$"};
    static const char *const numbers[] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "\xC2\xB9", "\xC2\xB2", "\xC2\xB3"};
    const char *dot = memchr(part, '.', bytes);
    size_t stem = dot != NULL ? (size_t)(dot - part) : bytes;

    while (stem > 0 && part[stem - 1] == ' ')
        stem--;
    for (size_t i = 0; i < sizeof devices / sizeof devices[0]; i++)
        if (stem == strlen(devices[i]) && strncasecmp(part, devices[i], stem) == 0)
            return true;
    if (stem < 4 || (strncasecmp(part, "com", 3) != 0 && strncasecmp(part, "lpt", 3) != 0))
        return false;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        if (stem == 3 + strlen(numbers[i]) && memcmp(part + 3, numbers[i], stem - 3) == 0)
            return true;
    return false;
}

static const char *check_part(const char *part, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        if (strchr("<>:\"|?*", part[i]) != NULL)
            return "holds one of < > : \" | ? *, which Windows allows in no name";
    if (part[bytes - 1] == '.' || part[bytes - 1] == ' ')
        return "has a part that ends with a dot or a space, which Windows drops";
    return is_device(part, bytes) ? "has a part that is a device to Windows" : NULL;
}

/* ------------------------------------------------------------------ beside others */

static void add(struct portable *portable, struct number_set *set, uint64_t number)
{
    if (!number_set_has(set, number) && !number_set_add(set, number, SIZE_MAX))
        portable->forgot = true;
}

/* The name's first bytes: a folder, or all of it: the file. */
static const char *check_path(struct portable *portable, const char *name, size_t bytes, bool file)
{
    portable->folded.bytes = 0;
    if (!fold_add(&portable->fold, name, bytes, &portable->folded)) {
        portable->forgot = true;
        return NULL;
    }
    uint64_t key = name_hash(portable->folded.data, portable->folded.bytes), spelling = name_hash(name, bytes);
    const char *wrong = NULL;
    if (number_set_has(&portable->files, key))
        wrong = file ? "differs from another name only in case, or in how accents are written"
                     : "needs a folder where another image is a file, on some file system";
    else if (file && number_set_has(&portable->folders, key))
        wrong = "is a file where other images need a folder, on some file system";
    else if (!file && number_set_has(&portable->folders, key) && !number_set_has(&portable->spellings, spelling))
        wrong = "has a folder that differs from another only in case, or in how accents are written";
    add(portable, file ? &portable->files : &portable->folders, key);
    if (!file)
        add(portable, &portable->spellings, spelling);
    return wrong;
}

bool portable_init(struct portable *portable)
{
    *portable = (struct portable){.forgot = false};
    return fold_init(&portable->fold);
}

void portable_fini(struct portable *portable)
{
    fold_fini(&portable->fold);
    buffer_free(&portable->folded);
    number_set_free(&portable->files);
    number_set_free(&portable->folders);
    number_set_free(&portable->spellings);
}

const char *portable_add(struct portable *portable, const char *name, size_t name_bytes)
{
    const char *wrong = NULL;

    for (size_t begin = 0, end; begin <= name_bytes; begin = end + 1) {
        const char *slash = memchr(name + begin, '/', name_bytes - begin), *found;

        end = slash != NULL ? (size_t)(slash - name) : name_bytes;
        found = check_part(name + begin, end - begin);
        if (found == NULL)
            found = check_path(portable, name, end, slash == NULL);
        wrong = wrong != NULL ? wrong : found;
    }
    return wrong;
}
