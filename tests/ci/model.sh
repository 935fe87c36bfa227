# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# ./dev model [COUNT [SEED]], ./dev model replay SEQUENCE: the random sequences of tests/model, as many as one likes.

verb_model() {
    local count=${1:-12000} seed=${2:-1}
    if [ "$count" = replay ]; then
        [ $# = 2 ] || fail "model replay takes the sequence that a failing run has printed"
    else
        [ $# -le 2 ] && [[ "$count$seed" != *[!0-9]* ]] ||
            fail "model takes a number of sequences and a seed, or replay and a sequence"
        set -- "$count" "$seed" "$jobs"
    fi
    need_packages "${base_packages[@]}" "${test_packages[@]}"
    heading "Random sequences against the model"
    build_preset dev test_model || fail "the debug build failed"
    "$build/dev/tests/model/test_model" "$@"
}
