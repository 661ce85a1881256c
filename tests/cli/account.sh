#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 the Noisewright authors
# SPDX-License-Identifier: Apache-2.0
# account.sh - nw-account: every command, as text and as JSON; schedules from files and pipes; input that must be refused.
. "$(dirname "$0")/lib.sh"

ar=(--adjacency add-remove)
gaussian='{"type": "gaussian", "sigma": 1, "sensitivity": 1}'
printf '{"mechanisms": [%s]}' "$gaussian" >one.json
printf '{"type": "poisson_subsampled", "q": 0.01, "count": 1000, "base": %s}' "$gaussian" >sgd.json
printf '{"type": "randomized_response", "p": 0.5, "k": 4, "count": 10}' >rr.json

within() { # name, value, low, high
    if awk -v x="$2" -v a="$3" -v b="$4" 'BEGIN { exit !(x != "" && x + 0 >= a && x + 0 <= b) }'; then ok "$1"; else
        not_ok "$1" "is $2" "must be in [$3, $4]"; fi
}

field() { # file, name: a number of an answer
    json "$1" "d[\"$2\"]"
}

member() { # name, arguments...: a number of the answer to them
    nw-account "${@:2}" --json | json /dev/stdin "d[\"$1\"]"
}

# ---- eps and delta: one Gaussian has a closed form: 4.3771780956812245 at sigma 1, delta 1e-5 ----
nw-account eps one.json --delta 1e-5 "${ar[@]}" >out.txt 2>err.txt
is eps $? 0
like eps__says_what_it_answers out.txt \
    '^epsilon   4\.37718 at delta 1e-05 \(certified: at least 4\.37717\), add_remove, gdp, [0-9.]+ s$'
is eps__prints_one_line_and_no_remark "$(cat out.txt err.txt | wc -l)" 1
nw-account eps one.json --delta 1e-5 "${ar[@]}" --json >a.json
is eps_json__members "$(json a.json 'sorted(d)')" \
    "['adjacency', 'certified', 'epsilon', 'lower', 'method', 'seconds', 'upper']"
within eps_json__is_the_upper_end "$(field a.json epsilon)" 4.37717809568 4.37717809569
is eps_json__interval \
    "$(json a.json 'd["lower"] <= 4.3771780956812245 <= d["upper"] == d["epsilon"], d["certified"]')" '(True, True)'
is eps__from_standard_input "$(member upper eps - --delta 1e-5 -a add_remove <one.json)" \
    "$(field a.json upper)"
is eps__from_a_pipe "$(member upper eps <(cat one.json) --delta 1e-5 "${ar[@]}")" \
    "$(field a.json upper)"
nw-account delta one.json --epsilon 4.3771780956812245 "${ar[@]}" --json >b.json
within delta__is_the_inverse "$(field b.json delta)" 0.99999e-5 1.00001e-5
nw-account eps sgd.json --delta 1e-5 "${ar[@]}" --upper-only --json >c.json
nw-account eps sgd.json --delta 1e-5 "${ar[@]}" --json >d.json
is eps_upper_only__has_the_same_upper_end "$(field c.json upper)" "$(field d.json upper)"
is eps_upper_only__has_no_lower_end "$(field c.json lower)" 0.0
within eps__is_tight "$(json d.json 'd["upper"] - d["lower"]')" 0 1e-3
nw-account eps one.json --delta 0 "${ar[@]}" >out.txt
like eps_of_delta_0__is_unbounded_in_words out.txt '^epsilon   unbounded at delta 0 .*no finite bound is known'
nw-account eps one.json --delta 0 "${ar[@]}" --json >e.json
is eps_of_delta_0__is_null_in_json "$(members e.json epsilon upper unbounded)" '[None, None, True]'
check eps__of_a_tiny_delta nw-account eps one.json --delta 1e-300 "${ar[@]}"
check eps__of_a_large_delta nw-account eps one.json --delta 0.999 "${ar[@]}"

# ---- forms of a schedule ----
forms=0
for form in "$gaussian" "[$gaussian]" "{\"format\": \"noisewright-event\", \"version\": 1, \"event\": $gaussian}" \
    "{\"id\": \"x\", \"note\": \"y\", \"mechanisms\": [$gaussian]}" \
    '{"type": "gaussian", "sigma": "0x1p0", "sensitivity": {"norm": "l2", "value": "0x1p0", "adjacency": "add_remove"}}'; do
    printf '%s' "$form" >form.json
    is "forms__$((++forms))" "$(member upper eps form.json --delta 1e-5 "${ar[@]}")" \
        "$(field a.json upper)"
done

# ---- rdp: order / 2 for one Gaussian ----
nw-account rdp one.json --order 10 "${ar[@]}" --json >r.json
within rdp "$(field r.json rdp)" 5 5.0000001
nw-account rdp one.json --order 10 "${ar[@]}" >out.txt
like rdp__says_the_order out.txt '^rdp       5\..* at order 10 '

# ---- calibrate ----
printf '[{"type": "gaussian", "sigma": null, "sensitivity": 1, "count": 4}]' >sigma.json
nw-account calibrate sigma.json --epsilon 1 --delta 1e-6 "${ar[@]}" --json >s.json
is calibrate $? 0
is calibrate__is_certified_from_both_sides \
    "$(json s.json '0.9999 * d["sigma"] < d["lower"] < d["sigma"] == d["upper"] and d["epsilon"] <= 1')" True
printf '[{"type": "gaussian", "sigma": %s, "sensitivity": 1, "count": 4}]' "$(field s.json sigma)" >given.json
within calibrate__meets_the_target "$(member upper eps given.json --delta 1e-6 "${ar[@]}")" 0.99999 1
printf '[{"type": "gaussian", "sigma": %s, "sensitivity": 1, "count": 4}]' "$(field s.json lower)" >given.json
within calibrate__less_noise_does_not "$(member lower eps given.json --delta 1e-6 "${ar[@]}")" 1 1.001
printf '{"type": "laplace", "scale": 10, "sensitivity": 1, "count": null}' >count.json
nw-account calibrate count.json --epsilon 1 --delta 1e-6 "${ar[@]}" --json >n.json
is calibrate_count__is_whole "$(json n.json 'type(d["count"]), d["lower"] == d["count"] <= d["upper"]')" "(<class 'int'>, True)"
printf '{"type": "poisson_subsampled", "q": null, "count": 100, "base": %s}' "$gaussian" >q.json
nw-account calibrate q.json --epsilon 1 --delta 1e-6 "${ar[@]}" >out.txt
like calibrate_q__rounds_down out.txt \
    '^q         0\.[0-9]+ \(certified: at most 0\.[0-9]+; epsilon at most (1|0\.9999[0-9]*) at delta 1e-06\)'
refuses calibrate__nothing_open 65 'one.json: .*0 values are null' \
    nw-account calibrate one.json --epsilon 1 --delta 1e-6 "${ar[@]}"
refuses calibrate__two_open 65 '2 values are null' nw-account calibrate \
    <(printf '[{"type": "gaussian", "sigma": null, "sensitivity": 1, "count": null}]') --epsilon 1 --delta 1e-6 "${ar[@]}"
refuses calibrate__another_open 65 '"epsilon" is null, must be sigma' nw-account calibrate \
    <(printf '{"type": "pure", "epsilon": null, "adjacency": "add_remove"}') --epsilon 1 --delta 1e-6 "${ar[@]}"
refuses calibrate__out_of_reach 3 'no sigma meets epsilon 1 at delta 0' \
    nw-account calibrate sigma.json --epsilon 1 --delta 0 "${ar[@]}"

# ---- short forms ----
nw-account dpsgd --q 0.01 --sigma 1 --steps 1000 --delta 1e-5 --json >f.json
is dpsgd__is_the_schedule "$(field f.json upper)" "$(field d.json upper)"
nw-account dpsgd --batch-size 100 --examples 10000 --epochs 10 --sigma 1 --delta 1e-5 --json >g.json 2>note.txt
within dpsgd_batches__are_the_same "$(field g.json upper)" \
    "$(json f.json 'd["upper"] * 0.9999999')" "$(json f.json 'd["upper"] * 1.0000001')"
like dpsgd_batches__warn note.txt '^nw-account: sampling rate 0\.01, 1000 steps; samples must be drawn anew'
nw-account dpsgd --q 0.1 --epochs 10 --sigma 1 --delta 1e-5 --json 2>note.txt >g.json
like dpsgd_epochs__round_up_once note.txt '0\.1, 100 steps'
nw-account dpsgd --q 0.01 --steps 1000 --epsilon 2 --delta 1e-5 --json >s.json
within dpsgd_target__finds_sigma "$(field s.json sigma)" 0.95 0.97
nw-account dpsgd --q 0.01 --sigma "$(field s.json sigma)" --epsilon 2 --delta 1e-5 --json >n.json
within dpsgd_target__finds_steps "$(field n.json steps)" 1000 1001
nw-account dpsgd --sigma "$(field s.json sigma)" --steps 1000 --epsilon 2 --delta 1e-5 --json >q.json
within dpsgd_target__finds_q "$(field q.json q)" 0.00999 0.01001
refuses dpsgd__without_steps 64 '--steps: missing' nw-account dpsgd --q 0.01 --sigma 1 --delta 1e-5
refuses dpsgd__nothing_left_out 64 '--epsilon: is a target' nw-account dpsgd --q .1 --sigma 1 --steps 1 --delta 1e-5 --epsilon 1
refuses dpsgd__two_left_out 64 '--q: missing' nw-account dpsgd --sigma 1 --delta 1e-5 --epsilon 1
refuses dpsgd__q_twice 64 '--batch-size: given beside --q' \
    nw-account dpsgd --q .1 --batch-size 2 --examples 9 --sigma 1 --steps 1 --delta .1
refuses dpsgd__batches_of_what 64 '--examples: missing' nw-account dpsgd --batch-size 2 --sigma 1 --steps 1 --delta .1
refuses dpsgd__batch_too_large 64 '--batch-size: is 10, must be at most --examples, 9' \
    nw-account dpsgd --batch-size 10 --examples 9 --sigma 1 --steps 1 --delta .1
refuses dpsgd__steps_twice 64 '--epochs: given beside --steps' nw-account dpsgd --q .1 --epochs 2 --steps 2 --sigma 1 --delta .1
for bad in '--q 1.5' '--q 0' '--q nan' '--q -1' '--q 0x1p-3' '--sigma 0' '--sigma 1e-320' '--sigma 1e301' '--sigma inf' \
    '--sigma abc' '--steps 0' '--steps 2.5' '--steps 4611686018427387904' '--steps -1' '--delta 1' '--delta -1e-9' \
    '--delta nan' '--adjacency none'; do
    option=${bad% *}
    given="--q 0.1 --sigma 1 --steps 10 --delta 1e-5"
    [[ $given == *"$option "* ]] && given=$(sed -E "s/$option [^ ]+ ?//" <<<"$given")
    # shellcheck disable=SC2086
    refuses "dpsgd__${bad// /_}" 64 "${option}: is \"${bad#* }\", must be" nw-account dpsgd $given $bad
done
check dpsgd__of_a_quintillion_steps nw-account dpsgd --q 0.01 --sigma 1 --steps 1e18 --delta 1e-5
within gaussian "$(member upper gaussian --sigma 2 --sensitivity 2 --delta 1e-5)" 4.37717809 4.3771781
within gaussian__replaced_records_are_twice_apart \
    "$(member upper gaussian --sigma 2 --delta 1e-5 --adjacency replace-one)" 4.37717809 4.3771781
within gaussian_target "$(member sigma gaussian --epsilon 1 --delta 1e-6)" 4.22467 4.22470
is laplace "$(member epsilon laplace --scale 0.5 --delta 0)" 2.0
within laplace_target "$(member scale laplace --epsilon 1 --delta 0 --steps 100)" 100 100.0001
is laplace_steps "$(member steps laplace --scale 4 --epsilon 2 --delta 0)" 8
refuses gaussian__without_sigma 64 '--sigma: missing' nw-account gaussian --delta 1e-5
refuses gaussian__ratio_too_large 64 '--sigma: is 1e-90, must be at least' \
    nw-account gaussian --sigma 1e-90 --sensitivity 1e20 --delta .1
refuses gaussian__target_at_delta_0 3 'no sigma meets' nw-account gaussian --epsilon 1 --delta 0

# ---- hostile input ----
bad() { # name, pattern, text by printf
    # shellcheck disable=SC2059
    printf "$3" >bad.json
    refuses "eps__$1" 65 "bad.json: .*$2" nw-account eps bad.json --delta 1e-5 "${ar[@]}"
}
bad empty_file 'line 1' ''
bad truncated 'line 1' '{"mechanisms": [{"type": "gau'
bad nul_byte 'no text' '{"type": "gau\0ssian"}'
bad invalid_utf8 '0xff' '{"type": "gau\xff"}'
bad nan "near 'NaN'" '{"type": "gaussian", "sigma": NaN}'
bad duplicate_key 'duplicate' '{"type": "gdp", "mu": 1, "mu": 2}'
bad no_event 'format' '{}'
bad unknown_type '"gausian", which is no event' '{"type": "gausian", "sigma": 1}'
bad control_characters 'gaus\?\[2J' '{"type": "gaus\\u001b[2J"}'
bad negative_sigma 'sigma is -1, must be positive' '{"type": "gaussian", "sigma": -1, "sensitivity": 1}'
bad tiny_sigma 'at most 1e\+100' '{"type": "gaussian", "sigma": 1e-320, "sensitivity": 1}'
bad overflowing_sigma 'overflow' '{"type": "gaussian", "sigma": 1e400, "sensitivity": 1}'
bad q_above_1 'q is 1.5, must be in \[0, 1\]' \
    '{"type": "poisson_subsampled", "q": 1.5, "base": {"type": "gdp", "mu": 1, "adjacency": "add_remove"}}'
bad count_0 '"count" must be an integer from 1' '{"type": "gdp", "mu": 1, "adjacency": "add_remove", "count": 0}'
bad count_too_large 'integer' '{"type": "gdp", "mu": 1, "adjacency": "add_remove", "count": 99999999999999999999}'
bad key_of_another_kind '"n" is no key of gdp' '{"type": "gdp", "mu": 1, "adjacency": "add_remove", "n": 10}'
bad count_beside_the_list 'count' '{"mechanisms": [], "count": 10}'
bad empty_list 'at least one event' '{"mechanisms": []}'
bad newer_version 'newer' '{"format": "noisewright-event", "version": 2, "event": {}}'
printf '%0*d' 200000 0 | tr 0 '[' >bad.json
refuses eps__deep_brackets 65 'depth' nw-account eps bad.json --delta 1e-5 "${ar[@]}"
python3 -c 'n = 70; print("{\"type\":\"repeat\",\"count\":2,\"event\":" * n + "{}" + "}" * n)' >bad.json
refuses eps__deep_events 65 'nested' nw-account eps bad.json --delta 1e-5 "${ar[@]}"
python3 -c 'n = 60; print("{\"type\":\"repeat\",\"count\":4611686018427387904,\"event\":" * n +
    "{\"type\":\"laplace\",\"scale\":1,\"sensitivity\":1}" + "}" * n)' >huge.json
nw-account eps huge.json --delta 1e-5 "${ar[@]}" >out.txt
like eps__of_2_to_the_3720_repetitions_is_unbounded out.txt '^epsilon   unbounded'
refuses eps__missing_file 66 'nothing.json: No such file' nw-account eps nothing.json --delta 1e-5 "${ar[@]}"
refuses eps__folder 66 'folder' nw-account eps . --delta 1e-5 "${ar[@]}"
refuses eps__without_adjacency 64 '--adjacency: missing' nw-account eps one.json --delta 1e-5
refuses eps__of_another_relation 65 'rr.json: .*replace_one and says nothing about add_remove' \
    nw-account eps rr.json --delta 1e-5 "${ar[@]}"
refuses delta__negative_epsilon 64 '--epsilon: is "-1"' nw-account delta one.json --epsilon -1 "${ar[@]}"
refuses rdp__order_1 64 '--order: is "1"' nw-account rdp one.json --order 1 "${ar[@]}"
refuses nonsense 64 'dpsdg: no such command, did you mean dpsgd' nw-account dpsdg

# ---- curve ----
nw-account curve sgd.json --svg out.svg >curve.out
is curve $? 0
is curve__prints_nothing "$(cat curve.out)" ''
check curve__is_well_formed python3 -c 'import xml.dom.minidom, sys; xml.dom.minidom.parse("out.svg")'
is curve__draws_both_ends_of_both_curves "$(grep -c '<polyline' out.svg)" 5
unlike curve__has_numbers_only out.svg '(nan|inf)[,. "]'
is curve__on_standard_output "$(nw-account curve one.json --svg - | head -c 4)" '<svg'
# the lower trade-off of one Gaussian at alpha = 1/2 is Phi(Phi^-1(1/2) - 1) = .1587, in pixels of the panel
is curve__encloses_the_trade_off "$(python3 - <<'EOF2'
import re, subprocess
from statistics import NormalDist
svg = subprocess.run(["nw-account", "curve", "one.json", "--svg", "-"], capture_output=True, text=True, check=True).stdout
lines = [[tuple(map(float, p.split(","))) for p in m.split()] for m in re.findall(r'<polyline[^>]*points="([^"]*)"', svg)]
def at(line, alpha):
    points = [((x - 520) / 320, 1 - (y - 50) / 320) for x, y in line]
    for (a, f), (b, g) in zip(points, points[1:]):
        if a <= alpha <= b and b > a:
            return f + (g - f) * (alpha - a) / (b - a)
pixel = 0.005 / 320 + 1e-5
ok = True
for alpha in (0.01, 0.05, 0.2, 0.5, 0.8):
    truth = NormalDist().cdf(-NormalDist().inv_cdf(alpha) - 1)
    low, high = at(lines[3], alpha), at(lines[4], alpha)
    ok = ok and low <= truth + pixel + 2e-4 and high >= truth - pixel and high - low < 0.02
print(ok)
EOF2
)" True
nw-account curve rr.json --svg rr.svg --adjacency replace-one
is curve_of_randomized_response $? 0
refuses curve__of_another_relation 65 'rr.json' nw-account curve rr.json --svg out.csv
refuses curve__nowhere 73 'nowhere/x.svg' nw-account curve one.json --svg nowhere/x.svg
refuses curve__over_a_folder 73 'folder' nw-account curve one.json --svg .
refuses curve__missing_file 66 'nothing.json' nw-account curve nothing.json --svg out.csv
refuses curve__without_svg 64 '--svg: missing' nw-account curve one.json

# ---- query ----
python3 - "$root/tests/vectors/accounting.json" >entries.txt <<'EOF2'
import json, sys
kinds = {}
for entry in json.load(open(sys.argv[1], encoding="utf-8"))["entries"]:
    kinds.setdefault(entry["kind"], entry)
for kind in ("composition", "rdp", "zcdp_to_approx_dp", "rdp_to_approx_dp", "calibrate", "shuffle_amplification"):
    print(json.dumps(kinds[kind]))
EOF2
head -n 1 entries.txt | nw-account query --json - >a.json
is query $? 0
is query__members "$(json a.json 'sorted(d)')" "['adjacency', 'certified', 'lower', 'method', 'seconds', 'upper', 'value']"
is query__value_is_the_upper_end "$(json a.json 'd["value"] == d["upper"] >= d["lower"]')" True
nw-account query --json --lines - <entries.txt >answers.txt
is query_lines $? 0
is query_lines__answers_every_kind "$(grep -c '"value": [0-9]' answers.txt)" 6
{
    head -n 1 entries.txt
    printf '{bad\n\n[]\n{"kind": "compo\0sition"}\n{"kind": "x"}\n\377\n'
    tail -n 1 entries.txt
} >mixed.txt
nw-account query --lines mixed.txt >answers.txt
is query_lines__of_bad_lines_is_65 $? 65
is query_lines__one_answer_a_line "$(grep -c . answers.txt)" 7
is query_lines__errors_stop_nothing "$(sed -E 's/^\{"(value|error)".*/\1/' answers.txt | tr '\n' ' ')" \
    'value error error error error error value '
refuses query__bad_entry 65 'must be an object' nw-account query <(printf '[]')
refuses query__missing_file 66 'nothing.json' nw-account query nothing.json --lines

# ---- output that cannot be written ----
if [[ -c /dev/full ]]; then
    for command in 'eps one.json --delta 1e-5 -a add-remove' 'eps one.json --delta 1e-5 -a add-remove --json' \
        'query --lines entries.txt' 'curve one.json --svg -' '--help'; do
        # shellcheck disable=SC2086
        nw-account $command >/dev/full 2>err.txt
        is "full_output__${command%% *}" "$? $(wc -l <err.txt)" '74 1'
    done
    refuses curve__to_a_full_device 74 '/dev/full' nw-account curve one.json --svg /dev/full
    check curve__leaves_the_device test -c /dev/full
fi
nw-account eps one.json --delta 1e-5 "${ar[@]}" >&- 2>err.txt
is closed_output $? 74
finish
