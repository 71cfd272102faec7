\echo Use "CREATE EXTENSION tidemark" to load this file. \quit

-- Domains

CREATE DOMAIN tidemark.address AS bytea
    CHECK (pg_catalog.octet_length(VALUE) OPERATOR(pg_catalog.=) 20);
COMMENT ON DOMAIN tidemark.address IS
    'Address of an account or actor: the first 20 bytes of the SHA-256 of its Ed25519 public key; address(''00ab…'') reads hexadecimal text';

CREATE DOMAIN tidemark.hash32 AS bytea
    CHECK (pg_catalog.octet_length(VALUE) OPERATOR(pg_catalog.=) 32);
COMMENT ON DOMAIN tidemark.hash32 IS
    'A SHA-256 or SHA3-256 digest, 32 bytes; 32 zero bytes are the root of an empty tree';

-- scale() of NaN and of the infinities is null.
CREATE DOMAIN tidemark.upokt AS numeric
    CHECK (VALUE IS NULL
        OR (pg_catalog.scale(VALUE) IS NOT NULL AND pg_catalog.scale(VALUE) OPERATOR(pg_catalog.=) 0));
COMMENT ON DOMAIN tidemark.upokt IS
    'An amount in upokt, a whole number; 1 POKT = 1000000 upokt';

-- Hashes, keys and paths

CREATE FUNCTION tidemark.sha3_256(message bytea)
    RETURNS bytea
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'tidemark_sha3_256';
COMMENT ON FUNCTION tidemark.sha3_256(message bytea) IS
    'SHA3-256 of a message: transaction hashes, validator set hashes, session ids';

CREATE FUNCTION tidemark.path(key bytea)
    RETURNS bytea
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'tidemark_path';
COMMENT ON FUNCTION tidemark.path(key bytea) IS
    'Path of a tree key: its SHA-256; the first bit is the topmost branch';

CREATE FUNCTION tidemark.path64(key bytea)
    RETURNS bigint
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'tidemark_path64';
COMMENT ON FUNCTION tidemark.path64(key bytea) IS
    'First 64 bits of a tree key''s path as a bigint whose order is the order of paths';

CREATE FUNCTION tidemark.param_key(name text)
    RETURNS bytea
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'tidemark_param_key';
COMMENT ON FUNCTION tidemark.param_key(name text) IS
    'Tree key of a parameter or flag: SHA3-256 of its name';

CREATE FUNCTION tidemark.tree_key(tree smallint, key bytea)
    RETURNS bytea
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'tidemark_tree_key';
COMMENT ON FUNCTION tidemark.tree_key(tree smallint, key bytea) IS
    'Tree key of a row''s key: SHA3-256 of the name for parameters (7) and flags (8), else the key itself';

CREATE FUNCTION tidemark.transaction_hash(tx bytea)
    RETURNS bytea
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'tidemark_transaction_hash';
COMMENT ON FUNCTION tidemark.transaction_hash(tx bytea) IS
    'Hash of a transaction: SHA3-256 of its canonical encoding; raises where the bytes are no transaction';

-- The two overloads for text read the same; the one for `unknown` keeps a plain literal from being taken
-- as bytea input of the domain of the same name.
CREATE FUNCTION tidemark.address(hex text)
    RETURNS tidemark.address
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'tidemark_address_from_text';
COMMENT ON FUNCTION tidemark.address(text) IS
    'Address from 40 hexadecimal digits of either case, with or without a leading \x or 0x';

CREATE FUNCTION tidemark.address(hex unknown)
    RETURNS tidemark.address
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'tidemark_address_from_literal';
COMMENT ON FUNCTION tidemark.address(unknown) IS
    'Address from a literal of 40 hexadecimal digits, with or without a leading \x or 0x';

CREATE FUNCTION tidemark.address(raw bytea)
    RETURNS tidemark.address
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'tidemark_address_from_bytes';
COMMENT ON FUNCTION tidemark.address(bytea) IS
    'Address from 20 raw bytes; raises for another length';

CREATE FUNCTION tidemark.build_id()
    RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'tidemark_build';
COMMENT ON FUNCTION tidemark.build_id() IS
    'Fingerprint of the sources this extension was built from; a node refuses a database whose extension has another';

-- Leaves: what the trees hash, from typed columns

CREATE FUNCTION tidemark.encode_account(address bytea, balance numeric)
    RETURNS bytea
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'tidemark_encode_account';
COMMENT ON FUNCTION tidemark.encode_account(address bytea, balance numeric) IS
    'Leaf of an account or pool: encoded core.Account';

CREATE FUNCTION tidemark.encode_application(address bytea, public_key bytea, output_address bytea, stake numeric, stake_text text,
    service_url text, chains text[], paused_height bigint, unstaking_height bigint)
    RETURNS bytea
    LANGUAGE c IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'tidemark_encode_application';
COMMENT ON FUNCTION tidemark.encode_application(bytea, bytea, bytea, numeric, text, text, text[], bigint, bigint) IS
    'Leaf of an application: encoded core.Actor; service_url is not hashed; stake_text NULL = the decimal text of stake; a height of -1 = none';

CREATE FUNCTION tidemark.encode_validator(address bytea, public_key bytea, output_address bytea, stake numeric, stake_text text,
    service_url text, chains text[], paused_height bigint, unstaking_height bigint)
    RETURNS bytea
    LANGUAGE c IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'tidemark_encode_validator';
COMMENT ON FUNCTION tidemark.encode_validator(bytea, bytea, bytea, numeric, text, text, text[], bigint, bigint) IS
    'Leaf of a validator: encoded core.Actor; chains are not hashed; stake_text NULL = the decimal text of stake; a height of -1 = none';

CREATE FUNCTION tidemark.encode_fisherman(address bytea, public_key bytea, output_address bytea, stake numeric, stake_text text,
    service_url text, chains text[], paused_height bigint, unstaking_height bigint)
    RETURNS bytea
    LANGUAGE c IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'tidemark_encode_fisherman';
COMMENT ON FUNCTION tidemark.encode_fisherman(bytea, bytea, bytea, numeric, text, text, text[], bigint, bigint) IS
    'Leaf of a fisherman: encoded core.Actor; stake_text NULL = the decimal text of stake; a height of -1 = none';

CREATE FUNCTION tidemark.encode_servicer(address bytea, public_key bytea, output_address bytea, stake numeric, stake_text text,
    service_url text, chains text[], paused_height bigint, unstaking_height bigint)
    RETURNS bytea
    LANGUAGE c IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'tidemark_encode_servicer';
COMMENT ON FUNCTION tidemark.encode_servicer(bytea, bytea, bytea, numeric, text, text, text[], bigint, bigint) IS
    'Leaf of a servicer: encoded core.Actor; stake_text NULL = the decimal text of stake; a height of -1 = none';

CREATE FUNCTION tidemark.encode_param(name text, value text, height bigint)
    RETURNS bytea
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'tidemark_encode_param';
COMMENT ON FUNCTION tidemark.encode_param(name text, value text, height bigint) IS
    'Leaf of a parameter: encoded core.Param; height = the block that wrote it';

CREATE FUNCTION tidemark.encode_flag(name text, value text, enabled boolean, height bigint)
    RETURNS bytea
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'tidemark_encode_flag';
COMMENT ON FUNCTION tidemark.encode_flag(name text, value text, enabled boolean, height bigint) IS
    'Leaf of a flag: encoded core.Flag; height = the block that wrote it';

-- Roots and digests

CREATE FUNCTION tidemark.smt_root_add(state internal, key bytea, value bytea)
    RETURNS internal
    LANGUAGE c IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'tidemark_smt_root_add';
COMMENT ON FUNCTION tidemark.smt_root_add(internal, bytea, bytea) IS
    'Transition function of smt_root';

CREATE FUNCTION tidemark.smt_root_combine(state internal, other internal)
    RETURNS internal
    LANGUAGE c IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'tidemark_smt_root_combine';
COMMENT ON FUNCTION tidemark.smt_root_combine(internal, internal) IS
    'Combine function of smt_root';

CREATE FUNCTION tidemark.smt_root_serialise(state internal)
    RETURNS bytea
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'tidemark_smt_root_serialise';
COMMENT ON FUNCTION tidemark.smt_root_serialise(internal) IS
    'Serial function of smt_root';

CREATE FUNCTION tidemark.smt_root_deserialise(bytes bytea, state internal)
    RETURNS internal
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'tidemark_smt_root_deserialise';
COMMENT ON FUNCTION tidemark.smt_root_deserialise(bytea, internal) IS
    'Deserial function of smt_root';

CREATE FUNCTION tidemark.smt_root_final(state internal)
    RETURNS bytea
    LANGUAGE c IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'tidemark_smt_root_final';
COMMENT ON FUNCTION tidemark.smt_root_final(internal) IS
    'Final function of smt_root';

CREATE AGGREGATE tidemark.smt_root(key bytea, value bytea) (
    SFUNC = tidemark.smt_root_add,
    STYPE = internal,
    SSPACE = 1048576,
    FINALFUNC = tidemark.smt_root_final,
    FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = tidemark.smt_root_combine,
    SERIALFUNC = tidemark.smt_root_serialise,
    DESERIALFUNC = tidemark.smt_root_deserialise,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE tidemark.smt_root(bytea, bytea) IS
    'Root of the sparse Merkle tree over (tree key, leaf). A NULL key and a key that occurs twice are errors, a NULL value is no leaf, no rows give 32 zero bytes';

CREATE FUNCTION tidemark.change_digest_add(state internal, key bytea, leaf bytea)
    RETURNS internal
    LANGUAGE c IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'tidemark_change_digest_add';
COMMENT ON FUNCTION tidemark.change_digest_add(internal, bytea, bytea) IS
    'Transition function of change_digest';

CREATE FUNCTION tidemark.change_digest_final(state internal)
    RETURNS bytea
    LANGUAGE c IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'tidemark_change_digest_final';
COMMENT ON FUNCTION tidemark.change_digest_final(internal) IS
    'Final function of change_digest';

CREATE AGGREGATE tidemark.change_digest(key bytea, leaf bytea) (
    SFUNC = tidemark.change_digest_add,
    STYPE = internal,
    SSPACE = 65536,
    FINALFUNC = tidemark.change_digest_final,
    FINALFUNC_MODIFY = READ_WRITE,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE tidemark.change_digest(bytea, bytea) IS
    'Digest of changed rows, in any order: SHA-256 over key and leaf of each, ascending by key. A NULL leaf = the row is gone; a NULL key and a key that occurs twice are errors, no rows give 32 zero bytes';

CREATE FUNCTION tidemark.node_digest_add(state internal, tree smallint, depth smallint, prefix bigint, digest bytea)
    RETURNS internal
    LANGUAGE c IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'tidemark_node_digest_add';
COMMENT ON FUNCTION tidemark.node_digest_add(internal, smallint, smallint, bigint, bytea) IS
    'Transition function of node_digest';

CREATE FUNCTION tidemark.node_digest_final(state internal)
    RETURNS bytea
    LANGUAGE c IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'tidemark_node_digest_final';
COMMENT ON FUNCTION tidemark.node_digest_final(internal) IS
    'Final function of node_digest';

CREATE AGGREGATE tidemark.node_digest(tree smallint, depth smallint, prefix bigint, digest bytea) (
    SFUNC = tidemark.node_digest_add,
    STYPE = internal,
    SSPACE = 65536,
    FINALFUNC = tidemark.node_digest_final,
    FINALFUNC_MODIFY = READ_WRITE,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE tidemark.node_digest(smallint, smallint, bigint, bytea) IS
    'Digest of changed tree nodes, in any order. A NULL digest = the node is gone; another NULL and a node that occurs twice are errors, no rows give 32 zero bytes';

CREATE FUNCTION tidemark.state_root(roots bytea[])
    RETURNS bytea
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'tidemark_state_root';
COMMENT ON FUNCTION tidemark.state_root(roots bytea[]) IS
    'State hash over the ten tree roots, given in the order app, val, fish, servicer, account, pool, transactions, params, flags, ibc';

CREATE FUNCTION tidemark.seal(height bigint, stored bytea[], computed bytea[], stored_nodes bytea, computed_nodes bytea,
    roots bytea[])
    RETURNS void
    LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'tidemark_seal';
COMMENT ON FUNCTION tidemark.seal(bigint, bytea[], bytea[], bytea, bytea, bytea[]) IS
    'Ends the writing of a block: raises unless the digests of the rows as stored equal those the node computed, the roots give the blocks state hash, and block and tip link; NULL = nothing changed';

-- Heights

CREATE FUNCTION tidemark.height()
    RETURNS bigint
    LANGUAGE c STABLE PARALLEL SAFE COST 20
    AS 'MODULE_PATHNAME', 'tidemark_height';
COMMENT ON FUNCTION tidemark.height() IS
    'Height that the views of schema state show: the setting tidemark.height resolved at this query''s snapshot, the tip if unset';

CREATE FUNCTION tidemark.height(h bigint)
    RETURNS bigint
    LANGUAGE c STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 20
    AS 'MODULE_PATHNAME', 'tidemark_height_check';
COMMENT ON FUNCTION tidemark.height(bigint) IS
    'h itself; raises where it is null, above the tip, or pruned';

CREATE FUNCTION tidemark.height_at(at timestamptz)
    RETURNS bigint
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 20
    AS 'MODULE_PATHNAME', 'tidemark_height_at';
COMMENT ON FUNCTION tidemark.height_at(timestamptz) IS
    'Greatest height whose block time is not after the given moment; raises for a moment before the first block';

CREATE FUNCTION tidemark.tip(
    OUT height bigint, OUT block_time timestamptz, OUT state_hash tidemark.hash32, OUT earliest bigint)
    RETURNS record
    LANGUAGE c STABLE PARALLEL SAFE COST 20
    AS 'MODULE_PATHNAME', 'tidemark_tip';
COMMENT ON FUNCTION tidemark.tip() IS
    'The last committed block (height, block_time, state_hash) and the earliest height whose state is kept; all NULL before genesis';

-- Transactions and messages, decoded

CREATE FUNCTION tidemark.decode_tx(
    tx bytea,
    OUT hash tidemark.hash32,
    OUT canonical boolean,
    OUT message_type text,
    OUT type_url text,
    OUT message bytea,
    OUT nonce text,
    OUT signer bytea,
    OUT recipient bytea,
    OUT public_key bytea,
    OUT signature bytea)
    RETURNS record
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'tidemark_decode_tx';
COMMENT ON FUNCTION tidemark.decode_tx(bytea) IS
    'A transaction''s fields; message_type is NULL where the message does not decode, canonical tells whether the bytes are their own re-encoding, U+0000 in text reads \u0000. Raises where the bytes are no transaction';

CREATE FUNCTION tidemark.decode_message_send(
    tx bytea,
    OUT from_address bytea,
    OUT to_address bytea,
    OUT amount_upokt numeric,
    OUT amount_text text)
    RETURNS record
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'tidemark_decode_message_send';
COMMENT ON FUNCTION tidemark.decode_message_send(bytea) IS
    'Fields of a MessageSend; amount_upokt is NULL where amount_text is no integer. NULL where the transaction carries another message';

CREATE FUNCTION tidemark.decode_message_stake(
    tx bytea,
    OUT actor_type text,
    OUT address bytea,
    OUT public_key bytea,
    OUT output_address bytea,
    OUT amount_upokt numeric,
    OUT amount_text text,
    OUT chains text[],
    OUT service_url text,
    OUT signer bytea)
    RETURNS record
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'tidemark_decode_message_stake';
COMMENT ON FUNCTION tidemark.decode_message_stake(bytea) IS
    'Fields of a MessageStake; address is that of public_key, signer is NULL where absent. NULL where the transaction carries another message';

CREATE FUNCTION tidemark.decode_message_edit_stake(
    tx bytea,
    OUT actor_type text,
    OUT address bytea,
    OUT amount_upokt numeric,
    OUT amount_text text,
    OUT chains text[],
    OUT service_url text,
    OUT signer bytea)
    RETURNS record
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'tidemark_decode_message_edit_stake';
COMMENT ON FUNCTION tidemark.decode_message_edit_stake(bytea) IS
    'Fields of a MessageEditStake; signer is NULL where absent. NULL where the transaction carries another message';

CREATE FUNCTION tidemark.decode_message_unstake(
    tx bytea,
    OUT actor_type text,
    OUT address bytea,
    OUT signer bytea)
    RETURNS record
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'tidemark_decode_message_unstake';
COMMENT ON FUNCTION tidemark.decode_message_unstake(bytea) IS
    'Fields of a MessageUnstake; signer is NULL where absent. NULL where the transaction carries another message';

CREATE FUNCTION tidemark.decode_message_unpause(
    tx bytea,
    OUT actor_type text,
    OUT address bytea,
    OUT signer bytea)
    RETURNS record
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'tidemark_decode_message_unpause';
COMMENT ON FUNCTION tidemark.decode_message_unpause(bytea) IS
    'Fields of a MessageUnpause; signer is NULL where absent. NULL where the transaction carries another message';

CREATE FUNCTION tidemark.decode_message_change_parameter(
    tx bytea,
    OUT signer bytea,
    OUT owner bytea,
    OUT name text,
    OUT value text,
    OUT value_type text)
    RETURNS record
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'tidemark_decode_message_change_parameter';
COMMENT ON FUNCTION tidemark.decode_message_change_parameter(bytea) IS
    'Fields of a MessageChangeParameter; value as a parameter holds it (decimal, text, or hexadecimal digits of bytes), NULL for another wrapper than value_type names. NULL where the transaction carries another message';

CREATE FUNCTION tidemark.decode_message_update_ibc_store(
    tx bytea,
    OUT signer bytea,
    OUT key bytea,
    OUT value bytea)
    RETURNS record
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'tidemark_decode_message_update_ibc_store';
COMMENT ON FUNCTION tidemark.decode_message_update_ibc_store(bytea) IS
    'Fields of an UpdateIBCStore. NULL where the transaction carries another message';

CREATE FUNCTION tidemark.decode_message_prune_ibc_store(
    tx bytea,
    OUT signer bytea,
    OUT key bytea)
    RETURNS record
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'tidemark_decode_message_prune_ibc_store';
COMMENT ON FUNCTION tidemark.decode_message_prune_ibc_store(bytea) IS
    'Fields of a PruneIBCStore. NULL where the transaction carries another message';

-- Over the tables of schema ledger

CREATE FUNCTION tidemark.check_tx(tx bytea)
    RETURNS bytea
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 1000
    AS 'MODULE_PATHNAME', 'tidemark_check_tx';
COMMENT ON FUNCTION tidemark.check_tx(bytea) IS
    'Every check a transaction must pass to be included in the next block, on the rows of the tip in this query''s snapshot; its hash, or an error of class TM001 with the text CODE: n, ERROR: …';

CREATE FUNCTION tidemark.session_at(
    height bigint, application bytea, relay_chain text, geo_zone text,
    OUT session_id tidemark.hash32, OUT session_number bigint, OUT session_height bigint,
    OUT session_blocks bigint, OUT kind text, OUT address bytea, OUT draw integer)
    RETURNS SETOF record
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 1000 ROWS 25
    AS 'MODULE_PATHNAME', 'tidemark_session_at';
COMMENT ON FUNCTION tidemark.session_at(bigint, bytea, text, text) IS
    'Servicers and fishermen of an application''s session on a relay chain at a height (up to one above the tip): kind is servicer or fisherman, draw the place in draw order from 1, NULL where all candidates were taken; one row with NULL kind for a session without members; raises where there is no session';

CREATE FUNCTION tidemark.verify_block(
    height bigint, OUT tree text, OUT leaves bigint, OUT ok boolean, OUT detail text)
    RETURNS SETOF record
    LANGUAGE c STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 10000 ROWS 11
    AS 'MODULE_PATHNAME', 'tidemark_verify_block';
COMMENT ON FUNCTION tidemark.verify_block(bigint) IS
    'Proves that the rows a block touched are what its header says, at the cost of the change: one row for the block itself and one for each touched tree with the number of touched leaves; detail says what does not hold';

-- Proofs

CREATE TYPE tidemark.proof;

CREATE FUNCTION tidemark.proof_in(text cstring)
    RETURNS tidemark.proof
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'tidemark_proof_in';
COMMENT ON FUNCTION tidemark.proof_in(cstring) IS
    'Text to proof: hexadecimal digits, with or without \x';

CREATE FUNCTION tidemark.proof_out(proof tidemark.proof)
    RETURNS cstring
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'tidemark_proof_out';
COMMENT ON FUNCTION tidemark.proof_out(tidemark.proof) IS
    'Proof to text: \x and hexadecimal digits';

CREATE FUNCTION tidemark.proof_recv(message internal)
    RETURNS tidemark.proof
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'tidemark_proof_recv';
COMMENT ON FUNCTION tidemark.proof_recv(internal) IS
    'Binary form to proof: the very bytes';

CREATE FUNCTION tidemark.proof_send(proof tidemark.proof)
    RETURNS bytea
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'tidemark_proof_send';
COMMENT ON FUNCTION tidemark.proof_send(tidemark.proof) IS
    'Proof to its bytes';

CREATE TYPE tidemark.proof (
    INPUT = tidemark.proof_in,
    OUTPUT = tidemark.proof_out,
    RECEIVE = tidemark.proof_recv,
    SEND = tidemark.proof_send,
    INTERNALLENGTH = variable,
    STORAGE = external
);
COMMENT ON TYPE tidemark.proof IS
    'A Merkle proof that keys of a state tree hold these values, or nothing, under one root; made by prove() and multiproof(), checked by verify()';

CREATE FUNCTION tidemark.proof(bytes bytea)
    RETURNS tidemark.proof
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'tidemark_proof_of_bytes';
COMMENT ON FUNCTION tidemark.proof(bytea) IS
    'A proof out of its bytes; raises where they are none';

CREATE FUNCTION tidemark.proof_json(proof tidemark.proof)
    RETURNS jsonb
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'tidemark_proof_json';
COMMENT ON FUNCTION tidemark.proof_json(tidemark.proof) IS
    'A proof as JSON: root, and for each item key, value (null: absent), side_nodes from the deepest up, other_leaf; bytes as hexadecimal text';

CREATE CAST (tidemark.proof AS bytea) WITH FUNCTION tidemark.proof_send(tidemark.proof);
COMMENT ON CAST (tidemark.proof AS bytea) IS 'The bytes of a proof';
CREATE CAST (bytea AS tidemark.proof) WITH FUNCTION tidemark.proof(bytea);
COMMENT ON CAST (bytea AS tidemark.proof) IS 'A proof out of its bytes';
CREATE CAST (tidemark.proof AS jsonb) WITH FUNCTION tidemark.proof_json(tidemark.proof);
COMMENT ON CAST (tidemark.proof AS jsonb) IS 'A proof as JSON';

CREATE FUNCTION tidemark.verify(proof tidemark.proof, root bytea)
    RETURNS boolean
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'tidemark_proof_check';
COMMENT ON FUNCTION tidemark.verify(tidemark.proof, bytea) IS
    'True where all that the proof says is so under this root of a tree; what it says is in proof_items()';

CREATE FUNCTION tidemark.proof_root(proof tidemark.proof)
    RETURNS tidemark.hash32
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'tidemark_proof_root';
COMMENT ON FUNCTION tidemark.proof_root(tidemark.proof) IS
    'The root that a proof leads to, for comparison with one that is trusted';

CREATE FUNCTION tidemark.proof_items(
    proof tidemark.proof, OUT key bytea, OUT value bytea)
    RETURNS SETOF record
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE ROWS 10
    AS 'MODULE_PATHNAME', 'tidemark_proof_items';
COMMENT ON FUNCTION tidemark.proof_items(tidemark.proof) IS
    'What a proof says: each key of the tree with the bytes of its leaf, NULL where it is absent';

CREATE FUNCTION tidemark.ics23(proof tidemark.proof)
    RETURNS bytea
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'tidemark_proof_ics23';
COMMENT ON FUNCTION tidemark.ics23(tidemark.proof) IS
    'A proof of one key that is there as an encoded ICS-23 CommitmentProof (exist), prehash_key and prehash_value SHA256';

CREATE FUNCTION tidemark.prove(tree text, key bytea, height bigint)
    RETURNS tidemark.proof
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 1000
    AS 'MODULE_PATHNAME', 'tidemark_prove_bytes';
COMMENT ON FUNCTION tidemark.prove(text, bytea, bigint) IS
    'Proof of what a tree held under a key after block height, or that it held nothing; the tree by its name or its view''s, the key as given to the tree';

CREATE FUNCTION tidemark.prove(tree text, key text, height bigint)
    RETURNS tidemark.proof
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 1000
    AS 'MODULE_PATHNAME', 'tidemark_prove_text';
COMMENT ON FUNCTION tidemark.prove(text, text, bigint) IS
    'The same with the key as text: the name of a parameter or flag, hexadecimal digits for the other trees';

CREATE FUNCTION tidemark.prove(tree text, key bytea)
    RETURNS tidemark.proof
    LANGUAGE sql STABLE STRICT PARALLEL SAFE COST 1000
    RETURN tidemark.prove($1, $2, tidemark.height());
COMMENT ON FUNCTION tidemark.prove(text, bytea) IS
    'Proof of what a tree holds under a key at the height in tidemark.height';

CREATE FUNCTION tidemark.prove(tree text, key text)
    RETURNS tidemark.proof
    LANGUAGE sql STABLE STRICT PARALLEL SAFE COST 1000
    RETURN tidemark.prove($1, $2, tidemark.height());
COMMENT ON FUNCTION tidemark.prove(text, text) IS
    'The same with the key as text: the name of a parameter or flag, hexadecimal digits for the other trees';

CREATE FUNCTION tidemark.prove_row(view text, key bytea, height bigint)
    RETURNS tidemark.proof
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 1000
    AS 'MODULE_PATHNAME', 'tidemark_prove_row_bytes';
COMMENT ON FUNCTION tidemark.prove_row(text, bytea, bigint) IS
    'Proof of a row of a state view as of block height; raises where the row is not there';

CREATE FUNCTION tidemark.prove_row(view text, key text, height bigint)
    RETURNS tidemark.proof
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 1000
    AS 'MODULE_PATHNAME', 'tidemark_prove_row_text';
COMMENT ON FUNCTION tidemark.prove_row(text, text, bigint) IS
    'The same with the key as text: the name of a param or flag, hexadecimal digits for the other views';

CREATE FUNCTION tidemark.prove_row(view text, key bytea)
    RETURNS tidemark.proof
    LANGUAGE sql STABLE STRICT PARALLEL SAFE COST 1000
    RETURN tidemark.prove_row($1, $2, tidemark.height());
COMMENT ON FUNCTION tidemark.prove_row(text, bytea) IS
    'Proof of a row of a state view at the height in tidemark.height; raises where the row is not there';

CREATE FUNCTION tidemark.prove_row(view text, key text)
    RETURNS tidemark.proof
    LANGUAGE sql STABLE STRICT PARALLEL SAFE COST 1000
    RETURN tidemark.prove_row($1, $2, tidemark.height());
COMMENT ON FUNCTION tidemark.prove_row(text, text) IS
    'The same with the key as text: the name of a param or flag, hexadecimal digits for the other views';

CREATE FUNCTION tidemark.multiproof(tree text, keys bytea[], height bigint)
    RETURNS tidemark.proof
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 10000
    AS 'MODULE_PATHNAME', 'tidemark_multiproof';
COMMENT ON FUNCTION tidemark.multiproof(text, bytea[], bigint) IS
    'One proof of what a tree held under all these keys after block height, e.g. multiproof(''account'', array_agg(address), 100); digests that several keys need are in it once';

CREATE FUNCTION tidemark.multiproof(tree text, keys bytea[])
    RETURNS tidemark.proof
    LANGUAGE sql STABLE STRICT PARALLEL SAFE COST 10000
    RETURN tidemark.multiproof($1, $2, tidemark.height());
COMMENT ON FUNCTION tidemark.multiproof(text, bytea[]) IS
    'One proof of what a tree holds under all these keys at the height in tidemark.height';

CREATE FUNCTION tidemark.proof_bundle(tree text, key bytea, height bigint)
    RETURNS bytea
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 1000
    AS 'MODULE_PATHNAME', 'tidemark_proof_bundle_bytes';
COMMENT ON FUNCTION tidemark.proof_bundle(text, bytea, bigint) IS
    'A proof with the header of its block, whose ten tree roots give the state hash, and the certificate: what tidemark-proof verify checks without a database. The first block has none';

CREATE FUNCTION tidemark.proof_bundle(tree text, key text, height bigint)
    RETURNS bytea
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 1000
    AS 'MODULE_PATHNAME', 'tidemark_proof_bundle_text';
COMMENT ON FUNCTION tidemark.proof_bundle(text, text, bigint) IS
    'The same with the key as text: the name of a parameter or flag, hexadecimal digits for the other trees';

CREATE FUNCTION tidemark.proof_bundle(tree text, key bytea)
    RETURNS bytea
    LANGUAGE sql STABLE STRICT PARALLEL SAFE COST 1000
    RETURN tidemark.proof_bundle($1, $2, tidemark.height());
COMMENT ON FUNCTION tidemark.proof_bundle(text, bytea) IS
    'The bundle at the height in tidemark.height';

CREATE FUNCTION tidemark.proof_bundle(tree text, key text)
    RETURNS bytea
    LANGUAGE sql STABLE STRICT PARALLEL SAFE COST 1000
    RETURN tidemark.proof_bundle($1, $2, tidemark.height());
COMMENT ON FUNCTION tidemark.proof_bundle(text, text) IS
    'The same with the key as text: the name of a parameter or flag, hexadecimal digits for the other trees';

CREATE FUNCTION tidemark.block_header(number bigint)
    RETURNS bytea
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 100
    AS 'MODULE_PATHNAME', 'tidemark_block_header';
COMMENT ON FUNCTION tidemark.block_header(bigint) IS
    'The encoded core.Block of this height without its transactions: header and certificate; headers of pruned heights are kept';

-- Differences between heights, and who signed

CREATE FUNCTION tidemark.diff_tree(
    tree text, h1 bigint, h2 bigint,
    OUT key bytea, OUT op text, OUT from_hash tidemark.hash32, OUT to_hash tidemark.hash32)
    RETURNS SETOF record
    LANGUAGE c STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 10000 ROWS 100
    AS 'MODULE_PATHNAME', 'tidemark_diff_tree';
COMMENT ON FUNCTION tidemark.diff_tree(text, bigint, bigint) IS
    'Leaves that differ between the states after blocks h1 and h2 (in either order), found by walking two versions of the tree and skipping equal digests, e.g. diff_tree(''account'', 100, 200): key (names as UTF-8), op = insert, update or delete, SHA-256 of the leaf at h1 and at h2 (NULL = no leaf). What diff finds from the list of changes, found a second way';

CREATE FUNCTION tidemark.certificate_signatures(
    certificate bytea, validators bytea[], public_keys bytea[], rules text,
    OUT height bigint, OUT round bigint, OUT step integer, OUT state_hash tidemark.hash32,
    OUT header_hash tidemark.hash32, OUT place integer, OUT address bytea, OUT signature bytea,
    OUT valid boolean)
    RETURNS SETOF record
    LANGUAGE c IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 10000 ROWS 10
    AS 'MODULE_PATHNAME', 'tidemark_certificate_signatures';
COMMENT ON FUNCTION tidemark.certificate_signatures(bytea, bytea[], bytea[], text) IS
    'Signatures of an encoded quorum certificate in its order, place from 0: valid = the first of this member of the given set (addresses and their public keys) that verifies under the rule set, standard or reference; NULL where no set is given. step 4 = commit; state_hash and header_hash are those of the header that was signed. Raises where the bytes are no certificate';

-- Leaves whose bytes are gone

CREATE FUNCTION tidemark.smt_root_add(state internal, key bytea, value bytea, value_hash bytea)
    RETURNS internal
    LANGUAGE c IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'tidemark_smt_root_add_hashed';
COMMENT ON FUNCTION tidemark.smt_root_add(internal, bytea, bytea, bytea) IS
    'Transition function of smt_root over leaves of which some are known by their SHA-256 only';

CREATE AGGREGATE tidemark.smt_root(key bytea, value bytea, value_hash bytea) (
    SFUNC = tidemark.smt_root_add,
    STYPE = internal,
    SSPACE = 1048576,
    FINALFUNC = tidemark.smt_root_final,
    FINALFUNC_MODIFY = READ_WRITE,
    COMBINEFUNC = tidemark.smt_root_combine,
    SERIALFUNC = tidemark.smt_root_serialise,
    DESERIALFUNC = tidemark.smt_root_deserialise,
    PARALLEL = SAFE
);
COMMENT ON AGGREGATE tidemark.smt_root(bytea, bytea, bytea) IS
    'smt_root(key, value) where a NULL value stands for a leaf of which only the SHA-256, value_hash, is kept; both NULL is no leaf, and where both are given the value counts';

-- Who is named in a certificate

CREATE FUNCTION tidemark.certificate_signers(certificate bytea)
    RETURNS bytea[]
    LANGUAGE c IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100
    AS 'MODULE_PATHNAME', 'tidemark_certificate_signers';
COMMENT ON FUNCTION tidemark.certificate_signers(bytea) IS
    'Addresses that an encoded quorum certificate has signatures of, each once, ascending, without a check of the signatures (certificate_signatures makes it); an empty array for the empty certificate of block 0. Raises where the bytes are no certificate';

CREATE FUNCTION tidemark.session_load_at(
    h bigint, relay_chain text, geo_zone text,
    OUT chain text, OUT address bytea, OUT sessions bigint, OUT chain_sessions bigint,
    OUT session_height bigint)
    RETURNS SETOF record
    LANGUAGE c STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 100000 ROWS 1000
    AS 'MODULE_PATHNAME', 'tidemark_session_load_at';
COMMENT ON FUNCTION tidemark.session_load_at(bigint, text, text) IS
    'For each relay chain (or the given one) and each servicer that can be drawn for it: in how many sessions of all applications staked for the chain it is as of block h, out of how many there are, e.g. session_load_at(1200, NULL, ''''). Raises where no session exists';

CREATE FUNCTION tidemark.tree_root(tree smallint, height bigint, OUT leaves bigint, OUT root bytea)
    LANGUAGE c STABLE STRICT PARALLEL SAFE COST 10000
    AS 'MODULE_PATHNAME', 'tidemark_tree_root';
COMMENT ON FUNCTION tidemark.tree_root(smallint, bigint) IS
    'Number of leaves and root of one of the ten state trees, recomputed from the rows as of a height by as many processes as the server gives a query';

CREATE FUNCTION tidemark.diff_rows(
    view text, h1 bigint, h2 bigint,
    OUT key bytea, OUT name text, OUT op text, OUT column_name text, OUT from_value text,
    OUT to_value text, OUT height bigint, OUT step text, OUT tx_index integer,
    OUT hash tidemark.hash32, OUT message_type text)
    RETURNS SETOF record
    LANGUAGE c STABLE CALLED ON NULL INPUT PARALLEL SAFE COST 10000 ROWS 1000
    AS 'MODULE_PATHNAME', 'tidemark_diff_rows';
COMMENT ON FUNCTION tidemark.diff_rows(text, bigint, bigint) IS
    'The rows of tidemark.diff for a name as the tables have it; use that function';

CREATE FUNCTION tidemark.restore_rows(
    name text, h bigint, by_key boolean DEFAULT NULL, batch integer DEFAULT 262144,
    OUT replaced bigint, OUT inserted bigint, OUT born bigint, OUT ended bigint)
    LANGUAGE c VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 1000000
    AS 'MODULE_PATHNAME', 'tidemark_restore_rows';
REVOKE ALL ON FUNCTION tidemark.restore_rows(text, bigint, boolean, integer) FROM PUBLIC;
COMMENT ON FUNCTION tidemark.restore_rows(text, bigint, boolean, integer) IS
    'Makes the rows of a versioned table of schema ledger and its history those of block h: how many current rows got their earlier values, came back, and went because a later block made them, and how many rows of the history went because they ended later. What later blocks wrote is found by the changed keys or page by page, whichever costs less where by_key is NULL; rows of the history are held batch at a time. For tidemark.rollback_rows';
