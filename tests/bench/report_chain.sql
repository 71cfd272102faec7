-- Rows as 30 days of a busy chain leave them, on top of the chain of a genesis file: 2,880 blocks of 15
-- minutes, 200 changed accounts in each (half of them among the richest), 20,000 servicers, 5,000
-- applications, 100 validators who all sign. No block made them, so nothing goes on from here.
SET session_replication_role = replica;
SET client_min_messages = warning;
SELECT setseed(0.5);
CREATE TEMP TABLE base AS
SELECT t.height AS h0, b.block_time AS t0, 2880 AS blocks
FROM ledger.tip t JOIN ledger.block b ON b.height = t.height;

INSERT INTO ledger.validator (address, valid_from, public_key, output_address, stake, service_url, chains,
    paused_height, unstaking_height)
SELECT substr(sha256(convert_to('validator' || i, 'UTF8')), 1, 20), h0, sha256(convert_to('v' || i, 'UTF8')),
    substr(sha256(convert_to('output' || i, 'UTF8')), 1, 20), 15000000000 + i, 'https://example.org', '{}', -1, -1
FROM base, generate_series(1, 100 - (SELECT count(*)::int FROM ledger.validator)) i;
INSERT INTO ledger.servicer (address, valid_from, public_key, output_address, stake, service_url, chains,
    paused_height, unstaking_height)
SELECT substr(sha256(convert_to('servicer' || i, 'UTF8')), 1, 20), h0, sha256(convert_to('s' || i, 'UTF8')),
    substr(sha256(convert_to('output' || i, 'UTF8')), 1, 20), 15000000000 + i, 'https://example.org',
    CASE WHEN i % 3 = 0 THEN ARRAY[lpad((1 + i % 15)::text, 4, '0'), lpad((17 + i % 5)::text, 4, '0')]
        ELSE ARRAY[lpad((1 + i % 15)::text, 4, '0')] END,
    -1, CASE WHEN i % 40 = 0 THEN h0 + blocks + i % 2000 + 1 ELSE -1 END
FROM base, generate_series(1, 20000) i;
INSERT INTO ledger.application (address, valid_from, public_key, output_address, stake, service_url, chains,
    paused_height, unstaking_height)
SELECT substr(sha256(convert_to('application' || i, 'UTF8')), 1, 20), h0, sha256(convert_to('a' || i, 'UTF8')),
    substr(sha256(convert_to('output' || i, 'UTF8')), 1, 20), 15000000000 + i, '',
    ARRAY[lpad((1 + i % 15)::text, 4, '0')], -1, -1
FROM base, generate_series(1, 5000) i;

-- PartialSignature: 64 bytes of signature, 40 of address; a length over 127 takes two bytes.
CREATE TEMP TABLE certificate AS
SELECT '\x0801180422040a0208012a'::bytea || l.prefix || s.body AS bytes
FROM (SELECT string_agg('\x0a6c'::bytea || '\x0a40'::bytea || sha512(v.address) || '\x1228'::bytea
                        || convert_to(encode(v.address, 'hex'), 'UTF8'), ''::bytea) AS body
      FROM ledger.validator v) s,
    LATERAL (SELECT set_byte(set_byte('\x0000'::bytea, 0, octet_length(s.body) % 128 + 128), 1,
                             octet_length(s.body) / 128) AS prefix) l;
INSERT INTO ledger.block (height, network_id, state_hash, previous_state_hash, proposer, certificate, seconds, nanos,
    block_time, tree_roots, validator_set_hash, next_validator_set_hash, transactions_hash, round, transactions,
    header_hash)
SELECT h0 + i, 'testnet', sha256(int8send(i)), sha256(int8send(i - 1)),
    (SELECT v.address FROM ledger.validator v ORDER BY v.address OFFSET i % 100 LIMIT 1), c.bytes,
    extract(epoch FROM date_trunc('second', t0))::bigint + i * 900, 0, date_trunc('second', t0) + i * interval '900 seconds',
    (SELECT array_agg(sha256(int8send(k))) FROM generate_series(1, 10) k), sha256(''), sha256(''), sha256(''), 0, 500,
    sha256(int8send(-i))
FROM base, certificate c, generate_series(1, blocks) i;

-- A version ends where the next one of its account begins.
CREATE TEMP TABLE numbered AS
SELECT address, valid_from, balance, row_number() OVER (ORDER BY balance DESC, address) AS n FROM ledger.account;
CREATE INDEX ON numbered (n);
CREATE TEMP TABLE version AS
SELECT a.address, p.height, a.balance + (p.height - h0) AS balance,
    lag(p.height) OVER w AS before, lead(p.height) OVER w AS after, a.valid_from, a.balance AS old, a.n
FROM base, (
    SELECT DISTINCT h0 + i AS height,
        CASE WHEN k <= 100 THEN 1 + floor(random() * 800) ELSE 1 + floor(random() * m.n) END::bigint AS n
    FROM base, (SELECT count(*) AS n FROM numbered) m, generate_series(1, blocks) i, generate_series(1, 200) k) p
JOIN numbered a USING (n)
WINDOW w AS (PARTITION BY a.address ORDER BY p.height);
INSERT INTO ledger.account_history (address, valid_from, valid_to, class, balance)
SELECT address, valid_from, height, ledger.lifetime_class(height - valid_from), old FROM version WHERE before IS NULL
UNION ALL
SELECT address, height, after, ledger.lifetime_class(after - height), balance FROM version WHERE after IS NOT NULL;
UPDATE ledger.account a SET valid_from = v.height, balance = v.balance
FROM version v WHERE v.after IS NULL AND v.address = a.address;
-- Those that rank above the floor stay there: their balances grow.
INSERT INTO ledger.large_balance_history (address, valid_from, valid_to, class, balance)
SELECT v.address, l.valid_from, v.height, ledger.lifetime_class(v.height - l.valid_from), v.old
FROM version v JOIN ledger.large_balance l USING (address) WHERE v.before IS NULL
UNION ALL
SELECT v.address, v.height, v.after, ledger.lifetime_class(v.after - v.height), v.balance
FROM version v JOIN ledger.large_balance l USING (address) WHERE v.after IS NOT NULL;
UPDATE ledger.large_balance a SET valid_from = v.height, balance = v.balance
FROM version v WHERE v.after IS NULL AND v.address = a.address;

INSERT INTO ledger.block_total
SELECT b.height, (b.block_time AT TIME ZONE 'UTC')::date, b.proposer, t.accounts, t.account_upokt + (b.height - h0) * 200,
    t.dao_upokt, 0, t.application_stake_upokt, t.validator_stake_upokt, t.servicer_stake_upokt, t.fisherman_stake_upokt,
    0, 5000000, 500000
FROM base, ledger.block_total t, ledger.block b WHERE t.height = h0 AND b.height > h0;
INSERT INTO ledger.block_message (height, day, message_type, transactions, failed, fee_upokt)
SELECT b.height, (b.block_time AT TIME ZONE 'UTC')::date, m.type, m.n, m.n / 100, m.n * 10000
FROM base, ledger.block b, (VALUES ('MessageSend', 450), ('MessageStake', 20), ('MessageEditStake', 20),
    ('MessageUnstake', 10)) m(type, n) WHERE b.height > h0;
INSERT INTO ledger.block_stake
SELECT b.height, k.kind, (b.block_time AT TIME ZONE 'UTC')::date, 5, 75000000000, 5, 1000000, 3, 45000000000, 3, 45000000000
FROM base, ledger.block b, (VALUES ('servicer'), ('application')) k(kind) WHERE b.height > h0;
INSERT INTO ledger.block_chain (height, relay_chain, day, joined, gone, servicers)
SELECT b.height, lpad(k::text, 4, '0'), (b.block_time AT TIME ZONE 'UTC')::date, 1, 1, 1333
FROM base, ledger.block b, generate_series(1, 15) k WHERE b.height > h0 AND (b.height + k) % 3 = 0;
INSERT INTO ledger.param_history (name, valid_from, valid_to, class, value)
SELECT p.name, p.valid_from + i * 10, p.valid_from + i * 10 + 10, ledger.lifetime_class(10), i::text
FROM base, ledger.param p, generate_series(0, 99) i
WHERE p.name IN ('message_send_fee', 'blocks_per_session') AND p.valid_from = 0;
UPDATE ledger.param p SET valid_from = 1000, value = '4' WHERE p.name IN ('message_send_fee', 'blocks_per_session');
UPDATE ledger.tip t SET height = h0 + blocks, state_hash = sha256(int8send(blocks)) FROM base;
RESET session_replication_role;
VACUUM ANALYZE;
