/* recurrent_pack, recurrent_forward, recurrent_backward: a step is a product on the tile of GEMM, then a pass over its gates. */
#define gemm_job FN(gemm_job)
#define gemm_later FN(gemm_later)
#define GEMM_NR  FN(GEMM_NR)

static void FN(recurrent_pack)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_recurrent_pack_args *a = p;
  (void)thread;
  for (ptrdiff_t u = begin; u < end && u * GEMM_NR < a->n; u++) {
    const ptrdiff_t j = u * GEMM_NR, n = a->n - j < GEMM_NR ? a->n - j : GEMM_NR;
    FN(gemm_pack)(a->cs == 1 ? FN_PACK_COPY : a->rs == 1 ? FN_PACK_TRANSPOSE : FN_PACK_GATHER, (const T *)a->w + j * a->cs, a->rs, a->cs, a->k,
                  n, (T *)a->to + j * a->k);
  }
}

/* What the next step reads and writes, two blocks: the products of this step ask for it on the way, since all steps do not fit in a cache. */
typedef struct { gemm_later block[2]; } FN(recurrent_later);
#define recurrent_later FN(recurrent_later)

static recurrent_later FN(recurrent_ahead)(const fn_recurrent_args *a, ptrdiff_t t, ptrdiff_t begin, ptrdiff_t end, ptrdiff_t wide,
                                           const void *x, const void *y)
{
  recurrent_later to = { { { NULL, 0, 0 } } };
  if (GEMM_NV <= 2 || sizeof(T) != 4 || t < 0 || t >= a->steps) return to;      /* other tiles ask for nothing */
  const ptrdiff_t last = a->count[t] < end ? a->count[t] : end, from = (a->offset[t] + begin) * wide, n = (last - begin) * wide / GEMM_NR;
  to.block[0] = (gemm_later){ (const T *)x + from, GEMM_NR, n };
  if (y) to.block[1] = (gemm_later){ (const T *)y + from, GEMM_NR, n };
  return to;
}

/* c[rows][n] (+)= a[rows][k] . packed, rows of a and c at their pitches. */
static void FN(recurrent_product)(ptrdiff_t rows, ptrdiff_t n, ptrdiff_t k, const T *a, ptrdiff_t a_rs, const T *w, T *c, ptrdiff_t c_rs, int add,
                                  recurrent_later *next)
{
  gemm_job job = { .k = k, .a_rs = a_rs, .a_cs = 1, .b_rs = GEMM_NR, .c_rs = c_rs, .load_c = add, .lowest = -(T)INFINITY };
  for (ptrdiff_t j = 0; j < n; j += GEMM_NR, w += k * GEMM_NR) {
    const ptrdiff_t m = n - j < GEMM_NR ? n - j : GEMM_NR;
    if (job.next_b.rows <= 0) { job.next_b = next->block[0]; next->block[0] = next->block[1]; next->block[1].rows = 0; }
    if (GEMM_TAIL || m == GEMM_NR) { FN(gemm_rows)(&job, rows, m, a, w, c + j, NULL); continue; }
    T tile[GEMM_NR];                                 /* no masked stores: a row at a time beside c */
    gemm_job one = job;
    for (ptrdiff_t i = 0; i < rows; i++) {
      for (ptrdiff_t l = 0; l < GEMM_NR; l++) tile[l] = add && l < m ? c[i * c_rs + j + l] : (T)0;
      FN(gemm_rows)(&one, 1, GEMM_NR, a + i * a_rs, w, tile, NULL);
      memcpy(c + i * c_rs + j, tile, (size_t)m * sizeof(T));
    }
  }
}

static inline ptrdiff_t FN(recurrent_gates)(const fn_recurrent_args *a)
{
  return a->size * (a->kind == FN_LSTM ? 4 : a->kind == FN_GRU ? 3 : 1);
}

static void FN(lstm_cell)(const fn_recurrent_args *a, ptrdiff_t at, ptrdiff_t b)
{
  const ptrdiff_t n = a->size;
  T *gates = (T *)a->gates + at * 4 * n, *c = (T *)a->c + b * n, *cells = (T *)a->cells + at * n;
  T *m = a->w_project ? (T *)a->outputs + at * n : (T *)a->y + at * n, *h = a->w_project ? NULL : (T *)a->h + b * n;
  for (ptrdiff_t j = 0; j < n; j += VLEN) {
    const ptrdiff_t lanes = n - j;
    const vec i = v_sigmoid(FN(get)(gates + j, lanes)), f = v_sigmoid(FN(get)(gates + n + j, lanes));
    const vec g = v_tanh(FN(get)(gates + 2 * n + j, lanes)), o = v_sigmoid(FN(get)(gates + 3 * n + j, lanes));
    const vec next = v_fma(f, FN(get)(c + j, lanes), v_mul(i, g)), y = v_mul(o, v_tanh(next));
    FN(put)(gates + j, i, lanes);
    FN(put)(gates + n + j, f, lanes);
    FN(put)(gates + 2 * n + j, g, lanes);
    FN(put)(gates + 3 * n + j, o, lanes);
    FN(put)(c + j, next, lanes);
    FN(put)(cells + j, next, lanes);
    FN(put)(m + j, y, lanes);
    if (h) FN(put)(h + j, y, lanes);
  }
}

static void FN(gru_cell)(const fn_recurrent_args *a, ptrdiff_t at, ptrdiff_t b)
{
  const ptrdiff_t n = a->size;
  const T *bias = a->b_n;
  T *gates = (T *)a->gates + at * 3 * n, *hidden = (T *)a->hidden + at * n, *y = (T *)a->y + at * n, *h = (T *)a->h + b * n;
  for (ptrdiff_t j = 0; j < n; j += VLEN) {
    const ptrdiff_t lanes = n - j;
    const vec r = v_sigmoid(FN(get)(gates + j, lanes)), z = v_sigmoid(FN(get)(gates + n + j, lanes)), was = FN(get)(h + j, lanes);
    vec u = FN(get)(hidden + j, lanes);
    if (bias) u = v_add(u, FN(get)(bias + j, lanes));
    const vec x = v_tanh(v_fma(r, u, FN(get)(gates + 2 * n + j, lanes))), next = v_fma(z, v_sub(was, x), x);
    FN(put)(gates + j, r, lanes);
    FN(put)(gates + n + j, z, lanes);
    FN(put)(gates + 2 * n + j, x, lanes);
    FN(put)(hidden + j, u, lanes);
    FN(put)(y + j, next, lanes);
    FN(put)(h + j, next, lanes);
  }
}

static void FN(rnn_cell)(const fn_recurrent_args *a, ptrdiff_t at, ptrdiff_t b)
{
  const ptrdiff_t n = a->size;
  T *gates = (T *)a->gates + at * n, *y = (T *)a->y + at * n, *h = (T *)a->h + b * n;
  for (ptrdiff_t j = 0; j < n; j += VLEN) {
    const vec x = FN(get)(gates + j, n - j), next = a->kind == FN_RNN_TANH ? v_tanh(x) : v_max(v_zero(), x);
    FN(put)(y + j, next, n - j);
    FN(put)(h + j, next, n - j);
  }
}

static void FN(recurrent_forward)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_recurrent_args *a = p;
  const ptrdiff_t n = a->size, wide = FN(recurrent_gates)(a);
  T *h = (T *)a->h + begin * a->p;
  (void)thread;
  for (ptrdiff_t s = 0; s < a->steps; s++) {
    const ptrdiff_t t = a->reverse ? a->steps - 1 - s : s, last = a->count[t] < end ? a->count[t] : end, rows = last - begin;
    const ptrdiff_t at = a->offset[t] + begin;
    if (rows <= 0) continue;
    recurrent_later next = FN(recurrent_ahead)(a, a->reverse ? t - 1 : t + 1, begin, end, wide, a->gates, NULL);
    if (a->kind == FN_GRU) {
      FN(recurrent_product)(rows, 2 * n, n, h, n, a->w, (T *)a->gates + at * wide, wide, 1, &next);
      FN(recurrent_product)(rows, n, n, h, n, (const T *)a->w + fn_recurrent_packed(n, 2 * n), (T *)a->hidden + at * n, n, 0, &next);
    } else FN(recurrent_product)(rows, wide, a->p, h, a->p, a->w, (T *)a->gates + at * wide, wide, 1, &next);
    for (ptrdiff_t r = 0; r < rows; r++) {
      if (a->kind == FN_LSTM) FN(lstm_cell)(a, at + r, begin + r);
      else if (a->kind == FN_GRU) FN(gru_cell)(a, at + r, begin + r);
      else FN(rnn_cell)(a, at + r, begin + r);
    }
    if (a->w_project) {
      T *y = (T *)a->y + at * a->p;
      FN(recurrent_product)(rows, a->p, n, (T *)a->outputs + at * n, n, a->w_project, y, a->p, 0, &next);
      memcpy(h, y, (size_t)(rows * a->p) * sizeof(T));
    }
  }
}

/* What step t of sequence b started from: a row of `all`, or the first state. */
static inline const T *FN(recurrent_before)(const fn_recurrent_args *a, ptrdiff_t t, ptrdiff_t b, const void *all, const void *first, ptrdiff_t n)
{
  const ptrdiff_t from = a->reverse ? t + 1 : t - 1;
  return from >= 0 && from < a->steps && b < a->count[from] ? (const T *)all + (a->offset[from] + b) * n : (const T *)first + b * n;
}

static void FN(lstm_cell_backward)(const fn_recurrent_args *a, const T *gm, const T *c0, ptrdiff_t at, ptrdiff_t b)
{
  const ptrdiff_t n = a->size;
  const vec one = v_set(1);
  T *to = (T *)a->ggates + at * 4 * n, *gc = (T *)a->gc + b * n;
  const T *gates = (const T *)a->gates + at * 4 * n, *c = (const T *)a->cells + at * n;
  for (ptrdiff_t j = 0; j < n; j += VLEN) {
    const ptrdiff_t lanes = n - j;
    const vec i = FN(get)(gates + j, lanes), f = FN(get)(gates + n + j, lanes), g = FN(get)(gates + 2 * n + j, lanes);
    const vec o = FN(get)(gates + 3 * n + j, lanes), d = FN(get)(gm + j, lanes), th = v_tanh(FN(get)(c + j, lanes));
    const vec dc = v_fma(v_mul(d, o), v_fnma(th, th, one), FN(get)(gc + j, lanes));
    FN(put)(to + j, v_mul(v_mul(dc, g), v_mul(i, v_sub(one, i))), lanes);
    FN(put)(to + n + j, v_mul(v_mul(dc, FN(get)(c0 + j, lanes)), v_mul(f, v_sub(one, f))), lanes);
    FN(put)(to + 2 * n + j, v_mul(v_mul(dc, i), v_fnma(g, g, one)), lanes);
    FN(put)(to + 3 * n + j, v_mul(v_mul(d, th), v_mul(o, v_sub(one, o))), lanes);
    FN(put)(gc + j, v_mul(dc, f), lanes);
  }
}

/* gh becomes the part of the gradient that goes past the gates. */
static void FN(gru_cell_backward)(const fn_recurrent_args *a, T *gh, const T *h0, ptrdiff_t at)
{
  const ptrdiff_t n = a->size;
  const vec one = v_set(1);
  const T *gates = (const T *)a->gates + at * 3 * n, *hidden = (const T *)a->hidden + at * n;
  T *to = (T *)a->ggates + at * 3 * n, *to_hidden = (T *)a->ghidden + at * n;
  for (ptrdiff_t j = 0; j < n; j += VLEN) {
    const ptrdiff_t lanes = n - j;
    const vec r = FN(get)(gates + j, lanes), z = FN(get)(gates + n + j, lanes), x = FN(get)(gates + 2 * n + j, lanes);
    const vec u = FN(get)(hidden + j, lanes), d = FN(get)(gh + j, lanes), dx = v_mul(v_mul(d, v_sub(one, z)), v_fnma(x, x, one));
    FN(put)(to + j, v_mul(v_mul(dx, u), v_mul(r, v_sub(one, r))), lanes);
    FN(put)(to + n + j, v_mul(v_mul(d, v_sub(FN(get)(h0 + j, lanes), x)), v_mul(z, v_sub(one, z))), lanes);
    FN(put)(to + 2 * n + j, dx, lanes);
    FN(put)(to_hidden + j, v_mul(dx, r), lanes);
    FN(put)(gh + j, v_mul(d, z), lanes);
  }
}

static void FN(rnn_cell_backward)(const fn_recurrent_args *a, const T *gh, ptrdiff_t at)
{
  const ptrdiff_t n = a->size;
  const T *y = (const T *)a->y + at * n;
  T *to = (T *)a->ggates + at * n;
  for (ptrdiff_t j = 0; j < n; j += VLEN) {
    const vec h = FN(get)(y + j, n - j), d = FN(get)(gh + j, n - j);
    FN(put)(to + j, a->kind == FN_RNN_TANH ? v_mul(d, v_fnma(h, h, v_set(1))) : v_select(v_le(h, v_zero()), v_zero(), d), n - j);
  }
}

static void FN(recurrent_backward)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_recurrent_args *a = p;
  const ptrdiff_t n = a->size, wide = FN(recurrent_gates)(a);
  T *gh = (T *)a->gh + begin * a->p, *gm = (T *)a->gm + begin * n;
  (void)thread;
  for (ptrdiff_t s = 0; s < a->steps; s++) {
    const ptrdiff_t t = a->reverse ? s : a->steps - 1 - s, last = a->count[t] < end ? a->count[t] : end, rows = last - begin;
    const ptrdiff_t at = a->offset[t] + begin;
    if (rows <= 0) continue;
    recurrent_later next = FN(recurrent_ahead)(a, a->reverse ? t + 1 : t - 1, begin, end, wide, a->gates, a->ggates);
    const T *gy = (const T *)a->gy + at * a->p;
    for (ptrdiff_t j = 0; j < rows * a->p; j += VLEN) {
      const ptrdiff_t lanes = rows * a->p - j;
      FN(put)(gh + j, v_add(FN(get)(gh + j, lanes), FN(get)(gy + j, lanes)), lanes);
    }
    if (a->w_project) {
      memcpy((T *)a->projected + at * a->p, gh, (size_t)(rows * a->p) * sizeof(T));
      FN(recurrent_product)(rows, n, a->p, gh, a->p, a->w_project, gm, n, 0, &next);
    }
    for (ptrdiff_t r = 0; r < rows; r++) {
      const T *h0 = FN(recurrent_before)(a, t, begin + r, a->y, a->h0, a->p);
      memcpy((T *)a->before + (at + r) * a->p, h0, (size_t)a->p * sizeof(T));
      if (a->kind == FN_LSTM)
        FN(lstm_cell_backward)(a, (a->w_project ? gm : gh) + r * n, FN(recurrent_before)(a, t, begin + r, a->cells, a->c0, n), at + r, begin + r);
      else if (a->kind == FN_GRU) FN(gru_cell_backward)(a, gh + r * n, h0, at + r);
      else FN(rnn_cell_backward)(a, gh + r * n, at + r);
    }
    if (a->kind == FN_GRU) {
      FN(recurrent_product)(rows, n, 2 * n, (const T *)a->ggates + at * wide, wide, a->w, gh, n, 1, &next);
      FN(recurrent_product)(rows, n, n, (const T *)a->ghidden + at * n, n, (const T *)a->w + fn_recurrent_packed(2 * n, n), gh, n, 1, &next);
    } else FN(recurrent_product)(rows, a->p, wide, (const T *)a->ggates + at * wide, wide, a->w, gh, a->p, 0, &next);
  }
}

#undef recurrent_later
#undef gemm_later
#undef gemm_job
#undef GEMM_NR
