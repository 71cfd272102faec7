-- Makers of the views and functions of schemas `state` and `history`; 30_end_of_generators.sql removes
-- them again.
--
-- Bodies are BEGIN ATOMIC: operators and names are bound here and not by the caller's search_path.
-- They stay inlinable: one SELECT, STABLE, not STRICT, no SET, the caller's rights.

-- What every page function begins with. No key is longer than the transaction it came out of
-- (TRANSACTION_MAX); octet_length does not fetch the value.
CREATE FUNCTION ledger.page_checks() RETURNS text
LANGUAGE sql IMMUTABLE
RETURN $checks$    IF n IS NULL OR n < 1 THEN
        RAISE EXCEPTION 'a page must have one row or more' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    IF octet_length(after) > 4194304 THEN
        RAISE EXCEPTION 'the key to begin after is longer than 4194304 bytes'
            USING ERRCODE = 'program_limit_exceeded';
    END IF;
$checks$;

-- state.<name>, state.<name>_at(h) and, where page_source is given, state.<name>_page_at(h, after, n).
-- Two forms of page: here a plain query, for views of a few rows.
--
-- columns: rows of (name, type, expression); `height` = at.h and `valid_from` = v.valid_from are
--   added to them.
-- source: a FROM item called v that may read at.h, the height, which is evaluated once.
-- page_source, page_order: the same restricted to the first $3 rows after key $2, and the order.
CREATE FUNCTION ledger.create_state(name text, columns text[], source text,
    page_type text DEFAULT NULL, page_source text DEFAULT NULL, page_order text DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    all_columns text[] := columns || ARRAY[['height', 'bigint', 'at.h'],
                                           ['valid_from', 'bigint', 'v.valid_from']];
    answer text;
    expressions text;
BEGIN
    SELECT string_agg(format('%I %s', all_columns[i][1], all_columns[i][2]), ', ' ORDER BY i),
           string_agg(format('%s AS %I', all_columns[i][3], all_columns[i][1]), E',\n    ' ORDER BY i)
    INTO answer, expressions
    FROM generate_subscripts(all_columns, 1) i;

    EXECUTE format(E'CREATE FUNCTION state.%I(h bigint) RETURNS TABLE (%s)\n'
                   'LANGUAGE sql STABLE PARALLEL SAFE BEGIN ATOMIC\nSELECT %s\n'
                   'FROM tidemark.height($1) AS at(h), LATERAL (%s) v;\nEND',
                   name || '_at', answer, expressions, source);
    EXECUTE format(E'CREATE VIEW state.%I AS\nSELECT %s\n'
                   'FROM tidemark.height() AS at(h), LATERAL (%s) v',
                   name, expressions, source);
    IF page_source IS NOT NULL THEN
        EXECUTE format(E'CREATE FUNCTION state.%I(h bigint, after %s, n int) RETURNS TABLE (%s)\n'
                       'LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 100 '
                       'SET search_path = pg_catalog, pg_temp AS $body$\n'
                       '#variable_conflict use_column\nBEGIN\n%s'
                       '    RETURN QUERY SELECT %s\n'
                       '    FROM tidemark.height($1) AS at(h), LATERAL (%s) v\n'
                       '    ORDER BY %s LIMIT $3;\nEND $body$',
                       name || '_page_at', page_type, answer, ledger.page_checks(), expressions,
                       page_source, page_order);
    END IF;
END $$;

-- The same over one versioned pair with a single key column.
--
-- A page is found by walking the keys of the current table in pieces of n and reading what was true
-- at h between the first and the last key of a piece: both the current table and each class of the
-- history are then read by a short range of their primary keys, whatever h is. One query over all
-- keys after the given one would have to choose, without knowing h, between an index by key and one
-- by height, and either choice reads a whole table at some heights.
--
-- first, next_key: SQL for the least key after the argument `after` (or NULL), and after `last`.
CREATE FUNCTION ledger.create_versioned_state(name text, source text, columns text[],
    page_type text, first text, next_key text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    all_columns text[] := columns || ARRAY[['height', 'bigint', 'page_height'],
                                           ['valid_from', 'bigint', 'v.valid_from']];
    base text;
    key text;
    key_type text;
    answer text;
    expressions text;
BEGIN
    -- In the order of the view, so that a query for all of it needs no projection in each branch.
    SELECT (SELECT string_agg('v.' || c, ', ')
            FROM unnest(key_columns || value_columns || ARRAY['valid_from']) c),
           'v.' || key_columns[1],
           (SELECT format_type(a.atttypid, NULL) FROM pg_attribute a
            WHERE a.attrelid = format('ledger.%I', source)::regclass
                AND a.attname = key_columns[1])
    INTO STRICT base, key, key_type
    FROM ledger.versioned v WHERE v.name = source;

    PERFORM ledger.create_state(name, columns, ledger.rows_at(source, 'at.h', base));

    SELECT string_agg(format('%I %s', all_columns[i][1], all_columns[i][2]), ', ' ORDER BY i),
           string_agg(replace(all_columns[i][3], 'at.h', 'page_height'), ', ' ORDER BY i)
    INTO answer, expressions
    FROM generate_subscripts(all_columns, 1) i;

    EXECUTE format($function$
CREATE FUNCTION state.%1$I(h bigint, after %2$s, n int) RETURNS TABLE (%3$s)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 100 SET search_path = pg_catalog, pg_temp AS $body$
#variable_conflict use_column
DECLARE
    page_height CONSTANT bigint := tidemark.height(h);
    first_key %4$s%10$s;
    last_key %4$s%10$s;
    wanted bigint := n;
    piece bigint := n;
    found bigint;
BEGIN
%13$s    first_key := %5$s;
    LOOP
        last_key := (
            SELECT k.key
            FROM (SELECT %6$s AS key FROM ledger.%7$I v WHERE %6$s >= first_key
                  ORDER BY %6$s LIMIT piece) k
            ORDER BY k.key DESC LIMIT 1);
        IF last_key IS NULL THEN
            RETURN QUERY SELECT %8$s FROM (%9$s) v ORDER BY %6$s LIMIT wanted;
            RETURN;
        END IF;
        RETURN QUERY SELECT %8$s FROM (%11$s) v ORDER BY %6$s LIMIT wanted;
        GET DIAGNOSTICS found = ROW_COUNT;
        wanted := wanted - found;
        EXIT WHEN wanted = 0;
        first_key := %12$s;
        -- Few of these keys existed at h.
        piece := piece * 2;
    END LOOP;
END $body$ $function$,
        name || '_page_at', page_type, answer, key_type, first, key, source, expressions,
        ledger.rows_at(source, 'page_height', base, format(' AND %s >= first_key', key)),
        CASE WHEN key_type = 'text' THEN ' COLLATE "C"' ELSE '' END,
        ledger.rows_at(source, 'page_height', base,
                       format(' AND %1$s >= first_key AND %1$s <= last_key', key)),
        next_key, ledger.page_checks());
END $$;

-- history.<name>: every version with the step that wrote it last.
-- change_key: SQL for the row's key in ledger.change.
CREATE FUNCTION ledger.create_history(name text, columns text[], change_key text)
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    base text;
    tree_number smallint;
    last_step text;
BEGIN
    SELECT array_to_string(key_columns || ARRAY['valid_from'] || value_columns, ', '), tree
    INTO STRICT base, tree_number
    FROM ledger.versioned v WHERE v.name = create_history.name;

    -- Sub-selects, not joins: a query that does not ask for them does not pay for them.
    last_step := format('(SELECT max(c.step) FROM ledger.change c WHERE c.height = v.valid_from '
                        'AND c.tree = %s AND c.key = %s)', tree_number, change_key);
    EXECUTE format(
        E'CREATE VIEW history.%I AS\nSELECT %s,\n    v.valid_from, v.valid_to,\n'
        '    ledger.step_name(%s) AS step,\n'
        '    (SELECT t.tx_index FROM ledger.transaction t WHERE t.height = v.valid_from '
        'AND t.tx_index = %3$s) AS tx_index,\n'
        '    (SELECT t.hash FROM ledger.transaction t WHERE t.height = v.valid_from '
        'AND t.tx_index = %3$s) AS hash\n'
        'FROM (SELECT %4$s, NULL::bigint AS valid_to FROM ledger.%1$I\n'
        '    UNION ALL SELECT %4$s, valid_to FROM ledger.%5$I) v',
        name,
        (SELECT string_agg(format('%s AS %I', columns[i][3], columns[i][1]), E',\n    ' ORDER BY i)
         FROM generate_subscripts(columns, 1) i),
        last_step, base, name || '_history');
END $$;

-- Words for ledger.change.step.
CREATE OR REPLACE FUNCTION ledger.step_name(step int) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN step = -2 THEN 'begin_of_block'
    WHEN step = -1 THEN 'genesis'
    WHEN step BETWEEN 0 AND 999999 THEN 'transaction'
    WHEN step = 1000001 THEN 'rewards'
    WHEN step = 1000002 THEN 'unbonding'
    WHEN step = 1000003 THEN 'long_pause'
    WHEN step IS NOT NULL THEN 'end_of_block'
END;
