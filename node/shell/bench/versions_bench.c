/*
 * Versions of accounts over many heights:
 *
 *   versions_bench genesis ACCOUNTS SERVICERS APPLICATIONS FILE   writes a genesis file
 *   versions_bench fill ACCOUNTS VERSIONS HEIGHTS                 fills the database of the
 *                                                 environment, which holds the chain of that file
 *
 * ACCOUNTS is the number at the end, of which genesis has nine tenths; VERSIONS counts those of
 * genesis too. Which accounts change is skewed: the share of the hottest x of them is the cube root
 * of x. Real are rows, lifetimes, changes, both trees with the nodes of every height, roots and
 * headers: proofs and verify_state hold at each height. Made up are the balances, which follow from
 * no transaction, and the certificates, which are empty. The same arguments give the same rows.
 *
 * Rows go in by COPY while indexes and keys are away; they are made again from their own
 * definitions.
 */
#include "bench_chain.h"
#include "bench_copy.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "protocol/sha256/sha256.h"

enum {
    TRANSACTIONS = 20, /* of each block; its changes are put down to them in turn */
    SIGNERS = 1000
};

static int lifetime_class(int64_t lifetime)
{
    int class = 0;

    for (int64_t bound = 8; class < 5 && lifetime >= bound; bound *= 8)
        class ++;
    return class;
}

struct account {
    struct hash32 path;
    struct address address;
    uint64_t balance;
    int64_t valid_from;
};

/* A current row of ledger.tree_node. */
struct node {
    uint64_t prefix;
    struct hash32 digest;
    int32_t valid_from;
    uint32_t came; /* place among the rows in the order in which they came */
    uint8_t tree, depth;
    bool used, present;
};

struct generator {
    struct arena a, scratch;
    struct account *accounts;
    size_t account_count, account_end;
    struct smt *trees[TREES]; /* accounts and transactions */
    struct node *nodes;       /* open addressing, never shrinks */
    size_t node_room, node_count;
    uint32_t came;
    struct block_header header; /* of the last block */
    struct private_key *keys;
    struct bench_copy account_history, node_history, change, transaction, block;
    uint64_t random;
};

static uint64_t next(struct generator *g)
{
    g->random ^= g->random << 13;
    g->random ^= g->random >> 7;
    g->random ^= g->random << 17;
    return g->random;
}

static size_t skewed(struct generator *g, size_t count)
{
    double u = (double)(next(g) >> 11) / (double)(UINT64_C(1) << 53);

    return (size_t)(u * u * u * (double)count);
}

static struct node *find_node(struct generator *g, enum tree_id tree, int depth, uint64_t prefix)
{
    uint64_t h = (prefix * 64 + (uint64_t)depth) * 16 + (uint64_t)tree;

    h *= UINT64_C(0x9e3779b97f4a7c15);
    for (size_t i = h >> 20 & (g->node_room - 1);; i = (i + 1) & (g->node_room - 1)) {
        struct node *n = &g->nodes[i];

        if (!n->used) {
            *n = (struct node){
                .prefix = prefix, .tree = (uint8_t)tree, .depth = (uint8_t)depth, .used = true};
            g->node_count++;
            return n;
        }
        if (n->tree == tree && n->depth == depth && n->prefix == prefix)
            return n;
    }
}

static void grow_nodes(struct generator *g)
{
    struct node *old = g->nodes;
    size_t room = g->node_room;

    g->node_room = room * 2;
    g->node_count = 0;
    g->nodes = calloc(g->node_room, sizeof *g->nodes);
    for (size_t i = 0; i < room; i++)
        if (old[i].used)
            *find_node(g, (enum tree_id)old[i].tree, old[i].depth, old[i].prefix) = old[i];
    free(old);
}

static void set_present(struct generator *g, struct node *n, bool present)
{
    if (present && !n->present)
        n->came = g->came++;
    n->present = present;
}

static void write_nodes(struct generator *g, enum tree_id tree, const struct smt_version *v,
                        int64_t height)
{
    struct smt_node_change *changes;
    size_t count = smt_node_changes(v, &g->scratch, &changes);

    for (size_t i = 0; i < count; i++) {
        const struct smt_node_row *row = &changes[i].row;
        struct node *n;

        if (g->node_count > g->node_room / 2)
            grow_nodes(g);
        n = find_node(g, tree, row->depth, row->prefix);
        if (n->present) {
            char *at = bench_copy_line(&g->node_history);

            at = bench_put_text(bench_put_number(at, tree), "\t");
            at = bench_put_text(bench_put_number(at, row->depth), "\t");
            at = bench_put_text(bench_put_number(at, (int64_t)row->prefix), "\t");
            at = bench_put_text(bench_put_number(at, n->valid_from), "\t");
            at = bench_put_text(bench_put_number(at, height), "\t");
            at = bench_put_text(bench_put_number(at, lifetime_class(height - n->valid_from)), "\t");
            bench_copy_end_line(&g->node_history, bench_put_bytes(at, bytes_hash(&n->digest)));
        }
        n->digest = row->digest;
        n->valid_from = (int32_t)height;
        set_present(g, n, changes[i].present);
    }
}

static int by_path(const void *x, const void *y)
{
    const struct smt_change *a = x, *b = y;

    return memcmp(a->path.b, b->path.b, sizeof a->path.b);
}

static void update_tree(struct generator *g, enum tree_id tree, struct smt_change *changes,
                        size_t count, int64_t height)
{
    struct smt_version *v;
    struct tm_error e;

    qsort(changes, count, sizeof *changes, by_path);
    bench_must(smt_update(smt_base(g->trees[tree]), changes, count, &v, &e), &e);
    write_nodes(g, tree, v, height);
    g->header.tree_roots[tree] = smt_root(v);
    smt_commit(v);
}

static void write_change(struct generator *g, int64_t height, enum tree_id tree, struct bytes key,
                         int step)
{
    char *at = bench_copy_line(&g->change);

    at = bench_put_text(bench_put_number(at, height), "\t");
    at = bench_put_text(bench_put_number(at, tree), "\t");
    at = bench_put_text(bench_put_bytes(at, key), "\t");
    bench_copy_end_line(&g->change, bench_put_number(at, step));
}

static struct hash32 account_value_hash(const struct account *account, struct buffer *leaf)
{
    char digits[24] = {0};
    struct record r = {.tree = TREE_ACCOUNT, .key = bytes_address(&account->address)};

    bench_put_number(digits, (int64_t)account->balance);
    r.balance.text = bytes_of(digits);
    leaf->size = 0;
    return record_value_hash(&r, leaf);
}

static void write_account(struct bench_copy *s, const struct account *account, int64_t valid_to)
{
    char *at = bench_copy_line(s);

    at = bench_put_text(bench_put_bytes(at, bytes_address(&account->address)), "\t");
    at = bench_put_text(bench_put_number(at, account->valid_from), "\t");
    if (valid_to > 0) {
        at = bench_put_text(bench_put_number(at, valid_to), "\t");
        at = bench_put_text(bench_put_number(at, lifetime_class(valid_to - account->valid_from)),
                            "\t");
    }
    bench_copy_end_line(s, bench_put_number(at, (int64_t)account->balance));
}

/* New balances for `count` accounts, those up to `known` among them new ones. */
static void write_accounts(struct generator *g, int64_t height, size_t known, size_t count)
{
    struct smt_change *changes = arena_array(&g->scratch, struct smt_change, count);
    struct buffer leaf;

    buffer_init(&leaf, &g->scratch, 256);
    for (size_t i = 0; i < count; i++) {
        struct account *account;

        if (g->account_count < known) {
            account = &g->accounts[g->account_count++];
            account->balance = 1000 + next(g) % 1000000000000;
        } else {
            do
                account = &g->accounts[skewed(g, g->account_count)];
            while (account->valid_from == height);
            write_account(&g->account_history, account, height);
            account->balance += 1 + next(g) % 1000000;
        }
        account->valid_from = height;
        write_change(g, height, TREE_ACCOUNT, bytes_address(&account->address),
                     (int)(i % TRANSACTIONS));
        changes[i] = (struct smt_change){account->path, account_value_hash(account, &leaf), true};
    }
    update_tree(g, TREE_ACCOUNT, changes, count, height);
}

static void write_transactions(struct generator *g, int64_t height)
{
    struct smt_change *changes = arena_array(&g->scratch, struct smt_change, TRANSACTIONS);
    struct bytes *raw = arena_array(&g->scratch, struct bytes, TRANSACTIONS);

    for (int i = 0; i < TRANSACTIONS; i++) {
        const struct private_key *key = &g->keys[next(g) % SIGNERS];
        struct public_key public = ed25519_public(key);
        struct address from = address_of_key(&public);
        struct address to = g->accounts[skewed(g, g->account_count)].address;
        struct message m = {.kind = MESSAGE_SEND,
                            .from = bytes_address(&from),
                            .to = bytes_address(&to),
                            .amount = bytes_of("7")};
        struct bytes nonce = bytes_of(arena_format(&g->scratch, "v%" PRId64 "-%d", height, i));
        struct transaction tx;
        struct tm_error e;
        char *at;

        raw[i] = transaction_sign(&g->scratch, &m, nonce, key);
        bench_must(transaction_decode(&g->scratch, raw[i], &tx, &e), &e);
        changes[i] = (struct smt_change){sha256(bytes_hash(&tx.hash)), sha256(raw[i]), true};
        write_change(g, height, TREE_TRANSACTIONS, bytes_hash(&tx.hash), i);
        at = bench_copy_line(&g->transaction);
        at = bench_put_text(bench_put_number(at, height), "\t");
        at = bench_put_text(bench_put_number(at, i), "\t");
        at = bench_put_text(bench_put_bytes(at, bytes_hash(&tx.hash)), "\t");
        at = bench_put_text(bench_put_bytes(at, raw[i]), "\t0\t\t");
        at = bench_put_text(bench_put_bytes(at, bytes_address(&from)), "\t");
        at = bench_put_text(bench_put_bytes(at, bytes_address(&to)), "\tMessageSend\t\\N");
        bench_copy_end_line(&g->transaction, at);
    }
    g->header.transactions_hash = transactions_hash(raw, TRANSACTIONS);
    update_tree(g, TREE_TRANSACTIONS, changes, TRANSACTIONS, height);
}

static void write_block(struct generator *g)
{
    struct block_header *h = &g->header;
    struct hash32 hash;
    char *at;

    h->has_previous = true;
    h->previous_state_hash = h->state_hash;
    h->state_hash = state_hash_of_roots(h->tree_roots);
    h->has_validator_set = h->has_transactions_hash = true;
    h->validator_set_hash = h->next_validator_set_hash;
    hash = header_hash(h);
    at = bench_copy_line(&g->block);
    at = bench_put_text(bench_put_number(at, (int64_t)h->height), "\t");
    memcpy(at, h->network_id.data, h->network_id.size);
    at = bench_put_text(at + h->network_id.size, "\t");
    at = bench_put_text(bench_put_bytes(at, bytes_hash(&h->state_hash)), "\t");
    at = bench_put_text(bench_put_bytes(at, bytes_hash(&h->previous_state_hash)), "\t");
    at = bench_put_text(bench_put_bytes(at, h->proposer), "\t\\\\x\t");
    at = bench_put_text(bench_put_number(at, h->seconds), "\t0\t");
    at += strftime(at, 40, "%Y-%m-%d %H:%M:%S+00\t{", gmtime(&(time_t){h->seconds}));
    for (int i = 0; i < TREES; i++) {
        at = bench_put_text(at, i > 0 ? ",\"" : "\"");
        at = bench_put_text(at, "\\\\");
        at = bench_put_text(bench_put_bytes(at, bytes_hash(&h->tree_roots[i])), "\"");
    }
    at = bench_put_text(at, "}\t");
    at = bench_put_text(bench_put_bytes(at, bytes_hash(&h->validator_set_hash)), "\t");
    at = bench_put_text(bench_put_bytes(at, bytes_hash(&h->next_validator_set_hash)), "\t");
    at = bench_put_text(bench_put_bytes(at, bytes_hash(&h->transactions_hash)), "\t0\t");
    at = bench_put_text(bench_put_number(at, TRANSACTIONS), "\t");
    bench_copy_end_line(&g->block, bench_put_bytes(at, bytes_hash(&hash)));
}

static int accounts_by_path(const void *x, const void *y)
{
    const struct account *const *a = x, *const *b = y;

    return memcmp((*a)->path.b, (*b)->path.b, sizeof(*a)->path.b);
}

/* The tree of accounts as genesis left it. LocalNet's own accounts are in it and stay as they are.
 */
static void read_tree(struct generator *g, PGconn *conn)
{
    PGresult *r = PQexecParams(conn, "SELECT address, balance::text FROM ledger.account", 0, NULL,
                               NULL, NULL, NULL, 1);
    size_t count = (size_t)PQntuples(r);
    struct account *list = calloc(count + 1, sizeof *list);
    struct account **order = calloc(count + 1, sizeof *order);
    struct smt_leaf *leaves = calloc(count + 1, sizeof *leaves);
    struct buffer leaf;
    struct tm_error e;

    buffer_init(&leaf, &g->scratch, 256);
    for (size_t i = 0; i < count; i++) {
        struct bytes address = pg_get_bytes(r, (int)i, 0);

        memcpy(list[i].address.b, address.data, sizeof list[i].address.b);
        list[i].balance = strtoull(PQgetvalue(r, (int)i, 1), NULL, 10);
        list[i].path = sha256(address);
        order[i] = &list[i];
    }
    PQclear(r);
    qsort(order, count, sizeof *order, accounts_by_path);
    for (size_t i = 0; i < count; i++)
        leaves[i] = (struct smt_leaf){order[i]->path, account_value_hash(order[i], &leaf)};
    bench_must(smt_build(g->trees[TREE_ACCOUNT], leaves, count, &e), &e);
    free(leaves);
    free(order);
    free(list);
}

static void read_nodes(struct generator *g, PGconn *conn)
{
    PGresult *r = PQexecParams(conn,
                               "SELECT tree, depth, prefix, digest FROM ledger.tree_node "
                               "WHERE tree IN (4, 6) ORDER BY ctid",
                               0, NULL, NULL, NULL, NULL, 1);
    struct tm_error e;

    for (int i = 0; i < PQntuples(r); i++) {
        struct node *n;

        if (g->node_count > g->node_room / 2)
            grow_nodes(g);
        n = find_node(g, (enum tree_id)pg_get_int16(r, i, 0), pg_get_int16(r, i, 1),
                      (uint64_t)pg_get_int64(r, i, 2));
        set_present(g, n, true);
        bench_must(pg_get_hash(r, i, 3, &n->digest, &e), &e);
    }
    PQclear(r);
}

static void read_genesis(struct generator *g, PGconn *conn, size_t accounts)
{
    struct store_pg *pg;
    struct store store;
    struct block b;
    struct tm_error e;

    bench_must(store_open(conn, &pg, &e), &e);
    store = store_of(pg);
    bench_must(store.block(store.ctx, &g->a, 0, &b, &e), &e);
    store_close(pg);
    g->header = b.header;
    read_tree(g, conn);
    read_nodes(g, conn);
    g->accounts = calloc(accounts, sizeof *g->accounts);
    g->account_end = accounts;
    g->account_count = accounts - accounts / 10;
    for (size_t i = 0; i < accounts; i++) {
        g->accounts[i].address = bench_address((uint32_t)i);
        g->accounts[i].path = sha256(bytes_address(&g->accounts[i].address));
        g->accounts[i].balance = bench_balance((uint32_t)i);
    }
    g->keys = arena_array(&g->a, struct private_key, SIGNERS);
    for (uint32_t i = 0; i < SIGNERS; i++)
        g->keys[i] = bench_wallet(i);
}

/* Statements that take keys and indexes away and make them again, as rows of two columns. */
static const char DEFINITIONS[] =
    "SELECT CASE WHEN k.oid IS NULL THEN 'DROP INDEX ' || i.indexrelid::regclass "
    "  ELSE format('ALTER TABLE %s DROP CONSTRAINT %I', i.indrelid::regclass, k.conname) END, "
    "  CASE WHEN k.oid IS NULL THEN replace(pg_get_indexdef(i.indexrelid), ' ON ONLY ', ' ON ') "
    "  ELSE format('ALTER TABLE %s ADD CONSTRAINT %I %s', i.indrelid::regclass, k.conname, "
    "              pg_get_constraintdef(k.oid)) END "
    "FROM pg_index i LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid "
    "WHERE i.indrelid = ANY ('{ledger.account, ledger.account_history, ledger.tree_node, "
    "  ledger.tree_node_history, ledger.change, ledger.transaction}'::regclass[])";

static int by_coming(const void *x, const void *y)
{
    const struct node *const *a = x, *const *b = y;

    return ((*a)->came > (*b)->came) - ((*a)->came < (*b)->came);
}

static int by_address(const void *x, const void *y)
{
    const struct account *a = x, *b = y;

    return memcmp(a->address.b, b->address.b, sizeof a->address.b);
}

/*
 * Current rows: those of genesis whose versions ended are replaced. They lie where a node leaves
 * them: a row that changes stays on its page, what is new goes to the end, genesis has accounts in
 * the order of their addresses and nodes in that of their places in the tree.
 */
static void write_current(struct generator *g, PGconn *conn)
{
    struct bench_copy *s = calloc(1, sizeof *s);
    struct node **nodes = calloc(g->node_count + 1, sizeof *nodes);
    size_t count = 0;

    for (size_t i = 0; i < g->node_room; i++)
        if (g->nodes[i].present)
            nodes[count++] = &g->nodes[i];
    qsort(nodes, count, sizeof *nodes, by_coming);
    qsort(g->accounts, g->account_end - g->account_end / 10, sizeof *g->accounts, by_address);

    bench_run(conn, "CREATE TEMP TABLE kept AS SELECT * FROM ledger.tree_node "
                    "WHERE tree NOT IN (4, 6) ORDER BY ctid");
    bench_run(conn, "TRUNCATE ledger.tree_node");
    bench_run(conn, "INSERT INTO ledger.tree_node SELECT * FROM kept");
    bench_copy_open(s, "tree_node (tree, depth, prefix, valid_from, digest)");
    for (size_t i = 0; i < count; i++) {
        char *at = bench_copy_line(s);

        at = bench_put_text(bench_put_number(at, nodes[i]->tree), "\t");
        at = bench_put_text(bench_put_number(at, nodes[i]->depth), "\t");
        at = bench_put_text(bench_put_number(at, (int64_t)nodes[i]->prefix), "\t");
        at = bench_put_text(bench_put_number(at, nodes[i]->valid_from), "\t");
        bench_copy_end_line(s, bench_put_bytes(at, bytes_hash(&nodes[i]->digest)));
    }
    bench_copy_close(s);
    free(nodes);
    bench_run(conn, "CREATE TABLE ledger.written (LIKE ledger.account)");
    bench_copy_open(s, "written (address, valid_from, balance)");
    for (size_t i = 0; i < g->account_count; i++)
        write_account(s, &g->accounts[i], 0);
    bench_copy_close(s);
    bench_run(conn, "INSERT INTO ledger.written SELECT a.* FROM ledger.account a WHERE NOT EXISTS "
                    "(SELECT FROM ledger.written w WHERE w.address = a.address)");
    bench_run(conn, "TRUNCATE ledger.account");
    bench_run(conn, "INSERT INTO ledger.account SELECT * FROM ledger.written");
    bench_run(conn, "DROP TABLE ledger.written");
    free(s);
}

static void generate(struct generator *g, size_t versions, int64_t heights)
{
    size_t changes = versions - g->account_count, first = g->account_count, done = 0;

    bench_copy_open(&g->account_history,
                    "account_history (address, valid_from, valid_to, class, balance)");
    bench_copy_open(&g->node_history,
                    "tree_node_history (tree, depth, prefix, valid_from, valid_to, class, digest)");
    bench_copy_open(&g->change, "change (height, tree, key, step)");
    bench_copy_open(&g->transaction, "transaction (height, tx_index, hash, tx, result_code, error, "
                                     "signer, recipient, message_type, value_hash)");
    bench_copy_open(&g->block,
                    "block (height, network_id, state_hash, previous_state_hash, proposer, "
                    "certificate, seconds, nanos, block_time, tree_roots, "
                    "validator_set_hash, next_validator_set_hash, transactions_hash, round, "
                    "transactions, header_hash)");
    for (int64_t h = 1; h <= heights; h++) {
        size_t until = (size_t)((double)changes * (double)h / (double)heights);
        size_t known =
            first + (size_t)((double)(g->account_end - first) * (double)h / (double)heights);

        g->header.height = (uint64_t)h;
        g->header.seconds += 60;
        g->header.nanos = 0;
        g->header.proposer = bytes_address(&g->accounts[h % 4].address);
        write_accounts(g, h, known, until - done);
        write_transactions(g, h);
        write_block(g);
        done = until;
        arena_reset(&g->scratch);
    }
    bench_copy_close(&g->account_history);
    bench_copy_close(&g->node_history);
    bench_copy_close(&g->change);
    bench_copy_close(&g->transaction);
    bench_copy_close(&g->block);
}

static int fill(char **argv)
{
    struct generator *g = calloc(1, sizeof *g);
    size_t accounts, versions;
    double start = bench_msec();
    int64_t heights;
    PGresult *indexes;
    PGconn *conn;

    accounts = strtoul(argv[0], NULL, 10);
    versions = strtoul(argv[1], NULL, 10);
    heights = strtol(argv[2], NULL, 10);
    if (heights < 1 || accounts < SIGNERS || versions < accounts + (size_t)heights ||
        (versions - accounts) / (size_t)heights > accounts / 2) {
        fprintf(stderr, "versions_bench: there must be a change in each height and fewer changes "
                        "than half of the accounts\n");
        return 2;
    }
    arena_init(&g->a);
    arena_init(&g->scratch);
    g->random = 88172645463325252u;
    g->node_room = 1 << 16;
    g->nodes = calloc(g->node_room, sizeof *g->nodes);
    g->trees[TREE_ACCOUNT] = smt_new();
    g->trees[TREE_TRANSACTIONS] = smt_new();
    conn = bench_connect(NULL);
    read_genesis(g, conn, accounts);
    PQfinish(conn);
    conn = bench_connect(NULL);
    bench_run(conn, "SET maintenance_work_mem = '1GB'");
    indexes = PQexec(conn, DEFINITIONS);
    for (int i = 0; i < PQntuples(indexes); i++)
        bench_run(conn, PQgetvalue(indexes, i, 0));
    fprintf(stderr, "    genesis read after %.0f s\n", (bench_msec() - start) / 1000);
    generate(g, versions, heights);
    write_current(g, conn);
    fprintf(stderr, "    rows written after %.0f s\n", (bench_msec() - start) / 1000);
    for (int i = 0; i < PQntuples(indexes); i++)
        bench_run(conn, PQgetvalue(indexes, i, 1));
    PQclear(indexes);
    bench_run(conn, "UPDATE ledger.tip t SET height = b.height, state_hash = b.state_hash FROM "
                    "(SELECT * FROM ledger.block ORDER BY height DESC LIMIT 1) b");
    fprintf(stderr, "    indexes made after %.0f s\n", (bench_msec() - start) / 1000);
    PQfinish(conn);
    arena_free(&g->scratch);
    arena_free(&g->a);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], "fill") == 0)
        return fill(argv + 2);
    if (argc == 6 && strcmp(argv[1], "genesis") == 0) {
        uint32_t accounts = (uint32_t)strtoul(argv[2], NULL, 10);
        struct bench_genesis g = {.accounts = accounts - accounts / 10,
                                  .servicers = (uint32_t)strtoul(argv[3], NULL, 10),
                                  .applications = (uint32_t)strtoul(argv[4], NULL, 10)};

        bench_genesis(argv[5], &g);
        return 0;
    }
    fprintf(stderr, "usage: versions_bench genesis ACCOUNTS SERVICERS APPLICATIONS FILE\n"
                    "       versions_bench fill ACCOUNTS VERSIONS HEIGHTS\n");
    return 2;
}
