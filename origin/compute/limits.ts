/** The bounds of the compute pool. */

/** Calls that may wait for a thread: about a second of the longest common ones (100 ms) for each core of eight. */
export const waitingCallsMax = 64;

/** Sessions pinned to one thread: the contexts that one instance of the module has (`CONTEXTS_MAX`). */
export const sessionsPerThreadMax = 16;

/** A call gives back its thread within this, or loses it: a step takes milliseconds, a large picture one second. */
export const callMsMax = 5_000;

/** What a refused caller is told to wait: a full queue is worked off within about this. */
export const fullRetryAfterSeconds = 1;

/**
 * Threads given up that have not ended: a burst of traps leaves some for milliseconds; any that stay are
 * stuck in the module, and each of them takes a core from the rest of the machine.
 */
export const threadsEndingMax = 4;

/** How long `close` waits for threads to be gone: they end within milliseconds, and the process may not hang on them. */
export const closeMsMax = 1_000;
