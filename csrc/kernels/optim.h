/* Optimizer updates: one launch for all parameters of a group, every array contiguous.
   Range: chunks of OPTIM_CHUNK elements, counted over all entries; entry e owns the chunks from entry[e].chunk on.
   Step counters and learning rates are read from memory, not baked into the arguments.

   optim_advance (range: entries): *step += 1, before the update; with nadam_decay also *extra[0] *= mu(step).
   asgd_advance (range: entries): eta and mu of the next step, after the update.
   grad_norm: part[chunk] = sum |g|^kind of a chunk (kind 1, 2, or 0: the maximum).  grad_scale: g *= *factor.  grad_clamp: g to [low, high]. */
#ifndef FN_OPTIM_H
#define FN_OPTIM_H
#include "fn.h"
enum { OPTIM_CHUNK = 16384 };

typedef struct {
  void       *p, *s[3];                              /* parameter; state, in the order of the comment on each kernel */
  void       *g;
  float      *step, *extra[2];                       /* scalar state; nadam: mu_product; asgd: eta, mu */
  ptrdiff_t   n, chunk;                              /* elements; index of the first chunk */
  int         first;                                 /* sgd: the momentum buffer is new */
} fn_optim_entry;

typedef struct {
  fn_optim_entry *entry;
  ptrdiff_t       entries;
  const double   *lr;
  double          weight_decay, beta1, beta2, eps;   /* beta1: momentum, alpha or rho where an optimizer has but one */
  double          momentum, dampening, lr_decay, nadam_decay, alpha, lambd, t0, low, high;
  int             maximize, nesterov, amsgrad, decoupled, centered;
} fn_optim_args;

typedef struct {
  const fn_optim_entry *entry;
  ptrdiff_t             entries;
  void                 *part;                        /* grad_norm: one value a chunk */
  const void           *factor;                      /* grad_scale */
  double                low, high;                   /* grad_clamp */
  int                   kind;
} fn_grad_args;
#endif
