# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# ./dev coverage: which lines of the library the tests reach, and which branches. Nothing is left out, neither lines nor branches.

lines_floor=95
branches_floor=85
# Of ./dev test: the tests of the library alone. Those of the tool, and what simulates a disk or tries many sequences, reach two
# hundredths more of the lines, in three times the time.
coverage_tests='^(unit|api|fuzz|compat|oom[.]oom)'
coverage_left_out='test_picture_(generated|tools|data)|examples_|api[.]large'

verb_coverage() {
    need_packages "${base_packages[@]}" "${test_packages[@]}"
    heading "Coverage of format/ and libarchive-img/src"
    measure_coverage "$@" || true
    sum_up
}

# measure_coverage [CTEST ARGUMENTS]
measure_coverage() {
    local report=$build/log/coverage.txt code=0
    [ ! -d "$build/coverage" ] || find "$build/coverage" -name '*.gcda' -delete
    build_and_test coverage "$@" || [ -n "$(find "$build/coverage" -name '*.gcda' -print -quit)" ] || return 1
    gcovr --root "$root" --object-directory "$build/coverage" --filter "$root/format/" --filter "$root/libarchive-img/src/" \
        --fail-under-line "$lines_floor" --fail-under-branch "$branches_floor" \
        --json-summary "$build/log/coverage.json" --txt "$report" "$build/coverage" >"$build/log/gcovr.log" 2>&1 || code=$?
    cut -c 1-120 "$report" | sed 's/^/   /'
    [ ! -f "$build/log/coverage.json" ] || python3 -c 'import json, sys
told = json.load(open(sys.argv[1]))
print("   lines {line_percent}%, branches {branch_percent}%".format(**told))' "$build/log/coverage.json"
    if [ "$code" != 0 ]; then
        sed 's/^/   /' "$build/log/gcovr.log"
        count_failure "coverage: below $lines_floor% of the lines or $branches_floor% of the branches"
        return 1
    fi
    count_pass
}
