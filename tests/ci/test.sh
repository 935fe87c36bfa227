# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# ./dev test: the set-up of the demo, then every test. Goes on after a failure, so that one run tells all.

. "$root/tests/ci/coverage.sh"

# What tries very many things is built with optimisation, alone.
test_optimised() {
    build_preset fast test_flips test_huge || {
        count_failure "build fast"
        return 1
    }
    run_tests fast -L optimised
}

verb_test() {
    [ $# = 0 ] || fail "test takes no arguments; single tests: ctest --test-dir build/dev -R NAME"
    local begin
    begin=$(now_us)
    need_packages "${base_packages[@]}" "${test_packages[@]}"
    build_release
    heading "Debug build, and the checks of the tree itself"
    build_and_test dev || true
    heading "Optimised build: every bit and every number of many archives"
    test_optimised || true
    heading "clang with its sanitizers, every warning an error; the fuzz targets"
    build_and_test fuzz -E '^(cli_.*|compat[.].*|faults[.].*)$' || true
    heading "AddressSanitizer and UndefinedBehaviorSanitizer"
    build_and_test asan || true
    heading "Line coverage of format/ and libarchive-img/src"
    measure_coverage || true
    heading "Sum ($(seconds "$begin"))"
    sum_up
}
