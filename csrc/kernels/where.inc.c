/* where: y = condition ? a : b.  p[1] is bytes; a and b are any type of T's size, moved as they are. */
#ifdef FN_KERNEL
FN_KERNEL(where)
#else
static void FN(where_row)(void *const *p, unsigned same, ptrdiff_t n, const fn_elementwise_args *args)
{
  TI *to = p[0];
  const uint8_t *c = p[1];
  const TI *a = p[2], *b = p[3];
  (void)args;
  if (same & 8) {
    const TI other = *b;
#pragma GCC ivdep
    for (ptrdiff_t i = 0; i < n; i++) { const TI v = a[i]; to[i] = c[i] ? v : other; }
  } else {
#pragma GCC ivdep
    for (ptrdiff_t i = 0; i < n; i++) { const TI v = a[i], w = b[i]; to[i] = c[i] ? v : w; }
  }
}

static void FN(where)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  (void)thread;
  FN(walk)(p, begin, end, (FN(row_form)){ { sizeof(T), 1, sizeof(T), sizeof(T) }, 4, 8 }, FN(where_row));
}
#endif
