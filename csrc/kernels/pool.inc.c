/* Pooling: a window at a time, its channels side by side in vectors; backward gathers, so that every gradient is written once. */

#define POOL_NV 4                                    /* vectors of channels that share the walk over a window */

/* A place (n, i, j, k) of an image batch, and its number. */
typedef struct { ptrdiff_t n, i, j, k; } FN(place);

FN_INLINE FN(place) FN(place_at)(ptrdiff_t u, const ptrdiff_t *size)
{
  FN(place) p;
  p.k = u % size[2]; u /= size[2];
  p.j = u % size[1]; u /= size[1];
  p.i = u % size[0]; p.n = u / size[0];
  return p;
}

FN_INLINE void FN(place_next)(FN(place) *p, const ptrdiff_t *size)
{
  if (++p->k < size[2]) return;
  p->k = 0;
  if (++p->j < size[1]) return;
  p->j = 0;
  if (++p->i < size[0]) return;
  p->i = 0; p->n++;
}

/* The lowest bit of a float's exponent. */
#define POOL_ONE  ((TI)1 << (sizeof(T) == 4 ? 23 : 52))
/* 2^23 or 2^52: from there on a float's bits count in ones, so a number is an integer and a float that can be compared. */
#define POOL_ZERO ((TI)(sizeof(T) == 4 ? 0x4b000000LL : 0x4330000000000000LL))

/* nv vectors of channels, or n channels of one.  keep: also store which element it was, at q.  A NaN wins, the last one of several. */
FN_INLINE void FN(max_window)(const fn_max_pool_forward_args *a, const T *x, const FN(place) *o, T *y, ptrdiff_t q, const int nv, ptrdiff_t n,
                              const int keep)
{
  const fn_pool_shape *s = &a->s;
  const fn_window d = s->window[0][o->i], h = s->window[1][o->j], w = s->window[2][o->k];
  const vec one = v_setbits(1);
  vec best[POOL_NV], where[POOL_NV];
  for (int v = 0; v < nv; v++) { best[v] = v_set(-(T)INFINITY); where[v] = v_setbits(POOL_ZERO); }
  TI plane = POOL_ZERO;
  for (ptrdiff_t i = d.begin; i < d.end; i += s->step[0], plane += (TI)(s->taps[1] * s->taps[2])) {
    TI row = plane;
    for (ptrdiff_t j = h.begin; j < h.end; j += s->step[1], row += (TI)s->taps[2]) {
      const T *p = x + ((i * s->in[1] + j) * s->in[2] + w.begin) * s->c, *end = p + (w.end - w.begin) * s->c;
      vec here = v_setbits(row);
      for (; p < end; p += s->step[2] * s->c, here = v_iadd(here, one))
        for (int v = 0; v < nv; v++) {
          const vec xv = n < VLEN ? v_loadn(p, n) : v_load(p + v * VLEN);
          const vmask m = m_or(v_gt(xv, best[v]), v_nan(xv));
          best[v] = v_select(m, xv, best[v]);
          if (keep) where[v] = v_select(m, here, where[v]);
        }
    }
  }
  for (int v = 0; v < nv; v++) {
    FN(put)(y + q + v * VLEN, best[v], n);
    if (keep && a->wide) FN(put)((T *)a->at + q + v * VLEN, where[v], n);
    else if (keep) v_storeb((uint8_t *)a->at + q + v * VLEN, where[v], n);
  }
}

FN_INLINE void FN(max_places)(const fn_max_pool_forward_args *a, ptrdiff_t begin, ptrdiff_t end, const int keep)
{
  const fn_pool_shape *s = &a->s;
  const ptrdiff_t image = s->in[0] * s->in[1] * s->in[2] * s->c;
  FN(place) o = FN(place_at)(begin, s->out);
  for (ptrdiff_t u = begin; u < end; u++, FN(place_next)(&o, s->out)) {
    const T *x = (const T *)a->x + o.n * image;
    ptrdiff_t c = 0;
    for (; c + POOL_NV * VLEN <= s->c; c += POOL_NV * VLEN) FN(max_window)(a, x + c, &o, a->y, u * s->c + c, POOL_NV, VLEN, keep);
    for (; c + VLEN <= s->c; c += VLEN) FN(max_window)(a, x + c, &o, a->y, u * s->c + c, 1, VLEN, keep);
    if (c < s->c) FN(max_window)(a, x + c, &o, a->y, u * s->c + c, 1, s->c - c, keep);
  }
}

static void FN(max_pool_forward)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_max_pool_forward_args *a = p;
  (void)thread;
  if (a->at) FN(max_places)(a, begin, end, 1);
  else FN(max_places)(a, begin, end, 0);
}

static void FN(max_pool_index)(const void *args, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_max_pool_index_args *a = args;
  const fn_pool_shape *s = &a->s;
  FN(place) o = FN(place_at)(begin, s->out);
  (void)thread;
  for (ptrdiff_t u = begin; u < end; u++, FN(place_next)(&o, s->out)) {
    const ptrdiff_t first = (s->window[0][o.i].begin * s->in[1] + s->window[1][o.j].begin) * s->in[2] + s->window[2][o.k].begin;
    int64_t *index = a->index + u * s->c;
    if (a->wide) {
      const TI *at = (const TI *)a->at + u * s->c;
      for (ptrdiff_t c = 0; c < s->c; c++) index[c] = first + a->delta[at[c] - POOL_ZERO];
    } else {
      const uint8_t *at = (const uint8_t *)a->at + u * s->c;
      for (ptrdiff_t c = 0; c < s->c; c++) index[c] = first + a->delta[at[c]];
    }
  }
}

/* x / divisor: by its reciprocal where that is exact. */
FN_INLINE vec FN(quotient)(vec x, T divisor)
{
  TI bits;
  memcpy(&bits, &divisor, sizeof bits);
  const int power_of_2 = !(bits & (POOL_ONE - 1));
  return power_of_2 ? v_mul(x, v_set(1 / divisor)) : v_div(x, v_set(divisor));
}

/* The sum of a window over nv vectors of channels: rows, then rows to planes, then planes, so that a global average stays accurate. */
FN_INLINE void FN(avg_window)(const fn_avg_pool_forward_args *a, const T *x, const FN(place) *o, T *y, const int nv, ptrdiff_t n)
{
  const fn_pool_shape *s = &a->s;
  const fn_window d = s->window[0][o->i], h = s->window[1][o->j], w = s->window[2][o->k];
  vec sum[POOL_NV];
  for (int v = 0; v < nv; v++) sum[v] = v_zero();
  for (ptrdiff_t i = d.begin; i < d.end; i++)
    for (ptrdiff_t j = h.begin; j < h.end; j++) {
      const T *p = x + ((i * s->in[1] + j) * s->in[2] + w.begin) * s->c, *end = p + (w.end - w.begin) * s->c;
      vec row[POOL_NV];
      for (int v = 0; v < nv; v++) row[v] = v_zero();
      for (; p < end; p += s->c)
        for (int v = 0; v < nv; v++) row[v] = v_add(row[v], FN(get)(p + v * VLEN, n));
      for (int v = 0; v < nv; v++) sum[v] = v_add(sum[v], row[v]);
    }
  const T divisor = (T)(a->divisor != 0 ? a->divisor : (double)(d.share * h.share * w.share));
  for (int v = 0; v < nv; v++) FN(put)(y + v * VLEN, FN(quotient)(sum[v], divisor), n);
}

static void FN(avg_pool_forward)(const void *args, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_avg_pool_forward_args *a = args;
  const fn_pool_shape *s = &a->s;
  const ptrdiff_t image = s->in[0] * s->in[1] * s->in[2] * s->c;
  FN(place) o = FN(place_at)(begin, s->out);
  (void)thread;
  for (ptrdiff_t u = begin; u < end; u++, FN(place_next)(&o, s->out)) {
    const T *x = (const T *)a->x + o.n * image;
    T *y = (T *)a->y + u * s->c;
    ptrdiff_t c = 0;
    for (; c + POOL_NV * VLEN <= s->c; c += POOL_NV * VLEN) FN(avg_window)(a, x + c, &o, y + c, POOL_NV, VLEN);
    for (; c + VLEN <= s->c; c += VLEN) FN(avg_window)(a, x + c, &o, y + c, 1, VLEN);
    if (c < s->c) FN(avg_window)(a, x + c, &o, y + c, 1, s->c - c);
  }
}
