-- The recorded chain against the replayed one: psql variables chain (directory of the recording).
-- Prints one line a comparison: name|differences. Everything happens in a transaction that is rolled
-- back by the caller's session end; nothing stays.
\set ON_ERROR_STOP on
BEGIN;
\ir recorded_tables.sql

CREATE TABLE recorded.at AS SELECT height AS h FROM recorded.block;

-- Both directions of a difference between two sets.
CREATE FUNCTION recorded.differences(want regclass, have regclass) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  n bigint;
BEGIN
  EXECUTE format('SELECT count(*) FROM ((TABLE %1$s EXCEPT ALL TABLE %2$s) UNION ALL (TABLE %2$s EXCEPT ALL TABLE %1$s)) d', want, have) INTO n;
  RETURN n;
END $$;

CREATE VIEW recorded.want_account AS
  SELECT h, r.* FROM recorded.at, LATERAL (SELECT DISTINCT ON (address) address, balance FROM recorded.account WHERE height <= h ORDER BY address, height DESC) r;
CREATE VIEW recorded.have_account (h, address, balance) AS
  SELECT h, encode(a.address, 'hex'), a.balance_upokt::text FROM recorded.at, LATERAL state.account_at(h) a;
CREATE VIEW recorded.want_pool AS
  SELECT h, r.* FROM recorded.at, LATERAL (SELECT DISTINCT ON (name) name, balance FROM recorded.pool WHERE height <= h ORDER BY name, height DESC) r;
CREATE VIEW recorded.have_pool (h, name, balance) AS
  SELECT h, encode(a.address, 'hex'), a.balance_upokt::text FROM recorded.at, LATERAL state.pool_at(h) a;

CREATE VIEW recorded.want_actor AS
  SELECT h, kind, r.* FROM recorded.at, (VALUES ('app'), ('servicer'), ('fisherman'), ('validator')) k(kind),
  LATERAL (SELECT DISTINCT ON (address) address, public_key, staked_tokens, service_url, output_address, paused_height, unstaking_height,
             (SELECT coalesce(array_agg(DISTINCT c.chain_id ORDER BY c.chain_id), '{}') FROM (
                SELECT * FROM recorded.app_chains WHERE kind = 'app' UNION ALL SELECT * FROM recorded.servicer_chains WHERE kind = 'servicer'
                UNION ALL SELECT * FROM recorded.fisherman_chains WHERE kind = 'fisherman') c WHERE c.address = a.address AND c.height = a.height) AS chains
           FROM (SELECT address, public_key, staked_tokens, unused AS service_url, output_address, paused_height, unstaking_height, height FROM recorded.app WHERE kind = 'app' UNION ALL SELECT * FROM recorded.servicer WHERE kind = 'servicer'
                 UNION ALL SELECT * FROM recorded.fisherman WHERE kind = 'fisherman' UNION ALL SELECT * FROM recorded.validator WHERE kind = 'validator') a
           WHERE height <= h ORDER BY address, height DESC) r;
CREATE VIEW recorded.have_actor (h, kind, address, public_key, staked_tokens, service_url, output_address, paused_height, unstaking_height, chains) AS
  SELECT h, k.kind, encode(a.address, 'hex'), encode(a.public_key, 'hex'), a.stake_upokt::text, coalesce(a.service_url, ''), encode(a.output_address, 'hex'),
         coalesce(a.paused_height, -1), coalesce(a.unstaking_height, -1), (SELECT coalesce(array_agg(c ORDER BY c), '{}') FROM unnest(a.chains) c)
  FROM recorded.at, LATERAL (
    SELECT 'app' AS kind, address, public_key, stake_upokt, service_url, output_address, paused_height, unstaking_height, chains FROM state.application_at(h)
    UNION ALL SELECT 'servicer', address, public_key, stake_upokt, service_url, output_address, paused_height, unstaking_height, chains FROM state.servicer_at(h)
    UNION ALL SELECT 'fisherman', address, public_key, stake_upokt, service_url, output_address, paused_height, unstaking_height, chains FROM state.fisherman_at(h)
    UNION ALL SELECT 'validator', address, public_key, stake_upokt, service_url, output_address, paused_height, unstaking_height, chains FROM state.validator_at(h)) a
  JOIN (VALUES ('app'), ('servicer'), ('fisherman'), ('validator')) k(kind) ON k.kind = a.kind;

CREATE VIEW recorded.want_param AS
  SELECT h, r.* FROM recorded.at, LATERAL (SELECT DISTINCT ON (name) name, value, height FROM recorded.params WHERE height <= h ORDER BY name, height DESC) r;
CREATE VIEW recorded.have_param AS
  SELECT h, p.name, p.value, p.changed_height FROM recorded.at, LATERAL state.param_at(h) p;
CREATE VIEW recorded.want_ibc (h, key, value) AS
  SELECT h, r.* FROM recorded.at, LATERAL (SELECT DISTINCT ON (key) key, coalesce(value, '') FROM recorded.ibc_entries WHERE height <= h ORDER BY key, height DESC) r;
CREATE VIEW recorded.have_ibc (h, key, value) AS
  SELECT h, encode(i.key, 'hex'), encode(i.value, 'hex') FROM recorded.at, LATERAL state.ibc_entry_at(h) i;

CREATE VIEW recorded.want_root (h, tree, root) AS
  SELECT (line->>'height')::bigint, r.key, r.value FROM recorded.root, LATERAL jsonb_each_text(line->'roots') r;
CREATE VIEW recorded.have_root (h, tree, root) AS
  SELECT h, r.tree::text, encode(r.root, 'hex') FROM recorded.at, LATERAL state.tree_root_at(h) r;

CREATE VIEW recorded.want_transaction (height, tx_index, hash, result_code, signer, recipient, message_type, tx) AS
  SELECT (line->>'height')::bigint, (line->>'index')::int, line->>'hash', (line->>'result_code')::int, line->>'signer', line->>'recipient', line->>'message_type', line->>'tx'
  FROM recorded.txresult;
CREATE VIEW recorded.have_transaction (height, tx_index, hash, result_code, signer, recipient, message_type, tx) AS
  SELECT height, tx_index, encode(hash, 'hex'), result_code, encode(signer, 'hex'), coalesce(encode(recipient, 'hex'), ''), message_type, encode(tx, 'hex') FROM chain.transaction;

-- A session's answer as a set, or "refused".
CREATE FUNCTION recorded.session_set(h bigint, application text, chain text, geozone text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  -- a session without members has no row to tell its id by
  RETURN (SELECT CASE WHEN count(*) = 0 THEN 'empty' ELSE min(encode(s.session_id, 'hex')) || ' ' || min(s.session_number) || ' ' || min(s.session_height) || ' ' || min(s.session_blocks) || ' '
                 || coalesce(string_agg(s.kind || ':' || encode(s.address, 'hex'), ',' ORDER BY s.kind, s.address), '') END
          FROM state.session_at(h, address(application), chain, geozone) s);
EXCEPTION WHEN OTHERS THEN
  RETURN 'refused';
END $$;
CREATE VIEW recorded.want_session (n, answer) AS
  SELECT n, CASE WHEN (line->>'status')::int <> 200 THEN 'refused'
      WHEN jsonb_array_length(coalesce(nullif(r->'servicers', 'null'), '[]')) + jsonb_array_length(coalesce(nullif(r->'fishermen', 'null'), '[]')) = 0 THEN 'empty' ELSE
      (r->>'session_id') || ' ' || (r->>'session_number') || ' ' || (r->>'session_height') || ' ' || (r->>'num_session_blocks') || ' ' ||
      coalesce((SELECT string_agg(kind || ':' || address, ',' ORDER BY kind, address COLLATE "C") FROM (
         SELECT 'servicer' AS kind, e->>'address' AS address FROM jsonb_array_elements(nullif(r->'servicers', 'null')) e
         UNION ALL SELECT 'fisherman', e->>'address' FROM jsonb_array_elements(nullif(r->'fishermen', 'null')) e) m), '') END AS answer
  FROM (SELECT row_number() OVER (ORDER BY line::text) AS n, line,
               CASE WHEN (line->>'status')::int = 200 THEN (line->>'response')::jsonb END AS r FROM recorded.session) s;
CREATE VIEW recorded.have_session (n, answer) AS
  SELECT n, recorded.session_set((q->>'session_height')::bigint,
                                 q->>'app_address', q->>'chain', q->>'geozone')
  FROM (SELECT row_number() OVER (ORDER BY line::text) AS n, line, line->'request' AS q FROM recorded.session) s;

SELECT 'accounts|' || recorded.differences('recorded.want_account', 'recorded.have_account');
SELECT 'pools|' || recorded.differences('recorded.want_pool', 'recorded.have_pool');
SELECT 'actors and chains|' || recorded.differences('recorded.want_actor', 'recorded.have_actor');
SELECT 'parameters|' || recorded.differences('recorded.want_param', 'recorded.have_param');
SELECT 'ibc entries|' || recorded.differences('recorded.want_ibc', 'recorded.have_ibc');
SELECT 'tree roots|' || recorded.differences('recorded.want_root', 'recorded.have_root');
SELECT 'transactions|' || recorded.differences('recorded.want_transaction', 'recorded.have_transaction');
SELECT 'block hashes|' || count(*) FROM recorded.block r FULL JOIN chain.block b USING (height) WHERE encode(b.state_hash, 'hex') IS DISTINCT FROM r.hash;
SELECT 'sessions|' || recorded.differences('recorded.want_session', 'recorded.have_session');
SELECT 'verify_state|' || count(*) FROM recorded.at, LATERAL tidemark.verify_state(h) v WHERE NOT v.ok;
SELECT 'verify_block|' || count(*) FROM recorded.at, LATERAL tidemark.verify_block(h) v WHERE h > 0 AND NOT v.ok;
SELECT 'smt_root of accounts|' || count(*) FROM recorded.at WHERE NOT (
  SELECT tidemark.smt_root(a.address, tidemark.encode_account(a.address, a.balance_upokt)) = (SELECT root FROM state.tree_root_at(h) r WHERE r.tree = 'account')
  FROM state.account_at(h) a);
ROLLBACK;
