/** Lets a loop go on by one round at a time: it arrives after each, and is held until it is let through. */
export class Turnstile {
  #arrival = Promise.withResolvers<void>();
  #permit: PromiseWithResolvers<void> | undefined;

  /** Called by the loop: done with a round, waits for the next permit. */
  arrive(): Promise<void> {
    this.#permit = Promise.withResolvers();
    this.#arrival.resolve();
    return this.#permit.promise;
  }

  /** Lets the loop do a round, the first time the one that it began with; done when it arrives. */
  letThrough(): Promise<void> {
    if (this.#permit) {
      this.#arrival = Promise.withResolvers();
      this.#permit.resolve();
      this.#permit = undefined;
    }
    return this.#arrival.promise;
  }
}
