#!/usr/bin/env bash
# Bad transactions: refused where they are submitted, with the specification's code and a text; those that
# stopped networks of the reference do not stop this one. Transactions are put together here, from the
# wire format and with the openssl program, not by the code that is tested.
set -u
. tests/lib.sh

# --- transactions as hexadecimal text ------------------------------------------------------------

hex() {
    local i out='' byte special='[^ -~]'
    if [[ ${#1} -gt 300 || $1 =~ $special ]]; then
        printf %s "$1" | od -An -v -tx1 | tr -d ' \n'
        return
    fi
    for ((i = 0; i < ${#1}; i++)); do
        printf -v byte %02x "'${1:i:1}"
        out+=$byte
    done
    printf %s "$out"
}

# repeat N TEXT
repeat() {
    printf "%*s" "$1" '' | sed "s/ /$2/g"
}

# varint VALUE: in $encoded
varint() {
    local n=$1 out=''
    while ((n < 0 || n > 127)); do
        printf -v out '%s%02x' "$out" $((n & 127 | 128))
        n=$((n >> 7 & 0x1ffffffffffffff))
    done
    printf -v encoded '%s%02x' "$out" "$n"
}

# field NUMBER HEX: bytes, text or a message; number NUMBER VALUE: a varint
field() {
    local tag
    varint $(($1 << 3 | 2))
    tag=$encoded
    varint $((${#2} / 2))
    printf %s "$tag$encoded$2"
}
number() {
    local tag
    varint $(($1 << 3))
    tag=$encoded
    varint "$2"
    printf %s "$tag$encoded"
}

# any FULL-NAME HEX
any() {
    printf '%s%s' "$(field 1 "$(hex "type.googleapis.com/$1")")" "$(field 2 "$2")"
}

declare -A public address
# key NAME SEED: an Ed25519 key of which openssl can sign
key() {
    printf '302e020100300506032b657004220420%s' "$2" | perl -0777 -ne 'print pack "H*", $_' >"$test_dir/$1.der"
    public[$1]=$(openssl pkey -inform DER -in "$test_dir/$1.der" -pubout -outform DER | tail -c 32 |
        od -An -v -tx1 | tr -d ' \n')
    address[$1]=$(printf %s "${public[$1]}" | perl -0777 -ne 'print pack "H*", $_' | sha256sum | cut -c1-40)
}
key one 0ca1a40ddecdab4f5b04fa0bfed1d235beaa2b8082e7554425607516f0862075   # a validator and servicer
key two ba81e6e56d293895b299bc495ae75d490644429a5e0028fabeb5e1871c1098e7   # a validator
key owner ff538589deb7f28bbce1ba68b37d2efc0eaa03204b36513cf88422a875559e38 # of all parameters; no account
key poor 045e8380086abc6f6e941d6fe47ca93b86723bc246ec8c4beee411b410028675  # no account either

# signature NAME HEX
signature() {
    printf %s "$2" | perl -0777 -ne 'print pack "H*", $_' >"$test_dir/message"
    openssl pkeyutl -sign -rawin -keyform DER -inkey "$test_dir/$1.der" -in "$test_dir/message" |
        od -An -v -tx1 | tr -d ' \n'
}

# signed NAME HEX: fields 1 and 2 with the signature as field 3
signed() {
    printf '%s%s' "$2" "$(field 3 "$(field 1 "${public[$1]}")$(field 2 "$(signature "$1" "$2")")")"
}

nonces=0
# tx NAME MESSAGE-NAME HEX: signed, with a new nonce
tx() {
    nonces=$((nonces + 1))
    signed "$1" "$(field 1 "$(any "$2" "$3")")$(field 2 "$(hex "n$BASHPID.$nonces.$RANDOM")")"
}

# send FROM TO AMOUNT (addresses in hexadecimal)
send() {
    printf '%s%s%s' "$(field 1 "$1")" "$(field 2 "$2")" "$(field 3 "$(hex "$3")")"
}

# chains CHAIN…: field 3 of the staking messages
chains() {
    local chain
    for chain in "$@"; do field 3 "$(hex "$chain")"; done
}

# stake TYPE PUBLIC-KEY CHAINS-HEX AMOUNT URL OUTPUT, edit TYPE ADDRESS CHAINS-HEX AMOUNT URL
stake() {
    printf '%s%s%s%s%s%s' "$(number 1 "$1")" "$(field 2 "$2")" "$3" "$(field 4 "$(hex "$4")")" \
        "$(field 5 "$(hex "$5")")" "$(field 6 "$6")"
}
edit() {
    printf '%s%s%s%s%s' "$(number 1 "$1")" "$(field 2 "$2")" "$3" "$(field 4 "$(hex "$4")")" \
        "$(field 5 "$(hex "$5")")"
}

# change NAME VALUE-HEX: a change of a parameter, the value being an Any (or nothing)
change() {
    printf '%s%s%s%s' "$(field 1 "${address[owner]}")" "$(field 2 "${address[owner]}")" \
        "$(field 3 "$(hex "$1")")" "$2"
}
value() {
    field 4 "$(any "google.protobuf.$1" "$2")"
}
text_value() {
    value StringValue "$(field 1 "$(hex "$1")")"
}

hash_of() {
    printf %s "$1" | perl -0777 -ne 'print pack "H*", $_' | openssl dgst -sha3-256 -r | cut -c1-64
}

# submit HEX: what a submitter sees
submit() {
    printf "SELECT tidemark.submit_tx('\\\\x%s');\n" "$1" | PGUSER=tidemark_api psql -XqAt 2>&1
}

# refused CODE NAME HEX, accepted NAME HEX
refused() {
    like "$(submit "$3" | head -n 1)" "^ERROR:  CODE: $1, ERROR: [[:alnum:]-].{5,}" "$1: $2"
}
accepted() {
    is "$(submit "$2")" "\\x$(hash_of "$2")" "$1"
}

# --- a chain at its genesis ----------------------------------------------------------------------

data=$test_dir/chain
"$TIDEMARK" init --data "$data" --genesis tests/vectors/localnet/genesis.json >/dev/null ||
    { echo 'Bail out! no chain'; exit 1; }
cluster_start chain

a=${address[one]}
b=${address[two]}
good=$(tx one utility.MessageSend "$(send "$a" "$b" 5)")
is "$a" 00104055c00bed7c983a48aac7dc6335d7c607a7 'addresses as the network has them'
accepted 'a good transaction' "$good"

# --- encoding ------------------------------------------------------------------------------------

signable=${good%1a640a20*}
rest=${good#"$signable"}
refused 26 'garbage' "$(repeat 200 ff)"
refused 26 'a byte' 00
refused 26 'text' "$(hex 'SELECT 1')"
for size in 1 50 100 150 $((${#good} / 2 - 1)); do
    refused 26 "truncated to $size bytes" "${good:0:$((2 * size))}"
done
refused 26 'a byte more' "${good}00"
refused 26 'fields in another order' "$rest$signable"
refused 26 'a field twice' "$good${rest}"
refused 26 'a longer varint' "$(printf '%s' "$good" | sed 's/1a64/1ae400/')"
refused 26 'an empty field written out' "$(field 1 "$(any utility.MessageSend "$(send "$a" "$b" 5)")")1200$rest"
refused 26 'text that is no UTF-8' "$(signed one "$(field 1 "$(any utility.MessageSend "$(send "$a" "$b" 5)")")$(field 2 c3)")"
refused 26 'groups in groups' "$(repeat 30000 0b)"
refused 26 'groups in groups in an unknown field' "$good$(repeat 20000 f3bf01)"
refused 26 'messages in messages' "$(repeat 30000 0a)"
refused 10 'an unknown field that was not signed' "$good$(field 15 00)"
unknown=$(field 15 00)
accepted 'an unknown field that was signed' "$signable$(field 3 "$(field 1 "${public[one]}")$(
    field 2 "$(signature one "$signable$unknown")")")$unknown"

# ibc SIZE: a transaction that writes a value of so many bytes
ibc() {
    signed one "$(field 1 "$(any types.UpdateIBCStore "$(field 1 "$a")$(field 2 "$(hex key)")$(field 3 "$(repeat "$1" ab)")")")$(field 2 31)"
}
size=$((65536 - $(ibc 65000 | wc -c) / 2 + 65000))
largest=$(ibc "$size")
is $((${#largest} / 2)) 65536 'the largest transaction has 65,536 bytes'
accepted 'and is accepted' "$largest"
refused 26 'a byte above the largest' "$(ibc $((size + 1)))"
refused 26 'above what is decoded, 5 MB' "$(repeat 5000000 0a)"

# --- stateless checks, in their order ------------------------------------------------------------

any_send=$(field 1 "$(any utility.MessageSend "$(send "$a" "$b" 5)")")
refused 30 'no nonce' "$(signed one "$any_send")"
refused 30 'no nonce before no signature' "$any_send"
refused 30 'nothing at all' ''
refused 30 'a nonce of 129 bytes' "$(signed one "$any_send$(field 2 "$(repeat 129 61)")")"
accepted 'a nonce of 128 bytes' "$(signed one "$any_send$(field 2 "$(repeat 128 61)")")"
accepted 'a nonce with a zero byte' "$(signed one "$any_send$(field 2 610062)")"
body=$any_send$(field 2 32)
proof=$(signature one "$body")
refused 136 'no signature structure' "$body"
refused 32 'no signature' "$body$(field 3 "$(field 1 "${public[one]}")")"
refused 32 'an empty signature structure' "${body}1a00"
refused 31 'no public key' "$body$(field 3 "$(field 2 "$proof")")"
refused 8 'a public key of 31 bytes' "$body$(field 3 "$(field 1 "${public[one]:2}")$(field 2 "$proof")")"
refused 8 'a public key of 33 bytes' "$body$(field 3 "$(field 1 "${public[one]}00")$(field 2 "$proof")")"
refused 4 'no message' "$(signed one "$(field 2 31)")"
refused 4 'a message without a type' "$(signed one "$(field 1 "$(field 2 "$(send "$a" "$b" 5)")")$(field 2 31)")"
refused 4 'an unknown message' "$(tx one utility.MessageUpgrade "$(field 1 "$a")")"
refused 4 'a message that never travels in a transaction' "$(tx one utility.TxGossipMessage "$(field 1 00)")"
refused 4 'a type of the library' "$(tx one google.protobuf.StringValue "$(field 1 61)")"
refused 4 'bytes that are no such message' "$(tx one utility.MessageSend ff)"
refused 4 'a message cut short' "$(tx one utility.MessageSend "$(field 1 "$a" | sed 's/..$//')")"
refused 10 'a signature over something else' "$body$(field 3 "$(field 1 "${public[one]}")$(field 2 "$(signature one "$signable")")")"
refused 10 'the key of somebody else' "$body$(field 3 "$(field 1 "${public[two]}")$(field 2 "$proof")")"
refused 10 'a signature of 63 bytes' "$body$(field 3 "$(field 1 "${public[one]}")$(field 2 "${proof:2}")")"
refused 10 'a signature of 65 bytes' "$body$(field 3 "$(field 1 "${public[one]}")$(field 2 "${proof}00")")"
refused 10 'a key of small order' "$body$(field 3 "$(field 1 "01$(repeat 31 00)")$(field 2 "01$(repeat 63 00)")")"
refused 10 'a bad signature before a bad message' \
    "$(tx one utility.MessageSend "$(send '' "$b" x)" | sed 's/..$/ff/')"

# --- messages ------------------------------------------------------------------------------------

# message CODE NAME MESSAGE-NAME HEX: signed by the first key
message() {
    refused "$1" "$2" "$(tx one "$3" "$4")"
}
send_name=utility.MessageSend
message 20 'no sender' $send_name "$(send '' "$b" 5)"
message 21 'a sender of 19 bytes' $send_name "$(send "${a:2}" "$b" 5)"
message 20 'no recipient' $send_name "$(send "$a" '' 5)"
message 21 'a recipient of 21 bytes' $send_name "$(send "$a" "${b}00" 5)"
message 21 'a recipient of 60,000 bytes' $send_name "$(send "$a" "$(repeat 60000 61)" 5)"
message 51 'no amount' $send_name "$(send "$a" "$b" '')"
message 118 'a negative amount' $send_name "$(send "$a" "$b" -5)"
for amount in abc +5 05 5.0 1e3 ' 5' 0x5 5_0 "$(repeat 79 9)" "$(repeat 60000 9)"; do
    message 40 "an amount that is none: ${amount:0:20}" $send_name "$(send "$a" "$b" "$amount")"
done
accepted 'the greatest amount' "$(tx one $send_name "$(send "$a" "$b" "$(repeat 78 9)")")"
accepted 'nothing' "$(tx one $send_name "$(send "$a" "$b" 0)")"

url=https://servicer.example:443
name=utility.MessageStake
message 31 'a stake without key' $name "$(stake 1 '' "$(chains 0001)" 5 '' "$a")"
message 50 'a stake with a key of 31 bytes' $name "$(stake 1 "${public[poor]:2}" "$(chains 0001)" 5 '' "$a")"
message 49 'no output address' $name "$(stake 1 "${public[poor]}" "$(chains 0001)" 5 '' '')"
message 21 'an output address of 19 bytes' $name "$(stake 1 "${public[poor]}" "$(chains 0001)" 5 '' "${a:2}")"
for type in 0 5 77 -1; do
    message 130 "actor type $type" $name "$(stake $type "${public[poor]}" "$(chains 0001)" 5 $url "$a")"
done
message 51 'a stake of nothing' $name "$(stake 1 "${public[poor]}" "$(chains 0001)" '' '' "$a")"
message 40 'a stake that is no number' $name "$(stake 1 "${public[poor]}" "$(chains 0001)" 1e9 '' "$a")"
message 118 'a negative stake' $name "$(stake 1 "${public[poor]}" "$(chains 0001)" -5 '' "$a")"
message 47 'no chains' $name "$(stake 1 "${public[poor]}" '' 5 '' "$a")"
message 46 'an empty chain' $name "$(stake 1 "${public[poor]}" "$(chains 0001 '')" 5 '' "$a")"
for chain in 00001 000 '00 1' $'00\x011' 'é00'; do
    message 48 "a chain that is none: ${chain//[^[:print:]]/.}" $name "$(stake 1 "${public[poor]}" "$(chains "$chain")" 5 '' "$a")"
done
message 48 'a chain with a zero byte' $name "$(stake 1 "${public[poor]}" "$(field 3 30300031)" 5 '' "$a")"
message 48 'a chain twice' $name "$(stake 1 "${public[poor]}" "$(chains 0001 0002 0001)" 5 '' "$a")"
for bad in /x '' http://localhost:80 validator1:42069 https://a.b https://a.b:65536 https://a.b:1/x ftp://a.b:1 \
    "https://a.b'; DROP TABLE ledger.tip; --:443" $'https://a.b\n:443' "https://$(repeat 250 a).b:1"; do
    message 70 "a service URL that is none: $(tr -d '\n' <<<"${bad:0:50}")" $name \
        "$(stake 2 "${public[poor]}" "$(chains 0001)" 5 "$bad" "$a")"
done
message 70 'a service URL with a zero byte' $name "$(stake 2 "${public[poor]}" "$(chains 0001)" 5 '' "$a" |
    sed "s/2a00/$(field 5 "$(hex https://a)00$(hex .b:443)")/")"
quoted=$(tx one $name "$(stake 2 "${public[poor]}" "$(chains 0001)" 15000000000 "https://a'b.example:443" "$a")")
accepted 'a quote in a service URL' "$quoted"
accepted 'a validator without chains' "$(tx one $name "$(stake 4 "${public[poor]}" '' 15000000000 $url "$a")")"

name=utility.MessageEditStake
message 20 'an edit without address' $name "$(edit 4 '' '' 5 $url)"
message 21 'an edit of a short address' $name "$(edit 4 "${a:2}" '' 5 $url)"
message 130 'an edit of no kind' $name "$(edit 0 "$a" '' 5 $url)"
message 40 'an edit to no number' $name "$(edit 4 "$a" '' x $url)"
message 47 'an edit to no chains' $name "$(edit 2 "$a" '' 5 $url)"
message 94 'an edit of nobody' $name "$(edit 3 "$a" "$(chains 0001)" 5 $url)"
edited=$(tx one $name "$(edit 4 "$a" '' 1000000000000 $url)")
accepted 'an edit' "$edited"

for name in utility.MessageUnstake utility.MessageUnpause; do
    message 20 "no address in ${name#*.}" $name "$(number 1 4)"
    message 21 "a short one in ${name#*.}" $name "$(number 1 4)$(field 2 "${a:2}")"
    message 94 "nobody's in ${name#*.}" $name "$(number 1 1)$(field 2 "$a")"
    message 94 "no kind in ${name#*.}" $name "$(field 2 "$a")"
    message 3 "somebody else's in ${name#*.}" $name "$(number 1 4)$(field 2 "$b")"
done

name=utility.MessageChangeParameter
message 92 'no parameter' $name "$(change '' "$(text_value 5)")"
message 93 'no value' $name "$(change blocks_per_session '')"
message 20 'no owner' $name "$(field 3 "$(hex blocks_per_session)")$(text_value 5)"
message 21 'an owner of a byte' $name "$(field 2 00)$(field 3 "$(hex blocks_per_session)")$(text_value 5)"
message 44 'an unknown parameter' $name "$(change "blocks_per_session'" "$(text_value 5)")"
message 44 'a parameter with a long name' $name "$(change "$(repeat 50000 a)" "$(text_value 5)")"
message 28 'a value that cannot be unpacked' $name "$(change blocks_per_session "$(value StringValue ff)")"
message 87 'an Int64Value' $name "$(change blocks_per_session "$(value Int64Value "$(number 1 5)")")"
message 87 'a value of a type that is not there' $name "$(change blocks_per_session "$(value Nothing 00)")"
message 87 'a value without a type' $name "$(change blocks_per_session 2200)"
message 87 'an Int32Value for an amount' $name "$(change message_send_fee "$(value Int32Value "$(number 1 5)")")"
message 87 'a BytesValue for a number' $name "$(change blocks_per_session "$(value BytesValue "$(field 1 05)")")"
message 87 'an owner of 19 bytes' $name "$(change acl_owner "$(value BytesValue "$(field 1 "${a:2}")")")"
message 87 'an owner in capitals' $name "$(change acl_owner "$(text_value "${a^^}A")")"
for bad in '' 0 -1 05 1.5 x 2147483648; do
    message 87 "blocks_per_session = '$bad'" $name "$(change blocks_per_session "$(text_value "$bad")")"
done
message 87 'an Int32Value below zero' $name "$(change blocks_per_session "$(value Int32Value "$(number 1 -1)")")"
message 87 'a percentage above 100' $name "$(change proposer_percentage_of_fees "$(text_value 101)")"
message 87 'an amount that is none' $name "$(change message_send_fee "$(text_value -1)")"
message 3 'a parameter of somebody else' $name "$(change blocks_per_session "$(text_value 5)")"

name=types.UpdateIBCStore
message 144 'no IBC key' $name "$(field 1 "$a")$(field 3 61)"
message 144 'an IBC key of 513 bytes' $name "$(field 1 "$a")$(field 2 "$(repeat 513 61)")$(field 3 61)"
message 144 'no IBC value' $name "$(field 1 "$a")$(field 2 61)"
message 3 'an IBC entry for somebody else' $name "$(field 1 "$b")$(field 2 61)$(field 3 61)"
message 3 'an IBC entry for nobody' $name "$(field 2 61)$(field 3 61)"
message 144 'no IBC key to prune' types.PruneIBCStore "$(field 1 "$a")"
accepted 'an IBC key of 512 bytes' "$(tx one $name "$(field 1 "$a")$(field 2 "$(repeat 512 00)")$(field 3 00)")"

# --- on the state --------------------------------------------------------------------------------

message 3 'money of somebody else' $send_name "$(send "$b" "$a" 5)"
refused 41 'a fee the signer cannot pay' "$(tx poor $send_name "$(send "${address[poor]}" "$a" 0)")"
refused 41 'a fee the owner of parameters cannot pay' \
    "$(tx owner utility.MessageChangeParameter "$(change blocks_per_session "$(text_value 5)")")"
is "$(sql_as api "SET tidemark.height = '0'" "SELECT tidemark.submit_tx('\\x$good')")" "\\x$(hash_of "$good")" \
    'the height of the session does not matter'

# The command says the same as the function.
fails 1 'tidemark tx submit refuses' "$TIDEMARK" tx submit --data "$data" "$(tx one $send_name "$(send "$a" "$b" -5)")"
like "$output" 'CODE: 118, ERROR: the amount is negative' 'with code and text'
fails 1 'and what is no transaction' "$TIDEMARK" tx submit --data "$data" "$(repeat 20 ff)"
like "$output" 'CODE: 26, ERROR: ' 'as well'

# --- a hundred megabytes -------------------------------------------------------------------------

# huge HEAD: a statement with 100 MB behind the head
huge() {
    echo "'\\x$1'::bytea || convert_to(repeat(repeat('a', 10000), 10000), 'UTF8')"
}
peak="SELECT (regexp_match(pg_read_file('/proc/self/status'), 'VmHWM:\\s+(\\d+)'))[1]::int / 1024"
# the transaction, its message and its first field, an address of 100,000,000 bytes
varint 100000000
inner=0a$encoded
varint $((100000000 + ${#inner} / 2))
inner=12$encoded$inner
varint $((100000000 + ${#inner} / 2))
head=0a$encoded$inner
msec() { echo $(($(date +%s%N) / 1000000)); }
began=$(msec)
without=$(sql "SELECT octet_length($(huge "$head"))" "$peak" | tail -n 1)
alone=$(($(msec) - began))
began=$(msec)
with=$(printf '%s\n' "SELECT tidemark.submit_tx($(huge "$head"));" "$peak" | psql -XqAt 2>&1)
took=$(($(msec) - began))
like "$with" 'CODE: 26, ERROR: the transaction has 1000000[0-9]+ bytes' '26: an address of 100 MB'
[ $took -lt $((10 * alone + 5000)) ]
ok $? 'is refused at once: making the value takes most of the time' "$took ms; the value alone $alone ms"
with=$(tail -n 1 <<<"$with")
[ "$with" -lt $((without + 250)) ]
ok $? 'and needs little memory' "peak $with MB; the value alone $without MB"

# --- the table -----------------------------------------------------------------------------------

pending="SELECT count(*), min(status) FROM ops.submission WHERE hash = '\\x$(hash_of "$good")'"
accepted 'the same transaction again' "$good"
is "$(sql "$pending")" '1|pending' 'stands there once'
sql "UPDATE ops.submission SET status = 'refused', code = 41, error = 'CODE: 41, ERROR: …'
     WHERE hash = '\\x$(hash_of "$good")'" >/dev/null
accepted 'one that was refused gets another try' "$good"
is "$(sql "SELECT status, code, error FROM ops.submission WHERE hash = '\\x$(hash_of "$good")'")" 'pending||' 'from the start'
many=$(tx two $send_name "$(send "$b" "$a" 7)")
for i in 1 2 3 4 5 6; do
    submit "$many" >"$test_dir/answer$i" &
done
wait
is "$(sort -u "$test_dir"/answer*)" "\\x$(hash_of "$many")" 'six at once get the same answer'
is "$(sql "SELECT count(*) FROM ops.submission WHERE hash = '\\x$(hash_of "$many")'")" 1 'and are one'
is "$(sql 'SELECT count(*) FROM ops.submission s WHERE tidemark.transaction_hash(s.tx) <> s.hash')" 0 \
    'every hash is that of its transaction'
like "$(sql_as reader "SELECT tidemark.submit_tx('\\x00')" 2>&1)" '(permission denied|not permitted)' \
    'readers submit nothing'
like "$(sql_as api "INSERT INTO ops.submission (hash, tx) VALUES (sha256(''), '\\x00')")" 'permission denied' \
    'nobody goes around the function'

# --- and a node takes what was accepted ----------------------------------------------------------

again=$(tx one utility.MessageStake "$(stake 2 "${public[poor]}" "$(chains 0002)" 15000000000 $url "$a")")
accepted 'a second stake of one key' "$again"
accepted 'a send to oneself' "$(tx two $send_name "$(send "$b" "$b" 9)")"
for text in one two; do
    accepted "one IBC key, value $text" "$(tx one types.UpdateIBCStore \
        "$(field 1 "$a")$(field 2 "$(hex same)")$(field 3 "$(hex $text)")")"
done
accepted 'an IBC key that is not there, to prune' "$(tx one types.PruneIBCStore "$(field 1 "$a")$(field 2 "$(hex none)")")"
supply=$(sql 'SELECT total_upokt FROM state.supply')
accepted 'money for the owner of parameters' "$(tx one $send_name "$(send "$a" "${address[owner]}" 1000000)")"
succeeds 'two blocks' "$TIDEMARK" up --data "$data" --keys deploy/localnet/keys --interval 0.2 --blocks 2
"$TIDEMARK" db start --data "$data" >/dev/null
# A block is filled for half a second: on a slow machine the last ones are in a later block.
for _ in {1..10}; do
    [ "$(sql "SELECT count(*) FROM ops.submission WHERE status = 'pending'")" != 0 ] || break
    "$TIDEMARK" up --data "$data" --keys deploy/localnet/keys --interval 0.2 --blocks 1 >/dev/null 2>&1
done
is "$(sql "SELECT status, count(*) > 10 FROM ops.submission GROUP BY 1")" 'included|t' 'all of them are included'
is "$(sql "SELECT t.result_code FROM chain.transaction t WHERE t.hash = '\\x$(hash_of "$edited")'")" 0 'the edit works'
is "$(sql "SELECT array_agg(t.result_code ORDER BY t.height, t.tx_index) FROM chain.transaction t
           WHERE t.hash IN ('\\x$(hash_of "$quoted")', '\\x$(hash_of "$again")')")" '{0,60}' 'the second stake does not'
is "$(sql "SELECT service_url, chains FROM state.servicer WHERE address = '\\x${address[poor]}'")" \
    "https://a'b.example:443|{0001}" 'the quote is stored as it is'
like "$(sql "SELECT convert_from(value, 'UTF8') FROM state.ibc_entry WHERE key = 'same'")" '^(one|two)$' \
    'a key written twice in a block has one value'
is "$(sql 'SELECT total_upokt FROM state.supply')" "$supply" 'and no money came or went'
refused 95 'a committed transaction' "$good"
refused 95 'another one' "$quoted"
accepted 'a change of a parameter, once its owner can pay' \
    "$(tx owner utility.MessageChangeParameter "$(change blocks_per_session "$(value Int32Value "$(number 1 5)")")")"
message 87 'an Int64Value after it' utility.MessageChangeParameter \
    "$(change blocks_per_session "$(value Int64Value "$(number 1 6)")")"
succeeds 'a block more' "$TIDEMARK" up --data "$data" --keys deploy/localnet/keys --interval 0.2 --blocks 1
"$TIDEMARK" db start --data "$data" >/dev/null
is "$(sql "SELECT value FROM state.param WHERE name = 'blocks_per_session'")" 5 'the parameter is changed'
succeeds 'the chain verifies' "$TIDEMARK" verify --all --data "$data"
done_testing
