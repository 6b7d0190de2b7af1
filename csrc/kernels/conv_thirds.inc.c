/* conv_thirds: the weight gradient of one vector of output channels.  Its rows are taps x channels, and where the channels of neighbouring taps
   touch, three rows that follow each other need one pointer: tiles are up to 27 rows tall, and gy is read that much less. */

/* 3 * thirds rows: those of A begin at a + a_at[0], a_at[3], ..., those of C lie one after the other. */
FN_INLINE void FN(conv_thirds_tile)(const int thirds, const conv_job *job, const T *a, const ptrdiff_t *a_at, const T *b, T *c)
{
  const ptrdiff_t step = job->a_step;
  gvec sum[27];
  #pragma GCC unroll 27
  for (int i = 0; i < 3 * thirds; i++) sum[i] = job->load_c ? g_load(c + i * GLEN) : g_zero();
  for (const fn_conv_seg *seg = job->seg, *end = seg + job->nseg; seg < end; seg++) {
    const T *from = b + seg->b, *row[9];
    #pragma GCC unroll 9
    for (int i = 0; i < thirds; i++) row[i] = a + a_at[3 * i] + seg->a;
    for (ptrdiff_t l = seg->len, at = 0; l > 0; l--, at += step, from += GLEN) {
      gvec v = g_load(from);
      g_keep(v);
      #pragma GCC unroll 27
      for (int i = 0; i < 3 * thirds; i++) sum[i] = g_fma(g_set(row[i / 3][at + i % 3]), v, sum[i]);
    }
  }
  #pragma GCC unroll 27
  for (int i = 0; i < 3 * thirds; i++) g_store(c + i * GLEN, sum[i]);
}

/* A multiple of three rows, in nearly equal tiles. */
static __attribute__((noinline)) void FN(conv_thirds)(const conv_job *job, ptrdiff_t rows, const T *a, const ptrdiff_t *a_at, const T *b, T *c)
{
  const ptrdiff_t thirds = rows / 3, tiles = FN(conv_ceil)(thirds, 9);
  if (!FN(CONV_TALL)) return;
  for (ptrdiff_t t = 0; t < tiles; t++) {
    const ptrdiff_t from = thirds * t / tiles, to = thirds * (t + 1) / tiles, *at = a_at + 3 * from;
    T *sums = c + 3 * from * GLEN;
    switch (to - from) {
      case 1: FN(conv_thirds_tile)(1, job, a, at, b, sums); break;
      case 2: FN(conv_thirds_tile)(2, job, a, at, b, sums); break;
      case 3: FN(conv_thirds_tile)(3, job, a, at, b, sums); break;
      case 4: FN(conv_thirds_tile)(4, job, a, at, b, sums); break;
      case 5: FN(conv_thirds_tile)(5, job, a, at, b, sums); break;
      case 6: FN(conv_thirds_tile)(6, job, a, at, b, sums); break;
      case 7: FN(conv_thirds_tile)(7, job, a, at, b, sums); break;
      case 8: FN(conv_thirds_tile)(8, job, a, at, b, sums); break;
      case 9: FN(conv_thirds_tile)(9, job, a, at, b, sums); break;
    }
  }
}
