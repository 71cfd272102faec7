-- History that nobody needs any more: what `tidemark prune` runs.

-- What pruning up to `earliest` removes: versions that ended at or before it, and, of the heights
-- below it, what each block changed and the bytes of its transactions.
DO $$
DECLARE
    tables text;
BEGIN
    SELECT string_agg(format($branch$
    UNION ALL
    SELECT %1$L, count(*) FROM ledger.%2$I v WHERE v.valid_to <= target$branch$,
        v.name, v.name || '_history'), '' ORDER BY v.tree)
    INTO STRICT tables
    FROM ledger.versioned v;

    EXECUTE format($function$
CREATE FUNCTION tidemark.prune_plan(target bigint)
RETURNS TABLE (object text, removed bigint)
LANGUAGE plpgsql STABLE ROWS 12
SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    PERFORM tidemark.height(target);
    RETURN QUERY
    SELECT 'transaction'::text, count(*) FROM ledger.transaction t
    WHERE t.height < target AND t.tx IS NOT NULL
%1$s
    UNION ALL
    SELECT 'change', count(*) FROM ledger.change c WHERE c.height < target;
END $body$ $function$, tables);
END $$;

-- One step towards target, in one transaction: earliest moves on by about `most` changes (by one
-- height at least), and what that makes unreachable goes. Nothing below the old earliest is looked
-- at, so a step costs what it removes. The tip's row is taken last: the node waits for it only
-- while this transaction commits.
DO $$
DECLARE
    tables text;
BEGIN
    SELECT string_agg(format($branch$
    DELETE FROM ledger.%1$I v WHERE v.valid_to > before AND v.valid_to <= earliest;
    GET DIAGNOSTICS n = ROW_COUNT;
    %2$s := %2$s + n;$branch$,
        v.name || '_history', CASE WHEN v.tree IS NULL THEN 'nodes' ELSE 'versions' END),
        '' ORDER BY v.tree)
    INTO STRICT tables
    FROM ledger.versioned v;

    EXECUTE format($function$
CREATE FUNCTION tidemark.prune_step(target bigint, most int)
RETURNS TABLE (earliest bigint, versions bigint, nodes bigint, changes bigint, transactions bigint)
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE ROWS 1
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan AS $body$
#variable_conflict use_variable
DECLARE
    before bigint;
    n bigint;
BEGIN
    PERFORM tidemark.height(target);
    SELECT t.earliest INTO before FROM ledger.tip t;
    earliest := (SELECT c.height FROM ledger.change c WHERE c.height > before
                 ORDER BY c.height LIMIT 1 OFFSET most);
    earliest := least(target, greatest(coalesce(earliest, target), before + 1));
    versions := 0;
    nodes := 0;
    changes := 0;
    transactions := 0;
    IF earliest <= before THEN
        earliest := before;
        RETURN NEXT;
        RETURN;
    END IF;
%1$s
    DELETE FROM ledger.change c WHERE c.height >= before AND c.height < earliest;
    GET DIAGNOSTICS changes = ROW_COUNT;
    UPDATE ledger.transaction t SET value_hash = sha256(t.tx), tx = NULL
    WHERE t.height >= before AND t.height < earliest AND t.tx IS NOT NULL;
    GET DIAGNOSTICS transactions = ROW_COUNT;

    PERFORM ledger.prune_totals(earliest);

    UPDATE ledger.tip t SET earliest = prune_step.earliest
    WHERE t.earliest = before AND t.height >= target;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'another prune or a rollback moved the chain meanwhile'
            USING ERRCODE = 'object_in_use', HINT = 'Nothing of this step was done; try again.';
    END IF;
    RETURN NEXT;
END $body$ $function$, tables);
END $$;

REVOKE ALL ON FUNCTION tidemark.prune_step FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tidemark.prune_step TO tidemark_node;

COMMENT ON FUNCTION tidemark.prune_plan(bigint) IS
    'What pruning to the earliest height target would remove, by table; for transaction the bytes of so many.';
COMMENT ON FUNCTION tidemark.prune_step(bigint, int) IS
    'One step of tidemark prune: moves the earliest height on towards target by about so many changes and removes what that makes unreachable.';
