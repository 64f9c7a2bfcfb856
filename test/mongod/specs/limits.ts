/** A test that has not ended by then has lost its server or waits for a change that never comes. */
export const testMsMax = 8_000;

/** A client gives a server up after this; the suites' own fail points keep a server away for less. */
export const serverSelectionMs = 4_000;

/** Between two checks of a server. Short, because a closed connection makes the driver wait for the next check. */
export const heartbeatMs = 500;

/** The driver's floor between checks; its own 500 ms would be paid by each of some hundred closed connections. */
export const heartbeatMsMin = 20;

/** Servers side by side. A fail point holds for a whole server, so two tests never share one. */
export const lanesDefault = 8;

/** A release below this share of applicable tests is not a MongoDB for anyone who relies on it. */
export const passPercentMin = 95;

/** A diff line longer than this hides the next one. */
export const reasonCharactersMax = 400;

/** All suites together; a whole run that takes longer is no longer run before each commit. */
export const suitesMsMax = 180_000;
