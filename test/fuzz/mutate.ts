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

/** One to four changes of a text: pieces cut, doubled, swapped, moved in from another text, characters changed, tokens put in. */
export function mutateText(
  text: string,
  others: readonly string[],
  tokens: readonly string[],
  draw: (below: number) => number,
): string {
  let changed = text;
  for (let times = 1 + draw(4); times > 0; times--) {
    const at = draw(changed.length + 1);
    const end = Math.min(changed.length, at + draw(2 ** (1 + draw(8))));
    const piece = changed.slice(at, end);
    const other = others[draw(others.length)] ?? '';
    switch (draw(7)) {
      case 0:
        changed = changed.slice(0, at) + changed.slice(end);
        break;
      case 1:
        changed = changed.slice(0, at) + piece.repeat(1 + draw(4)) + changed.slice(at);
        break;
      case 2: {
        const to = draw(changed.length + 1);
        changed = changed.slice(0, to) + piece + changed.slice(to);
        break;
      }
      case 3: {
        const from = draw(other.length + 1);
        changed = changed.slice(0, at) + other.slice(from, from + draw(200)) + changed.slice(end);
        break;
      }
      case 4:
        changed =
          changed.slice(0, at) + String.fromCharCode(draw(2) ? draw(128) : draw(65_536)) + changed.slice(at + 1);
        break;
      case 5: {
        const lines = changed.split('\n');
        const line = draw(lines.length);
        lines.splice(line, 1, ...(draw(2) ? [] : [lines[draw(lines.length)] ?? '', lines[line] ?? '']));
        changed = lines.join('\n');
        break;
      }
      default:
        changed = changed.slice(0, at) + (tokens[draw(tokens.length)] ?? '') + changed.slice(draw(2) ? at : end);
    }
  }
  return changed;
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
