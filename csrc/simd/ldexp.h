/* v_ldexp for the ISAs without an instruction for it: a * 2^n, n integral, |n| <= 250 (float32) or 2000 (float64).
   Two factors, so that 2^n itself may be out of range; one rounding, where the result is subnormal two. */
static inline vec FN(v_ldexp)(vec a, vec n)
{
  const int mantissa = sizeof(T) == 4 ? 23 : 52, bias = sizeof(T) == 4 ? 127 : 1023;
  const vec magic = v_set(sizeof(T) == 4 ? 0x1.8p23 : 0x1.8p52);         /* x + magic: the nearest integer in the low bits */
  const vec biased = v_add(magic, v_set(bias));
  const vec half = v_sub(v_fma(n, v_set(0.5), magic), magic);
  const vec s = v_shl(v_add(half, biased), mantissa), t = v_shl(v_add(v_sub(n, half), biased), mantissa);
  return v_mul(v_mul(a, s), t);
}
#define v_ldexp FN(v_ldexp)
