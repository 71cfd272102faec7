#include "planner/planner.h"

#include "planner/asof_path.h"
#include "planner/diff_path.h"

#include "optimizer/paths.h"

static set_rel_pathlist_hook_type next_rel_pathlist;

static void add_paths(PlannerInfo *root, RelOptInfo *rel, Index entry, RangeTblEntry *rte)
{
    if (next_rel_pathlist != NULL)
        next_rel_pathlist(root, rel, entry, rte);
    asof_path_add(root, rel, entry, rte);
    diff_path_add(root, rel, entry, rte);
}

void planner_init(void)
{
    next_rel_pathlist = set_rel_pathlist_hook;
    set_rel_pathlist_hook = add_paths;
    asof_path_init();
    diff_path_init();
}
