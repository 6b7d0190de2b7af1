/* Losses of pairs, x (predicted) and t (target), contiguous, element by element.  a: the loss's own number (beta, delta).
   Range: pieces of LOSS_PIECE elements.
   loss_<kind>: y[i] = w[i] f(x[i], t[i]), or, if part is given, part[piece] = the sum over the piece.
   loss_<kind>_backward: gx = gy w df/dx and gt = gy w df/dt, either may be NULL; gy[i * gy_stride] * scale.
   w may be NULL.  p: the weight of positives of bce_logits, or NULL.

   mse (x-t)^2   l1 |x-t|   smooth_l1 d^2/(2a) below a, |d| - a/2 above   huber d^2/2 up to a, a (|d| - a/2) above
   bce -t log x - (1-t) log(1-x), logarithms not below -100   bce_logits the same of sigmoid(x)
   kl t (log t - x)   kl_log exp(t) (t - x)   soft_margin log(1 + exp(-t x))
   hinge x where t = 1, max(0, a - x) where t = -1, both summed elsewhere */
#ifndef FN_LOSS_H
#define FN_LOSS_H
#include "fn.h"
enum { LOSS_PIECE = 16384, LOSS_FOLD = 256 };       /* elements of a piece; vectors that are added before a fold */
enum { LOSS_MSE, LOSS_L1, LOSS_SMOOTH_L1, LOSS_HUBER, LOSS_BCE, LOSS_BCE_LOGITS, LOSS_KL, LOSS_KL_LOG, LOSS_SOFT_MARGIN, LOSS_HINGE };

typedef struct {
  const void *x, *t, *w, *p;
  const void *gy;                                    /* backward */
  void       *y, *part;                              /* forward */
  void       *gx, *gt;                               /* backward */
  ptrdiff_t   n, gy_stride;
  double      a, scale;
} fn_loss_args;
#endif
