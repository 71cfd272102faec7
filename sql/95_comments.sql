-- A comment on every schema, relation, column and function. One column name means one thing
-- everywhere, so most columns are described once; where a name is special in one relation, the entry
-- with the relation's name comes first.
--
-- "Provable": a Merkle root in the block's header covers the value. "Header": the block's certificate
-- signs it. "Derived": computed from such values. "Local": known to this node only.

DO $$
DECLARE
    object record;
BEGIN
    COMMENT ON SCHEMA tidemark IS
        'Functions and types of the extension, and functions over the chain: heights, roots, verification, submission.';
    COMMENT ON SCHEMA ledger IS
        'Base tables: one current and one history table per kind of state, blocks, transactions. Readable, not stable between versions; only the node writes.';
    COMMENT ON SCHEMA state IS
        'What is true at the height in tidemark.height (the tip if unset); view_at(h) and view_page_at(h, after, n) give the same at an explicit height.';
    COMMENT ON SCHEMA history IS
        'Every version of every row of state, with the heights it was true at and the step that wrote it.';
    COMMENT ON SCHEMA chain IS
        'Facts that never change: blocks, transactions and their decoded messages.';
    COMMENT ON SCHEMA ops IS
        'The running node: what it does now, its mempool, what was submitted to it.';

    CREATE TEMP TABLE relation_text (name text PRIMARY KEY, text text) ON COMMIT DROP;
    INSERT INTO pg_temp.relation_text VALUES
        ('state.account', 'Accounts and their balances at the height asked. Provable: tree account.'),
        ('state.pool', 'Module pools (DAO, fee collector, stake pools) and their balances. Provable: tree pool.'),
        ('state.application', 'Staked applications, which buy relays. Provable: tree app.'),
        ('state.servicer', 'Staked servicers, which serve relays. Provable: tree servicer.'),
        ('state.fisherman', 'Staked fishermen, which sample servicers. Provable: tree fish.'),
        ('state.validator', 'Staked validators, whether they are in the set or not. Provable: tree val.'),
        ('state.validator_set', 'The validators that sign the block after the height asked, in the order in which they lead. Derived from state.validator; its hash is next_val_set_hash of the header.'),
        ('state.param', 'Governance parameters. Provable: tree params.'),
        ('state.flag', 'Feature flags. Provable: tree flags.'),
        ('state.ibc_entry', 'Entries of the IBC store. Provable: tree ibc.'),
        ('state.tree_root', 'Roots of the ten state trees as the block of the height asked states them; the state hash is the root over them.'),
        ('state.supply', 'Sum of all balances, in one row. Derived from accounts and pools.'),
        ('history.account', 'Every balance each account ever had.'),
        ('history.pool', 'Every balance each pool ever had.'),
        ('history.application', 'Every version of each application.'),
        ('history.servicer', 'Every version of each servicer.'),
        ('history.fisherman', 'Every version of each fisherman.'),
        ('history.validator', 'Every version of each validator.'),
        ('history.param', 'Every value each parameter ever had.'),
        ('history.flag', 'Every version of each flag.'),
        ('history.ibc_entry', 'Every version of each entry of the IBC store.'),
        ('chain.block', 'One row per block.'),
        ('chain.transaction', 'Every transaction of every block with its outcome. Bytes and hash provable: tree transactions; the rest derived.'),
        ('chain.message_send', 'Transfers between accounts, decoded; result_code 0 = done.'),
        ('chain.message_stake', 'Messages that stake an actor, decoded; result_code 0 = done.'),
        ('chain.message_edit_stake', 'Messages that change a stake, its chains or its URL, decoded; result_code 0 = done.'),
        ('chain.message_unstake', 'Messages that begin to unstake an actor, decoded; result_code 0 = done.'),
        ('chain.message_unpause', 'Messages that end an actor''s pause, decoded; result_code 0 = done.'),
        ('chain.message_change_parameter', 'Messages that change a governance parameter, decoded; result_code 0 = done.'),
        ('chain.message_update_ibc_store', 'Messages that write an entry of the IBC store, decoded; result_code 0 = done.'),
        ('chain.message_prune_ibc_store', 'Messages that remove an entry of the IBC store, decoded; result_code 0 = done.'),
        ('ops.submission', 'Transactions submitted to this node through SQL or its commands, and what became of them. Local.'),
        ('ops.node', 'The node process, in one row. Local.'),
        ('ops.mempool', 'Transactions that wait for a block on this node. Local.'),
        ('ledger.migration', 'Migrations that made these tables.'),
        ('ledger.versioned', 'Catalogue of the versioned pairs, from which views, functions and checks are generated.'),
        ('ledger.chain', 'What genesis fixed for ever, in one row.'),
        ('ledger.tip', 'The last committed block, in one row; no row before genesis. Writers move it first.'),
        ('ledger.block', 'Blocks, in typed columns from which their bytes are rebuilt.'),
        ('ledger.transaction', 'Transactions of all blocks. Append-only.'),
        ('ledger.change', 'Which step of each block wrote which row.'),
        ('ledger.vote_guard', 'The last thing each validator key of this node signed, so that it never signs twice. Local.'),
        ('ledger.proposal', 'Bodies of proposed blocks this node voted for, until their height is decided. Local.'),
        ('ledger.tree_node', 'Inner nodes of the state trees at depths 6, 12 … 60 with two leaves or more below, as of the tip. Derived from the leaves.');
    INSERT INTO pg_temp.relation_text
        SELECT 'ledger.' || v.name, format('Rows behind state.%s at the tip.', v.name)
        FROM ledger.versioned v
        ON CONFLICT DO NOTHING;
    INSERT INTO pg_temp.relation_text
        SELECT 'ledger.' || v.name || '_history',
            format('Former rows of ledger.%s, by the heights they were true at.', v.name)
        FROM ledger.versioned v;
    INSERT INTO pg_temp.relation_text
        SELECT format('ledger.%s_history_%s', v.name, class),
            format('Partition of ledger.%s_history: rows that lived %s.', v.name,
                   CASE WHEN class = 5 THEN '32768 heights or more'
                        ELSE format('%s to %s heights', (8 ^ class)::int, (8 ^ (class + 1))::int - 1)
                   END)
        FROM ledger.versioned v, generate_series(0, 5) class;

    -- relation: NULL = wherever a column has this name.
    CREATE TEMP TABLE column_text (relation text, name text, text text, UNIQUE (relation, name))
        ON COMMIT DROP;
    INSERT INTO pg_temp.column_text VALUES
        (NULL, 'address', 'Address, 20 bytes, e.g. \x00104055c00bed7c983a48aac7dc6335d7c607a7; write address(''0010…'').'),
        (NULL, 'height', 'Height of a block, e.g. 1200; genesis is 0.'),
        ('state', 'height', 'The height asked: the row is true after this block.'),
        (NULL, 'valid_from', 'Height of the block that wrote this version.'),
        ('state.tree_root', 'valid_from', 'Height of the header that states this root: the height asked.'),
        ('state.supply', 'valid_from', 'Height of the last change of a balance that is in the sum.'),
        (NULL, 'valid_to', 'Height of the block that ended this version (it is not true any more after it); NULL = still true.'),
        ('ledger', 'valid_to', 'Height of the block that ended this version.'),
        (NULL, 'class', 'Lifetime class: n for rows that lived 8^n to 8^(n+1) − 1 heights, 5 for all longer ones.'),
        (NULL, 'balance_upokt', 'Balance in upokt (1 POKT = 1,000,000 upokt), e.g. 100000000000000. Provable.'),
        (NULL, 'balance_pokt', 'Balance in POKT, exactly, e.g. 100000000.000000. Derived.'),
        (NULL, 'balance', 'Balance in upokt. Provable.'),
        (NULL, 'stake_upokt', 'Staked amount in upokt, e.g. 15000000000. Provable.'),
        (NULL, 'stake_pokt', 'Staked amount in POKT, exactly. Derived.'),
        (NULL, 'stake', 'Staked amount in upokt. Provable.'),
        (NULL, 'stake_text', 'The amount as it is hashed, where that is not the plain decimal text of stake; else NULL. Provable.'),
        (NULL, 'public_key', 'Ed25519 public key, 32 bytes. Provable.'),
        (NULL, 'output_address', 'Address that receives the stake when the actor is unbonded. Provable.'),
        (NULL, 'service_url', 'Where the actor is reached, e.g. https://servicer.example:443; NULL = none. Provable.'),
        ('ledger', 'service_url', 'Where the actor is reached; empty = none. Provable, except for applications.'),
        (NULL, 'chains', 'Relay chains, four characters each, ascending, e.g. {0001,0021}; NULL for validators. Provable.'),
        ('ledger', 'chains', 'Relay chains, ascending; empty for validators. Provable.'),
        ('chain', 'chains', 'Relay chains as sent.'),
        (NULL, 'status', 'unstaked (unstaking has ended), else unstaking, else paused, else staked. Derived.'),
        ('history', 'status', 'Status when the version began: unstaked, else unstaking, else paused, else staked. Derived.'),
        (NULL, 'paused_height', 'Height at which the actor was paused; NULL = not paused. Provable.'),
        ('ledger', 'paused_height', 'Height at which the actor was paused; -1 = not paused. Provable.'),
        (NULL, 'unstaking_height', 'Height at which unstaking ends; NULL = not unstaking. Provable.'),
        ('ledger', 'unstaking_height', 'Height at which unstaking ends; -1 = not unstaking. Provable.'),
        (NULL, 'name', 'Name, e.g. blocks_per_session. Provable.'),
        ('state.pool', 'name', 'Name of the pool, e.g. FeeCollector. Derived from the address.'),
        ('history.pool', 'name', 'Name of the pool, e.g. FeeCollector. Derived from the address.'),
        ('ledger.versioned', 'name', 'Name of the current table.'),
        ('ledger.migration', 'name', 'File name.'),
        (NULL, 'value', 'Value as text, e.g. 4. Provable.'),
        ('state.ibc_entry', 'value', 'Value, raw bytes. Provable.'),
        ('history.ibc_entry', 'value', 'Value, raw bytes. Provable.'),
        ('ledger.ibc_entry', 'value', 'Value, raw bytes. Provable.'),
        ('chain.message_change_parameter', 'name', 'Parameter to change.'),
        ('chain.message_change_parameter', 'value', 'New value as text; NULL where it is not of a known type.'),
        ('chain.message_update_ibc_store', 'value', 'Value to store, raw bytes.'),
        (NULL, 'changed_height', 'Height of the last change; part of what is hashed. Provable.'),
        (NULL, 'enabled', 'Whether the flag is on. Provable.'),
        (NULL, 'key', 'Key of the entry, raw bytes. Provable.'),
        ('ledger.change', 'key', 'Primary key of the changed row; names as UTF-8, for IBC entries the path.'),
        (NULL, 'path', 'SHA-256 of the key.'),
        (NULL, 'tree', 'Tree: app, val, fish, servicer, account, pool, transactions, params, flags or ibc.'),
        ('ledger', 'tree', 'Number of the tree: 0 app, 1 val, 2 fish, 3 servicer, 4 account, 5 pool, 6 transactions, 7 params, 8 flags, 9 ibc.'),
        (NULL, 'root', 'Root of the tree, 32 bytes; zero bytes = empty. Header.'),
        (NULL, 'member', 'Number of the member from 0; member (height + round) mod n leads. Derived.'),
        (NULL, 'voting_power', 'Votes: one each.'),
        (NULL, 'signs_height', 'Height of the block that this set signs: the one after the height asked.'),
        (NULL, 'account_upokt', 'Sum of all account balances in upokt. Derived.'),
        (NULL, 'pool_upokt', 'Sum of all pool balances in upokt. Derived.'),
        (NULL, 'total_upokt', 'Accounts and pools together in upokt. Derived.'),
        (NULL, 'step', 'Which step of the block wrote this version last: genesis, begin_of_block, transaction, or the rule of the block''s end: rewards, unbonding, long_pause; NULL = that block is pruned. Derived.'),
        ('ledger.change', 'step', 'Step: -2 begin of block, -1 genesis, index of the transaction, 1000001 rewards, 1000002 unbonding, 1000003 long pauses. Derived.'),
        ('ledger.vote_guard', 'step', 'Step of that vote: 2 prepare, 3 pre-commit, 4 commit.'),
        (NULL, 'tx_index', 'Place of the transaction in its block, from 0.'),
        ('history', 'tx_index', 'Place in block valid_from of the transaction that wrote this version last; NULL = no transaction did. Derived.'),
        ('ops', 'tx_index', 'Place in its block; NULL = not in a block.'),
        (NULL, 'hash', 'Hash of the transaction: SHA3-256 of its bytes, 32 bytes. Provable.'),
        ('history', 'hash', 'Hash of the transaction that wrote this version last; NULL = no transaction did. Derived.'),
        (NULL, 'block_time', 'Time in the block''s header, to the microsecond. Header.'),
        (NULL, 'state_hash', 'Root over the ten tree roots after the block, 32 bytes. Header.'),
        (NULL, 'previous_state_hash', 'State hash of the block before; NULL at 0. Header.'),
        (NULL, 'proposer', 'Address of the validator that proposed the block; NULL at 0. Header.'),
        ('ledger', 'proposer', 'Address of the validator that proposed the block; empty at 0. Header.'),
        (NULL, 'round', 'Round of consensus, from 0.'),
        ('chain', 'round', 'Round in which the block was decided, from 0, as its certificate states.'),
        (NULL, 'transactions', 'Number of transactions in the block. Derived.'),
        (NULL, 'message_type', 'Kind of message, e.g. MessageSend. Derived.'),
        (NULL, 'signer', 'Address that signed and paid the fee. Derived.'),
        (NULL, 'recipient', 'Address that a send goes to; NULL = no recipient. Derived.'),
        (NULL, 'result_code', 'Outcome: 0 = done, else why the message failed; the fee is kept. Derived.'),
        (NULL, 'error', 'Text of the outcome; NULL = no error. Derived.'),
        ('ledger', 'error', 'Text of the outcome; empty = no error. Derived.'),
        ('ops', 'error', 'Why it was refused or failed; NULL = it was not.'),
        ('ledger.transaction', 'tx', 'The transaction, encoded; NULL below ledger.tip.earliest, where only value_hash is kept. Provable.'),
        ('chain.transaction', 'tx', 'The transaction, encoded; NULL = its block is pruned. Provable.'),
        (NULL, 'tx', 'The transaction, encoded. Provable.'),
        (NULL, 'value_hash', 'SHA-256 of a transaction whose bytes are pruned; NULL = tx is there. Provable.'),
        (NULL, 'from_address', 'Address the amount is taken from.'),
        (NULL, 'to_address', 'Address the amount goes to.'),
        (NULL, 'amount_upokt', 'Amount in upokt; NULL where amount_text is no integer.'),
        (NULL, 'amount_pokt', 'Amount in POKT, exactly; NULL where amount_text is no integer.'),
        (NULL, 'amount_text', 'Amount as sent; U+0000 reads \u0000.'),
        (NULL, 'actor_type', 'Kind of actor: application, servicer, fisherman or validator.'),
        (NULL, 'owner', 'Address that claims the right to change the parameter.'),
        (NULL, 'value_type', 'Type of the value as sent, e.g. Int32Value or StringValue.'),
        (NULL, 'nonce', 'Text that makes the transaction unique; U+0000 reads \u0000.'),
        (NULL, 'id', 'Number of the submission, ascending.'),
        ('ops.submission', 'status', 'pending, included (see height and tx_index) or refused (see code and error).'),
        (NULL, 'code', 'Result code once included, or why it was refused; NULL = pending.'),
        ('ops.submission', 'height', 'Block that included it; NULL = none did.'),
        (NULL, 'submitted_at', 'When it was submitted, server clock.'),
        (NULL, 'one', 'Always true: the table has at most one row.'),
        (NULL, 'pid', 'Process id of the node.'),
        (NULL, 'started_at', 'When the node was started, its clock.'),
        (NULL, 'version', 'Version of the node.'),
        ('ops.node', 'status', 'What the node is doing, in a word.'),
        (NULL, 'message', 'The same in a sentence, with what to do where something is wrong.'),
        ('ops.node', 'height', 'Last height the node committed.'),
        (NULL, 'updated_at', 'When the row was written, server clock.'),
        (NULL, 'received_at', 'When the node received it, its clock.'),
        (NULL, 'size', 'Bytes of the encoded transaction.'),
        (NULL, 'number', 'Number of the migration, from 1.'),
        (NULL, 'sha256', 'SHA-256 of the file as it was run.'),
        (NULL, 'applied_at', 'When it was run, server clock.'),
        (NULL, 'key_columns', 'Columns of the key.'),
        (NULL, 'value_columns', 'Columns of the value.'),
        (NULL, 'tree_key', 'SQL for the key given to the tree.'),
        (NULL, 'leaf', 'SQL for the bytes of the leaf.'),
        ('ledger.versioned', 'tree', 'Number of the tree whose leaves the rows are; NULL = no leaves.'),
        (NULL, 'chain_id', 'Identity of the network, e.g. localnet; the header''s networkId.'),
        (NULL, 'rules', 'Rule set: standard or reference.'),
        (NULL, 'genesis_seconds', 'Time of genesis, seconds since 1970.'),
        (NULL, 'genesis_nanos', 'Nanoseconds of the time of genesis.'),
        (NULL, 'max_block_bytes', 'Greatest encoded size of a block.'),
        (NULL, 'block_interval_msec', 'Time between blocks, milliseconds.'),
        (NULL, 'empty_block_interval_msec', 'Time before a block without transactions, milliseconds.'),
        (NULL, 'genesis', 'The genesis file.'),
        (NULL, 'earliest', 'Lowest height whose state is kept; below it is pruned.'),
        (NULL, 'network_id', 'Network id of the header. Header.'),
        (NULL, 'certificate', 'Encoded quorum certificate; empty at 0.'),
        (NULL, 'seconds', 'Time of the header, seconds since 1970. Header.'),
        (NULL, 'nanos', 'Nanoseconds of the time of the header. Header.'),
        (NULL, 'tree_roots', 'The ten tree roots in the order of their numbers. Header.'),
        (NULL, 'validator_set_hash', 'Hash of the set that signed the block; NULL at 0. Header.'),
        (NULL, 'next_validator_set_hash', 'Hash of the set that signs the next block. Header.'),
        (NULL, 'transactions_hash', 'Hash over the hashes of the transactions; NULL under reference. Header.'),
        (NULL, 'header_hash', 'SHA3-256 of the signed header.'),
        (NULL, 'sequence', 'Count of writes of this guard.'),
        (NULL, 'system_identifier', 'Identity of the database server that wrote the row.'),
        (NULL, 'timeline', 'Timeline of that server.'),
        (NULL, 'prepare_certificate', 'Highest prepare certificate seen, encoded; NULL = none.'),
        (NULL, 'lock_certificate', 'Certificate the key is locked on, encoded; NULL = none.'),
        (NULL, 'body', 'Block without its certificate, encoded.'),
        (NULL, 'created_at', 'When it was written, server clock.'),
        (NULL, 'depth', 'Bits of the path above the node.'),
        (NULL, 'prefix', 'Those bits, right-aligned.'),
        (NULL, 'digest', 'Digest of the node, 32 bytes.');

    FOR object IN
        SELECT c.oid::regclass AS name, c.relkind, t.text
        FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_temp.relation_text t ON t.name = n.nspname || '.' || c.relname
        WHERE c.relkind IN ('r', 'p', 'v')
    LOOP
        EXECUTE format('COMMENT ON %s %s IS %L',
                       CASE object.relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END,
                       object.name, object.text);
    END LOOP;

    FOR object IN
        SELECT c.oid::regclass AS name, a.attname, best.text
        FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        CROSS JOIN LATERAL (
            SELECT t.text
            FROM pg_temp.column_text t
            WHERE t.name = a.attname
                AND (t.relation IS NULL OR t.relation = n.nspname
                     OR t.relation = n.nspname || '.' || regexp_replace(c.relname, '_history(_\d)?$', ''))
            ORDER BY length(t.relation) DESC NULLS LAST
            LIMIT 1
        ) best
        WHERE n.nspname IN ('ledger', 'ops', 'state', 'history', 'chain')
            AND c.relkind IN ('r', 'p', 'v')
    LOOP
        EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', object.name, object.attname, object.text);
    END LOOP;

    -- Generated functions speak of their view.
    FOR object IN
        SELECT p.oid::regprocedure AS name, v.relname,
            p.proname = v.relname || '_page_at' AS is_page,
            obj_description(v.oid, 'pg_class') AS text
        FROM pg_proc p
        JOIN pg_class v ON v.relnamespace = p.pronamespace AND v.relkind = 'v'
            AND p.proname IN (v.relname || '_at', v.relname || '_page_at')
        WHERE p.pronamespace = 'state'::regnamespace
    LOOP
        EXECUTE format('COMMENT ON FUNCTION %s IS %L', object.name,
            CASE WHEN object.is_page THEN format(
                'At most n rows of state.%s as of block h whose key comes after the given one (NULL: from the first), in the order of the key; for paging. An error where h is null, above the tip or pruned.',
                object.relname)
            ELSE format('state.%s as of block h, whatever tidemark.height is. An error where h is null, above the tip or pruned. %s',
                object.relname, object.text) END);
    END LOOP;
END $$;

COMMENT ON FUNCTION state.session(bytea, text, text) IS
    'The session of an application on a relay chain, e.g. session(address(''00ab…''), ''0001'', ''''), at the height in tidemark.height: its servicers and fishermen, draw = place in the draw from 1, NULL when all candidates were taken. An error where no session exists. Derived.';
COMMENT ON FUNCTION state.session_at(bigint, bytea, text, text) IS
    'state.session as of block h, whatever tidemark.height is.';
COMMENT ON FUNCTION tidemark.pool_name(bytea) IS
    'Name of the module pool with this address; NULL = not one of the six pools.';
COMMENT ON FUNCTION tidemark.state_hash(bigint) IS
    'State hash of block h, as its header states it. An error where h is null, above the tip or pruned.';
COMMENT ON FUNCTION tidemark.verify_state(bigint) IS
    'Recomputes the ten state trees from the rows as of block h: one row per tree with its number of leaves, the recomputed root, the root in the header, and whether they are equal.';
COMMENT ON FUNCTION tidemark.submit_tx(bytea) IS
    'Submits a signed transaction and returns its hash; raises CODE: n, ERROR: … where it is not includable at the tip. What becomes of it is in ops.submission.';
COMMENT ON FUNCTION ledger.lifetime_class(bigint) IS
    'Partition of a history table for rows that lived so many heights.';
COMMENT ON FUNCTION ledger.step_name(int) IS
    'Word for a step of ledger.change.';
COMMENT ON FUNCTION ledger.create_versioned(text, text[], text[], smallint, text, text, text, text[], text[]) IS
    'Makes a versioned pair of tables and its entry in ledger.versioned. For migrations.';
COMMENT ON FUNCTION ledger.rows_at(text, text, text, text, text) IS
    'SQL for the rows of a versioned pair that were true after a height. For generators.';
COMMENT ON FUNCTION ledger.restrict_amounts() IS
    'Adds the bounds of the rule set standard to every amount. For genesis.';
COMMENT ON FUNCTION ledger.drop_surface() IS
    'Removes the generated views and functions, which sql/ makes again. For migrations.';
