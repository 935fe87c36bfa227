# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# ./dev mutants: takes each check of tests/mutants/checks.txt out of the reader and the validator; some vector must fail.

verb_mutants() {
    [ $# = 0 ] || fail "mutants takes no arguments"
    need_packages "${base_packages[@]}" "${test_packages[@]}"
    heading "The vectors against a library without one of its checks"
    build_preset dev mutated_vector_check unpacked_vectors || fail "the debug build failed"
    python3 "$root/tests/mutants/mutants.py" --run "$root/tests/mutants/checks.txt" \
        "$build/dev/tests/mutants/mutated_vector_check" "$build/dev/vectors" --figures || return 1
    write_reliability
}
