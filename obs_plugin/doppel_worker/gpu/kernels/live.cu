// What the mesh engine takes over from the live face: its look in texture space, its eyes and its open mouth.
#include "common.cuh"

// A pixel of a picture (h, w, 3 or more) of bytes at a place, the edges repeated.
__device__ inline int picture_byte(const u8* from, int pitch, int step, int width, int height, const Place& at,
                                   int channel) {
    const int x0 = limit(at.x, 0, width - 1), x1 = limit(at.x + 1, 0, width - 1);
    const u8* top = from + (long long)limit(at.y, 0, height - 1) * pitch + channel;
    const u8* low = from + (long long)limit(at.y + 1, 0, height - 1) * pitch + channel;
    return bilinear(at, top[x0 * step], top[x1 * step], low[x0 * step], low[x1 * step]);
}

struct UnwrapParams {
    u64 from;     // bytes[height][width][step]: the live face
    u64 points;   // float[points][2], pixels of it
    u64 corners;  // int[3][side * side]: the points around each texel
    u64 shares;   // float[3][side * side]: of each of them
    u64 to;       // bytes[side][side][3]
    int step, width, height, side;
};

extern "C" __global__ void live_texture(const UnwrapParams p) {
    const int x = THIS_X, y = THIS_Y;
    if (x >= p.side || y >= p.side) return;
    const int texel = y * p.side + x, texels = p.side * p.side;
    float at[2] = {0.0f, 0.0f};
    for (int n = 0; n < 3; ++n) {
        const float* point = (const float*)p.points + 2 * ((const int*)p.corners)[n * texels + texel];
        const float share = ((const float*)p.shares)[n * texels + texel];
        for (int k = 0; k < 2; ++k) at[k] = __fadd_rn(at[k], __fmul_rn(point[k], share));
    }
    const float lx = fminf(fmaxf(at[0], -1e6f), 1e6f), ly = fminf(fmaxf(at[1], -1e6f), 1e6f);
    const float wx = floorf(lx), wy = floorf(ly);
    const Place where = {(int)wx, (int)wy, lx - wx, ly - wy};
    for (int k = 0; k < 3; ++k)
        ((u8*)p.to)[3 * texel + k] = (u8)picture_byte((const u8*)p.from, p.step * p.width, p.step, p.width,
                                                      p.height, where, k);
}

// ---- a patch of the live face that is laid over the swapped one ----

#define SUMS 7  // live R, G, B, swapped R, G, B, and how many pixels

struct PatchParams {
    u64 live;  // bytes[height][width][3]: the crop
    u64 rgb;   // bytes[height][width][3]: the swapped face
    u64 over;  // bytes[rows][columns][3]: the patch
    u64 mask;  // bytes[rows][columns]
    u64 sums;  // int[rows][SUMS]: what patch_sums leaves for patch_gain
    u64 gain;  // float[3]: what patch_gain leaves for patch_lay; 0: the colours stay
    float matrix[6];  // pixel of the patch -> pixel of the live face
    float lids, share;
    int width, height, x0, y0, columns, rows;
    int ring_low, ring_high;  // values of the mask along its edge
};

extern "C" __global__ void patch_take(const PatchParams p) {
    const int x = THIS_X, y = THIS_Y;
    if (x >= p.columns || y >= p.rows) return;
    const Place at = place(p.matrix, x, y);
    u8* to = (u8*)p.over + 3 * ((long long)y * p.columns + x);
    for (int k = 0; k < 3; ++k)
        to[k] = (u8)picture_byte((const u8*)p.live, 3 * p.width, 3, p.width, p.height, at, k);
}

// One thread has one row: sums are of whole numbers, so their order does not matter.
extern "C" __global__ void patch_sums(const PatchParams p) {
    const int y = THIS_X;
    if (y >= p.rows || THIS_Y > 0) return;
    const u8* mask = (const u8*)p.mask + (long long)y * p.columns;
    const u8* over = (const u8*)p.over + 3 * (long long)y * p.columns;
    const u8* below = (const u8*)p.rgb + 3 * ((long long)(p.y0 + y) * p.width + p.x0);
    int sums[SUMS] = {0, 0, 0, 0, 0, 0, 0};
    for (int x = 0; x < p.columns; ++x) {
        if (mask[x] < p.ring_low || mask[x] > p.ring_high) continue;
        for (int k = 0; k < 3; ++k) {
            sums[k] += over[3 * x + k];
            sums[3 + k] += below[3 * x + k];
        }
        ++sums[6];
    }
    for (int n = 0; n < SUMS; ++n) ((int*)p.sums)[SUMS * y + n] = sums[n];
}

extern "C" __global__ void patch_gain(const PatchParams p) {
    const int k = THIS_X;
    if (k >= 3 || THIS_Y > 0) return;
    long long live = 0, swapped = 0, count = 0;
    for (int y = 0; y < p.rows; ++y) {
        const int* sums = (const int*)p.sums + SUMS * y;
        live += sums[k];
        swapped += sums[3 + k];
        count += sums[6];
    }
    const double pixels = count > 0 ? (double)count : 1.0, least = (double)live / pixels;
    double ratio = (double)swapped / pixels / (least > 1.0 ? least : 1.0);
    ratio = ratio < 0.5 ? 0.5 : ratio > 2.0 ? 2.0 : ratio;
    ((float*)p.gain)[k] = (float)(1.0 + p.lids * (ratio - 1.0));
}

extern "C" __global__ void patch_lay(const PatchParams p) {
    const int x = THIS_X, y = THIS_Y;
    if (x >= p.columns || y >= p.rows) return;
    const long long at = (long long)y * p.columns + x;
    const int own = ((const u8*)p.mask)[at];
    const int mask = p.share < 1.0f ? to_byte(__fmul_rn((float)own, p.share)) : own;
    if (!mask) return;
    const u8* over = (const u8*)p.over + 3 * at;
    u8* below = (u8*)p.rgb + 3 * ((long long)(p.y0 + y) * p.width + p.x0 + x);
    for (int k = 0; k < 3; ++k) {
        const int above = p.gain ? to_byte(__fmul_rn((float)over[k], ((const float*)p.gain)[k])) : over[k];
        below[k] = (u8)blend(below[k], above, mask);
    }
}
