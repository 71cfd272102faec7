/* Sums over blocks and the greatest balances, written in the transaction of the blocks. */
#ifndef NODE_SHELL_STORE_STORE_TOTALS_H
#define NODE_SHELL_STORE_STORE_TOTALS_H

#include "store_pg.h"

/* Accounts that rank below are not in ledger.large_balance. */
struct large_floor {
    int32_t fewest, kept, most; /* ledger.large_bounds: rows of the table */
    bool known;                 /* ledger.large_balance is kept */
    bool exists;                /* false: it has every account */
    struct amount balance;
    struct bytes address;
};

/* What is in force at the tip, if there is one; outside of pipeline mode. */
enum tm_err large_floor_read(PGconn *conn, struct arena *a, struct large_floor *out,
                             struct tm_error *e);

/* In pipeline mode, inside the transaction of the blocks: sends the statements, *sent of them.
 * Blocks without totals get none. */
enum tm_err totals_send(PGconn *conn, struct arena *a, const struct store_block *const *blocks,
                        size_t count, struct large_floor floor, size_t *sent, struct tm_error *e);
/* Their answers. *large_rows: how many ledger.large_balance had before; -1: not known. */
enum tm_err totals_receive(PGconn *conn, size_t sent, int64_t *large_rows, struct tm_error *e);

/* After the commit: moves the floor where that many rows are too few or too many. Without it
 * reports are slower, so errors are no matter. */
void large_balances_tend(PGconn *conn, const struct large_floor *floor, int64_t large_rows);

#endif
