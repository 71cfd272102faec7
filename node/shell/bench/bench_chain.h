/* For benchmarks: clocks, databases and blocks of sends on a PostgreSQL store. Errors end the
 * process. A figure is printed as `name<TAB>value<TAB>unit`. */
#ifndef NODE_SHELL_BENCH_BENCH_CHAIN_H
#define NODE_SHELL_BENCH_BENCH_CHAIN_H

#include "node/executor/test_chain.h"
#include "node/shell/pg/pg_session.h"
#include "node/shell/store/store.h"
#include "node/shell/system/workers.h"

double bench_msec(void); /* of the wall clock */
/* Processor time a process of this machine has used. */
double bench_processor_msec(int pid);
/* Keeps a process (0: this one) to one processor, from 0; BENCH_LAST_PROCESSOR is the last. */
enum { BENCH_LAST_PROCESSOR = -1 };
void bench_pin(int pid, int processor);
/* Keeps this process and the session's to one processor: of a short query, waking another takes
 * more than the query. */
void bench_pin_session(PGconn *conn);
/* These sort the list. p99: the least value that at most one of a hundred is greater than. */
double bench_median(double *list, size_t count);
double bench_p99(double *list, size_t count);
void bench_print(const char *name, double value, const char *unit);
void bench_must(enum tm_err err, const struct tm_error *e);

/* A connection to the server of the environment; NULL: to the database of the environment. */
PGconn *bench_connect(const char *database);
void bench_run(PGconn *conn, const char *sql);

/* A chain in a database, with an executor and workers for all processors. */
struct bench_chain {
    PGconn *conn;
    struct store_pg *pg;
    struct store store;
    struct executor *x;
    struct workers *workers;
    struct private_key keys[TEST_VALIDATORS];
};

/* Opens the chain that conn's database holds; the connection is closed with it. */
void bench_chain_open(struct bench_chain *c, PGconn *conn, const struct executor_options *options);
void bench_chain_close(struct bench_chain *c);

/* The key of account n of a genesis file made by bench_genesis, for n < BENCH_WALLETS; the
 * accounts above have no key. */
enum { BENCH_WALLETS = 60000 };
struct private_key bench_wallet(uint32_t n);
struct address bench_address(uint32_t n);

/* LocalNet's genesis with as many more accounts, servicers and applications, as a file. */
struct bench_genesis {
    uint32_t accounts, servicers, applications;
};
void bench_genesis(const char *path, const struct bench_genesis *g);
uint64_t bench_balance(uint32_t n); /* of account n in that file */

/* Signed sends from wallets first … first + count - 1, each to another account of these. */
void bench_sends(struct arena *a, uint32_t first, uint32_t count, uint64_t nonce,
                 struct bytes *out);

/* Milliseconds of executor_prepare (decoding included) and executor_decide. */
struct bench_block {
    double prepare, decide;
};

/* Makes the next block of all these transactions. */
struct bench_block bench_block(struct bench_chain *c, struct arena *a, const struct bytes *raw,
                               size_t count);

/* Milliseconds for checking the signatures of these transactions on all processors. */
double bench_verify(struct bench_chain *c, struct arena *a, const struct bytes *raw, size_t count);

#endif
