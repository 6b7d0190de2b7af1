/* Activations, each with its gradient (g: dL/dy; x: the input, or the output where a comment says so).  NaN passes through all of them. */

#define OP relu
#define EXPR v_max(v_zero(), x)
#include "kernels/map_unary.inc.c"

/* threshold and relu (from y): 0 where x <= s0 */
#define OP threshold_backward
#define EXPR v_select(v_le(x, s0), v_zero(), g)
#include "kernels/map_binary.inc.c"

#define OP threshold
#define EXPR v_select(v_le(x, s0), s1, x)
#include "kernels/map_unary.inc.c"

#define OP leaky_relu
#define EXPR v_select(v_gt(x, v_zero()), x, v_mul(x, s0))
#include "kernels/map_unary.inc.c"

/* from x, or from y for a positive slope */
#define OP leaky_relu_backward
#define EXPR v_select(v_gt(x, v_zero()), g, v_mul(g, s0))
#include "kernels/map_binary.inc.c"

#define OP sigmoid
#define EXPR v_sigmoid(x)
#include "kernels/map_unary.inc.c"

/* from y */
#define OP sigmoid_backward
#define EXPR v_mul(g, v_mul(x, v_sub(v_set(1), x)))
#include "kernels/map_binary.inc.c"

#define OP tanh
#define EXPR v_tanh(x)
#include "kernels/map_unary.inc.c"

/* from y */
#define OP tanh_backward
#define EXPR v_mul(g, v_fnma(x, x, v_set(1)))
#include "kernels/map_binary.inc.c"

#define OP logsigmoid
#define EXPR v_sub(v_min(v_zero(), x), v_log1p(v_exp(v_sub(v_zero(), v_abs(x)))))
#include "kernels/map_unary.inc.c"

#define OP logsigmoid_backward
#define EXPR v_mul(g, v_sigmoid(v_sub(v_zero(), x)))
#include "kernels/map_binary.inc.c"

#define OP silu
#define EXPR v_div(x, FN(one_and_exp)(x))
#include "kernels/map_unary.inc.c"

#define OP silu_backward
#define EXPR FN(silu_slope)(g, x)
#include "kernels/map_binary.inc.c"

#define OP gelu
#define EXPR v_mul(x, FN(normal_cdf)(x))
#include "kernels/map_unary.inc.c"

#define OP gelu_backward
#define EXPR v_mul(g, FN(gelu_slope)(x))
#include "kernels/map_binary.inc.c"

/* gelu with the tanh approximation of the normal distribution */
#define OP gelu_tanh
#define EXPR v_div(x, FN(gelu_tanh_divisor)(x))
#include "kernels/map_unary.inc.c"

#define OP gelu_tanh_backward
#define EXPR FN(gelu_tanh_slope)(g, x)
#include "kernels/map_binary.inc.c"

#define OP mish
#define EXPR FN(mish_value)(x)
#include "kernels/map_unary.inc.c"

#define OP mish_backward
#define EXPR FN(mish_slope)(g, x)
#include "kernels/map_binary.inc.c"

/* s0: beta, s1: threshold */
#define OP softplus
#define EXPR v_select(v_gt(v_mul(x, s0), s1), x, v_div(v_log1p(v_exp(v_mul(x, s0))), s0))
#include "kernels/map_unary.inc.c"

#define OP softplus_backward
#define EXPR v_select(v_gt(v_mul(x, s0), s1), g, v_mul(g, v_sigmoid(v_mul(x, s0))))
#include "kernels/map_binary.inc.c"

/* elu, selu and celu: x <= 0 ? s0 (exp(s2 x) - 1) : s1 x */
#define OP elu
#define EXPR v_select(v_le(x, v_zero()), v_mul(s0, v_expm1(v_mul(x, s2))), v_mul(x, s1))
#include "kernels/map_unary.inc.c"

#define OP elu_backward
#define EXPR v_mul(g, v_select(v_le(x, v_zero()), v_mul(v_mul(s0, s2), v_exp(v_mul(x, s2))), s1))
#include "kernels/map_binary.inc.c"

/* from y, for s0 >= 0 */
#define OP elu_backward_y
#define EXPR v_mul(g, v_select(v_le(x, v_zero()), v_mul(s2, v_add(x, s0)), s1))
#include "kernels/map_binary.inc.c"

/* clamp passes the gradient at both bounds, hardtanh at none */
#define OP clamp
#define EXPR v_min(s1, v_max(s0, x))
#include "kernels/map_unary.inc.c"

#define OP clamp_backward
#define EXPR v_select(m_and(v_ge(x, s0), v_le(x, s1)), g, v_zero())
#include "kernels/map_binary.inc.c"

#define OP hardtanh_backward
#define EXPR v_select(m_or(v_le(x, s0), v_ge(x, s1)), v_zero(), g)
#include "kernels/map_binary.inc.c"

#define OP hardsigmoid
#define EXPR v_div(v_min(v_set(6), v_max(v_zero(), v_add(x, v_set(3)))), v_set(6))
#include "kernels/map_unary.inc.c"

#define OP hardsigmoid_backward
#define EXPR v_select(m_and(v_gt(x, v_set(-3)), v_lt(x, v_set(3))), v_div(g, v_set(6)), v_zero())
#include "kernels/map_binary.inc.c"

#define OP hardswish
#define EXPR v_mul(x, v_mul(v_min(v_set(6), v_max(v_zero(), v_add(x, v_set(3)))), v_set(1.0 / 6)))
#include "kernels/map_unary.inc.c"

#define OP hardswish_backward
#define EXPR FN(hardswish_slope)(g, x)
#include "kernels/map_binary.inc.c"

#define OP softsign
#define EXPR v_div(x, v_add(v_set(1), v_abs(x)))
#include "kernels/map_unary.inc.c"

#define OP softsign_backward
#define EXPR FN(softsign_slope)(g, x)
#include "kernels/map_binary.inc.c"

#define OP tanhshrink
#define EXPR v_sub(x, v_tanh(x))
#include "kernels/map_unary.inc.c"

#define OP tanhshrink_backward
#define EXPR FN(tanhshrink_slope)(g, x)
#include "kernels/map_binary.inc.c"

#define OP hardshrink
#define EXPR v_select(v_le(v_abs(x), s0), v_zero(), x)
#include "kernels/map_unary.inc.c"

#define OP softshrink
#define EXPR v_select(v_le(v_abs(x), s0), v_mul(x, v_zero()), v_sub(x, v_or(s0, v_and(x, v_set(-0.0)))))
#include "kernels/map_unary.inc.c"

/* both shrinks */
#define OP shrink_backward
#define EXPR v_select(v_le(v_abs(x), s0), v_zero(), g)
#include "kernels/map_binary.inc.c"

/* a: x, b: the slope below 0 */
#define OP prelu
#define EXPR v_select(v_gt(a, v_zero()), a, v_mul(a, b))
#include "kernels/map_binary.inc.c"

#define OP prelu_backward
#define EXPR v_select(v_gt(a, v_zero()), g, v_mul(g, b))
#include "kernels/map_ternary.inc.c"

#define OP prelu_backward_weight
#define EXPR v_select(v_gt(x, v_zero()), v_zero(), v_mul(g, x))
#include "kernels/map_binary.inc.c"

/* glu: a sigmoid(b), also its gradient with respect to a; and with respect to b */
#define OP mul_sigmoid
#define EXPR v_mul(a, v_sigmoid(b))
#include "kernels/map_binary.inc.c"

#define OP mul_sigmoid_backward_gate
#define EXPR v_mul(v_mul(g, a), FN(sigmoid_slope)(b))
#include "kernels/map_ternary.inc.c"
