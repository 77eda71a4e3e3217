import {expect, test} from 'vitest';
import {type Activation, activate} from '../../stages/lib/models/activation.ts';
import {backends, withBackend} from '../rig/tensor-backends.ts';

const POINTS = [-3, -1, 0, 0.5, 1, 3];

// Values in float64 by Python's math.erfc and math.tanh of x Φ(x), of its tanh approximation, and of their derivatives.
const EXPECTED: Record<Activation, {value: number[]; slope: number[]}> = {
  gelu: {
    value: [-0.00404969409, -0.158655254, 0, 0.345731231, 0.841344746, 2.99595031],
    slope: [-0.0119456472, -0.0833154706, 0.5, 0.867495125, 1.08331547, 1.01194565],
  },
  gelu_new: {
    value: [-0.00363739208, -0.158808009, 0, 0.34571401, 0.841191991, 2.99636261],
    slope: [-0.0115841666, -0.0829640838, 0.5, 0.867369904, 1.08296408, 1.01158417],
  },
  relu: {value: [0, 0, 0, 0.5, 1, 3], slope: [0, 0, 0, 1, 1, 1]},
};

for (const {name: backend, tf} of await backends()) {
  for (const name of ['gelu', 'gelu_new', 'relu'] as const) {
    test(`${backend}: ${name} and its slope have their exact values`, async () => {
      await withBackend(backend);
      const {value, slope} = EXPECTED[name];
      const x = tf.tensor2d(POINTS, [1, POINTS.length]);
      const bias = tf.zeros([POINTS.length]);
      const y = activate(tf, name, x, bias).dataSync();
      const dy = tf
        .grad((input) => activate(tf, name, input, bias))(x)
        .dataSync();
      POINTS.forEach((point, index) => {
        expect(y[index], `${name}(${point})`).toBeCloseTo(value[index] ?? Number.NaN, 6);
        expect(dy[index], `${name}'(${point})`).toBeCloseTo(slope[index] ?? Number.NaN, 6);
      });
    });
  }
}
