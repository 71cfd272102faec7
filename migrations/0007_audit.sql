-- What the background audit found, and how far it has come.

SET LOCAL lock_timeout = '2s';
SET LOCAL search_path = pg_catalog, pg_temp;

-- Reads everything and writes these two tables only; a session of its own never stands in the way
-- of a rollback, as one of tidemark_node does.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'tidemark_audit') THEN
        CREATE ROLE tidemark_audit NOLOGIN;
    END IF;
END $$;

SET LOCAL ROLE tidemark_owner;

-- One row for each task: heights first_height to height, or one that does not hold. What held goes
-- again when there are many; what did not stays.
CREATE TABLE ops.audit (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT now(),
    kind text NOT NULL CHECK (kind IN ('block', 'execution', 'state')),
    first_height bigint NOT NULL,
    height bigint NOT NULL CHECK (height >= first_height),
    state_hash bytea,
    ok boolean,
    findings text,
    msec bigint NOT NULL,
    CHECK ((ok IS TRUE) = (findings IS NULL)),
    CHECK (ok IS NOT FALSE OR height = first_height)
);
-- The same finding is kept once, however often the audit comes back to it.
CREATE UNIQUE INDEX ON ops.audit (kind, height, md5(findings)) WHERE NOT ok;

-- One row per kind. rollbacks tells an audit that what it has just checked may be gone.
CREATE TABLE ops.audit_progress (
    kind text PRIMARY KEY CHECK (kind IN ('block', 'execution', 'state')),
    height bigint,
    state_hash bytea,
    heights bigint NOT NULL DEFAULT 0,
    rollbacks bigint NOT NULL DEFAULT 0,
    updated_at timestamptz,
    CHECK ((height IS NULL) = (state_hash IS NULL))
);
INSERT INTO ops.audit_progress (kind) VALUES ('block'), ('execution'), ('state');

RESET ROLE;
