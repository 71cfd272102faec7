-- Back to an earlier height: what `tidemark rollback` runs.

-- What a rollback to h does, object by object: rows that go, and history rows that are current again.
DO $$
DECLARE
    tables text;
BEGIN
    SELECT string_agg(format($branch$
    UNION ALL
    SELECT %1$L, began.n + ended.began, ended.n
    FROM (SELECT count(*) AS n
          FROM (SELECT DISTINCT c.key FROM ledger.change c WHERE c.height > h AND c.tree = %2$s) k
          JOIN ledger.%1$I v ON v.%3$I = %4$s
          WHERE v.valid_from > h) began,
        (SELECT count(*) FILTER (WHERE v.valid_from > h) AS began,
             count(*) FILTER (WHERE v.valid_from <= h) AS n
         FROM ledger.%5$I v WHERE v.valid_to > h) ended$branch$,
        v.name, v.tree, v.key_columns[1],
        CASE WHEN v.tree IN (7, 8) THEN 'convert_from(k.key, ''UTF8'')' ELSE 'k.key' END,
        v.name || '_history'), '' ORDER BY v.tree)
    INTO STRICT tables
    FROM ledger.versioned v WHERE v.tree IS NOT NULL;

    EXECUTE format($function$
CREATE FUNCTION tidemark.rollback_plan(h bigint)
RETURNS TABLE (object text, removed bigint, restored bigint)
LANGUAGE plpgsql STABLE ROWS 14
SET search_path = pg_catalog, pg_temp AS $body$
#variable_conflict use_variable
BEGIN
    PERFORM tidemark.height(h);
    RETURN QUERY
    SELECT 'block', count(*), 0::bigint FROM ledger.block b WHERE b.height > h
    UNION ALL
    SELECT 'transaction', count(*), 0::bigint FROM ledger.transaction t WHERE t.height > h
%1$s
    UNION ALL
    SELECT 'tree_node', began.n + ended.began, ended.n
    FROM (SELECT count(*) AS n FROM ledger.tree_node v WHERE v.valid_from > h) began,
        (SELECT count(*) FILTER (WHERE v.valid_from > h) AS began,
             count(*) FILTER (WHERE v.valid_from <= h) AS n
         FROM ledger.tree_node_history v WHERE v.valid_to > h) ended
    UNION ALL
    SELECT 'change', count(*), 0::bigint FROM ledger.change c WHERE c.height > h
    UNION ALL
    SELECT 'submission', 0::bigint, count(*) FROM ops.submission s
    WHERE s.status = 'included' AND s.height > h;
END $body$ $function$, tables);
END $$;

-- Pair by pair: the current rows out of the history.
DO $$
DECLARE
    tables text;
BEGIN
    SELECT string_agg(format($branch$
    IF %2$s THEN
        SELECT r.ended - r.inserted + r.born, r.replaced + r.inserted INTO removed, restored
        FROM tidemark.restore_rows(%1$L, h) r;
        object := %1$L;
        RETURN NEXT;
    END IF;$branch$,
        v.name, coalesce(v.tree || ' = ANY (trees)', 'true')),
        '' ORDER BY v.tree)
    INTO STRICT tables
    FROM ledger.versioned v;

    EXECUTE format($function$
CREATE FUNCTION tidemark.rollback_rows(h bigint)
RETURNS TABLE (object text, removed bigint, restored bigint)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE ROWS 14
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan AS $body$
#variable_conflict use_variable
DECLARE
    tip record;
    other record;
    trees int[];
BEGIN
    -- The fence comes first: a writer that overlooked this one finds another tip and stops.
    SELECT t.height, t.earliest INTO tip FROM ledger.tip t FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the chain has no block yet'
            USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    IF h IS NULL OR h < 0 OR h > tip.height THEN
        RAISE EXCEPTION 'there is no height %%', h
            USING ERRCODE = 'numeric_value_out_of_range',
                  HINT = format('The chain has %%s to %%s.', tip.earliest, tip.height);
    END IF;
    IF h < tip.earliest THEN
        RAISE EXCEPTION 'the state at height %% is pruned', h
            USING ERRCODE = 'numeric_value_out_of_range',
                  HINT = format('The earliest height kept is %%s.', tip.earliest);
    END IF;
    SELECT a.pid, a.application_name INTO other
    FROM pg_stat_activity a
    WHERE a.datname = current_database() AND a.usename = 'tidemark_node'
        AND a.pid <> pg_backend_pid()
    LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'a node or another command works on this chain (session %%)', other.pid
            USING ERRCODE = 'object_in_use',
                  HINT = 'Stop it first; a rollback takes blocks away under it.';
    END IF;

    -- From tree to tree, instead of all changes of a block.
    WITH RECURSIVE step AS (
        (SELECT c.height, c.tree FROM ledger.change c WHERE c.height > h
         ORDER BY c.height, c.tree LIMIT 1)
        UNION ALL
        SELECT n.height, n.tree
        FROM step s, LATERAL (
            SELECT c.height, c.tree FROM ledger.change c
            WHERE (c.height, c.tree) > (s.height, s.tree)
            ORDER BY c.height, c.tree LIMIT 1) n)
    SELECT array_agg(DISTINCT s.tree) INTO trees FROM step s;
    %1$s

    restored := 0;
    object := 'change';
    DELETE FROM ledger.change c WHERE c.height > h;
    GET DIAGNOSTICS removed = ROW_COUNT;
    RETURN NEXT;
    object := 'transaction';
    DELETE FROM ledger.transaction t WHERE t.height > h;
    GET DIAGNOSTICS removed = ROW_COUNT;
    RETURN NEXT;
    object := 'block';
    DELETE FROM ledger.block b WHERE b.height > h;
    GET DIAGNOSTICS removed = ROW_COUNT;
    RETURN NEXT;

    PERFORM ledger.rollback_totals(h);

    -- What was signed stays in vote_guard; the bodies of what was signed are of no use any more.
    DELETE FROM ledger.proposal p WHERE p.height > h;
    -- Under `reference` an earlier block may have the transaction as well.
    object := 'submission';
    removed := 0;
    UPDATE ops.submission s
    SET status = CASE WHEN earlier.height IS NULL THEN 'pending' ELSE 'included' END,
        code = earlier.result_code, error = nullif(earlier.error, ''), height = earlier.height,
        tx_index = earlier.tx_index
    FROM ops.submission mine
    LEFT JOIN LATERAL (
        SELECT t.height, t.tx_index, t.result_code, t.error FROM ledger.transaction t
        WHERE t.hash = mine.hash ORDER BY t.height DESC, t.tx_index DESC LIMIT 1) earlier ON true
    WHERE mine.id = s.id AND s.status = 'included' AND s.height > h;
    GET DIAGNOSTICS restored = ROW_COUNT;
    RETURN NEXT;

    -- What the audit found right above h is about blocks that are gone; what it found wrong stays.
    -- An audit writes after it moved a row of ops.audit_progress, so those are locked first: what it
    -- committed before is seen by the DELETE, and later it finds that it was overtaken.
    UPDATE ops.audit_progress p SET rollbacks = p.rollbacks + 1;
    UPDATE ops.audit_progress p
    SET height = b.height, state_hash = b.state_hash
    FROM ledger.block b WHERE b.height = h AND p.height > h;
    DELETE FROM ops.audit a WHERE a.ok IS NOT FALSE AND a.height > h;

    UPDATE ledger.tip t SET height = h, state_hash = b.state_hash
    FROM ledger.block b WHERE b.height = h;
END $body$ $function$, tables);
END $$;

-- Rows back to h, then all ten trees from those rows against the header of h. An error, and with it
-- nothing of the rollback, where they differ.
DO $$
DECLARE
    late text;
BEGIN
    SELECT string_agg(format('SELECT %L AS name FROM ledger.%I v WHERE v.valid_from > h',
                             v.name, v.name), E'\n        UNION ALL ')
    INTO STRICT late
    FROM ledger.versioned v;

    EXECUTE format($function$
CREATE FUNCTION tidemark.rollback(h bigint)
RETURNS TABLE (object text, removed bigint, restored bigint)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE ROWS 14
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan AS $body$
#variable_conflict use_variable
DECLARE
    wrong text;
BEGIN
    RETURN QUERY SELECT r.object, r.removed, r.restored FROM tidemark.rollback_rows(h) r;

    SELECT string_agg(DISTINCT l.name, ', ') INTO wrong
    FROM (%s) l;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'rows of later blocks than %% are left in %%', h, wrong
            USING ERRCODE = 'data_corrupted',
                  HINT = 'Nothing was changed. ledger.change does not list them; see tidemark verify.';
    END IF;
    SELECT string_agg(format('%%s: %%s, not %%s', v.tree, encode(v.recomputed_root, 'hex'),
                             encode(v.recorded_root, 'hex')), '; ')
    INTO wrong
    FROM tidemark.verify_state(h) v WHERE v.ok IS NOT TRUE;
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'the rows at height %% do not have the roots of its header: %%', h, wrong
            USING ERRCODE = 'data_corrupted',
                  HINT = 'Nothing was changed. Find the damage with tidemark verify.';
    END IF;
    IF NOT EXISTS (SELECT FROM ledger.tip t JOIN ledger.block b ON b.height = t.height
                   WHERE t.height = h AND b.state_hash = t.state_hash
                       AND tidemark.state_root(b.tree_roots) = t.state_hash) THEN
        RAISE EXCEPTION 'the roots of block %% do not make its state hash', h
            USING ERRCODE = 'data_corrupted',
                  HINT = 'Nothing was changed. Find the damage with tidemark verify.';
    END IF;
END $body$ $function$, late);
END $$;

REVOKE ALL ON FUNCTION tidemark.rollback, tidemark.rollback_rows FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tidemark.rollback, tidemark.rollback_rows TO tidemark_node;

COMMENT ON FUNCTION tidemark.rollback_plan(bigint) IS
    'What a rollback to block h would do: rows that go and rows that are current again, by table.';
COMMENT ON FUNCTION tidemark.rollback_rows(bigint) IS
    'The writes of tidemark.rollback without its check of the roots; nothing but that function calls it.';
COMMENT ON FUNCTION tidemark.rollback(bigint) IS
    'Takes every block above h back in the caller''s transaction and recomputes the ten roots; an error, and nothing done, where they are not those of block h, where h is pruned, or while a node is connected. For tidemark rollback.';
