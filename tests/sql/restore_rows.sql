-- tidemark.restore_rows against SQL over the same tables, for restore_rows_test.sh.
\set ON_ERROR_STOP on
SET client_min_messages = warning;

CREATE EXTENSION IF NOT EXISTS amcheck;

-- A digest of the rows of a query, in any order.
CREATE FUNCTION public.digest(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    d text;
BEGIN
    EXECUTE format('SELECT md5(string_agg(md5(r::text), '' '' ORDER BY md5(r::text))) FROM (%s) r', query)
    INTO d;
    RETURN coalesce(d, 'none');
END $$;

-- Restores one pair to h, compares rows, counts and indexes, and undoes it; what is wrong, or an empty
-- text. Undone versions stay in their pages, so that later calls find no room beside a row.
CREATE FUNCTION public.restore_wrong(pair text, h bigint, by_key boolean, batch int) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    keys text;
    columns text;
    expected text;
    history text;
    replaced bigint;
    inserted bigint;
    born bigint;
    ended bigint;
    r record;
    wrong text := '';
BEGIN
    SELECT array_to_string(v.key_columns, ', '),
        array_to_string(v.key_columns || ARRAY['valid_from'] || v.value_columns, ', ')
    INTO keys, columns FROM ledger.versioned v WHERE v.name = pair;
    expected := public.digest(format('SELECT %1$s FROM ledger.%2$I WHERE valid_from <= %3$s UNION ALL
        SELECT %1$s FROM ledger.%4$I WHERE valid_from <= %3$s AND valid_to > %3$s',
        columns, pair, h, pair || '_history'));
    history := public.digest(format('SELECT * FROM ledger.%I WHERE valid_to <= %s', pair || '_history', h));
    EXECUTE format('SELECT count(*) FROM ledger.%I WHERE valid_to > %s', pair || '_history', h) INTO ended;
    EXECUTE format('SELECT count(*) FILTER (WHERE b.valid_from IS NOT NULL AND v.valid_from IS NOT NULL),
            count(*) FILTER (WHERE v.valid_from IS NULL), count(*) FILTER (WHERE b.valid_from IS NULL)
        FROM (SELECT * FROM ledger.%1$I WHERE valid_from <= %3$s AND valid_to > %3$s) b
        FULL JOIN (SELECT * FROM ledger.%2$I WHERE valid_from > %3$s) v USING (%4$s)',
        pair || '_history', pair, h, keys)
    INTO replaced, inserted, born;

    SELECT * INTO r FROM tidemark.restore_rows(pair, h, by_key, batch);
    IF (r.replaced, r.inserted, r.born, r.ended) IS DISTINCT FROM (replaced, inserted, born, ended) THEN
        wrong := format(' counts %s, not %s', r, (replaced, inserted, born, ended));
    END IF;
    IF public.digest(format('SELECT %s FROM ledger.%I', columns, pair)) <> expected THEN
        wrong := wrong || ' rows';
    END IF;
    IF public.digest(format('SELECT * FROM ledger.%I', pair || '_history')) <> history THEN
        wrong := wrong || ' history';
    END IF;
    PERFORM bt_index_check(i.indexrelid, true)
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am a ON a.oid = c.relam
    WHERE i.indrelid = format('ledger.%I', pair)::regclass AND a.amname = 'btree';
    IF wrong <> '' THEN
        wrong := format('%s at %s, by key %s, batch %s:%s; ', pair, h, by_key, batch, wrong);
    END IF;
    RAISE EXCEPTION USING ERRCODE = 'TM999', MESSAGE = wrong;
EXCEPTION
WHEN SQLSTATE 'TM999' THEN
    RETURN SQLERRM;
WHEN OTHERS THEN
    RETURN format('%s at %s, by key %s, batch %s: %s; ', pair, h, by_key, batch, SQLERRM);
END $$;

-- Every pair with rows, both ways of finding late rows and the choice between them, batches of all sizes.
CREATE FUNCTION public.all_wrong(heights bigint[]) RETURNS text LANGUAGE sql RETURN (
    SELECT left(string_agg(public.restore_wrong(v.name, h, way, batch), ''), 500)
    FROM ledger.versioned v, unnest(heights) h, unnest(ARRAY[true, false, NULL]) way,
        unnest(ARRAY[1, 7, 262144]) batch);
