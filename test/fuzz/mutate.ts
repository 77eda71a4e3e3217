/** Draws that repeat: a small generator (mulberry32) over one seed. */
export function drawsOf(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** One to four changes of a file: cut, bytes turned over or set to extremes, a stretch doubled, filled or moved. */
export function mutateBytes(bytes: Uint8Array, draw: (below: number) => number): Uint8Array {
  let changed = Uint8Array.from(bytes);
  for (let times = 1 + draw(4); times > 0; times--) {
    const at = draw(changed.length + 1);
    const length = draw(2 ** (1 + draw(6)));
    switch (draw(6)) {
      case 0:
        changed = changed.slice(0, at);
        break;
      case 1:
        changed[at] = (changed[at] ?? 0) ^ (1 << draw(8));
        break;
      case 2:
        changed.fill([0, 1, 0x7f, 0x80, 0xff][draw(5)] ?? 0, at, at + 1 + draw(8));
        break;
      case 3:
        changed = Uint8Array.from([
          ...changed.subarray(0, at),
          ...changed.subarray(at, at + length),
          ...changed.subarray(at),
        ]);
        break;
      case 4:
        changed.copyWithin(at, draw(changed.length + 1), draw(changed.length + 1));
        break;
      default:
        for (let place = at; place < Math.min(changed.length, at + length); place++) changed[place] = draw(256);
    }
  }
  return changed;
}
