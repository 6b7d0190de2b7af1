/* Padding with elements of the array itself: x (outer, in, inner) to y (outer, out, inner), both dense, three padded axes in between.
   pad_forward   range: rows (outer, out[0], out[1])
   pad_backward  range: rows (outer, in[0], in[1]); x is gy, y is gx */
#ifndef FN_PAD_H
#define FN_PAD_H
#include "fn.h"
typedef struct {
  ptrdiff_t        in[3], out[3], inner;
  const ptrdiff_t *from[3];                          /* of each output, the input that it shows */
  ptrdiff_t        begin, end;                       /* outputs of the last axis whose inputs follow one another */
  const void      *x;
  void            *y;
} fn_pad_args;
#endif
