-- A model of versioned state for versioned_test.sh: whole snapshots of every height, in one table, and
-- random blocks that are applied to the snapshots and, as the node does it, to schema `ledger`.
\set ON_ERROR_STOP on
SET client_min_messages = warning;

CREATE SCHEMA model;

-- value: all value columns as one text; changed: the height that wrote it last.
CREATE TABLE model.row (
    h bigint, kind text, key bytea, value text, changed bigint,
    PRIMARY KEY (h, kind, key)
);
-- What views and functions showed, collected by the test.
CREATE TABLE model.seen (LIKE model.row);

-- How a kind's text is spread over the columns of its table, put together again from its public view,
-- and hashed. %s is the alias of the row.
CREATE TABLE model.kind (
    name text PRIMARY KEY, key_column text, from_key text, columns text[], from_value text[],
    to_key text, to_value text, tree_number int, tree_key text, leaf text, set_is_change boolean
);
INSERT INTO model.kind VALUES
    ('account', 'address', 'key', ARRAY['balance'], ARRAY['value::numeric'],
     'address', 'balance_upokt::text',
     5, 'key', 'tidemark.encode_account(key, value::numeric)', false),
    ('servicer', 'address', 'key',
     ARRAY['public_key', 'output_address', 'stake', 'stake_text', 'service_url', 'chains',
           'paused_height', 'unstaking_height'],
     ARRAY['sha256(key)', 'key', 'split_part(value, ''|'', 1)::numeric', 'NULL',
           'split_part(value, ''|'', 2)', 'string_to_array(split_part(value, ''|'', 3), '','')',
           'split_part(value, ''|'', 4)::bigint', 'split_part(value, ''|'', 5)::bigint'],
     'address', 'concat_ws(''|'', stake_upokt, service_url, array_to_string(chains, '',''), '
                'coalesce(paused_height, -1), coalesce(unstaking_height, -1))',
     4, 'key', 'tidemark.encode_servicer(key, sha256(key), key, split_part(value, ''|'', 1)::numeric, '
               'NULL, split_part(value, ''|'', 2), string_to_array(split_part(value, ''|'', 3), '',''), '
               'split_part(value, ''|'', 4)::bigint, split_part(value, ''|'', 5)::bigint)', false),
    -- Setting a parameter is a new leaf even when the value stays: its height is hashed.
    ('param', 'name', 'convert_from(key, ''UTF8'')', ARRAY['value'], ARRAY['value'],
     'convert_to(name, ''UTF8'')', 'value',
     8, 'tidemark.param_key(convert_from(key, ''UTF8''))',
     'tidemark.encode_param(convert_from(key, ''UTF8''), value, changed)', true),
    ('ibc_entry', 'path', 'sha256(key)', ARRAY['key', 'value'],
     ARRAY['key', 'convert_to(value, ''UTF8'')'],
     'key', 'convert_from(value, ''UTF8'')',
     10, 'key', 'convert_to(value, ''UTF8'')', false);

-- Few different values, so that a change is often undone or repeated.
CREATE FUNCTION model.random_value(kind text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    CASE kind
    WHEN 'account' THEN
        RETURN trunc(floor(random() * 4)::numeric * 10::numeric ^ floor(random() * 30)::numeric)::text;
    WHEN 'servicer' THEN
        RETURN concat_ws('|', floor(random() * 3) + 1, 'https://s' || floor(random() * 2),
            (ARRAY['0001', '0001,0021', '0021'])[1 + floor(random() * 3)::int],
            (ARRAY[-1, -1, 7])[1 + floor(random() * 3)::int],
            (ARRAY[-1, -1, 90])[1 + floor(random() * 3)::int]);
    ELSE
        RETURN 'v' || floor(random() * 3);
    END CASE;
END $$;

CREATE FUNCTION model.random_key(kind text) RETURNS bytea LANGUAGE plpgsql AS $$
DECLARE
    -- Some keys are hot.
    n int := floor(30 * random() ^ 2);
BEGIN
    RETURN CASE kind
        WHEN 'param' THEN convert_to('name' || n, 'UTF8')
        WHEN 'ibc_entry' THEN convert_to(repeat('k', n) || n, 'UTF8')
        ELSE substr(sha256(convert_to(kind || n, 'UTF8')), 1, 20)
    END;
END $$;

-- The statements of one decided block, in the node's form: one per table.
CREATE FUNCTION model.write(kind text, h bigint, keys bytea[], vals text[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    k model.kind;
BEGIN
    SELECT * INTO STRICT k FROM model.kind m WHERE m.name = kind;
    EXECUTE format($sql$
        WITH change AS MATERIALIZED (
            SELECT %2$s AS k, key, value FROM unnest($2, $3) c(key, value)),
        closed AS (
            INSERT INTO ledger.%1$I_history (%3$s, valid_from, valid_to, class, %4$s)
            SELECT a.%3$s, a.valid_from, $1, ledger.lifetime_class($1 - a.valid_from), %5$s
            FROM ledger.%1$I a JOIN change c ON c.k = a.%3$s),
        gone AS (
            DELETE FROM ledger.%1$I a USING change c WHERE c.k = a.%3$s AND c.value IS NULL
            RETURNING a.%3$s),
        kept AS (
            INSERT INTO ledger.%1$I AS a (%3$s, valid_from, %4$s)
            SELECT k, $1, %6$s FROM change WHERE value IS NOT NULL
            ON CONFLICT (%3$s) DO UPDATE SET valid_from = excluded.valid_from, %7$s
            RETURNING a.%3$s)
        SELECT 1 $sql$,
        kind, k.from_key, k.key_column, array_to_string(k.columns, ', '),
        (SELECT string_agg('a.' || c, ', ') FROM unnest(k.columns) c),
        array_to_string(k.from_value, ', '),
        (SELECT string_agg(format('%1$s = excluded.%1$s', c), ', ') FROM unnest(k.columns) c))
    USING h, keys, vals;
END $$;

-- A random block of height h on the tip: several writes, some to one key, some undoing others.
CREATE FUNCTION model.block(h bigint, writes int) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    before bigint := (SELECT height FROM ledger.tip);
    k model.kind;
    picked bytea;
    roots bytea[] := array_fill(decode(repeat('00', 32), 'hex'), ARRAY[10]);
    root bytea;
    hash bytea;
BEGIN
    INSERT INTO model.row SELECT block.h, r.kind, r.key, r.value, r.changed
    FROM model.row r WHERE r.h = before;

    FOR k IN SELECT * FROM model.kind LOOP
        FOR i IN 1 .. writes LOOP
            picked := model.random_key(k.name);
            INSERT INTO ledger.change VALUES (h, k.tree_number - 1,
                CASE k.name WHEN 'ibc_entry' THEN sha256(picked) ELSE picked END, i - 1)
            ON CONFLICT DO NOTHING;
            IF random() < 0.3 THEN
                DELETE FROM model.row r WHERE r.h = block.h AND r.kind = k.name AND r.key = picked;
            ELSE
                INSERT INTO model.row AS r VALUES (h, k.name, picked, model.random_value(k.name), h)
                ON CONFLICT ON CONSTRAINT row_pkey
                    DO UPDATE SET value = excluded.value, changed = excluded.changed;
            END IF;
        END LOOP;
        -- A leaf that ends as it was is no version.
        IF NOT k.set_is_change THEN
            UPDATE model.row n SET changed = o.changed
            FROM model.row o
            WHERE n.h = block.h AND o.h = before AND n.kind = k.name AND o.kind = k.name
                AND n.key = o.key AND n.value = o.value;
        END IF;
        PERFORM model.write(k.name, h, array_agg(c.key), array_agg(c.value))
        FROM (
            SELECT coalesce(n.key, o.key) AS key, n.value
            FROM (SELECT * FROM model.row r WHERE r.h = block.h AND r.kind = k.name) n
            FULL JOIN (SELECT * FROM model.row r WHERE r.h = before AND r.kind = k.name) o USING (key)
            WHERE n.changed IS DISTINCT FROM o.changed
        ) c
        HAVING count(*) > 0;
        EXECUTE format('SELECT tidemark.smt_root(%s, %s) FROM model.row WHERE h = $1 AND kind = $2',
                       k.tree_key, k.leaf) INTO root USING h, k.name;
        roots[k.tree_number] := root;
    END LOOP;

    hash := tidemark.state_root(roots);
    INSERT INTO ledger.block (height, network_id, state_hash, previous_state_hash, proposer,
        certificate, seconds, nanos, block_time, tree_roots, next_validator_set_hash, round,
        transactions)
    VALUES (h, 'model', hash, (SELECT state_hash FROM ledger.tip), '', '', 1000000 + h, 5000,
        to_timestamp(1000000 + h) + interval '5 microseconds', roots, sha256(''), 0, 0);
    INSERT INTO ledger.tip (height, earliest, state_hash) VALUES (h, 0, hash)
    ON CONFLICT (one) DO UPDATE SET height = excluded.height, state_hash = excluded.state_hash;
END $$;

-- Back to the state after block h, in two statements per table (architecture.md, rollback).
CREATE FUNCTION model.rollback(target bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    k model.kind;
    columns text;
BEGIN
    FOR k IN SELECT * FROM model.kind LOOP
        columns := format('%s, valid_from, %s', k.key_column, array_to_string(k.columns, ', '));
        EXECUTE format('DELETE FROM ledger.%1$I a USING (SELECT DISTINCT key FROM ledger.change '
                       'WHERE height > $1 AND tree = %2$s) c WHERE a.%3$s = %4$s '
                       'AND a.valid_from > $1', k.name, k.tree_number - 1, k.key_column,
                       CASE k.name WHEN 'param' THEN 'convert_from(c.key, ''UTF8'')' ELSE 'c.key' END)
        USING target;
        EXECUTE format('WITH back AS (DELETE FROM ledger.%1$I_history WHERE valid_to > $1 RETURNING *) '
                       'INSERT INTO ledger.%1$I (%2$s) SELECT %2$s FROM back WHERE valid_from <= $1',
                       k.name, columns)
        USING target;
    END LOOP;
    DELETE FROM ledger.change WHERE height > target;
    DELETE FROM ledger.block WHERE height > target;
    UPDATE ledger.tip SET height = target,
        state_hash = (SELECT state_hash FROM ledger.block b WHERE b.height = target);
    DELETE FROM model.row r WHERE r.h > target;
END $$;

-- What a view or function shows, as rows of the model; source reads at height h.
CREATE FUNCTION model.showing(kind text, source text) RETURNS text LANGUAGE sql AS $$
    SELECT format('SELECT v.height, %L, %s, %s, v.valid_from FROM %s v', k.name, k.to_key, k.to_value,
                  source)
    FROM model.kind k WHERE k.name = kind
$$;

-- Rows that are in one of model.seen and the snapshots but not in the other.
CREATE FUNCTION model.differences() RETURNS bigint LANGUAGE sql AS $$
    SELECT count(*) FROM (
        (TABLE model.seen EXCEPT ALL TABLE model.row)
        UNION ALL (TABLE model.row EXCEPT ALL TABLE model.seen)) d
$$;

-- A chain of about 300 blocks. Heights are close together at first; later jumps make rows of every
-- lifetime class. seed: between -1 and 1, for the same chain again.
CREATE FUNCTION model.history(seed double precision) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    h bigint := 0;
BEGIN
    PERFORM setseed(seed);
    INSERT INTO ledger.chain VALUES (true, 'model', 'standard', 0, 0, 4000000, 1000, 10000, '');
    PERFORM model.block(0, 40);
    FOR i IN 1 .. 300 LOOP
        IF i % 50 = 0 THEN
            -- back by some blocks that are there
            h := (SELECT b.height FROM ledger.block b ORDER BY b.height DESC
                  OFFSET floor(random() * 20)::int LIMIT 1);
            PERFORM model.rollback(h);
        END IF;
        h := h + CASE
            WHEN i = 200 THEN 600
            WHEN i IN (220, 221) THEN 5000
            WHEN i = 270 THEN 40000
            WHEN random() < 0.2 THEN floor(random() * 20)::int + 1
            ELSE 1
        END;
        PERFORM model.block(h, floor(random() * 12)::int);
    END LOOP;
END $$;
