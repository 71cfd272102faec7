#!/usr/bin/env bash
# The commands around the database as a person types them: help, usage, init, migrate, psql, status.
. tests/lib.sh

genesis=tests/vectors/localnet/genesis.json
standard_hash=013850a053823e1c4c23abac95e979830cfb3b0440c25f64020f7c1ce83cef1b

# --- help and usage ---------------------------------------------------------------------------------

succeeds 'help' "$TIDEMARK" --help
like "$output" 'usage: tidemark COMMAND' 'lists the commands'
commands=$(sed -n 's/^  \([a-z]*\) .*/\1/p' <<<"$output")
for command in $commands; do
    succeeds "$command --help" "$TIDEMARK" "$command" --help
    like "$output" "^usage: tidemark $command" "$command --help is about $command"
done
fails 2 'no command' "$TIDEMARK"
fails 2 'an unknown command' "$TIDEMARK" dance
like "$output" 'dance.*--help' 'is named, with what helps'
fails 2 'an unknown option' "$TIDEMARK" status --colour
like "$output" '--colour.*status --help' 'is named'
fails 2 'an option without its value' "$TIDEMARK" status --data
fails 2 'a word too many' "$TIDEMARK" status now
fails 2 'db without a verb' "$TIDEMARK" db
fails 2 'db with an unknown verb' "$TIDEMARK" db dance
fails 2 'db with a word too many' "$TIDEMARK" db start now
like "$output" 'unexpected word "now"' 'is named'
succeeds 'db readers --help' "$TIDEMARK" db readers --help
like "$output" 'readers allow.deny.*readers add NAME \[--connections N\] \[--password-file FILE\].*readers remove NAME.*readers list' \
    'lists what readers does'
fails 2 'an unknown role' "$TIDEMARK" psql --role king
fails 2 'init without a genesis file' "$TIDEMARK" init
fails 2 'unknown rules' "$TIDEMARK" init --genesis $genesis --rules mine
fails 2 'data and db together' "$TIDEMARK" init --genesis $genesis --data x --db y
fails 2 'no blocks' "$TIDEMARK" up --blocks 0
fails 2 'no interval' "$TIDEMARK" up --interval soon
fails 1 'status where nothing is' "$TIDEMARK" status --data "$test_dir/none"
like "$output" 'tidemark init' 'says how to begin'

# --- init --------------------------------------------------------------------------------------------

data=$test_dir/chain
fails 1 'init without such a file' "$TIDEMARK" init --data "$data" --genesis nowhere.json
like "$output" 'nowhere.json' 'names it'
sed 's/"amount": *"[0-9]*"/"amount":"much"/' $genesis >"$test_dir/wrong.json"
fails 1 'init with a wrong file' "$TIDEMARK" init --data "$data" --genesis "$test_dir/wrong.json"
like "$output" 'amount' 'names the field'
[ ! -e "$data" ]
ok $? 'and makes no database'
succeeds 'init' "$TIDEMARK" init --data "$data" --genesis $genesis
like "$output" "state hash $standard_hash" 'prints the state hash of the standard genesis'
succeeds 'init again' "$TIDEMARK" init --data "$data" --genesis $genesis
like "$output" "already initialised.*$standard_hash" 'says that it is there'
fails 1 'init with other rules' "$TIDEMARK" init --data "$data" --genesis $genesis --rules reference
like "$output" 'another chain' 'is refused'
fails 1 'db status' "$TIDEMARK" db status --data "$data"
like "$output" 'running +no' 'init left no database running'

# --- psql and status -----------------------------------------------------------------------------------

succeeds 'db start' "$TIDEMARK" db start --data "$data"
succeeds 'status' "$TIDEMARK" status --data "$data"
like "$output" 'height +0 ' 'shows the height'
like "$output" "$standard_hash" 'the state hash'
like "$output" 'not running' 'and that no node runs'
is "$("$TIDEMARK" psql --data "$data" -c 'SELECT height FROM ledger.tip' -c 'SELECT 1, 2')" $'0\n1|2' \
    'psql -c prints bare rows'
is "$("$TIDEMARK" psql --data "$data" -c 'SELECT current_user')" tidemark_reader 'psql is the reader'
for role in api node admin; do
    is "$("$TIDEMARK" psql --data "$data" --role $role -c 'SELECT current_user')" tidemark_$role \
        "psql --role $role"
done
is "$("$TIDEMARK" psql --data "$data" --role owner -c 'SELECT current_user, session_user')" \
    'tidemark_owner|postgres' 'psql --role owner'
fails 1 'a failing statement' "$TIDEMARK" psql --data "$data" -c 'SELECT 1/0' -c "SELECT 'later'"
unlike "$output" 'later' 'ends the session'
fails 1 'the reader writes nothing' "$TIDEMARK" psql --data "$data" -c 'DELETE FROM ledger.tip'
is "$("$TIDEMARK" psql --data "$data" -c 'SHOW search_path')" '"$user", public, tidemark' \
    'search_path of the database'
succeeds 'the URL works with psql' psql -XqAt -c 'SELECT 1' "$("$TIDEMARK" db url --data "$data")"
succeeds 'and with --db' "$TIDEMARK" status --db "$("$TIDEMARK" db url --data "$data")"
for role in api node admin owner; do
    succeeds "URL of $role" psql -XqAt -c 'SELECT 1' \
        "$("$TIDEMARK" db url --data "$data" --role $role)"
done

succeeds 'readers deny' "$TIDEMARK" db readers deny --data "$data"
fails 2 'a reader is refused' psql -XqAt -c 'SELECT 1' "$("$TIDEMARK" db url --data "$data")"
like "$output" 'rejects connection' 'and told why'
fails 1 'also with --db' "$TIDEMARK" status --db "$("$TIDEMARK" db url --data "$data")"
like "$output" 'readers allow' 'and told what helps'
is "$("$TIDEMARK" psql --data "$data" -c 'SELECT current_user')" tidemark_reader \
    "the operator's psql still works"
succeeds 'readers allow' "$TIDEMARK" db readers allow --data "$data"
succeeds 'a reader is let in' psql -XqAt -c 'SELECT 1' "$("$TIDEMARK" db url --data "$data")"
fails 2 'readers maybe' "$TIDEMARK" db readers maybe --data "$data"

# --- migrate ---------------------------------------------------------------------------------------------

cluster_start chain
succeeds 'migrate' "$TIDEMARK" migrate --data "$data"
like "$output" 'up to date' 'has nothing to do'
last=$(sql 'SELECT max(number) FROM ledger.migration')
is "$(sql 'SELECT count(*) FROM ledger.migration WHERE number > 0')" "$(find migrations -name '*.sql' | wc -l)" \
    'every migration is recorded'

sql "DROP VIEW chain.block CASCADE; UPDATE ledger.migration SET sha256 = sha256('') WHERE number = 0" >/dev/null
fails 1 'views of another version' "$TIDEMARK" status --data "$data"
like "$output" 'tidemark migrate' 'are refused with what to do'
succeeds 'migrate renews them' "$TIDEMARK" migrate --data "$data"
is "$(sql "SELECT to_regclass('chain.block') IS NOT NULL")" t 'the view is back'
succeeds 'status is content' "$TIDEMARK" status --data "$data"

sql "UPDATE ledger.migration SET sha256 = sha256('') WHERE number = 2" >/dev/null
fails 1 'an edited migration' "$TIDEMARK" migrate --data "$data"
like "$output" 'was edited after it was applied.*0002' 'is refused and named'
hash=$(sha256sum migrations/0002_*.sql | cut -c1-64)
sql "UPDATE ledger.migration SET sha256 = '\\x$hash' WHERE number = 2" >/dev/null
succeeds 'the released file back' "$TIDEMARK" migrate --data "$data"

sql "INSERT INTO ledger.migration (number, name, sha256) VALUES ($last + 1, 'from_the_future.sql', sha256(''))" >/dev/null
fails 1 'a newer database' "$TIDEMARK" migrate --data "$data"
like "$output" 'newer than this program.*from_the_future' 'is refused'
fails 1 'by status too' "$TIDEMARK" status --data "$data"
sql "DELETE FROM ledger.migration WHERE number IN ($last + 1, 3)" >/dev/null
fails 1 'a half migrated database' "$TIDEMARK" migrate --data "$data"
like "$output" 'half migrated' 'is refused'

succeeds 'a database without a chain' "$TIDEMARK" migrate --data "$test_dir/empty"
fails 1 'status of it' "$TIDEMARK" status --data "$test_dir/empty"
like "$output" 'tidemark init' 'says what comes next'

psql -XqAt -d postgres -c 'CREATE DATABASE foreign_ledger' -c '\c foreign_ledger' \
    -c 'CREATE SCHEMA ledger' -c "CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'" >/dev/null
fails 1 "somebody else's schema ledger" "$TIDEMARK" migrate --db "host=$PGHOST user=postgres dbname=foreign_ledger"
like "$output" "not Tidemark's" 'is left alone'
fails 1 'a database of the wrong encoding' "$TIDEMARK" migrate --db "host=$PGHOST user=postgres dbname=latin"
like "$output" 'LATIN1.*CREATE DATABASE' 'is refused with what to do'
fails 1 'a server that is not there' "$TIDEMARK" migrate --db 'host=/nowhere dbname=x'
like "$output" 'cannot connect' 'is an error'

done_testing
