/* What sessions depend on, from the rows; between query_begin and query_end. */
#ifndef PG_EXTENSION_SESSION_INPUT_H
#define PG_EXTENSION_SESSION_INPUT_H

#include "height/height.h"

#include "protocol/session/session.h"

/* Fills in all but relay chain, zone and application for in->height; raises where there is no
 * session. Returns the session's height. */
height_t session_read_state(struct arena *a, const struct tip *tip, const struct rules *rules,
                            struct session_input *in);

#endif
