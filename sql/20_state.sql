-- Schema `state`: what is true at the height in tidemark.height (the tip if unset); `<view>_at(h)`
-- is the same at an explicit height, `<view>_page_at(h, after, n)` a page of it by key.

CREATE FUNCTION tidemark.pool_name(address bytea) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (
    -- Under `reference` a pool's key may be the 40 hexadecimal characters of the 20 bytes.
    SELECT p.name
    FROM (VALUES ('DAO'), ('FeeCollector'), ('AppStakePool'), ('ValidatorStakePool'),
                 ('ServicerStakePool'), ('FishermanStakePool')) p(name),
        LATERAL (SELECT rpad(encode(convert_to(p.name, 'UTF8'), 'hex'), 40, '0') AS text) hex
    WHERE address IN (decode(hex.text, 'hex'), convert_to(hex.text, 'UTF8'))
);

DO $$
DECLARE
    -- A key is followed at once by itself with a zero byte (text cannot hold one, its next character
    -- is U+0001).
    first_bytes CONSTANT text := $sql$coalesce(after || '\x00'::bytea, '\x'::bytea)$sql$;
    next_bytes CONSTANT text := $sql$last_key || '\x00'::bytea$sql$;
    first_text CONSTANT text := $sql$coalesce(after || chr(1), '')$sql$;
    next_text CONSTANT text := $sql$last_key || chr(1)$sql$;
    balance CONSTANT text[] := ARRAY[
        ['balance_upokt', 'tidemark.upokt', 'v.balance'],
        -- A product of numerics is exact; a quotient would be rounded.
        ['balance_pokt', 'numeric', 'v.balance * 0.000001']];
    actor record;
BEGIN
    PERFORM ledger.create_versioned_state('account', 'account',
        ARRAY[['address', 'bytea', 'v.address']] || balance, 'bytea', first_bytes, next_bytes);
    PERFORM ledger.create_history('account',
        ARRAY[['address', 'bytea', 'v.address']] || balance, 'v.address');

    PERFORM ledger.create_versioned_state('pool', 'pool',
        ARRAY[['address', 'bytea', 'v.address'],
              ['name', 'text', 'tidemark.pool_name(v.address)']] || balance,
        'bytea', first_bytes, next_bytes);
    PERFORM ledger.create_history('pool',
        ARRAY[['address', 'bytea', 'v.address'],
              ['name', 'text', 'tidemark.pool_name(v.address)']] || balance, 'v.address');

    FOR actor IN
        SELECT k.name, c.columns
        FROM (VALUES ('application', 'NULL::text', 'v.chains'),
                     ('servicer', 'nullif(v.service_url, '''')', 'v.chains'),
                     ('fisherman', 'nullif(v.service_url, '''')', 'v.chains'),
                     ('validator', 'nullif(v.service_url, '''')', 'NULL::text[]'))
            k(name, service_url, chains)
        CROSS JOIN LATERAL (SELECT ARRAY[
            ['address', 'bytea', 'v.address'],
            ['public_key', 'bytea', 'v.public_key'],
            ['output_address', 'bytea', 'v.output_address'],
            ['stake_upokt', 'tidemark.upokt', 'v.stake'],
            ['stake_pokt', 'numeric', 'v.stake * 0.000001'],
            ['service_url', 'text', k.service_url],
            ['chains', 'text[]', k.chains],
            ['status', 'text',
             'CASE WHEN v.unstaking_height <> -1 AND v.unstaking_height <= at.h THEN ''unstaked'' '
             'WHEN v.unstaking_height <> -1 THEN ''unstaking'' '
             'WHEN v.paused_height <> -1 THEN ''paused'' ELSE ''staked'' END'],
            ['paused_height', 'bigint', 'nullif(v.paused_height, -1)'],
            ['unstaking_height', 'bigint', 'nullif(v.unstaking_height, -1)']] AS columns) c
    LOOP
        PERFORM ledger.create_versioned_state(actor.name, actor.name, actor.columns, 'bytea',
                                              first_bytes, next_bytes);
        -- A version has no one height: the status is the one it began with.
        PERFORM ledger.create_history(actor.name,
            (SELECT array_agg(ARRAY[actor.columns[i][1], actor.columns[i][2],
                              replace(actor.columns[i][3], 'at.h', 'v.valid_from')] ORDER BY i)
             FROM generate_subscripts(actor.columns, 1) i), 'v.address');
    END LOOP;

    PERFORM ledger.create_versioned_state('param', 'param', ARRAY[
        ['name', 'text', 'v.name'],
        ['value', 'text', 'v.value'],
        ['changed_height', 'bigint', 'v.valid_from']], 'text', first_text, next_text);
    PERFORM ledger.create_history('param', ARRAY[
        ['name', 'text', 'v.name'],
        ['value', 'text', 'v.value']], 'convert_to(v.name, ''UTF8'')');

    PERFORM ledger.create_versioned_state('flag', 'flag', ARRAY[
        ['name', 'text', 'v.name'],
        ['value', 'text', 'v.value'],
        ['enabled', 'boolean', 'v.enabled'],
        ['changed_height', 'bigint', 'v.valid_from']], 'text', first_text, next_text);
    PERFORM ledger.create_history('flag', ARRAY[
        ['name', 'text', 'v.name'],
        ['value', 'text', 'v.value'],
        ['enabled', 'boolean', 'v.enabled']], 'convert_to(v.name, ''UTF8'')');

    -- Pages in the order of SHA-256 of the key: keys themselves are too long for an ordered index.
    PERFORM ledger.create_versioned_state('ibc_entry', 'ibc_entry', ARRAY[
        ['key', 'bytea', 'v.key'],
        ['value', 'bytea', 'v.value']], 'bytea',
        $sql$coalesce(sha256(after) || '\x00'::bytea, '\x'::bytea)$sql$, next_bytes);
    PERFORM ledger.create_history('ibc_entry', ARRAY[
        ['key', 'bytea', 'v.key'],
        ['value', 'bytea', 'v.value']], 'v.path');
END $$;

-- The members of the set that signs the next block. `reference` never takes a validator out.
DO $$
DECLARE
    members CONSTANT text := format(
        'SELECT m.address, m.public_key, m.valid_from, '
        'row_number() OVER (ORDER BY m.address) - 1 AS member '
        'FROM ledger.chain c, LATERAL (%s) m '
        'WHERE c.rules = ''reference'' OR (m.paused_height = -1 AND m.unstaking_height = -1)',
        ledger.rows_at('validator', 'at.h',
            'v.address, v.public_key, v.paused_height, v.unstaking_height, v.valid_from'));
BEGIN
    PERFORM ledger.create_state('validator_set', ARRAY[
        ['address', 'bytea', 'v.address'],
        ['public_key', 'bytea', 'v.public_key'],
        ['member', 'bigint', 'v.member'],
        ['voting_power', 'int', '1'],
        ['signs_height', 'bigint', 'at.h + 1']],
        members, 'bytea',
        format('SELECT * FROM (%s) s WHERE $2 IS NULL OR s.address > $2', members), 'v.address');
END $$;

-- Every header states all ten roots, so each is of the very height asked.
DO $$
DECLARE
    roots CONSTANT text :=
        'SELECT r.tree, r.root::tidemark.hash32 AS root, b.height AS valid_from, r.number '
        'FROM ledger.block b, unnest(b.tree_roots, ARRAY[''app'', ''val'', ''fish'', ''servicer'', '
        '''account'', ''pool'', ''transactions'', ''params'', ''flags'', ''ibc'']) '
        'WITH ORDINALITY r(root, tree, number) WHERE b.height = at.h';
BEGIN
    PERFORM ledger.create_state('tree_root', ARRAY[
        ['tree', 'text', 'v.tree'],
        ['root', 'tidemark.hash32', 'v.root']],
        roots, 'text',
        format('SELECT * FROM (%s) s WHERE $2 IS NULL OR s.tree COLLATE "C" > $2', roots),
        'v.tree COLLATE "C"');
END $$;

-- One row; valid_from is the last change of a balance that is in it.
DO $$
BEGIN
    PERFORM ledger.create_state('supply', ARRAY[
        ['account_upokt', 'tidemark.upokt', 'v.account'],
        ['pool_upokt', 'tidemark.upokt', 'v.pool'],
        ['total_upokt', 'tidemark.upokt', '(v.account + v.pool)::tidemark.upokt']],
        format('SELECT coalesce(a.total, 0)::tidemark.upokt AS account, '
               'coalesce(p.total, 0)::tidemark.upokt AS pool, '
               'greatest(a.changed, p.changed) AS valid_from '
               'FROM (SELECT sum(b.balance) AS total, max(b.valid_from) AS changed FROM (%s) b) a, '
               '(SELECT sum(b.balance) AS total, max(b.valid_from) AS changed FROM (%s) b) p',
               ledger.rows_at('account', 'at.h', 'v.balance, v.valid_from'),
               ledger.rows_at('pool', 'at.h', 'v.balance, v.valid_from')));
END $$;

-- The actors that serve an application on a relay chain. Raises where no session exists; a session
-- without members is no row.
CREATE FUNCTION state.session_at(h bigint, application bytea, relay_chain text, geo_zone text)
RETURNS TABLE (session_id tidemark.hash32, session_number bigint, session_height bigint,
    session_blocks bigint, kind text, address bytea, draw int)
LANGUAGE sql STABLE PARALLEL SAFE BEGIN ATOMIC
SELECT s.session_id, s.session_number, s.session_height, s.session_blocks, s.kind, s.address, s.draw
FROM tidemark.height($1) AS at(h),
    LATERAL tidemark.session_at(at.h, $2, $3, $4) s
WHERE s.kind IS NOT NULL;
END;

CREATE FUNCTION state.session(application bytea, relay_chain text, geo_zone text)
RETURNS TABLE (session_id tidemark.hash32, session_number bigint, session_height bigint,
    session_blocks bigint, kind text, address bytea, draw int)
LANGUAGE sql STABLE PARALLEL SAFE BEGIN ATOMIC
SELECT s.session_id, s.session_number, s.session_height, s.session_blocks, s.kind, s.address, s.draw
FROM tidemark.height() AS at(h),
    LATERAL tidemark.session_at(at.h, $1, $2, $3) s
WHERE s.kind IS NOT NULL;
END;
