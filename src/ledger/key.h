/* Private to ledger: signing and checking. */
#ifndef GATE1367_LEDGER_KEY_H
#define GATE1367_LEDGER_KEY_H

#include "ledger/ledger.h"
#include <openssl/evp.h>

struct ledger_key {
    uint32_t magic;
    EVP_PKEY *pkey;
    EVP_MD_CTX *ready;   /* initialised once: looking the algorithm up costs a fifth of a signature */
    EVP_MD_CTX *context; /* its copy, which signs */
};
#define KEY_MAGIC 0x6b657931u

//= RFC8032 5.1
/* The same key for another thread. */
RESULT key_copy(const struct ledger_key *k, struct ledger_key **out);
bool key_sign(const struct ledger_key *k, span message, uint8_t signature[64]);

struct signature_check {
    EVP_PKEY *pkey;
    EVP_MD_CTX *context;
};
bool check_open(struct signature_check *c, const uint8_t key[32]);
void check_close(struct signature_check *c);
bool check_signature(const struct signature_check *c, span message, const uint8_t signature[64]);

#endif
