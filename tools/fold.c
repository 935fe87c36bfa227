/* SPDX-License-Identifier: Apache-2.0 */
#include "fold.h"

#include "fold_table.h"
#include "utf8.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { PARTS = 4 };

struct fold_pair {
    uint32_t from;
    uint32_t to[PARTS]; /* 0 ends it */
};

struct fold_mark {
    uint32_t first, last, order;
};

/* Hangul syllables are composed by arithmetic (The Unicode Standard, 3.12). */
enum { SYLLABLE = 0xAC00, SYLLABLES = 11172, LEAD = 0x1100, VOWEL = 0x1161, TRAIL = 0x11A7, VOWELS = 21, TRAILS = 28 };

/* ------------------------------------------------------------------ tables */

static size_t count_records(const char *table)
{
    size_t count = 0;

    for (; *table != '\0'; table++)
        count += *table == ';';
    return count;
}

/* The number at *text, past which it goes, and past the sign behind it. */
static uint32_t take(const char **text, char *sign_out)
{
    char *end;
    unsigned long number = strtoul(*text, &end, 16);

    *sign_out = *end;
    *text = end + (*end != '\0');
    return (uint32_t)number;
}

static void read_pairs(struct fold *fold)
{
    const char *text = fold_folds;
    char sign;

    for (size_t i = 0; i < fold->pair_count; i++) {
        fold->pairs[i].from = take(&text, &sign);
        for (size_t part = 0; sign != ';' && part < PARTS; part++)
            fold->pairs[i].to[part] = take(&text, &sign);
    }
}

static void read_marks(struct fold *fold)
{
    const char *text = fold_marks;
    char sign;

    for (size_t i = 0; i < fold->mark_count; i++) {
        fold->marks[i].first = take(&text, &sign);
        fold->marks[i].last = take(&text, &sign);
        fold->marks[i].order = take(&text, &sign);
    }
}

bool fold_init(struct fold *fold)
{
    fold->pair_count = count_records(fold_folds);
    fold->mark_count = count_records(fold_marks);
    fold->pairs = calloc(fold->pair_count, sizeof *fold->pairs);
    fold->marks = calloc(fold->mark_count, sizeof *fold->marks);
    if (fold->pairs == NULL || fold->marks == NULL) {
        fold_fini(fold);
        return false;
    }
    read_pairs(fold);
    read_marks(fold);
    return true;
}

void fold_fini(struct fold *fold)
{
    free(fold->pairs);
    free(fold->marks);
    *fold = (struct fold){.pairs = NULL};
}

static const uint32_t *find_pair(const struct fold *fold, uint32_t code)
{
    size_t low = 0, high = fold->pair_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (fold->pairs[middle].from == code)
            return fold->pairs[middle].to;
        if (fold->pairs[middle].from < code)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* Canonical combining class; 0: a character that stands by itself. */
static uint32_t order_of(const struct fold *fold, uint32_t code)
{
    size_t low = 0, high = fold->mark_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (code >= fold->marks[middle].first && code <= fold->marks[middle].last)
            return fold->marks[middle].order;
        if (fold->marks[middle].first < code)
            low = middle + 1;
        else
            high = middle;
    }
    return 0;
}

/* ------------------------------------------------------------------ folding */

static uint32_t decode(const unsigned char *text, size_t sequence)
{
    uint32_t code = sequence == 1 ? text[0] : text[0] & (0x7Fu >> sequence);

    for (size_t i = 1; i < sequence; i++)
        code = code << 6 | (text[i] & 0x3Fu);
    return code;
}

/* Puts a character behind those marks of the same letter that come before it in canonical order; begin: of what was added. */
static bool put(const struct fold *fold, uint32_t code, size_t begin, struct buffer *out)
{
    uint32_t order = order_of(fold, code), before;
    size_t at = out->bytes;

    if (!buffer_put(out, &code, sizeof code))
        return false;
    for (; order > 0 && at > begin; at -= sizeof before) {
        memcpy(&before, out->data + at - sizeof before, sizeof before);
        if (order_of(fold, before) <= order)
            break;
        memcpy(out->data + at, &before, sizeof before);
        memcpy(out->data + at - sizeof before, &code, sizeof code);
    }
    return true;
}

static bool put_syllable(const struct fold *fold, uint32_t code, size_t begin, struct buffer *out)
{
    uint32_t index = code - SYLLABLE, trail = index % TRAILS;

    return put(fold, LEAD + index / (VOWELS * TRAILS), begin, out) &&
           put(fold, VOWEL + index % (VOWELS * TRAILS) / TRAILS, begin, out) &&
           (trail == 0 || put(fold, TRAIL + trail, begin, out));
}

bool fold_add(const struct fold *fold, const char *text, size_t bytes, struct buffer *out)
{
    size_t begin = out->bytes, sequence;
    bool ok = true;

    for (size_t at = 0; ok && at < bytes; at += sequence) {
        const unsigned char *place = (const unsigned char *)text + at;
        const uint32_t *to;
        uint32_t code;

        sequence = utf8_sequence(place, bytes - at);
        if (sequence == 0)
            sequence = 1;
        code = decode(place, sequence);
        to = find_pair(fold, code);
        if (code >= SYLLABLE && code < SYLLABLE + SYLLABLES)
            ok = put_syllable(fold, code, begin, out);
        else if (to == NULL)
            ok = put(fold, code, begin, out);
        for (size_t part = 0; ok && to != NULL && part < PARTS && to[part] != 0; part++)
            ok = put(fold, to[part], begin, out);
    }
    return ok;
}
