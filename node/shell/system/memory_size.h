/* How much memory there is to share out. */
#ifndef NODE_SHELL_SYSTEM_MEMORY_SIZE_H
#define NODE_SHELL_SYSTEM_MEMORY_SIZE_H

/* Megabytes this machine has, or those its container may use where they are fewer. */
long memory_size(void);

#endif
