// The mesh engine's drawing: the live mesh in a small map of texture coordinates, the persona's texture under the
// live light, and both enlarged to the crop's size. Positions count from pixel centres at whole numbers.
#include "common.cuh"

// One triangle, ready to be asked for each pixel; without pixels where it is turned away. All is computed in the
// order of OpenCV's rasteriser and nothing is fused: an edge that runs close by the middle of a pixel decides alike.
struct Edges {
    int x0, y0, x1, y1;  // x0 <= x <= x1, rows from below
    float cx, cy, bcx, bcy, acx, acy, scale;
    float z[3], w[3], u[3], v[3];
};
static_assert(sizeof(Edges) == 92, "as structs.EDGES_BYTES says");

struct MeshParams {
    u64 points;     // float[points][6]: x, y from below, depth (smaller is nearer), weight, u, v
    u64 triangles;  // int[count][3], counter-clockwise in a picture with y down
    u64 edges;      // Edges[count]: what mesh_triangles leaves for mesh_raster
    u64 drawn;      // float[3][height][width]: u, v, and 1 where the mesh is
    u64 maps;       // float[3][height][width]: u and v continued beyond the mesh, mean coverage of 3 x 3 pixels
    int count, width, height, pad;
};

extern "C" __global__ void mesh_triangles(const MeshParams p) {
    const int n = THIS_X;
    if (n >= p.count || THIS_Y > 0) return;
    const int* corners = (const int*)p.triangles + 3 * n;
    const float* at[3];
    for (int k = 0; k < 3; ++k) at[k] = (const float*)p.points + 6 * corners[k];
    Edges e;
    e.cx = at[2][0];
    e.cy = at[2][1];
    e.bcx = at[1][0] - e.cx;
    e.bcy = at[1][1] - e.cy;
    e.acx = at[0][0] - e.cx;
    e.acy = at[0][1] - e.cy;
    const float area = __fadd_rn(__fmul_rn(e.acx, e.bcy), -__fmul_rn(e.acy, e.bcx));
    const int seen = area >= 1e-6f;
    e.scale = seen ? __fdiv_rn(1.0f, area) : 0.0f;
    float low[2], high[2];
    for (int k = 0; k < 2; ++k) {
        low[k] = fminf(fminf(at[0][k], at[1][k]), at[2][k]);
        high[k] = fmaxf(fmaxf(at[0][k], at[1][k]), at[2][k]);
    }
    // A pixel more on each side: the triangle itself says what is inside. Limited, so that an int holds it.
    e.x0 = seen ? (int)floorf(fminf(fmaxf(low[0], -1e6f), 1e6f)) - 1 : 1;
    e.y0 = seen ? (int)floorf(fminf(fmaxf(low[1], -1e6f), 1e6f)) - 1 : 1;
    e.x1 = seen ? (int)ceilf(fminf(fmaxf(high[0], -1e6f), 1e6f)) + 1 : 0;
    e.y1 = seen ? (int)ceilf(fminf(fmaxf(high[1], -1e6f), 1e6f)) + 1 : 0;
    for (int k = 0; k < 3; ++k) {
        e.z[k] = at[k][2];
        e.w[k] = at[k][3];
        e.u[k] = at[k][4];
        e.v[k] = at[k][5];
    }
    ((Edges*)p.edges)[n] = e;
}

__device__ inline float sum_of(const float* shares, const float* values) {
    const float two = __fadd_rn(__fmul_rn(shares[0], values[0]), __fmul_rn(shares[1], values[1]));
    return __fadd_rn(two, __fmul_rn(shares[2], values[2]));
}

// One thread has one pixel and asks every triangle: all threads of a warp read the same one, and of two at the same
// depth the first wins, whatever the order in which they run.
extern "C" __global__ void mesh_raster(const MeshParams p) {
    const int x = THIS_X, y = THIS_Y;
    if (x >= p.width || y >= p.height) return;
    const Edges* edges = (const Edges*)p.edges;
    const int row = p.height - 1 - y;
    float nearest = 3e38f, u = 0.0f, v = 0.0f, seen = 0.0f;
    for (int n = 0; n < p.count; ++n) {
        const Edges& e = edges[n];
        if (x < e.x0 || x > e.x1 || row < e.y0 || row > e.y1) continue;
        const float px = (float)x + 0.5f - e.cx, py = (float)row + 0.5f - e.cy;
        float f[3];
        f[0] = __fmul_rn(__fadd_rn(__fmul_rn(px, e.bcy), -__fmul_rn(py, e.bcx)), e.scale);
        f[1] = __fmul_rn(__fadd_rn(__fmul_rn(py, e.acx), -__fmul_rn(px, e.acy)), e.scale);
        f[2] = 1.0f - f[0] - f[1];
        if (!(f[0] >= 0.0f && f[1] >= 0.0f && f[2] >= 0.0f)) continue;
        const float z = sum_of(f, e.z);
        if (!(z < nearest)) continue;
        nearest = z;
        const float all = __fdiv_rn(1.0f, sum_of(f, e.w));
        for (int k = 0; k < 3; ++k) f[k] = __fmul_rn(f[k], e.w[k]);
        u = __fmul_rn(sum_of(f, e.u), all);
        v = __fmul_rn(sum_of(f, e.v), all);
        seen = 1.0f;
    }
    const long long area = (long long)p.width * p.height, at = (long long)y * p.width + x;
    float* drawn = (float*)p.drawn;
    drawn[at] = u;
    drawn[area + at] = v;
    drawn[2 * area + at] = seen;
}

// Beyond the edge the pixels come back, the one at the edge once.
__device__ inline int mirrored(int n, int size) {
    if (size == 1) return 0;
    while (n < 0 || n >= size) n = n < 0 ? -n : 2 * size - 2 - n;
    return n;
}

extern "C" __global__ void mesh_maps(const MeshParams p) {
    const int x = THIS_X, y = THIS_Y;
    if (x >= p.width || y >= p.height) return;
    const long long area = (long long)p.width * p.height, at = (long long)y * p.width + x;
    const float* u = (const float*)p.drawn;
    const float* v = u + area;
    const float* seen = v + area;
    // Beside the mesh: the largest of what it covers nearby, which is one of the nearest ones.
    float most_u = 0.0f, most_v = 0.0f, count = 0.0f;
    for (int j = -1; j <= 1; ++j)
        for (int i = -1; i <= 1; ++i) {
            count += seen[(long long)mirrored(y + j, p.height) * p.width + mirrored(x + i, p.width)];
            if (x + i < 0 || y + j < 0 || x + i >= p.width || y + j >= p.height) continue;
            const long long k = (long long)(y + j) * p.width + x + i;
            most_u = fmaxf(most_u, u[k]);
            most_v = fmaxf(most_v, v[k]);
        }
    float* maps = (float*)p.maps;
    maps[at] = seen[at] > 0.0f ? u[at] : most_u;
    maps[area + at] = seen[at] > 0.0f ? v[at] : most_v;
    maps[2 * area + at] = count * (1.0f / 9.0f);
}

// Where a pixel of an enlarged picture lies between two of the small one's.
struct Between {
    int first, second;
    float part;
};

__device__ inline Between between(int n, int size, int small) {
    const float at = (float)((n + 0.5) * (1.0 / ((double)size / small)) - 0.5);
    Between b;
    b.first = (int)floorf(at);
    b.part = at - (float)b.first;
    if (b.first < 0) b.first = 0, b.part = 0.0f;
    if (b.first >= small - 1) b.first = small - 1, b.part = 0.0f;
    b.second = b.first + 1 < small ? b.first + 1 : small - 1;
    return b;
}

__device__ inline float mixed(float v00, float v01, float v10, float v11, float fx, float fy) {
    const float top = v00 * (1.0f - fx) + v01 * fx, low = v10 * (1.0f - fx) + v11 * fx;
    return top * (1.0f - fy) + low * fy;
}

// Of bytes (h, w), in OpenCV's 11 bits of fraction.
__device__ inline int enlarged_byte(const u8* from, int width, const Between& x, const Between& y) {
    const u8* top = from + (long long)y.first * width;
    const u8* low = from + (long long)y.second * width;
    const int x0 = (int)rintf((1.0f - x.part) * 2048.0f), x1 = (int)rintf(x.part * 2048.0f);
    const int y0 = (int)rintf((1.0f - y.part) * 2048.0f), y1 = (int)rintf(y.part * 2048.0f);
    const int above = (top[x.first] * x0 + top[x.second] * x1) >> 4;
    const int below = (low[x.first] * x0 + low[x.second] * x1) >> 4;
    return (((y0 * above) >> 16) + ((y1 * below) >> 16) + 2) >> 2;
}

struct MeshMaskParams {
    u64 maps;    // float[2][height][width]: u, v; 0 beside the mesh, where masks are empty
    u64 share;   // float[height][width]: what the result is multiplied by; 0: nothing
    u64 values;  // float[side][side] over the texture; 0: 1 everywhere
    u64 to;      // bytes[height][width]
    int side, width, height, pad;
};

extern "C" __global__ void mesh_mask(const MeshMaskParams p) {
    const int x = THIS_X, y = THIS_Y;
    if (x >= p.width || y >= p.height) return;
    const long long area = (long long)p.width * p.height, at = (long long)y * p.width + x;
    const float share = p.share ? ((const float*)p.share)[at] : 1.0f;
    float value = 1.0f;
    if (p.values) {
        const float* maps = (const float*)p.maps;
        const float side = (float)p.side;
        const float to_x = fminf(fmaxf(__fadd_rn(__fmul_rn(maps[at], side), -0.5f), -1.0f), side);
        const float to_y = fminf(fmaxf(__fadd_rn(__fmul_rn(maps[area + at], side), -0.5f), -1.0f), side);
        const float wx = floorf(to_x), wy = floorf(to_y), fx = to_x - wx, fy = to_y - wy;
        const int x0 = limit((int)wx, 0, p.side - 1), x1 = limit((int)wx + 1, 0, p.side - 1);
        const float* top = (const float*)p.values + limit((int)wy, 0, p.side - 1) * p.side;
        const float* low = (const float*)p.values + limit((int)wy + 1, 0, p.side - 1) * p.side;
        const float above = __fmaf_rn(fx, top[x1] - top[x0], top[x0]);
        const float below = __fmaf_rn(fx, low[x1] - low[x0], low[x0]);
        value = __fmaf_rn(fy, below - above, above);
    }
    ((u8*)p.to)[at] = (u8)to_byte(__fmul_rn(__fmul_rn(value, share), 255.0f));
}

struct MeshLightParams {
    u64 from;  // bytes[side][side][3]
    u64 gain;  // float[cells][cells][3]
    u64 to;    // bytes[side][side][3]
    int side, cells;
};

extern "C" __global__ void mesh_light(const MeshLightParams p) {
    const int x = THIS_X, y = THIS_Y;
    if (x >= p.side || y >= p.side) return;
    const Between bx = between(x, p.side, p.cells), by = between(y, p.side, p.cells);
    const float* top = (const float*)p.gain + 3 * by.first * p.cells;
    const float* low = (const float*)p.gain + 3 * by.second * p.cells;
    const long long at = 3 * ((long long)y * p.side + x);
    for (int k = 0; k < 3; ++k) {
        const int i = 3 * bx.first + k, j = 3 * bx.second + k;
        const float gain = mixed(top[i], top[j], low[i], low[j], bx.part, by.part);
        ((u8*)p.to)[at + k] = (u8)to_byte(__fmul_rn((float)((const u8*)p.from)[at + k], gain));
    }
}

struct MeshDrawParams {
    u64 maps;     // float[2][map_height][map_width]: u, v
    u64 mask;     // bytes[map_height][map_width]
    u64 texture;  // bytes[side][side][3]; 0: the mask alone is enlarged
    u64 to;       // bytes[height][width][3]
    u64 to_mask;  // bytes[height][width]
    int side, map_width, map_height, width, height, pad;
};

extern "C" __global__ void mesh_draw(const MeshDrawParams p) {
    const int x = THIS_X, y = THIS_Y;
    if (x >= p.width || y >= p.height) return;
    const Between bx = between(x, p.width, p.map_width), by = between(y, p.height, p.map_height);
    const long long at = (long long)y * p.width + x;
    ((u8*)p.to_mask)[at] = (u8)enlarged_byte((const u8*)p.mask, p.map_width, bx, by);
    if (!p.texture) return;
    float position[2];
    for (int k = 0; k < 2; ++k) {
        const float* map = (const float*)p.maps + (long long)k * p.map_width * p.map_height;
        const float* top = map + (long long)by.first * p.map_width;
        const float* low = map + (long long)by.second * p.map_width;
        const float v[4] = {top[bx.first], top[bx.second], low[bx.first], low[bx.second]};
        float t[4];
        for (int i = 0; i < 4; ++i) t[i] = __fadd_rn(__fmul_rn(v[i], (float)p.side), -0.5f);
        position[k] = mixed(t[0], t[1], t[2], t[3], bx.part, by.part);
        position[k] = fminf(fmaxf(position[k], -1.0f), (float)p.side);
    }
    const float wx = floorf(position[0]), wy = floorf(position[1]);
    const Place place_in = {(int)wx, (int)wy, position[0] - wx, position[1] - wy};
    const int x0 = limit(place_in.x, 0, p.side - 1), x1 = limit(place_in.x + 1, 0, p.side - 1);
    const u8* top = (const u8*)p.texture + 3 * (long long)limit(place_in.y, 0, p.side - 1) * p.side;
    const u8* low = (const u8*)p.texture + 3 * (long long)limit(place_in.y + 1, 0, p.side - 1) * p.side;
    for (int k = 0; k < 3; ++k)
        ((u8*)p.to)[3 * at + k] = (u8)bilinear(place_in, top[3 * x0 + k], top[3 * x1 + k], low[3 * x0 + k],
                                               low[3 * x1 + k]);
}
