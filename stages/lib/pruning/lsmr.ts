/** Relative size of the residual, or of its gradient, at which the iteration ends: scipy's defaults. */
const TOLERANCE = 1e-6;
/** Estimated condition above which it gives up, likewise. */
const WORST_CONDITION = 1e8;
const MOST_STEPS = 5;

const norm = (values: Float64Array): number => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));

/** A plane rotation that takes (a, b) to (r, 0). */
function rotation(a: number, b: number): {readonly c: number; readonly s: number; readonly r: number} {
  const r = Math.hypot(a, b);
  return r === 0 ? {c: 1, s: 0, r: 0} : {c: a / r, s: b / r, r};
}

/** A symmetric matrix [n, n] times a vector. */
export function times(matrix: Float64Array, vector: Float64Array): Float64Array {
  const n = vector.length;
  return vector.map((_, row) => {
    let sum = 0;
    for (let column = 0; column < n; column++) sum += (matrix[row * n + column] ?? 0) * (vector[column] ?? 0);
    return sum;
  });
}

/**
 * The x of least ‖A x − b‖² + damp² ‖x‖² for a symmetric A [n, n], by LSMR (Fong & Saunders 2011) with the stopping rules of `lsmr` in scipy and
 * CuPy, and CuPy's limit of 5 n steps. Undefined when it does not come to its tolerance, or A is too badly conditioned.
 */
export function lsmr(matrix: Float64Array, b: Float64Array, damp: number): Float64Array | undefined {
  const n = b.length;
  const x = new Float64Array(n);
  const normB = norm(b);
  let u = b;
  let beta = normB;
  if (beta > 0) u = b.map((value) => value / beta);
  let v = times(matrix, u);
  let alpha = norm(v);
  if (alpha > 0) v = v.map((value) => value / alpha);
  if (alpha * beta === 0) return x;

  let [zetaBar, alphaBar, rho, rhoBar, cBar, sBar] = [alpha * beta, alpha, 1, 1, 1, 0];
  let h = v;
  let hBar = new Float64Array(n);
  let [betadd, betad, rhodold, tautildeold, thetatilde, zeta, d] = [beta, 0, 1, 0, 0, 0, 0];
  let normA2 = alpha ** 2;
  let [largest, smallest] = [0, 1e100];

  for (let step = 1; step <= MOST_STEPS * n; step++) {
    const before = u;
    u = times(matrix, v).map((value, index) => value - alpha * (before[index] ?? 0));
    beta = norm(u);
    if (beta > 0) {
      const scale = beta;
      u = u.map((value) => value / scale);
      const last = v;
      v = times(matrix, u).map((value, index) => value - scale * (last[index] ?? 0));
      alpha = norm(v);
      const length = alpha;
      if (length > 0) v = v.map((value) => value / length);
    }

    const hat = rotation(alphaBar, damp);
    const rhoOld = rho;
    const main = rotation(hat.r, beta);
    rho = main.r;
    const thetaNew = main.s * alpha;
    alphaBar = main.c * alpha;
    const rhoBarOld = rhoBar;
    const zetaOld = zeta;
    const thetaBar = sBar * rho;
    const rhoTemp = cBar * rho;
    const bar = rotation(cBar * rho, thetaNew);
    [cBar, sBar, rhoBar] = [bar.c, bar.s, bar.r];
    zeta = cBar * zetaBar;
    zetaBar = -sBar * zetaBar;

    const [back, forth, along] = [(thetaBar * rho) / (rhoOld * rhoBarOld), zeta / (rho * rhoBar), thetaNew / rho];
    const [oldBar, oldH, direction] = [hBar, h, v];
    hBar = oldH.map((value, index) => value - back * (oldBar[index] ?? 0));
    for (const [index, value] of hBar.entries()) x[index] = (x[index] ?? 0) + forth * value;
    h = direction.map((value, index) => value - along * (oldH[index] ?? 0));

    // the norm of the damped residual
    const betaAcute = hat.c * betadd;
    const betaCheck = -hat.s * betadd;
    const betaHat = main.c * betaAcute;
    betadd = -main.s * betaAcute;
    const thetaTildeOld = thetatilde;
    const tilde = rotation(rhodold, thetaBar);
    thetatilde = tilde.s * rhoBar;
    rhodold = tilde.c * rhoBar;
    betad = -tilde.s * betad + tilde.c * betaHat;
    tautildeold = (zetaOld - thetaTildeOld * tautildeold) / tilde.r;
    const taud = (zeta - thetatilde * tautildeold) / rhodold;
    d += betaCheck ** 2;
    const normR = Math.sqrt(d + (betad - taud) ** 2 + betadd ** 2);

    normA2 += beta ** 2;
    const normA = Math.sqrt(normA2);
    normA2 += alpha ** 2;
    largest = Math.max(largest, rhoBarOld);
    if (step > 1) smallest = Math.min(smallest, rhoBarOld);
    const condition = Math.max(largest, rhoTemp) / Math.min(smallest, rhoTemp);
    if (normR <= TOLERANCE * normB + TOLERANCE * normA * norm(x)) return x;
    if (normR === 0 || Math.abs(zetaBar) / (normA * normR) <= TOLERANCE) return x;
    if (condition >= WORST_CONDITION) return undefined;
  }
  return undefined;
}
