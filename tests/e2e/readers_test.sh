#!/usr/bin/env bash
# Login roles of people, `tidemark db readers add|remove|list`: each has the limits of tidemark_reader,
# however it was made, and whoever tries to hurt the node with one is refused or ended.
. tests/lib.sh

data=$test_dir/chain
log=$test_dir/log
readers() { "$TIDEMARK" db readers "$@" --data "$data"; }
fails 1 'add without a database' readers add alice
"$TIDEMARK" db start --data "$data" >/dev/null
fails 1 'add without a chain' readers add alice
like "$output" 'tidemark init' 'says how to begin'
"$TIDEMARK" init --data "$data" --genesis deploy/localnet/genesis.json >/dev/null
cluster_start chain
readers allow >/dev/null

# --- wrong words ---------------------------------------------------------------------------------

fails 2 'no word' readers
like "$output" 'allow, deny, add, remove or list' 'is told which there are'
for name in '' Alice 1alice alice-smith 'alice smith' "a'; DROP ROLE tidemark_api; --" 'a"b' 'a%s' über \
    pg_alice tidemark_reader tidemark_x public none "$(printf 'a%.0s' $(seq 64))"; do
    fails 2 "add \"${name:0:30}\"" readers add "$name"
done
fails 2 'remove tidemark_reader' readers remove tidemark_reader
fails 2 'a word too many' readers add alice bob
fails 2 'list has no name' readers list alice
for n in 0 -1 33 x 1e1 99999999999; do fails 2 "$n connections" readers add alice --connections "$n"; done
like "$output" 'a number from 1 to 32' 'says what is expected'
fails 2 'connections to list' readers list --connections 2
fails 1 'a superuser' readers add postgres
like "$output" 'role postgres is no reader' 'is no reader'
sql 'CREATE ROLE stranger LOGIN' 'CREATE ROLE clerk LOGIN IN ROLE tidemark_reader, tidemark_admin' >/dev/null
for name in stranger clerk; do
    fails 1 "add $name" readers add $name
    like "$output" "role $name is no reader.*left as it is" 'names it'
    fails 1 "remove $name" readers remove $name
done
fails 1 'remove nobody' readers remove nobody
like "$output" 'no role nobody' 'names it'
fails 1 'a password file that is not there' readers add alice --password-file "$test_dir/none"
printf 'short\n' >"$test_dir/password"
fails 1 'a short password' readers add alice --password-file "$test_dir/password"
like "$output" 'at least 8 characters' 'is refused'
is "$(sql "SELECT count(*) FROM pg_roles WHERE rolname IN ('alice', 'nobody')")" 0 'none of these makes a role'

# --- a role is made ------------------------------------------------------------------------------

# The shipped limits are 1 GB each; smaller ones show the same with less work for the disk.
sql "ALTER ROLE tidemark_reader IN DATABASE tidemark SET temp_file_limit = '5MB'" \
    "ALTER ROLE tidemark_reader IN DATABASE tidemark SET tidemark.memory_limit = '200MB'" \
    'ALTER ROLE tidemark_reader IN DATABASE tidemark SET track_activities = on' >/dev/null
succeeds 'add' readers add alice
like "$output" 'reader alice made: 2 connections' 'with two places'
password=$(sed -n 's/^password *//p' <<<"$output")
like "$password" '^[0-9a-f]{32}$' 'a password of 128 bits'
url=$(sed -n 's/^socket *//p' <<<"$output")
is "$(PGPASSWORD=$password psql -XqAt "$url" -w -c 'SELECT current_user, count(*) FROM state.validator' 2>&1)" 'alice|4' \
    'and the URL it prints works'
like "$(psql -XqAt "$url" -w -c 'SELECT 1' 2>&1)" 'no password supplied' 'not without the password'
like "$(PGPASSWORD=$password psql -XqAt -U alice -d postgres -w -c 'SELECT 1' 2>&1)" 'rejects connection' \
    'nor to a database without limits'
is "$(sql "SELECT left(rolpassword, 14) FROM pg_authid WHERE rolname = 'alice'")" 'SCRAM-SHA-256$' 'the password is kept as a verifier'
is "$(grep -c "$password" "$data/cluster/postgres.log")" 0 'and stands in no log'

# as NAME STATEMENT…: in one session that has lifted what it can
lifted='-c statement_timeout=0 -c idle_in_transaction_session_timeout=0 -c idle_session_timeout=0
    -c default_transaction_read_only=off -c lock_timeout=0'
as() {
    local user=$1
    shift
    PGOPTIONS=${options-$lifted} PGUSER=$user PGPASSWORD=$password sql "$@"
}
limits="SELECT string_agg(name || '=' || setting, ' ' ORDER BY name) FROM pg_settings WHERE name IN (SELECT setting FROM ops.reader_limit)
    OR name = 'track_activities'"
begins=$(options='' as alice "$limits")
is "$begins" "$(PGUSER=tidemark_reader sql "$limits")" 'it begins with every setting that tidemark_reader has'
like "$begins" 'statement_timeout=60000 temp_file_limit=5120 tidemark.memory_limit=200 tidemark.nice=10' \
    'those of the database too'
before=$(sql "SELECT string_agg(d::text, ' ' ORDER BY d) FROM pg_db_role_setting d" "SELECT string_agg(a::text, ' ' ORDER BY oid) FROM pg_authid a")
succeeds 'add again' readers add alice
like "$output" 'reader alice was there: 2 connections.*password  as before' 'says so'
is "$(sql "SELECT string_agg(d::text, ' ' ORDER BY d) FROM pg_db_role_setting d" "SELECT string_agg(a::text, ' ' ORDER BY oid) FROM pg_authid a")" \
    "$before" 'and changes nothing'
succeeds 'list' readers list
like "$output" 'alice: 2 connections, 0 now' 'shows it'
unlike "$output" 'MISSING|stranger|clerk' 'with nothing missing, and readers only'
printf 'correct horse\r\nbattery\n' >"$test_dir/password"
succeeds 'another password and number' readers add alice --connections 3 --password-file "$test_dir/password"
like "$output" '3 connections.*as in the file' 'are told'
like "$(as alice 'SELECT 1')" 'password authentication failed' 'the old password is gone'
password='correct horse'
is "$(as alice 'SELECT 1')" 1 'the new one holds'
fails 1 'more than all places' readers add bob --connections 30
like "$output" 'may have 32 connections together, others have 3: give bob fewer' 'is refused'
is "$(sql "SELECT count(*) FROM pg_roles WHERE rolname = 'bob'")" 0 'and makes no role'
succeeds 'a word of SQL is a name like others' readers add user --connections 29
succeeds 'and goes again' readers remove user

# --- roles made by hand --------------------------------------------------------------------------

sql 'CREATE ROLE analysts IN ROLE tidemark_reader' 'CREATE ROLE hand LOGIN IN ROLE analysts' \
    'CREATE ROLE sender LOGIN CREATEDB CONNECTION LIMIT 1 IN ROLE tidemark_api, pg_read_all_settings' \
    'CREATE ROLE auditor LOGIN IN ROLE tidemark_audit' \
    "ALTER ROLE alice IN DATABASE tidemark SET idle_session_timeout = '2h'" \
    'ALTER ROLE alice SET tidemark.nice = 0' >/dev/null
fails 1 'list with roles that lack something' readers list
like "$output" 'hand: connections without limit.*MISSING: .*temp_file_limit; tidemark.memory_limit; tidemark.nice; track_activities; connection limit' \
    'names what'
like "$output" 'alice: .*idle_session_timeout 2h \(its own\).*MISSING: tidemark.nice is 0, not 10' 'and what differs'
succeeds 'migrate' "$TIDEMARK" migrate --data "$data"
like "$output" 'up to date' 'with nothing else to do'
is "$(sql "SELECT string_agg(role || ' ' || connections || ' ' || missing::text, ' ' ORDER BY role) FROM ops.reader")" \
    'alice 3 {} hand 2 {} sender 1 {"may create databases","is a member of pg_read_all_settings"} tidemark_api 32 {} tidemark_reader 8 {}' \
    'gives them all what they lack'
is "$(sql "SELECT count(*) FROM pg_db_role_setting WHERE setrole IN ('clerk'::regrole, 'stranger'::regrole, 'auditor'::regrole)")" 0 \
    'and others nothing'
is "$(sql "SELECT given FROM ops.reader_setting WHERE role = 'sender' AND setting = 'default_transaction_read_only'")" '' \
    'who may submit transactions may write them'
sql "UPDATE ledger.migration SET sha256 = sha256('') WHERE number = 0" 'ALTER ROLE hand RESET ALL' >/dev/null
"$TIDEMARK" migrate --data "$data" >/dev/null
is "$(sql "SELECT missing FROM ops.reader WHERE role = 'hand'")" '{}' 'so does a migration that renews the views'
succeeds 'add gives one a password' readers add hand --password-file "$test_dir/password"
is "$(as hand 'SELECT current_user')" hand 'with which it comes in'
like "$(as hand 'SELECT ops.limit_readers()')" 'permission denied' 'limits are not given by readers'

# --- what somebody hurtful tries -----------------------------------------------------------------

like "$(as alice "SET work_mem = '64kB'" 'SELECT count(*) FROM (SELECT i FROM generate_series(1, 400000) i ORDER BY random()) x')" \
    'temporary file size exceeds temp_file_limit' 'temporary files'
like "$(as alice "SET work_mem = '2000GB'" 'SET hash_mem_multiplier = 1000' 'SELECT length(string_agg(repeat(i::text, 1000), $$$$)) FROM generate_series(1, 150000) i')" \
    'out of memory' 'memory'
denied='not allowed|permission denied|must be superuser|must be owner|must be a member|permission to|must have'
while IFS= read -r statement; do
    like "$(as alice "$statement")" "ERROR: .*($denied)" "$statement"
done <<'STATEMENTS'
SET temp_file_limit = -1
SET tidemark.memory_limit = 0
SET tidemark.nice = 0
SET log_min_messages = debug5
ALTER ROLE alice SET temp_file_limit = -1
ALTER ROLE alice RESET tidemark.nice
ALTER ROLE alice IN DATABASE tidemark SET tidemark.memory_limit = 0
ALTER ROLE alice CONNECTION LIMIT -1
ALTER ROLE hand PASSWORD 'x'
ALTER ROLE tidemark_reader SET statement_timeout = 0
ALTER ROLE alice SET statement_timeout = 0
ALTER ROLE alice RESET ALL
ALTER ROLE CURRENT_USER IN DATABASE tidemark SET search_path = public
GRANT tidemark_api TO alice
CREATE ROLE mallory
SET ROLE tidemark_node
SET ROLE tidemark_api
CREATE TEMP TABLE mine (x int)
CREATE TABLE public.mine (x int)
DELETE FROM ledger.tip
DO 'BEGIN END'
NOTIFY tidemark_block
SELECT pg_advisory_lock(1)
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
SELECT * FROM pg_authid
STATEMENTS
is "$(as alice "ALTER ROLE alice PASSWORD '$password'" 'SELECT 1')" 1 'but a password of its own'
sql 'ALTER ROLE alice SET statement_timeout = 0' >/dev/null
fails 1 'list' readers list
like "$output" 'alice: .*MISSING: .*statement_timeout is 0, not 60s' 'shows what was taken from a role'
"$TIDEMARK" migrate --data "$data" >/dev/null
is "$(sql "SELECT missing FROM ops.reader WHERE role = 'alice'")" '{}' 'migrate gives it back'
like "$(options='-c temp_file_limit=-1' as alice 'SELECT 1')" 'permission denied to set parameter' 'nor do startup options lift one'
for _ in 1 2 3; do as alice 'SELECT pg_sleep(1000)' >/dev/null & done
taken() { [ "$(sql "SELECT count(*) FROM pg_stat_activity WHERE usename = 'alice' AND state = 'active'")" = "$1" ]; }
wait_for 120 taken 3
ok $? 'three sessions are let in'
is "$(ps -o ni= -p "$(sql "SELECT string_agg(pid::text, ',') FROM pg_stat_activity WHERE usename = 'alice'")" | tr -d ' ' | sort -u)" 10 \
    'which give way to the node'
like "$(as alice 'SELECT 1')" 'too many connections for role "alice"' 'a fourth is not'
is "$(as hand 'SELECT 1') $(sql_as reader 'SELECT 1') $(sql_as node 'SELECT 1')" '1 1 1' 'others find a place'
fails 1 'remove with sessions' readers remove alice
like "$output" 'alice has 3 sessions: .*pg_terminate_backend' 'says what to do'
sql "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'alice'" >/dev/null
wait

# --- the watchdog --------------------------------------------------------------------------------

"$TIDEMARK" up --data "$data" --keys deploy/localnet/keys --interval 0.2 --reader-statement 1 --reader-transaction 2 --reader-idle 2 >"$log" 2>&1 &
up=$!
above() { [ "$(sql 'SELECT height FROM ledger.tip')" -gt "$1" ]; }
wait_for 120 above 0
ok $? 'a chain grows' "$(tail -n 5 "$log")"
as alice 'SELECT count(*) FROM (SELECT generate_series(1, 10000000000000)) x' >"$test_dir/endless" 2>&1 &
endless=$!
# hold NAME STATEMENT: a client that says this and then nothing; it goes when its input is closed
declare -A holds=()
hold() {
    local input
    mkfifo "$test_dir/$1"
    exec {input}<>"$test_dir/$1"
    PGOPTIONS=$lifted PGUSER=hand PGPASSWORD=$password psql -XqAt <"$test_dir/$1" >/dev/null 2>&1 {input}>&- &
    echo "$2" >&"$input"
    holds[$1]=$input
}
hold open 'BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT height FROM ledger.tip;'
hold idle 'SELECT 1;'
wait $endless
like "$(cat "$test_dir/endless")" 'terminating connection.*ops.ended_session' 'an endless statement is ended'
ended() { [ "$(sql "SELECT count(*) FROM ops.ended_session WHERE role = '$1' AND reason ~ '$2'")" -ge 1 ]; }
wait_for 120 ended alice '^a statement ran'
ok $? 'with the reason' "$(sql 'SELECT role, reason FROM ops.ended_session')"
wait_for 120 ended hand '^a transaction was open'
ok $? 'so is an open transaction of a member of a member' "$(sql 'SELECT role, reason FROM ops.ended_session')"
wait_for 120 ended hand '^the session was idle'
ok $? 'and an idle session' "$(sql 'SELECT role, reason FROM ops.ended_session')"
for name in "${!holds[@]}"; do
    input=${holds[$name]}
    echo 'SELECT 1;' >&"$input"
    exec {input}>&-
done
now=$(sql 'SELECT height FROM ledger.tip')
wait_for 120 above $((now + 1))
ok $? 'blocks go on' "$(tail -n 5 "$log")"
kill -TERM $up
wait $up
is $? 0 'the node ends as asked'

# --- kept out, and gone --------------------------------------------------------------------------

readers deny >/dev/null
like "$(as alice 'SELECT 1')" 'rejects connection' 'readers denied are all of them'
is "$(sql_as api 'SELECT 1')" 1 'and no others'
like "$(readers add alice)" 'readers may not log in on this machine' 'add says so'
readers allow >/dev/null
is "$(as alice 'SELECT 1')" 1 'allowed again'
gone() { readers remove alice; }
wait_for 120 gone
ok $? 'remove' "$(readers remove alice 2>&1)"
is "$(sql "SELECT count(*) FROM pg_roles WHERE rolname = 'alice'")" 0 'the role is gone'
fails 1 'remove again' readers remove alice
done_testing
