/* y = x, and y += x, over any two layouts of one shape.
   Range: elements of y in the order of `dims`.  x and y do not overlap, unless they are the same elements.  Strides count elements. */
#ifndef FN_COPY_H
#define FN_COPY_H
#include "fn.h"
typedef struct {
  const void *x;
  void       *y;
  ptrdiff_t   ndim;                                  /* at least 1; the last axis is the inner loop */
  ptrdiff_t   dims[FN_MAXDIM], xs[FN_MAXDIM], ys[FN_MAXDIM];
} fn_copy_args;

enum { COPY_SHORT = 512 };                           /* elements of a row that is copied without a call */
#endif
