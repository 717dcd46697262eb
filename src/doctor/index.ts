export { DoctorReport, examine } from './examine.ts';
