export { type DriverOrder, takeDriver, warmDriver } from './driver-process.ts';
