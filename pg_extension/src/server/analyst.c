#include "server/analyst.h"

#include "value/compat.h"

#include <limits.h>
#include <sys/resource.h>

#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "utils/acl.h"
#include "utils/elog.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/memutils.h"

enum {
    /* Megabytes; a session of the role that writes has none (sql/90_roles.sql). work_mem, 16 MB by
     * default, leaves room for dozens of sorts in it. */
    MEMORY_LIMIT_DEFAULT = 1024,
    MEMORY_LIMIT_MAX = INT_MAX / 2 /* in kilobytes it is still a number of the server */
};

#define SHARED_ROLES "tidemark_"

static int memory_limit;
static emit_log_hook_type next_emit_log;

/* The kernel's limit on private writable memory: an allocation beyond it is the error "out of
 * memory" of that session, which goes on. */
static void set_memory_limit(int megabytes, void *extra)
{
    struct rlimit limit;

    (void)extra;
    if (getrlimit(RLIMIT_DATA, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    if (megabytes > 0 &&
        (limit.rlim_max == RLIM_INFINITY || (rlim_t)megabytes << 20 < limit.rlim_max))
        limit.rlim_cur = (rlim_t)megabytes << 20;
    setrlimit(RLIMIT_DATA, &limit);
}

static bool is_superuser(void)
{
    const char *text = GetConfigOption("is_superuser", true, false);

    return text != NULL && strcmp(text, "on") == 0;
}

/* Whose privileges were taken back that leave something behind for others (sql/90_roles.sql). */
static bool is_analyst(void)
{
    return !compat_may_execute(F_PG_NOTIFY, GetUserId());
}

/* The roles of the program itself: many sessions of many people share one. */
static bool is_shared_role(void)
{
    return strncmp(GetUserNameFromId(GetUserId(), false), SHARED_ROLES, strlen(SHARED_ROLES)) == 0;
}

void analyst_check_statement(const Node *statement)
{
    if (IsA(statement, NotifyStmt) && is_analyst())
        ereport(ERROR,
                (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE), errmsg("permission denied for NOTIFY"),
                 errhint("Only the node notifies; LISTEN tidemark_block hears of blocks.")));
    /* It stays, and the next session of the role begins with it. */
    if (IsA(statement, AlterRoleSetStmt) && is_analyst())
        ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                        errmsg("permission denied to change the settings of a role"),
                        errhint("SET changes a setting for this session.")));
    if (IsA(statement, AlterRoleStmt) && is_analyst() && is_shared_role())
        ereport(ERROR,
                (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                 errmsg("permission denied to alter role \"%s\"",
                        GetUserNameFromId(GetUserId(), false)),
                 errhint("The operator gives a password with `tidemark db listen`, and a role of "
                         "one's own with `tidemark db readers add`.")));
}

/* The server has one message for whoever ends a session; the client should know where to look. */
static void emit_log(ErrorData *error)
{
    if (error->elevel == FATAL && error->sqlerrcode == ERRCODE_ADMIN_SHUTDOWN &&
        error->hint == NULL && !is_superuser())
        error->hint = MemoryContextStrdup(
            ErrorContext, "If the database still runs, the node's watchdog ended this session: "
                          "ops.ended_session says why.");
    if (next_emit_log != NULL)
        next_emit_log(error);
}

/*
 * A client's own startup option of this name is refused, and the default stands. In the server's
 * first process nobody has logged in yet: what roles are given comes later.
 */
static int default_limit(void)
{
    return process_shared_preload_libraries_in_progress || is_superuser() ? 0
                                                                          : MEMORY_LIMIT_DEFAULT;
}

void analyst_init(void)
{
    DefineCustomIntVariable(
        "tidemark.memory_limit", "Most memory a session may take for itself; 0 is no limit.",
        "Beyond it a statement ends with \"out of memory\".", &memory_limit, default_limit(), 0,
        MEMORY_LIMIT_MAX, PGC_SUSET, GUC_UNIT_MB, NULL, set_memory_limit, NULL);
    next_emit_log = emit_log_hook;
    emit_log_hook = emit_log;
}
