#include "sha3.h"

#include <nettle/sha3.h>

struct hash32 sha3_256_parts(const struct bytes *parts, size_t count)
{
    struct sha3_256_ctx ctx;
    struct hash32 out;

    sha3_256_init(&ctx);
    for (size_t i = 0; i < count; i++)
        if (parts[i].size > 0)
            sha3_256_update(&ctx, parts[i].size, parts[i].data);
    sha3_256_digest(&ctx, sizeof out.b, out.b);
    return out;
}

struct hash32 sha3_256(struct bytes message)
{
    return sha3_256_parts(&message, 1);
}
