/* Padding by tables of places; the middle of a row moves as a whole. */

static void FN(pad_forward)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_pad_args *a = p;
  const ptrdiff_t inner = a->inner, *from = a->from[2];
  (void)thread;
  for (ptrdiff_t u = begin; u < end; u++) {
    const ptrdiff_t j = a->from[1][u % a->out[1]], i = a->from[0][u / a->out[1] % a->out[0]], n = u / a->out[1] / a->out[0];
    const T *x = (const T *)a->x + ((n * a->in[0] + i) * a->in[1] + j) * a->in[2] * inner;
    T *y = (T *)a->y + u * a->out[2] * inner;
    for (ptrdiff_t k = 0; k < a->begin; k++) memcpy(y + k * inner, x + from[k] * inner, (size_t)inner * sizeof(T));
    if (a->end > a->begin) memcpy(y + a->begin * inner, x + from[a->begin] * inner, (size_t)((a->end - a->begin) * inner) * sizeof(T));
    for (ptrdiff_t k = a->end; k < a->out[2]; k++) memcpy(y + k * inner, x + from[k] * inner, (size_t)inner * sizeof(T));
  }
}

/* y += x */
FN_INLINE void FN(pad_add)(T *y, const T *x, ptrdiff_t n)
{
  for (ptrdiff_t i = 0; i < n; i += VLEN) FN(put)(y + i, v_add(FN(get)(y + i, n - i), FN(get)(x + i, n - i)), n - i);
}

static void FN(pad_backward)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_pad_args *a = p;
  const ptrdiff_t inner = a->inner, *from = a->from[2];
  (void)thread;
  for (ptrdiff_t u = begin; u < end; u++) {
    const ptrdiff_t j = u % a->in[1], i = u / a->in[1] % a->in[0], n = u / a->in[1] / a->in[0];
    T *gx = (T *)a->y + u * a->in[2] * inner;
    memset(gx, 0, (size_t)(a->in[2] * inner) * sizeof(T));
    for (ptrdiff_t oi = 0; oi < a->out[0]; oi++) {
      if (a->from[0][oi] != i) continue;
      for (ptrdiff_t oj = 0; oj < a->out[1]; oj++) {
        if (a->from[1][oj] != j) continue;
        const T *gy = (const T *)a->x + ((n * a->out[0] + oi) * a->out[1] + oj) * a->out[2] * inner;
        for (ptrdiff_t k = 0; k < a->begin; k++) FN(pad_add)(gx + from[k] * inner, gy + k * inner, inner);
        if (a->end > a->begin) FN(pad_add)(gx + from[a->begin] * inner, gy + a->begin * inner, (a->end - a->begin) * inner);
        for (ptrdiff_t k = a->end; k < a->out[2]; k++) FN(pad_add)(gx + from[k] * inner, gy + k * inner, inner);
      }
    }
  }
}
