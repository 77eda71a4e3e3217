import {constants, openSync} from 'node:fs';
import {FILE_MODE} from './rights.ts';

const {O_APPEND, O_CREAT, O_NOFOLLOW, O_RDONLY, O_RDWR} = constants;

/**
 * Opens a file that a store has under a fixed name, and never by way of a link: what that leads to is not the store's, whoever made it.
 *
 * @throws ELOOP where there is a link.
 */
export const openToRead = (path: string): number => openSync(path, O_RDONLY | O_NOFOLLOW);

/** As `openToRead`; made when it is not there. */
export const openToAdd = (path: string): number => openSync(path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW, FILE_MODE);
