/* Windows of images as columns: x (planes, H, W), y (planes, kernel[0], kernel[1], out[0], out[1]), both row-major.
   unfold  y[p][i][j][a][b] = x[p][a*stride[0] - pad[0] + i*dilation[0]][b*stride[1] - pad[1] + j*dilation[1]], or 0 outside.
           range: planes * kernel[0] * kernel[1]
   fold    its transpose: x = sum of all y that unfold would have read from there.  range: planes */
#ifndef FN_UNFOLD_H
#define FN_UNFOLD_H
#include "fn.h"
typedef struct {
  const void *from;
  void       *to;
  ptrdiff_t   in[2], out[2], kernel[2], stride[2], pad[2], dilation[2];
} fn_unfold_args;
#endif
