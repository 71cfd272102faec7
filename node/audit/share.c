#include "share.h"

int64_t share_rest(struct share *s, int64_t work_usec, int64_t elapsed_usec)
{
    if (work_usec < 0)
        work_usec = 0;
    if (elapsed_usec < 0)
        elapsed_usec = 0;
    s->owed_usec += work_usec * 100 / (int64_t)s->percent - elapsed_usec;
    if (s->owed_usec < 0)
        s->owed_usec = 0;
    return s->owed_usec;
}
