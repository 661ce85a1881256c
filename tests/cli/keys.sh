#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 the Noisewright authors
# SPDX-License-Identifier: Apache-2.0
# keys.sh - nw-stats on columns of text: counts of keys that no schema lists, bounds of users, thresholds, and what is refused.
. "$(dirname "$0")/lib.sh"

# 400 records of 80 users: words that many share, one word of one record alone, missing words and missing users.
python3 - >words.csv <<'PY'
words = ["tea", "milk", "water, still", 'a "quoted" one', "", "coffee"]
print("who,word,place,age")
for i in range(400):
    word = "of one alone" if i == 7 else words[i * i % 11 % 6]
    quoted = '"' + word.replace('"', '""') + '"'
    print(f"{'' if i % 50 == 3 else f'user {i % 80}'},{quoted},{'north' if i % 3 else 'south'},{20 + i % 40}")
PY
cat >words.json <<'END'
{ "who": {"type": "text"}, "word": {"type": "text"}, "place": {"type": "text"}, "age": {"type": "int", "lower": 18, "upper": 90} }
END
stats=(nw-stats words.csv --schema words.json)
oracle() { # name, how many keys, arguments of the oracle; then --, options...
    local name=$1 keys=$2 arguments=()
    shift 2
    while [ "$1" != -- ]; do arguments+=("$1"); shift; done
    shift
    "${stats[@]}" --json "$@" >run.json 2>run.err
    is "${name}__exit_code" $? 0
    is "${name}__stderr_is_empty" "$(cat run.err)" ''
    is "${name}__counts_are_the_plain_ones" \
        "$(python3 "$root/tests/cli/keys_oracle.py" words.csv run.json "${arguments[@]}" 2>&1)" "$keys"
}

# ---- counts ----
oracle records 4 -- --epsilon 60 --delta 1e-9 --query 'hist(word)'
oracle two_queries 6 -- --epsilon 60 --delta 1e-9 --query 'count() by word weight 2' --query 'hist(place)'
is two_queries__shares "$(json run.json '[round(q["share"], 6) for q in d["queries"]]')" '[0.666667, 0.333333]'
is two_queries__figure "$(json run.json '{q["figure"] for q in d["queries"]}')" "{'keys'}"
is two_queries__receipt "$(json run.json '55 < d["receipt"]["epsilon"] <= 60 and 0 < d["receipt"]["delta"] <= 1e-9')" True
oracle users 4 who 2 1 -- --epsilon 60 --delta 1e-9 --query 'hist(word)' --unit who --max-keys 2 --max-count 1
oracle users_of_one_key 4 who 1 3 -- --epsilon 60 --delta 1e-9 --query 'hist(word)' --unit who --max-keys 1 --max-count 3
is users__unit "$(json run.json 'd["receipt"]["unit"]')" 'one who, with all records'

"${stats[@]}" --epsilon 2 --delta 1e-6 --query 'hist(place)' --query 'count() by word' >run.txt 2>run.err
is text__exit_code $? 0
like text__threshold run.txt '^hist\(place\)  \(0.5 of the budget; noise 1\.3.*, keys below [0-9]+ are left out\)$'
like text__a_key run.txt '^  north  +[0-9]+  +[0-9]+$'
like text__error_heading run.txt '^  place  +value  error \(99\.9 %\)$'
like text__lone_words_stay_away <(grep -c 'of one alone' run.txt) '^0$'
like receipt__is_pure run.err '^accounting   pure'
for i in 1 2; do "${stats[@]}" --epsilon 1 --delta 1e-6 --query 'hist(word)' --insecure-seed 3 --json >seed$i.json 2>run.err; done
is seed__is_repeatable "$(json seed1.json 'd["queries"]')" "$(json seed2.json 'd["queries"]')"

# ---- estimates and the ledger ----
nw-stats --schema words.json --epsilon 1 --delta 1e-9 --query 'hist(word)' --estimate --json >run.json
# The threshold of one key and one record: the least t + 1 with e^-t / (1 + e^-1) <= delta.
is estimate__threshold "$(json run.json 'd["queries"][0]["threshold"]')" \
    "$(python3 -c 'import math; print(1 + next(t for t in range(1, 99) if math.exp(-t) / (1 + math.exp(-1)) <= 1e-9))')"
is estimate__has_no_figures "$(json run.json '"figures" in d["queries"][0] or "receipt" in d')" False
json run.json 'json.dumps(d["event"])' >event.json
nw-account eps event.json --delta 1e-9 --adjacency add-remove --json >account.json
is estimate__event_costs_epsilon "$(json account.json 'abs(d["upper"] - 1) < 1e-6')" True
nw-ledger create l.nwl --epsilon 4 --delta 1e-6 --adjacency add-remove --filter pure --unit 'one user' --quiet
check ledger__takes_keys "${stats[@]}" --epsilon 2 --delta 9e-7 --query 'hist(word)' --query 'hist(place)' --ledger l.nwl
is ledger__one_charge_for_all_queries "$(charges l.nwl)" 1
refuses ledger__over_budget 3 'l.nwl: the release does not fit' "${stats[@]}" --epsilon 2.5 --delta 1e-7 --query 'hist(word)' \
    --ledger l.nwl
refuses ledger__over_delta 3 'l.nwl: the release does not fit' "${stats[@]}" --epsilon 0.5 --delta 9e-7 --query 'hist(word)' \
    --ledger l.nwl

# ---- refusals ----
ask() { # name, option, pattern, options...
    local name=$1 option=$2 pattern=$3
    shift 3
    refuses "$name" 64 "$option: .*$pattern" "${stats[@]}" --epsilon 1 --ledger l.nwl "$@"
}
ask no_delta --delta 'is 0, must be above 0 for "hist\(word\)"' --query 'hist(word)'
ask replace_one --adjacency 'must be add-remove for "hist\(word\)"' --query 'hist(word)' --delta 1e-9 --adjacency replace-one
ask mixed --query '"mean\(age\)" counts no unknown keys' --query 'hist(word)' --query 'mean(age)' --delta 1e-9
ask mean_of_text --query '"mean\(word\)": column "word" is text' --query 'mean(word)' --delta 1e-9
ask mean_by_text --query '"mean\(age\) by word": column "word" is text, and only count' --query 'mean(age) by word' --delta 1e-9
ask keys_by_column --query '"hist\(word\) by place".*"by" must not follow' --query 'hist(word) by place' --delta 1e-9
ask cells_of_text --query 'character 10,.*"\)"' --query 'hist(word, 3)' --delta 1e-9
ask unit_of_figures --unit '"mean\(age\)" is none' --query 'mean(age)' --delta 1e-9 --unit who --max-keys 1 --max-count 1
ask unit_without_max_keys --max-keys 'missing' --query 'hist(word)' --delta 1e-9 --unit who --max-count 1
ask unit_without_max_count --max-count 'missing' --query 'hist(word)' --delta 1e-9 --unit who --max-keys 1
ask max_keys_without_unit --max-keys 'is for --unit' --query 'hist(word)' --delta 1e-9 --max-keys 1
ask unit_unknown --unit 'is "whom", must be a column' --query 'hist(word)' --delta 1e-9 --unit whom --max-keys 1 --max-count 1
ask unit_of_numbers --unit 'is "age", must be a column' --query 'hist(word)' --delta 1e-9 --unit age --max-keys 1 --max-count 1
ask max_keys_0 --max-keys 'is "0"' --query 'hist(word)' --delta 1e-9 --unit who --max-keys 0 --max-count 1
is refusals__cost_nothing "$(charges l.nwl)" 1
printf 'who,word,place,age\na,b,c,1\na,b"b,c,1\n' >bad.csv
refuses bad_table 65 'bad.csv: line 3, column 2 \(word\): a quote inside' nw-stats bad.csv --schema words.json --epsilon 1 \
    --delta 1e-9 --query 'hist(place)'
finish
