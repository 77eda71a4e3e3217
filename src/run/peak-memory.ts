import {readFileSync, writeFileSync} from 'node:fs';

/** Starts a new measurement of this process's peak, where the system can (Linux: Documentation/filesystems/proc, clear_refs). */
export function resetPeakMemory(): void {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
  } catch {
    // Elsewhere the peak is that of the process since it started.
  }
}

/** Largest resident memory since the last reset, in MiB. */
export function peakMemory(): number {
  try {
    const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
    if (kilobytes !== undefined) return Math.round(Number(kilobytes) / 1024);
  } catch {
    // not Linux
  }
  return Math.round(process.resourceUsage().maxRSS / 1024);
}
