#include "chain_options.h"

#include "node/shell/cluster/database.h"
#include "node/shell/store/migrations.h"

PGconn *chain_connect(const char *name, const struct chain_options *o, const char *role)
{
    PGconn *conn;
    struct tm_error e;

    if (o->data != NULL && o->url != NULL) {
        cli_usage(name, "--data and --db exclude each other");
        return NULL;
    }
    if (cli_database_open(o->data, o->url, role, &conn, &e) != TM_OK) {
        cli_fail(name, &e);
        return NULL;
    }
    if (migrations_check(conn, &e) != TM_OK) {
        cli_fail(name, &e);
        cli_database_close(conn);
        return NULL;
    }
    return conn;
}

void chain_disconnect(PGconn *conn)
{
    cli_database_close(conn);
}
