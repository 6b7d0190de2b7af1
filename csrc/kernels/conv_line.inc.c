/* conv_line: pixels of a row of the box, at equal distances in A and C, times one or two vectors of output channels.  The tile of conv_tile
   has eight rows at most, since each needs a pointer; one vector wide it then loads as often as it multiplies, and it stops for eight
   pointers between stretches of few channels.  Rows at equal distances need a pointer for every four: these tiles are up to 24 rows tall. */
enum { FN(CONV_TALL) = GEMM_NV > 2 && sizeof(T) == 4 };          /* 32 registers; float64 does without, for the size of the library */

/* `steps` rows of B times 4 * fours rows of A. */
FN_INLINE void FN(conv_line_steps)(const int steps, const int fours, const int nv, const T *a, ptrdiff_t as, const T *b, gvec *sum)
{
  #pragma GCC unroll 4
  for (int u = 0; u < steps; u++) {
    gvec v[2];
    #pragma GCC unroll 2
    for (int j = 0; j < nv; j++) v[j] = g_load(b + (u * nv + j) * GLEN);
    #pragma GCC unroll 8
    for (int f = 0; f < fours; f++) {
      const T *p = a + 4 * f * as;
      FN_FORGET(p);                                  /* its address is found anew rather than kept in memory */
      const T *row[4] = { p, p + as, p + 2 * as, p + 3 * as };
      #pragma GCC unroll 4
      for (int i = 0; i < 4; i++) {
        const gvec s = g_set(row[i][u]);
        #pragma GCC unroll 2
        for (int j = 0; j < nv; j++) sum[(4 * f + i) * nv + j] = g_fma(s, v[j], sum[(4 * f + i) * nv + j]);
      }
    }
  }
}

FN_INLINE void FN(conv_line_tile)(const int fours, const int nv, const conv_job *job, const T *a, ptrdiff_t as, const T *b, T *c, ptrdiff_t cs)
{
  gvec sum[24];
  #pragma GCC unroll 2
  for (int j = 0; j < nv; j++) {
    const gvec start = job->bias ? g_load(job->bias + j * GLEN) : g_zero();
    #pragma GCC unroll 24
    for (int i = 0; i < 4 * fours; i++) sum[i * nv + j] = start;
  }
  for (const fn_conv_seg *seg = job->seg, *end = seg + job->nseg; seg < end; seg++) {
    const T *from = b + seg->b, *at = a + seg->a;
    ptrdiff_t l = seg->len;
    for (; l >= 3; l -= 3, at += 3, from += 3 * nv * GLEN) FN(conv_line_steps)(3, fours, nv, at, as, from, sum);
    for (; l > 0; l--, at++, from += nv * GLEN) FN(conv_line_steps)(1, fours, nv, at, as, from, sum);
  }
  #pragma GCC unroll 24
  for (int i = 0; i < 4 * fours; i++, c += cs)
    #pragma GCC unroll 2
    for (int j = 0; j < nv; j++) {
      if (j == nv - 1) FN(conv_storen)(c + j * GLEN, sum[i * nv + j], job->last);
      else g_store(c + j * GLEN, sum[i * nv + j]);
    }
}

/* Whether a row of n pixels is nearly whole fours: what is missing is computed twice. */
static inline int FN(conv_fours_fit)(ptrdiff_t n) { return n >= 4 && 8 * (-n & 3) <= n; }

static __attribute__((noinline)) void FN(conv_line_1)(int fours, const conv_job *job, const T *a, ptrdiff_t as, const T *b, T *c, ptrdiff_t cs)
{
  if (!FN(CONV_TALL)) return;
  switch (fours) {
    case 1: FN(conv_line_tile)(1, 1, job, a, as, b, c, cs); return;
    case 2: FN(conv_line_tile)(2, 1, job, a, as, b, c, cs); return;
    case 3: FN(conv_line_tile)(3, 1, job, a, as, b, c, cs); return;
    case 4: FN(conv_line_tile)(4, 1, job, a, as, b, c, cs); return;
    case 5: FN(conv_line_tile)(5, 1, job, a, as, b, c, cs); return;
  }
}
static __attribute__((noinline)) void FN(conv_line_2)(int fours, const conv_job *job, const T *a, ptrdiff_t as, const T *b, T *c, ptrdiff_t cs)
{
  if (!FN(CONV_TALL)) return;
  switch (fours) {
    case 1: FN(conv_line_tile)(1, 2, job, a, as, b, c, cs); return;
    case 2: FN(conv_line_tile)(2, 2, job, a, as, b, c, cs); return;
    case 3: FN(conv_line_tile)(3, 2, job, a, as, b, c, cs); return;
  }
}

/* n >= 4 pixels in nearly equal tiles; a last one of four may repeat some pixels, which stores the same bits twice. */
static void FN(conv_line)(conv_job *job, ptrdiff_t n, ptrdiff_t columns, const T *a, ptrdiff_t as, const T *b, T *c, ptrdiff_t cs)
{
  const int nv = columns > GLEN ? 2 : 1, whole = (int)(n / 4), tiles = nv == 2 ? (whole + 2) / 3 : (whole + 4) / 5, left = n % 4 > 0;
  const int fours = whole / tiles, more = whole % tiles;         /* `more` tiles have one four more */
  job->last = columns - (nv - 1) * GLEN;
  ptrdiff_t i = 0;
  for (int t = 0; t < tiles + left; t++) {
    const int height = t == tiles ? 1 : fours + (t < more);
    if (t == tiles) i = n - 4;
    if (nv == 1) FN(conv_line_1)(height, job, a + i * as, as, b, c + i * cs, cs);
    else FN(conv_line_2)(height, job, a + i * as, as, b, c + i * cs, cs);
    i += 4 * height;
  }
}
