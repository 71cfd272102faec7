#!/usr/bin/env bash
# tree_root, and with it verify_state, by several processes: over the recorded chain, in every kind of
# transaction, over rows of the own transaction, with errors in workers; and amounts out of their
# stored form.
set -u
. tests/lib.sh

chain=tests/vectors/chain-a
cluster_start tree_root
"$TIDEMARK" init --data "$data" --genesis $chain/genesis.json --rules reference >/dev/null &&
    "$TIDEMARK" replay --data "$data" $chain/blocks.jsonl >/dev/null ||
    { echo 'Bail out! the recorded chain is not replayed'; exit 1; }

parallel='SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 2'
heights='(VALUES (0), (22), (59)) h(h)'
all="SELECT count(*), bool_and(v.ok) FROM $heights, tidemark.verify_state(h) v"

is "$(sql "$all")" '30|t' 'one process'
is "$(sql "$parallel" "$all")" '30|t' 'several processes'
is "$(sql_as reader "$parallel" "$all")" '30|t' 'as the reader'
is "$(sql "$parallel" 'SET max_parallel_workers = 0' "$all")" '30|t' 'no worker to be had'
is "$(sql "$parallel" 'SET force_parallel_mode = regress' 'SELECT bool_and(ok) FROM tidemark.verify_state(22)')" t \
    'in a parallel worker'
for mode in 'READ COMMITTED, READ ONLY' 'REPEATABLE READ' 'REPEATABLE READ, READ ONLY' 'SERIALIZABLE'; do
    is "$(sql "$parallel" "BEGIN ISOLATION LEVEL $mode" 'SELECT height FROM ledger.tip' \
        'SELECT bool_and(ok) FROM tidemark.verify_state(30)' | tail -1)" t "$mode"
done
is "$(sql "$parallel" 'BEGIN' 'DECLARE c CURSOR FOR SELECT (tidemark.tree_root(t::smallint, 22)).leaves > 0 FROM
        generate_series(0, 5) t' 'FETCH 2 FROM c' 'SAVEPOINT s' 'FETCH 2 FROM c' 'ROLLBACK TO s' 'CLOSE c')" \
    $'t\nt\nt\nt' 'from a cursor, through a savepoint'
is "$(sql "SELECT count(*) FROM generate_series(0, 9) t, tidemark.tree_root(t::smallint, 59) r, ledger.block b
           WHERE b.height = 59 AND r.root = b.tree_roots[t + 1]")" 10 'the roots themselves'
is "$(sql "SELECT (tidemark.tree_root(4::smallint, 59)).root = tidemark.smt_root(address, tidemark.encode_account(address, balance))
           FROM ledger.account")" t 'as smt_root over the same rows'

# Rows of the own transaction.
is "$(sql "$parallel" 'BEGIN' 'UPDATE ledger.account SET balance = balance + 1 WHERE address = (SELECT address FROM ledger.account LIMIT 1)' \
    'SELECT tree FROM tidemark.verify_state(59) WHERE NOT ok' 'ROLLBACK')" account 'a changed row is seen by all'
twice="WITH h AS (SELECT * FROM ledger.account_history WHERE valid_to - valid_from < 8 ORDER BY valid_to, address LIMIT 1)
    INSERT INTO ledger.account_history (address, valid_from, valid_to, class, balance)
    SELECT address, valid_from, valid_to + 8, 1, balance FROM h"
at="(SELECT valid_from FROM ledger.account_history_0 ORDER BY valid_to, address LIMIT 1)"
like "$(sql "$parallel" 'BEGIN' "$twice" "SELECT tidemark.tree_root(4::smallint, $at)")" \
    'ERROR:  a key occurs twice' 'two versions of one key'
is "$(sql "$parallel" 'BEGIN' "$twice" 'SAVEPOINT s' "DO \$\$ BEGIN
        PERFORM tidemark.tree_root(4::smallint, $at);
    EXCEPTION WHEN unique_violation THEN NULL; END \$\$" 'ROLLBACK' \
    'SELECT bool_and(ok) FROM tidemark.verify_state(59)')" t 'and the session goes on'
like "$(sql 'BEGIN' "$parallel" \
    "UPDATE ledger.account_history SET valid_to = 1000000, class = 5 WHERE (address, valid_to) =
        (SELECT address, valid_to FROM ledger.account_history WHERE valid_to > 22 AND valid_from <= 21
         ORDER BY valid_to, address LIMIT 1)" \
    'SELECT tidemark.tree_root(4::smallint, 59)')" 'ERROR:  a key occurs twice' 'a version that ends above the tip'

for bad in '10::smallint, 5' '-1::smallint, 5' '4::smallint, 60' '4::smallint, -1'; do
    like "$(sql "SELECT tidemark.tree_root($bad)")" 'ERROR:.*HINT:' "tree_root($bad)"
done

# Amounts are written from their stored form. The leaf without an address is 0x12, length, digits.
leaf="'\\x12'::bytea || set_byte('\\x00', 0, length(n::text)) || convert_to(n::text, 'UTF8')"
is "$(sql "SELECT count(*), count(*) FILTER (WHERE tidemark.encode_account('', n) IS DISTINCT FROM $leaf)
           FROM (SELECT sign * (10::numeric ^ k + d)::numeric(100, 0) AS n
                 FROM generate_series(0, 90) k, (VALUES (-1), (0), (1), (70000), (1234567)) d(d), (VALUES (1), (-1)) s(sign)) x")" \
    '910|0' 'powers of ten and their neighbours'
is "$(sql "SELECT count(*) FILTER (WHERE tidemark.encode_account('', n) IS DISTINCT FROM $leaf)
           FROM (SELECT (hashtextextended('n', i)::numeric * (i % 7919) * 10000 ^ (i % 4)::numeric)::numeric(100, 0) AS n
                 FROM generate_series(1, 20000) i) x")" 0 'any numbers'
for bad in 1.5 0.1 1.0 "'NaN'" "'Infinity'"; do
    like "$(sql "SELECT tidemark.encode_account('', $bad::numeric)")" 'ERROR:  balance is not a whole number' "balance $bad"
done

done_testing
