#!/usr/bin/env bash
# The planner's own scan of rows as of a height against the plan without it: the same rows from every
# form of query, by key and whole, and the rights, snapshots and cursors of any other scan.
set -u
. tests/lib.sh
. tests/sql/versioned_model.sh

model_start asof
sql 'VACUUM ANALYZE' >/dev/null

psql -Xq <<'END'
-- Rows of a query, in order, under one setting.
CREATE FUNCTION model.rows(query text, scan text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    found text;
BEGIN
    PERFORM set_config('tidemark.enable_asof_scan', scan, true);
    EXECUTE format('SELECT string_agg(q::text, chr(10) ORDER BY q::text) FROM (%s) q', query) INTO found;
    RETURN coalesce(found, '');
END $$;
-- How the query is planned.
CREATE FUNCTION model.plan(query text, scan text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    line text;
    plan text := '';
BEGIN
    PERFORM set_config('tidemark.enable_asof_scan', scan, true);
    FOR line IN EXECUTE 'EXPLAIN (COSTS off) ' || query LOOP
        plan := plan || line || chr(10);
    END LOOP;
    RETURN plan;
END $$;
-- Heights to look at: blocks, heights between them, the first and the last one.
CREATE TABLE model.height AS
    SELECT h FROM (SELECT DISTINCT h FROM model.row ORDER BY h) r
    UNION SELECT h + 1 FROM model.row WHERE h < (SELECT height FROM ledger.tip);
END

# same QUERY NAME: the same rows with and without the scan, some of them, and the scan in the plan
same() {
    is "$(sql "SELECT md5(model.rows(q, 'on')), length(model.rows(q, 'on')) > 0 FROM (SELECT \$q\$$1\$q\$) q(q)")" \
        "$(sql "SELECT md5(model.rows(q, 'off')), true FROM (SELECT \$q\$$1\$q\$) q(q)")" "$2"
    like "$(sql "SELECT model.plan(\$q\$$1\$q\$, 'on')")" 'Tidemark as of height' "$2: one scan"
    unlike "$(sql "SELECT model.plan(\$q\$$1\$q\$, 'off')")" 'Tidemark as of height' "$2: none where it is off"
}
# same_rows QUERY NAME: the same where the planner may choose another plan
same_rows() {
    is "$(sql "SELECT model.rows(q, 'on') FROM (SELECT \$q\$$1\$q\$) q(q)")" \
        "$(sql "SELECT model.rows(q, 'off') FROM (SELECT \$q\$$1\$q\$) q(q)")" "$2"
}

# --- whole views ---------------------------------------------------------------------------------

for view in account servicer param ibc_entry; do
    same "SELECT x.* FROM model.height r, LATERAL state.${view}_at(r.h) x" "state.$view at every height"
    same "SELECT * FROM state.$view" "state.$view at the tip"
done
for view in pool application fisherman validator flag; do
    same_rows "SELECT x.* FROM model.height r, LATERAL state.${view}_at(r.h) x" "state.$view at every height, without rows"
done
for view in validator_set supply; do
    same_rows "SELECT x.* FROM model.height r, LATERAL state.${view}_at(r.h) x" "state.$view at every height"
done
middle=$(sql 'SELECT h FROM model.height ORDER BY h OFFSET (SELECT count(*) / 2 FROM model.height) LIMIT 1')
same "SELECT count(*) FROM state.account_at($middle)" 'no column at all'
same "SELECT valid_from, balance_pokt, address FROM state.account_at($middle)" 'columns in another order'
same "SELECT height, valid_from FROM state.servicer_at($middle)" 'the height and one column'
same "SELECT s.chains[1], length(s.service_url) FROM state.servicer_at($middle) s WHERE s.stake_upokt > 1" 'a condition on a column not shown'
same "SELECT * FROM state.account_at($middle) WHERE valid_from < height AND height = $middle" 'conditions on the height'
same_rows "SELECT * FROM state.account_at($middle) WHERE height = 1 + $middle" 'a height it does not have'
same_rows "SELECT * FROM state.account_at($middle) WHERE false" 'no row'
same_rows "SELECT * FROM state.account_at($middle) WHERE now() < '2000-01-01'" 'a condition known before the scan'
same_rows "SELECT v FROM state.account_at($middle) v" 'whole rows'
same "SELECT address FROM state.account_at($middle) ORDER BY address LIMIT 3" 'ordered, some'

# --- by key --------------------------------------------------------------------------------------

keys="SELECT DISTINCT key FROM model.row WHERE kind = 'account' UNION SELECT '\\x00' UNION SELECT NULL"
same "SELECT r.h, k.key, x.* FROM model.height r, ($keys) k(key), LATERAL
      (SELECT * FROM state.account_at(r.h) a WHERE a.address = k.key) x" 'every key at every height'
address=$(sql "SELECT key FROM model.row WHERE kind = 'account' GROUP BY key
              HAVING bool_or(h = $tip) AND bool_or(h = (SELECT max(h) FROM model.row WHERE h <= $middle))
              ORDER BY count(*) DESC, key LIMIT 1")
same "SELECT * FROM state.account WHERE address = '$address'" 'one key'
like "$(sql "SELECT model.plan(\$q\$SELECT * FROM state.account WHERE address = '$address'\$q\$, 'on')")" \
    'Pair: account.*Height: height\(\).*Key: ' 'a plan says what it reads'
same "SELECT * FROM state.account WHERE '$address' = address AND balance_upokt >= 0" 'the key on the other side'
same "SELECT * FROM state.account_at($middle) WHERE address = (SELECT '$address'::bytea)" 'a key that a query gives'
same_rows "SELECT * FROM state.account_at($middle) WHERE address = NULL" 'a key that is NULL'
same_rows "SELECT * FROM state.account_at($middle) WHERE address = '$address' AND address = '\\x01'" 'two keys'
same_rows "SELECT * FROM state.account_at($middle) WHERE address IN ('$address', '\\x01')" 'a list of keys'
same_rows "SELECT * FROM state.account_at($middle) WHERE address > '$address'" 'a range of keys'
same_rows "SELECT * FROM state.account_at($middle) WHERE address = decode(lpad(to_hex(height), 40, '0'), 'hex')" 'a key made of the height'
same "SELECT * FROM state.account_at($middle) WHERE address = CASE WHEN height = $middle THEN '$address'::bytea END" 'one that is there'
same "SELECT balance_upokt FROM state.account_at($middle) WHERE address = '$address' AND valid_from = height - 0 OR address = '$address'" 'a key in an OR'
for h in 0 "$middle" "$tip"; do
    is "$(sql 'SET plan_cache_mode = force_generic_plan' \
        "PREPARE p(bytea, bigint) AS SELECT coalesce(sum(balance_upokt), -1) FROM state.account_at(\$2) WHERE address = \$1" \
        "EXECUTE p('$address', 1)" "EXECUTE p('$address', $h)" | tail -1)" \
        "$(sql "SELECT coalesce(sum(value::numeric), -1) FROM model.row
                WHERE kind = 'account' AND key = '$address' AND h = (SELECT max(h) FROM model.row WHERE h <= $h)")" \
        "a prepared statement, height $h"
done

# --- in larger queries ---------------------------------------------------------------------------

same "SELECT a.address, a.balance_upokt - b.balance_upokt FROM state.account_at($middle) a JOIN state.account_at($tip) b USING (address)" 'two heights joined by key'
same "SELECT s.address, a.balance_upokt FROM state.servicer_at($middle) s LEFT JOIN state.account_at($middle) a ON a.address = s.output_address" 'an outer join'
same "SELECT a.address FROM state.account_at($tip) a WHERE NOT EXISTS (SELECT FROM state.account_at($middle) b WHERE b.address = a.address)" 'those that came later'
same "SELECT h, (SELECT sum(balance_upokt) FROM state.account_at(r.h)) FROM model.height r" 'a query for each row'
same "WITH a AS MATERIALIZED (SELECT * FROM state.account_at($middle)) SELECT count(*), max(a.valid_from) FROM a, a AS b" 'in a WITH'
same "SELECT address FROM state.account_at($middle) UNION ALL SELECT address FROM state.servicer_at($middle)" 'in a UNION'
same "SELECT status, count(*), sum(stake_upokt) FROM state.servicer_at($middle) GROUP BY GROUPING SETS ((status), ())" 'grouped'
is "$(sql 'CREATE TEMP TABLE kept AS SELECT * FROM state.account' "DELETE FROM kept k USING state.account_at($middle) a WHERE a.address = k.address" \
    'SELECT count(*) FROM kept')" \
    "$(sql "SELECT count(*) FROM state.account a WHERE NOT EXISTS (SELECT FROM state.account_at($middle) b WHERE b.address = a.address)")" 'beside a table that is changed'
for mode in 'SET enable_hashjoin = off; SET enable_mergejoin = off' 'SET enable_nestloop = off' \
    'SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET force_parallel_mode = on'; do
    is "$(sql "$mode" "SELECT count(*), sum(a.balance_upokt), sum(b.valid_from) FROM state.account_at($middle) a JOIN state.account_at($tip) b USING (address)")" \
        "$(sql 'SET tidemark.enable_asof_scan = off' "SELECT count(*), sum(a.balance_upokt), sum(b.valid_from) FROM state.account_at($middle) a JOIN state.account_at($tip) b USING (address)")" "${mode%%;*}"
done

# --- joins by key --------------------------------------------------------------------------------

sql "CREATE TABLE model.few AS SELECT key, row_number() OVER () AS n FROM (SELECT DISTINCT key FROM model.row WHERE kind = 'account' LIMIT 5) k
     UNION ALL VALUES ('\x05'::bytea, 6), (NULL, 7)" 'CREATE TABLE model.fewer AS SELECT * FROM model.few WHERE n < 4' 'ANALYZE model.few, model.fewer' >/dev/null
# as if the tables were large
by_key='SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_memoize = off; SET seq_page_cost = 1000'
joined() { # QUERY NAME
    is "$(sql "$by_key" "SELECT model.rows(q, 'on') FROM (SELECT \$q\$$1\$q\$) q(q)")" "$(sql "SELECT model.rows(q, 'off') FROM (SELECT \$q\$$1\$q\$) q(q)")" "$2"
    like "$(sql "$by_key" "SELECT model.plan(\$q\$$1\$q\$, 'on')")" 'Tidemark as of height.*Key: ' "$2: by key"
}
joined "SELECT f.n, a.* FROM model.few f JOIN state.account_at($middle) a ON a.address = f.key" 'a table'
joined "SELECT f.n, a.balance_upokt FROM model.few f LEFT JOIN state.account_at($middle) a ON a.address = f.key" 'a table, all of it'
joined "SELECT f.n, a.balance_upokt FROM model.few f LEFT JOIN state.account_at($middle) a ON a.address = f.key AND a.valid_from > f.n" 'with more conditions'
joined "SELECT f.n, g.n, a.valid_from FROM model.few f JOIN model.fewer g ON g.key = f.key JOIN state.account_at($middle) a ON a.address = g.key" 'two tables with one key'
joined "SELECT f.n, g.n, a.valid_from FROM model.few f, model.fewer g, state.account_at($middle) a WHERE a.address = f.key AND a.valid_from + 0 = a.valid_from AND a.valid_from > g.n" 'two tables, one with the key'
joined "SELECT f.n FROM model.few f WHERE EXISTS (SELECT FROM state.account_at($middle) a WHERE a.address = f.key)" 'is it there'
joined "SELECT f.n FROM model.few f WHERE NOT EXISTS (SELECT FROM state.account_at($middle) a WHERE a.address = f.key)" 'is it not'
joined "SELECT r.h, f.n, a.balance_upokt FROM model.height r, model.few f, LATERAL state.account_at(r.h) a WHERE a.address = f.key AND r.h % 7 = 0" 'many heights'
joined "SELECT f.n, a.balance_upokt - b.balance_upokt FROM model.few f JOIN state.account_at($middle) a ON a.address = f.key JOIN state.account b ON b.address = a.address" 'two heights'
joined "SELECT f.n, a.address FROM state.account_at($middle) a RIGHT JOIN model.few f ON f.key = a.address WHERE a.balance_upokt IS NULL OR f.n < 3" 'from the right'
joined "SELECT s.address, a.balance_upokt FROM state.servicer_at($middle) s JOIN state.account_at($middle) a ON a.address = s.output_address" 'two views'

# --- cursors, snapshots --------------------------------------------------------------------------

is "$(sql BEGIN "DECLARE c SCROLL CURSOR FOR SELECT address FROM state.account_at($middle) ORDER BY address" 'MOVE ALL FROM c' \
    'FETCH BACKWARD ALL FROM c' | tail -1)" \
    "$(sql "SELECT key FROM model.row WHERE kind = 'account' AND h = (SELECT max(h) FROM model.row WHERE h <= $middle)
           ORDER BY key LIMIT 1")" 'a cursor goes back'
is "$(sql BEGIN "DECLARE c SCROLL CURSOR FOR SELECT valid_from FROM state.account_at($middle)" 'FETCH 2 FROM c' 'FETCH PRIOR FROM c' \
    | awk 'NR == 1 {x = $0} END {print NR == 3 && $0 == x}')" 1 'also where nothing is sorted'
is "$(sql 'BEGIN ISOLATION LEVEL SERIALIZABLE' "SELECT count(*), sum(balance_upokt) FROM state.account_at($middle)" COMMIT)" \
    "$(sql 'SET tidemark.enable_asof_scan = off' "SELECT count(*), sum(balance_upokt) FROM state.account_at($middle)")" 'a serializable transaction'
is "$(sql BEGIN "UPDATE ledger.account SET balance = balance + 1 WHERE address = '$address'" \
    "SELECT model.rows('SELECT * FROM state.account', 'on') = model.rows('SELECT * FROM state.account', 'off')" ROLLBACK)" t \
    'what its own transaction wrote'
coproc SESSION { psql -XqAt 2>&1; }
ask() { # QUERY: its output in the other session
    echo "$1; \\echo done" >&"${SESSION[1]}"
    local line
    while read -r -t 60 line <&"${SESSION[0]}" && [ "$line" != 'done' ]; do echo "$line"; done
}
total='SELECT sum(balance_upokt) FROM state.account'
before=$(sql "$total")
ask 'BEGIN' >/dev/null
ask "UPDATE ledger.account SET balance = balance + 1000000" >/dev/null
is "$(sql "$total")" "$before" 'what another has not committed is not there'
ask 'ROLLBACK' >/dev/null
is "$(sql "$total")" "$before" 'nor what it took back'
ask 'BEGIN ISOLATION LEVEL REPEATABLE READ' >/dev/null
is "$(ask "$total")" "$before" 'a snapshot'
sql "SELECT model.block($tip + 1, 12)" >/dev/null
is "$(ask "$total")" "$before" 'keeps its rows while a block comes'
sql 'VACUUM ledger.account' >/dev/null
is "$(ask "SELECT balance_upokt FROM state.account WHERE address = '$address'")" \
    "$(sql "SELECT value FROM model.row WHERE kind = 'account' AND key = '$address' AND h = $tip")" 'and its keys'
ask 'COMMIT' >/dev/null
echo '\q' >&"${SESSION[1]}"

# --- rights --------------------------------------------------------------------------------------

sql "CREATE ROLE guest" "GRANT USAGE ON SCHEMA state, tidemark, ledger TO guest" \
    'GRANT SELECT ON state.account, ledger.tip TO guest' >/dev/null
for scan in on off; do
    set_scan="SET tidemark.enable_asof_scan = $scan"
    is "$(sql 'SET ROLE guest' "$set_scan" 'SELECT count(*) > 0 FROM state.account')" t "scan $scan: a view is read with its owner's rights"
    like "$(sql 'SET ROLE guest' "$set_scan" 'SELECT count(*) FROM state.account_at(1)')" 'permission denied for table account' \
        "scan $scan: a function with the caller's"
    like "$(sql 'SET ROLE guest' "$set_scan" "EXPLAIN SELECT count(*) FROM state.account_at(1)")" 'permission denied for table account' \
        "scan $scan: its plan is not shown either"
done
asked=
for _ in account account_history_{0..5}; do
    found=$(sql 'SET ROLE guest' 'SELECT count(*) FROM state.account_at(1)')
    table=${found##*permission denied for table }
    asked="$asked $table"
    sql "GRANT SELECT ON ledger.$table TO guest" >/dev/null
done
is "$(tr ' ' '\n' <<<"$asked" | sort | xargs)" "account $(echo account_history_{0..5})" 'each table is asked for'
is "$(sql 'SET ROLE guest' 'SELECT count(*) > 0 FROM state.account_at(1)')" t 'all are allowed'

# --- tables that change --------------------------------------------------------------------------

is "$(sql 'SET plan_cache_mode = force_generic_plan' 'PREPARE p AS SELECT count(*) > 0, count(DISTINCT address) > 0 FROM state.account' 'EXECUTE p' \
    'ALTER TABLE ledger.account ADD note text' 'EXECUTE p' 'ALTER TABLE ledger.account DROP note' 'EXECUTE p' | sort -u)" 't|t' \
    'a prepared statement outlives a new column'
sql 'DROP INDEX ledger.account_history_valid_to_idx' >/dev/null
same_rows "SELECT * FROM state.account_at($middle)" 'without the index on the ends'
unlike "$(sql "SELECT model.plan('SELECT * FROM state.account_at($middle)', 'on')")" 'Tidemark as of height' 'other plans are made'
same "SELECT * FROM state.account_at($middle) WHERE address = '$address'" 'a key needs it not'
done_testing
