#include "base/base.h"
#include "cli/cli.h"
#include "os/os.h"
#include "source/source.h"
#include <signal.h>
#include <stdlib.h>

/* A file that a test shares with every process of ours; like GATE1367_FAULTS it can only turn success into failure. */
static void open_fault_switch(const char *path)
{
    struct os_map m;
    if (path == NULL) return;
    if (is_ok(os_map_writable(path, &m)) && m.len >= sizeof(struct fault_switch)) {
        fault_share((struct fault_switch *)(uintptr_t)m.ptr);
        return;
    }
    fprintf(stderr, "GATE1367_FAULT_SWITCH: %s is no file of %zu bytes\n", path, sizeof(struct fault_switch));
    exit(2);
}

int main(int argc, char **argv)
{
#ifdef GATE1367_TRAINING
    fputs("gate1367: a training build: nothing is confined and everything is counted; not for use\n", stderr);
#endif
    fault_init(getenv("GATE1367_FAULTS"), "main");
    open_fault_switch(getenv("GATE1367_FAULT_SWITCH"));
    json_set_alloc_funcs(mem_hook_alloc, mem_hook_free);
    signal(SIGPIPE, SIG_IGN);
    return cli_main(argc, argv);
}
