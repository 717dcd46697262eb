export { cancelActivity, resumeActivity, startActivity } from './control.ts';
export { serveDriver } from './driver.ts';
export { followEvents, waitForChange } from './follow.ts';
export { readActivity } from './record.ts';
export { type RunStatus, readStatus } from './status.ts';
