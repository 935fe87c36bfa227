#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# install_test.sh ROOT CC: installs the library, shared and static, and builds a program against each with pkg-config and with
# CMake. The installed tree is moved before it is used: nothing in it may name the place where it was installed.
set -euo pipefail
root=$1 cc=$2
here=$root/tests/ci/consumer
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

die() {
    printf 'install_test: %s\n' "$*" >&2
    exit 1
}

# Whether build/release is what would be built here: ./dev has built it, and twice would take half a minute more.
release_is_there() {
    local cache=$root/build/release/CMakeCache.txt
    [ -f "$root/build/release/.configured" ] && grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$root" "$cache" &&
        grep -qE "^CMAKE_C_COMPILER:[A-Z]+=(.*/)?${cc##*/}$" "$cache" && grep -qxF 'CMAKE_INSTALL_PREFIX:PATH=/usr/local' "$cache"
}

# install_tree KIND SHARED PREFIX [OPTION]: into $scratch/KIND
install_tree() {
    local build=$scratch/build-$1
    if [ "$1" = shared ] && release_is_there; then
        build=$root/build/release
    else
        cmake -S "$root" -B "$build" -G Ninja -DCMAKE_C_COMPILER="$cc" -DCMAKE_BUILD_TYPE=Release \
            -DBUILD_SHARED_LIBS="$2" -DCMAKE_INSTALL_PREFIX="$3" "${@:4}" >/dev/null
    fi
    cmake --build "$build" >/dev/null
    cmake --install "$build" --prefix "$scratch/first-$1" >/dev/null
    mv "$scratch/first-$1" "$scratch/$1"
    ! grep -rIl -e "$scratch" -e "$root/build" "$scratch/$1" || die "these installed files name the place of the installation"
}

check_files() {
    local tree=$1 file version
    for file in bin/aimg include/aimg/aimg.h share/man/man1/aimg.1; do
        [ -s "$tree/$file" ] || die "$file is not installed"
    done
    [ "$(cd "$tree/include" && find . -type f)" = ./aimg/aimg.h ] || die "more than aimg/aimg.h below $tree/include"
    find "$tree" -name archive_img.pc | grep -q . || die "archive_img.pc is not installed"
    find "$tree" -iname 'archive_img*config.cmake' | grep -q . || die "the CMake package is not installed"
    version=$(sed -n 's/#define AIMG_VERSION  *"\(.*\)"/\1/p' "$tree/include/aimg/aimg.h")
    "$tree/bin/aimg" --version | grep -qF "$version" || die "the installed aimg does not run or has another version"
}

run_consumer() {
    rm -f "$scratch/two.aimg"
    "$@" "$scratch/two.aimg"
    aimg=$scratch/shared/bin/aimg
    [ "$("$aimg" ls "$scratch/two.aimg" | wc -l)" = 2 ] || die "the archive of the consumer does not list two images"
}

with_pkg_config() {
    local tree=$1 flags=$2 libdir
    libdir=$(dirname "$(find "$tree" -name archive_img.pc | head -n 1)")
    export PKG_CONFIG_PATH=$libdir
    # shellcheck disable=SC2046,SC2086 # flags are words
    "$cc" -std=c11 -Wall -Werror "$here/consumer.c" -o "$scratch/consumer" $(pkg-config $flags --cflags --libs archive_img)
    run_consumer env "LD_LIBRARY_PATH=$(dirname "$libdir")" "$scratch/consumer"
}

with_cmake() {
    cmake -S "$here" -B "$scratch/consumer-$1" -G Ninja -DCMAKE_C_COMPILER="$cc" -DCMAKE_PREFIX_PATH="$scratch/$1" >/dev/null
    cmake --build "$scratch/consumer-$1" >/dev/null
    run_consumer "$scratch/consumer-$1/consumer"
}

install_tree shared ON /usr/local
install_tree static OFF /usr -DCMAKE_C_FLAGS_RELEASE='-O1 -DNDEBUG' # where Debian's library folder has one level more
check_files "$scratch/shared"
check_files "$scratch/static"
find "$scratch/shared" -name 'libarchive_img.so.*' | grep -q . || die "no versioned shared library"
find "$scratch/static" -name libarchive_img.a | grep -q . || die "no static library"
! find "$scratch/static" -name '*.so*' | grep . || die "a shared library in the static installation"
with_pkg_config "$scratch/shared" ''
with_pkg_config "$scratch/static" --static
with_cmake shared
with_cmake static

# In the static library too, every name that others can collide with is ours.
library=$(find "$scratch/static" -name libarchive_img.a)
foreign=$(nm --extern-only --defined-only --format=posix "$library" | awk 'NF > 2 { print $1 }' | grep -v '^aimg_' || true)
[ -z "$foreign" ] || die "the static library defines names outside aimg_: $foreign"
