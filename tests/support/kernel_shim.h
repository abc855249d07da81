// Lets a C++ compiler take the kernels as they stand: a launch is a loop over blocks and threads.
#pragma once
#include <cmath>

using std::floor;
using std::ceil;

struct ShimIndex {
    unsigned x, y, z;
};
static thread_local ShimIndex blockIdx, blockDim, threadIdx;

#define __device__ [[maybe_unused]] static
#define __global__
static inline float __fmaf_rn(float a, float b, float c) { return fmaf(a, b, c); }
static inline float __fmul_rn(float a, float b) { return a * b; }
static inline float __fdiv_rn(float a, float b) { return a / b; }
static inline float __fadd_rn(float a, float b) { return a + b; }

#define LAUNCHER(kernel, Params)                                                                             \
    extern "C" unsigned size_of_##kernel() { return sizeof(Params); }                                        \
    extern "C" void launch_##kernel(unsigned across, unsigned down, unsigned wide, unsigned tall,            \
                                    const Params* params) {                                                  \
        blockDim = {wide, tall, 1};                                                                          \
        for (unsigned by = 0; by < down; ++by)                                                               \
            for (unsigned bx = 0; bx < across; ++bx)                                                         \
                for (unsigned ty = 0; ty < tall; ++ty)                                                       \
                    for (unsigned tx = 0; tx < wide; ++tx) {                                                 \
                        blockIdx = {bx, by, 0};                                                              \
                        threadIdx = {tx, ty, 0};                                                             \
                        kernel(*params);                                                                     \
                    }                                                                                        \
    }
