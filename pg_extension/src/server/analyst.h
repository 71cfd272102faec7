/*
 * What keeps a session of an analyst small, where the server's own settings can be lifted by it:
 * a limit on a session's memory, NOTIFY by privilege, and a word to sessions that were ended.
 */
#ifndef PG_EXTENSION_ANALYST_H
#define PG_EXTENSION_ANALYST_H

#include "value/compat.h"

#include "nodes/nodes.h"

/* Defines the setting tidemark.memory_limit and installs its hook; once, at load. */
void analyst_init(void);

/* Raises for utility statements that the server lets everybody give and analysts may not. */
void analyst_check_statement(const Node *statement);

#endif
