#include "build_id.h"

/* The Makefile gives it on the command line. */
const char *tidemark_build_id(void)
{
    return TIDEMARK_BUILD_ID;
}
