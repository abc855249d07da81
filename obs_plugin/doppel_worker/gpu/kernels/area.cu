// Means of areas: to make faces unrecognisable (enlarged smoothly: blur, or in blocks: cover), and to know a
// picture's colours without fetching all of it.
#include "common.cuh"

// Weight of source sample i in cell n: how much of the cell it covers. OpenCV leaves out less than 1/1000.
struct Cell {
    int first, last;  // samples that lie in it whole: first <= i < last
    float before, whole, after;
};

__device__ inline Cell cell_of(int n, int size, int cells) {
    const double scale = (double)size / cells, from = n * scale, to = from + scale;
    const double width = scale < size - from ? scale : size - from;
    int first = (int)ceil(from), last = (int)floor(to);
    last = last < size - 1 ? last : size - 1;
    first = first < last ? first : last;
    double rest = to - last;
    rest = rest < 1.0 ? rest : 1.0;
    rest = rest < width ? rest : width;
    Cell c;
    c.first = first;
    c.last = last;
    c.before = first - from > 1e-3 ? (float)((first - from) / width) : 0.0f;
    c.whole = (float)(1.0 / width);
    c.after = to - last > 1e-3 ? (float)(rest / width) : 0.0f;
    return c;
}

struct AreaParams {
    Samples from;  // the region
    Samples to;    // one byte per cell
    u64 rows;      // float[from.height][to.width]: what area_rows leaves for area_cells
    int even;      // 1: the cells hold whole samples, so sums are exact
    int pad;
};

extern "C" __global__ void area_rows(const AreaParams p) {
    const int n = THIS_X, y = THIS_Y;
    if (n >= p.to.width || y >= p.from.height) return;
    float sum = 0.0f;
    if (p.even) {
        const int wide = p.from.width / p.to.width;
        int total = 0;
        for (int i = 0; i < wide; ++i) total += sample_at(p.from, n * wide + i, y);
        sum = (float)total;
    } else {
        const Cell c = cell_of(n, p.from.width, p.to.width);
        if (c.before > 0.0f) sum = __fmul_rn((float)sample_at(p.from, c.first - 1, y), c.before);
        for (int i = c.first; i < c.last; ++i)
            sum = __fadd_rn(sum, __fmul_rn((float)sample_at(p.from, i, y), c.whole));
        if (c.after > 0.0f) sum = __fadd_rn(sum, __fmul_rn((float)sample_at(p.from, c.last, y), c.after));
    }
    ((float*)p.rows)[(long long)y * p.to.width + n] = sum;
}

extern "C" __global__ void area_cells(const AreaParams p) {
    const int n = THIS_X, m = THIS_Y;
    if (n >= p.to.width || m >= p.to.height) return;
    const float* rows = (const float*)p.rows + n;
    float sum = 0.0f;
    int mean;
    if (p.even) {
        const int tall = p.from.height / p.to.height, wide = p.from.width / p.to.width;
        int total = 0;
        for (int j = 0; j < tall; ++j) total += (int)rows[(long long)(m * tall + j) * p.to.width];
        mean = wide == 2 && tall == 2 ? mean_of(total, 2) : to_byte((float)total * (1.0f / (float)(wide * tall)));
    } else {
        const Cell c = cell_of(m, p.from.height, p.to.height);
        if (c.before > 0.0f) sum = __fmul_rn(rows[(long long)(c.first - 1) * p.to.width], c.before);
        for (int j = c.first; j < c.last; ++j)
            sum = __fadd_rn(sum, __fmul_rn(rows[(long long)j * p.to.width], c.whole));
        if (c.after > 0.0f) sum = __fadd_rn(sum, __fmul_rn(rows[(long long)c.last * p.to.width], c.after));
        mean = to_byte(sum);
    }
    set_sample(p.to, n, m, mean);
}

struct SpreadParams {
    Samples cells;
    Samples to;  // the region
    TensorLayout mask;  // bytes, of the pixels that the region's samples cover; blur only
    int x_shift, y_shift, flip;
    int mask_x, mask_y;           // the region's first pixel, counted in the mask (storage order)
    int mask_width, mask_height;  // of the mask
    int pad;
};

// Cubic convolution with a = -0.75, in OpenCV's 11 bits of fraction.
__device__ inline void cubic(float t, int* weights) {
    const float a = -0.75f, u = t + 1.0f, w = 1.0f - t;
    float c[4];
    c[0] = ((a * u - 5.0f * a) * u + 8.0f * a) * u - 4.0f * a;
    c[1] = ((a + 2.0f) * t - (a + 3.0f)) * t * t + 1.0f;
    c[2] = ((a + 2.0f) * w - (a + 3.0f)) * w * w + 1.0f;
    c[3] = 1.0f - c[0] - c[1] - c[2];
    for (int i = 0; i < 4; ++i) weights[i] = (int)rintf(c[i] * 2048.0f);
}

extern "C" __global__ void blur_region(const SpreadParams p) {
    const int x = THIS_X, y = THIS_Y;
    if (x >= p.to.width || y >= p.to.height) return;
    int share = 0;
    for (int j = 0; j < 1 << p.y_shift; ++j)
        for (int i = 0; i < 1 << p.x_shift; ++i) {
            const int mx = limit(p.mask_x + (x << p.x_shift) + i, 0, p.mask_width - 1);
            const int my = limit(p.mask_y + (y << p.y_shift) + j, 0, p.mask_height - 1);
            share += get(p.mask, 0, mx, p.flip ? p.mask_height - 1 - my : my);
        }
    const int mask = mean_of(share, p.x_shift + p.y_shift);
    if (!mask) return;
    const float sx = (float)((x + 0.5) * ((double)p.cells.width / p.to.width) - 0.5);
    const float sy = (float)((y + 0.5) * ((double)p.cells.height / p.to.height) - 0.5);
    const int left = (int)floorf(sx), top = (int)floorf(sy);
    int wx[4], wy[4];
    cubic(sx - (float)left, wx);
    cubic(sy - (float)top, wy);
    long long sum = 1 << 21;
    for (int j = 0; j < 4; ++j) {
        int row = 0;
        for (int i = 0; i < 4; ++i) row += wx[i] * sample_near(p.cells, left - 1 + i, top - 1 + j);
        sum += (long long)wy[j] * row;
    }
    set_sample(p.to, x, y, blend(sample_at(p.to, x, y), limit((int)(sum >> 22), 0, 255), mask));
}

extern "C" __global__ void cover_region(const SpreadParams p) {
    const int x = THIS_X, y = THIS_Y;
    if (x >= p.to.width || y >= p.to.height) return;
    // Written as OpenCV's nearest neighbour finds its sample.
    const double wide = 1.0 / ((double)p.to.width / p.cells.width);
    const double tall = 1.0 / ((double)p.to.height / p.cells.height);
    const int cx = (int)floor(x * wide), cy = (int)floor(y * tall);
    set_sample(p.to, x, y, sample_near(p.cells, cx, cy));
}

struct ShrinkParams {
    TensorLayout from;
    u64 to;  // bytes[height][width][4]: R, G, B, and 255 where a value is not finite
    int width, height, fx, fy;
};

extern "C" __global__ void shrink_picture(const ShrinkParams p) {
    const int x = THIS_X, y = THIS_Y;
    if (x >= p.width || y >= p.height) return;
    u8* to = (u8*)p.to + 4 * ((long long)y * p.width + x);
    int broken = 0;
    for (int k = 0; k < 3; ++k) {
        int sum = 0;
        for (int j = 0; j < p.fy; ++j)
            for (int i = 0; i < p.fx; ++i) {
                const int at_x = x * p.fx + i, at_y = y * p.fy + j;
                sum += get(p.from, k, at_x, at_y);
                if (p.from.type != BYTES) {
                    const float v = raw(p.from, k, at_x, at_y);
                    broken |= !(v - v == 0.0f);
                }
            }
        to[k] = (u8)(p.fx == 2 && p.fy == 2 ? mean_of(sum, 2)
                                            : to_byte((float)sum * (1.0f / (float)(p.fx * p.fy))));
    }
    to[3] = broken ? 255 : 0;
}
