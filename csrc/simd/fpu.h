/* Flush denormals while a kernel runs, and only then: a denormal costs a hundred times a normal number. */
#ifndef FN_FPU_H
#define FN_FPU_H
#include <stdint.h>
#if defined(__x86_64__) || defined(_M_X64)
#include <immintrin.h>
static inline uint64_t fn_fpu_enter(void)
{
  const unsigned was = _mm_getcsr();
  if ((was & 0x8040) != 0x8040) _mm_setcsr(was | 0x8040);          /* FTZ and DAZ */
  return was;
}
static inline void fn_fpu_leave(uint64_t was)
{
  if ((was & 0x8040) != 0x8040) _mm_setcsr((unsigned)was);         /* also drops exception flags that the kernel raised */
}
static inline uint64_t fn_fpu_state(void) { return _mm_getcsr(); }
#elif defined(__aarch64__)
static inline uint64_t fn_fpu_state(void) { uint64_t r; __asm__ volatile("mrs %0, fpcr" : "=r"(r)); return r; }
static inline void fn_fpu_leave(uint64_t was) { __asm__ volatile("msr fpcr, %0" : : "r"(was)); }
static inline uint64_t fn_fpu_enter(void)
{
  const uint64_t was = fn_fpu_state();
  fn_fpu_leave(was | (1u << 24));
  return was;
}
#else
static inline uint64_t fn_fpu_enter(void) { return 0; }
static inline void fn_fpu_leave(uint64_t was) { (void)was; }
static inline uint64_t fn_fpu_state(void) { return 0; }
#endif
#endif
