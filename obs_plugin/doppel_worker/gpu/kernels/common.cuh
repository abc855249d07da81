// What all kernels share. No header of the CUDA toolkit is needed, so that NVRTC compiles this anywhere, and
// a C++ compiler behind a small shim does too (see tests/support/kernel_shim.h).
//
// Every kernel takes one structure by value; its twin is a NumPy dtype in doppel_worker/gpu/structs.py.
// Coordinates are storage coordinates unless a comment says "picture".
#pragma once

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

// The samples of one component: sample (x, y) is the byte at address + y * pitch + x * step.
struct Samples {
    u64 address;
    int pitch, step, width, height;
};

// A picture (1, 3, h, w) or (1, h, w, 3), or a mask (h, w). Strides count elements.
struct TensorLayout {
    u64 address;
    int type;  // 0 uint8, 1 float32, 2 float16
    int channel_stride, row_stride, pixel_stride;
    int order[3];    // where channel R, G, B stands
    float scale[3];  // written: byte * scale - offset; read: (value * scale + offset) * 255
    float offset[3];
    int pad;
};

#define BYTES 0
#define FLOATS 1
#define HALVES 2

__device__ inline int limit(int v, int low, int high) { return v < low ? low : v > high ? high : v; }

// To the nearest, ties to even, within 0..255; what is no number becomes 0.
__device__ inline int to_byte(float v) { return v > 0.0f ? (int)rintf(v < 255.0f ? v : 255.0f) : 0; }

__device__ inline int sample_at(const Samples& s, int x, int y) {
    return ((const u8*)s.address)[(long long)y * s.pitch + (long long)x * s.step];
}

__device__ inline int sample_near(const Samples& s, int x, int y) {
    return sample_at(s, limit(x, 0, s.width - 1), limit(y, 0, s.height - 1));
}

__device__ inline void set_sample(const Samples& s, int x, int y, int value) {
    ((u8*)s.address)[(long long)y * s.pitch + (long long)x * s.step] = (u8)value;
}

// Where pixel (x, y) of the destination lies in the source: whole part and fraction.
struct Place {
    int x, y;
    float fx, fy;
};

__device__ inline Place place(const float* m, int x, int y) {
    const float sx = __fmaf_rn(m[0], (float)x, __fadd_rn(__fmul_rn((float)y, m[1]), m[2]));
    const float sy = __fmaf_rn(m[3], (float)x, __fadd_rn(__fmul_rn((float)y, m[4]), m[5]));
    // Far outside all is the same; an int must hold it.
    const float lx = fminf(fmaxf(sx, -1e6f), 1e6f), ly = fminf(fmaxf(sy, -1e6f), 1e6f);
    const float wx = floorf(lx), wy = floorf(ly);
    Place p = {(int)wx, (int)wy, lx - wx, ly - wy};
    return p;
}

__device__ inline int bilinear(const Place& p, int v00, int v01, int v10, int v11) {
    const float top = __fmaf_rn(p.fx, (float)(v01 - v00), (float)v00);
    const float low = __fmaf_rn(p.fx, (float)(v11 - v10), (float)v10);
    return (int)rintf(__fmaf_rn(p.fy, low - top, top));
}

// A byte of a channel whose colours are moved.
__device__ inline int recoloured(int byte, float gain, float shift) {
    return to_byte(__fadd_rn(__fmul_rn((float)byte, gain), shift));
}

// (3, 4) times three bytes, as bytes.
__device__ inline void convert(const float* m, const int* in, int* out) {
    for (int k = 0; k < 3; ++k, m += 4)
        out[k] = to_byte(m[0] * (float)in[0] + m[1] * (float)in[1] + m[2] * (float)in[2] + m[3]);
}

__device__ inline int blend(int below, int above, int mask) {
    const int change = (above - below) * mask;  // never halfway between two bytes: 255 is odd
    return below + (change < 0 ? -((255 - 2 * change) / 510) : (255 + 2 * change) / 510);
}

// The mean of the pixels that share a sample, halves up.
__device__ inline int mean_of(int sum, int count_shift) {
    return count_shift == 0 ? sum : (sum + (1 << (count_shift - 1))) >> count_shift;
}

union FloatBits {
    float f;
    u32 u;
};

// IEEE 754 binary16; to the nearest, ties to even.
__device__ inline u16 to_half(float value) {
    FloatBits b;
    b.f = value;
    const u32 sign = (b.u >> 16) & 0x8000u, rest = b.u & 0x7fffffffu;
    if (rest > 0x7f800000u) return (u16)(sign | 0x7e00u);
    if (rest >= 0x477ff000u) return (u16)(sign | 0x7c00u);  // rounds to infinity
    if (rest < 0x38800000u) {                              // a subnormal number or zero: its unit is 2^-24
        FloatBits magnitude;
        magnitude.u = rest;
        return (u16)(sign | (u32)rintf(__fmul_rn(magnitude.f, 16777216.0f)));
    }
    return (u16)(sign | ((rest - 0x38000000u + 0xfffu + ((rest >> 13) & 1u)) >> 13));
}

__device__ inline float from_half(u16 value) {
    const u32 sign = ((u32)value & 0x8000u) << 16, rest = value & 0x7fffu;
    FloatBits b;
    if (rest >= 0x7c00u) b.u = sign | 0x7f800000u | ((rest & 0x3ffu) << 13);
    else if (rest >= 0x400u) b.u = sign | ((rest << 13) + 0x38000000u);
    else {
        b.f = __fmul_rn((float)rest, 5.9604644775390625e-8f);
        b.u |= sign;
    }
    return b.f;
}

__device__ inline long long element(const TensorLayout& t, int channel, int x, int y) {
    return (long long)t.order[channel] * t.channel_stride + (long long)y * t.row_stride +
           (long long)x * t.pixel_stride;
}

__device__ inline void put(const TensorLayout& t, int channel, int x, int y, int byte) {
    const long long at = element(t, channel, x, y);
    const float value = __fadd_rn(__fmul_rn((float)byte, t.scale[channel]), -t.offset[channel]);
    if (t.type == BYTES) ((u8*)t.address)[at] = (u8)byte;
    else if (t.type == FLOATS) ((float*)t.address)[at] = value;
    else ((u16*)t.address)[at] = to_half(value);
}

// A number of a tensor of floats or halves, as it stands there.
__device__ inline float raw(const TensorLayout& t, int channel, int x, int y) {
    const long long at = element(t, channel, x, y);
    return t.type == FLOATS ? ((const float*)t.address)[at] : from_half(((const u16*)t.address)[at]);
}

__device__ inline int get(const TensorLayout& t, int channel, int x, int y) {
    if (t.type == BYTES) return ((const u8*)t.address)[element(t, channel, x, y)];
    const float v = raw(t, channel, x, y);
    return to_byte(__fmul_rn(__fadd_rn(__fmul_rn(v, t.scale[channel]), t.offset[channel]), 255.0f));
}

#define THIS_X ((int)(blockIdx.x * blockDim.x + threadIdx.x))
#define THIS_Y ((int)(blockIdx.y * blockDim.y + threadIdx.y))
