#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# dev_test.sh ROOT: what ./dev promises beside its results: odd folder names work, nothing is written where it should not, errors
# are plain.
set -euo pipefail
root=$1
export PATH="/usr/bin:/bin:$PATH" # Debian's python3, as ./dev has it
scratch=$(mktemp -d)
name="it's a test $$"
trap 'rm -rf "$scratch" "$root/build/demo/$name.aimg" "$root/build/demo/empty $$.aimg"' EXIT

die() {
    printf 'dev_test: %s\n' "$*" >&2
    [ ! -f "$scratch/said" ] || cat "$scratch/said" >&2
    exit 1
}

# expect EXIT TEXT ARGUMENTS...: ./dev ARGUMENTS ends with that exit code and says the text.
expect() {
    local code=0 want=$1 text=$2
    shift 2
    "$root/dev" "$@" >"$scratch/said" 2>&1 </dev/null || code=$?
    [ "$code" = "$want" ] || die "dev $*: exit $code, not $want"
    grep -qF -- "$text" "$scratch/said" || die "dev $*: does not say '$text'"
}

state() { (cd "$scratch/$name" && find . -printf '%p %s %T@ %C@ %m\n' | sort | cksum); }

expect 0 'demo [DIR]'
for verb in demo test bench install clean model crash faults neighbours flips differential fuzz sparse mutants asan tsan \
    valgrind cross coverage fresh lint tidy reliability; do
    grep -q "^  $verb " "$scratch/said" || die "the list of verbs lacks $verb"
done
expect 2 "there is no verb 'dmeo'" dmeo
expect 1 'takes a number of sequences' model many
expect 1 'takes the sequence' model replay
expect 1 'takes the size of an archive' flips many
expect 1 'takes a number of files' crash many
expect 1 'takes the word' crash replay
expect 1 'takes a number of GiB' sparse many
expect 1 'takes a number: each' faults some
expect 1 'takes a number of seconds' neighbours soon
expect 1 'there is no such folder' demo "$scratch/nowhere"
expect 1 'holds this checkout' demo "$root"
expect 1 'holds this checkout' demo /
mkdir "$scratch/empty $$"
expect 1 'no pictures in it' demo "$scratch/empty $$"

python3 "$root/tests/demo/make_sample.py" "$scratch/$name" "$scratch/more" 3 1 >/dev/null
printf 'no picture\n' >"$scratch/$name/sea/notes.txt"
mkdir "$scratch/$name/with 'quotes' and \$signs"
cp "$scratch/$name"/sea/*.??g "$scratch/$name/with 'quotes' and \$signs/"
ln -s "$root/build" "$scratch/$name/link-to-a-folder"
before=$(state)
scratches() { compgen -G "$root/build/demo/scratch.*" || true; } # those of demos that were killed do not count
before_scratches=$(scratches)
cd "$scratch"
# du fails over a folder that the user may not read. Root reads all, so it is made to fail here.
du() {
    command du "$@"
    return 1
}
export -f du
expect 0 'Three commands to try next' demo "$name"
[ "$(state)" = "$before" ] || die 'the demo wrote into its folder'
grep -q ' 500 of 500 compared' "$scratch/said" || die 'the random reads were not compared'
grep -q '0 differ' "$scratch/said" || die 'what was unpacked was not compared'
[ "$(scratches)" = "$before_scratches" ] || die 'the demo left scratch behind'

# The three commands work as they are printed.
sed -n '/Three commands/,$p' "$scratch/said" | sed "1d; s,\([ >]\)/tmp/p,\1$scratch/p,g" >"$scratch/try.sh"
[ "$(wc -l <"$scratch/try.sh")" = 3 ] || die 'there are not three commands to try'
bash -euo pipefail "$scratch/try.sh" >"$scratch/tried" 2>&1 || {
    cat "$scratch/try.sh" "$scratch/tried" >&2
    die 'a command to try next fails'
}

# The archive of an earlier run is not taken for that of a pack that wrote nothing.
mkdir -p "$scratch/other/$name"
printf 'P5\n1 1\n255\nx' >"$scratch/other/$name/"$'bell\a.pgm'
expect 1 'nothing was packed' demo "$scratch/other/$name"

# Nothing is built twice.
log=$root/build/release/.ninja_log
before=$(cksum <"$log")
expect 0 "$scratch/prefix/bin/aimg" install prefix
[ "$(cksum <"$log")" = "$before" ] || die 'install built again what was built'
"$scratch/prefix/bin/aimg" --version >/dev/null || die 'what was installed into a relative prefix does not run'
