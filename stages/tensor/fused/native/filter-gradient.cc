// The gradient of a convolution by its filter: dw (u, v, c, o) = Σ over outputs p of x (s p + (u, v) − border, c) · dy (p, o), for stride s.
// TensorFlow adds it up in as many parts as there are threads; here the order of all sums follows from the shapes alone.
#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "operation.h"
#include "thread-pool.h"
#include "vector.h"

namespace basin {
namespace {

/*
 * For one row u of the filter this is a product of matrices: what the window of an output sees of a line, K columns of C channels, lies in a
 * row in memory, so that the K·C sums (v, c) by O outputs are Xᵀ · dY over pixels, with X read where it lies. Only windows that reach
 * over the border are copied, with zeros beside them, and lines beyond the border are left out. Where a row of dy is but one vector, each element of X
 * would be loaded for one multiplication alone; so three rows of the filter are taken together, which with stride 1 see a line of x for
 * three lines of dy one above the other.
 *
 * A task has such rows of the filter and a block of pictures. Its sums go tile by tile, in registers, through a stretch of pixels at a time,
 * so few that both operands stay in the caches nearby. What stretches and blocks give is added up in their order.
 *
 * Milliseconds of one thread on Zen 5 by processor time (ours | TensorFlow's), in turns, medians of nine:
 *
 *     pictures                          32            128
 *     32 × 32, 3 × 3:  3 to 16         0.23 | 0.22
 *                      16 to 16        0.70 | 0.64    2.93 | 2.53
 *                      16 to 32, by 2  0.38 | 0.40
 *     16 × 16, 3 × 3:  32 to 32        0.67 | 0.63    2.78 | 2.37
 *                      32 to 64, by 2  0.33 | 0.43
 *     8 × 8, 3 × 3:    64 to 64        0.59 | 0.58    2.38 | 2.21
 */
constexpr int64_t STRETCH = 512;
/** Sums of blocks that one task adds up. */
constexpr int64_t SUMS_BLOCK = 4096;
/** Blocks take more pictures where their sums would be more than this, as long as there are eight. */
constexpr int64_t MOST_SUMS = 1 << 22;
constexpr int64_t FEWEST_BLOCKS = 8;

/** Vectors of sums at most: 27, three of dy and one of x are 31 of 32 registers. */
constexpr int TILE_SUMS = 27;
constexpr int MOST_VECTORS = 2;
constexpr int ROWS_TOGETHER = 3;

constexpr int64_t quotientUp(int64_t count, int64_t by) { return (count + by - 1) / by; }

struct Shape {
  int64_t pictures, height, width, channels;
  int64_t outHeight, outWidth, outputs;
  int64_t filterHeight, filterWidth, strideHeight, strideWidth;
  int64_t top, left;  // zeros before the picture

  /** Lengths of what a window sees of a line, and of a row of the filter. */
  int64_t seen() const { return filterWidth * channels; }
  int64_t filterRow() const { return seen() * outputs; }
};

/** Where the row of x begins that a window sees, and the row of dy that belongs to it for each of some rows of the filter. */
template <int LINES>
struct Pixel {
  const float* x;
  std::array<const float*, LINES> dy;
};

template <int LINES>
using Pixels = std::vector<Pixel<LINES>>;

/** Where the sums of a tile begin among x and dy, and in the result; whether they are added to what is there. */
struct Corner {
  int64_t row, column, lastLanes;
  float* sums;
  int64_t stride, lineStride;
  bool adds;
};

/** ROWS elements of a row of x by VECTORS vectors of dy, for each of LINES rows of the filter. */
template <int LINES, int VECTORS, int ROWS>
void sumTile(const Pixels<LINES>& pixels, const Corner& corner) {
  constexpr int COLUMNS = LINES * VECTORS;
  const auto lanes = [&](int column) { return (column + 1) % VECTORS == 0 ? corner.lastLanes : LANES; };
  Floats sums[ROWS][COLUMNS] = {};
  for (const Pixel<LINES>& pixel : pixels) {
    const float* const x = pixel.x + corner.row;
    Floats right[COLUMNS];
#pragma GCC unroll 6
    for (int i = 0; i < COLUMNS; i++) {
      const float* const dy = pixel.dy[i / VECTORS] + corner.column + i % VECTORS * LANES;
      right[i] = (i + 1) % VECTORS == 0 ? loadFirst(dy, corner.lastLanes) : load(dy);
    }
#pragma GCC unroll 27
    for (int r = 0; r < ROWS; r++) {
      const Floats left = all(x[r]);
#pragma GCC unroll 6
      for (int i = 0; i < COLUMNS; i++) sums[r][i] += left * right[i];
    }
  }
#pragma GCC unroll 27
  for (int r = 0; r < ROWS; r++)
#pragma GCC unroll 6
    for (int i = 0; i < COLUMNS; i++) {
      float* const to = corner.sums + i / VECTORS * corner.lineStride + r * corner.stride + i % VECTORS * LANES;
      storeUpTo(to, corner.adds ? loadUpTo(to, lanes(i)) + sums[r][i] : sums[r][i], lanes(i));
    }
}

template <int LINES>
using SumTile = void (*)(const Pixels<LINES>&, const Corner&);

/** Tiles of 1, 2, … rows. */
template <int LINES, int VECTORS, size_t... INDEX>
constexpr std::array<SumTile<LINES>, sizeof...(INDEX)> tilesOf(std::index_sequence<INDEX...>) {
  return {sumTile<LINES, VECTORS, INDEX + 1>...};
}

/** All of a row of x by a panel of dy, in tiles as even as they come. */
template <int LINES, int VECTORS>
void sumPanel(const Pixels<LINES>& pixels, int64_t rows, Corner corner) {
  constexpr int TALL = TILE_SUMS / VECTORS / LINES;
  static constexpr auto TILES = tilesOf<LINES, VECTORS>(std::make_index_sequence<TALL>());
  float* const sums = corner.sums;
  const int64_t tiles = quotientUp(rows, TALL);
  for (int64_t tile = 0; tile < tiles; tile++) {
    const int64_t end = rows * (tile + 1) / tiles;
    corner.row = rows * tile / tiles;
    corner.sums = sums + corner.row * corner.stride;
    TILES[end - corner.row - 1](pixels, corner);
  }
}

/** The sums of LINES rows of the filter, each [K·C, O], over `pixels`: put in place of `sums`, or added to them. */
template <int LINES>
void sumProducts(const Shape& shape, const Pixels<LINES>& pixels, float* sums, bool adds) {
  const int64_t outputs = shape.outputs;
  for (int64_t column = 0; column < outputs; column += MOST_VECTORS * LANES) {
    const int64_t lanes = std::min<int64_t>(outputs - column, MOST_VECTORS * LANES);
    const Corner corner{0, column, lanes > LANES ? lanes - LANES : lanes, sums + column, outputs, shape.filterRow(), adds};
    if (lanes > LANES) sumPanel<LINES, 2>(pixels, shape.seen(), corner);
    else sumPanel<LINES, 1>(pixels, shape.seen(), corner);
  }
}

/** Lines to walk through in so many pictures: those of dy, and LINES − 1 more that only the later rows of the filter meet. */
template <int LINES>
int64_t linesOf(const Shape& shape, int64_t pictures) {
  return pictures * (shape.outHeight + LINES - 1);
}

/** Has the second-level cache fetch what will be read soon: the multipliers would wait for memory where activations are many. */
void fetch(const float* from, int64_t count) {
  for (int64_t at = 0; at < count; at += LANES) __builtin_prefetch(from + at, 0, 2);
}

/**
 * The pixels of lines `first` to `end` whose windows have row `u` of the filter, the first of LINES, in the picture; `edges` keeps what of them
 * was copied.
 */
template <int LINES>
void findPixels(const Shape& shape, const float* x, const float* dy, int64_t u, int64_t first, int64_t end,
                Pixels<LINES>& pixels, std::vector<float>& edges) {
  static constexpr float NOTHING[MOST_VECTORS * LANES] = {};
  const int64_t seen = shape.seen(), line = shape.width * shape.channels, perPicture = linesOf<LINES>(shape, 1);
  const auto reachesOver = [&](int64_t column) {
    const int64_t from = column * shape.strideWidth - shape.left;
    return from < 0 || from + shape.filterWidth > shape.width;
  };
  int64_t over = 0;
  for (int64_t column = 0; column < shape.outWidth; column++) over += reachesOver(column);
  pixels.clear();
  edges.assign((end - first) * over * seen, 0.0f);
  float* edge = edges.data();
  for (int64_t at = first; at < end; at++) {
    const int64_t picture = at / perPicture, outLine = at % perPicture;
    const int64_t inLine = outLine * shape.strideHeight - shape.top + u;
    if (inLine < 0 || inLine >= shape.height) continue;
    const float* const from = x + (picture * shape.height + inLine) * line;
    Pixel<LINES> pixel;
    std::array<int64_t, LINES> step;
    for (int i = 0; i < LINES; i++) {
      const bool exists = outLine - i >= 0 && outLine - i < shape.outHeight;
      pixel.dy[i] = exists ? dy + (picture * shape.outHeight + outLine - i) * shape.outWidth * shape.outputs : NOTHING;
      step[i] = exists ? shape.outputs : 0;
    }
    fetch(from, line);
    if (step[0] > 0) fetch(pixel.dy[0], shape.outWidth * shape.outputs);  // the others had their turn
    for (int64_t column = 0; column < shape.outWidth; column++) {
      const int64_t start = (column * shape.strideWidth - shape.left) * shape.channels;
      pixel.x = from + start;
      if (reachesOver(column)) {
        const int64_t begin = std::max(start, int64_t{0}), stop = std::min(start + seen, line);
        if (begin < stop) std::copy(from + begin, from + stop, edge + (begin - start));
        pixel.x = edge;
        edge += seen;
      }
      pixels.push_back(pixel);
      for (int i = 0; i < LINES; i++) pixel.dy[i] += step[i];
    }
  }
}

/** How many things of so many pixels are taken at once. */
int64_t atOnce(int64_t pixels) { return pixels > 0 && pixels < STRETCH ? STRETCH / pixels : 1; }

/** The sums of LINES rows of the filter from row `u` on over pictures `first` to `end`. */
template <int LINES>
void sumPictures(const Shape& shape, const float* x, const float* dy, int64_t u, int64_t first, int64_t end, float* sums) {
  thread_local Pixels<LINES> pixels;
  thread_local std::vector<float> edges;
  const int64_t lines = atOnce(shape.outWidth), begin = linesOf<LINES>(shape, first), stop = linesOf<LINES>(shape, end);
  for (int64_t line = begin; line == begin || line < stop; line += lines) {  // once at least: without pixels sums are 0
    findPixels(shape, x, dy, u, line, std::min(stop, line + lines), pixels, edges);
    sumProducts(shape, pixels, sums, line > begin);
  }
}

/**
 * x [B, H, W, C], dy [B, H', W', O] → dw [filter height, filter width, C, O]; `top` and `left` are the zeros before a picture, and what its
 * windows see behind it is 0 too.
 */
struct FilterGradient {
  explicit FilterGradient(const Attributes& attributes)
      : filterHeight(attributes.integer("filter_height")),
        filterWidth(attributes.integer("filter_width")),
        strideHeight(attributes.integer("stride_height")),
        strideWidth(attributes.integer("stride_width")),
        top(attributes.integer("top")),
        left(attributes.integer("left")) {}
  int filterHeight, filterWidth, strideHeight, strideWidth, top, left;

  Shape shapeOf(const Input& x, const Input& dy) const {
    require(x.shape.size() == 4 && dy.shape.size() == 4, "x and dy must be pictures [B, H, W, C]");
    require(x.shape[0] == dy.shape[0], "there must be as many pictures in dy as in x");
    require(filterHeight > 0 && filterWidth > 0 && strideHeight > 0 && strideWidth > 0,
            "the filter's sides and the strides must be positive");
    return {x.shape[0],  x.shape[1],   x.shape[2],  x.shape[3],   dy.shape[1], dy.shape[2], dy.shape[3],
            filterHeight, filterWidth, strideHeight, strideWidth, top,         left};
  }

  void operator()(Call& call) const {
    const Input x = call.input(0), dy = call.input(1);
    const Shape shape = shapeOf(x, dy);
    float* const dw = call.output(0, {filterHeight, filterWidth, shape.channels, shape.outputs});
    const int64_t size = filterHeight * shape.filterRow();
    const int64_t mostBlocks = std::max(FEWEST_BLOCKS, MOST_SUMS / std::max<int64_t>(1, size));
    const int64_t each = std::max(atOnce(shape.outHeight * shape.outWidth), quotientUp(shape.pictures, mostBlocks));
    const int64_t blocks = quotientUp(shape.pictures, each);
    const bool together = strideHeight == 1 && shape.outputs <= LANES;
    const int64_t triples = together ? filterHeight / ROWS_TOGETHER : 0;
    const int64_t parts = triples + filterHeight - triples * ROWS_TOGETHER;
    thread_local std::vector<float> kept;  // else the system maps and clears these pages at every call
    if (static_cast<int64_t>(kept.size()) < blocks * size) kept.resize(blocks * size);
    float* const sums = kept.data();
    inParallel(blocks * parts, [&](int64_t task) {
      const int64_t block = task / parts, part = task % parts;
      const int64_t first = block * each, end = std::min(shape.pictures, first + each);
      const int64_t u = part < triples ? part * ROWS_TOGETHER : part + triples * (ROWS_TOGETHER - 1);
      float* const to = sums + block * size + u * shape.filterRow();
      if (part < triples) sumPictures<ROWS_TOGETHER>(shape, x.values, dy.values, u, first, end, to);
      else sumPictures<1>(shape, x.values, dy.values, u, first, end, to);
    });
    inBlocks(size, SUMS_BLOCK, [&](int64_t first, int64_t end) {
      alongRow(end - first, [&](int64_t offset, int64_t lanes) {
        Floats sum{};
        for (int64_t block = 0; block < blocks; block++) sum += loadUpTo(sums + block * size + first + offset, lanes);
        storeUpTo(dw + first + offset, sum, lanes);
      });
    });
  }
};

const bool declared = declare<FilterGradient>({"BasinFilterGradient",
                                               {"filter_height: int", "filter_width: int", "stride_height: int",
                                                "stride_width: int", "top: int", "left: int"},
                                               {"x", "dy"},
                                               {"dw"}});

}  // namespace
}  // namespace basin
