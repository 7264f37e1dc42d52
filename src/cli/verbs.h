/* Verbs of `registry` and `rules` that have files of their own. argv[0] is the verb's name. */
#ifndef GATE1367_CLI_VERBS_H
#define GATE1367_CLI_VERBS_H

int registry_list(int argc, char **argv);
int registry_clear(int argc, char **argv);
int registry_accept(int argc, char **argv);
int rules_explain(int argc, char **argv);
int rules_replay(int argc, char **argv);
int rules_print(int argc, char **argv);
int rules_schema(int argc, char **argv);

#endif
