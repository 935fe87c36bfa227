/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as an archive: opened, and all of it read in every way. Nothing may crash, and answers must agree with each other. */
#include <aimg/aimg.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

enum { MOST = 64, ROOM_BYTES = 1 << 16 }; /* images that are looked at of an archive that claims to have many */

static uint8_t room[ROOM_BYTES];

static void require(int condition)
{
    if (!condition)
        abort();
}

/* Reads a byte, whatever the compiler thinks of it. */
static void touch(const void *byte)
{
    (void)*(const volatile uint8_t *)byte;
}

/* What a file can make a call say; it can never make it the caller's fault. */
static void allowed(enum aimg_status status)
{
    require(status != AIMG_INVALID_ARGUMENT && status != AIMG_BUSY && status != AIMG_IO && status != AIMG_REPLACED &&
            status <= AIMG_REPLACED);
}

static void read_columns(const struct aimg_reader *reader, uint32_t ordinal, uint32_t columns)
{
    struct aimg_column column;
    struct aimg_chunk chunk;
    size_t size;
    int null = 0;
    for (uint32_t i = 0; i < columns && i < 8; i++) {
        require(aimg_reader_column(reader, i, &column, NULL) == AIMG_OK && column.index == i &&
                strlen(column.name) <= column.name_bytes);
        size = 0;
        allowed(aimg_reader_value(reader, i, ordinal, room, sizeof room, &size, &null, NULL));
        allowed(aimg_reader_value(reader, i, ordinal, NULL, 0, &size, &null, NULL));
        (void)aimg_reader_dictionary(reader, i, ordinal, (char *)room, sizeof room, &size, NULL);
        if (aimg_reader_chunk(reader, i, ordinal, &chunk, NULL) != AIMG_OK)
            continue;
        require(ordinal >= chunk.first && ordinal - chunk.first < chunk.count);
        if (chunk.values != NULL) /* all of it can be touched */
            touch((const uint8_t *)chunk.values + (size_t)chunk.count * chunk.element_bytes - 1);
        if (chunk.validity != NULL)
            touch(&chunk.validity[(chunk.count - 1) / 8]);
    }
}

static void find_again(const struct aimg_reader *reader, uint32_t ordinal)
{
    char name[1025];
    size_t size = 0;
    uint32_t found;
    struct aimg_bytes borrowed;
    enum aimg_status status = aimg_reader_name(reader, ordinal, name, sizeof name, &size, NULL);
    allowed(status);
    if (status != AIMG_OK)
        return;
    require(size <= 1024 && name[size] == 0);
    allowed(aimg_reader_find(reader, name, size, &found, NULL));
    allowed(aimg_reader_borrow_name(reader, name, size, AIMG_READ_VERIFY, &borrowed, NULL));
    struct aimg_name both[2] = {{name, size}, {"a name that is not there", 24}};
    struct aimg_bytes batch[2];
    allowed(aimg_reader_borrow_names(reader, both, 2, 0, batch, NULL));
}

static void read_image(const struct aimg_reader *reader, uint32_t ordinal, uint32_t columns)
{
    struct aimg_entry entry;
    struct aimg_bytes borrowed, unverified;
    uint64_t size = 0, position;
    enum aimg_status status = aimg_reader_borrow(reader, ordinal, AIMG_READ_VERIFY, &borrowed, NULL);
    allowed(status);
    allowed(aimg_reader_borrow(reader, ordinal, 0, &unverified, NULL));
    if (status == AIMG_OK && borrowed.bytes > 0) {
        touch(borrowed.data);
        touch((const uint8_t *)borrowed.data + borrowed.bytes - 1);
    }
    enum aimg_status read = aimg_reader_read(reader, ordinal, 0, room, sizeof room, &size, NULL);
    allowed(read);
    if (status == AIMG_OK && read == AIMG_OK && borrowed.coding == 0)
        require(size == borrowed.bytes && memcmp(room, borrowed.data, size) == 0);
    allowed(aimg_reader_read(reader, ordinal, AIMG_READ_UNVERIFIED, room, sizeof room, &size, NULL));
    allowed(aimg_reader_entry(reader, ordinal, &entry, NULL));
    allowed(aimg_reader_position_of(reader, ordinal, &position, NULL));
    allowed(aimg_reader_ordinal_at(reader, ordinal, &ordinal, NULL));
    find_again(reader, ordinal);
    read_columns(reader, ordinal, columns);
}

static int visit(void *user, const struct aimg_commit *commit)
{
    unsigned *count = user;
    require(commit->added <= commit->ordinal_count && memchr(commit->message, 0, sizeof commit->message) != NULL);
    return ++*count == MOST;
}

static void read_lists(const struct aimg_reader *reader, uint64_t from)
{
    struct aimg_names *names = NULL;
    struct aimg_listed listed;
    if (aimg_names_create(reader, from, &names, NULL) != AIMG_OK)
        return;
    for (unsigned i = 0; i < MOST * 4 && aimg_names_next(names, &listed, NULL) == AIMG_OK; i++)
        require(listed.position == from + i && strlen(listed.name) <= listed.name_bytes && listed.name[listed.name_bytes] == 0);
    aimg_names_destroy(names);
}

/* What the walk over a column gives, the value alone must give, too. */
static void read_values(const struct aimg_reader *reader, uint32_t index, uint32_t from)
{
    struct aimg_values *values = NULL;
    struct aimg_column_value value;
    if (aimg_values_create(reader, index, from, &values, NULL) != AIMG_OK)
        return;
    for (unsigned i = 0; i < MOST && aimg_values_next(values, &value, NULL) == AIMG_OK; i++) {
        size_t size = 0;
        int null = 0;
        require(value.ordinal == from + i && (value.data == NULL) == (value.null != 0));
        enum aimg_status status = aimg_reader_value(reader, index, value.ordinal, room, sizeof room, &size, &null, NULL);
        require(status == AIMG_OK || status == AIMG_BUFFER_TOO_SMALL);
        require(size == value.bytes && (null != 0) == (value.null != 0));
        require(status != AIMG_OK || size == 0 || memcmp(room, value.data, size) == 0);
        if (value.bytes > 0)
            touch((const uint8_t *)value.data + value.bytes - 1);
    }
    aimg_values_destroy(values);
}

static void read_all(struct aimg_reader *reader)
{
    struct aimg_info info = {.struct_bytes = sizeof info};
    struct aimg_bytes batch[MOST];
    uint32_t ordinals[MOST];
    unsigned commits = 0;
    size_t size;
    int changed;
    require(aimg_reader_info(reader, &info, NULL) == AIMG_OK && info.listed_count <= info.ordinal_count);
    for (uint32_t i = 0; i < MOST; i++) { /* the first, and some over the whole range */
        uint64_t far = info.ordinal_count == 0 ? i : (info.ordinal_count + MOST) / MOST * i % info.ordinal_count;
        ordinals[i] = i % 2 == 0 ? i / 2 : (uint32_t)far;
        read_image(reader, ordinals[i], info.column_count);
    }
    allowed(aimg_reader_borrow_batch(reader, ordinals, MOST, AIMG_READ_VERIFY, batch, NULL));
    allowed(aimg_reader_prefetch(reader, ordinals, MOST, NULL));
    read_lists(reader, 0);
    read_lists(reader, info.listed_count / 2);
    for (uint32_t i = 0; i < info.column_count && i < 8; i++) {
        read_values(reader, i, 0);
        read_values(reader, i, (uint32_t)(info.ordinal_count / 2));
    }
    allowed(aimg_reader_log(reader, visit, &commits, NULL));
    allowed(aimg_reader_meta(reader, "title", (char *)room, sizeof room, &size, NULL));
    allowed(aimg_reader_refresh(reader, &changed, NULL));
}

static void open_and_read(const uint8_t *data, size_t bytes, uint32_t flags, uint64_t seq)
{
    struct aimg_reader_options options = {.struct_bytes = sizeof options,
                                          .flags = flags,
                                          .seq = seq,
                                          .limits = {.image_bytes = ROOM_BYTES, .index_bytes = 1 << 20, .ratio = 100}};
    struct aimg_reader *reader = NULL;
    struct aimg_error error = {.status = AIMG_OK};
    enum aimg_status status = aimg_reader_open_memory(data, bytes, &options, &reader, &error);
    allowed(status);
    if (status == AIMG_OK)
        read_all(reader);
    else
        require(reader == NULL && error.status == status && memchr(error.message, 0, sizeof error.message) != NULL &&
                error.message[0] != 0);
    aimg_reader_close(reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    open_and_read(data, bytes, 0, 0);
    open_and_read(data, bytes, AIMG_READER_AT, 0);
    open_and_read(data, bytes, AIMG_READER_ALLOW_TRUNCATED, 0);
    return 0;
}
