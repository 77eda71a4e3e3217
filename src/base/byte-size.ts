const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  pb: 1e15,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
  pib: 2 ** 50,
};

/** Bytes of `20GB`, `1.5 GiB`, `500MB` or a plain number; nothing when it is no such size. */
export function parseBytes(text: string): number | undefined {
  const [, number, unit = ''] = /^\s*(\d+(?:\.\d+)?)\s*([a-z]*?)b?\s*$/i.exec(text) ?? [];
  const name = unit.toLowerCase();
  const factor = UNITS[name === '' ? '' : `${name}b`];
  if (number === undefined || factor === undefined) return undefined;
  const bytes = Math.round(Number(number) * factor);
  return Number.isFinite(bytes) ? bytes : undefined;
}

const SHOWN = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB'];

/** `3.42 GB`, `512 B`; three digits, or all of those before the point. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const largest = SHOWN.length - 1;
  const first = Math.min(largest, Math.floor(Math.log10(bytes) / 3));
  // 999 600 is nearer to a whole MB than to 999 kB
  const isNext = first < largest && Number((bytes / 1000 ** first).toPrecision(3)) >= 1000;
  const place = isNext ? first + 1 : first;
  const value = bytes / 1000 ** place;
  return `${value < 999.5 ? value.toPrecision(3) : value.toFixed(0)} ${SHOWN[place]}`;
}
