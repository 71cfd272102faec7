-- Properties of differences, blame and balances over the whole chain of a database; each line of the
-- output is a name, what was counted and the number of violations.
\set views 'ARRAY[''application'', ''validator'', ''fisherman'', ''servicer'', ''account'', ''pool'', ''param'', ''flag'', ''ibc_entry'']'
SET max_parallel_workers_per_gather = 0;

-- Pairs of heights, in both orders: neighbours, the whole chain, and a fixed scatter.
CREATE TEMP TABLE pair AS
SELECT t.height AS tip, p.h1, p.h2
FROM ledger.tip t, LATERAL (
    SELECT 0::bigint, t.height UNION SELECT t.height, 0
    UNION SELECT h, h + 1 FROM generate_series(0, t.height - 1, 7) h
    UNION SELECT h + 1, h FROM generate_series(3, t.height - 1, 11) h
    UNION SELECT (i * 7919) % (t.height + 1), (i * 104729 + 13) % (t.height + 1)
    FROM generate_series(1, 20) i) p(h1, h2);

CREATE TEMP TABLE listed AS
SELECT v.view, p.h1, p.h2, d.*
FROM unnest(:views) v(view), pair p, tidemark.diff(v.view, p.h1, p.h2) d;

CREATE TEMP TABLE walked AS
SELECT v.view, p.h1, p.h2, d.*
FROM unnest(:views) v(view), pair p, tidemark.diff_tree(v.view, p.h1, p.h2) d;

SELECT 'diff finds what the walk over the trees finds', (SELECT count(*) FROM walked), count(*)
FROM (SELECT DISTINCT view, h1, h2, key, op FROM listed) l
FULL JOIN walked w USING (view, h1, h2, key, op)
WHERE l.view IS NULL OR w.view IS NULL;

-- The third way: everything at both heights.
SELECT 'diff finds what full reading finds', (SELECT count(*) FROM listed WHERE view = 'account'), count(*)
FROM (SELECT h1, h2, key, op, from_value, to_value FROM listed WHERE view = 'account') l
FULL JOIN (
    SELECT s.h1, s.h2, s.address AS key,
        CASE WHEN min(s.side) = 2 THEN 'insert' WHEN max(s.side) = 1 THEN 'delete' ELSE 'update' END AS op,
        min(s.balance) FILTER (WHERE s.side = 1) AS from_value,
        min(s.balance) FILTER (WHERE s.side = 2) AS to_value
    FROM (SELECT p.h1, p.h2, 1 AS side, a.address, a.balance_upokt::text AS balance
          FROM pair p, state.account_at(p.h1) a
          UNION ALL
          SELECT p.h1, p.h2, 2, a.address, a.balance_upokt::text FROM pair p, state.account_at(p.h2) a) s
    GROUP BY s.h1, s.h2, s.address
    HAVING min(s.balance) FILTER (WHERE s.side = 1) IS DISTINCT FROM min(s.balance) FILTER (WHERE s.side = 2)
) f USING (h1, h2, key, op)
WHERE l.key IS NULL OR f.key IS NULL OR l.from_value IS DISTINCT FROM f.from_value
    OR l.to_value IS DISTINCT FROM f.to_value;

-- blame is a chain: each value is where the one before ended, the last is what is stored (seen from
-- height 0 by diff), and every change of ledger.change that has a net effect is in it.
CREATE TEMP TABLE blamed AS
SELECT k.view, k.key, row_number() OVER () AS number, b.*
FROM (
    SELECT v.name AS view, c.key
    FROM ledger.change c JOIN ledger.versioned v USING (tree)
    WHERE c.tree <> 9 GROUP BY v.name, c.key
    HAVING max(c.height) > 0 OR v.name IN ('validator', 'servicer', 'application')
    UNION
    SELECT 'ibc_entry', e.key
    FROM (SELECT key FROM ledger.ibc_entry UNION SELECT key FROM ledger.ibc_entry_history) e) k,
    tidemark.blame(k.view, k.key) b;

SELECT 'each value begins where the one before ended', count(*),
    count(*) FILTER (WHERE from_value IS DISTINCT FROM before)
FROM (SELECT b.*, lag(b.to_value) OVER (PARTITION BY view, key, column_name ORDER BY number) AS before
      FROM blamed b) b;

SELECT 'the last value is the one that diff finds', count(*),
    count(*) FILTER (WHERE l.to_value IS DISTINCT FROM d.to_value)
FROM (SELECT d.* FROM listed d, ledger.tip t WHERE d.h1 = 0 AND d.h2 = t.height) d
LEFT JOIN (SELECT DISTINCT ON (view, key, column_name) * FROM blamed
           ORDER BY view, key, column_name, number DESC) l USING (view, key, column_name);

-- For IBC the key of ledger.change is the path.
SELECT 'every row that a block wrote has a blame', count(*),
    count(*) FILTER (WHERE NOT EXISTS (
        SELECT FROM blamed b WHERE b.view = v.name AND b.height = c.height
            AND CASE WHEN c.tree = 9 THEN sha256(b.key) ELSE b.key END = c.key))
FROM ledger.change c JOIN ledger.versioned v USING (tree)
WHERE c.height > 0;

CREATE TEMP TABLE moved AS
SELECT c.height, c.kind, c.address, c.delta_upokt, c.reason, c.tx_index FROM chain.balance_change c;
ANALYZE moved;

SELECT 'sums of changes are the balances at every height', count(*),
    count(*) FILTER (WHERE coalesce(m.total, 0) <> s.balance)
FROM (
    SELECT h.height, 'account' AS kind, a.address, a.balance_upokt AS balance
    FROM ledger.block h, state.account_at(h.height) a
    UNION ALL
    SELECT h.height, 'pool', a.address, a.balance_upokt
    FROM ledger.block h, state.pool_at(h.height) a) s
LEFT JOIN (
    SELECT kind, address, height,
        lead(height) OVER w AS until, sum(sum(delta_upokt)) OVER w AS total
    FROM moved GROUP BY kind, address, height
    WINDOW w AS (PARTITION BY kind, address ORDER BY height)) m
    ON m.kind = s.kind AND m.address = s.address AND s.height >= m.height
        AND (m.until IS NULL OR s.height < m.until);

-- What a block moves stays what it is.
SELECT 'a block makes and destroys nothing', count(*),
    count(*) FILTER (WHERE sum <> 0 AND rules = 'standard')
FROM (SELECT c.rules, m.height, sum(m.delta_upokt) FROM moved m, ledger.chain c
      WHERE m.height > 0 GROUP BY c.rules, m.height) b;

SELECT 'the same rows by address, by height and all together', count(*),
    count(*) FILTER (WHERE by_address.count IS DISTINCT FROM m.count)
FROM (SELECT kind, address, count(*) FROM moved GROUP BY kind, address HAVING max(height) > 0) m,
    LATERAL (SELECT count(*) FROM chain.balance_change c
             WHERE c.kind = m.kind AND c.address = m.address) by_address;

SELECT 'every signature of every certificate is valid', count(*), count(*) FILTER (WHERE valid IS NOT TRUE)
FROM chain.validator_signature;

SELECT 'more than two thirds of the set sign every block', count(*),
    count(*) FILTER (WHERE 3 * coalesce(s.count, 0) <= 2 * v.count)
FROM ledger.block b
LEFT JOIN (SELECT height, count(DISTINCT validator) FROM chain.validator_signature GROUP BY height) s
    USING (height),
    LATERAL (SELECT count(*) FROM state.validator_set_at(b.height - 1)) v
WHERE b.height > 0;

SELECT 'the proposer leads the round', count(*), count(*) FILTER (WHERE l.address <> b.proposer)
FROM ledger.block b, LATERAL state.leader_at(b.height - 1, b.round) l
WHERE b.height > 0;

-- Explained sessions are the sessions, and the places are those of the candidates. Where there is no
-- session (under `reference` one actor that is unstaking suffices) both say so.
CREATE FUNCTION pg_temp.explained(h bigint, application bytea, chain text)
RETURNS TABLE (session_id tidemark.hash32, session_height bigint, kind text, address bytea, qualifies boolean,
    reason text, place bigint, chosen boolean, draw int) LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY SELECT e.* FROM tidemark.explain_session_at(h, application, chain, '') e;
EXCEPTION WHEN no_data_found OR SQLSTATE 'TM001' THEN
    RETURN;
END $$;
CREATE TEMP TABLE explained AS
SELECT h.height AS at_height, a.address AS application, c.chain, e.*
FROM (SELECT height FROM ledger.block WHERE height % 9 = 4) h, state.application_at(h.height) a,
    unnest(a.chains) c(chain), pg_temp.explained(h.height, a.address, c.chain) e;

SELECT 'explained sessions choose the members', count(*), count(*) FILTER (WHERE e.kind IS NULL OR s.kind IS NULL OR e.draw IS DISTINCT FROM s.draw)
FROM (SELECT * FROM explained WHERE chosen) e
FULL JOIN (
    SELECT k.at_height, k.application, k.chain, s.kind, s.address, s.draw
    FROM (SELECT DISTINCT at_height, application, chain FROM explained) k,
        state.session_at(k.at_height, k.application, k.chain, '') s) s
    USING (at_height, application, chain, kind, address);

SELECT 'and say why not', count(*),
    count(*) FILTER (WHERE qualifies <> (reason IS NULL) OR qualifies <> (place IS NOT NULL) OR chosen AND NOT qualifies)
FROM explained;
