#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 the Noisewright authors
# SPDX-License-Identifier: Apache-2.0
# diff2.sh - nw-diff2 on small tables: what it learns and says, clients and processes, ledgers, and every bad input.
. "$(dirname "$0")/lib.sh"
export OMP_NUM_THREADS=1
oracle=$root/tests/cli/diff2_oracle.py
labelled_schema >labelled.json
make_labelled 2000 7 >train.csv
make_labelled 1000 11 >test.csv
make_labelled 150 3 >few.csv
budget=(--delta 1e-5 --epsilon 8 --quiet)
classify=(--data train.csv --schema labelled.json --target label "${budget[@]}")
regress=(--data train.csv --schema labelled.json --target pay --task regress "${budget[@]}")
seeded=(--seed-insecure 1 --json)

agrees() { # name, run.json, model, data: the oracle says the same of loss, gradient and hash
    python3 "$oracle" "$3" "$4" >oracle.json
    is "$1" "$(python3 -c 'import json, sys
a, b = (json.load(open(f)) for f in sys.argv[1:])
near = lambda x, y: abs(x - y) < 1e-5 * abs(y) + 1e-9
print(near(a["train_loss"], b["loss"]), near(a["grad2_tail"], b["squares"]), a["release_hash"] == b["hash"])' "$2" oracle.json)" \
        'True True True'
}

# ---- what comes out ----
nw-diff2 "${classify[@]}" "${seeded[@]}" --test test.csv -o model.json --curve curve.svg >run.json 2>run.err
is train__exit_code $? 0
is train__learns "$(json run.json '0.8 < d["test_accuracy"] < 0.95 and 0.8 < d["test_auc"] < 1')" True
is train__epsilon_is_spent "$(json run.json '7.99 < d["epsilon"] <= 8 and d["delta"] == 1e-5')" True
is train__json__members "$(members run.json method loss adjacency insecure rounds restarts clients processes)" \
    "['diff2', 'logistic', 'add_remove', True, 200, 8, 1, 1]"
is train__json__measures "$(json run.json 'd["seconds"] > 0 and d["grad2_tail"] > 0 and d["train_loss"] > 0')" True
like train__says_not_private run.err 'NOT PRIVATE'
like train__curve_is_a_picture curve.svg '^<svg '
check train__curve_is_well_formed python3 -c 'import xml.dom.minidom; xml.dom.minidom.parse("curve.svg")'
unlike train__curve_has_no_nan curve.svg 'nan|inf'
nw-diff2 "${classify[@]}" "${seeded[@]}" --threads 2 --test test.csv >again.json 2>run.err
is train__a_seed_repeats_the_release_on_any_threads "$(members again.json release_hash grad2_tail)" \
    "$(members run.json release_hash grad2_tail)"
nw-diff2 "${classify[@]}" --json --test test.csv >quiet.json 2>run.err
is diagnostics__are_not_told_without_being_asked_for "$(members quiet.json grad2_tail train_loss not_private insecure)" \
    '[None, None, [], False]'
is diagnostics__nothing_on_standard_error "$(cat run.err)" ''
nw-diff2 "${classify[@]}" --json --show-private-diagnostics >shown.json 2>run.err
is diagnostics__are_told_by_name "$(json shown.json 'd["grad2_tail"] > 0 and d["not_private"]')" "['grad2_tail', 'train_loss']"
like diagnostics__are_called_not_private run.err 'NOT PRIVATE: gradient norm and loss'
is diagnostics__draw_nothing "$(json quiet.json 'd["mu"]')" "$(json shown.json 'd["mu"]')"
nw-diff2 --data train.csv --schema labelled.json --target label --delta 1e-5 --epsilon 8 >run.txt 2>run.err
like text__privacy run.txt '^privacy        epsilon 8 at delta 1e-05, mu 1\.6'
unlike text__has_nothing_private run.txt 'loss|squared'
like text__receipt run.err '^receipt      nw-diff2, '
like text__says_that_the_number_of_records_is_public run.err 'the number of records is taken as public'

# ---- loss, gradient and hash against an oracle ----
one=(--schema labelled.json "${budget[@]}" "${seeded[@]}" --rounds 1 -o one.json --data)
head -n 31 few.csv >fewer.csv
nw-diff2 "${one[@]}" few.csv --target label >run.json 2>run.err
agrees oracle__logistic run.json one.json few.csv
nw-diff2 "${one[@]}" few.csv --target colour >run.json 2>run.err
agrees oracle__softmax run.json one.json few.csv
nw-diff2 "${one[@]}" few.csv --target pay --task regress >run.json 2>run.err
agrees oracle__squared run.json one.json few.csv
nw-diff2 "${one[@]}" few.csv --target pay --task regress --loss huber --huber 0.2 >run.json 2>run.err
agrees oracle__huber run.json one.json few.csv
for target in label colour; do
    nw-diff2 "${one[@]}" fewer.csv --target $target --model softplus10 >run.json 2>run.err
    agrees "oracle__softplus10_$target" run.json one.json fewer.csv
done
nw-diff2 "${classify[@]}" "${seeded[@]}" --ridge 0.5 >run.json 2>run.err
is ridge__shrinks "$(json run.json 'd["train_loss"] > 0.6')" True

# ---- use ----
nw-diff2 eval model.json --data test.csv --json >eval.json
nw-diff2 "${classify[@]}" "${seeded[@]}" --test test.csv >run.json 2>run.err
is eval__is_what_training_said "$(members eval.json test_accuracy test_auc test_loss)" \
    "$(members run.json test_accuracy test_auc test_loss)"
nw-diff2 eval model.json --data test.csv >eval.txt
like eval__text eval.txt '^test accuracy  0\.[89]'
nw-diff2 predict model.json --data test.csv -o answers.csv
right=$(paste -d, test.csv answers.csv | awk -F, 'NR > 1 { right += $4 == $6 } END { printf "%.3f", right / (NR - 1) }')
is predict__agrees_with_accuracy "$right" "$(json eval.json '"%.3f" % d["test_accuracy"]')"
cut -d, -f1-3,5 test.csv >unlabelled.csv
nw-diff2 predict model.json --data unlabelled.csv >unlabelled.out
check predict__does_not_look_at_labels cmp unlabelled.out answers.csv
nw-diff2 "${regress[@]}" "${seeded[@]}" --test test.csv -o pay.json >run.json 2>run.err
is regress__has_an_error_in_the_column_s_unit "$(json run.json '5 < d["test_rmse"] < 200 and d["test_accuracy"] is None')" True
is regress__says_the_loss_s_unit "$(json run.json 'd["loss_unit"]')" 'target scaled to [-1, 1] by its bounds'
cut -d, -f1-4 test.csv >unpaid.csv
nw-diff2 predict pay.json --data unpaid.csv >pay.out
is predict__numbers_are_in_the_column_s_unit \
    "$(awk 'NR > 1 && ($1 < 0 || $1 > 2000) { bad++ } END { print NR, bad + 0 }' pay.out)" \
    '1001 0'
sed '0,/"(bias)": .*/s//"(bias)": 0.25/' model.json >altered.json
refuses use__altered_model 65 'was altered' nw-diff2 eval altered.json --data test.csv
refuses use__no_model 65 'no model' nw-diff2 eval labelled.json --data test.csv
refuses use__no_such_model 66 'nothing.json' nw-diff2 predict nothing.json --data test.csv
sed '2s/,yes,\|,no,/,maybe,/' test.csv >label.csv
refuses use__unknown_label 65 'record 1: label is not in the schema' nw-diff2 eval model.json --data label.csv
refuses use__output_is_the_data 64 'same file' nw-diff2 predict model.json --data test.csv -o test.csv

# ---- methods ----
nw-diff2 "${classify[@]}" "${seeded[@]}" --rounds 50 --method dpgd --restarts 3 --c2 1 --split 0.5 >dpgd.json 2>run.err
nw-diff2 "${classify[@]}" "${seeded[@]}" --rounds 50 --restarts 50 >all.json 2>run.err
is dpgd__is_diff2_with_a_restart_each_round "$(members dpgd.json release_hash grad2_tail restarts)" \
    "$(members all.json release_hash grad2_tail restarts)"
nw-diff2 "${classify[@]}" "${seeded[@]}" --rounds 50 --method dpsgd --batch 400 --test test.csv -o sgd.json \
    >sgd.out 2>run.err
is dpsgd__learns "$? $(json sgd.out '0.7 < d["test_accuracy"] and d["grad2_tail"] > 0 and 7.9 < d["epsilon"] <= 8')" '0 True'
is dpsgd__mu_is_no_less_than_the_epsilon_s "$(json sgd.out '1.666 <= d["mu"] < 2.5')" True
nw-diff2 eval sgd.json --data test.csv --json >eval.json
is dpsgd__model_is_what_was_judged "$(members eval.json test_accuracy test_loss)" "$(members sgd.out test_accuracy test_loss)"
for target in label colour; do
    nw-diff2 --data train.csv --schema labelled.json --target $target "${budget[@]}" "${seeded[@]}" --rounds 30 \
        --model softplus10 --method dpsgd -o units.json --test test.csv >run.json 2>run.err
    nw-diff2 eval units.json --data test.csv --json >eval.json
    is "dpsgd__softplus10_${target}_goes_to_the_network_and_back" "$(members eval.json test_loss)" "$(members run.json test_loss)"
done
nw-diff2 "${regress[@]}" "${seeded[@]}" --model softplus10 --test test.csv >run.json 2>run.err
is softplus10__learns "$(json run.json 'd["dimension"] == 10 * 12 + 11 and d["test_rmse"] < 200')" True

# ---- what it costs ----
estimate=(nw-diff2 --schema labelled.json --target label --delta 1e-5 --estimate --json)
"${estimate[@]}" --epsilon 1 >run.json
is estimate__mu_of_an_epsilon "$? $(json run.json 'abs(d["mu"] / 0.2680511232114688 - 1) < 1e-9')" '0 True'
is estimate__noise_adds_up_to_mu "$(json run.json \
    'abs(8 / d["restart_noise"] ** 2 + 192 / d["difference_noise"] ** 2 - d["mu"] ** 2) < 1e-12')" True
is estimate__split_is_the_restarts_share "$(json run.json \
    'abs(8 / d["restart_noise"] ** 2 / d["mu"] ** 2 - 0.7) < 1e-9')" True
is estimate__event_costs_that "$(json run.json '__import__("json").dumps(d["event"])' |
    nw-account eps - --delta 1e-5 --adjacency add-remove --json | json /dev/stdin '0.99999 < d["upper"] <= 1.0000001')" True
cp run.json add.json
"${estimate[@]}" --epsilon 1 --adjacency replace-one >run.json
is estimate__replace_one_takes_twice_the_noise "$(python3 -c 'import json
a, b = (json.load(open(f))["restart_noise"] for f in ("run.json", "add.json")); print(abs(a / b - 2) < 1e-9)')" True
"${estimate[@]}" --epsilon 1 --method dpsgd --records 2000 >run.json
is estimate__dpsgd "$? $(json run.json '0.99 < d["epsilon"] <= 1 and d["restart_noise"] > 1')" '0 True'
"${estimate[@]:0:${#estimate[@]}-1}" --epsilon 1 --records 2000 >run.txt
like estimate__text run.txt '^expected       the noise of a restart is 0.0[0-9]* of the clip norm'

"${estimate[@]}" --epsilon 0.01 --records 2000 >run.json
is estimate__little_budget_takes_many_restarts "$(json run.json '150 < d["restarts"] <= 200')" True
"${estimate[@]}" --epsilon 0.01 --records 2000000 >run.json
is estimate__many_records_need_few "$(json run.json 'd["restarts"]')" 8
nw-diff2 --data train.csv --schema labelled.json --target label --delta 1e-5 --epsilon 0.05 --restarts 2 >run.txt 2>run.err
like restarts__too_few_are_remarked_on run.err 'restarts: with 2 the noise of the differences may feed itself; from [0-9]+ on'

# A run without a ledger fits into its own budget, however its rounds add up.
for rounds in 1 2 3 4 5 8 200; do
    for epsilon in 1 64; do
        nw-diff2 --data few.csv --schema labelled.json --target label --delta 1e-5 --epsilon $epsilon --rounds $rounds --quiet \
            >run.txt 2>run.err
        is "budget__${rounds}_rounds_at_epsilon_$epsilon" "$? $(cat run.err)" '0 '
    done
done

# ---- clients ----
clients() { # arguments: release hash and number of clients
    nw-diff2 "${classify[@]}" "${seeded[@]}" --rounds 20 "$@" >clients.json 2>run.err
    members clients.json release_hash clients
}
whole=$(clients | sed 's/, 1\]$//')
is clients__a_number_changes_nothing "$(clients --clients 7)" "$whole, 7]"
is clients__a_column_changes_nothing "$(clients --clients colour)" "$whole, 3]"
refuses clients__one_has_no_records 64 'clients: is 2001: client 2001 has no records, must be at most the 2000' \
    nw-diff2 "${classify[@]}" --clients 2001
grep -v ',blu,' train.csv >two.csv
refuses clients__a_value_without_records_is_named 65 'client "blu" of column colour has no records' \
    nw-diff2 --data two.csv "${classify[@]:2}" --clients colour
refuses clients__no_such_column 64 'clients: is "shop", must be a whole number or a column' \
    nw-diff2 "${classify[@]}" --clients shop
refuses clients__none 64 'clients: is 0' nw-diff2 "${classify[@]}" --clients 0
refuses clients__a_column_of_numbers 64 'clients: is "score", which has no list of values' \
    nw-diff2 "${classify[@]}" --clients score
refuses clients__the_target 64 'clients: is "label", must be another column' nw-diff2 "${classify[@]}" --clients label

# ---- ledgers ----
nw-ledger create l.nwl --epsilon 8 --delta 1e-5 --adjacency add-remove --quiet
nw-diff2 "${classify[@]}" --ledger l.nwl --json >run.json 2>run.err
is ledger__of_the_same_budget_takes_the_run "$? $(json run.json 'd["receipt"]["durable"] and 7.99 < d["epsilon"] <= 8')" '0 True'
is ledger__is_charged_once "$(charges l.nwl)" 1
refuses ledger__over_the_budget 3 'does not fit' nw-diff2 "${classify[@]}" --ledger l.nwl -o out.csv
rm -f l.nwl*
nw-ledger create l.nwl --epsilon 8 --delta 1e-5 --adjacency replace-one --quiet
refuses ledger__other_neighbours 64 'adjacency' nw-diff2 "${classify[@]}" --ledger l.nwl -o out.csv
refuses ledger__no_seed 64 'seed' nw-diff2 "${classify[@]}" --ledger l.nwl --seed-insecure 1 -o out.csv
refuses ledger__no_private_diagnostics 64 'show-private-diagnostics' \
    nw-diff2 "${classify[@]}" --ledger l.nwl --show-private-diagnostics -o out.csv
rm -f l.nwl*
nw-ledger create l.nwl --epsilon 20 --delta 1e-4 --adjacency replace-one --quiet
nw-diff2 "${classify[@]}" --adjacency replace-one --ledger l.nwl --json >run.json 2>run.err
is ledger__replace_one "$? $(members run.json adjacency)" "0 ['replace_one']"

# ---- bad input: nothing is written, nothing is charged ----
bad() { # name, code, pattern, options...
    local name=$1 code=$2 pattern=$3
    shift 3
    refuses "bad__$name" "$code" "$pattern" nw-diff2 --ledger l.nwl --delta 1e-5 --quiet -o out.csv "$@"
}
csv=(--schema labelled.json --target label --epsilon 1 --adjacency replace-one)
good=(--data train.csv "${csv[@]}")
for value in 0 -1 nan inf x 1e13; do
    bad "c1_$value" 64 'c1: is ".*must be a number in \[1e-12, 1e12\]' "${good[@]}" --c1 $value
done
for value in 0 -1 nan; do
    bad "c2_$value" 64 'c2: is ".*must be a number in' "${good[@]}" --c2 $value
    bad "eta_$value" 64 'eta: is ".*must be a number in' "${good[@]}" --eta $value
done
for value in 0 1 -0.5; do bad "split_$value" 64 'split: is ".*must be a number in \(0, 1\)' "${good[@]}" --split $value; done
for value in 0 1.5 -3; do bad "rounds_$value" 64 'rounds: is ".*must be a whole number' "${good[@]}" --rounds $value; done
bad restarts_0 64 'restarts: is "0"' "${good[@]}" --restarts 0
bad restarts_beyond_rounds 64 'restarts: is 20, must be at most the 10 of --rounds' "${good[@]}" --rounds 10 --restarts 20
bad restarts_beyond_usual_rounds 64 'restarts: is 300, must be at most the 200' "${good[@]}" --restarts 300
bad epsilon_0 64 'epsilon: is "0"' --data train.csv "${csv[@]:0:4}" --epsilon 0
bad epsilon_65 64 'epsilon: is "65"' --data train.csv "${csv[@]:0:4}" --epsilon 65
bad no_such_method 64 'method: is "sgd", must be one of diff2\|dpgd\|dpsgd' "${good[@]}" --method sgd
bad no_such_model 64 'model: is "tree", must be one of linear\|softplus10' "${good[@]}" --model tree
bad batch_without_batches 64 'batch: is given, must be used with --method dpsgd' "${good[@]}" --batch 10
bad huber_of_classes 64 'loss: is huber, must be used with --task regress' "${good[@]}" --loss huber
bad records_of_replace_one 64 'records: is 5, must be the number of records' "${good[@]}" --records 5
bad data_missing 64 'data: missing' "${csv[@]}"
bad no_such_file 66 'nothing.csv' --data nothing.csv "${csv[@]}"
bad no_such_test 66 'nothing.csv' "${good[@]}" --test nothing.csv
bad no_such_schema 66 'nothing.json' --data train.csv --schema nothing.json --target label --epsilon 1
bad no_such_target 64 'target: is "nothing", must be a column of labelled.json' --data train.csv --schema labelled.json \
    --target nothing --epsilon 1
bad target_is_a_number 64 'target: pay has no list of values' --data train.csv --schema labelled.json --target pay --epsilon 1
bad target_is_no_number 64 'target: label is no column of numbers' "${good[@]}" --task regress
bad label_out_of_schema 65 'record 1: label is not in the schema' --data label.csv "${csv[@]}"
sed '5s/,yes,\|,no,/,,/' train.csv >missing.csv
bad label_missing 65 'record 4: label is missing' --data missing.csv "${csv[@]}"
bad target_column_missing 65 'label' --data unlabelled.csv "${csv[@]}"
cut -d, -f1-2,4-5 train.csv >narrow.csv
bad column_missing 65 'score' --data narrow.csv "${csv[@]}"
sed '1s/$/,more/; 2,$s/$/,1/' train.csv >wide.csv
bad unknown_column 65 'more' --data wide.csv "${csv[@]}"
sed '5s/$/,1/' train.csv >ragged.csv
bad ragged_row 65 'line 5' --data ragged.csv "${csv[@]}"
gzip -c train.csv | head -c 4000 >cut.csv.gz
bad truncated_gzip 65 'cut' --data cut.csv.gz "${csv[@]}"
head -n 1 train.csv >none.csv
bad no_records 65 'no records' --data none.csv "${csv[@]}"
bad no_test_records 65 'no records' "${good[@]}" --test none.csv
sed 's/\["no", "yes"\]/["no"]/' labelled.json >oneclass.json
bad one_class 64 'target: label has one value' --data train.csv --schema oneclass.json --target label --epsilon 1
sed 's/"age": {.*}/"age": {"type": "text"}/' labelled.json >text.json
bad column_of_text 64 'age is a column of text' --data train.csv --schema text.json --target label --epsilon 1
refuses bad__unwritable_model 73 'nowhere' nw-diff2 "${classify[@]}" -o nowhere/m.json
refuses bad__model_is_a_folder 73 'folder' nw-diff2 "${classify[@]}" -o .
refuses bad__model_is_the_data 64 'save-model: is the same file' nw-diff2 "${classify[@]}" -o train.csv
refuses bad__curve_is_the_model 64 'curve: is the same file' nw-diff2 "${classify[@]}" -o out.csv --curve out.csv
refuses bad__no_such_ledger 66 'nothing.nwl' nw-diff2 "${classify[@]}" --ledger nothing.nwl -o out.csv

# ---- interrupted ----
rm -f l.nwl*
nw-ledger create l.nwl --epsilon 8 --delta 1e-5 --adjacency add-remove --quiet
nw-diff2 "${classify[@]}" --rounds 4000000 --ledger l.nwl -o late.json >run.out 2>run.err &
for _ in $(seq 200); do
    [[ $(charges l.nwl) == 1 ]] && break
    sleep 0.05
done
kill -TERM $!
wait $!
is interrupted__exit_code $? 143
like interrupted__says_so run.err 'interrupted after round [0-9]+ of 4000000; the budget stays spent'
is interrupted__leaves_nothing_but_the_charge "$(leftovers late.json) $(charges l.nwl) $(wc -c <run.out)" ' 1 0'

# Cells that are no number are missing, as the schema says: no error, which would tell of a record.
sed '5s/^[0-9]*/nan/; 6s/^[0-9]*/inf/; 7s/^[0-9]*/x/' train.csv >nan.csv
nw-diff2 --data nan.csv "${classify[@]:2}" "${seeded[@]}" >run.json 2>run.err
is nan__is_missing "$? $(json run.json 'd["train_loss"] > 0')" '0 True'

# ---- processes ----
if command -v mpirun >/dev/null && ldd "$bin/nw-diff2" | grep -q libmpi; then
    mpi=(env OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 timeout 100 mpirun --oversubscribe
        --mca mpi_yield_when_idle 1)
    rm -f l.nwl* out.csv
    nw-ledger create l.nwl --epsilon 8 --delta 1e-5 --adjacency add-remove --quiet
    run=(nw-diff2 "${classify[@]}" "${seeded[@]}" --rounds 20 --test test.csv)
    for method in diff2 dpgd dpsgd; do
        "${run[@]}" --method $method >one.json 2>run.err
        for n in 2 4; do
            "${mpi[@]}" -n $n "${run[@]}" --method $method -o mpi.json >many.json 2>run.err
            is "mpi__${method}_is_the_same_on_$n" "$(members many.json release_hash test_loss processes)" \
                "$(members one.json release_hash test_loss processes | sed "s/1]\$/$n]/")"
            is "mpi__${method}_tells_the_same_gradient_on_$n" "$(json many.json '"%.9g" % d["grad2_tail"]')" \
                "$(json one.json '"%.9g" % d["grad2_tail"]')"
            is "mpi__${method}_says_it_once_on_$n" "$(grep -c 'NOT PRIVATE' run.err)" 1
        done
    done
    run=(nw-diff2 "${classify[@]}" "${seeded[@]}" --rounds 5 --model softplus10 --test test.csv)
    "${run[@]}" >one.json 2>run.err
    "${mpi[@]}" -n 3 "${run[@]}" >many.json 2>run.err
    is mpi__softplus10_is_the_same_on_3 "$(members many.json release_hash test_loss)" "$(members one.json release_hash test_loss)"
    "${mpi[@]}" -n 3 nw-diff2 "${classify[@]}" "${seeded[@]}" --rounds 20 --clients colour >many.json 2>run.err
    is mpi__clients_of_a_column_are_the_same "$(members many.json release_hash clients)" "$whole, 3]"
    head -n 1 train.csv | tee own0.csv >own1.csv
    sed -n 2,700p train.csv >>own0.csv
    sed -n '701,$p' train.csv >>own1.csv
    own=(--data 'own{rank}.csv' "${classify[@]:2}" "${seeded[@]}" --rounds 20)
    "${mpi[@]}" -n 2 nw-diff2 "${own[@]}" --clients colour >many.json 2>run.err
    is mpi__files_of_their_own_are_one_table "$(members many.json release_hash clients)" "$whole, 3]"
    fails() { # name, exit code, pattern, arguments: one message, whatever the processes
        "${mpi[@]}" -n 3 nw-diff2 --quiet --delta 1e-5 "${@:4}" >mpi.out 2>mpi.err
        is "mpi__$1" \
            "$? $(grep -c '^nw-diff2: ' mpi.err) $(grep -Ec "^nw-diff2: .*$3" mpi.err) $(wc -c <mpi.out) $(charges l.nwl)" \
            "$2 1 1 0 0"
    }
    mpi_good=(--data train.csv "${csv[@]:0:6}" --ledger l.nwl)
    fails bad_option 64 'c1: is "0"' "${mpi_good[@]}" --c1 0
    fails bad_target 64 'target' --data train.csv --schema labelled.json --target nothing --epsilon 1 --ledger l.nwl
    fails bad_record 65 'record 4: label is missing' --data missing.csv "${csv[@]:0:6}" --ledger l.nwl
    fails no_such_file 66 'nothing.csv' --data nothing.csv "${csv[@]:0:6}" --ledger l.nwl
    fails bad_output 73 'nowhere' "${mpi_good[@]}" -o nowhere/m.json
    fails refused_by_the_ledger 3 'does not fit' --data train.csv "${csv[@]:0:4}" --epsilon 9 --ledger l.nwl
    head -n 3 train.csv >two.csv
    fails more_processes_than_records 65 'has 2 records for 3 processes' --data two.csv "${csv[@]:0:6}" --ledger l.nwl
    fails no_file_for_each 66 'own2.csv' --data 'own{rank}.csv' "${csv[@]:0:6}" --ledger l.nwl
    fails batches_of_files_of_their_own 64 'data: is a file of each process' --data 'own{rank}.csv' "${csv[@]:0:6}" \
        --method dpsgd --ledger l.nwl
    "${mpi[@]}" -n 3 nw-diff2 "${mpi_good[@]}" --delta 1e-5 --json -o mpi.json >many.json 2>run.err
    is mpi__charges_once "$? $(charges l.nwl) $(json many.json 'd["receipt"]["durable"]')" '0 1 True'
else
    skip mpi__is_the_same 'built without MPI, or no mpirun'
fi

check help__has_80_columns awk 'length > 80 { exit 1 }' <(nw-diff2 --help)
check completion__is_installed cmp "$root/apps/completion/nw-diff2.bash" <(nw-diff2 --completion)
finish
