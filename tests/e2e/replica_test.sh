#!/usr/bin/env bash
# A streaming replica of a growing chain: made, followed, killed, its node restarted, compared root by
# root, promoted, removed; and what is refused.
. tests/lib.sh

genesis=deploy/localnet/genesis.json
keys=deploy/localnet/keys
node=$test_dir/node
copy=$test_dir/copy
log=$test_dir/log

on() { "$TIDEMARK" psql --data "$1" -c "$2" 2>/dev/null; }
height() { on "$1" 'SELECT height FROM ledger.tip'; }
above() { # DIR HEIGHT
    local now
    now=$(height "$1") && [ -n "$now" ] && [ "$now" -gt "$2" ]
}
follows() { # NAME: the replica gets to a height the node did not have yet
    local now
    now=$(height "$node")
    wait_for 180 above "$copy" $((now + 1))
    ok $? "$1" "$("$TIDEMARK" replica status --data "$copy" 2>&1)" "$(tail -n 5 "$log" "$copy/cluster/postgres.log")"
}
start_up() {
    "$TIDEMARK" up --data "$node" --keys $keys --interval 0.3 >>"$log" 2>&1 &
    up=$!
}
stop_up() {
    kill -TERM $up
    wait $up
}
streams() { "$TIDEMARK" replica status --data "$copy"; }
slots() { on "$node" 'SELECT count(*) FROM ops.replica'; }

# --- what is refused -----------------------------------------------------------------------------

"$TIDEMARK" init --data "$node" --genesis $genesis >/dev/null
fails 2 'no word' "$TIDEMARK" replica
fails 2 'no directory' "$TIDEMARK" replica create --from "$node"
fails 2 'no node' "$TIDEMARK" replica create --data "$copy"
fails 2 'a height to create' "$TIDEMARK" replica create --from "$node" --data "$copy" --height 3
fails 1 'a node that does not run' "$TIDEMARK" replica create --from "$node" --data "$copy"
like "$output" 'no database runs in .*/node.*tidemark up' 'is told'
fails 1 'a directory that is no node' "$TIDEMARK" replica create --from "$test_dir" --data "$copy"
like "$output" "there is no node in $test_dir" 'is told'
"$TIDEMARK" db start --data "$node" >/dev/null
fails 1 'the same directory' "$TIDEMARK" replica create --from "$node" --data "$node"
like "$output" 'holds a database already' 'is told'
fails 1 'status of a node' "$TIDEMARK" replica status --data "$node"
like "$output" 'is no replica' 'is told'
fails 1 'a URL of nobody' "$TIDEMARK" replica create --from "postgresql://x@/tidemark?host=$test_dir" --data "$copy"
like "$output" 'cannot connect to the database' 'is told'
"$TIDEMARK" psql --data "$node" --role owner -c "UPDATE ledger.migration SET number = 900 + number WHERE number = (SELECT max(number) FROM ledger.migration)" >/dev/null
fails 1 'a node of another version' "$TIDEMARK" replica create --from "$node" --data "$copy"
like "$output" 'database is (newer|older) than this program' 'is told'
"$TIDEMARK" psql --data "$node" --role owner -c "UPDATE ledger.migration SET number = number - 900 WHERE number > 900" >/dev/null
[ ! -e "$copy" ]
ok $? 'none of these leaves a directory' "$(ls -la "$copy" 2>&1)"
is "$(slots)" 0 'or a slot'
"$TIDEMARK" db stop --data "$node" >/dev/null

# --- a replica of a growing chain ----------------------------------------------------------------

start_up
wait_for 180 above "$node" 2
ok $? 'a chain grows' "$(tail -n 5 "$log")"
succeeds 'replica create' "$TIDEMARK" replica create --from "$node" --data "$copy"
like "$output" 'height [0-9]+: ten roots recomputed, equal' 'checks the roots'
follows 'it follows the tip'
wait_for 180 streams # no longer catching up
succeeds 'replica status' "$TIDEMARK" replica status --data "$copy"
like "$output" 'streaming    yes.*behind       [0-9]+ heights, [0-9]+ bytes of log, [0-9.]+ s of block time' 'says how far it is'
fails 1 'a second one in the same place' "$TIDEMARK" replica create --from "$node" --data "$copy"
like "$output" 'is a replica already' 'is refused'
fails 1 'a replica of a replica' "$TIDEMARK" replica create --from "$copy" --data "$test_dir/third"
like "$output" 'replica or in recovery.*connect to the primary' 'is refused'
is "$(on "$node" 'SELECT count(*), bool_and(streaming), bool_and(wal_status IN ($$reserved$$, $$extended$$)) FROM ops.replica')" '1|t|t' 'the node shows it'
is "$(on "$node" "SELECT rolsuper OR rolcreaterole OR rolcreatedb, rolreplication,
    has_table_privilege('tidemark_replica', 'ledger.tip', 'UPDATE') FROM pg_roles WHERE rolname = 'tidemark_replica'")" 'f|t|f' \
    'which its role can only copy and read'
for h in 0 1 2; do
    succeeds "roots at height $h" "$TIDEMARK" replica check --data "$copy" --height $h
done
fails 1 'a height nobody has' "$TIDEMARK" replica check --data "$copy" --height 100000
fails 2 'a height that is none' "$TIDEMARK" replica check --data "$copy" --height x
fails 2 'readers are kept out of the node' psql -XqAt -c 'SELECT 1' "$("$TIDEMARK" db url --data "$node")"
is "$(psql -XqAt -c 'SELECT count(*) FROM state.validator' "$("$TIDEMARK" db url --data "$copy")" 2>&1)" 4 'and let into the replica'
is "$(psql -XqAt -c 'SET tidemark.height = 1' -c 'SELECT count(*) FILTER (WHERE ok) FROM tidemark.verify_state(1)' \
    -c "SELECT pg_is_in_recovery()" "$("$TIDEMARK" db url --data "$copy")" 2>&1 | tr '\n' ' ')" '10 t ' 'where they read every height'
fails 1 'no role is made there' "$TIDEMARK" db readers add alice --data "$copy"
like "$output" 'this is a replica, whose roles are those of its node' 'says where'
"$TIDEMARK" db readers add alice --data "$node" >"$test_dir/alice"
like "$(cat "$test_dir/alice")" 'readers may not log in on this machine' "the node's own server keeps it out"
alice() {
    PGPASSWORD=$(sed -n 's/^password *//p' "$test_dir/alice") psql -XqAt -w -U alice -c 'SELECT current_user, setting FROM pg_settings WHERE name = $$temp_file_limit$$' \
        "$("$TIDEMARK" db url --data "$1" | sed 's/tidemark_reader@/alice@/')" 2>&1
}
like "$(alice "$node")" 'rejects connection' 'which it does'
let_in() { [ "$(alice "$copy")" = 'alice|1048576' ]; }
wait_for 60 let_in
ok $? 'the replica lets it in, with its limits' "$(alice "$copy")"
succeeds 'and lists it' "$TIDEMARK" db readers list --data "$copy"
like "$output" 'alice: 2 connections' 'by name'
fails 1 'nor is it removed there' "$TIDEMARK" db readers remove alice --data "$copy"
succeeds 'but on the node' "$TIDEMARK" db readers remove alice --data "$node"
like "$(psql -XqAt -c 'SET default_transaction_read_only = off; CREATE TEMP TABLE x (y int)' "$("$TIDEMARK" db url --data "$copy")" 2>&1)" \
    'ERROR:.*(permission denied|read-only|recovery)' 'and write nothing'
is "$(psql -XqAt -c 'SHOW hot_standby_feedback' -c 'SHOW tidemark.memory_limit' "$("$TIDEMARK" db url --data "$copy")" | tr '\n' ' ')" 'off 1GB ' 'within the same limits'
succeeds 'query block' "$TIDEMARK" query block --height 1 --data "$copy"
succeeds 'verify' "$TIDEMARK" verify --height 2 --data "$copy"
fails 1 'up on a replica' "$TIDEMARK" up --data "$copy" --keys $keys
like "$output" "is a replica of $node" 'is refused'
fails 1 'tidemarkd on a replica' timeout 300 "$(dirname "$TIDEMARK")/tidemarkd" \
    --db "$("$TIDEMARK" db url --data "$copy" --role node)" --keys $keys --guard "$test_dir/guard"
like "$output" 'replica or in recovery' 'is refused'
fails 1 'migrate on a replica' "$TIDEMARK" migrate --data "$copy"
like "$output" 'replica or in recovery' 'is refused'

# --- deaths --------------------------------------------------------------------------------------

kill -9 "$(head -n 1 "$copy/cluster/data/postmaster.pid")"
stopped() { ! "$TIDEMARK" db status --data "$copy"; }
wait_for 180 stopped
fails 1 'status of one that was killed' "$TIDEMARK" replica status --data "$copy"
like "$output" 'does not run: tidemark db start' 'says so'
now=$(height "$node")
wait_for 180 above "$node" $((now + 1))
ok $? 'the node does not need it'
succeeds 'db start' "$TIDEMARK" db start --data "$copy"
follows 'it catches up'
stop_up
fails 1 'status without the node' "$TIDEMARK" replica status --data "$copy"
like "$output" 'no database runs in .*/node' 'says so'
is "$(psql -XqAt -c 'SELECT count(*) > 1 FROM chain.block' "$("$TIDEMARK" db url --data "$copy")" 2>&1)" t 'readers go on meanwhile'
start_up
wait_for 180 streams
ok $? 'the node is back, and it streams' "$("$TIDEMARK" replica status --data "$copy" 2>&1)"
follows 'it follows again'
succeeds 'the roots agree' "$TIDEMARK" replica check --data "$copy"
succeeds 'db stop' "$TIDEMARK" db stop --data "$copy"
succeeds 'db start' "$TIDEMARK" db start --data "$copy"
follows 'as before'

# --- removed, and promoted -----------------------------------------------------------------------

succeeds 'replica remove' "$TIDEMARK" replica remove --data "$copy"
is "$(slots)" 0 'gives its slot back'
[ ! -e "$copy" ]
ok $? 'and its files' "$(ls -la "$copy" 2>&1)"
succeeds 'another one, with the URL of a role that may replicate and read' "$TIDEMARK" replica create --data "$copy" --from "$("$TIDEMARK" db url --data "$node" --role api | sed 's/tidemark_api/tidemark_replica/')"
follows 'it follows'
stop_up
"$TIDEMARK" db start --data "$node" >/dev/null
caught_up() { [ "$(height "$copy")" = "$(height "$node")" ]; }
wait_for 180 caught_up
is "$(on "$copy" 'SELECT height, state_hash FROM ledger.tip')" "$(on "$node" 'SELECT height, state_hash FROM ledger.tip')" 'to the last block'
"$TIDEMARK" db stop --data "$node" >/dev/null
psql -XqAt -c 'SELECT pg_promote()' "$("$TIDEMARK" db url --data "$copy" --role owner | sed 's/&options=.*//')" >/dev/null
fails 1 'status after a promotion' "$TIDEMARK" replica status --data "$copy"
like "$output" 'was promoted' 'says so'
cp -a "$node/guard" "$copy/guard"
fails 1 'with the guard file of the node it does not sign' timeout 300 "$TIDEMARK" up --data "$copy" --keys $keys --blocks 1
like "$output" 'another cluster or timeline' 'since it is another timeline'
rm -r "$copy/guard"
fails 1 'nor without' timeout 300 "$TIDEMARK" up --data "$copy" --keys $keys --blocks 1
like "$output" 'guard file is missing' 'since its rows say that the keys have signed'
succeeds 'until the operator says that no other node signs' timeout 300 "$TIDEMARK" up --data "$copy" --keys $keys --blocks 2 --interval 0.1 --accept-older-state
succeeds 'every block verifies' "$TIDEMARK" verify --all --data "$copy"
fails 1 'what was promoted is not removed' "$TIDEMARK" replica remove --data "$copy"
like "$output" 'holds a chain of its own' 'since it may be the only one'
done_testing
