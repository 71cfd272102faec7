/* What the server calls when it loads the library. */
#include "value/compat.h"

#include "server/analyst.h"
#include "height/height_guard.h"
#include "height/height_setting.h"
#include "planner/planner.h"
#include "server/priority.h"
#include "server/statement.h"

#include "protocol/base/build_id.h"

#include "utils/builtins.h"

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(tidemark_build);

/* Declared by the server's headers from 16 on. */
extern PGDLLEXPORT void _PG_init(void);

void _PG_init(void)
{
    analyst_init();
    planner_init();
    priority_init();
    height_setting_init(); /* reserves the prefix: other settings stand before it */
    height_guard_init();
    statement_init();
}

Datum tidemark_build(PG_FUNCTION_ARGS)
{
    (void)fcinfo;
    PG_RETURN_TEXT_P(cstring_to_text(tidemark_build_id()));
}
