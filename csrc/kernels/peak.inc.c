/* peak_fma, peak_read, peak_copy, peak_triad, peak_update: nothing but multiply-adds, and nothing but memory. */
static void FN(peak_fma)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_peak_args *a = p;
  (void)thread;
  for (ptrdiff_t i = begin; i < end; i++) {
    const vec x = v_set((T)0.5), y = v_set((T)(i + 1));
    vec acc[12];                                       /* latency 4 on 2 ports needs 8; 12 and two constants fit 16 registers */
    for (int j = 0; j < 12; j++) acc[j] = v_set((T)j);
    for (ptrdiff_t r = 0; r < FN_PEAK_ROUNDS / VLEN; r++)
#pragma GCC unroll 12
      for (int j = 0; j < 12; j++) acc[j] = v_fma(acc[j], x, y);
    vec total = acc[0];
    for (int j = 1; j < 12; j++) total = v_add(total, acc[j]);
    a->sum[i] = (double)v_sum(total);
  }
}

static void FN(peak_read)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_peak_args *a = p;
  (void)thread;
  for (ptrdiff_t i = begin; i < end; i++) {
    const T *x = (const T *)a->x + i * FN_PEAK_BLOCK;
    vec acc[8];
    for (int j = 0; j < 8; j++) acc[j] = v_zero();
    for (ptrdiff_t k = 0; k < FN_PEAK_BLOCK; k += 8 * VLEN)
#pragma GCC unroll 8
      for (int j = 0; j < 8; j++) acc[j] = v_add(acc[j], v_load(x + k + j * VLEN));
    vec total = acc[0];
    for (int j = 1; j < 8; j++) total = v_add(total, acc[j]);
    a->sum[i] = (double)v_sum(total);
  }
}

static void FN(peak_copy)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_peak_args *a = p;
  (void)thread;
  for (ptrdiff_t i = begin * FN_PEAK_BLOCK; i < end * FN_PEAK_BLOCK; i += VLEN)
    v_stream((T *)a->y + i, v_load((const T *)a->x + i));
}

static void FN(peak_triad)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_peak_args *a = p;
  (void)thread;
  for (ptrdiff_t i = begin * FN_PEAK_BLOCK; i < end * FN_PEAK_BLOCK; i += VLEN)
    v_stream((T *)a->y + i, v_add(v_load((const T *)a->x + i), v_load((const T *)a->z + i)));
}

static void FN(peak_update)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_peak_args *a = p;
  T *y = a->y;
  (void)thread;
  for (ptrdiff_t i = begin * FN_PEAK_BLOCK; i < end * FN_PEAK_BLOCK; i += VLEN) v_store(y + i, v_sub(v_zero(), v_load(y + i)));
}
