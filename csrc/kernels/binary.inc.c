/* Arithmetic of two or three operands, and the gradients that are not themselves one of these. */

/* a + s0 b: add, sub, and both with alpha */
#define OP add
#define EXPR v_fma(b, s0, a)
#include "kernels/map_binary.inc.c"

/* s0 a b */
#define OP mul
#define EXPR v_mul(v_mul(a, s0), b)
#include "kernels/map_binary.inc.c"

/* s0 a / b */
#define OP div
#define EXPR v_div(v_mul(a, s0), b)
#include "kernels/map_binary.inc.c"

/* s0 g a / b: the gradient of a quotient a with respect to its divisor b, s0 = -1 */
#define OP muldiv
#define EXPR v_div(v_mul(v_mul(g, s0), a), b)
#include "kernels/map_ternary.inc.c"

#define OP div_trunc
#define EXPR v_trunc(v_div(a, b))
#include "kernels/map_binary.inc.c"

#define OP div_floor
#define EXPR v_lanes2(FN(floor_quotient), a, b)
#include "kernels/map_binary.inc.c"

#define OP fmod
#define EXPR v_lanes2(fmod, a, b)
#include "kernels/map_binary.inc.c"

#define OP remainder
#define EXPR v_lanes2(FN(floor_remainder), a, b)
#include "kernels/map_binary.inc.c"

/* -g trunc(a / b), -g floor(a / b) */
#define OP fmod_backward_divisor
#define EXPR v_mul(g, v_xor(v_trunc(v_div(a, b)), v_set(-0.0)))
#include "kernels/map_ternary.inc.c"

#define OP remainder_backward_divisor
#define EXPR v_mul(g, v_xor(v_floor(v_div(a, b)), v_set(-0.0)))
#include "kernels/map_ternary.inc.c"

#define OP pow
#define EXPR v_pow(a, b)
#include "kernels/map_binary.inc.c"

#define OP pow_backward_base
#define EXPR v_select(v_eq(b, v_zero()), v_zero(), v_mul(g, v_mul(b, v_pow(a, v_sub(b, v_set(1))))))
#include "kernels/map_ternary.inc.c"

#define OP pow_backward_exponent
#define EXPR v_select(m_and(v_eq(a, v_zero()), v_ge(b, v_zero())), v_zero(), v_mul(g, v_mul(v_pow(a, b), v_log(a))))
#include "kernels/map_ternary.inc.c"

#define OP maximum
#define EXPR v_select(v_nan(a), a, v_max(a, b))
#include "kernels/map_binary.inc.c"

#define OP minimum
#define EXPR v_select(v_nan(a), a, v_min(a, b))
#include "kernels/map_binary.inc.c"

/* the gradient of a in maximum(a, b), or of b in minimum(b, a): half of it at a tie */
#define OP extremum_backward
#define EXPR v_select(v_lt(a, b), v_zero(), v_select(v_eq(a, b), v_mul(g, v_set(0.5)), g))
#include "kernels/map_ternary.inc.c"

#define OP atan2
#define EXPR v_lanes2(atan2, a, b)
#include "kernels/map_binary.inc.c"

/* s0 g b / (a^2 + b^2) */
#define OP atan2_backward
#define EXPR v_div(v_mul(v_mul(g, s0), b), v_fma(a, a, v_mul(b, b)))
#include "kernels/map_ternary.inc.c"

/* g + s0 a b, g + s0 a / b */
#define OP addcmul
#define EXPR v_fma(v_mul(a, s0), b, g)
#include "kernels/map_ternary.inc.c"

#define OP addcdiv
#define EXPR v_add(v_div(v_mul(a, s0), b), g)
#include "kernels/map_ternary.inc.c"

#define OP addcdiv_backward_divisor
#define EXPR v_div(v_mul(v_mul(g, v_xor(s0, v_set(-0.0))), v_div(a, b)), b)
#include "kernels/map_ternary.inc.c"

/* g + b (a - g), from the nearer end */
#define OP lerp
#define EXPR FN(lerp_value)(g, a, b)
#include "kernels/map_ternary.inc.c"

/* a (1 - b), g (a - b) */
#define OP mul_rest
#define EXPR v_fnma(a, b, a)
#include "kernels/map_binary.inc.c"

#define OP mul_difference
#define EXPR v_mul(g, v_sub(a, b))
#include "kernels/map_ternary.inc.c"

/* g where a >= b, g where a < b: the gradients of clamp with tensors as bounds */
#define OP pass_ge
#define EXPR v_select(v_ge(a, b), g, v_zero())
#include "kernels/map_ternary.inc.c"

#define OP pass_lt
#define EXPR v_select(v_lt(a, b), g, v_zero())
#include "kernels/map_ternary.inc.c"
