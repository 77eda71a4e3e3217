// One pool of threads for all our operations. TensorFlow's own is not within reach of its C interface.
#pragma once
#include <cstdint>

namespace basin {

/** Threads that compute, the caller among them: TF_NUM_INTRAOP_THREADS, else one for each processor. */
int threadCount();

namespace detail {
void runTasks(int64_t count, void (*task)(const void* context, int64_t index), const void* context);
}

/**
 * Calls `task(index)` for 0 … count − 1, in no order, on any thread, and returns when all are done. What a task computes must not
 * depend on who runs it: block sizes are fixed numbers, so that the bytes are the same for any number of threads. While
 * the pool works for another caller, this one computes alone. A task must not throw.
 */
template <class Task>
void inParallel(int64_t count, const Task& task) {
  detail::runTasks(
      count, [](const void* context, int64_t index) { (*static_cast<const Task*>(context))(index); }, &task);
}

/** The same for stretches of `block` of `total` things: `task(first, end)`. */
template <class Task>
void inBlocks(int64_t total, int64_t block, const Task& task) {
  inParallel((total + block - 1) / block, [&](int64_t index) {
    const int64_t first = index * block;
    task(first, first + block < total ? first + block : total);
  });
}

}  // namespace basin
