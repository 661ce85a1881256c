#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 the Noisewright authors
# SPDX-License-Identifier: Apache-2.0
# queries.sh - nw-synth --queries: each family, rounds and the preset, what they say of themselves and charge, and refusals.
. "$(dirname "$0")/lib.sh"

for family in cat+num prefix halfspace conjunction; do
    new_ledger "$family.nwl" 1
    nw-synth table.csv "${privacy[@]}" --ledger "$family.nwl" -o out.csv --queries "$family" --query-count 40 --query-seed 7 \
        --rows 60 --json >run.json 2>run.err
    is "${family}__runs" "$?" 0
    is "${family}__is_silent" "$(cat run.err)" ''
    is "${family}__has_its_rows" "$(wc -l <out.csv)" 61
    is "${family}__says_what_it_measured" "$(json run.json '[d["queries"][k] for k in ("family", "seed", "rounds")]')" \
        "['$family', 7, 0]"
    is "${family}__measures_all" "$(json run.json 'd["queries"]["measured"] == d["queries"]["workloads"]')" True
    is "${family}__spends_its_budget" "$(json run.json '0.99 < d["receipt"]["epsilon"] <= 1')" True
done
is prefix__draws_as_many_as_asked "$(nw-synth "${privacy[@]}" --estimate --queries prefix --query-count 40 --json |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["queries"]["workloads"])')" 40

new_ledger r.nwl 1
nw-synth table.csv "${privacy[@]}" --ledger r.nwl -o out.csv --queries prefix --query-count 40 --rounds 3 --per-round 4 \
    --preset private-gsd-2023 --rows 50 --json >run.json 2>run.err
is rounds__run "$?" 0
is rounds__measure_what_they_choose "$(json run.json '[d["queries"][k] for k in ("rounds", "measured", "workloads")]')" \
    '[3, 12, 40]'
is rounds__say_what_a_choice_costs "$(json run.json '0 < d["queries"]["choice_epsilon"] < 1')" True
is preset__is_genetic "$(json run.json 'd["engine"]')" genetic
is preset__rows_can_be_said "$(wc -l <out.csv)" 51
nw-ledger show r.nwl --json >show.json
round='d["events"][0]["event"]["event"]["events"][1]["event"]["events"][0]["event"]["type"]'
is rounds__are_in_the_ledger "$(json show.json "$round")" exponential
is rounds__fit_the_budget "$(json show.json '0.99 < d["spent"]["epsilon"] <= 1')" True

nw-synth table.csv "${privacy[@]}" -o a.csv --queries halfspace --query-count 30 --rows 40 --insecure-seed 3 -q -t 1 2>run.err
nw-synth table.csv "${privacy[@]}" -o b.csv --queries halfspace --query-count 30 --rows 40 --insecure-seed 3 -q -t 2 2>run.err
check threads__do_not_change_the_table cmp a.csv b.csv

new_ledger n.nwl 1
refused() { # name, wanted exit code, words, options...
    local name=$1 wanted=$2 words=$3
    shift 3
    nw-synth table.csv "${privacy[@]}" --ledger n.nwl -o none.csv "$@" >run.out 2>run.err
    is "${name}__exit" "$?" "$wanted"
    like "${name}__message" run.err "$words"
}
refused unknown_family 64 'cat\|cat\+num\|prefix\|halfspace' --queries ranges
refused share_of_one 64 'query-share' --queries prefix --query-share 1
refused too_many_rounds 64 'per_round is 5' --queries prefix --query-count 40 --rounds 10 --per-round 5
refused too_many_columns 64 'rounds' --rounds 0
is refused__writes_nothing "$(ls none.csv 2>/dev/null)" ''
nw-ledger show n.nwl --json >show.json
is refused__charges_nothing "$(json show.json 'len(d["events"])')" 0
printf '{"a": 3}' >codes.json
printf 'a\n1\n2\n' >codes.csv
nw-synth codes.csv -s codes.json -e 1 -d 1e-9 -o none.csv --queries prefix >run.out 2>run.err
is no_numbers__exit "$?" 64
like no_numbers__message run.err 'no numeric column'
finish
