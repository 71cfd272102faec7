#include "block.h"

#include "../sha3/sha3.h"
#include "../codec/wire_writer.h"

enum {
    FIELD_VALIDATOR = 1,
    FIELD_ADDRESS = 1,
    FIELD_PUBLIC_KEY = 2,
    MEMBER_SIZE = 128 /* of an encoded ValidatorIdentity with its tag: 110 for ordinary members */
};

struct hash32 validator_set_hash(const struct validator_set *set)
{
    struct buffer out, member;
    struct hash32 hash;
    struct arena a;

    arena_init(&a);
    buffer_init(&out, &a, set->count * MEMBER_SIZE);
    buffer_init(&member, &a, MEMBER_SIZE);
    for (size_t i = 0; i < set->count; i++) {
        member.size = 0;
        wire_hex(&member, FIELD_ADDRESS, set->members[i].address);
        wire_hex(&member, FIELD_PUBLIC_KEY, set->members[i].public_key);
        wire_element(&out, FIELD_VALIDATOR, buffer_bytes(&member));
    }
    hash = sha3_256(buffer_bytes(&out));
    arena_free(&a);
    return hash;
}

const struct validator *validator_set_proposer(const struct validator_set *set, uint64_t height,
                                               uint64_t round)
{
    if (set->count == 0)
        return NULL;
    return &set->members[(height % set->count + round % set->count) % set->count];
}

bool validator_set_has_led(const struct validator_set *set, struct bytes address, uint64_t height,
                           uint64_t round)
{
    long index = validator_set_find(set, address);

    return index >= 0 && ((uint64_t)index + set->count - height % set->count) % set->count <= round;
}

long validator_set_find(const struct validator_set *set, struct bytes address)
{
    size_t low = 0, high = set->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int c = bytes_compare(address, set->members[middle].address);

        if (c == 0)
            return (long)middle;
        if (c < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return -1;
}
