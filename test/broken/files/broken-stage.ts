throw new Error('This stage is not written yet.');

export {};
