import type {Pictures} from '../stages/lib/data/pictures.ts';

/** The augmentation of pipelines/cifar10-lmc.yaml. */
export const STUDY = [
  {crop: 24, resize: 32},
  {flip: true},
  {jitter: {brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.1}},
];

/** Pictures in smooth colours with some grain, so that hues and edges vary as in photographs. */
export function smoothColours(n: number, side: number): Pictures {
  const values = Uint8Array.from({length: n * 3 * side * side}, (_, place) => {
    const [x, y, picture] = [
      place % side,
      Math.floor(place / side) % (3 * side),
      Math.floor(place / (3 * side * side)),
    ];
    return 128 + 90 * Math.sin((x * (picture % 7) + y * (picture % 5) + picture) / 20) + ((place * 7919) % 23);
  });
  return {n, channels: 3, height: side, width: side, values, labels: new Int32Array(n)};
}
