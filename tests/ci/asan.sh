# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# ./dev asan [CTEST ARGUMENTS]

verb_asan() {
    need_packages "${base_packages[@]}" "${test_packages[@]}"
    heading "AddressSanitizer and UndefinedBehaviorSanitizer"
    build_and_test asan "$@" || true
    sum_up
}
