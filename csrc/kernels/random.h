/* Random numbers by counter: Philox4x32-10 (Salmon et al., 2011), so that a number depends on the seed and its place alone.
   key[0] is the seed, key[1] the first counter of the draw.  Counters are used RANDOM_LANES at a time, each gives 4 words: a group of
   4 * RANDOM_LANES words, word w of lane l at w * RANDOM_LANES + l.  A float32 or int32 takes one word, a float64 two (w and w + 1, at lane l of
   half w / 2), and so does every integer of random_integers.
   Range: groups.  n: elements of the whole draw.  Uniforms and integers are the same on every ISA.

   random_uniform: [low, low + width).  random_normal: low + width * N(0, 1), by Box-Muller.  random_bernoulli: 1 with probability x[i * x_stride].
   random_integers: int32 in the float32 table, int64 in the float64 table, low + [0, span).
   dropout: y = x * scale where the uniform is >= low, else x * 0; it is its own backward. */
#ifndef FN_RANDOM_H
#define FN_RANDOM_H
#include "fn.h"
enum { RANDOM_LANES = 16 };

typedef struct {
  const uint64_t *key;
  const void     *x;
  void           *y;
  ptrdiff_t       n, x_stride;
  double          low, width;
  int64_t         first;                             /* random_integers */
  uint64_t        span;
} fn_random_args;
#endif
