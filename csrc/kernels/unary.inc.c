/* Functions of one number, each with its gradient (g: dL/dy; x: what backward reads, the input, or the output where the name says y).
   Gradients that are products or quotients of g and the output use mul and div of binary.inc.c; rare functions go through the C library. */

#define OP neg
#define EXPR v_xor(x, v_set(-0.0))
#include "kernels/map_unary.inc.c"

#define OP abs
#define EXPR v_abs(x)
#include "kernels/map_unary.inc.c"

#define OP abs_backward
#define EXPR FN(sign_of)(x, g)
#include "kernels/map_binary.inc.c"

#define OP sign
#define EXPR FN(sign_of)(x, v_set(1))
#include "kernels/map_unary.inc.c"

#define OP floor
#define EXPR v_floor(x)
#include "kernels/map_unary.inc.c"

#define OP ceil
#define EXPR v_ceil(x)
#include "kernels/map_unary.inc.c"

#define OP round
#define EXPR v_round(x)
#include "kernels/map_unary.inc.c"

#define OP trunc
#define EXPR v_trunc(x)
#include "kernels/map_unary.inc.c"

#define OP square
#define EXPR v_mul(x, x)
#include "kernels/map_unary.inc.c"

#define OP cube
#define EXPR v_mul(x, v_mul(x, x))
#include "kernels/map_unary.inc.c"

#define OP cube_backward
#define EXPR v_mul(g, v_mul(v_set(3), v_mul(x, x)))
#include "kernels/map_binary.inc.c"

#define OP reciprocal
#define EXPR v_div(v_set(1), x)
#include "kernels/map_unary.inc.c"

/* from y */
#define OP reciprocal_backward
#define EXPR v_mul(g, v_xor(v_mul(x, x), v_set(-0.0)))
#include "kernels/map_binary.inc.c"

#define OP sqrt
#define EXPR v_sqrt(x)
#include "kernels/map_unary.inc.c"

#define OP rsqrt
#define EXPR v_rsqrt(x)
#include "kernels/map_unary.inc.c"

/* from y */
#define OP rsqrt_backward
#define EXPR v_mul(v_mul(g, v_set(-0.5)), v_mul(x, v_mul(x, x)))
#include "kernels/map_binary.inc.c"

#define OP exp
#define EXPR v_exp(x)
#include "kernels/map_unary.inc.c"

#define OP exp2
#define EXPR v_exp2(x)
#include "kernels/map_unary.inc.c"

#define OP expm1
#define EXPR v_expm1(x)
#include "kernels/map_unary.inc.c"

/* from y */
#define OP expm1_backward
#define EXPR v_fma(g, x, g)
#include "kernels/map_binary.inc.c"

#define OP log
#define EXPR v_log(x)
#include "kernels/map_unary.inc.c"

#define OP log2
#define EXPR v_log2(x)
#include "kernels/map_unary.inc.c"

#define OP log10
#define EXPR v_log10(x)
#include "kernels/map_unary.inc.c"

#define OP log1p
#define EXPR v_log1p(x)
#include "kernels/map_unary.inc.c"

#define OP log1p_backward
#define EXPR v_div(g, v_add(v_set(1), x))
#include "kernels/map_binary.inc.c"

#define OP sin
#define EXPR v_sin(x)
#include "kernels/map_unary.inc.c"

#define OP sin_backward
#define EXPR v_mul(g, v_cos(x))
#include "kernels/map_binary.inc.c"

#define OP cos
#define EXPR v_cos(x)
#include "kernels/map_unary.inc.c"

#define OP cos_backward
#define EXPR v_mul(g, v_xor(v_sin(x), v_set(-0.0)))
#include "kernels/map_binary.inc.c"

#define OP tan
#define EXPR v_lanes(tan, x)
#include "kernels/map_unary.inc.c"

/* from y */
#define OP tan_backward
#define EXPR v_mul(g, v_fma(x, x, v_set(1)))
#include "kernels/map_binary.inc.c"

#define OP asin
#define EXPR v_lanes(asin, x)
#include "kernels/map_unary.inc.c"

#define OP asin_backward
#define EXPR v_div(g, v_sqrt(v_mul(v_sub(v_set(1), x), v_add(v_set(1), x))))
#include "kernels/map_binary.inc.c"

#define OP acos
#define EXPR v_lanes(acos, x)
#include "kernels/map_unary.inc.c"

#define OP acos_backward
#define EXPR v_div(v_xor(g, v_set(-0.0)), v_sqrt(v_mul(v_sub(v_set(1), x), v_add(v_set(1), x))))
#include "kernels/map_binary.inc.c"

#define OP atan
#define EXPR v_lanes(atan, x)
#include "kernels/map_unary.inc.c"

#define OP atan_backward
#define EXPR v_div(g, v_fma(x, x, v_set(1)))
#include "kernels/map_binary.inc.c"

#define OP sinh
#define EXPR v_lanes(sinh, x)
#include "kernels/map_unary.inc.c"

#define OP sinh_backward
#define EXPR v_mul(g, v_lanes(cosh, x))
#include "kernels/map_binary.inc.c"

#define OP cosh
#define EXPR v_lanes(cosh, x)
#include "kernels/map_unary.inc.c"

#define OP cosh_backward
#define EXPR v_mul(g, v_lanes(sinh, x))
#include "kernels/map_binary.inc.c"

#define OP asinh
#define EXPR v_lanes(asinh, x)
#include "kernels/map_unary.inc.c"

#define OP asinh_backward
#define EXPR v_div(g, v_sqrt(v_fma(x, x, v_set(1))))
#include "kernels/map_binary.inc.c"

#define OP acosh
#define EXPR v_lanes(acosh, x)
#include "kernels/map_unary.inc.c"

#define OP acosh_backward
#define EXPR v_div(g, v_sqrt(v_mul(v_sub(x, v_set(1)), v_add(x, v_set(1)))))
#include "kernels/map_binary.inc.c"

#define OP atanh
#define EXPR v_lanes(atanh, x)
#include "kernels/map_unary.inc.c"

#define OP atanh_backward
#define EXPR v_div(g, v_mul(v_sub(v_set(1), x), v_add(v_set(1), x)))
#include "kernels/map_binary.inc.c"

#define OP erf
#define EXPR v_erf(x)
#include "kernels/map_unary.inc.c"

/* s0: 1 for erf, -1 for erfc */
#define OP erf_backward
#define EXPR v_mul(v_mul(g, s0), v_mul(v_set(1.1283791670955126), v_exp(v_xor(v_mul(x, x), v_set(-0.0)))))
#include "kernels/map_binary.inc.c"

#define OP erfc
#define EXPR v_lanes(erfc, x)
#include "kernels/map_unary.inc.c"
