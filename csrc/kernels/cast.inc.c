/* Casts: cast_from (any dtype -> T) and cast_to (T -> any dtype), as C converts; `type` of the args names the other side. */
#ifdef FN_KERNEL
FN_KERNEL(cast_from)
FN_KERNEL(cast_to)
#else
#define FN_CAST(FROM, TO, EXPR) { const FROM *x = p[1]; TO *y = p[0]; for (ptrdiff_t i = 0; i < n; i++) y[i] = EXPR; } break

static void FN(cast_from_row)(void *const *p, unsigned same, ptrdiff_t n, const fn_elementwise_args *args)
{
  (void)same;
  switch (args->type) {
  case FN_F32: FN_CAST(float, T, (T)x[i]);
  case FN_F64: FN_CAST(double, T, (T)x[i]);
  case FN_I64: FN_CAST(int64_t, T, (T)x[i]);
  case FN_I32: FN_CAST(int32_t, T, (T)x[i]);
  default:     FN_CAST(uint8_t, T, (T)x[i]);
  }
}

static void FN(cast_to_row)(void *const *p, unsigned same, ptrdiff_t n, const fn_elementwise_args *args)
{
  (void)same;
  switch (args->type) {
  case FN_F32: FN_CAST(T, float, (float)x[i]);
  case FN_F64: FN_CAST(T, double, (double)x[i]);
  case FN_I64: FN_CAST(T, int64_t, (int64_t)x[i]);
  case FN_I32: FN_CAST(T, int32_t, (int32_t)x[i]);
  case FN_U8:  FN_CAST(T, uint8_t, (uint8_t)(int32_t)x[i]);                /* negative numbers wrap */
  default:     FN_CAST(T, uint8_t, x[i] != 0);
  }
}

static int FN(type_size)(ptrdiff_t type)
{
  return type == FN_F64 || type == FN_I64 ? 8 : type == FN_F32 || type == FN_I32 ? 4 : 1;
}

static void FN(cast_from)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const int size = FN(type_size)(((const fn_elementwise_args *)p)->type);
  (void)thread;
  FN(walk)(p, begin, end, (FN(row_form)){ { sizeof(T), (uint8_t)size }, 2, 0 }, FN(cast_from_row));
}

static void FN(cast_to)(const void *p, ptrdiff_t begin, ptrdiff_t end, int thread)
{
  const int size = FN(type_size)(((const fn_elementwise_args *)p)->type);
  (void)thread;
  FN(walk)(p, begin, end, (FN(row_form)){ { (uint8_t)size, sizeof(T) }, 2, 0 }, FN(cast_to_row));
}
#undef FN_CAST
#endif
