# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# ./dev neighbours [SECONDS]: tests/neighbours, a third of the time each way. From 300 on the figures are kept.

verb_neighbours() {
    local seconds=${1:-120} log=$build/log/neighbours.log code=0 part
    [ $# -le 1 ] && [[ "$seconds" =~ ^[1-9][0-9]*$ ]] || fail "neighbours takes a number of seconds"
    part=$(((seconds + 2) / 3))
    need_packages "${base_packages[@]}" "${test_packages[@]}"
    heading "Writers, followers, compacts and someone who spoils, on one archive"
    build_preset dev aimg test_neighbours || fail "the debug build failed"
    build_preset tsan test_neighbours || fail "the build under ThreadSanitizer failed"
    "$build/dev/tests/neighbours/test_neighbours" processes "$part" "$build/dev/tools/aimg" | tee "$log" || code=1
    "$build/dev/tests/neighbours/test_neighbours" hostile "$part" "$build/dev/tools/aimg" | tee -a "$log" || code=1
    # as in tsan.sh: its runtime cannot live with the address layout of newer kernels
    setarch -R "$build/tsan/tests/neighbours/test_neighbours" threads "$part" | tee -a "$log" || code=1
    [ "$seconds" -lt 300 ] || keep_figures neighbours "./dev neighbours $seconds" "$log"
    [ "$code" = 0 ] || fail "something was not as it should be; see above"
}
