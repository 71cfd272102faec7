#!/usr/bin/env bash
# Wrong genesis files: the field is named, and nothing of the file reaches the database.
set -u
. tests/lib.sh

right=tests/vectors/localnet/genesis.json
data=$test_dir/chain
file=$test_dir/genesis.json

# wrong NAME REGEX PERL [OPTION…]: the right file after a change is refused by init with such words
wrong() {
    if ! perl -0777 -pe "$3" $right >"$file" || cmp -s "$file" $right; then
        ok 1 "$1" "no change is made by: $3"
        return
    fi
    output=$("$TIDEMARK" init --data "$data" --genesis "$file" "${@:4}" 2>&1)
    [ $? -eq 1 ] && [[ $output =~ ^tidemark\ init:\ .*genesis\.json:\ .*$2 ]]
    ok $? "$1" "found:    $output" "expected: something like $2"
}

# in LIST PERL: the change made within the list of this name only
in_list() {
    echo "s!\"$1\": \\[.*?\\n  \\]!local \$_ = \$&; $2; \$_!se"
}

# --- files ---------------------------------------------------------------------------------------

fails 1 'no file' "$TIDEMARK" init --data "$data" --genesis "$test_dir/nothing"
like "$output" 'nothing: No such file' 'is named'
fails 1 'a directory' "$TIDEMARK" init --data "$data" --genesis "$test_dir"
like "$output" 'is a directory' 'says so'
fails 2 'rules that do not exist' "$TIDEMARK" init --data "$data" --genesis $right --rules strict
like "$output" 'standard or reference' 'names those there are'
truncate -s 300M "$test_dir/large"
fails 1 '300 MB' bash -c "ulimit -v 400000; exec $TIDEMARK init --data $data --genesis $test_dir/large"
like "$output" 'large is larger than 268435456 bytes' 'are refused by their size'
# a terabyte of holes, which no machine reads in a minute
truncate -s 1T "$test_dir/huge"
fails 1 'a terabyte' bash -c "ulimit -v 400000; exec timeout 60 $TIDEMARK init --data $data --genesis $test_dir/huge"
like "$output" 'huge is larger than 268435456 bytes' 'and are not read'

# --- JSON ----------------------------------------------------------------------------------------

wrong 'an empty file' 'line 1.*end of file' '$_ = ""'
wrong 'a truncated file' 'line [0-9]+' '$_ = substr $_, 0, 30000'
wrong 'text behind the end' 'end of file expected' '$_ .= "x"'
wrong 'no object' 'must be a JSON object' '$_ = "[]"'
wrong 'lists in lists' 'depth' '$_ = "[" x 1000000'
wrong 'objects in a field' 'depth' 's/4000000/"{\"a\":" x 100000/e'
wrong 'no UTF-8' 'line 1[0-9]+, column [0-9]+: unable to decode byte 0xff' 's/testnet/test\xffnet/'
wrong 'a zero character' 'u0000' 's/testnet/test\\u0000net/'
wrong 'a byte order mark' 'line 1' '$_ = "\xef\xbb\xbf$_"'
wrong 'a key twice' 'duplicate.*chain_id' 's/"chain_id": "testnet",/$&$&/'
wrong 'an integer that is too large' 'line.*too big integer' 's/4000000/4$&0000000000000000/'

# --- the chain -----------------------------------------------------------------------------------

wrong 'an unknown key' 'max_block_size: unknown key' 's/max_block_bytes/max_block_size/'
wrong 'no chain_id' 'chain_id: missing' 's/"chain_id": "testnet",//'
wrong 'an empty chain_id' 'chain_id: must have 1 to' 's/testnet//'
wrong 'a long chain_id' 'chain_id: must have 1 to' 's/testnet/"a" x 1000/e'
wrong 'a chain_id that is a number' 'chain_id: must be a string' 's/"testnet"/5/'
wrong 'no max_block_bytes' 'max_block_bytes: missing' 's/"max_block_bytes": 4000000,//'
wrong 'max_block_bytes 0' 'max_block_bytes: must be from 1' 's/4000000/0/'
wrong 'max_block_bytes below 0' 'max_block_bytes: must be from 1' 's/4000000/-1/'
wrong 'max_block_bytes as text' 'max_block_bytes: must be an integer' 's/4000000/"$&"/'
wrong 'max_block_bytes with a fraction' 'max_block_bytes: must be an integer' 's/4000000/4.5/'
wrong 'no genesis_time' 'genesis_time: missing' 's/"genesis_time": \{.*?\},//s'
wrong 'a genesis_time as text' 'genesis_time: must be an object' 's/"genesis_time": \{.*?\}/"genesis_time": "now"/s'
wrong 'no seconds' 'genesis_time\.seconds: missing' 's/,\s*"seconds": [0-9]+//'
wrong 'seconds after the year 9999' 'genesis_time\.seconds: must be from' 's/1663610702/253402300800/'
wrong 'a second of nanoseconds' 'genesis_time\.nanos: must be from 0 to 999999999' 's/405401000/1000000000/'
wrong 'nanoseconds below 0' 'genesis_time\.nanos: must be from 0' 's/405401000/-1/'
wrong 'another key of the time' 'genesis_time\.zone: unknown key' 's/"nanos"/"zone": 1, "nanos"/'
wrong 'an interval of nothing' 'block_interval_msec: must be from 1' 's/"chain_id"/"block_interval_msec": 0, $&/'
wrong 'an interval as text' 'empty_block_interval_msec: must be an integer' \
    's/"chain_id"/"empty_block_interval_msec": "1", $&/'
wrong 'unknown rules' 'rules: must be "standard" or "reference"' 's/"chain_id"/"rules": "strict", $&/'
wrong 'rules that are a number' 'rules: must be "standard" or "reference"' 's/"chain_id"/"rules": 1, $&/'
wrong 'rules against the option' 'rules: the file says "reference", the command asks for "standard"' \
    's/"chain_id"/"rules": "reference", $&/' --rules standard
wrong 'and the other way' 'rules: the file says "standard", the command asks for "reference"' \
    's/"chain_id"/"rules": "standard", $&/' --rules reference

# --- accounts and pools --------------------------------------------------------------------------

for list in accounts pools; do
    wrong "$list that are no list" "$list: must be a list" "s/\"$list\": \\[.*?\\n  \\]/\"$list\": {}/s"
    wrong "$list of text" "$list\\[0\\]: must be an object" "s/\"$list\": \\[/\$&\"x\", /"
    wrong "$list: no address" "$list\\[0\\]\\.address: missing" "$(in_list $list 's/"address": "[0-9a-f]+",//')"
    wrong "$list: an address that is a number" "$list\\[0\\]\\.address: must be a string" \
        "$(in_list $list 's/"address": "[0-9a-f]+"/"address": 5/')"
    wrong "$list: an address that is no hexadecimal" "$list\\[0\\]\\.address: is not hex" \
        "$(in_list $list 's/("address": "..)../$1xy/')"
    wrong "$list: an address twice" "$list\\[1\\]\\.address: .*occurs twice" \
        "$(in_list $list 's/\{.*?\}/$&, $&/s')"
    wrong "$list: another key" "$list\\[0\\]\\.balance: unknown key" "$(in_list $list 's/"amount"/"balance": "1", $&/')"
    wrong "$list: no amount" "$list\\[0\\]\\.amount: missing" "$(in_list $list 's/,\s*"amount": "[0-9]+"//')"
    wrong "$list: an amount that is a number" "$list\\[0\\]\\.amount: must be a string" \
        "$(in_list $list 's/"amount": "([0-9]+)"/"amount": $1/')"
    for amount in '' -1 +1 01 1.5 1e3 ' 1' 1x 1$(printf '%078d' 0); do
        wrong "$list: an amount of \"$amount\"" "$list\\[0\\]\\.amount: must be decimal digits" \
            "$(in_list $list "s/\"amount\": \"[0-9]+\"/\"amount\": \"$amount\"/")"
    done
done
wrong 'an address of 19 bytes' 'accounts\[0\]\.address: must be 40 hex digits' \
    "$(in_list accounts 's/("address": ")../$1/')"
wrong 'an address of 21 bytes' 'accounts\[0\]\.address: must be 40 hex digits' \
    "$(in_list accounts 's/("address": ")/$&00/')"
wrong 'a pool that does not exist' 'pools\[0\]\.address: is none of the six pools' 's/44414f00/44414f01/'
wrong 'a pool in both forms' 'pools\[[0-9]\]\.address: the pool DAO occurs twice' \
    's/"pools": \[/$& {"address": "@{[unpack "H*", "44414f" . "0" x 34]}", "amount": "1"},/'
wrong 'all accounts together above 10^78' 'accounts: .*10\^78' 's/"amount": "[0-9]+"/"amount": "@{[9 x 78]}"/'

# --- actors --------------------------------------------------------------------------------------

for list in applications servicers fishermen validators; do
    for field in address public_key output staked_amount paused_height unstaking_height; do
        wrong "$list: no $field" "$list\\[0\\]\\.$field: missing" \
            "$(in_list $list "s/\"$field\": [^,}]*(,|(?=\\s*\\}))//; s/,(?=\\s*\\})//")"
        wrong "$list: $field null" "$list\\[0\\]\\.$field: must be" "$(in_list $list "s/\"$field\": [^,}]*/\"$field\": null/")"
    done
    wrong "$list: an address of another key" "$list\\[0\\]\\.address: is not the address of public_key" \
        "$(in_list $list 's/("public_key": "..)../$1ff/')"
    wrong "$list: a short key" "$list\\[0\\]\\.public_key: must be 64 hex digits" \
        "$(in_list $list 's/("public_key": ")../$1/')"
    wrong "$list: a short output address" "$list\\[0\\]\\.output: must be 40 hex digits" \
        "$(in_list $list 's/("output": ")../$1/')"
    wrong "$list: a negative stake" "$list\\[0\\]\\.staked_amount: must be decimal digits" \
        "$(in_list $list 's/("staked_amount": ")/$1-/')"
    for height in 0 -2; do
        wrong "$list: paused at $height" "$list\\[0\\]\\.paused_height: must be -1 \\(none\\) or above 0" \
            "$(in_list $list "s/(\"paused_height\": )-1/\${1}$height/")"
        wrong "$list: unstaking at $height" "$list\\[0\\]\\.unstaking_height: must be -1 \\(none\\) or above 0" \
            "$(in_list $list "s/(\"unstaking_height\": )-1/\${1}$height/")"
    done
    wrong "$list: another kind" "$list\\[0\\]\\.actor_type: must be" "$(in_list $list 's/("actor_type": )./${1}9/')"
    wrong "$list: another key of the object" "$list\\[0\\]\\.jailed: unknown key" \
        "$(in_list $list 's/"actor_type"/"jailed": true, $&/')"
    wrong "$list: one twice" "$list\\[1\\]\\.address: occurs twice" "$(in_list $list 's/\{.*?\}/$&, $&/s')"
    wrong "$list that are no list" "$list: must be a list" "s/\"$list\": \\[.*?\\n  \\]/\"$list\": \"x\"/s"
    [ $list = validators ] && continue
    wrong "$list: no chains" "$list\\[0\\]\\.chains: must name at least one" \
        "$(in_list $list 's/"chains": \[.*?\]/"chains": []/s')"
    wrong "$list: chains that are text" "$list\\[0\\]\\.chains: must be a list" \
        "$(in_list $list 's/"chains": \[.*?\]/"chains": "0001"/s')"
    wrong "$list: a chain of 5 characters" "$list\\[0\\]\\.chains: element 0 must have 4 bytes" \
        "$(in_list $list 's/"0001"/"00001"/')"
    wrong "$list: a chain that is a number" "$list\\[0\\]\\.chains: element 0 must be a string" \
        "$(in_list $list 's/"0001"/1/')"
    wrong "$list: a chain twice" "$list\\[0\\]\\.chains: a chain occurs twice" \
        "$(in_list $list 's/"0001"/"0001", "0001"/')"
done
wrong 'no service_url' 'servicers\[0\]\.service_url: missing' "$(in_list servicers 's/"service_url": "[^"]*",//')"
wrong 'no validator' 'validators: there must be at least one' 's/"validators": \[.*?\n  \]/"validators": []/s'
wrong 'validators left out' 'validators: there must be at least one' 's/,\s*"validators": \[.*?\n  \]//s'
wrong 'no validator at work' 'validators: there must be at least one' \
    "$(in_list validators 's/("paused_height": )-1/${1}5/g')"

# --- parameters ----------------------------------------------------------------------------------

wrong 'no parameters' 'params: missing' 's/"params": \{.*?\n  \},//s'
wrong 'parameters in a list' 'params: must be an object' 's/"params": \{.*?\n  \}/"params": []/s'
wrong 'an unknown parameter' 'params\.gas_price: unknown key' 's/"params": \{/$&"gas_price": 1,/'
mapfile -t params < <(perl -0777 -ne '/"params": \{(.*?)\}/s and print map {"$_\n"} $1 =~ /"(\w+)":/g' $right)
is ${#params[@]} 109 'parameters in the file'
for name in "${params[@]}"; do
    value=$(sed -n "s/^ *\"$name\": \\(.*[^,]\\),*\$/\\1/p" $right)
    case $value in
    \"????????????????????????????????????????\") bad='"00"' kind='40' ;;
    \"*\") bad='"-1"' kind='amount|decimal|number' ;;
    *) bad=-1 kind='must be|out of|from|integer' ;;
    esac
    wrong "no $name" "params\\.$name: missing" "s/\"$name\": [^,}]*(,|(?=\\s*\\}))//; s/,(?=\\s*\\})//g"
    wrong "$name null" "params\\.$name: must be" "s/(\"$name\": )[^,\\n]*/\${1}null/"
    wrong "$name $bad" "params\\.$name: .*($kind)" "s/(\"$name\": )[^,\\n]*/\${1}$bad/"
done
wrong 'a percentage above 100' 'params\.proposer_percentage_of_fees: ' 's/("proposer_percentage_of_fees": )10/${1}101/'
wrong 'sessions of no block' 'params\.blocks_per_session: ' 's/("blocks_per_session": )1/${1}0/'
wrong 'a parameter above 2^31' 'params\.servicers_per_session: ' 's/("servicers_per_session": )24/${1}2147483648/'
wrong 'a fee of 10^78' 'params\.message_send_fee: ' 's/("message_send_fee": ")10000/${1}@{[1 . 0 x 78]}/'
wrong 'an owner in capitals' 'params\.acl_owner: ' 's/("acl_owner": ")([0-9a-f]+)/$1 . uc $2/e'

# --- nothing stays -------------------------------------------------------------------------------

[ ! -e "$data" ]
ok $? 'no database was made' "$(ls "$data" 2>&1)"
cluster_start chain
db_prepare
perl -0777 -pe 's/"staked_amount": "1/"staked_amount": "-1/' $right >"$file"
fails 1 'a wrong file for a prepared database' "$TIDEMARK" init --data "$data" --genesis "$file"
is "$(sql 'SELECT (SELECT count(*) FROM ledger.chain) + (SELECT count(*) FROM ledger.block)
               + (SELECT count(*) FROM ledger.account) + (SELECT count(*) FROM ledger.tip)')" 0 'leaves it empty'
succeeds 'the right one after all' "$TIDEMARK" init --data "$data" --genesis $right
like "$output" '013850a053823e1c4c23abac95e979830cfb3b0440c25f64020f7c1ce83cef1b' 'has its state hash'
perl -0777 -pe 's/testnet/othernet/' $right >"$file"
fails 1 'another chain on top of it' "$TIDEMARK" init --data "$data" --genesis "$file"
like "$output" 'another chain here already \(testnet' 'names the one there is'
fails 1 'the same under other rules' "$TIDEMARK" init --data "$data" --genesis $right --rules reference
like "$output" 'another chain' 'is another chain'
succeeds 'the same again' "$TIDEMARK" init --data "$data" --genesis $right
succeeds 'the chain verifies' "$TIDEMARK" verify --data "$data"

# What only the database could refuse is rolled back as a whole.
data=$test_dir/other
cluster_start other
db_prepare
sql 'ALTER TABLE ledger.servicer ADD CONSTRAINT no CHECK (stake < 0)' >/dev/null
fails 1 'a database that refuses a row' "$TIDEMARK" init --data "$data" --genesis $right
like "$output" 'servicer.*violates check constraint "no"' 'names it'
is "$(sql 'SELECT (SELECT count(*) FROM ledger.chain) + (SELECT count(*) FROM ledger.block)
               + (SELECT count(*) FROM ledger.account) + (SELECT count(*) FROM ledger.tip)')" 0 'and keeps nothing'
sql 'ALTER TABLE ledger.servicer DROP CONSTRAINT no' >/dev/null
succeeds 'it takes the file then' "$TIDEMARK" init --data "$data" --genesis $right
like "$output" '013850a053823e1c4c23abac95e979830cfb3b0440c25f64020f7c1ce83cef1b' 'with the same state hash'
done_testing
