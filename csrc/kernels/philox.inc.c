/* Philox4x32-10 for RANDOM_LANES counters at a time, in plain C that the compiler vectorises. */
enum { FN(PER_GROUP) = 4 * RANDOM_LANES * 4 / sizeof(T) };

/* The rounds are innermost, so that a lane stays in registers and the loop over lanes is the one that is vectorised. */
static void FN(philox)(const uint64_t *key, uint64_t group, uint32_t word[4][RANDOM_LANES])
{
  const uint32_t seed0 = (uint32_t)key[0], seed1 = (uint32_t)(key[0] >> 32);
  const uint64_t first = key[1] + group * RANDOM_LANES;
  const uint32_t low = (uint32_t)first, high = (uint32_t)(first >> 32);
  for (int l = 0; l < RANDOM_LANES; l++) {
    uint32_t w0 = low + (uint32_t)l, w1 = high + (w0 < low), w2 = 0, w3 = 0, k0 = seed0, k1 = seed1;
#pragma GCC unroll 10
    for (int round = 0; round < 10; round++) {
      const uint64_t a = (uint64_t)w0 * 0xD2511F53u, b = (uint64_t)w2 * 0xCD9E8D57u;
      w0 = (uint32_t)(b >> 32) ^ w1 ^ k0;
      w1 = (uint32_t)b;
      w2 = (uint32_t)(a >> 32) ^ w3 ^ k1;
      w3 = (uint32_t)a;
      k0 += 0x9E3779B9u;
      k1 += 0xBB67AE85u;
    }
    word[0][l] = w0;
    word[1][l] = w1;
    word[2][l] = w2;
    word[3][l] = w3;
  }
}

/* A group of uniforms in [0, 1): 24 or 53 bits each. */
FN_INLINE void FN(uniform_group)(const uint64_t *key, uint64_t group, T *u)
{
  uint32_t word[4][RANDOM_LANES];
  FN(philox)(key, group, word);
  for (int w = 0; w < 4; w++)
    for (int l = 0; l < RANDOM_LANES; l++) {
      if (sizeof(T) == 4) u[w * RANDOM_LANES + l] = (T)(int32_t)(word[w][l] >> 8) * (T)0x1p-24;
      else if (w % 2 == 0) u[w / 2 * RANDOM_LANES + l] = (T)(int64_t)(((uint64_t)word[w][l] << 32 | word[w + 1][l]) >> 11) * (T)0x1p-53;
    }
}
