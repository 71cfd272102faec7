#!/usr/bin/env bash
# A block that comes while a node starts: between what the node read of the chain and what it reads of its
# own votes. One of its keys comes through a pipe, so that it stands still there for as long as wanted.
. tests/lib.sh

data=$test_dir/chain
keys=$test_dir/keys
tidemarkd=$(dirname "$TIDEMARK")/tidemarkd
cp -r deploy/localnet/keys "$keys"
"$TIDEMARK" init --data "$data" --genesis deploy/localnet/genesis.json >/dev/null
cluster_start chain
succeeds 'three blocks' timeout 300 "$TIDEMARK" up --data "$data" --keys "$keys" --interval 0.01 --blocks 3
cluster_start chain
"$TIDEMARK" export "$test_dir/blocks" --data "$data" >/dev/null
url=$("$TIDEMARK" db url --data "$data" --role node)
node() { # OPTION…
    timeout 300 "$tidemarkd" --db "$url" --keys "$keys" --guard "$data/guard" --interval 0.01 "$@"
}

# Without its last block the database has the node's votes of a block that it does not have.
succeeds 'the last is taken back' "$TIDEMARK" rollback 2 --data "$data"
fails 1 'a node that starts now' node --blocks 1
like "$output" 'older than what was signed' 'is refused: the database is older'

mv "$keys/validator1.key" "$test_dir/key"
mkfifo "$keys/validator1.key"
# The pipe is open once the node reads from it.
timeout 300 bash -c '{ "$0" replay --data "$1" "$2/blocks" >"$2/replay" 2>&1; cat "$2/key"; } >"$1/../keys/validator1.key"' \
    "$TIDEMARK" "$data" "$test_dir" &
replay=$!
fails 3 'where the block comes while it starts' node --blocks 1
like "$output" 'block 3 came while this node started' 'it says so, and that it may be tried again'
wait $replay
like "$(tail -n 1 "$test_dir/replay")" '^1 blocks' 'one block came' "$(cat "$test_dir/replay")"
is "$(sql 'SELECT height FROM ledger.tip')" 3 'and the node made none'

mv "$test_dir/key" "$keys/validator1.key"
succeeds 'the next start sees it whole' node --blocks 1
is "$(sql 'SELECT height FROM ledger.tip')" 4 'and goes on from it'
is "$(sql 'SELECT round FROM ledger.block WHERE height = 4')" 0 'in its first round'
done_testing
