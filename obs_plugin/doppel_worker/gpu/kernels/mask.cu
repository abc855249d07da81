// Masks of a crop, on the device: bytes from a network's mask, shrunk, softened and multiplied.
#include "common.cuh"

struct MaskParams {
    TensorLayout from, with, to;  // all (h, w); `to` is bytes, or floats between the two passes of a blur
    u64 weights;                  // float[2 * radius + 1]
    int width, height, radius, across;
};

extern "C" __global__ void mask_bytes(const MaskParams p) {
    const int x = THIS_X, y = THIS_Y;
    if (x >= p.width || y >= p.height) return;
    put(p.to, 0, x, y, get(p.from, 0, x, y));
}

// The smallest within `radius` along one direction; beyond the edge nothing is smaller (as cv2.erode).
extern "C" __global__ void mask_erode(const MaskParams p) {
    const int x = THIS_X, y = THIS_Y;
    if (x >= p.width || y >= p.height) return;
    int least = 255;
    for (int k = -p.radius; k <= p.radius; ++k) {
        const int i = p.across ? x + k : x, j = p.across ? y : y + k;
        if (i < 0 || j < 0 || i >= p.width || j >= p.height) continue;
        const int value = get(p.from, 0, i, j);
        least = value < least ? value : least;
    }
    put(p.to, 0, x, y, least);
}

// One direction of a separable blur; the edge is replicated. The first pass keeps fractions.
extern "C" __global__ void mask_blur(const MaskParams p) {
    const int x = THIS_X, y = THIS_Y;
    if (x >= p.width || y >= p.height) return;
    const float* weights = (const float*)p.weights + p.radius;
    float sum = 0.0f;
    for (int k = -p.radius; k <= p.radius; ++k) {
        const int i = p.across ? limit(x + k, 0, p.width - 1) : x;
        const int j = p.across ? y : limit(y + k, 0, p.height - 1);
        const long long at = element(p.from, 0, i, j);
        sum += weights[k] * (p.from.type == BYTES ? (float)((const u8*)p.from.address)[at]
                                                  : ((const float*)p.from.address)[at]);
    }
    if (p.to.type == FLOATS) ((float*)p.to.address)[element(p.to, 0, x, y)] = sum;
    else put(p.to, 0, x, y, to_byte(sum));
}

extern "C" __global__ void mask_multiply(const MaskParams p) {
    const int x = THIS_X, y = THIS_Y;
    if (x >= p.width || y >= p.height) return;
    put(p.to, 0, x, y, blend(0, get(p.with, 0, x, y), get(p.from, 0, x, y)));
}
