/* attention_forward, attention_backward: blocks of queries and keys on the tile of GEMM; between the products, the softmax row by row. */
#define gemm_job FN(gemm_job)
#define GEMM_NR  FN(GEMM_NR)

enum { FN(ATT_COLS) = ATTENTION_COLS / GEMM_NR * GEMM_NR };
#define ATT_COLS FN(ATT_COLS)

/* Elements between rows of a block that is an operand of a tile: whole vectors, or whole tiles where there are no masked loads. */
static inline ptrdiff_t FN(att_pitch)(ptrdiff_t e)
{
  const ptrdiff_t to = GEMM_TAIL ? GLEN : GEMM_NR;
  return (e + to - 1) / to * to;
}

/* to[rows][pitch] = x * scale, with zeros behind. */
static void FN(att_rows)(const T *x, ptrdiff_t xs, ptrdiff_t rows, ptrdiff_t n, T scale, T *to)
{
  const ptrdiff_t pitch = FN(att_pitch)(n);
  const vec by = v_set(scale);
  for (ptrdiff_t i = 0; i < rows; i++, x += xs, to += pitch) {
    ptrdiff_t j = 0;
    for (; j + VLEN <= n; j += VLEN) v_store(to + j, v_mul(v_load(x + j), by));
    if (j < n) v_storen(to + j, v_mul(v_loadn(x + j, n - j), by), n - j);
    for (j = n; j < pitch; j++) to[j] = 0;
  }
}

/* The transpose of n rows of e, as panels of GEMM_NR columns. */
static void FN(att_pack)(const T *x, ptrdiff_t xs, ptrdiff_t n, ptrdiff_t e, T *to)
{
  for (ptrdiff_t j = 0; j < n; j += GEMM_NR) FN(gemm_pack_transpose)(x + j * xs, xs, e, n - j < GEMM_NR ? n - j : GEMM_NR, to + j * e);
}

/* c[rows][n] (+)= a.b; b lies in panels, or (b_js == 1) in rows of b_rs. */
static void FN(att_product)(ptrdiff_t rows, ptrdiff_t n, ptrdiff_t k, const T *a, ptrdiff_t a_rs, ptrdiff_t a_cs, const T *b, ptrdiff_t b_rs,
                            ptrdiff_t b_js, T *c, ptrdiff_t c_rs, int add)
{
  gemm_job job = { .k = k, .a_rs = a_rs, .a_cs = a_cs, .b_rs = b_rs, .c_rs = c_rs, .load_c = add, .lowest = -(T)INFINITY };
  for (ptrdiff_t j = 0; j < n; j += GEMM_NR)
    FN(gemm_rows)(&job, rows, !GEMM_TAIL || n - j > GEMM_NR ? GEMM_NR : n - j, a, b + j * b_js, c + j, NULL);
}

/* As att_product, without what causality hides.  Row 0 of the queries sees `past` keys and the one after them, each further row one more:
   COLUMNS  C is queries x keys: fewer columns.
   DEPTH    C is queries x features, k runs over keys: a shorter k.
   FROM     C is keys x features, k runs over queries: later keys begin at later queries.  past is a multiple of ATTENTION_STEP. */
enum { FN(ATT_COLUMNS), FN(ATT_DEPTH), FN(ATT_FROM) };
static void FN(att_seen)(int what, ptrdiff_t past, ptrdiff_t rows, ptrdiff_t n, ptrdiff_t k, const T *a, ptrdiff_t a_rs, ptrdiff_t a_cs,
                         const T *b, ptrdiff_t b_rs, ptrdiff_t b_js, T *c, ptrdiff_t c_rs, int add)
{
  const ptrdiff_t keys = what == FN(ATT_COLUMNS) ? n : k;
  for (ptrdiff_t r = 0, take; r < rows; r += take) {
    if (what == FN(ATT_FROM)) take = r < past ? past : ATTENTION_STEP;
    else take = past + r + 1 < keys ? ATTENTION_STEP : rows;
    if (take > rows - r) take = rows - r;
    const ptrdiff_t last = past + r + take, seen = last < 0 ? 0 : last < keys ? last : keys, from = what == FN(ATT_FROM) && r > past ? r - past : 0;
    FN(att_product)(take, what == FN(ATT_COLUMNS) ? seen : n, what == FN(ATT_DEPTH) ? seen : k - from, a + r * a_rs + from * a_cs, a_rs, a_cs,
                    b + from * b_rs, b_rs, b_js, c + r * c_rs, c_rs, add);
  }
}

/* How many of n keys the products above read in row r of the queries: what its group of rows sees. */
static inline ptrdiff_t FN(att_read)(ptrdiff_t past, ptrdiff_t r, ptrdiff_t n)
{
  const ptrdiff_t last = past + r / ATTENTION_STEP * ATTENTION_STEP + ATTENTION_STEP;
  return last < n ? last : n;
}

/* What hides or shifts the scores of one row against keys j0 to j0 + n.  Returns how many keys the row sees: those behind are hidden. */
static ptrdiff_t FN(att_mask)(const fn_attention_args *a, ptrdiff_t b, ptrdiff_t h, ptrdiff_t i, ptrdiff_t j0, ptrdiff_t n, T *s)
{
  if (a->causal && n > i + 1 - j0) n = i + 1 - j0 > 0 ? i + 1 - j0 : 0;
  if (a->mask_kind == FN_MASK_NONE) return n;
  const ptrdiff_t at = b * a->ms[0] + h * a->ms[1] + i * a->ms[2] + j0 * a->ms[3], step = a->ms[3];
  if (a->mask_kind == FN_MASK_KEEP) {
    const uint8_t *keep = (const uint8_t *)a->mask + at;
    for (ptrdiff_t j = 0; j < n; j++) s[j] = keep[j * step] ? s[j] : -(T)INFINITY;
  } else {
    const T *add = (const T *)a->mask + at;
    for (ptrdiff_t j = 0; j < n; j++) s[j] += add[j * step];
  }
  return n;
}

/* by[j] = 1 / (1 - dropout) for the weights that are kept, 0 for the others: keys j0 to j0 + n of row `row` of all rows. */
static void FN(att_keep)(const fn_attention_args *a, ptrdiff_t row, ptrdiff_t j0, ptrdiff_t n, T *by)
{
  const ptrdiff_t per = FN(PER_GROUP), groups = (a->s + per - 1) / per;
  const T scale = a->dropout < 1 ? (T)(1 / (1 - a->dropout)) : 0, low = (T)a->dropout;
  T u[FN(PER_GROUP)];
  ptrdiff_t held = -1;
  for (ptrdiff_t j = 0; j < n; j++) {
    const ptrdiff_t group = (j0 + j) / per;
    if (group != held) { FN(uniform_group)(a->key, (uint64_t)(row * groups + group), u); held = group; }
    by[j] = u[(j0 + j) % per] >= low ? scale : 0;
  }
}

static inline T FN(att_max)(const T *s, ptrdiff_t n)
{
  vec top = v_set(-(T)INFINITY);
  ptrdiff_t j = 0;
  for (; j + VLEN <= n; j += VLEN) top = v_max(v_load(s + j), top);
  if (j < n) top = v_max(v_select(FN(first)(n - j), v_loadn(s + j, n - j), v_set(-(T)INFINITY)), top);
  return v_hmax(top);
}

/* s[j] = exp(s[j] - shift) where the row sees, 0 behind as far as n; returns the sum. */
static inline T FN(att_exp)(T *s, ptrdiff_t seen, ptrdiff_t n, T shift)
{
  const vec by = v_set(shift);
  vec sum = v_zero();
  ptrdiff_t j = 0;
  for (; j + VLEN <= seen; j += VLEN) {
    const vec e = v_exp(v_sub(v_load(s + j), by));
    v_store(s + j, e);
    sum = v_add(sum, e);
  }
  if (j < seen) {
    const vec e = v_select(FN(first)(seen - j), v_exp(v_sub(v_loadn(s + j, seen - j), by)), v_zero());
    const ptrdiff_t lanes = n - j < VLEN ? n - j : VLEN;
    v_storen(s + j, e, lanes);
    sum = v_add(sum, e);
    j += lanes;
  }
  for (; j < n; j++) s[j] = 0;
  return v_sum(sum);
}

static inline void FN(att_scale)(T *x, ptrdiff_t n, T by)
{
  const vec k = v_set(by);
  for (ptrdiff_t j = 0; j < n; j += VLEN) FN(put)(x + j, v_mul(FN(get)(x + j, n - j), k), n - j);
}

/* Ask for rows that will be read soon: to L2, since blocks of keys and of values take turns, and each begins another stream from memory. */
static inline void FN(att_ask)(const T *x, ptrdiff_t xs, ptrdiff_t rows, ptrdiff_t n)
{
  for (ptrdiff_t i = 0; i < rows; i++, x += xs)
    for (ptrdiff_t j = 0; j < n; j += 64 / (ptrdiff_t)sizeof(T)) __builtin_prefetch(x + j, 0, 2);
}

/* What the next head reads: its rows are asked for one by one while this head's softmax is computed, since each head lies elsewhere. */
typedef struct { const T *x[5]; ptrdiff_t step[5], n[5], count; } FN(att_next);
#define att_next FN(att_next)

static att_next FN(att_after)(const fn_attention_args *a, ptrdiff_t b, ptrdiff_t h, int backward)
{
  att_next next = { .count = 0 };
  if (sizeof(T) != 4 || VLEN == 1) return next;      /* not worth its code */
  if (++h == a->heads) { h = 0; b++; }
  if (b == a->batch || a->heads != a->kv_heads || a->s != a->l || a->l * (a->e + a->ev) * (ptrdiff_t)sizeof(T) > 1 << 17) return next;
  const void *from[5] = { a->q, a->k, a->v, a->y, a->gy };
  const ptrdiff_t *strides[5] = { a->qs, a->ks, a->vs, a->ys, a->gs };
  next.count = backward ? 5 : 3;
  for (int t = 0; t < next.count; t++) {
    next.x[t] = (const T *)from[t] + b * strides[t][0] + h * strides[t][1];
    next.step[t] = strides[t][2];
    next.n[t] = t < 2 ? a->e : a->ev;
  }
  return next;
}

static inline void FN(att_ask_row)(const att_next *next, ptrdiff_t i)
{
  for (int t = 0; t < next->count; t++) FN(att_ask)(next->x[t] + i * next->step[t], 0, 1, next->n[t]);
}

/* Scores of `rows` queries (scaled, at pitch) against n keys. */
static void FN(att_scores)(ptrdiff_t past, ptrdiff_t rows, ptrdiff_t n, ptrdiff_t e, const T *q, const T *k, ptrdiff_t ks, const T *packed,
                           T *s, const T *v, ptrdiff_t vs, ptrdiff_t ev)
{
  const ptrdiff_t pitch = FN(att_pitch)(e);
  if (packed) { FN(att_seen)(FN(ATT_COLUMNS), past, rows, n, e, q, pitch, 1, packed, GEMM_NR, e, s, ATT_COLS, 0); return; }
  for (ptrdiff_t i = 0; i < rows; i++)
    for (ptrdiff_t j = 0; j < n; j += FN(DOT_COLUMNS)) {
      T out[FN(DOT_COLUMNS)];
      const int columns = (int)(n - j < FN(DOT_COLUMNS) ? n - j : FN(DOT_COLUMNS));
      if (i == 0) {
        FN(att_ask)(v + j * vs, vs, columns, ev);
        FN(att_ask)(k + (j + 32) * ks, ks, columns, ev);
      }
      FN(dot_rows)(1, columns, e, q + i * pitch, pitch, k + j * ks, ks, out);
      memcpy(s + i * ATT_COLS + j, out, (size_t)columns * sizeof(T));
    }
}

/* Queries i0 to i1 of one head. */
static void FN(attention_rows)(const fn_attention_args *a, ptrdiff_t b, ptrdiff_t h, ptrdiff_t i0, ptrdiff_t i1, T *scratch)
{
  const ptrdiff_t e = a->e, ev = a->ev, pe = FN(att_pitch)(e), pv = FN(att_pitch)(ev), kv = h / (a->heads / a->kv_heads), few = i1 - i0 <= ATTENTION_FEW;
  const ptrdiff_t keys = a->causal && a->s > i1 ? i1 : a->s;
  T *packed = scratch, *vs = packed + ATT_COLS * e, *s = vs + ATT_COLS * pv, *q = s + ATTENTION_ROWS * ATT_COLS;
  T *acc = q + ATTENTION_GROUP * pe, *top = acc + ATTENTION_GROUP * pv, *sum = top + ATTENTION_GROUP;
  T keep[ATTENTION_COLS], now[ATTENTION_ROWS], old[ATTENTION_ROWS];
  ptrdiff_t seen[ATTENTION_ROWS];
  const T *k = (const T *)a->k + b * a->ks[0] + kv * a->ks[1], *v = (const T *)a->v + b * a->vs[0] + kv * a->vs[1];
  FN(att_rows)((const T *)a->q + b * a->qs[0] + h * a->qs[1] + i0 * a->qs[2], a->qs[2], i1 - i0, e, (T)a->scale, q);
  const att_next next = FN(att_after)(a, b, h, 0);
  for (ptrdiff_t i = 0; i < i1 - i0; i++) { top[i] = -(T)INFINITY; sum[i] = 0; }
  if (!keys) memset(acc, 0, (size_t)((i1 - i0) * pv) * sizeof(T));
  for (ptrdiff_t j0 = 0; j0 < keys; j0 += ATT_COLS) {
    const ptrdiff_t block = keys - j0 < ATT_COLS ? keys - j0 : ATT_COLS;
    if (!few) FN(att_pack)(k + j0 * a->ks[2], a->ks[2], block, e, packed);
    const int direct = GEMM_TAIL;                     /* values are read from where they lie, unless the tile wants them padded */
    if (!direct) FN(att_rows)(v + j0 * a->vs[2], a->vs[2], block, ev, 1, vs);
    for (ptrdiff_t r0 = 0; r0 < i1 - i0; r0 += ATTENTION_ROWS) {
      const ptrdiff_t rows = i1 - i0 - r0 < ATTENTION_ROWS ? i1 - i0 - r0 : ATTENTION_ROWS;
      const ptrdiff_t n = a->causal && i0 + r0 + rows - j0 < block ? i0 + r0 + rows - j0 : block;      /* keys that one of the rows sees */
      if (n <= 0) continue;
      const ptrdiff_t past = a->causal ? i0 + r0 - j0 : n;
      FN(att_scores)(past, rows, n, e, q + r0 * pe, k + j0 * a->ks[2], a->ks[2], few ? NULL : packed, s,
                     v + j0 * a->vs[2], a->vs[2], ev);
      for (ptrdiff_t r = 0; r < rows; r++) {           /* all maxima first: a row would wait for its own */
        T *row = s + r * ATT_COLS;
        seen[r] = FN(att_mask)(a, b, h, i0 + r0 + r, j0, n, row);
        const T most = FN(att_max)(row, seen[r]), before = top[r0 + r];
        now[r] = most > before ? most : before;
      }
      for (ptrdiff_t r = 0; r < rows; r += VLEN) {
        const vec before = FN(get)(top + r0 + r, rows - r), most = FN(get)(now + r, rows - r);
        FN(put)(old + r, v_select(v_eq(before, most), v_set(1), v_exp(v_sub(before, most))), rows - r);
        FN(put)(top + r0 + r, most, rows - r);
      }
      for (ptrdiff_t r = r0; r < r0 + rows; r++) {
        if (j0 == 0) FN(att_ask_row)(&next, i0 + r);
        T *row = s + (r - r0) * ATT_COLS;
        const ptrdiff_t read = FN(att_read)(past, r - r0, n);
        sum[r] = sum[r] * old[r - r0] + FN(att_exp)(row, seen[r - r0], read, top[r] == -(T)INFINITY ? 0 : top[r]);
        if (a->dropout > 0) {
          FN(att_keep)(a, (b * a->heads + h) * a->l + i0 + r, j0, n, keep);
          for (ptrdiff_t j = 0; j < read; j++) row[j] *= keep[j];
        }
        if (old[r - r0] != 1 && j0) FN(att_scale)(acc + r * pv, pv, old[r - r0]);
      }
      FN(att_seen)(FN(ATT_DEPTH), past, rows, ev, n, s, ATT_COLS, 1, direct ? v + j0 * a->vs[2] : vs, direct ? a->vs[2] : pv, 1,
                   acc + r0 * pv, pv, j0 > 0);
    }
  }
  for (ptrdiff_t r = 0; r < i1 - i0; r++) {
    T *y = (T *)a->y + b * a->ys[0] + h * a->ys[1] + (i0 + r) * a->ys[2];
    const vec by = v_set(sum[r] == 0 ? 0 : 1 / sum[r]);
    for (ptrdiff_t j = 0; j < ev; j += VLEN) FN(put)(y + j, v_mul(FN(get)(acc + r * pv + j, ev - j), by), ev - j);
  }
  T *lse = (T *)a->lse + (b * a->heads + h) * a->l + i0;
  for (ptrdiff_t r = 0; r < i1 - i0; r += VLEN) {
    const vec of = FN(get)(sum + r, i1 - i0 - r);
    const vec y = v_select(v_eq(of, v_zero()), v_set((T)INFINITY), v_add(FN(get)(top + r, i1 - i0 - r), v_log(of)));
    FN(put)(lse + r, y, i1 - i0 - r);
  }
}

static void FN(attention_forward)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_attention_args *a = p;
  const ptrdiff_t groups = (a->l + ATTENTION_GROUP - 1) / ATTENTION_GROUP;
  for (ptrdiff_t u = begin; u < end; u++) {
    const ptrdiff_t i0 = u % groups * ATTENTION_GROUP, head = u / groups;
    FN(attention_rows)(a, head / a->heads, head % a->heads, i0, a->l - i0 < ATTENTION_GROUP ? a->l : i0 + ATTENTION_GROUP,
                       (T *)a->scratch + thread * a->scratch_size);
  }
}

/* What one key head's queries need at each block of keys, for all of them. */
typedef struct { T *q, *gy, *gq, *dot; } FN(att_queries);
#define att_queries FN(att_queries)

/* Scaled queries and gradients at their pitch, and for each row the sum of y gy. */
static void FN(att_gather)(const fn_attention_args *a, ptrdiff_t b, ptrdiff_t h, att_queries *to)
{
  const ptrdiff_t pe = FN(att_pitch)(a->e);
  const T *y = (const T *)a->y + b * a->ys[0] + h * a->ys[1], *gy = (const T *)a->gy + b * a->gs[0] + h * a->gs[1];
  FN(att_rows)((const T *)a->q + b * a->qs[0] + h * a->qs[1], a->qs[2], a->l, a->e, (T)a->scale, to->q);
  FN(att_rows)(gy, a->gs[2], a->l, a->ev, 1, to->gy);
  if (!a->s) memset(to->gq, 0, (size_t)(a->l * pe) * sizeof(T));
  for (ptrdiff_t i = 0; i < a->l; i++, y += a->ys[2], gy += a->gs[2]) {
    vec sum = v_zero();
    ptrdiff_t j = 0;
    for (; j + VLEN <= a->ev; j += VLEN) sum = v_fma(v_load(y + j), v_load(gy + j), sum);
    if (j < a->ev) sum = v_fma(v_loadn(y + j, a->ev - j), v_loadn(gy + j, a->ev - j), sum);
    to->dot[i] = v_sum(sum);
  }
}

/* Blocks of weights p and of their gradients dp, rows of queries i0..: p = exp(s - lse), dp = p (dp - dot); p takes the dropout with it. */
static void FN(att_differentiate)(const fn_attention_args *a, ptrdiff_t b, ptrdiff_t h, ptrdiff_t i0, ptrdiff_t rows, ptrdiff_t j0, ptrdiff_t past,
                                  ptrdiff_t keys, const T *dot, const att_next *next, T *p, T *dp)
{
  T keep[ATTENTION_COLS];
  for (ptrdiff_t r = 0; r < rows; r++, p += ATT_COLS, dp += ATT_COLS) {
    if (j0 == 0) FN(att_ask_row)(next, i0 + r);
    const ptrdiff_t row = (b * a->heads + h) * a->l + i0 + r, n = FN(att_read)(past, r, keys), seen = FN(att_mask)(a, b, h, i0 + r, j0, n, p);
    FN(att_exp)(p, seen, n, ((const T *)a->lse)[row]);
    if (a->dropout > 0) {
      FN(att_keep)(a, row, j0, n, keep);
      for (ptrdiff_t j = 0; j < n; j++) {
        dp[j] = p[j] * (dp[j] * keep[j] - dot[i0 + r]);
        p[j] *= keep[j];
      }
      continue;
    }
    const vec d = v_set(dot[i0 + r]);
    for (ptrdiff_t j = 0; j < n; j += VLEN)
      FN(put)(dp + j, v_mul(FN(get)(p + j, n - j), v_sub(FN(get)(dp + j, n - j), d)), n - j);
  }
}

static void FN(att_store)(const T *from, ptrdiff_t rows, ptrdiff_t n, T by, T *to, ptrdiff_t step)
{
  const vec k = v_set(by);
  for (ptrdiff_t i = 0; i < rows; i++, from += FN(att_pitch)(n), to += step)
    for (ptrdiff_t j = 0; j < n; j += VLEN) FN(put)(to + j, v_mul(FN(get)(from + j, n - j), k), n - j);
}

/* One key head of one batch: for each block of keys, all queries of all heads that read it. */
static void FN(attention_keys)(const fn_attention_args *a, ptrdiff_t b, ptrdiff_t kv, T *scratch)
{
  const ptrdiff_t e = a->e, ev = a->ev, pe = FN(att_pitch)(e), pv = FN(att_pitch)(ev), heads = a->heads / a->kv_heads;
  T *packed = scratch, *packed_v = packed + ATT_COLS * e, *ks = packed_v + ATT_COLS * ev, *p = ks + ATT_COLS * pe;
  T *dp = p + ATTENTION_ROWS * ATT_COLS, *gk = dp + ATTENTION_ROWS * ATT_COLS, *gv = gk + ATT_COLS * pe, *rest = gv + ATT_COLS * pv;
  const att_queries all = { rest, rest + heads * a->l * pe, rest + heads * a->l * (pe + pv), rest + heads * a->l * (2 * pe + pv) };
  const T *k = (const T *)a->k + b * a->ks[0] + kv * a->ks[1], *v = (const T *)a->v + b * a->vs[0] + kv * a->vs[1];
  T *gq = (T *)a->gq + b * a->gqs[0] + kv * heads * a->gqs[1];
  const att_next next = FN(att_after)(a, b, kv, 1);
  const int direct = GEMM_TAIL;                       /* gradients grow where they belong: nothing is written past a row's end */
  for (ptrdiff_t g = 0; g < heads; g++) {
    att_queries at = { all.q + g * a->l * pe, all.gy + g * a->l * pv, all.gq + g * a->l * pe, all.dot + g * a->l };
    FN(att_gather)(a, b, kv * heads + g, &at);
  }
  for (ptrdiff_t j0 = 0; j0 < a->s; j0 += ATT_COLS) {
    const ptrdiff_t block = a->s - j0 < ATT_COLS ? a->s - j0 : ATT_COLS, first = a->causal ? j0 : 0;
    FN(att_pack)(k + j0 * a->ks[2], a->ks[2], block, e, packed);
    FN(att_pack)(v + j0 * a->vs[2], a->vs[2], block, ev, packed_v);
    FN(att_rows)(k + j0 * a->ks[2], a->ks[2], block, e, (T)a->scale, ks);
    T *tk = direct ? (T *)a->gk + b * a->gks[0] + kv * a->gks[1] + j0 * a->gks[2] : gk;
    T *tv = direct ? (T *)a->gv + b * a->gvs[0] + kv * a->gvs[1] + j0 * a->gvs[2] : gv;
    const ptrdiff_t sk = direct ? a->gks[2] : pe, sv = direct ? a->gvs[2] : pv;
    ptrdiff_t begun = 0;                              /* keys that a query has met: the first queries of a block meet all that any meets */
    for (ptrdiff_t g = 0; g < heads; g++)
      for (ptrdiff_t i0 = first; i0 < a->l; i0 += ATTENTION_ROWS) {
        const ptrdiff_t rows = a->l - i0 < ATTENTION_ROWS ? a->l - i0 : ATTENTION_ROWS, at = g * a->l + i0;
        const ptrdiff_t n = a->causal && i0 + rows - j0 < block ? i0 + rows - j0 : block;      /* keys that one of the rows sees */
        const ptrdiff_t past = a->causal ? i0 - j0 : ATTENTION_ROWS * ATTENTION_COLS;
        FN(att_seen)(FN(ATT_COLUMNS), past, rows, n, e, all.q + at * pe, pe, 1, packed, GEMM_NR, e, p, ATT_COLS, 0);
        FN(att_seen)(FN(ATT_COLUMNS), past, rows, n, ev, all.gy + at * pv, pv, 1, packed_v, GEMM_NR, ev, dp, ATT_COLS, 0);
        FN(att_differentiate)(a, b, kv * heads + g, i0, rows, j0, past, n, all.dot + g * a->l, &next, p, dp);
        FN(att_seen)(FN(ATT_FROM), past, n, ev, rows, p, 1, ATT_COLS, all.gy + at * pv, pv, 1, tv, sv, begun > 0);
        FN(att_seen)(FN(ATT_FROM), past, n, e, rows, dp, 1, ATT_COLS, all.q + at * pe, pe, 1, tk, sk, begun > 0);
        FN(att_seen)(FN(ATT_DEPTH), past, rows, e, n, dp, ATT_COLS, 1, ks, pe, 1, direct ? gq + g * a->gqs[1] + i0 * a->gqs[2] : all.gq + at * pe,
                     direct ? a->gqs[2] : pe, j0 > 0);
        if (!begun) begun = n;
      }
    for (ptrdiff_t j = begun; j < block; j++) { memset(tk + j * sk, 0, (size_t)e * sizeof(T)); memset(tv + j * sv, 0, (size_t)ev * sizeof(T)); }
    if (direct) continue;
    FN(att_store)(gk, block, e, 1, (T *)a->gk + b * a->gks[0] + kv * a->gks[1] + j0 * a->gks[2], a->gks[2]);
    FN(att_store)(gv, block, ev, 1, (T *)a->gv + b * a->gvs[0] + kv * a->gvs[1] + j0 * a->gvs[2], a->gvs[2]);
  }
  for (ptrdiff_t g = 0; g < heads && (!direct || !a->s); g++)
    FN(att_store)(all.gq + g * a->l * pe, a->l, e, 1, (T *)a->gq + b * a->gqs[0] + (kv * heads + g) * a->gqs[1], a->gqs[2]);
}

static void FN(attention_backward)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_attention_args *a = p;
  for (ptrdiff_t u = begin; u < end; u++)
    FN(attention_keys)(a, u / a->kv_heads, u % a->kv_heads, (T *)a->scratch + thread * a->scratch_size);
}

#undef att_queries
#undef att_next
#undef ATT_COLS
#undef gemm_job
#undef GEMM_NR
