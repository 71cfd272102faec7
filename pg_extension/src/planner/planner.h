/* Where the library enters the planner: after each entry of a range table, for the scans of its
 * own. */
#ifndef PG_EXTENSION_PLANNER_H
#define PG_EXTENSION_PLANNER_H

/* Once, when the library is loaded. */
void planner_init(void);

#endif
