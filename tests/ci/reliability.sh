# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# ./dev reliability [coverage|tests ...]: tests/RELIABILITY.md from tests/reliability/*.json. With coverage or tests, figures are
# first taken from what the last ./dev coverage or ./dev test left in build/log.

verb_reliability() {
    need_packages "${base_packages[@]}"
    heading "tests/RELIABILITY.md"
    local topic from
    for topic in "$@"; do
        case $topic in
            coverage) from='./dev coverage' ;;
            tests) from='./dev test' ;;
            *) fail "reliability takes figures of coverage and tests, not of '$topic'; the other verbs write their own" ;;
        esac
        python3 "$root/tests/ci/reliability.py" "$root" --record "$topic" "$from" ||
            fail "there is nothing to take figures from in $(shown "$build/log"); run $from first"
    done
    write_reliability || fail "the page was not written"
    say "written"
}
