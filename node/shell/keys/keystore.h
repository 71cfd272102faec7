/*
 * Private keys on disk: a directory (0700) of files `<address>.json` (0600), each the armoured key
 * as the reference exports it plus its "public_key", so that listing and showing need no
 * passphrase.
 */
#ifndef NODE_SHELL_KEYS_KEYSTORE_H
#define NODE_SHELL_KEYS_KEYSTORE_H

#include "passphrase.h"
#include "protocol/base/arena.h"
#include "protocol/ed25519/ed25519.h"

enum {
    KEYSTORE_PATH_MAX = 4096, /* Linux's PATH_MAX */
    KEYSTORE_KEYS_MAX = 1024  /* keys a node holds: each takes 0.1 s to open */
};

struct keystore {
    char directory[KEYSTORE_PATH_MAX];
};

/*
 * directory NULL or "": $HOME/.tidemark/keys. Nothing is created before the first key is stored.
 * TM_ERR_CONFIG without HOME, TM_ERR_LIMIT for a path that is too long.
 */
enum tm_err keystore_open(struct keystore *ks, const char *directory, struct tm_error *e);

/* A key from the system's entropy; stored when *address is set. */
enum tm_err keystore_create(const struct keystore *ks, struct bytes passphrase, struct bytes hint,
                            struct address *address, struct tm_error *e);

/*
 * Stores a key, replacing one with its address. TM_ERR_MISMATCH: the public half is not that of the
 * seed. TM_ERR_USAGE: the hint is no UTF-8 or too long.
 */
enum tm_err keystore_put(const struct keystore *ks, const struct private_key *key,
                         struct bytes passphrase, struct bytes hint, struct address *address,
                         struct tm_error *e);

/* 128 hexadecimal characters, blanks around them ignored. */
enum tm_err keystore_import_raw(const struct keystore *ks, struct bytes hex,
                                struct bytes passphrase, struct bytes hint, struct address *address,
                                struct tm_error *e);

/* An armoured key; the passphrase is checked and the armour kept as it is. */
enum tm_err keystore_import_armoured(const struct keystore *ks, struct bytes json,
                                     struct bytes passphrase, struct address *address,
                                     struct tm_error *e);

/* Addresses, ascending; none where the directory does not exist. */
enum tm_err keystore_list(const struct keystore *ks, struct arena *a, struct address **out,
                          size_t *count, struct tm_error *e);

/* Without the passphrase. TM_ERR_NOT_FOUND names the address. hint lives in the arena. */
enum tm_err keystore_show(const struct keystore *ks, struct arena *a, const struct address *address,
                          struct public_key *key, struct bytes *hint, struct tm_error *e);

/* TM_ERR_MISMATCH: wrong passphrase, or a file that holds another address' key. */
enum tm_err keystore_private(const struct keystore *ks, const struct address *address,
                             struct bytes passphrase, struct private_key *key, struct tm_error *e);

/* The armoured JSON as the reference exports it, in the arena; the passphrase is checked. */
enum tm_err keystore_export(const struct keystore *ks, struct arena *a,
                            const struct address *address, struct bytes passphrase,
                            struct bytes *json, struct tm_error *e);

/* Seals with the new passphrase and hint once the old passphrase is right. */
enum tm_err keystore_update(const struct keystore *ks, const struct address *address,
                            struct bytes old_passphrase, struct bytes new_passphrase,
                            struct bytes hint, struct tm_error *e);

/* Once the passphrase is right. */
enum tm_err keystore_delete(const struct keystore *ks, const struct address *address,
                            struct bytes passphrase, struct tm_error *e);

/*
 * Every key of a directory, for a node that signs without asking: files of any name that hold 128
 * hexadecimal characters, or an armoured key, ascending by address, in the arena. The passphrase is
 * asked for at the first armoured one and opens all. TM_ERR_CONFIG names a file that is neither.
 */
enum tm_err keystore_load(struct arena *a, const char *directory, struct passphrase *passphrase,
                          struct private_key **out, size_t *count, struct tm_error *e);

#endif
