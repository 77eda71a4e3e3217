/** URL of the module that users' files know as `lossbasin`. */
export const LIBRARY: string = new URL('../index.ts', import.meta.url).href;
