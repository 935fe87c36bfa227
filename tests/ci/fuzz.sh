# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# ./dev fuzz: the targets of fuzz/ as long as one likes. What they find out is kept in build/fuzz-cache and gone on from; how much
# was run is added to tests/reliability/fuzz.json.

cache=$build/fuzz-cache # for each target: corpus, seeds, finds, logs
tally=$root/tests/reliability/fuzz.json
fuzz_most_bytes=40960 # of an input: what is slow finds little
# Errors of any sanitizer end a run; what is freed is kept for a short while, so that memory stays in the caches. Where it came
# from is not kept: a replay without these options tells.
fuzz_options=allocator_may_return_null=1:quarantine_size_mb=8:malloc_context_size=1:detect_stack_use_after_return=0

fuzz_usage() { fail "fuzz takes a target (or all), seconds for each, and --afl for AFL++; or --keep [TARGET]"; }

fuzz_targets() { (cd "$build/$1/fuzz" && printf '%s\n' seeds_fuzz_*.txt | sed 's/^seeds_//; s/\.txt$//'); }

# fuzz_build PRESET TARGET...: fuzzers, replay programs and seeds.
fuzz_build() {
    local preset=$1 target built=() # the replay programs, seeds and the mutator of AFL++ are those of the preset campaign
    shift
    configure "$preset" || return 1
    built=("$@")
    if [ "$preset" = campaign ]; then
        for target in "$@"; do built+=("replay_$target"); done
        built+=(aimg_mutator_afl fuzz_seeds)
    fi
    build_preset "$preset" "${built[@]}"
}

# fuzz_seed PRESET TARGET: all seeds as plain files.
fuzz_seed() {
    local paths=() path
    mkdir -p "$cache/$2/corpus" "$cache/$2/seeds" "$cache/$2/finds" "$cache/$2/log"
    while read -r path; do
        [ ! -e "$path" ] || paths+=("$path")
    done <"$build/$1/fuzz/seeds_$2.txt"
    [ ${#paths[@]} != 0 ] || return 0
    ASAN_OPTIONS=$fuzz_options "$build/$1/fuzz/replay_$2" --unpack "$cache/$2/seeds" "${paths[@]}" >"$cache/$2/log/seeds" 2>&1
}

# fuzz_open TARGET: how many finds do not pass yet; each is shown with the command that repeats it.
fuzz_open() {
    local find open=0 replay=$build/campaign/fuzz/replay_$1
    for find in "$cache/$1/finds"/*; do
        [ -f "$find" ] && [ -x "$replay" ] || continue
        if ! ASAN_OPTIONS=$fuzz_options "$replay" "$find" >"$cache/$1/log/replay" 2>&1; then
            open=$((open + 1))
            say "found: $(show_command "$replay" "$find")" >&2
        fi
    done
    printf '%d' "$open"
}

# fuzz_count TARGET ENGINE SECONDS OPEN: adds what the logs say to the tally.
fuzz_count() {
    mkdir -p "${tally%/*}"
    python3 "$root/tests/ci/fuzz_tally.py" "$tally" "$1" "$2" "$3" "$4" "$(find "$cache/$1/corpus" -type f | wc -l)" \
        "$(git -C "$root" rev-parse --short HEAD 2>/dev/null || printf unknown)" \
        "$(clang-14 --version | sed -n 1p)" "${@:5}"
}

# fuzz_run TARGET SECONDS: one fuzzer a core, which read each other's corpus.
fuzz_run() {
    local target=$1 seconds=$2 at=$cache/$1 i logs=() open code=0 pids=()
    cp "$build/campaign/fuzz/$target" "$at/program" # so that a build meanwhile does no harm
    for ((i = 0; i < ${FUZZ_JOBS:-$jobs}; i++)); do
        logs+=("$at/log/libfuzzer-$i")
        ASAN_OPTIONS=$fuzz_options "$at/program" -max_total_time="$seconds" -max_len=$fuzz_most_bytes \
            -malloc_limit_mb=128 -timeout=20 -entropic=0 -print_final_stats=1 -reload=30 \
            -artifact_prefix="$at/finds/" "$at/corpus" "$at/seeds" >"${logs[i]}" 2>&1 </dev/null &
        pids+=($!)
    done
    for i in "${pids[@]}"; do wait "$i" || code=1; done
    open=$(fuzz_open "$target")
    [ "$code" = 0 ] || [ "$open" != 0 ] || open=1 # it ended by what a replay does not repeat: a leak, a limit, a kill
    fuzz_count "$target" libfuzzer "$seconds" "$open" "${logs[@]}"
    [ "$open" = 0 ] || say "of $target: $(shown "${logs[0]}") tells more" >&2
    return "$code"
}

# fuzz_run_afl TARGET SECONDS: one AFL++ process, persistent, with input in shared memory.
fuzz_run_afl() {
    local target=$1 seconds=$2 out=$cache/$1/afl code=0 mutator='' options=$fuzz_options:abort_on_error=1:symbolize=0
    grep -q seeds_archive "$build/afl/fuzz/seeds_$target.txt" && mutator=$build/campaign/fuzz/libaimg_mutator_afl.so
    ASAN_OPTIONS=$options UBSAN_OPTIONS=abort_on_error=1 AFL_NO_UI=1 AFL_SKIP_CPUFREQ=1 AFL_NO_AFFINITY=1 AFL_AUTORESUME=1 \
        AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 AFL_CUSTOM_MUTATOR_LIBRARY=$mutator ${mutator:+AFL_CUSTOM_MUTATOR_ONLY=1} \
        afl-fuzz -V "$seconds" -G $fuzz_most_bytes -t 2000+ -i "$cache/$target/seeds" -o "$out" -- "$build/afl/fuzz/$target" \
        >"$cache/$target/log/afl" 2>&1 </dev/null || code=1
    find "$out/default/crashes" -name 'id:*' -exec cp -t "$cache/$target/finds" {} + 2>/dev/null || true
    local open
    open=$(fuzz_open "$target")
    fuzz_count "$target" afl "$seconds" "$open" "$out/default/fuzzer_stats"
    [ "$code" = 0 ] && [ "$open" = 0 ]
}

# fuzz_keep TARGET: a small set of inputs that covers what the cache covers, into fuzz/corpus.
fuzz_keep() {
    local small=$cache/$1/small kept=$root/fuzz/corpus/$1/inputs.pack
    rm -rf "$small"
    mkdir -p "$small" "${kept%/*}"
    ASAN_OPTIONS=$fuzz_options "$build/campaign/fuzz/$1" -set_cover_merge=1 -use_counters=0 -max_len=$fuzz_most_bytes "$small" \
        "$cache/$1/corpus" "$cache/$1/seeds" >"$cache/$1/log/merge" 2>&1 || return 1
    ASAN_OPTIONS=$fuzz_options "$build/campaign/fuzz/replay_$1" --pack "$kept" "$small" >"$cache/$1/log/pack" 2>&1 || return 1
    zstd -q -19 --long --rm -f "$kept" -o "$kept.zst"
    say "$1: $(find "$small" -type f | wc -l) inputs in $(stat -c %s "$kept.zst") bytes"
}

verb_fuzz() {
    local engine=campaign run=fuzz_run target='' seconds=20 targets=() code=0
    while [ $# != 0 ]; do
        case $1 in
            --afl) engine=afl run=fuzz_run_afl ;;
            --keep) run=fuzz_keep ;;
            -*) fuzz_usage ;;
            *[!0-9]*) target=$1 ;;
            *) seconds=$1 ;;
        esac
        shift
    done
    [ "$((10#$seconds))" -gt 0 ] || fuzz_usage # which a fuzzer takes as for ever
    need_packages "${base_packages[@]}" "${test_packages[@]}"
    [ "$engine" != afl ] || need_packages "${fuzz_packages[@]}"
    heading "Fuzz targets"
    configure $engine || fail "there are no fuzz targets"
    mapfile -t targets < <(fuzz_targets $engine)
    if [ -n "$target" ] && [ "$target" != all ]; then
        [ -f "$build/$engine/fuzz/seeds_fuzz_${target#fuzz_}.txt" ] ||
            fail "there is no fuzz target '$target'; there are ${targets[*]#fuzz_}"
        targets=("fuzz_${target#fuzz_}")
    fi
    fuzz_build $engine "${targets[@]}" || fail "the fuzz targets could not be built"
    [ $engine = campaign ] || fuzz_build campaign "${targets[@]}" || fail "the replay programs could not be built"
    for target in "${targets[@]}"; do
        fuzz_seed campaign "$target" || { say "$target: a seed fails; $(shown "$cache/$target/log/seeds") tells more" && code=1; }
        "$run" "$target" "$seconds" || code=1
    done
    [ $run = fuzz_keep ] || write_reliability || code=1
    [ "$code" = 0 ] || fail "something was found; it is open until its replay passes"
}
