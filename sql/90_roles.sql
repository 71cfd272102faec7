-- Who may do what. Run as a superuser: limits of roles and of the database are set here too.

RESET ROLE;

-- The owner of everything; nobody logs in as it.
ALTER ROLE tidemark_owner NOLOGIN;
ALTER ROLE tidemark_node LOGIN;
ALTER ROLE tidemark_api LOGIN;
ALTER ROLE tidemark_admin LOGIN;
-- Readers are let in by `tidemark db readers allow`, so LOGIN is not touched here. A reader can lift
-- its own statement_timeout; these it cannot.
ALTER ROLE tidemark_reader CONNECTION LIMIT 8;
ALTER ROLE tidemark_reader SET temp_file_limit = '1GB';
ALTER ROLE tidemark_reader SET statement_timeout = '60s';
ALTER ROLE tidemark_reader SET idle_in_transaction_session_timeout = '60s';
ALTER ROLE tidemark_reader SET default_transaction_read_only = on;
GRANT tidemark_reader TO tidemark_api;
GRANT tidemark_owner TO tidemark_admin;

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

    -- Large objects are rows anybody could write.
    FOR name IN
        SELECT p.oid::regprocedure::text
        FROM pg_proc p
        WHERE p.pronamespace = 'pg_catalog'::regnamespace
            AND p.proname IN ('lo_creat', 'lo_create', 'lo_from_bytea', 'lo_import', 'lo_put',
                              'lowrite')
    LOOP
        EXECUTE format('REVOKE ALL ON FUNCTION %s FROM PUBLIC', name);
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
