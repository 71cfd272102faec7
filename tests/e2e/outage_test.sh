#!/usr/bin/env bash
# What a node meets in its life: keys, guard or database that are not the right ones, a database that
# stops, a disk that fills, a second node. It says what is wrong, never signs twice, loses nothing and
# goes on as soon as it can.
. tests/lib.sh

genesis=deploy/localnet/genesis.json
keys=deploy/localnet/keys
data=$test_dir/chain
log=$test_dir/log
export TIDEMARK_SIGNATURE_LOG=$test_dir/signatures

up() {
    timeout 300 "$TIDEMARK" up --data "$data" --keys $keys --interval 0.05 "$@"
}

# start_up [OPTION…]: in the background, what it says in $log
start_up() {
    "$TIDEMARK" up --data "$data" --keys $keys --interval 0.05 "$@" >"$log" 2>&1 &
    up=$!
}

stop_up() {
    kill -TERM $up
    wait $up
}

# of the database $data, running or not
height() {
    "$TIDEMARK" psql --data "$data" -c 'SELECT height FROM ledger.tip' 2>/dev/null
}

above() {
    local now
    now=$(height) && [ -n "$now" ] && [ "$now" -gt "$1" ]
}

grows() {
    local now
    now=$(height)
    wait_for 180 above "${now:-0}"
}

# said TEXT [FROM]: `up` or its node has said it (a regular expression) since line FROM of the log
said() {
    tail -n +"${2:-1}" "$log" | grep -qE "$1"
}

# whole NAME: nothing missing, nothing signed twice
whole() {
    is "$("$TIDEMARK" psql --data "$data" -c 'SELECT count(*) = max(height) + 1 FROM ledger.block')" t \
        "$1: no height is missing"
    is "$(tests/torture/signed_once "$TIDEMARK_SIGNATURE_LOG")" '' "$1: nothing is signed twice"
}

verifies() {
    succeeds "$1: every block verifies" "$TIDEMARK" verify --all --data "$data"
}

"$TIDEMARK" init --data "$data" --genesis $genesis >/dev/null

# --- keys -----------------------------------------------------------------------------------------------

mkdir "$test_dir/two" "$test_dir/none" "$test_dir/bad"
cp $keys/validator1.key $keys/validator2.key "$test_dir/two"
echo 'no key at all' >"$test_dir/bad/validator1.key"
fails 1 'keys of half the validators' up --keys "$test_dir/two"
like "$output" 'keys of 2 of the 4 validators' 'are counted'
fails 1 'a directory without keys' up --keys "$test_dir/none"
like "$output" "no key in $test_dir/none" 'is named'
fails 1 'a directory that is not there' up --keys "$test_dir/nowhere"
like "$output" "$test_dir/nowhere" 'is named'
fails 1 'a file that holds no key' up --keys "$test_dir/bad"
like "$output" 'validator1.key' 'is named'
is "$(height)" 0 'no block is made with them'

# --- the guard file -------------------------------------------------------------------------------------

succeeds 'three blocks' up --blocks 3
guard=$data/guard
mv "$guard" "$test_dir/guard"
fails 1 'without its guard file the node does not sign' up --blocks 1
like "$output" "vote guard file is missing in $guard" 'and says why'
rm -rf "$guard"
mv "$test_dir/guard" "$guard"
cp -a "$guard" "$test_dir/guard"
printf 'torn' >"$guard/vote_guard.0"
succeeds 'one torn slot is a crash while writing' up --blocks 1
printf 'torn' >"$guard/vote_guard.0"
printf 'torn' >"$guard/vote_guard.1"
fails 1 'two are damage' up --blocks 1
like "$output" 'both files in .* are damaged' 'which is told'
rm "$guard"/*
cp -a "$test_dir/guard/." "$guard"
succeeds 'an older copy: the rows know more' up --blocks 1
whole 'guard file'

# --- the database stops -----------------------------------------------------------------------------------

start_up
grows
ok $? 'a chain grows' "$(tail -n 8 "$log")"
node=$(pgrep -P $up -x tidemarkd)
kill -QUIT "$(head -n 1 "$data/cluster/data/postmaster.pid")"
wait_for 120 said 'the database ended; starting it again'
grows
ok $? 'after an immediate stop of the server the chain goes on' "$(tail -n 8 "$log")"
"$TIDEMARK" db stop --data "$data" >/dev/null
grows
ok $? 'and after tidemark db stop' "$(tail -n 8 "$log")"
is "$(pgrep -P $up -x tidemarkd)" "$node" 'with the same node'
kill -9 "$node" "$(pgrep -P "$(head -n 1 "$data/cluster/data/postmaster.pid")" | tail -n 1)"
grows
ok $? 'and when the node is killed while the server recovers' "$(tail -n 8 "$log")"
stop_up
is $? 0 'up ends as asked'

# without `up`, which would start it again at once
"$TIDEMARK" db start --data "$data" >/dev/null
tidemarkd=$(dirname "$TIDEMARK")/tidemarkd
url=$("$TIDEMARK" db url --data "$data" --role node)
"$tidemarkd" --db "$url" --keys $keys --guard "$guard" --interval 0.05 >"$log" 2>&1 &
node=$!
grows
ok $? 'a node by itself' "$(tail -n 8 "$log")"
"$TIDEMARK" db stop --data "$data" >/dev/null
wait_for 120 said 'no blocks are made: .*trying again'
ok $? 'says when its database is gone' "$(tail -n 8 "$log")"
"$TIDEMARK" db start --data "$data" >/dev/null
wait_for 120 said 'going on'
ok $? 'and when it goes on' "$(tail -n 8 "$log")"
grows
ok $? 'which it does' "$(tail -n 8 "$log")"
"$TIDEMARK" db stop --data "$data" >/dev/null
wait_for 120 said 'no blocks are made.*' "$(grep -n 'going on' "$log" | tail -n 1 | cut -d: -f1)"
kill -TERM $node
wait $node
is $? 0 'and ends as asked while there is none'
fails 3 'a start without a database' timeout 300 "$tidemarkd" --db "$url" --keys $keys --guard "$guard"
like "$output" 'cannot connect to the database' 'is for later'
whole 'stopped database'

# --- two nodes ----------------------------------------------------------------------------------------------

"$TIDEMARK" db start --data "$data" >/dev/null
cp -a "$guard" "$test_dir/copy"
"$tidemarkd" --db "$url" --keys $keys --guard "$guard" --interval 0.05 >"$test_dir/first" 2>&1 &
first=$!
grows
ok $? 'a node runs' "$(cat "$test_dir/first")"
fails 1 'another with its guard file' timeout 300 "$tidemarkd" --db "$url" --keys $keys --guard "$guard"
like "$output" 'another node runs' 'is refused'
fails 1 'one without a guard file' timeout 300 "$tidemarkd" --db "$url" --keys $keys --guard "$test_dir/new"
like "$output" 'guard file is missing' 'is refused'
# The second comes while the first sleeps between two blocks: a block that is decided while a node
# starts looks to it like an older database, which is another refusal.
asleep() {
    local seen
    kill -STOP $first
    seen=$(between_blocks) && sleep 0.5 && [ "$(between_blocks)" = "$seen" ] && return
    kill -CONT $first
    return 1
}
# prints the tip, when no node has signed more or has anything under way
between_blocks() {
    psql -XqAt "$("$TIDEMARK" db url --data "$data" --role admin)" -c "SELECT height FROM ledger.tip
        WHERE height = (SELECT max(height) FROM ledger.vote_guard) AND NOT EXISTS
            (SELECT FROM pg_stat_activity WHERE usename = 'tidemark_node' AND state <> 'idle')" | grep .
}
wait_for 120 asleep
ok $? 'it sleeps' "$(cat "$test_dir/first")"
"$tidemarkd" --db "$url" --keys $keys --guard "$test_dir/copy" --interval 0.05 >"$test_dir/second" 2>&1 &
second=$!
wait_for 120 grep -q '^block ' "$test_dir/second"
ok $? 'one with a copy of its guard file makes blocks' "$(cat "$test_dir/second")"
kill -CONT $first
wait -n -p ended $first $second
is $? 1 'of the two one stops'
if [ "$ended" = $first ]; then
    like "$(cat "$test_dir/first")" 'another node|second node' 'and says why'
    other=$second
else
    like "$(cat "$test_dir/second")" 'another node|second node' 'and says why'
    other=$first
fi
grows
ok $? 'the other one goes on' "$(tail -n 3 "$test_dir/first" "$test_dir/second")"
kill -TERM $other
wait $other
is $? 0 'and ends as asked'
"$TIDEMARK" db stop --data "$data" >/dev/null
whole 'two nodes'
succeeds "up goes on with the guard file of the first" up --blocks 2
verifies 'two nodes'

# --- an older database ----------------------------------------------------------------------------------------

home=$(realpath "$data/cluster")
cp -a "$home/data" "$home/older"
succeeds 'ten more blocks' up --blocks 10
tip=$(height)
rm -rf "$home/data"
mv "$home/older" "$home/data"
is "$(height)" $((tip - 10)) 'an older copy of the database'
fails 1 'is refused' up --blocks 1
like "$output" "its tip is $((tip - 10)), the vote guard has signed block $tip" 'and both heights are named'
like "$output" '--accept-older-state' 'and what can be done'
is "$(height)" $((tip - 10)) 'no block is made'
succeeds 'unless it is accepted' up --accept-older-state --blocks 3
succeeds 'then it goes on without being asked again' up --blocks 10
is "$(height)" $((tip + 3)) 'past what was lost'
whole 'older database'
is "$("$TIDEMARK" psql --data "$data" -c "SELECT count(*) FROM ledger.block WHERE height BETWEEN $((tip - 9)) AND $tip AND round = 0")" 0 \
    'what may have been signed is signed in later rounds'
verifies 'older database'

# --- a promoted replica ---------------------------------------------------------------------------------------

as_owner=()
[ "$(id -u)" -ne 0 ] || as_owner=(runuser -u "$(stat -c %U "$home/data")" --)
wait_for 120 test ! -e "$home/data/postmaster.pid"
succeeds 'another timeline' "${as_owner[@]}" /usr/lib/postgresql/15/bin/pg_resetwal -f -l 0000000200000001000000F0 "$home/data"
fails 1 'is another database' up --blocks 1
like "$output" 'another cluster or timeline' 'which is told'
succeeds 'unless it is accepted' up --accept-older-state --blocks 2
succeeds 'then it goes on without being asked again' up --blocks 1
whole 'promoted replica'

# --- a full disk ------------------------------------------------------------------------------------------------

# full NAME TEXT: the chain stands, and `up` or node has said why since the disk was filled
full() {
    local before
    wait_for 180 said "$2" "$filled"
    ok $? "$1: is told" "$(tail -n 5 "$log")"
    before=$(grep -c '^block ' "$log")
    sleep 3
    is "$(grep -c '^block ' "$log")" "$before" "$1: no block is made"
    kill -0 $up
    ok $? "$1: up is still there" "$(tail -n 5 "$log")"
}

fill() {
    filled=$(wc -l <"$log")
    dd if=/dev/zero of="$data/filler" bs=64k >/dev/null 2>&1
    dd if=/dev/zero of="$data/filler2" bs=1 count=65536 >/dev/null 2>&1
}

data=$test_dir/small
mkdir "$data"
TIDEMARK_SIGNATURE_LOG=$test_dir/signatures-small
if [ "$(id -u)" -eq 0 ] && mount -t tmpfs -o size=200m,mode=755 tmpfs "$data" 2>/dev/null; then
    trap 'umount -l "$data"; test_end' EXIT
    "$TIDEMARK" init --data "$data" --genesis $genesis >/dev/null
    start_up
    grows
    ok $? 'a chain on a small disk' "$(tail -n 8 "$log")"
    socket=$(cluster_socket "$data")
    psql=(psql -XqAt "$("$TIDEMARK" db url --data "$data" --role admin)")

    fill
    full 'data on a full disk' 'no blocks are made: .*No space left'
    wait_for 120 eval '[[ $("${psql[@]}" -c "SELECT status, message FROM ops.node") =~ waiting.*No\ space\ left ]]'
    ok $? 'ops.node says so' "$("${psql[@]}" -c 'SELECT status, message FROM ops.node' 2>&1)"
    rm "$data"/filler*
    grows
    ok $? 'with room again the chain grows' "$(tail -n 5 "$log")"
    wait_for 120 eval '[[ $("${psql[@]}" -c "SELECT status FROM ops.node") == running ]]'
    ok $? 'and ops.node says that the node runs' "$("${psql[@]}" -c 'SELECT status, message FROM ops.node' 2>&1)"

    fill
    # until there is no segment left to go on in
    for _ in 1 2 3; do
        psql -XqAt -d tidemark -U postgres -h "$socket" -c "SELECT pg_logical_emit_message(false, 'x', 'x')" -c 'SELECT pg_switch_wal()' >/dev/null 2>&1
    done
    full 'write-ahead log on a full disk' 'disk of .* is full'
    kill -9 "$(pgrep -P $up -x tidemarkd)"
    sleep 1
    kill -0 $up
    ok $? 'a node killed meanwhile waits too' "$(tail -n 5 "$log")"
    rm "$data"/filler*
    grows
    ok $? 'with room again the chain grows' "$(tail -n 5 "$log")"
    stop_up
    is $? 0 'up ends as asked'
    whole 'full disk'
    verifies 'full disk'
    "$TIDEMARK" db stop --data "$data" >/dev/null 2>&1
    wait_for 120 umount "$data"
    trap test_end EXIT
else
    echo '# skipped: a full disk needs a small file system, and mounting one is not allowed here'
fi
done_testing
