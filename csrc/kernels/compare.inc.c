/* Comparisons of T and logic of bytes; 1 where true.  isnan(x) is ne(x, x); isinf and isfinite compare |x| with infinity. */
#define FROM T

#define OP eq
#define EXPR a == b
#include "kernels/map_compare.inc.c"

#define OP ne
#define EXPR a != b
#include "kernels/map_compare.inc.c"

#define OP lt
#define EXPR a < b
#include "kernels/map_compare.inc.c"

#define OP le
#define EXPR a <= b
#include "kernels/map_compare.inc.c"

#define OP gt
#define EXPR a > b
#include "kernels/map_compare.inc.c"

#define OP ge
#define EXPR a >= b
#include "kernels/map_compare.inc.c"

#define OP abs_eq
#define EXPR (T)fabs(a) == b
#include "kernels/map_compare.inc.c"

#define OP abs_lt
#define EXPR (T)fabs(a) < b
#include "kernels/map_compare.inc.c"
#undef FROM
#define FROM uint8_t

#define OP logical_and
#define EXPR (a != 0) & (b != 0)
#include "kernels/map_compare.inc.c"

#define OP logical_or
#define EXPR (a != 0) | (b != 0)
#include "kernels/map_compare.inc.c"

#define OP logical_xor
#define EXPR (a != 0) ^ (b != 0)
#include "kernels/map_compare.inc.c"
#undef FROM
