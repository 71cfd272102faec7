#!/usr/bin/env bash
# tidemark.restore_rows, the writes of a rollback: every pair of the recorded chain and of random
# histories, back to many heights, by both ways of finding what later blocks wrote, in batches; what is
# refused.
#
#   SEED   repeats a run (a number between -1 and 1)
set -u
. tests/lib.sh
SEED=${SEED:-$(awk 'BEGIN {srand(); print rand()}')}
echo "# SEED=$SEED"
chain=tests/vectors/chain-a

# --- the recorded chain ----------------------------------------------------------------------------

cluster_start recorded
"$TIDEMARK" init --data "$data" --genesis $chain/genesis.json --rules reference >/dev/null &&
    "$TIDEMARK" replay --data "$data" $chain/blocks.jsonl >/dev/null &&
    psql -Xq -f tests/sql/restore_rows.sql ||
    { echo 'Bail out! the recorded chain is not replayed'; exit 1; }
before=$(sql "SELECT string_agg(public.digest(format('SELECT * FROM ledger.%I', name)), ' ' ORDER BY name)
              FROM ledger.versioned")
is "$(sql 'SELECT public.all_wrong(ARRAY[0, 1, 8, 30, 51, 58, 59])')" '' 'every pair of the recorded chain'
is "$(sql "SELECT public.restore_wrong('tree_node', h, true, 5) FROM generate_series(0, 59) h" | grep .)" '' \
    'tree nodes by the changed keys, every height'
is "$(sql "SELECT string_agg(public.digest(format('SELECT * FROM ledger.%I', name)), ' ' ORDER BY name)
           FROM ledger.versioned")" "$before" 'all of it was undone'

# --- refused ---------------------------------------------------------------------------------------

refuses() { # TEXT ARGUMENTS
    like "$(sql "SELECT * FROM tidemark.restore_rows($2)")" "ERROR: +$1" "restore_rows($2)"
}
refuses 'the table is NULL' 'NULL, 1'
for name in '' transaction block change tip account_history account_history_0 pg_class Account; do
    refuses "there is no versioned table \"$name\"" "'$name', 1"
done
refuses 'there is no versioned table "xxx' "repeat('x', 1000), 1"
refuses 'the table is longer than' "repeat('x', 10000), 1"
refuses 'the height is NULL' "'account', NULL"
refuses '.*is below the first block' "'account', -1"
refuses '.*is above the tip' "'account', 60"
refuses '.*is above the tip' "'account', 9223372036854775807"
for batch in 0 -1 262145 2147483647; do
    refuses "the number of rows held at once is $batch" "'account', 1, NULL, $batch"
done
refuses 'the number of rows held at once is NULL' "'account', 1, NULL, NULL"
sql 'UPDATE ledger.tip SET earliest = 30' >/dev/null
refuses '.*is pruned' "'account', 29"
sql 'UPDATE ledger.tip SET earliest = 0' >/dev/null

call="SELECT * FROM tidemark.restore_rows('account', 30)"
like "$(sql 'BEGIN READ ONLY' "$call")" 'restore_rows\(\) in a read-only transaction' 'in a read-only transaction'
for role in reader api; do
    like "$(sql_as $role "$call")" 'permission denied for function restore_rows' "role $role may not"
done
sql 'CREATE ROLE guest' 'GRANT USAGE ON SCHEMA tidemark, ledger TO guest' \
    'GRANT SELECT ON ALL TABLES IN SCHEMA ledger TO guest' \
    'GRANT EXECUTE ON FUNCTION tidemark.restore_rows TO guest' >/dev/null
for rights in '' INSERT UPDATE DELETE; do
    [ -z "$rights" ] || sql "GRANT $rights ON ledger.account TO guest" >/dev/null
    [ "$rights" = DELETE ] && break
    like "$(sql 'SET ROLE guest' "$call")" 'permission denied for table account' \
        "with EXECUTE but not all rights on the table ($rights)"
done
like "$(sql 'SET ROLE guest' "$call")" 'permission denied for table account_history_0' \
    'but not those on the history'
for class in 0 1 2 3 4 5; do sql "GRANT DELETE ON ledger.account_history_$class TO guest" >/dev/null; done
unlike "$(sql 'BEGIN' 'SET LOCAL ROLE guest' "$call" 'ROLLBACK')" ERROR 'with all of them'
sql 'REVOKE SELECT ON ledger.account FROM guest' >/dev/null
like "$(sql 'SET ROLE guest' "$call")" 'permission denied for table account' 'but reading'
sql 'GRANT SELECT ON ledger.account TO guest' 'REVOKE SELECT ON ledger.account_history_0 FROM guest' >/dev/null
like "$(sql 'SET ROLE guest' "$call")" 'permission denied for table account_history_0' 'or reading the history'

# --- damage ----------------------------------------------------------------------------------------

is "$(sql BEGIN "SELECT r.replaced + r.inserted + r.born > 0 AND r.ended > 0 FROM ($call) r" "$call")" \
    $'t\n0|0|0|0' 'a second time there is nothing to do'
like "$(sql BEGIN "INSERT INTO ledger.account_history (address, valid_from, valid_to, class, balance)
                   SELECT address, 29, 99, ledger.lifetime_class(70), balance FROM ledger.account_history
                   WHERE valid_from <= 30 AND valid_to > 30 AND class <> ledger.lifetime_class(70)" "$call")" \
    'the history of "account" has two rows of one key at height 30' 'lives that overlap'
like "$(sql BEGIN 'ALTER TABLE ledger.tree_node_history DROP CONSTRAINT tree_node_history_digest_check' \
    "UPDATE ledger.tree_node_history SET digest = '\\x00' WHERE valid_from <= 30 AND valid_to > 30" \
    "SELECT * FROM tidemark.restore_rows('tree_node', 30)")" 'violates check constraint "tree_node_digest_check"' \
    'rows that the table does not take'
is "$(sql "SELECT string_agg(public.digest(format('SELECT * FROM ledger.%I', name)), ' ' ORDER BY name)
           FROM ledger.versioned")" "$before" 'nothing was changed by any of these'
cluster_stop recorded

# --- random histories --------------------------------------------------------------------------------

cluster_start random
db_prepare
psql -Xq -f tests/sql/versioned_model.sql && psql -Xq -f tests/sql/restore_rows.sql ||
    { echo 'Bail out! no model'; exit 1; }
sql "SELECT model.history($SEED)" >/dev/null
sql 'VACUUM FULL ANALYZE ledger.account' >/dev/null # to begin with pages as full as they get
heights='ARRAY(SELECT height FROM ledger.block ORDER BY random() LIMIT 8)'
is "$(sql "SELECT public.all_wrong($heights || (SELECT min(height) FROM ledger.block))")" '' \
    'every pair of random histories'
is "$(sql BEGIN "SELECT r.inserted > 0 AND r.born > 0 AND r.replaced > 0
                 FROM tidemark.restore_rows('account', (SELECT height FROM ledger.block
                                                        ORDER BY height OFFSET 20 LIMIT 1)) r")" t \
    'rows that were deleted come back, rows that were born go'
is "$(sql BEGIN "SELECT public.all_wrong($heights)" \
    "SELECT pg_stat_get_xact_tuples_updated(c) > pg_stat_get_xact_tuples_hot_updated(c)
        AND pg_stat_get_xact_tuples_hot_updated(c) > 0 FROM (SELECT 'ledger.account'::regclass AS c) x")" $'\nt' \
    'rows were updated on their pages, and elsewhere where those were full'
done_testing
