-- Versions by the height that wrote them: what a difference between two heights reads of the later one.
-- Current rows stay without such an index; only the history, whose rows never change, has it.

SET LOCAL lock_timeout = '2s';
SET LOCAL search_path = pg_catalog, pg_temp;
SET LOCAL ROLE tidemark_owner;

DO $$
DECLARE
    pair text;
BEGIN
    FOR pair IN SELECT v.name FROM ledger.versioned v WHERE v.tree IS NOT NULL ORDER BY v.name LOOP
        EXECUTE format('CREATE INDEX ON ledger.%I (valid_from)', pair || '_history');
    END LOOP;
END $$;

RESET ROLE;
