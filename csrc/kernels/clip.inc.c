/* grad_norm, grad_scale, grad_clamp: the passes over gradients before a step. */

/* The run of chunk c: its gradient and its length. */
static ptrdiff_t FN(grad_chunk)(const fn_grad_args *a, ptrdiff_t c, T **g)
{
  const fn_optim_entry *e = FN(optim_owner)(a->entry, a->entries, c);
  const ptrdiff_t at = (c - e->chunk) * OPTIM_CHUNK, n = e->n - at;
  *g = (T *)e->g + at;
  return n < OPTIM_CHUNK ? n : OPTIM_CHUNK;
}

static void FN(grad_norm)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_grad_args *a = p;
  T *g;
  (void)thread;
  for (ptrdiff_t c = begin; c < end; c++) {
    const ptrdiff_t n = FN(grad_chunk)(a, c, &g);
    ((T *)a->part)[c] = a->kind == 2 ? FN(reduce_run)(REDUCE_SUMSQ, g, n, 0)
                      : a->kind == 1 ? FN(reduce_run)(REDUCE_SUMABS, g, n, 0) : FN(reduce_run)(REDUCE_MAXABS, g, n, 0);
  }
}

static void FN(grad_scale)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_grad_args *a = p;
  const vec k = v_set(*(const T *)a->factor);
  T *g;
  (void)thread;
  for (ptrdiff_t c = begin; c < end; c++) {
    const ptrdiff_t n = FN(grad_chunk)(a, c, &g);
    for (ptrdiff_t i = 0; i < n; i += VLEN) FN(put)(g + i, v_mul(FN(get)(g + i, n - i), k), n - i);
  }
}

static void FN(grad_clamp)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_grad_args *a = p;
  const vec low = v_set((T)a->low), high = v_set((T)a->high);
  T *g;
  (void)thread;
  for (ptrdiff_t c = begin; c < end; c++) {
    const ptrdiff_t n = FN(grad_chunk)(a, c, &g);
    for (ptrdiff_t i = 0; i < n; i += VLEN) FN(put)(g + i, v_min(high, v_max(low, FN(get)(g + i, n - i))), n - i);   /* NaN stays */
  }
}
