/* Which sources a program was built from, so that a node and its database's extension can compare.
 */
#ifndef PROTOCOL_BASE_BUILD_ID_H
#define PROTOCOL_BASE_BUILD_ID_H

/* 16 hexadecimal digits over the contents of protocol/ and of the extension. */
const char *tidemark_build_id(void);

#endif
