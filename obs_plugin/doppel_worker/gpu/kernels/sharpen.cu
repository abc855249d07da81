// The user's sharpness: an unsharp mask over the swapped face, one pass along the rows and one down the columns.
// What lies outside the mask is neither looked at nor changed, so that no rim of it appears at the face's edge.
#include "common.cuh"

struct SharpenParams {
    TensorLayout picture;
    TensorLayout mask;  // bytes, of the same size
    u64 taps;           // float[2 * radius + 1]: the weights of a blur
    u64 sums;           // float[height][width][4]: R, G, B and the share inside the mask, blurred along the rows
    u64 to;             // bytes[height][width][3]
    float gain[3], shift[3];
    float amount;
    int recolour, radius, width, height, pad;
};

__device__ inline int colour_at(const SharpenParams& p, int channel, int x, int y) {
    const int byte = get(p.picture, channel, x, y);
    return p.recolour ? recoloured(byte, p.gain[channel], p.shift[channel]) : byte;
}

extern "C" __global__ void sharpen_rows(const SharpenParams p) {
    const int x = THIS_X, y = THIS_Y;
    if (x >= p.width || y >= p.height) return;
    const float* taps = (const float*)p.taps;
    float sums[4] = {0.0f, 0.0f, 0.0f, 0.0f};
    const int first = limit(x - p.radius, 0, p.width - 1), last = limit(x + p.radius, 0, p.width - 1);
    for (int at = first; at <= last; ++at) {
        if (!get(p.mask, 0, at, y)) continue;
        const float weight = taps[at - x + p.radius];
        for (int k = 0; k < 3; ++k) sums[k] += weight * (float)colour_at(p, k, at, y);
        sums[3] += weight;
    }
    float* to = (float*)p.sums + 4 * ((long long)y * p.width + x);
    for (int k = 0; k < 4; ++k) to[k] = sums[k];
}

extern "C" __global__ void sharpen_columns(const SharpenParams p) {
    const int x = THIS_X, y = THIS_Y;
    if (x >= p.width || y >= p.height) return;
    u8* to = (u8*)p.to + 3 * ((long long)y * p.width + x);
    int rgb[3];
    for (int k = 0; k < 3; ++k) rgb[k] = colour_at(p, k, x, y);
    if (!get(p.mask, 0, x, y)) {
        for (int k = 0; k < 3; ++k) to[k] = (u8)rgb[k];
        return;
    }
    const float *taps = (const float*)p.taps, *rows = (const float*)p.sums;
    float sums[4] = {0.0f, 0.0f, 0.0f, 0.0f};
    const int first = limit(y - p.radius, 0, p.height - 1), last = limit(y + p.radius, 0, p.height - 1);
    for (int at = first; at <= last; ++at) {
        const float weight = taps[at - y + p.radius];
        const float* row = rows + 4 * ((long long)at * p.width + x);
        for (int k = 0; k < 4; ++k) sums[k] += weight * row[k];
    }
    // This pixel is inside itself, so there is a share.
    for (int k = 0; k < 3; ++k) {
        const float byte = (float)rgb[k];
        to[k] = (u8)to_byte(byte + (byte - sums[k] / sums[3]) * p.amount);
    }
}
