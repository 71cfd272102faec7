#!/usr/bin/env bash
# Proofs over the recorded chain: at every height of every tree the root is the header's, what is so
# verifies and nothing else does; bad input is refused with words, through the reader role. SEED
# chooses other keys and heights.
set -u
. tests/lib.sh

chain=tests/vectors/chain-a
cluster_start chain
"$TIDEMARK" init --data "$data" --genesis $chain/genesis.json --rules reference >/dev/null &&
    "$TIDEMARK" replay --data "$data" $chain/blocks.jsonl >/dev/null ||
    { echo 'Bail out! the recorded chain is not replayed'; exit 1; }

psql -Xq -v ON_ERROR_STOP=1 -v seed="${SEED:-1}" <<'END' || { echo 'Bail out! no samples'; exit 1; }
-- Every key there ever was, with the bytes given to the tree.
CREATE VIEW public.key AS
SELECT 'account' AS tree, address AS key FROM ledger.account UNION SELECT 'pool', address FROM ledger.pool
UNION SELECT 'app', address FROM ledger.application UNION SELECT 'val', address FROM ledger.validator
UNION SELECT 'fish', address FROM ledger.fisherman UNION SELECT 'servicer', address FROM ledger.servicer
UNION SELECT 'params', tidemark.param_key(name) FROM ledger.param UNION SELECT 'ibc', key FROM ledger.ibc_entry
UNION SELECT 'transactions', hash FROM ledger.transaction
-- and some that never were
UNION SELECT t.tree, substr(sha256(convert_to(t.tree || n, 'UTF8')), 1, t.size)
FROM (VALUES ('account', 20), ('pool', 20), ('app', 20), ('val', 20), ('fish', 20), ('servicer', 20), ('params', 32),
             ('flags', 32), ('ibc', 9), ('transactions', 32)) t(tree, size), generate_series(1, 8) n;
SELECT setseed(1.0 / (1 + :seed)) \gset
CREATE TABLE public.sample AS
SELECT row_number() OVER () AS id, k.tree, k.key, k.h, tidemark.prove(k.tree, k.key, k.h) AS proof, r.root
FROM (SELECT k.tree, k.key, (random() * 59)::bigint AS h FROM public.key k ORDER BY random() LIMIT 600) k,
    LATERAL (SELECT root FROM state.tree_root_at(k.h) r WHERE r.tree = k.tree) r;
GRANT SELECT ON public.sample, public.key TO tidemark_reader;
END

is "$(sql "SELECT count(*), count(DISTINCT t.tree), bool_and(tidemark.verify(
               tidemark.multiproof(t.tree, (SELECT array_agg(k.key) FROM public.key k WHERE k.tree = t.tree), h), t.root))
           FROM generate_series(0, 59) h, state.tree_root_at(h) t")" '600|10|t' \
    'at every height, in every tree, the proof of all keys leads to the root of the header'
is "$(sql 'SELECT bool_and(tidemark.verify(proof, root)), bool_and(tidemark.proof_root(proof) = root) FROM public.sample')" 't|t' \
    'random keys at random heights'
is "$(sql "SELECT count(*) FROM public.sample s, tidemark.proof_items(s.proof) i
           WHERE i.key IS DISTINCT FROM s.key")" 0 'the proof is of the key'
is "$(sql "SELECT count(*), count(*) FILTER (WHERE i.value IS DISTINCT FROM
               (SELECT tidemark.encode_account(a.address, a.balance_upokt) FROM state.account_at(s.h) a WHERE a.address = s.key))
           FROM public.sample s, tidemark.proof_items(s.proof) i WHERE s.tree = 'account'" | sed 's/.*|//')" 0 \
    'its value is the row as of that height, NULL where there is none'
is "$(sql "SELECT count(*) FILTER (WHERE i.value IS NULL) > 20 AND count(*) FILTER (WHERE i.value IS NOT NULL) > 20
           FROM public.sample s, tidemark.proof_items(s.proof) i")" t 'keys that are there and keys that are not'
is "$(sql "SELECT bool_or(tidemark.verify(s.proof, o.root)) FROM public.sample s, public.sample o
           WHERE o.root <> s.root AND (s.id + o.id) % 17 = 0")" f 'no other root: of another height or another tree'
is "$(sql "SELECT count(*) > 100 FROM public.sample s, state.tree_root_at(59) r WHERE r.tree = s.tree AND r.root <> s.root
           AND NOT tidemark.verify(s.proof, r.root)")" t 'many of them at another height'

# Every bit of some proofs, a bit of every proof.
sql "CREATE FUNCTION public.holds(raw bytea, root bytea) RETURNS boolean LANGUAGE plpgsql AS \$\$
     BEGIN RETURN tidemark.verify(raw::tidemark.proof, root); EXCEPTION WHEN OTHERS THEN RETURN false; END \$\$" >/dev/null
flipped='set_bit(s.proof::bytea, b, 1 - get_bit(s.proof::bytea, b))'
is "$(sql "SELECT count(*) > 10000, bool_or(public.holds($flipped, s.root)) FROM public.sample s,
               generate_series(0, 8 * length(s.proof::bytea) - 1) b WHERE s.id % 120 = 0")" 't|f' 'no bit may be another'
is "$(sql "SELECT bool_or(public.holds($flipped, s.root)) FROM public.sample s,
               LATERAL (SELECT (random() * (8 * length(s.proof::bytea) - 1))::int) r(b)")" f 'a bit of each'

# Forms
is "$(sql "SELECT bool_and(proof::text::tidemark.proof::bytea = proof::bytea AND proof::bytea::tidemark.proof::text = proof::text
               AND substr(proof::text, 3)::tidemark.proof::text = proof::text) FROM public.sample")" t 'text and bytes, there and back'
sql 'CREATE TABLE public.copied (n int GENERATED ALWAYS AS IDENTITY, proof tidemark.proof)' >/dev/null
sql "\\copy (SELECT proof FROM public.sample ORDER BY id) TO '$test_dir/copied' (FORMAT binary)" \
    "\\copy public.copied (proof) FROM '$test_dir/copied' (FORMAT binary)" >/dev/null
is "$(sql 'SELECT count(*), bool_and(c.proof::text = s.proof::text) FROM public.copied c JOIN public.sample s ON s.id = c.n')" \
    "$(sql 'SELECT count(*), true FROM public.sample')" 'the binary form, there and back'
is "$(sql "SELECT bool_and(proof::jsonb->>'root' = encode(root, 'hex') AND jsonb_array_length(proof::jsonb->'items') = 1
               AND proof::jsonb->'items'->0->>'key' = encode(key, 'hex')) FROM public.sample")" t 'JSON'
is "$(sql "SELECT count(*) FROM public.sample s, tidemark.proof_items(s.proof) i
           WHERE CASE WHEN i.value IS NOT NULL THEN position('\\x0801100118012a0100'::bytea IN tidemark.ics23(s.proof)) = 0 END")" 0 \
    'ICS-23: leaf with prehash_key and prehash_value SHA256'
like "$(sql "SELECT tidemark.ics23(s.proof) FROM public.sample s, tidemark.proof_items(s.proof) i WHERE i.value IS NULL LIMIT 1")" \
    'ERROR:.*one key that is there' 'ICS-23 of an absent key'

# Many keys at once are the single proofs.
is "$(sql "WITH m AS (SELECT tree, h, tidemark.multiproof(tree, array_agg(key), h) AS proof, array_agg(key) AS keys
                      FROM (SELECT k.*, n AS h FROM public.key k, generate_series(3, 59, 7) n WHERE get_byte(sha256(key), 0) % 3 = n % 3) k
                      GROUP BY tree, h),
           items AS (SELECT m.tree, m.h, e->>'key' AS key, e FROM m, jsonb_array_elements(m.proof::jsonb->'items') e)
           SELECT count(*) > 1000, count(*) = (SELECT sum(cardinality(keys)) FROM m),
               bool_and(e = tidemark.prove(tree, decode(key, 'hex'), h)::jsonb->'items'->0) FROM items")" 't|t|t' \
    'each part of a multiproof is the single proof'
is "$(sql "SELECT 3 * length(tidemark.multiproof('account', array_agg(address), 40)::bytea)
               < sum(length(tidemark.prove('account', address, 40)::bytea)) FROM state.account_at(40)")" t \
    'and much smaller than all of them'
is "$(sql "SELECT tidemark.multiproof('account', array_agg(address) || array_agg(address), 40)::text
               = tidemark.multiproof('account', array_agg(address), 40)::text FROM state.account_at(40)")" t 'a key twice is there once'

# The height in tidemark.height, names of views, keys as text.
is "$(sql 'SET tidemark.height = 12' "SELECT tidemark.prove('account', address)::text = tidemark.prove('account', address, 12)::text
           FROM state.account LIMIT 1")" t 'the height in tidemark.height'
is "$(sql "SELECT bool_and(tidemark.prove_row('param', p.name, 50)::text = tidemark.prove('params', tidemark.param_key(p.name), 50)::text)
           FROM state.param_at(50) p")" t 'parameters by name'
is "$(sql "SELECT bool_and(tidemark.prove_row('servicer', address)::text = tidemark.prove('servicer', '\\x' || encode(address, 'hex'))::text
               AND tidemark.prove('servicer', '0x' || encode(address, 'hex'))::text = tidemark.prove('servicer', encode(address, 'hex'))::text)
           FROM state.servicer")" t 'rows, and keys as hexadecimal text'
is "$(sql "SET force_parallel_mode = regress" "SELECT bool_and(tidemark.verify(tidemark.prove(tree, key, h), root)) FROM public.sample WHERE id < 50")" t \
    'in a parallel worker'
is "$(sql "SELECT provolatile, proisstrict, proparallel FROM pg_proc WHERE oid = 'tidemark.verify(tidemark.proof, bytea)'::regprocedure")" \
    'i|t|s' 'verify is IMMUTABLE STRICT PARALLEL SAFE'
is "$(sql 'BEGIN' 'SET LOCAL session_replication_role = replica' 'UPDATE ledger.account SET balance = balance + 1' \
    "SELECT tidemark.prove('account', address, 59) FROM ledger.account LIMIT 1" | grep -c 'ERROR:')" 1 \
    'rows that are not what the header says are not proven'

# --- bad input, as an analyst --------------------------------------------------------------------

sql 'UPDATE ledger.tip SET earliest = 30' >/dev/null
"$TIDEMARK" db readers allow --data "$data" >/dev/null 2>&1 || sql 'ALTER ROLE tidemark_reader LOGIN' >/dev/null
refused() { # EXPRESSION WORDS NAME
    like "$(sql_as reader "SELECT $1")" "ERROR:  .*$2" "$3"
}
is "$(sql_as reader "SELECT tidemark.verify(tidemark.prove('account', address), root) FROM state.account, state.tree_root r
                     WHERE r.tree = 'account' LIMIT 1")" t 'a reader proves and verifies'
address="'\\x$(printf 'ab%.0s' {1..20})'::bytea"
refused "tidemark.prove('nothing', $address)" 'there is no tree "nothing"' 'an unknown tree'
refused "tidemark.prove('', $address)" 'there is no tree ""' 'a tree without name'
refused "tidemark.prove(repeat('a', 1000000), $address)" 'there is no tree' 'a long name'
refused "tidemark.prove('account', substr($address, 2))" 'has 20 bytes, not 19' 'a key of 19 bytes'
refused "tidemark.prove('account', ''::bytea)" 'has 20 bytes, not 0' 'a key of no bytes'
refused "tidemark.prove('val', $address || '\\x00')" 'has 20 bytes, not 21' 'a key of 21 bytes'
refused "tidemark.prove('params', $address)" 'has 32 bytes, not 20' 'an address as the key of a parameter'
refused "tidemark.prove('account', 'alice')" 'hexadecimal text' 'a name where there are none'
refused "tidemark.prove('ibc', decode(repeat('00', 5000000), 'hex'))" 'longer than' 'a key of 5 MB'
refused "tidemark.prove('account', $address, 60)" 'above the tip' 'a height to come'
refused "tidemark.prove('account', $address, 9223372036854775807)" 'above the tip' 'a huge height'
refused "tidemark.prove('account', $address, -1)" 'below the first block' 'a negative height'
refused "tidemark.prove('account', $address, 29)" 'is pruned' 'a pruned height'
refused "tidemark.prove('account', $address, 'latest')" 'invalid input syntax' 'a height as text'
refused "tidemark.multiproof('account', ARRAY[$address], 29)" 'is pruned' 'a pruned height, many keys'
refused "tidemark.proof_bundle('account', $address, 29)" 'is pruned' 'a pruned height, a bundle'
refused "tidemark.multiproof('account', '{}')" 'no key to prove' 'no key'
refused "tidemark.multiproof('account', ARRAY[NULL::bytea])" 'a key is NULL' 'a key that is NULL'
refused "tidemark.multiproof('account', array_fill($address, '{70000}'))" 'more than 65536' 'too many keys'
refused "tidemark.prove_row('account', $address)" 'no such row' 'a row that is not there'
refused "tidemark.prove_row('param', $address)" 'named by text' 'a parameter by bytes'
refused "'nonsense'::tidemark.proof" 'this is no proof' 'a proof of words'
refused "''::tidemark.proof" 'this is no proof' 'an empty proof'
refused "'\\x00'::bytea::tidemark.proof" 'this is no proof' 'a proof of a zero byte'
refused "decode(repeat('ff', 1000), 'hex')::tidemark.proof" 'this is no proof' 'garbage'
refused "decode(repeat('01', 1000), 'hex')::tidemark.proof" 'damaged' 'garbage of the right version'
refused "convert_to(repeat(E'\\x01', 70000000), 'UTF8')::tidemark.proof" 'longer than' 'a proof of 70 MB'
# the checksum fits: one absent key under 300 one-sided nodes, and one whose walk never ends
deep="'\\x01010000000001000000' || '\\x6b'::bytea || '\\x59020000' || decode(repeat('aa', 151), 'hex')"
refused "(($deep) || substr(sha256($deep), 1, 4))::tidemark.proof" 'deeper than 256|ends|after' 'a deep proof'
many="'\\x01ffffffff'::bytea"
refused "($many || substr(sha256($many), 1, 4))::tidemark.proof" 'at most 65536' 'a proof of 2^32 keys'
refused "tidemark.verify(tidemark.prove('ibc', ''::bytea), '\\x00')" 'has 1 bytes, not 32' 'a root of one byte'

# --- a table that was changed ------------------------------------------------------------------------
like "$(psql -Xq 2>&1 <<END
BEGIN;
DROP INDEX ledger.account_history_path_idx;
SELECT tidemark.prove('account', $address, 40);
END
)" 'account_history_[0-5]" lacks an index on the path' 'a table without its index'

done_testing
