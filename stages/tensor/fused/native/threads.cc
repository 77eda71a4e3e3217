// BasinThreads() → the number of threads our operations compute with. Its being there says that the others are.
#include "operation.h"
#include "thread-pool.h"

namespace basin {
namespace {

struct Threads {
  explicit Threads(const Attributes&) {}
  void operator()(Call& call) const { *call.output(0, {}) = static_cast<float>(threadCount()); }
};

const bool declared = declare<Threads>({"BasinThreads", {}, {}, {"threads"}});

}  // namespace
}  // namespace basin
