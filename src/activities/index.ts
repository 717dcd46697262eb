export { cancelActivity, resumeActivity, startActivity } from './control.ts';
export { serveDriver } from './driver.ts';
export { followEvents, waitForChange } from './follow.ts';
export { type RunStatus, readActivity, readStatus } from './status.ts';
