#include "base/base.h"
#include <stdlib.h>

static enum cpu_level detect_level(void)
{
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("bmi2") || !__builtin_cpu_supports("pclmul"))
        return CPU_PORTABLE;
    bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                  __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vbmi");
    return avx512 ? CPU_AVX512 : CPU_AVX2;
}

/* The variable can only reduce: claiming what the processor lacks would be a crash. */
static enum cpu_level reduce_level(enum cpu_level level)
{
    const char *wanted = getenv("GATE1367_CPU");
    if (!wanted) return level;
    if (strcmp(wanted, "portable") == 0) return CPU_PORTABLE;
    if (strcmp(wanted, "avx2") == 0 && level > CPU_AVX2) return CPU_AVX2;
    return level;
}

enum cpu_level cpu_level(void)
{
    static int known = -1; /* every thread would write the same value */
    int level = __atomic_load_n(&known, __ATOMIC_RELAXED);
    if (UNLIKELY(level < 0)) {
        level = (int)reduce_level(detect_level());
        __atomic_store_n(&known, level, __ATOMIC_RELAXED);
    }
    return (enum cpu_level)level;
}
