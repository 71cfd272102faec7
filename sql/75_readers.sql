-- What binds the sessions of analysts by setting, and which roles have it. Settings are not inherited
-- by members, so ops.limit_readers gives them to every role that logs in as a reader.

-- The limits that a role has for all databases. What an operator sets IN DATABASE comes before them.
CREATE VIEW ops.reader_limit AS
SELECT l.setting, l.required, l.submits
FROM (VALUES
    -- Advice: the session itself can lift these. The node's watchdog ends sessions that do.
    ('statement_timeout', '60s', true),
    ('idle_in_transaction_session_timeout', '60s', true),
    ('idle_session_timeout', '1h', true),
    ('lock_timeout', '5s', true),
    ('default_transaction_read_only', 'on', false),
    -- Limits: only a superuser changes these. What a client got wrong is told to the client and not
    -- to the server's log, which lies on the node's disk.
    ('temp_file_limit', '1GB', true),
    ('tidemark.memory_limit', '1GB', true),
    -- A tenth of the weight of the node's own sessions.
    ('tidemark.nice', '10', true),
    ('log_min_messages', 'fatal', true),
    ('log_min_error_statement', 'panic', true)) AS l (setting, required, submits);
COMMENT ON VIEW ops.reader_limit IS
    'Settings that tidemark_reader, tidemark_api and every reader''s own role have for all databases; set again by tidemark migrate and tidemark db readers add.';
COMMENT ON COLUMN ops.reader_limit.setting IS 'Name of the server''s setting.';
COMMENT ON COLUMN ops.reader_limit.required IS 'What it should be, where an operator sets nothing in its place.';
COMMENT ON COLUMN ops.reader_limit.submits IS
    'True where it holds for roles that may submit transactions too; false = for those that only read.';

CREATE FUNCTION ops.role_settings(role oid, database oid)
RETURNS TABLE (setting text, value text)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 10 AS $$
    SELECT split_part(c, '=', 1), substr(c, strpos(c, '=') + 1)
    FROM pg_catalog.pg_db_role_setting s, unnest(s.setconfig) c
    WHERE s.setrole = role_settings.role AND s.setdatabase = role_settings.database
$$;
COMMENT ON FUNCTION ops.role_settings(oid, oid) IS
    'Settings that sessions of a role begin with in one database, or (0) in all.';

-- Those whom the watchdog watches, but for who copies the database or writes what an audit found.
CREATE VIEW ops.reader_setting AS
WITH here AS (
    SELECT d.oid FROM pg_database d WHERE d.datname = current_database()),
reader AS (
    SELECT r.oid, r.rolname AS role, m.rolname AS model, m.oid AS model_oid
    FROM pg_roles r
    JOIN pg_roles m ON m.rolname = CASE WHEN pg_has_role(r.oid, 'tidemark_api', 'MEMBER')
        THEN 'tidemark_api' ELSE 'tidemark_reader' END
    WHERE (r.rolcanlogin OR r.rolname = 'tidemark_reader') AND ops.is_reader(r.oid)
        AND NOT r.rolreplication
        AND NOT pg_has_role(r.oid, 'tidemark_audit', 'MEMBER')),
required AS (
    SELECT r.oid, r.role, l.setting,
        coalesce((SELECT s.value FROM here, ops.role_settings(r.model_oid, here.oid) s
                  WHERE s.setting = l.setting AND r.role <> r.model), l.required) AS value
    FROM reader r
    JOIN ops.reader_limit l ON l.submits OR r.model = 'tidemark_reader'
    UNION ALL
    -- What the operator has given the model besides. Settings that their role can change itself are
    -- left out: a session of the model could have made them.
    SELECT r.oid, r.role, s.setting, s.value
    FROM reader r, here,
        LATERAL (SELECT DISTINCT ON (b.setting) b.setting, b.value
                 FROM (SELECT o.setting, o.value, 1 AS rank
                       FROM ops.role_settings(r.model_oid, here.oid) o
                       UNION ALL
                       SELECT o.setting, o.value, 2 FROM ops.role_settings(r.model_oid, 0) o) b
                 ORDER BY b.setting, b.rank) s
    JOIN pg_settings c ON c.name = s.setting AND c.context LIKE 'superuser%'
    WHERE r.role <> r.model
        -- Lists are written otherwise, and the only one of a superuser is the database's own.
        AND s.setting <> 'session_preload_libraries'
        AND s.setting NOT IN (SELECT l.setting FROM ops.reader_limit l))
SELECT q.role, q.setting, q.value AS required,
    (SELECT s.value FROM ops.role_settings(q.oid, 0) s WHERE s.setting = q.setting) AS given,
    (SELECT s.value FROM here, ops.role_settings(q.oid, here.oid) s
     WHERE s.setting = q.setting) AS own
FROM required q;
COMMENT ON VIEW ops.reader_setting IS
    'Each limit of each role that logs in as a reader: tidemark_reader, tidemark_api and roles made members of them. Members have what tidemark_reader (or tidemark_api) has, with what an operator set for it in this database.';
COMMENT ON COLUMN ops.reader_setting.role IS 'The role.';
COMMENT ON COLUMN ops.reader_setting.setting IS 'Name of the server''s setting.';
COMMENT ON COLUMN ops.reader_setting.required IS 'What it should be.';
COMMENT ON COLUMN ops.reader_setting.given IS 'What the role has for all databases; NULL = nothing.';
COMMENT ON COLUMN ops.reader_setting.own IS
    'What somebody set for this role in this database, which comes before all else and is left alone; NULL = nothing.';

CREATE VIEW ops.reader AS
SELECT r.rolname AS role, r.rolconnlimit AS connections,
    (SELECT count(*)::int FROM pg_stat_activity a WHERE a.usesysid = r.oid) AS sessions,
    s.limits,
    array_remove(
        s.missing
            || CASE WHEN r.rolconnlimit < 0 THEN 'connection limit' END
            || CASE WHEN r.rolcreaterole THEN 'may create roles' END
            || CASE WHEN r.rolcreatedb THEN 'may create databases' END
            || (SELECT 'is a member of ' || string_agg(m.rolname, ', ' ORDER BY m.rolname)
                FROM pg_roles m
                WHERE m.rolname LIKE 'pg\_%' AND pg_has_role(r.oid, m.oid, 'MEMBER')),
        NULL) AS missing
FROM pg_roles r
JOIN (SELECT t.role,
          string_agg(t.setting || ' ' || coalesce(t.own || ' (its own)', t.given, 'unset'), ', '
                     ORDER BY t.setting) AS limits,
          array_agg(CASE WHEN t.given IS NULL THEN t.setting
                         ELSE format('%s is %s, not %s', t.setting, t.given, t.required) END
                    ORDER BY t.setting)
              FILTER (WHERE t.own IS NULL AND t.given IS DISTINCT FROM t.required) AS missing
      FROM ops.reader_setting t
      GROUP BY t.role) s ON s.role = r.rolname;
COMMENT ON VIEW ops.reader IS
    'Roles that log in as readers, as tidemark db readers list shows them: tidemark_reader, tidemark_api and roles made members of them.';
COMMENT ON COLUMN ops.reader.role IS 'The role.';
COMMENT ON COLUMN ops.reader.connections IS 'Most sessions at once; -1 = no limit.';
COMMENT ON COLUMN ops.reader.sessions IS 'Sessions it has now, on this server.';
COMMENT ON COLUMN ops.reader.limits IS 'Its settings, each with the value in force.';
COMMENT ON COLUMN ops.reader.missing IS
    'What it lacks of the limits of a reader, or may beyond them; empty = nothing.';

CREATE FUNCTION ops.limit_readers()
RETURNS int
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    -- For a role that has no limit: a program, and somebody who looks what it does.
    places CONSTANT int := 2;
    changed int := 0;
    item record;
BEGIN
    FOR item IN SELECT r.role FROM ops.reader r WHERE r.connections < 0
    LOOP
        EXECUTE format('ALTER ROLE %I CONNECTION LIMIT %s', item.role, places);
        changed := changed + 1;
    END LOOP;
    FOR item IN
        SELECT s.role, s.required,
            (SELECT string_agg(quote_ident(part), '.' ORDER BY n)
             FROM string_to_table(s.setting, '.') WITH ORDINALITY p (part, n)) AS setting
        FROM ops.reader_setting s
        WHERE s.given IS DISTINCT FROM s.required
    LOOP
        EXECUTE format('ALTER ROLE %I SET %s = %L', item.role, item.setting, item.required);
        changed := changed + 1;
    END LOOP;
    RETURN changed;
END $$;
COMMENT ON FUNCTION ops.limit_readers() IS
    'Gives every role in ops.reader the limits in ops.reader_setting, and at most 2 sessions where it has no limit on them; the number of changes. For superusers.';
