/* One row times a matrix whose rows are contiguous: rows of B stream through, the row of C stays in cache. */
static void FN(gemm_stream)(const fn_gemm_args *g, const gemm_part *at, ptrdiff_t j0, ptrdiff_t j1)
{
  enum { DEPTH = 8 };
  T *c = at->c + j0;
  const ptrdiff_t n = j1 - j0;
  const T *b = at->b + at->k0 * g->b_rs + j0, *a = at->a + at->k0 * g->a_cs;
  const T *bias = at->bias ? at->bias + j0 * g->bias_cs : NULL;
  if (!bias && !at->accumulate) memset(c, 0, (size_t)n * sizeof(T));
  for (ptrdiff_t j = 0; j < n && bias; j++) c[j] = (at->accumulate ? c[j] : (T)0) + bias[j * g->bias_cs];
  ptrdiff_t left = at->k1 - at->k0;
  /* From memory: row after row, one stream. */
  for (; left > 0 && n >= GEMM_STREAM_COLUMNS && g->n * g->k > GEMM_FAR; left--, a += g->a_cs, b += g->b_rs) {
    const vec s = v_set(*a);
    ptrdiff_t j = 0;
    for (; j + 4 * VLEN <= n; j += 4 * VLEN) {
      #pragma GCC unroll 4
      for (int w = 0; w < 4; w++) v_store(c + j + w * VLEN, v_fma(s, v_load(b + j + w * VLEN), v_load(c + j + w * VLEN)));
    }
    for (; j < n; j += VLEN) {
      const ptrdiff_t m = n - j < VLEN ? n - j : VLEN;
      v_storen(c + j, v_fma(s, v_loadn(b + j, m), v_loadn(c + j, m)), m);
    }
  }
  for (; left >= DEPTH; left -= DEPTH, a += DEPTH * g->a_cs, b += DEPTH * g->b_rs) {
    vec s[DEPTH];
    ptrdiff_t j = 0;
    #pragma GCC unroll 8
    for (int d = 0; d < DEPTH; d++) s[d] = v_set(a[d * g->a_cs]);
    for (; j + 2 * VLEN <= n; j += 2 * VLEN) {
      vec y0 = v_load(c + j), y1 = v_load(c + j + VLEN);
      #pragma GCC unroll 8
      for (int d = 0; d < DEPTH; d++) {
        y0 = v_fma(s[d], v_load(b + d * g->b_rs + j), y0);
        y1 = v_fma(s[d], v_load(b + d * g->b_rs + j + VLEN), y1);
      }
      v_store(c + j, y0);
      v_store(c + j + VLEN, y1);
    }
    for (; j < n; j += VLEN) {
      const ptrdiff_t lanes = n - j < VLEN ? n - j : VLEN;
      vec y = v_loadn(c + j, lanes);
      #pragma GCC unroll 8
      for (int d = 0; d < DEPTH; d++) y = v_fma(s[d], v_loadn(b + d * g->b_rs + j, lanes), y);
      v_storen(c + j, y, lanes);
    }
  }
  for (; left > 0; left--, a += g->a_cs, b += g->b_rs) {
    const vec s = v_set(*a);
    ptrdiff_t j = 0;
    for (; j + VLEN <= n; j += VLEN) v_store(c + j, v_fma(s, v_load(b + j), v_load(c + j)));
    if (j < n) v_storen(c + j, v_fma(s, v_loadn(b + j, n - j), v_loadn(c + j, n - j)), n - j);
  }
  if (at->act != FN_ACT_NONE) FN(gemm_finish)(at, 0, 1, j0, n);
}
