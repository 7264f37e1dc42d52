#include "base/base.h"
#include "cli/cli.h"
#include "source/source.h"
#include <signal.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    fault_init(getenv("GATE1367_FAULTS"), "main");
    json_set_alloc_funcs(mem_hook_alloc, mem_hook_free);
    signal(SIGPIPE, SIG_IGN);
    return cli_main(argc, argv);
}
