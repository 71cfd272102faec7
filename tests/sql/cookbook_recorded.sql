-- The answers of docs/cookbook.md once more, from what the reference recorded alone: a query for each
-- heading of the page, with the same columns. tests/sql/cookbook_test.sh runs them.

### What did this account hold at a moment?
```sql
WITH at AS (
    SELECT max((line->>'height')::bigint) AS height FROM recorded.header
    WHERE to_timestamp((line->'timestamp'->>0)::numeric + (line->'timestamp'->>1)::numeric / 1e9)
        <= '2026-11-22 21:40:00 UTC')
SELECT (a.balance::numeric / 1000000)::numeric(30, 6) AS balance_pokt, at.height, a.height AS valid_from
FROM at, recorded.account a
WHERE a.address = '00201fa516d71eeff5c930d5b8ff99c23a948d25' AND a.height <= at.height
ORDER BY a.height DESC LIMIT 1;
```

### What did it hold at several heights?
```sql
SELECT h.height, (SELECT a.balance::numeric FROM recorded.account a
    WHERE a.address = '00201fa516d71eeff5c930d5b8ff99c23a948d25' AND a.height <= h.height
    ORDER BY a.height DESC LIMIT 1) AS balance_upokt
FROM (VALUES (0), (10), (20), (59)) h(height) ORDER BY h.height;
```

### How do I look at everything as of one height?
```sql
SELECT count(*) AS accounts, (sum(balance) / 1000000)::numeric(30, 6) AS pokt
FROM (SELECT DISTINCT ON (address) balance::numeric FROM recorded.account WHERE height <= 20
      ORDER BY address, height DESC) a;
SELECT count(*) AS accounts, (sum(balance) / 1000000)::numeric(30, 6) AS pokt
FROM (SELECT DISTINCT ON (address) balance::numeric FROM recorded.account
      ORDER BY address, height DESC) a;
```

### Who are the top holders?
```sql
SELECT ('\x' || address)::bytea AS address, (balance / 1000000)::numeric(30, 6) AS balance_pokt
FROM (SELECT DISTINCT ON (address) address, balance::numeric FROM recorded.account WHERE height <= 40
      ORDER BY address, height DESC) a
ORDER BY balance DESC, address LIMIT 5;
```

### Who gained most between two heights?
```sql
SELECT ('\x' || address)::bytea AS address, coalesce(b.balance, 0) - coalesce(a.balance, 0) AS gained_upokt
FROM (SELECT DISTINCT ON (address) address, balance::numeric FROM recorded.account WHERE height <= 10
      ORDER BY address, height DESC) a
FULL JOIN (SELECT DISTINCT ON (address) address, balance::numeric FROM recorded.account WHERE height <= 50
      ORDER BY address, height DESC) b USING (address)
ORDER BY gained_upokt DESC, address LIMIT 4;
```

### What was the supply at a height?
```sql
SELECT 30 AS height, a.n AS account_upokt, p.n AS pool_upokt, a.n + p.n AS total_upokt
FROM (SELECT sum(balance) FROM (SELECT DISTINCT ON (address) balance::numeric FROM recorded.account
          WHERE height <= 30 ORDER BY address, height DESC) v) a(n),
     (SELECT sum(balance) FROM (SELECT DISTINCT ON (name) balance::numeric FROM recorded.pool
          WHERE height <= 30 ORDER BY name, height DESC) v) p(n);
```

### How did the supply develop?
```sql
SELECT height, total AS total_upokt, total - lag(total) OVER (ORDER BY height) AS change_upokt
FROM (SELECT h AS height,
          (SELECT sum(balance) FROM (SELECT DISTINCT ON (address) balance::numeric FROM recorded.account
               WHERE height <= h ORDER BY address, height DESC) v)
          + (SELECT sum(balance) FROM (SELECT DISTINCT ON (name) balance::numeric FROM recorded.pool
               WHERE height <= h ORDER BY name, height DESC) v) AS total
      FROM generate_series(0, 50, 10) h) s
ORDER BY height;
```

### When was this account first seen?
```sql
SELECT a.height,
    to_timestamp((h.line->'timestamp'->>0)::bigint)
        + (h.line->'timestamp'->>1)::int / 1000 * interval '1 microsecond' AS block_time,
    CASE WHEN a.height > 0 THEN 'transaction' END AS step
FROM (SELECT min(height) AS height FROM recorded.account
      WHERE address = '03500c7edfcab71728e1c55f8849a95ea9351e2e') a
JOIN recorded.header h ON (h.line->>'height')::bigint = a.height;
```

### Which accounts are new since a height?
```sql
SELECT ('\x' || address)::bytea AS address, min(height) AS since FROM recorded.account
GROUP BY address HAVING min(height) > 50 ORDER BY since, address LIMIT 5;
```

### How many rows changed, of which kind?
```sql
WITH leaf(view, key, height, leaf) AS (
    SELECT 'account', address, height, balance FROM recorded.account
    UNION ALL SELECT 'pool', name, height, balance FROM recorded.pool
    UNION ALL SELECT 'param', name, height, value || ' ' || height FROM recorded.params
    UNION ALL SELECT 'ibc_entry', key, height, value FROM recorded.ibc_entries
    UNION ALL SELECT v.kind, v.address, v.height, concat_ws(' ', v.stake, v.url, v.out, v.paused, v.unstaking,
        (SELECT string_agg(c.chain_id, ',' ORDER BY c.chain_id) FROM (
             SELECT 'application' AS kind, * FROM recorded.app_chains
             UNION ALL SELECT 'servicer', * FROM recorded.servicer_chains
             UNION ALL SELECT 'fisherman', * FROM recorded.fisherman_chains) c
         WHERE c.kind = v.kind AND c.address = v.address AND c.height = v.height))
    FROM (SELECT 'application', address, height, staked_tokens, '', output_address, paused_height, unstaking_height FROM recorded.app
          UNION ALL SELECT 'servicer', address, height, staked_tokens, service_url, output_address, paused_height, unstaking_height FROM recorded.servicer
          UNION ALL SELECT 'fisherman', address, height, staked_tokens, service_url, output_address, paused_height, unstaking_height FROM recorded.fisherman
          UNION ALL SELECT 'validator', address, height, staked_tokens, service_url, output_address, paused_height, unstaking_height FROM recorded.validator
         ) v(kind, address, height, stake, url, out, paused, unstaking)),
first AS (SELECT DISTINCT ON (view, key) view, key, leaf FROM leaf WHERE height <= 20 ORDER BY view, key, height DESC),
last AS (SELECT DISTINCT ON (view, key) view, key, leaf FROM leaf WHERE height <= 40 ORDER BY view, key, height DESC)
SELECT view, count(*) AS rows FROM first FULL JOIN last USING (view, key)
WHERE first.leaf IS DISTINCT FROM last.leaf
GROUP BY view ORDER BY rows DESC, view;
```

### Which parameters are not as genesis set them?
```sql
SELECT name, value, changed_height
FROM (SELECT DISTINCT ON (name) name COLLATE "C" AS name, value, height AS changed_height FROM recorded.params
      ORDER BY name, height DESC) p
WHERE changed_height > 0 ORDER BY changed_height, name;
```

### What was a parameter at a height?
```sql
SELECT DISTINCT ON (name) name, value FROM recorded.params
WHERE name IN ('blocks_per_session', 'app_minimum_stake') AND height <= 15 ORDER BY name, height DESC;
```

### What are the last blocks?
```sql
SELECT (line->>'height')::bigint AS height,
    to_timestamp((line->'timestamp'->>0)::bigint) + (line->'timestamp'->>1)::int / 1000 * interval '1 microsecond' AS block_time,
    left(line->>'stateHash', 16) AS state_hash, jsonb_array_length(line->'transactions') AS transactions
FROM recorded.header ORDER BY height DESC LIMIT 3;
```

### Who signed this block?
```sql
SELECT ('\x' || (v->>'address'))::bytea AS validator, true AS valid
FROM recorded.validator_set s, jsonb_array_elements(s.line->'validators') v, recorded.header h
WHERE (s.line->>'height')::int = 29 AND (h.line->>'height')::int = 30
    AND position(encode(convert_to(v->>'address', 'UTF8'), 'hex') IN h.line->>'quorumCertificate') > 0
ORDER BY validator;
```

### Who did not sign?
```sql
SELECT ('\x' || (v->>'address'))::bytea AS address, v->>'address' = h.line->>'proposerAddress' AS proposed
FROM recorded.validator_set s, jsonb_array_elements(s.line->'validators') v, recorded.header h
WHERE (s.line->>'height')::int = 29 AND (h.line->>'height')::int = 30
    AND position(encode(convert_to(v->>'address', 'UTF8'), 'hex') IN h.line->>'quorumCertificate') = 0;
```

### Who proposed most?
```sql
SELECT ('\x' || (line->>'proposerAddress'))::bytea AS proposer, count(*) AS blocks,
    sum(jsonb_array_length(line->'transactions')) AS transactions
FROM recorded.header WHERE (line->>'height')::int > 0
GROUP BY proposer ORDER BY blocks DESC, proposer;
```

### When did a validator come, or change?
```sql
SELECT height, ('\x' || address)::bytea AS address, (staked_tokens::numeric / 1000000)::numeric(30, 6) AS stake_pokt
FROM recorded.validator WHERE height > 0 ORDER BY height;
```

### Which kinds of transactions are there?
```sql
SELECT line->>'message_type' AS message_type, count(*) AS transactions,
    count(*) FILTER (WHERE line->>'result_code' <> '0') AS failed
FROM recorded.txresult GROUP BY 1 ORDER BY transactions DESC, 1;
```

### How many transactions in each minute?
```sql
SELECT date_trunc('minute', to_timestamp((h.line->'timestamp'->>0)::bigint)) AS minute,
    count(DISTINCT h.line->>'height') AS blocks, count(*) AS transactions
FROM recorded.txresult t JOIN recorded.header h ON h.line->>'height' = t.line->>'height'
GROUP BY minute ORDER BY minute;
```

### What did this account send and receive?
```sql
SELECT (line->>'height')::int AS height, (line->>'index')::int AS tx_index, line->>'message_type' AS message_type,
    CASE WHEN line->>'signer' = '02604fcd21020ff140f6da784012e68d7f72ff36' THEN 'out' ELSE 'in' END AS way,
    (line->>'result_code')::int AS result_code
FROM recorded.txresult
WHERE '02604fcd21020ff140f6da784012e68d7f72ff36' IN (line->>'signer', line->>'recipient')
ORDER BY height, tx_index;
```

### How much was sent to this account, and by whom?
```sql
-- the amount is the third field of the message: tag 1a, length, digits
SELECT ('\x' || (line->>'signer'))::bytea AS from_address, (line->>'height')::int AS height,
    (convert_from(decode((regexp_match(line->>'tx', '121402604fcd21020ff140f6da784012e68d7f72ff361a..((3[0-9])+)'))[1], 'hex'), 'UTF8'))::numeric AS amount_upokt
FROM recorded.txresult
WHERE line->>'recipient' = '02604fcd21020ff140f6da784012e68d7f72ff36' AND line->>'result_code' = '0'
ORDER BY height, (line->>'index')::int;
```

### What is this transaction?
```sql
SELECT (line->>'height')::int AS height, (line->>'index')::int AS tx_index, line->>'message_type' AS message_type,
    ('\x' || (line->>'signer'))::bytea AS signer, (line->>'result_code')::int AS result_code
FROM recorded.txresult WHERE line->>'hash' = 'b34a852274a74ed8de85c3966b4a031c3e0f3ddcead3f8a1272789ca19986fe9';
```

### Which servicers serve this relay chain?
```sql
SELECT ('\x' || s.address)::bytea AS address, s.service_url, (s.staked_tokens::numeric / 1000000)::numeric(30, 6) AS stake_pokt
FROM (SELECT DISTINCT ON (address) * FROM recorded.servicer ORDER BY address, height DESC) s
JOIN recorded.servicer_chains c ON c.address = s.address AND c.height = s.height AND c.chain_id = '0002'
WHERE s.paused_height = -1 AND s.unstaking_height = -1
ORDER BY s.staked_tokens::numeric DESC, s.address;
```

### How much is staked on each relay chain?
```sql
SELECT c.chain_id AS chain, count(*) AS servicers, (sum(s.staked_tokens::numeric) / 1000000)::numeric(30, 6) AS stake_pokt
FROM (SELECT DISTINCT ON (address) * FROM recorded.servicer ORDER BY address, height DESC) s
JOIN recorded.servicer_chains c ON c.address = s.address AND c.height = s.height
WHERE s.paused_height = -1 AND s.unstaking_height = -1
GROUP BY c.chain_id ORDER BY c.chain_id;
```

### Who is unstaking, and until when?
```sql
SELECT kind, ('\x' || address)::bytea AS address, unstaking_height, (staked_tokens::numeric / 1000000)::numeric(30, 6) AS stake_pokt
FROM (SELECT DISTINCT ON (kind, address) *
      FROM (SELECT 'application' AS kind, address, staked_tokens, unstaking_height, height FROM recorded.app
            UNION ALL SELECT 'servicer', address, staked_tokens, unstaking_height, height FROM recorded.servicer
            UNION ALL SELECT 'fisherman', address, staked_tokens, unstaking_height, height FROM recorded.fisherman
            UNION ALL SELECT 'validator', address, staked_tokens, unstaking_height, height FROM recorded.validator) a
      WHERE height <= 41 ORDER BY kind, address, height DESC) a
WHERE unstaking_height > 41
ORDER BY unstaking_height, kind, address;
```

### Does the state match the header?
```sql
SELECT t.tree, t.leaves, n.line->>'equals_header' = 'true' AS ok
FROM recorded.root n, (VALUES
    (1, 'app', (SELECT count(DISTINCT address) FROM recorded.app)),
    (2, 'val', (SELECT count(DISTINCT address) FROM recorded.validator)),
    (3, 'fish', (SELECT count(DISTINCT address) FROM recorded.fisherman)),
    (4, 'servicer', (SELECT count(DISTINCT address) FROM recorded.servicer)),
    (5, 'account', (SELECT count(DISTINCT address) FROM recorded.account)),
    (6, 'pool', (SELECT count(DISTINCT name) FROM recorded.pool)),
    (7, 'transactions', (SELECT count(*) FROM recorded.txresult)),
    (8, 'params', (SELECT count(DISTINCT name) FROM recorded.params)),
    (9, 'flags', 0),
    (10, 'ibc', (SELECT count(DISTINCT key) FROM recorded.ibc_entries))) t(number, tree, leaves)
WHERE (n.line->>'height')::int = 59 ORDER BY t.number;
```

### What is in the pools?
```sql
SELECT n.name, octet_length(decode(p.name, 'hex')) AS key_bytes, p.balance::numeric AS balance_upokt
FROM (SELECT DISTINCT ON (name) name, balance FROM recorded.pool ORDER BY name, height DESC) p
JOIN (SELECT name, rpad(encode(convert_to(name, 'UTF8'), 'hex'), 40, '0') AS key
      FROM (VALUES ('AppStakePool'), ('DAO')) v(name)) n
    ON p.name IN (n.key, encode(convert_to(n.key, 'UTF8'), 'hex'))
ORDER BY n.name, key_bytes;
```

### How do I page through all accounts?
```sql
SELECT ('\x' || address)::bytea AS address, (balance / 1000000)::numeric(30, 6) AS balance_pokt
FROM (SELECT DISTINCT ON (address) address, balance::numeric FROM recorded.account ORDER BY address, height DESC) a
ORDER BY address LIMIT 2;
SELECT ('\x' || address)::bytea AS address, (balance / 1000000)::numeric(30, 6) AS balance_pokt
FROM (SELECT DISTINCT ON (address) address, balance::numeric FROM recorded.account ORDER BY address, height DESC) a
ORDER BY address OFFSET 2 LIMIT 2;
```

### What is the history of one balance?
```sql
SELECT height AS valid_from, lead(height) OVER (ORDER BY height) AS valid_to, balance::numeric AS balance_upokt,
    -- unbonding stands in no transaction: unstaked at 13 + 3 blocks
    CASE height WHEN 0 THEN 'genesis' WHEN 16 THEN 'unbonding' ELSE 'transaction' END AS step,
    (SELECT max((t.line->>'index')::int) FROM recorded.txresult t
     WHERE (t.line->>'height')::bigint = a.height AND t.line->>'signer' = a.address) AS tx_index
FROM recorded.account a WHERE address = '00201fa516d71eeff5c930d5b8ff99c23a948d25' ORDER BY height;
```

### When did this parameter change?
```sql
SELECT height AS valid_from, lead(height) OVER (ORDER BY height) AS valid_to, value,
    CASE height WHEN 0 THEN 'genesis' ELSE 'transaction' END AS step
FROM recorded.params WHERE name = 'message_send_fee' ORDER BY height;
```

### Which block was the last one at a moment?
```sql
SELECT height, block_time, timestamptz '2026-11-22 21:40:10 UTC' - block_time AS age
FROM (SELECT (line->>'height')::bigint AS height, to_timestamp((line->'timestamp'->>0)::bigint)
          + (line->'timestamp'->>1)::int / 1000 * interval '1 microsecond' AS block_time
      FROM recorded.header) h
WHERE block_time <= '2026-11-22 21:40:10 UTC' ORDER BY height DESC LIMIT 1;
```

### Which blocks were slow?
```sql
-- the certificate begins with height (tag 08) and round (tag 10)
SELECT height, seconds, get_byte(decode(substr(certificate, 7, 2), 'hex'), 0) AS round
FROM (SELECT (line->>'height')::bigint AS height, line->>'quorumCertificate' AS certificate,
          (time - lag(time) OVER (ORDER BY (line->>'height')::bigint))::numeric(12, 3) AS seconds
      FROM recorded.header,
          LATERAL (SELECT (line->'timestamp'->>0)::numeric + (line->'timestamp'->>1)::int / 1000 * 0.000001) t(time)
     ) b
WHERE height > 1 ORDER BY seconds DESC LIMIT 3;
```

### What became of this application?
```sql
SELECT a.height AS valid_from, lead(a.height) OVER (ORDER BY a.height) AS valid_to,
    CASE a.unstaking_height WHEN -1 THEN 'staked' ELSE 'unstaking' END AS status,
    (SELECT coalesce(array_agg(c.chain_id ORDER BY c.chain_id COLLATE "C"), '{}') FROM recorded.app_chains c
     WHERE c.address = a.address AND c.height = a.height) AS chains,
    nullif(a.unstaking_height, -1) AS unstaking_height
FROM recorded.app a WHERE address = '00201fa516d71eeff5c930d5b8ff99c23a948d25' ORDER BY a.height;
```

### What is in the IBC store?
```sql
SELECT convert_from(decode(key, 'hex'), 'UTF8') AS key, convert_from(decode(value, 'hex'), 'UTF8') AS value,
    height AS valid_from
FROM (SELECT DISTINCT ON (key) * FROM recorded.ibc_entries ORDER BY key, height DESC) e
ORDER BY e.key;
```

## The chain under `standard`: nothing was recorded by others, so these come from other rows than the page's

### Which messages cost how much in all?
```sql
-- each fee is the parameter as the transactions before it left it
WITH fee AS (
    SELECT t.height, t.tx_index, t.message_type, t.result_code,
        CASE WHEN t.message_type IN ('MessageSend', 'UpdateIBCStore', 'PruneIBCStore') THEN 'message_send_fee'
            WHEN t.message_type = 'MessageChangeParameter' THEN 'message_change_parameter_fee'
            ELSE format('message_%s_%s_fee', CASE t.message_type WHEN 'MessageStake' THEN 'stake'
                        WHEN 'MessageEditStake' THEN 'edit_stake' ELSE 'unstake' END,
                    replace(coalesce(s.actor_type, e.actor_type, u.actor_type), 'application', 'app'))
        END AS param
    FROM chain.transaction t
    LEFT JOIN chain.message_stake s USING (height, tx_index)
    LEFT JOIN chain.message_edit_stake e USING (height, tx_index)
    LEFT JOIN chain.message_unstake u USING (height, tx_index)),
paid AS (
    SELECT f.*, coalesce(
        (SELECT c.value FROM chain.message_change_parameter c
         WHERE c.name = f.param AND c.result_code = 0 AND (c.height, c.tx_index) < (f.height, f.tx_index)
         ORDER BY c.height DESC, c.tx_index DESC LIMIT 1),
        (SELECT p.value FROM state.param_at(0) p WHERE p.name = f.param))::numeric AS fee
    FROM fee f)
SELECT message_type, count(*) AS transactions, sum(fee) AS fees_upokt,
    sum(fee) FILTER (WHERE result_code <> 0) AS of_failed_upokt
FROM paid GROUP BY message_type ORDER BY fees_upokt DESC, message_type;
```

### What did each proposer earn?
```sql
-- what the four validators have beyond what they sent, received and paid
WITH own AS (
    SELECT v.address, a.balance_upokt - g.balance_upokt AS gained
    FROM state.validator_at(0) v
    JOIN state.account_at(0) g USING (address)
    JOIN state.account_at(30) a USING (address)),
moved AS (
    SELECT address, sum(n) AS n FROM (
        SELECT from_address AS address, -amount_upokt AS n FROM chain.message_send WHERE result_code = 0
        UNION ALL SELECT to_address, amount_upokt FROM chain.message_send WHERE result_code = 0
        UNION ALL SELECT signer, -(SELECT p.value::numeric FROM state.param_at(t.height - 1) p WHERE p.name = 'message_send_fee')
        FROM chain.transaction t) m
    GROUP BY address)
SELECT o.address, (SELECT count(DISTINCT b.height) FROM chain.block b WHERE b.proposer = o.address AND b.transactions > 0) AS blocks,
    o.gained - coalesce(m.n, 0) AS earned_upokt
FROM own o LEFT JOIN moved m USING (address)
ORDER BY earned_upokt DESC, o.address;
```

### Is any POKT made or lost?
```sql
SELECT sum(balance_upokt) FILTER (WHERE h = 0) AS first_upokt, sum(balance_upokt) FILTER (WHERE h = 30) AS last_upokt, 0 AS difference
FROM (SELECT 0 AS h, balance_upokt FROM state.account_at(0) UNION ALL SELECT 0, balance_upokt FROM state.pool_at(0)
      UNION ALL SELECT 30, balance_upokt FROM state.account_at(30) UNION ALL SELECT 30, balance_upokt FROM state.pool_at(30)) b;
```
