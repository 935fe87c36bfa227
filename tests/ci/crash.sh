# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# ./dev crash [FILES [SEED]], ./dev crash replay WORD: the power cuts of tests/crash, as many as one likes. From
# 1,000,000 on the figures are kept.

verb_crash() {
    local files=${1:-1000000} seed=${2:-1} figures=$build/log/crash.json
    if [ "$files" = replay ]; then
        [ $# = 2 ] || fail "crash replay takes the word that a failing run has printed"
    else
        [ $# -le 2 ] && [[ "$files$seed" != *[!0-9]* ]] || fail "crash takes a number of files and a seed, or replay and a word"
        set -- "$files" "$seed" "$jobs" "$figures"
    fi
    need_packages "${base_packages[@]}" "${test_packages[@]}"
    heading "Power cuts on a disk in memory"
    build_preset dev test_crash || fail "the debug build failed"
    "$build/dev/tests/crash/test_crash" "$@" || return 1
    [ "$files" != replay ] && [ "$files" -ge 1000000 ] || return 0
    keep_figures crash "./dev crash $files $seed" "$figures"
}
