#!/usr/bin/env bash
# `tidemark db listen`: a TCP port for readers with a password, off by default, and for nobody else.
. tests/lib.sh
data=$test_dir/a

# a port nobody listens on: where two tests try the same one, the second takes the next; below those
# that the system gives to connections going out (32768 and up)
port=$((20000 + $$ % 12000))
while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do port=$((port + 1)); done

fails 1 'listen without a database' "$TIDEMARK" db listen $port --data "$test_dir/none"
"$TIDEMARK" db start --data "$data" >/dev/null
fails 1 'listen without a chain' "$TIDEMARK" db listen $port --data "$data"
like "$output" 'no chain here yet' 'says so'
"$TIDEMARK" db stop --data "$data" >/dev/null
"$TIDEMARK" migrate --data "$data" >/dev/null
"$TIDEMARK" db readers deny --data "$data" >/dev/null
for word in '' 0 80 1023 65536 x -1 5433x; do
    fails 2 "listen \"$word\"" "$TIDEMARK" db listen "$word" --data "$data"
done
like "$output" 'a port from 1024 to 65535, or off' 'says what is expected'

# --- allowed ---------------------------------------------------------------------------------------
succeeds 'listen' "$TIDEMARK" db listen $port --data "$data"
like "$output" "jdbc:postgresql://127.0.0.1:$port/tidemark" 'prints the URL of JDBC'
like "$output" 'readers may not log in' 'and that readers are refused'
password=$(sed -n 's/^password *//p' <<<"$output")
like "$password" '^[0-9a-f]{32}$' 'a password of 128 bits'
"$TIDEMARK" db readers allow --data "$data" >/dev/null

over_tcp() { # USER [PASSWORD]: what this user sees over TCP
    PGPASSWORD=${2:-} psql -XqAt -h 127.0.0.1 -p $port -U "$1" -d "${3:-tidemark}" -w -c 'SELECT current_user' 2>&1
}
cluster_start a
is "$(over_tcp tidemark_reader "$password")" tidemark_reader 'the reader comes in'
like "$(over_tcp tidemark_reader wrong)" 'password authentication failed' 'not with another password'
like "$(over_tcp tidemark_reader)" 'no password supplied' 'nor without one'
like "$(over_tcp tidemark_reader "$password" postgres)" 'no pg_hba.conf entry' 'nor to another database'
for user in postgres tidemark_api tidemark_node tidemark_admin tidemark_owner; do
    like "$(over_tcp $user "$password")" 'no pg_hba.conf entry|pg_hba.conf rejects' "$user does not"
done
"$TIDEMARK" db readers add alice --data "$data" >"$test_dir/alice"
is "$(psql -XqAt -w "$(sed -n 's/^network *//p' "$test_dir/alice")" -c 'SELECT current_user' 2>&1 | grep -c 'no password')" 1 \
    "a reader's own role does with its password"
hers=$(sed -n 's/^password *//p' "$test_dir/alice")
is "$(PGPASSWORD=$hers psql -XqAt -w "$(sed -n 's/^network *//p' "$test_dir/alice")" -c 'SELECT current_user' 2>&1)" alice 'at the URL that was printed'
like "$(over_tcp alice "$password")" 'password authentication failed' "not with tidemark_reader's"
like "$(over_tcp alice "$hers" postgres)" 'no pg_hba.conf entry' 'nor to another database'
sql 'GRANT tidemark_api TO alice' >/dev/null
like "$(over_tcp alice "$hers")" 'pg_hba.conf rejects' 'nor where it may do more than read'
"$TIDEMARK" db readers remove alice --data "$data" >/dev/null
is "$(sql 'SELECT current_user')" postgres 'the socket is where it was'
is "$(sql 'SHOW listen_addresses')" 127.0.0.1 'one address'
is "$(sql "SELECT left(rolpassword, 14) FROM pg_authid WHERE rolname = 'tidemark_reader'")" 'SCRAM-SHA-256$' \
    'the password is kept as a verifier'
is "$(grep -c "$password" "$data/cluster/postgres.log")" 0 'and stands in no log'
is "$(sql "SELECT count(*) FROM pg_authid WHERE rolpassword IS NOT NULL")" 1 'no other role has one'
like "$("$TIDEMARK" db status --data "$data")" "network +127.0.0.1:$port for tidemark_reader" 'status names it'
"$TIDEMARK" migrate --data "$data" >/dev/null
is "$(over_tcp tidemark_reader "$password")" tidemark_reader 'still after migrate'

succeeds 'listen again' "$TIDEMARK" db listen $port --data "$data"
unlike "$output" 'in force when' 'is in force at once'
like "$(over_tcp tidemark_reader "$password")" 'password authentication failed' 'and makes another password'

# --- a port that is taken --------------------------------------------------------------------------
"$TIDEMARK" migrate --data "$test_dir/b" >/dev/null
fails 1 'the port of another' "$TIDEMARK" db listen $port --data "$test_dir/b"
like "$output" 'Address already in use' 'is refused'
echo $port >"$test_dir/b/listen"
fails 1 'nor does a database start on it' "$TIDEMARK" db start --data "$test_dir/b"
like "$output" "cannot listen on 127.0.0.1:$port.*tidemark db listen off" 'and says what to do'
echo nonsense >"$test_dir/b/listen"
fails 1 'a file with something else' "$TIDEMARK" db start --data "$test_dir/b"
like "$output" 'does not hold a port' 'is named'
succeeds 'off, with a database that cannot start' "$TIDEMARK" db listen off --data "$test_dir/b"
succeeds 'and it starts' "$TIDEMARK" db start --data "$test_dir/b"
"$TIDEMARK" db stop --data "$test_dir/b" >/dev/null

# --- off -------------------------------------------------------------------------------------------
kill -9 "$(head -1 "$data/cluster/data/postmaster.pid")"
cluster_start a
is "$(sql 'SHOW port')" $port 'after a crash it listens again'
succeeds 'off' "$TIDEMARK" db listen off --data "$data"
succeeds 'off again' "$TIDEMARK" db listen off --data "$data"
cluster_stop a
[ ! -e "$PGHOST" ]
ok $? 'no socket stays'
cluster_start a
is "$(sql 'SHOW listen_addresses' 'SHOW port')" $'\n5432' 'no port any more'
like "$(over_tcp tidemark_reader "$password")" 'Connection refused' 'nobody answers'
is "$(grep -c '^host' "$data/cluster/data/pg_hba.conf")" 0 'no line for it is left'
done_testing
