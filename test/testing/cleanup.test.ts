import { describe, expect, it } from 'vitest';
import { Cleanup } from '../../src/testing/cleanup.js';

describe('the resources of a test', () => {
  it('ends in the reverse order, once', async () => {
    const cleanup = new Cleanup();
    const ended: string[] = [];
    cleanup.add(() => ended.push('server'));
    cleanup.add(() => Promise.resolve(ended.push('connection')));
    await cleanup.run();
    await cleanup.run();
    expect(ended).toEqual(['connection', 'server']);
  });

  it('ends earlier on request, and not again', async () => {
    const cleanup = new Cleanup();
    const ended: string[] = [];
    const end = cleanup.add(() => ended.push('one'));
    cleanup.add(() => ended.push('two'));
    await end();
    await end();
    await cleanup.run();
    expect(ended).toEqual(['one', 'two']);
  });

  it('are released even if one fails, which is reported', async () => {
    const cleanup = new Cleanup();
    const ended: string[] = [];
    cleanup.add(() => ended.push('server'));
    cleanup.add(() => Promise.reject(new Error('stuck')));
    const error = await cleanup.run().catch((failure: unknown) => failure);
    expect(error).toBeInstanceOf(AggregateError);
    expect((error as AggregateError).errors).toMatchObject([{ message: 'stuck' }]);
    expect(ended).toEqual(['server']);
  });
});
