import {readdirSync, readFileSync} from 'node:fs';
import {join} from 'node:path';

/** Where NVIDIA's driver for Linux tells of itself, also in containers that are given cards. */
const DRIVER_FOLDER = '/proc/driver/nvidia';

/** NVIDIA's driver and the cards that it runs. */
export interface NvidiaDriver {
  /** "550.54.15" */
  readonly version: string;
  /** Models by the cards' places. */
  readonly cards: readonly string[];
}

/** The driver that is loaded, or nothing. Reads a few small files; no program of NVIDIA's need be there. */
export function nvidiaDriver(folder = DRIVER_FOLDER): NvidiaDriver | undefined {
  const version = /Kernel Module(?: for \S+)?\s+(\d+(?:\.\d+)+)/.exec(textOf(join(folder, 'version')))?.[1];
  if (version === undefined) return undefined;
  const cards = namesIn(join(folder, 'gpus')).flatMap((card) => {
    const model = /^Model:\s*(.+)$/m.exec(textOf(join(folder, 'gpus', card, 'information')))?.[1];
    return model === undefined ? [] : [model.trim()];
  });
  return {version, cards};
}

/** Places of the cards that this process may use: all, or those that CUDA_VISIBLE_DEVICES names. */
export function visibleCards({cards}: NvidiaDriver, chosen = process.env.CUDA_VISIBLE_DEVICES): readonly string[] {
  if (chosen === undefined) return cards.map((_, place) => String(place));
  const names = chosen.split(',').map((name) => name.trim());
  const end = names.findIndex((name) => name === '' || name === '-1'); // CUDA reads no further
  return end < 0 ? names : names.slice(0, end);
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}
