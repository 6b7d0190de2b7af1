/* GEMM's vector is the ISA's vector, where the ISA has one. */
#define GLEN           VLEN
#define gvec           vec
#define g_load(p)      v_load(p)
#define g_store(p, v)  v_store(p, v)
#define g_loadn(p, n)  v_loadn(p, n)
#define g_storen(p, v, n) v_storen(p, v, n)
#define g_set(s)       v_set(s)
#define g_zero()       v_zero()
#define g_add(a, b)    v_add(a, b)
#define g_fma(a, b, c) v_fma(a, b, c)
#define g_max(a, b)    v_max(a, b)
#define g_keep(v)      v_keep(v)
