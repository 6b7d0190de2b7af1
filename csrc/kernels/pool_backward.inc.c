/* Gradients of pooling.  Windows apart: each output fills the cell of inputs up to the next window.  Else each input gathers from the
   windows over it.  Either way every gradient is written once. */

FN_INLINE void FN(pool_put)(T *p, vec v, ptrdiff_t n, int stream)
{
  if (stream) v_stream(p, v);
  else FN(put)(p, v, n);
}

FN_INLINE T FN(pool_scale)(const fn_pool_backward_args *a, const fn_window *d, const fn_window *h, const fn_window *w)
{
  return (T)(a->divisor != 0 ? 1 / a->divisor : d->inverse * h->inverse * w->inverse);
}

/* Is number the maximum's, at channels q... */
FN_INLINE vmask FN(pool_is)(const fn_pool_backward_args *a, ptrdiff_t q, ptrdiff_t n, ptrdiff_t number)
{
  if (!a->wide) return m_byteq((const uint8_t *)a->at + q, (int)number);
  return v_eq(FN(get)((const T *)a->at + q, n), v_setbits(POOL_ZERO + (TI)number));
}

/* All gradients of the inputs from window o up to the next, for nv vectors of channels or n channels of one; q: their place in gy. */
FN_INLINE void FN(pool_cell)(const fn_pool_backward_args *a, const FN(place) *o, T *gx, ptrdiff_t q, const int nv, ptrdiff_t n, const int max)
{
  const fn_pool_shape *s = &a->s;
  const fn_window *d = s->window[0] + o->i, *h = s->window[1] + o->j, *w = s->window[2] + o->k;
  const ptrdiff_t dend = o->i + 1 < s->out[0] ? d[1].begin : s->in[0], hend = o->j + 1 < s->out[1] ? h[1].begin : s->in[1];
  const ptrdiff_t wend = o->k + 1 < s->out[2] ? w[1].begin : s->in[2];
  vec g[POOL_NV];
  for (int v = 0; v < nv; v++) g[v] = FN(get)((const T *)a->gy + q + v * VLEN, n);
  if (!max) {
    const vec scale = v_set(FN(pool_scale)(a, d, h, w));
    for (int v = 0; v < nv; v++) g[v] = v_mul(g[v], scale);
  }
  for (ptrdiff_t i = o->i ? d->begin : 0; i < dend; i++)
    for (ptrdiff_t j = o->j ? h->begin : 0; j < hend; j++) {
      ptrdiff_t k = o->k ? w->begin : 0;
      T *p = gx + ((i * s->in[1] + j) * s->in[2] + k) * s->c;
      ptrdiff_t number = ((i - d->begin) * s->taps[1] + j - h->begin) * s->taps[2];
      if (i < d->end && j < h->end)
        for (; k < w->end; k++, p += s->c, number++)
          for (int v = 0; v < nv; v++)
            FN(pool_put)(p + v * VLEN, max ? v_select(FN(pool_is)(a, q + v * VLEN, n, number), g[v], v_zero()) : g[v], n, a->stream);
      for (; k < wend; k++, p += s->c)
        for (int v = 0; v < nv; v++) FN(pool_put)(p + v * VLEN, v_zero(), n, a->stream);
    }
}

/* The gradient of nv vectors of channels at input p: from the windows over it; for max pooling, from those whose maximum it is. */
FN_INLINE void FN(pool_gather)(const fn_pool_backward_args *a, const FN(place) *p, ptrdiff_t c, T *gx, const int nv, ptrdiff_t n, const int max)
{
  const fn_pool_shape *s = &a->s;
  const fn_window d = s->seen[0][p->i], h = s->seen[1][p->j], w = s->seen[2][p->k];
  const ptrdiff_t *step = s->step;
  const int dilated = step[0] > 1 || step[1] > 1 || step[2] > 1;
  vec sum[POOL_NV];
  for (int v = 0; v < nv; v++) sum[v] = v_zero();
  for (ptrdiff_t i = d.begin; i < d.end; i++)
    for (ptrdiff_t j = h.begin; j < h.end; j++) {
      ptrdiff_t ti = p->i - s->window[0][i].begin, tj = p->j - s->window[1][j].begin;
      if (dilated) {
        if (ti % step[0] || tj % step[1]) continue;
        ti /= step[0]; tj /= step[1];
      }
      const ptrdiff_t row = (ti * s->taps[1] + tj) * s->taps[2];
      ptrdiff_t q = (((p->n * s->out[0] + i) * s->out[1] + j) * s->out[2] + w.begin) * s->c + c;
      for (ptrdiff_t k = w.begin; k < w.end; k++, q += s->c) {
        ptrdiff_t tk = p->k - s->window[2][k].begin;
        if (dilated) {
          if (tk % step[2]) continue;
          tk /= step[2];
        }
        const vec scale = v_set(max ? 0 : FN(pool_scale)(a, s->window[0] + i, s->window[1] + j, s->window[2] + k));
        for (int v = 0; v < nv; v++) {
          const vec g = FN(get)((const T *)a->gy + q + v * VLEN, n);
          if (max) sum[v] = v_select(FN(pool_is)(a, q + v * VLEN, n, row + tk), v_add(sum[v], g), sum[v]);
          else sum[v] = v_fma(g, scale, sum[v]);
        }
      }
    }
  for (int v = 0; v < nv; v++) FN(pool_put)(gx + v * VLEN, sum[v], n, a->stream);
}

FN_INLINE void FN(pool_backward)(const fn_pool_backward_args *a, ptrdiff_t begin, ptrdiff_t end, const int max)
{
  const fn_pool_shape *s = &a->s;
  const ptrdiff_t image = s->in[0] * s->in[1] * s->in[2] * s->c;
  const ptrdiff_t *size = a->apart ? s->out : s->in;
  FN(place) p = FN(place_at)(begin, size);
  for (ptrdiff_t u = begin; u < end; u++, FN(place_next)(&p, size)) {
    ptrdiff_t c = 0;
    if (a->apart) {
      T *gx = (T *)a->gx + p.n * image;
      for (; c + POOL_NV * VLEN <= s->c; c += POOL_NV * VLEN) FN(pool_cell)(a, &p, gx + c, u * s->c + c, POOL_NV, VLEN, max);
      for (; c + VLEN <= s->c; c += VLEN) FN(pool_cell)(a, &p, gx + c, u * s->c + c, 1, VLEN, max);
      if (c < s->c) FN(pool_cell)(a, &p, gx + c, u * s->c + c, 1, s->c - c, max);
    } else {
      T *gx = (T *)a->gx + u * s->c;
      for (; c + POOL_NV * VLEN <= s->c; c += POOL_NV * VLEN) FN(pool_gather)(a, &p, c, gx + c, POOL_NV, VLEN, max);
      for (; c + VLEN <= s->c; c += VLEN) FN(pool_gather)(a, &p, c, gx + c, 1, VLEN, max);
      if (c < s->c) FN(pool_gather)(a, &p, c, gx + c, 1, s->c - c, max);
    }
  }
}

static void FN(max_pool_backward)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  (void)thread;
  FN(pool_backward)(p, begin, end, 1);
}

static void FN(avg_pool_backward)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  (void)thread;
  FN(pool_backward)(p, begin, end, 0);
}

#undef POOL_NV
#undef POOL_ONE
#undef POOL_ZERO
