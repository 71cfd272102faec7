-- Prints docs/schema.md from the catalogue of a prepared database: psql -XqAt -v relations=FILE.
-- Everything is ordered by name in collation C, so that the page depends on the schema alone.
\set ON_ERROR_STOP on
\pset fieldsep ' | '
SET ROLE NONE; -- the owner may not make temporary tables
SET search_path = tidemark;
SET client_min_messages = warning;
SET default_transaction_read_only = off;

-- Text in a cell of a table.
CREATE FUNCTION pg_temp.cell(text) RETURNS text LANGUAGE sql AS $$
SELECT replace(replace(replace(replace(replace(coalesce($1, ''), '&', '&amp;'), '<', '&lt;'),
                               '>', '&gt;'), '|', '\|'), E'\n', ' ') $$;

CREATE FUNCTION pg_temp.type(oid, int) RETURNS text LANGUAGE sql AS $$
SELECT replace(format_type($1, $2), 'timestamp with time zone', 'timestamptz') $$;

-- Public schemas in the order in which one meets them; one that is added later comes before ops.
CREATE TEMP TABLE room AS
SELECT n.oid, n.nspname::text AS name,
    coalesce(array_position(ARRAY['state', 'history', 'chain', 'report'], n.nspname::text),
             CASE n.nspname WHEN 'ops' THEN 20 WHEN 'tidemark' THEN 21 WHEN 'ledger' THEN 22
                 ELSE 10 END) AS place
FROM pg_namespace n
WHERE n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'public');

-- Lines of the page. room: place of the schema; part: of its sections; names order what is alike.
CREATE TEMP TABLE line (room int, part int, name text COLLATE "C", number int, text text);

INSERT INTO line VALUES (0, 0, '', 0, $page$# Schema

This page is generated from the comments in the database (`make docs`); psql shows the same with `\d+ state.account`, `\dv+ state.*` and `\df+ tidemark.*`.

* An amount ending in `_upokt` is a whole number of upokt, one ending in `_pokt` the same in POKT, exactly (1 POKT = 1,000,000 upokt).
* `bytea` prints as hexadecimal; `address('00ab…')` reads it. `block_time` is the time in the block's header.
* "No row" means that it does not exist at that height. A height above the tip, or one that is pruned, is an error with a hint.
* Provable: a Merkle root in the block's header covers the value. Header: the block's certificate signs it. Derived: computed from such values. Local: known to this node only.
* Views and functions are stable. Tables of `ledger` are not: they may change with any version.
$page$);

INSERT INTO line
SELECT 0, 1, '', 0, E'| schema | holds |\n|---|---|'
UNION ALL
SELECT 0, 1, '', place + 1, format('| [%1$s](#schema-%1$s) | %2$s |', name,
    pg_temp.cell(obj_description(oid, 'pg_namespace')))
FROM room
UNION ALL
SELECT 0, 1, '', 1000, '';

-- --- picture --------------------------------------------------------------------------------------

CREATE TEMP TABLE relation (one text, one_columns text, many text, many_columns text, least int,
    verb text);
\o /dev/null
SELECT format('\copy pg_temp.relation FROM %L (FORMAT csv, HEADER)', :'relations') AS copy \gset
\o
:copy

DO $$
DECLARE
    wrong text;
BEGIN
    SELECT string_agg(e.relation || '.' || e.name, ', ') INTO wrong
    FROM (SELECT one, unnest(string_to_array(one_columns, ',')) FROM pg_temp.relation
          UNION ALL
          SELECT many, unnest(string_to_array(many_columns, ',')) FROM pg_temp.relation
         ) e(relation, name)
    WHERE NOT EXISTS (SELECT FROM pg_attribute a
                      WHERE a.attrelid = to_regclass(e.relation) AND a.attname = e.name);
    IF wrong IS NOT NULL THEN
        RAISE EXCEPTION 'relations.csv names columns that do not exist: %', wrong;
    END IF;
END $$;

INSERT INTO line VALUES (0, 2, '', 0, $page$## Picture

Views have no foreign keys; these are the joins they are made for, with the columns to join on. `state` and its past in `history`:

```mermaid
erDiagram$page$), (0, 2, '', 3, $page$```

Blocks, transactions and what they carry:

```mermaid
erDiagram$page$), (0, 2, '', 6, E'```\n');

CREATE TEMP TABLE drawn AS
SELECT r.*, CASE WHEN one LIKE 'state.%' AND many ~ '^(state|history)\.' THEN 1 ELSE 4 END AS picture
FROM relation r;

INSERT INTO line
SELECT DISTINCT 0, 2, e.name, e.picture, format(E'    %s {\n%s\n    }', replace(e.name, '.', '_'), (
    SELECT string_agg(format('        %s %s', replace(pg_temp.type(a.atttypid, NULL), '[]', '_array'),
                             a.attname), E'\n' ORDER BY a.attnum)
    FROM pg_attribute a
    -- what a version has in common with its row of state is drawn there
    WHERE a.attrelid = e.name::regclass AND a.attnum > 0
        AND (e.name NOT LIKE 'history.%' OR a.attname IN ('address', 'name', 'valid_from')
             OR NOT EXISTS (SELECT FROM pg_attribute s
                            WHERE s.attrelid = replace(e.name, 'history.', 'state.')::regclass
                                AND s.attname = a.attname))))
FROM (SELECT one, picture FROM drawn UNION SELECT many, picture FROM drawn) e(name, picture)
UNION ALL
SELECT 0, 2, format('%s %s %s', one, many, many_columns), picture + 1,
    format('    %s ||--%s{ %s : "%s (%s)"', replace(one, '.', '_'),
           CASE least WHEN 0 THEN 'o' ELSE '|' END, replace(many, '.', '_'), verb,
           CASE WHEN one_columns = many_columns THEN replace(one_columns, ',', ', ')
                ELSE format('%s = %s', replace(one_columns, ',', ', '),
                            replace(many_columns, ',', ', ')) END)
FROM drawn;

-- --- schemas --------------------------------------------------------------------------------------

INSERT INTO line
SELECT place, 0, '', 0, format(E'## Schema %s\n\n%s\n', name,
    pg_temp.cell(obj_description(oid, 'pg_namespace')))
FROM room;

-- Views, and the tables of public schemas, with every column.
INSERT INTO line
SELECT r.place, 1, c.relname, 0, format(E'### %s.%s\n\n%s\n\n| column | type | meaning |\n|---|---|---|',
    r.name, c.relname, pg_temp.cell(obj_description(c.oid, 'pg_class')))
FROM pg_class c JOIN room r ON r.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm') AND r.name <> 'ledger'
UNION ALL
SELECT r.place, 1, c.relname, a.attnum, format('| `%s` | %s | %s |', a.attname,
    pg_temp.type(a.atttypid, a.atttypmod), pg_temp.cell(col_description(c.oid, a.attnum)))
FROM pg_class c JOIN room r ON r.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'p', 'v', 'm') AND r.name <> 'ledger'
UNION ALL
SELECT r.place, 1, c.relname, 10000, ''
FROM pg_class c JOIN room r ON r.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm') AND r.name <> 'ledger';

-- Base tables in a line each; partitions are as their parent.
INSERT INTO line
SELECT place, 1, '', 0, E'**Not stable between versions.** Read views where there is one.\n\n'
    '| table | columns | meaning |\n|---|---|---|'
FROM room WHERE name = 'ledger'
UNION ALL
SELECT r.place, 1, c.relname, 1, format('| `%s` | %s | %s |', c.relname,
    (SELECT string_agg(format('`%s` %s', a.attname, pg_temp.type(a.atttypid, a.atttypmod)), ', '
                       ORDER BY a.attnum)
     FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
    pg_temp.cell(obj_description(c.oid, 'pg_class')))
FROM pg_class c JOIN room r ON r.oid = c.relnamespace
WHERE r.name = 'ledger' AND c.relkind IN ('r', 'p', 'v', 'm') AND NOT c.relispartition
UNION ALL
SELECT place, 1, '~', 2, '' FROM room WHERE name = 'ledger';

-- Types.
INSERT INTO line
SELECT DISTINCT r.place, 2, '', 0, E'### Types of ' || r.name || E'\n\n| type | over | meaning |\n|---|---|---|'
FROM pg_type t JOIN room r ON r.oid = t.typnamespace
WHERE t.typtype = 'd' OR (t.typtype = 'b' AND t.typelem = 0)
UNION ALL
SELECT r.place, 2, t.typname, 1, format('| `%s` | %s | %s |', t.typname,
    CASE WHEN t.typtype = 'd' THEN format_type(t.typbasetype, t.typtypmod) ELSE 'a type of its own' END,
    pg_temp.cell(obj_description(t.oid, 'pg_type')))
FROM pg_type t JOIN room r ON r.oid = t.typnamespace
WHERE t.typtype = 'd' OR (t.typtype = 'b' AND t.typelem = 0)
UNION ALL
SELECT DISTINCT r.place, 2, '~', 2, ''
FROM pg_type t JOIN room r ON r.oid = t.typnamespace
WHERE t.typtype = 'd' OR (t.typtype = 'b' AND t.typelem = 0);

-- Functions; those only PostgreSQL calls (of aggregates and types) in a list of their own.
CREATE TEMP TABLE callable AS
SELECT r.place, r.name AS room, p.proname, p.oid,
    CASE WHEN p.prorettype IN ('internal'::regtype, 'cstring'::regtype)
              OR 'internal'::regtype = ANY (p.proargtypes) OR 'cstring'::regtype = ANY (p.proargtypes)
         THEN 4 ELSE 3 END AS part,
    format('%s(%s)', p.proname, (
        SELECT string_agg(concat_ws(' ', g.name, pg_temp.type(g.type, NULL),
                                    'DEFAULT ' || pg_get_function_arg_default(p.oid, g.number::int)),
                          ', ' ORDER BY g.number)
        FROM (SELECT nullif(a.name, '') AS name, a.type, coalesce(a.mode, 'i') AS mode,
                  row_number() OVER (ORDER BY a.number) AS number
              FROM unnest(coalesce(p.proallargtypes, p.proargtypes::oid[]), p.proargnames,
                          p.proargmodes) WITH ORDINALITY a(type, name, mode, number)
              WHERE a.type IS NOT NULL) g
        WHERE g.mode IN ('i', 'v', 'b'))) AS signature,
    CASE WHEN p.prokind = 'a' THEN 'aggregate: ' ELSE '' END || coalesce(
        CASE WHEN p.proretset THEN 'rows of ' ELSE 'one row of ' END || (
            SELECT string_agg(p.proargnames[i] || ' ' || pg_temp.type(p.proallargtypes[i], NULL),
                              ', ' ORDER BY i)
            FROM generate_subscripts(p.proallargtypes, 1) i WHERE p.proargmodes[i] IN ('o', 't')),
        pg_temp.type(p.prorettype, NULL)) AS result
FROM pg_proc p JOIN room r ON r.oid = p.pronamespace;

INSERT INTO line
SELECT DISTINCT place, part, '', 0, format(E'### %s of %s\n\n| function | gives | meaning |\n|---|---|---|',
    CASE part WHEN 3 THEN 'Functions' ELSE 'Support functions' END, room)
FROM callable WHERE room <> 'ledger'
UNION ALL
SELECT place, part, signature, 1, format('| `%s` | %s | %s |', signature, pg_temp.cell(result),
    pg_temp.cell(obj_description(oid, 'pg_proc')))
FROM callable WHERE room <> 'ledger'
UNION ALL
SELECT DISTINCT place, part, '~', 2, '' FROM callable WHERE room <> 'ledger';

-- Settings.
INSERT INTO line
SELECT r.place, 5, '', 0, E'### Settings\n\n| setting | meaning |\n|---|---|'
FROM room r WHERE r.name = 'tidemark'
UNION ALL
SELECT r.place, 5, s.name, 1, format('| `%s` | %s |', s.name,
    pg_temp.cell(concat_ws('. ', rtrim(s.short_desc, '.'), s.extra_desc)))
FROM room r, pg_settings s WHERE r.name = 'tidemark' AND s.name LIKE 'tidemark.%'
UNION ALL
SELECT r.place, 5, '~', 2, '' FROM room r WHERE r.name = 'tidemark';

-- No empty line at the end.
DELETE FROM line WHERE ctid = (SELECT ctid FROM line
    ORDER BY room DESC, part DESC, name DESC, number DESC LIMIT 1) AND text = '';
SELECT text FROM line
ORDER BY room, part, CASE WHEN room = 0 THEN number END, name, number;
