/* SPDX-License-Identifier: Apache-2.0 */
/* Errors: every field is filled, no text is too long, NULL is fine. */
#include "error.h"
#include "test.h"

#include <errno.h>

static void check_texts(void)
{
    for (int status = AIMG_OK; status <= AIMG_REPLACED; status++) {
        EXPECT(strlen(aimg_status_text((enum aimg_status)status)) > 0);
        for (int other = AIMG_OK; other < status; other++)
            EXPECT(strcmp(aimg_status_text((enum aimg_status)status), aimg_status_text((enum aimg_status)other)) != 0);
    }
    EXPECT_EQ_TEXT(aimg_status_text(AIMG_NOT_FOUND), "not found");
    EXPECT_EQ_TEXT(aimg_status_text((enum aimg_status)(AIMG_REPLACED + 1)), "unknown status");
    EXPECT_EQ_TEXT(aimg_status_text((enum aimg_status) - 1), "unknown status");
    EXPECT_EQ_TEXT(aimg_version(), AIMG_VERSION);
}

static void check_fields(void)
{
    struct aimg_error error, cause;
    memset(&error, 0x5A, sizeof error);
    EXPECT_EQ_INT(aimg_fail(&error, AIMG_EXISTS, "%s is %d", "it", 7), AIMG_EXISTS);
    EXPECT(error.status == AIMG_EXISTS && error.sys_errno == 0 && error.rule == 0 && error.offset == AIMG_NO_OFFSET);
    EXPECT_EQ_TEXT(error.message, "it is 7");
    EXPECT_EQ_INT(aimg_fail_at(&error, AIMG_CORRUPT, 39, 4096, "there"), AIMG_CORRUPT);
    EXPECT(error.status == AIMG_CORRUPT && error.rule == 39 && error.offset == 4096 && error.sys_errno == 0);
    EXPECT_EQ_INT(aimg_fail_errno(&error, ENOSPC, "cannot write"), AIMG_IO);
    EXPECT(error.status == AIMG_IO && error.sys_errno == ENOSPC && error.rule == 0 && error.offset == AIMG_NO_OFFSET);
    EXPECT_EQ_TEXT(error.message, "cannot write: No space left on device");
    EXPECT_EQ_INT(aimg_fail_memory(&error, 123), AIMG_OUT_OF_MEMORY);
    EXPECT(strstr(error.message, "123") != NULL);
    EXPECT_EQ_INT(aimg_fail(NULL, AIMG_BUSY, "x"), AIMG_BUSY);
    EXPECT_EQ_INT(aimg_fail_at(NULL, AIMG_LIMIT, 1, 2, "x"), AIMG_LIMIT);
    EXPECT_EQ_INT(aimg_fail_errno(NULL, EIO, "x"), AIMG_IO);
    (void)aimg_fail_at(&cause, AIMG_CHECKSUM, 40, 8192, "why");
    EXPECT_EQ_INT(aimg_fail_as(&error, &cause), AIMG_CHECKSUM);
    EXPECT(error.status == AIMG_CHECKSUM && error.rule == 40 && error.offset == 8192);
    EXPECT_EQ_TEXT(error.message, "why");
    EXPECT_EQ_INT(aimg_fail_as(NULL, &cause), AIMG_CHECKSUM);
}

/* A message is cut, and always ends. */
static void check_long(void)
{
    struct {
        struct aimg_error error;
        uint8_t after;
    } guarded = {.after = 0x77};
    char text[1000];
    for (size_t bytes = 200; bytes < sizeof text; bytes += 13) {
        memset(text, 'x', bytes);
        text[bytes] = 0;
        (void)aimg_fail(&guarded.error, AIMG_IO, "%s", text);
        EXPECT_EQ_UINT(strlen(guarded.error.message), bytes < 255 ? bytes : 255);
        (void)aimg_fail_errno(&guarded.error, EIO, "%s", text);
        EXPECT(strlen(guarded.error.message) <= 255 && guarded.after == 0x77);
    }
}

int main(void)
{
    check_texts();
    check_fields();
    check_long();
    return test_end("test_error");
}
