# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# ./dev test: the set-up of the demo, then every test. Goes on after a failure, so that one run tells all.

. "$root/tests/ci/coverage.sh"
. "$root/tests/ci/kaitai.sh"

# What tries very many things, the label `optimised`, is built with optimisation, alone: the sanitizers see less of each, and the
# debug build none.
test_optimised() {
    build_preset fast test_crash test_flips test_huge test_model || {
        count_failure "build fast"
        return 1
    }
    run_tests fast -L optimised
}

# Each other test runs in the debug build, and all once more under sanitizers: these with clang, those with gcc (./dev asan: all
# with gcc), but for the tool killed at each write, which leaves nothing for a sanitizer to say.
with_clang='^(unit|api|fuzz)[.]'

verb_test() {
    [ $# = 0 ] || fail "test takes no arguments; single tests: ctest --test-dir build/dev -R NAME"
    local begin
    begin=$(now_us)
    need_packages "${base_packages[@]}" "${test_packages[@]}"
    install_kaitai
    build_release
    heading "Debug build, and the checks of the tree itself"
    build_and_test dev -LE optimised || true
    heading "Optimised build: power cuts, random sequences, every bit and every number of many archives"
    test_optimised || true
    heading "clang with its sanitizers, every warning an error: unit and api tests, the fuzz targets"
    build_and_test fuzz -R "$with_clang" || true
    heading "gcc with AddressSanitizer and UndefinedBehaviorSanitizer: all other tests"
    build_and_test asan -E "$with_clang|^crash[.]kill" || true
    heading "Coverage of format/ and libarchive-img/src"
    measure_coverage -R "$coverage_tests" -E "$coverage_left_out" || true
    heading "Sum ($(seconds "$begin"))"
    sum_up
}
