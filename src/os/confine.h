/* Private to os: the two halves of os_confine. */
#ifndef GATE1367_OS_CONFINE_H
#define GATE1367_OS_CONFINE_H

#include "os/os.h"

/* Builds whose own runtime opens files and maps memory, when it finds something or writes down what was counted. */
#if defined(GATE1367_SANITIZED) || defined(GATE1367_TRAINING)
#define OS_UNCONFINED 1
#endif

RESULT confine_syscalls(enum os_role role);
/* Where the kernel has no Landlock: OK, and nothing happens. */
RESULT confine_files(const struct os_access *paths, size_t count);

#endif
