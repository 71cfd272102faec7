#include "query_table.h"

#include "query_certificate.h"

#include <string.h>

#define HEX(bytes)         "encode(" bytes ", 'hex')"
#define HEX_OR_NONE(bytes) "coalesce(" HEX(bytes) ", '')"
#define AT                 "coalesce($4, tidemark.height())"
#define COIN(amount)       "'amount', " amount "::text, 'denom', 'upokt'"

#define ACCOUNT                                                                                    \
    "json_build_object('address', " HEX(                                                           \
        "a.address") ","                                                                           \
                     " 'coins', json_build_array(json_build_object(" COIN("a.balance_upokt") ")))"

#define PARAMETER "json_build_object('parameter_name', p.name, 'parameter_value', p.value)"

/* -1 is "none" in these answers, and no chains are null (rpc.md 1.5). */
#define ACTOR(kind)                                                                                \
    "json_build_object('actor_type', '" kind "', 'address', " HEX(                                 \
        "a.address") ","                                                                           \
                     " 'public_key', " HEX(                                                        \
                         "a.public_key") ", 'chains', nullif(a.chains, '{}'),"                     \
                                         " 'service_url', coalesce(a.service_url, ''), "           \
                                         "'staked_amount', a.stake_upokt::text,"                   \
                                         " 'paused_height', coalesce(a.paused_height, -1),"        \
                                         " 'unstaking_height', coalesce(a.unstaking_height, -1),"  \
                                         " 'output_addr', " HEX("a.output_address") ")"

#define STAKE(m)                                                                                   \
    "'actor_type', " m ".actor_type, 'chains', " m ".chains, 'service_url', " m ".service_url,"    \
    " 'signer', " HEX_OR_NONE(m ".signer") ", " COIN(m ".amount_text")

#define ACTOR_CHANGE(function)                                                                     \
    "(SELECT json_build_object('actor_type', x.actor_type, 'address', " HEX(                       \
        "x.address") ","                                                                           \
                     " 'signer', " HEX_OR_NONE("x.signer") ") FROM tidemark." function "(t.tx) x)"

#define MESSAGE                                                                                                                                                                                                                        \
    "CASE t.message_type"                                                                                                                                                                                                              \
    " WHEN 'MessageSend' THEN (SELECT json_build_object('from_addr', " HEX(                                                                                                                                                            \
        "x.from_address") ","                                                                                                                                                                                                          \
                          " 'to_addr', " HEX("x.to_address") ", " COIN(                                                                                                                                                                \
                              "x.amount_text") ")"                                                                                                                                                                                     \
                                               " FROM tidemark.decode_message_send(t.tx) x)"                                                                                                                                           \
                                               " WHEN 'MessageStake' THEN (SELECT "                                                                                                                                                    \
                                               "json_build_object('public_key', " HEX(                                                                                                                                                 \
                                                   "x.public_key") ","                                                                                                                                                                 \
                                                                   " 'output_address', " HEX("x."                                                                                                                                      \
                                                                                             "out"                                                                                                                                     \
                                                                                             "put"                                                                                                                                     \
                                                                                             "_ad"                                                                                                                                     \
                                                                                             "dre"                                                                                                                                     \
                                                                                             "ss") ", " STAKE(                                                                                                                         \
                                                                       "x") ")"                                                                                                                                                        \
                                                                            " FROM "                                                                                                                                                   \
                                                                            "tidemark.decode_"                                                                                                                                         \
                                                                            "message_stake(t.tx) "                                                                                                                                     \
                                                                            "x)"                                                                                                                                                       \
                                                                            " WHEN "                                                                                                                                                   \
                                                                            "'MessageEditStake' "                                                                                                                                      \
                                                                            "THEN (SELECT "                                                                                                                                            \
                                                                            "json_build_object('"                                                                                                                                      \
                                                                            "address', " HEX("x."                                                                                                                                      \
                                                                                             "add"                                                                                                                                     \
                                                                                             "res"                                                                                                                                     \
                                                                                             "s") ", " STAKE(                                                                                                                          \
                                                                                "x") ") FROM "                                                                                                                                         \
                                                                                     "tidemark."                                                                                                                                       \
                                                                                     "decode_"                                                                                                                                         \
                                                                                     "message_"                                                                                                                                        \
                                                                                     "edit_stake("                                                                                                                                     \
                                                                                     "t.tx) x)"                                                                                                                                        \
                                                                                     " WHEN "                                                                                                                                          \
                                                                                     "'MessageUns"                                                                                                                                     \
                                                                                     "take' "                                                                                                                                          \
                                                                                     "THEN"                                                                                                                                            \
                                                                                     " " ACTOR_CHANGE("decode_message_unstake") " WHEN 'MessageUnpause' THEN " ACTOR_CHANGE(                                                           \
                                                                                         "decode_"                                                                                                                                     \
                                                                                         "message"                                                                                                                                     \
                                                                                         "_unpaus"                                                                                                                                     \
                                                                                         "e") " W"                                                                                                                                     \
                                                                                              "HE"                                                                                                                                     \
                                                                                              "N "                                                                                                                                     \
                                                                                              "'M"                                                                                                                                     \
                                                                                              "es"                                                                                                                                     \
                                                                                              "sa"                                                                                                                                     \
                                                                                              "ge"                                                                                                                                     \
                                                                                              "Ch"                                                                                                                                     \
                                                                                              "an"                                                                                                                                     \
                                                                                              "ge"                                                                                                                                     \
                                                                                              "Pa"                                                                                                                                     \
                                                                                              "ra"                                                                                                                                     \
                                                                                              "me"                                                                                                                                     \
                                                                                              "te"                                                                                                                                     \
                                                                                              "r'"                                                                                                                                     \
                                                                                              " T"                                                                                                                                     \
                                                                                              "HE"                                                                                                                                     \
                                                                                              "N "                                                                                                                                     \
                                                                                              "(S"                                                                                                                                     \
                                                                                              "EL"                                                                                                                                     \
                                                                                              "EC"                                                                                                                                     \
                                                                                              "T "                                                                                                                                     \
                                                                                              "js"                                                                                                                                     \
                                                                                              "on"                                                                                                                                     \
                                                                                              "_b"                                                                                                                                     \
                                                                                              "ui"                                                                                                                                     \
                                                                                              "ld"                                                                                                                                     \
                                                                                              "_o"                                                                                                                                     \
                                                                                              "bj"                                                                                                                                     \
                                                                                              "ec"                                                                                                                                     \
                                                                                              "t("                                                                                                                                     \
                                                                                              "'s"                                                                                                                                     \
                                                                                              "ig"                                                                                                                                     \
                                                                                              "ne"                                                                                                                                     \
                                                                                              "r'"                                                                                                                                     \
                                                                                              ","                                                                                                                                      \
                                                                                              " " HEX("x.signer") ","                                                                                                                  \
                                                                                                                  " 'owner', " HEX(                                                                                                    \
                                                                                                                      "x.owner") ", 'parameter', json_build_object('parameter_name', x.name,"                                          \
                                                                                                                                 " 'parameter_value', x.value)) FROM tidemark.decode_message_change_parameter(t.tx) x)"                \
                                                                                                                                 " WHEN 'UpdateIBCStore' THEN (SELECT json_build_object('signer', " HEX(                               \
                                                                                                                                     "x.signer") ","                                                                                   \
                                                                                                                                                 " 'key', " HEX("x.key") ", 'value', " HEX(                                            \
                                                                                                                                                     "x.value") ")"                                                                    \
                                                                                                                                                                " FROM tidemark.decode_message_update_ibc_store(t.tx) x)"              \
                                                                                                                                                                " WHEN 'PruneIBCStore' THEN (SELECT json_build_object('signer', " HEX( \
                                                                                                                                                                    "x.signer") ","                                                    \
                                                                                                                                                                                " 'key', " HEX(                                        \
                                                                                                                                                                                    "x.key") ") FROM tidemark.decode_message_prune_ibc_store(t.tx) x) END"

/* utility.md 2.6 */
#define FEE_PARAMETER                                                                              \
    "CASE t.message_type WHEN 'MessageStake' THEN 'message_stake_' || actor.word || '_fee'"        \
    " WHEN 'MessageEditStake' THEN 'message_edit_stake_' || actor.word || '_fee'"                  \
    " WHEN 'MessageUnstake' THEN 'message_unstake_' || actor.word || '_fee'"                       \
    " WHEN 'MessageUnpause' THEN 'message_unpause_' || actor.word || '_fee'"                       \
    " WHEN 'MessageChangeParameter' THEN 'message_change_parameter_fee'"                           \
    " ELSE 'message_send_fee' END"

/* t: a row with the columns of chain.transaction. The fee is today's (rpc.md 1.5). */
#define TRANSACTION                                                                                                                     \
    "(SELECT json_build_object('height', t.height, 'index', t.tx_index,"                                                                \
    " 'message_type', t.message_type, 'signer_addr', " HEX(                                                                             \
        "t.signer") ","                                                                                                                 \
                    " 'recipient_addr', " HEX_OR_NONE(                                                                                  \
                        "t.recipient") ", 'result_code', t.result_code,"                                                                \
                                       " 'tx', json_build_object('hash', " HEX(                                                         \
                                           "t.hash") ", 'height', t.height,"                                                            \
                                                     " 'index', t.tx_index, 'txMsg', "                                                  \
                                                     "json_build_object('nonce', d.nonce, "                                             \
                                                     "'message', message.body,"                                                         \
                                                     " 'signature', "                                                                   \
                                                     "json_build_object('public_key', " HEX(                                            \
                                                         "d.public_key") ","                                                            \
                                                                         " 'signature', " HEX("d."                                      \
                                                                                              "si"                                      \
                                                                                              "gn"                                      \
                                                                                              "at"                                      \
                                                                                              "ur"                                      \
                                                                                              "e") "), 'fee', json_build_object(" COIN( \
                                                                             "coalesce((SELECT "                                        \
                                                                             "p.value FROM "                                            \
                                                                             "state.param p "                                           \
                                                                             "WHERE p.name "                                            \
                                                                             "= " FEE_PARAMETER                                         \
                                                                             "), '0')") ")"                                             \
                                                                                        "))) "                                          \
                                                                                        "FROM "                                         \
                                                                                        "tidemark"                                      \
                                                                                        ".decode_"                                      \
                                                                                        "tx(t.tx)"                                      \
                                                                                        " d, "                                          \
                                                                                        "LATERAL "                                      \
                                                                                        "(SELECT"                                       \
                                                                                        " " MESSAGE                                     \
                                                                                        " AS "                                          \
                                                                                        "body) "                                        \
                                                                                        "message,"                                      \
                                                                                        " LATERAL"                                      \
                                                                                        " ("                                            \
                                                                                        "SELECT "                                       \
                                                                                        "replace("                                      \
                                                                                        "message."                                      \
                                                                                        "body "                                         \
                                                                                        "->> "                                          \
                                                                                        "'actor_"                                       \
                                                                                        "type', "                                       \
                                                                                        "'applica"                                      \
                                                                                        "tion', "                                       \
                                                                                        "'app') "                                       \
                                                                                        "AS "                                           \
                                                                                        "word) "                                        \
                                                                                        "actor)"

/* NOT MATERIALIZED: counting does not make the columns of the rows. */
#define PAGE_OF(rows, item, order)                                                                 \
    "WITH source AS NOT MATERIALIZED (" rows ")"                                                   \
    " SELECT (SELECT count(*) FROM source), (SELECT json_agg(page.item) FROM (SELECT " item        \
    " AS item " order " LIMIT $5 OFFSET $6) page)"
#define PAGE_BY_ADDRESS(view, item)                                                                \
    PAGE_OF("SELECT * FROM state." view "_at(" AT ")", item, "FROM source a ORDER BY a.address")
#define PAGE_OF_TRANSACTIONS(rows)                                                                 \
    PAGE_OF(rows, TRANSACTION, "FROM source t ORDER BY t.height * $7, t.tx_index * $7")

#define ONE_ACTOR(view)                                                                            \
    "SELECT " ACTOR(view) " FROM state." view "_at(" AT ") a WHERE a.address = $1"

/* Those of the session of one kind, as they were at its height. */
#define MEMBERS(kind)                                                                              \
    "(SELECT coalesce(json_agg(" ACTOR(kind) " ORDER BY m.draw, a.address), '[]') FROM member m"   \
                                             " JOIN state." kind                                   \
                                             "_at(s.at) a USING (address) WHERE m.kind = '" kind   \
                                             "')"

/* The session after the tip is known already; its actors are those of the tip. */
static const char session_sql[] =
    "WITH member AS MATERIALIZED (SELECT * FROM tidemark.session_at(" AT ", $1, $2,"
    " coalesce($3, ''))) SELECT json_build_object('session_id', " HEX(
        "s.session_id") ","
                        " 'session_number', s.session_number, 'session_height', s.session_height,"
                        " 'num_session_blocks', s.session_blocks, 'chain', $2, 'geozone', "
                        "coalesce($3, ''),"
                        " 'application', (SELECT " ACTOR(
                            "application") " FROM state.application_at(s.at) a"
                                           " WHERE a.address = $1), 'servicers', " MEMBERS(
                                               "servicer") ","
                                                           " 'fishermen', " MEMBERS(
                                                               "fisherman") ") FROM (SELECT m.*,"
                                                                            " least(m.session_"
                                                                            "height, tip.height) "
                                                                            "AS at FROM member m, "
                                                                            "tidemark.tip() LIMIT "
                                                                            "1) s";

/* The parts of a header that no view shows come from the base table. */
static const char
    block_sql
        [] =
            "SELECT json_build_object('block_header', json_build_object('height', b.height,"
            " 'network_id', b.network_id, 'state_hash', " HEX(
                "b.state_hash") ","
                                " 'prev_state_hash', " HEX_OR_NONE(
                                    "b.previous_state_hash") ","
                                                             " 'proposer_addr', " HEX("b.proposer") ", 'quorum_cert', " HEX(
                                                                 "b.certificate") ","
                                                                                  " 'timestamp', "
                                                                                  "to_char(to_"
                                                                                  "timestamp(b."
                                                                                  "seconds) AT "
                                                                                  "TIME ZONE "
                                                                                  "'UTC', "
                                                                                  "'YYYY-MM-DD "
                                                                                  "HH24:MI:SS')"
                                                                                  " || CASE "
                                                                                  "b.nanos WHEN 0 "
                                                                                  "THEN '' ELSE "
                                                                                  "'.' || "
                                                                                  "rtrim(lpad(b."
                                                                                  "nanos::text, 9, "
                                                                                  "'0'), '0') END"
                                                                                  " || ' +0000 "
                                                                                  "UTC', "
                                                                                  "'state_tree_"
                                                                                  "hashes',"
                                                                                  " (SELECT "
                                                                                  "json_object_agg("
                                                                                  "r.tree, " HEX(
                                                                                      "r.root") ") "
                                                                                                "FR"
                                                                                                "OM"
                                                                                                " s"
                                                                                                "ta"
                                                                                                "te"
                                                                                                ".t"
                                                                                                "re"
                                                                                                "e_"
                                                                                                "ro"
                                                                                                "ot"
                                                                                                "_a"
                                                                                                "t("
                                                                                                "b."
                                                                                                "he"
                                                                                                "ig"
                                                                                                "ht"
                                                                                                ") "
                                                                                                "r)"
                                                                                                ","
                                                                                                " '"
                                                                                                "va"
                                                                                                "l_"
                                                                                                "se"
                                                                                                "t_"
                                                                                                "ha"
                                                                                                "sh"
                                                                                                "',"
                                                                                                " " HEX_OR_NONE(
                                                                                                    "b.validator_set_hash") ","
                                                                                                                            " 'next_val_set_hash', " HEX(
                                                                                                                                "b.next_validator_set_hash") "), 'transactions',"
                                                                                                                                                             " (SELECT coalesce(json_agg(list.item), '[]') FROM (SELECT " TRANSACTION
                                                                                                                                                             " AS item"
                                                                                                                                                             " FROM chain.transaction t WHERE t.height = b.height ORDER BY t.tx_index) list))"
                                                                                                                                                             " FROM tidemark.height(" AT
                                                                                                                                                             ") AS at(h) JOIN ledger.block b ON b.height = at.h";

static const char supply_sql[] =
    "SELECT json_build_object('pools', coalesce(json_agg(json_build_object("
    "'address', " HEX("p.address") ", " COIN(
        "p.balance_upokt") ","
                           /* keys in the reference's other form have no name there */
                           " 'name', CASE octet_length(p.address) WHEN 20 THEN coalesce(p.name, "
                           "'') ELSE '' END)"
                           " ORDER BY p.address), '[]'), 'total', json_build_object(" COIN(
                               "coalesce(sum(p.balance_upokt), 0)") ")) FROM state.pool_at(" AT
                                                                    ") p";

/* What is submitted and not yet in a block has no height, place or outcome: zeros. */
#define WAITING                                                                                    \
    "SELECT 0 AS height, 0 AS tx_index, s.id, s.hash, s.tx, d.message_type, d.signer,"             \
    " d.recipient, 0 AS result_code"                                                               \
    " FROM ops.submission s, LATERAL tidemark.decode_tx(s.tx) d WHERE s.status = 'pending'"

#define ACTOR_ROWS(word, words, kind, name)                                                        \
    {.topic = {word " ADDRESS [--height H]", "one " name "\n"},                                    \
     .arguments = {ARGUMENT_ADDRESS},                                                              \
     .required = 1,                                                                                \
     .at_height = true,                                                                            \
     .thing = name,                                                                                \
     .sql = ONE_ACTOR(kind)},                                                                      \
    {                                                                                              \
        .topic = {words " [--height H] [--page N] [--per_page N]",                                 \
                  "all of them by address, those unstaked and paused included\n"},                 \
        .at_height = true, .list = words, .total = "total_" words,                                 \
        .sql = PAGE_BY_ADDRESS(kind, ACTOR(kind))                                                  \
    }

static const struct query QUERIES[] = {
    {.topic = {"account ADDRESS [--height H]", "one account with its balance\n"},
     .arguments = {ARGUMENT_ADDRESS},
     .required = 1,
     .at_height = true,
     .thing = "account",
     .sql = "SELECT " ACCOUNT " FROM state.account_at(" AT ") a WHERE a.address = $1"},
    {.topic = {"balance ADDRESS [--height H]",
               "the same as a number; an error where it has more than 64 bits\n"},
     .arguments = {ARGUMENT_ADDRESS},
     .required = 1,
     .at_height = true,
     .thing = "account",
     .sql = "SELECT json_build_object('balance', a.balance_upokt::bigint)"
            " FROM state.account_at(" AT ") a WHERE a.address = $1"},
    {.topic = {"accounts [--height H] [--page N] [--per_page N]", "all accounts by address\n"},
     .at_height = true,
     .list = "result",
     .sql = PAGE_BY_ADDRESS("account", ACCOUNT)},
    ACTOR_ROWS("app", "apps", "application", "application"),
    ACTOR_ROWS("fisherman", "fishermen", "fisherman", "fisherman"),
    ACTOR_ROWS("servicer", "servicers", "servicer", "servicer"),
    ACTOR_ROWS("validator", "validators", "validator", "validator"),
    {.topic = {"param NAME [--height H]", "value of a governance parameter\n"},
     .arguments = {ARGUMENT_TEXT},
     .required = 1,
     .at_height = true,
     .thing = "parameter",
     .sql = "SELECT " PARAMETER " FROM state.param_at(" AT ") p WHERE p.name = $1"},
    {.topic = {"params [--height H]", "all parameters by name\n"},
     .at_height = true,
     .sql = "SELECT coalesce(json_agg(" PARAMETER " ORDER BY p.name), '[]')"
            " FROM state.param_at(" AT ") p"},
    {.topic = {"supply [--height H]", "the pools with their balances, and the sum of these\n"},
     .at_height = true,
     .sql = supply_sql},
    {.topic = {"block [--height H]", "a block: header, certificate and transactions\n"},
     .at_height = true,
     .thing = "block",
     .sql = block_sql,
     .complete = query_certificate_expand},
    {.topic = {"block-txs [--height H] [--page N] [--per_page N] [--sort asc|desc]",
               "transactions of a block by their place in it, the last first\n"},
     .at_height = true,
     .sort = "desc",
     .list = "transactions",
     .total = "total_txs",
     .sql = PAGE_OF_TRANSACTIONS("SELECT t.* FROM tidemark.height(" AT ") AS at(h)"
                                 " JOIN chain.transaction t ON t.height = at.h")},
    {.topic = {"account-txs ADDRESS [--page N] [--per_page N] [--sort asc|desc]",
               "transactions that an account signed, the last first\n"},
     .arguments = {ARGUMENT_ADDRESS},
     .required = 1,
     .sort = "desc",
     .list = "txs",
     .total = "total_txs",
     .sql = PAGE_OF_TRANSACTIONS("SELECT * FROM chain.transaction t WHERE t.signer = $1")},
    {.topic = {"tx HASH",
               "a transaction of a block, with the outcome; its fee reads as the fee of\n"
               "such a message at the tip\n"},
     .arguments = {ARGUMENT_HASH},
     .required = 1,
     .thing = "transaction",
     /* under `reference` one transaction may stand in several blocks */
     .sql = "SELECT " TRANSACTION " FROM chain.transaction t WHERE t.hash = $1"
            " ORDER BY t.height DESC LIMIT 1"},
    {.topic = {"unconfirmed-txs [--page N] [--per_page N] [--sort asc|desc]",
               "transactions submitted here that wait for a block, the oldest first\n"},
     .sort = "asc",
     .list = "transactions",
     .total = "total_txs",
     .sql = PAGE_OF(WAITING, TRANSACTION, "FROM source t ORDER BY t.id * $7")},
    {.topic = {"unconfirmed-tx HASH", "one of them\n"},
     .arguments = {ARGUMENT_HASH},
     .required = 1,
     .thing = "waiting transaction",
     .sql = "SELECT " TRANSACTION " FROM (" WAITING " AND s.hash = $1) t"},
    {.topic = {"height", "height of the tip\n"},
     .sql = "SELECT json_build_object('height', tip.height) FROM tidemark.tip()"
            " WHERE tip.height IS NOT NULL",
     .thing = "block"},
    {.topic = {"session APPLICATION CHAIN [GEO_ZONE] [--height H]",
               "the servicers and fishermen that serve an application on a relay chain, in the\n"
               "order of the draw; H may be the height after the tip\n"},
     .arguments = {ARGUMENT_ADDRESS, ARGUMENT_TEXT, ARGUMENT_TEXT},
     .required = 2,
     .at_height = true,
     .sql = session_sql},
};

const struct query *query_at(size_t i)
{
    return i < sizeof QUERIES / sizeof QUERIES[0] ? &QUERIES[i] : NULL;
}

const struct query *query_find(const char *name)
{
    const struct query *q;

    for (size_t i = 0; (q = query_at(i)) != NULL; i++)
        if (strcspn(q->topic.usage, " ") == strlen(name) &&
            strncmp(q->topic.usage, name, strlen(name)) == 0)
            return q;
    return NULL;
}
