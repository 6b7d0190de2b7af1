/* local_response_norm of x (rows, c), dense: y = x d^-beta, d = k + alpha sum x^2, over the window from `before` channels before to `after` after.

   Range: rows.  scratch (threads, 2, c + before + after) holds a row's squares, and products, between zeros.  y is gx in backward. */
#ifndef FN_LOCAL_RESPONSE_NORM_H
#define FN_LOCAL_RESPONSE_NORM_H
#include "fn.h"
typedef struct {
  const void *x, *gy;
  void       *y, *scratch;
  ptrdiff_t   c, before, after;
  double      alpha, beta, k;                        /* alpha is already divided by the size of the window */
} fn_local_response_norm_args;
#endif
