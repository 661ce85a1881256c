#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 the Noisewright authors
# SPDX-License-Identifier: Apache-2.0
# constant_time.sh PROGRAM... - no report's time may depend on a secret: runs secrets.c under valgrind's memcheck, in each build
# that it is given in, and once with each planted leak, which has to be found.
set -uo pipefail
if [ $# = 0 ] || ! command -v valgrind >/dev/null; then
    echo "1..0 # SKIP no valgrind"
    exit 0
fi

complaint=99
failed=0
count=0

# case NAME WANTED_EXIT_CODE PROGRAM [LEAK]
check()
{
    local name=$1 wanted=$2
    shift 2
    local output code
    output=$(valgrind --quiet --error-exitcode=$complaint --track-origins=yes "$@" 2>&1)
    code=$?
    count=$((count + 1))
    if [ $code = "$wanted" ]; then
        echo "ok $count - $name"
    else
        echo "not ok $count - $name: exit code $code, must be $wanted"
        echo "$output" | head -40 | sed 's/^/# /'
        failed=1
    fi
}

echo "1..$(($# + 2))"
for program in "$@"; do
    check "$(basename "$program")__tells_no_secret" 0 "$program"
done
check "secrets__finds_a_branch" $complaint "$1" branch
check "secrets__finds_an_index" $complaint "$1" index
exit $failed
