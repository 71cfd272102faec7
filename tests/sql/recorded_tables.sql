-- What the reference recorded of the chain, as tables of schema recorded.
CREATE SCHEMA recorded;
CREATE TABLE recorded.account (address text, balance text, height bigint);
CREATE TABLE recorded.pool (name text, balance text, height bigint);
CREATE TABLE recorded.app (address text, public_key text, staked_tokens text, unused text, output_address text, paused_height bigint, unstaking_height bigint, height bigint);
CREATE TABLE recorded.servicer (address text, public_key text, staked_tokens text, service_url text, output_address text, paused_height bigint, unstaking_height bigint, height bigint);
CREATE TABLE recorded.fisherman (LIKE recorded.servicer);
CREATE TABLE recorded.validator (LIKE recorded.servicer);
CREATE TABLE recorded.app_chains (address text, chain_id text, height bigint);
CREATE TABLE recorded.servicer_chains (LIKE recorded.app_chains);
CREATE TABLE recorded.fisherman_chains (LIKE recorded.app_chains);
CREATE TABLE recorded.params (name text, height bigint, type text, value text);
CREATE TABLE recorded.ibc_entries (height bigint, key text, value text);
CREATE TABLE recorded.block (height bigint, hash text, proposer_address text, quorum_certificate text);
CREATE TABLE recorded.txresult (line jsonb);
CREATE TABLE recorded.session (line jsonb);
CREATE TABLE recorded.root (line jsonb);
CREATE TABLE recorded.header (line jsonb);
CREATE TABLE recorded.validator_set (line jsonb);
\copy recorded.account FROM 'tests/vectors/chain-a/tables/account.csv' CSV HEADER
\copy recorded.pool FROM 'tests/vectors/chain-a/tables/pool.csv' CSV HEADER
\copy recorded.app FROM 'tests/vectors/chain-a/tables/app.csv' CSV HEADER
\copy recorded.servicer FROM 'tests/vectors/chain-a/tables/servicer.csv' CSV HEADER
\copy recorded.fisherman FROM 'tests/vectors/chain-a/tables/fisherman.csv' CSV HEADER
\copy recorded.validator FROM 'tests/vectors/chain-a/tables/validator.csv' CSV HEADER
\copy recorded.app_chains FROM 'tests/vectors/chain-a/tables/app_chains.csv' CSV HEADER
\copy recorded.servicer_chains FROM 'tests/vectors/chain-a/tables/servicer_chains.csv' CSV HEADER
\copy recorded.fisherman_chains FROM 'tests/vectors/chain-a/tables/fisherman_chains.csv' CSV HEADER
\copy recorded.params FROM 'tests/vectors/chain-a/tables/params.csv' CSV HEADER
\copy recorded.ibc_entries FROM 'tests/vectors/chain-a/tables/ibc_entries.csv' CSV HEADER
\copy recorded.block FROM 'tests/vectors/chain-a/tables/block.csv' CSV HEADER
\copy recorded.txresult FROM 'tests/vectors/chain-a/txresults.jsonl' (FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02')
\copy recorded.session FROM 'tests/vectors/chain-a/sessions.jsonl' (FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02')
\copy recorded.root FROM 'tests/vectors/chain-a/tree_roots.jsonl' (FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02')
\copy recorded.header FROM 'tests/vectors/chain-a/blocks.jsonl' (FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02')
\copy recorded.validator_set FROM 'tests/vectors/chain-a/validator_sets.jsonl' (FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02')
