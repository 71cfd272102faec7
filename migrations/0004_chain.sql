-- The chain itself: its identity, its tip, its blocks and transactions, what each block changed,
-- and what a validator has signed.

SET LOCAL lock_timeout = '2s';
SET LOCAL search_path = pg_catalog, pg_temp;
SET LOCAL ROLE tidemark_owner;

CREATE TABLE ledger.chain (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    chain_id text NOT NULL,
    rules text NOT NULL CHECK (rules IN ('standard', 'reference')),
    genesis_seconds bigint NOT NULL,
    genesis_nanos int NOT NULL,
    max_block_bytes numeric NOT NULL,
    block_interval_msec int NOT NULL,
    empty_block_interval_msec int NOT NULL,
    genesis bytea NOT NULL
);

-- Every writer moves this row first, from the height and hash it built upon: the fence.
CREATE TABLE ledger.tip (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    height bigint NOT NULL CHECK (height >= 0),
    earliest bigint NOT NULL CHECK (earliest BETWEEN 0 AND height),
    state_hash bytea NOT NULL CHECK (octet_length(state_hash) = 32)
);

-- Typed columns from which the encoded block is rebuilt exactly.
CREATE TABLE ledger.block (
    height bigint PRIMARY KEY CHECK (height >= 0),
    network_id text NOT NULL,
    state_hash tidemark.hash32 NOT NULL,
    previous_state_hash tidemark.hash32 CHECK (height = 0 OR previous_state_hash IS NOT NULL),
    proposer bytea NOT NULL,
    certificate bytea NOT NULL,
    seconds bigint NOT NULL,
    nanos int NOT NULL CHECK (nanos BETWEEN 0 AND 999999999),
    block_time timestamptz NOT NULL
        CHECK (extract(epoch FROM block_time) = seconds + nanos / 1000 * 0.000001),
    tree_roots bytea[] NOT NULL CHECK (cardinality(tree_roots) = 10),
    validator_set_hash tidemark.hash32,
    next_validator_set_hash tidemark.hash32 NOT NULL,
    transactions_hash tidemark.hash32,
    round bigint NOT NULL,
    transactions int NOT NULL CHECK (transactions >= 0),
    header_hash tidemark.hash32
);
CREATE INDEX ON ledger.block (block_time);

-- Under `reference` one hash may stand in several blocks; the tree has it once.
CREATE TABLE ledger.transaction (
    height bigint NOT NULL,
    tx_index int NOT NULL CHECK (tx_index >= 0),
    hash tidemark.hash32 NOT NULL,
    tx bytea NOT NULL,
    result_code int NOT NULL,
    error text NOT NULL,
    signer bytea NOT NULL,
    recipient bytea,
    message_type text NOT NULL,
    PRIMARY KEY (height, tx_index)
);
CREATE INDEX ON ledger.transaction USING hash (hash);
CREATE INDEX ON ledger.transaction (tidemark.path64(hash));
CREATE INDEX ON ledger.transaction (signer, height);
CREATE INDEX ON ledger.transaction (recipient, height) WHERE recipient IS NOT NULL;

-- What each block changed, and by which step. key: primary key of the row (names as UTF-8). step:
-- -2 the block's begin, -1 genesis, index of the transaction, 1000000 + n for rule n of its end.
CREATE TABLE ledger.change (
    height bigint NOT NULL,
    tree smallint NOT NULL CHECK (tree BETWEEN 0 AND 9),
    key bytea NOT NULL,
    step int NOT NULL,
    PRIMARY KEY (height, tree, key, step)
);

-- What each key has signed. No rollback touches it.
CREATE TABLE ledger.vote_guard (
    address bytea PRIMARY KEY,
    chain_id text NOT NULL,
    height bigint NOT NULL,
    round bigint NOT NULL,
    step smallint NOT NULL,
    header_hash bytea NOT NULL,
    sequence bigint NOT NULL,
    system_identifier bigint NOT NULL,
    timeline int NOT NULL,
    prepare_certificate bytea,
    lock_certificate bytea
);

-- Bodies of blocks that were voted for; rows of decided heights go with the block's transaction.
CREATE TABLE ledger.proposal (
    height bigint NOT NULL,
    round bigint NOT NULL,
    header_hash bytea NOT NULL,
    body bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (height, round, header_hash)
);

RESET ROLE;
