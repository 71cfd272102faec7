-- Values nobody should pass, and what becomes of them: every function of the schemas `tidemark` and
-- `state` is called once for each bad value of each of its arguments, the others being harmless.
-- Functions come from the catalogue, so a new one is called as well; an argument of a type that has
-- no bad values below is reported.

CREATE SCHEMA bad;

-- Stored out of line, as it comes from a table: compressed, and as it is.
CREATE TABLE bad.big (packed bytea, plain bytea, words text, nested bytea);
ALTER TABLE bad.big ALTER plain SET STORAGE EXTERNAL;
INSERT INTO bad.big
SELECT convert_to(words, 'UTF8'), convert_to(words, 'UTF8'), words,
    convert_to(repeat(E'\n', 4000000), 'UTF8')
FROM repeat(repeat('a', 10000), 10000) words;

-- A signed MessageSend.
CREATE FUNCTION bad.tx() RETURNS bytea LANGUAGE sql IMMUTABLE RETURN decode(
    '0a5d0a27747970652e676f6f676c65617069732e636f6d2f7574696c6974792e4d65737361676553656e6412320a14'
    'da034209758b78eaea06dd99c07909ab54c99b45121400104055c00bed7c983a48aac7dc6335d7c607a71a04313030'
    '30120234321a640a20d6cbe0430ddd85a5e48e0c99ef3dea47bf0d1a83c6e6ad1640f72201dc8a01201240245239d3'
    'bbc2d5c880b8b96d0e4535fc3eab8584e28eae414cda763ddf41998ac637d02990054dca15ba2a0bc717d4fc3bf701'
    '5437f2392e887b37fd9d8f6c0f', 'hex');

CREATE TABLE bad.value (type text, label text, expression text);
INSERT INTO bad.value VALUES
    ('bytea', 'NULL', 'NULL'),
    ('bytea', 'empty', $$'\x'$$),
    ('bytea', 'a zero byte', $$'\x00'$$),
    ('bytea', '19 bytes', $$decode(repeat('ab', 19), 'hex')$$),
    ('bytea', '33 bytes', $$decode(repeat('ab', 33), 'hex')$$),
    ('bytea', 'garbage', $$decode(repeat('ff', 300), 'hex')$$),
    ('bytea', 'a truncated transaction', 'substr(bad.tx(), 1, 100)'),
    ('bytea', 'a transaction with a tail', $$bad.tx() || '\xff'$$),
    ('bytea', 'groups in groups', $$decode(repeat('0b', 50000), 'hex')$$),
    ('bytea', 'messages in messages', $$convert_to(repeat(E'\n', 50000), 'UTF8')$$),
    ('bytea', 'a length of 2^63', $$'\x0affffffffffffffff7f'$$),
    ('bytea', '4 MB of messages in messages', '(SELECT nested FROM bad.big)'),
    ('bytea', '20 MB', '(SELECT substr(plain, 2, 20000000) FROM bad.big)'),
    ('bytea', '100 MB of a table, compressed', '(SELECT packed FROM bad.big)'),
    ('bytea', '100 MB of a table', '(SELECT plain FROM bad.big)'),
    ('text', 'NULL', 'NULL'),
    ('text', 'empty', $$''$$),
    ('text', 'no hexadecimal', $$'xyz'$$),
    ('text', 'a control character', $$E'\x01\x7f'$$),
    ('text', 'quotes', $$'''"; DROP TABLE ledger.tip; --'$$),
    ('text', 'several planes', $$U&'\00e9\20ac\+01f600' || repeat(U&'\0301', 1000)$$),
    ('text', '2 MB', $$repeat('0', 2000000)$$),
    ('text', '20 MB', $$(SELECT convert_from(substr(plain, 1, 20000000), 'UTF8') FROM bad.big)$$),
    ('text', '100 MB of a table', '(SELECT words FROM bad.big)'),
    ('unknown', 'NULL', 'NULL'),
    ('unknown', 'empty', $$''$$),
    ('unknown', 'no hexadecimal', $$'xyz'$$),
    ('unknown', 'hexadecimal of 19 bytes', quote_literal(repeat('ab', 19))),
    ('unknown', '1 MB', quote_literal(repeat('a', 1000000))),
    ('bigint', 'NULL', 'NULL'),
    ('bigint', 'negative', '-1'),
    ('bigint', 'pruned', '29'),
    ('bigint', 'above the tip', '61'),
    ('bigint', 'greatest', '9223372036854775807'),
    ('bigint', 'least', '-9223372036854775808'),
    ('integer', 'NULL', 'NULL'),
    ('integer', 'zero', '0'),
    ('integer', 'negative', '-1'),
    ('integer', 'greatest', '2147483647'),
    ('integer', 'least', '-2147483648'),
    ('smallint', 'NULL', 'NULL'),
    ('smallint', 'negative', '-1'),
    ('smallint', 'ten', '10'),
    ('smallint', 'greatest', '32767'),
    ('smallint', 'least', '-32768'),
    ('numeric', 'NULL', 'NULL'),
    ('numeric', 'not a number', $$'NaN'$$),
    ('numeric', 'infinite', $$'Infinity'$$),
    ('numeric', 'infinite below zero', $$'-Infinity'$$),
    ('numeric', 'broken', '1.5'),
    ('numeric', 'very small', '1e-10000'),
    ('numeric', 'negative', '-1'),
    ('numeric', '10^78', '1e78'),
    ('numeric', '100,000 digits', '1e100000'),
    ('boolean', 'NULL', 'NULL'),
    ('timestamp with time zone', 'NULL', 'NULL'),
    ('timestamp with time zone', 'infinite', $$'infinity'$$),
    ('timestamp with time zone', 'infinite in the past', $$'-infinity'$$),
    ('timestamp with time zone', 'first', $$'4713-11-24 00:00:00+00 BC'$$),
    ('timestamp with time zone', 'last', $$'294276-12-31 23:59:59+00'$$),
    ('text[]', 'NULL', 'NULL'),
    ('text[]', 'empty', $$'{}'$$),
    ('text[]', 'a NULL in it', $$'{0001,NULL}'$$),
    ('text[]', 'two dimensions', $$'{{0001,0002},{0003,0004}}'$$),
    ('text[]', 'counted from 5', $$'[5:6]={0001,0002}'$$),
    ('text[]', 'repeated', $$'{0001,0001}'$$),
    ('text[]', 'empty text in it', $$'{""}'$$),
    ('text[]', 'a million', $$array_fill('0001'::text, '{1000000}')$$),
    ('text[]', '100 MB in it', $$ARRAY[(SELECT words FROM bad.big)]$$),
    ('bytea[]', 'NULL', 'NULL'),
    ('bytea[]', 'empty', $$'{}'$$),
    ('bytea[]', 'a NULL in it', $$array_fill(sha256(''), '{9}') || NULL::bytea$$),
    ('bytea[]', 'two dimensions', $$array_fill(sha256(''), '{5,2}')$$),
    ('bytea[]', 'counted from 0', $$array_fill(sha256(''), '{10}', '{0}')$$),
    ('bytea[]', 'nine', $$array_fill(sha256(''), '{9}')$$),
    ('bytea[]', 'eleven', $$array_fill(sha256(''), '{11}')$$),
    ('bytea[]', '31 bytes', $$array_fill(substr(sha256(''), 2), '{10}')$$),
    ('bytea[]', 'empty bytes', $$array_fill('\x'::bytea, '{10}')$$),
    ('bytea[]', 'a million', $$array_fill('\x'::bytea, '{1000000}')$$),
    ('proof', 'NULL', 'NULL'),
    ('proof', 'of an absent key', $$tidemark.prove('account', decode(repeat('ab', 20), 'hex'), 59)$$),
    ('proof', 'of three hundred keys', $$tidemark.multiproof('ibc',
        (SELECT array_agg(int4send(n)) FROM generate_series(1, 300) n), 59)$$),
    ('cstring', 'NULL', 'NULL'),
    ('cstring', 'empty', $$''$$),
    ('cstring', 'no hexadecimal', $$'xyz'$$),
    ('cstring', 'half a byte', $$'\x0'$$),
    ('cstring', 'garbage', quote_literal(repeat('01', 100000))),
    ('cstring', '10 MB', quote_literal(repeat('01', 5000000))),
    ('bytea[]', '100 MB in it', $$ARRAY[(SELECT plain FROM bad.big)]$$),
    ('internal', 'NULL', 'NULL');

-- A value that does no harm, for the other arguments.
CREATE FUNCTION bad.harmless(type text, name text) RETURNS text LANGUAGE sql IMMUTABLE RETURN CASE
    WHEN type = 'internal' OR name = 'after' THEN 'NULL::' || type
    WHEN type = 'bytea' AND name = 'tx' THEN 'bad.tx()'
    WHEN type = 'bytea' AND name ~ '(digest|nodes|root|hash)' THEN $$sha256('')$$
    WHEN type = 'bytea' THEN $$decode(repeat('ab', 20), 'hex')$$
    WHEN type = 'bytea[]' THEN $$array_fill(sha256(''), '{10}')$$
    WHEN type = 'text[]' THEN $$'{0001}'::text[]$$
    WHEN type = 'unknown' THEN quote_literal(repeat('ab', 20))
    WHEN type = 'proof' THEN $$tidemark.prove('ibc', '\x00'::bytea, 59)$$
    WHEN type = 'cstring' THEN $$''$$
    WHEN type = 'text' AND name = 'stake_text' THEN 'NULL::text'
    WHEN type = 'text' AND name IN ('view', 'tree') THEN $$'account'::text$$
    WHEN type = 'text' AND name = 'rules' THEN $$'standard'::text$$
    WHEN type = 'text' AND name = 'key' THEN quote_literal(repeat('ab', 20)) || '::text'
    WHEN type = 'text' THEN $$'0001'::text$$
    WHEN type = 'boolean' THEN 'true'
    WHEN type = 'timestamp with time zone' THEN $$'2100-01-01'::timestamptz$$
    WHEN type = 'bigint' AND name IN ('h', 'height', 'h1', 'h2') THEN '59::bigint'
    WHEN type IN ('bigint', 'integer', 'smallint', 'numeric') THEN '6::' || type
END;

CREATE VIEW bad.argument AS
SELECT p.oid AS function, p.prokind, p.proisstrict, p.provolatile, p.pronargs,
    a.number::int, a.type::regtype::text AS type, coalesce(p.proargnames[a.number], '') AS name
FROM pg_proc p
LEFT JOIN LATERAL unnest(p.proargtypes) WITH ORDINALITY a(type, number) ON true
WHERE p.pronamespace IN ('tidemark'::regnamespace, 'state'::regnamespace)
    -- Triggers are not called by name.
    AND p.prorettype <> 'trigger'::regtype AND p.prorettype <> 'event_trigger'::regtype;

CREATE FUNCTION bad.statement(f oid, place int, expression text) RETURNS text LANGUAGE sql RETURN (
    SELECT format(
        -- All columns of all rows are asked for.
        CASE WHEN (array_agg(a.prokind))[1] = 'a' THEN 'SELECT length(%s(%s)::text)'
             ELSE 'SELECT max(length(r::text)) FROM %s(%s) r' END,
        (SELECT format('%I.%I', n.nspname, p.proname) FROM pg_proc p
         JOIN pg_namespace n ON n.oid = p.pronamespace WHERE p.oid = f),
        coalesce(string_agg(
            CASE WHEN a.number <> place THEN bad.harmless(a.type, a.name)
                 -- An untyped literal is what reaches an argument of type unknown.
                 WHEN a.type = 'unknown' THEN expression
                 ELSE format('(%s)::%s', expression, a.type) END, ', ' ORDER BY a.number), ''))
    FROM bad.argument a WHERE a.function = f);

CREATE TABLE bad.answer (function regprocedure, place int, name text, label text, state text,
    message text, hint text, msec numeric);

CREATE FUNCTION bad.call(f oid, place int, name text, label text, statement text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    began CONSTANT timestamptz := clock_timestamp();
    state text := '00000';
    text text;
    advice text;
BEGIN
    BEGIN
        EXECUTE statement;
    EXCEPTION WHEN OTHERS OR query_canceled OR assert_failure THEN
        GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, text = MESSAGE_TEXT,
            advice = PG_EXCEPTION_HINT;
    END;
    INSERT INTO bad.answer VALUES (f, place, name, label, state, text, advice,
        extract(epoch FROM clock_timestamp() - began) * 1000);
END $$;
