-- Reports against what full reading of every height finds; each line of the output is a name, what was
-- counted and how much of it differs. Run as a reader.
SET max_parallel_workers_per_gather = 0;
SET jit = off;
CREATE TEMP TABLE at AS
SELECT h, b.block_time, (b.block_time AT TIME ZONE 'UTC')::date AS day, b.proposer
FROM ledger.tip t, generate_series(t.earliest, t.height) h, chain.block b WHERE b.height = h;
-- Heights whose block is known as well as the state before it.
CREATE TEMP TABLE changed AS SELECT * FROM at WHERE h > (SELECT min(h) FROM at);
CREATE TEMP TABLE rules AS SELECT rules FROM ledger.chain;

SELECT 'supply', (SELECT count(*) FROM at), count(*)
FROM (SELECT at.h, at.block_time, a.n, a.upokt AS account, p.upokt AS pool, p.dao, p.collector,
          p.application, p.validator, p.servicer, p.fisherman, p.other
      FROM at,
          LATERAL (SELECT count(*) AS n, coalesce(sum(balance_upokt), 0) AS upokt FROM state.account_at(at.h)) a,
          LATERAL (SELECT coalesce(sum(balance_upokt), 0) AS upokt,
                       coalesce(sum(balance_upokt) FILTER (WHERE name = 'DAO'), 0) AS dao,
                       coalesce(sum(balance_upokt) FILTER (WHERE name = 'FeeCollector'), 0) AS collector,
                       coalesce(sum(balance_upokt) FILTER (WHERE name = 'AppStakePool'), 0) AS application,
                       coalesce(sum(balance_upokt) FILTER (WHERE name = 'ValidatorStakePool'), 0) AS validator,
                       coalesce(sum(balance_upokt) FILTER (WHERE name = 'ServicerStakePool'), 0) AS servicer,
                       coalesce(sum(balance_upokt) FILTER (WHERE name = 'FishermanStakePool'), 0) AS fisherman,
                       coalesce(sum(balance_upokt) FILTER (WHERE name IS NULL), 0) AS other
                   FROM state.pool_at(at.h)) p) b
FULL JOIN (SELECT * FROM report.supply WHERE height >= (SELECT min(h) FROM at)) s ON s.height = b.h
WHERE (s.block_time, s.accounts, s.account_upokt, s.pool_upokt, s.dao_upokt, s.fee_collector_upokt,
       s.application_stake_upokt, s.validator_stake_upokt, s.servicer_stake_upokt,
       s.fisherman_stake_upokt, s.other_pool_upokt, s.total_upokt, s.total_pokt * 1000000)
    IS DISTINCT FROM (b.block_time, b.n, b.account, b.pool, b.dao, b.collector, b.application,
       b.validator, b.servicer, b.fisherman, b.other, b.account + b.pool, b.account + b.pool);

CREATE TEMP TABLE rich AS
SELECT at.h, at.day, a.*
FROM at, LATERAL (SELECT row_number() OVER (ORDER BY balance_upokt DESC, address) AS rank, address,
                      balance_upokt
                  FROM state.account_at(at.h) ORDER BY balance_upokt DESC, address LIMIT 20) a;
SELECT 'richest accounts', (SELECT count(*) FROM rich), count(*)
FROM rich b
FULL JOIN (SELECT r.*, at.h FROM at, report.richest_account_at(at.h, 20) r) s
    ON s.h = b.h AND s.rank = b.rank
WHERE (s.address, s.balance_upokt, s.height) IS DISTINCT FROM (b.address, b.balance_upokt, b.h);
SELECT 'richest accounts by day', (SELECT count(DISTINCT day) FROM at), count(*)
FROM (SELECT * FROM rich WHERE h IN (SELECT max(h) FROM at GROUP BY day)
          AND day > (SELECT max(day) FROM at) - 3660) b
FULL JOIN report.richest_account_day(3660, 20) s ON s.day = b.day AND s.rank = b.rank
WHERE (s.address, s.balance_upokt, s.height) IS DISTINCT FROM (b.address, b.balance_upokt, b.h);

CREATE TEMP TABLE actor AS
SELECT at.h, a.*
FROM at, LATERAL (
    SELECT 'application' AS actor_type, * FROM state.application_at(at.h)
    UNION ALL SELECT 'servicer', * FROM state.servicer_at(at.h)
    UNION ALL SELECT 'fisherman', * FROM state.fisherman_at(at.h)
    UNION ALL SELECT 'validator', * FROM state.validator_at(at.h)) a;
CREATE TEMP TABLE stakes AS
SELECT e.h, e.actor_type, count(*) FILTER (WHERE e.event = 'staked') AS staked,
    coalesce(sum(e.upokt) FILTER (WHERE e.event = 'staked'), 0) AS staked_upokt,
    count(*) FILTER (WHERE e.event = 'edited') AS edited,
    coalesce(sum(e.upokt) FILTER (WHERE e.event = 'edited'), 0) AS edited_upokt,
    count(*) FILTER (WHERE e.event = 'unstaking') AS unstaking,
    coalesce(sum(e.upokt) FILTER (WHERE e.event = 'unstaking'), 0) AS unstaking_upokt,
    count(*) FILTER (WHERE e.event = 'returned') AS returned,
    coalesce(sum(e.upokt) FILTER (WHERE e.event = 'returned'), 0) AS returned_upokt
FROM (
    SELECT c.h, a.actor_type, e.event, e.upokt
    FROM changed c JOIN actor a ON a.h = c.h
    LEFT JOIN actor z ON z.h = c.h - 1 AND z.actor_type = a.actor_type AND z.address = a.address,
    LATERAL (SELECT 'staked' AS event, a.stake_upokt AS upokt WHERE z.address IS NULL
        UNION ALL SELECT 'edited', a.stake_upokt - z.stake_upokt
        WHERE z.address IS NOT NULL AND (a.stake_upokt, a.chains, a.service_url)
            IS DISTINCT FROM (z.stake_upokt, z.chains, z.service_url)
        UNION ALL SELECT 'unstaking', a.stake_upokt
        WHERE a.unstaking_height IS NOT NULL AND z.unstaking_height IS NULL) e
    UNION ALL
    SELECT c.h, z.actor_type, 'returned', z.stake_upokt
    FROM changed c JOIN actor z ON z.h = c.h - 1
    LEFT JOIN actor a ON a.h = c.h AND a.actor_type = z.actor_type AND a.address = z.address
    WHERE a.address IS NULL
        OR (SELECT rules FROM rules) = 'reference' AND z.unstaking_height = c.h) e
GROUP BY e.h, e.actor_type;
SELECT 'staking', (SELECT count(*) FROM stakes), count(*)
FROM stakes b
FULL JOIN (SELECT * FROM report.staking WHERE height > (SELECT min(h) FROM at)) s
    ON s.height = b.h AND s.actor_type = b.actor_type
WHERE (s.staked, s.staked_upokt, s.edited, s.edited_upokt, s.unstaking, s.unstaking_upokt, s.returned,
       s.returned_upokt) IS DISTINCT FROM (b.staked, b.staked_upokt, b.edited, b.edited_upokt,
       b.unstaking, b.unstaking_upokt, b.returned, b.returned_upokt);
SELECT 'staking by day', (SELECT count(*) FROM report.staking_day), count(*)
FROM (SELECT (block_time AT TIME ZONE 'UTC')::date AS day, actor_type, sum(staked) AS staked,
          sum(returned_pokt) AS returned_pokt FROM report.staking GROUP BY 1, 2) b
FULL JOIN report.staking_day s ON s.day = b.day AND s.actor_type = b.actor_type
WHERE (s.staked, s.returned_pokt) IS DISTINCT FROM (b.staked, b.returned_pokt);

CREATE TEMP TABLE serving AS
SELECT DISTINCT a.h, a.address, c.chain FROM actor a, unnest(a.chains) c(chain)
WHERE a.actor_type = 'servicer' AND a.paused_height IS NULL AND a.unstaking_height IS NULL;
SELECT 'servicers by chain', (SELECT count(*) FROM report.servicer_churn), count(*)
FROM (SELECT c.h, e.chain, count(*) FILTER (WHERE e.joined) AS joined,
          count(*) FILTER (WHERE NOT e.joined) AS gone,
          (SELECT count(*) FROM serving s WHERE s.h = c.h AND s.chain = e.chain) AS servicers
      FROM changed c, LATERAL (
          SELECT s.chain, true AS joined FROM serving s WHERE s.h = c.h AND NOT EXISTS (
              SELECT FROM serving z WHERE z.h = c.h - 1 AND z.address = s.address AND z.chain = s.chain)
          UNION ALL
          SELECT z.chain, false FROM serving z WHERE z.h = c.h - 1 AND NOT EXISTS (
              SELECT FROM serving s WHERE s.h = c.h AND s.address = z.address AND s.chain = z.chain)) e
      GROUP BY c.h, e.chain) b
FULL JOIN (SELECT * FROM report.servicer_churn WHERE height > (SELECT min(h) FROM at)) s
    ON s.height = b.h AND s.relay_chain = b.chain
WHERE (s.joined, s.gone, s.servicers) IS DISTINCT FROM (b.joined, b.gone, b.servicers);
SELECT 'servicers by chain and day', (SELECT count(*) FROM report.servicer_churn_day), count(*)
FROM (SELECT (block_time AT TIME ZONE 'UTC')::date AS day, relay_chain, sum(joined) AS joined,
          sum(gone) AS gone, (array_agg(servicers ORDER BY height DESC))[1] AS servicers
      FROM report.servicer_churn GROUP BY 1, 2) b
FULL JOIN report.servicer_churn_day s ON s.day = b.day AND s.relay_chain = b.relay_chain
WHERE (s.joined, s.gone, s.servicers) IS DISTINCT FROM (b.joined, b.gone, b.servicers);

-- The fee collector is emptied by every block's end.
SELECT 'messages', (SELECT count(*) FROM report.message), count(*)
FROM (SELECT t.height, t.block_time, t.message_type, count(*) AS transactions,
          count(*) FILTER (WHERE t.error IS NOT NULL) AS failed,
          sum(CASE (SELECT rules FROM rules)
              WHEN 'standard' THEN (SELECT c.delta_upokt FROM chain.balance_change c
                  WHERE c.height = t.height AND c.tx_index = t.tx_index AND c.reason = 'fee' AND c.kind = 'pool')
              ELSE (SELECT p.value::numeric FROM state.param_at(t.height - 1) p
                    WHERE p.name = ledger.fee_name(t.message_type, t.tx)) END) AS fee
      FROM chain.transaction t JOIN changed c ON c.h = t.height
      GROUP BY t.height, t.block_time, t.message_type) b
FULL JOIN (SELECT * FROM report.message WHERE height > (SELECT min(h) FROM at)) s
    ON s.height = b.height AND s.message_type = b.message_type
WHERE (s.transactions, s.failed, s.fee_upokt, s.block_time)
    IS DISTINCT FROM (b.transactions, b.failed, b.fee, b.block_time);
SELECT 'messages by day', (SELECT count(*) FROM report.message_day), count(*)
FROM (SELECT (block_time AT TIME ZONE 'UTC')::date AS day, message_type, sum(transactions) AS transactions,
          sum(failed) AS failed, sum(fee_pokt) AS fee_pokt FROM report.message GROUP BY 1, 2) b
FULL JOIN report.message_day s ON s.day = b.day AND s.message_type = b.message_type
WHERE (s.transactions, s.failed, s.fee_pokt) IS DISTINCT FROM (b.transactions, b.failed, b.fee_pokt);

SELECT 'proposer rewards', (SELECT count(*) FROM changed), count(*)
FROM (SELECT c.h, c.proposer, r.reward, r.fee, r.reward + r.dao AS given
      FROM changed c, LATERAL (
          SELECT coalesce(sum(b.delta_upokt) FILTER (WHERE b.kind = 'account'), 0) AS reward,
              coalesce(-sum(b.delta_upokt) FILTER (WHERE b.delta_upokt < 0), 0) AS fee,
              coalesce(sum(b.delta_upokt) FILTER (WHERE b.kind = 'pool' AND b.delta_upokt > 0), 0) AS dao
          FROM chain.balance_change b WHERE b.height = c.h AND b.reason = 'rewards') r) b
FULL JOIN (SELECT * FROM report.proposer_reward WHERE height > (SELECT min(h) FROM at)) s ON s.height = b.h
WHERE s.proposer IS DISTINCT FROM b.proposer OR s.fee_upokt <> s.reward_upokt + s.to_dao_upokt
    OR (SELECT rules FROM rules) = 'standard'
        AND (s.reward_upokt, s.fee_upokt) IS DISTINCT FROM (b.reward, b.given);
SELECT 'proposer rewards by day', (SELECT sum(blocks) FROM report.proposer_reward_day), count(*)
FROM (SELECT (block_time AT TIME ZONE 'UTC')::date AS day, proposer, count(*) AS blocks,
          sum(reward_pokt) AS reward_pokt FROM report.proposer_reward GROUP BY 1, 2) b
FULL JOIN report.proposer_reward_day s ON s.day = b.day AND s.proposer = b.proposer
WHERE (s.blocks, s.reward_pokt) IS DISTINCT FROM (b.blocks, b.reward_pokt);

CREATE TEMP TABLE signature AS
SELECT height, validator FROM chain.validator_signature WHERE valid AND height IN (SELECT h FROM changed);
SELECT 'validator uptime', (SELECT count(*) FROM signature), count(*)
FROM (SELECT w.lo, w.hi FROM (SELECT min(h) AS a, max(h) AS z FROM changed) c,
          LATERAL (VALUES (c.a, c.z), (c.a + 1, (c.a + c.z) / 2), ((c.a + c.z) / 2, c.z), (c.z, c.z),
                          (c.a, c.a)) w(lo, hi)) w,
LATERAL (
    SELECT FROM (
        SELECT v.address, count(*) AS could_sign, count(s.validator) AS signed
        FROM changed c CROSS JOIN LATERAL state.validator_set_at(c.h - 1) v
        LEFT JOIN signature s ON s.height = c.h AND s.validator = v.address
        WHERE c.h BETWEEN w.lo AND w.hi
            AND ((SELECT rules FROM rules) = 'standard' OR v.address <> c.proposer)
        GROUP BY v.address) b
    FULL JOIN (SELECT u.*, (SELECT count(*) FROM changed c WHERE c.h BETWEEN w.lo AND w.hi
                            AND c.proposer = u.address) AS really
               FROM report.validator_uptime_between(w.lo, w.hi) u) s ON s.address = b.address
    WHERE (coalesce(s.could_sign, 0), s.signed, s.proposed)
        IS DISTINCT FROM (coalesce(b.could_sign, 0), coalesce(b.signed, 0), s.really)) d;

SELECT 'parameters', (SELECT count(*) FROM report.param_timeline), count(*)
FROM (SELECT c.h, a.name, z.value AS from_value, a.value AS to_value
      FROM changed c CROSS JOIN LATERAL state.param_at(c.h) a
      LEFT JOIN LATERAL state.param_at(c.h - 1) z ON z.name = a.name
      WHERE a.valid_from = c.h) b
FULL JOIN (SELECT * FROM report.param_timeline WHERE height > (SELECT min(h) FROM at)) s
    ON s.height = b.h AND s.name = b.name
WHERE (s.from_value, s.to_value) IS DISTINCT FROM (b.from_value, b.to_value)
    OR (s.signer IS NULL) <> (s.tx_index IS NULL);

SELECT 'unbonding', (SELECT count(*) FROM actor), count(*)
FROM (SELECT * FROM actor WHERE status = 'unstaking') b
FULL JOIN (SELECT u.*, at.h FROM at, report.unbonding_at(at.h) u) s
    ON s.h = b.h AND s.actor_type = b.actor_type AND s.address = b.address
WHERE (s.stake_upokt, s.output_address, s.unstaking_height, s.blocks_left)
    IS DISTINCT FROM (b.stake_upokt, b.output_address, b.unstaking_height, b.unstaking_height - b.h);
