import {join} from 'node:path';
import type {Edition} from '../backend.ts';
import {userCacheFolder} from '../machine.ts';
import {librariesId, setUpId} from '../versions.ts';

/** Where this user's builds of the native addon are, one folder each, beside the TensorFlow they share. */
export const buildsFolder = (): string => join(userCacheFolder(), 'tensorflow');

/** Where an edition's wheel waits between its download and the build; its name is its SHA-256, so the folder alone tells which it is. */
export const downloadsFolder = (edition: Edition = 'cpu'): string => join(buildsFolder(), 'downloads', edition);

/** Folder of the addon that fits this machine and these versions. */
export const addonFolder = (edition: Edition = 'cpu'): string => join(buildsFolder(), setUpId(edition));

/** Folder of TensorFlow's libraries and headers, for every addon of this version: who changes sources downloads nothing. */
export const librariesFolder = (edition: Edition = 'cpu'): string => join(buildsFolder(), librariesId(edition));

export const ADDON_FILE = 'tfjs_binding.node';
/** Where the libraries are in their folder; both must lie in one, as the one finds the other through it. */
export const LIBRARY_FOLDER = 'lib';
export const LIBRARIES = ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'] as const;
