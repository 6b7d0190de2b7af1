/* Every elementwise kernel: p[0][i] = f(p[1][i], p[2][i], p[3][i]; s), i over one shape, any strides.
   Range: elements in the order of `dims` (last axis innermost).  Strides count elements; 0: the operand is broadcast along that axis.
   The output may be one of the inputs (the same elements), and must otherwise not overlap them.
   Element types: T, unless the family says otherwise (compare: the output is bytes; where: p[1] is bytes; cast: one side is `type`). */
#ifndef FN_ELEMENTWISE_H
#define FN_ELEMENTWISE_H
#include "fn.h"

typedef struct {
  void     *p[4];                                    /* output first; unused operands are not looked at */
  double    s[4];                                    /* the op's numbers */
  ptrdiff_t stream;                                  /* not 0: the output is far larger than the caches, store past them */
  ptrdiff_t type;                                    /* cast: fn_dtype of the other side */
  ptrdiff_t ndim;                                    /* at least 1 */
  ptrdiff_t dims[FN_MAXDIM], strides[4][FN_MAXDIM];
} fn_elementwise_args;
#endif
