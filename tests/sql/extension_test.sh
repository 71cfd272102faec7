#!/usr/bin/env bash
# The extension by itself: golden roots and leaves, aggregates, decoding, bad input, the setting
# tidemark.height and its traps, labels and comments of every object, upgrades.
set -u
. tests/lib.sh

cluster_start extension
db_prepare

zero=$(printf '00%.0s' {1..32})

# refuses STATEMENT REGEX NAME: it fails, and says what the expression describes.
refuses() {
    like "$(sql "$1")" "ERROR:.*$2" "$3"
}

# --- golden values -------------------------------------------------------------------------------

psql -Xq -v ON_ERROR_STOP=1 -f tests/sql/genesis_fixture.sql ||
    { echo 'Bail out! no genesis fixture'; exit 1; }

# root VALUES-LIST: smt_root over (key, value) pairs of text
root() {
    sql "SELECT encode(tidemark.smt_root(k::bytea, v::bytea), 'hex') FROM (VALUES $1) t(k, v)"
}
state_root() {
    sql "SELECT encode(tidemark.state_root(genesis.roots(\$q\$ $1 \$q\$)), 'hex')"
}

is "$(sql "SELECT encode(tidemark.state_root(array_fill('\\x$zero'::bytea, '{10}')), 'hex')")" \
    302f2956c084cc3e0e760cf1b8c2da5de79c45fa542f68a660a5fc494b486972 'ten empty trees'
is "$(state_root "SELECT t AS tree, 'foo'::bytea AS key, 'bar'::bytea AS value
                  FROM generate_series(0, 9) t")" \
    7d5712ea1507915c40e295845fa58773baa405b24b87e9d99761125d826ff915 'every tree has foo = bar'
is "$(root "('test/key1', 'value1'), ('test/key2', ''), ('test/key3', 'value3')")" \
    91bdac23aa7a63a812a32f73b3ceb61d6128642dd7675bf34543fc3e771d0030 'IBC store'
is "$(root "('testKey', 'testValue')")" \
    b3388e93a63f7d0b8ef1bc2fefd7ceb14ec34cc28e69c9c9ddad778bd21e35ff 'one leaf'
is "$(root "('testKey', 'testValue'), ('testKey2', 'testValue')")" \
    c821022f44ec6d8c4806bf912733bed17e891b99be9864773670575609097f68 'two leaves'
is "$(root "('foo', 'testValue'), ('testKey2', 'testValue'), ('testKey', 'testValue')")" \
    aa34fa4e6bfff5c2b7ef513f5f839fc4f4a864f446b3125fe9a8557e589cec85 'three leaves, any order'
is "$(root "('k', '')")" \
    68750883e0091bb15ba02a019f579c5d5d14029f24e896dee20f1aa9d1e2e596 'an empty value is a leaf'

is "$(sql "SELECT string_agg(encode(substr(r, 1, 4), 'hex'), ' ' ORDER BY n)
           FROM unnest(genesis.roots('TABLE genesis.leaf')) WITH ORDINALITY t(r, n)")" \
    'a14b910c 3f848edb f39cf18f dc7a0281 a5fc6c70 6cc99de7 00000000 285549ea 00000000 00000000' \
    'roots of the test genesis'
is "$(state_root 'TABLE genesis.leaf')" \
    5282ee91a3ec0a6f2b30e4780b369bae78c80ef3ea40587fef6ae263bf41f244 'state hash of the test genesis'

# state_test: the application's stake becomes 42 + i, and a transaction says so. Chains are lost.
step() {
    state_root "SELECT * FROM genesis.leaf WHERE tree <> 0
        UNION ALL SELECT 0, address, tidemark.encode_application(address, public_key, address,
            42 + $1, NULL, '', '{}', -1, -1) FROM genesis.actor WHERE tree = 0
        UNION ALL SELECT 6, tidemark.sha3_256(tx), tx
        FROM (SELECT convert_to('a tx, i am, which set the app stake amount to ' || 42 + i, 'UTF8')
              FROM generate_series(1, $1) i) t(tx)"
}
is "$(step 1)" 1e433a8905c7b1cf42222f8d01ba222038653f8ff35ae97cce1fd6a32d18b51e 'state_test, height 1'
is "$(step 2)" 4542dea3eedb99ad46b3c6e0ea901a9ee365b590b2f2ac7f12678ac369a2fe90 'state_test, height 2'
is "$(step 3)" 1524529fa827852e397adf1938eb058848209c4916cdacef929d050efc472c1d 'state_test, height 3'

# The published LocalNet genesis file, read by SQL.
psql -Xq -v ON_ERROR_STOP=1 >/dev/null <<'END'
\set file `cat tests/vectors/localnet/genesis.json`
CREATE TABLE genesis.localnet AS SELECT :'file'::jsonb AS file;
CREATE VIEW genesis.localnet_actor AS
SELECT k.tree, decode(a->>'address', 'hex') AS address, decode(a->>'public_key', 'hex') AS public_key,
    decode(a->>'output', 'hex') AS output, (a->>'staked_amount')::numeric AS stake,
    coalesce(a->>'service_url', '') AS url, (a->>'paused_height')::bigint AS paused,
    (a->>'unstaking_height')::bigint AS unstaking,
    ARRAY(SELECT jsonb_array_elements_text(nullif(a->'chains', 'null'))) AS chains
FROM genesis.localnet, (VALUES (0, 'applications'), (1, 'validators'), (2, 'fishermen'),
                               (3, 'servicers')) k(tree, name),
    jsonb_array_elements(file->k.name) a;
CREATE VIEW genesis.localnet_leaf AS
SELECT tree, address AS key, CASE tree
    WHEN 0 THEN tidemark.encode_application(address, public_key, output, stake, NULL, '', chains, paused, unstaking)
    WHEN 1 THEN tidemark.encode_validator(address, public_key, output, stake, NULL, url, chains, paused, unstaking)
    WHEN 2 THEN tidemark.encode_fisherman(address, public_key, output, stake, NULL, url, chains, paused, unstaking)
    ELSE tidemark.encode_servicer(address, public_key, output, stake, NULL, url, chains, paused, unstaking)
    END AS value
FROM genesis.localnet_actor
UNION ALL
SELECT k.tree, decode(a->>'address', 'hex'),
    tidemark.encode_account(decode(a->>'address', 'hex'), (a->>'amount')::numeric)
FROM genesis.localnet, (VALUES (4, 'accounts'), (5, 'pools')) k(tree, name),
    jsonb_array_elements(file->k.name) a
UNION ALL
SELECT 7, tidemark.param_key(key), tidemark.encode_param(key, value, 0)
FROM genesis.localnet, jsonb_each_text(file->'params');
END
is "$(state_root 'TABLE genesis.localnet_leaf')" \
    271dc3b185309f6bc2586bd480b0feab7b937f09af3b116cff7fbb66f83ba7d9 'LocalNet genesis, reference'
# Under `standard` each stake pool is credited with the stakes of its kind.
standard="SELECT l.tree, l.key, CASE WHEN l.tree <> 5 THEN l.value ELSE tidemark.encode_account(l.key,
        (SELECT (p->>'amount')::numeric FROM genesis.localnet, jsonb_array_elements(file->'pools') p
         WHERE p->>'address' = encode(l.key, 'hex'))
        + coalesce((SELECT sum(a.stake) FROM genesis.localnet_actor a
            WHERE encode(l.key, 'hex') = rpad(encode(convert_to((ARRAY['AppStakePool',
                'ValidatorStakePool', 'FishermanStakePool', 'ServicerStakePool'])[a.tree + 1],
                'UTF8'), 'hex'), 40, '0')), 0)) END AS value FROM genesis.localnet_leaf l"
is "$(state_root "$standard")" \
    013850a053823e1c4c23abac95e979830cfb3b0440c25f64020f7c1ce83cef1b 'LocalNet genesis, standard'

# --- leaves and keys -----------------------------------------------------------------------------

is "$(sql "SELECT tidemark.encode_param('blocks_per_session', '1', 0)")" \
    '\x0a12626c6f636b735f7065725f73657373696f6e120131' 'a parameter of genesis'
is "$(sql "SELECT tidemark.encode_param('blocks_per_session', '4', 7)")" \
    '\x0a12626c6f636b735f7065725f73657373696f6e1201341807' 'a parameter with its height'
is "$(sql "SELECT tidemark.encode_flag('f', 'v', true, 3)")" \
    '\x0a01661201761803220474727565' 'a flag that is on'
is "$(sql "SELECT tidemark.encode_flag('f', 'v', false, 0)")" \
    '\x0a0166120176220566616c7365' 'a flag that is off'
is "$(sql "SELECT tidemark.encode_account('\\x0aff', -15)")" \
    '\x0a043061666612032d3135' 'a negative balance'
is "$(sql "SELECT tidemark.encode_servicer('\\x01', '\\x02', '\\x03', 15, '+015', 'u', '{}', 7, 0)")" \
    "$(sql "SELECT tidemark.encode_servicer('\\x01', '\\x02', '\\x03', 99, '+015', 'u', '{}', 7, 0)")" \
    'stake_text stands for the stake'
is "$(sql "SELECT tidemark.encode_validator('\\x01', '\\x02', '\\x03', 15, NULL, 'u', '{0001}', -1, -1)
              = tidemark.encode_validator('\\x01', '\\x02', '\\x03', 15, NULL, 'u', '{}', -1, -1)")" t \
    'chains of a validator are not hashed'
is "$(sql "SELECT tidemark.encode_application('\\x01', '\\x02', '\\x03', 15, NULL, 'u', '{0001}', -1, -1)
              = tidemark.encode_application('\\x01', '\\x02', '\\x03', 15, NULL, '', '{0001}', -1, -1)")" t \
    'the service_url of an application is not hashed'
is "$(sql "SELECT tidemark.path('testKey')")" \
    '\x15291f67d99ea7bc578c3544dadfbb991e66fa69cb36ff70fe30e798e111ff5f' 'path'
is "$(sql "SELECT count(*) FROM (SELECT tidemark.path(i::text::bytea) AS p, tidemark.path64(i::text::bytea) AS n
               FROM generate_series(1, 2000) i) t
           WHERE (('x' || encode(substr(p, 1, 8), 'hex'))::bit(64) # (1::bit(64) << 63))::bigint <> n")" 0 \
    'path64 is the first 64 bits, top bit flipped'
is "$(sql "SELECT array_agg(i ORDER BY tidemark.path64(i::text::bytea))
                = array_agg(i ORDER BY tidemark.path(i::text::bytea)) FROM generate_series(1, 2000) i")" t \
    'bigint order is path order'
is "$(sql "SELECT tidemark.sha3_256('')")" \
    '\xa7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a' 'SHA3-256'
is "$(sql "SELECT tidemark.tree_key(7::smallint, 'x') = tidemark.sha3_256('x'),
                  tidemark.param_key('x') = tidemark.sha3_256('x'),
                  tidemark.tree_key(4::smallint, 'x') = 'x'::bytea")" 't|t|t' 'tree keys'
for form in "'00104055C00bed7c983a48aac7dc6335d7c607a7'" "'\\x00104055c00bed7c983a48aac7dc6335d7c607a7'" \
    "'0x00104055c00bed7c983a48aac7dc6335d7c607a7'::text" \
    "'\\x00104055c00bed7c983a48aac7dc6335d7c607a7'::bytea"; do
    is "$(sql "SELECT address($form), pg_typeof(address($form))")" \
        '\x00104055c00bed7c983a48aac7dc6335d7c607a7|address' "address($form)"
done
like "$(sql 'SELECT tidemark.build_id()')" '^[0-9a-f]{16}$' 'build_id'

# --- aggregates ----------------------------------------------------------------------------------

is "$(sql "SELECT tidemark.smt_root(''::bytea, ''::bytea) WHERE false")" "\\x$zero" 'no rows'
is "$(root "('a', NULL), ('a', NULL)")" "$zero" 'a NULL value is no leaf'
is "$(root "('testKey', 'testValue'), ('testKey', NULL)")" \
    b3388e93a63f7d0b8ef1bc2fefd7ceb14ec34cc28e69c9c9ddad778bd21e35ff 'nor does it count as a second'
refuses "SELECT tidemark.smt_root(NULL, 'x')" 'key is NULL' 'a NULL key'
refuses "SELECT tidemark.smt_root(k, 'x') FROM (VALUES ('\\xabcd'::bytea), ('\\xabcd')) t(k)" \
    'a key occurs twice.*path is .x123d4c7ef2d1600a' 'a key twice is told by its path'
refuses "SELECT tidemark.smt_root('a', 'x') OVER ()" 'window' 'not as a window function'
is "$(sql "SELECT count(DISTINCT r) FROM (SELECT tidemark.smt_root(k, v ORDER BY random()) AS r
           FROM (SELECT i::text::bytea, (i % 7)::text::bytea FROM generate_series(1, 3000) i) t(k, v),
               generate_series(1, 8) n GROUP BY n) s")" 1 'any order gives the same root'

psql -Xq <<'END'
CREATE TABLE public.many AS SELECT sha256(i::text::bytea) AS k, i::text::bytea AS v
    FROM generate_series(1, 60000) i;
ANALYZE public.many;
END
parallel='SET max_parallel_workers_per_gather = 2; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0;
    SET min_parallel_table_scan_size = 0'
like "$(sql "$parallel" 'EXPLAIN SELECT tidemark.smt_root(k, v) FROM public.many')" 'Partial Aggregate' \
    'smt_root runs in parallel'
is "$(sql "$parallel" 'SELECT tidemark.smt_root(k, v) FROM public.many')" \
    "$(sql 'SET max_parallel_workers_per_gather = 0' 'SELECT tidemark.smt_root(k, v) FROM public.many')" \
    'parallel = serial'
is "$(sql "$parallel" 'SET enable_partitionwise_aggregate = on; SET enable_hashagg = on' \
    'SELECT count(DISTINCT r) FROM (SELECT get_byte(k, 0) AS g, tidemark.smt_root(k, v) AS r
     FROM public.many GROUP BY 1) s')" 256 'groups'
sql 'INSERT INTO public.many SELECT k, v FROM public.many LIMIT 1' >/dev/null
refuses "$parallel; SELECT tidemark.smt_root(k, v) FROM public.many" 'occurs twice' \
    'a key twice across workers'
is "$(sql "$parallel" 'SELECT tidemark.smt_root(k, v) FROM public.many WHERE false')" "\\x$zero" \
    'no rows in any worker'

# The digest, written out: LE4 length and key, then 00 for gone or 01, LE4 length and leaf.
is "$(sql "SELECT tidemark.change_digest(k, l) FROM (VALUES ('b'::bytea, 'xy'::bytea), ('a', NULL)) t(k, l)")" \
    "$(sql "SELECT sha256('\\x010000006100' || '\\x010000006201020000007879'::bytea)")" 'change_digest'
is "$(sql "SELECT count(DISTINCT d) FROM (SELECT tidemark.change_digest(k, l ORDER BY random()) AS d
           FROM (SELECT i::text::bytea, nullif(i % 3, 0)::text::bytea FROM generate_series(1, 500) i) t(k, l),
               generate_series(1, 5) n GROUP BY n) s")" 1 'any order gives the same digest'
is "$(sql "SELECT tidemark.change_digest(''::bytea, NULL) WHERE false")" "\\x$zero" 'no change'
refuses "SELECT tidemark.change_digest(k, NULL) FROM (VALUES ('a'::bytea), ('a')) t(k)" 'occurs twice' \
    'a changed key twice'
refuses "SELECT tidemark.change_digest(NULL, 'a')" 'key is NULL' 'a changed key that is NULL'
# tree, depth, LE8 prefix, then 00 for gone or 01 and the digest
is "$(sql "SELECT tidemark.node_digest(t, 6::smallint, p, d)
           FROM (VALUES (5::smallint, 1::bigint, NULL::bytea), (4::smallint, 63, sha256(''))) t(t, p, d)")" \
    "$(sql "SELECT sha256('\\x04063f0000000000000001'::bytea || sha256('') || '\\x0506010000000000000000'::bytea)")" \
    'node_digest'
is "$(sql "SELECT tidemark.node_digest(0::smallint, 6::smallint, 0, NULL) WHERE false")" "\\x$zero" \
    'no changed node'
refuses "SELECT tidemark.node_digest(4::smallint, 6::smallint, 0, NULL)
         FROM generate_series(1, 2)" 'occurs twice' 'a node twice'
refuses "SELECT tidemark.node_digest(10::smallint, 6::smallint, 0, NULL)" 'tree 10' 'no such tree'
refuses "SELECT tidemark.node_digest(1::smallint, 6::smallint, -1, NULL)" 'prefix -1' 'no such prefix'
refuses "SELECT tidemark.node_digest(1::smallint, 6::smallint, 1, 'x')" '1 bytes, not 32' 'a short digest'

# --- decoding ------------------------------------------------------------------------------------

send=0a5d0a27747970652e676f6f676c65617069732e636f6d2f7574696c6974792e4d65737361676553656e6412320a14da034209758b78eaea06dd99c07909ab54c99b45121400104055c00bed7c983a48aac7dc6335d7c607a71a0431303030120234321a640a20d6cbe0430ddd85a5e48e0c99ef3dea47bf0d1a83c6e6ad1640f72201dc8a01201240245239d3bbc2d5c880b8b96d0e4535fc3eab8584e28eae414cda763ddf41998ac637d02990054dca15ba2a0bc717d4fc3bf7015437f2392e887b37fd9d8f6c0f
stake=0a790a28747970652e676f6f676c65617069732e636f6d2f7574696c6974792e4d6573736167655374616b65124d08011220d6cbe0430ddd85a5e48e0c99ef3dea47bf0d1a83c6e6ad1640f72201dc8a01201a0430303031220b31353030303030303030303214da034209758b78eaea06dd99c07909ab54c99b4512023432
change=0aae010a32747970652e676f6f676c65617069732e636f6d2f7574696c6974792e4d6573736167654368616e6765506172616d6574657212780a14da034209758b78eaea06dd99c07909ab54c99b451214da034209758b78eaea06dd99c07909ab54c99b451a12626c6f636b735f7065725f73657373696f6e22360a2f747970652e676f6f676c65617069732e636f6d2f676f6f676c652e70726f746f6275662e537472696e6756616c756512030a013512023432
unstake=0a460a2a747970652e676f6f676c65617069732e636f6d2f7574696c6974792e4d657373616765556e7374616b65121808041214da034209758b78eaea06dd99c07909ab54c99b4512023432
is "$(sql "SELECT tidemark.transaction_hash('\\x$send')")" \
    '\x768643fbbdbf16b45387c50495c334828a9d12fae2fd5af7942ad793fef44cf7' 'transaction_hash'
is "$(sql "SELECT encode(hash, 'hex'), canonical, message_type, nonce, signer, recipient, octet_length(signature)
           FROM tidemark.decode_tx('\\x$send')")" \
    '768643fbbdbf16b45387c50495c334828a9d12fae2fd5af7942ad793fef44cf7|t|MessageSend|42|\xda034209758b78eaea06dd99c07909ab54c99b45|\x00104055c00bed7c983a48aac7dc6335d7c607a7|64' \
    'decode_tx'
is "$(sql "SELECT * FROM tidemark.decode_message_send('\\x$send')")" \
    '\xda034209758b78eaea06dd99c07909ab54c99b45|\x00104055c00bed7c983a48aac7dc6335d7c607a7|1000|1000' \
    'decode_message_send'
is "$(sql "SELECT actor_type, address, output_address, amount_upokt, chains, service_url, signer IS NULL
           FROM tidemark.decode_message_stake('\\x$stake')")" \
    'application|\xda034209758b78eaea06dd99c07909ab54c99b45|\xda034209758b78eaea06dd99c07909ab54c99b45|15000000000|{0001}||t' \
    'decode_message_stake'
is "$(sql "SELECT * FROM tidemark.decode_message_change_parameter('\\x$change')")" \
    '\xda034209758b78eaea06dd99c07909ab54c99b45|\xda034209758b78eaea06dd99c07909ab54c99b45|blocks_per_session|5|StringValue' \
    'decode_message_change_parameter'
is "$(sql "SELECT actor_type, address, signer IS NULL FROM tidemark.decode_message_unstake('\\x$unstake')")" \
    'validator|\xda034209758b78eaea06dd99c07909ab54c99b45|t' 'decode_message_unstake'
is "$(sql "SELECT r IS NULL FROM (SELECT tidemark.decode_message_stake('\\x$send')) t(r)")" t \
    'another message is NULL'
is "$(sql "SELECT message_type IS NULL, nonce FROM tidemark.decode_tx('\\x0a030a0178120101')")" $'t|\x01' \
    'a message of unknown type'
refuses "SELECT tidemark.decode_tx('\\x0a5d')" 'CODE: 26' 'truncated bytes'
refuses "SELECT tidemark.decode_message_send('\\xffffff')" 'CODE: 26' 'garbage'
is "$(sql "SELECT count(*) FROM tidemark.decode_tx('')")" 1 'an empty transaction decodes'
is "$(psql -XqAt 2>&1 <<END | grep -vc 'CODE: 26'
\\set VERBOSITY terse
SELECT format('SELECT tidemark.decode_tx(%L)', substr('\\x$send'::bytea, 1, n)) FROM generate_series(1, 200) n
WHERE n <> 95 AND n <> 99 \\gexec
END
)" 0 'every truncation is refused'

# --- bad input -----------------------------------------------------------------------------------

refuses "SELECT tidemark.address('zz')" 'not an address' 'text that is no address'
refuses "SELECT tidemark.address('00'::text)" 'not an address' 'a short address'
refuses "SELECT tidemark.address('\\x00'::bytea)" '20 bytes, not 1' 'short bytes'
refuses "SELECT '\\x00'::tidemark.address" 'address_check' 'the domain address'
refuses "SELECT '\\x00'::tidemark.hash32" 'hash32_check' 'the domain hash32'
for amount in 1.5 100.00 "'NaN'" "'Infinity'" "'-Infinity'"; do
    refuses "SELECT $amount::numeric::tidemark.upokt" 'upokt_check' "the domain upokt: $amount"
    refuses "SELECT tidemark.encode_account('\\x00', $amount::numeric)" 'not a whole number' \
        "encode_account: $amount"
done
is "$(sql "SELECT '-5'::tidemark.upokt, 1e78::tidemark.upokt = 10::numeric ^ 78")" '-5|t' \
    'the domain upokt has neither sign nor size'
actor="'\\x01', '\\x02', '\\x03', 15, NULL, 'u'"
refuses "SELECT tidemark.encode_servicer($actor, NULL, -1, -1)" 'chains is NULL' 'NULL chains'
refuses "SELECT tidemark.encode_servicer($actor, ARRAY['0001', NULL], -1, -1)" 'NULL element' 'a NULL chain'
refuses "SELECT tidemark.encode_servicer($actor, '{{0001},{0002}}', -1, -1)" 'dimensions' 'a matrix of chains'
refuses "SELECT tidemark.encode_servicer($actor, '{}', NULL, -1)" 'paused_height is NULL' 'a NULL height'
refuses "SELECT tidemark.encode_servicer('\\x01', '\\x02', '\\x03', NULL, '15', 'u', '{}', -1, -1)" \
    'stake is NULL' 'a NULL stake'
is "$(sql "SELECT tidemark.encode_account(NULL, 1) IS NULL")" t 'strict functions'
refuses "SELECT tidemark.tree_key(10::smallint, 'x')" 'no tree number 10' 'no such tree key'
refuses "SELECT tidemark.state_root('{}')" '0 elements' 'no roots'
refuses "SELECT tidemark.state_root(array_fill('\\x00'::bytea, '{10}'))" 'not 32' 'short roots'
refuses "SELECT tidemark.state_root(array_fill('\\x00'::bytea, '{2,5}'))" 'dimensions' 'a matrix of roots'
refuses "SELECT tidemark.state_root(ARRAY[NULL]::bytea[])" 'elements' 'a NULL root'
# 100 MB of anything
huge="repeat('x', 100000000)"
refuses "SELECT tidemark.path64($huge::bytea)" 'longer than' 'a huge key'
refuses "SELECT tidemark.smt_root('k', $huge::bytea)" 'longer than' 'a huge value'
refuses "SELECT tidemark.address($huge)" 'longer than' 'a huge address'
refuses "SELECT tidemark.decode_tx($huge::bytea)" 'longer than' 'a huge transaction'
refuses "SELECT tidemark.encode_param($huge, '1', 1)" 'longer than' 'a huge name'
refuses "SELECT tidemark.encode_account('\\x00', repeat('9', 100001)::numeric)" 'more than 100000 digits' \
    'a huge amount'
refuses "SELECT tidemark.encode_servicer($actor, array_fill('0001'::text, '{100000}'), -1, -1)" \
    'more than 65536 elements' 'a huge list of chains'
refuses "SELECT tidemark.session_at(0, '\\x00', $huge, '')" 'longer than' 'a huge chain'
refuses "SELECT tidemark.check_tx($huge::bytea)" 'CODE: 26, ERROR: .*at most' 'a huge transaction to check'

# --- before genesis, and without a schema --------------------------------------------------------

refuses 'SELECT tidemark.height()' 'no block yet' 'height() before genesis'
is "$(sql 'SELECT tip IS NULL FROM tidemark.tip()')" t 'tip() before genesis'
refuses "SELECT tidemark.check_tx('\\x$send')" 'no block yet' 'check_tx before genesis'
refuses 'SELECT * FROM tidemark.verify_block(0)' 'no block yet' 'verify_block before genesis'
sql "CREATE DATABASE bare ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0" >/dev/null
PGDATABASE=bare
sql 'CREATE EXTENSION tidemark' >/dev/null
refuses 'SELECT tidemark.height()' 'no schema "ledger"' 'a database without a chain'
like "$(sql 'SELECT tidemark.height()')" 'HINT:.*tidemark init' 'and what to do'
refuses "SELECT tidemark.encode_param('a', 'b', 1)" 'not encoded in UTF8' 'another encoding'
like "$(sql "SET tidemark.height = 'garbage'" 'SELECT tidemark.build_id()' 'SHOW tidemark.height')" \
    'WARNING.*invalid value' 'a bad setting made before the library is loaded is dropped when it is'
PGDATABASE=tidemark
sql 'DROP DATABASE bare WITH (FORCE)' >/dev/null

# --- heights -------------------------------------------------------------------------------------

psql -Xq <<'END' || { echo 'Bail out! no blocks'; exit 1; }
INSERT INTO ledger.chain VALUES (true, 'test', 'standard', 0, 0, 4000000, 1000, 10000, '');
INSERT INTO ledger.block (height, network_id, state_hash, previous_state_hash, proposer, certificate,
    seconds, nanos, block_time, tree_roots, next_validator_set_hash, round, transactions)
SELECT h, 'test', sha256(h::text::bytea), sha256((h - 1)::text::bytea), '', '', 1700000000 + 60 * h, 0,
    to_timestamp(1700000000 + 60 * h), array_fill(decode(repeat('00', 32), 'hex'), '{10}'), sha256(''), 0, 0
FROM generate_series(0, 50) h;
INSERT INTO ledger.tip VALUES (true, 50, 0, sha256('50'));
INSERT INTO ledger.account SELECT sha256(h::text::bytea), h, h FROM generate_series(0, 50) h;
END
at() { sql "SET tidemark.height = '$1'" 'SELECT tidemark.height()'; }
is "$(sql 'SELECT tidemark.height()')" 50 'the tip when unset'
is "$(at '')" 50 'the tip when empty'
is "$(at LATEST)" 50 'latest'
is "$(at ' 12 ')" 12 'a height'
is "$(at -10)" 40 'a distance below the tip'
is "$(at -0)" 50 'no distance'
is "$(at '2023-11-14 22:14:00Z')" 0 'a moment'
is "$(at '2023-11-15 07:14:21+09')" 1 'a moment with a zone'
is "$(sql "SET TimeZone = 'Asia/Tokyo'" "SET tidemark.height = '2023-11-15 07:14:21'" "SET TimeZone = 'UTC'" \
    'SELECT tidemark.height()' 'SHOW tidemark.height')" $'1\n2023-11-14 22:14:21+00' \
    'a moment keeps the zone it was given in'
is "$(sql "SELECT tidemark.height_at('2023-11-14 22:13:20Z'), tidemark.height_at('2100-01-01'),
                  tidemark.height_at('2023-11-14 22:14:19.999999Z')")" '0|50|0' 'height_at'
refuses "SELECT tidemark.height_at('2000-01-01')" 'no block at or before' 'a moment before the chain'
is "$(sql 'SELECT height, earliest, state_hash = sha256(height::text::bytea), block_time
           FROM tidemark.tip()')" '50|0|t|2023-11-14 23:03:20+00' 'tip()'
for bad in garbage yesterday now infinity 1.5 99999999999999999999 12x --5 "$(printf 'x%.0s' {1..2000})"; do
    like "$(at "$bad")" 'ERROR:.*invalid value.*no height.*HINT' "not a height: ${bad:0:20}"
done
for bad in 51 -51 '2000-01-01'; do
    like "$(at "$bad")" 'ERROR:.*HINT' "a height the chain does not have: $bad"
done
refuses 'SELECT tidemark.height(51)' 'above the tip' 'a future height'
refuses 'SELECT tidemark.height(-1)' 'below the first' 'a negative height'
refuses 'SELECT tidemark.height(NULL)' 'NULL' 'a NULL height'
refuses 'SELECT count(*) FROM state.account_at(51)' 'above the tip' 'a view at a future height'
sql 'UPDATE ledger.tip SET earliest = 5' >/dev/null
refuses 'SELECT tidemark.height(4)' 'pruned' 'a pruned height'
like "$(sql 'SELECT tidemark.height(4)')" 'HINT:.*5' 'with the earliest there is'
sql 'UPDATE ledger.tip SET earliest = 0' >/dev/null
like "$(sql 'SET tidemark.nonsense = 1')" 'reserved prefix' 'the prefix is ours'
like "$(sql "ALTER DATABASE tidemark SET tidemark.height = 'garbage'")" 'invalid value' 'a bad default'
is "$(sql 'SET force_parallel_mode = regress' "SET tidemark.height = '-10'" 'SELECT tidemark.height()' \
    'SELECT count(*) FROM state.account')" $'40\n41' 'in a parallel worker'
is "$(sql 'SET tidemark.height = 20' 'SELECT count(*) FROM state.account' 'SELECT count(*) FROM state.account_at(30)' \
    'RESET tidemark.height' 'SELECT count(*) FROM state.account')" $'21\n31\n51' 'views follow the setting'

# Each statement of a transaction in which a cursor is open.
with_cursor() {
    psql -XqAt 2>&1 <<END
SET tidemark.height = 20;
BEGIN;
DECLARE c CURSOR FOR SELECT height FROM state.account;
FETCH 1 FROM c;
$1;
END
}
for change in 'SET tidemark.height = 30' 'SET LOCAL tidemark.height = 30' 'RESET tidemark.height' 'RESET ALL' \
    'SET tidemark.height TO DEFAULT' "SELECT set_config('tidemark.height', '30', false)"; do
    like "$(with_cursor "$change")" 'cannot change while a cursor is open.*HINT' "with a cursor open: $change"
done
is "$(with_cursor 'SET tidemark.height = 20; FETCH 1 FROM c')" $'20\n20' 'the same height again is no change'
is "$(with_cursor 'CLOSE c; SET tidemark.height = 30; SELECT tidemark.height()')" $'20\n30' 'once it is closed'
is "$(with_cursor 'RESET work_mem; FETCH 1 FROM c')" $'20\n20' 'other settings may change'
is "$(sql 'BEGIN' 'SET LOCAL tidemark.height = 7' \
    'DECLARE c CURSOR WITH HOLD FOR SELECT DISTINCT height FROM state.account' 'COMMIT' 'FETCH ALL FROM c')" 7 \
    'a held cursor keeps the height it was opened at'
is "$(psql -XqAt 2>&1 <<'END'
SET tidemark.height = 7;
BEGIN; DECLARE c CURSOR WITH HOLD FOR SELECT 1; COMMIT;
DISCARD ALL;
SELECT tidemark.height();
END
)" 50 'DISCARD ALL closes cursors and goes to the tip'
is "$(psql -XqAt 2>&1 <<'END'
BEGIN; SET tidemark.height = 7; SAVEPOINT s; SET tidemark.height = 8; ROLLBACK TO s; SELECT tidemark.height();
SET LOCAL tidemark.height = 9; COMMIT; SELECT tidemark.height();
BEGIN; SET tidemark.height = 3; ROLLBACK; SELECT tidemark.height();
END
)" $'7\n7\n7' 'savepoints, SET LOCAL and ROLLBACK'
like "$(sql "DO \$\$ DECLARE r record; BEGIN FOR r IN SELECT * FROM state.account LOOP
    PERFORM set_config('tidemark.height', '3', true); END LOOP; END \$\$")" 'cursor is open' \
    'a loop over a view cannot move its height'
psql -Xq <<'END'
CREATE FUNCTION public.opened() RETURNS refcursor LANGUAGE plpgsql SET tidemark.height = '11' AS $$
DECLARE c refcursor := 'rc';
BEGIN
    OPEN c FOR SELECT height FROM state.account;
    RETURN c;
END $$;
CREATE FUNCTION public.moved(h text) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('tidemark.height', h, true);
    RETURN (SELECT DISTINCT height FROM state.account);
END $$;
END
like "$(sql 'BEGIN' 'SELECT public.opened()' 'FETCH 1 FROM rc')" 'changed after this query was opened' \
    'a cursor that outlives the height it was opened at'
like "$(sql "SELECT set_config('tidemark.height', '5', true), (SELECT count(*) FROM state.account)")" \
    'changed after this query was opened' 'a query that moves its own height'
is "$(sql "SELECT public.moved('4')")" 4 'a function sees the height it set'
is "$(sql 'SET tidemark.height = 5' 'PREPARE p AS SELECT DISTINCT height FROM state.account' 'EXECUTE p' \
    'EXECUTE p' 'EXECUTE p' 'EXECUTE p' 'EXECUTE p' 'EXECUTE p' 'SET tidemark.height = 6' 'EXECUTE p')" \
    $'5\n5\n5\n5\n5\n5\n6' 'a prepared statement follows the setting'

# The tip is read by the query's snapshot.
is "$(psql -XqAt 2>&1 <<'END'
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT tidemark.height();
\! psql -Xq -c "UPDATE ledger.tip SET height = 51"
SELECT tidemark.height();
COMMIT;
SELECT tidemark.height();
END
)" $'50\n50\n51' 'REPEATABLE READ'
sql 'UPDATE ledger.tip SET height = 50' >/dev/null

# Nobody's operators and tables come between.
psql -Xq <<'END'
CREATE SCHEMA evil;
CREATE FUNCTION evil.never(bigint, bigint) RETURNS boolean LANGUAGE sql AS 'SELECT NULL::boolean';
CREATE OPERATOR evil.<= (FUNCTION = evil.never, LEFTARG = bigint, RIGHTARG = bigint);
CREATE OPERATOR evil.= (FUNCTION = evil.never, LEFTARG = bigint, RIGHTARG = bigint);
CREATE FUNCTION evil.min(bigint) RETURNS bigint LANGUAGE sql AS 'SELECT 1 / 0';
END
hijacked() { sql 'SET search_path = evil, pg_catalog' "CREATE TEMP TABLE tip (height bigint)" "$@"; }
is "$(hijacked 'SELECT tidemark.height()' "SELECT tidemark.height_at('2023-11-14 22:14:21Z')" \
    'SELECT height FROM tidemark.tip()')" $'50\n1\n50' 'a search_path that shadows operators'

# --- seal ----------------------------------------------------------------------------------------

sql "UPDATE ledger.block SET state_hash = tidemark.state_root(tree_roots);
     UPDATE ledger.block b SET previous_state_hash = p.state_hash FROM ledger.block p
     WHERE p.height = b.height - 1;
     UPDATE ledger.tip SET state_hash = b.state_hash FROM ledger.block b WHERE b.height = 50" >/dev/null
roots="(SELECT tree_roots FROM ledger.block WHERE height = 50)"
one="array_fill(sha256(''), '{10}')"
is "$(sql "SELECT tidemark.seal(50, NULL, NULL, NULL, NULL, $roots)")" '' 'an unchanged block is sealed'
is "$(sql "SELECT tidemark.seal(50, $one, $one, sha256(''), sha256(''), $roots)")" '' 'equal digests'
is "$(sql "SELECT tidemark.seal(50, array_fill(NULL::bytea, '{10}'), array_fill('\\x$zero'::bytea, '{10}'),
               NULL, '\\x$zero', $roots)")" '' 'NULL and zero say the same'
refuses "SELECT tidemark.seal(50, $one, NULL, NULL, NULL, $roots)" 'rows of tree "app" differ' 'a digest differs'
refuses "SELECT tidemark.seal(50, NULL, NULL, NULL, sha256(''), $roots)" 'tree nodes differ' \
    'the digest of nodes differs'
refuses "SELECT tidemark.seal(50, NULL, NULL, NULL, NULL, $one)" 'roots of tree "app" differ' 'roots differ'
refuses "SELECT tidemark.seal(49, NULL, NULL, NULL, NULL, $roots)" 'ledger.tip' 'another height'
refuses "SELECT tidemark.seal(99, NULL, NULL, NULL, NULL, $roots)" 'no such row' 'no such block'
refuses "SELECT tidemark.seal(50, '{}', NULL, NULL, NULL, $roots)" '0 elements' 'a short array'
refuses "SELECT tidemark.seal(NULL, NULL, NULL, NULL, NULL, $roots)" 'height is NULL' 'no height'
refuses "UPDATE ledger.block SET previous_state_hash = sha256('') WHERE height = 50;
         SELECT tidemark.seal(50, NULL, NULL, NULL, NULL, $roots)" 'previous_state_hash' 'a broken link'
refuses "UPDATE ledger.tip SET state_hash = sha256('');
         SELECT tidemark.seal(50, NULL, NULL, NULL, NULL, $roots)" 'tip and block' 'another tip'
refuses "UPDATE ledger.block SET state_hash = sha256('') WHERE height = 50;
         SELECT tidemark.seal(50, NULL, NULL, NULL, NULL, $roots)" 'state hashes' 'another state hash'

# --- the objects themselves ----------------------------------------------------------------------

members="pg_depend d WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
    AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'tidemark')"
is "$(sql "SELECT string_agg(pg_describe_object(d.classid, d.objid, 0), ', ') FROM $members
           AND d.classid IN ('pg_proc'::regclass, 'pg_type'::regclass)
           AND obj_description(d.objid, (SELECT relname FROM pg_class WHERE oid = d.classid)) IS NULL
           AND NOT EXISTS (SELECT FROM pg_type t WHERE t.oid = d.objid AND t.typelem <> 0)")" '' \
    'every object has a comment'
is "$(sql "SELECT string_agg(p.oid::regprocedure::text, ', ' ORDER BY p.proname) FROM pg_proc p
           WHERE p.oid IN (SELECT d.objid FROM $members AND d.classid = 'pg_proc'::regclass)
           AND (p.proparallel <> 's' OR p.provolatile = 'v')")" \
    'restore_rows(text,bigint,boolean,integer), seal(bigint,bytea[],bytea[],bytea,bytea,bytea[])' \
    'only these are volatile or not parallel safe'
is "$(sql "SELECT string_agg(p.proname, ', ' ORDER BY 1) FROM pg_proc p
           WHERE p.oid IN (SELECT d.objid FROM $members AND d.classid = 'pg_proc'::regclass)
           AND p.provolatile = 'i' AND p.prosrc ~ '(height|tip|check_tx|session|verify)'")" '' \
    'nothing that reads tables is immutable'

# Every version that can be installed reaches the default one, with the same catalogue.
catalogue="SELECT md5(string_agg(o, E'\n' ORDER BY o)) FROM (
    SELECT pg_describe_object(d.classid, d.objid, 0) || coalesce(pg_get_functiondef(p.oid), '')
        || coalesce(obj_description(d.objid, (SELECT relname FROM pg_class c WHERE c.oid = d.classid)), '')
    FROM (SELECT * FROM $members) d
    LEFT JOIN pg_proc p ON p.oid = d.objid AND d.classid = 'pg_proc'::regclass AND p.prokind = 'f') s(o)"
fresh=$(sql 'SET search_path = pg_catalog' "$catalogue")
for version in $(sql "SELECT version FROM pg_available_extension_versions WHERE name = 'tidemark'"); do
    sql 'CREATE DATABASE upgraded' >/dev/null
    PGDATABASE=upgraded
    sql "CREATE EXTENSION tidemark VERSION '$version'" 'ALTER EXTENSION tidemark UPDATE' >/dev/null
    is "$(sql 'SET search_path = pg_catalog' "$catalogue")" "$fresh" "version $version, brought up to date"
    sql 'DROP EXTENSION tidemark' >/dev/null
    is "$(sql "SELECT count(*) FROM pg_proc WHERE pronamespace = to_regnamespace('tidemark')")" 0 \
        "version $version leaves nothing behind"
    PGDATABASE=tidemark
    sql 'DROP DATABASE upgraded WITH (FORCE)' >/dev/null
done
is "$(nm -D --defined-only "${TIDEMARK%/bin/*}/extension/tidemark.so" | awk '{print $3}' |
    grep -vE '^(pg_finfo_)?tidemark_|^Pg_magic_func$|^_PG_init$')" '' 'no other symbol is visible to the server'
like "$(psql -X -f pg_extension/sql/tidemark--0.1.0.sql 2>&1)" 'Use "CREATE EXTENSION' \
    'the script is not run by hand'

done_testing
