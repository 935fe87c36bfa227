# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# ./dev fresh: demo and test in a bare Debian 12 root, as root, and demo and install as a user with sudo in another.
# The roots live in a mount namespace of their own with its own processes: whatever happens, mounts and processes end with it.

verb_fresh() {
    [ $# = 0 ] || fail "fresh takes no arguments"
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || fail "fresh makes a file system root and needs to be root"
        exec sudo env "PATH=$PATH" "TERM=${TERM:-dumb}" "TMPDIR=${TMPDIR:-/var/tmp}" "$root/dev" fresh
    fi
    fresh=$(mktemp -d "${TMPDIR:-/var/tmp}/aimg-fresh.XXXXXX")
    build=$fresh # for the logs: root leaves nothing in the checkout of a user
    trap clean_up EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    need_packages debootstrap util-linux tar
    local begin
    begin=$(now_us)
    bare_root
    copy_checkout "$fresh/bare/aimg"
    cp -a "$fresh/bare" "$fresh/user"
    export -f run_inside demo_as_root demo_as_newcomer test_as_root mount_inside
    heading "As root: ./dev demo, twice"
    inside bare demo_as_root || fail "./dev demo does not work in a bare root, see above"
    heading "As a user with sudo: ./dev demo, ./dev install"
    inside user demo_as_newcomer || fail "./dev demo or install does not work for a user with sudo, see above"
    rm -rf --one-file-system "$fresh/user"
    heading "As root: ./dev test"
    inside bare test_as_root || fail "./dev test does not work in a bare root, see above"
    heading "Both commands work on a bare Debian 12 ($(seconds "$begin"))"
}

# Where this machine gets its Debian packages from.
mirror() {
    local found
    found=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null |
        sed -n 's/^URIs: *\(http[^ ]*debian\) *$/\1/p; s/^deb \(\[[^]]*\] \)\?\(http[^ ]*debian\)\/\? .*/\2/p' | head -n 1)
    printf '%s' "${found:-http://deb.debian.org/debian}"
}

bare_root() {
    heading "Bare Debian 12"
    quiet "debootstrap --variant=minbase bookworm" debootstrap --variant=minbase bookworm "$fresh/bare" "$(mirror)" ||
        fail "debootstrap failed; is there a network? The mirror is $(mirror)"
    # Names and proxies are the machine's, not the root's: without them nothing can be fetched.
    cp -L /etc/resolv.conf "$fresh/bare/etc/resolv.conf"
    cp /etc/hosts "$fresh/bare/etc/hosts"
    apt-config dump | grep -iE '^Acquire::(http|https)::Proxy' >"$fresh/bare/etc/apt/apt.conf.d/99proxy" || true
}

# What a clone would hold: tracked files and new ones that are not ignored.
copy_checkout() {
    mkdir -p "$1"
    if git -c safe.directory='*' -C "$root" rev-parse --git-dir >/dev/null 2>&1; then
        git -c safe.directory='*' -C "$root" ls-files -z --cached --others --exclude-standard |
            (cd "$root" && while IFS= read -r -d '' name; do [ ! -e "$name" ] || printf '%s\0' "$name"; done) |
            tar -C "$root" --null --files-from=- -c | tar -C "$1" --no-same-owner -x
    else
        tar -C "$root" --exclude=./build -c . | tar -C "$1" --no-same-owner -x
    fi
    say "checkout copied: $(find "$1" -type f | wc -l) files, $(du -sh "$1" | cut -f1)"
}

# inside ROOT FUNCTION. In the background, because only wait can be interrupted by a signal.
inside() {
    unshare --mount --propagation private --pid --fork --kill-child bash -euo pipefail -c 'mount_inside "$1"; "$2" "$1"' \
        inside "$fresh/$1" "$2" &
    inner=$!
    wait "$inner"
}

# unshare heeds no other signal; its death ends all processes inside, a moment later.
inner=''
clean_up() {
    if [ -n "$inner" ] && kill -KILL "$inner" 2>/dev/null; then
        wait "$inner" 2>/dev/null || true
        sleep 1
    fi
    rm -rf --one-file-system "$fresh"
}

mount_inside() {
    mount -t proc proc "$1/proc"
    mkdir -p "$1/dev/shm" "$1/dev/pts"
    mount -t tmpfs -o mode=1777 shm "$1/dev/shm"
    mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts "$1/dev/pts"
    ln -sf pts/ptmx "$1/dev/ptmx"
}

# run_inside ROOT COMMAND...: as root of a bare system, with nothing of this one's environment.
run_inside() {
    local top=$1
    shift
    chroot "$top" /usr/bin/env -i HOME=/root "TERM=${TERM:-dumb}" DEBIAN_FRONTEND=noninteractive \
        PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"
}

demo_as_root() {
    local top=$1 before
    traces() { cat "$top/var/log/dpkg.log" "$top/aimg/build/release/.ninja_log" | cksum; }
    run_inside "$top" /aimg/dev demo
    before=$(traces)
    run_inside "$top" /aimg/dev demo >"$top/second.log" 2>&1 || {
        cat "$top/second.log"
        return 1
    }
    if [ "$(traces)" != "$before" ]; then
        printf 'the second demo installed or built something\n' >&2
        return 1
    fi
    printf '   the second demo installed and built nothing\n'
}

test_as_root() { run_inside "$1" /aimg/dev test; }

demo_as_newcomer() {
    local top=$1
    {
        run_inside "$top" apt-get -q -y update
        run_inside "$top" apt-get -q -y install --no-install-recommends sudo
        run_inside "$top" useradd --create-home --groups sudo newcomer
    } >"$top/sudo.log" 2>&1 || {
        cat "$top/sudo.log"
        return 1
    }
    printf 'newcomer ALL=(ALL) NOPASSWD: ALL\n' >"$top/etc/sudoers.d/newcomer"
    mv "$top/aimg" "$top/home/newcomer/aimg"
    run_inside "$top" chown -R newcomer: /home/newcomer/aimg
    run_inside "$top" su - newcomer -c 'cd aimg && ./dev demo && ./dev install && ./dev install ~/installed'
}
