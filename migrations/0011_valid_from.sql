-- Versions by the height that wrote them: an index of its own for differences between heights, and beside
-- the path for proofs, which then read no row that began later. Current rows stay without such an
-- index; only the history, whose rows never change, has it.

SET LOCAL lock_timeout = '2s';
SET LOCAL search_path = pg_catalog, pg_temp;
SET LOCAL ROLE tidemark_owner;

DO $$
DECLARE
    pair record;
BEGIN
    FOR pair IN
        SELECT v.name || '_history' AS history, v.tree_key FROM ledger.versioned v
        WHERE v.tree IS NOT NULL ORDER BY v.name
    LOOP
        EXECUTE format('CREATE INDEX ON ledger.%I (valid_from)', pair.history);
        EXECUTE format('DROP INDEX ledger.%I', pair.history || '_path64_valid_to_idx');
        EXECUTE format('CREATE INDEX %1$I ON ledger.%2$I (tidemark.path64(%3$s), valid_to) INCLUDE (valid_from)',
                       pair.history || '_path_idx', pair.history, pair.tree_key);
    END LOOP;
END $$;

-- What found tree nodes for a rollback.
DROP FUNCTION IF EXISTS ledger.path_bits(smallint, bytea);

RESET ROLE;
