/* A passphrase from a file, a variable or a person, asked for at most once. */
#ifndef NODE_SHELL_KEYS_PASSPHRASE_H
#define NODE_SHELL_KEYS_PASSPHRASE_H

#include "protocol/base/bytes.h"
#include "protocol/base/error.h"

/* A line a person types; the bound keeps the secret in one place, without copies. */
enum { PASSPHRASE_MAX = 1024 };

/* Where it comes from: file, then variable, then the terminal. All zero is the usual one. */
struct passphrase {
    const char *file;        /* first line of this file; NULL: none was named */
    const char *file_option; /* how a person names that file (--passphrase-file) */
    const char *variable;    /* set and empty is the empty passphrase (TIDEMARK_PASSPHRASE) */
    const char *prompt;      /* what the person reads ("Passphrase: ") */
    bool confirm;            /* typed twice, for one that seals something new */
    /* The rest belongs to the module. */
    bool known;
    size_t size;
    char text[PASSPHRASE_MAX];
};

/*
 * The passphrase, valid until passphrase_forget; the first call finds it, later ones remember.
 * TM_ERR_USAGE where nobody can be asked (no terminal) or the two typed ones differ, TM_ERR_LIMIT,
 * TM_ERR_NOT_FOUND and TM_ERR_IO of the file.
 */
enum tm_err passphrase_get(struct passphrase *p, struct bytes *out, struct tm_error *e);

/* Wipes it. */
void passphrase_forget(struct passphrase *p);

#endif
