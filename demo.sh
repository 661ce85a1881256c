#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 the Noisewright authors
# SPDX-License-Identifier: Apache-2.0
# demo.sh - set-up, then the main job: a private synthetic table, with its receipt, charged to a ledger. Everything is made in
# build/demo/ and may be made again. Options go to setup.sh.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

./setup.sh "$@"

schema=datasets/census.json
table=build/datasets/census.csv
out=build/demo
PATH=$PWD/build/apps:$PATH
rm -rf "$out"
mkdir -p "$out"

# Prints a command as one would type it, then runs it.
run()
{
    printf '\n$ %s\n' "$*"
    "$@"
}

# Per cent of the rows of FILE for which an awk condition on columns, value("age"), holds: share FILE CONDITION
share()
{
    awk -F, 'function value(name) { return $(col[name]) }
        NR == 1 { for (i = 1; i <= NF; i++) col[$i] = i; next }
        '"$2"' { n++ }
        END { printf "%.2f", 100 * n / (NR - 1) }' "$1"
}

# One line of the comparison: compare WORDS CONDITION
compare()
{
    printf '  %-48s %6s %% %8s %%\n' "$1" "$(share "$table" "$2")" "$(share "$out/synthetic.csv" "$2")"
}

echo
echo "== A table of $(($(wc -l <"$table") - 1)) people. It is made up ($table), so this demo may show it."
head -n 4 "$table"

echo
echo "== 1. A ledger holds the budget: what all releases from this table together may cost."
run nw-ledger create "$out/census.nwl" --epsilon 2 --delta 1e-9 --adjacency add-remove

echo
echo "== 2. A synthetic table at epsilon 1. The charge is on disk before the first random number is drawn."
run nw-synth "$table" --schema "$schema" --epsilon 1 --delta 1e-9 --adjacency add-remove --ledger "$out/census.nwl" \
    --manifest "$out/synthetic.json" -o "$out/synthetic.csv"
echo
head -n 4 "$out/synthetic.csv"

echo
echo "== 3. The ledger keeps every charge."
run nw-ledger show "$out/census.nwl"

echo
echo "== 4. How good is it? Only a made-up table may be compared like this: with a real one, these figures would be a leak."
printf '  %-48s %8s %10s\n' "share of people" "original" "synthetic"
compare "women" 'value("sex") == "F"'
compare "without employment" 'value("employed") == "false"'
compare "in exactly 40 hours a week" 'value("hours") == 40'
compare "women in health" 'value("sex") == "F" && value("occupation") == "health"'
compare "widowed, 66 or older" 'value("marital") == "widowed" && value("age") >= 66'
compare "master or doctorate, in the capital" 'value("education") ~ /^(master|doctorate)$/ && value("region") == "capital"'
compare "women with children, under 30 hours (3 columns)" \
    'value("sex") == "F" && value("children") > 0 && value("hours") != "" && value("hours") < 30'

echo
echo "== 5. What the budget does not allow is refused, before anything is drawn."
status=0
run nw-synth "$table" --schema "$schema" --epsilon 2 --delta 1e-9 --adjacency add-remove --ledger "$out/census.nwl" \
    -o "$out/second.csv" || status=$?
if [ "$status" -ne 3 ] || [ -e "$out/second.csv" ]; then
    echo "demo.sh: the ledger should have refused this with exit code 3, not $status" >&2
    exit 1
fi

echo
echo "== 6. Planning: what training a model on the same people would cost; the noise that epsilon 2 asks for. No data is read."
run nw-account dpsgd --q 0.01 --sigma 1 --steps 10000 --delta 1e-5
run nw-account dpsgd --q 0.01 --steps 10000 --epsilon 2 --delta 1e-5

cat <<END

Done: the table, its manifest and the ledger are in $out/. Next:
  nw-synth --help                  (in build/apps/) everything it can do; --estimate prints cost and error without reading data
  nw-account --help                what mechanisms cost, and what meets a target
  docs/tutorial.md                 the same with your own CSV, step by step
  docs/threat-model.md             what is protected, and what is not
  ./test.sh                        all tests
END
