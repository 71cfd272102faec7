-- Why these servicers and fishermen are in a session and others are not.

CREATE FUNCTION tidemark.explain_session_at(h bigint, application bytea, relay_chain text, geo_zone text)
RETURNS TABLE (session_id tidemark.hash32, session_height bigint, kind text, address bytea,
    qualifies boolean, reason text, place bigint, chosen boolean, draw int)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 100 SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_column
DECLARE
    at_height CONSTANT bigint := tidemark.height(h);
    is_reference CONSTANT boolean := (SELECT c.rules = 'reference' FROM ledger.chain c);
    members jsonb;
    id tidemark.hash32;
    start bigint;
BEGIN
    IF application IS NULL OR relay_chain IS NULL OR geo_zone IS NULL THEN
        RAISE EXCEPTION '% is NULL', CASE WHEN application IS NULL THEN 'the application'
                WHEN relay_chain IS NULL THEN 'the relay chain' ELSE 'the geo zone' END
            USING ERRCODE = 'null_value_not_allowed';
    END IF;
    -- Raises, with the reason, where there is no session.
    SELECT (array_agg(s.session_id))[1], min(s.session_height),
        jsonb_object_agg(s.kind || ' ' || encode(s.address, 'hex'), s.draw)
            FILTER (WHERE s.kind IS NOT NULL)
    INTO id, start, members
    FROM tidemark.session_at(at_height, application, relay_chain, geo_zone) s;

    RETURN QUERY
    WITH actor AS (
        SELECT 'servicer' AS kind, a.address, a.status, a.chains, a.paused_height,
            a.unstaking_height, a.valid_from
        FROM state.servicer_at(start) a
        UNION ALL
        SELECT 'fisherman', a.address, a.status, a.chains, a.paused_height, a.unstaking_height,
            a.valid_from
        FROM state.fisherman_at(start) a
    ),
    -- Under `reference` all chains are those as of the row height of the list's last actor.
    chained AS (
        SELECT a.kind, a.address, a.paused_height, a.unstaking_height,
            CASE WHEN NOT is_reference THEN a.chains
                 WHEN a.kind = 'servicer' THEN
                     (SELECT r.chains FROM state.servicer_at(last.height) r
                      WHERE r.address = a.address)
                 ELSE (SELECT r.chains FROM state.fisherman_at(last.height) r
                       WHERE r.address = a.address) END AS chains
        FROM actor a
        JOIN (SELECT DISTINCT ON (l.kind) l.kind, l.valid_from FROM actor l
              ORDER BY l.kind, l.address DESC) last(kind, height) ON last.kind = a.kind
    ),
    judged AS (
        SELECT c.kind, c.address, concat_ws('; ',
            'paused since height ' || c.paused_height,
            'unstaking, which ends at height ' || c.unstaking_height,
            CASE WHEN (relay_chain = ANY (c.chains)) IS NOT TRUE
                 THEN format('not staked for chain %s', relay_chain) END) AS reason
        FROM chained c
    )
    SELECT id, start, j.kind, j.address, j.reason = '', nullif(j.reason, ''),
        CASE WHEN j.reason = '' THEN count(*) FILTER (WHERE j.reason = '')
            OVER (PARTITION BY j.kind ORDER BY j.address) - 1 END,
        coalesce(members ? m.name, false), (members ->> m.name)::int
    FROM judged j, LATERAL (SELECT j.kind || ' ' || encode(j.address, 'hex')) m(name)
    ORDER BY j.kind DESC, (members ->> m.name)::int, coalesce(members ? m.name, false) DESC,
        j.reason <> '', j.address;
END $$;
COMMENT ON FUNCTION tidemark.explain_session_at(bigint, bytea, text, text) IS
    'explain_session as of block h, whatever tidemark.height is. An error where h is null, above the tip or pruned, or where no session exists.';

CREATE FUNCTION tidemark.explain_session(application bytea, relay_chain text, geo_zone text)
RETURNS TABLE (session_id tidemark.hash32, session_height bigint, kind text, address bytea,
    qualifies boolean, reason text, place bigint, chosen boolean, draw int)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 100 BEGIN ATOMIC
SELECT e.*
FROM tidemark.height() AS at(h),
    LATERAL tidemark.explain_session_at(at.h, $1, $2, $3) e;
END;
COMMENT ON FUNCTION tidemark.explain_session(bytea, text, text) IS
    'Every servicer and fisherman at the height of a session and what became of it, e.g. explain_session(address(''00ab…''), ''0001'', ''''), at the height in tidemark.height: whether it qualifies, or the reason why not; place among those that qualify, from 0, in the order of addresses: what the pseudo-random numbers of the session''s id pick; whether it was chosen; draw = place in the draw from 1, NULL when it was not drawn, or all that qualify were taken. An error, with the reason, where no session exists. Derived.';
