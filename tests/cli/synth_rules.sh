#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 the Noisewright authors
# SPDX-License-Identifier: Apache-2.0
# synth_rules.sh - nw-synth with rules, with units of several rows, and with a schema that is inferred.
. "$(dirname "$0")/lib.sh"

# ---- rules ----
cat >rules.json <<'END'
{ "format": "noisewright-constraints", "version": 1, "rules": [
  {"name": "the young earn nothing", "if": {"column": "age", "less_than": 33}, "then": {"column": "pay", "missing": true}},
  {"function": {"from": "region", "to": "sex", "table": [[0, "F"], [1, "M"], [2, "M"], [3, "F"]]}},
  {"forbid": {"all": [{"column": "since", "at_least": "2010-07-15"}, {"column": "age", "more_than": 60}]}},
  {"name": "pay by age", "linear": {"pay": 1, "age": -10}, "at_most": 0.5} ] }
END
cat >check.py <<'END'
import csv, sys
broken = 0
for r in csv.DictReader(open(sys.argv[1])):
    age, pay = r["age"] and int(r["age"]), r["pay"] and float(r["pay"])
    broken += age != "" and age < 33 and pay != ""
    broken += r["sex"] != {"0": "F", "1": "M", "2": "M", "3": "F"}[r["region"]]
    broken += r["since"] >= "2010-07-15" and age != "" and age > 60
    broken += age != "" and pay != "" and round(pay * 100) > 1000 * age + 50
print(broken)
END
check rules__records_break_them test "$(python3 check.py table.csv)" -gt 100
for options in '' '--bins 7' '--adjacency replace-one --rows 2000' '--chains 1 --sweeps 1'; do
    # shellcheck disable=SC2086
    nw-synth table.csv "${privacy[@]}" --constraints rules.json -o out.csv $options --quiet
    is "rules__none_is_broken_with_${options// /_}" "$? $(python3 check.py out.csv)" '0 0'
    rm -f out.csv
done
nw-synth table.csv "${privacy[@]}" --constraints rules.json -o kept1.csv --insecure-seed 5 --threads 1 --quiet 2>/dev/null
nw-synth table.csv "${privacy[@]}" --constraints rules.json -o kept2.csv --insecure-seed 5 --threads 3 --quiet 2>/dev/null
nw-synth table.csv "${privacy[@]}" --constraints rules.json -o kept2.csv -m kept.json --insecure-seed 5 --quiet 2>/dev/null
is rules__manifest_has_them "$(json kept.json 'len(d["constraints"]["rules"])')" 4
check rules__threads_do_not_matter cmp kept1.csv kept2.csv
nw-synth --schema schema.json --epsilon 1 --delta 1e-9 -c rules.json --estimate >run.txt 2>run.err
is rules__estimate "$?" 0

new_ledger l.nwl 4
bad() { # name, exit code, pattern, rules
    printf '{"format": "noisewright-constraints", "version": 1, "rules": [%s]}' "$4" >bad.json
    refuses "$1" "$2" "$3" nw-synth table.csv "${privacy[@]}" -c bad.json -o out.csv --ledger l.nwl
}
bad rules__unknown_column 65 'rule 1: the schema has no column "nobody"' '{"order": ["age", "nobody"]}'
bad rules__unknown_label 65 '"X" is no value of column "sex"' '{"forbid": {"column": "sex", "equals": "X"}}'
bad rules__unknown_key 65 'unknown key "iff"' '{"iff": 1, "then": {"column": "age", "missing": true}}'
bad rules__no_row_possible 65 'no row can keep all rules' '{"forbid": {"column": "region", "at_least": 0}}'
bad rules__no_label_possible 65 'no row with the value "F" of column "sex"' '{"forbid": {"column": "sex", "equals": "F"}}'
bad rules__malformed 65 'bad.json: line 1, column' '{]'
refuses rules__missing_file 66 'nowhere.json' nw-synth table.csv "${privacy[@]}" -c nowhere.json -o out.csv --ledger l.nwl
refuses rules__other_engine 64 'engine: is genetic, must be gibbs' nw-synth table.csv "${privacy[@]}" -c rules.json -o out.csv \
    --engine genetic --ledger l.nwl
refuses rules__other_engine_by_preset 64 'preset: is given with --constraints, which the genetic engine does not keep' \
    nw-synth table.csv "${privacy[@]}" -c rules.json -o out.csv --preset private-gsd-2023 --queries prefix --ledger l.nwl
refuses rules__output_over_rules 64 'output' nw-synth table.csv "${privacy[@]}" -c rules.json -o rules.json --ledger l.nwl
is rules__refusals_charge_nothing "$(charges l.nwl)" 0
for family in cat+num prefix halfspace conjunction; do
    nw-synth table.csv "${privacy[@]}" -c rules.json -o queried.csv --rows 2000 --queries $family --query-count 100 --quiet
    is rules__with_$family "$? $(python3 check.py queried.csv)" '0 0'
done
nw-synth table.csv "${privacy[@]}" -c rules.json -o queried.csv --rows 2000 --queries prefix --query-count 50 --rounds 3 --quiet
is rules__with_rounds "$? $(python3 check.py queried.csv)" '0 0'

# ---- units ----
awk 'NR == 1 { print "who," $0; next } { print "u" NR % 40 "," $0 }' table.csv >owned.csv
nw-synth owned.csv "${privacy[@]}" --unit who --max-rows-per-unit 3 -o by_unit.csv -m unit.json 2>run.err
is unit__exit_code $? 0
is unit__is_not_released "$(head -n 1 by_unit.csv)" age,sex,region,pay,since
like unit__receipt run.err '^protected +one who, up to 3 rows, neighbours add_remove'
unlike unit__receipt_protects_persons run.err 'a person with several records'
is unit__manifest "$(members unit.json unit max_rows_per_unit)" "['who', 3]"
sigma() { json "$1" 'd["measurements"][0]["sigma"]'; }
nw-synth table.csv "${privacy[@]}" -o by_row.csv -m row.json --quiet
is unit__noise_is_three_times_as_large "$(python3 -c "print(round($(sigma unit.json) / $(sigma row.json), 6))")" 3.0
for who in unit row; do
    options=()
    [[ $who == unit ]] && options=(--unit who --max-rows-per-unit 3)
    file=table.csv
    [[ $who == unit ]] && file=owned.csv
    nw-synth $file "${privacy[@]}" "${options[@]}" -o out.csv -m q$who.json --queries prefix --query-count 20 --rounds 2 --quiet
done
rm -f out.csv
query_sigma() { json "q$1.json" 'd["queries"]["sigma"]'; }
is unit__noise_of_queries_is_three_times_as_large "$(python3 -c "print(round($(query_sigma unit) / $(query_sigma row), 6))")" 3.0
# of 40 units with one row each only 40 rows count, whatever else the file says
awk 'NR <= 41 { print; next } { sub(/,[0-9]+,/, ",17,"); print }' owned.csv >changed.csv
for name in owned changed; do
    nw-synth $name.csv "${privacy[@]}" --unit who -o $name.out --insecure-seed 3 --quiet 2>/dev/null
done
check unit__rows_beyond_the_bound_do_not_count cmp owned.out changed.out
sed 's/"age"/"who": {"type": "text"}, "age"/' schema.json >with_unit.json
nw-synth owned.csv --schema with_unit.json --epsilon 1 --delta 1e-9 --unit who -o named.csv --quiet
is unit__may_be_in_the_schema "$? $(head -n 1 named.csv)" '0 age,sex,region,pay,since'
refuses unit__missing_column 65 'lacks the column "who" of the units' nw-synth table.csv "${privacy[@]}" --unit who -o out.csv \
    --ledger l.nwl
refuses unit__bound_without_unit 64 'max-rows-per-unit: given without --unit' nw-synth table.csv "${privacy[@]}" \
    --max-rows-per-unit 2 -o out.csv --ledger l.nwl
refuses unit__no_rows 64 'max-rows-per-unit' nw-synth owned.csv "${privacy[@]}" --unit who --max-rows-per-unit 0 -o out.csv

# ---- a schema that is inferred ----
make_table 6000 >large.csv
nw-synth infer-schema large.csv --epsilon 2 --delta 1e-9 -o found.json 2>run.err
is infer__exit_code $? 0
is infer__types "$(json found.json '[c["type"] for c in d.values()]')" "['int', 'categorical', 'int', 'float', 'date']"
is infer__values "$(json found.json 'd["sex"]["values"], d["sex"]["other"], d["sex"]["nullable"]')" \
    "(['F', 'M', 'other'], 'other', False)"
is infer__bounds "$(json found.json 'd["age"]["lower"] <= 20 and 79 <= d["age"]["upper"] <= 99')" True
is infer__bounds_of_codes "$(json found.json 'd["region"]["lower"], d["region"]["upper"]')" '(0, 3)'
is infer__step_and_missing "$(json found.json 'd["pay"]["step"], d["pay"]["nullable"]')" '(0.01, True)'
is infer__dates "$(json found.json 'd["since"]["lower"], d["since"]["upper"]')" "('2000-01-01', '2019-12-31')"
# a value that a few records have stays out; the same question finds a schema whose categories are read from the data
cat >few.py <<'END'
import collections, csv, json, sys
rows = list(csv.DictReader(open("few.csv")))
few = 0
for name, column in json.load(open(sys.argv[1])).items():
    count = collections.Counter(r[name] for r in rows)
    values = column.get("values", []) if isinstance(column, dict) else []
    few += sum(value != "other" and count[value] < 100 for value in values)
print(few)
END
awk 'NR % 700 == 5 { sub(/,[FM],/, ",only" NR % 3 ",") } { print }' large.csv >few.csv
sed 's/"F", "M"/"F", "M", "only0", "only1", "only2"/' schema.json >read_from_data.json
for seed in 1 2 3 4 5; do
    nw-synth infer-schema few.csv --epsilon 2 --delta 1e-9 -o few.json --insecure-seed $seed --quiet 2>/dev/null
    is infer__rare_values_stay_out_$seed "$(python3 few.py few.json)" 0
done
is infer__mutant_that_reads_them_is_seen "$(python3 few.py read_from_data.json)" 3
like infer__total run.err 'all charges together are epsilon (1\.9|2 )'
is infer__receipts "$(grep -cE '^receipt +[1-3] of 3: infer: (kinds|bounds|values of column 2), ' run.err)" 3
nw-synth infer-schema large.csv --epsilon 2 --delta 1e-9 -o found.json --json >found_run.json 2>run.err
is infer__json "$? $(cat run.err)" '0 '
is infer__json_has_all_receipts "$(json found_run.json '[r["label"] for r in d["receipts"]]')" \
    "['infer: kinds', 'infer: bounds', 'infer: values of column 2']"
is infer__json_has_the_total \
    "$(json found_run.json '1.99 < d["spent_epsilon"] <= 2, d["receipts"][2]["spent_epsilon"] == d["spent_epsilon"]')" \
    '(True, True)'
refuses infer__json_and_schema_on_stdout 64 '--json: both it and the schema' \
    nw-synth infer-schema large.csv --epsilon 2 --delta 1e-9 -o - --json
nw-synth large.csv --schema found.json --epsilon 1 --delta 1e-9 -o out.csv --quiet
is infer__schema_can_be_used $? 0
rm -f out.csv
new_ledger m.nwl 2
nw-synth large.csv --infer-schema --infer-share 0.3 --epsilon 2 --delta 1e-9 --ledger m.nwl -o whole.csv -m whole.json 2>run.err
is infer__whole_exit_code $? 0
is infer__whole_receipts "$(grep -cE '^receipt +[1-4] of 4: ' run.err) $(json whole.json 'len(d["schema_receipts"])')" '4 3'
is infer__whole_columns "$(head -n 1 whole.csv)" age,sex,region,pay,since
is infer__whole_stays_in_the_ledger "$(nw-ledger show m.nwl --json | python3 -c '
import json, sys
d = json.load(sys.stdin)
print(1.99 < d["spent"]["epsilon"] <= 2, len(d["events"]) >= 4)')" 'True True'
nw-synth large.csv --infer-schema --epsilon 2 --delta 1e-9 -o whole.csv --report whole.html --quiet
check infer__report_names_the_whole_loss grep -q '<dd>epsilon 2, delta 1e-09 at most, with what the schema cost</dd>' whole.html
is infer__manifest_has_the_schema "$(json whole.json 'list(d["inferred_schema"])')" "['age', 'sex', 'region', 'pay', 'since']"
new_ledger l.nwl 0.5
refuses infer__does_not_fit 3 'does not fit' nw-synth large.csv --infer-schema --epsilon 1 --delta 1e-9 --ledger l.nwl -o out.csv
refuses infer__schema_does_not_fit 3 'does not fit' nw-synth infer-schema large.csv --epsilon 1 --delta 1e-9 --ledger l.nwl \
    -o out.csv
refuses infer__standard_input 64 'must be a file' nw-synth infer-schema - --epsilon 0.1 --delta 1e-9 --ledger l.nwl -o out.csv
printf 'a,b\n1,2\n3\n' >ragged.csv
refuses infer__ragged 65 'line 3, column 1 \(a\): the row ends after 1 of 2 cells' nw-synth infer-schema ragged.csv \
    --epsilon 0.1 --delta 1e-9 --ledger l.nwl -o out.csv
head -n 1 table.csv >empty.csv
printf '4.5,1018,83.6\n4.2,1020,84\n' >headless.csv
refuses infer__record_for_a_header 65 'line 1: all names of columns are numbers' nw-synth infer-schema headless.csv \
    --epsilon 0.1 --delta 1e-9 --ledger l.nwl -o out.csv
refuses infer__no_records 65 'no records' nw-synth infer-schema empty.csv --epsilon 0.1 --delta 1e-9 --ledger l.nwl -o out.csv
refuses infer__needs_add_remove 64 'must be add-remove' nw-synth large.csv --infer-schema --epsilon 1 --delta 1e-9 -o out.csv \
    --adjacency replace-one
refuses infer__or_a_schema 64 'schema: given with --infer-schema' nw-synth large.csv "${privacy[@]}" --infer-schema -o out.csv
refuses infer__neither 64 'schema: missing, must be given unless --infer-schema is' \
    nw-synth nothing.csv --epsilon 1 --delta 1e-9 -o out.csv
finish
