/* interpolate: the outer axes first, for a whole row of x, which is contiguous; then the last axis, vectors of channels. */

/* t (+)= v x + w z for n neighbours. */
FN_INLINE void FN(interpolate_add)(const T *x, T v, const T *z, T w, T *t, ptrdiff_t n, int fresh)
{
  const vec a = v_set(v), b = v_set(w);
  for (ptrdiff_t i = 0; i < n; i += VLEN) {
    const ptrdiff_t m = n - i;
    vec s = fresh ? v_mul(a, FN(get)(x + i, m)) : v_fma(a, FN(get)(x + i, m), FN(get)(t + i, m));
    if (z) s = v_fma(b, FN(get)(z + i, m), s);
    FN(put)(t + i, s, m);
  }
}

/* The rows of an image that place (o0, o1) sees, as one; NULL: none.  A single row of weight 1 is not copied. */
FN_INLINE const T *FN(interpolate_row)(const fn_interpolate_args *a, const T *image, ptrdiff_t o0, ptrdiff_t o1, T *scratch)
{
  const fn_interpolate_axis *p = &a->axis[0], *q = &a->axis[1];
  const ptrdiff_t n = a->axis[2].in * a->c, p0 = p->start[o0], q0 = q->start[o1], nq = q->start[o1 + 1] - q0, taps = (p->start[o0 + 1] - p0) * nq;
  for (ptrdiff_t k = 0; k < taps; k += 2) {
    const ptrdiff_t i = p0 + k / nq, j = q0 + k % nq;
    const T *x = image + (p->index[i] * q->in + q->index[j]) * n, *z = NULL;
    const T v = (T)(p->weight[i] * q->weight[j]);
    T w = 0;
    if (taps == 1 && v == 1) return x;
    if (k + 1 < taps) {
      const ptrdiff_t ii = p0 + (k + 1) / nq, jj = q0 + (k + 1) % nq;
      z = image + (p->index[ii] * q->in + q->index[jj]) * n;
      w = (T)(p->weight[ii] * q->weight[jj]);
    }
    if (z) FN(interpolate_add)(x, v, z, w, scratch, n, k == 0);
    else FN(interpolate_add)(x, v, NULL, 0, scratch, n, k == 0);
  }
  return taps ? scratch : NULL;
}

static void FN(interpolate)(const void *args, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_interpolate_args *a = args;
  const fn_interpolate_axis *p = &a->axis[0], *q = &a->axis[1], *s = &a->axis[2];
  const ptrdiff_t c = a->c, image = p->in * q->in * s->in * c;
  for (ptrdiff_t r = begin; r < end; r++) {
    const ptrdiff_t o1 = r % q->out, o0 = r / q->out % p->out, n = r / q->out / p->out;
    const T *t = FN(interpolate_row)(a, (const T *)a->x + n * image, o0, o1, (T *)a->scratch + thread * s->in * c);
    T *y = (T *)a->y + r * s->out * c;
    if (!t) { memset(y, 0, (size_t)(s->out * c) * sizeof(T)); continue; }
    for (ptrdiff_t o = 0; o < s->out; o++, y += c) {
      const ptrdiff_t k0 = s->start[o], k1 = s->start[o + 1];
      if (k1 - k0 == 2) {
        const T *x = t + s->index[k0] * c, *z = t + s->index[k0 + 1] * c;
        const vec v = v_set((T)s->weight[k0]), w = v_set((T)s->weight[k0 + 1]);
        for (ptrdiff_t j = 0; j < c; j += VLEN) FN(put)(y + j, v_fma(w, FN(get)(z + j, c - j), v_mul(v, FN(get)(x + j, c - j))), c - j);
      } else if (k1 - k0 == 1 && s->weight[k0] == 1) {
        const T *x = t + s->index[k0] * c;
        for (ptrdiff_t j = 0; j < c; j += VLEN) FN(put)(y + j, FN(get)(x + j, c - j), c - j);
      } else {
        for (ptrdiff_t j = 0; j < c; j += VLEN) {
          vec sum = v_zero();
          for (ptrdiff_t k = k0; k < k1; k++) sum = v_fma(v_set((T)s->weight[k]), FN(get)(t + s->index[k] * c + j, c - j), sum);
          FN(put)(y + j, sum, c - j);
        }
      }
    }
  }
}
