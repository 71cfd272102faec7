-- What is typical of a table's rows changes little while it grows by a fifth: looking more often takes
-- processor time from blocks.

SET LOCAL lock_timeout = '2s';
SET LOCAL search_path = pg_catalog, pg_temp;
SET LOCAL ROLE tidemark_owner;

DO $$
DECLARE
    name regclass;
BEGIN
    FOR name IN
        SELECT c.oid FROM pg_class c
        WHERE c.relnamespace = 'ledger'::regnamespace
            AND 'autovacuum_analyze_scale_factor=0.05' = ANY (c.reloptions)
    LOOP
        EXECUTE format('ALTER TABLE %s SET (autovacuum_analyze_scale_factor = 0.2)', name);
    END LOOP;
END $$;

RESET ROLE;
