#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 the Noisewright authors
# SPDX-License-Identifier: Apache-2.0
# train_processes.sh - nw-train under mpirun: the model of one process to the bit; one charge, one message and exit code; and what
# is left, and taken up again, when a process is killed.
. "$(dirname "$0")/lib.sh"
. "$root/tests/cli/mpi_lib.sh"

awk 'function r() { seed = (seed * 16807) % 2147483647; return seed / 2147483647 }
    BEGIN { seed = 7; print "age,score,label"
        for (i = 0; i < 2400; i++) {
            age = 18 + int(r() * 60); score = r() * 10; yes = (age > 45) + (score > 5) >= 1
            printf "%d,%.3f,%s\n", age, score, yes ? "yes" : "no" } }' >train.csv
cat >labelled.json <<'EOF'
{
  "age": {"type": "int", "lower": 18, "upper": 80},
  "score": {"type": "float", "lower": 0, "upper": 10},
  "label": {"type": "categorical", "values": ["no", "yes"]}
}
EOF
cat >hidden.json <<'EOF'
{"input": {"floats": 38}, "layers": [{"type": "linear", "outputs": 6}, {"type": "softplus"}, {"type": "linear", "outputs": 1}],
 "loss": "logistic"}
EOF
data=(--data train.csv --format csv --schema labelled.json --target label --delta 1e-5)
quick=(nw-train "${data[@]}" --model linear --epsilon 4 --steps 20 --batch 1200 --seed-insecure 3)

weights() { # model: the float values, behind the header
    python3 -c 'import hashlib, struct, sys
b = open(sys.argv[1], "rb").read()
print(hashlib.sha256(b[8 + struct.unpack("<Q", b[:8])[0]:]).hexdigest())' "$1"
}
charges() { # ledger
    nw-ledger show "$1" --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["charges"])'
}

# ---- the same as without mpirun ----
"${quick[@]}" -o one.nw --json >one.json 2>run.err
is alone__exit_code $? 0
for n in 1 2 4; do
    mpi $n "${quick[@]}" --test train.csv -o many.nw --json >many.json 2>run.err
    is "processes_${n}__exit_code" $? 0
    is "processes_${n}__give_the_same_weights" "$(weights many.nw)" "$(weights one.nw)"
done
is processes__print_one_object "$(members many.json epsilon steps sigma)" "$(members one.json epsilon steps sigma)"
like processes__learn many.json '"test_accuracy": 0\.[89]'
is processes__warn_once "$(grep -c 'NOT PRIVATE' run.err)" 1
is processes__leave_no_checkpoint "$(ls many.nw.checkpoint 2>/dev/null)" ''
for options in '--quantile 0.5 --clipping flat' '--noise tree' '--sampling full --optimizer adam'; do
    # shellcheck disable=SC2086
    "${quick[@]}" $options -o one.nw 2>/dev/null >/dev/null
    # shellcheck disable=SC2086
    mpi 3 "${quick[@]}" $options -o many.nw 2>run.err >/dev/null
    is "processes__with_${options// /_}" "$(weights many.nw)" "$(weights one.nw)"
done

# ---- one charge ----
real=(nw-train "${data[@]}" --model linear --sampling full --sigma 4)
nw-ledger create l.nwl --epsilon 8 --delta 1e-4 --adjacency add-remove >/dev/null
mpi 3 "${real[@]}" --steps 5 --ledger l.nwl -o real.nw >run.out 2>run.err
is real__exit_code $? 0
is real__is_charged_once "$(charges l.nwl)" 1
is real__says_it_once "$(wc -l <run.out)" 1
mpi 3 "${real[@]}" --steps 5 --estimate --json >estimate.json 2>run.err
is estimate__is_of_one_process "$(json estimate.json 'd["steps"]')" 5

# ---- one message, nothing written, nothing charged ----
all_refuse() { # name, code, pattern, processes, command...
    local name=$1 code=$2 pattern=$3
    shift 3
    mpi "$@" >run.out 2>run.err
    is "${name}__exit_code" $? "$code"
    is "${name}__says_why_once" "$(grep -c -- "$pattern" run.err)" 1
    is "${name}__writes_nothing" "$(ls out.nw* 2>/dev/null)" ''
    is "${name}__charges_nothing" "$(charges l.nwl)" 1
}
run=("${real[@]}" --ledger l.nwl -o out.nw)
sed '900s/.*/40,1,perhaps/' train.csv >bad.csv
all_refuse stream 64 'is a stream, which 2 processes cannot share' 2 nw-train --data - "${data[@]:2}" --model linear --sigma 4 \
    --ledger l.nwl -o out.nw
all_refuse missing_file 66 'absent.csv' 3 nw-train --data absent.csv "${data[@]:2}" --model linear --sigma 4 --ledger l.nwl \
    -o out.nw
all_refuse malformed 65 'bad.csv' 3 nw-train --data bad.csv "${data[@]:2}" --model linear --sigma 4 --ledger l.nwl -o out.nw
all_refuse budget 3 'l.nwl' 3 nw-train "${data[@]}" --model linear --sampling full --sigma 0.2 --steps 400 --ledger l.nwl \
    -o out.nw
all_refuse option 64 '--sigma' 2 "${run[@]}" --epsilon 1
all_refuse output 73 'nowhere' 2 "${real[@]}" --ledger l.nwl -o nowhere/out.nw
all_refuse eval 64 'eval: runs in one process' 2 nw-train eval real.nw --data train.csv
all_refuse other_options 70 'process 1 has a run of other options' 1 "${run[@]}" --steps 9 : -n 1 "${run[@]}" --steps 9 --clip 0.7

# ---- a process is killed ----
long=(nw-train "${data[@]}" --model hidden.json --sampling full --sigma 40 --steps 600 --ledger l.nwl -o out.nw --quiet)
timeout 60 mpirun "${mpi_options[@]}" -n 2 "${long[@]}" >/dev/null 2>killed.err &
job=$!
for _ in $(seq 400); do
    [[ -s out.nw.checkpoint ]] && break
    sleep 0.05
done
check killed__has_a_checkpoint test -s out.nw.checkpoint
for process in /proc/[0-9]*; do
    if [[ $(readlink "$process/exe" 2>/dev/null) == "$bin/nw-train" && $(readlink "$process/cwd") == "$work" ]] &&
        tr '\0' '\n' 2>/dev/null <"$process/environ" | grep -qx OMPI_COMM_WORLD_RANK=1; then
        kill -9 "${process#/proc/}"
    fi
done
wait "$job"
code=$?
is killed__fails "$((code != 0 && code != 124))" 1
is killed__writes_no_model "$(ls out.nw 2>/dev/null)" ''
is killed__was_charged_once "$(charges l.nwl)" 2
check killed__keeps_its_checkpoint test -s out.nw.checkpoint
mpi 2 "${long[@]}" --resume --json >run.json 2>run.err
is killed__goes_on $? 0
is killed__is_not_charged_again "$(charges l.nwl)" 2
check killed__counts_steps_that_are_lost test "$(json run.json 'd["lost_steps"]')" -ge 0
check killed__ends_with_a_model test -s out.nw

finish
