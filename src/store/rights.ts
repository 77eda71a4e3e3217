/**
 * What a store makes is never everybody's to write, whatever the program that uses it allows (its `umask`, which is its own to set); a group may
 * share a cache.
 */
export const FOLDER_MODE = 0o775;
export const FILE_MODE = 0o664;
