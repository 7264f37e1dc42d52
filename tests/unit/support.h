/* For every unit test: cmocka with what it needs before it, and the few helpers that many tests share. */
#ifndef GATE1367_TESTS_SUPPORT_H
#define GATE1367_TESTS_SUPPORT_H

#include "base/base.h"
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define assert_ok(expr) assert_string_equal(error_class_name((expr).class), "none")
#define assert_fails(expr, class_) assert_string_equal(error_class_name((expr).class), error_class_name(class_))
#define assert_span(s, text) assert_true(span_equal((s), span_str(text)))

/* Runs f in a child: the signal that ended it, or minus its exit status. Its stderr is dropped. */
UNUSED static int run_in_child(void (*f)(void *), void *ctx)
{
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct rlimit none = {0, 0};
        setrlimit(RLIMIT_CORE, &none);
        signal(SIGABRT, SIG_DFL);
        if (!freopen("/dev/null", "w", stderr)) _exit(120);
        f(ctx);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFSIGNALED(status) ? WTERMSIG(status) : -WEXITSTATUS(status);
}

/* True when f ended in a broken assertion. */
UNUSED static bool aborts(void (*f)(void *), void *ctx)
{
    return run_in_child(f, ctx) == SIGABRT;
}

/* Where test material by other hands lies; tests that need it return 77 from main when it is absent. */
UNUSED static const char *suites_dir(void)
{
    const char *dir = getenv("GATE1367_SUITES");
    return dir && *dir ? dir : SOURCE_DIR "/../shared/suites";
}

UNUSED static bool has_suite(const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", suites_dir(), name);
    bool there = access(path, R_OK) == 0;
    if (!there) printf("skipped: %s is not there\n", path);
    return there;
}

#endif
