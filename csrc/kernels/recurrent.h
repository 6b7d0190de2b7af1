/* A recurrent layer in one direction, over all steps of all sequences: what lies between the large products with the input.
   RNN    h' = act(gates),                                    gates = x W_ih' + b_ih + h W_hh' + b_hh
   LSTM   i, f, g, o = gates; c' = s(f) c + s(i) tanh(g), m = s(o) tanh(c'), h' = m or (projected) m W_hr'     (Hochreiter, Schmidhuber, 1997)
   GRU    r, z, n: h' = (1 - z) n + z h, n = tanh(x W_in' + b_in + r (h W_hn' + b_hn))                        (Cho et al., 2014)
   s is the logistic function.  Rows: step t has count[t] of them, from row offset[t]; row b of a step belongs to sequence b, and counts never
   grow with t.  State arrays have a row for each of the n sequences.
   recurrent_pack       range: panels of the result, or more.  w (k, n) with strides as panels of columns for the tile.
   recurrent_forward    range: sequences.  gates: x W_ih' + biases (GRU: of r and z both, of n that of the input) on entry, their values after
                        the activation on return.  h and c: initial states on entry, final ones on return.
   recurrent_backward   range: sequences.  Writes the gradients of the gates; gh, gc: gradients of the final states become those of the first.
   Sequences do not depend on each other, so any split gives the same bits. */
#ifndef FN_RECURRENT_H
#define FN_RECURRENT_H
#include "fn.h"
typedef enum { FN_RNN_TANH, FN_RNN_RELU, FN_LSTM, FN_GRU } fn_recurrent_kind;

/* Room for the panels of k rows and n columns, on any ISA. */
static inline ptrdiff_t fn_recurrent_packed(ptrdiff_t k, ptrdiff_t n) { return (n + 127) / 64 * 64 * k; }

typedef struct {
  const void *w;
  void       *to;                                    /* fn_recurrent_packed(k, n) elements */
  ptrdiff_t   k, n, rs, cs;                          /* element (l, j) is w[l*rs + j*cs] */
} fn_recurrent_pack_args;

typedef struct {
  void       *gates;                                 /* [rows][g h], g = 1, 4, 3 */
  void       *hidden;                                /* GRU: [rows][h], h W_hn' + b_hn */
  void       *ggates, *ghidden;                      /* backward: gradients of both */
  void       *cells;                                 /* LSTM: [rows][h], c' */
  void       *outputs;                               /* LSTM with projection: [rows][h], m */
  void       *y;                                     /* [rows][p], h' */
  const void *w;                                     /* packed: forward (p, g h), GRU (p, 2 h) and then (p, h); backward (g h, p), likewise */
  const void *w_project;                             /* packed: forward (h, p), backward (p, h); NULL: p == h */
  const void *b_n;                                   /* GRU: b_hn, or NULL */
  void       *h, *c;                                 /* [n][p], [n][h] */
  const void *h0, *c0, *gy;                          /* backward: the first states, and [rows][p] */
  void       *gh, *gc, *gm;                          /* backward: [n][p], [n][h], and room for [n][h] */
  void       *before;                                /* backward writes [rows][p]: the h that each step started from */
  void       *projected;                             /* backward writes, with a projection, [rows][p]: the gradient of h' */
  const ptrdiff_t *offset, *count;
  ptrdiff_t   steps, n, size, p;                     /* size: h */
  int32_t     kind, reverse;                         /* reverse: the last step comes first */
} fn_recurrent_args;
#endif
