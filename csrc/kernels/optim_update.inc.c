/* <OP>_update from <OP>_run.  OP is defined by the includer and ends here. */
static void FN(FN_JOIN(OP, body))(const fn_optim_args *a, const fn_optim_entry *e, ptrdiff_t at, ptrdiff_t m, FN(optim_rates) *rates)
{
  const ptrdiff_t f = m - m % VLEN;
  if (f) FN(FN_JOIN(OP, run))(a, e, at, f, rates, 1);
  if (m > f) FN(FN_JOIN(OP, run))(a, e, at + f, m - f, rates, 0);
}

static void FN(FN_JOIN(OP, update))(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  (void)thread;
  FN(optim_walk)(p, begin, end, FN(FN_JOIN(OP, body)));
}
#undef OP
