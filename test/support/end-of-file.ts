// Ends what a test file started. Vitest runs this at the start of each file, also of one that shares its modules with others.
import { afterAll } from 'vitest';
import { cleanup } from './cleanup.js';

afterAll(() => cleanup.run());
