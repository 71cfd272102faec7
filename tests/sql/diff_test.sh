#!/usr/bin/env bash
# Differences between heights found in two ways, blame, balance changes that add up, explained
# sessions, leaders and signatures: as properties over the recorded chain of the reference and over a
# chain of 200 heights or more under `standard`, and with bad input through the role of readers.
set -u
. tests/lib.sh

# properties NAME: diff_property.sql on the current database, one test a line
properties() {
    local property counted violations
    psql -XqAt -v ON_ERROR_STOP=1 -f tests/sql/diff_property.sql >"$test_dir/$1.out" 2>"$test_dir/$1.err"
    ok $? "$1: the properties are counted" "$(cat "$test_dir/$1.err")"
    is "$(wc -l <"$test_dir/$1.out")" 13 "$1: all of them"
    while IFS='|' read -r property counted violations; do
        [ "$counted" -gt 0 ] && [ "$violations" -eq 0 ]
        ok $? "$1: $property" "$violations of $counted do not hold"
    done <"$test_dir/$1.out"
}

# --- under `reference` ---------------------------------------------------------------------------

chain=tests/vectors/chain-a
cluster_start reference
"$TIDEMARK" init --data "$data" --genesis $chain/genesis.json --rules reference >/dev/null &&
    "$TIDEMARK" replay --data "$data" $chain/blocks.jsonl >/dev/null ||
    { echo 'Bail out! the recorded chain is not replayed'; exit 1; }
properties reference

is "$(sql "SELECT string_agg(DISTINCT reason, ' ' ORDER BY reason) FROM chain.balance_change")" \
    'genesis net transaction unbonding' 'reasons under reference'
is "$(sql "SELECT count(*) FROM (SELECT 1 FROM chain.balance_change GROUP BY height, kind, address
           HAVING count(*) > 1) d")" 0 'one row for each balance and height'
is "$(sql "SELECT count(*), count(from_value), count(to_value) FROM tidemark.blame('account',
               (SELECT address FROM chain.balance_change WHERE reason = 'net' AND kind = 'account'
                ORDER BY height LIMIT 1)) b
           WHERE (SELECT count(*) FROM ledger.change c WHERE c.height = b.height AND c.tree = 4
                  AND c.key = (SELECT address FROM chain.balance_change WHERE reason = 'net'
                               AND kind = 'account' ORDER BY height LIMIT 1)) > 1
           GROUP BY b.height ORDER BY b.height LIMIT 1" | awk -F'|' '{print ($1 > $2 && $1 > $3)}')" 1 \
    'what the steps of one block do not tell is NULL in between'
is "$(sql 'SELECT count(*), count(DISTINCT validator) FROM chain.validator_signature WHERE height = 22')" '3|3' \
    'who signed a recorded block'
is "$(sql 'SELECT count(*) FROM chain.validator_signature s JOIN chain.block b USING (height) WHERE s.validator = b.proposer')" \
    0 'never its proposer'

# Both ways see a change to what they read, each to its own.
sees() { # CHANGE: rows that diff has more, and the walk has more, between 20 and 30
    sql BEGIN 'SET LOCAL session_replication_role = replica' "$1" "
        SELECT count(*) FILTER (WHERE w.key IS NULL) || ' ' || count(*) FILTER (WHERE l.key IS NULL)
        FROM (SELECT DISTINCT key, op FROM tidemark.diff('account', 20, 30)) l
        FULL JOIN tidemark.diff_tree('account', 20, 30) w USING (key, op)"
}
touched="(SELECT key FROM ledger.change WHERE height = 22 AND tree = 4 ORDER BY key LIMIT 1)"
is "$(sees "SELECT FROM ledger.tip WHERE false")" '0 0' 'both find the same'
is "$(sees "DELETE FROM ledger.change WHERE height > 20 AND height <= 30 AND tree = 4 AND key = $touched" | tail -1)" \
    '0 1' 'a row that the list of changes lacks is found by the walk'

# --- under `standard` ----------------------------------------------------------------------------

data=$test_dir/standard
"$TIDEMARK" init --data "$data" --genesis deploy/localnet/genesis.json >/dev/null || exit 1
cluster_start standard
"$TIDEMARK" up --data "$data" --keys deploy/localnet/keys --interval 0.05 >"$test_dir/up" 2>&1 &
up=$!
"$TIDEMARK" demo --data "$data" --keys deploy/localnet/keys >"$test_dir/demo" 2>&1 &
demo=$!
# On a busy machine the traffic gives way to the node: the chain grows until there is enough of both.
far_enough() {
    [ "$(sql 'SELECT t.height >= 200 AND (SELECT count(DISTINCT x.height) >= 130 FROM ledger.transaction x) FROM ledger.tip t')" = t ]
}
wait_for 600 far_enough
ok $? 'a chain of 200 blocks under standard, with transactions in most' "$(tail -n 5 "$test_dir/up")"
kill $demo $up
wait $demo
wait $up
ok $? 'up ends as asked' "$(tail -n 5 "$test_dir/up")"
properties standard

is "$(sql "SELECT string_agg(DISTINCT reason, ' ' ORDER BY reason) FROM chain.balance_change")" \
    'edit_stake fee genesis rewards send stake unbonding' 'reasons under standard'
is "$(sql "SELECT count(*) FROM chain.balance_change WHERE (tx_index IS NULL) <> (reason IN ('genesis', 'rewards', 'unbonding'))
               OR (tx_index IS NULL) <> (hash IS NULL) OR delta_pokt * 1000000 <> delta_upokt")" 0 \
    'a transaction is named where there was one'
is "$(sql "SELECT count(*) > 100, count(*) FILTER (WHERE f.sum IS DISTINCT FROM -c.delta_upokt)
           FROM chain.balance_change c
           JOIN (SELECT height, sum(delta_upokt) FROM chain.balance_change
                 WHERE reason = 'fee' AND kind = 'pool' GROUP BY height) f USING (height)
           WHERE c.reason = 'rewards' AND c.delta_upokt < 0")" 't|0' 'the block'"'"'s end shares out its fees'
is "$(sql "SELECT count(*) FROM chain.balance_change c JOIN chain.transaction t USING (height, tx_index)
           WHERE t.result_code <> 0 AND c.reason <> 'fee'")" 0 'what failed costs its fee alone'
# Parameters that changed inside a block are in force for the transactions after.
is "$(sql "SELECT count(DISTINCT delta_upokt) > 10 FROM chain.balance_change
           WHERE reason = 'fee' AND kind = 'pool'")" t 'fees change on the way'
several="(SELECT (array_agg(key))[1] FROM (SELECT key FROM ledger.change WHERE tree = 4
          GROUP BY height, key HAVING count(*) > 2 ORDER BY height LIMIT 1) k)"
is "$(sql "SELECT count(*) > 2, bool_and(from_value IS NOT NULL AND to_value IS NOT NULL)
           FROM (SELECT b.*, count(*) OVER (PARTITION BY height) FROM tidemark.blame('account', $several) b) b
           WHERE count > 2")" 't|t' 'several steps in one height, each with its values'
is "$(sql "SELECT string_agg(DISTINCT step, ' ' ORDER BY step) FROM tidemark.blame('pool', 'DAO')")" \
    'genesis rewards' 'a pool by its name'
is "$(sql "SELECT count(*) > 0 FROM tidemark.blame('application', (SELECT v.address FROM history.application v
               WHERE v.unstaking_height IS NOT NULL AND v.valid_to IS NOT NULL ORDER BY valid_to LIMIT 1))
           WHERE op = 'delete' AND step = 'unbonding' AND to_value IS NULL AND signer IS NULL")" t \
    'an application that left, by the rule of the block'"'"'s end'
is "$(sql "SELECT b.signer = t.signer FROM tidemark.blame('param', 'blocks_per_session') b
           JOIN chain.transaction t USING (hash) WHERE b.column_name = 'value' ORDER BY b.height LIMIT 1")" t \
    'a parameter: who changed it'
is "$(sql "SELECT count(*), count(DISTINCT address) FROM generate_series(0, 3) r(round), state.leader(r.round)")" \
    '4|4' 'four rounds, four leaders'
is "$(sql 'SET tidemark.height = 7' 'SELECT signs_height, height FROM state.leader(9223372036854775807)')" '8|7' \
    'a round as large as can be'
is "$(sql "SELECT count(*) FROM tidemark.certificate_signatures(
               (SELECT certificate FROM ledger.block WHERE height = 9), NULL, NULL, 'standard') WHERE valid IS NULL")" 4 \
    'without a set nothing is said of validity'
is "$(sql "SELECT string_agg(s.valid::text, ' ' ORDER BY s.place) FROM ledger.block b, (
               SELECT array_agg(CASE WHEN member = 1 THEN sha256(address) ELSE address END) AS addresses,
                   array_agg(CASE WHEN member = 2 THEN sha256(public_key) ELSE public_key END) AS keys
               FROM state.validator_set_at(8)) v,
               tidemark.certificate_signatures(b.certificate, v.addresses, v.keys, 'standard') s
           WHERE b.height = 9")" 'true false false true' 'one who is no member, one with another key'
is "$(sql BEGIN "UPDATE ledger.block SET state_hash = sha256('') WHERE height = 9" \
    'SELECT bool_or(valid) FROM chain.validator_signature WHERE height = 9')" f 'signatures over another block'

# --- rows as they are asked for, against all of them at once ---------------------------------------

off='SET tidemark.enable_diff_scan = off'
SEED=${SEED:-$(awk 'BEGIN {srand(); print rand()}')}
echo "# SEED=$SEED"
sql "SELECT setseed($SEED)" 'CREATE SCHEMA model' \
    'CREATE TABLE model.pair AS SELECT floor(random() * 200)::bigint AS h1, floor(random() * 200)::bigint AS h2
     FROM generate_series(1, 6) UNION ALL VALUES (0, 200), (200, 0), (7, 7)' \
    "CREATE TABLE model.view AS SELECT unnest(ARRAY['account', 'pool', 'application', 'servicer', 'fisherman',
         'validator', 'param', 'flag', 'ibc_entry']) AS name" 'ANALYZE model.pair, model.view' >/dev/null
scan='Custom Scan \(Tidemark differences\)'
# same_rows QUERY NAME [STATEMENT…]: the same rows in the same order where the scan is off
same_rows() {
    local found
    found=$(sql "${@:3}" "$1" | tee "$test_dir/found" | md5sum)
    is "$found" "$(sql "${@:3}" "$off" "$1" | md5sum)" "$2"
    unlike "$(grep -E '^(ERROR|WARNING)' "$test_dir/found")" . "$2: without complaints"
}
# same QUERY NAME [STATEMENT…]: and the scan is in the plan
same() {
    same_rows "$@"
    like "$(sql "${@:3}" "EXPLAIN (COSTS OFF) $1")" "$scan" "$2: one scan"
    unlike "$(sql "${@:3}" "$off" "EXPLAIN (COSTS OFF) $1")" "$scan" "$2: none where it is off"
}
# other QUERY NAME: left to the function
other() {
    same_rows "$@"
    unlike "$(sql "EXPLAIN (COSTS OFF) $1")" "$scan" "$2: no scan"
}
all="tidemark.diff('account', 0, 200)"
is "$(sql "SELECT count(DISTINCT v.name) > 5 FROM model.view v, model.pair p, tidemark.diff(v.name, p.h1, p.h2)")" t \
    'most views differ'
for view in $(sql 'SELECT name FROM model.view'); do
    same "SELECT p.*, d.* FROM model.pair p, tidemark.diff('$view', p.h1, p.h2) d" "$view, random heights"
done
same 'SELECT v.name, p.*, d::text FROM model.view v, model.pair p, LATERAL tidemark.diff(v.name, p.h1, p.h2) d' 'arguments of other tables'
same "SELECT p.h1, d.name, d.op FROM model.pair p LEFT JOIN LATERAL tidemark.diff('pool', p.h1, 100) d ON d.op = 'update'" 'an outer join'
like "$(sql "EXPLAIN (COSTS OFF) SELECT * FROM $all")" "View: ledger.versioned_name\('account'::text\).*From: '0'::bigint.*To: '200'::bigint" \
    'a plan says what it compares'
same "SELECT * FROM $all LIMIT 7" 'a LIMIT'
same "SELECT * FROM $all OFFSET 5 LIMIT 1" 'an OFFSET'
same "SELECT count(*) FROM $all" 'no column'
same "SELECT message_type, from_value, key FROM $all" 'columns in another order'
same "SELECT hash FROM $all WHERE op = 'update' AND from_value::numeric > to_value::numeric AND height > 20" 'conditions'
same_rows "SELECT * FROM $all WHERE now() < '2000-01-01'" 'a condition known before'
same "SELECT step, op, count(*), sum(to_value::numeric - from_value::numeric) FROM $all GROUP BY GROUPING SETS ((step), (op), ()) ORDER BY 1, 2" 'grouped'
same "SELECT key FROM $all ORDER BY key DESC, height LIMIT 9" 'ordered'
same "SELECT key, op FROM $all UNION ALL SELECT key, op FROM tidemark.diff('pool', 200, 0)" 'in a UNION'
same "WITH d AS MATERIALIZED (SELECT * FROM $all) SELECT a.key, b.op FROM d a JOIN d b USING (key)" 'in a WITH'
same "SELECT a.address, (SELECT count(*) FROM $all d WHERE d.key = a.address) FROM state.account a ORDER BY 1 LIMIT 20" 'read again under a condition'
same "SELECT p.h1, (SELECT count(*) FROM tidemark.diff_rows('account', p.h1, (SELECT min(q.h2) FROM model.pair q WHERE q.h1 >= p.h1)))
      FROM model.pair p" 'an argument that a query gives'
for join in 'SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_material = off' \
    'SET enable_hashjoin = off; SET enable_nestloop = off' 'SET enable_nestloop = off' \
    'SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET force_parallel_mode = on'; do
    same "SELECT x.key, x.op, y.op FROM tidemark.diff('servicer', 0, 100) x JOIN tidemark.diff('servicer', 100, 200) y
          USING (key, column_name) ORDER BY 1, 2, 3" "joined, $join" "$join"
done
rows="tidemark.diff_rows('account', 0, 200)"
same "SELECT * FROM $rows" 'the function of the extension'
same "SELECT x.a, x.c FROM $rows x(a, b, c)" 'other names'
other "SELECT x FROM $rows x" 'whole rows'
other "SELECT * FROM $rows WITH ORDINALITY" 'numbered rows'
other "SELECT * FROM ROWS FROM (tidemark.diff_rows('account', 0, 200), generate_series(1, 3))" 'beside another function'
other "SELECT tidemark.diff_rows('account', 0, 200)" 'outside FROM'
other "SELECT key FROM $all, model.view v WHERE v.name = 'pool' FOR UPDATE OF v" 'rows that are locked'
same_rows "UPDATE model.view v SET name = v.name FROM tidemark.diff('pool', 0, 200) d WHERE d.name = v.name RETURNING d.op" 'beside a table that is changed'

# --- cursors, snapshots, rights

cursor() { # KIND QUERY STATEMENT…: the output of statements on cursor c
    sql BEGIN "DECLARE c $1 FOR $2" "${@:3}" COMMIT
}
is "$(cursor CURSOR "SELECT * FROM $all" 'FETCH 3 FROM c' 'FETCH 4 FROM c' 'CLOSE c')" "$(sql "$off" "SELECT * FROM $all LIMIT 7")" \
    'a cursor in pieces, closed early'
is "$(cursor CURSOR "SELECT * FROM $all" 'FETCH 2 FROM c')" "$(sql "$off" "SELECT * FROM $all LIMIT 2")" 'left open'
is "$(cursor 'SCROLL CURSOR' "SELECT key, op FROM $all" 'MOVE 5 FROM c' 'FETCH BACKWARD 3 FROM c' 'FETCH ABSOLUTE 2 FROM c' 'FETCH LAST FROM c')" \
    "$(sql "$off" BEGIN "DECLARE c SCROLL CURSOR FOR SELECT key, op FROM $all" 'MOVE 5 FROM c' 'FETCH BACKWARD 3 FROM c' 'FETCH ABSOLUTE 2 FROM c' 'FETCH LAST FROM c')" \
    'a cursor goes back'
is "$(cursor 'CURSOR WITH HOLD' "SELECT * FROM $all" 'FETCH 2 FROM c' COMMIT 'FETCH 2 FROM c' 'CLOSE c' 2>&1 | grep -v WARNING)" \
    "$(sql "$off" "SELECT * FROM $all LIMIT 4")" 'a cursor outlives its transaction'
is "$(cursor CURSOR "SELECT * FROM $all" 'SAVEPOINT s' 'FETCH 2 FROM c' 'ROLLBACK TO s' 'FETCH 2 FROM c')" \
    "$(sql "$off" "SELECT * FROM $all LIMIT 4")" 'begun in a subtransaction that is taken back'
is "$(cursor CURSOR "SELECT key, from_value, to_value FROM $all" 'FETCH 1 FROM c' 'SET LOCAL session_replication_role = replica' \
    'UPDATE ledger.account SET balance = balance + 1' 'FETCH ALL FROM c' | sort | md5sum)" \
    "$(sql "$off" "SELECT key, from_value, to_value FROM $all" | sort | md5sum)" 'a cursor keeps its snapshot'
is "$(cursor CURSOR "SELECT key, from_value, to_value FROM $all" 'SET LOCAL session_replication_role = replica' \
    'UPDATE ledger.account SET balance = balance + 1' 'FETCH ALL FROM c' ROLLBACK 2>&1 | grep -v WARNING | md5sum)" \
    "$(sql "$off" "SELECT key, from_value, to_value FROM $all" | md5sum)" 'that of its opening'
is "$(sql BEGIN 'SET LOCAL session_replication_role = replica' 'UPDATE ledger.account SET balance = balance + 1' \
    "SELECT md5(string_agg(d::text, '')) FROM $all d" "$off" "SELECT md5(string_agg(d::text, '')) FROM $all d" ROLLBACK | uniq | wc -l)" 1 \
    'what its own transaction wrote'
is "$(cursor CURSOR "SELECT * FROM $all" 'MOVE 1 FROM c' 'CLOSE c' \
    "SELECT count(*) > 0 FROM pg_locks WHERE pid = pg_backend_pid() AND relation = 'ledger.account_history_0'::regclass")" t \
    'tables stay as they are until the end of the transaction'
prepared() { # STATEMENT…: a plan that is kept, under other arguments
    sql "$@" 'SET plan_cache_mode = force_generic_plan' \
        'PREPARE p(text, bigint, bigint) AS SELECT * FROM tidemark.diff($1, $2, $3)' "EXECUTE p('account', 10, 30)" \
        "EXECUTE p('params', 200, 0)" "EXECUTE p('pool', 3, 3)" "EXECUTE p('pool', 3, 9)"
}
is "$(prepared | md5sum)" "$(prepared "$off" | md5sum)" 'a prepared statement'
like "$(sql 'SET plan_cache_mode = force_generic_plan' 'PREPARE p(bigint) AS SELECT * FROM tidemark.diff('"'account'"', $1, 9)' 'EXPLAIN EXECUTE p(3)')" \
    "$scan.*From: \\\$1" 'a plan that is kept has the scan'
# shellcheck disable=SC2016
body='DECLARE r record; n int := 0; bad int := 0; seen text := '"''"';
    BEGIN
        FOR r IN SELECT * FROM tidemark.diff('"'account'"', 0, 200) LOOP
            n := n + 1;
            BEGIN
                seen := seen || r::text;
                IF n % 3 = 0 THEN PERFORM 1 / 0; END IF;
                IF n % 5 = 0 THEN PERFORM count(*) FROM tidemark.diff('"'account'"', 5, 9999); END IF;
            EXCEPTION WHEN division_by_zero OR numeric_value_out_of_range THEN bad := bad + 1;
            END;
            EXIT WHEN n = 20;
        END LOOP;
        RAISE NOTICE '"'% % %'"', n, bad, md5(seen);
    END'
is "$(sql "DO \$\$ $body \$\$")" "$(sql "$off" "DO \$\$ $body \$\$")" 'in a loop with subtransactions that fail'
like "$(sql "DO \$\$ $body \$\$")" 'NOTICE:  20 9 ' 'as many as there should be'

sql 'CREATE ROLE guest' 'GRANT USAGE ON SCHEMA tidemark, ledger TO guest' 'GRANT SELECT ON ALL TABLES IN SCHEMA ledger TO guest' \
    'REVOKE EXECUTE ON FUNCTION tidemark.diff_rows(text, bigint, bigint) FROM PUBLIC' >/dev/null
for statement in "$off" "SET tidemark.enable_diff_scan = on"; do
    like "$(sql 'SET ROLE guest' "$statement" "SELECT count(*) FROM $all")" 'permission denied for function diff_rows' "not allowed: $statement"
    like "$(sql 'SET ROLE guest' "$statement" "EXPLAIN SELECT count(*) FROM $all")" 'permission denied for function diff_rows' "not its plan: $statement"
done
sql 'GRANT EXECUTE ON FUNCTION tidemark.diff_rows(text, bigint, bigint) TO PUBLIC' >/dev/null
is "$(sql 'SET ROLE guest' "SELECT count(*) FROM $all")" "$(sql "SELECT count(*) FROM $all")" 'allowed'
sql 'REVOKE SELECT ON ledger.account_history_3 FROM guest' >/dev/null
like "$(sql 'SET ROLE guest' "SELECT count(*) FROM $all")" 'permission denied for table account_history_3' 'its tables are asked for'
for arguments in "NULL, 1, 2" "'none', 1, 2" "'account', NULL, 2" "'account', 1, NULL" "'account', 1, 9999" "'account', -1, 1" "'transaction', 1, 2" \
    "'account', (SELECT h1 + 9999 FROM model.pair LIMIT 1), 2"; do
    for f in diff diff_rows; do
        is "$(sql "SELECT * FROM tidemark.$f($arguments)")" "$(sql "$off" "SELECT * FROM tidemark.$f($arguments)")" "$f($arguments)"
    done
done
same_rows "SELECT count(*) FROM model.pair p CROSS JOIN LATERAL tidemark.diff('account', p.h1, NULL) d WHERE p.h1 < 0" 'arguments are looked at when rows are asked for'

# --- bad input, through the role of readers --------------------------------------------------------

"$TIDEMARK" db readers allow --data "$data" >/dev/null
refuses() { # QUERY REGEX
    like "$(sql_as reader "$1")" "ERROR:.*$2" "refused: $1"
}
is "$(sql_as reader "SELECT count(*) > 0 FROM tidemark.diff('account', 100, 110)" \
    "SELECT count(*) > 0 FROM tidemark.diff_tree('account', 100, 110)" \
    "SELECT count(*) > 0 FROM tidemark.blame('pool', 'DAO')" \
    'SELECT count(*) > 0 FROM chain.balance_change WHERE height > 90' \
    'SELECT count(*) > 0 FROM chain.validator_signature WHERE height = 100' \
    'SELECT count(*) FROM state.leader(0)' | tr '\n' ' ')" 't t t t t 1 ' 'readers may'
for view in "'no_such'" "''" "'tree_node'" "'supply'" "'account; DROP TABLE ledger.tip'" "repeat('x', 100000)"; do
    refuses "SELECT * FROM tidemark.diff($view, 1, 2)" 'there is no versioned view.*HINT:'
    refuses "SELECT * FROM tidemark.diff_tree($view, 1, 2)" '(there is no tree.*HINT:|longer than)'
    refuses "SELECT * FROM tidemark.blame($view, ''::bytea)" 'there is no versioned view.*HINT:'
done
for f in diff diff_tree; do
    refuses "SELECT * FROM tidemark.$f(NULL, 1, 2)" 'is NULL'
    refuses "SELECT * FROM tidemark.$f('account', NULL, 2)" 'the height is NULL'
    refuses "SELECT * FROM tidemark.$f('account', 1, NULL)" 'the height is NULL'
    refuses "SELECT * FROM tidemark.$f('account', 1, 9999)" 'above the tip.*HINT:'
    refuses "SELECT * FROM tidemark.$f('account', 9223372036854775807, 1)" 'above the tip'
    refuses "SELECT * FROM tidemark.$f('account', -1, 1)" 'below the first block'
    refuses "SELECT * FROM tidemark.$f('account', '1; --', 1)" 'invalid input syntax'
done
refuses "SELECT * FROM tidemark.blame('account', NULL::bytea)" 'the key is NULL'
refuses "SELECT * FROM tidemark.blame('account', NULL::text)" 'the key is NULL'
refuses "SELECT * FROM tidemark.blame('account', 'zz')" 'hexadecimal'
refuses "SELECT * FROM tidemark.blame('param', '\\xff'::bytea)" 'invalid byte sequence'
refuses "SELECT * FROM tidemark.blame('account', convert_to(repeat('x', 5000000), 'UTF8'))" 'longer than 4194304'
is "$(sql_as reader "SELECT count(*) FROM tidemark.blame('account', '\\x00'::bytea)")" 0 'no such account: no row'
refuses 'SELECT * FROM state.leader(-1)' 'below 0'
refuses 'SELECT * FROM state.leader(NULL)' 'is NULL'
refuses 'SELECT * FROM state.leader_at(NULL, 0)' 'the height is NULL'
refuses 'SELECT * FROM state.leader_at(9999, 0)' 'above the tip'
refuses "SELECT * FROM tidemark.explain_session(NULL, '0001', '')" 'the application is NULL'
refuses "SELECT * FROM tidemark.explain_session('\\x00', NULL, '')" 'the relay chain is NULL'
refuses "SELECT * FROM tidemark.explain_session('\\x00', '0001', NULL)" 'the geo zone is NULL'
refuses "SELECT * FROM tidemark.explain_session('\\x00', '0001', '')" 'no session'
refuses "SELECT * FROM tidemark.explain_session_at(9999, '\\x00', '0001', '')" 'above the tip'
refuses "SELECT * FROM tidemark.explain_session_at(NULL, '\\x00', '0001', '')" 'the height is NULL'
refuses "SELECT * FROM tidemark.certificate_signatures('\\xff', NULL, NULL, 'standard')" '[[:alpha:]]{3}'
refuses "SELECT * FROM tidemark.certificate_signatures(NULL, NULL, NULL, 'standard')" 'the certificate is NULL'
refuses "SELECT * FROM tidemark.certificate_signatures('', NULL, NULL, 'none')" 'no such rule set'
refuses "SELECT * FROM tidemark.certificate_signatures('', ARRAY['\\x00'::bytea], '{}', 'standard')" 'public keys'
refuses 'DELETE FROM chain.balance_change' '[[:alpha:]]{3}'

# --- pruned --------------------------------------------------------------------------------------

sql 'UPDATE ledger.tip SET earliest = 100' >/dev/null
for f in diff diff_tree; do
    refuses "SELECT * FROM tidemark.$f('account', 99, 150)" 'is pruned.*HINT:.*100'
    refuses "SELECT * FROM tidemark.$f('account', 150, 99)" 'is pruned.*HINT:.*100'
done
refuses 'SELECT * FROM state.leader_at(99, 0)' 'is pruned'
refuses "SELECT * FROM tidemark.explain_session_at(99, '\\x00', '0001', '')" 'is pruned'
is "$(sql_as reader "SELECT min(height) FROM tidemark.blame('pool', 'DAO')")" \
    "$(sql "SELECT min(height) FROM ledger.change WHERE tree = 5 AND key = ledger.pool_address('DAO') AND height > 100")" \
    'blame begins where states are kept'
is "$(sql_as reader "SELECT count(*), count(*) FILTER (WHERE c.sum IS DISTINCT FROM a.balance_upokt)
           FROM state.account_at(150) a
           LEFT JOIN (SELECT address, sum(delta_upokt) FROM chain.balance_change
                      WHERE kind = 'account' AND height <= 150 GROUP BY address) c USING (address)
           WHERE a.balance_upokt <> 0" | sed 's/^[1-9][0-9]*|/some|/')" 'some|0' \
    'balance changes begin with what there was'
is "$(sql_as reader "SELECT DISTINCT reason FROM chain.balance_change WHERE height <= 100")" opening 'and say so'
is "$(sql_as reader "SELECT string_agg(DISTINCT coalesce(valid::text, 'unknown'), ' ') FROM chain.validator_signature WHERE height = 100")" \
    unknown 'signatures whose set is pruned'
is "$(sql_as reader "SELECT bool_and(valid) FROM chain.validator_signature WHERE height = 101")" t 'the first whose set is kept'

done_testing
