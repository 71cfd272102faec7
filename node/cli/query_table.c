#include "query_table.h"

#include "query_block.h"

#include <string.h>

#define AT "coalesce($4, tidemark.height())"

#define ACCOUNT                                                                                    \
    "SELECT encode(a.address, 'hex') AS address, json_build_array(json_build_object("              \
    "'amount', a.balance_upokt::text, 'denom', 'upokt')) AS coins"                                 \
    " FROM state.account_at(" AT ") a"

/* rpc.md 1.5: -1 is "none", no chains are null. */
#define ACTOR_COLUMNS                                                                              \
    "encode(a.address, 'hex') AS address, encode(a.public_key, 'hex') AS public_key,"              \
    " nullif(a.chains, '{}') AS chains, coalesce(a.service_url, '') AS service_url,"               \
    " a.stake_upokt::text AS staked_amount, coalesce(a.paused_height, -1) AS paused_height,"       \
    " coalesce(a.unstaking_height, -1) AS unstaking_height,"                                       \
    " encode(a.output_address, 'hex') AS output_addr"

#define APPLICATION "SELECT 'application' AS actor_type, " ACTOR_COLUMNS
#define FISHERMAN   "SELECT 'fisherman' AS actor_type, " ACTOR_COLUMNS
#define SERVICER    "SELECT 'servicer' AS actor_type, " ACTOR_COLUMNS
#define VALIDATOR   "SELECT 'validator' AS actor_type, " ACTOR_COLUMNS

#define APPLICATIONS APPLICATION " FROM state.application_at(" AT ") a"
#define FISHERMEN    FISHERMAN " FROM state.fisherman_at(" AT ") a"
#define SERVICERS    SERVICER " FROM state.servicer_at(" AT ") a"
#define VALIDATORS   VALIDATOR " FROM state.validator_at(" AT ") a"

#define PARAMETERS                                                                                 \
    "SELECT p.name AS parameter_name, p.value AS parameter_value"                                  \
    " FROM state.param_at(" AT ") p"

/*
 * As query_transaction_complete takes it; t: rows with the columns of chain.transaction. The fee is
 * the parameter of utility.md 2.6 at the tip, as rpc.md 1.5 has it.
 */
#define TRANSACTION_COLUMNS                                                                        \
    "SELECT t.height, t.tx_index AS index, t.message_type, t.result_code,"                         \
    " encode(t.signer, 'hex') AS signer_addr,"                                                     \
    " coalesce(encode(t.recipient, 'hex'), '') AS recipient_addr,"                                 \
    " encode(t.hash, 'hex') AS hash, encode(t.tx, 'hex') AS tx,"                                   \
    " coalesce((SELECT p.value FROM state.param p WHERE p.name = 'message_' ||"                    \
    " replace(CASE t.message_type"                                                                 \
    " WHEN 'MessageStake' THEN 'stake_' || (tidemark.decode_message_stake(t.tx)).actor_type"       \
    " WHEN 'MessageEditStake' THEN"                                                                \
    " 'edit_stake_' || (tidemark.decode_message_edit_stake(t.tx)).actor_type"                      \
    " WHEN 'MessageUnstake' THEN 'unstake_' || (tidemark.decode_message_unstake(t.tx)).actor_type" \
    " WHEN 'MessageUnpause' THEN 'unpause_' || (tidemark.decode_message_unpause(t.tx)).actor_type" \
    " WHEN 'MessageChangeParameter' THEN 'change_parameter'"                                       \
    " ELSE 'send' END, 'application', 'app') || '_fee'), '0') AS fee"

#define TRANSACTIONS TRANSACTION_COLUMNS " FROM chain.transaction t"

/* What waits for a block has no height, place or outcome yet: zeros. */
#define WAITING                                                                                    \
    TRANSACTION_COLUMNS ", t.id FROM (SELECT 0 AS height, 0 AS tx_index, s.id, s.hash, s.tx,"      \
                        " d.message_type, d.signer, d.recipient, 0 AS result_code"                 \
                        " FROM ops.submission s, LATERAL tidemark.decode_tx(s.tx) d"               \
                        " WHERE s.status = 'pending') t"

/* The session after the tip is known already; its actors are those of the tip. */
static const char session_sql[] =
    "WITH member AS MATERIALIZED ("
    "SELECT * FROM tidemark.session_at(" AT ", $1, $2, coalesce($3, '')))"
    " SELECT encode(s.session_id, 'hex') AS session_id, s.session_number, s.session_height,"
    " s.session_blocks AS num_session_blocks, $2 AS chain, coalesce($3, '') AS geozone,"
    " (SELECT row_to_json(x) FROM (" APPLICATION " FROM state.application_at(s.at) a"
    " WHERE a.address = $1) x) AS application,"
    " (SELECT coalesce(json_agg(x), '[]') FROM (" SERVICER " FROM member m"
    " JOIN state.servicer_at(s.at) a USING (address) WHERE m.kind = 'servicer'"
    " ORDER BY m.draw, a.address) x) AS servicers,"
    " (SELECT coalesce(json_agg(x), '[]') FROM (" FISHERMAN " FROM member m"
    " JOIN state.fisherman_at(s.at) a USING (address) WHERE m.kind = 'fisherman'"
    " ORDER BY m.draw, a.address) x) AS fishermen"
    " FROM (SELECT m.*, least(m.session_height, tip.height) AS at"
    " FROM member m, tidemark.tip() LIMIT 1) s";

/* As query_block_complete takes it. What no view shows of a header comes from the base table. */
static const char block_sql[] =
    "SELECT json_build_object('height', b.height, 'network_id', b.network_id,"
    " 'state_hash', encode(b.state_hash, 'hex'),"
    " 'prev_state_hash', coalesce(encode(b.previous_state_hash, 'hex'), ''),"
    " 'proposer_addr', encode(b.proposer, 'hex'), 'quorum_cert', encode(b.certificate, 'hex'),"
    " 'timestamp', to_char(to_timestamp(b.seconds) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')"
    " || CASE b.nanos WHEN 0 THEN '' ELSE '.' || rtrim(lpad(b.nanos::text, 9, '0'), '0') END"
    " || ' +0000 UTC', 'state_tree_hashes',"
    " (SELECT json_object_agg(r.tree, encode(r.root, 'hex')) FROM state.tree_root_at(b.height) r),"
    " 'val_set_hash', coalesce(encode(b.validator_set_hash, 'hex'), ''),"
    " 'next_val_set_hash', encode(b.next_validator_set_hash, 'hex')) AS block_header,"
    " (SELECT coalesce(json_agg(x), '[]') FROM (" TRANSACTIONS " WHERE t.height = b.height"
    " ORDER BY t.tx_index) x) AS transactions"
    " FROM tidemark.height(" AT ") AS at(h) JOIN ledger.block b ON b.height = at.h";

/* Keys in the reference's other form, 40 bytes, have no name there. */
static const char supply_sql[] =
    "SELECT coalesce(json_agg(json_build_object('address', encode(p.address, 'hex'),"
    " 'amount', p.balance_upokt::text, 'denom', 'upokt', 'name',"
    " CASE octet_length(p.address) WHEN 20 THEN coalesce(p.name, '') ELSE '' END)"
    " ORDER BY p.address), '[]') AS pools, json_build_object("
    "'amount', coalesce(sum(p.balance_upokt), 0)::text, 'denom', 'upokt') AS total"
    " FROM state.pool_at(" AT ") p";

static const struct query QUERIES[] = {
    {.topic = {"account ADDRESS [--height H]", "an account with its balance\n"},
     .arguments = {ARGUMENT_ADDRESS},
     .required = 1,
     .at_height = true,
     .thing = "account",
     .sql = ACCOUNT " WHERE a.address = $1"},
    {.topic = {"balance ADDRESS [--height H]",
               "only the balance, as a number; an error if it takes more than 64 bits\n"},
     .arguments = {ARGUMENT_ADDRESS},
     .required = 1,
     .at_height = true,
     .thing = "account",
     .sql = "SELECT a.balance_upokt::bigint AS balance FROM state.account_at(" AT ") a"
            " WHERE a.address = $1"},
    {.topic = {"accounts [--height H] [--page N] [--per_page N]", "all accounts by address\n"},
     .at_height = true,
     .answer = ANSWER_PAGE,
     .list = "result",
     .order = "address",
     .sql = ACCOUNT},
    {.topic = {"app ADDRESS [--height H]", "an application\n"},
     .arguments = {ARGUMENT_ADDRESS},
     .required = 1,
     .at_height = true,
     .thing = "application",
     .sql = APPLICATIONS " WHERE a.address = $1"},
    {.topic = {"apps [--height H] [--page N] [--per_page N]",
               "all applications by address, whatever their status\n"},
     .at_height = true,
     .answer = ANSWER_PAGE,
     .list = "apps",
     .total = "total_apps",
     .order = "address",
     .sql = APPLICATIONS},
    {.topic = {"fisherman ADDRESS [--height H]", "a fisherman\n"},
     .arguments = {ARGUMENT_ADDRESS},
     .required = 1,
     .at_height = true,
     .thing = "fisherman",
     .sql = FISHERMEN " WHERE a.address = $1"},
    {.topic = {"fishermen [--height H] [--page N] [--per_page N]",
               "all fishermen by address, whatever their status\n"},
     .at_height = true,
     .answer = ANSWER_PAGE,
     .list = "fishermen",
     .total = "total_fishermen",
     .order = "address",
     .sql = FISHERMEN},
    {.topic = {"servicer ADDRESS [--height H]", "a servicer\n"},
     .arguments = {ARGUMENT_ADDRESS},
     .required = 1,
     .at_height = true,
     .thing = "servicer",
     .sql = SERVICERS " WHERE a.address = $1"},
    {.topic = {"servicers [--height H] [--page N] [--per_page N]",
               "all servicers by address, whatever their status\n"},
     .at_height = true,
     .answer = ANSWER_PAGE,
     .list = "servicers",
     .total = "total_servicers",
     .order = "address",
     .sql = SERVICERS},
    {.topic = {"validator ADDRESS [--height H]", "a validator\n"},
     .arguments = {ARGUMENT_ADDRESS},
     .required = 1,
     .at_height = true,
     .thing = "validator",
     .sql = VALIDATORS " WHERE a.address = $1"},
    {.topic = {"validators [--height H] [--page N] [--per_page N]",
               "all validators by address, whatever their status\n"},
     .at_height = true,
     .answer = ANSWER_PAGE,
     .list = "validators",
     .total = "total_validators",
     .order = "address",
     .sql = VALIDATORS},
    {.topic = {"param NAME [--height H]", "the value of a governance parameter\n"},
     .arguments = {ARGUMENT_TEXT},
     .required = 1,
     .at_height = true,
     .thing = "parameter",
     .sql = PARAMETERS " WHERE p.name = $1"},
    {.topic = {"params [--height H]", "all governance parameters by name\n"},
     .at_height = true,
     .answer = ANSWER_ALL,
     .sql = PARAMETERS " ORDER BY p.name"},
    {.topic = {"supply [--height H]", "the pools with their balances, and the sum of these\n"},
     .at_height = true,
     .thing = "supply",
     .sql = supply_sql},
    {.topic = {"height", "the height of the tip\n"},
     .thing = "block",
     .sql = "SELECT t.height FROM tidemark.tip() t WHERE t.height IS NOT NULL"},
    {.topic = {"block [--height H]", "a block: header, certificate and transactions\n"},
     .at_height = true,
     .thing = "block",
     .sql = block_sql,
     .complete = query_block_complete},
    {.topic = {"block-txs [--height H] [--page N] [--per_page N] [--sort asc|desc]",
               "the transactions of a block, the last first unless told otherwise\n"},
     .at_height = true,
     .sort = "desc",
     .answer = ANSWER_PAGE,
     .list = "transactions",
     .total = "total_txs",
     .order = "index * $7",
     .sql = TRANSACTIONS " JOIN tidemark.height(" AT ") AS at(h) ON t.height = at.h",
     .complete = query_transaction_complete},
    {.topic = {"account-txs ADDRESS [--page N] [--per_page N] [--sort asc|desc]",
               "the transactions an account signed, the last first unless told otherwise\n"},
     .arguments = {ARGUMENT_ADDRESS},
     .required = 1,
     .sort = "desc",
     .answer = ANSWER_PAGE,
     .list = "txs",
     .total = "total_txs",
     .order = "height * $7, index * $7",
     .sql = TRANSACTIONS " WHERE t.signer = $1",
     .complete = query_transaction_complete},
    {.topic = {"tx HASH",
               "a transaction that is in a block, with its outcome; its fee reads as the\n"
               "fee of such a message at the tip\n"},
     .arguments = {ARGUMENT_HASH},
     .required = 1,
     .thing = "transaction",
     /* under `reference` one transaction may stand in several blocks */
     .sql = TRANSACTIONS " WHERE t.hash = $1 ORDER BY t.height DESC LIMIT 1",
     .complete = query_transaction_complete},
    {.topic = {"unconfirmed-txs [--page N] [--per_page N] [--sort asc|desc]",
               "the transactions submitted here that wait for a block, the oldest first unless\n"
               "told otherwise\n"},
     .sort = "asc",
     .answer = ANSWER_PAGE,
     .list = "transactions",
     .total = "total_txs",
     .order = "id * $7",
     .sql = WAITING,
     .complete = query_transaction_complete},
    {.topic = {"unconfirmed-tx HASH", "one of these\n"},
     .arguments = {ARGUMENT_HASH},
     .required = 1,
     .thing = "waiting transaction",
     .sql = WAITING " WHERE t.hash = $1",
     .complete = query_transaction_complete},
    {.topic = {"session APPLICATION CHAIN [GEO_ZONE] [--height H]",
               "the servicers and fishermen that serve an application on a relay chain, in the\n"
               "order of the draw; H may be the height after the tip\n"},
     .arguments = {ARGUMENT_ADDRESS, ARGUMENT_TEXT, ARGUMENT_TEXT},
     .required = 2,
     .at_height = true,
     .thing = "session",
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
