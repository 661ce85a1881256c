#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 the Noisewright authors
# SPDX-License-Identifier: Apache-2.0
# hitters.sh - nw-hitters: simulations of all protocols, sampled counts against reports, a collection by files, processes of MPI,
# and bad input.
. "$(dirname "$0")/lib.sh"
small=(--generate zipf:users=60000,items=300,s=1.3,bits=20,parties=3 --top 5 --seed-insecure 3 --quiet)
awk 'BEGIN { print "party\titem\tcount"
    split("north south east", p, " "); split("Emma Liam Noah Olivia Ava Mia Zoe Ida", n, " ")
    for (i = 1; i <= 3; i++) for (k = 1; k <= 8; k++) printf "%s\t%s\t%d\n", p[i], n[k], int(30000 / (k * k)) + i }' >names.tsv

simulate() { # file, arguments...
    local out=$1
    shift
    timeout 60 nw-hitters simulate "$@" --json >"$out" 2>run.err
}

# ---- simulations ----
for protocol in pooled pem fedpem shared; do
    shared=()
    [[ $protocol == shared ]] && shared=(--shared 1 --adaptive --prune)
    check "${protocol}__runs" simulate run.json "${small[@]}" --epsilon 4 --protocol $protocol "${shared[@]}" --runs 2 \
        --levels 10,20
    is "${protocol}__members" "$(json run.json 'all(k in d for k in ("f1", "f1_se", "ncr", "bytes_up", "rounds", "seconds",
        "users_per_second", "local_recall")) and all({"item", "estimate", "se"} <= set(i) for i in d["items"])')" True
    is "${protocol}__finds_the_most_frequent" "$(json run.json 'd["f1"] >= 0.6 and d["ncr"] >= 0.6')" True
    is "${protocol}__users" "$(members run.json protocol users parties)" "['$protocol', 60000, 3]"
done
is pooled__rounds "$(simulate run.json "${small[@]}" --epsilon 4 --levels 10,20; members run.json rounds levels)" '[2, [10, 20]]'
is fedpem__rounds "$(simulate run.json "${small[@]}" --epsilon 4 --protocol fedpem; members run.json rounds)" '[1]'
simulate run.json "${small[@]}" --epsilon 4 --protocol central --delta 1e-9
is central__knows "$(json run.json 'd["f1"] == 1 and d["receipt"]["epsilon"] <= 4 and d["receipt"]["delta"] <= 1e-9')" True
simulate a.json "${small[@]}" --epsilon 2 --threads 1
simulate b.json "${small[@]}" --epsilon 2 --threads 3
is threads__do_not_matter "$(members a.json items bytes_up)" "$(members b.json items bytes_up)"
simulate a.json "${small[@]}" --epsilon 2,4 --runs 2 --picture f1.svg
is sweep__has_points "$(json a.json '[p["epsilon"] for p in d["points"]]')" '[2.0, 4.0]'
check picture__is_xml python3 -c 'import xml.dom.minidom; xml.dom.minidom.parse("f1.svg")'
simulate a.json "${small[@]}" --epsilon 2 --public-coin
is public_coin__finds "$(json a.json 'd["f1"] >= 0.6')" True

# ---- a file: names of columns, letters, gzip ----
simulate a.json --items names.tsv --columns party,item,count --encoding letters5 --bits 30 --top 3 --epsilon 6 --seed-insecure 1
is file__finds "$(json a.json '[i["item"] for i in d["items"]]')" "['emma', 'liam', 'noah']"
is file__true_counts "$(json a.json '[i["true"] for i in d["items"]]')" '[90006, 22506, 10005]'
awk -F'\t' 'NR == 1 { print "n\tstate\tname" } NR > 1 { print $3 "\t" $1 "\t" $2 }' names.tsv | gzip >turned.tsv.gz
simulate b.json --items turned.tsv.gz --columns state,name,n --encoding letters5 --bits 30 --top 3 --epsilon 6 --seed-insecure 1
is file__columns_by_name "$(members a.json items users parties)" "$(members b.json items users parties)"
tail -n +2 names.tsv >bare.tsv
simulate b.json --items bare.tsv --encoding letters5 --bits 30 --top 3 --epsilon 6 --seed-insecure 1
is file__without_header "$(members a.json items users)" "$(members b.json items users)"
simulate b.json --items names.tsv --encoding hash --bits 40 --top 2 --epsilon 6 --seed-insecure 1
is hash__has_the_texts "$(json b.json '[i["item"] for i in d["items"]]')" "['Emma', 'Liam']"
simulate b.json --items names.tsv --encoding utf8 --bits 48 --top 2 --epsilon 6 --seed-insecure 1
is utf8__finds "$(json b.json '[i["item"] for i in d["items"]]')" "['Emma', 'Liam']"
printf 'a\t1\t5000\nb\t2\t0\na\t1\t3000\n' >odd.tsv
simulate b.json --items odd.tsv --bits 8 --top 1 --epsilon 6 --protocol fedpem --seed-insecure 1
is file__empty_party_and_split_rows "$(members b.json users parties distinct_items f1)" '[8000, 2, 1, 1.0]'

# ---- sampled counts ----
# The mean of what is estimated of the five most frequent items, over runs of each mode: within 5 standard errors of each other.
for mode in fast exact; do
    simulate $mode.json "${small[@]}" --epsilon 1 --runs 40 --$mode --levels 12,20
done
is fast__agrees_with_exact "$(python3 - <<'EOF'
import json
a, b = (json.load(open(m + ".json")) for m in ("fast", "exact"))
print(all(abs(a[k] - b[k]) <= 5 * (a[k + "_se"] ** 2 + b[k + "_se"] ** 2) ** 0.5 + 1e-12 for k in ("f1", "ncr")))
EOF
)" True
# Of one item that everybody holds: estimates scatter as the standard error says, in both modes.
for mode in fast exact; do
    for seed in $(seq 30); do
        nw-hitters simulate --items odd.tsv --bits 8 --top 1 --epsilon 1 --seed-insecure "$seed" --$mode --json --quiet
    done >$mode.lines
done
is estimates__scatter_as_they_say "$(python3 - <<'EOF'
import json
def spread(name):
    z = [(i["estimate"] - i["true"]) / i["se"] for i in (json.loads(l)["items"][0] for l in open(name + ".lines"))]
    return sum(x * x for x in z)
# chi-square of 30 degrees: 1e-6 lies beyond 5.4 and 88
print(all(5.4 < spread(m) < 88 for m in ("fast", "exact")))
EOF
)" True

# ---- a collection by files ----
awk -F'\t' 'NR > 1 { for (i = 0; i < $3 / 3; i++) print $2 > $1 ".txt" }' names.tsv
nw-hitters params --epsilon 6 --top 3 --bits 30 --encoding letters5 --levels 10,20,30 --parties 3 --keep 12 -o c.json
is params__are_told "$(members c.json epsilon levels protocol report_bytes)" "[6.0, [10, 20, 30], 'pooled', 16]"
for party in north south east; do
    check "report__$party" nw-hitters report $party.txt --campaign c.json -o $party.reports --insecure-seed 5
    check "aggregate__$party" nw-hitters aggregate $party.reports --campaign c.json -o $party.agg --quiet
done
is report__is_16_bytes_a_line "$(stat -c %s north.reports)" "$((16 * $(wc -l <north.txt)))"
split -b 1600 -a 3 south.reports piece.
check aggregate__of_many_files nw-hitters aggregate piece.* --campaign c.json -o pieces.agg --quiet
check aggregate__of_many_files_is_the_same cmp south.agg pieces.agg
check merge__runs nw-hitters merge north.agg south.agg east.agg -o all.agg
run_steps() { # state prefix, aggregates...
    local name=$1 last=() step
    shift
    for step in 1 2 3; do
        nw-hitters step --campaign c.json "${last[@]}" "$@" -o "$name$step.state" --quiet || return
        last=(--state "$name$step.state")
    done
}
check step__of_parties run_steps p -a north.agg -a south.agg -a east.agg
check estimate__runs nw-hitters estimate --campaign c.json --state p3.state --json -o p.json
is estimate__finds "$(json p.json '[i["item"] for i in d["items"]]')" "['emma', 'liam', 'noah']"
is estimate__users "$(json p.json 'd["users"]')" "$(cat north.txt south.txt east.txt | wc -l)"
nw-hitters params --epsilon 6 --top 3 --bits 30 --encoding letters5 --levels 10,20,30 --parties 1 --keep 12 -o one.json
sed 's/"parties": 3/"parties": 1/' c.json >c1.json
check step__of_what_was_merged bash -c 'nw-hitters step -c c1.json -a all.agg -o m1 -q &&
    nw-hitters step -c c1.json -s m1 -a all.agg -o m2 -q &&
    nw-hitters step -c c1.json -s m2 -a all.agg -o m3 -q && nw-hitters estimate -c c1.json -s m3 --json -o m.json'
is merge__changes_nothing "$(json m.json 'd["items"]')" "$(json p.json 'd["items"]')"
nw-hitters params --epsilon 6 --top 2 --bits 40 --encoding hash --public-coin --levels 20,40 -o h.json
awk '{ print "user" NR "\t" $0 }' north.txt >users.txt
check public_coin__reports nw-hitters report users.txt -c h.json -o h.reports
cat h.reports h.reports >twice.reports
nw-hitters aggregate twice.reports -c h.json -o h.agg --json >counts.json
n=$(wc -l <north.txt)
is public_coin__replays_do_not_count "$(members counts.json accepted replayed)" "[$n, $n]"
check public_coin__steps bash -c 'nw-hitters step -c h.json -a h.agg -o h1 -q &&
    nw-hitters step -c h.json -s h1 -a h.agg -o h2 -q'
sort -u north.txt >words.txt
nw-hitters estimate -c h.json -s h2 --dictionary words.txt --json >h.out
is estimate__dictionary "$(json h.out '[i["item"] for i in d["items"]]')" "['Emma', 'Liam']"
nw-hitters aggregate h.reports -c c.json -o x.agg --json >counts.json
is aggregate__foreign_reports_are_counted "$(json counts.json 'd["accepted"] == 0 and sum(d.values()) == 2 * '"$n")" True
{ cat north.reports; head -c 7 south.reports; } >cut.reports
nw-hitters aggregate cut.reports -c c.json -o x.agg --json >counts.json
is aggregate__cut_report_is_malformed "$(members counts.json accepted malformed)" "[$n, 1]"

# ---- processes ----
if command -v mpirun >/dev/null && ldd "$bin/nw-hitters" | grep -q libmpi; then
    mpi=(env OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 timeout 100 mpirun --oversubscribe
        --mca mpi_yield_when_idle 1)
    for protocol in pooled fedpem; do
        run=(nw-hitters simulate "${small[@]}" --epsilon 2 --protocol $protocol --levels 10,20 --threads 1 --json)
        "${run[@]}" >one.json
        "${mpi[@]}" -n 3 "${run[@]}" >three.json 2>run.err
        is "mpi__${protocol}_is_the_same_on_three" "$(members three.json items f1 bytes_up processes)" \
            "$(members one.json items f1 bytes_up processes | sed 's/1]$/3]/')"
    done
else
    skip mpi__is_the_same_on_three 'built without MPI, or no mpirun'
fi

# ---- bad input ----
bad() { # name, code, pattern, arguments of simulate
    local name=$1 code=$2 pattern=$3
    shift 3
    refuses "$name" "$code" "$pattern" nw-hitters simulate "$@" -o out.csv
}
for epsilon in 0 nan 100 -1 1,,2 x; do
    bad "epsilon_is_$epsilon" 64 '--epsilon: is ".*must be a number in \[0.0009765625, 16\]' --items names.tsv --bits 30 --top 3 \
        --epsilon $epsilon
done
bad bits_0 64 '--bits: is "0".*\[1, 128\]' --items names.tsv --bits 0 --top 3 --epsilon 1
bad bits_129 64 '--bits: is "129".*\[1, 128\]' --items names.tsv --bits 129 --top 3 --epsilon 1
bad bits_missing 64 '--bits: missing' --items names.tsv --top 3 --epsilon 1
bad bits_of_generator 64 'bits is 129' --generate zipf:users=10,items=2,s=1,bits=129 --top 3 --epsilon 1
bad top_beyond_the_domain 64 'top is 9, must be at most the 2\^3 items' --generate zipf:users=10,items=2,s=1,bits=3 \
    --top 9 --epsilon 1
bad top_0 64 '--top: is "0"' --items names.tsv --bits 30 --top 0 --epsilon 1
bad items_beyond_the_codes 64 'items is 9' --generate zipf:users=10,items=9,s=1,bits=3 --top 3 --epsilon 1
bad generator_misspelt 64 '--generate: has "user=10"' --generate zipf:user=10,items=2,s=1,bits=3 --top 3 --epsilon 1
bad generator_unknown 64 '--generate: is "normal"' --generate normal --top 3 --epsilon 1
bad no_users 64 'missing, must be given unless --generate' --top 3 --epsilon 1
bad both_users 64 'cannot be used with --items' --items names.tsv --generate zipf:users=10,items=2,s=1,bits=3 \
    --bits 3 --top 3 --epsilon 1
bad fast_and_exact 64 '--fast: cannot be used with --exact' --items names.tsv --bits 30 --top 3 --epsilon 1 --fast --exact
bad central_without_delta 64 '--delta: missing' --items names.tsv --bits 30 --top 3 --epsilon 1 --protocol central
bad delta_without_central 64 '--delta: is for' --items names.tsv --bits 30 --top 3 --epsilon 1 --delta 1e-9
bad levels_fall 64 '--levels: is "20,10"' --items names.tsv --bits 20 --top 3 --epsilon 1 --levels 20,10
bad levels_do_not_end_at_bits 64 '--levels: is "10,19"' --items names.tsv --bits 20 --top 3 --epsilon 1 --levels 10,19
bad levels_too_far_apart 64 '--levels: is "1,26"' --items names.tsv --bits 26 --top 3 --epsilon 1 --levels 1,26
bad keep_below_top 64 'keep is 2, must be in 3' --items names.tsv --bits 30 --top 3 --epsilon 1 --keep 2 --encoding letters5
bad file_missing 66 'nothing.tsv' --items nothing.tsv --bits 30 --top 3 --epsilon 1
bad columns_unknown 64 '--columns: is "a,b,c"' --items names.tsv --columns a,b,c --bits 30 --top 3 --epsilon 1
bad item_no_number 65 'names.tsv: line 2: the item must be a whole number' --items names.tsv --bits 30 --top 3 --epsilon 1
for row in 'a\tb' 'a\tb\tx' 'a\tb\t-1' '\tb\t1' 'a\tb\0\t1'; do
    printf "p\tb\t1\n$row\n" >bad.tsv
    bad "row_$row" 65 'bad.tsv: line 2: ' --items bad.tsv --encoding utf8 --bits 32 --top 3 --epsilon 1
done
: >bad.tsv
bad file_empty 65 'bad.tsv: has no rows' --items bad.tsv --encoding utf8 --bits 32 --top 3 --epsilon 1
printf 'a\tb\t0\n' >bad.tsv
bad file_without_users 65 'bad.tsv: has no users' --items bad.tsv --encoding utf8 --bits 32 --top 3 --epsilon 1
gzip -c names.tsv | head -c 100 >bad.tsv.gz
bad gzip_cut_short 65 'bad.tsv.gz: line [0-9]+: the gzip data' --items bad.tsv.gz --encoding utf8 --bits 32 --top 3 --epsilon 1
refuses merge_twice 64 'north.agg: given twice' nw-hitters merge north.agg north.agg -o out.csv
refuses merge_of_another_campaign 65 'h.agg: is an aggregate of another campaign' nw-hitters merge north.agg h.agg -o out.csv
refuses step_of_a_party_twice 64 'north.agg: given twice' nw-hitters step -c c.json -a north.agg -a south.agg -a north.agg \
    -o out.csv
refuses step_of_too_few 64 'n is 2, must be 3' nw-hitters step -c c.json -a north.agg -a south.agg -o out.csv
refuses step_of_another_campaign 65 'h.agg: is an aggregate of another campaign' nw-hitters step -c c.json -a h.agg -o out.csv
refuses step_after_the_last 64 '--state: has all levels closed' nw-hitters step -c c.json -s p3.state -a north.agg -o out.csv
refuses estimate_too_early 64 '--state: has 2 of 3 levels closed' nw-hitters estimate -c c.json -s p2.state -o out.csv
refuses estimate_of_another_campaign 65 'h2: is a search of another campaign' nw-hitters estimate -c c.json -s h2 -o out.csv
refuses dictionary_of_letters 64 '--dictionary: is for encoding hash' nw-hitters estimate -c c.json -s p3.state \
    --dictionary words.txt -o out.csv
head -c 200 north.agg >cut.agg
refuses aggregate_cut_short 65 'cut.agg: ' nw-hitters merge cut.agg south.agg -o out.csv
head -c 190 p1.state >cut.state
refuses state_cut_short 65 'cut.state: the bytes are damaged' nw-hitters step -c c.json -s cut.state -a all.agg -o out.csv
sed 's/"top": 3/"top": 0/' c.json >bad.json
refuses campaign_damaged 65 'bad.json: is no campaign.*top is 0' nw-hitters report north.txt -c bad.json -o out.csv
echo '{}' >bad.json
refuses campaign_of_nothing 65 'bad.json: is no campaign' nw-hitters report north.txt -c bad.json -o out.csv
refuses params_of_two_epsilons 64 '--epsilon: is "1,2"' nw-hitters params --epsilon 1,2 --top 3 --bits 30 -o out.csv
refuses params_id_too_short 64 '--id: is "12"' nw-hitters params --epsilon 1 --top 3 --bits 30 --id 12 -o out.csv
nw-hitters params --epsilon 1 --top 3 --bits 8 -o n.json
printf '1\n256\n' >numbers.txt
refuses report_no_number 65 'numbers.txt: line 2: the item must be' nw-hitters report numbers.txt -c n.json -o out.csv
refuses report_without_user 65 'north.txt: line 1: must be a pseudonym' nw-hitters report north.txt -c h.json -o out.csv
finish
