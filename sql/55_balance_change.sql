-- chain.balance_change: what moved every balance, derived from the rows of blocks, transactions and
-- parameters.
--
-- Under `standard` every step of a block sees those before it, so that each has its own delta: the
-- fee parameter in force at its place, the amount of its message, the rules of the block's end.
-- Under `reference` steps read the state before the block and the last to write a balance wins: only
-- the net change of a block can be told.

-- The functions below are plpgsql, whose plans stay for the session: as part of the view their
-- branches would be planned with each query.
DO $$
BEGIN
    EXECUTE format($function$
CREATE OR REPLACE FUNCTION ledger.param_before_step(name text, h bigint, step int) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan AS $body$
#variable_conflict use_variable
DECLARE
    writer int;
BEGIN
    SELECT max(c.step) INTO writer
    FROM ledger.change c
    WHERE c.height = h AND c.tree = 7 AND c.key = convert_to(name, 'UTF8') AND c.step < step;
    IF writer >= 0 THEN
        RETURN (SELECT (tidemark.decode_message_change_parameter(t.tx)).value
                FROM ledger.transaction t WHERE t.height = h AND t.tx_index = writer);
    END IF;
    RETURN (SELECT r.value FROM (%s) r LIMIT 1);
END $body$ $function$,
        ledger.rows_at('param', '(h - 1)', 'v.value', ' AND v.name = param_before_step.name'));

    EXECUTE format($function$
CREATE OR REPLACE FUNCTION ledger.balance_at(kind text, address bytea, h bigint) RETURNS numeric
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan AS $body$
#variable_conflict use_variable
BEGIN
    IF kind = 'pool' THEN
        RETURN coalesce((SELECT r.balance FROM (%s) r LIMIT 1), 0);
    END IF;
    RETURN coalesce((SELECT r.balance FROM (%s) r LIMIT 1), 0);
END $body$ $function$,
        ledger.rows_at('pool', 'h', 'v.balance', ' AND v.address = balance_at.address'),
        ledger.rows_at('account', 'h', 'v.balance', ' AND v.address = balance_at.address'));
END $$;
COMMENT ON FUNCTION ledger.param_before_step(text, bigint, int) IS
    'Value of a parameter that is in force for a step of block h: as an earlier transaction of the block set it, else as of h - 1.';
COMMENT ON FUNCTION ledger.balance_at(text, bytea, bigint) IS
    'Balance in upokt of an account or pool (kind) after block h; 0 = there is none.';

-- The name of the fee that a transaction pays (message_stake_app_fee, …).
CREATE OR REPLACE FUNCTION ledger.fee_name(message_type text, tx bytea) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    verb text;
    kind text;
BEGIN
    CASE message_type
    WHEN 'MessageStake' THEN
        verb := 'stake';
        kind := (tidemark.decode_message_stake(tx)).actor_type;
    WHEN 'MessageEditStake' THEN
        verb := 'edit_stake';
        kind := (tidemark.decode_message_edit_stake(tx)).actor_type;
    WHEN 'MessageUnstake' THEN
        verb := 'unstake';
        kind := (tidemark.decode_message_unstake(tx)).actor_type;
    WHEN 'MessageUnpause' THEN
        verb := 'unpause';
        kind := (tidemark.decode_message_unpause(tx)).actor_type;
    WHEN 'MessageChangeParameter' THEN
        RETURN 'message_change_parameter_fee';
    ELSE
        RETURN 'message_send_fee';
    END CASE;
    RETURN format('message_%s_%s_fee', verb, replace(kind, 'application', 'app'));
END $$;
COMMENT ON FUNCTION ledger.fee_name(text, bytea) IS
    'Name of the parameter that holds the fee of a transaction.';

CREATE OR REPLACE FUNCTION ledger.fee(message_type text, tx bytea, h bigint, tx_index int)
RETURNS numeric
LANGUAGE sql STABLE PARALLEL SAFE
RETURN ledger.param_before_step(ledger.fee_name(message_type, tx), h, tx_index)::numeric;
COMMENT ON FUNCTION ledger.fee(text, bytea, bigint, int) IS
    'Fee in upokt that a transaction of block h paid. For the rule set standard.';

-- Where the stakes of a kind of actor lie.
CREATE OR REPLACE FUNCTION ledger.pool_address(name text) RETURNS bytea
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN decode(rpad(encode(convert_to(name, 'UTF8'), 'hex'), 40, '0'), 'hex');
COMMENT ON FUNCTION ledger.pool_address(text) IS
    'Address of a pool by its name under the rule set standard: the name, padded with zero bytes.';

-- What a stake message moved: the amount, or its difference to the stake it replaces, which an earlier
-- transaction of the block may have set.
DO $$
DECLARE
    stakes text;
BEGIN
    SELECT string_agg(format('WHEN %L THEN SELECT r.stake INTO before FROM (%s) r LIMIT 1;', k.name,
               ledger.rows_at(k.name, '(h - 1)', 'v.stake', ' AND v.address = actor')), E'\n        ')
    INTO STRICT stakes
    FROM (VALUES ('application'), ('validator'), ('fisherman'), ('servicer')) k(name);

    EXECUTE format($function$
CREATE OR REPLACE FUNCTION ledger.staked(message_type text, tx bytea, h bigint, tx_index int,
    OUT pool bytea, OUT amount numeric)
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $body$
#variable_conflict use_variable
DECLARE
    kind text;
    actor bytea;
    before numeric;
BEGIN
    IF message_type = 'MessageStake' THEN
        SELECT m.actor_type, m.amount_upokt INTO kind, amount
        FROM tidemark.decode_message_stake(tx) m;
    ELSE
        SELECT m.actor_type, m.address, m.amount_upokt INTO kind, actor, amount
        FROM tidemark.decode_message_edit_stake(tx) m;
        SELECT coalesce((tidemark.decode_message_stake(t.tx)).amount_upokt,
                        (tidemark.decode_message_edit_stake(t.tx)).amount_upokt)
        INTO before
        FROM ledger.change c
        JOIN ledger.transaction t ON t.height = c.height AND t.tx_index = c.step
        WHERE c.height = h AND c.key = actor AND c.step < tx_index
            AND c.tree = CASE kind WHEN 'application' THEN 0 WHEN 'validator' THEN 1
                                   WHEN 'fisherman' THEN 2 ELSE 3 END
            AND t.message_type IN ('MessageStake', 'MessageEditStake')
        ORDER BY c.step DESC LIMIT 1;
        IF before IS NULL THEN
            CASE kind
            %s
            END CASE;
        END IF;
        amount := amount - coalesce(before, 0);
    END IF;
    pool := ledger.pool_address(CASE kind WHEN 'application' THEN 'App'
        ELSE upper(left(kind, 1)) || substr(kind, 2) END || 'StakePool');
END $body$ $function$, stakes);
END $$;
COMMENT ON FUNCTION ledger.staked(text, bytea, bigint, int) IS
    'What a stake or edit-stake message of block h that was done moved from its signer into which pool. For the rule set standard.';

-- What the end of block h shared out: all of the fee collector.
CREATE OR REPLACE FUNCTION ledger.collected(h bigint) RETURNS numeric
LANGUAGE sql STABLE PARALLEL SAFE
RETURN ledger.balance_at('pool', ledger.pool_address('FeeCollector'), h - 1)
    + coalesce((SELECT sum(ledger.fee(t.message_type, t.tx, t.height, t.tx_index))
                FROM ledger.transaction t WHERE t.height = h), 0);
COMMENT ON FUNCTION ledger.collected(bigint) IS
    'What the fee collector held when block h ended, in upokt. For the rule set standard.';

DO $$
DECLARE
    is_standard CONSTANT text := '(SELECT c.rules = ''standard'' FROM ledger.chain c)';
    is_reference CONSTANT text := '(SELECT c.rules = ''reference'' FROM ledger.chain c)';
    kept CONSTANT text := 't.height > (SELECT p.earliest FROM ledger.tip p)';
    unbondings text;
BEGIN
    -- Under `standard` an actor leaves at the end of the block in which its unstaking is due, and a
    -- version that ends so ends in no other way.
    SELECT string_agg(format($branch$
    UNION ALL
    SELECT v.valid_to, w.kind, w.address, w.delta, 'unbonding', NULL, NULL
    FROM ledger.%1$I v,
        LATERAL (VALUES ('account', v.output_address, v.stake::numeric),
                        ('pool', ledger.pool_address(%2$L), -v.stake::numeric)) w(kind, address, delta)
    WHERE v.unstaking_height <> -1 AND v.unstaking_height <= v.valid_to AND %3$s
        AND v.valid_to > (SELECT p.earliest FROM ledger.tip p)$branch$,
        k.name || '_history', k.pool, is_standard), '')
    INTO STRICT unbondings
    FROM (VALUES ('application', 'AppStakePool'), ('validator', 'ValidatorStakePool'),
                 ('fisherman', 'FishermanStakePool'), ('servicer', 'ServicerStakePool'))
        k(name, pool);

    EXECUTE format($view$
CREATE VIEW chain.balance_change AS
SELECT c.height, b.block_time, c.kind, c.address, c.delta::tidemark.upokt AS delta_upokt,
    c.delta * 0.000001 AS delta_pokt, c.reason, c.tx_index, c.hash
FROM (
    -- What there was to begin with.
    SELECT p.height, 'account'::text AS kind, v.address, v.balance::numeric AS delta, p.reason,
        NULL::int AS tx_index, NULL::bytea AS hash
    FROM (SELECT earliest AS height, CASE earliest WHEN 0 THEN 'genesis' ELSE 'opening' END
          FROM ledger.tip) p(height, reason), LATERAL (%1$s) v
    UNION ALL
    SELECT p.height, 'pool', v.address, v.balance::numeric, p.reason, NULL, NULL
    FROM (SELECT earliest AS height, CASE earliest WHEN 0 THEN 'genesis' ELSE 'opening' END
          FROM ledger.tip) p(height, reason), LATERAL (%2$s) v

    UNION ALL
    -- OFFSET 0: the fee is computed once, not once for each place where it is named.
    SELECT t.height, 'account', t.signer, -f.fee, 'fee', t.tx_index, t.hash
    FROM ledger.transaction t,
        LATERAL (SELECT ledger.fee(t.message_type, t.tx, t.height, t.tx_index) OFFSET 0) f(fee)
    WHERE %3$s AND %5$s
    UNION ALL
    SELECT t.height, 'pool', ledger.pool_address('FeeCollector'), f.fee, 'fee', t.tx_index, t.hash
    FROM ledger.transaction t,
        LATERAL (SELECT ledger.fee(t.message_type, t.tx, t.height, t.tx_index) OFFSET 0) f(fee)
    WHERE %3$s AND %5$s

    UNION ALL
    SELECT t.height, 'account', t.signer, -(tidemark.decode_message_send(t.tx)).amount_upokt, 'send',
        t.tx_index, t.hash
    FROM ledger.transaction t
    WHERE %3$s AND %5$s AND t.message_type = 'MessageSend' AND t.result_code = 0
        AND t.recipient <> t.signer
    UNION ALL
    SELECT t.height, 'account', t.recipient, (tidemark.decode_message_send(t.tx)).amount_upokt,
        'send', t.tx_index, t.hash
    FROM ledger.transaction t
    WHERE %3$s AND %5$s AND t.message_type = 'MessageSend' AND t.result_code = 0
        AND t.recipient <> t.signer

    UNION ALL
    SELECT t.height, 'account', t.signer, -s.amount,
        CASE t.message_type WHEN 'MessageStake' THEN 'stake' ELSE 'edit_stake' END, t.tx_index,
        t.hash
    FROM ledger.transaction t,
        LATERAL ledger.staked(t.message_type, t.tx, t.height, t.tx_index) s
    WHERE %3$s AND %5$s AND t.message_type IN ('MessageStake', 'MessageEditStake')
        AND t.result_code = 0
    UNION ALL
    SELECT t.height, 'pool', s.pool, s.amount,
        CASE t.message_type WHEN 'MessageStake' THEN 'stake' ELSE 'edit_stake' END, t.tx_index,
        t.hash
    FROM ledger.transaction t,
        LATERAL ledger.staked(t.message_type, t.tx, t.height, t.tx_index) s
    WHERE %3$s AND %5$s AND t.message_type IN ('MessageStake', 'MessageEditStake')
        AND t.result_code = 0

    UNION ALL
    -- The parameter as of the block is the one its end reads; div() rounds towards zero.
    SELECT t.height, w.kind, w.address, CASE w.share WHEN 'all' THEN -f.fees WHEN 'cut' THEN f.cut
        ELSE f.fees - f.cut END, 'rewards', NULL, NULL
    FROM ledger.block t,
        LATERAL (VALUES ('pool', ledger.pool_address('FeeCollector'), 'all'),
                        ('account', t.proposer, 'cut'),
                        ('pool', ledger.pool_address('DAO'), 'rest')) w(kind, address, share),
        LATERAL (SELECT c.fees, div(c.fees * ledger.param_before_step(
                            'proposer_percentage_of_fees', t.height, 1000001)::numeric, 100)
                 FROM (SELECT ledger.collected(t.height) OFFSET 0) c(fees)) f(fees, cut)
    WHERE %3$s AND %5$s
%6$s

    UNION ALL
    SELECT t.height, t.kind, t.key, ledger.balance_at(t.kind, t.key, t.height)
            - ledger.balance_at(t.kind, t.key, t.height - 1),
        CASE WHEN t.steps > 1 THEN 'net' ELSE ledger.step_name(t.step) END, x.tx_index, x.hash
    FROM (SELECT c.height, c.key, CASE c.tree WHEN 4 THEN 'account' ELSE 'pool' END AS kind,
              count(*) AS steps, max(c.step) AS step
          FROM ledger.change c WHERE c.tree IN (4, 5)
          GROUP BY c.height, c.key, c.tree) t
    LEFT JOIN ledger.transaction x ON x.height = t.height AND x.tx_index = t.step AND t.steps = 1
    WHERE %4$s AND %5$s
) c
LEFT JOIN ledger.block b ON b.height = c.height
WHERE c.delta <> 0$view$,
        ledger.rows_at('account', 'p.height', 'v.address, v.balance'),
        ledger.rows_at('pool', 'p.height', 'v.address, v.balance'),
        is_standard, is_reference, kept, unbondings);
END $$;
COMMENT ON VIEW chain.balance_change IS
    'Every change of every balance. The sum of delta_upokt up to a height is the balance after it. Under standard one row for each step that moved an amount, also where the steps of a block cancel out; under reference, where the steps of a block do not see each other, one row for each height with the net change. Derived from transactions, parameters and rows.';
COMMENT ON COLUMN chain.balance_change.kind IS 'What the address is: account or pool.';
COMMENT ON COLUMN chain.balance_change.delta_upokt IS
    'Difference to the balance before, in upokt; below zero = taken away. Derived.';
COMMENT ON COLUMN chain.balance_change.delta_pokt IS
    'Difference to the balance before, in POKT, exactly. Derived.';
COMMENT ON COLUMN chain.balance_change.reason IS
    'Why: genesis, opening (the balance at the earliest height kept, where genesis is pruned), fee, send, stake, edit_stake, rewards (fees shared out at the block''s end), unbonding (a stake returned). Under reference: genesis, transaction (the one that wrote the balance, fee and amount together), rewards, unbonding or, where several steps of the block wrote it, net. Derived.';
