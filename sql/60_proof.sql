-- What a light client is given: validator sets and headers as lines of JSON, for `tidemark-proof`.

CREATE FUNCTION tidemark.validator_set_json(h bigint) RETURNS json
LANGUAGE sql STABLE PARALLEL SAFE BEGIN ATOMIC
SELECT json_build_object('height', at.h, 'validators', (
        SELECT json_agg(json_build_object('address', encode(v.address, 'hex'),
                                          'public_key', encode(v.public_key, 'hex'))
                        ORDER BY v.address)
        FROM state.validator_set_at(at.h) v),
    'hash', (SELECT encode(b.next_validator_set_hash, 'hex') FROM ledger.block b
             WHERE b.height = at.h))
FROM tidemark.height($1) AS at(h);
END;
COMMENT ON FUNCTION tidemark.validator_set_json(bigint) IS
    'The validators after block h, who sign the next one, as one line for `tidemark-proof --validators`. An error where h is null, above the tip or pruned.';

CREATE FUNCTION tidemark.proof_headers(first_block bigint, last_block bigint)
RETURNS TABLE (number bigint, line json)
LANGUAGE sql STABLE PARALLEL SAFE ROWS 1000 BEGIN ATOMIC
SELECT b.height, CASE
    WHEN b.next_validator_set_hash = b.validator_set_hash THEN
        json_build_object('height', b.height, 'raw', encode(tidemark.block_header(b.height), 'hex'))
    ELSE
        json_build_object('height', b.height, 'raw', encode(tidemark.block_header(b.height), 'hex'),
            'validators', tidemark.validator_set_json(b.height)->'validators')
    END
FROM ledger.block b
WHERE b.height BETWEEN $1 AND $2
ORDER BY b.height;
END;
COMMENT ON FUNCTION tidemark.proof_headers(bigint, bigint) IS
    'Headers with their certificates as lines for `tidemark-proof --headers`, with the new validators where a block changes them.';
