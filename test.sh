#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 the Noisewright authors
# SPDX-License-Identifier: Apache-2.0
# test.sh - set-up, then all tests. The last line is "N passed, N failed, N skipped"; the exit code is 0 only if nothing failed
# and something passed. Options go to setup.sh.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

./setup.sh --with-test-tools "$@"

echo
status=0
rm -f build/meson-logs/testlog.json
meson test -C build --no-rebuild --timeout-multiplier 3 --print-errorlogs </dev/null || status=$?
python3 tests/tally.py --exit-code "$status" build/meson-logs/testlog.json
