#!/usr/bin/env bash
# The columns that tidemark.diff compares stand in C (pg_extension/src/diff/diff_cells.c), those of
# tidemark.blame in sql/60_diff.sql: both must name the same, in the order of the view, and write them
# alike. Tried on rows with something in every column, and on rows with as little as a row can have.
. tests/lib.sh

chain=tests/vectors/localnet-standard
data=$test_dir/chain
"$TIDEMARK" init --data "$data" --genesis $chain/genesis.json >/dev/null
cluster_start chain
head -n 3 $chain/blocks.jsonl >"$test_dir/blocks"
succeeds 'two blocks' "$TIDEMARK" replay --data "$data" "$test_dir/blocks"

psql -Xq -v ON_ERROR_STOP=1 >"$test_dir/made" 2>&1 <<'SQL'
DO $$
DECLARE
    kind text;
BEGIN
    FOREACH kind IN ARRAY '{application,validator,fisherman,servicer}'::text[] LOOP
        EXECUTE format($insert$
            INSERT INTO ledger.%I (address, valid_from, public_key, output_address, stake, stake_text,
                service_url, chains, paused_height, unstaking_height)
            VALUES ('full', 2, '\x00ff', '\x7f', 12345678901234567890, '0012', 'https://x.example:1',
                    '{0001,"a,b"}', 1, 20),
                   ('bare', 2, '', '', 0, NULL, '', '{}', -1, -1) $insert$, kind);
    END LOOP;
END $$;
INSERT INTO ledger.account VALUES ('full', 2, 1e40), ('bare', 2, 0);
INSERT INTO ledger.pool VALUES ('full', 2, 1e40), ('bare', 2, 0);
INSERT INTO ledger.param VALUES ('full', 2, E'\u00e9\t"'), ('bare', 2, '');
INSERT INTO ledger.flag VALUES ('full', 2, E'\u00e9\t"', true), ('bare', 2, '', false);
INSERT INTO ledger.ibc_entry VALUES (sha256('full'), 2, 'full', '\x00ff'), (sha256('bare'), 2, 'bare', '');
-- By a rule of the block's end, which is taken to have written all of the row.
INSERT INTO ledger.change
SELECT 2, v.tree, CASE WHEN v.tree = 9 THEN sha256(k.key) ELSE k.key END, 1000001
FROM ledger.versioned v, (VALUES ('full'::bytea), ('bare')) k(key) WHERE v.tree IS NOT NULL;
SQL
ok $? 'two rows of each kind, by hand' "$(cat "$test_dir/made")"

cells='op, column_name, from_value IS NULL, to_value'
for view in $(sql 'SELECT name FROM ledger.versioned WHERE tree IS NOT NULL ORDER BY tree'); do
    for key in full bare; do
        is "$(sql "SELECT $cells FROM tidemark.diff('$view', 1, 2) WHERE key = '$key'")" \
            "$(sql "SELECT $cells FROM tidemark.blame('$view', '$key'::bytea)")" \
            "$view: diff and blame write the $key row alike"
    done
    # What the leaf of a kind does not hold is NULL in its view.
    is "$(sql "SELECT column_name FROM tidemark.diff('$view', 1, 2) WHERE key = 'full' AND column_name <> 'stake_text'")" \
        "$(sql "SELECT attname FROM pg_attribute
                WHERE attrelid = 'state.$view'::regclass AND attnum > 0 AND attname NOT LIKE '%\_pokt'
                    AND attname NOT IN ('address', 'name', 'key', 'status', 'height', 'valid_from')
                    AND ('$view', attname) NOT IN (('application', 'service_url'), ('validator', 'chains'))
                ORDER BY attnum")" \
        "$view: the stored columns of the view, in its order"
done
done_testing
