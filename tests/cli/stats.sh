#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 the Noisewright authors
# SPDX-License-Identifier: Apache-2.0
# stats.sh - nw-stats: figures against plain ones computed apart, errors, receipts, estimates, and what is refused.
. "$(dirname "$0")/lib.sh"
stats=(nw-stats table.csv --schema schema.json)

# ---- figures ----
# At epsilon 60 the noise is next to nothing; every figure of every group must be the plain one, within its error.
queries=(--query 'count()' --query 'count() by region' --query 'sum(pay)' --query 'sum(pay in -10..500) by sex'
    --query 'mean(age) by sex' --query 'mean(pay) by region' --query 'var(age)' --query 'var(pay in 0..600) by sex'
    --query 'hist(age)' --query 'hist(age, 7)' --query 'hist(region) by sex' --query 'hist(pay, 4)' --query 'hist(since,3)'
    --query 'hist(sex)' --query 'mean(since)' --query 'mean(region) by sex weight 2'
    --query 'median(age) by sex' --query 'quantile(age in 20..60, 0.25)' --query 'min(age)' --query 'max(since)')
figures=1+4+1+2+2+4+1+2+75+8+8+5+4+2+1+2+2+1+1+1
oracle() { # name, options...
    local name=$1
    shift
    nw-stats table.csv --schema schema.json --epsilon 60 "$@" "${queries[@]}" --json >run.json 2>run.err
    is "${name}__exit_code" $? 0
    is "${name}__stderr_is_empty" "$(cat run.err)" ''
    is "${name}__figures_are_the_plain_ones" "$(python3 "$root/tests/cli/stats_oracle.py" table.csv run.json 2>&1)" $(($figures))
}
oracle pure
oracle gaussian --delta 1e-9
oracle replace_one --delta 1e-9 --adjacency replace-one
is json__members "$(members run.json epsilon delta adjacency insecure)" "[60.0, 1e-09, 'replace_one', False]"
is json__shares_are_by_weight "$(json run.json '[round(q["share"] * 21, 9) for q in d["queries"]][13:18]')" \
    '[1.0, 1.0, 2.0, 1.0, 1.0]'
is json__receipt_names_the_whole_epsilon "$(json run.json '55 < d["receipt"]["epsilon"] <= 60')" True

"${stats[@]}" --epsilon 1 --query 'mean(age) by sex' --query 'hist(since, 2)' >run.txt 2>run.err
is text__exit_code $? 0
like text__query_and_share run.txt '^mean\(age\) by sex  \(0.5 of the budget\)$'
like text__figure_with_error run.txt '^  F  +[0-9.]+  +[0-9.]+$'
like text__dates run.txt '^  2000-01-01 \.\. 20[01][0-9]-[0-9-]{5}  +-?[0-9]+  +[0-9.]+$'
like text__missing run.txt '^  \(missing\)'
check text__columns_are_aligned test "$(sed -n 2,4p run.txt | awk '{ print length }' | sort -u | wc -l)" = 1
like receipt__names_epsilon run.err 'epsilon 1, delta 0, rounded up'
like receipt__names_neighbours run.err 'one record, neighbours add_remove'
like receipt__names_method run.err '^accounting   pure'
"${stats[@]}" --epsilon 1 --query 'median(since) by sex' >run.txt 2>run.err
like text__quantile_of_dates_in_ranks run.txt '^  sex  +value  ranks off \(99\.9 %\)$'
like text__quantile_is_a_date run.txt '^  F  +20[01][0-9]-[0-9-]{5}  +16$'
"${stats[@]}" --epsilon 1 --query 'count()' --quiet >run.txt 2>run.err
is quiet__stderr_is_empty "$(cat run.err)" ''
like text__counts_are_whole run.txt '^  +-?[0-9]+  +7$'
"${stats[@]}" --epsilon 1 --query 'count()' -o out.txt >run.txt 2>run.err
is output__stdout_is_empty "$(cat run.txt)" ''
like output__has_the_figures out.txt '^count'
nw-stats - --schema schema.json --epsilon 60 --query 'count()' --json <table.csv >run.json
is standard_input "$(json run.json '290 <= d["queries"][0]["figures"][0]["value"] <= 310')" True
for name in insecure-seed seed-insecure; do
    nw-stats table.csv --schema schema.json --epsilon 1 --query 'sum(age)' --json --$name 3 2>/dev/null >$name.json
done
is seed__has_two_names "$(json insecure-seed.json 'd["queries"]')" "$(json seed-insecure.json 'd["queries"]')"
head -n 1 table.csv >empty.csv
nw-stats empty.csv --schema schema.json --epsilon 1 --query 'mean(age)' --query 'count()' --json >run.json 2>run.err
is empty_table__is_answered "$? $(json run.json 'abs(d["queries"][1]["figures"][0]["value"]) < 100')" '0 True'
sed '1s/pay/"pay, ""gross"""/' table.csv >named.csv
sed 's/"pay"/"pay, \\"gross\\""/' schema.json >named.json
nw-stats named.csv --schema named.json --epsilon 60 --query 'mean("pay, ""gross""")' --json >run.json
is quoted_name "$(json run.json '0 < d["queries"][0]["figures"][0]["value"] < 1000')" True

# Nine deciles beside a count: each within a few ranks of the plain one; trees come last, and all shares make up the budget.
"${stats[@]}" --epsilon 60 --query 'quantiles(age in 20..70, 9) weight 3' --query 'count()' --json >run.json 2>run.err
is quantiles__come_last "$(json run.json '[(q["figure"], q["share"]) for q in d["queries"]]')" \
    "[('count', 0.25), ('quantiles', 0.75)]"
is quantiles__ranks "$(json run.json '[f["rank"] for f in d["queries"][1]["figures"]]')" \
    '[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]'
is quantiles__are_the_plain_ones "$(python3 "$root/tests/cli/stats_oracle.py" table.csv run.json 2>&1)" 10
is quantiles__error_in_ranks \
    "$(json run.json '{(f["error"], 1 <= f["rank_error"] <= 4) for f in d["queries"][1]["figures"]}')" \
    '{(None, True)}'
is quantiles__receipt "$(json run.json '55 < d["receipt"]["epsilon"] <= 60')" True
"${stats[@]}" --epsilon 1 --delta 1e-9 --query 'quantiles(since, 3)' --query 'mean(age)' >run.txt 2>run.err
is quantiles__exit_code $? 0
like quantiles__text run.txt '^quantiles\(since, 3\)  \(0.5 of the budget; noise of a rank at most [0-9.]+ records\)$'
like quantiles__heading run.txt '^  rank  +value  ranks off \(99\.9 %\)$'
like quantiles__dates run.txt '^  0.25  +20[01][0-9]-[0-9-]{5}  +[0-9]+$'
nw-stats --schema schema.json --epsilon 1 --query 'quantiles(age, 3)' --estimate >run.txt
like quantiles__estimate run.txt '^quantiles\(age, 3\)  \(1 of the budget'
like quantiles__estimate_in_ranks run.txt '^  3 figures, error \(99\.9 %\) [0-9]+ ranks$'
check quantiles__highest_confidence "${stats[@]}" --epsilon 1 --confidence 0.999999999 --query 'quantiles(age, 3)' \
    --query 'count()'
# A tree beside a count has half of the risk, and the count the other: noise of scale 2, beyond k with 2 p^(k+1) / (1 + p).
nw-stats --schema schema.json --epsilon 1 --query 'quantiles(age, 3)' --query 'count()' --confidence 0.9 --estimate --json \
    >run.json
is quantiles__share_the_risk "$(json run.json 'd["queries"][0]["expected_error"]')" \
    "$(python3 -c 'p = 0.6065306597126334; print(float([2 * p**(k + 1) / (1 + p) <= 0.05 for k in range(99)].index(True)))')"
nw-ledger create both.nwl --epsilon 1 --delta 1e-9 --adjacency add-remove --quiet
check quantiles__fit_with_figures "${stats[@]}" --epsilon 1 --delta 1e-9 --query 'quantiles(age, 3)' --query 'var(pay) by sex' \
    --query 'median(age)' --ledger both.nwl
is quantiles__one_charge "$(charges both.nwl)" 1

# A column of more values than codes: zeros stay zeros. Noise of scale 99999 / 64 is within 30,000; half a bin a record is 50,000.
awk 'BEGIN { print "gain"; for (i = 0; i < 100000; i++) print i % 10 ? 0 : i % 100000 }' >gains.csv
echo '{"gain": {"type": "int", "lower": 0, "upper": 99999, "nullable": false}}' >gains.json
nw-stats gains.csv --schema gains.json --epsilon 64 --query 'sum(gain)' --insecure-seed 1 --json --quiet >run.json
is uncut__sum_within_its_error \
    "$(json run.json '[abs(f["value"] - 499950000) <= f["error"] < 3e4 for f in d["queries"][0]["figures"]]')" '[True]'

for i in 1 2; do "${stats[@]}" --epsilon 1 --query 'sum(pay) by sex' --insecure-seed 7 --json >seed$i.json 2>run.err; done
is seed__is_repeatable "$(json seed1.json 'd["queries"]')" "$(json seed2.json 'd["queries"]')"
is seed__is_marked "$(json seed1.json 'd["insecure"], d["receipt"]["insecure"]')" '(True, True)'
like seed__is_said run.err 'NOT PRIVATE'
"${stats[@]}" --epsilon 1 --query 'sum(pay) by sex' --json >seed2.json
check without_seed__differs test "$(json seed1.json 'd["queries"]')" != "$(json seed2.json 'd["queries"]')"

# ---- estimates ----
nw-stats --schema schema.json --epsilon 1 --query 'count() by sex' --query 'mean(age)' --estimate >run.txt 2>run.err
is estimate__exit_code $? 0
like estimate__count run.txt '2 figures, error \(99\.9 %\) 16; noise 2\.8'
like estimate__needs_rows_for_a_mean run.txt 'give --rows N'
nw-stats --schema schema.json --epsilon 1 --query 'count() by sex' --query 'mean(age)' --estimate --rows 1000 --json >run.json
is estimate__json "$(json run.json 'd["estimate"], d["rows"], d["event"]["event"]["type"], len(d["event"]["event"]["events"])')" \
    "(True, 1000, 'composed', 3)"
is estimate__has_no_figures "$(json run.json 'any("figures" in q for q in d["queries"]) or "receipt" in d')" False
# Laplace noise of scale 2 is beyond k with probability 2 p^(k+1) / (1 + p), p = e^(-1/2); three figures share 0.001. Its variance
# is 2 p / (1 - p)^2.
is estimate__error_of_a_count "$(json run.json 'd["queries"][0]["expected_error"]')" \
    "$(python3 -c 'p = 0.6065306597126334; print(float([2 * p**(k + 1) / (1 + p) <= 0.001 / 3 for k in range(99)].index(True)))')"
is estimate__noise_of_a_count "$(json run.json 'round(d["queries"][0]["noise"][0], 4)')" \
    "$(python3 -c 'import math; p = math.exp(-0.5); print(round(math.sqrt(2 * p) / (1 - p), 4))')"
is estimate__confidence "$(json run.json 'd["confidence"]')" 0.999
json run.json 'json.dumps(d["event"])' >event.json
nw-account eps event.json --delta 0 --adjacency add-remove --json >account.json
is estimate__event_costs_epsilon "$(json account.json 'abs(d["upper"] - 1) < 1e-9')" True

nw-stats --schema schema.json --epsilon 1 --query 'max(age)' --query 'median(age)' --estimate >run.txt
like estimate__margin_of_a_maximum run.txt 'error \(99\.9 %\) 77\.6 ranks from the end; wanted is the rank 30 records inside$'
like estimate__median_in_ranks run.txt 'error \(99\.9 %\) 23\.8 ranks$'

# ---- errors ----
# Of 200 seeded runs at most two may have a figure that is farther off than its error.
python3 "$root/tests/cli/stats_coverage.py" "$bin/nw-stats" table.csv schema.json 200 1 'count() by region' 'sum(pay) by sex' \
    'mean(age)' 'mean(pay in 0..600) by region' 'var(age) by sex' 'hist(region)' 'median(pay)' 'quantile(age, 0.9) by sex' \
    'min(age)' 'max(since) by sex' 'quantiles(age, 9)' 'quantiles(since, 3)' >coverage.txt
is coverage__settings "$(grep -c '^ok' coverage.txt)" 1
unlike coverage__all_figures_within_their_errors coverage.txt '^not ok'
"${stats[@]}" --epsilon 1 --query 'count()' --confidence 0.5 --json >run.json
is confidence__half "$(json run.json 'd["confidence"], d["queries"][0]["figures"][0]["error"]')" '(0.5, 1.0)'
"${stats[@]}" --epsilon 1 --query 'mean(age)' --confidence 0.95 >run.txt 2>/dev/null
like confidence__in_the_heading run.txt '^  value  error \(95 %\)$'

# ---- the ledger ----
nw-ledger create pure.nwl --epsilon 2 --delta 0 --adjacency add-remove --quiet
check ledger__first "${stats[@]}" --epsilon 1.5 --query 'count()' --query 'mean(age)' --ledger pure.nwl
is ledger__one_charge_for_all_queries "$(charges pure.nwl)" 1
refuses ledger__over_budget 3 'pure.nwl: the release does not fit' "${stats[@]}" --epsilon 0.6 --query 'count()' --ledger pure.nwl
check ledger__rest_fits "${stats[@]}" --epsilon 0.5 --query 'count()' --ledger pure.nwl
new_ledger l.nwl 4
refuses ledger__laplace_in_a_gaussian_ledger 3 'l.nwl: the release does not fit.*give --delta' \
    "${stats[@]}" --epsilon 1 --query 'count()' --ledger l.nwl
check ledger__gaussian "${stats[@]}" --epsilon 1 --delta 1e-9 --query 'var(age) by sex' --ledger l.nwl

# ---- refusals ----
ask() { # name, pattern, query
    refuses "$1" 64 "--query: .*$2" "${stats[@]}" --epsilon 1 --ledger l.nwl --query "$3"
}
ask unknown_figure 'character 1,.*one of count, sum' 'mode(age)'
ask no_parenthesis 'character 6,.*"\("' 'mean age'
ask no_column 'character 6,.*a column' 'mean()'
ask unknown_column 'column "agee", must name one of the schema' 'mean(agee)'
ask unknown_key 'column "gender"' 'mean(age) by gender'
ask not_closed 'nothing at character 9,.*"\)"' 'mean(age'
ask rest 'character 11,.*"by", "weight" or the end' 'mean(age) of sex'
ask rest_behind_key '"weight" or the end' 'mean(age) by sex by age'
sed 's/"region"/"note": {"type": "text"}, "region"/' schema.json >text.json
refuses text_column 64 '"mean\(note\)": column "note" is text, must have numbers' \
    nw-stats table.csv --schema text.json --epsilon 1 --query 'mean(note)'
refuses text_column_in_a_synthetic_table 65 'text.json: column "note" is text' nw-synth table.csv --schema text.json --epsilon 1 \
    --delta 1e-9 --estimate
ask categories 'column "sex" has categories' 'mean(sex)'
ask bounds_reversed 'bounds 9..3' 'mean(age in 9..3)'
ask bounds_cut 'a number' 'mean(age in 9..)'
ask bounds_of_one '"\.\."' 'mean(age in 9)'
ask cells_of_categories 'are its categories' 'hist(sex, 2)'
ask cells_0 'has 0 cells' 'hist(age, 0)'
ask cells_too_many 'has 75 cells, must have a whole number in 1..74' 'hist(age, 75)'
ask weight_0 'weight 0' 'count() weight 0'
ask rank_missing '"," and a rank' 'quantile(age)'
ask rank_above_1 'rank 1.5, must be in' 'quantile(age, 1.5)'
ask quantiles_0 'has 0 quantiles' 'quantiles(age, 0)'
ask quantiles_number '"," and how many' 'quantiles(age)'
ask quantiles_by '"by" must not follow' 'quantiles(age, 3) by sex'
ask one_value 'one value to choose from' 'median(age in 20.2..20.7)'
ask quote_open 'a column' 'mean("age)'
ask too_many_figures 'figures, must have at most' 'hist(pay, 60000) by age'
refuses query_missing 64 '--query: missing' "${stats[@]}" --epsilon 1
refuses query_empty 64 '--query: is empty' "${stats[@]}" --epsilon 1 --query ''
refuses epsilon_missing 64 '--epsilon: missing' "${stats[@]}" --query 'count()'
refuses epsilon_0 64 '--epsilon: is "0"' "${stats[@]}" --epsilon 0 --query 'count()'
refuses confidence_1 64 '--confidence: is "1"' "${stats[@]}" --epsilon 1 --query 'count()' --confidence 1
refuses delta_1 64 '--delta: is "1"' "${stats[@]}" --epsilon 1 --delta 1 --query 'count()'
refuses table_missing 64 'TABLE.csv: missing' nw-stats --schema schema.json --epsilon 1 --query 'count()'
refuses rows_without_estimate 64 '--rows: is for --estimate' "${stats[@]}" --epsilon 1 --query 'count()' --rows 9
refuses seed_with_ledger 64 '--insecure-seed: cannot be charged' "${stats[@]}" --epsilon 1 --query 'count()' --insecure-seed 1 \
    --ledger l.nwl
refuses other_neighbours 64 '--adjacency: is replace_one, must be add_remove' "${stats[@]}" --epsilon 1 --delta 1e-9 \
    --query 'count()' --adjacency replace-one --ledger l.nwl
refuses output_is_table 64 '--output: is the same file' "${stats[@]}" --epsilon 1 --query 'count()' -o table.csv
refuses output_in_no_folder 73 'nowhere/out.txt' "${stats[@]}" --epsilon 1 --query 'count()' -o nowhere/out.txt
refuses no_table 66 'nothing.csv' nw-stats nothing.csv --schema schema.json --epsilon 1 --query 'count()'
refuses no_ledger 66 'nothing.nwl' "${stats[@]}" --epsilon 1 --query 'count()' --ledger nothing.nwl
echo '1,2' >bad.csv
refuses bad_table 65 'bad.csv' nw-stats bad.csv --schema schema.json --epsilon 1 --delta 1e-9 --query 'count()' --ledger l.nwl
echo '{' >bad.json
refuses bad_schema 65 'bad.json' nw-stats table.csv --schema bad.json --epsilon 1 --query 'count()'
"${stats[@]}" --epsilon 1 --delta 1e-9 --query 'count()' --ledger l.nwl >/dev/full 2>run.err
is full_disk__exit_code $? 74
like full_disk__says_that_the_budget_was_spent run.err 'the budget was spent and stays spent; the output is not whole'
is full_disk__was_charged "$(charges l.nwl)" 2
finish
