/* OpenSSL makes room for a ClientHello as long as its first bytes say it is, up to 128 KiB, before any more of it has come: who sends
 * nine bytes and falls silent would hold that for as long as a handshake may take. So the records of a handshake are looked at
 * on their way to it. A hello may come twice in TLS 1.3; in TLS 1.2 OpenSSL refuses a second one by its kind alone. */
#include "io/io_internal.h"

#define HELLO_MOST 16384
#define HANDSHAKE_HEAD 4 /* a message's kind and length */
#define KIND_HELLO 1

static size_t record_length(const struct io_hello *h) { return load_be16(h->head + 3); }

/* A message may go on over several records, each of which begins with any byte then. */
static bool goes_on(const struct io_hello *h) { return h->left > 0; }

/* How many bytes of the record that began are looked at. */
static size_t wanted(const struct io_hello *h)
{
    bool known = h->got >= SSL3_RT_HEADER_LENGTH;
    if (!known || h->head[0] != SSL3_RT_HANDSHAKE || goes_on(h)) return SSL3_RT_HEADER_LENGTH;
    size_t n = record_length(h);
    return SSL3_RT_HEADER_LENGTH + (n < HANDSHAKE_HEAD ? n : HANDSHAKE_HEAD);
}

/* What of the record belongs to the hello that is on its way. */
static void pass(struct io_hello *h, size_t n)
{
    h->left -= n < h->left ? n : h->left;
}

static bool judge(struct io_hello *h)
{
    const uint8_t *message = h->head + SSL3_RT_HEADER_LENGTH;
    if (h->head[0] != SSL3_RT_HANDSHAKE) return true;
    if (goes_on(h)) {
        pass(h, record_length(h));
        return true;
    }
    if (h->got == SSL3_RT_HEADER_LENGTH || message[0] != KIND_HELLO) return true;
    if (h->got < sizeof h->head) return false; /* a head in pieces, which nobody sends who means well */
    h->left = ((size_t)message[1] << 16 | (size_t)message[2] << 8 | message[3]) + HANDSHAKE_HEAD;
    if (h->left > HELLO_MOST + HANDSHAKE_HEAD) return false;
    pass(h, record_length(h));
    return true;
}

/* Once OpenSSL has read the hello and chosen. */
static bool is_over(const struct io_conn *c)
{
    return !goes_on(&c->hello) && SSL_version(c->ssl) == TLS1_2_VERSION;
}

bool io_hello_fits(struct io_conn *c, const uint8_t *p, size_t n)
{
    struct io_hello *h = &c->hello;
    for (const uint8_t *end = p + n; p < end && !h->done;) {
        size_t skip = h->skip < (size_t)(end - p) ? h->skip : (size_t)(end - p);
        h->skip -= skip;
        p += skip;
        if (p == end) break;
        if (h->got == 0 && (h->done = is_over(c))) break;
        h->head[h->got++] = *p++;
        if (h->got < wanted(h)) continue;
        size_t looked = h->got;
        if (!judge(h)) return false;
        h->skip = record_length(h) - (looked - SSL3_RT_HEADER_LENGTH);
        h->got = 0;
    }
    return true;
}
