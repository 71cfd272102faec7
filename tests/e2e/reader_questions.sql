-- What a reader can ask, one question a line: every view of the public schemas and every function that
-- reads tables and that readers may call, as the catalogue lists them. A function with an argument that
-- has no value here is a line with NULL in it, which no server takes: add one.

CREATE TEMP VIEW argument AS
SELECT p.oid, a.number, CASE
    WHEN p.proname = 'prune_plan' THEN '5'
    WHEN a.name IN ('h', 'height', 'h1', 'number', 'first_block', 'from_height') THEN '20::bigint'
    WHEN a.name IN ('h2', 'last_block', 'to_height') THEN '25::bigint'
    WHEN a.name IN ('n', 'days') THEN '5'
    WHEN a.name = 'round' THEN '1'
    WHEN a.name = 'at' THEN '(SELECT block_time FROM chain.block WHERE height = 20)'
    WHEN a.name = 'after' THEN 'NULL::' || a.type
    WHEN a.name = 'application' THEN format('(SELECT address FROM state.%s ORDER BY 1 LIMIT 1)',
        CASE WHEN 'h' = ANY (p.proargnames) OR 'height' = ANY (p.proargnames[1:p.pronargs])
             THEN 'application_at(20)' ELSE 'application' END)
    WHEN a.name IN ('relay_chain', 'for_chain') THEN $$'0001'$$
    WHEN a.name = 'geo_zone' THEN $$''$$
    WHEN a.name IN ('view', 'tree') AND a.type = 'text' THEN $$'account'$$
    WHEN a.name = 'tree' THEN '4::smallint'
    WHEN a.name = 'key' AND a.type = 'text' THEN $$(SELECT encode(address, 'hex') FROM state.account_at(20) LIMIT 1)$$
    WHEN a.name = 'key' THEN '(SELECT address FROM state.account_at(20) LIMIT 1)'
    WHEN a.name = 'keys' THEN '(SELECT array_agg(address) FROM state.validator_at(20))'
    WHEN a.name = 'tx' THEN quote_literal(:'transaction') || '::bytea'
    END AS value
FROM pg_proc p, unnest(p.proargtypes::regtype[]::text[], p.proargnames[1:p.pronargs])
    WITH ORDINALITY a(type, name, number);

SELECT format('SELECT count(*), max(length(v::text)) FROM %s v', c.oid::regclass)
FROM pg_class c
WHERE c.relkind = 'v' AND c.relnamespace::regnamespace::text IN ('state', 'chain', 'history', 'report', 'ops')
UNION ALL
SELECT format('SELECT count(*), max(length(v::text)) FROM %s(%s) v',
    format('%I.%I', n.nspname, p.proname),
    (SELECT string_agg(coalesce(a.value, 'NULL'), ', ' ORDER BY a.number) FROM argument a WHERE a.oid = p.oid))
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
-- The others read no table (IMMUTABLE) or write (VOLATILE).
WHERE n.nspname IN ('state', 'chain', 'history', 'report', 'ops', 'tidemark') AND p.provolatile = 's'
    AND has_function_privilege('tidemark_reader', p.oid, 'EXECUTE')
ORDER BY 1;
