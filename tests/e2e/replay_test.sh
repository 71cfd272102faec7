#!/usr/bin/env bash
# The recorded chain of the reference: replayed, compared with every table the reference had, exported
# and replayed again, and refused where a byte of it is changed.
. tests/lib.sh
chain=tests/vectors/chain-a

data=$test_dir/a
succeeds 'init under reference' "$TIDEMARK" init --data "$data" --genesis $chain/genesis.json --rules reference
like "$output" '271dc3b185309f6bc2586bd480b0feab7b937f09af3b116cff7fbb66f83ba7d9' 'state hash of the genesis'
cluster_start a
succeeds 'replay' "$TIDEMARK" replay --data "$data" $chain/blocks.jsonl
is "$(tail -n 1 <<<"$output")" '59 blocks, 190 transactions, 59 state hashes equal' 'last line of replay'
is "$(sql "SELECT height || ' ' || encode(state_hash, 'hex') FROM ledger.tip")" \
    '59 eb30e9853402b94ea874844db8df8a6ad2c5d7bbfa8cd2fe6213b6f5998844a5' 'tip'

psql -XqAt -f tests/sql/recorded_chain.sql >"$test_dir/compared" 2>"$test_dir/errors"
ok $? 'comparison with the recorded tables runs' "$(cat "$test_dir/errors")"
is "$(wc -l <"$test_dir/compared")" 12 'twelve comparisons'
while IFS='|' read -r name differences; do
    is "$differences" 0 "$name: nothing differs"
done <"$test_dir/compared"

succeeds 'replay again compares' "$TIDEMARK" replay --data "$data" $chain/blocks.jsonl
like "$output" '60 blocks were there already' 'sixty blocks compared'
succeeds 'verify --all' "$TIDEMARK" verify --all --data "$data"
like "$output" '60 blocks, 190 transactions' 'sixty blocks verified'
for h in 0 1 22 59; do
    succeeds "verify --height $h" "$TIDEMARK" verify --height $h --data "$data"
done

succeeds 'export' "$TIDEMARK" export "$test_dir/exported.jsonl" --data "$data"
[ "$(tail -n 59 "$test_dir/exported.jsonl")" = "$(tail -n 59 $chain/blocks.jsonl)" ]
ok $? 'the exported blocks are the recorded lines'

# --- a chain that differs is refused where it differs --------------------------------------------
data=$test_dir/b
"$TIDEMARK" init --data "$data" --genesis $chain/genesis.json --rules reference >/dev/null
# a transaction of block 30 is left out, in raw and in the decoded fields alike
head -n 30 $chain/blocks.jsonl >"$test_dir/first"
cluster_start b
succeeds 'replay of the first 29 blocks' "$TIDEMARK" replay --data "$data" "$test_dir/first"
sed -n 31p $chain/blocks.jsonl | sed 's/"stateHash": "..../"stateHash": "0000/' >"$test_dir/field"
fails 1 'a decoded field that is not what raw holds' "$TIDEMARK" replay --data "$data" "$test_dir/field"
like "$output" 'stateHash' 'the field is named'
state=$(sed -n 31p $chain/blocks.jsonl | sed 's/.*"stateHash": "\([0-9a-f]*\)".*/\1/')
hex=$(printf %s "$state" | od -An -tx1 | tr -d ' \n')
other=$(printf %s "$state" | sed 's/^./f/;s/^f\(.*\)0$/f\11/' | od -An -tx1 | tr -d ' \n')
sed -n 31p $chain/blocks.jsonl | sed "s/$hex/$other/g" | sed 's/{.*"raw": /{"height": 30, "raw": /' >"$test_dir/hash"
fails 1 'another state hash' "$TIDEMARK" replay --data "$data" "$test_dir/hash"
is "$(sql 'SELECT height FROM ledger.tip')" 29 'nothing of the block stays'
is "$(sql 'SELECT count(*) FROM ledger.transaction WHERE height > 29')" 0 'nor of its transactions'
sed -n 32p $chain/blocks.jsonl >"$test_dir/gap"
fails 1 'a gap' "$TIDEMARK" replay --data "$data" "$test_dir/gap"
# in the same 14 bytes: the year 141338
sed -n 31p $chain/blocks.jsonl | sed -E 's/3a0c08[0-9a-f]{10}10[0-9a-f]{10}/3a0c08ffffffffff7f10ffffff03/' |
    sed 's/{.*"raw": /{"height": 30, "raw": /' >"$test_dir/late"
fails 1 'a time that no database can hold' "$TIDEMARK" replay --data "$data" "$test_dir/late"
like "$output" 'timestamp: not in the years 1 to 9999' 'the timestamp is named'
is "$(sql 'SELECT height FROM ledger.tip')" 29 'and nothing was written'
echo '{"height": 30, "raw": "0aff"}' >"$test_dir/garbage"
fails 1 'garbage' "$TIDEMARK" replay --data "$data" "$test_dir/garbage"
succeeds 'and the recorded rest goes on' "$TIDEMARK" replay --data "$data" $chain/blocks.jsonl
like "$output" '30 blocks, [0-9]+ transactions, 30 state hashes equal' 'thirty blocks applied'
done_testing
