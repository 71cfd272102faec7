#include "query_table.h"

#include "query_certificate.h"

#include <string.h>

#define HEX(bytes)        "encode(" bytes ", 'hex')"
#define HEX_OR_NONE(bytes) "coalesce(" HEX(bytes) ", '')"
#define AT                "coalesce($4, tidemark.height())"
#define COIN(amount)      "'amount', " amount "::text, 'denom', 'upokt'"

#define ACCOUNT                                                                                    \
    "json_build_object('address', " HEX("a.address") ","                                           \
    " 'coins', json_build_array(json_build_object(" COIN("a.balance_upokt") ")))"

/* -1 is "none" in these answers, and no chains are null (rpc.md 1.5). */
#define ACTOR(kind)                                                                                \
    "json_build_object('actor_type', '" kind "', 'address', " HEX("a.address") ","                 \
    " 'public_key', " HEX("a.public_key") ", 'chains', nullif(a.chains, '{}'),"                    \
    " 'service_url', coalesce(a.service_url, ''), 'staked_amount', a.stake_upokt::text,"           \
    " 'paused_height', coalesce(a.paused_height, -1),"                                             \
    " 'unstaking_height', coalesce(a.unstaking_height, -1),"                                       \
    " 'output_addr', " HEX("a.output_address") ")"

#define STAKE(m)                                                                                   \
    "'actor_type', " m ".actor_type, 'chains', " m ".chains, 'service_url', " m ".service_url,"    \
    " 'signer', " HEX_OR_NONE(m ".signer") ", " COIN(m ".amount_text")

#define ACTOR_CHANGE(function)                                                                     \
    "(SELECT json_build_object('actor_type', x.actor_type, 'address', " HEX("x.address") ","       \
    " 'signer', " HEX_OR_NONE("x.signer") ") FROM tidemark." function "(t.tx) x)"

#define MESSAGE                                                                                    \
    "CASE t.message_type"                                                                          \
    " WHEN 'MessageSend' THEN (SELECT json_build_object('from_addr', " HEX("x.from_address") ","   \
    " 'to_addr', " HEX("x.to_address") ", " COIN("x.amount_text") ")"                              \
    " FROM tidemark.decode_message_send(t.tx) x)"                                                  \
    " WHEN 'MessageStake' THEN (SELECT json_build_object('public_key', " HEX("x.public_key") ","   \
    " 'output_address', " HEX("x.output_address") ", " STAKE("x") ")"                              \
    " FROM tidemark.decode_message_stake(t.tx) x)"                                                 \
    " WHEN 'MessageEditStake' THEN (SELECT json_build_object('address', " HEX("x.address") ", "    \
    STAKE("x") ") FROM tidemark.decode_message_edit_stake(t.tx) x)"                                \
    " WHEN 'MessageUnstake' THEN " ACTOR_CHANGE("decode_message_unstake")                          \
    " WHEN 'MessageUnpause' THEN " ACTOR_CHANGE("decode_message_unpause")                          \
    " WHEN 'MessageChangeParameter' THEN (SELECT json_build_object('signer', " HEX("x.signer") "," \
    " 'owner', " HEX("x.owner") ", 'parameter', json_build_object('parameter_name', x.name,"       \
    " 'parameter_value', x.value)) FROM tidemark.decode_message_change_parameter(t.tx) x)"         \
    " WHEN 'UpdateIBCStore' THEN (SELECT json_build_object('signer', " HEX("x.signer") ","         \
    " 'key', " HEX("x.key") ", 'value', " HEX("x.value") ")"                                       \
    " FROM tidemark.decode_message_update_ibc_store(t.tx) x)"                                      \
    " WHEN 'PruneIBCStore' THEN (SELECT json_build_object('signer', " HEX("x.signer") ","          \
    " 'key', " HEX("x.key") ") FROM tidemark.decode_message_prune_ibc_store(t.tx) x) END"

/* utility.md 2.6 */
#define FEE_PARAMETER                                                                              \
    "CASE t.message_type WHEN 'MessageStake' THEN 'message_stake_' || actor.word || '_fee'"        \
    " WHEN 'MessageEditStake' THEN 'message_edit_stake_' || actor.word || '_fee'"                  \
    " WHEN 'MessageUnstake' THEN 'message_unstake_' || actor.word || '_fee'"                       \
    " WHEN 'MessageUnpause' THEN 'message_unpause_' || actor.word || '_fee'"                       \
    " WHEN 'MessageChangeParameter' THEN 'message_change_parameter_fee'"                           \
    " ELSE 'message_send_fee' END"

/* t: a row with the columns of chain.transaction. The fee is today's (rpc.md 1.5). */
#define TRANSACTION                                                                                \
    "(SELECT json_build_object('height', t.height, 'index', t.tx_index,"                           \
    " 'message_type', t.message_type, 'signer_addr', " HEX("t.signer") ","                         \
    " 'recipient_addr', " HEX_OR_NONE("t.recipient") ", 'result_code', t.result_code,"             \
    " 'tx', json_build_object('hash', " HEX("t.hash") ", 'height', t.height,"                      \
    " 'index', t.tx_index, 'txMsg', json_build_object('nonce', d.nonce, 'message', message.body,"  \
    " 'signature', json_build_object('public_key', " HEX("d.public_key") ","                       \
    " 'signature', " HEX("d.signature") "), 'fee', json_build_object("                             \
    COIN("coalesce((SELECT p.value FROM state.param p WHERE p.name = " FEE_PARAMETER "), '0')") ")"\
    "))) FROM tidemark.decode_tx(t.tx) d, LATERAL (SELECT " MESSAGE " AS body) message,"           \
    " LATERAL (SELECT replace(message.body ->> 'actor_type', 'application', 'app') AS word) actor)"

/* NOT MATERIALIZED: counting does not make the columns of the rows. */
#define PAGE_OF(rows, item, order)                                                                 \
    "WITH source AS NOT MATERIALIZED (" rows ")"                                                   \
    " SELECT (SELECT count(*) FROM source), (SELECT json_agg(page.item) FROM (SELECT " item        \
    " AS item " order " LIMIT $5 OFFSET $6) page)"
#define PAGE_BY_ADDRESS(view, item)                                                                \
    PAGE_OF("SELECT * FROM state." view "_at(" AT ")", item, "FROM source a ORDER BY a.address")
#define PAGE_OF_TRANSACTIONS(rows)                                                                 \
    PAGE_OF(rows, TRANSACTION, "FROM source t ORDER BY t.height * $7, t.tx_index * $7")

#define ONE_ACTOR(view) "SELECT " ACTOR(view) " FROM state." view "_at(" AT ") a WHERE a.address = $1"

/* Those of the session of one kind, as they were at its height. */
#define MEMBERS(kind)                                                                              \
    "(SELECT coalesce(json_agg(" ACTOR(kind) " ORDER BY m.draw, a.address), '[]') FROM member m"   \
    " JOIN state." kind "_at(s.at) a USING (address) WHERE m.kind = '" kind "')"

/* The session after the tip is known already; its actors are those of the tip. */
static const char session_sql[] =
    "WITH member AS MATERIALIZED (SELECT * FROM tidemark.session_at(" AT ", $1, $2,"
    " coalesce($3, ''))) SELECT json_build_object('session_id', " HEX("s.session_id") ","
    " 'session_number', s.session_number, 'session_height', s.session_height,"
    " 'num_session_blocks', s.session_blocks, 'chain', $2, 'geozone', coalesce($3, ''),"
    " 'application', (SELECT " ACTOR("application") " FROM state.application_at(s.at) a"
    " WHERE a.address = $1), 'servicers', " MEMBERS("servicer") ","
    " 'fishermen', " MEMBERS("fisherman") ") FROM (SELECT m.*,"
    " least(m.session_height, tip.height) AS at FROM member m, tidemark.tip() LIMIT 1) s";

/* The parts of a header that no view shows come from the base table. */
static const char block_sql[] =
    "SELECT json_build_object('block_header', json_build_object('height', b.height,"
    " 'network_id', b.network_id, 'state_hash', " HEX("b.state_hash") ","
    " 'prev_state_hash', " HEX_OR_NONE("b.previous_state_hash") ","
    " 'proposer_addr', " HEX("b.proposer") ", 'quorum_cert', " HEX("b.certificate") ","
    " 'timestamp', to_char(to_timestamp(b.seconds) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')"
    " || CASE b.nanos WHEN 0 THEN '' ELSE '.' || rtrim(lpad(b.nanos::text, 9, '0'), '0') END"
    " || ' +0000 UTC', 'state_tree_hashes',"
    " (SELECT json_object_agg(r.tree, " HEX("r.root") ") FROM state.tree_root_at(b.height) r),"
    " 'val_set_hash', " HEX_OR_NONE("b.validator_set_hash") ","
    " 'next_val_set_hash', " HEX("b.next_validator_set_hash") "), 'transactions',"
    " (SELECT coalesce(json_agg(list.item), '[]') FROM (SELECT " TRANSACTION " AS item"
    " FROM chain.transaction t WHERE t.height = b.height ORDER BY t.tx_index) list))"
    " FROM tidemark.height(" AT ") AS at(h) JOIN ledger.block b ON b.height = at.h";

static const char supply_sql[] =
    "SELECT json_build_object('pools', coalesce(json_agg(json_build_object("
    "'address', " HEX("p.address") ", " COIN("p.balance_upokt") ","
    /* keys in the reference's other form have no name there */
    " 'name', CASE octet_length(p.address) WHEN 20 THEN coalesce(p.name, '') ELSE '' END)"
    " ORDER BY p.address), '[]'), 'total', json_build_object("
    COIN("coalesce(sum(p.balance_upokt), 0)") ")) FROM state.pool_at(" AT ") p";

#define WAITING                                                                                    \
    "SELECT s.id AS height, 0 AS tx_index, s.id, s.hash, s.tx, d.message_type, d.signer,"          \
    " d.recipient, 0 AS result_code"                                                               \
    " FROM ops.submission s, LATERAL tidemark.decode_tx(s.tx) d WHERE s.status = 'pending'"

static const struct query QUERIES[] = {
    {.topic = {"account ADDRESS [--height H]", "balance of an account\n"},
     .arguments = {ARGUMENT_ADDRESS},
     .required = 1,
     .at_height = true,
     .thing = "account",
     .sql = "SELECT " ACCOUNT " FROM state.account_at(" AT ") a WHERE a.address = $1"},
};
