# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# ./dev coverage: which lines of the library the tests reach.

coverage_floor=90

verb_coverage() {
    need_packages "${base_packages[@]}" "${test_packages[@]}"
    heading "Line coverage of format/ and libarchive-img/src"
    measure_coverage || true
    sum_up
}

measure_coverage() {
    local report=$build/log/coverage.txt code=0
    [ ! -d "$build/coverage" ] || find "$build/coverage" -name '*.gcda' -delete
    build_and_test coverage || [ -n "$(find "$build/coverage" -name '*.gcda' -print -quit)" ] || return 1
    gcovr --root "$root" --object-directory "$build/coverage" --filter "$root/format/" --filter "$root/libarchive-img/src/" \
        --fail-under-line "$coverage_floor" --txt "$report" "$build/coverage" \
        >"$build/log/gcovr.log" 2>&1 || code=$?
    cut -c 1-120 "$report" | sed 's/^/   /'
    if [ "$code" != 0 ]; then
        sed 's/^/   /' "$build/log/gcovr.log"
        count_failure "coverage: below $coverage_floor% of the lines"
        return 1
    fi
    count_pass
}
