"""PyTorch's side of bench/train: reads a request a line on standard input, answers a line of JSON on standard output."""

import json
import sys
import time

import torch

from works import work_of


def reset_peak_memory() -> None:
    try:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")
    except OSError:
        pass  # elsewhere the peak is that of the process since it started


def peak_memory() -> int:
    """MiB of resident memory, the most since the last reset."""
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM")) // 1024


def multiply(precision: str, rows: int, inner: int, columns: int) -> float:
    """The fastest of some products, in GFLOP/s."""
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    a, b = torch.randn(rows, inner).to(dtype), torch.randn(inner, columns).to(dtype)
    best = float("inf")
    end = time.perf_counter() + 0.3
    while time.perf_counter() < end:
        start = time.perf_counter()
        torch.mm(a, b)
        best = min(best, time.perf_counter() - start)
    return 2 * rows * inner * columns / best / 1e9


def serve(options: dict) -> None:
    torch.set_num_threads(options["threads"])
    torch.manual_seed(0)
    units = None
    for line in sys.stdin:
        request = json.loads(line)
        match request["do"]:
            case "run":
                start = time.perf_counter()
                if units is None:
                    units = work_of(options)
                values = [next(units) for _ in range(request["count"])]
                answer = {"milliseconds": 1000 * (time.perf_counter() - start), "values": values}
            case "multiply":
                answer = {"gflops": multiply(options["precision"], *request["shape"])}
            case "memory":
                answer = {"mib": peak_memory()}
                reset_peak_memory()
            case "name":
                answer = {"name": f"PyTorch {torch.__version__}"}
            case unknown:
                raise ValueError(f"no request is called {unknown}")
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    serve(json.loads(sys.argv[1]))
