/* Every difference between the server versions this extension is built for (15, 16, 17). */
#ifndef PG_EXTENSION_COMPAT_H
#define PG_EXTENSION_COMPAT_H

#include "postgres.h"

#include "catalog/pg_type_d.h"
#include "fmgr.h"

#if PG_VERSION_NUM < 150000
#error "PostgreSQL 15 or later is needed"
#endif

/* VARDATA and friends moved out of postgres.h. */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* What a check hook hands over as `extra` comes from guc_malloc since 16, from malloc before. */
#if PG_VERSION_NUM >= 160000
#include "utils/guc.h"
#define compat_guc_alloc(size) guc_malloc(LOG, (size))
#define compat_guc_free(p)     guc_free(p)
#define compat_guc_strdup(s)   guc_strdup(LOG, (s))
#else
#define compat_guc_alloc(size) malloc(size)
#define compat_guc_free(p)     free(p)
#define compat_guc_strdup(s)   strdup(s)
#endif

/* Decoding of date and time text got an argument for what went wrong. */
#if PG_VERSION_NUM >= 160000
#define compat_decode_datetime(field, ftype, nf, dtype, tm, fsec, tz)                              \
    DecodeDateTime((field), (ftype), (nf), (dtype), (tm), (fsec), (tz), &(DateTimeErrorExtra){0})
#else
#define compat_decode_datetime(field, ftype, nf, dtype, tm, fsec, tz)                              \
    DecodeDateTime((field), (ftype), (nf), (dtype), (tm), (fsec), (tz))
#endif

/* Privileges on functions are asked for like those on any object. */
#if PG_VERSION_NUM >= 160000
#include "catalog/pg_proc.h"
#define compat_may_execute(function, role)                                                         \
    (object_aclcheck(ProcedureRelationId, (function), (role), ACL_EXECUTE) == ACLCHECK_OK)
#else
#define compat_may_execute(function, role)                                                         \
    (pg_proc_aclcheck((function), (role), ACL_EXECUTE) == ACLCHECK_OK)
#endif

/* What a table of a query may be read for stands in its entry, and since 16 beside it. */
#if PG_VERSION_NUM >= 160000
#define compat_permission(query)       ((Node *)linitial((query)->rteperminfos))
#define compat_check_permissions(list) ExecCheckPermissions(NIL, (list), true)
#else
#define compat_permission(query)       ((Node *)linitial((query)->rtable))
#define compat_check_permissions(list) ExecCheckRTPerms((list), true)
#endif

/* The one table of a statement that writes, and the columns that it updates: since 16 these stand
 * beside the entry. */
#if PG_VERSION_NUM >= 160000
#include "parser/parse_relation.h"
#define compat_init_range_table(estate, entry, updated)                                            \
    do {                                                                                           \
        RangeTblEntry *compat_entry = (entry);                                                     \
        List *compat_rights = NIL;                                                                 \
        addRTEPermissionInfo(&compat_rights, compat_entry)->updatedCols = (updated);               \
        ExecInitRangeTable((estate), list_make1(compat_entry), compat_rights);                     \
    } while (0)
#else
#define compat_init_range_table(estate, entry, updated)                                            \
    do {                                                                                           \
        RangeTblEntry *compat_entry = (entry);                                                     \
        compat_entry->updatedCols = (updated);                                                     \
        ExecInitRangeTable((estate), list_make1(compat_entry));                                    \
    } while (0)
#endif

/* Without a plan there is nothing to recheck; since 16 the tables that are written can be named. */
#if PG_VERSION_NUM >= 160000
#define compat_init_recheck(recheck, estate)                                                       \
    EvalPlanQualInit((recheck), (estate), NULL, NIL, -1, NIL)
#else
#define compat_init_recheck(recheck, estate) EvalPlanQualInit((recheck), (estate), NULL, NIL, -1)
#endif

/* Since 16 a column that is missing can be let through. */
#if PG_VERSION_NUM >= 160000
#define compat_map_by_name(from, to) build_attrmap_by_name((from), (to), false)
#else
#define compat_map_by_name(from, to) build_attrmap_by_name((from), (to))
#endif

/* Snapshots do not grow too old any more since 17. */
#if PG_VERSION_NUM >= 170000
#define compat_test_for_old_snapshot(snapshot, heap, page) ((void)(page))
#else
#define compat_test_for_old_snapshot(snapshot, heap, page)                                         \
    TestForOldSnapshot((snapshot), (heap), (page))
#endif

#endif
