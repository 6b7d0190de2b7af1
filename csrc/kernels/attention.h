/* Attention, y = softmax(q k' scale + mask) v for each batch and head, without the (l, s) matrix (Dao et al., 2022): blocks of keys pass
   over rows of queries, the softmax is corrected as larger scores appear (Milakov and Gimelshein, 2018).
   q (batch, heads, l, e), k (batch, kv_heads, s, e), v (batch, kv_heads, s, ev), y and gy (batch, heads, l, ev): the last axis is contiguous,
   the strides of the others are given.  heads is a multiple of kv_heads; query head h reads key head h / (heads / kv_heads).
   lse [batch][heads][l]: the logarithm of the sum of exponentials of each row; +inf where every key is masked: such rows of y are 0.
   attention_forward   range: batch * heads * ceil(l / ATTENTION_GROUP).  Writes y and lse.
   attention_backward  range: batch * kv_heads.  Reads y, lse, gy; writes gq, gk, gv, whose last axis is contiguous too.
   causal: query i sees keys 0 to i.  Dropout: a kept weight is multiplied by 1 / (1 - dropout); which are kept depends on the key and the
   weight's place alone. */
#ifndef FN_ATTENTION_H
#define FN_ATTENTION_H
#include "fn.h"
enum {
  ATTENTION_ROWS  = 64,                              /* queries that meet a block of keys at once: not fewer than keys of a block */
  ATTENTION_COLS  = 64,                              /* keys of a block, at most */
  ATTENTION_GROUP = 192,                             /* queries for which a block of keys is packed once */
  ATTENTION_STEP  = 8,                               /* rows of a block between which causality is looked at; a divisor of ATTENTION_ROWS */
  ATTENTION_FEW   = 4                                /* so few queries: scores are dot products, nothing is packed */
};
typedef enum { FN_MASK_NONE, FN_MASK_KEEP, FN_MASK_ADD } fn_attention_mask;  /* KEEP: bytes, 0 hides a key.  ADD: T, added to the scores */

typedef struct {
  const void *q, *k, *v, *mask, *gy;
  void       *y, *lse, *gq, *gk, *gv;
  void       *scratch;                               /* scratch_size elements for each thread */
  ptrdiff_t   scratch_size;
  ptrdiff_t   batch, heads, kv_heads, l, s, e, ev;
  ptrdiff_t   qs[3], ks[3], vs[3], ys[3], gs[3], gqs[3], gks[3], gvs[3];     /* strides: batch, head, row */
  ptrdiff_t   ms[4];                                 /* strides of the mask: batch, head, query, key; 0: broadcast */
  int32_t     mask_kind, causal;
  double      scale, dropout;
  uint64_t    key[2];
} fn_attention_args;

/* Elements of scratch for one thread, enough on every ISA. */
static inline ptrdiff_t fn_attention_scratch(const fn_attention_args *a, int backward)
{
  const ptrdiff_t e = (a->e + 79) / 64 * 64, ev = (a->ev + 79) / 64 * 64, most = e > ev ? e : ev;
  const ptrdiff_t blocks = 2 * ATTENTION_ROWS * ATTENTION_COLS + 5 * (ATTENTION_COLS + 16) * most;
  if (!backward) return blocks + ATTENTION_GROUP * (e + ev + 2);
  return blocks + a->heads / a->kv_heads * (a->l + 16) * (2 * e + ev + 1);
}
#endif
