-- Schema `chain`: facts, which no height changes.

CREATE VIEW chain.block AS
SELECT b.height, b.block_time, b.state_hash, b.previous_state_hash,
    nullif(b.proposer, '\x'::bytea) AS proposer, b.round, b.transactions
FROM ledger.block b;

-- A left join, so that a query that does not ask for block_time does not pay for it.
CREATE VIEW chain.transaction AS
SELECT t.height, t.tx_index, t.hash, t.message_type, t.signer,
    nullif(t.recipient, '\x'::bytea) AS recipient, t.result_code, nullif(t.error, '') AS error, t.tx,
    b.block_time
FROM ledger.transaction t
LEFT JOIN ledger.block b ON b.height = t.height;

-- One view for each message, from the extension's typed decoders. nonce stands in the select list, so
-- that a query that does not ask for it does not decode twice. Bytes that are pruned have no message.
DO $$
DECLARE
    amount CONSTANT text := 'm.amount_upokt::tidemark.upokt AS amount_upokt, '
                            'm.amount_upokt * 0.000001 AS amount_pokt, m.amount_text';
    kind record;
BEGIN
    FOR kind IN
        SELECT * FROM (VALUES
            ('send', 'MessageSend', 'm.from_address, m.to_address, ' || amount),
            ('stake', 'MessageStake',
             'm.actor_type, m.address, m.public_key, m.output_address, ' || amount
             || ', m.service_url, m.chains'),
            ('edit_stake', 'MessageEditStake',
             'm.actor_type, m.address, ' || amount || ', m.service_url, m.chains'),
            ('unstake', 'MessageUnstake', 'm.actor_type, m.address'),
            ('unpause', 'MessageUnpause', 'm.actor_type, m.address'),
            ('change_parameter', 'MessageChangeParameter',
             'm.owner, m.name, m.value, m.value_type'),
            ('update_ibc_store', 'UpdateIBCStore', 'm.key, m.value'),
            ('prune_ibc_store', 'PruneIBCStore', 'm.key'))
            k(name, message_type, columns)
    LOOP
        EXECUTE format(
            'CREATE VIEW chain.message_%1$s AS '
            'SELECT t.height, b.block_time, t.tx_index, t.hash, t.signer, %3$s, '
            '(tidemark.decode_tx(t.tx)).nonce AS nonce, t.result_code '
            'FROM ledger.transaction t '
            'LEFT JOIN ledger.block b ON b.height = t.height '
            'CROSS JOIN LATERAL tidemark.decode_message_%1$s(t.tx) m '
            'WHERE t.message_type = %2$L AND t.tx IS NOT NULL',
            kind.name, kind.message_type, kind.columns);
    END LOOP;
END $$;
