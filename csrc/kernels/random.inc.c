/* What is made of Philox's words: uniforms, normals, integers, dropout. */
#include "kernels/philox.inc.c"

static void FN(random_uniform)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_random_args *a = p;
  const T low = (T)a->low, width = (T)a->width;
  (void)thread;
  for (ptrdiff_t g = begin; g < end; g++) {
    const ptrdiff_t at = g * FN(PER_GROUP), m = a->n - at < FN(PER_GROUP) ? a->n - at : FN(PER_GROUP);
    T u[FN(PER_GROUP)];
    FN(uniform_group)(a->key, (uint64_t)g, u);
    for (int i = 0; i < FN(PER_GROUP); i++) {
      const T v = u[i] * width + low;
      u[i] = v < low + width ? v : low;              /* rounding may reach the open end */
    }
    memcpy((T *)a->y + at, u, (size_t)m * sizeof(T));
  }
}

/* cos and sin of t turns, 0 <= t < 1: reduced exactly to [-1/8, 1/8] turn. */
FN_INLINE void FN(cos_sin_turns)(vec t, vec *cosine, vec *sine)
{
  static const double S[] = { -1. / 6, 1. / 120, -1. / 5040, 1. / 362880, -1. / 39916800, 1. / 6227020800., -1. / 1307674368000., 1. / 355687428096000. };
  static const double C[] = { -1. / 2, 1. / 24, -1. / 720, 1. / 40320, -1. / 3628800, 1. / 479001600, -1. / 87178291200., 1. / 20922789888000. };
  const int terms = sizeof(T) == 4 ? 4 : 8;
  const vec t4 = v_mul(t, v_set(4)), q = v_round(t4), x = v_mul(v_sub(t4, q), v_set((T)1.5707963267948966)), xx = v_mul(x, x);
  vec s = v_set((T)S[terms - 1]), c = v_set((T)C[terms - 1]);
#pragma GCC unroll 8
  for (int k = terms - 2; k >= 0; k--) {
    s = v_fma(s, xx, v_set((T)S[k]));
    c = v_fma(c, xx, v_set((T)C[k]));
  }
  s = v_fma(v_mul(s, xx), x, x);
  c = v_fma(c, xx, v_set(1));
  const vmask one = v_eq(q, v_set(1)), two = v_eq(q, v_set(2)), three = v_eq(q, v_set(3)), odd = m_or(one, three);
  const vec minus = v_set((T)-0.0), zero = v_zero(), c0 = v_select(odd, s, c), s0 = v_select(odd, c, s);
  *cosine = v_xor(c0, v_select(m_or(one, two), minus, zero));
  *sine = v_xor(s0, v_select(m_or(two, three), minus, zero));
}

static void FN(random_normal)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_random_args *a = p;
  const vec mean = v_set((T)a->low), std = v_set((T)a->width);
  (void)thread;
  for (ptrdiff_t g = begin; g < end; g++) {
    const ptrdiff_t at = g * FN(PER_GROUP), m = a->n - at < FN(PER_GROUP) ? a->n - at : FN(PER_GROUP);
    uint32_t word[4][RANDOM_LANES];
    T u[FN(PER_GROUP)], z[FN(PER_GROUP)];
    FN(philox)(a->key, (uint64_t)g, word);
    for (int w = 0; w < 4; w += 2)                   /* u: radius in (0, 1), angle in [0, 1) */
      for (int l = 0; l < RANDOM_LANES; l++) {
        if (sizeof(T) == 4) {
          u[w * RANDOM_LANES + l] = ((T)(int32_t)(word[w][l] >> 1) + (T)0.5) * (T)0x1p-31;
          u[(w + 1) * RANDOM_LANES + l] = (T)(int32_t)(word[w + 1][l] >> 8) * (T)0x1p-24;
        } else {
          const uint64_t bits = (uint64_t)word[w][l] << 32 | word[w + 1][l];
          u[w / 2 * RANDOM_LANES + l] = w ? (T)(int64_t)(bits >> 11) * (T)0x1p-53 : ((T)(int64_t)(bits >> 12) + (T)0.5) * (T)0x1p-52;
        }
      }
    for (int h = 0; h < FN(PER_GROUP); h += 2 * RANDOM_LANES)
      for (int l = h; l < h + RANDOM_LANES; l += VLEN) {
        vec c, s, r = v_mul(std, v_sqrt(v_mul(v_set(-2), v_log(v_load(u + l)))));
        FN(cos_sin_turns)(v_load(u + l + RANDOM_LANES), &c, &s);
        v_store(z + l, v_fma(r, c, mean));
        v_store(z + l + RANDOM_LANES, v_fma(r, s, mean));
      }
    memcpy((T *)a->y + at, z, (size_t)m * sizeof(T));
  }
}

static void FN(random_bernoulli)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_random_args *a = p;
  (void)thread;
  for (ptrdiff_t g = begin; g < end; g++) {
    const ptrdiff_t at = g * FN(PER_GROUP), m = a->n - at < FN(PER_GROUP) ? a->n - at : FN(PER_GROUP);
    T u[FN(PER_GROUP)];
    FN(uniform_group)(a->key, (uint64_t)g, u);
    for (ptrdiff_t i = 0; i < m; i++) ((T *)a->y)[at + i] = u[i] < ((const T *)a->x)[(at + i) * a->x_stride] ? 1 : 0;
  }
}

static void FN(dropout)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_random_args *a = p;
  const vec low = v_set((T)a->low), scale = v_set((T)a->width);
  (void)thread;
  for (ptrdiff_t g = begin; g < end; g++) {
    const ptrdiff_t at = g * FN(PER_GROUP), m = a->n - at < FN(PER_GROUP) ? a->n - at : FN(PER_GROUP);
    const T *x = (const T *)a->x + at;
    T *y = (T *)a->y + at, u[FN(PER_GROUP)];
    FN(uniform_group)(a->key, (uint64_t)g, u);
    for (ptrdiff_t i = 0; i < m; i += VLEN)
      FN(put)(y + i, v_mul(FN(get)(x + i, m - i), v_select(v_ge(v_load(u + i), low), scale, v_zero())), m - i);
  }
}

static void FN(random_integers)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_random_args *a = p;
  TI *y = (TI *)a->y;
  (void)thread;
  for (ptrdiff_t g = begin; g < end; g++) {
    uint32_t word[4][RANDOM_LANES];
    FN(philox)(a->key, (uint64_t)g, word);
    for (ptrdiff_t i = 0, at = g * 2 * RANDOM_LANES; i < 2 * RANDOM_LANES && at + i < a->n; i++) {
      const ptrdiff_t w = i / RANDOM_LANES * 2, l = i % RANDOM_LANES;
      const uint64_t bits = (uint64_t)word[w][l] << 32 | word[w + 1][l];
      y[at + i] = (TI)(a->first + (int64_t)(((unsigned __int128)bits * a->span) >> 64));
    }
  }
}
