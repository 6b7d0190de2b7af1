/* A convolution: what every algorithm that computes one is told, and the kernels for any shape.

   y[n][o][k] = bias[k] + sum over taps t and channels c of group(k):  x[n][o*stride - pad + t*dilation][c] * w[k][c][t]
   gx[n][i][c] = the sum of gy[n][o][k] * w[k][c][t] over the (o, t, k) that read (i, c);  a transposed convolution's forward
   gw[k][c][t] = the sum of gy[n][o][k] * x[n][o*stride - pad + t*dilation][c] over n and o

   x is dense [n][in...][c], y is dense [n][out...][k], w is dense (k, c/groups, kernel...) as the user holds it.
   Three spatial axes, outermost first; convolutions of one and two have leading axes of size 1, kernel 1, stride 1, pad 0, dilation 1.
   pad is what lies before the first element; where a window reads past the end there are zeros too, as many as `out` asks for:
   out[d] and in[d] are given apart, so neither the padding behind nor output_padding is needed.  Positions of x that no window reads
   have a gradient of zero.  A window may lie in the zeros as a whole.  All sizes are positive, except that n and pad may be 0. */
#ifndef FN_CONV_H
#define FN_CONV_H
#include "fn.h"
typedef struct {
  ptrdiff_t n, c, k, groups;                         /* images, all input channels, all output channels; groups divides c and k */
  ptrdiff_t in[3], out[3], kernel[3], stride[3], pad[3], dilation[3];
} fn_conv_shape;
#endif
