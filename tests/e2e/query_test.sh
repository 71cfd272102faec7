#!/usr/bin/env bash
# `tidemark query` on the recorded chain: answers in the shapes of the reference's REST interface, and
# errors a person can act on.
. tests/lib.sh
chain=tests/vectors/chain-a

data=$test_dir/a
"$TIDEMARK" init --data "$data" --genesis $chain/genesis.json --rules reference >/dev/null
cluster_start a

query() {
    "$TIDEMARK" query "$@" --data "$data" 2>&1
}

# holds TEXT NAME PART…: the parts stand in the text, in this order.
holds() {
    local rest=$1 name=$2 part
    shift 2
    for part; do
        [[ $rest == *"$part"* ]] || {
            ok 1 "$name" "found:    $rest" "expected: $part"
            return
        }
        rest=${rest#*"$part"}
    done
    ok 0 "$name"
}

# --- genesis alone ---------------------------------------------------------------------------------

is "$(query height)" '{"height":0}' 'height of genesis'
holds "$(query block)" 'the block of genesis' \
    '{"block_header":{"height":0,"network_id":"localnet","next_val_set_hash":"b64b5aab' \
    '"prev_state_hash":"","proposer_addr":"","quorum_cert":{"block":"","height":0,"round":0,"step":"HOTSTUFF_STEP_UNKNOWN","threshold_sig":{"signatures":[]},"transactions":[]},"state_hash":"271dc3b1' \
    '"val_set_hash":""},"transactions":[]}'
is "$(query block-txs)" '{"page":0,"total_pages":0,"total_txs":0,"transactions":null}' 'no transactions'

"$TIDEMARK" replay --data "$data" $chain/blocks.jsonl >/dev/null

# --- state -----------------------------------------------------------------------------------------

validator1=00104055c00bed7c983a48aac7dc6335d7c607a7
is "$(query height)" '{"height":59}' 'height of the tip'
is "$(query account $validator1)" \
    "{\"address\":\"$validator1\",\"coins\":[{\"amount\":\"99999999999000\",\"denom\":\"upokt\"}]}" 'account'
is "$(query account "${validator1^^}" --height 1)" \
    "{\"address\":\"$validator1\",\"coins\":[{\"amount\":\"100000000000000\",\"denom\":\"upokt\"}]}" \
    'account as of a height; upper case is read'
is "$(query balance $validator1 --height 0)" '{"balance":99999999999000}' 'balance; height 0 is the tip'
is "$(query accounts --per_page 2 --page 3 --height 1)" \
    '{"page":3,"result":[{"address":"00201fa516d71eeff5c930d5b8ff99c23a948d25","coins":[{"amount":"100000000000000","denom":"upokt"}]},{"address":"00202cd8f828a3818da2d24356984120f1cc3e8e","coins":[{"amount":"100000000000000","denom":"upokt"}]}],"total_pages":198}' \
    'a page of accounts'
is "$(query app 004011e472a656063dfdf1ffb99cea74ffc8012f)" \
    '{"actor_type":"application","address":"004011e472a656063dfdf1ffb99cea74ffc8012f","chains":null,"output_addr":"004011e472a656063dfdf1ffb99cea74ffc8012f","paused_height":-1,"public_key":"f148fd87b1e54d63a9c425c9742710a580744cf2d091a479e9a4d21406b07196","service_url":"","staked_amount":"15000000004","unstaking_height":33}' \
    'an application that unstakes'
is "$(query fisherman 0010336c3a2cc1ec71fecc45c360214f757194aa)" \
    '{"actor_type":"fisherman","address":"0010336c3a2cc1ec71fecc45c360214f757194aa","chains":["0001"],"output_addr":"0010336c3a2cc1ec71fecc45c360214f757194aa","paused_height":-1,"public_key":"d913a05a6f4bde35413bdcc6343238960cfc7d8aff425fb712dcaa52f1476dbf","service_url":"fisherman1:42069","staked_amount":"1000000000000","unstaking_height":-1}' \
    'a fisherman'
is "$(query servicers --height 1)" \
    '{"page":1,"servicers":[{"actor_type":"servicer","address":"001022b138896c4c5466ac86b24a9bbe249905c2","chains":["0001"],"output_addr":"001022b138896c4c5466ac86b24a9bbe249905c2","paused_height":-1,"public_key":"56915c1270bc8d9280a633e0be51647f62388a851318381614877ef2ed84a495","service_url":"servicer1:42069","staked_amount":"1000000000000","unstaking_height":-1},{"actor_type":"servicer","address":"00104055c00bed7c983a48aac7dc6335d7c607a7","chains":["0001"],"output_addr":"00104055c00bed7c983a48aac7dc6335d7c607a7","paused_height":-1,"public_key":"dfe357de55649e6d2ce889acf15eb77e94ab3c5756fe46d3c7538d37f27f115e","service_url":"validator1:42069","staked_amount":"1000000000000","unstaking_height":-1}],"total_pages":1,"total_servicers":2}' \
    'all servicers'
is "$(query validators --height 1 --page 2 --per_page 3)" \
    '{"page":2,"total_pages":2,"total_validators":4,"validators":[{"actor_type":"validator","address":"00404a570febd061274f72b50d0a37f611dfe339","chains":null,"output_addr":"00404a570febd061274f72b50d0a37f611dfe339","paused_height":-1,"public_key":"d6cea8706f6ee6672c1e013e667ec8c46231e0e7abcf97ba35d89fceb8edae45","service_url":"validator4:42069","staked_amount":"1000000000000","unstaking_height":-1}]}' \
    'the second page of validators'
is "$(query param servicers_per_session)" \
    '{"parameter_name":"servicers_per_session","parameter_value":"3"}' 'parameter'
holds "$(query params --height 1)" 'parameters by name' \
    '[{"parameter_name":"acl_owner","parameter_value":"da034209758b78eaea06dd99c07909ab54c99b45"},{"parameter_name":"app_max_chains","parameter_value":"15"},'
is "$(query supply --height 1)" \
    '{"pools":[{"address":"34343431346630303030303030303030303030303030303030303030303030303030303030303030","amount":"0","denom":"upokt","name":""},{"address":"34363635363534333666366336633635363337343666373230303030303030303030303030303030","amount":"0","denom":"upokt","name":""},{"address":"4170705374616b65506f6f6c0000000000000000","amount":"100000000000000","denom":"upokt","name":"AppStakePool"},{"address":"44414f0000000000000000000000000000000000","amount":"100000000000000","denom":"upokt","name":"DAO"},{"address":"466565436f6c6c6563746f720000000000000000","amount":"0","denom":"upokt","name":"FeeCollector"},{"address":"4669736865726d616e5374616b65506f6f6c0000","amount":"100000000000000","denom":"upokt","name":"FishermanStakePool"},{"address":"53657276696365725374616b65506f6f6c000000","amount":"100000000000000","denom":"upokt","name":"ServicerStakePool"},{"address":"56616c696461746f725374616b65506f6f6c0000","amount":"100000000000000","denom":"upokt","name":"ValidatorStakePool"}],"total":{"amount":"500000000000000","denom":"upokt"}}' \
    'supply'
holds "$(query session 00101f2ff54811e84df2d767c661f57a06349b7e 0001 unused_geo --height 2)" 'session' \
    '{"application":{"actor_type":"application","address":"00101f2ff54811e84df2d767c661f57a06349b7e"' \
    ',"chain":"0001","fishermen":[{"actor_type":"fisherman","address":"0010336c3a2cc1ec71fecc45c360214f757194aa"' \
    '"geozone":"unused_geo","num_session_blocks":1,"servicers":[{"actor_type":"servicer",' \
    '},{"actor_type":"servicer",' \
    '}],"session_height":2,"session_id":"9d2208136c476728b91d917a51acb26646a2a63de67ce3e1b4fb9d97a6f0471d","session_number":2}'

# --- blocks and transactions -----------------------------------------------------------------------

unstake='{"height":13,"index":0,"message_type":"MessageUnstake","recipient_addr":"","result_code":0,"signer_addr":"00201fa516d71eeff5c930d5b8ff99c23a948d25","tx":{"hash":"b34a852274a74ed8de85c3966b4a031c3e0f3ddcead3f8a1272789ca19986fe9","height":13,"index":0,"txMsg":{"fee":{"amount":"10000","denom":"upokt"},"message":{"actor_type":"application","address":"00201fa516d71eeff5c930d5b8ff99c23a948d25","signer":""},"nonce":"5858082699340570422","signature":{"public_key":"c490d5e89f99ef643c7b1a101fb29d6a8b7ac8a049b5be0775d36ff827621070","signature":"727ef6183a45a55b59816effdc1f0bdc445698798a6c80d5e1b984952b8d887ba3f76ffd269b32045dbd3eb7d49988bcdf6ff49f3a3c8f3428c2dd2cb4d87804"}}}}'
is "$(query tx b34a852274a74ed8de85c3966b4a031c3e0f3ddcead3f8a1272789ca19986fe9)" "$unstake" 'transaction'
is "$(query block-txs --height 13)" \
    "{\"page\":1,\"total_pages\":1,\"total_txs\":1,\"transactions\":[$unstake]}" 'transactions of a block'
holds "$(query block --height 13)" 'block' \
    '{"block_header":{"height":13,"network_id":"localnet","next_val_set_hash":"b64b5aab' \
    '"quorum_cert":{"block":"CpwBCA0aQDZjMTMz' \
    ',"height":13,"round":1,"step":"HOTSTUFF_STEP_COMMIT","threshold_sig":{"signatures":[{"address":"00404a570febd061274f72b50d0a37f611dfe339","signature":"30419af1' \
    ']},"transactions":["CkYKKnR5cGUu' \
    '"state_tree_hashes":{"account":"14de7b4a' '"val":"f5ef31c3' \
    '},"timestamp":"2026-11-22 21:39:33.64925625 +0000 UTC","val_set_hash":"b64b5aab' \
    "},\"transactions\":[$unstake]}"
is "$(query block-txs --height 56 --sort asc --per_page 1 --page 6 | cut -c -60)" \
    "$(query block-txs --height 56 --sort DESC --per_page 1 --page 1 | sed 's/"page":1/"page":6/' | cut -c -60)" \
    'ascending and descending meet'
holds "$(query account-txs 020021a5e840756dfe23bfca87fd3ac85501a446 --per_page 1)" 'the last transaction of an account' \
    '{"page":1,"total_pages":3,"total_txs":3,"txs":[{"height":56,"index":5,'
is "$(query account-txs 0000000000000000000000000000000000000000 --page 2)" \
    '{"page":0,"total_pages":0,"total_txs":0,"txs":null}' 'an account that sent nothing'
holds "$(query block-txs --height 7 --sort asc)" 'parameters as text and as a number' \
    '"parameter":{"parameter_name":"message_send_fee","parameter_value":"25000"}' '"parameter_value":"4"}'
holds "$(query block-txs --height 22)" 'an entry of the IBC store' \
    '"message":{"key":"706f7274732f7472616e73666572","signer":"0610473810cd99f9ef4e72613cf5e93fcf942b12","value":"7631"}'

is "$(query unconfirmed-txs)" '{"page":0,"total_pages":0,"total_txs":0,"transactions":null}' 'nothing waits'
sql "INSERT INTO ops.submission (hash, tx) SELECT hash, tx FROM ledger.transaction
     WHERE height IN (13, 21) AND tx_index = 0 ORDER BY height" >/dev/null
waiting=${unstake/\"height\":13/\"height\":0}
waiting=${waiting/\"height\":13/\"height\":0}
is "$(query unconfirmed-txs --per_page 1)" \
    "{\"page\":1,\"total_pages\":2,\"total_txs\":2,\"transactions\":[$waiting]}" 'the oldest that waits'
holds "$(query unconfirmed-txs --per_page 1 --sort desc)" 'the newest that waits' \
    '"transactions":[{"height":0,"index":0,"message_type":"MessageSend"'
is "$(query unconfirmed-tx b34a852274a74ed8de85c3966b4a031c3e0f3ddcead3f8a1272789ca19986fe9)" "$waiting" \
    'one that waits'
is "$("$TIDEMARK" query height --db "$("$TIDEMARK" db url --data "$data" --role reader)")" '{"height":59}' 'with --db'
is "$(query height --pretty)" $'{\n  "height": 59\n}' 'pretty'

# --- what cannot be answered -----------------------------------------------------------------------

fails 1 'an unknown account' query account 0000000000000000000000000000000000000000 --height 5
like "$output" 'there is no account "0{40}" at height 5$' 'is named with the height'
fails 1 'an unknown servicer' query servicer 0000000000000000000000000000000000000000
fails 1 'an unknown parameter' query param nope
like "$output" 'there is no parameter "nope"$' 'is named'
fails 1 'an unknown transaction' query tx "$(printf '0%.0s' {1..64})"
fails 1 'a transaction that does not wait' query unconfirmed-tx "$(printf '0%.0s' {1..64})"
fails 1 'a future height' query accounts --height 60
like "$output" 'height 60 is above the tip \(The last committed block is 59\.\)' 'says where the tip is'
fails 1 'a block of the future' query block --height 99999
fails 1 'a page too far' query accounts --height 1 --per_page 100 --page 99
like "$output" 'there is no page 99, the last is 4$' 'says how many there are'
fails 1 'no session' query session 00101f2ff54811e84df2d767c661f57a06349b7e 0002 --height 10
like "$output" 'no session' 'says why'
fails 1 'where nothing is' "$TIDEMARK" query height --data "$test_dir/none"

sql 'UPDATE ledger.tip SET earliest = 50' >/dev/null
fails 1 'a pruned height' query supply --height 49
like "$output" 'the state at height 49 is pruned \(The earliest height kept is 50\.\)' 'says from where on there is state'

fails 2 'no query' query
fails 2 'an unknown query' query dance
fails 2 'no address' query account
fails 2 'hex of another length' query account 00ab
fails 2 'no hex' query tx "$(printf 'z%.0s' {1..64})"
like "$output" 'not a hash.*query tx --help' 'says what is expected'
for height in -1 x 1.5 '' 9223372036854775808; do
    fails 2 "height \"$height\"" query supply --height "$height"
done
fails 2 'page 0' query accounts --page 0
fails 2 'too many on a page' query accounts --per_page 1001
fails 2 'another order' query block-txs --sort up
fails 2 'an option of another query' query tx --height 5 "$(printf '0%.0s' {1..64})"
fails 2 'a word too many' query height now

# --- help ------------------------------------------------------------------------------------------

for command in db keys tx query; do
    words=$("$TIDEMARK" $command --help | sed -n "s/^.* tidemark $command \([a-z-]*\).*/\1/p" | sort -u)
    [ "$(wc -w <<<"$words")" -ge 5 ]
    ok $? "$command --help lists its subcommands" "$words"
    for word in $words; do
        page=$("$TIDEMARK" $command "$word" --help)
        like "$page" "^usage: tidemark $command $word( |"$'\n'")" "$command $word --help"
        is "$(grep -c " tidemark $command " <<<"$page")" \
            "$("$TIDEMARK" $command --help | grep -c " tidemark $command $word\( \|$\)")" 'is about that alone'
        is "$("$TIDEMARK" help $command "$word")" "$page" "help $command $word"
    done
done

done_testing
