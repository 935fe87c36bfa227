/* SPDX-License-Identifier: Apache-2.0 */
#include "model_check.h"

#include "checksum.h"
#include "random.h"
#include "reader.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool model_fail(char *reason, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (reason[0] == 0)
        vsnprintf(reason, MODEL_REASON_BYTES, format, arguments);
    va_end(arguments);
    return false;
}

bool model_status(char *reason, enum aimg_status found, enum aimg_status expected, const struct aimg_error *error,
                  const char *format, ...)
{
    char what[256];
    va_list arguments;
    if (found == expected)
        return true;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    return model_fail(reason, "%s: %s, not %s%s%.200s", what, aimg_status_text(found), aimg_status_text(expected),
                      found == AIMG_OK ? "" : ": ", found == AIMG_OK ? "" : error->message);
}

/* ------------------------------------------------------------------ one image */

static bool check_entry(const struct model_check *check, uint32_t ordinal, const struct model_image *image)
{
    static uint8_t content[MODEL_CONTENT_BYTES];
    struct aimg_entry entry;
    struct aimg_error error;
    size_t bytes = model_content(image->content, content);
    enum aimg_status status = aimg_reader_entry(check->reader, ordinal, &entry, &error);
    if (!model_status(check->reason, status, AIMG_OK, &error, "%s: entry %" PRIu32, check->who, ordinal))
        return false;
    uint8_t hash[16];
    aimg_hash_store(hash, aimg_hash(content, bytes));
    if (entry.raw_bytes != bytes || memcmp(entry.hash, hash, sizeof hash) != 0)
        return model_fail(check->reason, "%s: entry %" PRIu32 " is not of content %" PRIu32, check->who, ordinal, image->content);
    if (entry.dead != image->dead || entry.attachment != image->attachment || entry.format != model_format(image->content))
        return model_fail(check->reason, "%s: entry %" PRIu32 " says dead %u, attachment %u, format %u; the model %u, %u, %u",
                          check->who, ordinal, entry.dead, entry.attachment, entry.format, image->dead, image->attachment,
                          model_format(image->content));
    return true;
}

static bool check_content(const struct model_check *check, uint32_t ordinal, const struct model_image *image)
{
    static uint8_t expected[MODEL_CONTENT_BYTES], found[MODEL_CONTENT_BYTES];
    uint64_t found_bytes = 0;
    struct aimg_bytes lent;
    struct aimg_error error;
    size_t bytes = model_content(image->content, expected);
    enum aimg_status status = aimg_reader_read(check->reader, ordinal, 0, found, sizeof found, &found_bytes, &error);
    if (!model_status(check->reason, status, image->dead ? AIMG_NOT_FOUND : AIMG_OK, &error, "%s: reading image %" PRIu32,
                      check->who, ordinal))
        return false;
    if (image->dead)
        return true;
    if (found_bytes != bytes || memcmp(expected, found, bytes) != 0)
        return model_fail(check->reason, "%s: image %" PRIu32 " has other bytes than content %" PRIu32, check->who, ordinal,
                          image->content);
    status = aimg_reader_borrow(check->reader, ordinal, AIMG_READ_VERIFY, &lent, &error);
    if (status == AIMG_SEQUENCE)
        return true; /* without a map */
    if (!model_status(check->reason, status, AIMG_OK, &error, "%s: borrowing image %" PRIu32, check->who, ordinal))
        return false;
    if (lent.ordinal != ordinal || (lent.coding == 0 && (lent.bytes != bytes || memcmp(expected, lent.data, bytes) != 0)))
        return model_fail(check->reason, "%s: image %" PRIu32 " is lent with other bytes", check->who, ordinal);
    return true;
}

/* What the name leads to: the image, or whoever has the name now, or nobody. */
static bool check_name(const struct model_check *check, uint32_t name)
{
    char text[MODEL_NAME_BYTES];
    size_t bytes = model_name(name - 1, text);
    uint32_t expected = model_state_find(check->state, name), found = 0;
    struct aimg_bytes lent;
    struct aimg_error error;
    enum aimg_status want = expected == MODEL_NOBODY ? AIMG_NOT_FOUND : AIMG_OK;
    enum aimg_status status = aimg_reader_find(check->reader, text, bytes, &found, &error);
    if (!model_status(check->reason, status, want, &error, "%s: finding '%.80s'", check->who, text))
        return false;
    if (want == AIMG_OK && found != expected)
        return model_fail(check->reason, "%s: '%.80s' is image %" PRIu32 ", not %" PRIu32, check->who, text, expected, found);
    status = aimg_reader_borrow_name(check->reader, text, bytes, 0, &lent, &error);
    if (status == AIMG_SEQUENCE)
        return true;
    if (!model_status(check->reason, status, want, &error, "%s: borrowing '%.80s'", check->who, text))
        return false;
    if (want == AIMG_OK && lent.ordinal != expected)
        return model_fail(check->reason, "%s: '%.80s' is lent as image %" PRIu32 ", not %" PRIu32, check->who, text, lent.ordinal,
                          expected);
    return true;
}

static bool check_own_name(const struct model_check *check, uint32_t ordinal, const struct model_image *image)
{
    char expected[MODEL_NAME_BYTES] = "", found[MODEL_NAME_BYTES];
    size_t bytes = image->name == 0 ? 0 : model_name(image->name - 1, expected), found_bytes = 0;
    struct aimg_error error;
    enum aimg_status status = aimg_reader_name(check->reader, ordinal, found, sizeof found, &found_bytes, &error);
    if (image->dead && status == AIMG_NOT_FOUND)
        return true;
    if (!model_status(check->reason, status, AIMG_OK, &error, "%s: name of image %" PRIu32, check->who, ordinal))
        return false;
    if (found_bytes != bytes || memcmp(expected, found, bytes) != 0)
        return model_fail(check->reason, "%s: image %" PRIu32 " is named '%.80s', not '%.80s'", check->who, ordinal, found,
                          expected);
    return true;
}

/* position: that of the image when it is listed. */
static bool check_position(const struct model_check *check, uint32_t ordinal, const struct model_image *image, uint64_t position)
{
    uint64_t found = 0;
    uint32_t back = 0;
    struct aimg_error error;
    bool listed = !image->dead && !image->attachment;
    enum aimg_status status = aimg_reader_position_of(check->reader, ordinal, &found, &error);
    if (!model_status(check->reason, status, listed ? AIMG_OK : AIMG_NOT_FOUND, &error, "%s: position of image %" PRIu32,
                      check->who, ordinal))
        return false;
    if (!listed)
        return true;
    if (found != position)
        return model_fail(check->reason, "%s: image %" PRIu32 " is at position %" PRIu64 ", not %" PRIu64, check->who, ordinal,
                          found, position);
    status = aimg_reader_ordinal_at(check->reader, position, &back, &error);
    if (!model_status(check->reason, status, AIMG_OK, &error, "%s: image at position %" PRIu64, check->who, position))
        return false;
    return back == ordinal || model_fail(check->reason, "%s: at position %" PRIu64 " is image %" PRIu32 ", not %" PRIu32,
                                         check->who, position, back, ordinal);
}

static bool check_image(const struct model_check *check, uint32_t ordinal, uint64_t position)
{
    const struct model_image *image = &check->state->images[ordinal];
    return check_entry(check, ordinal, image) && check_own_name(check, ordinal, image) &&
           check_position(check, ordinal, image, position) && check_content(check, ordinal, image) &&
           (image->dead || model_check_values(check, ordinal));
}

/* ------------------------------------------------------------------ the whole */

static bool equal(const struct model_check *check, const char *what, uint64_t found, uint64_t expected)
{
    return found == expected ||
           model_fail(check->reason, "%s: %s is %" PRIu64 ", not %" PRIu64, check->who, what, found, expected);
}

/* Whether there are two tables of a kind that sealing makes one of. */
static bool has_pieces(const struct aimg_reader *reader)
{
    const struct aimg_catalog *catalog = &reader->catalog;
    bool any = false;
    for (uint32_t i = 1; i < catalog->table_count; i++) {
        const struct aimg_part *part = &catalog->tables[i].part, *before = &catalog->tables[i - 1].part;
        any = any || (part->type == before->type && part->column == before->column);
    }
    return any;
}

static bool check_counts(const struct model_check *check)
{
    const struct model_state *state = check->state;
    struct aimg_info info = {.struct_bytes = sizeof info};
    struct aimg_error error;
    uint64_t position = 0;
    uint32_t ordinal = 0, listed = model_state_listed(state);
    enum aimg_status status = aimg_reader_info(check->reader, &info, &error);
    if (!model_status(check->reason, status, AIMG_OK, &error, "%s: info", check->who))
        return false;
    bool same = equal(check, "the number of commits", info.commit_count, check->commit_count) &&
                equal(check, "the number of ordinals", info.ordinal_count, state->image_count) &&
                equal(check, "the number of listed images", info.listed_count, listed) &&
                equal(check, "the count", aimg_reader_count(check->reader), listed) &&
                equal(check, "the count of ordinals", aimg_reader_ordinal_count(check->reader), state->image_count) &&
                equal(check, "the number of dead images", info.dead_count, model_state_dead(state)) &&
                equal(check, "the number of columns", info.column_count, state->column_count) &&
                equal(check, "sealed", info.sealed, state->sealed);
    if (!same)
        return false;
    if (state->sealed && has_pieces(check->reader))
        return model_fail(check->reason,
                          "%s: sealed, but in %" PRIu32 " runs, %" PRIu32 " tables of names, or a dictionary in pieces",
                          check->who, info.run_count, info.name_run_count);
    return model_status(check->reason, aimg_reader_ordinal_at(check->reader, listed, &ordinal, &error), AIMG_NOT_FOUND, &error,
                        "%s: a position past the end", check->who) &&
           model_status(check->reason, aimg_reader_position_of(check->reader, state->image_count, &position, &error),
                        AIMG_NOT_FOUND, &error, "%s: an ordinal past the end", check->who);
}

static uint64_t position_of(const struct model_state *state, uint32_t ordinal)
{
    uint64_t position = 0;
    for (uint32_t i = 0; i < ordinal; i++)
        position += !state->images[i].dead && !state->images[i].attachment;
    return position;
}

bool model_check_quickly(const struct model_check *check, uint64_t seed)
{
    if (!check_counts(check))
        return false;
    for (unsigned i = 0; i < 3 && check->state->image_count > 0; i++) {
        uint32_t ordinal = (uint32_t)random_below(&seed, check->state->image_count);
        if (i == 2)
            ordinal = check->state->image_count - 1;
        if (!check_image(check, ordinal, position_of(check->state, ordinal)))
            return false;
    }
    for (unsigned i = 0; i < 4; i++)
        if (!check_name(check, 1 + (uint32_t)random_below(&seed, MODEL_NAMES)))
            return false;
    return true;
}

/* The listed images in order. */
static bool check_list(const struct model_check *check)
{
    struct aimg_names *names = NULL;
    struct aimg_listed listed;
    struct aimg_error error;
    char text[MODEL_NAME_BYTES];
    bool good = true;
    uint64_t position = 0;
    enum aimg_status status = aimg_names_create(check->reader, 0, &names, &error);
    for (uint32_t i = 0; good && status == AIMG_OK && i < check->state->image_count; i++) {
        const struct model_image *image = &check->state->images[i];
        if (image->dead || image->attachment)
            continue;
        status = aimg_names_next(names, &listed, &error);
        if (status != AIMG_OK)
            break;
        size_t bytes = model_name(image->name - 1, text);
        good = listed.position == position++ && listed.ordinal == i && listed.name_bytes == bytes &&
               memcmp(listed.name, text, bytes) == 0;
        if (!good)
            model_fail(check->reason, "%s: the list of names has %" PRIu32 " '%.80s' where image %" PRIu32 " belongs", check->who,
                       listed.ordinal, listed.name, i);
    }
    if (good && status == AIMG_OK)
        status = aimg_names_next(names, &listed, &error);
    aimg_names_destroy(names);
    return good && model_status(check->reason, status, AIMG_END, &error, "%s: the list of names", check->who);
}

/* Sum over the entries of what the archive says of itself. */
static bool check_stored_bytes(const struct model_check *check)
{
    struct aimg_info info = {.struct_bytes = sizeof info};
    struct aimg_entry entry;
    uint64_t sum = 0;
    if (aimg_reader_info(check->reader, &info, NULL) != AIMG_OK)
        return model_fail(check->reason, "%s: info", check->who);
    for (uint32_t i = 0; i < check->state->image_count; i++)
        if (!check->state->images[i].dead && aimg_reader_entry(check->reader, i, &entry, NULL) == AIMG_OK)
            sum += entry.stored_bytes;
    return equal(check, "the sum of stored bytes", info.live_stored_bytes, sum);
}

bool model_check_all(const struct model_check *check)
{
    uint64_t position = 0;
    if (!check_counts(check) || !model_check_columns(check))
        return false;
    for (uint32_t i = 0; i < check->state->image_count; i++) {
        const struct model_image *image = &check->state->images[i];
        if (!check_image(check, i, position))
            return false;
        position += !image->dead && !image->attachment;
    }
    for (uint32_t name = 1; name <= MODEL_NAMES; name++)
        if (!check_name(check, name))
            return false;
    return check_list(check) && check_stored_bytes(check) && model_check_chunks(check) && model_check_meta(check) &&
           model_check_history(check);
}
