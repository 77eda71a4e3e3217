/** None when it was removed; Node keeps what it was told first, so that a folder which goes later is no matter. */
export function workingFolder(): string | undefined {
  try {
    return process.cwd();
  } catch {
    return undefined;
  }
}
