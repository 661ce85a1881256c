#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 the Noisewright authors
# SPDX-License-Identifier: Apache-2.0
# runs.sh - nw-synth doing its work: files in and out, receipts, estimates, the terminal, and what happens when writing fails.
. "$(dirname "$0")/lib.sh"

in_domain() { # file, rows: the schema's columns in order, every cell of its column's domain
    python3 - "$1" "$2" <<'EOF'
import csv, gzip, re, sys
rows = list(csv.reader((gzip.open if sys.argv[1].endswith(".gz") else open)(sys.argv[1], "rt")))
assert rows[0] == ["age", "sex", "region", "pay", "since"], rows[0]
assert len(rows) - 1 == int(sys.argv[2]), len(rows)
for age, sex, region, pay, since in rows[1:]:
    assert age == "" or 17 <= int(age) <= 90, age
    assert sex in ("F", "M"), sex
    assert 0 <= int(region) < 4, region
    assert pay == "" or re.fullmatch(r"\d+(\.\d\d)?", pay) and float(pay) <= 1000, pay
    assert since == "" or "2000-01-01" <= since <= "2019-12-31", since
assert len({tuple(r) for r in rows}) > len(rows) / 2, "hardly any row differs"
EOF
}

# ---- the short command of the README ----
nw-synth table.csv "${privacy[@]}" -o out.csv >run.out 2>run.err
is short_command $? 0
is short_command__stdout_is_empty "$(cat run.out)" ''
check short_command__rows_are_valid in_domain out.csv "$(($(wc -l <out.csv) - 1))"
like receipt__names_epsilon_and_delta run.err 'epsilon (1|0\.99[0-9]+), delta 1e-09, rounded up'
like receipt__names_neighbours run.err 'one record, neighbours add_remove'
like receipt__says_that_nothing_durable_was_kept run.err 'in memory only: nothing durable'
like receipt__says_what_is_unprotected run.err '^unprotected '
mv out.csv first.csv
nw-synth table.csv "${privacy[@]}" -o out.csv --quiet >run.out 2>run.err
is quiet__prints_nothing "$(cat run.out run.err)" ''
if cmp -s first.csv out.csv; then not_ok two_runs_differ; else ok two_runs_differ; fi

# ---- JSON, ledger, manifest ----
new_ledger l.nwl 4
nw-synth table.csv "${privacy[@]}" --adjacency add_remove --rows 77 --engine genetic --threads 2 --select all --ledger l.nwl \
    -o out.csv \
    --json --manifest m.json >run.json 2>run.err
is json_run $? 0
is json_run__stderr_is_empty "$(cat run.err)" ''
is json__values "$(members run.json epsilon delta adjacency rows engine insecure output)" \
    "[1.0, 1e-09, 'add_remove', 77, 'genetic', False, 'out.csv']"
is json__seconds "$(json run.json '0 < d["seconds"] < 20')" True
is json__measurements_of_pairs "$(json run.json 'sum(len(m["columns"]) == 2 for m in d["measurements"])')" 10
is json__measurements_of_columns \
    "$(json run.json 'len({m["columns"][0] for m in d["measurements"] if len(m["columns"]) == 1})')" 5
is json__measurement "$(json run.json '[m["cells"] for m in d["measurements"] if m["columns"] == ["sex"]]')" '[2]'
json run.json 'json.dumps(d["receipt"])' >receipt.json
is json__receipt "$(members receipt.json delta adjacency unit method sequence durable insecure)" \
    "[1e-09, 'add_remove', 'one record', 'gdp', 1, True, False]"
is json__receipt_is_within_what_was_asked "$(json run.json '0.99 < d["receipt"]["epsilon"] <= 1')" True
check json__rows_are_valid in_domain out.csv 77
nw-ledger show l.nwl --json >show.json
is ledger_head_is_the_receipts "$(json show.json 'd["head"]')" "$(json run.json 'd["receipt"]["head"]')"
is ledger_spent_is_the_receipts "$(json show.json 'd["spent"]["epsilon"]')" "$(json run.json 'd["receipt"]["epsilon"]')"
sigma='float.fromhex(d["events"][0]["event"]["event"]["events"][0]["event"]["sigma"])'
is ledger_events_have_the_noise "$(json show.json "$sigma")" "$(json run.json 'd["measurements"][0]["sigma"]')"
shared=(epsilon delta adjacency rows engine insecure library receipt measurements)
is manifest__agrees_with_json "$(members m.json "${shared[@]}")" "$(members run.json "${shared[@]}")"
is manifest__keys "$(json m.json 'sorted(d)')" "['adjacency', 'bins', 'chains', 'delta', 'engine', 'epsilon', 'event', 'format', \
'format_version', 'insecure', 'library', 'measurements', 'outputs', 'receipt', 'rows', 'schema_hash', 'seed', 'select', 'sweeps']"
nw-synth table.csv "${privacy[@]}" --adjacency replace-one -o out.csv --json >run.json
is replace_one__keeps_the_number_of_rows "$(json run.json '(d["adjacency"], d["rows"])')" "('replace_one', 300)"
is replace_one__receipt "$(json run.json 'd["receipt"]["adjacency"]')" replace_one

# ---- files ----
mkdir -p 'a folder/größe'
cp table.csv 'a folder/größe/ta ble.csv'
cp schema.json $'a folder/größe/sch\xffema.json'
check unicode_and_blanks nw-synth 'a folder/größe/ta ble.csv' \
    --schema $'a folder/größe/sch\xffema.json' --epsilon 1 --delta 1e-9 -n 9 -o 'a folder/größe/o ut.csv'
check unicode_and_blanks__output in_domain 'a folder/größe/o ut.csv' 9
nw-synth table.csv "${privacy[@]}" -n 5 -o $'a folder/\xff\n.csv' --json >run.json
is odd_name_in_json "$(json run.json 'd["output"]')" $'a folder/?\n.csv'
nw-synth - "${privacy[@]}" -n 9 -o - <table.csv >piped.csv 2>run.err
check stdin_to_stdout in_domain piped.csv 9
gzip -c table.csv | nw-synth - "${privacy[@]}" -n 9 -o zipped.csv.gz --quiet
check gzip_to_gzip in_domain zipped.csv.gz 9
check output_in_option_with_equals nw-synth table.csv --schema=schema.json --epsilon=1 --delta=1e-9 --output=equals.csv -n9 -q
check output_in_option_with_equals__file in_domain equals.csv 9
cp table.csv ./-table.csv
check operand_after_two_dashes nw-synth "${privacy[@]}" -o out.csv -q -- -table.csv
sed 's/$/\r/' table.csv >crlf.csv
for form in table.csv crlf.csv; do
    nw-synth "$form" "${privacy[@]}" --insecure-seed 5 -o "seeded-$form" 2>/dev/null
done
check crlf_reads_as_lf cmp seeded-table.csv seeded-crlf.csv

# ---- the same seed, any number of threads ----
for engine in gibbs genetic; do
    for threads in 1 2; do
        nw-synth table.csv "${privacy[@]}" --engine $engine --insecure-seed 7 --threads $threads -o $threads.csv --json \
            >run.json 2>run.err
    done
    check "${engine}__does_not_depend_on_threads" cmp 1.csv 2.csv
done
is insecure_seed__marks_json "$(json run.json 'd["insecure"], d["receipt"]["insecure"]')" '(True, True)'
like insecure_seed__warns run.err '^nw-synth: NOT PRIVATE'
nw-synth table.csv "${privacy[@]}" --insecure-seed 8 -o 2.csv 2>run.err
like insecure_seed__marks_receipt run.err '^NOT PRIVATE '
if cmp -s 1.csv 2.csv; then not_ok another_seed_another_table; else ok another_seed_another_table; fi

# ---- what is selected ----
new_ledger s.nwl 2
nw-synth table.csv "${privacy[@]}" --adjacency add-remove --select adaptive --ledger s.nwl -o rounds.csv \
    --json >run.json 2>run.err
is select_adaptive $? 0
is select_adaptive__says_so "$(json run.json 'd["select"]')" adaptive
is select_adaptive__charges_once "$(charges s.nwl)" 1
is select_adaptive__is_within_what_was_asked "$(json run.json '0.99 < d["receipt"]["epsilon"] <= 1')" True
part='float.fromhex(e.get("event", e)["sigma"]) ** -2 * e.get("count", 1)'
mu="sum($part for e in d['event']['event']['events'])"
is select_adaptive__measures_within_the_charge \
    "$(json run.json "0 < sum(m['sigma'] ** -2 for m in d['measurements']) < $mu")" True
check select_adaptive__rows_are_valid in_domain rounds.csv "$(($(wc -l <rounds.csv) - 1))"
nw-synth table.csv "${privacy[@]}" --select most -o out.csv 2>run.err
is select__unknown $? 64
like select__unknown_is_named run.err 'select.*"most", must be one of auto.all.adaptive'
nw-synth table.csv "${privacy[@]}" --select adaptive --queries prefix --ledger s.nwl -o out.csv 2>run.err
is select_adaptive__refuses_queries $? 64
is select_adaptive__refused_charges_nothing "$(charges s.nwl)" 1
nw-synth nothing.csv "${privacy[@]}" --select adaptive --estimate >run.out
like select_adaptive__estimate_counts_candidates run.out '^then rounds, which choose among 15 marginals'

# ---- estimate: reads no data (a pipe without a writer would wait for ever), charges nothing, writes nothing ----
mkfifo pipe.csv
rm -f out.csv
timeout 5 nw-synth pipe.csv "${privacy[@]}" --estimate --rows 1000 --ledger l.nwl -o out.csv >run.out 2>run.err
is estimate $? 0
like estimate__says_what_it_assumes run.out 'assuming 1000 records'
like estimate__lists_pairs run.out ' age x pay$'
is estimate__writes_nothing "$(leftovers out.csv)" ''
is estimate__charges_nothing "$(charges l.nwl)" 1
nw-synth nothing.csv "${privacy[@]}" --select all --estimate --rows 1000 --json >run.json
sigmas='[m["sigma"] for m in d["measurements"]]'
is estimate_json__agrees_with_a_run "$(json run.json "$sigmas")" "$(json m.json "$sigmas")"
# sex: 2 cells; half the sum of two |N(0, sigma)| over 1000 records
error='[round(m["expected_error"] / (m["sigma"] * 0.7978845608028654 / 1000), 9) for m in d["measurements"]
    if m["columns"] == ["sex"]]'
is estimate_json__error "$(json run.json "$error")" '[1.0]'
nw-synth "${privacy[@]}" --estimate --json >run.json
is estimate_json__without_rows "$(json run.json 'd["measurements"][1]["expected_error"]')" None

# ---- writing fails after the charge: the message says what was spent, and no part of a file is left ----
spent() { # name, exit code, ledger, charges it must have, output that must not be there
    is "${1}__exit_code" "$got" "$2"
    like "${1}__says_that_it_was_spent" run.err '^nw-synth: the budget was spent and stays spent'
    is "${1}__charged_once" "$(charges "$3")" "$4"
    is "${1}__leaves_nothing" "$(leftovers "$5")" ''
}
new_ledger f.nwl 10
nw-synth table.csv "${privacy[@]}" --ledger f.nwl -o /dev/full 2>run.err
got=$?
spent full_device 74 f.nwl 1 none
nw-synth table.csv "${privacy[@]}" --ledger f.nwl -o - 2>run.err >/dev/full
got=$?
spent full_stdout 74 f.nwl 2 none
nw-synth table.csv "${privacy[@]}" --ledger f.nwl --rows 20000 -o - 2>run.err | head -n 1 >/dev/null
got=${PIPESTATUS[0]}
spent closed_pipe 74 f.nwl 3 none
rm -f out.csv
(ulimit -f 64 && exec nw-synth table.csv "${privacy[@]}" --ledger f.nwl --rows 10000 -o out.csv 2>run.err)
got=$?
spent file_too_large 74 f.nwl 4 out.csv
if unshare -m true 2>/dev/null; then
    mkdir disk
    cat >on_small_disk.sh <<'EOF'
mount -t tmpfs -o size=64k none disk || exit 1
echo old >disk/out.csv
nw-synth "$@"
code=$?
(ls disk && cat disk/out.csv) >disk.ls
exit $code
EOF
    unshare -m sh on_small_disk.sh table.csv "${privacy[@]}" --ledger f.nwl --rows 10000 -o disk/out.csv 2>run.err
    got=$?
    spent full_disk 74 f.nwl 5 none
    is full_disk__keeps_the_old_file "$(cat disk.ls)" $'out.csv\nold'
else
    skip full_disk 'no mount name space'
fi

# ---- terminal ----
on_terminal() { # environment assignments..., then the program's further options
    env "$@" script -qec "nw-synth table.csv ${privacy[*]} --rows 3000 --sweeps 60 -o out.csv" /dev/null </dev/null >terminal.out
}
if script -qec true /dev/null </dev/null >terminal.out 2>&1; then
    on_terminal TERM=xterm
    like terminal__shows_a_bar terminal.out '[#.]{30}.* %'
    like terminal__shows_colour terminal.out $'\033\\[36m'
    on_terminal TERM=xterm NO_COLOR=1
    like no_color__shows_a_bar terminal.out '[#.]{30}.* %'
    unlike no_color__has_no_colour terminal.out $'\033\\[3'
    on_terminal TERM=dumb
    unlike dumb_terminal__has_no_bar terminal.out '[#.]{10}'
else
    skip terminal 'no script(1), or no terminal to be had'
fi
# ---- a file is read twice and not held; a pipe is held ----
nw-synth table.csv "${privacy[@]}" -o file.csv --insecure-seed 11 --quiet 2>/dev/null
nw-synth - "${privacy[@]}" -o held.csv --insecure-seed 11 --quiet <table.csv 2>/dev/null
check two_readings__give_what_a_table_in_memory_gives cmp file.csv held.csv
nw-synth <(cat table.csv) "${privacy[@]}" -o held.csv --insecure-seed 11 --quiet 2>/dev/null
check two_readings__are_not_asked_of_a_pipe cmp file.csv held.csv
gzip -c table.csv >table.csv.gz
nw-synth table.csv.gz "${privacy[@]}" -o zipped.csv --insecure-seed 11 --quiet 2>/dev/null
check two_readings__of_gzip cmp file.csv zipped.csv
finish
