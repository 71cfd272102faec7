/* A genesis file is refused or makes a state: no crash under either rule set. */
#include "genesis.h"

#include "../state/tree_roots.h"
#include "tests/fuzz/driver.h"

#include <stdlib.h>

static const char SMALL[] =
    "{\"rules\": \"reference\", \"chain_id\": \"c\", \"max_block_bytes\": 9,"
    " \"genesis_time\": {\"seconds\": 1, \"nanos\": 2},"
    " \"accounts\": [{\"address\": \"00101f2ff54811e84df2d767c661f57a06349b7e\","
    " \"amount\": \"100\"}, {\"address\": \"aa\", \"amount\": \"-07\"}],"
    " \"pools\": [{\"address\": \"44414f0000000000000000000000000000000000\","
    " \"amount\": \"1\"}],"
    " \"validators\": [{\"address\": \"00104055c00bed7c983a48aac7dc6335d7c607a7\","
    " \"public_key\": \"dfe357de55649e6d2ce889acf15eb77e94ab3c5756fe46d3c7538d37f27f115e\","
    " \"output\": \"00104055c00bed7c983a48aac7dc6335d7c607a7\", \"staked_amount\": \"+01\","
    " \"service_url\": \"v:1\", \"paused_height\": -1, \"unstaking_height\": -1}],"
    " \"servicers\": [{\"address\": \"01\", \"chains\": [\"0001\", \"2\", \"0001\"],"
    " \"staked_amount\": \"5\"}, {\"address\": \"01\", \"chains\": [\"3\"],"
    " \"staked_amount\": \"6\"}],"
    " \"params\": {\"blocks_per_session\": 4, \"acl_owner\": \"x\"},"
    " \"block_interval_msec\": 5, \"empty_block_interval_msec\": 6}";

static const char STANDARD[] = "{\"rules\": \"standard\", \"chain_id\": \"c\", "
                               "\"max_block_bytes\": 9, \"genesis_time\": {\"seconds\": 1, "
                               "\"nanos\": 2}, \"accounts\": [], \"pools\": [], \"validators\": [],"
                               " \"params\": {\"blocks_per_session\": 4}}";

size_t fuzz_seeds(const struct fuzz_seed **out)
{
    static const struct fuzz_seed seeds[] = {
        {(const uint8_t *)SMALL, sizeof SMALL - 1},
        {(const uint8_t *)STANDARD, sizeof STANDARD - 1},
    };

    *out = seeds;
    return sizeof seeds / sizeof seeds[0];
}

static void load(const uint8_t *data, size_t size, const struct rules *flag)
{
    struct arena a;
    struct genesis g;
    struct tm_error e = {0};

    arena_init(&a);
    if (genesis_load(&a, bytes_make(data, size), flag, &g, &e) == TM_OK) {
        struct state_map state;
        struct hash32 roots[TREES];

        state_map_init_in(&state, &a);
        for (size_t i = 0; i < g.record_count; i++) {
            if (state_map_find(&state, g.records[i].tree, g.records[i].key) != NULL)
                abort(); /* a key twice */
            state_map_put(&state, g.records[i].tree, g.records[i].key, &g.records[i]);
        }
        if (tree_roots(&a, &state, roots, &e) != TM_OK)
            abort();
    } else if (e.text[0] == '\0') {
        abort(); /* an error says what is wrong */
    }
    arena_free(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    load(data, size, NULL);
    load(data, size, &RULES_STANDARD);
    load(data, size, &RULES_REFERENCE);
    return 0;
}
