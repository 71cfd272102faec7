-- Comments and rights of schema `report` and of the tables behind it; and the sums over blocks that
-- were written before there were such tables.

DO $$
DECLARE
    object record;
BEGIN
    COMMENT ON SCHEMA report IS
        'Ready answers: supply, the richest, stakes, validators, rewards, messages, parameters. Derived, not provable: report.check() holds the sums against the rows that are. Days are UTC days of the header''s time.';

    CREATE TEMP TABLE report_text (relation text, name text, text text) ON COMMIT DROP;
    INSERT INTO pg_temp.report_text VALUES
        ('ledger.block_total', NULL, 'Sums of state after each block, written with it. Derived, not provable; report.check() makes them anew. Pruned heights keep theirs.'),
        ('ledger.block_message', NULL, 'Transactions of each block by kind of message. Derived, not provable; report.check() makes them anew.'),
        ('ledger.block_stake', NULL, 'Net effect of each block on the actors of a kind, where it has one. Derived, not provable; report.check() makes them anew.'),
        ('ledger.block_chain', NULL, 'Relay chains for which other servicers can be drawn since a block. Derived, not provable; report.check() makes them anew.'),
        ('ledger.large_balance', NULL, 'The accounts that rank highest, at or above ledger.large_floor, as of the tip. Derived, not provable; report.check() holds them against all accounts.'),
        ('ledger.large_floor', NULL, 'From which rank on accounts are in ledger.large_balance. Derived.'),
        ('report.label', NULL, 'Names that users gave to addresses: INSERT, UPDATE and DELETE by the role tidemark_label, which the operator grants. Not provable, no part of the chain: rollback, prune and migrate leave it alone.'),
        ('report.supply', NULL, 'Sum of all balances after each block, and its parts. Derived, not provable.'),
        ('report.staking', NULL, 'What each block did to the actors of a kind, net: staked + edited - returned is the change of all stakes (under reference, where actors that got their stake back stay, staked + edited alone). Derived, not provable.'),
        ('report.staking_day', NULL, 'report.staking by UTC day. Derived, not provable.'),
        ('report.servicer_churn', NULL, 'Servicers that sessions on a relay chain can draw (neither paused nor unstaking): how many came and went with each block. Derived, not provable.'),
        ('report.servicer_churn_day', NULL, 'report.servicer_churn by UTC day. Derived, not provable.'),
        ('report.message', NULL, 'Transactions and fees of each block by kind of message. Derived, not provable.'),
        ('report.message_day', NULL, 'report.message by UTC day. Derived, not provable.'),
        ('report.proposer_reward', NULL, 'What the end of each block shared out, and to whom. Derived, not provable.'),
        ('report.proposer_reward_day', NULL, 'report.proposer_reward by UTC day and proposer. Derived, not provable.'),
        ('report.param_timeline', NULL, 'Every change of every parameter, and who made it. from_value and to_value provable: tree params.'),
        ('report.unbonding', NULL, 'Actors at the tip whose unstaking has not ended, with the height at which it does. Provable but for label and blocks_left.'),
        ('report.session_load', NULL, 'report.session_load_at of the tip, for every relay chain. Derived.'),
        ('report.richest_account', NULL, 'The 100 accounts with the greatest balances at the tip; of equal balances the lower address comes first. Balances provable, the rank derived.'),
        ('report.validator_uptime', NULL, 'report.validator_uptime_between over the last 1,000 blocks.'),

        (NULL, 'height', 'Height of the block.'),
        ('report.unbonding', 'height', 'The height asked.'),
        ('report.session_load', 'height', 'The height asked.'),
        ('report.session_load', 'share', 'sessions / chain_sessions, 0 to 1; NULL = no application asks for the chain. Derived.'),
        (NULL, 'sessions', 'Sessions on the chain that the servicer is in. Derived.'),
        (NULL, 'chain_sessions', 'Sessions on the chain: one for each application that is staked for it. Derived.'),
        (NULL, 'session_height', 'Height at which these sessions began.'),
        ('report.richest_account', 'height', 'The height asked.'),
        ('ledger.large_floor', 'height', 'Height from which on this floor holds.'),
        (NULL, 'block_time', 'Time in the block''s header, to the microsecond. Header.'),
        (NULL, 'day', 'UTC day of the header''s time. Derived.'),
        (NULL, 'proposer', 'Address of the validator that proposed the block. Header.'),
        ('ledger.block_total', 'proposer', 'Address of the validator that proposed the block; empty at 0. Header.'),
        (NULL, 'accounts', 'Number of accounts after the block. Derived.'),
        (NULL, 'account', 'Sum of all account balances'),
        (NULL, 'pool', 'Sum of all pool balances'),
        (NULL, 'total', 'Accounts and pools together'),
        (NULL, 'dao', 'Balance of the pool DAO'),
        (NULL, 'fee_collector', 'Balance of the pool FeeCollector'),
        (NULL, 'application_stake', 'Balance of the pool AppStakePool'),
        (NULL, 'validator_stake', 'Balance of the pool ValidatorStakePool'),
        (NULL, 'servicer_stake', 'Balance of the pool ServicerStakePool'),
        (NULL, 'fisherman_stake', 'Balance of the pool FishermanStakePool'),
        (NULL, 'other_pool', 'Balance of all other pools'),
        (NULL, 'fee', 'Fees of these transactions'),
        ('ledger.block_total', 'fee', 'What the block''s end shared out; NULL = not known, the block was pruned'),
        ('report.proposer_reward', 'fee', 'What the block''s end shared out'),
        ('report.proposer_reward_day', 'fee', 'What the ends of these blocks shared out'),
        (NULL, 'reward', 'The proposer''s part of it'),
        (NULL, 'to_dao', 'The rest, which went to the DAO'),
        (NULL, 'actor_type', 'Kind of actor: application, servicer, fisherman or validator.'),
        (NULL, 'staked', 'Stake of actors that are there now and were not before'),
        (NULL, 'staked#', 'Number of actors that are there now and were not before; at height 0 those of genesis. Derived.'),
        (NULL, 'edited', 'By how much the stakes of edited actors grew'),
        (NULL, 'edited#', 'Number of actors whose stake, chains or service URL changed. Derived.'),
        (NULL, 'unstaking', 'Stake of actors that began to unstake'),
        (NULL, 'unstaking#', 'Number of actors that began to unstake. Derived.'),
        (NULL, 'returned', 'Stake given back at the end of unstaking'),
        (NULL, 'returned#', 'Number of actors whose stake was given back. Derived.'),
        (NULL, 'relay_chain', 'Relay chain, four characters, e.g. 0001.'),
        (NULL, 'joined', 'Servicers that can be drawn since then. Derived.'),
        (NULL, 'gone', 'Servicers that cannot be drawn any more. Derived.'),
        (NULL, 'servicers', 'Servicers that can be drawn afterwards. Derived.'),
        (NULL, 'message_type', 'Kind of message, e.g. MessageSend. Derived.'),
        (NULL, 'transactions', 'Number of transactions. Derived.'),
        (NULL, 'failed', 'How many of them failed (result_code other than 0) and paid their fee all the same. Derived.'),
        (NULL, 'blocks', 'Number of blocks proposed. Derived.'),
        (NULL, 'label', 'Name that a user gave to the address (report.label); NULL = none. Not provable.'),
        (NULL, 'name', 'Name of the parameter, e.g. blocks_per_session. Provable.'),
        (NULL, 'from_value', 'Value before; NULL = it had none, or that is pruned. Provable.'),
        (NULL, 'to_value', 'Value afterwards. Provable.'),
        (NULL, 'step', 'Which step of the block wrote it: genesis or transaction. Derived.'),
        (NULL, 'tx_index', 'Place of the transaction in its block, from 0; NULL = no transaction did it.'),
        (NULL, 'hash', 'Hash of the transaction; NULL = no transaction did it.'),
        (NULL, 'signer', 'Who signed the transaction; NULL = no transaction did it.'),
        (NULL, 'address', 'Address, 20 bytes.'),
        (NULL, 'output_address', 'Address that the stake goes back to. Provable.'),
        (NULL, 'stake', 'Stake'),
        (NULL, 'unstaking_height', 'Height at whose end the stake is given back. Provable.'),
        (NULL, 'blocks_left', 'How many blocks that is from the height asked. Derived.'),
        (NULL, 'rank', 'Place, from 1. Derived.'),
        (NULL, 'balance', 'Balance'),
        ('ledger.large_balance', 'balance', 'Balance in upokt. Provable through ledger.account.'),
        ('ledger.large_floor', 'balance', 'Least balance that is kept; NULL = all accounts are.'),
        ('ledger.large_floor', 'address', 'Of accounts with that balance, the last that is kept.'),
        (NULL, 'share', 'Part of the supply (accounts and pools), 0 to 1; NULL = there are no sums of that height. Derived.'),
        (NULL, 'could_sign', 'Blocks of the span that the validator was to sign: it was in the set after the block before (under reference, where the leader''s own vote is not in the certificate, without those it proposed). Derived.'),
        (NULL, 'signed', 'How many of their certificates have its signature. Derived from certificates, which the node checked.'),
        (NULL, 'uptime', 'signed / could_sign, 0 to 1; NULL = there was no such block. Derived.'),
        (NULL, 'proposed', 'Blocks of the span that it proposed. Header.'),
        (NULL, 'first_height', 'First block of the span.'),
        (NULL, 'last_height', 'Last block of the span.'),
        (NULL, 'valid_from', 'Height from which on the row is true.'),
        (NULL, 'valid_to', 'Height from which on it is not.'),
        (NULL, 'class', 'Partition: lifetimes from 8^class heights.'),
        ('report.label', 'name', 'The name: 1 to 64 printable characters. Not provable.'),
        ('report.label', 'source', 'Where it is from, e.g. a URL; empty = not said. Not provable.'),
        ('report.label', 'address', 'Address it names, of an account, pool or actor.');

    FOR object IN
        SELECT c.oid::regclass AS name, c.relkind, t.text
        FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_temp.report_text t ON t.name IS NULL
            AND t.relation = n.nspname || '.' || regexp_replace(c.relname, '_history(_\d)?$', '')
        WHERE c.relkind IN ('r', 'p', 'v')
    LOOP
        EXECUTE format('COMMENT ON %s %s IS %L',
                       CASE object.relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END,
                       object.name,
                       CASE WHEN object.name::text ~ '_history(_\d)?$'
                            THEN 'What was true before. ' ELSE '' END || object.text);
    END LOOP;

    -- An amount is described by its name without unit, a count by the name and '#'.
    FOR object IN
        SELECT c.oid::regclass AS name, a.attname, best.text || CASE
            WHEN a.attname LIKE '%\_upokt' THEN ', in upokt. Derived.'
            WHEN a.attname LIKE '%\_pokt' THEN ', in POKT, exactly. Derived.' ELSE '' END AS text
        FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        CROSS JOIN LATERAL (
            SELECT t.text
            FROM pg_temp.report_text t
            WHERE t.name IN (regexp_replace(a.attname, '_u?pokt$', ''), a.attname || '#')
                AND (t.relation IS NULL OR t.relation = n.nspname || '.'
                     || regexp_replace(c.relname, '_history(_\d)?$', ''))
            ORDER BY t.relation IS NULL, t.name LIKE '%#' DESC
            LIMIT 1
        ) best
        WHERE c.relkind IN ('r', 'p', 'v')
            AND (n.nspname = 'report'
                 OR n.nspname = 'ledger' AND c.relname ~ '^(block_|large_)(total|message|stake|chain|balance|floor)')
    LOOP
        EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', object.name, object.attname, object.text);
    END LOOP;
END $$;

COMMENT ON FUNCTION report.richest_account_at(bigint, int) IS
    'The n accounts (100 unless said, 1,000 at most) with the greatest balances after block h, e.g. richest_account_at(1200, 10): rank from 1, address, label, balance, share of the supply. Of equal balances the lower address comes first. An error where h is null, above the tip or pruned. Balances provable, the rank derived.';
COMMENT ON FUNCTION report.richest_account_day(int, int) IS
    'report.richest_account_at the last block of each of the last so many UTC days (30 unless said) that end with the tip''s, e.g. richest_account_day(7, 10). Days without a block, and pruned ones, have no rows. Derived.';
COMMENT ON FUNCTION report.validator_uptime_between(bigint, bigint) IS
    'For each validator that was to sign one of the blocks from_height to to_height: how many it was to sign, how many it signed, the quotient, and how many blocks it proposed, e.g. validator_uptime_between(101, 200). Signatures as the certificates name them (chain.validator_signature checks each one). An error where a height is null, above the tip or pruned. Derived.';
COMMENT ON FUNCTION report.unbonding_at(bigint) IS
    'report.unbonding as of block h. An error where h is null, above the tip or pruned.';
COMMENT ON FUNCTION report.session_load_at(bigint, text) IS
    'How the sessions as of block h, one for each application and relay chain (without a geo zone), fall on the servicers that can be drawn, e.g. session_load_at(1200, ''0001''); without a chain for all of them. An error where h is null, above the tip or pruned, or no session exists. Derived.';
COMMENT ON FUNCTION report.check_between(bigint, bigint) IS
    'Makes the sums of blocks from_height to to_height anew from the rows of state, transactions and blocks and names what differs: height, report = table behind it, item = its key beside the height, column, the value stored and the value computed. Holds ledger.large_balance at to_height against all accounts as well. No row = all is right. Reads much: the first height''s whole state.';
COMMENT ON FUNCTION report.check(bigint) IS
    'report.check_between for one height, e.g. check(1200). No row = all is right.';
COMMENT ON FUNCTION ledger.amount_columns(text, text) IS
    'SQL for an amount in upokt and in POKT. For generators.';

RESET ROLE;
REVOKE ALL ON FUNCTION ledger.fill_totals, ledger.rollback_totals, ledger.prune_totals,
    ledger.tend_large_balances FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ledger.rollback_totals, ledger.prune_totals, ledger.tend_large_balances
    TO tidemark_node;

REVOKE ALL ON SCHEMA report FROM PUBLIC;
GRANT USAGE ON SCHEMA report TO tidemark_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA report TO tidemark_reader;
-- Readers stay readers: who may name addresses is granted this role as well.
ALTER ROLE tidemark_label NOLOGIN;
GRANT USAGE ON SCHEMA report TO tidemark_label;
GRANT SELECT, INSERT, UPDATE, DELETE ON report.label TO tidemark_label;
GRANT tidemark_label TO tidemark_admin WITH ADMIN OPTION;

-- The node would do the second at its next block.
SET LOCAL ROLE tidemark_owner;
SELECT ledger.fill_totals();
SELECT ledger.tend_large_balances(b.fewest, b.kept, b.most) FROM ledger.large_bounds() b
WHERE NOT EXISTS (SELECT FROM ledger.large_floor);
RESET ROLE;
