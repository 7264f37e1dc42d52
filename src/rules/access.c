/* What the matcher asks of a compiled set, once a worker. */
#include "rules/set.h"

const struct rules_identifier *rules_identifier_at(const struct rules_set *s, rule_id id)
{
    MAGIC_CHECK(s, SET_MAGIC);
    ASSERT(id < s->rules.count);
    const struct rule *rule = LIST_AT(&s->rules, struct rule, id);
    return rule->is_marker ? NULL : &rule->identifier;
}
