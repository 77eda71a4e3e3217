/**
 * The t with which `mean ± t·s/√n` covers the mean with this confidence, for n − 1 degrees of freedom (a whole number from 1).
 * By bisection on the finite sums that Student's distribution has for whole degrees of freedom (Abramowitz & Stegun 26.7.3
 * and 26.7.4).
 */
export function studentT(confidence: number, degrees: number): number {
  let [low, high] = [0, 1];
  while (coverage(high, degrees) < confidence) high *= 2;
  for (let step = 0; step < 100; step++) {
    const middle = (low + high) / 2;
    if (coverage(middle, degrees) < confidence) low = middle;
    else high = middle;
  }
  return high;
}

/** The probability that |T| is at most t. */
function coverage(t: number, degrees: number): number {
  const angle = Math.atan(t / Math.sqrt(degrees));
  const cosine = Math.cos(angle);
  const isOdd = degrees % 2 === 1;
  let term = isOdd ? cosine : 1;
  let sum = degrees === 1 ? 0 : term;
  for (let power = isOdd ? 3 : 2; power <= degrees - 2; power += 2) {
    term *= (cosine * cosine * (power - 1)) / power;
    sum += term;
  }
  return isOdd ? (2 / Math.PI) * (angle + Math.sin(angle) * sum) : Math.sin(angle) * sum;
}
