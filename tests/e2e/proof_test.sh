#!/usr/bin/env bash
# tidemark-proof: bundles made in SQL, checked by a program without a database, on the recorded chain
# and on a chain whose headers are signed whole; refused where anything in them is another.
. tests/lib.sh
chain=tests/vectors/chain-a
checker=${TIDEMARK%/*}/tidemark-proof
bundle=$test_dir/bundle

unlike "$(ldd "$checker")" 'libpq|libuv|libcurl' 'the checker needs no database and no network'

# --- the recorded chain --------------------------------------------------------------------------

data=$test_dir/a
"$TIDEMARK" init --data "$data" --genesis $chain/genesis.json --rules reference >/dev/null
cluster_start a
succeeds 'the recorded chain' "$TIDEMARK" replay --data "$data" $chain/blocks.jsonl
owner=00101f2ff54811e84df2d767c661f57a06349b7e
verify() { # BUNDLE [VALIDATORS [OPTION…]]
    "$checker" verify "$1" --validators "${2:-$chain/validator_sets.jsonl}" "${@:3}"
}

checked=0
for h in {1..59}; do
    sql "SELECT tidemark.proof_bundle('account', '$owner', $h)" >"$bundle"
    output=$(verify "$bundle" 2>&1)
    [[ $output == *"height $h, state hash $(sql "SELECT encode(tidemark.state_hash($h), 'hex')")"* ]] && checked=$((checked + 1))
done
is $checked 59 'a bundle of every height'
like "$output" "key $owner: 0a28" 'the leaf is printed'
succeeds '`tidemark proof verify` is the same' "$TIDEMARK" proof verify "$bundle" --validators $chain/validator_sets.jsonl
sql 'SELECT tidemark.validator_set_json(58)' >"$test_dir/set"
succeeds 'the set as SQL prints it' verify "$bundle" "$test_dir/set"
xxd -r -p <<<"$(sed 's/^..//' "$bundle")" >"$test_dir/raw"
succeeds 'the bundle as bytes' verify "$test_dir/raw"
sql "SELECT tidemark.proof_bundle('params', 'no_such_parameter', 59)" >"$test_dir/absent"
succeeds 'an absent key' verify "$test_dir/absent"
like "$output" 'absent' 'is called so'
like "$(sql "SELECT tidemark.proof_bundle('account', '$owner', 0)")" 'has no certificate' 'the first block has none'

sed 's/00104055c00bed7c983a48aac7dc6335d7c607a7/00104055c00bed7c983a48aac7dc6335d7c607a8/; s/, "hash".*/}/' "$test_dir/set" >"$test_dir/other"
fails 1 'another validator set' verify "$bundle" "$test_dir/other"
fails 1 'headers of `reference` are not followed' verify "$bundle" $chain/validator_sets.jsonl --headers $chain/blocks.jsonl
like "$output" 'trust the set that signed' 'and that is said'
size=$(stat -c %s "$test_dir/raw")
held=0
for n in {1..60}; do
    at=$((RANDOM * 32768 % size + RANDOM % 997)) && at=$((at % size))
    cp "$test_dir/raw" "$test_dir/flipped"
    byte=$(xxd -s $at -l 1 -p "$test_dir/raw")
    printf "\\x$(printf %02x $((0x$byte ^ (1 << RANDOM % 8))))" | dd of="$test_dir/flipped" bs=1 seek=$at conv=notrunc 2>/dev/null
    verify "$test_dir/flipped" >/dev/null 2>&1
    [ $? -eq 1 ] || held=$((held + 1))
done
is $held 0 'a flipped bit, sixty times'

head -c 100 "$bundle" >"$test_dir/cut"
: >"$test_dir/empty"
head -c 3000 /dev/urandom >"$test_dir/garbage"
echo nonsense >"$test_dir/words"
for file in cut empty garbage words missing; do
    fails 1 "a bundle that is $file" verify "$test_dir/$file"
    fails 1 "validators that are $file" verify "$bundle" "$test_dir/$file"
done
fails 2 'no validators' "$checker" verify "$bundle"
fails 2 'no file' "$checker" verify --validators "$test_dir/set"
fails 2 'another word' "$checker" make "$bundle" --validators "$test_dir/set"
succeeds 'help' "$checker" --help
like "$output" 'tidemark-proof verify FILE' 'explains it'

# --- a chain whose headers are signed whole ------------------------------------------------------

data=$test_dir/b
unset PGHOST PGUSER PGDATABASE
"$TIDEMARK" init --data "$data" --genesis deploy/localnet/genesis.json >/dev/null
succeeds 'a chain of 12 blocks' "$TIDEMARK" up --data "$data" --keys deploy/localnet/keys --interval 0.1 --blocks 12
cluster_start b
tip=$(sql 'SELECT height FROM ledger.tip')
sql "SELECT tidemark.proof_bundle('account', '$owner', $tip)" >"$bundle"
sql 'SELECT tidemark.validator_set_json(0)' >"$test_dir/first"
sql "SELECT line FROM tidemark.proof_headers(0, $tip)" >"$test_dir/headers"
succeeds 'the set that signed' verify "$bundle" <(sql "SELECT tidemark.validator_set_json($tip - 1)")
succeeds 'from the first set, header by header' verify "$bundle" "$test_dir/first" --headers "$test_dir/headers"
sed -i 5d "$test_dir/headers"
fails 1 'a missing header' verify "$bundle" "$test_dir/first" --headers "$test_dir/headers"
like "$output" 'does not come after' 'is named'
sql "SELECT line FROM tidemark.proof_headers(1, $tip - 3)" >"$test_dir/headers"
fails 1 'headers that end too early' verify "$bundle" "$test_dir/first" --headers "$test_dir/headers"
fails 1 'the set of another chain' verify "$bundle" "$test_dir/other"
done_testing
