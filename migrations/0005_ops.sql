-- The running node as rows: the only bus between the node and those who ask it. Logged tables, so
-- that replicas show them.

SET LOCAL lock_timeout = '2s';
SET LOCAL search_path = pg_catalog, pg_temp;
SET LOCAL ROLE tidemark_owner;

CREATE TABLE ops.submission (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    hash tidemark.hash32 NOT NULL UNIQUE,
    tx bytea NOT NULL,
    status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'included', 'refused')),
    code int,
    error text,
    height bigint,
    tx_index int,
    submitted_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON ops.submission (id) WHERE status = 'pending';

CREATE TABLE ops.node (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    pid int,
    started_at timestamptz,
    version text,
    status text NOT NULL,
    message text,
    height bigint,
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE ops.mempool (
    hash tidemark.hash32 PRIMARY KEY,
    received_at timestamptz NOT NULL DEFAULT now(),
    size int NOT NULL,
    signer bytea NOT NULL,
    message_type text NOT NULL
);

RESET ROLE;
