/* One key file, one secret a purpose: what is known about one tells nothing about another (RFC 2104, HMAC as a PRF). */
#include "registry/image.h"

static bool derive(const uint8_t key[32], span purpose, uint8_t *out, size_t len)
{
    uint8_t full[32];
    bool done = hmac_sha256(span_of(key, 32), purpose, full);
    memcpy(out, full, len);
    mem_wipe(full, sizeof full);
    return done;
}

RESULT secrets_derive(struct secrets *s, const uint8_t key[32])
{
    bool done = derive(key, SPAN("gate1367 registry keys 1"), s->keys, 16);
    done = derive(key, SPAN("gate1367 registry subjects 1"), s->subjects, 16) && done;
    done = derive(key, SPAN("gate1367 registry journal 1"), s->journal, 16) && done;
    done = derive(key, SPAN("gate1367 registry reasons 1"), s->reasons, 16) && done;
    done = derive(key, SPAN("gate1367 registry check 1"), s->check, 16) && done;
    done = derive(key, SPAN("gate1367 registry image 1"), s->image, 32) && done;
    done = derive(key, SPAN("gate1367 registry mark 1"), s->mark, 32) && done;
    s->level = cpu_level();
    REQUIRE(done, ERROR_LIMIT, REGISTRY_NO_MEMORY);
    return OK;
}

void secrets_wipe(struct secrets *s)
{
    mem_wipe(s, sizeof *s);
}

uint64_t secrets_handle(const struct secrets *s, span subject)
{
    uint64_t handle = siphash64(s->subjects, subject);
    return handle == REGISTRY_NO_SUBJECT ? 1 : handle;
}

bool registry_subject_handle(const uint8_t key[32], span subject, uint64_t *handle)
{
    struct secrets s;
    bool done = is_ok(secrets_derive(&s, key));
    if (done) *handle = secrets_handle(&s, subject);
    secrets_wipe(&s);
    return done;
}

/* 32 bytes that happen to be text are a key too: only 64 hex digits are read as hex. */
bool registry_key_decode(span file, uint8_t key[32])
{
    if (file.len == 32) {
        memcpy(key, file.ptr, 32);
        return true;
    }
    while (file.len > 0 && strchr("\r\n \t", file.ptr[file.len - 1]) && file.ptr[file.len - 1])
        file.len--;
    return file.len == 64 && hex_decode(file, key, 32);
}

void registry_key_encode(const uint8_t key[32], char out[REGISTRY_KEY_TEXT])
{
    hex_encode(span_of(key, 32), out);
    out[64] = '\n';
    out[65] = '\0';
}

const char *registry_error_text(int code)
{
    switch ((enum registry_error)code) {
    case REGISTRY_OK: return "is in order";
    case REGISTRY_NO_MEMORY: return "could not be read: out of memory";
    case REGISTRY_NOT_INDEX: return "is no registry index; make one with registry build";
    case REGISTRY_OTHER_FORMAT: return "is an index in another format; build it again from its source";
    case REGISTRY_WRONG_KEY: return "was made with another key; give the key that it was built with, or build it again";
    case REGISTRY_DAMAGED: return "is damaged or was tampered with; build it again from its source";
    case REGISTRY_SOURCE_BROKEN: return "has errors";
    case REGISTRY_OVERLAY_FULL: return "the overlay of live changes is full; rebuild and reload";
    case REGISTRY_OVERLAY_BAD: return "the overlay of live changes does not belong to this index";
    case REGISTRY_JOURNAL_DAMAGED:
        return "the journal is damaged before its last record; restore it, or rebuild from a source that has its "
               "changes";
    case REGISTRY_JOURNAL_BEHIND:
        return "the journal ends before what its index stands for, so that changes behind it would be forgotten; bring back "
               "the newer one, or move this one away";
    case REGISTRY_JOURNAL_BUSY: return "the journal is being written by another gateway or command; try again";
    case REGISTRY_JOURNAL_GONE:
        return "the journal was moved or replaced while a gateway writes it; bring it back, or restart the gateway";
    case REGISTRY_JOURNAL_CUT: return "the journal is shorter than it was; bring back the whole of it, or restart the gateway";
    case REGISTRY_JOURNAL_FULL:
        return "the journal is full; build the index again from a source that has its changes, stop the gateway and "
               "move the journal away";
    case REGISTRY_MARK_BEHIND:
        return "an older copy of the journal stands there, or none: changes and suspicions that this gateway has had in force are missing";
    case REGISTRY_MARK_ANOTHER:
        return "another journal stands there: changes and suspicions that this gateway has had in force are missing";
    case REGISTRY_MARK_DAMAGED:
        return "is damaged, so that nobody knows whether the journal holds what this gateway has had in force";
    case REGISTRY_MARK_FOREIGN: return "was made with another registry's key";
    case REGISTRY_TOO_LARGE: return "holds more than an index can; split it";
    }
    return "could not be read";
}
