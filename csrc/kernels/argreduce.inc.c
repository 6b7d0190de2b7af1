/* argmax, argmin.  A row is reduced first, then searched for its extreme: the second visit is in cache and stops at the index. */

static ptrdiff_t FN(find_first)(const T *x, ptrdiff_t n, T value)   /* of value, or of a NaN if value is one */
{
  const vec v = v_set(value);
  const int nan = value != value;
  for (ptrdiff_t i = 0; i < n; i += VLEN) {
    const ptrdiff_t m = n - i < VLEN ? n - i : VLEN;
    const vec x0 = FN(get)(x + i, m);
    const uint32_t hit = m_bits(nan ? v_nan(x0) : v_eq(x0, v)) & (uint32_t)((1ull << m) - 1);
    if (hit) return i + __builtin_ctz(hit);
  }
  return 0;
}

FN_INLINE void FN(argreduce_rows)(int kind, const fn_argreduce_args *a, ptrdiff_t begin, ptrdiff_t end)
{
  for (ptrdiff_t o = begin; o < end; o++) {
    const T *x = (const T *)a->x + o * a->n, *part = (const T *)a->part + o * a->chunks;
    const T value = a->part ? FN(reduce_run)(kind, part, a->chunks, 0) : FN(reduce_run)(kind, x, a->n, 0);
    const ptrdiff_t k = a->part ? FN(find_first)(part, a->chunks, value) * a->chunk : 0;
    a->index[o] = k + FN(find_first)(x + k, a->n - k, value);
    if (a->value) ((T *)a->value)[o] = value;
  }
}

FN_INLINE void FN(argreduce_columns)(int kind, const fn_argreduce_args *a, ptrdiff_t begin, ptrdiff_t end)
{
  const ptrdiff_t exact = (ptrdiff_t)1 << (sizeof(T) == 4 ? 24 : 30);   /* indices are counted in lanes of T */
  for (ptrdiff_t r = begin; r < end; r++) {
    const ptrdiff_t o = r / a->blocks, j0 = r % a->blocks * a->width, j1 = a->inner - j0 < a->width ? a->inner : j0 + a->width;
    for (ptrdiff_t j = j0; j < j1; j += VLEN) {
      const ptrdiff_t m = j1 - j < VLEN ? j1 - j : VLEN, q = o * a->inner + j;
      const T *x = (const T *)a->x + o * a->n * a->inner + j;
      vec best = FN(get)(x, m);
      int64_t *index = a->index + q;
      for (ptrdiff_t l = 0; l < m; l++) index[l] = 0;
      for (ptrdiff_t base = 0; base < a->n; base += exact) {
        const ptrdiff_t stop = a->n - base < exact ? a->n - base : exact;
        vec where = v_set(-1);
        T lane[VLEN];
        for (ptrdiff_t i = base == 0; i < stop; i++) {
          const vec t = FN(get)(x + (base + i) * a->inner, m);
          const vmask better = m_or(kind == REDUCE_MAX ? v_gt(t, best) : v_lt(t, best), m_and(v_nan(t), m_not(v_nan(best))));
          best = v_select(better, t, best);
          where = v_select(better, v_set((T)i), where);
        }
        v_store(lane, where);
        for (ptrdiff_t l = 0; l < m; l++)
          if (lane[l] >= 0) index[l] = base + (ptrdiff_t)lane[l];
      }
      if (a->value) FN(put)((T *)a->value + q, best, m);
    }
  }
}

static void FN(argmax_rows)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread) { (void)thread; FN(argreduce_rows)(REDUCE_MAX, p, begin, end); }
static void FN(argmin_rows)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread) { (void)thread; FN(argreduce_rows)(REDUCE_MIN, p, begin, end); }
static void FN(argmax_columns)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread) { (void)thread; FN(argreduce_columns)(REDUCE_MAX, p, begin, end); }
static void FN(argmin_columns)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread) { (void)thread; FN(argreduce_columns)(REDUCE_MIN, p, begin, end); }
