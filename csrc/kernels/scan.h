/* cumsum and cumprod of x (outer, n, inner) along n, from the end if reverse; accumulated in double.  y may be x.
   Range: outer * blocks; a block is SCAN_WIDTH neighbours of inner.  cumprod_backward: range outer * inner. */
#ifndef FN_SCAN_H
#define FN_SCAN_H
#include "fn.h"
enum { SCAN_WIDTH = 64 };
typedef struct {
  const void *x;
  void       *y;
  ptrdiff_t   n, inner, blocks;
  int         reverse;
} fn_scan_args;

typedef struct {
  const void *x, *y, *gy;                            /* y: cumprod(x) */
  void       *gx;
  ptrdiff_t   n, inner;
} fn_cumprod_backward_args;
#endif
