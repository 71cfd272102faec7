#!/usr/bin/env bash
# The embedded database as its users see it: start, stop, crash, roles, two side by side.
. tests/lib.sh

pid_of() {
    head -1 "$1/cluster/data/postmaster.pid"
}

# ours DIR: processes of the server of a directory and its keeper, zombies aside
ours() {
    local pid count=0
    for pid in /proc/[0-9]*; do
        [[ $(readlink "$pid/exe" 2>/dev/null) == "$(realpath "$1/cluster")"/* ]] && count=$((count + 1))
        [[ $({ tr '\0' ' ' <"$pid/cmdline"; } 2>/dev/null) == "tidemark-keeper $(realpath "$1")"* ]] &&
            count=$((count + 1))
    done
    echo $count
}

gone() {
    [ "$(ours "$1")" -eq 0 ]
}

one=$test_dir/one

fails 1 'stop without a database is refused' "$TIDEMARK" db stop --data "$test_dir/none"
like "$output" 'tidemark init' 'and says how to make one'
[ ! -e "$test_dir/none" ]
ok $? 'nothing was created'

succeeds 'start makes a cluster' "$TIDEMARK" db start --data "$one"
like "$output" "database started in .*one" 'and says so'
succeeds 'a second start' "$TIDEMARK" db start --data "$one"
like "$output" 'already' 'does nothing'
succeeds 'status of a running database' "$TIDEMARK" db status --data "$one"
like "$output" 'running +yes' 'says that it runs'

url=$("$TIDEMARK" db url --data "$one" --role admin)
like "$url" '^postgresql://tidemark_admin@/tidemark\?host=/tmp/tidemark-[0-9a-f]{12}$' 'url names role and socket'
export PGHOST=${url##*host=} PGUSER=postgres PGDATABASE=postgres
is "$(stat -c %a "$PGHOST")" 700 'the socket directory is closed to others'
is "$(sql 'SHOW listen_addresses')" '' 'no network address'
is "$(sql 'SHOW fsync' 'SHOW full_page_writes' 'SHOW data_checksums' 'SHOW jit' | tr '\n' ' ')" \
    'on on on off ' 'settings a chain rests on'
is "$(sql 'SHOW server_encoding' 'SHOW lc_collate' 'SHOW timezone' | tr '\n' ' ')" 'UTF8 C UTC ' \
    'encoding, collation, time zone'
[ "$(stat -c %U "/proc/$(pid_of "$one")")" != root ]
ok $? 'the server does not run as root'
like "$(readlink "/proc/$(pid_of "$one")/exe")" "$one/cluster/prefix/" 'the server is the private copy'

succeeds 'a cluster beside it' "$TIDEMARK" db start --data "$test_dir/two"
alone() { # the backends of earlier sessions have ended
    [ "$(sql "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'")" = 1 ]
}
wait_for 60 alone
ok $? 'the first one does not notice' "$(sql 'SELECT backend_type, query FROM pg_stat_activity')"
[ "$(pid_of "$one")" != "$(pid_of "$test_dir/two")" ]
ok $? 'two servers'
succeeds 'stop the second' "$TIDEMARK" db stop --data "$test_dir/two"
succeeds 'the first still answers' sql 'SELECT 1'

sql 'CREATE TABLE survivor AS SELECT 42 AS answer' >/dev/null
kill -9 "$(pid_of "$one")"
succeeds 'start after kill -9 of the server' "$TIDEMARK" db start --data "$one"
is "$(sql 'SELECT answer FROM survivor')" 42 'what was committed is there'

kill -9 "$(pid_of "$one")"
wait_for 60 gone "$one"
sed -i "1s/.*/$$/" "$one/cluster/data/postmaster.pid"
succeeds 'start when the pid file names a process that is not ours' "$TIDEMARK" db start --data "$one"
is "$(sql 'SELECT answer FROM survivor')" 42 'and it answers'

start=$(date +%s%N)
succeeds 'stop' "$TIDEMARK" db stop --data "$one"
took=$((($(date +%s%N) - start) / 1000000))
# logged TEXT: when the server last wrote this line, in milliseconds
logged() {
    local at
    at=$(grep "$1" "$one/cluster/postgres.log" | tail -n 1 | cut -d ' ' -f 1,2)
    [ -n "$at" ] && echo $(($(date -ud "$at" +%s%N) / 1000000))
}
# from the request to its last line: a checkpoint, on whatever disk there is
needed=$(($(logged 'database system is shut down') - $(logged 'received fast shutdown request')))
[ $needed -ge 0 ] && [ $((took - needed)) -lt 3000 ]
ok $? 'takes less than three seconds more than the server needs' "$took ms, of which the server $needed ms"
wait_for 60 gone "$one"
ok $? 'no process stays' "$(ours "$one") left"
[ ! -e "$PGHOST" ]
ok $? 'no socket stays'
succeeds 'stop again' "$TIDEMARK" db stop --data "$one"
fails 1 'status of a stopped database' "$TIDEMARK" db status --data "$one"

# keeper: a command that is killed leaves nothing running
"$TIDEMARK" psql --data "$one" --role admin -c 'SELECT 1' >/dev/null 2>&1
wait_for 60 gone "$one"
ok $? 'a command that started the database stops it' "$(ours "$one") left"
many=()
for _ in 1 2 3 4; do
    "$TIDEMARK" migrate --data "$test_dir/many" >/dev/null 2>&1 &
    many+=($!)
done
many_ok=0
for pid in "${many[@]}"; do wait "$pid" || many_ok=1; done
ok $many_ok 'four commands at once on a new directory'
wait_for 60 gone "$test_dir/many"
ok $? 'the last one stops it' "$(ours "$test_dir/many") left"

"$TIDEMARK" psql --data "$test_dir/many" --role admin -c 'SELECT pg_sleep(100000)' >/dev/null 2>&1 &
sleeper=$!
wait_for 120 test -S "$(cluster_socket "$test_dir/many")/.s.PGSQL.5432"
wait_for 120 "$TIDEMARK" db status --data "$test_dir/many"
kill -9 $sleeper
wait $sleeper 2>/dev/null
wait_for 120 gone "$test_dir/many"
ok $? 'a killed command leaves no server' "$(ours "$test_dir/many") left"

if [ "$(id -u)" -eq 0 ]; then
    mkdir -m 700 "$test_dir/closed"
    mkdir "$test_dir/closed/in"
    succeeds 'a directory the server cannot reach' "$TIDEMARK" db start --data "$test_dir/closed/in"
    far=$(readlink "$test_dir/closed/in/cluster")
    like "$far" '^/var/lib/tidemark/[0-9a-f]{12}$' 'is a link to /var/lib/tidemark'
    succeeds 'and stops' "$TIDEMARK" db stop --data "$test_dir/closed/in"
    rm -rf "$far"

    chown -R nobody "$one" && "$TIDEMARK" db start --data "$one" >/dev/null
    is "$(stat -c %U "/proc/$(pid_of "$one")")" nobody "a cluster runs as the user it belongs to"
    succeeds 'and stops' "$TIDEMARK" db stop --data "$one"
    succeeds 'another user may use its own cluster' \
        setpriv --reuid=nobody --regid=nogroup --clear-groups "$TIDEMARK" db start --data "$one"
    succeeds 'and stop it' \
        setpriv --reuid=nobody --regid=nogroup --clear-groups "$TIDEMARK" db stop --data "$one"
    fails 1 'but not that of somebody else' \
        setpriv --reuid=nobody --regid=nogroup --clear-groups "$TIDEMARK" db start --data "$test_dir/two"
    like "$output" 'belongs to' 'and is told whose it is'
fi

echo 14 >"$test_dir/two/cluster/data/PG_VERSION"
fails 1 'data of another PostgreSQL is refused' "$TIDEMARK" db start --data "$test_dir/two"
like "$output" 'PostgreSQL 14' 'and named'

mkdir -p "$test_dir/tiny"
if [ "$(id -u)" -eq 0 ] && mount -t tmpfs -o size=40m,mode=755 tmpfs "$test_dir/tiny" 2>/dev/null; then
    fails 1 'a disk that is too small' "$TIDEMARK" db start --data "$test_dir/tiny"
    like "$output" 'No space left|is full' 'is named'
    "$TIDEMARK" db stop --data "$test_dir/tiny" >/dev/null 2>&1
    umount "$test_dir/tiny"
fi

rm -rf "$test_dir/three"
"$TIDEMARK" db start --data "$test_dir/three" >/dev/null
server=$(pid_of "$test_dir/three")
rm -rf "$test_dir/three"
ended() {
    ! pgrep -f "^tidemark-keeper $test_dir/three" && ! kill -0 "$server"
}
wait_for 180 ended
ok $? 'removing the directory ends the server' "$(pgrep -af "^tidemark-keeper $test_dir/three")"

done_testing
