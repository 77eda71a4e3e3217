declare module 'fs-native-extensions' {
  /** Takes a kernel lock of `length` bytes from `offset`; false when another open file has it. Freed when `fd` closes. */
  export function tryLock(fd: number, offset?: number, length?: number, options?: {shared?: boolean}): boolean;
}
