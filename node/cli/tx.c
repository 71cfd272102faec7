#include "tx.h"

#include "chain_options.h"
#include "keys_options.h"
#include "node/shell/solo/submission.h"
#include "protocol/base/hex.h"
#include "tx_input.h"
#include "tx_message.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>

static const struct cli_topic TOPICS[] = {
    {"send FROM TO AMOUNT", "move upokt from one account to another\n"},
    {"stake app ADDRESS AMOUNT CHAINS", "stake a new actor, with the key of ADDRESS\n"},
    {"stake servicer|fisherman ADDRESS AMOUNT CHAINS SERVICE_URL", NULL},
    {"stake validator ADDRESS AMOUNT SERVICE_URL", NULL},
    {"edit-stake KIND ADDRESS AMOUNT … (as for stake)",
     "replace stake, chains and service URL of an actor; AMOUNT is the whole new stake\n"},
    {"unstake KIND ADDRESS", "begin to unstake an actor: app, servicer, fisherman or validator\n"},
    {"unpause KIND ADDRESS", "end the pause of an actor\n"},
    {"change-parameter OWNER NAME VALUE", "set a governance parameter, as its owner\n"},
    {"ibc-update SIGNER KEY VALUE", "write an entry of the IBC store\n"},
    {"ibc-prune SIGNER KEY", "remove an entry of the IBC store\n"},
    {"submit FILE|HEX", "submit a transaction that is signed already; FILE holds it, binary or\n"
                        "hexadecimal (- is standard input)\n"},
};

static const char help[] =
    "Makes a transaction, signs it with a key of `tidemark keys`, submits it to the node's "
    "database\n"
    "and prints its hash. What became of it stands in ops.submission and chain.transaction, and\n"
    "`tidemark query tx HASH` prints it.\n";

static const char options_text[] =
    "  AMOUNT       whole upokt; 1 POKT is 1000000. Of a stake: the whole stake, after edit-stake "
    "too\n"
    "  CHAINS       relay chains, four characters each, joined by commas: 0001,0021\n"
    "  SERVICE_URL  https://host.name:port\n"
    "  KEY, VALUE   of the IBC store: text, or bytes as 0x…\n"
    "\n"
    "  --signer ADDRESS   whose key signs instead of the actor's: its output address\n"
    "  --output ADDRESS   stake: where rewards and the returned stake go (default: the actor)\n"
    "  --nonce TEXT       instead of a random one; equal transactions need different ones\n"
    "  --print            print the signed transaction in hexadecimal and do not submit "
    "it\n" CHAIN_OPTIONS_TEXT KEYS_OPTIONS_TEXT;

static const struct cli_topic *topic(size_t i)
{
    return i < sizeof TOPICS / sizeof TOPICS[0] ? &TOPICS[i] : NULL;
}

struct tx_options {
    struct keys_options keys;
    struct chain_options chain;
    struct tx_choices choices;
    const char *nonce;
    bool print;
};

static void print_hash(const struct hash32 *hash)
{
    char text[2 * sizeof hash->b];

    hex_encode(bytes_hash(hash), text);
    printf("%.*s\n", (int)sizeof text, text);
}

/* As the reference draws them: a random 64-bit number in decimal, not 0 (utility.md 1.4). */
static char *make_nonce(struct arena *a)
{
    uint64_t number = 0;

    while (number == 0)
        randombytes_buf(&number, sizeof number);
    return arena_format(a, "%" PRIu64, number);
}

/* A rule's refusal reads the same whether it was found here or by the database. */
static int fail(const char *name, struct tm_error *e)
{
    struct tm_error plain = *e;

    if (plain.err == TM_ERR_RULE)
        tm_refuse(e, plain.code, "CODE: %d, ERROR: %.400s", plain.code, plain.text);
    return cli_fail(name, e);
}

static enum tm_err actor_public_key(const struct keys_options *o, struct arena *a,
                                    const struct address *actor, struct bytes *out,
                                    struct tm_error *e)
{
    struct public_key key;
    struct keystore ks;
    struct bytes hint;
    enum tm_err err = keystore_open(&ks, o->directory, e);

    if (err == TM_OK)
        err = keystore_show(&ks, a, actor, &key, &hint, e);
    if (err == TM_OK)
        *out = arena_copy(a, bytes_make(key.b, sizeof key.b));
    return err;
}

/* The message is checked before anybody is asked for a passphrase. */
static enum tm_err make(struct tx_options *o, struct arena *a, const char *const *words,
                        size_t count, struct bytes *tx, struct tm_error *e)
{
    struct private_key key;
    struct tx_plan plan;
    enum tm_err err = tx_plan(a, words, count, &o->choices, &plan, e);

    if (err == TM_OK && plan.needs_public_key)
        err = actor_public_key(&o->keys, a, &plan.actor, &plan.message.public_key, e);
    if (err == TM_OK)
        err = message_check(&plan.message, e);
    if (err == TM_OK)
        err = keys_open(&o->keys, &plan.signer, &key, e);
    if (err != TM_OK)
        return err;
    *tx = transaction_sign(a, &plan.message, bytes_of(o->nonce != NULL ? o->nonce : make_nonce(a)),
                           &key);
    sodium_memzero(&key, sizeof key);
    return TM_OK;
}

static int submit(const struct tx_options *o, const char *name, struct bytes tx)
{
    struct hash32 hash;
    struct tm_error e;
    PGconn *conn = chain_connect(name, &o->chain, "api");
    enum tm_err err;

    if (conn == NULL)
        return CLI_REFUSED;
    err = submission_send(conn, tx, &hash, &e);
    chain_disconnect(conn);
    if (err != TM_OK)
        return cli_fail(name, &e);
    print_hash(&hash);
    return CLI_DONE;
}

static int make_and_submit(struct tx_options *o, const char *name, const char *const *words,
                           size_t count)
{
    struct bytes tx;
    struct tm_error e;
    struct arena a;
    int status;

    arena_init(&a);
    if (make(o, &a, words, count, &tx, &e) != TM_OK) {
        status = fail(name, &e);
    } else if (o->print) {
        puts(hex_text(&a, tx));
        status = CLI_DONE;
    } else {
        status = submit(o, name, tx);
    }
    arena_free(&a);
    return status;
}

static int submit_given(const struct tx_options *o, const char *name, const char *word)
{
    struct transaction decoded;
    struct bytes tx;
    struct tm_error e;
    struct arena a;
    int status;

    arena_init(&a);
    if (tx_input(&a, word, &tx, &e) != TM_OK || transaction_decode(&a, tx, &decoded, &e) != TM_OK)
        status = fail(name, &e);
    else
        status = submit(o, name, tx);
    arena_free(&a);
    return status;
}

static int run(int argc, char **argv)
{
    struct tx_options o = {0};
    const struct cli_option options[] = {KEYS_OPTION_ROWS(o.keys),
                                         CHAIN_OPTION_ROWS(o.chain),
                                         {.name = "--signer", .value = &o.choices.signer},
                                         {.name = "--output", .value = &o.choices.output},
                                         {.name = "--nonce", .value = &o.nonce},
                                         {.name = "--print", .flag = &o.print},
                                         {NULL}};
    const char *words[TX_WORDS_MAX];
    size_t count;

    if (!cli_options(argc, argv, options, words, TX_WORDS_MAX, &count))
        return CLI_USAGE;
    if (o.nonce != NULL && (o.nonce[0] == '\0' || strlen(o.nonce) > STANDARD_NONCE_MAX))
        return cli_usage("tx", "--nonce has 1 to %d bytes", STANDARD_NONCE_MAX);
    if (count == 0 || strcmp(words[0], "submit") != 0)
        return make_and_submit(&o, "tx", words, count);
    if (count != 2)
        return cli_usage("tx", "submit takes one transaction: FILE or HEX");
    return submit_given(&o, "tx", words[1]);
}

const struct cli_command cli_tx_command = {
    .name = "tx",
    .summary = "make, sign and submit transactions",
    .help = help,
    .run = run,
    .topic = topic,
    .options = options_text,
};
