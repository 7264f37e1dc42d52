/* Private to base: the two ways to run the CRC-32C register over bytes (no inversion at start or end). */
#ifndef GATE1367_BASE_CRC32C_H
#define GATE1367_BASE_CRC32C_H

#include "base/base.h"

uint32_t crc32c_portable(uint32_t state, span data);
uint32_t crc32c_sse42(uint32_t state, span data);

#endif
