#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 the Noisewright authors
# SPDX-License-Identifier: Apache-2.0
# train.sh - nw-train on small tables: what it learns, what it says, runs that are interrupted, ledgers, and every bad input.
. "$(dirname "$0")/lib.sh"
export OMP_NUM_THREADS=1

labelled_schema >labelled.json
make_labelled 2000 7 >train.csv
make_labelled 1000 11 >test.csv
data=(--data train.csv --format csv --schema labelled.json --target label)
linear=("${data[@]}" --model linear --delta 1e-5)
quick=("${linear[@]}" --epsilon 8 --steps 60 --batch 200)

weights() { # model: the float values, behind the header
    python3 -c 'import hashlib, struct, sys
b = open(sys.argv[1], "rb").read()
print(hashlib.sha256(b[8 + struct.unpack("<Q", b[:8])[0]:]).hexdigest())' "$1"
}

# ---- what comes out ----
nw-train "${linear[@]}" --epsilon 8 --test test.csv --seed-insecure 1 --json -o model.nw --curve curve.svg >run.json 2>run.err
is train__exit_code $? 0
is train__learns "$(json run.json '0.83 < d["test_accuracy"] < 0.95 and 0.8 < d["test_auc"] < 1')" True
is train__epsilon_is_spent "$(json run.json '7.99 < d["epsilon"] <= 8 and d["delta"] == 1e-5')" True
is train__json__members "$(members run.json steps adjacency insecure lost_steps)" "[150, 'add_remove', True, 0]"
is train__json__measures "$(json run.json 'd["seconds"] > 0 and d["peak_mib"] > 1 and d["sigma"] > 0')" True
like train__says_not_private run.err 'NOT PRIVATE'
is train__leaves_no_checkpoint "$(leftovers model.nw)" model.nw
like train__curve_is_a_picture curve.svg '^<svg '
check train__curve_is_well_formed python3 -c 'import xml.dom.minidom; xml.dom.minidom.parse("curve.svg")'
unlike train__curve_has_no_nan curve.svg 'nan|inf'
cp run.json first.json
nw-train "${linear[@]}" --epsilon 8 --test test.csv --seed-insecure 1 --json -o again.nw >run.json 2>run.err
is train__a_seed_repeats_the_model "$(weights again.nw)" "$(weights model.nw)"
OMP_NUM_THREADS=2 nw-train "${linear[@]}" --epsilon 8 --test test.csv --seed-insecure 1 --memory 16 --json -o threads.nw \
    >run.json 2>run.err
is train__threads_and_memory_change_nothing "$(json run.json 'd["test_accuracy"]')" "$(json first.json 'd["test_accuracy"]')"

nw-train eval model.nw --data test.csv --json >eval.json 2>run.err
is eval__is_what_training_said "$(members eval.json test_accuracy test_auc)" "$(members first.json test_accuracy test_auc)"
is eval__counts_records "$(members eval.json records)" '[1000]'
nw-train eval model.nw --data test.csv >eval.txt
like eval__text eval.txt '^accuracy  0\.[89]'
nw-train predict model.nw --data test.csv -o answers.csv
is predict__one_row_each "$(wc -l <answers.csv)" 1001
right=$(paste -d, test.csv answers.csv | awk -F, 'NR > 1 { right += $4 == $6 } END { printf "%.3f", right / (NR - 1) }')
is predict__agrees_with_accuracy "$right" \
    "$(json eval.json '"%.3f" % d["test_accuracy"]')"
cut -d, -f1-3,5 test.csv >unlabelled.csv
nw-train predict model.nw --data unlabelled.csv >unlabelled.out
check predict__does_not_look_at_labels cmp unlabelled.out answers.csv
gzip -k test.csv
nw-train eval model.nw --data test.csv.gz --json >run.json
is eval__reads_gzip "$(members run.json test_accuracy)" "$(members eval.json test_accuracy)"

nw-train --data train.csv --format csv --schema labelled.json --target pay --task regress --model linear \
    --delta 1e-5 --epsilon 8 \
    --test test.csv --seed-insecure 1 --json -o pay.nw >run.json 2>run.err
is regress__has_an_error_in_the_column_s_unit "$(json run.json '5 < d["test_rmse"] < 120 and d["test_accuracy"] is None')" True
nw-train predict pay.nw --data test.csv >pay.csv
like regress__predicts_numbers pay.csv '^[0-9]+\.?[0-9]*$'

# ---- options ----
for noise in tree banded; do
    nw-train "${linear[@]}" --epsilon 8 --noise $noise --epochs 4 --batch 200 \
    --test test.csv --seed-insecure 1 --json -o ftrl.nw \
        >run.json 2>run.err
    is "noise_${noise}__learns" \
        "$? $(json run.json 'd["test_accuracy"] > 0.7 and d["epsilon"] <= 8 and d["steps"] == 40')" '0 True'
done
for clipping in per-layer auto global; do
    nw-train "${quick[@]}" --clipping $clipping --test test.csv --seed-insecure 1 --json -o out.nw >run.json 2>run.err
    is "clipping_${clipping}__runs" "$? $(json run.json 'd["test_accuracy"] > 0.5')" '0 True'
done
nw-train "${quick[@]}" --quantile 0.5 --test test.csv --seed-insecure 1 --json -o out.nw >run.json 2>run.err
is quantile__runs "$? $(json run.json 'd["test_accuracy"] > 0.6')" '0 True'
for optimizer in adam adam-bc; do
    nw-train "${quick[@]}" --optimizer $optimizer --learning-rate 0.05 --test test.csv --seed-insecure 1 \
    --json -o out.nw >run.json 2>run.err
    is "optimizer_${optimizer}__runs" "$? $(json run.json 'd["test_accuracy"] > 0.6')" '0 True'
done
nw-train "${quick[@]}" --adjacency replace-one --sampling shuffled --seed-insecure 1 --json -o out.nw >run.json 2>run.err
is sampling_shuffled__is_accounted_by_epochs "$? $(json run.json '7.9 < d["epsilon"] <= 8 and d["sigma"]')" \
    "0 $(nw-train "${linear[@]}" --adjacency replace-one --sampling full \
        --epsilon 8 --steps 6 --estimate --json | json /dev/stdin 'd["sigma"]')"
nw-train "${linear[@]}" --sigma 2 --steps 50 --batch 200 --estimate --json >run.json 2>run.err
is estimate__epsilon_of_a_sigma "$? $(json run.json '0.1 < d["epsilon"] < 5 and d["sigma"] == 2.0')" '0 True'
is estimate__event_costs_that "$(json run.json 'd["epsilon"]' | cut -c1-8)" \
    "$(json run.json '__import__("json").dumps(d["event"])' | nw-account eps - --delta 1e-5 --adjacency add-remove --json |
        json /dev/stdin 'd["upper"]' | cut -c1-8)"
is estimate__writes_nothing "$(leftovers estimate.nw)" ''

# ---- ledgers ----
nw-train "${quick[@]}" --estimate --json >run.json 2>run.err
json run.json '__import__("json").dumps(d["event"])' >event.json
nw-ledger create plan.nwl --epsilon 8 --delta 1e-5 --adjacency add-remove --schedule event.json --quiet
nw-train "${quick[@]}" --ledger plan.nwl --json -o out.nw >run.json 2>run.err
is ledger__a_schedule_takes_its_run "$? $(json run.json 'd["receipt"]["durable"] and not d["insecure"]')" '0 True'
rm -f out.nw
cp plan.nwl l.nwl
refuses ledger__a_schedule_takes_it_once 3 'used up|does not fit' nw-train "${quick[@]}" --ledger l.nwl --quiet -o out.csv
rm -f l.nwl*
nw-ledger create l.nwl --epsilon 1 --delta 1e-5 --adjacency add-remove --quiet
refuses ledger__a_filter_that_cannot_take_sampling 64 'schedule' nw-train "${quick[@]}" --ledger l.nwl --quiet -o out.csv
refuses ledger__over_the_budget 3 'does not fit' \
    nw-train "${linear[@]}" --epsilon 8 --steps 5 --sampling full --ledger l.nwl --quiet -o out.csv
refuses ledger__other_neighbours 64 'adjacency' nw-train "${linear[@]}" --epsilon 0.5 --steps 5 \
    --sampling full --adjacency zero-out \
    --ledger l.nwl --quiet -o out.csv
refuses ledger__no_seed 64 'seed' nw-train "${quick[@]}" --ledger l.nwl --seed-insecure 1 --quiet -o out.csv
nw-train "${linear[@]}" --epsilon 0.5 --steps 5 --sampling full --ledger l.nwl --json -o out.nw >run.json 2>run.err
is ledger__a_filter_takes_full_batches "$? $(json run.json 'd["receipt"]["durable"] and d["receipt"]["epsilon"] <= 0.5')" '0 True'
is ledger__settled "$(nw-ledger show l.nwl --json | json /dev/stdin 'd["reservations"]')" 0

# ---- interrupted ----
long=("${linear[@]}" --epsilon 8 --steps 4000 --batch 400 --quiet)
wait_for_steps() { # checkpoint: until it is there, and a while more
    for _ in $(seq 200); do
        [[ -s $1 ]] && break
        sleep 0.05
    done
    sleep "${2:-0.4}"
}
rm -f l.nwl*
nw-train "${long[@]}" --estimate --json >run.json
json run.json '__import__("json").dumps(d["event"])' >event.json
nw-ledger create l.nwl --epsilon 8 --delta 1e-5 --adjacency add-remove --schedule event.json --quiet
nw-train "${long[@]}" --ledger l.nwl -o killed.nw >run.out 2>run.err &
wait_for_steps killed.nw.checkpoint
kill -9 $!
wait $! 2>/dev/null
is killed__leaves_a_checkpoint_and_no_model "$(leftovers killed.nw | grep -v '\.tmp$')" killed.nw.checkpoint
is killed__the_run_stays_charged "$(nw-ledger show l.nwl --json | json /dev/stdin 'd["charges"]')" 1
refuses killed__is_not_written_over 64 'resume' nw-train "${long[@]}" --ledger l.nwl -o killed.nw
refuses killed__other_options_cannot_go_on 65 'other options' nw-train "${long[@]}" --clip 2 --resume --ledger l.nwl -o killed.nw
cp killed.nw.checkpoint whole.checkpoint
head -c 3000 whole.checkpoint >killed.nw.checkpoint
refuses killed__cut_off 65 'cut off' nw-train "${long[@]}" --resume --ledger l.nwl -o killed.nw
python3 -c 'b = bytearray(open("whole.checkpoint", "rb").read()); b[2600] ^= 1
open("killed.nw.checkpoint", "wb").write(b)'
refuses killed__altered 65 'altered' nw-train "${long[@]}" --resume --ledger l.nwl -o killed.nw
cp whole.checkpoint killed.nw.checkpoint
refuses killed__needs_its_ledger 64 'ledger' nw-train "${long[@]}" --resume -o killed.nw
nw-train "${long[@]}" --resume --ledger l.nwl --test test.csv --json -o killed.nw >run.json 2>run.err
is killed__resumes \
    "$? $(json run.json 'd["steps"] == 4000 and 0 <= d["lost_steps"] < 3000 and d["test_accuracy"] > 0.8')" '0 True'
is killed__is_charged_once "$(nw-ledger show l.nwl --json | json /dev/stdin 'd["charges"]')" 1
is killed__checkpoint_is_gone "$(leftovers killed.nw)" killed.nw

nw-train "${long[@]}" --seed-insecure 3 -o straight.nw 2>run.err >run.out
nw-train "${long[@]}" --seed-insecure 3 -o stopped.nw 2>run.err >run.out &
wait_for_steps stopped.nw.checkpoint
kill -TERM $!
wait $!
is stopped__exit_code $? 143
like stopped__says_how_to_go_on run.err 'interrupted after step [0-9]+ of 4000; --resume'
nw-train "${long[@]}" --seed-insecure 3 --resume -o stopped.nw 2>run.err >run.out
is stopped__resumes $? 0
is stopped__is_the_same_as_straight "$(weights stopped.nw)" "$(weights straight.nw)"
refuses resume__without_a_checkpoint 66 'not there' nw-train "${long[@]}" --resume -o nothing.nw

# ---- bad input: nothing is written, nothing is charged ----
rm -f l.nwl* out.nw
nw-ledger create l.nwl --epsilon 8 --delta 1e-5 --adjacency add-remove --filter renyi --order 8 --quiet 2>/dev/null ||
    nw-ledger create l.nwl --epsilon 8 --delta 1e-5 --adjacency add-remove --quiet
bad() { # name, code, pattern, options in place of others...
    local name=$1 code=$2 pattern=$3
    shift 3
    refuses "bad__$name" "$code" "$pattern" nw-train --delta 1e-5 --ledger l.nwl --quiet -o out.csv "$@"
}
csv=(--format csv --schema labelled.json --target label --model linear --epsilon 1 --steps 5)
sed '5s/,yes,\|,no,/,maybe,/' train.csv >label.csv
bad label_out_of_range 65 'record 4: label is not in the schema' --data label.csv "${csv[@]}"
sed '5s/,yes,\|,no,/,,/' train.csv >missing.csv
bad label_missing 65 'record 4: label is missing' --data missing.csv "${csv[@]}"
sed '5s/$/,1/' train.csv >ragged.csv
bad ragged_row 65 'line 5' --data ragged.csv "${csv[@]}"
gzip -c train.csv | head -c 4000 >cut.csv.gz
bad truncated_gzip 65 'cut' --data cut.csv.gz "${csv[@]}"
bad no_such_file 66 'nothing.csv' --data nothing.csv "${csv[@]}"
cut -d, -f1-2,4-5 train.csv >narrow.csv
bad column_missing 65 'score' --data narrow.csv "${csv[@]}"
bad no_such_target 64 'target' --data train.csv "${csv[@]:0:4}" --target nothing --model linear --epsilon 1
bad target_is_a_number 64 'target' --data train.csv "${csv[@]:0:4}" --target pay --model linear --epsilon 1
bad target_is_no_number 64 'target' --data train.csv "${csv[@]}" --task regress
bad images_only 64 'model' --data train.csv "${csv[@]:0:6}" --model cnn --epsilon 1
echo '{"input": {"floats": 7}, "layers": [{"type": "linear", "outputs": 1}], "loss": "logistic"}' >shape.json
bad mismatched_shapes 65 'features' --data train.csv "${csv[@]:0:6}" --model shape.json --epsilon 1
echo '{"input": {"floats": 61}, "layers": [{"type": "linear", "outputs": 2}], "loss": "softmax"}' >few.json
bad more_classes_than_outputs 64 'classes' --data train.csv "${csv[@]:0:4}" --target colour --model few.json --epsilon 1
echo '{"input": {"floats": 42}, "layers": [{"type": "batchnorm"}], "loss": "softmax"}' >mixing.json
bad layer_that_mixes_examples 64 'batchnorm' --data train.csv "${csv[@]:0:6}" --model mixing.json --epsilon 1
echo '{' >broken.json
bad model_is_no_json 64 'broken.json' --data train.csv "${csv[@]:0:6}" --model broken.json --epsilon 1
bad epsilon_missing 64 'epsilon' --data train.csv "${csv[@]:0:8}" --steps 5
bad epsilon_and_sigma 64 'sigma' --data train.csv "${csv[@]}" --sigma 1
bad batch_too_large 64 'batch' --data train.csv "${csv[@]}" --batch 2001
bad steps_and_epochs 64 'steps' --data train.csv "${csv[@]}" --epochs 3
bad shuffled_under_add_remove 64 'adjacency' --data train.csv "${csv[@]}" --sampling shuffled
bad correlated_needs_cyclic 64 'sampling' --data train.csv "${csv[@]}" --noise tree --sampling poisson
head -n 1 train.csv >none.csv
bad no_records 65 'no records' --data none.csv "${csv[@]}"
mkdir -p folder
refuses bad__unwritable_output 73 'nowhere' nw-train --delta 1e-5 --data train.csv "${csv[@]}" --quiet -o nowhere/out.nw
refuses bad__output_would_be_compressed 64 'must not end in .gz' nw-train --delta 1e-5 --data train.csv "${csv[@]}" --quiet \
    -o model.nw.gz
refuses bad__checkpoint_would_be_compressed 64 'must not end in .gz' nw-train --delta 1e-5 --data train.csv "${csv[@]}" --quiet \
    -o model.nw --checkpoint c.gz
refuses bad__output_is_a_folder 73 'folder' nw-train --delta 1e-5 --data train.csv "${csv[@]}" --quiet -o folder
refuses bad__output_is_the_data 64 'same file' nw-train --delta 1e-5 --data train.csv "${csv[@]}" --quiet -o train.csv
refuses bad__eval_of_no_model 65 'model' nw-train eval train.csv --data test.csv
head -c 300 model.nw >cut.nw
refuses bad__eval_of_half_a_model 65 'cut' nw-train eval cut.nw --data test.csv
refuses bad__predict_for_another_table 65 'score' nw-train predict model.nw --data narrow.csv

# Cells that are no number are missing, as the schema says: no error, which would tell of a record.
sed '5s/^[0-9]*/nan/; 6s/^[0-9]*/inf/; 7s/^[0-9]*/x/' train.csv >nan.csv
nw-train --data nan.csv "${csv[@]}" --delta 1e-5 --seed-insecure 1 --json -o out.nw >run.json 2>run.err
is nan__is_missing $? 0

# ---- images ----
python3 - <<'EOF'
import os, struct
os.makedirs("digits", exist_ok=True)
state = 1
def r(n):
    global state
    state = state * 16807 % 2147483647
    return state % n
for part, n in (("train", 600), ("t10k", 100)):
    labels = bytes(r(10) for _ in range(n))
    images = bytearray()
    for label in labels:  # a bar at a height of its own, and noise
        images += bytes(255 if y // 2 == label + 2 else r(40) for y in range(28) for x in range(28))
    open(f"digits/{part}-images-idx3-ubyte", "wb").write(struct.pack(">IIII", 2051, n, 28, 28) + images)
    open(f"digits/{part}-labels-idx1-ubyte", "wb").write(struct.pack(">II", 2049, n) + labels)
EOF
gzip digits/*
idx=(--format idx --delta 1e-5 --epsilon 20 --quiet)
nw-train --data digits "${idx[@]}" --model linear --seed-insecure 1 --json -o digits.nw >run.json 2>run.err
is idx__learns "$? $(json run.json 'd["test_accuracy"] > 0.9 and d["test_auc"] > 0.95')" '0 True'
nw-train --data digits "${idx[@]}" --model cnn --steps 3 --batch 32 --seed-insecure 1 --json -o cnn.nw >run.json 2>run.err
is idx__cnn_runs "$? $(json run.json 'd["test_accuracy"] is not None')" '0 True'
nw-train --data digits "${idx[@]}" --model scatter --steps 5 --batch 32 --seed-insecure 1 --json -o scatter.nw >run.json 2>run.err
is idx__scatter_runs "$? $(json run.json 'd["test_accuracy"] is not None')" '0 True'
nw-train eval scatter.nw --data digits --json >eval.json
is idx__scatter_is_remembered "$(members eval.json test_accuracy)" "$(members run.json test_accuracy)"
bad idx_label_out_of_range 65 'label' --data digits --format idx --classes 5 --model linear --epsilon 1
cp -r digits cut
head -c 2000 digits/train-images-idx3-ubyte.gz >cut/train-images-idx3-ubyte.gz
bad idx_truncated 65 'cut' --data cut --format idx --model linear --epsilon 1
bad idx_no_such_folder 66 'nowhere' --data nowhere --format idx --model linear --epsilon 1

# ---- texts ----
awk 'BEGIN { seed = 5; print "sentence\tlabel"
    for (i = 0; i < 600; i++) { seed = (seed * 16807) % 2147483647; yes = seed % 2
        printf "it was a %s film number %d\t%d\n", yes ? "good" : "bad", seed % 50, yes } }' >texts.tsv
nw-train --data texts.tsv --format text --target label --model linear --delta 1e-5 --epsilon 20 \
    --test texts.tsv --seed-insecure 1 \
    --json -o texts.nw >run.json 2>run.err
is text__learns "$? $(json run.json 'd["test_accuracy"] > 0.9')" '0 True'
cut -f1 texts.tsv >sentences.tsv
nw-train predict texts.nw --data sentences.tsv >answers.csv
is text__predicts "$(wc -l <answers.csv)" 601

check help__has_80_columns awk 'length > 80 { exit 1 }' <(nw-train --help)
check completion__is_installed cmp "$root/apps/completion/nw-train.bash" <(nw-train --completion)
finish
