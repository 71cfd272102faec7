/* The rule for service URLs of staked actors (utility.md 2.3). */
#ifndef PROTOCOL_TRANSACTION_SERVICE_URL_H
#define PROTOCOL_TRANSACTION_SERVICE_URL_H

#include "../base/bytes.h"

enum { SERVICE_URL_MAX = 255 }; /* bytes, under `standard` (rules.md) */

/*
 * True for scheme://host:port with scheme http or https in any case, a decimal port up to 65535 at
 * the very end, exactly two colons, a dot somewhere, and otherwise what Go's url.ParseRequestURI
 * takes as an authority and path.
 */
bool service_url_is_valid(struct bytes url);

#endif
