#!/usr/bin/env bash
# A reader with the settings that readers have asks for everything there is while blocks come: no
# statement waits for a lock, or runs, for longer than these allow. (sql_as lifts them.)
. tests/lib.sh

chain=tests/vectors/localnet-standard
keys=deploy/localnet/keys
data=$test_dir/chain
log=$test_dir/log
"$TIDEMARK" init --data "$data" --genesis $chain/genesis.json >/dev/null
cluster_start chain
"$TIDEMARK" db readers allow --data "$data" >/dev/null
succeeds 'a chain with everything in it' "$TIDEMARK" replay --data "$data" $chain/blocks.jsonl

echo secret >"$test_dir/passphrase"
purse() { "$TIDEMARK" "$@" --keys "$test_dir/purse" --passphrase-file "$test_dir/passphrase"; }
purse keys import --input $keys/validator1.key >/dev/null
payer=$("$TIDEMARK" keys list --keys "$test_dir/purse" | awk 'NR == 1 { print $1 }')
signed=$(purse tx send "$payer" "$payer" 1 --print --data "$data")

"$TIDEMARK" up --data "$data" --keys $keys --interval 0.05 >"$log" 2>&1 &
up=$!
"$TIDEMARK" demo --data "$data" --keys $keys >"$test_dir/demo" 2>&1 &
demo=$!
above() { [ "$(sql 'SELECT height FROM ledger.tip')" -gt "$1" ]; }
wait_for 120 above 32
ok $? 'a node with traffic' "$(tail -n 5 "$log" "$test_dir/demo")"

psql -XqAt -v ON_ERROR_STOP=1 -v transaction="\\x$signed" -f tests/e2e/reader_questions.sql >"$test_dir/questions" 2>&1
[ "$(wc -l <"$test_dir/questions")" -gt 100 ]
ok $? 'more than a hundred questions' "$(tail -n 5 "$test_dir/questions")"
before=$(sql 'SELECT height FROM ledger.tip')
{
    echo 'SHOW lock_timeout; SHOW statement_timeout;'
    awk '{ printf "\\qecho @%d\n%s;\n", NR, $0 }' "$test_dir/questions"
} | PGUSER=tidemark_reader psql -XqAt >"$test_dir/answers" 2>&1
after=$(sql 'SELECT height FROM ledger.tip')
is "$(sed '/^@/,$d' "$test_dir/answers" | xargs)" '5s 1min' 'with the time limits of readers'
number=0
while read -r question; do
    number=$((number + 1))
    like "$(sed "1,/^@$number\$/d; /^@/,\$d" "$test_dir/answers")" '^[0-9]+\|[0-9]*$' "${question#*FROM }"
done <"$test_dir/questions"
[ "$after" -gt $((before + 2)) ]
ok $? "$((after - before)) blocks came meanwhile" "$(tail -n 5 "$log")"
kill -TERM $demo $up
wait
done_testing
