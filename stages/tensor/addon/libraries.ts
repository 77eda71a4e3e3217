import {open} from 'node:fs/promises';
import {join} from 'node:path';
import type {SetupReporter} from '../backend.ts';
import {findProgram} from '../machine.ts';
import {LIBRARIES, LIBRARY_FOLDER} from './folder.ts';
import {runProgram} from './program.ts';
import {extractEntry, zipEntries} from './zip.ts';

/** Starts of the headers' names: those of the addon, then those that the interface for operations of our own adds. */
const HEADERS = [
  ...['tensorflow/c/', 'tensorflow/core/platform/ctstring', 'tsl/platform/ctstring', 'xla/tsl/c/'],
  ...['tensorflow/core/common_runtime/next_pluggable_device/c/', 'tsl/platform/platform.h'],
];

/** Unpacks TensorFlow's libraries and headers from its wheel into `folder`; gives their paths inside it. */
export async function unpackLibraries(
  wheel: string,
  folder: string,
  report: SetupReporter,
): Promise<readonly string[]> {
  const file = await open(wheel);
  try {
    const wanted = (await zipEntries(file)).flatMap((entry) => {
      const library = LIBRARIES.find((name) => entry.name === `tensorflow/${name}`);
      if (library) return [{entry, path: `${LIBRARY_FOLDER}/${library}`}];
      const header = /^tensorflow\/include\/(.*\.h)$/.exec(entry.name)?.[1];
      // A name that climbs out of the folder is no header of TensorFlow's.
      return header && !header.split('/').includes('..') && HEADERS.some((start) => header.startsWith(start))
        ? [{entry, path: `include/${header}`}]
        : [];
    });
    const total = wanted.reduce((sum, {entry}) => sum + entry.size, 0);
    let done = 0;
    for (const {entry, path} of wanted) {
      await extractEntry(file, entry, join(folder, path), (bytes) => {
        done += bytes;
        report.progress('Unpacking TensorFlow', done / total);
      });
    }
    // Symbols nobody asks for are a quarter of the libraries; a machine without strip keeps them.
    const strip = findProgram(['strip']);
    if (strip) {
      report.progress('Stripping TensorFlow', undefined);
      await runProgram(strip, ['--strip-unneeded', ...LIBRARIES.map((name) => join(folder, LIBRARY_FOLDER, name))]);
    }
    return wanted.map(({path}) => path);
  } finally {
    await file.close();
  }
}
