#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 the Noisewright authors
# SPDX-License-Identifier: Apache-2.0
# bags.sh - nw-bags: models against the truth, the choice of bags, outputs, ledgers of labels, labels that tell nothing, refusals.
. "$(dirname "$0")/lib.sh"

# A table whose labels are 3 + 2 x - y + noise, with a category that adds 4; another one of classes; a private twin of the first
# with labels that are no numbers.
python3 - <<'EOF'
import random
random.seed(5)
def rows(n):
    for _ in range(n):
        x, y, c = random.gauss(0, 1), random.gauss(10, 3), random.choice('abc')
        yield x, y, c, 3 + 2 * x - (y - 10) + (4 if c == 'b' else 0) + random.gauss(0, .5)
def write(name, data, f):
    with open(name, 'w') as out:
        out.write('x,y,kind,site,label\n')
        for i, (x, y, c, v) in enumerate(data):
            out.write('%.5f,%s,%s,%d,%s\n' % (x, '' if i % 50 == 7 else '%.5f' % y, c, i % 40, f(i, v)))
train, test = list(rows(2000)), list(rows(500))
write('train.csv', train, lambda i, v: '%.5f' % v)
write('test.csv', test, lambda i, v: '%.5f' % v)
write('class.csv', train, lambda i, v: 'yes' if v > 4 else 'no')
write('class_test.csv', test, lambda i, v: 'yes' if v > 4 else 'no')
write('twin.csv', train, lambda i, v: ['', 'oops', 'nan', '1e999', '-1e308'][i % 5])
write('centre.csv', train, lambda i, v: ['4', '4', '4', '9e9', '-9e9'][i % 5])
EOF
run=(nw-bags --target label --seed-insecure 1 --quiet --json)
fit=("${run[@]}" --data train.csv --clip 12 --center 4)

# ---- models ----
"${fit[@]}" --epsilon 64 --test test.csv >run.json 2>run.err
is fit__exit_code $? 0
is fit__is_near_the_truth "$(json run.json '[abs(d["coefficients"]["x"] - 2) < .15, abs(d["coefficients"]["y"] + 1) < .06,
    abs(d["coefficients"]["kind=b"] - 4) < .3, abs(d["coefficients"]["kind=c"]) < .3, abs(d["intercept"] - 13) < .7]')" \
    '[True, True, True, True, True]'
is fit__tests_on_public_labels "$(json run.json 'd["test"]["rows"] == 500 and d["test"]["r2"] > .85')" True
is fit__names "$(json run.json 'sorted(d["coefficients"])')" "['kind=b', 'kind=c', 'site', 'x', 'y', 'y missing']"
is fit__json "$(members run.json task rows features grouping bag_size bags rho clip center epsilon delta unit adjacency \
    insecure)" \
    "['regress', 2000, 6, 'random', 1, 2000, 0.0, 12.0, 4.0, 64.0, 0.0, 'label', 'replace_label', True]"
is fit__says_that_bags_buy_nothing "$(json run.json '("bags buy nothing" in d["why"] and d["best_bag_size"] == 2 and
    d["predicted_risk"] == d["baseline_risk"] < d["best_bag_risk"])')" True
is fit__noise "$(json run.json 'abs(d["noise_of_sum"] / (2 ** .5 * 24 / 64) - 1) < 1e-3')" True
is fit__receipt "$(json run.json '[d["receipt"]["unit"], d["receipt"]["adjacency"], 63.9 < d["receipt"]["epsilon"] <= 64]')" \
    "['label', 'replace_label', True]"
like fit__says_it_is_not_private run.err 'NOT PRIVATE'
"${fit[@]}" --epsilon 64 --bag 4 --rho 0.1 >k4.json 2>/dev/null
is bag__is_as_asked "$(members k4.json bag_size bags rho)" '[4, 500, 0.1]'
is bag__says_that_it_was_given "$(json k4.json '"given" in d["why"]')" True
"${fit[@]}" --epsilon 8 --delta 1e-6 >gauss.json 2>/dev/null
is delta__is_gaussian "$(json gauss.json '[d["receipt"]["method"], d["receipt"]["epsilon"] <= 8]')" "['gdp', True]"
"${fit[@]}" --epsilon 0.3 --curated --test test.csv >curated.json 2>/dev/null
is curated__chooses_bags "$(json curated.json '[d["grouping"], d["bag_size"] > 1, d["predicted_risk"] < d["baseline_risk"]]')" \
    "['curated', True, True]"
"${fit[@]}" --epsilon 64 --sort-by x --bag 5 >sorted.json 2>/dev/null
is sorted__is_near_the_truth "$(json sorted.json '[d["grouping"], d["bags"], abs(d["coefficients"]["x"] - 2) < .2]')" \
    "['sorted', 400, True]"
"${fit[@]}" --epsilon 64 --bag-column site --ridge 0.001 >column.json 2>/dev/null
is bag_column__is_no_feature "$(json column.json '[d["grouping"], d["bags"], d["bag_size"], "site" in d["coefficients"]]')" \
    "['column', 40, None, False]"

# ---- classes ----
"${run[@]}" --data class.csv --task classify --positive yes --epsilon 16 --test class_test.csv --save-model c.json >class.json \
    2>/dev/null
is classify__is_right_mostly "$(json class.json '[d["task"], d["clip"], d["test"]["accuracy"] > .9]')" "['classify', 1.0, True]"
nw-bags predict c.json --data class_test.csv -o predicted.csv
is predict__agrees_with_the_test "$(python3 -c '
import csv, json
rows = list(csv.DictReader(open("predicted.csv"))); truth = [r["label"] for r in csv.DictReader(open("class_test.csv"))]
right = sum((r["class"] == "1") == (t == "yes") for r, t in zip(rows, truth)) / len(truth)
print(abs(right - json.load(open("class.json"))["test"]["accuracy"]) < 1e-9 and
    all((float(r["probability"]) > .5) == (r["class"] == "1") for r in rows))')" True

# ---- files ----
"${fit[@]}" --epsilon 64 --bag 3 --save-model m.json --bags b.csv --plot p.svg >run.json 2>/dev/null
is files__exit_code $? 0
is bags__are_means_of_their_rows "$(python3 -c '
import csv
bags, y = {}, [float(r["label"]) for r in csv.DictReader(open("train.csv"))]
for r in csv.DictReader(open("b.csv")): bags.setdefault(r["bag"], []).append(r)
ok = sorted(int(r["row"]) for b in bags.values() for r in b) == list(range(2000))
for b in bags.values():
    ok &= len({r["mean"] for r in b}) == 1 and len(b) == int(b[0]["size"])
    ok &= abs(float(b[0]["mean"]) - sum(y[int(r["row"])] for r in b) / len(b)) * len(b) < 12
print(ok, len(bags))')" 'True 667'
check plot__is_xml python3 -c 'import xml.dom.minidom; xml.dom.minidom.parse("p.svg")'
cut -d, -f1-4 test.csv >unlabelled.csv
nw-bags predict m.json --data unlabelled.csv >a.csv && nw-bags predict m.json --data test.csv >b2.csv
check predict__needs_no_labels cmp a.csv b2.csv
is predict__is_the_model "$(python3 -c '
import csv, json
d = json.load(open("run.json")); c = d["coefficients"]; out = []
for r, p in zip(csv.DictReader(open("test.csv")), csv.DictReader(open("a.csv"))):
    if r["y"]:
        f = d["intercept"] + sum(c[k] * float(r[k]) for k in ("x", "y", "site")) + c.get("kind=" + r["kind"], 0)
        out.append(abs(f - float(p["prediction"])))
print(max(out) < 1e-6)')" True
cat >schema.json <<'EOF'
{"x": {"type": "float", "lower": -3, "upper": 3}, "y": {"type": "float", "lower": 0, "upper": 20},
 "kind": {"type": "categorical", "values": ["a", "b", "c"]}, "site": {"type": "int", "lower": 0, "upper": 39},
 "label": {"type": "categorical", "values": ["no", "yes"]}}
EOF
"${run[@]}" --data class.csv --schema schema.json --task classify --epsilon 16 --test class_test.csv --save-model s.json \
    >schema_run.json 2>/dev/null
is schema__second_value_is_positive "$(json schema_run.json 'd["test"]["accuracy"] > .9')" True
nw-bags predict s.json --data unlabelled.csv -o s.csv
is schema__model_predicts_without_labels "$(wc -l <s.csv)" 501

# ---- labels tell nothing ----
"${run[@]}" --data twin.csv --clip 2 --center 4 --epsilon 1 --bags twin_bags.csv >twin.json 2>twin.err
is labels__of_no_number_are_no_error "$?" 0
is labels__of_no_number_say_nothing "$(grep -vc 'NOT PRIVATE' twin.err)" 0
"${run[@]}" --data centre.csv --clip 2 --center 4 --epsilon 1 --bags centre_bags.csv >/dev/null 2>&1
is labels__of_no_number_count_as_the_center "$(python3 -c '
import csv
a, b = ([float(r["mean"]) for r in csv.DictReader(open(n))] for n in ("twin_bags.csv", "centre_bags.csv"))
print(max(abs(x - y) for i, (x, y) in enumerate(zip(a, b)) if i % 5 < 3))')" 0.0
is labels__do_not_move_the_features "$(json twin.json 'sorted(d["coefficients"])')" "$(json run.json 'sorted(d["coefficients"])')"

# ---- ledgers ----
nw-ledger create labels.nwl --epsilon 2 --delta 0 --adjacency replace-label --quiet
nw-ledger create records.nwl --epsilon 2 --delta 0 --adjacency replace-one --quiet
nw-ledger create rows.nwl --epsilon 2 --delta 0 --adjacency replace-label --unit 'one record' --quiet
charge=(nw-bags --target label --quiet --data train.csv --clip 12 --center 4 --json)
"${charge[@]}" --epsilon 1.5 --ledger labels.nwl --label incomes >run.json 2>run.err
is ledger__is_charged "$? $(nw-ledger show labels.nwl --json >l.json; json l.json '[d["unit"], d["charges"]]')" \
    "0 ['label', 1]"
for ledger in records rows; do
    "${charge[@]}" --epsilon 1 --ledger $ledger.nwl --save-model no.json >run.out 2>run.err
    is "ledger_of_${ledger}__is_refused" "$? $(cat run.out)" '64 '
    like "ledger_of_${ledger}__says_why" run.err 'must protect label under replace_label'
done
"${charge[@]}" --epsilon 1 --ledger labels.nwl --save-model no.json >run.out 2>run.err
is budget__is_refused "$? $(cat run.out)" '3 '
nw-stats --data train.csv --count --epsilon 1 --ledger labels.nwl >run.out 2>run.err
is ledger_of_labels__refuses_records "$(($? == 0))" 0

# ---- estimate ----
nw-bags --estimate --rows 10000 --features 20 --epsilon 0.5 --clip 1 --json --plot e.svg >est.json
is estimate__exit_code "$?" 0
is estimate__event_is_of_labels "$(json est.json '"replace_label" in str(d["event"]) and "receipt" not in d')" True
nw-bags --estimate --rows 10000 --features 4 --epsilon 0.25 --clip 1 --curated --json >est.json
is estimate__of_curated_bags "$(json est.json '[d["grouping"], d["bag_size"] > 1]')" "['curated', True]"

# ---- refusals ----
refuses() { # name, exit code, pattern, arguments...
    local name=$1 code=$2 pattern=$3
    shift 3
    "$@" --save-model no.json --bags no.csv >run.out 2>run.err
    is "refuses_${name}__exit_code" "$? $(cat run.out)" "$code "
    like "refuses_${name}__says_why" run.err "$pattern"
    is "refuses_${name}__writes_nothing" "$(ls no.json no.csv 2>/dev/null)" ''
}
base=(nw-bags --target label --quiet --data train.csv --ledger fresh.nwl)
nw-ledger create fresh.nwl --epsilon 2 --delta 0 --adjacency replace-label --quiet
refuses clip_0 64 'clip: is "0", must be a number in \(0' "${base[@]}" --epsilon 1 --clip 0
refuses no_clip 64 'clip.*missing' "${base[@]}" --epsilon 1
refuses epsilon_0 64 'epsilon: is "0"' "${base[@]}" --epsilon 0 --clip 1
refuses bag_0 64 'bag: is "0"' "${base[@]}" --epsilon 1 --clip 1 --bag 0
refuses bag_beyond_the_rows 64 'bag: is 2001, must be at most' "${base[@]}" --epsilon 1 --clip 1 --bag 2001
refuses bag_of_words 64 'bag: is "many"' "${base[@]}" --epsilon 1 --clip 1 --bag many
refuses rho 64 'rho: is "1.5".*\[0, 1\]' "${base[@]}" --epsilon 1 --clip 1 --rho 1.5
refuses ridge_0_with_few_bags 64 'ridge is 0 with 4 bags' "${base[@]}" --epsilon 1 --clip 1 --bag 500 --ridge 0
refuses ridge_0_of_classes 64 'ridge: is 0' "${base[@]}" --epsilon 1 --task classify --ridge 0
refuses clip_of_classes 64 'clip: is 2' "${base[@]}" --epsilon 1 --clip 2 --task classify
refuses target 64 'target: is "none"' nw-bags --target none --quiet --data train.csv --epsilon 1 --clip 1
refuses no_data 66 'absent.csv' nw-bags --target label --quiet --data absent.csv --epsilon 1 --clip 1
refuses two_kinds 64 'exclude each other' "${base[@]}" --epsilon 1 --clip 1 --curated --sort-by x
refuses sort_by 64 'sort-by: is "none"' "${base[@]}" --epsilon 1 --clip 1 --sort-by none
refuses sort_by_the_label 64 'other than the target' "${base[@]}" --epsilon 1 --clip 1 --sort-by label
refuses bag_by_the_label 64 'other than the target' "${base[@]}" --epsilon 1 --clip 1 --bag-column label
refuses missing_score 65 'record 8: y is missing' "${base[@]}" --epsilon 1 --clip 1 --sort-by y
refuses positive 64 'positive' "${base[@]}" --epsilon 1 --clip 1 --positive yes
cut -d, -f2-5 test.csv >narrow.csv
refuses test_that_lacks_a_column 65 'lacks the column x' "${base[@]}" --epsilon 1 --clip 1 --test narrow.csv
printf 'x,label\n1,2\n1,3\n' >flat.csv
refuses features_that_do_not_vary 65 'no feature that varies' nw-bags --target label --quiet --data flat.csv --epsilon 1 --clip 1
printf 'x,z,label\n1,2,2\n3,6,3\n4,8,1\n5,10,0\n7,14,1\n' >double.csv
refuses collinear_without_a_ridge 64 'collinear' \
    nw-bags --target label --quiet --data double.csv --epsilon 1 --clip 1 --ridge 0 --bag 1
printf 'x,label\n1,2\n3\n' >ragged.csv
refuses ragged 65 'ragged.csv' nw-bags --target label --quiet --data ragged.csv --epsilon 1 --clip 1
is refusals__charge_nothing "$(nw-ledger show fresh.nwl --json >l.json; json l.json 'd["charges"]')" 0
"${base[@]}" --epsilon 1 --clip 1 --save-model nowhere/m.json >run.out 2>run.err
is refuses_folder__exit_code $? 73
nw-bags predict train.csv --data test.csv >run.out 2>run.err
is predict__refuses_what_is_no_model "$? $(cat run.out)" '65 '
nw-bags predict m.json --data narrow.csv >run.out 2>run.err
is predict__refuses_a_table_that_lacks_a_column "$? $(cat run.out)" '65 '
finish
