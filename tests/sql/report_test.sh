#!/usr/bin/env bash
# Reports against full reading of every height, on the recorded chain of the reference and on a chain
# under `standard`; the sums behind them against the rows, after rollback, kill -9, replay, prune and
# when they are made late; labels; bad input. Readers' part through the role of readers.
set -u
. tests/lib.sh

# brute NAME [SKIP]: report_brute.sql on the current database, one test a line; SKIP: lines that may count nothing
brute() {
    local property counted wrong
    psql -XqAt -v ON_ERROR_STOP=1 -U tidemark_reader -c 'SET default_transaction_read_only = off' \
        -c 'SET statement_timeout = 0' -f tests/sql/report_brute.sql >"$test_dir/brute.out" 2>"$test_dir/brute.err"
    ok $? "$1: every height is read" "$(cat "$test_dir/brute.err")"
    is "$(wc -l <"$test_dir/brute.out")" 14 "$1: all of them"
    while IFS='|' read -r property counted wrong; do
        [ "$counted" -gt 0 ] && [ "$wrong" -eq 0 ]
        ok $? "$1: $property" "$wrong of $counted are wrong"
    done <"$test_dir/brute.out"
}

# The derived tables as one digest.
digest() {
    sql "SELECT md5(string_agg(d, ' ' ORDER BY d)) FROM (
             SELECT 't' || t::text AS d FROM ledger.block_total t
             UNION ALL SELECT 'm' || t::text FROM ledger.block_message t
             UNION ALL SELECT 's' || t::text FROM ledger.block_stake t
             UNION ALL SELECT 'c' || t::text FROM ledger.block_chain t) d"
}
checks() { # NAME [FROM]: sums are those of the rows
    is "$(sql_as reader "SELECT c.* FROM ledger.tip t, report.check_between(${2:-0}, t.height) c")" '' "$1"
}
tip() {
    sql 'SELECT height FROM ledger.tip'
}

# --- under `reference` ---------------------------------------------------------------------------

chain=tests/vectors/chain-a
cluster_start reference
"$TIDEMARK" init --data "$data" --genesis $chain/genesis.json --rules reference >/dev/null &&
    "$TIDEMARK" replay --data "$data" $chain/blocks.jsonl >/dev/null ||
    { echo 'Bail out! the recorded chain is not replayed'; exit 1; }
"$TIDEMARK" db readers allow --data "$data" >/dev/null
sql 'GRANT TEMP ON DATABASE tidemark TO tidemark_reader' >/dev/null
checks 'reference: sums of all heights'
brute reference
is "$(sql_as reader "SELECT sum(returned), sum(returned_upokt) FROM report.staking WHERE actor_type = 'validator'")" \
    '1|1000000000000' 'reference: a validator got its stake back, and stays'
whole=$(digest)
"$TIDEMARK" export "$test_dir/reference.jsonl" --data "$data" >/dev/null 2>&1
"$TIDEMARK" rollback 20 --data "$data" >/dev/null
checks 'reference: sums after a rollback'
"$TIDEMARK" replay --data "$data" "$test_dir/reference.jsonl" >/dev/null 2>&1
is "$(digest)" "$whole" 'reference: the same sums after replay'
cluster_stop reference

# --- under `standard` ----------------------------------------------------------------------------

# On a busy machine the traffic gives way to the node: the chain grows until there is enough of both.
run() { # BLOCKS: at least so many more, and twice as many transactions
    local up demo enough
    enough=$(sql "SELECT format('SELECT height >= %s AND (SELECT count(*) FROM ledger.transaction) >= %s FROM ledger.tip',
        t.height + $1, (SELECT count(*) FROM ledger.transaction) + 2 * $1) FROM ledger.tip t")
    waiting() { [ "$(sql "SELECT EXISTS (SELECT FROM ops.submission WHERE status = 'pending')")" = t ]; }
    far_enough() { [ "$(sql "$enough")" = t ]; }
    "$TIDEMARK" demo --data "$data" --keys deploy/localnet/keys >"$test_dir/demo" 2>&1 &
    demo=$!
    # the first block has something in it already
    wait_for 120 waiting
    "$TIDEMARK" up --data "$data" --keys deploy/localnet/keys --interval 0.05 >"$test_dir/up" 2>&1 &
    up=$!
    wait_for 600 far_enough
    ok $? "$1 blocks" "$(tail -n 5 "$test_dir/up")"
    kill $demo $up
    wait $demo
    wait $up
    ok $? 'up ends as asked' "$(tail -n 5 "$test_dir/up")"
}
data=$test_dir/standard
"$TIDEMARK" init --data "$data" --genesis deploy/localnet/genesis.json >/dev/null || exit 1
cluster_start standard
run 90
"$TIDEMARK" db readers allow --data "$data" >/dev/null
sql 'GRANT TEMP ON DATABASE tidemark TO tidemark_reader' >/dev/null

# bounds FEWEST KEPT MOST: those of ledger.large_balance from here on
bounds() {
    sql "CREATE OR REPLACE FUNCTION ledger.large_bounds(OUT fewest int, OUT kept int, OUT most int)
         LANGUAGE sql IMMUTABLE PARALLEL SAFE BEGIN ATOMIC SELECT $1, $2, $3; END"
}
tend='SELECT ledger.tend_large_balances(b.fewest, b.kept, b.most) FROM ledger.large_bounds() b'
# Few rows are kept, so that accounts come and go at the floor.
bounds 5 60 70
sql "$tend" >/dev/null
is "$(sql 'SELECT count(*) FROM ledger.large_balance')" 60 'the floor is lifted'
"$TIDEMARK" up --data "$data" --keys deploy/localnet/keys --interval 0.05 >"$test_dir/up" 2>&1 &
up=$!
before=$(tip)
wait_for 120 eval '[ "$(tip)" -gt $((before + 10)) ]'
node=$(pgrep -P $up -x tidemarkd)
kill -9 $up
wait $up 2>/dev/null
checks 'sums after kill -9'
# its node ends by itself, and keeps others away until then
ended() { [[ ! -e /proc/$node || $(cut -d ' ' -f 3 "/proc/$node/stat") == [ZX] ]]; }
wait_for 120 ended
ok $? 'the node ends too'
run 30
# All are kept, then fewer than one block moves: the node lifts the floor with that block.
bounds 100000 100000 100000
sql "$tend" >/dev/null
is "$(sql 'SELECT count(*) FROM ledger.large_balance')" "$(sql 'SELECT count(*) FROM ledger.account')" 'there is no floor'
bounds 1 2 3
run 30
# The table is put right one block late.
is "$(sql 'SELECT count(*) < 20 FROM ledger.large_balance')" t 'the floor is lifted by a block'
bounds 61 65 200
sql "$tend" >/dev/null
run 30
checks 'sums of all heights'
brute standard
is "$(sql_as reader "SELECT count(*) > 0 FROM ledger.tip t, generate_series(1, t.height) h, report.unbonding_at(h)")" t \
    'some were unbonding'
is "$(sql 'SELECT count(*) > 20, count(DISTINCT class) > 2 FROM ledger.large_balance_history')" 't|t' 'accounts came and went at the floor'

is "$(sql_as reader "SELECT count(*) > 5, count(*) FILTER (WHERE b.n IS DISTINCT FROM s.sessions), min(s.share) >= 0
        FROM report.session_load s
        FULL JOIN (SELECT c.chain, m.address, count(*) AS n
                   FROM ledger.tip t, state.application_at(t.height - t.height %
                       (SELECT value::bigint FROM state.param WHERE name = 'blocks_per_session')) a,
                       unnest(a.chains) c(chain), state.session_at(t.height, a.address, c.chain, '') m
                   WHERE a.status = 'staked' AND m.kind = 'servicer' GROUP BY 1, 2) b
            ON b.chain = s.relay_chain AND b.address = s.address
        WHERE s.sessions > 0 OR b.n > 0")" 't|0|t' 'session load is that of all sessions'
is "$(sql_as reader "SELECT count(*) FROM (SELECT * FROM report.session_load_at((SELECT height FROM ledger.tip), '0001')
        EXCEPT SELECT * FROM report.session_load WHERE relay_chain = '0001') d")" 0 'of one chain as of all'
is "$(sql_as reader "SELECT count(*) FROM report.session_load_at((SELECT height FROM ledger.tip), 'none')")" 0 \
    'nobody serves a chain that is none'

# --- damage is named -------------------------------------------------------------------------------

damaged() { # STATEMENT: what report.check says of height 50 after it
    sql BEGIN 'SET LOCAL session_replication_role = replica' "$1" \
        'SELECT c.report, c.item, c.column_name FROM report.check(50) c' ROLLBACK
}
is "$(damaged 'UPDATE ledger.block_total SET dao_upokt = dao_upokt + 1 WHERE height = 50')" \
    'block_total||dao_upokt' 'a changed sum'
is "$(damaged "INSERT INTO ledger.block_chain SELECT 50, 'ABCD', day, 1, 0, 1 FROM ledger.block_total WHERE height = 50" |
    sort -u | head -n 1)" 'block_chain|ABCD|day' 'a row too many'
like "$(damaged 'DELETE FROM ledger.block_total WHERE height = 50')" 'block_total\|\|account_upokt' 'a row that is missing'
like "$(sql BEGIN "UPDATE ledger.large_balance SET balance = balance + 1 WHERE address = (SELECT address FROM ledger.large_balance ORDER BY 1 DESC LIMIT 1)" \
    'SELECT c.report, c.column_name FROM report.check((SELECT height FROM ledger.tip)) c' ROLLBACK)" \
    'large_balance\|balance' 'a balance that is none'
is "$(sql BEGIN "UPDATE ledger.account SET balance = balance + 7 WHERE address = (SELECT address FROM ledger.account ORDER BY 1 DESC LIMIT 1)" \
    'SELECT c.report, c.column_name, c.computed::numeric - c.stored::numeric
     FROM report.check((SELECT height FROM ledger.tip)) c WHERE c.report = '"'block_total'" ROLLBACK)" \
    'block_total|account_upokt|7' 'a changed row'

# --- made late -------------------------------------------------------------------------------------

whole=$(digest)
half=$(($(tip) / 2))
"$TIDEMARK" export "$test_dir/standard.jsonl" --data "$data" >/dev/null 2>&1
"$TIDEMARK" rollback $half --data "$data" >/dev/null
checks 'sums after a rollback'
sql 'TRUNCATE ledger.block_total, ledger.block_message, ledger.block_stake, ledger.block_chain,
     ledger.large_balance, ledger.large_balance_history, ledger.large_floor' >/dev/null
"$TIDEMARK" replay --data "$data" "$test_dir/standard.jsonl" >/dev/null 2>&1
is "$(sql 'SELECT count(*) FROM ledger.block_total' 'SELECT count(*) FROM ledger.block_message' \
    'SELECT count(*) > 0 FROM ledger.large_balance' | tr '\n' ' ')" '0 0 t ' 'blocks go on where sums are missing'
is "$(sql 'SELECT ledger.fill_totals()')" $(($(tip) + 1)) 'they are made from the rows'
is "$(digest)" "$whole" 'and are the same'
checks 'sums made late'
is "$(sql_as reader "SELECT count(*) FROM report.richest_account_at($half, 20) r
        FULL JOIN (SELECT address, balance_upokt FROM state.account_at($half)
                   ORDER BY balance_upokt DESC, address LIMIT 20) b USING (address, balance_upokt)
        WHERE r.rank IS NULL OR b.address IS NULL")" 0 'before there was a list all accounts are read'

# --- labels ----------------------------------------------------------------------------------------

label() { # ROLE NAME: names the richest account
    sql_as "$1" 'SET default_transaction_read_only = off' \
        "INSERT INTO report.label (address, name, source) SELECT address, $2, 'test' FROM report.richest_account WHERE rank = 1"
}
for role in reader api node; do
    like "$(label $role "'x'")" 'permission denied' "tidemark_$role may not name"
done
sql 'GRANT tidemark_label TO tidemark_api' >/dev/null
is "$(label api "'Foundation'")" '' 'one with the role tidemark_label granted may'
is "$(sql_as reader 'SELECT label FROM report.richest_account WHERE rank = 1')" Foundation 'reports show it'
is "$(sql_as admin "UPDATE report.label SET name = 'Stiftung München'" 'SELECT name FROM report.label')" \
    'Stiftung München' 'an administrator may'
for name in "''" "NULL" "repeat('x', 65)" "E'a\\nb'" "' x'" "E'x\\u202ey'" "E'\\u200b'"; do
    like "$(label api "$name" | sed 's/duplicate key//')" 'ERROR:.*(check|null)' "no name: $name"
done
like "$(sql_as api 'SET default_transaction_read_only = off' "UPDATE report.label SET source = repeat('x', 201)")" 'check' 'a source too long'
like "$(sql_as api 'DROP TABLE report.label')" 'must be owner' 'nor more than names'
"$TIDEMARK" rollback $half --data "$data" >/dev/null
"$TIDEMARK" migrate --data "$data" >/dev/null
sql 'UPDATE ledger.migration SET sha256 = sha256($$$$) WHERE number = 0' >/dev/null
succeeds 'migrate' "$TIDEMARK" migrate --data "$data"
is "$(sql_as reader 'SELECT count(*) FROM report.label')" 1 'rollback and migrate keep it'
is "$(sql_as api 'SET default_transaction_read_only = off' 'DELETE FROM report.label RETURNING source')" test 'and away'
"$TIDEMARK" replay --data "$data" "$test_dir/standard.jsonl" >/dev/null 2>&1

# --- pruned, and bad input -------------------------------------------------------------------------

refuses() { # QUERY REGEX
    like "$(sql_as reader "$1")" "ERROR:.*$2" "refused: $1"
}
before=$(sql_as reader 'SELECT count(*) FROM report.supply')
"$TIDEMARK" prune --keep 40 --data "$data" >/dev/null
earliest=$(sql 'SELECT earliest FROM ledger.tip')
is "$(sql_as reader 'SELECT count(*) FROM report.supply')" "$before" 'sums of pruned heights stay'
is "$(digest)" "$whole" 'every one'
checks 'sums that can be checked' $((earliest + 1))
brute pruned
refuses "SELECT * FROM report.check($earliest)" "is pruned.*HINT:.*$((earliest + 1))"
refuses 'SELECT * FROM report.check(1)' 'is pruned.*HINT:'
refuses 'SELECT * FROM report.richest_account_at(1)' 'is pruned.*HINT:'
refuses "SELECT * FROM report.validator_uptime_between($earliest, $((earliest + 1)))" 'is pruned.*HINT:'
refuses 'SELECT * FROM report.unbonding_at(1)' 'is pruned'
refuses 'SELECT * FROM report.session_load_at(1)' 'is pruned'
for f in 'check(%s)' 'check_between(%s, %s)' 'richest_account_at(%s)' 'unbonding_at(%s)' \
    'session_load_at(%s)' 'validator_uptime_between(%s, %s)'; do
    refuses "SELECT * FROM report.${f//%s/NULL}" 'is NULL'
    refuses "SELECT * FROM report.${f//%s/99999}" 'above the tip.*HINT:'
    refuses "SELECT * FROM report.${f//%s/9223372036854775807}" 'above the tip'
    refuses "SELECT * FROM report.${f//%s/-1}" 'below the first block'
    refuses "SELECT * FROM report.${f//%s/\'1; --\'}" 'invalid input syntax'
done
last=$(tip)
refuses "SELECT * FROM report.check_between($last, $((last - 1)))" 'ends before it begins.*HINT:'
refuses "SELECT * FROM report.validator_uptime_between($last, $((last - 1)))" 'ends before it begins.*HINT:'
for n in 0 -1 NULL; do
    refuses "SELECT * FROM report.richest_account_at($last, $n)" 'one row or more'
    refuses "SELECT * FROM report.richest_account_day($n)" 'one day or more'
done
refuses "SELECT * FROM report.richest_account_at($last, 1001)" 'at most 1000.*HINT:'
refuses 'SELECT * FROM report.richest_account_day(3661)' 'at most 3660'
refuses "SELECT * FROM report.session_load_at($last, repeat('x', 2000))" 'longer than'
refuses "SELECT * FROM tidemark.session_load_at($last, NULL, NULL)" 'is NULL'
refuses "SELECT tidemark.certificate_signers('\\xff')" '[[:alpha:]]{3}'
refuses 'SELECT tidemark.certificate_signers(NULL)' 'is NULL'
refuses 'DELETE FROM report.supply' '[[:alpha:]]{3}'
refuses 'SELECT ledger.fill_totals()' 'permission denied'
refuses 'SELECT ledger.tend_large_balances(1, 2, 3)' 'permission denied'

done_testing
