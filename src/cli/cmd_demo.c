#include "cli/cli.h"
#include "demo/demo.h"

int cli_demo(int argc, char **argv)
{
    bool keep = false;
    const struct cli_option options[] = {{"--keep", &keep, NULL}};
    if (!cli_options(&argc, argv, options, ARRAY_LEN(options))) return 2;
    if (argc > 1) return cli_usage("demo", "takes no operands");
    return demo_run(keep);
}
