/*
 * What keeps a session of an analyst small, where the server's own settings can be lifted by it:
 * a limit on a session's memory, NOTIFY by privilege, and a word to sessions that were ended.
 */
#ifndef PG_EXTENSION_ANALYST_H
#define PG_EXTENSION_ANALYST_H

/* Defines the setting tidemark.memory_limit and installs the hooks; once, at load. */
void analyst_init(void);

#endif
