-- Roles, schemas and the record of migrations itself.
--
-- Every file of this directory runs once, in one transaction of its own, in the order of its
-- number, by a superuser of the private cluster; the runner records it in ledger.migration. A
-- released file is never edited: what has to change is changed by a new one.

SET LOCAL lock_timeout = '2s';
SET LOCAL search_path = pg_catalog, pg_temp;

-- Roles belong to the cluster, so a second database of the same cluster finds them there.
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['tidemark_owner', 'tidemark_node', 'tidemark_reader',
                                'tidemark_api', 'tidemark_admin']
    LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN', name);
        END IF;
    END LOOP;
END $$;

GRANT USAGE, CREATE ON SCHEMA tidemark TO tidemark_owner;

CREATE SCHEMA ledger AUTHORIZATION tidemark_owner;
CREATE SCHEMA ops AUTHORIZATION tidemark_owner;
CREATE SCHEMA state AUTHORIZATION tidemark_owner;
CREATE SCHEMA history AUTHORIZATION tidemark_owner;
CREATE SCHEMA chain AUTHORIZATION tidemark_owner;

SET LOCAL ROLE tidemark_owner;

CREATE TABLE ledger.migration (
    number int PRIMARY KEY,
    name text NOT NULL,
    sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32),
    applied_at timestamptz NOT NULL DEFAULT now()
);

RESET ROLE;
