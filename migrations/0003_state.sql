-- The versioned pairs: the leaves of the ten trees (transactions excepted: those are facts), and
-- the inner nodes of the trees.

SET LOCAL lock_timeout = '2s';
SET LOCAL search_path = pg_catalog, pg_temp;
SET LOCAL ROLE tidemark_owner;

-- Four kinds of actors, one form. A height of -1 means "none", as in the leaf that is hashed.
SELECT ledger.create_versioned(
    kind.name,
    ARRAY['address bytea'],
    ARRAY['public_key bytea NOT NULL', 'output_address bytea NOT NULL',
          'stake tidemark.upokt NOT NULL', 'stake_text text', 'service_url text NOT NULL',
          'chains text[] NOT NULL', 'paused_height bigint NOT NULL',
          'unstaking_height bigint NOT NULL'],
    kind.tree::smallint, 'address',
    format('tidemark.encode_%s(address, public_key, output_address, stake, stake_text, '
           'service_url, chains, paused_height, unstaking_height)', kind.name),
    NULL,
    -- The rules of the block's end look for these few.
    ARRAY['(unstaking_height) WHERE unstaking_height <> -1',
          '(paused_height) WHERE paused_height <> -1'])
FROM (VALUES (0, 'application'), (1, 'validator'), (2, 'fisherman'), (3, 'servicer'))
    kind(tree, name);

SELECT ledger.create_versioned('account', ARRAY['address bytea'],
    ARRAY['balance tidemark.upokt NOT NULL'],
    4::smallint, 'address', 'tidemark.encode_account(address, balance)');

SELECT ledger.create_versioned('pool', ARRAY['address bytea'],
    ARRAY['balance tidemark.upokt NOT NULL'],
    5::smallint, 'address', 'tidemark.encode_account(address, balance)');

-- The height of the last change is part of these two leaves.
SELECT ledger.create_versioned('param', ARRAY['name text COLLATE "C"'],
    ARRAY['value text NOT NULL'],
    7::smallint, 'tidemark.param_key(name)', 'tidemark.encode_param(name, value, valid_from)');

SELECT ledger.create_versioned('flag', ARRAY['name text COLLATE "C"'],
    ARRAY['value text NOT NULL', 'enabled boolean NOT NULL'],
    8::smallint, 'tidemark.param_key(name)',
    'tidemark.encode_flag(name, value, enabled, valid_from)');

-- Keys may be longer than a B-tree entry; path is SHA-256 of the key.
SELECT ledger.create_versioned('ibc_entry',
    ARRAY['path bytea CHECK (octet_length(path) = 32)'],
    ARRAY['key bytea NOT NULL', 'value bytea NOT NULL'],
    9::smallint, 'key', 'value', NULL, '{}', ARRAY['USING hash (key)']);

-- Inner nodes at depths 6, 12 … 60 under which at least two leaves hang; prefix is the first `depth`
-- bits of the path. The 64 siblings of one page lie together in the history.
SELECT ledger.create_versioned('tree_node',
    ARRAY['tree smallint', 'depth smallint', 'prefix bigint'],
    ARRAY['digest bytea NOT NULL CHECK (octet_length(digest) = 32)'],
    NULL, NULL, NULL, 'tree, depth, (prefix >> 6), valid_to, class, prefix');

RESET ROLE;
