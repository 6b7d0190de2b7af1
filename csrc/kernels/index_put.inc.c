/* index_get, index_put, index_put_add: runs of the table's innermost axis, element types by size. */
static ptrdiff_t FN(offset_of)(ptrdiff_t i, ptrdiff_t ndim, const ptrdiff_t *dims, const ptrdiff_t *strides)
{
  ptrdiff_t offset = 0;
  for (ptrdiff_t d = ndim - 1; d >= 0; d--) {
    offset += i % dims[d] * strides[d];
    i /= dims[d];
  }
  return offset;
}

static void FN(run_get)(void *to, const char *table, ptrdiff_t at, ptrdiff_t stride, ptrdiff_t n, ptrdiff_t bytes)
{
  if (stride == 1) memcpy(to, table + at * bytes, (size_t)(n * bytes));
  else if (bytes == 1) for (ptrdiff_t i = 0; i < n; i++) ((char *)to)[i] = table[at + i * stride];
  else for (ptrdiff_t i = 0; i < n; i++) ((TI *)to)[i] = ((const TI *)table)[at + i * stride];
}

static void FN(index_get)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const fn_index_put_args *a = p;
  const ptrdiff_t last = a->inner_ndim - 1, n = a->inner_dims[last], stride = a->inner_strides[last];
  const char *table = a->table;
  (void)thread;
  while (begin < end) {
    const ptrdiff_t o = begin / a->k, base = FN(offset_of)(o, a->outer_ndim, a->outer_dims, a->outer_strides);
    const ptrdiff_t stop = (o + 1) * a->k < end ? (o + 1) * a->k : end;
    const int64_t *index = a->index - o * a->k;
    if (a->inner == 1 && a->bytes == 1) {
      for (ptrdiff_t r = begin; r < stop; r++) ((char *)a->rows)[r] = table[base + index[r] * a->scale];
    } else if (a->inner == 1) {
      for (ptrdiff_t r = begin; r < stop; r++) ((TI *)a->rows)[r] = ((const TI *)table)[base + index[r] * a->scale];
    } else for (ptrdiff_t r = begin; r < stop; r++) {
      const ptrdiff_t at = base + index[r] * a->scale;
      char *to = (char *)a->rows + r * a->inner * a->bytes;
      for (ptrdiff_t j = 0; j < a->inner; j += n)
        FN(run_get)(to + j * a->bytes, table, at + FN(offset_of)(j / n, last, a->inner_dims, a->inner_strides), stride, n, a->bytes);
    }
    begin = stop;
  }
}

enum { FN(RUN_SET), FN(RUN_ADD) };

FN_INLINE void FN(run_put)(int kind, const fn_index_put_args *a, ptrdiff_t at, ptrdiff_t stride, ptrdiff_t from, ptrdiff_t n)
{
  const ptrdiff_t step = a->step;
  if (a->bytes == 1) {
    unsigned char *y = (unsigned char *)a->table + at;
    const unsigned char *x = (const unsigned char *)a->rows + from * step;
    for (ptrdiff_t i = 0; i < n; i++) y[i * stride] = (unsigned char)(x[i * step] + (kind == FN(RUN_ADD) ? y[i * stride] : 0));
  } else if (kind == FN(RUN_SET) || a->integer) {
    TI *y = (TI *)a->table + at;
    const TI *x = (const TI *)a->rows + from * step;
    for (ptrdiff_t i = 0; i < n; i++) y[i * stride] = x[i * step] + (kind == FN(RUN_ADD) ? y[i * stride] : 0);
  } else if (stride == 1 && step == 1) {
    FN(accumulate_row)((const T *)a->rows + from, 1, (T *)a->table + at, 1, n);
  } else {
    T *y = (T *)a->table + at;
    const T *x = (const T *)a->rows + from * step;
    for (ptrdiff_t i = 0; i < n; i++) y[i * stride] += x[i * step];
  }
}

FN_INLINE void FN(put_walk)(int kind, const fn_index_put_args *a, ptrdiff_t begin, ptrdiff_t end)
{
  const ptrdiff_t last = a->inner_ndim - 1, width = a->inner_dims[last], stride = a->inner_strides[last];
  while (begin < end) {
    const ptrdiff_t o = begin / a->inner, j = begin % a->inner, at = j % width;
    ptrdiff_t n = width - at < end - begin ? width - at : end - begin;
    const ptrdiff_t base = FN(offset_of)(o, a->outer_ndim, a->outer_dims, a->outer_strides)
      + FN(offset_of)(j / width, last, a->inner_dims, a->inner_strides) + at * stride;
    for (ptrdiff_t b = 0; b < a->k; b++) FN(run_put)(kind, a, base + a->index[b] * a->scale, stride, (o * a->k + b) * a->inner + j, n);
    begin += n;
  }
}

static void FN(index_put)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread) { (void)thread; FN(put_walk)(FN(RUN_SET), p, begin, end); }
static void FN(index_put_add)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread) { (void)thread; FN(put_walk)(FN(RUN_ADD), p, begin, end); }
