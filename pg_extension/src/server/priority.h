#ifndef PG_EXTENSION_PRIORITY_H
#define PG_EXTENSION_PRIORITY_H

/* Defines the setting tidemark.nice; once, when the library is loaded. */
void priority_init(void);

#endif
