-- Schema `report`: ready answers. Everything here is derived; what is read from the tables of sums
-- (sql/70_report_totals.sql) is checked by report.check().

-- An amount and the same in POKT; a product of numerics is exact, a quotient would be rounded.
CREATE OR REPLACE FUNCTION ledger.amount_columns(expression text, name text) RETURNS text
LANGUAGE sql IMMUTABLE
RETURN format('(%1$s)::tidemark.upokt AS %2$s_upokt, (%1$s) * 0.000001 AS %2$s_pokt', expression,
              name);

DO $$
DECLARE
    pools CONSTANT text := '(t.dao_upokt + t.fee_collector_upokt + t.application_stake_upokt + '
        't.validator_stake_upokt + t.servicer_stake_upokt + t.fisherman_stake_upokt + '
        't.other_pool_upokt)';
    stakes text;
    day_stakes text;
BEGIN
    EXECUTE format(
        'CREATE VIEW report.supply AS '
        'SELECT t.height, b.block_time, t.accounts, %s FROM ledger.block_total t '
        'LEFT JOIN ledger.block b ON b.height = t.height',
        (SELECT string_agg(ledger.amount_columns(c.expression, c.name), ', ' ORDER BY c.place)
         FROM (VALUES (1, 'total', 't.account_upokt + ' || pools),
                      (2, 'account', 't.account_upokt'), (3, 'pool', pools),
                      (4, 'dao', 't.dao_upokt'), (5, 'fee_collector', 't.fee_collector_upokt'),
                      (6, 'application_stake', 't.application_stake_upokt'),
                      (7, 'validator_stake', 't.validator_stake_upokt'),
                      (8, 'servicer_stake', 't.servicer_stake_upokt'),
                      (9, 'fisherman_stake', 't.fisherman_stake_upokt'),
                      (10, 'other_pool', 't.other_pool_upokt')) c(place, name, expression)));

    SELECT string_agg(format('t.%1$s, ', c.name)
                      || ledger.amount_columns(format('t.%s_upokt', c.name), c.name), ', '
                      ORDER BY c.place),
        string_agg(format('sum(t.%1$s)::bigint AS %1$s, ', c.name)
                   || ledger.amount_columns(format('sum(t.%s_upokt)', c.name), c.name), ', '
                   ORDER BY c.place)
    INTO STRICT stakes, day_stakes
    FROM (VALUES (1, 'staked'), (2, 'edited'), (3, 'unstaking'), (4, 'returned')) c(place, name);
    EXECUTE format(
        'CREATE VIEW report.staking AS '
        'SELECT t.height, b.block_time, t.actor_type, %s FROM ledger.block_stake t '
        'LEFT JOIN ledger.block b ON b.height = t.height', stakes);
    EXECUTE format(
        'CREATE VIEW report.staking_day AS '
        'SELECT t.day, t.actor_type, %s FROM ledger.block_stake t GROUP BY t.day, t.actor_type',
        day_stakes);

    EXECUTE format(
        'CREATE VIEW report.message AS '
        'SELECT t.height, b.block_time, t.message_type, t.transactions, t.failed, %s '
        'FROM ledger.block_message t LEFT JOIN ledger.block b ON b.height = t.height',
        ledger.amount_columns('t.fee_upokt', 'fee'));
    EXECUTE format(
        'CREATE VIEW report.message_day AS '
        'SELECT t.day, t.message_type, sum(t.transactions)::bigint AS transactions, '
        'sum(t.failed)::bigint AS failed, %s '
        'FROM ledger.block_message t GROUP BY t.day, t.message_type',
        ledger.amount_columns('sum(t.fee_upokt)', 'fee'));

    EXECUTE format(
        'CREATE VIEW report.proposer_reward AS '
        'SELECT t.height, b.block_time, t.proposer, l.name AS label, %s, %s, %s '
        'FROM ledger.block_total t LEFT JOIN ledger.block b ON b.height = t.height '
        'LEFT JOIN report.label l ON l.address = t.proposer '
        'WHERE t.height > 0 AND t.fee_upokt IS NOT NULL',
        ledger.amount_columns('t.fee_upokt', 'fee'),
        ledger.amount_columns('t.reward_upokt', 'reward'),
        ledger.amount_columns('t.fee_upokt - t.reward_upokt', 'to_dao'));
    EXECUTE format(
        'CREATE VIEW report.proposer_reward_day AS '
        'SELECT t.day, t.proposer, l.name AS label, t.blocks, t.fee_upokt, t.fee_pokt, '
        't.reward_upokt, t.reward_pokt, t.to_dao_upokt, t.to_dao_pokt '
        'FROM (SELECT t.day, t.proposer, count(*) AS blocks, %s, %s, %s '
        'FROM ledger.block_total t WHERE t.height > 0 AND t.fee_upokt IS NOT NULL '
        'GROUP BY t.day, t.proposer) t '
        'LEFT JOIN report.label l ON l.address = t.proposer',
        ledger.amount_columns('sum(t.fee_upokt)', 'fee'),
        ledger.amount_columns('sum(t.reward_upokt)', 'reward'),
        ledger.amount_columns('sum(t.fee_upokt - t.reward_upokt)', 'to_dao'));
END $$;

CREATE VIEW report.servicer_churn AS
SELECT t.height, b.block_time, t.relay_chain, t.joined, t.gone, t.servicers
FROM ledger.block_chain t
LEFT JOIN ledger.block b ON b.height = t.height;

-- servicers: of the day's last change.
CREATE VIEW report.servicer_churn_day AS
SELECT t.day, t.relay_chain, sum(t.joined)::bigint AS joined, sum(t.gone)::bigint AS gone,
    (SELECT c.servicers FROM ledger.block_chain c
     WHERE c.relay_chain = t.relay_chain AND c.height = max(t.height)) AS servicers
FROM ledger.block_chain t
GROUP BY t.day, t.relay_chain;

CREATE VIEW report.param_timeline AS
SELECT p.valid_from AS height, b.block_time, p.name, z.value AS from_value, p.value AS to_value,
    p.step, p.tx_index, p.hash,
    (SELECT t.signer FROM ledger.transaction t
     WHERE t.height = p.valid_from AND t.tx_index = p.tx_index) AS signer
FROM history.param p
LEFT JOIN ledger.param_history z ON z.name = p.name AND z.valid_to = p.valid_from
LEFT JOIN ledger.block b ON b.height = p.valid_from;

-- Actors whose unstaking has not ended yet.
DO $$
DECLARE
    actors text;
BEGIN
    SELECT string_agg(format('SELECT %L::text AS actor_type, a.* FROM (%s) a', k.name,
               ledger.rows_at(k.name, 'at.h',
                   'v.address, v.output_address, v.stake, v.paused_height, v.unstaking_height',
                   ' AND v.unstaking_height <> -1 AND v.unstaking_height > at.h')),
               E'\n    UNION ALL ')
    INTO STRICT actors
    FROM (VALUES ('application'), ('validator'), ('servicer'), ('fisherman')) k(name);

    EXECUTE format($function$
CREATE FUNCTION report.unbonding_at(h bigint)
RETURNS TABLE (actor_type text, address bytea, label text, output_address bytea,
    stake_upokt tidemark.upokt, stake_pokt numeric, unstaking_height bigint, blocks_left bigint,
    height bigint)
LANGUAGE sql STABLE PARALLEL SAFE BEGIN ATOMIC
SELECT u.actor_type, u.address, l.name, u.output_address, u.stake, u.stake * 0.000001,
    u.unstaking_height, u.unstaking_height - at.h, at.h
FROM tidemark.height($1) AS at(h)
CROSS JOIN LATERAL (%s) u
LEFT JOIN report.label l ON l.address = u.address;
END $function$, actors);
END $$;

CREATE VIEW report.unbonding AS
SELECT u.* FROM (SELECT t.height AS h FROM ledger.tip t) at, LATERAL report.unbonding_at(at.h) u;

-- --- the richest ---------------------------------------------------------------------------------

-- n rows of ledger.large_balance at h are n accounts that all others rank below; where there are
-- fewer, all accounts are read.
DO $$
BEGIN
    EXECUTE format($function$
CREATE FUNCTION report.richest_account_at(h bigint, n int DEFAULT 100)
RETURNS TABLE (rank int, address bytea, label text, balance_upokt tidemark.upokt,
    balance_pokt numeric, share numeric, height bigint, block_time timestamptz)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 100 SET search_path = pg_catalog, pg_temp AS $body$
#variable_conflict use_column
DECLARE
    RICHEST_MAX CONSTANT int := 1000;
    at_height CONSTANT bigint := tidemark.height(h);
    total numeric;
    at_time timestamptz;
    found record;
    place int := 0;
BEGIN
    IF n IS NULL OR n < 1 THEN
        RAISE EXCEPTION 'the list of the richest must have one row or more'
            USING ERRCODE = 'invalid_parameter_value';
    ELSIF n > RICHEST_MAX THEN
        RAISE EXCEPTION 'the list of the richest has at most %% rows', RICHEST_MAX
            USING ERRCODE = 'program_limit_exceeded',
                  HINT = 'For more, order state.account_at() by balance_upokt.';
    END IF;
    SELECT t.account_upokt + t.dao_upokt + t.fee_collector_upokt + t.application_stake_upokt
            + t.validator_stake_upokt + t.servicer_stake_upokt + t.fisherman_stake_upokt
            + t.other_pool_upokt INTO total
    FROM ledger.block_total t WHERE t.height = at_height;
    SELECT b.block_time INTO at_time FROM ledger.block b WHERE b.height = at_height;
    IF (SELECT count(*) FROM (SELECT FROM (%1$s) r LIMIT n) c) < n THEN
        RETURN QUERY
        SELECT (row_number() OVER (ORDER BY r.balance DESC, r.address))::int, r.address, l.name,
            r.balance, r.balance * 0.000001, round(r.balance / nullif(total, 0), 9), at_height,
            at_time
        FROM (SELECT r.address, r.balance FROM (%3$s) r
              ORDER BY r.balance DESC, r.address LIMIT n) r
        LEFT JOIN report.label l ON l.address = r.address
        ORDER BY 1;
        RETURN;
    END IF;
    RETURN QUERY
    SELECT (row_number() OVER (ORDER BY r.balance DESC, r.address))::int, r.address, l.name,
        r.balance, r.balance * 0.000001, round(r.balance / nullif(total, 0), 9), at_height, at_time
    FROM (SELECT r.address, r.balance FROM (%2$s) r
          ORDER BY r.balance DESC, r.address LIMIT n) r
    LEFT JOIN report.label l ON l.address = r.address
    ORDER BY 1;
END $body$ $function$,
        ledger.rows_at('large_balance', 'at_height', 'v.address'),
        ledger.rows_at('large_balance', 'at_height', 'v.address, v.balance'),
        ledger.rows_at('account', 'at_height', 'v.address, v.balance'));
END $$;

CREATE VIEW report.richest_account AS
SELECT r.* FROM (SELECT t.height AS h FROM ledger.tip t) at,
    LATERAL report.richest_account_at(at.h, 100) r;

-- The last block of each day; days without a block have none.
CREATE FUNCTION report.richest_account_day(days int DEFAULT 30, n int DEFAULT 100)
RETURNS TABLE (day date, rank int, address bytea, label text, balance_upokt tidemark.upokt,
    balance_pokt numeric, share numeric, height bigint, block_time timestamptz)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 3000 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    DAYS_MAX CONSTANT int := 3660;
    last_day CONSTANT date := (SELECT (b.block_time AT TIME ZONE 'UTC')::date
                               FROM ledger.tip t JOIN ledger.block b ON b.height = t.height);
BEGIN
    IF days IS NULL OR days < 1 THEN
        RAISE EXCEPTION 'a span of days must have one day or more'
            USING ERRCODE = 'invalid_parameter_value';
    ELSIF days > DAYS_MAX THEN
        RAISE EXCEPTION 'a span of days has at most % days', DAYS_MAX
            USING ERRCODE = 'program_limit_exceeded';
    END IF;
    RETURN QUERY
    SELECT d.day, r.rank, r.address, r.label, r.balance_upokt, r.balance_pokt, r.share, r.height,
        r.block_time
    FROM (SELECT last_day - i AS day FROM generate_series(days - 1, 0, -1) i) d,
        LATERAL (SELECT max(t.height) AS height FROM ledger.block_total t WHERE t.day = d.day) b,
        LATERAL report.richest_account_at(b.height, n) r
    WHERE b.height >= (SELECT t.earliest FROM ledger.tip t);
END $$;

-- --- validators ------------------------------------------------------------------------------------

-- A version of a validator is a span of heights; each of them is a block later that it can sign.
-- Under `reference` the proposer's own signature is not in the certificate.
CREATE FUNCTION report.validator_uptime_between(from_height bigint, to_height bigint)
RETURNS TABLE (address bytea, label text, could_sign bigint, signed bigint, uptime numeric,
    proposed bigint, first_height bigint, last_height bigint)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 100 SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan AS $$
#variable_conflict use_column
DECLARE
    lo CONSTANT bigint := validator_uptime_between.from_height;
    hi CONSTANT bigint := validator_uptime_between.to_height;
    is_reference CONSTANT boolean := (SELECT c.rules = 'reference' FROM ledger.chain c);
BEGIN
    PERFORM ledger.given_range(lo, hi);
    RETURN QUERY
    WITH span AS (
        SELECT v.address,
            -- Blocks lo to hi are signed by the sets at lo - 1 to hi - 1.
            greatest(v.valid_from, lo - 1) AS began,
            least(coalesce(v.valid_to, hi), hi) AS ended
        FROM (SELECT v.address, v.valid_from, NULL::bigint AS valid_to, v.paused_height,
                  v.unstaking_height
              FROM ledger.validator v
              UNION ALL
              SELECT v.address, v.valid_from, v.valid_to, v.paused_height, v.unstaking_height
              FROM ledger.validator_history v WHERE v.valid_to >= lo) v
        WHERE is_reference OR (v.paused_height = -1 AND v.unstaking_height = -1)
    ),
    able AS (
        SELECT s.address, sum(s.ended - s.began)::bigint AS n
        FROM span s WHERE s.ended > s.began GROUP BY s.address
    ),
    proposal AS (
        SELECT b.proposer AS address, count(*) AS n
        FROM ledger.block b WHERE b.height BETWEEN lo AND hi GROUP BY b.proposer
    ),
    -- Mostly the same ones sign.
    signature AS (
        SELECT s.address, sum(g.n)::bigint AS n
        FROM (SELECT c.signers, count(*) AS n
              FROM (SELECT tidemark.certificate_signers(b.certificate) AS signers
                    FROM ledger.block b WHERE b.height BETWEEN lo AND hi OFFSET 0) c
              GROUP BY c.signers) g,
            unnest(g.signers) s(address)
        GROUP BY s.address
    )
    SELECT c.address, l.name, c.n, coalesce(s.n, 0), round(coalesce(s.n, 0)::numeric / nullif(c.n, 0), 6),
        coalesce(p.n, 0), lo, hi
    FROM (SELECT a.address, a.n - CASE WHEN is_reference THEN coalesce(p.n, 0) ELSE 0 END AS n
          FROM able a LEFT JOIN proposal p ON p.address = a.address) c
    LEFT JOIN signature s ON s.address = c.address
    LEFT JOIN proposal p ON p.address = c.address
    LEFT JOIN report.label l ON l.address = c.address
    ORDER BY c.address;
END $$;

-- Heights of a span of blocks, the states before them included.
CREATE OR REPLACE FUNCTION ledger.given_range(from_height bigint, to_height bigint) RETURNS void
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM tidemark.height(from_height), tidemark.height(to_height);
    IF from_height > to_height THEN
        RAISE EXCEPTION 'the span of heights ends before it begins: % to %', from_height, to_height
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Give the lower height first.';
    ELSIF from_height = 0 THEN
        RAISE EXCEPTION 'nobody signs block 0'
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Begin with height 1.';
    END IF;
    PERFORM tidemark.height(from_height - 1);
END $$;
COMMENT ON FUNCTION ledger.given_range(bigint, bigint) IS
    'Raises where from_height to_height is no span of blocks whose sets of validators are kept.';

CREATE VIEW report.validator_uptime AS
SELECT u.*
FROM (SELECT greatest(t.height - 999, t.earliest + 1) AS lo, t.height AS hi FROM ledger.tip t) w,
    LATERAL report.validator_uptime_between(w.lo, w.hi) u
WHERE w.lo <= w.hi;

-- --- sums against rows -----------------------------------------------------------------------------

-- Where the range begins at the earliest height of a pruned chain, what that block changed is not
-- known any more.
DO $$
DECLARE
    differences text;
BEGIN
    SELECT string_agg(format($branch$
    SELECT coalesce(s.height, c.height) AS height, %1$L AS report, %2$s AS item,
        d.key AS column_name, d.stored, d.computed
    FROM (SELECT * FROM ledger.%1$I t WHERE t.height BETWEEN lo AND hi) s
    FULL JOIN (SELECT * FROM ledger.%3$I(lo, hi)) c ON c.height = s.height%4$s,
    LATERAL (SELECT coalesce(x.key, y.key) AS key, x.value AS stored, y.value AS computed
             FROM jsonb_each_text(to_jsonb(s)) x
             FULL JOIN jsonb_each_text(to_jsonb(c)) y ON y.key = x.key
             WHERE x.value IS DISTINCT FROM y.value) d$branch$,
        k.name, k.item, 'computed_' || k.name, k.joined), E'\n    UNION ALL')
    INTO STRICT differences
    FROM (VALUES ('block_total', 'NULL::text', ''),
                 ('block_message', 'coalesce(s.message_type, c.message_type)',
                  ' AND c.message_type = s.message_type'),
                 ('block_stake', 'coalesce(s.actor_type, c.actor_type)',
                  ' AND c.actor_type = s.actor_type'),
                 ('block_chain', 'coalesce(s.relay_chain, c.relay_chain)',
                  ' AND c.relay_chain = s.relay_chain')) k(name, item, joined);

    EXECUTE format($function$
CREATE FUNCTION report.check_between(from_height bigint, to_height bigint)
RETURNS TABLE (height bigint, report text, item text, column_name text, stored text, computed text)
LANGUAGE plpgsql STABLE ROWS 10 SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_custom_plan AS $body$
#variable_conflict use_column
DECLARE
    lo CONSTANT bigint := tidemark.height(from_height);
    hi CONSTANT bigint := tidemark.height(to_height);
BEGIN
    IF lo > hi THEN
        RAISE EXCEPTION 'the span of heights ends before it begins: %% to %%', lo, hi
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Give the lower height first.';
    ELSIF lo > 0 AND lo = (SELECT t.earliest FROM ledger.tip t) THEN
        RAISE EXCEPTION 'what block %% changed is pruned', lo
            USING ERRCODE = 'numeric_value_out_of_range',
                  HINT = format('The first height that can be checked is %%s.', lo + 1);
    END IF;
    RETURN QUERY
    SELECT d.height, d.report, d.item, d.column_name, d.stored, d.computed
    FROM (%1$s) d
    -- Chains that did not change at lo are there for their number of servicers alone.
    WHERE NOT (d.report = 'block_chain' AND d.height = lo AND d.stored IS NULL AND EXISTS (
        SELECT FROM ledger.computed_block_chain(lo, lo) c
        WHERE c.relay_chain = d.item AND c.joined = 0 AND c.gone = 0))
    ORDER BY 1, 2, 3, 4;

    -- Each row is an account at its balance, and no account outside ranks above one of them.
    RETURN QUERY
    WITH large AS (%2$s), every AS MATERIALIZED (%3$s),
    lowest AS (SELECT l.balance, l.address FROM large l ORDER BY l.balance, l.address DESC LIMIT 1)
    SELECT hi, 'large_balance', encode(coalesce(l.address, e.address), 'hex'), 'balance',
        l.balance::text, e.balance::text
    FROM large l
    FULL JOIN (SELECT e.address, e.balance FROM every e, lowest b
               WHERE e.balance > b.balance OR e.balance = b.balance AND e.address <= b.address) e
        ON e.address = l.address
    WHERE l.balance IS DISTINCT FROM e.balance
    ORDER BY 3;
END $body$ $function$, differences,
        ledger.rows_at('large_balance', 'hi', 'v.address, v.balance'),
        ledger.rows_at('account', 'hi', 'v.address, v.balance'));
END $$;

CREATE FUNCTION report.check(h bigint)
RETURNS TABLE (height bigint, report text, item text, column_name text, stored text, computed text)
LANGUAGE sql STABLE ROWS 10 BEGIN ATOMIC
SELECT c.height, c.report, c.item, c.column_name, c.stored, c.computed
FROM report.check_between($1, $1) c;
END;

-- --- sessions --------------------------------------------------------------------------------------

CREATE FUNCTION report.session_load_at(h bigint, for_chain text DEFAULT NULL)
RETURNS TABLE (relay_chain text, address bytea, label text, sessions bigint, share numeric,
    chain_sessions bigint, session_height bigint, height bigint)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 1000 BEGIN ATOMIC
SELECT s.chain, s.address, l.name, s.sessions,
    round(s.sessions::numeric / nullif(s.chain_sessions, 0), 6), s.chain_sessions,
    s.session_height, at.h
FROM tidemark.height($1) AS at(h)
CROSS JOIN LATERAL tidemark.session_load_at(at.h, $2, '') s
LEFT JOIN report.label l ON l.address = s.address;
END;

CREATE VIEW report.session_load AS
SELECT s.* FROM (SELECT t.height AS h FROM ledger.tip t) at,
    LATERAL report.session_load_at(at.h) s;
