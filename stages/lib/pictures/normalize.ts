import {z} from 'zod';
import {StageError} from '../../../src/stage/define-stage.ts';

const perChannel = <T extends z.ZodType<number>>(value: T) => z.array(value).min(1).max(64);

/** Torchvision's `Normalize`, after its `ToTensor`. */
export const normalizeSchema = z
  .strictObject({
    mean: perChannel(z.number()).describe('Mean of each channel, of levels from 0 to 1.'),
    std: perChannel(z.number().positive()).describe('Deviation of each channel.'),
  })
  .refine(
    ({mean, std}) => mean.length === std.length,
    'mean and std have as many numbers as the picture has channels.',
  );

/** What it makes of each of the 256 levels, in float32 throughout: a row a channel. */
export function normalizedLevels({mean, std}: z.output<typeof normalizeSchema>, channels: number): Float32Array {
  if (mean.length !== channels) {
    throw new StageError(
      `normalize has ${mean.length} mean(s), and the model takes pictures of ${channels} channel(s).`,
      'Give mean and std one number for each channel.',
    );
  }
  return Float32Array.from({length: channels * 256}, (_, place) => {
    const channel = place >> 8;
    const level = Math.fround((place & 255) / 255);
    return Math.fround(level - Math.fround(mean[channel] ?? 0)) / Math.fround(std[channel] ?? 1);
  });
}
