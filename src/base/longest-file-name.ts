/** In bytes, of a file that is named after what a person wrote. Systems allow 255, some of them less in encrypted folders. */
export const LONGEST_FILE_NAME = 120;
