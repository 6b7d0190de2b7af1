/* Both operands contiguous along k and few rows: each element of C is a dot product, nothing is packed. */
enum { FN(DOT_COLUMNS) = 8 };
#define DOT_COLUMNS FN(DOT_COLUMNS)

/* out[i*8 + j] = row i of A . column j of B, mr x nc at once; columns past `valid` repeat the last one. */
static inline __attribute__((always_inline)) void
FN(dot_tile)(const int mr, const int nc, int valid, ptrdiff_t k, const T *a, ptrdiff_t ar, const T *b, ptrdiff_t bc, T *out)
{
  const T *column[8];
  vec sum[16], row[4];
  ptrdiff_t l = 0;
  #pragma GCC unroll 8
  for (int j = 0; j < nc; j++) column[j] = b + (j < valid ? j : valid - 1) * bc;
  #pragma GCC unroll 16
  for (int i = 0; i < mr * nc; i++) sum[i] = v_zero();
  for (; l + VLEN <= k; l += VLEN) {
    #pragma GCC unroll 4
    for (int i = 0; i < mr; i++) row[i] = v_load(a + i * ar + l);
    #pragma GCC unroll 8
    for (int j = 0; j < nc; j++) {
      const vec v = v_load(column[j] + l);
      #pragma GCC unroll 4
      for (int i = 0; i < mr; i++) sum[i * nc + j] = v_fma(row[i], v, sum[i * nc + j]);
    }
  }
  if (l < k) {
    #pragma GCC unroll 4
    for (int i = 0; i < mr; i++) row[i] = v_loadn(a + i * ar + l, k - l);
    #pragma GCC unroll 8
    for (int j = 0; j < nc; j++) {
      const vec v = v_loadn(column[j] + l, k - l);
      #pragma GCC unroll 4
      for (int i = 0; i < mr; i++) sum[i * nc + j] = v_fma(row[i], v, sum[i * nc + j]);
    }
  }
  #pragma GCC unroll 4
  for (int i = 0; i < mr; i++)
    #pragma GCC unroll 2
    for (int j = 0; j < nc; j += 4)
      v_sum4(out + i * DOT_COLUMNS + j, sum[i * nc + j], sum[i * nc + j + 1], sum[i * nc + j + 2], sum[i * nc + j + 3]);
}

static __attribute__((noinline)) void
FN(dot_rows)(int mr, int nc, ptrdiff_t k, const T *a, ptrdiff_t ar, const T *b, ptrdiff_t bc, T *out)
{
  if (mr == 1 && nc > 4) { FN(dot_tile)(1, 8, nc, k, a, ar, b, bc, out); return; }
  if (GEMM_DOT == 4 && mr == 2 && nc > 4) { FN(dot_tile)(2, 8, nc, k, a, ar, b, bc, out); return; }
  for (int j = 0; j < nc; j += 4)
    switch (mr) {
      case 1: FN(dot_tile)(1, 4, nc - j, k, a, ar, b + j * bc, bc, out + j); break;
      case 2: FN(dot_tile)(2, 4, nc - j, k, a, ar, b + j * bc, bc, out + j); break;
      case 3: if (GEMM_DOT >= 3) FN(dot_tile)(3, 4, nc - j, k, a, ar, b + j * bc, bc, out + j); break;
      case 4: if (GEMM_DOT >= 4) FN(dot_tile)(4, 4, nc - j, k, a, ar, b + j * bc, bc, out + j); break;
    }
}

/* c[j] (+)= out[j] + bias, relu: nc elements of one row. */
static inline void FN(dot_store)(const fn_gemm_args *g, const gemm_part *at, const T *out, int nc, T *c, const T *bias)
{
  if (at->c_cs == 1 && (!bias || g->bias_cs == 1)) {
    for (int j = 0; j < nc; j += VLEN) {
      const int n = nc - j < VLEN ? nc - j : VLEN;
      vec y = v_loadn(out + j, n);
      if (at->accumulate) y = v_add(y, v_loadn(c + j, n));
      if (bias) y = v_add(y, v_loadn(bias + j, n));
      if (at->act == FN_ACT_RELU) y = v_max(v_zero(), y);
      v_storen(c + j, y, n);
    }
    return;
  }
  for (int j = 0; j < nc; j++) {
    T y = out[j];
    if (at->accumulate) y += c[j * at->c_cs];
    if (bias) y += bias[j * g->bias_cs];
    c[j * at->c_cs] = at->act == FN_ACT_RELU && y < 0 ? 0 : y;
  }
}

/* One unit: DOT_COLUMNS columns of C (or of the partial sums at c), all rows, k0 <= k < k1. */
static void FN(gemm_dot)(const fn_gemm_args *g, const gemm_part *at, ptrdiff_t j0)
{
  const int nc = (int)(g->n - j0 < DOT_COLUMNS ? g->n - j0 : DOT_COLUMNS);
  const T *b = at->b + j0 * g->b_cs + at->k0, *bias = at->bias ? at->bias + j0 * g->bias_cs : NULL;
  T *c = at->c + j0 * at->c_cs;
  for (ptrdiff_t i = 0; i < g->m;) {
    T out[GEMM_DOT * DOT_COLUMNS];
    const int mr = FN(gemm_next_rows)(g->m - i, GEMM_DOT);
    FN(dot_rows)(mr, nc, at->k1 - at->k0, at->a + i * g->a_rs + at->k0, g->a_rs, b, g->b_cs, out);
    for (int r = 0; r < mr; r++)
      FN(dot_store)(g, at, out + r * DOT_COLUMNS, nc, c + (i + r) * at->c_rs, bias ? bias + (i + r) * g->bias_rs : NULL);
    i += mr;
  }
  if (at->act > FN_ACT_RELU) FN(gemm_finish)(at, 0, g->m, j0, nc);
}

/* One row of A and columns j0 to j1 of a B that comes from memory: read as several long streams, each through its share of the columns. */
static __attribute__((noinline)) void FN(dot_far)(const fn_gemm_args *g, const gemm_part *at, ptrdiff_t j0, ptrdiff_t j1)
{
  enum { WAYS = 2 };
  const ptrdiff_t share = (j1 - j0 + GEMM_STREAMS - 1) / GEMM_STREAMS, k = at->k1 - at->k0;
  const T *a = at->a + at->k0;
  for (ptrdiff_t s = j0; s < j0 + share; s += DOT_COLUMNS) {
    const ptrdiff_t count = j0 + share - s < DOT_COLUMNS ? j0 + share - s : DOT_COLUMNS;
    T out[GEMM_STREAMS * DOT_COLUMNS], four[GEMM_STREAMS];
    for (ptrdiff_t i = 0; i < count; i++) {
      const T *b[GEMM_STREAMS];
      vec sum[WAYS * GEMM_STREAMS];
      ptrdiff_t l = 0;
      #pragma GCC unroll 4
      for (int w = 0; w < GEMM_STREAMS; w++) {
        const ptrdiff_t j = s + i + w * share;
        b[w] = at->b + at->k0 + (j < j1 ? j : j1 - 1) * g->b_cs;
      }
      #pragma GCC unroll 8
      for (int w = 0; w < WAYS * GEMM_STREAMS; w++) sum[w] = v_zero();
      for (; l + WAYS * VLEN <= k; l += WAYS * VLEN) {
        #pragma GCC unroll 2
        for (int u = 0; u < WAYS; u++) {
          const vec x = v_load(a + l + u * VLEN);
          #pragma GCC unroll 4
          for (int w = 0; w < GEMM_STREAMS; w++) sum[u * GEMM_STREAMS + w] = v_fma(x, v_load(b[w] + l + u * VLEN), sum[u * GEMM_STREAMS + w]);
        }
      }
      for (; l < k; l += VLEN) {
        const ptrdiff_t n = k - l < VLEN ? k - l : VLEN;
        const vec x = v_loadn(a + l, n);
        #pragma GCC unroll 4
        for (int w = 0; w < GEMM_STREAMS; w++) sum[w] = v_fma(x, v_loadn(b[w] + l, n), sum[w]);
      }
      v_sum4(four, v_add(sum[0], sum[4]), v_add(sum[1], sum[5]), v_add(sum[2], sum[6]), v_add(sum[3], sum[7]));
      for (int w = 0; w < GEMM_STREAMS; w++) out[w * DOT_COLUMNS + i] = four[w];
    }
    for (int w = 0; w < GEMM_STREAMS; w++) {
      const ptrdiff_t j = s + w * share, n = j1 - j < count ? j1 - j : count;
      if (n > 0) FN(dot_store)(g, at, out + w * DOT_COLUMNS, (int)n, at->c + j * at->c_cs, at->bias ? at->bias + j * g->bias_cs : NULL);
    }
  }
  if (at->act > FN_ACT_RELU) FN(gemm_finish)(at, 0, 1, j0, j1 - j0);
}
