import {type Data, makeData, Utf8} from 'apache-arrow';

/** Non-null text as an Arrow column, built by hand so that no builder adds a validity bitmap. */
export function encodeUtf8Column(texts: readonly string[]): Data<Utf8> {
  const parts = texts.map((text) => Buffer.from(text, 'utf8'));
  const valueOffsets = new Int32Array(texts.length + 1);
  let end = 0;
  parts.forEach((part, index) => {
    end += part.byteLength;
    valueOffsets[index + 1] = end;
  });
  return makeData({
    type: new Utf8(),
    length: texts.length,
    nullCount: 0,
    valueOffsets,
    data: new Uint8Array(Buffer.concat(parts, end)),
  });
}
