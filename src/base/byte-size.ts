const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

/** Bytes of `20GB`, `1.5 GiB`, `500MB` or a plain number; nothing when it is no such size. */
export function parseBytes(text: string): number | undefined {
  const [, number, unit = ''] = /^\s*(\d+(?:\.\d+)?)\s*([a-z]*?)b?\s*$/i.exec(text) ?? [];
  const name = unit.toLowerCase();
  const factor = UNITS[name === '' ? '' : `${name}b`];
  if (number === undefined || factor === undefined) return undefined;
  return Math.round(Number(number) * factor);
}

/** `3.42 GB`, `512 B`; three digits. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const place = Math.min(units.length - 1, bytes < 1 ? 0 : Math.floor(Math.log10(bytes) / 3));
  const value = bytes / 1000 ** place;
  return place === 0 ? `${bytes} B` : `${value.toPrecision(3)} ${units[place]}`;
}
