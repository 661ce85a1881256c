#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 the Noisewright authors
# SPDX-License-Identifier: Apache-2.0
# setup.sh - installs what the build needs (Debian packages, by name) and builds a release into build/.
# Needs neither root nor a network once the packages are there. May be run again at any time.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

build_packages=(gcc libc6-dev binutils meson ninja-build pkg-config
    libsodium-dev libgsl-dev libsqlite3-dev libjansson-dev zlib1g-dev libcmocka-dev libopenblas0)
# clang-14's runtimes: sanitizers and OpenMP; cmake and g++ for the packaging tests; man-db to read the man pages; Open MPI for
# nw-hitters on several processes.
test_packages=(clang libclang-rt-14-dev libomp-14-dev valgrind cmake g++ man-db openmpi-bin libopenmpi-dev)

usage()
{
    cat <<'END'
usage: ./setup.sh [--with-test-tools] [--no-install] [-Doption=value ...]
  --with-test-tools  also install what only the tests use: clang, valgrind, cmake, g++, man-db, Open MPI
  --no-install       build only; do not look for missing packages
  -Doption=value     handed to meson, for example -Dreal_data_dir=DIR
END
}

packages=("${build_packages[@]}")
install=yes
meson_options=()
for argument in "$@"; do
    case "$argument" in
    --with-test-tools) packages+=("${test_packages[@]}") ;;
    --no-install) install=no ;;
    -D?*=*) meson_options+=("$argument") ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; exit 64 ;;
    esac
done

missing_packages()
{
    local package
    for package in "${packages[@]}"; do
        dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || echo "$package"
    done
}

# Runs a command as root, or says what the user has to do.
as_root()
{
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        echo "setup.sh: packages are missing, and this is neither root nor is there sudo; as root, run:" >&2
        echo "  apt-get install ${missing[*]}" >&2
        exit 1
    fi
}

install_missing()
{
    local -a apt=(env DEBIAN_FRONTEND=noninteractive apt-get -q -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300)
    local try
    echo "setup.sh: installing ${missing[*]}"
    for try in 1 2 3; do
        if as_root "${apt[@]}" update </dev/null &&
            as_root "${apt[@]}" install -y --no-install-recommends "${missing[@]}" </dev/null; then
            return 0
        fi
        echo "setup.sh: attempt $try failed" >&2
        sleep $((5 * try))
    done
    echo "setup.sh: could not install: ${missing[*]}" >&2
    return 1
}

if [ "$install" = yes ]; then
    if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
        echo "setup.sh: not a Debian system; install the equivalents of these, then run ./setup.sh --no-install:" >&2
        echo "  ${packages[*]}" >&2
        exit 1
    fi
    mapfile -t missing < <(missing_packages)
    if [ "${#missing[@]}" -gt 0 ]; then
        install_missing
    fi
fi

if [ ! -f build/build.ninja ]; then
    meson setup build "${meson_options[@]}"
elif [ "${#meson_options[@]}" -gt 0 ]; then
    meson configure build "${meson_options[@]}"
fi
ninja -C build
