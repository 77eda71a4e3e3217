import {doctor, formatDoctor} from '../../../stages/tensor/doctor.ts';
import {EXIT} from '../exit-code.ts';

export async function doctorCommand(): Promise<number> {
  const report = await doctor();
  process.stdout.write(`${formatDoctor(report)}\n`);
  return report.ok ? EXIT.done : EXIT.failed;
}
