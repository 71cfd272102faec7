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
