/** Given to Node by --import: the clock of that process is BASIN_TEST_HOURS off, and the times of files are not. */
const shift = Number(process.env.BASIN_TEST_HOURS) * 3_600_000;
const now = Date.now;
Date.now = () => now() + shift;
