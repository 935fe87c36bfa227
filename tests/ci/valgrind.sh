# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# ./dev valgrind: no byte that nobody wrote reaches a file. Valgrind rather than clang's MemorySanitizer, which would need zstd,
# xxHash and jansson built with it: here the libraries are those that users have, and the tool is run as it is. Valgrind complains
# of a write of such a byte, of a decision that depends on one, and of reading and writing out of bounds.

valgrind_packages=(valgrind)
# The library tests that write what others do not; the tool writes the rest.
valgrind_tests=(api/test_api_write api/test_api_meta unit/test_writer_care unit/test_mask)

verb_valgrind() {
    [ $# = 0 ] || fail "valgrind takes no arguments"
    need_packages "${base_packages[@]}" "${test_packages[@]}" "${valgrind_packages[@]}"
    heading "Valgrind"
    build_preset dev || fail "the debug build failed"
    valgrind_work=$(mktemp -d "$build/valgrind.XXXXXX")
    # shellcheck disable=SC2064 # now is when the name is known
    trap "rm -rf $(printf '%q' "$valgrind_work")" EXIT
    valgrind_control
    local test
    for test in "${valgrind_tests[@]}"; do
        valgrind_check "${test#*/}" under_valgrind "$build/dev/tests/$test"
    done
    printf '#!/bin/sh\nexec valgrind -q --error-exitcode=99 --track-origins=yes --log-file=%q.%%p %q "$@"\n' \
        "$valgrind_work/log" "$build/dev/tools/aimg" >"$valgrind_work/aimg"
    chmod +x "$valgrind_work/aimg"
    valgrind_check "the tool" valgrind_tool
    sum_up
}

under_valgrind() { valgrind -q --error-exitcode=99 --track-origins=yes "$@"; }

valgrind_check() {
    if quiet "$@"; then
        count_pass
    else
        count_failure "$1 under Valgrind"
    fi
}

# Would it be seen? A program that lets such a byte reach the file has to be caught; its twin that does not, has to pass.
valgrind_control() {
    local program=$build/dev/tests/api/write_uninitialised
    valgrind_check "control: all bytes written" under_valgrind "$program" "$valgrind_work/good.aimg" 64
    if under_valgrind "$program" "$valgrind_work/bad.aimg" 63 >"$build/log/valgrind-control.log" 2>&1 ||
        ! grep -q 'pwritev.*points to uninitialised byte' "$build/log/valgrind-control.log"; then
        count_failure "control: a byte that nobody wrote was not found"
    else
        count_pass
        say "control: a byte that nobody wrote is found"
    fi
}

# Every verb that writes, on archives of every kind.
valgrind_tool() {
    AIMG=$valgrind_work/aimg python3 "$root/tests/compat/run_writer.py" "$root/spec/vectors" "$build/dev/vectors" \
        "$valgrind_work/written" || return 1
    ! cat "$valgrind_work"/log.* | grep .
}
