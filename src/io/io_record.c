/* The records of a connection, as anybody on the wire sees their sizes. */
#include "io/io_internal.h"

static void tell(struct io_conn *c, uint8_t kind, size_t size)
{
    if (c->on_record != NULL) c->on_record(c->record_arg, kind, size);
}

/* In TLS 1.3 each sealed record looks like data on the outside; what it holds is told once it was opened. */
//= RFC8446 5.2
static void see(int writing, int version, int kind, const void *bytes, size_t len, SSL *ssl, void *arg)
{
    struct io_conn *c = arg;
    const uint8_t *p = bytes;
    (void)version;
    if (writing) return;
    if (kind == SSL3_RT_INNER_CONTENT_TYPE && len == 1) tell(c, p[0], c->record_size);
    if (kind != SSL3_RT_HEADER || len != SSL3_RT_HEADER_LENGTH) return;
    c->record_size = load_be16(p + 3);
    bool sealed = SSL_version(ssl) == TLS1_3_VERSION && p[0] == SSL3_RT_APPLICATION_DATA;
    if (!sealed) tell(c, p[0], c->record_size);
}

void io_watch_records(struct io_conn *c, io_record *run, void *arg)
{
    MAGIC_CHECK(c, IO_CONN_MAGIC);
    c->on_record = run;
    c->record_arg = arg;
    if (c->ssl == NULL) return;
    SSL_set_msg_callback(c->ssl, see);
    SSL_set_msg_callback_arg(c->ssl, c);
}
