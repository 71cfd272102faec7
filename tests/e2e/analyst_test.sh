#!/usr/bin/env bash
# Analysts who try to hurt the node: each attack is refused with a clear message or ended by the node's
# watchdog with a reason, nothing is written, and blocks go on.
. tests/lib.sh

genesis=deploy/localnet/genesis.json
keys=deploy/localnet/keys
data=$test_dir/chain
log=$test_dir/log
"$TIDEMARK" init --data "$data" --genesis $genesis >/dev/null
cluster_start chain
"$TIDEMARK" db readers allow --data "$data" >/dev/null
# What a reader does first: everything it can lift is lifted.
lifted='-c statement_timeout=0 -c idle_in_transaction_session_timeout=0 -c idle_session_timeout=0
    -c default_transaction_read_only=off -c lock_timeout=0'
# The shipped limits are 1 GB each; smaller ones show the same with less work for the disk.
for role in reader api; do
    sql "ALTER ROLE tidemark_$role SET temp_file_limit = '20MB'" "ALTER ROLE tidemark_$role SET tidemark.memory_limit = '300MB'"
done >/dev/null

# as ROLE NAME STATEMENT…: in one session with everything lifted, named NAME
as() {
    local role=$1 name=$2
    shift 2
    PGOPTIONS=$lifted PGAPPNAME=$name sql_as "$role" "$@"
}

height() { sql 'SELECT height FROM ledger.tip'; }
above() { [ "$(height)" -gt "$1" ]; }
grows() { # NAME
    local now
    now=$(height)
    wait_for 120 above $((now + 2))
    ok $? "$1: blocks go on" "$(tail -n 5 "$log")"
}
sessions() { sql "SELECT count(*) FROM pg_stat_activity WHERE usename IN ('tidemark_reader', 'tidemark_api') AND $1"; }
left() { # CONDITION: no such session
    [ "$(sessions "$1")" = 0 ]
}
# Everything a role could have left behind, but what the node itself writes.
traces="SELECT (SELECT string_agg(oid::text, ' ' ORDER BY oid) FROM pg_class),
    (SELECT md5(string_agg(p::text, ' ' ORDER BY oid)) FROM pg_proc p), (SELECT count(*) FROM pg_largeobject_metadata),
    (SELECT string_agg(a::text, ' ' ORDER BY oid) FROM pg_authid a), (SELECT string_agg(d::text, ' ' ORDER BY d) FROM pg_db_role_setting d),
    (SELECT count(*) FROM pg_prepared_xacts), (SELECT string_agg(slot_name, ' ') FROM pg_replication_slots),
    (SELECT md5(string_agg(m::text, ' ' ORDER BY number)) FROM ledger.migration m),
    (SELECT md5(string_agg(c::text, ' ')) FROM ledger.chain c), (SELECT count(*) FROM ops.submission),
    (SELECT count(*) FROM pg_database), pg_notification_queue_usage()"

# --- places --------------------------------------------------------------------------------------

for _ in 1 2 3 4 5 6 7 8; do as reader places 'SELECT pg_sleep(1000)' >/dev/null & done
taken() { [ "$(sessions "application_name = 'places' AND state = 'active'")" = 8 ]; }
wait_for 120 taken
ok $? 'eight readers are let in'
# Here no watchdog ends them while they are looked at.
is "$(ps -o ni= -p "$(sql "SELECT string_agg(pid::text, ',') FROM pg_stat_activity WHERE application_name = 'places'")" | tr -d ' ' | sort | uniq -c | tr -s ' ')" \
    ' 8 10' 'sessions of readers give way to the node'
like "$(as reader ninth 'SELECT 1')" 'too many connections for role "tidemark_reader"' 'a ninth is not'
for role in node api admin; do
    is "$(sql_as $role 'SELECT 1')" 1 "$role finds a place"
done
is "$(sql "SELECT bool_and(rolconnlimit > 0) AND sum(rolconnlimit) <= current_setting('max_connections')::int / 2 FROM pg_roles
           WHERE rolname IN ('tidemark_reader', 'tidemark_api', 'tidemark_admin')")" t 'all of them together leave half of the places'
sql "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'places'" >/dev/null
wait
like "$(PGDATABASE=postgres as reader elsewhere 'SELECT 1')" 'rejects connection' 'a database without limits lets no reader in'
like "$(PGDATABASE=template1 as api elsewhere 'SELECT 1')" 'rejects connection' 'nor the API'

# --- disk and memory, limited by the server alone -------------------------------------------------

like "$(as reader files "SET work_mem = '64kB'" 'SELECT count(*) FROM (SELECT i FROM generate_series(1, 10000000) i ORDER BY random()) x')" \
    'temporary file size exceeds temp_file_limit' 'temporary files'
like "$(as reader memory "SET work_mem = '2000GB'" 'SET hash_mem_multiplier = 1000' 'SELECT length(string_agg(repeat(i::text, 1000), $$$$)) FROM generate_series(1, 200000) i')" \
    'out of memory' 'memory'
like "$(as reader memory "SET work_mem = '2000GB'" 'SET hash_mem_multiplier = 1000' 'SELECT count(*) FROM (SELECT i, repeat(i::text, 20) FROM generate_series(1, 20000000) i GROUP BY 1, 2) x')" \
    'out of memory' 'memory of a hash table'

# --- submissions ---------------------------------------------------------------------------------

echo secret >"$test_dir/passphrase"
purse() { "$TIDEMARK" "$@" --keys "$test_dir/keys" --passphrase-file "$test_dir/passphrase"; }
purse keys import --input $keys/validator1.key >/dev/null
payer=$("$TIDEMARK" keys list --keys "$test_dir/keys" | awk 'NR == 1 { print $1 }')
tx() { purse tx send "$payer" "$payer" 1 --print --data "$data"; }
signed=$(tx)
sql "INSERT INTO ops.submission (hash, tx, status) SELECT sha256(i::text::bytea), '\\x00', 'refused' FROM generate_series(1, 100010) i" \
    "INSERT INTO ops.submission (hash, tx) SELECT sha256(i::text::bytea), '\\x00' FROM generate_series(200001, 219999) i" >/dev/null
like "$(as api last "SELECT tidemark.submit_tx('\\x$signed')")" '^\\x[0-9a-f]{64}$' 'the last place of the queue'
is "$(sql "SELECT count(*) FROM ops.submission WHERE status = 'refused'")" 100008 'old refusals make room'
refusal=$(as api full "SELECT tidemark.submit_tx('\\x$(tx)')")
like "$refusal" '20000 transactions wait for a block.*HINT' 'a full queue says so'
sql 'DELETE FROM ops.submission' >/dev/null

# --- what is refused -----------------------------------------------------------------------------

before=$(sql "$traces")
PGAPPNAME=operator psql -XqAt -c 'SELECT pg_sleep(100000)' >/dev/null 2>&1 &
operator=$!
"$TIDEMARK" up --data "$data" --keys $keys --interval 0.2 --reader-statement 2 --reader-transaction 3 --reader-idle 4 >"$log" 2>&1 &
up=$!
wait_for 120 above 1
ok $? 'a chain grows' "$(tail -n 5 "$log")"
node=$(pgrep -P $up -x tidemarkd)

tests_before=$tests_run
denied='not allowed|permission denied|must be superuser|must be owner|must be a member|permission to|not permitted'
# In one session for each role; what each statement was answered stands below it.
attacks() { # ROLE
    local statement
    echo 'SET client_min_messages = error;'
    while IFS='|' read -r role statement; do
        [ "$role" != "$1" ] || printf '\\echo @%s\n%s;\nROLLBACK;\n' "$statement" "$statement"
    done <"$test_dir/attacks"
}
cat >"$test_dir/attacks" <<'END'
reader|DELETE FROM ledger.tip
reader|UPDATE ops.node SET status = 'x'
reader|INSERT INTO ops.submission (hash, tx) VALUES (sha256(''), '')
api|INSERT INTO ops.submission (hash, tx) VALUES (sha256(''), '')
reader|TRUNCATE ledger.block
reader|COPY ledger.tip FROM PROGRAM 'true'
reader|COPY ledger.tip TO PROGRAM 'true'
reader|COPY ledger.tip TO '/tmp/tip'
reader|COPY ledger.tip FROM '/etc/passwd'
reader|CREATE TABLE public.mine (x int)
reader|CREATE TEMP TABLE mine (x int)
reader|SELECT 1 AS x INTO TEMP mine
reader|CREATE SCHEMA mine
reader|CREATE VIEW state.mine AS SELECT 1
reader|CREATE FUNCTION tidemark.mine() RETURNS int LANGUAGE sql RETURN 1
api|CREATE OR REPLACE FUNCTION tidemark.submit_tx(bytea) RETURNS tidemark.hash32 LANGUAGE sql RETURN NULL
reader|DO 'BEGIN LOOP END LOOP; END'
api|DO 'BEGIN LOOP END LOOP; END'
reader|CREATE EXTENSION pg_stat_statements
reader|CREATE DATABASE mine
reader|CREATE ROLE mine
reader|ALTER ROLE tidemark_reader SET temp_file_limit = -1
reader|ALTER ROLE tidemark_reader CONNECTION LIMIT -1
reader|BEGIN READ WRITE; ALTER ROLE tidemark_reader PASSWORD 'mine'
reader|BEGIN READ WRITE; ALTER ROLE tidemark_reader SET statement_timeout = 0
reader|BEGIN READ WRITE; ALTER ROLE tidemark_reader IN DATABASE tidemark SET search_path = public
reader|BEGIN READ WRITE; ALTER ROLE CURRENT_USER RESET ALL
api|ALTER ROLE tidemark_api RESET ALL
reader|ALTER SYSTEM SET fsync = off
reader|ALTER TABLE ledger.tip DISABLE TRIGGER ALL
reader|DROP TABLE ledger.tip
reader|REINDEX TABLE ledger.tip
reader|CREATE EVENT TRIGGER mine ON ddl_command_end EXECUTE FUNCTION x()
reader|CREATE PUBLICATION mine FOR ALL TABLES
reader|SELECT pg_create_physical_replication_slot('mine')
reader|CHECKPOINT
reader|SELECT pg_switch_wal()
reader|SELECT pg_reload_conf()
reader|SET ROLE tidemark_node
reader|SET ROLE tidemark_owner
api|SET ROLE tidemark_node
reader|SET SESSION AUTHORIZATION postgres
reader|SET session_preload_libraries = ''
reader|SET session_replication_role = replica
reader|SET temp_file_limit = -1
reader|SET tidemark.memory_limit = 0
reader|SELECT set_config('tidemark.memory_limit', '0', false)
reader|SET tidemark.nice = 0
reader|SET log_statement = 'all'
reader|SET log_min_messages = debug5
reader|SET log_min_error_statement = debug5
reader|LOAD '/tmp/mine.so'
reader|BEGIN; LOCK TABLE ledger.account IN EXCLUSIVE MODE
reader|BEGIN; LOCK TABLE ledger.tip IN ROW SHARE MODE
reader|SELECT * FROM ledger.tip FOR UPDATE
reader|SELECT * FROM ledger.tip FOR KEY SHARE
reader|SELECT pg_advisory_lock(i) FROM generate_series(1, 1000000) i
reader|SELECT pg_try_advisory_xact_lock_shared(1)
api|SELECT pg_advisory_lock(1, 2)
reader|NOTIFY tidemark_block, '1'
reader|SELECT pg_notify('tidemark_block', repeat('x', 7000) || i) FROM generate_series(1, 1000000) i
api|NOTIFY junk
reader|SELECT pg_logical_emit_message(false, 'junk', repeat('x', 1000000))
reader|SELECT txid_current()
reader|SELECT pg_current_xact_id()
reader|SELECT pg_export_snapshot() FROM generate_series(1, 100000)
reader|SELECT pg_terminate_backend(pid) FROM pg_stat_activity
api|SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE usename = 'tidemark_reader'
reader|SELECT lo_import('/etc/passwd')
reader|SELECT lo_from_bytea(0, '\x00')
reader|SELECT lo_export(1, '/tmp/mine')
reader|SELECT pg_read_file('/etc/passwd')
reader|SELECT pg_read_binary_file('PG_VERSION')
reader|SELECT pg_ls_dir('.')
reader|SELECT * FROM pg_authid
reader|SELECT pg_stat_reset()
reader|SELECT * FROM ops.watched_sessions()
reader|SELECT ops.end_session(1, now(), '', '')
reader|SELECT tidemark.rollback(0)
reader|SELECT tidemark.restore_rows('account', 0)
reader|SELECT tidemark.submit_tx('\x00')
END
for role in reader api; do
    attacks $role | sed 's/^\\echo @\(.*\)$/\\qecho @\1/' >"$test_dir/script"
    PGOPTIONS=$lifted PGAPPNAME=refused PGUSER=tidemark_$role psql -XqAt -f "$test_dir/script" >"$test_dir/answers" 2>&1
    while IFS='|' read -r statement answer; do
        like "$answer" "ERROR: .*($denied)" "$role: ${statement:0:90}"
    done < <(awk '/^@/ { if (s != "") print s "|" a; s = substr($0, 2); a = ""; next } { a = a " " $0 } END { print s "|" a }' "$test_dir/answers")
done
is "$(wc -l <"$test_dir/attacks")" $((tests_run - tests_before)) 'each attack has its answer'
like "$(as reader refused 'BEGIN' "PREPARE TRANSACTION 'mine'")" 'prepared transactions are disabled' 'transactions in two phases'
like "$(as reader refused 'SELECT dblink($$dbname=tidemark$$)')" 'does not exist' 'dblink is not there'
like "$(PGOPTIONS='-c temp_file_limit=-1' sql_as reader 'SELECT 1')" 'permission denied to set parameter' 'nor do startup options lift a limit'
is "$(PGOPTIONS='-c tidemark.memory_limit=0' sql_as reader 'SHOW tidemark.memory_limit' | tail -n 1)" 1GB 'the memory limit neither'
grows 'refused attacks'

# --- what is ended -------------------------------------------------------------------------------

# ended NAME REASON: the watchdog has recorded it so
ended() {
    [[ $(sql "SELECT reason FROM ops.ended_session WHERE application_name = '$1' ORDER BY id DESC LIMIT 1") =~ $2 ]]
}
# busy ROLE NAME STATEMENT…: in the background; what it was told is in $test_dir/NAME
busy() { as "$@" >"$test_dir/$2" 2>&1 & attackers+=($!); }
# held ROLE NAME STATEMENT: a client that says this and then nothing, without closing
held() {
    mkfifo "$test_dir/$2.in"
    exec {hold}<>"$test_dir/$2.in"
    PGOPTIONS=$lifted PGAPPNAME=$2 PGUSER=tidemark_$1 psql -XqAt <"$test_dir/$2.in" >"$test_dir/$2" 2>&1 {hold}>&- &
    attackers+=($!)
    echo "$3" >&"$hold"
    holds[$2]=$hold
}
declare -A holds=()
attackers=()
# Slow steps: rows would fill temporary files before the time is up.
busy reader recursion 'WITH RECURSIVE x(n) AS (SELECT 1::bigint UNION ALL SELECT (SELECT count(*) + n FROM generate_series(1, 100000)) FROM x) SELECT count(*) FROM x'
busy reader series 'SELECT count(*) FROM (SELECT generate_series(1, 10000000000000)) x'
busy reader product 'SELECT count(*) FROM state.account a, state.account b, state.account c, state.account d'
busy reader sleep 'SELECT pg_sleep(100000)'
busy reader regex "SELECT bool_or(repeat('x', 20000) ~ ('(x+)(x+)\\1\\2y' || i)) FROM (SELECT generate_series(1, 1000000)) s(i)"
busy reader roots 'SELECT count(*) FROM generate_series(1, 1000000) i, tidemark.verify_state(1 + i % 2)'
busy api api 'SELECT count(*) FROM (SELECT generate_series(1, 10000000000000)) x'
for attacker in "${attackers[@]}"; do wait "$attacker"; done
for name in recursion series product sleep regex roots api; do
    like "$(cat "$test_dir/$name")" 'terminating connection.*HINT: .*ops.ended_session' "$name: the session is ended and told where to look"
    # the row is committed after the session is told
    wait_for 120 ended $name '^a statement ran for .* s; the limit is 2.0 s$'
    ok $? "$name: with the reason" "$(sql "SELECT application_name, reason FROM ops.ended_session")"
done
grows 'endless statements'

attackers=()
held reader snapshot 'BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT height FROM ledger.tip;'
held reader cursor 'BEGIN; DECLARE c CURSOR FOR SELECT * FROM state.account; FETCH 1 FROM c;'
held reader lock 'BEGIN; LOCK TABLE ledger.account IN ACCESS SHARE MODE;'
held api pending 'BEGIN; SELECT 1;'
held reader listener 'LISTEN tidemark_block;'
held reader holder 'DECLARE c CURSOR WITH HOLD FOR SELECT * FROM state.account;'
drops=()
for _ in $(seq 4000); do drops+=('SELECT pg_sleep(0.05)'); done
busy reader drip 'BEGIN' "${drops[@]}"
for name in snapshot cursor lock pending drip; do
    wait_for 120 ended $name '^a transaction was open for .* s; the limit is 3.0 s$'
    ok $? "$name: ended" "$(sql "SELECT application_name, reason FROM ops.ended_session")"
done
for name in listener holder; do
    wait_for 120 ended $name '^the session was idle for .* s; the limit is 4.0 s$'
    ok $? "$name: ended" "$(sql "SELECT application_name, reason FROM ops.ended_session")"
done
wait_for 120 left true
ok $? 'none of them is left' "$(sql 'SELECT application_name, state FROM pg_stat_activity')"
for name in "${!holds[@]}"; do
    echo 'SELECT 1;' >&"${holds[$name]}"
    hold=${holds[$name]}
    exec {hold}>&-
done
for attacker in "${attackers[@]}"; do wait "$attacker"; done
for name in snapshot cursor lock pending drip listener holder; do
    like "$(cat "$test_dir/$name")" 'terminating connection.*HINT: .*ops.ended_session' "$name: told at its next word"
done
grows 'open transactions'
is "$(as reader why "SELECT bool_and(hint <> '' AND query <> '' AND role IN ('tidemark_reader', 'tidemark_api')) FROM ops.ended_session")" t \
    'readers see why, and what to do instead'
like "$(cat "$log")" 'session [0-9]+ of tidemark_reader is ended: a statement ran' "the node's output says so"
is "$(sql "SELECT count(*) FROM ops.ended_session WHERE application_name = 'operator' OR role NOT IN ('tidemark_reader', 'tidemark_api')")" 0 \
    'nobody else is ended'
kill -0 $operator
ok $? "an operator's long statement goes on"

# --- vacuum --------------------------------------------------------------------------------------

PGAPPNAME=freeze psql -Xq -c 'SET vacuum_cost_delay = 100' -c 'SET vacuum_cost_limit = 1' -c 'VACUUM (FREEZE)' >"$test_dir/freeze" 2>&1 &
freeze=$!
freezing() { [ "$(sql 'SELECT count(*) FROM pg_stat_progress_vacuum')" -gt 0 ]; }
wait_for 120 freezing
ok $? 'a slow VACUUM (FREEZE) of everything runs'
grows 'meanwhile'
kill -0 $freeze
ok $? 'and it still runs' "$(cat "$test_dir/freeze")"
sql "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = 'freeze'" >/dev/null
wait $freeze
sql 'VACUUM (FREEZE) ledger.account_history, ledger.block' >/dev/null
grows 'after a whole one'
# As far as the oldest snapshot lets it, which is that of the operator's statement.
is "$(sql "SELECT count(*) FROM ops.table_health WHERE table_name IN ('block', 'account_history_0') AND last_vacuum IS NOT NULL
           AND frozen_age <= (SELECT age(backend_xmin) FROM pg_stat_activity WHERE application_name = 'operator')
           AND until_forced_vacuum > 190000000")" 2 'ops.table_health shows it'
is "$(sql "SELECT string_agg(table_name, ' ') FROM ops.table_health WHERE schema_name = 'ledger'
           AND table_name NOT IN ('migration', 'versioned', 'chain', 'supply_total')
           AND (storage_parameters !~ 'vacuum_truncate=(off|false)' OR storage_parameters !~ 'autovacuum_freeze_table_age=100000000')")" '' \
    'every table of ledger has its parameters'
is "$(sql "SELECT count(*) FROM ops.table_health WHERE (table_name ~ '_history_[0-5]\$' OR table_name IN ('block', 'transaction', 'change'))
           AND (storage_parameters ~ 'autovacuum_freeze_min_age=0') IS NOT TRUE")" 0 'what never changes is frozen at once'

# --- afterwards ----------------------------------------------------------------------------------

is "$(pgrep -P $up -x tidemarkd)" "$node" 'it is the same node'
peak=$(awk '/^VmHWM/ { print int($2 / 1024) }' "/proc/$node/status")
[ "${peak:-9999}" -lt 500 ]
ok $? 'which never needed 500 MB' "$peak MB"
sql "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'operator'" >/dev/null
wait $operator
kill -TERM $up
wait $up
is $? 0 'it ends as asked'
is "$(sql "$traces")" "$before" 'the attacks left nothing behind'
succeeds 'every block verifies' "$TIDEMARK" verify --all --data "$data"
fails 2 'limits that are none' "$(dirname "$TIDEMARK")/tidemarkd" --db x --keys y --reader-idle never
like "$output" 'reader-idle takes seconds from 0' 'are refused'
done_testing
