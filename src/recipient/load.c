/* recipients.json → table (contract section 3). Every problem is reported; any problem refuses the file. */
#include "recipient/table.h"

#define ARENA_CAP ((size_t)64 * 1024 * 1024)
#define ID_MAX 128

static const char *const agency_names[] = {
#define X(id, name) name,
    RECIPIENT_AGENCIES(X)
#undef X
        NULL};
static const char *const standing_names[] = {
#define X(id, name) name,
    RECIPIENT_STANDINGS(X)
#undef X
        NULL};

struct loader {
    struct recipient_table *table;
    struct entry *entry; /* the one being read */
};

static const char *copy_text(struct arena *a, const char *s)
{
    span copy = arena_copy(a, span_str(s));
    return copy.ptr ? (const char *)copy.ptr : "";
}

static void check_id(const struct place *at, const struct recipient_table *t, const char *id)
{
    struct place here = place_member(at, "id");
    if (!*id || strlen(id) > ID_MAX) place_error(&here, "must have 1 to %d bytes", ID_MAX);
    if (strcmp(id, "anonymous") == 0) place_error(&here, "\"anonymous\" is who matches no entry; choose another id");
    for (size_t i = 0; i < t->entry_count; i++)
        if (strcmp(t->entries[i].recipient.id, id) == 0)
            place_error(&here, "\"%.60s\" is the id of an earlier entry; ids must be different", id);
}

static void load_who(struct loader *l, const struct place *at, const json_t *v, bool proxy)
{
    struct arena *a = l->table->arena;
    struct recipient *r = &l->entry->recipient;
    const char *id = place_string(at, v, "id", true, NULL);
    if (id) check_id(at, l->table, id);
    r->id = copy_text(a, id ? id : "");
    r->agency = (enum recipient_agency)place_enum(at, v, "agency", agency_names, !proxy, AGENCY_NONE);
    r->standing = (enum recipient_standing)place_enum(at, v, "standing", standing_names, !proxy, STANDING_NONE);
    r->component = copy_text(a, place_string(at, v, "component", false, ""));
    r->organization = copy_text(a, place_string(at, v, "organization", false, ""));
    r->address = copy_text(a, place_string(at, v, "address", false, ""));
    r->conduit = place_bool(at, v, "conduit", false);
    r->trusted_proxy = proxy;
}

/* What a proxy's entry cannot say: it speaks for others. */
static void check_proxy(const struct place *at, const json_t *v)
{
    static const char *const others[] = {"agency", "component", "standing", "conduit", "purposes"};
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        struct place here = place_member(at, others[i]);
        if (json_object_get(v, others[i]))
            place_error(&here, "a trusted proxy is nobody itself; say it of those whose certificates it hands on");
    }
}

/* A purpose travels as one header value: RFC 9110 token, so that no list or quoting can be read into it. */
//= RFC9110 5.6.2
static bool is_token(const char *s)
{
    size_t len = strlen(s);
    return len > 0 && len <= ID_MAX &&
           strspn(s, "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") == len;
}

static void load_purpose(void *ctx, const struct place *at, const char *s)
{
    struct loader *l = ctx;
    struct entry *e = l->entry;
    if (!is_token(s))
        place_error(at, "\"%.60s\" cannot be a purpose; write one word of letters, digits, \"-\" or \"_\"", s);
    for (size_t i = 0; i < e->purpose_count; i++)
        if (strcmp(e->purposes[i], s) == 0) place_error(at, "\"%.60s\" stands twice; name each purpose once", s);
    if (e->purposes) e->purposes[e->purpose_count++] = copy_text(l->table->arena, s);
}

static void load_purposes(struct loader *l, const struct place *at, const json_t *v)
{
    size_t count = json_array_size(json_object_get(v, "purposes"));
    if (count > 0) l->entry->purposes = arena_array(l->table->arena, count, sizeof *l->entry->purposes);
    place_strings(at, v, "purposes", load_purpose, l);
    if (count == 0 && entry_could_be_entitled(l->entry))
        place_warning(at, "this entry has no purposes: every request of it will be forbidden; list \"purposes\"");
}

static void load_match(struct loader *l, const struct place *at, const json_t *v, bool proxy)
{
    static const struct member_spec members[] = {{.name = "certificate"}, {.name = "token", .not_yet = true}, {0}};
    const json_t *match = json_object_get(v, "match");
    if (!match) return; /* reported as missing */
    struct place here = place_member(at, "match");
    if (!place_check_members(&here, match, members)) return;
    const json_t *certificate = json_object_get(match, "certificate");
    struct place below = place_member(&here, "certificate");
    bool pin = proxy || entry_could_be_entitled(l->entry);
    if (certificate)
        load_certificate_match(&below, certificate, l->table->arena, pin, &l->entry->match);
    else
        place_error(&here, "is empty; give \"certificate\"");
}

static void load_entry(struct loader *l, const struct place *at, const json_t *v)
{
    static const struct member_spec members[] = {{.name = "id"}, {.name = "agency"}, {.name = "component"},
        {.name = "standing"}, {.name = "organization"}, {.name = "address"}, {.name = "conduit"},
        {.name = "match", .required = true}, {.name = "purposes"}, {.name = "trusted_proxy"}, {0}};
    (void)place_check_members(at, v, members); /* go on: all problems in one run */
    if (!json_is_object(v)) return;
    bool proxy = place_bool(at, v, "trusted_proxy", false);
    l->entry = &l->table->entries[l->table->entry_count];
    load_who(l, at, v, proxy);
    if (proxy) check_proxy(at, v);
    load_purposes(l, at, v);
    load_match(l, at, v, proxy);
    l->table->entry_count++;
}

static bool expect_array(const struct place *at, const json_t *v)
{
    if (v && !json_is_array(v)) place_error(at, "must be an array");
    return json_is_array(v);
}

static void load_entries(struct loader *l, const struct place *root, const json_t *v)
{
    struct place at = place_member(root, "recipients");
    const json_t *list = json_object_get(v, "recipients");
    if (!expect_array(&at, list) || json_array_size(list) == 0) return;
    l->table->entries = arena_array(l->table->arena, json_array_size(list), sizeof *l->table->entries);
    for (size_t i = 0; l->table->entries && i < json_array_size(list); i++) {
        struct place item = place_item(&at, i);
        load_entry(l, &item, json_array_get(list, i));
    }
}

static void load_departmental(struct loader *l, const struct place *root, const json_t *v)
{
    struct place at = place_member(root, "departmental_issuers");
    const json_t *list = json_object_get(v, "departmental_issuers");
    if (!expect_array(&at, list) || json_array_size(list) == 0) return;
    struct recipient_table *t = l->table;
    t->departmental = arena_array(t->arena, json_array_size(list), sizeof *t->departmental);
    for (size_t i = 0; t->departmental && i < json_array_size(list); i++) {
        struct place item = place_item(&at, i);
        load_attributes(&item, json_array_get(list, i), t->arena, &t->departmental[t->departmental_count++]);
    }
}

static struct recipient_table *new_table(void)
{
    struct recipient_table *t = mem_alloc(sizeof *t);
    struct arena *a = t ? arena_new(ARENA_CAP) : NULL;
    if (!a) {
        mem_free(t);
        return NULL;
    }
    t->magic = RECIPIENT_TABLE_MAGIC;
    t->arena = a;
    return t;
}

static void load_root(struct loader *l, struct source *s)
{
    static const struct member_spec members[] = {{.name = "format", .required = true}, {.name = "departmental_issuers"},
        {.name = "recipients", .required = true}, {0}};
    struct place root = place_root(s);
    const json_t *v = source_root(s);
    (void)place_check_members(&root, v, members);
    if (!json_is_object(v)) return;
    if (json_object_get(v, "format")) (void)place_check_format(&root, v); /* a missing one is reported already */
    load_departmental(l, &root, v);
    load_entries(l, &root, v);
}

struct recipient_table *recipient_load(struct source *s)
{
    struct problems *problems = source_problems(s);
    size_t before = problems_errors(problems);
    struct loader l = {.table = new_table()};
    if (l.table) load_root(&l, s);
    if (l.table && !sha256(source_text(s), l.table->version)) problems_add(problems, source_name(s), "out of memory");
    if (!l.table || arena_failed(l.table->arena)) problems_add(problems, source_name(s), "out of memory");
    if (problems_errors(problems) == before && l.table && !arena_failed(l.table->arena)) return l.table;
    recipient_table_free(l.table);
    return NULL;
}

const uint8_t *recipient_version(const struct recipient_table *t)
{
    MAGIC_CHECK(t, RECIPIENT_TABLE_MAGIC);
    return t->version;
}

bool recipient_has_proxies(const struct recipient_table *t)
{
    MAGIC_CHECK(t, RECIPIENT_TABLE_MAGIC);
    for (size_t i = 0; i < t->entry_count; i++)
        if (t->entries[i].recipient.trusted_proxy) return true;
    return false;
}

void recipient_table_free(struct recipient_table *t)
{
    if (!t) return;
    MAGIC_CHECK(t, RECIPIENT_TABLE_MAGIC);
    for (size_t i = 0; i < t->entry_count; i++)
        free_certificate_match(&t->entries[i].match);
    for (size_t i = 0; i < t->departmental_count; i++)
        free_attributes(&t->departmental[i]);
    t->magic = 0;
    arena_free(t->arena);
    mem_free(t);
}
