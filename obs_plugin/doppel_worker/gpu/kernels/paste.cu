// Putting a picture into the frame: decode -> recolour -> warp -> YUV -> blend, in one kernel. One thread has one
// group of pixels that share a chroma sample, so that nothing is computed twice.
#include "common.cuh"

#define PACKED_RGB 0
#define GREY 2

struct PasteParams {
    Samples planes[3];  // of the whole frame
    TensorLayout picture;
    TensorLayout mask;  // always bytes
    float to_yuv[12];
    float matrix[6];  // pixel of the rectangle (picture coordinates) -> pixel of picture and mask
    float gain[3], shift[3];
    int mode, x_shift, y_shift, flip;
    int frame_width, frame_height;
    int x0, y0, x1, y1;            // the rectangle
    int width, height;             // of picture and mask
    int warp;                      // 0: picture and mask are of the rectangle's size
    int recolour;
};

__device__ inline int picture_at(const PasteParams& p, int channel, int x, int y) {
    const int byte = get(p.picture, channel, limit(x, 0, p.width - 1), limit(y, 0, p.height - 1));
    return p.recolour ? recoloured(byte, p.gain[channel], p.shift[channel]) : byte;
}

__device__ inline int mask_at(const PasteParams& p, int x, int y) {
    if (x < 0 || y < 0 || x >= p.width || y >= p.height) return 0;
    return get(p.mask, 0, x, y);
}

// R, G, B and mask that lie over a pixel of the frame inside the rectangle.
__device__ inline int above(const PasteParams& p, int x, int y, int* rgb) {
    const int column = x - p.x0, row = p.flip ? p.y1 - 1 - y : y - p.y0;
    if (!p.warp) {
        for (int k = 0; k < 3; ++k) rgb[k] = picture_at(p, k, column, row);
        return mask_at(p, column, row);
    }
    const Place at = place(p.matrix, column, row);
    const int mask = bilinear(at, mask_at(p, at.x, at.y), mask_at(p, at.x + 1, at.y),
                              mask_at(p, at.x, at.y + 1), mask_at(p, at.x + 1, at.y + 1));
    for (int k = 0; k < 3; ++k)
        rgb[k] = bilinear(at, picture_at(p, k, at.x, at.y), picture_at(p, k, at.x + 1, at.y),
                          picture_at(p, k, at.x, at.y + 1), picture_at(p, k, at.x + 1, at.y + 1));
    return mask;
}

__device__ inline void blend_sample(const Samples& s, int x, int y, int value, int mask) {
    if (mask) set_sample(s, x, y, blend(sample_at(s, x, y), value, mask));
}

extern "C" __global__ void paste_rect(const PasteParams p) {
    // Groups are counted from the one that holds the rectangle's first pixel.
    const int gx = (p.x0 >> p.x_shift) + THIS_X, gy = (p.y0 >> p.y_shift) + THIS_Y;
    const int left = gx << p.x_shift, top = gy << p.y_shift;
    if (left >= p.x1 || top >= p.y1) return;
    const int wide = 1 << p.x_shift, tall = 1 << p.y_shift;
    int u = 0, v = 0, share = 0, whole = 1;
    for (int j = 0; j < tall; ++j)
        for (int i = 0; i < wide; ++i) {
            // The last group of an odd frame covers its edge's pixels twice.
            const int x = left + i < p.frame_width ? left + i : p.frame_width - 1;
            const int y = top + j < p.frame_height ? top + j : p.frame_height - 1;
            if (x < p.x0 || y < p.y0 || x >= p.x1 || y >= p.y1) {
                whole = 0;
                continue;
            }
            int rgb[3], yuv[3];
            const int mask = above(p, x, y, rgb);
            if (p.mode == PACKED_RGB) {
                for (int k = 0; k < 3; ++k) blend_sample(p.planes[k], x, y, rgb[k], mask);
                continue;
            }
            convert(p.to_yuv, rgb, yuv);
            if (x == left + i && y == top + j) blend_sample(p.planes[0], x, y, yuv[0], mask);
            u += yuv[1];
            v += yuv[2];
            share += mask;
        }
    if (!whole || p.mode == PACKED_RGB || p.mode == GREY) return;
    const int count_shift = p.x_shift + p.y_shift, mask = mean_of(share, count_shift);
    blend_sample(p.planes[1], gx, gy, mean_of(u, count_shift), mask);
    blend_sample(p.planes[2], gx, gy, mean_of(v, count_shift), mask);
}
