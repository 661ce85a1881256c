#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 the Noisewright authors
# SPDX-License-Identifier: Apache-2.0
# signals.sh - nw-synth interrupted and killed: what is released was charged before, once, and nothing half-made is left.
# $3 is the number of kills (default 20).
. "$(dirname "$0")/lib.sh"
kills=${3:-20}

interrupted='nw-synth: interrupted
nw-synth: the budget was spent and stays spent; nothing was released'

wait_for_charges() { # ledger, number: within 10 s
    for _ in {1..500}; do
        [[ $(charges "$1" 2>/dev/null) == "$2" ]] && return 0
        sleep 0.02
    done
    return 1
}

# A fit of a minute, stopped by a signal as soon as the ledger is charged.
during_fit() { # signal, exit code
    new_ledger fit.nwl 4
    nw-synth table.csv "${privacy[@]}" --sweeps 100000 --rows 20000 --ledger fit.nwl -o out.csv --manifest m.json 2>run.err &
    local child=$! got
    wait_for_charges fit.nwl 1 || not_ok "$1_during_fit__starts" 'never charged' "$(cat run.err)"
    kill -"$1" $child
    wait $child
    got=$?
    if [[ $got != "$2" ]]; then
        not_ok "$1_during_fit" "exit $got, must be $2" "$(cat run.err)"
    elif [[ $(cat run.err) != "$interrupted" ]]; then
        not_ok "$1_during_fit" 'does not say, or not only, that the budget was spent' "$(cat run.err)"
    elif [[ $(charges fit.nwl) != 1 ]]; then
        not_ok "$1_during_fit" "$(charges fit.nwl) charges, must be 1"
    elif leftovers out.csv >/dev/null || leftovers m.json >/dev/null; then
        not_ok "$1_during_fit" "left $(leftovers out.csv) $(leftovers m.json)"
    else
        ok "$1_during_fit"
    fi
}
during_fit INT 130
during_fit TERM 143

# Waiting for a table that does not come: nothing is charged.
while_reading() { # signal, exit code
    new_ledger read.nwl 4
    rm -f pipe.csv
    mkfifo pipe.csv
    nw-synth - "${privacy[@]}" --ledger read.nwl -o out.csv 2>run.err <pipe.csv &
    local child=$! got
    exec 3>pipe.csv
    head -n 20 table.csv >&3
    sleep 0.2
    kill -"$1" $child
    wait $child
    got=$?
    exec 3>&-
    if [[ $got == "$2" && $(charges read.nwl) == 0 ]] && ! leftovers out.csv >/dev/null; then
        ok "$1_while_reading"
    else
        not_ok "$1_while_reading" "exit $got, must be $2; $(charges read.nwl) charges, must be 0; left $(leftovers out.csv)" \
            "$(cat run.err)"
    fi
}
while_reading INT 130
while_reading TERM 143

# Killed at random points of runs that last some 60 ms: never more outputs than charges, and every output whole.
new_ledger kill.nwl 60
mkdir outputs
for ((i = 0; i < kills; i++)); do
    nw-synth table.csv "${privacy[@]}" --rows 300 --sweeps 40 --ledger kill.nwl -o outputs/$i.csv --quiet 2>/dev/null &
    child=$!
    ((i % 4 == 0)) || sleep "0.$(printf %03d $((RANDOM % 70 + 1)))" # some before the charge
    kill -KILL $child 2>/dev/null
    wait $child 2>/dev/null
done
released=$(compgen -G 'outputs/*.csv' | wc -l)
charged=$(charges kill.nwl)
echo "# $kills runs killed, $charged charges, $released outputs"
check killed__no_output_uncharged test "$released" -le "$charged"
check killed__no_more_charges_than_runs test "$charged" -le "$kills"
check killed__ledger_verifies nw-ledger verify kill.nwl
whole=0
for file in outputs/*.csv; do
    [[ -f $file && $(wc -l <"$file") == 301 ]] && whole=$((whole + 1))
done
check killed__outputs_are_whole test "$whole" = "$released"
check killed__ledger_still_works nw-synth table.csv "${privacy[@]}" --ledger kill.nwl -o out.csv
check killed__and_is_charged_once_more test "$(charges kill.nwl)" = "$((charged + 1))"
finish
