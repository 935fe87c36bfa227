/* SPDX-License-Identifier: Apache-2.0 */
/* TEST_SANITIZED: 1 under a sanitizer that watches memory or threads. TEST_SLOW: 1 when that, or counting lines, makes everything
 * several times slower, so that tests that try many things try fewer. */
#ifndef AIMG_TEST_SANITIZED_H
#define AIMG_TEST_SANITIZED_H

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define TEST_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define TEST_SANITIZED 1
#endif
#endif
#ifndef TEST_SANITIZED
#define TEST_SANITIZED 0
#endif
#ifndef TEST_SLOW /* defined by the presets coverage and s390x */
#define TEST_SLOW TEST_SANITIZED
#endif

#endif
