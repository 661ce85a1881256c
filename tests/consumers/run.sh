#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 the Noisewright authors
# SPDX-License-Identifier: Apache-2.0
# run.sh KIND BUILD_FOLDER - builds and runs consumer.c (with the device's library: device.c) against the installed library, or
# with it as a subproject.
# The library is installed into a temporary folder and moved once more, so nothing may depend on where it was configured to live.
set -euo pipefail
kind=$1
build=$2
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source_root=$(cd "$here/../.." && pwd)
skip=77 # meson's exit code of a skipped test
read -ra cc <<<"${CC:-cc}"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Sets prefix and libdir to a moved copy of the installation.
install_elsewhere()
{
    meson install -C "$build" --no-rebuild --quiet --destdir "$work/stage" >/dev/null
    local header
    header=$(find "$work/stage" -name noisewright.h)
    mv "$(dirname "$(dirname "$header")")" "$work/prefix"
    prefix=$work/prefix
    libdir=$(dirname "$(find "$prefix" -name libnoisewright.a)")
    export PKG_CONFIG_PATH=$libdir/pkgconfig
}

# Fails unless PROGRAM runs, and links the shared library exactly if that is wanted.
check_program()
{
    local program=$1 wanted=$2 linked=static
    if readelf -d "$program" | grep -q 'NEEDED.*libnoisewright'; then
        linked=shared
    fi
    [ "$linked" = "$wanted" ] || { echo "$program is linked $linked, not $wanted"; exit 1; }
    LD_LIBRARY_PATH=$libdir "$program"
}

case "$kind" in
pkgconfig)
    install_elsewhere
    # shellcheck disable=SC2046 # the flags are words
    "${cc[@]}" -std=c11 -Wall -Wextra -Werror "$here/consumer.c" $(pkg-config --cflags --libs noisewright) -o "$work/consumer"
    check_program "$work/consumer" shared
    ;;
static)
    install_elsewhere
    rm "$libdir"/libnoisewright.so*
    # shellcheck disable=SC2046
    "${cc[@]}" -std=c11 "$here/consumer.c" $(pkg-config --static --cflags --libs noisewright) -o "$work/consumer"
    check_program "$work/consumer" static
    ;;
client)
    # The device's library alone: small, and in need of nothing but memory functions and its own names.
    install_elsewhere
    rm "$libdir"/libnoisewright.*
    # shellcheck disable=SC2046
    "${cc[@]}" -std=c11 -Wall -Wextra -Werror "$here/device.c" $(pkg-config --cflags --libs noisewright-client) -o "$work/device"
    "$work/device"
    cp "$libdir/libnoisewright-client.a" "$work/stripped.a"
    strip --strip-unneeded "$work/stripped.a"
    size=$(stat -c %s "$work/stripped.a")
    [ "$size" -lt 65536 ] || { echo "libnoisewright-client.a has $size bytes stripped, must have less than 65536"; exit 1; }
    needs=$(nm --undefined-only "$libdir/libnoisewright-client.a" | awk 'NF == 2 { print $2 }' | sort -u |
        grep -Ev '^(nw_.*|mem(cpy|set|cmp|move)|__stack_chk_fail|_GLOBAL_OFFSET_TABLE_|__mem(cpy|set)_chk|bcmp)$' || true)
    [ -z "$needs" ] || { echo "libnoisewright-client.a needs $needs"; exit 1; }
    ;;
mpi)
    command -v mpicc >/dev/null && command -v mpirun >/dev/null || { echo "skipped: no mpicc or mpirun"; exit $skip; }
    [ -e "$build/libnoisewright-mpi.so" ] || { echo "skipped: built without MPI"; exit $skip; }
    install_elsewhere
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 LD_LIBRARY_PATH=$libdir
    # shellcheck disable=SC2046
    OMPI_CC="${cc[*]}" mpicc -std=c11 -Wall -Wextra "$source_root/examples/mpi.c" $(pkg-config --cflags --libs noisewright-mpi) \
        -o "$work/program"
    if readelf -d "$libdir/libnoisewright.so" | grep 'NEEDED.*libmpi'; then
        echo "libnoisewright should not need MPI"
        exit 1
    fi
    timeout 60 mpirun --oversubscribe --mca mpi_yield_when_idle 1 -n 2 "$work/program" | tee "$work/out"
    [ "$(grep -c 'on 2 processes' "$work/out")" = 2 ] || { echo "one process should tell of two groups"; exit 1; }
    ;;
cmake)
    command -v cmake >/dev/null || { echo "skipped: no cmake"; exit $skip; }
    install_elsewhere
    cmake -G Ninja -S "$here/cmake" -B "$work/cmake" -DCMAKE_PREFIX_PATH="$prefix" -DCONSUMER_SOURCE="$here/consumer.c"
    cmake --build "$work/cmake"
    check_program "$work/cmake/consumer" shared
    check_program "$work/cmake/consumer_static" static
    ;;
subproject)
    mkdir -p "$work/parent/subprojects"
    cp "$here/consumer.c" "$here/subproject/meson.build" "$work/parent"
    ln -s "$source_root" "$work/parent/subprojects/noisewright"
    meson setup "$work/build" "$work/parent"
    ninja -C "$work/build"
    libdir=$work/build/subprojects/noisewright
    check_program "$work/build/consumer" shared
    if find "$libdir" -name 'test_*' -o -name 'nw-[a-z]*' -type f -executable | grep .; then
        echo "a subproject should build neither tests nor programs"
        exit 1
    fi
    ;;
*)
    echo "unknown kind $kind" >&2
    exit 64
    ;;
esac
