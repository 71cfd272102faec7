-- When each table is vacuumed and frozen, and what the limits on analysts keep.

SET LOCAL lock_timeout = '2s';
SET LOCAL search_path = pg_catalog, pg_temp;
SET LOCAL ROLE tidemark_owner;

CREATE TABLE ops.ended_session (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    ended_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    pid int NOT NULL,
    session_start timestamptz NOT NULL,
    role text NOT NULL,
    application_name text NOT NULL,
    query text NOT NULL,
    reason text NOT NULL,
    hint text NOT NULL,
    CONSTRAINT ended_session_once UNIQUE (pid, session_start)
);

-- Old refusals make room for new ones.
CREATE INDEX ON ops.submission (id) WHERE status = 'refused';

DO $$
DECLARE
    -- Cutting off empty pages at a table's end takes an exclusive lock, for which the writer would
    -- wait, and readers of a replica would be cancelled. The pages are used again instead.
    no_truncate CONSTANT text := 'vacuum_truncate = off, toast.vacuum_truncate = off';
    -- An ordinary vacuum becomes one that freezes everything long before (at half the age of) the
    -- one that the server forces at autovacuum_freeze_max_age = 200 million and that no lock request
    -- can cancel.
    freeze_early CONSTANT text :=
        'autovacuum_freeze_table_age = 100000000, toast.autovacuum_freeze_table_age = 100000000';
    -- Rows that never change are frozen by the first vacuum that sees them, page by page as they
    -- come: no vacuum has the whole table to do later.
    append_only CONSTANT text := concat_ws(', ', no_truncate, freeze_early,
        'autovacuum_freeze_min_age = 0', 'toast.autovacuum_freeze_min_age = 0',
        'autovacuum_vacuum_insert_threshold = 10000',
        'autovacuum_vacuum_insert_scale_factor = 0.05',
        'autovacuum_analyze_scale_factor = 0.05');
    -- A small share of the rows, changed again and again; most dead versions go by themselves within
    -- their page (fillfactor = 75 leaves room there).
    hot CONSTANT text := concat_ws(', ', no_truncate, freeze_early,
        'autovacuum_vacuum_threshold = 500', 'autovacuum_vacuum_scale_factor = 0.02',
        'autovacuum_analyze_scale_factor = 0.05');
    -- A few rows, rewritten with every block: what counts is that they stay on their few pages.
    small CONSTANT text := concat_ws(', ', no_truncate, freeze_early, 'fillfactor = 50',
        'autovacuum_vacuum_threshold = 200', 'autovacuum_vacuum_scale_factor = 0');
    -- Rows that come and go: vacuumed by number, whatever the table's size once was.
    queue CONSTANT text := concat_ws(', ', no_truncate, freeze_early,
        'autovacuum_vacuum_threshold = 1000', 'autovacuum_vacuum_scale_factor = 0.01',
        'toast.autovacuum_vacuum_threshold = 1000', 'toast.autovacuum_vacuum_scale_factor = 0.01');
    name text;
    parameters text;
BEGIN
    FOR name, parameters IN
        WITH pair AS (SELECT v.name FROM ledger.versioned v UNION ALL SELECT 'large_balance')
        SELECT p.name, hot FROM pair p
        UNION ALL
        SELECT format('%s_history_%s', p.name, class), append_only
        FROM pair p, generate_series(0, 5) class
        UNION ALL
        SELECT t, append_only FROM unnest(ARRAY['block', 'transaction', 'change', 'block_total',
            'block_message', 'block_stake', 'block_chain', 'large_floor']) t
        UNION ALL
        SELECT t, small FROM unnest(ARRAY['tip', 'vote_guard']) t
        UNION ALL
        SELECT 'proposal', queue
    LOOP
        -- A table without long values has no parameters for them.
        IF NOT EXISTS (SELECT FROM pg_class c WHERE c.relnamespace = 'ledger'::regnamespace
                       AND c.relname = name AND c.reltoastrelid <> 0) THEN
            parameters := regexp_replace(parameters, ', toast\.[^,]*', '', 'g');
        END IF;
        EXECUTE format('ALTER TABLE ledger.%I SET (%s)', name, parameters);
    END LOOP;
    EXECUTE format('ALTER TABLE ops.submission SET (%s)', queue);
    EXECUTE format('ALTER TABLE ops.audit SET (%s)', queue);
    EXECUTE format('ALTER TABLE ops.ended_session SET (%s)', queue);
    EXECUTE format('ALTER TABLE ops.mempool SET (%s)',
                   regexp_replace(queue, ', toast\.[^,]*', '', 'g'));
    EXECUTE format('ALTER TABLE ops.node SET (%s)',
                   regexp_replace(small, ', toast\.[^,]*', '', 'g'));
END $$;

RESET ROLE;
