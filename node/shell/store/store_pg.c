#include "store_pg.h"

#include <stdio.h>
#include <stdlib.h>

/* Statements that are not generated from the versioned pairs; names as in pg_send_prepared. */
static const char *const FIXED[][2] = {
    {"chain", "SELECT chain_id, rules, max_block_bytes::pg_catalog.int8, block_interval_msec,\n"
              "    empty_block_interval_msec FROM ledger.chain"},
    {"tip", "SELECT height, state_hash FROM ledger.tip"},
    {"block",
     "SELECT network_id, state_hash, previous_state_hash, proposer, certificate, seconds,\n"
     "    nanos, tree_roots, validator_set_hash, next_validator_set_hash,\n"
     "    transactions_hash, transactions\n"
     "FROM ledger.block WHERE height = $1::pg_catalog.int8"},
    {"block_transactions", "SELECT tx FROM ledger.transaction\n"
                           "WHERE height = $1::pg_catalog.int8 ORDER BY tx_index"},
    {"page_nodes",
     "SELECT p.page, n.prefix, n.digest FROM unnest($1::pg_catalog.int4[],\n"
     "    $2::pg_catalog.int2[], $3::pg_catalog.int2[], $4::pg_catalog.int8[])\n"
     "    p(page, tree, depth, prefix)\n"
     "JOIN ledger.tree_node n ON n.tree = p.tree AND n.depth = p.depth + 6::pg_catalog.int2\n"
     "    AND n.prefix BETWEEN p.prefix << 6 AND p.prefix << 6 | 63"},
    {"leaves_transaction",
     "SELECT r.page, v.hash, v.tx, v.value_hash FROM unnest($1::pg_catalog.int4[],\n"
     "    $2::pg_catalog.int8[], $3::pg_catalog.int8[], $4::pg_catalog.int8[])\n"
     "    r(page, low, high, most),\n"
     "LATERAL (SELECT DISTINCT ON (tidemark.path64(t.hash), t.hash) t.hash, t.tx,\n"
     "        t.value_hash\n"
     "    FROM ledger.transaction t WHERE tidemark.path64(t.hash) BETWEEN r.low AND r.high\n"
     "    ORDER BY tidemark.path64(t.hash), t.hash LIMIT r.most) v"},
    /* The fence: every writer moves this row first, from the block it built upon. Bodies of decided
     * heights are of no use any more. */
    {"fence", "WITH decided AS (DELETE FROM ledger.proposal WHERE height <= $1::pg_catalog.int8)\n"
              "UPDATE ledger.tip SET height = $1::pg_catalog.int8, state_hash = $2\n"
              "WHERE height = $1::pg_catalog.int8 - 1 AND state_hash = $3"},
    {"first_tip", "INSERT INTO ledger.tip (height, earliest, state_hash)\n"
                  "VALUES ($1::pg_catalog.int8, 0, $2)"},
    /* $10 and $11: transactions whose leaf was there before (`reference` repeats some). */
    {"apply_transactions",
     "WITH kept AS (\n"
     "    INSERT INTO ledger.transaction (height, tx_index, hash, tx, result_code, error, signer,\n"
     "        recipient, message_type)\n"
     "    SELECT * FROM unnest($1::pg_catalog.int8[], $2::pg_catalog.int4[],\n"
     "        $3::pg_catalog.bytea[], $4::pg_catalog.bytea[], $5::pg_catalog.int4[],\n"
     "        $6::pg_catalog.text[], $7::pg_catalog.bytea[], $8::pg_catalog.bytea[],\n"
     "        $9::pg_catalog.text[])\n"
     "    RETURNING height, tx_index, hash, tx\n"
     ")\n"
     "SELECT height, tidemark.change_digest(hash, tx) FROM kept\n"
     "WHERE (height, tx_index) NOT IN (SELECT * FROM unnest($10::pg_catalog.int8[],\n"
     "    $11::pg_catalog.int4[]))\n"
     "GROUP BY height"},
    {"apply_changes", "INSERT INTO ledger.change (height, tree, key, step)\n"
                      "SELECT * FROM unnest($1::pg_catalog.int8[], $2::pg_catalog.int2[],\n"
                      "    $3::pg_catalog.bytea[], $4::pg_catalog.int4[])"},
    {"apply_block",
     "INSERT INTO ledger.block (height, network_id, state_hash, previous_state_hash, proposer,\n"
     "    certificate, seconds, nanos, block_time, tree_roots, validator_set_hash,\n"
     "    next_validator_set_hash, transactions_hash, round, transactions, header_hash)\n"
     "VALUES ($1, $2, $3, $4, $5, $6, $7::pg_catalog.int8, $8::pg_catalog.int4,\n"
     "    '1970-01-01 00:00:00+00'::pg_catalog.timestamptz\n"
     "        + $7::pg_catalog.int8 * '1 second'::pg_catalog.interval\n"
     "        + $8::pg_catalog.int4 / 1000 * '1 microsecond'::pg_catalog.interval,\n"
     "    $9, $10, $11, $12, $13, $14, $15)"},
    /* The sums of the block before the first and, row by row, the differences. Without that block's
     * row (`tidemark migrate` makes those that are missing) there are none. */
    {"apply_totals",
     "INSERT INTO ledger.block_total (height, day, proposer, accounts, account_upokt, dao_upokt,\n"
     "    fee_collector_upokt, application_stake_upokt, validator_stake_upokt,\n"
     "    servicer_stake_upokt, fisherman_stake_upokt, other_pool_upokt, fee_upokt, reward_upokt)\n"
     "SELECT c.height, '1970-01-01'::pg_catalog.date + c.day, c.proposer,\n"
     "    base.accounts + pg_catalog.sum(c.accounts) OVER w,\n"
     "    base.account_upokt + pg_catalog.sum(c.account) OVER w,\n"
     "    base.dao_upokt + pg_catalog.sum(c.dao) OVER w,\n"
     "    base.fee_collector_upokt + pg_catalog.sum(c.collector) OVER w,\n"
     "    base.application_stake_upokt + pg_catalog.sum(c.application) OVER w,\n"
     "    base.validator_stake_upokt + pg_catalog.sum(c.validator) OVER w,\n"
     "    base.servicer_stake_upokt + pg_catalog.sum(c.servicer) OVER w,\n"
     "    base.fisherman_stake_upokt + pg_catalog.sum(c.fisherman) OVER w,\n"
     "    base.other_pool_upokt + pg_catalog.sum(c.other) OVER w, c.fee, c.reward\n"
     "FROM unnest($1::pg_catalog.int8[], $2::pg_catalog.int4[], $3::pg_catalog.bytea[],\n"
     "    $4::pg_catalog.int8[], $5::pg_catalog.numeric[], $6::pg_catalog.numeric[],\n"
     "    $7::pg_catalog.numeric[], $8::pg_catalog.numeric[], $9::pg_catalog.numeric[],\n"
     "    $10::pg_catalog.numeric[], $11::pg_catalog.numeric[], $12::pg_catalog.numeric[],\n"
     "    $13::pg_catalog.numeric[], $14::pg_catalog.numeric[])\n"
     "    c(height, day, proposer, accounts, account, dao, collector, application, validator,\n"
     "        servicer, fisherman, other, fee, reward),\n"
     "    (SELECT accounts, account_upokt, dao_upokt, fee_collector_upokt,\n"
     "         application_stake_upokt, validator_stake_upokt, servicer_stake_upokt,\n"
     "         fisherman_stake_upokt, other_pool_upokt FROM ledger.block_total\n"
     "     WHERE height = ($1::pg_catalog.int8[])[1] - 1\n"
     "     UNION ALL SELECT 0, 0, 0, 0, 0, 0, 0, 0, 0 WHERE ($1::pg_catalog.int8[])[1] = 0) base\n"
     "WINDOW w AS (ORDER BY c.height)"},
    {"apply_message_totals",
     "INSERT INTO ledger.block_message (height, day, message_type, transactions, failed,\n"
     "    fee_upokt)\n"
     "SELECT c.height, '1970-01-01'::pg_catalog.date + c.day, c.message_type, c.transactions,\n"
     "    c.failed, c.fee\n"
     "FROM unnest($1::pg_catalog.int8[], $2::pg_catalog.int4[], $3::pg_catalog.text[],\n"
     "    $4::pg_catalog.int8[], $5::pg_catalog.int8[], $6::pg_catalog.numeric[])\n"
     "    c(height, day, message_type, transactions, failed, fee)\n"
     "JOIN ledger.block_total t ON t.height = c.height"},
    {"apply_stake_totals",
     "INSERT INTO ledger.block_stake (height, day, actor_type, staked, staked_upokt, edited,\n"
     "    edited_upokt, unstaking, unstaking_upokt, returned, returned_upokt)\n"
     "SELECT c.height, '1970-01-01'::pg_catalog.date + c.day, c.actor_type, c.staked,\n"
     "    c.staked_upokt, c.edited, c.edited_upokt, c.unstaking, c.unstaking_upokt, c.returned,\n"
     "    c.returned_upokt\n"
     "FROM unnest($1::pg_catalog.int8[], $2::pg_catalog.int4[], $3::pg_catalog.text[],\n"
     "    $4::pg_catalog.int8[], $5::pg_catalog.numeric[], $6::pg_catalog.int8[],\n"
     "    $7::pg_catalog.numeric[], $8::pg_catalog.int8[], $9::pg_catalog.numeric[],\n"
     "    $10::pg_catalog.int8[], $11::pg_catalog.numeric[])\n"
     "    c(height, day, actor_type, staked, staked_upokt, edited, edited_upokt, unstaking,\n"
     "        unstaking_upokt, returned, returned_upokt)\n"
     "JOIN ledger.block_total t ON t.height = c.height"},
    {"apply_chain_totals",
     "INSERT INTO ledger.block_chain (height, day, relay_chain, joined, gone, servicers)\n"
     "SELECT c.height, '1970-01-01'::pg_catalog.date + c.day, c.relay_chain, c.joined, c.gone,\n"
     "    coalesce((SELECT b.servicers FROM ledger.block_chain b\n"
     "        WHERE b.relay_chain = c.relay_chain ORDER BY b.height DESC LIMIT 1), 0)\n"
     "        + pg_catalog.sum(c.joined - c.gone) OVER (PARTITION BY c.relay_chain\n"
     "            ORDER BY c.height)\n"
     "FROM unnest($1::pg_catalog.int8[], $2::pg_catalog.int4[], $3::pg_catalog.text[],\n"
     "    $4::pg_catalog.int8[], $5::pg_catalog.int8[]) c(height, day, relay_chain, joined,\n"
     "        gone)\n"
     "JOIN ledger.block_total t ON t.height = c.height"},
    {"large_floor", "SELECT b.fewest, b.kept, b.most, f.height IS NOT NULL, f.balance, f.address\n"
                    "FROM ledger.large_bounds() b LEFT JOIN (SELECT height, balance, address\n"
                    "    FROM ledger.large_floor ORDER BY height DESC LIMIT 1) f ON true"},
    /* As for a versioned pair; the answer: rows there were. */
    {"apply_large",
     "WITH change AS MATERIALIZED (\n"
     "    SELECT c.*, pg_catalog.lag(c.height) OVER w IS NULL AS first,\n"
     "        pg_catalog.lead(c.height) OVER w AS until\n"
     "    FROM unnest($1::pg_catalog.int8[], $2::pg_catalog.bytea[], $3::pg_catalog.bool[],\n"
     "        $4::pg_catalog.numeric[]) c(height, address, present, balance)\n"
     "    WINDOW w AS (PARTITION BY c.address ORDER BY c.height)\n"
     "), closed AS (\n"
     "    INSERT INTO ledger.large_balance_history (address, valid_from, valid_to, class, "
     "balance)\n"
     "    SELECT v.address, v.valid_from, c.height,\n"
     "        ledger.lifetime_class(c.height - v.valid_from), v.balance\n"
     "    FROM change c JOIN ledger.large_balance v ON v.address = c.address WHERE c.first\n"
     "    UNION ALL\n"
     "    SELECT c.address, c.height, c.until, ledger.lifetime_class(c.until - c.height),\n"
     "        c.balance\n"
     "    FROM change c WHERE c.present AND c.until IS NOT NULL\n"
     "), gone AS (\n"
     "    DELETE FROM ledger.large_balance v USING change c\n"
     "    WHERE v.address = c.address AND NOT c.present AND c.until IS NULL\n"
     "), kept AS (\n"
     "    INSERT INTO ledger.large_balance (address, valid_from, balance)\n"
     "    SELECT c.address, c.height, c.balance FROM change c\n"
     "    WHERE c.present AND c.until IS NULL\n"
     "    ON CONFLICT (address) DO UPDATE\n"
     "        SET valid_from = excluded.valid_from, balance = excluded.balance\n"
     ")\n"
     "SELECT pg_catalog.count(*) FROM ledger.large_balance"},
    {"apply_large_floor",
     "WITH floor AS (\n"
     "    INSERT INTO ledger.large_floor (height, balance, address)\n"
     "    VALUES ($1::pg_catalog.int8, $2::pg_catalog.numeric, $3::pg_catalog.bytea)\n"
     "), below AS (\n"
     "    DELETE FROM ledger.large_balance v\n"
     "    WHERE v.balance < $2::pg_catalog.numeric\n"
     "        OR (v.balance = $2::pg_catalog.numeric AND v.address > $3::pg_catalog.bytea)\n"
     "    RETURNING v.address, v.valid_from, v.balance\n"
     ")\n"
     "INSERT INTO ledger.large_balance_history (address, valid_from, valid_to, class, balance)\n"
     "SELECT b.address, b.valid_from, $1::pg_catalog.int8,\n"
     "    ledger.lifetime_class($1::pg_catalog.int8 - b.valid_from), b.balance\n"
     "FROM below b WHERE b.valid_from < $1::pg_catalog.int8"},
    {"tend_large", "SELECT ledger.tend_large_balances(b.fewest, b.kept, b.most)\n"
                   "FROM ledger.large_bounds() b"},
    {"seal", "SELECT tidemark.seal($1, $2, $3, $4, $5, $6)"},
    /* The timeline as the server writes it now, not that of its last checkpoint. */
    {"guard_place",
     "SELECT c.system_identifier, ('x' || pg_catalog.substr(pg_catalog.pg_walfile_name(\n"
     "    pg_catalog.pg_current_wal_lsn()), 1, 8))::pg_catalog.\"bit\"(32)::pg_catalog.int4\n"
     "FROM pg_catalog.pg_control_system() c"},
    {"guard_rows", "SELECT address, height, round, step, header_hash, sequence, chain_id,\n"
                   "    system_identifier, timeline\n"
                   "FROM ledger.vote_guard ORDER BY height, round, step"},
    /* A row that is neither as this node knew it nor already as it is to be is another node's: then
     * nothing is written (network.md 2.7). The answer: how many were. */
    {"guard_persist",
     "WITH record AS MATERIALIZED (\n"
     "    SELECT * FROM unnest($8::pg_catalog.bytea[], $9::pg_catalog.int8[],\n"
     "        $11::pg_catalog.int8[]) k(address, sequence, known)\n"
     "), guard AS (\n"
     "    INSERT INTO ledger.vote_guard AS v (address, chain_id, height, round, step,\n"
     "        header_hash, sequence, system_identifier, timeline)\n"
     "    SELECT k.address, $1, $2::pg_catalog.int8, $3::pg_catalog.int8, $4,\n"
     "        $5::pg_catalog.bytea, k.sequence, $6, $7\n"
     "    FROM record k\n"
     "    ON CONFLICT (address) DO UPDATE SET chain_id = excluded.chain_id,\n"
     "        height = excluded.height, round = excluded.round, step = excluded.step,\n"
     "        header_hash = excluded.header_hash, sequence = excluded.sequence,\n"
     "        system_identifier = excluded.system_identifier, timeline = excluded.timeline\n"
     "    WHERE v.sequence = (SELECT k.known FROM record k WHERE k.address = v.address)\n"
     "        OR (v.height, v.round, v.step, v.header_hash, v.sequence) = (excluded.height,\n"
     "            excluded.round, excluded.step, excluded.header_hash, excluded.sequence)\n"
     "    RETURNING v.address\n"
     "), body AS (\n"
     "    INSERT INTO ledger.proposal (height, round, header_hash, body)\n"
     "    SELECT $2::pg_catalog.int8, $3::pg_catalog.int8, $5::pg_catalog.bytea, $10\n"
     "    WHERE EXISTS (SELECT FROM guard)\n"
     "    ON CONFLICT (height, round, header_hash) DO NOTHING\n"
     ")\n"
     "SELECT pg_catalog.count(*) FROM guard"},
    {"guard_body", "SELECT body FROM ledger.proposal\n"
                   "WHERE height = $1::pg_catalog.int8 AND header_hash = $2 LIMIT 1"},
    {"notify", "SELECT pg_catalog.pg_notify('tidemark_block', $1)"},
};

enum tm_err store_prepare(PGconn *conn, struct tm_error *e)
{
    struct arena a;
    enum tm_err err = pg_session_set(conn, e);

    /* The connection may have been opened as a store before. */
    if (err == TM_OK)
        err = pg_run(conn, "DEALLOCATE ALL", e);
    arena_init(&a);
    for (size_t i = 0; i < sizeof FIXED / sizeof *FIXED && err == TM_OK; i++)
        err = pg_prepare(conn, FIXED[i][0], FIXED[i][1], e);
    for (int tree = 0; tree <= TREES; tree++) {
        const struct versioned *v = versioned_of((enum tree_id)tree);

        for (int kind = 0; v != NULL && kind < STATEMENT_FETCH_AT && err == TM_OK; kind++) {
            const char *sql = statement_sql(&a, v, (enum statement_kind)kind);

            if (sql != NULL)
                err = pg_prepare(conn, statement_name(&a, v, (enum statement_kind)kind), sql, e);
        }
    }
    arena_free(&a);
    return err;
}

enum tm_err store_prepare_blocks(PGconn *conn, struct tm_error *e)
{
    static const char *const names[] = {"chain", "block", "block_transactions"};
    enum tm_err err = TM_OK;

    for (size_t i = 0; i < sizeof FIXED / sizeof *FIXED && err == TM_OK; i++)
        for (size_t k = 0; k < sizeof names / sizeof *names && err == TM_OK; k++)
            if (strcmp(FIXED[i][0], names[k]) == 0)
                err = pg_prepare(conn, FIXED[i][0], FIXED[i][1], e);
    return err;
}

enum tm_err store_reconnect(struct store_pg *s, struct tm_error *e)
{
    if (PQstatus(s->conn) == CONNECTION_OK)
        return TM_OK;
    /* What was read as of a height was read in one snapshot, which is gone. */
    if (s->at != HEIGHT_NONE)
        return pg_error(s->conn, NULL, "the connection is lost", e);
    PQreset(s->conn);
    if (PQstatus(s->conn) != CONNECTION_OK)
        return pg_error(s->conn, NULL, "cannot reach the database", e);
    return store_prepare(s->conn, e);
}

enum tm_err store_open(PGconn *conn, struct store_pg **out, struct tm_error *e)
{
    struct store_pg *s;
    enum tm_err err = store_check(conn, e);

    *out = NULL;
    if (err == TM_OK)
        err = store_prepare(conn, e);
    if (err != TM_OK)
        return err;
    s = calloc(1, sizeof *s);
    if (s == NULL) {
        fprintf(stderr, "out of memory\n");
        abort();
    }
    s->conn = conn;
    s->at = HEIGHT_NONE;
    *out = s;
    return TM_OK;
}

void store_close(struct store_pg *s)
{
    free(s);
}

struct store store_of(struct store_pg *s)
{
    return (struct store){
        .ctx = s,
        .chain = store_pg_chain,
        .block = store_pg_block,
        .tip = store_pg_tip,
        .base = store_pg_base,
        .fetch = store_pg_fetch,
        .pages = store_pg_pages,
        .apply = store_pg_apply,
    };
}
