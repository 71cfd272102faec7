-- Who leads a round, and who signed a block.

CREATE OR REPLACE FUNCTION ledger.given_round(round bigint) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF round IS NULL THEN
        RAISE EXCEPTION 'the round is NULL' USING ERRCODE = 'null_value_not_allowed';
    ELSIF round < 0 THEN
        RAISE EXCEPTION 'the round is below 0: %', round
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    RETURN round;
END $$;
COMMENT ON FUNCTION ledger.given_round(bigint) IS 'The round itself; raises where it is NULL or negative.';

-- (height + round) mod n, without a sum that could leave bigint.
CREATE FUNCTION state.leader_at(h bigint, round bigint)
RETURNS TABLE (address bytea, public_key bytea, member bigint, round bigint, signs_height bigint,
    height bigint)
LANGUAGE sql STABLE PARALLEL SAFE BEGIN ATOMIC
SELECT s.address, s.public_key, s.member, r.round, s.signs_height, s.height
FROM ledger.given_round($2) AS r(round),
    LATERAL (SELECT v.*, count(*) OVER () AS members FROM state.validator_set_at($1) v) s
WHERE s.member = (s.signs_height % s.members + r.round % s.members) % s.members;
END;
COMMENT ON FUNCTION state.leader_at(bigint, bigint) IS
    'state.leader as of block h, whatever tidemark.height is: the leader of a round of block h + 1. An error where h is null, above the tip or pruned, or the round is null or negative.';

CREATE FUNCTION state.leader(round bigint)
RETURNS TABLE (address bytea, public_key bytea, member bigint, round bigint, signs_height bigint,
    height bigint)
LANGUAGE sql STABLE PARALLEL SAFE BEGIN ATOMIC
SELECT l.* FROM tidemark.height() AS at(h), LATERAL state.leader_at(at.h, $1) l;
END;
COMMENT ON FUNCTION state.leader(bigint) IS
    'The validator that leads a round (from 0) of the block after the height in tidemark.height: member number (signs_height + round) mod n of state.validator_set, e.g. leader(0). Derived.';

DO $$
BEGIN
    EXECUTE format($view$
CREATE VIEW chain.validator_signature AS
SELECT b.height, b.block_time, s.round, s.address AS validator, s.signature,
    s.valid AND s.step = 4 AND s.height = b.height
        AND s.state_hash IS NOT DISTINCT FROM b.state_hash
        -- Under `reference` a vote covers the state hash, but not the whole header.
        AND (c.rules = 'reference' OR s.header_hash IS NOT DISTINCT FROM b.header_hash) AS valid
FROM ledger.chain c
CROSS JOIN ledger.block b
-- The set after the block before; none where that state is pruned.
CROSS JOIN LATERAL (
    SELECT array_agg(m.address) AS addresses, array_agg(m.public_key) AS public_keys
    FROM (%s) m
    WHERE (c.rules = 'reference' OR (m.paused_height = -1 AND m.unstaking_height = -1))
        AND b.height > (SELECT p.earliest FROM ledger.tip p)
) v
CROSS JOIN LATERAL tidemark.certificate_signatures(b.certificate, v.addresses, v.public_keys,
    c.rules) s
WHERE b.certificate <> '\x'::bytea$view$,
        ledger.rows_at('validator', '(b.height - 1)',
            'v.address, v.public_key, v.paused_height, v.unstaking_height'));
END $$;
COMMENT ON VIEW chain.validator_signature IS
    'Signatures of each block''s certificate, each checked when it is read: membership in the set after the block before, Ed25519 under the chain''s rule set (strict under standard), and that what was signed is this block''s header. Members that did not sign have no row. Header.';
COMMENT ON COLUMN chain.validator_signature.validator IS 'Address of the validator that signed.';
COMMENT ON COLUMN chain.validator_signature.signature IS
    'Ed25519 signature over height, round, step and what the block''s header says, 64 bytes.';
COMMENT ON COLUMN chain.validator_signature.valid IS
    'Whether it counts: signed by a member, once, over this block. NULL = the set is pruned.';
