export { cancelActivity, resumeActivity, startActivity } from './control.ts';
export { serveDriver } from './driver.ts';
export { followEvents, waitForChange } from './follow.ts';
export { type RunStatus, readActivity, readParams, readStatus } from './status.ts';
