# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# ./dev tsan [CTEST ARGUMENTS]

verb_tsan() {
    need_packages "${base_packages[@]}" "${test_packages[@]}"
    heading "ThreadSanitizer"
    # gcc 12's runtime cannot live with the address layout of newer kernels; without randomisation it can.
    ctest() { setarch -R ctest "$@"; }
    build_and_test tsan "$@" || true
    sum_up
}
