/* Private to ledger: signing and checking. */
#ifndef GATE1367_LEDGER_KEY_H
#define GATE1367_LEDGER_KEY_H

#include "ledger/ledger.h"
#include <openssl/evp.h>

/* libsodium signs: twice as fast as OpenSSL 3.0, whose signature costs as much as the disk (RFC 8032 makes them the same bytes).
 * Nothing in it changes, so threads may share it. */
#define SECRET_BYTES 64
struct ledger_key {
    uint32_t magic;
    EVP_PKEY *pkey;
    uint8_t secret[SECRET_BYTES];
};
#define KEY_MAGIC 0x6b657931u

struct signature_check {
    EVP_PKEY *pkey;
    EVP_MD_CTX *context;
};
bool check_open(struct signature_check *c, const uint8_t key[32]);
void check_close(struct signature_check *c);
bool check_signature(const struct signature_check *c, span message, const uint8_t signature[64]);

#endif
