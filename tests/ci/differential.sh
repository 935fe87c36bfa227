# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# ./dev differential [COUNT [SEED]]: damaged archives for the library's validator and for spec/reader.py, which must find the same
# rules broken in each. From 100,000 on the figures are kept in tests/reliability/differential.json.

verb_differential() {
    local count=${1:-100000} seed=${2:-1}
    [ $# -le 2 ] && [[ "$count$seed" != *[!0-9]* ]] || fail "differential takes a number of archives and a seed"
    need_packages "${base_packages[@]}" "${test_packages[@]}"
    heading "Damaged archives for both validators"
    build_preset dev damaged_archives unpacked_vectors || fail "the debug build failed"
    python3 "$root/tests/compat/run_differential.py" "$build/dev/tests/compat/damaged_archives" "$count" "$seed" \
        "$build/dev/vectors" || return 1
    [ "$count" -lt 100000 ] || write_reliability
}
