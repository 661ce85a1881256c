#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 the Noisewright authors
# SPDX-License-Identifier: Apache-2.0
# parts.sh - nw-synth's measurements as files: fit draws from them at no cost; parts are counted, merged and released once.
. "$(dirname "$0")/lib.sh"

# ---- measurements and fit ----
new_ledger l.nwl 4
nw-synth table.csv "${privacy[@]}" --ledger l.nwl -o out.csv --measurements m.nwm --quiet 2>run.err
is measurements__exit_code $? 0
is measurements__are_charged_once "$(charges l.nwl)" 1
like measurements__are_the_documented_format m.nwm '^\{"format": ?"noisewright-synth-measurements"'
cp out.csv first.csv
nw-synth fit --measurements m.nwm --rows 50 --seed 7 -o out.csv --manifest m.json >run.out 2>run.err
is fit__exit_code $? 0
is fit__prints_nothing "$(cat run.out run.err)" ''
is fit__rows "$(wc -l <out.csv) $(head -n 1 out.csv)" '51 age,sex,region,pay,since'
is fit__costs_nothing "$(charges l.nwl)" 1
is fit__manifest_has_seed_and_cost "$(json m.json 'd["seed"], d["epsilon"], d["event"]["event"]["type"], "receipt" in d')" \
    "(7, None, 'composed', False)"
is fit__manifest_has_the_hash_of_the_table "$(json m.json '[o["blake2b_256"] for o in d["outputs"]]')" \
    "['$(b2sum -l 256 out.csv | cut -d' ' -f1)']"
cp out.csv seeded.csv
nw-synth fit --measurements m.nwm --rows 50 --seed 7 -o out.csv --threads 3
check fit__a_seed_repeats_it cmp out.csv seeded.csv
nw-synth fit --measurements m.nwm --rows 50 --seed 8 -o out.csv
check fit__another_seed_does_not test "$(cmp out.csv seeded.csv >/dev/null; echo $?)" = 1
nw-synth fit --measurements m.nwm --rows 50 -o other.csv
check fit__without_a_seed_every_table_differs test "$(cmp out.csv other.csv >/dev/null; echo $?)" = 1
nw-synth fit --measurements m.nwm -o - --engine genetic --json >/dev/null 2>run.err
is fit__json_and_table_on_stdout "$?" 64
nw-synth fit --measurements m.nwm -o out.csv --rows 9 --json >run.json
is fit__json "$(members run.json rows insecure delta)" '[9, False, None]'
nw-synth table.csv "${privacy[@]}" -o out.csv --insecure-seed 1 --measurements seeded.nwm --quiet 2>/dev/null
nw-synth fit --measurements seeded.nwm -o out.csv --json >run.json 2>run.err
is fit__of_seeded_noise_is_marked "$(json run.json 'd["insecure"]') $(grep -c 'NOT PRIVATE' run.err)" 'True 1'
rm -f out.csv

refuses fit_without_measurements 64 '--measurements: missing' nw-synth fit -o out.csv
refuses fit_without_output 64 '--output: missing' nw-synth fit --measurements m.nwm
refuses fit_of_nothing 66 'nothing.nwm: No such file' nw-synth fit --measurements nothing.nwm -o out.csv
refuses fit_of_a_table 65 'table.csv' nw-synth fit --measurements table.csv -o out.csv
head -c 5000 m.nwm >cut.nwm
refuses fit_of_a_cut_file 65 'cut.nwm.*cut off' nw-synth fit --measurements cut.nwm -o out.csv
python3 -c 'd = bytearray(open("m.nwm", "rb").read()); d[-50] ^= 1; open("bad.nwm", "wb").write(d)'
refuses fit_of_a_damaged_file 65 'bad.nwm.*damaged' nw-synth fit --measurements bad.nwm -o out.csv
refuses fit_over_its_measurements 64 '--output: is the same file as m.nwm' nw-synth fit --measurements m.nwm -o m.nwm
refuses fit_in_no_folder 73 'nowhere/out.csv' nw-synth fit --measurements m.nwm -o nowhere/out.csv
refuses fit_of_a_table_operand 64 'table.csv: one operand too many' nw-synth fit table.csv --measurements m.nwm -o out.csv
refuses fit_has_no_epsilon 64 '--epsilon: no such option' nw-synth fit --measurements m.nwm -o out.csv --epsilon 1
synth=(nw-synth table.csv "${privacy[@]}" --ledger l.nwl -o out.csv)
refuses measurements_are_the_output 64 '--measurements: is the same file' "${synth[@]}" --measurements out.csv
refuses measurements_are_the_table 64 '--measurements: is the same file' "${synth[@]}" --measurements table.csv
refuses measurements_are_a_stream 64 '--measurements: .*regular file' "${synth[@]}" --measurements -
refuses measurements_in_no_folder 73 'nowhere/m.nwm' "${synth[@]}" --measurements nowhere/m.nwm

# ---- a failure after the charge: what was measured is kept ----
kept='^nw-synth: the budget was spent; what was measured is in kept.nwm, nw-synth fit makes tables from it at no cost'
new_ledger k.nwl 4
nw-synth table.csv "${privacy[@]}" --ledger k.nwl -o /dev/full --measurements kept.nwm 2>run.err
is full_device__exit_code $? 74
like full_device__says_what_was_kept run.err "$kept"
check full_device__the_table_can_be_made nw-synth fit --measurements kept.nwm -o out.csv
rm -f out.csv kept.nwm
nw-synth table.csv "${privacy[@]}" --ledger k.nwl --sweeps 100000 --rows 20000 -o out.csv --measurements kept.nwm 2>run.err &
child=$!
for _ in {1..500}; do
    [[ $(charges k.nwl) == 2 ]] && break
    sleep 0.02
done
kill -INT $child
wait $child
is interrupted_fit__exit_code $? 130
like interrupted_fit__says_what_was_kept run.err "$kept"
is interrupted_fit__leaves_no_table "$(leftovers out.csv)" ''
check interrupted_fit__the_table_can_be_made nw-synth fit --measurements kept.nwm -o out.csv
rm -f out.csv

# ---- parts ----
part() { # first line, last line: of the records
    head -n 1 table.csv
    sed 1d table.csv | sed -n "$1,$2p"
}
part 1 120 >a.csv
part 121 121 >b.csv
part 122 300 >c.csv
for name in a b c table; do
    nw-synth measure $name.csv "${privacy[@]}" --partial $name.part >run.out 2>run.err || echo "measure $name failed" >&2
done
is measure__prints_nothing "$(cat run.out run.err)" ''
is measure__only_the_owner_reads_it "$(stat -c %a a.part)" 600
cp a.part again.part
nw-synth measure a.csv "${privacy[@]}" --partial a.part
check measure__is_exact_and_repeats cmp a.part again.part
nw-synth merge a.part b.part c.part -o all.part
is merge__exit_code $? 0
check merge__is_the_whole_table cmp all.part table.part
nw-synth merge c.part a.part -o two.part && nw-synth merge two.part b.part -o two.part
check merge__in_any_order_and_in_place cmp two.part table.part
is merge__only_the_owner_reads_it "$(stat -c %a all.part)" 600
new_ledger r.nwl 4
cp r.nwl l.nwl
release=(nw-synth release all.part --epsilon 1 --delta 1e-9)
"${release[@]}" --ledger r.nwl --measurements r.nwm --manifest r.json 2>run.err
is release__exit_code $? 0
is release__charges_once "$(charges r.nwl)" 1
like release__prints_a_receipt run.err '^privacy +epsilon (1|0\.99[0-9]+), delta 1e-09'
is release__manifest "$(json r.json 'd["epsilon"], d["rows"], [o["path"] for o in d["outputs"]], d["receipt"]["durable"]')" \
    "(1.0, None, ['r.nwm'], True)"
check release__can_be_fitted nw-synth fit --measurements r.nwm -o out.csv
rm -f out.csv
"${release[@]}" --measurements one.nwm --insecure-seed 5 --quiet 2>run.err
like release__seeded_says_so run.err 'NOT PRIVATE'
nw-synth release table.part --epsilon 1 --delta 1e-9 --measurements two.nwm --insecure-seed 5 --quiet 2>/dev/null
check release__noise_comes_once_after_the_merge cmp one.nwm two.nwm

echo '{ "format": "noisewright-constraints", "version": 1, "rules": [
  {"forbid": {"all": [{"column": "sex", "equals": "F"}, {"column": "age", "more_than": 60}]}} ] }' >rules.json
nw-synth measure a.csv "${privacy[@]}" --constraints rules.json --partial ruled.part
nw-synth release ruled.part --epsilon 1 --delta 1e-9 --measurements ruled.nwm --quiet
nw-synth fit --measurements ruled.nwm --rows 3000 -o ruled.csv
is rules__go_with_partials_and_measurements "$? $(awk -F, '$2 == "F" && $1 > 60' ruled.csv | wc -l)" '0 0'
refuses merge_of_other_rules 65 'ruled.part: .*schema' nw-synth merge a.part ruled.part -o out.csv

# any number of partials, one after the other
many=()
for i in {1..30}; do
    part $((10 * i - 9)) $((10 * i)) >many.csv
    nw-synth measure many.csv "${privacy[@]}" --partial "many$i.part" || echo "measure $i failed" >&2
    many+=("many$i.part")
done
nw-synth merge "${many[@]}" -o all_many.part
is merge__takes_thirty $? 0
check merge__of_thirty_is_the_whole_table cmp all_many.part table.part
nw-synth merge -o all_many.part many7.part -- many[1-6].part many8.part many9.part many[123][0-9].part
check merge__options_may_stand_between cmp all_many.part table.part
refuses merge_of_thirty_and_one_again 64 'many7.part: given twice' nw-synth merge "${many[@]}" ./many7.part -o out.csv

# ---- parts by units ----
awk 'NR == 1 { print "who," $0; next } { print "u" int(NR / 5) "," $0 }' table.csv >owned.csv # 5 rows each, neighbours
owned() { # first line, last line: of the records
    head -n 1 owned.csv
    sed 1d owned.csv | sed -n "$1,$2p"
}
owned 1 153 >x.csv
owned 154 300 >y.csv # unit u31 begins with row 154
measured() { # table, partial, options...
    local table=$1 partial=$2
    shift 2
    nw-synth measure "$table" "${privacy[@]}" --unit who --max-rows-per-unit 2 --partial "$partial" "$@"
}
for name in x y owned; do
    measured $name.csv $name.apart --promise-units-apart
    measured $name.csv $name.two --parts 2
done
nw-synth merge x.apart y.apart -o xy.apart && nw-synth merge y.apart x.apart -o yx.apart
check units_apart__merge_in_any_order cmp xy.apart yx.apart
nw-synth merge x.two y.two -o xy.two
is units_in_two_parts__merge $? 0
head_of() { python3 -c 'import json, sys; d = json.loads(open(sys.argv[1], "rb").readline()); print(d["unit"])' "$1"; }
is units_apart__the_promise_is_in_the_partial "$(head_of xy.apart)" \
    "{'column': 'who', 'max_rows': 2, 'parts': None, 'promise': 'all rows of a unit are in one part'}"
is units_in_two_parts__partial_says_so "$(head_of x.two)" "{'column': 'who', 'max_rows': 2, 'parts': 2, 'promise': None}"
is parts__of_records_say_so "$(head_of a.part)" None
for kind in apart two; do
    nw-synth release xy.$kind --epsilon 1 --delta 1e-9 --measurements $kind.nwm --manifest $kind.json 2>$kind.err
    is units_${kind}__release $? 0
done
like units_apart__receipt apart.err '^protected +one who, up to 2 rows, all in one part as promised, neighbours add_remove'
like units_in_two_parts__receipt two.err '^protected +one who, up to 2 rows in each of up to 2 parts, neighbours add_remove'
is units__manifest "$(members apart.json unit max_rows_per_unit promise) $(members two.json unit max_rows_per_unit parts)" \
    "['who', 2, 'all rows of a unit were in one part'] ['who', 2, 2]"
# of the whole file, of units apart, and of two parts the rows that count are the same: the noise is twice that where parts add up
for name in owned.apart xy.apart xy.two; do
    nw-synth release $name --epsilon 1 --delta 1e-9 --measurements $name.nwm --insecure-seed 5 --quiet 2>/dev/null
done
check units_apart__release_is_that_of_the_whole cmp owned.apart.nwm xy.apart.nwm
sigmas() { python3 -c 'import json, sys; print(json.loads(open(sys.argv[1], "rb").readline())["measured"][0]["sigma"])' "$1"; }
is units_in_two_parts__noise_is_twice "$(python3 -c "print(round($(sigmas xy.two.nwm) / $(sigmas xy.apart.nwm), 6))")" 2.0
refuses units_apart__that_are_not 65 'y.apart: .*a unit has rows in two parts' nw-synth merge xy.apart y.apart -o out.csv
refuses units_in_two_parts__three 65 'x.two: .*3 tables of units come together, must be at most 2' \
    nw-synth merge xy.two x.two -o out.csv
refuses units_of_two_kinds 65 'x.two: .*other options' nw-synth merge y.apart x.two -o out.csv
refuses units_and_records 65 'a.part: .*options' nw-synth merge x.two a.part -o out.csv
refuses units__parts_and_promise 64 'parts: given with --promise-units-apart' \
    nw-synth measure x.csv "${privacy[@]}" --unit who --partial out.csv --parts 2 --promise-units-apart
refuses units__parts_without_unit 64 'parts: given without --unit' \
    nw-synth measure table.csv "${privacy[@]}" --partial out.csv --parts 2
refuses units__promise_without_unit 64 'promise-units-apart: given without --unit' \
    nw-synth measure table.csv "${privacy[@]}" --partial out.csv --promise-units-apart
refuses units__too_many_rows 64 'parts is 600000, must be in 1..524288' \
    nw-synth measure x.csv "${privacy[@]}" --unit who --max-rows-per-unit 2 --partial out.csv --parts 600000
python3 -c '
head, _, rest = open("x.two", "rb").read().partition(b"\n")
open("bad.part", "wb").write(head.replace(b"\"max_rows\":2", b"\"max_rows\":1") + b"\n" + rest)'
refuses units__bound_changed_in_the_partial 65 'bad.part: .*options' nw-synth merge bad.part y.two -o out.csv

refuses measure_without_partial 64 '--partial: missing' nw-synth measure table.csv "${privacy[@]}"
refuses measure_without_table 64 'TABLE.csv: missing' nw-synth measure "${privacy[@]}" --partial out.csv
refuses measure_has_no_ledger 64 '--ledger: no such option' \
    nw-synth measure table.csv "${privacy[@]}" --partial out.csv --ledger l.nwl
refuses measure_to_stdout 64 '--partial: .*regular file' nw-synth measure table.csv "${privacy[@]}" --partial -
refuses measure_over_the_table 64 '--partial: is the same file' nw-synth measure table.csv "${privacy[@]}" --partial table.csv
refuses measure_in_no_folder 73 'nowhere/p' nw-synth measure table.csv "${privacy[@]}" --partial nowhere/p
refuses merge_of_one 64 'P2: missing' nw-synth merge a.part -o out.csv
refuses merge_without_output 64 '--output: missing' nw-synth merge a.part b.part
refuses merge_of_twice_the_same 64 'a.part: given twice' nw-synth merge a.part ./a.part -o out.csv
refuses merge_of_a_table 65 'table.csv: is no partial' nw-synth merge a.part table.csv -o out.csv
refuses merge_of_measurements 65 'm.nwm: is no partial' nw-synth merge m.nwm a.part -o out.csv
refuses merge_of_nothing 66 'nothing.part: No such file' nw-synth merge a.part nothing.part -o out.csv
nw-synth measure a.csv --schema schema.json --epsilon 2 --delta 1e-9 --partial two.part
refuses merge_of_other_options 65 'two.part: .*other options' nw-synth merge a.part two.part -o out.csv
nw-synth measure a.csv "${privacy[@]}" --bins 7 --partial two.part
refuses merge_of_other_bins 65 'two.part: .*schema' nw-synth merge a.part two.part -o out.csv
head -c 3000 a.part >cut.part
refuses merge_of_a_cut_partial 65 'cut.part' nw-synth merge b.part cut.part -o out.csv
python3 -c 'd = bytearray(open("a.part", "rb").read()); d[-50] ^= 1; open("bad.part", "wb").write(d)'
refuses release_of_a_damaged_partial 65 'bad.part: .*damaged' \
    nw-synth release bad.part --epsilon 1 --delta 1e-9 --ledger l.nwl --measurements out.csv
refuses release_without_epsilon 64 '--epsilon: missing' nw-synth release all.part --delta 1e-9 --measurements out.csv
refuses release_without_measurements 64 '--measurements: missing' nw-synth release all.part --epsilon 1 --delta 1e-9
refuses release_at_another_epsilon 64 '--epsilon: is 2, must be 1 as when all.part was measured' \
    nw-synth release all.part --epsilon 2 --delta 1e-9 --ledger l.nwl --measurements out.csv
refuses release_at_another_delta 64 '--delta: is 1e-06, must be 1e-09' \
    nw-synth release all.part --epsilon 1 --delta 1e-6 --ledger l.nwl --measurements out.csv
refuses release_over_the_partial 64 '--measurements: is the same file' \
    nw-synth release all.part --epsilon 1 --delta 1e-9 --ledger l.nwl --measurements ./all.part
refuses release_in_no_folder 73 'nowhere/m' \
    nw-synth release all.part --epsilon 1 --delta 1e-9 --ledger l.nwl --measurements nowhere/m
refuses release_seeded_with_ledger 64 '--insecure-seed: .*ledger' \
    nw-synth release all.part --epsilon 1 --delta 1e-9 --ledger l.nwl --measurements out.csv --insecure-seed 1
new_ledger l.nwl 0.5
refuses release_over_budget 3 'l.nwl: the release does not fit' \
    nw-synth release all.part --epsilon 1 --delta 1e-9 --ledger l.nwl --measurements out.csv
finish
