-- What the node's watchdog reads and does, and what an operator sees of storage and replicas.

-- Who may read and may not write blocks, whatever the name. A superuser is a member of every role, of
-- those that write too.
CREATE FUNCTION ops.is_reader(role oid)
RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT pg_catalog.pg_has_role(role, 'tidemark_reader', 'MEMBER')
        AND NOT pg_catalog.pg_has_role(role, 'tidemark_node', 'MEMBER')
        AND NOT pg_catalog.pg_has_role(role, 'tidemark_owner', 'MEMBER')
$$;
COMMENT ON FUNCTION ops.is_reader(oid) IS
    'Whether sessions of a role are a reader''s: tidemark_reader, tidemark_api and roles made members of them, but for the node, the owner and superusers.';

-- Ages in milliseconds; NULL where there is none of the kind.
CREATE FUNCTION ops.watched_sessions()
RETURNS TABLE (pid int, session_start timestamptz, role name, statement_age bigint,
    transaction_age bigint, idle_age bigint)
LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER ROWS 20
SET search_path = pg_catalog, pg_temp AS $$
    SELECT a.pid, a.backend_start, r.rolname,
        CASE WHEN a.state IN ('active', 'fastpath function call')
            THEN (extract(epoch FROM clock_timestamp() - a.query_start) * 1000)::bigint END,
        (extract(epoch FROM clock_timestamp() - a.xact_start) * 1000)::bigint,
        CASE WHEN a.state = 'idle'
            THEN (extract(epoch FROM clock_timestamp() - a.state_change) * 1000)::bigint END
    FROM pg_stat_activity a
    JOIN pg_roles r ON r.oid = a.usesysid
    WHERE a.backend_type = 'client backend' AND ops.is_reader(r.oid)
$$;
COMMENT ON FUNCTION ops.watched_sessions() IS
    'Sessions that the node''s watchdog looks at: those of tidemark_reader, tidemark_api and roles made members of them, in every database of the server. For the node.';

-- Once for each session, however long it takes to go.
CREATE FUNCTION ops.end_session(pid int, session_start timestamptz, reason text, hint text)
RETURNS boolean
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    -- About 1 KB each.
    rows_kept CONSTANT bigint := 10000;
    number bigint;
BEGIN
    INSERT INTO ops.ended_session AS e (pid, session_start, role, application_name, query, reason,
        hint)
    SELECT a.pid, a.backend_start, a.usename, a.application_name, left(a.query, 500),
        end_session.reason, end_session.hint
    FROM pg_stat_activity a
    WHERE a.pid = end_session.pid AND a.backend_start = end_session.session_start
        AND a.pid IN (SELECT w.pid FROM ops.watched_sessions() w)
    ON CONFLICT ON CONSTRAINT ended_session_once DO NOTHING
    RETURNING e.id INTO number;
    IF number IS NULL THEN
        RETURN false;
    END IF;
    DELETE FROM ops.ended_session e WHERE e.id <= number - rows_kept;
    RETURN pg_terminate_backend(end_session.pid);
END $$;
COMMENT ON FUNCTION ops.end_session(int, timestamptz, text, text) IS
    'Ends one of the sessions in ops.watched_sessions and records why in ops.ended_session; false where it has gone or was ended already. For the node.';

COMMENT ON TABLE ops.ended_session IS
    'Sessions of readers and of the API that the node''s watchdog ended, the last 10,000. Local.';
COMMENT ON COLUMN ops.ended_session.id IS 'Number of the row, in order of time.';
COMMENT ON COLUMN ops.ended_session.ended_at IS 'When the session was ended, by the server''s clock.';
COMMENT ON COLUMN ops.ended_session.pid IS 'Process of the server that served the session.';
COMMENT ON COLUMN ops.ended_session.session_start IS 'When the session began.';
COMMENT ON COLUMN ops.ended_session.role IS 'Role that had logged in.';
COMMENT ON COLUMN ops.ended_session.application_name IS 'What the client called itself.';
COMMENT ON COLUMN ops.ended_session.query IS 'Its last statement, up to 500 characters.';
COMMENT ON COLUMN ops.ended_session.reason IS 'The limit it passed, and by how much.';
COMMENT ON COLUMN ops.ended_session.hint IS 'What to do instead.';

-- Partitions are tables of their own here: that is how vacuum sees them.
CREATE VIEW ops.table_health AS
SELECT n.nspname AS schema_name, c.relname AS table_name,
    pg_total_relation_size(c.oid) AS bytes,
    s.n_live_tup AS live_rows, s.n_dead_tup AS dead_rows,
    s.n_ins_since_vacuum AS inserted_since_vacuum,
    greatest(s.last_vacuum, s.last_autovacuum) AS last_vacuum,
    greatest(s.last_analyze, s.last_autoanalyze) AS last_analyze,
    greatest(age(c.relfrozenxid), age(t.relfrozenxid)) AS frozen_age,
    coalesce(
        (SELECT o.option_value::bigint FROM pg_options_to_table(c.reloptions) o
         WHERE o.option_name = 'autovacuum_freeze_max_age'),
        current_setting('autovacuum_freeze_max_age')::bigint)
        - greatest(age(c.relfrozenxid), age(t.relfrozenxid)) AS until_forced_vacuum,
    coalesce(array_to_string(c.reloptions, ', '), '') AS storage_parameters
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_class t ON t.oid = c.reltoastrelid
LEFT JOIN pg_stat_all_tables s ON s.relid = c.oid
WHERE c.relkind = 'r' AND n.nspname IN ('ledger', 'ops');
COMMENT ON VIEW ops.table_health IS
    'Size, dead rows, last vacuum and age of the oldest unfrozen row of every table of ledger and ops; partitions one by one. Statistics are those of this server: a replica counts none. Local.';
COMMENT ON COLUMN ops.table_health.schema_name IS 'ledger or ops.';
COMMENT ON COLUMN ops.table_health.table_name IS 'Table or partition.';
COMMENT ON COLUMN ops.table_health.bytes IS 'Size on disk with indexes and long values, in bytes.';
COMMENT ON COLUMN ops.table_health.live_rows IS 'Rows, as the server estimates them.';
COMMENT ON COLUMN ops.table_health.dead_rows IS 'Row versions that wait for vacuum, estimated.';
COMMENT ON COLUMN ops.table_health.inserted_since_vacuum IS 'Rows inserted since the last vacuum, estimated: what the next one will freeze.';
COMMENT ON COLUMN ops.table_health.last_vacuum IS 'End of the last vacuum, automatic or not; NULL = none.';
COMMENT ON COLUMN ops.table_health.last_analyze IS 'End of the last analyze, automatic or not; NULL = none.';
COMMENT ON COLUMN ops.table_health.frozen_age IS 'Transactions since the oldest row that is not frozen, long values included.';
COMMENT ON COLUMN ops.table_health.until_forced_vacuum IS 'Transactions until the server starts a vacuum against wraparound of itself; well above 0 where the ordinary ones keep up.';
COMMENT ON COLUMN ops.table_health.storage_parameters IS 'Vacuum and fill settings of the table that differ from the server''s.';

CREATE VIEW ops.replica AS
SELECT s.slot_name::text AS slot, s.active AS streaming,
    pg_wal_lsn_diff(CASE WHEN NOT pg_is_in_recovery() THEN pg_current_wal_lsn() END,
                    s.restart_lsn)::bigint AS held_bytes,
    s.safe_wal_size AS bytes_left, s.wal_status AS wal_status
FROM pg_replication_slots s
WHERE s.slot_type = 'physical' AND s.slot_name LIKE 'tidemark\_replica\_%';
COMMENT ON VIEW ops.replica IS
    'Replicas made from this node by `tidemark replica create`: the write-ahead log held for each. One that is gone for good should be removed: `tidemark replica remove`. Local.';
COMMENT ON COLUMN ops.replica.slot IS 'Replication slot of the replica.';
COMMENT ON COLUMN ops.replica.streaming IS 'True while the replica is connected.';
COMMENT ON COLUMN ops.replica.held_bytes IS 'Write-ahead log kept for it, in bytes; NULL on a replica.';
COMMENT ON COLUMN ops.replica.bytes_left IS 'How much more will be kept (max_slot_wal_keep_size); then the replica must be made again. NULL = no limit, or lost.';
COMMENT ON COLUMN ops.replica.wal_status IS 'reserved or extended: kept; unreserved: about to go; lost: the replica must be made again.';
