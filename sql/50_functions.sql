-- Functions of schema `tidemark` that read tables.

CREATE FUNCTION tidemark.state_hash(h bigint) RETURNS tidemark.hash32
LANGUAGE sql STABLE PARALLEL SAFE
RETURN (SELECT b.state_hash FROM tidemark.height($1) AS at(h), ledger.block b WHERE b.height = at.h);

-- Recomputes all ten trees from the rows as of h.
CREATE FUNCTION tidemark.verify_state(h bigint)
RETURNS TABLE (tree text, leaves bigint, recomputed_root bytea, recorded_root bytea, ok boolean)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 10
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    at_height CONSTANT bigint := tidemark.height(h);
BEGIN
    RETURN QUERY
    SELECT names.name, c.leaves, c.root, b.tree_roots[names.number],
        c.root IS NOT DISTINCT FROM b.tree_roots[names.number]
    FROM unnest(ARRAY['app', 'val', 'fish', 'servicer', 'account', 'pool', 'transactions',
                      'params', 'flags', 'ibc']) WITH ORDINALITY names(name, number)
    CROSS JOIN LATERAL tidemark.tree_root((names.number - 1)::smallint, at_height) c
    LEFT JOIN ledger.block b ON b.height = at_height
    ORDER BY names.number;
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
