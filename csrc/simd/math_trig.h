/* sin and cos.  x = n pi/2 + r, |r| <= pi/4, pi/2 in four parts so short that n times the first three is exact;
   r + r^3 S(r^2) or 1 - r^2/2 + r^4 C(r^2) by the parity of n, the sign by its next bit.  A vector with a lane beyond
   trig_limit goes through the C library, lane by lane. */

/* f of every lane, in double precision: for rare arguments and rare functions. */
static __attribute__((noinline)) vec FN(v_lanes)(double (*f)(double), vec x)
{
  T lane[VLEN];
  v_store(lane, x);
  for (int l = 0; l < VLEN; l++) lane[l] = (T)f((double)lane[l]);
  return v_load(lane);
}
#define v_lanes FN(v_lanes)

/* quarter: 0 for sin, 1 for cos. */
static inline vec FN(trig)(vec x, T quarter, double (*f)(double))
{
  static const T s32[] = { -0.16666654873, 0.0083321735426, -0.00019516655742 };
  static const T c32[] = { 0.041666646748, -0.0013887361451, 2.4437730176e-5 };
  static const T s64[] = { -0.1666666666666663165, 0.00833333333332231517, -0.0001984126982972521658, 2.755731366206148224e-6,
                           -2.505075326509256637e-8, 1.58965049754669079e-10 };
  static const T c64[] = { 0.04166666666666659875, -0.001388888888887399069, 0.00002480158728939490145, -2.755731432602360303e-7,
                           2.087571955774312481e-9, -1.135944863033215177e-11 };
  if (m_bits(v_gt(v_abs(x), v_set(F32 ? 8192.0 : 500000.0)))) return v_lanes(f, x);      /* Inf too; NaN stays here */
  const vec t = v_fma(x, v_set(0x1.45f306dc9c883p-1), MAGIC), n = v_sub(t, MAGIC), turn = v_add(t, v_set(quarter));
  vec r = v_fnma(n, v_set(F32 ? 0x1.92p+0 : 0x1.921fb544p+0), x);
  r = v_fnma(n, v_set(F32 ? 0x1.fb4p-12 : 0x1.0b4611a6p-34), r);
  r = v_fnma(n, v_set(F32 ? 0x1.444p-24 : 0x1.3198a2ep-69), r);
  r = v_fnma(n, v_set(F32 ? 0x1.68c234c4c6629p-39 : 0x1.b839a252049c1p-104), r);
  const vec z = v_mul(r, r);
  const vec s = v_fma(v_mul(r, z), F32 ? v_poly(z, s32, 3) : v_poly(z, s64, 6), r);
  const vec c = v_sub(v_set(1), v_fnma(v_mul(z, z), F32 ? v_poly(z, c32, 3) : v_poly(z, c64, 6), v_mul(v_set(0.5), z)));
  const int top = (int)sizeof(T) * 8 - 1;
  const vmask odd = v_lt(v_or(v_shl(turn, top), v_set(1)), v_zero());                    /* bit 0 as the sign of 1 */
  return v_xor(v_select(odd, c, s), v_and(v_shl(turn, top - 1), v_set(-0.0)));
}

static inline vec FN(v_sin)(vec x)
{
  return v_select(v_eq(x, v_zero()), x, FN(trig)(x, 0, sin));                            /* sin(-0) is -0 */
}
#define v_sin FN(v_sin)

static inline vec FN(v_cos)(vec x) { return FN(trig)(x, 1, cos); }
#define v_cos FN(v_cos)
