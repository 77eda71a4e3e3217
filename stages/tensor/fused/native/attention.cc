// Multi-head attention O = softmax(Q Kᵀ / √d) V (Vaswani et al. 2017, equation 1) and its gradient.
//
// One task computes one head of one image, in the thread's own scratch: the head's rows of K and V (biases added) lie there
// contiguous, and transposed where they are the right factor of a product; queries go in blocks of up to QUERY_BLOCK rows, so that their
// scores stay in the second-level cache for any number of tokens. Only the log-sum-exp of each row of scores is kept
// for the gradient, which computes the probabilities anew: P = e^(S − lse).
#include <cmath>
#include <vector>

#include "operation.h"
#include "small-product.h"
#include "thread-pool.h"
#include "transpose.h"
#include "vector.h"

namespace basin {
namespace {

constexpr int64_t QUERY_BLOCK = 96;

/** Rows of a projection for the whole batch, and its bias; both begin at the first head's column. */
struct Projection {
  const float* values;
  const float* bias;
  int64_t stride;
};

/** Where the gradient of a projection goes. */
struct ProjectionGradient {
  float* values;
  float* bias;
  int64_t stride;
};

struct Problem {
  int64_t images, heads, queries, tokens, size;
  Projection query, key, value;

  int64_t width() const { return heads * size; }
  /** Tokens rounded up to whole vectors: the length of a row of scores. */
  int64_t scores() const { return (tokens + LANES - 1) / LANES * LANES; }
  /** Blocks of queries, as even as they come, and the first row of one. */
  int64_t blocks() const { return (queries + QUERY_BLOCK - 1) / QUERY_BLOCK; }
  int64_t firstOfBlock(int64_t block) const { return queries * block / blocks(); }
  int64_t longestBlock() const { return (queries + blocks() - 1) / blocks(); }
  float scale() const { return 1.0f / std::sqrt(static_cast<float>(size)); }
};

/** The thread's scratch, handed out piece by piece; what it holds is whatever was there before. */
class Scratch {
 public:
  explicit Scratch(int64_t total) {
    if (static_cast<int64_t>(memory().size()) < total + LANES) memory().resize(total + LANES);
    const auto address = reinterpret_cast<uintptr_t>(memory().data());
    next_ = memory().data() + (64 - address % 64) % 64 / sizeof(float);
  }
  float* take(int64_t count) {
    float* const piece = next_;
    next_ += count;
    return piece;
  }

 private:
  static std::vector<float>& memory() {
    thread_local std::vector<float> kept;
    return kept;
  }
  float* next_;
};

/** One head's rows of one image, (x + bias) · factor, into contiguous rows of `size`. */
void gather(const Projection& from, int64_t first, int64_t rows, int64_t column, int64_t size, float factor, float* to) {
  const float* source = from.values + first * from.stride + column;
  for (int64_t row = 0; row < rows; row++, source += from.stride, to += size)
    for (int64_t lane = 0; lane < size; lane += LANES)
      store(to + lane, (load(source + lane) + load(from.bias + column + lane)) * factor);
}

/** Contiguous rows [rows, size] → [size, stride] with zeros beyond the rows, `stride` being rows rounded up to whole vectors. */
void transposed(const float* from, int64_t rows, int64_t size, int64_t stride, float* to) {
  for (int64_t row = 0; row < rows; row += LANES)
    for (int64_t column = 0; column < size; column += LANES) {
      Floats square[LANES];
      for (int64_t i = 0; i < LANES; i++) square[i] = row + i < rows ? load(from + (row + i) * size + column) : Floats{};
      transpose(square);
      for (int64_t i = 0; i < LANES; i++) store(to + (column + i) * stride + row, square[i]);
    }
}

/**
 * A row of scores → probabilities that sum to 1, zeros beyond the tokens; returns the log-sum-exp. A score that is NaN or infinite makes
 * all of them NaN by its own power, so the largest score may pass over it.
 */
float softmax(float* row, int64_t tokens) {
  Floats largest = all(-INFINITY);
  alongRow(tokens, [&](int64_t at, int64_t lanes) {
    const Floats scores = load(row + at);
    largest = larger(lanes == LANES ? scores : firstOf(scores, lanes, largest), largest);
  });
  const float top = largestOf(largest);
  Floats sums{};
  alongRow(tokens, [&](int64_t at, int64_t lanes) {
    Floats powers = exponential(load(row + at) - top);
    if (lanes < LANES) powers = firstOf(powers, lanes);
    store(row + at, powers);
    sums += powers;
  });
  const float sum = sumOf(sums);
  const float inverse = 1.0f / sum;
  alongRow(tokens, [&](int64_t at, int64_t) { store(row + at, load(row + at) * inverse); });
  return top + std::log(sum);
}

/** Scores of a row → the same probabilities from the log-sum-exp. */
void probabilities(float* row, int64_t tokens, float logSumExp) {
  alongRow(tokens, [&](int64_t at, int64_t lanes) {
    const Floats powers = exponential(load(row + at) - logSumExp);
    store(row + at, lanes == LANES ? powers : firstOf(powers, lanes));
  });
}

/** o [images · queries, width], logSumExp [images, heads, queries] */
void attend(const Problem& p, float* o, float* logSumExp) {
  const int64_t tokens = p.tokens, size = p.size, scores = p.scores(), longest = p.longestBlock();
  inParallel(p.images * p.heads, [&](int64_t task) {
    const int64_t image = task / p.heads, column = task % p.heads * size;
    Scratch scratch((2 * tokens + longest) * size + size * scores + longest * scores);
    float* const k = scratch.take(tokens * size);
    float* const v = scratch.take(tokens * size);
    float* const q = scratch.take(longest * size);
    float* const kT = scratch.take(size * scores);
    float* const s = scratch.take(longest * scores);
    gather(p.key, image * tokens, tokens, column, size, 1.0f, k);
    gather(p.value, image * tokens, tokens, column, size, 1.0f, v);
    transposed(k, tokens, size, scores, kT);
    for (int64_t block = 0; block < p.blocks(); block++) {
      const int64_t first = p.firstOfBlock(block), rows = p.firstOfBlock(block + 1) - first;
      const int64_t query = image * p.queries + first;
      gather(p.query, query, rows, column, size, p.scale(), q);
      smallProduct(rows, scores, size, {q, size, 1}, {kT, scores}, {s, scores});
      for (int64_t row = 0; row < rows; row++)
        logSumExp[task * p.queries + first + row] = softmax(s + row * scores, tokens);
      smallProduct(rows, size, tokens, {s, scores, 1}, {v, size}, {o + query * p.width() + column, p.width()});
    }
  });
}

/** Adds the rows of a head's gradient up into the image's part of a bias' gradient. */
void addRows(const float* values, int64_t stride, int64_t rows, int64_t size, float* sums) {
  for (int64_t lane = 0; lane < size; lane += LANES) {
    Floats sum = load(sums + lane);
    for (int64_t row = 0; row < rows; row++) sum += load(values + row * stride + lane);
    store(sums + lane, sum);
  }
}

/**
 * The gradient: with dP = dO Vᵀ and δ = Σ P dP along a row, dS = P (dP − δ), and
 * dV = Pᵀ dO, dQ = dS K / √d, dK = dSᵀ Q / √d.
 */
void attendGradient(const Problem& p, const float* dO, const float* logSumExp, const ProjectionGradient& dQuery,
                    const ProjectionGradient& dKey, const ProjectionGradient& dValue) {
  const int64_t tokens = p.tokens, size = p.size, scores = p.scores(), longest = p.longestBlock(), width = p.width();
  // Partial sums for the biases: query, key and value of each image, added up in the images' order.
  thread_local std::vector<float> kept;
  kept.assign(p.images * 3 * width, 0.0f);
  float* const partial = kept.data();
  inParallel(p.images * p.heads, [&](int64_t task) {
    const int64_t image = task / p.heads, column = task % p.heads * size;
    Scratch scratch((4 * tokens + 2 * longest) * size + 2 * size * scores + 2 * longest * scores);
    float* const k = scratch.take(tokens * size);
    float* const v = scratch.take(tokens * size);
    float* const dK = scratch.take(tokens * size);
    float* const dV = scratch.take(tokens * size);
    float* const q = scratch.take(longest * size);
    float* const dQ = scratch.take(longest * size);
    float* const kT = scratch.take(size * scores);
    float* const vT = scratch.take(size * scores);
    float* const s = scratch.take(longest * scores);
    float* const dS = scratch.take(longest * scores);
    gather(p.key, image * tokens, tokens, column, size, 1.0f, k);
    gather(p.value, image * tokens, tokens, column, size, 1.0f, v);
    transposed(k, tokens, size, scores, kT);
    transposed(v, tokens, size, scores, vT);
    float* const sums = partial + image * 3 * width + column;
    std::memset(dK, 0, 2 * tokens * size * sizeof(float));
    for (int64_t block = 0; block < p.blocks(); block++) {
      const int64_t first = p.firstOfBlock(block), rows = p.firstOfBlock(block + 1) - first;
      const int64_t query = image * p.queries + first;
      const Rows<const float> dOut{dO + query * width + column, width};
      gather(p.query, query, rows, column, size, p.scale(), q);
      smallProduct(rows, scores, size, {q, size, 1}, {kT, scores}, {s, scores});
      smallProduct(rows, scores, size, {dOut.values, width, 1}, {vT, scores}, {dS, scores});
      for (int64_t row = 0; row < rows; row++) {
        float* const pRow = s + row * scores;
        float* const dRow = dS + row * scores;
        probabilities(pRow, tokens, logSumExp[task * p.queries + first + row]);
        Floats deltas{};
        alongRow(tokens, [&](int64_t at, int64_t) { deltas += load(pRow + at) * load(dRow + at); });
        const float delta = sumOf(deltas);
        alongRow(tokens, [&](int64_t at, int64_t) { store(dRow + at, load(pRow + at) * (load(dRow + at) - delta)); });
      }
      smallProduct<true>(tokens, size, rows, {s, 1, scores}, dOut, {dV, size});
      smallProduct<true>(tokens, size, rows, {dS, 1, scores}, {q, size}, {dK, size});
      smallProduct(rows, size, tokens, {dS, scores, 1}, {k, size}, {dQ, size});
      for (int64_t row = 0; row < rows; row++)
        for (int64_t lane = 0; lane < size; lane += LANES) {
          const Floats d = load(dQ + row * size + lane) * p.scale();
          store(dQ + row * size + lane, d);
          store(dQuery.values + (query + row) * dQuery.stride + column + lane, d);
        }
      addRows(dQ, size, rows, size, sums);
    }
    const auto scatter = [&](const float* from, const ProjectionGradient& to, float* bias) {
      for (int64_t row = 0; row < tokens; row++)
        for (int64_t lane = 0; lane < size; lane += LANES)
          store(to.values + (image * tokens + row) * to.stride + column + lane, load(from + row * size + lane));
      addRows(from, size, tokens, size, bias);
    };
    scatter(dK, dKey, sums + width);
    scatter(dV, dValue, sums + 2 * width);
  });
  float* const biases[] = {dQuery.bias, dKey.bias, dValue.bias};
  for (int64_t part = 0; part < 3; part++)
    for (int64_t column = 0; column < width; column += LANES) {
      Floats sum{};
      for (int64_t image = 0; image < p.images; image++) sum += load(partial + (image * 3 + part) * width + column);
      store(biases[part] + column, sum);
    }
}

/** The shared attributes of both forms. */
struct AttentionShape {
  explicit AttentionShape(const Attributes& attributes)
      : heads(attributes.integer("heads")), tokens(attributes.integer("tokens")) {
    require(heads > 0 && tokens > 0, "heads and tokens must be positive");
  }
  int64_t heads, tokens;

  Problem problem(int64_t rows, int64_t width) const {
    require(width % (heads * LANES) == 0, "the size of a head must be a multiple of 16");
    require(rows % tokens == 0, "there must be `tokens` rows for each image");
    Problem problem{};
    problem.images = rows / tokens;
    problem.heads = heads;
    problem.tokens = problem.queries = tokens;
    problem.size = width / heads;
    return problem;
  }

  /** qkv [B·T, 3D]: query, key and value side by side. */
  Problem selfAttention(const Input& qkv, const Input& bias) const {
    Problem p = problem(qkv.rows(), qkv.columns() / 3);
    const int64_t width = p.width();
    require(qkv.columns() == 3 * width && bias.size() == 3 * width, "qkv and its bias must have 3D columns");
    p.query = {qkv.values, bias.values, 3 * width};
    p.key = {qkv.values + width, bias.values + width, 3 * width};
    p.value = {qkv.values + 2 * width, bias.values + 2 * width, 3 * width};
    return p;
  }

  /** query [B, D] of one row of each image, kv [B·T, 2D]: key and value side by side. */
  Problem rowAttention(const Input& query, const Input& queryBias, const Input& kv, const Input& kvBias) const {
    Problem p = problem(kv.rows(), kv.columns() / 2);
    const int64_t width = p.width();
    p.queries = 1;
    require(query.columns() == width && query.rows() == p.images && queryBias.size() == width,
            "there must be one query of D columns for each image");
    require(kv.columns() == 2 * width && kvBias.size() == 2 * width, "kv and its bias must have 2D columns");
    p.query = {query.values, queryBias.values, width};
    p.key = {kv.values, kvBias.values, 2 * width};
    p.value = {kv.values + width, kvBias.values + width, 2 * width};
    return p;
  }
};

void requireOutputLike(const Problem& p, const Input& dO, const Input& logSumExp) {
  require(dO.rows() == p.images * p.queries && dO.columns() == p.width(), "dO must have the shape of the output");
  require(logSumExp.size() == p.images * p.heads * p.queries, "logSumExp must be that of the output");
}

/** qkv [B·T, 3D], bias [3D] → o [B·T, D], logSumExp [B, H, T] */
struct Attention : AttentionShape {
  using AttentionShape::AttentionShape;
  void operator()(Call& call) const {
    const Input qkv = call.input(0), bias = call.input(1);
    const Problem p = selfAttention(qkv, bias);
    attend(p, call.output(0, {p.images * p.queries, p.width()}), call.output(1, {p.images, p.heads, p.queries}));
  }
};

/** dO [B·T, D], qkv, bias, logSumExp → dqkv [B·T, 3D], dbias [3D] */
struct AttentionGradient : AttentionShape {
  using AttentionShape::AttentionShape;
  void operator()(Call& call) const {
    const Input dO = call.input(0), qkv = call.input(1), bias = call.input(2), logSumExp = call.input(3);
    const Problem p = selfAttention(qkv, bias);
    requireOutputLike(p, dO, logSumExp);
    float* const d = call.output(0, qkv.shape);
    float* const dbias = call.output(1, bias.shape);
    const int64_t width = p.width();
    attendGradient(p, dO.values, logSumExp.values, {d, dbias, 3 * width}, {d + width, dbias + width, 3 * width},
                   {d + 2 * width, dbias + 2 * width, 3 * width});
  }
};

/** query [B, D], queryBias [D], kv [B·T, 2D], kvBias [2D] → o [B, D], logSumExp [B, H, 1] */
struct RowAttention : AttentionShape {
  using AttentionShape::AttentionShape;
  void operator()(Call& call) const {
    const Input query = call.input(0), queryBias = call.input(1), kv = call.input(2), kvBias = call.input(3);
    const Problem p = rowAttention(query, queryBias, kv, kvBias);
    attend(p, call.output(0, {p.images, p.width()}), call.output(1, {p.images, p.heads, 1}));
  }
};

/** dO [B, D], query, queryBias, kv, kvBias, logSumExp → dquery [B, D], dqueryBias [D], dkv [B·T, 2D], dkvBias [2D] */
struct RowAttentionGradient : AttentionShape {
  using AttentionShape::AttentionShape;
  void operator()(Call& call) const {
    const Input dO = call.input(0), query = call.input(1), queryBias = call.input(2), kv = call.input(3),
                kvBias = call.input(4), logSumExp = call.input(5);
    const Problem p = rowAttention(query, queryBias, kv, kvBias);
    requireOutputLike(p, dO, logSumExp);
    float* const dquery = call.output(0, query.shape);
    float* const dqueryBias = call.output(1, queryBias.shape);
    float* const dkv = call.output(2, kv.shape);
    float* const dkvBias = call.output(3, kvBias.shape);
    const int64_t width = p.width();
    attendGradient(p, dO.values, logSumExp.values, {dquery, dqueryBias, width}, {dkv, dkvBias, 2 * width},
                   {dkv + width, dkvBias + width, 2 * width});
  }
};

const std::vector<const char*> SHAPE = {"heads: int", "tokens: int"};

const bool declared =
    declare<Attention>({"BasinAttention", SHAPE, {"qkv", "bias"}, {"o", "log_sum_exp"}}) &&
    declare<AttentionGradient>(
        {"BasinAttentionGradient", SHAPE, {"d_o", "qkv", "bias", "log_sum_exp"}, {"dqkv", "dbias"}}) &&
    declare<RowAttention>(
        {"BasinRowAttention", SHAPE, {"query", "query_bias", "kv", "kv_bias"}, {"o", "log_sum_exp"}}) &&
    declare<RowAttentionGradient>({"BasinRowAttentionGradient",
                                     SHAPE,
                                     {"d_o", "query", "query_bias", "kv", "kv_bias", "log_sum_exp"},
                                     {"dquery", "dquery_bias", "dkv", "dkv_bias"}});

}  // namespace
}  // namespace basin
