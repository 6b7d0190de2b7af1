/* layer_norm and rms_norm of x (rows, n), dense: y = (x - mean) rstd w + b, with rstd = 1 / sqrt(mean((x - mean)^2) + eps); rms_norm takes mean
   as 0 and has no b.

   forward: range: rows.  mean and rstd (rows) are kept for backward; mean is NULL for rms_norm.
   backward: range: chunks of `chunk` rows; part (chunks, 2, n), if not NULL, gets the sums over a chunk for gw and gb.  gx may be gy or NULL.
   weight: range: pieces of LAYER_PIECE columns; gw, gb from part, each NULL where it is not wanted. */
#ifndef FN_LAYER_NORM_H
#define FN_LAYER_NORM_H
#include "fn.h"
enum { LAYER_PIECE = 256 };

typedef struct {
  const void *x, *gy, *w, *b;                        /* w, b (n), NULL: 1 and 0 */
  void       *y;                                     /* y, or gx */
  void       *mean, *rstd, *part, *gw, *gb;
  ptrdiff_t   rows, n, chunk, chunks;
  double      eps;
  int         stream;                                /* y goes past the caches: only where n is a multiple of 16 */
} fn_layer_norm_args;
#endif
