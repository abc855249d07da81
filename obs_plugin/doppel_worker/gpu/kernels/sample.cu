// Taking crops: reduce -> warp -> limit -> enlarge chroma -> RGB -> normalise, the last five in one kernel.
#include "common.cuh"

#define PACKED_RGB 0
#define LUMA_CHROMA 1
#define GREY 2

// ---- means of blocks of fx * fy samples (powers of two); the last ones go on past the edge ----

struct ReduceParams {
    Samples from, to;
    int fx, fy;
};

extern "C" __global__ void reduce_blocks(const ReduceParams p) {
    const int x = THIS_X, y = THIS_Y;
    if (x >= p.to.width || y >= p.to.height) return;
    int sum = 0;
    for (int j = 0; j < p.fy; ++j)
        for (int i = 0; i < p.fx; ++i) sum += sample_near(p.from, x * p.fx + i, y * p.fy + j);
    const int area = p.fx * p.fy;
    // OpenCV rounds halves of 2 x 2 blocks up, and all others to even.
    const int mean = p.fx == 2 && p.fy == 2 ? mean_of(sum, 2) : to_byte((float)sum * (1.0f / (float)area));
    set_sample(p.to, x, y, mean);
}

// ---- a crop by a matrix ----

struct CropParams {
    Samples planes[3];  // of the window, reduced
    TensorLayout to;
    float whole[6];  // crop pixel -> luma (or R, G, B) sample
    float half[6];   // pixel of the half-size crop -> chroma sample
    float to_rgb[12];
    int low[3], high[3];
    int mode, width, height, pad;
};

__device__ inline int warped(const Samples& s, const float* m, int x, int y) {
    const Place p = place(m, x, y);
    return bilinear(p, sample_near(s, p.x, p.y), sample_near(s, p.x + 1, p.y), sample_near(s, p.x, p.y + 1),
                    sample_near(s, p.x + 1, p.y + 1));
}

// Twofold bilinear enlargement at position n of the large grid: samples i and i + 1 with weights of 4.
__device__ inline int low_index(int n) { return (n - 1) >> 1; }
__device__ inline int low_weight(int n) { return n & 1 ? 3 : 1; }

// As OpenCV's fixed point does it: each row's part is cut off before they are added.
__device__ inline int enlarged(int v00, int v01, int v10, int v11, int wx, int wy) {
    const int top = v00 * wx + v01 * (4 - wx), low = v10 * wx + v11 * (4 - wx);
    return (((top * wy) >> 2) + ((low * (4 - wy)) >> 2) + 2) >> 2;
}

extern "C" __global__ void sample_crop(const CropParams p) {
    const int x = THIS_X, y = THIS_Y;
    if (x >= p.width || y >= p.height) return;
    int in[3] = {128, 128, 128}, out[3];
    in[0] = warped(p.planes[0], p.whole, x, y);
    if (p.mode == PACKED_RGB) {
        for (int k = 1; k < 3; ++k) in[k] = warped(p.planes[k], p.whole, x, y);
        for (int k = 0; k < 3; ++k) put(p.to, k, x, y, in[k]);
        return;
    }
    in[0] = limit(in[0], p.low[0], p.high[0]);
    if (p.mode == LUMA_CHROMA) {
        // The half-size crop has a border of one pixel, hence of two in the enlarged one.
        const int cx = low_index(x + 2), cy = low_index(y + 2);
        for (int k = 1; k < 3; ++k) {
            int v[4];
            for (int i = 0; i < 4; ++i)
                v[i] = limit(warped(p.planes[k], p.half, cx + (i & 1), cy + (i >> 1)), p.low[k], p.high[k]);
            in[k] = enlarged(v[0], v[1], v[2], v[3], low_weight(x + 2), low_weight(y + 2));
        }
    }
    convert(p.to_rgb, in, out);
    for (int k = 0; k < 3; ++k) put(p.to, k, x, y, out[k]);
}

// ---- a rectangle at its own resolution ----

struct ReadParams {
    Samples planes[3];  // of the whole frame
    TensorLayout to;
    float to_rgb[12];
    int low[3], high[3];
    int mode, x0, y0, width, height, x_shift, y_shift, flip;
};

extern "C" __global__ void read_rect(const ReadParams p) {
    const int column = THIS_X, row = THIS_Y;
    if (column >= p.width || row >= p.height) return;
    const int x = p.x0 + column, y = p.y0 + row;
    const int to_row = p.flip ? p.height - 1 - row : row;
    int in[3] = {sample_at(p.planes[0], x, y), 128, 128}, out[3];
    if (p.mode == PACKED_RGB) {
        for (int k = 0; k < 3; ++k) put(p.to, k, column, to_row, sample_at(p.planes[k], x, y));
        return;
    }
    if (p.mode == LUMA_CHROMA)
        for (int k = 1; k < 3; ++k) {
            const Samples& s = p.planes[k];
            if (!p.x_shift) {
                in[k] = sample_at(s, x, y);
                continue;
            }
            const int cx = low_index(x), wx = low_weight(x), cy = p.y_shift ? low_index(y) : y;
            const int v00 = sample_near(s, cx, cy), v01 = sample_near(s, cx + 1, cy);
            if (!p.y_shift) in[k] = (v00 * wx + v01 * (4 - wx) + 2) >> 2;
            else
                in[k] = enlarged(v00, v01, sample_near(s, cx, cy + 1), sample_near(s, cx + 1, cy + 1), wx,
                                 low_weight(y));
        }
    for (int k = 0; k < 3; ++k) in[k] = limit(in[k], p.low[k], p.high[k]);
    convert(p.to_rgb, in, out);
    for (int k = 0; k < 3; ++k) put(p.to, k, column, to_row, out[k]);
}
