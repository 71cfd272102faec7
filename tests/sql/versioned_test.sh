#!/usr/bin/env bash
# Versioned state against a brute-force model: random histories with several writes to a key in one
# block, deletions and re-creations, jumps over many heights, and rollbacks; every view and function at
# every height, through prepared statements, cursors, savepoints, snapshots, dump and restore.
set -u
. tests/lib.sh
. tests/sql/versioned_model.sh

# psql -XqAt over standard input, with errors in the output
script() {
    psql -XqAt 2>&1
}

# --- a history -----------------------------------------------------------------------------------

model_start versioned
is "$(sql "SELECT count(DISTINCT class) FROM ledger.account_history")" 6 'every lifetime class is in use'
is "$(sql "SELECT count(*) > 200 FROM ledger.account_history_0")" t 'most rows live for a short time'

# --- at every height -----------------------------------------------------------------------------

script >/dev/null <<'END'
SELECT format('INSERT INTO model.seen SELECT x.* FROM (SELECT DISTINCT h FROM model.row) r, LATERAL (%s) x',
              model.showing(name, format('state.%I_at(r.h)', name))) FROM model.kind \gexec
END
is "$(sql 'SELECT count(*) > 10000 FROM model.seen')" t 'the functions show rows'
is "$(sql 'SELECT model.differences()')" 0 'x_at(h) = model, every height'

script >/dev/null <<'END'
TRUNCATE model.seen;
SELECT format('SET tidemark.height = %s', h),
       (SELECT string_agg('INSERT INTO model.seen ' || model.showing(name, format('state.%I', name)), ';')
        FROM model.kind)
FROM (SELECT DISTINCT h FROM model.row) r ORDER BY random() \gexec
END
is "$(sql 'SELECT model.differences()')" 0 'views under tidemark.height = model, every height'

script >/dev/null <<'END'
TRUNCATE model.seen;
SELECT format('INSERT INTO model.seen SELECT r.h, %L, %s, %s, v.valid_from '
              'FROM (SELECT DISTINCT h FROM model.row) r '
              'JOIN history.%I v ON v.valid_from <= r.h AND coalesce(v.valid_to > r.h, true)',
              name, to_key, to_value, name)
FROM model.kind \gexec
END
is "$(sql 'SELECT model.differences()')" 0 'history = model, every height'

# A height between two blocks that are there shows the state of the lower one.
is "$(sql "SELECT count(*) FROM (
        SELECT b.h, b.h + floor(random() * (b.next - b.h))::bigint AS between
        FROM (SELECT h, lead(h) OVER (ORDER BY h) AS next
              FROM (SELECT DISTINCT h FROM model.row) r) b
        WHERE b.next > b.h + 1) g
    WHERE (SELECT array_agg((a.address, a.balance_upokt, a.valid_from) ORDER BY a.address)
           FROM state.account_at(g.h) a)
        IS DISTINCT FROM
          (SELECT array_agg((a.address, a.balance_upokt, a.valid_from) ORDER BY a.address)
           FROM state.account_at(g.between) a)")" 0 'heights between two changes'

is "$(sql "SELECT count(*), bool_and(v.ok) FROM (SELECT DISTINCT h FROM model.row) r,
               LATERAL tidemark.verify_state(r.h) v")" \
    "$(sql "SELECT count(DISTINCT h) * 10, true FROM model.row")" 'verify_state holds at every height'
is "$(sql "SELECT count(*) FROM (SELECT DISTINCT h FROM model.row) r, LATERAL state.supply_at(r.h) s
           WHERE s.account_upokt <> coalesce((SELECT sum(value::numeric) FROM model.row m
                                              WHERE m.h = r.h AND m.kind = 'account'), 0)
               OR s.total_upokt <> s.account_upokt + s.pool_upokt")" 0 'supply is the sum of balances'
is "$(sql "SELECT count(*) FROM (SELECT DISTINCT h FROM model.row) r, LATERAL state.servicer_at(r.h) s
           WHERE s.status <> CASE WHEN s.unstaking_height <= r.h THEN 'unstaked'
                                  WHEN s.unstaking_height > r.h THEN 'unstaking'
                                  WHEN s.paused_height IS NOT NULL THEN 'paused'
                                  ELSE 'staked' END")" 0 'status at each height'

# --- pages ---------------------------------------------------------------------------------------

script >/dev/null <<'END'
CREATE FUNCTION model.walk(kind text, h bigint, size int) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    k model.kind;
    last bytea;
    pages bigint := 0;
    got bigint;
BEGIN
    SELECT * INTO STRICT k FROM model.kind m WHERE m.name = kind;
    TRUNCATE model.seen;
    LOOP
        EXECUTE 'INSERT INTO model.seen ' || model.showing(kind, format(
            'state.%I(%s, %s, %s)', kind || '_page_at', h,
            CASE WHEN kind = 'param' THEN format('convert_from(%L::bytea, ''UTF8'')', last)
                 ELSE format('%L::bytea', last) END, size));
        GET DIAGNOSTICS got = ROW_COUNT;
        EXIT WHEN got = 0;
        IF got > size THEN
            RAISE EXCEPTION 'a page of % rows', got;
        END IF;
        pages := pages + 1;
        SELECT s.key INTO last FROM model.seen s
        ORDER BY CASE s.kind WHEN 'ibc_entry' THEN sha256(s.key) ELSE s.key END DESC LIMIT 1;
    END LOOP;
    RETURN (SELECT count(*) FROM (
        (TABLE model.seen
         EXCEPT ALL SELECT * FROM model.row r WHERE r.h = walk.h AND r.kind = walk.kind)
        UNION ALL (SELECT * FROM model.row r WHERE r.h = walk.h AND r.kind = walk.kind
         EXCEPT ALL TABLE model.seen)) d);
END $$;
END
is "$(sql "SELECT sum(model.walk(k.name, r.h, 1 + floor(random() * 9)::int))
           FROM model.kind k, (SELECT h FROM (SELECT DISTINCT h FROM model.row) r
                               ORDER BY random() LIMIT 25) r")" 0 'pages, walked, give the whole state'
is "$(sql "SELECT string_agg(tree, ' ') FROM state.tree_root_page_at(0, NULL, 3)")" \
    'account app fish' 'pages of a small view'
like "$(sql "SELECT * FROM state.account_page_at(0, NULL, 0)")" 'one row or more' 'an empty page is refused'

# --- prepared statements, cursors, savepoints ----------------------------------------------------

heights=$(sql "SELECT h FROM (SELECT DISTINCT h FROM model.row) r ORDER BY random() LIMIT 12")
expected=$(sql "SELECT h || '|' || count(*) || '|' || sum(value::numeric) FROM model.row
                WHERE kind = 'account' AND h IN (${heights//$'\n'/,}) GROUP BY h ORDER BY h")
found=$({
    echo "PREPARE view AS SELECT height || '|' || count(*) || '|' || sum(balance_upokt)
          FROM state.account GROUP BY height;"
    for h in $heights; do echo "SET tidemark.height = $h; EXECUTE view;"; done
} | script | sort -n)
is "$found" "$expected" 'a prepared statement follows tidemark.height, generic plans too'
found=$({
    echo "PREPARE at(bigint) AS SELECT height || '|' || count(*) || '|' || sum(balance_upokt)
          FROM state.account_at(\$1) GROUP BY height;"
    for h in $heights; do echo "EXECUTE at($h);"; done
} | script | sort -n)
is "$found" "$expected" 'x_at($1) prepared'

past=$(sql "SELECT h FROM model.row WHERE kind = 'account' AND h > 0 AND h < $tip
            GROUP BY h HAVING count(*) > 8
            ORDER BY random() LIMIT 1")
for change in 'SET tidemark.height = 0' 'RESET tidemark.height' 'RESET ALL' \
    "SELECT set_config('tidemark.height', '0', false)"; do
    found=$(script <<END
SET tidemark.height = $past;
BEGIN;
DECLARE c CURSOR FOR SELECT 'row', height FROM state.account;
FETCH 3 FROM c;
SAVEPOINT s;
$change;
ROLLBACK TO s;
FETCH ALL FROM c;
END
    )
    like "$found" 'HINT:.*_at' "$change is refused while a cursor is open"
    is "$(grep '^row' <<<"$found" | sort | uniq -c | awk '{print $1, $2}')" \
        "$(sql "SELECT count(*) || ' row|$past' FROM model.row WHERE kind = 'account' AND h = $past")" \
        "the cursor shows one height after $change"
done

is "$(script <<END
BEGIN;
SET LOCAL tidemark.height = $past;
SAVEPOINT s;
SET LOCAL tidemark.height = 0;
SELECT DISTINCT height FROM state.account;
ROLLBACK TO s;
SELECT DISTINCT height FROM state.account;
COMMIT;
SELECT DISTINCT height FROM state.account;
SET tidemark.height = 0;
RESET tidemark.height;
SELECT DISTINCT height FROM state.account;
END
)" "0
$past
$tip
$tip" 'SET LOCAL, savepoints and RESET'
is "$(sql "SELECT count(*) FROM state.account_at($past) a JOIN state.account_at($tip) b USING (address)
           WHERE a.height <> $past OR b.height <> $tip")" 0 'two heights in one query'

# --- snapshots -----------------------------------------------------------------------------------

sum_at="SELECT height || '|' || sum(balance_upokt) FROM state.account GROUP BY height"
before=$(sql "SELECT h || '|' || sum(value::numeric) FROM model.row
              WHERE kind = 'account' AND h = $tip GROUP BY h")
coproc SESSION { psql -XqAt 2>&1; }
ask() { # QUERY: its output in the other session
    echo "$1; \\echo done" >&"${SESSION[1]}"
    local line
    while read -r -t 600 line <&"${SESSION[0]}" && [ "$line" != 'done' ]; do echo "$line"; done
}
ask 'BEGIN ISOLATION LEVEL REPEATABLE READ' >/dev/null
is "$(ask "$sum_at")" "$before" 'a snapshot at the tip'
sql "SELECT model.block($tip + 1, 10)" >/dev/null
next=$((tip + 1))
is "$(ask "$sum_at")" "$before" 'REPEATABLE READ keeps tip and rows while the tip moves'
is "$(ask "SELECT height FROM tidemark.tip()")" "$tip" 'so does tip()'
like "$(ask "SELECT count(*) FROM state.account_at($next)")" 'HINT' 'the new tip is the future there'
ask 'ROLLBACK' >/dev/null
is "$(ask "$sum_at")" "$(sql "SELECT h || '|' || sum(value::numeric) FROM model.row
    WHERE kind = 'account' AND h = $next GROUP BY h")" 'READ COMMITTED shows the new tip'
echo '\q' >&"${SESSION[1]}"
sql "SELECT model.rollback($tip)" >/dev/null

# --- what must fail ------------------------------------------------------------------------------

for height in "$tip + 1" -1 NULL; do
    found=$(sql "SELECT count(*) FROM state.account_at($height)")
    like "$found" 'ERROR:' "height $height is an error"
    like "$found" 'HINT:' "height $height: with a hint"
    like "$(sql "SELECT * FROM state.account_page_at($height, NULL, 5)")" 'ERROR:' "a page at $height"
    like "$(sql "SELECT * FROM tidemark.verify_state($height)")" 'ERROR:' "verify_state($height)"
    like "$(sql "SELECT tidemark.state_hash($height)")" 'ERROR:' "state_hash($height)"
done
sql "UPDATE ledger.tip SET earliest = 20" >/dev/null
found=$(sql "SELECT count(*) FROM state.account_at(19)")
like "$found" 'ERROR:.*HINT:' 'a pruned height is an error with a hint'
like "$(sql "SET tidemark.height = 19" "SELECT count(*) FROM state.account")" 'ERROR:.*HINT:' \
    'a pruned tidemark.height too'
is "$(sql "SELECT count(*) FROM state.account_at(20)")" \
    "$(sql "SELECT count(*) FROM model.row WHERE kind = 'account'
            AND h = (SELECT max(h) FROM model.row WHERE h <= 20)")" 'the earliest height is there'
sql "UPDATE ledger.tip SET earliest = 0" >/dev/null

like "$(sql "SELECT model.write('account', $tip, array_agg(address), array_agg('5'))
             FROM (SELECT address FROM ledger.account WHERE valid_from = $tip
                   UNION ALL SELECT address FROM ledger.account) a")" 'ERROR:' \
    'applying a height twice fails'
like "$(sql "SELECT model.write('account', $tip + 1, ARRAY['\x01', '\x01']::bytea[], ARRAY['5', '6'])")" \
    'ERROR:.*second time' 'a key twice in one write set fails'
like "$(sql "INSERT INTO ledger.account_history SELECT address, 0, 9, 0, 5 FROM ledger.account LIMIT 1")" \
    'violates' 'a wrong lifetime class is refused'
for amount in "'NaN'" "'Infinity'" 1.50; do
    like "$(sql "INSERT INTO ledger.account VALUES ('\x99', 0, $amount)")" 'ERROR:' "a balance of $amount"
done
is "$(sql "BEGIN" "SELECT ledger.restrict_amounts()" "INSERT INTO ledger.pool VALUES ('\x99', 0, -1)" \
    "ROLLBACK" | grep -c 'pool_balance_standard')" 1 'standard networks have no negative amount'

# --- made again, dumped and restored -------------------------------------------------------------

fingerprint="SELECT md5(string_agg(md5((r.h, a.*)::text), '' ORDER BY r.h, a.address))
    FROM (SELECT DISTINCT h FROM model.row) r, LATERAL state.account_at(r.h) a"
before=$(sql "$fingerprint")
files=()
for file in sql/*.sql; do files+=(-f "$file"); done
sql 'CREATE VIEW public.mine AS SELECT count(*) FROM state.account' >/dev/null
succeeds 'sql/ is applied again' psql -Xq1 -v ON_ERROR_STOP=1 -o /dev/null "${files[@]}"
like "$output" 'WARNING.*mine' "a user's view that goes is named"
is "$(sql "$fingerprint")" "$before" 'the rows stay'

sql 'DROP FUNCTION model.walk, model.block, model.write, model.rollback' >/dev/null
is "$(pg_dump -Fc -f "$test_dir/dump" 2>&1)" '' 'pg_dump'
psql -Xqc "CREATE DATABASE restored TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'" postgres
is "$(pg_restore -d restored -e "$test_dir/dump" 2>&1)" '' 'pg_restore'
is "$(PGDATABASE=restored sql "$fingerprint")" "$before" 'a restored database shows the same'
is "$(PGDATABASE=restored sql "SELECT bool_and(ok), count(*) FROM tidemark.verify_state($past)")" 't|10' \
    'and verifies'

done_testing
