#!/usr/bin/env bash
# verify_block over the recorded chain: every block holds, and a change to any row that a block
# touched, to its tree nodes, its change list or its header is found. Sessions of that chain as well.
set -u
. tests/lib.sh

chain=tests/vectors/chain-a
cluster_start verify
"$TIDEMARK" init --data "$data" --genesis $chain/genesis.json --rules reference >/dev/null &&
    "$TIDEMARK" replay --data "$data" $chain/blocks.jsonl >/dev/null ||
    { echo 'Bail out! the recorded chain is not replayed'; exit 1; }

is "$(sql 'SELECT count(DISTINCT h), bool_and(v.ok) FROM generate_series(0, 59) h, tidemark.verify_block(h) v')" \
    '60|t' 'every block of the chain'
is "$(sql "SELECT count(*) FROM generate_series(0, 59) h,
               LATERAL (SELECT sum(leaves) FROM tidemark.verify_block(h) WHERE tree NOT IN ('block', 'transactions')) v(n),
               LATERAL (SELECT count(DISTINCT (tree, key)) FROM ledger.change c WHERE c.height = h AND tree <> 6) c(n)
           WHERE coalesce(v.n, 0) <> c.n")" 0 'all changed leaves are looked at'
is "$(sql 'SELECT count(*) FROM generate_series(0, 59) h, tidemark.verify_state(h) v WHERE NOT v.ok')" 0 \
    'every state of the chain'
is "$(sql "SET force_parallel_mode = regress" 'SELECT bool_and(ok) FROM tidemark.verify_block(22)')" t \
    'in a parallel worker'
for height in 60 -1 NULL; do
    like "$(sql "SELECT * FROM tidemark.verify_block($height)")" 'ERROR:' "no block $height"
done

# finds CHANGE TREE NAME: in a transaction that is rolled back, makes the change at some block and
# expects verify_block of the heights around it to report the tree.
finds() {
    local seen
    seen=$(sql 'BEGIN' 'SET LOCAL session_replication_role = replica' "$1" \
        "SELECT DISTINCT v.tree FROM generate_series(20, 24) h, tidemark.verify_block(h) v WHERE NOT v.ok")
    [[ $'\n'$seen$'\n' == *$'\n'$2$'\n'* ]]
    ok $? "$3" "reported: $seen"
}
touched="(SELECT key FROM ledger.change WHERE height = 22 AND tree = 4 ORDER BY key LIMIT 1)"
finds "WITH c AS (UPDATE ledger.account SET balance = balance + 1 WHERE address = $touched)
       UPDATE ledger.account_history SET balance = balance + 1
       WHERE address = $touched AND valid_from <= 22 AND valid_to > 22" account 'a balance'
finds "WITH c AS (DELETE FROM ledger.account WHERE address = $touched)
       DELETE FROM ledger.account_history WHERE address = $touched" account 'a row that is gone'
finds "UPDATE ledger.account_history SET balance = balance + 1 WHERE address = $touched AND valid_to = 22" account \
    'a balance before the block'
finds "WITH c AS (UPDATE ledger.ibc_entry SET value = value || '\\x00' WHERE valid_from = 22)
       UPDATE ledger.ibc_entry_history SET value = value || '\\x00' WHERE valid_from = 22" ibc 'an IBC value'
finds "UPDATE ledger.transaction SET tx = tx || '\\x00' WHERE height = 22" transactions 'the bytes of a transaction'
finds "UPDATE ledger.transaction SET tx = tx || '\\x00' WHERE height = 22" block 'against its hash'
finds "UPDATE ledger.transaction SET hash = sha256(hash) WHERE height = 22" block 'the hash of a transaction'
finds "DELETE FROM ledger.transaction WHERE height = 22 AND tx_index = 0" block 'a missing transaction'
finds "UPDATE ledger.block SET transactions = 3 WHERE height = 22" block 'the number of transactions'
finds "WITH c AS (UPDATE ledger.tree_node SET digest = sha256(digest) WHERE tree = 4 AND depth = 6)
       UPDATE ledger.tree_node_history SET digest = sha256(digest) WHERE tree = 4 AND depth = 6" account 'tree nodes'
finds "WITH c AS (DELETE FROM ledger.tree_node WHERE tree = 4)
       DELETE FROM ledger.tree_node_history WHERE tree = 4" account 'tree nodes that are gone'
finds "WITH c AS (DELETE FROM ledger.tree_node WHERE tree = 4 AND depth = 12)
       DELETE FROM ledger.tree_node_history WHERE tree = 4 AND depth = 12" account 'lower tree nodes'
finds "DELETE FROM ledger.change WHERE height = 22 AND tree = 4 AND key = $touched" account \
    'a key that the change list lacks'
finds "INSERT INTO ledger.change SELECT 22, 4, address, 0 FROM ledger.account
       WHERE address NOT IN (SELECT key FROM ledger.change WHERE height = 22 AND tree = 4) LIMIT 1" account \
    'a key that did not change'
finds "UPDATE ledger.block SET tree_roots[5] = sha256('') WHERE height = 22" block 'a root against the state hash'
finds "UPDATE ledger.block SET tree_roots[5] = sha256('') WHERE height = 22" account 'a root against the rows'
finds "UPDATE ledger.block SET state_hash = sha256('') WHERE height = 22" block 'the state hash'
finds "UPDATE ledger.block SET previous_state_hash = sha256('') WHERE height = 22" block 'the link'
finds "DELETE FROM ledger.block WHERE height = 21" block 'a missing block'
is "$(sql 'BEGIN' 'UPDATE ledger.tip SET earliest = 22' \
    'SELECT bool_and(ok), count(*) > 1 FROM tidemark.verify_block(22)')" 't|t' 'the earliest block kept'

# --- sessions ------------------------------------------------------------------------------------

psql -Xq -v ON_ERROR_STOP=1 <<'END' || { echo 'Bail out! no sessions'; exit 1; }
CREATE TABLE public.recorded (line jsonb);
\copy public.recorded FROM 'tests/vectors/chain-a/sessions.jsonl' (FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02')
CREATE FUNCTION public.members(height bigint, application text, chain text, zone text) RETURNS text[]
LANGUAGE plpgsql AS $$
BEGIN
    RETURN ARRAY(SELECT s.kind || ' ' || encode(s.address, 'hex')
                 FROM tidemark.session_at(height, decode(application, 'hex'), chain, zone) s
                 WHERE s.kind IS NOT NULL ORDER BY 1);
EXCEPTION WHEN OTHERS THEN
    RETURN ARRAY['refused'];
END $$;
CREATE VIEW public.compared AS
SELECT CASE WHEN (line->>'status')::int <> 200 THEN ARRAY['refused'] ELSE
    ARRAY(SELECT k.word || ' ' || (a->>'address')
          FROM (VALUES ('servicer', 'servicers'), ('fisherman', 'fishermen')) k(word, list),
              jsonb_array_elements(nullif(((line->>'response')::jsonb)->k.list, 'null')) a ORDER BY 1) END AS want,
    public.members((line->'request'->>'session_height')::bigint, line->'request'->>'app_address',
                   line->'request'->>'chain', line->'request'->>'geozone') AS have
FROM public.recorded
WHERE jsonb_typeof(line->'request') = 'object' AND line->'request'->>'app_address' IS NOT NULL;
END
is "$(sql 'SELECT count(*), count(*) FILTER (WHERE want IS DISTINCT FROM have) FROM public.compared')" '92|0' \
    'the recorded sessions, as sets, and the refusals'
is "$(sql "SELECT array_agg(draw ORDER BY draw) FROM tidemark.session_at(12,
               address('00101f2ff54811e84df2d767c661f57a06349b7e'), '0001', 'unused_geo') WHERE kind = 'servicer'")" \
    '{1,2,3}' 'draw order'
like "$(sql "SELECT * FROM tidemark.session_at(61, '\\x00', '0001', '')")" 'above the tip' 'two heights ahead'
like "$(sql "SELECT * FROM tidemark.session_at(60, '\\x00', '0001', '')")" 'no session' 'the next height is asked'

# --- admission -----------------------------------------------------------------------------------

like "$(sql "SELECT tidemark.check_tx(tx) FROM ledger.transaction WHERE height = 7 LIMIT 1")" 'CODE: 95,' \
    'a transaction that is in the chain'
like "$(sql "SELECT tidemark.check_tx('\\x00')")" 'CODE: 26,' 'garbage'
like "$(sql "SELECT tidemark.check_tx('')")" 'CODE: 30,' 'an empty transaction'

done_testing
