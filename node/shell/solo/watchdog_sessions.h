/* The watchdog's eyes and hands: sessions of the server, judged and ended. */
#ifndef NODE_SHELL_SOLO_WATCHDOG_SESSIONS_H
#define NODE_SHELL_SOLO_WATCHDOG_SESSIONS_H

#include <libpq-fe.h>

#include "node/watchdog/watchdog.h"
#include "protocol/base/error.h"

/*
 * Ends the sessions that passed a limit, over a connection of tidemark_node. Each is a row of
 * ops.ended_session and a line on standard error. Sessions of the node, of its owner and of
 * superusers are not looked at.
 */
enum tm_err watchdog_sessions_end(PGconn *conn, const struct watchdog_limits *limits,
                                  struct tm_error *e);

#endif
