-- Bytes of old transactions may go; hash and value hash stay, for both are in the transactions tree
-- for ever.

SET LOCAL lock_timeout = '2s';
SET LOCAL search_path = pg_catalog, pg_temp;
SET LOCAL ROLE tidemark_owner;

ALTER TABLE ledger.transaction
    ALTER COLUMN tx DROP NOT NULL,
    ADD COLUMN value_hash bytea CHECK (octet_length(value_hash) = 32),
    ADD CHECK ((tx IS NULL) = (value_hash IS NOT NULL));

RESET ROLE;
