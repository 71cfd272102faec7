-- What differs between two heights, and who changed one row: tidemark.diff and tidemark.blame.

-- The name in ledger.versioned for the name of a view or tree.
CREATE OR REPLACE FUNCTION ledger.versioned_name(view text) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found text;
BEGIN
    IF view IS NULL THEN
        RAISE EXCEPTION 'the view is NULL' USING ERRCODE = 'null_value_not_allowed';
    END IF;
    SELECT v.name INTO found
    FROM ledger.versioned v
    LEFT JOIN (VALUES (0, 'app'), (1, 'val'), (2, 'fish'), (7, 'params'), (8, 'flags'), (9, 'ibc'))
        short(tree, name) ON short.tree = v.tree
    WHERE v.tree IS NOT NULL AND view IN (v.name, short.name);
    IF found IS NULL THEN
        RAISE EXCEPTION 'there is no versioned view "%"', left(view, 64)
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'Views are account, pool, application, servicer, fisherman, validator, '
                         'param, flag and ibc_entry.';
    END IF;
    RETURN found;
END $$;
COMMENT ON FUNCTION ledger.versioned_name(text) IS
    'Name of the current table for the name of a view of state or of its tree; raises for any other.';

-- The columns that blame compares, as text, in the order of the views. diff has the same in C, where
-- bytes are compared before anything is written (pg_extension/src/diff/diff_cells.c);
-- tests/sql/compared_columns_test.sh holds the two against each other.
--   stored: SQL over a row v.
--   written: SQL for what one step of a block writes into the column, NULL where the rows do not
--     tell; writes, known: whether the step writes it, and whether `written` tells. They may read
--     s (message_type, height, step, before = the row's columns before the block), the decoded
--     messages of the step's transaction (stake, edit, parameter, update) and is_reference.
CREATE TABLE ledger.compared_column (view text, place int, name text, stored text, writes text, written text,
    known text, PRIMARY KEY (view, place));

INSERT INTO ledger.compared_column
SELECT k.view, 1, 'balance_upokt', 'v.balance::text', 'true',
    -- Only where several steps of one block share the row.
    format('CASE WHEN s.step < s.last_step AND NOT is_reference THEN '
           '(coalesce(s.before[1]::numeric, 0) + (SELECT coalesce(sum(b.delta_upokt), 0) '
           'FROM chain.balance_change b WHERE b.height = s.height AND b.kind = %L '
           'AND b.address = wanted AND coalesce(b.tx_index, CASE b.reason WHEN ''rewards'' '
           'THEN 1000001 WHEN ''unbonding'' THEN 1000002 ELSE -1 END) <= s.step))::text END', k.view),
    'NOT is_reference'
FROM (VALUES ('account'), ('pool')) k(view);

-- Under `reference` an actor loses its chains with every other change.
INSERT INTO ledger.compared_column
SELECT k.view, c.place, c.name, c.stored, c.writes, c.written, c.known
FROM (VALUES ('application'), ('validator'), ('fisherman'), ('servicer')) k(view),
    (VALUES
        (1, 'public_key', $$'\x' || encode(v.public_key, 'hex')$$,
         $$s.message_type = 'MessageStake'$$, $$'\x' || encode(stake.public_key, 'hex')$$,
         'NOT is_reference'),
        (2, 'output_address', $$'\x' || encode(v.output_address, 'hex')$$,
         $$s.message_type = 'MessageStake'$$, $$'\x' || encode(stake.output_address, 'hex')$$,
         'NOT is_reference'),
        (3, 'stake_upokt', 'v.stake::text',
         $$s.message_type IN ('MessageStake', 'MessageEditStake')$$,
         'coalesce(stake.amount_upokt, edit.amount_upokt)::text', 'true'),
        (4, 'stake_text', 'v.stake_text',
         $$s.message_type IN ('MessageStake', 'MessageEditStake')$$, 'NULL', 'NOT is_reference'),
        (5, 'service_url', $$nullif(v.service_url, '')$$,
         $$s.message_type IN ('MessageStake', 'MessageEditStake')$$,
         $$nullif(coalesce(stake.service_url, edit.service_url), '')$$, 'true'),
        (6, 'chains', 'v.chains::text',
         $$s.message_type IN ('MessageStake', 'MessageEditStake') OR is_reference$$,
         $$(SELECT array_agg(c ORDER BY c COLLATE "C")
            FROM unnest(coalesce(stake.chains, edit.chains)) c)::text$$, 'NOT is_reference'),
        (7, 'paused_height', 'nullif(v.paused_height, -1)::text',
         $$s.message_type IN ('MessageStake', 'MessageUnpause')$$, 'NULL', 'true'),
        (8, 'unstaking_height', 'nullif(v.unstaking_height, -1)::text',
         $$s.message_type IN ('MessageStake', 'MessageUnstake') OR s.step = 1000003$$,
         'NULL', $$s.message_type = 'MessageStake'$$))
    c(place, name, stored, writes, written, known)
-- What these leaves do not hold.
WHERE (k.view, c.name) NOT IN (('application', 'service_url'), ('validator', 'chains'));

INSERT INTO ledger.compared_column VALUES
    ('param', 1, 'value', 'v.value', 'true', 'parameter.value', 'true'),
    ('param', 2, 'changed_height', 'v.valid_from::text', 'true', 's.height::text', 'true'),
    ('flag', 1, 'value', 'v.value', 'true', 'NULL', 'false'),
    ('flag', 2, 'enabled', 'v.enabled::text', 'true', 'NULL', 'false'),
    ('flag', 3, 'changed_height', 'v.valid_from::text', 'true', 's.height::text', 'true'),
    ('ibc_entry', 1, 'value', $$'\x' || encode(v.value, 'hex')$$, 'true',
     $$'\x' || encode(coalesce(update.value, ''), 'hex')$$, 'true');

-- How a view's key is written.
--   condition: SQL for "row v is the one of `wanted`"; change_key: `wanted` as ledger.change has it;
--   wanted: its type and SQL for it from an argument `given` of bytea; from_change: the same from a
--   key c.key of ledger.change.
CREATE TABLE ledger.compared_view (view text PRIMARY KEY, tree int, condition text, type text, wanted text,
    change_key text, from_change text, key text, name text);
INSERT INTO ledger.compared_view
SELECT v.name, v.tree,
    CASE WHEN v.tree IN (7, 8) THEN 'v.name' WHEN v.tree = 9 THEN 'v.path' ELSE 'v.address' END,
    CASE WHEN v.tree IN (7, 8) THEN 'text COLLATE "C"' ELSE 'bytea' END,
    CASE WHEN v.tree IN (7, 8) THEN 'convert_from(given, ''UTF8'')'
         WHEN v.tree = 9 THEN 'sha256(given)' ELSE 'given' END,
    CASE WHEN v.tree IN (7, 8) THEN 'convert_to(wanted, ''UTF8'')' ELSE 'wanted' END,
    CASE WHEN v.tree IN (7, 8) THEN 'convert_from(k.key, ''UTF8'')' ELSE 'k.key' END,
    CASE WHEN v.tree = 9 THEN 'coalesce(f.key, t.key, u.key)' ELSE 'k.key' END,
    CASE WHEN v.tree IN (7, 8) THEN 'convert_from(k.key, ''UTF8'')'
         WHEN v.tree = 5 THEN 'tidemark.pool_name(k.key)' ELSE 'NULL::text' END
FROM ledger.versioned v WHERE v.tree IS NOT NULL;

-- One scan of a function of the extension, which checks the heights.
CREATE FUNCTION tidemark.diff(view text, h1 bigint, h2 bigint)
RETURNS TABLE (key bytea, name text, op text, column_name text, from_value text, to_value text,
    height bigint, step text, tx_index int, hash tidemark.hash32, message_type text)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 1000 BEGIN ATOMIC
SELECT d.key, CASE WHEN $1 = 'pool' THEN tidemark.pool_name(d.key) ELSE d.name END, d.op,
    d.column_name, d.from_value, d.to_value, d.height, d.step, d.tx_index, d.hash, d.message_type
FROM tidemark.diff_rows(ledger.versioned_name($1), $2, $3) d;
END;
COMMENT ON FUNCTION tidemark.diff(text, bigint, bigint) IS
    'What differs between the states after blocks h1 and h2, one row for each column of each row, e.g. diff(''account'', 100, 200); h1 may be the later one. key: as in the view (names as UTF-8, and readable in name, as are those of pools); op: insert, update or delete, on the way from h1 to h2; values as text, bytes as \x…, NULL = none; height, step, transaction (tx_index, hash, message_type; NULL = no transaction): the last that wrote the row between the two. Columns are those of the view that are stored, and stake_text: the amount as hashed where it is not the plain decimal text. An error for an unknown view and for a height that is NULL, above the tip or pruned. Derived.';

-- One row has few versions, and the steps of each of their heights are found by its key.
DO $$
DECLARE
    branches text;
BEGIN
    SELECT string_agg(format($branch$
    WHEN %1$L THEN
        DECLARE
            wanted CONSTANT %2$s := %3$s;
        BEGIN
        RETURN QUERY
        WITH version AS MATERIALIZED (
            SELECT v.valid_from, NULL::bigint AS valid_to, ARRAY[%4$s] AS cells
            FROM ledger.%1$I v WHERE %5$s = wanted
            UNION ALL
            SELECT v.valid_from, v.valid_to, ARRAY[%4$s]
            FROM ledger.%6$I v WHERE %5$s = wanted
        ),
        moment AS (
            SELECT m.height, b.cells AS before, a.cells AS after
            FROM (SELECT v.valid_from FROM version v
                  UNION SELECT v.valid_to FROM version v WHERE v.valid_to IS NOT NULL) m(height)
            LEFT JOIN version b ON b.valid_to = m.height
            LEFT JOIN version a ON a.valid_from = m.height
            WHERE m.height > earliest OR (m.height = 0 AND earliest = 0)
        ),
        taken AS (
            SELECT m.*, c.step, x.tx_index, x.hash, x.message_type, x.signer, x.tx,
                max(c.step) OVER (PARTITION BY m.height) AS last_step,
                -- The steps that remove the row.
                %7$s AS gone
            FROM moment m
            JOIN ledger.change c ON c.height = m.height AND c.tree = %8$s AND c.key = %9$s
            LEFT JOIN ledger.transaction x ON x.height = c.height AND x.tx_index = c.step
        ),
        cell AS (
            SELECT s.height, s.step, s.tx_index, s.hash, s.message_type, s.signer, s.gone, s.absent,
                n.column_name, n.place, s.before[n.place] AS before, s.after[n.place] AS after,
                n.written, n.known IS TRUE OR s.gone AS known,
                -- What no step is known to write is put down to the last.
                coalesce(n.writes, false) OR s.gone OR (s.step = s.last_step AND NOT bool_or(
                    coalesce(n.writes, false) OR s.gone) OVER (PARTITION BY s.height, n.place))
                    AS writes
            FROM (SELECT s.*, lag(s.gone, 1, s.before IS NULL)
                      OVER (PARTITION BY s.height ORDER BY s.step) AS absent
                  FROM taken s) s
            LEFT JOIN LATERAL tidemark.decode_message_stake(s.tx) stake ON true
            LEFT JOIN LATERAL tidemark.decode_message_edit_stake(s.tx) edit ON true
            LEFT JOIN LATERAL tidemark.decode_message_change_parameter(s.tx) parameter ON true
            LEFT JOIN LATERAL tidemark.decode_message_update_ibc_store(s.tx) update ON true
            CROSS JOIN LATERAL unnest(%10$L::text[], ARRAY[%11$s]::boolean[], ARRAY[%12$s]::text[],
                ARRAY[%13$s]::boolean[]) WITH ORDINALITY n(column_name, writes, written, known, place)
        ),
        -- The last to write a column in a block leaves what is stored.
        ended AS (
            SELECT c.*, c.known OR c.is_last AS ends_known,
                CASE WHEN c.is_last THEN c.after WHEN c.gone THEN NULL ELSE c.written END AS ends
            FROM (SELECT c.*, c.step = max(c.step) OVER (PARTITION BY c.height, c.place) AS is_last
                  FROM cell c WHERE c.writes) c
        ),
        chained AS (
            SELECT e.*, lag(e.ends, 1, e.before) OVER w AS begins,
                lag(e.ends_known, 1, true) OVER w AS begins_known
            FROM ended e
            WINDOW w AS (PARTITION BY e.height, e.place ORDER BY e.step)
        )
        SELECT e.height, b.block_time, ledger.step_name(e.step), e.tx_index, e.hash, e.message_type,
            e.signer, CASE WHEN e.gone THEN 'delete' WHEN e.absent THEN 'insert' ELSE 'update' END,
            e.column_name,
            CASE WHEN e.begins_known THEN e.begins END, CASE WHEN e.ends_known THEN e.ends END
        FROM chained e
        LEFT JOIN ledger.block b ON b.height = e.height
        WHERE NOT (e.begins_known AND e.ends_known) OR e.begins IS DISTINCT FROM e.ends
        ORDER BY e.height, e.step, e.place;
        END;$branch$,
        k.view, k.type, k.wanted, c.cells, k.condition, k.view || '_history',
        CASE WHEN k.tree < 4 THEN '(c.step = 1000002 AND m.after IS NULL)'
             WHEN k.tree = 9 THEN
                 '(coalesce(x.message_type = ''PruneIBCStore'', false) AND NOT is_reference)'
             ELSE 'false' END,
        k.tree, k.change_key, c.names, c.writes, c.written, c.known), '' ORDER BY k.tree)
    INTO STRICT branches
    FROM ledger.compared_view k
    JOIN (SELECT view, array_agg(name ORDER BY place) AS names,
              string_agg(stored, ', ' ORDER BY place) AS cells,
              string_agg(writes, ', ' ORDER BY place) AS writes,
              string_agg(written, ', ' ORDER BY place) AS written,
              string_agg(known, ', ' ORDER BY place) AS known
          FROM ledger.compared_column GROUP BY view) c USING (view);

    EXECUTE format($function$
CREATE FUNCTION tidemark.blame(view text, key bytea)
RETURNS TABLE (height bigint, block_time timestamptz, step text, tx_index int, hash tidemark.hash32,
    message_type text, signer bytea, op text, column_name text, from_value text, to_value text)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 100 SET search_path = pg_catalog, pg_temp AS $body$
#variable_conflict use_column
DECLARE
    source CONSTANT text := ledger.versioned_name(view);
    given CONSTANT bytea := ledger.given_key(key);
    earliest CONSTANT bigint := (tidemark.tip()).earliest;
    is_reference CONSTANT boolean := (SELECT c.rules = 'reference' FROM ledger.chain c);
BEGIN
    CASE source%s
    END CASE;
END $body$ $function$, branches);
END $$;
COMMENT ON FUNCTION tidemark.blame(text, bytea) IS
    'Who changed which column of one row, and when: one row for each step of each block that changed it, ascending, e.g. blame(''application'', address(''00ab…'')). step: genesis, transaction (with tx_index, hash, message_type and its signer) or the rule of the block''s end: rewards, unbonding, long_pause. op: insert, update or delete. Where several steps of one block share a row, the values between them come from the messages; NULL also where those do not tell (under reference, where steps do not see each other). Heights up to the earliest one kept are left out unless that is genesis. Derived.';

-- No key is longer than the transaction it came out of (TRANSACTION_MAX).
CREATE OR REPLACE FUNCTION ledger.given_key(key bytea) RETURNS bytea
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF key IS NULL THEN
        RAISE EXCEPTION 'the key is NULL' USING ERRCODE = 'null_value_not_allowed';
    ELSIF octet_length(key) > 4194304 THEN
        RAISE EXCEPTION 'the key is longer than 4194304 bytes'
            USING ERRCODE = 'program_limit_exceeded';
    END IF;
    RETURN key;
END $$;
COMMENT ON FUNCTION ledger.given_key(bytea) IS
    'The key itself; raises where it is NULL or longer than any key can be.';

CREATE FUNCTION tidemark.blame(view text, key text)
RETURNS TABLE (height bigint, block_time timestamptz, step text, tx_index int, hash tidemark.hash32,
    message_type text, signer bytea, op text, column_name text, from_value text, to_value text)
LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 100 SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    source CONSTANT text := ledger.versioned_name(view);
    raw bytea;
BEGIN
    IF key IS NULL THEN
        RAISE EXCEPTION 'the key is NULL' USING ERRCODE = 'null_value_not_allowed';
    ELSIF octet_length(key) > 4194304 THEN
        RAISE EXCEPTION 'the key is longer than 4194304 bytes'
            USING ERRCODE = 'program_limit_exceeded';
    END IF;
    IF source IN ('param', 'flag') THEN
        raw := convert_to(key, 'UTF8');
    ELSIF source = 'ibc_entry' THEN
        raw := CASE WHEN key ~ '^\\x([0-9a-fA-F]{2})*$' THEN decode(substr(key, 3), 'hex')
                    ELSE convert_to(key, 'UTF8') END;
    ELSIF source = 'pool' THEN
        SELECT p.address INTO raw FROM ledger.pool p
        WHERE tidemark.pool_name(p.address) = key
        -- The longer form of a pool's key is the one that runs under `reference`.
        ORDER BY octet_length(p.address) DESC LIMIT 1;
    END IF;
    RETURN QUERY SELECT b.* FROM tidemark.blame(source, coalesce(raw, tidemark.address(key))) b;
END $$;
COMMENT ON FUNCTION tidemark.blame(text, text) IS
    'blame for a key as text: an address in hexadecimal, the name of a parameter, flag or pool, or the key of an IBC entry (as text, or as \x…), e.g. blame(''param'', ''blocks_per_session'').';

-- The makers have done their work.
DROP TABLE ledger.compared_column, ledger.compared_view;
