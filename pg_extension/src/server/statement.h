/* Utility statements (all but queries and changes of rows) before the server runs them. */
#ifndef PG_EXTENSION_STATEMENT_H
#define PG_EXTENSION_STATEMENT_H

/* Installs the hook; once, when the library is loaded. */
void statement_init(void);

#endif
