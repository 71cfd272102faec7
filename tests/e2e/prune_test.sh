#!/usr/bin/env bash
# tidemark prune: what is kept reads and proves as before, what is not is refused, the chain goes on, and
# verify begins at the earliest height. On the recorded chain, then beside a node that makes blocks.
. tests/lib.sh
chain=tests/vectors/chain-a
keep=20
earliest=40

data=$test_dir/a
"$TIDEMARK" init --data "$data" --genesis $chain/genesis.json --rules reference >/dev/null
cluster_start a
head -n 46 $chain/blocks.jsonl | "$TIDEMARK" replay --data "$data" - >/dev/null
fails 2 'without --keep' "$TIDEMARK" prune --data "$data"
for bad in 0 -1 all 1.5; do fails 2 "--keep $bad" "$TIDEMARK" prune --keep $bad --data "$data"; done
for many in 46 1000 9223372036854775807; do
    succeeds "--keep $many" "$TIDEMARK" prune --keep $many --data "$data"
    like "$output" 'nothing to prune: the chain has 46 heights, from 0 to 45' 'all of it stays'
done

# --- the chain goes on after a prune -------------------------------------------------------------------
succeeds 'prune of a chain of 45 blocks' "$TIDEMARK" prune --keep 3 --data "$data"
is "$(sql "SELECT count(*) FILTER (WHERE tx IS NULL) > 50, bool_and((tx IS NULL) = (height < 43)) FROM ledger.transaction")" \
    't|t' 'bytes of old transactions are gone'
succeeds 'the rest is replayed on it' "$TIDEMARK" replay --data "$data" <(tail -n +47 $chain/blocks.jsonl)
is "$(tail -n 1 <<<"$output")" '14 blocks, 48 transactions, 14 state hashes equal' 'trees are loaded from value hashes'
succeeds 'verify --all' "$TIDEMARK" verify --all --data "$data"
like "$output" 'heights 0 to 42 are pruned.*16 blocks, 49 transactions' 'from the earliest height on'
cluster_stop a

# --- what is kept ----------------------------------------------------------------------------------------
data=$test_dir/b
"$TIDEMARK" init --data "$data" --genesis $chain/genesis.json --rules reference >/dev/null
cluster_start b
"$TIDEMARK" replay --data "$data" $chain/blocks.jsonl >/dev/null
"$TIDEMARK" export "$test_dir/exported.jsonl" --data "$data" 2>/dev/null
views=$(sql "SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'state'::regnamespace AND c.relkind = 'v'
             AND to_regprocedure(format('state.%I(bigint)', c.relname || '_at')) IS NOT NULL ORDER BY 1")
everything=$(
    for view in $views; do
        printf "%sSELECT h, '%s', md5(coalesce(string_agg(v::text, ' ' ORDER BY v::text COLLATE \"C\"), '')) FROM generate_series($earliest, 59) h LEFT JOIN LATERAL state.%s_at(h) v ON true GROUP BY 1" "${union-}" "$view" "$view"
        union=' UNION ALL '
    done
)
kept=$(sql "SELECT md5(string_agg(s::text, ' ' ORDER BY s::text COLLATE \"C\")) FROM ($everything) s")
headers=$(sql "SELECT md5(string_agg(b::text, ' ' ORDER BY height)) FROM ledger.block b")
facts=$(sql "SELECT md5(string_agg((height, tx_index, hash, message_type, signer, recipient, result_code, error)::text, ' ' ORDER BY height, tx_index)) FROM chain.transaction")
application=$(sql "SELECT encode(address, 'hex') FROM state.application ORDER BY address LIMIT 1")
# sessions FILE: a line for each height
sessions() {
    for h in $(seq $earliest 60); do
        sql "SELECT md5(coalesce(string_agg(s::text, ' '), '')) FROM state.session_at($h, '\\x$application', '0001', '') s" |
            tr '\n' ' '
        echo
    done >"$1"
}
sessions "$test_dir/sessions.before"
sizes=$(sql 'SELECT (SELECT count(*) FROM ledger.account_history), (SELECT count(*) FROM ledger.change)')

# a snapshot taken before keeps the whole chain
coproc ANALYST { PGUSER=tidemark_reader psql -XqAt 2>&1; }
ask() {
    echo "SELECT md5(string_agg(a::text, ' ' ORDER BY a.address)) FROM state.account_at(10) a;" >&"${ANALYST[1]}"
    read -r -t 600 answer <&"${ANALYST[0]}"
}
echo 'BEGIN ISOLATION LEVEL REPEATABLE READ; SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL statement_timeout = 0;' >&"${ANALYST[1]}"
ask
at_ten=$answer

succeeds 'prune --dry-run' "$TIDEMARK" prune --keep $keep --dry-run --data "$data"
like "$output" 'transaction +125.*the earliest height would be 40; nothing was changed' 'says what would go'
plan=$(awk '$1 ~ /^(application|validator|fisherman|servicer|account|pool|param|flag|ibc_entry)$/ { v += $2 }
            $1 == "tree_node" { n = $2 } $1 == "change" { c = $2 } $1 == "transaction" { t = $2 }
            END { printf "%d versions, %d tree nodes, %d changes and the bytes of %d transactions", v, n, c, t }' <<<"$output")
is "$(sql 'SELECT (SELECT count(*) FROM ledger.account_history), (SELECT count(*) FROM ledger.change)')" "$sizes" 'and removes nothing'

# interrupted: steps of few changes, one of them taken back, a chain that is whole after each
for most in 100 200; do
    sql "SELECT * FROM tidemark.prune_step(20, $most)" >"$test_dir/step"
    succeeds "verify --all after a step of $most changes (earliest height $(cut -d'|' -f1 "$test_dir/step"))" "$TIDEMARK" verify --all --data "$data"
    cat "$test_dir/step" >>"$test_dir/steps"
done
before=$(sql 'SELECT earliest FROM ledger.tip')
sql 'BEGIN' 'SELECT * FROM tidemark.prune_step(40, 100)' 'ROLLBACK' >/dev/null
is "$(sql 'SELECT earliest FROM ledger.tip')" "$before" 'a step that is cut off leaves nothing'
succeeds 'prune' "$TIDEMARK" prune --keep $keep --data "$data"
like "$output" "earliest height $earliest: " 'moves the earliest height'
is "$(awk -F'[|]' '{ v += $2; n += $3; c += $4; t += $5 } END { print v, n, c, t }' "$test_dir/steps" <(sed 's/.*: \([0-9]*\) versions, \([0-9]*\) tree nodes, \([0-9]*\) changes and the bytes of \([0-9]*\).*/0|\1|\2|\3|\4/' <<<"$output"))" \
    "$(grep -o '[0-9]*' <<<"$plan" | paste -sd' ')" 'the steps together removed what the plan said'
ask
is "$answer" "$at_ten" 'an older snapshot still reads height 10'
echo 'COMMIT;' >&"${ANALYST[1]}"
exec {ANALYST[1]}>&-
succeeds 'again' "$TIDEMARK" prune --keep $keep --data "$data"
like "$output" 'nothing to prune: the chain has 20 heights, from 40 to 59' 'nothing is left to do'

is "$(sql "SELECT md5(string_agg(s::text, ' ' ORDER BY s::text COLLATE \"C\")) FROM ($everything) s")" "$kept" \
    "every view at every height from $earliest is as before"
is "$(sql "SELECT md5(string_agg(b::text, ' ' ORDER BY height)) FROM ledger.block b")" "$headers" 'headers stay'
is "$(sql "SELECT md5(string_agg((height, tx_index, hash, message_type, signer, recipient, result_code, error)::text, ' ' ORDER BY height, tx_index)) FROM chain.transaction")" \
    "$facts" 'so do the facts about transactions'
is "$(sql 'SELECT count(*) FROM chain.message_send')" "$(sql "SELECT count(*) FROM ledger.transaction WHERE height >= $earliest AND message_type = 'MessageSend'")" \
    'messages begin at the earliest height'
is "$(sql "SELECT count(*), bool_and(v.ok) FROM generate_series($earliest, 59) h, tidemark.verify_state(h) v")" "$((10 * keep))|t" \
    'verify_state of every height kept'
is "$(sql "SELECT count(DISTINCT h), bool_and(v.ok) FROM generate_series($earliest, 59) h, tidemark.verify_block(h) v")" "$keep|t" \
    'verify_block of every height kept'
succeeds 'verify --all' "$TIDEMARK" verify --all --data "$data"
like "$output" 'heights 0 to 39 are pruned' 'says where it begins'
like "$output" '19 blocks, .*state hash eb30e985' 'and ends at the tip'
for h in 41 59; do succeeds "verify --height $h" "$TIDEMARK" verify --height $h --data "$data"; done

# --- what is not -------------------------------------------------------------------------------------------
hint='is pruned.*The earliest height kept is 40'
refused=
for h in 0 17 39; do
    for view in $views; do
        [[ $(sql "SELECT * FROM state.${view}_at($h)") =~ $hint ]] || refused+=" ${view}_at($h)"
        [[ $(sql "SET tidemark.height = $h" "SELECT * FROM state.$view") =~ $hint ]] || refused+=" $view at $h"
    done
    for call in "state.account_page_at($h, NULL, 5)" "state.param_page_at($h, NULL, 5)" "state.session_at($h, '\\x$application', '0001', '')" \
        "tidemark.state_hash($h)" "tidemark.verify_state($h)" "tidemark.verify_block($h)" "tidemark.height($h)" \
        "tidemark.prune_plan($h)" "tidemark.rollback_plan($h)" "tidemark.rollback($h)"; do
        [[ $(sql "SELECT * FROM $call") =~ $hint ]] || refused+=" $call"
    done
done
is "$refused" '' 'every view and function refuses a pruned height with a hint'
like "$(sql "SET tidemark.height = '-30'" 'SELECT * FROM state.supply')" "$hint" 'counted from the tip as well'
sessions "$test_dir/sessions.after"
is "$(paste -d'#' "$test_dir/sessions.before" "$test_dir/sessions.after" | awk -F'#' '$1 != $2' | grep -vc "is pruned")" 0 \
    'sessions are as before, or refused where they depend on a pruned height'
[ "$(grep -c pruned "$test_dir/sessions.after")" -gt 0 ] && [ "$(grep -vc pruned "$test_dir/sessions.after")" -gt 0 ]
ok $? 'both happen' "$(sort "$test_dir/sessions.after" | uniq -c)"
fails 1 'rollback below' "$TIDEMARK" rollback 39 --data "$data"
like "$output" "$hint" 'is refused'
for h in 0 39 40; do
    fails 1 "verify --height $h" "$TIDEMARK" verify --height $h --data "$data"
    like "$output" 'heights 41 to 59 can be verified' 'says which can be'
done
fails 1 'export from the first block' "$TIDEMARK" export "$test_dir/none" --data "$data"
like "$output" 'pruned' 'says why'
succeeds 'export of what is there' "$TIDEMARK" export "$test_dir/kept" --from $earliest --data "$data"
is "$(md5sum <"$test_dir/kept")" "$(tail -n $keep "$test_dir/exported.jsonl" | md5sum)" 'the blocks as they were'
hash=$(sql "SELECT encode(hash, 'hex') FROM ledger.transaction WHERE height = 22 LIMIT 1")
succeeds 'query of a pruned transaction' "$TIDEMARK" query tx "$hash" --data "$data"
like "$output" "\"hash\": ?\"$hash\".*\"tx\": ?null" 'gives its hash and place'
for role in reader api; do
    like "$(sql_as $role 'SELECT * FROM tidemark.prune_step(50, 10)')" 'permission denied' "role $role may not prune"
done

# --- back to the earliest height and on again -----------------------------------------------------------------
succeeds 'rollback to the earliest height' "$TIDEMARK" rollback $earliest --data "$data"
succeeds 'verify --all there' "$TIDEMARK" verify --all --data "$data"
succeeds 'replay' "$TIDEMARK" replay --data "$data" "$test_dir/kept"
is "$(sql "SELECT md5(string_agg(s::text, ' ' ORDER BY s::text COLLATE \"C\")) FROM ($everything) s")" "$kept" 'all as before'

# --- damage to what is left -----------------------------------------------------------------------------------
damage() { # NAME TABLE CHANGE
    sql "CREATE TABLE public.saved AS TABLE $2" "$3" >/dev/null
    output=$("$TIDEMARK" verify --all --data "$data" 2>&1)
    is $? 1 "$1 is found"
    sql "TRUNCATE $2" "INSERT INTO $2 SELECT * FROM public.saved" 'DROP TABLE public.saved' >/dev/null
}
damage 'another value hash' ledger.transaction "UPDATE ledger.transaction SET value_hash = sha256(value_hash) WHERE height = 22 AND tx_index = 0"
damage 'a pruned transaction that is gone' ledger.transaction 'DELETE FROM ledger.transaction WHERE height = 22 AND tx_index = 0'
damage 'another root in a pruned header' ledger.block "UPDATE ledger.block SET tree_roots[3] = sha256(tree_roots[3]) WHERE height = 12"
damage 'another state hash in a pruned header' ledger.block "UPDATE ledger.block SET state_hash = sha256(state_hash) WHERE height = 12"
damage 'a pruned block that is gone' ledger.block 'DELETE FROM ledger.block WHERE height = 12'
damage 'history that should be gone' ledger.account_history "INSERT INTO ledger.account_history VALUES ('\\x0101010101010101010101010101010101010101', 5, 9, 0, 7)"
damage 'a change that should be gone' ledger.change "INSERT INTO ledger.change VALUES (12, 4, '\\x01', 0)"
damage 'an account from before' ledger.account 'UPDATE ledger.account SET balance = balance + 1 WHERE (ctid) = (SELECT ctid FROM ledger.account WHERE valid_from < 40 LIMIT 1)'
succeeds 'verify --all' "$TIDEMARK" verify --all --data "$data"
for few in 5 1; do
    succeeds "prune --keep $few" "$TIDEMARK" prune --keep $few --data "$data"
    succeeds 'verify --all' "$TIDEMARK" verify --all --data "$data"
    is "$(sql 'SELECT bool_and(ok) FROM tidemark.verify_state(59)')" t 'and verify_state'
done
cluster_stop b

# --- beside a node ----------------------------------------------------------------------------------------------
data=$test_dir/own
keys=deploy/localnet/keys
"$TIDEMARK" init --data "$data" --genesis deploy/localnet/genesis.json >/dev/null
url=$("$TIDEMARK" db url --data "$data" --role api)
cluster_start own
"$TIDEMARK" up --data "$data" --keys $keys --interval 0.2 >"$test_dir/up" 2>&1 &
up=$!
"$TIDEMARK" demo --db "$url" --keys $keys >/dev/null 2>&1 &
demo=$!
# The node goes on until both have come far enough, whichever is the faster here.
pruned=
far_enough() {
    pruned+=$("$TIDEMARK" prune --keep 4 --data "$data" 2>&1 | grep -v '^nothing to prune\|^earliest height')
    [ "$(sql 'SELECT height >= 30 AND earliest > 10 FROM ledger.tip')" = t ]
}
wait_for 300 far_enough
ok $? 'a node makes 30 blocks while its chain is pruned' "$pruned" "$(tail -n 3 "$test_dir/up")"
is "$pruned" '' 'each time to its end'
kill -TERM $demo $up
wait $up
ok $? 'and ends as asked' "$(tail -n 3 "$test_dir/up")"
wait $demo
succeeds 'verify --all' "$TIDEMARK" verify --all --data "$data"
is "$(sql "SELECT bool_and(v.ok) FROM ledger.tip t, generate_series(t.earliest, t.height) h, tidemark.verify_state(h) v")" t 'and verify_state'
succeeds 'it goes on from the pruned chain' timeout 300 "$TIDEMARK" up --data "$data" --keys $keys --blocks 2 --interval 0.2
done_testing
