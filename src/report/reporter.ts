import type {RunEvent} from '../run/event.ts';

/** Tells a run as it happens; it only reads events. */
export interface Reporter {
  report(event: RunEvent): void;
  /** Leaves the terminal as a person wants to find it. */
  close(): void;
}
