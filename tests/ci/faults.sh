# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# ./dev faults [STEP]: tests/faults with every fault, or each STEP-th; the figures of all of them are kept.

verb_faults() {
    local step=${1:-1} log=$build/log/faults.log code=0
    [ $# -le 1 ] && [[ "$step" =~ ^[1-9][0-9]*$ ]] || fail "faults takes a number: each so-manyth fault (1: all)"
    need_packages "${base_packages[@]}" "${test_packages[@]}"
    heading "Faults: every system call and every allocation of the tool and of the library"
    build_preset dev aimg test_faults memory_shim test_file_faults || fail "the debug build failed"
    "$build/dev/tests/faults/test_faults" "$build/dev/tools/aimg" "$build/dev/tests/faults/memory_shim.so" \
        "$step" 0 "$jobs" | tee "$log" || code=1
    "$build/dev/tests/oom/test_file_faults" | tee -a "$log" || code=1
    [ "$step" != 1 ] || keep_figures faults "./dev faults" "$log"
    [ "$code" = 0 ] || fail "some faults were not handled; each line above says how to see it again"
}
