#!/usr/bin/env bash
# tidemark up: a growing chain in the foreground; kill -9 of node, database and of `up` itself.
. tests/lib.sh

genesis=deploy/localnet/genesis.json
keys=deploy/localnet/keys
data=$test_dir/chain
log=$test_dir/log

up() {
    "$TIDEMARK" up --data "$data" --keys $keys --interval 0.2 "$@"
}

# up_behind: the same in the background; its process is $up
up_behind() {
    (exec "$TIDEMARK" up --data "$data" --keys $keys --interval 0.2 >"$log" 2>&1) &
    up=$!
}

height() {
    "$TIDEMARK" psql --data "$data" -c 'SELECT height FROM ledger.tip' 2>/dev/null
}

# above HEIGHT: the chain has grown past it
above() {
    local now
    now=$(height) && [ -n "$now" ] && [ "$now" -gt "$1" ]
}

node_of() {
    pgrep -P "$1" -x tidemarkd
}

# nothing that works on the directory is left; the keeper goes a moment after its server
quiet() {
    ! pgrep -f -- "--data $data" >/dev/null && ! pgrep -f "^tidemark-keeper $data" >/dev/null &&
        ! "$TIDEMARK" db status --data "$data" >/dev/null
}

fails 1 'up where no database is' up
like "$output" 'tidemark init' 'says how to make one'
"$TIDEMARK" migrate --data "$data" >/dev/null
fails 1 'up without a chain' up
like "$output" 'tidemark init' 'says what is missing'
succeeds 'init' "$TIDEMARK" init --data "$data" --genesis $genesis

succeeds 'up --blocks 3' up --blocks 3
is "$(height)" 3 'makes three blocks'
succeeds 'again' up --blocks 2
is "$(height)" 5 'makes two more'
wait_for 120 quiet
ok $? 'and leaves nothing running' "$(pgrep -af "$data")"

up_behind
wait_for 120 above 6
ok $? 'a chain grows' "$(cat "$log")"
fails 1 'a second up on the directory' up
like "$output" 'another tidemark up' 'is refused'
fails 2 'readers may not log in on a validator' psql -XqAt -c 'SELECT 1' "$("$TIDEMARK" db url --data "$data")"
succeeds 'unless the operator lets them' "$TIDEMARK" db readers allow --data "$data"
succeeds 'then they may' psql -XqAt -c 'SELECT 1' "$("$TIDEMARK" db url --data "$data")"

node=$(node_of $up)
kill -9 "$node"
before=$(height)
wait_for 120 above $((before + 2))
ok $? 'it goes on after kill -9 of the node' "$(tail -5 "$log")"
[ "$(node_of $up)" != "$node" ]
ok $? 'with a new node'

server=$(head -1 "$data/cluster/data/postmaster.pid")
before=$(height)
kill -9 "$server"
wait_for 120 above $((before + 2))
ok $? 'it goes on after kill -9 of the database' "$(tail -5 "$log")"
[ "$(head -1 "$data/cluster/data/postmaster.pid")" != "$server" ]
ok $? 'with a new server'
is "$("$TIDEMARK" psql --data "$data" -c 'SELECT count(*) = max(height) + 1 FROM ledger.block')" t \
    'no height is missing'

kill -TERM $up
wait $up
is $? 0 'SIGTERM ends it with 0'
wait_for 120 quiet
ok $? 'and leaves nothing running' "$(pgrep -af "$data")"

up_behind
before=$(height)
wait_for 120 above "${before:-0}"
kill -9 $up
wait $up 2>/dev/null
wait_for 120 quiet
ok $? 'kill -9 of up ends node and database' "$(pgrep -af "$data")"

up --keys "$test_dir" >"$log" 2>&1
is $? 1 'a node that refuses to start ends it with 1'
wait_for 120 quiet
ok $? 'and leaves nothing running' "$(pgrep -af "$data")"
unlike "$(cat "$log")" 'starting it again' 'without trying again'

done_testing
