/** Decoded pictures: bytes in NCHW order beside their labels. */
export interface Pictures {
  readonly n: number;
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** n · channels · height · width grey or colour levels, 0 to 255. */
  readonly values: Uint8Array;
  /** Class of each picture, from 0. */
  readonly labels: Int32Array;
}

/** Bytes of one picture. */
export const bytesPerPicture = (pictures: Pictures): number => pictures.channels * pictures.height * pictures.width;

/** The first `n` pictures (all, when there are fewer); shares memory with what it is taken from. */
export function firstPictures(pictures: Pictures, n: number): Pictures {
  if (n >= pictures.n) return pictures;
  return {
    ...pictures,
    n,
    values: pictures.values.subarray(0, n * bytesPerPicture(pictures)),
    labels: pictures.labels.subarray(0, n),
  };
}

/** The pictures at `indices`, in that order, copied; `relabel[label]` replaces each label when given. */
export function picturesAt(
  pictures: Pictures,
  indices: ArrayLike<number>,
  relabel?: ReadonlyMap<number, number>,
): Pictures {
  const size = bytesPerPicture(pictures);
  const values = new Uint8Array(indices.length * size);
  const labels = new Int32Array(indices.length);
  for (let to = 0; to < indices.length; to++) {
    const from = indices[to] ?? 0;
    values.set(pictures.values.subarray(from * size, (from + 1) * size), to * size);
    const label = pictures.labels[from] ?? 0;
    labels[to] = relabel?.get(label) ?? label;
  }
  return {...pictures, n: indices.length, values, labels};
}

/** The same pictures in memory that threads of this process read without a copy of their own. */
export function inSharedMemory(pictures: Pictures): Pictures {
  if (pictures.values.buffer instanceof SharedArrayBuffer) return pictures;
  const values = new Uint8Array(new SharedArrayBuffer(pictures.values.length));
  values.set(pictures.values);
  return {...pictures, values};
}
