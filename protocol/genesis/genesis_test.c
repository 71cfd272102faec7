#include "genesis.h"

#include "../base/hex.h"
#include "../block/block.h"
#include "../ed25519/ed25519.h"
#include "../params/params.h"
#include "../sha3/sha3.h"
#include "../state/pool.h"
#include "../state/tree_roots.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define LOCALNET "tests/vectors/localnet/genesis.json"

static struct arena arena;

static int set_up(void **state)
{
    (void)state;
    arena_init(&arena);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(&arena);
    return 0;
}

static json_t *localnet(void)
{
    json_error_t at;
    json_t *file = json_load_file(LOCALNET, 0, &at);

    assert_non_null(file);
    return file;
}

/* Loads what the JSON says and lets go of it. */
static enum tm_err load(json_t *file, const struct rules *flag, struct genesis *out,
                        struct tm_error *e)
{
    char *text = json_dumps(file, JSON_ENCODE_ANY);
    enum tm_err err;

    assert_non_null(text);
    err = genesis_load(&arena, bytes_of(text), flag, out, e);
    free(text);
    json_decref(file);
    return err;
}

static struct hash32 hash_of(const struct state_map *state, struct hash32 roots[TREES])
{
    assert_int_equal(tree_roots(&arena, state, roots, NULL), TM_OK);
    return state_hash_of_roots((const struct hash32 *)roots);
}

static void state_of(const struct genesis *g, struct state_map *state)
{
    state_map_init_in(state, &arena);
    for (size_t i = 0; i < g->record_count; i++) {
        assert_null(state_map_find(state, g->records[i].tree, g->records[i].key));
        state_map_put(state, g->records[i].tree, g->records[i].key, &g->records[i]);
    }
}

static void assert_hash(struct hash32 h, const char *expected)
{
    assert_string_equal(hex_text(&arena, bytes_hash(&h)), expected);
}

static void localnet_reference(void **unused)
{
    struct genesis g;
    struct tm_error e = {0};
    struct state_map state;
    struct hash32 roots[TREES];

    (void)unused;
    assert_int_equal(load(localnet(), &RULES_REFERENCE, &g, &e), TM_OK);
    assert_ptr_equal(g.rules, &RULES_REFERENCE);
    assert_true(bytes_equal(g.chain_id, bytes_of("testnet")));
    assert_int_equal(g.seconds, 1663610702);
    assert_int_equal(g.nanos, 405401000);
    assert_int_equal(g.max_block_bytes, 4000000);
    assert_int_equal(g.block_interval_msec, 1000);
    assert_int_equal(g.empty_block_interval_msec, 10000);
    state_of(&g, &state);
    assert_hash(hash_of(&state, roots),
                "271dc3b185309f6bc2586bd480b0feab7b937f09af3b116cff7fbb66f83ba7d9");
    assert_hash(roots[TREE_PARAMS],
                "285549eaa00997f214371589cf6e6893b0f5fd162183e4e2e45aaff1021ac866");
    assert_hash(roots[TREE_VAL],
                "f5ef31c3a1310cd825a7fb48d4a4b0aab7a221ec44c849114c141dbb4dbdfe5b");
}

static void localnet_standard(void **unused)
{
    struct genesis g;
    struct tm_error e = {0};
    struct state_map state;
    struct hash32 roots[TREES];

    (void)unused;
    assert_int_equal(load(localnet(), NULL, &g, &e), TM_OK);
    assert_ptr_equal(g.rules, &RULES_STANDARD);
    state_of(&g, &state);
    assert_hash(hash_of(&state, roots),
                "013850a053823e1c4c23abac95e979830cfb3b0440c25f64020f7c1ce83cef1b");
    assert_hash(roots[TREE_POOL],
                "4ced77b6fa8db4452841b780e42090a45840b007a936c971db74d369fe20edc2");
}

static void long_pool_addresses_mean_the_same(void **unused)
{
    json_t *file = localnet(), *pool;
    struct genesis g;
    struct tm_error e = {0};
    struct state_map state;
    struct hash32 roots[TREES];
    size_t i;

    (void)unused;
    json_array_foreach(json_object_get(file, "pools"), i, pool)
    {
        const char *text = json_string_value(json_object_get(pool, "address"));

        json_object_set_new(pool, "address", json_string(hex_text(&arena, bytes_of(text))));
    }
    assert_int_equal(load(file, NULL, &g, &e), TM_OK);
    state_of(&g, &state);
    assert_hash(hash_of(&state, roots),
                "013850a053823e1c4c23abac95e979830cfb3b0440c25f64020f7c1ce83cef1b");
}

/* --- the reference's test genesis (state.md 5.5) -----------------------------------------------
 */

static struct private_key test_key(uint32_t n)
{
    uint8_t seed[32] = {(uint8_t)n};

    return ed25519_from_seed(seed);
}

static json_t *test_actor(int type, uint32_t key, int node)
{
    struct private_key private = test_key(key);
    struct public_key public = ed25519_public(&private);
    struct address address = address_of_key(&public);
    const char *hex = hex_text(&arena, bytes_address(&address));

    return json_pack("{si ss ss ss ss ss si si so}", "actor_type", type, "address", hex,
                     "public_key", hex_text(&arena, bytes_make(public.b, sizeof public.b)),
                     "service_url", arena_format(&arena, "node%d.consensus:42069", node),
                     "staked_amount", "1000000000000", "output", hex, "paused_height", -1,
                     "unstaking_height", -1, "chains",
                     type == ACTOR_VAL ? json_null() : json_pack("[s]", "0001"));
}

static json_t *default_params(void)
{
    json_t *params = json_object();

    for (int i = 0; i < PARAMS_COUNT; i++) {
        const char *text = PARAMS[i].default_value;

        json_object_set_new(params, PARAMS[i].name,
                            PARAMS[i].kind == PARAM_INTEGER ? json_integer(strtol(text, NULL, 10))
                                                            : json_string(text));
    }
    return params;
}

static json_t *test_genesis(void)
{
    static const struct {
        const char *list;
        int type;
        uint32_t first, count;
    } KIND[] = {{"applications", ACTOR_APP, 43, 1},
                {"validators", ACTOR_VAL, 44, 5},
                {"servicers", ACTOR_SERVICER, 49, 1},
                {"fishermen", ACTOR_FISH, 50, 1}};
    json_t *accounts = json_array(), *pools = json_array(), *file = json_object();

    for (int k = 0; k < 4; k++) {
        json_t *list = json_array();

        for (uint32_t i = 0; i < KIND[k].count; i++) {
            json_t *actor = test_actor(KIND[k].type, KIND[k].first + i, (int)i + 1);

            json_array_append_new(accounts,
                                  json_pack("{sO ss}", "address", json_object_get(actor, "address"),
                                            "amount", "100000000000000"));
            json_array_append_new(list, actor);
        }
        json_object_set_new(file, KIND[k].list, list);
    }
    for (int i = POOL_DAO; i <= POOL_LAST; i++)
        json_array_append_new(
            pools, json_pack("{ss ss}", "address", hex_text(&arena, pool_long_key((enum pool_id)i)),
                             "amount", i == POOL_FEE_COLLECTOR ? "0" : "100000000000000"));
    json_object_set_new(file, "accounts", accounts);
    json_object_set_new(file, "pools", pools);
    json_object_set_new(file, "params", default_params());
    return file;
}

static void reference_test_genesis(void **unused)
{
    static const char *const expected[TREES] = {
        [TREE_APP] = "a14b910c915d0cdb3f32918b11d59aa3ee6e8608c77557cc183981b5931b896d",
        [TREE_VAL] = "3f848edbd6a962328b67a98e8c00e3ef6c1036141846869e3d276a9a892bda44",
        [TREE_FISH] = "f39cf18f8c1737ea1edd6a4363cc317fbcce105875536f37941f7ef3b415983e",
        [TREE_SERVICER] = "dc7a0281330fd798ab8b9fc5c2756f510c0425a95992b319163ad3ad62e6a920",
        [TREE_ACCOUNT] = "a5fc6c70290a65a802421ef470268c73427aff8103e61147e7c047f3544e10a2",
        [TREE_POOL] = "6cc99de773f583061f8c4a753cd7ba7f5ca93f0d68057eda30d43cef1dde80b2",
        [TREE_TRANSACTIONS] = "0000000000000000000000000000000000000000000000000000000000000000",
        [TREE_PARAMS] = "285549eaa00997f214371589cf6e6893b0f5fd162183e4e2e45aaff1021ac866",
        [TREE_FLAGS] = "0000000000000000000000000000000000000000000000000000000000000000",
        [TREE_IBC] = "0000000000000000000000000000000000000000000000000000000000000000"};
    static const char *const state_test[] = {
        "1e433a8905c7b1cf42222f8d01ba222038653f8ff35ae97cce1fd6a32d18b51e",
        "4542dea3eedb99ad46b3c6e0ea901a9ee365b590b2f2ac7f12678ac369a2fe90",
        "1524529fa827852e397adf1938eb058848209c4916cdacef929d050efc472c1d"};
    struct genesis g;
    struct tm_error e = {0};
    struct state_map state;
    struct hash32 roots[TREES];
    struct record *app = NULL;

    (void)unused;
    assert_int_equal(load(test_genesis(), &RULES_REFERENCE, &g, &e), TM_OK);
    state_of(&g, &state);
    assert_hash(hash_of(&state, roots),
                "5282ee91a3ec0a6f2b30e4780b369bae78c80ef3ea40587fef6ae263bf41f244");
    for (int i = 0; i < TREES; i++)
        assert_hash(roots[i], expected[i]);
    for (size_t i = 0; i < g.record_count; i++)
        if (g.records[i].tree == TREE_APP)
            app = &g.records[i];
    /* state_test: each height sets the application's stake, which drops its chains (D10), and
     * indexes one transaction. */
    for (int h = 1; h <= 3; h++) {
        struct record *tx = arena_new(&arena, struct record);
        struct hash32 *hash = arena_new(&arena, struct hash32);

        app->actor.stake_text = bytes_of(arena_format(&arena, "%d", 42 + h));
        app->actor.chain_count = 0;
        tx->tree = TREE_TRANSACTIONS;
        tx->value = bytes_of(
            arena_format(&arena, "a tx, i am, which set the app stake amount to %d", 42 + h));
        *hash = sha3_256(tx->value);
        tx->key = bytes_hash(hash);
        state_map_put(&state, tx->tree, tx->key, tx);
        assert_hash(hash_of(&state, roots), state_test[h - 1]);
    }
}

/* --- what else the reference takes (state.md 5.1, 5.2) ------------------------------------------
 */

static const struct record *find(const struct genesis *g, enum tree_id tree, const char *hex)
{
    for (size_t i = 0; i < g->record_count; i++)
        if (g->records[i].tree == tree && strcmp(hex_text(&arena, g->records[i].key), hex) == 0)
            return &g->records[i];
    return NULL;
}

static void reference_reads_like_go(void **unused)
{
    static const char file[] =
        "{\"ACCOUNTS\": [{\"address\": \"ABCD\", \"amount\": \"+007\"},"
        "               {\"address\": \"abcd\", \"amount\": \"-5\"},"
        "               {\"Amount\": \"3\", \"unknown\": {}}],"
        " \"applications\": [{\"address\": \"01\", \"public_key\": \"aa\", \"output\": \"02\","
        "                     \"staked_amount\": \"+015\", \"chains\": [\"3\", \"0002\"]},"
        "                    {\"address\": \"01\", \"public_key\": \"bb\", \"output\": \"03\","
        "                     \"staked_amount\": \"16\", \"chains\": [\"0001\", \"0002\"],"
        "                     \"paused_height\": -1}],"
        " \"validators\": null, \"generic_param\": 3, \"chain_id\": \"x\"}";
    struct genesis g;
    struct tm_error e = {0};
    const struct record *r;

    (void)unused;
    assert_int_equal(genesis_load(&arena, bytes_of(file), &RULES_REFERENCE, &g, &e), TM_OK);
    r = find(&g, TREE_ACCOUNT, "abcd");
    assert_true(bytes_equal(r->balance.text, bytes_of("-5")));
    assert_non_null(find(&g, TREE_ACCOUNT, ""));
    r = find(&g, TREE_APP, "01");
    assert_string_equal(hex_text(&arena, r->actor.public_key), "aa");
    assert_string_equal(hex_text(&arena, r->actor.output), "02");
    assert_true(bytes_equal(r->actor.stake_text, bytes_of("16")));
    assert_int_equal(r->actor.paused_height, -1);
    assert_int_equal(r->actor.unstaking_height, 0);
    assert_int_equal(r->actor.chain_count, 3);
    assert_true(bytes_equal(r->actor.chains[2], bytes_of("3   ")));
    assert_int_equal(g.record_count, 2 + 1 + PARAMS_COUNT);
}

/* --- errors ------------------------------------------------------------------------------------
 */

/* Sets the member that the path ("validators.2.paused_height") names; NULL removes it. */
static void edit(json_t *file, const char *path, const char *json)
{
    char name[64];
    json_t *at = file;
    const char *rest = path, *dot;

    while ((dot = strchr(rest, '.')) != NULL) {
        snprintf(name, sizeof name, "%.*s", (int)(dot - rest), rest);
        at = json_is_array(at) ? json_array_get(at, strtoul(name, NULL, 10))
                               : json_object_get(at, name);
        assert_non_null(at);
        rest = dot + 1;
    }
    if (json == NULL)
        assert_int_equal(json_object_del(at, rest), 0);
    else if (json_is_array(at))
        json_array_set_new(at, strtoul(rest, NULL, 10), json_loads(json, JSON_DECODE_ANY, NULL));
    else
        json_object_set_new(at, rest, json_loads(json, JSON_DECODE_ANY, NULL));
}

static void every_error_names_its_field(void **unused)
{
    static const struct {
        const char *path, *json, *text;
    } CASE[] = {
        {"chain_id", NULL, "chain_id: missing"},
        {"chain_id", "\"\"", "chain_id: must have"},
        {"chain_id", "7", "chain_id: must be a string"},
        {"genesis_time", NULL, "genesis_time: missing"},
        {"genesis_time.seconds", NULL, "genesis_time.seconds: missing"},
        {"genesis_time.nanos", "1000000000", "genesis_time.nanos: must be from"},
        {"genesis_time.seconds", "253402300800", "genesis_time.seconds: must be from"},
        {"genesis_time.nanos", "405401001", "genesis_time.nanos: must be whole microseconds"},
        {"genesis_time.zone", "1", "genesis_time.zone: unknown key"},
        {"max_block_bytes", NULL, "max_block_bytes: missing"},
        {"max_block_bytes", "0", "max_block_bytes: must be from 1"},
        {"max_block_bytes", "1.5", "max_block_bytes: must be an integer"},
        {"block_interval_msec", "0", "block_interval_msec: must be from"},
        {"empty_block_interval_msec", "\"1\"", "empty_block_interval_msec: must be an integer"},
        {"rules", "\"loose\"", "rules: must be"},
        {"rules", "1", "rules: must be"},
        {"surprise", "1", "surprise: unknown key"},
        {"accounts", "{}", "accounts: must be a list"},
        {"accounts.3", "7", "accounts[3]: must be an object"},
        {"accounts.3.address", NULL, "accounts[3].address: missing"},
        {"accounts.3.address", "\"00\"", "accounts[3].address: must be 40 hex digits"},
        {"accounts.3.address", "\"zz01e4a7012d207dcd777e8b5136fa4a65979700\"",
         "accounts[3].address: is not hex"},
        {"accounts.3.address", "\"00101f2ff54811e84df2d767c661f57a06349b7e\"",
         "accounts[3].address: occurs twice"},
        {"accounts.3.amount", NULL, "accounts[3].amount: missing"},
        {"accounts.3.amount", "\"01\"", "accounts[3].amount: must be decimal digits"},
        {"accounts.3.amount", "\"-1\"", "accounts[3].amount: must be decimal digits"},
        {"accounts.3.amount",
         "\"999999999999999999999999999999999999999999999999999999999999999999999999999999\"",
         "accounts: accounts, pools and stakes add up"},
        {"accounts.3.amounts", "\"1\"", "accounts[3].amounts: unknown key"},
        {"pools.0.address", "\"44414f0000000000000000000000000000000001\"",
         "pools[0].address: is none of the six pools"},
        {"pools.0.address", "\"466565436f6c6c6563746f720000000000000000\"",
         "pools[1].address: the pool FeeCollector occurs twice"},
        {"pools.0.amount", "\"\"", "pools[0].amount: must be decimal"},
        {"validators", "[]", "validators: there must be at least one"},
        {"validators.2.paused_height", NULL, "validators[2].paused_height: missing"},
        {"validators.2.paused_height", "0", "validators[2].paused_height: must be -1"},
        {"validators.2.unstaking_height", "-2", "validators[2].unstaking_height: must be -1"},
        {"validators.2.unstaking_height", "null", "validators[2].unstaking_height: must be an"},
        {"validators.2.address", "\"00101f2ff54811e84df2d767c661f57a06349b7e\"",
         "validators[2].address: is not the address of public_key"},
        {"validators.2.public_key", "\"00\"", "validators[2].public_key: must be 64 hex digits"},
        {"validators.2.output", "\"\"", "validators[2].output: must be 40 hex digits"},
        {"validators.2.actor_type", "1", "validators[2].actor_type: must be 4"},
        {"validators.2.staked_amount", "1", "validators[2].staked_amount: must be a string"},
        {"validators.2.service_url", NULL, "validators[2].service_url: missing"},
        {"servicers.1.chains", "[]", "servicers[1].chains: must name"},
        {"servicers.1.chains", "[\"00001\"]", "servicers[1].chains: element 0"},
        {"servicers.1.chains", "[\"0001\", \"0001\"]", "servicers[1].chains: a chain occurs twice"},
        {"servicers.1.chains", "[1]", "servicers[1].chains: element 0 must be a string"},
        {"servicers.1.chains", "\"0001\"", "servicers[1].chains: must be a list"},
        {"params", NULL, "params: missing"},
        {"params.acl_owner", NULL, "params.acl_owner: missing"},
        {"params.acl_owner", "\"x\"", "params.acl_owner: invalid parameter value"},
        {"params.app_max_chains", "0", "params.app_max_chains: invalid parameter value"},
        {"params.app_max_chains", "\"15\"", "params.app_max_chains: must be an integer"},
        {"params.app_max_chains", "2147483648", "params.app_max_chains: must be from"},
        {"params.message_send_fee", "\"1e3\"", "params.message_send_fee: invalid parameter"},
        {"params.generic", "1", "params.generic: unknown key"},
    };

    (void)unused;
    for (size_t i = 0; i < sizeof CASE / sizeof CASE[0]; i++) {
        json_t *file = localnet();
        struct genesis g;
        struct tm_error e = {0};

        edit(file, CASE[i].path, CASE[i].json);
        assert_int_equal(load(file, NULL, &g, &e), TM_ERR_CONFIG);
        if (strncmp(e.text, CASE[i].text, strlen(CASE[i].text)) != 0)
            fail_msg("expected \"%s\", got \"%s\"", CASE[i].text, e.text);
    }
}

static void reference_errors_name_their_field(void **unused)
{
    static const struct {
        const char *path, *json, *text;
    } CASE[] = {
        {"accounts.3.address", "\"0\"", "accounts[3].address: is not hex"},
        {"accounts.3.amount", "\"\"", "accounts[3].amount: is not a decimal integer"},
        {"pools.0.amount", "\"+1\"", "pools[0].amount: must be written without"},
        {"servicers.1.chains", "[\"00001\"]", "servicers[1].chains: element 0"},
        {"validators.0.staked_amount", "\"1x\"", "validators[0].staked_amount: is not a decimal"},
        {"params.app_max_chains", "\"15\"", "params.app_max_chains: must be an integer"},
    };
    char *address = arena_alloc(&arena, 2 * ACCOUNT_ADDRESS_MAX + 5);
    struct genesis g;
    struct tm_error e = {0};
    json_t *file;

    (void)unused;
    for (size_t i = 0; i < sizeof CASE / sizeof CASE[0]; i++) {
        file = localnet();
        edit(file, CASE[i].path, CASE[i].json);
        assert_int_equal(load(file, &RULES_REFERENCE, &g, &e), TM_ERR_CONFIG);
        if (strncmp(e.text, CASE[i].text, strlen(CASE[i].text)) != 0)
            fail_msg("expected \"%s\", got \"%s\"", CASE[i].text, e.text);
    }
    memset(address, '0', 2 * ACCOUNT_ADDRESS_MAX + 4);
    address[0] = address[2 * ACCOUNT_ADDRESS_MAX + 3] = '"';
    address[2 * ACCOUNT_ADDRESS_MAX + 4] = '\0';
    file = localnet();
    edit(file, "accounts.0.address", address);
    assert_int_equal(load(file, &RULES_REFERENCE, &g, &e), TM_ERR_CONFIG);
    assert_non_null(strstr(e.text, "accounts[0].address: longer than"));
}

static void rules_of_file_and_flag(void **unused)
{
    struct genesis g;
    struct tm_error e = {0};
    json_t *file = localnet();

    (void)unused;
    json_object_set_new(file, "rules", json_string("reference"));
    assert_int_equal(load(json_incref(file), NULL, &g, &e), TM_OK);
    assert_ptr_equal(g.rules, &RULES_REFERENCE);
    assert_int_equal(load(json_incref(file), &RULES_REFERENCE, &g, &e), TM_OK);
    assert_int_equal(load(file, &RULES_STANDARD, &g, &e), TM_ERR_CONFIG);
    assert_non_null(strstr(e.text, "rules: "));
}

static void not_json(void **unused)
{
    struct genesis g;
    struct tm_error e = {0};

    (void)unused;
    assert_int_equal(genesis_load(&arena, bytes_of(""), NULL, &g, &e), TM_ERR_CONFIG);
    assert_int_equal(genesis_load(&arena, bytes_of("[]"), NULL, &g, &e), TM_ERR_CONFIG);
    assert_int_equal(genesis_load(&arena, bytes_of("{} x"), NULL, &g, &e), TM_ERR_CONFIG);
    assert_non_null(strstr(e.text, "line 1"));
    assert_int_equal(
        genesis_load(&arena, bytes_of("{\"chain_id\":\"a\",\"chain_id\":\"b\"}"), NULL, &g, &e),
        TM_ERR_CONFIG);
    assert_non_null(strstr(e.text, "chain_id"));
    /* Go takes the last of two. */
    assert_int_equal(genesis_load(&arena, bytes_of("{\"chain_id\":\"a\",\"chain_id\":\"b\"}"),
                                  &RULES_REFERENCE, &g, &e),
                     TM_OK);
    assert_true(bytes_equal(g.chain_id, bytes_of("b")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(localnet_reference),
        cmocka_unit_test(localnet_standard),
        cmocka_unit_test(long_pool_addresses_mean_the_same),
        cmocka_unit_test(reference_test_genesis),
        cmocka_unit_test(reference_reads_like_go),
        cmocka_unit_test(every_error_names_its_field),
        cmocka_unit_test(reference_errors_name_their_field),
        cmocka_unit_test(rules_of_file_and_flag),
        cmocka_unit_test(not_json),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
