const TICK_MS = 1000;
const LINE_EVERY_TICKS = 15;

/** Tells on stderr that a long step is alive: one line that ticks on a terminal, a plain line now and then in a pipe. */
export function tell(what, out = process.stderr) {
  const started = Date.now();
  const seconds = () => `${Math.round((Date.now() - started) / 1000)} s`;
  let ticks = 0;
  if (!out.isTTY) out.write(`basin: ${what} …\n`);
  const timer = setInterval(() => {
    ticks++;
    if (out.isTTY) out.write(`\r\u001b[Kbasin: ${what} … ${seconds()}`);
    else if (ticks % LINE_EVERY_TICKS === 0) out.write(`basin: ${what} … ${seconds()}\n`);
  }, TICK_MS);
  return (outcome) => {
    clearInterval(timer);
    out.write(`${out.isTTY ? '\r\u001b[K' : ''}basin: ${what}: ${outcome}, ${seconds()}\n`);
  };
}
