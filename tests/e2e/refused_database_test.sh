#!/usr/bin/env bash
# Databases that cannot hold a chain, or not this program's: every command says what is wrong with it and
# what to do, and changes nothing.
set -u
. tests/lib.sh

genesis=tests/vectors/localnet/genesis.json
data=$test_dir/chain
keys=deploy/localnet/keys
"$TIDEMARK" init --data "$data" --genesis $genesis >/dev/null || { echo 'Bail out! no chain'; exit 1; }
cluster_start chain
socket=$PGHOST

run_replay() { "$TIDEMARK" replay --data "$data" "$test_dir/blocks"; }
run_up() { timeout 300 "$TIDEMARK" up --data "$data" --keys $keys --interval 0.1 --blocks 1; }
run_node() { timeout 300 "${TIDEMARK}d" --db "$("$TIDEMARK" db url --role node --data "$data")" --keys $keys --blocks 1; }
: >"$test_dir/blocks"
succeeds 'the database is right: replay' run_replay
succeeds 'export' "$TIDEMARK" export "$test_dir/genesis_block" --data "$data"
succeeds 'verify' "$TIDEMARK" verify --data "$data"
succeeds 'status' "$TIDEMARK" status --data "$data"
contents() {
    sql 'SELECT (SELECT count(*) FROM ledger.block), (SELECT state_hash FROM ledger.tip),
        (SELECT count(*) FROM ops.submission)'
}
before=$(contents)

# writers_refuse NAME REGEX: the commands that write, or export what they are to believe
# readers_refuse NAME REGEX: those that look
writers_refuse() {
    fails 1 "$1: replay" run_replay
    like "$output" "$2" 'says what to do'
    fails 1 "$1: up" run_up
    like "$output" "$2" 'says what to do'
    fails 1 "$1: the node by itself" run_node
    like "$output" "$2" 'says what to do'
    fails 1 "$1: export" "$TIDEMARK" export "$test_dir/exported" --data "$data"
    like "$output" "$2" 'says what to do'
}
readers_refuse() {
    fails 1 "$1: status" "$TIDEMARK" status --data "$data"
    like "$output" "$2" 'says what to do'
    fails 1 "$1: verify" "$TIDEMARK" verify --data "$data"
    like "$output" "$2" 'says what to do'
    fails 1 "$1: query" "$TIDEMARK" query balance 00104055c00bed7c983a48aac7dc6335d7c607a7 --data "$data"
    like "$output" "$2" 'says what to do'
    fails 1 "$1: tx" "$TIDEMARK" tx submit 0a00 --data "$data"
    like "$output" "$2" 'says what to do'
}
migrate_refuses() {
    fails 1 "$1: migrate" "$TIDEMARK" migrate --data "$data"
    like "$output" "$2" 'says what to do'
}

# --- encoding and collation ----------------------------------------------------------------------

# wrong_database NAME OPTIONS REGEX
wrong_database() {
    PGDATABASE=postgres sql 'DROP DATABASE IF EXISTS wrong WITH (FORCE)' "CREATE DATABASE wrong TEMPLATE template0 $2" >/dev/null
    for command in "init --genesis $genesis" migrate; do
        # shellcheck disable=SC2086
        fails 1 "$1: $command" "$TIDEMARK" $command --db "host=$socket user=postgres dbname=wrong"
        like "$output" "$3.*CREATE DATABASE name TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'" \
            'says what to do'
    done
    is "$(PGDATABASE=wrong sql "SELECT to_regnamespace('ledger') IS NULL, count(*) FROM pg_extension")" 't|1' \
        'and makes nothing in it'
}
wrong_database 'Latin 1' "ENCODING 'LATIN1' LOCALE 'C'" 'encoding is LATIN1'
wrong_database 'no encoding' "ENCODING 'SQL_ASCII' LOCALE 'C'" 'encoding is SQL_ASCII'
wrong_database 'a collation' "ENCODING 'UTF8' LOCALE 'C.UTF-8'" 'collation is C.UTF-8 / C.UTF-8'
wrong_database 'a character type' "ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C.UTF-8'" 'collation is C / C.UTF-8'
wrong_database 'ICU' "ENCODING 'UTF8' LOCALE_PROVIDER icu ICU_LOCALE 'und' LOCALE 'C'" 'collation is C / C of ICU'

# --- what could change or hide rows --------------------------------------------------------------

sql "CREATE FUNCTION public.nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'" \
    "CREATE FUNCTION public.event() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN NULL; END'" >/dev/null
# thing NAME STATEMENT UNDO REGEX
thing() {
    sql "$2" >/dev/null
    writers_refuse "$1" "$4"
    sql "$3" >/dev/null
}
thing 'a trigger' 'CREATE TRIGGER mine BEFORE INSERT ON ledger.account FOR EACH ROW EXECUTE FUNCTION public.nothing()' \
    'DROP TRIGGER mine ON ledger.account' 'trigger mine on ledger\.account .*drop it'
thing 'a trigger on a partition' 'CREATE TRIGGER mine AFTER INSERT ON ledger.account_history_0 FOR EACH ROW
    EXECUTE FUNCTION public.nothing()' 'DROP TRIGGER mine ON ledger.account_history_0' \
    'trigger mine on ledger\.account_history_0 .*drop it'
thing 'a rule' 'CREATE RULE mine AS ON INSERT TO ledger.param DO ALSO NOTIFY x' 'DROP RULE mine ON ledger.param' \
    'rule mine on ledger\.param .*drop it'
thing 'a policy' 'CREATE POLICY mine ON ledger.block USING (false)' 'DROP POLICY mine ON ledger.block' \
    'policy mine on ledger\.block .*drop it'
thing 'row security' 'ALTER TABLE ledger.block ENABLE ROW LEVEL SECURITY' 'ALTER TABLE ledger.block DISABLE ROW LEVEL SECURITY' \
    'row security on ledger\.block .*DISABLE ROW LEVEL SECURITY'
thing 'an event trigger' 'CREATE EVENT TRIGGER mine ON ddl_command_start EXECUTE FUNCTION public.event()' \
    'DROP EVENT TRIGGER mine' 'event trigger mine .*drop it'
sql 'CREATE EVENT TRIGGER mine ON ddl_command_start EXECUTE FUNCTION public.event()' >/dev/null
migrate_refuses 'an event trigger' 'event trigger mine .*drop it'
sql 'DROP EVENT TRIGGER mine' >/dev/null

# --- another extension ---------------------------------------------------------------------------

build=$(sql 'SELECT tidemark.build_id()')
definition=$(sql "SELECT pg_get_functiondef('tidemark.build_id'::regproc)")
thing 'another build of the extension' "CREATE OR REPLACE FUNCTION tidemark.build_id() RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS \$\$SELECT '0123456789abcdef'\$\$" "$definition" \
    "extension in the database is of build 0123456789abcdef and this program of build $build; install both"

# --- another schema ------------------------------------------------------------------------------

all_refuse() {
    writers_refuse "$@"
    readers_refuse "$@"
}
last=$(sql 'SELECT max(number) FROM ledger.migration')
sql "INSERT INTO ledger.migration (number, name, sha256) VALUES ($last + 1, '9999_future.sql', sha256(''))" >/dev/null
all_refuse 'a newer database' 'newer than this program: it has migration 9999_future\.sql.*use the program that upgraded it'
migrate_refuses 'a newer database' 'newer than this program'
fails 1 'a newer database: init' "$TIDEMARK" init --data "$data" --genesis $genesis
like "$output" 'newer than this program' 'says what to do'
sql "DELETE FROM ledger.migration WHERE number > $last" >/dev/null

sql 'CREATE TABLE public.kept AS TABLE ledger.migration' 'DELETE FROM ledger.migration WHERE number = 2' >/dev/null
all_refuse 'a half migrated database' 'half migrated: 0003_.* number 2 was not: restore it from a backup'
migrate_refuses 'a half migrated database' 'half migrated'
sql 'DELETE FROM ledger.migration WHERE number > 1' >/dev/null
all_refuse 'an older database' "older than this program \\(migration 1 of $last\\): run tidemark migrate"
sql 'DELETE FROM ledger.migration' 'INSERT INTO ledger.migration TABLE public.kept' \
    "UPDATE ledger.migration SET sha256 = sha256('') WHERE number = 3" >/dev/null
all_refuse 'an edited migration' 'migration 3 was edited after it was applied \(0003_.*put the released file back'
migrate_refuses 'an edited migration' 'migration 3 was edited'
sql 'DELETE FROM ledger.migration' 'INSERT INTO ledger.migration TABLE public.kept' \
    "UPDATE ledger.migration SET sha256 = sha256('') WHERE number = 0" >/dev/null
all_refuse 'views of another program' 'views and functions of another version.*run tidemark migrate'
succeeds 'migrate renews those' "$TIDEMARK" migrate --data "$data"
sql 'DROP TABLE public.kept' >/dev/null

# --- no chain ------------------------------------------------------------------------------------

chain=$data
data=$test_dir/none
readers_refuse 'no database' 'tidemark init'
fails 1 'no database: up' run_up
like "$output" 'tidemark init' 'says what to do'
[ ! -e "$data" ]
ok $? 'and none is made'
cluster_start none
for state in 'an empty database' 'no chain'; do
    all_refuse "$state" 'tidemark init'
    "$TIDEMARK" migrate --data "$data" >/dev/null
done
"$TIDEMARK" db stop --data "$data" >/dev/null
data=$chain
PGHOST=$socket
PGDATABASE=postgres sql 'CREATE DATABASE foreign_schema' >/dev/null
PGDATABASE=foreign_schema sql 'CREATE SCHEMA ledger' >/dev/null
for command in "init --genesis $genesis" migrate status verify; do
    # shellcheck disable=SC2086
    fails 1 "somebody else's schema: ${command%% *}" "$TIDEMARK" $command --db "host=$socket user=postgres dbname=foreign_schema"
    like "$output" "not Tidemark's: use an empty database" 'says what to do'
done

# --- the server ----------------------------------------------------------------------------------

# server SETTING…: the database server with other settings
server() {
    "$TIDEMARK" db stop --data "$data" >/dev/null
    printf '%s\n' "$@" >"$data/cluster/data/local.conf"
    "$TIDEMARK" db start --data "$data" >/dev/null
}
server 'fsync = off'
writers_refuse 'fsync off' 'fsync = off, .*set it to on in postgresql\.conf'
migrate_refuses 'fsync off' 'fsync = off'
server 'full_page_writes = off'
writers_refuse 'full_page_writes off' 'full_page_writes = off, .*set it to on in postgresql\.conf'
server ''
"$TIDEMARK" db stop --data "$data" >/dev/null
touch "$data/cluster/data/standby.signal"
chown --reference="$data/cluster/data/PG_VERSION" "$data/cluster/data/standby.signal"
"$TIDEMARK" db start --data "$data" >/dev/null
is "$(sql 'SELECT pg_is_in_recovery()')" t 'a replica'
writers_refuse 'a replica' 'a replica or in recovery and takes no writes; connect to the primary'
migrate_refuses 'a replica' 'connect to the primary'
fails 1 'a replica: tx' "$TIDEMARK" tx submit 0a00 --data "$data"
succeeds 'a replica: status' "$TIDEMARK" status --data "$data"
succeeds 'a replica: verify' "$TIDEMARK" verify --data "$data"
"$TIDEMARK" db stop --data "$data" >/dev/null
rm "$data/cluster/data/standby.signal"
"$TIDEMARK" db start --data "$data" >/dev/null

is "$(contents)" "$before" 'nothing was changed by all that'
succeeds 'status is content' "$TIDEMARK" status --data "$data"
succeeds 'and a node makes a block' run_up
done_testing
