#!/usr/bin/env bash
# SPDX-FileCopyrightText: 2026 the Noisewright authors
# SPDX-License-Identifier: Apache-2.0
# ledger.sh - nw-ledger: creating, showing, verifying, charging, groups, reservations, exports.
. "$(dirname "$0")/lib.sh"

budget=(--epsilon 2 --delta 1e-6 --adjacency add-remove)

# ---- create ----
nw-ledger create l.nwl "${budget[@]}" --unit 'one household' >created.txt
is create $? 0
is create__prints_the_budget "$(grep -c '^budget     epsilon 2, delta 1e-06; filter gdp$' created.txt)" 1
is create__leaves_one_file "$(compgen -G 'l.nwl*')" l.nwl
nw-ledger create 'a b.nwl' --epsilon 1 --delta 0 --adjacency zero-out --json >created.json
is create_json "$(members created.json budget filter adjacency unit charges)" \
    "[{'epsilon': 1.0, 'delta': 0.0}, 'pure', 'zero_out', 'one record', 0]"
refuses create_existing 73 'l.nwl exists already' nw-ledger create l.nwl "${budget[@]}"
refuses create_over_a_table 73 'table.csv exists already' nw-ledger create table.csv "${budget[@]}"
refuses create_in_no_folder 73 'nowhere/x.nwl' nw-ledger create nowhere/x.nwl "${budget[@]}"
refuses create_epsilon_0 64 '--epsilon: is "0"' nw-ledger create x.nwl --epsilon 0 --delta 0 --adjacency add-remove
refuses create_delta_1 64 '--delta: is "1"' nw-ledger create x.nwl --epsilon 1 --delta 1 --adjacency add-remove
refuses create_without_adjacency 64 '--adjacency: missing' nw-ledger create x.nwl --epsilon 1 --delta 0
refuses create_filter_unknown 64 '--filter: .*auto.gdp.zcdp.pure.renyi' nw-ledger create x.nwl "${budget[@]}" --filter rdp
refuses create_gdp_with_delta_0 64 'filter is gdp, must be pure' \
    nw-ledger create x.nwl --epsilon 1 --delta 0 --adjacency add-remove --filter gdp
refuses create_unit_too_long 64 'unit' nw-ledger create x.nwl "${budget[@]}" --unit "$(printf 'x%.0s' {1..200})"
is create__leaves_nothing_when_it_fails "$(compgen -G 'x.nwl*')" ''

# ---- charge ----
pure() { # epsilon: an event
    printf '{"format": "noisewright-event", "version": 1,
        "event": {"type": "pure", "epsilon": %s, "adjacency": "add_remove"}}' "$1"
}
nw-ledger create p.nwl --epsilon 1 --delta 0 --adjacency add-remove --quiet >create.out
is create_quiet__prints_nothing "$(cat create.out)" ''
pure 0.25 >quarter.json
nw-ledger charge p.nwl quarter.json --label 'survey, wave 1' >receipt.txt
is charge $? 0
is charge__prints_a_receipt "$(grep -c '^privacy      epsilon 0.25, delta 0, rounded up$' receipt.txt)" 1
pure 0.5 | nw-ledger charge p.nwl - --label wave2 --json >receipt.json
is charge_json "$(members receipt.json epsilon label sequence durable method)" "[0.5, 'wave2', 2, True, 'pure']"
is charge_json__spent_so_far "$(json receipt.json '0.75 <= d["spent_epsilon"] < 0.7500001')" True
cp p.nwl l.nwl.keep
refuses charge_over_budget 3 'p.nwl: .*over the budget' nw-ledger charge p.nwl <(pure 0.26) --label wave3
refuses charge_nonsense 65 'schema.json: .*' nw-ledger charge p.nwl schema.json --label wave3
refuses charge_missing_event 66 'nothing.json: No such file' nw-ledger charge p.nwl nothing.json --label wave3
refuses charge_missing_ledger 66 'nothing.nwl: No such file' nw-ledger charge nothing.nwl quarter.json --label wave3
refuses charge_without_label 64 '--label: missing' nw-ledger charge p.nwl quarter.json
refuses charge_label_too_long 64 'label has' nw-ledger charge p.nwl quarter.json --label "$(printf 'x%.0s' {1..80})"
printf '{"a": "\0"}' >nul.json
refuses charge_nul_byte 65 'nul.json: is no text' nw-ledger charge p.nwl nul.json --label wave3
is charge__refusals_charge_nothing "$(charges p.nwl)" 2
pure 0.249 >rest.json
check charge__what_remains_can_be_spent nw-ledger charge p.nwl rest.json --label wave3
is charge__eight_at_once_fit_once "$(
    nw-ledger create race.nwl --epsilon 1 --delta 0 --adjacency add-remove -q
    pure 0.6 >most.json
    for i in 1 2 3 4 5 6 7 8; do (nw-ledger charge race.nwl most.json --label $i -q 2>/dev/null && echo fits) & done
    wait)" fits

# ---- show ----
nw-ledger show p.nwl >show.txt
is show $? 0
like show__lists_charges show.txt '^ +1  20..-..-..T..:..:..Z  epsilon 0.25 +survey, wave 1$'
is show__lists_all_charges "$(grep -Ec '^ +[123]  20..-' show.txt)" 3
nw-ledger show p.nwl --json >show.json
is show_json__members "$(json show.json 'sorted(d)')" "['adjacency', 'budget', 'charges', 'events', 'filter', 'groups', 'head', \
'ledger', 'remaining', 'reservations', 'samples', 'spent', 'unit', 'used_fraction']"
is show_json__spent "$(json show.json '0.999 <= d["spent"]["epsilon"] < 0.99900001, d["spent"]["delta"]')" '(True, 0.0)'
is show_json__remaining "$(json show.json \
    '0.00099 < d["remaining"]["epsilon"] < 0.0010000001, d["remaining"]["delta"]')" '(True, 0.0)'
is show_json__events "$(json show.json '[(e["sequence"], e["label"], e["epsilon_alone"]) for e in d["events"]]')" \
    "[(1, 'survey, wave 1', 0.25), (2, 'wave2', 0.5), (3, 'wave3', 0.249)]"
is show_json__events_can_be_read_back "$(json show.json 'd["events"][0]["event"]["event"]["type"]')" pure
is show__leaves_one_file "$(compgen -G 'p.nwl*')" p.nwl
refuses show_missing 66 'nothing.nwl: No such file' nw-ledger show nothing.nwl
refuses show_a_table 65 'table.csv' nw-ledger show table.csv
refuses show_nothing 64 'LEDGER: missing' nw-ledger show
refuses command_missing 64 'COMMAND: missing' nw-ledger
refuses command_misspelt 64 'verfy: no such command, did you mean verify' nw-ledger verfy p.nwl
refuses option_of_another_command 64 '--label: no such option' nw-ledger show p.nwl --label x

nw-ledger create rude.nwl "${budget[@]}" --unit $'one\033[2Jhousehold\n' -q
nw-ledger charge rude.nwl quarter.json --label $'wave\r4' >rude.txt
nw-ledger show rude.nwl >>rude.txt
unlike show__prints_no_control_characters rude.txt '[[:cntrl:]]'
like show__prints_the_rest rude.txt 'one\?\[2Jhousehold\?'

# ---- verify ----
head=$(json show.json 'd["head"]')
first=1:$(json show.json 'd["events"][0]["mac"]')
is verify "$(nw-ledger verify p.nwl)" "p.nwl: verified, 3 charges, head $head"
check verify_anchor nw-ledger verify p.nwl --anchor "$first" --json
refuses verify_rolled_back 65 'rolled back' nw-ledger verify l.nwl.keep --anchor "$head"
refuses verify_nonsense_anchor 65 'head 7:zz' nw-ledger verify p.nwl --anchor 7:zz
alter() { # name, sql
    rm -f bad.nwl*
    python3 - "$2" <<'EOF'
import sqlite3, sys
source, copy = sqlite3.connect("p.nwl"), sqlite3.connect("bad.nwl")
source.backup(copy)
copy.executescript(sys.argv[1])
copy.commit()
copy.close()
EOF
    refuses "$1" 65 'altered' nw-ledger verify bad.nwl
}
alter verify_edited_label "UPDATE charge SET label = 'x' WHERE sequence = 2"
alter verify_edited_event "UPDATE charge SET event = replace(event, '0x1p-2', '0x1p-9')"
alter verify_row_removed 'DELETE FROM charge WHERE sequence = 2'
alter verify_edited_header "UPDATE header SET unit = 'x'"

# ---- groups and reservations ----
nw-ledger create g.nwl --epsilon 1 --delta 0 --adjacency add-remove -q
is group_add "$(nw-ledger group add g.nwl team.a --epsilon 0.5 --delta 0)" \
    'group      team.a: epsilon 0.5, delta 0; spent epsilon 0, 0 %'
nw-ledger group add g.nwl team.b --epsilon 0.75 --delta 0 --json >group.json
is group_add_json "$(json group.json 'd["name"], d["charges"]')" \
    "('team.b', 0)"
refuses group_twice 64 'g.nwl: .*a group team.a already' nw-ledger group add g.nwl team.a --epsilon 0.5 --delta 0
refuses group_larger_than_the_whole 64 'epsilon is 2, must be in' nw-ledger group add g.nwl c --epsilon 2 --delta 0
refuses group_bad_name 64 "a group's name" nw-ledger group add g.nwl 'a b' --epsilon 0.5 --delta 0
refuses group_without_add 64 'remove: must be add' nw-ledger group remove g.nwl team.a --epsilon 0.5 --delta 0
refuses group_missing_ledger 66 'nothing.nwl' nw-ledger group add nothing.nwl a --epsilon 0.5 --delta 0
nw-ledger charge g.nwl quarter.json --label one --group team.a --json >receipt.json
is charge_group "$(members receipt.json epsilon group sequence)" "[0.25, 'team.a', 3]"
refuses charge_over_the_groups_share 3 'over the budget of group team.a' \
    nw-ledger charge g.nwl <(pure 0.3) --label two --group team.a
refuses charge_unknown_group 64 'no group team.c' nw-ledger charge g.nwl quarter.json --label two --group team.c
pure 0.125 >eighth.json
nw-ledger reserve g.nwl eighth.json --steps 4 --label job --group team.b >receipt.txt
like reserve__prints_the_number receipt.txt '^reservation  4: '
like reserve__charges_all receipt.txt '^privacy      epsilon 0.5, '
refuses reserve_over_budget 3 'over the budget' nw-ledger reserve g.nwl eighth.json --steps 3 --label job
refuses reserve_nothing 64 '--steps' nw-ledger reserve g.nwl eighth.json --steps 0 --label job
nw-ledger show g.nwl >show.txt
like show__says_what_is_reserved show.txt '^reserved   1 reservation not committed: charged in full$'
like show__lists_groups show.txt '^group      team.b: epsilon 0.75, delta 0; spent epsilon 0.5, 66.66'
like show__lists_reservations show.txt 'epsilon 0.5 +job, group team.b, 4 steps reserved$'
refuses commit_more_than_reserved 64 'at most the 4 steps' nw-ledger commit g.nwl 4 --used 5
refuses commit_of_no_reservation 64 'row 3 is no reservation' nw-ledger commit g.nwl 3 --used 0
refuses commit_nonsense 64 'RESERVATION: is "x"' nw-ledger commit g.nwl x --used 0
nw-ledger commit g.nwl 4 --used 1 --json >receipt.json
is commit "$(members receipt.json epsilon spent_epsilon steps label group)" "[0.125, 0.375, 1, 'job', 'team.b']"
refuses commit_twice 64 'committed already' nw-ledger commit g.nwl 4 --used 0
nw-ledger show g.nwl --json >show.json
is show_json__kinds "$(json show.json '[e["kind"] for e in d["events"]]')" \
    "['group', 'group', 'charge', 'reservation', 'commit']"
is show_json__groups "$(json show.json '[(g["name"], g["spent"]["epsilon"]) for g in d["groups"]]')" \
    "[('team.a', 0.25), ('team.b', 0.125)]"

# ---- renyi ----
nw-ledger create r.nwl "${budget[@]}" --filter renyi --order 16 >created.txt
like create_renyi created.txt 'filter renyi, order 16$'
refuses create_renyi_without_order 64 'order is 0' nw-ledger create x.nwl "${budget[@]}" --filter renyi
refuses create_order_without_renyi 64 'order is 16' nw-ledger create x.nwl "${budget[@]}" --order 16

# ---- schedule ----
printf '{"format": "noisewright-event", "version": 1, "event": {"type": "composed", "events": [
    {"type": "pure", "epsilon": 0.25, "adjacency": "add_remove", "count": 2},
    {"type": "pure", "epsilon": 0.125, "adjacency": "add_remove"}]}}' >plan.json
nw-ledger create s.nwl --epsilon 1 --delta 0 --adjacency add-remove --schedule plan.json >created.txt
like create_schedule created.txt 'filter schedule$'
refuses charge_out_of_order 3 'schedule has next' nw-ledger charge s.nwl eighth.json --label x
check charge_scheduled nw-ledger charge s.nwl quarter.json --label x
refuses create_schedule_over_the_budget 3 'the schedule costs epsilon 0.625' \
    nw-ledger create x.nwl --epsilon 0.5 --delta 0 --adjacency add-remove --schedule plan.json
refuses create_schedule_nonsense 65 'schema.json' nw-ledger create x.nwl "${budget[@]}" --schedule schema.json

# ---- export ----
nw-ledger export g.nwl >export.json
is export $? 0
is export__members "$(json export.json 'sorted(d)')" "['format', 'head', 'header', 'rows', 'version']"
check export__to_a_file nw-ledger export g.nwl --output export2.json
check export__is_the_same cmp export.json export2.json
is verify_export "$(nw-ledger verify export.json | sed 's/.*head/head/')" "$(nw-ledger verify g.nwl | sed 's/.*head/head/')"
check verify_export__from_standard_input nw-ledger verify - <export.json
nw-ledger show export.json --json >show2.json
is show_export__says_the_same "$(json show2.json '[d[k] for k in sorted(d) if k != "ledger"]')" \
    "$(json show.json '[d[k] for k in sorted(d) if k != "ledger"]')"
check verify_anchor__from_an_export nw-ledger verify g.nwl --anchor export.json
check verify_anchor__from_a_receipt nw-ledger verify g.nwl --anchor receipt.json
json export.json 'd["head"]' >head.txt
check verify_anchor__from_a_line nw-ledger verify g.nwl --anchor head.txt
refuses verify_anchor__of_another_ledger 65 'rolled back' nw-ledger verify p.nwl --anchor export.json
sed 's/"job"/"jab"/' export.json >altered.json
refuses verify_export__edited 65 'altered.json: .*row 4' nw-ledger verify altered.json
python3 -c 'import json; d = json.load(open("export.json")); d["rows"].pop(); json.dump(d, open("altered.json", "w"))'
refuses verify_export__cut 65 'altered: its last rows' nw-ledger verify altered.json
refuses verify_no_export 65 'quarter.json: .*format' nw-ledger verify quarter.json
refuses export_missing 66 'nothing.nwl' nw-ledger export nothing.nwl
finish
