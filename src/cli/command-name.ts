/** basin as it was called, so that what is printed can be typed again; the launcher says how. */
export const commandName = (): string => process.env.BASIN_COMMAND ?? 'basin';
