/* One row: y = x past the caches, y += x. */

/* Past the caches: whole vectors where y is aligned, the rest as usual. */
static inline void FN(copy_stream)(const T *x, T *y, ptrdiff_t n)
{
  ptrdiff_t i = (ptrdiff_t)(-(uintptr_t)y % (VLEN * sizeof(T)) / sizeof(T));
  if (i > n) i = n;
  memmove(y, x, (size_t)i * sizeof(T));
  for (; i + VLEN <= n; i += VLEN) v_stream(y + i, v_load(x + i));
  memmove(y + i, x + i, (size_t)(n - i) * sizeof(T));
}

static inline void FN(accumulate_row)(const T *x, ptrdiff_t xs, T *y, ptrdiff_t ys, ptrdiff_t n)
{
  ptrdiff_t i = 0;
  if (xs == 1 && ys == 1) {
    for (; i + VLEN <= n; i += VLEN) v_store(y + i, v_add(v_load(y + i), v_load(x + i)));
    v_storen(y + i, v_add(v_loadn(y + i, n - i), v_loadn(x + i, n - i)), n - i);
    return;
  }
  for (; i < n; i++) y[i * ys] += x[i * xs];
}
