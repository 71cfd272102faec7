#!/usr/bin/env bash
# Every function of the schemas `tidemark` and `state`, as the catalogue lists them, with every kind of
# bad value in every argument: an error a person can read, or an answer; never a crash, a minute of
# work or memory without bound.
set -u
. tests/lib.sh

chain=tests/vectors/chain-a
cluster_start functions
"$TIDEMARK" init --data "$data" --genesis $chain/genesis.json --rules reference >/dev/null &&
    "$TIDEMARK" replay --data "$data" $chain/blocks.jsonl >/dev/null &&
    psql -Xq -v ON_ERROR_STOP=1 -f tests/sql/functions_bad_input.sql ||
    { echo 'Bail out! the recorded chain is not replayed'; exit 1; }
# States below 30 are gone.
sql 'UPDATE ledger.tip SET earliest = 30' >/dev/null

is "$(sql "SELECT string_agg(DISTINCT type, ', ') FROM bad.argument
           WHERE type NOT IN (SELECT type FROM bad.value)")" '' 'there are bad values for each type'

# All in one session: the one that ends must be the one that began.
psql -XqAt >"$test_dir/session" 2>&1 <<'END'
SELECT 'began ' || pg_backend_pid();
SELECT format('SELECT bad.call(%s, %s, %L, %L, %L)', a.function, coalesce(a.number, 0), a.name,
    v.label, bad.statement(a.function, a.number, v.expression))
FROM bad.argument a JOIN bad.value v ON v.type = a.type
ORDER BY a.function, a.number, v.label \gexec
SELECT 'ended ' || pg_backend_pid();
SELECT 'peak ' || (regexp_match(pg_read_file('/proc/self/status'), 'VmHWM:\s+(\d+)'))[1]::int / 1024;
END
[ "$(sed -n 's/^began //p' "$test_dir/session")" = "$(sed -n 's/^ended //p' "$test_dir/session")" ]
ok $? 'the session lives' "$(grep -v '^$' "$test_dir/session" | tail -n 5)"
is "$(grep -cE 'terminated by signal|PANIC|TRAP' "$data/cluster/postgres.log")" 0 'and no other process of the server died'
peak=$(sed -n 's/^peak //p' "$test_dir/session")
[ "${peak:-9999}" -lt 1000 ]
ok $? 'with values of 100 MB the backend needs less than a reader has (tidemark.memory_limit)' "it had $peak MB"

expected=$(sql "SELECT count(*) FROM bad.argument a JOIN bad.value v ON v.type = a.type")
is "$(sql 'SELECT count(*) FROM bad.answer')" "$expected" 'every call has its answer'
[ "$expected" -gt 1000 ]
ok $? 'more than a thousand calls' "$expected"

# none WHERE NAME: no answer for which the condition holds; those there are are shown.
none() {
    is "$(sql "SELECT format('%s, argument %s %s: %s: %s %s (%s ms)', function, place, name, label,
                   state, left(message, 200), msec::int)
               FROM bad.answer WHERE $1 ORDER BY function, place, label LIMIT 20")" '' "$2"
}
none "state = 'XX000' OR state LIKE '57%' OR state LIKE '53%' OR state IN ('42883', '42725', '42601')" \
    'none ends in an internal error, a time limit or a lack of memory'
none "message ~* '(cache lookup|unexpected|memory alloc|SPI_|unrecognized|null datum|could not)'" \
    'no message is about the inside of the server'
none "state <> '00000' AND (message !~ '[[:alpha:]]{3}' OR octet_length(message) > 1000)" 'messages are short words'
none 'msec > 20000' 'none takes 20 seconds'

# What all functions of a height have in common.
height="name IN ('h', 'height', 'h1', 'h2') AND function NOT IN
    (SELECT function FROM bad.argument WHERE provolatile <> 's')"
strict="function IN (SELECT function FROM bad.argument WHERE proisstrict)"
none "$height AND label = 'NULL' AND NOT $strict AND message IS DISTINCT FROM 'the height is NULL'" 'no height'
none "$height AND label = 'NULL' AND $strict AND state <> '00000'" 'no height where NULL is an answer'
none "$height AND label IN ('negative', 'least') AND message !~ 'is below the first block'" 'a negative height'
none "$height AND label IN ('above the tip', 'greatest') AND (message !~ 'is above the tip' OR hint IS NULL)" \
    'a height to come'
none "$height AND label = 'pruned' AND (message !~ 'is pruned' OR hint !~ '30')" 'a height that is gone'
is "$(sql "SELECT count(DISTINCT function) > 20 FROM bad.answer WHERE $height")" t 'many functions take a height'
none "name = 'n' AND label IN ('zero', 'negative', 'least', 'NULL') AND message !~ 'one row or more'" \
    'a page without rows'
none "name = 'n' AND label = 'greatest' AND state <> '00000'" 'a page of everything'

none "name = 'tx' AND label NOT IN ('NULL', 'empty') AND state = '00000'" 'bytes that are no transaction'
none "name = 'tx' AND label ~ '0 MB' AND message !~ '(4194304|at most)'" 'a transaction of 20 or 100 MB, by its size'
none "name IN ('stored', 'computed', 'roots') AND state = '00000'
    AND label NOT IN ('NULL', 'a NULL in it', 'counted from 0')" 'arrays that are not ten digests'
none "label IN ('two dimensions', 'a million', '100 MB in it') AND state = '00000'" 'arrays of another shape'
none "name IN ('balance', 'stake') AND label IN ('not a number', 'infinite', 'infinite below zero', 'broken')
    AND state = '00000'" \
    'numbers that are no amounts'
none "function::text LIKE 'address(%' AND label <> 'NULL' AND state = '00000'" 'text and bytes that are no address'
done_testing
