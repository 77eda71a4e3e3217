#include "thread-pool.h"

#include <immintrin.h>

#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <thread>

namespace basin {
namespace {

/** Turns that a waiting thread spins before it sleeps: some microseconds, the time between two operations. */
constexpr int SPINS = 2000;

/**
 * Which loop runs, how many tasks it has and which is next, in one word: a task is claimed by one compare-and-swap that
 * fails when the loop has ended, so that a thread that wakes late can do no harm and nobody waits for it.
 */
constexpr int COUNT_BITS = 20;
constexpr uint64_t COUNT_MASK = (1u << COUNT_BITS) - 1;
constexpr uint64_t nextOf(uint64_t claim) { return claim & COUNT_MASK; }
constexpr uint64_t countOf(uint64_t claim) { return claim >> COUNT_BITS & COUNT_MASK; }
constexpr uint64_t loopOf(uint64_t claim) { return claim >> 2 * COUNT_BITS; }

class ThreadPool {
 public:
  explicit ThreadPool(int threads) {
    for (int i = 1; i < threads; i++) std::thread([this] { serve(); }).detach();
  }

  void run(uint64_t count, void (*task)(const void*, int64_t), const void* context) {
    task_ = task;
    context_ = context;
    done_.store(0, std::memory_order_relaxed);
    const uint64_t loop = loopOf(claim_.load(std::memory_order_relaxed)) + 1;
    claim_.store(loop << 2 * COUNT_BITS | count << COUNT_BITS);
    if (sleepers_.load() > 0) {
      std::lock_guard<std::mutex> lock(sleep_);
      wake_.notify_all();
    }
    work();
    const auto finished = [&] { return done_.load() == count; };
    for (int spins = 0; spins < SPINS && !finished(); spins++) _mm_pause();
    if (finished()) return;
    // Asleep, so that on a busy machine the processor goes to the thread that is waited for.
    std::unique_lock<std::mutex> lock(sleep_);
    waiting_.store(true);
    finished_.wait(lock, finished);
    waiting_.store(false);
  }

  /** Held by the caller whose loop runs. */
  std::mutex busy;

 private:
  void work() {
    uint64_t claim = claim_.load(std::memory_order_acquire);
    while (nextOf(claim) < countOf(claim)) {
      if (!claim_.compare_exchange_weak(claim, claim + 1, std::memory_order_acq_rel)) continue;
      task_(context_, static_cast<int64_t>(nextOf(claim)));
      done_.fetch_add(1);
      if (waiting_.load()) {
        std::lock_guard<std::mutex> lock(sleep_);
        finished_.notify_one();
      }
      claim = claim_.load(std::memory_order_acquire);
    }
  }

  [[noreturn]] void serve() {
    for (uint64_t seen = 0;;) {
      const auto news = [&] { return loopOf(claim_.load()) != seen; };
      for (int spins = 0; spins < SPINS && !news(); spins++) _mm_pause();
      if (!news()) {
        std::unique_lock<std::mutex> lock(sleep_);
        sleepers_.fetch_add(1);
        wake_.wait(lock, news);
        sleepers_.fetch_sub(1);
      }
      seen = loopOf(claim_.load());
      work();
    }
  }

  std::atomic<uint64_t> claim_{0};
  std::atomic<uint64_t> done_{0};
  void (*task_)(const void*, int64_t) = nullptr;
  const void* context_ = nullptr;
  std::mutex sleep_;
  std::condition_variable wake_, finished_;
  std::atomic<int> sleepers_{0};
  std::atomic<bool> waiting_{false};
};

}  // namespace

int threadCount() {
  static const int count = [] {
    const char* given = std::getenv("TF_NUM_INTRAOP_THREADS");
    const int asked = given ? std::atoi(given) : 0;
    const int processors = static_cast<int>(std::thread::hardware_concurrency());
    return asked > 0 ? asked : processors > 0 ? processors : 1;
  }();
  return count;
}

void detail::runTasks(int64_t count, void (*task)(const void*, int64_t), const void* context) {
  // Never destroyed: its threads wait in it when the process ends.
  static ThreadPool& pool = *new ThreadPool(threadCount());
  std::unique_lock<std::mutex> lock(pool.busy, std::defer_lock);
  const bool together = count > 1 && count <= static_cast<int64_t>(COUNT_MASK) && threadCount() > 1 && lock.try_lock();
  if (together) pool.run(static_cast<uint64_t>(count), task, context);
  else
    for (int64_t index = 0; index < count; index++) task(context, index);
}

}  // namespace basin
