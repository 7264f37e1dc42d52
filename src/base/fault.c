#include "base/base.h"
#include <stdlib.h>

/* A handful of faults is all a test ever arms; the table is fixed so that arming needs no memory. */
#define FAULT_NAMES 32
#define FAULT_NAME_MAX 32
#define FAULT_STAGE "/ready"

struct fault {
    char name[FAULT_NAME_MAX];
    char role[FAULT_NAME_MAX]; /* empty: every role; "ROLE/ready": only from fault_ready on */
    uint64_t nth;              /* 0: never fails, only counts */
    uint64_t count;
    bool onwards;
    bool in_role;
    bool from_outside; /* of the environment: what was thrown is said, so that a loop over N knows its end */
};

bool fault_armed_;
static struct fault faults[FAULT_NAMES];
static size_t faults_used;
static char current_role[FAULT_NAME_MAX];
static struct fault_switch *shared;

static bool copy_name(char out[FAULT_NAME_MAX], span s)
{
    if (s.len >= FAULT_NAME_MAX) return false;
    if (s.len > 0) memcpy(out, s.ptr, s.len);
    out[s.len] = '\0';
    return true;
}

/* A fault switch that is misspelt would silently test nothing: stop the process instead. */
static NORETURN void refuse_spec(span item)
{
    fprintf(stderr, "GATE1367_FAULTS: \"%.*s\" is not NAME[@ROLE][:N[+]]\n", SPAN_FMT(item));
    exit(2);
}

static void parse_item(span item)
{
    if (faults_used == FAULT_NAMES) refuse_spec(item);
    struct fault *f = &faults[faults_used];
    *f = (struct fault){.nth = 1, .from_outside = true};
    span name = item;
    size_t colon = span_find(name, ':');
    if (colon < name.len) {
        span n = span_from(name, colon + 1);
        f->onwards = n.len > 0 && n.ptr[n.len - 1] == '+';
        if (f->onwards) n.len--;
        if (!span_to_u64(n, UINT64_MAX, &f->nth) || f->nth == 0) refuse_spec(item);
        name = span_sub(name, 0, colon);
    }
    size_t at = span_find(name, '@');
    if (at < name.len && !copy_name(f->role, span_from(name, at + 1))) refuse_spec(item);
    if (at == 0 || !copy_name(f->name, span_sub(name, 0, at))) refuse_spec(item);
    faults_used++;
}

void fault_init(const char *spec, const char *role)
{
    faults_used = 0;
    span rest = span_str(spec);
    while (rest.len > 0) {
        size_t comma = span_find(rest, ',');
        span item = span_trim(span_sub(rest, 0, comma));
        if (item.len > 0) parse_item(item);
        rest = span_from(rest, comma < rest.len ? comma + 1 : comma);
    }
    fault_role(role);
}

void fault_role(const char *role)
{
    if (role == NULL) role = "";
    fault_armed_ = shared != NULL;
    for (size_t i = 0; i < faults_used; i++) {
        struct fault *f = &faults[i];
        f->count = 0;
        f->in_role = f->role[0] == '\0' || strcmp(f->role, role) == 0;
        fault_armed_ |= f->in_role;
    }
    copy_name(current_role, span_str(role));
}

/* "worker/ready" in the role "worker". */
static bool waits_for_ready(const struct fault *f)
{
    size_t len = strlen(current_role);
    return len > 0 && strncmp(f->role, current_role, len) == 0 && strcmp(f->role + len, FAULT_STAGE) == 0;
}

void fault_ready(void)
{
    for (size_t i = 0; i < faults_used; i++) {
        struct fault *f = &faults[i];
        if (f->in_role || !waits_for_ready(f)) continue;
        f->count = 0;
        f->in_role = fault_armed_ = true;
    }
}

static void say_thrown(const struct fault *f)
{
    fprintf(stderr, "fault: %s %llu in %s\n", f->name, (unsigned long long)f->count, current_role);
}

void fault_share(struct fault_switch *memory)
{
    shared = memory;
    fault_armed_ |= shared != NULL;
}

/* What stands in the shared memory is a test's word: read with bounds. */
static bool switch_hit(const char *name)
{
    if (atomic_load(&shared->armed) == 0) return false;
    if (strncmp(name, shared->name, sizeof(shared->name)) != 0) return false;
    if (strncmp(current_role, shared->role, sizeof(shared->role)) != 0) return false;
    bool fail = atomic_fetch_add(&shared->count, 1) + 1 == shared->nth;
    if (fail) atomic_store(&shared->thrown, 1);
    return fail;
}

bool fault_hit_(const char *name)
{
    bool fail = shared != NULL && switch_hit(name);
    for (size_t i = 0; i < faults_used; i++) {
        struct fault *f = &faults[i];
        if (!f->in_role || strcmp(f->name, name) != 0) continue;
        f->count++;
        if (f->nth == 0 || f->count < f->nth || (f->count > f->nth && !f->onwards)) continue;
        if (f->from_outside && f->count == f->nth) say_thrown(f);
        fail = true;
    }
    return fail;
}

static struct fault *find_fault(const char *name)
{
    for (size_t i = 0; i < faults_used; i++)
        if (strcmp(faults[i].name, name) == 0) return &faults[i];
    return NULL;
}

/* Nothing is armed when no entry can fail, so that production and the rest of a test run pay one load. */
static void refresh_armed(void)
{
    fault_armed_ = shared != NULL;
    for (size_t i = 0; i < faults_used; i++)
        fault_armed_ |= faults[i].in_role && faults[i].nth != 0;
}

void fault_arm(const char *name, uint64_t nth)
{
    struct fault *f = find_fault(name);
    if (!f) {
        ASSERT(faults_used < FAULT_NAMES);
        f = &faults[faults_used++];
        *f = (struct fault){0};
        ASSERT(copy_name(f->name, span_str(name)));
    }
    if (nth != 0) f->count = 0;
    f->nth = nth;
    f->onwards = false;
    f->in_role = true;
    refresh_armed();
}

uint64_t fault_count(const char *name)
{
    const struct fault *f = find_fault(name);
    return f ? f->count : 0;
}
