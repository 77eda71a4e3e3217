import type {RunEvent} from '../run/event.ts';
import type {Detail} from './lines.ts';

export interface ReporterOptions {
  readonly detail: Detail;
  /** The command that shows an instance's whole log. */
  logCommand(id: string): string;
}

/** Tells a run as it happens; it only reads events. */
export interface Reporter {
  report(event: RunEvent): void;
  /** Leaves the terminal as a person wants to find it. */
  close(): void;
}
