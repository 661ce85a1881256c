#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 the Noisewright authors
# SPDX-License-Identifier: Apache-2.0
# score.sh - nw-synth score: its figures against plain ones computed apart, what it says of itself, and what it refuses.
. "$(dirname "$0")/lib.sh"
score=(nw-synth score table.csv other.csv --schema schema.json)

# Another table: older people, ages that go with regions, fewer missing values.
awk -F, 'BEGIN { OFS = "," } NR > 1 { $1 = $1 + ($1 < 60 ? $3 * 3 : 0); if ($4 == "" && NR % 2) $4 = 5
    if (NR % 5 == 0) $2 = "M" } { print }' table.csv | head -n 251 >other.csv

"${score[@]}" --bins 6 --json >run.json 2>run.err
is json__exit_code $? 0
is json__stderr_is_empty "$(cat run.err)" ''
is figures__are_the_plain_ones "$(python3 "$root/tests/cli/score_oracle.py" table.csv other.csv schema.json 6 run.json 2>&1)" 18
"${score[@]}" --json >twice.json
"${score[@]}" --json >once.json
check figures__are_the_same_every_time cmp once.json twice.json
is json__says_that_it_is_not_private "$(json run.json 'd["private"], "NOT PRIVATE" in d["warning"]')" '(False, True)'
is json__rows "$(json run.json 'd["real_rows"], d["scores"][0]["rows"]')" '(300, 250)'
"${score[@]}" >run.txt
is text__exit_code $? 0
is text__first_line_says_not_private "$(head -n 1 run.txt | cut -c 1-12)" 'NOT PRIVATE:'
like text__has_distances run.txt '^3-way distance, largest +0\.[0-9]{4}  [a-z]+ x [a-z]+ x [a-z]+$'
like text__has_numbers run.txt '^KS pay +0\.[0-9]{4}$'
nw-synth score table.csv table.csv --schema schema.json --references --json >run.json
is same_table__has_no_error "$(json run.json 'max(d["scores"][0][k]["max"] for k in
    ("tv1", "tv2", "tv3", "prefix", "half_space", "conjunction"))')" 0.0
is references__permuted_keeps_single_columns \
    "$(json run.json 'd["scores"][2]["tv1"]["max"] == 0 < d["scores"][2]["tv2"]["max"]')" True
is references__are_named "$(json run.json '[s["table"] for s in d["scores"]]')" "['synthetic', 'resampled', 'permuted']"
is references__resampled_is_off_by_sampling "$(json run.json '0.005 < d["scores"][1]["tv1"]["average"] < 0.1')" True

# ---- columns of one kind, of one value, missing altogether; tables of one row ----
echo '{"a": {"type": "int", "lower": 0, "upper": 9}}' >one.json
printf 'a\n3\n' >one.csv
printf 'a\n""\n' >none.csv
nw-synth score one.csv none.csv --schema one.json --json >run.json
is one_missing_cell__is_as_far_as_can_be \
    "$? $(json run.json 'd["scores"][0]["tv1"]["max"], d["scores"][0]["numeric"][0]["ks"]')" '0 (1.0, None)'
is one_column__has_no_pairs "$(json run.json 'd["scores"][0]["tv2"]["max"], d["scores"][0]["tv2"]["of"]')" '(None, 0)'
nw-synth score none.csv none.csv --schema one.json --references --json >run.json
is nothing_but_missing__is_the_same "$? $(json run.json 'd["scores"][0]["tv1"]["max"]')" '0 0.0'
echo '{"a": 3, "b": {"type": "bool"}}' >two.json
printf 'a,b\n0,true\n2,\n' >two.csv
nw-synth score two.csv two.csv --schema two.json --json >run.json
is no_numbers__no_prefix_queries "$? $(json run.json 'd["scores"][0]["prefix"]["average"], d["scores"][0]["numeric"]')" \
    '0 (None, [])'

# A marginal of more cells than an array of counts has: two columns of 60,000 codes.
echo '{"a": 60000, "b": 60000, "c": 2}' >wide.json
wide() { # how many rows are shifted in the second column
    awk -v shifted="$1" 'BEGIN { OFS = ","; print "a,b,c"
        for (i = 0; i < 3000; i++) print i * 19, ((i + (i < shifted)) * 7919) % 60000, i % 2 }'
}
wide 0 >wide.csv
wide 1000 >shifted.csv
nw-synth score wide.csv shifted.csv --schema wide.json --query-count 1 --json >run.json
is wide_marginals__are_counted_exactly \
    "$(json run.json '[round(d["scores"][0]["tv%d" % k]["max"] * 3000, 9) for k in (1, 2, 3)]')" '[1.0, 1000.0, 1000.0]'

# Thirty columns of the same digits: 4,060 threes; a hundred: a fixed sample of them.
awk 'BEGIN { srand(3); for (j = 0; j < 100; j++) printf "%sc%d", j ? "," : "", j; print ""
    for (i = 0; i < 50; i++) { for (j = 0; j < 100; j++) printf "%s%d", j ? "," : "", int(rand() * 4); print "" } }' >many.csv
python3 -c 'import json; print(json.dumps({"c%d" % j: 4 for j in range(100)}))' >many.json
nw-synth score many.csv many.csv --schema many.json --references --query-count 10 --json >run.json
is many_columns__are_sampled "$? $(json run.json 'd["scores"][2]["tv3"]["used"], d["scores"][2]["tv3"]["of"]')" \
    '0 (20000, 161700)'

# ---- the classifier ----
# F if the age is below 50, but for one in ten: the best guess is right nine times of ten, and random ones half of the time.
people() { # seed, rows
    awk -v seed="$1" -v rows="$2" 'BEGIN { srand(seed); print "age,sex,region,pay,since"
        for (i = 0; i < rows; i++) { a = 17 + int(rand() * 70); f = (a < 50) != (rand() < 0.1)
            printf "%d,%s,%d,%s,2001-01-0%d\n", a, f ? "F" : "M", int(rand() * 4), rand() < 0.3 ? "" : a * 3,
                1 + int(rand() * 9) } }'
}
people 1 3000 >train.csv
people 2 3000 >test.csv
nw-synth score train.csv train.csv --schema schema.json --target sex --test test.csv --json >run.json
is classifier__exit_code $? 0
is classifier__finds_the_rule "$(json run.json '0.87 < d["scores"][0]["classifier"]["accuracy"] < 0.93')" True
is classifier__real_is_the_same "$(json run.json 'd["scores"][0]["classifier"] == d["real_classifier"]')" True
sed 's/,F,/,X,/; s/,M,/,F,/; s/,X,/,M,/' train.csv >mirrored.csv
nw-synth score train.csv mirrored.csv --schema schema.json --target sex --test test.csv --json >run.json
is classifier__learns_from_the_synthetic_table "$(json run.json 'max(d["scores"][0]["classifier"].values()) < 0.13')" True
nw-synth score train.csv train.csv --schema schema.json --target region --positive 2 --test test.csv --json \
    >run.json
is classifier__of_noise_is_no_better_than_chance "$(json run.json '0.45 < d["real_classifier"]["auc"] < 0.55')" True
awk -F, 'NR == 1 || $2 == "F"' train.csv >onesided.csv
nw-synth score train.csv onesided.csv --schema schema.json --target sex --test test.csv --json >run.json
is classifier__trained_on_one_class "$? $(json run.json '0.4 < d["scores"][0]["classifier"]["accuracy"] < 0.6')" '0 True'

# ---- rules ----
cat >rules.json <<'END'
{ "format": "noisewright-constraints", "version": 1, "rules": [
  {"forbid": {"all": [{"column": "sex", "equals": "F"}, {"column": "age", "more_than": 60}]}} ] }
END
broken() { # table: rows that break the rule
    awk -F, '$2 == "F" && $1 > 60 { n++ } END { print n + 0 }' "$1"
}
"${score[@]}" --constraints rules.json --json >run.json
is violations__are_counted "$? $(members run.json violations real_violations)" "0 [$(broken other.csv), $(broken table.csv)]"
"${score[@]}" --constraints rules.json >run.txt
like violations__are_printed run.txt "^rows that break a rule +$(broken other.csv)  of the real ones $(broken table.csv)\$"
refuses rules_missing 66 'nothing.json: No such file' "${score[@]}" --constraints nothing.json

# ---- refusals ----
refuses real_missing 64 'REAL.csv: missing' nw-synth score --schema schema.json
refuses synth_missing 64 'SYNTH.csv: missing' nw-synth score table.csv --schema schema.json
refuses schema_missing 64 '--schema: missing' nw-synth score table.csv other.csv
refuses no_real_table 66 'nothing.csv: No such file' nw-synth score nothing.csv other.csv --schema schema.json
refuses no_synthetic_table 66 'nothing.csv: No such file' nw-synth score table.csv nothing.csv --schema schema.json
refuses no_schema 66 'nothing.json: No such file' nw-synth score table.csv other.csv --schema nothing.json
head -n 1 table.csv >bad.csv
refuses no_records 65 'bad.csv: has a header but no records' nw-synth score table.csv bad.csv --schema schema.json
{ cat table.csv; echo '20,F'; } >bad.csv
refuses ragged 65 'bad.csv.*line 302' nw-synth score table.csv bad.csv --schema schema.json
refuses bins_1 64 '--bins: is "1"' "${score[@]}" --bins 1
refuses target_without_test 64 '--test: missing' "${score[@]}" --target sex
refuses test_without_target 64 '--target: missing' "${score[@]}" --test test.csv
refuses positive_without_target 64 '--positive: given without --target' "${score[@]}" --positive F
refuses target_unknown 64 '--target: is "sx", must be a column' "${score[@]}" --target sx --test test.csv
refuses target_is_numeric 64 '--target: is age, a column of numbers' "${score[@]}" --target age --test test.csv
refuses target_of_four_values 64 '--positive: missing.*region has 4 values' "${score[@]}" --target region --test test.csv
refuses positive_unknown 64 '--positive: is "X", must be a value of sex' "${score[@]}" --target sex --positive X --test test.csv
refuses epsilon_is_no_option 64 '--epsilon: no such option' "${score[@]}" --epsilon 1
nw-synth score table.csv other.csv --schema schema.json >/dev/full 2>run.err
is full_device "$? $(cat run.err)" '74 nw-synth: standard output: could not be written'
finish
