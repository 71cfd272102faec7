-- What schema `report` is made from: sums over each block, which the node writes with the block, the
-- greatest balances, and names that users give to addresses.
--
-- The sums are derived: no hash covers them, and report.check() makes them anew from the rows. The
-- node has the values before and after in hand when it writes a block, so that exact sums cost it one
-- row; read later from the versions they would cost a read of every change.

SET LOCAL lock_timeout = '2s';
SET LOCAL search_path = pg_catalog, pg_temp;

-- For those who may name addresses; granted by the operator, to nobody at first.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'tidemark_label') THEN
        CREATE ROLE tidemark_label NOLOGIN;
    END IF;
END $$;

CREATE SCHEMA report AUTHORIZATION tidemark_owner;

SET LOCAL ROLE tidemark_owner;

-- day: of the header's time, in UTC; in each table, so that a range of days is a range of an index.
CREATE TABLE ledger.block_total (
    height bigint PRIMARY KEY,
    day date NOT NULL,
    proposer bytea NOT NULL,
    accounts bigint NOT NULL,
    account_upokt tidemark.upokt NOT NULL,
    dao_upokt tidemark.upokt NOT NULL,
    fee_collector_upokt tidemark.upokt NOT NULL,
    application_stake_upokt tidemark.upokt NOT NULL,
    validator_stake_upokt tidemark.upokt NOT NULL,
    servicer_stake_upokt tidemark.upokt NOT NULL,
    fisherman_stake_upokt tidemark.upokt NOT NULL,
    other_pool_upokt tidemark.upokt NOT NULL,
    -- NULL: the block was pruned when its row was made.
    fee_upokt tidemark.upokt,
    reward_upokt tidemark.upokt
);
CREATE INDEX ON ledger.block_total (day, height);

CREATE TABLE ledger.block_message (
    height bigint NOT NULL,
    message_type text NOT NULL,
    day date NOT NULL,
    transactions bigint NOT NULL,
    failed bigint NOT NULL,
    fee_upokt tidemark.upokt NOT NULL,
    PRIMARY KEY (height, message_type)
);
CREATE INDEX ON ledger.block_message (day);

CREATE TABLE ledger.block_stake (
    height bigint NOT NULL,
    actor_type text NOT NULL,
    day date NOT NULL,
    staked bigint NOT NULL,
    staked_upokt tidemark.upokt NOT NULL,
    edited bigint NOT NULL,
    edited_upokt tidemark.upokt NOT NULL,
    unstaking bigint NOT NULL,
    unstaking_upokt tidemark.upokt NOT NULL,
    returned bigint NOT NULL,
    returned_upokt tidemark.upokt NOT NULL,
    PRIMARY KEY (height, actor_type)
);
CREATE INDEX ON ledger.block_stake (day);

CREATE TABLE ledger.block_chain (
    height bigint NOT NULL,
    relay_chain text COLLATE "C" NOT NULL,
    day date NOT NULL,
    joined bigint NOT NULL,
    gone bigint NOT NULL,
    servicers bigint NOT NULL,
    PRIMARY KEY (height, relay_chain)
);
CREATE INDEX ON ledger.block_chain (relay_chain, height);
CREATE INDEX ON ledger.block_chain (day);

-- The accounts that rank at or above a floor, by balance, the greatest first, then by address, at
-- every height. Where that are n or more, the n richest are among them: an account that is not there
-- ranks below all of them. The node moves a row only where an account above the floor changes; the
-- floor moves seldom, to keep the number of rows between two bounds. An index by balance on
-- ledger.account would tell as much and end HOT updates there.
SELECT ledger.create_versioned('large_balance', ARRAY['address bytea'],
    ARRAY['balance tidemark.upokt NOT NULL']);
-- It holds nothing that ledger.account does not: no source for checks and views.
DELETE FROM ledger.versioned WHERE name = 'large_balance';

-- In force from its height on. balance NULL: no floor, all accounts are there. No row: the accounts
-- above the floor are not known.
CREATE TABLE ledger.large_floor (
    height bigint PRIMARY KEY,
    balance tidemark.upokt,
    address bytea CHECK ((address IS NULL) = (balance IS NULL))
);

-- No part of the chain: neither provable nor touched by rollback and prune.
CREATE TABLE report.label (
    -- As long as an account's key may be.
    address bytea PRIMARY KEY CHECK (octet_length(address) BETWEEN 1 AND 1024),
    name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 64)
        -- No control characters, none that are invisible or turn the direction of writing.
        CHECK (name !~ '[\u0001-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]')
        CHECK (name !~ '^\s|\s$'),
    source text NOT NULL DEFAULT '' CHECK (char_length(source) <= 200)
        CHECK (source !~ '[\u0001-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]')
);

RESET ROLE;
