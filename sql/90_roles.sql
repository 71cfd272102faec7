-- Who may do what. Run as a superuser: limits of roles and of the database are set here too.

RESET ROLE;

-- The owner of everything; nobody logs in as it.
ALTER ROLE tidemark_owner NOLOGIN;
ALTER ROLE tidemark_node LOGIN;
ALTER ROLE tidemark_api LOGIN;
ALTER ROLE tidemark_admin LOGIN;
-- Readers are let in by `tidemark db readers allow`, so LOGIN is not touched here.
--
-- Together well below max_connections (100): whatever they do, the node finds a place.
ALTER ROLE tidemark_reader CONNECTION LIMIT 8;
ALTER ROLE tidemark_api CONNECTION LIMIT 32;
ALTER ROLE tidemark_admin CONNECTION LIMIT 8;

-- The writer's session holds what a block changes.
ALTER ROLE tidemark_node SET tidemark.memory_limit = 0;
ALTER ROLE tidemark_admin SET tidemark.memory_limit = 0;
GRANT tidemark_reader TO tidemark_api;
GRANT tidemark_owner TO tidemark_admin;
-- For the watchdog's functions, which run as their owner (sql/70_limits.sql).
GRANT pg_read_all_stats, pg_signal_backend TO tidemark_owner;

DO $$
DECLARE
    db CONSTANT text := current_database();
    name text;
BEGIN
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', db);
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO tidemark_owner, tidemark_node, '
                   'tidemark_reader, tidemark_api, tidemark_admin', db);
    -- Before the library is loaded, SET tidemark.height would accept anything.
    EXECUTE format('ALTER DATABASE %I SET session_preload_libraries = ''tidemark''', db);
    EXECUTE format('ALTER DATABASE %I SET search_path = "$user", public, tidemark', db);

    -- What the server lets everybody call although it leaves something behind that others share:
    -- large objects (rows), advisory locks (the lock table, which has one size for all),
    -- notifications (one queue), log messages and transaction ids (the write-ahead log, and the
    -- numbers that vacuum must win back), exported snapshots (files), other sessions of one's role.
    FOR name IN
        SELECT p.oid::regprocedure::text
        FROM pg_proc p
        WHERE p.pronamespace = 'pg_catalog'::regnamespace
            AND (p.proname IN ('lo_creat', 'lo_create', 'lo_from_bytea', 'lo_import', 'lo_put',
                               'lowrite', 'pg_notify', 'pg_logical_emit_message',
                               'pg_current_xact_id', 'txid_current', 'pg_export_snapshot',
                               'pg_cancel_backend', 'pg_terminate_backend')
                OR p.proname ~ '^pg_(try_)?advisory_(xact_)?lock')
    LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', name);
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO tidemark_owner, tidemark_node, '
                       'tidemark_admin', name);
    END LOOP;
    -- DO, and functions of one's own: loops inside one statement.
    FOR name IN SELECT l.lanname FROM pg_language l WHERE l.lanpltrusted
    LOOP
        EXECUTE format('REVOKE ALL ON LANGUAGE %I FROM PUBLIC', name);
        EXECUTE format('GRANT USAGE ON LANGUAGE %I TO tidemark_owner, tidemark_admin', name);
    END LOOP;

    FOREACH name IN ARRAY ARRAY['state', 'history', 'chain', 'ops', 'ledger', 'tidemark']
    LOOP
        EXECUTE format('REVOKE ALL ON SCHEMA %I FROM PUBLIC', name);
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO tidemark_reader', name);
        EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA %I TO tidemark_reader', name);
    END LOOP;

    FOREACH name IN ARRAY ARRAY['ops', 'ledger']
    LOOP
        EXECUTE format('GRANT USAGE ON SCHEMA %I TO tidemark_node', name);
        EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %I '
                       'TO tidemark_node', name);
    END LOOP;
END $$;

GRANT USAGE ON SCHEMA tidemark TO tidemark_owner, tidemark_node;

REVOKE ALL ON FUNCTION tidemark.submit_tx FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tidemark.submit_tx TO tidemark_api, tidemark_node;

GRANT EXECUTE ON FUNCTION tidemark.restore_rows TO tidemark_owner, tidemark_node;

REVOKE ALL ON FUNCTION ops.watched_sessions, ops.end_session, ops.limit_readers FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ops.watched_sessions, ops.end_session TO tidemark_node;

SELECT ops.limit_readers();
