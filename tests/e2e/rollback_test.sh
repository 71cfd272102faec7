#!/usr/bin/env bash
# tidemark rollback: on the recorded chain to every height and back, row for row, with analysts reading
# meanwhile; what is refused; damage that it finds; and a chain of its own that goes on afterwards.
. tests/lib.sh
chain=tests/vectors/chain-a

# One digest over every row of the chain. The order of rows and where they lie do not matter.
digest_query=$(
    cat <<'END'
SELECT format($f$SELECT md5(string_agg(d, ' ' ORDER BY d)) FROM (%s) s$f$, string_agg(format(
    $f$SELECT %L || md5(coalesce(string_agg(md5(t::text), ' ' ORDER BY md5(t::text)), '')) AS d FROM ledger.%I t$f$,
    c.relname, c.relname), ' UNION ALL '))
FROM pg_class c WHERE c.relnamespace = 'ledger'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
    AND c.relname NOT IN ('migration', 'vote_guard', 'proposal')
END
)
digest() {
    sql "$rows_query"
}

data=$test_dir/a
"$TIDEMARK" init --data "$data" --genesis $chain/genesis.json --rules reference >/dev/null
cluster_start a
rows_query=$(sql "$digest_query")
digests=("$(digest)")
for h in $(seq 59); do
    sed -n "$((h + 1))p" $chain/blocks.jsonl | "$TIDEMARK" replay --data "$data" - >/dev/null
    digests+=("$(digest)")
done
is "$(printf '%s\n' "${digests[@]}" | sort -u | wc -l)" 60 'sixty different chains, block by block'
succeeds 'export' "$TIDEMARK" export "$test_dir/exported.jsonl" --data "$data"

# --- what would go ---------------------------------------------------------------------------------------
succeeds 'rollback --dry-run' "$TIDEMARK" rollback 40 --dry-run --data "$data"
plan=$(grep -Ev 'removed|changed| 0 +0$' <<<"$output" | sort)
like "$plan" 'block +19 +0' 'so many blocks would go'
is "$(digest)" "${digests[59]}" 'and nothing does'
succeeds 'rollback' "$TIDEMARK" rollback 40 --data "$data"
is "$(grep -Ev 'removed|height| 0 +0$' <<<"$output" | sort)" "$plan" 'what goes is what would'
like "$output" 'height 40: ten roots recomputed, state hash 8cfcde0d' 'roots are those of the header'
succeeds 'verify --all' "$TIDEMARK" verify --all --data "$data"
succeeds 'replay' "$TIDEMARK" replay --data "$data" "$test_dir/exported.jsonl"
is "$(digest)" "${digests[59]}" 'the chain is as it was'

# --- to every height, with readers -------------------------------------------------------------------------
# An analyst's transaction: the tip, all roots, a report, the same again. Prints what is wrong.
analyst() {
    local first second
    while [ ! -e "$test_dir/enough" ]; do
        sql_as reader 'BEGIN ISOLATION LEVEL REPEATABLE READ' \
            "SELECT height FROM ledger.tip" \
            "SELECT count(*), sum(balance_upokt), max(valid_from), max(height) FROM state.account" \
            "SELECT bool_and(ok) FROM tidemark.verify_state(tidemark.height())" \
            "SELECT pg_sleep(0.05)" \
            "SELECT count(*), sum(balance_upokt), max(valid_from), max(height) FROM state.account" \
            "SELECT count(*), max(height) FROM chain.transaction WHERE height = tidemark.height()" \
            'COMMIT' >"$test_dir/seen.$1"
        first=$(sed -n 2p "$test_dir/seen.$1")
        second=$(sed -n 5p "$test_dir/seen.$1")
        [ "$first" = "$second" ] && [ "$(sed -n 3p "$test_dir/seen.$1")" = t ] &&
            [ "${first##*|}" = "$(head -n 1 "$test_dir/seen.$1")" ] && ! grep -q ERROR "$test_dir/seen.$1" ||
            cat "$test_dir/seen.$1"
        echo . >>"$test_dir/rounds"
        sleep 0.2
    done
}
for i in 1 2; do analyst $i >"$test_dir/wrong.$i" 2>&1 & done
# and one whose snapshot is that of the whole chain throughout
coproc ANALYST { PGUSER=tidemark_reader psql -XqAt -v ON_ERROR_STOP=1 2>&1; }
reads="SELECT h.height, v.ok, md5(string_agg(a::text, ' ' ORDER BY a.address)) FROM ledger.tip h,
    LATERAL (SELECT bool_and(ok) AS ok FROM tidemark.verify_state(h.height)) v, state.account a GROUP BY 1, 2;"
ask() {
    echo "$reads" >&"${ANALYST[1]}"
    read -r -t 600 answer <&"${ANALYST[0]}"
}
echo 'BEGIN ISOLATION LEVEL REPEATABLE READ; SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL statement_timeout = 0;' >&"${ANALYST[1]}"
ask
whole=$answer
like "$whole" '^59\|t\|' 'an analyst reads the whole chain'

wrong=
for depth in $(seq 59); do
    height=$((59 - depth))
    "$TIDEMARK" rollback $height --data "$data" >"$test_dir/out" 2>&1 || wrong+=" $height:$(cat "$test_dir/out")"
    [ "$(digest)" = "${digests[height]}" ] || wrong+=" rows at $height"
    ask
    [ "$answer" = "$whole" ] || wrong+=" analyst at $height: $answer"
    "$TIDEMARK" replay --data "$data" "$test_dir/exported.jsonl" >"$test_dir/out" 2>&1 || wrong+=" replay: $(cat "$test_dir/out")"
    [ "$(tail -n 1 "$test_dir/out")" = "$depth blocks, $(sql "SELECT count(*) FROM ledger.transaction WHERE height > $height") transactions, $depth state hashes equal" ] ||
        wrong+=" $(tail -n 1 "$test_dir/out")"
    [ $((depth % 10)) -ne 9 ] || [ "$(digest)" = "${digests[59]}" ] || wrong+=" rows after $height"
done
is "$wrong" '' 'to every height from 58 to 0 and back: every row as it was'
echo 'COMMIT;' >&"${ANALYST[1]}"
ask
is "$answer" "$whole" 'the analyst saw one chain all the time'
exec {ANALYST[1]}>&-
touch "$test_dir/enough"
wait
is "$(cat "$test_dir"/wrong.*)" '' "analysts read meanwhile ($(wc -l <"$test_dir/rounds") transactions) and saw whole chains only"
succeeds 'verify --all' "$TIDEMARK" verify --all --data "$data"

# --- refused -----------------------------------------------------------------------------------------------
refused() { # TEXT NAME ARGUMENT…
    fails 1 "$2" "$TIDEMARK" rollback "${@:3}" --data "$data"
    like "$output" "$1" 'and says why'
}
refused 'there is no height 60.*0 to 59' 'above the tip' 60
refused 'no height 9223372036854775807' 'far above' 9223372036854775807
for bad in -1 ten 1.5 '' 9223372036854775808; do
    fails 2 "rollback \"$bad\"" "$TIDEMARK" rollback "$bad" --data "$data"
done
fails 2 'no height' "$TIDEMARK" rollback --data "$data"
fails 2 'two heights' "$TIDEMARK" rollback 1 2 --data "$data"
PGUSER=tidemark_node psql -XqAt -c 'SELECT pg_sleep(100000)' >/dev/null 2>&1 &
node=$!
connected() { [ "$(sql "SELECT count(*) FROM pg_stat_activity WHERE usename = 'tidemark_node' AND query LIKE '%pg_sleep%'")" != 0 ]; }
wait_for 120 connected
refused 'a node or another command works on this chain' 'while a node is connected' 40
sql "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'tidemark_node'" >/dev/null
wait $node 2>/dev/null
for role in reader api; do
    like "$(sql_as $role 'SELECT * FROM tidemark.rollback(40)')" 'permission denied' "role $role may not"
done
like "$(sql 'SELECT * FROM tidemark.rollback(NULL)')" 'no height' 'NULL'
is "$(digest)" "${digests[59]}" 'nothing was changed by any of these'

# --- damage ------------------------------------------------------------------------------------------------
sql 'CREATE TABLE public.saved AS TABLE ledger.account_history' >/dev/null
sql "UPDATE ledger.account_history SET balance = balance + 1 WHERE (tableoid, ctid) =
     (SELECT tableoid, ctid FROM ledger.account_history WHERE valid_to > 50 AND valid_from <= 50 LIMIT 1)" >/dev/null
damaged=$(digest)
refused 'do not have the roots of its header: account: ' 'history that was tampered with' 50
is "$(digest)" "$damaged" 'nothing of the rollback stays'
sql 'TRUNCATE ledger.account_history' 'INSERT INTO ledger.account_history SELECT * FROM public.saved' 'DROP TABLE public.saved' >/dev/null
sql 'CREATE TABLE public.saved AS TABLE ledger.change' \
    'DELETE FROM ledger.change c WHERE c.height > 50 AND c.tree = 4' >/dev/null
refused 'rows of later blocks than 50 are left in account' 'changes that are not listed' 50
sql 'TRUNCATE ledger.change' 'INSERT INTO ledger.change SELECT * FROM public.saved' 'DROP TABLE public.saved' >/dev/null
is "$(digest)" "${digests[59]}" 'the chain is whole again'
cluster_stop a

# --- a chain of its own --------------------------------------------------------------------------------------
data=$test_dir/own
keys=deploy/localnet/keys
up() {
    timeout 300 "$TIDEMARK" up --data "$data" --keys $keys --interval 0.2 "$@"
}
"$TIDEMARK" init --data "$data" --genesis deploy/localnet/genesis.json >/dev/null
cluster_start own
"$TIDEMARK" demo --db "$("$TIDEMARK" db url --data "$data" --role api)" --keys $keys >/dev/null 2>&1 &
demo=$!
# However slow the traffic is: something of it waits at 0, 6 and 9, so that there are transactions in
# blocks above 5 and above 7, and at 12.
pending() {
    [ "$(sql "SELECT count(*) FROM ops.submission WHERE status = 'pending'")" != 0 ]
}
for blocks in 6 3 3; do
    wait_for 120 pending
    up --blocks $blocks >"$test_dir/up" 2>&1
done
wait_for 120 pending
kill -TERM $demo
wait $demo
tip=$(sql 'SELECT height FROM ledger.tip')
is "$tip" 12 'twelve blocks'
hash=$(sql "SELECT encode(state_hash, 'hex') FROM ledger.tip")
before=$(digest)
guard=$(sql 'SELECT * FROM ledger.vote_guard ORDER BY address')
included=$(sql "SELECT count(*) FROM ops.submission WHERE status = 'included' AND height > 5")
[ "$included" -gt 0 ]
ok $? "$included submitted transactions are in blocks above 5"
waiting=$(sql "SELECT count(*) FROM ops.submission WHERE status = 'pending'") # came after the last block was proposed
[ "$waiting" -gt 0 ]
ok $? "$waiting wait for one"
succeeds 'export' "$TIDEMARK" export "$test_dir/own.jsonl" --data "$data"
succeeds 'rollback to 5' "$TIDEMARK" rollback 5 --data "$data"
like "$output" 'accept-older-state' 'says how a node goes on'
is "$(sql "SELECT count(*) FROM ops.submission WHERE status = 'pending' AND height IS NULL AND tx_index IS NULL AND code IS NULL")" \
    $((included + waiting)) 'their submissions are pending again'
is "$(sql "SELECT count(*) FROM ops.submission s WHERE s.status = 'included' AND NOT EXISTS
           (SELECT FROM ledger.transaction t WHERE (t.height, t.tx_index, t.hash) = (s.height, s.tx_index, s.hash))")" 0 \
    'and the others still where they are'
is "$(sql 'SELECT * FROM ledger.vote_guard ORDER BY address')" "$guard" 'the vote guard stays'
succeeds 'replay' "$TIDEMARK" replay --data "$data" "$test_dir/own.jsonl"
is "$(sql "SELECT encode(state_hash, 'hex') FROM ledger.tip")" "$hash" 'leads to the same state hash'
is "$(digest)" "$before" 'and the same rows'
succeeds 'and a node goes on' up --blocks 1
cluster_start own

for height in 12 7; do # one block less, then several
    succeeds "rollback to $height" "$TIDEMARK" rollback $height --data "$data"
    fails 1 'a node of its own does not go on by itself' up --blocks 2
    like "$output" 'older than what was signed.*accept-older-state' 'and says what was signed'
    is "$(sql 'SELECT height FROM ledger.tip')" $height 'no block is made'
done
succeeds 'with --accept-older-state it does' up --accept-older-state --blocks 4
cluster_start own
is "$(sql 'SELECT height FROM ledger.tip')" 11 'four more blocks'
is "$(sql "SELECT count(*) FROM ops.submission s WHERE s.status = 'included' AND NOT EXISTS
           (SELECT FROM ledger.transaction t WHERE (t.height, t.tx_index, t.hash) = (s.height, s.tx_index, s.hash))")" 0 \
    'what was pending again is in them'
[ "$(sql "SELECT count(*) FROM ops.submission WHERE status = 'included' AND height > 7")" -gt 0 ]
ok $? 'some of it at least'
succeeds 'verify --all' "$TIDEMARK" verify --all --data "$data"

(exec "$TIDEMARK" up --data "$data" --keys $keys --interval 0.2 --accept-older-state >"$test_dir/up" 2>&1) &
up=$!
wait_for 120 eval '[ "$(sql "SELECT height FROM ledger.tip")" -gt 11 ]'
fails 1 'while the node runs' "$TIDEMARK" rollback 3 --data "$data"
like "$output" 'Stop it first' 'it is refused'
kill -TERM $up
wait $up
done_testing
