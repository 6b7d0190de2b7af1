/* unfold and fold: a tap is the image shifted, so its rows move as runs. */

/* Outputs [*first, *last) of an axis whose tap t lies inside it. */
FN_INLINE void FN(unfold_run)(const fn_unfold_args *a, int axis, ptrdiff_t t, ptrdiff_t *first, ptrdiff_t *last)
{
  const ptrdiff_t at = t * a->dilation[axis] - a->pad[axis], s = a->stride[axis], n = a->in[axis], out = a->out[axis];
  *first = at < 0 ? (-at + s - 1) / s : 0;
  *last = at < n ? (n - 1 - at) / s + 1 : 0;
  if (*last > out) *last = out;
  if (*first > *last) *first = *last;
}

static void FN(unfold)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_unfold_args *a = p;
  const ptrdiff_t taps = a->kernel[0] * a->kernel[1], s = a->stride[1];
  (void)thread;
  for (ptrdiff_t u = begin; u < end; u++) {
    const ptrdiff_t i = u % taps / a->kernel[1], j = u % a->kernel[1];
    const T *x = (const T *)a->from + u / taps * a->in[0] * a->in[1] + j * a->dilation[1] - a->pad[1];
    T *y = (T *)a->to + u * a->out[0] * a->out[1];
    ptrdiff_t r0, r1, c0, c1;
    FN(unfold_run)(a, 0, i, &r0, &r1);
    FN(unfold_run)(a, 1, j, &c0, &c1);
    for (ptrdiff_t r = 0; r < a->out[0]; r++, y += a->out[1]) {
      if (r < r0 || r >= r1) { memset(y, 0, (size_t)a->out[1] * sizeof(T)); continue; }
      const T *row = x + (r * a->stride[0] - a->pad[0] + i * a->dilation[0]) * a->in[1];
      for (ptrdiff_t c = 0; c < c0; c++) y[c] = 0;
      if (s == 1) memcpy(y + c0, row + c0, (size_t)(c1 - c0) * sizeof(T));
      else for (ptrdiff_t c = c0; c < c1; c++) y[c] = row[c * s];
      for (ptrdiff_t c = c1; c < a->out[1]; c++) y[c] = 0;
    }
  }
}

static void FN(fold)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_unfold_args *a = p;
  const ptrdiff_t size = a->in[0] * a->in[1], s = a->stride[1];
  (void)thread;
  for (ptrdiff_t u = begin; u < end; u++) {
    const T *y = (const T *)a->from + u * a->kernel[0] * a->kernel[1] * a->out[0] * a->out[1];
    T *x = (T *)a->to + u * size;
    memset(x, 0, (size_t)size * sizeof(T));
    for (ptrdiff_t i = 0; i < a->kernel[0]; i++)
      for (ptrdiff_t j = 0; j < a->kernel[1]; j++, y += a->out[0] * a->out[1]) {
        ptrdiff_t r0, r1, c0, c1;
        FN(unfold_run)(a, 0, i, &r0, &r1);
        FN(unfold_run)(a, 1, j, &c0, &c1);
        for (ptrdiff_t r = r0; r < r1; r++) {
          T *row = x + (r * a->stride[0] - a->pad[0] + i * a->dilation[0]) * a->in[1] + j * a->dilation[1] - a->pad[1];
          const T *from = y + r * a->out[1];
          if (s == 1) FN(pad_add)(row + c0, from + c0, c1 - c0);
          else for (ptrdiff_t c = c0; c < c1; c++) row[c * s] += from[c];
        }
      }
  }
}
