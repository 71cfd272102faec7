#!/usr/bin/env bash
# tidemark audit: clean chains under both rule sets, block by block too; rows a superuser changed, each
# found and named; resuming, a rollback and a prune in between, a node running meanwhile, SIGTERM, bad
# options.
. tests/lib.sh
chain=tests/vectors/chain-a
keys=deploy/localnet/keys

audit() {
    timeout 600 "$TIDEMARK" audit --data "$data" --share 100 "$@"
}
progress() {
    sql "SELECT string_agg(kind || ' ' || coalesce(height::text, 'none'), ', ' ORDER BY kind) FROM ops.audit_progress WHERE kind <> 'state'"
}
restart() {
    sql 'UPDATE ops.audit_progress SET height = NULL, state_hash = NULL' >/dev/null
}

# --- bad options -------------------------------------------------------------------------------------------
for bad in '--share 0' '--share 101' '--share x' '--share' '--blocks 0' '--blocks -1' '--blocks many' '--nonsense' 'word'; do
    # shellcheck disable=SC2086
    fails 2 "audit $bad" "$TIDEMARK" audit $bad --data "$test_dir/none"
done
fails 1 'no chain' "$TIDEMARK" audit --data "$test_dir/none"

# --- a clean chain, `reference` ----------------------------------------------------------------------------
data=$test_dir/a
"$TIDEMARK" init --data "$data" --genesis $chain/genesis.json --rules reference >/dev/null
cluster_start a
succeeds 'genesis alone' audit --until-tip
"$TIDEMARK" replay --data "$data" $chain/blocks.jsonl >/dev/null
succeeds 'every height of the recorded chain' audit --until-tip
is "$(progress)" 'block 59, execution 59' 'up to the tip'
is "$(sql "SELECT sum(height - first_height + 1) FILTER (WHERE kind = 'block'), sum(height - first_height + 1) FILTER (WHERE kind = 'execution'),
           count(*) FILTER (WHERE kind = 'state') > 0, bool_and(ok) FROM ops.audit")" '60|59|t|t' 'each height once, and all holds'
is "$(sql 'SELECT bool_and(a.state_hash = b.state_hash) FROM ops.audit a JOIN ledger.block b USING (height)')" t 'with the hash of its last height'
restart
wrong=
for _ in {1..5}; do
    output=$(audit --blocks 1 2>&1) || wrong+=$output
done
is "$wrong" '' 'one block at a time, each on the state as it is stored'
is "$(sql "SELECT height FROM ops.audit_progress WHERE kind = 'execution'")" 5 'it goes on where it stopped'

# --- who may -----------------------------------------------------------------------------------------------
is "$(sql 'SET ROLE tidemark_audit' "SELECT string_agg(c.oid::regclass::text, ' ' ORDER BY c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
           WHERE n.nspname IN ('ledger', 'ops', 'state', 'history', 'chain', 'tidemark') AND c.relkind IN ('r', 'p', 'v')
             AND has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')")" 'ops.audit ops.audit_progress' \
    'the audit writes its own two tables'
fails 1 'as a reader' "$TIDEMARK" audit --until-tip --db "$("$TIDEMARK" db url --data "$data")"
like "$output" 'may not write ops.audit.*tidemark_audit' 'and says what to connect as'

# --- rows that were changed --------------------------------------------------------------------------------
# tampered NAME TABLE CHANGE-SQL KIND HEIGHT REGEX: makes the change, expects that this kind of check finds it
# at this height and says REGEX (drawn heights may find it as well), takes the change back.
tampered() {
    sql "CREATE TABLE public.saved AS TABLE $2" >/dev/null
    sql 'SET session_replication_role = replica' "$3" >"$test_dir/change"
    restart
    fails 1 "$1" audit --until-tip --keep-going
    like "$output" "block $5:" 'is printed'
    like "$(sql "SELECT findings FROM ops.audit WHERE NOT ok AND kind = '$4' AND height = $5 ORDER BY id DESC LIMIT 1")" \
        "^height $5: .*$6" "and a row of ops.audit, found by kind $4"
    sql 'SET session_replication_role = replica' "TRUNCATE $2" "INSERT INTO $2 SELECT * FROM public.saved" 'DROP TABLE public.saved' >/dev/null
}
tampered 'a balance at a past height' ledger.account_history \
    'UPDATE ledger.account_history SET balance = balance + 1 WHERE (tableoid, ctid) = (SELECT tableoid, ctid FROM ledger.account_history WHERE valid_from = 20 LIMIT 1)' \
    execution 20 'account [0-9a-f]+: balance is [0-9]+ in the row, [0-9]+ by execution'
tampered 'a result code' ledger.transaction \
    'UPDATE ledger.transaction SET result_code = result_code + 1 WHERE (height, tx_index) = (30, 1)' \
    execution 30 'transaction 1: result_code [0-9]+, by execution'
tampered 'a step of ledger.change' ledger.change \
    'UPDATE ledger.change SET step = step + 1000 WHERE (height, tree, key, step) = (SELECT height, tree, key, step FROM ledger.change WHERE height = 25 AND tree = 4 LIMIT 1)' \
    execution 25 'ledger.change: row'
tampered 'a tree node' ledger.tree_node_history \
    'UPDATE ledger.tree_node_history SET digest = sha256(digest) WHERE (tableoid, ctid) = (SELECT tableoid, ctid FROM ledger.tree_node_history WHERE tree = 4 AND valid_from = 15 LIMIT 1)' \
    execution 15 'account tree node at depth'
tampered 'the round of a block' ledger.block \
    'UPDATE ledger.block SET round = round + 1 WHERE height = 40' execution 40 'ledger.block.round is'
tampered 'a row that lived always' ledger.param \
    "UPDATE ledger.param SET value = value || '1' WHERE valid_from = 0 AND name = (SELECT min(name) FROM ledger.param WHERE valid_from = 0)" \
    block 0 'params'

# what the cursors have passed is found by the heights in full
restart
succeeds 'the chain is whole again' audit --until-tip
sql "UPDATE ledger.param SET value = value || '1' WHERE valid_from = 0 AND name = (SELECT min(name) FROM ledger.param WHERE valid_from = 0)" >/dev/null
fails 1 'a row behind the cursors' audit --until-tip
like "$output" 'verifying in full block.*params' 'is found by a height in full'
sql "UPDATE ledger.param SET value = left(value, -1) WHERE valid_from = 0 AND name = (SELECT min(name) FROM ledger.param WHERE valid_from = 0)" >/dev/null

sql 'UPDATE ledger.transaction SET result_code = result_code + 1 WHERE (height, tx_index) IN ((30, 1), (33, 0))' >/dev/null
restart
fails 1 'with --keep-going' audit --until-tip --keep-going
like "$output" 'block 30.*block 33' 'both are found'
is "$(progress)" 'block 59, execution 59' 'and it goes on to the tip'
sql 'UPDATE ledger.transaction SET result_code = result_code - 1 WHERE (height, tx_index) IN ((30, 1), (33, 0))' >/dev/null
is "$(sql "SELECT count(*) FROM ops.audit WHERE NOT ok AND kind = 'execution' AND height = 30")" 1 'the same finding stands once'

# --- rollback and prune in between -------------------------------------------------------------------------
"$TIDEMARK" audit --data "$data" --share 100 >"$test_dir/beside" 2>&1 &
beside=$!
at_work() {
    [ "$(sql "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%ops.audit%' AND pid <> pg_backend_pid()")" != 0 ]
}
wait_for 120 at_work
ok $? 'an audit is at work' "$(cat "$test_dir/beside")"
# what an audit commits while the rollback is on its way
sql "BEGIN; UPDATE ops.audit_progress SET updated_at = now() WHERE kind = 'state'; INSERT INTO ops.audit (kind, first_height, height, state_hash, ok, msec) VALUES ('state', 50, 50, sha256('50'), true, 1); SELECT pg_sleep(3); COMMIT" >/dev/null &
writer=$!
wait_for 20 eval '[ "$(sql "SELECT count(*) FROM pg_stat_activity WHERE wait_event = '\''PgSleep'\''")" = 1 ]'
succeeds 'a rollback while an audit runs' "$TIDEMARK" rollback 40 --data "$data"
wait $writer
is "$(progress)" 'block 40, execution 40' 'takes the audit back'
is "$(sql 'SELECT count(*) FROM ops.audit WHERE ok AND height > 40')|$(sql 'SELECT count(*) >= 6 FROM ops.audit WHERE NOT ok')" '0|t' \
    'what held above goes, findings stay'
"$TIDEMARK" replay --data "$data" $chain/blocks.jsonl >/dev/null
wait_for 300 eval '[ "$(progress)" = "block 59, execution 59" ]'
ok $? 'it follows the chain again' "$(progress)"
kill -TERM $beside
wait $beside
is $? 0 'SIGTERM ends it with 0'
like "$(cat "$test_dir/beside")" 'blocks verified: to 59, executed again: to 59 of 59' 'and it says how far it came'
is "$(sql "SELECT sum(height - first_height + 1) FROM ops.audit WHERE ok AND kind = 'execution' AND first_height > 40")" 19 'nineteen blocks once more'

sql "UPDATE ops.audit_progress SET height = 10, state_hash = (SELECT state_hash FROM ledger.block WHERE height = 10) WHERE kind <> 'state'" >/dev/null
succeeds 'prune' "$TIDEMARK" prune --keep 10 --data "$data"
succeeds 'a pruned chain' audit --until-tip
like "$output" 'execution: heights 11 to 50 are skipped, the state they need is pruned' 'says what it leaves out'
is "$(sql 'SELECT kind, first_height, height FROM ops.audit WHERE ok IS NULL ORDER BY kind')" $'block|11|49\nexecution|11|50' 'in ops.audit too'
is "$(progress)" 'block 59, execution 59' 'and checks the rest'

# another chain in the place of the one that was audited
sql "UPDATE ops.audit_progress SET state_hash = sha256('other') WHERE kind = 'block'" >/dev/null
succeeds 'a cursor on a block that is not there' audit --until-tip
like "$output" 'beginning again' 'it begins again'
cluster_stop a

# --- a chain of its own, the node running ------------------------------------------------------------------
data=$test_dir/own
"$TIDEMARK" init --data "$data" --genesis deploy/localnet/genesis.json >/dev/null
url=$("$TIDEMARK" db url --data "$data" --role api)
"$TIDEMARK" up --data "$data" --keys $keys --interval 0.05 --blocks 110 >"$test_dir/up" 2>&1 &
up=$!
wait_for 120 grep -q . "$test_dir/up"
"$TIDEMARK" audit --data "$data" --share 50 >"$test_dir/beside" 2>&1 &
beside=$!
while kill -0 $up 2>/dev/null; do
    # the audit keeps the database up when the node ends, and traffic would wait for a block for ever
    timeout 5 "$TIDEMARK" demo --db "$url" --keys $keys >/dev/null 2>&1
    sleep 0.3
done
wait $up
ok $? 'a node makes 110 blocks while it is audited' "$(tail -n 3 "$test_dir/up")"
kill -INT $beside
wait $beside
is $? 0 'the audit found nothing, and SIGINT ends it as well'
cluster_start own
succeeds 'nor in what was left' audit --until-tip
is "$(progress)" 'block 110, execution 110' 'every height'
is "$(sql "SELECT sum(height - first_height + 1), bool_and(ok) FROM ops.audit WHERE kind = 'execution'")" '110|t' 'was executed again once'
done_testing
