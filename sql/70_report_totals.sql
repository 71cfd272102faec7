-- The derived tables behind schema `report`, made from the rows: for the check, and for blocks that
-- were written before there were such tables.
--
-- Each function gives what the table must hold for the heights lo to hi, of which lo - 1 and all
-- later states are kept (lo alone where it is the earliest).

DO $$
DECLARE
    accounts text;
    pools text;
BEGIN
    EXECUTE format($function$
CREATE OR REPLACE FUNCTION ledger.computed_block_total(lo bigint, hi bigint) RETURNS SETOF ledger.block_total
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan AS $body$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH
    -- The whole state at lo, then the differences of each later height.
    account_change AS (
        SELECT lo AS height, count(*) AS n, coalesce(sum(r.balance), 0) AS upokt FROM (%1$s) r
        UNION ALL
        SELECT c.height, sum(c.n), sum(c.upokt)
        FROM (SELECT v.valid_from AS height, 1 AS n, v.balance::numeric AS upokt
              FROM ledger.account v
              WHERE lo < hi AND v.valid_from > lo AND v.valid_from <= hi
              UNION ALL
              SELECT v.valid_from, 1, v.balance FROM ledger.account_history v
              WHERE v.valid_to > lo AND v.valid_from > lo AND v.valid_from <= hi
              UNION ALL
              SELECT v.valid_to, -1, -v.balance FROM ledger.account_history v
              WHERE v.valid_to > lo AND v.valid_to <= hi) c
        GROUP BY c.height
    ),
    pool_change AS (
        SELECT c.height, coalesce(tidemark.pool_name(c.address), '') AS name, c.upokt
        FROM (SELECT lo AS height, r.address, r.balance::numeric AS upokt FROM (%2$s) r
              UNION ALL
              SELECT v.valid_from, v.address, v.balance FROM ledger.pool v
              WHERE v.valid_from > lo AND v.valid_from <= hi
              UNION ALL
              SELECT v.valid_from, v.address, v.balance FROM ledger.pool_history v
              WHERE v.valid_to > lo AND v.valid_from > lo AND v.valid_from <= hi
              UNION ALL
              SELECT v.valid_to, v.address, -v.balance FROM ledger.pool_history v
              WHERE v.valid_to > lo AND v.valid_to <= hi) c
    ),
    pool_sum AS (
        SELECT p.height,
            sum(p.upokt) FILTER (WHERE p.name = 'DAO') AS dao,
            sum(p.upokt) FILTER (WHERE p.name = 'FeeCollector') AS collector,
            sum(p.upokt) FILTER (WHERE p.name = 'AppStakePool') AS application,
            sum(p.upokt) FILTER (WHERE p.name = 'ValidatorStakePool') AS validator,
            sum(p.upokt) FILTER (WHERE p.name = 'ServicerStakePool') AS servicer,
            sum(p.upokt) FILTER (WHERE p.name = 'FishermanStakePool') AS fisherman,
            sum(p.upokt) FILTER (WHERE p.name = '') AS other
        FROM pool_change p
        GROUP BY p.height
    )
    SELECT b.height, (b.block_time AT TIME ZONE 'UTC')::date, b.proposer,
        (sum(a.n) OVER w)::bigint, coalesce(sum(a.upokt) OVER w, 0)::tidemark.upokt,
        coalesce(sum(p.dao) OVER w, 0)::tidemark.upokt,
        coalesce(sum(p.collector) OVER w, 0)::tidemark.upokt,
        coalesce(sum(p.application) OVER w, 0)::tidemark.upokt,
        coalesce(sum(p.validator) OVER w, 0)::tidemark.upokt,
        coalesce(sum(p.servicer) OVER w, 0)::tidemark.upokt,
        coalesce(sum(p.fisherman) OVER w, 0)::tidemark.upokt,
        coalesce(sum(p.other) OVER w, 0)::tidemark.upokt,
        f.fee::tidemark.upokt, f.reward::tidemark.upokt
    FROM ledger.block b
    LEFT JOIN account_change a ON a.height = b.height
    LEFT JOIN pool_sum p ON p.height = b.height
    CROSS JOIN LATERAL ledger.computed_reward(b.height) f
    WHERE b.height BETWEEN lo AND hi
    WINDOW w AS (ORDER BY b.height);
END $body$ $function$,
        ledger.rows_at('account', 'lo', 'v.balance'),
        ledger.rows_at('pool', 'lo', 'v.address, v.balance'));
END $$;
COMMENT ON FUNCTION ledger.computed_block_total(bigint, bigint) IS
    'ledger.block_total for heights lo to hi, made from the rows of blocks and state.';

-- What the end of block h shared out. Under `reference` the fee collector's balance before the block,
-- to the proposer by a binary fraction, which below 2^56 upokt is the exact one, cut off.
CREATE OR REPLACE FUNCTION ledger.computed_reward(h bigint, OUT fee numeric, OUT reward numeric)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
BEGIN
    IF h = 0 THEN
        fee := 0;
        reward := 0;
    ELSIF h <= (SELECT p.earliest FROM ledger.tip p) THEN
        RETURN;
    ELSIF (SELECT c.rules = 'standard' FROM ledger.chain c) THEN
        fee := ledger.collected(h);
        reward := div(fee * ledger.param_before_step('proposer_percentage_of_fees', h,
                                                     1000001)::numeric, 100);
    ELSE
        fee := ledger.balance_at('pool', convert_to(encode(ledger.pool_address('FeeCollector'),
                                                           'hex'), 'UTF8'), h - 1);
        reward := trunc(fee * ledger.param_before_step('proposer_percentage_of_fees', h,
                                                       -1)::numeric * 0.01);
    END IF;
END $$;
COMMENT ON FUNCTION ledger.computed_reward(bigint) IS
    'What the end of block h shared out in upokt, and the proposer''s part of it; NULL where h is pruned.';

-- Under `reference` every step reads the state before the block.
CREATE OR REPLACE FUNCTION ledger.computed_block_message(lo bigint, hi bigint)
RETURNS SETOF ledger.block_message
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    is_standard CONSTANT boolean := (SELECT c.rules = 'standard' FROM ledger.chain c);
BEGIN
    RETURN QUERY
    SELECT t.height, t.message_type, (b.block_time AT TIME ZONE 'UTC')::date, count(*),
        count(*) FILTER (WHERE t.result_code <> 0),
        sum(ledger.param_before_step(ledger.fee_name(t.message_type, t.tx), t.height,
            CASE WHEN is_standard THEN t.tx_index ELSE -1 END)::numeric)::tidemark.upokt
    FROM ledger.transaction t
    JOIN ledger.block b ON b.height = t.height
    WHERE t.height BETWEEN lo AND hi AND t.height > (SELECT p.earliest FROM ledger.tip p)
    GROUP BY t.height, t.message_type, b.block_time;
END $$;
COMMENT ON FUNCTION ledger.computed_block_message(bigint, bigint) IS
    'ledger.block_message for heights lo to hi, made from the rows of transactions and parameters.';

-- Versions that begin and end at a height, side by side.
DO $$
DECLARE
    flows text;
    stays text;
BEGIN
    SELECT string_agg(format($branch$
    SELECT %1$L::text AS actor_type, coalesce(a.valid_from, z.valid_to) AS height,
        z.address IS NULL AS staked, a.stake AS to_stake, z.stake AS from_stake,
        z.address IS NOT NULL AND a.address IS NOT NULL
            AND (a.stake, a.service_url, a.chains) IS DISTINCT FROM
                (z.stake, z.service_url, z.chains) AS edited,
        a.unstaking_height <> -1 AND coalesce(z.unstaking_height, -1) = -1 AS unstaking,
        a.address IS NULL AS returned
    FROM (SELECT v.* FROM (
              SELECT v.address, v.valid_from, v.stake, v.service_url, v.chains, v.unstaking_height
              FROM ledger.%1$I v WHERE v.valid_from BETWEEN lo AND hi
              UNION ALL
              SELECT v.address, v.valid_from, v.stake, v.service_url, v.chains, v.unstaking_height
              FROM ledger.%2$I v
              WHERE v.valid_to > lo AND v.valid_from BETWEEN lo AND hi) v) a
    FULL JOIN (SELECT v.* FROM ledger.%2$I v WHERE v.valid_to BETWEEN lo AND hi) z
        ON z.address = a.address AND z.valid_to = a.valid_from$branch$,
            k.name, k.name || '_history'), E'\n    UNION ALL'),
        string_agg(format($branch$
    SELECT %1$L::text AS actor_type, v.unstaking_height AS height, v.stake
    FROM (SELECT v.valid_from, NULL::bigint AS valid_to, v.stake, v.unstaking_height
          FROM ledger.%1$I v
          UNION ALL
          SELECT v.valid_from, v.valid_to, v.stake, v.unstaking_height
          FROM ledger.%2$I v WHERE v.valid_to >= lo) v
    WHERE NOT is_standard AND v.unstaking_height BETWEEN greatest(lo, 1) AND hi
        AND v.valid_from < v.unstaking_height
        AND coalesce(v.valid_to >= v.unstaking_height, true)$branch$,
            k.name, k.name || '_history'), E'\n    UNION ALL')
    INTO STRICT flows, stays
    FROM (VALUES ('application'), ('validator'), ('servicer'), ('fisherman')) k(name);

    EXECUTE format($function$
CREATE OR REPLACE FUNCTION ledger.computed_block_stake(lo bigint, hi bigint) RETURNS SETOF ledger.block_stake
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $body$
#variable_conflict use_column
DECLARE
    is_standard CONSTANT boolean := (SELECT c.rules = 'standard' FROM ledger.chain c);
BEGIN
    RETURN QUERY
    WITH flow AS (%1$s
    ),
    -- Under `reference` an actor gets its stake back and stays.
    stay AS (%2$s
    ),
    every AS (
        SELECT f.actor_type, f.height, f.staked, f.to_stake, f.edited,
            f.to_stake - f.from_stake AS difference, f.unstaking, f.returned, f.from_stake
        FROM flow f
        UNION ALL
        SELECT s.actor_type, s.height, false, NULL, false, NULL, false, true, s.stake
        FROM stay s
    )
    SELECT e.height, e.actor_type, (b.block_time AT TIME ZONE 'UTC')::date,
        count(*) FILTER (WHERE e.staked),
        coalesce(sum(e.to_stake) FILTER (WHERE e.staked), 0)::tidemark.upokt,
        count(*) FILTER (WHERE e.edited),
        coalesce(sum(e.difference) FILTER (WHERE e.edited), 0)::tidemark.upokt,
        count(*) FILTER (WHERE e.unstaking),
        coalesce(sum(e.to_stake) FILTER (WHERE e.unstaking), 0)::tidemark.upokt,
        count(*) FILTER (WHERE e.returned),
        coalesce(sum(e.from_stake) FILTER (WHERE e.returned), 0)::tidemark.upokt
    FROM every e
    JOIN ledger.block b ON b.height = e.height
    WHERE (e.staked OR e.edited OR e.unstaking OR e.returned)
        AND (e.height = 0 OR e.height > (SELECT p.earliest FROM ledger.tip p))
    GROUP BY e.height, e.actor_type, b.block_time;
END $body$ $function$, flows, stays);
END $$;
COMMENT ON FUNCTION ledger.computed_block_stake(bigint, bigint) IS
    'ledger.block_stake for heights lo to hi, made from the versions of the actors.';

-- Chains of servicers that sessions can draw. At lo, unless that is 0, also those without a change.
DO $$
BEGIN
    EXECUTE format($function$
CREATE OR REPLACE FUNCTION ledger.computed_block_chain(lo bigint, hi bigint) RETURNS SETOF ledger.block_chain
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $body$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH step AS (
        SELECT v.address, v.valid_from AS height, 1 AS sign, v.chains
        FROM (SELECT v.address, v.valid_from, v.chains, v.paused_height, v.unstaking_height
              FROM ledger.servicer v WHERE v.valid_from BETWEEN lo AND hi
              UNION ALL
              SELECT v.address, v.valid_from, v.chains, v.paused_height, v.unstaking_height
              FROM ledger.servicer_history v
              WHERE v.valid_to > lo AND v.valid_from BETWEEN lo AND hi) v
        WHERE v.paused_height = -1 AND v.unstaking_height = -1
        UNION ALL
        SELECT v.address, v.valid_to, -1, v.chains
        FROM ledger.servicer_history v
        WHERE v.valid_to BETWEEN lo AND hi AND v.paused_height = -1 AND v.unstaking_height = -1
    ),
    -- What a servicer ends and begins at one height is no change.
    change AS (
        SELECT s.height, c.chain, sum(s.sign) AS sign
        FROM step s, LATERAL (SELECT DISTINCT u.chain FROM unnest(s.chains) u(chain)) c
        GROUP BY s.height, s.address, c.chain
        HAVING sum(s.sign) <> 0
    ),
    total AS (
        SELECT c.height, c.chain, count(*) FILTER (WHERE c.sign > 0) AS joined,
            count(*) FILTER (WHERE c.sign < 0) AS gone
        FROM change c
        GROUP BY c.height, c.chain
    ),
    base AS (
        SELECT c.chain, count(*) AS servicers
        FROM (%s) v, LATERAL (SELECT DISTINCT u.chain FROM unnest(v.chains) u(chain)) c
        WHERE v.paused_height = -1 AND v.unstaking_height = -1
        GROUP BY c.chain
    ),
    line AS (
        SELECT t.height, t.chain, t.joined, t.gone FROM total t
        UNION ALL
        SELECT lo, b.chain, 0, 0 FROM base b
        WHERE lo > 0 AND NOT EXISTS (SELECT FROM total t WHERE t.height = lo AND t.chain = b.chain)
    )
    SELECT l.height, l.chain, (b.block_time AT TIME ZONE 'UTC')::date, l.joined, l.gone,
        (coalesce((SELECT s.servicers FROM base s WHERE s.chain = l.chain), 0)
         + coalesce(sum(l.joined - l.gone) FILTER (WHERE l.height > lo)
             OVER (PARTITION BY l.chain ORDER BY l.height), 0))::bigint
    FROM line l
    JOIN ledger.block b ON b.height = l.height;
END $body$ $function$,
        ledger.rows_at('servicer', 'lo', 'v.chains, v.paused_height, v.unstaking_height'));
END $$;
COMMENT ON FUNCTION ledger.computed_block_chain(bigint, bigint) IS
    'ledger.block_chain for heights lo to hi, made from the versions of servicers; at lo also chains that did not change.';

-- Heights after the last one that has its sums; what `tidemark migrate` ends with. Reads each version
-- once. A node that runs meanwhile adds none, for want of those of the block before.
CREATE OR REPLACE FUNCTION ledger.fill_totals() RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    lo bigint;
    hi bigint;
BEGIN
    SELECT greatest(t.earliest, coalesce((SELECT max(b.height) + 1 FROM ledger.block_total b), 0)),
        t.height
    INTO lo, hi
    FROM ledger.tip t;
    IF lo IS NULL OR lo > hi THEN
        RETURN 0;
    END IF;
    INSERT INTO ledger.block_total SELECT * FROM ledger.computed_block_total(lo, hi);
    INSERT INTO ledger.block_message SELECT * FROM ledger.computed_block_message(lo, hi);
    INSERT INTO ledger.block_stake SELECT * FROM ledger.computed_block_stake(lo, hi);
    INSERT INTO ledger.block_chain SELECT * FROM ledger.computed_block_chain(lo, hi);
    RETURN hi - lo + 1;
END $$;
COMMENT ON FUNCTION ledger.fill_totals() IS
    'Makes the sums over blocks that were written without; answers for how many heights. For migrations.';

-- Rows above h of the derived tables, back to what they were at h.
CREATE OR REPLACE FUNCTION ledger.rollback_totals(h bigint) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    DELETE FROM ledger.block_total t WHERE t.height > h;
    DELETE FROM ledger.block_message t WHERE t.height > h;
    DELETE FROM ledger.block_stake t WHERE t.height > h;
    DELETE FROM ledger.block_chain t WHERE t.height > h;
    INSERT INTO ledger.large_balance AS v (address, valid_from, balance)
    SELECT b.address, b.valid_from, b.balance FROM ledger.large_balance_history b
    WHERE b.valid_to > h AND b.valid_from <= h
    ON CONFLICT (address) DO UPDATE
        SET valid_from = excluded.valid_from, balance = excluded.balance;
    DELETE FROM ledger.large_balance_history v WHERE v.valid_to > h;
    DELETE FROM ledger.large_balance v WHERE v.valid_from > h;
    DELETE FROM ledger.large_floor f WHERE f.height > h;
END $$;
COMMENT ON FUNCTION ledger.rollback_totals(bigint) IS
    'The derived tables'' part of tidemark.rollback: as they were at h.';

-- Sums over pruned blocks stay: a few hundred bytes for each, and the answer to most questions.
CREATE OR REPLACE FUNCTION ledger.prune_totals(earliest bigint) RETURNS void
LANGUAGE sql VOLATILE
BEGIN ATOMIC
    DELETE FROM ledger.large_balance_history v WHERE v.valid_to <= $1;
END;
COMMENT ON FUNCTION ledger.prune_totals(bigint) IS
    'The derived tables'' part of a step of tidemark prune.';

-- Lists of the 100 richest need `fewest` rows; the others are spare, for accounts that leave.
CREATE OR REPLACE FUNCTION ledger.large_bounds(OUT fewest int, OUT kept int, OUT most int)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT 150, 400, 1500;
END;
COMMENT ON FUNCTION ledger.large_bounds() IS
    'Between how many rows ledger.large_balance is left alone, and how many are kept where it has fewer or more. The node reads them here.';

-- Keeps the number of rows in ledger.large_balance between fewest and most: where there are fewer, the
-- kept ones that rank highest of all accounts, by reading them all; where there are more, those of the
-- rows. What is true at earlier heights stays as it is. Other writers wait at the tip's row.
CREATE OR REPLACE FUNCTION ledger.tend_large_balances(fewest int, kept int, most int) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
    tip_height bigint;
    known boolean := EXISTS (SELECT FROM ledger.large_floor);
    above bigint;
    floor record;
BEGIN
    SELECT t.height INTO tip_height FROM ledger.tip t FOR UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    above := (SELECT count(*) FROM ledger.large_balance);
    IF known AND above >= fewest AND above <= most
       OR known AND above < fewest
           AND (SELECT f.balance IS NULL FROM ledger.large_floor f ORDER BY f.height DESC LIMIT 1) THEN
        RETURN;
    END IF;
    IF NOT known OR above < fewest THEN
        INSERT INTO ledger.large_balance (address, valid_from, balance)
        SELECT a.address, tip_height, a.balance
        FROM (SELECT v.address, v.balance FROM ledger.account v
              ORDER BY v.balance DESC, v.address LIMIT kept) a
        ON CONFLICT (address) DO NOTHING;
    END IF;
    SELECT v.balance, v.address INTO floor
    FROM ledger.large_balance v ORDER BY v.balance DESC, v.address OFFSET kept - 1 LIMIT 1;
    INSERT INTO ledger.large_floor AS f (height, balance, address)
    VALUES (tip_height, floor.balance, floor.address)
    ON CONFLICT (height) DO UPDATE SET balance = excluded.balance, address = excluded.address;
    WITH below AS (
        DELETE FROM ledger.large_balance v
        WHERE v.balance < floor.balance
            OR (v.balance = floor.balance AND v.address > floor.address)
        RETURNING v.address, v.valid_from, v.balance
    )
    INSERT INTO ledger.large_balance_history (address, valid_from, valid_to, class, balance)
    SELECT b.address, b.valid_from, tip_height, ledger.lifetime_class(tip_height - b.valid_from),
        b.balance
    FROM below b WHERE b.valid_from < tip_height;
END $$;
COMMENT ON FUNCTION ledger.tend_large_balances(int, int, int) IS
    'Moves the floor of ledger.large_balance where it has too few or too many rows. For the node.';
