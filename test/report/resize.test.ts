import {Writable} from 'node:stream';
import {expect, test} from 'vitest';
import type {InstanceId} from '../../src/graph/graph.ts';
import {terminalReporter} from '../../src/report/terminal-reporter.ts';

const ESCAPE = '\u001b';
const UP_AND_ERASED = `${ESCAPE}[1A${ESCAPE}[2K`;
const id = (text: string): InstanceId => text as InstanceId;

/** A terminal that keeps what it was sent. */
class Recorded extends Writable {
  columns: number;
  rows = 24;
  sent = '';
  constructor(columns: number) {
    super();
    this.columns = columns;
  }
  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.sent += chunk.toString();
    done();
  }
  resize(columns: number): void {
    this.sent = '';
    this.columns = columns;
    this.emit('resize');
  }
}

const withoutEscapes = (text: string): readonly string[] =>
  text.replaceAll(new RegExp(`${ESCAPE}\\[[?0-9;]*[A-Za-z]|\r`, 'g'), '').split('\n');

test('when a terminal becomes narrower the rows that the block was wrapped into are erased, and the new block fits', () => {
  const terminal = new Recorded(100);
  const reporter = terminalReporter(terminal, {detail: 'normal', logCommand: () => ''});
  const verdicts = {cached: 0, run: 2, 'run-unless-cut-off': 0, unresolved: 0};
  reporter.report({event: 'run-started', pipeline: 'p', instances: 2, verdicts});
  reporter.report({event: 'instance-started', id: id('finetune-A'), reason: {why: 'never-run'}, text: ''});
  reporter.report({event: 'instance-progress', id: id('finetune-A'), step: 1, steps: 1200, epoch: 0.01, loss: 2.25});
  reporter.report({event: 'warning', message: 'So that the block is drawn at once.'});
  const [whole = '', running = ''] = withoutEscapes(terminal.sent).slice(-3);
  expect(running).toContain('finetune-A 1/1200 · epoch 0.01 · loss 2.25');
  terminal.resize(30);
  const wrapped = Math.ceil(whole.length / 30) + Math.ceil(running.length / 30);
  expect(wrapped).toBeGreaterThan(3);
  expect(terminal.sent.split(UP_AND_ERASED).length - 1).toBe(wrapped);
  const lines = withoutEscapes(terminal.sent);
  expect(lines.join('')).toContain('1/1200');
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(30);
  terminal.resize(120);
  expect(terminal.sent.split(UP_AND_ERASED).length - 1).toBe(2);
  reporter.close();
  terminal.resize(20);
  expect(terminal.sent).toBe('');
});
