/*
 * The launcher: a small process that starts the worker programs of a driver (src/processes/launcher.ts). It is a
 * bundle of its own, so that nothing but what it needs is in its memory.
 */
import { serveLauncher } from './processes/index.ts';

serveLauncher();
