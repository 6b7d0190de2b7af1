/* Reductions of x (outer, n, inner) over n, and the gradients that spread a reduced value back over n.

   reduce_<kind>: y (outer, chunks, inner), chunks = ceil(n / chunk): each chunk of n is reduced by one thread in a fixed order.  The caller
   reduces y again until chunks == 1; chunk depends on the shape alone, so the bits do not depend on the threads.
   Range: ((outer * chunks) + chunk) * blocks + block; a block is `width` neighbours of inner (blocks = 1 and width = 1 when inner == 1).

   reduce_logsumexp is one of them; its body is in softmax.inc.c.

   spread_<kind>: gx (outer, n, inner) from gy, y and c (outer, inner).  Range as above.  gx may be x.

   reduce_var: y = sum((x - mean)^2) * scale and mean, for inner == 1 in one visit of a row.  The mean is found from the distances to the
   first element, so that the variance of equal elements is exactly 0.  Range: outer.
   rescale: y *= scale, then its square root if asked, in place.  Range: pieces of RESCALE_PIECE elements.
   prod_backward: gx = gy * product of the others.  Range: outer * inner. */
#ifndef FN_REDUCE_H
#define FN_REDUCE_H
#include "fn.h"
enum { RESCALE_PIECE = 16384 };
enum { REDUCE_WIDTH = 1024 };                          /* no block of inner is wider */
enum { REDUCE_SUM, REDUCE_SUMSQ, REDUCE_SUMABS, REDUCE_DIFF, REDUCE_SQDIFF, REDUCE_COUNTEQ, REDUCE_COUNTABS, REDUCE_PROD, REDUCE_MAX, REDUCE_MIN, REDUCE_MAXABS };
enum { SPREAD_VAR, SPREAD_STD, SPREAD_NORM, SPREAD_SIGN, SPREAD_MAX, SPREAD_MAXABS, SPREAD_LOGSUMEXP };

typedef struct {
  const void *x;
  const void *c;                                     /* (outer, inner): the centre of diff and sqdiff, the value of counteq, countabs; else unused */
  void       *y;
  ptrdiff_t   n, inner, chunk, chunks, width, blocks;
} fn_reduce_args;

typedef struct {
  const void *x, *gy, *y;                            /* x (outer, n, inner); gy, y (outer, inner) */
  const void *c;                                     /* (outer, inner): the mean (var, std), the number of ties (max, maxabs) */
  void       *gx;
  double      scale;
  ptrdiff_t   n, inner, chunk, chunks, width, blocks;
} fn_spread_args;

typedef struct {
  const void *x;
  void       *y, *mean;
  ptrdiff_t   n;
  double      scale;                                 /* 1 / (n - correction) */
} fn_reduce_var_args;

typedef struct {
  void     *y;
  ptrdiff_t n;
  double    scale;
  int       root;
} fn_rescale_args;

typedef struct {
  const void *x, *gy, *y;
  void       *gx;
  ptrdiff_t   n, inner;
} fn_prod_backward_args;
#endif
