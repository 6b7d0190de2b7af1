/* softmax and log_softmax of x (outer, n, inner) over n.  All arrays have that layout; y may be x, gx may be gy.
   Range: outer * blocks; a block is `width` <= REDUCE_WIDTH neighbours of inner (blocks = 1 and width = 1 when inner == 1). */
#ifndef FN_SOFTMAX_H
#define FN_SOFTMAX_H
#include "fn.h"
typedef struct {
  const void *x;
  void       *y;
  ptrdiff_t   n, inner, width, blocks;
} fn_softmax_forward_args;

typedef struct {
  const void *y, *gy;                                /* y: what the forward pass returned */
  void       *gx;
  ptrdiff_t   n, inner, width, blocks;
} fn_softmax_backward_args;
#endif
