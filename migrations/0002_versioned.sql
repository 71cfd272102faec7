-- The form of height-versioned state: one current table and one history table per kind of row,
-- made by one generator and recorded in a catalogue, from which views and functions are made.
--
-- Current rows are what is true at the tip; `valid_from` is the height that wrote them and is in no
-- index, so that updates stay HOT. History rows were true in [valid_from, valid_to). History is
-- partitioned by how long a row lived: class c holds lifetimes in [8^c, 8^(c+1)), the last class all
-- longer ones. A row of class c that was true at h ended no later than h + 8^(c+1), so "everything
-- at h" is one narrow range of valid_to in each partition.

SET LOCAL lock_timeout = '2s';
SET LOCAL search_path = pg_catalog, pg_temp;
SET LOCAL ROLE tidemark_owner;

-- Integers, not log(): the class of a lifetime has to be exact. Not STRICT, so that it is inlined.
CREATE FUNCTION ledger.lifetime_class(lifetime bigint) RETURNS smallint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN lifetime < 8 THEN 0::smallint
    WHEN lifetime < 64 THEN 1::smallint
    WHEN lifetime < 512 THEN 2::smallint
    WHEN lifetime < 4096 THEN 3::smallint
    WHEN lifetime < 32768 THEN 4::smallint
    ELSE 5::smallint
END;

CREATE TABLE ledger.versioned (
    name text COLLATE "C" PRIMARY KEY,
    tree smallint UNIQUE CHECK (tree BETWEEN 0 AND 9),
    key_columns text[] NOT NULL,
    value_columns text[] NOT NULL,
    tree_key text,
    leaf text,
    CHECK ((tree IS NULL) = (leaf IS NULL) AND (tree IS NULL) = (tree_key IS NULL))
);

-- name: the current table; <name>_history with its six partitions stands beside it.
-- keys, columns: column definitions, "name type [constraints]", of the key and of the rest.
-- tree, tree_key, leaf: number of the Merkle tree whose leaves the rows are, and SQL over the
--   columns (valid_from included) for the key given to the tree and for the leaf's bytes.
-- history_key: columns and expressions of the history's unique index, where it is not the primary
--   key (key, valid_to, class).
-- current_indexes, all_indexes: "[USING method] (…) [WHERE …]", for the current table only or for
--   both.
CREATE FUNCTION ledger.create_versioned(name text, keys text[], columns text[],
    tree smallint DEFAULT NULL, tree_key text DEFAULT NULL, leaf text DEFAULT NULL,
    history_key text DEFAULT NULL, current_indexes text[] DEFAULT '{}',
    all_indexes text[] DEFAULT '{}') RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    key_names text[] := ARRAY(SELECT split_part(k, ' ', 1) FROM unnest(keys) k);
    value_names text[] := ARRAY(SELECT split_part(c, ' ', 1) FROM unnest(columns) c);
    key_list text := array_to_string(key_names, ', ');
    key_definition text := array_to_string(ARRAY(SELECT k || ' NOT NULL' FROM unnest(keys) k), ', ');
    value_definition text := array_to_string(columns, ', ');
    definition text;
BEGIN
    EXECUTE format('CREATE TABLE ledger.%I (%s, valid_from bigint NOT NULL, %s, PRIMARY KEY (%s))'
                   ' WITH (fillfactor = 75)', name, key_definition, value_definition, key_list);
    EXECUTE format('CREATE TABLE ledger.%I (%s, valid_from bigint NOT NULL, '
                   'valid_to bigint NOT NULL, class smallint NOT NULL, %s, '
                   'CHECK (valid_from < valid_to), '
                   'CHECK (class = ledger.lifetime_class(valid_to - valid_from)))'
                   ' PARTITION BY LIST (class)',
                   name || '_history', key_definition, value_definition);
    FOR class IN 0 .. 5 LOOP
        EXECUTE format('CREATE TABLE ledger.%I PARTITION OF ledger.%I FOR VALUES IN (%s)',
                       name || '_history_' || class, name || '_history', class);
    END LOOP;

    -- The class window bounds one key to eight rows of a class, so that this index serves the
    -- lookup of one key at a height as well.
    IF history_key IS NULL THEN
        EXECUTE format('ALTER TABLE ledger.%I ADD PRIMARY KEY (%s, valid_to, class)',
                       name || '_history', key_list);
    ELSE
        EXECUTE format('CREATE UNIQUE INDEX ON ledger.%I (%s)', name || '_history', history_key);
    END IF;
    EXECUTE format('CREATE INDEX ON ledger.%I (valid_to)', name || '_history');

    IF tree_key IS NOT NULL THEN
        EXECUTE format('CREATE INDEX ON ledger.%I (tidemark.path64(%s))', name, tree_key);
        EXECUTE format('CREATE INDEX ON ledger.%I (tidemark.path64(%s), valid_to)',
                       name || '_history', tree_key);
    END IF;
    FOREACH definition IN ARRAY current_indexes || all_indexes LOOP
        EXECUTE format('CREATE INDEX ON ledger.%I %s', name, definition);
    END LOOP;
    FOREACH definition IN ARRAY all_indexes LOOP
        EXECUTE format('CREATE INDEX ON ledger.%I %s', name || '_history', definition);
    END LOOP;

    INSERT INTO ledger.versioned (name, tree, key_columns, value_columns, tree_key, leaf)
    VALUES (create_versioned.name, create_versioned.tree, key_names, value_names,
            create_versioned.tree_key, create_versioned.leaf);
END $$;

-- The rows of one pair that were true after block `at`, an SQL expression, as one UNION ALL. Each
-- branch lists `columns` itself, so that all have the same types; `extra` is added to each WHERE
-- and `tail` (ORDER BY, LIMIT) to each branch.
CREATE FUNCTION ledger.rows_at(name text, at text, columns text, extra text DEFAULT '',
    tail text DEFAULT '') RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
RETURN (
    SELECT string_agg(format(
        E'(SELECT %s FROM ledger.%I v WHERE v.valid_from <= %s%s%s %s)', columns,
        rows_at.name || CASE WHEN class < 0 THEN '' ELSE '_history_' || class END, at,
        CASE
            WHEN class < 0 THEN ''
            WHEN class = 5 THEN format(' AND v.valid_to > %s', at)
            ELSE format(' AND v.valid_to > %1$s AND v.valid_to <= %1$s + %2$s', at,
                        (8 ^ (class + 1))::bigint)
        END,
        extra, tail), E'\n    UNION ALL ' ORDER BY class)
    FROM generate_series(-1, 5) class
);

-- Networks of the rule set `standard` have no negative amounts and none of 10^78 or more; called
-- when such a network's genesis is loaded.
CREATE FUNCTION ledger.restrict_amounts() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    amount record;
BEGIN
    FOR amount IN
        SELECT c.relname, a.attname
        FROM ledger.versioned v
        CROSS JOIN LATERAL (VALUES (v.name), (v.name || '_history')) t(relname)
        JOIN pg_class c ON c.relname = t.relname
            AND c.relnamespace = 'ledger'::regnamespace
        JOIN pg_attribute a ON a.attrelid = c.oid
            AND a.attnum > 0 AND a.atttypid = 'tidemark.upokt'::regtype
    LOOP
        EXECUTE format('ALTER TABLE ledger.%1$I ADD CONSTRAINT %3$I '
                       'CHECK (%2$I >= 0 AND %2$I < 1e78)', amount.relname, amount.attname,
                       amount.relname || '_' || amount.attname || '_standard');
    END LOOP;
END $$;

-- Removes the views and functions of the public schemas (and those functions of schema `tidemark`
-- that are no part of the extension): they are made again from sql/ after every migration, and a
-- migration that changes a column they show calls this first. Tables are left alone. Views that
-- users built on them go too; each is named in a warning.
CREATE FUNCTION ledger.drop_surface() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    ours regnamespace[] := ARRAY(SELECT oid::regnamespace FROM pg_namespace WHERE nspname = ANY
        (ARRAY['state', 'history', 'chain', 'report', 'ops', 'tidemark']));
    object record;
BEGIN
    FOR object IN
        SELECT DISTINCT dependent.oid::regclass AS name
        FROM pg_class source
        JOIN pg_depend d ON d.refobjid = source.oid AND d.refclassid = 'pg_class'::regclass
        JOIN pg_rewrite r ON r.oid = d.objid AND d.classid = 'pg_rewrite'::regclass
        JOIN pg_class dependent ON dependent.oid = r.ev_class
        WHERE source.relnamespace = ANY (ours) AND source.relkind = 'v'
            AND NOT dependent.relnamespace = ANY (ours || 'ledger'::regnamespace)
    LOOP
        RAISE WARNING 'view % is removed with the public view it reads', object.name
            USING HINT = 'Create it again after the migration.';
    END LOOP;

    FOR object IN
        SELECT c.oid, c.relkind, format('%I.%I', n.nspname, c.relname) AS name
        FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.oid = ANY (ours) AND c.relkind IN ('v', 'm')
            AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
                            AND d.objid = c.oid AND d.deptype = 'e')
    LOOP
        -- An earlier CASCADE may have taken it.
        IF EXISTS (SELECT FROM pg_class WHERE oid = object.oid) THEN
            EXECUTE format('DROP %s %s CASCADE',
                           CASE object.relkind WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'VIEW' END,
                           object.name);
        END IF;
    END LOOP;

    FOR object IN
        SELECT p.oid, p.oid::regprocedure AS name
        FROM pg_proc p
        WHERE p.pronamespace = ANY (ours) AND p.prokind = 'f'
            AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass
                            AND d.objid = p.oid AND d.deptype = 'e')
    LOOP
        IF EXISTS (SELECT FROM pg_proc WHERE oid = object.oid) THEN
            EXECUTE format('DROP FUNCTION %s CASCADE', object.name);
        END IF;
    END LOOP;
END $$;

-- Generators are for migrations and sql/ only.
REVOKE ALL ON FUNCTION ledger.create_versioned, ledger.restrict_amounts, ledger.drop_surface
    FROM PUBLIC;

RESET ROLE;
