/* What is in order today and will not stay so. None of it is a reason not to start: a gateway that stands still rescues
 * nobody either. */
#include "config/inside.h"

#define DAY INT64_C(86400)
#define NEAR (14 * DAY)
#define SEGMENTS_FREE 10u

static void warn_of_end(const struct place *at, const char *name, span pem)
{
    int64_t end, now = (int64_t)(os_realtime_us() / 1000000);
    struct place here = place_member(at, name);
    if (pem.len == 0 || !io_certificate_end(pem, &end)) return;
    if (end <= now) place_warning(&here, "a certificate in it ended %lld days ago; replace it and reload", (long long)((now - end) / DAY));
    else if (end - now < NEAR) place_warning(&here, "a certificate in it ends in %lld days; replace it and reload before", (long long)((end - now) / DAY));
}

/* Any of several CAs could give a CA below it the name that an entry trusts. */
static void warn_of_issuers(const struct place *tls, const struct recipient_table *recipients, span client_ca)
{
    struct place here = place_member(tls, "client_ca");
    struct recipient_anchors *a = client_ca.len > 0 && recipients != NULL ? recipient_anchors_new(client_ca) : NULL;
    size_t at = 0;
    for (const char *id; a != NULL && (id = recipient_issuer_unlisted(recipients, a, &at)) != NULL;) {
        place_warning(&here, "none of its CAs bears the name of the issuer of \"%.60s\", and each of them could give it to a CA of "
                             "its own; add the issuing CA's certificate, or pin \"fingerprint\" in that entry", id);
    }
    recipient_anchors_free(a);
}

static void warn_of_certificates(const struct config *c, const struct place *top)
{
    struct place listen = place_member(top, "listen"), upstreams = place_member(top, "upstreams");
    for (size_t i = 0; i < c->settings.listener_count; i++) {
        struct place item = place_item(&listen, i), tls = place_member(&item, "tls");
        warn_of_end(&tls, "certificate", c->settings.listeners[i].certificate);
        warn_of_end(&tls, "client_ca", c->settings.listeners[i].client_ca);
        warn_of_issuers(&tls, c->settings.recipients, c->settings.listeners[i].client_ca);
    }
    for (size_t i = 0; i < c->settings.upstream_count; i++) {
        struct place item = place_member(&upstreams, c->settings.upstreams[i].name), tls = place_member(&item, "tls");
        warn_of_end(&tls, "certificate", c->settings.upstreams[i].certificate);
        warn_of_end(&tls, "ca", c->settings.upstreams[i].ca);
    }
}

static void note_end(span pem, int64_t *first)
{
    int64_t its;
    if (pem.len > 0 && io_certificate_end(pem, &its) && its < *first) *first = its;
}

bool config_certificates_end(const struct config *c, int64_t *end)
{
    *end = INT64_MAX;
    for (size_t i = 0; i < c->settings.listener_count; i++) {
        note_end(c->settings.listeners[i].certificate, end);
        note_end(c->settings.listeners[i].client_ca, end);
    }
    for (size_t i = 0; i < c->settings.upstream_count; i++) {
        note_end(c->settings.upstreams[i].certificate, end);
        note_end(c->settings.upstreams[i].ca, end);
    }
    return *end < INT64_MAX;
}

/* Nobody reads what is sealed for a key that was lost with its certificate's time: better renewed in time. */
static void warn_of_auditors(const struct config *c, const struct place *top)
{
    struct place ledger = place_member(top, "ledger"), list = place_member(&ledger, "auditors");
    for (size_t i = 0; i < c->settings.auditor_count; i++) {
        int64_t ends = 0;
        struct place at = place_item(&list, i);
        if (!is_ok(ledger_auditor_check(c->settings.auditors[i], &ends)) || ends >= NEAR) continue;
        if (ends <= 0) place_warning(&at, "the auditor's certificate has ended; entries are sealed for it all the same; ask for a new one");
        else place_warning(&at, "the auditor's certificate ends in %lld days; ask for a new one", (long long)(ends / DAY));
    }
}

static void warn_of_ledger(const struct config *c, const struct place *top)
{
    uint64_t room;
    bool others;
    struct place ledger = place_member(top, "ledger"), at = place_member(&ledger, "directory");
    uint64_t least = c->ledger_warn > 0 ? c->ledger_warn : (uint64_t)SEGMENTS_FREE * LEDGER_SEGMENT_BYTES;
    if (is_ok(os_free_space(c->ledger.directory, &room)) && room < least) {
        place_warning(&at, "the device has %llu MiB left, less than %s; when it is nearly full, answers that need an entry are "
                           "refused; make room or move the ledger", (unsigned long long)(room >> 20),
            c->ledger_warn > 0 ? "\"warn\" of \"room\"" : "ten segments of the ledger");
    }
    if (is_ok(os_free_files(c->ledger.directory, &room)) && room < LEDGER_FILES_WARN) {
        place_warning(&at, "on the device %llu files can still be made (df -i), less than %d; two come for every 256 entries, and below %d "
                           "answers that need an entry are refused; make room or move the ledger", (unsigned long long)room,
            LEDGER_FILES_WARN, LEDGER_FILES_SHED);
    }
    if (is_ok(os_others_may_write(c->ledger.directory, &others)) && others) {
        place_warning(&at, "others may write to the directory, and whoever can may delete the ledger; chmod go-w it");
    }
}

void config_warn_of_files(const struct config *c)
{
    struct place top = place_root(c->inside->sources[0]);
    warn_of_certificates(c, &top);
    warn_of_auditors(c, &top);
    warn_of_ledger(c, &top);
}
