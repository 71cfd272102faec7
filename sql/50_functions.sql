-- Functions of schema `tidemark` that read tables.

CREATE FUNCTION tidemark.state_hash(h bigint) RETURNS tidemark.hash32
LANGUAGE sql STABLE PARALLEL SAFE
RETURN (SELECT b.state_hash FROM tidemark.height($1) AS at(h), ledger.block b WHERE b.height = at.h);

-- Recomputes all ten trees from the rows as of h. The height stands in the branches as a value of
-- its own, not through LATERAL, so that large trees get parallel plans.
DO $$
DECLARE
    trees text;
BEGIN
    SELECT string_agg(format(
        E'    SELECT %s AS number, count(*) AS leaves, tidemark.smt_root(%s, %s) AS root\n'
        '    FROM (%s) v', v.tree, v.tree_key, v.leaf,
        ledger.rows_at(v.name, 'at_height', (
            SELECT string_agg('v.' || c, ', ')
            FROM unnest(v.key_columns || ARRAY['valid_from'] || v.value_columns) c))),
        E'\n    UNION ALL\n' ORDER BY v.tree)
    INTO STRICT trees
    FROM ledger.versioned v WHERE v.tree IS NOT NULL;

    EXECUTE format($function$
CREATE FUNCTION tidemark.verify_state(h bigint)
RETURNS TABLE (tree text, leaves bigint, recomputed_root bytea, recorded_root bytea, ok boolean)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 10
SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    at_height CONSTANT bigint := tidemark.height(h);
BEGIN
    RETURN QUERY
    WITH computed AS (
%s
    UNION ALL
    -- Under `reference` a transaction may stand in several blocks, one of them pruned; the tree has
    -- it once.
    SELECT 6, count(*), tidemark.smt_root(t.hash, t.tx, t.value_hash)
    FROM (
        SELECT t.hash, t.tx, t.value_hash
        FROM ledger.transaction t
        WHERE t.height <= at_height
            AND (SELECT c.rules = 'standard' FROM ledger.chain c)
        UNION ALL (
            SELECT DISTINCT ON (t.hash, coalesce(t.value_hash, sha256(t.tx)))
                t.hash, t.tx, t.value_hash
            FROM ledger.transaction t
            WHERE t.height <= at_height
                AND (SELECT c.rules <> 'standard' FROM ledger.chain c))
    ) t
    )
    SELECT names.name, c.leaves, c.root, b.tree_roots[names.number],
        c.root IS NOT DISTINCT FROM b.tree_roots[names.number]
    FROM unnest(ARRAY['app', 'val', 'fish', 'servicer', 'account', 'pool', 'transactions',
                      'params', 'flags', 'ibc']) WITH ORDINALITY names(name, number)
    JOIN computed c ON c.number = names.number - 1
    LEFT JOIN ledger.block b ON b.height = at_height
    ORDER BY names.number;
END $body$ $function$, trees);
END $$;

-- The one way in for transactions through SQL. The check reads the rows of the tip in the caller's
-- transaction; the node repeats it.
CREATE FUNCTION tidemark.submit_tx(tx bytea) RETURNS tidemark.hash32
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    -- More than a mempool holds (9,000 in the reference, which refuses as well when it is full).
    pending_max CONSTANT int := 20000;
    -- Refusals that stay to be read; two older ones make room for each new submission.
    refused_kept CONSTANT bigint := 100000;
    tx_hash tidemark.hash32;
    number bigint;
BEGIN
    IF tx IS NULL THEN
        RAISE EXCEPTION 'no transaction was given'
            USING ERRCODE = 'null_value_not_allowed',
                  HINT = 'Pass the signed transaction as bytea, e.g. submit_tx(''\x0a…'').';
    END IF;
    PERFORM tidemark.check_tx(tx);
    -- The first and the last number bound the count at the cost of two index reads.
    IF (SELECT max(s.id) FROM ops.submission s)
        - (SELECT min(s.id) FROM ops.submission s WHERE s.status = 'pending') >= pending_max - 1
        AND (SELECT count(*) FROM ops.submission s WHERE s.status = 'pending') >= pending_max
    THEN
        RAISE EXCEPTION '% transactions wait for a block, which is the most', pending_max
            USING ERRCODE = 'configuration_limit_exceeded',
                  HINT = 'Try again after the next block; ops.submission shows what waits.';
    END IF;
    tx_hash := tidemark.transaction_hash(tx);
    -- The same transaction again is the same answer; one that was refused gets another try, and so
    -- does one whose block was rolled back (the check has just found it in no block).
    INSERT INTO ops.submission AS s (hash, tx) VALUES (tx_hash, tx)
    ON CONFLICT (hash) DO UPDATE
        SET status = 'pending', code = NULL, error = NULL, height = NULL, tx_index = NULL,
            submitted_at = now()
        WHERE s.status OPERATOR(pg_catalog.<>) 'pending'
    RETURNING s.id INTO number;
    DELETE FROM ops.submission s WHERE s.id = ANY (ARRAY(
        SELECT old.id FROM ops.submission old
        WHERE old.status = 'refused' AND old.id < number - refused_kept
        ORDER BY old.id LIMIT 2));
    PERFORM pg_notify('tidemark_submission', encode(tx_hash, 'hex'));
    RETURN tx_hash;
END $$;
