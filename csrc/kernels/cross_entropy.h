/* Cross-entropy of logits x, or nll of log-probabilities x (rows, n), contiguous.  Range: rows.
   Targets are class indices (index: rows of int64) or probabilities (prob: rows of n), the other pointer is NULL.
   With s = smoothing and q the target distribution (one-hot or prob), q' = q (1 - s) + s / n, and the class weights w (1 where NULL):
     indices       loss = w[t] (1 - s) (lse - x[t]) + s / n sum_c w[c] (lse - x[c]),   mass = w[t]
     probabilities loss = sum_c w[c] q'[c] (lse - x[c]),                              mass = 1
   A row whose index is `ignore` has loss = mass = 0.
   forward: loss, mass, lse (rows).  lse is what backward reads.
   backward: gx = (softmax(x) k - w q') g, with k the sum of the row's w q' and g = gy[row * gy_stride] / *total, or gy alone if total is NULL; gx may be x.
   If gprob is given, the gradient of the probabilities goes there. */
#ifndef FN_CROSS_ENTROPY_H
#define FN_CROSS_ENTROPY_H
#include "fn.h"
typedef struct {
  const void    *x, *prob, *weight;
  const int64_t *index;
  void          *loss, *mass, *lse;
  double         smoothing;
  int64_t        ignore;
  ptrdiff_t      n;
} fn_cross_entropy_forward_args;

typedef struct {
  const void    *x, *prob, *weight, *lse, *gy, *total;
  const int64_t *index;
  void          *gx, *gprob;
  double         smoothing;
  int64_t        ignore;
  ptrdiff_t      n, gy_stride;
} fn_cross_entropy_backward_args;
#endif
